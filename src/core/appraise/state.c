/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/state.h"

#include <string.h>

#include "core/appraise/check_demands.h"
#include "core/appraise/check_launch.h"
#include "core/appraise/check_log.h"
#include "core/appraise/secure_boot.h"
#include "core/appraise/sets.h"
#include "core/crypto/hash.h"
#include "core/evlog/replay.h"

/* PCRs that a kernel may leave to IMA; the others belong to the boot. */
#define IMA_MAY_EXTEND 0xfc00u

/* ---- key ---- */

static void put(struct ay_hash *h, const void *p, size_t n)
{
	ay_hash_update(h, (struct ay_bytes){ p, n });
}

static void put_u32(struct ay_hash *h, uint32_t v)
{
	uint8_t b[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

	put(h, b, sizeof(b));
}

static void put_instant(struct ay_hash *h, int64_t at_ms)
{
	put_u32(h, (uint32_t)((uint64_t)at_ms >> 32));
	put_u32(h, (uint32_t)at_ms);
}

static void put_values(struct ay_hash *h, const struct ay_pcrs *p)
{
	put_u32(h, (uint32_t)p->n_banks);
	for (size_t k = 0; k < p->n_banks; k++) {
		const struct ay_pcr_bank *b = &p->bank[k];
		size_t n = ay_alg_digest_size(b->alg);

		put_u32(h, b->alg);
		put_u32(h, b->have & AY_PCR_BY_VALUE);
		for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++)
			if ((b->have & AY_PCR_BY_VALUE & (1u << pcr)) != 0)
				put(h, b->value[pcr], n);
	}
}

static void put_sets(struct ay_hash *h, const struct ay_refset *const *sets, size_t n)
{
	put_u32(h, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		put(h, sets[i]->sha256, sizeof(sets[i]->sha256));
		put_u32(h, sets[i]->state);
	}
}

static void key_begin(struct ay_hash *h, const char *label)
{
	static const char engine[] = AY_VERSION;

	(void)!ay_hash_init(h, AY_ALG_SHA256); /* an algorithm that is always there */
	put(h, label, strlen(label) + 1);
	put(h, engine, sizeof(engine));
}

void ay_state_key(const struct ay_state_in *in, uint8_t key[32])
{
	static const uint8_t no_hash[32];
	struct ay_hash h;

	key_begin(&h, "assay-state-1");
	put_values(&h, in->pcrs);
	put_u32(&h, in->log_given);
	put(&h, in->log_sha256, sizeof(in->log_sha256));
	put_u32(&h, in->ima_pcrs);
	put_u32(&h, (uint32_t)in->offline | (uint32_t)in->reported << 1);
	put(&h, in->policy == NULL ? no_hash : in->policy->sha256, 32);
	put_instant(&h,
		    in->policy == NULL ? INT64_MAX : ay_policy_next_end(in->policy, in->now_ms));
	put_sets(&h, in->sets, in->n_sets);
	put_u32(&h, in->parts != NULL);
	for (size_t i = 0; in->parts != NULL && i < in->n_sets; i++)
		put_u32(&h, in->parts[i]);
	ay_hash_final(&h, key);
}

uint32_t ay_ima_pcrs(const struct ay_ima_state *s)
{
	uint32_t mask = 1u << 10;

	for (size_t i = 0; i < s->n_pcrs; i++)
		mask |= 1u << s->slot[i].pcr;
	return mask & IMA_MAY_EXTEND;
}

/* ---- sets in force ---- */

bool ay_policy_in_force(const struct ay_policy *p, const struct ay_refset *s, bool offline,
			int64_t now_ms)
{
	if (!ay_policy_takes(p, s->name))
		return false;
	if (offline || !AY_CHECKED("REF_STATE", s->state != AY_SET_ACTIVE))
		return true;
	return s->state == AY_SET_SUPERSEDED &&
	       ay_policy_window(p, s->name, s->version, now_ms) != NULL;
}

static uint32_t parts_in_force(const struct ay_policy *p, const struct ay_refset *const *sets,
			       size_t n, bool offline, int64_t now_ms)
{
	uint32_t parts = 0;

	for (size_t i = 0; i < n; i++)
		for (unsigned part = 0; part < AY_PARTS; part++)
			if (ay_policy_in_force(p, sets[i], offline, now_ms) &&
			    ay_policy_takes_part(p, sets[i]->name, part))
				parts |= ay_refset_parts(sets[i]) & AY_PART_BIT(part);
	return parts;
}

/* Parts that the references ask for: required, or defined by a set in force. */
static uint32_t parts_asked(const struct ay_policy *p, uint32_t in_force)
{
	uint32_t parts = 0;

	for (size_t i = 0; i < p->n_ref_rules; i++)
		parts |= p->ref_rule[i].required ? p->ref_rule[i].parts
						 : p->ref_rule[i].parts & in_force;
	return p->ima ? parts : parts & ~AY_PART_BIT(AY_PART_RUNTIME);
}

unsigned ay_policy_required(const struct ay_policy *p, const struct ay_refset *const *sets,
			    size_t n_sets, bool offline, int64_t now_ms)
{
	static const struct {
		enum ay_part part;
		enum ay_component component;
	} of[] = {
		{ AY_PART_PLATFORM, AY_COMP_PLATFORM },
		{ AY_PART_OS, AY_COMP_OS },
		{ AY_PART_RUNTIME, AY_COMP_RUNTIME },
		{ AY_PART_ASSET_TAG, AY_COMP_ASSET_TAG },
	};
	unsigned required;
	uint32_t parts, asked;

	if (p == NULL)
		return 0;
	required = p->required;
	parts = parts_in_force(p, sets, n_sets, offline, now_ms);
	asked = parts_asked(p, parts);
	for (size_t i = 0; i < AY_COUNT(of); i++) {
		unsigned bit = AY_COMP_BIT(of[i].component);

		if ((parts & AY_PART_BIT(of[i].part)) != 0)
			required |= p->required_if_reference & bit;
		if (AY_CHECKED("REF_ASKED", (asked & AY_PART_BIT(of[i].part)) != 0))
			required |= bit;
	}
	return required;
}

/* ---- the log ---- */

struct judge {
	const struct ay_state_in *in;
	struct ay_report *rep;
	struct ay_boot_facts facts;
	struct ay_judged judged; /* by the sets */
};

static bool known_mismatch(const void *ctx, const struct ay_evlog *log, size_t event)
{
	const struct ay_state_in *in = ctx;

	for (size_t i = 0; in->policy != NULL && i < in->n_sets; i++)
		if (ay_policy_in_force(in->policy, in->sets[i], in->offline, in->now_ms) &&
		    ay_refset_knows_mismatch(in->sets[i], log, event))
			return true;
	return false;
}

/* PCRs with a value that the replayed log does not give. */
static uint32_t unexplained(const struct ay_pcrs *attested, const struct ay_pcrs *replayed)
{
	uint32_t mask = 0;

	for (size_t k = 0; k < attested->n_banks; k++) {
		uint16_t alg = attested->bank[k].alg;

		for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
			struct ay_bytes got = ay_pcrs_value(attested, alg, pcr);
			struct ay_bytes want = ay_pcrs_value(replayed, alg, pcr);

			if (got.n > 0 && want.n > 0 && !ay_bytes_eq(got, want))
				mask |= 1u << pcr;
		}
	}
	return mask;
}

/* Events of a launch that the log does not begin: they are never replayed, and prove nothing. */
static uint32_t without_launch(const struct ay_evlog *log)
{
	/* what a manager reports begins after the launch */
	bool launched = ay_evlog_has_launch(log) || log->format == AY_EVLOG_REPORTED;
	uint32_t mask = 0;

	for (size_t i = 0; !launched && i < log->n_events; i++)
		if (log->event[i].pcr >= AY_DRTM_FIRST && log->event[i].pcr <= AY_DRTM_LAST &&
		    ay_event_is_extended(&log->event[i]))
			mask |= 1u << log->event[i].pcr;
	return mask;
}

static void check_strength(const struct ay_state_in *in, struct ay_report *rep)
{
	bool strong = false;

	for (size_t k = 0; k < in->log->n_banks; k++)
		strong |= in->log->bank[k] != AY_ALG_SHA1;
	if (in->policy != NULL && in->policy->refuse_weak_log &&
	    AY_CHECKED("LOG_BANK_WEAK", !strong))
		ay_report_add(rep, AY_CHECK_LOG_BANK_WEAK, AY_FAIL, NULL,
			      "boot log has SHA-1 digests only, which the policy refuses");
}

/* PCR values stand alone: they are compared whole, and that is enough only if the policy says so.
 */
static void judge_no_log(struct judge *j)
{
	static const enum ay_component of[] = { AY_COMP_PLATFORM, AY_COMP_OS };
	const struct ay_policy *p = j->in->policy;
	bool allowed = p != NULL && p->allow_no_log;

	for (size_t i = 0; i < AY_COUNT(of); i++) {
		struct ay_place at = { .component = of[i], .optional = allowed };

		if (allowed)
			ay_report_add(j->rep, AY_CHECK_QUOTE_WITHOUT_LOG, AY_NOT_CHECKED, &at,
				      "no boot log; allowed by %.60s: %.200s", p->no_log_owner,
				      p->no_log_reason);
		else if (AY_CHECKED("QUOTE_WITHOUT_LOG", true))
			ay_report_add(j->rep, AY_CHECK_QUOTE_WITHOUT_LOG, AY_NOT_CHECKED, &at,
				      "no boot log came with the PCR values");
	}
}

static enum ay_rc judge_log(struct judge *j, struct ay_err *e)
{
	const struct ay_state_in *in = j->in;
	struct ay_known_mismatch known = { known_mismatch, in };
	struct ay_pcrs replayed = { 0 };
	enum ay_rc rc = ay_evlog_replay(in->log, &replayed, e);

	if (rc != AY_OK)
		return rc;
	if (!ay_evlog_has_boot(in->log))
		judge_no_log(j);
	(void)!ay_check_log_pcrs(in->log, in->pcrs, &replayed, in->ima_pcrs | (1u << 10), j->rep);
	ay_check_log_shape(in->log, &known, j->rep);
	ay_check_log_data(in->log, &known, j->rep);
	check_strength(in, j->rep);
	j->facts.log = in->log;
	j->facts.unexplained = unexplained(in->pcrs, &replayed) | without_launch(in->log);
	return AY_OK;
}

static enum ay_rc judge_boot_log(struct judge *j, struct ay_err *e)
{
	switch (j->in->log_given) {
	case AY_LOG_IS_GIVEN:
		return judge_log(j, e);
	case AY_LOG_IS_ABSENT:
		judge_no_log(j);
		return AY_OK;
	case AY_LOG_HAS_VANISHED:
		if (AY_CHECKED("LOG_VANISHED", true))
			ay_report_add(j->rep, AY_CHECK_LOG_VANISHED, AY_FAIL, NULL,
				      "an earlier boot had a boot log, this one has none");
		return AY_OK;
	case AY_LOG_IS_REFUSED:
		break;
	}
	ay_check_log_refused(j->in->log_error, j->rep);
	return AY_OK;
}

/* ---- reference sets ---- */

static void check_any_rule(struct judge *j, enum ay_component c)
{
	struct ay_place at = { .component = c };
	uint32_t ruled = j->judged.by_value | j->judged.by_events | j->judged.in_part;

	for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++)
		if ((ruled & (1u << pcr)) != 0 && ay_component_of_pcr(pcr) == c)
			return;
	if (c == AY_COMP_PLATFORM && j->judged.of_platform != 0)
		return;
	if (AY_CHECKED("REF_NONE", true))
		ay_report_add(j->rep, AY_CHECK_REF_NONE, AY_NOT_CHECKED, &at,
			      "no reference set in force has values for %s", ay_component_name(c));
}

/* A set that the policy names and that is not in force says why nothing was compared. */
static void check_named_set(struct judge *j, const char *name)
{
	const struct ay_state_in *in = j->in;
	const struct ay_refset *seen = NULL;
	struct ay_place at = { .component = AY_COMP_PLATFORM, .optional = true };

	for (size_t i = 0; i < in->n_sets; i++) {
		if (strcmp(in->sets[i]->name, name) != 0)
			continue;
		seen = in->sets[i];
		if (ay_policy_in_force(in->policy, seen, in->offline, in->now_ms))
			return;
	}
	ay_report_add(j->rep, AY_CHECK_REF_STATE, AY_NOT_CHECKED, &at,
		      "set %s, which the policy names, is %s", name,
		      seen == NULL ? "not there" : ay_set_state_name(seen->state));
}

static void check_named_sets(struct judge *j)
{
	const struct ay_policy *p = j->in->policy;

	for (size_t i = 0; i < p->n_references; i++)
		check_named_set(j, p->reference[i]);
	for (size_t r = 0; r < p->n_ref_rules; r++)
		for (size_t i = 0; i < p->ref_rule[r].n_names; i++)
			check_named_set(j, p->ref_rule[r].name[i]);
}

static const char *rule_of_event(const struct judge *j, unsigned pcr)
{
	uint32_t bit = 1u << pcr;

	if ((AY_PCR_ASKED & bit) == 0)
		return "not judged: software may reset this PCR";
	if (pcr == 10)
		return "IMA";
	if (j->judged.golden[pcr] != NULL)
		return "golden value only: the log of this PCR is not judged";
	return (j->judged.by_value & bit) != 0 ? "exact PCR value" : "no rule";
}

/* A rule that judges a PCR in part has covered the events that it asks for. */
static bool is_covered(const struct judge *j, unsigned pcr, size_t event)
{
	if ((j->judged.by_events & (1u << pcr)) != 0)
		return true;
	for (size_t i = 0; (j->judged.in_part & (1u << pcr)) != 0 && i < j->rep->n_coverage; i++)
		if (j->rep->coverage[i].event == (int32_t)event)
			return true;
	return false;
}

/* Rules covered what they judged; say of the rest that nothing did. */
static void cover_rest(struct judge *j)
{
	const struct ay_evlog *log = j->facts.log;
	const struct ay_pcrs *p = j->in->pcrs;

	for (size_t k = 0; k < p->n_banks; k++)
		for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++)
			if ((p->bank[k].have & (1u << pcr) & ~j->judged.by_value) != 0)
				ay_report_cover(j->rep, p->bank[k].alg, pcr, -1,
						(j->judged.by_events & (1u << pcr)) != 0
							? "events"
							: rule_of_event(j, pcr));
	for (size_t i = 0; log != NULL && i < log->n_events; i++) {
		unsigned pcr = log->event[i].pcr;

		if (pcr < AY_PCR_COUNT && ay_event_is_extended(&log->event[i]) &&
		    !is_covered(j, pcr, i))
			ay_report_cover(j->rep, 0, pcr, (int32_t)i, rule_of_event(j, pcr));
	}
}

/* What a value is worth, however well log and values fit together. */
static enum ay_grade grade_of(const struct ay_state_in *in)
{
	if (AY_CHECKED("GRADE_REPORTED", in->reported))
		return AY_GRADE_REPORTED;
	return AY_GRADE_TPM_SIGNED;
}

enum ay_rc ay_appraise_state(const struct ay_state_in *in, struct ay_report *rep, struct ay_err *e)
{
	struct judge j = { .in = in, .rep = rep };
	struct ay_named name;
	size_t n_log;
	enum ay_rc rc;

	j.facts.pcrs = in->pcrs;
	j.facts.offline = in->offline;
	rc = judge_boot_log(&j, e);
	if (rc != AY_OK)
		return rc;
	ay_check_launch_values(in->pcrs, rep);
	ay_check_launch_facts(&j.facts, rep);
	if (in->policy == NULL) {
		ay_report_add(rep, AY_CHECK_NO_POLICY, AY_NOT_CHECKED, NULL,
			      "no trust policy applies to this host");
		return rep->fault;
	}
	if (AY_CHECKED("NO_POLICY", ay_policy_required(in->policy, in->sets, in->n_sets,
						       in->offline, in->now_ms) == 0))
		ay_report_add(rep, AY_CHECK_NO_POLICY, AY_NOT_CHECKED, NULL,
			      "trust policy %.*s requires nothing, so nothing is trusted",
			      AY_MAX_NAME_BYTES, in->policy->name);
	name = ay_policy_named(in->policy);
	rep->policy = name;
	rep->policy.name = ay_arena_str(rep->arena, ay_bytes_of(name.name));
	n_log = rep->n_findings;
	ay_judge_sets(in, &j.facts, &j.judged, rep);
	ay_excuse_log(&j.judged, n_log, rep);
	ay_check_launch_claimed(&j.judged, &j.facts, rep);
	ay_check_launch_demand(in->policy, &j.judged, in->pcrs, rep);
	check_named_sets(&j);
	ay_check_demands(in->policy, in->pcrs, j.judged.by_value | j.judged.by_events,
			 j.judged.strong, rep);
	ay_check_secure_boot(&in->policy->secure_boot, &j.facts, rep);
	check_any_rule(&j, AY_COMP_PLATFORM);
	check_any_rule(&j, AY_COMP_OS);
	cover_rest(&j);
	ay_report_grade(rep, AY_COMP_PLATFORM, grade_of(in));
	ay_report_grade(rep, AY_COMP_OS, grade_of(in));
	if (rep->policy.name == NULL || rep->fault != AY_OK)
		return ay_fail(e, AY_E_NOMEM, "report", 0, "out of memory for the report");
	return AY_OK;
}

/* ---- what the running system is judged by ---- */

/* Has it rules for entries of an IMA list, or digests that are forbidden everywhere? */
static bool judges_files(const struct ay_refset *s)
{
	for (size_t i = 0; i < s->n_rules; i++)
		if (s->rule[i].kind->role == AY_ROLE_RUNTIME ||
		    s->rule[i].kind->role == AY_ROLE_FORBIDS)
			return true;
	return false;
}

void ay_tally_key(const struct ay_policy *p, const struct ay_refset *const *sets, size_t n_sets,
		  bool offline, int64_t now_ms, uint8_t key[32])
{
	struct ay_hash h;

	memset(key, 0, 32);
	if (p == NULL || !p->ima)
		return; /* nobody judges: the key of a tally that was never begun */
	key_begin(&h, "assay-tally-2");
	put(&h, p->ima_rules.sha256, sizeof(p->ima_rules.sha256));
	for (size_t i = 0; i < n_sets; i++)
		if (ay_policy_in_force(p, sets[i], offline, now_ms) && judges_files(sets[i])) {
			put(&h, sets[i]->sha256, sizeof(sets[i]->sha256));
			put_u32(&h, ay_policy_uses_runtime(p, sets, n_sets, i, offline, now_ms));
		}
	ay_hash_final(&h, key);
}
