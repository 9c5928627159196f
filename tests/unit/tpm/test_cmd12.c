/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands with authorization, octet for octet as TrouSerS made them, and the
 * TPM's answers to them (tests/vectors/tpm12).
 */
#include "support/t.h"

#include "core/tpm/cmd12.h"
#include "core/tpm/key12.h"

#include <stdio.h>
#include <stdlib.h>

enum { HEAD = 10, TRAILER = 45 };

static const uint8_t well_known[AY_SHA1_BYTES];

static struct ay_bytes wire(const char *name)
{
	char path[64];
	struct ay_bytes hex;
	char *text;

	(void)snprintf(path, sizeof(path), "tpm12/%s", name);
	hex = t_vector(path);
	text = strndup((const char *)hex.p, hex.n);
	text[strcspn(text, "\n")] = '\0';
	return t_hex(text);
}

static struct ay_bytes params_of(const char *name)
{
	struct ay_bytes w = wire(name);

	return (struct ay_bytes){ w.p + HEAD, w.n - HEAD };
}

/* What a session was asked and answered, as a session of ours. */
static struct ay_auth12 oiap(const char *name)
{
	struct ay_auth12 a = { 0 };

	assert_int_equal(ay_oiap12_parse(params_of(name), &a, NULL), AY_OK);
	return a;
}

static struct ay_auth12 osap(const char *command, const char *response)
{
	const uint8_t *odd = wire(command).p + HEAD + 2 + 4;
	struct ay_auth12 a = { 0 };

	assert_int_equal(ay_osap12_parse(params_of(response), well_known, odd, &a, NULL), AY_OK);
	return a;
}

/* The nonce and flag that the other side chose for this command. */
static void take_odd(struct ay_auth12 *a, struct ay_bytes command, size_t from_end)
{
	const uint8_t *t = command.p + command.n - from_end * TRAILER;

	memcpy(a->nonce_odd, t + 4, AY_SHA1_BYTES);
	a->more = t[4 + AY_SHA1_BYTES] != 0;
}

struct exchange {
	const char *name;
	uint32_t ordinal;
	size_t n_handles, n_rsp_handles, n_auth;
	const char *session[2]; /* the first may be an OSAP one */
	bool osap[2];
};

static const struct exchange exchanges[] = {
	{ "make-identity", AY_ORD12_MAKE_IDENTITY, 0, 0, 2, { "oiap", "osap" }, { false, true } },
	{ "read-internal-pub",
	  AY_ORD12_OWNER_READ_INTERNAL_PUB,
	  0,
	  0,
	  1,
	  { "oiap-owner" },
	  { false } },
	{ "load-key2", AY_ORD12_LOAD_KEY2, 1, 1, 1, { "oiap-srk" }, { false } },
};

struct world {
	struct ay_bytes cmd, rsp, params;
	struct ay_auth12 auth[2];
	struct ay_auth12 *list[2];
	struct ay_cmd12 c;
};

static void set_up(struct world *w, const struct exchange *x)
{
	char cmd[64], rsp[64];

	memset(w, 0, sizeof(*w));
	(void)snprintf(cmd, sizeof(cmd), "%s.cmd", x->name);
	(void)snprintf(rsp, sizeof(rsp), "%s.rsp", x->name);
	w->cmd = wire(cmd);
	w->rsp = wire(rsp);
	for (size_t i = 0; i < x->n_auth; i++) {
		char a[64], b[64];

		(void)snprintf(a, sizeof(a), "%s.cmd", x->session[i]);
		(void)snprintf(b, sizeof(b), "%s.rsp", x->session[i]);
		w->auth[i] = x->osap[i] ? osap(a, b) : oiap(b);
		take_odd(&w->auth[i], w->cmd, x->n_auth - i);
		w->list[i] = &w->auth[i];
	}
	ay_cmd12_begin(&w->c, x->ordinal);
	ay_wr_bytes(&w->c.w, (struct ay_bytes){ w->cmd.p + HEAD, 4 * x->n_handles });
	ay_cmd12_params(&w->c);
	ay_wr_bytes(&w->c.w,
		    (struct ay_bytes){ w->cmd.p + HEAD + 4 * x->n_handles,
				       w->cmd.n - HEAD - 4 * x->n_handles - x->n_auth * TRAILER });
}

static void test_commands(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(exchanges); i++) {
		struct world w;
		struct ay_bytes out;

		print_message("command: %s\n", exchanges[i].name);
		set_up(&w, &exchanges[i]);
		assert_int_equal(ay_cmd12_end(&w.c, w.list, exchanges[i].n_auth, &out, NULL),
				 AY_OK);
		assert_true(ay_bytes_eq(out, w.cmd));
	}
}

static enum ay_rc open_it(struct world *w, const struct exchange *x, struct ay_bytes rsp,
			  struct ay_err *e)
{
	uint32_t handle = 0;
	struct ay_bytes out;

	set_up(w, x);
	assert_int_equal(ay_cmd12_end(&w->c, w->list, x->n_auth, &out, NULL), AY_OK);
	return ay_rsp12_open(&w->c, rsp, &handle, x->n_rsp_handles, w->list, x->n_auth, &w->params,
			     e);
}

static void test_responses(void **state)
{
	struct ay_err e;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(exchanges); i++) {
		struct world w;

		print_message("response: %s\n", exchanges[i].name);
		set_up(&w, &exchanges[i]);
		assert_int_equal(open_it(&w, &exchanges[i], w.rsp, &e), AY_OK);
		assert_int_equal(ay_rsp12_size(w.rsp.p), w.rsp.n);
	}
}

/* Every bit that the HMAC covers; what it does not cover is the frame, which must refuse or the
 * handle (whose key then signs nothing that verifies). */
static void test_changed_response(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(exchanges); i++) {
		const struct exchange *x = &exchanges[i];
		struct world w;
		struct ay_bytes good;
		uint8_t *bad;

		set_up(&w, x);
		good = w.rsp;
		bad = malloc(good.n);
		for (size_t at = 0; at < good.n; at += at < 64 ? 1 : 13) {
			if (at >= HEAD && at < HEAD + 4 * x->n_rsp_handles)
				continue;
			memcpy(bad, good.p, good.n);
			bad[at] ^= 0x10;
			assert_int_not_equal(open_it(&w, x, (struct ay_bytes){ bad, good.n }, NULL),
					     AY_OK);
			assert_int_equal(w.params.n, 0);
		}
		for (size_t n = 0; n < good.n; n += n < 64 ? 1 : 13)
			assert_int_not_equal(open_it(&w, x, (struct ay_bytes){ good.p, n }, NULL),
					     AY_OK);
		free(bad);
	}
}

/* An answer to an earlier command, though its HMAC was once good. */
static void test_replayed_response(void **state)
{
	const struct exchange *x = &exchanges[1];
	struct world w;
	struct ay_bytes out;
	struct ay_err e;

	(void)state;
	set_up(&w, x);
	w.auth[0].nonce_odd[0] ^= 1; /* ours of this command is another */
	assert_int_equal(ay_cmd12_end(&w.c, w.list, 1, &out, NULL), AY_OK);
	assert_int_equal(ay_rsp12_open(&w.c, w.rsp, NULL, 0, w.list, 1, &w.params, &e),
			 AY_E_CRYPTO);
	assert_string_equal(e.where, "response.resAuth");
}

static const struct {
	const char *hex;
	enum ay_rc rc;
	const char *text;
} refusals[] = {
	{ "00c4 0000000a 00000001", AY_E_CRYPTO, "another secret" },
	{ "00c4 0000000a 00000012", AY_E_UNAVAIL, "no owner" },
	{ "00c4 0000000a 0000dead", AY_E_UNAVAIL, "refused (0xdead)" },
	{ "00c5 0000000a 00000001", AY_E_INPUT, "is 0x00c5" },
	{ "00c4 0000000b 00000001", AY_E_INPUT, "there are 10" },
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(refusals); i++) {
		struct ay_bytes in = t_hex(refusals[i].hex), out;
		struct ay_cmd12 c;
		struct ay_err e;
		enum ay_rc rc;

		print_message("refusal: %s\n", refusals[i].hex);
		ay_cmd12_begin(&c, AY_ORD12_PCR_READ);
		rc = ay_rsp12_open(&c, in, NULL, 0, NULL, 0, &out, &e);
		assert_int_equal(rc, refusals[i].rc);
		assert_non_null(strstr(e.text, refusals[i].text));
	}
}

static void test_sizes(void **state)
{
	(void)state;
	assert_int_equal(ay_rsp12_size(t_hex("00c4 0000001e 00000000").p), 30);
	assert_int_equal(ay_rsp12_size(t_hex("00c4 00000009 00000000").p), 0);
	assert_int_equal(ay_rsp12_size(t_hex("00c4 00001001 00000000").p), 0);
	assert_int_equal(ay_rsp12_size(t_hex("00c1 0000001e 00000000").p), 0);
	assert_int_equal(ay_rsp12_size(t_hex("8001 0000001e 00000000").p), 0);
}

static void test_too_long(void **state)
{
	static const uint8_t much[AY_CMD12_MAX];
	struct ay_cmd12 c;
	struct ay_bytes out;

	(void)state;
	ay_cmd12_begin(&c, AY_ORD12_SEAL);
	ay_wr_bytes(&c.w, AY_BYTES(much));
	assert_int_not_equal(ay_cmd12_end(&c, NULL, 0, &out, NULL), AY_OK);
}

/* The key that MakeIdentity made is the one that LoadKey2 is given. */
static void test_keys(void **state)
{
	struct ay_bytes pub = { 0 }, w = wire("read-internal-pub.rsp");
	struct ay_public12 ek;
	struct ay_name name;
	uint8_t buf[512];
	struct ay_writer wr;

	(void)state;
	pub = (struct ay_bytes){ w.p + HEAD, AY_PUBKEY12_BYTES };
	assert_int_equal(ay_public12_parse(pub, &ek, NULL), AY_OK);
	assert_null(ay_ek12_fault(&ek));
	assert_non_null(ay_ak12_fault(&ek));
	assert_true(ay_public12_looks_like(pub));
	ay_public12_name(&ek, &name);
	assert_true(ay_name_is_valid(ay_name_view(&name)));
	ay_wr_init(&wr, buf, sizeof(buf));
	ay_public12_write(&wr, &ek);
	assert_int_equal(ay_wr_end(&wr, "key", &w, NULL), AY_OK);
	assert_true(ay_bytes_eq(w, pub));
}

static void test_identity_key(void **state)
{
	struct ay_bytes w = wire("load-key2.cmd");
	struct ay_public12 k;
	uint16_t usage;

	(void)state;
	w = (struct ay_bytes){ w.p + HEAD + 4, w.n - HEAD - 4 - TRAILER };
	assert_int_equal(ay_key12_parse(w, &k, &usage, NULL), AY_OK);
	assert_int_equal(usage, AY_USAGE12_IDENTITY);
	assert_null(ay_ak12_fault(&k));
	assert_non_null(ay_ek12_fault(&k));
	for (size_t n = 0; n < w.n; n += n < 80 ? 1 : 17)
		assert_int_not_equal(ay_key12_parse((struct ay_bytes){ w.p, n }, &k, &usage, NULL),
				     AY_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands),	 cmocka_unit_test(test_responses),
		cmocka_unit_test(test_changed_response), cmocka_unit_test(test_replayed_response),
		cmocka_unit_test(test_refusals),	 cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_too_long),	 cmocka_unit_test(test_keys),
		cmocka_unit_test(test_identity_key),
	};

	return cmocka_run_group_tests_name("tpm/cmd12", tests, NULL, NULL);
}
