/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_FINDINGS_H
#define AY_PROG_ASSAY_FINDINGS_H

/* Findings and errors of the offline commands, for programs and for people (design.md 8). */
#include <jansson.h>

#include "core/appraise/report.h"
#include "prog/assay/cmd.h"

/* Array of Finding objects. */
json_t *ay_findings_json(const struct ay_report *rep);
/* {"code","field","offset","text"}: what stands under "error". */
json_t *ay_error_json(const struct ay_err *e);
/* Print one document and a newline on stdout; takes j. */
void ay_json_print(json_t *j);
/* One line a finding: what failed, what was not checked, notes. */
void ay_findings_print(const struct ay_report *rep, const struct ay_cli *cli);

#endif
