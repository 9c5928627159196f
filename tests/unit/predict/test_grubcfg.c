/* SPDX-License-Identifier: Apache-2.0 */
/* Menu entries of grub.cfg: how GRUB's own measurements of real machines have them. */
#include "support/t.h"

#include "core/evlog/tcg_data.h"
#include "core/predict/grubcfg.h"
#include "core/predict/ipl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	const char *text;
	size_t n;
	const char *head; /* of the first entry */
	const char *block;
	bool is_conditional;
} entries[] = {
	{ "one entry", "menuentry 'A b' {\n\tlinux /x\n}\n", 1, "menuentry A b", "\n\tlinux /x\n",
	  false },
	{ "an empty file", "", 0, NULL, NULL, false },
	{ "no entry", "set timeout=0\nlinux /vmlinuz\ninitrd /initrd\nboot\n", 0, NULL, NULL,
	  false },
	{ "the option that is a variable", "menuentry x $menuentry_id_option 'y' { z; }", 1,
	  "menuentry x --id y", " z; ", false },
	{ "the same in braces and quotes", "menuentry x \"${menuentry_id_option}\" y { z; }", 1,
	  "menuentry x --id y", " z; ", false },
	{ "another variable", "menuentry \"$title\" { z; }", 1, NULL, " z; ", false },
	{ "double quotes and escapes", "submenu \"a \\\"b\\\" \\$c \\d\" e\\ f { z; }", 1,
	  "submenu a \"b\" $c \\d e f", " z; ", false },
	{ "quotes joined", "menuentry a'b c'\"d\" { z; }", 1, "menuentry ab cd", " z; ", false },
	{ "blanks between words", "menuentry   a \t b { z; }", 1, "menuentry a b", " z; ", false },
	{ "a line continued", "menuentry a \\\n b { z; }", 1, "menuentry a b", " z; ", false },
	{ "braces within", "menuentry a { if x; then { y; }; fi\n b ${c} '}' \"}\" # }\n}", 1,
	  "menuentry a", " if x; then { y; }; fi\n b ${c} '}' \"}\" # }\n", false },
	{ "inside if", "if [ x = y ]; then\nmenuentry a { z; }\nfi\n", 1, "menuentry a", " z; ",
	  true },
	{ "behind if", "if a; then b; else c; fi; menuentry a { z; }", 1, "menuentry a", " z; ",
	  false },
	{ "inside for", "for i in a b; do menuentry a { z; }; done", 1, "menuentry a", " z; ",
	  true },
	{ "a function is no entry", "function f {\n menuentry a { z; }\n}\nmenuentry b { c; }", 1,
	  "menuentry b", " c; ", false },
	{ "a comment is no entry", "# menuentry a { z; }\nmenuentry b { c; }\n", 1, "menuentry b",
	  " c; ", false },
	{ "keyword as an argument", "menuentry if { z; }\nmenuentry fi { z; }", 2, "menuentry if",
	  " z; ", false },
};

static void entries_are_found(void **state)
{
	struct ay_grubcfg cfg;
	struct ay_arena a;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(entries); i++) {
		print_message("entry: %s\n", entries[i].name);
		ay_arena_init(&a, 1 << 20);
		assert_int_equal(ay_grubcfg_parse(ay_bytes_of(entries[i].text), &a, &cfg, NULL),
				 AY_OK);
		assert_int_equal(cfg.n, entries[i].n);
		if (cfg.n > 0 && entries[i].head == NULL)
			assert_null(cfg.entry[0].head);
		else if (cfg.n > 0)
			assert_string_equal(cfg.entry[0].head, entries[i].head);
		if (cfg.n > 0) {
			assert_true(ay_bytes_eq(cfg.entry[0].block, ay_bytes_of(entries[i].block)));
			assert_int_equal(cfg.entry[0].is_conditional, entries[i].is_conditional);
		}
		ay_arena_fini(&a);
	}
}

static const struct {
	const char *name;
	const char *text;
	const char *why;
} wrong[] = {
	{ "a brace that does not end", "menuentry a {\n{\n}\n", "line 4: a brace" },
	{ "a quote that does not end", "menuentry 'a {\n}\n", "a quote" },
	{ "a double quote that does not end", "x \"a\\\"", "a quote" },
	{ "a variable that does not end", "x ${a", "a variable" },
	{ "an if that does not end", "if a; then b\n", "an if" },
	{ "fi alone", "a\nfi\n", "line 2: fi" },
	{ "case", "case a in b) c;; esac", "case" },
};

static void broken_files_are_refused(void **state)
{
	struct ay_grubcfg cfg;
	struct ay_arena a;

	(void)state;
	ay_arena_init(&a, 1 << 20);
	for (size_t i = 0; i < AY_COUNT(wrong); i++) {
		struct ay_err e = { 0 };

		print_message("refused: %s\n", wrong[i].name);
		assert_int_equal(ay_grubcfg_parse(ay_bytes_of(wrong[i].text), &a, &cfg, &e),
				 AY_E_INPUT);
		assert_non_null(strstr(e.text, wrong[i].why));
		assert_int_equal(cfg.n, 0);
	}
	ay_arena_fini(&a);
}

/* A file that leads to the menu entry of a log: its words quoted, its block as GRUB has it. */
static char *file_of(struct ay_bytes text)
{
	const char *brace = memmem(text.p, text.n, " {", 2);
	const char *id = memmem(text.p, text.n, " --id ", 6);
	char *out = malloc(text.n + 100);
	int n;

	assert_non_null(brace);
	assert_non_null(id);
	n = snprintf(out, text.n + 100, "set a=b\n%.*s $menuentry_id_option \"%.*s\"%.*s\n",
		     (int)(id - (const char *)text.p), (const char *)text.p, (int)(brace - id - 6),
		     id + 6, (int)(text.n - (size_t)(brace - (const char *)text.p)), brace);
	assert_true(n > 0);
	return out;
}

/* The digests of real logs: a forecast with the same entry changes nothing, with another it does.
 */
static void real_logs(void **state)
{
	static const char *const logs[] = { "eventlogs/h12ssl.bin",
					    "eventlogs/ubuntu-2104-no-dbx.bin" };

	(void)state;
	for (size_t i = 0; i < AY_COUNT(logs); i++) {
		struct ay_bytes in = t_corpus_file("predict/grubcfg", logs[i]);
		struct ay_grubcfg cfg;
		struct ay_forecast f;
		struct ay_arena a;
		struct ay_evlog log;
		struct ay_digests was;
		size_t at = 0;
		char *text;

		ay_arena_init(&a, 16 << 20);
		assert_int_equal(ay_evlog_parse(in, &a, &log, NULL), AY_OK);
		ay_evlog_check_data(&log);
		assert_int_equal(ay_forecast_from_log(&f, &a, &log, NULL), AY_OK);
		while (memmem(f.event[at].data.p, f.event[at].data.n, "menuentry Ubuntu ", 17) ==
		       NULL)
			at++;
		for (size_t k = 0; k < f.n_banks; k++)
			memcpy(was.d[k], f.event[at].digest[k], ay_alg_digest_size(f.bank[k]));
		text = file_of(ay_ipl_covered(&f.event[at]));
		assert_int_equal(ay_grubcfg_parse(ay_bytes_of(text), &a, &cfg, NULL), AY_OK);
		assert_int_equal(cfg.n, 1);
		assert_true(cfg.entry[0].head != NULL);
		/* its octets are what the machine measured */
		{
			char *all = ay_arena_printf(&a, "%s {%.*s}", cfg.entry[0].head,
						    (int)cfg.entry[0].block.n,
						    (const char *)cfg.entry[0].block.p);
			struct ay_digests d;

			ay_forecast_hash(&f, ay_bytes_of(all), &d);
			assert_true(ay_forecast_same(&f, at, &d));
			assert_true(ay_forecast_same(&f, at, &was));
		}
		free(text);
		ay_arena_fini(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_are_found),
		cmocka_unit_test(broken_files_are_refused),
		cmocka_unit_test(real_logs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
