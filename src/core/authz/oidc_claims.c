/* SPDX-License-Identifier: Apache-2.0 */
/* What an ID token says: whether it is for this login, and who it is. */
#include "core/authz/oidc.h"

#include <stdio.h>

enum { GROUPS_MAX = 1024 };

static enum ay_rc refuse(struct ay_err *e, const char *code, const char *text)
{
	return ay_fail_code(e, AY_E_CRYPTO, code, "id_token", "%s", text);
}

/* A token for several is one for us only if it says that we asked for it. */
static enum ay_rc check_audience(const json_t *c, const char *client, struct ay_err *e)
{
	const json_t *aud = json_object_get(c, "aud"), *azp = json_object_get(c, "azp");
	bool several = json_is_array(aud) && json_array_size(aud) > 1;

	if (AY_CHECKED("OIDC_AUD", !ay_jwt_is_for(c, client)))
		return refuse(e, "OIDC_AUDIENCE", "is for another client");
	if (AY_CHECKED("OIDC_AZP", (several || azp != NULL) && !ay_jwt_is(c, "azp", client)))
		return refuse(e, "OIDC_AUDIENCE", "was asked for by another client");
	return AY_OK;
}

static enum ay_rc check_time(const json_t *c, const struct ay_oidc_expect *want, struct ay_err *e)
{
	const json_t *exp = json_object_get(c, "exp"), *iat = json_object_get(c, "iat");
	json_int_t now = want->now_ms / 1000, skew = want->skew_ms / 1000;

	if (!json_is_integer(exp) || !json_is_integer(iat))
		return refuse(e, "OIDC_TIME", "has no exp or no iat");
	if (AY_CHECKED("OIDC_EXP", json_integer_value(exp) <= now - skew))
		return refuse(e, "OIDC_TIME", "has expired");
	if (AY_CHECKED("OIDC_IAT", json_integer_value(iat) > now + skew))
		return refuse(e, "OIDC_TIME", "was made in the future: compare the clocks");
	if (AY_CHECKED("OIDC_OLD", json_integer_value(iat) < now - want->max_age_ms / 1000))
		return refuse(e, "OIDC_TIME", "is too old");
	return AY_OK;
}

/* Is one of the values in the list? */
static bool is_listed(const char *list, const char *value)
{
	size_t n = strlen(value);

	for (const char *at = list; n > 0 && (at = strstr(at, value)) != NULL; at++)
		if ((at == list || at[-1] == ',' || at[-1] == ' ') &&
		    (at[n] == '\0' || at[n] == ',' || at[n] == ' '))
			return true;
	return false;
}

static bool has_second_factor(const json_t *c, const char *list)
{
	const json_t *amr = json_object_get(c, "amr"), *one;
	const char *acr = json_string_value(json_object_get(c, "acr"));
	size_t i;

	json_array_foreach (amr, i, one)
		if (json_is_string(one) && is_listed(list, json_string_value(one)))
			return true;
	return acr != NULL && is_listed(list, acr);
}

/* A claim that may be one text or a list of them. What is no text, or too long, is none. */
static enum ay_rc read_groups(const json_t *c, const char *claim, struct ay_arena *a,
			      struct ay_oidc_person *p, struct ay_err *e)
{
	const json_t *list = json_object_get(c, claim), *one;
	size_t n = json_is_array(list) ? json_array_size(list) : list != NULL, i;

	if (n > GROUPS_MAX)
		return ay_fail_code(e, AY_E_LIMIT, "OIDC_CLAIMS", "id_token", "more than %d groups",
				    GROUPS_MAX);
	p->groups = ay_arena_array(a, n, AY_OIDC_GROUP);
	if (p->groups == NULL)
		return ay_fail(e, AY_E_NOMEM, "id_token", 0, "out of memory");
	for (i = 0; i < n; i++) {
		one = json_is_array(list) ? json_array_get(list, i) : list;
		if (json_is_string(one) && json_string_length(one) < AY_OIDC_GROUP)
			snprintf(p->groups[p->n_groups++], AY_OIDC_GROUP, "%s",
				 json_string_value(one));
	}
	return AY_OK;
}

static bool is_subject(const char *s)
{
	size_t n = s == NULL ? 0 : strlen(s);

	for (size_t i = 0; i < n; i++)
		if (s[i] < ' ' || s[i] > '~')
			return false;
	return n > 0 && n < 256;
}

static enum ay_rc read_person(const json_t *c, const struct ay_oidc_expect *want,
			      struct ay_arena *a, struct ay_oidc_person *p, struct ay_err *e)
{
	const char *sub = json_string_value(json_object_get(c, "sub"));
	const char *name = json_string_value(json_object_get(c, "preferred_username"));
	const char *display = json_string_value(json_object_get(c, "name"));

	if (AY_CHECKED("OIDC_SUBJECT", !is_subject(sub)))
		return refuse(e, "OIDC_CLAIMS", "names nobody");
	snprintf(p->subject, sizeof(p->subject), "%s", sub);
	if (name != NULL && strlen(name) < sizeof(p->name) && ay_json_is_name(name))
		snprintf(p->name, sizeof(p->name), "%s", name);
	if (display != NULL && strlen(display) < sizeof(p->display))
		snprintf(p->display, sizeof(p->display), "%s", display);
	p->mfa = has_second_factor(c, want->mfa);
	return read_groups(c, want->groups_claim, a, p, e);
}

enum ay_rc ay_oidc_claims_check(const json_t *c, const struct ay_oidc_expect *want,
				struct ay_arena *a, struct ay_oidc_person *out, struct ay_err *e)
{
	struct ay_oidc_person p = { 0 };
	enum ay_rc rc;

	memset(out, 0, sizeof(*out));
	if (AY_CHECKED("OIDC_ISS", !ay_jwt_is(c, "iss", want->issuer)))
		return refuse(e, "OIDC_ISSUER", "is of another issuer");
	rc = check_audience(c, want->client_id, e);
	if (rc == AY_OK)
		rc = check_time(c, want, e);
	if (rc == AY_OK && AY_CHECKED("OIDC_NONCE", !ay_jwt_is(c, "nonce", want->nonce)))
		rc = refuse(e, "OIDC_NONCE", "answers another login");
	if (rc == AY_OK)
		rc = read_person(c, want, a, &p, e);
	if (rc == AY_OK)
		*out = p;
	return rc;
}

enum ay_rc ay_oidc_id_token_check(struct ay_bytes text, const struct ay_oidc_expect *want,
				  struct ay_arena *a, struct ay_oidc_person *out, struct ay_err *e)
{
	const struct ay_jwt_rules rules = { .algs = AY_JWT_RS256 | AY_JWT_ES256,
					    .typ = "JWT",
					    .key = ay_jwt_keys_find,
					    .arg = want->keys };
	json_t *claims;
	enum ay_rc rc = ay_jwt_open(text, &rules, &claims, e);

	memset(out, 0, sizeof(*out));
	if (rc == AY_OK)
		rc = ay_oidc_claims_check(claims, want, a, out, e);
	json_decref(claims);
	return rc;
}
