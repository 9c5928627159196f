/* SPDX-License-Identifier: Apache-2.0 */
/* API tokens: Authorization: Bearer asy1.<id>.<secret> */
#include "core/base/base64.h"
#include "core/crypto/hash.h"
#include "prog/assayd/api/auth.h"

#include <openssl/crypto.h>

enum { ID_N = 9, SECRET_N = 32 };

/* ---- checking ---- */

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

static enum ay_rc grant(struct ay_api *a, struct ay_api_key *k, struct ay_principal *who,
			struct ay_err *e)
{
	const struct ay_api_account *u = ay_account_find(a, ay_bytes_of(k->user));
	struct ay_scope own;
	uint64_t given;
	enum ay_rc rc;

	if (AY_CHECKED("API_TOKEN_REVOKED", k->revoked) || u == NULL ||
	    AY_CHECKED("API_TOKEN_GLASS",
		       u->secrets != NULL && u->secrets->break_glass != AY_GLASS_NONE))
		return ay_auth_wrong(e);
	if (AY_CHECKED("API_TOKEN_EXPIRED", k->expires_at != 0 && k->expires_at <= a->now_ms))
		return ay_fail_code(e, AY_E_DENIED, "AUTH_EXPIRED", "authorization",
				    "the token has expired");
	rc = ay_auth_user(a, u, who, e);
	if (rc != AY_OK)
		return rc;
	/* a token never has more than its owner has now */
	if (!ay_role_find(a, k->role, &given, &own) || !ay_principal_narrow(who, given, &own) ||
	    !ay_principal_narrow(who, given, &k->scope)) {
		memset(who, 0, sizeof(*who));
		return ay_auth_wrong(e);
	}
	ay_base64_encode(AY_BASE64_URL, AY_BYTES(k->id), who->token_id);
	who->token_made_at = k->created_at;
	ay_key_used(a, k);
	return AY_OK;
}

enum ay_rc ay_bearer_check(struct ay_api *a, struct ay_bytes text, struct ay_principal *who,
			   struct ay_err *e)
{
	uint8_t id[ID_N], secret[SECRET_N];
	struct ay_api_key *k = NULL;
	bool right = false;

	memset(who, 0, sizeof(*who));
	if (split_token(text, id, secret)) {
		k = key_find(a, id);
		right = right_secret(k, secret);
		OPENSSL_cleanse(secret, sizeof(secret));
	}
	return right ? grant(a, k, who, e) : ay_auth_wrong(e);
}

enum ay_rc ay_auth_token_id(struct ay_api *a, struct ay_bytes text, struct ay_principal *who,
			    struct ay_err *e)
{
	struct ay_api_key *k = NULL;
	uint8_t id[ID_N];
	size_t n = 0;

	if (ay_base64_decode(AY_BASE64_URL, text, "token.id", id, ID_N, &n, NULL) == AY_OK &&
	    n == ID_N)
		k = key_find(a, id);
	return k != NULL ? grant(a, k, who, e) : ay_auth_wrong(e);
}

enum ay_auth ay_auth_bearer(struct ay_api_call *c, const struct ay_api_request *r,
			    struct ay_principal *who, struct ay_err *e)
{
	struct ay_bytes text = ay_auth_of(r, "Bearer");

	if (text.p == NULL)
		return AY_AUTH_NONE;
	return ay_bearer_check(c->api, text, who, e) == AY_OK ? AY_AUTH_OK : AY_AUTH_REFUSED;
}
