/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/connstr.h"
#include "support/t.h"

#include <string.h>

static const struct {
	const char *text, *safe; /* safe NULL: refused */
	bool has_secret;
} rows[] = {
	{ "intel:https://10.1.2.3:1443/;admin;s3cret", "intel:https://10.1.2.3:1443/;u=admin",
	  true },
	{ "intel:https://ta:1443", "intel:https://ta:1443", false },
	{ "intel:nats://0194f0c2-7a3e-7d2a-9b1c-8d0e5f6a7b8c",
	  "intel:nats://0194f0c2-7a3e-7d2a-9b1c-8d0e5f6a7b8c", false },
	{ "vmware:https://vc:443/sdk;root;s3cret;h=esx1", "vmware:https://vc:443/sdk;h=esx1;u=root",
	  true },
	{ "vmware:https://vc:443/sdk;h=esx1;u=root;p=s3cret",
	  "vmware:https://vc:443/sdk;h=esx1;u=root", true },
	{ "citrix:https://xen:443/;root;s3cret", "citrix:https://xen:443/;u=root", true },
	{ "microsoft:https://w:1443/;a;s3cret", "microsoft:https://w:1443/;u=a", true },
	{ "vmware:https://vc/sdk;c=pool a;u=root;p=s3cret", NULL, false },
	{ "vmware:https://vc/sdk;c=pool-a;u=root;p=s3cret", "vmware:https://vc/sdk;c=pool-a;u=root",
	  true },
	{ "node1:1443", "https://node1:1443", false },
	{ "https://node1:9999", "https://node1:9999", false },
	{ "[2001:db8::1]:1443", "https://[2001:db8::1]:1443", false },
	{ "node1", "https://node1", false },
	{ "", NULL, false },
	{ "intel:", NULL, false },
	{ "intel:node1:1443", NULL, false },
	{ "intel:http://node1:1443", NULL, false },
	{ "intel:https://:1443", NULL, false },
	{ "intel:https://node1:0", NULL, false },
	{ "intel:https://node1:65536", NULL, false },
	{ "intel:https://node1:", NULL, false },
	{ "intel:https://no de:1", NULL, false },
	{ "intel:https://2001:db8::1:1443", NULL, false },
	{ "intel:https://u:s3cret@node1:1443", NULL, false },
	{ "intel:nats://uuid:4222", NULL, false },
	{ "https://node1;a;b;c", NULL, false },
	{ "https://node1;h=a b", NULL, false },
	{ "https://node1;h=a;u=b;p=c;h=d;u=e;p=f;h=g", NULL, false },
};

static void passwords_are_read_over(void **state)
{
	char text[AY_CONNSTR_TEXT];
	struct ay_connstr c;
	struct ay_err e = { 0 };

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		enum ay_rc rc = ay_connstr_parse(ay_bytes_of(rows[i].text), &c, &e);

		print_message("connection: %s\n", rows[i].text);
		assert_int_equal(rc, rows[i].safe == NULL ? AY_E_INPUT : AY_OK);
		assert_int_equal(c.has_secret, rows[i].has_secret);
		assert_null(strstr(e.text, "s3cret"));
		if (rc != AY_OK)
			continue;
		ay_connstr_format(&c, text);
		assert_string_equal(text, rows[i].safe);
		assert_null(strstr(text, "s3cret"));
		assert_true(ay_bytes_eq(ay_connstr_secret(ay_bytes_of(rows[i].text)),
					ay_bytes_of(rows[i].has_secret ? "s3cret" : "")));
		assert_int_equal(ay_connstr_is_managed(&c),
				 strncmp(text, "vmware", 6) == 0 ||
					 strncmp(text, "citrix", 6) == 0);
	}
	assert_int_equal(ay_connstr_secret(ay_bytes_of("vmware:https://vc;h=a b;p=s3cret")).n, 0);
}

static void a_long_one_is_refused(void **state)
{
	char text[1100];
	struct ay_connstr c;
	struct ay_err e;

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(ay_connstr_parse(ay_bytes_of(text), &c, &e), AY_E_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passwords_are_read_over),
		cmocka_unit_test(a_long_one_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
