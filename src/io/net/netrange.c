/* SPDX-License-Identifier: Apache-2.0 */
#include "io/net/netrange.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

static bool octets_of(const struct sockaddr *a, uint8_t out[16])
{
	if (a->sa_family == AF_INET6) {
		memcpy(out, &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr, 16);
		return true;
	}
	memcpy(out, mapped, sizeof(mapped));
	if (a->sa_family != AF_INET)
		return false;
	memcpy(out + 12, &((const struct sockaddr_in *)(const void *)a)->sin_addr, 4);
	return true;
}

enum ay_rc ay_netrange_parse(const char *text, struct ay_netrange *out, struct ay_err *e)
{
	const char *slash = strchr(text, '/');
	size_t n = slash == NULL ? strlen(text) : (size_t)(slash - text);
	unsigned base, bits;
	char addr[64], *end = NULL;

	*out = (struct ay_netrange){ 0 };
	if (n == 0 || n >= sizeof(addr))
		return ay_fail(e, AY_E_INPUT, "range", 0, "%.40s: not an address", text);
	memcpy(addr, text, n);
	addr[n] = '\0';
	memcpy(out->addr, mapped, sizeof(mapped));
	base = inet_pton(AF_INET, addr, out->addr + 12) == 1 ? 96 : 0;
	if (base == 0 && inet_pton(AF_INET6, addr, out->addr) != 1)
		return ay_fail(e, AY_E_INPUT, "range", 0, "%.40s: not an address", text);
	bits = slash == NULL ? 128 - base : (unsigned)strtoul(slash + 1, &end, 10);
	if (bits > 128 - base || (slash != NULL && (end == slash + 1 || *end != '\0')))
		return ay_fail(e, AY_E_INPUT, "range", n, "%.40s: not a prefix length", text);
	out->bits = (uint8_t)(base + bits);
	return AY_OK;
}

static bool matches(const uint8_t a[16], const uint8_t b[16], unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	return memcmp(a, b, whole) == 0 && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

bool ay_netrange_has(const struct ay_netrange *r, const struct sockaddr *a)
{
	uint8_t addr[16];

	return octets_of(a, addr) && matches(r->addr, addr, r->bits);
}

bool ay_netranges_have(const struct ay_netranges *r, const struct sockaddr *a)
{
	for (size_t i = 0; i < r->n; i++)
		if (ay_netrange_has(&r->range[i], a))
			return true;
	return false;
}

/* [RFC6890] and what clouds answer on. The cloud's own IPv6 and CGNAT addresses are by name. */
static const struct {
	uint8_t addr[4];
	uint8_t bits;
} inner4[] = {
	{ { 0, 0, 0, 0 }, 8 },	  { { 127, 0, 0, 0 }, 8 },	  { { 169, 254, 0, 0 }, 16 },
	{ { 192, 0, 0, 0 }, 24 }, { { 100, 100, 100, 200 }, 32 }, { { 168, 63, 129, 16 }, 32 },
	{ { 224, 0, 0, 0 }, 4 },  { { 240, 0, 0, 0 }, 4 },
};

static bool is_inner4(const uint8_t a[4])
{
	uint8_t room[16] = { 0 }, range[16] = { 0 };

	memcpy(room, a, 4);
	for (size_t i = 0; i < AY_COUNT(inner4); i++) {
		memcpy(range, inner4[i].addr, 4);
		if (matches(room, range, inner4[i].bits))
			return true;
	}
	return false;
}

/* The IPv4 address that an IPv6 one carries: mapped, compatible, NAT64, 6to4; or NULL. */
static const uint8_t *carried(const uint8_t a[16])
{
	static const uint8_t zero[12] = { 0 }, nat64[12] = { 0, 0x64, 0xff, 0x9b };

	if (memcmp(a, mapped, 12) == 0 || memcmp(a, zero, 12) == 0 || memcmp(a, nat64, 12) == 0)
		return a + 12;
	return a[0] == 0x20 && a[1] == 0x02 ? a + 2 : NULL;
}

bool ay_netrange_is_inner(const struct sockaddr *s)
{
	static const uint8_t aws[16] = { 0xfd, 0, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54 };
	const uint8_t *v4;
	uint8_t a[16];

	if (!octets_of(s, a))
		return true; /* not an address at all: nothing to call */
	v4 = carried(a);
	if (v4 != NULL)
		return is_inner4(v4); /* ::1 and :: are 0.0.0.1 and 0.0.0.0 */
	return (a[0] == 0xfe && (a[1] & 0xc0) >= 0x80) || a[0] == 0xff ||
	       memcmp(a, aws, sizeof(aws)) == 0;
}

bool ay_netrange_is_loopback(const struct sockaddr *s)
{
	static const uint8_t one[16] = { [15] = 1 };
	uint8_t a[16];

	return octets_of(s, a) &&
	       (memcmp(a, one, 16) == 0 || (memcmp(a, mapped, 12) == 0 && a[12] == 127));
}
