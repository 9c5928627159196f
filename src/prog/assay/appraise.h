/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_APPRAISE_H
#define AY_PROG_ASSAY_APPRAISE_H

#include "prog/assay/cmd.h"

#include <jansson.h>

/* assay reference learn --offline DIR --out SET.json. An enum ay_exit. */
int ay_learn_offline_run(struct ay_cli *cli, const struct ay_args *args);
/* PCR numbers of a repeated option, bit N. An enum ay_exit. */
int ay_learn_pcrs(const struct ay_args *args, const char *opt, uint32_t *mask);
/* Member `match` of the set from --for-...; a new reference, NULL: none was given. */
int ay_learn_match(const struct ay_args *args, json_t **out);

#endif
