/* SPDX-License-Identifier: Apache-2.0 */
/* GET /hosts: pages in the order of names, and how many there are of each kind. */
#include "prog/assayd/api/hostfilter.h"

#include <stdlib.h>

/* ---- counts by kind ---- */

static void count(json_t *facet, const char *value)
{
	json_t *n = json_object_get(facet, value);

	json_object_set_new(facet, value, json_integer(json_integer_value(n) + 1));
}

static void count_gist(json_t *facet, char *const *word, size_t n)
{
	for (size_t i = 0; i < n; i++)
		count(facet, word[i]);
}

static void count_label(json_t *facet, const struct ay_host *h, const char *key)
{
	for (size_t i = 0; i < h->n_labels; i++)
		if (strcmp(h->labels[i].key, key) == 0)
			count(facet, h->labels[i].value);
}

static void count_host(struct ay_api_call *c, json_t *facets, const struct ay_host *h)
{
	const struct ay_host_gist *g;
	struct ay_host_policy p;
	const char *name;
	json_t *facet;

	json_object_foreach (facets, name, facet) {
		if (strcmp(name, "verdict") == 0) {
			count(facet, ay_verdict_name(ay_lease_verdict(&h->lease, c->api->now_ms)));
		} else if (strcmp(name, "state") == 0) {
			count(facet, ay_host_state_name(h->state));
		} else if (strcmp(name, "grade") == 0) {
			count(facet, h->identity.grade[0] == '\0' ? "-" : h->identity.grade);
		} else if (strcmp(name, "firmware") == 0) {
			count(facet, h->identity.firmware[0] == '\0' ? "-" : h->identity.firmware);
		} else if (strcmp(name, "policy") == 0) {
			ay_engine_host_policy(c->api->engine, h, &p);
			count(facet, p.name == NULL ? "-" : p.name);
		} else if (strncmp(name, "label.", 6) == 0) {
			count_label(facet, h, name + 6);
		} else {
			g = ay_engine_host_gist(c->api->engine, h);
			if (strcmp(name, "cause") == 0)
				count_gist(facet, g->cause, g->n_causes);
			else
				count_gist(facet, g->reference, g->n_references);
		}
	}
}

static bool is_facet(const char *name)
{
	static const char *const names[] = { "verdict", "state",     "grade", "firmware",
					     "policy",	"reference", "cause" };

	for (size_t i = 0; i < AY_COUNT(names); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return strncmp(name, "label.", 6) == 0 && name[6] != '\0';
}

/* {name: {}} of facets=A,B; NULL when none were asked for. */
static enum ay_rc facets_of(struct ay_api_call *c, json_t **out, struct ay_err *e)
{
	struct ay_bytes list = ay_api_param(c, "facets");

	*out = NULL;
	if (list.n == 0)
		return AY_OK;
	*out = json_object();
	for (const char *at = (const char *)list.p; *at != '\0'; at += *at == ',') {
		size_t n = strcspn(at, ",");
		char name[AY_MAX_NAME_BYTES];

		snprintf(name, sizeof(name), "%.*s", (int)n, at);
		if (!is_facet(name) || json_object_size(*out) == 8) {
			json_decref(*out);
			*out = NULL;
			return ay_fail(e, AY_E_INPUT, "facets", 0,
				       "at most 8 of verdict state grade firmware policy "
				       "reference cause label.KEY");
		}
		json_object_set_new(*out, name, json_object());
		at += n;
	}
	return AY_OK;
}

/* Takes facets. All hosts that fit are looked at, whatever the page. */
static void put_facets(struct ay_api_call *c, const struct ay_host_filter *f, json_t *facets,
		       json_t *answer)
{
	const struct ay_host *h;
	json_int_t total = 0;
	size_t at = ay_host_filter_from(c, f, (struct ay_bytes){ NULL, 0 });

	if (facets == NULL)
		return;
	for (; (h = ay_host_filter_next(c, f, &at)) != NULL; total++)
		count_host(c, facets, h);
	json_object_set_new(answer, "facets", facets);
	json_object_set_new(answer, "total", json_integer(total));
}

/* ---- the page ---- */

/* The hosts, as text; *more: the name after which there are others, or none. */
static void write_page(struct ay_api_call *c, const struct ay_host_filter *f, struct ay_bytes after,
		       size_t limit, struct ay_json_out *o, struct ay_bytes *more)
{
	const struct ay_host *h, *last = NULL;
	size_t at = ay_host_filter_from(c, f, after), n = 0;

	*more = (struct ay_bytes){ NULL, 0 };
	ay_jo_open(o, '[');
	for (; (h = ay_host_filter_next(c, f, &at)) != NULL && n < limit; n++) {
		ay_host_write(o, c->api->engine, h);
		last = h;
	}
	ay_jo_close(o, ']');
	if (h != NULL)
		*more = ay_bytes_of(last->name);
}

/* {"items":[..]} with the members of rest after it. Takes rest. */
static void answer(struct ay_api_call *c, struct ay_bytes items, json_t *rest)
{
	char *text = rest == NULL ? NULL : json_dumps(rest, JSON_COMPACT);
	struct ay_json_out o = { 0 };

	json_decref(rest);
	ay_jo_open(&o, '{');
	ay_jo_key(&o, "items");
	ay_jo_raw(&o, items);
	if (text != NULL) /* without its first bracket */
		ay_jo_raw(&o, ay_bytes_of(text + 1));
	if (text == NULL || items.n == 0 || ay_jo_end(&o).n == 0)
		ay_api_json(c, 200, NULL);
	else
		ay_api_bytes(c, 200, "application/json", ay_jo_end(&o));
	ay_jo_fini(&o);
	free(text);
}

void ay_api_hosts_list(struct ay_api_call *c)
{
	struct ay_host_filter f;
	struct ay_bytes after, more;
	struct ay_json_out items = { 0 };
	json_t *facets, *rest;
	size_t limit;
	struct ay_err e;

	if (ay_api_refused(c, ay_api_page_after(c, &after, &limit, &e), &e) ||
	    ay_api_refused(c, ay_host_filter_read(c, NULL, &f, &e), &e) ||
	    ay_api_refused(c, facets_of(c, &facets, &e), &e))
		return;
	write_page(c, &f, after, limit, &items, &more);
	rest = ay_api_list_after(c, json_array(), more);
	json_object_del(rest, "items");
	put_facets(c, &f, facets, rest);
	answer(c, ay_jo_end(&items), rest);
	ay_jo_fini(&items);
}
