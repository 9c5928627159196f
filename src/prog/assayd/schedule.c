/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/engine_impl.h"
#include "prog/assayd/managed.h"

#include <event2/event.h>
#include <stdlib.h>

/* Dials of a listening agent: first after a second, then up to a minute apart. */
#define DIAL_FIRST_MS 1000
#define DIAL_LAST_MS 60000
#define ASK_MS 5000	     /* an answer that somebody asked for is under way by then */
#define FIRST_MS 30000	     /* nothing is known of it, or nothing good */
#define NOTICE_PAUSE_MS 1000 /* each attestation is work and a row: one host is not given all */
#define RENEW_PAUSE_MS 5000  /* each renewal is work of the CA and a row of its issue log */
#define TURN_MAX 4096 /* hosts looked at in one turn, so that messages are not kept waiting */

#define container(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t open_deadline(const struct ay_conn *c)
{
	return c && c->challenge.state == AY_CHALLENGE_ISSUED ? c->challenge.deadline_ms : AY_NEVER;
}

/* What no evidence of the host may be older than: its lease, which the policy may shorten. */
static int64_t bound_ms(struct ay_engine *g, const struct ay_host *h)
{
	return ay_refs_lease_ms(g, h);
}

/* How often it is asked: in time for the bound, whatever the interval says. 0: all the time. */
static int64_t interval_ms(struct ay_engine *g, const struct ay_host *h)
{
	int64_t bound = bound_ms(g, h), enough = bound - bound / 4;

	/* trust that ends in a moment is not renewed a hundred times in it */
	return earlier(ay_refs_interval_ms(g, h), enough > 1000 ? enough : 1000);
}

static uint32_t seed_of(const struct ay_host *h)
{
	const uint8_t *b = h->id.b;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static bool may_be_asked(const struct ay_host *h)
{
	const struct ay_host_run *r = h->run;

	return h->state == AY_HOST_ENROLLED && r->conn && !r->conn->closing && r->in_flight == 0 &&
	       !ay_enrol_holds(r->conn);
}

void ay_schedule_host(struct ay_engine *g, struct ay_host *h)
{
	struct ay_host_run *r = h->run;
	int64_t at = AY_NEVER;

	if (h->state != AY_HOST_RETIRED) {
		at = earlier(open_deadline(r->conn), open_deadline(r->rival));
		at = earlier(at, ay_managed_deadline(h));
		at = earlier(at, earlier(r->due, r->dial_at ? r->dial_at : AY_NEVER));
		at = earlier(at, r->stale_at);
		if (r->pace.slot_until)
			at = earlier(at, r->pace.slot_until);
		if (r->renewal_waits)
			at = earlier(at, r->renew_from);
		if (h->lease.verdict == AY_TRUSTED)
			at = earlier(at, g->mono_ms + (h->lease.until_ms - g->now_ms));
	}
	if (!ay_sched_set(&g->host_sched, &r->wake, at))
		AY_LOG(AY_LOG_ERROR, "no memory to schedule a host", AY_LS("host", h->name));
}

void ay_schedule_again(struct ay_engine *g, struct ay_host *h)
{
	struct ay_host **p;

	if (g->n_again == g->max_again) {
		p = realloc(g->again, (2 * g->max_again + 256) * sizeof(struct ay_host *));
		if (!p) {
			h->run->due = h->run->by = g->mono_ms;
			ay_schedule_host(g, h);
			return;
		}
		g->again = p;
		g->max_again = 2 * g->max_again + 256;
	}
	g->again[g->n_again++] = h;
}

static void plan(struct ay_engine *g, struct ay_host *h, int64_t due, int64_t by)
{
	if (!h || h->state != AY_HOST_ENROLLED)
		return;
	/* one that is open will be answered; asking over it would only kill its nonce */
	if (open_deadline(h->run->conn) != AY_NEVER || ay_managed_deadline(h) != AY_NEVER)
		return;
	h->run->due = due;
	h->run->by = by;
	ay_schedule_host(g, h);
}

void ay_schedule_now(struct ay_engine *g, struct ay_host *h)
{
	plan(g, h, g->mono_ms, g->mono_ms + ASK_MS);
}

void ay_schedule_soon(struct ay_engine *g, struct ay_host *h)
{
	plan(g, h, g->mono_ms, g->mono_ms + bound_ms(g, h));
}

void ay_schedule_back(struct ay_engine *g, struct ay_host *h, const uint8_t boot_id[16])
{
	struct ay_host_run *r = h->run;
	bool same_boot = memcmp(boot_id, r->boot.boot_id, sizeof(r->boot.boot_id)) == 0;
	int64_t interval = interval_ms(g, h), age = g->now_ms - h->attested_ms;

	if (ay_lease_verdict(&h->lease, g->now_ms) == AY_TRUSTED && same_boot && interval > 0) {
		plan(g, h,
		     ay_pace_rejoin(g->mono_ms, g->mono_ms + interval - age, interval, seed_of(h)),
		     g->mono_ms + (h->lease.until_ms - g->now_ms));
		return;
	}
	ay_schedule_notice(g, h); /* who reconnects all the time sets no pace either */
	r->by = g->mono_ms + FIRST_MS;
}

void ay_schedule_expect(struct ay_engine *g, struct ay_host *h)
{
	int64_t left = h->attested_ms + bound_ms(g, h) - g->now_ms;

	h->run->stale_at = h->attested_ms && left > 0 ? g->mono_ms + left : AY_NEVER;
	/* away for so long: missed as any other silence is */
	h->run->due = g->mono_ms + g->set.interval_ms + 1000;
	if (ay_is_managed(h)) /* nobody calls us: it is asked at its turn in the interval */
		h->run->due = ay_pace_next_turn(g->mono_ms, g->set.interval_ms + 1000, seed_of(h));
	h->run->by = h->run->due;
	ay_schedule_host(g, h);
}

void ay_schedule_notice(struct ay_engine *g, struct ay_host *h)
{
	struct ay_host_run *r = h ? h->run : NULL;

	if (!h || h->state != AY_HOST_ENROLLED)
		return;
	if (g->mono_ms >= r->notice_from) {
		r->notice_from = g->mono_ms + NOTICE_PAUSE_MS;
		ay_schedule_now(g, h);
	} else if (open_deadline(r->conn) == AY_NEVER && r->due > r->notice_from) {
		r->due = r->notice_from;
		r->by = r->due + ASK_MS;
		ay_schedule_host(g, h);
	}
}

void ay_schedule_renewal(struct ay_engine *g, struct ay_host *h)
{
	struct ay_host_run *r = h ? h->run : NULL;

	if (!h || h->state != AY_HOST_ENROLLED)
		return;
	r->renewal_waits = g->mono_ms < r->renew_from;
	if (r->renewal_waits) {
		ay_schedule_host(g, h);
		return;
	}
	r->renew_from = g->mono_ms + RENEW_PAUSE_MS;
	if (r->conn && !r->conn->closing)
		ay_enrol_renew(g, r->conn);
}

bool ay_schedule_settled(struct ay_engine *g, struct ay_host *h)
{
	int64_t interval = interval_ms(g, h), next = g->mono_ms;
	struct ay_host_run *r = h->run;
	struct ay_conn *c = r->conn;

	r->stale_at = g->mono_ms + bound_ms(g, h);
	if (interval == 0 && c && !c->closing && open_deadline(c) == AY_NEVER) {
		ay_schedule_again(g, h);
		return true;
	}
	if (interval > 0)
		next = ay_pace_next_turn(g->mono_ms, interval, seed_of(h));
	if (open_deadline(c) == AY_NEVER && r->due > next) {
		r->due = next;
		r->by = r->stale_at;
	}
	ay_schedule_host(g, h);
	return false;
}

/* design 6: after so many missed deadlines trusted becomes unknown; untrusted stays. */
void ay_schedule_missed(struct ay_engine *g, struct ay_host *h)
{
	struct ay_err e;

	h->missed++;
	g->count.late++;
	if (h->lease.verdict == AY_TRUSTED && h->missed >= ay_refs_silence(g, h)) {
		ay_hosts_set_verdict(g, h, AY_LEASE_SILENT);
		if (ay_hosts_write_status(g, h, &e) != AY_OK)
			ay_log_err(AY_LOG_ERROR, "silence of a host is not stored", &e);
	}
	h->run->due = g->mono_ms + interval_ms(g, h);
	if (h->run->due <= g->mono_ms)
		h->run->due = g->mono_ms + 1000;
	h->run->by = h->run->due + ASK_MS;
}

static void expire(struct ay_engine *g, struct ay_host *h, struct ay_conn *c)
{
	bool alone = !h->run->rival;

	if (!c || !ay_challenge_expire(&c->challenge, g->mono_ms))
		return;
	ay_conns_drop_parts(c);
	if (c == h->run->conn)
		ay_pace_done(&g->pace, &h->run->pace);
	AY_LOG(AY_LOG_INFO, "challenge not answered in time", AY_LS("host", h->name));
	if (alone)
		ay_schedule_missed(g, h);
	else
		ay_conns_silent(g, h, c);
}

/* A question that stays open is no work of ours any more; what is being judged is. */
static void free_slot(struct ay_engine *g, struct ay_host_run *r)
{
	if (!r->pace.slot_until || r->pace.slot_until > g->mono_ms)
		return;
	if (r->in_flight)
		r->pace.slot_until = g->mono_ms + AY_PACE_SLOT_MS;
	else
		ay_pace_done(&g->pace, &r->pace);
}

/* It is due: it takes its place among those who wait to be asked. */
static void line_up(struct ay_engine *g, struct ay_host *h)
{
	struct ay_host_run *r = h->run;

	if (ay_is_managed(h)) {
		if (ay_managed_is_free(h))
			ay_managed_ask(g, h);
		else
			r->due = g->mono_ms + 100;
	} else if (!r->conn) {
		ay_schedule_missed(g, h);
	} else if (may_be_asked(h) && ay_pace_add(&g->pace, &r->pace, r->by, g->mono_ms)) {
		r->due = AY_NEVER;
	} else {
		r->due = g->mono_ms + 100; /* soon: what is under way ends first */
	}
}

static void look_at(struct ay_engine *g, struct ay_host *h)
{
	struct ay_host_run *r = h->run;

	free_slot(g, r);
	expire(g, h, r->rival);
	expire(g, h, r->conn);
	ay_managed_expire(g, h);
	if (h->lease.verdict == AY_TRUSTED && g->now_ms >= h->lease.until_ms)
		ay_hosts_set_verdict(g, h, AY_LEASE_EXPIRED);
	if (r->dial_at && r->dial_at <= g->mono_ms)
		ay_dial(g, h);
	if (r->renewal_waits && r->renew_from <= g->mono_ms)
		ay_schedule_renewal(g, h);
	if (r->stale_at <= g->mono_ms) {
		r->stale_at = AY_NEVER;
		if (h->state == AY_HOST_ENROLLED)
			ay_freshness_missed(g, h);
	}
	if (r->due <= g->mono_ms && h->state == AY_HOST_ENROLLED)
		line_up(g, h);
	ay_schedule_host(g, h);
}

/* Those who wait are asked, the earliest deadline first, as far as there are slots. */
static void ask_those_who_wait(struct ay_engine *g)
{
	struct ay_pace_item *it;

	for (int n = 0; n < TURN_MAX && (it = ay_pace_take(&g->pace, g->mono_ms)); n++) {
		struct ay_host *h = container(it, struct ay_host_run, pace)->host;

		if (may_be_asked(h)) {
			ay_challenge_send(g, h, h->run->conn);
			continue;
		}
		ay_pace_done(&g->pace, it); /* it went away, or is being judged already */
		h->run->due = g->mono_ms + 100;
		ay_schedule_host(g, h);
	}
}

static void challenge_again(struct ay_engine *g)
{
	size_t n = g->n_again;

	g->n_again = 0;
	for (size_t i = 0; i < n; i++) {
		struct ay_host *h = g->again[i];
		struct ay_conn *c = h->run->conn;

		if (c && !c->closing && h->state == AY_HOST_ENROLLED && !ay_enrol_holds(c))
			ay_challenge_send(g, h, c);
		else
			ay_schedule_now(g, h);
	}
}

void ay_schedule_turn(struct ay_engine *g)
{
	struct ay_wake *w;
	int n = 0;

	challenge_again(g);
	while (n++ < TURN_MAX && (w = ay_sched_take(&g->host_sched, g->mono_ms)))
		look_at(g, container(w, struct ay_host_run, wake)->host);
	ask_those_who_wait(g);
	while (n++ < 2 * TURN_MAX && (w = ay_sched_take(&g->conn_sched, g->mono_ms)))
		ay_conns_wake(g, container(w, struct ay_conn, wake));
}

void ay_schedule_tick(struct ay_engine *g)
{
	struct ay_waiter **at = &g->waiters, *w;
	struct ay_err e;

	while ((w = *at)) {
		if (g->mono_ms < w->until) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		e.rc = ay_fail_code(&e, AY_E_UNAVAIL, "ATTEST_PENDING", "attest",
				    "no answer yet; the result comes later");
		w->fn(w->arg, AY_E_UNAVAIL, &e, w->host);
		free(w);
		at = &g->waiters;
	}
}

/* ---- listening agents ---- */

void ay_dial_later(struct ay_engine *g, struct ay_host *h)
{
	struct ay_host_run *r = h->run;
	int64_t pause = DIAL_FIRST_MS;

	for (uint32_t i = 0; i < r->dial_fails && pause < DIAL_LAST_MS; i++)
		pause *= 2;
	r->dial_fails++;
	r->dial_id = 0;
	r->dial_at = g->mono_ms + earlier(pause, DIAL_LAST_MS);
	ay_schedule_host(g, h);
}

void ay_dial(struct ay_engine *g, struct ay_host *h)
{
	static const uint8_t zero[32];
	bool bound = memcmp(h->identity.tls_key, zero, 32) != 0;
	struct ay_dial d = { .first_contact = !bound };
	uint8_t buf[512];
	struct ay_writer w;
	struct ay_bytes body;

	h->run->dial_at = 0;
	if (ay_is_managed(h)) {
		ay_managed_meet(g, h);
		return;
	}
	if (!h->dial.connect || h->run->conn || h->run->dial_id || h->state == AY_HOST_RETIRED)
		return;
	if (!g->have_front || !g->front) {
		ay_dial_later(g, h);
		return;
	}
	d.pinned = bound || h->dial.tls.has_key;
	if (d.pinned)
		memcpy(d.agent_spki, bound ? h->identity.tls_key : h->dial.tls.key, 32);
	d.addr = ay_bytes_of(h->dial.connect);
	ay_wr_init(&w, buf, sizeof(buf));
	ay_dial_build(&w, &d);
	if (ay_wr_end(&w, "dial", &body, NULL) != AY_OK)
		return;
	h->run->dial_id = h->run->index + 1;
	ay_ipc_send(g->front, AY_MSG_DIAL, 0, h->run->dial_id, body);
}

static struct ay_host *dialled(struct ay_engine *g, uint32_t dial_id)
{
	struct ay_host *h = dial_id && dial_id <= g->n_hosts ? g->host[dial_id - 1] : NULL;

	return h && h->run->dial_id == dial_id ? h : NULL;
}

void ay_dial_up(struct ay_engine *g, struct ay_conn *c, uint32_t dial_id)
{
	struct ay_host *h = dialled(g, dial_id);

	if (!h)
		return;
	h->run->dial_id = 0;
	h->run->dial_fails = 0;
	c->dial_for = h;
}

void ay_dial_policy(struct ay_engine *g, struct ay_host *h, const struct ay_err *why)
{
	bool is_new = !h->note_code || strcmp(h->note_code, why->code) != 0;

	ay_hosts_note(g, h, why);
	if (is_new)
		ay_event_emit(g, "tls_policy", h, why->code, why->text);
}

void ay_dial_failed(struct ay_engine *g, uint32_t dial_id, uint8_t sub, struct ay_bytes why)
{
	struct ay_host *h = dialled(g, dial_id);
	struct ay_err e;

	if (!h)
		return;
	e.rc = ay_fail_code(&e, AY_E_UNAVAIL, sub == AY_DIAL_POLICY ? "TLS_POLICY" : "DIAL",
			    "connect", "%.*s", (int)why.n, (const char *)why.p);
	if (sub == AY_DIAL_POLICY)
		ay_dial_policy(g, h, &e);
	else
		ay_hosts_note(g, h, &e);
	ay_dial_later(g, h);
}
