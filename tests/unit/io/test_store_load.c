/* SPDX-License-Identifier: Apache-2.0 */
/* The store under load: rows gather into few commits, and what was acknowledged survives kill -9.
 */
#include "store_fixture.h"

/* The version of a host's status. */
static void see_version(void *arg, const struct ay_host_row *h, const struct ay_host_status *s,
			const struct ay_host_context *c)
{
	(void)h, (void)c;
	*(uint64_t *)arg = s->version;
}

static uint64_t version_of(struct fx *f, unsigned n)
{
	struct ay_uuid id = fx_id(n);
	uint64_t version = 0;

	assert_int_equal(ay_store_host(f->s, &id, see_version, &version, &f->e), AY_OK);
	return version;
}

static size_t drain(struct fx *f, size_t want, size_t *ok)
{
	struct ay_store_result r[256];
	struct pollfd p = { .fd = ay_store_done_fd(f->s), .events = POLLIN };
	size_t all = 0, n;

	while (all < want) {
		assert_int_equal(poll(&p, 1, 10000), 1);
		while ((n = ay_store_done(f->s, r, 256)) > 0) {
			for (size_t i = 0; i < n; i++)
				*ok += r[i].rc == AY_OK;
			all += n;
		}
	}
	return all;
}

/* Rows gather: far fewer commits than rows; results come in order, and what they cost is printed.
 */
static void test_group_commit(void **state)
{
	enum { HOSTS = 500, ROUNDS = 20 };
	struct ay_blob *report = ay_blob_new(FX_BYTES("{\"verdict\":\"trusted\"}"));
	struct ay_store_stats before, after;
	struct ay_attest_row a;
	struct ay_write w = { .kind = AY_WR_ATTEST, .attest = &a };
	struct ay_err e;
	size_t ok = 0;
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	for (unsigned i = 0; i < HOSTS; i++) {
		char name[32];
		struct ay_host_row h = fx_host(i, name);
		struct ay_write add = { .kind = AY_WR_HOST_ADD, .host = &h };

		assert_int_equal(ay_store_submit(f.s, &add, 1, AY_SUBMIT_LAZY, i, &e), AY_OK);
	}
	drain(&f, HOSTS, &ok);
	ay_store_stats(f.s, &before);
	for (unsigned v = 1; v <= ROUNDS; v++) {
		for (unsigned i = 0; i < HOSTS; i++) {
			a = fx_attest(i, v, report);
			assert_int_equal(ay_store_submit(f.s, &w, 1, AY_SUBMIT_LAZY, i, &e), AY_OK);
		}
		drain(&f, HOSTS, &ok);
	}
	ay_store_stats(f.s, &after);
	assert_int_equal(ok, HOSTS + HOSTS * ROUNDS);
	assert_true(after.commits - before.commits <= ROUNDS * 20);
	print_message("attestations: %d in %llu commits, %.1f us of the writer's CPU each\n",
		      HOSTS * ROUNDS, (unsigned long long)(after.commits - before.commits),
		      (double)(after.writer_cpu_ns - before.writer_cpu_ns) / 1000 /
			      (HOSTS * ROUNDS));
	assert_int_equal(ay_store_verify(f.s, &f.e), AY_OK);
	ay_blob_unref(report);
	fx_end(&f);
}

/* ---- kill -9 ---- */

/* The child attests for ever and tells each acknowledged (host, version) through the pipe. */
static void storm(const char *path, int to)
{
	enum { HOSTS = 50 };
	struct ay_store_config cfg = { .path = path, .pause_min_ms = 1, .pause_max_ms = 2 };
	struct ay_blob *report = ay_blob_new(FX_BYTES("{}"));
	uint64_t version[HOSTS] = { 0 };
	struct ay_store_result r[256];
	struct ay_store *s;
	struct ay_err e;

	if (ay_store_open(&ay_store_sqlite, &cfg, &s, &e) != AY_OK)
		_exit(3);
	for (;;) {
		struct pollfd p = { .fd = ay_store_done_fd(s), .events = POLLIN };

		for (unsigned i = 0; i < HOSTS; i++) {
			struct ay_attest_row a = fx_attest(i, ++version[i], report);
			struct ay_write w = { .kind = AY_WR_ATTEST, .attest = &a };

			if (ay_store_submit(s, &w, 1, AY_SUBMIT_LAZY, i, &e) != AY_OK)
				_exit(4);
		}
		for (size_t got = 0, n; got < HOSTS;) {
			poll(&p, 1, 1000);
			n = ay_store_done(s, r, 256);
			for (size_t i = 0; i < n; i++) {
				uint64_t ack[2] = { r[i].cookie, version[r[i].cookie] };

				if (r[i].rc != AY_OK || write(to, ack, sizeof(ack)) != sizeof(ack))
					_exit(5);
			}
			got += n;
		}
	}
}

static void test_kill(void **state)
{
	uint64_t acked[50] = { 0 }, ack[2], n = 0;
	int fd[2], status;
	pid_t child;
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	for (unsigned i = 0; i < 50; i++)
		fx_add_host(&f, i);
	fx_close(&f);
	assert_int_equal(pipe(fd), 0);
	child = fork();
	if (child == 0) {
		close(fd[0]);
		storm(f.path, fd[1]);
	}
	close(fd[1]);
	while (read(fd[0], ack, sizeof(ack)) == sizeof(ack)) {
		acked[ack[0]] = ack[1];
		if (++n == 2000)
			kill(child, SIGKILL); /* what was written before it died is read on */
	}
	close(fd[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	fx_open(&f, false);
	for (unsigned i = 0; i < 50; i++)
		assert_true(version_of(&f, i) >= acked[i]);
	assert_int_equal(ay_store_verify(f.s, &f.e), AY_OK);
	print_message("killed after %llu acknowledgements, none lost\n", (unsigned long long)n);
	fx_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group_commit),
		cmocka_unit_test(test_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
