/* SPDX-License-Identifier: Apache-2.0 */
/* The running system: entries of the IMA list against allow-lists. The tally remembers what was
 * judged. */
#include "core/appraise/state.h"

#include <string.h>

/* Allow-lists in force; a digest in any of them will do. */
struct lists {
	size_t n;
	const struct ay_rule **rule;
	uint64_t violations; /* the most that any of them had */
};

static enum ay_rc gather(const struct ay_runtime_in *in, struct ay_report *rep, struct lists *out,
			 struct ay_err *e)
{
	size_t max = 0;

	for (size_t i = 0; i < in->n_sets; i++)
		max += in->sets[i]->n_rules;
	*out = (struct lists){ .rule = ay_arena_array(rep->arena, max + 1, sizeof(*out->rule)) };
	if (out->rule == NULL)
		return ay_fail(e, AY_E_NOMEM, "ima", 0, "out of memory");
	for (size_t i = 0; i < in->n_sets; i++) {
		const struct ay_refset *s = in->sets[i];
		struct ay_named name = ay_refset_named(s);

		if (!ay_policy_in_force(in->policy, s, in->offline, in->now_ms))
			continue;
		for (size_t r = 0; r < s->n_rules; r++) {
			if (s->rule[r].kind != &ay_rule_files)
				continue;
			out->rule[out->n++] = &s->rule[r];
			if (s->rule[r].violations > out->violations)
				out->violations = s->rule[r].violations;
			ay_report_add_reference(rep, &name);
		}
	}
	return AY_OK;
}

static bool is_known(const struct lists *l, const struct ay_ima_entry *ent)
{
	for (size_t i = 0; i < l->n; i++)
		if (ay_digest_set_find(&l->rule[i]->files, ent->digest_alg, ent->digest) != NULL)
			return true;
	return false;
}

static void list_unknown(struct ay_ima_tally *t, const struct ay_ima_entry *ent)
{
	struct ay_ima_unknown *u;

	if (t->n_listed == AY_TALLY_LISTED)
		return;
	u = &t->listed[t->n_listed++];
	*u = (struct ay_ima_unknown){ .entry = t->entries, .alg = ent->digest_alg };
	u->digest_n = (uint8_t)(ent->digest.n < AY_DIGEST_MAX ? ent->digest.n : AY_DIGEST_MAX);
	u->path_n = (uint8_t)(ent->path.n < sizeof(u->path) ? ent->path.n : sizeof(u->path));
	if (u->digest_n > 0)
		memcpy(u->digest, ent->digest.p, u->digest_n);
	if (u->path_n > 0)
		memcpy(u->path, ent->path.p, u->path_n);
}

/* One more entry. The first of all is boot_aggregate, judged by IMA_BOOT_AGGREGATE. */
static void count_entry(struct ay_ima_tally *t, const struct lists *l,
			const struct ay_ima_entry *ent)
{
	t->entries++;
	if (ent->violation) {
		t->violations++;
	} else if (t->entries == 1) {
		return;
	} else if (!AY_CHECKED("REF_IMA", !is_known(l, ent))) {
		t->known++;
	} else {
		t->unknown++;
		list_unknown(t, ent);
	}
}

/* Entries of the list up to the attested prefix; what follows is not yet covered. */
static enum ay_rc count_entries(const struct ay_runtime_in *in, const struct lists *l,
				struct ay_ima_tally *t, struct ay_err *e)
{
	struct ay_ima_entry ent;
	struct ay_ima_cursor c;

	ay_ima_begin(&c, in->list);
	while (t->entries < in->run->now.entries) {
		if (!ay_ima_next(&c, &ent))
			return ay_fail(e, AY_E_BUG, "ima", 0, "list is shorter than its replay");
		count_entry(t, l, &ent);
	}
	return AY_OK;
}

static void tell_unknown(const struct ay_ima_tally *t, struct ay_report *rep)
{
	for (size_t i = 0; i < t->n_listed; i++) {
		const struct ay_ima_unknown *u = &t->listed[i];
		struct ay_place at = { .has_entry = true,
				       .entry = u->entry,
				       .bank = u->alg,
				       .path = { u->path, u->path_n },
				       .measured = { u->digest, u->digest_n } };

		ay_report_add(rep, AY_CHECK_REF_IMA, AY_FAIL, &at,
			      "entry %llu: no reference set has this file",
			      (unsigned long long)u->entry);
	}
	if (t->unknown > t->n_listed)
		ay_report_add(rep, AY_CHECK_REF_IMA, AY_FAIL, NULL,
			      "%llu more files that no reference set has",
			      (unsigned long long)(t->unknown - t->n_listed));
}

static void tell_files(const struct lists *l, const struct ay_ima_tally *t, struct ay_report *rep)
{
	struct ay_place at = { .component = AY_COMP_RUNTIME };

	if (l->n == 0)
		ay_report_add(rep, AY_CHECK_REF_NONE, AY_NOT_CHECKED, &at,
			      "no reference set in force has file digests");
	else if (t->unknown > 0)
		tell_unknown(t, rep);
	else if (t->known == 0)
		ay_report_add(rep, AY_CHECK_REF_IMA, AY_NOT_CHECKED, &at,
			      "the list has no file but boot_aggregate");
	else
		ay_report_add(rep, AY_CHECK_REF_IMA, AY_PASS, &at,
			      "all %llu files are in the reference sets",
			      (unsigned long long)t->known);
}

static void tell_violations(const struct ay_runtime_in *in, const struct lists *l,
			    const struct ay_ima_tally *t, struct ay_report *rep)
{
	uint64_t most = in->policy->violations == AY_VIOLATIONS_AT_MOST ? in->policy->max_violations
									: l->violations;

	if (l->n == 0 && in->policy->violations == AY_VIOLATIONS_AS_REFERENCE)
		return;
	if (AY_CHECKED("IMA_VIOLATION", t->violations > most))
		ay_report_add(rep, AY_CHECK_IMA_VIOLATION, AY_FAIL, NULL,
			      "%llu violations, %llu are allowed",
			      (unsigned long long)t->violations, (unsigned long long)most);
}

static void tell_padded(const struct ay_runtime_in *in, struct ay_report *rep)
{
	if (!in->padded)
		return;
	if (AY_CHECKED("IMA_PADDED_BANK", !in->policy->allow_padded_bank))
		ay_report_add(rep, AY_CHECK_IMA_PADDED_BANK, AY_FAIL, NULL,
			      "banks were extended with zero-padded SHA-1");
	else
		ay_report_add(
			rep, AY_CHECK_IMA_PADDED_BANK, AY_PASS, NULL,
			"banks were extended with zero-padded SHA-1, which the policy allows");
}

static bool continues(const struct ay_runtime_in *in, struct ay_ima_tally *t)
{
	uint8_t key[32];

	ay_tally_key(in->policy, in->sets, in->n_sets, in->offline, in->now_ms, key);
	if (in->run->from == 0)
		*t = (struct ay_ima_tally){ 0 };
	if (t->entries == 0)
		memcpy(t->key, key, sizeof(key));
	return t->entries == in->run->from && memcmp(t->key, key, sizeof(key)) == 0;
}

static enum ay_rc judge_list(const struct ay_runtime_in *in, struct ay_ima_tally *t,
			     struct ay_report *rep, struct ay_err *e)
{
	uint64_t from = in->run->from;
	struct lists l;
	enum ay_rc rc;

	if (!continues(in, t)) {
		ay_report_add(
			rep, AY_CHECK_IMA_CONTINUITY, AY_NOT_CHECKED, NULL,
			"earlier entries were judged by other sets: the whole list is needed");
		return AY_OK;
	}
	rc = gather(in, rep, &l, e);
	if (rc == AY_OK)
		rc = count_entries(in, &l, t, e);
	if (rc != AY_OK)
		return rc;
	tell_files(&l, t, rep);
	tell_violations(in, &l, t, rep);
	tell_padded(in, rep);
	ay_check_ima_paths(in->list, in->run->now.entries - from, from + 1, rep);
	return AY_OK;
}

enum ay_rc ay_appraise_runtime(const struct ay_runtime_in *in, struct ay_ima_tally *tally,
			       struct ay_report *rep, struct ay_err *e)
{
	if (in->policy == NULL || !in->policy->ima)
		return AY_OK;
	if (in->ima_error != NULL) {
		ay_check_ima_refused(in->ima_error, rep);
		return AY_OK;
	}
	if (in->run == NULL) {
		ay_report_add(rep, AY_CHECK_IMA_ABSENT, AY_NOT_CHECKED, NULL,
			      "no IMA list was given");
		return AY_OK;
	}
	ay_report_grade(rep, AY_COMP_RUNTIME, AY_GRADE_LOG_REPLAYED);
	(void)!ay_check_ima_templates(&in->run->now, rep);
	if (ay_check_ima_pcrs(in->run, in->fits, in->pcrs, rep) != AY_PASS)
		return AY_OK; /* nothing vouches for the entries */
	(void)!ay_check_ima_aggregate(&in->run->now, in->pcrs, rep);
	return judge_list(in, tally, rep, e);
}

/* ---- the tally outside memory ---- */

static void write_unknown(struct ay_writer *w, const struct ay_ima_unknown *u)
{
	ay_wr_be64(w, u->entry);
	ay_wr_be16(w, u->alg);
	ay_wr_vec8(w, (struct ay_bytes){ u->digest, u->digest_n });
	ay_wr_vec8(w, (struct ay_bytes){ u->path, u->path_n });
}

void ay_tally_write(struct ay_writer *w, const struct ay_ima_tally *t)
{
	ay_wr_bytes(w, AY_BYTES(t->key));
	ay_wr_be64(w, t->entries);
	ay_wr_be64(w, t->known);
	ay_wr_be64(w, t->unknown);
	ay_wr_be64(w, t->violations);
	ay_wr_u8(w, (uint8_t)t->n_listed);
	for (size_t i = 0; i < t->n_listed; i++)
		write_unknown(w, &t->listed[i]);
}

static void read_unknown(struct ay_reader *r, struct ay_ima_unknown *u)
{
	struct ay_bytes digest, path;

	u->entry = ay_rd_be64(r, "tally.entry");
	u->alg = ay_rd_be16(r, "tally.alg");
	digest = ay_rd_vec8(r, "tally.digest", sizeof(u->digest));
	path = ay_rd_vec8(r, "tally.path", sizeof(u->path));
	u->digest_n = (uint8_t)digest.n;
	u->path_n = (uint8_t)path.n;
	if (digest.n > 0)
		memcpy(u->digest, digest.p, digest.n);
	if (path.n > 0)
		memcpy(u->path, path.p, path.n);
}

enum ay_rc ay_tally_parse(struct ay_bytes in, struct ay_ima_tally *out, struct ay_err *e)
{
	struct ay_ima_tally t = { 0 };
	struct ay_reader r;
	size_t n;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	ay_rd_copy(&r, "tally.key", t.key, sizeof(t.key));
	t.entries = ay_rd_be64(&r, "tally.entries");
	t.known = ay_rd_be64(&r, "tally.known");
	t.unknown = ay_rd_be64(&r, "tally.unknown");
	t.violations = ay_rd_be64(&r, "tally.violations");
	n = ay_rd_u8(&r, "tally.listed");
	if (n > AY_TALLY_LISTED)
		ay_rd_limit(&r, "tally.listed", n, AY_TALLY_LISTED);
	while (t.n_listed < n && ay_rd_ok(&r))
		read_unknown(&r, &t.listed[t.n_listed++]);
	rc = ay_rd_end(&r, "tally", e);
	*out = rc == AY_OK ? t : (struct ay_ima_tally){ 0 };
	return rc;
}
