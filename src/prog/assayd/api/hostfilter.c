/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/hostfilter.h"

#include "prog/assayd/api/auth.h"

/* ---- reading ---- */

static enum ay_rc seconds_of(struct ay_bytes text, const char *name, bool *has, uint64_t *out,
			     struct ay_err *e)
{
	*has = text.p != NULL;
	*out = 0;
	if (text.p != NULL && (text.n == 0 || text.n > 10))
		return ay_fail(e, AY_E_INPUT, name, 0, "is a number of seconds");
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return ay_fail(e, AY_E_INPUT, name, i, "is a number of seconds");
		*out = *out * 10 + (uint64_t)(text.p[i] - '0');
	}
	return AY_OK;
}

static struct ay_bytes given(const struct ay_api_call *c, json_t *filter, const char *name)
{
	const char *text;

	if (filter == NULL)
		return ay_api_param(c, name);
	text = json_string_value(json_object_get(filter, name));
	return text == NULL ? (struct ay_bytes){ NULL, 0 } : ay_bytes_of(text);
}

static enum ay_rc known_members(json_t *filter, struct ay_err *e)
{
	static const char *const names[] = { AY_HOST_FILTERS };
	const char *key;
	json_t *v;

	json_object_foreach (filter, key, v) {
		size_t i = 0;

		while (i < AY_COUNT(names) && strcmp(names[i], key) != 0)
			i++;
		if (i == AY_COUNT(names) || !json_is_string(v))
			return ay_fail(e, AY_E_INPUT, "filter", 0, "%.40s is no filter, or no text",
				       key);
	}
	return AY_OK;
}

enum ay_rc ay_host_filter_read(const struct ay_api_call *c, json_t *filter,
			       struct ay_host_filter *out, struct ay_err *e)
{
	struct ay_host_filter f = { .verdict = given(c, filter, "verdict"),
				    .state = given(c, filter, "state"),
				    .name = given(c, filter, "name"),
				    .prefix = given(c, filter, "prefix"),
				    .label = given(c, filter, "label"),
				    .policy = given(c, filter, "policy"),
				    .reference = given(c, filter, "reference"),
				    .cause = given(c, filter, "cause"),
				    .grade = given(c, filter, "grade"),
				    .firmware = given(c, filter, "firmware"),
				    .connected = given(c, filter, "connected") };
	enum ay_rc rc = known_members(filter, e);

	if (rc == AY_OK)
		rc = seconds_of(given(c, filter, "lease_s"), "lease_s", &f.has_lease, &f.lease_s,
				e);
	if (rc == AY_OK)
		rc = seconds_of(given(c, filter, "age_s"), "age_s", &f.has_age, &f.age_s, e);
	if (rc == AY_OK && f.connected.p != NULL &&
	    !ay_bytes_eq(f.connected, ay_bytes_of("true")) &&
	    !ay_bytes_eq(f.connected, ay_bytes_of("false")))
		rc = ay_fail(e, AY_E_INPUT, "connected", 0, "is true or false");
	*out = f;
	return rc;
}

/* ---- one host ---- */

/* Is the word one of a list with commas between? No list: yes. */
static bool listed(struct ay_bytes list, const char *word)
{
	size_t len = strlen(word);

	if (list.p == NULL)
		return true;
	for (size_t at = 0; at <= list.n;) {
		size_t n = 0;

		while (at + n < list.n && list.p[at + n] != ',')
			n++;
		if (n == len && memcmp(list.p + at, word, n) == 0)
			return true;
		at += n + 1;
	}
	return false;
}

static bool has_label(const struct ay_host *h, struct ay_bytes want)
{
	for (size_t i = 0; i < h->n_labels; i++) {
		size_t n = strlen(h->labels[i].key);

		if (n > want.n || memcmp(h->labels[i].key, want.p, n) != 0)
			continue;
		if (n == want.n)
			return true; /* a key alone: whatever its value */
		if (want.p[n] == '=' &&
		    ay_bytes_eq((struct ay_bytes){ want.p + n + 1, want.n - n - 1 },
				ay_bytes_of(h->labels[i].value)))
			return true;
	}
	return false;
}

/* KEY=VALUE or KEY, all of those with commas between. */
static bool has_labels(const struct ay_host *h, struct ay_bytes list)
{
	for (size_t at = 0; at < list.n;) {
		size_t n = 0;

		while (at + n < list.n && list.p[at + n] != ',')
			n++;
		if (!has_label(h, (struct ay_bytes){ list.p + at, n }))
			return false;
		at += n + 1;
	}
	return true;
}

static bool has_policy(struct ay_api_call *c, const struct ay_host *h, struct ay_bytes want)
{
	struct ay_host_policy p;

	ay_engine_host_policy(c->api->engine, h, &p);
	return listed(want, p.name == NULL ? "-" : p.name);
}

/* NAME, or NAME@VERSION, of a set of the latest report. */
static bool has_reference(const struct ay_host_gist *g, struct ay_bytes want)
{
	for (size_t i = 0; i < g->n_references; i++) {
		struct ay_bytes all = ay_bytes_of(g->reference[i]);
		const char *version = strrchr(g->reference[i], '@');
		struct ay_bytes name = { all.p, (size_t)(version - g->reference[i]) };

		if (ay_bytes_eq(want, all) || ay_bytes_eq(want, name))
			return true;
	}
	return false;
}

static bool has_cause(const struct ay_host_gist *g, struct ay_bytes list)
{
	for (size_t i = 0; i < g->n_causes; i++)
		if (listed(list, g->cause[i]))
			return true;
	return false;
}

static bool fits_times(const struct ay_host_filter *f, const struct ay_host *h, int64_t now)
{
	enum ay_verdict verdict = ay_lease_verdict(&h->lease, now);

	if (f->has_lease &&
	    (verdict != AY_TRUSTED || h->lease.until_ms - now > (int64_t)f->lease_s * 1000))
		return false;
	return !f->has_age || now - h->attested_ms >= (int64_t)f->age_s * 1000;
}

bool ay_host_filter_has(struct ay_api_call *c, const struct ay_host_filter *f,
			const struct ay_host *h)
{
	int64_t now = c->api->now_ms;
	const struct ay_host_gist *g;

	if (!listed(f->verdict, ay_verdict_name(ay_lease_verdict(&h->lease, now))) ||
	    !listed(f->state, ay_host_state_name(h->state)) ||
	    !listed(f->grade, h->identity.grade) || !listed(f->firmware, h->identity.firmware) ||
	    !listed(f->connected, h->connected ? "true" : "false"))
		return false;
	if (f->name.p != NULL && strstr(h->name, (const char *)f->name.p) == NULL)
		return false;
	if (!has_labels(h, f->label) || !fits_times(f, h, now))
		return false;
	if (f->policy.p != NULL && !has_policy(c, h, f->policy))
		return false;
	if (f->cause.p == NULL && f->reference.p == NULL)
		return true;
	g = ay_engine_host_gist(c->api->engine, h); /* may read the store: last */
	return (f->cause.p == NULL || has_cause(g, f->cause)) &&
	       (f->reference.p == NULL || has_reference(g, f->reference));
}

/* ---- in order ---- */

static bool has_prefix(const struct ay_host *h, struct ay_bytes prefix)
{
	return strlen(h->name) >= prefix.n && memcmp(h->name, prefix.p, prefix.n) == 0;
}

const struct ay_host *ay_host_filter_next(struct ay_api_call *c, const struct ay_host_filter *f,
					  size_t *at)
{
	const struct ay_host *h;

	while ((h = ay_engine_host_ordered(c->api->engine, at)) != NULL) {
		if (f->prefix.n > 0 && !has_prefix(h, f->prefix))
			return NULL;
		if (ay_may_host(&c->who, c->route->perm, h) && ay_host_filter_has(c, f, h))
			return h;
	}
	return NULL;
}

size_t ay_host_filter_from(struct ay_api_call *c, const struct ay_host_filter *f,
			   struct ay_bytes after)
{
	if (after.n > 0)
		return ay_engine_host_place(c->api->engine, after, true);
	return f->prefix.n > 0 ? ay_engine_host_place(c->api->engine, f->prefix, false) : 0;
}
