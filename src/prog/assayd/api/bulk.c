/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One action on many hosts. Each stands for itself: what became of it is told
 * host by host. A change waits for its own commit, so few are done by one
 * request, and `next` says where to go on.
 */
#include "prog/assayd/api/hostfilter.h"

#include <stdlib.h>

enum { AT_ONCE = 100 };

typedef enum ay_rc bulk_fn(struct ay_api_call *c, const struct ay_host *h, struct ay_err *e);

/* Takes nothing; e of a failure. */
static void put_result(json_t *items, const char *host, const struct ay_host *h, enum ay_rc rc,
		       const struct ay_err *e)
{
	const char *code = e->code[0] != '\0' ? e->code : ay_rc_name(rc);
	char id[AY_UUID_TEXT] = "";

	if (h != NULL)
		ay_uuid_format(&h->id, id);
	json_array_append_new(items, json_pack("{s:s, s:s?, s:i, s:s?, s:s?}", "host", host, "id",
					       h == NULL ? NULL : id, "status",
					       rc == AY_OK ? 200 : ay_rc_http(rc), "code",
					       rc == AY_OK ? NULL : code, "text",
					       rc == AY_OK ? NULL : e->text));
}

static void one(struct ay_api_call *c, const struct ay_host *h, bulk_fn *fn, json_t *items)
{
	struct ay_bytes name = ay_arena_dup(&c->arena, ay_bytes_of(h->name));
	struct ay_err e = { 0 };
	enum ay_rc rc = fn(c, h, &e);

	put_result(items, name.p == NULL ? "" : ay_arena_str(&c->arena, name), h, rc, &e);
}

static void by_names(struct ay_api_call *c, bulk_fn *fn, json_t *items)
{
	json_t *v;
	size_t i;

	json_array_foreach (json_object_get(c->body, "hosts"), i, v) {
		const char *name = json_string_value(v);
		const struct ay_host *h = ay_api_host_find(c, ay_bytes_of(name));
		struct ay_err e = { 0 };

		if (h != NULL) {
			one(c, h, fn, items);
			continue;
		}
		ay_err_set(&e, AY_E_NOENT, "host", 0, "no host has this id or name");
		put_result(items, name, NULL, AY_E_NOENT, &e);
	}
}

/* The names first: what is done moves hosts in the order. */
static enum ay_rc by_filter(struct ay_api_call *c, bulk_fn *fn, json_t *items,
			    struct ay_bytes *next, struct ay_err *e)
{
	const struct ay_host *h, *found[AT_ONCE + 1];
	struct ay_bytes after = ay_api_text(c, "after");
	struct ay_host_filter f;
	size_t at, n = 0;
	enum ay_rc rc = ay_host_filter_read(c, json_object_get(c->body, "filter"), &f, e);

	if (rc != AY_OK)
		return rc;
	at = ay_host_filter_from(c, &f, after);
	while (n <= AT_ONCE && (h = ay_host_filter_next(c, &f, &at)) != NULL)
		found[n++] = h;
	if (n > AT_ONCE)
		*next = ay_arena_dup(&c->arena, ay_bytes_of(found[AT_ONCE - 1]->name));
	for (size_t i = 0; i < n && i < AT_ONCE; i++)
		one(c, found[i], fn, items);
	return AY_OK;
}

static void bulk(struct ay_api_call *c, const char *action, bulk_fn *fn)
{
	json_t *hosts = json_object_get(c->body, "hosts");
	json_t *filter = json_object_get(c->body, "filter"), *items, *detail;
	struct ay_bytes next = { NULL, 0 };
	struct ay_err e = { 0 };

	if ((hosts == NULL) == (filter == NULL) || (filter != NULL && !json_is_object(filter)) ||
	    json_array_size(hosts) > AT_ONCE) {
		ay_err_set(&e, AY_E_INPUT, "hosts", 0,
			   "give hosts, at most %d of them, or a filter", AT_ONCE);
		ay_api_problem(c, &e);
		return;
	}
	items = json_array();
	if (hosts != NULL) {
		by_names(c, fn, items);
	} else if (ay_api_refused(c, by_filter(c, fn, items, &next, &e), &e)) {
		json_decref(items);
		return;
	}
	detail = json_pack("{s:I, s:O?}", "hosts", (json_int_t)json_array_size(items), "filter",
			   filter);
	if (ay_api_audit(c, action, ay_bytes_of("bulk"), detail))
		ay_api_json(c, 200,
			    json_pack("{s:o, s:s?}", "items", items, "next",
				      next.n == 0 ? NULL : (const char *)next.p));
	else
		json_decref(items);
}

/* ---- the actions ---- */

static enum ay_rc attest(struct ay_api_call *c, const struct ay_host *h, struct ay_err *e)
{
	return ay_engine_attest(c->api->engine, h, 0, NULL, NULL, e);
}

void ay_api_bulk_attest(struct ay_api_call *c)
{
	bulk(c, "HOST_ATTEST", attest);
}

static enum ay_rc acknowledge(struct ay_api_call *c, const struct ay_host *h, struct ay_err *e)
{
	struct ay_bytes reason = ay_api_text(c, "reason");

	if (reason.n == 0)
		return ay_fail(e, AY_E_INPUT, "reason", 0, "reason is empty");
	return ay_engine_host_acknowledge(c->api->engine, h, c->who.user, (const char *)reason.p,
					  e);
}

void ay_api_bulk_acknowledge(struct ay_api_call *c)
{
	bulk(c, "HOST_ACKNOWLEDGE", acknowledge);
}

static enum ay_rc remove_one(struct ay_api_call *c, const struct ay_host *h, struct ay_err *e)
{
	return ay_engine_host_remove(c->api->engine, h, e);
}

void ay_api_bulk_remove(struct ay_api_call *c)
{
	bulk(c, "HOST_REMOVE", remove_one);
}

/* Labels it has and those given; null takes one away. In the arena. */
static struct ay_label *merged(struct ay_api_call *c, const struct ay_host *h, size_t *n)
{
	json_t *given = json_object_get(c->body, "labels"), *v;
	size_t room = h->n_labels + json_object_size(given);
	struct ay_label *all = ay_arena_array(&c->arena, room + 1, sizeof(*all));
	const char *key;

	*n = 0;
	for (size_t i = 0; all != NULL && i < h->n_labels; i++)
		if (json_object_get(given, h->labels[i].key) == NULL)
			all[(*n)++] = (struct ay_label){
				ay_arena_str(&c->arena, ay_bytes_of(h->labels[i].key)),
				ay_arena_str(&c->arena, ay_bytes_of(h->labels[i].value))
			};
	if (all != NULL)
		json_object_foreach (given, key, v)
			if (json_is_string(v))
				all[(*n)++] = (struct ay_label){
					ay_arena_str(&c->arena, ay_bytes_of(key)),
					ay_arena_str(&c->arena, ay_bytes_of(json_string_value(v)))
				};
	return all;
}

static enum ay_rc change(struct ay_api_call *c, const struct ay_host *h, struct ay_err *e)
{
	struct ay_bytes policy = ay_api_text(c, "policy");
	struct ay_host_patch patch = { .policy = policy.p == NULL ? NULL : &policy };

	patch.set_labels = json_object_get(c->body, "labels") != NULL;
	if (patch.set_labels)
		patch.labels = merged(c, h, &patch.n_labels);
	if (patch.set_labels && (patch.labels == NULL || patch.n_labels > AY_MAX_LABELS))
		return ay_fail(e, AY_E_LIMIT, "labels", 0, "at most %d labels", AY_MAX_LABELS);
	if (patch.set_labels &&
	    !ay_labels_in_scope(&c->who, c->route->perm, patch.labels, patch.n_labels)) {
		ay_err_set(e, AY_E_DENIED, "labels", 0,
			   "your role is limited to hosts with other labels than these");
		ay_err_code(e, "OUT_OF_SCOPE");
		return AY_E_DENIED;
	}
	return ay_engine_host_patch(c->api->engine, h, &patch, e);
}

void ay_api_bulk_change(struct ay_api_call *c)
{
	json_t *labels = json_object_get(c->body, "labels"), *v;
	const char *key;
	struct ay_err e;

	json_object_foreach (labels, key, v)
		if (!json_is_string(v) && !json_is_null(v)) {
			ay_err_set(&e, AY_E_INPUT, "labels", 0, "a label is a text, or null");
			ay_api_problem(c, &e);
			return;
		}
	if (labels != NULL && !json_is_object(labels)) {
		ay_err_set(&e, AY_E_INPUT, "labels", 0, "is an object");
		ay_api_problem(c, &e);
		return;
	}
	bulk(c, "HOST_CHANGE", change);
}
