/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/policy_members.h"

#include <string.h>

#include "core/appraise/waiver.h"
#include "core/base/timefmt.h"
#include "core/tpm/alg.h"

#define WAIVERS_MAX 256
#define WINDOWS_MAX 64

/* Who answers for it, why, until when: all three needed and none empty. */
struct answer {
	const char *owner, *reason;
	int64_t until_ms;
};

static enum ay_rc parse_answer(const json_t *o, const char *where, struct ay_policy *p,
			       struct answer *out, struct ay_err *e)
{
	const char *until = NULL;
	enum ay_rc rc =
		ay_json_text(o, where, "owner", true, AY_MAX_TEXT_BYTES, &p->arena, &out->owner, e);

	if (rc == AY_OK)
		rc = ay_json_text(o, where, "reason", true, AY_MAX_TEXT_BYTES, &p->arena,
				  &out->reason, e);
	if (rc == AY_OK)
		rc = ay_json_text(o, where, "until", true, AY_TIME_ROOM, &p->arena, &until, e);
	if (rc == AY_OK && (*out->owner == '\0' || *out->reason == '\0'))
		rc = ay_json_bad(e, where, *out->owner == '\0' ? "owner" : "reason", "is empty");
	if (rc == AY_OK &&
	    (ay_time_parse(ay_bytes_of(until), where, &out->until_ms, NULL) != AY_OK ||
	     out->until_ms <= 0))
		rc = ay_json_bad(e, where, "until", "is no instant like 2027-01-31T12:00:00Z");
	return rc;
}

/* ---- waivers ---- */

static enum ay_rc parse_code(const json_t *o, struct ay_policy *p, struct ay_waiver *w,
			     struct ay_err *e)
{
	const char *code = "";
	enum ay_rc rc = ay_json_text(o, "policy.waivers", "code", true, 64, &p->arena, &code, e);

	if (rc != AY_OK)
		return rc;
	w->code = ay_check_find(ay_bytes_of(code));
	if (w->code == AY_CHECK_NONE)
		return ay_json_bad(e, "policy.waivers", "code", "is no code of a finding");
	if (AY_CHECKED("WAIVER_CODE", !ay_waiver_may(w->code)))
		return ay_json_bad(e, "policy.waivers", "code",
				   "may not be waived: it says that the evidence itself is wrong");
	return AY_OK;
}

static enum ay_rc parse_pcr(const json_t *o, struct ay_policy *p, struct ay_waiver *w,
			    struct ay_err *e)
{
	const char *bank = NULL;
	uint64_t pcr = 0;
	enum ay_rc rc = ay_json_u64(o, "policy.waivers", "pcr", false, AY_PCR_COUNT - 1, &pcr, e);

	w->has_pcr = json_object_get(o, "pcr") != NULL;
	w->pcr = (uint8_t)pcr;
	if (rc == AY_OK)
		rc = ay_json_text(o, "policy.waivers", "bank", false, 16, &p->arena, &bank, e);
	if (rc != AY_OK || bank == NULL)
		return rc;
	w->bank = ay_alg_from_bank_name(ay_bytes_of(bank));
	return w->bank == 0 ? ay_json_bad(e, "policy.waivers", "bank", "unknown bank") : AY_OK;
}

static enum ay_rc parse_words(const json_t *o, struct ay_policy *p, struct ay_waiver *w,
			      struct ay_err *e)
{
	const struct {
		const char *key;
		size_t max;
		const char **out;
	} words[] = { { "path", 4096, &w->path },
		      { "expected", 256, &w->expected },
		      { "measured", 256, &w->measured } };

	for (size_t i = 0; i < AY_COUNT(words); i++) {
		enum ay_rc rc = ay_json_text(o, "policy.waivers", words[i].key, false, words[i].max,
					     &p->arena, words[i].out, e);

		if (rc != AY_OK)
			return rc;
		if (*words[i].out != NULL && **words[i].out == '\0')
			return ay_json_bad(e, "policy.waivers", words[i].key, "is empty");
	}
	return AY_OK;
}

/* What excuses more than one thing is no waiver. */
static enum ay_rc check_names(const struct ay_waiver *w, struct ay_err *e)
{
	unsigned missing = ay_waiver_needs(w->code) & ~ay_waiver_names(w);

	if (!AY_CHECKED("WAIVER_NAMES", missing != 0))
		return AY_OK;
	if ((missing & AY_WAIVER_PCR) != 0)
		return ay_json_bad(e, "policy.waivers", "pcr", "is needed for this code");
	if ((missing & AY_WAIVER_PATH) != 0)
		return ay_json_bad(e, "policy.waivers", "path", "is needed for this code");
	if ((missing & AY_WAIVER_EXPECTED) != 0)
		return ay_json_bad(e, "policy.waivers", "expected", "is needed for this code");
	return ay_json_bad(e, "policy.waivers", "measured", "is needed for this code");
}

static enum ay_rc parse_waiver(const json_t *o, struct ay_policy *p, struct ay_waiver *w,
			       struct ay_err *e)
{
	static const char *const known[] = { "code",	 "pcr",	  "bank",   "path",  "expected",
					     "measured", "owner", "reason", "until", NULL };
	struct answer answer = { 0 };
	enum ay_rc rc = ay_json_only(o, known, "policy.waivers", e);

	if (rc == AY_OK)
		rc = parse_code(o, p, w, e);
	if (rc == AY_OK)
		rc = parse_pcr(o, p, w, e);
	if (rc == AY_OK)
		rc = parse_words(o, p, w, e);
	if (rc == AY_OK)
		rc = parse_answer(o, "policy.waivers", p, &answer, e);
	if (rc == AY_OK)
		rc = check_names(w, e);
	w->owner = answer.owner;
	w->reason = answer.reason;
	w->until_ms = answer.until_ms;
	return rc;
}

enum ay_rc ay_policy_waivers_parse(const json_t *doc, const char *key, struct ay_policy *p,
				   struct ay_err *e)
{
	const json_t *list;
	enum ay_rc rc = ay_json_array(doc, "policy", key, false, &list, e);

	if (rc != AY_OK || list == NULL)
		return rc;
	if (json_array_size(list) > WAIVERS_MAX)
		return ay_json_bad(e, "policy", key, "more than 256");
	p->waiver = ay_arena_array(&p->arena, json_array_size(list), sizeof(*p->waiver));
	if (p->waiver == NULL)
		return ay_fail(e, AY_E_NOMEM, "policy", 0, "out of memory");
	for (size_t i = 0; rc == AY_OK && i < json_array_size(list); i++) {
		rc = parse_waiver(json_array_get(list, i), p, &p->waiver[i], e);
		if (rc == AY_OK)
			p->n_waivers = i + 1;
	}
	return rc;
}

static void set_text(json_t *o, const char *key, const char *text)
{
	if (text != NULL)
		(void)json_object_set_new(o, key, json_string(text));
}

static json_t *build_answer(const char *owner, const char *reason, int64_t until_ms)
{
	char until[AY_TIME_ROOM];

	ay_time_format(until_ms, until);
	return json_pack("{ss ss ss}", "owner", owner, "reason", reason, "until", until);
}

static json_t *build_waiver(const struct ay_waiver *w)
{
	json_t *o = build_answer(w->owner, w->reason, w->until_ms);

	set_text(o, "code", ay_check_row(w->code)->code);
	if (w->has_pcr)
		(void)json_object_set_new(o, "pcr", json_integer(w->pcr));
	if (w->bank != 0)
		set_text(o, "bank", ay_alg_bank_name(w->bank));
	set_text(o, "path", w->path);
	set_text(o, "expected", w->expected);
	set_text(o, "measured", w->measured);
	return o;
}

json_t *ay_policy_waivers_build(const struct ay_policy *p, const char *key)
{
	json_t *list = json_array();

	(void)key;
	for (size_t i = 0; i < p->n_waivers; i++)
		(void)json_array_append_new(list, build_waiver(&p->waiver[i]));
	return list;
}

bool ay_policy_waivers_set(const struct ay_policy *p)
{
	return p->n_waivers > 0;
}

/* ---- update windows ---- */

static enum ay_rc parse_window(const json_t *o, struct ay_policy *p, struct ay_window *w,
			       struct ay_err *e)
{
	static const char *const known[] = { "set", "version", "owner", "reason", "until", NULL };
	struct answer answer = { 0 };
	uint64_t version = 0;
	enum ay_rc rc = ay_json_only(o, known, "policy.windows", e);

	if (rc == AY_OK)
		rc = ay_json_text(o, "policy.windows", "set", true, AY_MAX_NAME_BYTES, &p->arena,
				  &w->set, e);
	if (rc == AY_OK && !ay_json_is_name(w->set))
		rc = ay_json_bad(e, "policy.windows", "set", "not a name");
	if (rc == AY_OK)
		rc = ay_json_u64(o, "policy.windows", "version", true, UINT32_MAX, &version, e);
	if (rc == AY_OK && version == 0)
		rc = ay_json_bad(e, "policy.windows", "version", "versions begin with 1");
	if (rc == AY_OK)
		rc = parse_answer(o, "policy.windows", p, &answer, e);
	w->version = (uint32_t)version;
	w->owner = answer.owner;
	w->reason = answer.reason;
	w->until_ms = answer.until_ms;
	return rc;
}

enum ay_rc ay_policy_windows_parse(const json_t *doc, const char *key, struct ay_policy *p,
				   struct ay_err *e)
{
	const json_t *list;
	enum ay_rc rc = ay_json_array(doc, "policy", key, false, &list, e);

	if (rc != AY_OK || list == NULL)
		return rc;
	if (json_array_size(list) > WINDOWS_MAX)
		return ay_json_bad(e, "policy", key, "more than 64");
	p->window = ay_arena_array(&p->arena, json_array_size(list), sizeof(*p->window));
	if (p->window == NULL)
		return ay_fail(e, AY_E_NOMEM, "policy", 0, "out of memory");
	for (size_t i = 0; rc == AY_OK && i < json_array_size(list); i++) {
		rc = parse_window(json_array_get(list, i), p, &p->window[i], e);
		if (rc == AY_OK)
			p->n_windows = i + 1;
	}
	return rc;
}

json_t *ay_policy_windows_build(const struct ay_policy *p, const char *key)
{
	json_t *list = json_array();

	(void)key;
	for (size_t i = 0; i < p->n_windows; i++) {
		const struct ay_window *w = &p->window[i];
		json_t *o = build_answer(w->owner, w->reason, w->until_ms);

		set_text(o, "set", w->set);
		(void)json_object_set_new(o, "version", json_integer(w->version));
		(void)json_array_append_new(list, o);
	}
	return list;
}

bool ay_policy_windows_set(const struct ay_policy *p)
{
	return p->n_windows > 0;
}
