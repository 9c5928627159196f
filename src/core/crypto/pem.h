/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_PEM_H
#define AY_CRYPTO_PEM_H

/* Textual encodings of certificates and the like [RFC7468]. */
#include "core/base/arena.h"
#include "core/base/err.h"

/*
 * The next block with this label ("CERTIFICATE", "X509 CRL", "PUBLIC KEY");
 * text moves on behind it, other blocks and text between are passed over.
 * der is in the arena. AY_E_NOENT: none left. AY_E_INPUT: the block is broken;
 * text has moved on, so the next can be asked for.
 */
AY_MUST_USE enum ay_rc ay_pem_next(struct ay_bytes *text, const char *label, struct ay_arena *a,
				   struct ay_bytes *der, struct ay_err *e);

/* Writes a terminated PEM block; room: AY_PEM_ROOM(der.n). */
#define AY_PEM_ROOM(n) (((n) + 47) / 48 * 65 + 192)
void ay_pem_write(const char *label, struct ay_bytes der, char *out);

#endif
