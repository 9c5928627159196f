/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/encaps_rsa.h"

#include "core/crypto/hash.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

/*
 * OAEP is encoded here and not by libcrypto because core draws no random: the
 * salt is an argument, and so the vectors can be checked octet for octet.
 */
enum { RSA_BYTES_MAX = 512 };

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

/* out ^= MGF1(seed) [RFC8017 B.2.1] */
static bool mgf1_xor(uint16_t alg, struct ay_bytes seed, uint8_t *out, size_t n)
{
	size_t md_n = ay_alg_digest_size(alg);
	uint8_t md[AY_DIGEST_MAX], counter[4] = { 0 };
	struct ay_hash h;

	for (size_t at = 0; at < n; at++) {
		if (at % md_n == 0) {
			if (!ay_hash_init(&h, alg))
				return false;
			ay_hash_update(&h, seed);
			ay_hash_update(&h, AY_BYTES(counter));
			ay_hash_final(&h, md);
			counter[3]++; /* 512 octets need at most 26 blocks */
		}
		out[at] ^= md[at % md_n];
	}
	return true;
}

static bool hash_label(uint16_t alg, const char *label, uint8_t *out)
{
	return ay_hash_of(alg, (struct ay_bytes){ (const uint8_t *)label, strlen(label) + 1 }, out);
}

/* EME-OAEP [RFC8017 7.1.1]: 00 || masked salt || masked (lHash || 00.. || 01 || seed). */
static bool oaep_encode(uint16_t alg, const char *label, struct ay_bytes seed, const uint8_t *salt,
			uint8_t *em, size_t n)
{
	size_t md = ay_alg_digest_size(alg);
	uint8_t *db = em + 1 + md;
	size_t db_n = n - 1 - md;

	if (n < 2 * md + 2 + seed.n)
		return false;
	memset(em, 0, n);
	memcpy(em + 1, salt, md);
	if (!hash_label(alg, label, db))
		return false;
	db[db_n - seed.n - 1] = 1;
	memcpy(db + db_n - seed.n, seed.p, seed.n);
	return mgf1_xor(alg, (struct ay_bytes){ salt, md }, db, db_n) &&
	       mgf1_xor(alg, (struct ay_bytes){ db, db_n }, em + 1, md);
}

static enum ay_rc rsa_raw(const struct ay_public *to, struct ay_bytes em, uint8_t *out,
			  struct ay_err *e)
{
	AY_CLEANUP(key_free) struct ay_pubkey *key = NULL;
	AY_CLEANUP(ctx_free) EVP_PKEY_CTX *c = NULL;
	enum ay_rc rc = ay_public_key(to, &key, e);
	size_t n = em.n;

	if (rc != AY_OK)
		return rc;
	c = EVP_PKEY_CTX_new_from_pkey(NULL, ay_pubkey_pkey(key), NULL);
	if (c == NULL || EVP_PKEY_encrypt_init(c) != 1 ||
	    EVP_PKEY_CTX_set_rsa_padding(c, RSA_NO_PADDING) != 1 ||
	    EVP_PKEY_encrypt(c, out, &n, em.p, em.n) != 1 || n != em.n) {
		ERR_clear_error();
		return ay_fail(e, AY_E_CRYPTO, "encaps", 0, "cannot encrypt to this RSA key");
	}
	return AY_OK;
}

enum ay_rc ay_encaps_rsa(const struct ay_public *to, const char *label,
			 const uint8_t random[AY_CREDENTIAL_RANDOM], struct ay_secret *seed,
			 uint8_t out[AY_ENCRYPTED_SECRET_MAX], size_t *out_n, struct ay_err *e)
{
	struct ay_bytes secret = { random, ay_alg_digest_size(oaep_hash(to)) };
	uint8_t em[RSA_BYTES_MAX];
	enum ay_rc rc;

	if (to->modulus.n > sizeof(em) ||
	    !oaep_encode(oaep_hash(to), label, secret, random + AY_CREDENTIAL_RANDOM / 2, em,
			 to->modulus.n))
		return ay_fail(e, AY_E_INPUT, "encaps", 0, "key too short for its hash");
	rc = rsa_raw(to, (struct ay_bytes){ em, to->modulus.n }, out, e);
	ay_wipe(em, sizeof(em));
	if (rc != AY_OK)
		return rc;
	*out_n = to->modulus.n;
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
	uint8_t plain[RSA_BYTES_MAX];
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
