/* SPDX-License-Identifier: Apache-2.0 */
/* From what a message says to the REST request that says the same. */
#include "prog/assayd/soap/soap.h"

#include <stdio.h>
#include <stdlib.h>

/* Where a target is written, as far as there is room. */
struct target {
	char text[AY_API_MAX_TARGET];
	size_t n;
	bool full;
};

static void put(struct target *t, struct ay_bytes b)
{
	if (b.n > sizeof(t->text) - t->n) {
		t->full = true;
		return;
	}
	if (b.n > 0)
		memcpy(t->text + t->n, b.p, b.n);
	t->n += b.n;
}

static bool is_unreserved(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static void put_encoded(struct target *t, struct ay_bytes b)
{
	char hex[4];

	for (size_t i = 0; i < b.n; i++) {
		if (is_unreserved(b.p[i])) {
			put(t, (struct ay_bytes){ b.p + i, 1 });
			continue;
		}
		snprintf(hex, sizeof(hex), "%%%02X", b.p[i]);
		put(t, ay_bytes_of(hex));
	}
}

/* A parameter as text; of a number its digits. */
static struct ay_bytes value_of(const json_t *v, char room[24])
{
	if (json_is_string(v))
		return (struct ay_bytes){ (const uint8_t *)json_string_value(v),
					  json_string_length(v) };
	snprintf(room, 24, "%lld", (long long)json_integer_value(v));
	return ay_bytes_of(room);
}

static enum ay_rc build_path(const struct ay_soap_row *row, const struct ay_soap_inputs *in,
			     const json_t *values, struct target *t, struct ay_err *e)
{
	const char *at = row->path;
	char room[24];

	for (size_t i = 0; i < in->n_path; i++) {
		const json_t *v = json_object_get(values, in->member[i].name);
		const char *open = strchr(at, '{');

		if (AY_CHECKED("SOAP_PARAMETER", json_string_length(v) == 0))
			return ay_fail(e, AY_E_INPUT, in->member[i].name, 0, "%s is missing",
				       in->member[i].name);
		put(t, (struct ay_bytes){ (const uint8_t *)at, (size_t)(open - at) });
		put_encoded(t, value_of(v, room));
		at = strchr(open, '}') + 1;
	}
	put(t, ay_bytes_of(at));
	return AY_OK;
}

static void build_query(const struct ay_soap_inputs *in, const json_t *values, struct target *t)
{
	char room[24];

	for (size_t i = in->n_path; i < in->n_path + in->n_query; i++) {
		const json_t *v = json_object_get(values, in->member[i].name);

		if (v == NULL)
			continue;
		put(t, ay_bytes_of(t->n == 0 ? "" : "&"));
		put(t, ay_bytes_of(in->member[i].name));
		put(t, ay_bytes_of("="));
		put_encoded(t, value_of(v, room));
	}
}

/* The members that are no parameters. */
static enum ay_rc build_body(const struct ay_soap_inputs *in, const json_t *values,
			     struct ay_arena *a, struct ay_bytes *out, struct ay_err *e)
{
	json_t *body = json_object();
	char *text;

	for (size_t i = in->n_path + in->n_query; i < in->n; i++) {
		json_t *v = json_object_get(values, in->member[i].name);

		if (v != NULL)
			json_object_set(body, in->member[i].name, v);
	}
	text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	*out = text == NULL ? (struct ay_bytes){ NULL, 0 } : ay_arena_dup(a, ay_bytes_of(text));
	free(text);
	return out->p == NULL ? ay_fail(e, AY_E_NOMEM, "soap", 0, "out of memory") : AY_OK;
}

/* Those that speak of the message itself are of the message, not of what it asks. */
static void set_headers(struct ay_api_request *r, bool has_body)
{
	static const char *const own[] = { "accept", "content-type", "soapaction", "last-event-id",
					   "if-none-match" };
	size_t n = 0;

	for (size_t i = 0; i < r->n_headers; i++) {
		bool drop = false;

		for (size_t k = 0; k < AY_COUNT(own); k++)
			drop = drop || ay_bytes_eq(r->header[i].name, ay_bytes_of(own[k]));
		if (!drop)
			r->header[n++] = r->header[i];
	}
	if (has_body) /* content-type of the message left room */
		r->header[n++] = (struct ay_api_header){ ay_bytes_of("content-type"),
							 ay_bytes_of("application/json") };
	r->n_headers = n;
}

enum ay_rc ay_soap_request(const struct ay_soap_row *row, const json_t *values, struct ay_arena *a,
			   struct ay_api_request *r, struct ay_err *e)
{
	const struct ay_route *route = ay_soap_route(row);
	struct target path = { .n = 0 }, query = { .n = 0 };
	struct ay_soap_inputs in;
	enum ay_rc rc = ay_soap_inputs(row, a, &in, e);

	if (rc == AY_OK)
		rc = build_path(row, &in, values, &path, e);
	if (rc != AY_OK)
		return rc;
	build_query(&in, values, &query);
	if (path.full || query.full || path.n + query.n > AY_API_MAX_TARGET)
		return ay_fail(e, AY_E_LIMIT, "soap.body", 0, "a parameter is too long");
	r->method = row->method;
	r->path = ay_arena_dup(a, (struct ay_bytes){ (const uint8_t *)path.text, path.n });
	r->query = ay_arena_dup(a, (struct ay_bytes){ (const uint8_t *)query.text, query.n });
	r->body = (struct ay_bytes){ NULL, 0 };
	set_headers(r, route->request != AY_SCHEMA_NONE);
	if (r->path.p == NULL || r->query.p == NULL)
		return ay_fail(e, AY_E_NOMEM, "soap", 0, "out of memory");
	return route->request == AY_SCHEMA_NONE ? AY_OK : build_body(&in, values, a, &r->body, e);
}
