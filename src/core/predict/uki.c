/* SPDX-License-Identifier: Apache-2.0 */
#include "core/predict/uki.h"

#include "core/predict/change.h"

/* Sections that are measured, in the order of the measurement, and since which version of the stub.
 */
static const struct {
	const char *name;
	unsigned since;
} sections[] = {
	{ ".linux", 252 }, { ".osrel", 252 },	{ ".cmdline", 252 }, { ".initrd", 252 },
	{ ".ucode", 256 }, { ".splash", 252 },	{ ".dtb", 252 },     { ".uname", 253 },
	{ ".sbat", 254 },  { ".pcrpkey", 252 },
};

/* The version in "#### LoaderInfo: systemd-stub 252.39-1~deb12u1 ####"; 0 if there is none. */
static unsigned stub_version(struct ay_bytes magic)
{
	static const char word[] = "systemd-stub ";
	const uint8_t *p = memmem(magic.p, magic.n, word, sizeof(word) - 1), *end;
	unsigned v = 0;

	if (magic.n == 0 || p == NULL)
		return 0;
	end = magic.p + magic.n;
	for (p += sizeof(word) - 1; p < end && *p >= '0' && *p <= '9' && v < 100000; p++)
		v = v * 10 + (unsigned)(*p - '0');
	return v;
}

/* The stub takes the last section of a name, other tools the first: none may stand twice. */
static enum ay_rc check_names(const struct ay_pe *pe, struct ay_err *e)
{
	for (size_t i = 0; i < pe->n_sections; i++)
		if (ay_pe_find(pe, pe->section[i].name) != &pe->section[i])
			return ay_fail(e, AY_E_INPUT, "uki.section", 0, "%s twice",
				       pe->section[i].name);
	return AY_OK;
}

static bool has(const struct ay_uki *u, const char *name)
{
	const struct ay_pe_section *s = ay_pe_find(&u->pe, name);

	return s != NULL && s->virtual_size > 0;
}

enum ay_rc ay_uki_open(struct ay_bytes in, struct ay_uki *out, struct ay_err *e)
{
	const struct ay_pe_section *magic;
	enum ay_rc rc = ay_pe_parse(in, &out->pe, e);

	out->stub = 0;
	out->adds_initrd = false;
	if (rc == AY_OK)
		rc = check_names(&out->pe, e);
	if (rc == AY_OK && !has(out, ".linux"))
		rc = ay_fail(e, AY_E_INPUT, "uki.linux", 0, "no section .linux");
	if (rc == AY_OK) {
		magic = ay_pe_find(&out->pe, ".sdmagic");
		out->stub = magic == NULL ? 0 : stub_version(magic->raw);
		out->adds_initrd = has(out, ".pcrsig") || has(out, ".pcrpkey");
	}
	if (rc == AY_OK && out->stub < 252)
		rc = ay_fail(e, AY_E_INPUT, "uki.sdmagic", 0,
			     "no systemd-stub of version 252 or later");
	if (rc != AY_OK)
		*out = (struct ay_uki){ 0 };
	return rc;
}

static void section_digests(const struct ay_pe_section *s, const struct ay_forecast *f,
			    struct ay_digests *out)
{
	for (size_t k = 0; k < f->n_banks; k++)
		if (!ay_pe_section_hash(s, f->bank[k], out->d[k]))
			memset(out->d[k], 0, sizeof(out->d[k])); /* not reached: see init */
}

/* The stub describes each event by the section's name in UTF-16. */
static struct ay_bytes utf16(const char *text, uint8_t *room)
{
	size_t n = strlen(text) + 1;

	for (size_t i = 0; i < n; i++) {
		room[2 * i] = (uint8_t)text[i];
		room[2 * i + 1] = 0;
	}
	return (struct ay_bytes){ room, 2 * n };
}

void ay_uki_measure_sections(const struct ay_uki *u, struct ay_forecast *f)
{
	for (size_t i = 0; i < AY_COUNT(sections); i++) {
		const char *name = sections[i].name;
		struct ay_digests d;
		uint8_t room[2 * 16];
		struct ay_bytes data;

		if (u->stub < sections[i].since || !has(u, name))
			continue;
		data = utf16(name, room);
		ay_forecast_measure(f, 11, AY_EV_IPL, data,
				    (struct ay_bytes){ (const uint8_t *)name, strlen(name) + 1 });
		section_digests(ay_pe_find(&u->pe, name), f, &d);
		ay_forecast_add(f, 11, AY_EV_IPL, data, &d);
	}
}

/* What the stub does to the text: ends at a NUL, control characters are blanks, none at the end. */
static size_t mangle(struct ay_bytes in, uint8_t *out, bool *is_ascii)
{
	size_t n = 0, end = 0;

	*is_ascii = true;
	for (; n < in.n && in.p[n] != 0; n++) {
		if (in.p[n] >= 0x80)
			*is_ascii = false;
		out[2 * n] = in.p[n] <= 0x1f ? ' ' : in.p[n];
		out[2 * n + 1] = 0;
		if (out[2 * n] != ' ')
			end = n + 1;
	}
	out[2 * end] = out[2 * end + 1] = 0;
	return 2 * (end + 1);
}

enum ay_rc ay_uki_options(const struct ay_uki *u, struct ay_forecast *f, struct ay_digests *out,
			  struct ay_err *e)
{
	const struct ay_pe_section *s = ay_pe_find(&u->pe, ".cmdline");
	struct ay_bytes text;
	bool is_ascii;
	uint8_t *p;
	size_t n;

	if (s == NULL || s->virtual_size == 0)
		return ay_fail(e, AY_E_NOENT, "uki.cmdline", 0, "no section .cmdline");
	text = s->raw;
	if (text.n > s->virtual_size)
		text.n = s->virtual_size;
	p = ay_arena_alloc(f->arena, 2 * text.n + 2);
	if (p == NULL)
		return ay_fail(e, AY_E_NOMEM, "uki.cmdline", 0, "out of memory");
	n = mangle(text, p, &is_ascii);
	if (!is_ascii)
		return ay_fail(e, AY_E_INPUT, "uki.cmdline", 0, "not ASCII");
	ay_forecast_hash(f, (struct ay_bytes){ p, n }, out);
	return AY_OK;
}

enum ay_rc ay_uki_initrd(const struct ay_uki *u, const struct ay_forecast *f,
			 struct ay_digests *out, struct ay_err *e)
{
	if (!has(u, ".initrd"))
		return ay_fail(e, AY_E_NOENT, "uki.initrd", 0, "no section .initrd");
	if (u->adds_initrd || has(u, ".ucode"))
		return ay_fail(e, AY_E_NOENT, "uki.initrd", 0,
			       "the stub joins other archives to the initrd");
	section_digests(ay_pe_find(&u->pe, ".initrd"), f, out);
	return AY_OK;
}

enum ay_rc ay_uki_kernel(const struct ay_uki *u, struct ay_pe *out, struct ay_err *e)
{
	const struct ay_pe_section *s = ay_pe_find(&u->pe, ".linux");

	if (s->virtual_size > s->raw.n)
		return ay_fail(e, AY_E_INPUT, "uki.linux", 0, "shorter in the file than in memory");
	return ay_pe_parse((struct ay_bytes){ s->raw.p, s->virtual_size }, out, e);
}

/* ---- in the log of an earlier boot ---- */

static bool is_tag(const struct ay_event *ev, uint32_t id)
{
	uint8_t want[4] = { (uint8_t)id, (uint8_t)(id >> 8), (uint8_t)(id >> 16),
			    (uint8_t)(id >> 24) };

	return ev->pcr == 9 && ev->type == AY_EV_EVENT_TAG && ev->data.n >= 4 &&
	       memcmp(ev->data.p, want, 4) == 0;
}

static size_t set_tags(struct ay_forecast *f, uint32_t id, const struct ay_digests *d)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		if (is_tag(&f->event[i], id)) {
			ay_forecast_set(f, i, d);
			n++;
		}
	return n;
}

static bool has_events(const struct ay_forecast *f, uint32_t pcr)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->event[i].pcr == pcr && f->event[i].type == AY_EV_IPL)
			return true;
	return false;
}

static enum ay_rc change_pcr9(struct ay_forecast *f, const struct ay_uki *fresh, size_t *n,
			      struct ay_err *e)
{
	struct ay_digests d;
	enum ay_rc rc = AY_OK;
	size_t i;

	for (i = 0; i < f->n && !is_tag(&f->event[i], AY_TAG_INITRD); i++)
		continue;
	if (i < f->n) {
		rc = ay_uki_initrd(fresh, f, &d, e);
		if (rc == AY_OK)
			*n += set_tags(f, AY_TAG_INITRD, &d);
	}
	/* A command line from outside the image (PCR 12) does not change with it. */
	for (i = 0; i < f->n && !is_tag(&f->event[i], AY_TAG_LOAD_OPTIONS); i++)
		continue;
	if (rc == AY_OK && i < f->n && !has_events(f, 12)) {
		rc = ay_uki_options(fresh, f, &d, e);
		if (rc == AY_OK)
			*n += set_tags(f, AY_TAG_LOAD_OPTIONS, &d);
	}
	return rc;
}

static size_t change_pcr11(struct ay_forecast *f, const struct ay_uki *fresh)
{
	size_t i = 0, n = 0;

	while (i < f->n)
		if (f->event[i].pcr == 11 && f->event[i].type == AY_EV_IPL) {
			ay_forecast_drop(f, i);
			n++;
		} else {
			i++;
		}
	ay_uki_measure_sections(fresh, f);
	return n;
}

/* PCR 4: the image, then the kernel inside where the firmware measured that as well. */
static enum ay_rc change_pcr4(struct ay_forecast *f, const struct ay_uki *old,
			      const struct ay_uki *fresh, size_t *n, struct ay_err *e)
{
	struct ay_pe was, now;
	size_t n_kernel = 0;
	enum ay_rc rc = ay_uki_kernel(fresh, &now, e);

	if (rc == AY_OK && old != NULL)
		rc = ay_uki_kernel(old, &was, e);
	if (rc == AY_OK && (old != NULL || ay_change_images(f) > 1))
		rc = ay_change_image(f, AY_BOOT_KERNEL, old == NULL ? NULL : &was, &now, &n_kernel,
				     e);
	if (rc == AY_OK)
		rc = ay_change_image(f, AY_BOOT_UKI, old == NULL ? NULL : &old->pe, &fresh->pe, n,
				     e);
	*n += n_kernel;
	return rc;
}

enum ay_rc ay_change_uki(struct ay_forecast *f, const struct ay_uki *old,
			 const struct ay_uki *fresh, size_t *n, struct ay_err *e)
{
	enum ay_rc rc = change_pcr4(f, old, fresh, n, e);

	if (rc == AY_OK)
		rc = change_pcr9(f, fresh, n, e);
	if (rc == AY_OK && !has_events(f, 11))
		rc = ay_fail(e, AY_E_NOENT, "log.pcr11", 0, "no unified kernel image was started");
	if (rc == AY_OK)
		*n += change_pcr11(f, fresh);
	return rc;
}
