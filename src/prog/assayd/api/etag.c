/* SPDX-License-Identifier: Apache-2.0 */
/* Entity tags: what a client saw, so that it does not undo what it did not see [RFC9110 8.8.3]. */
#include "core/crypto/hash.h"
#include "prog/assayd/api/auth.h"
#include "prog/assayd/api/router.h"

#include <stdlib.h>

/*
 * What moves by itself. A tag is "SETTINGS-WHOLE": a change must name the
 * settings as the client saw them, whatever was attested meanwhile; a client
 * that only looks goes by the whole.
 */
static const struct {
	enum ay_schema_id schema;
	const char *members[12];
} moving[] = {
	{ AY_SCHEMA_Host,
	  { "verdict", "components", "lease_until", "attested_at", "connected", "version", "sticky",
	    "last_error" } },
	{ AY_SCHEMA_WhatIfRun,
	  { "state", "judged", "not_judged", "flips", "unaffected", "from", "to", "ended_at" } },
};

/* Ends what the client saw of a verdict: it goes by the whole. */
static bool goes_by_whole(const struct ay_route *r)
{
	return strcmp(r->handler_name, "hosts_acknowledge") == 0;
}

static void half(struct ay_bytes b, char out[17])
{
	uint8_t digest[32];

	ay_sha256(b, digest);
	ay_hex_encode((struct ay_bytes){ digest, 8 }, out);
}

bool ay_etag_has(const struct ay_route *r)
{
	const struct ay_schema *s = ay_schema_of(r->response);

	if (s == NULL || s->kind == AY_SCHEMA_LIST || r->response == AY_SCHEMA_EventStream ||
	    (s->members != NULL && strcmp(s->members[0].name, "items") == 0))
		return false;
	if (strncmp(r->path, "/api/v1/", 8) != 0)
		return false;
	return r->method == AY_HTTP_GET || r->method == AY_HTTP_PATCH || r->method == AY_HTTP_PUT;
}

void ay_etag_bytes(const struct ay_route *r, struct ay_bytes text, char out[AY_ETAG_TEXT])
{
	char whole[17];

	out[0] = '\0';
	if (!ay_etag_has(r))
		return;
	half(text, whole);
	snprintf(out, AY_ETAG_TEXT, "\"%s\"", whole);
}

static const char *const *moving_of(const struct ay_route *r)
{
	for (size_t i = 0; i < AY_COUNT(moving); i++)
		if (moving[i].schema == r->response)
			return moving[i].members;
	return NULL;
}

void ay_etag_json(const struct ay_route *r, json_t *body, struct ay_bytes text,
		  char out[AY_ETAG_TEXT])
{
	const char *const *members = moving_of(r);
	char settings[17], whole[17], *rest;
	json_t *still;

	ay_etag_bytes(r, text, out);
	if (out[0] == '\0' || members == NULL)
		return;
	still = json_copy(body);
	for (; *members != NULL; members++)
		json_object_del(still, *members);
	rest = json_dumps(still, JSON_COMPACT);
	half(ay_bytes_of(rest == NULL ? "" : rest), settings);
	half(text, whole);
	snprintf(out, AY_ETAG_TEXT, "\"%s-%s\"", settings, whole);
	free(rest);
	json_decref(still);
}

/* ---- lists of tags in requests [RFC9110 13.1] ---- */

/* The next member of a list without white space and W/; it moves on. */
static struct ay_bytes next_tag(struct ay_bytes *list, bool *weak)
{
	struct ay_bytes tag;
	size_t n = 0;

	while (list->n > 0 && (*list->p == ' ' || *list->p == '\t' || *list->p == ',')) {
		list->p++;
		list->n--;
	}
	*weak = list->n > 2 && list->p[0] == 'W' && list->p[1] == '/';
	if (*weak) {
		list->p += 2;
		list->n -= 2;
	}
	while (n < list->n && list->p[n] != ',')
		n++;
	tag = (struct ay_bytes){ list->p, n };
	list->p += n;
	list->n -= n;
	while (tag.n > 0 && (tag.p[tag.n - 1] == ' ' || tag.p[tag.n - 1] == '\t'))
		tag.n--;
	return tag;
}

bool ay_etag_listed(struct ay_bytes list, const char *tag)
{
	while (list.n > 0) {
		bool weak;
		struct ay_bytes one = next_tag(&list, &weak);

		if (ay_bytes_eq(one, ay_bytes_of("*")) || ay_bytes_eq(one, ay_bytes_of(tag)))
			return true;
	}
	return false;
}

/* Of a change: the settings must be the same. A weak tag matches nothing here. */
static bool is_same(struct ay_bytes one, const char *tag, bool by_whole)
{
	size_t n = by_whole ? strlen(tag) : strcspn(tag, "-");

	if (tag[n] == '\0')
		return ay_bytes_eq(one, ay_bytes_of(tag));
	return one.n > n && one.p[n] == '-' && memcmp(one.p, tag, n) == 0;
}

static bool is_permitted(struct ay_bytes list, const char *tag, bool by_whole)
{
	while (list.n > 0) {
		bool weak;
		struct ay_bytes one = next_tag(&list, &weak);

		if (ay_bytes_eq(one, ay_bytes_of("*")) || (!weak && is_same(one, tag, by_whole)))
			return true;
	}
	return false;
}

/* ---- what a request is about ---- */

/* GET of the same path, or of the path before the verb; NULL: it has none. */
const struct ay_route *ay_etag_resource(const struct ay_route *r)
{
	size_t n, len = strlen(r->path);
	const struct ay_route *all = ay_routes(&n);
	const char *verb = strrchr(r->path, '/');

	if (r->method == AY_HTTP_POST && verb != NULL && verb > r->path && verb[-1] == '}')
		len = (size_t)(verb - r->path);
	for (size_t i = 0; i < n; i++)
		if (all[i].method == AY_HTTP_GET && strlen(all[i].path) == len &&
		    strncmp(all[i].path, r->path, len) == 0)
			return &all[i];
	return NULL;
}

/* Its handler answers; the answer is looked at and not sent. */
static struct ay_etag look_at(struct ay_api_call *c, const struct ay_route *resource)
{
	const struct ay_route *asked = c->route;
	struct ay_etag seen = { 0 };

	c->route = resource;
	c->looked_at = &seen;
	resource->handler(c);
	c->looked_at = NULL;
	c->route = asked;
	return seen;
}

/* Who may not read it must not learn by conditions what it is like. */
static enum ay_rc may_see(const struct ay_api_call *c, const struct ay_route *resource,
			  struct ay_err *e)
{
	enum ay_rc rc = ay_route_permit(resource, &c->who, e);

	return rc == AY_OK ? ay_route_scope(resource, &c->who, e) : rc;
}

bool ay_etag_permits(struct ay_api_call *c)
{
	const struct ay_route *resource;
	struct ay_etag seen = { 0 };
	struct ay_err e = { 0 };

	if (c->if_match.n == 0 || c->route->method == AY_HTTP_GET)
		return true;
	resource = ay_etag_resource(c->route);
	if (resource != NULL && AY_CHECKED("IF_MATCH_READ", may_see(c, resource, &e) != AY_OK)) {
		ay_api_denied(c, 403, &e);
		ay_api_problem(c, &e);
		return false;
	}
	if (resource != NULL && ay_etag_has(resource))
		seen = look_at(c, resource);
	if (!AY_CHECKED("IF_MATCH", seen.status != 200 || !is_permitted(c->if_match, seen.text,
									goes_by_whole(c->route))))
		return true;
	if (seen.status == 404)
		ay_err_set(&e, AY_E_NOENT, "path", 0, "no such object");
	else if (ay_fail_code(&e, AY_E_EXISTS, "IF_MATCH", "if-match",
			      "it is not as you saw it; read it again") == AY_OK)
		return true;
	ay_api_problem_as(c, seen.status == 404 ? 404 : 412, &e, NULL, NULL);
	return false;
}
