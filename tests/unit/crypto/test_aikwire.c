/* SPDX-License-Identifier: Apache-2.0 */
/* Messages inside the Privacy CA's envelopes (docs/protocol/privacy-ca.md), octet for octet. */
#include "support/t.h"

#include "core/base/limits.h"
#include "core/crypto/aikwire.h"

#include <openssl/evp.h>

#define REQUEST "0001 0003 746b74 0002 aa01 0002 bb02 0000 02 0001 c1 0002 c2c2"
#define JTI "30313233343536373839616263646566 30313233343536373839616263646566"
#define SECRET "000102030405060708090a0b0c0d0e0f 101112131415161718191a1b1c1d1e1f"
#define ANSWER "0001 0020" JTI "0020" SECRET

static void requests(void **state)
{
	struct ay_bytes in = t_hex(REQUEST), out;
	struct ay_identity_request q;
	struct ay_writer w;
	struct ay_err e;
	uint8_t buf[64];

	(void)state;
	assert_int_equal(ay_identity_request_parse(in, &q, &e), AY_OK);
	assert_true(ay_bytes_eq(q.ticket, ay_bytes_of("tkt")));
	assert_true(ay_bytes_eq(q.ak, t_hex("aa01")) && ay_bytes_eq(q.ek, t_hex("bb02")));
	assert_int_equal(q.ek_cert.n, 0);
	assert_int_equal(q.n_certs, 2);
	assert_true(ay_bytes_eq(q.certs[1], t_hex("c2c2")));
	ay_wr_init(&w, buf, sizeof(buf));
	ay_identity_request_write(&w, &q);
	assert_int_equal(ay_wr_end(&w, "t", &out, NULL), AY_OK);
	assert_true(ay_bytes_eq(in, out));
	for (size_t n = 0; n < in.n; n++) {
		assert_int_equal(ay_identity_request_parse((struct ay_bytes){ in.p, n }, &q, &e),
				 AY_E_INPUT);
		assert_string_equal(e.code, "CA_MALFORMED");
		assert_int_equal(q.n_certs, 0);
	}
}

static void requests_refused(void **state)
{
	static const struct {
		const char *hex;
		const char *where;
	} rows[] = {
		{ "0003 0000 0000 0000 0000 00", "identity.version" },
		{ "0001 ffff", "identity.ticket" },
		{ "0001 0000 ffff", "identity.ak" },
		{ "0001 0000 0000 0000 0000 ff", "identity.certs" },
		{ "0001 0000 0000 0000 0000 00 00", "identity" },
	};
	struct ay_identity_request q;
	struct ay_err e;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		assert_int_not_equal(ay_identity_request_parse(t_hex(rows[i].hex), &q, &e), AY_OK);
		assert_string_equal(e.where, rows[i].where);
		assert_string_equal(e.code, "CA_MALFORMED");
	}
}

static void answers(void **state)
{
	static const char *const bad[] = {
		"0002 0020" JTI "0020" SECRET,
		"0001 0000 0020" SECRET,
		"0001 0020" JTI "0000",
		ANSWER "00",
	};
	struct ay_bytes in = t_hex(ANSWER), out;
	struct ay_ca_answer a;
	struct ay_writer w;
	uint8_t buf[128];

	(void)state;
	assert_int_equal(ay_ca_answer_parse(in, &a, NULL), AY_OK);
	assert_string_equal(a.jti, "0123456789abcdef0123456789abcdef");
	assert_memory_equal(a.secret, t_hex(SECRET).p, 32);
	ay_wr_init(&w, buf, sizeof(buf));
	ay_ca_answer_write(&w, &a);
	assert_int_equal(ay_wr_end(&w, "t", &out, NULL), AY_OK);
	assert_true(ay_bytes_eq(in, out));
	for (size_t n = 0; n < in.n; n++)
		assert_int_not_equal(ay_ca_answer_parse((struct ay_bytes){ in.p, n }, &a, NULL),
				     AY_OK);
	for (size_t i = 0; i < AY_COUNT(bad); i++)
		assert_int_not_equal(ay_ca_answer_parse(t_hex(bad[i]), &a, NULL), AY_OK);
}

/*
 * Key: openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt hexkey:000102..1f
 * -kdfopt info:assay-aikcert-1 HKDF. Decrypted with EVP directly.
 */
static void sealed_as_written_down(void **state)
{
	static const uint8_t iv[12] = { 7 };
	struct ay_bytes key =
		t_hex("c101b05efb987e7b4aa1b64f229e95a0ad18beecacd5e1a20334de107f52f814");
	struct ay_bytes name = t_hex("000baabb"), cert = ay_bytes_of("a certificate");
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t sealed[64], plain[64];
	size_t n, got;
	int k;

	(void)state;
	assert_int_equal(
		ay_aik_seal(t_hex(SECRET), iv, cert, name, sealed, sizeof(sealed), &n, NULL),
		AY_OK);
	assert_int_equal(n, cert.n + 16);
	assert_int_equal(EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key.p, iv), 1);
	assert_int_equal(EVP_DecryptUpdate(c, NULL, &k, name.p, (int)name.n), 1);
	assert_int_equal(EVP_DecryptUpdate(c, plain, &k, sealed, (int)cert.n), 1);
	assert_int_equal(EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, 16, sealed + cert.n), 1);
	assert_int_equal(EVP_DecryptFinal_ex(c, plain + k, &k), 1);
	assert_memory_equal(plain, cert.p, cert.n);
	EVP_CIPHER_CTX_free(c);
	for (size_t bit = 0; bit < 8 * n; bit++) {
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_int_not_equal(ay_aikclient_open(t_hex(SECRET), AY_BYTES(iv),
						       (struct ay_bytes){ sealed, n }, name, plain,
						       sizeof(plain), &got, NULL),
				     AY_OK);
		sealed[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	assert_int_not_equal(ay_aik_seal(cert, iv, cert, name, sealed, sizeof(sealed), &n, NULL),
			     AY_OK);
	assert_int_equal(ay_aik_seal(t_hex(SECRET), iv, cert, name, sealed, cert.n + 15, &n, NULL),
			 AY_E_LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(requests_refused),
		cmocka_unit_test(answers),
		cmocka_unit_test(sealed_as_written_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
