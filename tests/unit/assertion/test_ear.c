/* SPDX-License-Identifier: Apache-2.0 */
/* Attestation results: what they say, whom another JOSE library believes, and what is refused. */
#include "support/t.h"

#include "core/assertion/ear.h"
#include "core/base/base64.h"
#include "core/crypto/ticket.h"

#include <stdlib.h>
#include <unistd.h>

#define NOW 1800000000000
#define LEASE (NOW + 600000)

static struct ay_privkey *key, *other;
static struct ay_jwks keys;
static struct ay_arena arena;

static void add_key(const struct ay_privkey *k)
{
	uint8_t spki[AY_SPKI_P256];

	assert_int_equal(ay_privkey_spki(k, spki, NULL), AY_OK);
	assert_int_equal(ay_jwk_of_spki(AY_BYTES(spki), &keys.key[keys.n++], NULL), AY_OK);
}

static int set_up(void **state)
{
	(void)state;
	ay_arena_init(&arena, 8u << 20);
	assert_int_equal(ay_privkey_generate(&key, NULL), AY_OK);
	assert_int_equal(ay_privkey_generate(&other, NULL), AY_OK);
	add_key(key);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ay_privkey_free(key);
	ay_privkey_free(other);
	ay_arena_fini(&arena);
	return 0;
}

static struct ay_saml_claims good_claims(void)
{
	struct ay_saml_claims c = { .quote_ms = NOW - 2000,
				    .lease_ms = LEASE,
				    .verdict = AY_TRUSTED,
				    .has_evidence = true,
				    .has_policy = true,
				    .policy_version = 3,
				    .issuer = "https://assay.example/",
				    .host_id = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
				    .host_name = "compute-17",
				    .audience = "https://cloud.example",
				    .nonce = "n-0S6_WzA2Mj",
				    .policy_name = "default" };

	for (size_t i = 0; i < AY_COMPONENTS; i++) {
		c.component[i] = AY_TRUSTED;
		c.grade[i] = AY_GRADE_TPM_SIGNED;
	}
	return c;
}

static struct ay_bytes issue(const struct ay_saml_claims *c)
{
	static const uint8_t jti[16] = { 7 };
	struct ay_bytes out;
	struct ay_err e = { 0 };

	if (ay_ear_issue(c, key, jti, NOW, &arena, &out, &e) != AY_OK)
		fail_msg("%s: %s", e.code, e.text);
	return out;
}

static struct ay_ear_expect expect(void)
{
	return (struct ay_ear_expect){ .keys = &keys, .now_ms = NOW + 5000, .skew_ms = 1000 };
}

static json_t *verified(struct ay_bytes jwt)
{
	struct ay_ear_expect want = expect();
	struct ay_err e = { 0 };
	json_t *claims;

	if (ay_ear_verify(jwt, &want, &claims, &e) != AY_OK)
		fail_msg("%s: %s", e.code, e.text);
	return claims;
}

/* ---- what it says ---- */

struct said {
	const char *what;
	enum ay_verdict verdict, identity, platform, os, runtime, compliance;
	const char *status;
	int v_identity, v_hardware, v_executables, v_configuration;
};

/* Values by draft-ietf-rats-ar4si 2.3.4, statuses never better than the worst of them. */
static const struct said table[] = {
	{ "all is well", AY_TRUSTED, AY_TRUSTED, AY_TRUSTED, AY_TRUSTED, AY_TRUSTED, AY_TRUSTED,
	  "affirming", 2, 2, 2, 2 },
	{ "files are not looked at", AY_TRUSTED, AY_TRUSTED, AY_TRUSTED, AY_TRUSTED, AY_UNKNOWN,
	  AY_UNKNOWN, "affirming", 2, 2, 3, 0 },
	{ "unknown affirms nothing", AY_UNKNOWN, AY_TRUSTED, AY_TRUSTED, AY_TRUSTED, AY_UNKNOWN,
	  AY_UNKNOWN, "none", 2, 2, 3, 0 },
	{ "nothing is known", AY_UNKNOWN, AY_UNKNOWN, AY_UNKNOWN, AY_UNKNOWN, AY_UNKNOWN,
	  AY_UNKNOWN, "none", 0, 0, 0, 0 },
	{ "firmware fails", AY_UNTRUSTED, AY_TRUSTED, AY_UNTRUSTED, AY_TRUSTED, AY_UNKNOWN,
	  AY_UNKNOWN, "contraindicated", 2, 96, 3, 0 },
	{ "identity fails", AY_UNTRUSTED, AY_UNTRUSTED, AY_UNKNOWN, AY_UNKNOWN, AY_UNKNOWN,
	  AY_UNKNOWN, "contraindicated", 96, 0, 0, 0 },
	{ "kernel fails", AY_UNTRUSTED, AY_TRUSTED, AY_TRUSTED, AY_UNTRUSTED, AY_TRUSTED,
	  AY_UNKNOWN, "contraindicated", 2, 2, 96, 0 },
	{ "files that are not required fail", AY_TRUSTED, AY_TRUSTED, AY_TRUSTED, AY_TRUSTED,
	  AY_UNTRUSTED, AY_UNKNOWN, "warning", 2, 2, 33, 0 },
	{ "only files are known", AY_UNKNOWN, AY_TRUSTED, AY_UNKNOWN, AY_UNKNOWN, AY_TRUSTED,
	  AY_UNKNOWN, "none", 2, 0, 0, 0 },
};

static int vector(const json_t *host, const char *claim)
{
	return (int)json_integer_value(
		json_object_get(json_object_get(host, "ear.trustworthiness-vector"), claim));
}

static void vectors(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(table); i++) {
		const struct said *t = &table[i];
		struct ay_saml_claims c = good_claims();
		json_t *claims, *host;

		print_message("%s\n", t->what);
		c.verdict = t->verdict;
		c.component[AY_COMP_IDENTITY] = t->identity;
		c.component[AY_COMP_PLATFORM] = t->platform;
		c.component[AY_COMP_OS] = t->os;
		c.component[AY_COMP_RUNTIME] = t->runtime;
		c.component[AY_COMP_COMPLIANCE] = t->compliance;
		claims = verified(issue(&c));
		host = json_object_get(json_object_get(claims, "submods"), "host");
		assert_string_equal(json_string_value(json_object_get(host, "ear.status")),
				    t->status);
		assert_int_equal(vector(host, "instance-identity"), t->v_identity);
		assert_int_equal(vector(host, "hardware"), t->v_hardware);
		assert_int_equal(vector(host, "executables"), t->v_executables);
		assert_int_equal(vector(host, "configuration"), t->v_configuration);
		json_decref(claims);
	}
}

static void frame(void **state)
{
	struct ay_saml_claims c = good_claims();
	json_t *claims = verified(issue(&c));
	struct ay_bytes out;
	struct ay_err e = { 0 };

	(void)state;
	assert_string_equal(json_string_value(json_object_get(claims, "eat_profile")),
			    "tag:github.com,2023:veraison/ear");
	assert_string_equal(json_string_value(json_object_get(claims, "sub")), c.host_id);
	assert_string_equal(json_string_value(json_object_get(claims, "aud")), c.audience);
	assert_string_equal(json_string_value(json_object_get(claims, "eat_nonce")), c.nonce);
	assert_int_equal(json_integer_value(json_object_get(claims, "exp")), LEASE / 1000);
	json_decref(claims);
	c.nonce = "short";
	assert_int_equal(ay_ear_issue(&c, key, (uint8_t[16]){ 0 }, NOW, &arena, &out, &e),
			 AY_E_INPUT);
	assert_string_equal(e.code, "NONCE");
	c.nonce = NULL;
	c.lease_ms = NOW;
	assert_int_equal(ay_ear_issue(&c, key, (uint8_t[16]){ 0 }, NOW, &arena, &out, &e),
			 AY_E_EXISTS);
	c.lease_ms = LEASE;
	c.host_name = "bad \xff utf-8";
	claims = verified(issue(&c)); /* left out, as every string that is no text */
	json_decref(claims);
}

/* ---- another library ---- */

static void write_text(const char *dir, const char *name, struct ay_bytes text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
	fclose(f);
}

static void others_verify(void **state)
{
	static const char script[] =
		"import sys, json\n"
		"from jwcrypto import jwk, jwt\n"
		"d = sys.argv[1]\n"
		"keys = jwk.JWKSet.from_json(open(d + '/jwks').read())\n"
		"one = next(iter(keys['keys']))\n"
		"assert one.get('kid') == one.thumbprint(), 'kid is not the thumbprint'\n"
		"t = jwt.JWT(algs=['ES256'])\n"
		"t.leeway = 10 ** 9\n"
		"t.deserialize(open(d + '/jwt').read(), keys)\n"
		"c = json.loads(t.claims)\n"
		"assert c['submods']['host']['ear.status'] == 'affirming'\n"
		"assert json.loads(t.header)['kid'] == one.thumbprint()\n";
	char dir[] = "/tmp/assay-ear-XXXXXX", command[256];
	struct ay_saml_claims c = good_claims();
	json_t *set = ay_jwks_json(&keys);
	char *text = json_dumps(set, 0);

	(void)state;
	if (system("/usr/bin/python3 -c 'import jwcrypto' 2>/dev/null") != 0) {
		print_message("SKIP assertion/ear: python3-jwcrypto is not installed\n");
	} else {
		assert_non_null(mkdtemp(dir));
		write_text(dir, "jwks", ay_bytes_of(text));
		write_text(dir, "jwt", issue(&c));
		write_text(dir, "check.py", ay_bytes_of(script));
		snprintf(command, sizeof(command), "/usr/bin/python3 %s/check.py %s", dir, dir);
		assert_int_equal(system(command), 0);
		snprintf(command, sizeof(command), "rm -r %s", dir);
		assert_int_equal(system(command), 0);
	}
	free(text);
	json_decref(set);
}

/* RFC 7638 3.1 has an RSA key; the EC form was computed with python3-jwcrypto for this key of
 * RFC 7517 A.1. */
static void thumbprint(void **state)
{
	static const char set[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
				  "\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
				  "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}]}";
	struct ay_jwks s;

	(void)state;
	assert_int_equal(ay_jwks_parse(ay_bytes_of(set), &s, NULL), AY_OK);
	assert_int_equal(s.n, 1);
	assert_string_equal(s.key[0].kid, "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
}

/* ---- what is refused ---- */

/* A JWT of any header and payload, by one of our keys. */
static struct ay_bytes forge(const char *header, const char *payload, const struct ay_privkey *by)
{
	size_t room = strlen(header) * 2 + strlen(payload) * 2 + 512;
	char *text = ay_arena_alloc(&arena, room);

	assert_non_null(text);
	assert_int_equal(
		ay_jws_sign(ay_bytes_of(header), ay_bytes_of(payload), by, text, room, NULL),
		AY_OK);
	return ay_bytes_of(text);
}

#define PAYLOAD(more)                                                                              \
	"{\"eat_profile\":\"tag:github.com,2023:veraison/ear\",\"iss\":\"us\",\"iat\":1799999999," \
	"\"exp\":1800000600,\"aud\":[\"them\",\"you\"],\"eat_nonce\":\"12345678\","                \
	"\"submods\":{\"host\":{\"ear.status\":\"affirming\"}}" more "}"

struct hostile {
	const char *what, *header, *payload, *code;
};

/* %s: the kid of our key. */
static const struct hostile hostile[] = {
	{ "algorithm none", "{\"alg\":\"none\",\"kid\":\"%s\"}", PAYLOAD(""), "JWT_ALG" },
	{ "none in capitals", "{\"alg\":\"NONE\",\"kid\":\"%s\"}", PAYLOAD(""), "JWT_ALG" },
	{ "HS256", "{\"alg\":\"HS256\",\"kid\":\"%s\"}", PAYLOAD(""), "JWT_ALG" },
	{ "another curve", "{\"alg\":\"ES384\",\"kid\":\"%s\"}", PAYLOAD(""), "JWT_ALG" },
	{ "no algorithm", "{\"kid\":\"%s\"}", PAYLOAD(""), "JWT_ALG" },
	{ "algorithm is no text", "{\"alg\":[\"ES256\"],\"kid\":\"%s\"}", PAYLOAD(""), "JWT_ALG" },
	{ "a key that nobody knows", "{\"alg\":\"ES256\",\"kid\":\"%.10s\"}", PAYLOAD(""),
	  "JWT_KID" },
	{ "no kid", "{\"alg\":\"ES256\"}", PAYLOAD(""), "JWT_KID" },
	{ "crit", "{\"alg\":\"ES256\",\"kid\":\"%s\",\"crit\":[\"exp\"]}", PAYLOAD(""),
	  "JWT_CRIT" },
	{ "unencoded payload", "{\"alg\":\"ES256\",\"kid\":\"%s\",\"b64\":false}", PAYLOAD(""),
	  "JWT_CRIT" },
	{ "a key of its own", "{\"alg\":\"ES256\",\"kid\":\"%s\",\"jwk\":{}}", PAYLOAD(""),
	  "JWT_HEADER" },
	{ "a key elsewhere", "{\"alg\":\"ES256\",\"kid\":\"%s\",\"jku\":\"https://x/\"}",
	  PAYLOAD(""), "JWT_HEADER" },
	{ "a certificate", "{\"alg\":\"ES256\",\"kid\":\"%s\",\"x5c\":[]}", PAYLOAD(""),
	  "JWT_HEADER" },
	{ "compressed", "{\"alg\":\"ES256\",\"kid\":\"%s\",\"zip\":\"DEF\"}", PAYLOAD(""),
	  "JWT_HEADER" },
	{ "two algorithms", "{\"alg\":\"none\",\"alg\":\"ES256\",\"kid\":\"%s\"}", PAYLOAD(""),
	  "JWT_HEADER" },
	{ "a header that is a list", "[\"%s\"]", PAYLOAD(""), "JWT_HEADER" },
	{ "two expiries", "{\"alg\":\"ES256\",\"kid\":\"%s\"}", PAYLOAD(",\"exp\":1900000000"),
	  "JWT_CLAIMS" },
	{ "claims that are no object", "{\"alg\":\"ES256\",\"kid\":\"%s\"}", "[]", "JWT_CLAIMS" },
	{ "no expiry", "{\"alg\":\"ES256\",\"kid\":\"%s\"}",
	  "{\"eat_profile\":\"tag:github.com,2023:veraison/ear\",\"iat\":1,"
	  "\"submods\":{\"h\":{\"ear.status\":\"none\"}}}",
	  "JWT_CLAIMS" },
	{ "expiry is no number", "{\"alg\":\"ES256\",\"kid\":\"%s\"}",
	  "{\"exp\":\"1900000000\",\"iat\":1}", "JWT_CLAIMS" },
	{ "another kind of EAT", "{\"alg\":\"ES256\",\"kid\":\"%s\"}",
	  "{\"eat_profile\":\"tag:github.com,2023:veraison/eat\",\"iat\":1,\"exp\":1900000000,"
	  "\"submods\":{\"host\":{\"ear.status\":\"affirming\"}}}",
	  "EAR_SHAPE" },
	{ "no kind of EAT", "{\"alg\":\"ES256\",\"kid\":\"%s\"}",
	  "{\"iat\":1,\"exp\":1900000000,"
	  "\"submods\":{\"host\":{\"ear.status\":\"affirming\"}}}",
	  "EAR_SHAPE" },
	{ "no status", "{\"alg\":\"ES256\",\"kid\":\"%s\"}",
	  "{\"eat_profile\":\"tag:github.com,2023:veraison/ear\",\"iat\":1,\"exp\":1900000000,"
	  "\"submods\":{\"host\":{}}}",
	  "EAR_SHAPE" },
	{ "nobody", "{\"alg\":\"ES256\",\"kid\":\"%s\"}",
	  "{\"eat_profile\":\"tag:github.com,2023:veraison/ear\",\"iat\":1,\"exp\":1900000000,"
	  "\"submods\":{}}",
	  "EAR_SHAPE" },
};

static void refused(struct ay_bytes jwt, const struct ay_ear_expect *want, const char *code)
{
	struct ay_err e = { 0 };
	json_t *claims;

	assert_int_not_equal(ay_ear_verify(jwt, want, &claims, &e), AY_OK);
	assert_null(claims);
	assert_string_equal(e.code, code);
}

static void hostile_tokens(void **state)
{
	struct ay_ear_expect want = expect();
	char header[256];

	(void)state;
	for (size_t i = 0; i < AY_COUNT(hostile); i++) {
		print_message("%s\n", hostile[i].what);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(header, sizeof(header), hostile[i].header, keys.key[0].kid);
#pragma GCC diagnostic pop
		refused(forge(header, hostile[i].payload, key), &want, hostile[i].code);
	}
}

static const char *good_header(void)
{
	static char header[128];

	snprintf(header, sizeof(header), "{\"alg\":\"ES256\",\"kid\":\"%s\"}", keys.key[0].kid);
	return header;
}

static void signatures(void **state)
{
	struct ay_ear_expect want = expect();
	struct ay_bytes good = forge(good_header(), PAYLOAD(""), key), b;
	json_t *claims;
	uint8_t *p;

	(void)state;
	assert_int_equal(ay_ear_verify(good, &want, &claims, NULL), AY_OK);
	json_decref(claims);
	refused(forge(good_header(), PAYLOAD(""), other), &want, "JWT_SIGNATURE");
	p = ay_arena_dup(&arena, good).p ? (uint8_t *)(uintptr_t)ay_arena_dup(&arena, good).p
					 : NULL;
	assert_non_null(p);
	p[good.n / 2] = p[good.n / 2] == 'A' ? 'B' : 'A'; /* in the payload */
	refused((struct ay_bytes){ p, good.n }, &want, "JWT_SIGNATURE");
	b = (struct ay_bytes){ good.p, good.n - 87 }; /* no signature, no dot */
	refused(b, &want, "JWT_SHAPE");
	refused((struct ay_bytes){ good.p, b.n + 1 }, &want, "JWT_SIGNATURE"); /* an empty one */
	refused(ay_bytes_of("a.b.c.d"), &want, "JWT_SHAPE");
	refused(ay_bytes_of(""), &want, "JWT_SHAPE");
	refused(ay_bytes_of("<saml2:Assertion/>"), &want, "JWT_SHAPE");
}

static void too_big(void **state)
{
	struct ay_ear_expect want = expect();
	size_t n = AY_MAX_JWT_BYTES + 4096;
	char *payload = ay_arena_alloc(&arena, n);

	(void)state;
	assert_non_null(payload);
	memset(payload, ' ', n - 1);
	memcpy(payload + n - 1 - strlen(PAYLOAD("")), PAYLOAD(""), strlen(PAYLOAD("")));
	refused(forge(good_header(), payload, key), &want, "JWT_LIMIT");
}

static void expectations(void **state)
{
	struct ay_bytes good = forge(good_header(), PAYLOAD(""), key);
	struct ay_ear_expect want = expect();
	json_t *claims;

	(void)state;
	want.audience = "you";
	want.issuer = "us";
	want.nonce = "12345678";
	assert_int_equal(ay_ear_verify(good, &want, &claims, NULL), AY_OK);
	json_decref(claims);
	want.audience = "yo";
	refused(good, &want, "JWT_CLAIMS");
	want.audience = NULL;
	want.issuer = "them";
	refused(good, &want, "JWT_CLAIMS");
	want.issuer = NULL;
	want.nonce = "87654321";
	refused(good, &want, "JWT_CLAIMS");
	want = expect();
	want.now_ms = 1800000601000;
	refused(good, &want, "JWT_CLAIMS"); /* the skew is a second */
	want.now_ms = 1799999990000;
	refused(good, &want, "JWT_CLAIMS");
	want = expect();
	refused(forge(good_header(), PAYLOAD(",\"nbf\":1800000100"), key), &want, "JWT_CLAIMS");
}

static void key_sets(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"keys\":{}}",
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}",
		/* not on the curve */
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\","
		"\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
		"\"y\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\"}]}",
		/* a private key */
		"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"d\":\"AA\","
		"\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
		"\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}]}",
		"{\"keys\":[],\"keys\":[]}",
	};
	struct ay_jwks s;
	struct ay_err e = { 0 };

	(void)state;
	for (size_t i = 0; i < AY_COUNT(bad); i++) {
		assert_int_not_equal(ay_jwks_parse(ay_bytes_of(bad[i]), &s, &e), AY_OK);
		assert_string_equal(e.code, "JWKS");
		assert_int_equal(s.n, 0);
	}
	/* the public key as the secret of an HMAC: such a key is not even taken */
	assert_int_equal(
		ay_jwks_parse(ay_bytes_of("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AA\"},"
					  "{\"kty\":\"RSA\",\"n\":\"AA\",\"e\":\"AQAB\"}]}"),
			      &s, NULL),
		AY_OK);
	assert_int_equal(s.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),	  cmocka_unit_test(frame),
		cmocka_unit_test(others_verify),  cmocka_unit_test(thumbprint),
		cmocka_unit_test(hostile_tokens), cmocka_unit_test(signatures),
		cmocka_unit_test(too_big),	  cmocka_unit_test(expectations),
		cmocka_unit_test(key_sets),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
