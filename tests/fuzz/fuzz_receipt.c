/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "prog/assayd/receipt.h"

/* Sealed as an attacker would, parsed, and judged if it parses. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_receipt_result res = { 0 };
	struct ay_receipt r = { 0 };
	json_t *doc = NULL;
	struct ay_bytes text;
	struct ay_arena a;

	if (ay_json_load((struct ay_bytes){ p, n }, 1u << 20, "fuzz", &doc, NULL) != AY_OK)
		return 0;
	ay_arena_init(&a, 256u << 20);
	if (json_is_object(doc) && ay_receipt_seal(doc, &a)) {
		text = ay_json_canonical(doc, &a);
		if (text.p && ay_receipt_parse(text, &a, &r, NULL) == AY_OK) {
			AY_FUZZ_ACCEPT();
			(void)!ay_receipt_check(&r, NULL, &a, &res, NULL);
		}
	}
	json_decref(res.derived);
	ay_receipt_fini(&r);
	json_decref(doc);
	ay_arena_fini(&a);
	return 0;
}
