/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_PROMPT_H
#define AY_PROG_ASSAY_PROMPT_H

/* What people type that others must not see. */
#include "prog/assay/cmd.h"

/*
 * A line from the terminal without echo, or the first line of file when it is
 * not NULL ("-": standard input). Terminated, without line end; wiped by the
 * caller. AY_EXIT_USAGE when there is neither.
 */
AY_MUST_USE int ay_prompt_secret(const char *prompt, const char *file, char *out, size_t room);
/* A new password, typed twice. */
AY_MUST_USE int ay_prompt_new_password(const char *file, char *out, size_t room);

#endif
