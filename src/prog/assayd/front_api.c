/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTPS API in front: requests to engine, answers from it (docs/adr/0001). */
#include "prog/assayd/front.h"

#include "io/ipc/front_msg.h"
#include "io/sys/file.h"
#include "io/sys/listeners.h"
#include "io/sys/log.h"

#include <stdio.h>
#include <string.h>

static bool is_path(const struct ay_api_request *r, const char *path)
{
	return ay_bytes_eq(r->path, ay_bytes_of(path));
}

static void say(struct ay_front *f, uint32_t id, uint16_t status, const char *json)
{
	struct ay_api_reply r = { .status = status, .n_headers = 1, .body = ay_bytes_of(json) };

	r.header[0] = (struct ay_api_header){ ay_bytes_of("Content-Type"),
					      ay_bytes_of("application/json") };
	ay_httpd_reply(f->api, id, &r);
}

/* {"status":S}, with what an operator should be reminded of. */
static void say_ready(struct ay_front *f, uint32_t id, bool is_ready)
{
	char text[256 + AY_LISTENERS * AY_LISTENER_WARNING + AY_IPC_MAX_STATE], key[32],
		one[AY_LISTENER_WARNING];
	size_t n = 0, n_warnings = 0;

	n += (size_t)snprintf(text, sizeof(text), "{\"status\":\"%s\"",
			      is_ready ? "ready" : "not ready");
	for (int l = AY_LISTENER_API + 1; l < AY_LISTENERS; l++)
		if (ay_listener_warning(f->config, (enum ay_listener)l, key, one))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s\"%s\"",
					      n_warnings++ == 0 ? ",\"warnings\":[" : ",", one);
	if (f->reminders[0] != '\0')
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s",
				      n_warnings++ == 0 ? ",\"warnings\":[" : ",", f->reminders);
	snprintf(text + n, sizeof(text) - n, "%s}\n", n_warnings > 0 ? "]" : "");
	say(f, id, is_ready ? 200 : 503, text);
}

/* What front answers itself: it must work when engine does not. */
static bool answers_itself(struct ay_front *f, uint32_t id, const struct ay_api_request *r)
{
	bool is_ready = f->is_engine_ready && !f->is_stopping;

	if (r->method != AY_HTTP_GET && r->method != AY_HTTP_HEAD)
		return false;
	if (is_path(r, "/healthz"))
		say(f, id, 200, "{\"status\":\"ok\"}\n");
	else if (is_path(r, "/readyz"))
		say_ready(f, id, is_ready);
	else
		return false;
	return true;
}

static void on_request(void *arg, uint32_t id, const struct ay_api_request *r)
{
	struct ay_front *f = arg;
	struct ay_ipc_msg head = { .type = AY_MSG_API_REQUEST, .req = id };
	size_t n = ay_api_request_size(r);
	struct ay_writer w;
	uint8_t *p;

	if (answers_itself(f, id, r))
		return;
	p = n <= AY_IPC_MAX_API ? ay_ipc_reserve(f->engine, &head, n) : NULL;
	if (p == NULL) {
		ay_httpd_problem(f->api, id, 503, "UNAVAIL", "not ready");
		return;
	}
	ay_wr_init(&w, p, n);
	ay_api_request_build(&w, r);
}

static void on_gone(void *arg, uint32_t id)
{
	struct ay_front *f = arg;

	ay_ipc_send(f->engine, AY_MSG_API_GONE, 0, id, (struct ay_bytes){ NULL, 0 });
}

static void on_drained(void *arg, uint32_t id, size_t octets)
{
	struct ay_front *f = arg;
	uint8_t n[4] = { (uint8_t)(octets >> 24), (uint8_t)(octets >> 16), (uint8_t)(octets >> 8),
			 (uint8_t)octets };

	ay_ipc_send(f->engine, AY_MSG_API_DRAINED, 0, id, AY_BYTES(n));
}

static void cast(struct ay_front *f, const struct ay_ipc_msg *m)
{
	struct ay_api_cast c;
	struct ay_err e;

	if (ay_api_cast_parse(m->body, &c, &e) == AY_OK)
		ay_httpd_cast(f->api, c.req, c.n, c.text);
	else
		ay_log_err(AY_LOG_ERROR, "cannot read engine's events", &e);
}

static void reply(struct ay_front *f, const struct ay_ipc_msg *m)
{
	struct ay_api_reply r;
	struct ay_err e;

	if (ay_api_reply_parse(m->body, &r, &e) != AY_OK) {
		ay_log_err(AY_LOG_ERROR, "cannot read engine's answer", &e);
		ay_httpd_problem(f->api, m->req, 500, "BUG", "internal error");
	} else if (m->type == AY_MSG_API_REPLY) {
		ay_httpd_reply(f->api, m->req, &r);
	} else {
		ay_httpd_stream(f->api, m->req, &r);
	}
}

void ay_front_api_from_engine(struct ay_front *f, const struct ay_ipc_msg *m)
{
	if (m->type == AY_MSG_API_REPLY || m->type == AY_MSG_API_STREAM)
		reply(f, m);
	else if (m->type == AY_MSG_API_CHUNK)
		ay_httpd_chunk(f->api, m->req, m->body);
	else if (m->type == AY_MSG_API_CAST)
		cast(f, m);
	else if (m->type == AY_MSG_API_END)
		ay_httpd_end(f->api, m->req);
}

enum ay_rc ay_front_api_open(struct ay_front *f, struct ay_bytes cert_pem, struct ay_bytes key_pem,
			     struct ay_err *e)
{
	struct ay_httpd_args a = {
		.base = ay_loop_base(f->loop),
		.listen_fd = f->args->api_fd,
		.cert_pem = cert_pem,
		.key_pem = key_pem,
		.deadline_ms = ay_config_int(f->config, "api_deadline"),
		.keep_alive_ms = ay_config_int(f->config, "api_keep_alive"),
		.max_conns = (size_t)ay_config_int(f->config, "max_api_connections"),
		.max_body = AY_MAX_API_BODY,
		.arg = f,
		.request = on_request,
		.drained = on_drained,
		.gone = on_gone,
	};

	return ay_httpd_new(&a, &f->api, e);
}

enum ay_rc ay_front_compat_open(struct ay_front *f, struct ay_bytes api_cert,
				struct ay_bytes api_key, struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	for (int l = AY_LISTENER_API + 1; rc == AY_OK && l < AY_LISTENERS; l++) {
		AY_CLEANUP(ay_file_free) struct ay_bytes cert = { NULL, 0 }, key = { NULL, 0 };
		struct ay_listener_set s;

		if (f->args->compat_fd[l] <= 0)
			continue;
		rc = ay_listener_read(f->config, (enum ay_listener)l, &s, e);
		if (rc == AY_OK && s.cert[0] != '\0')
			rc = ay_file_read(s.cert, AY_FRONT_PEM_MAX, &cert, e);
		if (rc == AY_OK && s.key[0] != '\0')
			rc = ay_file_read(s.key, AY_FRONT_PEM_MAX, &key, e);
		if (rc == AY_OK)
			rc = ay_httpd_listen(f->api, (enum ay_listener)l, f->args->compat_fd[l],
					     cert.n > 0 ? cert : api_cert,
					     key.n > 0 ? key : api_key, e);
	}
	return rc;
}
