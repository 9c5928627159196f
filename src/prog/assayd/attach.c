/* SPDX-License-Identifier: Apache-2.0 */
/* Which policy is a host's: its own, one for its labels, the default. */
#include "prog/assayd/policies.h"

#include "core/base/json.h"

#include <stdlib.h>

#define META_KEY "policy_attachments"
#define ATTACHMENTS_MAX 1024
#define STORED_MAX (1u << 20)

static const char *label_of(const struct ay_host *h, const char *key)
{
	for (size_t i = 0; i < h->n_labels; i++)
		if (strcmp(h->labels[i].key, key) == 0)
			return h->labels[i].value;
	return NULL;
}

static bool fits(const struct ay_attachment *a, const struct ay_host *h)
{
	for (size_t i = 0; i < a->n_labels; i++) {
		const char *value = label_of(h, a->labels[i].key);

		if (!value || strcmp(value, a->labels[i].value) != 0)
			return false;
	}
	return a->n_labels > 0;
}

/* The order of precedence: more labels, then policy name, then the labels themselves. */
static int compare(const struct ay_attachment *a, const struct ay_attachment *b)
{
	int c;

	if (a->n_labels != b->n_labels)
		return a->n_labels > b->n_labels ? -1 : 1;
	c = strcmp(a->policy, b->policy);
	for (size_t i = 0; c == 0 && i < a->n_labels; i++) {
		c = strcmp(a->labels[i].key, b->labels[i].key);
		if (c == 0)
			c = strcmp(a->labels[i].value, b->labels[i].value);
	}
	return c;
}

const char *ay_policies_name_for(const struct ay_refs *r, const struct ay_host *h, const char **by)
{
	*by = "host";
	if (h->policy)
		return h->policy;
	*by = "labels";
	for (size_t i = 0; i < r->n_attachments; i++) /* sorted by compare() */
		if (fits(&r->attachment[i], h))
			return r->attachment[i].policy;
	*by = "default";
	for (size_t i = 0; i < r->n_policies; i++)
		if (r->policy[i].state == AY_SET_ACTIVE &&
		    strcmp(r->policy[i].policy->name, "default") == 0)
			return "default";
	*by = NULL;
	return NULL;
}

void ay_engine_host_policy(struct ay_engine *g, const struct ay_host *h, struct ay_host_policy *out)
{
	struct ay_active_policy *p;

	*out = (struct ay_host_policy){ 0 };
	if (!g->refs)
		return;
	out->name = ay_policies_name_for(g->refs, h, &out->by);
	p = out->name ? ay_policies_active(g->refs, out->name) : NULL;
	if (p) {
		out->version = p->policy->version;
		out->sha256 = p->policy->sha256;
	}
}

/* ---- memory ---- */

static void attachment_fini(struct ay_attachment *a)
{
	for (size_t i = 0; i < a->n_labels; i++) {
		free(a->labels[i].key);
		free(a->labels[i].value);
	}
	free(a->labels);
	free(a->policy);
}

static void list_free(struct ay_attachment *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		attachment_fini(&list[i]);
	free(list);
}

void ay_policies_fini(struct ay_refs *r)
{
	list_free(r->attachment, r->n_attachments);
	r->attachment = NULL;
	r->n_attachments = 0;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct ay_label *)a)->key, ((const struct ay_label *)b)->key);
}

static int by_precedence(const void *a, const void *b)
{
	return compare(a, b);
}

/* {"policy": NAME, "labels": {..}} */
static enum ay_rc read_one(const json_t *o, struct ay_attachment *out, struct ay_err *e)
{
	const char *policy = json_string_value(json_object_get(o, "policy")), *key;
	json_t *labels = json_object_get(o, "labels"), *v;

	*out = (struct ay_attachment){ 0 };
	if (!policy || !ay_json_is_name(policy))
		return ay_fail(e, AY_E_INPUT, "policy", 0, "is not a name");
	if (!json_is_object(labels) || json_object_size(labels) == 0 ||
	    json_object_size(labels) > AY_MAX_LABELS)
		return ay_fail(e, AY_E_INPUT, "labels", 0, "needs 1 to %d labels", AY_MAX_LABELS);
	out->policy = strdup(policy);
	out->labels = calloc(json_object_size(labels), sizeof(*out->labels));
	if (!out->policy || !out->labels)
		return ay_fail(e, AY_E_NOMEM, "labels", 0, "no memory");
	json_object_foreach (labels, key, v) {
		struct ay_label *l = &out->labels[out->n_labels++];

		l->key = strdup(key);
		l->value = json_is_string(v) ? strdup(json_string_value(v)) : NULL;
		if (!l->key || !l->value)
			return ay_fail(e, json_is_string(v) ? AY_E_NOMEM : AY_E_INPUT, "labels", 0,
				       "values are texts");
	}
	qsort(out->labels, out->n_labels, sizeof(*out->labels), by_key);
	return AY_OK;
}

static enum ay_rc read_list(const json_t *list, struct ay_attachment **out, size_t *n_out,
			    struct ay_err *e)
{
	size_t n = json_array_size(list), at = 0;
	struct ay_attachment *all;
	enum ay_rc rc = AY_OK;

	if (!json_is_array(list) || n > ATTACHMENTS_MAX)
		return ay_fail(e, AY_E_LIMIT, "attachments", 0, "more than %d attachments",
			       ATTACHMENTS_MAX);
	all = calloc(n + 1, sizeof(*all));
	if (!all)
		return ay_fail(e, AY_E_NOMEM, "attachments", 0, "no memory");
	for (; rc == AY_OK && at < n; at++)
		rc = read_one(json_array_get(list, at), &all[at], e);
	if (rc != AY_OK) {
		list_free(all, at);
		return rc;
	}
	qsort(all, n, sizeof(*all), by_precedence);
	*out = all;
	*n_out = n;
	return AY_OK;
}

static json_t *one_json(const struct ay_attachment *a)
{
	json_t *labels = json_object();

	for (size_t i = 0; i < a->n_labels; i++)
		(void)json_object_set_new(labels, a->labels[i].key,
					  json_string(a->labels[i].value));
	return json_pack("{ss so}", "policy", a->policy, "labels", labels);
}

static json_t *list_json(const struct ay_refs *r)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < r->n_attachments; i++)
		if (json_array_append_new(list, one_json(&r->attachment[i])) != 0) {
			json_decref(list);
			list = NULL;
		}
	return list;
}

enum ay_rc ay_policies_load(struct ay_engine *g, struct ay_err *e)
{
	AY_CLEANUP(ay_json_unref) json_t *list = NULL;
	struct ay_bytes text;
	struct ay_arena a;
	enum ay_rc rc;

	ay_arena_init(&a, (size_t)2 * STORED_MAX);
	rc = ay_store_meta(g->store, META_KEY, &a, &text, e);
	if (rc == AY_E_NOENT) {
		ay_arena_fini(&a);
		return AY_OK;
	}
	if (rc == AY_OK)
		rc = ay_json_load(text, STORED_MAX, "attachments", &list, e);
	ay_arena_fini(&a);
	return rc == AY_OK ? read_list(list, &g->refs->attachment, &g->refs->n_attachments, e) : rc;
}

/* ---- changing ---- */

/* The store first, then memory, then every host by it. */
static enum ay_rc put_list(struct ay_engine *g, const json_t *list, struct ay_err *e)
{
	struct ay_attachment *all = NULL;
	struct ay_write w = { .kind = AY_WR_META };
	struct ay_store_result res;
	size_t n = 0;
	enum ay_rc rc = read_list(list, &all, &n, e);
	char *text = rc == AY_OK ? json_dumps(list, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	if (rc == AY_OK && !text)
		rc = ay_fail(e, AY_E_NOMEM, "attachments", 0, "no memory");
	if (rc == AY_OK && strlen(text) > STORED_MAX)
		rc = ay_fail(e, AY_E_LIMIT, "attachments", 0, "too long all together");
	w.meta.key = META_KEY;
	w.meta.value = ay_bytes_of(text ? text : "");
	if (rc == AY_OK)
		rc = ay_store_write(g->store, &w, 1, &res, e);
	free(text);
	if (rc != AY_OK) {
		list_free(all, n);
		return rc;
	}
	ay_policies_fini(g->refs);
	g->refs->attachment = all;
	g->refs->n_attachments = n;
	return ay_refs_in_force(g, e);
}

/* Index of the attachment for exactly these labels, or n. */
static size_t index_of(const json_t *list, const json_t *labels)
{
	size_t i = 0;

	while (i < json_array_size(list) &&
	       !json_equal(json_object_get(json_array_get(list, i), "labels"), labels))
		i++;
	return i;
}

enum ay_rc ay_engine_policy_attach(struct ay_engine *g, const char *policy, const json_t *labels,
				   json_t **out, struct ay_err *e)
{
	AY_CLEANUP(ay_json_unref) json_t *list = list_json(g->refs);
	json_t *one = json_pack("{ss sO}", "policy", policy, "labels", labels);
	enum ay_rc rc = AY_OK;
	size_t at;

	*out = NULL;
	if (ay_policies_next_version(g->refs, policy) == 1)
		rc = ay_fail(e, AY_E_NOENT, "policy", 0, "no policy has this name");
	else if (!list || !one)
		rc = ay_fail(e, AY_E_NOMEM, "attachments", 0, "no memory");
	at = index_of(list, labels);
	if (rc == AY_OK && (at < json_array_size(list) ? json_array_set(list, at, one)
						       : json_array_append(list, one)) != 0)
		rc = ay_fail(e, AY_E_NOMEM, "attachments", 0, "no memory");
	if (rc == AY_OK)
		rc = put_list(g, list, e);
	if (rc == AY_OK)
		*out = json_incref(one);
	json_decref(one);
	return rc;
}

enum ay_rc ay_engine_policy_detach(struct ay_engine *g, const json_t *labels, struct ay_err *e)
{
	AY_CLEANUP(ay_json_unref) json_t *list = list_json(g->refs);
	size_t at = index_of(list, labels);

	if (!list)
		return ay_fail(e, AY_E_NOMEM, "attachments", 0, "no memory");
	if (json_array_remove(list, at) != 0)
		return ay_fail(e, AY_E_NOENT, "labels", 0, "no policy is attached to these labels");
	return put_list(g, list, e);
}

enum ay_rc ay_engine_policy_attachments(struct ay_engine *g, json_t **out, struct ay_err *e)
{
	*out = list_json(g->refs);
	return *out ? AY_OK : ay_fail(e, AY_E_NOMEM, "attachments", 0, "no memory");
}
