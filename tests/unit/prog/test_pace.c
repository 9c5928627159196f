/* SPDX-License-Identifier: Apache-2.0 */
/* Deadlines of a fleet by a simulated clock: in time, spread, fair, and never late in silence. */
#include "prog/assayd/pace.h"

#include "support/t.h"

#include <stdlib.h>

#define HOSTS 10000
#define TICK_MS 100

/* One simulated host; its answers take as long as the fleet says. */
struct host {
	struct ay_pace_item pace;
	uint32_t seed;
	int64_t interval, bound; /* of its policy */
	int64_t due;		 /* AY_NEVER: waits or is asked */
	int64_t answers_at;	 /* AY_NEVER: not asked */
	int64_t attested;
	unsigned n;	/* attestations */
	int64_t oldest; /* evidence that ever was in force */
	bool never_answers;
};

struct fleet {
	struct ay_pace p;
	struct host *h;
	size_t n;
	size_t from; /* whose answer is looked at first: no place is the best */
	int64_t now;
	int64_t answer_ms;	 /* time of an answer */
	unsigned capacity_per_s; /* of the server: answers settled; 0: no limit */
	unsigned settled;	 /* in this second */
	unsigned most_at_a_time;
	unsigned busiest_s; /* challenges in the busiest second */
	unsigned asked;	    /* in this second */
	unsigned n_changes; /* of overload */
	int64_t said_at;    /* when overload was said first; 0 not */
	int64_t first_late; /* when a host was first taken after its deadline; 0 never */
};

static void fleet_make(struct fleet *f, size_t n, uint32_t window)
{
	memset(f, 0, sizeof(*f));
	srand(7);
	ay_pace_init(&f->p, window);
	f->h = calloc(n, sizeof(*f->h));
	assert_non_null(f->h);
	f->n = n;
	f->now = 1000000;
	f->answer_ms = 300;
	for (size_t i = 0; i < n; i++)
		f->h[i] = (struct host){ .seed = (uint32_t)rand() * 2654435761u,
					 .interval = 300000,
					 .bound = 600000,
					 .due = f->now,
					 .answers_at = AY_NEVER,
					 .attested = f->now };
}

static void fleet_free(struct fleet *f)
{
	ay_pace_fini(&f->p);
	free(f->h);
}

static void settle(struct fleet *f, struct host *h)
{
	ay_pace_done(&f->p, &h->pace);
	h->attested = f->now;
	h->answers_at = AY_NEVER;
	h->n++;
	h->due = ay_pace_next_turn(f->now, h->interval, h->seed);
	assert_true(h->due > f->now && h->due <= f->now + h->interval);
}

static void one_host(struct fleet *f, struct host *h)
{
	if (f->now - h->attested > h->oldest)
		h->oldest = f->now - h->attested;
	if (h->answers_at <= f->now && (!f->capacity_per_s || f->settled < f->capacity_per_s)) {
		f->settled++;
		f->from = (size_t)(h - f->h) + 1;
		settle(f, h);
	}
	/* as schedule.c does: what is being judged holds its slot, an open question does not */
	if (h->pace.slot_until && h->pace.slot_until <= f->now) {
		if (h->answers_at <= f->now)
			h->pace.slot_until = f->now + AY_PACE_SLOT_MS;
		else
			ay_pace_done(&f->p, &h->pace);
	}
	if (h->due > f->now)
		return;
	h->due = AY_NEVER;
	assert_true(ay_pace_add(&f->p, &h->pace, h->attested + h->bound, f->now));
}

static void tick(struct fleet *f)
{
	struct ay_pace_item *it;
	int64_t last = INT64_MIN;

	for (size_t i = 0, from = f->from; i < f->n; i++)
		one_host(f, &f->h[(from + i) % f->n]);
	while ((it = ay_pace_take(&f->p, f->now))) {
		struct host *h = (struct host *)(void *)it;

		assert_true(h->attested + h->bound >= last); /* the earliest deadline first */
		last = h->attested + h->bound;
		if (last < f->now && !f->first_late)
			f->first_late = f->now;
		h->answers_at = h->never_answers ? AY_NEVER : f->now + f->answer_ms;
		if (h->never_answers)
			h->due = f->now + h->interval;
		f->asked++;
	}
	if (f->p.n_slots > f->most_at_a_time)
		f->most_at_a_time = f->p.n_slots;
	f->now += TICK_MS;
}

static void run(struct fleet *f, int seconds)
{
	while (seconds-- > 0) {
		for (int i = 0; i < 1000 / TICK_MS; i++)
			tick(f);
		if (ay_pace_look(&f->p, f->now)) {
			f->n_changes++;
			if (f->p.load.overloaded && !f->said_at)
				f->said_at = f->now;
		}
		if (f->asked > f->busiest_s)
			f->busiest_s = f->asked;
		f->asked = f->settled = 0;
	}
}

/* ---- */

static void ten_thousand_hosts_after_a_restart(void **state)
{
	struct fleet f;

	(void)state;
	fleet_make(&f, HOSTS, 256);
	for (size_t i = 0; i < f.n;
	     i++) /* trusted, up to five minutes ago; all come back at once */
		f.h[i].due = ay_pace_rejoin(f.now, f.now + rand() % 300000, 300000, f.h[i].seed);
	run(&f, 31);
	print_message("rejoin: %u at a time, %u in the busiest second\n", f.most_at_a_time,
		      f.busiest_s);
	assert_true(f.busiest_s < 2 * HOSTS / 30); /* no herd */
	assert_true(f.most_at_a_time <= 256);
	run(&f, 300); /* the second round leads each to its own place */
	f.busiest_s = 0;
	run(&f, 600);
	print_message("steady: %u in the busiest second, %d due on average\n", f.busiest_s,
		      HOSTS / 300);
	assert_true(f.busiest_s < 3 * HOSTS / 300);
	for (size_t i = 0; i < f.n; i++) {
		assert_true(f.h[i].oldest <= 300000 + 2000);
		assert_true(f.h[i].n >= 3);
	}
	assert_int_equal(f.p.load.late, 0);
	assert_int_equal(f.n_changes, 0); /* overload was never said */
	fleet_free(&f);
}

static void slow_hosts_keep_nobody_waiting(void **state)
{
	struct fleet f;

	(void)state;
	fleet_make(&f, 1000, 64);
	for (size_t i = 0; i < f.n; i += 2)
		f.h[i].never_answers = true; /* 500 with 64 slots */
	for (size_t i = 0; i < f.n; i++)
		f.h[i].due = f.now + rand() % 300000;
	run(&f, 1200);
	for (size_t i = 1; i < f.n; i += 2) {
		assert_true(f.h[i].n >= 3);
		assert_true(f.h[i].oldest <= 300000 + 5000);
	}
	fleet_free(&f);
}

static void overload_is_said_and_shared(void **state)
{
	unsigned least = UINT32_MAX, most = 0;
	struct fleet f;

	(void)state;
	fleet_make(&f, 2000, 64);
	for (size_t i = 0; i < f.n; i++) {
		f.h[i].interval = 10000;
		f.h[i].bound = 20000;
		f.h[i].due = f.now + rand() % 10000;
	}
	f.capacity_per_s = 50; /* 200 are due each second */
	run(&f, 200);
	print_message("overload: said after %lld s, first late after %lld s, %u wait\n",
		      (long long)(f.said_at - 1000000) / 1000,
		      (long long)(f.first_late - 1000000) / 1000, f.p.load.waiting);
	assert_true(f.said_at > 0 && f.first_late > 0);
	assert_true(f.said_at <= f.first_late + 1000); /* foreseen, or at once: never in silence */
	assert_true(f.p.load.overloaded && f.p.load.late > 0);
	assert_in_range(f.p.load.served_per_s, 40, 60);
	assert_true(f.p.load.waiting > 1000 && f.p.load.longest_wait_ms > 10000);
	assert_int_equal(f.n_changes, 1); /* it does not flicker */
	for (size_t i = 0; i < f.n; i++) {
		least = f.h[i].n < least ? f.h[i].n : least;
		most = f.h[i].n > most ? f.h[i].n : most;
	}
	print_message("overload: %u to %u attestations a host\n", least, most);
	assert_true(most - least <= 2); /* everybody gets the same */
	f.capacity_per_s = 1000;
	run(&f, 60);
	assert_false(f.p.load.overloaded);
	assert_int_equal(f.n_changes, 2);
	fleet_free(&f);
}

/* Load that fits, but only in the order of deadlines: a strict policy beside a lax one. */
static void the_strict_policy_is_kept_beside_the_lax_one(void **state)
{
	struct fleet f;

	(void)state;
	fleet_make(&f, 1000, 16);
	for (size_t i = 0; i < f.n; i++) {
		bool strict = i % 10 == 0;

		f.h[i].interval = strict ? 5000 : 30000;
		f.h[i].bound = strict ? 7000 : 120000;
	}
	f.capacity_per_s = 60; /* 20 + 30 are due each second, and 1000 at the start */
	run(&f, 5);	       /* the start */
	for (size_t i = 0; i < f.n; i++)
		f.h[i].oldest = 0;
	run(&f, 120);
	for (size_t i = 0; i < f.n; i++)
		assert_true(f.h[i].oldest <= f.h[i].bound + 1000);
	fleet_free(&f);
}

static void turns_stay_within_the_interval(void **state)
{
	(void)state;
	for (int i = 0; i < 100000; i++) {
		int64_t now = rand(), interval = 1 + rand() % 600000;
		uint32_t seed = (uint32_t)rand();
		int64_t next = ay_pace_next_turn(now, interval, seed);

		assert_true(next > now && next <= now + interval);
		next = ay_pace_rejoin(now, now + 1000, interval, seed);
		assert_true(next >= now && next <= now + 1000);
		assert_true(ay_pace_rejoin(now, now - 5, interval, seed) == now - 5);
	}
}

static void the_earlier_deadline_counts(void **state)
{
	struct ay_pace_item a = { 0 }, b = { 0 };
	struct ay_pace p;

	(void)state;
	ay_pace_init(&p, 1);
	assert_true(ay_pace_add(&p, &a, 100, 0));
	assert_true(ay_pace_add(&p, &b, 50, 0));
	assert_true(ay_pace_add(&p, &a, 20, 10)); /* a user asks */
	assert_true(ay_pace_add(&p, &a, 90, 11)); /* and its own turn comes */
	assert_int_equal(p.n_waiting, 2);
	assert_ptr_equal(ay_pace_take(&p, 15), &a);
	assert_null(ay_pace_take(&p, 15)); /* the one slot is in use */
	ay_pace_done(&p, &a);
	ay_pace_done(&p, &a);
	assert_ptr_equal(ay_pace_take(&p, 60), &b);
	assert_int_equal(p.load.late, 1);
	ay_pace_drop(&p, &b);
	assert_true(ay_pace_add(&p, &a, 70, 60));
	ay_pace_withdraw(&p, &a);
	assert_null(ay_pace_take(&p, 60));
	assert_int_equal(p.n_slots, 0);
	ay_pace_fini(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(turns_stay_within_the_interval),
		cmocka_unit_test(the_earlier_deadline_counts),
		cmocka_unit_test(ten_thousand_hosts_after_a_restart),
		cmocka_unit_test(slow_hosts_keep_nobody_waiting),
		cmocka_unit_test(overload_is_said_and_shared),
		cmocka_unit_test(the_strict_policy_is_kept_beside_the_lax_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
