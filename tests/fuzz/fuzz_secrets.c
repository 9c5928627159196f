/* SPDX-License-Identifier: Apache-2.0 */
/* What an account keeps of its credentials, as it stands in the store. */
#include "fuzz/smoke.h"

#include "prog/assayd/api/secrets.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_secrets s, t;
	struct ay_bytes back;
	struct ay_arena a;
	struct ay_err e;

	if (ay_secrets_parse((struct ay_bytes){ p, n }, &s, &e) != AY_OK)
		return 0;
	assert(s.n_recovery <= AY_RECOVERY_CODES && s.totp_n <= AY_TOTP_SEALED);
	assert(memchr(s.password, 0, sizeof(s.password)) != NULL);
	ay_arena_init(&a, 8192);
	back = ay_secrets_build(&s, &a);
	assert(back.p != NULL && ay_secrets_parse(back, &t, &e) == AY_OK);
	assert(strcmp(s.password, t.password) == 0 && s.n_recovery == t.n_recovery);
	ay_arena_fini(&a);
	AY_FUZZ_ACCEPT();
	return 0;
}
