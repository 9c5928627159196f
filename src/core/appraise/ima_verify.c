/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/ima_verify.h"

#include <string.h>

#include "core/crypto/der.h"
#include "core/crypto/hash.h"
#include "core/crypto/verify.h"
#include "core/evlog/ima_sig.h"

#define HASHES (AY_HASHES_TPM2 | AY_HASH_BIT_SHA1)

/* ---- one signature by one key ---- */

/* INTEGER without its sign octet, {NULL, 0} if it is negative. */
static struct ay_bytes positive(struct ay_bytes v)
{
	if (v.n > 0 && v.p[0] > 0x7f)
		return (struct ay_bytes){ 0 };
	while (v.n > 1 && v.p[0] == 0) {
		v.p++;
		v.n--;
	}
	return v;
}

/* ECDSA-Sig-Value [RFC3279 2.2.3]. */
static bool split_ecdsa(struct ay_bytes der, struct ay_signature *s)
{
	struct ay_reader r, seq;

	ay_rd_init(&r, der);
	ay_der_enter(&r, "ecdsa", AY_DER_SEQUENCE, &seq);
	s->r = positive(ay_der_get(&seq, "ecdsa.r", AY_DER_INTEGER));
	s->s = positive(ay_der_get(&seq, "ecdsa.s", AY_DER_INTEGER));
	ay_rd_window_end(&seq, "ecdsa");
	return ay_rd_end(&r, "ecdsa", NULL) == AY_OK && s->r.n > 0 && s->s.n > 0;
}

static bool is_by(const struct ay_ima_key *k, uint16_t hash, struct ay_bytes digest,
		  struct ay_bytes value, bool *fault)
{
	struct ay_signature s = { .scheme = AY_ALG_RSASSA, .hash = hash, .rsa = value };
	enum ay_sigcheck c;

	if (ay_pubkey_kind(k->key) == AY_KEY_EC) {
		s = (struct ay_signature){ .scheme = AY_ALG_ECDSA, .hash = hash };
		if (!split_ecdsa(value, &s))
			return false;
	}
	c = ay_verify_digest(k->key, &s, HASHES, digest);
	*fault |= c == AY_SIG_FAULT;
	return c == AY_SIG_GOOD;
}

static void cache_key(const struct ay_ima_key *k, uint16_t hash, struct ay_bytes digest,
		      struct ay_bytes value, uint8_t out[32])
{
	uint8_t alg[2] = { (uint8_t)(hash >> 8), (uint8_t)hash };
	struct ay_hash h;

	(void)!ay_hash_init(&h, AY_ALG_SHA256); /* an algorithm that is always there */
	ay_hash_update(&h, AY_BYTES(k->spki));
	ay_hash_update(&h, AY_BYTES(alg)); /* says how long the digest is */
	ay_hash_update(&h, digest);
	ay_hash_update(&h, value);
	ay_hash_final(&h, out);
}

static uint8_t *place_of(const struct ay_ima_sigcache *c, const uint8_t key[32])
{
	size_t i;

	if (c == NULL || c->room == 0)
		return NULL;
	memcpy(&i, key, sizeof(i));
	return c->row[i & (c->room - 1)];
}

static bool verify_cached(const struct ay_ima_verifier *v, const struct ay_ima_key *k,
			  uint16_t hash, struct ay_bytes digest, struct ay_bytes value, bool *fault)
{
	uint8_t key[32], *place;

	if (digest.n != ay_alg_digest_size(hash))
		return false;
	cache_key(k, hash, digest, value, key);
	place = place_of(v->cache, key);
	if (place != NULL && memcmp(place, key, sizeof(key)) == 0)
		return true;
	if (!is_by(k, hash, digest, value, fault))
		return false;
	if (place != NULL)
		memcpy(place, key, sizeof(key));
	return true;
}

/* ---- the field sig ---- */

/* What a v3 signature is over [ima_file_id]: the hash of type, algorithm and digest. */
static bool file_id(const struct ay_ima_sig *s, struct ay_bytes digest, uint8_t out[AY_DIGEST_MAX])
{
	uint8_t head[2] = { s->type, s->hash_id };
	struct ay_hash h;

	if (!ay_hash_init(&h, s->hash_alg))
		return false;
	ay_hash_update(&h, AY_BYTES(head));
	ay_hash_update(&h, digest);
	ay_hash_final(&h, out);
	return true;
}

/* The digest that the signature is over; false when the entry has another one. */
static bool covered(const struct ay_ima_sig *s, const struct ay_ima_entry *ent,
		    uint8_t id[AY_DIGEST_MAX], struct ay_bytes *out)
{
	bool verity = ent->digest_kind == AY_IMA_DIGEST_VERITY;

	if (s->hash_alg == 0 || s->hash_alg != ent->digest_alg ||
	    ent->digest.n != ay_alg_digest_size(s->hash_alg) ||
	    ent->digest_kind == AY_IMA_DIGEST_OTHER || verity != (s->type == AY_IMA_XATTR_VERITY))
		return false;
	*out = ent->digest;
	if (s->form == AY_IMA_SIG_V2)
		return true;
	*out = (struct ay_bytes){ id, ent->digest.n };
	return file_id(s, ent->digest, id);
}

enum ay_ima_signed ay_ima_verify(const struct ay_ima_verifier *v, const struct ay_ima_entry *ent,
				 size_t *key, bool *fault)
{
	enum ay_ima_signed result = AY_IMA_SIGNED_UNKNOWN;
	uint8_t id[AY_DIGEST_MAX];
	struct ay_bytes digest = { 0 };
	struct ay_ima_sig s;
	bool covers;

	*key = 0;
	if (ent->sig.n == 0)
		return AY_IMA_SIGNED_NOT;
	if (ay_ima_sig_parse(ent->sig, &s, NULL) != AY_OK || s.form == AY_IMA_SIG_V1 ||
	    s.form == AY_IMA_SIG_PORTABLE || (v->refuse_sha1 && s.hash_alg == AY_ALG_SHA1))
		return AY_IMA_SIGNED_ODDLY;
	covers = covered(&s, ent, id, &digest);
	for (size_t i = 0; i < v->n; i++) {
		const struct ay_ima_key *k = v->key[i];

		if (!ay_ima_key_has_id(k, s.key_id))
			continue;
		*key = i;
		if (AY_CHECKED("IMA_SIGNATURE_REVOKED", k->revoked)) {
			result = AY_IMA_SIGNED_REVOKED; /* another key may have the same id */
			continue;
		}
		if (covers && verify_cached(v, k, s.hash_alg, digest, s.value, fault))
			return AY_IMA_SIGNED_WELL;
		result = AY_IMA_SIGNED_BADLY;
	}
	return result;
}
