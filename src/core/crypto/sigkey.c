/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/sigkey.h"

#include "core/crypto/hash.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

enum { RAW = 64, PEM_MAX = 16384, SPKI_MAX = 512 };

struct ay_sigkey {
	EVP_PKEY *pkey;
	bool is_ed25519;
	uint8_t id[32];
};

static bool is_p256(const EVP_PKEY *p)
{
	char group[32] = "";
	size_t n = 0;

	return EVP_PKEY_get_base_id(p) == EVP_PKEY_EC &&
	       EVP_PKEY_get_group_name(p, group, sizeof(group), &n) == 1 &&
	       strcmp(group, "prime256v1") == 0;
}

static bool name_key(struct ay_sigkey *k)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(k->pkey, &der);

	if (n > 0)
		ay_sha256((struct ay_bytes){ der, (size_t)n }, k->id);
	OPENSSL_free(der);
	return n > 0;
}

/* Takes pkey. */
static enum ay_rc wrap(EVP_PKEY *pkey, struct ay_sigkey **out, struct ay_err *e)
{
	struct ay_sigkey *k = calloc(1, sizeof(*k));

	if (k == NULL) {
		EVP_PKEY_free(pkey);
		return ay_fail(e, AY_E_NOMEM, "key", 0, "out of memory");
	}
	k->pkey = pkey;
	k->is_ed25519 = pkey != NULL && EVP_PKEY_get_base_id(pkey) == EVP_PKEY_ED25519;
	if (pkey == NULL || !(k->is_ed25519 || is_p256(pkey)) || !name_key(k)) {
		ay_sigkey_free(k);
		return ay_fail(e, AY_E_INPUT, "key", 0, "not a P-256 or Ed25519 key");
	}
	*out = k;
	return AY_OK;
}

enum ay_rc ay_sigkey_new_spki(struct ay_bytes der, struct ay_sigkey **out, struct ay_err *e)
{
	const unsigned char *p = der.p;
	EVP_PKEY *pkey = NULL;

	*out = NULL;
	if (der.n > 0 && der.n <= SPKI_MAX)
		pkey = d2i_PUBKEY(NULL, &p, (long)der.n);
	if (pkey != NULL && p != der.p + der.n) {
		EVP_PKEY_free(pkey);
		pkey = NULL;
	}
	return wrap(pkey, out, e);
}

/* Never ask a terminal for a passphrase. */
static int no_passphrase(char *buf, int size, int rwflag, void *u)
{
	(void)buf, (void)size, (void)rwflag, (void)u;
	return -1;
}

enum ay_rc ay_sigkey_new_private_pem(struct ay_bytes pem, struct ay_sigkey **out, struct ay_err *e)
{
	BIO *bio;
	EVP_PKEY *pkey;

	*out = NULL;
	if (pem.n == 0 || pem.n > PEM_MAX)
		return ay_fail(e, AY_E_INPUT, "key", 0, "not a private key in PEM");
	bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	if (bio == NULL)
		return ay_fail(e, AY_E_NOMEM, "key", 0, "out of memory");
	pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	return wrap(pkey, out, e);
}

void ay_sigkey_free(struct ay_sigkey *k)
{
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

const char *ay_sigkey_alg(const struct ay_sigkey *k)
{
	return k->is_ed25519 ? "Ed25519" : "ES256";
}

const uint8_t *ay_sigkey_id(const struct ay_sigkey *k)
{
	return k->id;
}

static bool raw_of_der(const unsigned char *der, size_t n, uint8_t out[RAW])
{
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &der, (long)n);
	bool good = s != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(s), out, RAW / 2) == RAW / 2 &&
		    BN_bn2binpad(ECDSA_SIG_get0_s(s), out + RAW / 2, RAW / 2) == RAW / 2;

	ECDSA_SIG_free(s);
	return good;
}

enum ay_rc ay_sigkey_sign(const struct ay_sigkey *k, struct ay_bytes msg, uint8_t out[64],
			  struct ay_err *e)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sig[AY_SIGKEY_SIG_MAX];
	size_t n = sizeof(sig);
	bool good = ctx != NULL &&
		    EVP_DigestSignInit_ex(ctx, NULL, k->is_ed25519 ? NULL : "SHA256", NULL, NULL,
					  k->pkey, NULL) == 1 &&
		    EVP_DigestSign(ctx, sig, &n, msg.p, msg.n) == 1;

	EVP_MD_CTX_free(ctx);
	memset(out, 0, RAW);
	if (good && k->is_ed25519 && n == RAW)
		memcpy(out, sig, RAW);
	else if (good)
		good = !k->is_ed25519 && raw_of_der(sig, n, out);
	return good ? AY_OK : ay_fail(e, AY_E_INPUT, "key", 0, "this key cannot sign");
}

/* r || s in DER; 0 without memory. */
static size_t der_of_raw(struct ay_bytes raw, uint8_t out[AY_SIGKEY_SIG_MAX])
{
	ECDSA_SIG *s = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(raw.p, RAW / 2, NULL), *t = BN_bin2bn(raw.p + RAW / 2, RAW / 2, NULL);
	unsigned char *p = out;
	int n = 0;

	if (s == NULL || r == NULL || t == NULL || ECDSA_SIG_set0(s, r, t) != 1) {
		BN_free(r);
		BN_free(t);
	} else {
		n = i2d_ECDSA_SIG(s, &p);
	}
	ECDSA_SIG_free(s);
	return n > 0 ? (size_t)n : 0;
}

enum ay_rc ay_sigkey_verify(const struct ay_sigkey *k, struct ay_bytes msg, struct ay_bytes sig,
			    struct ay_err *e)
{
	uint8_t der[AY_SIGKEY_SIG_MAX];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good;

	if (!k->is_ed25519 && sig.n == RAW)
		sig = (struct ay_bytes){ der, der_of_raw(sig, der) };
	good = ctx != NULL && sig.n > 0 &&
	       EVP_DigestVerifyInit_ex(ctx, NULL, k->is_ed25519 ? NULL : "SHA256", NULL, NULL,
				       k->pkey, NULL) == 1 &&
	       EVP_DigestVerify(ctx, sig.p, sig.n, msg.p, msg.n) == 1;
	EVP_MD_CTX_free(ctx);
	return good ? AY_OK
		    : ay_fail(e, AY_E_CRYPTO, "signature", 0, "is not this key's over the content");
}
