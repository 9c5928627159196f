/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In the place of the embedded Privacy CA when `ca` names a stand-alone one:
 * messages of ca.def from engine go over TLS and the answers come back. It
 * cannot read what agents seal for the CA. When the CA is away, what waits is
 * refused with CA_UNAVAILABLE and it dials again.
 */
#include "prog/assayd/courier.h"
#include "prog/assayd/processes.h"

#include "io/ipc/sign_msg.h"
#include "io/ipc/tables.h"
#include "io/net/socket.h"
#include "io/net/tlspipe.h"
#include "io/sys/log.h"

#include <event2/event.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAITING_MAX = 4096, PAUSE_MIN_S = 1, PAUSE_MAX_S = 30 };

/* A question of engine that the CA has not answered. */
struct waiting {
	uint32_t conn, req;
};

struct ay_courier_ca {
	struct ay_loop *loop;
	struct ay_ipc *engine;
	struct ay_ipc *ca; /* our end of the pair that the pipe carries; NULL: not connected */
	struct ay_tlspipe *pipe;
	struct ay_tlspipe_ctx *ctx;
	const char *addr;
	struct event *again;
	int pause_s;
	bool was_ready;
	struct waiting waiting[WAITING_MAX];
	size_t n_waiting;
};

static void refuse(struct ay_courier_ca *c, uint32_t conn, uint32_t req)
{
	const struct ay_refusal r = { .code = ay_bytes_of("CA_UNAVAILABLE"),
				      .text = ay_bytes_of("the Privacy CA cannot be reached") };
	uint8_t buf[128];
	struct ay_writer w;
	struct ay_bytes body;

	ay_wr_init(&w, buf, sizeof(buf));
	ay_refusal_build(&w, &r);
	if (ay_wr_end(&w, "refusal", &body, NULL) == AY_OK)
		ay_ipc_send(c->engine, AY_MSG_CA_REFUSED, conn, req, body);
}

static void hang_up(struct ay_courier_ca *c, const char *why)
{
	struct timeval pause = { .tv_sec = c->pause_s };

	AY_LOG(AY_LOG_WARN, "Privacy CA away, dialling again", AY_LS("ca", c->addr),
	       AY_LS("why", why), AY_LI("pause_s", c->pause_s));
	ay_ipc_close(c->ca);
	c->ca = NULL;
	ay_tlspipe_free(c->pipe);
	c->pipe = NULL;
	for (size_t i = 0; i < c->n_waiting; i++)
		refuse(c, c->waiting[i].conn, c->waiting[i].req);
	c->n_waiting = 0;
	c->pause_s = c->pause_s * 2 < PAUSE_MAX_S ? c->pause_s * 2 : PAUSE_MAX_S;
	event_add(c->again, &pause);
}

static void pipe_up(void *arg)
{
	struct ay_courier_ca *c = arg;

	c->pause_s = PAUSE_MIN_S;
	AY_LOG(AY_LOG_INFO, "Privacy CA connected", AY_LS("ca", c->addr));
}

static void pipe_down(void *arg, const char *why)
{
	hang_up(arg, why);
}

static void from_ca(void *arg, const struct ay_ipc_msg *m)
{
	struct ay_courier_ca *c = arg;

	if (m->type == AY_MSG_CA_READY) {
		if (!c->was_ready)
			ay_ipc_send_msg(c->engine, m);
		c->was_ready = true;
		return;
	}
	for (size_t i = 0; i < c->n_waiting; i++)
		if (c->waiting[i].conn == m->conn && c->waiting[i].req == m->req) {
			c->waiting[i] = c->waiting[--c->n_waiting];
			ay_ipc_send_msg(c->engine, m);
			return;
		}
	/* an answer to nothing: not passed on */
}

static void ca_gone(void *arg, const char *why)
{
	struct ay_courier_ca *c = arg;

	if (c->pipe != NULL)
		hang_up(c, why);
}

static enum ay_rc dial(struct ay_courier_ca *c, struct ay_err *e)
{
	static const struct ay_ipc_ops ca_ops = { from_ca, ca_gone };
	static const struct ay_tlspipe_ops pipe_ops = { pipe_up, pipe_down };
	int pair[2], fd = -1;
	enum ay_rc rc = ay_ipc_pair(pair, e);

	if (rc != AY_OK)
		return rc;
	rc = ay_net_connect(c->addr, &fd, e);
	if (rc == AY_OK)
		rc = ay_tlspipe_open(ay_loop_base(c->loop), c->ctx, fd, pair[1], &pipe_ops, c,
				     &c->pipe, e);
	else
		close(pair[1]);
	if (rc != AY_OK) {
		close(pair[0]);
		return rc;
	}
	return ay_ipc_open(c->loop, pair[0], ay_ipc_table_of(AY_PAIR_CA), AY_IPC_A, &ca_ops, c,
			   &c->ca, e);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct ay_courier_ca *c = arg;
	struct ay_err e = { 0 };

	(void)fd, (void)what;
	if (c->pipe == NULL && dial(c, &e) != AY_OK)
		hang_up(c, e.text);
}

void ay_courier_ca_message(struct ay_courier_ca *c, const struct ay_ipc_msg *m)
{
	if (c->ca == NULL || c->n_waiting == WAITING_MAX) {
		refuse(c, m->conn, m->req);
		return;
	}
	c->waiting[c->n_waiting++] = (struct waiting){ m->conn, m->req };
	ay_ipc_send_msg(c->ca, m);
}

static enum ay_rc load_keys(struct ay_courier_ca *c, const struct ay_config *config,
			    struct ay_err *e)
{
	char cert[PATH_MAX], key[PATH_MAX];
	const struct ay_tlspipe_keys k = { .cert = cert,
					   .key = key,
					   .alpn = "assay-ca/1",
					   .root = ay_config_str(config, "ca_root") };

	if (!ay_config_state_path(config, AY_FILE_COURIER_CERT, cert, sizeof(cert)) ||
	    !ay_config_state_path(config, AY_FILE_COURIER_KEY, key, sizeof(key)))
		return ay_fail(e, AY_E_LIMIT, "state_dir", 0, "path too long");
	return ay_tlspipe_ctx_new(&k, false, &c->ctx, e);
}

enum ay_rc ay_courier_ca_new(struct ay_loop *loop, const struct ay_config *config,
			     struct ay_courier_ca **out, struct ay_err *e)
{
	struct ay_courier_ca *c = calloc(1, sizeof(*c));
	enum ay_rc rc;

	*out = NULL;
	if (c == NULL)
		return ay_fail(e, AY_E_NOMEM, "courier", 0, "out of memory");
	c->loop = loop;
	c->addr = ay_config_str(config, "ca");
	c->pause_s = PAUSE_MIN_S;
	c->again = event_new(ay_loop_base(loop), -1, 0, on_again, c);
	rc = c->again == NULL ? ay_fail(e, AY_E_NOMEM, "courier", 0, "out of memory")
			      : load_keys(c, config, e);
	if (rc != AY_OK)
		ay_courier_ca_free(c);
	else
		*out = c;
	return rc;
}

void ay_courier_ca_start(struct ay_courier_ca *c, struct ay_ipc *engine)
{
	const struct timeval at_once = { 0 };

	c->engine = engine;
	event_add(c->again, &at_once);
}

void ay_courier_ca_free(struct ay_courier_ca *c)
{
	struct ay_tlspipe *pipe;

	if (c == NULL)
		return;
	pipe = c->pipe;
	c->pipe = NULL;
	ay_ipc_close(c->ca);
	ay_tlspipe_free(pipe);
	if (c->again != NULL)
		event_free(c->again);
	ay_tlspipe_ctx_free(c->ctx);
	free(c);
}
