/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/certgen.h"

#include "core/crypto/oids.h"
#include "core/crypto/x509.h"

#include <openssl/asn1.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

static X509 *load(struct ay_bytes der)
{
	const unsigned char *p = der.p;

	return der.n > 0 ? d2i_X509(NULL, &p, (long)der.n) : NULL;
}

static bool add_ext(X509 *x, struct ay_bytes oid, bool critical, struct ay_bytes value)
{
	ASN1_OBJECT *obj = NULL;
	ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext = NULL;
	uint8_t der[32] = { 0x06, (uint8_t)oid.n };
	const unsigned char *p = der;
	bool good = false;

	if (oid.n < sizeof(der) - 2) {
		memcpy(der + 2, oid.p, oid.n);
		obj = d2i_ASN1_OBJECT(NULL, &p, (long)oid.n + 2);
	}
	if (obj != NULL && data != NULL && ASN1_OCTET_STRING_set(data, value.p, (int)value.n)) {
		ext = X509_EXTENSION_create_by_OBJ(NULL, obj, critical, data);
		good = ext != NULL && X509_add_ext(x, ext, -1) == 1;
	}
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(data);
	ASN1_OBJECT_free(obj);
	return good;
}

static bool add_basic(X509 *x, const struct ay_cert_spec *s)
{
	uint8_t ca[] = { 0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, (uint8_t)s->path_len };
	static const uint8_t no_limit[] = { 0x30, 0x03, 0x01, 0x01, 0xff }, leaf[] = { 0x30, 0x00 };
	struct ay_bytes value = !s->is_ca	   ? AY_BYTES(leaf)
				: s->path_len >= 0 ? AY_BYTES(ca)
						   : AY_BYTES(no_limit);

	return add_ext(x, AY_OID(AY_OID_BASIC_CONSTRAINTS), true, value);
}

/* DER of named bits: no trailing zero bits [X690 11.2.2]. */
static bool add_usage(X509 *x, uint32_t usage)
{
	uint8_t v[4] = { 0x03, 0x02, 7, 0 };

	for (unsigned i = 0; i < 8; i++) {
		if (usage & 1u << i) {
			v[3] |= (uint8_t)(0x80 >> i);
			v[2] = (uint8_t)(7 - i);
		}
	}
	return add_ext(x, AY_OID(AY_OID_KEY_USAGE), true, AY_BYTES(v));
}

/* Key identifiers: the first 20 octets of SHA-256 of the key [RFC7093 2]. */
static bool add_key_ids(X509 *x, const X509 *issuer)
{
	uint8_t md[32], ski[22] = { 0x04, 20 }, aki[24] = { 0x30, 22, 0x80, 20 };
	unsigned n = sizeof(md);

	if (X509_pubkey_digest(x, EVP_sha256(), md, &n) != 1)
		return false;
	memcpy(ski + 2, md, 20);
	if (X509_pubkey_digest(issuer, EVP_sha256(), md, &n) != 1)
		return false;
	memcpy(aki + 4, md, 20);
	return add_ext(x, AY_OID(AY_OID_SUBJECT_KEY_ID), false, AY_BYTES(ski)) &&
	       add_ext(x, AY_OID(AY_OID_AUTHORITY_KEY_ID), false, AY_BYTES(aki));
}

static bool set_serial(X509 *x, const uint8_t serial[16])
{
	uint8_t b[16];
	BIGNUM *bn;
	ASN1_INTEGER *v = NULL;
	bool good;

	memcpy(b, serial, sizeof(b));
	b[0] = (b[0] & 0x7f) | 0x40; /* positive and always 16 octets */
	bn = BN_bin2bn(b, sizeof(b), NULL);
	if (bn != NULL)
		v = BN_to_ASN1_INTEGER(bn, NULL);
	good = v != NULL && X509_set_serialNumber(x, v) == 1;
	ASN1_INTEGER_free(v);
	BN_free(bn);
	return good;
}

static bool set_names(X509 *x, const struct ay_cert_spec *s, const X509 *issuer)
{
	X509_NAME *name = X509_get_subject_name(x);

	if (s->common_name != NULL &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
				       (const unsigned char *)s->common_name, -1, -1, 0) != 1)
		return false;
	return X509_set_issuer_name(x, issuer != NULL ? X509_get_subject_name(issuer) : name) == 1;
}

static bool set_times(X509 *x, const struct ay_cert_spec *s)
{
	return ASN1_TIME_set(X509_getm_notBefore(x), s->not_before_ms / 1000) != NULL &&
	       ASN1_TIME_set(X509_getm_notAfter(x), s->not_after_ms / 1000) != NULL;
}

static bool fill(X509 *x, const struct ay_cert_spec *s, const X509 *issuer)
{
	if (X509_set_version(x, X509_VERSION_3) != 1 || !set_serial(x, s->serial) ||
	    !set_names(x, s, issuer) || !set_times(x, s) || X509_set_pubkey(x, s->key) != 1)
		return false;
	if (!add_basic(x, s) || !add_usage(x, s->key_usage) ||
	    !add_key_ids(x, issuer != NULL ? issuer : x))
		return false;
	for (size_t i = 0; i < s->n_ext; i++)
		if (!add_ext(x, s->ext[i].oid, s->ext[i].critical, s->ext[i].value))
			return false;
	return true;
}

enum ay_rc ay_certgen(const struct ay_cert_spec *spec, const struct ay_privkey *signer,
		      uint8_t *out, size_t max, size_t *n, struct ay_err *e)
{
	X509 *issuer = load(spec->issuer_cert), *x = X509_new();
	unsigned char *der = NULL;
	int len = 0;
	enum ay_rc rc = AY_E_CRYPTO;

	*n = 0;
	if (x != NULL && (spec->issuer_cert.n == 0 || issuer != NULL) && fill(x, spec, issuer) &&
	    X509_sign(x, ay_privkey_evp(signer), EVP_sha256()) > 0)
		len = i2d_X509(x, &der);
	if (len > 0 && (size_t)len <= max) {
		memcpy(out, der, (size_t)len);
		*n = (size_t)len;
		rc = AY_OK;
	}
	OPENSSL_free(der);
	X509_free(x);
	X509_free(issuer);
	return rc == AY_OK ? rc : ay_fail(e, rc, "certificate", 0, "cannot be issued");
}

static bool add_revoked(X509_CRL *crl, const struct ay_revoked *item)
{
	X509_REVOKED *r = X509_REVOKED_new();
	BIGNUM *bn = BN_bin2bn(item->serial.p, (int)item->serial.n, NULL);
	ASN1_INTEGER *serial = bn != NULL ? BN_to_ASN1_INTEGER(bn, NULL) : NULL;
	ASN1_TIME *at = ASN1_TIME_set(NULL, item->at_ms / 1000);
	bool good = r != NULL && serial != NULL && at != NULL &&
		    X509_REVOKED_set_serialNumber(r, serial) == 1 &&
		    X509_REVOKED_set_revocationDate(r, at) == 1 &&
		    X509_CRL_add0_revoked(crl, r) == 1;

	if (!good)
		X509_REVOKED_free(r);
	ASN1_TIME_free(at);
	ASN1_INTEGER_free(serial);
	BN_free(bn);
	return good;
}

static bool fill_crl(X509_CRL *crl, X509 *issuer, uint64_t number, int64_t this_ms, int64_t next_ms)
{
	ASN1_TIME *now = ASN1_TIME_set(NULL, this_ms / 1000);
	ASN1_TIME *next = ASN1_TIME_set(NULL, next_ms / 1000);
	ASN1_INTEGER *no = ASN1_INTEGER_new();
	bool good = now != NULL && next != NULL && no != NULL &&
		    ASN1_INTEGER_set_uint64(no, number) == 1 &&
		    X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
		    X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer)) == 1 &&
		    X509_CRL_set1_lastUpdate(crl, now) == 1 &&
		    X509_CRL_set1_nextUpdate(crl, next) == 1 &&
		    X509_CRL_add1_ext_i2d(crl, NID_crl_number, no, 0, 0) == 1;

	ASN1_INTEGER_free(no);
	ASN1_TIME_free(next);
	ASN1_TIME_free(now);
	return good;
}

enum ay_rc ay_crlgen(struct ay_bytes issuer_cert, const struct ay_privkey *signer,
		     const struct ay_revoked *list, size_t n_list, uint64_t number, int64_t this_ms,
		     int64_t next_ms, struct ay_bytes *out, struct ay_err *e)
{
	X509 *issuer = load(issuer_cert);
	X509_CRL *crl = X509_CRL_new();
	unsigned char *der = NULL;
	int len = 0;
	bool good =
		crl != NULL && issuer != NULL && fill_crl(crl, issuer, number, this_ms, next_ms);

	for (size_t i = 0; good && i < n_list; i++)
		good = add_revoked(crl, &list[i]);
	if (good && X509_CRL_sort(crl) == 1 &&
	    X509_CRL_sign(crl, ay_privkey_evp(signer), EVP_sha256()) > 0)
		len = i2d_X509_CRL(crl, &der);
	X509_CRL_free(crl);
	X509_free(issuer);
	*out = (struct ay_bytes){ der, len > 0 ? (size_t)len : 0 };
	if (len <= 0)
		return ay_fail(e, AY_E_CRYPTO, "crl", 0, "cannot be made");
	return AY_OK;
}

void ay_certgen_free(struct ay_bytes *b)
{
	OPENSSL_free((void *)(uintptr_t)b->p);
	*b = (struct ay_bytes){ 0 };
}
