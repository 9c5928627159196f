/* SPDX-License-Identifier: Apache-2.0 */
/* CIT v2: /rpc, /rpc-async, /rpcs */
#include "prog/assayd/family/cit_rpc.h"

#include "core/appraise/reference.h"
#include "io/sys/rng.h"
#include "prog/assayd/approvals.h"
#include "prog/assayd/family/hostview.h"

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

static const json_t *records_of(const json_t *hosts)
{
	const json_t *list = json_object_get(hosts, "HostRecords");

	return list != NULL ? list : json_object_get(hosts, "host_records");
}

/* With options, each record is {"txt_host_record":{..},..}. */
static const json_t *record_of(const json_t *item)
{
	const json_t *r = json_object_get(item, "txt_host_record");

	return r != NULL ? r : item;
}

static json_t *register_one(struct ay_api_call *c, const json_t *item)
{
	const json_t *r = record_of(item);
	struct ay_family_record ask = {
		.name = ay_family_member(r, "host_name", "HostName"),
		.connection =
			ay_family_member(r, "add_on_connection_string", "AddOn_Connection_String"),
		.description = ay_family_member(r, "description", "Description"),
		.tls = json_object_get(r, "tls_policy_choice"),
	};
	const struct ay_host *h = NULL;
	struct ay_err e = { 0 };
	enum ay_rc rc = ay_family_record_put(c, &ask, true, &h, &e);

	return json_pack("{s:s, s:s, s:s, s:s}", "host_name",
			 ask.name.n == 0 ? "" : (const char *)ask.name.p, "status",
			 rc == AY_OK ? "true" : "false", "error_message", rc == AY_OK ? "" : e.text,
			 "error_code",
			 rc == AY_OK	     ? "OK"
			 : e.code[0] == '\0' ? ay_rc_name(rc)
					     : e.code);
}

void ay_cit_register_hosts(struct ay_api_call *c)
{
	const json_t *list = records_of(json_object_get(c->body, "hosts"));
	json_t *results, *item;
	struct ay_err e;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > AY_MAX_RPC_HOSTS) {
		ay_err_set(&e, AY_E_INPUT, "hosts", 0, "give hosts.host_records, at most %d",
			   AY_MAX_RPC_HOSTS);
		ay_err_code(&e, "MISSING_INPUT");
		ay_api_problem(c, &e);
		return;
	}
	results = json_array();
	json_array_foreach (list, i, item)
		json_array_append_new(results, register_one(c, item));
	if (ay_api_audit(c, "HOST_ADD", ay_bytes_of("register-hosts"),
			 json_pack("{s:I}", "hosts", (json_int_t)json_array_size(list))))
		finish(c, "register_hosts",
		       json_pack("{s:{s:o}, s:{s:O}}", "result", "host_records", results, "hosts",
				 "host_records", list));
	else
		json_decref(results);
}

/* ---- create-whitelist ---- */

/* "0,17": bit N is PCR N; 0: not given. */
static enum ay_rc pcrs_of(const json_t *config, const char *key, uint32_t *out, struct ay_err *e)
{
	const char *p = json_string_value(json_object_get(config, key));
	unsigned n = 0;

	*out = 0;
	for (; p != NULL && *p != '\0'; p += *p == ',') {
		for (n = 0; *p >= '0' && *p <= '9' && n < 100; p++)
			n = n * 10 + (unsigned)(*p - '0');
		if (n > 22 || (*p != ',' && *p != '\0'))
			return ay_fail_code(e, AY_E_INPUT, "PCR_UNKNOWN", key,
					    "is a list of PCR numbers, 0 to 22");
		*out |= 1u << n;
	}
	return AY_OK;
}

static bool flag(const json_t *config, const char *key, bool otherwise)
{
	const json_t *v = json_object_get(config, key);

	return v == NULL ? otherwise : json_is_true(v);
}

/* One reference set, in force at once; what there was of that name before ends. */
static enum ay_rc learn(struct ay_api_call *c, const json_t *config, const struct ay_host *h,
			const char *kind, enum ay_part part, struct ay_err *e)
{
	char pcrs[24], named[24];
	struct ay_learn_ask ask = {
		.host = h, .parts = AY_PART_BIT(part), .activate = true, .user = c->who.user
	};
	json_t *set = NULL;
	enum ay_rc rc;

	snprintf(pcrs, sizeof(pcrs), "%s_pcrs", kind);
	snprintf(named, sizeof(named), "%s_mle_name", kind);
	ask.name = ay_family_member(config, named, named);
	if (ask.name.n == 0)
		ask.name = ay_bytes_of(ay_arena_printf(&c->arena, "%s-%s", h->name, kind));
	ask.change.supersede = flag(config, "overwrite_whitelist", false);
	rc = pcrs_of(config, pcrs, &ask.pcrs, e);
	if (rc == AY_OK)
		rc = ay_engine_learn(c->api->engine, &ask, &set, e);
	json_decref(set);
	return rc;
}

static enum ay_rc whitelist(struct ay_api_call *c, const json_t *config, const struct ay_host *h,
			    struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	if (ay_engine_two_persons(c->api->engine, &ay_approval_reference_activate))
		return ay_fail(e, AY_E_DENIED, "wl_config", 0,
			       "two persons are wanted here: learn with assay reference learn");
	if (h->attested_ms == 0)
		return ay_fail_code(e, AY_E_EXISTS, "HOST_OFFLINE", "host_name",
				    "the host has not attested yet: enrol its agent first");
	if (flag(config, "add_bios_white_list", true))
		rc = learn(c, config, h, "bios", AY_PART_PLATFORM, e);
	if (rc == AY_OK && flag(config, "add_vmm_white_list", true))
		rc = learn(c, config, h, "vmm", AY_PART_OS, e);
	return rc;
}

void ay_cit_create_whitelist(struct ay_api_call *c)
{
	const json_t *config = json_object_get(c->body, "wl_config");
	const json_t *record = json_object_get(config, "txt_host_record");
	const json_t *host = json_object_get(c->body, "host");
	struct ay_bytes name =
		ay_family_member(record != NULL ? record : host, "host_name", "HostName");
	const struct ay_host *h = name.n == 0 ? NULL : ay_api_host_find(c, name);
	struct ay_err e = { 0 };

	if (h == NULL) {
		ay_err_set(&e, AY_E_NOENT, "host_name", 0, "no such host: register it first");
		ay_err_code(&e, "HOST_NOT_FOUND");
		ay_api_problem(c, &e);
		return;
	}
	if (ay_api_refused(c, whitelist(c, config, h, &e), &e))
		return;
	if (ay_api_audit(c, "REFERENCE_LEARN", name, json_pack("{s:b}", "activate", 1)))
		finish(c, "create_whitelist", json_pack("{s:s}", "result", "true"));
}
