/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/judge_impl.h"
#include "prog/assayd/managed_judge.h"

#include "core/appraise/causes.h"
#include "core/appraise/check_quote12.h"
#include "core/appraise/report_json.h"
#include "core/crypto/hash.h"
#include "core/evlog/tcg_data.h"
#include "core/tpm/qualify.h"

#include <stdlib.h>

/* ---- what came ---- */

static void malformed(struct judging *v, const struct ay_err *e)
{
	(void)ay_report_add(&v->rep, AY_CHECK_EVIDENCE_MALFORMED, AY_FAIL, NULL,
			    "%s: %s (offset %zu)", e->where ? e->where : "evidence", e->text,
			    e->offset);
}

/* body_max is 0 where the octets are somebody else's. */
static bool take_body(struct ay_job *j, struct ay_bytes body)
{
	uint8_t *p = body.n > j->body_max ? malloc(body.n) : j->body;

	if (!p)
		return false;
	memcpy(p, body.p, body.n);
	if (p != j->body) {
		if (j->body_max)
			free(j->body);
		j->body = p;
		j->body_max = body.n;
	}
	j->body_n = body.n;
	return true;
}

/* A connector's octets become the body that an agent would have sent. */
static bool read_raw(struct judging *v)
{
	struct ay_job *j = v->j;
	const struct ay_managed_judge *m = ay_managed_judge_find(j->managed);
	struct ay_bytes body;
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (!j->raw)
		return true;
	rc = m ? m->read((struct ay_bytes){ j->body, j->body_n }, v->a, &body, &e)
	       : ay_fail(&e, AY_E_INPUT, "evidence", 0, "no connector reads it");
	if (rc == AY_OK && !take_body(j, body))
		rc = ay_fail(&e, AY_E_NOMEM, "evidence", 0, "no memory");
	if (rc == AY_OK) {
		j->raw = false; /* and so it stays if it is judged once more */
		return true;
	}
	if (rc == AY_E_NOMEM || rc == AY_E_BUG) {
		j->fault = rc;
		j->err = e;
	}
	malformed(v, &e);
	j->attest =
		(struct ay_bytes){ j->body, j->body_n < AY_MAX_ATTEST_BYTES ? j->body_n
									    : AY_MAX_ATTEST_BYTES };
	return false;
}

static bool read_evidence(struct judging *v)
{
	struct ay_job *j = v->j;
	struct ay_bytes known =
		j->known_pcrs ? ay_blob_data(j->known_pcrs) : (struct ay_bytes){ 0 };
	struct ay_err e;

	if (!read_raw(v))
		return false;
	if (AY_CHECKED("EVIDENCE_MALFORMED",
		       ay_evidence_parse((struct ay_bytes){ j->body, j->body_n }, &v->ev, &e) !=
			       AY_OK)) {
		malformed(v, &e);
		/* what came is kept as far as a row has room for it */
		j->attest = (struct ay_bytes){ j->body, j->body_n < AY_MAX_ATTEST_BYTES
								? j->body_n
								: AY_MAX_ATTEST_BYTES };
		return false;
	}
	j->attest = v->ev.attest;
	j->signature = v->ev.signature;
	/* it leans on what was known when it was asked, and that was forgotten meanwhile */
	j->ask_again = j->tries && ((v->ev.hints == 2 && !j->known_pcrs) ||
				    (v->ev.log == AY_GIVEN_KNOWN && !j->has_known_log));
	if (j->ask_again)
		return false;
	if (ay_evidence_values(&v->ev, known, &v->hints, &e) != AY_OK) {
		malformed(v, &e);
		return false;
	}
	return true;
}

/* ---- the quote ---- */

/* The answer of a TPM 1.2: externalData is the first 20 octets [design 5]. */
static bool check_quote12(struct judging *v, const uint8_t extra[AY_QUALIFY_BYTES])
{
	struct ay_job *j = v->j;
	struct ay_quote12_ask ask = { .nonce = { extra, AY_TPM12_DIGEST },
				      .mask = ay_quote12_mask(&j->asked),
				      .ak = j->ak,
				      .exact = true };
	struct ay_quote12_evidence ev = { .message = v->ev.attest,
					  .signature = v->ev.signature,
					  .hints = v->hints.n_banks ? &v->hints : NULL,
					  .ima = v->has_run ? &v->run : NULL };
	static const uint8_t none[16];

	j->fault = ay_appraise_quote12(&ask, &ev, &v->facts, &v->rep, &j->err);
	j->verified = v->facts.verified;
	j->fresh = v->facts.fresh;
	/* it counts no resets: the host's word, which only decides where its IMA list begins */
	j->rebooted = j->verified && memcmp(j->known_boot.boot_id, none, sizeof(none)) != 0 &&
		      memcmp(j->known_boot.boot_id, v->ev.boot_id, sizeof(none)) != 0;
	return j->fault == AY_OK;
}

static bool check_quote(struct judging *v)
{
	struct ay_job *j = v->j;
	uint8_t extra[AY_QUALIFY_BYTES];
	struct ay_quote_ask ask = {
		.extra_data = AY_BYTES(extra),
		.selection = &j->asked,
		.ak = j->ak,
		.qualified_name = { j->qualified_name, j->qualified_name_n },
		.last = j->last,
	};
	struct ay_quote_evidence ev = {
		.attest = v->ev.attest,
		.signature = v->ev.signature,
		.hints = v->hints.n_banks ? &v->hints : NULL,
		.ima = v->has_run ? &v->run : NULL,
	};
	const struct ay_managed_judge *m = ay_managed_judge_find(j->managed);

	if (m)
		return m->check(v);

	ay_qualify(AY_QUALIFY_QUOTE, j->nonce, j->exporter, &j->host_id, NULL, extra);
	if (j->is_tpm12)
		return check_quote12(v, extra);
	j->fault = ay_appraise_quote(&ask, &ev, &v->facts, &v->rep, &j->err);
	j->verified = v->facts.verified;
	j->fresh = v->facts.fresh;
	j->rebooted = v->facts.rebooted;
	j->counters = v->facts.now;
	return j->fault == AY_OK;
}

static void check_banks(struct judging *v)
{
	struct ay_pcrs *known;
	struct ay_reader r;

	if (!v->j->known_pcrs || !(known = ay_arena_alloc(v->a, sizeof(*known))))
		return;
	ay_rd_init(&r, ay_blob_data(v->j->known_pcrs));
	ay_pcrs_read(&r, known);
	for (size_t i = 0; i < known->n_banks && ay_rd_ok(&r); i++) {
		/* a manager is asked for all there is */
		bool there = v->j->managed && ay_pcrs_find(&v->hints, known->bank[i].alg) != NULL;
		struct ay_place at = { .bank = known->bank[i].alg };

		for (size_t k = 0; k < v->j->asked.n_banks; k++)
			there = there || v->j->asked.bank[k].alg == known->bank[i].alg;
		if (!AY_CHECKED("BANK_LOST", !there))
			continue;
		v->j->bank_lost = true;
		(void)ay_report_add(&v->rep, AY_CHECK_BANK_LOST, AY_FAIL, &at,
				    "a bank that was attested before is not allocated");
	}
}

/* What stands against the host's identity whatever this quote says. */
static void check_standing(struct judging *v)
{
	struct ay_job *j = v->j;
	const struct ay_finding *back = ay_report_find(&v->rep, AY_CHECK_COUNTER_BACK);

	j->counter_back = back && back->result == AY_FAIL;
	if (j->sticky_counter && !j->counter_back)
		(void)ay_report_add(
			&v->rep, AY_CHECK_COUNTER_BACK, AY_FAIL, NULL,
			"counters went back earlier; an operator has not acknowledged it");
	j->sticky_counter = j->sticky_counter || j->counter_back;
	if (j->sticky_duplicate)
		(void)ay_report_add(&v->rep, AY_CHECK_HOST_DUPLICATE, AY_FAIL, NULL,
				    "two machines answered for this host; an operator has not "
				    "acknowledged it");
	if (AY_CHECKED("AIK_CERT_LIFE", j->cert_until_ms && j->now_ms >= j->cert_until_ms))
		(void)ay_report_add(&v->rep, AY_CHECK_AIK_CERT, AY_FAIL, NULL,
				    "AIK certificate has expired");
	if (AY_CHECKED("AIK_CERT_REVOKED", j->cert_revoked))
		(void)ay_report_add(&v->rep, AY_CHECK_AIK_CERT, AY_FAIL, NULL,
				    "AIK certificate was revoked");
	/* before the comparison of reports: a grade is the host's own */
	ay_check_identity_grade(j->judge ? j->judge->policy : NULL, j->identity_grade, false,
				&v->rep);
}

/* ---- TPM and host tell one story of this boot ---- */

static void check_boot(struct judging *v)
{
	struct ay_job *j = v->j;

	if (j->verified)
		j->boot_broken = ay_check_boot(&j->known_boot, v->ev.boot_id, &j->counters,
					       &v->rep) == AY_FAIL;
}

static void check_restart(struct judging *v)
{
	struct ay_job *j = v->j;
	struct ay_pcrs *before;
	struct ay_reader r;

	if (!j->known_pcrs || !(before = ay_arena_alloc(v->a, sizeof(*before))))
		return;
	ay_rd_init(&r, ay_blob_data(j->known_pcrs));
	ay_pcrs_read(&r, before);
	if (ay_rd_ok(&r) && ay_check_restart(&j->known_boot, v->ev.boot_id, &j->counters, before,
					     &v->facts.pcrs, &v->rep) == AY_FAIL)
		j->boot_broken = true;
}

/* ---- the state ---- */

static void which_log(struct judging *v)
{
	struct ay_job *j = v->j;

	j->has_log = j->has_known_log;
	memcpy(j->log_id, j->known_log_id, sizeof(j->log_id));
	v->log_given = j->has_known_log ? AY_LOG_HAS_VANISHED : AY_LOG_IS_ABSENT;
	if (v->ev.log == AY_GIVEN_NEW) {
		v->log_given = AY_LOG_IS_GIVEN;
		v->log = v->ev.log_octets;
		ay_sha256(v->log, j->log_id);
		j->has_log = true;
	} else if (v->ev.log == AY_GIVEN_KNOWN && j->has_known_log) {
		v->log_given = AY_LOG_IS_GIVEN;
		if (j->known_log)
			v->log = ay_blob_data(j->known_log);
	} else if (v->ev.log == AY_GIVEN_KNOWN) {
		(void)ay_report_add(&v->rep, AY_CHECK_EVIDENCE_MISSING, AY_FAIL, NULL,
				    "boot log is said to be as known, and none is known");
	}
}

static void state_in(const struct judging *v, struct ay_state_in *in)
{
	const struct ay_judge *judge = v->j->judge;

	memset(in, 0, sizeof(*in));
	in->pcrs = &v->facts.pcrs;
	in->log_given = v->log_given;
	in->ima_pcrs = v->has_run ? ay_ima_pcrs(&v->run.now) : 0;
	if (v->log_given == AY_LOG_IS_GIVEN)
		memcpy(in->log_sha256, v->j->log_id, sizeof(in->log_sha256));
	if (judge) {
		in->sets = judge->sets;
		in->parts = judge->parts;
		in->n_sets = judge->n_sets;
		in->policy = judge->policy;
	}
	in->reported = v->reported;
	in->now_ms = v->j->now_ms;
}

/* Parse the log that speaks for this boot; false when its octets must be fetched first. */
static bool open_log(struct judging *v)
{
	if (v->log_given != AY_LOG_IS_GIVEN)
		return true;
	if (v->ev.log != AY_GIVEN_NEW && !v->j->known_log && v->j->fetch_log) {
		v->j->known_log = v->j->fetch_log(v->j->fetch_arg);
		if (v->j->known_log)
			v->log = ay_blob_data(v->j->known_log);
	}
	if (v->ev.log != AY_GIVEN_NEW && !v->j->known_log) {
		v->j->need_log = true;
		return false;
	}
	v->parsed = ay_arena_alloc(v->a, sizeof(*v->parsed));
	if (v->parsed && ay_evlog_parse(v->log, v->a, v->parsed, &v->log_refused) == AY_OK)
		ay_evlog_check_data(v->parsed);
	else
		v->parsed = NULL;
	if (AY_CHECKED("LOG_REPORTED",
		       v->parsed && v->parsed->format == AY_EVLOG_REPORTED && !v->reported)) {
		v->log_refused.rc = ay_fail_code(&v->log_refused, AY_E_INPUT, "LOG_HEADER", "log",
						 "has the form of what a manager reports");
		v->parsed = NULL;
	}
	return true;
}

/* Judge the boot in full: once for each state, whatever the number of hosts in it. */
static bool judge_state(struct judging *v, struct ay_state_in *in, const uint8_t key[32])
{
	struct ay_job *j = v->j;
	struct ay_report boot;
	struct ay_bytes octets;

	if (!open_log(v))
		return false;
	in->log = v->parsed;
	if (v->log_given == AY_LOG_IS_GIVEN && !v->parsed) {
		in->log_given = AY_LOG_IS_REFUSED;
		in->log_error = &v->log_refused;
	}
	ay_report_init(&boot, v->a);
	j->fault = ay_appraise_state(in, &boot, &j->err);
	if (j->fault != AY_OK)
		return false;
	octets = ay_report_write(&boot, v->a);
	j->memo = octets.p ? ay_memo_add(v->memos, key, octets) : NULL;
	ay_report_merge(&v->rep, &boot);
	return true;
}

static bool has_failed(const struct ay_report *rep)
{
	for (size_t i = 0; i < AY_COMPONENTS; i++)
		if (rep->component[i].n_fail)
			return true;
	return false;
}

static bool merge_memo(struct judging *v)
{
	struct ay_report boot;

	v->j->fault = ay_report_parse(ay_memo_boot(v->j->memo), v->a, &boot, &v->j->err);
	if (v->j->fault != AY_OK)
		return false;
	ay_report_merge(&v->rep, &boot);
	/* the causes of a failure are told from the events that it names */
	return !has_failed(&boot) || open_log(v);
}

/* The findings so far, if they are few and none of them is a fail. */
static bool take_shape(const struct judging *v, struct ay_shape *s)
{
	memset(s, 0, sizeof(*s));
	if (v->rep.n_findings > AY_SHAPE_MAX || v->rep.fault != AY_OK)
		return false;
	for (s->n = 0; s->n < v->rep.n_findings; s->n++) {
		const struct ay_finding *f = &v->rep.finding[s->n];

		if (f->result != AY_PASS || strlen(f->text) >= sizeof(s->row[0].text))
			return false;
		s->row[s->n].code = f->code;
		s->row[s->n].result = f->result;
		memcpy(s->row[s->n].text, f->text, strlen(f->text) + 1);
	}
	if (!v->has_list)
		return true;
	if (!v->j->known_ima || v->ev.ima_octets.n || !v->fits)
		return false;
	/* continuity is judged by what this host says of itself: never from another's report */
	if (v->j->rebooted || (v->ev.ima == AY_GIVEN_NEW && v->ev.ima_entries != v->begin.entries))
		return false;
	memcpy(s->ima_id, ay_blob_id(v->j->known_ima).p, sizeof(s->ima_id));
	return true;
}

static void use_shape(struct ay_job *j, const struct ay_shape *s)
{
	j->verdict = s->verdict;
	memcpy(j->components, s->components, sizeof(j->components));
	memcpy(j->grades, s->grades, sizeof(j->grades));
	j->report = s->report;
}

/* ---- from findings to the report ---- */

static bool judge_runtime(struct judging *v)
{
	const struct ay_judge *judge = v->j->judge;
	struct ay_runtime_in in = { .pcrs = &v->facts.pcrs,
				    .run = v->has_run ? &v->run : NULL,
				    .fits = v->fits,
				    .padded = v->padded,
				    .list = v->ev.ima_octets };

	if (!judge || !judge->policy)
		return true;
	if (v->has_list && !v->has_run && v->ima_error.rc != AY_OK)
		in.ima_error = &v->ima_error;
	in.sets = judge->sets;
	in.n_sets = judge->n_sets;
	in.policy = judge->policy;
	in.now_ms = v->j->now_ms;
	in.cache = v->j->sigs;
	if (v->has_run)
		(void)ay_check_ima_continuity(&v->begin, v->j->rebooted && v->begin.octets,
					      v->ev.ima == AY_GIVEN_NEW ? v->ev.ima_entries
									: v->begin.entries,
					      v->begin.octets, &v->rep);
	v->j->fault = ay_appraise_runtime(&in, v->tally, &v->rep, &v->j->err);
	return v->j->fault == AY_OK;
}

static struct ay_blob *report_blob(struct judging *v)
{
	static const char *const of_the_row[] = { "id", "host", "at", "evidence" };
	struct ay_report_head head = { 0 };
	json_t *o = ay_report_json(&v->rep, &head);
	struct ay_bytes text = { 0 };

	for (size_t i = 0; o && i < AY_COUNT(of_the_row); i++)
		json_object_del(o, of_the_row[i]);
	if (o)
		text = ay_json_canonical(o, v->a);
	json_decref(o);
	return text.p ? ay_blob_new(text) : NULL;
}

static void conclude(struct judging *v)
{
	struct ay_job *j = v->j;
	unsigned required = AY_COMP_BIT(AY_COMP_IDENTITY);

	if (j->judge)
		required |= j->judge->required;
	j->fault = ay_appraise_conclude(j->judge ? j->judge->policy : NULL, required, j->now_ms,
					&v->rep, &j->err);
	if (j->fault != AY_OK)
		return;
	ay_causes_find(&v->rep, v->parsed);
	if (j->brief)
		v->rep.n_findings = v->rep.n_coverage = 0;
	for (size_t i = 0; i < AY_COMPONENTS; i++) {
		j->components[i] = (uint8_t)v->rep.component[i].verdict;
		j->grades[i] = (uint8_t)v->rep.component[i].grade;
	}
	j->report = report_blob(v);
	if (!j->report)
		j->fault = ay_fail(&j->err, AY_E_NOMEM, "report", 0, "no memory");
	else
		j->verdict = v->rep.verdict;
}

/* ---- what carries over ---- */

static struct ay_blob *wire_pcrs(const struct ay_pcrs *p)
{
	uint8_t buf[AY_PCRS_WIRE_MAX];
	struct ay_writer w;
	struct ay_bytes wire;

	ay_wr_init(&w, buf, sizeof(buf));
	ay_pcrs_write(&w, p);
	return ay_wr_end(&w, "pcrs", &wire, NULL) == AY_OK ? ay_blob_new(wire) : NULL;
}

static bool same_pcrs(const struct judging *v)
{
	/* the values known were sent as unchanged, and the TPM signed them */
	return v->j->known_pcrs && v->ev.hints == 2 && v->ev.values.n == 1 &&
	       (!v->has_run || v->run.now.entries == v->run.total);
}

static void carry(struct judging *v)
{
	struct ay_job *j = v->j;

	j->attested = true;
	j->boot = (struct ay_boot_mark){ .known = !j->is_tpm12,
					 .reset_count = j->counters.reset_count,
					 .restart_count = j->counters.restart_count };
	memcpy(j->boot.boot_id, v->ev.boot_id, sizeof(j->boot.boot_id));
	j->pcrs = same_pcrs(v) ? ay_blob_ref(j->known_pcrs) : wire_pcrs(&v->facts.pcrs);
	if (j->pcrs && j->known_pcrs &&
	    memcmp(ay_blob_id(j->pcrs).p, ay_blob_id(j->known_pcrs).p, 32) == 0) {
		ay_blob_unref(j->pcrs);
		j->pcrs = ay_blob_ref(j->known_pcrs);
	}
	if (v->ev.log == AY_GIVEN_NEW &&
	    (!j->has_known_log || memcmp(j->log_id, j->known_log_id, 32) != 0))
		j->log = ay_blob_new(v->log);
	j->context_changed = j->context_changed || j->pcrs != j->known_pcrs || j->log ||
			     !ay_boot_mark_eq(&j->boot, &j->known_boot);
}

/* Nothing was attested: what was known stays known. */
static void keep(struct ay_job *j)
{
	j->boot = j->known_boot;
	j->pcrs = ay_blob_ref(j->known_pcrs);
	j->has_log = j->has_known_log;
	memcpy(j->log_id, j->known_log_id, sizeof(j->log_id));
	j->ima = ay_blob_ref(j->known_ima);
	j->ima_octets = j->known_ima_octets;
	j->ima_entries = j->known_ima_entries;
}

/* ---- the whole ---- */

/* True when the report is there or nothing more can be said. */
static void judge_attested(struct judging *v)
{
	struct ay_job *j = v->j;
	struct ay_state_in in;
	struct ay_shape s, found;
	uint8_t key[32];
	bool may_keep;

	check_restart(v);
	if (v->has_run) {
		ay_judge_ima_fit(v);
		ay_judge_ima_kept(v);
	}
	if (j->fault != AY_OK)
		return;
	which_log(v);
	state_in(v, &in);
	ay_state_key(&in, key);
	j->memo = j->known_memo && ay_memo_is(j->known_memo, key) ? ay_memo_ref(j->known_memo)
								  : ay_memo_find(v->memos, key);
	may_keep = take_shape(v, &s);
	carry(v);
	if (j->memo && may_keep && ay_memo_shape(v->memos, j->memo, &s, &found)) {
		ay_judge_ima_carry(v); /* nothing new came: the context is what it was */
		use_shape(j, &found);
		return;
	}
	if (j->memo ? !merge_memo(v) : !judge_state(v, &in, key))
		return;
	if (!judge_runtime(v))
		return;
	ay_judge_ima_carry(v); /* with the tally as it stands now */
	conclude(v);
	if (j->fault != AY_OK || !j->memo || !may_keep)
		return;
	s.verdict = j->verdict;
	memcpy(s.components, j->components, sizeof(s.components));
	memcpy(s.grades, j->grades, sizeof(s.grades));
	s.report = j->report;
	ay_memo_set_shape(v->memos, j->memo, &s);
}

void ay_judge_job(struct ay_memo_table *t, struct ay_job *j, struct ay_arena *a)
{
	struct judging v = { .memos = t, .j = j, .a = a };

	j->was_sticky_counter = j->sticky_counter;
	ay_report_init(&v.rep, a);
	j->verdict = AY_UNTRUSTED;
	if (read_evidence(&v)) {
		if (!ay_judge_ima_replay(&v) || !check_quote(&v))
			return;
		check_banks(&v);
		check_standing(&v);
		if (!j->managed)
			check_boot(&v);
	}
	if (j->ask_again)
		return;
	if (v.facts.pcrs_attested) {
		judge_attested(&v);
	} else {
		keep(j);
		conclude(&v);
	}
	j->context_changed = j->context_changed || j->sticky_counter != j->was_sticky_counter ||
			     j->sticky_duplicate;
}
