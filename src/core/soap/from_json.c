/* SPDX-License-Identifier: Apache-2.0 */
#include "core/soap/convert.h"

#include <stdlib.h>

bool ay_soap_named(const char *names, const char *name)
{
	size_t n = strlen(name);

	if (names == NULL)
		return false;
	for (const char *at = strstr(names, name); at != NULL; at = strstr(at + 1, name))
		if ((at == names || at[-1] == ',') && (at[n] == '\0' || at[n] == ','))
			return true;
	return false;
}

static void put_json(struct ay_xml_text *t, const json_t *v)
{
	char *dumped = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);

	t->failed |= dumped == NULL;
	ay_xt_escape(t, ay_bytes_of(dumped == NULL ? "" : dumped));
	free(dumped);
}

static void put_text(struct ay_xml_text *t, const json_t *v)
{
	if (json_is_string(v))
		ay_xt_escape(t, (struct ay_bytes){ (const uint8_t *)json_string_value(v),
						   json_string_length(v) });
	else /* numbers and truths are the same in both */
		put_json(t, v);
}

static void put_object(struct ay_xml_text *t, const json_t *v, const struct ay_member *m,
		       const struct ay_schemas *all)
{
	if (m->ref > 0 && m->ref < all->n)
		ay_soap_from_json(t, v, &all->row[m->ref], all, NULL);
}

static void put_map(struct ay_xml_text *t, const json_t *v, const struct ay_member *m,
		    const struct ay_schemas *all)
{
	const char *key;
	json_t *item;

	json_object_foreach ((json_t *)(uintptr_t)v, key, item) {
		ay_xt_open(t, "entry");
		ay_xt_element(t, "key", ay_bytes_of(key));
		ay_xt_open(t, "value");
		if (m->type == AY_T_MAPOF)
			put_object(t, item, m, all);
		else
			put_text(t, item);
		ay_xt_close(t, "value");
		ay_xt_close(t, "entry");
	}
}

static void put_one(struct ay_xml_text *t, const json_t *v, const struct ay_member *m,
		    const struct ay_schemas *all)
{
	ay_xt_open(t, m->name);
	if (m->type == AY_T_MAP || m->type == AY_T_MAPOF)
		put_map(t, v, m, all);
	else if (m->type == AY_T_REF || m->type == AY_T_REFS)
		put_object(t, v, m, all);
	else if (m->type == AY_T_ANY)
		put_json(t, v);
	else
		put_text(t, v);
	ay_xt_close(t, m->name);
}

void ay_soap_put_member(struct ay_xml_text *t, const json_t *v, const struct ay_member *m,
			const struct ay_schemas *all)
{
	const json_t *item;
	size_t i;

	if (v == NULL || json_is_null(v))
		return;
	if (m->type != AY_T_TEXTS && m->type != AY_T_REFS) {
		put_one(t, v, m, all);
		return;
	}
	json_array_foreach (v, i, item)
		put_one(t, item, m, all);
}

static void put_list(struct ay_xml_text *t, const json_t *v, const struct ay_schema *s,
		     const struct ay_schemas *all)
{
	const struct ay_member items = { "items", AY_T_REFS, s->item, AY_NEED_REQ, 0, "" };
	const struct ay_member next = { "next", AY_T_TEXT, 0, AY_NEED_NUL, 0, "" };

	ay_soap_put_member(t, json_object_get(v, "items"), &items, all);
	ay_soap_put_member(t, json_object_get(v, "next"), &next, all);
}

void ay_soap_from_json(struct ay_xml_text *t, const json_t *value, const struct ay_schema *s,
		       const struct ay_schemas *all, const char *keep)
{
	bool whole = keep == NULL || keep[0] == '\0';

	if (s->kind == AY_SCHEMA_LIST)
		put_list(t, value, s, all);
	if (s->kind != AY_SCHEMA_OBJECT)
		return;
	for (const struct ay_member *m = s->members; m->name != NULL; m++)
		if (whole || ay_soap_named(keep, m->name))
			ay_soap_put_member(t, json_object_get(value, m->name), m, all);
}
