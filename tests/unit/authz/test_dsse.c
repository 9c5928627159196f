/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/authz/dsse.h"
#include "core/base/base64.h"
#include "core/base/hex.h"
#include "core/crypto/pem.h"

/*
 * tests/vectors/dsse: spec.json is the example of the DSSE protocol document,
 * the others were made with Python's cryptography by that document. Their
 * private keys were thrown away.
 */
static struct ay_arena arena;

static int set_up(void **state)
{
	(void)state;
	ay_arena_init(&arena, 1 << 22);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ay_arena_fini(&arena);
	return 0;
}

static struct ay_bytes vector(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "dsse/%s", name);
	return t_vector(path);
}

static struct ay_sigkey *key_of(const char *name)
{
	struct ay_bytes pem = vector(name), der;
	struct ay_sigkey *k = NULL;
	struct ay_err e;

	assert_int_equal(ay_pem_next(&pem, "PUBLIC KEY", &arena, &der, &e), AY_OK);
	assert_int_equal(ay_sigkey_new_spki(der, &k, &e), AY_OK);
	return k;
}

static void envelopes(void **state)
{
	static const struct {
		const char *file;
		const char *trusted[3];
		const char *code; /* NULL: signed */
		size_t which;
	} rows[] = {
		{ "es256-der.json", { "p256.pem" }, NULL, 0 },
		{ "es256-raw.json", { "p256.pem" }, NULL, 0 },
		{ "ed25519.json", { "ed25519.pem" }, NULL, 0 },
		{ "ed25519.json", { "p256.pem", "ed25519.pem" }, NULL, 1 },
		{ "url.json", { "ed25519.pem" }, NULL, 0 },
		{ "url-unpadded.json", { "ed25519.pem" }, NULL, 0 },
		{ "several.json", { "ed25519.pem" }, NULL, 0 },
		/* keyid is a hint: the trusted key's signature counts under any name */
		{ "lying-keyid.json", { "ed25519.pem" }, NULL, 0 },
		{ "es256-der.json", { NULL }, "DSSE_SIGNER", 0 },
		{ "es256-der.json", { "ed25519.pem" }, "DSSE_SIGNER", 0 },
		{ "other-signer.json", { "p256.pem", "ed25519.pem" }, "DSSE_SIGNER", 0 },
		{ "other-signer-lies.json", { "p256.pem" }, "DSSE_SIGNATURE", 0 },
		{ "changed.json", { "ed25519.pem" }, "DSSE_SIGNATURE", 0 },
		{ "relabelled.json", { "ed25519.pem" }, "DSSE_SIGNATURE", 0 },
		{ "unframed.json", { "ed25519.pem" }, "DSSE_SIGNATURE", 0 },
		{ "other-type.json", { "ed25519.pem" }, "DSSE_TYPE", 0 },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		struct ay_sigkey *keys[3];
		struct ay_dsse d;
		struct ay_err e = { 0 };
		size_t n = 0, which;
		enum ay_rc rc;

		print_message("envelope: %s\n", rows[i].file);
		for (; n < 3 && rows[i].trusted[n] != NULL; n++)
			keys[n] = key_of(rows[i].trusted[n]);
		assert_int_equal(ay_dsse_parse(vector(rows[i].file), &arena, &d, &e), AY_OK);
		rc = ay_dsse_verify(&d, AY_DSSE_REFERENCE_SET, (const struct ay_sigkey *const *)keys, n,
				    &arena, &which, &e);
		if (rows[i].code == NULL) {
			assert_int_equal(rc, AY_OK);
			assert_int_equal(which, rows[i].which);
			assert_true(
				ay_bytes_eq(d.payload, ay_bytes_of("{\"a\":\"\xc3\xbf>>??~\"}")));
		} else {
			assert_int_not_equal(rc, AY_OK);
			assert_string_equal(e.code, rows[i].code);
		}
		while (n > 0)
			ay_sigkey_free(keys[--n]);
	}
}

/* [DSSE protocol, Test Vectors] */
static void example_of_the_specification(void **state)
{
	static const char pae[] = "DSSEv1 29 http://example.com/HelloWorld 11 hello world";
	struct ay_sigkey *k = key_of("spec.pem");
	const struct ay_sigkey *keys[] = { k };
	struct ay_dsse d;
	struct ay_err e;
	size_t which;

	(void)state;
	assert_int_equal(ay_dsse_parse(vector("spec.json"), &arena, &d, &e), AY_OK);
	assert_string_equal(d.type, "http://example.com/HelloWorld");
	assert_true(ay_bytes_eq(ay_dsse_pae(d.type, d.payload, &arena), ay_bytes_of(pae)));
	assert_int_equal(ay_dsse_verify(&d, d.type, keys, 1, &arena, &which, &e), AY_OK);
	/* every bit of payload and signature counts */
	for (size_t i = 0; i < d.payload.n * 8; i++) {
		((uint8_t *)(uintptr_t)d.payload.p)[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(ay_dsse_verify(&d, d.type, keys, 1, &arena, &which, &e),
				 AY_E_CRYPTO);
		((uint8_t *)(uintptr_t)d.payload.p)[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t i = 0; i < d.signature[0].sig.n * 8; i++) {
		((uint8_t *)(uintptr_t)d.signature[0].sig.p)[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(ay_dsse_verify(&d, d.type, keys, 1, &arena, &which, &e),
				 AY_E_CRYPTO);
		((uint8_t *)(uintptr_t)d.signature[0].sig.p)[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	ay_sigkey_free(k);
}

#define SIGS "\"signatures\":[{\"sig\":\"AAAA\"}]}"

static void broken_envelopes(void **state)
{
	static const struct {
		const char *text;
		enum ay_rc rc;
		const char *where;
		size_t offset;
	} rows[] = {
		{ "{\"payload\":\"\",\"payloadType\":\"t\"," SIGS, AY_OK, NULL, 0 },
		{ "{\"payload\":\"YQ==\",\"payloadType\":\"t\",\"more\":1," SIGS, AY_OK, NULL, 0 },
		{ "{\"payload\":\"-_8=\",\"payloadType\":\"t\"," SIGS, AY_OK, NULL, 0 },
		{ "", AY_E_INPUT, "dsse", 0 },
		{ "[]", AY_E_INPUT, "dsse", 0 },
		{ "{\"payload\":\"YQ==\",\"payload\":\"YQ==\",\"payloadType\":\"t\"," SIGS,
		  AY_E_INPUT, "dsse", 27 },
		{ "{\"payload\":\"YQ==\"," SIGS, AY_E_INPUT, "dsse", 0 },
		{ "{\"payload\":1,\"payloadType\":\"t\"," SIGS, AY_E_INPUT, "dsse.payload", 0 },
		{ "{\"payloadType\":\"t\"," SIGS, AY_E_INPUT, "dsse.payload", 0 },
		{ "{\"payload\":\"YWJj!WJj\",\"payloadType\":\"t\"," SIGS, AY_E_INPUT,
		  "dsse.payload", 4 },
		{ "{\"payload\":\"ab+-\",\"payloadType\":\"t\"," SIGS, AY_E_INPUT, "dsse.payload",
		  3 },
		{ "{\"payload\":\"YQ=a\",\"payloadType\":\"t\"," SIGS, AY_E_INPUT, "dsse.payload",
		  2 },
		{ "{\"payload\":\"YQ==\",\"payloadType\":\"t\",\"signatures\":[]}", AY_E_INPUT,
		  "dsse.signatures", 0 },
		{ "{\"payload\":\"YQ==\",\"payloadType\":\"t\",\"signatures\":[1]}", AY_E_INPUT,
		  "dsse.signatures", 0 },
		{ "{\"payload\":\"YQ==\",\"payloadType\":\"t\",\"signatures\":{}}", AY_E_INPUT,
		  "dsse", 0 },
		{ "{\"payload\":\"YQ==\",\"payloadType\":\"t\",\"signatures\":[{}]}", AY_E_INPUT,
		  "dsse.signatures.sig", 0 },
		{ "{\"payload\":\"YQ==\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"\"}]}",
		  AY_E_INPUT, "dsse.signatures.sig", 0 },
		{ "{\"payload\":\"YQ==\",\"payloadType\":\"t\",\"signatures\":[{\"sig\":\"AAAA\","
		  "\"keyid\":7}]}",
		  AY_E_INPUT, "dsse.signatures", 0 },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		struct ay_err e = { 0 };
		struct ay_dsse d;

		print_message("broken: %s\n", rows[i].text);
		assert_int_equal(ay_dsse_parse(ay_bytes_of(rows[i].text), &arena, &d, &e),
				 rows[i].rc);
		if (rows[i].rc == AY_OK)
			continue;
		assert_string_equal(e.where, rows[i].where);
		assert_int_equal(e.offset, rows[i].offset);
		assert_null(d.type);
	}
}

static void too_many_signatures(void **state)
{
	json_t *j = json_pack("{ss ss s[]}", "payload", "YQ==", "payloadType", "t", "signatures");
	struct ay_err e;
	struct ay_dsse d;

	(void)state;
	for (int i = 0; i < AY_MAX_DSSE_SIGNATURES; i++)
		json_array_append_new(json_object_get(j, "signatures"),
				      json_pack("{ss}", "sig", "AAAA"));
	assert_int_equal(ay_dsse_from_json(j, &arena, &d, &e), AY_OK);
	json_array_append_new(json_object_get(j, "signatures"), json_pack("{ss}", "sig", "AAAA"));
	assert_int_equal(ay_dsse_from_json(j, &arena, &d, &e), AY_E_LIMIT);
	json_decref(j);
}

static void other_kinds_of_key(void **state)
{
	struct ay_bytes pem = vector("p384.pem"), der;
	struct ay_sigkey *k;
	struct ay_err e;

	(void)state;
	assert_int_equal(ay_pem_next(&pem, "PUBLIC KEY", &arena, &der, &e), AY_OK);
	assert_int_equal(ay_sigkey_new_spki(der, &k, &e), AY_E_INPUT);
	assert_null(k);
	assert_int_equal(ay_sigkey_new_spki(ay_bytes_of("x"), &k, &e), AY_E_INPUT);
	assert_int_equal(ay_sigkey_new_private_pem(vector("p256.pem"), &k, &e), AY_E_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(envelopes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(example_of_the_specification, set_up, tear_down),
		cmocka_unit_test_setup_teardown(broken_envelopes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(too_many_signatures, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_kinds_of_key, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
