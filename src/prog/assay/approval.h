/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_APPROVAL_H
#define AY_PROG_ASSAY_APPROVAL_H

#include "prog/assay/cmd.h"

#include <jansson.h>

/* What waits for a second person, and how that person goes on. */
int ay_approval_print(struct ay_cli *cli, const json_t *approval);

#endif
