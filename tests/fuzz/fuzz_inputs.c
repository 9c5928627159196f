/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/base/reader.h"
#include "prog/assayd/inputs.h"
#include "prog/assayd/rules.h"

/* u16 length and inputs, u32 length and extra; or the whole as rules. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_bytes all = { p, n }, inputs, extra;
	struct ay_inputs in;
	struct ay_rules rules;
	struct ay_reader r;

	if (ay_rules_parse(all, &rules, NULL) == AY_OK) {
		for (uint32_t i = 0; i < rules.n_sets; i++)
			(void)ay_rules_at(&rules, i);
		AY_FUZZ_ACCEPT();
	}
	ay_rd_init(&r, all);
	inputs = ay_rd_vec16(&r, "inputs", 4096);
	extra = ay_rd_vec32(&r, "extra", 1u << 20);
	if (ay_rd_end(&r, "fuzz", NULL) == AY_OK &&
	    ay_inputs_parse(inputs, extra, &in, NULL) == AY_OK) {
		(void)ay_inputs_whole(&in);
		AY_FUZZ_ACCEPT();
	}
	return 0;
}
