/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the store keeps of a secret that must be read again: the one place that
 * wraps and unwraps it. Form 0 is the octets themselves; keeper's comes here.
 */
#include "prog/assayd/api/session.h"

enum { PLAIN = 0 };

bool ay_seal(struct ay_bytes plain, uint8_t *out, size_t room, size_t *n)
{
	*n = 0;
	if (plain.n + 1 > room)
		return false;
	out[0] = PLAIN;
	memcpy(out + 1, plain.p, plain.n);
	*n = plain.n + 1;
	return true;
}

bool ay_unseal(struct ay_bytes sealed, uint8_t *out, size_t room, size_t *n)
{
	*n = 0;
	if (sealed.n < 2 || sealed.p[0] != PLAIN || sealed.n - 1 > room)
		return false;
	*n = sealed.n - 1;
	memcpy(out, sealed.p + 1, *n);
	return true;
}
