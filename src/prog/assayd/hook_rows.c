/* SPDX-License-Identifier: Apache-2.0 */
/* The targets of webhooks, in memory and in the store. */
#include "prog/assayd/hooks_impl.h"

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
