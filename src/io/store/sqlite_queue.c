/* SPDX-License-Identifier: Apache-2.0 */
#include "io/store/sqlite_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* What may wait for the disk, and how much one commit takes. */
enum {
	QUEUE_TXNS = 200000,
	QUEUE_BYTES = 512 * 1024 * 1024,
	COMMIT_TXNS = 4096,
	HURRY_TXNS = 1024
};

static void list_add(struct ay_txn_list *l, struct ay_txn *t)
{
	*l->end = t;
	l->end = &t->next;
	l->n++;
	l->bytes += t->bytes;
}

static struct ay_txn *list_take(struct ay_txn_list *l)
{
	struct ay_txn *t = l->first;

	l->first = t->next;
	if (l->first == NULL)
		l->end = &l->first;
	l->n--;
	l->bytes -= t->bytes;
	t->next = NULL;
	return t;
}

/* ---- callers' side ---- */

static enum ay_rc refuse_new(struct ay_store *s, struct ay_err *e)
{
	if (s->replaced)
		return ay_fail_code(e, AY_E_UNAVAIL, "STORE_RESTORED", "store.submit",
				    "the store was restored, the server starts anew");
	if (s->closing || s->queue.n >= QUEUE_TXNS || s->queue.bytes >= QUEUE_BYTES)
		return ay_fail_code(e, AY_E_UNAVAIL, "STORE_BUSY", "store.submit",
				    "%zu changes wait for the disk", s->queue.n);
	return AY_OK;
}

/* Takes t in any case. */
static enum ay_rc enqueue(struct ay_store *s, struct ay_txn *t, bool waited, struct ay_err *e)
{
	enum ay_rc rc;
	bool wake;

	pthread_mutex_lock(&s->lock);
	rc = refuse_new(s, e);
	if (rc == AY_OK) {
		list_add(&s->queue, t);
		s->n_waited += waited;
		wake = s->queue.n == 1 || (waited && s->n_waited == 1) || s->queue.n == HURRY_TXNS;
		if (wake)
			pthread_cond_signal(&s->more);
	}
	pthread_mutex_unlock(&s->lock);
	if (rc != AY_OK)
		ay_txn_free(t);
	return rc;
}

enum ay_rc ay_sqlite_submit(struct ay_store *s, const struct ay_write *w, size_t n,
			    enum ay_submit how, uint64_t cookie, struct ay_err *e)
{
	struct ay_txn *t = ay_txn_new(w, n, e);

	if (t == NULL)
		return AY_E_NOMEM;
	t->result.cookie = cookie;
	return enqueue(s, t, how == AY_SUBMIT_WAITED, e);
}

enum ay_rc ay_sqlite_write(struct ay_store *s, const struct ay_write *w, size_t n,
			   struct ay_store_result *out, struct ay_err *e)
{
	struct ay_waiter waiter = { 0 };
	struct ay_txn *t = ay_txn_new(w, n, e);
	enum ay_rc rc;

	memset(out, 0, sizeof(*out));
	if (t == NULL)
		return AY_E_NOMEM;
	t->waiter = &waiter;
	rc = enqueue(s, t, true, e);
	if (rc != AY_OK)
		return rc;
	pthread_mutex_lock(&s->lock);
	while (!waiter.done)
		pthread_cond_wait(&s->finished, &s->lock);
	pthread_mutex_unlock(&s->lock);
	*out = waiter.result;
	if (out->rc != AY_OK)
		return ay_fail_code(e, out->rc, out->code, "store.write", "%s",
				    out->code[0] != '\0' ? out->code : "the database failed");
	return AY_OK;
}

size_t ay_sqlite_done(struct ay_store *s, struct ay_store_result *out, size_t max)
{
	uint64_t count;
	size_t n;

	pthread_mutex_lock(&s->lock);
	n = s->n_done < max ? s->n_done : max;
	memcpy(out, s->done, n * sizeof(*out));
	memmove(s->done, s->done + n, (s->n_done - n) * sizeof(*out));
	s->n_done -= n;
	if (s->n_done == 0 && read(s->done_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		s->n_done = 0; /* nothing to reset is fine */
	pthread_mutex_unlock(&s->lock);
	return n;
}

/* ---- writer's side ---- */

static void fill_result(struct ay_txn *t, enum ay_rc rc, const struct ay_err *e)
{
	t->result.rc = rc;
	t->result.code[0] = '\0';
	if (rc == AY_OK)
		return;
	t->result.number = t->result.event = 0;
	for (size_t i = 0; i + 1 < sizeof(t->result.code) && e->code[i] != '\0'; i++) {
		t->result.code[i] = e->code[i];
		t->result.code[i + 1] = '\0';
	}
}

static enum ay_rc run_stmt(struct ay_store *s, enum ay_stmt which, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, which, &st, e);

	return rc != AY_OK ? rc : ay_sqlite_run(s, st, e);
}

/* True when the failure is a refusal of this transaction alone. */
static bool is_refusal(const struct ay_err *e)
{
	return e->code[0] != '\0' || e->rc == AY_E_BUG || e->rc == AY_E_NOMEM;
}

static void forget_blobs(struct ay_store *s)
{
	memset(s->known, 0, sizeof(*s->known) * AY_KNOWN_BLOBS);
}

/* Several writes stand or fall together. AY_OK: applied, or refused and undone. */
static enum ay_rc apply_many(struct ay_store *s, struct ay_txn *t, struct ay_err *e)
{
	enum ay_rc rc = run_stmt(s, AY_ST_SAVEPOINT, e), refused = AY_OK;
	uint64_t next_attestation = s->next_attestation, next_event = s->next_event;

	s->tree_before = s->tree;
	for (size_t i = 0; rc == AY_OK && refused == AY_OK && i < t->n; i++) {
		refused = ay_sqlite_apply(s, &t->writes[i], &t->result, e);
		if (refused != AY_OK && !is_refusal(e))
			rc = refused;
	}
	if (rc != AY_OK)
		return rc;
	fill_result(t, refused, e);
	if (refused == AY_OK)
		return run_stmt(s, AY_ST_RELEASE, e);
	s->tree = s->tree_before;
	s->next_attestation = next_attestation;
	s->next_event = next_event;
	forget_blobs(s);
	rc = run_stmt(s, AY_ST_ROLLBACK_TO, e);
	return rc != AY_OK ? rc : run_stmt(s, AY_ST_RELEASE, e);
}

/* The hot path: one attestation needs no savepoint, since its first statement is the one that may
 * refuse. */
static enum ay_rc apply(struct ay_store *s, struct ay_txn *t, struct ay_err *e)
{
	enum ay_rc rc;

	memset(e, 0, sizeof(*e));
	if (t->n != 1 || t->writes[0].kind != AY_WR_ATTEST)
		return apply_many(s, t, e);
	rc = ay_sqlite_apply(s, &t->writes[0], &t->result, e);
	if (rc != AY_OK && strcmp(e->code, "VERSION") != 0)
		return rc;
	fill_result(t, rc, e);
	return AY_OK;
}

/* Another process may have put a backup in the place of all we know. */
static enum ay_rc still_ours(struct ay_store *s, struct ay_err *e)
{
	struct ay_bytes epoch;
	sqlite3_stmt *st;
	int version = -1;
	bool same;
	enum ay_rc rc = ay_sqlite_stmt(s, AY_ST_DATA_VERSION, &st, e);

	if (rc != AY_OK)
		return rc;
	if (sqlite3_step(st) == SQLITE_ROW)
		version = sqlite3_column_int(st, 0);
	sqlite3_reset(st);
	if (version == s->data_version)
		return AY_OK;
	rc = ay_sqlite_stmt(s, AY_ST_EPOCH, &st, e);
	if (rc != AY_OK)
		return rc;
	same = sqlite3_step(st) == SQLITE_ROW;
	epoch = ay_sql_bytes(st, 0);
	same = same && ay_bytes_eq(epoch, AY_BYTES(s->epoch));
	sqlite3_reset(st);
	if (!same)
		return ay_fail_code(e, AY_E_UNAVAIL, "STORE_RESTORED", "store.epoch",
				    "the store was restored, the server starts anew");
	s->data_version = version;
	return AY_OK;
}

static enum ay_rc commit(struct ay_store *s, struct ay_txn_list *batch, struct ay_err *e)
{
	enum ay_rc rc = run_stmt(s, AY_ST_BEGIN, e);

	if (rc == AY_OK)
		rc = still_ours(s, e);
	for (struct ay_txn *t = batch->first; t != NULL && rc == AY_OK; t = t->next)
		rc = apply(s, t, e);
	if (rc == AY_OK)
		rc = ay_sqlite_keep_tree(s, e);
	return rc != AY_OK ? rc : run_stmt(s, AY_ST_COMMIT, e);
}

/* Nothing of the batch is there: say so to everybody in it. */
static void fail_batch(struct ay_store *s, struct ay_txn_list *batch, const struct ay_err *why)
{
	struct ay_err e = { 0 };
	bool replaced = strcmp(why->code, "STORE_RESTORED") == 0;

	if (!sqlite3_get_autocommit(s->db) && run_stmt(s, AY_ST_ROLLBACK, &e) != AY_OK)
		replaced = true; /* no way to know what holds: start anew */
	if (!replaced && ay_sqlite_reload(s, &e) != AY_OK)
		replaced = true;
	for (struct ay_txn *t = batch->first; t != NULL; t = t->next)
		fill_result(t, AY_E_UNAVAIL, why);
	pthread_mutex_lock(&s->lock);
	s->replaced = s->replaced || replaced;
	pthread_mutex_unlock(&s->lock);
}

static bool room_for_done(struct ay_store *s, size_t n)
{
	size_t want = s->max_done == 0 ? 1024 : s->max_done;
	struct ay_store_result *bigger;

	while (want < s->n_done + n)
		want *= 2;
	if (want == s->max_done)
		return true;
	bigger = realloc(s->done, want * sizeof(*bigger));
	if (bigger == NULL)
		return false;
	s->done = bigger;
	s->max_done = want;
	return true;
}

/* Called with the lock held. */
static void report(struct ay_store *s, struct ay_txn_list *batch)
{
	bool waiters = false;

	if (!room_for_done(s, batch->n))
		abort(); /* a result that cannot be told would be a lost acknowledgement */
	for (struct ay_txn *t = batch->first; t != NULL; t = t->next) {
		s->stats.transactions++;
		s->stats.refused += t->result.rc != AY_OK;
		if (t->waiter != NULL) {
			t->waiter->result = t->result;
			t->waiter->done = waiters = true;
		} else {
			s->done[s->n_done++] = t->result;
		}
	}
	if (waiters)
		pthread_cond_broadcast(&s->finished);
}

static void finish(struct ay_store *s, struct ay_txn_list *batch)
{
	uint64_t one = 1;
	bool told;

	pthread_mutex_lock(&s->lock);
	report(s, batch);
	told = s->n_done > 0;
	pthread_mutex_unlock(&s->lock);
	if (told && write(s->done_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		abort();
	while (batch->first != NULL)
		ay_txn_free(list_take(batch));
}

/* Takes what has gathered, maybe nothing while retention runs; false at the end. */
static bool take_batch(struct ay_store *s, struct ay_txn_list *batch)
{
	bool more;

	*batch = (struct ay_txn_list){ .end = &batch->first };
	pthread_mutex_lock(&s->lock);
	while (s->queue.n == 0 && !s->retaining && !s->closing)
		pthread_cond_wait(&s->more, &s->lock);
	while (s->queue.n > 0 && batch->n < COMMIT_TXNS)
		list_add(batch, list_take(&s->queue));
	s->n_waited = 0;
	more = batch->n > 0 || (s->retaining && !s->closing);
	pthread_mutex_unlock(&s->lock);
	return more;
}

static struct timespec after_ms(uint32_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/*
 * Rows gather while a commit is under way; the pause bounds commits a second.
 * It is long while nobody waits, since small commits cost most at low rates.
 */
static void rest(struct ay_store *s)
{
	struct timespec soon = after_ms(s->pause_min_ms), late = after_ms(s->pause_max_ms);
	int r = 0;

	pthread_mutex_lock(&s->lock);
	while (r == 0 && !s->closing)
		r = pthread_cond_timedwait(&s->more, &s->lock, &soon);
	r = 0;
	while (r == 0 && !s->closing && s->n_waited == 0 && s->queue.n < HURRY_TXNS &&
	       !s->retaining)
		r = pthread_cond_timedwait(&s->more, &s->lock, &late);
	pthread_mutex_unlock(&s->lock);
}

static uint64_t thread_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* One step of retention, if one was asked for. */
static void retain_some(struct ay_store *s)
{
	struct ay_err e = { 0 };
	enum ay_rc rc = AY_OK;
	bool asked, active;

	pthread_mutex_lock(&s->lock);
	asked = s->retain_asked;
	active = s->retaining;
	s->retain_asked = false;
	pthread_mutex_unlock(&s->lock);
	if (!active)
		return;
	if (asked)
		ay_sqlite_retain_begin(s, &s->retain);
	rc = ay_sqlite_retain_step(s, &e);
	if (rc == AY_OK && s->retain_run.phase != AY_RETAIN_NONE)
		return;
	pthread_mutex_lock(&s->lock);
	s->retain_rc = rc;
	s->retaining = false;
	pthread_cond_broadcast(&s->finished);
	pthread_mutex_unlock(&s->lock);
}

static void commit_batch(struct ay_store *s, struct ay_txn_list *batch)
{
	struct ay_err e = { 0 };

	if (commit(s, batch, &e) != AY_OK)
		fail_batch(s, batch, &e);
	pthread_mutex_lock(&s->lock);
	s->stats.commits++;
	s->stats.writer_cpu_ns = thread_cpu_ns();
	pthread_mutex_unlock(&s->lock);
	finish(s, batch);
}

static void end_retention(struct ay_store *s)
{
	pthread_mutex_lock(&s->lock);
	s->retaining = false;
	pthread_cond_broadcast(&s->finished);
	pthread_mutex_unlock(&s->lock);
}

void *ay_sqlite_writer(void *store)
{
	struct ay_store *s = store;
	struct ay_txn_list batch;

	while (take_batch(s, &batch)) {
		if (batch.n > 0)
			commit_batch(s, &batch);
		retain_some(s);
		rest(s);
	}
	end_retention(s);
	return NULL;
}
