/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/predict/uki.h"

/* An image that an operator was given: hashed, taken apart, measured. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const uint16_t bank[] = { AY_ALG_SHA256 };
	struct ay_bytes in = { p, n };
	struct ay_forecast f;
	struct ay_digests d;
	struct ay_arena arena;
	struct ay_uki u;
	struct ay_pe pe;
	struct ay_err e;

	ay_arena_init(&arena, 16u << 20);
	if (ay_pe_parse(in, &pe, &e) == AY_OK && ay_pe_hash(&pe, AY_ALG_SHA256, d.d[0])) {
		AY_FUZZ_ACCEPT();
		/* a virtual size may be a gibibyte of zeroes: correct, and too slow for here */
		for (size_t i = 0; i < pe.n_sections; i++)
			if (pe.section[i].virtual_size > 1u << 20)
				n = 0;
	}
	if (n > 0 && ay_uki_open(in, &u, &e) == AY_OK &&
	    ay_forecast_init(&f, &arena, bank, 1, &e) == AY_OK) {
		ay_uki_measure_sections(&u, &f);
		if (ay_uki_options(&u, &f, &d, &e) == AY_OK &&
		    ay_uki_initrd(&u, &f, &d, &e) == AY_OK)
			ay_forecast_add(&f, 9, AY_EV_EVENT_TAG, in, &d);
		if (ay_uki_kernel(&u, &pe, &e) == AY_OK && !ay_pe_hash(&pe, AY_ALG_SHA1, d.d[0]))
			__builtin_trap();
	}
	ay_arena_fini(&arena);
	return 0;
}
