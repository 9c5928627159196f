/* SPDX-License-Identifier: Apache-2.0 */
/* The asset tag's index in a software TPM, by the agent's own backend: written with the tag CA's
 * permit and no other way; certified by an AK. */
#include "support/swtpm.h"
#include "support/t.h"

#include <stdio.h>

#include "core/crypto/hash.h"
#include "core/crypto/privkey.h"
#include "core/tpm/attested.h"
#include "core/tpm/signature.h"
#include "io/tpmdev/tpmdev.h"

static const struct ay_tpmdev_ops *const ops = &ay_tpmdev_tpm2;

static struct {
	struct t_swtpm tpm;
	char guard[128];
	struct ay_tpmdev *dev;
	struct ay_arena arena;
	struct ay_privkey *key;
	struct ay_tag_ca ca;
	struct ay_name name;
	uint8_t contents[AY_TAG_CONTENTS];
} w;

static void new_ca(void)
{
	uint8_t buf[256];
	struct ay_public parsed;
	struct ay_pubkey *k;
	struct ay_bytes n, raw;
	struct ay_writer wr;

	ay_privkey_free(w.key);
	assert_int_equal(ay_privkey_generate(&w.key, NULL), AY_OK);
	assert_int_equal(ay_privkey_public(w.key, &k, NULL), AY_OK);
	n = ay_pubkey_numbers(k);
	memcpy(w.ca.x, n.p, 32);
	memcpy(w.ca.y, n.p + 32, 32);
	ay_pubkey_free(k);
	ay_wr_init(&wr, buf, sizeof(buf));
	ay_tag_ca_public(AY_BYTES(w.ca.x), AY_BYTES(w.ca.y), &wr);
	assert_int_equal(ay_wr_end(&wr, "pub", &raw, NULL), AY_OK);
	assert_int_equal(ay_public_parse(raw, &parsed, NULL), AY_OK);
	assert_true(ay_public_name(&parsed, &w.name));
}

static int set_up(void **state)
{
	struct ay_tpmdev_conf c = { .tcti = w.tpm.tcti, .guard_path = w.guard };

	(void)state;
	if (!t_swtpm_start(&w.tpm))
		return 0;
	(void)snprintf(w.guard, sizeof(w.guard), "%s/guard", w.tpm.dir);
	ay_arena_init(&w.arena, 1 << 20);
	new_ca();
	memset(w.contents, 0xc7, sizeof(w.contents));
	return ops->make(&c, &w.dev, NULL) == AY_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	if (w.tpm.pid <= 0)
		return 0;
	ops->free(w.dev);
	ay_arena_fini(&w.arena);
	ay_privkey_free(w.key);
	t_swtpm_stop(&w.tpm);
	return 0;
}

static void need_tpm(void)
{
	if (w.tpm.pid > 0)
		return;
	print_message("SKIP io/tpmdev_tag: package not installable (swtpm, tpm2-tools)\n");
	skip();
}

static void permit(const uint8_t *nonce, size_t n, bool written, uint8_t rs[64])
{
	uint8_t buf[256];
	struct ay_writer wr;
	struct ay_bytes msg;

	ay_wr_init(&wr, buf, sizeof(buf));
	assert_int_equal(ay_tag_write_permit(&wr, (struct ay_bytes){ nonce, n },
					     ay_name_view(&w.name), written, w.contents, NULL),
			 AY_OK);
	assert_int_equal(ay_wr_end(&wr, "permit", &msg, NULL), AY_OK);
	assert_int_equal(ay_privkey_sign(w.key, msg, rs, NULL), AY_OK);
}

/* Writes with a permit for this session; "" or the code. */
static const char *write_tag(bool replace, bool expect_written, const uint8_t *old_permit,
			     uint8_t rs[64])
{
	static struct ay_err e;
	uint8_t nonce[32];
	size_t n;
	bool written = false;
	enum ay_rc rc;

	e = (struct ay_err){ 0 };
	assert_int_equal(ops->open(w.dev, NULL), AY_OK);
	rc = ops->tag_begin(w.dev, &w.ca, replace, nonce, &n, &written, &e);
	if (rc == AY_OK) {
		assert_int_equal(written, expect_written);
		permit(nonce, n, written, rs);
		rc = ops->tag_write(w.dev, &w.ca, w.contents, old_permit ? old_permit : rs, &e);
	}
	ops->close(w.dev);
	assert_int_equal(t_swtpm_sh(&w.tpm, "tpm2 getcap handles-transient >l && tpm2 getcap "
					    "handles-loaded-session >>l && test ! -s l"),
			 0);
	return rc == AY_OK ? "" : e.code;
}

static void assert_contents(uint8_t octet)
{
	assert_int_equal(
		t_swtpm_sh(&w.tpm,
			   "tpm2 nvread 0x%x -s 32 -o got && for i in $(seq 32); do printf "
			   "'\\%03o'; done > want && cmp got want",
			   AY_TAG_INDEX, octet),
		0);
}

static void written_by_the_tag_ca_alone(void **state)
{
	uint8_t first[64], rs[64];

	(void)state;
	need_tpm();
	assert_string_equal(write_tag(false, false, NULL, first), "");
	assert_contents(0xc7);
	w.contents[0] = w.contents[31] = 0x01;
	assert_string_equal(write_tag(false, true, first, rs), "TAG_PERMIT"); /* of another nonce */
	memset(w.contents, 0x55, sizeof(w.contents));
	assert_string_equal(write_tag(false, true, NULL, rs), "");
	assert_contents(0x55);
	new_ca(); /* another CA's index is not this one's */
	assert_string_equal(write_tag(false, false, NULL, rs), "TAG_INDEX");
	assert_string_equal(write_tag(true, false, NULL, rs), "");
}

struct want {
	uint8_t x[32];
};

static void qualify(const void *arg, const uint8_t x[32], uint8_t out[AY_QUALIFY_BYTES])
{
	static const uint8_t nonce[32] = { 1 }, exporter[32] = { 2 };
	struct ay_uuid host = { { 3 } };

	memcpy(((struct want *)(uintptr_t)arg)->x, x, 32);
	ay_qualify(AY_QUALIFY_TAG, nonce, exporter, &host, x, out);
}

static void certified_by_the_ak(void **state)
{
	static const uint8_t nonce[32] = { 1 }, exporter[32] = { 2 };
	struct ay_uuid host = { { 3 } };
	uint8_t x[32], expected[AY_QUALIFY_BYTES];
	struct ay_tpm_ek ek;
	struct ay_tpm_ak ak;
	struct ay_tpm_quote out;
	struct ay_nv_certified nv;
	struct ay_quote q;
	struct ay_public pub;
	struct ay_pubkey *key;
	struct ay_signature sig;
	struct ay_name index;
	struct want got;
	struct ay_err e;

	(void)state;
	need_tpm();
	assert_int_equal(ops->open(w.dev, NULL), AY_OK);
	assert_int_equal(ops->ek_find(w.dev, AY_EK_ECC_P256, 0, &w.arena, &ek, &e), AY_OK);
	assert_int_equal(
		ops->ak_create(w.dev,
			       &(struct ay_ak_ask){ .ek_nv = ek.nv_cert, .kind = AY_AK_ECDSA_P256 },
			       &w.arena, &ak, &e),
		AY_OK);
	assert_int_equal(ops->tag_certify(w.dev, &ak, qualify, &got, &w.arena, &out, &e), AY_OK);
	ops->close(w.dev);
	assert_int_equal(ay_public_parse(ak.pub, &pub, NULL), AY_OK);
	assert_int_equal(ay_public_key(&pub, &key, NULL), AY_OK);
	assert_int_equal(ay_signature_parse(out.sig, &sig, NULL), AY_OK);
	assert_int_equal(ay_verify(key, &sig, AY_HASH_BIT_SHA256, out.attest), AY_SIG_GOOD);
	assert_int_equal(ay_quote_parse(out.attest, &q, NULL), AY_OK);
	assert_int_equal(ay_nv_certified_parse(&q, &nv, NULL), AY_OK);
	ay_tag_index_name(ay_name_view(&w.name), true, &index);
	assert_true(ay_bytes_eq(nv.index_name, ay_name_view(&index)));
	assert_true(ay_bytes_eq(nv.contents, AY_BYTES(w.contents)));
	ay_sha256(ay_name_view(&index), x);
	assert_memory_equal(got.x, x, 32);
	ay_qualify(AY_QUALIFY_TAG, nonce, exporter, &host, x, expected);
	assert_true(ay_bytes_eq(q.nonce, AY_BYTES(expected)));
	ay_pubkey_free(key);
	assert_int_equal(t_swtpm_sh(&w.tpm, "tpm2 nvundefine 0x%x -C o", AY_TAG_INDEX), 0);
	assert_int_equal(ops->open(w.dev, NULL), AY_OK);
	assert_int_equal(ops->tag_certify(w.dev, &ak, qualify, &got, &w.arena, &out, &e),
			 AY_E_NOENT);
	assert_string_equal(e.code, "TAG_MISSING");
	ops->close(w.dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(written_by_the_tag_ca_alone),
					    cmocka_unit_test(certified_by_the_ak) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
