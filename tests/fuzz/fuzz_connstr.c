/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/base/connstr.h"

#include <stdlib.h>
#include <string.h>

/* What is written again reads as the same thing, without a password. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char text[AY_CONNSTR_TEXT], again[AY_CONNSTR_TEXT];
	struct ay_connstr c, d;
	struct ay_err e;

	if (ay_connstr_parse((struct ay_bytes){ p, n }, &c, &e) != AY_OK)
		return 0;
	ay_connstr_format(&c, text);
	if (strlen(text) > 1024) /* "https://" was added */
		return 0;
	if (ay_connstr_parse(ay_bytes_of(text), &d, &e) != AY_OK || d.has_secret ||
	    !ay_bytes_eq(c.host, d.host) || c.port != d.port || !ay_bytes_eq(c.user, d.user))
		abort();
	ay_connstr_format(&d, again);
	if (strcmp(text, again) != 0)
		abort();
	AY_FUZZ_ACCEPT();
	return 0;
}
