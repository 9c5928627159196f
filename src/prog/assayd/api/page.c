/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of lists. A cursor names the last row of a page, so that rows may come and go. */
#include "core/base/base64.h"
#include "core/crypto/hash.h"
#include "prog/assayd/api/call.h"

#include <stdlib.h>

enum { TAG = 4, KEY_MAX = 512, CURSOR_MAX = TAG + 1 + KEY_MAX };

/* What a cursor is good for: this path with these filters. */
static void tag_of(const struct ay_api_call *c, uint8_t out[TAG])
{
	const struct ay_target *t = &c->target;
	uint8_t digest[32];
	struct ay_hash h;

	if (!ay_hash_init(&h, AY_ALG_SHA256))
		memset(&h, 0, sizeof(h));
	for (size_t i = 0; i < t->n_segments; i++)
		ay_hash_update(&h, (struct ay_bytes){ t->segment[i].p, t->segment[i].n + 1 });
	for (size_t i = 0; i < t->n_params; i++) {
		if (ay_bytes_eq(t->param[i].name, ay_bytes_of("cursor")) ||
		    ay_bytes_eq(t->param[i].name, ay_bytes_of("limit")))
			continue;
		ay_hash_update(&h, (struct ay_bytes){ t->param[i].name.p, t->param[i].name.n + 1 });
		ay_hash_update(&h, t->param[i].value);
	}
	ay_hash_final(&h, digest);
	memcpy(out, digest, TAG);
}

/* kind: 'n' a number, 'k' a key */
static json_t *cursor_json(const struct ay_api_call *c, char kind, struct ay_bytes key)
{
	char text[AY_BASE64_ROOM(CURSOR_MAX)];
	uint8_t wire[CURSOR_MAX];

	if (key.n == 0 || key.n > KEY_MAX)
		return json_null();
	tag_of(c, wire);
	wire[TAG] = (uint8_t)kind;
	memcpy(wire + TAG + 1, key.p, key.n);
	ay_base64_encode(AY_BASE64_URL, (struct ay_bytes){ wire, TAG + 1 + key.n }, text);
	return json_string(text);
}

static enum ay_rc bad_cursor(struct ay_err *e)
{
	return ay_fail_code(e, AY_E_INPUT, "CURSOR", "cursor",
			    "not a cursor that this list gave with these filters");
}

static enum ay_rc cursor_of(const struct ay_api_call *c, char kind, struct ay_bytes *key,
			    uint8_t wire[CURSOR_MAX], struct ay_err *e)
{
	struct ay_bytes text = ay_api_param(c, "cursor");
	uint8_t tag[TAG];
	size_t n = 0;

	*key = (struct ay_bytes){ NULL, 0 };
	if (text.p == NULL)
		return AY_OK;
	tag_of(c, tag);
	if (ay_base64_decode(AY_BASE64_URL, text, "cursor", wire, CURSOR_MAX, &n, e) != AY_OK ||
	    n <= TAG + 1 || wire[TAG] != (uint8_t)kind || memcmp(tag, wire, TAG) != 0)
		return bad_cursor(e);
	*key = (struct ay_bytes){ wire + TAG + 1, n - TAG - 1 };
	return AY_OK;
}

static enum ay_rc limit_of(const struct ay_api_call *c, size_t *limit, struct ay_err *e)
{
	uint64_t n = 100;
	enum ay_rc rc = ay_api_seconds(c, "limit", 1000, &n, e);

	*limit = (size_t)n;
	if (rc == AY_OK && n == 0)
		return ay_fail(e, AY_E_INPUT, "limit", 0, "limit is at least 1");
	return rc;
}

enum ay_rc ay_api_page(const struct ay_api_call *c, uint64_t *from, size_t *limit, struct ay_err *e)
{
	uint8_t wire[CURSOR_MAX];
	struct ay_bytes key;
	enum ay_rc rc = limit_of(c, limit, e);

	*from = 0;
	if (rc == AY_OK)
		rc = cursor_of(c, 'n', &key, wire, e);
	if (rc != AY_OK || key.n == 0)
		return rc;
	if (key.n != 8)
		return bad_cursor(e);
	for (size_t i = 0; i < 8; i++)
		*from = *from << 8 | key.p[i];
	return AY_OK;
}

enum ay_rc ay_api_page_after(struct ay_api_call *c, struct ay_bytes *after, size_t *limit,
			     struct ay_err *e)
{
	uint8_t wire[CURSOR_MAX];
	struct ay_bytes key = { NULL, 0 };
	enum ay_rc rc = limit_of(c, limit, e);

	if (rc == AY_OK)
		rc = cursor_of(c, 'k', &key, wire, e);
	*after = key;
	if (key.n == 0)
		return rc;
	*after = ay_arena_dup(&c->arena, key);
	return after->p == NULL ? ay_fail(e, AY_E_NOMEM, "cursor", 0, "out of memory") : rc;
}

json_t *ay_api_cursor(const struct ay_api_call *c, uint64_t next)
{
	uint8_t wire[8];

	for (size_t i = 0; i < sizeof(wire); i++)
		wire[i] = (uint8_t)(next >> (56 - 8 * i));
	return next == 0 ? json_null() : cursor_json(c, 'n', AY_BYTES(wire));
}

json_t *ay_api_list(const struct ay_api_call *c, json_t *items, uint64_t next)
{
	return json_pack("{s:o, s:o}", "items", items, "next", ay_api_cursor(c, next));
}

json_t *ay_api_list_after(const struct ay_api_call *c, json_t *items, struct ay_bytes after)
{
	return json_pack("{s:o, s:o}", "items", items, "next", cursor_json(c, 'k', after));
}

void ay_api_array(struct ay_api_call *c, json_t *all)
{
	json_t *items = json_array();
	uint64_t from;
	size_t limit, n = json_array_size(all);
	struct ay_err e;

	if (ay_api_refused(c, ay_api_page(c, &from, &limit, &e), &e)) {
		json_decref(items);
		json_decref(all);
		return;
	}
	for (uint64_t i = from; i < n && i - from < limit; i++)
		json_array_append(items, json_array_get(all, (size_t)i));
	json_decref(all);
	ay_api_json(c, 200, ay_api_list(c, items, n > from && n - from > limit ? from + limit : 0));
}

/* ---- arrays in an order of their own ---- */

struct row {
	json_t *item;
	struct ay_bytes key; /* its members in the order, as octets that compare as they do */
};

static void put(char key[KEY_MAX], size_t *n, const void *p, size_t more)
{
	if (more > KEY_MAX - *n)
		more = KEY_MAX - *n;
	memcpy(key + *n, p, more);
	*n += more;
}

/* Octets that compare as the member does. A text ends with an octet that none contains. */
static void put_member(char key[KEY_MAX], size_t *n, const json_t *v, bool descends)
{
	size_t at = *n;
	uint8_t number[8];

	if (json_is_integer(v)) {
		for (size_t i = 0; i < 8; i++)
			number[i] = (uint8_t)((uint64_t)json_integer_value(v) >> (56 - 8 * i));
		put(key, n, number, sizeof(number));
	} else if (json_is_string(v)) {
		put(key, n, json_string_value(v), json_string_length(v));
		put(key, n, "", 1);
	} else if (json_is_object(v) || json_is_array(v)) {
		char *text = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);

		put(key, n, text == NULL ? "" : text, text == NULL ? 1 : strlen(text) + 1);
		free(text);
	} else {
		put(key, n, "", 1);
	}
	for (; descends && at < *n; at++)
		key[at] = (char)~key[at];
}

static size_t key_of(const json_t *item, const char *order, char key[KEY_MAX])
{
	size_t n = 0;

	for (const char *at = order; *at != '\0';) {
		bool descends = *at == '-';
		size_t len = strcspn(at, ",");
		char name[32] = "";

		snprintf(name, sizeof(name), "%.*s", (int)(len - descends), at + descends);
		put_member(key, &n, json_object_get(item, name), descends);
		at += len + (at[len] == ',');
	}
	return n;
}

static int compare(struct ay_bytes a, struct ay_bytes b)
{
	int d = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return d != 0 ? d : (a.n > b.n) - (a.n < b.n);
}

static int by_key(const void *a, const void *b)
{
	return compare(((const struct row *)a)->key, ((const struct row *)b)->key);
}

static struct row *rows_of(struct ay_api_call *c, const json_t *all, const char *order)
{
	size_t n = json_array_size(all);
	struct row *rows = ay_arena_array(&c->arena, n, sizeof(*rows));
	char key[KEY_MAX];

	for (size_t i = 0; rows != NULL && i < n; i++) {
		size_t len;

		rows[i].item = json_array_get(all, i);
		len = key_of(rows[i].item, order, key);
		rows[i].key = ay_arena_dup(&c->arena, (struct ay_bytes){ (uint8_t *)key, len });
		if (rows[i].key.p == NULL)
			return NULL;
	}
	if (rows != NULL)
		qsort(rows, n, sizeof(*rows), by_key);
	return rows;
}

void ay_api_array_by(struct ay_api_call *c, json_t *all, const char *order)
{
	size_t limit, n = json_array_size(all), i = 0;
	struct ay_bytes after, last = { NULL, 0 };
	json_t *items, *answer;
	struct row *rows;
	struct ay_err e;

	if (ay_api_refused(c, ay_api_page_after(c, &after, &limit, &e), &e)) {
		json_decref(all);
		return;
	}
	rows = n == 0 ? NULL : rows_of(c, all, order);
	items = json_array();
	while (rows != NULL && after.n > 0 && i < n && compare(rows[i].key, after) <= 0)
		i++;
	for (; rows != NULL && i < n && json_array_size(items) < limit; i++) {
		json_array_append(items, rows[i].item);
		last = rows[i].key;
	}
	answer = ay_api_list_after(c, items, i < n ? last : (struct ay_bytes){ NULL, 0 });
	json_decref(all);
	if (n > 0 && rows == NULL) {
		json_decref(answer);
		answer = NULL;
	}
	ay_api_json(c, 200, answer);
}
