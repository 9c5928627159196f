/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/hasher.h"

#include "core/base/defs.h"
#include "io/sys/rng.h"

#include <argon2.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { THREADS_MAX = 4, QUEUE_MAX = 64, NETWORK_MAX = 8, SALT_N = 16, HASH_N = 32 };

struct job {
	struct job *next;
	uint8_t password[AY_MAX_PASSWORD_BYTES];
	size_t n;
	char hash[AY_PASSWORD_TEXT];
	bool make, nobody;
	uint64_t network;
	ay_hash_fn *fn;
	void *arg; /* of fn; fn NULL: forgotten */
	uint8_t salt[SALT_N];
	struct ay_hash_done done;
};

struct ay_hasher {
	struct ay_hash_cost cost;
	char none[AY_PASSWORD_TEXT]; /* a hash of nobody's password */
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job *todo, *finished, *running[THREADS_MAX];
	bool closing;
	unsigned n_threads, n_started;
	pthread_t thread[THREADS_MAX];
	int fd;
};

bool ay_hash_is_cheaper(const char *hash, const struct ay_hash_cost *cost)
{
	unsigned m, t, p;

	if (sscanf(hash, "$argon2id$v=19$m=%u,t=%u,p=%u$", &m, &t, &p) != 3)
		return true;
	return m < cost->memory_kib || t < cost->passes || p < cost->lanes;
}

static bool make_hash(const struct ay_hash_cost *c, const struct job *j, char out[AY_PASSWORD_TEXT])
{
	return argon2id_hash_encoded(c->passes, c->memory_kib, c->lanes, j->password, j->n, j->salt,
				     SALT_N, HASH_N, out, AY_PASSWORD_TEXT) == ARGON2_OK;
}

/* In a thread: the one place where a password is compared. */
static void work_on(const struct ay_hasher *h, struct job *j)
{
	int r;

	if (j->make) {
		j->done.failed = !make_hash(&h->cost, j, j->done.fresh);
	} else {
		r = argon2id_verify(j->hash, j->password, j->n);
		j->done.failed = r == ARGON2_MEMORY_ALLOCATION_ERROR;
		j->done.right = !AY_CHECKED("PASSWORD_HASH", r != ARGON2_OK) && !j->nobody;
		if (j->done.right && ay_hash_is_cheaper(j->hash, &h->cost) &&
		    !make_hash(&h->cost, j, j->done.fresh))
			j->done.fresh[0] = '\0';
	}
	OPENSSL_cleanse(j->password, sizeof(j->password));
}

static void append(struct job **list, struct job *j)
{
	while (*list != NULL)
		list = &(*list)->next;
	j->next = NULL;
	*list = j;
}

static void *work(void *arg)
{
	struct ay_hasher *h = arg;
	uint64_t one = 1;
	unsigned me;
	struct job *j;

	pthread_mutex_lock(&h->lock);
	me = h->n_started++;
	while (!h->closing) {
		j = h->todo;
		if (j == NULL) {
			pthread_cond_wait(&h->more, &h->lock);
			continue;
		}
		h->todo = j->next;
		h->running[me] = j;
		pthread_mutex_unlock(&h->lock);
		work_on(h, j);
		pthread_mutex_lock(&h->lock);
		h->running[me] = NULL;
		append(&h->finished, j);
		if (write(h->fd, &one, sizeof(one)) != sizeof(one))
			continue; /* it is full: it is readable */
	}
	pthread_mutex_unlock(&h->lock);
	return NULL;
}

/* A hash that no password is known of, as costly as the others. */
static enum ay_rc make_none(struct ay_hasher *h, struct ay_err *e)
{
	struct job j = { .n = 32 };

	ay_rng_bytes(j.password, 32);
	ay_rng_bytes(j.salt, SALT_N);
	return make_hash(&h->cost, &j, h->none)
		       ? AY_OK
		       : ay_fail(e, AY_E_NOMEM, "password", 0, "Argon2 cannot work");
}

enum ay_rc ay_hasher_new(const struct ay_hash_cost *cost, unsigned threads, struct ay_hasher **out,
			 struct ay_err *e)
{
	struct ay_hasher *h = calloc(1, sizeof(*h));
	enum ay_rc rc;

	*out = NULL;
	if (h == NULL)
		return ay_fail(e, AY_E_NOMEM, "password", 0, "out of memory");
	h->cost = *cost;
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->more, NULL);
	h->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = h->fd < 0 ? ay_fail(e, AY_E_UNAVAIL, "password", 0, "no eventfd") : make_none(h, e);
	while (rc == AY_OK && h->n_threads < threads && h->n_threads < THREADS_MAX) {
		if (pthread_create(&h->thread[h->n_threads], NULL, work, h) != 0)
			rc = ay_fail(e, AY_E_UNAVAIL, "password", 0, "no thread");
		else
			h->n_threads++;
	}
	if (rc != AY_OK) {
		ay_hasher_free(h);
		return rc;
	}
	*out = h;
	return AY_OK;
}

static void free_list(struct job *j)
{
	while (j != NULL) {
		struct job *next = j->next;

		OPENSSL_cleanse(j, sizeof(*j));
		free(j);
		j = next;
	}
}

void ay_hasher_free(struct ay_hasher *h)
{
	if (h == NULL)
		return;
	pthread_mutex_lock(&h->lock);
	h->closing = true;
	pthread_cond_broadcast(&h->more);
	pthread_mutex_unlock(&h->lock);
	for (unsigned i = 0; i < h->n_threads; i++)
		pthread_join(h->thread[i], NULL);
	free_list(h->todo);
	free_list(h->finished);
	if (h->fd >= 0)
		close(h->fd);
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->more);
	free(h);
}

/* Caller holds the lock. */
static bool has_room(const struct ay_hasher *h, uint64_t network)
{
	unsigned all = 0, its = 0;

	for (const struct job *j = h->todo; j != NULL; j = j->next) {
		all++;
		its += j->network == network;
	}
	return all < QUEUE_MAX && !AY_CHECKED("HASHER_SHARE", its >= NETWORK_MAX);
}

enum ay_rc ay_hasher_ask(struct ay_hasher *h, const struct ay_hash_ask *ask, struct ay_err *e)
{
	struct job *j;
	bool room;

	if (ask->password.n > AY_MAX_PASSWORD_BYTES)
		return ay_fail(e, AY_E_LIMIT, "password", 0, "at most %d octets", AY_MAX_PASSWORD_BYTES);
	j = calloc(1, sizeof(*j));
	if (j == NULL)
		return ay_fail(e, AY_E_NOMEM, "password", 0, "out of memory");
	if (ask->password.n > 0)
		memcpy(j->password, ask->password.p, ask->password.n);
	j->n = ask->password.n;
	j->make = ask->make;
	j->nobody = ask->hash == NULL;
	snprintf(j->hash, sizeof(j->hash), "%s", ask->hash == NULL ? h->none : ask->hash);
	j->network = ask->network;
	j->fn = ask->fn;
	j->arg = ask->arg;
	ay_rng_bytes(j->salt, SALT_N);
	pthread_mutex_lock(&h->lock);
	room = has_room(h, ask->network);
	if (room) {
		append(&h->todo, j);
		pthread_cond_signal(&h->more);
	}
	pthread_mutex_unlock(&h->lock);
	if (room)
		return AY_OK;
	free_list(j);
	return ay_fail_code(e, AY_E_UNAVAIL, "AUTH_BUSY", "password",
			    "too many passwords wait to be checked: try again");
}

static void forget(struct job *j, const void *arg)
{
	for (; j != NULL; j = j->next)
		if (j->arg == arg)
			j->fn = NULL;
}

void ay_hasher_forget(struct ay_hasher *h, const void *arg)
{
	pthread_mutex_lock(&h->lock);
	forget(h->todo, arg);
	forget(h->finished, arg);
	for (unsigned i = 0; i < THREADS_MAX; i++)
		if (h->running[i] != NULL && h->running[i]->arg == arg)
			h->running[i]->fn = NULL;
	pthread_mutex_unlock(&h->lock);
}

int ay_hasher_fd(const struct ay_hasher *h)
{
	return h->fd;
}

void ay_hasher_done(struct ay_hasher *h)
{
	uint64_t count;
	struct job *j;

	if (read(h->fd, &count, sizeof(count)) < 0)
		count = 0; /* nothing to reset is fine */
	for (;;) {
		pthread_mutex_lock(&h->lock);
		j = h->finished;
		if (j != NULL)
			h->finished = j->next;
		pthread_mutex_unlock(&h->lock);
		if (j == NULL)
			return;
		j->next = NULL;
		if (j->fn != NULL)
			j->fn(j->arg, &j->done);
		free_list(j);
	}
}
