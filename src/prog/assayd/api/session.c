/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/session.h"

#include "core/base/base64.h"
#include "core/crypto/hash.h"
#include "io/sys/rng.h"
#include "prog/assayd/api/credential.h"

#include <openssl/crypto.h>
#include <stdlib.h>

enum { SECRET_N = 32, SESSIONS_MAX = 10000, OF_ONE_MAX = 50, KEPT_MS = 60000 };

/* ---- the store ---- */

static void load(void *arg, const struct ay_session_row *r)
{
	struct ay_api *a = arg;
	struct ay_session *s = calloc(1, sizeof(*s));

	if (s == NULL || r->hash.n != sizeof(s->hash) || r->ended) {
		free(s); /* a session that is not there opens nothing */
		return;
	}
	memcpy(s->hash, r->hash.p, sizeof(s->hash));
	snprintf(s->id, sizeof(s->id), "%s", r->id);
	s->user = r->user;
	s->created_at = r->created_at;
	s->used_at = s->kept_at = r->used_at;
	s->mfa = r->mfa;
	snprintf(s->scheme, sizeof(s->scheme), "%s", r->scheme);
	snprintf(s->peer, sizeof(s->peer), "%s", r->peer);
	snprintf(s->agent, sizeof(s->agent), "%s", r->agent);
	s->next = a->sessions;
	a->sessions = s;
}

enum ay_rc ay_sessions_load(struct ay_api *a, struct ay_err *e)
{
	return ay_store_sessions(a->store, load, a, e);
}

void ay_sessions_free(struct ay_api *a)
{
	while (a->sessions != NULL) {
		struct ay_session *s = a->sessions;

		a->sessions = s->next;
		free(s);
	}
}

static struct ay_session_row row_of(const struct ay_session *s, bool ended)
{
	return (struct ay_session_row){ .hash = AY_BYTES(s->hash),
					.id = s->id,
					.user = s->user,
					.created_at = s->created_at,
					.used_at = s->used_at,
					.ended = ended,
					.mfa = s->mfa,
					.scheme = s->scheme,
					.peer = s->peer,
					.agent = s->agent };
}

static enum ay_rc put(struct ay_api *a, const struct ay_session *s, bool ended, struct ay_err *e)
{
	struct ay_session_row r = row_of(s, ended);
	struct ay_write w = { .kind = AY_WR_SESSION_PUT, .session = &r };

	return ay_store_write(a->store, &w, 1, NULL, e);
}

/* Nobody waits for it. */
static void put_lazily(struct ay_api *a, struct ay_session *s, bool ended)
{
	struct ay_session_row r = row_of(s, ended);
	struct ay_write w = { .kind = AY_WR_SESSION_PUT, .session = &r };
	struct ay_err e;

	if (ay_store_submit(a->store, &w, 1, AY_SUBMIT_LAZY, 0, &e) == AY_OK)
		s->kept_at = s->used_at;
}

/* ---- life ---- */

void ay_session_csrf(struct ay_bytes secret, char out[AY_SESSION_SECRET])
{
	static const char label[] = "assay-csrf-1";
	uint8_t all[sizeof(label) - 1 + SECRET_N] = { 0 }, hash[32];

	memcpy(all, label, sizeof(label) - 1);
	memcpy(all + sizeof(label) - 1, secret.p, secret.n < SECRET_N ? secret.n : SECRET_N);
	ay_sha256(AY_BYTES(all), hash);
	ay_base64_encode(AY_BASE64_URL, AY_BYTES(hash), out);
	OPENSSL_cleanse(all, sizeof(all));
}

void ay_session_cookie(const char *secret, char out[128])
{
	snprintf(out, 128, AY_SESSION_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict%s",
		 secret, secret[0] == '\0' ? "; Max-Age=0" : "");
}

bool ay_session_is_over(const struct ay_api *a, const struct ay_session *s)
{
	return AY_CHECKED("SESSION_IDLE", a->now_ms - s->used_at >= a->settings.session_idle_ms) ||
	       AY_CHECKED("SESSION_LIFE", a->now_ms - s->created_at >= a->settings.session_life_ms);
}

static void forget(struct ay_api *a, struct ay_session *s)
{
	struct ay_session **at = &a->sessions;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	OPENSSL_cleanse(s, sizeof(*s));
	free(s);
}

enum ay_rc ay_session_end(struct ay_api *a, struct ay_session *s, struct ay_err *e)
{
	enum ay_rc rc = put(a, s, true, e);

	if (rc == AY_OK)
		forget(a, s);
	return rc;
}

enum ay_rc ay_sessions_end(struct ay_api *a, uint64_t user, const char *but, struct ay_err *e)
{
	struct ay_session *s = a->sessions, *next;
	enum ay_rc rc = AY_OK;

	for (; s != NULL && rc == AY_OK; s = next) {
		next = s->next;
		if (s->user == user && (but == NULL || strcmp(but, s->id) != 0))
			rc = ay_session_end(a, s, e);
	}
	return rc;
}

void ay_sessions_tick(struct ay_api *a)
{
	struct ay_session *s = a->sessions, *next;

	for (; s != NULL; s = next) {
		next = s->next;
		if (!ay_session_is_over(a, s))
			continue;
		put_lazily(a, s, true);
		forget(a, s);
	}
}

/* The one of this person that was used longest ago. */
static struct ay_session *oldest(struct ay_api *a, uint64_t user, size_t *n)
{
	struct ay_session *old = NULL;

	*n = 0;
	for (struct ay_session *s = a->sessions; s != NULL; s = s->next) {
		if (s->user != user)
			continue;
		++*n;
		if (old == NULL || s->used_at < old->used_at)
			old = s;
	}
	return old;
}

static enum ay_rc make_room(struct ay_api *a, uint64_t user, struct ay_err *e)
{
	struct ay_session *old;
	size_t all = 0, n;

	for (const struct ay_session *s = a->sessions; s != NULL; s = s->next)
		all++;
	if (all >= SESSIONS_MAX)
		return ay_fail(e, AY_E_UNAVAIL, "session", 0, "too many sessions");
	old = oldest(a, user, &n);
	return n < OF_ONE_MAX ? AY_OK : ay_session_end(a, old, e);
}

static void draw(struct ay_session *s, struct ay_session_told *told)
{
	uint8_t secret[SECRET_N], id[9];

	ay_rng_bytes(secret, sizeof(secret));
	ay_rng_bytes(id, sizeof(id));
	ay_sha256(AY_BYTES(secret), s->hash);
	ay_base64_encode(AY_BASE64_URL, AY_BYTES(secret), told->cookie);
	ay_base64_encode(AY_BASE64_URL, AY_BYTES(id), s->id);
	ay_session_csrf(AY_BYTES(secret), told->csrf);
	OPENSSL_cleanse(secret, sizeof(secret));
}

enum ay_rc ay_session_new(struct ay_api *a, uint64_t user, const struct ay_session *spec,
			  struct ay_session_told *told, struct ay_session **out, struct ay_err *e)
{
	struct ay_session *s = calloc(1, sizeof(*s));
	enum ay_rc rc = s == NULL ? ay_fail(e, AY_E_NOMEM, "session", 0, "out of memory")
				  : make_room(a, user, e);

	*out = NULL;
	memset(told, 0, sizeof(*told));
	if (rc == AY_OK) {
		*s = *spec;
		s->user = user;
		s->created_at = s->used_at = s->kept_at = a->now_ms;
		draw(s, told);
		rc = put(a, s, false, e);
	}
	if (rc != AY_OK) {
		OPENSSL_cleanse(told, sizeof(*told));
		free(s);
		return rc;
	}
	s->next = a->sessions;
	a->sessions = s;
	*out = s;
	return AY_OK;
}

struct ay_session *ay_session_of(struct ay_api *a, const struct ay_principal *who)
{
	for (struct ay_session *s = a->sessions; s != NULL; s = s->next)
		if (who->session_id[0] != '\0' && strcmp(s->id, who->session_id) == 0)
			return s;
	return NULL;
}

/* ---- the scheme ---- */

static struct ay_session *find(struct ay_api *a, struct ay_bytes secret)
{
	struct ay_session *found = NULL;
	uint8_t hash[32];

	ay_sha256(secret, hash);
	for (struct ay_session *s = a->sessions; s != NULL; s = s->next)
		if (CRYPTO_memcmp(s->hash, hash, sizeof(hash)) == 0)
			found = s;
	return found;
}

static bool is_safe(enum ay_http_method m)
{
	return m == AY_HTTP_GET || m == AY_HTTP_HEAD || m == AY_HTTP_OPTIONS;
}

/*
 * A browser sends the cookie whoever made the page. SameSite keeps it from
 * other sites, the token proves that our own page made the request.
 */
static enum ay_rc check_csrf(const struct ay_api_request *r, struct ay_bytes secret,
			     struct ay_err *e)
{
	struct ay_bytes given = ay_api_request_header(r, "x-csrf-token");
	struct ay_bytes site = ay_api_request_header(r, "sec-fetch-site");
	char want[AY_SESSION_SECRET];
	bool differs;

	ay_session_csrf(secret, want);
	differs = given.n != strlen(want) || CRYPTO_memcmp(given.p, want, given.n) != 0;
	OPENSSL_cleanse(want, sizeof(want));
	if (!is_safe(r->method) && AY_CHECKED("CSRF_TOKEN", differs))
		return ay_fail_code(e, AY_E_DENIED, "CSRF", "x-csrf-token",
				    "send the csrf text of GET /api/v1/session as X-CSRF-Token");
	if (AY_CHECKED("CSRF_SITE", ay_bytes_eq(site, ay_bytes_of("cross-site"))))
		return ay_fail_code(e, AY_E_DENIED, "CSRF", "sec-fetch-site",
				    "the request comes from a page of another site");
	return AY_OK;
}

static enum ay_rc let_in(struct ay_api *a, struct ay_session *s, struct ay_principal *who,
			 struct ay_err *e)
{
	const struct ay_api_account *u = ay_account_by_id(a, s->user);
	enum ay_rc rc = u == NULL ? ay_auth_wrong(e) : ay_auth_user(a, u, who, e);

	if (rc != AY_OK)
		return rc;
	if (ay_session_is_over(a, s)) {
		memset(who, 0, sizeof(*who));
		return ay_fail_code(e, AY_E_DENIED, "AUTH_EXPIRED", "cookie",
				    "the session has ended: log in");
	}
	who->mfa = s->mfa;
	/* who could set the password since then could have begun this session */
	who->token_made_at = u->secrets == NULL ? s->created_at : u->secrets->password_at;
	snprintf(who->session_id, sizeof(who->session_id), "%s", s->id);
	s->used_at = a->now_ms;
	if (s->used_at - s->kept_at >= KEPT_MS)
		put_lazily(a, s, false);
	return AY_OK;
}

static enum ay_rc check(struct ay_api_call *c, const struct ay_api_request *r, struct ay_bytes text,
			struct ay_principal *who, struct ay_err *e)
{
	uint8_t secret[SECRET_N] = { 0 };
	char csrf[AY_SESSION_SECRET];
	struct ay_session *s = NULL;
	size_t n = 0;
	enum ay_rc rc;

	if (text.n == AY_SESSION_SECRET - 1 &&
	    ay_base64_decode(AY_BASE64_URL, text, "cookie", secret, SECRET_N, &n, e) == AY_OK &&
	    n == SECRET_N)
		s = find(c->api, AY_BYTES(secret));
	rc = s == NULL ? ay_fail_code(e, AY_E_DENIED, "AUTH_EXPIRED", "cookie",
				      "there is no such session: log in")
		       : check_csrf(r, AY_BYTES(secret), e);
	ay_session_csrf(AY_BYTES(secret), csrf);
	OPENSSL_cleanse(secret, sizeof(secret));
	if (rc != AY_OK)
		return rc;
	c->csrf = ay_arena_str(&c->arena, ay_bytes_of(csrf));
	return let_in(c->api, s, who, e);
}

enum ay_auth ay_auth_session(struct ay_api_call *c, const struct ay_api_request *r,
			     struct ay_principal *who, struct ay_err *e)
{
	struct ay_bytes text;
	enum ay_rc rc;

	if (ay_api_request_header(r, "authorization").p != NULL)
		return AY_AUTH_NONE; /* what was typed wins over what the browser adds */
	rc = ay_cookie_find(ay_api_request_header(r, "cookie"), AY_SESSION_COOKIE, &text, e);
	if (rc == AY_E_NOENT)
		return AY_AUTH_NONE;
	rc = rc == AY_OK ? check(c, r, text, who, e) : ay_auth_wrong(e);
	return rc == AY_OK ? AY_AUTH_OK : AY_AUTH_REFUSED;
}
