/* SPDX-License-Identifier: Apache-2.0 */
#include "core/authz/directory.h"

#include "core/base/hex.h"
#include "core/base/json.h"

#include <jansson.h>
#include <stdio.h>
#include <strings.h>

/* ---- what is typed ---- */

static bool is_typed_name(struct ay_bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < ' ' || b.p[i] > '~' || (b.p[i] == ' ' && i > 0 && b.p[i - 1] == ' '))
			return false;
	return b.n > 0 && b.n <= AY_MAX_NAME_BYTES && b.p[0] != ' ' && b.p[b.n - 1] != ' ';
}

static char lower(uint8_t c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

enum ay_rc ay_directory_name_check(struct ay_bytes name, char key[AY_MAX_NAME_BYTES + 1],
				   struct ay_err *e)
{
	memset(key, 0, AY_MAX_NAME_BYTES + 1);
	if (AY_CHECKED("LDAP_NAME", !is_typed_name(name)))
		return ay_fail(e, AY_E_INPUT, "user", 0,
			       "a name at the directory is 1 to %d octets of ASCII",
			       AY_MAX_NAME_BYTES);
	for (size_t i = 0; i < name.n && i < AY_MAX_NAME_BYTES; i++)
		key[i] = lower(name.p[i]);
	return AY_OK;
}

enum ay_rc ay_directory_password_check(struct ay_bytes password, struct ay_err *e)
{
	if (AY_CHECKED("LDAP_PASSWORD_EMPTY", password.n == 0))
		return ay_fail(e, AY_E_INPUT, "password", 0, "give a password");
	if (AY_CHECKED("LDAP_PASSWORD_NUL", memchr(password.p, 0, password.n) != NULL) ||
	    password.n > AY_MAX_PASSWORD_BYTES)
		return ay_fail(e, AY_E_INPUT, "password", 0, "at most %d octets, none of them zero",
			       AY_MAX_PASSWORD_BYTES);
	return AY_OK;
}

/* ---- into filters and names ---- */

struct text {
	char *p;
	size_t n, max;
	bool full;
};

static void put(struct text *t, char c)
{
	t->full = t->full || t->n + 1 >= t->max;
	if (!t->full)
		t->p[t->n++] = c;
}

static void put_hex(struct text *t, uint8_t c)
{
	static const char digits[] = "0123456789abcdef";

	put(t, '\\');
	put(t, digits[c >> 4]);
	put(t, digits[c & 15]);
}

/* [RFC4515 3]: valueencoding. What is not ASCII may be escaped, and is. */
static bool means_in_filter(uint8_t c)
{
	return c < ' ' || c > '~' || strchr("*()\\", c) != NULL;
}

/* [RFC4514 2.4]; blank and '#' have a meaning at the ends alone, and are escaped anywhere. */
static bool means_in_name(uint8_t c)
{
	return c < ' ' || c > '~' || strchr("\"+,;<>\\=# ", c) != NULL;
}

static void put_value(struct text *t, enum ay_directory_syntax syntax, const char *value)
{
	for (; *value != '\0'; value++) {
		uint8_t c = (uint8_t)*value;
		bool escape = syntax == AY_DIRECTORY_FILTER
				      ? AY_CHECKED("LDAP_FILTER_ESCAPE", means_in_filter(c))
				      : AY_CHECKED("LDAP_DN_ESCAPE", means_in_name(c));

		if (escape)
			put_hex(t, c);
		else
			put(t, *value);
	}
}

enum ay_rc ay_directory_expand(const char *template, enum ay_directory_syntax syntax,
			       const struct ay_directory_values *v, const char *where,
			       char out[AY_DIRECTORY_TEXT], struct ay_err *e)
{
	struct text t = { .p = out, .max = AY_DIRECTORY_TEXT };

	memset(out, 0, AY_DIRECTORY_TEXT);
	for (const char *p = template; *p != '\0'; p++) {
		bool is_user = strncmp(p, "{user}", 6) == 0, is_dn = strncmp(p, "{dn}", 4) == 0;
		const char *value = is_user ? v->user : is_dn ? v->dn : NULL;

		if (*p != '{') {
			put(&t, *p);
			continue;
		}
		if (value == NULL)
			return ay_fail(e, AY_E_INPUT, where, 0, "%.20s has no value here", p);
		put_value(&t, syntax, value);
		p += is_user ? 5 : 3;
	}
	if (!t.full)
		return AY_OK;
	memset(out, 0, AY_DIRECTORY_TEXT);
	return ay_fail(e, AY_E_LIMIT, where, 0, "longer than %d octets", AY_DIRECTORY_TEXT - 1);
}

/* ---- whose entry it is ---- */

enum ay_rc ay_directory_id_check(const char *attribute, struct ay_err *e)
{
	static const char *const reused[] = { "uid",
					      "cn",
					      "sn",
					      "dn",
					      "mail",
					      "samaccountname",
					      "userprincipalname",
					      "displayname",
					      "distinguishedname",
					      "employeenumber",
					      "uidnumber",
					      "memberof",
					      "objectclass" };
	size_t n = strlen(attribute);

	for (size_t i = 0; i < AY_COUNT(reused); i++)
		if (AY_CHECKED("LDAP_ID_REUSED", strcasecmp(attribute, reused[i]) == 0))
			return ay_fail(e, AY_E_INPUT, "ldap.id_attribute", 0,
				       "%.40s may belong to another person one day: give "
				       "entryUUID, objectGUID or the like",
				       attribute);
	if (n == 0 || n > 64 ||
	    strspn(attribute, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "0123456789-.") != n)
		return ay_fail(e, AY_E_INPUT, "ldap.id_attribute", 0, "no name of an attribute");
	return AY_OK;
}

static bool is_printable(struct ay_bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] <= ' ' || b.p[i] > '~')
			return false;
	return b.n > 0;
}

/* The first three fields of a GUID are little-endian [MS-DTYP 2.3.4]. */
static void guid_text(struct ay_bytes b, char out[40])
{
	static const uint8_t order[] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(order); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[n++] = '-';
		n += (size_t)snprintf(out + n, 3, "%02x", b.p[order[i]]);
	}
}

static bool id_text(const struct ay_directory_entry *in, char out[260])
{
	bool is_guid = strcasecmp(in->id_attribute, "objectGUID") == 0;

	memset(out, 0, 260);
	if (is_guid && in->id.n == 16) {
		guid_text(in->id, out);
	} else if (!is_guid && is_printable(in->id) && in->id.n < 256) {
		memcpy(out, in->id.p, in->id.n);
	} else if (!is_guid && in->id.n == 16) {
		out[0] = '#';
		ay_hex_encode(in->id, out + 1);
	}
	return out[0] != '\0';
}

static void take_text(struct ay_bytes b, bool name, char out[AY_MAX_NAME_BYTES + 1])
{
	char text[AY_MAX_NAME_BYTES + 1] = "";
	bool clean = b.n > 0 && b.n <= AY_MAX_NAME_BYTES;

	for (size_t i = 0; clean && i < b.n; i++)
		clean = b.p[i] >= ' ' && b.p[i] != 0x7f;
	if (clean)
		memcpy(text, b.p, b.n);
	if (clean && (name ? ay_json_is_name(text) : ay_json_is_utf8(b)))
		memcpy(out, text, sizeof(text));
}

enum ay_rc ay_directory_entry_check(const struct ay_directory_entry *in,
				    struct ay_directory_person *out, struct ay_err *e)
{
	struct ay_directory_person p = { 0 };
	char id[260];
	size_t n = 0;

	memset(out, 0, sizeof(*out));
	if (AY_CHECKED("LDAP_ONE_ENTRY", in->n_entries != 1))
		return ay_fail(e, AY_E_DENIED, "ldap", 0, "%s",
			       in->n_entries == 0 ? "no entry has this name"
						  : "several entries have this name");
	if (AY_CHECKED("LDAP_ONE_ID", in->n_ids != 1) || !id_text(in, id))
		return ay_fail(e, AY_E_DENIED, "ldap", 0, "the entry has no single %.64s",
			       in->id_attribute);
	for (const char *a = in->id_attribute; *a != '\0' && n < 64; a++)
		p.subject[n++] = lower((uint8_t)*a);
	snprintf(p.subject + n, sizeof(p.subject) - n, " %s", id);
	take_text(in->name, true, p.name);
	take_text(in->display, false, p.display);
	*out = p;
	return AY_OK;
}

/* ---- names of groups ---- */

/* The next octet of a name, in lower case, without the blanks that mean nothing; 0 at its end. */
static int next_of(const char **at, bool *after_separator)
{
	const char *p = *at, *q;
	int c;

	while (*after_separator && *p == ' ')
		p++;
	for (q = p; *q == ' ';)
		q++;
	if (*q == '\0' || strchr(",+=", *q) != NULL)
		p = q;
	*after_separator = *p != '\0' && strchr(",+=", *p) != NULL;
	if (*p == '\\' && p[1] != '\0') { /* an escaped octet means itself */
		c = 256 + lower((uint8_t)p[1]);
		*at = p + 2;
		return c;
	}
	c = lower((uint8_t)*p);
	*at = *p == '\0' ? p : p + 1;
	return c;
}

bool ay_directory_dn_same(const char *a, const char *b)
{
	bool after_a = true, after_b = true;
	int x, y;

	do {
		x = next_of(&a, &after_a);
		y = next_of(&b, &after_b);
	} while (x == y && x != 0);
	return x == y;
}
