/* SPDX-License-Identifier: Apache-2.0 */
/* The order `tag` as the agent does it, on a software TPM, with a tag CA of the test's. */
#include "support/swtpm.h"
#include "support/t.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/crypto/hash.h"
#include "io/net/tag_msg.h"
#include "io/sys/file.h"
#include "io/sys/log.h"
#include "prog/assay-agent/orders.h"

static const char cert[] = "a certificate, as far as the agent is concerned";

static struct {
	struct t_swtpm tpm;
	struct ay_tpmdev *dev;
	struct ay_agent agent;
	struct ay_order_env env;
	struct ay_privkey *key;
	struct ay_name name;
	struct ay_tag_order t;
	uint8_t nonce[32];
	size_t n_nonce;
	bool written;
} w;

static void make_ca(void)
{
	uint8_t buf[256];
	struct ay_public parsed;
	struct ay_pubkey *k;
	struct ay_bytes n, raw;
	struct ay_writer wr;

	assert_int_equal(ay_privkey_generate(&w.key, NULL), AY_OK);
	assert_int_equal(ay_privkey_public(w.key, &k, NULL), AY_OK);
	n = ay_pubkey_numbers(k);
	memcpy(w.t.x, n.p, 32);
	memcpy(w.t.y, n.p + 32, 32);
	ay_pubkey_free(k);
	ay_wr_init(&wr, buf, sizeof(buf));
	ay_tag_ca_public(AY_BYTES(w.t.x), AY_BYTES(w.t.y), &wr);
	assert_int_equal(ay_wr_end(&wr, "pub", &raw, NULL), AY_OK);
	assert_int_equal(ay_public_parse(raw, &parsed, NULL), AY_OK);
	assert_true(ay_public_name(&parsed, &w.name));
}

static int set_up(void **state)
{
	struct ay_tpmdev_conf c = { .tcti = w.tpm.tcti };

	(void)state;
	ay_log_init("test", "agent", "error", "text");
	if (!t_swtpm_start(&w.tpm))
		return 0;
	make_ca();
	(void)snprintf(w.agent.tag_path, sizeof(w.agent.tag_path), "%s/tag.der", w.tpm.dir);
	w.env = (struct ay_order_env){ .agent = &w.agent, .ops = &ay_tpmdev_tpm2 };
	if (ay_tpmdev_tpm2.make(&c, &w.dev, NULL) != AY_OK)
		return -1;
	w.env.dev = w.dev;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (w.dev == NULL)
		return 0;
	ay_tpmdev_tpm2.free(w.dev);
	ay_privkey_free(w.key);
	t_swtpm_stop(&w.tpm);
	return 0;
}

/* Does what w.t says; "" or the code of the refusal. */
static const char *obey(struct ay_bytes *result)
{
	static struct ay_err e;
	static const struct ay_order o = { .verb = AY_ORDER_TAG };
	uint8_t buf[1024];
	struct ay_writer wr;
	struct ay_bytes args;

	e = (struct ay_err){ 0 };
	ay_wr_init(&wr, buf, sizeof(buf));
	ay_tag_order_write(&wr, &w.t);
	assert_int_equal(ay_wr_end(&wr, "args", &args, NULL), AY_OK);
	return ay_order_do_tag(&w.env, &o, args, result, &e) == AY_OK ? "" : e.code;
}

static void begin(void)
{
	struct ay_bytes result = { 0 };
	struct ay_tag_begun b;

	w.t.op = AY_TAG_BEGIN;
	assert_string_equal(obey(&result), "");
	assert_int_equal(ay_tag_begun_parse(result, &b, NULL), AY_OK);
	memcpy(w.nonce, b.nonce.p, b.nonce.n);
	w.n_nonce = b.nonce.n;
	w.written = b.written;
	ay_file_free(&result);
}

static const char *write_tag(void)
{
	struct ay_bytes result = { 0 }, msg;
	uint8_t buf[256];
	struct ay_writer wr;
	const char *code;

	w.t.op = AY_TAG_WRITE;
	w.t.cert = ay_bytes_of(cert);
	ay_wr_init(&wr, buf, sizeof(buf));
	assert_int_equal(ay_tag_write_permit(&wr, (struct ay_bytes){ w.nonce, w.n_nonce },
					     ay_name_view(&w.name), w.written, w.t.contents, NULL),
			 AY_OK);
	assert_int_equal(ay_wr_end(&wr, "permit", &msg, NULL), AY_OK);
	assert_int_equal(ay_privkey_sign(w.key, msg, w.t.rs, NULL), AY_OK);
	code = obey(&result);
	assert_int_equal(result.n, 0);
	return code;
}

static void a_tag_is_written(void **state)
{
	struct ay_bytes kept;

	(void)state;
	if (w.dev == NULL) {
		print_message("SKIP prog/agent_tag: package not installable (swtpm, tpm2-tools)\n");
		skip();
	}
	ay_sha256(ay_bytes_of(cert), w.t.contents);
	begin();
	assert_false(w.written);
	assert_string_equal(write_tag(), "");
	assert_int_equal(t_swtpm_sh(&w.tpm,
				    "tpm2 nvread 0x%x -s 32 -o got && printf '%s' | openssl dgst "
				    "-sha256 -binary | cmp - got",
				    AY_TAG_INDEX, cert),
			 0);
	assert_int_equal(ay_file_read(w.agent.tag_path, 4096, &kept, NULL), AY_OK);
	assert_true(ay_bytes_eq(kept, ay_bytes_of(cert)));
	ay_file_free(&kept);
}

static void what_is_not_right_is_not_written(void **state)
{
	(void)state;
	if (w.dev == NULL)
		skip();
	begin();
	assert_true(w.written);
	assert_int_equal(ay_tpmdev_tpm2.open(w.dev, NULL), AY_OK); /* a quote came in between */
	ay_tpmdev_tpm2.close(w.dev);
	assert_string_equal(write_tag(), "TAG_SESSION");
	begin();
	w.t.contents[0] ^= 1; /* the hash of another certificate, permitted as it is */
	assert_string_equal(write_tag(), "TAG_CERT");
	w.t.contents[0] ^= 1;
	begin();
	w.nonce[0] ^= 1;
	assert_string_equal(write_tag(), "TAG_PERMIT");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_tag_is_written),
					    cmocka_unit_test(what_is_not_right_is_not_written) };

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
