/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PREDICT_UKI_H
#define AY_PREDICT_UKI_H

/*
 * Unified kernel images (systemd-stub): one PE image that carries kernel,
 * initrd and command line as sections. The stub measures the name and the
 * content of each section it knows into PCR 11; the kernel's own EFI stub then
 * measures load options and initrd into PCR 9.
 */
#include "core/predict/forecast.h"
#include "core/predict/pe.h"

struct ay_uki {
	struct ay_pe pe;
	unsigned stub;	  /* version of systemd-stub, from section .sdmagic */
	bool adds_initrd; /* it appends archives of its own to the initrd (.pcrsig, .pcrpkey) */
};

/*
 * Is this image one that the stub will start, and by which version of it?
 * AY_E_INPUT: no .linux, a section twice, or a stub without version.
 */
AY_MUST_USE enum ay_rc ay_uki_open(struct ay_bytes in, struct ay_uki *out, struct ay_err *e);

/* Append the events of PCR 11. */
void ay_uki_measure_sections(const struct ay_uki *u, struct ay_forecast *f);
/*
 * Digests of what the kernel's stub measures into PCR 9: the command line as
 * the stub of systemd hands it over, and the initrd. AY_E_INPUT: a command
 * line beyond ASCII; AY_E_NOENT: no such section, or an initrd that cannot be
 * foretold (adds_initrd).
 */
AY_MUST_USE enum ay_rc ay_uki_options(const struct ay_uki *u, struct ay_forecast *f,
				      struct ay_digests *out, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_uki_initrd(const struct ay_uki *u, const struct ay_forecast *f,
				     struct ay_digests *out, struct ay_err *e);
/* The kernel inside as an image; some firmware measures it into PCR 4. */
AY_MUST_USE enum ay_rc ay_uki_kernel(const struct ay_uki *u, struct ay_pe *out, struct ay_err *e);

/*
 * In a forecast from a log: the new image instead of the old one, in PCR 4
 * (also the kernel inside, where that was measured), PCR 9 and PCR 11. old may
 * be NULL: the first image after the separator.
 */
AY_MUST_USE enum ay_rc ay_change_uki(struct ay_forecast *f, const struct ay_uki *old,
				     const struct ay_uki *fresh, size_t *n, struct ay_err *e);

#endif
