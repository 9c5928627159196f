/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-agent/identity.h"

#include <stdlib.h>

#include "core/base/base64.h"
#include "core/base/hex.h"
#include "core/base/json.h"
#include "core/crypto/secret.h"
#include "core/crypto/x509.h"
#include "io/sys/file.h"

enum { FILE_MAX = 160 * 1024, ARENA_MAX = 512 * 1024 };

static const char what[] = "identity";

void ay_identity_init(struct ay_identity *id)
{
	*id = (struct ay_identity){ 0 };
	ay_arena_init(&id->arena, ARENA_MAX);
}

void ay_identity_fini(struct ay_identity *id)
{
	ay_arena_fini(&id->arena);
	*id = (struct ay_identity){ 0 };
}

/* Octets in base 64; a missing or empty member is an empty view. */
static enum ay_rc get_blob(const json_t *o, const char *key, struct ay_arena *a, size_t max,
			   struct ay_bytes *out, struct ay_err *e)
{
	const char *text = "";
	uint8_t *p;
	size_t n;
	enum ay_rc rc = ay_json_text(o, what, key, false, AY_BASE64_ROOM(max), a, &text, e);

	*out = (struct ay_bytes){ 0 };
	if (rc != AY_OK || text[0] == '\0')
		return rc;
	p = ay_arena_alloc(a, max);
	if (p == NULL)
		return ay_fail(e, AY_E_NOMEM, what, 0, "no memory");
	rc = ay_base64_decode(AY_BASE64_STD, ay_bytes_of(text), key, p, max, &n, e);
	if (rc == AY_OK)
		*out = (struct ay_bytes){ p, n };
	return rc;
}

static enum ay_rc get_pin(const json_t *o, const char *key, struct ay_arena *a, uint8_t out[32],
			  struct ay_err *e)
{
	const char *text = NULL;
	enum ay_rc rc = ay_json_text(o, what, key, true, 64, a, &text, e);

	return rc == AY_OK ? ay_hex_decode(ay_bytes_of(text), key, out, 32, e) : rc;
}

static enum ay_rc get_replaced(const json_t *o, struct ay_pin_past *past, struct ay_err *e)
{
	const json_t *list;
	enum ay_rc rc = ay_json_array(o, what, "replaced", true, &list, e);

	if (rc == AY_OK && json_array_size(list) > AY_PINS_REPLACED)
		rc = ay_json_bad(e, what, "replaced", "has too many members");
	for (size_t i = 0; rc == AY_OK && i < json_array_size(list); i++) {
		const char *hex = json_string_value(json_array_get(list, i));

		rc = ay_hex_decode(ay_bytes_of(hex != NULL ? hex : ""), "replaced",
				   past->replaced[past->n++], 32, e);
	}
	return rc;
}

/* "past": {"root": {"sequence","until_ms","seen","replaced"}, ..}: only of keys that changed. */
static enum ay_rc get_past(const json_t *o, struct ay_pins *pins, struct ay_err *e)
{
	const json_t *all = json_object_get(o, "past");
	enum ay_rc rc = AY_OK;

	for (int i = AY_PIN_ROOT; rc == AY_OK && i <= AY_PIN_PURPOSES; i++) {
		const json_t *one =
			json_object_get(all, ay_pin_purpose_name((enum ay_pin_purpose)i));
		struct ay_pin_past *past = ay_pins_past(pins, (enum ay_pin_purpose)i);
		uint64_t until = 0;

		if (one == NULL)
			continue;
		rc = ay_json_u64(one, what, "sequence", true, INT64_MAX, &past->sequence, e);
		if (rc == AY_OK)
			rc = ay_json_u64(one, what, "until_ms", true, INT64_MAX, &until, e);
		if (rc == AY_OK)
			rc = get_replaced(one, past, e);
		past->until_ms = (int64_t)until;
		past->seen = json_is_true(json_object_get(one, "seen"));
	}
	return rc;
}

static enum ay_rc get_pins(const json_t *o, struct ay_identity *id, struct ay_err *e)
{
	enum ay_rc rc = get_pin(o, "root", &id->arena, id->pins.root, e);

	if (rc == AY_OK)
		rc = get_pin(o, "ca", &id->arena, id->pins.ca, e);
	if (rc == AY_OK)
		rc = get_pin(o, "order", &id->arena, id->pins.order, e);
	if (rc == AY_OK)
		rc = get_past(o, &id->pins, e);
	id->pins.known = rc == AY_OK;
	return rc;
}

static enum ay_rc get_servers(const json_t *o, struct ay_identity *id, struct ay_err *e)
{
	const json_t *list;
	enum ay_rc rc = ay_json_array(o, what, "servers", true, &list, e);

	if (rc != AY_OK)
		return rc;
	for (size_t i = 0; i < json_array_size(list) && i < AY_TOKEN_SERVERS_MAX; i++) {
		const char *s = json_string_value(json_array_get(list, i));

		if (s == NULL || strlen(s) >= AY_TOKEN_SERVER_MAX)
			return ay_json_bad(e, what, "servers", "is no list of HOST:PORT");
		memcpy(id->servers[id->n_servers++], s, strlen(s) + 1);
	}
	return AY_OK;
}

static enum ay_rc get_key(const json_t *o, struct ay_identity *id, struct ay_err *e)
{
	uint64_t nv = 0;
	enum ay_rc rc = ay_json_u64(o, what, "ek_nv", true, UINT32_MAX, &nv, e);

	id->ak.ek_nv = (uint32_t)nv;
	if (rc == AY_OK)
		rc = get_blob(o, "ak_public", &id->arena, AY_MAX_PUBLIC_BYTES, &id->ak.pub, e);
	if (rc == AY_OK)
		rc = get_blob(o, "ak_private", &id->arena, 4096, &id->ak.priv, e);
	if (rc == AY_OK)
		rc = get_blob(o, "certificate", &id->arena, AY_MAX_CERT_BYTES, &id->cert, e);
	if (rc == AY_OK)
		rc = get_blob(o, "root_certificate", &id->arena, AY_MAX_CERT_BYTES, &id->root_der,
			      e);
	if (rc == AY_OK)
		rc = get_blob(o, "root_certificate_before", &id->arena, AY_MAX_CERT_BYTES,
			      &id->root_before, e);
	return rc;
}

static enum ay_rc get_host(const json_t *o, struct ay_identity *id, struct ay_err *e)
{
	const char *host = NULL, *name = NULL;
	uint64_t ends = 0, renew = 0;
	enum ay_rc rc = ay_json_text(o, what, "host", true, AY_UUID_TEXT, &id->arena, &host, e);

	if (rc == AY_OK)
		rc = ay_uuid_parse(ay_bytes_of(host), "host", &id->host, e);
	if (rc == AY_OK)
		rc = ay_json_text(o, what, "name", true, AY_MAX_NAME_BYTES, &id->arena, &name, e);
	if (rc == AY_OK)
		rc = ay_json_u64(o, what, "ends_at_ms", true, INT64_MAX, &ends, e);
	if (rc == AY_OK)
		rc = ay_json_u64(o, what, "renew_at_ms", true, INT64_MAX, &renew, e);
	if (rc != AY_OK)
		return rc;
	memcpy(id->name, name, strlen(name) + 1);
	id->ends_at_ms = (int64_t)ends;
	id->renew_at_ms = (int64_t)renew;
	return AY_OK;
}

enum ay_rc ay_identity_load(const char *path, struct ay_identity *id, struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes text = { 0 };
	AY_CLEANUP(ay_json_unref) json_t *o = NULL;
	enum ay_rc rc;

	ay_identity_init(id);
	if (!ay_file_exists(path))
		return AY_OK;
	rc = ay_file_read(path, FILE_MAX, &text, e);
	if (rc == AY_OK)
		rc = ay_json_load(text, FILE_MAX, what, &o, e);
	if (rc == AY_OK)
		rc = get_pins(o, id, e);
	if (rc == AY_OK)
		rc = get_servers(o, id, e);
	if (rc == AY_OK)
		rc = get_key(o, id, e);
	if (rc == AY_OK)
		rc = get_host(o, id, e);
	if (rc != AY_OK) {
		ay_identity_fini(id);
		ay_identity_init(id);
		return rc;
	}
	id->enrolled = true;
	return AY_OK;
}

/* The kept certificate of this key, if there is one. */
static struct ay_bytes cert_of(const struct ay_identity *id, const uint8_t pin[32])
{
	const struct ay_bytes kept[] = { id->root_der, id->root_before };
	uint8_t spki[32];

	for (size_t i = 0; i < AY_COUNT(kept); i++)
		if (kept[i].n > 0 && ay_cert_spki_hash_of(kept[i], spki, NULL) == AY_OK &&
		    memcmp(spki, pin, sizeof(spki)) == 0)
			return kept[i];
	return (struct ay_bytes){ 0 };
}

size_t ay_identity_roots(const struct ay_pins *pins, const struct ay_identity *id, int64_t now_ms,
			 struct ay_tls_root out[AY_TLS_ROOTS])
{
	const uint8_t *all[] = { pins->root, ay_pins_before(pins, AY_PIN_ROOT, now_ms) };
	size_t n = 0;

	for (size_t i = 0; pins->known && i < AY_COUNT(all) && all[i] != NULL; i++) {
		memcpy(out[n].pin, all[i], 32);
		out[n++].cert = cert_of(id, all[i]);
	}
	return n;
}

static json_t *blob(struct ay_bytes b)
{
	char *text = malloc(AY_BASE64_ROOM(b.n));
	json_t *j;

	if (text == NULL)
		return NULL;
	ay_base64_encode(AY_BASE64_STD, b, text);
	j = json_string(text);
	free(text);
	return j;
}

static json_t *pin(const uint8_t p[32])
{
	char text[65];

	ay_hex_encode((struct ay_bytes){ p, 32 }, text);
	return json_string(text);
}

static json_t *past_json(const struct ay_pins *pins)
{
	json_t *all = json_object();

	for (size_t i = 0; i < AY_PIN_PURPOSES; i++) {
		const struct ay_pin_past *past = &pins->past[i];
		json_t *list = json_array();

		if (past->n == 0) {
			json_decref(list);
			continue;
		}
		for (size_t k = 0; k < past->n; k++)
			(void)json_array_append_new(list, pin(past->replaced[k]));
		(void)json_object_set_new(
			all, ay_pin_purpose_name((enum ay_pin_purpose)(AY_PIN_ROOT + i)),
			json_pack("{s:I, s:I, s:b, s:o}", "sequence", (json_int_t)past->sequence,
				  "until_ms", (json_int_t)past->until_ms, "seen", (int)past->seen,
				  "replaced", list));
	}
	return all;
}

static json_t *servers(const struct ay_identity *id)
{
	json_t *l = json_array();

	for (size_t i = 0; i < id->n_servers; i++)
		if (json_array_append_new(l, json_string(id->servers[i])) != 0)
			break;
	return l;
}

enum ay_rc ay_identity_save(const char *path, const struct ay_identity *id, struct ay_err *e)
{
	char host[AY_UUID_TEXT];
	AY_CLEANUP(ay_json_unref) json_t *o = NULL;
	enum ay_rc rc;
	char *text;

	ay_uuid_format(&id->host, host);
	o = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:I, s:I}",
		      "host", host, "name", id->name, "root", pin(id->pins.root), "ca",
		      pin(id->pins.ca), "order", pin(id->pins.order), "past", past_json(&id->pins),
		      "servers", servers(id), "ek_nv", (json_int_t)id->ak.ek_nv, "ak_public",
		      blob(id->ak.pub), "ak_private", blob(id->ak.priv), "certificate",
		      blob(id->cert), "root_certificate", blob(id->root_der),
		      "root_certificate_before", blob(id->root_before), "ends_at_ms",
		      (json_int_t)id->ends_at_ms, "renew_at_ms", (json_int_t)id->renew_at_ms);
	text = o != NULL ? json_dumps(o, JSON_INDENT(1)) : NULL;
	if (text == NULL)
		return ay_fail(e, AY_E_NOMEM, what, 0, "no memory");
	rc = ay_file_write(path, 0600, ay_bytes_of(text), e);
	ay_wipe(text, strlen(text));
	free(text);
	return rc;
}
