/* SPDX-License-Identifier: Apache-2.0 */
/* The running system: entries of the IMA list by the rules in force. The tally remembers what was
 * judged; the report about the whole list is told from it. */
#include "core/appraise/sets.h"
#include "core/appraise/state.h"

#include <string.h>

#include "core/appraise/ima_judge.h"

/* ---- rules in force ---- */

static enum ay_rc make_room(const struct ay_runtime_in *in, struct ay_arena *a,
			    struct ay_ima_judge *j, struct ay_err *e)
{
	size_t rules = 1, keys = in->policy->ima_rules.keys.n + 1;
	const struct ay_ima_key **key;

	for (size_t i = 0; i < in->n_sets; i++)
		for (size_t r = 0; r < in->sets[i]->n_rules; r++) {
			const struct ay_rule *rule = &in->sets[i]->rule[r];

			rules += rule->kind->role == AY_ROLE_RUNTIME ||
				 rule->kind->role == AY_ROLE_FORBIDS;
			keys += rule->keys.n;
		}
	j->files = ay_arena_array(a, rules, sizeof(*j->files));
	j->files_of = ay_arena_array(a, rules, sizeof(*j->files_of));
	j->forbidden = ay_arena_array(a, rules, sizeof(*j->forbidden));
	j->bufs = ay_arena_array(a, rules, sizeof(*j->bufs));
	j->verifier.key = key = ay_arena_array(a, keys, sizeof(*key));
	if (j->files == NULL || j->files_of == NULL || j->forbidden == NULL || j->bufs == NULL ||
	    key == NULL)
		return ay_fail(e, AY_E_NOMEM, "ima", 0, "out of memory");
	for (size_t i = 0; i < in->policy->ima_rules.keys.n; i++)
		key[j->verifier.n++] = &in->policy->ima_rules.keys.key[i];
	return AY_OK;
}

/* A key in several places is trusted only if nobody revoked it. */
static void take_key(struct ay_ima_judge *j, const struct ay_ima_key *k)
{
	const struct ay_ima_key **key = (const struct ay_ima_key **)(uintptr_t)j->verifier.key;

	for (size_t i = 0; i < j->verifier.n; i++) {
		if (memcmp(key[i]->spki, k->spki, sizeof(k->spki)) != 0)
			continue;
		if (k->revoked)
			key[i] = k;
		return;
	}
	key[j->verifier.n++] = k;
}

static void take_rule(struct ay_ima_judge *j, const struct ay_refset *s, const struct ay_rule *r)
{
	if (r->kind == &ay_rule_files) {
		j->files_of[j->n_files] = s;
		j->files[j->n_files++] = r;
		if (r->violations > j->violations)
			j->violations = r->violations;
	} else if (r->kind == &ay_rule_buffers) {
		j->bufs[j->n_bufs++] = r;
	} else if (r->kind->role == AY_ROLE_FORBIDS) {
		j->forbidden[j->n_forbidden++] = r;
	}
	for (size_t i = 0; i < r->keys.n; i++)
		take_key(j, &r->keys.key[i]);
}

static enum ay_rc gather(const struct ay_runtime_in *in, struct ay_report *rep,
			 struct ay_ima_judge *j, struct ay_err *e)
{
	enum ay_rc rc;

	*j = (struct ay_ima_judge){ .policy = in->policy };
	j->verifier.refuse_sha1 = in->policy->ima_rules.refuse_weak_digests;
	j->verifier.cache = in->cache;
	j->aggregate.alg = in->run->now.aggregate_alg;
	j->aggregate.digest = (struct ay_bytes){ in->run->now.aggregate, in->run->now.aggregate_n };
	rc = make_room(in, rep->arena, j, e);
	if (rc != AY_OK)
		return rc;
	for (size_t i = 0; i < in->n_sets; i++) {
		const struct ay_refset *s = in->sets[i];
		struct ay_named name = ay_refset_named(s);
		bool used = false, lists;

		if (!ay_policy_in_force(in->policy, s, in->offline, in->now_ms))
			continue;
		lists = ay_policy_uses_runtime(in->policy, in->sets, in->n_sets, i, in->offline,
					       in->now_ms);
		for (size_t r = 0; r < s->n_rules; r++) {
			/* what is forbidden is so in whatever part it stands */
			if (!lists && s->rule[r].kind->role != AY_ROLE_FORBIDS)
				continue;
			take_rule(j, s, &s->rule[r]);
			used |= s->rule[r].kind->role == AY_ROLE_RUNTIME;
		}
		if (used)
			ay_report_add_reference(rep, &name);
	}
	return AY_OK;
}

/* Entries of the list up to the attested prefix; what follows is not yet covered. */
static enum ay_rc count_entries(const struct ay_runtime_in *in, struct ay_ima_judge *j,
				struct ay_ima_tally *t, struct ay_ima_odd *odd, struct ay_err *e)
{
	struct ay_ima_entry ent;
	struct ay_ima_cursor c;

	ay_ima_begin(&c, in->list);
	while (t->entries < in->run->now.entries) {
		if (!ay_ima_next(&c, &ent))
			return ay_fail(e, AY_E_BUG, "ima", 0, "list is shorter than its replay");
		ay_ima_judge_entry(j, t, &ent);
		ay_ima_odd_note(odd, &ent, t->entries);
	}
	if (j->fault)
		return ay_fail(e, AY_E_NOMEM, "ima.sig", 0, "a signature cannot be evaluated");
	return AY_OK;
}

/* ---- the report ---- */

static const struct {
	enum ay_check code;
	const char *one; /* of a listed entry */
	const char *more;
} bad[AY_IMA_VIOLATION] = {
	[AY_IMA_UNKNOWN] = { AY_CHECK_REF_IMA, "no reference set has this file",
			     "files that no reference set has" },
	[AY_IMA_FORBIDDEN] = { AY_CHECK_REF_FORBIDDEN, "this file is forbidden",
			       "forbidden files" },
	[AY_IMA_DENIED] = { AY_CHECK_IMA_DENIED, "the policy denies all files of this path",
			    "files of denied paths" },
	[AY_IMA_BAD_SIGNATURE] = { AY_CHECK_IMA_SIGNATURE,
				   "its signature names a trusted key and does not verify",
				   "files with bad signatures" },
	[AY_IMA_REVOKED_KEY] = { AY_CHECK_IMA_SIGNATURE, "it is signed by a key that was revoked",
				 "files signed by revoked keys" },
	[AY_IMA_UNSIGNED] = { AY_CHECK_IMA_SIGNATURE,
			      "the policy requires a signature by a trusted key here",
			      "files without the signature that the policy requires" },
	[AY_IMA_WEAK] = { AY_CHECK_IMA_WEAK_DIGEST, "this file is known by SHA-1 only",
			  "files known by SHA-1 only" },
	[AY_IMA_BAD_KEY] = { AY_CHECK_IMA_BUF_KEY, "a key that is not expected in this keyring",
			     "keys that are not expected" },
	[AY_IMA_BAD_CMDLINE] = { AY_CHECK_IMA_BUF_CMDLINE, "a kexec command line not expected",
				 "kexec command lines that are not expected" },
	[AY_IMA_BAD_DM] = { AY_CHECK_IMA_BUF_DM, "a device-mapper change that is not expected",
			    "device-mapper changes that are not expected" },
	[AY_IMA_BAD_DATA] = { AY_CHECK_IMA_BUF_DATA, "critical data that are not expected",
			      "critical data that are not expected" },
	[AY_IMA_BAD_BUFFER] = { AY_CHECK_IMA_BUF_HASH,
				"what it carries is not what its digest is over",
				"buffers whose digest is not that of their octets" },
};

static void tell_listed(const struct ay_ima_listed *u, struct ay_report *rep)
{
	struct ay_place at = { .component = AY_COMP_RUNTIME,
			       .has_entry = true,
			       .entry = u->entry,
			       .bank = u->alg,
			       .path = { u->path, u->path_n },
			       .measured = { u->digest, u->digest_n } };

	ay_report_add(rep, bad[u->outcome].code, AY_FAIL, &at, "entry %llu: %s",
		      (unsigned long long)u->entry, bad[u->outcome].one);
}

/* Bad only because nothing expects it: says nothing as long as nothing expects anything. */
static bool is_unexpected(unsigned outcome)
{
	return outcome == AY_IMA_UNKNOWN ||
	       (outcome >= AY_IMA_BAD_KEY && outcome <= AY_IMA_BAD_DATA);
}

/* What must not be there: the first ones by themselves, the others by their number. */
static void tell_bad(const struct ay_ima_tally *t, bool has_rules, struct ay_report *rep)
{
	uint64_t listed[AY_IMA_VIOLATION] = { 0 };
	struct ay_place at = { .component = AY_COMP_RUNTIME };

	for (size_t i = 0; i < t->n_listed; i++) {
		unsigned o = t->listed[i].outcome;

		if (o >= AY_IMA_VIOLATION || (!has_rules && is_unexpected(o)))
			continue;
		listed[o]++;
		tell_listed(&t->listed[i], rep);
	}
	for (unsigned o = 0; o < AY_IMA_VIOLATION; o++)
		if (t->n[o] > listed[o] && (has_rules || !is_unexpected(o)))
			ay_report_add(rep, bad[o].code, AY_FAIL, &at, "%llu %s%s",
				      (unsigned long long)(t->n[o] - listed[o]),
				      listed[o] > 0 ? "more " : "", bad[o].more);
}

static uint64_t accepted(const struct ay_ima_tally *t)
{
	return t->n[AY_IMA_KNOWN] + t->n[AY_IMA_SIGNED];
}

/* A list that hardly has anything says nothing good of the host. */
static void tell_number(const struct ay_runtime_in *in, const struct ay_ima_tally *t,
			struct ay_report *rep)
{
	uint64_t least = in->policy->ima_rules.min_files;
	bool few = accepted(t) < least;

	if (AY_CHECKED("IMA_FEW", few))
		ay_report_add(rep, AY_CHECK_IMA_FEW, AY_NOT_CHECKED, NULL,
			      "%llu files were accepted, the policy wants %llu at least",
			      (unsigned long long)accepted(t), (unsigned long long)least);
}

static void tell_files(const struct ay_runtime_in *in, const struct ay_ima_judge *j,
		       const struct ay_ima_tally *t, struct ay_report *rep)
{
	struct ay_place at = { .component = AY_COMP_RUNTIME };
	uint64_t good = accepted(t) + t->n[AY_IMA_ALLOWED];

	bool has_rules = ay_ima_judge_has_rules(j);

	tell_bad(t, has_rules, rep);
	if (!has_rules) {
		ay_report_add(rep, AY_CHECK_REF_NONE, AY_NOT_CHECKED, &at,
			      "no reference set in force has file digests");
		return;
	}
	tell_number(in, t, rep);
	if (t->n[AY_IMA_UNKNOWN] > 0) /* what else is bad has its own finding */
		return;
	if (good == 0)
		ay_report_add(rep, AY_CHECK_REF_IMA, AY_NOT_CHECKED, &at,
			      "the list has no file but boot_aggregate");
	else
		ay_report_add(rep, AY_CHECK_REF_IMA, AY_PASS, &at,
			      "%llu files are in the reference sets, or signed or allowed",
			      (unsigned long long)good);
}

static void tell_violations(const struct ay_runtime_in *in, const struct ay_ima_judge *j,
			    const struct ay_ima_tally *t, struct ay_report *rep)
{
	uint64_t most = in->policy->violations == AY_VIOLATIONS_AT_MOST ? in->policy->max_violations
									: j->violations;
	struct ay_place at = { 0 };

	if (j->n_files == 0 && in->policy->violations == AY_VIOLATIONS_AS_REFERENCE)
		return;
	for (size_t i = 0; i < t->n_listed && !at.has_entry; i++)
		if (t->listed[i].outcome == AY_IMA_VIOLATION)
			at = (struct ay_place){ .has_entry = true,
						.entry = t->listed[i].entry,
						.path = { t->listed[i].path,
							  t->listed[i].path_n } };
	if (AY_CHECKED("IMA_VIOLATION", t->n[AY_IMA_VIOLATION] > most))
		ay_report_add(rep, AY_CHECK_IMA_VIOLATION, AY_FAIL, &at,
			      "%llu violations, %llu are allowed; the host names this path first",
			      (unsigned long long)t->n[AY_IMA_VIOLATION], (unsigned long long)most);
}

static void tell_weak(const struct ay_ima_tally *t, struct ay_report *rep)
{
	if (t->weak > 0)
		ay_report_add(rep, AY_CHECK_IMA_WEAK_DIGEST, AY_PASS, NULL,
			      "%llu files are known by SHA-1 only", (unsigned long long)t->weak);
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

/* ---- coverage: how many entries which rule judged ---- */

static void cover(struct ay_report *rep, uint64_t n, const char *what, const char *name)
{
	const char *text;

	if (n == 0)
		return;
	text = ay_arena_printf(rep->arena, "IMA: %llu entries: %s%s", (unsigned long long)n, what,
			       name);
	if (text == NULL)
		rep->fault = AY_E_NOMEM;
	else
		ay_report_cover(rep, 0, 10, -1, text);
}

static void cover_lists(const struct ay_ima_judge *j, const struct ay_ima_tally *t,
			struct ay_report *rep)
{
	for (size_t i = 0; i < j->n_files && i < AY_TALLY_RULES - 1; i++) {
		const struct ay_refset *s = j->files_of[i];
		const char *name = ay_arena_printf(rep->arena, "%s v%u", s->name, s->version);

		cover(rep, t->by_rule[i], "allow-list of set ", name == NULL ? "" : name);
	}
}

static void cover_policy(const struct ay_ima_judge *j, const struct ay_ima_tally *t,
			 struct ay_report *rep)
{
	const struct ay_ima_paths *p = &j->policy->ima_rules.paths;
	size_t at = ay_ima_judge_key_at(j);

	for (size_t i = 0; i < j->verifier.n && at + i < AY_TALLY_RULES - 1; i++)
		cover(rep, t->by_rule[at + i], "signed by key ", j->verifier.key[i]->name);
	at = ay_ima_judge_path_at(j);
	for (size_t i = 0; i < p->n && at + i < AY_TALLY_RULES - 1; i++)
		cover(rep, t->by_rule[at + i],
		      p->rule[i].action == AY_IMA_ACT_IGNORE ? "not judged: path rule ignore "
							     : "path rule allow ",
		      p->rule[i].pattern);
	cover(rep, t->by_rule[AY_TALLY_RULES - 1], "further rules", "");
}

static void tell_coverage(const struct ay_ima_judge *j, const struct ay_ima_tally *t,
			  struct ay_report *rep)
{
	uint64_t ignored = t->n[AY_IMA_IGNORED];

	cover_lists(j, t, rep);
	cover_policy(j, t, rep);
	cover(rep, t->n[AY_IMA_AGGREGATE], "boot_aggregate", "");
	cover(rep, t->n[AY_IMA_BUFFER], "buffer rules", "");
	cover(rep, t->n[AY_IMA_VIOLATION], "violations: counted", "");
	cover(rep, t->n[AY_IMA_UNKNOWN], "no rule", "");
	cover(rep, ay_tally_bad(t) - t->n[AY_IMA_UNKNOWN], "refused by a rule", "");
	if (ignored > 0)
		ay_report_add(rep, AY_CHECK_IMA_IGNORED, AY_PASS, NULL,
			      "%llu entries are not judged, as the policy says",
			      (unsigned long long)ignored);
}

/* ---- the whole ---- */

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
	struct ay_ima_odd odd = { 0 };
	struct ay_ima_judge j;
	enum ay_rc rc;

	if (!continues(in, t)) {
		ay_report_add(
			rep, AY_CHECK_IMA_CONTINUITY, AY_NOT_CHECKED, NULL,
			"earlier entries were judged by other sets: the whole list is needed");
		return AY_OK;
	}
	rc = gather(in, rep, &j, e);
	if (rc == AY_OK)
		rc = count_entries(in, &j, t, &odd, e);
	if (rc != AY_OK)
		return rc;
	tell_files(in, &j, t, rep);
	tell_violations(in, &j, t, rep);
	tell_weak(t, rep);
	tell_padded(in, rep);
	tell_coverage(&j, t, rep);
	ay_ima_odd_tell(&odd, rep);
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
