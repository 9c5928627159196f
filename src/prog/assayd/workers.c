/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/engine_impl.h"
#include "prog/assayd/inputs.h"
#include "prog/assayd/whatif.h"

#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* How many jobs a thread takes at once: one lock for many, yet others find work too. */
#define TAKE 16
#define WORKERS_MAX 64
/* So many jobs, or so long, are waited for before a thread is woken. */
#define GATHER 32
#define GATHER_MS 3
#define ARENA_MAX AY_MAX_ARENA_BYTES
/* Bodies up to this size keep their buffer for the next job. */
#define BODY_KEPT 4096
/* File signatures that a thread remembers as good (2 MiB, touched when there are any). */
#define SIGNATURES_KEPT 65536

struct list {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct ay_job *head, **tail;
};

struct ay_workers {
	struct list todo, done;
	struct ay_job *batch, **batch_tail; /* not handed over yet */
	unsigned n_batch;
	int64_t batch_since;		    /* mono: when its first job came */
	struct ay_task *tasks, *tasks_done; /* under the locks of todo and done */
	struct ay_job *spare;
	size_t n_spare;
	struct ay_memo_table *memos;
	struct ay_whatif *whatif; /* taken from when nothing else is to do */
	struct ay_store *reader[WORKERS_MAX];
	unsigned n_started;
	struct event *finished;
	int fd; /* eventfd: done has something */
	bool closing;
	unsigned n;
	pthread_t thread[WORKERS_MAX];
};

static void list_init(struct list *l)
{
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->more, NULL);
	l->head = NULL;
	l->tail = &l->head;
}

static void list_append(struct list *l, struct ay_job *head, struct ay_job **tail)
{
	pthread_mutex_lock(&l->lock);
	*l->tail = head;
	l->tail = tail;
	pthread_cond_signal(&l->more);
	pthread_mutex_unlock(&l->lock);
}

/* Caller holds the lock. */
static struct ay_job *list_take(struct list *l, int most)
{
	struct ay_job *head = l->head, **cut = &l->head;

	while (*cut && most-- > 0)
		cut = &(*cut)->next;
	if (cut == &l->head)
		return NULL;
	l->head = *cut;
	if (!l->head)
		l->tail = &l->head;
	*cut = NULL;
	return head;
}

/* False at the end. *head and *task NULL: neither, but a host of a what-if. */
static bool next_jobs(struct ay_workers *w, struct ay_job **head, struct ay_task **task)
{
	bool go_on;

	pthread_mutex_lock(&w->todo.lock);
	while (!w->todo.head && !w->tasks && !w->closing && !ay_whatif_waits(w->whatif))
		pthread_cond_wait(&w->todo.more, &w->todo.lock);
	*head = list_take(&w->todo, TAKE);
	*task = *head || w->closing ? NULL : w->tasks;
	if (*task)
		w->tasks = (*task)->next;
	go_on = *head || !w->closing;
	if (w->todo.head)
		pthread_cond_signal(&w->todo.more);
	pthread_mutex_unlock(&w->todo.lock);
	return go_on;
}

static void do_jobs(struct ay_workers *w, struct ay_job *head, struct ay_ima_sigcache *sigs,
		    struct ay_arena *a)
{
	struct ay_job **tail;
	uint64_t one = 1;

	for (tail = &head; *tail; tail = &(*tail)->next) {
		(*tail)->sigs = sigs;
		ay_judge_job(w->memos, *tail, a);
		ay_inputs_make(*tail, a);
		ay_arena_reset(a);
	}
	list_append(&w->done, head, tail);
	if (write(w->fd, &one, sizeof(one)) != sizeof(one))
		ay_log_write(AY_LOG_ERROR, "worker cannot tell that it is done", NULL, 0);
}

static void do_task(struct ay_workers *w, struct ay_task *t, struct ay_arena *a)
{
	uint64_t one = 1;

	t->run(t, a);
	ay_arena_reset(a);
	pthread_mutex_lock(&w->done.lock);
	t->next = w->tasks_done;
	w->tasks_done = t;
	pthread_mutex_unlock(&w->done.lock);
	if (write(w->fd, &one, sizeof(one)) != sizeof(one))
		ay_log_write(AY_LOG_ERROR, "worker cannot tell that it is done", NULL, 0);
}

void ay_workers_task(struct ay_engine *g, struct ay_task *t)
{
	struct ay_workers *w = g->workers;
	struct ay_task **at = &w->tasks;

	t->next = NULL;
	pthread_mutex_lock(&w->todo.lock);
	while (*at)
		at = &(*at)->next;
	*at = t;
	pthread_cond_signal(&w->todo.more);
	pthread_mutex_unlock(&w->todo.lock);
}

static void free_tasks(struct ay_task *t)
{
	struct ay_task *next;

	for (; t; t = next) {
		next = t->next;
		t->drop(t);
	}
}

static void *work(void *arg)
{
	struct ay_workers *w = arg;
	unsigned me = __atomic_fetch_add(&w->n_started, 1, __ATOMIC_RELAXED);
	struct ay_job *head;
	struct ay_task *task;
	struct ay_ima_sigcache sigs = { SIGNATURES_KEPT, calloc(SIGNATURES_KEPT, 32) };
	struct ay_arena a;

	if (!sigs.row) /* each is verified, then */
		sigs.room = 0;
	ay_arena_init(&a, ARENA_MAX);
	while (next_jobs(w, &head, &task)) {
		if (head)
			do_jobs(w, head, &sigs, &a);
		else if (task)
			do_task(w, task, &a);
		else
			ay_whatif_step(w->whatif, w->reader[me], &a);
	}
	ay_arena_fini(&a);
	free(sigs.row);
	return NULL;
}

void ay_workers_wake(struct ay_engine *g)
{
	pthread_mutex_lock(&g->workers->todo.lock);
	pthread_cond_broadcast(&g->workers->todo.more);
	pthread_mutex_unlock(&g->workers->todo.lock);
}

static void on_finished(evutil_socket_t fd, short what, void *arg)
{
	struct ay_engine *g = arg;
	struct ay_workers *w = g->workers;
	struct ay_job *head, *j;
	struct ay_task *tasks, *t;
	uint64_t n;

	(void)what;
	if (read(fd, &n, sizeof(n)) < 0)
		return;
	ay_engine_clock(g);
	pthread_mutex_lock(&w->done.lock);
	head = list_take(&w->done, INT32_MAX);
	tasks = w->tasks_done;
	w->tasks_done = NULL;
	pthread_mutex_unlock(&w->done.lock);
	while ((j = head)) {
		head = j->next;
		ay_settle_job(g, j);
	}
	while ((t = tasks)) {
		tasks = t->next;
		t->done(g, t);
	}
}

static enum ay_rc start_threads(struct ay_workers *w, unsigned n, struct ay_err *e)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old); /* signals are the main thread's */
	while (w->n < n && w->n < WORKERS_MAX &&
	       pthread_create(&w->thread[w->n], NULL, work, w) == 0)
		w->n++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (w->n == 0)
		return ay_fail(e, AY_E_UNAVAIL, "workers", 0, "no thread can be started");
	return AY_OK;
}

enum ay_rc ay_workers_start(struct ay_engine *g, struct ay_err *e)
{
	struct ay_workers *w = calloc(1, sizeof(*w));
	enum ay_rc rc = AY_OK;
	unsigned n;

	if (!w)
		return ay_fail(e, AY_E_NOMEM, "workers", 0, "no memory");
	g->workers = w;
	list_init(&w->todo);
	list_init(&w->done);
	w->batch_tail = &w->batch;
	w->memos = ay_memo_table_new();
	w->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	w->finished = event_new(ay_loop_base(g->loop), w->fd, EV_READ | EV_PERSIST, on_finished, g);
	if (!w->memos || w->fd < 0 || !w->finished || event_add(w->finished, NULL) != 0)
		return ay_fail(e, AY_E_UNAVAIL, "workers", 0, "cannot be set up");
	w->whatif = g->whatif = ay_whatif_new();
	if (!w->whatif)
		return ay_fail(e, AY_E_NOMEM, "workers", 0, "no memory");
	n = g->set.workers ? g->set.workers : 1;
	for (unsigned i = 0; rc == AY_OK && i < n && i < WORKERS_MAX; i++)
		rc = ay_store_reader(g->store, &w->reader[i], e);
	return rc == AY_OK ? start_threads(w, n, e) : rc;
}

static void free_list(struct ay_engine *g, struct ay_job *j)
{
	struct ay_job *next;

	for (; j; j = next) {
		next = j->next;
		ay_job_free(g, j);
	}
}

void ay_workers_stop(struct ay_engine *g)
{
	struct ay_workers *w = g->workers;
	struct ay_job *j;

	if (!w)
		return;
	pthread_mutex_lock(&w->todo.lock);
	w->closing = true;
	free_list(g, list_take(&w->todo, INT32_MAX));
	pthread_cond_broadcast(&w->todo.more);
	pthread_mutex_unlock(&w->todo.lock);
	for (unsigned i = 0; i < w->n; i++)
		pthread_join(w->thread[i], NULL);
	free_list(g, list_take(&w->done, INT32_MAX));
	free_list(g, w->batch);
	free_tasks(w->tasks);
	free_tasks(w->tasks_done);
	while ((j = w->spare)) {
		w->spare = j->next;
		free(j->body);
		free(j);
	}
	if (w->finished)
		event_free(w->finished);
	if (w->fd >= 0)
		close(w->fd);
	ay_memo_table_free(w->memos);
	for (unsigned i = 0; i < WORKERS_MAX; i++)
		ay_store_reader_close(w->reader[i]);
	ay_whatif_free(w->whatif);
	g->whatif = NULL;
	free(w);
	g->workers = NULL;
}

/* ---- jobs ---- */

static void snapshot(struct ay_job *j)
{
	struct ay_host *h = j->host;
	struct ay_host_run *r = h->run;

	j->version = r->claimed;
	j->host_id = h->id;
	j->ak = r->ak ? ay_pubkey_ref(r->ak) : NULL; /* none where a manager speaks */
	j->is_tpm12 = r->is_tpm12;
	j->qualified_name_n = r->qualified_name_n;
	memcpy(j->qualified_name, r->qualified_name, sizeof(j->qualified_name));
	j->sticky_counter = h->sticky && !h->sticky_duplicate;
	j->sticky_duplicate = h->sticky_duplicate;
	j->cert_until_ms = h->identity.cert_until_ms;
	memcpy(j->identity_grade, h->identity.grade, sizeof(j->identity_grade));
	j->cert_revoked = r->revoked;
	j->known_boot = r->boot;
	j->known_pcrs = ay_blob_ref(r->pcrs);
	j->known_ima = ay_blob_ref(r->ima);
	j->known_ima_octets = r->ima_octets;
	j->known_ima_entries = r->ima_entries;
	j->has_known_log = r->has_log;
	memcpy(j->known_log_id, r->log_id, sizeof(j->known_log_id));
	j->known_memo = r->memo ? ay_memo_ref(r->memo) : NULL;
	j->judge = r->judge ? ay_judge_ref(r->judge) : NULL;
}

static void drop_held(struct ay_job *j)
{
	ay_pubkey_free(j->ak);
	ay_blob_unref(j->known_pcrs);
	ay_blob_unref(j->known_ima);
	ay_blob_unref(j->known_log);
	ay_memo_unref(j->known_memo);
	ay_judge_unref(j->judge);
	ay_blob_unref(j->report);
	ay_blob_unref(j->pcrs);
	ay_blob_unref(j->log);
	ay_blob_unref(j->ima);
	ay_blob_unref(j->ima_chunk);
	ay_blob_unref(j->extra);
	ay_memo_unref(j->memo);
	j->ak = NULL;
	j->known_pcrs = j->known_ima = j->known_log = NULL;
	j->report = j->pcrs = j->log = j->ima = j->ima_chunk = j->extra = NULL;
	j->known_memo = j->memo = NULL;
	j->judge = NULL;
}

static void from_conn(struct ay_job *j, const struct ay_conn *c)
{
	j->conn_serial = c->serial;
	j->asked = c->selection;
	j->asked_ima_octets = c->asked_ima_octets;
	memcpy(j->exporter, c->exporter, sizeof(j->exporter));
}

struct ay_job *ay_job_new(struct ay_engine *g, struct ay_host *h, struct ay_conn *c)
{
	struct ay_job *j = g->workers->spare;
	uint8_t *body;
	size_t max;

	if (j) {
		g->workers->spare = j->next;
		g->workers->n_spare--;
	} else if (!(j = calloc(1, sizeof(*j)))) {
		return NULL;
	}
	body = j->body;
	max = j->body_max;
	memset(j, 0, sizeof(*j));
	j->body = body;
	j->body_max = max;
	j->host = h;
	if (c)
		from_conn(j, c);
	j->now_ms = g->now_ms;
	snapshot(j);
	/* with two connections each is measured from when it was asked, not from what the other
	 * said */
	j->had_rival = c && h->run->rival;
	j->last = c && j->had_rival ? c->asked_with : h->run->counters;
	h->run->in_flight++;
	return j;
}

bool ay_job_body(struct ay_job *j, struct ay_bytes body)
{
	uint8_t *p;

	if (body.n > j->body_max) {
		p = realloc(j->body, body.n < 1024 ? 1024 : body.n);
		if (!p)
			return false;
		j->body = p;
		j->body_max = body.n < 1024 ? 1024 : body.n;
	}
	if (body.n)
		memcpy(j->body, body.p, body.n);
	j->body_n = body.n;
	return true;
}

void ay_job_refresh(struct ay_job *j)
{
	struct ay_counters last = j->last;
	struct ay_blob *log = ay_blob_ref(j->known_log);
	uint8_t log_id[32];

	memcpy(log_id, j->known_log_id, sizeof(log_id));
	drop_held(j);
	snapshot(j);
	if (j->has_known_log && memcmp(log_id, j->known_log_id, sizeof(log_id)) == 0)
		j->known_log = log;
	else
		ay_blob_unref(log); /* another log is the known one by now */
	j->last = j->had_rival ? last : j->host->run->counters;
	j->need_log = j->ask_again = j->attested = j->bank_lost = j->boot_broken = false;
}

void ay_job_submit(struct ay_engine *g, struct ay_job *j)
{
	j->next = NULL;
	if (!g->workers->batch)
		g->workers->batch_since = g->mono_ms;
	*g->workers->batch_tail = j;
	g->workers->batch_tail = &j->next;
	g->workers->n_batch++;
}

/* Waking a thread costs as much as half a verification: while nobody waits, jobs gather a little.
 */
int64_t ay_workers_flush(struct ay_engine *g)
{
	struct ay_workers *w = g->workers;

	if (!w || !w->batch)
		return AY_NEVER;
	if (!g->waiters && w->n_batch < GATHER && g->mono_ms < w->batch_since + GATHER_MS)
		return w->batch_since + GATHER_MS;
	list_append(&w->todo, w->batch, w->batch_tail);
	w->batch = NULL;
	w->batch_tail = &w->batch;
	w->n_batch = 0;
	return AY_NEVER;
}

void ay_job_free(struct ay_engine *g, struct ay_job *j)
{
	drop_held(j);
	ay_event_free(j->event);
	j->event = NULL;
	if (j->host) {
		j->host->run->in_flight--;
		ay_pace_done(&g->pace, &j->host->run->pace);
	}
	if (j->body_max > BODY_KEPT) {
		free(j->body);
		j->body = NULL;
		j->body_max = 0;
	}
	if (g->workers->n_spare >= 4096) {
		free(j->body);
		free(j);
		return;
	}
	j->next = g->workers->spare;
	g->workers->spare = j;
	g->workers->n_spare++;
}
