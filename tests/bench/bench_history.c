/* SPDX-License-Identifier: Apache-2.0 */
/* History: verdicts derived again, and the search for a digest over 10,000 hosts. */
#include "bench/bench.h"

#include "core/base/writer.h"
#include "io/store/store.h"
#include "prog/assayd/receipt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTS 10000
#define ASKED 20

/* ---- derived again ---- */

static struct ay_bytes read_file(const char *name)
{
	FILE *f = fopen(name, "rb");
	static uint8_t buf[1 << 20];
	size_t n = f ? fread(buf, 1, sizeof(buf), f) : 0;

	if (n == 0)
		bench_die("tests/vectors/receipt/trusted.json: run from the source folder");
	fclose(f);
	return (struct ay_bytes){ buf, n };
}

/* What a what-if does with one host: nothing is shared, its log and list are judged each time. */
static void judge_once(const struct ay_receipt *r, struct ay_judge *judge, struct ay_arena *a)
{
	struct ay_memo_table *memos = ay_memo_table_new();
	struct ay_recheck_in in = r->in;
	struct ay_recheck_out out;

	in.judge = judge;
	in.brief = true;
	if (!memos || ay_recheck(&in, memos, a, &out, NULL) != AY_OK)
		bench_die("recheck");
	ay_blob_unref(out.report);
	ay_memo_table_free(memos);
	ay_arena_reset(a);
}

static void bench_recheck(double seconds)
{
	struct ay_judge *judge;
	struct ay_receipt r;
	struct ay_arena keep, a;
	double begin, used;
	size_t n = 0;

	ay_arena_init(&keep, 1u << 28);
	ay_arena_init(&a, 1u << 28);
	if (ay_receipt_parse(read_file("tests/vectors/receipt/trusted.json"), &keep, &r, NULL) !=
	    AY_OK)
		bench_die("receipt");
	judge = ay_judge_make(r.policy, (const struct ay_refset *const *)r.set, r.parts, r.n_sets,
			      r.in.now_ms);
	begin = bench_cpu();
	do {
		judge_once(&r, judge, &a);
		n++;
		used = bench_cpu() - begin;
	} while (used < seconds);
	bench_print("whatif_hosts", (double)n / used, "1/s/core");
	ay_judge_unref(judge);
	ay_receipt_fini(&r);
	ay_arena_fini(&a);
	ay_arena_fini(&keep);
}

/* ---- who loaded a digest ---- */

static void event(struct ay_writer *w, uint32_t pcr, uint32_t number)
{
	uint8_t digest[20] = { (uint8_t)(number >> 24), (uint8_t)(number >> 16),
			       (uint8_t)(number >> 8), (uint8_t)number };

	ay_wr_le32(w, pcr);
	ay_wr_le32(w, 13); /* EV_IPL */
	ay_wr_bytes(w, AY_BYTES(digest));
	ay_wr_le32(w, 4);
	ay_wr_bytes(w, ay_bytes_of("data"));
}

/* A log of 50 events: half are those of every host, half the host's own. */
static struct ay_blob *log_of(uint32_t host)
{
	uint8_t buf[4096];
	struct ay_bytes out;
	struct ay_writer w;

	ay_wr_init(&w, buf, sizeof(buf));
	for (uint32_t i = 0; i < 50; i++)
		event(&w, i % 8, i % 2 ? i : 1000 + host * 50 + i);
	if (ay_wr_end(&w, "log", &out, NULL) != AY_OK)
		bench_die("log");
	return ay_blob_new(out);
}

static void add_host(struct ay_store *s, uint32_t n, struct ay_blob *report)
{
	struct ay_host_row host = { .labels = "{}", .connect = "", .policy = "", .tpm = "{}" };
	struct ay_attest_row a = { .at = 1000, .report = report, .boot_log = log_of(n) };
	struct ay_write w[2] = { { .kind = AY_WR_HOST_ADD, .host = &host },
				 { .kind = AY_WR_ATTEST, .attest = &a } };
	char name[32];

	snprintf(name, sizeof(name), "host-%u", n);
	host.name = name;
	memcpy(host.id.b, &n, sizeof(n));
	a.host = host.id;
	a.status.version = 1;
	a.status.attested_at = 1000;
	if (ay_store_submit(s, w, 2, AY_SUBMIT_LAZY, 0, NULL) != AY_OK)
		bench_die("store");
	ay_blob_unref(a.boot_log);
}

static void count(void *arg, const struct ay_sighting *r)
{
	(void)r;
	(*(size_t *)arg)++;
}

/* The slowest of some: a digest that all have, and some that one has. */
static double ask(struct ay_store *s, uint32_t number, size_t want)
{
	uint8_t digest[20] = { (uint8_t)(number >> 24), (uint8_t)(number >> 16),
			       (uint8_t)(number >> 8), (uint8_t)number };
	double begin = bench_cpu();
	size_t n = 0;

	if (ay_store_sightings(s, AY_BYTES(digest), count, &n, NULL) != AY_OK || n != want)
		bench_die("sightings");
	return (bench_cpu() - begin) * 1e3;
}

static void bench_find(void)
{
	struct ay_blob *report = ay_blob_new(ay_bytes_of("{}"));
	char dir[] = "/tmp/ay-bench-XXXXXX", path[64], command[96];
	struct ay_store_config cfg = { .path = path, .create = true };
	struct ay_store_result done[512];
	struct ay_store *s;
	double worst = 0;

	if (!mkdtemp(dir))
		bench_die("mkdtemp");
	snprintf(path, sizeof(path), "%s/store.db", dir);
	if (ay_store_open(&ay_store_sqlite, &cfg, &s, NULL) != AY_OK)
		bench_die("store");
	for (uint32_t n = 0; n < HOSTS; n++) {
		add_host(s, n, report);
		(void)ay_store_done(s, done, 512);
	}
	if (ay_store_write(
		    s, &(struct ay_write){ .kind = AY_WR_META, .meta = { "k", ay_bytes_of("v") } },
		    1, NULL, NULL) != AY_OK)
		bench_die("store");
	for (uint32_t i = 0; i < ASKED; i++) {
		double ms = i == 0 ? ask(s, 1, HOSTS) : ask(s, 1000 + i * 50 * 400, 1);

		worst = ms > worst ? ms : worst;
	}
	bench_print("find_digest_ms", worst, "ms");
	ay_store_close(s);
	ay_blob_unref(report);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (system(command) != 0)
		bench_die("rm");
}

void bench_history(double seconds)
{
	bench_recheck(seconds);
	bench_find();
}
