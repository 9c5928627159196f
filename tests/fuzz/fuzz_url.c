/* SPDX-License-Identifier: Apache-2.0 */
/* An address that somebody gives the server to call. */
#include "fuzz/smoke.h"

#include "io/net/url.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct ay_url u;
	struct ay_err e;

	if (ay_url_parse((struct ay_bytes){ p, n }, &u, &e) != AY_OK)
		return 0;
	assert(u.host[0] != '\0' && strlen(u.host) <= AY_URL_HOST_MAX && u.port != 0);
	for (const char *c = u.host; *c != '\0'; c++) /* nothing that another would split at */
		assert(strchr("@/\\?# \t\r\n", *c) == NULL);
	for (size_t i = 0; i < u.target.n; i++)
		assert(u.target.p[i] > ' ' && u.target.p[i] < 0x7f);
	AY_FUZZ_ACCEPT();
	return 0;
}
