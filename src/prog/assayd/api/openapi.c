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

/* ---- paths ---- */

static json_t *parameter(const char *name, size_t n, const char *in)
{
	return json_pack("{s:s%, s:s, s:b, s:{s:s}}", "name", name, n, "in", in, "required",
			 strcmp(in, "path") == 0, "schema", "type", "string");
}

static json_t *parameters_json(const struct ay_route *r)
{
	json_t *all = json_array();

	for (const char *p = strchr(r->path, '{'); p != NULL; p = strchr(p + 1, '{'))
		json_array_append_new(all, parameter(p + 1, strcspn(p + 1, "}"), "path"));
	for (const char *q = r->query; *q != '\0'; q += strspn(q, ",")) {
		size_t n = strcspn(q, ",");

		json_array_append_new(all, parameter(q, n, "query"));
		q += n;
	}
	return all;
}

static json_t *content_json(const struct ay_schema *s)
{
	json_t *schema = s->kind == AY_SCHEMA_PLAIN ? json_object() : ref_to(s->name);

	return json_pack("{s:{s:o}}", s->media, "schema", schema);
}

static const char *good_status(const struct ay_route *r)
{
	if (r->response == AY_SCHEMA_NONE)
		return "204";
	return r->method == AY_HTTP_POST && r->request != AY_SCHEMA_NONE &&
			       r->request != AY_SCHEMA_Acknowledge
		       ? "201"
		       : "200";
}

static json_t *responses_json(const struct ay_route *r)
{
	const struct ay_schema *s = ay_schema_of(r->response);
	json_t *good = json_pack("{s:s}", "description", s == NULL ? "Done" : s->doc);

	if (s != NULL)
		json_object_set_new(good, "content", content_json(s));
	return json_pack("{s:o, s:{s:s, s:{s:{s:o}}}}", good_status(r), good, "default",
			 "description", "Refused", "content", "application/problem+json", "schema",
			 ref_to("Problem"));
}

static json_t *operation_json(const struct ay_route *r)
{
	json_t *op = json_pack("{s:s, s:s, s:o, s:o, s:s}", "operationId", r->handler_name,
			       "summary", r->doc, "parameters", parameters_json(r), "responses",
			       responses_json(r), "x-permission", r->perm_name);
	const struct ay_schema *s = ay_schema_of(r->request);

	if (s != NULL)
		json_object_set_new(
			op, "requestBody",
			json_pack("{s:b, s:o}", "required", 1, "content", content_json(s)));
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

void ay_api_openapi_show(struct ay_api_call *c)
{
	json_t *info = json_pack("{s:s, s:s}", "title", "Assay", "version", AY_VERSION);
	json_t *components =
		json_pack("{s:o, s:{s:{s:s, s:s}}}", "schemas", schemas_json(), "securitySchemes",
			  "token", "type", "http", "scheme", "bearer");

	ay_api_json(c, 200,
		    json_pack("{s:s, s:o, s:[{s:[]}], s:o, s:o}", "openapi", "3.1.0", "info", info,
			      "security", "token", "paths", paths_json(), "components",
			      components));
}
