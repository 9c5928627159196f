/* SPDX-License-Identifier: Apache-2.0 */
/* Every certificate of the corpus against what tools other than ours say about it. */
#include "support/t.h"

#include "core/base/base64.h"
#include "core/base/hex.h"
#include "core/base/timefmt.h"
#include "core/crypto/ekcert.h"
#include "core/crypto/hash.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *corpus;

/* The contents of the first PEM block, whatever its label; the file itself if it has none. */
static struct ay_bytes from_pem(struct ay_bytes file, const char **rest)
{
	const char *text = (const char *)file.p, *begin, *end;
	char *clean = malloc(file.n + 1), *out = clean;
	uint8_t *der = malloc(file.n + 1);
	size_t n = 0;

	*rest = NULL;
	begin = memmem(text, file.n, "-----BEGIN ", 11);
	if (begin == NULL) {
		free(clean);
		free(der);
		return file;
	}
	begin = strchr(begin, '\n') + 1;
	end = strstr(begin, "-----END ");
	assert_non_null(end);
	for (const char *p = begin; p < end; p++)
		if (strchr(" \r\n\t", *p) == NULL)
			*out++ = *p;
	if (ay_base64_decode(AY_BASE64_STD,
			     (struct ay_bytes){ (uint8_t *)clean, (size_t)(out - clean) }, "pem",
			     der, file.n, &n, NULL) != AY_OK)
		n = 0;
	free(clean);
	*rest = strchr(end, '\n');
	return (struct ay_bytes){ der, n };
}

/* "Mar  1 14:19:16 2033 GMT" */
static int64_t openssl_time(const char *s)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char mon[4], text[AY_TIME_ROOM];
	int d, h, m, sec, y;
	int64_t at;

	assert_int_equal(sscanf(s, "%3s %d %d:%d:%d %d", mon, &d, &h, &m, &sec, &y), 6);
	snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02dZ", y,
		 (int)(strstr(months, mon) - months) / 3 + 1, d, h, m, sec);
	assert_int_equal(ay_time_parse(ay_bytes_of(text), "t", &at, NULL), AY_OK);
	return at;
}

static void compare(const struct ay_cert *c, const json_t *want)
{
	char serial[128] = "", print[65], text[65];
	const char *w = json_string_value(json_object_get(want, "serial"));
	struct ay_bytes s = c->serial;
	uint8_t md[32];
	size_t k = 0;

	assert_int_equal(c->not_before_ms,
			 openssl_time(json_string_value(json_object_get(want, "notBefore"))));
	assert_int_equal(c->not_after_ms,
			 openssl_time(json_string_value(json_object_get(want, "notAfter"))));
	while (s.n > 1 && s.p[0] == 0)
		s = (struct ay_bytes){ s.p + 1, s.n - 1 };
	ay_hex_encode(s, serial);
	assert_true(strcasecmp(serial, w) == 0);
	ay_sha256(c->der, md);
	ay_hex_encode(AY_BYTES(md), text);
	for (w = json_string_value(json_object_get(want, "sha256 Fingerprint")); *w; w++)
		if (*w != ':')
			print[k++] = *w;
	print[k] = '\0';
	assert_true(strcasecmp(print, text) == 0);
	assert_int_equal(json_string_value(json_object_get(want, "subject"))[0] == '\0',
			 c->subject_empty);
}

/* What openssl cannot load, and we can, with the reason it is a named deviation. */
static const struct {
	const char *name;
	uint32_t flags;
} deviations[] = {
	{ "certs/hirs/ek_cert_untouched.cer",
	  AY_CERT_NV_HEADER | AY_CERT_RSAES_OAEP | AY_CERT_SHA1 },
	{ "certs/hirs/ek_cert_with_security_assertions.cer",
	  AY_CERT_NV_HEADER | AY_CERT_NV_PADDING | AY_CERT_RSAES_OAEP | AY_CERT_SHA1 },
	{ "certs/hirs/stmtpmekint02.pem", AY_CERT_SERIAL_PADDED },
	{ "certs/hirs/ek_cert_with_padded_bytes.cer",
	  AY_CERT_NV_PADDING | AY_CERT_SET_ORDER | AY_CERT_RSAES_OAEP | AY_CERT_SHA1 },
	{ "certs/hirs/ek_cert_7_byte_header_removed.cer", AY_CERT_RSAES_OAEP | AY_CERT_SHA1 },
	{ "certs/hirs/tpmcert.pem", AY_CERT_RSAES_OAEP | AY_CERT_SHA1 },
	{ "certs/ek/ek-infineon-rsa.der", 0 },
	{ "certs/ek/ek-infineon-ecc.der", 0 },
};

static const uint32_t *expected_flags(const char *name)
{
	for (size_t i = 0; i < AY_COUNT(deviations); i++)
		if (strcmp(name, deviations[i].name) == 0)
			return &deviations[i].flags;
	return NULL;
}

static unsigned n_seen, n_refused;

static void one(const char *name, const json_t *expected)
{
	const char *verdict = json_string_value(json_object_get(expected, "verdict")), *rest;
	const uint32_t *flags = expected_flags(name);
	struct ay_bytes der = from_pem(t_corpus_file("corpuscert", name), &rest);
	struct ay_pubkey *key = NULL;
	struct ay_ekcert c;
	struct ay_err e = { 0 };
	enum ay_rc rc = ay_ekcert_parse(der, &c, &e);

	print_message("%s: %s flags %x %s %s %s\n", name, ay_rc_name(rc), c.cert.flags, e.code,
		      e.where ? e.where : "", e.text);
	n_seen++;
	if (strcmp(verdict, "parses") == 0 || flags != NULL) {
		assert_int_equal(rc, AY_OK);
		if (strcmp(verdict, "parses") == 0)
			compare(&c.cert, expected);
		if (flags != NULL)
			assert_int_equal(c.cert.flags, *flags);
		rc = ay_cert_key(&c.cert, &key, &e);
		print_message("   key: %s %s %s\n", ay_rc_name(rc), e.where, e.text);
		assert_int_equal(rc, AY_OK);
		ay_pubkey_free(key);
	} else {
		assert_int_not_equal(rc, AY_OK);
		assert_memory_equal(e.code, "CERT_", 5);
		n_refused++;
	}
}

static void each_of(const char *dir)
{
	char path[2048], name[512];
	struct dirent *ent;
	DIR *d;

	snprintf(path, sizeof(path), "%s/expected/%s", corpus, dir);
	d = opendir(path);
	assert_non_null(d);
	while ((ent = readdir(d)) != NULL) {
		size_t n = strlen(ent->d_name);
		json_t *j;

		if (n < 6 || strcmp(ent->d_name + n - 5, ".json") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/expected/%s/%s", corpus, dir, ent->d_name);
		j = json_load_file(path, 0, NULL);
		assert_non_null(j);
		snprintf(name, sizeof(name), "%s/%.*s", dir, (int)n - 5, ent->d_name);
		if (strcmp(json_string_value(json_object_get(j, "kind")), "certificate") == 0)
			one(name, json_object_get(j, "expected"));
		json_decref(j);
	}
	closedir(d);
}

static void all_parse_or_are_refused(void **state)
{
	(void)state;
	corpus = t_corpus("corpuscert");
	each_of("certs/ek");
	each_of("certs/hirs");
	each_of("certs/cit");
	each_of("certs/platform");
	each_of("certs/vendor-ca");
	print_message("%u certificates, %u refused\n", n_seen, n_refused);
	assert_true(n_seen >= 80);
}

static void san_of_ek(void **state)
{
	static const char *const rows[][4] = {
		{ "certs/ek/ek-infineon-rsa.der", "id:49465800", "SLB 9670 TPM2.0", "id:073f" },
		{ "certs/hirs/ek_cert_untouched.cer", "id:53544D20", "ST33ZP24PVSP", "id:0D0C" },
	};
	struct ay_ekcert c;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		assert_int_equal(ay_ekcert_parse(t_corpus_file("san", rows[i][0]), &c, NULL),
				 AY_OK);
		assert_string_equal(c.manufacturer, rows[i][1]);
		assert_string_equal(c.model, rows[i][2]);
		assert_string_equal(c.version, rows[i][3]);
		assert_true(c.eku_ek);
	}
}

enum { BUNDLE_MAX = 400 };
static struct ay_cert anchors[BUNDLE_MAX], inter[BUNDLE_MAX];
static size_t n_anchors, n_inter;

static unsigned load_bundle(const char *name, bool as_roots)
{
	struct ay_bytes file = t_corpus_file("bundle", name);
	const char *rest = (const char *)file.p;
	unsigned n = 0;

	while (rest != NULL && strstr(rest, "-----BEGIN CERT") != NULL) {
		struct ay_bytes der =
			from_pem((struct ay_bytes){ (const uint8_t *)rest, strlen(rest) }, &rest);
		struct ay_cert c;
		struct ay_err e = { 0 };
		enum ay_rc rc = ay_cert_parse(der, &c, &e);

		if (rc != AY_OK)
			print_message("%s #%u: %s %s %s\n", name, n, e.code, e.where, e.text);
		n++;
		if (rc != AY_OK)
			continue;
		if (as_roots && ay_bytes_eq(c.issuer, c.subject))
			anchors[n_anchors++] = c;
		else
			inter[n_inter++] = c;
	}
	return n;
}

static void bundles_count(void **state)
{
	(void)state;
	assert_int_equal(load_bundle("certs/secl-EndorsementCA-external.pem", false), 23);
	n_inter = n_anchors = 0;
	assert_int_equal(load_bundle("certs/tpm-ca-certificates.pem", true), 26);
	assert_int_equal(n_anchors, 23);
	assert_int_equal(n_inter, 3);
	assert_int_equal(load_bundle("certs/tpm-intermediate-ca-certificates.pem", false), 143);
}

static void chain_one(const char *name, const json_t *j)
{
	const char *want =
		json_string_value(json_object_get(json_object_get(j, "chain_to_bundle"), "result"));
	struct ay_trust_set set = { .name = "vendors", .anchors = anchors, .n_anchors = n_anchors };
	struct ay_chain_policy policy = { .ignore_dates = true,
					  .allow_sha1 = true,
					  .crl = AY_CRL_IGNORE };
	const char *rest;
	struct ay_ekcert c;
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (want == NULL ||
	    ay_ekcert_parse(from_pem(t_corpus_file("chain", name), &rest), &c, NULL) != AY_OK)
		return;
	rc = ay_chain_check(&c.cert, inter, n_inter, &set, &policy, &e);
	print_message("%s: %s, want %s (%s)\n", name, ay_rc_name(rc), want, e.text);
	/* "unspecified": openssl cannot load the rsaesOaep key of the leaf; its chain is not broken
	 */
	if (strstr(want, "unspecified") == NULL)
		assert_int_equal(rc == AY_OK, strcmp(want, "OK") == 0);
	if (rc != AY_OK)
		assert_string_equal(e.code, "EK_CHAIN");
}

static void chains_as_openssl_says(void **state)
{
	static const char *const dirs[] = { "certs/ek", "certs/hirs", "certs/vendor-ca",
					    "certs/cit" };
	char path[2048], name[512];
	struct dirent *ent;

	(void)state;
	corpus = t_corpus("chains");
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < AY_COUNT(dirs); i++) {
			DIR *d;

			snprintf(path, sizeof(path), "%s/%s", corpus, dirs[i]);
			d = opendir(path);
			while ((ent = readdir(d)) != NULL) {
				json_t *j;

				if (ent->d_name[0] == '.')
					continue;
				snprintf(name, sizeof(name), "%s/%s", dirs[i], ent->d_name);
				snprintf(path, sizeof(path), "%s/expected/%s.json", corpus, name);
				j = json_load_file(path, 0, NULL);
				if (pass == 0 && strstr(dirs[i], "vendor-ca") != NULL)
					load_bundle(name, false);
				else if (pass == 1 && j != NULL)
					chain_one(name, j);
				json_decref(j);
			}
			closedir(d);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_parse_or_are_refused),
		cmocka_unit_test(san_of_ek),
		cmocka_unit_test(bundles_count),
		cmocka_unit_test(chains_as_openssl_says),
	};

	return cmocka_run_group_tests_name("crypto/corpuscert", tests, NULL, NULL);
}
