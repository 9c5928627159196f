/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_HELP_H
#define AY_PROG_ASSAY_HELP_H

/* The help texts, made from the command table. */
#include "prog/assay/cmd.h"

const struct ay_opt *ay_cli_global_opts(void);

/* Help of one command, of one noun (c == NULL), or of all (both NULL). Returns AY_EXIT_OK or
 * AY_EXIT_USAGE. */
int ay_help(FILE *f, const struct ay_cmd *c, const char *noun);
void ay_help_usage(FILE *f, const struct ay_cmd *c);
/* The words name no command: say so and what comes nearest. */
void ay_help_unknown(FILE *f, int argc, char **argv);

/* The command table as a manual page, and as completion for bash. */
void ay_help_man(FILE *f);
void ay_help_bash(FILE *f);

#endif
