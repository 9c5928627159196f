/* SPDX-License-Identifier: Apache-2.0 */
/* People, their API tokens, and how a request shows one: Authorization: Bearer asy1.<id>.<secret>
 */
#include "core/base/base64.h"
#include "core/crypto/hash.h"
#include "io/sys/rng.h"
#include "prog/assayd/api/call.h"

#include <openssl/crypto.h>
#include <stdlib.h>

enum {
	ID_N = 9,
	SECRET_N = 32,
	FAILURE_SLOTS = 256,
	FAILURES_BURST = 240,
	FAILURE_REFILL_MS = 250
};

static const struct {
	const char *name, *doc;
} perms[] = {
#define X(name, doc) { #name, doc },
#include "prog/assayd/api/perms.def"
#undef X
};

#define P(name) (UINT64_C(1) << AY_PERM_##name)
#define AY_READS                                                                                   \
	(P(ANY) | P(HOST_READ) | P(ASSERTION_READ) | P(REFERENCE_READ) | P(POLICY_READ) |          \
	 P(EVENT_READ) | P(METRICS_READ) | P(CONFIG_READ) | P(APPROVAL_READ))

static const struct {
	const char *name;
	uint64_t perms;
	const char *doc;
} roles[] = {
#define X(name, perms, doc) { #name, perms, doc },
#include "prog/assayd/api/roles.def"
#undef X
};

/* How often an address was refused lately: a bucket that refills with time. */
struct ay_failures {
	struct {
		uint32_t hash;
		uint32_t count;
		int64_t since_ms;
	} slot[FAILURE_SLOTS];
};

const char *ay_perm_name(enum ay_perm p)
{
	return (size_t)p < AY_COUNT(perms) ? perms[p].name : "";
}

bool ay_perm_find(const char *name, enum ay_perm *out)
{
	for (size_t i = 0; i < AY_COUNT(perms); i++)
		if (strcmp(perms[i].name, name) == 0) {
			*out = (enum ay_perm)i;
			return true;
		}
	return false;
}

bool ay_role_perms(const char *role, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < AY_COUNT(roles); i++)
		if (strcmp(roles[i].name, role) == 0) {
			*out = roles[i].perms;
			return true;
		}
	return false;
}

/* ---- loading ---- */

static void copy_text(char *to, size_t room, const char *from)
{
	snprintf(to, room, "%s", from);
}

static void load_user(void *arg, const struct ay_user_row *r)
{
	struct ay_accounts *acc = arg;
	struct ay_api_account *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return; /* an account that is not there opens nothing */
	copy_text(u->name, sizeof(u->name), r->name);
	copy_text(u->role, sizeof(u->role), r->role);
	u->disabled = r->disabled;
	u->created_at = r->created_at;
	u->next = acc->users;
	acc->users = u;
}

static void load_key(void *arg, const struct ay_api_token_row *r)
{
	struct ay_accounts *acc = arg;
	struct ay_api_key *k = calloc(1, sizeof(*k));

	if (k == NULL || r->id.n != ID_N || r->hash.n != sizeof(k->hash)) {
		free(k);
		return;
	}
	memcpy(k->id, r->id.p, ID_N);
	memcpy(k->hash, r->hash.p, sizeof(k->hash));
	copy_text(k->user, sizeof(k->user), r->user);
	copy_text(k->role, sizeof(k->role), r->role);
	copy_text(k->label, sizeof(k->label), r->label);
	k->created_at = r->created_at;
	k->expires_at = r->expires_at;
	k->revoked = r->revoked;
	k->next = acc->keys;
	acc->keys = k;
}

enum ay_rc ay_accounts_load(struct ay_api *a, struct ay_err *e)
{
	enum ay_rc rc;

	a->accounts = calloc(1, sizeof(*a->accounts));
	a->failures = calloc(1, sizeof(*a->failures));
	if (a->accounts == NULL || a->failures == NULL)
		return ay_fail(e, AY_E_NOMEM, "api.accounts", 0, "out of memory");
	rc = ay_store_users(a->store, load_user, a->accounts, e);
	return rc != AY_OK ? rc : ay_store_api_tokens(a->store, load_key, a->accounts, e);
}

void ay_accounts_free(struct ay_api *a)
{
	if (a->accounts == NULL)
		return;
	while (a->accounts->users != NULL) {
		struct ay_api_account *u = a->accounts->users;

		a->accounts->users = u->next;
		free(u);
	}
	while (a->accounts->keys != NULL) {
		struct ay_api_key *k = a->accounts->keys;

		a->accounts->keys = k->next;
		OPENSSL_cleanse(k, sizeof(*k));
		free(k);
	}
	free(a->accounts);
	free(a->failures);
}

struct ay_api_account *ay_account_find(struct ay_api *a, struct ay_bytes name)
{
	for (struct ay_api_account *u = a->accounts->users; u != NULL; u = u->next)
		if (ay_bytes_eq(ay_bytes_of(u->name), name))
			return u;
	return NULL;
}

enum ay_rc ay_account_put(struct ay_api *a, const struct ay_api_account *row, struct ay_err *e)
{
	struct ay_user_row r = { row->name, row->role, row->disabled, row->created_at };
	struct ay_write w = { .kind = AY_WR_USER_PUT, .user = &r };
	struct ay_api_account *u = ay_account_find(a, ay_bytes_of(row->name));
	enum ay_rc rc = ay_store_write(a->store, &w, 1, NULL, e);

	if (rc != AY_OK)
		return rc;
	if (u == NULL) {
		load_user(a->accounts, &r);
		return AY_OK;
	}
	copy_text(u->role, sizeof(u->role), row->role);
	u->disabled = row->disabled;
	return AY_OK;
}

/* ---- tokens ---- */

static void token_text(const uint8_t id[ID_N], const uint8_t secret[SECRET_N],
		       char text[AY_API_TOKEN_TEXT])
{
	char id_text[AY_BASE64_ROOM(ID_N)], secret_text[AY_BASE64_ROOM(SECRET_N)];

	ay_base64_encode(AY_BASE64_URL, (struct ay_bytes){ id, ID_N }, id_text);
	ay_base64_encode(AY_BASE64_URL, (struct ay_bytes){ secret, SECRET_N }, secret_text);
	snprintf(text, AY_API_TOKEN_TEXT, "asy1.%s.%s", id_text, secret_text);
	OPENSSL_cleanse(secret_text, sizeof(secret_text));
}

/* Draws a token; only its hash goes into the row. */
static void draw(uint8_t id[ID_N], uint8_t hash[32], char text[AY_API_TOKEN_TEXT])
{
	uint8_t secret[SECRET_N];

	ay_rng_bytes(id, ID_N);
	ay_rng_bytes(secret, sizeof(secret));
	ay_sha256(AY_BYTES(secret), hash);
	token_text(id, secret, text);
	OPENSSL_cleanse(secret, sizeof(secret));
}

enum ay_rc ay_key_create(struct ay_api *a, const struct ay_api_account *of, const char *role,
			 struct ay_bytes label, int64_t expires_at, char text[AY_API_TOKEN_TEXT],
			 struct ay_api_key **out, struct ay_err *e)
{
	uint8_t id[ID_N], hash[32];
	char name[AY_MAX_NAME_BYTES + 1];
	struct ay_api_token_row r = { .id = AY_BYTES(id),
				      .hash = AY_BYTES(hash),
				      .user = of->name,
				      .role = role,
				      .label = name,
				      .created_at = a->now_ms,
				      .expires_at = expires_at };
	struct ay_write w = { .kind = AY_WR_API_TOKEN_ADD, .api_token = &r };
	enum ay_rc rc;

	*out = NULL;
	snprintf(name, sizeof(name), "%.*s", (int)label.n,
		 label.n == 0 ? "" : (const char *)label.p);
	draw(id, hash, text);
	rc = ay_store_write(a->store, &w, 1, NULL, e);
	if (rc != AY_OK)
		return rc;
	load_key(a->accounts, &r);
	*out = a->accounts->keys;
	return AY_OK;
}

enum ay_rc ay_key_revoke(struct ay_api *a, struct ay_api_key *k, struct ay_err *e)
{
	struct ay_write w = { .kind = AY_WR_API_TOKEN_REVOKE, .id = AY_BYTES(k->id) };
	enum ay_rc rc = ay_store_write(a->store, &w, 1, NULL, e);

	if (rc == AY_OK)
		k->revoked = true;
	return rc;
}

static void count_user(void *arg, const struct ay_user_row *r)
{
	(void)r;
	++*(size_t *)arg;
}

enum ay_rc ay_api_make_admin(struct ay_store *s, int64_t now_ms, ay_api_keep_fn *keep, void *arg,
			     struct ay_err *e)
{
	uint8_t id[ID_N], hash[32];
	struct ay_user_row user = { "admin", "admin", false, now_ms };
	struct ay_api_token_row token = { .id = AY_BYTES(id),
					  .hash = AY_BYTES(hash),
					  .user = "admin",
					  .role = "admin",
					  .label = "made by init",
					  .created_at = now_ms };
	struct ay_audit_row audit = { now_ms, "system", "INIT", "admin", "{}" };
	struct ay_write w[] = { { .kind = AY_WR_USER_PUT, .user = &user },
				{ .kind = AY_WR_API_TOKEN_ADD, .api_token = &token },
				{ .kind = AY_WR_AUDIT, .audit = &audit } };
	char text[AY_API_TOKEN_TEXT];
	size_t n = 0;
	enum ay_rc rc = ay_store_users(s, count_user, &n, e);

	if (rc == AY_OK && n > 0)
		return ay_fail(e, AY_E_EXISTS, "init", 0, "there are accounts already");
	if (rc != AY_OK)
		return rc;
	draw(id, hash, text);
	rc = keep(arg, text, e);
	OPENSSL_cleanse(text, sizeof(text));
	return rc != AY_OK ? rc : ay_store_write(s, w, AY_COUNT(w), NULL, e);
}

/* ---- checking ---- */

static enum ay_rc bad_credential(struct ay_err *e)
{
	return ay_fail_code(e, AY_E_DENIED, "AUTH_FAILED", "authorization",
			    "the credential is not valid");
}

/* asy1.<12 characters>.<43 characters> */
static bool split_token(struct ay_bytes text, uint8_t id[ID_N], uint8_t secret[SECRET_N])
{
	static const char head[] = "asy1.";
	size_t n = sizeof(head) - 1, got;
	struct ay_err e;

	if (text.n != n + 12 + 1 + 43 || memcmp(text.p, head, n) != 0 || text.p[n + 12] != '.')
		return false;
	if (ay_base64_decode(AY_BASE64_URL, (struct ay_bytes){ text.p + n, 12 }, "token.id", id,
			     ID_N, &got, &e) != AY_OK)
		return false;
	return ay_base64_decode(AY_BASE64_URL, (struct ay_bytes){ text.p + n + 13, 43 },
				"token.secret", secret, SECRET_N, &got, &e) == AY_OK;
}

static struct ay_api_key *key_find(struct ay_api *a, const uint8_t id[ID_N])
{
	for (struct ay_api_key *k = a->accounts->keys; k != NULL; k = k->next)
		if (memcmp(k->id, id, ID_N) == 0)
			return k;
	return NULL;
}

/* The hash is compared also when there is no such token, so that both take the same time. */
static bool right_secret(const struct ay_api_key *k, const uint8_t secret[SECRET_N])
{
	static const uint8_t none[32];
	uint8_t hash[32];
	int differs;

	ay_sha256((struct ay_bytes){ secret, SECRET_N }, hash);
	differs = CRYPTO_memcmp(hash, k == NULL ? none : k->hash, sizeof(hash));
	return k != NULL && !AY_CHECKED("API_TOKEN_HASH", differs != 0);
}

static enum ay_rc grant(struct ay_api *a, const struct ay_api_key *k, struct ay_principal *who,
			struct ay_err *e)
{
	const struct ay_api_account *u = ay_account_find(a, ay_bytes_of(k->user));
	uint64_t own, given;

	if (AY_CHECKED("API_TOKEN_REVOKED", k->revoked) || u == NULL ||
	    AY_CHECKED("API_USER_DISABLED", u->disabled))
		return bad_credential(e);
	if (AY_CHECKED("API_TOKEN_EXPIRED", k->expires_at != 0 && k->expires_at <= a->now_ms))
		return ay_fail_code(e, AY_E_DENIED, "AUTH_EXPIRED", "authorization",
				    "the token has expired");
	if (!ay_role_perms(u->role, &own) || !ay_role_perms(k->role, &given))
		return bad_credential(e);
	copy_text(who->user, sizeof(who->user), u->name);
	ay_base64_encode(AY_BASE64_URL, AY_BYTES(k->id), who->token_id);
	who->token_made_at = k->created_at;
	who->perms = own & given; /* a token never has more than its owner has now */
	who->known = true;
	return AY_OK;
}

enum ay_rc ay_auth_check(struct ay_api *a, struct ay_bytes authorization, struct ay_principal *who,
			 struct ay_err *e)
{
	static const char scheme[] = "Bearer ";
	size_t n = sizeof(scheme) - 1;
	uint8_t id[ID_N], secret[SECRET_N];
	const struct ay_api_key *k;
	bool right;

	memset(who, 0, sizeof(*who));
	if (authorization.n == 0)
		return AY_OK; /* the route decides */
	if (authorization.n <= n || strncasecmp((const char *)authorization.p, scheme, n) != 0)
		return bad_credential(e);
	if (!split_token((struct ay_bytes){ authorization.p + n, authorization.n - n }, id, secret))
		return bad_credential(e);
	k = key_find(a, id);
	right = right_secret(k, secret);
	OPENSSL_cleanse(secret, sizeof(secret));
	return right ? grant(a, k, who, e) : bad_credential(e);
}

/* The address without its port. */
static uint32_t peer_hash(struct ay_bytes peer)
{
	uint32_t h = 2166136261u;
	size_t n = peer.n;

	while (n > 0 && peer.p[n - 1] != ':')
		n--;
	for (size_t i = 0; i < n; i++)
		h = (h ^ peer.p[i]) * 16777619u;
	return h;
}

bool ay_auth_failed(struct ay_api *a, struct ay_bytes peer)
{
	uint32_t hash = peer_hash(peer), back;
	int64_t gone;

	for (size_t i = 0; i < FAILURE_SLOTS; i++) {
		size_t at = (hash + i) % FAILURE_SLOTS;

		gone = a->now_ms - a->failures->slot[at].since_ms;
		back = gone < 0 ? 0 : (uint32_t)((gone / FAILURE_REFILL_MS) & 0xffffff);
		if (a->failures->slot[at].count <= back) {
			a->failures->slot[at].hash =
				hash; /* empty, or refilled: free for anybody */
			a->failures->slot[at].count = 1;
			a->failures->slot[at].since_ms = a->now_ms;
			return true;
		}
		if (a->failures->slot[at].hash != hash)
			continue;
		a->failures->slot[at].count += 1 - back;
		a->failures->slot[at].since_ms += (int64_t)back * FAILURE_REFILL_MS;
		if (a->failures->slot[at].count <= FAILURES_BURST)
			return true;
		a->failures->slot[at].count = FAILURES_BURST;
		return false;
	}
	return false; /* refused from everywhere at once */
}
