/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/call.h"

#include "core/appraise/reference.h"

void ay_api_references_list(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *all = NULL;

	if (!ay_api_refused(c, ay_engine_references(c->api->engine, &all, &e), &e))
		ay_api_array(c, all);
}

void ay_api_references_show(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *set = NULL;

	if (!ay_api_refused(c, ay_engine_reference(c->api->engine, c->param[0], &set, &e), &e))
		ay_api_json(c, 200, set);
}

/* Bits of the parts asked for; 0: all. */
static enum ay_rc parts_of(struct ay_api_call *c, uint32_t *out, struct ay_err *e)
{
	json_t *v;
	size_t i;

	*out = 0;
	json_array_foreach (json_object_get(c->body, "parts"), i, v) {
		enum ay_part part;

		if (!ay_part_find(ay_bytes_of(json_string_value(v)), &part))
			return ay_fail(e, AY_E_INPUT, "parts", 0, "no part %.40s",
				       json_string_value(v));
		*out |= 1u << part;
	}
	return AY_OK;
}

void ay_api_references_learn(struct ay_api_call *c)
{
	struct ay_bytes host = ay_api_text(c, "host"), name = ay_api_text(c, "name");
	const struct ay_host *h = ay_engine_host_find(c->api->engine, host);
	bool activate = ay_api_flag(c, "activate");
	struct ay_err e = { 0 };
	json_t *set = NULL;
	uint32_t parts;

	if (h == NULL) {
		ay_err_set(&e, AY_E_NOENT, "host", 0, "no host has this id or name");
		ay_api_problem(c, &e);
		return;
	}
	if (ay_api_refused(c, parts_of(c, &parts, &e), &e) ||
	    ay_api_refused(c, ay_engine_learn(c->api->engine, h, name, parts, activate, &set, &e),
			   &e))
		return;
	if (ay_api_audit(c, "REFERENCE_LEARN", name,
			 json_pack("{s:s, s:b}", "host", h->name, "activate", (int)activate)))
		ay_api_json(c, 201, set);
	else
		json_decref(set);
}

static void change(struct ay_api_call *c, const char *action,
		   enum ay_rc (*fn)(struct ay_engine *g, struct ay_bytes id, json_t **out,
				    struct ay_err *e))
{
	struct ay_err e = { 0 };
	json_t *set = NULL;

	if (ay_api_refused(c, fn(c->api->engine, c->param[0], &set, &e), &e))
		return;
	if (ay_api_audit(c, action, c->param[0], json_object()))
		ay_api_json(c, 200, set);
	else
		json_decref(set);
}

void ay_api_references_activate(struct ay_api_call *c)
{
	change(c, "REFERENCE_ACTIVATE", ay_engine_reference_activate);
}

void ay_api_references_revoke(struct ay_api_call *c)
{
	change(c, "REFERENCE_REVOKE", ay_engine_reference_revoke);
}
