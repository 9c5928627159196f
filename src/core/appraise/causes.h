/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_CAUSES_H
#define AY_APPRAISE_CAUSES_H

/*
 * Findings to causes: what happened to the machine, in words that stay the
 * same (causes.def), with what would make it trusted again.
 */
#include "core/appraise/reference.h"
#include "core/appraise/report.h"
#include "core/evlog/tcg.h"

/* Is this one of the classes? */
bool ay_cause_is_class(struct ay_bytes name);
const char *ay_cause_kind_name(enum ay_cause_kind k);

/*
 * Add the causes of all failing and open findings, each class once, and set
 * each finding's own. log: the parsed boot log whose events the findings name,
 * or NULL. After ay_report_conclude(). A trusted report has none.
 */
void ay_causes_find(struct ay_report *rep, const struct ay_evlog *log);

/*
 * What sets that are not in force (others) say about the causes of a report, in
 * its JSON as ay_report_json() made it. A difference that a draft expects is
 * explained by an update (kind `expected`); one that a superseded set expects
 * is an update that did not happen; one of a revoked set is suspicious. For
 * showing a report: the stored one depends on its evidence and rules alone.
 * False without memory; the report then stands as it was.
 */
AY_MUST_USE bool ay_causes_explain(json_t *report, const struct ay_refset *const *others,
				   size_t n_others);

#endif
