/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/family/members.h"

#include <strings.h>

json_t *ay_member(const json_t *o, const char *names)
{
	char name[64];

	for (const char *at = names; at != NULL && *at != '\0';) {
		size_t n = strcspn(at, ",");
		json_t *v;

		snprintf(name, sizeof(name), "%.*s", (int)n, at);
		v = json_object_get(o, name);
		if (v != NULL && !json_is_null(v))
			return v;
		at += n + (at[n] == ',');
	}
	return NULL;
}

const char *ay_member_text(const json_t *o, const char *names)
{
	const char *s = json_string_value(ay_member(o, names));

	return s == NULL ? "" : s;
}

bool ay_member_truth(const json_t *o, const char *names, bool otherwise)
{
	const json_t *v = ay_member(o, names);
	const char *s = json_string_value(v);

	if (json_is_boolean(v))
		return json_is_true(v);
	if (s != NULL && strcasecmp(s, "true") == 0)
		return true;
	return !(s != NULL && strcasecmp(s, "false") == 0) && otherwise;
}

/* The array that it is, or that is all it holds; NULL: neither. */
static const json_t *array_in(const json_t *list)
{
	const json_t *only;

	if (json_is_array(list))
		return list;
	only = json_object_size(list) != 1
		       ? NULL
		       : json_object_iter_value(json_object_iter((json_t *)(uintptr_t)list));
	return json_is_array(only) ? only : NULL;
}

/* XML has an element for each item: the only one of a list stands alone in it. */
static const json_t *lone_item(const json_t *list)
{
	const json_t *one = json_object_size(list) == 1
				    ? ay_member(list, "host_record,HostRecord,mle_manifest,item")
				    : NULL;

	return one != NULL ? one : list;
}

size_t ay_member_items(const json_t *list)
{
	const json_t *all = array_in(list);

	if (all != NULL)
		return json_array_size(all);
	return json_object_size(list) > 0 || json_is_string(list);
}

const json_t *ay_member_item(const json_t *list, size_t i)
{
	const json_t *all = array_in(list);

	if (all != NULL)
		return json_array_get(all, i);
	return i == 0 ? lone_item(list) : NULL;
}
