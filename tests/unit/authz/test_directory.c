/* SPDX-License-Identifier: Apache-2.0 */
/* People of a directory: names that mean something to LDAP, entries that are nobody's, names of
 * groups. */
#include "support/t.h"

#include "core/authz/directory.h"

static void test_names(void **state)
{
	static const struct {
		const char *what, *name;
		enum ay_rc rc;
		const char *key;
	} rows[] = {
		{ "plain", "alice", AY_OK, "alice" },
		{ "letters of both cases count as one", "ALice@Example.COM", AY_OK,
		  "alice@example.com" },
		{ "what means something to LDAP is a name", "*)(uid=*", AY_OK, "*)(uid=*" },
		{ "a blank within", "alice a", AY_OK, "alice a" },
		{ "empty", "", AY_E_INPUT, "" },
		{ "a blank at the front, which the directory does not see", " alice", AY_E_INPUT,
		  "" },
		{ "a blank at the end", "alice ", AY_E_INPUT, "" },
		{ "two blanks, which are one to the directory", "alice  a", AY_E_INPUT, "" },
		{ "a soft hyphen, which is none to the directory",
		  "al\xc2\xad"
		  "ice",
		  AY_E_INPUT, "" },
		{ "a control character", "alice\n", AY_E_INPUT, "" },
		{ "octet 127", "alice\x7f", AY_E_INPUT, "" },
	};
	char key[AY_MAX_NAME_BYTES + 1], longest[AY_MAX_NAME_BYTES + 2];

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		print_message("%s\n", rows[i].what);
		assert_int_equal(ay_directory_name_check(ay_bytes_of(rows[i].name), key, NULL),
				 rows[i].rc);
		assert_string_equal(key, rows[i].key);
	}
	assert_int_equal(
		ay_directory_name_check((struct ay_bytes){ (const uint8_t *)"a\0b", 3 }, key, NULL),
		AY_E_INPUT);
	memset(longest, 'a', sizeof(longest));
	assert_int_equal(ay_directory_name_check(
				 (struct ay_bytes){ (const uint8_t *)longest, AY_MAX_NAME_BYTES },
				 key, NULL),
			 AY_OK);
	assert_int_equal(ay_directory_name_check((struct ay_bytes){ (const uint8_t *)longest,
								    AY_MAX_NAME_BYTES + 1 },
						 key, NULL),
			 AY_E_INPUT);
}

static void test_passwords(void **state)
{
	uint8_t longest[AY_MAX_PASSWORD_BYTES + 1];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	assert_int_equal(ay_directory_password_check(ay_bytes_of("x"), NULL), AY_OK);
	assert_int_equal(ay_directory_password_check(ay_bytes_of(""), NULL), AY_E_INPUT);
	assert_int_equal(ay_directory_password_check((struct ay_bytes){ NULL, 0 }, NULL),
			 AY_E_INPUT);
	assert_int_equal(
		ay_directory_password_check((struct ay_bytes){ (const uint8_t *)"\0x", 2 }, NULL),
		AY_E_INPUT);
	assert_int_equal(ay_directory_password_check(
				 (struct ay_bytes){ longest, AY_MAX_PASSWORD_BYTES }, NULL),
			 AY_OK);
	assert_int_equal(ay_directory_password_check(AY_BYTES(longest), NULL), AY_E_INPUT);
}

/* Examples of [RFC4515 4] and [RFC4514 4] are among them. */
static void test_expand(void **state)
{
	static const struct {
		const char *what, *template;
		enum ay_directory_syntax syntax;
		const char *user, *dn, *out; /* out NULL: refused */
	} rows[] = {
		{ "a name", "(uid={user})", AY_DIRECTORY_FILTER, "alice", NULL, "(uid=alice)" },
		{ "RFC 4515: parentheses", "(o={user})", AY_DIRECTORY_FILTER,
		  "Parens R Us (for all your parenthetical needs)", NULL,
		  "(o=Parens R Us \\28for all your parenthetical needs\\29)" },
		{ "RFC 4515: asterisk", "(cn=*{user}*)", AY_DIRECTORY_FILTER, "*", NULL,
		  "(cn=*\\2a*)" },
		{ "RFC 4515: backslash", "(filename={user})", AY_DIRECTORY_FILTER, "C:\\MyFile",
		  NULL, "(filename=C:\\5cMyFile)" },
		{ "RFC 4515: octets beyond ASCII", "(sn={user})", AY_DIRECTORY_FILTER,
		  "Lu\xc4\x8di\xc4\x87", NULL, "(sn=Lu\\c4\\8di\\c4\\87)" },
		{ "everybody", "(&(objectClass=person)(uid={user}))", AY_DIRECTORY_FILTER,
		  "*)(uid=*", NULL, "(&(objectClass=person)(uid=\\2a\\29\\28uid=\\2a))" },
		{ "a value that looks like a place", "(uid={user})", AY_DIRECTORY_FILTER, "{dn}",
		  "cn=x", "(uid={dn})" },
		{ "the entry's name in a filter", "(member={dn})", AY_DIRECTORY_FILTER, "u",
		  "cn=A \\(B\\),dc=x", "(member=cn=A \\5c\\28B\\5c\\29,dc=x)" },
		{ "both", "(|(m={dn})(u={user}))", AY_DIRECTORY_FILTER, "u", "cn=x",
		  "(|(m=cn=x)(u=u))" },
		{ "a name in a name", "uid={user},dc=x", AY_DIRECTORY_NAME, "alice", NULL,
		  "uid=alice,dc=x" },
		{ "RFC 4514: a comma and quotes", "CN={user},DC=x", AY_DIRECTORY_NAME,
		  "James \"Jim\" Smith, III", NULL,
		  "CN=James\\20\\22Jim\\22\\20Smith\\2c\\20III,DC=x" },
		{ "another entry", "uid={user},ou=people,dc=x", AY_DIRECTORY_NAME,
		  "admin,dc=x+cn=y", NULL, "uid=admin\\2cdc\\3dx\\2bcn\\3dy,ou=people,dc=x" },
		{ "RFC 4514: sharp at the front", "uid={user}", AY_DIRECTORY_NAME, "#04", NULL,
		  "uid=\\2304" },
		{ "RFC 4514: the others", "uid={user}", AY_DIRECTORY_NAME, "<;>\\", NULL,
		  "uid=\\3c\\3b\\3e\\5c" },
		{ "an unknown place", "(uid={name})", AY_DIRECTORY_FILTER, "u", NULL, NULL },
		{ "no value for it", "(m={dn})", AY_DIRECTORY_FILTER, "u", NULL, NULL },
		{ "an open brace", "(m={", AY_DIRECTORY_FILTER, "u", "d", NULL },
	};
	char out[AY_DIRECTORY_TEXT], big[AY_DIRECTORY_TEXT + 1];
	struct ay_directory_values v = { .user = "u" };

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		v = (struct ay_directory_values){ rows[i].user, rows[i].dn };
		print_message("%s\n", rows[i].what);
		assert_int_equal(
			ay_directory_expand(rows[i].template, rows[i].syntax, &v, "x", out, NULL),
			rows[i].out == NULL ? AY_E_INPUT : AY_OK);
		if (rows[i].out != NULL)
			assert_string_equal(out, rows[i].out);
	}
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(ay_directory_expand(big, AY_DIRECTORY_FILTER, &v, "x", out, NULL),
			 AY_E_LIMIT);
	assert_string_equal(out, "");
	big[AY_DIRECTORY_TEXT - 1] = '\0';
	assert_int_equal(ay_directory_expand(big, AY_DIRECTORY_FILTER, &v, "x", out, NULL), AY_OK);
}

static void test_id_attributes(void **state)
{
	static const char *const good[] = { "entryUUID", "objectGUID", "nsUniqueId", "ipaUniqueID",
					    "1.3.6.1.1.16.4" };
	static const char *const bad[] = { "uid",
					   "UID",
					   "cn",
					   "mail",
					   "sAMAccountName",
					   "dn",
					   "userPrincipalName",
					   "uidNumber",
					   "",
					   "a b",
					   "a=b",
					   "a*" };

	(void)state;
	for (size_t i = 0; i < AY_COUNT(good); i++)
		assert_int_equal(ay_directory_id_check(good[i], NULL), AY_OK);
	for (size_t i = 0; i < AY_COUNT(bad); i++) {
		print_message("%s\n", bad[i]);
		assert_int_equal(ay_directory_id_check(bad[i], NULL), AY_E_INPUT);
	}
}

#define OCTETS(text)                                                                               \
	{                                                                                          \
		(const uint8_t *)(text), sizeof(text) - 1                                          \
	}

static void test_entries(void **state)
{
	static const struct {
		const char *what;
		struct ay_directory_entry in;
		const char *subject, *name; /* subject NULL: refused */
	} rows[] = {
		{ "an entry",
		  { 1, "entryUUID", 1, OCTETS("a569ee2c-7a92-1041-838e-15e9a1c9ef9a"),
		    OCTETS("alice"), OCTETS("Alice") },
		  "entryuuid a569ee2c-7a92-1041-838e-15e9a1c9ef9a",
		  "alice" },
		/* as PowerShell's [guid] shows these octets */
		{ "objectGUID",
		  { 1,
		    "objectGUID",
		    1,
		    OCTETS("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"),
		    { NULL, 0 },
		    { NULL, 0 } },
		  "objectguid 04030201-0605-0807-090a-0b0c0d0e0f10",
		  "" },
		{ "another id of 16 octets",
		  { 1,
		    "GUID",
		    1,
		    OCTETS("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\xff"),
		    { NULL, 0 },
		    { NULL, 0 } },
		  "guid #000102030405060708090a0b0c0d0eff",
		  "" },
		{ "a name that is none here",
		  { 1, "entryUUID", 1, OCTETS("1-2"), OCTETS("al,ice"), { NULL, 0 } },
		  "entryuuid 1-2",
		  "" },
		{ "nobody",
		  { 0, "entryUUID", 0, { NULL, 0 }, { NULL, 0 }, { NULL, 0 } },
		  NULL,
		  "" },
		{ "two of that name",
		  { 2, "entryUUID", 1, OCTETS("1-2"), OCTETS("alice"), { NULL, 0 } },
		  NULL,
		  "" },
		{ "no id", { 1, "entryUUID", 0, { NULL, 0 }, OCTETS("a"), { NULL, 0 } }, NULL, "" },
		{ "an empty id",
		  { 1, "entryUUID", 1, { NULL, 0 }, OCTETS("a"), { NULL, 0 } },
		  NULL,
		  "" },
		{ "two ids", { 1, "x", 2, OCTETS("1-2"), OCTETS("a"), { NULL, 0 } }, NULL, "" },
		{ "an id with a blank, which ends the attribute",
		  { 1, "x", 1, OCTETS("1 2"), OCTETS("a"), { NULL, 0 } },
		  NULL,
		  "" },
		{ "an objectGUID that is none",
		  { 1, "objectGUID", 1, OCTETS("1-2"), OCTETS("a"), { NULL, 0 } },
		  NULL,
		  "" },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		struct ay_directory_person p;

		print_message("%s\n", rows[i].what);
		assert_int_equal(ay_directory_entry_check(&rows[i].in, &p, NULL),
				 rows[i].subject == NULL ? AY_E_DENIED : AY_OK);
		assert_string_equal(p.subject, rows[i].subject == NULL ? "" : rows[i].subject);
		assert_string_equal(p.name, rows[i].name);
	}
}

static void test_display(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = { { "Zo\xc3\xab", "Zo\xc3\xab" },
		     { "Al\xff", "" },
		     { "Al\nice", "" },
		     { "<b>", "<b>" } };

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		struct ay_directory_entry in = { 1,	      "x",
						 1,	      ay_bytes_of("1"),
						 { NULL, 0 }, ay_bytes_of(rows[i].in) };
		struct ay_directory_person p;

		assert_int_equal(ay_directory_entry_check(&in, &p, NULL), AY_OK);
		assert_string_equal(p.display, rows[i].out);
	}
}

static void test_dn_same(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "cn=ops,dc=x", "cn=ops,dc=x", true },
		{ "CN=Ops , DC = X", "cn=ops,dc=x", true },
		{ "cn=a+ou=b,dc=x", "cn=a + ou=b, dc=x", true },
		{ "  cn=ops,dc=x  ", "cn=ops,dc=x", true },
		{ "cn=a b,dc=x", "cn=ab,dc=x", false },
		{ "cn=ops,dc=x", "cn=ops", false },
		{ "cn=ops", "cn=ops,dc=x", false },
		{ "cn=ops\\,dc=x", "cn=ops,dc=x", false },
		{ "cn=ops\\, dc=x", "cn=ops\\,dc=x", false },
		{ "cn=a\\=b", "cn=a\\=B", true },
		{ "cn=a\\", "cn=a\\", true },
		{ "", "", true },
		{ "", "cn=x", false },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		print_message("'%s' '%s'\n", rows[i].a, rows[i].b);
		assert_int_equal(ay_directory_dn_same(rows[i].a, rows[i].b), rows[i].same);
		assert_int_equal(ay_directory_dn_same(rows[i].b, rows[i].a), rows[i].same);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	cmocka_unit_test(test_passwords),
		cmocka_unit_test(test_expand),	cmocka_unit_test(test_id_attributes),
		cmocka_unit_test(test_entries), cmocka_unit_test(test_display),
		cmocka_unit_test(test_dn_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
