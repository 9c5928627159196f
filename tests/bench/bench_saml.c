/* SPDX-License-Identifier: Apache-2.0 */
/* Assertions made and signed, claims as the server has them. */
#include "bench/bench.h"

#include "core/assertion/saml.h"
#include "core/assertion/xml_init.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static struct ay_saml_key *make_key(EVP_PKEY *key)
{
	struct ay_saml_key *out;
	struct ay_bytes der;
	X509 *x = X509_new();
	uint8_t *p = NULL;
	int n;

	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
				   (const uint8_t *)"bench", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, key);
	if (X509_sign(x, key, EVP_sha256()) <= 0 || (n = i2d_X509(x, &p)) <= 0)
		bench_die("certificate");
	der = (struct ay_bytes){ p, (size_t)n };
	if (ay_saml_key_new(key, &der, 1, &out, NULL) != AY_OK)
		bench_die("signing key");
	OPENSSL_free(p);
	X509_free(x);
	return out;
}

static void run(const char *label, EVP_PKEY *key, double seconds)
{
	struct ay_saml_key *signer = make_key(key);
	struct ay_saml_claims c = { .quote_ms = 1700000000000,
				    .lease_ms = 1700000600000,
				    .verdict = AY_TRUSTED,
				    .has_evidence = true,
				    .has_policy = true,
				    .policy_version = 1,
				    .issuer = "assay",
				    .host_id = "68ce399e-0ad1-4b19-8a73-7342e34d7c40",
				    .host_name = "host",
				    .identity_grade = "ek_certified",
				    .policy_name = "default",
				    .engine = "bench" };
	uint8_t random[16] = { 0 };
	char id[AY_SAML_ID_TEXT];
	struct ay_arena arena;
	struct ay_bytes out;
	uint64_t n = 0;
	double began;

	for (unsigned i = 0; i < AY_COMPONENTS; i++)
		c.component[i] = i <= AY_COMP_OS ? AY_TRUSTED : AY_UNKNOWN;
	ay_arena_init(&arena, 1 << 20);
	for (began = bench_cpu(); bench_cpu() - began < seconds; n++) {
		ay_arena_reset(&arena);
		random[n % 16]++;
		ay_saml_id(random, id);
		if (ay_saml_issue(&c, 1, signer, id, 1700000000001, &arena, &out, NULL) != AY_OK)
			bench_die("no assertion");
	}
	bench_print(label, (double)n / (bench_cpu() - began), "1/s/core");
	ay_arena_fini(&arena);
	ay_saml_key_free(signer);
	EVP_PKEY_free(key);
}

void bench_saml(double seconds)
{
	if (ay_xml_init(NULL) != AY_OK)
		bench_die("libxml2");
	run("saml_p256", EVP_EC_gen("P-256"), seconds);
	run("saml_rsa2048", EVP_RSA_gen(2048), seconds);
	ay_xml_fini();
}
