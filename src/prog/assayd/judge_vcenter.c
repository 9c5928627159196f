/* SPDX-License-Identifier: Apache-2.0 */
/* What a vCenter's word is worth: graded `reported`, however well it fits together. */
#include "prog/assayd/judge_vcenter.h"

#include "core/vim/evidence.h"
#include "core/vim/report.h"
#include "io/net/agent_msg.h"
#include "prog/assayd/managed_judge.h"

#include <string.h>

/* ---- raw: head, v32 facts of the host (XML), v32 report (XML) ---- */

void ay_vcenter_raw_write(struct ay_writer *w, const struct ay_managed_head *h,
			  struct ay_bytes facts, struct ay_bytes report)
{
	ay_managed_head_write(w, h);
	ay_wr_vec32(w, facts);
	ay_wr_vec32(w, report);
}

/* A boot has no id here: its instant is one, as long as clocks are only a little off. */
static struct ay_uuid boot_id_of(int64_t boot_ms)
{
	struct ay_uuid id = { { 0 } };

	for (int i = 0; i < 8; i++)
		id.b[i] = (uint8_t)((uint64_t)boot_ms >> (56 - 8 * i));
	return id;
}

static int64_t boot_of_id(const uint8_t id[16])
{
	uint64_t ms = 0;

	for (int i = 0; i < 8; i++)
		ms = ms << 8 | id[i];
	return (int64_t)ms;
}

static enum ay_rc build(const struct ay_managed_head *h, const struct ay_managed_facts *f,
			const struct ay_vim_report *rep, struct ay_arena *a, struct ay_bytes *body,
			struct ay_err *e)
{
	uint8_t attest[AY_MANAGED_HEAD + AY_VIM_FACTS_MAX], *room;
	struct ay_chan_evidence m = { .boot_id = boot_id_of(f->boot_ms),
				      .hints = AY_CHAN_HINTS_ALL,
				      .values = &rep->pcrs,
				      .log = rep->log.n ? AY_CHAN_LOG_FOLLOWS : AY_CHAN_LOG_NONE,
				      .log_bytes = rep->log,
				      .ima = AY_CHAN_LOG_NONE };
	struct ay_writer w;
	enum ay_rc rc;

	ay_wr_init(&w, attest, sizeof(attest));
	ay_managed_head_write(&w, h);
	ay_vim_facts_write(&w, f);
	rc = ay_wr_end(&w, "facts", &m.attest, e);
	room = rc == AY_OK ? ay_arena_alloc(a, ay_chan_evidence_room(&m)) : NULL;
	if (rc == AY_OK && !room)
		rc = ay_fail(e, AY_E_NOMEM, "evidence", 0, "no memory");
	if (rc != AY_OK)
		return rc;
	ay_wr_init(&w, room, ay_chan_evidence_room(&m));
	ay_chan_evidence_write(&w, &m);
	return ay_wr_end(&w, "evidence", body, e);
}

static enum ay_rc read_raw(struct ay_bytes raw, struct ay_arena *a, struct ay_bytes *body,
			   struct ay_err *e)
{
	struct ay_vim_host *host = ay_arena_alloc(a, sizeof(*host));
	struct ay_vim_report *rep = ay_arena_alloc(a, sizeof(*rep));
	struct ay_managed_head head = { 0 };
	struct ay_bytes facts, report;
	struct ay_reader r;
	enum ay_rc rc;

	if (!host || !rep)
		return ay_fail(e, AY_E_NOMEM, "evidence", 0, "no memory");
	ay_rd_init(&r, raw);
	ay_managed_head_read(&r, &head);
	facts = ay_rd_vec32(&r, "vcenter.facts", AY_MAX_OUTGOING_ANSWER);
	report = ay_rd_vec32(&r, "vcenter.report", AY_MAX_OUTGOING_ANSWER);
	rc = ay_rd_end(&r, "vcenter", e);
	if (rc == AY_OK)
		rc = ay_vim_host_parse(facts, host, e);
	if (rc == AY_OK)
		rc = ay_vim_report_parse(report, a, rep, e);
	if (rc != AY_OK)
		return rc;
	host->facts.log_reliable = rep->log_reliable;
	return build(&head, &host->facts, rep, a, body, e);
}

/* ---- check ---- */

/* Within one boot the hypervisor measures nothing anew: what was reported then is so still. */
static void check_same_boot(struct judging *v, int64_t boot_ms)
{
	const struct ay_job *j = v->j;
	int64_t last = boot_of_id(j->known_boot.boot_id);
	struct ay_pcrs *known;
	struct ay_reader r;

	if (!j->known_boot.known || !j->known_pcrs || !ay_managed_same_boot(last, boot_ms) ||
	    !(known = ay_arena_alloc(v->a, sizeof(*known))))
		return;
	ay_rd_init(&r, ay_blob_data(j->known_pcrs));
	ay_pcrs_read(&r, known);
	if (ay_rd_ok(&r))
		ay_check_managed_kept(known, &v->hints, &v->rep);
}

static bool check(struct judging *v)
{
	struct ay_managed_head head = { 0 };
	struct ay_managed_facts f;
	struct ay_managed_ask ask;
	struct ay_reader r;
	struct ay_err e = { 0 };

	ay_rd_init(&r, v->ev.attest);
	ay_managed_head_read(&r, &head);
	if (!ay_rd_ok(&r) || head.vendor != AY_CONNSTR_VMWARE ||
	    ay_vim_facts_parse((struct ay_bytes){ r.p, ay_rd_left(&r) }, &f, &e) != AY_OK ||
	    v->hints.n_banks == 0) {
		(void)ay_report_add(&v->rep, AY_CHECK_EVIDENCE_MALFORMED, AY_FAIL, NULL,
				    "not what this connector writes: %s", e.text);
		return true;
	}
	ask = (struct ay_managed_ask){ .bound = head.bound,
				       .now_ms = v->j->now_ms,
				       .first_use = head.first_use };
	if (v->j->known_boot.known)
		ask.last_boot_ms = boot_of_id(v->j->known_boot.boot_id);
	v->reported = true;
	if (!ay_check_managed(&ask, &f, &v->rep))
		return true;
	check_same_boot(v, f.boot_ms);
	v->facts.pcrs = v->hints;
	v->facts.pcrs_attested = true; /* as far as anything is here: its grade says how far */
	return true;
}

const struct ay_managed_judge ay_judge_vcenter = { .vendor = AY_CONNSTR_VMWARE,
						   .read = read_raw,
						   .check = check };
