/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/check_ima.h"

#include "core/crypto/hash.h"

void ay_check_ima_refused(const struct ay_err *e, struct ay_report *rep)
{
	enum ay_check code = ay_check_find(ay_bytes_of(e->code));

	if (code == AY_CHECK_NONE)
		code = AY_CHECK_IMA_MALFORMED;
	ay_report_add(rep, code, AY_FAIL, NULL, "%s: %s (offset %zu)", e->where ? e->where : "ima",
		      e->text, e->offset);
}

enum ay_result ay_check_ima_templates(const struct ay_ima_state *s, struct ay_report *rep)
{
	struct ay_place at = { .has_entry = true, .entry = s->first_mismatch };

	if (AY_CHECKED("IMA_TEMPLATE_HASH", s->mismatches > 0))
		return ay_report_add(rep, AY_CHECK_IMA_TEMPLATE_HASH, AY_FAIL,
				     s->first_mismatch > 0 ? &at : NULL,
				     "%llu entries whose template hash is not that of their data",
				     (unsigned long long)s->mismatches);
	return ay_report_add(rep, AY_CHECK_IMA_TEMPLATE_HASH, AY_PASS, NULL, NULL);
}

/* Banks in which the value of one PCR of the state is attested; *fits: it is the same in all. */
static size_t slot_fits(const struct ay_ima_state *s, size_t i, const struct ay_pcrs *attested,
			bool padded, bool *fits)
{
	size_t n = 0;

	for (size_t k = 0; k < s->n_banks; k++) {
		const struct ay_ima_bank *b = &s->bank[k];
		struct ay_bytes want = ay_pcrs_value(attested, b->alg, s->slot[i].pcr);

		if (b->padded != (padded && b->alg != AY_ALG_SHA1) || want.p == NULL)
			continue;
		*fits &= memcmp(want.p, s->slot[i].value[k], want.n) == 0;
		n++;
	}
	return n;
}

/*
 * Does the state explain every attested value of the PCRs it extends? Entries
 * on a PCR that is not attested (16 and 23 may be reset by anybody) are vouched
 * for by nothing, and so is a list that has them.
 */
static bool state_fits(const struct ay_ima_state *s, const struct ay_pcrs *attested, bool padded)
{
	bool fits = s->n_pcrs > 0;

	for (size_t i = 0; i < s->n_pcrs; i++) {
		size_t n = slot_fits(s, i, attested, padded, &fits);

		if (AY_CHECKED("IMA_PCR_UNATTESTED", n == 0))
			return false;
	}
	return fits;
}

/* Nothing of the list is covered: PCR 10 is still at its reset value. */
static bool is_untouched(const struct ay_pcrs *attested)
{
	static const uint8_t zeros[AY_DIGEST_MAX];
	size_t n = 0;

	for (size_t i = 0; i < attested->n_banks; i++) {
		struct ay_bytes v = ay_pcrs_value(attested, attested->bank[i].alg, 10);

		if (v.p == NULL)
			continue;
		if (memcmp(v.p, zeros, v.n) != 0)
			return false;
		n++;
	}
	return n > 0;
}

bool ay_ima_run_fit(struct ay_ima_run *run, const struct ay_pcrs *attested, bool padded)
{
	do {
		if (run->now.n_pcrs == 0)
			return is_untouched(attested);
		if (state_fits(&run->now, attested, padded))
			return true;
	} while (ay_ima_step_back(run));
	return false;
}

enum ay_result ay_check_ima_pcrs(const struct ay_ima_run *run, bool fits,
				 const struct ay_pcrs *attested, struct ay_report *rep)
{
	struct ay_place at = { .has_pcr = true, .pcr = 10 };
	uint64_t tail = run->total - run->now.entries;

	if (attested->n_banks > 0) {
		at.bank = attested->bank[attested->n_banks - 1].alg;
		at.measured = ay_pcrs_value(attested, at.bank, 10);
	}
	if (AY_CHECKED("IMA_PCR", !fits))
		return ay_report_add(rep, AY_CHECK_IMA_PCR, AY_FAIL, &at,
				     "no prefix of the list (%llu entries) leads to the PCR value",
				     (unsigned long long)run->total);
	at.has_entry = true;
	at.entry = run->now.entries;
	if (tail > 0)
		ay_report_add(rep, AY_CHECK_IMA_UNATTESTED_TAIL, AY_PASS, &at,
			      "%llu entries after the quoted state are not yet covered",
			      (unsigned long long)tail);
	return ay_report_add(rep, AY_CHECK_IMA_PCR, AY_PASS, &at, NULL);
}

/* Hash over PCR 0 to last, as the kernel computes it; false when a value is not attested. */
static bool aggregate_of(const struct ay_pcrs *attested, uint16_t alg, unsigned last,
			 uint8_t out[AY_DIGEST_MAX])
{
	struct ay_hash h;

	if (!ay_hash_init(&h, alg))
		return false;
	for (unsigned pcr = 0; pcr <= last; pcr++) {
		struct ay_bytes v = ay_pcrs_value(attested, alg, pcr);

		if (v.p == NULL)
			return false;
		ay_hash_update(&h, v);
	}
	ay_hash_final(&h, out);
	return true;
}

enum ay_result ay_check_ima_aggregate(const struct ay_ima_state *s, const struct ay_pcrs *attested,
				      struct ay_report *rep)
{
	struct ay_place at = { .has_entry = true,
			       .entry = 1,
			       .bank = s->aggregate_alg,
			       .measured = { s->aggregate, s->aggregate_n } };
	static const unsigned lasts[] = { 7, 9 };
	size_t tried = 0;

	if (s->entries == 0)
		return ay_report_add(rep, AY_CHECK_IMA_BOOT_AGGREGATE, AY_NOT_CHECKED, NULL,
				     "the list has no covered entry");
	if (AY_CHECKED("IMA_BOOT_AGGREGATE", !s->has_aggregate))
		return ay_report_add(rep, AY_CHECK_IMA_BOOT_AGGREGATE, AY_FAIL, &at,
				     "first entry is not boot_aggregate");
	for (size_t i = 0; i < AY_COUNT(lasts); i++) {
		uint8_t want[AY_DIGEST_MAX];

		if (!aggregate_of(attested, s->aggregate_alg, lasts[i], want))
			continue;
		tried++;
		if (s->aggregate_n == ay_alg_digest_size(s->aggregate_alg) &&
		    memcmp(want, s->aggregate, s->aggregate_n) == 0)
			return ay_report_add(rep, AY_CHECK_IMA_BOOT_AGGREGATE, AY_PASS, &at,
					     "boot_aggregate is over PCR 0-%u", lasts[i]);
	}
	if (tried == 0)
		return ay_report_add(rep, AY_CHECK_IMA_BOOT_AGGREGATE, AY_NOT_CHECKED, &at,
				     "PCR 0-7 are not attested in the bank of boot_aggregate");
	if (AY_CHECKED("IMA_BOOT_AGGREGATE", true))
		return ay_report_add(rep, AY_CHECK_IMA_BOOT_AGGREGATE, AY_FAIL, &at,
				     "boot_aggregate is neither over PCR 0-7 nor over PCR 0-9");
	return AY_PASS;
}

enum ay_result ay_check_ima_continuity(const struct ay_ima_state *last, bool rebooted,
				       uint64_t from_entries, uint64_t from_octets,
				       struct ay_report *rep)
{
	uint64_t entries = rebooted ? 0 : last->entries, octets = rebooted ? 0 : last->octets;
	bool goes_on = from_entries == entries && from_octets == octets;

	if (AY_CHECKED("IMA_CONTINUITY", !goes_on))
		return ay_report_add(rep, AY_CHECK_IMA_CONTINUITY, AY_FAIL, NULL,
				     "list begins at entry %llu, %s at entry %llu",
				     (unsigned long long)from_entries + 1,
				     rebooted ? "a new boot begins" : "the last one ended",
				     (unsigned long long)entries + 1);
	return ay_report_add(rep, AY_CHECK_IMA_CONTINUITY, AY_PASS, NULL, NULL);
}

void ay_ima_odd_note(struct ay_ima_odd *o, const struct ay_ima_entry *ent, uint64_t index)
{
	struct ay_place at = { .has_entry = true, .entry = index, .path = ent->path };

	if (ay_ima_path_is_odd(ent->path) && o->n_odd++ == 0)
		o->odd = at;
	if (index > 1 && ay_bytes_eq(ent->path, ay_bytes_of("boot_aggregate")) && o->n_again++ == 0)
		o->again = at;
}

void ay_ima_odd_tell(const struct ay_ima_odd *o, struct ay_report *rep)
{
	if (o->n_odd > 0)
		ay_report_add(rep, AY_CHECK_IMA_PATH, AY_PASS, &o->odd,
			      "%llu paths hold blanks, control characters or octets above 0x7e",
			      (unsigned long long)o->n_odd);
	if (o->n_again > 0)
		ay_report_add(rep, AY_CHECK_IMA_PATH, AY_PASS, &o->again,
			      "%llu later entries are named boot_aggregate",
			      (unsigned long long)o->n_again);
}

void ay_check_ima_paths(struct ay_bytes list, uint64_t n, uint64_t first_index,
			struct ay_report *rep)
{
	struct ay_ima_odd odd = { 0 };
	struct ay_ima_cursor c;
	struct ay_ima_entry en;

	ay_ima_begin(&c, list);
	while (c.index < n && ay_ima_next(&c, &en))
		ay_ima_odd_note(&odd, &en, first_index + en.index - 1);
	ay_ima_odd_tell(&odd, rep);
}
