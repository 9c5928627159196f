/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/base/base64.h"
#include "core/crypto/ticket.h"
#include "core/crypto/token.h"
#include "core/tpm/alg.h"

#include <string.h>

#define NOW_MS 1790000000000LL

/* RFC 7515, appendix A.3: another implementation's ES256 signature. */
static void rfc7515_a3(void **state)
{
	static const char jws[] = "eyJhbGciOiJFUzI1NiJ9."
				  "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
				  "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
				  "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA"
				  "pmWQxfKTUJqPP3-Kg6NU1Q";
	char text[sizeof(jws)];
	uint8_t x[32], y[32];
	struct ay_pubkey *k = NULL;
	size_t n;

	(void)state;
	assert_int_equal(
		ay_base64_decode(AY_BASE64_URL,
				 ay_bytes_of("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"), "x", x,
				 32, &n, NULL),
		AY_OK);
	assert_int_equal(
		ay_base64_decode(AY_BASE64_URL,
				 ay_bytes_of("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"), "y", y,
				 32, &n, NULL),
		AY_OK);
	assert_int_equal(ay_pubkey_new_ec(AY_CURVE_P256, AY_BYTES(x), AY_BYTES(y), &k, NULL),
			 AY_OK);
	assert_int_equal(ay_jws_verify(ay_bytes_of(jws), k, NULL), AY_OK);
	for (size_t i = 0; i < sizeof(jws) - 1; i++) {
		memcpy(text, jws, sizeof(jws));
		text[i] = text[i] == 'A' ? 'B' : 'A';
		assert_int_not_equal(ay_jws_verify(ay_bytes_of(text), k, NULL), AY_OK);
	}
	ay_pubkey_free(k);
}

static struct ay_privkey *key;
static struct ay_pubkey *pub;
static struct ay_ticket good;
static char text[AY_TICKET_TEXT_MAX];

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(ay_privkey_generate(&key, NULL), AY_OK);
	assert_int_equal(ay_privkey_public(key, &pub, NULL), AY_OK);
	memset(&good, 0, sizeof(good));
	good.host = (struct ay_uuid){ { 0xab, 1, 2, 3, 4, 5, 6, 7, 8, 9 } };
	memset(good.spki, 0x11, 32);
	memset(good.ca, 0x22, 32);
	strcpy(good.jti, "00112233445566778899aabbccddeeff");
	good.exp_s = NOW_MS / 1000 + 600;
	return ay_ticket_sign(&good, key, text, NULL) == AY_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	ay_pubkey_free(pub);
	ay_privkey_free(key);
	return 0;
}

static enum ay_rc check(const char *t, struct ay_ticket *out, struct ay_err *e)
{
	memset(e, 0, sizeof(*e));
	return ay_ticket_check(ay_bytes_of(t), pub, good.ca, NOW_MS, out, e);
}

/* The form of docs/protocol/privacy-ca.md, octet for octet. */
static void form(void **state)
{
	static const char want[] =
		"{\"host\":\"ab010203-0405-0607-0809-000000000000\",\"spki\":\""
		"1111111111111111111111111111111111111111111111111111111111111111\",\"ca\":\""
		"2222222222222222222222222222222222222222222222222222222222222222\",\"jti\":\""
		"00112233445566778899aabbccddeeff\",\"exp\":1790000600}";
	const char *first = strchr(text, '.') + 1;
	uint8_t b[512];
	struct ay_ticket out;
	struct ay_err e;
	size_t n;

	(void)state;
	assert_int_equal(ay_base64_decode(AY_BASE64_URL,
					  (struct ay_bytes){ (const uint8_t *)first,
							     (size_t)(strchr(first, '.') - first) },
					  "p", b, sizeof(b), &n, NULL),
			 AY_OK);
	assert_int_equal(n, strlen(want));
	assert_memory_equal(b, want, n);
	assert_int_equal(check(text, &out, &e), AY_OK);
	assert_memory_equal(&out, &good, sizeof(out));
}

/* eks stands behind exp, and only where there are some. */
static void form_with_eks(void **state)
{
	struct ay_ticket t = good, out;
	char full[AY_TICKET_TEXT_MAX];
	uint8_t b[2048];
	const char *first;
	struct ay_err e;
	size_t n;

	(void)state;
	t.n_eks = 2;
	memset(t.ek[0], 0x33, 32);
	memset(t.ek[1], 0x44, 32);
	assert_int_equal(ay_ticket_sign(&t, key, full, NULL), AY_OK);
	first = strchr(full, '.') + 1;
	assert_int_equal(ay_base64_decode(AY_BASE64_URL,
					  (struct ay_bytes){ (const uint8_t *)first,
							     (size_t)(strchr(first, '.') - first) },
					  "p", b, sizeof(b) - 1, &n, NULL),
			 AY_OK);
	b[n] = 0;
	assert_string_equal(
		strstr((char *)b, ",\"eks\""),
		",\"eks\":["
		"\"3333333333333333333333333333333333333333333333333333333333333333\","
		"\"4444444444444444444444444444444444444444444444444444444444444444\"]}");
	assert_int_equal(check(full, &out, &e), AY_OK);
	assert_memory_equal(&out, &t, sizeof(out));
	t.n_eks = AY_MAX_TOKEN_EKS;
	assert_int_equal(ay_ticket_sign(&t, key, full, NULL), AY_OK);
	assert_int_equal(check(full, &out, &e), AY_OK);
	assert_int_equal(out.n_eks, AY_MAX_TOKEN_EKS);
	t.n_eks++;
	assert_int_not_equal(ay_ticket_sign(&t, key, full, NULL), AY_OK);
}

static void refuse(const char *t)
{
	struct ay_ticket out;
	struct ay_err e;

	assert_int_not_equal(check(t, &out, &e), AY_OK);
	assert_string_equal(e.code, "TICKET");
	assert_int_equal(out.exp_s, 0);
}

static void resign(const char *header, const char *payload)
{
	char t[AY_TICKET_TEXT_MAX];

	assert_int_equal(
		ay_jws_sign(ay_bytes_of(header), ay_bytes_of(payload), key, t, sizeof(t), NULL),
		AY_OK);
	refuse(t);
}

#define HEAD "{\"alg\":\"ES256\",\"typ\":\"assay-ticket+jwt\"}"
#define SPKI "1111111111111111111111111111111111111111111111111111111111111111"
#define CA "2222222222222222222222222222222222222222222222222222222222222222"
#define BODY(host, jti, exp)                                                                       \
	"{\"host\":\"" host "\",\"spki\":\"" SPKI "\",\"ca\":\"" CA "\",\"jti\":\"" jti            \
	"\",\"exp\":" exp "}"
#define HOST "ab010203-0405-0607-0809-000000000000"
#define JTI "00112233445566778899aabbccddeeff"

/* Signed by the right key, and yet not a ticket. */
static void other_forms(void **state)
{
	(void)state;
	resign("{\"alg\":\"none\"}", BODY(HOST, JTI, "1790000600"));
	resign("{\"typ\":\"assay-ticket+jwt\",\"alg\":\"ES256\"}", BODY(HOST, JTI, "1790000600"));
	resign("{\"alg\":\"ES256\",\"typ\":\"JWT\"}", BODY(HOST, JTI, "1790000600"));
	resign(HEAD, BODY("AB010203-0405-0607-0809-000000000000", JTI, "1790000600"));
	resign(HEAD, BODY(HOST, "00112233445566778899AABBCCDDEEFF", "1790000600"));
	resign(HEAD, BODY(HOST, JTI, "01790000600"));
	resign(HEAD, BODY(HOST, JTI, "1790000600.0"));
	resign(HEAD, BODY(HOST, JTI, "1790000600,\"eks\":[]"));
	resign(HEAD, BODY(HOST, JTI, "1790000600,\"eks\":[\"33\"]"));
	resign(HEAD, BODY(HOST, JTI, "1790000600") " ");
	resign(HEAD, BODY(HOST, JTI, "17900006000000000"));
	resign(HEAD, BODY(HOST, JTI, "1790000600,\"exp\":1"));
	resign(HEAD, "{}");
	resign(HEAD, BODY(HOST, JTI, "1789999999")); /* over */
	resign(HEAD, BODY(HOST, JTI, "1790000000")); /* ends now */
	resign(HEAD, BODY(HOST, JTI, "1790003600")); /* an hour */
}

static void every_prefix_and_flip(void **state)
{
	char t[AY_TICKET_TEXT_MAX];
	size_t n = strlen(text);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		memcpy(t, text, n + 1);
		t[i] = '\0';
		refuse(t);
		memcpy(t, text, n + 1);
		t[i] ^= 1;
		refuse(t);
	}
}

static void other_signer_and_ca(void **state)
{
	struct ay_privkey *other = NULL;
	struct ay_ticket t = good;
	char b[AY_TICKET_TEXT_MAX];

	(void)state;
	assert_int_equal(ay_privkey_generate(&other, NULL), AY_OK);
	assert_int_equal(ay_ticket_sign(&good, other, b, NULL), AY_OK);
	refuse(b);
	t.ca[31] ^= 1;
	assert_int_equal(ay_ticket_sign(&t, key, b, NULL), AY_OK);
	refuse(b);
	ay_privkey_free(other);
}

/* Enrolment tokens. */
static struct ay_token token(void)
{
	struct ay_token t = { .n_servers = 2,
			      .servers = { "server.example:7443", "[::1]:7443" },
			      .id = "ffeeddccbbaa99887766554433221100" };

	memset(t.root, 1, 32);
	memset(t.ca, 2, 32);
	memset(t.order, 3, 32);
	memset(t.secret, 4, 32);
	return t;
}

static void token_round_trip(void **state)
{
	struct ay_token t = token(), back;
	char b[AY_MAX_TOKEN_BYTES], c[AY_MAX_TOKEN_BYTES];
	struct ay_err e = { 0 };

	(void)state;
	assert_int_equal(ay_token_build(&t, b, NULL), AY_OK);
	assert_memory_equal(b, "assay1.", 7);
	assert_int_equal(ay_token_parse(ay_bytes_of(b), &back, &e), AY_OK);
	assert_memory_equal(&t, &back, sizeof(t));
	assert_int_equal(ay_token_build(&back, c, NULL), AY_OK);
	assert_string_equal(b, c);
	for (size_t i = 0; i < strlen(b); i++) {
		assert_int_not_equal(
			ay_token_parse((struct ay_bytes){ (uint8_t *)b, i }, &back, &e), AY_OK);
		assert_string_equal(e.code, "TOKEN_MALFORMED");
		assert_int_equal(back.secret[0], 0);
	}
	strcpy(t.servers[0], "a\"b");
	assert_int_equal(ay_token_build(&t, b, NULL), AY_E_INPUT);
	t = token();
	t.n_servers = 0;
	assert_int_equal(ay_token_build(&t, b, NULL), AY_OK);
	assert_int_equal(ay_token_parse(ay_bytes_of(b), &back, &e), AY_OK);
}

static void token_json(const char *json, bool good_form)
{
	char b[AY_MAX_TOKEN_BYTES] = "assay1.";
	struct ay_token back;

	ay_base64_encode(AY_BASE64_URL, ay_bytes_of(json), b + 7);
	assert_int_equal(ay_token_parse(ay_bytes_of(b), &back, NULL) == AY_OK, good_form);
}

static void token_forms(void **state)
{
#define REST                                                                                       \
	"\"root\":\"" SPKI "\",\"ca\":\"" CA "\",\"order\":\"" CA "\",\"id\":\"" JTI               \
	"\",\"secret\":\"" SPKI "\"}"
	(void)state;
	token_json("{\"v\":1,\"servers\":[\"h:1\"]," REST, true);
	token_json("{\"v\":1,\"servers\":[\"h:1\",\"i:2\"]," REST, true);
	token_json("{\"v\":2,\"servers\":[\"h:1\"]," REST, false);
	token_json("{\"v\":1, \"servers\":[\"h:1\"]," REST, false);
	token_json("{\"v\":1,\"servers\":[\"\"]," REST, false);
	token_json("{\"v\":1,\"servers\":[\"h:1\",]," REST, false);
	token_json("{\"v\":1,\"servers\":[\"h\\n:1\"]," REST, false);
	token_json("{\"v\":1,\"servers\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]"
		   "," REST,
		   false);
	token_json("{\"v\":1,\"servers\":[]," REST " ", false);
}

/* Computed by Python's hmac: K = SHA-256(00..1f); exporter 20..3f, agent 40..5f, server 60..7f. */
static void token_proof(void **state)
{
	uint8_t in[128], k[32], out[32];
	struct ay_err e;

	(void)state;
	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	ay_token_key(in, k);
	assert_true(ay_bytes_eq(
		AY_BYTES(k),
		t_hex("630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd")));
	assert_int_equal(ay_token_proof(k, in + 32, in + 64, in + 96, out, NULL), AY_OK);
	assert_true(ay_bytes_eq(
		AY_BYTES(out),
		t_hex("077d03117a59c1957e63974a9b8eb2aa6fb68c5cc4648936ac8c29ae0f34e611")));
	assert_int_equal(ay_token_proof_check(k, in + 32, in + 64, in + 96, AY_BYTES(out), &e),
			 AY_OK);
	out[0] ^= 1;
	assert_int_equal(ay_token_proof_check(k, in + 32, in + 64, in + 96, AY_BYTES(out), &e),
			 AY_E_CRYPTO);
	assert_string_equal(e.code, "TOKEN");
	out[0] ^= 1;
	/* on another connection, by another agent, to another server */
	assert_int_equal(ay_token_proof_check(k, in + 33, in + 64, in + 96, AY_BYTES(out), &e),
			 AY_E_CRYPTO);
	assert_int_equal(ay_token_proof_check(k, in + 32, in + 65, in + 96, AY_BYTES(out), &e),
			 AY_E_CRYPTO);
	assert_int_equal(ay_token_proof_check(k, in + 32, in + 64, in + 95, AY_BYTES(out), &e),
			 AY_E_CRYPTO);
	assert_int_equal(ay_token_proof_check(k, in + 32, in + 64, in + 96,
					      (struct ay_bytes){ out, 31 }, &e),
			 AY_E_CRYPTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rfc7515_a3),
		cmocka_unit_test(form),
		cmocka_unit_test(form_with_eks),
		cmocka_unit_test(other_forms),
		cmocka_unit_test(every_prefix_and_flip),
		cmocka_unit_test(other_signer_and_ca),
		cmocka_unit_test(token_round_trip),
		cmocka_unit_test(token_forms),
		cmocka_unit_test(token_proof),
	};

	return cmocka_run_group_tests_name("crypto/ticket", tests, set_up, tear_down);
}
