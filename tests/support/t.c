/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int nibble(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, c | 0x20);

	return at == NULL ? -1 : (int)(at - digits);
}

struct ay_bytes t_hex(const char *hex)
{
	uint8_t *out = calloc(1, strlen(hex) / 2 + 1);
	size_t n = 0;

	assert_non_null(out);
	for (; *hex != '\0'; hex++) {
		if (*hex == ' ' || *hex == '\n')
			continue;
		assert_true(nibble(*hex) >= 0);
		out[n / 2] = (uint8_t)(out[n / 2] << 4 | nibble(*hex));
		n++;
	}
	assert_int_equal(n % 2, 0);
	return (struct ay_bytes){ out, n / 2 };
}

struct ay_bytes t_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p = NULL;
	size_t n = 0, got;

	if (f == NULL)
		fail_msg("cannot open %s", path);
	do {
		p = realloc(p, n + 65536);
		assert_non_null(p);
		got = fread(p + n, 1, 65536, f);
		n += got;
	} while (got > 0);
	fclose(f);
	return (struct ay_bytes){ p, n };
}

struct ay_bytes t_vector(const char *name)
{
	const char *dir = getenv("AY_VECTORS");
	char path[1024];

	assert_non_null(dir);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return t_file(path);
}

const char *t_corpus(const char *test)
{
	static char path[1024];
	const char *dir = getenv("ASSAY_CORPUS"), *source = getenv("AY_SOURCE");

	if (dir != NULL)
		snprintf(path, sizeof(path), "%s", dir);
	else
		snprintf(path, sizeof(path), "%s/../shared/corpus", source ? source : ".");
	if (access(path, R_OK) == 0)
		return path;
	if (getenv("ASSAY_TEST_STRICT") != NULL)
		fail_msg("no corpus at %s", path);
	printf("SKIP %s: no corpus\n", test);
	skip();
	return NULL;
}

struct ay_bytes t_corpus_file(const char *test, const char *name)
{
	char path[2048];

	snprintf(path, sizeof(path), "%s/%s", t_corpus(test), name);
	return t_file(path);
}
