/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/secret.h"

#include <openssl/crypto.h>

void ay_wipe(void *p, size_t n)
{
	OPENSSL_cleanse(p, n);
}

void ay_secret_wipe(struct ay_secret *s)
{
	ay_wipe(s, sizeof(*s));
}

bool ay_secret_set(struct ay_secret *s, struct ay_bytes b)
{
	ay_secret_wipe(s);
	if (b.n > sizeof(s->b))
		return false;
	if (b.n > 0)
		memcpy(s->b, b.p, b.n);
	s->n = b.n;
	return true;
}

struct ay_bytes ay_secret_view(const struct ay_secret *s)
{
	return (struct ay_bytes){ s->b, s->n };
}

bool ay_bytes_eq_secret(struct ay_bytes a, struct ay_bytes b)
{
	return a.n == b.n && (a.n == 0 || CRYPTO_memcmp(a.p, b.p, a.n) == 0);
}

bool ay_secret_eq(const struct ay_secret *s, struct ay_bytes b)
{
	return s->n > 0 && ay_bytes_eq_secret(ay_secret_view(s), b);
}
