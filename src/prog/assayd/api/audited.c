/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of a request stands in the audit (docs/formats/audit.md): who asked for
 * a change, in the transaction of the change; what came of it; who was refused.
 */
#include "io/sys/log.h"
#include "prog/assayd/api/call.h"

#include <stdlib.h>

/* ---- the "call" member of a record ---- */

static json_t *call_json(const struct ay_api_call *c, const char *outcome)
{
	const struct ay_principal *who = &c->who;
	json_t *o = json_pack("{s:s, s:s%, s:s}", "id", c->id, "from",
			      c->peer.n == 0 ? "" : (const char *)c->peer.p, c->peer.n, "outcome",
			      outcome);

	if (!who->known)
		return o;
	json_object_set_new(o, "user_id", json_integer((json_int_t)who->user_id));
	json_object_set_new(o, "by", json_string(who->scheme == NULL ? "" : who->scheme));
	if (who->mfa)
		json_object_set_new(o, "mfa", json_true());
	if (who->token_id[0] != '\0')
		json_object_set_new(o, "token", json_string(who->token_id));
	if (who->session_id[0] != '\0')
		json_object_set_new(o, "session", json_string(who->session_id));
	return o;
}

const char *ay_api_actor(const struct ay_api_call *c, char out[AY_ACTOR_TEXT])
{
	snprintf(out, AY_ACTOR_TEXT, "%s%s", c->who.known ? "user:" : "anybody",
		 c->who.known ? c->who.user : "");
	return out;
}

/* "POST /api/v1/hosts", the path as it was asked for; in the arena. */
const char *ay_api_object(struct ay_api_call *c)
{
	const char *method = c->route == NULL ? "" : ay_http_method_name(c->route->method);
	size_t room = AY_API_MAX_TARGET, at = strlen(method);
	char *out = ay_arena_alloc(&c->arena, room);

	if (out == NULL)
		return method;
	memcpy(out, method, at + 1);
	for (size_t i = 0; i < c->target.n_segments; i++) {
		struct ay_bytes seg = c->target.segment[i];
		int n = snprintf(out + at, room - at, "%s/%.*s", i == 0 ? " " : "", (int)seg.n,
				 (const char *)seg.p);

		if (n < 0 || (size_t)n >= room - at)
			break;
		at += (size_t)n;
	}
	return out;
}

/* Takes detail; NULL: nothing but the call. Freed by free(). */
static char *detail_text(const struct ay_api_call *c, json_t *detail, const char *outcome)
{
	json_t *o = detail != NULL ? detail : json_object();
	char *text;

	json_object_set_new(o, "call", call_json(c, outcome));
	text = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	return text;
}

/* ---- changes ---- */

/* Names of what was sent, not the values: there are secrets among them. */
static json_t *members_of(const struct ay_api_call *c)
{
	json_t *names = json_array(), *v;
	const char *key;

	json_object_foreach (c->body, key, v)
		json_array_append_new(names, json_string(key));
	return json_pack("{s:s, s:o}", "permission", c->route->perm_name, "members", names);
}

void ay_api_witness(struct ay_api_call *c)
{
	struct ay_audit_row *row;
	char *text;

	if (c->route->method == AY_HTTP_GET || c->route->method == AY_HTTP_HEAD)
		return;
	row = ay_arena_alloc(&c->arena, sizeof(*row));
	text = detail_text(c, members_of(c), "begun");
	if (row == NULL || text == NULL) {
		free(text);
		return;
	}
	*row = (struct ay_audit_row){ .at = c->api->now_ms,
				      .actor = ay_arena_str(&c->arena,
							    ay_bytes_of(ay_api_actor(c, c->actor))),
				      .action = "REQUEST",
				      .object = ay_api_object(c),
				      .detail = ay_arena_str(&c->arena, ay_bytes_of(text)) };
	free(text);
	c->witness = row;
	c->api->witnessing = c;
	ay_store_witness(c->api->store, row);
}

bool ay_api_intend(struct ay_api_call *c)
{
	struct ay_write w = { .kind = AY_WR_AUDIT, .audit = c->witness };
	struct ay_err e = { 0 };

	if (c->api->witnessing != c || ay_store_witnessed(c->api->store))
		return true;
	c->api->witnessing = NULL;
	ay_store_witness(c->api->store, NULL);
	c->witnessed = true;
	return !ay_api_refused(c, ay_store_write(c->api->store, &w, 1, NULL, &e), &e);
}

void ay_api_witness_end(struct ay_api *a)
{
	if (a->witnessing == NULL)
		return;
	a->witnessing->witnessed |= ay_store_witnessed(a->store);
	a->witnessing = NULL;
	ay_store_witness(a->store, NULL);
}

bool ay_api_audit(struct ay_api_call *c, const char *action, struct ay_bytes object, json_t *detail)
{
	char actor[AY_ACTOR_TEXT], *text = detail_text(c, detail, "done");
	struct ay_audit_row row = { .at = c->api->now_ms,
				    .actor = ay_api_actor(c, actor),
				    .action = action,
				    .object = ay_arena_str(&c->arena, object),
				    .detail = text };
	struct ay_write w = { .kind = AY_WR_AUDIT, .audit = &row };
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (c->api->witnessing == c)
		ay_api_witness_end(c->api);
	c->audited = true;
	if (text == NULL || row.object == NULL)
		rc = ay_fail(&e, AY_E_NOMEM, "audit", 0, "no memory");
	else
		rc = ay_store_write(c->api->store, &w, 1, NULL, &e);
	free(text);
	return !ay_api_refused(c, rc, &e);
}

/* Nobody waits for it; when it is not stored, the log says so. */
void ay_audit_leave(struct ay_api *a, const struct ay_audit_row *row)
{
	struct ay_write w = { .kind = AY_WR_AUDIT, .audit = row };
	struct ay_err e = { 0 };

	if (ay_store_submit(a->store, &w, 1, AY_SUBMIT_LAZY, 0, &e) != AY_OK)
		ay_log_err(AY_LOG_ERROR, "a record of the audit is lost", &e);
}

void ay_api_leave(struct ay_api_call *c, const char *action, const char *object, json_t *detail,
		  const char *outcome)
{
	char actor[AY_ACTOR_TEXT], *text = detail_text(c, detail, outcome);

	if (text != NULL)
		ay_audit_leave(c->api, &(struct ay_audit_row){ .at = c->api->now_ms,
							       .actor = ay_api_actor(c, actor),
							       .action = action,
							       .object = object,
							       .detail = text });
	free(text);
}

void ay_api_audit_end(struct ay_api_call *c, int status)
{
	char outcome[24];

	if (c->api->witnessing == c)
		ay_api_witness_end(c->api);
	if (!c->witnessed || c->audited)
		return;
	c->audited = true;
	snprintf(outcome, sizeof(outcome), "%s %d", status < 400 ? "done" : "failed", status);
	ay_api_leave(c, "REQUEST_END", ay_api_object(c), NULL, outcome);
}
