/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who gets an AIK certificate for a TPM 1.2, and who does not
 * (facts/mtwilson.md 4.3: keys of others, keys of software, requests of before).
 */
#include "support/t.h"

#include "core/authz/caflow12.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>

#define JTI "00112233445566778899aabbccddeeff"
#define OTHER_JTI "ffeeddccbbaa99887766554433221100"

static struct {
	struct ay_rsakey *ca, *ak, *other;
	struct ay_ca_keys keys;
} w;

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(ay_rsakey_generate(&w.ca, NULL), AY_OK);
	assert_int_equal(ay_rsakey_generate(&w.ak, NULL), AY_OK);
	assert_int_equal(ay_rsakey_generate(&w.other, NULL), AY_OK);
	w.keys.identity = w.ca;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ay_rsakey_free(w.ca);
	ay_rsakey_free(w.ak);
	ay_rsakey_free(w.other);
	return 0;
}

/* TPM_PUBKEY with this head before the modulus. */
static struct ay_bytes pubkey(const char *head, const struct ay_rsakey *k)
{
	static uint8_t buf[4][512];
	static unsigned at;
	struct ay_bytes h = t_hex(head), n = ay_pubkey_numbers(ay_rsakey_public(k));
	uint8_t *p = buf[at++ % 4];

	memcpy(p, h.p, h.n);
	memcpy(p + h.n, n.p, n.n);
	return (struct ay_bytes){ p, h.n + n.n };
}
#define AIK "00000001 0001 0002 0000000c 00000800 00000002 00000000 00000100"
#define EK "00000001 0003 0001 0000000c 00000800 00000002 00000000 00000100"

/* What TPM_MakeIdentity would sign, by a key of software. */
static struct ay_bytes sign(const struct ay_rsakey *k, const char *label, struct ay_bytes ak)
{
	static uint8_t out[256];
	uint8_t chosen[20], contents[1024];
	char pem[2048];
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	size_t n = sizeof(out);
	struct ay_writer wr;
	struct ay_bytes b;
	EVP_PKEY *p;
	BIO *bio;

	assert_true(ay_chosen12(ay_bytes_of(label), ay_rsakey_public(w.ca), AY_ES12_RSAES_OAEP,
				chosen));
	ay_wr_init(&wr, contents, sizeof(contents));
	ay_contents12_write(&wr, chosen, ak);
	assert_int_equal(ay_wr_end(&wr, "contents", &b, NULL), AY_OK);
	assert_int_equal(ay_rsakey_pem(k, pem, sizeof(pem), NULL), AY_OK);
	bio = BIO_new_mem_buf(pem, -1);
	p = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	assert_int_equal(EVP_DigestSignInit(c, NULL, EVP_sha1(), NULL, p), 1);
	assert_int_equal(EVP_DigestSign(c, out, &n, b.p, b.n), 1);
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(p);
	return (struct ay_bytes){ out, n };
}

struct attack {
	const char *name;
	const char *label, *signed_label;
	const char *head;
	bool other_signs;
	const char *code; /* NULL: it is none */
};

static const struct attack attacks[] = {
	{ "as it should be", JTI, JTI, AIK, false, NULL },
	{ "the request of an older ticket", OTHER_JTI, OTHER_JTI, AIK, false, "AK_BINDING" },
	{ "an older key under this ticket's label", JTI, OTHER_JTI, AIK, false, "AK_BINDING" },
	{ "another host's AIK", JTI, JTI, AIK, true, "AK_BINDING" },
	{ "a key that also decrypts", JTI, JTI,
	  "00000001 0003 0002 0000000c 00000800 00000002 00000000 00000100", false,
	  "AK_ATTRIBUTES" },
	{ "a key that signs what it is given", JTI, JTI,
	  "00000001 0001 0003 0000000c 00000800 00000002 00000000 00000100", false,
	  "AK_ATTRIBUTES" },
	{ "another exponent", JTI, JTI,
	  "00000001 0001 0002 00000010 00000800 00000002 00000004 00000003 00000100", false,
	  "AK_ATTRIBUTES" },
	{ "the default exponent written out: a second Name of one key", JTI, JTI,
	  "00000001 0001 0002 00000010 00000800 00000002 00000004 00010001 00000100", false,
	  "AK_ATTRIBUTES" },
	{ "says 1,024 bits", JTI, JTI,
	  "00000001 0001 0002 0000000c 00000400 00000002 00000000 00000100", false,
	  "AK_ATTRIBUTES" },
};

static void test_requests(void **state)
{
	static const struct ay_idreq12_random random = { "key of 16 octets", "iv of 16 octets.",
							 "salt" };
	static uint8_t buf[8192], plain[8192];

	(void)state;
	for (size_t i = 0; i < AY_COUNT(attacks); i++) {
		const struct attack *a = &attacks[i];
		struct ay_proof12 p = { .label = ay_bytes_of(a->label),
					.ak = pubkey(a->head, w.ak) };
		struct ay_writer wr;
		struct ay_bytes request, ak;
		struct ay_err e = { 0 };
		enum ay_rc rc;

		print_message("request: %s\n", a->name);
		p.binding = sign(a->other_signs ? w.other : w.ak, a->signed_label, p.ak);
		ay_wr_init(&wr, buf, sizeof(buf));
		assert_int_equal(ay_idreq12_seal(&p, ay_rsakey_public(w.ca), &random, &wr, NULL),
				 AY_OK);
		assert_int_equal(ay_wr_end(&wr, "request", &request, NULL), AY_OK);
		rc = ay_ca12_open(&w.keys, request, JTI, plain, sizeof(plain), &ak, &e);
		if (a->code == NULL) {
			assert_int_equal(rc, AY_OK);
			assert_true(ay_bytes_eq(ak, p.ak));
			continue;
		}
		assert_int_not_equal(rc, AY_OK);
		assert_string_equal(e.code, a->code);
		assert_int_equal(ak.n, 0);
	}
}

static void test_no_key(void **state)
{
	const struct ay_ca_keys none = { .identity = NULL };
	uint8_t plain[64];
	struct ay_bytes ak;
	struct ay_err e;

	(void)state;
	assert_int_equal(ay_ca12_open(&none, t_hex("00"), JTI, plain, sizeof(plain), &ak, &e),
			 AY_E_UNAVAIL);
	assert_string_equal(e.code, "CA_NO_TPM12");
	assert_int_not_equal(ay_ca12_open(&w.keys, t_hex("00"), JTI, plain, sizeof(plain), &ak, &e),
			     AY_OK);
	assert_string_equal(e.code, "CA_MALFORMED");
}

static void test_endorsement_keys(void **state)
{
	static const struct {
		const char *head, *code;
	} keys[] = {
		{ EK, NULL },
		{ AIK, "EK_TEMPLATE" },
		{ "00000001 0002 0001 0000000c 00000800 00000002 00000000 00000100",
		  "EK_TEMPLATE" },
		{ "00000001 0003 0001 00000010 00000800 00000002 00000004 00010001 00000100",
		  "EK_TEMPLATE" },
		{ "00000002 0003 0001 0000000c 00000800 00000002 00000000 00000100",
		  "CA_MALFORMED" },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(keys); i++) {
		struct ay_pubkey *key = NULL;
		struct ay_err e = { 0 };
		enum ay_rc rc = ay_ca12_ek(pubkey(keys[i].head, w.other), &key, &e);

		print_message("EK: %s\n", keys[i].head);
		assert_int_equal(rc == AY_OK, keys[i].code == NULL);
		if (keys[i].code != NULL)
			assert_string_equal(e.code, keys[i].code);
		ay_pubkey_free(key);
	}
}

/*
 * A software key's certificate is sealed to that key's digest: the TPM opens
 * it for no key that it did not make (TPM_ActivateIdentity compares). Here: what
 * is sealed names the AK of the applicant and no other.
 */
static void test_credential_names_the_key(void **state)
{
	static const uint8_t random[AY_CREDENTIAL_RANDOM] = { 1 };
	struct ay_ca_applicant who = { .is_tpm12 = true };
	struct ay_bytes ek = pubkey(EK, w.other), ak = pubkey(AIK, w.ak);
	uint8_t buf[1024], plain[AY_RSA_BYTES_MAX], digest[20];
	struct ay_public12 k;
	struct ay_reader r;
	struct ay_writer wr;
	struct ay_bytes b, sym, asym;
	size_t n;

	(void)state;
	memcpy(who.ek, ek.p, who.ek_n = ek.n);
	memcpy(who.ak, ak.p, who.ak_n = ak.n);
	ay_wr_init(&wr, buf, sizeof(buf));
	assert_int_equal(ay_ca12_credential(&who, ay_bytes_of("a challenge of 32 octets exactly"),
					    random, &wr, NULL),
			 AY_OK);
	assert_int_equal(ay_wr_end(&wr, "credential", &b, NULL), AY_OK);
	ay_rd_init(&r, b);
	sym = ay_rd_vec16(&r, "sym", 512);
	asym = ay_rd_vec16(&r, "asym", 512);
	assert_int_equal(ay_rd_end(&r, "credential", NULL), AY_OK);
	assert_true(sym.n > 0);
	assert_int_equal(ay_rsakey_decrypt(w.other, AY_RSAES_OAEP_TCPA, asym, plain, &n, NULL),
			 AY_OK);
	assert_int_equal(ay_public12_parse(ak, &k, NULL), AY_OK);
	assert_true(ay_public12_digest(&k, digest));
	assert_int_equal(n, 44);
	assert_memory_equal(plain + 24, digest, 20);
	assert_int_not_equal(ay_rsakey_decrypt(w.ak, AY_RSAES_OAEP_TCPA, asym, plain, &n, NULL),
			     AY_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_no_key),
		cmocka_unit_test(test_endorsement_keys),
		cmocka_unit_test(test_credential_names_the_key),
	};

	return cmocka_run_group_tests_name("authz/caflow12", tests, set_up, tear_down);
}
