/* SPDX-License-Identifier: Apache-2.0 */
/* Members of bodies and parameters of queries, within the limits of a dialect. */
#include "prog/assayd/family/args.h"

const char *ay_family_arg(const struct ay_api_call *c, const char *name)
{
	const json_t *v = json_object_get(c->body, name);
	struct ay_bytes b;

	if (json_is_string(v))
		return json_string_value(v);
	if (v != NULL)
		return NULL;
	b = ay_api_param(c, name);
	return b.p == NULL ? NULL : (const char *)b.p;
}

/* OpenAttestation 1.x lets none of these into a name. */
static bool has_refused(const char *s)
{
	return strpbrk(s, "#&+:\"'") != NULL;
}

static bool is_text(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

enum ay_rc ay_family_args(const struct ay_api_call *c, const struct ay_family_arg_rule *rules,
			  const char **out, struct ay_err *e)
{
	bool is_oat1 = c->dialect == AY_DIALECT_OAT1;

	for (size_t i = 0; rules[i].name != NULL; i++) {
		const char *v = ay_family_arg(c, rules[i].name);
		size_t max = is_oat1 ? rules[i].max_oat1 : rules[i].max;

		out[i] = v == NULL ? "" : v;
		if (out[i][0] == '\0' && rules[i].is_needed)
			return ay_fail_code(e, AY_E_INPUT, "MISSING_INPUT", rules[i].name,
					    "%s is missing or empty", rules[i].name);
		if (AY_CHECKED("FAMILY_LENGTH", strlen(out[i]) > max))
			return ay_fail_code(e, AY_E_INPUT, "MISSING_INPUT", rules[i].name,
					    "%s is longer than %zu characters", rules[i].name, max);
		if (!is_text(out[i]) || (is_oat1 && rules[i].is_name &&
					 AY_CHECKED("FAMILY_CHARACTERS", has_refused(out[i]))))
			return ay_fail_code(e, AY_E_INPUT, "MISSING_INPUT", rules[i].name,
					    "%s has characters that are not allowed (# & + : \" ')",
					    rules[i].name);
	}
	return AY_OK;
}
