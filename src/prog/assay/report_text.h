/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_REPORT_TEXT_H
#define AY_PROG_ASSAY_REPORT_TEXT_H

/* A Report object (design 8) for people. */
#include "prog/assay/client.h"

/*
 * With --json the document as it is. words: causes and notes too, not only
 * what failed. AY_EXIT_OK when the verdict is trusted, else AY_EXIT_FINDING.
 */
int ay_report_print(struct ay_cli *cli, const json_t *report, bool words);

#endif
