/* SPDX-License-Identifier: Apache-2.0 */
/* Networks, and what section [compat] may say. */
#include "io/sys/listeners.h"
#include "support/t.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *text;
	enum ay_rc rc;
} networks[] = {
	{ "10.0.0.0/8", AY_OK },
	{ "0.0.0.0/0", AY_OK },
	{ "192.0.2.7", AY_OK },
	{ "192.0.2.7/32", AY_OK },
	{ "2001:db8::/32", AY_OK },
	{ "::/0", AY_OK },
	{ "::1", AY_OK },
	{ "10.0.0.1/8", AY_E_INPUT },
	{ "2001:db8::1/64", AY_E_INPUT },
	{ "10.0.0.0/33", AY_E_INPUT },
	{ "2001:db8::/129", AY_E_INPUT },
	{ "10.0.0.0/", AY_E_INPUT },
	{ "10.0.0.0/8x", AY_E_INPUT },
	{ "10.0.0.0/ 8", AY_E_INPUT },
	{ "10.0.0.0/-8", AY_E_INPUT },
	{ "10.0.0.0/256", AY_E_INPUT },
	{ "10.0/8", AY_E_INPUT },
	{ "010.0.0.0/8", AY_E_INPUT },
	{ "example.org", AY_E_INPUT },
	{ "", AY_E_INPUT },
	{ "/8", AY_E_INPUT },
};

static void networks_are_read_strictly(void **state)
{
	struct ay_cidr c;
	struct ay_err e;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(networks); i++) {
		print_message("network: %s\n", networks[i].text);
		assert_int_equal(ay_cidr_parse(ay_bytes_of(networks[i].text), &c, &e),
				 networks[i].rc);
	}
}

static const struct {
	const char *network, *peer;
	bool has;
} peers[] = {
	{ "10.0.0.0/8", "10.255.255.255:1", true },
	{ "10.0.0.0/8", "11.0.0.0:1", false },
	{ "10.0.0.0/8", "9.255.255.255:1", false },
	{ "10.64.0.0/10", "10.127.0.1:80", true },
	{ "10.64.0.0/10", "10.128.0.1:80", false },
	{ "0.0.0.0/0", "203.0.113.1:9", true },
	{ "0.0.0.0/0", "[2001:db8::1]:9", false },
	{ "::/0", "203.0.113.1:9", false },
	{ "::/0", "[::ffff:203.0.113.1]:9", false },
	{ "203.0.113.0/24", "[::ffff:203.0.113.1]:9", true },
	{ "203.0.113.1", "203.0.113.1:9", true },
	{ "203.0.113.1", "203.0.113.2:9", false },
	{ "2001:db8::/33", "[2001:db8:7fff::1]:9", true },
	{ "2001:db8::/33", "[2001:db8:8000::1]:9", false },
	{ "2001:db8::1", "[2001:db8::1]:65535", true },
	{ "0.0.0.0/0", "?:0", false },
	{ "0.0.0.0/0", "", false },
	{ "0.0.0.0/0", "10.0.0.1", false },
	{ "0.0.0.0/0", "10.0.0.1.evil:1", false },
};

static void a_peer_is_in_a_network_or_not(void **state)
{
	struct ay_cidr c;
	struct ay_err e;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(peers); i++) {
		print_message("peer: %s in %s\n", peers[i].peer, peers[i].network);
		assert_int_equal(ay_cidr_parse(ay_bytes_of(peers[i].network), &c, &e), AY_OK);
		assert_int_equal(ay_cidr_has_peer(&c, ay_bytes_of(peers[i].peer)), peers[i].has);
	}
}

static const struct {
	const char *name, *text;
	enum ay_rc rc;
} sections[] = {
	{ "nothing", "", AY_OK },
	{ "an address", "oat1_listen = 0.0.0.0:8443\n", AY_OK },
	{ "role and networks", "oat1_from = 10.0.0.0/8, ::1\noat1_role = viewer\n", AY_OK },
	{ "a role for nobody", "oat1_role = viewer\n", AY_E_INPUT },
	{ "networks without a role", "oat2_from = 10.0.0.0/8\n", AY_E_INPUT },
	{ "no network", "secl_from = intranet\nsecl_role = viewer\n", AY_E_INPUT },
	{ "a certificate without key", "mtwilson_cert = /x\n", AY_E_INPUT },
	{ "a key without certificate", "mtwilson_key = /x\n", AY_E_INPUT },
};

static void what_makes_no_sense_is_refused(void **state)
{
	char text[256];
	struct ay_config *c;
	struct ay_err e;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(sections); i++) {
		print_message("section: %s\n", sections[i].name);
		snprintf(text, sizeof(text), "[compat]\n%s", sections[i].text);
		assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAYD, "t", text, &c, &e), AY_OK);
		assert_int_equal(ay_listeners_check(c, &e), sections[i].rc);
		ay_config_free(c);
	}
}

static void who_needs_no_credentials_is_a_warning(void **state)
{
	static const char text[] = "[compat]\noat1_listen = 0.0.0.0:1\noat1_from = 10.0.0.0/8\n"
				   "oat1_role = view\"er\noat2_listen = 0.0.0.0:2\n";
	char key[32], said[AY_LISTENER_WARNING];
	struct ay_listener_set s;
	struct ay_config *c;
	struct ay_err e;

	(void)state;
	assert_int_equal(ay_config_parse(AY_PROGRAM_ASSAYD, "t", text, &c, &e), AY_OK);
	assert_true(ay_listener_warning(c, AY_LISTENER_OAT1, key, said));
	assert_string_equal(key, "oat1_role");
	assert_non_null(strstr(said, "10.0.0.0/8"));
	assert_null(strchr(said, '"')); /* it goes into JSON as it is */
	assert_false(ay_listener_warning(c, AY_LISTENER_OAT2, key, said));
	assert_int_equal(ay_listener_read(c, AY_LISTENER_OAT1, &s, &e), AY_OK);
	assert_true(ay_listener_has(&s, ay_bytes_of("10.9.8.7:6")));
	assert_false(ay_listener_has(&s, ay_bytes_of("11.9.8.7:6")));
	assert_int_equal(ay_listener_read(c, AY_LISTENER_OAT2, &s, &e), AY_OK);
	assert_false(ay_listener_has(&s, ay_bytes_of("10.9.8.7:6")));
	ay_config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(networks_are_read_strictly),
		cmocka_unit_test(a_peer_is_in_a_network_or_not),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(who_needs_no_credentials_is_a_warning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
