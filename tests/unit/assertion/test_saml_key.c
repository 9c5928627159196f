/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/assertion/saml_key.h"
#include "core/assertion/xml_init.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

/* Keys too weak to sign with are no keys of ours, whoever holds them. */
static void strong_keys(void **state)
{
	const struct {
		EVP_PKEY *key;
		bool strong;
	} rows[] = {
		{ EVP_EC_gen("P-256"), true },	{ EVP_EC_gen("P-384"), true },
		{ EVP_RSA_gen(2048), true },	{ EVP_EC_gen("P-224"), false },
		{ EVP_EC_gen("P-521"), false }, { EVP_EC_gen("secp256k1"), false },
		{ EVP_RSA_gen(1024), false },	{ EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), false },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		xmlSecKeyPtr k;

		assert_non_null(rows[i].key);
		assert_int_equal(ay_saml_key_is_strong(rows[i].key), rows[i].strong);
		k = ay_saml_xmlsec_key(rows[i].key);
		assert_int_equal(k != NULL, rows[i].strong);
		if (k != NULL)
			xmlSecKeyDestroy(k);
		EVP_PKEY_free(rows[i].key);
	}
}

static int set_up(void **state)
{
	(void)state;
	return ay_xml_init(NULL) == AY_OK ? 0 : 1;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(strong_keys) };

	return cmocka_run_group_tests(tests, set_up, NULL);
}
