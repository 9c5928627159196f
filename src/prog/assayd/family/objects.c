/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/family/objects.h"

#include <stdlib.h>

struct ay_objects {
	json_t *kinds; /* {kind: {key: document}} */
	bool is_short; /* of memory while loading */
};

static bool keep(json_t *kinds, const char *kind, const char *key, json_t *body)
{
	json_t *all = json_object_get(kinds, kind);

	if (all == NULL) {
		all = json_object();
		if (json_object_set_new(kinds, kind, all) != 0) {
			json_decref(body);
			return false;
		}
	}
	return json_object_set_new(all, key, body) == 0;
}

static void load_row(void *arg, const struct ay_family_row *r)
{
	struct ay_objects *o = arg;
	json_t *body = r->body[0] == '\0' ? NULL : json_loads(r->body, 0, NULL);

	if (r->body[0] == '\0')
		return;
	if (body == NULL || !keep(o->kinds, r->kind, r->key, body))
		o->is_short = true;
}

enum ay_rc ay_objects_load(struct ay_api *a, struct ay_err *e)
{
	enum ay_rc rc;

	a->objects = calloc(1, sizeof(*a->objects));
	if (a->objects != NULL)
		a->objects->kinds = json_object();
	if (a->objects == NULL || a->objects->kinds == NULL)
		return ay_fail(e, AY_E_NOMEM, "family", 0, "out of memory");
	rc = ay_store_family(a->store, load_row, a->objects, e);
	if (rc == AY_OK && a->objects->is_short)
		return ay_fail(e, AY_E_BUG, "family", 0, "an object cannot be read");
	return rc;
}

void ay_objects_free(struct ay_api *a)
{
	if (a->objects != NULL)
		json_decref(a->objects->kinds);
	free(a->objects);
	a->objects = NULL;
}

const json_t *ay_objects(const struct ay_api *a, const char *kind)
{
	return json_object_get(a->objects->kinds, kind);
}

const json_t *ay_object(const struct ay_api *a, const char *kind, const char *key)
{
	return json_object_get(ay_objects(a, kind), key);
}

enum ay_rc ay_object_put(struct ay_api *a, const char *kind, const char *key, json_t *body,
			 struct ay_err *e)
{
	char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
	struct ay_family_row row = { kind, key, text };
	struct ay_write w = { .kind = AY_WR_FAMILY_PUT, .family = &row };
	enum ay_rc rc = text == NULL ? ay_fail(e, AY_E_NOMEM, "family", 0, "out of memory")
				     : ay_store_write(a->store, &w, 1, NULL, e);

	free(text);
	if (rc != AY_OK) {
		json_decref(body);
		return rc;
	}
	return keep(a->objects->kinds, kind, key, body)
		       ? AY_OK
		       : ay_fail(e, AY_E_NOMEM, "family", 0, "out of memory");
}

enum ay_rc ay_object_drop(struct ay_api *a, const char *kind, const char *key, struct ay_err *e)
{
	struct ay_family_row row = { kind, key, "" };
	struct ay_write w = { .kind = AY_WR_FAMILY_PUT, .family = &row };
	enum ay_rc rc = ay_store_write(a->store, &w, 1, NULL, e);

	if (rc == AY_OK)
		json_object_del(json_object_get(a->objects->kinds, kind), key);
	return rc;
}
