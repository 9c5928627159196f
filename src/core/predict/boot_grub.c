/* SPDX-License-Identifier: Apache-2.0 */
/* Debian's signed GRUB with a grub.cfg that is a plain list of commands. */
#include "core/predict/boot.h"

#include "core/base/limits.h"
#include "core/predict/grubcfg.h"
#include "core/predict/ipl.h"

/* Commands that read nothing and change nothing that the rest is measured by. */
static const char *const plain[] = { "set",   "echo", "boot",  "export",
				     "unset", "true", "linux", "initrd" };

/* One command as GRUB measures it, and what follows its first word. */
struct line {
	const char *text;
	const char *rest; /* "" if there is nothing */
};

static bool is_command(const struct line *l, const char *name)
{
	size_t n = strlen(name);

	return strncmp(l->text, name, n) == 0 && (l->text[n] == ' ' || l->text[n] == '\0');
}

static bool is_plain(const struct line *l)
{
	for (size_t i = 0; i < AY_COUNT(plain); i++)
		if (is_command(l, plain[i]))
			return true;
	return false;
}

/* What the configuration built into the image runs before it reads the file. */
static void begin(struct ay_forecast *f, const struct ay_boot_grub *g)
{
	const char *p = g->prefix;
	const char *texts[] = {
		ay_arena_printf(f->arena, "[ -z %s -o ! -e %s ]", p, p),
		ay_arena_printf(f->arena, "[ -e %s/x86_64-efi/grub.cfg ]", p),
		ay_arena_printf(f->arena, "[ -e %s/grub.cfg ]", p),
		ay_arena_printf(f->arena, "source %s/grub.cfg", p),
		ay_arena_printf(f->arena, "%s/grub.cfg", p),
	};

	for (size_t i = 0; i < AY_COUNT(texts); i++) {
		if (texts[i] == NULL)
			f->failed = true;
		else if (i + 1 < AY_COUNT(texts))
			ay_ipl_add_command(f, texts[i]);
		else
			ay_ipl_add_file(f, texts[i], g->cfg);
	}
}

static void run_linux(struct ay_forecast *f, const struct ay_boot_grub *g, const struct line *l)
{
	struct ay_bytes path = { (const uint8_t *)l->rest, strcspn(l->rest, " ") };
	const char *name = ay_arena_str(f->arena, path);

	if (name == NULL) {
		f->failed = true;
		return;
	}
	ay_ipl_add_file(f, name, g->kernel);
	/* shim is asked twice: by the verifier of the file and by the loader */
	ay_boot_image(f, g->image);
	ay_boot_image(f, g->image);
	ay_ipl_add_cmdline(f, l->rest);
}

static enum ay_rc run_line(struct ay_forecast *f, const struct ay_boot_grub *g,
			   const struct line *l, size_t line, struct ay_err *e)
{
	if (!is_plain(l))
		return ay_fail(e, AY_E_NOENT, "grubcfg", 0,
			       "line %zu: \"%.60s\" needs the log of an earlier boot", line,
			       l->text);
	ay_ipl_add_command(f, l->text);
	if (is_command(l, "linux"))
		run_linux(f, g, l);
	if (is_command(l, "initrd"))
		ay_ipl_add_file(f, l->rest, g->initrd);
	return AY_OK;
}

/* Words joined by one blank each. Quotes, variables and blocks are not plain. */
static enum ay_rc read_line(struct ay_arena *a, struct ay_bytes in, size_t no, struct line *out,
			    struct ay_err *e)
{
	char *text = ay_arena_alloc(a, in.n + 1);
	size_t n = 0;

	if (text == NULL)
		return ay_fail(e, AY_E_NOMEM, "grubcfg", 0, "out of memory");
	for (size_t i = 0; i < in.n; i++) {
		char c = (char)in.p[i];

		if (c == '#' && (n == 0 || text[n - 1] == ' '))
			break;
		if (strchr("\"'\\${}|&;<>*?", c) != NULL)
			return ay_fail(e, AY_E_NOENT, "grubcfg", 0,
				       "line %zu: '%c' needs the log of an earlier boot", no, c);
		if (c != ' ' && c != '\t')
			text[n++] = c;
		else if (n > 0 && text[n - 1] != ' ')
			text[n++] = ' ';
	}
	while (n > 0 && text[n - 1] == ' ')
		n--;
	text[n] = '\0';
	out->text = text;
	out->rest = text + strcspn(text, " ");
	out->rest += *out->rest == ' ';
	return AY_OK;
}

/* One kernel with a path, one initrd: what else there is, is not known. */
static enum ay_rc check_counts(size_t n_linux, size_t n_initrd, struct ay_err *e)
{
	if (n_linux == 1 && n_initrd <= 1)
		return AY_OK;
	return ay_fail(e, AY_E_NOENT, "grubcfg", 0, "needs one linux and at most one initrd");
}

enum ay_rc ay_boot_grub(struct ay_forecast *f, const struct ay_boot_grub *g, struct ay_err *e)
{
	size_t at = 0, no = 0, n_linux = 0, n_initrd = 0;
	enum ay_rc rc = AY_OK;

	if (g->cfg.n > AY_MAX_GRUBCFG_BYTES)
		return ay_fail(e, AY_E_LIMIT, "grubcfg", 0, "larger than %d octets",
			       AY_MAX_GRUBCFG_BYTES);
	begin(f, g);
	while (rc == AY_OK && at < g->cfg.n) {
		const uint8_t *p = g->cfg.p + at, *nl = memchr(p, '\n', g->cfg.n - at);
		size_t n = nl == NULL ? g->cfg.n - at : (size_t)(nl - p);
		struct line l = { "", "" };

		rc = read_line(f->arena, (struct ay_bytes){ p, n }, ++no, &l, e);
		at += n + 1;
		if (rc != AY_OK || l.text[0] == '\0')
			continue;
		n_linux += is_command(&l, "linux") && l.rest[0] != '\0';
		n_initrd += is_command(&l, "initrd");
		if (is_command(&l, "initrd") &&
		    (g->initrd.p == NULL || strchr(l.rest, ' ') != NULL))
			rc = ay_fail(e, AY_E_NOENT, "grubcfg", 0, "line %zu: one initrd is needed",
				     no);
		if (rc == AY_OK)
			rc = run_line(f, g, &l, no, e);
	}
	return rc == AY_OK ? check_counts(n_linux, n_initrd, e) : rc;
}
