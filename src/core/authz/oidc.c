/* SPDX-License-Identifier: Apache-2.0 */
#include "core/authz/oidc.h"

#include "core/base/base64.h"
#include "core/crypto/hash.h"

#include <stdio.h>

enum { DOCUMENT_MAX = 64 * 1024, SECRET_MAX = 1024 };

static enum ay_rc refuse(struct ay_err *e, enum ay_rc rc, const char *code, const char *text)
{
	return ay_fail_code(e, rc, code, "oidc", "%s", text);
}

/* ---- addresses ---- */

/* https, somebody's, without fragment, blanks or anything to end a header with. */
static bool is_address(const char *s)
{
	size_t n = strlen(s);

	if (strncmp(s, "https://", 8) != 0 || n == 8 || n >= AY_OIDC_URL || s[8] == '/')
		return false;
	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~' || strchr("#\"<>\\^`{|}", s[i]) != NULL)
			return false;
	return true;
}

bool ay_oidc_discovery_url(const char *issuer, char out[AY_OIDC_URL])
{
	size_t n = strlen(issuer);

	out[0] = '\0';
	if (!is_address(issuer) || strchr(issuer, '?') != NULL)
		return false;
	if (issuer[n - 1] == '/')
		n--;
	return snprintf(out, AY_OIDC_URL, "%.*s/.well-known/openid-configuration", (int)n, issuer) <
	       AY_OIDC_URL;
}

static enum ay_rc take_address(const json_t *doc, const char *name, char out[AY_OIDC_URL],
			       struct ay_err *e)
{
	const char *s = json_string_value(json_object_get(doc, name));

	if (s == NULL || AY_CHECKED("OIDC_HTTPS", !is_address(s)))
		return ay_fail_code(e, AY_E_INPUT, "OIDC_DISCOVERY", "oidc",
				    "%s is no https address", name);
	snprintf(out, AY_OIDC_URL, "%s", s);
	return AY_OK;
}

/* A list that is not there says nothing against it. */
static bool may_have(const json_t *doc, const char *name, const char *value)
{
	const json_t *list = json_object_get(doc, name), *one;
	size_t i;

	if (list == NULL)
		return true;
	json_array_foreach (list, i, one)
		if (json_is_string(one) && strcmp(json_string_value(one), value) == 0)
			return true;
	return false;
}

static enum ay_rc read_discovery(const json_t *doc, const char *issuer, struct ay_oidc_provider *p,
				 struct ay_err *e)
{
	const char *methods = "token_endpoint_auth_methods_supported";
	enum ay_rc rc = take_address(doc, "authorization_endpoint", p->authorization, e);

	if (rc == AY_OK)
		rc = take_address(doc, "token_endpoint", p->token, e);
	if (rc == AY_OK)
		rc = take_address(doc, "jwks_uri", p->jwks, e);
	if (rc != AY_OK)
		return rc;
	if (AY_CHECKED("OIDC_DISCOVERY_ISSUER", !ay_jwt_is(doc, "issuer", issuer)))
		return refuse(e, AY_E_CRYPTO, "OIDC_ISSUER",
			      "the provider calls itself by another name than ours for it");
	if (!may_have(doc, "response_types_supported", "code") ||
	    !may_have(doc, "code_challenge_methods_supported", "S256"))
		return refuse(e, AY_E_INPUT, "OIDC_DISCOVERY",
			      "the provider has no code flow with PKCE S256");
	p->says_iss = json_is_true(
		json_object_get(doc, "authorization_response_iss_parameter_supported"));
	p->post = !may_have(doc, methods, "client_secret_basic") &&
		  may_have(doc, methods, "client_secret_post");
	snprintf(p->issuer, sizeof(p->issuer), "%s", issuer);
	return AY_OK;
}

enum ay_rc ay_oidc_discovery_parse(struct ay_bytes text, const char *issuer,
				   struct ay_oidc_provider *out, struct ay_err *e)
{
	struct ay_oidc_provider p = { 0 };
	json_t *doc = NULL;
	enum ay_rc rc = ay_json_load(text, DOCUMENT_MAX, "discovery", &doc, e);

	if (rc == AY_OK && !json_is_object(doc))
		rc = ay_fail(e, AY_E_INPUT, "discovery", 0, "is not an object");
	if (rc != AY_OK)
		ay_err_code(e, "OIDC_DISCOVERY");
	else
		rc = read_discovery(doc, issuer, &p, e);
	json_decref(doc);
	*out = rc == AY_OK ? p : (struct ay_oidc_provider){ 0 };
	return rc;
}

/* ---- forms ---- */

struct form {
	char *p;
	size_t room, n;
};

static void put(struct form *f, char c)
{
	if (f->n + 1 < f->room)
		f->p[f->n] = c;
	f->n++;
}

static void put_text(struct form *f, const char *s)
{
	while (*s != '\0')
		put(f, *s++);
}

/* Unreserved characters as they are [RFC3986 2.3], everything else as %XX. */
static void put_escaped(struct form *f, struct ay_bytes b)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < b.n; i++) {
		uint8_t c = b.p[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		    (c != '\0' && strchr("-._~", c) != NULL)) {
			put(f, (char)c);
			continue;
		}
		put(f, '%');
		put(f, hex[c >> 4]);
		put(f, hex[c & 15]);
	}
}

static void put_field(struct form *f, const char *before, struct ay_bytes value)
{
	put_text(f, before);
	put_escaped(f, value);
}

static bool end(struct form *f)
{
	bool fits = f->n < f->room;

	f->p[fits ? f->n : 0] = '\0';
	return fits;
}

void ay_oidc_challenge(const char *verifier, char out[AY_OIDC_RANDOM])
{
	uint8_t hash[32];

	ay_sha256(ay_bytes_of(verifier), hash);
	ay_base64_encode(AY_BASE64_URL, AY_BYTES(hash), out);
}

bool ay_oidc_request(const struct ay_oidc_provider *p, const struct ay_oidc_client *c,
		     const struct ay_oidc_login *l, char out[AY_OIDC_REQUEST])
{
	struct form f = { out, AY_OIDC_REQUEST, 0 };
	char challenge[AY_OIDC_RANDOM];

	ay_oidc_challenge(l->verifier, challenge);
	put_text(&f, p->authorization);
	put_text(&f, strchr(p->authorization, '?') == NULL ? "?" : "&");
	put_field(&f, "response_type=code&client_id=", ay_bytes_of(c->id));
	put_field(&f, "&redirect_uri=", ay_bytes_of(c->redirect));
	put_field(&f, "&scope=", ay_bytes_of(c->scopes));
	put_field(&f, "&state=", ay_bytes_of(l->state));
	put_field(&f, "&nonce=", ay_bytes_of(l->nonce));
	put_field(&f, "&code_challenge_method=S256&code_challenge=", ay_bytes_of(challenge));
	return end(&f);
}

enum ay_rc ay_oidc_answer_check(const struct ay_oidc_answer *a, const struct ay_oidc_provider *p,
				struct ay_err *e)
{
	if (AY_CHECKED("OIDC_ISS_MISSING", p->says_iss && a->iss.n == 0) ||
	    AY_CHECKED("OIDC_ISS_OTHER",
		       a->iss.n > 0 && !ay_bytes_eq(a->iss, ay_bytes_of(p->issuer))))
		return refuse(e, AY_E_DENIED, "OIDC_ISSUER", "the answer is of another provider");
	if (a->error.n > 0)
		return ay_fail_code(
			e, AY_E_DENIED, "OIDC_REFUSED", "oidc", "the provider refused: %.*s",
			(int)(a->error.n > 60 ? 60 : a->error.n), (const char *)a->error.p);
	if (a->code.n == 0 || a->code.n > SECRET_MAX)
		return refuse(e, AY_E_INPUT, "OIDC_CODE", "the answer has no code");
	return AY_OK;
}

struct ay_bytes ay_oidc_token_form(const struct ay_oidc_client *c, const struct ay_oidc_login *l,
				   struct ay_bytes code, const char *secret, struct ay_arena *a)
{
	struct form f = { ay_arena_alloc(a, 8192), 8192, 0 };

	if (f.p == NULL)
		return (struct ay_bytes){ NULL, 0 };
	put_field(&f, "grant_type=authorization_code&code=", code);
	put_field(&f, "&redirect_uri=", ay_bytes_of(c->redirect));
	put_field(&f, "&code_verifier=", ay_bytes_of(l->verifier));
	if (secret != NULL) {
		put_field(&f, "&client_id=", ay_bytes_of(c->id));
		put_field(&f, "&client_secret=", ay_bytes_of(secret));
	}
	return end(&f) ? ay_bytes_of(f.p) : (struct ay_bytes){ NULL, 0 };
}

const char *ay_oidc_basic(const char *id, const char *secret, struct ay_arena *a)
{
	size_t room = 3 * (strlen(id) + strlen(secret)) + 2;
	struct form f = { ay_arena_alloc(a, room), room, 0 };
	char *out = ay_arena_alloc(a, 6 + AY_BASE64_ROOM(room));

	if (f.p == NULL || out == NULL)
		return NULL;
	put_escaped(&f, ay_bytes_of(id));
	put(&f, ':');
	put_escaped(&f, ay_bytes_of(secret));
	if (!end(&f))
		return NULL;
	memcpy(out, "Basic ", 6);
	ay_base64_encode(AY_BASE64_STD, ay_bytes_of(f.p), out + 6);
	return out;
}

enum ay_rc ay_oidc_token_parse(struct ay_bytes text, struct ay_arena *a, struct ay_bytes *id_token,
			       struct ay_err *e)
{
	json_t *doc = NULL;
	const char *type, *token;
	enum ay_rc rc = ay_json_load(text, 2 * AY_MAX_JWT_BYTES, "token", &doc, e);

	*id_token = (struct ay_bytes){ NULL, 0 };
	type = json_string_value(json_object_get(doc, "token_type"));
	token = json_string_value(json_object_get(doc, "id_token"));
	if (rc == AY_OK && (type == NULL || strcasecmp(type, "Bearer") != 0 || token == NULL))
		rc = ay_fail(e, AY_E_INPUT, "token", 0, "there is no ID token");
	if (rc == AY_OK) {
		*id_token = ay_arena_dup(a, ay_bytes_of(token));
		if (id_token->p == NULL)
			rc = ay_fail(e, AY_E_NOMEM, "token", 0, "out of memory");
	}
	json_decref(doc);
	return ay_err_coded(e, rc, "OIDC_TOKEN");
}
