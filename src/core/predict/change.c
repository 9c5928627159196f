/* SPDX-License-Identifier: Apache-2.0 */
#include "core/predict/change.h"

#include "core/base/reader.h"
#include "core/evlog/tcg_data.h"
#include "core/predict/ipl.h"

/* ---- images ---- */

/* shim, GRUB and kernel: more of them is no boot that we know. */
#define IMAGES_MAX 3

static void pe_digests(const struct ay_forecast *f, const struct ay_pe *pe, struct ay_digests *out)
{
	for (size_t k = 0; k < f->n_banks; k++)
		if (!ay_pe_hash(pe, f->bank[k], out->d[k]))
			memset(out->d[k], 0, sizeof(out->d[k])); /* not reached: see init */
}

static bool is_image(const struct ay_event *ev)
{
	return ev->pcr == 4 && ev->type == AY_EV_EFI_BOOT_SERVICES_APPLICATION;
}

static bool same_events(const struct ay_forecast *f, size_t a, size_t b)
{
	for (size_t k = 0; k < f->n_banks; k++) {
		const uint8_t *x = f->event[a].digest[k], *y = f->event[b].digest[k];

		if ((x == NULL) != (y == NULL))
			return false;
		if (x != NULL && memcmp(x, y, ay_alg_digest_size(f->bank[k])) != 0)
			return false;
	}
	return true;
}

/* The different images of PCR 4, each by its first event, from event `from` on. */
static size_t images_from(const struct ay_forecast *f, size_t from, size_t at[IMAGES_MAX + 1])
{
	size_t n = 0, j;

	for (size_t i = from; i < f->n && n <= IMAGES_MAX; i++) {
		if (!is_image(&f->event[i]))
			continue;
		for (j = 0; j < n && !same_events(f, at[j], i); j++)
			continue;
		if (j == n)
			at[n++] = i;
	}
	return n;
}

/*
 * The images of the boot: those after the separator of PCR 4, since the
 * firmware's own tools come before it; all if there are none (QEMU's loader of
 * kernels is early). Who loads an image and who checks it may both measure it.
 */
static size_t images_of(const struct ay_forecast *f, size_t at[IMAGES_MAX + 1])
{
	size_t i = 0, n;

	while (i < f->n && (f->event[i].pcr != 4 || f->event[i].type != AY_EV_SEPARATOR))
		i++;
	n = images_from(f, i, at);
	return n > 0 ? n : images_from(f, 0, at);
}

size_t ay_change_images(const struct ay_forecast *f)
{
	size_t at[IMAGES_MAX + 1];

	return images_of(f, at);
}

/* The place of an image by its role; IMAGES_MAX + 1 when there is none to be sure of. */
static size_t place_of(const struct ay_forecast *f, enum ay_boot_role role, size_t n)
{
	bool has_grub = ay_ipl_has_grub(f);

	if (role == AY_BOOT_UKI && n >= 1 && !has_grub)
		return 0;
	if (role == AY_BOOT_SHIM && n >= 2)
		return 0;
	if (role == AY_BOOT_GRUB && has_grub && n >= 2 && n <= 3)
		return 1;
	if (role == AY_BOOT_KERNEL && n >= 1 && n <= 3 && (n == 3 || !has_grub))
		return n - 1;
	return IMAGES_MAX + 1;
}

static size_t replace_all(struct ay_forecast *f, const struct ay_digests *was,
			  const struct ay_digests *now)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		if (!is_image(&f->event[i]) || !ay_forecast_same(f, i, was))
			continue;
		ay_forecast_set(f, i, now);
		n++;
	}
	return n;
}

/* The digests that an event has, for banks in which it has them. */
static void digests_of(const struct ay_forecast *f, size_t event, struct ay_digests *out)
{
	*out = (struct ay_digests){ 0 };
	for (size_t k = 0; k < f->n_banks; k++)
		if (f->event[event].digest[k] != NULL)
			memcpy(out->d[k], f->event[event].digest[k],
			       ay_alg_digest_size(f->bank[k]));
}

enum ay_rc ay_change_image(struct ay_forecast *f, enum ay_boot_role role, const struct ay_pe *old,
			   const struct ay_pe *fresh, size_t *n, struct ay_err *e)
{
	struct ay_digests was, now;
	size_t at[IMAGES_MAX + 1], n_images = images_of(f, at), place;

	*n = 0;
	pe_digests(f, fresh, &now);
	if (old != NULL) {
		pe_digests(f, old, &was);
	} else {
		place = place_of(f, role, n_images);
		if (place >= n_images && role == AY_BOOT_KERNEL && ay_ipl_has_grub(f))
			return AY_OK; /* GRUB starts it itself: only PCR 9 shows it */
		if (place >= n_images)
			return ay_fail(e, AY_E_NOENT, "log.pcr4", 0,
				       "%zu images after the separator: cannot tell which one "
				       "it is; give the old file",
				       n_images);
		digests_of(f, at[place], &was);
	}
	*n = replace_all(f, &was, &now);
	if (*n == 0 && role != AY_BOOT_KERNEL)
		return ay_fail(e, AY_E_NOENT, "log.pcr4", 0, "the old image was not started");
	return AY_OK;
}

/* ---- files ---- */

static bool is_tag(const struct ay_event *ev, uint32_t id)
{
	struct ay_reader r;

	ay_rd_init(&r, ev->data);
	return ev->pcr == 9 && ev->type == AY_EV_EVENT_TAG && ay_rd_le32(&r, "tag.id") == id &&
	       ay_rd_ok(&r);
}

static bool is_file(const struct ay_event *ev, const char *path)
{
	struct ay_bytes name = ay_ipl_text(ev), bare = ay_ipl_bare(name);

	if (ev->pcr != 9 || ev->type != AY_EV_IPL)
		return false;
	return path == NULL || ay_bytes_eq(name, ay_bytes_of(path)) ||
	       ay_bytes_eq(bare, ay_bytes_of(path));
}

static size_t replace_files(struct ay_forecast *f, const char *path, const struct ay_digests *was,
			    const struct ay_digests *now)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		if (!is_file(&f->event[i], path) || (was != NULL && !ay_forecast_same(f, i, was)))
			continue;
		ay_forecast_set(f, i, now);
		n++;
	}
	return n;
}

static size_t replace_tags(struct ay_forecast *f, uint32_t id, const struct ay_digests *was,
			   const struct ay_digests *now)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++) {
		if (!is_tag(&f->event[i], id) || (was != NULL && !ay_forecast_same(f, i, was)))
			continue;
		ay_forecast_set(f, i, now);
		n++;
	}
	return n;
}

/* The name that GRUB's log has for the file of a role; NULL if it is not clear. */
static const char *path_of(struct ay_forecast *f, enum ay_boot_role role)
{
	switch (role) {
	case AY_BOOT_KERNEL:
		return ay_ipl_argument(f, "linux");
	case AY_BOOT_INITRD:
		return ay_ipl_argument(f, "initrd");
	case AY_BOOT_GRUB_CFG:
		return ay_ipl_last_file(f, "/grub.cfg");
	case AY_BOOT_SHIM:
	case AY_BOOT_GRUB:
	case AY_BOOT_UKI:
	default:
		return NULL;
	}
}

enum ay_rc ay_change_file(struct ay_forecast *f, enum ay_boot_role role, const char *path,
			  const struct ay_bytes *old, struct ay_bytes fresh, size_t *n,
			  struct ay_err *e)
{
	struct ay_digests was, now;

	*n = 0;
	ay_forecast_hash(f, fresh, &now);
	if (old != NULL)
		ay_forecast_hash(f, *old, &was);
	else if (path == NULL)
		path = path_of(f, role);
	if (old != NULL || path != NULL)
		*n = replace_files(f, path, old == NULL ? NULL : &was, &now);
	if (role == AY_BOOT_INITRD)
		*n += replace_tags(f, AY_TAG_INITRD, old == NULL ? NULL : &was, &now);
	if (*n == 0 && role != AY_BOOT_KERNEL)
		return ay_fail(e, AY_E_NOENT, "log.pcr9", 0,
			       "no event of the old file%s%s; give the old file, or its path",
			       path == NULL ? "" : " ", path == NULL ? "" : path);
	return AY_OK;
}

/* ---- command line ---- */

/* Forms in which load options reach the kernel's EFI stub. */
static struct ay_bytes load_options(struct ay_arena *a, const char *text, unsigned form)
{
	/* QEMU's loader names the initrd for kernels that ask for it by file system */
	static const char *const tails[] = { "", " initrd=initrd", "" };
	size_t n = strlen(text) + strlen(tails[form]) + (form < 2 ? 1 : 0);
	uint8_t *p = ay_arena_alloc(a, 2 * n);

	if (p == NULL)
		return (struct ay_bytes){ 0 };
	for (size_t i = 0; i < n; i++)
		p[2 * i] = i < strlen(text) ? (uint8_t)text[i]
					    : (uint8_t)tails[form][i - strlen(text)];
	return (struct ay_bytes){ p, 2 * n };
}

/* The form in which the log has the old command line; 3 = none of them. */
static unsigned options_form(struct ay_forecast *f, size_t event, const char *old)
{
	struct ay_digests d;
	unsigned form;

	for (form = 0; form < 3; form++) {
		ay_forecast_hash(f, load_options(f->arena, old, form), &d);
		if (ay_forecast_same(f, event, &d))
			break;
	}
	return form;
}

static enum ay_rc change_options(struct ay_forecast *f, size_t event, const char *old,
				 const char *fresh, struct ay_err *e)
{
	struct ay_digests d;
	unsigned form;

	if (old == NULL)
		return ay_fail(e, AY_E_NOENT, "log.pcr9", 0,
			       "the log has only a digest of the old command line; give it");
	form = options_form(f, event, old);
	if (form == 3)
		return ay_fail(e, AY_E_NOENT, "log.pcr9", 0,
			       "the old command line is not what was measured");
	ay_forecast_hash(f, load_options(f->arena, fresh, form), &d);
	ay_forecast_set(f, event, &d);
	return AY_OK;
}

enum ay_rc ay_change_cmdline(struct ay_forecast *f, const char *old, const char *fresh, size_t *n,
			     struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	*n = 0;
	if (ay_ipl_has_grub(f)) {
		rc = ay_ipl_change_cmdline(f, old, fresh, n, e);
	} else {
		for (size_t i = 0; rc == AY_OK && i < f->n; i++) {
			if (!is_tag(&f->event[i], AY_TAG_LOAD_OPTIONS))
				continue;
			rc = change_options(f, i, old, fresh, e);
			*n += 1;
		}
	}
	if (rc == AY_OK && *n == 0)
		rc = ay_fail(e, AY_E_NOENT, "log", 0, "no event of a kernel command line");
	return rc;
}

enum ay_rc ay_change_text(struct ay_forecast *f, const char *old, const char *fresh, size_t *n,
			  struct ay_err *e)
{
	enum ay_rc rc = ay_ipl_replace(f, old, fresh, n, e);

	if (rc == AY_OK && *n == 0)
		rc = ay_fail(e, AY_E_NOENT, "log.pcr8", 0, "no command or file name has \"%s\"",
			     old);
	return rc;
}

/* ---- variables ---- */

static bool has_name(const struct ay_uefi_variable *v, const char *name)
{
	size_t n = strlen(name);

	if (v->name.n != 2 * n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (v->name.p[2 * i] != (uint8_t)name[i] || v->name.p[2 * i + 1] != 0)
			return false;
	return true;
}

/* The one event of a variable; f->n when there is none. */
static size_t variable_event(const struct ay_forecast *f, const char *name,
			     struct ay_uefi_variable *v)
{
	size_t i = 0;

	for (; i < f->n; i++)
		if (f->event[i].pcr == 7 && f->event[i].type == AY_EV_EFI_VARIABLE_DRIVER_CONFIG &&
		    ay_uefi_variable_parse(f->event[i].data, v, NULL) == AY_OK && has_name(v, name))
			break;
	return i;
}

enum ay_rc ay_change_variable_old(const struct ay_forecast *f, const char *name,
				  struct ay_bytes *value, struct ay_err *e)
{
	struct ay_uefi_variable v;

	*value = (struct ay_bytes){ 0 };
	if (variable_event(f, name, &v) == f->n)
		return ay_fail(e, AY_E_NOENT, "log.pcr7", 0, "no event of variable %s", name);
	*value = v.value;
	return AY_OK;
}

/* UEFI_VARIABLE_DATA with another value [TCG-PFP 10.2.6]. */
static struct ay_bytes variable_data(struct ay_arena *a, const struct ay_uefi_variable *v,
				     struct ay_bytes value)
{
	size_t n = 32 + v->name.n + value.n;
	uint8_t *p = ay_arena_alloc(a, n);
	struct ay_bytes out = { 0 };
	struct ay_writer w;

	if (p == NULL)
		return out;
	ay_wr_init(&w, p, n);
	ay_wr_bytes(&w, AY_BYTES(v->guid));
	ay_wr_le64(&w, v->name.n / 2);
	ay_wr_le64(&w, value.n);
	ay_wr_bytes(&w, v->name);
	ay_wr_bytes(&w, value);
	if (ay_wr_end(&w, "variable", &out, NULL) != AY_OK)
		return (struct ay_bytes){ 0 };
	return out;
}

enum ay_rc ay_change_variable(struct ay_forecast *f, const char *name, struct ay_bytes value,
			      struct ay_err *e)
{
	struct ay_uefi_variable v;
	struct ay_digests whole, alone;
	struct ay_bytes data;
	size_t i = variable_event(f, name, &v);

	if (i == f->n)
		return ay_fail(e, AY_E_NOENT, "log.pcr7", 0, "no event of variable %s", name);
	ay_forecast_hash(f, f->event[i].data, &whole);
	ay_forecast_hash(f, v.value, &alone);
	data = variable_data(f->arena, &v, value);
	if (data.p == NULL)
		return ay_fail(e, AY_E_NOMEM, "forecast", 0, "out of memory");
	if (ay_forecast_same(f, i, &whole))
		ay_forecast_hash(f, data, &whole);
	else if (ay_forecast_same(f, i, &alone))
		ay_forecast_hash(f, value, &whole);
	else
		return ay_fail(e, AY_E_NOENT, "log.pcr7", 0,
			       "what was measured for %s is not what the log says", name);
	f->event[i].data = data;
	ay_forecast_set(f, i, &whole);
	return AY_OK;
}
