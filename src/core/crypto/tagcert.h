/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_TAGCERT_H
#define AY_CRYPTO_TAGCERT_H

/*
 * Certificates of asset tags: X.509 version 2 attribute certificates [RFC5755
 * 4] as Mt. Wilson's consumers know them (docs/formats/tag.md). The holder is a
 * host by its UUID, the attributes are name=value pairs, the issuer is the tag
 * CA; ECDSA P-256 with SHA-256 and nothing else.
 */
#include "core/base/limits.h"
#include "core/base/uuid.h"
#include "core/crypto/privkey.h"

struct ay_tag_attr {
	struct ay_bytes name;  /* UTF-8 without '=' and control characters, 1 to 64 octets */
	struct ay_bytes value; /* UTF-8 without control characters, at most 256 octets */
};

struct ay_tag_cert {
	struct ay_uuid host;
	struct ay_bytes serial;	     /* contents of the INTEGER */
	struct ay_bytes issuer_name; /* DER Name of the tag CA */
	int64_t not_before_ms, not_after_ms;
	size_t n_attrs;
	struct ay_tag_attr attr[AY_MAX_TAG_ATTRS];
	struct ay_bytes signed_octets; /* acinfo, whole; filled by the parser */
	struct ay_bytes signature;     /* DER Ecdsa-Sig-Value; filled by the parser */
};

#define AY_TAG_CERT_MAX (1024 + AY_MAX_TAG_ATTRS * 340)

/*
 * Write and sign one. serial is 16 random octets (its first bit is cleared);
 * issuer_name as in the tag CA's certificate. AY_E_INPUT if a name or value is
 * not as above, none is given, or the dates are in the wrong order.
 */
AY_MUST_USE enum ay_rc ay_tag_cert_issue(const struct ay_tag_cert *c, const struct ay_privkey *ca,
					 uint8_t out[AY_TAG_CERT_MAX], size_t *n, struct ay_err *e);

/* Says what it says; nothing is verified. Views borrow from der. AY_E_INPUT, code TAG_CERT. */
AY_MUST_USE enum ay_rc ay_tag_cert_parse(struct ay_bytes der, struct ay_tag_cert *out,
					 struct ay_err *e);

/*
 * Signed by ca, for that host, in force at now_ms. Codes TAG_CERT_SIGNATURE,
 * TAG_CERT_HOST, TAG_CERT_EXPIRED, TAG_CERT_EARLY.
 */
AY_MUST_USE enum ay_rc ay_tag_cert_check(const struct ay_tag_cert *c, const struct ay_pubkey *ca,
					 const struct ay_uuid *host, int64_t now_ms,
					 struct ay_err *e);

#endif
