/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/family/names.h"

void ay_family_no_host(struct ay_api_call *c)
{
	struct ay_err e;

	ay_err_set(&e, AY_E_NOENT, "hostName", 0, "host not found");
	ay_err_code(&e, "HOST_NOT_FOUND");
	ay_api_problem(c, &e);
}

const struct ay_host *ay_family_named_host(struct ay_api_call *c, const char *arg)
{
	const char *name = ay_family_arg(c, arg);
	const struct ay_host *h = name == NULL ? NULL : ay_api_host_find(c, ay_bytes_of(name));

	if (h == NULL)
		ay_family_no_host(c);
	return h;
}

enum ay_rc ay_family_names(struct ay_api_call *c, const char *arg, struct ay_bytes *out, size_t max,
			   size_t *n, struct ay_err *e)
{
	const char *text = ay_family_arg(c, arg);

	*n = 0;
	for (const char *at = text; at != NULL && *at != '\0';) {
		size_t len = strcspn(at, ",");
		struct ay_bytes one = { (const uint8_t *)at, len };
		char *copy;

		at += len + (at[len] == ',');
		if (len == 0)
			continue;
		if (*n == max)
			return ay_fail_code(e, AY_E_LIMIT, "MISSING_INPUT", arg,
					    "%s names more than %zu hosts", arg, max);
		copy = ay_arena_str(&c->arena, one);
		if (copy == NULL)
			return ay_fail(e, AY_E_NOMEM, arg, 0, "out of memory");
		out[(*n)++] = ay_bytes_of(copy);
	}
	return *n > 0 ? AY_OK
		      : ay_fail_code(e, AY_E_INPUT, "MISSING_INPUT", arg, "%s is missing or empty",
				     arg);
}
