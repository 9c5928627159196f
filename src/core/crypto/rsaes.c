/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/rsaes.h"

#include "core/crypto/hash.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>

enum { BITS = 2048, BITS_MAX = 8 * AY_RSA_BYTES_MAX };

struct ay_rsakey {
	EVP_PKEY *pkey;
	struct ay_pubkey *public;
};

static void ctx_free(EVP_PKEY_CTX **c)
{
	EVP_PKEY_CTX_free(*c);
}

/* ---- to somebody's key ---- */

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

/* EME-OAEP [RFC8017 7.1.1]: 00 || masked salt || masked (lHash || 00.. || 01 || message). */
static bool oaep_encode(uint16_t alg, struct ay_bytes label, struct ay_bytes msg,
			const uint8_t *salt, uint8_t *em, size_t n)
{
	size_t md = ay_alg_digest_size(alg);
	uint8_t *db = em + 1 + md;
	size_t db_n = n - 1 - md;

	if (n < 2 * md + 2 + msg.n)
		return false;
	memset(em, 0, n);
	memcpy(em + 1, salt, md);
	if (!ay_hash_of(alg, label, db))
		return false;
	db[db_n - msg.n - 1] = 1;
	memcpy(db + db_n - msg.n, msg.p, msg.n);
	return mgf1_xor(alg, (struct ay_bytes){ salt, md }, db, db_n) &&
	       mgf1_xor(alg, (struct ay_bytes){ db, db_n }, em + 1, md);
}

static bool rsa_raw(const struct ay_pubkey *to, struct ay_bytes em, uint8_t *out)
{
	AY_CLEANUP(ctx_free)
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, ay_pubkey_pkey(to), NULL);
	size_t n = em.n;
	bool ok = c != NULL && EVP_PKEY_encrypt_init(c) == 1 &&
		  EVP_PKEY_CTX_set_rsa_padding(c, RSA_NO_PADDING) == 1 &&
		  EVP_PKEY_encrypt(c, out, &n, em.p, em.n) == 1 && n == em.n;

	ERR_clear_error();
	return ok;
}

enum ay_rc ay_oaep_seal(const struct ay_pubkey *to, uint16_t hash, struct ay_bytes label,
			struct ay_bytes msg, const uint8_t *salt, uint8_t out[AY_RSA_BYTES_MAX],
			size_t *n, struct ay_err *e)
{
	uint8_t em[AY_RSA_BYTES_MAX];
	size_t size = ay_pubkey_kind(to) == AY_KEY_RSA ? ay_pubkey_numbers(to).n : 0;
	bool ok;

	*n = 0;
	if (size == 0 || size > sizeof(em) || !oaep_encode(hash, label, msg, salt, em, size))
		return ay_fail(e, AY_E_INPUT, "oaep", 0, "key too short for its hash");
	ok = rsa_raw(to, (struct ay_bytes){ em, size }, out);
	ay_wipe(em, sizeof(em));
	if (!ok)
		return ay_fail(e, AY_E_CRYPTO, "oaep", 0, "cannot encrypt to this RSA key");
	*n = size;
	return AY_OK;
}

/* ---- our own ---- */

static enum ay_rc make(EVP_PKEY *pkey, struct ay_rsakey **out, struct ay_err *e)
{
	struct ay_rsakey *k = calloc(1, sizeof(*k));
	enum ay_rc rc;

	if (k == NULL) {
		EVP_PKEY_free(pkey);
		return ay_fail(e, AY_E_NOMEM, "rsa", 0, "no memory");
	}
	k->pkey = pkey;
	rc = ay_pubkey_new_pkey(pkey, &k->public, e);
	if (rc != AY_OK)
		ay_rsakey_free(k);
	else
		*out = k;
	return rc;
}

enum ay_rc ay_rsakey_generate(struct ay_rsakey **out, struct ay_err *e)
{
	EVP_PKEY *pkey = EVP_RSA_gen(BITS);

	*out = NULL;
	if (pkey == NULL)
		return ay_fail(e, AY_E_BUG, "rsa", 0, "cannot make a key");
	return make(pkey, out, e);
}

/* Never ask on the terminal for a password. */
static int no_password(char *buf, int size, int w, void *arg)
{
	(void)buf, (void)size, (void)w, (void)arg;
	return -1;
}

enum ay_rc ay_rsakey_new_pem(struct ay_bytes pem, struct ay_rsakey **out, struct ay_err *e)
{
	BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
	EVP_PKEY *pkey = b ? PEM_read_bio_PrivateKey(b, NULL, no_password, NULL) : NULL;

	*out = NULL;
	BIO_free(b);
	ERR_clear_error();
	if (pkey == NULL || EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA ||
	    EVP_PKEY_get_bits(pkey) < BITS || EVP_PKEY_get_bits(pkey) > BITS_MAX) {
		EVP_PKEY_free(pkey);
		return ay_fail(e, AY_E_INPUT, "rsa", 0, "not an RSA key of 2048 to %d bits",
			       BITS_MAX);
	}
	return make(pkey, out, e);
}

enum ay_rc ay_rsakey_pem(const struct ay_rsakey *k, char *out, size_t max, struct ay_err *e)
{
	BIO *b = BIO_new(BIO_s_secmem());
	bool ok = b != NULL &&
		  PEM_write_bio_PKCS8PrivateKey(b, k->pkey, NULL, NULL, 0, NULL, NULL) == 1;
	int n = ok ? BIO_read(b, out, (int)max - 1) : -1;

	ok = n > 0 && BIO_pending(b) == 0;
	BIO_free(b);
	ERR_clear_error();
	out[ok ? n : 0] = '\0';
	return ok ? AY_OK : ay_fail(e, AY_E_LIMIT, "rsa", 0, "no room for the key");
}

void ay_rsakey_free(struct ay_rsakey *k)
{
	if (k == NULL)
		return;
	ay_pubkey_free(k->public);
	EVP_PKEY_free(k->pkey);
	free(k);
}

const struct ay_pubkey *ay_rsakey_public(const struct ay_rsakey *k)
{
	return k->public;
}

static bool set_padding(EVP_PKEY_CTX *c, enum ay_rsaes how)
{
	char *label;

	if (how == AY_RSAES_PKCS1)
		return EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1;
	label = OPENSSL_strdup(how == AY_RSAES_OAEP ? "" : AY_OAEP_TCPA); /* the context takes it */
	if (label != NULL && EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_rsa_oaep_md(c, EVP_sha1()) == 1 &&
	    EVP_PKEY_CTX_set_rsa_mgf1_md(c, EVP_sha1()) == 1 &&
	    EVP_PKEY_CTX_set0_rsa_oaep_label(c, label, (int)strlen(label)) == 1)
		return true;
	OPENSSL_free(label);
	return false;
}

enum ay_rc ay_rsakey_decrypt(const struct ay_rsakey *k, enum ay_rsaes how, struct ay_bytes in,
			     uint8_t out[AY_RSA_BYTES_MAX], size_t *n, struct ay_err *e)
{
	AY_CLEANUP(ctx_free) EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_pkey(NULL, k->pkey, NULL);
	bool ok;

	*n = AY_RSA_BYTES_MAX;
	ok = c != NULL && EVP_PKEY_decrypt_init(c) == 1 && set_padding(c, how) &&
	     EVP_PKEY_decrypt(c, out, n, in.p, in.n) == 1;
	ERR_clear_error();
	if (ok)
		return AY_OK;
	*n = 0;
	return ay_fail(e, AY_E_CRYPTO, "rsa", 0, "cannot decrypt");
}
