/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "io/net/frame.h"

/* First octet: 1 bound, 2 the peer is the server; then frames as they come. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_frame_rules r = { .judges_bound = true };
	struct ay_frame_head h;

	if (n == 0)
		return 0;
	r.is_bound = (p[0] & 1) != 0;
	r.sender = (p[0] & 2) != 0 ? AY_ROLE_SERVER : AY_ROLE_AGENT;
	for (p++, n--; n >= AY_FRAME_HEAD; p += AY_FRAME_HEAD, n -= AY_FRAME_HEAD) {
		struct ay_bytes in = { p, AY_FRAME_HEAD };

		if (ay_frame_head_parse(in, &h, NULL) != AY_OK ||
		    ay_frame_check(&r, &h, NULL) != AY_OK)
			return 0;
		AY_FUZZ_ACCEPT();
		if (h.length > n - AY_FRAME_HEAD)
			return 0;
		p += h.length;
		n -= h.length;
	}
	return 0;
}
