/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identity requests and the CA's answers [TPM12-P2 12]. The other side is
 * libcrypto alone: keys, paddings and ciphers are done by EVP here. (TrouSerS'
 * own requests: tests/e2e/60-tpm12.sh.)
 */
#include "support/t.h"

#include "core/tpm/identity12.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <stdlib.h>

#define LABEL "00112233445566778899aabbccddeeff"

struct keys {
	struct ay_rsakey *ca, *other_ca, *ak, *ek;
	uint8_t ak_pub[AY_PUBKEY12_BYTES], label_digest[20], binding[256];
};
static struct keys k;

static EVP_PKEY *pkey(const struct ay_rsakey *r)
{
	char pem[2048];
	BIO *b;
	EVP_PKEY *p;

	assert_int_equal(ay_rsakey_pem(r, pem, sizeof(pem), NULL), AY_OK);
	b = BIO_new_mem_buf(pem, -1);
	p = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
	BIO_free(b);
	assert_non_null(p);
	return p;
}

/* Octet by octet as the specification draws it: algorithm, schemes, parameters, modulus. */
static void make_pubkey(const struct ay_rsakey *r, const char *head, uint8_t out[AY_PUBKEY12_BYTES])
{
	struct ay_bytes h = t_hex(head), n = ay_pubkey_numbers(ay_rsakey_public(r));

	assert_int_equal(h.n, 28);
	memcpy(out, h.p, h.n);
	memcpy(out + 28, n.p, 256);
}
#define OAEP_HEAD "00000001 0003 0001 0000000c 00000800 00000002 00000000 00000100"
#define PKCS1_HEAD "00000001 0002 0001 0000000c 00000800 00000002 00000000 00000100"
#define AIK_HEAD "00000001 0001 0002 0000000c 00000800 00000002 00000000 00000100"

/* TPM_MakeIdentity: the signature over version, ordinal, label digest, key. */
static void sign_binding(const char *label, const struct ay_rsakey *ca, const char *ca_head,
			 const struct ay_rsakey *ak, uint8_t out[256])
{
	uint8_t ca_pub[AY_PUBKEY12_BYTES], text[64 + AY_PUBKEY12_BYTES], contents[28 + 284];
	EVP_MD_CTX *c = EVP_MD_CTX_new();
	EVP_PKEY *p = pkey(ak);
	size_t n = 256;

	make_pubkey(ca, ca_head, ca_pub);
	memcpy(text, label, strlen(label));
	memcpy(text + strlen(label), ca_pub, sizeof(ca_pub));
	memcpy(contents, t_hex("01010000 00000079").p, 8);
	SHA1(text, strlen(label) + sizeof(ca_pub), contents + 8);
	memcpy(contents + 28, k.ak_pub, sizeof(k.ak_pub));
	assert_int_equal(EVP_DigestSignInit(c, NULL, EVP_sha1(), NULL, p), 1);
	assert_int_equal(EVP_DigestSign(c, out, &n, contents, sizeof(contents)), 1);
	EVP_MD_CTX_free(c);
	EVP_PKEY_free(p);
}

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(ay_rsakey_generate(&k.ca, NULL), AY_OK);
	assert_int_equal(ay_rsakey_generate(&k.other_ca, NULL), AY_OK);
	assert_int_equal(ay_rsakey_generate(&k.ak, NULL), AY_OK);
	assert_int_equal(ay_rsakey_generate(&k.ek, NULL), AY_OK);
	make_pubkey(k.ak, AIK_HEAD, k.ak_pub);
	sign_binding(LABEL, k.ca, OAEP_HEAD, k.ak, k.binding);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ay_rsakey_free(k.ca);
	ay_rsakey_free(k.other_ca);
	ay_rsakey_free(k.ak);
	ay_rsakey_free(k.ek);
	return 0;
}

static size_t encrypt(EVP_PKEY *to, int padding, const char *label, struct ay_bytes in,
		      uint8_t out[512])
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(to, NULL);
	size_t n = 512;

	assert_int_equal(EVP_PKEY_encrypt_init(c), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(c, padding), 1);
	if (label != NULL)
		assert_int_equal(EVP_PKEY_CTX_set0_rsa_oaep_label(c, OPENSSL_strdup(label), 4), 1);
	assert_int_equal(EVP_PKEY_encrypt(c, out, &n, in.p, in.n), 1);
	EVP_PKEY_CTX_free(c);
	return n;
}

static size_t cbc(int seal, const uint8_t *key, const uint8_t *iv, struct ay_bytes in, uint8_t *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int a = 0, b = 0;

	assert_int_equal(EVP_CipherInit_ex(c, EVP_aes_128_cbc(), NULL, key, iv, seal), 1);
	assert_int_equal(EVP_CipherUpdate(c, out, &a, in.p, (int)in.n), 1);
	assert_int_equal(EVP_CipherFinal_ex(c, out + a, &b), 1);
	EVP_CIPHER_CTX_free(c);
	return (size_t)(a + b);
}

/* How a client may write its request. */
struct form {
	const char *name;
	int padding;
	bool iv_in_parms, iv_before;
	const char *label;   /* of OAEP */
	const char *session; /* head of TPM_SYMMETRIC_KEY */
	bool good;
};

static const struct form forms[] = {
	{ "OAEP, IV before", RSA_PKCS1_OAEP_PADDING, false, true, "TCPA", "00000006 00ff 0010",
	  true },
	{ "PKCS #1, IV before", RSA_PKCS1_PADDING, false, true, NULL, "00000006 00ff 0010", true },
	{ "OAEP without label, IV before (TrouSerS)", RSA_PKCS1_OAEP_PADDING, false, true, NULL,
	  "00000006 0001 0010", true },
	{ "OAEP, IV in the parameters", RSA_PKCS1_OAEP_PADDING, true, false, "TCPA",
	  "00000006 00ff 0010", true },
	{ "both", RSA_PKCS1_PADDING, true, true, NULL, "00000006 00ff 0010", true },
	{ "another label", RSA_PKCS1_OAEP_PADDING, false, true, "ACPT", "00000006 00ff 0010",
	  false },
	{ "no IV at all", RSA_PKCS1_OAEP_PADDING, false, false, "TCPA", "00000006 00ff 0010",
	  false },
	{ "3DES", RSA_PKCS1_OAEP_PADDING, false, true, "TCPA", "00000002 00ff 0010", false },
};

static struct ay_bytes proof_of(struct ay_bytes ek_cert)
{
	static uint8_t buf[4096];
	struct ay_bytes head = t_hex("01010000 00000020 00000100");
	uint8_t sizes[12] = { 0, 0, (uint8_t)(ek_cert.n >> 8), (uint8_t)ek_cert.n };
	size_t n = 0;

	memcpy(buf, head.p, head.n);
	n += head.n;
	memcpy(buf + n, sizes, 12);
	n += 12;
	memcpy(buf + n, k.ak_pub, sizeof(k.ak_pub));
	n += sizeof(k.ak_pub);
	memcpy(buf + n, LABEL, 32);
	n += 32;
	memcpy(buf + n, k.binding, 256);
	n += 256;
	if (ek_cert.n)
		memcpy(buf + n, ek_cert.p, ek_cert.n);
	return (struct ay_bytes){ buf, n + ek_cert.n };
}

static struct ay_bytes request_of(const struct form *f, const struct ay_rsakey *to,
				  struct ay_bytes proof)
{
	static uint8_t buf[8192];
	static const uint8_t key[16] = "0123456789abcdef", iv[16] = "an initial value";
	uint8_t session[24], asym[512], sym[4096];
	EVP_PKEY *p = pkey(to);
	size_t asym_n, sym_n, parms_n = f->iv_in_parms ? 28 : 0;
	size_t at = f->iv_before ? 16 : 0;
	struct ay_writer w;
	struct ay_bytes out;

	memcpy(session, t_hex(f->session).p, 8);
	memcpy(session + 8, key, 16);
	asym_n = encrypt(p, f->padding, f->label, AY_BYTES(session), asym);
	EVP_PKEY_free(p);
	memcpy(sym, iv, 16);
	sym_n = at + cbc(1, key, iv, proof, sym + at);
	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_be32(&w, (uint32_t)asym_n);
	ay_wr_be32(&w, (uint32_t)sym_n);
	ay_wr_bytes(&w, t_hex("00000001 0003 0001 0000000c 00000800 00000002 00000000"));
	ay_wr_bytes(&w, t_hex("00000006 00ff 0001"));
	ay_wr_be32(&w, (uint32_t)parms_n);
	if (f->iv_in_parms) {
		ay_wr_bytes(&w, t_hex("00000080 00000080 00000010"));
		ay_wr_bytes(&w, AY_BYTES(iv));
	}
	ay_wr_bytes(&w, (struct ay_bytes){ asym, asym_n });
	ay_wr_bytes(&w, (struct ay_bytes){ sym, sym_n });
	assert_int_equal(ay_wr_end(&w, "request", &out, NULL), AY_OK);
	return out;
}

static enum ay_rc open_request(struct ay_bytes in, struct ay_proof12 *p, struct ay_err *e)
{
	static uint8_t buf[16384];

	return ay_idreq12_open(in, k.ca, ay_bytes_of("a secret of this CA"), buf, sizeof(buf), p,
			       e);
}

static void test_requests(void **state)
{
	struct ay_bytes cert = ay_bytes_of("an EK certificate");

	(void)state;
	for (size_t i = 0; i < AY_COUNT(forms); i++) {
		struct ay_bytes in = request_of(&forms[i], k.ca, proof_of(cert));
		struct ay_proof12 p;
		enum ay_rc rc = open_request(in, &p, NULL);

		print_message("request: %s\n", forms[i].name);
		assert_int_equal(rc, forms[i].good ? AY_OK : AY_E_CRYPTO);
		if (!forms[i].good)
			continue;
		assert_true(ay_bytes_eq(p.label, ay_bytes_of(LABEL)));
		assert_true(ay_bytes_eq(p.ak, AY_BYTES(k.ak_pub)));
		assert_true(ay_bytes_eq(p.ek_cert, cert));
		assert_int_equal(
			ay_proof12_check(&p, ay_rsakey_public(k.ak), ay_rsakey_public(k.ca), NULL),
			AY_OK);
	}
}

/* What is wrong inside is told in one way only, or the CA is an oracle for its own key. */
static void test_one_refusal(void **state)
{
	struct ay_bytes good = request_of(&forms[1], k.ca, proof_of((struct ay_bytes){ 0 }));
	struct ay_bytes other = request_of(&forms[1], k.other_ca, proof_of((struct ay_bytes){ 0 }));
	static uint8_t bad[8192];
	struct ay_proof12 p;
	struct ay_err first, e;

	(void)state;
	good = request_of(&forms[1], k.ca, proof_of((struct ay_bytes){ 0 }));
	memcpy(bad, good.p, good.n);
	bad[good.n - 1] ^= 1; /* a padding inside CBC */
	assert_int_equal(open_request((struct ay_bytes){ bad, good.n }, &p, &first), AY_E_CRYPTO);
	bad[good.n - 1] ^= 1;
	bad[60] ^= 1; /* the padding of RSA */
	assert_int_equal(open_request((struct ay_bytes){ bad, good.n }, &p, &e), AY_E_CRYPTO);
	assert_string_equal(e.text, first.text);
	assert_int_equal(p.ak.n, 0);
	other = request_of(&forms[1], k.other_ca, proof_of((struct ay_bytes){ 0 }));
	assert_int_equal(open_request(other, &p, &e), AY_E_CRYPTO);
	assert_string_equal(e.text, first.text);
}

static void test_cut_request(void **state)
{
	struct ay_bytes in = request_of(&forms[0], k.ca, proof_of((struct ay_bytes){ 0 }));
	struct ay_proof12 p;

	(void)state;
	for (size_t n = 0; n < in.n; n += n < 64 ? 1 : 61)
		assert_int_equal(open_request((struct ay_bytes){ in.p, n }, &p, NULL), AY_E_INPUT);
}

static void test_binding(void **state)
{
	static const struct {
		const char *name, *label;
		const char *ca_head;
		bool other_ca, other_key, other_ak, good;
	} cases[] = {
		{ "as it should be", LABEL, OAEP_HEAD, false, false, false, true },
		{ "the CA's key taken for a PKCS #1 one", LABEL, PKCS1_HEAD, false, false, false,
		  true },
		{ "made for another label", "00112233445566778899aabbccddeef0", OAEP_HEAD, false,
		  false, false, false },
		{ "made for another CA", LABEL, OAEP_HEAD, true, false, false, false },
		{ "signed by another key", LABEL, OAEP_HEAD, false, true, false, false },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		uint8_t binding[256];
		struct ay_proof12 p = { .label = ay_bytes_of(LABEL),
					.ak = AY_BYTES(k.ak_pub),
					.binding = AY_BYTES(binding) };

		print_message("binding: %s\n", cases[i].name);
		sign_binding(cases[i].label, cases[i].other_ca ? k.other_ca : k.ca,
			     cases[i].ca_head, cases[i].other_key ? k.ek : k.ak, binding);
		assert_int_equal(
			ay_proof12_check(&p, ay_rsakey_public(k.ak), ay_rsakey_public(k.ca), NULL),
			cases[i].good ? AY_OK : AY_E_CRYPTO);
	}
}

/* What our agent seals, our CA opens; the proof inside is as a client of others writes it. */
static void test_seal(void **state)
{
	const struct ay_proof12 p = { .label = ay_bytes_of(LABEL),
				      .ak = AY_BYTES(k.ak_pub),
				      .binding = AY_BYTES(k.binding),
				      .ek_cert = ay_bytes_of("cert") };
	const struct ay_idreq12_random random = { "key of 16 octets", "iv of 16 octets.", "salt" };
	uint8_t buf[4096], plain[4096];
	struct ay_bytes want = proof_of(ay_bytes_of("cert")), b;
	struct ay_proof12 q;
	struct ay_writer w;

	(void)state;
	ay_wr_init(&w, plain, sizeof(plain));
	ay_proof12_write(&w, &p);
	assert_int_equal(ay_wr_end(&w, "proof", &b, NULL), AY_OK);
	assert_true(ay_bytes_eq(b, want));
	ay_wr_init(&w, buf, sizeof(buf));
	assert_int_equal(ay_idreq12_seal(&p, ay_rsakey_public(k.ca), &random, &w, NULL), AY_OK);
	assert_int_equal(ay_wr_end(&w, "request", &b, NULL), AY_OK);
	assert_int_equal(open_request(b, &q, NULL), AY_OK);
	assert_true(ay_bytes_eq(q.binding, AY_BYTES(k.binding)));
}

/* TPM_ActivateIdentity by EVP: what an EK's holder finds, and what it finds it under. */
static void test_credential(void **state)
{
	const struct ay_credential12_random random = { "key of 16 octets", "iv of 16 octets.",
						       "salt" };
	struct ay_bytes value = ay_bytes_of("a challenge of 32 octets exactly");
	uint8_t digest[20], plain[512], secret[512];
	EVP_PKEY *ek = pkey(k.ek);
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(ek, NULL);
	struct ay_credential12 cred;
	struct ay_secret out;
	size_t n = sizeof(plain);

	(void)state;
	SHA1(k.ak_pub, sizeof(k.ak_pub), digest);
	assert_int_equal(
		ay_credential12_make(ay_rsakey_public(k.ek), digest, value, &random, &cred, NULL),
		AY_OK);
	assert_int_equal(EVP_PKEY_decrypt_init(c), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_OAEP_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set0_rsa_oaep_label(c, OPENSSL_strdup("TCPA"), 4), 1);
	assert_int_equal(EVP_PKEY_decrypt(c, plain, &n, cred.asym, cred.asym_n), 1);
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(ek);
	assert_int_equal(n, 8 + 16 + 20);
	assert_memory_equal(plain, t_hex("00000006 00ff 0010").p, 8);
	assert_memory_equal(plain + 8, random.key, 16);
	assert_memory_equal(plain + 24, digest, 20);
	/* credSize, parameters with the IV, and the IV again before the cipher text */
	assert_memory_equal(cred.sym, t_hex("00000040 00000006 00ff 0001 0000001c").p, 16);
	assert_memory_equal(cred.sym + 28, random.iv, 16);
	assert_memory_equal(cred.sym + 44, random.iv, 16);
	n = cbc(0, random.key, random.iv, (struct ay_bytes){ cred.sym + 60, cred.sym_n - 60 },
		secret);
	assert_true(ay_bytes_eq((struct ay_bytes){ secret, n }, value));
	assert_int_equal(ay_credential12_open((struct ay_bytes){ cred.sym, cred.sym_n },
					      (struct ay_bytes){ plain, 24 }, &out, NULL),
			 AY_OK);
	assert_true(ay_bytes_eq(ay_secret_view(&out), value));
	plain[8] ^= 1;
	if (ay_credential12_open((struct ay_bytes){ cred.sym, cred.sym_n },
				 (struct ay_bytes){ plain, 24 }, &out, NULL) == AY_OK)
		assert_false(ay_bytes_eq(ay_secret_view(&out), value));
	for (n = 0; n < cred.sym_n; n++)
		assert_int_not_equal(ay_credential12_open((struct ay_bytes){ cred.sym, n },
							  (struct ay_bytes){ plain, 24 }, &out,
							  NULL),
				     AY_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),    cmocka_unit_test(test_one_refusal),
		cmocka_unit_test(test_cut_request), cmocka_unit_test(test_binding),
		cmocka_unit_test(test_seal),	    cmocka_unit_test(test_credential),
	};

	return cmocka_run_group_tests_name("tpm/identity12", tests, set_up, tear_down);
}
