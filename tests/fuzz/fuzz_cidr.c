/* SPDX-License-Identifier: Apache-2.0 */
/* A network, and a peer whose address is the text behind the first blank. */
#include "fuzz/smoke.h"

#include "io/net/cidr.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const uint8_t *blank = n == 0 ? NULL : memchr(p, ' ', n);
	size_t at = blank == NULL ? n : (size_t)(blank - p);
	struct ay_bytes peer = { blank == NULL ? NULL : blank + 1, blank == NULL ? 0 : n - at - 1 };
	struct ay_cidr c;
	struct ay_err e;

	if (ay_cidr_parse((struct ay_bytes){ p, at }, &c, &e) != AY_OK)
		return 0;
	if (ay_cidr_has_peer(&c, peer))
		AY_FUZZ_ACCEPT();
	return 0;
}
