/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Login by a directory: name and password are typed here as for a local
 * account, and tried there by courier. A local name is never asked for there.
 */
#include "prog/assayd/api/attempt.h"
#include "prog/assayd/api/credential.h"
#include "prog/assayd/api/identities.h"
#include "prog/assayd/directory.h"
#include "prog/assayd/ldap_settings.h"

#include <openssl/crypto.h>
#include <stdlib.h>

#define SUFFIX "@ldap"

/* A login on its way: state of its call. */
struct work {
	struct work *next;
	struct ay_api_call *c;
	uint32_t number;
	ay_attempt_fn *fn;
	struct ay_bytes name; /* in the arena */
	uint8_t network[8];
};

struct ay_ldap {
	struct ay_ldap_settings settings;
	struct work *open;
};

enum ay_rc ay_ldap_load(struct ay_api *a, struct ay_err *e)
{
	const struct ay_config *config = ay_engine_config_of(a->engine);
	struct ay_ldap_settings s = { 0 };
	enum ay_rc rc = config == NULL ? AY_OK : ay_ldap_settings_read(config, &s, e);

	if (rc == AY_OK && s.is_set)
		rc = ay_person_roles_check(a, &s.map, "ldap.roles", e);
	if (rc != AY_OK || !s.is_set)
		return rc;
	a->ldap = calloc(1, sizeof(*a->ldap));
	if (a->ldap == NULL)
		return ay_fail(e, AY_E_NOMEM, "ldap", 0, "out of memory");
	a->ldap->settings = s;
	return AY_OK;
}

void ay_ldap_free(struct ay_api *a)
{
	free(a->ldap);
	a->ldap = NULL;
}

/* ---- whose name it is ---- */

static bool has_password(const struct ay_api_account *u)
{
	return u->secrets != NULL && u->secrets->password[0] != '\0';
}

bool ay_ldap_decides(struct ay_api *a, struct ay_bytes name, struct ay_bytes *there)
{
	const struct ay_api_account *u = ay_account_find(a, name);
	size_t n = strlen(SUFFIX);
	bool says_so = name.n > n && memcmp(name.p + name.n - n, SUFFIX, n) == 0;

	*there = (struct ay_bytes){ NULL, 0 };
	if (a->ldap == NULL ||
	    AY_CHECKED("LDAP_LOCAL_NAME", u != NULL && !(says_so && !has_password(u))))
		return false;
	*there = says_so ? (struct ay_bytes){ name.p, name.n - n } : name;
	return true;
}

/* By which its failures are counted: what the directory takes for one name is one here. */
static struct ay_bytes key_of(struct ay_api_call *c, struct ay_bytes there)
{
	char key[AY_MAX_NAME_BYTES + 1], text[AY_MAX_NAME_BYTES + 8];

	if (ay_directory_name_check(there, key, NULL) != AY_OK)
		return ay_bytes_of(SUFFIX);
	snprintf(text, sizeof(text), "%s" SUFFIX, key);
	return ay_bytes_of(ay_arena_str(&c->arena, ay_bytes_of(text)));
}

void ay_ldap_refund(struct ay_api_call *c, struct ay_bytes there, bool all)
{
	ay_attempt_refund(c, key_of(c, there), all);
}

void ay_ldap_charge(struct ay_api_call *c, struct ay_bytes there)
{
	ay_attempt_charge(c, key_of(c, there));
}

/* ---- there and back ---- */

static void drop(struct ay_api_call *c)
{
	struct work *w = c->state, **at = &c->api->ldap->open;

	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	c->state = NULL;
	c->left = NULL;
	free(w);
}

static void left(struct ay_api_call *c)
{
	ay_directory_forget(c->api->engine, ((struct work *)c->state)->number);
	drop(c);
	if (c->gone)
		ay_api_empty(c, 204); /* nobody hears it; ends the call */
}

/* Roles of the rows that courier found him in. */
static enum ay_rc roles_of(struct ay_api_call *c, const struct ay_directory_answer *a,
			   struct ay_person *p, struct ay_err *e)
{
	char(*group)[AY_GROUP_TEXT] = ay_arena_array(&c->arena, a->n_groups, AY_GROUP_TEXT);

	if (group == NULL)
		return ay_fail(e, AY_E_NOMEM, "ldap", 0, "out of memory");
	for (size_t i = 0; i < a->n_groups; i++)
		snprintf(group[i], AY_GROUP_TEXT, "%.*s", (int)a->group[i].n,
			 (const char *)a->group[i].p);
	p->n_roles =
		ay_group_roles(&c->api->ldap->settings.map, (const char(*)[AY_GROUP_TEXT])group,
			       a->n_groups, true, p->role, AY_PRINCIPAL_GRANTS);
	return AY_OK;
}

static enum ay_rc enter(struct ay_api_call *c, const struct ay_directory_answer *a,
			struct ay_api_account **u, struct ay_err *e)
{
	struct ay_person p = { .source = "ldap",
			       .subject = a->person.subject,
			       .name = a->person.name,
			       .display = a->person.display,
			       .second_here = true };
	enum ay_rc rc = roles_of(c, a, &p, e);

	return rc == AY_OK ? ay_person_enter(c, &p, u, e) : rc;
}

static void on_answer(void *arg, enum ay_rc rc, const struct ay_err *why,
		      const struct ay_directory_answer *a)
{
	struct work *w = arg;
	struct ay_api_call *c = w->c;
	ay_attempt_fn *fn = w->fn;
	struct ay_bytes key = w->name;
	struct ay_api_account *u = NULL;
	struct ay_err e = { 0 };

	c->api->now_ms = ay_engine_now_ms(c->api->engine);
	if (rc != AY_OK)
		rc = ay_fail_code(&e, AY_E_UNAVAIL, "AUTH_SOURCE_DOWN", "ldap",
				  "the directory cannot be asked: %s", why->code);
	else if (AY_CHECKED("LDAP_WRONG", !a->right))
		rc = ay_auth_wrong(&e);
	if (rc != AY_E_DENIED)
		ay_attempt_refund(c, key, false); /* no failure of his */
	if (rc == AY_OK)
		rc = enter(c, a, &u, &e);
	drop(c);
	fn(c, rc, u, &e);
}

/* ---- begin ---- */

static struct work *begin(struct ay_api_call *c, ay_attempt_fn *fn, struct ay_bytes key,
			  struct ay_err *e)
{
	struct work *w = calloc(1, sizeof(*w));
	size_t same = 0;

	if (w == NULL) {
		ay_err_set(e, AY_E_NOMEM, "ldap", 0, "out of memory");
		return NULL;
	}
	ay_network_of(c->peer, w->network);
	for (const struct work *o = c->api->ldap->open; o != NULL; o = o->next)
		same += memcmp(o->network, w->network, sizeof(w->network)) == 0;
	if (AY_CHECKED("LDAP_SHARE", same >= AY_MAX_LDAP_SAME)) {
		free(w);
		e->rc = ay_fail_code(e, AY_E_UNAVAIL, "AUTH_BUSY", "ldap",
				     "too many logins from your network wait for the directory: "
				     "try again");
		return NULL;
	}
	w->c = c;
	w->fn = fn;
	w->name = key;
	w->next = c->api->ldap->open;
	c->api->ldap->open = w;
	c->state = w;
	c->left = left;
	return w;
}

enum ay_rc ay_ldap_attempt(struct ay_api_call *c, struct ay_bytes there, struct ay_bytes password,
			   ay_attempt_fn *fn, struct ay_err *e)
{
	const struct ay_directory_login l = { .deadline_ms = c->api->ldap->settings.deadline_ms,
					      .name = there,
					      .password = password };
	struct ay_bytes key = key_of(c, there);
	char lower[AY_MAX_NAME_BYTES + 1];
	struct ay_err why = { 0 };
	uint32_t number;
	struct work *w;
	enum ay_rc rc = ay_attempt_may(c, key, e);

	if (rc != AY_OK)
		return rc;
	if (ay_directory_name_check(there, lower, &why) != AY_OK ||
	    ay_directory_password_check(password, &why) != AY_OK) {
		ay_attempt_charge(c, key);
		return ay_auth_wrong(e);
	}
	w = begin(c, fn, key, e);
	if (w == NULL)
		return e->rc;
	ay_attempt_charge(c, key);
	number = ay_directory_ask(c->api->engine, &l, on_answer, w);
	if (number != 0)
		w->number = number; /* else w is gone */
	return AY_OK;
}
