/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/family/mle.h"

#include "core/base/numbers.h"
#include "io/sys/rng.h"
#include "prog/assayd/approvals.h"

#include <stdlib.h>

static const char *text(const json_t *o, const char *member)
{
	const char *s = json_string_value(json_object_get(o, member));

	return s == NULL ? "" : s;
}

static const char *or_empty(const char *s)
{
	return s == NULL ? "" : s;
}

/* ---- finding MLEs ---- */

static bool is_of(const json_t *m, const struct ay_mle_key *k)
{
	return strcmp(text(m, "name"), or_empty(k->name)) == 0 &&
	       strcmp(text(m, "version"), or_empty(k->version)) == 0 &&
	       strcmp(text(m, "oem"), or_empty(k->oem)) == 0 &&
	       strcmp(text(m, "os"), or_empty(k->os)) == 0 &&
	       strcmp(text(m, "os_version"), or_empty(k->os_version)) == 0;
}

const json_t *ay_mle_find(const struct ay_api *a, const struct ay_mle_key *k)
{
	json_t *all = (json_t *)(uintptr_t)ay_objects(a, "mle"), *m;
	const char *key;

	json_object_foreach (all, key, m)
		if (is_of(m, k))
			return m;
	return NULL;
}

const json_t *ay_mle_by_id(const struct ay_api *a, const char *id)
{
	return ay_object(a, "mle", id);
}

size_t ay_mle_users(const struct ay_api *a, const char *id)
{
	json_t *all = (json_t *)(uintptr_t)ay_objects(a, "host"), *h;
	const char *key;
	size_t n = 0;

	json_object_foreach (all, key, h)
		n += (strcmp(text(h, "bios_mle"), id) == 0 ||
		      strcmp(text(h, "vmm_mle"), id) == 0) &&
		     ay_engine_host_find(a->engine, ay_bytes_of(key)) != NULL;
	return n;
}

/* ---- what an MLE may hold ---- */

static enum ay_rc check_owner(const struct ay_api *a, const json_t *m, struct ay_err *e)
{
	bool has_oem = text(m, "oem")[0] != '\0', has_os = text(m, "os")[0] != '\0';

	if (has_oem && has_os)
		return ay_fail_code(e, AY_E_INPUT, "OEM_AND_OS", "OemName",
				    "give an OEM or an OS, not both");
	if (strcmp(text(m, "type"), "BIOS") == 0) {
		if (!has_oem)
			return ay_fail_code(e, AY_E_INPUT, "MLE_INPUT", "OemName",
					    "a BIOS needs the name of its OEM");
		return ay_oem_find(a, text(m, "oem")) != NULL
			       ? AY_OK
			       : ay_fail_code(e, AY_E_NOENT, "OEM_UNKNOWN", "OemName",
					      "there is no such OEM");
	}
	if (strcmp(text(m, "type"), "VMM") != 0)
		return ay_fail_code(e, AY_E_INPUT, "MLE_INPUT", "MLE_Type",
				    "MLE_Type is BIOS or VMM");
	if (!has_os)
		return ay_fail_code(e, AY_E_INPUT, "MLE_INPUT", "OsName",
				    "a VMM needs name and version of its OS");
	return ay_os_find(a, text(m, "os"), text(m, "os_version")) != NULL
		       ? AY_OK
		       : ay_fail_code(e, AY_E_NOENT, "OS_UNKNOWN", "OsName", "there is no such OS");
}

static enum ay_rc check_key(const struct ay_api *a, const json_t *m, struct ay_err *e)
{
	struct ay_mle_key k = { .name = text(m, "name"),
				.version = text(m, "version"),
				.oem = text(m, "oem"),
				.os = text(m, "os"),
				.os_version = text(m, "os_version") };
	const json_t *other = ay_mle_find(a, &k);

	if (k.name[0] == '\0' || k.version[0] == '\0')
		return ay_fail_code(e, AY_E_INPUT, "MLE_INPUT", "Name",
				    "an MLE needs a name and a version");
	if (other != NULL && strcmp(text(other, "id"), text(m, "id")) != 0)
		return ay_fail_code(e, AY_E_EXISTS, "MLE_EXISTS", "Name",
				    "this MLE is configured already");
	if (strcmp(text(m, "attestation"), "PCR") != 0 &&
	    strcmp(text(m, "attestation"), "MODULE") != 0)
		return ay_fail_code(e, AY_E_INPUT, "MLE_INPUT", "Attestation_Type",
				    "Attestation_Type is PCR or MODULE");
	return AY_OK;
}

/* Its number, or -1: PCRs that software may reset, and that of IMA, have no fixed values. */
static int pcr_number(const char *s)
{
	uint64_t n;

	if (ay_number_parse(ay_bytes_of(s), "pcr", 22, &n, NULL) != AY_OK || n == 10 || n == 16)
		return -1;
	return (int)n;
}

const char *ay_mle_bank(const char *hex)
{
	size_t n = strlen(hex);

	if (strspn(hex, "0123456789abcdefABCDEF") != n)
		return NULL;
	return n == 40	  ? "sha1"
	       : n == 64  ? "sha256"
	       : n == 96  ? "sha384"
	       : n == 128 ? "sha512"
			  : NULL;
}

static enum ay_rc check_value(const char *pcr, const char *hex, struct ay_err *e)
{
	if (pcr_number(pcr) < 0)
		return ay_fail_code(e, AY_E_INPUT, "PCR_UNKNOWN", "pcrName",
				    "%.20s is no PCR that is judged by value (0-9, 11-15, 17-22)",
				    pcr);
	if (hex[0] != '\0' && ay_mle_bank(hex) == NULL)
		return ay_fail_code(
			e, AY_E_INPUT, "WHITELIST_VALUE", "pcrDigest",
			"the value of PCR %.20s is no digest in hexadecimal (40, 64, 96 "
			"or 128 digits)",
			pcr);
	return AY_OK;
}

static void to_lower(char *s)
{
	for (; *s != '\0'; s++)
		*s = (char)(*s >= 'A' && *s <= 'F' ? *s + 32 : *s);
}

/* The member, made when it is not there. */
static json_t *member_of(json_t *o, const char *name, json_t *(*make)(void))
{
	json_t *m = json_object_get(o, name);

	if (m == NULL) {
		m = make();
		if (json_object_set_new(o, name, m) != 0)
			return NULL;
	}
	return m;
}

static bool requires(const json_t *mle, const char *pcr)
{
	json_t *v;
	size_t i;

	json_array_foreach (json_object_get(mle, "required"), i, v)
		if (json_integer_value(v) == pcr_number(pcr))
			return true;
	return false;
}

enum ay_rc ay_mle_set_pcr(json_t *mle, const char *pcr, const char *value, struct ay_err *e)
{
	enum ay_rc rc = check_value(pcr, value, e);
	json_t *values, *required;
	char name[8], hex[130];
	int number = pcr_number(pcr);

	if (rc != AY_OK)
		return rc;
	snprintf(name, sizeof(name), "%d", number);
	snprintf(hex, sizeof(hex), "%s", value);
	to_lower(hex);
	required = member_of(mle, "required", json_array);
	values = member_of(mle, "pcrs", json_object);
	if (!requires(mle, name) && json_array_append_new(required, json_integer(number)) != 0)
		return ay_fail(e, AY_E_NOMEM, "mle", 0, "out of memory");
	if (hex[0] == '\0')
		return AY_OK;
	values = member_of(values, name, json_object);
	return json_object_set_new(values, ay_mle_bank(hex), json_string(hex)) == 0
		       ? AY_OK
		       : ay_fail(e, AY_E_NOMEM, "mle", 0, "out of memory");
}

enum ay_rc ay_mle_drop_pcr(json_t *mle, const char *pcr, struct ay_err *e)
{
	json_t *required = json_object_get(mle, "required"), *v;
	int number = pcr_number(pcr);
	char name[8];
	size_t i;

	snprintf(name, sizeof(name), "%d", number);
	if (number < 0 || json_object_get(json_object_get(mle, "pcrs"), name) == NULL)
		return ay_fail_code(e, AY_E_NOENT, "PCR_MISSING", "pcrName",
				    "there is no value for PCR %.20s", pcr);
	json_object_del(json_object_get(mle, "pcrs"), name);
	json_array_foreach (required, i, v)
		if (json_integer_value(v) == number) {
			json_array_remove(required, i);
			break;
		}
	return AY_OK;
}

const char *ay_mle_pcr_value(const json_t *mle, const char *pcr)
{
	static const char *const banks[] = { "sha512", "sha384", "sha256", "sha1" };
	const json_t *values = json_object_get(json_object_get(mle, "pcrs"), pcr);

	for (size_t i = 0; i < AY_COUNT(banks); i++)
		if (json_object_get(values, banks[i]) != NULL)
			return json_string_value(json_object_get(values, banks[i]));
	return NULL;
}

/* ---- the reference set ---- */

/* Names of sets have fewer characters than those of MLEs; the id keeps them apart. */
static void set_name(const json_t *mle, char out[AY_MAX_NAME_BYTES + 1])
{
	snprintf(out, AY_MAX_NAME_BYTES + 1, "%s %.48s %.40s %.8s", text(mle, "type"),
		 text(mle, "name"), text(mle, "version"), text(mle, "id"));
	for (char *s = out; *s != '\0'; s++)
		if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') ||
		      (*s >= '0' && *s <= '9') || strchr("._+:@- ", *s) != NULL))
			*s = '_';
}

static void add_pcr_rules(const json_t *mle, json_t *rules)
{
	json_t *values;
	const char *pcr;

	json_object_foreach (json_object_get(mle, "pcrs"), pcr, values)
		json_array_append_new(rules, json_pack("{s:s, s:i, s:O}", "kind", "pcr", "pcr",
						       pcr_number(pcr), "values", values));
}

/* Of one PCR; values of a host's own are in no set. */
static json_t *module_events(const json_t *mle, int pcr)
{
	json_t *events = json_array(), *m;
	size_t i;

	json_array_foreach (json_object_get(mle, "modules"), i, m) {
		const char *digest = text(m, "digest");

		if (json_integer_value(json_object_get(m, "pcr")) != pcr || digest[0] == '\0' ||
		    json_is_true(json_object_get(m, "host_specific")))
			continue;
		json_array_append_new(events,
				      json_pack("{s:{s:s}, s:s}", "digests", ay_mle_bank(digest),
						digest, "summary", text(m, "component")));
	}
	return events;
}

static void add_module_rules(const json_t *mle, json_t *rules)
{
	for (int pcr = 0; pcr < 24; pcr++) {
		json_t *events = module_events(mle, pcr);

		if (json_array_size(events) > 0)
			json_array_append(rules, json_pack("{s:s, s:i, s:O}", "kind", "includes",
							   "pcr", pcr, "events", events));
		json_decref(events);
	}
}

/* Every PCR that the MLE requires has a value: else nothing is compared, and nothing trusted. */
static bool is_complete(const json_t *mle)
{
	json_t *v;
	size_t i;
	char pcr[24];

	json_array_foreach (json_object_get(mle, "required"), i, v) {
		snprintf(pcr, sizeof(pcr), "%lld", (long long)json_integer_value(v));
		if (AY_CHECKED("FAMILY_MLE_COMPLETE", ay_mle_pcr_value(mle, pcr) == NULL))
			return false;
	}
	return true;
}

json_t *ay_mle_set_json(const json_t *mle)
{
	bool is_bios = strcmp(text(mle, "type"), "BIOS") == 0;
	char name[AY_MAX_NAME_BYTES + 1], note[400];
	json_t *rules;

	if (!is_complete(mle))
		return NULL;
	rules = json_array();
	add_pcr_rules(mle, rules);
	add_module_rules(mle, rules);
	if (json_array_size(rules) == 0) {
		json_decref(rules);
		return NULL;
	}
	set_name(mle, name);
	snprintf(note, sizeof(note), "MLE %.100s %.100s, %s %.60s %.60s", text(mle, "name"),
		 text(mle, "version"), is_bios ? "OEM" : "OS",
		 is_bios ? text(mle, "oem") : text(mle, "os"), text(mle, "os_version"));
	return json_pack("{s:s, s:s, s:i, s:s, s:{s:{s:s}}, s:{s:s, s:s}, s:{s:o}}", "format",
			 "assay-reference-1", "name", name, "version", 1, "state", "draft", "match",
			 "labels", is_bios ? "bios_mle" : "vmm_mle", text(mle, "id"), "provenance",
			 "source", "imported", "note", note, "parts", is_bios ? "platform" : "os",
			 rules);
}

/* It stays as it is until somebody else approves. */
static enum ay_rc ask_second(struct ay_api_call *c, const struct ay_approval_kind *kind,
			     const char *id, const struct ay_reference_change *how,
			     struct ay_err *e)
{
	AY_CLEANUP(ay_json_unref) json_t *args = ay_reference_change_json(how);
	struct ay_approval_request r = { .kind = kind,
					 .object = ay_bytes_of(id),
					 .args = args,
					 .user = c->who.user,
					 .permission = "REFERENCE_WRITE" };
	json_t *approval = NULL;
	enum ay_rc rc = ay_engine_approval_ask(c->api->engine, &r, &approval, e);

	json_decref(approval);
	return rc;
}

static enum ay_rc activate(struct ay_api_call *c, const char *id, struct ay_err *e)
{
	static const struct ay_reference_change how = { .supersede = true, .force = true };
	json_t *active = NULL;
	enum ay_rc rc;

	if (AY_CHECKED("FAMILY_TWO_ACTIVATE",
		       ay_engine_two_persons(c->api->engine, &ay_approval_reference_activate)))
		return ask_second(c, &ay_approval_reference_activate, id, &how, e);
	rc = ay_engine_reference_activate(c->api->engine, ay_bytes_of(id), &how, NULL, &active, e);
	json_decref(active);
	return rc;
}

/* The set of the MLE as it was ends. */
static enum ay_rc end_set(struct ay_api_call *c, const char *set, struct ay_err *e)
{
	static const struct ay_reference_change how = { .force = true };
	json_t *ended = NULL;
	enum ay_rc rc;

	if (AY_CHECKED("FAMILY_TWO_END",
		       ay_engine_two_persons(c->api->engine, &ay_approval_reference_supersede)))
		return ask_second(c, &ay_approval_reference_supersede, set, &how, e);
	rc = ay_engine_reference_supersede(c->api->engine, ay_bytes_of(set), &how, NULL, &ended, e);
	json_decref(ended);
	return rc == AY_E_NOENT || rc == AY_E_EXISTS ? AY_OK : rc;
}

static bool same_rules(const json_t *a, const json_t *b)
{
	return json_equal(json_object_get(a, "pcrs"), json_object_get(b, "pcrs")) &&
	       json_equal(json_object_get(a, "modules"), json_object_get(b, "modules")) &&
	       json_equal(json_object_get(a, "required"), json_object_get(b, "required"));
}

/* What is in force follows the document; mle gets its "set". */
static enum ay_rc publish(struct ay_api_call *c, json_t *mle, const json_t *before,
			  struct ay_err *e)
{
	AY_CLEANUP(ay_json_unref) json_t *doc = ay_mle_set_json(mle), *kept = NULL;
	char set[AY_MAX_NAME_BYTES + 16];
	enum ay_rc rc;

	if (before != NULL && same_rules(before, mle))
		return AY_OK;
	if (doc == NULL && text(mle, "set")[0] == '\0')
		return AY_OK;
	if (doc == NULL) {
		rc = end_set(c, text(mle, "set"), e);
		json_object_del(mle, "set");
		return rc;
	}
	rc = ay_engine_reference_make(c->api->engine, doc, c->who.user, &kept, e);
	if (rc != AY_OK)
		return rc;
	snprintf(set, sizeof(set), "%s@%lld", text(kept, "name"),
		 (long long)json_integer_value(json_object_get(kept, "version")));
	json_object_set_new(mle, "set", json_string(set));
	return activate(c, text(kept, "id"), e);
}

static enum ay_rc check_modules(const json_t *mle, struct ay_err *e)
{
	json_t *m;
	size_t i;

	json_array_foreach (json_object_get(mle, "modules"), i, m) {
		char pcr[24];
		enum ay_rc rc;

		snprintf(pcr, sizeof(pcr), "%lld",
			 (long long)json_integer_value(json_object_get(m, "pcr")));
		rc = check_value(pcr, text(m, "digest"), e);
		if (rc != AY_OK)
			return rc;
	}
	return AY_OK;
}

/* Documents reach us from handlers that built them member by member. */
static enum ay_rc check(const struct ay_api *a, const json_t *mle, struct ay_err *e)
{
	json_t *values, *hex;
	const char *pcr, *bank;
	enum ay_rc rc = check_owner(a, mle, e);

	if (rc == AY_OK)
		rc = check_key(a, mle, e);
	json_object_foreach (json_object_get(mle, "pcrs"), pcr, values)
		json_object_foreach (values, bank, hex)
			if (rc == AY_OK)
				rc = check_value(pcr, json_string_value(hex), e);
	return rc == AY_OK ? check_modules(mle, e) : rc;
}

enum ay_rc ay_mle_keep(struct ay_api_call *c, json_t *mle, char *id, struct ay_err *e)
{
	struct ay_uuid fresh = ay_rng_uuid();
	char key[AY_UUID_TEXT];
	enum ay_rc rc = check(c->api, mle, e);

	if (json_object_get(mle, "id") == NULL) {
		ay_uuid_format(&fresh, key);
		json_object_set_new(mle, "id", json_string(key));
	}
	snprintf(key, sizeof(key), "%s", text(mle, "id"));
	if (rc == AY_OK)
		rc = publish(c, mle, ay_mle_by_id(c->api, key), e);
	if (rc != AY_OK) {
		json_decref(mle);
		return rc;
	}
	if (id != NULL)
		memcpy(id, key, sizeof(key));
	return ay_object_put(c->api, "mle", key, mle, e);
}

enum ay_rc ay_mle_remove(struct ay_api_call *c, const char *id, struct ay_err *e)
{
	const json_t *mle = ay_mle_by_id(c->api, id);
	size_t n = ay_mle_users(c->api, id);
	enum ay_rc rc = AY_OK;

	if (mle == NULL)
		return ay_fail_code(e, AY_E_NOENT, "MLE_UNKNOWN", "mleName",
				    "there is no such MLE");
	if (AY_CHECKED("FAMILY_MLE_IN_USE", n > 0))
		return ay_fail_code(e, AY_E_EXISTS, "MLE_IN_USE", "mleName",
				    "the MLE cannot be deleted: %zu hosts are associated with it",
				    n);
	if (text(mle, "set")[0] != '\0')
		rc = end_set(c, text(mle, "set"), e);
	return rc == AY_OK ? ay_object_drop(c->api, "mle", id, e) : rc;
}

/* ---- hosts ---- */

const json_t *ay_family_host(const struct ay_api *a, const struct ay_host *h)
{
	char id[AY_UUID_TEXT];

	ay_uuid_format(&h->id, id);
	return ay_object(a, "host", id);
}

static bool is_ours(const char *key)
{
	return strcmp(key, "bios_mle") == 0 || strcmp(key, "vmm_mle") == 0;
}

static enum ay_rc set_labels(struct ay_api *a, const struct ay_host *h, const json_t *body,
			     struct ay_err *e)
{
	static char keys[2][9] = { "bios_mle", "vmm_mle" };
	struct ay_label *all = calloc(h->n_labels + 2, sizeof(*all));
	struct ay_host_patch patch = { .labels = all, .set_labels = true };
	char ids[2][AY_UUID_TEXT];
	enum ay_rc rc;

	if (all == NULL)
		return ay_fail(e, AY_E_NOMEM, "labels", 0, "out of memory");
	for (size_t i = 0; i < h->n_labels; i++)
		if (!is_ours(h->labels[i].key))
			all[patch.n_labels++] = h->labels[i];
	for (size_t i = 0; i < 2; i++) {
		snprintf(ids[i], sizeof(ids[i]), "%s", text(body, keys[i]));
		if (ids[i][0] != '\0')
			all[patch.n_labels++] = (struct ay_label){ keys[i], ids[i] };
	}
	rc = ay_engine_host_patch(a->engine, h, &patch, e);
	free(all);
	return rc;
}

enum ay_rc ay_family_host_keep(struct ay_api *a, const struct ay_host *h, json_t *body,
			       struct ay_err *e)
{
	char id[AY_UUID_TEXT];
	enum ay_rc rc = set_labels(a, h, body, e);

	ay_uuid_format(&h->id, id);
	if (rc != AY_OK) {
		json_decref(body);
		return rc;
	}
	return ay_object_put(a, "host", id, body, e);
}
