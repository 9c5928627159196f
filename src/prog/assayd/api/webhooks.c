/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks: who is told of events, and what came of it. */
#include "prog/assayd/api/call.h"
#include "prog/assayd/hooks.h"

static void done(struct ay_api_call *c, int status, enum ay_rc rc, const struct ay_err *e,
		 struct ay_bytes document)
{
	json_t *o;

	if (ay_api_refused(c, rc, e))
		return;
	o = json_loadb((const char *)document.p, document.n, 0, NULL);
	ay_api_json(c, status, o);
}

static void added(void *arg, enum ay_rc rc, const struct ay_err *e, struct ay_bytes document)
{
	struct ay_api_call *c = arg;

	if (rc != AY_OK ||
	    ay_api_audit(c, "WEBHOOK_ADD", ay_api_text(c, "name"),
			 json_pack("{s:s}", "url", (const char *)ay_api_text(c, "url").p)))
		done(c, 201, rc, e, document);
}

static void changed(void *arg, enum ay_rc rc, const struct ay_err *e, struct ay_bytes document)
{
	struct ay_api_call *c = arg;

	if (rc != AY_OK || ay_api_audit(c, "WEBHOOK_CHANGE", c->param[0],
					json_pack("{s:s}", "what", ay_api_object(c))))
		done(c, 200, rc, e, document);
}

static void removed(void *arg, enum ay_rc rc, const struct ay_err *e, struct ay_bytes document)
{
	struct ay_api_call *c = arg;

	(void)document;
	if (!ay_api_refused(c, rc, e) &&
	    ay_api_audit(c, "WEBHOOK_REMOVE", c->param[0], json_object()))
		ay_api_empty(c, 204);
}

void ay_api_webhooks_list(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *all = NULL;

	if (!ay_api_refused(c, ay_hooks_list(c->api->engine, &all, &e), &e))
		ay_api_array_by(c, all, "name,id");
}

/* The one of the path; NULL: the call is answered. */
static json_t *find(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *all = NULL, *v, *found = NULL;
	size_t i;

	if (ay_api_refused(c, ay_hooks_list(c->api->engine, &all, &e), &e))
		return NULL;
	json_array_foreach (all, i, v) {
		const char *id = json_string_value(json_object_get(v, "id"));
		const char *name = json_string_value(json_object_get(v, "name"));

		if (ay_bytes_eq(c->param[0], ay_bytes_of(id)) ||
		    ay_bytes_eq(c->param[0], ay_bytes_of(name)))
			found = json_incref(v);
	}
	json_decref(all);
	if (found == NULL) {
		ay_err_set(&e, AY_E_NOENT, "webhook", 0, "no such webhook");
		ay_api_problem(c, &e);
	}
	return found;
}

void ay_api_webhooks_show(struct ay_api_call *c)
{
	json_t *o = find(c);

	if (o != NULL)
		ay_api_json(c, 200, o);
}

void ay_api_webhooks_add(struct ay_api_call *c)
{
	if (ay_api_intend(c))
		ay_hook_add(c->api->engine, c->body, added, c);
}

static void change(struct ay_api_call *c, enum ay_hook_change what, ay_document_fn *fn)
{
	json_t *o = find(c); /* before it stands in the audit that it was meant to change */

	if (o == NULL)
		return;
	json_decref(o);
	if (ay_api_intend(c))
		ay_hook_change(c->api->engine, c->param[0], what, fn, c);
}

void ay_api_webhooks_pause(struct ay_api_call *c)
{
	change(c, AY_HOOK_PAUSE, changed);
}

void ay_api_webhooks_resume(struct ay_api_call *c)
{
	change(c, AY_HOOK_RESUME, changed);
}

void ay_api_webhooks_rotate(struct ay_api_call *c)
{
	change(c, AY_HOOK_ROTATE, changed);
}

void ay_api_webhooks_test(struct ay_api_call *c)
{
	change(c, AY_HOOK_TEST, changed);
}

void ay_api_webhooks_remove(struct ay_api_call *c)
{
	change(c, AY_HOOK_REMOVE, removed);
}
