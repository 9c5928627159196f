/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PREDICT_BOOT_H
#define AY_PREDICT_BOOT_H

/*
 * A boot put together from files alone, without any log: the events of those
 * PCRs that the files decide. What depends on the firmware (PCR 0-3, 5, 6) is
 * left out; PCR 4 and 7 follow the usual course of EDK2.
 */
#include "core/predict/uki.h"

/* "Calling EFI Application from Boot Option" and the separator, before the first image. */
void ay_boot_begin(struct ay_forecast *f);
/* An image that is loaded (PCR 4). */
void ay_boot_image(struct ay_forecast *f, const struct ay_pe *pe);
/* What the kernel's EFI stub takes (PCR 9): its command line, ASCII, and the initrd. */
void ay_boot_stub(struct ay_forecast *f, const char *cmdline, const struct ay_bytes *initrd);

/* A unified kernel image: PCR 11, 9, and 4 behind ay_boot_begin(). See ay_uki_*. */
AY_MUST_USE enum ay_rc ay_boot_uki(struct ay_forecast *f, const struct ay_uki *u, bool secure_boot,
				   struct ay_err *e);

/* Secure Boot's variables, lists as ay_siglist_open() gives them; an absent one is empty. */
struct ay_boot_keys {
	bool secure_boot;
	struct ay_bytes pk, kek, db, dbx;
};

/*
 * PCR 7 of a boot without shim: the variables, the separator and the entry of
 * db that the first image is signed by. AY_E_NOENT: Secure Boot is on and db
 * has not exactly one certificate, so that it is not known which one counts.
 */
AY_MUST_USE enum ay_rc ay_boot_secure(struct ay_forecast *f, const struct ay_boot_keys *k,
				      struct ay_err *e);

/* What GRUB starts. */
struct ay_boot_grub {
	const char *prefix; /* "(hd0,gpt1)/EFI/debian" */
	struct ay_bytes cfg, kernel, initrd;
	const struct ay_pe *image; /* the kernel, which shim measures each time it checks it */
};

/*
 * Debian's signed GRUB with a grub.cfg that is a plain list of commands (set,
 * linux, initrd, boot, echo, export, unset, true): PCR 8, PCR 9 and the kernel
 * in PCR 4. AY_E_NOENT names the line of anything else: such a boot is foretold
 * from a log.
 */
AY_MUST_USE enum ay_rc ay_boot_grub(struct ay_forecast *f, const struct ay_boot_grub *g,
				    struct ay_err *e);

#endif
