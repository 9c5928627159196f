/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_OFFLINE_H
#define AY_PROG_ASSAY_OFFLINE_H

/* What the offline commands (eventlog, ima, assertion) share: documents of their own on stdout. */
#include <jansson.h>

#include "core/appraise/report.h"
#include "core/tpm/pcr.h"
#include "prog/assay/cmd.h"

/* Prints one document and drops the reference; returns code. */
int ay_offline_print(json_t *doc, int code);

/* {"code","field","offset","text"}: the value of "error" everywhere (design 8). */
json_t *ay_offline_error(const struct ay_err *e);

/*
 * The input was refused: said on stderr and, with --json, as {"error":..} on
 * stdout, added to doc when there is one (its reference is taken). AY_EXIT_USAGE.
 */
int ay_offline_refuse(const struct ay_cli *cli, const char *what, const struct ay_err *e,
		      json_t *doc);

/* Findings that are worth telling: all but a pass of what is no note. */
json_t *ay_offline_findings(const struct ay_report *rep);
void ay_offline_print_findings(const struct ay_report *rep, FILE *f);
/* AY_EXIT_FINDING if one of them failed. */
int ay_offline_code(const struct ay_report *rep);

/* {bank:{"N":hex}}; banks without a value are left out. */
json_t *ay_offline_pcrs(const struct ay_pcrs *pcrs);
void ay_offline_print_pcrs(const struct ay_pcrs *pcrs, FILE *f);

#endif
