/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/encaps_rsa.h"

#include "core/crypto/rsaes.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

/* Of a key with an OAEP scheme its hash, else nameAlg [TPM2-P1 B.10.4]. */
static uint16_t oaep_hash(const struct ay_public *to)
{
	return to->scheme == AY_ALG_OAEP ? to->scheme_hash : to->name_alg;
}

static void ctx_free(EVP_PKEY_CTX **c)
{
	EVP_PKEY_CTX_free(*c);
}

static void key_free(struct ay_pubkey **k)
{
	ay_pubkey_free(*k);
}

enum ay_rc ay_encaps_rsa(const struct ay_public *to, const char *label,
			 const uint8_t random[AY_CREDENTIAL_RANDOM], struct ay_secret *seed,
			 uint8_t out[AY_ENCRYPTED_SECRET_MAX], size_t *out_n, struct ay_err *e)
{
	/* the label is used with its terminator [TPM2-P1 B.4] */
	struct ay_bytes text = { (const uint8_t *)label, strlen(label) + 1 };
	struct ay_bytes secret = { random, ay_alg_digest_size(oaep_hash(to)) };
	AY_CLEANUP(key_free) struct ay_pubkey *key = NULL;
	uint8_t sealed[AY_RSA_BYTES_MAX];
	enum ay_rc rc = ay_public_key(to, &key, e);

	if (rc == AY_OK)
		rc = ay_oaep_seal(key, oaep_hash(to), text, secret,
				  random + AY_CREDENTIAL_RANDOM / 2, sealed, out_n, e);
	if (rc != AY_OK)
		return rc;
	memcpy(out, sealed, *out_n);
	return ay_secret_set(seed, secret) ? AY_OK : ay_fail(e, AY_E_BUG, "encaps", 0, "seed");
}

static const EVP_MD *md_of(uint16_t alg)
{
	switch (alg) {
	case AY_ALG_SHA1:
		return EVP_sha1();
	case AY_ALG_SHA256:
		return EVP_sha256();
	case AY_ALG_SHA384:
		return EVP_sha384();
	case AY_ALG_SHA512:
		return EVP_sha512();
	default:
		return NULL;
	}
}

static bool set_oaep(EVP_PKEY_CTX *c, uint16_t alg, const char *label)
{
	char *copy = OPENSSL_strdup(label); /* the context takes it */
	const EVP_MD *md = md_of(alg);

	if (copy == NULL || md == NULL || EVP_PKEY_decrypt_init(c) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md(c, md) != 1 || EVP_PKEY_CTX_set_rsa_mgf1_md(c, md) != 1 ||
	    EVP_PKEY_CTX_set0_rsa_oaep_label(c, copy, (int)strlen(label) + 1) != 1) {
		OPENSSL_free(copy);
		return false;
	}
	return true;
}

enum ay_rc ay_decaps_rsa(struct evp_pkey_st *priv, const struct ay_public *to, const char *label,
			 struct ay_bytes secret, struct ay_secret *seed, struct ay_err *e)
{
	AY_CLEANUP(ctx_free) EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, priv, NULL);
	uint8_t plain[AY_RSA_BYTES_MAX];
	size_t n = sizeof(plain);
	bool ok;

	ok = c != NULL && set_oaep(c, oaep_hash(to), label) &&
	     EVP_PKEY_decrypt(c, plain, &n, secret.p, secret.n) == 1 &&
	     n <= ay_alg_digest_size(oaep_hash(to)) &&
	     ay_secret_set(seed, (struct ay_bytes){ plain, n });
	ERR_clear_error();
	ay_wipe(plain, sizeof(plain));
	return ok ? AY_OK : ay_fail(e, AY_E_CRYPTO, "encaps", 0, "cannot decrypt");
}
