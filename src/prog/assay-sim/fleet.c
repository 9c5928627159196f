/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-sim/fleet.h"

#include "io/net/cert.h"
#include "io/net/socket.h"
#include "io/sys/clock.h"
#include "io/sys/rng.h"
#include "prog/assay-sim/enrol.h"
#include "prog/assay-sim/evidence.h"
#include "prog/assay-sim/keep.h"
#include "prog/assay-sim/keys.h"

#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	RAMP = 64, /* connections that are being made or enrolled at the same time */
	TRIES = 5,
	TICK_MS = 20,
	LATENCIES = 1000000, /* of 0.1 ms: up to 100 s */
	COMPLAINTS = 5,
	HANDSHAKE_MS = 30000,
	FRAME_MS = 60000,
	MAX_OUT = 4 << 20,
	CONNECT_LIMIT_S = 120, /* and as long again for every thousand hosts */
};

static void complain(struct sim *s, const struct sim_host *h, const struct ay_err *e)
{
	if (s->stats.failed++ < COMPLAINTS)
		fprintf(stderr, "assay-sim: host %u: %s%s%s\n", h->index, e->code,
			e->code[0] ? ": " : "", e->text);
}

static struct ay_tls_peer peer_of(struct sim_host *h)
{
	struct ay_tls_peer p = { 0 };

	if (ay_tls_peer(ay_chan_tls(h->chan), &p, NULL) != AY_OK)
		p = (struct ay_tls_peer){ 0 };
	return p;
}

/* ---- results ---- */

static void count_latency(struct sim *s, struct sim_host *h)
{
	uint64_t tenths = (ay_clock_mono_ns() - h->sent_ns) / 100000;

	s->stats.latency[tenths < LATENCIES ? tenths : LATENCIES - 1]++;
	s->stats.n_latencies++;
}

static void take_result(struct sim *s, struct sim_host *h, uint8_t verdict)
{
	h->asked = 0;
	if (!s->measuring)
		return;
	count_latency(s, h);
	s->stats.rejected += verdict == 0;
	s->stats.unknown += verdict == 1;
	s->stats.trusted += verdict == 2;
	s->stats.accepted += verdict != 0;
	s->stats.bad_accepted += h->asked_bad && verdict != 0;
}

static void ask_again(struct sim_host *h)
{
	static const uint8_t log_grew[] = { 1 };

	if (h->sim->conf.notice)
		ay_chan_send(h->chan, AY_FRAME_NOTICE, 0, AY_BYTES(log_grew));
}

static void send_evidence(struct sim_host *h, struct ay_bytes body)
{
	h->sent_ns = ay_clock_mono_ns();
	ay_chan_send(h->chan, AY_FRAME_EVIDENCE, h->asked, body);
}

static void drop_held(struct sim *s, struct sim_host *h)
{
	if (h->held.p == NULL)
		return;
	free((void *)(uintptr_t)h->held.p);
	h->held = (struct ay_bytes){ NULL, 0 };
	s->n_held--;
}

static void release(struct sim *s)
{
	for (unsigned i = 0; i < s->conf.hosts; i++) {
		if (s->host[i].held.p == NULL)
			continue;
		send_evidence(&s->host[i], s->host[i].held);
		drop_held(s, &s->host[i]);
	}
}

/* RSA signatures cost the simulator more than the server's whole work: save them up. */
static void hold(struct sim *s, struct sim_host *h, struct ay_bytes body)
{
	uint8_t *copy = malloc(body.n);

	drop_held(s, h);
	if (copy == NULL) {
		send_evidence(h, body);
		return;
	}
	memcpy(copy, body.p, body.n);
	h->held = (struct ay_bytes){ copy, body.n };
	s->n_held++;
	if (s->n_held >= s->stats.up)
		release(s);
}

static void on_challenge(struct sim *s, struct sim_host *h, const struct ay_frame *f)
{
	uint8_t buf[32768];
	struct ay_chan_challenge c;
	struct ay_bytes body;
	struct ay_err e = { 0 };
	enum sim_bad bad = SIM_GOOD;

	if (ay_chan_challenge_parse(f->body, &c, &e) != AY_OK) {
		complain(s, h, &e);
		return;
	}
	if (h->asked != 0 && c.last_verdict != 255 && c.last_request == h->asked)
		take_result(s, h, c.last_verdict);
	if (s->measuring)
		bad = sim_bad_draw(s);
	if (sim_answer(h, &c, bad, buf, sizeof(buf), &body, &e) != AY_OK) {
		complain(s, h, &e);
		return;
	}
	s->stats.bad_sent += bad != SIM_GOOD;
	h->asked = f->req;
	h->asked_bad = bad != SIM_GOOD;
	if (s->conf.burst && s->measuring)
		hold(s, h, body);
	else
		send_evidence(h, body);
}

static void reconnect(struct sim *s, struct sim_host *h)
{
	if (h->reconnects < s->conf.reconnects && h->session != NULL && s->measuring) {
		h->reconnects++;
		ay_chan_close(h->chan, "asked to reconnect");
	}
}

static void on_result(struct sim *s, struct sim_host *h, const struct ay_frame *f)
{
	struct ay_chan_result r;

	if (ay_chan_result_parse(f->body, &r, NULL) != AY_OK || f->req != h->asked)
		return;
	take_result(s, h, r.verdict);
	if (h->reconnects < s->conf.reconnects)
		reconnect(s, h);
	else
		ask_again(h);
}

/* ---- enrolment ---- */

static void host_is_up(struct sim *s, struct sim_host *h)
{
	if (h->was_up)
		return;
	h->was_up = true;
	s->connecting--;
	s->stats.up++;
	if (s->stats.up > s->stats.most_up)
		s->stats.most_up = s->stats.up;
}

static void on_enrolled(struct sim *s, struct sim_host *h, const struct ay_frame *f)
{
	struct ay_err e = { 0 };

	if (sim_enrol_done(h, f, &e) != AY_OK || sim_keep_add(s, h, &e) != AY_OK) {
		complain(s, h, &e);
		ay_chan_close(h->chan, "enrolment failed");
		return;
	}
	s->stats.enrolled++;
	host_is_up(s, h);
}

static void on_enrol_step(struct sim *s, struct sim_host *h, const struct ay_frame *f)
{
	uint8_t buf[32768], type;
	struct ay_tls_peer peer = peer_of(h);
	struct ay_bytes body;
	struct ay_err e = { 0 };

	if (sim_enrol_step(h, &peer, f, buf, sizeof(buf), &type, &body, &e) == AY_OK) {
		ay_chan_send(h->chan, type, f->req, body);
		return;
	}
	complain(s, h, &e);
	ay_chan_close(h->chan, "enrolment failed");
}

static void on_welcome(struct sim *s, struct sim_host *h, const struct ay_frame *f)
{
	struct ay_chan_welcome w;

	if (ay_chan_welcome_parse(f->body, &w, NULL) != AY_OK)
		return;
	if (w.bound && h->enrolled)
		host_is_up(s, h);
}

static void on_fail(struct sim *s, struct sim_host *h, const struct ay_frame *f)
{
	struct ay_chan_fail m;
	struct ay_err e = { 0 };

	if (ay_chan_fail_parse(f->body, &m, NULL) != AY_OK)
		return;
	ay_err_set(&e, AY_E_DENIED, "server", 0, "%.*s", (int)m.text.n, (const char *)m.text.p);
	snprintf(e.code, sizeof(e.code), "%.*s", (int)m.code.n, (const char *)m.code.p);
	complain(s, h, &e);
}

/* ---- the channel ---- */

static void take_session(struct sim_host *h)
{
	struct ay_tls_session *fresh = ay_tls_session_take(ay_chan_tls(h->chan));

	if (fresh == NULL)
		return;
	ay_tls_session_free(h->session);
	h->session = fresh;
	h->wants_session = false;
}

static void on_frame(struct ay_chan *c, void *owner, const struct ay_frame *f)
{
	struct sim_host *h = owner;
	struct sim *s = h->sim;

	(void)c;
	if (h->wants_session && s->conf.reconnects > 0)
		take_session(h);
	switch (f->type) {
	case AY_FRAME_CHALLENGE:
		on_challenge(s, h, f);
		break;
	case AY_FRAME_RESULT:
		on_result(s, h, f);
		break;
	case AY_FRAME_WELCOME:
		on_welcome(s, h, f);
		break;
	case AY_FRAME_PROVISION:
	case AY_FRAME_CA_CHALLENGE:
	case AY_FRAME_CA_CERT:
		on_enrol_step(s, h, f);
		break;
	case AY_FRAME_ENROLLED:
		on_enrolled(s, h, f);
		break;
	case AY_FRAME_FAIL:
		on_fail(s, h, f);
		break;
	default:
		break;
	}
}

static void say_hello(struct sim_host *h)
{
	char name[AY_MAX_NAME_BYTES + 1];
	struct ay_chan_hello hello = { .version = "assay-sim " AY_VERSION,
				       .name = name,
				       .boot_id = h->boot,
				       .family = 2,
				       .manufacturer = "SIM",
				       .firmware = 0x0001000200030004,
				       .n_banks = 1,
				       .bank = { AY_ALG_SHA256 },
				       .has_ak = h->enrolled,
				       .sends_logs = true };
	uint8_t buf[512];
	struct ay_writer w;
	struct ay_bytes body;

	snprintf(name, sizeof(name), "%s%u", h->sim->conf.prefix, h->index);
	ay_wr_init(&w, buf, sizeof(buf));
	ay_chan_hello_write(&w, &hello);
	if (ay_wr_end(&w, "sim.hello", &body, NULL) == AY_OK)
		ay_chan_send(h->chan, AY_FRAME_HELLO, 0, body);
}

static void prove_token(struct sim_host *h, const struct ay_tls_peer *peer)
{
	uint8_t buf[512];
	struct ay_bytes body;
	struct ay_err e = { 0 };

	if (sim_token_proof(h, peer, buf, sizeof(buf), &body, &e) == AY_OK)
		ay_chan_send(h->chan, AY_FRAME_TOKEN_PROOF, 0, body);
	else
		complain(h->sim, h, &e);
}

static void on_up(struct ay_chan *c, void *owner, const struct ay_tls_peer *peer)
{
	struct sim_host *h = owner;
	struct sim *s = h->sim;

	h->chan = c;
	h->wants_session = true;
	memcpy(h->exporter, peer->exporter, sizeof(h->exporter));
	if (peer->is_resumed)
		s->stats.resumed++;
	else
		s->stats.full++;
	say_hello(h);
	if (!h->enrolled)
		prove_token(h, peer);
}

static void on_down(struct ay_chan *c, void *owner, const struct ay_err *why)
{
	struct sim_host *h = owner;
	struct sim *s = h->sim;

	(void)c;
	h->chan = NULL;
	h->asked = 0;
	drop_held(s, h);
	sim_enrol_end(h);
	if (h->was_up)
		s->stats.up--;
	else
		s->connecting--;
	if (!h->was_up && !s->over) {
		complain(s, h, why);
		h->gave_up = ++h->tries >= TRIES;
	}
	h->was_up = false;
	if (s->next > h->index - s->conf.first)
		s->next = h->index - s->conf.first;
}

static const struct ay_chan_ops ops = { on_up, on_frame, on_down };

/* ---- dialling ---- */

static enum ay_rc dial(struct sim *s, struct sim_host *h, struct ay_err *e)
{
	struct ay_tls_conn *tls;
	int fd;
	enum ay_rc rc = ay_net_connect(s->conf.server, &fd, e);

	if (rc != AY_OK)
		return rc;
	tls = ay_tls_connect(s->tls, fd, h->session == NULL, h->session);
	if (tls == NULL || !ay_tls_conn_use(tls, h->tls_cert, h->tls_key)) {
		ay_tls_conn_free(tls);
		close(fd);
		return ay_fail(e, AY_E_NOMEM, "sim.tls", 0, "out of memory");
	}
	s->connecting++; /* before: down() may come at once */
	rc = ay_chan_open(s->env, fd, tls, false, h, &h->chan, e);
	if (rc != AY_OK)
		s->connecting--;
	return rc;
}

static void dial_more(struct sim *s)
{
	struct ay_err e = { 0 };

	for (; s->next < s->conf.hosts && s->connecting < RAMP && !s->over; s->next++) {
		struct sim_host *h = &s->host[s->next];

		if (h->chan != NULL || h->gave_up)
			continue;
		if (h->tls_key == NULL && sim_keys_make(s, h, &e) != AY_OK) {
			complain(s, h, &e);
			h->gave_up = true;
		} else if (dial(s, h, &e) != AY_OK) {
			complain(s, h, &e);
			h->gave_up = ++h->tries >= TRIES;
		}
	}
}

static bool all_settled(const struct sim *s)
{
	if (s->connecting > 0 || s->next < s->conf.hosts)
		return false;
	for (unsigned i = 0; i < s->conf.hosts; i++)
		if (!s->host[i].was_up && !s->host[i].gave_up)
			return false;
	return true;
}

static void start_measuring(struct sim *s)
{
	struct timeval t = { s->conf.seconds, 0 };

	s->measuring = true;
	s->started_ns = ay_clock_mono_ns();
	event_add(s->end, &t);
	fprintf(stderr, "assay-sim: %u of %u hosts connected\n", s->stats.up, s->conf.hosts);
	for (unsigned i = 0; i < s->conf.hosts; i++)
		if (s->host[i].was_up && s->host[i].asked == 0)
			ask_again(&s->host[i]);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
	struct sim *s = arg;

	(void)fd, (void)what;
	dial_more(s);
	if (!s->measuring && all_settled(s))
		start_measuring(s);
}

static void on_end(evutil_socket_t fd, short what, void *arg)
{
	struct sim *s = arg;

	(void)fd, (void)what;
	s->over = true;
	event_base_loopbreak(s->base);
}

static enum ay_rc make_tls(struct sim *s, struct ay_err *e)
{
	struct ay_cert_args a = { .kind = AY_CERT_AGENT,
				  .cn = "assay-sim",
				  .now_s = ay_clock_wall_ms() / 1000,
				  .life_s = 10 * 365 * 86400 };
	AY_CLEANUP(ay_cert_pem_free) struct ay_cert_pem pem = { 0 };
	struct ay_tls_args t = { .role = AY_ROLE_AGENT, .has_pin = true };
	enum ay_rc rc = ay_cert_make(&a, NULL, &pem, e);

	t.cert_pem = pem.cert;
	t.key_pem = pem.key;
	memcpy(t.root_pin, s->conf.token.root, sizeof(t.root_pin));
	return rc == AY_OK ? ay_tls_new(&t, &s->tls, e) : rc;
}

enum ay_rc sim_fleet_init(struct sim *s, struct ay_err *e)
{
	struct ay_chan_args a = { .role = AY_ROLE_AGENT,
				  .ops = &ops,
				  .handshake_ms = HANDSHAKE_MS,
				  .hello_ms = HANDSHAKE_MS,
				  .frame_ms = FRAME_MS,
				  .max_out = MAX_OUT };
	enum ay_rc rc;

	for (unsigned i = 0; i < s->conf.hosts; i++) {
		struct sim_host *h = &s->host[i];

		h->sim = s;
		h->index = s->conf.first + i;
		if (!h->enrolled)
			h->boot = ay_rng_uuid();
	}
	s->stats.latency = calloc(LATENCIES, sizeof(*s->stats.latency));
	s->base = event_base_new();
	if (s->base == NULL || s->stats.latency == NULL)
		return ay_fail(e, AY_E_NOMEM, "sim", 0, "out of memory");
	a.base = s->base;
	rc = ay_chan_env_new(&a, &s->env, e);
	if (rc == AY_OK)
		rc = make_tls(s, e);
	s->tick = event_new(s->base, -1, EV_PERSIST, on_tick, s);
	s->end = event_new(s->base, -1, 0, on_end, s);
	if (rc == AY_OK && (s->tick == NULL || s->end == NULL))
		rc = ay_fail(e, AY_E_NOMEM, "sim", 0, "out of memory");
	return rc;
}

enum ay_rc sim_fleet_run(struct sim *s, struct ay_err *e)
{
	struct timeval tick = { 0, TICK_MS * 1000 };
	struct timeval limit = { CONNECT_LIMIT_S * (1 + s->conf.hosts / 1000), 0 };

	event_add(s->tick, &tick);
	event_add(s->end, &limit); /* replaced when measuring starts */
	on_tick(-1, 0, s);
	if (event_base_dispatch(s->base) < 0)
		return ay_fail(e, AY_E_BUG, "sim", 0, "event loop failed");
	return AY_OK;
}

void sim_fleet_fini(struct sim *s)
{
	s->over = true;
	for (unsigned i = 0; s->host != NULL && i < s->conf.hosts; i++) {
		struct sim_host *h = &s->host[i];

		if (h->chan != NULL)
			ay_chan_close(h->chan, "over");
		ay_tls_session_free(h->session);
		sim_enrol_end(h);
		sim_keys_free(h);
	}
	if (s->tick != NULL)
		event_free(s->tick);
	if (s->end != NULL)
		event_free(s->end);
	ay_chan_env_free(s->env);
	ay_tls_free(s->tls);
	if (s->base != NULL)
		event_base_free(s->base);
	free(s->stats.latency);
	free(s->host);
}
