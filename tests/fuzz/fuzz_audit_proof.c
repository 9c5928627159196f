/* SPDX-License-Identifier: Apache-2.0 */
/* leaf, size, leaf hash, root, then the hashes of a proof: checked as both kinds. */
#include "fuzz/smoke.h"

#include "core/authz/proof.h"
#include "core/base/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_proof proof = { 0 };
	uint64_t a, b;
	uint8_t one[32], two[32];
	struct ay_reader r;
	struct ay_err e;

	ay_rd_init(&r, (struct ay_bytes){ p, n });
	a = ay_rd_be64(&r, "a");
	b = ay_rd_be64(&r, "b");
	ay_rd_copy(&r, "one", one, 32);
	ay_rd_copy(&r, "two", two, 32);
	if (!ay_rd_ok(&r))
		return 0;
	for (size_t at = 80; at + 32 <= n && proof.n < AY_PROOF_MAX; at += 32)
		memcpy(proof.hash[proof.n++], p + at, 32);
	if (ay_proof_check_inclusion(&proof, a, b, one, two, &e) == AY_OK)
		AY_FUZZ_ACCEPT();
	if (ay_proof_check_consistency(&proof, a, b, one, two, &e) == AY_OK)
		AY_FUZZ_ACCEPT();
	return 0;
}
