/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/reference.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/hex.h"
#include "core/crypto/hash.h"

#define FORMAT "assay-reference-1"

const struct ay_rule_kind *const ay_rule_kinds[] = {
	&ay_rule_pcr,
	&ay_rule_one_of,
	&ay_rule_golden,
	&ay_rule_events,
	&ay_rule_events_excluding,
	&ay_rule_includes,
	&ay_rule_launch,
	&ay_rule_minimum,
	&ay_rule_forbidden,
	&ay_rule_files,
	&ay_rule_signers,
	&ay_rule_buffers,
	NULL,
};

static const char *const part_names[AY_PARTS] = {
	[AY_PART_PLATFORM] = "platform",       [AY_PART_OS] = "os",
	[AY_PART_HOST_UNIQUE] = "host_unique", [AY_PART_RUNTIME] = "runtime",
	[AY_PART_ASSET_TAG] = "asset_tag",
};

#define TO(s) (1u << (s))
static const struct {
	const char *name;
	unsigned next;
} states[AY_SET_STATES] = {
	[AY_SET_DRAFT] = { "draft", TO(AY_SET_ACTIVE) | TO(AY_SET_REVOKED) },
	[AY_SET_ACTIVE] = { "active", TO(AY_SET_SUPERSEDED) | TO(AY_SET_REVOKED) },
	[AY_SET_SUPERSEDED] = { "superseded", TO(AY_SET_REVOKED) },
	[AY_SET_REVOKED] = { "revoked", 0 },
};

const char *ay_part_name(enum ay_part p)
{
	return (unsigned)p < AY_PARTS ? part_names[p] : "";
}

bool ay_part_find(struct ay_bytes name, enum ay_part *out)
{
	for (unsigned p = 0; p < AY_PARTS; p++)
		if (ay_bytes_eq(name, ay_bytes_of(part_names[p]))) {
			*out = (enum ay_part)p;
			return true;
		}
	return false;
}

const char *ay_set_state_name(enum ay_set_state s)
{
	return (unsigned)s < AY_SET_STATES ? states[s].name : "";
}

bool ay_set_state_find(struct ay_bytes name, enum ay_set_state *out)
{
	for (unsigned s = 0; s < AY_SET_STATES; s++)
		if (ay_bytes_eq(name, ay_bytes_of(states[s].name))) {
			*out = (enum ay_set_state)s;
			return true;
		}
	return false;
}

bool ay_set_state_may(enum ay_set_state from, enum ay_set_state to)
{
	return (unsigned)from < AY_SET_STATES && (unsigned)to < AY_SET_STATES &&
	       (states[from].next & TO(to)) != 0;
}

/* ---- JSON to set ---- */

static const struct ay_rule_kind *kind_find(const char *name)
{
	for (size_t i = 0; ay_rule_kinds[i] != NULL; i++)
		if (strcmp(ay_rule_kinds[i]->name, name) == 0)
			return ay_rule_kinds[i];
	return NULL;
}

static enum ay_rc parse_pcr_number(const json_t *o, struct ay_rule *r, struct ay_err *e)
{
	uint64_t pcr = 0;
	enum ay_rc rc = ay_json_u64(o, "reference.rule", "pcr", true, AY_PCR_COUNT - 1, &pcr, e);

	if (rc != AY_OK)
		return rc;
	if ((AY_PCR_BY_VALUE & (1u << pcr)) == 0)
		return ay_json_bad(e, "reference.rule", "pcr", "is not judged by value");
	r->pcr = (uint8_t)pcr;
	return AY_OK;
}

static enum ay_rc parse_rule(struct ay_refset *s, const json_t *o, enum ay_part part,
			     struct ay_err *e)
{
	struct ay_rule r = { .part = part };
	const char *kind = NULL;
	enum ay_rc rc;

	if (!json_is_object(o))
		return ay_fail(e, AY_E_INPUT, "reference.rule", 0, "not an object");
	rc = ay_json_text(o, "reference.rule", "kind", true, 32, &s->arena, &kind, e);
	if (rc != AY_OK)
		return rc;
	r.kind = kind_find(kind);
	if (r.kind == NULL)
		return ay_json_bad(e, "reference.rule", "kind", "unknown kind");
	if (r.kind->has_pcr)
		rc = parse_pcr_number(o, &r, e);
	if (rc == AY_OK)
		rc = r.kind->parse(o, &s->arena, &r, e);
	if (rc == AY_OK)
		s->rule[s->n_rules++] = r;
	return rc;
}

static enum ay_rc parse_part(struct ay_refset *s, const json_t *parts, enum ay_part p,
			     struct ay_err *e)
{
	const json_t *rules;
	enum ay_rc rc = ay_json_array(parts, "reference.parts", ay_part_name(p), false, &rules, e);

	for (size_t i = 0; rc == AY_OK && rules != NULL && i < json_array_size(rules); i++)
		rc = parse_rule(s, json_array_get(rules, i), p, e);
	return rc;
}

/* Room for all rules at once; what is no list counts nothing and is refused later. */
static enum ay_rc make_room(struct ay_refset *s, const json_t *parts, struct ay_err *e)
{
	size_t n = 0;

	for (unsigned p = 0; p < AY_PARTS; p++)
		n += json_array_size(json_object_get(parts, part_names[p]));
	if (n > AY_MAX_REFSET_RULES)
		return ay_fail(e, AY_E_LIMIT, "reference.parts", 0, "more than %d rules",
			       AY_MAX_REFSET_RULES);
	s->rule = ay_arena_array(&s->arena, n + 1, sizeof(*s->rule));
	return s->rule != NULL ? AY_OK : ay_fail(e, AY_E_NOMEM, "reference", 0, "out of memory");
}

static enum ay_rc parse_parts(struct ay_refset *s, const json_t *j, struct ay_err *e)
{
	static const char *const known[] = { "platform", "os",	      "host_unique",
					     "runtime",	 "asset_tag", NULL };
	const json_t *parts;
	enum ay_rc rc = ay_json_object(j, "reference", "parts", true, &parts, e);

	if (rc == AY_OK)
		rc = ay_json_only(parts, known, "reference.parts", e);
	if (rc == AY_OK)
		rc = make_room(s, parts, e);
	for (unsigned p = 0; rc == AY_OK && p < AY_PARTS; p++)
		rc = parse_part(s, parts, (enum ay_part)p, e);
	return rc;
}

static enum ay_rc parse_provenance(struct ay_refset *s, const json_t *j, struct ay_err *e)
{
	static const char *const known[] = { "source", "host", "at", "evidence",
					     "owner",  "note", NULL };
	struct ay_provenance *p = &s->provenance;
	const char **const to[] = {
		&p->source, &p->host, &p->at, &p->evidence, &p->owner, &p->note
	};
	const json_t *o;
	enum ay_rc rc = ay_json_object(j, "reference", "provenance", false, &o, e);

	for (size_t i = 0; i < AY_COUNT(to); i++)
		*to[i] = "";
	if (rc != AY_OK || o == NULL)
		return rc;
	rc = ay_json_only(o, known, "reference.provenance", e);
	for (size_t i = 0; rc == AY_OK && i < AY_COUNT(to); i++)
		rc = ay_json_text(o, "reference.provenance", known[i], false, AY_MAX_TEXT_BYTES,
				  &s->arena, to[i], e);
	return rc;
}

static enum ay_rc parse_head(struct ay_refset *s, const json_t *j, struct ay_err *e)
{
	static const char *const known[] = { "format", "name",	     "version", "state", "match",
					     "sha256", "provenance", "parts",	NULL };
	const char *format = "", *state = "draft";
	uint64_t version = 0;
	enum ay_rc rc = ay_json_only(j, known, "reference", e);

	if (rc == AY_OK)
		rc = ay_json_text(j, "reference", "format", true, 32, &s->arena, &format, e);
	if (rc == AY_OK && strcmp(format, FORMAT) != 0)
		rc = ay_json_bad(e, "reference", "format", "is not " FORMAT);
	if (rc == AY_OK)
		rc = ay_json_text(j, "reference", "name", true, AY_MAX_NAME_BYTES, &s->arena,
				  &s->name, e);
	if (rc == AY_OK && !ay_json_is_name(s->name))
		rc = ay_json_bad(e, "reference", "name", "not a name");
	if (rc == AY_OK)
		rc = ay_json_u64(j, "reference", "version", true, UINT32_MAX, &version, e);
	if (rc == AY_OK && version == 0)
		rc = ay_json_bad(e, "reference", "version", "counts from 1");
	s->version = (uint32_t)version;
	if (rc == AY_OK)
		rc = ay_json_text(j, "reference", "state", false, 16, &s->arena, &state, e);
	if (rc == AY_OK && !ay_set_state_find(ay_bytes_of(state), &s->state))
		rc = ay_json_bad(e, "reference", "state", "unknown state");
	return rc;
}

static enum ay_rc parse_match(struct ay_refset *s, const json_t *j, struct ay_err *e)
{
	const json_t *o;
	enum ay_rc rc = ay_json_object(j, "reference", "match", false, &o, e);

	if (rc != AY_OK || o == NULL)
		return rc;
	rc = ay_match_parse(o, &s->arena, &s->match, e);
	if (rc == AY_OK && ay_match_needs_machine(&s->match) &&
	    (ay_refset_parts(s) & AY_PART_BIT(AY_PART_RUNTIME)) != 0)
		rc = ay_json_bad(e, "reference", "match",
				 "part runtime is matched by labels and hosts only: make it a set "
				 "of its own");
	return rc;
}

/* What the set is named by: everything but its state, so that its life does not rename it. */
static enum ay_rc name_by_hash(struct ay_refset *s, struct ay_err *e)
{
	AY_CLEANUP(ay_json_unref) json_t *j = ay_refset_json(s, true);
	struct ay_bytes text = { 0 };
	struct ay_arena a;

	ay_arena_init(&a, (size_t)AY_MAX_REFSET_BYTES * 2);
	if (j != NULL && json_object_del(j, "state") == 0 && json_object_del(j, "sha256") == 0)
		text = ay_json_canonical(j, &a);
	if (text.p != NULL)
		ay_sha256(text, s->sha256);
	ay_arena_fini(&a);
	return text.p != NULL
		       ? AY_OK
		       : ay_fail(e, AY_E_NOMEM, "reference", 0, "out of memory for its hash");
}

/* A document may carry the hash it was known by; it must be right. */
static enum ay_rc check_own_hash(const struct ay_refset *s, const json_t *j, struct ay_err *e)
{
	const json_t *v = json_object_get(j, "sha256");
	char hex[65];

	ay_hex_encode(AY_BYTES(s->sha256), hex);
	if (v != NULL && (!json_is_string(v) || strcmp(json_string_value(v), hex) != 0))
		return ay_json_bad(e, "reference", "sha256", "is not the hash of this set");
	return AY_OK;
}

static struct ay_refset *refset_new(void)
{
	struct ay_refset *s = calloc(1, sizeof(*s));

	if (s != NULL)
		ay_arena_init(&s->arena, AY_MAX_REFSET_ARENA);
	return s;
}

enum ay_rc ay_refset_from_json(const json_t *j, struct ay_refset **out, struct ay_err *e)
{
	struct ay_refset *s = refset_new();
	enum ay_rc rc;

	*out = NULL;
	if (s == NULL)
		return ay_fail(e, AY_E_NOMEM, "reference", 0, "out of memory");
	rc = parse_head(s, j, e);
	if (rc == AY_OK)
		rc = parse_provenance(s, j, e);
	if (rc == AY_OK)
		rc = parse_parts(s, j, e);
	if (rc == AY_OK)
		rc = parse_match(s, j, e);
	if (rc == AY_OK)
		rc = ay_refset_check_rules(s, e);
	if (rc == AY_OK)
		rc = name_by_hash(s, e);
	if (rc == AY_OK)
		rc = check_own_hash(s, j, e);
	if (rc != AY_OK) {
		ay_refset_free(s);
		return rc;
	}
	*out = s;
	return AY_OK;
}

enum ay_rc ay_refset_parse(struct ay_bytes json, struct ay_refset **out, struct ay_err *e)
{
	AY_CLEANUP(ay_json_unref) json_t *j = NULL;
	enum ay_rc rc = ay_json_load(json, AY_MAX_REFSET_BYTES, "reference", &j, e);

	*out = NULL;
	return rc == AY_OK ? ay_refset_from_json(j, out, e) : rc;
}

void ay_refset_free(struct ay_refset *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_rules; i++)
		ay_ima_keys_fini(&s->rule[i].keys);
	ay_arena_fini(&s->arena);
	free(s);
}

/* ---- set to JSON ---- */

static json_t *provenance_json(const struct ay_provenance *p)
{
	return json_pack("{ss ss ss ss ss ss}", "source", p->source, "host", p->host, "at", p->at,
			 "evidence", p->evidence, "owner", p->owner, "note", p->note);
}

static json_t *rule_json(const struct ay_rule *r)
{
	json_t *o = json_pack("{ss}", "kind", r->kind->name);

	if (o != NULL && r->kind->has_pcr &&
	    json_object_set_new(o, "pcr", json_integer(r->pcr)) != 0)
		ay_json_unref(&o);
	if (o != NULL && !r->kind->build(r, o))
		ay_json_unref(&o);
	return o;
}

static bool add_rules(const struct ay_refset *s, bool pcrs_only, json_t *parts)
{
	for (size_t i = 0; i < s->n_rules; i++) {
		const char *part = ay_part_name(s->rule[i].part);
		json_t *list = json_object_get(parts, part);

		if (pcrs_only && !s->rule[i].kind->has_pcr)
			continue;
		if (list == NULL) {
			list = json_array();
			if (json_object_set_new(parts, part, list) != 0)
				return false;
		}
		if (json_array_append_new(list, rule_json(&s->rule[i])) != 0)
			return false;
	}
	return true;
}

static bool add_counts(const struct ay_refset *s, json_t *parts)
{
	unsigned n[AY_PARTS] = { 0 };

	for (size_t i = 0; i < s->n_rules; i++)
		n[s->rule[i].part]++;
	for (unsigned p = 0; p < AY_PARTS; p++)
		if (n[p] > 0 && json_object_set_new(parts, part_names[p], json_integer(n[p])) != 0)
			return false;
	return true;
}

json_t *ay_refset_json(const struct ay_refset *s, bool full)
{
	json_t *parts = json_object(), *j;
	char hex[65];

	ay_hex_encode(AY_BYTES(s->sha256), hex);
	if (parts != NULL && !(full ? add_rules(s, false, parts) : add_counts(s, parts)))
		ay_json_unref(&parts);
	j = json_pack("{ss ss sI ss ss so* so*}", "format", FORMAT, "name", s->name, "version",
		      (json_int_t)s->version, "state", ay_set_state_name(s->state), "sha256", hex,
		      "provenance", provenance_json(&s->provenance), "parts", parts);
	if (j != NULL && json_object_size(j) != 7)
		ay_json_unref(&j);
	if (j != NULL && s->match.is_set &&
	    json_object_set_new(j, "match", ay_match_json(&s->match)) != 0)
		ay_json_unref(&j);
	return j;
}

json_t *ay_refset_boot_json(const struct ay_refset *s)
{
	json_t *parts = json_object();

	if (parts != NULL && !add_rules(s, true, parts))
		ay_json_unref(&parts);
	return parts;
}

struct ay_bytes ay_refset_build(const struct ay_refset *s, struct ay_arena *a)
{
	AY_CLEANUP(ay_json_unref) json_t *j = ay_refset_json(s, true);

	return j == NULL ? (struct ay_bytes){ 0 } : ay_json_canonical(j, a);
}

/* ---- use ---- */

uint32_t ay_refset_parts(const struct ay_refset *s)
{
	uint32_t parts = 0;

	for (size_t i = 0; i < s->n_rules; i++)
		parts |= AY_PART_BIT(s->rule[i].part);
	return parts;
}

struct ay_named ay_refset_named(const struct ay_refset *s)
{
	struct ay_named n = { .name = s->name, .version = s->version };

	memcpy(n.sha256, s->sha256, sizeof(n.sha256));
	return n;
}

void ay_refset_check(const struct ay_refset *s, enum ay_part part, uint32_t pcrs,
		     const struct ay_boot_facts *f, struct ay_report *rep)
{
	rep->launch_component = part == AY_PART_PLATFORM ? AY_COMP_PLATFORM : AY_COMP_OF_PCR;
	for (size_t i = 0; i < s->n_rules; i++) {
		const struct ay_rule *r = &s->rule[i];

		if (r->part != part || r->kind->check == NULL || r->kind->role == AY_ROLE_FORBIDS)
			continue;
		if (r->kind->has_pcr ? (pcrs >> r->pcr & 1) != 0 : pcrs == UINT32_MAX)
			r->kind->check(s, r, f, rep);
	}
	rep->launch_component = AY_COMP_OF_PCR;
}

void ay_refset_check_forbidden(const struct ay_refset *s, uint32_t parts,
			       const struct ay_boot_facts *f, struct ay_report *rep)
{
	for (size_t i = 0; i < s->n_rules; i++)
		if (s->rule[i].kind->role == AY_ROLE_FORBIDS &&
		    (parts & AY_PART_BIT(s->rule[i].part)) != 0)
			s->rule[i].kind->check(s, &s->rule[i], f, rep);
}

uint32_t ay_refset_pcrs(const struct ay_refset *s, enum ay_part part, enum ay_rule_role role)
{
	uint32_t pcrs = 0;

	for (size_t i = 0; i < s->n_rules; i++)
		if (s->rule[i].part == part && s->rule[i].kind->has_pcr &&
		    s->rule[i].kind->role == role)
			pcrs |= 1u << s->rule[i].pcr;
	return pcrs;
}
