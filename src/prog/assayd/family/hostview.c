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
