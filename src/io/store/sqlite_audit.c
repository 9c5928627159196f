/* SPDX-License-Identifier: Apache-2.0 */
/* Roots of full subtrees of the audit's tree, kept for proofs (core/authz/proof.h). */
#include "io/store/sqlite_impl.h"

enum ay_rc ay_sqlite_keep_nodes(struct ay_store *s, struct ay_err *e)
{
	const struct ay_audit_tree *t = &s->tree;
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, AY_ST_AUDIT_NODE, &st, e);

	for (unsigned b = 0; rc == AY_OK && b < t->n_made; b++) {
		sqlite3_bind_int64(st, 1, b + 1);
		sqlite3_bind_int64(st, 2, (int64_t)((t->size - 1) >> (b + 1)));
		sqlite3_bind_blob(st, 3, t->made[b], 32, SQLITE_STATIC);
		rc = ay_sqlite_run(s, st, e);
	}
	return rc;
}

static enum ay_rc nodes_missing(sqlite3 *db, bool *out, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc =
		ay_sql_prepare(db,
			       "SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM audit LIMIT 2)) "
			       "= 2 AND NOT EXISTS (SELECT 1 FROM audit_node)",
			       &st, e);

	if (rc != AY_OK)
		return rc;
	if (sqlite3_step(st) == SQLITE_ROW)
		*out = sqlite3_column_int(st, 0) != 0;
	else
		rc = ay_sql_fail(db, "store.nodes", e);
	sqlite3_finalize(st);
	return rc;
}

static enum ay_rc make_all(struct ay_store *s, struct ay_err *e)
{
	struct ay_audit_tree kept = s->tree;
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sql_prepare(s->db, "SELECT record FROM audit ORDER BY seq", &st, e);

	if (rc != AY_OK)
		return rc;
	memset(&s->tree, 0, sizeof(s->tree));
	while (rc == AY_OK && sqlite3_step(st) == SQLITE_ROW) {
		rc = ay_audit_tree_add(&s->tree, ay_sql_bytes(st, 0), e);
		if (rc == AY_OK)
			rc = ay_sqlite_keep_nodes(s, e);
	}
	sqlite3_finalize(st);
	s->tree = kept;
	return rc;
}

/* An audit of a time before there were nodes. A damaged one makes none, and its proofs fail. */
enum ay_rc ay_sqlite_make_nodes(struct ay_store *s, struct ay_err *e)
{
	bool missing = false;
	enum ay_rc rc = nodes_missing(s->db, &missing, e);

	if (rc != AY_OK || !missing)
		return rc;
	rc = ay_sql_exec(s->db, "BEGIN IMMEDIATE", e);
	if (rc != AY_OK)
		return rc;
	rc = make_all(s, e);
	if (rc == AY_OK)
		return ay_sql_exec(s->db, "COMMIT", e);
	if (sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
		return AY_E_UNAVAIL;
	return rc == AY_E_CRYPTO || rc == AY_E_INPUT ? AY_OK : rc;
}

static enum ay_rc leaf_of(struct ay_store *s, uint64_t index, uint8_t out[32], struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sql_prepare(s->rd, "SELECT record FROM audit WHERE seq = ?1", &st, e);

	if (rc != AY_OK)
		return rc;
	sqlite3_bind_int64(st, 1, (int64_t)index);
	if (sqlite3_step(st) == SQLITE_ROW)
		ay_audit_leaf_hash(ay_sql_bytes(st, 0), out);
	else
		rc = ay_fail(e, AY_E_NOENT, "audit", 0, "no record %llu",
			     (unsigned long long)index);
	sqlite3_finalize(st);
	return rc;
}

enum ay_rc ay_sqlite_audit_node(struct ay_store *s, unsigned level, uint64_t index, uint8_t out[32],
				struct ay_err *e)
{
	struct ay_bytes hash = { NULL, 0 };
	sqlite3_stmt *st;
	enum ay_rc rc;

	if (level == 0)
		return leaf_of(s, index, out, e);
	rc = ay_sql_prepare(s->rd, "SELECT hash FROM audit_node WHERE level = ?1 AND at = ?2", &st,
			    e);
	if (rc != AY_OK)
		return rc;
	sqlite3_bind_int64(st, 1, level);
	sqlite3_bind_int64(st, 2, (int64_t)index);
	if (sqlite3_step(st) == SQLITE_ROW)
		hash = ay_sql_bytes(st, 0);
	if (hash.n == 32)
		memcpy(out, hash.p, 32);
	else
		rc = ay_fail(e, AY_E_NOENT, "audit", 0, "no subtree %u/%llu", level,
			     (unsigned long long)index);
	sqlite3_finalize(st);
	return rc;
}
