/* SPDX-License-Identifier: Apache-2.0 */
/* CIT v2: /rpc, /rpc-async, /rpcs */
#include "prog/assayd/family/cit_rpc.h"

#include "io/sys/rng.h"
#include "prog/assayd/family/members.h"
#include "prog/assayd/family/register.h"
#include "prog/assayd/family/whitelist.h"

#include <stdlib.h>

struct rpc {
	char id[AY_UUID_TEXT];
	char user[AY_MAX_NAME_BYTES + 1];
	const char *name, *status;
	int64_t at;
	json_t *output;
};

struct ay_rpcs {
	struct rpc ring[AY_MAX_RPCS];
	size_t next;
};

void ay_rpcs_free(struct ay_api *a)
{
	for (size_t i = 0; a->rpcs != NULL && i < AY_MAX_RPCS; i++)
		json_decref(a->rpcs->ring[i].output);
	free(a->rpcs);
	a->rpcs = NULL;
}

/* ---- the end of an rpc ---- */

static json_t *rpc_json(const struct rpc *r, bool whole)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:o}", "id", r->id, "name", r->name, "status",
			      r->status, "created_on", ay_api_time(r->at));

	if (whole)
		json_object_set(o, "output", r->output);
	return o;
}

static struct rpc *keep(struct ay_api_call *c, const char *name, json_t *output)
{
	uint8_t random[16];
	struct ay_uuid id;
	struct rpc *r;

	if (c->api->rpcs == NULL)
		c->api->rpcs = calloc(1, sizeof(*c->api->rpcs));
	if (c->api->rpcs == NULL) {
		json_decref(output);
		return NULL;
	}
	r = &c->api->rpcs->ring[c->api->rpcs->next++ % AY_MAX_RPCS];
	json_decref(r->output);
	ay_rng_bytes(random, sizeof(random));
	id = ay_uuid_from_random(random);
	*r = (struct rpc){
		.name = name, .status = "OUTPUT", .at = c->api->now_ms, .output = output
	};
	ay_uuid_format(&id, r->id);
	snprintf(r->user, sizeof(r->user), "%s", c->who.user);
	return r;
}

/* What came of it: the answer, or, asked for later, 202 and its id. Takes output. */
static void finish(struct ay_api_call *c, const char *name, json_t *output)
{
	struct rpc *r;

	if (strstr(c->route->path, "/rpc-async/") == NULL) {
		ay_family_document(c, 200, name, output);
		return;
	}
	r = keep(c, name, output);
	ay_family_document(c, 202, "rpc", r == NULL ? NULL : rpc_json(r, false));
}

void ay_cit_rpcs(struct ay_api_call *c)
{
	json_t *list = json_array();

	for (size_t i = 0; c->api->rpcs != NULL && i < AY_MAX_RPCS; i++) {
		const struct rpc *r = &c->api->rpcs->ring[i];

		if (r->output != NULL && strcmp(r->user, c->who.user) == 0)
			json_array_append_new(list, rpc_json(r, false));
	}
	ay_family_document(c, 200, "rpc_collection", json_pack("{s:o}", "rpcs", list));
}

void ay_cit_rpc(struct ay_api_call *c)
{
	struct ay_err e;

	for (size_t i = 0; c->api->rpcs != NULL && i < AY_MAX_RPCS; i++) {
		const struct rpc *r = &c->api->rpcs->ring[i];

		if (r->output == NULL || strcmp(r->user, c->who.user) != 0 ||
		    !ay_bytes_eq(ay_bytes_of(r->id), c->param[0]))
			continue;
		ay_family_document(c, 200, "rpc", rpc_json(r, true));
		return;
	}
	ay_err_set(&e, AY_E_NOENT, "rpc", 0, "no such rpc of yours, or it was forgotten");
	ay_api_problem(c, &e);
}

/* ---- register-hosts ---- */

/* With options, each record is {"txt_host_record":{..},..}. */
static const json_t *record_of(const json_t *item)
{
	const json_t *r = ay_member(item, "txt_host_record");

	return r != NULL ? r : item;
}

/* Options of a record stand beside it. */
static json_t *register_one(struct ay_api_call *c, const json_t *item)
{
	json_t *doc = json_copy((json_t *)(uintptr_t)item), *answer;
	struct ay_family_record ask;
	const struct ay_host *h = NULL;
	struct ay_err e = { 0 };
	enum ay_rc rc;

	json_object_update(doc, (json_t *)(uintptr_t)record_of(item));
	ay_family_record_of(doc, &ask);
	rc = ay_family_register(c, &ask, AY_FAMILY_EITHER, &h, &e);
	answer = json_pack("{s:s%, s:s, s:s, s:s}", "host_name",
			   ask.name.n == 0 ? "" : (const char *)ask.name.p, ask.name.n, "status",
			   rc == AY_OK ? "true" : "false", "error_message",
			   rc == AY_OK ? "" : e.text, "error_code",
			   rc == AY_OK	       ? "OK"
			   : e.code[0] == '\0' ? ay_rc_name(rc)
					       : e.code);
	json_decref(doc);
	return answer;
}

void ay_cit_register_hosts(struct ay_api_call *c)
{
	const json_t *list = ay_member(ay_member(c->body, "hosts"), "HostRecords,host_records");
	size_t n = ay_member_items(list);
	json_t *results;
	struct ay_err e;

	if (list == NULL || n > AY_MAX_RPC_HOSTS) {
		ay_err_set(&e, AY_E_INPUT, "hosts", 0, "give hosts.host_records, at most %d",
			   AY_MAX_RPC_HOSTS);
		ay_err_code(&e, "MISSING_INPUT");
		ay_api_problem(c, &e);
		return;
	}
	results = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(results, register_one(c, ay_member_item(list, i)));
	if (ay_api_audit(c, "HOST_ADD", ay_bytes_of("register-hosts"),
			 json_pack("{s:I}", "hosts", (json_int_t)n)))
		finish(c, "register_hosts",
		       json_pack("{s:{s:o}, s:{s:O}}", "result", "host_records", results, "hosts",
				 "host_records", list));
	else
		json_decref(results);
}

/* ---- create-whitelist ---- */

static void whitelisted(struct ay_api_call *c)
{
	finish(c, "create_whitelist", json_pack("{s:s}", "result", "true"));
}

void ay_cit_create_whitelist(struct ay_api_call *c)
{
	const json_t *config = ay_member(c->body, "wl_config");
	const json_t *record = ay_member(config, "txt_host_record");

	if (record == NULL)
		record = ay_member(c->body, "host,txt_host_record");
	ay_family_whitelist(c, config, record, whitelisted);
}
