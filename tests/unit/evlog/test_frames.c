/* SPDX-License-Identifier: Apache-2.0 */
/* Small pieces of logs: Spec ID headers, event frames, IMA templates; and memory that runs out. */
#include "support/t.h"

#include "core/evlog/ima.h"
#include "core/evlog/ima_template.h"
#include "core/evlog/tcg.h"
#include "core/evlog/tcg_frame.h"
#include "core/evlog/tcg_header.h"
#include "unit/evlog/make.h"

/* TCG_EfiSpecIDEvent [TCG-PFP 10.4.5.1] behind its signature and platform class. */
#define SIG "53706563204944204576656e74303300 00000000"
#define V20 "00 02 00 02"

static const struct {
	const char *name;
	const char *hex;
	enum ay_evlog_format format; /* AY_EVLOG_NONE: refused */
	const char *where;
	size_t overhang;
} headers[] = {
	{ "sha1 and sha256", SIG V20 "02000000 0400 1400 0b00 2000 00", AY_EVLOG_AGILE, NULL, 0 },
	{ "vendor information", SIG V20 "01000000 0b00 2000 03 aabbcc", AY_EVLOG_AGILE, NULL, 0 },
	{ "vendor information behind it", SIG V20 "01000000 0b00 2000 03", AY_EVLOG_AGILE, NULL,
	  3 },
	{ "Event02: a SHA-1 log", "53706563204944204576656e74303200 00000000 02 01 00 02 00",
	  AY_EVLOG_SHA1, NULL, 0 },
	{ "no header: a SHA-1 log", "6669726d77617265", AY_EVLOG_SHA1, NULL, 0 },
	{ "Event04", "53706563204944204576656e74303400 00000000" V20 "01000000 0b00 2000 00",
	  AY_EVLOG_NONE, "specId.signature", 0 },
	{ "signature changed, rest kept",
	  "53706563204944204576656d74303300 00000000" V20 "01000000 0b00 2000 00", AY_EVLOG_NONE,
	  "specId.signature", 0 },
	{ "version 1.2", SIG "02 01 00 02 01000000 0b00 2000 00", AY_EVLOG_NONE,
	  "specId.specVersionMajor", 0 },
	{ "no bank", SIG V20 "00000000 00", AY_EVLOG_NONE, "specId.numberOfAlgorithms", 0 },
	{ "six banks", SIG V20 "06000000", AY_EVLOG_NONE, "specId.numberOfAlgorithms", 0 },
	{ "four billion banks", SIG V20 "ffffffff", AY_EVLOG_NONE, "specId.numberOfAlgorithms", 0 },
	{ "same bank twice", SIG V20 "02000000 0b00 2000 0b00 2000 00", AY_EVLOG_NONE,
	  "specId.algorithmId", 0 },
	{ "unknown bank", SIG V20 "01000000 2700 2000 00", AY_EVLOG_NONE, "specId.algorithmId", 0 },
	{ "sha256 of 20 octets", SIG V20 "01000000 0b00 1400 00", AY_EVLOG_NONE,
	  "specId.digestSize", 0 },
	{ "octets after it", SIG V20 "01000000 0b00 2000 01 aabb", AY_EVLOG_NONE, "specId", 0 },
};

static void spec_id_headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(headers); i++) {
		struct ay_event first = { .type = 3, .data = t_hex(headers[i].hex) };
		struct ay_evlog log = { 0 };
		struct ay_err e = { 0 };
		enum ay_rc rc;
		size_t over = 99;

		print_message("header: %s\n", headers[i].name);
		rc = ay_evlog_header_parse(&first, &log, &over, &e);
		assert_int_equal(log.format, headers[i].format);
		assert_int_equal(over, headers[i].overhang);
		assert_int_equal(rc, headers[i].format == AY_EVLOG_NONE ? AY_E_INPUT : AY_OK);
		if (rc == AY_OK)
			continue;
		assert_string_equal(e.where, headers[i].where);
		assert_string_equal(e.code, "LOG_HEADER");
	}
}

/* Bank downgrade: a header that is cut, or of another event, never leaves a SHA-1 log behind. */
static void spoilt_headers(void **state)
{
	struct ay_bytes in = t_hex(SIG V20 "02000000 0400 1400 0b00 2000 00");
	struct ay_event first = { .type = 3 };
	struct ay_evlog log = { 0 };
	size_t over;

	(void)state;
	for (size_t n = 16; n < in.n; n++) {
		first.data = (struct ay_bytes){ in.p, n };
		assert_int_equal(ay_evlog_header_parse(&first, &log, &over, NULL), AY_E_INPUT);
		assert_int_equal(log.format, AY_EVLOG_NONE);
	}
	first.data = in;
	first.pcr = 1;
	assert_int_equal(ay_evlog_header_parse(&first, &log, &over, NULL), AY_E_INPUT);
	first.pcr = 0;
	first.type = 8;
	assert_int_equal(ay_evlog_header_parse(&first, &log, &over, NULL), AY_E_INPUT);
}

static enum ay_rc read_event(const struct ay_evlog *log, struct ay_bytes in, struct ay_event *ev)
{
	struct ay_reader r;

	ay_rd_init(&r, in);
	ay_event_read(&r, log, ev);
	return ay_rd_end(&r, "event", NULL);
}

#define D20 "1111111111111111111111111111111111111111"
#define D32 "2222222222222222222222222222222222222222222222222222222222222222"

static void event_frames(void **state)
{
	static const struct ay_evlog sha1 = { .format = AY_EVLOG_SHA1,
					      .n_banks = 1,
					      .bank = { AY_ALG_SHA1 } };
	static const struct ay_evlog agile = { .format = AY_EVLOG_AGILE,
					       .n_banks = 2,
					       .bank = { AY_ALG_SHA1, AY_ALG_SHA256 } };
	const struct {
		const struct ay_evlog *log;
		const char *hex;
		enum ay_rc rc;
	} rows[] = {
		{ &sha1, "07000000 01000080" D20 "03000000 aabbcc", AY_OK },
		{ &sha1, "07000000 01000080" D20 "04000000 aabbcc", AY_E_INPUT },
		{ &agile, "07000000 01000080 02000000 0400" D20 "0b00" D32 "02000000 aabb", AY_OK },
		{ &agile, "07000000 01000080 02000000 0b00" D32 "0b00" D32 "00000000", AY_E_INPUT },
		{ &agile, "07000000 01000080 01000000 0c00" D32 "00000000", AY_E_INPUT },
		{ &agile, "07000000 01000080 ffffffff 0400" D20, AY_E_INPUT },
	};
	struct ay_event ev;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		struct ay_bytes in = t_hex(rows[i].hex);

		assert_int_equal(read_event(rows[i].log, in, &ev) == AY_OK, rows[i].rc == AY_OK);
		for (size_t n = 0; rows[i].rc == AY_OK && n < in.n; n++)
			assert_int_not_equal(
				read_event(rows[i].log, (struct ay_bytes){ in.p, n }, &ev), AY_OK);
	}
	assert_int_equal(read_event(&agile, t_hex(rows[2].hex), &ev), AY_OK);
	assert_int_equal(ev.pcr, 7);
	assert_true(ev.type == 0x80000001u);
	assert_memory_equal(ev.digest[0], t_hex(D20).p, 20);
	assert_memory_equal(ev.digest[1], t_hex(D32).p, 32);
	assert_int_equal(ev.data.n, 2);
}

static void filler(void **state)
{
	(void)state;
	assert_int_equal(ay_evlog_filler(t_hex("000000ff")), 3);
	assert_int_equal(ay_evlog_filler(t_hex("ffff00")), 2);
	assert_int_equal(ay_evlog_filler(t_hex("01000000")), 0);
	assert_int_equal(ay_evlog_filler((struct ay_bytes){ 0 }), 0);
}

#define FOUR "xattrvalues|xattrlengths|iuid|igid"
#define TWELVE FOUR "|" FOUR "|" FOUR

/* Templates and fields of security/integrity/ima/ima_template.c, Linux 6.1. */
static void ima_templates(void **state)
{
	static const struct {
		const char *name;
		size_t n; /* 0: none */
		uint8_t last;
	} rows[] = {
		{ "ima", 2, AY_IMA_N },
		{ "ima-ng", 2, AY_IMA_N_NG },
		{ "ima-sig", 3, AY_IMA_SIG },
		{ "ima-buf", 3, AY_IMA_BUF },
		{ "ima-modsig", 5, AY_IMA_MODSIG },
		{ "evm-sig", 9, AY_IMA_U16 },
		{ "d-ng|n-ng|sig", 3, AY_IMA_SIG },
		{ "d-ng", 1, AY_IMA_D_NG },
		{ "", 0, 0 },
		{ "ima-", 0, 0 },
		{ "IMA-NG", 0, 0 },
		{ "d-ng|", 0, 0 },
		{ "|d-ng", 0, 0 },
		{ "d-ng||n-ng", 0, 0 },
		{ "d-ng|ima-ng", 0, 0 },
		{ TWELVE, 12, AY_IMA_U32 },
		{ TWELVE "|d", 0, 0 },
		{ "d-ng|n-ng|d-ng", 0, 0 }, /* the second would stand for the first */
		{ "d-ng|n-ng|sig|sig", 0, 0 },
		{ "d-ng|n-ng|n", 0, 0 },
		{ "d|n-ng|d-ng", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		struct ay_ima_template scratch;
		const struct ay_ima_template *t =
			ay_ima_template_find(ay_bytes_of(rows[i].name), &scratch);

		print_message("template: \"%s\"\n", rows[i].name);
		assert_int_equal(t == NULL ? 0 : t->n_fields, rows[i].n);
		if (t != NULL)
			assert_int_equal(t->field[t->n_fields - 1], rows[i].last);
	}
}

/* With any cap below what it takes, the parser says so; it never crashes or gives half a log. */
static void memory_runs_out(void **state)
{
	static struct t_boot b;
	struct ay_evlog log;
	size_t refused = 0;
	enum ay_rc rc;

	(void)state;
	t_boot_make(&b, 0);
	for (size_t cap = 0; cap < 65536; cap += 8) {
		struct ay_arena a AY_CLEANUP(ay_arena_fini);

		ay_arena_init(&a, cap);
		rc = ay_evlog_parse(t_list_bytes(&b.log), &a, &log, NULL);
		assert_true(rc == AY_OK || rc == AY_E_NOMEM);
		if (rc == AY_OK)
			break;
		refused++;
		assert_int_equal(log.n_events, 0);
		assert_int_equal(log.format, AY_EVLOG_NONE);
	}
	assert_int_equal(rc, AY_OK);
	assert_true(refused > 10);
}

static void every_prefix_of_an_ima_list(void **state)
{
	static struct t_list l;
	size_t first;
	uint64_t n;

	(void)state;
	t_ima_ng(&l, 10, "/bin/a");
	first = l.n;
	t_ima_sig(&l, 10, "/bin/b", "030204aabbccdd");
	assert_int_equal(ay_ima_parse(t_list_bytes(&l), &n, NULL), AY_OK);
	assert_int_equal(n, 2);
	for (size_t k = 1; k < l.n; k++)
		assert_int_equal(ay_ima_parse((struct ay_bytes){ l.buf, k }, &n, NULL) == AY_OK,
				 k == first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spec_id_headers),
		cmocka_unit_test(spoilt_headers),
		cmocka_unit_test(event_frames),
		cmocka_unit_test(filler),
		cmocka_unit_test(ima_templates),
		cmocka_unit_test(memory_runs_out),
		cmocka_unit_test(every_prefix_of_an_ima_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
