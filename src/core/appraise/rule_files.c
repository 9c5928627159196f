/* SPDX-License-Identifier: Apache-2.0 */
/* Kind "files": digests that an IMA list may have, and how many violations. */
#include "core/appraise/rule_parts.h"
#include "core/base/hex.h"

#include <string.h>

/* Digests are uniform already: their first octets are the hash. */
static size_t slot_of(const struct ay_digest_set *s, const uint8_t *digest)
{
	uint64_t h;

	memcpy(&h, digest, sizeof(h));
	return (size_t)((h * 0x9e3779b97f4a7c15u) >> 17) & (s->room - 1);
}

const struct ay_digest_row *ay_digest_set_find(const struct ay_digest_set *s, uint16_t alg,
					       struct ay_bytes digest)
{
	if (s->room == 0 || digest.n == 0 || digest.n != ay_alg_digest_size(alg))
		return NULL;
	for (size_t i = slot_of(s, digest.p);; i = (i + 1) & (s->room - 1)) {
		const struct ay_digest_row *row = &s->row[i];

		if (row->digest == NULL)
			return NULL;
		if (row->alg == alg && memcmp(row->digest, digest.p, digest.n) == 0)
			return row;
	}
}

/* Room was made for all before; the digest is not there yet. */
static void insert(struct ay_digest_set *s, uint16_t alg, const uint8_t *digest, const char *path)
{
	size_t i = slot_of(s, digest);

	while (s->row[i].digest != NULL)
		i = (i + 1) & (s->room - 1);
	s->row[i] = (struct ay_digest_row){ digest, path, alg };
	s->n++;
}

static enum ay_rc make_room(struct ay_digest_set *s, size_t n, struct ay_arena *a, struct ay_err *e)
{
	s->room = 16;
	while (s->room < n * 2)
		s->room *= 2;
	s->row = ay_arena_array(a, s->room, sizeof(*s->row));
	return s->row != NULL ? AY_OK
			      : ay_fail(e, AY_E_NOMEM, "reference.rule", 0, "out of memory");
}

static enum ay_rc parse_file(uint16_t alg, const char *hex, const json_t *path, struct ay_arena *a,
			     struct ay_rule *r, struct ay_err *e)
{
	size_t n = ay_alg_digest_size(alg);
	uint8_t *p = ay_arena_alloc(a, n);
	char *name;
	enum ay_rc rc;

	if (!json_is_string(path) || json_string_length(path) > AY_MAX_TEXT_BYTES ||
	    strlen(json_string_value(path)) != json_string_length(path))
		return ay_json_bad(e, "reference.rule.digests", hex, "its path is not a text");
	name = ay_arena_str(a, ay_bytes_of(json_string_value(path)));
	if (p == NULL || name == NULL)
		return ay_fail(e, AY_E_NOMEM, "reference.rule", 0, "out of memory");
	rc = ay_hex_decode(ay_bytes_of(hex), "reference.rule.digests", p, n, e);
	if (rc != AY_OK)
		return rc;
	if (ay_digest_set_find(&r->files, alg, (struct ay_bytes){ p, n }) != NULL)
		return ay_json_bad(e, "reference.rule.digests", hex, "stands there twice");
	insert(&r->files, alg, p, name);
	return AY_OK;
}

static enum ay_rc parse_bank(const char *bank, const json_t *files, struct ay_arena *a,
			     struct ay_rule *r, struct ay_err *e)
{
	uint16_t alg = ay_alg_from_bank_name(ay_bytes_of(bank));
	enum ay_rc rc = AY_OK;
	const char *hex;
	json_t *path;

	if (ay_alg_digest_size(alg) == 0)
		return ay_json_bad(e, "reference.rule.digests", bank, "unknown algorithm");
	json_object_foreach ((json_t *)(uintptr_t)files, hex, path) {
		rc = parse_file(alg, hex, path, a, r, e);
		if (rc != AY_OK)
			break;
	}
	return rc;
}

static enum ay_rc count_files(const json_t *digests, size_t max, size_t *n, struct ay_err *e)
{
	const char *bank;
	json_t *files;

	*n = 0;
	json_object_foreach ((json_t *)(uintptr_t)digests, bank, files) {
		if (!json_is_object(files))
			return ay_json_bad(e, "reference.rule.digests", bank, "wrong type");
		*n += json_object_size(files);
	}
	if (*n > max)
		return ay_fail(e, AY_E_LIMIT, "reference.rule.digests", 0, "more than %zu digests",
			       max);
	return AY_OK;
}

enum ay_rc ay_rule_parse_files(const json_t *digests, size_t max, struct ay_arena *a,
			       struct ay_rule *r, struct ay_err *e)
{
	const char *bank;
	json_t *files;
	size_t n;
	enum ay_rc rc = count_files(digests, max, &n, e);

	if (rc == AY_OK)
		rc = make_room(&r->files, n, a, e);
	if (rc != AY_OK)
		return rc;
	json_object_foreach ((json_t *)(uintptr_t)digests, bank, files) {
		rc = parse_bank(bank, files, a, r, e);
		if (rc != AY_OK)
			break;
	}
	return rc;
}

static enum ay_rc parse(const json_t *o, struct ay_arena *a, struct ay_rule *r, struct ay_err *e)
{
	static const char *const known[] = { "kind", "digests", "violations", NULL };
	const json_t *digests;
	enum ay_rc rc = ay_json_only(o, known, "reference.rule", e);

	if (rc == AY_OK && r->part != AY_PART_RUNTIME)
		rc = ay_json_bad(e, "reference.rule", "kind", "files belong to part runtime");
	if (rc == AY_OK)
		rc = ay_json_u64(o, "reference.rule", "violations", false, INT64_MAX,
				 &r->violations, e);
	if (rc == AY_OK)
		rc = ay_json_object(o, "reference.rule", "digests", true, &digests, e);
	return rc == AY_OK ? ay_rule_parse_files(digests, AY_MAX_REFSET_FILES, a, r, e) : rc;
}

json_t *ay_rule_files_json(const struct ay_rule *r)
{
	json_t *digests = json_object();
	char hex[2 * AY_DIGEST_MAX + 1];

	for (size_t i = 0; i < r->files.room; i++) {
		const struct ay_digest_row *row = &r->files.row[i];
		const char *bank = ay_alg_bank_name(row->alg);

		if (row->digest == NULL)
			continue;
		ay_hex_encode((struct ay_bytes){ row->digest, ay_alg_digest_size(row->alg) }, hex);
		if ((json_object_get(digests, bank) == NULL &&
		     json_object_set_new(digests, bank, json_object()) != 0) ||
		    json_object_set_new(json_object_get(digests, bank), hex,
					json_string(row->path)) != 0) {
			json_decref(digests);
			return NULL;
		}
	}
	return digests;
}

static bool build(const struct ay_rule *r, json_t *o)
{
	return json_object_set_new(o, "violations", json_integer((json_int_t)r->violations)) == 0 &&
	       json_object_set_new(o, "digests", ay_rule_files_json(r)) == 0;
}

const struct ay_rule_kind ay_rule_files = {
	.name = "files",
	.doc = "file digests that an IMA list may have, and how many violations",
	.role = AY_ROLE_RUNTIME,
	.parse = parse,
	.build = build,
};
