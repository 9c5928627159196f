/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/verify.h"

#include "core/crypto/hash.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

enum { EC_BYTES_MAX = 66, DER_MAX = 3 + 2 * (3 + EC_BYTES_MAX), INFO_HEAD_MAX = 19 };

/* DigestInfo up to the digest [RFC8017 9.2]. */
static const struct {
	uint16_t alg;
	uint8_t bit;
	uint8_t head_n;
	uint8_t head[INFO_HEAD_MAX];
	const char *name;
} hashes[] = {
	{ AY_ALG_SHA1,
	  AY_HASH_BIT_SHA1,
	  15,
	  { 0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04,
	    0x14 },
	  "SHA1" },
	{ AY_ALG_SHA256,
	  AY_HASH_BIT_SHA256,
	  19,
	  { 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
	    0x01, 0x05, 0x00, 0x04, 0x20 },
	  "SHA256" },
	{ AY_ALG_SHA384,
	  AY_HASH_BIT_SHA384,
	  19,
	  { 0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
	    0x02, 0x05, 0x00, 0x04, 0x30 },
	  "SHA384" },
	{ AY_ALG_SHA512,
	  AY_HASH_BIT_SHA512,
	  19,
	  { 0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
	    0x03, 0x05, 0x00, 0x04, 0x40 },
	  "SHA512" },
};

static size_t hash_index(uint16_t alg)
{
	size_t i = 0;

	while (i < AY_COUNT(hashes) && hashes[i].alg != alg)
		i++;
	return i;
}

unsigned ay_hash_bit(uint16_t alg)
{
	size_t i = hash_index(alg);

	return i < AY_COUNT(hashes) ? hashes[i].bit : 0;
}

static void ctx_free(EVP_PKEY_CTX **c)
{
	EVP_PKEY_CTX_free(*c);
}

static enum ay_sigcheck outcome(int verified)
{
	ERR_clear_error();
	return verified == 1 ? AY_SIG_GOOD : AY_SIG_BAD;
}

/*
 * PKCS #1 v1.5 with the DigestInfo made here: without a digest set OpenSSL
 * compares the whole unpadded block, which is as strict and saves a fetch.
 */
static enum ay_sigcheck verify_rsassa(EVP_PKEY_CTX *c, const struct ay_signature *s,
				      struct ay_bytes digest)
{
	uint8_t info[INFO_HEAD_MAX + AY_DIGEST_MAX];
	size_t i = hash_index(s->hash), n = hashes[i].head_n;

	memcpy(info, hashes[i].head, n);
	memcpy(info + n, digest.p, digest.n);
	if (EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) != 1)
		return AY_SIG_FAULT;
	return outcome(EVP_PKEY_verify(c, s->rsa.p, s->rsa.n, info, n + digest.n));
}

static enum ay_sigcheck verify_pss_salt(EVP_PKEY_CTX *c, const struct ay_signature *s,
					struct ay_bytes digest, int salt)
{
	const EVP_MD *md = EVP_get_digestbyname(hashes[hash_index(s->hash)].name);

	if (EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING) != 1 ||
	    EVP_PKEY_CTX_set_signature_md(c, md) != 1 ||
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(c, salt) != 1)
		return AY_SIG_FAULT;
	return outcome(EVP_PKEY_verify(c, s->rsa.p, s->rsa.n, digest.p, digest.n));
}

static enum ay_sigcheck verify_pss(EVP_PKEY_CTX *c, const struct ay_signature *s,
				   struct ay_bytes digest)
{
	enum ay_sigcheck r = verify_pss_salt(c, s, digest, RSA_PSS_SALTLEN_DIGEST);

	return r == AY_SIG_BAD ? verify_pss_salt(c, s, digest, RSA_PSS_SALTLEN_MAX) : r;
}

/* INTEGER of an unsigned big-endian number of at most EC_BYTES_MAX octets. */
static size_t der_integer(struct ay_bytes v, uint8_t *out)
{
	size_t pad;

	while (v.n > 1 && v.p[0] == 0) {
		v.p++;
		v.n--;
	}
	pad = v.p[0] >> 7;
	out[0] = 0x02;
	out[1] = (uint8_t)(v.n + pad);
	out[2] = 0;
	memcpy(out + 2 + pad, v.p, v.n);
	return 2 + pad + v.n;
}

static size_t der_signature(const struct ay_signature *s, uint8_t out[DER_MAX])
{
	uint8_t body[DER_MAX];
	size_t n = der_integer(s->r, body), head = 2;

	n += der_integer(s->s, body + n);
	out[0] = 0x30;
	out[1] = (uint8_t)n;
	if (n > 127) {
		out[1] = 0x81;
		out[2] = (uint8_t)n;
		head = 3;
	}
	memcpy(out + head, body, n);
	return head + n;
}

/* That r and s are in 1 .. n-1 is checked by libcrypto, and by the tests. */
static enum ay_sigcheck verify_ecdsa(EVP_PKEY_CTX *c, const struct ay_signature *s,
				     struct ay_bytes digest)
{
	uint8_t der[DER_MAX];
	size_t n = der_signature(s, der);

	return outcome(EVP_PKEY_verify(c, der, n, digest.p, digest.n));
}

/* Sizes that fit the key, and an RSA value below the modulus. */
static bool is_in_range(const struct ay_pubkey *key, const struct ay_signature *s)
{
	struct ay_bytes numbers = ay_pubkey_numbers(key);
	size_t size = numbers.n / 2;

	if (ay_pubkey_kind(key) == AY_KEY_RSA)
		return s->rsa.n == numbers.n && memcmp(s->rsa.p, numbers.p, numbers.n) < 0;
	/* A TPM may leave leading zeros out [TPM2-P1 C.8]. */
	return s->r.n >= 1 && s->r.n <= size && s->s.n >= 1 && s->s.n <= size;
}

static bool fits_key(const struct ay_pubkey *key, uint16_t scheme)
{
	bool rsa = scheme == AY_ALG_RSASSA || scheme == AY_ALG_RSAPSS;

	return ay_pubkey_kind(key) == AY_KEY_RSA ? rsa : scheme == AY_ALG_ECDSA;
}

static enum ay_sigcheck verify_numbers(const struct ay_pubkey *key, const struct ay_signature *s,
				       struct ay_bytes digest)
{
	AY_CLEANUP(ctx_free) EVP_PKEY_CTX *c = NULL;

	if (!is_in_range(key, s))
		return AY_SIG_BAD;
	c = EVP_PKEY_CTX_new_from_pkey(NULL, ay_pubkey_pkey(key), NULL);
	if (c == NULL || EVP_PKEY_verify_init(c) != 1)
		return AY_SIG_FAULT;
	switch (s->scheme) {
	case AY_ALG_RSASSA:
		return verify_rsassa(c, s, digest);
	case AY_ALG_RSAPSS:
		return verify_pss(c, s, digest);
	default:
		return verify_ecdsa(c, s, digest);
	}
}

enum ay_sigcheck ay_verify_digest(const struct ay_pubkey *key, const struct ay_signature *s,
				  unsigned allowed, struct ay_bytes digest)
{
	if (!fits_key(key, s->scheme))
		return AY_SIG_SCHEME;
	if ((ay_hash_bit(s->hash) & allowed) == 0)
		return AY_SIG_HASH;
	if (digest.n != ay_alg_digest_size(s->hash))
		return AY_SIG_BAD;
	return verify_numbers(key, s, digest);
}

static enum ay_sigcheck verify_as(const struct ay_pubkey *key, const struct ay_signature *s,
				  uint16_t scheme, uint16_t hash, struct ay_bytes msg)
{
	struct ay_signature as = *s;
	uint8_t md[AY_DIGEST_MAX];

	as.scheme = scheme;
	as.hash = hash;
	if (!ay_hash_of(hash, msg, md))
		return AY_SIG_HASH;
	return verify_numbers(key, &as, (struct ay_bytes){ md, ay_alg_digest_size(hash) });
}

/*
 * A signature that does not verify as it says may verify as something else:
 * then its tag was changed, and that is what the report should name.
 */
static enum ay_sigcheck name_mistake(const struct ay_pubkey *key, const struct ay_signature *s,
				     struct ay_bytes msg)
{
	uint16_t other = s->scheme == AY_ALG_RSASSA ? AY_ALG_RSAPSS : AY_ALG_RSASSA;

	if (s->scheme != AY_ALG_ECDSA && verify_as(key, s, other, s->hash, msg) == AY_SIG_GOOD)
		return AY_SIG_SCHEME;
	for (size_t i = 0; i < AY_COUNT(hashes); i++)
		if (hashes[i].alg != s->hash &&
		    verify_as(key, s, s->scheme, hashes[i].alg, msg) == AY_SIG_GOOD)
			return AY_SIG_HASH;
	return AY_SIG_BAD;
}

enum ay_sigcheck ay_verify(const struct ay_pubkey *key, const struct ay_signature *s,
			   unsigned allowed, struct ay_bytes msg)
{
	uint8_t md[AY_DIGEST_MAX];
	enum ay_sigcheck r;

	if (!fits_key(key, s->scheme))
		return AY_SIG_SCHEME;
	if ((ay_hash_bit(s->hash) & allowed) == 0 || !ay_hash_of(s->hash, msg, md))
		return AY_SIG_HASH;
	r = verify_numbers(key, s, (struct ay_bytes){ md, ay_alg_digest_size(s->hash) });
	return r == AY_SIG_BAD ? name_mistake(key, s, msg) : r;
}

bool ay_rsassa_is_of_key(const struct ay_pubkey *key, const struct ay_signature *s)
{
	AY_CLEANUP(ctx_free) EVP_PKEY_CTX *c = NULL;
	uint8_t info[512];
	size_t n = sizeof(info), i = hash_index(s->hash);
	bool ok;

	if (ay_pubkey_kind(key) != AY_KEY_RSA || i == AY_COUNT(hashes) || !is_in_range(key, s))
		return false;
	c = EVP_PKEY_CTX_new_from_pkey(NULL, ay_pubkey_pkey(key), NULL);
	ok = c != NULL && EVP_PKEY_verify_recover_init(c) == 1 &&
	     EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) == 1 &&
	     EVP_PKEY_verify_recover(c, info, &n, s->rsa.p, s->rsa.n) == 1 &&
	     n == hashes[i].head_n + ay_alg_digest_size(s->hash) &&
	     memcmp(info, hashes[i].head, hashes[i].head_n) == 0;
	ERR_clear_error();
	return ok;
}
