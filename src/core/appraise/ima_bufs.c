/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/ima_bufs.h"

#include <string.h>

#include "core/appraise/ima_paths.h"
#include "core/base/hex.h"
#include "core/base/limits.h"
#include "core/crypto/hash.h"
#include "core/crypto/x509.h"

#define WHERE "policy.ima.buffers"

/* ---- JSON ---- */

static enum ay_rc make_room(struct ay_ima_buf_rule *r, size_t n, const char *where,
			    struct ay_arena *a, struct ay_err *e)
{
	if (n == 0 || n > AY_IMA_BUF_VALUES_MAX)
		return ay_fail(e, AY_E_INPUT, where, 0, "needs 1 to %d values, has %zu",
			       AY_IMA_BUF_VALUES_MAX, n);
	r->value = ay_arena_array(a, n, sizeof(*r->value));
	return r->value != NULL ? AY_OK : ay_fail(e, AY_E_NOMEM, where, 0, "out of memory");
}

/* alg 0: any length of a digest that is known. */
static enum ay_rc add_hex(struct ay_ima_buf_rule *r, const json_t *v, uint16_t alg,
			  const char *where, struct ay_arena *a, struct ay_err *e)
{
	size_t n = alg != 0 ? ay_alg_digest_size(alg) : json_string_length(v) / 2;
	uint8_t *p = ay_arena_alloc(a, AY_DIGEST_MAX);
	enum ay_rc rc;

	if (p == NULL)
		return ay_fail(e, AY_E_NOMEM, where, 0, "out of memory");
	if (!json_is_string(v) || n > AY_DIGEST_MAX || n < 20)
		return ay_fail(e, AY_E_INPUT, where, 0, "a digest is not hex of its length");
	rc = ay_hex_decode(
		(struct ay_bytes){ (const uint8_t *)json_string_value(v), json_string_length(v) },
		where, p, n, e);
	if (rc == AY_OK)
		r->value[r->n++] = (struct ay_ima_buf_value){ alg, { p, n } };
	return rc;
}

enum ay_rc ay_ima_digests_parse(const json_t *o, const char *where, struct ay_arena *a,
				struct ay_ima_buf_rule *out, struct ay_err *e)
{
	const char *bank;
	json_t *list;
	size_t n = 0;
	enum ay_rc rc;

	json_object_foreach ((json_t *)(uintptr_t)o, bank, list)
		n += json_array_size(list);
	rc = make_room(out, n, where, a, e);
	if (rc != AY_OK)
		return rc;
	json_object_foreach ((json_t *)(uintptr_t)o, bank, list) {
		uint16_t alg = ay_alg_from_bank_name(ay_bytes_of(bank));

		if (alg == 0 || !json_is_array(list))
			return ay_json_bad(e, where, bank, "is not an algorithm with a list");
		for (size_t i = 0; rc == AY_OK && i < json_array_size(list); i++)
			rc = add_hex(out, json_array_get(list, i), alg, where, a, e);
		if (rc != AY_OK)
			return rc;
	}
	return AY_OK;
}

static enum ay_rc parse_list(const json_t *list, struct ay_ima_buf_rule *r, struct ay_arena *a,
			     struct ay_err *e)
{
	enum ay_rc rc = make_room(r, json_array_size(list), WHERE, a, e);

	for (size_t i = 0; rc == AY_OK && i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);
		struct ay_bytes text = { (const uint8_t *)json_string_value(v),
					 json_string_length(v) };

		if (r->how == AY_IMA_BUF_ROOTS) {
			rc = add_hex(r, v, 0, WHERE, a, e);
			continue;
		}
		if (text.p == NULL || text.n == 0 || text.n > AY_MAX_TEXT_BYTES)
			return ay_json_bad(e, WHERE, "texts", "not a text, empty or too long");
		text = ay_arena_dup(a, text);
		if (text.p == NULL)
			return ay_fail(e, AY_E_NOMEM, WHERE, 0, "out of memory");
		r->value[r->n++].octets = text;
	}
	return rc;
}

static enum ay_rc parse_action(const json_t *o, struct ay_ima_buf_rule *r, struct ay_arena *a,
			       struct ay_err *e)
{
	const char *text = "";
	enum ay_rc rc = ay_json_text(o, WHERE, "action", true, 16, a, &text, e);

	if (rc != AY_OK)
		return rc;
	if (strcmp(text, "allow") == 0)
		r->how = AY_IMA_BUF_ALLOW;
	else if (strcmp(text, "ignore") == 0)
		r->how = AY_IMA_BUF_IGNORE;
	else if (strcmp(text, "deny") == 0)
		r->how = AY_IMA_BUF_DENY;
	else
		rc = ay_json_bad(e, WHERE, "action", "is not allow, ignore or deny");
	return rc;
}

static enum ay_rc parse_trusted(const json_t *o, struct ay_ima_buf_rule *r, struct ay_err *e)
{
	r->how = AY_IMA_BUF_TRUSTED;
	return json_is_true(json_object_get(o, "trusted_keys"))
		       ? AY_OK
		       : ay_json_bad(e, WHERE, "trusted_keys", "is true or left out");
}

static enum ay_rc parse_values(const json_t *o, struct ay_ima_buf_rule *r, struct ay_arena *a,
			       struct ay_err *e)
{
	const json_t *v;
	enum ay_rc rc;

	if (json_object_get(o, "action") != NULL)
		return parse_action(o, r, a, e);
	if (json_object_get(o, "trusted_keys") != NULL)
		return parse_trusted(o, r, e);
	if (json_object_get(o, "digests") != NULL) {
		r->how = AY_IMA_BUF_DIGESTS;
		rc = ay_json_object(o, WHERE, "digests", true, &v, e);
		return rc == AY_OK ? ay_ima_digests_parse(v, WHERE, a, r, e) : rc;
	}
	r->how = json_object_get(o, "texts") != NULL ? AY_IMA_BUF_TEXTS : AY_IMA_BUF_ROOTS;
	rc = ay_json_array(o, WHERE, r->how == AY_IMA_BUF_TEXTS ? "texts" : "root_digests", true,
			   &v, e);
	return rc == AY_OK ? parse_list(v, r, a, e) : rc;
}

static enum ay_rc parse_rule(const json_t *o, struct ay_arena *a, struct ay_ima_buf_rule *r,
			     struct ay_err *e)
{
	static const char *const known[] = { "name",	     "action",	     "digests", "texts",
					     "root_digests", "trusted_keys", NULL };
	enum ay_rc rc = ay_json_only(o, known, WHERE, e);

	if (rc == AY_OK && json_object_size(o) != 2)
		rc = ay_json_bad(e, WHERE, "name",
				 "needs a name and one of action, digests, texts, root_digests, "
				 "trusted_keys");
	if (rc == AY_OK)
		rc = ay_json_text(o, WHERE, "name", true, AY_IMA_PATTERN_MAX, a, &r->name, e);
	if (rc == AY_OK && (r->name[0] == '\0' || strstr(r->name, "***") != NULL))
		rc = ay_json_bad(e, WHERE, "name", "empty, or three stars in a row");
	return rc == AY_OK ? parse_values(o, r, a, e) : rc;
}

enum ay_rc ay_ima_bufs_parse(const json_t *list, struct ay_arena *a, struct ay_ima_bufs *out,
			     struct ay_err *e)
{
	size_t n = json_array_size(list);
	struct ay_ima_bufs b = { 0 };
	enum ay_rc rc = AY_OK;

	*out = b;
	if (n == 0 || n > AY_IMA_BUFS_MAX)
		return ay_json_bad(e, "policy.ima", "buffers",
				   "needs 1 to 256 rules; leave it out for none");
	b.rule = ay_arena_array(a, n, sizeof(*b.rule));
	if (b.rule == NULL)
		return ay_fail(e, AY_E_NOMEM, WHERE, 0, "out of memory");
	while (rc == AY_OK && b.n < n) {
		rc = parse_rule(json_array_get(list, b.n), a, &b.rule[b.n], e);
		b.n++;
	}
	if (rc == AY_OK)
		*out = b;
	return rc;
}

static json_t *hex_json(struct ay_bytes b)
{
	char hex[2 * AY_DIGEST_MAX + 1];

	ay_hex_encode(b, hex);
	return json_string(hex);
}

json_t *ay_ima_digests_json(const struct ay_ima_buf_rule *r)
{
	json_t *o = json_object();

	for (size_t i = 0; i < r->n; i++) {
		const char *bank = ay_alg_bank_name(r->value[i].alg);

		if (json_object_get(o, bank) == NULL)
			(void)json_object_set_new(o, bank, json_array());
		if (json_array_append_new(json_object_get(o, bank), hex_json(r->value[i].octets)) !=
		    0) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

static json_t *values_json(const struct ay_ima_buf_rule *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n && list != NULL; i++) {
		struct ay_bytes b = r->value[i].octets;
		json_t *v = r->how == AY_IMA_BUF_ROOTS ? hex_json(b)
						       : json_stringn((const char *)b.p, b.n);

		if (json_array_append_new(list, v) != 0)
			ay_json_unref(&list);
	}
	return list;
}

static json_t *rule_json(const struct ay_ima_buf_rule *r)
{
	switch (r->how) {
	case AY_IMA_BUF_DENY:
		return json_pack("{ss ss}", "name", r->name, "action", "deny");
	case AY_IMA_BUF_IGNORE:
		return json_pack("{ss ss}", "name", r->name, "action", "ignore");
	case AY_IMA_BUF_ALLOW:
		return json_pack("{ss ss}", "name", r->name, "action", "allow");
	case AY_IMA_BUF_TRUSTED:
		return json_pack("{ss sb}", "name", r->name, "trusted_keys", 1);
	case AY_IMA_BUF_DIGESTS:
		return json_pack("{ss so}", "name", r->name, "digests", ay_ima_digests_json(r));
	case AY_IMA_BUF_TEXTS:
		return json_pack("{ss so}", "name", r->name, "texts", values_json(r));
	case AY_IMA_BUF_ROOTS:
		return json_pack("{ss so}", "name", r->name, "root_digests", values_json(r));
	}
	return NULL;
}

json_t *ay_ima_bufs_json(const struct ay_ima_bufs *b)
{
	json_t *list = json_array();

	for (size_t i = 0; i < b->n && list != NULL; i++)
		if (json_array_append_new(list, rule_json(&b->rule[i])) != 0)
			ay_json_unref(&list);
	return list;
}

/* ---- judging ---- */

enum ay_ima_buf_kind ay_ima_buf_kind_of(struct ay_bytes name)
{
	if (name.n > 0 && (name.p[0] == '.' || name.p[0] == '_'))
		return AY_IMA_BUF_KIND_KEY;
	if (ay_bytes_eq(name, ay_bytes_of("kexec-cmdline")))
		return AY_IMA_BUF_KIND_CMDLINE;
	if (name.n >= 3 && memcmp(name.p, "dm_", 3) == 0)
		return AY_IMA_BUF_KIND_DM;
	return AY_IMA_BUF_KIND_DATA;
}

bool ay_ima_buf_digest_is_own(const struct ay_ima_entry *ent)
{
	uint8_t own[AY_DIGEST_MAX];

	return ent->digest_kind == AY_IMA_DIGEST_FILE &&
	       ay_hash_of(ent->digest_alg, ent->buf, own) &&
	       ay_bytes_eq(ent->digest,
			   (struct ay_bytes){ own, ay_alg_digest_size(ent->digest_alg) });
}

/* What was loaded into a keyring is a certificate; its key must be one that is trusted. */
static bool is_trusted_key(struct ay_bytes der, const struct ay_ima_key *const *keys, size_t n)
{
	struct ay_cert c;
	uint8_t spki[32];

	if (ay_cert_parse(der, &c, NULL) != AY_OK)
		return false;
	ay_cert_spki_hash(&c, spki);
	for (size_t i = 0; i < n; i++)
		if (!keys[i]->revoked && memcmp(keys[i]->spki, spki, sizeof(spki)) == 0)
			return true;
	return false;
}

bool ay_ima_buf_has_digest(const struct ay_ima_buf_rule *r, const struct ay_ima_entry *ent)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->value[i].alg == ent->digest_alg &&
		    ay_bytes_eq(r->value[i].octets, ent->digest))
			return true;
	return false;
}

static bool has_text(const struct ay_ima_buf_rule *r, struct ay_bytes text)
{
	for (size_t i = 0; i < r->n; i++)
		if (ay_bytes_eq(r->value[i].octets, text))
			return true;
	return false;
}

bool ay_ima_buf_fits(const struct ay_ima_buf_rule *r, const struct ay_ima_entry *ent,
		     const struct ay_ima_key *const *keys, size_t n_keys)
{
	if (ent->path.n > AY_IMA_PATH_MAX || !ay_ima_glob(r->name, ent->path))
		return false;
	switch (r->how) {
	case AY_IMA_BUF_DENY:
	case AY_IMA_BUF_IGNORE:
	case AY_IMA_BUF_ALLOW:
		return true;
	case AY_IMA_BUF_DIGESTS:
		return ay_ima_buf_has_digest(r, ent);
	case AY_IMA_BUF_TEXTS:
		return has_text(r, ent->buf);
	case AY_IMA_BUF_ROOTS:
		return ay_ima_dm_is_verity(ent->buf, r->value, r->n);
	case AY_IMA_BUF_TRUSTED:
		return is_trusted_key(ent->buf, keys, n_keys);
	}
	return false;
}
