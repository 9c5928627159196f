/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/authz/signed_request.h"
#include "core/base/json.h"
#include "core/base/timetext.h"

/*
 * tests/vectors/signed/vectors.json: made by make.py beside it with Python's
 * cryptography from docs/protocol/signed-requests.md.
 */
static struct ay_arena arena;
static struct ay_bytes own[8];
static size_t n_own;
static struct ay_bytes certificate[8];
static int64_t now_ms;

static struct ay_bytes text(const json_t *o, const char *member)
{
	return ay_bytes_of(json_string_value(json_object_get(o, member)));
}

static json_t *vectors(void)
{
	struct ay_bytes file = t_vector("signed/vectors.json");
	json_t *doc = json_loadb((const char *)file.p, file.n, 0, NULL);
	size_t i;
	json_t *v;

	assert_non_null(doc);
	now_ms = json_integer_value(json_object_get(doc, "now"));
	n_own = 0;
	json_array_foreach (json_object_get(doc, "own"), i, v)
		own[n_own++] = ay_bytes_of(json_string_value(v));
	json_array_foreach(json_object_get(doc, "certificates"), i, v)
		certificate[i] = t_hex(json_string_value(v));
	return doc;
}

/* The request of a case, as it arrives. */
static void asked_of(const json_t *c, struct ay_sr_field field[8], struct ay_sr_asked *out)
{
	size_t i, n = 0;
	json_t *h;

	json_array_foreach (json_object_get(c, "headers"), i, h)
		field[n++] = (struct ay_sr_field){
			ay_bytes_of(json_string_value(json_array_get(h, 0))),
			ay_bytes_of(json_string_value(json_array_get(h, 1)))
		};
	*out = (struct ay_sr_asked){
		.method = json_string_value(json_object_get(c, "method")),
		.authority = text(c, "authority"),
		.path = text(c, "path"),
		.query = text(c, "query"),
		.header = field,
		.n_headers = n,
		.body = text(c, "body"),
		.now_ms = now_ms,
		.own_name = own,
		.n_own_names = n_own,
	};
}

static enum ay_rc ask_x509(const json_t *c, struct ay_bytes header, const struct ay_sr_asked *q,
			   int64_t *date, struct ay_err *e)
{
	struct ay_bytes der = certificate[json_integer_value(json_object_get(c, "certificate"))];
	struct ay_sr_x509 s;
	struct ay_cert cert;
	enum ay_rc rc;

	assert_int_equal(ay_cert_parse(der, &cert, e), AY_OK);
	rc = ay_sr_x509_parse(header, &arena, &s, e);
	return rc != AY_OK ? rc : ay_sr_x509_check(&s, q, &cert, &arena, date, e);
}

static enum ay_rc ask_hmac(const json_t *c, struct ay_bytes header, const struct ay_sr_asked *q,
			   int64_t *date, struct ay_err *e)
{
	struct ay_sr_hmac s;
	enum ay_rc rc = ay_sr_hmac_parse(header, &arena, &s, e);

	return rc != AY_OK ? rc : ay_sr_hmac_check(&s, q, text(c, "key"), &arena, date, e);
}

static enum ay_rc ask(const json_t *c, struct ay_bytes header, int64_t *date, struct ay_err *e)
{
	struct ay_sr_field field[8];
	struct ay_sr_asked q;

	*e = (struct ay_err){ 0 };
	*date = 0;
	asked_of(c, field, &q);
	return ay_sr_is_x509(header) ? ask_x509(c, header, &q, date, e)
				     : ask_hmac(c, header, &q, date, e);
}

static void cases(void **state)
{
	json_t *doc = vectors(), *c;
	struct ay_err e;
	int64_t date;
	size_t i;

	(void)state;
	json_array_foreach (json_object_get(doc, "cases"), i, c) {
		const char *want = json_string_value(json_object_get(c, "code"));
		enum ay_rc rc = ask(c, text(c, "authorization"), &date, &e);

		print_message("%s\n", json_string_value(json_object_get(c, "name")));
		assert_string_equal(e.code, want);
		assert_int_equal(rc, want[0] == '\0' ? AY_OK : AY_E_DENIED);
		assert_true(want[0] == '\0' ? date > 0 : date == 0);
		ay_arena_reset(&arena);
	}
	assert_true(i > 60);
	json_decref(doc);
}

/* No octet of a signed header may be another: each changed one is refused. */
static void every_octet(void **state)
{
	json_t *doc = vectors(), *all = json_object_get(doc, "cases"), *c;
	size_t i, n_tried = 0;
	struct ay_err e;
	int64_t date;

	(void)state;
	json_array_foreach (all, i, c) {
		const char *name = json_string_value(json_object_get(c, "name"));
		struct ay_bytes good = text(c, "authorization");

		if (strstr(name, ": as the client signed it") == NULL)
			continue;
		for (size_t at = strcspn((const char *)good.p, " "); at < good.n; at++) {
			char *bad = ay_arena_str(&arena, good);

			bad[at] ^= 1;
			assert_int_equal(ask(c, ay_bytes_of(bad), &date, &e), AY_E_DENIED);
			ay_arena_reset(&arena);
			n_tried++;
		}
		for (size_t n = 0; n < good.n; n++) {
			struct ay_sr_x509 x;
			struct ay_sr_hmac h;
			struct ay_bytes cut = { good.p, n };

			assert_int_not_equal(ay_sr_x509_parse(cut, &arena, &x, &e), AY_OK);
			assert_int_not_equal(ay_sr_hmac_parse(cut, &arena, &h, &e), AY_OK);
			ay_arena_reset(&arena);
		}
	}
	assert_true(n_tried > 400);
	json_decref(doc);
}

static void dates(void **state)
{
	static const struct {
		const char *text, *same; /* NULL: refused */
		bool iso;
	} rows[] = {
		{ "Sun, 22 Nov 2026 04:17:17 GMT", "2026-11-22T04:17:17Z", false },
		{ "22 Nov 2026 04:17:17 UT", "2026-11-22T04:17:17Z", false },
		{ "Mon, 5 Jan 2026 00:00:00 +0130", "2026-01-04T22:30:00Z", false },
		{ "Mon, 25 Jun 2012 12:34:36 PDT", "2012-06-25T19:34:36Z", false },
		{ "Wed, 29 Feb 2012 00:00:00 -0000", "2012-02-29T00:00:00Z", false },
		{ "Thu, 30 Feb 2012 00:00:00 GMT", NULL, false },
		{ "Sun, 22 Nov 26 04:17:17 GMT", NULL, false },
		{ "Sun, 22 Nov 2026 04:17 GMT", NULL, false },
		{ "Sun, 22 Nov 2026 24:17:17 GMT", NULL, false },
		{ "Sun, 22 Nov 2026 04:17:17", NULL, false },
		{ "Sun, 22 Nov 2026 04:17:17 XYZ", NULL, false },
		{ "Sun, 22 Nov 2026 04:17:17 GMT ", NULL, false },
		{ "Sunday, 22 Nov 2026 04:17:17 GMT", NULL, false },
		{ "Sun, 022 Nov 2026 04:17:17 GMT", NULL, false },
		{ "Sun, 22 Nov 2026 04:17:17 +9900", NULL, false },
		{ "", NULL, false },
		{ "2012-02-14T08:15:00", "2012-02-14T08:15:00Z", true },
		{ "2012-02-14T08:15:00-08:00", "2012-02-14T16:15:00Z", true },
		{ "2014-02-12T19:44:41-0800", "2014-02-13T03:44:41Z", true },
		{ "2012-02-14T08:15:00.250Z", "2012-02-14T08:15:00.250Z", true },
		{ "2012-02-14 08:15:00", NULL, true },
		{ "2012-02-14T08:15:00-8", NULL, true },
		{ "2012-02-14T08:15:00.25", NULL, true },
		{ "2012-02-14T08:15:00Z+01:00", NULL, true },
		{ "2012-02-14", NULL, true },
	};
	int64_t got, want;
	struct ay_err e;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		struct ay_bytes b = ay_bytes_of(rows[i].text);
		enum ay_rc rc = rows[i].iso ? ay_time_parse_iso(b, "t", &got, &e)
					    : ay_time_parse_rfc822(b, "t", &got, &e);

		print_message("date: %s\n", rows[i].text);
		assert_int_equal(rc, rows[i].same == NULL ? AY_E_INPUT : AY_OK);
		if (rows[i].same == NULL)
			continue;
		assert_int_equal(ay_time_parse(ay_bytes_of(rows[i].same), "t", &want, &e), AY_OK);
		assert_int_equal(got, want);
	}
}

static int set_up(void **state)
{
	(void)state;
	ay_arena_init(&arena, 1 << 22);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ay_arena_fini(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cases),
		cmocka_unit_test(every_octet),
		cmocka_unit_test(dates),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
