/* SPDX-License-Identifier: Apache-2.0 */
#include "io/net/url.h"

#include <arpa/inet.h>
#include <string.h>

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_octet(uint8_t c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

static enum ay_rc bad(struct ay_err *e, size_t at, const char *why)
{
	enum ay_rc rc = ay_fail(e, AY_E_INPUT, "url", at, "%s", why);

	ay_err_code(e, "URL");
	return rc;
}

/* A last label of digits or 0x.. is an address to some resolvers and a name to others. */
static bool looks_numeric(const char *host)
{
	const char *label = strrchr(host, '.');

	label = label == NULL ? host : label + 1;
	return is_digit((uint8_t)label[0]) &&
	       (strspn(label, "0123456789") == strlen(label) || label[1] == 'x');
}

static bool is_name(const char *host)
{
	size_t n = strlen(host), label = 0;

	for (size_t i = 0; i < n; i++) {
		if (!is_name_octet((uint8_t)host[i]))
			return false;
		label = host[i] == '.' ? 0 : label + 1;
		if (label > 63 || (label == 0 && (i == 0 || host[i - 1] == '.')))
			return false;
	}
	return n > 0 && host[n - 1] != '.' && host[0] != '-' && !looks_numeric(host);
}

/* text: from behind "//"; how much of it was host is left in *used. */
static enum ay_rc take_host(struct ay_bytes text, struct ay_url *u, size_t *used, struct ay_err *e)
{
	bool is_v6 = text.n > 0 && text.p[0] == '[';
	size_t from = is_v6, n = 0;
	uint8_t addr[16];

	while (from + n < text.n &&
	       (is_v6 ? text.p[from + n] != ']' : strchr(":/?#@", text.p[from + n]) == NULL))
		n++;
	if (n == 0 || n > AY_URL_HOST_MAX || (is_v6 && from + n == text.n))
		return bad(e, 8, "no host, or too long a one");
	for (size_t i = 0; i < n; i++)
		u->host[i] = (char)lower(text.p[from + i]);
	u->host[n] = '\0';
	u->is_literal = inet_pton(is_v6 ? AF_INET6 : AF_INET, u->host, addr) == 1;
	if (!u->is_literal && (is_v6 || !is_name(u->host)))
		return bad(e, 8, "not a host name or address");
	*used = n + 2 * from;
	return AY_OK;
}

static enum ay_rc take_port(struct ay_bytes *text, struct ay_url *u, struct ay_err *e)
{
	unsigned port = 0;
	size_t n = 1;

	if (text->n == 0 || text->p[0] != ':')
		return AY_OK;
	while (n < text->n && is_digit(text->p[n]) && n < 7)
		port = port * 10 + (unsigned)(text->p[n++] - '0');
	if (n == 1 || port == 0 || port > 65535)
		return bad(e, 8, "not a port");
	u->port = (uint16_t)port;
	*text = (struct ay_bytes){ text->p + n, text->n - n };
	return AY_OK;
}

static enum ay_rc take_scheme(struct ay_bytes *text, struct ay_url *u, struct ay_err *e)
{
	u->is_https = text->n > 8 && strncasecmp((const char *)text->p, "https://", 8) == 0;
	u->port = u->is_https ? 443 : 80;
	if (!u->is_https && !(text->n > 7 && strncasecmp((const char *)text->p, "http://", 7) == 0))
		return bad(e, 0, "it must begin with https://");
	*text = (struct ay_bytes){ text->p + (u->is_https ? 8 : 7),
				   text->n - (u->is_https ? 8 : 7) };
	return AY_OK;
}

enum ay_rc ay_url_parse(struct ay_bytes text, struct ay_url *out, struct ay_err *e)
{
	struct ay_url u = { 0 };
	size_t used = 0;
	enum ay_rc rc;

	*out = (struct ay_url){ 0 };
	if (text.n > AY_URL_MAX)
		return ay_fail_code(e, AY_E_LIMIT, "URL", "url", "longer than %d octets",
				    AY_URL_MAX);
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] <= ' ' || text.p[i] > '~' || text.p[i] == '#' || text.p[i] == '\\')
			return bad(e, i, "an octet that must be percent-encoded, or a fragment");
	rc = take_scheme(&text, &u, e);
	if (rc == AY_OK)
		rc = take_host(text, &u, &used, e);
	if (rc != AY_OK)
		return rc;
	text = (struct ay_bytes){ text.p + used, text.n - used };
	rc = take_port(&text, &u, e);
	if (rc == AY_OK && text.n > 0 && text.p[0] != '/' && text.p[0] != '?')
		rc = bad(e, 8,
			 text.p[0] == '@' ? "user information" : "trailing octets at the host");
	u.target = text;
	if (rc == AY_OK)
		*out = u;
	return rc;
}
