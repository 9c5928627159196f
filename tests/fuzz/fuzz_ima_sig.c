/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/evlog/ima_sig.h"

#include <stdlib.h>

/* What is accepted has a form, and its value ends where the octets end. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_ima_sig s;

	if (ay_ima_sig_parse((struct ay_bytes){ p, n }, &s, NULL) != AY_OK)
		return 0;
	if (s.form == AY_IMA_SIG_NONE ||
	    (s.form != AY_IMA_SIG_V1 && (s.value.n == 0 || s.value.p + s.value.n != p + n)))
		abort();
	AY_FUZZ_ACCEPT();
	return 0;
}
