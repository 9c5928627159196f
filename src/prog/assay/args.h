/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_ARGS_H
#define AY_PROG_ASSAY_ARGS_H

/* Options and positional words of a command line, by tables of struct ay_opt. */
#include "prog/assay/cmd.h"

/*
 * sets: tables of options, ended by NULL. Positional words are moved to the
 * front of argv. Returns NULL, or what is wrong with *word.
 */
AY_MUST_USE const char *ay_args_parse(struct ay_args *a, const struct ay_opt *const sets[],
				      int argc, char **argv, const char **word);

#endif
