/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/ima_replay.h"

#include "core/crypto/hash_many.h"
#include "core/evlog/replay.h"

#define SHA1_SIZE 20
#define ENTRY_MIN 32	  /* octets of the shortest entry */
#define OLD_NAME_SIZE 256 /* template "ima" hashes the name padded to this */
#define BATCH_MAX 64	  /* entries hashed together: a few times the lanes of hash_many */

struct ay_ima_undo {
	uint8_t slot;
	bool is_new; /* the entry was the first one for its PCR */
	bool violation, mismatch;
	uint32_t octets;
};

/* Entries that were read and not yet extended: hashed together, in the arena. */
struct batch {
	size_t n, room;
	struct batch_item {
		struct ay_ima_entry en;
		size_t octets;
	} * item;
	struct ay_bytes *data;	       /* of each item, as hashed; old ones: none */
	uint8_t *sha1;		       /* of each item, AY_DIGEST_MAX apart */
	uint8_t *digest[AY_IMA_BANKS]; /* so in each bank that is hashed; else NULL */
};

void ay_ima_state_init(struct ay_ima_state *s, const struct ay_ima_bank *banks, size_t n)
{
	struct ay_hash h;

	*s = (struct ay_ima_state){ 0 };
	for (size_t i = 0; i < n && s->n_banks < AY_IMA_BANKS; i++)
		if (ay_hash_init(&h, banks[i].alg))
			s->bank[s->n_banks++] = banks[i];
}

void ay_ima_state_init_for(struct ay_ima_state *s, const struct ay_pcrs *pcrs, bool padded)
{
	struct ay_ima_bank banks[AY_IMA_BANKS];
	size_t n = 0;

	for (size_t i = 0; i < pcrs->n_banks; i++) {
		banks[n++] = (struct ay_ima_bank){ pcrs->bank[i].alg, false };
		if (padded && pcrs->bank[i].alg != AY_ALG_SHA1)
			banks[n++] = (struct ay_ima_bank){ pcrs->bank[i].alg, true };
	}
	ay_ima_state_init(s, banks, n);
}

static void apply(const struct ay_ima_state *s, bool padded, struct ay_pcrs *pcrs)
{
	for (size_t k = 0; k < s->n_banks; k++) {
		struct ay_pcr_bank *b;

		/* SHA-1 is the same in both ways. */
		if (s->bank[k].padded != (padded && s->bank[k].alg != AY_ALG_SHA1))
			continue;
		b = ay_pcrs_bank(pcrs, s->bank[k].alg);
		for (size_t i = 0; b != NULL && i < s->n_pcrs; i++) {
			memcpy(b->value[s->slot[i].pcr], s->slot[i].value[k], AY_DIGEST_MAX);
			b->have |= 1u << s->slot[i].pcr;
		}
	}
}

void ay_ima_state_apply(const struct ay_ima_state *s, struct ay_pcrs *pcrs)
{
	apply(s, false, pcrs);
}

void ay_ima_state_apply_padded(const struct ay_ima_state *s, struct ay_pcrs *pcrs)
{
	apply(s, true, pcrs);
}

struct ay_bytes ay_ima_state_value(const struct ay_ima_state *s, uint16_t alg, bool padded,
				   unsigned pcr)
{
	for (size_t k = 0; k < s->n_banks; k++)
		for (size_t i = 0; i < s->n_pcrs; i++)
			if (s->bank[k].alg == alg && s->bank[k].padded == padded &&
			    s->slot[i].pcr == pcr)
				return (struct ay_bytes){ s->slot[i].value[k],
							  ay_alg_digest_size(alg) };
	return (struct ay_bytes){ 0 };
}

/* AY_IMA_PCRS when there is no room for one more PCR. */
static size_t find_slot(struct ay_ima_state *s, uint32_t pcr, bool *is_new)
{
	*is_new = false;
	for (size_t i = 0; i < s->n_pcrs; i++)
		if (s->slot[i].pcr == pcr)
			return i;
	if (s->n_pcrs == AY_IMA_PCRS)
		return AY_IMA_PCRS;
	*is_new = true;
	memset(&s->slot[s->n_pcrs], 0, sizeof(s->slot[0]));
	s->slot[s->n_pcrs].pcr = (uint8_t)pcr;
	return s->n_pcrs++;
}

/* Template "ima": its hash is of a fixed form that is not in the list. */
static bool hash_old(const struct ay_ima_entry *en, uint16_t alg, uint8_t *out)
{
	uint8_t fixed[SHA1_SIZE + OLD_NAME_SIZE] = { 0 };

	memcpy(fixed, en->digest.p, SHA1_SIZE);
	memcpy(fixed + SHA1_SIZE, en->path.p, en->path.n);
	return ay_hash_of(alg, AY_BYTES(fixed), out);
}

/* One algorithm over the template data of the whole batch; a violation's digest means nothing. */
static bool hash_batch_in(const struct batch *b, uint16_t alg, uint8_t *out)
{
	if (!ay_hash_many(alg, b->data, b->n, out, AY_DIGEST_MAX))
		return false;
	for (size_t i = 0; i < b->n; i++)
		if (b->item[i].en.is_old && !hash_old(&b->item[i].en, alg, out + i * AY_DIGEST_MAX))
			return false;
	return true;
}

/* SHA-1 always, for the stored template hashes; every other unpadded bank. */
static bool hash_batch(const struct ay_ima_state *s, struct batch *b)
{
	if (!hash_batch_in(b, AY_ALG_SHA1, b->sha1))
		return false;
	for (size_t k = 0; k < s->n_banks; k++)
		if (!s->bank[k].padded && s->bank[k].alg != AY_ALG_SHA1 &&
		    !hash_batch_in(b, s->bank[k].alg, b->digest[k]))
			return false;
	return true;
}

/*
 * What entry i extends bank k with. A violation: all ones, of which kernels
 * that padded had only 20 octets; such kernels extended their own SHA-1 hash,
 * as it stands in the list.
 */
static const uint8_t *extended_digest(const struct ay_ima_state *s, const struct batch *b, size_t i,
				      size_t k, uint8_t scratch[AY_DIGEST_MAX])
{
	const struct ay_ima_entry *en = &b->item[i].en;

	if (en->violation) {
		memset(scratch, 0xff, AY_DIGEST_MAX);
		if (s->bank[k].padded)
			memset(scratch + SHA1_SIZE, 0, AY_DIGEST_MAX - SHA1_SIZE);
		return scratch;
	}
	if (s->bank[k].padded) {
		memset(scratch, 0, AY_DIGEST_MAX);
		memcpy(scratch, en->template_hash, SHA1_SIZE);
		return scratch;
	}
	return (s->bank[k].alg == AY_ALG_SHA1 ? b->sha1 : b->digest[k]) + i * AY_DIGEST_MAX;
}

static void note_first(struct ay_ima_state *s, const struct ay_ima_entry *en)
{
	if (!ay_bytes_eq(en->path, ay_bytes_of("boot_aggregate")) || en->violation ||
	    en->digest.n > AY_DIGEST_MAX)
		return;
	s->has_aggregate = true;
	s->aggregate_alg = en->digest_alg;
	s->aggregate_n = (uint8_t)en->digest.n;
	memcpy(s->aggregate, en->digest.p, en->digest.n);
}

static void save(struct ay_ima_run *run, size_t slot, const struct ay_ima_undo *u)
{
	uint8_t *to = run->values + run->next_undo * run->stride;

	run->undo[run->next_undo++] = *u;
	if (run->next_undo == run->max_undo)
		run->next_undo = 0;
	if (run->n_undo < run->max_undo)
		run->n_undo++;
	for (size_t k = 0; k < run->now.n_banks; k++) {
		size_t n = ay_alg_digest_size(run->now.bank[k].alg);

		memcpy(to, run->now.slot[slot].value[k], n);
		to += n;
	}
}

static void count(struct ay_ima_state *s, const struct ay_ima_undo *u)
{
	s->entries++;
	s->octets += u->octets;
	s->violations += u->violation;
	s->mismatches += u->mismatch;
	if (u->mismatch && s->first_mismatch == 0)
		s->first_mismatch = s->entries;
}

static enum ay_rc replay_entry(struct ay_ima_run *run, const struct batch *b, size_t i,
			       struct ay_err *e)
{
	struct ay_ima_state *s = &run->now;
	const struct ay_ima_entry *en = &b->item[i].en;
	struct ay_ima_undo u = { .violation = en->violation,
				 .octets = (uint32_t)b->item[i].octets };
	size_t slot = find_slot(s, en->pcr, &u.is_new);
	uint8_t scratch[AY_DIGEST_MAX] AY_NO_INIT;

	if (slot == AY_IMA_PCRS)
		return ay_fail(e, AY_E_LIMIT, "ima.pcr", en->offset, "more than %d PCRs",
			       AY_IMA_PCRS);
	u.slot = (uint8_t)slot;
	u.mismatch = !en->violation &&
		     memcmp(b->sha1 + i * AY_DIGEST_MAX, en->template_hash, SHA1_SIZE) != 0;
	if (run->max_undo > 0)
		save(run, slot, &u);
	for (size_t k = 0; k < s->n_banks; k++)
		if (!ay_hash_extend(s->bank[k].alg, s->slot[slot].value[k],
				    extended_digest(s, b, i, k, scratch)))
			return ay_fail(e, AY_E_BUG, "ima.bank", 0, "bank cannot be hashed");
	if (s->entries == 0)
		note_first(s, en);
	count(s, &u);
	return AY_OK;
}

static enum ay_rc replay_batch(struct ay_ima_run *run, struct batch *b, struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	if (b->n > 0 && !hash_batch(&run->now, b))
		return ay_fail(e, AY_E_BUG, "ima.bank", 0, "bank cannot be hashed");
	for (size_t i = 0; i < b->n && rc == AY_OK; i++)
		rc = replay_entry(run, b, i, e);
	b->n = 0;
	return rc;
}

static enum ay_rc run_alloc(struct ay_ima_run *run, size_t keep, struct ay_arena *arena,
			    struct ay_err *e)
{
	for (size_t k = 0; k < run->now.n_banks; k++)
		run->stride += ay_alg_digest_size(run->now.bank[k].alg);
	run->undo = ay_arena_array(arena, keep, sizeof(*run->undo));
	run->values = ay_arena_array(arena, keep, run->stride);
	run->max_undo = keep;
	if (run->undo == NULL || run->values == NULL)
		return ay_fail(e, AY_E_NOMEM, "ima", 0, "no memory for %zu prefixes", keep);
	return AY_OK;
}

/* Room for room entries; false without memory. */
static bool batch_alloc(const struct ay_ima_state *s, size_t room, struct ay_arena *arena,
			struct batch *b)
{
	*b = (struct batch){ .room = room };
	b->item = ay_arena_array(arena, room, sizeof(*b->item));
	b->data = ay_arena_array(arena, room, sizeof(*b->data));
	b->sha1 = ay_arena_array(arena, room, AY_DIGEST_MAX);
	if (b->item == NULL || b->data == NULL || b->sha1 == NULL)
		return false;
	for (size_t k = 0; k < s->n_banks; k++) {
		if (s->bank[k].padded || s->bank[k].alg == AY_ALG_SHA1)
			continue;
		b->digest[k] = ay_arena_array(arena, room, AY_DIGEST_MAX);
		if (b->digest[k] == NULL)
			return false;
	}
	return true;
}

static enum ay_rc replay_entries(struct ay_ima_run *run, struct ay_ima_cursor *c, struct batch *b,
				 struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	while (rc == AY_OK && ay_ima_next(c, &b->item[b->n].en)) {
		struct batch_item *it = &b->item[b->n];

		it->octets = ay_rd_offset(&c->r) - it->en.offset;
		b->data[b->n++] = it->en.is_old ? (struct ay_bytes){ 0 } : it->en.data;
		if (b->n == b->room)
			rc = replay_batch(run, b, e);
	}
	return rc == AY_OK ? replay_batch(run, b, e) : rc;
}

static enum ay_rc replay_list(struct ay_ima_run *run, struct ay_bytes list, struct ay_arena *arena,
			      struct ay_err *e)
{
	size_t room = list.n / ENTRY_MIN + 1;
	struct ay_ima_cursor c;
	struct batch b;
	enum ay_rc rc;

	if (!batch_alloc(&run->now, room < BATCH_MAX ? room : BATCH_MAX, arena, &b))
		return ay_fail(e, AY_E_NOMEM, "ima", 0, "no memory to replay");
	ay_ima_begin(&c, list);
	rc = replay_entries(run, &c, &b, e);
	if (rc != AY_OK) {
		ay_err_code(e, rc == AY_E_LIMIT ? "IMA_LIMIT" : "IMA_MALFORMED");
		return rc;
	}
	return ay_ima_end(&c, e);
}

enum ay_rc ay_ima_replay(const struct ay_ima_state *state, struct ay_bytes list, size_t keep,
			 struct ay_ima_run *run, struct ay_arena *arena, struct ay_err *e)
{
	enum ay_rc rc;

	*run = (struct ay_ima_run){ .from = state->entries };
	if (keep > AY_MAX_IMA_PREFIXES)
		keep = AY_MAX_IMA_PREFIXES;
	if (keep > list.n / ENTRY_MIN)
		keep = list.n / ENTRY_MIN;
	run->now = *state;
	rc = run_alloc(run, keep, arena, e);
	if (rc == AY_OK)
		rc = replay_list(run, list, arena, e);
	if (rc != AY_OK) {
		*run = (struct ay_ima_run){ 0 };
		return rc;
	}
	run->total = run->now.entries;
	return AY_OK;
}

bool ay_ima_step_back(struct ay_ima_run *run)
{
	struct ay_ima_state *s = &run->now;
	const struct ay_ima_undo *u;
	const uint8_t *from;

	if (run->n_undo == 0)
		return false;
	run->n_undo--;
	run->next_undo = (run->next_undo == 0 ? run->max_undo : run->next_undo) - 1;
	u = &run->undo[run->next_undo];
	from = run->values + run->next_undo * run->stride;
	for (size_t k = 0; k < s->n_banks; k++) {
		size_t n = ay_alg_digest_size(s->bank[k].alg);

		memcpy(s->slot[u->slot].value[k], from, n);
		from += n;
	}
	s->n_pcrs -= u->is_new; /* a new PCR always took the last slot */
	if (u->mismatch && s->first_mismatch == s->entries)
		s->first_mismatch = 0;
	s->entries--;
	s->octets -= u->octets;
	s->violations -= u->violation;
	s->mismatches -= u->mismatch;
	if (s->entries == 0)
		s->has_aggregate = false;
	return true;
}
