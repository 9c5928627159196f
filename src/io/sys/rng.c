/* SPDX-License-Identifier: Apache-2.0 */
#include "io/sys/rng.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void ay_rng_bytes(void *out, size_t n)
{
	uint8_t *p = out;

	while (n > 0) {
		ssize_t got = getrandom(p, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort(); /* going on with octets that are not random is worse */
		p += got;
		n -= (size_t)got;
	}
}

struct ay_uuid ay_rng_uuid(void)
{
	uint8_t b[16];

	ay_rng_bytes(b, sizeof(b));
	return ay_uuid_from_random(b);
}
