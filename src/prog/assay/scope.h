/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_SCOPE_H
#define AY_PROG_ASSAY_SCOPE_H

/* --host-label K=V and --pool P: which hosts a role is for. */
#include "prog/assay/cmd.h"

#include <jansson.h>

/* {"labels":{..},"pool":..}, the caller's; NULL when neither option is there. */
AY_MUST_USE int ay_cli_scope(const struct ay_args *args, json_t **out);

#endif
