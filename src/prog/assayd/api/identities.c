/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/identities.h"

#include "core/crypto/hash.h"

#include <stdlib.h>

static void id_of(const char *source, const char *subject, char out[AY_IDENTITY_ID])
{
	char text[AY_IDENTITY_SUBJECT + 32];
	uint8_t hash[32];

	snprintf(text, sizeof(text), "%s %s", source, subject);
	ay_sha256(ay_bytes_of(text), hash);
	ay_hex_encode((struct ay_bytes){ hash, 16 }, out);
}

/* ---- the store ---- */

static const char *text_of(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s == NULL ? "" : s;
}

static bool is_ours(const char *source)
{
	return strcmp(source, "oidc") == 0 || strcmp(source, "ldap") == 0 ||
	       strcmp(source, "cert") == 0;
}

static void load(void *arg, const struct ay_identity_row *r)
{
	struct ay_api *a = arg;
	AY_CLEANUP(ay_json_unref) json_t *o = json_loads(r->detail, 0, NULL);
	struct ay_identity *i;

	if (!is_ours(r->source) || o == NULL || strlen(r->subject) >= AY_IDENTITY_SUBJECT)
		return; /* one that is not there opens nothing */
	i = calloc(1, sizeof(*i));
	if (i == NULL)
		return;
	snprintf(i->source, sizeof(i->source), "%s", r->source);
	snprintf(i->subject, sizeof(i->subject), "%s", r->subject);
	id_of(i->source, i->subject, i->id);
	i->user = r->user;
	i->state = (enum ay_identity_state)r->state;
	i->created_at = r->created_at;
	i->managed = json_is_true(json_object_get(o, "managed"));
	snprintf(i->name, sizeof(i->name), "%s", text_of(o, "name"));
	snprintf(i->by, sizeof(i->by), "%s", text_of(o, "by"));
	i->not_before = json_integer_value(json_object_get(o, "not_before"));
	i->not_after = json_integer_value(json_object_get(o, "not_after"));
	i->decided_at = json_integer_value(json_object_get(o, "decided_at"));
	i->next = a->identities;
	a->identities = i;
}

enum ay_rc ay_identities_load(struct ay_api *a, struct ay_err *e)
{
	return ay_store_identities(a->store, load, a, e);
}

void ay_identities_free(struct ay_api *a)
{
	while (a->identities != NULL) {
		struct ay_identity *i = a->identities;

		a->identities = i->next;
		free(i);
	}
}

struct ay_identity *ay_identity_find(struct ay_api *a, const char *source, const char *subject)
{
	for (struct ay_identity *i = a->identities; i != NULL; i = i->next)
		if (strcmp(i->source, source) == 0 && strcmp(i->subject, subject) == 0)
			return i;
	return NULL;
}

bool ay_identity_is_of(const struct ay_api *a, uint64_t user, const char *source)
{
	for (const struct ay_identity *i = a->identities; i != NULL; i = i->next)
		if (i->user == user && i->state == AY_IDENTITY_ACTIVE &&
		    strcmp(i->source, source) == 0)
			return true;
	return false;
}

static char *detail_of(const struct ay_identity *i)
{
	json_t *o = json_pack("{s:b, s:s, s:s, s:I, s:I, s:I}", "managed", (int)i->managed, "name",
			      i->name, "by", i->by, "not_before", (json_int_t)i->not_before,
			      "not_after", (json_int_t)i->not_after, "decided_at",
			      (json_int_t)i->decided_at);
	char *text = o == NULL ? NULL : json_dumps(o, JSON_COMPACT);

	json_decref(o);
	return text;
}

bool ay_identity_manages(const struct ay_api *a, uint64_t user)
{
	for (const struct ay_identity *i = a->identities; i != NULL; i = i->next)
		if (i->user == user && i->managed && i->state == AY_IDENTITY_ACTIVE)
			return true;
	return false;
}

static struct ay_identity_row row_of(const struct ay_identity *i, const char *detail)
{
	return (struct ay_identity_row){ .source = i->source,
					 .subject = i->subject,
					 .user = i->user,
					 .state = (uint8_t)i->state,
					 .detail = detail,
					 .created_at = i->created_at };
}

enum ay_rc ay_identity_make(struct ay_api *a, const struct ay_api_account *u, struct ay_identity *i,
			    struct ay_err *e)
{
	char *detail = detail_of(i);
	struct ay_identity_row r;
	struct ay_write w = { .kind = AY_WR_IDENTITY_PUT, .identity = &r };
	enum ay_rc rc = AY_OK;

	i->user = ay_account_next_id(a);
	r = row_of(i, detail);
	if (detail == NULL)
		rc = ay_fail(e, AY_E_NOMEM, "identity", 0, "out of memory");
	if (rc == AY_OK)
		rc = ay_account_put_with(a, u, &w, e);
	if (rc == AY_OK)
		load(a, &r);
	free(detail);
	return rc;
}

enum ay_rc ay_identity_put(struct ay_api *a, const struct ay_identity *row,
			   struct ay_identity **out, struct ay_err *e)
{
	char *detail = detail_of(row);
	struct ay_identity_row r = row_of(row, detail);
	struct ay_write w = { .kind = AY_WR_IDENTITY_PUT, .identity = &r };
	struct ay_identity *i = ay_identity_find(a, row->source, row->subject);
	enum ay_rc rc = detail == NULL ? ay_fail(e, AY_E_NOMEM, "identity", 0, "out of memory")
				       : ay_store_write(a->store, &w, 1, NULL, e);

	if (rc == AY_OK && i == NULL) {
		load(a, &r);
		i = ay_identity_find(a, row->source, row->subject);
	} else if (rc == AY_OK && i != row) {
		struct ay_identity *next = i->next;

		*i = *row;
		i->next = next;
		id_of(i->source, i->subject, i->id);
	}
	free(detail);
	if (out != NULL)
		*out = i;
	if (rc == AY_OK && i == NULL)
		rc = ay_fail(e, AY_E_NOMEM, "identity", 0, "out of memory");
	return rc;
}

/* ---- routes ---- */

static json_t *identity_json(struct ay_api *a, const struct ay_identity *i)
{
	static const char *const states[] = { "pending", "active", "ended" };
	const struct ay_api_account *u = i->user == 0 ? NULL : ay_account_by_id(a, i->user);

	return json_pack(
		"{s:s, s:s, s:s, s:s?, s:s, s:b, s:s, s:s, s:o, s:o, s:o, s:o}", "id", i->id,
		"source", i->source, "subject", i->subject, "user", u == NULL ? NULL : u->name,
		"state", (size_t)i->state < AY_COUNT(states) ? states[i->state] : "ended",
		"managed", (int)i->managed, "name", i->name, "by", i->by, "not_before",
		ay_api_time(i->not_before), "not_after", ay_api_time(i->not_after), "created_at",
		ay_api_time(i->created_at), "decided_at", ay_api_time(i->decided_at));
}

void ay_api_identity_answer(struct ay_api_call *c, int status, const struct ay_identity *i)
{
	ay_api_json(c, status, identity_json(c->api, i));
}

static void list(struct ay_api_call *c, bool certs)
{
	json_t *all = json_array();

	for (const struct ay_identity *i = c->api->identities; i != NULL; i = i->next)
		if (!certs || strcmp(i->source, "cert") == 0)
			json_array_append_new(all, identity_json(c->api, i));
	ay_api_array_by(c, all, "created_at,id");
}

void ay_api_identities_list(struct ay_api_call *c)
{
	list(c, false);
}

void ay_api_certs_list(struct ay_api_call *c)
{
	list(c, true);
}

/* Who gives a name to an account, gives its rights: he must have them. NULL: answered. */
struct ay_api_account *ay_api_account_to_give(struct ay_api_call *c, struct ay_bytes name)
{
	struct ay_api_account *u = ay_account_find(c->api, name);
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (u == NULL || u->removed) {
		ay_err_set(&e, AY_E_NOENT, "user", 0, "no account has this name");
		ay_api_problem(c, &e);
		return NULL;
	}
	rc = ay_may_change(c->api, &c->who, u->grants, u->n_grants, &e);
	if (!AY_CHECKED("IDENTITY_ABOVE", rc != AY_OK))
		return u;
	ay_api_denied(c, 403, &e);
	ay_api_problem(c, &e);
	return NULL;
}

void ay_api_identities_link(struct ay_api_call *c)
{
	struct ay_bytes source = ay_api_text(c, "source"), subject = ay_api_text(c, "subject");
	struct ay_api_account *u = ay_api_account_to_give(c, ay_api_text(c, "user"));
	struct ay_identity row = { .state = AY_IDENTITY_ACTIVE,
				   .created_at = c->api->now_ms,
				   .decided_at = c->api->now_ms };
	const struct ay_identity *old;
	struct ay_identity *i;
	struct ay_err e = { 0 };
	enum ay_rc rc = AY_OK;

	if (u == NULL)
		return;
	snprintf(row.source, sizeof(row.source), "%s", (const char *)source.p);
	snprintf(row.subject, sizeof(row.subject), "%s", (const char *)subject.p);
	snprintf(row.by, sizeof(row.by), "%s", c->who.user);
	row.user = u->id;
	old = ay_identity_find(c->api, row.source, row.subject);
	if (strcmp(row.source, "oidc") != 0 && strcmp(row.source, "ldap") != 0)
		rc = ay_fail(&e, AY_E_INPUT, "source", 0, "oidc or ldap");
	else if (AY_CHECKED("IDENTITY_TAKEN", old != NULL && old->state != AY_IDENTITY_ENDED))
		rc = ay_fail_code(&e, AY_E_EXISTS, "IDENTITY_TAKEN", "subject",
				  "this name leads to an account already: end that first");
	if (rc == AY_OK)
		rc = ay_identity_put(c->api, &row, &i, &e);
	if (!ay_api_refused(c, rc, &e) &&
	    ay_api_audit(c, "IDENTITY_LINK", ay_bytes_of(u->name), json_deep_copy(c->body)))
		ay_api_identity_answer(c, 201, i);
}

static void end(struct ay_api_call *c, bool cert)
{
	struct ay_identity *i = c->api->identities, row;
	struct ay_api_account *u;
	struct ay_err e = { 0 };
	enum ay_rc rc;

	while (i != NULL && (!ay_bytes_eq(ay_bytes_of(i->id), c->param[0]) ||
			     (cert && strcmp(i->source, "cert") != 0)))
		i = i->next;
	if (i == NULL) {
		ay_err_set(&e, AY_E_NOENT, "identity", 0, "there is none of this id");
		ay_api_problem(c, &e);
		return;
	}
	u = i->user == 0 ? NULL : ay_account_by_id(c->api, i->user);
	if (u != NULL && ay_api_account_to_give(c, ay_bytes_of(u->name)) == NULL)
		return;
	row = *i;
	row.state = AY_IDENTITY_ENDED;
	row.decided_at = c->api->now_ms;
	rc = ay_identity_put(c->api, &row, NULL, &e);
	if (rc == AY_OK && u != NULL) /* whatever it opened is closed */
		rc = ay_sessions_end(c->api, u->id, NULL, &e);
	if (!ay_api_refused(c, rc, &e) &&
	    ay_api_audit(c, "IDENTITY_END", u == NULL ? c->param[0] : ay_bytes_of(u->name),
			 json_pack("{s:s, s:s}", "source", i->source, "subject", i->subject)))
		ay_api_empty(c, 204);
}

void ay_api_identities_end(struct ay_api_call *c)
{
	end(c, false);
}

void ay_api_certs_revoke(struct ay_api_call *c)
{
	end(c, true);
}
