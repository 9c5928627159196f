/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/privkey.h"

#include "core/crypto/hash.h"
#include "core/crypto/verify.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* There is no struct behind the name: a private key is libcrypto's. */
static EVP_PKEY *pkey_of(const struct ay_privkey *k)
{
	return (EVP_PKEY *)(uintptr_t)k;
}

EVP_PKEY *ay_privkey_evp(const struct ay_privkey *k)
{
	return pkey_of(k);
}

enum ay_rc ay_privkey_generate(struct ay_privkey **out, struct ay_err *e)
{
	EVP_PKEY *p = EVP_EC_gen("P-256");

	*out = (struct ay_privkey *)(void *)p;
	if (p == NULL)
		return ay_fail(e, AY_E_UNAVAIL, "key", 0, "cannot generate a P-256 key");
	return AY_OK;
}

static bool is_p256(EVP_PKEY *p)
{
	char group[32] = "";
	size_t n = 0;

	return EVP_PKEY_get_base_id(p) == EVP_PKEY_EC &&
	       EVP_PKEY_get_group_name(p, group, sizeof(group), &n) == 1 &&
	       strcmp(group, "prime256v1") == 0;
}

/* Never ask a terminal for a passphrase. */
static int no_passphrase(char *buf, int size, int rwflag, void *u)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)u;
	return -1;
}

enum ay_rc ay_privkey_new_pem(struct ay_bytes pem, struct ay_privkey **out, struct ay_err *e)
{
	BIO *bio;
	EVP_PKEY *p;

	*out = NULL;
	if (pem.n == 0 || pem.n > 16384)
		return ay_fail(e, AY_E_INPUT, "key", 0, "not a private key in PEM");
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (bio == NULL)
		return ay_fail(e, AY_E_NOMEM, "key", 0, "out of memory");
	p = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	if (p == NULL || !is_p256(p)) {
		EVP_PKEY_free(p);
		return ay_fail(e, AY_E_INPUT, "key", 0, "not a P-256 private key in PEM");
	}
	*out = (struct ay_privkey *)(void *)p;
	return AY_OK;
}

enum ay_rc ay_privkey_pem(const struct ay_privkey *k, char *out, size_t max, struct ay_err *e)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long n;
	enum ay_rc rc = AY_E_NOMEM;

	memset(out, 0, max);
	if (bio != NULL && PEM_write_bio_PrivateKey(bio, pkey_of(k), NULL, NULL, 0, NULL, NULL)) {
		n = BIO_get_mem_data(bio, &text);
		if (n > 0 && (size_t)n < max) {
			memcpy(out, text, (size_t)n);
			rc = AY_OK;
		}
		OPENSSL_cleanse(text, n > 0 ? (size_t)n : 0);
	}
	BIO_free(bio);
	return rc == AY_OK ? rc : ay_fail(e, rc, "key", 0, "cannot write the key");
}

void ay_privkey_free(struct ay_privkey *k)
{
	EVP_PKEY_free(pkey_of(k));
}

enum ay_rc ay_privkey_public(const struct ay_privkey *k, struct ay_pubkey **out, struct ay_err *e)
{
	return ay_pubkey_new_pkey(pkey_of(k), out, e);
}

enum ay_rc ay_privkey_spki(const struct ay_privkey *k, uint8_t out[AY_SPKI_P256], struct ay_err *e)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(pkey_of(k), &der);

	memset(out, 0, AY_SPKI_P256);
	if (n == AY_SPKI_P256)
		memcpy(out, der, AY_SPKI_P256);
	OPENSSL_free(der);
	if (n != AY_SPKI_P256)
		return ay_fail(e, AY_E_BUG, "key", 0, "cannot encode the public key");
	return AY_OK;
}

enum ay_rc ay_privkey_spki_hash(const struct ay_privkey *k, uint8_t out[32], struct ay_err *e)
{
	uint8_t der[AY_SPKI_P256];
	enum ay_rc rc = ay_privkey_spki(k, der, e);

	memset(out, 0, 32);
	if (rc == AY_OK)
		ay_sha256(AY_BYTES(der), out);
	return rc;
}

static bool to_raw(const unsigned char *der, size_t n, uint8_t out[64])
{
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &der, (long)n);
	bool good = s != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(s), out, 32) == 32 &&
		    BN_bn2binpad(ECDSA_SIG_get0_s(s), out + 32, 32) == 32;

	ECDSA_SIG_free(s);
	return good;
}

enum ay_rc ay_privkey_sign(const struct ay_privkey *k, struct ay_bytes msg, uint8_t out[64],
			   struct ay_err *e)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char der[80];
	size_t n = sizeof(der);
	bool good = ctx != NULL &&
		    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey_of(k)) == 1 &&
		    EVP_DigestSign(ctx, der, &n, msg.p, msg.n) == 1 && to_raw(der, n, out);

	EVP_MD_CTX_free(ctx);
	if (good)
		return AY_OK;
	memset(out, 0, 64);
	return ay_fail(e, AY_E_CRYPTO, "signature", 0, "cannot sign");
}

enum ay_rc ay_es256_verify(const struct ay_pubkey *k, struct ay_bytes msg, struct ay_bytes sig,
			   struct ay_err *e)
{
	struct ay_signature s = { .scheme = AY_ALG_ECDSA, .hash = AY_ALG_SHA256 };

	if (sig.n != 64 || ay_pubkey_curve(k) != AY_CURVE_P256)
		return ay_fail(e, AY_E_CRYPTO, "signature", 0, "not an ES256 signature");
	s.r = (struct ay_bytes){ sig.p, 32 };
	s.s = (struct ay_bytes){ sig.p + 32, 32 };
	if (ay_verify(k, &s, AY_HASH_BIT_SHA256, msg) != AY_SIG_GOOD)
		return ay_fail(e, AY_E_CRYPTO, "signature", 0, "does not verify");
	return AY_OK;
}
