/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/family/modules.h"

#include "core/base/numbers.h"
#include "core/crypto/hash.h"
#include "prog/assayd/family/members.h"

static bool is_module(const json_t *m, const char *component, const char *event)
{
	return strcmp(ay_member_text(m, "component"), component) == 0 &&
	       (event[0] == '\0' || strcmp(ay_member_text(m, "event"), event) == 0);
}

/* Its place, or -1. */
static int find_module(const json_t *mle, const char *component, const char *event)
{
	const json_t *m;
	size_t i;

	json_array_foreach (json_object_get(mle, "modules"), i, m)
		if (is_module(m, component, event))
			return (int)i;
	return -1;
}

void ay_module_id(const json_t *module, char out[AY_MODULE_ID])
{
	char names[600];
	uint8_t digest[32];

	snprintf(names, sizeof(names), "%.290s\x1f%.290s", ay_member_text(module, "event"),
		 ay_member_text(module, "component"));
	ay_sha256(ay_bytes_of(names), digest);
	ay_hex_encode((struct ay_bytes){ digest, (AY_MODULE_ID - 1) / 2 }, out);
}

int ay_module_by_id(const json_t *mle, const char *id)
{
	char one[AY_MODULE_ID];
	const json_t *m;
	size_t i;

	json_array_foreach (json_object_get(mle, "modules"), i, m) {
		ay_module_id(m, one);
		if (strcmp(one, id) == 0)
			return (int)i;
	}
	return -1;
}

static json_t *module_json(const struct ay_module *m, uint64_t pcr)
{
	char digest[130];

	snprintf(digest, sizeof(digest), "%s", m->digest);
	for (char *s = digest; *s != '\0'; s++)
		*s = (char)(*s >= 'A' && *s <= 'F' ? *s + 32 : *s);
	return json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:b}", "component", m->component,
			 "event", m->event, "pcr", (int)pcr, "digest", digest, "package_name",
			 m->package_name, "package_vendor", m->package_vendor, "package_version",
			 m->package_version, "host_specific", (int)m->host_specific);
}

enum ay_rc ay_module_change(json_t *mle, const struct ay_module *m, enum ay_module_change how,
			    struct ay_err *e)
{
	int at = find_module(mle, m->component, m->event);
	json_t *all = json_object_get(mle, "modules");
	uint64_t pcr = 19;

	if (m->pcr[0] != '\0' && ay_number_parse(ay_bytes_of(m->pcr), "extendedToPCR",
						 AY_PCR_COUNT - 1, &pcr, e) != AY_OK)
		return ay_fail_code(e, AY_E_INPUT, "PCR_UNKNOWN", "extendedToPCR",
				    "%.10s is no number of a PCR", m->pcr);
	if (how == AY_MODULE_ADD && at >= 0)
		return ay_fail_code(e, AY_E_EXISTS, "MODULE_EXISTS", "componentName",
				    "this module is whitelisted already");
	if (how != AY_MODULE_ADD && at < 0)
		return ay_fail_code(e, AY_E_NOENT, "MODULE_MISSING", "componentName",
				    "there is no such module");
	if (all == NULL) {
		all = json_array();
		json_object_set_new(mle, "modules", all);
	}
	if (at >= 0)
		json_array_remove(all, (size_t)at);
	return how == AY_MODULE_REMOVE || json_array_append_new(all, module_json(m, pcr)) == 0
		       ? AY_OK
		       : ay_fail(e, AY_E_NOMEM, "mle", 0, "out of memory");
}

enum ay_rc ay_mle_source(json_t *mle, enum ay_module_change how, const char *host, struct ay_err *e)
{
	bool has = json_object_get(mle, "source") != NULL;

	if (has == (how == AY_MODULE_ADD))
		return ay_fail_code(e, has ? AY_E_EXISTS : AY_E_NOENT,
				    has ? "SOURCE_EXISTS" : "SOURCE_MISSING", "hostName",
				    has ? "the MLE has a source already" : "the MLE has no source");
	if (how == AY_MODULE_REMOVE)
		json_object_del(mle, "source");
	else
		json_object_set_new(mle, "source", json_string(host));
	return AY_OK;
}
