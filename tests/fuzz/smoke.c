/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target over its seeds, every prefix of small seeds, and a fixed
 * number of mutations of each, without libFuzzer. Fails when no seed as it is
 * was accepted. usage: smoke_X SEED_DIR
 */
#include "fuzz/smoke.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MUTATIONS = 2000, SEED_MAX = 1 << 20, PREFIX_MAX = 4096 };

static unsigned accepted;

void ay_fuzz_accept(void)
{
	accepted++;
}

static uint32_t random_next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* A copy of exactly n octets, so that a sanitizer sees any read past them. */
static void run(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, p, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static void mutate(const uint8_t *seed, size_t n, uint32_t *state)
{
	uint8_t *p = malloc(n ? n : 1);

	if (p == NULL)
		abort();
	memcpy(p, seed, n);
	for (uint32_t k = 1 + random_next(state) % 4; n > 0 && k > 0; k--) {
		uint32_t what = random_next(state) % 3, at = random_next(state) % (uint32_t)n;

		p[at] = what == 0   ? (uint8_t)(p[at] ^ 1u << random_next(state) % 8)
			: what == 1 ? 0xff
				    : (uint8_t)random_next(state);
	}
	run(p, n);
	free(p);
}

static void one_seed(const char *path)
{
	static uint8_t seed[SEED_MAX];
	FILE *f = fopen(path, "rb");
	uint32_t state = 2463534242u;
	size_t n, budget;

	if (f == NULL)
		return;
	n = fread(seed, 1, sizeof(seed), f);
	fclose(f);
	run(seed, n);
	budget = n > 65536 ? MUTATIONS / 20 : MUTATIONS;
	for (size_t i = 0; i < n && i < PREFIX_MAX; i++)
		run(seed, i);
	for (size_t i = 0; i < budget; i++)
		mutate(seed, n, &state);
}

int main(int argc, char **argv)
{
	DIR *d = argc == 2 ? opendir(argv[1]) : NULL;
	unsigned seeds = 0, first = 0;
	struct dirent *ent;
	char path[4096];

	if (d == NULL) {
		fprintf(stderr, "usage: smoke SEED_DIR (folder with seeds)\n");
		return 2;
	}
	while ((ent = readdir(d)) != NULL) {
		if (ent->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], ent->d_name);
		one_seed(path);
		seeds++;
		first += accepted > 0;
	}
	closedir(d);
	printf("%u seeds, %u inputs accepted\n", seeds, accepted);
	return first > 0 ? 0 : 1;
}
