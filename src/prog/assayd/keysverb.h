/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_KEYSVERB_H
#define AY_ASSAYD_KEYSVERB_H

/* `assayd keys list | rotate NAME [--revoke] | finish NAME [--force]`. */
#include "io/sys/config.h"

struct ay_keys_verb {
	const char *rotate, *finish; /* names of keys; both NULL: list */
	bool revoke, force;
};
/* The exit status. */
int ay_keys_verb_run(const struct ay_config *c, const struct ay_keys_verb *v);

#endif
