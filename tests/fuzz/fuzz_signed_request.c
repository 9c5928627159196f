/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/authz/signed_request.h"

#include <stdlib.h>

/* Nothing that a stranger writes passes for a signed request; what parses has its parts. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct ay_bytes name = ay_bytes_of("h");
	const struct ay_sr_asked asked = { .method = "GET",
					   .authority = name,
					   .path = ay_bytes_of("/"),
					   .now_ms = 1,
					   .own_name = &name,
					   .n_own_names = 1 };
	struct ay_bytes text = { p, n };
	struct ay_sr_x509 x;
	struct ay_sr_hmac h;
	struct ay_arena a;
	int64_t date;

	ay_arena_init(&a, 1 << 20);
	if (ay_sr_x509_parse(text, &a, &x, NULL) == AY_OK) {
		if (x.n_headers == 0 || x.n_headers > AY_SR_HEADERS || x.signature.n == 0)
			abort();
		AY_FUZZ_ACCEPT();
	}
	if (ay_sr_hmac_parse(text, &a, &h, NULL) == AY_OK) {
		if (h.user.n == 0 || h.user.n > AY_MAX_NAME_BYTES)
			abort();
		if (ay_sr_hmac_check(&h, &asked, (struct ay_bytes){ p, 0 }, &a, &date, NULL) ==
		    AY_OK)
			abort();
		AY_FUZZ_ACCEPT();
	}
	ay_arena_fini(&a);
	return 0;
}
