/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/base64.h"
#include "core/base/hex.h"
#include "core/base/json.h"
#include "core/crypto/secret.h"
#include "io/net/url.h"
#include "io/sys/rng.h"
#include "prog/assayd/hooks_impl.h"

#include <stdlib.h>

enum {
	HOOKS_MAX = 256,
	OVERLAP_MS = 24 * 3600 * 1000,
};

/* ---- what operators do ---- */

static json_t *shown(struct ay_engine *g, const struct ay_hook *h)
{
	static const char *const members[] = { "name",	       "url",	       "types",
					       "labels",       "paused",       "created_at",
					       "last_success", "last_failure", "last_error",
					       "failures",     "cursor" };
	json_t *o = json_pack("{s:s}", "id", h->id), *v;

	(void)g;
	for (size_t i = 0; o && i < AY_COUNT(members); i++) {
		v = json_object_get(h->doc, members[i]);
		json_object_set(o, members[i], v ? v : json_null());
	}
	return o;
}

enum ay_rc ay_hooks_list(struct ay_engine *g, json_t **out, struct ay_err *e)
{
	json_t *list = json_array();

	for (const struct ay_hook *h = g->hooks->first; list && h; h = h->next)
		if (!h->is_removed)
			json_array_append_new(list, shown(g, h));
	*out = list;
	return list ? AY_OK : ay_fail(e, AY_E_NOMEM, "webhooks", 0, "no memory");
}

static void answer(ay_document_fn *fn, void *arg, json_t *o)
{
	char *s = o ? json_dumps(o, JSON_COMPACT) : NULL;
	struct ay_err e = { 0 };

	json_decref(o);
	if (s)
		fn(arg, AY_OK, NULL, ay_bytes_of(s));
	else
		fn(arg, ay_fail(&e, AY_E_NOMEM, "webhook", 0, "no memory"), &e,
		   (struct ay_bytes){ NULL, 0 });
	free(s);
}

/* A secret on its way through keeper. */
struct making {
	struct ay_engine *g;
	struct ay_hook *hook;
	bool is_new;
	char secret[AY_HOOK_SECRET_ROOM];
	ay_document_fn *fn;
	void *arg;
};

/* Not told before it is on disk; events from now on are for it. */
static enum ay_rc start_at_newest(struct ay_engine *g, struct ay_hook *h, struct ay_err *e)
{
	struct ay_event_row row = { .at = g->now_ms, .kind = "webhook" };
	struct ay_write w = { .kind = AY_WR_EVENT, .event = &row };
	struct ay_store_result res = { 0 };
	json_t *o = json_pack("{s:s, s:s}", "code", "WEBHOOK_ADD", "text", ay_hook_text(h, "name"));
	char at[AY_TIME_ROOM], *body;
	enum ay_rc rc;

	ay_time_format(g->now_ms, at);
	json_object_set_new(o, "at", json_string(at));
	body = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	row.body = body;
	rc = body ? ay_store_write(g->store, &w, 1, &res, e)
		  : ay_fail(e, AY_E_NOMEM, "webhook", 0, "no memory");
	free(body);
	ay_hook_set_number(h, "cursor", (int64_t)res.number);
	h->seen = res.number;
	return rc;
}

static enum ay_rc take_secret(struct making *m, struct ay_bytes wrapped, struct ay_err *e)
{
	struct ay_hook *h = m->hook;
	char hex[2 * AY_HOOK_WRAPPED_MAX + 1];
	enum ay_rc rc = AY_OK;

	if (wrapped.n > AY_HOOK_WRAPPED_MAX)
		return ay_fail(e, AY_E_BUG, "webhook", 0, "%zu octets", wrapped.n);
	ay_hex_encode(wrapped, hex);
	if (m->is_new) {
		rc = start_at_newest(m->g, h, e);
	} else {
		json_object_set(h->doc, "old", json_object_get(h->doc, "secret"));
		ay_hook_set_number(h, "old_until", m->g->now_ms + OVERLAP_MS);
	}
	ay_hook_set_number(h, "n", ay_hook_number(h, "n") + 1);
	json_object_set_new(h->doc, "secret", json_string(hex));
	return rc == AY_OK ? ay_hook_keep(m->g, h, e) : rc;
}

static void on_wrapped(void *arg, enum ay_rc rc, const struct ay_err *why, struct ay_bytes wrapped)
{
	struct making *m = arg;
	struct ay_err e = { 0 };
	json_t *o;

	m->hook->is_busy = false;
	if (rc != AY_OK)
		e = *why;
	else if (m->hook->is_removed)
		rc = ay_fail(&e, AY_E_NOENT, "webhook", 0, "it was removed meanwhile");
	else
		rc = take_secret(m, wrapped, &e);
	if (rc == AY_OK) {
		o = shown(m->g, m->hook);
		json_object_set_new(o, "secret", json_string(m->secret));
		answer(m->fn, m->arg, o);
	} else {
		m->fn(m->arg, rc, &e, (struct ay_bytes){ NULL, 0 });
		if (m->is_new || m->hook->is_removed)
			ay_hook_free(m->g, m->hook);
	}
	ay_wipe(m, sizeof(*m));
	free(m);
}

static void make_secret(struct ay_engine *g, struct ay_hook *h, bool is_new, ay_document_fn *fn,
			void *arg)
{
	struct making *m = calloc(1, sizeof(*m));
	char name[AY_UUID_TEXT + 24];
	uint8_t random[32];

	if (!m) {
		answer(fn, arg, NULL);
		return;
	}
	*m = (struct making){ .g = g, .hook = h, .is_new = is_new, .fn = fn, .arg = arg };
	ay_rng_bytes(random, sizeof(random));
	memcpy(m->secret, "whsec_", 6);
	ay_base64_encode(AY_BASE64_URL, AY_BYTES(random), m->secret + 6);
	ay_wipe(random, sizeof(random));
	h->is_busy = true;
	ay_hook_secret_name(h, ay_hook_number(h, "n") + 1, name);
	ay_keeper_wrap(g, "webhook", ay_bytes_of(name), ay_bytes_of(m->secret), on_wrapped, m);
}

static struct ay_hook *find(struct ay_engine *g, struct ay_bytes id)
{
	for (struct ay_hook *h = g->hooks->first; h; h = h->next)
		if (!h->is_removed && (ay_bytes_eq(id, ay_bytes_of(h->id)) ||
				       ay_bytes_eq(id, ay_bytes_of(ay_hook_text(h, "name")))))
			return h;
	return NULL;
}

static enum ay_rc check_spec(struct ay_engine *g, const json_t *spec, struct ay_err *e)
{
	const char *name = json_string_value(json_object_get(spec, "name"));
	const char *url = json_string_value(json_object_get(spec, "url"));
	json_t *labels = json_object_get(spec, "labels"), *v;
	const char *key;
	struct ay_url u;
	enum ay_rc rc = ay_url_parse(ay_bytes_of(url ? url : ""), &u, e);

	if (rc != AY_OK)
		return rc;
	if (!u.is_https && !(g->config && ay_config_bool(g->config, "outgoing_http")))
		return ay_fail_code(e, AY_E_INPUT, "URL", "url", "it must begin with https://");
	json_object_foreach (labels, key, v)
		if (!json_is_string(v))
			return ay_fail(e, AY_E_INPUT, "labels", 0, "%.40s is not a text", key);
	if (labels && !json_is_object(labels))
		return ay_fail(e, AY_E_INPUT, "labels", 0, "not an object");
	if (find(g, ay_bytes_of(name ? name : "")))
		return ay_fail_code(e, AY_E_EXISTS, "NAME_TAKEN", "name", "there is one already");
	if (g->hooks->n >= HOOKS_MAX)
		return ay_fail(e, AY_E_LIMIT, "webhooks", 0, "more than %d", HOOKS_MAX);
	return AY_OK;
}

void ay_hook_add(struct ay_engine *g, const json_t *spec, ay_document_fn *fn, void *arg)
{
	static const char *const members[] = { "name", "url", "ca", "types", "labels" };
	struct ay_uuid id = ay_rng_uuid();
	struct ay_err e = { 0 };
	char text[AY_UUID_TEXT];
	struct ay_hook *h;
	json_t *doc;
	enum ay_rc rc = check_spec(g, spec, &e);

	if (rc != AY_OK) {
		fn(arg, rc, &e, (struct ay_bytes){ NULL, 0 });
		return;
	}
	ay_uuid_format(&id, text);
	doc = json_pack("{s:b, s:i, s:[], s:{}}", "paused", 0, "failures", 0, "types", "labels");
	for (size_t i = 0; doc && i < AY_COUNT(members); i++)
		if (json_object_get(spec, members[i]))
			json_object_set_new(doc, members[i],
					    json_deep_copy(json_object_get(spec, members[i])));
	h = ay_hook_new(g, text, doc);
	if (!h) {
		answer(fn, arg, NULL);
		return;
	}
	ay_hook_set_time(h, "created_at", g->now_ms);
	make_secret(g, h, true, fn, arg);
}

static enum ay_rc change_state(struct ay_engine *g, struct ay_hook *h, enum ay_hook_change what,
			       struct ay_err *e)
{
	bool was = json_is_true(json_object_get(h->doc, "paused"));
	bool is = what == AY_HOOK_REMOVE ? was : what == AY_HOOK_PAUSE;
	enum ay_rc rc;

	h->is_removed = what == AY_HOOK_REMOVE;
	json_object_set_new(h->doc, "paused", json_boolean(is));
	rc = ay_hook_keep(g, h, e);
	if (rc != AY_OK) { /* it is as the store has it */
		h->is_removed = false;
		json_object_set_new(h->doc, "paused", json_boolean(was));
	} else if (what != AY_HOOK_REMOVE) {
		h->next_try = 0;
	}
	return rc;
}

/* Made, but its secret is not: it is not stored yet. */
static bool is_unborn(const struct ay_hook *h)
{
	return ay_hook_text(h, "secret")[0] == '\0';
}

void ay_hook_change(struct ay_engine *g, struct ay_bytes id, enum ay_hook_change what,
		    ay_document_fn *fn, void *arg)
{
	struct ay_hook *h = find(g, id);
	struct ay_err e = { 0 };
	enum ay_rc rc = AY_OK;
	json_t *o;

	if (!h)
		rc = ay_fail(&e, AY_E_NOENT, "webhook", 0, "no such webhook");
	else if (h->is_busy &&
		 (is_unborn(h) || what == AY_HOOK_TEST || what == AY_HOOK_ROTATE))
		rc = ay_fail_code(&e, AY_E_UNAVAIL, "WEBHOOK_BUSY", "webhook",
				  "a delivery is under way: try again");
	else if (what != AY_HOOK_TEST && what != AY_HOOK_ROTATE)
		rc = change_state(g, h, what, &e);
	if (rc != AY_OK || !h) {
		fn(arg, rc, &e, (struct ay_bytes){ NULL, 0 });
		return;
	}
	if (what == AY_HOOK_TEST) {
		ay_hook_test(g, h, fn, arg);
		return;
	}
	if (what == AY_HOOK_ROTATE) {
		make_secret(g, h, false, fn, arg);
		return;
	}
	o = shown(g, h);
	if (h->is_removed && !h->is_busy)
		ay_hook_free(g, h);
	else
		ay_hook_look(g, h);
	answer(fn, arg, o);
}

/* ---- of engine ---- */

static void look_all(struct ay_engine *g)
{
	struct ay_hook *next;

	for (struct ay_hook *h = g->hooks->first; h; h = next) {
		next = h->next;
		ay_hook_look(g, h);
	}
}

static void on_event(void *arg, uint64_t seq, const char *kind, const char *json)
{
	(void)seq, (void)kind, (void)json; /* it is read from the store, in order */
	look_all(arg);
}

static void load_row(void *arg, const struct ay_family_row *r)
{
	struct ay_engine *g = arg;

	if (strcmp(r->kind, "webhook") == 0 && r->body[0] != '\0' &&
	    !ay_hook_new(g, r->key, json_loads(r->body, JSON_REJECT_DUPLICATES, NULL)))
		AY_LOG(AY_LOG_ERROR, "a webhook cannot be read", AY_LS("id", r->key));
}

enum ay_rc ay_hooks_load(struct ay_engine *g, struct ay_err *e)
{
	g->hooks = calloc(1, sizeof(*g->hooks));
	if (!g->hooks)
		return ay_fail(e, AY_E_NOMEM, "webhooks", 0, "no memory");
	g->hooks->sub = ay_engine_subscribe(g, on_event, g);
	if (!g->hooks->sub)
		return ay_fail(e, AY_E_NOMEM, "webhooks", 0, "no memory");
	return ay_store_family(g->store, load_row, g, e);
}

void ay_hooks_tick(struct ay_engine *g)
{
	look_all(g);
}

void ay_hooks_fini(struct ay_engine *g)
{
	if (!g->hooks)
		return;
	while (g->hooks->first)
		ay_hook_free(g, g->hooks->first);
	free(g->hooks);
	g->hooks = NULL;
}
