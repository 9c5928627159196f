/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/engine_impl.h"

#include "io/net/agent_msg.h"
#include "io/net/frame.h"
#include "prog/assayd/orders.h"

#include <stdlib.h>

/* ---- the table ---- */

static struct ay_conn **slot_of(struct ay_engine *g, uint32_t number)
{
	struct ay_conn **at = &g->conns[number % AY_CONN_BUCKETS];

	while (*at && (*at)->number != number)
		at = &(*at)->chain;
	return at;
}

struct ay_conn *ay_conns_find(struct ay_engine *g, uint32_t number)
{
	return *slot_of(g, number);
}

struct ay_conn *ay_conns_of_job(struct ay_engine *g, const struct ay_job *j)
{
	struct ay_host_run *r = j->host->run;

	(void)g;
	if (r->conn && r->conn->serial == j->conn_serial)
		return r->conn;
	if (r->rival && r->rival->serial == j->conn_serial)
		return r->rival;
	return NULL;
}

static void conn_free(struct ay_engine *g, struct ay_conn *c)
{
	ay_enrol_drop(g, c);
	ay_orders_drop(g, c);
	ay_sched_drop(&g->conn_sched, &c->wake);
	free(c->parts);
	free(c->name);
	free(c);
}

/* Results that the store still has are taken after this: they find no connection. */
static void leave_host(const struct ay_conn *c)
{
	if (c->host && c->host->run->conn == c)
		c->host->run->conn = NULL;
	if (c->host && c->host->run->rival == c)
		c->host->run->rival = NULL;
}

void ay_conns_fini(struct ay_engine *g)
{
	for (size_t i = 0; i < AY_CONN_BUCKETS; i++)
		while (g->conns[i]) {
			struct ay_conn *c = g->conns[i];

			g->conns[i] = c->chain;
			leave_host(c);
			conn_free(g, c);
		}
}

/* ---- sending ---- */

void ay_conns_send(struct ay_engine *g, struct ay_conn *c, uint8_t type, uint32_t req,
		   struct ay_bytes body)
{
	struct ay_ipc_msg m = {
		.type = AY_MSG_FRAME, .sub = type, .conn = c->number, .req = req, .body = body
	};

	if (g->front && !c->closing)
		ay_ipc_send_msg(g->front, &m);
}

void ay_conns_close(struct ay_engine *g, struct ay_conn *c, const char *why)
{
	if (c->closing)
		return;
	if (g->front)
		ay_ipc_send(g->front, AY_MSG_CLOSE, c->number, 0, ay_bytes_of(why));
	c->closing = true; /* front says CONN_DOWN when it is gone; nothing more is taken from it */
	ay_challenge_abandon(&c->challenge);
	ay_orders_drop(g, c);
}

void ay_conns_fail(struct ay_engine *g, struct ay_conn *c, uint32_t req, const struct ay_err *e)
{
	uint8_t buf[512];
	struct ay_writer w;
	struct ay_bytes body;
	/* a peer never sees the text of our own troubles */
	bool ours = e->rc == AY_E_BUG || e->rc == AY_E_UNAVAIL || e->rc == AY_E_NOMEM;

	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_vec8(&w, ay_bytes_of(e->code[0] ? e->code : ay_rc_name(e->rc)));
	ay_wr_vec16(&w, ay_bytes_of(ours ? ay_rc_text(e->rc) : e->text));
	if (ay_wr_end(&w, "fail", &body, NULL) == AY_OK)
		ay_conns_send(g, c, AY_FRAME_FAIL, req, body);
	ay_conns_close(g, c, e->code[0] ? e->code : ay_rc_name(e->rc));
}

/* What cannot be framed ends the connection and changes no verdict (design 6). */
void ay_conns_protocol(struct ay_engine *g, struct ay_conn *c, const char *text)
{
	g->count.protocol_errors++;
	AY_LOG(AY_LOG_WARN, "agent broke the protocol", AY_LS("peer", c->peer), AY_LS("why", text));
	ay_event_emit(g, "peer_protocol", c->host, "PEER_PROTOCOL", text);
	ay_conns_close(g, c, "PEER_PROTOCOL");
}

/* ---- up and down ---- */

void ay_conns_up(struct ay_engine *g, uint32_t number, struct ay_bytes body)
{
	struct ay_conn_up up;
	struct ay_conn *c;
	struct ay_err e;
	size_t n;

	if (ay_conn_up_parse(body, &up, &e) != AY_OK || ay_conns_find(g, number) ||
	    g->n_conns >= g->set.max_conns || !(c = calloc(1, sizeof(*c)))) {
		AY_LOG(AY_LOG_WARN, "connection refused", AY_LU("conn", number));
		ay_ipc_send(g->front, AY_MSG_CLOSE, number, 0, ay_bytes_of("refused"));
		return;
	}
	c->number = number;
	c->serial = ++g->next_serial;
	memcpy(c->exporter, up.exporter, 32);
	memcpy(c->spki, up.spki, 32);
	memcpy(c->cert, up.cert, 32);
	c->dialled = up.flags & AY_CONN_DIALLED;
	n = up.peer.n < sizeof(c->peer) ? up.peer.n : sizeof(c->peer) - 1;
	memcpy(c->peer, up.peer.p, n);
	*slot_of(g, number) = c;
	g->n_conns++;
	if (c->dialled)
		ay_dial_up(g, c, up.dial_id);
	if (!ay_sched_set(&g->conn_sched, &c->wake, g->mono_ms + g->set.hello_ms))
		ay_conns_close(g, c, "no memory");
}

/* The connection in use is gone: a second one takes its place, or the host is away. */
static void lost(struct ay_engine *g, struct ay_host *h, bool was_asked)
{
	struct ay_host_run *r = h->run;

	r->conn = r->rival;
	r->rival = NULL;
	if (r->conn) {
		ay_schedule_host(g, h);
		return;
	}
	h->connected = false;
	g->count.connected--;
	if (r->in_flight == 0)
		ay_pace_done(&g->pace, &r->pace);
	if (was_asked)
		ay_schedule_missed(g, h);
	if (h->dial.connect && h->state != AY_HOST_RETIRED)
		ay_dial_later(g, h);
	ay_schedule_host(g, h);
}

static void detach(struct ay_engine *g, struct ay_conn *c)
{
	struct ay_host *h = c->host;
	bool asked = c->challenge.state == AY_CHALLENGE_ISSUED;

	ay_challenge_abandon(&c->challenge);
	c->host = NULL;
	if (!h)
		return;
	if (h->run->rival == c)
		h->run->rival = NULL;
	else if (h->run->conn == c)
		lost(g, h, asked);
}

void ay_conns_down(struct ay_engine *g, uint32_t number)
{
	struct ay_conn **at = slot_of(g, number), *c = *at;

	if (!c)
		return;
	*at = c->chain;
	g->n_conns--;
	detach(g, c);
	if (c->dial_for && c->dial_for->run->conn == NULL)
		ay_dial_later(g, c->dial_for);
	conn_free(g, c);
}

void ay_conns_close_host(struct ay_engine *g, struct ay_host *h, const char *why)
{
	struct ay_conn *c[2] = { h->run->rival, h->run->conn };

	for (size_t i = 0; i < 2; i++)
		if (c[i]) {
			detach(g, c[i]);
			ay_conns_close(g, c[i], why);
		}
}

/* ---- two connections with one key (design 3) ---- */

static void drop_rival(struct ay_engine *g, struct ay_host *h, const char *why)
{
	struct ay_conn *c = h->run->rival;

	h->run->rival = NULL;
	c->host = NULL;
	ay_conns_close(g, c, why);
}

static void promote(struct ay_engine *g, struct ay_host *h)
{
	struct ay_conn *old = h->run->conn;

	h->run->conn = h->run->rival;
	h->run->rival = NULL;
	old->host = NULL;
	ay_conns_close(g, old, "replaced");
}

static void attach(struct ay_engine *g, struct ay_host *h, struct ay_conn *c)
{
	struct ay_host_run *r = h->run;

	c->host = h;
	if (!r->conn) {
		r->conn = c;
		h->connected = true;
		g->count.connected++;
		ay_schedule_back(g, h, c->boot_id);
		return;
	}
	if (r->rival)
		drop_rival(g, h, "replaced");
	r->rival = c;
	r->conn->proved = c->proved = false;
	AY_LOG(AY_LOG_INFO, "second connection with the key of a host", AY_LS("host", h->name));
	ay_challenge_send(g, h, r->conn);
	ay_challenge_send(g, h, c);
}

bool ay_conns_proved(struct ay_engine *g, struct ay_conn *c)
{
	struct ay_host *h = c->host;
	struct ay_host_run *r = h->run;

	if (!r->rival)
		return false;
	c->proved = true;
	if (AY_CHECKED("HOST_DUPLICATE", r->conn->proved && r->rival->proved))
		return true;
	if (c == r->rival && r->conn->challenge.state == AY_CHALLENGE_EXPIRED)
		promote(g, h); /* the older one was silent: a reconnect */
	return false;
}

void ay_conns_silent(struct ay_engine *g, struct ay_host *h, struct ay_conn *c)
{
	struct ay_host_run *r = h->run;

	if (!r->rival)
		return;
	if (c == r->rival)
		drop_rival(g, h, "silent");
	else if (r->rival->proved || r->rival->challenge.state == AY_CHALLENGE_EXPIRED)
		promote(g, h);
}

void ay_conns_duplicate(struct ay_engine *g, struct ay_host *h)
{
	struct ay_err e;

	if (!h->run->rival)
		return;
	ay_err_set(&e, AY_E_DENIED, "host", 0, "another machine answers for this host");
	memcpy(e.code, "HOST_DUPLICATE", sizeof("HOST_DUPLICATE"));
	ay_conns_fail(g, h->run->rival, 0, &e);
	drop_rival(g, h, "HOST_DUPLICATE");
}

/* ---- HELLO ---- */

static bool read_banks(struct ay_conn *c, const struct ay_hello *h)
{
	struct ay_pcr_selection s = { 0 };

	for (size_t i = 0; i < h->n_banks; i++) {
		if (ay_alg_digest_size(h->bank[i]) == 0)
			continue; /* a bank whose digests we do not know cannot be judged */
		for (size_t k = 0; k < s.n_banks; k++)
			if (s.bank[k].alg == h->bank[i])
				return false;
		if (s.n_banks == AY_BANKS_MAX)
			return false;
		s.bank[s.n_banks].alg = h->bank[i];
		s.bank[s.n_banks++].mask = AY_PCR_ASKED;
	}
	c->selection = s;
	return s.n_banks > 0;
}

static void send_welcome(struct ay_engine *g, struct ay_conn *c, const struct ay_host *h)
{
	static const struct ay_uuid none;
	uint8_t buf[256];
	struct ay_writer w;
	struct ay_bytes body;

	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_u8(&w, h != NULL);
	ay_wr_bytes(&w, h ? AY_BYTES(h->id.b) : AY_BYTES(none.b));
	ay_wr_vec8(&w, ay_bytes_of(h ? h->name : ""));
	if (ay_wr_end(&w, "welcome", &body, NULL) == AY_OK)
		ay_conns_send(g, c, AY_FRAME_WELCOME, 0, body);
}

void ay_conns_bind(struct ay_engine *g, struct ay_conn *c, struct ay_host *h)
{
	struct ay_err e;

	if (ay_hosts_load_ak(g, h, &e) != AY_OK) {
		ay_log_err(AY_LOG_ERROR, "AK of a host", &e);
		ay_conns_close(g, c, "UNAVAIL");
		return;
	}
	c->state = AY_CONN_BOUND;
	free(c->name);
	c->name = NULL;
	if (!ay_sched_set(&g->conn_sched, &c->wake, AY_NEVER))
		ay_log_write(AY_LOG_WARN, "no memory for a deadline", NULL, 0);
	ay_ipc_send(g->front, AY_MSG_BOUND, c->number, 0, (struct ay_bytes){ 0 });
	c->host = h;
	ay_pinning_send(g, c);
	attach(g, h, c);
	if (h->identity.cert_renew_ms && g->now_ms >= h->identity.cert_renew_ms)
		ay_enrol_renew(g, c);
}

/* Whoever answers at a host's address is the one that its operator named. */
static bool is_meant(struct ay_engine *g, struct ay_conn *c, struct ay_host *h)
{
	struct ay_err e;

	if (h == NULL || h->dial.tls.kind == AY_TLS_NONE ||
	    ay_tls_policy_check(&h->dial.tls, c->spki, c->cert, &e) == AY_OK)
		return true;
	ay_dial_policy(g, h, &e);
	ay_enrol_failed(g, c, &e);
	return false;
}

static void on_hello(struct ay_engine *g, struct ay_conn *c, struct ay_bytes body)
{
	struct ay_hello hello;
	struct ay_host *h = ay_hosts_by_key(g, c->spki);
	struct ay_err e;

	/* A known host that answers at another's address must be that other as well. */
	if (!is_meant(g, c, c->dial_for) || (h != c->dial_for && !is_meant(g, c, h)))
		return;

	if (ay_hello_parse(body, &hello, &e) != AY_OK) {
		ay_conns_protocol(g, c, e.text);
		return;
	}
	if (!read_banks(c, &hello)) {
		ay_conns_protocol(g, c, "HELLO lists no usable PCR bank, or one twice");
		return;
	}
	c->tpm_family = hello.tpm_family;
	c->ak_state = hello.ak_state;
	c->takes_pins = (hello.features & AY_CHAN_FEATURE_PINS) != 0;
	c->firmware = hello.firmware;
	memcpy(c->boot_id, hello.boot_id, sizeof(c->boot_id));
	memcpy(c->manufacturer, hello.manufacturer, 4);
	c->name = strndup((const char *)hello.name.p, hello.name.n);
	if (h && AY_CHECKED("AIK_CERT_REVOKED_HELLO", h->run->revoked))
		h = NULL; /* only a token brings it back, with a new certificate */
	if (h && h->state == AY_HOST_ENROLLED && c->ak_state != 0) {
		send_welcome(g, c, h);
		ay_conns_bind(g, c, h);
		return;
	}
	c->state = AY_CONN_WAITING;
	ay_enrol_hello(g, c);
}

void ay_conns_welcome_unbound(struct ay_engine *g, struct ay_conn *c)
{
	send_welcome(g, c, NULL);
}

/* ---- short frames ---- */

static void on_notice(struct ay_engine *g, struct ay_conn *c, struct ay_bytes body)
{
	if (body.n != 1 || body.p[0] < 1 || body.p[0] > 3) {
		ay_conns_protocol(g, c, "NOTICE of an unknown kind");
		return;
	}
	if (body.p[0] == 3)
		ay_schedule_renewal(g, c->host);
	else
		ay_schedule_notice(g, c->host);
}

static void on_pin_state(struct ay_engine *g, struct ay_conn *c, struct ay_bytes body)
{
	struct ay_err e;

	if (c->host && ay_pinning_state(g, c, body, &e) != AY_OK)
		ay_conns_protocol(g, c, e.text);
}

/* ---- frames ---- */

static const struct {
	char sender, bound;
	uint32_t max;
} frames[32] = {
#define X(name, number, sender, bound, max, doc) [number] = { #sender[0], #bound[0], (max) },
#include "io/net/channel.def"
#undef X
};

/* Front has judged this already; front may be taken over. */
static bool may_come(const struct ay_conn *c, const struct ay_ipc_msg *m)
{
	bool is_bound = c->state == AY_CONN_BOUND;

	if (m->sub >= AY_COUNT(frames) || !frames[m->sub].sender || frames[m->sub].sender == 'S')
		return false;
	if (m->body.n > frames[m->sub].max)
		return false;
	if ((m->flags & ~AY_FRAME_MORE) || (m->flags && m->sub != AY_FRAME_EVIDENCE))
		return false;
	if ((c->state == AY_CONN_NEW) != (m->sub == AY_FRAME_HELLO))
		return c->state == AY_CONN_NEW && m->sub == AY_FRAME_FAIL;
	return frames[m->sub].bound == 'B' || (frames[m->sub].bound == 'Y') == is_bound;
}

/* A code that an agent says: what is no letter of a code is not taken over. */
void ay_conns_peer_code(struct ay_err *e, struct ay_bytes code)
{
	memset(e->code, 0, sizeof(e->code));
	for (size_t i = 0; i < code.n && i + 1 < sizeof(e->code); i++) {
		char ch = (char)code.p[i];
		bool is_word = (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_';

		e->code[i] = is_word ? ch : '?';
	}
}

static void on_fail(struct ay_engine *g, struct ay_conn *c, struct ay_bytes body)
{
	struct ay_chan_fail f;
	struct ay_err e;

	if (ay_chan_fail_parse(body, &f, &e) != AY_OK) {
		ay_conns_protocol(g, c, e.text);
		return;
	}
	ay_err_set(&e, AY_E_DENIED, "agent", 0, "the agent says: %.*s", (int)f.text.n,
		   (const char *)f.text.p);
	ay_conns_peer_code(&e, f.code);
	if (c->enrol)
		ay_enrol_failed(g, c, &e);
	else
		ay_log_err(AY_LOG_WARN, "agent gave up", &e);
	ay_conns_close(g, c, "FAIL from the agent");
}

void ay_conns_frame(struct ay_engine *g, const struct ay_ipc_msg *m)
{
	struct ay_conn *c = ay_conns_find(g, m->conn);

	if (!c || c->closing)
		return;
	if (!may_come(c, m)) {
		ay_conns_protocol(g, c, "a frame that may not come now");
		return;
	}
	switch (m->sub) {
	case AY_FRAME_EVIDENCE:
		ay_conns_evidence(g, c, m);
		break;
	case AY_FRAME_HELLO:
		on_hello(g, c, m->body);
		break;
	case AY_FRAME_NOTICE:
		on_notice(g, c, m->body);
		break;
	case AY_FRAME_ORDER_NONCE:
	case AY_FRAME_ORDER_DONE:
		ay_orders_frame(g, c, m->sub, m->req, m->body);
		break;
	case AY_FRAME_PIN_STATE:
		on_pin_state(g, c, m->body);
		break;
	case AY_FRAME_FAIL:
		on_fail(g, c, m->body);
		break;
	default:
		ay_enrol_frame(g, c, m->sub, m->req, m->body);
	}
}

void ay_conns_wake(struct ay_engine *g, struct ay_conn *c)
{
	struct ay_err e;

	if (c->state == AY_CONN_BOUND && !c->enrol)
		return;
	e.rc = ay_fail_code(&e, AY_E_DENIED,
			    c->state == AY_CONN_WAITING ? "NOT_ENROLLED" : "DEADLINE", "channel",
			    "%s",
			    c->state == AY_CONN_NEW	  ? "no HELLO in time"
			    : c->state == AY_CONN_WAITING ? "this key is bound to no host and no "
							    "enrolment token was shown"
							  : "provisioning step took too long");
	if (c->enrol)
		ay_enrol_failed(g, c, &e);
	else
		ay_conns_fail(g, c, 0, &e);
}
