/* SPDX-License-Identifier: Apache-2.0 */
/* EFI images: what the Authenticode hash covers, put together here by hand; and what is refused. */
#include "support/t.h"

#include "core/predict/pe.h"

#include <string.h>

enum { ROOM = 4096, HEADERS = 0x400 };

/* An image with two sections that stand in the table the other way round than in the file. */
struct image {
	uint8_t b[ROOM];
	size_t n;
	size_t opt; /* optional header */
	size_t table;
	size_t dirs;
};

static void le(struct image *m, size_t at, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		m->b[at + i] = (uint8_t)(v >> (8 * i));
}

static void section(struct image *m, size_t i, const char *name, uint32_t vsize, uint32_t n,
		    uint32_t at)
{
	size_t s = m->table + 40 * i;

	memcpy(m->b + s, name, strlen(name));
	le(m, s + 8, vsize, 4);
	le(m, s + 12, 0x1000 * (i + 1), 4);
	le(m, s + 16, n, 4);
	le(m, s + 20, at, 4);
}

/* cert: octets of a certificate table at the end; tail: octets between sections and it. */
static void make(struct image *m, bool plus, size_t tail, size_t cert)
{
	size_t pe = 0x80;

	*m = (struct image){ 0 };
	for (size_t i = 0; i < ROOM; i++)
		m->b[i] = (uint8_t)(i * 7 + i / 256);
	memset(m->b + pe, 0, HEADERS - pe);
	m->opt = pe + 24;
	m->dirs = m->opt + (plus ? 112 : 96);
	m->table = m->dirs + 16 * 8;
	le(m, 0, 0x5a4d, 2);
	le(m, 0x3c, pe, 4);
	le(m, pe, 0x4550, 4);
	le(m, pe + 6, 3, 2);
	le(m, pe + 20, m->table - m->opt, 2);
	le(m, m->opt, plus ? 0x20b : 0x10b, 2);
	le(m, m->opt + 60, HEADERS, 4);
	le(m, m->opt + 64, 0xdeadbeef, 4);
	le(m, m->dirs - 4, 16, 4);
	section(m, 0, ".text", 0x180, 0x200, 0x600);
	section(m, 1, ".data", 0x1f0, 0x200, 0x400);
	section(m, 2, ".bss", 0x300, 0, 0);
	m->n = 0x800 + tail + cert;
	if (cert > 0) {
		le(m, m->dirs + 32, 0x800 + tail, 4);
		le(m, m->dirs + 36, cert, 4);
	}
}

static void expect(const struct image *m, size_t tail, uint16_t alg, uint8_t *out)
{
	size_t sum = m->opt + 64, dir = m->dirs + 32;
	struct ay_hash h;

	assert_true(ay_hash_init(&h, alg));
	ay_hash_update(&h, (struct ay_bytes){ m->b, sum });
	ay_hash_update(&h, (struct ay_bytes){ m->b + sum + 4, dir - sum - 4 });
	ay_hash_update(&h, (struct ay_bytes){ m->b + dir + 8, HEADERS - dir - 8 });
	ay_hash_update(&h, (struct ay_bytes){ m->b + 0x400, 0x400 + tail });
	ay_hash_final(&h, out);
}

static const struct {
	const char *name;
	bool plus;
	size_t tail, cert;
} covers[] = {
	{ "PE32+, not signed", true, 0, 0 },
	{ "PE32, not signed", false, 0, 0 },
	{ "PE32+, signed", true, 0, 64 },
	{ "PE32, signed", false, 0, 64 },
	{ "octets behind the sections", true, 13, 0 },
	{ "octets between sections and certificates", true, 16, 64 },
};

static void hash_covers_all_but_checksum_and_certificates(void **state)
{
	static const uint16_t algs[] = { AY_ALG_SHA1, AY_ALG_SHA256, AY_ALG_SHA384, AY_ALG_SHA512 };
	uint8_t want[64], got[64];
	struct image m;
	struct ay_pe pe;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(covers); i++) {
		print_message("hash: %s\n", covers[i].name);
		make(&m, covers[i].plus, covers[i].tail, covers[i].cert);
		assert_int_equal(ay_pe_parse((struct ay_bytes){ m.b, m.n }, &pe, NULL), AY_OK);
		for (size_t k = 0; k < AY_COUNT(algs); k++) {
			expect(&m, covers[i].tail, algs[k], want);
			assert_true(ay_pe_hash(&pe, algs[k], got));
			assert_memory_equal(got, want, ay_alg_digest_size(algs[k]));
		}
	}
}

/* Every octet but those three places changes the hash, or the file is refused. */
static void every_octet_counts(void **state)
{
	uint8_t want[32], got[32];
	struct image m;
	struct ay_pe pe;

	(void)state;
	make(&m, true, 8, 64);
	assert_int_equal(ay_pe_parse((struct ay_bytes){ m.b, m.n }, &pe, NULL), AY_OK);
	assert_true(ay_pe_hash(&pe, AY_ALG_SHA256, want));
	for (size_t i = 0; i < m.n; i++) {
		bool is_free = (i >= m.opt + 64 && i < m.opt + 68) || i >= 0x808;

		if (i >= m.dirs + 32 && i < m.dirs + 40)
			continue; /* where the certificates are */
		m.b[i] ^= 0x10;
		if (ay_pe_parse((struct ay_bytes){ m.b, m.n }, &pe, NULL) == AY_OK) {
			assert_true(ay_pe_hash(&pe, AY_ALG_SHA256, got));
			assert_int_equal(memcmp(got, want, 32) == 0, is_free);
		}
		m.b[i] ^= 0x10;
	}
}

static void section_as_in_memory(void **state)
{
	static const uint8_t zeroes[0x300];
	uint8_t want[32], got[32];
	struct image m;
	struct ay_pe pe;

	(void)state;
	make(&m, true, 0, 0);
	assert_int_equal(ay_pe_parse((struct ay_bytes){ m.b, m.n }, &pe, NULL), AY_OK);
	assert_true(ay_pe_section_hash(ay_pe_find(&pe, ".data"), AY_ALG_SHA256, got));
	ay_sha256((struct ay_bytes){ m.b + 0x400, 0x1f0 }, want); /* shorter than in the file */
	assert_memory_equal(got, want, 32);
	assert_true(ay_pe_section_hash(ay_pe_find(&pe, ".bss"), AY_ALG_SHA256, got));
	ay_sha256(AY_BYTES(zeroes), want);
	assert_memory_equal(got, want, 32);
	assert_null(ay_pe_find(&pe, ".dat"));
}

static const struct {
	const char *name;
	size_t at; /* from the beginning; or from the optional header, section table, directories */
	char from;
	size_t n;
	uint64_t value;
	const char *where;
} wrong[] = {
	{ "no MZ", 0, 'f', 2, 0x4d5b, "pe.e_magic" },
	{ "PE header behind the end", 0x3c, 'f', 4, 0xffffff00, "pe.e_lfanew" },
	{ "PE header inside the DOS header", 0x3c, 'f', 4, 2, "pe.e_lfanew" },
	{ "no PE signature", 0x80, 'f', 4, 0x454e, "pe.signature" },
	{ "65,535 sections", 0x86, 'f', 2, 0xffff, "pe.numberOfSections" },
	{ "optional header of one octet", 0x94, 'f', 2, 1, "pe.magic" },
	{ "ROM image", 0, 'o', 2, 0x107, "pe.magic" },
	{ "headers longer than the file", 60, 'o', 4, 0xfffffff0, "pe.sizeOfHeaders" },
	{ "headers shorter than the headers", 60, 'o', 4, 0x80, "pe.sizeOfHeaders" },
	{ "four billion directories", 108, 'o', 4, 0xffffffff, NULL },
	{ "section behind the end", 20, 's', 4, 0x7ff, "pe.section.sizeOfRawData" },
	{ "section longer than the file", 16, 's', 4, 0xffffffff, "pe.section.sizeOfRawData" },
	{ "section of four GiB in memory", 8, 's', 4, 0xffffffff, "pe.section.virtualSize" },
	{ "sections that cover each other", 56, 's', 4, 0x400, "pe.section" },
	{ "certificates longer than the file", 36, 'd', 4, 0xffffffff, "pe.certificates" },
	{ "certificates that cover sections", 36, 'd', 4, 0x100, "pe.certificates" },
};

static void broken_images_are_refused(void **state)
{
	struct image m;
	struct ay_pe pe;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(wrong); i++) {
		struct ay_err e = { 0 };
		size_t base = 0;

		make(&m, true, 0, 64);
		if (wrong[i].from == 'o')
			base = m.opt;
		else if (wrong[i].from == 's')
			base = m.table;
		else if (wrong[i].from == 'd')
			base = m.dirs;
		le(&m, base + wrong[i].at, wrong[i].value, wrong[i].n);
		print_message("refused: %s\n", wrong[i].name);
		if (wrong[i].where == NULL) {
			assert_int_equal(ay_pe_parse((struct ay_bytes){ m.b, m.n }, &pe, &e),
					 AY_OK);
			continue;
		}
		assert_int_not_equal(ay_pe_parse((struct ay_bytes){ m.b, m.n }, &pe, &e), AY_OK);
		assert_string_equal(e.where, wrong[i].where);
		assert_int_equal(pe.file.n, 0);
	}
}

static void every_prefix_is_refused(void **state)
{
	struct image m;
	struct ay_pe pe;

	(void)state;
	make(&m, true, 0, 64);
	for (size_t n = 0; n < m.n; n++)
		assert_int_not_equal(ay_pe_parse((struct ay_bytes){ m.b, n }, &pe, NULL), AY_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash_covers_all_but_checksum_and_certificates),
		cmocka_unit_test(every_octet_counts),
		cmocka_unit_test(section_as_in_memory),
		cmocka_unit_test(broken_images_are_refused),
		cmocka_unit_test(every_prefix_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
