/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/connstr.h"

#include <stdio.h>
#include <string.h>

enum { MAX_TEXT = 1024, MAX_FIELDS = 6 };

/* What ay_connstr_parse() reads, and the one thing that it does not give. */
struct reading {
	struct ay_connstr c;
	struct ay_bytes secret;
};

static const char *const vendors[AY_CONNSTR_VENDORS] = { "", "intel", "vmware", "citrix",
							 "microsoft" };

const char *ay_connstr_vendor_name(enum ay_connstr_vendor v)
{
	return (size_t)v < AY_COUNT(vendors) ? vendors[v] : "";
}

static bool starts(struct ay_bytes b, const char *with)
{
	size_t n = strlen(with);

	return b.n >= n && memcmp(b.p, with, n) == 0;
}

static struct ay_bytes after(struct ay_bytes b, size_t n)
{
	return (struct ay_bytes){ b.p + n, b.n - n };
}

/* What stands before stop; rest begins behind it, or is empty. */
static struct ay_bytes cut(struct ay_bytes *rest, uint8_t stop)
{
	size_t n = 0;
	struct ay_bytes head;

	while (n < rest->n && rest->p[n] != stop)
		n++;
	head = (struct ay_bytes){ rest->p, n };
	*rest = after(*rest, n + (n < rest->n));
	return head;
}

static bool is_printable(struct ay_bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] <= 0x20 || b.p[i] > 0x7e)
			return false;
	return true;
}

static bool is_host(struct ay_bytes b)
{
	static const char also[] = ".-_:[]";

	for (size_t i = 0; i < b.n; i++)
		if (!((b.p[i] >= 'a' && b.p[i] <= 'z') || (b.p[i] >= 'A' && b.p[i] <= 'Z') ||
		      (b.p[i] >= '0' && b.p[i] <= '9') || strchr(also, b.p[i]) != NULL))
			return false;
	return b.n > 0 && b.n <= 255;
}

static bool read_port(struct ay_bytes b, uint16_t *out)
{
	unsigned long n = 0;

	if (b.n == 0 || b.n > 5)
		return false;
	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] < '0' || b.p[i] > '9')
			return false;
		n = n * 10 + (unsigned long)(b.p[i] - '0');
	}
	*out = (uint16_t)n;
	return n > 0 && n <= 65535;
}

/* HOST, HOST:PORT, [v6]:PORT */
static bool read_authority(struct ay_bytes b, struct ay_connstr *c)
{
	size_t colon = b.n;

	for (size_t i = b.n; i > 0; i--)
		if (b.p[i - 1] == ':' || b.p[i - 1] == ']') {
			colon = b.p[i - 1] == ':' ? i - 1 : b.n;
			break;
		}
	if (colon < b.n && !read_port(after(b, colon + 1), &c->port))
		return false;
	c->host = (struct ay_bytes){ b.p, colon };
	return is_host(c->host) && memchr(c->host.p, ':', c->host.n) == NULL
		       ? true
		       : c->host.n > 2 && c->host.p[0] == '[' && c->host.p[c->host.n - 1] == ']' &&
				 is_host(c->host);
}

/* One field behind a semicolon: h= c= u= p=, or by position user and password. */
static bool read_field(struct ay_bytes f, int *position, struct reading *r)
{
	if (f.n > 1 && f.p[1] == '=' && strchr("hcup", f.p[0]) != NULL) {
		struct ay_bytes value = after(f, 2);

		if (f.p[0] == 'h')
			r->c.esxi = value;
		else if (f.p[0] == 'c')
			r->c.cluster = value;
		else if (f.p[0] == 'u')
			r->c.user = value;
		else
			r->secret = value;
		return f.p[0] != 'h' || is_host(value);
	}
	if (*position == 0)
		r->c.user = f;
	else if (*position == 1)
		r->secret = f;
	return ++*position <= 2;
}

static bool read_fields(struct ay_bytes rest, struct reading *r)
{
	int position = 0;

	for (int i = 0; rest.n > 0; i++)
		if (i == MAX_FIELDS || !read_field(cut(&rest, ';'), &position, r))
			return false;
	r->c.has_secret = r->secret.n > 0;
	return true;
}

static struct ay_bytes take_vendor(struct ay_bytes text, struct ay_connstr *c)
{
	for (int v = 1; v < AY_CONNSTR_VENDORS; v++) {
		size_t n = strlen(vendors[v]);

		if (!starts(text, vendors[v]) || text.n <= n || text.p[n] != ':')
			continue;
		c->vendor = (enum ay_connstr_vendor)v;
		return after(text, n + 1);
	}
	return text;
}

static bool read_url(struct ay_bytes url, struct ay_connstr *c)
{
	struct ay_bytes rest = url;

	c->is_nats = starts(url, "nats://");
	if (c->is_nats)
		rest = after(url, 7);
	else if (starts(url, "https://"))
		rest = after(url, 8);
	else if (c->vendor != AY_CONNSTR_PLAIN)
		return false;
	url = rest;
	rest = cut(&url, '/');
	if (url.n > 0 || (rest.p + rest.n < url.p))
		c->path = (struct ay_bytes){ rest.p + rest.n, url.n + 1 };
	return read_authority(rest, c) && !(c->is_nats && c->port != 0);
}

static enum ay_rc read_all(struct ay_bytes text, struct reading *r, struct ay_err *e)
{
	struct ay_bytes rest, url;

	if (text.n > MAX_TEXT)
		return ay_fail(e, AY_E_LIMIT, "connection", 0, "longer than %d octets", MAX_TEXT);
	/* the error never repeats the text: it may hold a password */
	if (text.n == 0 || !is_printable(text))
		return ay_fail(e, AY_E_INPUT, "connection", 0, "empty, or not printable ASCII");
	rest = take_vendor(text, &r->c);
	url = cut(&rest, ';');
	if (!read_url(url, &r->c))
		return ay_fail(e, AY_E_INPUT, "connection", (size_t)(url.p - text.p),
			       "not like intel:https://HOST:1443/");
	if (!read_fields(rest, r))
		return ay_fail(e, AY_E_INPUT, "connection", (size_t)(rest.p - text.p),
			       "not like ;user;password or ;h=HOST;u=user;p=password");
	return AY_OK;
}

enum ay_rc ay_connstr_parse(struct ay_bytes text, struct ay_connstr *out, struct ay_err *e)
{
	struct reading r = { 0 };
	enum ay_rc rc = read_all(text, &r, e);

	*out = rc == AY_OK ? r.c : (struct ay_connstr){ 0 };
	return rc;
}

struct ay_bytes ay_connstr_secret(struct ay_bytes text)
{
	struct reading r = { 0 };

	return read_all(text, &r, NULL) == AY_OK ? r.secret : (struct ay_bytes){ NULL, 0 };
}

bool ay_connstr_is_managed(const struct ay_connstr *c)
{
	return c->vendor == AY_CONNSTR_VMWARE || c->vendor == AY_CONNSTR_CITRIX;
}

#define VIEW(b) (int)(b).n, (b).n == 0 ? "" : (const char *)(b).p

void ay_connstr_format(const struct ay_connstr *c, char out[AY_CONNSTR_TEXT])
{
	char port[8] = "";

	if (c->port != 0)
		snprintf(port, sizeof(port), ":%u", c->port);
	snprintf(out, AY_CONNSTR_TEXT, "%s%s%s%.*s%s%.*s%s%.*s%s%.*s%s%.*s",
		 ay_connstr_vendor_name(c->vendor), c->vendor == AY_CONNSTR_PLAIN ? "" : ":",
		 c->is_nats ? "nats://" : "https://", VIEW(c->host), port, VIEW(c->path),
		 c->esxi.n > 0 ? ";h=" : "", VIEW(c->esxi), c->cluster.n > 0 ? ";c=" : "",
		 VIEW(c->cluster), c->user.n > 0 ? ";u=" : "", VIEW(c->user));
}
