/* SPDX-License-Identifier: Apache-2.0 */
/* Kind "buffers": what an IMA list may have besides files, by name and digest. */
#include "core/appraise/reference.h"

#include <string.h>

#include "core/base/limits.h"

#define WHERE "reference.rule.buffers"
#define NAMES_MAX 256

static enum ay_rc parse_names(const json_t *names, struct ay_arena *a, struct ay_rule *r,
			      struct ay_err *e)
{
	size_t n = json_object_size(names);
	enum ay_rc rc = AY_OK;
	const char *name;
	json_t *digests;

	if (n == 0 || n > NAMES_MAX)
		return ay_json_bad(e, "reference.rule", "buffers", "needs 1 to 256 names");
	r->buffer = ay_arena_array(a, n, sizeof(*r->buffer));
	if (r->buffer == NULL)
		return ay_fail(e, AY_E_NOMEM, WHERE, 0, "out of memory");
	json_object_foreach ((json_t *)(uintptr_t)names, name, digests) {
		struct ay_ima_buf_rule *b = &r->buffer[r->n_buffers++];

		b->how = AY_IMA_BUF_DIGESTS;
		b->name = ay_arena_str(a, ay_bytes_of(name));
		if (b->name == NULL)
			return ay_fail(e, AY_E_NOMEM, WHERE, 0, "out of memory");
		if (!json_is_object(digests))
			return ay_json_bad(e, WHERE, name, "is no object of digests");
		rc = ay_ima_digests_parse(digests, WHERE, a, b, e);
		if (rc != AY_OK)
			return rc;
	}
	return rc;
}

static enum ay_rc parse(const json_t *o, struct ay_arena *a, struct ay_rule *r, struct ay_err *e)
{
	static const char *const known[] = { "kind", "buffers", NULL };
	const json_t *names;
	enum ay_rc rc = ay_json_only(o, known, "reference.rule", e);

	if (rc == AY_OK && r->part != AY_PART_RUNTIME)
		rc = ay_json_bad(e, "reference.rule", "kind", "buffers belong to part runtime");
	if (rc == AY_OK)
		rc = ay_json_object(o, "reference.rule", "buffers", true, &names, e);
	return rc == AY_OK ? parse_names(names, a, r, e) : rc;
}

static bool build(const struct ay_rule *r, json_t *o)
{
	json_t *names = json_object();

	for (size_t i = 0; i < r->n_buffers; i++)
		if (json_object_set_new(names, r->buffer[i].name,
					ay_ima_digests_json(&r->buffer[i])) != 0) {
			json_decref(names);
			return false;
		}
	return json_object_set_new(o, "buffers", names) == 0;
}

const struct ay_rule_kind ay_rule_buffers = {
	.name = "buffers",
	.doc = "keys, command lines, tables and other buffers that an IMA list may have",
	.role = AY_ROLE_RUNTIME,
	.parse = parse,
	.build = build,
};
