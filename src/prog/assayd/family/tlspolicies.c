/* SPDX-License-Identifier: Apache-2.0 */
/* CIT v2: /tls-policies, and what records of hosts say of TLS. */
#include "prog/assayd/family/tlspolicies.h"

#include "core/base/base64.h"
#include "core/crypto/pem.h"
#include "io/sys/rng.h"
#include "prog/assayd/family/family.h"
#include "prog/assayd/family/members.h"
#include "prog/assayd/family/mle.h"

#include <stdlib.h>

static enum ay_rc bad_policy(struct ay_err *e, const char *why)
{
	return ay_fail_code(e, AY_E_INPUT, "TLS_POLICY", "tls_policy_choice", "%s", why);
}

/* ---- a descriptor ---- */

static const struct kind {
	const char *theirs, *other, *ours;
	const char *label; /* of PEM, when the value is the thing itself; NULL: a digest */
} kinds[] = {
	{ "certificate", "CERTIFICATE", "certificate", "CERTIFICATE" },
	{ "certificate-digest", "CERTIFICATE_DIGEST", "certificate_digest", NULL },
	{ "public-key", "PUBLIC_KEY", "public_key", "PUBLIC KEY" },
	{ "public-key-digest", "PUBLIC_KEY_DIGEST", "public_key_digest", NULL },
};

static const struct kind *kind_of(const char *type)
{
	for (size_t i = 0; i < AY_COUNT(kinds); i++)
		if (strcasecmp(type, kinds[i].theirs) == 0 || strcasecmp(type, kinds[i].other) == 0)
			return &kinds[i];
	return NULL;
}

/* PEM and hexadecimal as they are; base 64 of DER as PEM, base 64 of a digest in hexadecimal. */
static struct ay_bytes value_of(struct ay_api_call *c, const struct kind *k, const char *text)
{
	struct ay_bytes given = ay_bytes_of(text);
	uint8_t *der = ay_arena_alloc(&c->arena, given.n + 1);
	char *out = ay_arena_alloc(&c->arena, AY_PEM_ROOM(given.n));
	size_t n;

	if (der == NULL || out == NULL || strstr(text, "-----BEGIN") != NULL ||
	    ay_base64_decode(AY_BASE64_STD, given, "data", der, given.n, &n, NULL) != AY_OK)
		return given;
	if (k->label != NULL)
		ay_pem_write(k->label, (struct ay_bytes){ der, n }, out);
	else if (n == 32)
		ay_hex_encode((struct ay_bytes){ der, n }, out);
	else
		return given; /* 64 hexadecimal digits are base 64, too */
	return ay_bytes_of(out);
}

/* Policies that have no data. */
static enum ay_rc read_word(const char *type, struct ay_tls_policy *out, struct ay_err *e)
{
	if (strcasecmp(type, "TRUST_FIRST_CERTIFICATE") == 0)
		return ay_tls_policy_parse(ay_bytes_of("trust_first_use"),
					   (struct ay_bytes){ NULL, 0 }, out, e);
	return bad_policy(e, "INSECURE is not offered: give a certificate, a public key, a SHA-256 "
			     "digest of either, or TRUST_FIRST_CERTIFICATE");
}

static bool is_word(const char *type)
{
	return strcasecmp(type, "TRUST_FIRST_CERTIFICATE") == 0 ||
	       strcasecmp(type, "INSECURE") == 0 || strcasecmp(type, "TRUST_ALL") == 0;
}

/* policy_type and the first of its data; more than one is no policy of one host. */
static enum ay_rc read_descriptor(struct ay_api_call *c, const json_t *d, struct ay_tls_policy *out,
				  struct ay_err *e)
{
	const char *type = ay_member_text(d, "policy_type,policyType");
	const json_t *data = ay_member(d, "data");
	const char *value = json_string_value(ay_member_item(data, 0));
	const struct kind *k = kind_of(type);

	if (is_word(type))
		return read_word(type, out, e);
	if (k == NULL || value == NULL)
		return bad_policy(e, "a descriptor has policy_type and data");
	if (ay_member_items(data) != 1)
		return bad_policy(e, "a policy is for the key of one host: give one value");
	if (ay_tls_policy_parse(ay_bytes_of(k->ours), value_of(c, k, value), out, e) != AY_OK)
		return bad_policy(e, "the value is not what policy_type says (digests: SHA-256)");
	return AY_OK;
}

/* ---- kept policies ---- */

static const json_t *find(const struct ay_api *a, const char *id_or_name)
{
	const json_t *p = ay_object(a, "tls_policy", id_or_name);
	const char *key;
	json_t *o;

	if (p != NULL)
		return p;
	json_object_foreach ((json_t *)(uintptr_t)ay_objects(a, "tls_policy"), key, o)
		if (strcmp(ay_member_text(o, "name"), id_or_name) == 0)
			return o;
	return NULL;
}

enum ay_rc ay_family_tls_of(struct ay_api_call *c, const json_t *record, struct ay_tls_policy *out,
			    char id[AY_UUID_TEXT], struct ay_err *e)
{
	const json_t *choice = ay_member(record, "tls_policy_choice,tlsPolicyChoice");
	const json_t *own = ay_member(choice, "tls_policy_descriptor,tlsPolicyDescriptor");
	const char *named = ay_member_text(choice, "tls_policy_id,tlsPolicyId,tls_policy_name");
	const json_t *kept;

	*out = (struct ay_tls_policy){ 0 };
	id[0] = '\0';
	if (named[0] == '\0')
		named = ay_member_text(record, "tls_policy_id,tlsPolicyId");
	if (own != NULL)
		return read_descriptor(c, own, out, e);
	if (named[0] == '\0')
		return AY_OK;
	kept = find(c->api, named);
	if (kept != NULL) {
		snprintf(id, AY_UUID_TEXT, "%s", ay_member_text(kept, "id"));
		return read_descriptor(c, json_object_get(kept, "descriptor"), out, e);
	}
	if (is_word(named))
		return read_word(named, out, e);
	return ay_fail_code(e, AY_E_NOENT, "TLS_POLICY", "tls_policy_id",
			    "there is no TLS policy %.60s", named);
}

/* ---- the resource ---- */

static json_t *view(const json_t *p)
{
	return json_pack("{s:s, s:s, s:s, s:b, s:O*}", "id", ay_member_text(p, "id"), "name",
			 ay_member_text(p, "name"), "comment", ay_member_text(p, "comment"),
			 "private", (int)ay_member_truth(p, "private", false), "descriptor",
			 json_object_get(p, "descriptor"));
}

static bool fits(const struct ay_api_call *c, const json_t *p)
{
	struct ay_bytes id = ay_api_param(c, "id"), is = ay_api_param(c, "nameEqualTo");
	struct ay_bytes has = ay_api_param(c, "nameContains");
	const char *name = ay_member_text(p, "name");

	return (id.n == 0 || ay_bytes_eq(id, ay_bytes_of(ay_member_text(p, "id")))) &&
	       (is.n == 0 || ay_bytes_eq(is, ay_bytes_of(name))) &&
	       (has.n == 0 || strstr(name, (const char *)has.p) != NULL);
}

void ay_cit_tls_policies(struct ay_api_call *c)
{
	json_t *list = json_array(), *p;
	const char *id;

	json_object_foreach ((json_t *)(uintptr_t)ay_objects(c->api, "tls_policy"), id, p)
		if (fits(c, p))
			json_array_append_new(list, view(p));
	ay_family_document(c, 200, "tls_policy_collection",
			   json_pack("{s:o}", "tls_policies", list));
}

/* The one of the path; NULL: answered. */
static const json_t *policy_of(struct ay_api_call *c)
{
	const json_t *p = find(c->api, (const char *)c->param[0].p);
	struct ay_err e;

	if (p != NULL)
		return p;
	ay_err_set(&e, AY_E_NOENT, "id", 0, "nothing has this id");
	ay_api_problem(c, &e);
	return NULL;
}

void ay_cit_tls_policy(struct ay_api_call *c)
{
	const json_t *p = policy_of(c);

	if (p != NULL)
		ay_family_document(c, 200, "tls_policy", view(p));
}

/* Hosts that refer to it; each gets the new policy, or (to NULL) they are only counted. */
static enum ay_rc each_user(struct ay_api_call *c, const char *id, const struct ay_tls_policy *to,
			    size_t *n, struct ay_err *e)
{
	struct ay_host_patch patch = { .tls = to };
	enum ay_rc rc = AY_OK;
	const char *host;
	json_t *own;

	*n = 0;
	json_object_foreach ((json_t *)(uintptr_t)ay_objects(c->api, "host"), host, own) {
		const struct ay_host *h = ay_engine_host_find(c->api->engine, ay_bytes_of(host));

		if (h == NULL || strcmp(ay_member_text(own, "tls_policy_id"), id) != 0)
			continue;
		++*n;
		if (rc == AY_OK && to != NULL)
			rc = ay_engine_host_patch(c->api->engine, h, &patch, e);
	}
	return rc;
}

static enum ay_rc check_policy(struct ay_api_call *c, const json_t *p, struct ay_tls_policy *tls,
			       struct ay_err *e)
{
	const char *name = ay_member_text(p, "name");
	const json_t *other = name[0] == '\0' ? NULL : find(c->api, name);

	if (name[0] == '\0' || strlen(name) > AY_MAX_NAME_BYTES ||
	    strlen(ay_member_text(p, "comment")) > AY_MAX_TEXT_BYTES)
		return ay_fail_code(e, AY_E_INPUT, "MISSING_INPUT", "name",
				    "the name is missing, or it or the comment too long");
	if (other != NULL && strcmp(ay_member_text(other, "id"), ay_member_text(p, "id")) != 0)
		return ay_fail(e, AY_E_EXISTS, "name", 0, "a TLS policy has this name");
	return read_descriptor(c, json_object_get(p, "descriptor"), tls, e);
}

/* Takes p. */
static void put_policy(struct ay_api_call *c, json_t *p, const char *action)
{
	char id[AY_UUID_TEXT];
	struct ay_tls_policy tls;
	struct ay_err e = { 0 };
	size_t n;
	enum ay_rc rc = check_policy(c, p, &tls, &e);

	snprintf(id, sizeof(id), "%s", ay_member_text(p, "id"));
	if (rc == AY_OK)
		rc = each_user(c, id, &tls, &n, &e);
	if (rc == AY_OK)
		rc = ay_object_put(c->api, "tls_policy", id, json_incref(p), &e);
	if (!ay_api_refused(c, rc, &e) && ay_api_audit(c, action, ay_bytes_of(id), view(p)))
		ay_family_document(c, 200, "tls_policy", view(p));
	json_decref(p);
}

static void take(json_t *p, const json_t *from, const char *name, const char *spellings)
{
	json_t *v = ay_member(from, spellings);

	if (v != NULL)
		json_object_set(p, name, v);
}

static void take_members(json_t *p, const json_t *from)
{
	take(p, from, "name", "name");
	take(p, from, "comment", "comment");
	take(p, from, "private", "private,privateScope");
	take(p, from, "descriptor", "descriptor,tls_policy_descriptor");
}

void ay_cit_tls_policy_create(struct ay_api_call *c)
{
	struct ay_uuid fresh = ay_rng_uuid();
	char id[AY_UUID_TEXT];
	json_t *p;

	ay_uuid_format(&fresh, id);
	p = json_pack("{s:s}", "id", id);
	take_members(p, c->body);
	put_policy(c, p, "TLS_POLICY_ADD");
}

void ay_cit_tls_policy_update(struct ay_api_call *c)
{
	const json_t *old = policy_of(c);
	json_t *p = old == NULL ? NULL : json_deep_copy(old);

	if (p == NULL)
		return;
	take_members(p, c->body);
	put_policy(c, p, "TLS_POLICY_CHANGE");
}

void ay_cit_tls_policy_delete(struct ay_api_call *c)
{
	const json_t *p = policy_of(c);
	char id[AY_UUID_TEXT];
	struct ay_err e = { 0 };
	enum ay_rc rc;
	size_t n;

	if (p == NULL)
		return;
	snprintf(id, sizeof(id), "%s", ay_member_text(p, "id"));
	rc = each_user(c, id, NULL, &n, &e);
	if (rc == AY_OK && n > 0)
		rc = ay_fail(&e, AY_E_EXISTS, "id", 0, "%zu hosts refer to it", n);
	if (rc == AY_OK)
		rc = ay_object_drop(c->api, "tls_policy", id, &e);
	if (!ay_api_refused(c, rc, &e) &&
	    ay_api_audit(c, "TLS_POLICY_REMOVE", ay_bytes_of(id), json_object()))
		ay_api_empty(c, 204);
}
