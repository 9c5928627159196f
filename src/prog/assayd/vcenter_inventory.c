/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/vcenter_inventory.h"

#include "core/base/uuid.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HOSTS_MAX = 20000 }; /* hosts and clusters of one manager */

void ay_inventory_fini(struct ay_inventory *v)
{
	for (size_t i = 0; i < v->n; i++) {
		free(v->item[i].id);
		free(v->item[i].name);
		free(v->item[i].parent);
	}
	free(v->item);
	*v = (struct ay_inventory){ NULL, 0, 0, false };
}

static struct ay_inventory_item *item_new(struct ay_inventory *v)
{
	if (v->n == v->max) {
		size_t max = v->max ? 2 * v->max : 64;
		struct ay_inventory_item *more =
			v->n < HOSTS_MAX ? realloc(v->item, max * sizeof(*more)) : NULL;

		if (!more)
			return NULL;
		v->item = more;
		v->max = max;
	}
	memset(&v->item[v->n], 0, sizeof(v->item[0]));
	return &v->item[v->n++];
}

static char *property_text(const struct ay_vim_object *o, const char *path)
{
	char text[AY_VIM_ID];

	return strdup(ay_vim_text(ay_vim_property(o, path), text, sizeof(text)) ? text : "");
}

void ay_inventory_take(void *arg, const struct ay_vim_object *o)
{
	struct ay_inventory *v = arg;
	struct ay_inventory_item *it = item_new(v);
	char uuid[64];

	if (!it) {
		v->failed = true;
		return;
	}
	it->is_host = strcmp(o->type, "HostSystem") == 0;
	it->id = strdup(o->id);
	it->name = property_text(o, "name");
	it->parent = property_text(o, "parent");
	it->has_uuid =
		ay_vim_text(ay_vim_property(o, "hardware.systemInfo.uuid"), uuid, sizeof(uuid)) &&
		ay_uuid_parse(ay_bytes_of(uuid), "uuid", &it->uuid, NULL) == AY_OK;
	v->failed |= !it->id || !it->name || !it->parent;
}

static const struct ay_inventory_item *cluster_of(const struct ay_inventory *v,
						  const struct ay_inventory_item *host)
{
	for (size_t i = 0; i < v->n; i++)
		if (!v->item[i].is_host && strcmp(v->item[i].id, host->parent) == 0)
			return &v->item[i];
	return NULL;
}

/* By name as the manager shows it, its object id, or the machine's UUID; at "": the only one. */
static bool is_meant(const struct ay_inventory_item *it, const char *at, const struct ay_uuid *uuid)
{
	if (uuid)
		return it->has_uuid && memcmp(it->uuid.b, uuid->b, sizeof(uuid->b)) == 0;
	return at[0] == '\0' || strcasecmp(it->name, at) == 0 || strcmp(it->id, at) == 0;
}

const struct ay_inventory_item *ay_inventory_find(const struct ay_inventory *v, const char *at,
						  size_t *n)
{
	const struct ay_inventory_item *found = NULL;
	struct ay_uuid uuid;
	bool by_uuid = at[0] && ay_uuid_looks_like(ay_bytes_of(at)) &&
		       ay_uuid_parse(ay_bytes_of(at), "h", &uuid, NULL) == AY_OK;

	*n = 0;
	for (size_t i = 0; i < v->n; i++) {
		if (!v->item[i].is_host || !is_meant(&v->item[i], at, by_uuid ? &uuid : NULL))
			continue;
		found = &v->item[i];
		++*n;
	}
	return *n == 1 ? found : NULL;
}

json_t *ay_inventory_json(const struct ay_inventory *v, const char *cluster)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < v->n; i++) {
		const struct ay_inventory_item *it = &v->item[i], *c = cluster_of(v, it);
		char id[AY_UUID_TEXT] = "";

		if (!it->is_host || (cluster[0] && (!c || strcmp(c->name, cluster) != 0)))
			continue;
		if (it->has_uuid)
			ay_uuid_format(&it->uuid, id);
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:s}", "name", it->name, "at",
						it->name, "id", id, "cluster", c ? c->name : ""));
	}
	return list;
}
