/* SPDX-License-Identifier: Apache-2.0 */
/* What may be said of a manager of hosts, new or known. */
#include "support/t.h"

#include "prog/assayd/connector.h"
#include "prog/assayd/managers.h"

static const char vcenter[] = "vmware:https://vc.example:443/sdk;u=assay";

/* The refusal's code; "" if it may be. */
static const char *refusal(const struct ay_manager *known, const char *connect,
			   enum ay_tls_policy_kind tls, const char *secret)
{
	static struct ay_err e;
	struct ay_manager_spec s = { .tls = { .kind = tls } };
	struct ay_connstr c;

	e = (struct ay_err){ 0 };
	assert_int_equal(ay_connstr_parse(ay_bytes_of(connect), &c, NULL), AY_OK);
	return ay_manager_put_check(known, &s, &c, ay_bytes_of(secret), &e) == AY_OK ? "" : e.code;
}

static void a_new_one(void **state)
{
	(void)state;
	assert_string_equal(refusal(NULL, vcenter, AY_TLS_CERTIFICATE_DIGEST, "s3cret"), "");
	assert_string_equal(refusal(NULL, vcenter, AY_TLS_NONE, "s3cret"), "MANAGER_TLS");
	assert_string_equal(refusal(NULL, vcenter, AY_TLS_CERTIFICATE_DIGEST, ""),
			    "MANAGER_SECRET");
	assert_string_equal(
		refusal(NULL, "vmware:https://vc.example/sdk", AY_TLS_TRUST_FIRST_USE, "s3cret"),
		"MANAGER_SECRET");
}

static void a_known_one(void **state)
{
	uint8_t wrapped[] = { 1 };
	const struct ay_manager known = { .tls = { .kind = AY_TLS_CERTIFICATE_DIGEST },
					  .wrapped = wrapped,
					  .wrapped_n = 1 };

	(void)state;
	assert_string_equal(refusal(&known, vcenter, AY_TLS_NONE, ""), "");
	assert_string_equal(refusal(&known, vcenter, AY_TLS_NONE, "another"), "");
	assert_string_equal(refusal(&known, vcenter, AY_TLS_PUBLIC_KEY_DIGEST, "again"), "");
	assert_string_equal(refusal(&known, vcenter, AY_TLS_PUBLIC_KEY_DIGEST, ""),
			    "MANAGER_SECRET");
	assert_string_equal(refusal(&known, vcenter, AY_TLS_TRUST_FIRST_USE, ""), "MANAGER_SECRET");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_new_one),
					    cmocka_unit_test(a_known_one) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
