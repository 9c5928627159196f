/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/json.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"

/* Deepest nesting, looked for outside strings; jansson's own limit is 2,048 and recursive. */
static size_t depth_of(struct ay_bytes t)
{
	size_t depth = 0, most = 0;
	bool quoted = false;

	for (size_t i = 0; i < t.n; i++) {
		uint8_t c = t.p[i];

		if (quoted) {
			i += c == '\\';
			quoted = c != '"';
		} else if (c == '"') {
			quoted = true;
		} else if (c == '{' || c == '[') {
			most = ++depth > most ? depth : most;
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return most;
}

enum ay_rc ay_json_load(struct ay_bytes text, size_t max_bytes, const char *what, json_t **out,
			struct ay_err *e)
{
	json_error_t je;

	*out = NULL;
	if (text.n > max_bytes)
		return ay_fail(e, AY_E_LIMIT, what, max_bytes, "longer than %zu bytes", max_bytes);
	if (depth_of(text) > AY_MAX_JSON_DEPTH)
		return ay_fail(e, AY_E_LIMIT, what, 0, "nested deeper than %d", AY_MAX_JSON_DEPTH);
	if (text.n == 0)
		return ay_fail(e, AY_E_INPUT, what, 0, "empty document");
	*out = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES, &je);
	if (*out == NULL)
		return ay_fail(e, AY_E_INPUT, what, je.position < 0 ? 0 : (size_t)je.position,
			       "%s (line %d)", je.text, je.line);
	return AY_OK;
}

void ay_json_unref(json_t **j)
{
	json_decref(*j);
	*j = NULL;
}

enum ay_rc ay_json_bad(struct ay_err *e, const char *where, const char *key, const char *text)
{
	return ay_fail(e, AY_E_INPUT, where, 0, "%s: %s", key, text);
}

static bool is_known(const char *key, const char *const known[])
{
	for (; *known != NULL; known++)
		if (strcmp(key, *known) == 0)
			return true;
	return false;
}

enum ay_rc ay_json_only(const json_t *o, const char *const known[], const char *where,
			struct ay_err *e)
{
	if (!json_is_object(o))
		return ay_fail(e, AY_E_INPUT, where, 0, "not an object");
	/* the iterator functions take what they only read as non-const */
	for (void *it = json_object_iter((json_t *)(uintptr_t)o); it != NULL;
	     it = json_object_iter_next((json_t *)(uintptr_t)o, it))
		if (!is_known(json_object_iter_key(it), known))
			return ay_json_bad(e, where, json_object_iter_key(it), "unknown member");
	return AY_OK;
}

/* The member, or NULL; *rc tells whether its absence or type is an error. */
static const json_t *member(const json_t *o, const char *where, const char *key, bool needed,
			    json_type type, enum ay_rc *rc, struct ay_err *e)
{
	const json_t *v = json_object_get(o, key);

	*rc = AY_OK;
	if (v == NULL && needed)
		*rc = ay_json_bad(e, where, key, "missing");
	if (v != NULL && json_typeof(v) != type) {
		*rc = ay_json_bad(e, where, key, "wrong type");
		v = NULL;
	}
	return v;
}

enum ay_rc ay_json_text(const json_t *o, const char *where, const char *key, bool needed,
			size_t max, struct ay_arena *a, const char **out, struct ay_err *e)
{
	enum ay_rc rc;
	const json_t *v = member(o, where, key, needed, JSON_STRING, &rc, e);
	char *s;

	if (v == NULL)
		return rc;
	if (json_string_length(v) > max)
		return ay_json_bad(e, where, key, "too long");
	if (strlen(json_string_value(v)) != json_string_length(v))
		return ay_json_bad(e, where, key, "has a NUL");
	s = ay_arena_str(a, ay_bytes_of(json_string_value(v)));
	if (s == NULL)
		return ay_fail(e, AY_E_NOMEM, where, 0, "out of memory");
	*out = s;
	return AY_OK;
}

enum ay_rc ay_json_u64(const json_t *o, const char *where, const char *key, bool needed,
		       uint64_t max, uint64_t *out, struct ay_err *e)
{
	enum ay_rc rc;
	const json_t *v = member(o, where, key, needed, JSON_INTEGER, &rc, e);

	if (v == NULL)
		return rc;
	if (json_integer_value(v) < 0 || (uint64_t)json_integer_value(v) > max)
		return ay_json_bad(e, where, key, "out of range");
	*out = (uint64_t)json_integer_value(v);
	return AY_OK;
}

enum ay_rc ay_json_bool(const json_t *o, const char *where, const char *key, bool needed, bool *out,
			struct ay_err *e)
{
	const json_t *v = json_object_get(o, key);

	if (v == NULL)
		return needed ? ay_json_bad(e, where, key, "missing") : AY_OK;
	if (!json_is_boolean(v))
		return ay_json_bad(e, where, key, "wrong type");
	*out = json_is_true(v);
	return AY_OK;
}

enum ay_rc ay_json_object(const json_t *o, const char *where, const char *key, bool needed,
			  const json_t **out, struct ay_err *e)
{
	enum ay_rc rc;

	*out = member(o, where, key, needed, JSON_OBJECT, &rc, e);
	return rc;
}

enum ay_rc ay_json_array(const json_t *o, const char *where, const char *key, bool needed,
			 const json_t **out, struct ay_err *e)
{
	enum ay_rc rc;

	*out = member(o, where, key, needed, JSON_ARRAY, &rc, e);
	return rc;
}

bool ay_json_is_utf8(struct ay_bytes b)
{
	json_t *j = json_stringn((const char *)b.p, b.n);
	bool ok = j != NULL;

	json_decref(j);
	return ok;
}

bool ay_json_is_name(const char *s)
{
	static const char also[] = "._+:@- ";
	size_t n = strlen(s);

	if (n == 0 || n > AY_MAX_NAME_BYTES || s[0] == ' ' || s[n - 1] == ' ')
		return false;
	for (; *s != '\0'; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		      (*s >= '0' && *s <= '9') || strchr(also, *s) != NULL))
			return false;
	return true;
}

struct ay_bytes ay_json_canonical(const json_t *j, struct ay_arena *a)
{
	char *s = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	struct ay_bytes out = { 0 };

	if (s != NULL)
		out = ay_arena_dup(a, ay_bytes_of(s));
	free(s);
	return out;
}

json_t *ay_json_octets(struct ay_bytes b)
{
	char text[4 * AY_MAX_SHOWN_OCTETS + 1];
	size_t n = 0;

	for (size_t i = 0; i < b.n && i < AY_MAX_SHOWN_OCTETS; i++) {
		bool plain = b.p[i] >= 0x20 && b.p[i] < 0x7f && b.p[i] != '\\';

		n += (size_t)snprintf(text + n, sizeof(text) - n, plain ? "%c" : "\\x%02x", b.p[i]);
	}
	text[n] = '\0';
	return json_string(text);
}
