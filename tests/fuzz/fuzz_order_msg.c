/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "io/net/order_msg.h"
#include "io/net/tag_msg.h"

/* Bodies of orders and their answers; the first octet chooses which. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_chan_order_nonce nonce;
	struct ay_chan_order order;
	struct ay_chan_order_done done;
	struct ay_tag_order tag;
	struct ay_tag_begun begun;
	struct ay_bytes in;
	bool ok = false;

	if (n == 0)
		return 0;
	in = (struct ay_bytes){ p + 1, n - 1 };
	switch (p[0]) {
	case '1':
		ok = ay_chan_order_nonce_parse(in, &nonce, NULL) == AY_OK;
		break;
	case '2':
		ok = ay_chan_order_parse(in, &order, NULL) == AY_OK;
		break;
	case '3':
		ok = ay_chan_order_done_parse(in, &done, NULL) == AY_OK;
		break;
	case '4':
		ok = ay_tag_order_parse(in, &tag, NULL) == AY_OK;
		break;
	case '5':
		ok = ay_tag_begun_parse(in, &begun, NULL) == AY_OK;
		break;
	default:
		break;
	}
	if (ok)
		AY_FUZZ_ACCEPT();
	return 0;
}
