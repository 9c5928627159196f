/* SPDX-License-Identifier: Apache-2.0 */
/* Authorization: Basic [RFC7617], for clients that know nothing else. */
#include "core/crypto/hash.h"
#include "prog/assayd/api/attempt.h"
#include "prog/assayd/api/credential.h"

#include <openssl/crypto.h>

/*
 * A client of this kind sends its password with every request, and Argon2 is
 * slow on purpose: what was right stays so for a while, by a keyed hash.
 */
enum { KEPT_MS = 300000 };

static void mac_of(const struct ay_api *a, struct ay_bytes name, struct ay_bytes password,
		   const char *hash, uint8_t out[32])
{
	uint8_t parts[32 * 4];

	memcpy(parts, a->basic_key, 32);
	ay_sha256(name, parts + 32);
	ay_sha256(password, parts + 64);
	ay_sha256(ay_bytes_of(hash), parts + 96); /* another password is another entry */
	ay_sha256(AY_BYTES(parts), out);
	OPENSSL_cleanse(parts, sizeof(parts));
}

static struct ay_basic_kept *slot_of(struct ay_api *a, const uint8_t mac[32])
{
	return &a->basic_kept[mac[0] % AY_COUNT(a->basic_kept)];
}

static bool is_kept(struct ay_api *a, const struct ay_api_account *u, struct ay_bytes name,
		    struct ay_bytes password)
{
	const struct ay_basic_kept *k;
	uint8_t mac[32];

	if (u == NULL || u->secrets == NULL || u->secrets->password[0] == '\0')
		return false;
	mac_of(a, name, password, u->secrets->password, mac);
	k = slot_of(a, mac);
	return k->until > a->now_ms && CRYPTO_memcmp(k->mac, mac, sizeof(mac)) == 0;
}

static void keep(struct ay_api *a, const struct ay_api_account *u, struct ay_bytes password)
{
	uint8_t mac[32];

	mac_of(a, ay_bytes_of(u->name), password, u->secrets->password, mac);
	memcpy(slot_of(a, mac)->mac, mac, sizeof(mac));
	slot_of(a, mac)->until = a->now_ms + KEPT_MS;
}

/* What the password opens without a second factor. */
static enum ay_rc enter(struct ay_api *a, const struct ay_api_account *u, struct ay_principal *who,
			struct ay_err *e)
{
	enum ay_rc rc = ay_auth_user(a, u, who, e);

	if (rc != AY_OK)
		return rc;
	if (!AY_CHECKED("BASIC_TOTP", u->secrets->totp_state == AY_TOTP_ON) &&
	    !AY_CHECKED("BASIC_GLASS", u->secrets->break_glass != AY_GLASS_NONE)) {
		who->token_made_at = u->secrets->password_at;
		who->scheme = "basic";
		return AY_OK;
	}
	memset(who, 0, sizeof(*who));
	return ay_fail_code(e, AY_E_DENIED, "AUTH_TOTP", "authorization",
			    "this account has a second factor: give an API token as the password");
}

static void checked(struct ay_api_call *c, enum ay_rc rc, struct ay_api_account *u,
		    const struct ay_err *e)
{
	struct ay_bytes password = c->credential;
	struct ay_principal who = { 0 };
	struct ay_err why = *e;

	if (rc == AY_OK)
		rc = enter(c->api, u, &who, &why);
	if (rc == AY_OK) {
		keep(c->api, u, password);
		ay_attempt_refund(c, ay_bytes_of(u->name), true);
		ay_api_login_seen(c, &who, "basic");
	} else if (rc == AY_E_DENIED) {
		ay_api_login(c, c->name, "basic", why.code);
	}
	OPENSSL_cleanse((void *)(uintptr_t)password.p, password.n);
	c->credential = (struct ay_bytes){ NULL, 0 };
	ay_auth_finish(c, rc, &who, &why);
}

/* An API token in the place of the password: the name must be its owner's. */
static enum ay_rc by_token(struct ay_api_call *c, struct ay_bytes name, struct ay_bytes token,
			   struct ay_principal *who, struct ay_err *e)
{
	enum ay_rc rc = ay_bearer_check(c->api, token, who, e);

	if (rc == AY_OK && AY_CHECKED("BASIC_OWNER", !ay_bytes_eq(name, ay_bytes_of(who->user)))) {
		memset(who, 0, sizeof(*who));
		return ay_auth_wrong(e);
	}
	return rc;
}

enum ay_auth ay_auth_basic(struct ay_api_call *c, const struct ay_api_request *r,
			   struct ay_principal *who, struct ay_err *e)
{
	struct ay_bytes text = ay_auth_of(r, "Basic"), name, password;
	const struct ay_api_account *u;
	enum ay_rc rc;

	if (text.p == NULL)
		return AY_AUTH_NONE;
	if (ay_basic_parse(text, &c->arena, &name, &password, e) != AY_OK)
		return ay_auth_refused(e);
	u = ay_account_find(c->api, name);
	if (password.n > 5 && memcmp(password.p, "asy1.", 5) == 0)
		rc = by_token(c, name, password, who, e);
	else if (is_kept(c->api, u, name, password)) {
		rc = enter(c->api, u, who, e);
		if (rc == AY_OK)
			ay_api_login_seen(c, who, "basic");
	} else {
		c->credential = password;
		c->name = name;
		rc = ay_attempt_start(c, name, password, checked, e);
		return rc == AY_OK ? AY_AUTH_LATER : AY_AUTH_REFUSED;
	}
	OPENSSL_cleanse((void *)(uintptr_t)password.p, password.n);
	return rc == AY_OK ? AY_AUTH_OK : AY_AUTH_REFUSED;
}
