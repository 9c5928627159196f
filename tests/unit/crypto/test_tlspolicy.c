/* SPDX-License-Identifier: Apache-2.0 */
/* TLS policies to hosts: what is taken, whom each lets in. Digests by OpenSSL. */
#include "support/t.h"

#include "core/crypto/tlspolicy.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

static char cert_pem[4096], key_pem[1024], both_pem[8192];
static uint8_t cert_digest[32], key_digest[32];
static char cert_hex[65], key_hex[65], key_colons[96 + 8];

static void read_bio(BIO *b, char *out, size_t room)
{
	int n = BIO_read(b, out, (int)room - 1);

	assert_true(n > 0);
	out[n] = 0;
	BIO_free(b);
}

static void print_hex(const uint8_t d[32], char out[65])
{
	for (size_t i = 0; i < 32; i++)
		snprintf(out + 2 * i, 3, "%02x", d[i]);
}

static int make(void **state)
{
	EVP_PKEY *k = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	BIO *b = BIO_new(BIO_s_mem());
	unsigned char *spki = NULL;
	int n = i2d_PUBKEY(k, &spki);

	(void)state;
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
				   (const unsigned char *)"agent", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, k);
	assert_true(X509_sign(x, k, EVP_sha256()) > 0);
	assert_int_equal(X509_digest(x, EVP_sha256(), cert_digest, NULL), 1);
	assert_int_equal(EVP_Digest(spki, (size_t)n, key_digest, NULL, EVP_sha256(), NULL), 1);
	PEM_write_bio_X509(b, x);
	read_bio(b, cert_pem, sizeof(cert_pem));
	b = BIO_new(BIO_s_mem());
	PEM_write_bio_PUBKEY(b, k);
	read_bio(b, key_pem, sizeof(key_pem));
	snprintf(both_pem, sizeof(both_pem), "%s%s", cert_pem, cert_pem);
	print_hex(cert_digest, cert_hex);
	print_hex(key_digest, key_hex);
	memcpy(key_colons, "sha256:", 8);
	for (size_t i = 0; i < 32; i++)
		snprintf(key_colons + 7 + 3 * i, 4, "%.2s%s", key_hex + 2 * i, i < 31 ? ":" : "");
	OPENSSL_free(spki);
	X509_free(x);
	EVP_PKEY_free(k);
	return 0;
}

static void what_is_taken(void **state)
{
	const struct {
		const char *kind, *value, *where; /* where: NULL, it is taken */
		bool key, cert;
	} rows[] = {
		{ "certificate", cert_pem, NULL, true, true },
		{ "certificate_digest", cert_hex, NULL, false, true },
		{ "public_key", key_pem, NULL, true, false },
		{ "public_key_digest", key_hex, NULL, true, false },
		{ "public_key_digest", key_colons, NULL, true, false },
		{ "trust_first_use", "", NULL, false, false },
		{ "trust_first_use", key_hex, "tls_policy.value", false, false },
		{ "certificate", key_pem, "tls_policy.value", false, false },
		{ "certificate", both_pem, "tls_policy.value", false, false },
		{ "certificate", "", "tls_policy.value", false, false },
		{ "public_key", cert_pem, "tls_policy.value", false, false },
		{ "public_key_digest", "", "tls_policy.value", false, false },
		{ "public_key_digest", "00", "tls_policy.value", false, false },
		{ "public_key_digest", key_pem, "tls_policy.value", false, false },
		{ "insecure", "", "tls_policy.kind", false, false },
		{ "", "", "tls_policy.kind", false, false },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		struct ay_tls_policy p;
		struct ay_err e = { 0 };
		enum ay_rc rc = ay_tls_policy_parse(ay_bytes_of(rows[i].kind),
						    ay_bytes_of(rows[i].value), &p, &e);

		print_message("%s %.20s\n", rows[i].kind, rows[i].value);
		assert_int_equal(rc == AY_OK, rows[i].where == NULL);
		assert_int_equal(p.has_key, rows[i].key);
		assert_int_equal(p.has_cert, rows[i].cert);
		if (rows[i].where != NULL) {
			assert_string_equal(e.where, rows[i].where);
			continue;
		}
		assert_string_equal(ay_tls_policy_name(p.kind), rows[i].kind);
		if (p.has_key)
			assert_memory_equal(p.key, key_digest, 32);
		if (p.has_cert)
			assert_memory_equal(p.cert, cert_digest, 32);
	}
}

static bool lets_in(const char *kind, const char *value, bool right_key, bool right_cert)
{
	static const uint8_t other[32] = { 1 };
	struct ay_tls_policy p;
	struct ay_err e = { 0 };
	enum ay_rc rc;

	assert_int_equal(ay_tls_policy_parse(ay_bytes_of(kind), ay_bytes_of(value), &p, &e), AY_OK);
	rc = ay_tls_policy_check(&p, right_key ? key_digest : other,
				 right_cert ? cert_digest : other, &e);
	if (rc != AY_OK)
		assert_string_equal(e.code, "TLS_POLICY");
	return rc == AY_OK;
}

static void whom_it_lets_in(void **state)
{
	static const struct ay_tls_policy none;
	struct ay_err e;

	(void)state;
	assert_true(lets_in("certificate", cert_pem, true, true));
	assert_false(lets_in("certificate", cert_pem, true, false)); /* renewed */
	assert_false(lets_in("certificate", cert_pem, false, true));
	assert_true(lets_in("certificate_digest", cert_hex, true, true));
	assert_false(lets_in("certificate_digest", cert_hex, true, false));
	assert_true(lets_in("public_key", key_pem, true, false)); /* in another certificate */
	assert_false(lets_in("public_key", key_pem, false, true));
	assert_true(lets_in("public_key_digest", key_hex, true, false));
	assert_false(lets_in("public_key_digest", key_hex, false, false));
	assert_true(lets_in("trust_first_use", "", false, false));
	assert_int_equal(ay_tls_policy_check(&none, key_digest, cert_digest, &e), AY_E_DENIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_taken),
		cmocka_unit_test(whom_it_lets_in),
	};

	return cmocka_run_group_tests(tests, make, NULL);
}
