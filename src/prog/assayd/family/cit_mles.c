/* SPDX-License-Identifier: Apache-2.0 */
/* CIT v2: /oems, /oss, /mles and their PCRs. Ids of OEMs are their names, of OSs NAME@VERSION. */
#include "prog/assayd/family/hostview.h"
#include "prog/assayd/family/members.h"
#include "prog/assayd/family/modules.h"

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s == NULL ? "" : s;
}

static const char *given(const struct ay_api_call *c, const char *one, const char *other)
{
	struct ay_bytes b = ay_family_member(c->body, one, other);

	return b.p == NULL ? "" : (const char *)b.p;
}

static void not_found(struct ay_api_call *c, const char *code)
{
	struct ay_err e;

	ay_err_set(&e, AY_E_NOENT, "id", 0, "nothing has this id");
	ay_err_code(&e, code);
	ay_api_problem(c, &e);
}

/* Does a document meet nameEqualTo and nameContains? */
static bool wanted(const struct ay_api_call *c, const json_t *o)
{
	struct ay_bytes is = ay_api_param(c, "nameEqualTo"), has = ay_api_param(c, "nameContains");
	const char *name = text_of(o, "name");

	return (is.p == NULL || ay_bytes_eq(is, ay_bytes_of(name))) &&
	       (has.p == NULL || strstr(name, (const char *)has.p) != NULL);
}

typedef json_t *view_fn(const json_t *doc);

static void search(struct ay_api_call *c, const char *kind, const char *member, view_fn *view)
{
	const json_t *all = ay_objects(c->api, kind);
	json_t *list = json_array(), *doc;
	const char *key;

	json_object_foreach ((json_t *)(uintptr_t)all, key, doc)
		if (wanted(c, doc))
			json_array_append_new(list, view(doc));
	ay_family_document(c, 200, member, json_pack("{s:o}", member, list));
}

/* ---- OEMs ---- */

static json_t *oem_view(const json_t *o)
{
	return json_pack("{s:s, s:s, s:s}", "id", text_of(o, "name"), "name", text_of(o, "name"),
			 "description", text_of(o, "description"));
}

void ay_cit_oems(struct ay_api_call *c)
{
	search(c, "oem", "oems", oem_view);
}

static void put_oem(struct ay_api_call *c, bool is_new, const char *name)
{
	struct ay_err e = { 0 };

	if (name[0] == '\0') {
		ay_err_set(&e, AY_E_INPUT, "name", 0, "the name is missing");
		ay_err_code(&e, "MISSING_INPUT");
		ay_api_problem(c, &e);
		return;
	}
	if (ay_api_refused(
		    c, ay_oem_put(c->api, is_new, name, given(c, "description", "description"), &e),
		    &e))
		return;
	if (ay_api_audit(c, is_new ? "OEM_ADD" : "OEM_EDIT", ay_bytes_of(name), json_object()))
		ay_family_document(c, 200, "oem", oem_view(ay_oem_find(c->api, name)));
}

void ay_cit_oem_create(struct ay_api_call *c)
{
	put_oem(c, true, given(c, "name", "oem_name"));
}

void ay_cit_oem_update(struct ay_api_call *c)
{
	put_oem(c, false, (const char *)c->param[0].p);
}

void ay_cit_oem(struct ay_api_call *c)
{
	const json_t *o = ay_oem_find(c->api, (const char *)c->param[0].p);

	if (o == NULL)
		not_found(c, "OEM_UNKNOWN");
	else
		ay_family_document(c, 200, "oem", oem_view(o));
}

void ay_cit_oem_delete(struct ay_api_call *c)
{
	struct ay_err e = { 0 };

	if (ay_api_refused(c, ay_oem_remove(c->api, (const char *)c->param[0].p, &e), &e))
		return;
	if (ay_api_audit(c, "OEM_REMOVE", c->param[0], json_object()))
		ay_api_empty(c, 204);
}

/* ---- OSs ---- */

static json_t *os_view(const json_t *o)
{
	char id[2 * AY_MAX_NAME_BYTES + 2];

	snprintf(id, sizeof(id), "%.128s@%.100s", text_of(o, "name"), text_of(o, "version"));
	return json_pack("{s:s, s:s, s:s, s:s}", "id", id, "name", text_of(o, "name"), "version",
			 text_of(o, "version"), "description", text_of(o, "description"));
}

void ay_cit_oss(struct ay_api_call *c)
{
	search(c, "os", "oss", os_view);
}

/* NAME@VERSION to its document; NULL: none. */
static const json_t *os_of(const struct ay_api_call *c, const char *id)
{
	char name[AY_MAX_NAME_BYTES + 1];
	const char *at = strrchr(id, '@');

	if (at == NULL || at - id > AY_MAX_NAME_BYTES)
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)(at - id), id);
	return ay_os_find(c->api, name, at + 1);
}

static void put_os(struct ay_api_call *c, bool is_new, const char *name, const char *version)
{
	struct ay_err e = { 0 };

	if (name[0] == '\0' || version[0] == '\0') {
		ay_err_set(&e, AY_E_INPUT, "name", 0, "name or version is missing");
		ay_err_code(&e, "MISSING_INPUT");
		ay_api_problem(c, &e);
		return;
	}
	if (ay_api_refused(c,
			   ay_os_put(c->api, is_new, name, version,
				     given(c, "description", "description"), &e),
			   &e))
		return;
	if (ay_api_audit(c, is_new ? "OS_ADD" : "OS_EDIT", ay_bytes_of(name), json_object()))
		ay_family_document(c, 200, "os", os_view(ay_os_find(c->api, name, version)));
}

void ay_cit_os_create(struct ay_api_call *c)
{
	put_os(c, true, given(c, "name", "os_name"), given(c, "version", "os_version"));
}

void ay_cit_os_update(struct ay_api_call *c)
{
	const json_t *o = os_of(c, (const char *)c->param[0].p);

	if (o == NULL)
		not_found(c, "OS_UNKNOWN");
	else
		put_os(c, false, ay_arena_printf(&c->arena, "%s", text_of(o, "name")),
		       ay_arena_printf(&c->arena, "%s", text_of(o, "version")));
}

void ay_cit_os(struct ay_api_call *c)
{
	const json_t *o = os_of(c, (const char *)c->param[0].p);

	if (o == NULL)
		not_found(c, "OS_UNKNOWN");
	else
		ay_family_document(c, 200, "os", os_view(o));
}

void ay_cit_os_delete(struct ay_api_call *c)
{
	const json_t *o = os_of(c, (const char *)c->param[0].p);
	struct ay_err e = { 0 };
	char *name, *version;

	if (o == NULL) {
		not_found(c, "OS_UNKNOWN");
		return;
	}
	name = ay_arena_printf(&c->arena, "%s", text_of(o, "name"));
	version = ay_arena_printf(&c->arena, "%s", text_of(o, "version"));
	if (ay_api_refused(c, ay_os_remove(c->api, name, version, &e), &e))
		return;
	if (ay_api_audit(c, "OS_REMOVE", c->param[0], json_object()))
		ay_api_empty(c, 204);
}

/* ---- MLEs ---- */

static json_t *pcr_view(const json_t *mle, const char *pcr)
{
	const char *value = ay_mle_pcr_value(mle, pcr), *bank = value ? ay_mle_bank(value) : NULL;

	return json_pack("{s:s, s:s, s:s, s:s?, s:s?}", "id", pcr, "mle_uuid", text_of(mle, "id"),
			 "pcr_index", pcr, "pcr_value", value, "pcr_bank", bank);
}

/* All PCRs: required ones, with or without value. */
static json_t *pcrs_view(const json_t *mle)
{
	json_t *list = json_array(), *v;
	char pcr[24];
	size_t i;

	json_array_foreach (json_object_get(mle, "required"), i, v) {
		snprintf(pcr, sizeof(pcr), "%lld", (long long)json_integer_value(v));
		json_array_append_new(list, pcr_view(mle, pcr));
	}
	return list;
}

static json_t *mle_view(const json_t *m)
{
	char os[2 * AY_MAX_NAME_BYTES + 2];
	bool has_os = json_object_get(m, "os") != NULL;

	snprintf(os, sizeof(os), "%.128s@%.100s", text_of(m, "os"), text_of(m, "os_version"));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?, s:s?, s:s, s:o}", "id", text_of(m, "id"),
			 "name", text_of(m, "name"), "version", text_of(m, "version"),
			 "attestation_type", text_of(m, "attestation"), "mle_type",
			 text_of(m, "type"), "os_uuid", has_os ? os : NULL, "oem_uuid",
			 has_os ? NULL : text_of(m, "oem"), "description",
			 text_of(m, "description"), "mle_manifests", pcrs_view(m));
}

void ay_cit_mles(struct ay_api_call *c)
{
	search(c, "mle", "mles", mle_view);
}

/* The MLE of the path, or NULL and the call is answered. */
static const json_t *mle_of(struct ay_api_call *c)
{
	const json_t *m = ay_mle_by_id(c->api, (const char *)c->param[0].p);

	if (m == NULL)
		not_found(c, "MLE_UNKNOWN");
	return m;
}

/* [{"name":"17","value":hex}] of the body. */
static enum ay_rc take_manifests(const struct ay_api_call *c, json_t *mle, struct ay_err *e)
{
	const json_t *list = ay_member(c->body, "mle_manifests");
	enum ay_rc rc = AY_OK;

	for (size_t i = 0; rc == AY_OK && i < ay_member_items(list); i++) {
		const json_t *v = ay_member_item(list, i);

		rc = ay_mle_set_pcr(mle, ay_member_text(v, "name,pcr_index"),
				    ay_member_text(v, "value,pcr_value"), e);
	}
	return rc;
}

/* Takes mle. */
static void keep_mle(struct ay_api_call *c, json_t *mle, enum ay_rc rc, struct ay_err *e,
		     const char *action)
{
	char id[AY_UUID_TEXT] = "";

	if (rc == AY_OK)
		rc = ay_mle_keep(c, json_incref(mle), id, e);
	if (id[0] == '\0')
		snprintf(id, sizeof(id), "%s", text_of(mle, "id"));
	json_decref(mle);
	if (ay_api_refused(c, rc, e))
		return;
	if (ay_api_audit(c, action, ay_bytes_of(id), json_object()))
		ay_family_document(c, 200, "mle", mle_view(ay_mle_by_id(c->api, id)));
}

void ay_cit_mle_create(struct ay_api_call *c)
{
	const json_t *os = os_of(c, given(c, "os_uuid", "os_id"));
	const char *oem = given(c, "oem_uuid", "oem_name"), *type = given(c, "mle_type", "type");
	const char *attestation = given(c, "attestation_type", "attestation");
	json_t *mle = json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", given(c, "name", "mle_name"),
				"version", given(c, "version", "mle_version"), "type", type,
				"attestation", attestation[0] ? attestation : "PCR", "description",
				given(c, "description", "description"));
	struct ay_err e = { 0 };
	enum ay_rc rc = AY_OK;

	if (os != NULL) {
		json_object_set_new(mle, "os", json_string(text_of(os, "name")));
		json_object_set_new(mle, "os_version", json_string(text_of(os, "version")));
	}
	if (oem[0] != '\0')
		json_object_set_new(mle, "oem", json_string(oem));
	if ((strcmp(type, "BIOS") != 0 && strcmp(type, "VMM") != 0) ||
	    text_of(mle, "name")[0] == '\0' || text_of(mle, "version")[0] == '\0')
		rc = ay_fail_code(&e, AY_E_INPUT, "MLE_INPUT", "mle",
				  "give name, version and mle_type, BIOS or VMM");
	if (rc == AY_OK && os == NULL && oem[0] == '\0')
		rc = ay_fail_code(&e, AY_E_INPUT,
				  strcmp(type, "VMM") == 0 ? "OS_UNKNOWN" : "OEM_UNKNOWN", "mle",
				  "give oem_uuid of a BIOS, os_uuid of a VMM");
	if (rc == AY_OK)
		rc = take_manifests(c, mle, &e);
	keep_mle(c, mle, rc, &e, "MLE_ADD");
}

void ay_cit_mle(struct ay_api_call *c)
{
	const json_t *m = mle_of(c);

	if (m != NULL)
		ay_family_document(c, 200, "mle", mle_view(m));
}

void ay_cit_mle_update(struct ay_api_call *c)
{
	const json_t *m = mle_of(c);
	struct ay_err e = { 0 };
	json_t *copy;

	if (m == NULL)
		return;
	copy = json_deep_copy(m);
	if (json_object_get(c->body, "description") != NULL)
		json_object_set_new(copy, "description",
				    json_string(given(c, "description", "description")));
	keep_mle(c, copy, take_manifests(c, copy, &e), &e, "MLE_EDIT");
}

void ay_cit_mle_delete(struct ay_api_call *c)
{
	struct ay_err e = { 0 };

	if (mle_of(c) == NULL ||
	    ay_api_refused(c, ay_mle_remove(c, (const char *)c->param[0].p, &e), &e))
		return;
	if (ay_api_audit(c, "MLE_REMOVE", c->param[0], json_object()))
		ay_api_empty(c, 204);
}

/* ---- PCRs of an MLE ---- */

void ay_cit_pcrs(struct ay_api_call *c)
{
	const json_t *m = mle_of(c);

	if (m != NULL)
		ay_family_document(c, 200, "mle_pcr_collection",
				   json_pack("{s:o}", "mle_pcrs", pcrs_view(m)));
}

static void put_pcr(struct ay_api_call *c, const char *pcr)
{
	const json_t *m = mle_of(c);
	struct ay_err e = { 0 };
	json_t *copy;

	if (m == NULL)
		return;
	copy = json_deep_copy(m);
	keep_mle(c, copy, ay_mle_set_pcr(copy, pcr, given(c, "pcr_value", "value"), &e), &e,
		 "MLE_PCR_EDIT");
}

void ay_cit_pcr_create(struct ay_api_call *c)
{
	put_pcr(c, given(c, "pcr_index", "name"));
}

void ay_cit_pcr_update(struct ay_api_call *c)
{
	put_pcr(c, (const char *)c->param[1].p);
}

void ay_cit_pcr(struct ay_api_call *c)
{
	const json_t *m = mle_of(c);

	if (m == NULL)
		return;
	if (ay_mle_pcr_value(m, (const char *)c->param[1].p) == NULL)
		not_found(c, "PCR_MISSING");
	else
		ay_family_document(c, 200, "mle_pcr", pcr_view(m, (const char *)c->param[1].p));
}

void ay_cit_pcr_delete(struct ay_api_call *c)
{
	const json_t *m = mle_of(c);
	struct ay_err e = { 0 };
	json_t *copy;

	if (m == NULL)
		return;
	copy = json_deep_copy(m);
	keep_mle(c, copy, ay_mle_drop_pcr(copy, (const char *)c->param[1].p, &e), &e,
		 "MLE_PCR_REMOVE");
}

/* ---- modules ---- */

static json_t *module_view(const json_t *mle, const json_t *m)
{
	char id[AY_MODULE_ID];

	ay_module_id(m, id);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:O*, s:s, s:s, s:s, s:b}", "id", id,
			 "mle_uuid", text_of(mle, "id"), "event_name", text_of(m, "event"),
			 "module_name", text_of(m, "component"), "module_value",
			 text_of(m, "digest"), "extended_to_pcr", json_object_get(m, "pcr"),
			 "package_name", text_of(m, "package_name"), "package_vendor",
			 text_of(m, "package_vendor"), "package_version",
			 text_of(m, "package_version"), "use_host_specific_digest",
			 (int)json_is_true(json_object_get(m, "host_specific")));
}

void ay_cit_modules(struct ay_api_call *c)
{
	const json_t *m = mle_of(c);
	json_t *list, *v;
	size_t i;

	if (m == NULL)
		return;
	list = json_array();
	json_array_foreach (json_object_get(m, "modules"), i, v)
		json_array_append_new(list, module_view(m, v));
	ay_family_document(c, 200, "mle_module_collection",
			   json_pack("{s:o}", "mle_modules", list));
}

/* A number or a text. */
static const char *pcr_of(struct ay_api_call *c)
{
	const json_t *v = json_object_get(c->body, "extended_to_pcr");

	return json_is_integer(v)
		       ? ay_arena_printf(&c->arena, "%lld", (long long)json_integer_value(v))
		       : ay_member_text(c->body, "extended_to_pcr");
}

void ay_cit_module_create(struct ay_api_call *c)
{
	const json_t *m = mle_of(c);
	struct ay_module new = {
		.component = ay_member_text(c->body, "module_name,component_name"),
		.event = ay_member_text(c->body, "event_name"),
		.pcr = pcr_of(c),
		.digest = ay_member_text(c->body, "module_value,digest_value"),
		.package_name = ay_member_text(c->body, "package_name"),
		.package_vendor = ay_member_text(c->body, "package_vendor"),
		.package_version = ay_member_text(c->body, "package_version"),
		.host_specific = ay_member_truth(c->body, "use_host_specific_digest", false),
	};
	struct ay_err e = { 0 };
	json_t *copy;
	enum ay_rc rc = AY_OK;

	if (m == NULL)
		return;
	copy = json_deep_copy(m);
	if (new.component[0] == '\0' || strlen(new.component) > 255 || strlen(new.event) > 255 ||
	    strlen(new.digest) > 128)
		rc = ay_fail_code(&e, AY_E_INPUT, "MISSING_INPUT", "module_name",
				  "module_name is missing, or a text is too long");
	if (rc == AY_OK)
		rc = ay_module_change(copy, &new, AY_MODULE_ADD, &e);
	if (rc == AY_OK)
		rc = ay_mle_keep(c, json_incref(copy), NULL, &e);
	if (!ay_api_refused(c, rc, &e) &&
	    ay_api_audit(c, "MLE_MODULE_ADD", c->param[0], json_object())) {
		const json_t *all = json_object_get(copy, "modules");

		ay_family_document(
			c, 200, "mle_module",
			module_view(copy, json_array_get(all, json_array_size(all) - 1)));
	}
	json_decref(copy);
}

void ay_cit_module_delete(struct ay_api_call *c)
{
	const json_t *m = mle_of(c);
	int at = m == NULL ? -1 : ay_module_by_id(m, (const char *)c->param[1].p);
	struct ay_err e = { 0 };
	json_t *copy;

	if (m == NULL)
		return;
	if (at < 0) {
		not_found(c, "MODULE_MISSING");
		return;
	}
	copy = json_deep_copy(m);
	json_array_remove(json_object_get(copy, "modules"), (size_t)at);
	if (!ay_api_refused(c, ay_mle_keep(c, copy, NULL, &e), &e) &&
	    ay_api_audit(c, "MLE_MODULE_REMOVE", c->param[0], json_object()))
		ay_api_empty(c, 204);
}

/* ---- the host that an MLE was made from ---- */

static json_t *source_view(const json_t *m)
{
	return json_pack("{s:s, s:s, s:s}", "id", text_of(m, "id"), "mle_uuid", text_of(m, "id"),
			 "name", text_of(m, "source"));
}

void ay_cit_source(struct ay_api_call *c)
{
	const json_t *m = mle_of(c);
	json_t *list;

	if (m == NULL)
		return;
	list = json_array();
	if (json_object_get(m, "source") != NULL)
		json_array_append_new(list, source_view(m));
	ay_family_document(c, 200, "mle_source_collection",
			   json_pack("{s:o}", "mle_sources", list));
}

static void put_source(struct ay_api_call *c, enum ay_module_change how, const char *action)
{
	const json_t *m = mle_of(c);
	const char *name = ay_member_text(c->body, "name,host_name");
	struct ay_err e = { 0 };
	json_t *copy;
	enum ay_rc rc = AY_OK;

	if (m == NULL)
		return;
	copy = json_deep_copy(m);
	if (how != AY_MODULE_REMOVE && (name[0] == '\0' || strlen(name) > AY_MAX_NAME_BYTES))
		rc = ay_fail_code(&e, AY_E_INPUT, "MISSING_INPUT", "name",
				  "the name of the host is missing or too long");
	if (rc == AY_OK)
		rc = ay_mle_source(copy, how, name, &e);
	if (rc == AY_OK)
		rc = ay_mle_keep(c, json_incref(copy), NULL, &e);
	if (!ay_api_refused(c, rc, &e) && ay_api_audit(c, action, c->param[0], json_object())) {
		if (how == AY_MODULE_REMOVE)
			ay_api_empty(c, 204);
		else
			ay_family_document(c, 200, "mle_source", source_view(copy));
	}
	json_decref(copy);
}

void ay_cit_source_create(struct ay_api_call *c)
{
	put_source(c, AY_MODULE_ADD, "MLE_SOURCE_ADD");
}

void ay_cit_source_update(struct ay_api_call *c)
{
	put_source(c, AY_MODULE_EDIT, "MLE_SOURCE_EDIT");
}

void ay_cit_source_delete(struct ay_api_call *c)
{
	put_source(c, AY_MODULE_REMOVE, "MLE_SOURCE_REMOVE");
}
