/* SPDX-License-Identifier: Apache-2.0 */
/* People and their API tokens, in memory as in the store. */
#include "core/base/base64.h"
#include "core/crypto/hash.h"
#include "io/sys/rng.h"
#include "prog/assayd/api/call.h"

#include <openssl/crypto.h>
#include <stdlib.h>

enum { ID_N = 9, SECRET_N = 32 };

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
	u->id = r->id;
	copy_text(u->display, sizeof(u->display), r->display);
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
	a->failures = ay_failures_new();
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
	ay_failures_free(a->failures);
}

struct ay_api_account *ay_account_find(struct ay_api *a, struct ay_bytes name)
{
	for (struct ay_api_account *u = a->accounts->users; u != NULL; u = u->next)
		if (ay_bytes_eq(ay_bytes_of(u->name), name))
			return u;
	return NULL;
}

/* Accounts are never deleted, so the highest id is the last one given. */
static uint64_t next_id(const struct ay_api *a)
{
	uint64_t last = 0;

	for (const struct ay_api_account *u = a->accounts->users; u != NULL; u = u->next)
		last = u->id > last ? u->id : last;
	return last + 1;
}

enum ay_rc ay_account_put(struct ay_api *a, const struct ay_api_account *row, struct ay_err *e)
{
	struct ay_api_account *u = ay_account_find(a, ay_bytes_of(row->name));
	struct ay_user_row r = { .name = row->name,
				 .role = row->role,
				 .disabled = row->disabled,
				 .created_at = row->created_at,
				 .id = u == NULL ? next_id(a) : u->id,
				 .display = row->display };
	struct ay_write w = { .kind = AY_WR_USER_PUT, .user = &r };
	enum ay_rc rc = ay_store_write(a->store, &w, 1, NULL, e);

	if (rc != AY_OK)
		return rc;
	if (u == NULL) {
		load_user(a->accounts, &r);
		return AY_OK;
	}
	copy_text(u->role, sizeof(u->role), row->role);
	copy_text(u->display, sizeof(u->display), row->display);
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
	struct ay_user_row user = {
		.name = "admin", .role = "admin", .created_at = now_ms, .id = 1
	};
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
