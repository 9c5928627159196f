/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_CAUSES_H
#define AY_APPRAISE_CAUSES_H

/*
 * Findings to causes: what happened to the machine, in words that stay the
 * same (causes.def), with what would make it trusted again.
 */
#include "core/appraise/report.h"
#include "core/evlog/tcg.h"

/* Is this one of the classes? */
bool ay_cause_is_class(struct ay_bytes name);
const char *ay_cause_kind_name(enum ay_cause_kind k);

/*
 * Add the causes of all failing and open findings, each class once. log: the
 * parsed boot log whose events the findings name, or NULL. After
 * ay_report_conclude(). A trusted report has none.
 */
void ay_causes_find(struct ay_report *rep, const struct ay_evlog *log);

#endif
