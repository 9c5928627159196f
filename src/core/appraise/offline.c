/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/offline.h"

#include "core/appraise/causes.h"
#include "core/appraise/check_log.h"
#include "core/base/hex.h"
#include "core/crypto/hash.h"
#include "core/evlog/ima_ascii.h"
#include "core/evlog/replay.h"
#include "core/evlog/tcg_data.h"

#include <string.h>

struct offline {
	const struct ay_offline_in *in;
	struct ay_arena *arena;
	struct ay_offline_out *out;
	struct ay_report *rep;
	struct ay_pcr_selection selection;  /* as the quote says, not yet believed */
	struct ay_err log_error, ima_error; /* rc AY_OK: none */
	struct ay_bytes list;		    /* binary; n 0: none */
	struct ay_pcrs hints;
};

/* ---- reading what was given ---- */

static bool is_fault(enum ay_rc rc)
{
	return rc != AY_OK && rc != AY_E_INPUT && rc != AY_E_LIMIT;
}

static enum ay_rc read_log(struct offline *o, struct ay_err *e)
{
	enum ay_rc rc;

	if (o->in->log.n == 0)
		return AY_OK;
	rc = ay_evlog_parse(o->in->log, o->arena, &o->out->log, &o->log_error);
	if (is_fault(rc))
		return ay_fail(e, rc, "eventlog", 0, "%s", o->log_error.text);
	o->log_error.rc = rc;
	o->out->log_parsed = rc == AY_OK;
	if (rc == AY_OK)
		ay_evlog_check_data(&o->out->log);
	return AY_OK;
}

/* The banks of the quote, so that replay and prefixes are in those. */
static void read_selection(struct offline *o)
{
	struct ay_quote q;

	if (ay_quote_parse(o->in->attest, &q, NULL) == AY_OK)
		o->selection = q.selection;
}

static enum ay_rc read_ima(struct offline *o, struct ay_err *e)
{
	struct ay_ima_bank banks[AY_IMA_BANKS];
	struct ay_ima_state s;
	size_t n = 0;
	enum ay_rc rc = AY_OK;

	if (o->in->ima.n == 0)
		return AY_OK;
	for (size_t i = 0; i < o->selection.n_banks; i++) {
		banks[n++] = (struct ay_ima_bank){ o->selection.bank[i].alg, false };
		if (o->selection.bank[i].alg != AY_ALG_SHA1)
			banks[n++] = (struct ay_ima_bank){ o->selection.bank[i].alg, true };
	}
	ay_ima_state_init(&s, banks, n);
	o->list = o->in->ima;
	if (ay_ima_is_ascii(o->in->ima))
		rc = ay_ima_ascii_parse(o->in->ima, o->arena, &o->list, &o->ima_error);
	if (rc == AY_OK)
		rc = ay_ima_replay(&s, o->list, AY_MAX_IMA_PREFIXES, &o->out->run, o->arena,
				   &o->ima_error);
	if (is_fault(rc))
		return ay_fail(e, rc, "ima", 0, "%s", o->ima_error.text);
	o->ima_error.rc = rc;
	return AY_OK;
}

/* Values nobody read: as the log leads to, reset values elsewhere. */
static enum ay_rc replay_values(struct offline *o, struct ay_err *e)
{
	static const uint8_t zeros[AY_DIGEST_MAX];
	bool launched = o->out->log_parsed && ay_evlog_has_launch(&o->out->log);
	struct ay_pcrs replayed = { 0 };
	uint8_t ones[AY_DIGEST_MAX];
	enum ay_rc rc = AY_OK;

	memset(ones, 0xff, sizeof(ones));
	if (o->out->log_parsed)
		rc = ay_evlog_replay(&o->out->log, &replayed, e);
	for (size_t i = 0; rc == AY_OK && i < o->selection.n_banks; i++)
		for (unsigned pcr = 0; rc == AY_OK && pcr < AY_PCR_COUNT; pcr++) {
			uint16_t alg = o->selection.bank[i].alg;
			struct ay_bytes v = ay_pcrs_value(&replayed, alg, pcr);

			if ((o->selection.bank[i].mask >> pcr & 1) == 0)
				continue;
			if (v.n == 0)
				v = (struct ay_bytes){ pcr >= 17 && pcr <= 22 && !launched ? ones
											   : zeros,
						       ay_alg_digest_size(alg) };
			rc = ay_pcrs_set(&o->hints, alg, pcr, v, e);
		}
	if (rc == AY_OK && o->list.n > 0 && o->ima_error.rc == AY_OK)
		ay_ima_state_apply(&o->out->run.now, &o->hints);
	return rc;
}

static enum ay_rc make_hints(struct offline *o, struct ay_err *e)
{
	if (o->in->pcrs == NULL)
		return replay_values(o, e);
	o->hints = *o->in->pcrs;
	return AY_OK;
}

/* Each file with its length, so that nothing can move from one to the next. */
static void name_evidence(struct offline *o)
{
	const struct ay_bytes files[] = { o->in->attest, o->in->signature, o->in->nonce, o->in->log,
					  o->in->ima };
	static const char label[] = "assay-offline-1";
	struct ay_hash h;

	(void)!ay_hash_init(&h, AY_ALG_SHA256);
	ay_hash_update(&h, AY_BYTES(label));
	for (size_t i = 0; i < AY_COUNT(files); i++) {
		uint64_t n = files[i].n;
		uint8_t be[8];

		for (size_t k = 0; k < 8; k++)
			be[k] = (uint8_t)(n >> (56 - 8 * k));
		ay_hash_update(&h, AY_BYTES(be));
		ay_hash_update(&h, files[i]);
	}
	if (o->in->pcrs != NULL) {
		uint8_t wire[AY_PCRS_WIRE_MAX];
		struct ay_writer w;

		ay_wr_init(&w, wire, sizeof(wire));
		ay_pcrs_write(&w, o->in->pcrs);
		ay_hash_update(&h, (struct ay_bytes){ wire, w.n });
	}
	ay_hash_final(&h, o->out->evidence);
}

/* ---- judging ---- */

static enum ay_rc judge_quote(struct offline *o, struct ay_err *e)
{
	struct ay_quote_ask ask = { .extra_data = o->in->nonce, .ak = o->in->ak };
	struct ay_quote_evidence ev = { .attest = o->in->attest,
					.signature = o->in->signature,
					.hints = &o->hints };

	if (o->list.n > 0 && o->ima_error.rc == AY_OK)
		ev.ima = &o->out->run;
	return ay_appraise_quote(&ask, &ev, &o->out->quote, o->rep, e);
}

/* What can be said although no value is vouched for. */
static void judge_unattested(struct offline *o)
{
	struct ay_place at = { .component = AY_COMP_PLATFORM };

	if (o->log_error.rc != AY_OK)
		ay_check_log_refused(&o->log_error, o->rep);
	if (o->ima_error.rc != AY_OK)
		ay_check_ima_refused(&o->ima_error, o->rep);
	if (o->in->log.n == 0 && o->in->pcrs == NULL)
		ay_report_add(o->rep, AY_CHECK_QUOTE_WITHOUT_LOG, AY_NOT_CHECKED, &at,
			      "neither PCR values nor a boot log were given");
}

static enum ay_rc judge_state(struct offline *o, struct ay_err *e)
{
	const struct ay_offline_in *in = o->in;
	struct ay_state_in st = { .pcrs = &o->out->quote.pcrs,
				  .log_given = AY_LOG_IS_REFUSED,
				  .log = &o->out->log,
				  .log_error = &o->log_error,
				  .sets = in->sets,
				  .n_sets = in->n_sets,
				  .policy = in->policy,
				  .offline = true,
				  .now_ms = in->now_ms };

	if (o->out->log_parsed)
		st.log_given = AY_LOG_IS_GIVEN;
	else if (in->log.n == 0)
		st.log_given = AY_LOG_IS_ABSENT;
	if (o->list.n > 0 && o->ima_error.rc == AY_OK)
		st.ima_pcrs = ay_ima_pcrs(&o->out->run.now);
	return ay_appraise_state(&st, o->rep, e);
}

/* Which prefix the quote covers, by the rule of new kernels or of those before 5.8. */
static bool find_prefix(struct offline *o, bool *padded)
{
	struct ay_ima_run old = o->out->run;

	*padded = false;
	if (ay_ima_run_fit(&o->out->run, &o->out->quote.pcrs, false))
		return true;
	*padded = ay_ima_run_fit(&old, &o->out->quote.pcrs, true);
	if (*padded)
		o->out->run = old;
	return *padded;
}

static enum ay_rc judge_runtime(struct offline *o, struct ay_err *e)
{
	static const struct ay_ima_tally none;
	struct ay_ima_tally tally = none;
	struct ay_runtime_in rt = { .pcrs = &o->out->quote.pcrs,
				    .list = o->list,
				    .sets = o->in->sets,
				    .n_sets = o->in->n_sets,
				    .policy = o->in->policy,
				    .offline = true,
				    .now_ms = o->in->now_ms };

	if (o->ima_error.rc != AY_OK) {
		rt.ima_error = &o->ima_error;
	} else if (o->list.n > 0) {
		rt.fits = o->out->ima_fits = find_prefix(o, &rt.padded);
		rt.run = &o->out->run;
		o->out->ima = (struct ay_bytes){ o->list.p, o->out->run.now.octets };
	}
	return ay_appraise_runtime(&rt, &tally, o->rep, e);
}

static enum ay_rc judge(struct offline *o, struct ay_err *e)
{
	enum ay_rc rc = judge_quote(o, e);

	ay_check_identity_grade(o->in->policy, "", true, o->rep);
	if (rc != AY_OK)
		return rc;
	if (!o->out->quote.pcrs_attested) {
		judge_unattested(o);
		return AY_OK;
	}
	rc = judge_state(o, e);
	return rc == AY_OK ? judge_runtime(o, e) : rc;
}

enum ay_rc ay_appraise_offline(const struct ay_offline_in *in, struct ay_arena *arena,
			       struct ay_offline_out *out, struct ay_report *rep, struct ay_err *e)
{
	struct offline o = { .in = in, .arena = arena, .out = out, .rep = rep };
	enum ay_rc rc;

	*out = (struct ay_offline_out){ 0 };
	read_selection(&o);
	name_evidence(&o);
	rc = read_log(&o, e);
	if (rc == AY_OK)
		rc = read_ima(&o, e);
	if (rc == AY_OK)
		rc = make_hints(&o, e);
	if (rc == AY_OK)
		rc = judge(&o, e);
	if (rc == AY_OK)
		rc = ay_appraise_conclude(
			in->policy,
			ay_policy_required(in->policy, in->sets, in->n_sets, true, in->now_ms),
			in->now_ms, rep, e);
	if (rc == AY_OK)
		ay_causes_find(rep, out->log_parsed ? &out->log : NULL);
	return rc;
}

/* ---- learning ---- */

/* A failure that a set may record: what genuine firmware logs and what it measures may differ. */
static bool is_recordable(const struct ay_finding *f)
{
	return f->code == AY_CHECK_LOG_EVENT_DATA;
}

static bool may_learn(const struct ay_offline_out *out, const struct ay_report *rep)
{
	if (!out->quote.verified || !out->quote.fresh || !out->quote.pcrs_attested ||
	    rep->n_dropped > 0)
		return false;
	for (size_t i = 0; i < rep->n_findings; i++)
		if (rep->finding[i].result == AY_FAIL && !is_recordable(&rep->finding[i]))
			return false;
	return true;
}

enum ay_rc ay_learn_offline(const struct ay_offline_in *in, const struct ay_learn_options *opt,
			    struct ay_arena *arena, struct ay_refset **set, struct ay_report *rep,
			    struct ay_err *e)
{
	struct ay_offline_in bare = *in;
	struct ay_offline_out out;
	struct ay_policy *policy = NULL;
	struct ay_learn_from from = { 0 };
	struct ay_learn_options named = *opt;
	char hex[65];
	enum ay_rc rc = ay_policy_default(&policy, e);

	*set = NULL;
	bare.sets = NULL; /* there is nothing to compare with yet */
	bare.n_sets = 0;
	bare.policy = policy;
	if (rc == AY_OK)
		rc = ay_appraise_offline(&bare, arena, &out, rep, e);
	ay_policy_free(policy);
	if (rc != AY_OK || !may_learn(&out, rep))
		return rc;
	from.pcrs = &out.quote.pcrs;
	from.log = out.log_parsed ? &out.log : NULL;
	if (out.ima_fits)
		from.ima = out.ima;
	ay_hex_encode(AY_BYTES(out.evidence), hex);
	if (named.provenance.evidence == NULL)
		named.provenance.evidence = hex;
	return ay_refset_learn(&from, &named, set, e);
}
