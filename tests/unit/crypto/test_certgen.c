/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and CRLs we issue, as OpenSSL reads and verifies them. */
#include "support/simtpm.h"
#include "support/t.h"

#include "core/crypto/aikcert.h"
#include "core/crypto/certgen.h"
#include "core/crypto/privkey.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>

static struct t_ca root;

static int set_up(void **state)
{
	(void)state;
	t_ca_make(&root, &(struct t_ca_spec){ .name = "Root", .path_len = 1 });
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	t_ca_fini(&root);
	return 0;
}

static X509 *read_cert(struct ay_bytes der)
{
	const uint8_t *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);

	assert_non_null(x);
	assert_ptr_equal(p, der.p + der.n);
	return x;
}

static void openssl_verifies_certificates(void **state)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *ca = read_cert(t_ca_cert(&root)), *x;
	uint8_t der[2048];
	struct ay_cert_spec spec = { .issuer_cert = t_ca_cert(&root),
				     .common_name = "leaf",
				     .key = key,
				     .serial = { 0xff, 1 },
				     .path_len = -1,
				     .not_before_ms = 1767225600000, /* 2026-01-01 */
				     .not_after_ms =
					     2524608000000, /* 2050-01-01: GeneralizedTime */
				     .key_usage = AY_KU_DIGITAL_SIGNATURE };
	size_t n;

	(void)state;
	assert_int_equal(ay_certgen(&spec, root.key, der, sizeof(der), &n, NULL), AY_OK);
	x = read_cert((struct ay_bytes){ der, n });
	assert_int_equal(X509_verify(x, X509_get0_pubkey(ca)), 1);
	assert_int_equal(X509_check_issued(ca, x), X509_V_OK);
	assert_int_equal(X509_get_version(x), 2);
	assert_int_equal(X509_get_key_usage(x), KU_DIGITAL_SIGNATURE);
	assert_int_equal(X509_check_ca(x), 0);
	assert_int_equal(X509_check_ca(ca), 1);
	assert_int_equal(X509_get_pathlen(ca), 1);
	assert_int_equal(ASN1_STRING_type(X509_get0_notBefore(x)), V_ASN1_UTCTIME);
	assert_int_equal(ASN1_STRING_type(X509_get0_notAfter(x)), V_ASN1_GENERALIZEDTIME);
	assert_string_equal((const char *)ASN1_STRING_get0_data(X509_get0_notBefore(x)),
			    "260101000000Z");
	assert_string_equal((const char *)ASN1_STRING_get0_data(X509_get0_notAfter(x)),
			    "20500101000000Z");
	assert_int_equal(ASN1_STRING_type(X509_get0_serialNumber(x)),
			 V_ASN1_INTEGER); /* not negative */
	X509_free(x);
	/* the next signature may be a few octets shorter */
	assert_int_not_equal(ay_certgen(&spec, root.key, der, n - 8, &n, NULL), AY_OK);
	X509_free(ca);
	EVP_PKEY_free(key);
}

static void openssl_verifies_crls(void **state)
{
	const struct ay_revoked list[] = { { t_hex("01"), 1767225600000 },
					   { t_hex("4fff"), 1767225600000 } };
	X509 *ca = read_cert(t_ca_cert(&root));
	struct ay_bytes der;
	X509_REVOKED *row;
	ASN1_INTEGER *serial = ASN1_INTEGER_new();
	const uint8_t *p;
	X509_CRL *crl;

	(void)state;
	assert_int_equal(ay_crlgen(t_ca_cert(&root), root.key, list, 2, 7, 1767225600000,
				   1767312000000, &der, NULL),
			 AY_OK);
	p = der.p;
	crl = d2i_X509_CRL(NULL, &p, (long)der.n);
	assert_non_null(crl);
	assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(ca)), 1);
	assert_int_equal(X509_CRL_get_version(crl), 1);
	assert_int_equal(X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(ca)), 0);
	ASN1_INTEGER_set(serial, 0x4fff);
	assert_int_equal(X509_CRL_get0_by_serial(crl, &row, serial), 1);
	ASN1_INTEGER_set(serial, 2);
	assert_int_equal(X509_CRL_get0_by_serial(crl, &row, serial), 0);
	ASN1_INTEGER_free(serial);
	X509_CRL_free(crl);
	ay_certgen_free(&der);
	X509_free(ca);
}

static void grades_of_eks(void **state)
{
	(void)state;
	for (unsigned g = AY_GRADE_EK_TOFU; g <= AY_GRADE_EK_CERTIFIED; g++)
		assert_int_equal(
			ay_ek_grade_from_name(ay_bytes_of(ay_ek_grade_name((enum ay_ek_grade)g))),
			g);
	assert_int_equal(ay_ek_grade_from_name(ay_bytes_of("")), AY_EK_GRADE_NONE);
	assert_int_equal(ay_ek_grade_from_name(ay_bytes_of("certifie")), AY_EK_GRADE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_verifies_certificates),
		cmocka_unit_test(openssl_verifies_crls),
		cmocka_unit_test(grades_of_eks),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
