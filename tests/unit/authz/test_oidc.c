/* SPDX-License-Identifier: Apache-2.0 */
/* People of an identity provider: what of its answers is believed, and what is an attack. */
#include "support/t.h"

#include "core/authz/groups.h"
#include "core/authz/oidc.h"
#include "core/base/base64.h"
#include "core/crypto/privkey.h"
#include "core/crypto/sign.h"
#include "core/crypto/ticket.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>

#define NOW 1800000000000
#define ISSUER "https://op.example/tenant"

static struct ay_privkey *ec;
static EVP_PKEY *rsa, *small;
static struct ay_jwt_keys keys;
static struct ay_arena arena;
static char set_text[4096];

static void number(const EVP_PKEY *k, const char *name, char *out)
{
	BIGNUM *n = NULL;
	uint8_t b[512];
	int len;

	assert_int_equal(EVP_PKEY_get_bn_param(k, name, &n), 1);
	len = BN_bn2bin(n, b);
	ay_base64_encode(AY_BASE64_URL, (struct ay_bytes){ b, (size_t)len }, out);
	BN_free(n);
}

static int set_up(void **state)
{
	char x[64], y[64], n[400], e[16], n_small[400];
	uint8_t spki[AY_SPKI_P256];
	struct ay_err err = { 0 };

	(void)state;
	ay_arena_init(&arena, 8u << 20);
	assert_int_equal(ay_privkey_generate(&ec, NULL), AY_OK);
	rsa = EVP_RSA_gen(2048);
	small = EVP_RSA_gen(1024);
	assert_int_equal(ay_privkey_spki(ec, spki, NULL), AY_OK);
	ay_base64_encode(AY_BASE64_URL, (struct ay_bytes){ spki + 27, 32 }, x);
	ay_base64_encode(AY_BASE64_URL, (struct ay_bytes){ spki + 59, 32 }, y);
	number(rsa, OSSL_PKEY_PARAM_RSA_N, n);
	number(rsa, OSSL_PKEY_PARAM_RSA_E, e);
	number(small, OSSL_PKEY_PARAM_RSA_N, n_small);
	snprintf(set_text, sizeof(set_text),
		 "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"ec\",\"x\":\"%s\",\"y\":"
		 "\"%s\"},{\"kty\":\"RSA\",\"use\":\"sig\",\"alg\":\"RS256\",\"kid\":\"rsa\",\"n\":"
		 "\"%s\",\"e\":\"%s\"},{\"kty\":\"RSA\",\"kid\":\"small\",\"n\":\"%s\",\"e\":"
		 "\"%s\"},{\"kty\":\"RSA\",\"use\":\"enc\",\"kid\":\"enc\",\"n\":\"%s\",\"e\":"
		 "\"%s\"}]}",
		 x, y, n, e, n_small, e, n, e);
	if (ay_jwt_keys_parse(ay_bytes_of(set_text), &keys, &err) != AY_OK)
		fail_msg("%s: %s", err.code, err.text);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ay_jwt_keys_free(&keys);
	ay_privkey_free(ec);
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(small);
	ay_arena_fini(&arena);
	return 0;
}

/* ---- tokens ---- */

static const char *by_rsa(EVP_PKEY *k, const char *header, const char *payload)
{
	struct ay_signature_buf sig;
	char *out = ay_arena_alloc(&arena, 8192);
	size_t n;

	n = ay_base64_encode(AY_BASE64_URL, ay_bytes_of(header), out);
	out[n++] = '.';
	n += ay_base64_encode(AY_BASE64_URL, ay_bytes_of(payload), out + n);
	assert_int_equal(ay_sign(k, AY_ALG_RSASSA, AY_ALG_SHA256,
				 (struct ay_bytes){ (uint8_t *)out, n }, &sig, NULL),
			 AY_OK);
	out[n++] = '.';
	ay_base64_encode(AY_BASE64_URL, sig.sig.rsa, out + n);
	return out;
}

static const char *by_ec(const char *header, const char *payload)
{
	char *out = ay_arena_alloc(&arena, 8192);

	assert_int_equal(
		ay_jws_sign(ay_bytes_of(header), ay_bytes_of(payload), ec, out, 8192, NULL), AY_OK);
	return out;
}

static struct ay_oidc_expect expect(void)
{
	return (struct ay_oidc_expect){ .keys = &keys,
					.issuer = ISSUER,
					.client_id = "assay",
					.nonce = "n1",
					.now_ms = NOW,
					.skew_ms = 60000,
					.max_age_ms = 600000,
					.groups_claim = "groups",
					.mfa = "mfa,otp" };
}

#define RS "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"rsa\"}"
#define ES "{\"alg\":\"ES256\",\"kid\":\"ec\"}"
#define WHO "\"iss\":\"" ISSUER "\",\"sub\":\"248289761001\""
#define TIME ",\"exp\":1800000300,\"iat\":1799999990"
#define GOOD "{" WHO ",\"aud\":\"assay\",\"nonce\":\"n1\"" TIME "}"

static const struct {
	const char *what, *header, *payload, *code; /* code NULL: it is taken */
} cases[] = {
	{ "RS256", RS, GOOD, NULL },
	{ "ES256", ES, GOOD, NULL },
	{ "thumbprint of a certificate", "{\"alg\":\"ES256\",\"kid\":\"ec\",\"x5t\":\"AAAA\"}",
	  GOOD, NULL },
	{ "for several, asked for by us", ES,
	  "{" WHO ",\"aud\":[\"x\",\"assay\"],\"azp\":\"assay\",\"nonce\":\"n1\"" TIME "}", NULL },
	{ "none", "{\"alg\":\"none\",\"kid\":\"ec\"}", GOOD, "JWT_ALG" },
	{ "HS256", "{\"alg\":\"HS256\",\"kid\":\"rsa\"}", GOOD, "JWT_ALG" },
	{ "RS256 by a key of a curve", "{\"alg\":\"RS256\",\"kid\":\"ec\"}", GOOD,
	  "JWT_SIGNATURE" },
	{ "ES256 by an RSA key", "{\"alg\":\"ES256\",\"kid\":\"rsa\"}", GOOD, "JWT_SIGNATURE" },
	{ "a short RSA key", "{\"alg\":\"RS256\",\"kid\":\"small\"}", GOOD, "JWT_KID" },
	{ "a key for something else", "{\"alg\":\"RS256\",\"kid\":\"enc\"}", GOOD, "JWT_KID" },
	{ "unknown key", "{\"alg\":\"RS256\",\"kid\":\"who\"}", GOOD, "JWT_KID" },
	{ "no kid", "{\"alg\":\"RS256\"}", GOOD, "JWT_KID" },
	{ "a key of its own", "{\"alg\":\"RS256\",\"kid\":\"rsa\",\"jwk\":{}}", GOOD,
	  "JWT_HEADER" },
	{ "an access token", "{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":\"at+jwt\"}", GOOD,
	  "JWT_HEADER" },
	{ "a logout token", "{\"alg\":\"ES256\",\"kid\":\"ec\",\"typ\":\"logout+jwt\"}", GOOD,
	  "JWT_HEADER" },
	{ "another issuer", RS,
	  "{\"iss\":\"https://evil.example\",\"sub\":\"1\",\"aud\":\"assay\",\"nonce\":\"n1\"" TIME
	  "}",
	  "OIDC_ISSUER" },
	{ "issuer with a slash more", RS,
	  "{\"iss\":\"" ISSUER "/\",\"sub\":\"1\",\"aud\":\"assay\",\"nonce\":\"n1\"" TIME "}",
	  "OIDC_ISSUER" },
	{ "another client", RS, "{" WHO ",\"aud\":\"other\",\"nonce\":\"n1\"" TIME "}",
	  "OIDC_AUDIENCE" },
	{ "no audience", RS, "{" WHO ",\"nonce\":\"n1\"" TIME "}", "OIDC_AUDIENCE" },
	{ "for several, asked for by nobody", RS,
	  "{" WHO ",\"aud\":[\"assay\",\"x\"],\"nonce\":\"n1\"" TIME "}", "OIDC_AUDIENCE" },
	{ "asked for by another", RS,
	  "{" WHO ",\"aud\":\"assay\",\"azp\":\"x\",\"nonce\":\"n1\"" TIME "}", "OIDC_AUDIENCE" },
	{ "another nonce", RS, "{" WHO ",\"aud\":\"assay\",\"nonce\":\"n2\"" TIME "}",
	  "OIDC_NONCE" },
	{ "no nonce", RS, "{" WHO ",\"aud\":\"assay\"" TIME "}", "OIDC_NONCE" },
	{ "expired", RS,
	  "{" WHO ",\"aud\":\"assay\",\"nonce\":\"n1\",\"iat\":1799999800,\"exp\":1799999940}",
	  "OIDC_TIME" },
	{ "from tomorrow", RS,
	  "{" WHO ",\"aud\":\"assay\",\"nonce\":\"n1\",\"iat\":1800000100,\"exp\":1800000400}",
	  "OIDC_TIME" },
	{ "old, though valid", RS,
	  "{" WHO ",\"aud\":\"assay\",\"nonce\":\"n1\",\"iat\":1799990000,\"exp\":1800000400}",
	  "OIDC_TIME" },
	{ "no iat", RS, "{" WHO ",\"aud\":\"assay\",\"nonce\":\"n1\",\"exp\":1800000400}",
	  "OIDC_TIME" },
	{ "a time that is a text", RS,
	  "{" WHO ",\"aud\":\"assay\",\"nonce\":\"n1\",\"iat\":1799999990,\"exp\":\"1800000400\"}",
	  "OIDC_TIME" },
	{ "nobody", RS, "{\"iss\":\"" ISSUER "\",\"aud\":\"assay\",\"nonce\":\"n1\"" TIME "}",
	  "OIDC_CLAIMS" },
	{ "an empty subject", RS,
	  "{\"iss\":\"" ISSUER "\",\"sub\":\"\",\"aud\":\"assay\",\"nonce\":\"n1\"" TIME "}",
	  "OIDC_CLAIMS" },
	{ "two subjects", RS, "{" WHO ",\"sub\":\"2\",\"aud\":\"assay\",\"nonce\":\"n1\"" TIME "}",
	  "JWT_CLAIMS" },
};

static void test_tokens(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		struct ay_oidc_expect want = expect();
		struct ay_oidc_person p;
		struct ay_err e = { 0 };
		bool es = strstr(cases[i].header, "ES256") != NULL;
		const char *t = es ? by_ec(cases[i].header, cases[i].payload)
				   : by_rsa(rsa, cases[i].header, cases[i].payload);
		enum ay_rc rc = ay_oidc_id_token_check(ay_bytes_of(t), &want, &arena, &p, &e);

		print_message("token: %s\n", cases[i].what);
		if (cases[i].code == NULL) {
			assert_int_equal(rc, AY_OK);
			assert_string_equal(p.subject, "248289761001");
			continue;
		}
		assert_int_not_equal(rc, AY_OK);
		assert_string_equal(e.code, cases[i].code);
		assert_string_equal(p.subject, "");
	}
}

static void test_bits(void **state)
{
	struct ay_oidc_expect want = expect();
	struct ay_oidc_person p;
	const char *t[2];

	(void)state;
	t[0] = by_rsa(rsa, RS, GOOD);
	t[1] = by_ec(ES, GOOD);
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; i < strlen(t[k]); i++) {
			char *bad = ay_arena_str(&arena, ay_bytes_of(t[k]));

			bad[i] = bad[i] == 'A' ? 'B' : 'A';
			assert_int_not_equal(
				ay_oidc_id_token_check(ay_bytes_of(bad), &want, &arena, &p, NULL),
				AY_OK);
		}
	/* by a key that calls itself ours */
	assert_int_not_equal(ay_oidc_id_token_check(ay_bytes_of(by_rsa(small, RS, GOOD)), &want,
						    &arena, &p, NULL),
			     AY_OK);
}

static void test_person(void **state)
{
	static const char payload[] =
		"{" WHO ",\"aud\":\"assay\",\"nonce\":\"n1\"" TIME
		",\"preferred_username\":\"eve\",\"name\":\"Eve Adams\",\"amr\":[\"pwd\",\"otp\"],"
		"\"groups\":[\"ops\",7,\"audit\"]}";
	struct ay_oidc_expect want = expect();
	struct ay_oidc_person p;

	(void)state;
	assert_int_equal(
		ay_oidc_id_token_check(ay_bytes_of(by_ec(ES, payload)), &want, &arena, &p, NULL),
		AY_OK);
	assert_string_equal(p.name, "eve");
	assert_string_equal(p.display, "Eve Adams");
	assert_true(p.mfa);
	assert_int_equal(p.n_groups, 2);
	assert_string_equal(p.groups[1], "audit");
	want.mfa = "hwk,otpx";
	assert_int_equal(
		ay_oidc_id_token_check(ay_bytes_of(by_ec(ES, payload)), &want, &arena, &p, NULL),
		AY_OK);
	assert_false(p.mfa);
}

/* ---- discovery ---- */

#define DOC(iss, auth, more)                                                                       \
	"{\"issuer\":\"" iss "\",\"authorization_endpoint\":\"" auth                               \
	"\",\"token_endpoint\":\"https://op.example/token\",\"jwks_uri\":\"https://op.example/"    \
	"jwks\"" more "}"
#define AUTH "https://op.example/auth"

static const struct {
	const char *what, *text, *code;
} documents[] = {
	{ "plain", DOC(ISSUER, AUTH, ""), NULL },
	{ "all said", DOC(ISSUER, AUTH, ",\"code_challenge_methods_supported\":[\"S256\"]"), NULL },
	{ "another issuer", DOC("https://evil.example", AUTH, ""), "OIDC_ISSUER" },
	{ "a slash more", DOC(ISSUER "/", AUTH, ""), "OIDC_ISSUER" },
	{ "in clear", DOC(ISSUER, "http://op.example/auth", ""), "OIDC_DISCOVERY" },
	{ "a script", DOC(ISSUER, "javascript:alert(1)", ""), "OIDC_DISCOVERY" },
	{ "a line end", DOC(ISSUER, "https://op.example/a\\r\\nSet-Cookie: x", ""),
	  "OIDC_DISCOVERY" },
	{ "no PKCE", DOC(ISSUER, AUTH, ",\"code_challenge_methods_supported\":[\"plain\"]"),
	  "OIDC_DISCOVERY" },
	{ "no code flow", DOC(ISSUER, AUTH, ",\"response_types_supported\":[\"id_token\"]"),
	  "OIDC_DISCOVERY" },
	{ "a list", "[]", "OIDC_DISCOVERY" },
	{ "nothing", "", "OIDC_DISCOVERY" },
};

static void test_discovery(void **state)
{
	struct ay_oidc_provider p;
	char url[AY_OIDC_URL];

	(void)state;
	for (size_t i = 0; i < AY_COUNT(documents); i++) {
		struct ay_err e = { 0 };
		enum ay_rc rc =
			ay_oidc_discovery_parse(ay_bytes_of(documents[i].text), ISSUER, &p, &e);

		print_message("discovery: %s\n", documents[i].what);
		if (documents[i].code == NULL) {
			assert_int_equal(rc, AY_OK);
			assert_string_equal(p.authorization, AUTH);
			continue;
		}
		assert_int_not_equal(rc, AY_OK);
		assert_string_equal(e.code, documents[i].code);
		assert_string_equal(p.authorization, "");
	}
	assert_true(ay_oidc_discovery_url(ISSUER, url));
	assert_string_equal(url, ISSUER "/.well-known/openid-configuration");
	assert_true(ay_oidc_discovery_url("https://a/", url));
	assert_string_equal(url, "https://a/.well-known/openid-configuration");
	assert_false(ay_oidc_discovery_url("http://a", url));
	assert_false(ay_oidc_discovery_url("https://a?b", url));
}

static void test_request(void **state)
{
	static const struct ay_oidc_client c = { "a ssay&x", "https://us/cb", "openid groups" };
	/* [RFC7636 B] */
	static const struct ay_oidc_login l = { "s", "n",
						"dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" };
	struct ay_oidc_provider p = { .authorization = AUTH, .issuer = ISSUER };
	char url[AY_OIDC_REQUEST];

	(void)state;
	assert_true(ay_oidc_request(&p, &c, &l, url));
	assert_string_equal(url, AUTH "?response_type=code&client_id=a%20ssay%26x&redirect_uri="
				      "https%3A%2F%2Fus%2Fcb&scope=openid%20groups&state=s&nonce=n&"
				      "code_challenge_method=S256&code_challenge="
				      "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
	/* [RFC6749 2.3.1] "a b" and "p:w" */
	assert_string_equal(ay_oidc_basic("a b", "p:w", &arena), "Basic YSUyMGI6cCUzQXc=");
}

#define B(s)                                                                                       \
	{                                                                                          \
		(const uint8_t *)(s), sizeof(s) - 1                                                \
	}

static void test_answer(void **state)
{
	struct ay_oidc_provider p = { .issuer = ISSUER };
	struct ay_oidc_answer a = { .code = B("c") };
	struct ay_err e = { 0 };

	(void)state;
	assert_int_equal(ay_oidc_answer_check(&a, &p, &e), AY_OK);
	p.says_iss = true;
	assert_int_equal(ay_oidc_answer_check(&a, &p, &e), AY_E_DENIED);
	assert_string_equal(e.code, "OIDC_ISSUER");
	a.iss = ay_bytes_of(ISSUER);
	assert_int_equal(ay_oidc_answer_check(&a, &p, &e), AY_OK);
	a.iss = ay_bytes_of("https://evil.example");
	p.says_iss = false;
	assert_int_equal(ay_oidc_answer_check(&a, &p, &e), AY_E_DENIED);
	assert_string_equal(e.code, "OIDC_ISSUER");
	a = (struct ay_oidc_answer){ .error = B("access_denied") };
	assert_int_equal(ay_oidc_answer_check(&a, &p, &e), AY_E_DENIED);
	assert_string_equal(e.code, "OIDC_REFUSED");
	a = (struct ay_oidc_answer){ .state = B("s") };
	assert_int_equal(ay_oidc_answer_check(&a, &p, &e), AY_E_INPUT);
}

static void test_keys(void **state)
{
	struct ay_jwt_keys k;

	(void)state;
	assert_int_equal(keys.n, 2);
	assert_int_equal(
		ay_jwt_keys_parse(ay_bytes_of("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"}]}"), &k,
				  NULL),
		AY_E_INPUT);
	assert_int_equal(
		ay_jwt_keys_parse(ay_bytes_of("{\"keys\":[{\"kty\":\"EC\",\"d\":\"AA\"}]}"), &k,
				  NULL),
		AY_E_INPUT);
	assert_int_equal(ay_jwt_keys_parse(ay_bytes_of("{}"), &k, NULL), AY_E_INPUT);
	assert_int_equal(ay_jwt_keys_parse(ay_bytes_of("{\"keys\":[]}"), &k, NULL), AY_OK);
}

static void test_groups(void **state)
{
	static const char text[] = "cn=ops,dc=x = operator; audit=auditor;ops=operator;";
	static const char mine[][AY_GROUP_TEXT] = { "audit", "CN=ops,DC=x" };
	static const char *const bad[] = { "x", "=y", "x=", "a=b;c" };
	struct ay_group_map m;
	const char *role[8];

	(void)state;
	assert_int_equal(ay_group_map_parse(text, "k", &m, NULL), AY_OK);
	assert_int_equal(m.n, 3);
	assert_string_equal(m.row[0].group, "cn=ops,dc=x");
	assert_int_equal(ay_group_roles(&m, mine, 2, false, role, 8), 1);
	assert_string_equal(role[0], "auditor");
	assert_int_equal(ay_group_roles(&m, mine, 2, true, role, 8), 2);
	assert_string_equal(role[0], "operator");
	assert_int_equal(ay_group_roles(&m, mine, 0, true, role, 8), 0);
	for (size_t i = 0; i < AY_COUNT(bad); i++)
		assert_int_not_equal(ay_group_map_parse(bad[i], "k", &m, NULL), AY_OK);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tokens),	cmocka_unit_test(test_bits),
		cmocka_unit_test(test_person),	cmocka_unit_test(test_discovery),
		cmocka_unit_test(test_request), cmocka_unit_test(test_answer),
		cmocka_unit_test(test_keys),	cmocka_unit_test(test_groups),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
