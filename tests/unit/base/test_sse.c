/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of [HTML 9.2.6], its own examples among them, whole and octet by octet. */
#include "support/t.h"

#include "core/base/sse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct heard {
	char text[512];
	size_t n, stop_after;
};

static bool hear(void *arg, const struct ay_sse_event *ev)
{
	struct heard *h = arg;
	size_t at = strlen(h->text);

	if (ev->is_comment)
		snprintf(h->text + at, sizeof(h->text) - at, "(%.*s)", (int)ev->data.n,
			 (const char *)ev->data.p);
	else
		snprintf(h->text + at, sizeof(h->text) - at, "%llu %s [%.*s];",
			 (unsigned long long)ev->id, ev->type, (int)ev->data.n,
			 (const char *)ev->data.p);
	return ++h->n != h->stop_after;
}

static const struct {
	const char *in, *out;
} rows[] = {
	{ "data: YHOO\ndata: +2\ndata: 10\n\n", "0 message [YHOO\n+2\n10];" },
	{ ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third "
	  "event\n\n",
	  "(test stream)1 message [first event];1 message [second event];1 message [ third "
	  "event];" },
	{ "data\n\ndata\ndata\n\ndata:", "0 message [];0 message [\n];" },
	{ "data:test\n\ndata: test\n\n", "0 message [test];0 message [test];" },
	{ "event: add\rdata: 1\r\rid: 9\r\n\r\ndata: 2\n\r\n", "0 add [1];9 message [2];" },
	{ "\xef\xbb\xbf"
	  "data: a\n\n",
	  "0 message [a];" },
	{ "data: cut\n", "" },
	{ "id: 5\n\nid: x\ndata: a\n\nid: 1234567890123456789\ndata: b\n\n",
	  "5 message [a];5 message [b];" },
	{ "event: e\n\ndata: a\n\n", "0 message [a];" },
	{ "nonsense: a\nretry: 5\n Data: b\ndata: c\n\n", "0 message [c];" },
	{ "event: a\x1b[2J\ndata: x\n\n", "0 a?[2J [x];" },
	{ "event: 0123456789012345678901234567890123456789\ndata: x\n\n", "0 ? [x];" },
};

static void test_rows(void **state)
{
	struct ay_sse *s = calloc(1, sizeof(*s));
	struct ay_err e;

	(void)state;
	assert_non_null(s);
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		for (size_t step = 1; step < 64; step += 62) {
			struct heard h = { .n = 0 };
			struct ay_bytes in = ay_bytes_of(rows[i].in);

			*s = (struct ay_sse){ 0 };
			for (size_t at = 0; at < in.n; at += step)
				assert_int_equal(
					ay_sse_feed(s,
						    (struct ay_bytes){ in.p + at,
								       in.n - at < step ? in.n - at
											: step },
						    hear, &h, &e),
					AY_OK);
			assert_string_equal(h.text, rows[i].out);
		}
	}
	free(s);
}

/* The id of an event that was cut is not resumed from: it has not been told. */
static void test_cut(void **state)
{
	struct ay_sse *s = calloc(1, sizeof(*s));
	struct heard h = { .n = 0 };
	struct ay_err e;

	(void)state;
	assert_non_null(s);
	assert_int_equal(
		ay_sse_feed(s, ay_bytes_of("id: 1\ndata: a\n\nid: 2\ndata: b\n"), hear, &h, &e),
		AY_OK);
	assert_int_equal(s->id, 1);
	ay_sse_reset(s);
	assert_int_equal(s->id, 1);
	assert_int_equal(ay_sse_feed(s, ay_bytes_of("\ndata: c\n\n"), hear, &h, &e), AY_OK);
	assert_string_equal(h.text, "1 message [a];1 message [c];");
	h = (struct heard){ .stop_after = 1 };
	assert_int_equal(ay_sse_feed(s, ay_bytes_of("data: d\n\ndata: e\n\n"), hear, &h, &e),
			 AY_OK);
	assert_string_equal(h.text, "1 message [d];");
	free(s);
}

static enum ay_rc feed_many(struct ay_sse *s, const char *head, size_t n, const char *tail,
			    struct heard *h)
{
	struct ay_err e;
	enum ay_rc rc = ay_sse_feed(s, ay_bytes_of(head), hear, h, &e);

	for (size_t i = 0; rc == AY_OK && i < n; i++)
		rc = ay_sse_feed(s, ay_bytes_of("x"), hear, h, &e);
	return rc == AY_OK ? ay_sse_feed(s, ay_bytes_of(tail), hear, h, &e) : rc;
}

static void test_limits(void **state)
{
	struct ay_sse *s = calloc(1, sizeof(*s));
	struct heard h = { .n = 0 };
	struct ay_err e;

	(void)state;
	assert_non_null(s);
	assert_int_equal(feed_many(s, "data:", AY_MAX_SSE_BYTES - 5, "\n", &h), AY_OK);
	assert_int_equal(feed_many(s, "data:", 4, "\n", &h), AY_OK); /* full to the last octet */
	assert_int_equal(feed_many(s, "data", 0, "\n", &h), AY_E_LIMIT);
	assert_int_equal(ay_sse_feed(s, ay_bytes_of("\n\n"), hear, &h, &e),
			 AY_E_LIMIT); /* for good */
	assert_int_equal(h.n, 0);
	ay_sse_reset(s);
	assert_int_equal(feed_many(s, ":", AY_MAX_SSE_BYTES, "\n", &h), AY_E_LIMIT);
	assert_int_equal(h.n, 0);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
