/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/policy_members.h"

#include <string.h>

#include "core/base/hex.h"
#include "core/tpm/alg.h"

#define DBX_MAX 4096
#define SBAT_MAX 64

/* ---- banks ---- */

static enum ay_rc parse_bank_list(const json_t *o, const char *key, size_t *n,
				  uint16_t out[AY_BANKS_MAX], struct ay_err *e)
{
	const json_t *list;
	enum ay_rc rc = ay_json_array(o, "policy.banks", key, false, &list, e);

	for (size_t i = 0; rc == AY_OK && list != NULL && i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		uint16_t alg = name == NULL ? 0 : ay_alg_from_bank_name(ay_bytes_of(name));

		if (alg == 0)
			return ay_json_bad(e, "policy.banks", key, "unknown bank");
		for (size_t k = 0; k < *n; k++)
			if (out[k] == alg)
				return ay_json_bad(e, "policy.banks", key,
						   "bank stands there twice");
		if (*n == AY_BANKS_MAX)
			return ay_json_bad(e, "policy.banks", key, "too many banks");
		out[(*n)++] = alg;
	}
	return rc;
}

enum ay_rc ay_policy_banks_parse(const json_t *doc, const char *key, struct ay_policy *p,
				 struct ay_err *e)
{
	static const char *const known[] = { "required", "refused", NULL };
	struct ay_bank_demands *d = &p->banks;
	const json_t *o;
	enum ay_rc rc = ay_json_object(doc, "policy", key, false, &o, e);

	if (rc != AY_OK || o == NULL)
		return rc;
	rc = ay_json_only(o, known, "policy.banks", e);
	if (rc == AY_OK)
		rc = parse_bank_list(o, "required", &d->n_required, d->required, e);
	if (rc == AY_OK)
		rc = parse_bank_list(o, "refused", &d->n_refused, d->refused, e);
	return rc;
}

static json_t *build_bank_list(const uint16_t *alg, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_string(ay_alg_bank_name(alg[i])));
	return list;
}

json_t *ay_policy_banks_build(const struct ay_policy *p, const char *key)
{
	(void)key;
	return json_pack("{so so}", "required",
			 build_bank_list(p->banks.required, p->banks.n_required), "refused",
			 build_bank_list(p->banks.refused, p->banks.n_refused));
}

bool ay_policy_banks_set(const struct ay_policy *p)
{
	return p->banks.n_required + p->banks.n_refused > 0;
}

/* ---- PCRs that some rule must judge ---- */

enum ay_rc ay_policy_pcrs_parse(const json_t *doc, const char *key, struct ay_policy *p,
				struct ay_err *e)
{
	const json_t *list;
	enum ay_rc rc = ay_json_array(doc, "policy", key, false, &list, e);

	for (size_t i = 0; rc == AY_OK && list != NULL && i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);
		json_int_t pcr = json_is_integer(v) ? json_integer_value(v) : -1;

		if (pcr < 0 || pcr >= AY_PCR_COUNT)
			return ay_json_bad(e, "policy", key, "not a PCR, 0 to 23");
		if ((p->pcrs_judged & (1u << pcr)) != 0)
			return ay_json_bad(e, "policy", key, "PCR stands there twice");
		p->pcrs_judged |= 1u << pcr;
	}
	return rc;
}

json_t *ay_policy_pcrs_build(const struct ay_policy *p, const char *key)
{
	json_t *list = json_array();

	(void)key;
	for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++)
		if ((p->pcrs_judged & (1u << pcr)) != 0)
			(void)json_array_append_new(list, json_integer(pcr));
	return list;
}

bool ay_policy_pcrs_set(const struct ay_policy *p)
{
	return p->pcrs_judged != 0;
}

/* ---- grades ---- */

static const char *const identity_grades[] = { "",	  "agentless",	 "tls_tofu",	"ek_tofu",
					       "ek_vtpm", "ek_approved", "ek_certified" };

unsigned ay_identity_grade(struct ay_bytes name)
{
	for (unsigned i = 1; i < AY_COUNT(identity_grades); i++)
		if (ay_bytes_eq(name, ay_bytes_of(identity_grades[i])))
			return i;
	return 0;
}

const char *ay_identity_grade_name(unsigned grade)
{
	return grade < AY_COUNT(identity_grades) ? identity_grades[grade] : "";
}

static enum ay_grade fact_grade(const char *name)
{
	for (unsigned g = AY_GRADE_SELF_REPORTED; g <= AY_GRADE_TPM_SIGNED; g++)
		if (strcmp(name, ay_grade_name((enum ay_grade)g)) == 0)
			return (enum ay_grade)g;
	return AY_GRADE_NONE;
}

static enum ay_rc parse_grade(const char *component, const json_t *v, struct ay_grade_demands *d,
			      struct ay_err *e)
{
	enum ay_component c = ay_component_find(ay_bytes_of(component));
	const char *name = json_string_value(v);
	bool known;

	if (c == AY_COMP_OF_PCR)
		return ay_json_bad(e, "policy.grades", component, "unknown component");
	if (name == NULL)
		return ay_json_bad(e, "policy.grades", component, "wrong type");
	if (c == AY_COMP_IDENTITY) {
		d->identity = ay_identity_grade(ay_bytes_of(name));
		known = d->identity != 0;
	} else {
		d->component[c] = fact_grade(name);
		known = d->component[c] != AY_GRADE_NONE;
	}
	return known ? AY_OK : ay_json_bad(e, "policy.grades", component, "unknown grade");
}

enum ay_rc ay_policy_grades_parse(const json_t *doc, const char *key, struct ay_policy *p,
				  struct ay_err *e)
{
	const json_t *o;
	enum ay_rc rc = ay_json_object(doc, "policy", key, false, &o, e);

	if (rc != AY_OK || o == NULL)
		return rc;
	for (void *it = json_object_iter((json_t *)(uintptr_t)o); rc == AY_OK && it != NULL;
	     it = json_object_iter_next((json_t *)(uintptr_t)o, it))
		rc = parse_grade(json_object_iter_key(it), json_object_iter_value(it), &p->grades,
				 e);
	return rc;
}

json_t *ay_policy_grades_build(const struct ay_policy *p, const char *key)
{
	json_t *o = json_object();

	(void)key;
	if (p->grades.identity != 0)
		(void)json_object_set_new(o, "identity",
					  json_string(ay_identity_grade_name(p->grades.identity)));
	for (unsigned c = 0; c < AY_COMPONENTS; c++)
		if (p->grades.component[c] != AY_GRADE_NONE)
			(void)json_object_set_new(
				o, ay_component_name((enum ay_component)c),
				json_string(ay_grade_name(p->grades.component[c])));
	return o;
}

bool ay_policy_grades_set(const struct ay_policy *p)
{
	bool any = p->grades.identity != 0;

	for (unsigned c = 0; c < AY_COMPONENTS; c++)
		any |= p->grades.component[c] != AY_GRADE_NONE;
	return any;
}

/* ---- Secure Boot ---- */

static enum ay_rc parse_sb_state(const json_t *o, struct ay_sb_demands *d, struct ay_err *e)
{
	const json_t *v = json_object_get(o, "state");
	const char *word = json_string_value(v);

	if (v == NULL)
		return AY_OK;
	if (word != NULL && strcmp(word, "on") == 0)
		d->state = AY_SB_ON;
	else if (word != NULL && strcmp(word, "off") == 0)
		d->state = AY_SB_OFF;
	else
		return ay_json_bad(e, "policy.secure_boot", "state", "is neither on nor off");
	return AY_OK;
}

static enum ay_rc parse_sb_dbx(const json_t *o, struct ay_policy *p, struct ay_err *e)
{
	struct ay_sb_demands *d = &p->secure_boot;
	const json_t *list;
	enum ay_rc rc = ay_json_array(o, "policy.secure_boot", "dbx", false, &list, e);

	if (rc != AY_OK || list == NULL)
		return rc;
	if (json_array_size(list) == 0 || json_array_size(list) > DBX_MAX)
		return ay_json_bad(e, "policy.secure_boot", "dbx", "needs 1 to 4096 hashes");
	d->dbx = ay_arena_array(&p->arena, json_array_size(list), sizeof(*d->dbx));
	if (d->dbx == NULL)
		return ay_fail(e, AY_E_NOMEM, "policy", 0, "out of memory");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *hex = json_string_value(json_array_get(list, i));

		if (hex == NULL || ay_hex_decode(ay_bytes_of(hex), "policy.secure_boot", d->dbx[i],
						 sizeof(d->dbx[i]), NULL) != AY_OK)
			return ay_json_bad(e, "policy.secure_boot", "dbx",
					   "not a SHA-256 in hex, 64 digits");
		d->n_dbx = i + 1;
	}
	return AY_OK;
}

static bool is_sbat_name(const char *s)
{
	return ay_json_is_name(s) && strchr(s, ' ') == NULL && strlen(s) <= 64;
}

static enum ay_rc parse_sb_sbat(const json_t *o, struct ay_policy *p, struct ay_err *e)
{
	struct ay_sb_demands *d = &p->secure_boot;
	const json_t *levels;
	enum ay_rc rc = ay_json_object(o, "policy.secure_boot", "sbat", false, &levels, e);

	if (rc != AY_OK || levels == NULL)
		return rc;
	if (json_object_size(levels) == 0 || json_object_size(levels) > SBAT_MAX)
		return ay_json_bad(e, "policy.secure_boot", "sbat", "needs 1 to 64 components");
	d->sbat = ay_arena_array(&p->arena, json_object_size(levels), sizeof(*d->sbat));
	if (d->sbat == NULL)
		return ay_fail(e, AY_E_NOMEM, "policy", 0, "out of memory");
	for (void *it = json_object_iter((json_t *)(uintptr_t)levels); it != NULL;
	     it = json_object_iter_next((json_t *)(uintptr_t)levels, it)) {
		struct ay_sbat_level *l = &d->sbat[d->n_sbat];
		uint64_t generation = 0;

		if (!is_sbat_name(json_object_iter_key(it)))
			return ay_json_bad(e, "policy.secure_boot", "sbat", "not a component name");
		rc = ay_json_u64(levels, "policy.secure_boot.sbat", json_object_iter_key(it), true,
				 UINT32_MAX, &generation, e);
		if (rc != AY_OK)
			return rc;
		if (generation == 0)
			return ay_json_bad(e, "policy.secure_boot.sbat", json_object_iter_key(it),
					   "generations begin with 1");
		l->generation = (uint32_t)generation;
		l->component = ay_arena_str(&p->arena, ay_bytes_of(json_object_iter_key(it)));
		if (l->component == NULL)
			return ay_fail(e, AY_E_NOMEM, "policy", 0, "out of memory");
		d->n_sbat++;
	}
	return AY_OK;
}

enum ay_rc ay_policy_sb_parse(const json_t *doc, const char *key, struct ay_policy *p,
			      struct ay_err *e)
{
	static const char *const known[] = { "state", "dbx_min", "dbx", "sbat", NULL };
	uint64_t dbx_min = 0;
	const json_t *o;
	enum ay_rc rc = ay_json_object(doc, "policy", key, false, &o, e);

	if (rc != AY_OK || o == NULL)
		return rc;
	rc = ay_json_only(o, known, "policy.secure_boot", e);
	if (rc == AY_OK)
		rc = parse_sb_state(o, &p->secure_boot, e);
	if (rc == AY_OK)
		rc = ay_json_u64(o, "policy.secure_boot", "dbx_min", false, 1000000, &dbx_min, e);
	if (rc == AY_OK)
		rc = parse_sb_dbx(o, p, e);
	if (rc == AY_OK)
		rc = parse_sb_sbat(o, p, e);
	p->secure_boot.dbx_min = (uint32_t)dbx_min;
	return rc;
}

static json_t *build_dbx(const struct ay_sb_demands *d)
{
	json_t *list = json_array();
	char hex[65];

	for (size_t i = 0; i < d->n_dbx; i++) {
		ay_hex_encode(AY_BYTES(d->dbx[i]), hex);
		(void)json_array_append_new(list, json_string(hex));
	}
	return list;
}

static json_t *build_sbat(const struct ay_sb_demands *d)
{
	json_t *o = json_object();

	for (size_t i = 0; i < d->n_sbat; i++)
		(void)json_object_set_new(o, d->sbat[i].component,
					  json_integer(d->sbat[i].generation));
	return o;
}

json_t *ay_policy_sb_build(const struct ay_policy *p, const char *key)
{
	const struct ay_sb_demands *d = &p->secure_boot;
	json_t *o = json_object();

	(void)key;
	if (d->state != AY_SB_ANY)
		(void)json_object_set_new(o, "state",
					  json_string(d->state == AY_SB_ON ? "on" : "off"));
	if (d->dbx_min > 0)
		(void)json_object_set_new(o, "dbx_min", json_integer(d->dbx_min));
	if (d->n_dbx > 0)
		(void)json_object_set_new(o, "dbx", build_dbx(d));
	if (d->n_sbat > 0)
		(void)json_object_set_new(o, "sbat", build_sbat(d));
	return o;
}

bool ay_policy_sb_set(const struct ay_policy *p)
{
	const struct ay_sb_demands *d = &p->secure_boot;

	return d->state != AY_SB_ANY || d->dbx_min > 0 || d->n_dbx > 0 || d->n_sbat > 0;
}
