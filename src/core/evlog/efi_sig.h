/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_EVLOG_EFI_SIG_H
#define AY_EVLOG_EFI_SIG_H

/*
 * What the variables of Secure Boot hold: EFI_SIGNATURE_LISTs (db, dbx, KEK,
 * PK) and the revocation level of SBAT. Nothing is trusted: whether the octets
 * are those that were measured is the caller's to know.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

enum ay_efi_sig_kind { AY_EFI_SIG_OTHER = 0, AY_EFI_SIG_SHA256, AY_EFI_SIG_X509 };

/* One signature: data borrows from the variable, without its owner. false ends the walk. */
typedef bool ay_efi_sig_fn(void *arg, enum ay_efi_sig_kind kind, struct ay_bytes data);

/*
 * Walk all signatures of a value, which may be empty. AY_E_INPUT if the lists
 * do not fill it exactly; what fn was told before must then not be used.
 * Spec [UEFI 32.4.1] EFI_SIGNATURE_LIST
 */
AY_MUST_USE enum ay_rc ay_efi_sigs_parse(struct ay_bytes value, ay_efi_sig_fn *fn, void *arg,
					 struct ay_err *e);

/*
 * The generation of a component in a level (lines "component,generation[,...]",
 * up to a NUL): true if it has one line and that is well formed.
 */
bool ay_sbat_level_find(struct ay_bytes level, const char *component, uint32_t *generation);

#endif
