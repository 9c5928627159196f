/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/family/bind.h"

#include "core/base/numbers.h"
#include "prog/assayd/family/members.h"

const char *ay_family_target(const char *text)
{
	static const char *const names[] = { "HOST", "OEM", "GLOBAL" };
	const char *bare = strncasecmp(text, "BIOS_", 5) == 0  ? text + 5
			   : strncasecmp(text, "VMM_", 4) == 0 ? text + 4
							       : text;

	for (size_t i = 0; i < AY_COUNT(names); i++)
		if (strcasecmp(bare, names[i]) == 0)
			return names[i];
	return text[0] == '\0' ? "" : NULL;
}

/* ---- which MLEs a host meets ---- */

static bool has_value(const struct ay_pcrs *pcrs, const char *pcr, const char *bank,
		      const char *hex)
{
	uint8_t want[64];
	uint64_t number;
	size_t n = strlen(hex) / 2;

	if (ay_number_parse(ay_bytes_of(pcr), "pcr", AY_PCR_COUNT - 1, &number, NULL) != AY_OK)
		return false;
	for (size_t k = 0; k < pcrs->n_banks; k++) {
		const char *name = ay_alg_bank_name(pcrs->bank[k].alg);
		struct ay_bytes is = ay_pcrs_value(pcrs, pcrs->bank[k].alg, (unsigned)number);

		if (name != NULL && strcmp(name, bank) == 0)
			return n <= sizeof(want) && is.n == n &&
			       ay_hex_decode(ay_bytes_of(hex), "pcr", want, n, NULL) == AY_OK &&
			       memcmp(is.p, want, n) == 0;
	}
	return false;
}

/* Every value that the MLE has; one that has none is met by nobody. */
static bool meets(const struct ay_pcrs *pcrs, const json_t *mle)
{
	json_t *values, *hex;
	const char *pcr, *bank;

	if (json_object_get(mle, "set") == NULL)
		return false;
	json_object_foreach (json_object_get(mle, "pcrs"), pcr, values)
		json_object_foreach (values, bank, hex)
			if (!has_value(pcrs, pcr, bank, json_string_value(hex)))
				return false;
	return json_object_size(json_object_get(mle, "pcrs")) > 0;
}

/* What a host is, and which targets it was registered for ("": any). */
struct wish {
	char host[AY_UUID_TEXT];
	const char *oem, *target;
};

/* 0: not for this host; else the more, the nearer. */
static int nearness(const json_t *mle, const struct wish *w)
{
	const char *target = ay_member_text(mle, "target");
	const char *value = ay_member_text(mle, "target_value");
	bool is_bios = strcmp(ay_member_text(mle, "type"), "BIOS") == 0;

	if (w->target[0] != '\0' && strcmp(w->target, target) != 0)
		return 0;
	if (strcmp(target, "HOST") == 0)
		return strcmp(value, w->host) == 0 ? 3 : 0;
	if (is_bios && w->oem[0] != '\0' && strcmp(ay_member_text(mle, "oem"), w->oem) != 0)
		return 0;
	if (strcmp(target, "OEM") == 0)
		return is_bios || strcmp(value, w->oem) == 0 ? 2 : 0;
	return 1;
}

/* NULL: none. The family took the last it found then; we take none. */
static const json_t *find_met(const struct ay_api *a, const struct ay_pcrs *pcrs, const char *type,
			      const struct wish *w)
{
	const json_t *best = NULL;
	int nearest = 0, near;
	const char *id;
	json_t *m;

	json_object_foreach ((json_t *)(uintptr_t)ay_objects(a, "mle"), id, m) {
		if (strcmp(ay_member_text(m, "type"), type) != 0)
			continue;
		near = nearness(m, w);
		if (near <= nearest || !meets(pcrs, m))
			continue;
		nearest = near;
		best = m;
	}
	return best;
}

static bool has_mle(const json_t *own, bool is_bios)
{
	return ay_member_text(own, is_bios ? "bios_mle" : "vmm_mle")[0] != '\0';
}

/* Fills what own does not have yet, from the values that the host showed. how: of the record. */
static void choose(const struct ay_api *a, const struct ay_host *h, const struct ay_pcrs *pcrs,
		   const json_t *how, json_t *own)
{
	struct wish w = { .oem = ay_member_text(how, "oem"),
			  .target = ay_member_text(how, "bios_target") };
	const json_t *mle;

	ay_uuid_format(&h->id, w.host);
	mle = has_mle(own, true) ? ay_mle_by_id(a, ay_member_text(own, "bios_mle"))
				 : find_met(a, pcrs, "BIOS", &w);
	if (mle != NULL) {
		json_object_set(own, "bios_mle", json_object_get(mle, "id"));
		w.oem = ay_member_text(mle, "oem"); /* its firmware's values say so */
	}
	w.target = ay_member_text(how, "vmm_target");
	mle = has_mle(own, false) ? NULL : find_met(a, pcrs, "VMM", &w);
	if (mle != NULL)
		json_object_set(own, "vmm_mle", json_object_get(mle, "id"));
}

/* ---- what a record names ---- */

static const json_t *named(const struct ay_api *a, const json_t *record, bool is_bios)
{
	struct ay_mle_key bios = { .name = ay_member_text(record, "BIOS_Name,bios_name"),
				   .version = ay_member_text(record, "BIOS_Version,bios_version"),
				   .oem = ay_member_text(record, "BIOS_Oem,bios_oem") };
	struct ay_mle_key vmm = { .name = ay_member_text(record, "VMM_Name,vmm_name"),
				  .version = ay_member_text(record, "VMM_Version,vmm_version"),
				  .os = ay_member_text(record, "VMM_OSName,vmm_os_name"),
				  .os_version =
					  ay_member_text(record, "VMM_OSVersion,vmm_os_version") };

	return ay_mle_find(a, is_bios ? &bios : &vmm);
}

static enum ay_rc take_named(const struct ay_api *a, const json_t *record, bool is_bios,
			     json_t *own, struct ay_err *e)
{
	const char *member = is_bios ? "bios_mle" : "vmm_mle";
	const char *id = ay_member_text(record, is_bios ? "bios_mle_uuid" : "vmm_mle_uuid");
	const json_t *mle = id[0] != '\0' ? ay_mle_by_id(a, id) : named(a, record, is_bios);

	if (id[0] != '\0' &&
	    (mle == NULL || strcmp(ay_member_text(mle, "type"), is_bios ? "BIOS" : "VMM") != 0))
		return ay_fail_code(e, AY_E_NOENT, "MLE_INCORRECT",
				    is_bios ? "bios_mle_uuid" : "vmm_mle_uuid",
				    "there is no MLE of that type with this id");
	if (mle != NULL)
		json_object_set(own, member, json_object_get(mle, "id"));
	return AY_OK;
}

/* What has to be known when the host has attested. */
static json_t *wishes_of(const json_t *record)
{
	const char *bios = ay_family_target(ay_member_text(
		record, "bios_white_list_target,biosWLTarget,BIOS_WhiteList_Target"));
	const char *vmm = ay_family_target(
		ay_member_text(record, "vmm_white_list_target,vmmWLTarget,VMM_WhiteList_Target"));

	return json_pack("{s:s, s:s, s:s}", "oem", ay_member_text(record, "BIOS_Oem,bios_oem"),
			 "bios_target", bios == NULL ? "" : bios, "vmm_target",
			 vmm == NULL ? "" : vmm);
}

enum ay_rc ay_family_bind(struct ay_api_call *c, const struct ay_host *h, const json_t *record,
			  json_t *own, struct ay_err *e)
{
	AY_CLEANUP(ay_json_unref) json_t *how = wishes_of(record);
	struct ay_pcrs pcrs;
	char id[AY_UUID_TEXT];
	enum ay_rc rc = take_named(c->api, record, true, own, e);

	if (rc == AY_OK)
		rc = take_named(c->api, record, false, own, e);
	if (rc != AY_OK || (has_mle(own, true) && has_mle(own, false)))
		return rc;
	ay_uuid_format(&h->id, id);
	if (!ay_engine_host_pcrs(c->api->engine, h, &pcrs))
		return ay_object_put(c->api, "unbound", id, json_incref(how), e);
	choose(c->api, h, &pcrs, how, own);
	return AY_OK;
}

/* ---- hosts that wait ---- */

/* Bound, or to none; the audit says so. */
static void bind_now(struct ay_api *a, const struct ay_host *h, const struct ay_pcrs *pcrs,
		     const json_t *how)
{
	json_t *own = json_deep_copy(ay_family_host(a, h));
	char detail[120];
	struct ay_err e;
	struct ay_audit_row row = { .at = a->now_ms,
				    .actor = "system",
				    .action = "HOST_CHANGE",
				    .object = h->name,
				    .detail = detail };

	own = own != NULL ? own : json_object();
	choose(a, h, pcrs, how, own);
	snprintf(detail, sizeof(detail), "{\"bios_mle\":\"%.36s\",\"vmm_mle\":\"%.36s\"}",
		 ay_member_text(own, "bios_mle"), ay_member_text(own, "vmm_mle"));
	if (ay_family_host_keep(a, h, own, &e) == AY_OK)
		ay_audit_leave(a, &row);
}

void ay_family_bind_tick(struct ay_api *a)
{
	json_t *all = (json_t *)(uintptr_t)ay_objects(a, "unbound"), *how;
	struct ay_pcrs pcrs;
	const char *id;
	struct ay_err e;
	void *next;

	json_object_foreach_safe(all, next, id, how)
	{
		const struct ay_host *h = ay_engine_host_find(a->engine, ay_bytes_of(id));
		char key[AY_UUID_TEXT];

		if (h != NULL && !ay_engine_host_pcrs(a->engine, h, &pcrs))
			continue;
		snprintf(key, sizeof(key), "%s", id);
		if (h != NULL)
			bind_now(a, h, &pcrs, how);
		if (ay_object_drop(a, "unbound", key, &e) != AY_OK)
			return;
	}
}
