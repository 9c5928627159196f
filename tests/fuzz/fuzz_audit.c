/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/authz/audit.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_audit_record r;
	struct ay_audit_tree t;
	struct ay_err e;

	if (ay_audit_record_parse((struct ay_bytes){ p, n }, &r, &e) == AY_OK)
		AY_FUZZ_ACCEPT();
	if (ay_audit_tree_parse((struct ay_bytes){ p, n }, &t, &e) == AY_OK)
		AY_FUZZ_ACCEPT();
	return 0;
}
