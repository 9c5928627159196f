/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TESTS_FUZZ_SMOKE_H
#define AY_TESTS_FUZZ_SMOKE_H

/*
 * A fuzz target defines LLVMFuzzerTestOneInput and calls ay_fuzz_accept() each
 * time its parser accepts an input. Under libFuzzer that is nothing; the smoke
 * run counts, since a target that accepts none of its seeds tests only its
 * first branch.
 */
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);
void ay_fuzz_accept(void) __attribute__((weak));

#define AY_FUZZ_ACCEPT()                                                                           \
	do {                                                                                       \
		if (ay_fuzz_accept != NULL)                                                        \
			ay_fuzz_accept();                                                          \
	} while (0)

#endif
