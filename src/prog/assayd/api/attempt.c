/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/attempt.h"

#include "core/crypto/hash.h"
#include "io/sys/rng.h"
#include "prog/assayd/api/credential.h"

#include <openssl/crypto.h>
#include <stdlib.h>

/* Of one name at one network; and of a network whatever the name, where many may sit together. */
static const struct ay_lockout_rule of_name = {
	.free = 5, .first_ms = 1000, .most_ms = 15 * 60000, .forget_ms = 3600000
};
static const struct ay_lockout_rule of_network = {
	.free = 40, .first_ms = 1000, .most_ms = 60000, .forget_ms = 600000
};

struct ay_attempts {
	uint8_t secret[32]; /* of the keys: nobody chooses names that meet in one slot */
	struct ay_lockout name, network;
};

/* An attempt under way, or a hash being made: state of its call. */
struct work {
	struct ay_api_call *c;
	uint64_t user;
	char hash[AY_PASSWORD_TEXT]; /* what was compared with */
	struct ay_bytes name;	     /* in the arena */
	ay_attempt_fn *tried;
	ay_password_fn *made;
};

enum ay_rc ay_attempts_new(struct ay_api *a, struct ay_err *e)
{
	a->attempts = calloc(1, sizeof(*a->attempts));
	if (a->attempts == NULL)
		return ay_fail(e, AY_E_NOMEM, "login", 0, "out of memory");
	ay_rng_bytes(a->attempts->secret, sizeof(a->attempts->secret));
	return ay_hasher_new(&a->settings.hash, a->settings.hash_threads, &a->hasher, e);
}

void ay_attempts_free(struct ay_api *a)
{
	ay_hasher_free(a->hasher);
	a->hasher = NULL;
	free(a->attempts);
	a->attempts = NULL;
}

/* ---- who has to wait ---- */

static uint64_t key_of(const struct ay_attempts *t, struct ay_bytes peer, struct ay_bytes name)
{
	uint8_t all[32 + 8 + AY_MAX_NAME_BYTES] = { 0 }, hash[32];
	size_t n = name.n < AY_MAX_NAME_BYTES ? name.n : AY_MAX_NAME_BYTES;
	uint64_t key;

	memcpy(all, t->secret, 32);
	ay_network_of(peer, all + 32);
	if (n > 0)
		memcpy(all + 40, name.p, n);
	ay_sha256((struct ay_bytes){ all, 40 + n }, hash);
	memcpy(&key, hash, sizeof(key));
	OPENSSL_cleanse(all, sizeof(all));
	return key == 0 ? 1 : key;
}

static uint64_t network_key(const struct ay_api_call *c)
{
	return key_of(c->api->attempts, c->peer, (struct ay_bytes){ NULL, 0 });
}

enum ay_rc ay_attempt_may(struct ay_api_call *c, struct ay_bytes name, struct ay_err *e)
{
	struct ay_attempts *t = c->api->attempts;
	int64_t now = c->api->now_ms;
	int64_t wait = ay_lockout_wait(&t->name, &of_name, key_of(t, c->peer, name), now);
	int64_t all = ay_lockout_wait(&t->network, &of_network, network_key(c), now);
	char seconds[24];

	if (!AY_CHECKED("LOCKOUT_NAME", wait > 0) && !AY_CHECKED("LOCKOUT_NETWORK", all > 0))
		return AY_OK;
	wait = wait > all ? wait : all;
	snprintf(seconds, sizeof(seconds), "%lld", (long long)(wait + 999) / 1000);
	ay_api_header(c, "retry-after", seconds);
	return ay_fail_code(e, AY_E_DENIED, "AUTH_LOCKED", "user",
			    "too many failures from your network: try again in %s s", seconds);
}

void ay_attempt_charge(struct ay_api_call *c, struct ay_bytes name)
{
	struct ay_attempts *t = c->api->attempts;

	ay_lockout_charge(&t->name, &of_name, key_of(t, c->peer, name), c->api->now_ms);
	ay_lockout_charge(&t->network, &of_network, network_key(c), c->api->now_ms);
}

/* Never all of a network's: who has an account there does not clear it for guessing others'. */
void ay_attempt_refund(struct ay_api_call *c, struct ay_bytes name, bool all)
{
	struct ay_attempts *t = c->api->attempts;

	ay_lockout_refund(&t->name, key_of(t, c->peer, name), all);
	ay_lockout_refund(&t->network, network_key(c), false);
}

/* ---- in a thread and back ---- */

static void drop(struct ay_api_call *c)
{
	struct work *w = c->state;

	c->state = NULL;
	c->left = NULL;
	OPENSSL_cleanse(w, sizeof(*w));
	free(w);
}

static void left(struct ay_api_call *c)
{
	ay_hasher_forget(c->api->hasher, c->state);
	drop(c);
	if (c->gone)
		ay_api_empty(c, 204); /* nobody hears it; ends the call */
}

static struct work *begin(struct ay_api_call *c, struct ay_err *e)
{
	struct work *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		ay_err_set(e, AY_E_NOMEM, "password", 0, "out of memory");
		return NULL;
	}
	w->c = c;
	c->state = w;
	c->left = left;
	return w;
}

static enum ay_rc ask(struct work *w, struct ay_bytes password, ay_hash_fn *fn, struct ay_err *e)
{
	struct ay_hash_ask q = { .password = password,
				 .hash = w->hash[0] == '\0' ? NULL : w->hash,
				 .make = w->made != NULL,
				 .network = network_key(w->c),
				 .fn = fn,
				 .arg = w };
	enum ay_rc rc = ay_hasher_ask(w->c->api->hasher, &q, e);

	if (rc != AY_OK)
		drop(w->c);
	return rc;
}

/* A cheaper hash than today's is replaced while the password is at hand. */
static void keep_fresh(struct ay_api *a, struct ay_api_account *u, const char *fresh)
{
	struct ay_secrets s = *u->secrets;
	struct ay_err e;

	snprintf(s.password, sizeof(s.password), "%s", fresh);
	if (ay_account_keep(a, u, &s, &e) != AY_OK)
		s.password[0] = '\0'; /* the old one is still right */
	OPENSSL_cleanse(&s, sizeof(s));
}

static void on_tried(void *arg, const struct ay_hash_done *done)
{
	struct work *w = arg;
	struct ay_api_call *c = w->c;
	struct ay_api_account *u = ay_account_by_id(c->api, w->user);
	ay_attempt_fn *fn = w->tried;
	struct ay_err e = { 0 };
	enum ay_rc rc = AY_OK;

	c->api->now_ms = ay_engine_now_ms(c->api->engine);
	if (done->failed)
		rc = ay_fail(&e, AY_E_UNAVAIL, "password", 0, "no memory for Argon2");
	else if (!done->right || u == NULL || u->secrets == NULL || /* it may have changed */
		 strcmp(u->secrets->password, w->hash) != 0)
		rc = ay_auth_wrong(&e);
	if (rc != AY_E_DENIED)
		ay_attempt_refund(c, w->name, false);
	if (rc == AY_OK && done->fresh[0] != '\0')
		keep_fresh(c->api, u, done->fresh);
	drop(c);
	fn(c, rc, u, &e);
}

enum ay_rc ay_attempt_start(struct ay_api_call *c, struct ay_bytes name, struct ay_bytes password,
			    ay_attempt_fn *fn, struct ay_err *e)
{
	struct ay_api_account *u = ay_account_find(c->api, name);
	enum ay_rc rc = ay_attempt_may(c, name, e);
	struct work *w;

	if (rc != AY_OK)
		return rc;
	if (password.n > AY_MAX_PASSWORD_BYTES)
		return ay_auth_wrong(e);
	w = begin(c, e);
	if (w == NULL)
		return AY_E_NOMEM;
	w->tried = fn;
	w->name = ay_arena_dup(&c->arena, name);
	if (u != NULL && !u->removed && u->secrets != NULL) {
		w->user = u->id;
		snprintf(w->hash, sizeof(w->hash), "%s", u->secrets->password);
	}
	ay_attempt_charge(c, name);
	rc = ask(w, password, on_tried, e);
	if (rc != AY_OK)
		ay_attempt_refund(c, name, false);
	return rc;
}

static void on_made(void *arg, const struct ay_hash_done *done)
{
	struct work *w = arg;
	struct ay_api_call *c = w->c;
	ay_password_fn *fn = w->made;
	bool ok = !done->failed && done->fresh[0] != '\0';
	struct ay_err e = { 0 };

	c->api->now_ms = ay_engine_now_ms(c->api->engine);
	if (!ok)
		ay_err_set(&e, AY_E_UNAVAIL, "password", 0, "no memory for Argon2");
	drop(c);
	fn(c, ok ? done->fresh : NULL, &e);
}

enum ay_rc ay_password_make(struct ay_api_call *c, struct ay_bytes password, ay_password_fn *fn,
			    struct ay_err *e)
{
	struct work *w = begin(c, e);

	if (w == NULL)
		return AY_E_NOMEM;
	w->made = fn;
	return ask(w, password, on_made, e);
}

enum ay_rc ay_password_is_fit(const char *user, struct ay_bytes password, struct ay_err *e)
{
	if (AY_CHECKED("PASSWORD_SHORT", password.n < AY_PASSWORD_MIN) ||
	    password.n > AY_MAX_PASSWORD_BYTES)
		return ay_fail(e, AY_E_INPUT, "password", 0, "a password has %d to %d octets",
			       AY_PASSWORD_MIN, AY_MAX_PASSWORD_BYTES);
	if (ay_bytes_eq(password, ay_bytes_of(user)))
		return ay_fail(e, AY_E_INPUT, "password", 0, "the name is no password");
	return AY_OK;
}
