/* SPDX-License-Identifier: Apache-2.0 */
/* The kind by the first octet, then its value; what is taken lets nobody in by a key of zeroes. */
#include "fuzz/smoke.h"

#include "core/crypto/tlspolicy.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const uint8_t zero[32];
	struct ay_tls_policy policy;
	struct ay_err e;
	const char *kind;

	if (n == 0)
		return 0;
	kind = ay_tls_policy_name((enum ay_tls_policy_kind)(p[0] % AY_TLS_POLICIES));
	if (ay_tls_policy_parse(ay_bytes_of(kind), (struct ay_bytes){ p + 1, n - 1 }, &policy,
				&e) != AY_OK)
		return 0;
	if (policy.kind != AY_TLS_TRUST_FIRST_USE && !policy.has_key && !policy.has_cert)
		abort();
	if (policy.has_key && memcmp(policy.key, zero, 32) != 0 &&
	    ay_tls_policy_check(&policy, zero, zero, &e) == AY_OK)
		abort();
	AY_FUZZ_ACCEPT();
	return 0;
}
