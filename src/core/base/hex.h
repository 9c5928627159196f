/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_BASE_HEX_H
#define AY_BASE_HEX_H

/* Lower-case hexadecimal text of octets. */
#include "core/base/bytes.h"
#include "core/base/err.h"

/* Writes 2 * b.n digits and a terminator; out has room for 2 * b.n + 1. */
void ay_hex_encode(struct ay_bytes b, char *out);

/*
 * Both cases are read. text must have exactly 2 * n digits; n octets are
 * written to out. AY_E_INPUT names field and the offset of the first bad digit.
 */
AY_MUST_USE enum ay_rc ay_hex_decode(struct ay_bytes text, const char *field, void *out, size_t n,
				     struct ay_err *e);

#endif
