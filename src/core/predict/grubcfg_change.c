/* SPDX-License-Identifier: Apache-2.0 */
/* Menu entries of a new grub.cfg in the place of those that a log has. */
#include "core/base/limits.h"
#include "core/predict/grubcfg.h"
#include "core/predict/ipl.h"

/* Does the text of an event begin with the words of this entry and its brace? */
static bool is_entry(struct ay_bytes text, const struct ay_grub_entry *ent)
{
	size_t n;

	if (ent->head == NULL)
		return false;
	n = strlen(ent->head);
	return text.n > n + 2 && memcmp(text.p, ent->head, n) == 0 &&
	       memcmp(text.p + n, " {", 2) == 0;
}

/* The next entry of that name which is not used yet; cfg->n = none. */
static size_t find_entry(const struct ay_grubcfg *cfg, struct ay_bytes text, const bool *used)
{
	size_t i = 0;

	while (i < cfg->n && (used[i] || !is_entry(text, &cfg->entry[i])))
		i++;
	return i;
}

static bool is_menu(struct ay_bytes text)
{
	static const char *const words[] = { "menuentry ", "submenu " };

	for (size_t i = 0; i < AY_COUNT(words); i++)
		if (text.n > strlen(words[i]) && memcmp(text.p, words[i], strlen(words[i])) == 0)
			return text.p[text.n - 1] == '}';
	return false;
}

/* The file without its blocks must be the same. */
static bool same_outside(const struct ay_grubcfg *a, const struct ay_grubcfg *b)
{
	size_t i = 0, j = 0;

	for (size_t k = 0; k <= a->n && k <= b->n; k++) {
		size_t ei = k < a->n ? a->entry[k].start : a->text.n;
		size_t ej = k < b->n ? b->entry[k].start : b->text.n;

		if (ei - i != ej - j || memcmp(a->text.p + i, b->text.p + j, ei - i) != 0)
			return false;
		i = k < a->n ? a->entry[k].end : ei;
		j = k < b->n ? b->entry[k].end : ej;
	}
	return a->n == b->n;
}

static enum ay_rc replace(struct ay_forecast *f, size_t event, const struct ay_grub_entry *ent,
			  struct ay_err *e)
{
	static const char prefix[] = "grub_cmd: ";
	size_t n_head = strlen(ent->head), n = sizeof(prefix) - 1 + n_head + 3 + ent->block.n + 1;
	uint8_t *p = ay_arena_alloc(f->arena, n);
	struct ay_digests d;
	struct ay_bytes data;
	struct ay_writer w;

	if (p == NULL)
		return ay_fail(e, AY_E_NOMEM, "forecast", 0, "out of memory");
	ay_wr_init(&w, p, n);
	ay_wr_str(&w, prefix);
	ay_wr_str(&w, ent->head);
	ay_wr_str(&w, " {");
	ay_wr_bytes(&w, ent->block);
	ay_wr_str(&w, "}");
	ay_wr_u8(&w, 0);
	if (ay_wr_end(&w, "grubcfg", &data, e) != AY_OK)
		return AY_E_LIMIT;
	f->event[event].data = data;
	ay_forecast_hash(f, ay_ipl_covered(&f->event[event]), &d);
	ay_forecast_set(f, event, &d);
	return AY_OK;
}

static enum ay_rc change_event(struct ay_forecast *f, size_t i, const struct ay_grubcfg *old,
			       const struct ay_grubcfg *fresh, bool *used, bool *used_old,
			       size_t *n, struct ay_err *e)
{
	struct ay_bytes text = ay_ipl_covered(&f->event[i]);
	size_t k = find_entry(fresh, text, used), k_old;

	if (old != NULL) {
		k_old = find_entry(old, text, used_old);
		if (k_old == old->n)
			return AY_OK; /* of another file */
		used_old[k_old] = true;
	}
	if (k == fresh->n)
		return ay_fail(e, AY_E_NOENT, "grubcfg", 0, "the new file has no \"%.*s\"",
			       text.n > 80 ? 80 : (int)text.n, (const char *)text.p);
	used[k] = true;
	*n += 1;
	return replace(f, i, &fresh->entry[k], e);
}

enum ay_rc ay_grubcfg_change(struct ay_forecast *f, const struct ay_grubcfg *old,
			     const struct ay_grubcfg *fresh, size_t *n, struct ay_err *e)
{
	bool *used = ay_arena_array(f->arena, fresh->n + 1, sizeof(*used));
	bool *used_old = ay_arena_array(f->arena, old == NULL ? 1 : old->n + 1, sizeof(*used_old));
	enum ay_rc rc = AY_OK;

	*n = 0;
	if (used == NULL || used_old == NULL)
		return ay_fail(e, AY_E_NOMEM, "grubcfg", 0, "out of memory");
	if (old != NULL && !same_outside(old, fresh))
		return ay_fail(e, AY_E_NOENT, "grubcfg", 0,
			       "commands outside of the menu entries changed: boot once and take "
			       "the log of that");
	for (size_t i = 0; rc == AY_OK && i < f->n; i++)
		if (is_menu(ay_ipl_covered(&f->event[i])))
			rc = change_event(f, i, old, fresh, used, used_old, n, e);
	for (size_t k = 0; rc == AY_OK && *n > 0 && k < fresh->n; k++)
		if (!used[k] && !fresh->entry[k].is_conditional)
			rc = ay_fail(e, AY_E_NOENT, "grubcfg", fresh->entry[k].start,
				     "the log has no \"%.80s\"",
				     fresh->entry[k].head == NULL ? "entry named by a variable"
								  : fresh->entry[k].head);
	return rc;
}
