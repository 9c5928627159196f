/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/rewrap.h"

#include "prog/assayd/engine_impl.h"
#include "prog/assayd/keepers.h"

#include <stdlib.h>

enum { AT_ONCE = 20 };

static bool client_at(struct ay_engine *g, size_t i, struct ay_kept_row *out)
{
	return g->api_arg != NULL && ay_client_kept_at(g->api_arg, i, out);
}

static enum ay_rc client_put(struct ay_engine *g, const struct ay_kept_row *row,
			     struct ay_bytes fresh, struct ay_err *e)
{
	return ay_client_kept_put(g->api_arg, row, fresh, e);
}

static bool seed_at(struct ay_engine *g, size_t i, struct ay_kept_row *out)
{
	return g->api_arg != NULL && ay_seed_kept_at(g->api_arg, i, out);
}

static enum ay_rc seed_put(struct ay_engine *g, const struct ay_kept_row *row,
			   struct ay_bytes fresh, struct ay_err *e)
{
	return ay_seed_kept_put(g->api_arg, row, fresh, e);
}

static const struct source {
	const char *purpose;
	bool (*at)(struct ay_engine *g, size_t i, struct ay_kept_row *out);
	enum ay_rc (*put)(struct ay_engine *g, const struct ay_kept_row *row, struct ay_bytes fresh,
			  struct ay_err *e);
} sources[] = {
	{ "webhook", ay_hook_kept_at, ay_hook_kept_put },
	{ "connector", ay_manager_kept_at, ay_manager_kept_put },
	{ "mtwilson", client_at, client_put },
	{ "totp", seed_at, seed_put },
};

/* A question to keeper about one. */
struct asked {
	struct ay_engine *g;
	const struct source *source;
	struct ay_kept_row row;
	uint8_t was[]; /* row.wrapped */
};

static void not_done(struct ay_engine *g, const char *purpose, const struct ay_err *e)
{
	g->rewrap.failed = true;
	AY_LOG(AY_LOG_WARN, "a stored secret is not wrapped anew; the old keys stay",
	       AY_LS("purpose", purpose), AY_LS("code", e->code), AY_LS("text", e->text));
}

static void on_rewrapped(void *arg, enum ay_rc rc, const struct ay_err *why, struct ay_bytes fresh)
{
	struct asked *q = arg;
	struct ay_err e = { 0 };

	q->g->rewrap.pending--;
	if (rc == AY_OK) {
		why = &e;
		rc = q->source->put(q->g, &q->row, fresh, &e);
	}
	if (rc != AY_OK)
		not_done(q->g, q->source->purpose, why);
	free(q);
}

static void rewrap(struct ay_engine *g, const struct source *s, const struct ay_kept_row *row)
{
	struct asked *q = calloc(1, sizeof(*q) + row->wrapped.n);

	g->rewrap.found++;
	if (q == NULL) {
		g->rewrap.failed = true;
		return;
	}
	q->g = g;
	q->source = s;
	q->row = *row;
	memcpy(q->was, row->wrapped.p, row->wrapped.n);
	q->row.wrapped = (struct ay_bytes){ q->was, row->wrapped.n };
	g->rewrap.pending++;
	ay_keeper_rewrap(g, s->purpose, (struct ay_bytes){ q->row.object, q->row.object_n },
			 q->row.wrapped, on_rewrapped, q);
}

/* Under a key that keeper has and that is not its newest. What no key opens is lost anyway. */
static bool is_old(const struct ay_engine *g, struct ay_bytes wrapped)
{
	uint8_t id[AY_WRAP_KEY_ID];

	if (wrapped.n == 0 || ay_wrap_key_of(wrapped, id, NULL) != AY_OK)
		return false;
	for (size_t i = 1; i < g->rewrap.n_keys; i++)
		if (memcmp(g->rewrap.key[i], id, sizeof(id)) == 0)
			return true;
	return false;
}

/* False: so many are asked for now; it goes on at the next tick. */
static bool walk(struct ay_engine *g)
{
	struct ay_kept_row row;
	size_t n = 0;

	for (; g->rewrap.source < AY_COUNT(sources); g->rewrap.source++, g->rewrap.at = 0) {
		const struct source *s = &sources[g->rewrap.source];

		for (row = (struct ay_kept_row){ 0 }; s->at(g, g->rewrap.at, &row);
		     g->rewrap.at++, row = (struct ay_kept_row){ 0 }) {
			if (!is_old(g, row.wrapped))
				continue;
			if (n++ == AT_ONCE)
				return false;
			rewrap(g, s, &row);
		}
	}
	return true;
}

static void on_retired(void *arg, enum ay_rc rc, const struct ay_err *e, struct ay_bytes none)
{
	(void)arg, (void)none;
	if (rc == AY_OK)
		ay_log(AY_LOG_INFO, "stored secrets are wrapped anew; the old keys are destroyed");
	else
		ay_log_err(AY_LOG_WARN, "the old keys of stored secrets are not destroyed", e);
}

static void on_keys(void *arg, enum ay_rc rc, const struct ay_err *e, struct ay_bytes ids)
{
	struct ay_engine *g = arg;
	size_t n = ids.n / AY_WRAP_KEY_ID;

	if (rc != AY_OK || n > AY_COUNT(g->rewrap.key)) {
		ay_log_err(AY_LOG_WARN, "keys of stored secrets", e);
		return;
	}
	g->rewrap.n_keys = n;
	memcpy(g->rewrap.key, ids.p, n * AY_WRAP_KEY_ID);
	g->rewrap.is_on = n > 1;
}

/*
 * A pass that found something is followed by another: rows may have moved
 * meanwhile. One that finds nothing is made in one turn, so nothing is missed.
 */
void ay_rewrap_tick(struct ay_engine *g)
{
	if (!g->rewrap.is_asked && g->keeper != NULL) {
		g->rewrap.is_asked = true;
		ay_keeper_keys(g, on_keys, g);
		return;
	}
	if (!g->rewrap.is_on || g->rewrap.pending > 0 || !walk(g) || g->rewrap.pending > 0)
		return;
	if (g->rewrap.failed || g->rewrap.found == 0) {
		g->rewrap.is_on = false;
		if (!g->rewrap.failed)
			ay_keeper_retire(g, on_retired, NULL);
	}
	g->rewrap.source = g->rewrap.at = g->rewrap.found = 0;
}
