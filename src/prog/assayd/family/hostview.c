/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/family/hostview.h"

#include "core/crypto/hash.h"
#include "core/crypto/pem.h"

#include <stdlib.h>

struct ay_family_trust ay_family_trust_by(enum ay_verdict v,
					  const uint8_t components[AY_COMPONENTS])
{
	struct ay_family_trust t = { .whole = v == AY_TRUSTED };
	/* what ran out with the lease is not said to be trusted */
	bool shown = v != AY_UNKNOWN;

	t.bios = shown && components[AY_COMP_PLATFORM] == AY_TRUSTED;
	t.vmm = shown && components[AY_COMP_OS] == AY_TRUSTED;
	t.tag = shown && components[AY_COMP_ASSET_TAG] == AY_TRUSTED;
	if (!t.whole && t.bios && t.vmm)
		t.bios = t.vmm = false;
	return t;
}

struct ay_family_trust ay_family_trust_of(const struct ay_api_call *c, const struct ay_host *h)
{
	enum ay_verdict v = ay_lease_verdict(&h->lease, c->api->now_ms);

	return ay_family_trust_by(h->attested_ms != 0 ? v : AY_UNKNOWN, h->components);
}

const char *ay_family_host_state(const struct ay_host *h)
{
	if (h->state != AY_HOST_ENROLLED)
		return "AIK_NOT_PROVISIONED";
	return h->connected ? "CONNECTED" : "CONNECTION_FAILURE";
}

/* ---- AIK ---- */

struct aik {
	char *pem, *sha1;
};

static void see_aik(void *arg, const struct ay_host_row *row, const struct ay_host_status *s,
		    const struct ay_host_context *x)
{
	struct aik *a = arg;
	uint8_t digest[20];

	(void)s, (void)x;
	if (row->cert.n == 0)
		return;
	a->pem = malloc(AY_PEM_ROOM(row->cert.n));
	if (a->pem != NULL)
		ay_pem_write("CERTIFICATE", row->cert, a->pem);
	if (ay_hash_of(AY_ALG_SHA1, row->cert, digest))
		ay_hex_encode(AY_BYTES(digest), a->sha1);
}

char *ay_family_aik(struct ay_api_call *c, const struct ay_host *h, char sha1[41])
{
	struct aik a = { NULL, sha1 };

	sha1[0] = '\0';
	if (ay_store_host(c->api->store, &h->id, see_aik, &a, NULL) == AY_OK)
		return a.pem;
	free(a.pem);
	return NULL;
}

const char *ay_family_label(const struct ay_host *h, const char *key)
{
	for (size_t i = 0; i < h->n_labels; i++)
		if (strcmp(h->labels[i].key, key) == 0)
			return h->labels[i].value;
	return NULL;
}

struct ay_bytes ay_family_member(const json_t *o, const char *one, const char *other)
{
	const char *s = json_string_value(json_object_get(o, one));

	if (s == NULL)
		s = json_string_value(json_object_get(o, other));
	return s == NULL ? (struct ay_bytes){ NULL, 0 } : ay_bytes_of(s);
}

/* ---- hosts that a request names ---- */

static const struct ay_host *not_found(struct ay_api_call *c)
{
	struct ay_err e;

	ay_err_set(&e, AY_E_NOENT, "host", 0, "no such host");
	ay_err_code(&e, "HOST_NOT_FOUND");
	ay_api_problem(c, &e);
	return NULL;
}

const struct ay_host *ay_family_host_of_body(struct ay_api_call *c)
{
	struct ay_bytes id = ay_family_member(c->body, "host_uuid", "host_id");
	struct ay_bytes name = ay_family_member(c->body, "host_name", "name");
	struct ay_bytes aik = ay_family_member(c->body, "aik_sha1", "aik");
	const struct ay_host *h = NULL;
	char sha1[41];

	if (id.p == NULL)
		id = ay_family_member(c->body, "hardware_uuid", "uuid");
	if (id.p != NULL || name.p != NULL)
		h = ay_api_host_find(c, id.p != NULL ? id : name);
	for (size_t at = 0; id.p == NULL && name.p == NULL && aik.n == 40;) {
		h = ay_api_host_next(c, &at);
		if (h == NULL)
			break;
		free(ay_family_aik(c, h, sha1));
		if (strncasecmp(sha1, (const char *)aik.p, 40) == 0)
			break;
	}
	return h != NULL ? h : not_found(c);
}

/* ---- registering ---- */

static enum ay_rc bad_connection(struct ay_err *e, const char *why)
{
	return ay_fail_code(e, AY_E_INPUT, "BAD_CONNECTION", "connection", "%s", why);
}

enum ay_rc ay_family_connection(struct ay_bytes text, char out[280], struct ay_err *e)
{
	static const char *const heads[] = { "intel:https://", "https://", "intel:http://" };
	size_t from = 0, n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < AY_COUNT(heads) && from == 0; i++)
		if (text.n > strlen(heads[i]) && memcmp(text.p, heads[i], strlen(heads[i])) == 0)
			from = strlen(heads[i]);
	if (from == 0)
		return bad_connection(e, "only intel:https://HOST:PORT is connected to");
	while (from + n < text.n && text.p[from + n] != '/' && text.p[from + n] != ';')
		n++;
	if (n == 0 || n > 260 || memchr(text.p + from, '@', n) != NULL)
		return bad_connection(e, "no HOST:PORT in the connection string");
	snprintf(out, 280, "%.*s%s", (int)n, (const char *)text.p + from,
		 memchr(text.p + from, ':', n) == NULL ? ":1443" : "");
	return AY_OK;
}

static bool says(struct ay_bytes text, const char *word)
{
	return text.n == strlen(word) && strncasecmp((const char *)text.p, word, text.n) == 0;
}

/* Which key the agent there must have; false: nothing is said of it. */
static bool take_tls(const json_t *choice, struct ay_host_spec *spec)
{
	const json_t *d = json_object_get(choice, "tls_policy_descriptor");
	struct ay_bytes type = ay_family_member(d, "policy_type", "policyType");
	const char *key = json_string_value(json_array_get(json_object_get(d, "data"), 0));

	static const struct {
		const char *theirs, *other, *ours;
	} kinds[] = {
		{ "certificate", "CERTIFICATE", "certificate" },
		{ "certificate-digest", "CERTIFICATE_DIGEST", "certificate_digest" },
		{ "public-key", "PUBLIC_KEY", "public_key" },
		{ "public-key-digest", "PUBLIC_KEY_DIGEST", "public_key_digest" },
	};

	if (says(type, "TRUST_FIRST_CERTIFICATE") ||
	    says(ay_family_member(choice, "tls_policy_id", "tls_policy_name"),
		 "TRUST_FIRST_CERTIFICATE"))
		return ay_tls_policy_parse(ay_bytes_of("trust_first_use"),
					   (struct ay_bytes){ NULL, 0 }, &spec->tls, NULL) == AY_OK;
	for (size_t i = 0; i < AY_COUNT(kinds) && key != NULL; i++)
		if (says(type, kinds[i].theirs) || says(type, kinds[i].other))
			return ay_tls_policy_parse(ay_bytes_of(kinds[i].ours), ay_bytes_of(key),
						   &spec->tls, NULL) == AY_OK;
	return false;
}

static enum ay_rc change(struct ay_api_call *c, const struct ay_host *h,
			 const struct ay_family_record *ask, const char *connect, struct ay_err *e)
{
	struct ay_bytes at = ay_bytes_of(connect);
	struct ay_label label[AY_MAX_LABELS + 1];
	struct ay_host_patch p = { .labels = label };

	if (at.n > 0 && h->dial.connect != NULL)
		p.connect = &at;
	for (size_t i = 0; i < h->n_labels && p.n_labels < AY_COUNT(label) - 1; i++)
		if (strcmp(h->labels[i].key, "description") != 0)
			label[p.n_labels++] = h->labels[i];
	if (ask->description.n > 0) {
		label[p.n_labels++] =
			(struct ay_label){ (char *)(uintptr_t) "description",
					   ay_arena_str(&c->arena, ask->description) };
		p.set_labels = true;
	}
	return p.connect == NULL && !p.set_labels ? AY_OK
						  : ay_engine_host_patch(c->api->engine, h, &p, e);
}

static enum ay_rc add(struct ay_api_call *c, const struct ay_family_record *ask,
		      const char *connect, const struct ay_host **out, struct ay_err *e)
{
	struct ay_host_spec spec = { .name = ask->name };
	struct ay_label label[2];

	spec.labels = label;
	if (take_tls(ask->tls, &spec))
		spec.connect = ay_bytes_of(connect);
	else if (connect[0] != '\0')
		label[spec.n_labels++] = (struct ay_label){ (char *)(uintptr_t) "address",
							    (char *)(uintptr_t)connect };
	if (ask->description.n > 0)
		label[spec.n_labels++] =
			(struct ay_label){ (char *)(uintptr_t) "description",
					   ay_arena_str(&c->arena, ask->description) };
	return ay_engine_host_add(c->api->engine, &spec, out, e);
}

enum ay_rc ay_family_record_put(struct ay_api_call *c, const struct ay_family_record *ask,
				bool update, const struct ay_host **out, struct ay_err *e)
{
	const struct ay_host *h = ask->name.n == 0 ? NULL : ay_api_host_find(c, ask->name);
	char connect[280] = "";
	enum ay_rc rc = AY_OK;

	*out = NULL;
	if (ask->name.n == 0)
		return ay_fail_code(e, AY_E_INPUT, "MISSING_INPUT", "host_name",
				    "the name of the host is missing");
	if (ask->connection.n > 0)
		rc = ay_family_connection(ask->connection, connect, e);
	if (rc != AY_OK)
		return rc;
	if (h != NULL && !update)
		return ay_fail_code(e, AY_E_EXISTS, "HOST_EXISTS", "host_name",
				    "a host has this name");
	rc = h == NULL ? add(c, ask, connect, &h, e) : change(c, h, ask, connect, e);
	if (rc == AY_E_EXISTS)
		ay_err_code(e, "HOST_EXISTS");
	if (rc == AY_OK)
		*out = h;
	return rc;
}
