/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/set_diff.h"

#include "core/base/hex.h"

#include <stdlib.h>
#include <string.h>

/* Beyond this many pairs two lists of events are compared by their places alone. */
enum { PAIRS_MAX = 4000000 };

struct diff {
	json_t *changes;
	size_t n[3]; /* by enum change */
	bool failed; /* no memory */
};

enum change { ADDED, REMOVED, CHANGED };
static const char *const change_names[] = { "added", "removed", "changed" };

/* Where in a set one is. */
struct at {
	const char *part;
	const char *kind;
	json_t *pcr; /* borrowed; NULL: none */
};

/* ---- rows ---- */

static json_t *text_of(const json_t *v)
{
	char *text;
	json_t *j;

	if (v == NULL || json_is_string(v))
		return v == NULL ? json_null() : json_deep_copy(v);
	text = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	j = text == NULL ? NULL : json_string(text);
	free(text);
	return j;
}

/* what: kind of thing, where and summary: texts or NULL; before, after: values or NULL. */
static void row(struct diff *d, const struct at *at, const char *what, const char *where,
		const char *summary, const json_t *before, const json_t *after)
{
	enum change c = before == NULL ? ADDED : after == NULL ? REMOVED : CHANGED;

	if (d->n[ADDED] + d->n[REMOVED] + d->n[CHANGED] < AY_MAX_SET_CHANGES &&
	    json_array_append_new(d->changes,
				  json_pack("{ss ss ss sO? ss ss? ss? so so}", "change",
					    change_names[c], "part", at->part, "kind", at->kind,
					    "pcr", at->pcr, "what", what, "where", where, "summary",
					    summary, "before", text_of(before), "after",
					    text_of(after))) != 0)
		d->failed = true;
	d->n[c]++;
}

/* ---- events: what of one list stands in the other, in order ---- */

static json_t *digests_of(const json_t *event)
{
	return json_object_get(event, "digests");
}

/* By the banks that both have; one of several by all it says. */
static bool same_event(const json_t *a, const json_t *b)
{
	const char *bank;
	json_t *digest, *other;
	size_t shared = 0;

	if (digests_of(a) == NULL || digests_of(b) == NULL)
		return json_equal(a, b) == 1;
	json_object_foreach (digests_of(a), bank, digest) {
		other = json_object_get(digests_of(b), bank);
		if (other != NULL && !json_equal(digest, other))
			return false;
		shared += other != NULL;
	}
	return shared > 0;
}

/* What an event is shown by: its SHA-256 if there is one, its strongest digest by name else. */
static const json_t *shown(const json_t *event)
{
	json_t *digests = digests_of(event), *digest, *best;
	const char *bank;

	if (digests == NULL)
		return event;
	best = json_object_get(digests, "sha256");
	if (best == NULL)
		json_object_foreach (digests, bank, digest)
			best = digest;
	return best;
}

static void event_row(struct diff *d, const struct at *at, size_t index, const json_t *before,
		      const json_t *after)
{
	const json_t *named = after != NULL ? after : before;
	char where[32];

	snprintf(where, sizeof(where), "%zu", index);
	row(d, at, "event", where, json_string_value(json_object_get(named, "summary")),
	    before == NULL ? NULL : shown(before), after == NULL ? NULL : shown(after));
}

/* A stretch in which nothing is common: pairs are changed events, the rest came or went. */
static void gap(struct diff *d, const struct at *at, const json_t *a, size_t a0, size_t a1,
		const json_t *b, size_t b0, size_t b1)
{
	while (a0 < a1 || b0 < b1) {
		const json_t *before = a0 < a1 ? json_array_get(a, a0) : NULL;
		const json_t *after = b0 < b1 ? json_array_get(b, b0) : NULL;

		event_row(d, at, after != NULL ? b0 : a0, before, after);
		a0 += before != NULL;
		b0 += after != NULL;
	}
}

/* Lengths of the longest common subsequences of the tails; (n + 1) * (m + 1), NULL without memory.
 */
static uint32_t *common_tails(const json_t *a, size_t a0, size_t n, const json_t *b, size_t b0,
			      size_t m)
{
	uint32_t *len = calloc((n + 1) * (m + 1), sizeof(*len));

	if (len == NULL)
		return NULL;
	for (size_t i = n; i-- > 0;)
		for (size_t k = m; k-- > 0;) {
			uint32_t *at = &len[i * (m + 1) + k];

			if (same_event(json_array_get(a, a0 + i), json_array_get(b, b0 + k)))
				*at = at[m + 2] + 1;
			else
				*at = at[m + 1] > at[1] ? at[m + 1] : at[1];
		}
	return len;
}

static void middle(struct diff *d, const struct at *at, const json_t *a, size_t a0, size_t a1,
		   const json_t *b, size_t b0, size_t b1)
{
	size_t n = a1 - a0, m = b1 - b0, i = 0, k = 0, from_i = 0, from_k = 0;
	uint32_t *len = NULL;

	if (n != 0 && m != 0 && n <= PAIRS_MAX / m) {
		len = common_tails(a, a0, n, b, b0, m);
		d->failed |= len == NULL;
	}
	while (len != NULL && i < n && k < m) {
		const uint32_t *here = &len[i * (m + 1) + k];

		if (same_event(json_array_get(a, a0 + i), json_array_get(b, b0 + k))) {
			gap(d, at, a, a0 + from_i, a0 + i, b, b0 + from_k, b0 + k);
			from_i = ++i;
			from_k = ++k;
		} else if (here[m + 1] >= here[1]) {
			i++;
		} else {
			k++;
		}
	}
	free(len);
	gap(d, at, a, a0 + from_i, a1, b, b0 + from_k, b1);
}

static void diff_events(struct diff *d, const struct at *at, const json_t *a, const json_t *b)
{
	size_t a1 = json_array_size(a), b1 = json_array_size(b), from = 0;

	while (from < a1 && from < b1 &&
	       same_event(json_array_get(a, from), json_array_get(b, from)))
		from++;
	while (a1 > from && b1 > from &&
	       same_event(json_array_get(a, a1 - 1), json_array_get(b, b1 - 1))) {
		a1--;
		b1--;
	}
	middle(d, at, a, from, a1, b, from, b1);
}

/* ---- files: {bank: {digest: path}} ---- */

static const char *text_at(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

static bool is_text(const char *a, const char *b)
{
	return a != NULL && strcmp(a, b) == 0;
}

/* {path: digest} of digests that the other list does not have, the first of each path. */
static json_t *only_in(const json_t *these, const json_t *those)
{
	json_t *paths = json_object(), *path;
	const char *digest;

	json_object_foreach ((json_t *)(uintptr_t)these, digest, path)
		if (json_object_get(those, digest) == NULL && json_string_length(path) > 0 &&
		    json_object_get(paths, json_string_value(path)) == NULL)
			json_object_set_new(paths, json_string_value(path), json_string(digest));
	return paths;
}

static void file_row(struct diff *d, const struct at *at, const char *path, const char *before,
		     const char *after)
{
	json_t *b = before == NULL ? NULL : json_string(before);
	json_t *a = after == NULL ? NULL : json_string(after);

	row(d, at, "file", path, NULL, b, a);
	json_decref(b);
	json_decref(a);
}

/* A path that lost a digest and got another is a file that changed. */
static void diff_bank(struct diff *d, const struct at *at, const json_t *a, const json_t *b)
{
	json_t *gone = only_in(a, b), *come = only_in(b, a), *v;
	const char *digest, *path;

	json_object_foreach ((json_t *)(uintptr_t)a, digest, v) {
		path = json_string_value(v);
		if (json_object_get(b, digest) == NULL)
			file_row(d, at, path, digest,
				 is_text(text_at(gone, path), digest) ? text_at(come, path) : NULL);
	}
	json_object_foreach ((json_t *)(uintptr_t)b, digest, v) {
		path = json_string_value(v);
		if (json_object_get(a, digest) == NULL &&
		    !(is_text(text_at(come, path), digest) && text_at(gone, path) != NULL))
			file_row(d, at, path, NULL, digest);
	}
	d->failed |= gone == NULL || come == NULL;
	json_decref(gone);
	json_decref(come);
}

static void diff_files(struct diff *d, const struct at *at, const json_t *a, const json_t *b)
{
	const char *bank;
	json_t *files;

	json_object_foreach ((json_t *)(uintptr_t)a, bank, files)
		diff_bank(d, at, files, json_object_get(b, bank));
	json_object_foreach ((json_t *)(uintptr_t)b, bank, files)
		if (json_object_get(a, bank) == NULL)
			diff_bank(d, at, NULL, files);
}

/* ---- members of other kinds: value by value, down to where they differ ---- */

enum { WHERE_MAX = 256 };

/* Texts of a list that the other does not have, whatever their order. */
static void diff_list(struct diff *d, const struct at *at, const char *where, const json_t *a,
		      const json_t *b)
{
	size_t i, k;
	json_t *v, *other;

	json_array_foreach (a, i, v) {
		bool found = false;

		json_array_foreach (b, k, other)
			found |= json_equal(v, other) == 1;
		if (!found)
			row(d, at, "member", where, NULL, v, NULL);
	}
	json_array_foreach (b, k, v) {
		bool found = false;

		json_array_foreach (a, i, other)
			found |= json_equal(v, other) == 1;
		if (!found)
			row(d, at, "member", where, NULL, NULL, v);
	}
}

static void diff_values(struct diff *d, const struct at *at, const char *where, const json_t *a,
			const json_t *b, int depth);

static void diff_objects(struct diff *d, const struct at *at, const char *where, const json_t *a,
			 const json_t *b, int depth)
{
	char path[WHERE_MAX];
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)(uintptr_t)a, key, v) {
		snprintf(path, sizeof(path), "%s%s%s", where, where[0] ? "." : "", key);
		diff_values(d, at, path, v, json_object_get(b, key), depth + 1);
	}
	json_object_foreach ((json_t *)(uintptr_t)b, key, v)
		if (json_object_get(a, key) == NULL) {
			snprintf(path, sizeof(path), "%s%s%s", where, where[0] ? "." : "", key);
			diff_values(d, at, path, NULL, v, depth + 1);
		}
}

/* depth is bounded: the documents were loaded with a limit on it. */
static void diff_values(struct diff *d, const struct at *at, const char *where, const json_t *a,
			const json_t *b, int depth)
{
	bool deeper = depth < AY_MAX_JSON_DEPTH;

	if (a == b || json_equal(a, b) == 1)
		return;
	if (deeper && json_is_object(a) && json_is_object(b))
		diff_objects(d, at, where, a, b, depth);
	else if (deeper && json_is_array(a) && json_is_array(b) && strcmp(at->kind, "one_of") != 0)
		diff_list(d, at, where, a, b);
	else
		row(d, at, strncmp(where, "values.", 7) == 0 ? "value" : "member",
		    strncmp(where, "values.", 7) == 0 ? where + 7 : where, NULL, a, b);
}

/* ---- rules ---- */

static void diff_member(struct diff *d, const struct at *at, const char *key, const json_t *a,
			const json_t *b)
{
	if (a == b || json_equal(a, b) == 1)
		return;
	if (strcmp(key, "events") == 0)
		diff_events(d, at, a, b);
	else if (strcmp(key, "digests") == 0 && strcmp(at->part, "match") != 0)
		diff_files(d, at, a, b);
	else
		diff_values(d, at, key, a, b, 0);
}

static void diff_rule(struct diff *d, const struct at *at, const json_t *a, const json_t *b)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)(uintptr_t)a, key, v)
		diff_member(d, at, key, v, json_object_get(b, key));
	json_object_foreach ((json_t *)(uintptr_t)b, key, v)
		if (json_object_get(a, key) == NULL)
			diff_member(d, at, key, NULL, v);
}

/* "12 events", "3,120 files": what a rule that came or went is about. */
static void describe(const json_t *rule, char out[64])
{
	size_t events = json_array_size(json_object_get(rule, "events")), files = 0;
	const char *bank;
	json_t *v;

	json_object_foreach (json_object_get(rule, "digests"), bank, v)
		files += json_object_size(v);
	if (events > 0)
		snprintf(out, 64, "%zu events", events);
	else if (files > 0)
		snprintf(out, 64, "%zu digests", files);
	else
		snprintf(out, 64, "the whole rule");
}

static void rule_row(struct diff *d, const struct at *at, const json_t *rule, bool added)
{
	char summary[64];
	json_t *values = json_object_get(rule, "values");

	describe(rule, summary);
	if (values == NULL)
		values = json_object_get(rule, "kind");
	row(d, at, "rule", NULL, summary, added ? NULL : values, added ? values : NULL);
}

static bool same_place(const json_t *a, const json_t *b)
{
	json_t *pa = json_object_get(a, "pcr"), *pb = json_object_get(b, "pcr");

	return json_equal(json_object_get(a, "kind"), json_object_get(b, "kind")) == 1 &&
	       (pa == NULL ? pb == NULL : json_equal(pa, pb) == 1);
}

/* The n-th rule of that kind about that PCR; NULL = none. */
static json_t *nth_like(const json_t *rules, const json_t *like, size_t n)
{
	json_t *r;
	size_t i;

	json_array_foreach (rules, i, r)
		if (same_place(r, like) && n-- == 0)
			return r;
	return NULL;
}

/* How many like it stand before it. */
static size_t rank(const json_t *rules, size_t index)
{
	const json_t *like = json_array_get(rules, index);
	size_t n = 0;

	for (size_t i = 0; i < index; i++)
		n += same_place(json_array_get(rules, i), like);
	return n;
}

static struct at at_rule(const char *part, const json_t *rule)
{
	return (struct at){ part, json_string_value(json_object_get(rule, "kind")),
			    json_object_get(rule, "pcr") };
}

static void diff_part(struct diff *d, const char *part, const json_t *a, const json_t *b)
{
	size_t i;
	json_t *r;

	json_array_foreach (a, i, r) {
		struct at at = at_rule(part, r);
		const json_t *other = nth_like(b, r, rank(a, i));

		if (other == NULL)
			rule_row(d, &at, r, false);
		else
			diff_rule(d, &at, r, other);
	}
	json_array_foreach (b, i, r) {
		struct at at = at_rule(part, r);

		if (nth_like(a, r, rank(b, i)) == NULL)
			rule_row(d, &at, r, true);
	}
}

/* ---- the whole ---- */

static json_t *named_json(const struct ay_refset *s)
{
	char hex[65];

	ay_hex_encode(AY_BYTES(s->sha256), hex);
	return json_pack("{ss sI ss}", "name", s->name, "version", (json_int_t)s->version, "sha256",
			 hex);
}

static void diff_documents(struct diff *d, const json_t *a, const json_t *b)
{
	const json_t *pa = json_object_get(a, "parts"), *pb = json_object_get(b, "parts");
	const struct at match = { "match", "match", NULL };

	for (unsigned p = 0; p < AY_PARTS; p++) {
		const char *part = ay_part_name((enum ay_part)p);

		diff_part(d, part, json_object_get(pa, part), json_object_get(pb, part));
	}
	diff_member(d, &match, "match", json_object_get(a, "match"), json_object_get(b, "match"));
}

json_t *ay_set_diff(const struct ay_refset *a, const struct ay_refset *b)
{
	AY_CLEANUP(ay_json_unref) json_t *ja = ay_refset_json(a, true);
	AY_CLEANUP(ay_json_unref) json_t *jb = ay_refset_json(b, true);
	struct diff d = { .changes = json_array() };
	size_t n;

	if (ja == NULL || jb == NULL || d.changes == NULL) {
		json_decref(d.changes);
		return NULL;
	}
	diff_documents(&d, ja, jb);
	n = d.n[ADDED] + d.n[REMOVED] + d.n[CHANGED];
	if (d.failed) {
		json_decref(d.changes);
		return NULL;
	}
	return json_pack("{so* so* sb sI sI sI so}", "a", named_json(a), "b", named_json(b), "same",
			 (int)(n == 0), "added", (json_int_t)d.n[ADDED], "removed",
			 (json_int_t)d.n[REMOVED], "changed", (json_int_t)d.n[CHANGED], "changes",
			 d.changes);
}
