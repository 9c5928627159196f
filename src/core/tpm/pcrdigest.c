/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/pcrdigest.h"

#include "core/crypto/hash.h"

static bool update_bank(struct ay_hash *h, const struct ay_pcr_bank *bank, uint32_t mask)
{
	if (bank == NULL || (mask & ~bank->have) != 0)
		return false;
	for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++)
		if (mask >> pcr & 1)
			ay_hash_update(h, (struct ay_bytes){ bank->value[pcr],
							     ay_alg_digest_size(bank->alg) });
	return true;
}

bool ay_pcr_digest(const struct ay_pcr_selection *s, uint16_t hash, const struct ay_pcrs *pcrs,
		   uint8_t *out)
{
	struct ay_hash h;

	if (!ay_hash_init(&h, hash))
		return false;
	for (size_t i = 0; i < s->n_banks; i++)
		if (s->bank[i].mask != 0 &&
		    !update_bank(&h, ay_pcrs_find(pcrs, s->bank[i].alg), s->bank[i].mask))
			return false;
	ay_hash_final(&h, out);
	return true;
}

static bool is_empty(const struct ay_pcr_selection *s)
{
	uint32_t any = 0;

	for (size_t i = 0; i < s->n_banks; i++)
		any |= s->bank[i].mask;
	return any == 0;
}

bool ay_pcr_digest_matches(const struct ay_pcr_selection *s, uint16_t hash,
			   const struct ay_pcrs *pcrs, struct ay_bytes digest)
{
	uint8_t md[AY_DIGEST_MAX];

	return !is_empty(s) && digest.n == ay_alg_digest_size(hash) &&
	       ay_pcr_digest(s, hash, pcrs, md) && memcmp(md, digest.p, digest.n) == 0;
}
