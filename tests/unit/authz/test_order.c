/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/authz/order.h"
#include "core/crypto/hash.h"
#include "core/crypto/key.h"

/* docs/protocol/agent-channel.md, Orders: octet by octet. */
#define LABEL "61737361792d6f726465722d31"
#define HOST "000102030405060708090a0b0c0d0e0f"
/* SHA-256 of "abc" [FIPS 180-4, example] */
#define ARGS "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ID "101112131415161718191a1b1c1d1e1f"
#define NONCE "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
#define EXPIRY "00000000000f4240" /* 1,000,000 */
#define TAG_STATEMENT LABEL HOST "01" ARGS ID NONCE EXPIRY "00"
#define ROTATE LABEL HOST "04" ARGS ID NONCE EXPIRY

static struct {
	struct ay_privkey *key;
	uint8_t spki[AY_SPKI_P256], pin[32];
} w;

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(ay_privkey_generate(&w.key, NULL), AY_OK);
	assert_int_equal(ay_privkey_spki(w.key, w.spki, NULL), AY_OK);
	ay_sha256(AY_BYTES(w.spki), w.pin);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ay_privkey_free(w.key);
	return 0;
}

static struct ay_order_want want_of(enum ay_order_verb verb)
{
	static const uint8_t nonce[32] = { 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27,
					   0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f,
					   0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37,
					   0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f };
	struct ay_order_want want = {
		.pin = w.pin, .nonce = nonce, .verb = verb, .now_ms = 999999
	};

	for (uint8_t i = 0; i < 16; i++)
		want.host.b[i] = i;
	return want;
}

/* The code of the refusal; "" if it is obeyed. */
static const char *refusal(const char *statement_hex, const char *args,
			   const struct ay_order_want *want, bool forged)
{
	static struct ay_err e;
	struct ay_bytes statement = t_hex(statement_hex);
	uint8_t sig[64];
	struct ay_order o;

	e = (struct ay_err){ 0 };
	assert_int_equal(ay_privkey_sign(w.key, statement, sig, NULL), AY_OK);
	sig[40] ^= forged;
	if (ay_order_check(statement, AY_BYTES(sig), AY_BYTES(w.spki), ay_bytes_of(args), want, &o,
			   &e) == AY_OK)
		return "";
	assert_int_equal(o.verb, 0);
	return e.code;
}

static void test_octets(void **state)
{
	struct ay_order o = { .verb = AY_ORDER_TAG, .expires_ms = 1000000 }, back;
	struct ay_order_want want = want_of(AY_ORDER_TAG);
	uint8_t out[AY_ORDER_STATEMENT_MAX];
	struct ay_bytes got, expected = t_hex(TAG_STATEMENT);

	(void)state;
	o.host = want.host;
	ay_sha256(ay_bytes_of("abc"), o.args);
	for (uint8_t i = 0; i < 16; i++)
		o.id.b[i] = (uint8_t)(0x10 + i);
	memcpy(o.nonce, want.nonce, 32);
	assert_int_equal(ay_order_write(&o, out, &got, NULL), AY_OK);
	assert_int_equal(got.n, expected.n);
	assert_memory_equal(got.p, expected.p, got.n);
	assert_int_equal(ay_order_parse(got, &back, NULL), AY_OK);
	assert_memory_equal(&back, &o, sizeof(o));
}

static void test_parse_refuses(void **state)
{
	static const char *const bad[] = {
		LABEL HOST "01" ARGS ID NONCE EXPIRY,
		TAG_STATEMENT "00",
		LABEL HOST "00" ARGS ID NONCE EXPIRY "00",
		LABEL HOST "63" ARGS ID NONCE EXPIRY "00",
		"62" HOST "01" ARGS ID NONCE EXPIRY "00",
		ROTATE "01"
		       "00",
		ROTATE "0a"
		       "0161016201630164016501660167016801690170",
	};
	struct ay_order o;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(bad); i++) {
		assert_int_not_equal(ay_order_parse(t_hex(bad[i]), &o, NULL), AY_OK);
		assert_int_equal(o.verb, 0);
	}
}

static void test_obeyed(void **state)
{
	struct ay_order_want tag = want_of(AY_ORDER_TAG),
			     rotate = want_of(AY_ORDER_ROTATE_PASSWORD);

	(void)state;
	assert_string_equal(refusal(TAG_STATEMENT, "abc", &tag, false), "");
	assert_string_equal(refusal(ROTATE "0201610162", "abc", &rotate, false), "");
}

static void test_refused(void **state)
{
	struct ay_order_want want = want_of(AY_ORDER_TAG), other;
	uint8_t pin[32] = { 1 }, nonce[32] = { 2 };

	(void)state;
	other = want;
	other.pin = pin;
	assert_string_equal(refusal(TAG_STATEMENT, "abc", &other, false), "ORDER_KEY");
	assert_string_equal(refusal(TAG_STATEMENT, "abc", &want, true), "ORDER_SIGNATURE");
	other = want;
	other.host.b[0] = 1;
	assert_string_equal(refusal(TAG_STATEMENT, "abc", &other, false), "ORDER_HOST");
	other = want_of(AY_ORDER_SECRET);
	assert_string_equal(refusal(TAG_STATEMENT, "abc", &other, false), "ORDER_VERB");
	other = want;
	other.nonce = nonce;
	assert_string_equal(refusal(TAG_STATEMENT, "abc", &other, false), "ORDER_NONCE");
	assert_string_equal(refusal(TAG_STATEMENT, "abd", &want, false), "ORDER_ARGS");
	other = want;
	other.now_ms = 1000000;
	assert_string_equal(refusal(TAG_STATEMENT, "abc", &other, false), "ORDER_EXPIRED");
}

/* Two people, and they are two. */
static void test_approvers(void **state)
{
	struct ay_order_want want = want_of(AY_ORDER_ROTATE_PASSWORD);
	struct ay_order o = { .verb = AY_ORDER_REMEDIATE, .expires_ms = AY_ORDER_LIFE_MS };
	struct ay_err e;

	(void)state;
	assert_string_equal(refusal(ROTATE "010161", "abc", &want, false), "ORDER_APPROVERS");
	assert_string_equal(refusal(ROTATE "0201610161", "abc", &want, false), "ORDER_APPROVERS");
	o.n_approvers = 1;
	o.approver[0] = ay_bytes_of("ann");
	o.approver[1] = ay_bytes_of("bob");
	assert_int_equal(ay_order_may_be_given(&o, 0, &e), AY_E_DENIED);
	assert_string_equal(e.code, "ORDER_APPROVERS");
	o.n_approvers = 2;
	assert_int_equal(ay_order_may_be_given(&o, 0, &e), AY_OK);
	assert_int_equal(ay_order_may_be_given(&o, -1, &e), AY_E_DENIED);
	assert_string_equal(e.code, "ORDER_EXPIRED");
	o.verb = (enum ay_order_verb)99;
	assert_int_equal(ay_order_may_be_given(&o, 0, &e), AY_E_DENIED);
}

static void test_names(void **state)
{
	enum ay_order_verb v;

	(void)state;
	assert_true(ay_order_verb_of(ay_bytes_of("take-ownership"), &v));
	assert_int_equal(v, AY_ORDER_TAKE_OWNERSHIP);
	assert_false(ay_order_verb_of(ay_bytes_of("take"), &v));
	assert_int_equal(v, 0);
	assert_string_equal(ay_order_name(AY_ORDER_SECRET), "secret");
	assert_null(ay_order_name((enum ay_order_verb)0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_octets),	  cmocka_unit_test(test_parse_refuses),
		cmocka_unit_test(test_obeyed),	  cmocka_unit_test(test_refused),
		cmocka_unit_test(test_approvers), cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
