/* SPDX-License-Identifier: Apache-2.0 */
/* First octet: a name as typed, two names of groups with a zero between, or the id of an entry. */
#include "fuzz/smoke.h"

#include "core/authz/directory.h"

#include <stdlib.h>

static size_t count(const char *s, char c)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += *s == c;
	return n;
}

/* Whatever is typed stays one value. */
static bool typed(const char *text)
{
	const struct ay_directory_values v = { text, text };
	char key[AY_MAX_NAME_BYTES + 1], out[AY_DIRECTORY_TEXT];

	if (ay_directory_name_check(ay_bytes_of(text), key, NULL) != AY_OK)
		return false;
	if (ay_directory_expand("(uid={user})", AY_DIRECTORY_FILTER, &v, "f", out, NULL) != AY_OK ||
	    count(out, '(') != 1 || count(out, ')') != 1 || count(out, '*') != 0)
		abort();
	if (ay_directory_expand("uid={user},dc=x", AY_DIRECTORY_NAME, &v, "n", out, NULL) !=
		    AY_OK ||
	    count(out, ',') != 1 || count(out, '=') != 2 || count(out, '+') != 0)
		abort();
	return true;
}

static bool same(const char *a, const char *b)
{
	if (!ay_directory_dn_same(a, a) || !ay_directory_dn_same(b, b) ||
	    ay_directory_dn_same(a, b) != ay_directory_dn_same(b, a))
		abort();
	return ay_directory_dn_same(a, b);
}

static bool entry(struct ay_bytes id)
{
	const struct ay_directory_entry in = { 1, "x", 1, id, id, id };
	struct ay_directory_person p;

	if (ay_directory_entry_check(&in, &p, NULL) != AY_OK)
		return false;
	if (strncmp(p.subject, "x ", 2) != 0 || p.subject[2] == '\0' || count(p.subject, ' ') != 1)
		abort();
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char text[1024] = "";
	bool ok;

	if (n < 2 || n >= sizeof(text))
		return 0;
	memcpy(text, p + 1, n - 1);
	if (p[0] % 3 == 0)
		ok = typed(text);
	else if (p[0] % 3 == 1)
		ok = same(text, text + strlen(text) + (strlen(text) < n - 1));
	else
		ok = entry((struct ay_bytes){ p + 1, n - 1 });
	if (ok)
		AY_FUZZ_ACCEPT();
	return 0;
}
