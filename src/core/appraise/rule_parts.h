/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_RULE_PARTS_H
#define AY_APPRAISE_RULE_PARTS_H

/* What several kinds of rules have in common: values, events, digests; read, written, compared. */
#include "core/appraise/reference.h"

/* {"sha256": "hex", ...} of PCR r->pcr; at least one bank. */
AY_MUST_USE enum ay_rc ay_rule_parse_values(const json_t *values, const struct ay_rule *r,
					    struct ay_pcrs *out, struct ay_err *e);
json_t *ay_rule_values_json(const struct ay_rule *r, const struct ay_pcrs *p);

/* Member "digests" of o to digest[k], in the banks of the rule, which it adds to. */
AY_MUST_USE enum ay_rc ay_rule_parse_digests(const json_t *o, const char *where, struct ay_arena *a,
					     struct ay_rule *r, const uint8_t **digest,
					     struct ay_err *e);
json_t *ay_rule_digests_json(const struct ay_rule *r, const uint8_t *const *digest);

/* Member "events" of o, at least `min` of them. */
AY_MUST_USE enum ay_rc ay_rule_parse_events(const json_t *o, size_t min, struct ay_arena *a,
					    struct ay_rule *r, struct ay_err *e);
/* NULL without memory. */
json_t *ay_rule_events_json(const struct ay_rule *r);

/* {"bank": {"hex": "text"}} to r->files; at most max digests. */
AY_MUST_USE enum ay_rc ay_rule_parse_files(const json_t *digests, size_t max, struct ay_arena *a,
					   struct ay_rule *r, struct ay_err *e);
json_t *ay_rule_files_json(const struct ay_rule *r);

/* ---- comparison ---- */

/* NULL: the event has none in that bank. */
const uint8_t *ay_log_digest(const struct ay_evlog *log, size_t event, uint16_t alg);

/* Same digests in every bank that both have, and at least in one that the quote covers. */
bool ay_rule_is_digest(const struct ay_rule *r, const uint8_t *const *digest,
		       const struct ay_boot_facts *f, size_t event);
/* The event that the rule expects, or one of its alternatives. */
bool ay_rule_is_event(const struct ay_rule *r, const struct ay_ref_event *ev,
		      const struct ay_boot_facts *f, size_t event);
/* Every digest of the event that can be computed is that of all its data, and one is attested. */
bool ay_rule_covers_whole(const struct ay_boot_facts *f, size_t event);
/* The UEFI variable named, in data that the digests cover as a whole, one of them attested. */
bool ay_rule_is_variable(const struct ay_exclude *x, const struct ay_boot_facts *f, size_t event);

/*
 * A bank to show digests in: of the rule, covered by the quote, a strong one if
 * there is any. 0: none, and then nothing can be compared.
 */
uint16_t ay_rule_shown_bank(const struct ay_rule *r, const struct ay_pcrs *attested,
			    size_t *k_of_rule);

/* Indices of the log's events that were extended into PCR pcr; *n of them. NULL: no memory. */
uint32_t *ay_rule_gather(const struct ay_boot_facts *f, unsigned pcr, struct ay_report *rep,
			 size_t *n);

/* Is there a log that speaks for the PCR: false for 0-16 when only a launch left one. */
bool ay_boot_has_log(const struct ay_boot_facts *f, unsigned pcr);

/* Nothing was extended into the PCR since it was reset, in any bank that the quote covers. */
bool ay_pcr_is_unextended(const struct ay_boot_facts *f, unsigned pcr);

/* pcr of one alternative: does every bank that it names hold the value? not_checked: not quoted. */
enum ay_result ay_rule_compare_values(const struct ay_rule *r, const struct ay_pcrs *want,
				      const struct ay_boot_facts *f, struct ay_place *at);

#endif
