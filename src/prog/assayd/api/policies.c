/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/call.h"

void ay_api_policies_list(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *all = NULL;

	if (!ay_api_refused(c, ay_engine_policies(c->api->engine, &all, &e), &e))
		ay_api_array(c, all);
}

static bool is(const json_t *p, const char *member, struct ay_bytes value)
{
	const char *text = json_string_value(json_object_get(p, member));

	return text != NULL && ay_bytes_eq(ay_bytes_of(text), value);
}

/* By id, or the newest version of that name. */
void ay_api_policies_show(struct ay_api_call *c)
{
	json_t *all = NULL, *p, *found = NULL;
	struct ay_err e = { 0 };
	size_t i;

	if (ay_api_refused(c, ay_engine_policies(c->api->engine, &all, &e), &e))
		return;
	json_array_foreach (all, i, p)
		if (is(p, "id", c->param[0]) || is(p, "name", c->param[0]))
			if (found == NULL ||
			    json_integer_value(json_object_get(p, "version")) >=
				    json_integer_value(json_object_get(found, "version")))
				found = p;
	if (found != NULL) {
		ay_api_json(c, 200, json_incref(found));
	} else {
		ay_err_set(&e, AY_E_NOENT, "policy", 0, "no policy has this id or name");
		ay_api_problem(c, &e);
	}
	json_decref(all);
}
