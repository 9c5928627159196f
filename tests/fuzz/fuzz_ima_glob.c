/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/appraise/ima_paths.h"

#include <stdlib.h>
#include <string.h>

/* The same by trying all ways, for short inputs: what the table of places must agree with. */
static bool slow(const char *p, const uint8_t *t, size_t n)
{
	if (*p == '\0')
		return n == 0;
	if (*p == '*') {
		bool crosses = p[1] == '*';
		size_t skip = crosses ? 2 : 1;

		for (size_t i = 0;; i++) {
			if (slow(p + skip, t + i, n - i))
				return true;
			if (i == n || (t[i] == '/' && !crosses))
				return false;
		}
	}
	if (n == 0 || (*p == '?' ? *t == '/' : (uint8_t)*p != *t))
		return false;
	return slow(p + 1, t + 1, n - 1);
}

/* pattern, NUL, path */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const uint8_t *nul = n > 0 ? memchr(p, 0, n) : NULL;
	char pattern[64];
	size_t k = nul == NULL ? 0 : (size_t)(nul - p);
	bool fits;

	if (nul == NULL || k >= sizeof(pattern))
		return 0;
	memcpy(pattern, p, k + 1);
	if (strstr(pattern, "***") != NULL) /* refused where patterns are read */
		return 0;
	fits = ay_ima_glob(pattern, (struct ay_bytes){ nul + 1, n - k - 1 });
	if (k <= 12 && n - k <= 16 && fits != slow(pattern, nul + 1, n - k - 1))
		abort();
	if (fits)
		AY_FUZZ_ACCEPT();
	return 0;
}
