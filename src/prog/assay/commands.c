/* SPDX-License-Identifier: Apache-2.0 */
/* Every command, in the order of the help. Adding one: a file, a declaration, a row. */
#include "prog/assay/commands.h"

const struct ay_cmd *const ay_commands[] = {
	&ay_cmd_help,
	NULL,
};
