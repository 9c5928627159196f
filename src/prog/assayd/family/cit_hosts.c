/* SPDX-License-Identifier: Apache-2.0 */
/* CIT v2: /hosts and what hangs on them, /ca-certificates. */
#include "prog/assayd/family/mle.h"
#include "prog/assayd/family/register.h"
#include "prog/assayd/family/search.h"

#include "core/crypto/hash.h"
#include "core/crypto/pem.h"

#include <stdlib.h>

static json_t *host_json(struct ay_api_call *c, const struct ay_host *h)
{
	char id[AY_UUID_TEXT], sha1[41], url[AY_FAMILY_URL];
	const json_t *own = ay_family_host(c->api, h);
	char *aik = ay_family_aik(c, h, sha1);
	json_t *o;

	ay_uuid_format(&h->id, id);
	ay_family_connection_url(h, url);
	o = json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s, s:s?, s:s?, s:O*}", "id", id, "name",
		      h->name, "connection_url", url, "description",
		      ay_family_label(h, "description"), "bios_mle_uuid",
		      ay_family_label(h, "bios_mle"), "vmm_mle_uuid", ay_family_label(h, "vmm_mle"),
		      "hardware_uuid", id, "aik_certificate", aik, "aik_sha1",
		      sha1[0] == '\0' ? NULL : sha1, "tls_policy_id",
		      json_object_get(own, "tls_policy_id"));
	free(aik);
	return o;
}

void ay_cit_hosts_search(struct ay_api_call *c)
{
	struct ay_family_page page;
	json_t *list;
	const struct ay_host *h;
	struct ay_err e;
	size_t at = 0;

	if (ay_api_refused(c, ay_family_page(c, 10000, &page, &e), &e))
		return;
	list = json_array();
	while (json_array_size(list) < page.limit && (h = ay_api_host_next(c, &at)) != NULL) {
		if (!ay_family_wanted(c, h, true))
			continue;
		if (page.skip > 0)
			page.skip--;
		else
			json_array_append_new(list, host_json(c, h));
	}
	ay_family_document(c, 200, "host_collection", json_pack("{s:o}", "hosts", list));
}

void ay_cit_hosts_show(struct ay_api_call *c)
{
	const struct ay_host *h = ay_api_host(c);

	if (h != NULL)
		ay_family_document(c, 200, "host", host_json(c, h));
}

void ay_cit_hosts_create(struct ay_api_call *c)
{
	ay_family_host_put(c, NULL, 200, host_json);
}

void ay_cit_hosts_update(struct ay_api_call *c)
{
	const struct ay_host *h = ay_api_host(c);

	if (h != NULL)
		ay_family_host_put(c, h, 200, host_json);
}

void ay_cit_hosts_delete(struct ay_api_call *c)
{
	const struct ay_host *h = ay_api_host(c);
	struct ay_bytes name;
	struct ay_err e = { 0 };

	if (h == NULL)
		return;
	name = ay_arena_dup(&c->arena, ay_bytes_of(h->name));
	if (!ay_api_refused(c, ay_family_retire(c, h, &e), &e) &&
	    ay_api_audit(c, "HOST_REMOVE", name, json_object()))
		ay_api_empty(c, 204);
}

/* Hosts that the query names: one by one, none without a condition. */
void ay_cit_hosts_delete_some(struct ay_api_call *c)
{
	const char *const one_of[] = { "id", "nameEqualTo", "nameContains", "aik_sha1",
				       "hardware_uuid" };
	const struct ay_host *h;
	struct ay_err e = { 0 };
	json_t *names = json_array();
	enum ay_rc rc = AY_OK;
	size_t at = 0, given = 0;

	for (size_t i = 0; i < AY_COUNT(one_of); i++)
		given += ay_api_param(c, one_of[i]).n > 0;
	if (given == 0)
		rc = ay_fail_code(&e, AY_E_INPUT, "MISSING_INPUT", "nameEqualTo",
				  "say which hosts: id, nameEqualTo, nameContains, aik_sha1 or "
				  "hardware_uuid");
	while (rc == AY_OK && (h = ay_api_host_next(c, &at)) != NULL) {
		if (!ay_family_wanted(c, h, true))
			continue;
		json_array_append_new(names, json_string(h->name));
		rc = ay_family_retire(c, h, &e);
	}
	if (ay_api_refused(c, rc, &e))
		json_decref(names);
	else if (ay_api_audit(c, "HOST_REMOVE", ay_bytes_of("by filter"),
			      json_pack("{s:o}", "hosts", names)))
		ay_api_empty(c, 204);
}

/* Those that the host has or had; the newest, which is in force, comes first. */
struct aiks {
	const struct ay_host *h;
	json_t *list;
	char *newest; /* PEM */
};

static void see_aik(void *arg, const struct ay_aik_row *r)
{
	struct aiks *all = arg;
	char sha1[41] = "", *pem = malloc(AY_PEM_ROOM(r->cert.n));
	uint8_t digest[20];

	if (pem == NULL || r->cert.n == 0 || !ay_hash_of(AY_ALG_SHA1, r->cert, digest)) {
		free(pem);
		return;
	}
	ay_pem_write("CERTIFICATE", r->cert, pem);
	ay_hex_encode(AY_BYTES(digest), sha1);
	json_array_append_new(all->list, json_pack("{s:s, s:s, s:s, s:o}", "name", all->h->name,
						   "aik_sha1", sha1, "certificate", pem,
						   "created_on", ay_api_time(r->enrolled_at)));
	if (all->newest == NULL)
		all->newest = pem;
	else
		free(pem);
}

void ay_cit_hosts_aiks(struct ay_api_call *c)
{
	const struct ay_host *h = ay_api_host(c);
	unsigned forms = AY_MEDIA_DOCUMENTS | AY_MEDIA_BIT(AY_MEDIA_PEM);
	struct aiks all = { h, NULL, NULL };
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (h == NULL)
		return;
	all.list = json_array();
	rc = ay_store_aiks(c->api->store, &h->id, see_aik, &all, &e);
	if (rc == AY_OK && all.newest == NULL)
		rc = ay_fail(&e, AY_E_NOENT, "aik", 0, "the host has no AIK yet");
	if (ay_api_refused(c, rc, &e))
		json_decref(all.list);
	else if (ay_family_media(c, forms, AY_MEDIA_JSON) == AY_MEDIA_PEM) {
		ay_api_answer(c, 200, ay_media_type(AY_MEDIA_PEM), ay_bytes_of(all.newest), NULL,
			      NULL);
		json_decref(all.list);
	} else
		ay_family_document(c, 200, "host_aik_collection",
				   json_pack("{s:o}", "aiks", all.list));
	free(all.newest);
}

void ay_cit_certificates(struct ay_api_call *c)
{
	ay_family_document(c, 200, "ca_certificate_collection",
			   json_pack("{s:o}", "ca_certificates", ay_family_certificates(c)));
}

void ay_cit_certificate(struct ay_api_call *c)
{
	ay_family_certificate(c, c->param[0]);
}
