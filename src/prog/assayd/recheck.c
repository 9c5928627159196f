/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/recheck.h"

#include "core/tpm/key12.h"
#include "prog/assayd/evidence.h"
#include "prog/assayd/inputs.h"
#include "prog/assayd/managed_judge.h"

struct checking {
	const struct ay_recheck_in *in;
	struct ay_arena *a;
	struct ay_inputs kept;
	struct ay_job j;
	struct ay_bytes known_pcrs;
};

static enum ay_rc not_kept(const char *what, struct ay_err *e)
{
	return ay_fail_code(e, AY_E_NOENT, "NOT_KEPT", what,
			    "not everything was kept that this verdict was made from");
}

static enum ay_rc no_memory(struct ay_err *e)
{
	return ay_fail(e, AY_E_NOMEM, "recheck", 0, "no memory");
}

/* ---- EVIDENCE as it came ---- */

static enum ay_rc write_values(const struct checking *c, struct ay_writer *w, struct ay_err *e)
{
	const struct ay_inputs *k = &c->kept;

	ay_wr_u8(w, k->hints);
	if (!k->hints)
		return AY_OK;
	if (k->values_in == AY_KEPT_STORED && c->in->pcrs.n == 0)
		return not_kept("pcrs", e);
	ay_wr_bytes(w, k->values_in == AY_KEPT_STORED  ? c->in->pcrs
		       : k->values_in == AY_KEPT_EXTRA ? k->x_values
						       : k->values);
	return AY_OK;
}

static void write_log(const struct checking *c, struct ay_writer *w)
{
	/* whether the log came or was known makes no difference; its octets are fetched if needed
	 */
	bool known = c->kept.log == AY_GIVEN_NEW && c->in->has_log;

	ay_wr_u8(w, known ? AY_GIVEN_KNOWN : c->kept.log);
	if (!known && c->kept.log == AY_GIVEN_NEW)
		ay_wr_be32(w, 0); /* nothing was attested, so it was not judged */
}

/* The piece of list: what the store has of it, and the end that no quote covered. */
static enum ay_rc write_ima(const struct checking *c, struct ay_writer *w, struct ay_err *e)
{
	const struct ay_inputs *k = &c->kept;
	struct ay_bytes tail = k->tail_in == AY_KEPT_EXTRA ? k->x_tail : (struct ay_bytes){ 0 };
	size_t stored;

	ay_wr_u8(w, k->ima);
	if (k->ima != AY_GIVEN_NEW)
		return AY_OK;
	if (tail.n > k->ima_n)
		return ay_fail(e, AY_E_INPUT, "extra.tail", 0, "is longer than the piece");
	stored = (size_t)k->ima_n - tail.n;
	if (stored && (k->ima_offset > c->in->ima.n || stored > c->in->ima.n - k->ima_offset))
		return not_kept("ima", e);
	ay_wr_be64(w, k->ima_offset);
	ay_wr_be64(w, k->ima_entries);
	ay_wr_be32(w, (uint32_t)k->ima_n);
	if (stored)
		ay_wr_bytes(w, (struct ay_bytes){ c->in->ima.p + k->ima_offset, stored });
	ay_wr_bytes(w, tail);
	return AY_OK;
}

static enum ay_rc make_body(struct checking *c, struct ay_err *e)
{
	const struct ay_inputs *k = &c->kept;
	size_t room = 4096 + c->in->attest.n + c->in->signature.n + c->in->pcrs.n + k->x_values.n +
		      k->x_body.n + (size_t)k->ima_n;
	struct ay_bytes body;
	struct ay_writer w;
	enum ay_rc rc;

	c->j.body = ay_arena_alloc(c->a, room);
	if (!c->j.body)
		return no_memory(e);
	ay_wr_init(&w, c->j.body, room);
	if (k->malformed) {
		ay_wr_bytes(&w, k->x_body);
	} else {
		ay_wr_vec16(&w, c->in->attest);
		ay_wr_vec16(&w, c->in->signature);
		ay_wr_bytes(&w, k->boot_id);
	}
	rc = k->malformed ? AY_OK : write_values(c, &w, e);
	if (!k->malformed && rc == AY_OK)
		write_log(c, &w);
	if (!k->malformed && rc == AY_OK)
		rc = write_ima(c, &w, e);
	if (rc == AY_OK)
		rc = ay_wr_end(&w, "evidence", &body, e);
	c->j.body_n = rc == AY_OK ? body.n : 0;
	return rc;
}

/* ---- what was known ---- */

static enum ay_rc make_known_pcrs(struct checking *c, struct ay_err *e)
{
	struct ay_bytes octets = c->kept.known_pcrs_in == AY_KEPT_STORED  ? c->in->pcrs
				 : c->kept.known_pcrs_in == AY_KEPT_EXTRA ? c->kept.x_known_pcrs
									  : (struct ay_bytes){ 0 };

	if (c->kept.known_pcrs_in == AY_KEPT_NOT)
		return AY_OK;
	if (octets.n == 0)
		return not_kept("known pcrs", e);
	c->j.known_pcrs = ay_blob_new(octets);
	return c->j.known_pcrs ? AY_OK : no_memory(e);
}

/* The tally of the first entries by the rules that are judged by now. */
static enum ay_rc count(struct checking *c, const struct ay_pcrs *pcrs, struct ay_bytes list,
			struct ay_ima_run *run, struct ay_ima_tally *tally, struct ay_err *e)
{
	const struct ay_judge *judge = c->in->judge;
	struct ay_runtime_in in = {
		.pcrs = pcrs, .run = run, .fits = true, .list = list, .now_ms = c->in->now_ms
	};
	struct ay_report unused;
	enum ay_rc rc;

	if (!judge || !judge->policy)
		return AY_OK;
	in.sets = judge->sets;
	in.n_sets = judge->n_sets;
	in.policy = judge->policy;
	ay_report_init(&unused, c->a);
	rc = ay_appraise_runtime(&in, tally, &unused, e);
	memcpy(tally->key, judge->tally_key, sizeof(tally->key));
	return rc;
}

static enum ay_rc wire_ima(struct checking *c, const struct ay_ima_state *state,
			   const struct ay_ima_tally *tally, struct ay_err *e)
{
	size_t room = 8 + AY_IMA_STATE_WIRE_MAX + AY_TALLY_WIRE_MAX, at;
	uint8_t *buf = ay_arena_alloc(c->a, room);
	struct ay_bytes wire;
	struct ay_writer w;
	enum ay_rc rc;

	if (!buf)
		return no_memory(e);
	ay_wr_init(&w, buf, room);
	at = ay_wr_open32(&w);
	ay_ima_state_write(&w, state);
	ay_wr_close32(&w, at);
	at = ay_wr_open32(&w);
	ay_tally_write(&w, tally);
	ay_wr_close32(&w, at);
	rc = ay_wr_end(&w, "ima", &wire, e);
	if (rc == AY_OK)
		c->j.known_ima = ay_blob_new(wire);
	return rc == AY_OK && !c->j.known_ima ? no_memory(e) : rc;
}

/* Where the list stood: derived from its first octets, which the store has. */
static enum ay_rc derive_known_ima(struct checking *c, struct ay_err *e)
{
	const struct ay_policy *p = c->in->judge ? c->in->judge->policy : NULL;
	struct ay_bytes list = { c->in->ima.p, (size_t)c->kept.known_ima_octets };
	struct ay_pcrs *pcrs = ay_arena_alloc(c->a, sizeof(*pcrs));
	struct ay_ima_run *run = ay_arena_alloc(c->a, sizeof(*run));
	struct ay_ima_tally *tally = ay_arena_alloc(c->a, sizeof(*tally));
	struct ay_ima_state begin;
	struct ay_reader r;
	enum ay_rc rc;

	if (!pcrs || !run || !tally)
		return no_memory(e);
	if (c->kept.known_ima_octets > c->in->ima.n || c->in->pcrs.n == 0)
		return not_kept("ima", e);
	memset(tally, 0, sizeof(*tally));
	ay_rd_init(&r, c->in->pcrs);
	ay_pcrs_read(&r, pcrs);
	rc = ay_rd_end(&r, "pcrs", e);
	ay_ima_state_init_for(&begin, pcrs, p && p->allow_padded_bank);
	if (rc == AY_OK)
		rc = ay_ima_replay(&begin, list, 1, run, c->a, e);
	if (rc == AY_OK)
		rc = count(c, pcrs, list, run, tally, e);
	return rc == AY_OK ? wire_ima(c, &run->now, tally, e) : rc;
}

static enum ay_rc make_known_ima(struct checking *c, struct ay_err *e)
{
	switch (c->kept.known_ima_in) {
	case AY_KEPT_NOT:
		return AY_OK;
	case AY_KEPT_STORED:
		return derive_known_ima(c, e);
	case AY_KEPT_EXTRA:
		c->j.known_ima = ay_blob_new(c->kept.x_known_ima);
		return c->j.known_ima ? AY_OK : no_memory(e);
	case AY_KEPT_LOST:
		break;
	}
	return not_kept("known ima", e);
}

static enum ay_rc make_known_log(struct checking *c, struct ay_err *e)
{
	struct ay_job *j = &c->j;

	j->has_known_log = c->kept.has_known_log || (c->kept.log == AY_GIVEN_NEW && c->in->has_log);
	if (!j->has_known_log)
		return AY_OK;
	if (c->in->has_log)
		memcpy(j->known_log_id, c->in->log_id, sizeof(j->known_log_id));
	else if (c->kept.known_log.n == sizeof(j->known_log_id))
		memcpy(j->known_log_id, c->kept.known_log.p, sizeof(j->known_log_id));
	if (c->in->log.n) {
		j->known_log = ay_blob_new(c->in->log);
		if (!j->known_log)
			return no_memory(e);
	}
	j->fetch_log = c->in->fetch_log;
	j->fetch_arg = c->in->fetch_arg;
	return AY_OK;
}

/* ---- the job ---- */

static enum ay_rc make_key(struct checking *c, struct ay_err *e)
{
	struct ay_name name;

	if (c->j.managed && c->in->ak_public.n == 0)
		return AY_OK; /* its manager speaks for it */
	c->j.is_tpm12 = ay_public12_looks_like(c->in->ak_public);
	return ay_any_public(c->in->ak_public, &c->j.ak, &name, e);
}

static enum ay_rc make_scalars(struct checking *c, struct ay_err *e)
{
	const struct ay_recheck_in *in = c->in;
	const struct ay_inputs *k = &c->kept;
	struct ay_job *j = &c->j;

	if (in->nonce.n != sizeof(j->nonce) || in->exporter.n != sizeof(j->exporter) ||
	    in->qualified_name.n > sizeof(j->qualified_name))
		return ay_fail(e, AY_E_INPUT, "nonce", 0,
			       "nonce, exporter or qualified name has a wrong length");
	j->host_id = in->host;
	j->now_ms = in->now_ms;
	memcpy(j->nonce, in->nonce.p, sizeof(j->nonce));
	memcpy(j->exporter, in->exporter.p, sizeof(j->exporter));
	j->asked = k->asked;
	if (in->qualified_name.n)
		memcpy(j->qualified_name, in->qualified_name.p, in->qualified_name.n);
	j->qualified_name_n = (uint8_t)in->qualified_name.n;
	j->last = k->last;
	j->sticky_counter = k->sticky_counter;
	j->sticky_duplicate = k->sticky_duplicate;
	j->cert_until_ms = k->cert_until_ms;
	snprintf(j->identity_grade, sizeof(j->identity_grade), "%s",
		 ay_identity_grade_name(k->identity_grade));
	j->cert_revoked = k->cert_revoked;
	/* an agent cannot have this grade, whatever its quote begins with */
	if (strcmp(j->identity_grade, "agentless") == 0)
		j->managed = (uint8_t)ay_managed_vendor_of(in->attest);
	j->raw = j->managed && k->malformed;
	j->known_boot = k->known_boot;
	j->known_ima_octets = k->known_ima_octets;
	j->known_ima_entries = k->known_ima_entries;
	j->asked_ima_octets = UINT64_MAX; /* nothing can be asked again */
	j->judge = in->judge;
	j->brief = in->brief;
	return AY_OK;
}

static void drop(struct ay_job *j)
{
	ay_pubkey_free(j->ak);
	ay_blob_unref(j->known_pcrs);
	ay_blob_unref(j->known_ima);
	ay_blob_unref(j->known_log);
	ay_blob_unref(j->report);
	ay_blob_unref(j->pcrs);
	ay_blob_unref(j->log);
	ay_blob_unref(j->ima);
	ay_blob_unref(j->ima_chunk);
	ay_blob_unref(j->extra);
	ay_memo_unref(j->memo);
	if (j->body_max) /* it was taken anew */
		free(j->body);
}

static enum ay_rc judge(struct checking *c, struct ay_memo_table *memos, struct ay_recheck_out *out,
			struct ay_err *e)
{
	struct ay_job *j = &c->j;

	ay_judge_job(memos, j, c->a);
	if (j->fault != AY_OK)
		return ay_fail(e, j->fault, "recheck", 0, "%s", j->err.text);
	if (j->need_log)
		return not_kept("boot log", e);
	if (j->ask_again || !j->report)
		return not_kept("ima", e);
	out->verdict = j->verdict;
	memcpy(out->components, j->components, sizeof(out->components));
	memcpy(out->grades, j->grades, sizeof(out->grades));
	out->report = j->report;
	j->report = NULL;
	return AY_OK;
}

enum ay_rc ay_recheck(const struct ay_recheck_in *in, struct ay_memo_table *memos,
		      struct ay_arena *a, struct ay_recheck_out *out, struct ay_err *e)
{
	struct checking *c = ay_arena_alloc(a, sizeof(*c));
	enum ay_rc rc;

	memset(out, 0, sizeof(*out));
	if (!c)
		return no_memory(e);
	memset(c, 0, sizeof(*c));
	c->in = in;
	c->a = a;
	rc = in->inputs.n ? ay_inputs_parse(in->inputs, in->extra, &c->kept, e)
			  : not_kept("inputs", e);
	if (rc == AY_OK && !ay_inputs_whole(&c->kept))
		rc = not_kept("extra", e);
	if (rc == AY_OK)
		rc = make_scalars(c, e);
	if (rc == AY_OK)
		rc = make_key(c, e);
	if (rc == AY_OK)
		rc = make_known_pcrs(c, e);
	if (rc == AY_OK)
		rc = make_known_ima(c, e);
	if (rc == AY_OK)
		rc = make_known_log(c, e);
	if (rc == AY_OK)
		rc = make_body(c, e);
	if (rc == AY_OK)
		rc = judge(c, memos, out, e);
	drop(&c->j);
	return rc;
}
