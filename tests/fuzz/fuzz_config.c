/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "io/sys/config.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *text = malloc(n + 1);
	struct ay_config *c;

	if (text == NULL)
		return 0;
	memcpy(text, p, n);
	text[n] = 0;
	if (ay_config_parse(AY_PROGRAM_ASSAYD, "fuzz", text, &c, NULL) == AY_OK) {
		AY_FUZZ_ACCEPT();
		ay_config_free(c);
	}
	free(text);
	return 0;
}
