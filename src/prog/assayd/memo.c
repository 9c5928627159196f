/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/judge.h"

#include <pthread.h>
#include <stdlib.h>

#define BUCKETS 1024
#define MEMOS_MAX 4096
#define SHAPES 4 /* of one state: just booted, settled, ... */

struct ay_memo {
	uint32_t refs;
	struct ay_memo *chain;
	uint8_t key[32];
	struct ay_shape *shape[SHAPES]; /* under the table's lock */
	unsigned next_shape;
	size_t n;
	uint8_t boot[];
};

struct ay_memo_table {
	pthread_mutex_t lock;
	struct ay_memo *bucket[BUCKETS];
	size_t n;
};

struct ay_memo *ay_memo_ref(struct ay_memo *m)
{
	__atomic_add_fetch(&m->refs, 1, __ATOMIC_RELAXED);
	return m;
}

void ay_memo_unref(struct ay_memo *m)
{
	if (!m || __atomic_sub_fetch(&m->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	for (size_t i = 0; i < SHAPES; i++)
		if (m->shape[i]) {
			ay_blob_unref(m->shape[i]->report);
			free(m->shape[i]);
		}
	free(m);
}

struct ay_judge *ay_judge_ref(struct ay_judge *j)
{
	__atomic_add_fetch(&j->refs, 1, __ATOMIC_RELAXED);
	return j;
}

void ay_judge_unref(struct ay_judge *j)
{
	if (!j || __atomic_sub_fetch(&j->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	ay_blob_unref(j->rules);
	free(j->sets);
	free(j->parts);
	free(j);
}

struct ay_memo_table *ay_memo_table_new(void)
{
	struct ay_memo_table *t = calloc(1, sizeof(*t));

	if (t)
		pthread_mutex_init(&t->lock, NULL);
	return t;
}

static void clear(struct ay_memo_table *t)
{
	for (size_t i = 0; i < BUCKETS; i++)
		while (t->bucket[i]) {
			struct ay_memo *m = t->bucket[i];

			t->bucket[i] = m->chain;
			m->chain = NULL;
			ay_memo_unref(m);
		}
	t->n = 0;
}

void ay_memo_table_free(struct ay_memo_table *t)
{
	if (!t)
		return;
	clear(t);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static struct ay_memo **bucket_of(struct ay_memo_table *t, const uint8_t key[32])
{
	return &t->bucket[(key[0] << 8 | key[1]) % BUCKETS];
}

static struct ay_memo *find(struct ay_memo_table *t, const uint8_t key[32])
{
	struct ay_memo *m = *bucket_of(t, key);

	while (m && memcmp(m->key, key, 32) != 0)
		m = m->chain;
	return m;
}

struct ay_memo *ay_memo_find(struct ay_memo_table *t, const uint8_t key[32])
{
	struct ay_memo *m;

	pthread_mutex_lock(&t->lock);
	m = find(t, key);
	if (m)
		ay_memo_ref(m);
	pthread_mutex_unlock(&t->lock);
	return m;
}

struct ay_memo *ay_memo_add(struct ay_memo_table *t, const uint8_t key[32], struct ay_bytes boot)
{
	struct ay_memo *m, *known;

	m = calloc(1, sizeof(*m) + boot.n);
	if (!m)
		return NULL;
	m->refs = 1;
	memcpy(m->key, key, 32);
	m->n = boot.n;
	if (boot.n)
		memcpy(m->boot, boot.p, boot.n);
	pthread_mutex_lock(&t->lock);
	known = find(t, key);
	if (known) { /* another thread was first */
		ay_memo_unref(m);
		m = ay_memo_ref(known);
	} else {
		if (t->n >= MEMOS_MAX)
			clear(t); /* hosts keep theirs; the rest is judged once more */
		m->chain = *bucket_of(t, key);
		*bucket_of(t, key) = ay_memo_ref(m);
		t->n++;
	}
	pthread_mutex_unlock(&t->lock);
	return m;
}

bool ay_memo_is(const struct ay_memo *m, const uint8_t key[32])
{
	return memcmp(m->key, key, 32) == 0;
}

struct ay_bytes ay_memo_boot(const struct ay_memo *m)
{
	return (struct ay_bytes){ m->boot, m->n };
}

static bool same_shape(const struct ay_shape *a, const struct ay_shape *b)
{
	if (a->n != b->n || memcmp(a->ima_id, b->ima_id, sizeof(a->ima_id)) != 0)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->row[i].code != b->row[i].code || a->row[i].result != b->row[i].result ||
		    strcmp(a->row[i].text, b->row[i].text) != 0)
			return false;
	return true;
}

bool ay_memo_shape(struct ay_memo_table *t, struct ay_memo *m, const struct ay_shape *like,
		   struct ay_shape *out)
{
	bool found = false;

	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < SHAPES && !found; i++)
		if (m->shape[i] && same_shape(m->shape[i], like)) {
			out->verdict = m->shape[i]->verdict;
			memcpy(out->components, m->shape[i]->components, AY_COMPONENTS);
			memcpy(out->grades, m->shape[i]->grades, AY_COMPONENTS);
			out->report = ay_blob_ref(m->shape[i]->report);
			found = true;
		}
	pthread_mutex_unlock(&t->lock);
	return found;
}

void ay_memo_set_shape(struct ay_memo_table *t, struct ay_memo *m, const struct ay_shape *s)
{
	struct ay_shape *copy = malloc(sizeof(*copy)), *old;

	if (!copy)
		return; /* it is judged once more, that is all */
	*copy = *s;
	(void)ay_blob_ref(copy->report);
	pthread_mutex_lock(&t->lock);
	old = m->shape[m->next_shape];
	m->shape[m->next_shape] = copy;
	m->next_shape = (m->next_shape + 1) % SHAPES;
	pthread_mutex_unlock(&t->lock);
	if (old) {
		ay_blob_unref(old->report);
		free(old);
	}
}
