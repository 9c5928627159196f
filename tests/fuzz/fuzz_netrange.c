/* SPDX-License-Identifier: Apache-2.0 */
/* A range of addresses: whatever it is, it has its own first address. */
#include "fuzz/smoke.h"

#include "io/net/netrange.h"

#include <assert.h>
#include <netinet/in.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6 };
	struct ay_netrange r;
	struct ay_err e;
	char text[128];

	if (n >= sizeof(text))
		return 0;
	if (n > 0)
		memcpy(text, p, n);
	text[n] = '\0';
	if (ay_netrange_parse(text, &r, &e) != AY_OK)
		return 0;
	assert(r.bits <= 128);
	memcpy(&a.sin6_addr, r.addr, sizeof(r.addr));
	assert(ay_netrange_has(&r, (const struct sockaddr *)&a));
	AY_FUZZ_ACCEPT();
	return 0;
}
