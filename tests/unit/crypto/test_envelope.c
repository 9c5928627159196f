/* SPDX-License-Identifier: Apache-2.0 */
/* AuthEnvelopedData: openssl's cms program reads ours, we read its, and only the one form. */
#include "support/simtpm.h"
#include "support/t.h"

#include "core/crypto/envelope.h"
#include "core/crypto/pem.h"
#include "core/crypto/x509.h"
#include "io/sys/file.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char dir[64];
static struct t_ca root, to, other;
static const char text[] = "The quick brown fox jumps over the lazy dog, in 53 octets.";

static void put(const char *name, struct ay_bytes b)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(ay_file_write(path, 0600, b, NULL), AY_OK);
}

static struct ay_bytes get(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return t_file(path);
}

static void put_pem(const char *name, struct ay_bytes der)
{
	char pem[4096];

	ay_pem_write("CERTIFICATE", der, pem);
	put(name, ay_bytes_of(pem));
}

AY_PRINTF(1, 2)
static int sh(const char *fmt, ...)
{
	char command[1024], line[900];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	snprintf(command, sizeof(command), "cd %s && (%s) >/dev/null 2>&1", dir, line);
	return system(command);
}

static int set_up(void **state)
{
	char pem[512];

	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/ay-test-cms-XXXXXX");
	assert_non_null(mkdtemp(dir));
	t_ca_make(&root, &(struct t_ca_spec){ .name = "root", .path_len = -1 });
	t_ca_make(&to, &(struct t_ca_spec){ .name = "to",
					    .by = &root,
					    .not_ca = true,
					    .path_len = -1,
					    .usage = AY_KU_KEY_AGREEMENT });
	t_ca_make(&other, &(struct t_ca_spec){ .name = "other",
					       .by = &root,
					       .not_ca = true,
					       .path_len = -1,
					       .usage = AY_KU_KEY_AGREEMENT });
	assert_int_equal(ay_privkey_pem(to.key, pem, sizeof(pem), NULL), AY_OK);
	put("key.pem", ay_bytes_of(pem));
	put_pem("cert.pem", t_ca_cert(&to));
	put_pem("other.pem", t_ca_cert(&other));
	put("plain", ay_bytes_of(text));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	t_ca_fini(&root);
	t_ca_fini(&to);
	t_ca_fini(&other);
	return sh("rm -rf %s", dir);
}

static void openssl_reads_ours(void **state)
{
	uint8_t b[4096];
	size_t n;

	(void)state;
	assert_int_equal(
		ay_envelope_seal(t_ca_cert(&to), ay_bytes_of(text), b, sizeof(b), &n, NULL), AY_OK);
	assert_true(n <= strlen(text) + AY_ENVELOPE_OVERHEAD);
	put("ours.der", (struct ay_bytes){ b, n });
	assert_int_equal(sh("openssl cms -decrypt -binary -inform DER -in ours.der -inkey key.pem "
			    "-recip cert.pem -out back"),
			 0);
	assert_true(ay_bytes_eq(get("back"), ay_bytes_of(text)));
	assert_int_equal(ay_envelope_seal(t_ca_cert(&to), ay_bytes_of(text), b, 100, &n, NULL),
			 AY_E_LIMIT);
}

static enum ay_rc open_with(struct ay_bytes der, const struct t_ca *who, struct ay_err *e)
{
	uint8_t out[4096];
	size_t n;
	enum ay_rc rc = ay_envelope_open(der, who->key, t_ca_cert(who), out, sizeof(out), &n, e);

	if (rc == AY_OK)
		assert_true(ay_bytes_eq((struct ay_bytes){ out, n }, ay_bytes_of(text)));
	else
		assert_int_equal(n, 0);
	return rc;
}

#define ENCRYPT "openssl cms -encrypt -binary -in plain -outform DER "
#define SHA256 "-keyopt ecdh_kdf_md:sha256 "

static void we_read_openssls(void **state)
{
	struct ay_err e;

	(void)state;
	assert_int_equal(sh(ENCRYPT "-aes-256-gcm -recip cert.pem " SHA256 "-out m.der"), 0);
	assert_int_equal(open_with(get("m.der"), &to, &e), AY_OK);
	assert_int_equal(open_with(get("m.der"), &other, &e), AY_E_CRYPTO);
	assert_string_equal(e.code, "CA_ENVELOPE");
}

/* Other algorithms and forms: refused before anything is decrypted, though the key would fit. */
static void other_forms(void **state)
{
	static const char *const rows[] = {
		ENCRYPT "-aes-128-gcm -recip cert.pem " SHA256,
		ENCRYPT "-aes-192-gcm -recip cert.pem " SHA256,
		ENCRYPT "-aes-256-cbc -recip cert.pem " SHA256,
		ENCRYPT "-aes-256-gcm -recip cert.pem -keyopt ecdh_kdf_md:sha1 ",
		ENCRYPT "-aes-256-gcm -recip cert.pem -keyopt ecdh_kdf_md:sha384 ",
		ENCRYPT "-aes-256-gcm -recip cert.pem -keyopt ecdh_kdf_md:sha256 "
			"-keyopt ecdh_cofactor_mode:1 ",
		ENCRYPT "-aes-256-gcm -recip cert.pem " SHA256 "-recip other.pem " SHA256,
		ENCRYPT "-aes-256-gcm -secretkey "
			"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f "
			"-secretkeyid 01 ",
		ENCRYPT "-stream -aes-256-gcm -recip cert.pem " SHA256,
		"openssl cms -data_create -in plain -outform DER ",
	};
	struct ay_err e;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		print_message("%s\n", rows[i]);
		assert_int_equal(sh("rm -f m.der; %s -out m.der", rows[i]), 0);
		assert_int_equal(open_with(get("m.der"), &to, &e), AY_E_INPUT);
		assert_string_equal(e.code, "CA_ENVELOPE");
	}
}

static void every_flip_and_prefix(void **state)
{
	uint8_t b[4096];
	struct ay_err e;
	size_t n;

	(void)state;
	assert_int_equal(
		ay_envelope_seal(t_ca_cert(&to), ay_bytes_of(text), b, sizeof(b), &n, NULL), AY_OK);
	assert_int_equal(open_with((struct ay_bytes){ b, n }, &to, &e), AY_OK);
	for (size_t i = 0; i < n; i++) {
		b[i] ^= 0x20;
		assert_int_not_equal(open_with((struct ay_bytes){ b, n }, &to, &e), AY_OK);
		assert_string_equal(e.code, "CA_ENVELOPE");
		b[i] ^= 0x20;
		assert_int_not_equal(open_with((struct ay_bytes){ b, i }, &to, &e), AY_OK);
	}
	b[n] = 0;
	assert_int_equal(open_with((struct ay_bytes){ b, n + 1 }, &to, &e), AY_E_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_reads_ours),
		cmocka_unit_test(we_read_openssls),
		cmocka_unit_test(other_forms),
		cmocka_unit_test(every_flip_and_prefix),
	};

	return cmocka_run_group_tests_name("crypto/envelope", tests, set_up, tear_down);
}
