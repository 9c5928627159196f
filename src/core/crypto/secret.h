/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_SECRET_H
#define AY_CRYPTO_SECRET_H

/*
 * A short secret (key, challenge, seed): wiped when it leaves its scope, never
 * formatted, never copied to an arena, compared in constant time.
 *
 *	AY_CLEANUP(ay_secret_wipe) struct ay_secret k = { 0 };
 */
#include "core/base/bytes.h"

#define AY_SECRET_MAX 64

struct ay_secret {
	size_t n;
	uint8_t b[AY_SECRET_MAX];
};

void ay_secret_wipe(struct ay_secret *s);
/* Wipe octets that are no struct ay_secret. */
void ay_wipe(void *p, size_t n);
/* False if b is longer than AY_SECRET_MAX; s is then empty. */
AY_MUST_USE bool ay_secret_set(struct ay_secret *s, struct ay_bytes b);
/* Borrows from s. */
struct ay_bytes ay_secret_view(const struct ay_secret *s);
/* Constant time for equal lengths; false if either is empty. */
AY_MUST_USE bool ay_secret_eq(const struct ay_secret *s, struct ay_bytes b);
/* Constant time for equal lengths. */
AY_MUST_USE bool ay_bytes_eq_secret(struct ay_bytes a, struct ay_bytes b);

#endif
