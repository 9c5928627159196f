/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/tpm/qualify.h"

static void fill(uint8_t *p, size_t n, uint8_t from)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(from + i);
}

/* The vector of design.md 3, and one computed by Python's hashlib. */
static void vectors(void **state)
{
	uint8_t nonce[32], exporter[32], spki[32], x[32], out[32];
	struct ay_uuid host;

	(void)state;
	fill(nonce, 32, 0);
	fill(exporter, 32, 0x20);
	fill(host.b, 16, 0);
	memset(spki, 0xaa, sizeof(spki));

	ay_qualify(AY_QUALIFY_QUOTE, nonce, exporter, &host, NULL, out);
	assert_memory_equal(
		out, t_hex("c5aebdcf38f74630da59715b02ee6bb629c01460c9ef706987183bef39016c36").p,
		32);

	ay_qualify_enrol_x(spki, ay_bytes_of("certificate"), x);
	assert_memory_equal(
		x, t_hex("ea3fdab24835d8eae2e3a160e46b214565042fc3d67ca48341887ca8030d875f").p, 32);
	ay_qualify(AY_QUALIFY_ENROL, nonce, exporter, &host, x, out);
	assert_memory_equal(
		out, t_hex("efb3a97891376e73ce6069eb1216ac52dc380550591106ccb3bf2f3ed946a493").p,
		32);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(vectors) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
