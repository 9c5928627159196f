/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/crypto/hash.h"
#include "core/crypto/pinchange.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#define NOW_MS 1790000000000LL
#define DAY_MS 86400000LL

static struct ay_privkey *before, *other;
static uint8_t pin[32], other_pin[32];
static uint8_t good[AY_PIN_CHANGE_MAX];
static size_t n_good;

static struct ay_pin_change change(void)
{
	struct ay_pin_change c = { .purpose = AY_PIN_ROOT,
				   .sequence = 7,
				   .not_before_ms = NOW_MS - DAY_MS,
				   .not_after_ms = NOW_MS + DAY_MS,
				   .label = ay_bytes_of("root of 2026") };

	memset(c.next, 0x5a, sizeof(c.next));
	return c;
}

static int set_up(void **state)
{
	struct ay_pin_change c = change();

	(void)state;
	assert_int_equal(ay_privkey_generate(&before, NULL), AY_OK);
	assert_int_equal(ay_privkey_generate(&other, NULL), AY_OK);
	assert_int_equal(ay_privkey_spki_hash(before, pin, NULL), AY_OK);
	assert_int_equal(ay_privkey_spki_hash(other, other_pin, NULL), AY_OK);
	assert_int_equal(ay_pin_change_sign(&c, before, good, &n_good, NULL), AY_OK);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ay_privkey_free(before);
	ay_privkey_free(other);
	return 0;
}

/* The code of the refusal, or "" when it is taken. */
static const char *judge(const uint8_t *b, size_t n, const uint8_t p[32], uint64_t sequence,
			 int64_t now_ms)
{
	static struct ay_err e;
	struct ay_pin_change c;
	enum ay_rc rc = ay_pin_change_parse((struct ay_bytes){ b, n }, &c, &e);

	if (rc == AY_OK)
		rc = ay_pin_change_check(&c, p, sequence, now_ms, &e);
	return rc == AY_OK ? "" : e.code;
}

/* By OpenSSL itself, over the octets as the document says. */
static void form(void **state)
{
	static const uint8_t head[] = { 1, 1, 0, 0, 0, 0, 0, 0, 0, 7 };
	const size_t n_part = n_good - 64;
	uint8_t msg[18 + AY_PIN_CHANGE_MAX], der[80], *at = der;
	const unsigned char *spki = good + n_part - AY_SPKI_P256;
	EVP_PKEY *key = d2i_PUBKEY(NULL, &spki, AY_SPKI_P256);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	ECDSA_SIG *sig = ECDSA_SIG_new();
	int n_der;

	(void)state;
	assert_int_equal(n_good, 2 + 24 + 32 + 1 + 12 + 1 + AY_SPKI_P256 + 64);
	assert_memory_equal(good, head, sizeof(head));
	assert_memory_equal(good + 59, "root of 2026", 12);
	assert_int_equal(good[71], AY_SPKI_P256);
	memcpy(msg, "assay-pin-change-1", 18);
	memcpy(msg + 18, good, n_part);
	assert_int_equal(ECDSA_SIG_set0(sig, BN_bin2bn(good + n_part, 32, NULL),
					BN_bin2bn(good + n_part + 32, 32, NULL)),
			 1);
	n_der = i2d_ECDSA_SIG(sig, &at);
	assert_non_null(key);
	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
	assert_int_equal(EVP_DigestVerify(ctx, der, (size_t)n_der, msg, 18 + n_part), 1);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
}

static void is_taken_once_in_its_time(void **state)
{
	(void)state;
	assert_string_equal(judge(good, n_good, pin, 0, NOW_MS), "");
	assert_string_equal(judge(good, n_good, pin, 6, NOW_MS + DAY_MS), "");
	assert_string_equal(judge(good, n_good, pin, 7, NOW_MS), "PIN_OLDER");
	assert_string_equal(judge(good, n_good, pin, 8, NOW_MS), "PIN_OLDER");
	assert_string_equal(judge(good, n_good, pin, 0, NOW_MS - DAY_MS - 1), "PIN_EARLY");
	assert_string_equal(judge(good, n_good, pin, 0, NOW_MS + DAY_MS + 1), "PIN_EXPIRED");
}

/* Who holds another key, whatever for, makes no statement that counts. */
static void signer(void **state)
{
	uint8_t b[AY_PIN_CHANGE_MAX];
	struct ay_pin_change c = change();
	size_t n;

	(void)state;
	assert_string_equal(judge(good, n_good, other_pin, 0, NOW_MS), "PIN_SIGNER");
	assert_int_equal(ay_pin_change_sign(&c, other, b, &n, NULL), AY_OK);
	assert_string_equal(judge(b, n, pin, 0, NOW_MS), "PIN_SIGNER");
	/* the pinned key's SPKI, and the other key's signature */
	memcpy(b + n - 64 - AY_SPKI_P256, good + n_good - 64 - AY_SPKI_P256, AY_SPKI_P256);
	assert_string_equal(judge(b, n, pin, 0, NOW_MS), "PIN_SIGNATURE");
}

/* Every octet is covered, the purpose too: a statement of one key is not one of another. */
static void every_octet(void **state)
{
	uint8_t b[AY_PIN_CHANGE_MAX];

	(void)state;
	for (size_t i = 0; i < n_good; i++) {
		memcpy(b, good, n_good);
		b[i] ^= 1;
		assert_string_not_equal(judge(b, n_good, pin, 0, NOW_MS), "");
	}
	memcpy(b, good, n_good);
	b[1] = AY_PIN_ORDER;
	assert_string_equal(judge(b, n_good, pin, 0, NOW_MS), "PIN_SIGNATURE");
}

static void malformed(void **state)
{
	uint8_t b[AY_PIN_CHANGE_MAX + 1];

	(void)state;
	for (size_t n = 0; n < n_good; n++)
		assert_string_equal(judge(good, n, pin, 0, NOW_MS), "PIN_MALFORMED");
	memcpy(b, good, n_good);
	b[n_good] = 0;
	assert_string_equal(judge(b, n_good + 1, pin, 0, NOW_MS), "PIN_MALFORMED");
	b[0] = 2;
	assert_string_equal(judge(b, n_good, pin, 0, NOW_MS), "PIN_MALFORMED");
	b[0] = 1;
	b[1] = 0;
	assert_string_equal(judge(b, n_good, pin, 0, NOW_MS), "PIN_MALFORMED");
	b[1] = AY_PIN_PURPOSES + 1;
	assert_string_equal(judge(b, n_good, pin, 0, NOW_MS), "PIN_MALFORMED");
	b[1] = 1;
	b[60] = '\n'; /* in the label */
	assert_string_equal(judge(b, n_good, pin, 0, NOW_MS), "PIN_MALFORMED");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(form),	     cmocka_unit_test(is_taken_once_in_its_time),
		cmocka_unit_test(signer),    cmocka_unit_test(every_octet),
		cmocka_unit_test(malformed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
