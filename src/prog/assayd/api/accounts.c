/* SPDX-License-Identifier: Apache-2.0 */
/* People and their API tokens, in memory as in the store. */
#include "core/base/base64.h"
#include "core/crypto/hash.h"
#include "io/sys/rng.h"
#include "prog/assayd/api/session.h"

#include <openssl/crypto.h>
#include <stdlib.h>

enum { ID_N = 9, SECRET_N = 32, USED_KEPT_MS = 60000 };

/* ---- loading ---- */

static void copy_text(char *to, size_t room, const char *from)
{
	snprintf(to, room, "%s", from);
}

static void account_free(struct ay_api_account *u)
{
	if (u == NULL)
		return;
	if (u->secrets != NULL)
		OPENSSL_cleanse(u->secrets, sizeof(*u->secrets));
	free(u->secrets);
	free(u->grants);
	free(u);
}

/* "" is the one role, everywhere. What cannot be read gives nothing. */
static bool take_grants(struct ay_api_account *u, const char *text)
{
	json_t *list;
	struct ay_err e;
	enum ay_rc rc;

	if (text == NULL || text[0] == '\0') {
		u->grants = calloc(1, sizeof(*u->grants));
		if (u->grants == NULL)
			return false;
		copy_text(u->grants[0].role, sizeof(u->grants[0].role), u->role);
		u->n_grants = 1;
		return true;
	}
	list = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	rc = ay_grants_parse(list, &u->grants, &u->n_grants, &e);
	json_decref(list);
	return rc == AY_OK;
}

static bool take_secrets(struct ay_api_account *u, struct ay_bytes b)
{
	struct ay_err e;

	if (b.n == 0)
		return true;
	u->secrets = calloc(1, sizeof(*u->secrets));
	return u->secrets != NULL && ay_secrets_parse(b, u->secrets, &e) == AY_OK;
}

/* One that cannot be read is there and opens nothing: its name and id stay taken. */
static struct ay_api_account *account_of(const struct ay_user_row *r)
{
	struct ay_api_account *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return NULL;
	copy_text(u->name, sizeof(u->name), r->name);
	copy_text(u->role, sizeof(u->role), r->role);
	copy_text(u->display, sizeof(u->display), r->display == NULL ? "" : r->display);
	u->created_at = r->created_at;
	u->id = r->id;
	u->removed = r->removed;
	u->disabled = !take_grants(u, r->grants) || !take_secrets(u, r->secrets) || r->disabled;
	return u;
}

static void load_user(void *arg, const struct ay_user_row *r)
{
	struct ay_accounts *acc = arg;
	struct ay_api_account *u = account_of(r);

	if (u == NULL)
		return; /* an account that is not there opens nothing */
	u->next = acc->users;
	acc->users = u;
}

static void load_role(void *arg, const struct ay_role_row *r)
{
	struct ay_accounts *acc = arg;
	struct ay_role *role = calloc(1, sizeof(*role));
	char *names, *save = NULL;
	enum ay_perm p;

	names = role == NULL ? NULL : strdup(r->permissions);
	if (names == NULL || !ay_scope_of(r->scope, &role->scope)) {
		free(role); /* a role that cannot be read is none */
		free(names);
		return;
	}
	copy_text(role->name, sizeof(role->name), r->name);
	copy_text(role->doc, sizeof(role->doc), r->doc);
	for (char *n = strtok_r(names, ",", &save); n != NULL; n = strtok_r(NULL, ",", &save))
		if (ay_perm_find(n, &p)) /* one that is no more is not held */
			role->perms |= UINT64_C(1) << p;
	free(names);
	role->created_at = r->created_at;
	role->removed = r->removed;
	role->next = acc->roles;
	acc->roles = role;
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
	k->used_at = k->used_kept = r->used_at;
	k->revoked = r->revoked || !ay_scope_of(r->scope == NULL ? "" : r->scope, &k->scope);
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
	if (rc == AY_OK)
		rc = ay_store_roles(a->store, load_role, a->accounts, e);
	if (rc == AY_OK)
		rc = ay_sessions_load(a, e);
	return rc != AY_OK ? rc : ay_store_api_tokens(a->store, load_key, a->accounts, e);
}

void ay_accounts_free(struct ay_api *a)
{
	if (a->accounts == NULL)
		return;
	while (a->accounts->users != NULL) {
		struct ay_api_account *u = a->accounts->users;

		a->accounts->users = u->next;
		account_free(u);
	}
	while (a->accounts->roles != NULL) {
		struct ay_role *r = a->accounts->roles;

		a->accounts->roles = r->next;
		free(r);
	}
	while (a->accounts->keys != NULL) {
		struct ay_api_key *k = a->accounts->keys;

		a->accounts->keys = k->next;
		OPENSSL_cleanse(k, sizeof(*k));
		free(k);
	}
	free(a->accounts);
	ay_sessions_free(a);
	ay_seeds_free(a);
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
uint64_t ay_account_next_id(const struct ay_api *a)
{
	uint64_t last = 0;

	for (const struct ay_api_account *u = a->accounts->users; u != NULL; u = u->next)
		last = u->id > last ? u->id : last;
	return last + 1;
}

struct ay_api_account *ay_account_by_id(struct ay_api *a, uint64_t id)
{
	for (struct ay_api_account *u = a->accounts->users; u != NULL; u = u->next)
		if (u->id == id && id != 0)
			return u;
	return NULL;
}

/* The new content in the old place: others hold pointers to it. */
static enum ay_rc replace(struct ay_api_account *u, const struct ay_user_row *r, struct ay_err *e)
{
	struct ay_api_account *fresh = account_of(r), old = *u;

	if (fresh == NULL)
		return ay_fail(e, AY_E_NOMEM, "account", 0, "out of memory");
	*u = *fresh;
	u->next = old.next;
	fresh->grants = old.grants;
	fresh->secrets = old.secrets;
	account_free(fresh);
	return AY_OK;
}

static enum ay_rc put_row(struct ay_api *a, const struct ay_api_account *row, const char *grants,
			  struct ay_bytes secrets, const struct ay_write *with, struct ay_err *e)
{
	struct ay_api_account *u = ay_account_find(a, ay_bytes_of(row->name));
	struct ay_user_row r = { .name = row->name,
				 .role = row->n_grants > 0 ? row->grants[0].role : row->role,
				 .disabled = row->disabled,
				 .created_at = row->created_at,
				 .id = u == NULL ? ay_account_next_id(a) : u->id,
				 .display = row->display,
				 .grants = grants,
				 .secrets = secrets,
				 .removed = row->removed };
	struct ay_write w[] = { { .kind = AY_WR_USER_PUT, .user = &r },
				with == NULL ? (struct ay_write){ 0 } : *with };
	enum ay_rc rc = ay_store_write(a->store, w, with == NULL ? 1 : 2, NULL, e);

	if (rc == AY_OK && u == NULL)
		load_user(a->accounts, &r);
	return rc != AY_OK || u == NULL ? rc : replace(u, &r, e);
}

enum ay_rc ay_account_put_with(struct ay_api *a, const struct ay_api_account *row,
			       const struct ay_write *with, struct ay_err *e)
{
	json_t *list = ay_grants_json(row->grants, row->n_grants);
	/* a role of no name: no rights (people.c) */
	bool plain = row->n_grants == 0 || row->grants[0].role[0] == '\0';
	char *grants = plain ? strdup("") : json_dumps(list, JSON_COMPACT);
	struct ay_bytes secrets = { NULL, 0 };
	struct ay_arena arena;
	enum ay_rc rc;

	json_decref(list);
	ay_arena_init(&arena, 4096);
	if (row->secrets != NULL)
		secrets = ay_secrets_build(row->secrets, &arena);
	if (grants == NULL || (row->secrets != NULL && secrets.p == NULL))
		rc = ay_fail(e, AY_E_NOMEM, "account", 0, "out of memory");
	else
		rc = put_row(a, row, grants, secrets, with, e);
	if (secrets.p != NULL)
		OPENSSL_cleanse((void *)(uintptr_t)secrets.p, secrets.n);
	ay_arena_fini(&arena);
	free(grants);
	return rc;
}

enum ay_rc ay_account_put(struct ay_api *a, const struct ay_api_account *row, struct ay_err *e)
{
	return ay_account_put_with(a, row, NULL, e);
}

enum ay_rc ay_account_keep(struct ay_api *a, struct ay_api_account *u, const struct ay_secrets *s,
			   struct ay_err *e)
{
	struct ay_api_account row = *u;
	struct ay_secrets copy = *s;
	enum ay_rc rc;

	row.secrets = &copy;
	rc = ay_account_put(a, &row, e);
	OPENSSL_cleanse(&copy, sizeof(copy));
	return rc;
}

enum ay_rc ay_role_put(struct ay_api *a, const struct ay_role *row, struct ay_err *e)
{
	char *perms = ay_perms_text(row->perms), *scope = ay_scope_text(&row->scope);
	struct ay_role_row r = { .name = row->name,
				 .permissions = perms,
				 .scope = scope,
				 .doc = row->doc,
				 .created_at = row->created_at,
				 .removed = row->removed };
	struct ay_write w = { .kind = AY_WR_ROLE_PUT, .role = &r };
	enum ay_rc rc = perms == NULL || scope == NULL
				? ay_fail(e, AY_E_NOMEM, "role", 0, "out of memory")
				: ay_store_write(a->store, &w, 1, NULL, e);
	struct ay_role *old = a->accounts->roles;

	while (old != NULL && strcmp(old->name, row->name) != 0)
		old = old->next;
	if (rc == AY_OK && old == NULL) {
		load_role(a->accounts, &r);
	} else if (rc == AY_OK) {
		struct ay_role *next = old->next;

		*old = *row;
		old->next = next;
	}
	free(perms);
	free(scope);
	return rc;
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

enum ay_rc ay_key_make(struct ay_api *a, const struct ay_api_account *of,
		       const struct ay_key_spec *spec, char text[AY_API_TOKEN_TEXT],
		       struct ay_api_key **out, struct ay_err *e)
{
	uint8_t id[ID_N], hash[32];
	char name[AY_MAX_NAME_BYTES + 1];
	char *scope = ay_scope_text(&spec->scope);
	struct ay_api_token_row r = { .id = AY_BYTES(id),
				      .hash = AY_BYTES(hash),
				      .user = of->name,
				      .role = spec->role,
				      .label = name,
				      .created_at = a->now_ms,
				      .expires_at = spec->expires_at,
				      .scope = scope };
	struct ay_write w = { .kind = AY_WR_API_TOKEN_ADD, .api_token = &r };
	enum ay_rc rc;

	*out = NULL;
	snprintf(name, sizeof(name), "%.*s", (int)spec->label.n,
		 spec->label.n == 0 ? "" : (const char *)spec->label.p);
	draw(id, hash, text);
	rc = scope == NULL ? ay_fail(e, AY_E_NOMEM, "token", 0, "out of memory")
			   : ay_store_write(a->store, &w, 1, NULL, e);
	if (rc == AY_OK) {
		load_key(a->accounts, &r);
		*out = a->accounts->keys;
	}
	free(scope);
	return rc;
}

enum ay_rc ay_key_create(struct ay_api *a, const struct ay_api_account *of, const char *role,
			 struct ay_bytes label, int64_t expires_at, char text[AY_API_TOKEN_TEXT],
			 struct ay_api_key **out, struct ay_err *e)
{
	struct ay_key_spec spec = { .role = role, .label = label, .expires_at = expires_at };

	return ay_key_make(a, of, &spec, text, out, e);
}

/* Nobody waits for it, and not for every use. */
void ay_key_used(struct ay_api *a, struct ay_api_key *k)
{
	struct ay_api_token_row r = { .id = AY_BYTES(k->id), .used_at = a->now_ms };
	struct ay_write w = { .kind = AY_WR_API_TOKEN_USED, .api_token = &r };
	struct ay_err e;

	k->used_at = a->now_ms;
	if (k->used_kept != 0 && a->now_ms - k->used_kept < USED_KEPT_MS)
		return;
	if (ay_store_submit(a->store, &w, 1, AY_SUBMIT_LAZY, 0, &e) == AY_OK)
		k->used_kept = a->now_ms;
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
