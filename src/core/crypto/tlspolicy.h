/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_TLSPOLICY_H
#define AY_CRYPTO_TLSPOLICY_H

/*
 * How a host that the server dials is known at the TLS handshake. There is no
 * "insecure": a host without policy is not talked to, and trust on first use is
 * a grade of its own.
 */
#include "core/base/arena.h"
#include "core/base/err.h"

enum ay_tls_policy_kind {
	AY_TLS_NONE = 0,
	AY_TLS_CERTIFICATE,	   /* exactly this certificate */
	AY_TLS_CERTIFICATE_DIGEST, /* SHA-256 of its DER */
	AY_TLS_PUBLIC_KEY,	   /* this key, in whatever certificate */
	AY_TLS_PUBLIC_KEY_DIGEST,  /* SHA-256 of its SubjectPublicKeyInfo */
	AY_TLS_TRUST_FIRST_USE,	   /* the first key that answers, and no other afterwards */
	AY_TLS_POLICIES
};

/* All zero: no policy. */
struct ay_tls_policy {
	enum ay_tls_policy_kind kind;
	bool has_key, has_cert;
	uint8_t key[32];  /* SHA-256 of the SubjectPublicKeyInfo */
	uint8_t cert[32]; /* SHA-256 of the certificate */
};

/* "certificate", "certificate_digest" ...; "" for none. */
const char *ay_tls_policy_name(enum ay_tls_policy_kind kind);
/* AY_TLS_NONE: no such name. */
enum ay_tls_policy_kind ay_tls_policy_find(struct ay_bytes name);

/*
 * value: PEM of a certificate or public key, or 64 hex digits (colons between
 * octets and "sha256:" before them are taken too); empty for trust_first_use.
 * AY_E_INPUT names tls_policy.kind or tls_policy.value.
 */
AY_MUST_USE enum ay_rc ay_tls_policy_parse(struct ay_bytes kind, struct ay_bytes value,
					   struct ay_tls_policy *out, struct ay_err *e);

/*
 * Whether a peer with this key and certificate (SHA-256 of each) is the one
 * meant. AY_E_DENIED TLS_POLICY; always for no policy. Trust on first use says
 * AY_OK: that it is the first use is the caller's to know.
 */
AY_MUST_USE enum ay_rc ay_tls_policy_check(const struct ay_tls_policy *p, const uint8_t key[32],
					   const uint8_t cert[32], struct ay_err *e);

#endif
