/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/tlspolicy.h"

#include "core/base/hex.h"
#include "core/crypto/hash.h"
#include "core/crypto/key.h"
#include "core/crypto/pem.h"
#include "core/crypto/x509.h"

#include <string.h>

enum { PEM_MAX = 16 * 1024 };

static const char *const names[AY_TLS_POLICIES] = {
	[AY_TLS_NONE] = "",
	[AY_TLS_CERTIFICATE] = "certificate",
	[AY_TLS_CERTIFICATE_DIGEST] = "certificate_digest",
	[AY_TLS_PUBLIC_KEY] = "public_key",
	[AY_TLS_PUBLIC_KEY_DIGEST] = "public_key_digest",
	[AY_TLS_TRUST_FIRST_USE] = "trust_first_use",
};

const char *ay_tls_policy_name(enum ay_tls_policy_kind kind)
{
	return (unsigned)kind < AY_TLS_POLICIES ? names[kind] : "";
}

enum ay_tls_policy_kind ay_tls_policy_find(struct ay_bytes name)
{
	for (unsigned i = AY_TLS_NONE + 1; i < AY_TLS_POLICIES; i++)
		if (ay_bytes_eq(name, ay_bytes_of(names[i])))
			return (enum ay_tls_policy_kind)i;
	return AY_TLS_NONE;
}

/* As openssl, ssh and browsers print a fingerprint. */
static enum ay_rc read_digest(struct ay_bytes text, uint8_t out[32], struct ay_err *e)
{
	static const char prefix[] = "sha256:";
	char hex[64];
	size_t n = 0;

	if (text.n > sizeof(prefix) - 1 && memcmp(text.p, prefix, sizeof(prefix) - 1) == 0) {
		text.p += sizeof(prefix) - 1;
		text.n -= sizeof(prefix) - 1;
	}
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == ':' && n > 0 && n % 2 == 0)
			continue;
		if (n == sizeof(hex))
			return ay_fail(e, AY_E_INPUT, "tls_policy.value", 0,
				       "longer than a SHA-256 of 64 hex digits");
		hex[n++] = (char)text.p[i];
	}
	return ay_hex_decode((struct ay_bytes){ (const uint8_t *)hex, n }, "tls_policy.value", out,
			     32, e);
}

static enum ay_rc read_certificate(struct ay_bytes der, struct ay_tls_policy *p, struct ay_err *e)
{
	struct ay_cert cert;
	enum ay_rc rc = ay_cert_parse(der, &cert, e);

	if (rc != AY_OK)
		return rc;
	ay_cert_spki_hash(&cert, p->key);
	ay_sha256(der, p->cert);
	p->has_key = p->has_cert = true;
	return AY_OK;
}

static enum ay_rc read_key(struct ay_bytes der, struct ay_tls_policy *p, struct ay_err *e)
{
	struct ay_pubkey *key;
	enum ay_rc rc = ay_pubkey_new_spki(der, &key, e);

	if (rc != AY_OK)
		return rc;
	ay_pubkey_free(key);
	ay_sha256(der, p->key);
	p->has_key = true;
	return AY_OK;
}

/* One block; a second one would leave open which is meant. */
static enum ay_rc read_pem(struct ay_bytes text, const char *label, struct ay_tls_policy *p,
			   struct ay_err *e)
{
	struct ay_arena a;
	struct ay_bytes der, more;
	enum ay_rc rc;

	if (text.n > PEM_MAX)
		return ay_fail(e, AY_E_LIMIT, "tls_policy.value", 0, "too long for one PEM block");
	ay_arena_init(&a, 4 * PEM_MAX);
	rc = ay_pem_next(&text, label, &a, &der, e);
	if (rc == AY_E_NOENT)
		rc = ay_fail(e, AY_E_INPUT, "tls_policy.value", 0, "holds no PEM block %s", label);
	if (rc == AY_OK)
		rc = strcmp(label, "CERTIFICATE") == 0 ? read_certificate(der, p, e)
						       : read_key(der, p, e);
	if (rc == AY_OK && ay_pem_next(&text, label, &a, &more, NULL) != AY_E_NOENT)
		rc = ay_fail(e, AY_E_INPUT, "tls_policy.value", 0, "holds more than one %s", label);
	ay_arena_fini(&a);
	return rc;
}

static enum ay_rc read_value(struct ay_bytes value, struct ay_tls_policy *p, struct ay_err *e)
{
	switch (p->kind) {
	case AY_TLS_CERTIFICATE:
		return read_pem(value, "CERTIFICATE", p, e);
	case AY_TLS_PUBLIC_KEY:
		return read_pem(value, "PUBLIC KEY", p, e);
	case AY_TLS_CERTIFICATE_DIGEST:
		p->has_cert = true;
		return read_digest(value, p->cert, e);
	case AY_TLS_PUBLIC_KEY_DIGEST:
		p->has_key = true;
		return read_digest(value, p->key, e);
	case AY_TLS_TRUST_FIRST_USE:
		if (value.n == 0)
			return AY_OK;
		return ay_fail(e, AY_E_INPUT, "tls_policy.value", 0,
			       "trust on first use takes no value");
	case AY_TLS_NONE:
	case AY_TLS_POLICIES:
	default:
		return ay_fail(e, AY_E_INPUT, "tls_policy.kind", 0,
			       "not one of certificate, certificate_digest, public_key, "
			       "public_key_digest, trust_first_use");
	}
}

enum ay_rc ay_tls_policy_parse(struct ay_bytes kind, struct ay_bytes value,
			       struct ay_tls_policy *out, struct ay_err *e)
{
	struct ay_tls_policy p = { .kind = ay_tls_policy_find(kind) };
	enum ay_rc rc = read_value(value, &p, e);

	*out = rc == AY_OK ? p : (struct ay_tls_policy){ 0 };
	return rc;
}

static enum ay_rc other(struct ay_err *e, const char *what)
{
	return ay_fail_code(e, AY_E_DENIED, "TLS_POLICY", "tls_policy", "%s", what);
}

enum ay_rc ay_tls_policy_check(const struct ay_tls_policy *p, const uint8_t key[32],
			       const uint8_t cert[32], struct ay_err *e)
{
	if (AY_CHECKED("TLS_POLICY_KEY", p->has_key && memcmp(p->key, key, 32) != 0))
		return other(e, "the key that answers is not the one of its TLS policy");
	if (AY_CHECKED("TLS_POLICY_CERT", p->has_cert && memcmp(p->cert, cert, 32) != 0))
		return other(e, "the certificate that answers is not the one of its TLS policy");
	if (p->has_key || p->has_cert || p->kind == AY_TLS_TRUST_FIRST_USE)
		return AY_OK;
	return other(e, "there is no TLS policy: nobody is believed");
}
