/* SPDX-License-Identifier: Apache-2.0 */
/* The targets of webhooks, in memory and in the store. */
#include "prog/assayd/hooks_impl.h"

#include "core/base/hex.h"
#include "prog/assayd/rewrap.h"

#include <stdlib.h>

const char *ay_hook_text(const struct ay_hook *h, const char *member)
{
	const char *s = json_string_value(json_object_get(h->doc, member));

	return s ? s : "";
}

int64_t ay_hook_number(const struct ay_hook *h, const char *member)
{
	return json_integer_value(json_object_get(h->doc, member));
}

void ay_hook_set_number(struct ay_hook *h, const char *member, int64_t v)
{
	json_object_set_new(h->doc, member, json_integer(v));
}

void ay_hook_set_time(struct ay_hook *h, const char *member, int64_t at)
{
	char text[AY_TIME_ROOM];

	ay_time_format(at, text);
	json_object_set_new(h->doc, member, json_string(text));
}

void ay_hook_secret_name(const struct ay_hook *h, int64_t n, char out[AY_UUID_TEXT + 24])
{
	snprintf(out, AY_UUID_TEXT + 24, "%s/%lld", h->id, (long long)n);
}

static char *row_of(struct ay_hook *h, struct ay_family_row *row)
{
	char *body = h->is_removed ? strdup("") : json_dumps(h->doc, JSON_COMPACT);

	*row = (struct ay_family_row){ .kind = "webhook", .key = h->id, .body = body };
	return body;
}

enum ay_rc ay_hook_keep(struct ay_engine *g, struct ay_hook *h, struct ay_err *e)
{
	struct ay_family_row row;
	struct ay_write w = { .kind = AY_WR_FAMILY_PUT, .family = &row };
	struct ay_store_result res;
	char *body = row_of(h, &row);
	enum ay_rc rc = body ? ay_store_write(g->store, &w, 1, &res, e)
			     : ay_fail(e, AY_E_NOMEM, "webhook", 0, "no memory");

	free(body);
	return rc;
}

void ay_hook_keep_lazily(struct ay_engine *g, struct ay_hook *h)
{
	struct ay_family_row row;
	struct ay_write w = { .kind = AY_WR_FAMILY_PUT, .family = &row };
	struct ay_err e = { 0 };
	char *body = row_of(h, &row);

	if (body && ay_store_submit(g->store, &w, 1, AY_SUBMIT_LAZY, 0, &e) != AY_OK)
		ay_log_err(AY_LOG_WARN, "cursor of a webhook is not stored", &e);
	free(body);
}

void ay_hook_free(struct ay_engine *g, struct ay_hook *h)
{
	struct ay_hook **at = &g->hooks->first;

	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	g->hooks->n--;
	json_decref(h->doc);
	free(h);
}

struct ay_hook *ay_hook_new(struct ay_engine *g, const char *id, json_t *doc)
{
	struct ay_hook *h = calloc(1, sizeof(*h)), **at = &g->hooks->first;

	if (!h || !doc) {
		free(h);
		json_decref(doc);
		return NULL;
	}
	snprintf(h->id, sizeof(h->id), "%s", id);
	h->doc = doc;
	h->seen = (uint64_t)ay_hook_number(h, "cursor");
	while (*at)
		at = &(*at)->next;
	*at = h;
	g->hooks->n++;
	return h;
}

/* ---- under a new key of keeper (rewrap.h): each has the secret in use and the one before ---- */

static const char *const kept_members[] = { "secret", "old" };

static void kept_of(const struct ay_hook *h, size_t which, struct ay_kept_row *out)
{
	const char *hex = ay_hook_text(h, kept_members[which]);
	size_t n = strlen(hex) / 2;
	char name[AY_UUID_TEXT + 24];

	*out = (struct ay_kept_row){ 0 };
	ay_hook_secret_name(h, ay_hook_number(h, "n") - (int64_t)which, name);
	out->object_n = strlen(name);
	memcpy(out->object, name, out->object_n);
	if (!h->is_removed && n > 0 && n <= sizeof(out->octets) &&
	    ay_hex_decode(ay_bytes_of(hex), "secret", out->octets, n, NULL) == AY_OK)
		out->wrapped = (struct ay_bytes){ out->octets, n };
}

bool ay_hook_kept_at(struct ay_engine *g, size_t i, struct ay_kept_row *out)
{
	const struct ay_hook *h = g->hooks->first;

	for (size_t k = i / 2; h != NULL && k > 0; k--)
		h = h->next;
	if (h != NULL)
		kept_of(h, i % 2, out);
	return h != NULL;
}

static enum ay_rc put_kept(struct ay_engine *g, struct ay_hook *h, size_t which,
			   struct ay_bytes fresh, struct ay_err *e)
{
	const char *member = kept_members[which];
	char hex[2 * AY_HOOK_WRAPPED_MAX + 1];
	json_t *was = json_incref(json_object_get(h->doc, member));
	enum ay_rc rc = AY_E_LIMIT;

	if (fresh.n <= AY_HOOK_WRAPPED_MAX) {
		ay_hex_encode(fresh, hex);
		json_object_set_new(h->doc, member, json_string(hex));
		rc = ay_hook_keep(g, h, e);
	}
	if (rc != AY_OK)
		json_object_set(h->doc, member, was);
	json_decref(was);
	return rc;
}

enum ay_rc ay_hook_kept_put(struct ay_engine *g, const struct ay_kept_row *row,
			    struct ay_bytes fresh, struct ay_err *e)
{
	struct ay_kept_row now;

	for (struct ay_hook *h = g->hooks->first; h != NULL; h = h->next)
		for (size_t which = 0; which < AY_COUNT(kept_members); which++) {
			kept_of(h, which, &now);
			if (now.object_n == row->object_n &&
			    memcmp(now.object, row->object, row->object_n) == 0 &&
			    ay_bytes_eq(now.wrapped, row->wrapped))
				return put_kept(g, h, which, fresh, e);
		}
	return AY_OK; /* another one meanwhile */
}
