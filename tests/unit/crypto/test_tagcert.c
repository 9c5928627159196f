/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of asset tags: openssl reads their structure and verifies their signature. */
#include "support/t.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/crypto/pem.h"
#include "core/crypto/tagcert.h"
#include "io/sys/file.h"

/* Name of one RDN, CN=Tag CA; SEQUENCE, SET, SEQUENCE, OID 2.5.4.3, UTF8String. */
#define ISSUER "3011310f300d06035504030c06546167204341"

static struct {
	struct ay_privkey *key;
	struct ay_pubkey *pub;
	char dir[64];
	uint8_t der[AY_TAG_CERT_MAX];
	size_t n;
} w;

static const uint8_t serial[16] = { 0x00, 0x9a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 };

static int set_up(void **state)
{
	(void)state;
	strcpy(w.dir, "/tmp/ay-tagcert-XXXXXX");
	assert_non_null(mkdtemp(w.dir));
	assert_int_equal(ay_privkey_generate(&w.key, NULL), AY_OK);
	assert_int_equal(ay_privkey_public(w.key, &w.pub, NULL), AY_OK);
	return 0;
}

static int tear_down(void **state)
{
	char cmd[96];

	(void)state;
	ay_pubkey_free(w.pub);
	ay_privkey_free(w.key);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", w.dir);
	return system(cmd);
}

/* 2026-01-01 and 2027-01-01, by `date -d ... +%s` */
enum { FROM_S = 1767225600, UNTIL_S = 1798761600 };

static struct ay_tag_cert example(void)
{
	struct ay_tag_cert c = { .serial = AY_BYTES(serial),
				 .issuer_name = t_hex(ISSUER),
				 .not_before_ms = FROM_S * 1000LL,
				 .not_after_ms = UNTIL_S * 1000LL,
				 .n_attrs = 2 };

	memset(c.host.b, 0x42, sizeof(c.host.b));
	c.attr[0] = (struct ay_tag_attr){ ay_bytes_of("country"), ay_bytes_of("CH") };
	c.attr[1] = (struct ay_tag_attr){ ay_bytes_of("rack"), ay_bytes_of("a=7 \xc3\xa9") };
	return c;
}

static void issue(const struct ay_tag_cert *c)
{
	assert_int_equal(ay_tag_cert_issue(c, w.key, w.der, &w.n, NULL), AY_OK);
}

static struct ay_bytes der(void)
{
	return (struct ay_bytes){ w.der, w.n };
}

static void put(const char *name, struct ay_bytes b)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", w.dir, name);
	assert_int_equal(ay_file_write(path, 0600, b, NULL), AY_OK);
}

static int sh(const char *line)
{
	char cmd[1024];

	(void)snprintf(cmd, sizeof(cmd), "cd %s && { %s; } >out 2>&1", w.dir, line);
	return system(cmd);
}

static void openssl_agrees(void **state)
{
	uint8_t spki[AY_SPKI_P256];
	char pem[512];
	struct ay_tag_cert c = example(), back;

	(void)state;
	issue(&c);
	put("tag.der", der());
	assert_int_equal(ay_privkey_spki(w.key, spki, NULL), AY_OK);
	ay_pem_write("PUBLIC KEY", AY_BYTES(spki), pem);
	put("ca.pem", ay_bytes_of(pem));
	assert_int_equal(sh("openssl asn1parse -inform DER -in tag.der -out whole > t.txt"), 0);
	assert_int_equal(sh("grep -q ':country=CH' t.txt && grep -q ':20260101000000Z' t.txt && "
			    "grep -q ':20270101000000Z' t.txt && grep -q ':9A0102030405060708090A"
			    "0B0C0D0E' t.txt && grep -q ':2.5.4.789.1' t.txt && grep -q "
			    "'OCTET STRING *:BBBBBBBBBBBBBBBB' t.txt && grep -q "
			    "':ecdsa-with-SHA256' t.txt && grep -q ':Tag CA' t.txt"),
			 0);
	assert_int_equal(ay_tag_cert_parse(der(), &back, NULL), AY_OK);
	put("acinfo", back.signed_octets);
	put("sig", back.signature);
	assert_int_equal(sh("openssl dgst -sha256 -verify ca.pem -signature sig acinfo"), 0);
	assert_memory_equal(back.host.b, c.host.b, 16);
	assert_int_equal(back.not_before_ms, c.not_before_ms);
	assert_int_equal(back.not_after_ms, c.not_after_ms);
	assert_true(ay_bytes_eq(back.issuer_name, c.issuer_name));
	assert_int_equal(back.n_attrs, 2);
	assert_true(ay_bytes_eq(back.attr[1].name, ay_bytes_of("rack")));
	assert_true(ay_bytes_eq(back.attr[1].value, ay_bytes_of("a=7 \xc3\xa9")));
}

/* As many and as long as may be: lengths of two and three octets. */
static void the_longest(void **state)
{
	static char name[65], value[257];
	struct ay_tag_cert c = example(), back;

	(void)state;
	memset(name, 'n', 64);
	memset(value, 'v', 256);
	for (c.n_attrs = 0; c.n_attrs < AY_MAX_TAG_ATTRS; c.n_attrs++)
		c.attr[c.n_attrs] = (struct ay_tag_attr){ ay_bytes_of(name), ay_bytes_of(value) };
	issue(&c);
	assert_int_equal(ay_tag_cert_parse(der(), &back, NULL), AY_OK);
	assert_int_equal(back.n_attrs, AY_MAX_TAG_ATTRS);
	put("tag.der", der());
	assert_int_equal(sh("openssl asn1parse -inform DER -in tag.der"), 0);
}

static void what_is_no_tag_is_not_issued(void **state)
{
	static const struct ay_tag_attr bad[] = {
		{ { (const uint8_t *)"", 0 }, { (const uint8_t *)"x", 1 } },
		{ { (const uint8_t *)"a=b", 3 }, { (const uint8_t *)"x", 1 } },
		{ { (const uint8_t *)"a\n", 2 }, { (const uint8_t *)"x", 1 } },
		{ { (const uint8_t *)"a", 1 }, { (const uint8_t *)"\xff", 1 } },
		{ { (const uint8_t *)"a", 1 }, { (const uint8_t *)"\x7f", 1 } },
	};
	struct ay_tag_cert c;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(bad); i++) {
		c = example();
		c.attr[1] = bad[i];
		assert_int_equal(ay_tag_cert_issue(&c, w.key, w.der, &w.n, NULL), AY_E_INPUT);
		assert_int_equal(w.n, 0);
	}
	c = example();
	c.n_attrs = 0;
	assert_int_equal(ay_tag_cert_issue(&c, w.key, w.der, &w.n, NULL), AY_E_INPUT);
	c = example();
	c.not_after_ms = c.not_before_ms;
	assert_int_equal(ay_tag_cert_issue(&c, w.key, w.der, &w.n, NULL), AY_E_INPUT);
}

static const char *verdict(const struct ay_tag_cert *c, const struct ay_pubkey *ca, uint8_t host,
			   int64_t now_ms)
{
	static struct ay_err e;
	struct ay_uuid id;

	e = (struct ay_err){ 0 };
	memset(id.b, host, sizeof(id.b));
	return ay_tag_cert_check(c, ca, &id, now_ms, &e) == AY_OK ? "" : e.code;
}

static void judged(void **state)
{
	const int64_t now = (FROM_S + 100) * 1000LL;
	struct ay_tag_cert c = example(), back;
	struct ay_privkey *other;
	struct ay_pubkey *other_pub;

	(void)state;
	issue(&c);
	assert_int_equal(ay_tag_cert_parse(der(), &back, NULL), AY_OK);
	assert_string_equal(verdict(&back, w.pub, 0x42, now), "");
	assert_string_equal(verdict(&back, w.pub, 0x43, now), "TAG_CERT_HOST");
	assert_string_equal(verdict(&back, w.pub, 0x42, FROM_S * 1000LL - 1), "TAG_CERT_EARLY");
	assert_string_equal(verdict(&back, w.pub, 0x42, UNTIL_S * 1000LL), "TAG_CERT_EXPIRED");
	assert_int_equal(ay_privkey_generate(&other, NULL), AY_OK);
	assert_int_equal(ay_privkey_public(other, &other_pub, NULL), AY_OK);
	assert_string_equal(verdict(&back, other_pub, 0x42, now), "TAG_CERT_SIGNATURE");
	ay_pubkey_free(other_pub);
	ay_privkey_free(other);
	w.der[60] ^= 1; /* in the holder's UUID or beside it: signed octets */
	if (ay_tag_cert_parse(der(), &back, NULL) == AY_OK)
		assert_string_equal(verdict(&back, w.pub, back.host.b[0], now),
				    "TAG_CERT_SIGNATURE");
}

/* Every cut and every changed octet is refused, or is at least not signed any more. */
static void damage(void **state)
{
	const int64_t now = (FROM_S + 100) * 1000LL;
	struct ay_tag_cert c = example(), back;

	(void)state;
	issue(&c);
	for (size_t i = 0; i < w.n; i++) {
		assert_int_not_equal(ay_tag_cert_parse((struct ay_bytes){ w.der, i }, &back, NULL),
				     AY_OK);
		assert_int_equal(back.n_attrs, 0);
		w.der[i] ^= 0x01;
		if (ay_tag_cert_parse(der(), &back, NULL) == AY_OK)
			assert_string_not_equal(verdict(&back, w.pub, back.host.b[0], now), "");
		w.der[i] ^= 0x01;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_agrees),
		cmocka_unit_test(the_longest),
		cmocka_unit_test(what_is_no_tag_is_not_issued),
		cmocka_unit_test(judged),
		cmocka_unit_test(damage),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
