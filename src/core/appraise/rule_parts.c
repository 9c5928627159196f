/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/rule_parts.h"
#include "core/appraise/signatures.h"

#include <string.h>

#include "core/base/hex.h"
#include "core/crypto/hash.h"
#include "core/evlog/replay.h"
#include "core/evlog/tcg_data.h"

#define ALTERNATIVES_MAX 1024

/* ---- values ---- */

static enum ay_rc parse_value(const char *bank, const json_t *v, const struct ay_rule *r,
			      struct ay_pcrs *out, struct ay_err *e)
{
	uint16_t alg = ay_alg_from_bank_name(ay_bytes_of(bank));
	uint8_t value[AY_DIGEST_MAX];
	size_t n = ay_alg_digest_size(alg);
	enum ay_rc rc;

	if (n == 0)
		return ay_json_bad(e, "reference.rule.values", bank, "unknown bank");
	if (!json_is_string(v))
		return ay_json_bad(e, "reference.rule.values", bank, "wrong type");
	rc = ay_hex_decode(ay_bytes_of(json_string_value(v)), "reference.rule.values", value, n, e);
	if (rc == AY_OK)
		rc = ay_pcrs_set(out, alg, r->pcr, (struct ay_bytes){ value, n }, e);
	return rc;
}

enum ay_rc ay_rule_parse_values(const json_t *values, const struct ay_rule *r, struct ay_pcrs *out,
				struct ay_err *e)
{
	const char *bank;
	json_t *v;
	enum ay_rc rc;

	if (!json_is_object(values) || json_object_size(values) == 0 ||
	    json_object_size(values) > AY_BANKS_MAX)
		return ay_json_bad(e, "reference.rule", "values", "needs 1 to 5 banks");
	json_object_foreach ((json_t *)(uintptr_t)values, bank, v) {
		rc = parse_value(bank, v, r, out, e);
		if (rc != AY_OK)
			return rc;
	}
	return AY_OK;
}

json_t *ay_rule_values_json(const struct ay_rule *r, const struct ay_pcrs *p)
{
	json_t *values = json_object();
	char hex[2 * AY_DIGEST_MAX + 1];

	for (size_t i = 0; i < p->n_banks; i++) {
		uint16_t alg = p->bank[i].alg;

		ay_hex_encode(ay_pcrs_value(p, alg, r->pcr), hex);
		if (json_object_set_new(values, ay_alg_bank_name(alg), json_string(hex)) != 0) {
			json_decref(values);
			return NULL;
		}
	}
	return values;
}

/* ---- events ---- */

static int bank_index(struct ay_rule *r, uint16_t alg)
{
	for (size_t k = 0; k < r->n_banks; k++)
		if (r->bank[k] == alg)
			return (int)k;
	if (r->n_banks == AY_BANKS_MAX)
		return -1;
	r->bank[r->n_banks] = alg;
	return (int)r->n_banks++;
}

static enum ay_rc parse_digest(const char *bank, const json_t *v, const char *where,
			       struct ay_arena *a, struct ay_rule *r, const uint8_t **digest,
			       struct ay_err *e)
{
	uint16_t alg = ay_alg_from_bank_name(ay_bytes_of(bank));
	size_t n = ay_alg_digest_size(alg);
	int k = n == 0 ? -1 : bank_index(r, alg);
	uint8_t *p;

	if (k < 0)
		return ay_json_bad(e, where, bank, "unknown bank");
	if (!json_is_string(v))
		return ay_json_bad(e, where, bank, "wrong type");
	p = ay_arena_alloc(a, n);
	if (p == NULL)
		return ay_fail(e, AY_E_NOMEM, "reference.rule", 0, "out of memory");
	digest[k] = p;
	return ay_hex_decode(ay_bytes_of(json_string_value(v)), where, p, n, e);
}

enum ay_rc ay_rule_parse_digests(const json_t *o, const char *where, struct ay_arena *a,
				 struct ay_rule *r, const uint8_t **digest, struct ay_err *e)
{
	const json_t *digests;
	enum ay_rc rc = ay_json_object(o, where, "digests", true, &digests, e);
	const char *bank;
	json_t *v;

	if (rc == AY_OK && json_object_size(digests) == 0)
		rc = ay_json_bad(e, where, "digests", "empty");
	if (rc != AY_OK)
		return rc;
	json_object_foreach ((json_t *)(uintptr_t)digests, bank, v) {
		rc = parse_digest(bank, v, where, a, r, digest, e);
		if (rc != AY_OK)
			return rc;
	}
	return AY_OK;
}

json_t *ay_rule_digests_json(const struct ay_rule *r, const uint8_t *const *digest)
{
	json_t *digests = json_object();
	char hex[2 * AY_DIGEST_MAX + 1];

	for (size_t k = 0; k < r->n_banks; k++) {
		if (digest[k] == NULL)
			continue;
		ay_hex_encode((struct ay_bytes){ digest[k], ay_alg_digest_size(r->bank[k]) }, hex);
		if (json_object_set_new(digests, ay_alg_bank_name(r->bank[k]), json_string(hex)) !=
		    0) {
			json_decref(digests);
			return NULL;
		}
	}
	return digests;
}

static enum ay_rc parse_event(const json_t *o, bool nested, struct ay_arena *a, struct ay_rule *r,
			      struct ay_ref_event *ev, struct ay_err *e);

/* An event that may be one of several. */
static enum ay_rc parse_alternatives(const json_t *list, struct ay_arena *a, struct ay_rule *r,
				     struct ay_ref_event *ev, struct ay_err *e)
{
	size_t n = json_array_size(list);
	enum ay_rc rc = AY_OK;

	if (n < 2 || n > ALTERNATIVES_MAX)
		return ay_json_bad(e, "reference.rule.events", "one_of",
				   "needs 2 to 1024 alternatives");
	ev->alternative = ay_arena_array(a, n, sizeof(*ev->alternative));
	if (ev->alternative == NULL)
		return ay_fail(e, AY_E_NOMEM, "reference.rule", 0, "out of memory");
	for (size_t i = 0; rc == AY_OK && i < n; i++)
		rc = parse_event(json_array_get(list, i), true, a, r,
				 &ev->alternative[ev->n_alternatives++], e);
	return rc;
}

static enum ay_rc parse_signatures(const json_t *o, struct ay_arena *a, struct ay_ref_event *ev,
				   struct ay_err *e)
{
	const json_t *list;
	enum ay_rc rc = ay_json_array(o, "reference.rule.events", "signatures", false, &list, e);
	size_t n = json_array_size(list);

	if (rc != AY_OK || n == 0)
		return rc;
	if (n > AY_SIGNATURES_MAX)
		return ay_json_bad(e, "reference.rule.events", "signatures", "more than 4096");
	ev->signature = ay_arena_array(a, n, sizeof(*ev->signature));
	if (ev->signature == NULL)
		return ay_fail(e, AY_E_NOMEM, "reference.rule", 0, "out of memory");
	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (text == NULL || strlen(text) > AY_MAX_TEXT_BYTES)
			return ay_json_bad(e, "reference.rule.events", "signatures",
					   "needs short texts");
		ev->signature[ev->n_signatures++] = ay_arena_printf(a, "%s", text);
	}
	return AY_OK;
}

static enum ay_rc parse_event_head(const json_t *o, struct ay_arena *a, struct ay_ref_event *ev,
				   struct ay_err *e)
{
	uint64_t type = 0;
	enum ay_rc rc =
		ay_json_u64(o, "reference.rule.events", "type", false, UINT32_MAX, &type, e);

	ev->type = (uint32_t)type;
	ev->summary = "";
	if (rc == AY_OK)
		rc = ay_json_text(o, "reference.rule.events", "summary", false, AY_MAX_TEXT_BYTES,
				  a, &ev->summary, e);
	if (rc == AY_OK)
		rc = ay_json_bool(o, "reference.rule.events", "data_mismatch", false,
				  &ev->data_mismatch, e);
	return rc == AY_OK ? parse_signatures(o, a, ev, e) : rc;
}

static enum ay_rc parse_event(const json_t *o, bool nested, struct ay_arena *a, struct ay_rule *r,
			      struct ay_ref_event *ev, struct ay_err *e)
{
	static const char *const known[] = { "digests",	      "type",	    "summary",
					     "data_mismatch", "signatures", NULL };
	static const char *const choice[] = { "one_of", "summary", NULL };
	const json_t *list = nested ? NULL : json_object_get(o, "one_of");
	enum ay_rc rc = ay_json_only(o, list != NULL ? choice : known, "reference.rule.events", e);

	if (rc == AY_OK)
		rc = parse_event_head(o, a, ev, e);
	if (rc == AY_OK && list != NULL)
		return parse_alternatives(list, a, r, ev, e);
	if (rc == AY_OK)
		rc = ay_rule_parse_digests(o, "reference.rule.events", a, r, ev->digest, e);
	return rc;
}

enum ay_rc ay_rule_parse_events(const json_t *o, size_t min, struct ay_arena *a, struct ay_rule *r,
				struct ay_err *e)
{
	const json_t *events;
	enum ay_rc rc = ay_json_array(o, "reference.rule", "events", true, &events, e);

	if (rc != AY_OK)
		return rc;
	if (json_array_size(events) < min)
		return ay_json_bad(e, "reference.rule", "events", "empty: that is met by anything");
	if (json_array_size(events) > AY_MAX_EVLOG_EVENTS)
		return ay_fail(e, AY_E_LIMIT, "reference.rule.events", 0, "more than %d events",
			       AY_MAX_EVLOG_EVENTS);
	r->event = ay_arena_array(a, json_array_size(events) + 1, sizeof(*r->event));
	if (r->event == NULL)
		return ay_fail(e, AY_E_NOMEM, "reference.rule", 0, "out of memory");
	for (size_t i = 0; rc == AY_OK && i < json_array_size(events); i++)
		rc = parse_event(json_array_get(events, i), false, a, r, &r->event[r->n_events++],
				 e);
	return rc;
}

static json_t *signatures_json(const struct ay_ref_event *ev)
{
	json_t *list = ev->n_signatures == 0 ? NULL : json_array();

	for (size_t i = 0; i < ev->n_signatures; i++)
		json_array_append_new(list, json_string(ev->signature[i]));
	return list;
}

static json_t *plain_event_json(const struct ay_rule *r, const struct ay_ref_event *ev)
{
	return json_pack("{so sI ss so* so*}", "digests", ay_rule_digests_json(r, ev->digest),
			 "type", (json_int_t)ev->type, "summary", ev->summary, "data_mismatch",
			 ev->data_mismatch ? json_true() : NULL, "signatures", signatures_json(ev));
}

static json_t *event_json(const struct ay_rule *r, const struct ay_ref_event *ev)
{
	json_t *list;

	if (ev->n_alternatives == 0)
		return plain_event_json(r, ev);
	list = json_array();
	for (size_t i = 0; i < ev->n_alternatives; i++)
		if (json_array_append_new(list, plain_event_json(r, &ev->alternative[i])) != 0) {
			json_decref(list);
			return NULL;
		}
	return json_pack("{so ss}", "one_of", list, "summary", ev->summary);
}

json_t *ay_rule_events_json(const struct ay_rule *r)
{
	json_t *events = json_array();

	for (size_t i = 0; i < r->n_events; i++)
		if (json_array_append_new(events, event_json(r, &r->event[i])) != 0) {
			json_decref(events);
			return NULL;
		}
	return events;
}
