/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "io/net/frame.h"

#include <string.h>

#define S AY_ROLE_SERVER
#define A AY_ROLE_AGENT

/* Every rule of docs/protocol/agent-channel.md, "Frame": state, head, expected answer. */
static const struct {
	const char *name;
	struct ay_frame_rules r;
	struct ay_frame_head h;
	const char *where; /* NULL: accepted */
} cases[] = {
	{ "HELLO comes first", { .sender = A }, { 10, AY_FRAME_HELLO, 0, 0 }, NULL },
	{ "anything else before HELLO",
	  { .sender = A, .judges_bound = true, .is_bound = true },
	  { 10, AY_FRAME_EVIDENCE, 0, 1 },
	  "frame.type" },
	{ "a second HELLO",
	  { .sender = A, .is_hello_done = true },
	  { 10, AY_FRAME_HELLO, 0, 0 },
	  "frame.type" },
	{ "type 0", { .sender = A }, { 0, 0, 0, 0 }, "frame.type" },
	{ "an unknown type",
	  { .sender = A, .is_hello_done = true },
	  { 0, 200, 0, 0 },
	  "frame.type" },
	{ "an agent that challenges",
	  { .sender = A, .is_hello_done = true, .is_bound = true, .judges_bound = true },
	  { 10, AY_FRAME_CHALLENGE, 0, 0 },
	  "frame.type" },
	{ "a server that says HELLO", { .sender = S }, { 10, AY_FRAME_HELLO, 0, 0 }, "frame.type" },
	{ "a server that sends evidence",
	  { .sender = S },
	  { 10, AY_FRAME_EVIDENCE, 0, 0 },
	  "frame.type" },
	{ "a challenge", { .sender = S }, { 100, AY_FRAME_CHALLENGE, 0, 5 }, NULL },
	{ "evidence on a bound connection",
	  { .sender = A, .is_hello_done = true, .judges_bound = true, .is_bound = true },
	  { 1000, AY_FRAME_EVIDENCE, 0, 5 },
	  NULL },
	{ "evidence before the key is bound",
	  { .sender = A, .is_hello_done = true, .judges_bound = true },
	  { 1000, AY_FRAME_EVIDENCE, 0, 5 },
	  "frame.type" },
	{ "a token proof before",
	  { .sender = A, .is_hello_done = true, .judges_bound = true },
	  { 100, AY_FRAME_TOKEN_PROOF, 0, 0 },
	  NULL },
	{ "a token proof on a bound connection",
	  { .sender = A, .is_hello_done = true, .judges_bound = true, .is_bound = true },
	  { 100, AY_FRAME_TOKEN_PROOF, 0, 0 },
	  "frame.type" },
	{ "FAIL from either side", { .sender = S }, { 100, AY_FRAME_FAIL, 0, 0 }, NULL },
	{ "HELLO of the largest size", { .sender = A }, { 1024, AY_FRAME_HELLO, 0, 0 }, NULL },
	{ "HELLO one octet larger",
	  { .sender = A },
	  { 1025, AY_FRAME_HELLO, 0, 0 },
	  "frame.length" },
	{ "a length of four gigabytes",
	  { .sender = A },
	  { 0xffffffff, AY_FRAME_HELLO, 0, 0 },
	  "frame.length" },
	{ "an unknown flag", { .sender = A }, { 10, AY_FRAME_HELLO, 2, 0 }, "frame.flags" },
	{ "MORE on another type", { .sender = A }, { 10, AY_FRAME_HELLO, 1, 0 }, "frame.flags" },
	{ "another type between parts",
	  { .sender = A, .is_hello_done = true, .more_type = AY_FRAME_EVIDENCE, .more_req = 5 },
	  { 1, AY_FRAME_NOTICE, 0, 0 },
	  "frame.flags" },
	{ "another request between parts",
	  { .sender = A, .is_hello_done = true, .more_type = AY_FRAME_EVIDENCE, .more_req = 5 },
	  { 1, AY_FRAME_EVIDENCE, 0, 6 },
	  "frame.flags" },
	{ "parts above EVIDENCE_BYTES",
	  { .sender = A,
	    .is_hello_done = true,
	    .more_type = AY_FRAME_EVIDENCE,
	    .more_req = 5,
	    .more_sum = AY_MAX_EVIDENCE_BYTES },
	  { 1, AY_FRAME_EVIDENCE, 0, 5 },
	  "frame.flags" },
};

static void frames_are_judged_by_their_head(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		struct ay_frame_rules r = cases[i].r;
		struct ay_err e = { 0 };
		enum ay_rc rc = ay_frame_check(&r, &cases[i].h, &e);

		print_message("frame: %s\n", cases[i].name);
		if (cases[i].where == NULL) {
			assert_int_equal(rc, AY_OK);
			continue;
		}
		assert_int_not_equal(rc, AY_OK);
		assert_string_equal(e.where, cases[i].where);
		assert_string_equal(e.code, "PEER_PROTOCOL");
		assert_memory_equal(&r, &cases[i].r, sizeof(r)); /* nothing moved */
	}
}

/* Named as what it is, not as some type from the wrong side. */
static void an_unknown_type_is_said_to_be_unknown(void **state)
{
	struct ay_frame_rules r = { .sender = A, .is_hello_done = true };
	struct ay_frame_head h = { 0, 200, 0, 0 };
	struct ay_err e = { 0 };

	(void)state;
	assert_int_equal(ay_frame_check(&r, &h, &e), AY_E_INPUT);
	assert_string_equal(e.text, "type 200 unknown");
}

static void parts_end_with_a_frame_without_more(void **state)
{
	struct ay_frame_rules r = { .sender = A, .is_hello_done = true };
	struct ay_frame_head h = { 100, AY_FRAME_EVIDENCE, AY_FRAME_MORE, 5 };

	(void)state;
	assert_int_equal(ay_frame_check(&r, &h, NULL), AY_OK);
	assert_int_equal(r.more_sum, 100);
	h.flags = 0;
	assert_int_equal(ay_frame_check(&r, &h, NULL), AY_OK);
	assert_int_equal(r.more_type, 0);
	assert_int_equal(r.more_sum, 0);
	h = (struct ay_frame_head){ 1, AY_FRAME_NOTICE, 0, 0 };
	assert_int_equal(ay_frame_check(&r, &h, NULL), AY_OK);
}

static void heads_come_back_as_they_were_built(void **state)
{
	struct ay_bytes b = t_hex("00000102 11 01 0000 0a0b0c0d");
	struct ay_frame_head h;
	uint8_t out[AY_FRAME_HEAD];
	struct ay_err e;

	(void)state;
	assert_int_equal(ay_frame_head_parse(b, &h, NULL), AY_OK);
	assert_int_equal(h.length, 0x102);
	assert_int_equal(h.type, 17);
	assert_int_equal(h.flags, 1);
	assert_int_equal(h.req, 0x0a0b0c0d);
	ay_frame_head_build(&h, out);
	assert_memory_equal(out, b.p, sizeof(out));
	assert_int_equal(ay_frame_head_parse(t_hex("00000000 01 00 0001 00000000"), &h, &e),
			 AY_E_INPUT);
	assert_string_equal(e.where, "frame.reserved");
	assert_int_equal(ay_frame_head_parse((struct ay_bytes){ b.p, 11 }, &h, NULL), AY_E_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_are_judged_by_their_head),
		cmocka_unit_test(an_unknown_type_is_said_to_be_unknown),
		cmocka_unit_test(parts_end_with_a_frame_without_more),
		cmocka_unit_test(heads_come_back_as_they_were_built),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
