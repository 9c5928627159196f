/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/schema.h"

#include "core/base/hex.h"
#include "core/base/json.h"
#include "core/base/timefmt.h"
#include "core/base/uuid.h"

/* ---- the tables ---- */

#define TYPE_TEXT AY_T_TEXT, AY_SCHEMA_NONE
#define TYPE_NAME AY_T_NAME, AY_SCHEMA_NONE
#define TYPE_HEX AY_T_HEX, AY_SCHEMA_NONE
#define TYPE_UUID AY_T_UUID, AY_SCHEMA_NONE
#define TYPE_TIME AY_T_TIME, AY_SCHEMA_NONE
#define TYPE_BOOL AY_T_BOOL, AY_SCHEMA_NONE
#define TYPE_UINT AY_T_UINT, AY_SCHEMA_NONE
#define TYPE_MAP AY_T_MAP, AY_SCHEMA_NONE
#define TYPE_TEXTS AY_T_TEXTS, AY_SCHEMA_NONE
#define TYPE_ANY AY_T_ANY, AY_SCHEMA_NONE
#define TYPE_REF(object) AY_T_REF, AY_SCHEMA_##object
#define TYPE_REFS(object) AY_T_REFS, AY_SCHEMA_##object
#define TYPE_MAPOF(object) AY_T_MAPOF, AY_SCHEMA_##object
#define F(member, type, need, max, doc) { #member, TYPE_##type, AY_NEED_##need, max, doc },
#define OBJECT(name, doc) static const struct ay_member members_##name[] = {
/* clang-format off */
#define END { NULL, AY_T_ANY, AY_SCHEMA_NONE, AY_NEED_OPT, 0, NULL } };
/* clang-format on */
#define LIST(name, item)
#define PLAIN(name, media, doc)
#include "prog/assayd/api/schemas.def"
#undef OBJECT
#undef LIST
#undef PLAIN
#undef F
#undef END

static const struct ay_schema schemas[AY_SCHEMAS] = {
#define OBJECT(n, d)                                                                               \
	[AY_SCHEMA_##n] = { .name = #n,                                                            \
			    .kind = AY_SCHEMA_OBJECT,                                              \
			    .doc = (d),                                                            \
			    .media = "application/json",                                           \
			    .members = members_##n },
#define LIST(n, i)                                                                                 \
	[AY_SCHEMA_##n] = { .name = #n,                                                            \
			    .kind = AY_SCHEMA_LIST,                                                \
			    .doc = "A page of " #i,                                                \
			    .media = "application/json",                                           \
			    .item = AY_SCHEMA_##i },
#define PLAIN(n, m, d)                                                                             \
	[AY_SCHEMA_##n] = { .name = #n, .kind = AY_SCHEMA_PLAIN, .doc = (d), .media = (m) },
#define F(member, type, need, max, doc)
#define END
#include "prog/assayd/api/schemas.def"
#undef OBJECT
#undef LIST
#undef PLAIN
#undef F
#undef END
};

const struct ay_schema *ay_schema_of(enum ay_schema_id id)
{
	return id > AY_SCHEMA_NONE && id < AY_SCHEMAS ? &schemas[id] : NULL;
}

struct ay_schemas ay_schema_table(void)
{
	return (struct ay_schemas){ schemas, AY_SCHEMAS };
}

/* ---- where a member stands in the text ---- */

static size_t skip_blank(struct ay_bytes t, size_t at)
{
	while (at < t.n &&
	       (t.p[at] == ' ' || t.p[at] == '\t' || t.p[at] == '\n' || t.p[at] == '\r'))
		at++;
	return at;
}

/* at: the opening quote; gives the octet after the closing one. */
static size_t skip_string(struct ay_bytes t, size_t at)
{
	for (at++; at < t.n && t.p[at] != '"'; at++)
		if (t.p[at] == '\\')
			at++;
	return at + 1;
}

static size_t skip_value(struct ay_bytes t, size_t at)
{
	size_t depth = 0;

	while (at < t.n) {
		uint8_t c = t.p[at];

		if (c == '"') {
			at = skip_string(t, at);
			continue;
		}
		if (depth == 0 && (c == ',' || c == '}'))
			return at;
		if (c == '{' || c == '[')
			depth++;
		if (c == '}' || c == ']')
			depth--;
		at++;
	}
	return at;
}

size_t ay_schema_offset(struct ay_bytes text, const char *member)
{
	size_t at = skip_blank(text, 0) + 1;
	struct ay_bytes want = ay_bytes_of(member);

	while (at < text.n) {
		size_t key = skip_blank(text, at), end;

		if (key >= text.n || text.p[key] != '"')
			return 0;
		end = skip_string(text, key);
		at = skip_blank(text, skip_blank(text, end) + 1);
		if (end <= text.n && end - key >= 2 &&
		    ay_bytes_eq((struct ay_bytes){ text.p + key + 1, end - key - 2 }, want))
			return at < text.n ? at : 0;
		at = skip_value(text, at) + 1;
	}
	return 0;
}

/* ---- the check ---- */

static bool is_hex(const char *s, size_t digits)
{
	uint8_t raw[128];
	struct ay_err e;

	return digits / 2 <= sizeof(raw) && strlen(s) == digits &&
	       ay_hex_decode(ay_bytes_of(s), "hex", raw, digits / 2, &e) == AY_OK;
}

/* NULL: fine. */
static const char *bad_text(const struct ay_member *m, const json_t *v)
{
	const char *s = json_string_value(v);

	if (s == NULL)
		return "must be text";
	if (strlen(s) != json_string_length(v))
		return "has a NUL";
	if (m->max > 0 && json_string_length(v) > m->max)
		return "is too long";
	if (m->type == AY_T_NAME && !ay_json_is_name(s))
		return "is not a name: 1 to 128 of A-Z a-z 0-9 . _ + : @ - and blanks inside";
	if (m->type == AY_T_NAME && AY_CHECKED("API_NAME_UUID", ay_uuid_looks_like(ay_bytes_of(s))))
		return "looks like a UUID";
	if (m->type == AY_T_HEX && !is_hex(s, m->max))
		return "is not that many hexadecimal digits";
	return NULL;
}

static const char *bad_map(const struct ay_member *m, const json_t *v)
{
	const char *key;
	json_t *item;

	if (!json_is_object(v))
		return "must be an object of texts";
	if (json_object_size(v) > AY_MAX_LABELS)
		return "has too many members";
	json_object_foreach ((json_t *)(uintptr_t)v, key, item)
		if (!json_is_string(item) || key[0] == '\0' || strlen(key) > AY_MAX_NAME_BYTES ||
		    json_string_length(item) > m->max ||
		    strlen(json_string_value(item)) != json_string_length(item))
			return "must be an object of texts, "
			       "each key with 1 to 128 octets";
	return NULL;
}

static const char *bad_texts(const struct ay_member *m, const json_t *v)
{
	json_t *item;
	size_t i;

	if (!json_is_array(v) || json_array_size(v) > m->max)
		return "must be a short list of texts";
	json_array_foreach (v, i, item)
		if (!json_is_string(item))
			return "must be a short list of texts";
	return NULL;
}

static const char *bad_uint(const struct ay_member *m, const json_t *v)
{
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return "must be a whole number from 0";
	if (m->max > 0 && (uint64_t)json_integer_value(v) > m->max)
		return "is too large";
	return NULL;
}

static const char *bad_time(const json_t *v)
{
	int64_t at;

	if (!json_is_string(v) ||
	    ay_time_parse(ay_bytes_of(json_string_value(v)), "time", &at, NULL) != AY_OK)
		return "must be an instant as 2026-11-21T22:05:01Z";
	return NULL;
}

static const char *bad_value(const struct ay_member *m, const json_t *v)
{
	switch (m->type) {
	case AY_T_TEXT:
	case AY_T_NAME:
	case AY_T_HEX:
		return bad_text(m, v);
	case AY_T_BOOL:
		return json_is_boolean(v) ? NULL : "must be true or false";
	case AY_T_UINT:
		return bad_uint(m, v);
	case AY_T_MAP:
		return bad_map(m, v);
	case AY_T_TEXTS:
		return bad_texts(m, v);
	case AY_T_ANY:
		return NULL;
	case AY_T_TIME:
		return bad_time(v);
	case AY_T_REF: /* an object within, by its own rows */
		return json_is_object(v) ? NULL : "must be an object";
	case AY_T_UUID: /* these only go out */
	case AY_T_REFS:
	case AY_T_MAPOF:
		break;
	}
	return "cannot be given";
}

static const struct ay_member *find(const struct ay_schema *s, const char *name)
{
	for (const struct ay_member *m = s->members; m->name != NULL; m++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

static enum ay_rc check_known(const struct ay_schema *s, const json_t *body, struct ay_bytes text,
			      struct ay_err *e)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)(uintptr_t)body, key, v) {
		const struct ay_member *m = find(s, key);
		const char *bad = m == NULL ? NULL : bad_value(m, v);

		if (AY_CHECKED("API_UNKNOWN_MEMBER", m == NULL))
			return ay_fail(e, AY_E_INPUT, "body", ay_schema_offset(text, key),
				       "unknown member %.60s", key);
		if (bad != NULL)
			return ay_fail(e, AY_E_INPUT, m->name, ay_schema_offset(text, key), "%s %s",
				       m->name, bad);
		if (m->type == AY_T_REF && ay_schema_check(m->ref, v, text, e) != AY_OK)
			return e->rc;
	}
	return AY_OK;
}

enum ay_rc ay_schema_check(enum ay_schema_id id, const json_t *body, struct ay_bytes text,
			   struct ay_err *e)
{
	const struct ay_schema *s = ay_schema_of(id);
	enum ay_rc rc;

	if (s == NULL || s->kind != AY_SCHEMA_OBJECT)
		return ay_fail(e, AY_E_BUG, "schema", 0, "no such object");
	if (!json_is_object(body))
		return ay_fail(e, AY_E_INPUT, "body", 0, "must be a JSON object");
	rc = check_known(s, body, text, e);
	for (const struct ay_member *m = s->members; rc == AY_OK && m->name != NULL; m++)
		if (m->need == AY_NEED_REQ && json_object_get(body, m->name) == NULL)
			rc = ay_fail(e, AY_E_INPUT, m->name, 0, "%s is missing", m->name);
	return rc;
}
