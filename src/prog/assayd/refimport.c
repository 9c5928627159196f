/* SPDX-License-Identifier: Apache-2.0 */
/* Reference sets from elsewhere: who signed them, under which name they are taken. */
#include "prog/assayd/refs.h"
#include "prog/assayd/signers.h"

#include "core/base/hex.h"

/* The set of an envelope, by whom it is signed: an index of the signers. */
static enum ay_rc open_envelope(const struct ay_signers *s, const json_t *j, struct ay_refset **set,
				size_t *signer, struct ay_err *e)
{
	static const struct ay_signers nobody;
	struct ay_arena a;
	struct ay_dsse d;
	enum ay_rc rc;

	if (s == NULL)
		s = &nobody;
	ay_arena_init(&a, (size_t)2 * AY_MAX_REFSET_BYTES);
	rc = ay_dsse_from_json(j, &a, &d, e);
	if (rc == AY_OK)
		rc = ay_dsse_verify(&d, AY_DSSE_REFERENCE_SET,
				    (const struct ay_sigkey *const *)s->key, s->n, &a, signer, e);
	if (rc == AY_OK)
		rc = ay_refset_parse(d.payload, set, e);
	ay_arena_fini(&a);
	return rc;
}

static enum ay_rc open_document(const struct ay_signers *s, const json_t *j, struct ay_refset **set,
				size_t *signer, struct ay_err *e)
{
	*signer = AY_SIGNERS_MAX;
	if (ay_dsse_is_envelope(j))
		return open_envelope(s, j, set, signer, e);
	if (AY_CHECKED("REFERENCE_UNSIGNED", s != NULL && !s->unsigned_too))
		return ay_fail_code(e, AY_E_DENIED, "REFERENCE_UNSIGNED", "document",
				    "only signed sets are taken (reference_import_unsigned = no)");
	return ay_refset_from_json(j, set, e);
}

/* Under another name it is another set: the next version of that name, which says where from. */
static enum ay_rc rename_set(struct ay_engine *g, struct ay_refset **set, const char *name,
			     struct ay_err *e)
{
	AY_CLEANUP(ay_json_unref) json_t *j = ay_refset_json(*set, true);
	json_t *provenance = json_object_get(j, "provenance");
	uint32_t version = ay_refs_next_version(g->refs, name);

	ay_refset_free(*set);
	*set = NULL;
	if (j == NULL || json_object_del(j, "sha256") != 0 ||
	    json_object_set_new(j, "name", json_string(name)) != 0 ||
	    json_object_set_new(j, "version", json_integer(version)) != 0 ||
	    json_object_set_new(provenance, "source", json_string("imported")) != 0)
		return ay_fail(e, AY_E_NOMEM, "references", 0, "no memory");
	return ay_refset_from_json(j, set, e);
}

/* A version never changes: the same again is nothing new, another content no version of ours. */
static enum ay_rc is_new(const struct ay_refs *r, const struct ay_refset *set, struct ay_err *e)
{
	for (size_t i = 0; i < r->n_sets; i++) {
		const struct ay_refset *s = r->set[i].set;

		if (strcmp(s->name, set->name) != 0 || s->version != set->version)
			continue;
		if (memcmp(s->sha256, set->sha256, 32) == 0)
			return ay_fail_code(e, AY_E_EXISTS, "REFERENCE_EXISTS", "document",
					    "this very set is here already, %s",
					    ay_set_state_name(s->state));
		return ay_fail_code(e, AY_E_EXISTS, "REFERENCE_VERSION", "document",
				    "there is another version %u of %.60s: give it another name",
				    set->version, set->name);
	}
	return AY_OK;
}

static void say_signer(json_t *o, const struct ay_signers *s, size_t signer)
{
	char id[65];

	if (signer >= AY_SIGNERS_MAX || s == NULL || signer >= s->n) {
		json_object_set_new(o, "signer", json_null());
		json_object_set_new(
			o, "warning",
			json_string("the set is not signed: look at it before activating it"));
		return;
	}
	ay_hex_encode((struct ay_bytes){ ay_sigkey_id(s->key[signer]), 32 }, id);
	json_object_set_new(o, "signer",
			    json_pack("{ss ss ss}", "name", s->name[signer], "keyid", id, "alg",
				      ay_sigkey_alg(s->key[signer])));
}

enum ay_rc ay_engine_reference_import(struct ay_engine *g, const json_t *document,
				      struct ay_bytes name, const char *user, json_t **out,
				      struct ay_err *e)
{
	struct ay_refset *set = NULL;
	struct ay_set *kept = NULL;
	size_t signer;
	enum ay_rc rc = open_document(g->signers, document, &set, &signer, e);

	*out = NULL;
	if (rc == AY_OK && name.n > 0)
		rc = rename_set(g, &set, (const char *)name.p, e);
	if (rc == AY_OK)
		rc = is_new(g->refs, set, e);
	if (rc != AY_OK) {
		ay_refset_free(set);
		return rc;
	}
	set->state = AY_SET_DRAFT;
	rc = ay_refs_keep(g, set, user, &kept, e);
	if (rc != AY_OK)
		return rc;
	*out = ay_refs_set_json(kept, false);
	if (*out == NULL)
		return ay_fail(e, AY_E_NOMEM, "references", 0, "no memory");
	say_signer(*out, g->signers, signer);
	return AY_OK;
}

enum ay_rc ay_engine_reference_make(struct ay_engine *g, const json_t *document, const char *user,
				    json_t **out, struct ay_err *e)
{
	AY_CLEANUP(ay_json_unref) json_t *j = json_copy((json_t *)(uintptr_t)document);
	const char *name = json_string_value(json_object_get(document, "name"));
	uint32_t version = name == NULL ? 1 : ay_refs_next_version(g->refs, name);
	struct ay_refset *set = NULL;
	struct ay_set *kept = NULL;
	enum ay_rc rc;

	*out = NULL;
	if (j == NULL || json_object_set_new(j, "version", json_integer(version)) != 0)
		return ay_fail(e, AY_E_NOMEM, "references", 0, "no memory");
	rc = ay_refset_from_json(j, &set, e);
	if (rc != AY_OK)
		return rc;
	set->state = AY_SET_DRAFT;
	rc = ay_refs_keep(g, set, user, &kept, e);
	if (rc != AY_OK)
		return rc;
	*out = ay_refs_set_json(kept, false);
	return *out != NULL ? AY_OK : ay_fail(e, AY_E_NOMEM, "references", 0, "no memory");
}
