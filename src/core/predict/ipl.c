/* SPDX-License-Identifier: Apache-2.0 */
#include "core/predict/ipl.h"

#include "core/base/limits.h"

static const char *const prefixes[] = { "grub_cmd: ", "kernel_cmdline: ", "module_cmdline: " };
enum { COMMAND, CMDLINE, MODULE };

struct ay_bytes ay_ipl_text(const struct ay_event *ev)
{
	struct ay_bytes b = ev->data;

	if (b.n > 0 && b.p[b.n - 1] == 0)
		b.n--;
	return b;
}

struct ay_bytes ay_ipl_bare(struct ay_bytes name)
{
	const uint8_t *end = name.n == 0 || name.p[0] != '(' ? NULL : memchr(name.p, ')', name.n);

	if (end == NULL)
		return name;
	return (struct ay_bytes){ end + 1, name.n - (size_t)(end + 1 - name.p) };
}

static bool begins(struct ay_bytes b, const char *s)
{
	return b.n >= strlen(s) && memcmp(b.p, s, strlen(s)) == 0;
}

static struct ay_bytes after(struct ay_bytes b, size_t n)
{
	return (struct ay_bytes){ b.p + n, b.n - n };
}

/* Octets of the prefix; 0 when it is no event of GRUB's commands. */
static size_t prefix_of(const struct ay_event *ev)
{
	if (ev->pcr != 8 || ev->type != AY_EV_IPL)
		return 0;
	for (size_t i = 0; i < AY_COUNT(prefixes); i++)
		if (begins(ev->data, prefixes[i]))
			return strlen(prefixes[i]);
	return 0;
}

struct ay_bytes ay_ipl_covered(const struct ay_event *ev)
{
	size_t n = prefix_of(ev);

	return n == 0 ? (struct ay_bytes){ 0 } : after(ay_ipl_text(ev), n);
}

bool ay_ipl_has_grub(const struct ay_forecast *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->event[i].pcr == 8 && f->event[i].type == AY_EV_IPL &&
		    begins(f->event[i].data, "grub_cmd"))
			return true;
	return false;
}

/* What follows "COMMAND " in an event; {NULL, 0} if it is another command. */
static struct ay_bytes arguments(const struct ay_event *ev, const char *command)
{
	struct ay_bytes b = ay_ipl_covered(ev);

	if (b.p == NULL || !begins(ev->data, prefixes[COMMAND]) || !begins(b, command))
		return (struct ay_bytes){ 0 };
	b = after(b, strlen(command));
	if (begins(b, "efi "))
		b = after(b, 3);
	return begins(b, " ") ? after(b, 1) : (struct ay_bytes){ 0 };
}

static struct ay_bytes first_word(struct ay_bytes b)
{
	const uint8_t *blank = b.n == 0 ? NULL : memchr(b.p, ' ', b.n);

	return blank == NULL ? b : (struct ay_bytes){ b.p, (size_t)(blank - b.p) };
}

const char *ay_ipl_argument(struct ay_forecast *f, const char *command)
{
	for (size_t i = f->n; i-- > 0;) {
		struct ay_bytes b = arguments(&f->event[i], command), w = first_word(b);

		if (b.p == NULL || w.n == 0)
			continue;
		if (w.n != b.n && strcmp(command, "linux") != 0)
			return NULL; /* several files: which one is meant is not clear */
		return ay_arena_str(f->arena, w);
	}
	return NULL;
}

const char *ay_ipl_last_file(struct ay_forecast *f, const char *tail)
{
	size_t n = strlen(tail);

	for (size_t i = f->n; i-- > 0;) {
		struct ay_bytes b = ay_ipl_text(&f->event[i]);

		if (f->event[i].pcr == 9 && f->event[i].type == AY_EV_IPL && b.n >= n &&
		    memcmp(b.p + b.n - n, tail, n) == 0)
			return ay_arena_str(f->arena, b);
	}
	return NULL;
}

/* ---- adding ---- */

static void add(struct ay_forecast *f, uint32_t pcr, const char *prefix, const char *text,
		struct ay_bytes measured)
{
	char *data = ay_arena_printf(f->arena, "%s%s", prefix, text);

	if (data == NULL) {
		f->failed = true;
		return;
	}
	ay_forecast_measure(f, pcr, AY_EV_IPL,
			    (struct ay_bytes){ (const uint8_t *)data, strlen(data) + 1 }, measured);
}

void ay_ipl_add_command(struct ay_forecast *f, const char *text)
{
	add(f, 8, prefixes[COMMAND], text, ay_bytes_of(text));
}

void ay_ipl_add_cmdline(struct ay_forecast *f, const char *text)
{
	add(f, 8, prefixes[CMDLINE], text, ay_bytes_of(text));
}

void ay_ipl_add_file(struct ay_forecast *f, const char *name, struct ay_bytes content)
{
	add(f, 9, "", name, content);
}

/* ---- replacing ---- */

static const uint8_t *find(struct ay_bytes in, struct ay_bytes what)
{
	return in.n == 0 || what.n == 0 ? NULL : memmem(in.p, in.n, what.p, what.n);
}

/* b with every `old` replaced, from its `from`th octet on; terminated. {NULL, 0}: no memory. */
static struct ay_bytes substitute(struct ay_arena *a, struct ay_bytes b, size_t from,
				  struct ay_bytes old, struct ay_bytes fresh)
{
	struct ay_bytes rest = after(b, from), out = { 0 };
	const uint8_t *hit;
	struct ay_writer w;
	size_t n = 1, room;
	uint8_t *p;

	for (; (hit = find(rest, old)) != NULL; n++)
		rest = after(rest, (size_t)(hit - rest.p) + old.n);
	room = b.n + n * fresh.n + 1;
	p = ay_arena_alloc(a, room);
	if (p == NULL)
		return out;
	ay_wr_init(&w, p, room);
	ay_wr_bytes(&w, (struct ay_bytes){ b.p, from });
	for (rest = after(b, from); (hit = find(rest, old)) != NULL;) {
		ay_wr_bytes(&w, (struct ay_bytes){ rest.p, (size_t)(hit - rest.p) });
		ay_wr_bytes(&w, fresh);
		rest = after(rest, (size_t)(hit - rest.p) + old.n);
	}
	ay_wr_bytes(&w, rest);
	ay_wr_u8(&w, 0);
	return ay_wr_end(&w, "text", &out, NULL) == AY_OK ? out : (struct ay_bytes){ 0 };
}

/* Does the digest cover the text, as GRUB since 2.06 has it? */
static bool is_covered(const struct ay_forecast *f, size_t event)
{
	struct ay_digests d;

	ay_forecast_hash(f, ay_ipl_covered(&f->event[event]), &d);
	return ay_forecast_same(f, event, &d);
}

/* Replace text in one event of PCR 8. */
static enum ay_rc replace_command(struct ay_forecast *f, size_t i, struct ay_bytes old,
				  struct ay_bytes fresh, struct ay_err *e)
{
	struct ay_event *ev = &f->event[i];
	struct ay_digests d;

	if (!is_covered(f, i))
		return ay_fail(e, AY_E_NOENT, "log.pcr8", i,
			       "event %zu has the text, but its digest is of something else", i);
	ev->data = substitute(f->arena, ay_ipl_text(ev), prefix_of(ev), old, fresh);
	if (ev->data.p == NULL)
		return ay_fail(e, AY_E_NOMEM, "forecast", 0, "out of memory");
	ay_forecast_hash(f, ay_ipl_covered(ev), &d);
	ay_forecast_set(f, i, &d);
	return AY_OK;
}

enum ay_rc ay_ipl_replace(struct ay_forecast *f, const char *old, const char *fresh, size_t *n,
			  struct ay_err *e)
{
	struct ay_bytes was = ay_bytes_of(old), now = ay_bytes_of(fresh);
	enum ay_rc rc = AY_OK;

	*n = 0;
	for (size_t i = 0; rc == AY_OK && i < f->n; i++) {
		struct ay_event *ev = &f->event[i];

		if (ev->type != AY_EV_IPL || (ev->pcr != 8 && ev->pcr != 9))
			continue;
		if (find(ev->pcr == 8 ? ay_ipl_covered(ev) : ay_ipl_text(ev), was) == NULL)
			continue;
		if (ev->pcr == 8)
			rc = replace_command(f, i, was, now, e);
		else
			ev->data = substitute(f->arena, ay_ipl_text(ev), 0, was, now);
		*n += 1;
	}
	return rc;
}

/* The command line that GRUB gave to the kernel last, without the kernel's name. */
static const char *old_cmdline(struct ay_forecast *f)
{
	for (size_t i = f->n; i-- > 0;) {
		struct ay_bytes b = ay_ipl_covered(&f->event[i]), w = first_word(b);

		if (b.p != NULL && begins(f->event[i].data, prefixes[CMDLINE]) && w.n < b.n)
			return ay_arena_str(f->arena, after(b, w.n + 1));
	}
	return NULL;
}

enum ay_rc ay_ipl_change_cmdline(struct ay_forecast *f, const char *old, const char *fresh,
				 size_t *n, struct ay_err *e)
{
	*n = 0;
	if (old == NULL)
		old = old_cmdline(f);
	if (old == NULL || old[0] == '\0')
		return ay_fail(e, AY_E_NOENT, "log.pcr8", 0, "no kernel command line to replace");
	if (strpbrk(old, "\"'\\") != NULL || strpbrk(fresh, "\"'\\") != NULL)
		return ay_fail(e, AY_E_INPUT, "cmdline", 0,
			       "quoted words are measured in two forms: use --rename for each");
	return ay_ipl_replace(f, old, fresh, n, e);
}
