/* SPDX-License-Identifier: Apache-2.0 */
#include "io/net/cert.h"

#include "core/crypto/hash.h"
#include "io/sys/file.h"
#include "io/sys/rng.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_S = 24 * 3600, SERIAL_BYTES = 16 };

/* Extensions by kind: {nid, value in OpenSSL's configuration words}. */
struct extension {
	int nid;
	const char *value;
};
static const struct extension agent_ext[] = {
	{ NID_basic_constraints, "critical,CA:FALSE" },
	{ NID_key_usage, "critical,digitalSignature" },
};
static const struct extension root_ext[] = {
	{ NID_basic_constraints, "critical,CA:TRUE,pathlen:1" },
	{ NID_key_usage, "critical,keyCertSign,cRLSign" },
	{ NID_subject_key_identifier, "hash" },
};
static const struct extension channel_ext[] = {
	{ NID_basic_constraints, "critical,CA:FALSE" },
	{ NID_key_usage, "critical,digitalSignature" },
	{ NID_ext_key_usage, "serverAuth,clientAuth" },
	{ NID_subject_key_identifier, "hash" },
	{ NID_authority_key_identifier, "keyid" },
};
static const struct extension api_ext[] = {
	{ NID_basic_constraints, "critical,CA:FALSE" },
	{ NID_key_usage, "critical,digitalSignature" },
	{ NID_ext_key_usage, "serverAuth" },
	{ NID_subject_key_identifier, "hash" },
	{ NID_authority_key_identifier, "keyid" },
};
static const struct extension assertion_ext[] = {
	{ NID_basic_constraints, "critical,CA:FALSE" },
	{ NID_key_usage, "critical,digitalSignature" },
	{ NID_subject_key_identifier, "hash" },
	{ NID_authority_key_identifier, "keyid" },
};

static const struct {
	const struct extension *ext;
	size_t n;
} kinds[] = {
	[AY_CERT_AGENT] = { agent_ext, AY_COUNT(agent_ext) },
	[AY_CERT_ROOT] = { root_ext, AY_COUNT(root_ext) },
	[AY_CERT_CHANNEL] = { channel_ext, AY_COUNT(channel_ext) },
	[AY_CERT_API] = { api_ext, AY_COUNT(api_ext) },
	[AY_CERT_ASSERTION] = { assertion_ext, AY_COUNT(assertion_ext) },
	[AY_CERT_ASSERTION_RSA] = { assertion_ext, AY_COUNT(assertion_ext) },
};

static enum ay_rc crypto_failed(const char *where, struct ay_err *e)
{
	const char *reason = ERR_reason_error_string(ERR_get_error());

	ERR_clear_error();
	return ay_fail(e, AY_E_CRYPTO, where, 0, "%s", reason != NULL ? reason : "failed");
}

void ay_cert_pem_free(struct ay_cert_pem *p)
{
	ay_file_free(&p->cert);
	ay_file_free(&p->key);
}

/* Empties the memory BIO into malloc'ed, terminated octets. */
static bool take_bio(BIO *b, struct ay_bytes *out)
{
	char *data = NULL;
	long n = BIO_get_mem_data(b, &data);
	uint8_t *copy = n <= 0 ? NULL : malloc((size_t)n + 1);

	if (copy == NULL)
		return false;
	memcpy(copy, data, (size_t)n);
	copy[n] = 0;
	OPENSSL_cleanse(data, (size_t)n);
	*out = (struct ay_bytes){ copy, (size_t)n };
	return true;
}

static bool write_key(EVP_PKEY *k, struct ay_bytes *out)
{
	BIO *b = BIO_new(BIO_s_mem());
	bool ok = b != NULL &&
		  PEM_write_bio_PKCS8PrivateKey(b, k, NULL, NULL, 0, NULL, NULL) == 1 &&
		  take_bio(b, out);

	BIO_free(b);
	return ok;
}

static bool write_cert(X509 *x, struct ay_bytes *out)
{
	BIO *b = BIO_new(BIO_s_mem());
	bool ok = b != NULL && PEM_write_bio_X509(b, x) == 1 && take_bio(b, out);

	BIO_free(b);
	return ok;
}

static bool write_public(EVP_PKEY *k, struct ay_bytes *out)
{
	BIO *b = BIO_new(BIO_s_mem());
	bool ok = b != NULL && PEM_write_bio_PUBKEY(b, k) == 1 && take_bio(b, out);

	BIO_free(b);
	return ok;
}

static X509 *read_cert(struct ay_bytes pem)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *x = b == NULL ? NULL : PEM_read_bio_X509(b, NULL, NULL, NULL);

	BIO_free(b);
	return x;
}

static EVP_PKEY *read_private(struct ay_bytes pem)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *k = b == NULL ? NULL : PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);

	BIO_free(b);
	return k;
}

static EVP_PKEY *read_public(struct ay_bytes pem)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *k = b == NULL ? NULL : PEM_read_bio_PUBKEY(b, NULL, NULL, NULL);

	BIO_free(b);
	return k;
}

static bool add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *ext;
	bool ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = ext != NULL && X509_add_ext(x, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok;
}

static bool is_address(const char *name)
{
	struct in6_addr a;

	return inet_pton(AF_INET, name, &a) == 1 || inet_pton(AF_INET6, name, &a) == 1;
}

static bool is_plain(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_:*";

	return *name != 0 && strspn(name, allowed) == strlen(name);
}

static bool add_names(X509 *x, X509 *issuer, const char *const *names)
{
	char text[2048] = "";
	size_t n = 0;

	for (; names != NULL && *names != NULL; names++) {
		int len;

		if (!is_plain(*names)) /* would be words of OpenSSL's little language */
			return false;
		len = snprintf(text + n, sizeof(text) - n, "%s%s:%s", n > 0 ? "," : "",
			       is_address(*names) ? "IP" : "DNS", *names);
		if (len < 0 || (size_t)len >= sizeof(text) - n)
			return false;
		n += (size_t)len;
	}
	return n == 0 || add_extension(x, issuer, NID_subject_alt_name, text);
}

static bool set_serial(X509 *x)
{
	uint8_t serial[SERIAL_BYTES];
	BIGNUM *bn;
	bool ok;

	ay_rng_bytes(serial, sizeof(serial));
	serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40); /* positive, of full length */
	bn = BN_bin2bn(serial, sizeof(serial), NULL);
	ok = bn != NULL && BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)) != NULL;
	BN_free(bn);
	return ok;
}

static bool fill(X509 *x, const struct ay_cert_args *a, X509 *issuer)
{
	X509_NAME *name = X509_get_subject_name(x);
	const unsigned char *cn = (const unsigned char *)a->cn;
	bool ok;

	ok = X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
	     X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, cn, -1, -1, 0) == 1 &&
	     X509_set_issuer_name(x, X509_get_subject_name(issuer)) == 1 &&
	     ASN1_TIME_set(X509_getm_notBefore(x), a->now_s - DAY_S) != NULL &&
	     ASN1_TIME_set(X509_getm_notAfter(x), a->now_s + a->life_s) != NULL;
	for (size_t i = 0; ok && i < kinds[a->kind].n; i++)
		ok = add_extension(x, issuer, kinds[a->kind].ext[i].nid,
				   kinds[a->kind].ext[i].value);
	return ok && add_names(x, issuer, a->names);
}

static enum ay_rc make(const struct ay_cert_args *a, X509 *issuer, EVP_PKEY *issuer_key,
		       struct ay_cert_pem *out, struct ay_err *e)
{
	EVP_PKEY *k = a->kind == AY_CERT_ASSERTION_RSA ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	X509 *x = X509_new();
	bool ok = k != NULL && x != NULL && X509_set_pubkey(x, k) == 1 &&
		  fill(x, a, issuer != NULL ? issuer : x) &&
		  X509_sign(x, issuer_key != NULL ? issuer_key : k, EVP_sha256()) > 0 &&
		  write_cert(x, &out->cert) && write_key(k, &out->key);

	X509_free(x);
	EVP_PKEY_free(k);
	if (ok)
		return AY_OK;
	ay_cert_pem_free(out);
	return crypto_failed("cert.make", e);
}

enum ay_rc ay_cert_make(const struct ay_cert_args *a, const struct ay_cert_pem *issuer,
			struct ay_cert_pem *out, struct ay_err *e)
{
	X509 *by = issuer == NULL ? NULL : read_cert(issuer->cert);
	EVP_PKEY *key = issuer == NULL ? NULL : read_private(issuer->key);
	enum ay_rc rc;

	*out = (struct ay_cert_pem){ { NULL, 0 }, { NULL, 0 } };
	if (issuer != NULL && (by == NULL || key == NULL))
		rc = crypto_failed("cert.issuer", e);
	else
		rc = make(a, by, key, out, e);
	X509_free(by);
	EVP_PKEY_free(key);
	return rc;
}

enum ay_rc ay_cert_make_key(struct ay_cert_pem *out, struct ay_err *e)
{
	EVP_PKEY *k = EVP_EC_gen("P-256");
	bool ok;

	*out = (struct ay_cert_pem){ { NULL, 0 }, { NULL, 0 } };
	ok = k != NULL && write_public(k, &out->cert) && write_key(k, &out->key);
	EVP_PKEY_free(k);
	if (ok)
		return AY_OK;
	ay_cert_pem_free(out);
	return crypto_failed("cert.key", e);
}

static EVP_PKEY *read_any(struct ay_bytes pem)
{
	X509 *x = read_cert(pem);
	EVP_PKEY *k = x == NULL ? NULL : X509_get_pubkey(x);

	X509_free(x);
	if (k == NULL)
		k = read_public(pem);
	if (k == NULL)
		k = read_private(pem);
	ERR_clear_error();
	return k;
}

enum ay_rc ay_cert_spki(struct ay_bytes pem, uint8_t out[32], struct ay_err *e)
{
	EVP_PKEY *k = read_any(pem);
	unsigned char *der = NULL;
	int n = k == NULL ? -1 : i2d_PUBKEY(k, &der);

	memset(out, 0, 32);
	EVP_PKEY_free(k);
	if (n <= 0)
		return ay_fail(e, AY_E_INPUT, "cert.spki", 0, "no certificate or key in PEM");
	ay_sha256((struct ay_bytes){ der, (size_t)n }, out);
	OPENSSL_free(der);
	return AY_OK;
}

static bool write_der(X509 *x, struct ay_bytes *der)
{
	BIO *b = BIO_new(BIO_s_mem());
	bool ok = b != NULL && i2d_X509_bio(b, x) == 1 && take_bio(b, der);

	BIO_free(b);
	return ok;
}

enum ay_rc ay_cert_ders(struct ay_bytes pem, struct ay_bytes *der, size_t max, size_t *n,
			struct ay_err *e)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *x = NULL;
	bool ok = b != NULL;

	for (*n = 0; ok && (x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL; X509_free(x)) {
		ok = *n < max && write_der(x, &der[*n]);
		*n += ok;
	}
	BIO_free(b);
	ERR_clear_error(); /* the end of the file */
	if (ok && *n > 0)
		return AY_OK;
	while (*n > 0)
		ay_file_free(&der[--*n]);
	return ay_fail(e, AY_E_INPUT, "cert", 0, "no certificate in PEM, or too many");
}

enum ay_rc ay_cert_der(struct ay_bytes pem, struct ay_bytes *der, struct ay_err *e)
{
	X509 *x = read_cert(pem);
	bool ok = x != NULL && write_der(x, der);

	X509_free(x);
	if (ok)
		return AY_OK;
	*der = (struct ay_bytes){ NULL, 0 };
	return crypto_failed("cert.der", e);
}
