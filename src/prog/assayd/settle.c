/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/engine_impl.h"

#include "core/appraise/policy.h"
#include "core/crypto/hash.h"
#include "io/net/frame.h"
#include "io/sys/rng.h"

#include <event2/event.h>
#include <stdlib.h>

/* How often a job may lose the compare-and-set before the host is asked anew. */
#define TRIES 3
#define DONE_AT_ONCE 512

/* ---- who waits for a verdict ---- */

void ay_settle_waiters(struct ay_engine *g, struct ay_host *h, enum ay_rc rc,
		       const struct ay_err *e)
{
	struct ay_waiter **at = &g->waiters, *w;

	while ((w = *at)) {
		if (w->host != h || (rc == AY_OK && h->version <= w->after)) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		w->fn(w->arg, rc, e, h);
		free(w);
		at = &g->waiters; /* fn may have changed the list */
	}
}

/* ---- before the store ---- */

/* What evidence said becomes what is in force (design 6). */
static void plan_lease(struct ay_engine *g, struct ay_job *j)
{
	int64_t lease = ay_refs_lease_ms(g, j->host);

	j->lease = j->host->lease;
	if (ay_lease_verdict(&j->lease, g->now_ms) != j->lease.verdict)
		(void)ay_lease_apply(&j->lease, AY_LEASE_EXPIRED, AY_UNKNOWN, 0);
	(void)ay_lease_apply(&j->lease, AY_LEASE_SETTLED, j->verdict, j->now_ms + lease);
}

/* The counters advance with every verified signature, whatever the verdict. */
static struct ay_counters advanced(const struct ay_job *j)
{
	struct ay_counters was = j->host->run->counters;

	if (!j->verified || (j->counter_back && was.known))
		return was;
	if (was.known &&
	    (was.reset_count > j->counters.reset_count ||
	     (was.reset_count == j->counters.reset_count && was.clock_ms > j->counters.clock_ms)))
		return was; /* another connection's answer was settled meanwhile */
	return j->counters;
}

static void fill_status(const struct ay_job *j, struct ay_host_status *s, uint8_t comps[32])
{
	struct ay_counters now = advanced(j);

	for (size_t i = 0; i < AY_COMPONENTS; i++) {
		comps[2 * i] = j->components[i];
		comps[2 * i + 1] = j->grades[i];
	}
	*s = (struct ay_host_status){
		.version = j->version,
		.verdict = (uint8_t)j->lease.verdict,
		.judged = j->lease.judged,
		.attested_at = j->now_ms,
		.lease_until = j->lease.until_ms,
		.components = { comps, 2 * AY_COMPONENTS },
		.counters_known = now.known,
		.clock_ms = now.clock_ms,
		.tpm_firmware = now.firmware,
		.reset_count = now.reset_count,
		.restart_count = now.restart_count,
	};
	memcpy(s->report_id, j->report_id, sizeof(s->report_id));
}

/* While a bank is lost, or the boot is told in two ways, what was known stays known. */
static bool keeps_pcrs(const struct ay_job *j)
{
	return j->bank_lost || j->boot_broken;
}

static void fill_context(const struct ay_job *j, struct ay_host_context *c,
			 struct ay_context_room *room)
{
	const struct ay_blob *pcrs = keeps_pcrs(j) ? j->known_pcrs : j->pcrs;
	const struct ay_blob *ima = j->boot_broken ? j->known_ima : j->ima;

	room->sticky[0] = (uint8_t)((j->sticky_counter ? AY_STICKY_COUNTER : 0) |
				    (j->sticky_duplicate ? AY_STICKY_DUPLICATE : 0));
	*c = (struct ay_host_context){
		.ima_offset = j->boot_broken ? j->known_ima_octets : j->ima_octets,
		.ima_entries = j->boot_broken ? j->known_ima_entries : j->ima_entries,
	};
	c->boot_id = ay_hosts_boot_octets(j->boot_broken ? &j->known_boot : &j->boot, room);
	if (j->has_log)
		c->boot_log = AY_BYTES(j->log_id);
	if (pcrs)
		c->pcrs = ay_blob_id(pcrs);
	if (ima)
		c->ima = ay_blob_data(ima);
	if (room->sticky[0])
		c->sticky = AY_BYTES(room->sticky);
}

/* Whoever is told of verdicts is told of each that is stored. */
static void plan_event(struct ay_engine *g, struct ay_job *j, struct ay_event_row *row)
{
	enum ay_verdict was = ay_lease_verdict(&j->host->lease, g->now_ms);

	ay_event_free(j->event); /* of a try before */
	j->event = j->lease.verdict == was ? NULL
					   : ay_event_verdict_new(g, j->host, &j->lease, was, row);
}

static enum ay_rc store_job(struct ay_engine *g, struct ay_job *j, struct ay_err *e)
{
	struct ay_host_context context;
	struct ay_context_room room;
	uint8_t comps[32];
	struct ay_attest_row row = { .host = j->host_id,
				     .at = j->now_ms,
				     .attest = j->attest,
				     .signature = j->signature,
				     .nonce = AY_BYTES(j->nonce),
				     .exporter = AY_BYTES(j->exporter),
				     .boot_id = AY_BYTES(j->boot.boot_id),
				     .ima_offset = j->ima_octets,
				     .report = j->report,
				     .boot_log = j->log,
				     .ima_chunk = j->ima_chunk,
				     .ima_chunk_offset = j->ima_chunk_offset };
	struct ay_write w[2];
	struct ay_event_row event;
	size_t n = 0;

	fill_status(j, &row.status, comps);
	if (j->pcrs)
		row.pcrs_id = ay_blob_id(j->pcrs);
	if (j->pcrs != j->known_pcrs)
		row.pcrs = j->pcrs;
	if (j->has_log)
		row.boot_log_id = AY_BYTES(j->log_id);
	row.inputs = (struct ay_bytes){ j->inputs, j->inputs_n };
	row.extra = j->extra;
	row.rules = j->judge ? j->judge->rules : NULL;
	if (j->context_changed) {
		fill_context(j, &context, &room);
		row.context = &context;
	}
	plan_event(g, j, &event);
	if (j->event)
		w[n++] = (struct ay_write){ .kind = AY_WR_EVENT, .event = &event };
	w[n++] = (struct ay_write){ .kind = AY_WR_ATTEST, .attest = &row };
	return ay_store_submit(g->store, w, n, g->waiters ? AY_SUBMIT_WAITED : AY_SUBMIT_LAZY,
			       (uint64_t)(uintptr_t)j | AY_COOKIE_JOB, e);
}

/* The evidence could not be used, and says nothing about the host: ask again. */
static void give_up(struct ay_engine *g, struct ay_job *j)
{
	struct ay_host *h = j->host;

	bool whole = j->ask_again;

	ay_job_free(g, j);
	if (whole) { /* the IMA list is wanted from its first entry */
		h->run->ima_whole = true;
	}
	ay_schedule_now(g, h);
}

static bool load_log(struct ay_engine *g, struct ay_job *j)
{
	struct ay_arena a;
	struct ay_bytes octets;
	struct ay_err e;
	bool ok;

	ay_arena_init(&a, AY_MAX_EVLOG_BYTES + 4096);
	ok = ay_store_blob(g->store, AY_BYTES(j->known_log_id), &a, &octets, &e) == AY_OK;
	if (ok)
		j->known_log = ay_blob_new(octets);
	else
		ay_log_err(AY_LOG_WARN, "boot log is not in the store any more", &e);
	ay_arena_fini(&a);
	return ok && j->known_log;
}

/* Judge it once more with what is known now. */
static void again(struct ay_engine *g, struct ay_job *j)
{
	if (++j->tries > TRIES || (!j->host->run->ak && !j->managed) || j->host->state != AY_HOST_ENROLLED) {
		give_up(g, j);
		return;
	}
	ay_job_refresh(j);
	ay_job_submit(g, j);
}

/* The octets of the known log are wanted and gone: the host sends it again. */
static void forget_log(struct ay_engine *g, struct ay_job *j)
{
	j->host->run->has_log = false;
	give_up(g, j);
}

static void mark_duplicate(struct ay_engine *g, struct ay_job *j)
{
	struct ay_conn *c = ay_conns_of_job(g, j);

	/* an answer from before the second connection came proves nothing about the two */
	if (!c || !j->had_rival || !j->verified || !j->fresh || !ay_conns_proved(g, c))
		return;
	j->host->sticky = j->host->sticky_duplicate = true;
	ay_conns_duplicate(g, j->host);
	ay_event_emit(g, "duplicate", j->host, "HOST_DUPLICATE",
		      "two machines answer with valid quotes for this host");
}

void ay_settle_job(struct ay_engine *g, struct ay_job *j)
{
	struct ay_host *h = j->host;
	struct ay_err e;

	if (j->fault != AY_OK)
		ay_log_err(AY_LOG_ERROR, "evidence cannot be evaluated", &j->err);
	if (j->fault != AY_OK || h->state != AY_HOST_ENROLLED || j->ask_again) {
		give_up(g, j);
		return;
	}
	if (j->need_log) {
		if (load_log(g, j))
			again(g, j);
		else
			forget_log(g, j);
		return;
	}
	if (!j->sticky_duplicate) {
		mark_duplicate(g, j);
		if (h->sticky_duplicate) {
			again(g, j); /* judged anew with what is known now */
			return;
		}
	}
	/* Compare and set: a result for an older state, or by rules of before, changes nothing. */
	if (AY_CHECKED("SETTLE_VERSION", h->run->claimed != j->version) ||
	    AY_CHECKED("SETTLE_RULES", h->run->judge != j->judge)) {
		g->count.conflicts++;
		again(g, j);
		return;
	}
	j->version = ++h->run->claimed;
	ay_report_id_draw(g, j->now_ms, j->report_id);
	plan_lease(g, j);
	if (store_job(g, j, &e) != AY_OK) {
		ay_log_err(AY_LOG_ERROR, "evidence cannot be stored", &e);
		h->run->claimed--;
		give_up(g, j);
	}
}

/* ---- after the commit ---- */

static void send_result(struct ay_engine *g, const struct ay_job *j)
{
	struct ay_conn *c = ay_conns_of_job(g, j);
	uint8_t buf[128];
	struct ay_writer w;
	struct ay_bytes body;

	if (!c)
		return;
	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_u8(&w, (uint8_t)j->host->lease.verdict);
	ay_wr_be64(&w, (uint64_t)j->host->lease.until_ms);
	ay_wr_vec16(&w, ay_bytes_of(ay_verdict_name(j->host->lease.verdict)));
	if (ay_wr_end(&w, "result", &body, NULL) == AY_OK)
		ay_conns_send(g, c, AY_FRAME_RESULT, j->request, body);
}

static void take_boot(struct ay_host_run *r, struct ay_job *j)
{
	r->boot = j->boot;
	r->ima_whole = r->ima_whole && j->ima == r->ima;
	ay_blob_unref(r->ima);
	r->ima = j->ima;
	j->ima = NULL;
	r->ima_octets = j->ima_octets;
	r->ima_entries = j->ima_entries;
}

/* What carries over to the next attestation. Takes the job's references. */
static void take_context(struct ay_engine *g, struct ay_job *j)
{
	struct ay_host_run *r = j->host->run;

	if (j->pcrs != r->pcrs && !keeps_pcrs(j)) {
		ay_blob_unref(r->pcrs);
		r->pcrs = ay_hosts_share(g, j->pcrs);
		j->pcrs = NULL;
	}
	r->has_log = j->has_log;
	memcpy(r->log_id, j->log_id, sizeof(r->log_id));
	if (!j->boot_broken)
		take_boot(r, j);
	j->host->sticky_duplicate = j->host->sticky_duplicate || j->sticky_duplicate;
	j->host->sticky = j->host->sticky || j->sticky_counter || j->sticky_duplicate;
}

/* was: before; is_current: the verdict is in force now. */
static void tell(struct ay_engine *g, struct ay_job *j, const struct ay_store_result *res,
		 enum ay_verdict was, bool is_current)
{
	bool told = j->event != NULL;
	enum ay_verdict said = told ? j->lease.verdict : was;

	if (told)
		ay_event_stored(g, j->event, res);
	j->event = NULL;
	if ((told || is_current) && j->host->lease.verdict != said)
		ay_event_verdict(g, j->host, said); /* it changed while that was committed */
	else if (told)
		ay_event_audit_verdict(g, j->host, was);
}

static void apply(struct ay_engine *g, struct ay_job *j, const struct ay_store_result *res)
{
	struct ay_host *h = j->host;
	enum ay_verdict was = ay_lease_verdict(&h->lease, g->now_ms);
	bool current = h->run->claimed == j->version; /* nobody changed it while it was committed */

	h->version = j->version;
	h->run->seq = res->number;
	h->run->counters = advanced(j);
	h->attested_ms = j->now_ms;
	h->missed = 0;
	memcpy(h->report_id, j->report_id, sizeof(h->report_id));
	memcpy(h->components, j->components, sizeof(h->components));
	memcpy(h->grades, j->grades, sizeof(h->grades));
	if (j->context_changed)
		take_context(g, j);
	if (j->memo != h->run->memo) {
		ay_memo_unref(h->run->memo);
		h->run->memo = j->memo;
		j->memo = NULL;
	}
	g->count.attestations++;
	if (j->verdict == AY_UNTRUSTED)
		g->count.rejected++;
	else
		g->count.accepted++;
	if (current) {
		ay_hosts_settle_lease(g, h, &j->lease);
		h->run->said_verdict = (uint8_t)h->lease.verdict;
		h->run->said_request = j->request;
	}
	tell(g, j, res, was, current);
}

static void job_stored(struct ay_engine *g, struct ay_job *j, const struct ay_store_result *res)
{
	struct ay_host *h = j->host;
	bool asked_again;

	if (res->rc != AY_OK) {
		AY_LOG(AY_LOG_ERROR, "evidence was not stored", AY_LS("host", h->name),
		       AY_LS("code", res->code));
		ay_hosts_reload(g, h);
		give_up(g, j);
		return;
	}
	apply(g, j, res);
	if (g->waiters)
		ay_settle_waiters(g, h, AY_OK, NULL);
	asked_again = ay_schedule_settled(g, h);
	if (!asked_again)
		send_result(g, j);
	ay_job_free(g, j);
}

/* Nobody waits for it, but it is not lost in silence. */
static void audit_stored(const struct ay_store_result *res)
{
	struct ay_err e = { 0 };

	if (res->rc == AY_OK)
		return;
	e.rc = ay_fail_code(&e, res->rc, res->code, "store.audit", "the store failed");
	ay_log_err(AY_LOG_ERROR, "a record of the audit is lost", &e);
}

void ay_settle_stored(struct ay_engine *g)
{
	struct ay_store_result done[DONE_AT_ONCE];
	size_t n;

	do {
		n = ay_store_done(g->store, done, AY_COUNT(done));
		for (size_t i = 0; i < n; i++) {
			void *p = (void *)(uintptr_t)(done[i].cookie & ~(uint64_t)AY_COOKIE_KIND);

			if (!p) {
				audit_stored(&done[i]);
				continue;
			}
			switch (done[i].cookie & AY_COOKIE_KIND) {
			case AY_COOKIE_JOB:
				job_stored(g, p, &done[i]);
				break;
			case AY_COOKIE_ENROL:
				ay_enrol_stored(g, p, &done[i]);
				break;
			default:
				ay_event_stored(g, p, &done[i]);
			}
		}
	} while (n == AY_COUNT(done));
}

void ay_settle_drain(struct ay_engine *g)
{
	struct ay_store_result res;
	struct ay_write w = { .kind = AY_WR_META };
	struct ay_err e;

	/* answers come in the order of submission: once this one is there, all are */
	w.meta.key = "stopped";
	w.meta.value = ay_bytes_of("1");
	if (ay_store_write(g->store, &w, 1, &res, &e) != AY_OK)
		ay_log_err(AY_LOG_WARN, "last write", &e);
	ay_settle_stored(g);
}
