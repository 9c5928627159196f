/* SPDX-License-Identifier: Apache-2.0 */
/* A request of the API: path, line end, query, line end, body of POST /hosts. */
#include "fuzz/smoke.h"

#include "core/base/json.h"
#include "prog/assayd/api/schema.h"
#include "prog/assayd/api/target.h"

static struct ay_bytes line(struct ay_bytes *in)
{
	size_t n = 0;
	struct ay_bytes out;

	while (n < in->n && in->p[n] != '\n')
		n++;
	out = (struct ay_bytes){ in->p, n };
	in->p += n < in->n ? n + 1 : n;
	in->n -= n < in->n ? n + 1 : n;
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes in = { p, n }, path = line(&in), query = line(&in);
	struct ay_target target;
	struct ay_arena arena;
	json_t *body = NULL;
	struct ay_err e;
	enum ay_rc rc;

	ay_arena_init(&arena, 1 << 20);
	rc = ay_target_parse(path, query, &arena, &target, &e);
	if (rc == AY_OK)
		rc = ay_json_load(in, 1 << 16, "body", &body, &e);
	if (rc == AY_OK)
		rc = ay_schema_check(AY_SCHEMA_HostAdd, body, in, &e);
	if (rc == AY_OK)
		AY_FUZZ_ACCEPT();
	json_decref(body);
	ay_arena_fini(&arena);
	return 0;
}
