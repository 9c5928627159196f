/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/assertion/saml.h"

#include <stdlib.h>
#include <string.h>

/* Canonical: what is accepted is written as it was. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static uint8_t buf[1 << 20];
	struct ay_saml_claims *c;
	size_t hosts;
	struct ay_arena arena;
	struct ay_writer w;
	struct ay_bytes b;
	struct ay_err e;

	ay_arena_init(&arena, 16u << 20);
	if (ay_saml_claims_parse((struct ay_bytes){ p, n }, &arena, &c, &hosts, &e) == AY_OK) {
		AY_FUZZ_ACCEPT();
		ay_wr_init(&w, buf, sizeof(buf));
		ay_saml_claims_write(&w, c, hosts);
		if (ay_wr_end(&w, "claims", &b, &e) != AY_OK || b.n != n || memcmp(b.p, p, n) != 0)
			abort();
	}
	ay_arena_fini(&arena);
	return 0;
}
