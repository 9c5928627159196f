/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FAMILY_ARGS_H
#define AY_ASSAYD_FAMILY_ARGS_H

/* What clients of the family send, by name, within the limits of their dialect. */
#include "prog/assayd/family/family.h"

/* A text member of the body, else a parameter of the query; NULL: none, or no text. */
const char *ay_family_arg(const struct ay_api_call *c, const char *name);

struct ay_family_arg_rule {
	const char *name;
	size_t max_oat1, max; /* characters in OAT1, elsewhere */
	bool is_needed;	      /* not missing, not empty */
	bool is_name;	      /* OAT1 refuses # & + : " ' in it */
};
/*
 * All of them into out, "" for what is not there; rules end with name NULL.
 * Codes MISSING_INPUT. Texts live as long as c.
 */
AY_MUST_USE enum ay_rc ay_family_args(const struct ay_api_call *c,
				      const struct ay_family_arg_rule *rules, const char **out,
				      struct ay_err *e);

#endif
