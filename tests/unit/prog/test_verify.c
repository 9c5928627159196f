/* SPDX-License-Identifier: Apache-2.0 */
/* Nonces of one-shot verification: one use, one user, five minutes. */
#include "../../support/t.h"

#include "prog/assayd/engine_impl.h"
#include "prog/assayd/verify.h"

#include <stdlib.h>

static void test_nonces(void **state)
{
	struct ay_engine *g = calloc(1, sizeof(*g));
	uint8_t a[32], b[32], other[32] = { 0 };
	struct ay_err e;

	(void)state;
	assert_non_null(g);
	g->now_ms = 1000;
	assert_int_equal(ay_engine_verify_nonce(g, "eve", a, &e), AY_OK);
	assert_int_equal(ay_engine_verify_nonce(g, "bob", b, &e), AY_OK);
	assert_memory_not_equal(a, b, 32);
	assert_false(ay_verify_take_nonce(g, "eve", AY_BYTES(other)));
	assert_false(ay_verify_take_nonce(g, "eve", (struct ay_bytes){ a, 31 }));
	assert_false(ay_verify_take_nonce(g, "bob", AY_BYTES(a))); /* somebody else's */
	assert_true(ay_verify_take_nonce(g, "eve", AY_BYTES(a)));
	assert_false(ay_verify_take_nonce(g, "eve", AY_BYTES(a))); /* a second time */
	g->now_ms += AY_VERIFY_NONCE_MS;
	assert_false(ay_verify_take_nonce(g, "bob", AY_BYTES(b))); /* too late */
	ay_verify_fini(g);
	free(g);
}

/* There is a bound, and time frees what nobody used. */
static void test_bound(void **state)
{
	struct ay_engine *g = calloc(1, sizeof(*g));
	enum ay_rc rc = AY_OK;
	uint8_t nonce[32];
	unsigned n = 0;
	struct ay_err e;

	(void)state;
	assert_non_null(g);
	g->now_ms = 1000;
	while (rc == AY_OK && n < 100000) {
		rc = ay_engine_verify_nonce(g, "eve", nonce, &e);
		n += rc == AY_OK;
	}
	assert_int_equal(rc, AY_E_UNAVAIL);
	assert_string_equal(e.code, "VERIFY_BUSY");
	assert_int_equal(n, 4096);
	g->now_ms += AY_VERIFY_NONCE_MS;
	assert_int_equal(ay_engine_verify_nonce(g, "eve", nonce, &e), AY_OK);
	ay_verify_fini(g);
	free(g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nonces),
		cmocka_unit_test(test_bound),
	};

	return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
