/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_COMMANDS_H
#define AY_PROG_ASSAY_COMMANDS_H

#include "prog/assay/cmd.h"

extern const struct ay_cmd ay_cmd_help;

#endif
