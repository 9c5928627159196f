/* SPDX-License-Identifier: Apache-2.0 */
/* SecL: /hvs/v2/flavors and what is around them: reference sets, one flavor for each part of a set.
 */
#include "core/appraise/reference.h"
#include "core/base/connstr.h"
#include "prog/assayd/approvals.h"
#include "prog/assayd/family/attestview.h"
#include "prog/assayd/family/flavor.h"
#include "prog/assayd/family/members.h"
#include "prog/assayd/family/register.h"

#include <stdlib.h>

/* All sets that are for every host, and those for a host by its labels: one group, as SecL names
 * its default. */
#define GROUP_ID "00000000-0000-4000-8000-000000000001"
#define GROUP "automatic"

static const char *text_of(const json_t *o, const char *key)
{
	return ay_member_text(o, key);
}

/* ---- looking ---- */

/* The host that a set is for alone, or was learned from; "": none. */
static const char *host_of(const json_t *set)
{
	const json_t *hosts = json_object_get(json_object_get(set, "match"), "hosts");
	const char *id = json_string_value(json_array_get(hosts, 0));

	return id != NULL ? id : text_of(json_object_get(set, "provenance"), "host");
}

/* rules: of that part, about PCRs; NULL: none. */
static json_t *flavor_json(const json_t *set, const char *part, const json_t *rules)
{
	bool is_unique = strcmp(part, "host_unique") == 0;
	const char *name = strcmp(part, "runtime") == 0 ? "IMA"
			   : is_unique			? "HOST_UNIQUE"
							: ay_family_marker(part, true);

	return json_pack("{s:{s:{s:{s:s, s:s, s:O, s:s*}, s:s, s:s}, s:o}, s:s}", "flavor", "meta",
			 "description", "flavor_part", name, "label", text_of(set, "name"),
			 "version", json_object_get(set, "version"), "hardware_uuid",
			 is_unique ? host_of(set) : NULL, "id", text_of(set, "id"), "state",
			 text_of(set, "state"), "pcrs", ay_flavor_pcrs(rules), "signature", "");
}

static bool wanted(struct ay_api_call *c, const json_t *flavor)
{
	const json_t *meta = json_object_get(json_object_get(flavor, "flavor"), "meta");
	struct ay_bytes id = ay_api_param(c, "id"), key = ay_api_param(c, "key");
	struct ay_bytes value = ay_api_param(c, "value"), part = ay_api_param(c, "flavorParts");

	if (id.p != NULL && !ay_bytes_eq(id, ay_bytes_of(text_of(meta, "id"))))
		return false;
	if (part.n > 0 &&
	    !ay_bytes_eq(part,
			 ay_bytes_of(text_of(json_object_get(meta, "description"), "flavor_part"))))
		return false;
	return key.p == NULL ||
	       ay_bytes_eq(value, ay_bytes_of(text_of(json_object_get(meta, "description"),
						      (const char *)key.p)));
}

/* One flavor for each part of the set. */
static void add_flavors(struct ay_api_call *c, json_t *list, const json_t *set, bool all)
{
	AY_CLEANUP(ay_json_unref) json_t *rules = NULL;
	const char *name;
	json_t *part, *one;

	if (ay_engine_reference_boot(c->api->engine, ay_bytes_of(text_of(set, "id")), &rules,
				     NULL) != AY_OK)
		return;
	json_object_foreach (json_object_get(set, "parts"), name, part) {
		one = flavor_json(set, name, json_object_get(rules, name));
		if (one != NULL && (all || wanted(c, one)))
			json_array_append(list, one);
		json_decref(one);
	}
}

void ay_hvs_flavors(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *all = NULL, *list, *set;
	size_t i;

	if (ay_api_refused(c, ay_engine_references(c->api->engine, &all, &e), &e))
		return;
	list = json_array();
	json_array_foreach (all, i, set)
		add_flavors(c, list, set, false);
	json_decref(all);
	ay_family_document(c, 200, "signed_flavors", json_pack("{s:o}", "signed_flavors", list));
}

void ay_hvs_flavor(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *set = NULL, *list;

	if (ay_api_refused(c, ay_engine_reference(c->api->engine, c->param[0], &set, &e), &e))
		return;
	list = json_array();
	add_flavors(c, list, set, true);
	if (json_array_size(list) > 0)
		ay_family_document(c, 200, "signed_flavor", json_incref(json_array_get(list, 0)));
	else
		ay_family_document(c, 200, "signed_flavor", flavor_json(set, "platform", NULL));
	json_decref(list);
	json_decref(set);
}

/* ---- making and ending ---- */

/* The host that the server knows by this address. */
static const struct ay_host *host_at(struct ay_api_call *c, const char *text, struct ay_err *e)
{
	char url[AY_FAMILY_URL], want[AY_CONNSTR_TEXT], is[AY_CONNSTR_TEXT];
	struct ay_connstr s;
	const struct ay_host *h;
	size_t at = 0;

	if (ay_connstr_parse(ay_bytes_of(text), &s, e) != AY_OK) {
		ay_err_code(e, "BAD_CONNECTION");
		return NULL;
	}
	s.user = (struct ay_bytes){ NULL, 0 };
	s.path = s.user;
	ay_connstr_format(&s, want);
	while ((h = ay_api_host_next(c, &at)) != NULL) {
		ay_family_connection_url(h, url);
		if (url[0] == '\0' || ay_connstr_parse(ay_bytes_of(url), &s, NULL) != AY_OK)
			continue;
		s.user = (struct ay_bytes){ NULL, 0 };
		s.path = s.user;
		ay_connstr_format(&s, is);
		if (strcmp(is, want) == 0)
			return h;
	}
	ay_err_set(e, AY_E_NOENT, "connection_string", 0,
		   "no host is known by this address: register it first");
	ay_err_code(e, "HOST_NOT_FOUND");
	return NULL;
}

/* partial_flavor_types; none: PLATFORM and OS, as there. SOFTWARE and IMA are files by IMA. */
static enum ay_rc parts_of(const struct ay_api_call *c, uint32_t *out, struct ay_err *e)
{
	static const struct {
		const char *theirs;
		enum ay_part part;
	} parts[] = {
		{ "PLATFORM", AY_PART_PLATFORM },
		{ "OS", AY_PART_OS },
		{ "HOST_UNIQUE", AY_PART_HOST_UNIQUE },
		{ "SOFTWARE", AY_PART_RUNTIME },
		{ "IMA", AY_PART_RUNTIME },
	};
	const json_t *list = ay_member(c->body, "partial_flavor_types");

	*out = ay_member_items(list) == 0 ? AY_PART_BIT(AY_PART_PLATFORM) | AY_PART_BIT(AY_PART_OS)
					  : 0;
	for (size_t i = 0; i < ay_member_items(list); i++) {
		const char *name = json_string_value(ay_member_item(list, i));
		uint32_t bit = 0;

		for (size_t k = 0; name != NULL && k < AY_COUNT(parts); k++)
			if (strcmp(name, parts[k].theirs) == 0)
				bit = AY_PART_BIT(parts[k].part);
		if (bit == 0)
			return ay_fail(e, AY_E_INPUT, "partial_flavor_types", 0,
				       "is a list of PLATFORM, OS, HOST_UNIQUE, SOFTWARE, IMA");
		*out |= bit;
	}
	return AY_OK;
}

static enum ay_rc ask_second(struct ay_api_call *c, const json_t *set, struct ay_err *e)
{
	static const struct ay_reference_change how = { .supersede = true };
	AY_CLEANUP(ay_json_unref) json_t *args = ay_reference_change_json(&how);
	struct ay_approval_request r = { .kind = &ay_approval_reference_activate,
					 .object = ay_bytes_of(text_of(set, "id")),
					 .args = args,
					 .user = c->who.user,
					 .permission = c->route->perm_name };
	json_t *approval = NULL;
	enum ay_rc rc = ay_engine_approval_ask(c->api->engine, &r, &approval, e);

	json_decref(approval);
	return rc;
}

/* The name of the set: the label that was given, or the host's. */
static const char *or_label(const struct ay_api_call *c, const struct ay_host *h)
{
	const char *label = ay_member_text(c->body, "label,name");

	return label[0] != '\0' ? label : h->name;
}

/* Learned from the host's last verified evidence; in force, unless two persons are wanted. */
static void learn(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	const struct ay_host *h = host_at(c, ay_member_text(c->body, "connection_string"), &e);
	bool two = AY_CHECKED("FLAVOR_TWO", ay_engine_two_persons(c->api->engine,
								  &ay_approval_reference_activate));
	struct ay_learn_ask ask = { .host = h, .activate = !two, .user = c->who.user };
	json_t *set = NULL, *list;
	enum ay_rc rc = h == NULL ? e.rc : parts_of(c, &ask.parts, &e);

	if (rc == AY_OK)
		ask.name = ay_bytes_of(or_label(c, h));
	ask.change.supersede = true;
	if (rc == AY_OK)
		rc = ay_engine_learn(c->api->engine, &ask, &set, &e);
	if (rc == AY_OK && two)
		rc = ask_second(c, set, &e);
	if (!ay_api_refused(c, rc, &e) &&
	    ay_api_audit(c, "REFERENCE_LEARN", ask.name,
			 json_pack("{s:s, s:b}", "host", h->name, "activate", (int)ask.activate))) {
		list = json_array();
		add_flavors(c, list, set, true);
		ay_family_document(c, 201, "signed_flavors",
				   json_pack("{s:o}", "signed_flavors", list));
	}
	json_decref(set);
}

/* ---- by value ---- */

enum { FLAVORS_MAX = 100 };

/* A flavor of one host's own names one that is here, and that the caller may know of. */
static enum ay_rc check_host(struct ay_api_call *c, const json_t *set, struct ay_err *e)
{
	const json_t *hosts = json_object_get(json_object_get(set, "match"), "hosts");
	const char *id = json_string_value(json_array_get(hosts, 0));

	if (hosts == NULL || (id != NULL && ay_api_host_find(c, ay_bytes_of(id)) != NULL))
		return AY_OK;
	return ay_fail_code(e, AY_E_NOENT, "HOST_NOT_FOUND", "hardware_uuid",
			    "a HOST_UNIQUE flavor needs the hardware_uuid of a host that is "
			    "registered");
}

/* A label names one flavor: two of one request would be two versions of one set. */
static enum ay_rc check_label(const json_t *sets, const json_t *set, struct ay_err *e)
{
	const json_t *other;
	size_t i;

	json_array_foreach (sets, i, other)
		if (strcmp(text_of(other, "name"), text_of(set, "name")) == 0)
			return ay_fail_code(e, AY_E_INPUT, "MISSING_INPUT", "label",
					    "two flavors have the label \"%.60s\"",
					    text_of(set, "name"));
	return AY_OK;
}

/* A signature that nobody here can check is not passed over. */
static enum ay_rc check_unsigned(const json_t *item, struct ay_err *e)
{
	const json_t *s = ay_member(item, "signature");

	if (AY_CHECKED("FAMILY_FLAVOR_SIGNED",
		       s != NULL && (!json_is_string(s) || json_string_value(s)[0] != '\0')))
		return ay_fail_code(e, AY_E_INPUT, "NOT_OFFERED", "signature",
				    "flavors that another server signed cannot be verified here: "
				    "look at them and send them as flavor_collection");
	return AY_OK;
}

static enum ay_rc read_flavor(struct ay_api_call *c, const json_t *item, json_t *sets,
			      struct ay_err *e)
{
	const json_t *inner = json_object_get(item, "flavor");
	json_t *set = NULL;
	enum ay_rc rc = check_unsigned(item, e);

	if (rc == AY_OK)
		rc = ay_flavor_set(inner != NULL ? inner : item, &set, e);
	if (rc == AY_OK)
		rc = check_host(c, set, e);
	if (rc == AY_OK)
		rc = check_label(sets, set, e);
	if (rc == AY_OK && json_array_append(sets, set) != 0)
		rc = ay_fail(e, AY_E_NOMEM, "flavors", 0, "out of memory");
	json_decref(set);
	return rc;
}

/* All are read before one is taken. */
static enum ay_rc read_flavors(struct ay_api_call *c, const json_t *list, json_t *sets,
			       struct ay_err *e)
{
	size_t n = json_array_size(list);
	enum ay_rc rc = AY_OK;

	if (n == 0 || n > FLAVORS_MAX)
		return ay_fail_code(e, AY_E_INPUT, "MISSING_INPUT", "flavor_collection",
				    "is a list of 1 to %d flavors", FLAVORS_MAX);
	for (size_t i = 0; rc == AY_OK && i < n; i++)
		rc = read_flavor(c, json_array_get(list, i), sets, e);
	return rc;
}

/* As import takes it, and in force unless two persons are wanted. list gets the flavor. */
static enum ay_rc take_set(struct ay_api_call *c, const json_t *doc, json_t *list, struct ay_err *e)
{
	static const struct ay_reference_change how = { .supersede = true };
	bool two = ay_engine_two_persons(c->api->engine, &ay_approval_reference_activate);
	struct ay_bytes name = ay_bytes_of(text_of(doc, "name"));
	json_t *set = NULL, *active = NULL;
	enum ay_rc rc = ay_engine_reference_import(c->api->engine, doc, name, c->who.user, &set, e);

	if (rc == AY_OK && two)
		rc = ask_second(c, set, e);
	else if (rc == AY_OK)
		rc = ay_engine_reference_activate(c->api->engine, ay_bytes_of(text_of(set, "id")),
						  &how, NULL, &active, e);
	if (rc == AY_OK)
		add_flavors(c, list, active != NULL ? active : set, true);
	json_decref(set);
	json_decref(active);
	return rc;
}

static bool audit_set(struct ay_api_call *c, const json_t *doc)
{
	const json_t *match = json_object_get(doc, "match");

	return ay_api_audit(c, "REFERENCE_IMPORT", ay_bytes_of(text_of(doc, "name")),
			    json_pack("{s:s, s:O*}", "from", "flavor_collection", "match", match));
}

static void create_by_value(struct ay_api_call *c, const json_t *flavors)
{
	AY_CLEANUP(ay_json_unref) json_t *sets = json_array(), *list = json_array();
	struct ay_err e = { 0 };
	enum ay_rc rc = read_flavors(c, flavors, sets, &e);

	for (size_t i = 0; rc == AY_OK && i < json_array_size(sets); i++) {
		const json_t *doc = json_array_get(sets, i);

		rc = take_set(c, doc, list, &e);
		if (rc == AY_OK && !audit_set(c, doc))
			return;
	}
	if (!ay_api_refused(c, rc, &e))
		ay_family_document(c, 201, "signed_flavors",
				   json_pack("{s:O}", "signed_flavors", list));
}

/* By value, or learned from the host of a connection string. */
void ay_hvs_flavor_create(struct ay_api_call *c)
{
	const json_t *given = ay_member(c->body, "flavor_collection,signed_flavor_collection");

	if (given != NULL)
		create_by_value(c, ay_member(given, "flavors,signed_flavors"));
	else
		learn(c);
}

/* Revoked: the set that the flavor is a part of. */
void ay_hvs_flavor_delete(struct ay_api_call *c)
{
	static const struct ay_reference_change how = { .force = true };
	json_t *set = NULL;
	struct ay_err e = { 0 };

	if (ay_api_two_persons(c, &ay_approval_reference_revoke, c->param[0],
			       ay_reference_change_json(&how)))
		return;
	if (!ay_api_refused(
		    c,
		    ay_engine_reference_revoke(c->api->engine, c->param[0], &how, NULL, &set, &e),
		    &e) &&
	    ay_api_audit(c, "REFERENCE_REVOKE", c->param[0], json_object()))
		ay_api_empty(c, 204);
	json_decref(set);
}

/* ---- the one group ---- */

static json_t *group_json(json_t *ids)
{
	return json_pack("{s:s, s:s, s:o, s:{s:[{s:s, s:{s:s, s:s}}, {s:s, s:{s:s, s:s}}]}}", "id",
			 GROUP_ID, "name", GROUP, "flavor_ids", ids,
			 "flavor_match_policy_collection", "flavor_match_policies", "flavor_part",
			 "PLATFORM", "match_policy", "match_type", "ANY_OF", "required", "REQUIRED",
			 "flavor_part", "OS", "match_policy", "match_type", "ANY_OF", "required",
			 "REQUIRED");
}

static json_t *active_ids(struct ay_api_call *c, bool as_links)
{
	json_t *all = NULL, *list = json_array(), *set;
	size_t i;

	if (ay_engine_references(c->api->engine, &all, NULL) != AY_OK)
		return list;
	json_array_foreach (all, i, set)
		if (strcmp(text_of(set, "state"), "active") == 0)
			json_array_append_new(
				list, as_links ? json_pack("{s:s, s:s}", "flavorgroup_id", GROUP_ID,
							   "flavor_id", text_of(set, "id"))
					       : json_string(text_of(set, "id")));
	json_decref(all);
	return list;
}

void ay_hvs_flavorgroups(struct ay_api_call *c)
{
	struct ay_bytes name = ay_api_param(c, "nameEqualTo");
	json_t *list = json_array();

	if (name.n == 0 || ay_bytes_eq(name, ay_bytes_of(GROUP)))
		json_array_append_new(list, group_json(active_ids(c, false)));
	ay_family_document(c, 200, "flavorgroups", json_pack("{s:o}", "flavorgroups", list));
}

void ay_hvs_flavorgroup_flavors(struct ay_api_call *c)
{
	struct ay_err e;

	if (ay_bytes_eq(c->param[0], ay_bytes_of(GROUP_ID))) {
		ay_family_document(
			c, 200, "flavorgroup_flavor_links",
			json_pack("{s:o}", "flavorgroup_flavor_links", active_ids(c, true)));
		return;
	}
	ay_err_set(&e, AY_E_NOENT, "id", 0, "no such flavorgroup");
	ay_api_problem(c, &e);
}

void ay_hvs_host_flavorgroups(struct ay_api_call *c)
{
	const struct ay_host *h = ay_api_host(c);
	char id[AY_UUID_TEXT];

	if (h == NULL)
		return;
	ay_uuid_format(&h->id, id);
	ay_family_document(c, 200, "flavorgroup_host_links",
			   json_pack("{s:[{s:s, s:s}]}", "flavorgroup_host_links", "flavorgroup_id",
				     GROUP_ID, "host_id", id));
}
