/* SPDX-License-Identifier: Apache-2.0 */
/* What a change does to the log of an earlier boot, event by event; and to which logs it is
 * refused. */
#include "support/t.h"

#include "core/evlog/tcg_data.h"
#include "core/predict/change.h"
#include "core/predict/ipl.h"
#include "core/predict/uki.h"

#include <string.h>

static const uint16_t banks[] = { AY_ALG_SHA1, AY_ALG_SHA256 };

/* A boot log in one: pcr, type, data, and the text that is measured. */
struct row {
	uint32_t pcr, type;
	const char *data, *measured;
};

#define SEP                                                                                        \
	{                                                                                          \
		4, AY_EV_SEPARATOR, "0000", "0000"                                                 \
	}
#define CMD(text)                                                                                  \
	{                                                                                          \
		8, AY_EV_IPL, "grub_cmd: " text, text                                              \
	}
#define CMDLINE(text)                                                                              \
	{                                                                                          \
		8, AY_EV_IPL, "kernel_cmdline: " text, text                                        \
	}
#define FILE_(name, text)                                                                          \
	{                                                                                          \
		9, AY_EV_IPL, name, text                                                           \
	}

static void begin(struct ay_forecast *f, struct ay_arena *a, const struct row *rows, size_t n)
{
	ay_arena_init(a, 1 << 20);
	assert_int_equal(ay_forecast_init(f, a, banks, 2, NULL), AY_OK);
	for (size_t i = 0; i < n; i++)
		ay_forecast_measure(
			f, rows[i].pcr, rows[i].type,
			(struct ay_bytes){ (const uint8_t *)rows[i].data,
					   strlen(rows[i].data) + (rows[i].type == AY_EV_IPL) },
			ay_bytes_of(rows[i].measured));
}

/* Exactly the events of `want` have their digests; the others those of rows. */
static void expect(const struct ay_forecast *f, const struct row *want, size_t n)
{
	assert_int_equal(f->n, n);
	for (size_t i = 0; i < n; i++) {
		struct ay_digests d;

		ay_forecast_hash(f, ay_bytes_of(want[i].measured), &d);
		if (!ay_forecast_same(f, i, &d))
			fail_msg("event %zu is not \"%s\"", i, want[i].measured);
	}
}

static const struct row grub[] = {
	SEP,
	CMD("menuentry A --id a {\n linux /vmlinuz-1 ro quiet\n}"),
	CMD("linux /vmlinuz-1 ro quiet"),
	FILE_("(hd0)/EFI/debian/grub.cfg", "first"),
	FILE_("(hd0,gpt2)/boot/grub/grub.cfg", "second"),
	FILE_("/vmlinuz-1", "kernel"),
	CMDLINE("/vmlinuz-1 ro quiet"),
	CMD("initrd /initrd-1"),
	FILE_("/initrd-1", "initrd"),
	FILE_("(hd0)/initrd-1", "initrd"),
	{ 8, AY_EV_IPL, "grub_cmd linux /vmlinuz-1 old form", "something else" },
};

static void files_by_role(void **state)
{
	struct row want[AY_COUNT(grub)];
	struct ay_forecast f;
	struct ay_arena a;
	struct ay_err e = { 0 };
	size_t n;

	(void)state;
	begin(&f, &a, grub, AY_COUNT(grub));
	memcpy(want, grub, sizeof(want));
	assert_int_equal(ay_change_file(&f, AY_BOOT_INITRD, NULL, NULL, ay_bytes_of("new"), &n, &e),
			 AY_OK);
	assert_int_equal(n, 2); /* with and without the device before its name */
	want[8].measured = want[9].measured = "new";
	expect(&f, want, AY_COUNT(want));
	assert_int_equal(
		ay_change_file(&f, AY_BOOT_GRUB_CFG, NULL, NULL, ay_bytes_of("cfg"), &n, &e),
		AY_OK);
	want[4].measured = "cfg"; /* the last one that was read */
	expect(&f, want, AY_COUNT(want));
	assert_int_equal(ay_change_file(&f, AY_BOOT_GRUB_CFG, "/EFI/debian/grub.cfg", NULL,
					ay_bytes_of("other"), &n, &e),
			 AY_OK);
	want[3].measured = "other";
	expect(&f, want, AY_COUNT(want));
	assert_int_equal(ay_change_file(&f, AY_BOOT_KERNEL, NULL, NULL, ay_bytes_of("k2"), &n, &e),
			 AY_OK);
	want[5].measured = "k2";
	expect(&f, want, AY_COUNT(want));
	ay_arena_fini(&a);
}

static void files_by_their_old_octets(void **state)
{
	struct row want[AY_COUNT(grub)];
	struct ay_bytes old = ay_bytes_of("first"), none = ay_bytes_of("never");
	struct ay_forecast f;
	struct ay_arena a;
	struct ay_err e = { 0 };
	size_t n;

	(void)state;
	begin(&f, &a, grub, AY_COUNT(grub));
	memcpy(want, grub, sizeof(want));
	assert_int_equal(ay_change_file(&f, AY_BOOT_GRUB_CFG, NULL, &old, ay_bytes_of("x"), &n, &e),
			 AY_OK);
	want[3].measured = "x";
	expect(&f, want, AY_COUNT(want));
	assert_int_equal(ay_change_file(&f, AY_BOOT_INITRD, NULL, &none, ay_bytes_of("x"), &n, &e),
			 AY_E_NOENT);
	expect(&f, want, AY_COUNT(want));
	ay_arena_fini(&a);
}

static void command_lines(void **state)
{
	struct row want[AY_COUNT(grub)];
	struct ay_forecast f;
	struct ay_arena a;
	struct ay_err e = { 0 };
	size_t n;

	(void)state;
	begin(&f, &a, grub, AY_COUNT(grub) - 1);
	memcpy(want, grub, sizeof(want));
	assert_int_equal(ay_change_cmdline(&f, NULL, "ro", &n, &e), AY_OK);
	assert_int_equal(n, 3);
	want[1].measured = "menuentry A --id a {\n linux /vmlinuz-1 ro\n}";
	want[2].measured = "linux /vmlinuz-1 ro";
	want[6].measured = "/vmlinuz-1 ro";
	expect(&f, want, AY_COUNT(want) - 1);
	assert_int_equal(ay_change_text(&f, "-1", "-22", &n, &e), AY_OK);
	want[1].measured = "menuentry A --id a {\n linux /vmlinuz-22 ro\n}";
	want[2].measured = "linux /vmlinuz-22 ro";
	want[6].measured = "/vmlinuz-22 ro";
	want[7].measured = "initrd /initrd-22";
	expect(&f, want, AY_COUNT(want) - 1);
	assert_memory_equal(f.event[9].data.p, "(hd0)/initrd-22", 16);
	assert_int_equal(ay_change_cmdline(&f, NULL, "a \"b\"", &n, &e), AY_E_INPUT);
	assert_int_equal(ay_change_text(&f, "7.0", "7.1", &n, &e), AY_E_NOENT);
	ay_arena_fini(&a);
}

/* Data that its digest does not cover may say anything: it is never forged into a digest. */
static void text_that_was_not_measured(void **state)
{
	struct row rows[] = { CMD("set a=b"), { 8, AY_EV_IPL, "grub_cmd: set x=old", "evil" } };
	struct ay_forecast f;
	struct ay_arena a;
	struct ay_err e = { 0 };
	size_t n;

	(void)state;
	begin(&f, &a, rows, AY_COUNT(rows));
	assert_int_equal(ay_change_text(&f, "old", "new", &n, &e), AY_E_NOENT);
	expect(&f, rows, AY_COUNT(rows));
	ay_arena_fini(&a);
}

/* Unified image of the fuzz seeds: .sdmagic (version 252), .cmdline, .initrd, .linux. */
static void unified_image(void **state)
{
	static const struct {
		const char *text;
		size_t n; /* 0: without terminator */
	} want[] = { { ".linux", 1 },  { NULL, 0 },	 { ".cmdline", 1 },
		     { "quiet\n", 0 }, { ".initrd", 1 }, { "initrd", 0 } };
	struct ay_bytes in = t_vector("fuzz/uki/unified"), kernel = t_vector("fuzz/uki/image");
	struct ay_forecast f;
	struct ay_digests d, expected;
	struct ay_arena a;
	struct ay_uki u;
	struct ay_pe pe;

	(void)state;
	begin(&f, &a, NULL, 0);
	assert_int_equal(ay_uki_open(in, &u, NULL), AY_OK);
	assert_int_equal(u.stub, 252);
	ay_uki_measure_sections(&u, &f);
	assert_int_equal(f.n, AY_COUNT(want));
	for (size_t i = 0; i < f.n; i++) {
		struct ay_bytes b = want[i].text == NULL ? kernel : ay_bytes_of(want[i].text);

		b.n += want[i].n;
		ay_forecast_hash(&f, b, &expected);
		assert_int_equal(f.event[i].pcr, 11);
		assert_true(ay_forecast_same(&f, i, &expected));
	}
	assert_int_equal(ay_uki_options(&u, &f, &d, NULL), AY_OK);
	ay_forecast_hash(&f, t_hex("7100 7500 6900 6500 7400 0000"), &expected);
	assert_memory_equal(d.d[1], expected.d[1], 32);
	assert_int_equal(ay_uki_kernel(&u, &pe, NULL), AY_OK);
	assert_int_equal(pe.file.n, kernel.n);
	assert_int_equal(ay_uki_open(kernel, &u, NULL), AY_E_INPUT);
	ay_arena_fini(&a);
}

static void banks_that_cannot_be(void **state)
{
	static const uint16_t twice[] = { AY_ALG_SHA256, AY_ALG_SHA256 },
			      sm3[] = { AY_ALG_SM3_256 };
	struct ay_forecast f;
	struct ay_arena a;

	(void)state;
	ay_arena_init(&a, 1 << 16);
	assert_int_equal(ay_forecast_init(&f, &a, twice, 2, NULL), AY_E_INPUT);
	assert_int_equal(ay_forecast_init(&f, &a, sm3, 1, NULL), AY_E_INPUT);
	assert_int_equal(ay_forecast_init(&f, &a, twice, 0, NULL), AY_E_INPUT);
	ay_arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_by_role), cmocka_unit_test(files_by_their_old_octets),
		cmocka_unit_test(command_lines), cmocka_unit_test(text_that_was_not_measured),
		cmocka_unit_test(unified_image), cmocka_unit_test(banks_that_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
