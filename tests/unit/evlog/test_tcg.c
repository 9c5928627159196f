/* SPDX-License-Identifier: Apache-2.0 */
/* Boot logs: the SHA-1 form, the TXT container, limits, event data, names. */
#include "support/t.h"

#include "core/base/limits.h"
#include "core/evlog/replay.h"
#include "core/evlog/tcg_data.h"
#include "core/evlog/tcg_names.h"
#include "core/evlog/txt.h"
#include "unit/evlog/make.h"

#include <stdlib.h>

/* TCG_PCR_EVENT: the digest is that of the data. */
static void put_sha1(struct t_list *l, uint32_t pcr, uint32_t type, const char *text)
{
	uint8_t d[AY_DIGEST_MAX] = { 0 };

	if (type != 3)
		t_digest(AY_ALG_SHA1, text, strlen(text), d);
	t_le32(l, pcr);
	t_le32(l, type);
	t_put(l, d, 20);
	t_le32(l, (uint32_t)strlen(text));
	t_put(l, text, strlen(text));
	if (type != 3)
		t_extend(&l->pcrs, AY_ALG_SHA1, pcr, d);
}

static void sha1_log(void **state)
{
	struct t_list l = { 0 };
	struct ay_evlog log;
	struct ay_arena arena;
	struct ay_pcrs pcrs;

	(void)state;
	ay_arena_init(&arena, 1u << 20);
	put_sha1(&l, 0, 3, "a first event that is no header");
	put_sha1(&l, 0, 8, "firmware");
	put_sha1(&l, 4, 5, "Calling INT 19h");
	assert_int_equal(ay_evlog_parse(t_list_bytes(&l), &arena, &log, NULL), AY_OK);
	assert_int_equal(log.format, AY_EVLOG_SHA1);
	assert_int_equal(log.n_events, 3);
	assert_int_equal(ay_evlog_replay(&log, &pcrs, NULL), AY_OK);
	assert_memory_equal(ay_pcrs_value(&pcrs, AY_ALG_SHA1, 0).p,
			    ay_pcrs_value(&l.pcrs, AY_ALG_SHA1, 0).p, 20);
	assert_memory_equal(ay_pcrs_value(&pcrs, AY_ALG_SHA1, 4).p,
			    ay_pcrs_value(&l.pcrs, AY_ALG_SHA1, 4).p, 20);
	ay_evlog_check_data(&log);
	assert_int_equal(log.event[2].check, AY_DATA_MATCH);
	assert_string_equal(ay_event_type_name(log.event[2].type), "EV_ACTION");
	ay_arena_fini(&arena);
}

/* The container around launch events [facts/hosts-and-txt.md 4.2]. */
static void make_txt(struct t_list *l, uint32_t size)
{
	static const uint8_t reserved[12];
	static const uint8_t versions[4] = { 1, 0, 1, 0 };
	size_t next;

	*l = (struct t_list){ 0 };
	t_put(l, AY_TXT_CONTAINER_SIG, 20);
	t_put(l, reserved, 12);
	t_put(l, versions, 4);
	t_le32(l, size);
	t_le32(l, 48);
	next = l->n;
	t_le32(l, 0);
	put_sha1(l, 17, 0x402, "sinit");
	put_sha1(l, 17, 0x401, "mapping");
	put_sha1(l, 18, 0x404, "mle");
	for (size_t i = 0; i < 4; i++)
		l->buf[next + i] = (uint8_t)(l->n >> (8 * i));
	while (l->n < size)
		t_put(l, "", 1);
}

static void txt_container(void **state)
{
	struct t_list l;
	struct ay_evlog log;
	struct ay_arena arena;
	struct ay_pcrs pcrs;
	uint8_t d[AY_DIGEST_MAX], both[40] = { 0 };

	(void)state;
	ay_arena_init(&arena, 1u << 20);
	make_txt(&l, 512);
	assert_int_equal(ay_evlog_parse(t_list_bytes(&l), &arena, &log, NULL), AY_OK);
	assert_int_equal(log.format, AY_EVLOG_TXT12);
	assert_string_equal(ay_evlog_format_name(log.format), "txt12");
	assert_int_equal(log.n_events, 3);
	assert_int_equal(log.event[0].offset, 48);
	assert_true(log.padding > 0);
	assert_int_equal(ay_evlog_replay(&log, &pcrs, NULL), AY_OK);
	/* PCR_MAPPING is not extended: PCR 17 has the start alone */
	t_digest(AY_ALG_SHA1, "sinit", 5, both + 20);
	t_digest(AY_ALG_SHA1, both, 40, d);
	assert_memory_equal(ay_pcrs_value(&pcrs, AY_ALG_SHA1, 17).p, d, 20);
	assert_memory_equal(ay_pcrs_value(&pcrs, AY_ALG_SHA1, 18).p,
			    ay_pcrs_value(&l.pcrs, AY_ALG_SHA1, 18).p, 20);
	ay_arena_fini(&arena);
}

static const struct {
	const char *name;
	size_t at; /* in the container's frame */
	uint32_t value;
	const char *code;
} frames[] = {
	{ "events inside the frame", 40, 40, "LOG_HEADER" },
	{ "events behind the next one", 40, 4000, "LOG_HEADER" },
	{ "next event behind the container", 44, 600, "LOG_HEADER" },
	{ "container smaller than its events", 36, 60, "LOG_HEADER" },
	{ "next event in the middle of one", 44, 100, "LOG_TRUNCATED" },
	{ "four billion", 44, 0xffffffff, "LOG_HEADER" },
};

static void txt_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(frames); i++) {
		struct t_list l;
		struct ay_evlog log;
		struct ay_arena arena;
		struct ay_err e = { 0 };

		print_message("container: %s\n", frames[i].name);
		ay_arena_init(&arena, 1u << 20);
		make_txt(&l, 512);
		for (size_t k = 0; k < 4; k++)
			l.buf[frames[i].at + k] = (uint8_t)(frames[i].value >> (8 * k));
		assert_int_not_equal(ay_evlog_parse(t_list_bytes(&l), &arena, &log, &e), AY_OK);
		assert_string_equal(e.code, frames[i].code);
		make_txt(&l, 512);
		l.buf[511] = 7;
		assert_int_not_equal(ay_evlog_parse(t_list_bytes(&l), &arena, &log, &e), AY_OK);
		assert_string_equal(e.code, "LOG_TRAILING");
		ay_arena_fini(&arena);
	}
}

static void refuse_limit(struct ay_bytes b)
{
	struct ay_evlog log;
	struct ay_arena arena;
	struct ay_err e = { 0 };

	ay_arena_init(&arena, 256u << 20);
	assert_int_equal(ay_evlog_parse(b, &arena, &log, &e), AY_E_LIMIT);
	assert_string_equal(e.code, "LOG_LIMIT");
	ay_arena_fini(&arena);
}

static void limits(void **state)
{
	struct t_list l = { 0 };
	size_t n = (size_t)64 << 20;
	uint8_t *p = calloc(1, n);

	(void)state;
	assert_non_null(p);
	put_sha1(&l, 0, 5, "x");
	print_message("64 MiB\n");
	memcpy(p, l.buf, l.n);
	refuse_limit((struct ay_bytes){ p, n });
	print_message("more events than allowed\n");
	l.n = 0;
	put_sha1(&l, 0, 5, "");
	for (n = 0; n + l.n <= 32 * ((size_t)AY_MAX_EVLOG_EVENTS + 1); n += l.n)
		memcpy(p + n, l.buf, l.n);
	refuse_limit((struct ay_bytes){ p, n });
	print_message("an event of 5 MiB\n");
	n = 5u << 20;
	p[28] = 0;
	p[29] = 0;
	p[30] = 0x50;
	refuse_limit((struct ay_bytes){ p, n + 32 });
	print_message("an event that claims 16 MiB\n");
	p[30] = 0;
	p[31] = 1;
	refuse_limit((struct ay_bytes){ p, 4096 });
	free(p);
}

static void summaries(void **state)
{
	static struct t_boot b;
	struct ay_evlog log;
	struct ay_arena arena;
	char text[64];

	(void)state;
	ay_arena_init(&arena, 1u << 20);
	t_boot_make(&b, 3);
	assert_int_equal(ay_evlog_parse(t_list_bytes(&b.log), &arena, &log, NULL), AY_OK);
	assert_int_equal(log.locality, 3);
	ay_event_summary(&log.event[4], text, sizeof(text));
	assert_string_equal(text, "SecureBoot=1");
	ay_event_summary(&log.event[7], text, 8);
	assert_string_equal(text, "Calling");
	assert_null(ay_event_type_name(0x77777777));
	ay_arena_fini(&arena);
}

/* Data of events of a Debian 12 machine (OVMF, shim, GRUB, Linux 6.1), and damaged ones. */
static void names_of_images(void **state)
{
	static const char head[] =
		"18b0931c00000000c0d53f000000000000000000000000003400000000000000";
	static const char path[] =
		"040430005c004500460049005c0042004f004f0054005c006700720075006200"
		"7800360034002e006500660069000000";
	static const struct {
		uint32_t type;
		const char *head, *rest, *want;
	} rows[] = {
		{ 0x80000003, head, "%7fff0400", "\\EFI\\BOOT\\grubx64.efi" },
		{ 0x80000003, head, "02010c00d041030a00000000%7fff0400",
		  "\\EFI\\BOOT\\grubx64.efi" },
		{ 0x80000004, head, "04040a0061002e000000", "a." },
		{ 0x80000005, head, "0404080061000000", "a" },
		{ 0x80000003, "80728f19", "", "" },
		{ 0x80000003, head, "", "" },
		{ 0x80000003, head, "04040300%", "" }, /* shorter than its own head */
		{ 0x80000003, head, "0404000061000000", "" },
		{ 0x80000003, head, "0404ff00%", "" },	      /* longer than what is there */
		{ 0x80000003, head, "0405080061000000", "" }, /* no file */
		{ 0x6, "ed223b8f1a000000", "4c4f414445445f494d4147453a3a4c6f61644f7074696f6e7300",
		  "LOADED_IMAGE::LoadOptions" },
		{ 0x6, "ec223b8f0d000000", "4c696e757820696e6974726400", "Linux initrd" },
		{ 0x6, "ec223b8f0d000000", "010203", "" },
		{ 0x6, "ec223b8f0d0000", "", "" },
		{ 0x6, "ec223b8fff000000", "4c696e757820696e6974726400", "" },
		{ 0x6, "776f726473", "", "words" }, /* no such structure */
		{ 0x80000003, "776f726473", "", "words" },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		const char *mark = strchr(rows[i].rest, '%');
		char hex[512], text[64];
		struct ay_event ev = { .type = rows[i].type };

		if (mark == NULL)
			snprintf(hex, sizeof(hex), "%s%s", rows[i].head, rows[i].rest);
		else
			snprintf(hex, sizeof(hex), "%s%.*s%s%s", rows[i].head,
				 (int)(mark - rows[i].rest), rows[i].rest, path, mark + 1);
		ev.data = t_hex(hex);
		ay_event_summary(&ev, text, sizeof(text));
		assert_string_equal(text, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha1_log),   cmocka_unit_test(txt_container),
		cmocka_unit_test(txt_frames), cmocka_unit_test(limits),
		cmocka_unit_test(summaries),  cmocka_unit_test(names_of_images),
	};

	return cmocka_run_group_tests_name("evlog/tcg", tests, NULL, NULL);
}
