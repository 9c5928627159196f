/* SPDX-License-Identifier: Apache-2.0 */
#include "io/net/cidr.h"

#include <arpa/inet.h>
#include <string.h>

enum { ADDRESS_ROOM = 64 };

/* An address literal into c, with all its bits. */
static bool read_address(struct ay_bytes text, struct ay_cidr *c)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char room[ADDRESS_ROOM];

	*c = (struct ay_cidr){ 0 };
	if (text.n == 0 || text.n >= sizeof(room) || memchr(text.p, 0, text.n) != NULL)
		return false;
	memcpy(room, text.p, text.n);
	room[text.n] = '\0';
	if (inet_pton(AF_INET, room, c->addr) == 1) {
		c->bits = 32;
		return true;
	}
	if (inet_pton(AF_INET6, room, c->addr) != 1)
		return false;
	c->is_v6 = memcmp(c->addr, mapped, sizeof(mapped)) != 0;
	c->bits = c->is_v6 ? 128 : 32;
	if (!c->is_v6) {
		memmove(c->addr, c->addr + 12, 4);
		memset(c->addr + 4, 0, 12);
	}
	return true;
}

/* One to three digits, at most max. */
static bool read_bits(struct ay_bytes text, unsigned max, uint8_t *out)
{
	unsigned n = 0;

	if (text.n == 0 || text.n > 3)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		n = n * 10 + (unsigned)(text.p[i] - '0');
	}
	*out = (uint8_t)n;
	return n <= max;
}

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;
	uint8_t mask = (uint8_t)(0xff << (8 - rest));

	return memcmp(a, b, whole) == 0 && (rest == 0 || (a[whole] & mask) == (b[whole] & mask));
}

/* Nothing but zeros behind the prefix. */
static bool is_network(const struct ay_cidr *c)
{
	for (unsigned i = c->bits; i < (c->is_v6 ? 128u : 32u); i++)
		if ((c->addr[i / 8] >> (7 - i % 8)) & 1)
			return false;
	return true;
}

enum ay_rc ay_cidr_parse(struct ay_bytes text, struct ay_cidr *out, struct ay_err *e)
{
	const uint8_t *slash = text.n == 0 ? NULL : memchr(text.p, '/', text.n);
	size_t n = slash == NULL ? text.n : (size_t)(slash - text.p);
	struct ay_bytes bits = { slash == NULL ? NULL : slash + 1,
				 slash == NULL ? 0 : text.n - n - 1 };
	struct ay_cidr c;

	*out = (struct ay_cidr){ 0 };
	if (!read_address((struct ay_bytes){ text.p, n }, &c) ||
	    (slash != NULL && !read_bits(bits, c.bits, &c.bits)))
		return ay_fail(e, AY_E_INPUT, "network", n,
			       "%.*s: not a network like 10.0.0.0/8 or 2001:db8::/32",
			       (int)(text.n > 60 ? 60 : text.n),
			       text.n == 0 ? "" : (const char *)text.p);
	if (!is_network(&c))
		return ay_fail(e, AY_E_INPUT, "network", n, "%.*s: bits are set behind the prefix",
			       (int)(text.n > 60 ? 60 : text.n), (const char *)text.p);
	*out = c;
	return AY_OK;
}

/* The address of ADDR:PORT or [ADDR]:PORT. */
static struct ay_bytes address_of(struct ay_bytes peer)
{
	struct ay_bytes a = peer;

	while (a.n > 0 && a.p[a.n - 1] != ':')
		a.n--;
	if (a.n > 0)
		a.n--;
	if (a.n >= 2 && a.p[0] == '[' && a.p[a.n - 1] == ']')
		return (struct ay_bytes){ a.p + 1, a.n - 2 };
	return a;
}

bool ay_cidr_has_peer(const struct ay_cidr *c, struct ay_bytes peer)
{
	struct ay_cidr one;

	return read_address(address_of(peer), &one) && one.is_v6 == c->is_v6 &&
	       same_prefix(one.addr, c->addr, c->bits);
}
