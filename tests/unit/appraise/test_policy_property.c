/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No policy, however odd, turns a failing report into trusted unless it names
 * the failing thing: policies drawn from a seeded generator judge failing
 * boots, and whoever trusts one must hold an open waiver for each failure.
 */
#include "boot_fixture.h"

#include "core/appraise/waiver.h"
#include "core/base/hex.h"

#define REQUIRED (AY_COMP_BIT(AY_COMP_PLATFORM) | AY_COMP_BIT(AY_COMP_OS))
#define POLICIES 1000
#define NOW_MS INT64_C(1798761600000) /* 2027-01-01 */

static struct ay_arena arena, scratch;
static struct boot bad[4];
static struct ay_refset *sets[3]; /* active, superseded, of another machine */
static size_t n_trusted, n_by_waiver;

/* xorshift64*: the same policies every time */
static uint64_t seed = 0x9e3779b97f4a7c15u;

static unsigned draw(unsigned n)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (unsigned)((seed * 0x2545f4914f6cdd1du >> 33) % n);
}

static int setup(void **state)
{
	static struct boot good;

	(void)state;
	ay_arena_init(&arena, AY_MAX_ARENA_BYTES);
	ay_arena_init(&scratch, AY_MAX_ARENA_BYTES);
	boot_init(&good);
	boot_make(&good, &arena);
	sets[0] = boot_learn(&good, "good");
	sets[0]->state = AY_SET_ACTIVE;
	for (size_t i = 0; i < AY_COUNT(bad); i++)
		boot_init(&bad[i]);
	bad[0].ev[boot_find(&bad[0], "/boot/initrd.gz")].content = "initrd with more";
	bad[1].ev[boot_find(&bad[1], "db")].data = "keys and one";
	boot_remove(&bad[2], boot_find(&bad[2], "path2"));
	bad[3].ev[boot_find(&bad[3], "/boot/vmlinuz")].content = "kernel 2";
	bad[3].ev[boot_find(&bad[3], "path3")].content = "kernel 2";
	for (size_t i = 0; i < AY_COUNT(bad); i++)
		boot_make(&bad[i], &arena);
	/* an old version that knows the kernel of bad[3]: only a window may bring it back */
	sets[1] = boot_learn(&bad[3], "good");
	sets[1]->version = 2;
	sets[1]->state = AY_SET_SUPERSEDED;
	sets[2] = boot_learn(&bad[0], "other");
	sets[2]->state = AY_SET_REVOKED;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(sets); i++)
		ay_refset_free(sets[i]);
	ay_arena_fini(&arena);
	ay_arena_fini(&scratch);
	return 0;
}

/* ---- odd policies ---- */

static struct ay_writer out;

static void put(const char *fmt, ...) AY_PRINTF(1, 2);
static void put(const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ay_wr_bytes(&out, (struct ay_bytes){ (const uint8_t *)text, (size_t)n });
}

static const char *instant(void)
{
	static const char *const at[] = { "2020-01-01T00:00:00Z", "2026-12-31T23:59:59Z",
					  "2027-01-01T00:00:00Z", "2027-01-01T00:00:01Z",
					  "2099-01-01T00:00:00Z" };

	return at[draw(AY_COUNT(at))];
}

/* A digest that a bad boot shows, or one like it. */
static void put_digest(const struct ay_report *failing)
{
	const struct ay_finding *f = &failing->finding[draw((unsigned)failing->n_findings)];
	const char *hex = f->measured != NULL && draw(4) != 0 ? f->measured : f->expected;

	if (hex == NULL || strlen(hex) < 40)
		hex = "0101010101010101010101010101010101010101010101010101010101010101";
	put("\"%s%s\"", draw(8) == 0 ? "0" : "", hex);
}

static void put_waiver(const struct ay_report *failing)
{
	static const char *const codes[] = { "REF_PCR", "REF_EVENT", "REF_ADDED", "REF_MISSING",
					     "SB_STATE" };

	put("{\"code\":\"%s\",\"pcr\":%u,\"measured\":", codes[draw(AY_COUNT(codes))], draw(10));
	put_digest(failing);
	if (draw(2) == 0) {
		put(",\"expected\":");
		put_digest(failing);
	}
	if (draw(6) == 0)
		put(",\"bank\":\"%s\"", draw(2) == 0 ? "sha1" : "sha256");
	put(",\"owner\":\"o\",\"reason\":\"r\",\"until\":\"%s\"}", instant());
}

/* Now and then exactly what the report says, so that some policy does excuse it. */
static void put_exact(const struct ay_report *failing)
{
	bool first = true;

	for (size_t i = 0; i < failing->n_findings; i++) {
		const struct ay_finding *f = &failing->finding[i];

		if (f->result != AY_FAIL || !ay_waiver_may(f->code) || draw(16) == 0)
			continue;
		put("%s{\"code\":\"%s\",\"pcr\":%u", first ? "" : ",", ay_check_row(f->code)->code,
		    f->pcr);
		if (f->measured != NULL)
			put(",\"measured\":\"%s\"", f->measured);
		if (f->expected != NULL)
			put(",\"expected\":\"%s\"", f->expected);
		put(",\"owner\":\"o\",\"reason\":\"r\",\"until\":\"%s\"}", instant());
		first = false;
	}
}

static void put_waivers(const struct ay_report *failing)
{
	put(",\"waivers\":[");
	if (draw(3) == 0)
		put_exact(failing);
	else
		for (unsigned n = draw(6); n > 0; n--) {
			put_waiver(failing);
			put("%s", n > 1 ? "," : "");
		}
	put("]");
}

static void put_members(const struct ay_report *failing)
{
	static const char *const odd[] = {
		",\"required_if_reference\":[\"runtime\"]",
		",\"references\":[\"good\"]",
		",\"references\":[\"other\"]",
		",\"references\":[\"nowhere\"]",
		",\"allow_no_log\":{\"owner\":\"o\",\"reason\":\"r\"}",
		",\"ima\":{\"enabled\":false}",
		",\"ima\":{\"violations\":1000000,\"allow_padded_bank\":true}",
		",\"banks\":{\"refused\":[\"sha1\"]}",
		",\"banks\":{\"required\":[\"sha256\"]}",
		",\"pcrs_judged\":[]",
		",\"pcrs_judged\":[0,7]",
		",\"grades\":{}",
		",\"grades\":{\"os\":\"self_reported\"}",
		",\"secure_boot\":{}",
		",\"secure_boot\":{\"state\":\"off\"}",
		",\"max_staleness_s\":600",
		",\"lease_s\":604800",
	};
	bool used[AY_COUNT(odd)] = { false };

	for (unsigned n = draw(6); n > 0; n--) {
		unsigned i = draw(AY_COUNT(odd));

		if (!used[i])
			put("%s", odd[i]);
		used[i] = true;
		used[1] |= i >= 1 && i <= 3; /* a member stands there once */
		used[2] = used[3] = used[1];
		used[5] |= i == 6;
		used[6] |= i == 5;
		used[7] |= i == 8;
		used[8] |= i == 7;
		used[9] |= i == 10;
		used[10] |= i == 9;
		used[11] |= i == 12;
		used[12] |= i == 11;
		used[13] |= i == 14;
		used[14] |= i == 13;
	}
	put_waivers(failing);
	put(",\"windows\":[{\"set\":\"%s\",\"version\":%u,\"owner\":\"o\",\"reason\":\"r\","
	    "\"until\":\"%s\"}]",
	    draw(2) == 0 ? "good" : "other", 1 + draw(3), instant());
}

static struct ay_policy *odd_policy(const struct ay_report *failing)
{
	static uint8_t buf[65536];
	struct ay_policy *p = NULL;
	struct ay_bytes text;
	struct ay_err e = { 0 };

	ay_wr_init(&out, buf, sizeof(buf));
	put("{\"format\":\"assay-policy-1\",\"name\":\"p\",\"version\":1,"
	    "\"required\":[\"platform\",\"os\"]");
	put_members(failing);
	put("}");
	assert_int_equal(ay_wr_end(&out, "policy", &text, NULL), AY_OK);
	if (ay_policy_parse(text, &p, &e) != AY_OK && e.rc != AY_E_INPUT)
		fail_msg("%.*s: %s", (int)text.n, text.p, e.text);
	return p;
}

/* ---- judging ---- */

static void judge(const struct boot *b, const struct ay_policy *p, size_t n_sets,
		  struct ay_report *rep)
{
	struct ay_state_in in = { .pcrs = &b->pcrs,
				  .log_given = AY_LOG_IS_GIVEN,
				  .log = &b->log,
				  .sets = (const struct ay_refset *const *)sets,
				  .n_sets = n_sets,
				  .policy = p,
				  .now_ms = NOW_MS };

	ay_report_init(rep, &scratch);
	assert_int_equal(ay_appraise_state(&in, rep, NULL), AY_OK);
}

/* Independent of ay_waivers_apply(): does the policy hold an open waiver that names it? */
static bool names(const struct ay_policy *p, const struct ay_finding *f)
{
	for (size_t i = 0; i < p->n_waivers; i++) {
		const struct ay_waiver *w = &p->waiver[i];

		if (w->until_ms <= NOW_MS || w->pcr != f->pcr || w->code != f->code)
			continue;
		if (w->measured != NULL && f->measured != NULL &&
		    strcmp(w->measured, f->measured) == 0)
			return true;
		if (f->code == AY_CHECK_REF_MISSING && w->expected != NULL &&
		    strcmp(w->expected, f->expected) == 0)
			return true;
	}
	return false;
}

static bool has_event_failures(const struct ay_report *rep, uint8_t pcr)
{
	for (size_t i = 0; i < rep->n_findings; i++)
		if (rep->finding[i].pcr == pcr && rep->finding[i].result == AY_FAIL &&
		    rep->finding[i].code != AY_CHECK_REF_PCR)
			return true;
	return false;
}

/* Each failure that the same policy shows without its waivers is named, or follows from one that
 * is. */
static void check_named(const struct ay_policy *p, const struct ay_report *bare)
{
	for (size_t i = 0; i < bare->n_findings; i++) {
		const struct ay_finding *f = &bare->finding[i];

		if (f->result != AY_FAIL)
			continue;
		n_by_waiver++;
		if (f->code == AY_CHECK_REF_PCR && has_event_failures(bare, f->pcr))
			continue; /* its events are looked at themselves */
		if (!names(p, f))
			fail_msg("trusted, and nothing names %s %s", ay_check_row(f->code)->code,
				 f->text);
	}
}

static bool window_lets_in(const struct ay_policy *p)
{
	const struct ay_window *w = p->n_windows > 0 ? &p->window[0] : NULL;

	return w != NULL && strcmp(w->set, "good") == 0 && w->version == 2 && w->until_ms > NOW_MS;
}

static void try_one(const struct boot *b, const struct ay_report *failing)
{
	struct ay_policy *p = odd_policy(failing);
	struct ay_report rep, bare;

	if (p == NULL)
		return;
	judge(b, p, AY_COUNT(sets), &bare);
	judge(b, p, AY_COUNT(sets), &rep);
	assert_int_equal(ay_appraise_conclude(p, REQUIRED, NOW_MS, &rep, NULL), AY_OK);
	if (rep.verdict == AY_TRUSTED) {
		n_trusted++;
		if (!window_lets_in(p) || b != &bad[3])
			check_named(p, &bare);
	}
	ay_policy_free(p);
	ay_arena_reset(&scratch);
}

static void test_property(void **state)
{
	static struct ay_arena kept;
	struct ay_policy *strict;

	(void)state;
	assert_int_equal(ay_policy_default(&strict, NULL), AY_OK);
	for (size_t i = 0; i < AY_COUNT(bad); i++) {
		struct ay_report failing, copy;

		ay_arena_init(&kept, AY_MAX_ARENA_BYTES);
		judge(&bad[i], strict, 1, &failing);
		ay_report_init(&copy, &kept);
		ay_report_merge(&copy, &failing);
		assert_int_equal(ay_report_conclude(&failing, REQUIRED, NULL), AY_OK);
		assert_int_equal(failing.verdict, AY_UNTRUSTED);
		for (unsigned n = 0; n < POLICIES; n++)
			try_one(&bad[i], &copy);
		ay_arena_fini(&kept);
	}
	ay_policy_free(strict);
	print_message("%zu of %d policies trusted a failing boot, %zu failures waived\n", n_trusted,
		      4 * POLICIES, n_by_waiver);
	assert_true(n_by_waiver > 0); /* else the generator never reaches what it is for */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_property),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
