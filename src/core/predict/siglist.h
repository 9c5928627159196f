/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PREDICT_SIGLIST_H
#define AY_PREDICT_SIGLIST_H

/*
 * Secure Boot variables (PK, KEK, db, dbx) as files: the lists alone (.esl),
 * with the attributes of efivarfs before them, or a signed update (.auth). The
 * signature of an update is not checked: firmware does that when it is applied,
 * and a forecast of what it would refuse harms nobody.
 */
#include "core/base/arena.h"
#include "core/base/err.h"

enum ay_siglist_form { AY_SIGLIST_PLAIN = 1, AY_SIGLIST_EFIVARFS, AY_SIGLIST_SIGNED };

/*
 * The lists in a file. An empty file is an empty variable. AY_E_INPUT: none of
 * the forms, or lists that do not fill the rest exactly. value borrows from in.
 * Spec [UEFI 32.4.1] EFI_SIGNATURE_LIST, [UEFI 8.2.2] EFI_VARIABLE_AUTHENTICATION_2
 */
AY_MUST_USE enum ay_rc ay_siglist_open(struct ay_bytes in, struct ay_bytes *value,
				       enum ay_siglist_form *form, struct ay_err *e);

/*
 * What a variable holds after firmware appended lists to it: signatures that it
 * has already (same type, size and octets, owner included) are left out, lists
 * that become empty as well, the rest follows what was there, as EDK2 does it.
 * Both are whole lists (else AY_E_INPUT). In the arena. AY_E_NOMEM.
 */
AY_MUST_USE enum ay_rc ay_siglist_append(struct ay_bytes old, struct ay_bytes more,
					 struct ay_arena *a, struct ay_bytes *out,
					 struct ay_err *e);

#endif
