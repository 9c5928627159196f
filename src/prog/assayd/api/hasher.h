/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_HASHER_H
#define AY_ASSAYD_API_HASHER_H

/*
 * Passwords: Argon2id [RFC9106] in threads of its own. A hash takes long and
 * much memory on purpose, so few are made at once, few wait, and of one network
 * fewer still: who sends many passwords fills his own share of the queue.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"
#include "core/base/limits.h"
#include "prog/assayd/api/secrets.h"

struct ay_hasher;

enum { AY_PASSWORD_MIN = 10 };

/* How new hashes are made; kept in each hash, so that it can grow. */
struct ay_hash_cost {
	uint32_t memory_kib, passes, lanes;
};

struct ay_hash_done {
	bool failed;		      /* no memory: nothing is known */
	bool right;		      /* the password fits the hash; never set for no hash */
	char fresh[AY_PASSWORD_TEXT]; /* a new hash: asked for, or the old one is too cheap; or ""
				       */
};
typedef void ay_hash_fn(void *arg, const struct ay_hash_done *done);

/* What is to be done with one password. */
struct ay_hash_ask {
	struct ay_bytes password;
	const char *hash; /* to compare with; NULL: with none, which takes as long */
	bool make;	  /* a new hash, nothing to compare */
	uint64_t network; /* whose share of the queue it is */
	ay_hash_fn *fn;
	void *arg;
};

AY_MUST_USE enum ay_rc ay_hasher_new(const struct ay_hash_cost *cost, unsigned threads,
				     struct ay_hasher **out, struct ay_err *e);
/* Waits for what is under way; nobody is told. NULL is fine. */
void ay_hasher_free(struct ay_hasher *h);
/* AY_E_UNAVAIL AUTH_BUSY: too many wait. The password is copied, and wiped afterwards. */
AY_MUST_USE enum ay_rc ay_hasher_ask(struct ay_hasher *h, const struct ay_hash_ask *ask,
				     struct ay_err *e);
/* arg is told nothing more. */
void ay_hasher_forget(struct ay_hasher *h, const void *arg);
/* Readable when something is done; then call ay_hasher_done() in the thread that asked. */
int ay_hasher_fd(const struct ay_hasher *h);
void ay_hasher_done(struct ay_hasher *h);

/* Are the parameters of this hash less than cost? Also for one that cannot be read. */
bool ay_hash_is_cheaper(const char *hash, const struct ay_hash_cost *cost);

#endif
