/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/family/whitelist.h"

#include "core/base/numbers.h"
#include "prog/assayd/api/auth.h"
#include "prog/assayd/family/await.h"
#include "prog/assayd/family/bind.h"
#include "prog/assayd/family/members.h"
#include "prog/assayd/family/names.h"
#include "prog/assayd/family/register.h"

/* PCRs of the components that the family calls BIOS and VMM. */
#define BIOS_PCRS 0x0000cfu
#define VMM_PCRS 0x7efb30u

enum { NAMES_MAX = 999, NAME_ROOM = 300 };

/* One of the two. */
struct part {
	bool wanted;
	bool given; /* the client gave the PCRs */
	uint64_t pcrs;
	const char *target; /* "HOST", "OEM", "GLOBAL" or "" */
};

struct order {
	struct part bios, vmm;
	bool overwrite, bind;
	const json_t *config, *record;
	ay_family_whitelisted_fn *done;
};

/* ---- what is asked ---- */

static enum ay_rc read_part(const json_t *config, bool is_bios, struct part *out, struct ay_err *e)
{
	const char *pcrs = ay_member_text(config, is_bios ? "bios_pcrs,BIOS_PCRS,biosPCRs"
							  : "vmm_pcrs,VMM_PCRS,vmmPCRs");
	const char *target = ay_member_text(
		config, is_bios ? "bios_white_list_target,biosWLTarget,BIOS_WhiteList_Target"
				: "vmm_white_list_target,vmmWLTarget,VMM_WhiteList_Target");

	*out = (struct part){
		.wanted = ay_member_truth(
			config,
			is_bios ? "add_bios_white_list,Add_BIOS_WhiteList,addBiosWhiteList"
				: "add_vmm_white_list,Add_VMM_WhiteList,addVmmWhiteList",
			true),
		.given = pcrs[0] != '\0',
		.pcrs = is_bios ? BIOS_PCRS : VMM_PCRS,
		.target = ay_family_target(target),
	};
	if (out->target == NULL)
		return ay_fail_code(e, AY_E_INPUT, "MISSING_INPUT", "white_list_target",
				    "%.40s is none of GLOBAL, OEM, HOST", target);
	if (out->given && (ay_number_set_parse(ay_bytes_of(pcrs), "PCRS", AY_PCR_COUNT - 1,
					       &out->pcrs, e) != AY_OK ||
			   (out->pcrs & ~(uint64_t)AY_PCR_ASKED) != 0))
		return ay_fail_code(e, AY_E_INPUT, "PCR_LIST", "PCRS",
				    "a list of PCR numbers like 0,17 is needed");
	return AY_OK;
}

static enum ay_rc read_order(const json_t *config, const json_t *record, struct order *o,
			     struct ay_err *e)
{
	enum ay_rc rc = read_part(config, true, &o->bios, e);

	if (rc == AY_OK)
		rc = read_part(config, false, &o->vmm, e);
	o->config = config;
	o->record = record;
	o->overwrite = ay_member_truth(
		config, "overwrite_whitelist,Overwrite_Whitelist,overWriteWhiteList", false);
	o->bind = ay_member_truth(config, "register_host,Register_Host,registerHost", true);
	return rc;
}

/* ---- values ---- */

static bool is_reset(struct ay_bytes v, unsigned pcr)
{
	uint8_t all = v.n > 0 ? v.p[0] : 0;

	for (size_t i = 1; i < v.n; i++)
		if (v.p[i] != all)
			return false;
	return pcr >= 17 ? all == 0xff : all == 0;
}

/* Values of these PCRs as the host showed them; those nobody extended are left out or refused. */
static enum ay_rc take_values(json_t *mle, const struct ay_pcrs *pcrs, const struct part *p,
			      struct ay_err *e)
{
	const struct ay_pcr_bank *bank = ay_pcrs_find(pcrs, AY_ALG_SHA256);
	enum ay_rc rc = AY_OK;

	bank = bank != NULL ? bank : &pcrs->bank[0];
	for (unsigned n = 0; rc == AY_OK && n < AY_PCR_COUNT; n++) {
		struct ay_bytes v = ay_pcrs_value(pcrs, bank->alg, n);
		char pcr[8], hex[130];

		if (((p->pcrs >> n) & 1) == 0 || n == 10 || v.n == 0)
			continue;
		if (is_reset(v, n) && p->given && n >= 17)
			return ay_fail_code(e, AY_E_INPUT, "TXT_DISABLED", "PCRS",
					    "PCR %u holds nothing: the host had no measured launch",
					    n);
		if (is_reset(v, n) && !p->given)
			continue;
		snprintf(pcr, sizeof(pcr), "%u", n);
		ay_hex_encode(v, hex);
		rc = ay_mle_set_pcr(mle, pcr, hex, e);
	}
	return rc;
}

/* ---- names ---- */

static const char *or_else(const char *s, const char *otherwise)
{
	return s[0] != '\0' ? s : otherwise;
}

/* "Acme", "node1_Acme": spaces are no part of names there. */
static void make_name(char out[NAME_ROOM], const char *before, const char *name)
{
	snprintf(out, NAME_ROOM, "%.120s%s%.120s", before, before[0] == '\0' ? "" : "_", name);
	for (char *s = out; *s != '\0'; s++)
		*s = *s == ' ' ? '_' : *s;
}

/* The document without values, and whether the client named it. */
static json_t *mle_of(const struct order *o, const struct ay_host *h, bool is_bios, bool *named)
{
	const struct part *p = is_bios ? &o->bios : &o->vmm;
	const char *oem = ay_member_text(o->record, "BIOS_Oem,bios_oem");
	const char *os = ay_member_text(o->record, "VMM_OSName,vmm_os_name");
	const char *given = ay_member_text(o->config, is_bios ? "bios_mle_name" : "vmm_mle_name");
	const char *of = is_bios ? oem : os, *before = "";
	char name[NAME_ROOM], id[AY_UUID_TEXT];

	if (given[0] == '\0')
		given = ay_member_text(o->record,
				       is_bios ? "BIOS_Name,bios_name" : "VMM_Name,vmm_name");
	*named = given[0] != '\0';
	if (strcmp(p->target, "HOST") == 0)
		before = of[0] == '\0' ? "" : h->name;
	else if (!is_bios && strcmp(p->target, "OEM") == 0)
		before = oem;
	make_name(name, before, or_else(of, h->name));
	ay_uuid_format(&h->id, id);
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name", or_else(given, name),
		"version",
		or_else(ay_member_text(o->record, is_bios ? "BIOS_Version,bios_version"
							  : "VMM_Version,vmm_version"),
			"1"),
		is_bios ? "oem" : "os", or_else(of, "unnamed"),
		is_bios ? "oem_version" : "os_version",
		is_bios ? ""
			: or_else(ay_member_text(o->record, "VMM_OSVersion,vmm_os_version"), "1"),
		"type", is_bios ? "BIOS" : "VMM", "attestation", "PCR", "description", "", "source",
		h->name, "target", p->target, "target_value",
		strcmp(p->target, "HOST") == 0	? id
		: strcmp(p->target, "OEM") == 0 ? or_else(oem, "unnamed")
						: "");
}

static const json_t *existing(const struct ay_api *a, const json_t *mle)
{
	struct ay_mle_key k = { ay_member_text(mle, "name"), ay_member_text(mle, "version"),
				ay_member_text(mle, "oem"), ay_member_text(mle, "os"),
				ay_member_text(mle, "os_version") };

	return ay_mle_find(a, &k);
}

static bool same_values(const json_t *a, const json_t *b)
{
	return json_equal(json_object_get(a, "pcrs"), json_object_get(b, "pcrs"));
}

/* A free name, or that of one with the same values, which is then *same. */
static enum ay_rc settle_name(const struct ay_api *a, json_t *mle, const json_t **same,
			      struct ay_err *e)
{
	char base[NAME_ROOM], name[NAME_ROOM + 8];
	const json_t *old;

	*same = NULL;
	snprintf(base, sizeof(base), "%s", ay_member_text(mle, "name"));
	for (unsigned n = 1; (old = existing(a, mle)) != NULL; n++) {
		if (same_values(old, mle)) {
			*same = old;
			return AY_OK;
		}
		if (n > NAMES_MAX)
			return ay_fail_code(e, AY_E_EXISTS, "MLE_EXISTS", "Name",
					    "there are too many MLEs of that name");
		snprintf(name, sizeof(name), "%.290s_%03u", base, n);
		json_object_set_new(mle, "name", json_string(name));
	}
	return AY_OK;
}

/* ---- making them ---- */

/* OEM or OS of the document, made when it is not there yet. */
static enum ay_rc make_owner(struct ay_api *a, const json_t *mle, struct ay_err *e)
{
	const char *oem = ay_member_text(mle, "oem"), *os = ay_member_text(mle, "os");
	const char *version = ay_member_text(mle, "os_version");

	if (oem[0] != '\0')
		return ay_oem_find(a, oem) != NULL ? AY_OK : ay_oem_put(a, true, oem, "", e);
	return ay_os_find(a, os, version) != NULL ? AY_OK : ay_os_put(a, true, os, version, "", e);
}

/* Takes mle. */
static enum ay_rc keep(struct ay_api_call *c, const struct order *o, json_t *mle, bool named,
		       char id[AY_UUID_TEXT], struct ay_err *e)
{
	const json_t *old = existing(c->api, mle), *same = NULL;
	enum ay_rc rc = make_owner(c->api, mle, e);

	if (rc == AY_OK && old != NULL && o->overwrite)
		json_object_set(mle, "id", json_object_get(old, "id"));
	else if (rc == AY_OK && !named)
		rc = settle_name(c->api, mle, &same, e);
	if (rc == AY_OK && same == NULL)
		return ay_mle_keep(c, mle, id, e);
	if (same != NULL)
		snprintf(id, AY_UUID_TEXT, "%s", ay_member_text(same, "id"));
	json_decref(mle);
	return rc;
}

static enum ay_rc make(struct ay_api_call *c, const struct order *o, const struct ay_host *h,
		       const struct ay_pcrs *pcrs, bool is_bios, char id[AY_UUID_TEXT],
		       struct ay_err *e)
{
	bool named;
	json_t *mle = mle_of(o, h, is_bios, &named);
	enum ay_rc rc = take_values(mle, pcrs, is_bios ? &o->bios : &o->vmm, e);

	if (rc == AY_OK)
		return keep(c, o, mle, named, id, e);
	json_decref(mle);
	return rc;
}

static enum ay_rc bind_source(struct ay_api_call *c, const struct ay_host *h, const char *bios,
			      const char *vmm, struct ay_err *e)
{
	json_t *own = json_deep_copy(ay_family_host(c->api, h));

	own = own != NULL ? own : json_object();
	if (bios[0] != '\0')
		json_object_set_new(own, "bios_mle", json_string(bios));
	if (vmm[0] != '\0')
		json_object_set_new(own, "vmm_mle", json_string(vmm));
	return ay_family_host_keep(c->api, h, own, e);
}

static enum ay_rc whitelist(struct ay_api_call *c, const struct order *o, const struct ay_host *h,
			    struct ay_err *e)
{
	char bios[AY_UUID_TEXT] = "", vmm[AY_UUID_TEXT] = "";
	struct ay_pcrs pcrs;
	enum ay_rc rc = AY_OK;

	if (!ay_engine_host_pcrs(c->api->engine, h, &pcrs))
		return ay_fail_code(e, AY_E_EXISTS, "NO_REPORT", "host_name",
				    "the host's evidence was refused: nothing is taken from it");
	if (o->bios.wanted)
		rc = make(c, o, h, &pcrs, true, bios, e);
	if (rc == AY_OK && o->vmm.wanted)
		rc = make(c, o, h, &pcrs, false, vmm, e);
	return rc == AY_OK && o->bind ? bind_source(c, h, bios, vmm, e) : rc;
}

static void attested(struct ay_api_call *c, const struct ay_host *h, void *arg, enum ay_rc rc,
		     const struct ay_err *e)
{
	const struct order *o = arg;
	struct ay_err why = *e;

	if (rc == AY_OK)
		rc = whitelist(c, o, h, &why);
	if (ay_api_refused(c, rc, &why))
		return;
	if (ay_api_audit(c, "WHITELIST", ay_bytes_of(h->name),
			 json_pack("{s:b, s:b, s:b}", "bios", (int)o->bios.wanted, "vmm",
				   (int)o->vmm.wanted, "registered", (int)o->bind)))
		o->done(c);
}

/* Who may write whitelists may not yet register hosts or say what they are judged by. */
static enum ay_rc may_write_host(struct ay_api_call *c, const struct ay_host *h, struct ay_err *e)
{
	bool may = h != NULL ? ay_may_host(&c->who, AY_PERM_HOST_WRITE, h)
			     : ay_may(&c->who, AY_PERM_HOST_WRITE);

	if (!AY_CHECKED("WHITELIST_HOST", !may))
		return AY_OK;
	return ay_fail_code(e, AY_E_DENIED, "NOT_PERMITTED", "authorization",
			    "to register the host needs the permission HOST_WRITE");
}

/* The host of the record, registered when the record says how it is reached. */
static enum ay_rc find_host(struct ay_api_call *c, const struct order *o,
			    const struct ay_host **out, struct ay_err *e)
{
	struct ay_family_record ask;
	enum ay_rc rc = AY_OK;

	ay_family_record_of(o->record, &ask);
	*out = ask.name.n == 0 ? NULL : ay_api_host_find(c, ask.name);
	if (o->bind || *out == NULL)
		rc = may_write_host(c, *out, e);
	if (rc != AY_OK || *out != NULL)
		return rc;
	if (ask.name.n == 0 || ask.connection.n == 0)
		return ay_fail_code(e, AY_E_NOENT, "HOST_NOT_FOUND", "host_name",
				    "no such host: give its connection string and TLS policy, or "
				    "register it first");
	return ay_family_register(c, &ask, AY_FAMILY_NEW, out, e);
}

void ay_family_whitelist(struct ay_api_call *c, const json_t *config, const json_t *record,
			 ay_family_whitelisted_fn *done)
{
	struct order *o = ay_arena_alloc(&c->arena, sizeof(*o));
	const struct ay_host *h = NULL;
	struct ay_err e = { 0 };
	enum ay_rc rc = o == NULL ? ay_fail(&e, AY_E_NOMEM, "whitelist", 0, "out of memory")
				  : read_order(config, record, o, &e);

	if (rc == AY_OK)
		rc = find_host(c, o, &h, &e);
	if (rc == AY_E_DENIED)
		ay_api_denied(c, 403, &e);
	if (ay_api_refused(c, rc, &e))
		return;
	o->done = done;
	ay_family_await(c, h, attested, o);
}
