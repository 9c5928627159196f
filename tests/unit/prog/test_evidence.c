/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of the agent channel as the server reads them, against what the agent's side writes. */
#include "support/t.h"

#include "io/net/agent_msg.h"
#include "prog/assayd/evidence.h"

#include <string.h>

static struct ay_pcrs values;

static struct ay_bytes written(uint8_t *buf, size_t room, enum ay_chan_hints hints)
{
	struct ay_chan_evidence ev = { .attest = t_hex("ff544347"),
				       .sig = t_hex("0018000b"),
				       .boot_id = { { 1, 2, 3 } },
				       .hints = hints,
				       .values = &values,
				       .log = AY_CHAN_LOG_FOLLOWS,
				       .log_bytes = t_hex("aabbcc"),
				       .ima = AY_CHAN_LOG_FOLLOWS,
				       .ima_offset = 77,
				       .ima_entries = 5,
				       .ima_bytes = t_hex("0102") };
	struct ay_writer w;
	struct ay_bytes out;

	memset(&values, 0, sizeof(values));
	assert_int_equal(ay_pcrs_set(&values, AY_ALG_SHA1, 3,
				     t_hex("00112233445566778899aabbccddeeff00112233"), NULL),
			 AY_OK);
	ay_wr_init(&w, buf, room);
	ay_chan_evidence_write(&w, &ev);
	assert_int_equal(ay_wr_end(&w, "evidence", &out, NULL), AY_OK);
	return out;
}

static void reads_what_the_agent_writes(void **state)
{
	uint8_t buf[1024];
	struct ay_evidence ev;
	struct ay_err e;

	(void)state;
	if (ay_evidence_parse(written(buf, sizeof(buf), AY_CHAN_HINTS_ALL), &ev, &e) != AY_OK)
		fail_msg("%s: %s", e.where, e.text);
	assert_true(ay_bytes_eq(ev.attest, t_hex("ff544347")));
	assert_true(ay_bytes_eq(ev.signature, t_hex("0018000b")));
	assert_int_equal(ev.boot_id[2], 3);
	assert_int_equal(ev.hints, 1);
	assert_int_equal(ev.log, AY_GIVEN_NEW);
	assert_true(ay_bytes_eq(ev.log_octets, t_hex("aabbcc")));
	assert_int_equal(ev.ima, AY_GIVEN_NEW);
	assert_int_equal(ev.ima_offset, 77);
	assert_int_equal(ev.ima_entries, 5);
	assert_true(ay_bytes_eq(ev.ima_octets, t_hex("0102")));
}

static void every_prefix_and_every_surplus_is_refused(void **state)
{
	uint8_t buf[1024];
	struct ay_bytes whole = written(buf, sizeof(buf), AY_CHAN_HINTS_ALL);
	struct ay_evidence ev;

	(void)state;
	for (size_t n = 0; n < whole.n; n++) {
		assert_int_equal(ay_evidence_parse((struct ay_bytes){ buf, n }, &ev, NULL),
				 AY_E_INPUT);
		assert_null(ev.attest.p); /* zeroed */
	}
	buf[whole.n] = 0;
	assert_int_equal(ay_evidence_parse((struct ay_bytes){ buf, whole.n + 1 }, &ev, NULL),
			 AY_E_INPUT);
}

static const struct {
	const char *name, *hex, *where;
} bad[] = {
	{ "hints of a kind there is not", "0000 0000 00000000000000000000000000000000 03 00 00",
	  "evidence.hints" },
	{ "a log of a kind there is not", "0000 0000 00000000000000000000000000000000 00 04 00",
	  "evidence.log" },
	{ "a list of a kind there is not", "0000 0000 00000000000000000000000000000000 00 00 04",
	  "evidence.ima" },
	{ "an attest longer than what came", "ffff 0000", "evidence.attest" },
};

static void refusals_name_their_field(void **state)
{
	struct ay_evidence ev;
	struct ay_err e;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(bad); i++) {
		print_message("evidence: %s\n", bad[i].name);
		assert_int_not_equal(ay_evidence_parse(t_hex(bad[i].hex), &ev, &e), AY_OK);
		assert_string_equal(e.where, bad[i].where);
	}
}

static void changes_are_laid_over_what_is_known(void **state)
{
	/* two banks: SHA-1 with PCR 3 and 4, SHA-256 with PCR 0 */
	struct ay_bytes known =
		t_hex("02 0004 00000018 1111111111111111111111111111111111111111"
		      "2222222222222222222222222222222222222222 000b 00000001"
		      "3333333333333333333333333333333333333333333333333333333333333333");
	uint8_t buf[1024];
	struct ay_evidence ev;
	struct ay_pcrs all;

	(void)state;
	assert_int_equal(
		ay_evidence_parse(written(buf, sizeof(buf), AY_CHAN_HINTS_CHANGED), &ev, NULL),
		AY_OK);
	assert_int_equal(ay_evidence_values(&ev, known, &all, NULL), AY_OK);
	assert_int_equal(all.n_banks, 2);
	assert_true(ay_bytes_eq(ay_pcrs_value(&all, AY_ALG_SHA1, 3),
				t_hex("00112233445566778899aabbccddeeff00112233")));
	assert_true(ay_bytes_eq(ay_pcrs_value(&all, AY_ALG_SHA1, 4),
				t_hex("2222222222222222222222222222222222222222")));
	assert_int_equal(ay_pcrs_value(&all, AY_ALG_SHA256, 0).p[0], 0x33);
	/* changes to nothing are no values */
	assert_int_equal(ay_evidence_values(&ev, (struct ay_bytes){ NULL, 0 }, &all, NULL),
			 AY_E_INPUT);
	assert_int_equal(all.n_banks, 0);
}

static void hello_as_the_agent_says_it(void **state)
{
	struct ay_chan_hello said = { .version = "0.1",
				      .name = "host",
				      .family = 2,
				      .manufacturer = "SIM",
				      .firmware = 9,
				      .n_banks = 1,
				      .bank = { AY_ALG_SHA384 },
				      .has_ak = true };
	uint8_t buf[512];
	struct ay_writer w;
	struct ay_bytes body;
	struct ay_hello h;

	(void)state;
	ay_wr_init(&w, buf, sizeof(buf));
	ay_chan_hello_write(&w, &said);
	assert_int_equal(ay_wr_end(&w, "hello", &body, NULL), AY_OK);
	assert_int_equal(ay_hello_parse(body, &h, NULL), AY_OK);
	assert_true(ay_bytes_eq(h.name, ay_bytes_of("host")));
	assert_int_equal(h.n_banks, 1);
	assert_int_equal(h.bank[0], AY_ALG_SHA384);
	assert_int_equal(h.ak_state, 1);
	for (size_t n = 0; n < body.n; n++)
		assert_int_equal(ay_hello_parse((struct ay_bytes){ buf, n }, &h, NULL), AY_E_INPUT);
	buf[1] = 2; /* a version we do not speak */
	assert_int_equal(ay_hello_parse(body, &h, NULL), AY_E_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_the_agent_writes),
		cmocka_unit_test(every_prefix_and_every_surplus_is_refused),
		cmocka_unit_test(refusals_name_their_field),
		cmocka_unit_test(changes_are_laid_over_what_is_known),
		cmocka_unit_test(hello_as_the_agent_says_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
