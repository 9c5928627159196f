/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/tpm/lcp.h"

#include <stdlib.h>

/* A policy that is read is written as it was; the lists of data fill it. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct ay_lcp_data d;
	struct ay_bytes in = { p, n };
	struct ay_lcp_policy pol;
	uint8_t hash[AY_DIGEST_MAX], again[AY_LCP_POLICY_MAX];
	struct ay_writer w;
	size_t all = AY_LCP_DATA_SIG_SIZE + 4;

	if (ay_lcp_policy_parse(in, &pol, NULL) == AY_OK) {
		AY_FUZZ_ACCEPT();
		ay_wr_init(&w, again, sizeof(again));
		ay_lcp_policy_write(&w, &pol);
		if (w.n != n)
			abort();
	}
	if (ay_lcp_data_parse(in, &d, NULL) == AY_OK) {
		AY_FUZZ_ACCEPT();
		for (size_t i = 0; i < d.n; i++)
			all += d.list[i].octets.n;
		if (all != n)
			abort();
		(void)!ay_lcp_data_hash(&d, AY_ALG_SHA256, hash, NULL);
	}
	return 0;
}
