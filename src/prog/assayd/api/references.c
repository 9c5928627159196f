/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/call.h"

#include "core/appraise/reference.h"
#include "prog/assayd/approvals.h"

void ay_api_references_list(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *all = NULL;

	if (!ay_api_refused(c, ay_engine_references(c->api->engine, &all, &e), &e))
		ay_api_array_by(c, all, "name,version,id");
}

void ay_api_references_show(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *set = NULL;

	if (!ay_api_refused(c, ay_engine_reference(c->api->engine, c->param[0], &set, &e), &e))
		ay_api_json(c, 200, set);
}

void ay_api_references_export(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	struct ay_bytes text;

	if (!ay_api_refused(
		    c,
		    ay_engine_reference_export(c->api->engine, c->param[0], &c->arena, &text, &e),
		    &e))
		ay_api_long(c, "application/json", text);
}

void ay_api_references_diff(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *diff = NULL;

	if (!ay_api_refused(
		    c,
		    ay_engine_reference_diff(c->api->engine, c->param[0], c->param[1], &diff, &e),
		    &e))
		ay_api_json(c, 200, diff);
}

void ay_api_references_import(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	const char *name;
	json_t *set = NULL;

	if (ay_api_refused(
		    c,
		    ay_engine_reference_import(c->api->engine, json_object_get(c->body, "document"),
					       ay_api_text(c, "name"), c->who.user, &set, &e),
		    &e))
		return;
	name = json_string_value(json_object_get(set, "name"));
	if (ay_api_audit(c, "REFERENCE_IMPORT", ay_bytes_of(name == NULL ? "" : name),
			 json_pack("{sO* sO* sO*}", "version", json_object_get(set, "version"),
				   "sha256", json_object_get(set, "sha256"), "signer",
				   json_object_get(set, "signer"))))
		ay_api_json(c, 201, set);
	else
		json_decref(set);
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

/* A list of PCR numbers; absent: none. */
static enum ay_rc pcrs_of(const struct ay_api_call *c, const char *key, uint32_t *out,
			  struct ay_err *e)
{
	const json_t *list = json_object_get(c->body, key), *v;
	size_t i;

	*out = 0;
	if (list && (!json_is_array(list) || json_array_size(list) == 0))
		return ay_fail(e, AY_E_INPUT, key, 0, "is a list of PCR numbers");
	json_array_foreach (list, i, v) {
		json_int_t pcr = json_integer_value(v);

		if (!json_is_integer(v) || pcr < 0 || pcr >= AY_PCR_COUNT)
			return ay_fail(e, AY_E_INPUT, key, 0, "is a list of PCR numbers, 0 to 22");
		*out |= 1u << pcr;
	}
	return AY_OK;
}

static enum ay_rc options_of(struct ay_api_call *c, struct ay_learn_ask *ask, struct ay_err *e)
{
	enum ay_rc rc = parts_of(c, &ask->parts, e);

	ask->match = json_object_get(c->body, "match");
	ask->note = ay_api_text(c, "note");
	if (rc == AY_OK)
		rc = pcrs_of(c, "pcrs", &ask->pcrs, e);
	return rc == AY_OK ? pcrs_of(c, "host_unique", &ask->host_unique, e) : rc;
}

/* {"approval":..} added to the set: it is a draft until somebody else approves. */
static enum ay_rc ask_second(struct ay_api_call *c, json_t *set,
			     const struct ay_reference_change *how, struct ay_err *e)
{
	AY_CLEANUP(ay_json_unref) json_t *args = ay_reference_change_json(how);
	struct ay_approval_request r = { .kind = &ay_approval_reference_activate,
					 .object = ay_bytes_of(
						 json_string_value(json_object_get(set, "id"))),
					 .args = args,
					 .user = c->who.user,
					 .permission = c->route->perm_name };
	json_t *approval = NULL;
	enum ay_rc rc = ay_engine_approval_ask(c->api->engine, &r, &approval, e);

	if (rc == AY_OK)
		json_object_set_new(set, "approval", approval);
	return rc;
}

void ay_api_references_learn(struct ay_api_call *c)
{
	struct ay_bytes host = ay_api_text(c, "host");
	struct ay_learn_ask ask = { .host = ay_engine_host_find(c->api->engine, host),
				    .name = ay_api_text(c, "name"),
				    .activate = ay_api_flag(c, "activate"),
				    .user = c->who.user };
	bool two = ask.activate &&
		   ay_engine_two_persons(c->api->engine, &ay_approval_reference_activate);
	struct ay_err e = { 0 };
	json_t *set = NULL;

	ask.change.supersede = ay_api_flag(c, "supersede");
	if (ask.host == NULL) {
		ay_err_set(&e, AY_E_NOENT, "host", 0, "no host has this id or name");
		ay_api_problem(c, &e);
		return;
	}
	ask.activate = ask.activate && !two;
	if (ay_api_refused(c, options_of(c, &ask, &e), &e) ||
	    ay_api_refused(c, ay_engine_learn(c->api->engine, &ask, &set, &e), &e))
		return;
	if (two && ay_api_refused(c, ask_second(c, set, &ask.change, &e), &e)) {
		json_decref(set);
		return;
	}
	if (ay_api_audit(
		    c, "REFERENCE_LEARN", ask.name,
		    json_pack("{s:s, s:b}", "host", ask.host->name, "activate", (int)ask.activate)))
		ay_api_json(c, 201, set);
	else
		json_decref(set);
}

static enum ay_rc take_change(struct ay_api_call *c, struct ay_reference_change *how,
			      struct ay_err *e)
{
	*how = (struct ay_reference_change){ .supersede = ay_api_flag(c, "supersede"),
					     .force = ay_api_flag(c, "force") };
	how->supersede |= json_object_get(c->body, "supersede_at") != NULL;
	return ay_api_instant(c, "supersede_at", &how->supersede_at, e);
}

typedef enum ay_rc change_fn(struct ay_engine *g, struct ay_bytes id,
			     const struct ay_reference_change *how, const struct ay_also *also,
			     json_t **out, struct ay_err *e);

static void change(struct ay_api_call *c, const struct ay_approval_kind *kind, change_fn *fn)
{
	struct ay_reference_change how;
	struct ay_err e = { 0 };
	json_t *set = NULL;

	if (ay_api_refused(c, take_change(c, &how, &e), &e))
		return;
	if (ay_api_two_persons(c, kind, c->param[0], ay_reference_change_json(&how)))
		return;
	if (ay_api_refused(c, fn(c->api->engine, c->param[0], &how, NULL, &set, &e), &e))
		return;
	if (ay_api_audit(c, kind->action, c->param[0], ay_reference_change_json(&how)))
		ay_api_json(c, 200, set);
	else
		json_decref(set);
}

void ay_api_references_activate(struct ay_api_call *c)
{
	change(c, &ay_approval_reference_activate, ay_engine_reference_activate);
}

void ay_api_references_supersede(struct ay_api_call *c)
{
	change(c, &ay_approval_reference_supersede, ay_engine_reference_supersede);
}

void ay_api_references_revoke(struct ay_api_call *c)
{
	change(c, &ay_approval_reference_revoke, ay_engine_reference_revoke);
}
