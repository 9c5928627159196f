/* SPDX-License-Identifier: Apache-2.0 */
#include "core/authz/dsse.h"

#include "core/base/base64.h"
#include "core/base/hex.h"

enum { TYPE_MAX = 256, KEYID_MAX = 256 };

bool ay_dsse_is_envelope(const json_t *j)
{
	return json_is_object(j) && json_object_get(j, "payload") != NULL;
}

/* ---- base 64 of either alphabet ---- */

static bool has_any(struct ay_bytes t, char a, char b)
{
	for (size_t i = 0; i < t.n; i++)
		if (t.p[i] == (uint8_t)a || t.p[i] == (uint8_t)b)
			return true;
	return false;
}

/* base64url may be padded (RFC 4648) or not (JOSE); ours reads it unpadded. */
static struct ay_bytes without_padding(struct ay_bytes t)
{
	if (t.n > 0 && t.n % 4 == 0)
		for (int i = 0; i < 2 && t.n > 0 && t.p[t.n - 1] == '='; i++)
			t.n--;
	return t;
}

/* A text member in base 64 to octets of the arena. */
static enum ay_rc take_base64(const json_t *o, const char *member, const char *field, size_t max,
			      struct ay_arena *a, struct ay_bytes *out, struct ay_err *e)
{
	const json_t *v = json_object_get(o, member);
	struct ay_bytes text = { (const uint8_t *)json_string_value(v), json_string_length(v) };
	bool url = !has_any(text, '+', '/') && (has_any(text, '-', '_') || text.n % 4 != 0);
	size_t n = 0;
	uint8_t *to;
	enum ay_rc rc;

	if (!json_is_string(v))
		return ay_fail(e, AY_E_INPUT, field, 0, "is missing, or no text");
	if (text.n / 4 > max / 3 + 1)
		return ay_fail(e, AY_E_LIMIT, field, max, "more than %zu octets", max);
	to = ay_arena_alloc(a, text.n + 1);
	if (to == NULL)
		return ay_fail(e, AY_E_NOMEM, field, 0, "out of memory");
	rc = ay_base64_decode(url ? AY_BASE64_URL : AY_BASE64_STD,
			      url ? without_padding(text) : text, field, to, text.n, &n, e);
	if (rc == AY_OK && n > max)
		return ay_fail(e, AY_E_LIMIT, field, max, "more than %zu octets", max);
	*out = rc == AY_OK ? (struct ay_bytes){ to, n } : (struct ay_bytes){ 0 };
	return rc;
}

/* ---- envelope to struct ---- */

static enum ay_rc take_signature(const json_t *o, struct ay_arena *a, struct ay_dsse *d,
				 struct ay_err *e)
{
	struct ay_dsse_signature s = { .keyid = "" };
	enum ay_rc rc;

	if (!json_is_object(o))
		return ay_fail(e, AY_E_INPUT, "dsse.signatures", 0, "holds what is no object");
	rc = ay_json_text(o, "dsse.signatures", "keyid", false, KEYID_MAX, a, &s.keyid, e);
	if (rc == AY_OK)
		rc = take_base64(o, "sig", "dsse.signatures.sig", AY_SIGKEY_SIG_MAX * 8, a, &s.sig,
				 e);
	if (rc == AY_OK && s.sig.n == 0)
		rc = ay_fail(e, AY_E_INPUT, "dsse.signatures.sig", 0, "is empty");
	if (rc == AY_OK)
		d->signature[d->n++] = s;
	return rc;
}

static enum ay_rc take_signatures(const json_t *j, struct ay_arena *a, struct ay_dsse *d,
				  struct ay_err *e)
{
	const json_t *list = NULL;
	enum ay_rc rc = ay_json_array(j, "dsse", "signatures", true, &list, e);

	if (rc != AY_OK)
		return rc;
	if (json_array_size(list) == 0)
		return ay_fail(e, AY_E_INPUT, "dsse.signatures", 0, "is empty");
	if (json_array_size(list) > AY_MAX_DSSE_SIGNATURES)
		return ay_fail(e, AY_E_LIMIT, "dsse.signatures", AY_MAX_DSSE_SIGNATURES,
			       "more than %d", AY_MAX_DSSE_SIGNATURES);
	for (size_t i = 0; rc == AY_OK && i < json_array_size(list); i++)
		rc = take_signature(json_array_get(list, i), a, d, e);
	return rc;
}

enum ay_rc ay_dsse_from_json(const json_t *j, struct ay_arena *a, struct ay_dsse *out,
			     struct ay_err *e)
{
	struct ay_dsse d = { .type = "" };
	enum ay_rc rc;

	*out = (struct ay_dsse){ 0 };
	if (!json_is_object(j))
		return ay_fail(e, AY_E_INPUT, "dsse", 0, "not an object");
	rc = ay_json_text(j, "dsse", "payloadType", true, TYPE_MAX, a, &d.type, e);
	if (rc == AY_OK)
		rc = take_base64(j, "payload", "dsse.payload", AY_MAX_REFSET_BYTES, a, &d.payload,
				 e);
	if (rc == AY_OK)
		rc = take_signatures(j, a, &d, e);
	if (rc == AY_OK)
		*out = d;
	return rc;
}

enum ay_rc ay_dsse_parse(struct ay_bytes text, struct ay_arena *a, struct ay_dsse *out,
			 struct ay_err *e)
{
	AY_CLEANUP(ay_json_unref) json_t *j = NULL;
	enum ay_rc rc = ay_json_load(text, (size_t)2 * AY_MAX_REFSET_BYTES, "dsse", &j, e);

	*out = (struct ay_dsse){ 0 };
	return rc == AY_OK ? ay_dsse_from_json(j, a, out, e) : rc;
}

/* ---- signing and verifying ---- */

/* "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body [DSSE protocol] */
struct ay_bytes ay_dsse_pae(const char *type, struct ay_bytes payload, struct ay_arena *a)
{
	char head[TYPE_MAX + 64];
	int n = snprintf(head, sizeof(head), "DSSEv1 %zu %s %zu ", strlen(type), type, payload.n);
	uint8_t *p;

	if (n < 0 || (size_t)n >= sizeof(head))
		return (struct ay_bytes){ 0 };
	p = ay_arena_alloc(a, (size_t)n + payload.n);
	if (p == NULL)
		return (struct ay_bytes){ 0 };
	memcpy(p, head, (size_t)n);
	if (payload.n > 0)
		memcpy(p + n, payload.p, payload.n);
	return (struct ay_bytes){ p, (size_t)n + payload.n };
}

static bool names(const struct ay_dsse_signature *s, const struct ay_sigkey *k)
{
	char id[65];

	ay_hex_encode((struct ay_bytes){ ay_sigkey_id(k), 32 }, id);
	return strcasecmp(s->keyid, id) == 0;
}

/* keyid only says which failure is the more telling one. */
static enum ay_rc not_signed(const struct ay_dsse *d, const struct ay_sigkey *const keys[],
			     size_t n_keys, struct ay_err *e)
{
	for (size_t i = 0; i < d->n; i++)
		for (size_t k = 0; k < n_keys; k++)
			if (names(&d->signature[i], keys[k]))
				return ay_fail_code(e, AY_E_CRYPTO, "DSSE_SIGNATURE",
						    "dsse.signatures",
						    "signature %zu does not verify: the content "
						    "was changed after it was signed",
						    i);
	return ay_fail_code(e, AY_E_CRYPTO, "DSSE_SIGNER", "dsse.signatures",
			    "no signature is by a trusted key");
}

enum ay_rc ay_dsse_verify(const struct ay_dsse *d, const char *type,
			  const struct ay_sigkey *const keys[], size_t n_keys, struct ay_arena *a,
			  size_t *which, struct ay_err *e)
{
	struct ay_bytes pae = ay_dsse_pae(d->type, d->payload, a);
	bool good = false;

	*which = n_keys;
	if (pae.p == NULL)
		return ay_fail(e, AY_E_NOMEM, "dsse", 0, "out of memory");
	for (size_t k = 0; k < n_keys && !good; k++)
		for (size_t i = 0; i < d->n && !good; i++) {
			good = ay_sigkey_verify(keys[k], pae, d->signature[i].sig, NULL) == AY_OK;
			*which = good ? k : n_keys;
		}
	if (AY_CHECKED("DSSE_SIGNER", !good))
		return not_signed(d, keys, n_keys, e);
	if (AY_CHECKED("DSSE_TYPE", strcmp(d->type, type) != 0))
		return ay_fail_code(e, AY_E_INPUT, "DSSE_TYPE", "dsse.payloadType", "is not %s",
				    type);
	return AY_OK;
}

/* ---- building ---- */

static json_t *base64_json(struct ay_bytes b, struct ay_arena *a)
{
	char *text = ay_arena_alloc(a, AY_BASE64_ROOM(b.n));

	if (text == NULL)
		return NULL;
	ay_base64_encode(AY_BASE64_STD, b, text);
	return json_string(text);
}

static enum ay_rc add_signature(json_t *list, const struct ay_sigkey *k, struct ay_bytes pae,
				struct ay_arena *a, struct ay_err *e)
{
	uint8_t sig[64];
	char id[65];
	enum ay_rc rc = ay_sigkey_sign(k, pae, sig, e);

	if (rc != AY_OK)
		return rc;
	ay_hex_encode((struct ay_bytes){ ay_sigkey_id(k), 32 }, id);
	if (json_array_append_new(list, json_pack("{so* ss}", "sig", base64_json(AY_BYTES(sig), a),
						  "keyid", id)) != 0)
		return ay_fail(e, AY_E_NOMEM, "dsse", 0, "out of memory");
	return AY_OK;
}

json_t *ay_dsse_build(const char *type, struct ay_bytes payload,
		      const struct ay_sigkey *const keys[], size_t n_keys, struct ay_err *e)
{
	json_t *list = json_array(), *j = NULL;
	struct ay_arena a;
	struct ay_bytes pae;
	enum ay_rc rc;

	ay_arena_init(&a, 3 * payload.n + 65536);
	pae = ay_dsse_pae(type, payload, &a);
	rc = pae.p != NULL ? AY_OK : ay_fail(e, AY_E_NOMEM, "dsse", 0, "out of memory");
	for (size_t i = 0; rc == AY_OK && i < n_keys; i++)
		rc = add_signature(list, keys[i], pae, &a, e);
	if (rc == AY_OK)
		j = json_pack("{so* ss sO}", "payload", base64_json(payload, &a), "payloadType",
			      type, "signatures", list);
	ay_arena_fini(&a);
	json_decref(list);
	return j;
}
