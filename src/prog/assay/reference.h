/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_REFERENCE_H
#define AY_PROG_ASSAY_REFERENCE_H

/* assay reference: what its files share. */
#include "core/appraise/reference.h"
#include "prog/assay/list.h"

/* "golden version 3: active", or what now waits for a second person. */
int ay_reference_print(struct ay_cli *cli, const json_t *answer);

/*
 * The set that a word names: a file (a set, or an envelope, whose signatures
 * are not looked at), else ID, NAME or NAME@VERSION at the server. An enum
 * ay_exit, said on stderr; *out is the caller's (ay_refset_free).
 */
AY_MUST_USE int ay_reference_load(struct ay_cli *cli, const char *word, struct ay_refset **out);

#endif
