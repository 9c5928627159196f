/* SPDX-License-Identifier: Apache-2.0 */
#include "core/authz/audit.h"

#include "core/crypto/hash.h"
#include "core/crypto/sigkey.h"

#include <assert.h>
#include <string.h>

enum { RECORD_VERSION = 1 };

enum ay_rc ay_audit_record_parse(struct ay_bytes in, struct ay_audit_record *out, struct ay_err *e)
{
	struct ay_audit_record a = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	if (ay_rd_u8(&r, "audit.version") != RECORD_VERSION && ay_rd_ok(&r))
		ay_rd_reject(&r, "audit.version", "unknown version");
	a.number = ay_rd_be64(&r, "audit.number");
	a.at = (int64_t)ay_rd_be64(&r, "audit.at");
	ay_rd_copy(&r, "audit.prev", a.prev, sizeof(a.prev));
	a.actor = ay_rd_vec16(&r, "audit.actor", AY_AUDIT_TEXT_MAX);
	a.action = ay_rd_vec16(&r, "audit.action", AY_AUDIT_TEXT_MAX);
	a.object = ay_rd_vec16(&r, "audit.object", AY_AUDIT_TEXT_MAX);
	a.detail = ay_rd_vec32(&r, "audit.detail", AY_AUDIT_DETAIL_MAX);
	rc = ay_rd_end(&r, "audit", e);
	*out = rc == AY_OK ? a : (struct ay_audit_record){ 0 };
	return rc;
}

void ay_audit_record_write(struct ay_writer *w, const struct ay_audit_record *r)
{
	ay_wr_u8(w, RECORD_VERSION);
	ay_wr_be64(w, r->number);
	ay_wr_be64(w, (uint64_t)r->at);
	ay_wr_bytes(w, AY_BYTES(r->prev));
	ay_wr_vec16(w, r->actor);
	ay_wr_vec16(w, r->action);
	ay_wr_vec16(w, r->object);
	ay_wr_vec32(w, r->detail);
}

void ay_audit_leaf_hash(struct ay_bytes record, uint8_t out[32])
{
	static const uint8_t zero = 0;
	struct ay_hash h;

	if (!ay_hash_init(&h, AY_ALG_SHA256))
		return;
	ay_hash_update(&h, (struct ay_bytes){ &zero, 1 });
	ay_hash_update(&h, record);
	ay_hash_final(&h, out);
}

void ay_audit_node_hash(const uint8_t left[32], const uint8_t right[32], uint8_t out[32])
{
	uint8_t pair[65] = { 1 };

	memcpy(pair + 1, left, 32);
	memcpy(pair + 33, right, 32);
	ay_sha256(AY_BYTES(pair), out);
}

/* Carry as in binary addition: two full subtrees of a size become one of the next. */
static void add_leaf(struct ay_audit_tree *t, const uint8_t leaf[32])
{
	uint8_t node[32];
	unsigned b = 0;

	memcpy(node, leaf, 32);
	for (; (t->size >> b) & 1; b++) {
		ay_audit_node_hash(t->full[b], node, node);
		memcpy(t->made[b], node, 32);
	}
	t->n_made = b;
	memcpy(t->full[b], node, 32);
	memcpy(t->last, leaf, 32);
	t->size++;
}

enum ay_rc ay_audit_tree_add(struct ay_audit_tree *t, struct ay_bytes record, struct ay_err *e)
{
	struct ay_audit_record a;
	uint8_t leaf[32];
	enum ay_rc rc = ay_audit_record_parse(record, &a, e);

	if (rc != AY_OK)
		return rc;
	if (AY_CHECKED("AUDIT_NUMBER", a.number != t->size))
		return ay_fail_code(e, AY_E_CRYPTO, "AUDIT_CHAIN", "audit.number",
				    "record %llu stands where %llu was expected",
				    (unsigned long long)a.number, (unsigned long long)t->size);
	if (AY_CHECKED("AUDIT_CHAIN", memcmp(a.prev, t->last, 32) != 0))
		return ay_fail_code(e, AY_E_CRYPTO, "AUDIT_CHAIN", "audit.prev",
				    "record %llu does not follow the one before it",
				    (unsigned long long)a.number);
	ay_audit_leaf_hash(record, leaf);
	add_leaf(t, leaf);
	return AY_OK;
}

/* Right to left: the smaller subtree is the right one [RFC6962 2.1]. */
void ay_audit_tree_root(const struct ay_audit_tree *t, uint8_t root[32])
{
	bool have = false;

	if (t->size == 0) {
		ay_sha256((struct ay_bytes){ NULL, 0 }, root);
		return;
	}
	for (unsigned b = 0; b < 64; b++) {
		if (!((t->size >> b) & 1))
			continue;
		if (have)
			ay_audit_node_hash(t->full[b], root, root);
		else
			memcpy(root, t->full[b], 32);
		have = true;
	}
}

void ay_audit_tree_write(struct ay_writer *w, const struct ay_audit_tree *t)
{
	ay_wr_be64(w, t->size);
	ay_wr_bytes(w, AY_BYTES(t->last));
	for (unsigned b = 0; b < 64; b++)
		if ((t->size >> b) & 1)
			ay_wr_bytes(w, AY_BYTES(t->full[b]));
}

enum ay_rc ay_audit_tree_parse(struct ay_bytes in, struct ay_audit_tree *out, struct ay_err *e)
{
	struct ay_audit_tree t = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	t.size = ay_rd_be64(&r, "tree.size");
	ay_rd_copy(&r, "tree.last", t.last, sizeof(t.last));
	for (unsigned b = 0; b < 64 && ay_rd_ok(&r); b++)
		if ((t.size >> b) & 1)
			ay_rd_copy(&r, "tree.full", t.full[b], sizeof(t.full[b]));
	rc = ay_rd_end(&r, "tree", e);
	*out = rc == AY_OK ? t : (struct ay_audit_tree){ 0 };
	return rc;
}

static enum ay_rc meet_head(struct ay_audit_check *c, struct ay_err *e)
{
	uint8_t root[32];

	if (c->head == NULL || c->head_met || c->tree.size != c->head->size)
		return AY_OK;
	ay_audit_tree_root(&c->tree, root);
	if (AY_CHECKED("AUDIT_HEAD", memcmp(root, c->head->root, 32) != 0))
		return ay_fail_code(e, AY_E_CRYPTO, "AUDIT_HEAD", "head.root",
				    "the first %llu records are not those the head was made of",
				    (unsigned long long)c->head->size);
	c->head_met = true;
	return AY_OK;
}

enum ay_rc ay_audit_check_add(struct ay_audit_check *c, struct ay_bytes record, struct ay_err *e)
{
	enum ay_rc rc = ay_audit_tree_add(&c->tree, record, e);

	return rc != AY_OK ? rc : meet_head(c, e);
}

enum ay_rc ay_audit_check_end(const struct ay_audit_check *c, struct ay_err *e)
{
	if (c->head == NULL || c->head->size == 0 || c->head_met)
		return AY_OK;
	if (AY_CHECKED("AUDIT_ROLLBACK", c->tree.size < c->head->size))
		return ay_fail_code(e, AY_E_CRYPTO, "AUDIT_ROLLBACK", "head.size",
				    "the head covers %llu records, only %llu are there",
				    (unsigned long long)c->head->size,
				    (unsigned long long)c->tree.size);
	return AY_OK;
}

/* ---- signed heads ---- */

void ay_audit_sealed_write(struct ay_writer *w, const struct ay_audit_head *h, int64_t at_ms)
{
	ay_wr_str(w, "assay-audit-head-1");
	ay_wr_be64(w, h->size);
	ay_wr_be64(w, (uint64_t)at_ms);
	ay_wr_bytes(w, AY_BYTES(h->root));
}

static enum ay_rc check_signature(const struct ay_audit_head *h, const struct ay_audit_seal *seal,
				  struct ay_err *e)
{
	uint8_t text[AY_AUDIT_SEALED_MAX];
	struct ay_sigkey *key = NULL;
	struct ay_writer w;
	struct ay_bytes sealed;
	enum ay_rc rc;

	ay_wr_init(&w, text, sizeof(text));
	ay_audit_sealed_write(&w, h, seal->at_ms);
	rc = ay_wr_end(&w, "head", &sealed, e);
	if (rc == AY_OK)
		rc = ay_sigkey_new_spki(seal->key, &key, e);
	if (rc == AY_OK)
		rc = ay_sigkey_verify(key, sealed, seal->signature, e);
	ay_sigkey_free(key);
	return rc;
}

enum ay_rc ay_audit_seal_check(const struct ay_audit_head *h, const struct ay_audit_seal *seal,
			       const uint8_t *pin, struct ay_err *e)
{
	uint8_t hash[32];
	enum ay_rc rc;

	if (!seal) {
		if (AY_CHECKED("AUDIT_HEAD_UNSIGNED", pin != NULL))
			return ay_fail_code(e, AY_E_CRYPTO, "AUDIT_HEAD_UNSIGNED", "head.signature",
					    "the head has no signature");
		return AY_OK;
	}
	ay_sha256(seal->key, hash);
	if (AY_CHECKED("AUDIT_HEAD_KEY", pin && memcmp(pin, hash, sizeof(hash)) != 0))
		return ay_fail_code(e, AY_E_CRYPTO, "AUDIT_HEAD_KEY", "head.key",
				    "the head is signed by another key than the one named");
	rc = check_signature(h, seal, e);
	if (AY_CHECKED("AUDIT_HEAD_SIGNATURE", rc == AY_E_CRYPTO || rc == AY_E_INPUT))
		return ay_fail_code(e, AY_E_CRYPTO, "AUDIT_HEAD_SIGNATURE", "head.signature",
				    "the signature is not by that key over this head");
	return rc == AY_E_CRYPTO || rc == AY_E_INPUT ? AY_OK : rc;
}
