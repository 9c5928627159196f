/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/credential.h"

#include "core/base/base64.h"

#include <string.h>

enum { BASIC_MAX = 1024 };

static size_t until(struct ay_bytes b, size_t at, uint8_t end)
{
	while (at < b.n && b.p[at] != end)
		at++;
	return at;
}

/* cookie-octet */
static bool is_value(struct ay_bytes v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] <= ' ' || v.p[i] >= 0x7f || v.p[i] == '"' || v.p[i] == ',' ||
		    v.p[i] == ';' || v.p[i] == '\\')
			return false;
	return true;
}

enum ay_rc ay_cookie_find(struct ay_bytes header, const char *name, struct ay_bytes *value,
			  struct ay_err *e)
{
	struct ay_bytes got = { NULL, 0 };
	bool found = false;

	*value = got;
	for (size_t at = 0; at < header.n;) {
		size_t end = until(header, at, ';'), equals;
		struct ay_bytes pair, key;

		while (at < end && header.p[at] == ' ')
			at++;
		pair = (struct ay_bytes){ header.p + at, end - at };
		equals = until(pair, 0, '=');
		key = (struct ay_bytes){ pair.p, equals };
		if (ay_bytes_eq(key, ay_bytes_of(name))) {
			struct ay_bytes v = { pair.p + equals + 1, 0 };

			if (AY_CHECKED("COOKIE_TWICE", found) || equals == pair.n)
				return ay_fail(e, AY_E_INPUT, "cookie", at, "malformed");
			v.n = pair.n - equals - 1;
			if (!is_value(v))
				return ay_fail(e, AY_E_INPUT, "cookie", at, "malformed");
			got = v;
			found = true;
		}
		at = end + 1;
	}
	if (!found)
		return ay_fail(e, AY_E_NOENT, "cookie", 0, "there is none");
	*value = got;
	return AY_OK;
}

static struct ay_bytes take(struct ay_arena *a, struct ay_bytes b)
{
	char *text = ay_arena_str(a, b);

	return text == NULL ? (struct ay_bytes){ NULL, 0 } : ay_bytes_of(text);
}

enum ay_rc ay_basic_parse(struct ay_bytes text, struct ay_arena *a, struct ay_bytes *user,
			  struct ay_bytes *password, struct ay_err *e)
{
	uint8_t plain[BASIC_MAX];
	struct ay_bytes all = { plain, 0 };
	size_t colon;
	enum ay_rc rc;

	*user = *password = (struct ay_bytes){ NULL, 0 };
	rc = ay_base64_decode(AY_BASE64_STD, text, "authorization", plain, sizeof(plain), &all.n,
			      e);
	if (rc != AY_OK)
		return rc;
	for (size_t i = 0; i < all.n; i++)
		if (plain[i] < ' ' || plain[i] == 0x7f)
			return ay_fail(e, AY_E_INPUT, "authorization", i, "a control character");
	colon = until(all, 0, ':');
	if (colon == all.n)
		return ay_fail(e, AY_E_INPUT, "authorization", 0, "no colon");
	*user = take(a, (struct ay_bytes){ plain, colon });
	*password = take(a, (struct ay_bytes){ plain + colon + 1, all.n - colon - 1 });
	explicit_bzero(plain, sizeof(plain));
	if (user->p == NULL || password->p == NULL)
		return ay_fail(e, AY_E_NOMEM, "authorization", 0, "out of memory");
	return AY_OK;
}
