/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts in the order of their names, and the gist of their latest reports: what lists are made by.
 */
#include "prog/assayd/engine_impl.h"

#include "core/base/json.h"

#include <stdlib.h>
#include <string.h>

/* ---- order ---- */

static int by_name(const void *a, const void *b)
{
	const struct ay_host *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* Hosts come, go and are renamed rarely; they are sorted when somebody looks. */
static bool sort(struct ay_engine *g)
{
	struct ay_host_order *o = &g->order;

	if (!o->stale)
		return true;
	if (o->max < g->n_hosts) {
		struct ay_host **more = realloc(o->host, g->max_hosts * sizeof(struct ay_host *));

		if (!more)
			return false;
		o->host = more;
		o->max = g->max_hosts;
	}
	o->n = 0;
	for (size_t i = 0; i < g->n_hosts; i++)
		if (g->host[i]->state != AY_HOST_RETIRED)
			o->host[o->n++] = g->host[i];
	qsort(o->host, o->n, sizeof(struct ay_host *), by_name);
	o->stale = false;
	return true;
}

size_t ay_engine_host_place(struct ay_engine *g, struct ay_bytes name, bool after)
{
	size_t lo = 0, hi;

	if (!sort(g))
		return g->order.n;
	hi = g->order.n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		const char *at = g->order.host[mid]->name;
		size_t n = strlen(at);
		int d = memcmp(at, name.p, n < name.n ? n : name.n);

		d = d ? d : (n > name.n) - (n < name.n);
		if (after ? d <= 0 : d < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

const struct ay_host *ay_engine_host_ordered(struct ay_engine *g, size_t *at)
{
	if (!sort(g) || *at >= g->order.n)
		return NULL;
	return g->order.host[(*at)++];
}

/* ---- gists: one for each report, which many hosts share ---- */

struct gist {
	uint8_t id[32]; /* of the report */
	struct ay_host_gist words;
};

static void words_free(char **word, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(word[i]);
	free(word);
}

static void gist_free(struct gist *x)
{
	words_free(x->words.cause, x->words.n_causes);
	words_free(x->words.reference, x->words.n_references);
	free(x);
}

static bool drop_gist(void *arg, void *value)
{
	(void)arg;
	gist_free(value);
	return true;
}

void ay_hostlist_fini(struct ay_engine *g)
{
	if (g->order.gists)
		ay_index_sweep(g->order.gists, drop_gist, NULL);
	ay_index_free(g->order.gists);
	free(g->order.host);
}

static void take_causes(struct ay_host_gist *x, const json_t *causes)
{
	const json_t *o;
	size_t i;

	x->cause = calloc(json_array_size(causes) + 1, sizeof(*x->cause));
	json_array_foreach (causes, i, o) {
		const char *class = json_string_value(json_object_get(o, "class"));

		if (x->cause && class)
			x->cause[x->n_causes++] = strdup(class);
	}
}

static void take_references(struct ay_host_gist *x, const json_t *references)
{
	const json_t *o;
	size_t i;

	x->reference = calloc(json_array_size(references) + 1, sizeof(*x->reference));
	json_array_foreach (references, i, o) {
		const char *name = json_string_value(json_object_get(o, "name"));
		json_int_t version = json_integer_value(json_object_get(o, "version"));

		if (x->reference && name &&
		    asprintf(&x->reference[x->n_references], "%s@%lld", name, (long long)version) >
			    0)
			x->n_references++;
	}
}

static struct gist *gist_read(struct ay_engine *g, struct ay_bytes id)
{
	struct gist *x = calloc(1, sizeof(*x));
	struct ay_bytes body;
	struct ay_arena a;
	json_t *report = NULL;

	if (!x)
		return NULL;
	memcpy(x->id, id.p, sizeof(x->id));
	ay_arena_init(&a, AY_MAX_ARENA_BYTES);
	if (ay_store_blob(g->store, id, &a, &body, NULL) == AY_OK &&
	    ay_json_load(body, body.n, "report", &report, NULL) == AY_OK) {
		take_causes(&x->words, json_object_get(report, "causes"));
		take_references(&x->words, json_object_get(report, "references"));
	}
	json_decref(report);
	ay_arena_fini(&a);
	if (ay_index_add(g->order.gists, AY_BYTES(x->id), x))
		return x;
	gist_free(x);
	return NULL;
}

struct finding_gist {
	struct ay_engine *g;
	struct gist *found;
};

static void see_row(void *arg, const struct ay_attest_past *row)
{
	struct finding_gist *f = arg;

	if (row->report.n != sizeof(f->found->id))
		return;
	f->found = ay_index_find(f->g->order.gists, row->report);
	if (!f->found)
		f->found = gist_read(f->g, row->report);
}

const struct ay_host_gist *ay_engine_host_gist(struct ay_engine *g, const struct ay_host *h)
{
	static const struct ay_host_gist none = { 0 };
	struct finding_gist f = { .g = g };
	struct ay_host_run *r = h->run;

	if (r->gist_seq == r->seq && r->gist)
		return r->gist;
	if (!g->order.gists)
		g->order.gists = ay_index_new((uint64_t)g->now_ms);
	if (!g->order.gists || r->seq == 0 ||
	    ay_store_attestations(g->store, r->seq, 1, see_row, &f, NULL) != AY_OK || !f.found)
		return &none;
	r->gist = &f.found->words;
	r->gist_seq = r->seq;
	return r->gist;
}
