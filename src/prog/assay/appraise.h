/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_APPRAISE_H
#define AY_PROG_ASSAY_APPRAISE_H

#include "prog/assay/cmd.h"

/* assay reference learn --offline DIR --out SET.json. An enum ay_exit. */
int ay_learn_offline_run(struct ay_cli *cli, const struct ay_args *args);

#endif
