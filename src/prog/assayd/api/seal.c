/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seeds of second factors. The store has them wrapped by keeper (form 1); form
 * 0, the octets themselves, is of before and is replaced when it is met. What
 * is checked against is kept in memory, unwrapped once after the start.
 */
#include "io/sys/log.h"
#include "prog/assayd/api/session.h"
#include "prog/assayd/api/totp.h"
#include "prog/assayd/keepers.h"
#include "prog/assayd/rewrap.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>

enum { PLAIN = 0, KEPT = 1, AT_ONCE = 10 };

struct ay_seed {
	struct ay_seed *next;
	uint64_t user;
	bool is_open, is_asked;
	uint8_t seed[AY_TOTP_SECRET];
};

/* A question to keeper about one. */
struct asked {
	struct ay_api *api;
	uint64_t user;
	char object[32];
	uint8_t seed[AY_TOTP_SECRET]; /* that is to be wrapped: a newer offer may come meanwhile */
};

static struct ay_seed *find(struct ay_api *a, uint64_t user, bool make)
{
	struct ay_seed *s = a->seeds;

	while (s != NULL && s->user != user)
		s = s->next;
	if (s != NULL || !make)
		return s;
	s = calloc(1, sizeof(*s));
	if (s != NULL) {
		*s = (struct ay_seed){ .next = a->seeds, .user = user };
		a->seeds = s;
	}
	return s;
}

static bool is_plain(const struct ay_api_account *u)
{
	return u->secrets != NULL && u->secrets->totp_n == 1 + AY_TOTP_SECRET &&
	       u->secrets->totp[0] == PLAIN;
}

static bool is_kept(const struct ay_api_account *u)
{
	return u->secrets != NULL && u->secrets->totp_n > 1 && u->secrets->totp[0] == KEPT;
}

static struct asked *ask(struct ay_api *a, struct ay_seed *s)
{
	struct asked *q = calloc(1, sizeof(*q));

	if (q == NULL)
		return NULL;
	q->api = a;
	q->user = s->user;
	memcpy(q->seed, s->seed, sizeof(q->seed));
	snprintf(q->object, sizeof(q->object), "user:%llu", (unsigned long long)s->user);
	s->is_asked = true;
	return q;
}

static void put_wrapped(struct ay_api *a, const struct asked *q, struct ay_bytes wrapped)
{
	struct ay_seed *s = find(a, q->user, false);
	struct ay_api_account *u = ay_account_by_id(a, q->user);
	struct ay_secrets fresh;
	struct ay_err e = { 0 };

	if (s == NULL || memcmp(s->seed, q->seed, sizeof(s->seed)) != 0 || u == NULL ||
	    u->secrets == NULL || u->secrets->totp_state == AY_TOTP_NONE || wrapped.n == 0 ||
	    wrapped.n >= sizeof(fresh.totp))
		return; /* it was ended meanwhile, or offered anew */
	fresh = *u->secrets;
	fresh.totp[0] = KEPT;
	memcpy(fresh.totp + 1, wrapped.p, wrapped.n);
	fresh.totp_n = 1 + wrapped.n;
	if (ay_account_keep(a, u, &fresh, &e) != AY_OK)
		ay_log_err(AY_LOG_WARN, "a second factor's seed is not stored", &e);
	OPENSSL_cleanse(&fresh, sizeof(fresh));
}

/* Wrapped: stored in the place of what was there. */
static void on_wrapped(void *arg, enum ay_rc rc, const struct ay_err *why, struct ay_bytes wrapped)
{
	struct asked *q = arg;
	struct ay_seed *s = find(q->api, q->user, false);

	if (s != NULL)
		s->is_asked = false;
	if (rc == AY_OK)
		put_wrapped(q->api, q, wrapped);
	else
		ay_log_err(AY_LOG_WARN, "a second factor's seed is not wrapped", why);
	OPENSSL_cleanse(q, sizeof(*q));
	free(q);
}

static void wrap(struct ay_api *a, struct ay_seed *s)
{
	struct asked *q = ask(a, s);

	if (q != NULL)
		ay_keeper_wrap(a->engine, "totp", ay_bytes_of(q->object), AY_BYTES(s->seed),
			       on_wrapped, q);
}

static void on_unwrapped(void *arg, enum ay_rc rc, const struct ay_err *why, struct ay_bytes seed)
{
	struct asked *q = arg;
	struct ay_seed *s = find(q->api, q->user, false);

	OPENSSL_cleanse(q, sizeof(*q));
	free(q);
	if (s == NULL)
		return;
	s->is_asked = false;
	if (rc != AY_OK) {
		ay_log_err(AY_LOG_WARN, "a second factor's seed is not unwrapped", why);
		return;
	}
	if (seed.n != sizeof(s->seed))
		return;
	memcpy(s->seed, seed.p, sizeof(s->seed));
	s->is_open = true;
}

static void unwrap(struct ay_api *a, struct ay_seed *s, const struct ay_api_account *u)
{
	struct asked *q = ask(a, s);

	if (q != NULL)
		ay_keeper_unwrap(a->engine, "totp", ay_bytes_of(q->object),
				 (struct ay_bytes){ u->secrets->totp + 1, u->secrets->totp_n - 1 },
				 on_unwrapped, q);
}

bool ay_seed_offer(struct ay_api *a, uint64_t user, const uint8_t seed[AY_TOTP_SECRET])
{
	struct ay_seed *s = find(a, user, true);

	if (s == NULL)
		return false;
	memcpy(s->seed, seed, sizeof(s->seed));
	s->is_open = true;
	wrap(a, s);
	return true;
}

const uint8_t *ay_seed_of(struct ay_api *a, const struct ay_api_account *u)
{
	const struct ay_seed *s = find(a, u->id, false);

	return s != NULL && s->is_open && is_kept(u) ? s->seed : NULL;
}

static void free_seed(struct ay_seed *s)
{
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

void ay_seed_drop(struct ay_api *a, uint64_t user)
{
	struct ay_seed **at = &a->seeds, *s;

	while (*at != NULL && (*at)->user != user)
		at = &(*at)->next;
	s = *at;
	if (s == NULL)
		return;
	*at = s->next;
	free_seed(s);
}

/* Keeper gives so many a second; what it refused is asked again. */
void ay_seeds_tick(struct ay_api *a)
{
	size_t n = 0;

	for (struct ay_api_account *u = a->accounts->users; u != NULL && n < AT_ONCE; u = u->next) {
		struct ay_seed *s;

		if (!is_plain(u) && !is_kept(u))
			continue;
		s = find(a, u->id, true);
		if (s == NULL || s->is_asked || (s->is_open && is_kept(u)))
			continue;
		n++;
		if (is_kept(u)) {
			unwrap(a, s, u);
			continue;
		}
		memcpy(s->seed, u->secrets->totp + 1, sizeof(s->seed));
		s->is_open = true;
		wrap(a, s);
	}
}

void ay_seeds_free(struct ay_api *a)
{
	struct ay_seed *s;

	while ((s = a->seeds) != NULL) {
		a->seeds = s->next;
		free_seed(s);
	}
}

/* ---- under a new key of keeper (rewrap.h) ---- */

static size_t object_of(uint64_t user, uint8_t *out, size_t room)
{
	return (size_t)snprintf((char *)out, room, "user:%llu", (unsigned long long)user);
}

bool ay_seed_kept_at(struct ay_api *a, size_t i, struct ay_kept_row *out)
{
	const struct ay_api_account *u = a->accounts->users;

	for (; u != NULL && i > 0; i--)
		u = u->next;
	if (u == NULL)
		return false;
	if (!is_kept(u))
		return true;
	out->object_n = object_of(u->id, out->object, sizeof(out->object));
	out->wrapped = (struct ay_bytes){ u->secrets->totp + 1, u->secrets->totp_n - 1 };
	return true;
}

enum ay_rc ay_seed_kept_put(struct ay_api *a, const struct ay_kept_row *row, struct ay_bytes fresh,
			    struct ay_err *e)
{
	struct ay_secrets next;
	struct ay_kept_row now;
	enum ay_rc rc;

	for (struct ay_api_account *u = a->accounts->users; u != NULL; u = u->next) {
		now.object_n = object_of(u->id, now.object, sizeof(now.object));
		if (now.object_n != row->object_n ||
		    memcmp(now.object, row->object, row->object_n) != 0)
			continue;
		if (!is_kept(u) || fresh.n >= sizeof(next.totp) ||
		    !ay_bytes_eq((struct ay_bytes){ u->secrets->totp + 1, u->secrets->totp_n - 1 },
				 row->wrapped))
			return AY_OK; /* another one meanwhile */
		next = *u->secrets;
		memcpy(next.totp + 1, fresh.p, fresh.n);
		next.totp_n = 1 + fresh.n;
		rc = ay_account_keep(a, u, &next, e);
		OPENSSL_cleanse(&next, sizeof(next));
		return rc;
	}
	return AY_OK;
}
