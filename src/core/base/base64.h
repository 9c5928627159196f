/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_BASE_BASE64_H
#define AY_BASE_BASE64_H

/* Base 64 [RFC4648 4] with padding and base64url [RFC4648 5] without. Canonical forms only. */
#include "core/base/bytes.h"
#include "core/base/err.h"

enum ay_base64 { AY_BASE64_STD, AY_BASE64_URL };

/* Room needed for the text of n octets, terminator included. */
#define AY_BASE64_ROOM(n) (((n) + 2) / 3 * 4 + 1)

/* Writes the text and a terminator; returns the length without it. */
size_t ay_base64_encode(enum ay_base64 kind, struct ay_bytes b, char *out);

/*
 * Writes at most max octets to out and their number to n. White space, missing
 * or wrong padding, foreign characters and non-zero spare bits are AY_E_INPUT.
 */
AY_MUST_USE enum ay_rc ay_base64_decode(enum ay_base64 kind, struct ay_bytes text,
					const char *field, void *out, size_t max, size_t *n,
					struct ay_err *e);

#endif
