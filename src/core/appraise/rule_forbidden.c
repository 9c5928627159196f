/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kind "forbidden": digests that must not have been measured, in any PCR, as
 * any event (an image's event has its Authenticode digest) or as any file of
 * the IMA list. Whatever else a set or policy accepts, this one fails.
 */
#include "core/appraise/rule_parts.h"
#include "core/evlog/replay.h"

static enum ay_rc parse(const json_t *o, struct ay_arena *a, struct ay_rule *r, struct ay_err *e)
{
	static const char *const known[] = { "kind", "digests", NULL };
	const json_t *digests;
	enum ay_rc rc = ay_json_only(o, known, "reference.rule", e);

	if (rc == AY_OK)
		rc = ay_json_object(o, "reference.rule", "digests", true, &digests, e);
	if (rc == AY_OK)
		rc = ay_rule_parse_files(digests, AY_MAX_REFSET_FILES, a, r, e);
	if (rc == AY_OK && r->files.n == 0)
		rc = ay_json_bad(e, "reference.rule", "digests", "empty");
	return rc;
}

static bool build(const struct ay_rule *r, json_t *o)
{
	return json_object_set_new(o, "digests", ay_rule_files_json(r)) == 0;
}

static void tell(const struct ay_refset *s, const struct ay_digest_row *row,
		 const struct ay_event *ev, size_t event, struct ay_bytes digest,
		 struct ay_report *rep)
{
	struct ay_place at = { .has_event = true,
			       .event = (uint32_t)event,
			       .has_pcr = ev->pcr < AY_PCR_COUNT,
			       .pcr = (uint8_t)ev->pcr,
			       .bank = row->alg,
			       .measured = digest };

	if (!at.has_pcr)
		at.component = AY_COMP_PLATFORM;
	if (AY_CHECKED("REF_FORBIDDEN", true))
		ay_report_add(rep, AY_CHECK_REF_FORBIDDEN, AY_FAIL, &at,
			      "PCR %u: set %s forbids \"%.150s\"", (unsigned)ev->pcr, s->name,
			      row->path);
}

/* Also in banks that nobody quoted, and in PCRs that nobody judges: better told than not. */
static void check_event(const struct ay_refset *s, const struct ay_rule *r,
			const struct ay_evlog *log, size_t i, struct ay_report *rep)
{
	const struct ay_event *ev = &log->event[i];

	for (size_t k = 0; k < log->n_banks; k++) {
		struct ay_bytes d = { ev->digest[k], ay_alg_digest_size(log->bank[k]) };
		const struct ay_digest_row *row =
			d.p == NULL ? NULL : ay_digest_set_find(&r->files, log->bank[k], d);

		if (row != NULL) {
			tell(s, row, ev, i, d, rep);
			return; /* once is enough: other banks say the same */
		}
	}
}

static void check(const struct ay_refset *s, const struct ay_rule *r, const struct ay_boot_facts *f,
		  struct ay_report *rep)
{
	for (size_t i = 0; f->log != NULL && i < f->log->n_events; i++)
		if (ay_event_is_extended(&f->log->event[i]))
			check_event(s, r, f->log, i, rep);
}

const struct ay_digest_row *ay_refset_forbids(const struct ay_refset *s, uint16_t alg,
					      struct ay_bytes digest)
{
	for (size_t i = 0; i < s->n_rules; i++) {
		const struct ay_digest_row *row =
			s->rule[i].kind != &ay_rule_forbidden
				? NULL
				: ay_digest_set_find(&s->rule[i].files, alg, digest);

		if (row != NULL)
			return row;
	}
	return NULL;
}

const struct ay_rule_kind ay_rule_forbidden = {
	.name = "forbidden",
	.doc = "digests that must not have been measured, anywhere",
	.role = AY_ROLE_FORBIDS,
	.parse = parse,
	.build = build,
	.check = check,
};
