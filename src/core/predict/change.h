/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PREDICT_CHANGE_H
#define AY_PREDICT_CHANGE_H

/*
 * What changes between the boot whose log a forecast began with and the next
 * one: an image, a file that the boot loader reads, a UEFI variable, words of
 * the boot loader's commands. Each function replaces every event of the old
 * thing and nothing else. AY_E_NOENT: the log has no such event (or not
 * exactly one candidate), so that nothing can be foretold.
 */
#include "core/predict/forecast.h"
#include "core/predict/pe.h"

/* Programs of a boot, in its order; the first image of a log without shim may be any of them. */
enum ay_boot_role {
	AY_BOOT_SHIM = 0,
	AY_BOOT_GRUB,
	AY_BOOT_KERNEL,
	AY_BOOT_UKI,
	AY_BOOT_INITRD,
	AY_BOOT_GRUB_CFG,
};

/*
 * Replace the EV_EFI_BOOT_SERVICES_APPLICATION events of an image. old: the
 * image it was; NULL: the place that role has among the images after the
 * separator of PCR 4 (shim, GRUB, kernel). *n counts replaced events; a kernel
 * that GRUB starts itself, without the firmware or shim, has none.
 */
AY_MUST_USE enum ay_rc ay_change_image(struct ay_forecast *f, enum ay_boot_role role,
				       const struct ay_pe *old, const struct ay_pe *fresh,
				       size_t *n, struct ay_err *e);

/* How many different images were started after the separator of PCR 4; 4 = more than three. */
size_t ay_change_images(const struct ay_forecast *f);

/*
 * Replace the digests of a file in PCR 9: one that GRUB read (EV_IPL, its name
 * is the data), or the initrd that the kernel's EFI stub took (EV_EVENT_TAG).
 *
 *   old   its octets before; NULL: found by path, or by role
 *   path  as GRUB names it in the log; NULL: the file of the last `linux` or
 *         `initrd` command, for AY_BOOT_GRUB_CFG the last file /grub.cfg
 */
AY_MUST_USE enum ay_rc ay_change_file(struct ay_forecast *f, enum ay_boot_role role,
				      const char *path, const struct ay_bytes *old,
				      struct ay_bytes fresh, size_t *n, struct ay_err *e);

/*
 * Replace the value of a UEFI variable in PCR 7: "PK", "KEK", "db", "dbx",
 * "SecureBoot". The new digest covers what the old one covered, the whole
 * structure or the value alone.
 */
AY_MUST_USE enum ay_rc ay_change_variable(struct ay_forecast *f, const char *name,
					  struct ay_bytes value, struct ay_err *e);
/* The value that the log has for such a variable; AY_E_NOENT without one. */
AY_MUST_USE enum ay_rc ay_change_variable_old(const struct ay_forecast *f, const char *name,
					      struct ay_bytes *value, struct ay_err *e);

/*
 * Replace text in the commands that GRUB measured (PCR 8) and in the names of
 * the files it read (PCR 9): a new kernel version, say. Only events whose
 * digest covers their text are touched.
 */
AY_MUST_USE enum ay_rc ay_change_text(struct ay_forecast *f, const char *old, const char *fresh,
				      size_t *n, struct ay_err *e);

/*
 * Replace the kernel command line: behind the kernel's name in GRUB's events,
 * or the load options that the kernel's EFI stub measured. old: what it was;
 * NULL: what the log has for GRUB, refused for the EFI stub, whose log has
 * only the digest.
 */
AY_MUST_USE enum ay_rc ay_change_cmdline(struct ay_forecast *f, const char *old, const char *fresh,
					 size_t *n, struct ay_err *e);

/* Event tags of the kernel's EFI stub in PCR 9. */
#define AY_TAG_INITRD 0x8f3b22ecu
#define AY_TAG_LOAD_OPTIONS 0x8f3b22edu

#endif
