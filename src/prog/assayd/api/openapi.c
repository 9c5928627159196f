/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenAPI 3.1 document, made of routes.def and schemas.def. */
#include "prog/assayd/api/call.h"

static json_t *ref_to(const char *schema)
{
	char text[96];

	snprintf(text, sizeof(text), "#/components/schemas/%s", schema);
	return json_pack("{s:s}", "$ref", text);
}

/* ---- schemas ---- */

static json_t *sized_text(const struct ay_member *m)
{
	json_t *t = json_pack("{s:s}", "type", "string");

	if (m->max > 0)
		json_object_set_new(t, "maxLength", json_integer((json_int_t)m->max));
	return t;
}

static json_t *member_type(const struct ay_member *m)
{
	switch (m->type) {
	case AY_T_TEXT:
	case AY_T_NAME:
		return sized_text(m);
	case AY_T_HEX:
		return json_pack("{s:s, s:s}", "type", "string", "pattern", "^[0-9a-fA-F]*$");
	case AY_T_UUID:
		return json_pack("{s:s, s:s}", "type", "string", "format", "uuid");
	case AY_T_TIME:
		return json_pack("{s:s, s:s}", "type", "string", "format", "date-time");
	case AY_T_BOOL:
		return json_pack("{s:s}", "type", "boolean");
	case AY_T_UINT:
		return json_pack("{s:s, s:i}", "type", "integer", "minimum", 0);
	case AY_T_MAP:
		return json_pack("{s:s, s:{s:s}}", "type", "object", "additionalProperties", "type",
				 "string");
	case AY_T_TEXTS:
		return json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "string");
	case AY_T_REF:
		return ref_to(ay_schema_of(m->ref)->name);
	case AY_T_REFS:
		return json_pack("{s:s, s:o}", "type", "array", "items",
				 ref_to(ay_schema_of(m->ref)->name));
	case AY_T_MAPOF:
		return json_pack("{s:s, s:o}", "type", "object", "additionalProperties",
				 ref_to(ay_schema_of(m->ref)->name));
	case AY_T_ANY:
		break;
	}
	return json_object();
}

static json_t *member_json(const struct ay_member *m)
{
	json_t *t = member_type(m);

	if (m->need == AY_NEED_NUL)
		t = json_pack("{s:[o, {s:s}]}", "anyOf", t, "type", "null");
	json_object_set_new(t, "description", json_string(m->doc));
	return t;
}

static json_t *object_json(const struct ay_schema *s)
{
	json_t *properties = json_object(), *required = json_array(), *out;

	for (const struct ay_member *m = s->members; m->name != NULL; m++) {
		json_object_set_new(properties, m->name, member_json(m));
		if (m->need != AY_NEED_OPT)
			json_array_append_new(required, json_string(m->name));
	}
	out = json_pack("{s:s, s:s, s:o}", "type", "object", "description", s->doc, "properties",
			properties);
	if (json_array_size(required) > 0)
		json_object_set(out, "required", required);
	json_decref(required);
	return out;
}

static json_t *list_json(const struct ay_schema *s)
{
	return json_pack("{s:s, s:s, s:{s:{s:s, s:o}, s:{s:[s, s]}}, s:[s, s]}", "type", "object",
			 "description", s->doc, "properties", "items", "type", "array", "items",
			 ref_to(ay_schema_of(s->item)->name), "next", "type", "string", "null",
			 "required", "items", "next");
}

static json_t *schemas_json(void)
{
	json_t *all = json_object();

	for (enum ay_schema_id id = AY_SCHEMA_NONE + 1; id < AY_SCHEMAS; id++) {
		const struct ay_schema *s = ay_schema_of(id);

		if (s->kind == AY_SCHEMA_OBJECT)
			json_object_set_new(all, s->name, object_json(s));
		else if (s->kind == AY_SCHEMA_LIST)
			json_object_set_new(all, s->name, list_json(s));
	}
	return all;
}

/* ---- parameters ---- */

static json_t *path_parameter(const char *name, size_t n)
{
	return json_pack("{s:s%, s:s, s:b, s:{s:s, s:i}}", "name", name, n, "in", "path",
			 "required", 1, "schema", "type", "string", "minLength", 1);
}

static json_t *query_parameter(const char *name, size_t n)
{
	static const char *const seconds[] = { "wait", "lease_s", "age_s", "after" };
	json_t *schema;

	if (n == 5 && strncmp(name, "limit", n) == 0)
		return json_pack("{s:s}", "$ref", "#/components/parameters/limit");
	if (n == 6 && strncmp(name, "cursor", n) == 0)
		return json_pack("{s:s}", "$ref", "#/components/parameters/cursor");
	schema = json_pack("{s:s}", "type", "string");
	for (size_t i = 0; i < AY_COUNT(seconds); i++)
		if (strlen(seconds[i]) == n && strncmp(name, seconds[i], n) == 0)
			json_object_update_new(
				schema, json_pack("{s:s, s:i}", "type", "integer", "minimum", 0));
	return json_pack("{s:s%, s:s, s:b, s:o}", "name", name, n, "in", "query", "required", 0,
			 "schema", schema);
}

static void add_header_parameter(json_t *all, const char *name)
{
	char text[64];

	snprintf(text, sizeof(text), "#/components/parameters/%s", name);
	json_array_append_new(all, json_pack("{s:s}", "$ref", text));
}

static json_t *parameters_json(const struct ay_route *r)
{
	json_t *all = json_array();

	for (const char *p = strchr(r->path, '{'); p != NULL; p = strchr(p + 1, '{'))
		json_array_append_new(all, path_parameter(p + 1, strcspn(p + 1, "}")));
	for (const char *q = r->query; *q != '\0'; q += strspn(q, ",")) {
		size_t n = strcspn(q, ",");

		json_array_append_new(all, query_parameter(q, n));
		q += n;
	}
	if (r->method == AY_HTTP_GET && ay_etag_has(r))
		add_header_parameter(all, "ifNoneMatch");
	if (r->method != AY_HTTP_GET && ay_etag_resource(r) != NULL)
		add_header_parameter(all, "ifMatch");
	if (r->method == AY_HTTP_POST && r->perm != AY_PERM_PUBLIC)
		add_header_parameter(all, "idempotencyKey");
	return all;
}

static json_t *header_parameter(const char *name, const char *doc)
{
	return json_pack("{s:s, s:s, s:b, s:s, s:{s:s}}", "name", name, "in", "header", "required",
			 0, "description", doc, "schema", "type", "string");
}

static json_t *shared_parameters(void)
{
	return json_pack(
		"{s:{s:s, s:s, s:s, s:{s:s, s:i, s:i, s:i}}, s:{s:s, s:s, s:s, s:{s:s}}, s:o, s:o, "
		"s:o}",
		"limit", "name", "limit", "in", "query", "description", "rows of one page",
		"schema", "type", "integer", "minimum", 1, "maximum", 1000, "default", 100,
		"cursor", "name", "cursor", "in", "query", "description",
		"the next of the page before; good for the same path and filters", "schema", "type",
		"string", "ifMatch",
		header_parameter("If-Match", "do it only if the object is as you saw it: its ETag"),
		"ifNoneMatch",
		header_parameter("If-None-Match", "ETags you have: 304 if it is one of them"),
		"idempotencyKey",
		header_parameter("Idempotency-Key",
				 "your name of this request: a repeat within a day is not done "
				 "again and gets the same answer"));
}

/* ---- answers ---- */

/* Of answers.def; the second is 0 when there is none. */
static void statuses_of(const struct ay_route *r, int *first, int *other)
{
	static const struct {
		const char *handler;
		int first, other;
	} rows[] = {
#define X(handler, first, other) { #handler, first, other },
#include "prog/assayd/api/answers.def"
#undef X
	};

	*first = r->response == AY_SCHEMA_NONE ? 204 : 200;
	*other = 0;
	for (size_t i = 0; i < AY_COUNT(rows); i++)
		if (strcmp(rows[i].handler, r->handler_name) == 0) {
			*first = rows[i].first;
			*other = rows[i].other;
		}
}

static json_t *content_json(const struct ay_schema *s)
{
	json_t *schema = s->kind == AY_SCHEMA_PLAIN ? json_object() : ref_to(s->name);

	return json_pack("{s:{s:o}}", s->media, "schema", schema);
}

static json_t *good_json(const struct ay_route *r)
{
	const struct ay_schema *s = ay_schema_of(r->response);
	json_t *good = json_pack("{s:s}", "description", s == NULL ? "Done" : s->doc);

	if (s != NULL)
		json_object_set_new(good, "content", content_json(s));
	if (ay_etag_has(r))
		json_object_set_new(
			good, "headers",
			json_pack("{s:{s:s}}", "ETag", "$ref", "#/components/headers/ETag"));
	return good;
}

static json_t *responses_json(const struct ay_route *r)
{
	json_t *all = json_object();
	int first, other;
	char text[8];

	statuses_of(r, &first, &other);
	snprintf(text, sizeof(text), "%d", first);
	json_object_set_new(all, text, good_json(r));
	if (other != 0) {
		snprintf(text, sizeof(text), "%d", other);
		json_object_set_new(all, text,
				    json_pack("{s:s, s:{s:{s:{s:s}}}}", "description",
					      "Begun, or waits for a second person", "content",
					      "application/json", "schema", "type", "object"));
	}
	if (r->method == AY_HTTP_GET && ay_etag_has(r))
		json_object_set_new(all, "304",
				    json_pack("{s:s}", "description", "As you have it"));
	json_object_set_new(all, "default",
			    json_pack("{s:s}", "$ref", "#/components/responses/Problem"));
	return all;
}

static json_t *problem_response(void)
{
	return json_pack("{s:{s:s, s:{s:{s:o, s:{s:s, s:s, s:i, s:s, s:{s:s, s:s, s:i, s:s}}}}}}",
			 "Problem", "description", "Refused: docs/errors.md has the codes",
			 "content", "application/problem+json", "schema", ref_to("Problem"),
			 "example", "type", "about:blank", "title", "Bad Request", "status", 400,
			 "detail", "limit is at least 1", "error", "code", "INPUT", "field",
			 "limit", "offset", 0, "text", "limit is at least 1");
}

/* ---- operations ---- */

static json_t *example_of(enum ay_schema_id id)
{
	static const struct {
		enum ay_schema_id id;
		const char *json;
	} examples[] = {
		{ AY_SCHEMA_HostAdd, "{\"name\":\"rack4-17\",\"connect\":\"192.0.2.17:1443\","
				     "\"labels\":{\"pool\":\"gold\"}}" },
		{ AY_SCHEMA_HostPatch, "{\"labels\":{\"pool\":\"silver\"}}" },
		{ AY_SCHEMA_Acknowledge, "{\"reason\":\"board replaced, ticket 4711\"}" },
		{ AY_SCHEMA_TokenCreate, "{\"uses\":20,\"pool\":\"gold\",\"ttl_s\":3600}" },
		{ AY_SCHEMA_Learn,
		  "{\"host\":\"rack4-17\",\"name\":\"debian12\",\"activate\":true}" },
		{ AY_SCHEMA_HostBulk,
		  "{\"filter\":{\"label\":\"pool=gold\",\"verdict\":\"unknown\"}}" },
	};

	for (size_t i = 0; i < AY_COUNT(examples); i++)
		if (examples[i].id == id)
			return json_loads(examples[i].json, 0, NULL);
	return NULL;
}

static json_t *body_json(const struct ay_route *r, const struct ay_schema *s)
{
	json_t *content = content_json(s), *example = example_of(r->request);

	if (example != NULL)
		json_object_set_new(json_object_get(content, s->media), "example", example);
	return json_pack("{s:b, s:o}", "required", !ay_api_may_be_empty(r), "content", content);
}

/* The word after /api/v1/, or what stands beside it. */
static json_t *tags_json(const struct ay_route *r)
{
	const char *at = strncmp(r->path, "/api/v1/", 8) == 0 ? r->path + 8 : r->path + 1;

	return json_pack("[s%]", at, strcspn(at, "/."));
}

static json_t *operation_json(const struct ay_route *r)
{
	json_t *op =
		json_pack("{s:s, s:s, s:o, s:o, s:o, s:s}", "operationId", r->handler_name,
			  "summary", r->doc, "tags", tags_json(r), "parameters", parameters_json(r),
			  "responses", responses_json(r), "x-permission", r->perm_name);
	const struct ay_schema *s = ay_schema_of(r->request);

	if (s != NULL)
		json_object_set_new(op, "requestBody", body_json(r, s));
	if (r->perm == AY_PERM_PUBLIC)
		json_object_set_new(op, "security", json_array());
	return op;
}

static json_t *paths_json(void)
{
	json_t *all = json_object();
	size_t n;
	const struct ay_route *r = ay_routes(&n);

	for (size_t i = 0; i < n; i++) {
		json_t *path = json_object_get(all, r[i].path);
		char method[16];
		size_t k = 0;

		if (path == NULL) {
			path = json_object();
			json_object_set_new(all, r[i].path, path);
		}
		for (const char *m = ay_http_method_name(r[i].method); *m != '\0'; m++)
			method[k++] = (char)(*m | 0x20);
		method[k] = '\0';
		json_object_set_new(path, method, operation_json(&r[i]));
	}
	return all;
}

static json_t *components_json(void)
{
	json_t *security =
		json_pack("{s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s, s:s, s:s}}", "token", "type",
			  "http", "scheme", "bearer", "basic", "type", "http", "scheme", "basic",
			  "session", "type", "apiKey", "in", "cookie", "name", "__Host-assay");

	return json_pack("{s:o, s:o, s:o, s:o, s:{s:{s:s, s:{s:s}}}}", "schemas", schemas_json(),
			 "parameters", shared_parameters(), "responses", problem_response(),
			 "securitySchemes", security, "headers", "ETag", "description",
			 "what this representation is known by: If-Match, If-None-Match", "schema",
			 "type", "string");
}

void ay_api_openapi_show(struct ay_api_call *c)
{
	json_t *info = json_pack("{s:s, s:s, s:s, s:{s:s, s:s}}", "title", "Assay", "version",
				 AY_VERSION, "description", "Remote attestation: docs/rest.md",
				 "license", "name", "Apache-2.0", "identifier", "Apache-2.0");

	ay_api_json(c, 200,
		    json_pack("{s:s, s:o, s:[{s:s}], s:[{s:[]}, {s:[]}, {s:[]}], s:o, s:o}",
			      "openapi", "3.1.0", "info", info, "servers", "url", "/", "security",
			      "token", "basic", "session", "paths", paths_json(), "components",
			      components_json()));
}
