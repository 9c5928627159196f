/* SPDX-License-Identifier: Apache-2.0 */
/* A stream whole and octet by octet: the same events. */
#include "fuzz/smoke.h"

#include "core/base/sse.h"

#include <stdlib.h>

static bool count(void *arg, const struct ay_sse_event *ev)
{
	uint64_t *sum = arg;

	*sum = *sum * 31 + ev->id + ev->data.n + (uint64_t)ev->type[0] + ev->is_comment;
	for (size_t i = 0; i < ev->data.n; i++)
		*sum = *sum * 31 + ev->data.p[i];
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_sse *whole = calloc(1, sizeof(*whole)), *parts = calloc(1, sizeof(*parts));
	enum ay_rc a = AY_E_NOMEM, b = AY_OK;
	uint64_t sum[2] = { 0, 0 };
	struct ay_err e;

	if (whole != NULL && parts != NULL)
		a = ay_sse_feed(whole, (struct ay_bytes){ p, n }, count, &sum[0], &e);
	for (size_t i = 0; a != AY_E_NOMEM && b == AY_OK && i < n; i++)
		b = ay_sse_feed(parts, (struct ay_bytes){ p + i, 1 }, count, &sum[1], &e);
	if (a != AY_E_NOMEM && (a != b || sum[0] != sum[1]))
		abort();
	if (a == AY_OK && sum[0] != 0)
		AY_FUZZ_ACCEPT();
	free(whole);
	free(parts);
	return 0;
}
