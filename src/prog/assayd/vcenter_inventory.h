/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_VCENTER_INVENTORY_H
#define AY_ASSAYD_VCENTER_INVENTORY_H

/* Hosts and clusters of a vCenter, as the pages of its property collector list them. */
#include "core/base/uuid.h"
#include "core/vim/answer.h"

#include <jansson.h>

/* A host or cluster of the inventory. */
struct ay_inventory_item {
	char *id, *name, *parent;
	bool is_host, has_uuid;
	struct ay_uuid uuid;
};

struct ay_inventory {
	struct ay_inventory_item *item;
	size_t n, max;
	bool failed;
};

void ay_inventory_fini(struct ay_inventory *v); /* zeroed is fine, and it is zeroed then */
/* Of ay_vim_objects_parse(): arg is the inventory. What has no room sets failed. */
void ay_inventory_take(void *arg, const struct ay_vim_object *o);
/* By its name, object id or UUID; "" the only one. NULL: none, or more than one (then *n > 1). */
const struct ay_inventory_item *ay_inventory_find(const struct ay_inventory *v, const char *at,
						  size_t *n);
/* Hosts of this cluster, "" all: struct ay_listing. NULL without memory. */
json_t *ay_inventory_json(const struct ay_inventory *v, const char *cluster);

#endif
