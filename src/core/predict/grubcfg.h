/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PREDICT_GRUBCFG_H
#define AY_PREDICT_GRUBCFG_H

/*
 * grub.cfg as far as a forecast needs it: the commands that carry a block in
 * braces (menuentry, submenu), which GRUB measures with the whole text of the
 * block when it meets them. Nothing is executed.
 */
#include "core/predict/forecast.h"

struct ay_grub_entry {
	const char *head; /* the words as GRUB measures them; NULL: they depend on a variable */
	struct ay_bytes block; /* between the braces, as it stands in the file */
	bool is_conditional;   /* inside if, while, for */
	size_t start, end;     /* of the block with its braces in the file */
};

struct ay_grubcfg {
	struct ay_bytes text;
	size_t n;
	struct ay_grub_entry *entry; /* in the arena; of the outermost level */
};

/*
 * Parse a grub.cfg. Known variable: menuentry_id_option, which is "--id" since
 * GRUB 2.00. AY_E_INPUT names the line: a brace or quote that does not end,
 * `case` and `select`. AY_E_LIMIT: more than AY_MAX_GRUBCFG_BYTES or
 * AY_MAX_GRUBCFG_ENTRIES.
 */
AY_MUST_USE enum ay_rc ay_grubcfg_parse(struct ay_bytes text, struct ay_arena *a,
					struct ay_grubcfg *out, struct ay_err *e);

/*
 * Replace the blocks that the log has for menu entries by those of a new
 * grub.cfg. old: the file of the log, NULL if it is not there; with it, entries
 * of other files are left alone, and commands outside of entries must not have
 * changed.
 *
 * AY_E_NOENT: an entry of the log that the new file has no more, or one of the
 * new file (not conditional) that the log has not: what GRUB will run then is
 * not known.
 */
AY_MUST_USE enum ay_rc ay_grubcfg_change(struct ay_forecast *f, const struct ay_grubcfg *old,
					 const struct ay_grubcfg *fresh, size_t *n,
					 struct ay_err *e);

#endif
