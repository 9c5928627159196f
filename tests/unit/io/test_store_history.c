/* SPDX-License-Identifier: Apache-2.0 */
/* What history keeps beside evidence: digests and who had them, AIKs, a second reader. */
#include "store_fixture.h"

#include "core/base/writer.h"

#include <sqlite3.h>

struct log_maker {
	uint8_t buf[4096];
	struct ay_writer w;
};

/* An event in the SHA-1 form; its digest is 20 times d. */
static void event(struct log_maker *m, uint32_t pcr, uint32_t type, uint8_t d)
{
	uint8_t digest[20];

	memset(digest, d, sizeof(digest));
	ay_wr_le32(&m->w, pcr);
	ay_wr_le32(&m->w, type);
	ay_wr_bytes(&m->w, AY_BYTES(digest));
	ay_wr_le32(&m->w, 4);
	ay_wr_bytes(&m->w, FX_BYTES("text"));
}

static struct ay_blob *boot_log(uint8_t d)
{
	struct log_maker m;
	struct ay_bytes out;

	ay_wr_init(&m.w, m.buf, sizeof(m.buf));
	event(&m, 0, 8, 0x50);
	event(&m, 4, 0xd, d);
	assert_int_equal(ay_wr_end(&m.w, "log", &out, NULL), AY_OK);
	return ay_blob_new(out);
}

/* An ima-ng entry of a file whose SHA-256 is 32 times d. */
static void entry(struct ay_writer *w, uint8_t d, const char *path)
{
	uint8_t digest[32], data[256], hash[20];
	struct ay_writer dw;
	struct ay_bytes out;

	memset(digest, d, sizeof(digest));
	ay_wr_init(&dw, data, sizeof(data));
	ay_wr_le32(&dw, 8 + 32);
	ay_wr_bytes(&dw, (struct ay_bytes){ (const uint8_t *)"sha256:", 8 });
	ay_wr_bytes(&dw, AY_BYTES(digest));
	ay_wr_le32(&dw, (uint32_t)strlen(path) + 1);
	ay_wr_bytes(&dw, (struct ay_bytes){ (const uint8_t *)path, strlen(path) + 1 });
	assert_int_equal(ay_wr_end(&dw, "data", &out, NULL), AY_OK);
	ay_wr_le32(w, 10);
	memset(hash, d, sizeof(hash));
	ay_wr_bytes(w, AY_BYTES(hash));
	ay_wr_le32(w, 6);
	ay_wr_bytes(w, FX_BYTES("ima-ng"));
	ay_wr_le32(w, (uint32_t)out.n);
	ay_wr_bytes(w, out);
}

static struct ay_blob *list(uint8_t first, unsigned n)
{
	uint8_t buf[4096];
	struct ay_writer w;
	struct ay_bytes out;

	ay_wr_init(&w, buf, sizeof(buf));
	for (unsigned i = 0; i < n; i++)
		entry(&w, (uint8_t)(first + i), "/usr/bin/x");
	assert_int_equal(ay_wr_end(&w, "list", &out, NULL), AY_OK);
	return ay_blob_new(out);
}

struct found {
	size_t n;
	struct ay_sighting row[16];
};

static void see(void *arg, const struct ay_sighting *r)
{
	struct found *f = arg;

	assert_true(f->n < AY_COUNT(f->row));
	f->row[f->n++] = *r;
}

static struct found find(struct fx *f, uint8_t d, size_t n)
{
	struct found out = { 0 };
	uint8_t digest[32];

	memset(digest, d, sizeof(digest));
	assert_int_equal(ay_store_sightings(f->s, (struct ay_bytes){ digest, n }, see, &out, &f->e),
			 AY_OK);
	return out;
}

static void attest(struct fx *f, unsigned host, uint64_t version, struct ay_blob *log,
		   struct ay_blob *chunk, uint64_t offset, const char *boot)
{
	struct ay_blob *report = ay_blob_new(FX_BYTES("{}"));
	struct ay_attest_row a = fx_attest(host, version, report);

	a.boot_log = log;
	a.ima_chunk = chunk;
	a.ima_chunk_offset = offset;
	a.boot_id = FX_BYTES(boot);
	assert_int_equal(fx_write(f, (struct ay_write){ .kind = AY_WR_ATTEST, .attest = &a }),
			 AY_OK);
	ay_blob_unref(report);
}

/* Behind the store's back. The first number of the answer, or 0. */
static int sql(struct fx *f, const char *text)
{
	sqlite3_stmt *st;
	sqlite3 *db;
	int n = 0;

	assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 1000);
	assert_int_equal(sqlite3_prepare_v2(db, text, -1, &st, NULL), SQLITE_OK);
	if (sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int(st, 0);
	assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
	sqlite3_close(db);
	return n;
}

#define BOOT1 "0123456789abcdef"
#define BOOT2 "fedcba9876543210"

/* Boot logs: which hosts, from when to when; an old log ends with the attestation before. */
static void test_logs(void **state)
{
	struct ay_blob *old = boot_log(0xa1), *new = boot_log(0xa2);
	struct found r;
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	fx_add_host(&f, 1);
	fx_add_host(&f, 2);
	attest(&f, 1, 1, old, NULL, 0, BOOT1);
	attest(&f, 2, 1, old, NULL, 0, BOOT1);
	attest(&f, 1, 2, NULL, NULL, 0, BOOT1);
	attest(&f, 1, 3, new, NULL, 0, BOOT2);
	r = find(&f, 0xa1, 20);
	assert_int_equal(r.n, 2);
	assert_memory_equal(r.row[0].host.b, fx_id(1).b, 16);
	assert_int_equal(r.row[0].kind, AY_SEEN_IN_LOG);
	assert_int_equal(r.row[0].first_at, 1001);
	assert_int_equal(r.row[0].last_at, 1002);
	assert_int_equal(r.row[1].last_at, 1001);
	r = find(&f, 0xa2, 20);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.row[0].first_at, 1003);
	/* the old kernel is booted once more: seen from the first time until now */
	attest(&f, 1, 4, old, NULL, 0, BOOT1);
	r = find(&f, 0xa1, 20);
	assert_int_equal(r.row[0].first_at, 1001);
	assert_int_equal(r.row[0].last_at, 1004);
	assert_int_equal(find(&f, 0xa2, 20).row[0].last_at, 1003);
	assert_int_equal(find(&f, 0xa3, 20).n, 0);
	assert_int_equal(ay_store_sightings(f.s, FX_BYTES("short"), see, &r, &f.e), AY_E_INPUT);
	ay_blob_unref(old);
	ay_blob_unref(new);
	fx_end(&f);
}

static void test_files(void **state)
{
	struct ay_blob *first = list(1, 3), *more = list(4, 2), *whole = list(1, 6);
	struct ay_arena a;
	struct ay_bytes out;
	struct ay_uuid id = fx_id(1);
	struct found r;
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	fx_add_host(&f, 1);
	attest(&f, 1, 1, NULL, first, 0, BOOT1);
	attest(&f, 1, 2, NULL, more, first->n, BOOT1);
	r = find(&f, 5, 32);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.row[0].kind, AY_SEEN_IN_IMA);
	assert_int_equal(r.row[0].first_at, 1002);
	/* the whole list once more, with one entry that is new: only that is added */
	attest(&f, 1, 3, NULL, whole, 0, BOOT1);
	assert_int_equal(find(&f, 1, 32).row[0].first_at, 1001);
	assert_int_equal(find(&f, 6, 32).row[0].first_at, 1003);
	assert_int_equal(find(&f, 6, 32).n, 1);
	ay_arena_init(&a, 1 << 20);
	assert_int_equal(ay_store_ima(f.s, &id, FX_BYTES(BOOT1), whole->n, &a, &out, &f.e), AY_OK);
	assert_true(ay_bytes_eq(out, ay_blob_data(whole)));
	ay_arena_fini(&a);
	/* another boot: the files of the one before were last seen then */
	attest(&f, 1, 4, NULL, first, 0, BOOT2);
	assert_int_equal(find(&f, 6, 32).row[0].last_at, 1003);
	assert_int_equal(find(&f, 1, 32).n, 2);
	ay_blob_unref(first);
	ay_blob_unref(more);
	ay_blob_unref(whole);
	fx_end(&f);
}

/* What retention takes is found no more, and leaves no digest behind. */
static void test_retention(void **state)
{
	struct ay_blob *old = boot_log(0xa1), *new = boot_log(0xa2), *report;
	struct ay_attest_row a;
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	fx_add_host(&f, 1);
	attest(&f, 1, 1, old, NULL, 0, BOOT1);
	report = ay_blob_new(FX_BYTES("{}"));
	a = fx_attest(1, 2, report);
	a.at = a.status.attested_at = 100000;
	a.boot_log = new;
	assert_int_equal(fx_write(&f, (struct ay_write){ .kind = AY_WR_ATTEST, .attest = &a }),
			 AY_OK);
	/* usage marks run ahead of use; here all of history before has passed them */
	(void)sql(&f, "UPDATE blob SET used = 0");
	assert_int_equal(ay_store_retain(f.s, &(struct ay_retention){ 50000, 1 }, true, &f.e),
			 AY_OK);
	assert_int_equal(find(&f, 0xa1, 20).n, 0);
	assert_int_equal(find(&f, 0xa2, 20).n, 1);
	assert_int_equal(ay_store_verify(f.s, &f.e), AY_OK);
	assert_int_equal(sql(&f, "SELECT COUNT(*) FROM digest"), 2);
	ay_blob_unref(old);
	ay_blob_unref(new);
	ay_blob_unref(report);
	fx_end(&f);
}

/* What was stored before there was an index is found after the next retention. */
static void test_index_of_old(void **state)
{
	struct ay_blob *log = boot_log(0xa1), *ima = list(1, 2);
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	fx_add_host(&f, 1);
	attest(&f, 1, 1, log, ima, 0, BOOT1);
	(void)sql(&f, "DELETE FROM indexed");
	(void)sql(&f, "DELETE FROM digest");
	assert_int_equal(find(&f, 0xa1, 20).n, 0);
	assert_int_equal(ay_store_retain(f.s, &(struct ay_retention){ 1, 1 }, true, &f.e), AY_OK);
	assert_int_equal(find(&f, 0xa1, 20).n, 1);
	assert_int_equal(find(&f, 2, 32).n, 1);
	ay_blob_unref(log);
	ay_blob_unref(ima);
	fx_end(&f);
}

static void see_past(void *arg, const struct ay_attest_past *p)
{
	assert_true(ay_bytes_eq(p->inputs, FX_BYTES("inputs")));
	assert_int_equal(p->rules.n, 32);
	assert_int_equal(p->extra.n, 0);
	(*(size_t *)arg)++;
}

static void see_aik(void *arg, const struct ay_aik_row *r)
{
	(*(size_t *)arg)++;
	assert_int_equal(r->enrolled_at, 7);
	assert_true(ay_bytes_eq(r->cert, FX_BYTES("certificate")));
}

/* A second reader sees what is committed; AIKs and the judge's inputs are kept. */
static void test_reader(void **state)
{
	struct ay_blob *rules = ay_blob_new(FX_BYTES("rules")),
		       *report = ay_blob_new(FX_BYTES("{}"));
	struct ay_attest_row a = fx_attest(1, 1, report);
	struct ay_enrol_row en = { .now = 7 };
	struct ay_uuid id = fx_id(1);
	struct ay_store *r = NULL;
	char name[32];
	size_t n = 0;
	struct fx f;

	(void)state;
	fx_dir(&f);
	fx_open(&f, true);
	assert_int_equal(ay_store_reader(f.s, &r, &f.e), AY_OK);
	en.host = fx_host(1, name);
	en.host.enrolled_at = 7;
	en.host.qualified_name = FX_BYTES("qualified");
	en.host.ak_public = FX_BYTES("public");
	en.host.cert = FX_BYTES("certificate");
	assert_int_equal(fx_write(&f, (struct ay_write){ .kind = AY_WR_ENROL, .enrol = &en }),
			 AY_OK);
	a.inputs = FX_BYTES("inputs");
	a.rules = rules;
	assert_int_equal(fx_write(&f, (struct ay_write){ .kind = AY_WR_ATTEST, .attest = &a }),
			 AY_OK);
	assert_int_equal(ay_store_attestations(r, 1, 1, see_past, &n, &f.e), AY_OK);
	assert_int_equal(n, 1);
	assert_int_equal(ay_store_aiks(r, &id, see_aik, &n, &f.e), AY_OK);
	assert_int_equal(n, 2);
	ay_store_reader_close(r);
	ay_store_reader_close(NULL);
	ay_blob_unref(rules);
	ay_blob_unref(report);
	fx_end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_logs),	  cmocka_unit_test(test_files),
		cmocka_unit_test(test_retention), cmocka_unit_test(test_index_of_old),
		cmocka_unit_test(test_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
