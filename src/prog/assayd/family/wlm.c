/* SPDX-License-Identifier: Apache-2.0 */
/* /WLMService/resources: OEMs, OSs, MLEs and their whitelists (facts/mtwilson.md 2.3). */
#include "prog/assayd/family/args.h"
#include "prog/assayd/family/modules.h"

#include <stdlib.h>

/* ---- what is sent ---- */

enum { NAME, VERSION, DESCRIPTION };

static const struct ay_family_arg_rule oem_rules[] = {
	{ "Name", 50, 255, true, true },
	{ "Description", 100, 1024, false, false },
	{ 0 },
};
static const struct ay_family_arg_rule os_rules[] = {
	{ "Name", 50, 255, true, true },
	{ "Version", 50, 255, true, true },
	{ "Description", 100, 1024, false, false },
	{ 0 },
};
static const struct ay_family_arg_rule mle_rules[] = {
	{ "Name", 50, 255, true, true },
	{ "Version", 100, 255, true, true },
	{ "OemName", 50, 255, false, true },
	{ "OsName", 50, 255, false, true },
	{ "OsVersion", 50, 255, false, true },
	{ "Attestation_Type", 10, 20, true, false },
	{ "MLE_Type", 10, 20, true, false },
	{ "Description", 100, 1024, false, false },
	{ 0 },
};
/* How whitelist calls name their MLE. */
static const struct ay_family_arg_rule key_rules[] = {
	{ "mleName", 50, 255, true, true },    { "mleVersion", 100, 255, true, true },
	{ "oemName", 50, 255, false, true },   { "osName", 50, 255, false, true },
	{ "osVersion", 50, 255, false, true }, { 0 },
};
static const struct ay_family_arg_rule pcr_rules[] = {
	{ "pcrName", 10, 10, true, true },
	{ "pcrDigest", 100, 128, false, true },
	{ 0 },
};
static const struct ay_family_arg_rule module_rules[] = {
	{ "componentName", 100, 255, true, false },   { "eventName", 100, 255, false, false },
	{ "extendedToPCR", 10, 10, false, false },    { "digestValue", 100, 128, false, false },
	{ "packageName", 100, 255, false, false },    { "packageVendor", 100, 255, false, false },
	{ "packageVersion", 100, 255, false, false }, { 0 },
};

/* A change: done, or why not. what and which: for the audit. */
static void end_change(struct ay_api_call *c, enum ay_rc rc, const struct ay_err *e,
		       const char *what, const char *which)
{
	if (ay_api_refused(c, rc, e))
		return;
	if (ay_api_audit(c, what, ay_bytes_of(which), json_object()))
		ay_family_done(c);
}

/* ---- OEM ---- */

static void put_oem(struct ay_api_call *c, bool is_new)
{
	const char *v[AY_COUNT(oem_rules)];
	struct ay_err e = { 0 };
	enum ay_rc rc = ay_family_args(c, oem_rules, v, &e);

	if (rc == AY_OK)
		rc = ay_oem_put(c->api, is_new, v[0], v[1], &e);
	end_change(c, rc, &e, is_new ? "OEM_ADD" : "OEM_EDIT", rc == AY_OK ? v[0] : "");
}

void ay_oat_oem_add(struct ay_api_call *c)
{
	put_oem(c, true);
}

void ay_oat_oem_edit(struct ay_api_call *c)
{
	put_oem(c, false);
}

void ay_oat_oem_remove(struct ay_api_call *c)
{
	const char *v[AY_COUNT(oem_rules)];
	struct ay_err e = { 0 };
	enum ay_rc rc = ay_family_args(c, oem_rules, v, &e);

	if (rc == AY_OK)
		rc = ay_oem_remove(c->api, v[0], &e);
	end_change(c, rc, &e, "OEM_REMOVE", rc == AY_OK ? v[0] : "");
}

static json_t *member(const json_t *o, const char *name)
{
	json_t *v = json_object_get(o, name);

	return v == NULL ? json_string("") : json_incref(v);
}

void ay_oat_oem_list(struct ay_api_call *c)
{
	json_t *list = json_array(), *o;
	const char *key;

	json_object_foreach ((json_t *)(uintptr_t)ay_objects(c->api, "oem"), key, o)
		json_array_append_new(list, json_pack("{s:o, s:o}", "Name", member(o, "name"),
						      "Description", member(o, "description")));
	ay_family_document(c, 200, "oems", list);
}

/* ---- OS ---- */

static void put_os(struct ay_api_call *c, bool is_new)
{
	const char *v[AY_COUNT(os_rules)];
	struct ay_err e = { 0 };
	enum ay_rc rc = ay_family_args(c, os_rules, v, &e);

	if (rc == AY_OK)
		rc = ay_os_put(c->api, is_new, v[NAME], v[VERSION], v[DESCRIPTION], &e);
	end_change(c, rc, &e, is_new ? "OS_ADD" : "OS_EDIT", rc == AY_OK ? v[NAME] : "");
}

void ay_oat_os_add(struct ay_api_call *c)
{
	put_os(c, true);
}

void ay_oat_os_edit(struct ay_api_call *c)
{
	put_os(c, false);
}

void ay_oat_os_remove(struct ay_api_call *c)
{
	const char *v[AY_COUNT(os_rules)];
	struct ay_err e = { 0 };
	enum ay_rc rc = ay_family_args(c, os_rules, v, &e);

	if (rc == AY_OK)
		rc = ay_os_remove(c->api, v[NAME], v[VERSION], &e);
	end_change(c, rc, &e, "OS_REMOVE", rc == AY_OK ? v[NAME] : "");
}

void ay_oat_os_list(struct ay_api_call *c)
{
	json_t *list = json_array(), *o;
	const char *key;

	json_object_foreach ((json_t *)(uintptr_t)ay_objects(c->api, "os"), key, o)
		json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "Name", member(o, "name"),
						      "Version", member(o, "version"),
						      "Description", member(o, "description")));
	ay_family_document(c, 200, "oss", list);
}

/* ---- MLE ---- */

static enum ay_rc find_mle(struct ay_api_call *c, const char *const v[5], const json_t **out,
			   struct ay_err *e)
{
	struct ay_mle_key k = { v[0], v[1], v[2], v[3], v[4] };

	*out = ay_mle_find(c->api, &k);
	return *out != NULL ? AY_OK
			    : ay_fail_code(e, AY_E_NOENT, "MLE_UNKNOWN", "mleName",
					   "there is no such MLE");
}

/* The MLE that the request names; a copy of it, to be changed, when copy is not NULL. */
static enum ay_rc named_mle(struct ay_api_call *c, const json_t **out, json_t **copy,
			    struct ay_err *e)
{
	const char *v[AY_COUNT(key_rules)];
	enum ay_rc rc = ay_family_args(c, key_rules, v, e);

	if (rc == AY_OK)
		rc = find_mle(c, v, out, e);
	if (rc == AY_OK && copy != NULL) {
		*copy = json_deep_copy(*out);
		if (*copy == NULL)
			rc = ay_fail(e, AY_E_NOMEM, "mle", 0, "out of memory");
	}
	return rc;
}

/* MLE_Manifests: [{"Name":"18","Value":"hex"}]; a value may be left for later. */
static enum ay_rc take_manifests(struct ay_api_call *c, json_t *mle, struct ay_err *e)
{
	json_t *list = json_object_get(c->body, "MLE_Manifests"), *m;
	size_t i;
	enum ay_rc rc = AY_OK;

	if (list == NULL || json_is_null(list))
		return AY_OK;
	json_object_del(mle, "pcrs");
	json_object_del(mle, "required");
	json_array_foreach (list, i, m) {
		const char *pcr = json_string_value(json_object_get(m, "Name"));
		const char *value = json_string_value(json_object_get(m, "Value"));

		if (rc == AY_OK)
			rc = ay_mle_set_pcr(mle, pcr == NULL ? "" : pcr, value == NULL ? "" : value,
					    e);
	}
	return rc;
}

void ay_oat_mle_add(struct ay_api_call *c)
{
	const char *v[AY_COUNT(mle_rules)];
	struct ay_err e = { 0 };
	json_t *mle = NULL;
	enum ay_rc rc = ay_family_args(c, mle_rules, v, &e);

	if (rc == AY_OK) {
		mle = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name", v[0], "version",
				v[1], "oem", v[2], "os", v[3], "os_version", v[4], "attestation",
				v[5], "type", v[6], "description", v[7]);
		rc = take_manifests(c, mle, &e);
	}
	if (rc == AY_OK)
		rc = ay_mle_keep(c, json_incref(mle), NULL, &e);
	json_decref(mle);
	end_change(c, rc, &e, "MLE_ADD", rc == AY_OK ? v[0] : "");
}

void ay_oat_mle_edit(struct ay_api_call *c)
{
	const char *v[AY_COUNT(mle_rules)];
	struct ay_err e = { 0 };
	const json_t *found = NULL;
	json_t *mle = NULL;
	enum ay_rc rc = ay_family_args(c, mle_rules, v, &e);

	if (rc == AY_OK)
		rc = find_mle(c, v, &found, &e);
	if (rc == AY_OK) {
		mle = json_deep_copy(found);
		json_object_set_new(mle, "description", json_string(v[7]));
		json_object_set_new(mle, "attestation", json_string(v[5]));
		rc = take_manifests(c, mle, &e);
	}
	if (rc == AY_OK)
		rc = ay_mle_keep(c, json_incref(mle), NULL, &e);
	json_decref(mle);
	end_change(c, rc, &e, "MLE_EDIT", rc == AY_OK ? v[0] : "");
}

void ay_oat_mle_remove(struct ay_api_call *c)
{
	const json_t *mle = NULL;
	struct ay_err e = { 0 };
	enum ay_rc rc = named_mle(c, &mle, NULL, &e);
	char id[AY_UUID_TEXT] = "";

	if (rc == AY_OK) {
		snprintf(id, sizeof(id), "%s", json_string_value(json_object_get(mle, "id")));
		rc = ay_mle_remove(c, id, &e);
	}
	end_change(c, rc, &e, "MLE_REMOVE", id);
}

/* Required PCRs with the values there are. */
static json_t *manifests(const json_t *mle)
{
	json_t *list = json_array(), *v;
	size_t i;

	json_array_foreach (json_object_get(mle, "required"), i, v) {
		char pcr[24];
		const char *value;

		snprintf(pcr, sizeof(pcr), "%lld", (long long)json_integer_value(v));
		value = ay_mle_pcr_value(mle, pcr);
		json_array_append_new(list, json_pack("{s:s, s:s}", "Name", pcr, "Value",
						      value == NULL ? "" : value));
	}
	return list;
}

static json_t *mle_json(const json_t *m, bool is_full)
{
	json_t *o =
		json_pack("{s:o, s:o, s:o, s:o, s:o}", "Name", member(m, "name"), "Version",
			  member(m, "version"), "Attestation_Type", member(m, "attestation"),
			  "MLE_Type", member(m, "type"), "Description", member(m, "description"));

	json_object_set_new(o, "OemName", member(m, "oem"));
	json_object_set_new(o, "OsName", member(m, "os"));
	json_object_set_new(o, "OsVersion", member(m, "os_version"));
	json_object_set_new(o, "MLE_Manifests", is_full ? manifests(m) : json_array());
	return o;
}

static bool fits(const json_t *m, const char *search)
{
	const char *name = json_string_value(json_object_get(m, "name"));

	return search == NULL || search[0] == '\0' ||
	       (name != NULL && strstr(name, search) != NULL);
}

void ay_oat_mle_list(struct ay_api_call *c)
{
	const char *search = ay_family_arg(c, "searchCriteria"), *key;
	json_t *list = json_array(), *m;

	json_object_foreach ((json_t *)(uintptr_t)ay_objects(c->api, "mle"), key, m)
		if (fits(m, search))
			json_array_append_new(list, mle_json(m, false));
	ay_family_document(c, 200, "mles", list);
}

void ay_oat_mle_show(struct ay_api_call *c)
{
	const json_t *mle = NULL;
	struct ay_err e = { 0 };

	if (!ay_api_refused(c, named_mle(c, &mle, NULL, &e), &e))
		ay_family_document(c, 200, "mle", mle_json(mle, true));
}

/* ---- PCR whitelist ---- */

static void put_pcr(struct ay_api_call *c, bool is_new)
{
	const char *v[AY_COUNT(pcr_rules)];
	const json_t *mle = NULL;
	json_t *copy = NULL;
	struct ay_err e = { 0 };
	enum ay_rc rc = ay_family_args(c, pcr_rules, v, &e);
	bool is_there;

	if (rc == AY_OK && v[1][0] == '\0')
		rc = ay_fail_code(&e, AY_E_INPUT, "MISSING_INPUT", "pcrDigest",
				  "pcrDigest is missing or empty");
	if (rc == AY_OK)
		rc = named_mle(c, &mle, &copy, &e);
	is_there = rc == AY_OK && ay_mle_pcr_value(mle, v[0]) != NULL;
	if (rc == AY_OK && is_new && is_there)
		rc = ay_fail_code(&e, AY_E_EXISTS, "PCR_EXISTS", "pcrName",
				  "PCR %.10s has a value already", v[0]);
	if (rc == AY_OK && !is_new) /* the family has one value: it is replaced in every bank */
		rc = ay_mle_drop_pcr(copy, v[0], &e);
	if (rc == AY_OK)
		rc = ay_mle_set_pcr(copy, v[0], v[1], &e);
	if (rc == AY_OK)
		rc = ay_mle_keep(c, json_incref(copy), NULL, &e);
	json_decref(copy);
	end_change(c, rc, &e, is_new ? "MLE_PCR_ADD" : "MLE_PCR_EDIT", rc == AY_OK ? v[0] : "");
}

void ay_oat_pcr_add(struct ay_api_call *c)
{
	put_pcr(c, true);
}

void ay_oat_pcr_edit(struct ay_api_call *c)
{
	put_pcr(c, false);
}

void ay_oat_pcr_remove(struct ay_api_call *c)
{
	const char *v[AY_COUNT(pcr_rules)];
	const json_t *mle = NULL;
	json_t *copy = NULL;
	struct ay_err e = { 0 };
	enum ay_rc rc = ay_family_args(c, pcr_rules, v, &e);

	if (rc == AY_OK)
		rc = named_mle(c, &mle, &copy, &e);
	if (rc == AY_OK)
		rc = ay_mle_drop_pcr(copy, v[0], &e);
	if (rc == AY_OK)
		rc = ay_mle_keep(c, json_incref(copy), NULL, &e);
	json_decref(copy);
	end_change(c, rc, &e, "MLE_PCR_REMOVE", rc == AY_OK ? v[0] : "");
}

/* ---- module whitelist ---- */

static bool flag(const struct ay_api_call *c, const char *name)
{
	const json_t *v = json_object_get(c->body, name);
	const char *s = ay_family_arg(c, name);

	return json_is_true(v) || (s != NULL && strcasecmp(s, "true") == 0);
}

static void put_module(struct ay_api_call *c, enum ay_module_change how, const char *what)
{
	const char *v[AY_COUNT(module_rules)];
	struct ay_module m;
	const json_t *mle = NULL;
	json_t *copy = NULL;
	struct ay_err e = { 0 };
	enum ay_rc rc = ay_family_args(c, module_rules, v, &e);

	if (rc == AY_OK)
		rc = named_mle(c, &mle, &copy, &e);
	if (rc == AY_OK)
		m = (struct ay_module){ v[0], v[1], v[2], v[3],
					v[4], v[5], v[6], flag(c, "useHostSpecificDigest") };
	if (rc == AY_OK)
		rc = ay_module_change(copy, &m, how, &e);
	if (rc == AY_OK)
		rc = ay_mle_keep(c, json_incref(copy), NULL, &e);
	json_decref(copy);
	end_change(c, rc, &e, what, rc == AY_OK ? v[0] : "");
}

void ay_oat_module_add(struct ay_api_call *c)
{
	put_module(c, AY_MODULE_ADD, "MLE_MODULE_ADD");
}

void ay_oat_module_edit(struct ay_api_call *c)
{
	put_module(c, AY_MODULE_EDIT, "MLE_MODULE_EDIT");
}

void ay_oat_module_remove(struct ay_api_call *c)
{
	put_module(c, AY_MODULE_REMOVE, "MLE_MODULE_REMOVE");
}

/* ---- the host that a whitelist was taken from ---- */

static void put_source(struct ay_api_call *c, enum ay_module_change how, const char *what)
{
	static const struct ay_family_arg_rule rules[] = { { "hostName", 100, 255, true, true },
							   { 0 } };
	const char *v[AY_COUNT(rules)] = { "" };
	const json_t *mle = NULL;
	json_t *copy = NULL;
	struct ay_err e = { 0 };
	enum ay_rc rc = how == AY_MODULE_REMOVE ? AY_OK : ay_family_args(c, rules, v, &e);

	if (rc == AY_OK)
		rc = named_mle(c, &mle, &copy, &e);
	if (rc == AY_OK)
		rc = ay_mle_source(copy, how, v[0], &e);
	if (rc == AY_OK)
		rc = ay_mle_keep(c, json_incref(copy), NULL, &e);
	json_decref(copy);
	end_change(c, rc, &e, what, v[0]);
}

void ay_oat_source_add(struct ay_api_call *c)
{
	put_source(c, AY_MODULE_ADD, "MLE_SOURCE_ADD");
}

void ay_oat_source_edit(struct ay_api_call *c)
{
	put_source(c, AY_MODULE_EDIT, "MLE_SOURCE_EDIT");
}

void ay_oat_source_remove(struct ay_api_call *c)
{
	put_source(c, AY_MODULE_REMOVE, "MLE_SOURCE_REMOVE");
}

void ay_oat_source_show(struct ay_api_call *c)
{
	const json_t *mle = NULL;
	const char *source;
	struct ay_err e = { 0 };

	if (ay_api_refused(c, named_mle(c, &mle, NULL, &e), &e))
		return;
	source = json_string_value(json_object_get(mle, "source"));
	if (source != NULL) {
		ay_family_text(c, 200, source);
		return;
	}
	ay_err_set(&e, AY_E_NOENT, "hostName", 0, "the MLE has no source");
	ay_err_code(&e, "SOURCE_MISSING");
	ay_api_problem(c, &e);
}
