/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TESTS_APPRAISE_RULES_FIXTURE_H
#define AY_TESTS_APPRAISE_RULES_FIXTURE_H

/*
 * Reference sets written as JSON with the digests of a good boot: @NAME@ is the
 * SHA-256 digest of its event NAME, #N# the SHA-256 value of its PCR N, ~N~ the
 * SHA-1 value.
 */
#include "boot_fixture.h"

#include "core/base/hex.h"
#include "core/base/uuid.h"

static struct ay_arena arena;
static struct boot good, seen;

static inline size_t put_digest(const char *name, char *out)
{
	const struct ay_evlog *log = &good.log;
	size_t i = boot_find(&good, name) + 1; /* the header is event 0 */

	for (size_t k = 0; k < log->n_banks; k++)
		if (log->bank[k] == AY_ALG_SHA256)
			ay_hex_encode((struct ay_bytes){ log->event[i].digest[k], 32 }, out);
	return 64;
}

static inline size_t put_value(uint16_t alg, const char *pcr, char *out)
{
	struct ay_bytes v = ay_pcrs_value(&good.pcrs, alg, (unsigned)strtoul(pcr, NULL, 10));

	ay_hex_encode(v, out);
	return 2 * v.n;
}

static inline const char *expand(const char *text)
{
	static char out[65536];
	size_t n = 0;

	while (*text != '\0') {
		const char *end = strchr("@#~", *text) != NULL ? strchr(text + 1, *text) : NULL;
		char word[64] = "";

		assert_true(n + 256 < sizeof(out));
		if (end == NULL) {
			out[n++] = *text++;
			continue;
		}
		memcpy(word, text + 1, (size_t)(end - text - 1));
		if (*text == '@')
			n += put_digest(word, out + n);
		else
			n += put_value(*text == '#' ? AY_ALG_SHA256 : AY_ALG_SHA1, word, out + n);
		text = end + 1;
	}
	out[n] = '\0';
	return out;
}

/* A set in force; parts and more are members of the document. e: why it was refused. */
static inline enum ay_rc set_try(const char *name, const char *more, const char *parts,
				 struct ay_refset **out, struct ay_err *e)
{
	static char doc[70000];

	snprintf(doc, sizeof(doc),
		 "{\"format\":\"assay-reference-1\",\"name\":\"%s\",\"version\":1,"
		 "\"state\":\"active\"%s%s,\"parts\":{%s}}",
		 name, *more == '\0' ? "" : ",", more, expand(parts));
	return ay_refset_parse(ay_bytes_of(doc), out, e);
}

static inline struct ay_refset *set_of(const char *name, const char *more, const char *parts)
{
	struct ay_refset *s;
	struct ay_err e = { 0 };

	if (set_try(name, more, parts, &s, &e) != AY_OK)
		fail_msg("set %s: %s: %s", name, e.where, e.text);
	return s;
}

static inline int rules_setup(void **state)
{
	(void)state;
	ay_arena_init(&arena, AY_MAX_ARENA_BYTES);
	boot_init(&good);
	boot_make(&good, &arena);
	boot_init(&seen);
	return 0;
}

static inline int rules_teardown(void **state)
{
	(void)state;
	ay_arena_fini(&arena);
	return 0;
}

#endif
