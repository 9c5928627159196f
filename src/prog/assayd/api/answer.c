/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/call.h"

#include "io/ipc/ipc.h"
#include "io/ipc/tables.h"
#include "io/sys/log.h"
#include "io/sys/wipe.h"
#include "prog/assayd/family/family.h"
#include "prog/assayd/soap/soap.h"

#include <openssl/crypto.h>
#include <stdlib.h>

/* ---- to front ---- */

static void send_reply(void *arg, uint16_t type, uint32_t req, const struct ay_api_reply *r)
{
	size_t n = ay_api_reply_size(r);
	uint8_t *buf = malloc(n);
	struct ay_bytes body;
	struct ay_writer w;
	struct ay_err e;

	if (buf == NULL)
		return;
	ay_wr_init(&w, buf, n);
	ay_api_reply_build(&w, r);
	if (ay_wr_end(&w, "api.reply", &body, &e) == AY_OK)
		ay_ipc_send(arg, type, 0, req, body);
	free(buf);
}

static void front_reply(void *arg, uint32_t req, const struct ay_api_reply *r)
{
	send_reply(arg, AY_MSG_API_REPLY, req, r);
}

static void front_stream(void *arg, uint32_t req, const struct ay_api_reply *head)
{
	send_reply(arg, AY_MSG_API_STREAM, req, head);
}

static void front_chunk(void *arg, uint32_t req, struct ay_bytes part)
{
	ay_ipc_send(arg, AY_MSG_API_CHUNK, 0, req, part);
}

static void front_end(void *arg, uint32_t req)
{
	ay_ipc_send(arg, AY_MSG_API_END, 0, req, (struct ay_bytes){ NULL, 0 });
}

static void front_cast(void *arg, const uint32_t *req, size_t n, struct ay_bytes text)
{
	struct ay_ipc_msg head = { .type = AY_MSG_API_CAST };
	size_t size = ay_api_cast_size(n, text);
	uint8_t *p = ay_ipc_reserve(arg, &head, size);
	struct ay_writer w;

	if (p == NULL)
		return;
	ay_wr_init(&w, p, size);
	ay_api_cast_build(&w, req, n, text);
}

static size_t front_backlog(void *arg)
{
	return ay_ipc_backlog(arg);
}

struct ay_api_out ay_api_to_front(struct ay_ipc *front)
{
	return (struct ay_api_out){ front_reply, front_stream,	front_chunk, front_end,
				    front_cast,	 front_backlog, front };
}

/* ---- ends of a call ---- */

static void call_end(struct ay_api_call *c)
{
	struct ay_api_call **at = &c->api->calls;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	c->next = c->api->ended;
	c->api->ended = c;
}

static void wipe(struct ay_bytes b)
{
	if (b.n > 0)
		OPENSSL_cleanse((void *)(uintptr_t)b.p, b.n);
}

void ay_api_call_wipe(struct ay_api_call *c)
{
	wipe(c->message);
	wipe(c->raw);
	wipe(c->credential);
	OPENSSL_cleanse(c->sealed, sizeof(c->sealed));
}

void ay_api_sweep(struct ay_api *a)
{
	while (a->ended != NULL) {
		struct ay_api_call *c = a->ended;

		a->ended = c->next;
		ay_api_call_wipe(c);
		free(c->idem);
		json_decref(c->body);
		ay_arena_fini(&c->arena);
		free(c);
	}
}

void ay_api_header(struct ay_api_call *c, const char *name, const char *value)
{
	struct ay_bytes copy = ay_arena_dup(&c->arena, ay_bytes_of(value));

	if (c->n_extra < AY_COUNT(c->extra) && copy.p != NULL)
		c->extra[c->n_extra++] = (struct ay_api_header){ ay_bytes_of(name), copy };
}

static void add_header(struct ay_api_reply *r, const char *name, const char *value)
{
	r->header[r->n_headers].name = ay_bytes_of(name);
	r->header[r->n_headers++].value = ay_bytes_of(value);
}

/* type NULL: no body */
static void finish(struct ay_api_call *c, int status, const char *type, struct ay_bytes body)
{
	AY_CLEANUP(ay_xt_fini) struct ay_xml_text soap = { 0 };
	struct ay_api_reply r = { .status = (uint16_t)status, .body = body };

	if (c->looked_at != NULL) {
		c->looked_at->status = status;
		return;
	}
	c->api->metrics.refused += status >= 400;
	ay_api_audit_end(c, status);
	if (type != NULL)
		add_header(&r, "content-type", type);
	add_header(&r, "cache-control", "no-store");
	add_header(&r, "x-content-type-options", "nosniff");
	add_header(&r, "x-request-id", c->id);
	for (size_t i = 0; i < c->n_extra; i++)
		r.header[r.n_headers++] = c->extra[i];
	if (c->soap != NULL && !c->gone)
		ay_soap_finish(c, &r, &soap);
	if (c->streaming)
		c->api->out.end(c->api->out.arg, c->req);
	else if (!c->gone)
		c->api->out.reply(c->api->out.arg, c->req, &r);
	call_end(c);
}

/* What is sent has this tag: a client that has it already is told no more. */
static bool is_known(struct ay_api_call *c, const char *tag)
{
	if (c->looked_at != NULL) {
		memcpy(c->looked_at->text, tag, AY_ETAG_TEXT);
		return false;
	}
	if (tag[0] == '\0')
		return false;
	ay_api_header(c, "etag", tag);
	return c->route->method == AY_HTTP_GET && ay_etag_listed(c->if_none_match, tag);
}

/* Takes body. */
static void finish_json(struct ay_api_call *c, int status, const char *type, json_t *body)
{
	char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT), tag[AY_ETAG_TEXT] = "";
	static const char none[] =
		"{\"type\":\"about:blank\",\"title\":\"Service Unavailable\",\"status\":503,"
		"\"detail\":\"out of memory\",\"error\":{\"code\":\"NOMEM\",\"field\":null,"
		"\"offset\":null,\"text\":\"out of memory\"}}";

	if (c->looked_at == NULL)
		ay_idem_end(c, text == NULL ? 503 : status, body);
	if (status == 200 && text != NULL && c->route != NULL)
		ay_etag_json(c->route, body, ay_bytes_of(text), tag);
	json_decref(body);
	if (text == NULL)
		finish(c, 503, "application/problem+json", ay_bytes_of(none));
	else if (is_known(c, tag))
		finish(c, 304, NULL, (struct ay_bytes){ NULL, 0 });
	else
		finish(c, status, type, ay_bytes_of(text));
	ay_wipe_free(text); /* tokens are told in it, once */
}

void ay_api_json(struct ay_api_call *c, int status, json_t *body)
{
	finish_json(c, status, "application/json", body);
}

void ay_api_bytes(struct ay_api_call *c, int status, const char *type, struct ay_bytes body)
{
	char tag[AY_ETAG_TEXT] = "";

	if (c->looked_at == NULL)
		ay_idem_end(c, status, NULL);
	if (status == 200 && c->route != NULL)
		ay_etag_bytes(c->route, body, tag);
	if (is_known(c, tag))
		finish(c, 304, NULL, (struct ay_bytes){ NULL, 0 });
	else
		finish(c, status, type, body);
}

void ay_api_answer(struct ay_api_call *c, int status, const char *type, struct ay_bytes body,
		   const char *header, const char *value)
{
	if (c->looked_at == NULL)
		ay_idem_end(c, status, NULL);
	if (header != NULL && c->looked_at == NULL)
		ay_api_header(c, header, value);
	finish(c, status, type, body);
}

/* Up to here in one message; IMA lists make longer ones. */
#define AT_ONCE (1024 * 1024)
#define PART (64 * 1024)

void ay_api_long(struct ay_api_call *c, const char *type, struct ay_bytes body)
{
	struct ay_api_reply head = { .status = 200 };

	if (body.n <= AT_ONCE || c->looked_at != NULL) {
		ay_api_bytes(c, 200, type, body);
		return;
	}
	add_header(&head, "content-type", type);
	add_header(&head, "x-request-id", c->id);
	c->streaming = true;
	c->api->out.stream(c->api->out.arg, c->req, &head);
	for (size_t at = 0; at < body.n; at += PART)
		c->api->out.chunk(
			c->api->out.arg, c->req,
			(struct ay_bytes){ body.p + at, body.n - at < PART ? body.n - at : PART });
	ay_api_empty(c, 200);
}

void ay_api_empty(struct ay_api_call *c, int status)
{
	if (c->looked_at == NULL)
		ay_idem_end(c, status, NULL);
	finish(c, status, NULL, (struct ay_bytes){ NULL, 0 });
}

void ay_api_problem_as(struct ay_api_call *c, int status, const struct ay_err *e,
		       const char *header, const char *value)
{
	json_t *doc;

	if (status >= 500)
		ay_log_err(AY_LOG_WARN, c->route == NULL ? "api" : c->route->handler_name, e);
	if (c->dialect != AY_DIALECT_NATIVE) {
		ay_family_problem(c, status, e, header, value);
		return;
	}
	if (header != NULL && c->looked_at == NULL)
		ay_api_header(c, header, value);
	doc = ay_problem_json(status, e);
	json_object_set_new(doc, "request_id", json_string(c->id));
	finish_json(c, status, "application/problem+json", doc);
}

void ay_api_problem(struct ay_api_call *c, const struct ay_err *e)
{
	ay_api_problem_as(c, ay_rc_http(e->rc), e, NULL, NULL);
}

void ay_api_accepted(struct ay_api_call *c, const char *location)
{
	ay_api_header(c, "location", location);
	finish_json(c, 202, "application/json", json_pack("{s:s}", "location", location));
}

bool ay_api_refused(struct ay_api_call *c, enum ay_rc rc, const struct ay_err *e)
{
	if (rc != AY_OK)
		ay_api_problem(c, e);
	return rc != AY_OK;
}

/* ---- what handlers ask of a call ---- */

struct ay_bytes ay_api_param(const struct ay_api_call *c, const char *name)
{
	return ay_target_param(&c->target, name);
}

enum ay_rc ay_api_seconds(const struct ay_api_call *c, const char *name, uint64_t max,
			  uint64_t *out, struct ay_err *e)
{
	struct ay_bytes v = ay_api_param(c, name);
	uint64_t n = 0;

	if (v.p == NULL)
		return AY_OK;
	if (v.n == 0 || v.n > 18)
		return ay_fail(e, AY_E_INPUT, name, 0, "%s is not a number", name);
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return ay_fail(e, AY_E_INPUT, name, i, "%s is not a number", name);
		n = n * 10 + (uint64_t)(v.p[i] - '0');
	}
	if (n > max)
		return ay_fail(e, AY_E_INPUT, name, 0, "%s is at most %llu", name,
			       (unsigned long long)max);
	*out = n;
	return AY_OK;
}

struct ay_bytes ay_api_text(const struct ay_api_call *c, const char *member)
{
	const json_t *v = json_object_get(c->body, member);

	return v == NULL ? (struct ay_bytes){ NULL, 0 } : ay_bytes_of(json_string_value(v));
}

enum ay_rc ay_api_instant(const struct ay_api_call *c, const char *member, int64_t *out_ms,
			  struct ay_err *e)
{
	struct ay_bytes text = ay_api_text(c, member);

	return text.p == NULL ? AY_OK : ay_time_parse(text, member, out_ms, e);
}

bool ay_api_flag(const struct ay_api_call *c, const char *member)
{
	return json_is_true(json_object_get(c->body, member));
}

uint64_t ay_api_number(const struct ay_api_call *c, const char *member, uint64_t otherwise)
{
	const json_t *v = json_object_get(c->body, member);

	return v == NULL ? otherwise : (uint64_t)json_integer_value(v);
}

json_t *ay_api_time(int64_t at_ms)
{
	char text[AY_TIME_ROOM];

	if (at_ms == 0)
		return json_null();
	ay_time_format(at_ms, text);
	return json_string(text);
}

json_t *ay_api_hex(struct ay_bytes b)
{
	char text[2 * 160 + 1];

	if (b.n == 0 || b.n > 160)
		return json_null();
	ay_hex_encode(b, text);
	return json_string(text);
}
