/* SPDX-License-Identifier: Apache-2.0 */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/timefmt.h"
#include "io/ipc/ipc.h"
#include "io/ipc/tables.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "io/sys/log.h"
#include "prog/assay-agent/attest.h"
#include "prog/assay-agent/measure.h"
#include "prog/assay-agent/orders.h"
#include "prog/assay-agent/provision.h"
#include "prog/assay-agent/repin.h"
#include "prog/assay-agent/status.h"
#include "prog/assay-agent/tpm_process.h"

/*
 * The process that holds device, logs and keys. It speaks to link only, and
 * makes everything that the TPM signs itself, so that a taken-over link can
 * choose neither label nor host id of a quote.
 */
enum {
	WATCH_MS = 1000,
	ANSWER_MAX = 64 * 1024,
	ENROL_SILENCE_S = 60,
	RENEW_AGAIN_S = 5,
	OPEN_MS = 10000
};

static struct ay_identity *identity(struct tpm_process *p)
{
	return &p->agent->identity;
}

static const struct ay_pins *pins(struct tpm_process *p)
{
	return p->agent->pins.known ? &p->agent->pins : &identity(p)->pins;
}

static enum ay_rc need_info(struct tpm_process *p, struct ay_err *e)
{
	enum ay_rc rc;

	if (p->info.family != 0)
		return AY_OK;
	rc = p->ops->open(p->dev, e);
	if (rc != AY_OK)
		return rc;
	rc = p->ops->info(p->dev, &p->info, e);
	p->ops->close(p->dev);
	return rc;
}

static void send_hello(struct tpm_process *p)
{
	struct ay_chan_hello h = { .version = "assay-agent " AY_VERSION,
				   .sends_logs = true,
				   .takes_pins = true };
	uint8_t buf[1024];
	struct ay_writer w;
	struct ay_bytes body;
	struct ay_err e;
	enum ay_rc rc = need_info(p, &e);

	if (rc == AY_OK)
		rc = ay_measure_boot_id(ay_config_str(p->agent->conf, "boot_id"), &p->boot, &e);
	if (rc != AY_OK) {
		ay_say_end(p, &e, "AGENT_TPM");
		return;
	}
	h.name = p->agent->name;
	h.boot_id = p->boot;
	h.family = p->info.family;
	memcpy(h.manufacturer, p->info.manufacturer, sizeof(h.manufacturer));
	h.firmware = p->info.firmware;
	h.n_banks = p->info.n_banks;
	memcpy(h.bank, p->info.bank, sizeof(h.bank));
	h.has_ak = (identity(p)->enrolled && !p->agent->enrol) || p->unsure;
	ay_wr_init(&w, buf, sizeof(buf));
	ay_chan_hello_write(&w, &h);
	if (ay_wr_end(&w, "hello", &body, &e) == AY_OK)
		ay_say_frame(p, AY_FRAME_HELLO, 0, 0, body);
	else
		ay_say_end(p, &e, "AGENT_BUG");
}

static void on_up(struct tpm_process *p, const struct ay_ipc_msg *m)
{
	struct ay_reader r;
	struct ay_bytes root;
	uint8_t spki[32], server[32];

	ay_rd_init(&r, m->body);
	ay_rd_copy(&r, "up.exporter", p->exporter, sizeof(p->exporter));
	ay_rd_copy(&r, "up.spki", spki, sizeof(spki));
	ay_rd_copy(&r, "up.server", server, sizeof(server));
	root = ay_rd_vec16(&r, "up.root", AY_MAX_CERT_BYTES);
	if (ay_rd_end(&r, "up", NULL) != AY_OK || memcmp(spki, p->agent->spki, 32) != 0)
		return;
	ay_provisioning_reset(&p->prov);
	ay_file_free(&p->root_der);
	if (root.n > 0) {
		uint8_t *copy = malloc(root.n);

		if (copy != NULL)
			p->root_der = (struct ay_bytes){ memcpy(copy, root.p, root.n), root.n };
	}
	p->conn = m->conn;
	p->up = true;
	p->refused = false;
	p->told_renewal = false;
	p->silent_s = 0;
	p->unsure = ay_file_exists(p->agent->pending_path);
	if (p->unsure)
		ay_ipc_send(p->link, AY_MSG_AGENT_HOLD, p->conn, 0, (struct ay_bytes){ 0 });
	if (p->root_der.n > 0 && !p->agent->enrol)
		ay_repin_seen(p->agent, p->root_der);
	send_hello(p);
}

static struct ay_provision_env env_of(struct tpm_process *p)
{
	return (struct ay_provision_env){ .agent = p->agent,
					  .identity = identity(p),
					  .pins = pins(p),
					  .ops = p->ops,
					  .dev = p->dev,
					  .exporter = p->exporter,
					  .now_ms = ay_clock_wall_ms() };
}

typedef enum ay_rc step_fn(struct ay_provisioning *p, const struct ay_provision_env *env,
			   struct ay_bytes body, struct ay_writer *answer, struct ay_err *e);

static void run_step(struct tpm_process *p, const struct ay_ipc_msg *m, step_fn *step, uint8_t type)
{
	struct ay_provision_env env = env_of(p);
	uint8_t *buf = malloc(ANSWER_MAX);
	struct ay_writer w;
	struct ay_bytes body;
	struct ay_err e;
	enum ay_rc rc;

	if (buf == NULL)
		return;
	ay_wr_init(&w, buf, ANSWER_MAX);
	rc = step(&p->prov, &env, m->body, &w, &e);
	if (rc == AY_OK)
		rc = ay_wr_end(&w, "answer", &body, &e);
	if (rc == AY_OK && type == AY_FRAME_ENROL_PROOF)
		rc = ay_file_write(p->agent->pending_path, 0600, ay_bytes_of("proof sent\n"), &e);
	if (rc == AY_OK)
		ay_say_frame(p, type, 0, m->req, body);
	else
		ay_say_end(p, &e, "PROVISION");
	free(buf);
}

static void on_challenge(struct tpm_process *p, const struct ay_ipc_msg *m)
{
	const struct ay_attest_env env = {
		.agent = p->agent, .ops = p->ops, .dev = p->dev, .exporter = p->exporter
	};
	struct ay_bytes body = { 0 };
	struct ay_err e;
	enum ay_rc rc;

	/* The other AK's quote would be a lie; the server asks anew when it is known which counts.
	 */
	if (p->unsure)
		return;
	p->ima_mark = ay_measure_ima_mark(ay_config_str(p->agent->conf, "ima"));
	rc = ay_attest(&p->attester, &env, m->body, &body, &e);
	if (rc == AY_OK)
		ay_say_parts(p, AY_FRAME_EVIDENCE, m->req, body);
	else
		ay_say_end(p, &e, "AGENT_TPM");
	ay_file_free(&body);
}

static void on_order(struct tpm_process *p, const struct ay_ipc_msg *m)
{
	const struct ay_order_env env = { .agent = p->agent,
					  .identity = identity(p),
					  .pins = pins(p),
					  .ops = p->ops,
					  .dev = p->dev,
					  .exporter = p->exporter,
					  .now_ms = ay_clock_wall_ms(),
					  .mono_ms = ay_clock_mono_ms() };
	uint8_t *buf = malloc(AY_MAX_FRAME_BODY), type;
	struct ay_writer w;
	struct ay_bytes body;
	struct ay_err e;

	if (buf == NULL)
		return;
	ay_wr_init(&w, buf, AY_MAX_FRAME_BODY);
	p->open_until = env.mono_ms + OPEN_MS;
	type = ay_orders_answer(&p->orders, &env, ay_order_doers, m->sub, m->body, &w);
	if (ay_wr_end(&w, "order", &body, &e) == AY_OK)
		ay_say_frame(p, type, 0, m->req, body);
	else
		ay_log_err(AY_LOG_ERROR, "no answer to an order", &e);
	free(buf);
}

static void on_welcome(struct tpm_process *p, struct ay_bytes body)
{
	struct ay_chan_welcome w;

	if (ay_chan_welcome_parse(body, &w, NULL) != AY_OK)
		return;
	ay_status_connected(p->agent);
	if (w.bound && p->unsure)
		ay_say_notice(p, 3);
}

static void on_enrolled(struct tpm_process *p, const struct ay_ipc_msg *m)
{
	struct ay_provision_env env = env_of(p);
	struct ay_bytes root = p->root_der.n > 0 ? p->root_der : identity(p)->root_der;
	struct ay_identity fresh;
	char host[AY_UUID_TEXT], until[AY_TIME_ROOM];
	struct ay_err e;
	enum ay_rc rc = ay_provision_enrolled(&p->prov, &env, m->body, &fresh, &e);

	if (rc == AY_OK) {
		fresh.root_der = ay_arena_dup(&fresh.arena, root);
		fresh.root_before = ay_arena_dup(&fresh.arena, identity(p)->root_before);
		rc = ay_identity_save(p->agent->identity_path, &fresh, &e);
	}
	if (rc != AY_OK) {
		ay_identity_fini(&fresh);
		ay_say_end(p, &e, "AGENT_STATE");
		return;
	}
	(void)unlink(p->agent->pending_path);
	p->unsure = false;
	ay_identity_fini(identity(p));
	*identity(p) = fresh;
	p->agent->pins = fresh.pins;
	ay_attester_forget(&p->attester);
	p->told_renewal = false;
	ay_uuid_format(&fresh.host, host);
	ay_time_format(fresh.ends_at_ms, until);
	AY_LOG(AY_LOG_INFO, "enrolled", AY_LS("name", fresh.name), AY_LS("host", host),
	       AY_LS("certificate_until", until));
	ay_status_enrolled(p->agent);
	if (p->agent->enrol) {
		printf("enrolled as %s (%s), AIK certificate until %s\n", fresh.name, host, until);
		fflush(stdout);
		ay_say_done(p, AY_EXIT_OK);
	}
}

static void on_fail(struct tpm_process *p, struct ay_bytes body)
{
	struct ay_chan_fail f;
	char code[65], text[1025];

	if (ay_chan_fail_parse(body, &f, NULL) != AY_OK)
		return;
	ay_status_printable(f.code, code, sizeof(code));
	ay_status_printable(f.text, text, sizeof(text));
	/* The proof itself was refused, so the server kept what it had: the AK we have counts on.
	 */
	if (p->prov.step == AY_STEP_PROVED)
		(void)unlink(p->agent->pending_path);
	ay_say_refusal(p, code, text);
}

static void on_result(struct tpm_process *p, struct ay_bytes body)
{
	struct ay_chan_result r;

	if (ay_chan_result_parse(body, &r, NULL) == AY_OK)
		ay_status_result(p->agent, &r);
}

/* What the link process holds a server's chain against. */
static void tell_roots(struct tpm_process *p)
{
	uint8_t buf[256 + AY_TLS_ROOTS * AY_MAX_CERT_BYTES];
	struct ay_writer w;
	struct ay_bytes body;

	ay_wr_init(&w, buf, sizeof(buf));
	ay_repin_roots(p->agent, ay_clock_wall_ms(), &w);
	if (ay_wr_end(&w, "roots", &body, NULL) == AY_OK)
		ay_ipc_send(p->link, AY_MSG_AGENT_ROOTS, 0, 0, body);
}

static void on_pin_change(struct tpm_process *p, const struct ay_ipc_msg *m)
{
	uint8_t buf[256];
	struct ay_writer w;
	struct ay_bytes body;
	struct ay_err e;
	bool roots;

	if (!identity(p)->enrolled || p->agent->enrol)
		return;
	ay_wr_init(&w, buf, sizeof(buf));
	if (ay_repin(p->agent, m->body, ay_clock_wall_ms(), &w, &roots, &e) != AY_OK) {
		ay_say_end(p, &e, "PEER_PROTOCOL");
		return;
	}
	if (roots)
		tell_roots(p);
	if (ay_wr_end(&w, "pin state", &body, NULL) == AY_OK)
		ay_say_frame(p, AY_FRAME_PIN_STATE, 0, m->req, body);
}

static void on_frame(struct tpm_process *p, const struct ay_ipc_msg *m)
{
	if (!p->up || m->conn != p->conn)
		return;
	p->silent_s = 0;
	switch (m->sub) {
	case AY_FRAME_WELCOME:
		on_welcome(p, m->body);
		break;
	case AY_FRAME_PROVISION:
		run_step(p, m, ay_provision_begin, AY_FRAME_CA_REQUEST);
		break;
	case AY_FRAME_CA_CHALLENGE:
		run_step(p, m, ay_provision_challenge, AY_FRAME_CA_ANSWER);
		break;
	case AY_FRAME_CA_CERT:
		run_step(p, m, ay_provision_cert, AY_FRAME_ENROL_PROOF);
		break;
	case AY_FRAME_ENROLLED:
		on_enrolled(p, m);
		break;
	case AY_FRAME_CHALLENGE:
		on_challenge(p, m);
		break;
	case AY_FRAME_PIN_CHANGE:
		on_pin_change(p, m);
		break;
	case AY_FRAME_ORDER_ASK:
	case AY_FRAME_ORDER:
		on_order(p, m);
		break;
	case AY_FRAME_RESULT:
		on_result(p, m->body);
		break;
	case AY_FRAME_FAIL:
		on_fail(p, m->body);
		break;
	default:
		break;
	}
}

static void on_down(struct tpm_process *p)
{
	p->up = false;
	p->orders = (struct ay_orders){ 0 }; /* a nonce serves on its connection */
	ay_provisioning_reset(&p->prov);
	ay_status_disconnected(p->agent);
}

static void on_link_error(struct tpm_process *p, struct ay_bytes body)
{
	struct ay_chan_fail f;
	char code[65], text[1025];

	if (!p->agent->enrol && ay_chan_fail_parse(body, &f, NULL) == AY_OK) {
		ay_status_printable(f.code, code, sizeof(code));
		ay_status_refused(p->agent, code, AY_AGENT_ROOT_TODO);
		return;
	}
	if (!p->agent->enrol || p->exit_code >= 0 || p->refused ||
	    ay_chan_fail_parse(body, &f, NULL) != AY_OK)
		return;
	ay_status_printable(f.code, code, sizeof(code));
	ay_status_printable(f.text, text, sizeof(text));
	fprintf(stderr, "%s: %s\n", code, text);
	ay_say_done(p, strcmp(code, "UNREACHABLE") == 0 ? AY_EXIT_IO : AY_EXIT_REFUSED);
}

static void on_msg(void *arg, const struct ay_ipc_msg *m)
{
	struct tpm_process *p = arg;

	if (m->type == AY_MSG_AGENT_UP)
		on_up(p, m);
	else if (m->type == AY_MSG_AGENT_DOWN && m->conn == p->conn)
		on_down(p);
	else if (m->type == AY_MSG_AGENT_FRAME)
		on_frame(p, m);
	else if (m->type == AY_MSG_AGENT_ERROR)
		on_link_error(p, m->body);
}

static void on_gone(void *arg, const char *why)
{
	struct tpm_process *p = arg;

	AY_LOG(AY_LOG_WARN, "the link process is gone", AY_LS("why", why));
	ay_loop_stop(p->loop);
}

/* The root before ends by time: link learns it when it does. */
static void look_at_overlap(struct tpm_process *p)
{
	bool has = ay_pins_before(pins(p), AY_PIN_ROOT, ay_clock_wall_ms()) != NULL;

	if (p->had_before && !has)
		tell_roots(p);
	p->had_before = has;
}

/* Once a second: did the list grow, is this another boot, does the certificate near its end? */
static void on_watch(evutil_socket_t fd, short what, void *arg)
{
	struct tpm_process *p = arg;
	struct ay_uuid boot;
	uint64_t mark;

	(void)fd;
	(void)what;
	if (p->open_until != 0 && ay_clock_mono_ms() >= p->open_until) {
		p->ops->close(p->dev);
		p->open_until = 0;
	}
	if (!p->up)
		return;
	if (p->agent->enrol && ++p->silent_s > ENROL_SILENCE_S) {
		ay_say_refusal(p, "NO_ANSWER", "the server does not go on with the enrolment");
		return;
	}
	if (p->unsure && ++p->unsure_s % RENEW_AGAIN_S == 0)
		ay_say_notice(p, 3);
	if (!identity(p)->enrolled)
		return;
	look_at_overlap(p);
	mark = ay_measure_ima_mark(ay_config_str(p->agent->conf, "ima"));
	if (mark != p->ima_mark)
		ay_say_notice(p, 1);
	p->ima_mark = mark;
	if (ay_measure_boot_id(ay_config_str(p->agent->conf, "boot_id"), &boot, NULL) == AY_OK &&
	    memcmp(boot.b, p->boot.b, sizeof(boot.b)) != 0) {
		p->boot = boot;
		ay_say_notice(p, 2);
	}
	if (!p->told_renewal && ay_clock_wall_ms() >= identity(p)->renew_at_ms) {
		p->told_renewal = true;
		ay_say_notice(p, 3);
	}
}

static void on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct tpm_process *p = arg;

	(void)sig;
	(void)what;
	ay_say_done(p, AY_EXIT_OK);
}

static enum ay_rc set_up(struct tpm_process *p, int fd, struct ay_err *e)
{
	static const struct ay_ipc_ops ops = { .msg = on_msg, .gone = on_gone };
	const struct ay_tpmdev_conf conf = ay_agent_tpm_conf(p->agent);
	const struct timeval second = { WATCH_MS / 1000, 0 };
	enum ay_rc rc = ay_loop_new(&p->loop, e);

	if (rc == AY_OK)
		rc = p->ops->make(&conf, &p->dev, e);
	if (rc == AY_OK)
		rc = ay_ipc_open(p->loop, fd, ay_ipc_table_of(AY_PAIR_AGENT), AY_IPC_B, &ops, p,
				 &p->link, e);
	if (rc != AY_OK)
		return rc;
	p->watch = event_new(ay_loop_base(p->loop), -1, EV_PERSIST, on_watch, p);
	if (p->watch == NULL || event_add(p->watch, &second) != 0)
		return ay_fail(e, AY_E_NOMEM, "tpm", 0, "no memory");
	return ay_agent_tpm_sandbox(p->agent, e);
}

static void clean_up(struct tpm_process *p)
{
	if (p->watch != NULL)
		event_free(p->watch);
	ay_ipc_close(p->link);
	p->ops->free(p->dev);
	ay_provisioning_fini(&p->prov);
	ay_attester_fini(&p->attester);
	ay_file_free(&p->root_der);
	ay_loop_free(p->loop);
}

int ay_agent_tpm_run(struct ay_agent *a, int fd)
{
	struct tpm_process p = { .agent = a, .ops = a->tpm, .exit_code = -1 };
	struct event *term, *intr;
	struct ay_err e;
	enum ay_rc rc;

	ay_provisioning_init(&p.prov);
	ay_attester_init(&p.attester);
	rc = set_up(&p, fd, &e);
	if (rc != AY_OK) {
		ay_log_err(AY_LOG_ERROR, "cannot start", &e);
		clean_up(&p);
		return AY_EXIT_IO;
	}
	term = evsignal_new(ay_loop_base(p.loop), SIGTERM, on_signal, &p);
	intr = evsignal_new(ay_loop_base(p.loop), SIGINT, on_signal, &p);
	if (term != NULL && intr != NULL && event_add(term, NULL) == 0 &&
	    event_add(intr, NULL) == 0)
		ay_loop_run(p.loop);
	if (term != NULL)
		event_free(term);
	if (intr != NULL)
		event_free(intr);
	if (p.up)
		ay_status_disconnected(a);
	clean_up(&p);
	return p.exit_code;
}
