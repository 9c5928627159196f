/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/ima_keys.h"

#include <string.h>

#include "core/base/base64.h"
#include "core/base/limits.h"
#include "core/crypto/der.h"
#include "core/crypto/hash.h"
#include "core/crypto/oids.h"
#include "core/crypto/pem.h"
#include "core/crypto/x509.h"

#define KEY_TEXT_MAX (2 * AY_MAX_CERT_BYTES)

static void add_id(struct ay_ima_key *k, struct ay_bytes from)
{
	if (from.n < 4)
		return;
	memcpy(k->id[k->n_ids], from.p + from.n - 4, 4);
	if (k->n_ids == 0 || memcmp(k->id[0], k->id[1], 4) != 0)
		k->n_ids++;
}

/* SHA-1 over the contents of the BIT STRING: what a key is called when nobody else names it. */
static enum ay_rc add_own_id(struct ay_ima_key *k, struct ay_bytes spki, struct ay_err *e)
{
	struct ay_reader r, in;
	struct ay_bytes bits;
	uint8_t sha1[20];
	enum ay_rc rc;

	ay_rd_init(&r, spki);
	ay_der_enter(&r, "spki", AY_DER_SEQUENCE, &in);
	(void)ay_der_whole(&in, "spki.algorithm");
	bits = ay_der_bits(&in, "spki.key");
	ay_rd_window_end(&in, "spki");
	rc = ay_rd_end(&r, "spki", e);
	if (rc != AY_OK)
		return rc;
	if (!ay_hash_of(AY_ALG_SHA1, bits, sha1))
		return ay_fail(e, AY_E_BUG, "spki", 0, "SHA-1 is missing");
	add_id(k, AY_BYTES(sha1));
	ay_sha256(spki, k->spki);
	return AY_OK;
}

static void add_subject_key_id(struct ay_ima_key *k, const struct ay_cert *c)
{
	bool critical;
	struct ay_bytes ext = ay_cert_extension(c, AY_OID(AY_OID_SUBJECT_KEY_ID), &critical), id;
	struct ay_reader r;

	ay_rd_init(&r, ext);
	id = ay_der_get(&r, "subjectKeyIdentifier", AY_DER_OCTET_STRING);
	if (ay_rd_end(&r, "subjectKeyIdentifier", NULL) == AY_OK)
		add_id(k, id);
}

static enum ay_rc load(struct ay_bytes der, struct ay_ima_key *k, struct ay_err *e)
{
	struct ay_cert c;
	enum ay_rc rc;

	if (ay_cert_parse(der, &c, NULL) != AY_OK) {
		rc = ay_pubkey_new_spki(der, &k->key, e);
		return rc == AY_OK ? add_own_id(k, der, e) : rc;
	}
	rc = ay_cert_key(&c, &k->key, e);
	if (rc != AY_OK)
		return rc;
	add_subject_key_id(k, &c);
	return add_own_id(k, c.spki, e);
}

static enum ay_rc load_pem(struct ay_arena *a, struct ay_ima_key *k, struct ay_err *e)
{
	static const char *const labels[] = { "PUBLIC KEY", "CERTIFICATE" };

	for (size_t i = 0; i < AY_COUNT(labels); i++) {
		struct ay_bytes text = ay_bytes_of(k->pem), der;

		if (ay_pem_next(&text, labels[i], a, &der, NULL) == AY_OK)
			return load(der, k, e);
	}
	return ay_fail(e, AY_E_INPUT, "ima.keys.pem", 0,
		       "key %.60s: neither PUBLIC KEY nor CERTIFICATE", k->name);
}

static enum ay_rc load_der(struct ay_arena *a, struct ay_ima_key *k, struct ay_err *e)
{
	size_t room = strlen(k->der) / 4 * 3 + 3, n;
	uint8_t *out = ay_arena_alloc(a, room);
	enum ay_rc rc;

	if (out == NULL)
		return ay_fail(e, AY_E_NOMEM, "ima.keys", 0, "out of memory");
	rc = ay_base64_decode(AY_BASE64_STD, ay_bytes_of(k->der), "ima.keys.der", out, room, &n, e);
	return rc == AY_OK ? load((struct ay_bytes){ out, n }, k, e) : rc;
}

static enum ay_rc parse_key(const json_t *o, const char *where, struct ay_arena *a,
			    struct ay_ima_key *k, struct ay_err *e)
{
	static const char *const known[] = { "name", "pem", "der", "revoked", NULL };
	enum ay_rc rc = ay_json_only(o, known, where, e);

	if (rc == AY_OK)
		rc = ay_json_text(o, where, "name", true, AY_MAX_NAME_BYTES, a, &k->name, e);
	if (rc == AY_OK)
		rc = ay_json_text(o, where, "pem", false, KEY_TEXT_MAX, a, &k->pem, e);
	if (rc == AY_OK)
		rc = ay_json_text(o, where, "der", false, KEY_TEXT_MAX, a, &k->der, e);
	if (rc == AY_OK)
		rc = ay_json_bool(o, where, "revoked", false, &k->revoked, e);
	if (rc == AY_OK && !ay_json_is_name(k->name))
		rc = ay_json_bad(e, where, "name", "not a name");
	if (rc == AY_OK && (k->pem == NULL) == (k->der == NULL))
		rc = ay_json_bad(e, where, "pem", "needs one of pem and der");
	if (rc != AY_OK)
		return rc;
	return k->pem != NULL ? load_pem(a, k, e) : load_der(a, k, e);
}

static bool is_double(const struct ay_ima_keys *k)
{
	const struct ay_ima_key *last = &k->key[k->n - 1];

	for (size_t i = 0; i + 1 < k->n; i++)
		if (strcmp(k->key[i].name, last->name) == 0 ||
		    memcmp(k->key[i].spki, last->spki, sizeof(last->spki)) == 0)
			return true;
	return false;
}

enum ay_rc ay_ima_keys_parse(const json_t *list, const char *where, struct ay_arena *a,
			     struct ay_ima_keys *out, struct ay_err *e)
{
	size_t n = json_array_size(list);
	enum ay_rc rc = AY_OK;

	*out = (struct ay_ima_keys){ 0 };
	if (n == 0 || n > AY_IMA_KEYS_MAX)
		return ay_json_bad(e, where, "keys", "needs 1 to 64 keys; leave it out for none");
	out->key = ay_arena_array(a, n, sizeof(*out->key));
	if (out->key == NULL)
		return ay_fail(e, AY_E_NOMEM, where, 0, "out of memory");
	while (rc == AY_OK && out->n < n) {
		out->n++;
		rc = parse_key(json_array_get(list, out->n - 1), where, a, &out->key[out->n - 1],
			       e);
		if (rc == AY_OK && is_double(out))
			rc = ay_json_bad(e, where, "keys", "the same name or key stands twice");
	}
	if (rc != AY_OK)
		ay_ima_keys_fini(out);
	return rc;
}

void ay_ima_keys_fini(struct ay_ima_keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		ay_pubkey_free(k->key[i].key);
	*k = (struct ay_ima_keys){ 0 };
}

static json_t *key_json(const struct ay_ima_key *k)
{
	json_t *o = k->pem != NULL ? json_pack("{ss ss}", "name", k->name, "pem", k->pem)
				   : json_pack("{ss ss}", "name", k->name, "der", k->der);

	if (o != NULL && k->revoked && json_object_set_new(o, "revoked", json_true()) != 0)
		ay_json_unref(&o);
	return o;
}

json_t *ay_ima_keys_json(const struct ay_ima_keys *k)
{
	json_t *list = json_array();

	for (size_t i = 0; i < k->n && list != NULL; i++)
		if (json_array_append_new(list, key_json(&k->key[i])) != 0)
			ay_json_unref(&list);
	return list;
}

bool ay_ima_key_has_id(const struct ay_ima_key *k, const uint8_t id[4])
{
	for (size_t i = 0; i < k->n_ids; i++)
		if (memcmp(k->id[i], id, 4) == 0)
			return true;
	return false;
}
