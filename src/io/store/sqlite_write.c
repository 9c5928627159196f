/* SPDX-License-Identifier: Apache-2.0 */
#include "io/store/sqlite_impl.h"

#include <stdlib.h>

/* Text, or what to make it of: an insert of all fields of a row, or an update of them. */
struct stmt_def {
	const char *sql;
	const struct ay_row_type *insert;
	const struct ay_row_type *upsert; /* by `first` */
	const struct ay_row_type *update;
	const char *where;
	const char *first;
};

#define SQL(text)                                                                                  \
	{                                                                                          \
		.sql = (text)                                                                      \
	}
#define INSERT(row)                                                                                \
	{                                                                                          \
		.insert = &(row)                                                                   \
	}

/* When the host attested before attestation ?3, which is stored already. */
#define LAST_BEFORE                                                                                \
	"COALESCE((SELECT p.at FROM attestation a JOIN attestation p ON p.seq = a.prev "           \
	"WHERE a.seq = ?3), (SELECT at FROM attestation WHERE seq = ?3), 0)"

/* In order of enum ay_stmt. */
static const struct stmt_def defs[AY_STMTS] = {
	[AY_ST_BEGIN] = SQL("BEGIN IMMEDIATE"),
	[AY_ST_COMMIT] = SQL("COMMIT"),
	[AY_ST_ROLLBACK] = SQL("ROLLBACK"),
	[AY_ST_SAVEPOINT] = SQL("SAVEPOINT txn"),
	[AY_ST_RELEASE] = SQL("RELEASE txn"),
	[AY_ST_ROLLBACK_TO] = SQL("ROLLBACK TO txn"),
	[AY_ST_ATTEST_ADD] = SQL(
		"INSERT INTO attestation (seq, prev, host, at, version, verdict, lease_until, "
		"report_id, report, boot_id, pcrs, boot_log, ima_offset, attest, signature, "
		"nonce, exporter, inputs, rules, extra) SELECT ?1, attestation, host, ?2, ?3, ?4, "
		"?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?17, ?18, ?19 FROM host_status "
		"WHERE host = ?16 AND version = ?3 - 1"),
	[AY_ST_STATUS_SET] = { .update = &ay_row_status, .where = "host = ?14" },
	[AY_ST_STATUS_CAS] = { .update = &ay_row_status_kept,
			       .where = "host = ?13 AND version = ?1 - 1" },
	[AY_ST_CONTEXT_PUT] = { .upsert = &ay_row_context, .first = "host" },
	[AY_ST_STATUS_NEW] = { .insert = &ay_row_status, .first = "host" },
	[AY_ST_BLOB_ADD] =
		SQL("INSERT INTO blob (id, size, codec, packed, used) VALUES (?1, ?2, ?3, ?4, ?5) "
		    "ON CONFLICT (id) DO UPDATE SET used = excluded.used"),
	[AY_ST_BLOB_USED] = SQL("SELECT used FROM blob WHERE id = ?1"),
	[AY_ST_BLOB_USE] = SQL("UPDATE blob SET used = ?2 WHERE id = ?1"),
	[AY_ST_CHUNK_ADD] =
		SQL("INSERT INTO ima_chunk (host, boot_id, start, size, content, ended, first_at, "
		    "last_at) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, 0) "
		    "ON CONFLICT (host, boot_id, start) DO UPDATE SET size = excluded.size, "
		    "content = excluded.content, first_at = excluded.first_at"),
	[AY_ST_CHUNK_END] = SQL("UPDATE ima_chunk SET ended = ?3, last_at = " LAST_BEFORE
				" WHERE host = ?1 AND boot_id <> ?2 AND ended = 0"),
	[AY_ST_CHUNKS] = SQL("SELECT start, content FROM ima_chunk WHERE host = ?1 AND "
			     "boot_id = ?2 ORDER BY start"),
	[AY_ST_LOG_LEFT] = SQL("UPDATE log_seen SET last_at = " LAST_BEFORE
			       " WHERE host = ?1 AND log <> ?2 AND last_at = 0"),
	[AY_ST_LOG_SEEN] = SQL("INSERT INTO log_seen (host, log, first_at, last_at) "
			       "VALUES (?1, ?2, ?3, 0) ON CONFLICT (host, log) "
			       "DO UPDATE SET last_at = 0"),
	[AY_ST_INDEX_ADD] = SQL("INSERT INTO indexed (n, id, kind) VALUES (?1, ?2, ?3) "
				"ON CONFLICT (id) DO NOTHING"),
	[AY_ST_DIGEST_ADD] = SQL("INSERT INTO digest (digest, content) VALUES (?1, ?2) "
				 "ON CONFLICT (digest, content) DO NOTHING"),
	[AY_ST_AIK_PUT] =
		SQL("INSERT INTO aik (host, qualified_name, ak_public, cert, enrolled_at) "
		    "VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (host, qualified_name) DO UPDATE SET "
		    "ak_public = excluded.ak_public, cert = excluded.cert, "
		    "enrolled_at = excluded.enrolled_at"),
	[AY_ST_HOST_ADD] = INSERT(ay_row_host),
	[AY_ST_HOST_SET] = { .update = &ay_row_host, .where = "id = ?1 AND rev = ?2 - 1" },
	[AY_ST_HOST_EK] = SQL("SELECT pseudonym, state FROM host WHERE id = ?1"),
	[AY_ST_REFSET_ADD] = INSERT(ay_row_refset),
	[AY_ST_REFSET_NEXT] =
		SQL("SELECT COALESCE(MAX(version), 0) + 1 FROM reference_set WHERE name = ?1"),
	[AY_ST_REFSET_STATE] =
		SQL("UPDATE reference_set SET state = ?2, activated_at = CASE WHEN ?2 = 1 THEN ?3 "
		    "ELSE activated_at END WHERE id = ?1 AND state < ?2"),
	[AY_ST_REFSET_UNTIL] =
		SQL("UPDATE reference_set SET supersede_at = ?2 WHERE id = ?1 AND state = 1"),
	[AY_ST_POLICY_ADD] = INSERT(ay_row_policy),
	[AY_ST_POLICY_NEXT] =
		SQL("SELECT COALESCE(MAX(version), 0) + 1 FROM policy WHERE name = ?1"),
	[AY_ST_POLICY_STATE] = SQL("UPDATE policy SET state = ?2 WHERE id = ?1 AND state < ?2"),
	[AY_ST_TOKEN_ADD] = INSERT(ay_row_token),
	[AY_ST_TOKEN_SPEND] =
		SQL("UPDATE token SET used = used + 1, k = CASE WHEN used + 1 < uses THEN k END "
		    "WHERE id = ?1 AND used < uses AND revoked = 0 AND expires_at > ?2 "
		    "AND (for_host = 0 OR host = ?3)"),
	[AY_ST_TOKEN_GET] = SQL("SELECT uses, used, revoked, expires_at FROM token WHERE id = ?1"),
	[AY_ST_TOKEN_REVOKE] = SQL("UPDATE token SET revoked = 1, k = NULL WHERE id = ?1"),
	[AY_ST_USER_PUT] =
		SQL("INSERT INTO account (name, role, disabled, created_at, id, display, grants, "
		    "secrets, removed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) "
		    "ON CONFLICT (name) DO UPDATE SET role = excluded.role, "
		    "disabled = excluded.disabled, display = excluded.display, "
		    "grants = excluded.grants, secrets = excluded.secrets, "
		    "removed = excluded.removed"),
	[AY_ST_API_TOKEN_ADD] = INSERT(ay_row_api_token),
	[AY_ST_API_TOKEN_REVOKE] = SQL("UPDATE api_token SET revoked = 1 WHERE id = ?1"),
	[AY_ST_API_TOKEN_USED] =
		SQL("UPDATE api_token SET used_at = ?2 WHERE id = ?1 AND used_at < ?2"),
	[AY_ST_ROLE_PUT] =
		SQL("INSERT INTO role (name, permissions, scope, doc, created_at, removed) "
		    "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (name) DO UPDATE SET "
		    "permissions = excluded.permissions, scope = excluded.scope, "
		    "doc = excluded.doc, removed = excluded.removed"),
	[AY_ST_FAMILY_PUT] =
		SQL("INSERT INTO family (kind, key, body) VALUES (?1, ?2, ?3) "
		    "ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body"),
	[AY_ST_SESSION_PUT] =
		SQL("INSERT INTO session (hash, id, account, created_at, used_at, ended, mfa, "
		    "scheme, peer, agent) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
		    "ON CONFLICT (hash) DO UPDATE SET used_at = excluded.used_at, "
		    "ended = excluded.ended"),
	[AY_ST_SESSION_CLEAR] = SQL("DELETE FROM session WHERE ended <> 0"),
	[AY_ST_IDENTITY_PUT] =
		SQL("INSERT INTO identity (source, subject, account, state, detail, created_at) "
		    "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (source, subject) DO UPDATE SET "
		    "account = excluded.account, state = excluded.state, "
		    "detail = excluded.detail"),
	[AY_ST_APPROVAL_ADD] = INSERT(ay_row_approval),
	[AY_ST_APPROVAL_END] = { .update = &ay_row_approval_end, .where = "id = ?1 AND state = 0" },
	[AY_ST_IDEM_PUT] =
		SQL("INSERT INTO idempotency (key, request, at, status, secret, location, body) "
		    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (key) DO UPDATE SET "
		    "request = excluded.request, at = excluded.at, status = excluded.status, "
		    "secret = excluded.secret, location = excluded.location, "
		    "body = excluded.body"),
	[AY_ST_IDEM_DROP] = SQL("DELETE FROM idempotency WHERE key = ?1"),
	[AY_ST_IDEM_EXPIRE] = SQL("DELETE FROM idempotency WHERE at < ?1"),
	[AY_ST_EVENT_ADD] = INSERT(ay_row_event),
	[AY_ST_AUDIT_ADD] = SQL("INSERT INTO audit (seq, record) VALUES (?1, ?2)"),
	[AY_ST_AUDIT_NODE] =
		SQL("INSERT OR REPLACE INTO audit_node (level, at, hash) VALUES (?1, ?2, ?3)"),
	[AY_ST_META_PUT] = SQL("INSERT INTO meta (key, value) VALUES (?1, ?2) "
			       "ON CONFLICT (key) DO UPDATE SET value = excluded.value"),
	[AY_ST_DATA_VERSION] = SQL("PRAGMA data_version"),
	[AY_ST_EPOCH] = SQL("SELECT value FROM meta WHERE key = 'epoch'"),
};

static void make_sql(const struct stmt_def *d, char out[AY_SQL_MAX])
{
	if (d->upsert != NULL)
		ay_sql_upsert(d->upsert, d->first, out);
	else if (d->insert != NULL)
		ay_sql_insert(d->insert, d->first, out);
	else
		ay_sql_update(d->update, d->where, out);
}

enum ay_rc ay_sqlite_stmt(struct ay_store *s, enum ay_stmt which, sqlite3_stmt **out,
			  struct ay_err *e)
{
	char sql[AY_SQL_MAX];
	enum ay_rc rc = AY_OK;

	if (s->stmt[which] == NULL) {
		if (defs[which].sql == NULL)
			make_sql(&defs[which], sql);
		rc = ay_sql_prepare(s->db, defs[which].sql == NULL ? sql : defs[which].sql,
				    &s->stmt[which], e);
	}
	*out = s->stmt[which];
	return rc;
}

enum ay_rc ay_sqlite_run(struct ay_store *s, sqlite3_stmt *st, struct ay_err *e)
{
	int r = sqlite3_step(st);
	enum ay_rc rc = AY_OK;

	if (r != SQLITE_DONE && r != SQLITE_ROW)
		rc = ay_sql_fail(s->db, "store.write", e);
	sqlite3_reset(st);
	return rc;
}

/* An INSERT of a described row. */
static enum ay_rc insert(struct ay_store *s, enum ay_stmt which, const struct ay_row_type *t,
			 const void *row, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, which, &st, e);

	if (rc != AY_OK)
		return rc;
	ay_sql_bind(st, 1, t, row);
	return ay_sqlite_run(s, st, e);
}

/* 1 + the highest version of that name. */
static enum ay_rc next_version(struct ay_store *s, enum ay_stmt which, const char *name,
			       uint32_t *out, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, which, &st, e);

	if (rc != AY_OK)
		return rc;
	sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
	if (sqlite3_step(st) == SQLITE_ROW)
		*out = (uint32_t)sqlite3_column_int64(st, 0);
	else
		rc = ay_sql_fail(s->db, "store.version", e);
	sqlite3_reset(st);
	return rc;
}

static enum ay_rc add_refset(struct ay_store *s, const struct ay_refset_row *r,
			     struct ay_store_result *res, struct ay_err *e)
{
	struct ay_refset_row row = *r;
	enum ay_rc rc = AY_OK;

	if (row.version == 0)
		rc = next_version(s, AY_ST_REFSET_NEXT, row.name, &row.version, e);
	res->number = row.version;
	return rc != AY_OK ? rc : insert(s, AY_ST_REFSET_ADD, &ay_row_refset, &row, e);
}

static enum ay_rc add_policy(struct ay_store *s, const struct ay_policy_row *r,
			     struct ay_store_result *res, struct ay_err *e)
{
	struct ay_policy_row row = *r;
	enum ay_rc rc = AY_OK;

	if (row.version == 0)
		rc = next_version(s, AY_ST_POLICY_NEXT, row.name, &row.version, e);
	res->number = row.version;
	return rc != AY_OK ? rc : insert(s, AY_ST_POLICY_ADD, &ay_row_policy, &row, e);
}

/* One row is changed, or the refusal has this code. */
static enum ay_rc run_one(struct ay_store *s, sqlite3_stmt *st, enum ay_rc none, const char *code,
			  struct ay_err *e)
{
	enum ay_rc rc = ay_sqlite_run(s, st, e);

	if (rc == AY_OK && sqlite3_changes(s->db) != 1)
		return ay_fail_code(e, none, code, "store.write", "no row to change");
	return rc;
}

static enum ay_rc set_state(struct ay_store *s, enum ay_stmt which, const struct ay_write *w,
			    struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, which, &st, e);

	if (rc != AY_OK)
		return rc;
	sqlite3_bind_blob(st, 1, w->by_uuid.uuid.b, 16, SQLITE_STATIC);
	sqlite3_bind_int(st, 2, (int)w->by_uuid.state);
	if (which == AY_ST_REFSET_STATE)
		sqlite3_bind_int64(st, 3, w->by_uuid.at);
	return run_one(s, st, AY_E_EXISTS, "STATE", e);
}

static enum ay_rc set_until(struct ay_store *s, const struct ay_write *w, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, AY_ST_REFSET_UNTIL, &st, e);

	if (rc != AY_OK)
		return rc;
	sqlite3_bind_blob(st, 1, w->by_uuid.uuid.b, 16, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, w->by_uuid.at);
	return run_one(s, st, AY_E_EXISTS, "STATE", e);
}

/* Only what is pending ends: two who decide at once, or a replay, do it once. */
static enum ay_rc end_approval(struct ay_store *s, const struct ay_approval_end *end,
			       struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, AY_ST_APPROVAL_END, &st, e);

	if (rc != AY_OK)
		return rc;
	ay_sql_bind(st, 1, &ay_row_approval_end, end);
	return run_one(s, st, AY_E_EXISTS, "APPROVAL_DONE", e);
}

static enum ay_rc revoke(struct ay_store *s, enum ay_stmt which, struct ay_bytes id,
			 struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, which, &st, e);

	if (rc != AY_OK)
		return rc;
	ay_sql_bind_bytes(st, 1, id);
	return run_one(s, st, AY_E_NOENT, "TOKEN_UNKNOWN", e);
}

static enum ay_rc put_idem(struct ay_store *s, const struct ay_idem_row *row, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, AY_ST_IDEM_EXPIRE, &st, e);

	if (rc != AY_OK)
		return rc;
	sqlite3_bind_int64(st, 1, row->at - AY_IDEM_MS);
	rc = ay_sqlite_run(s, st, e);
	return rc == AY_OK ? insert(s, AY_ST_IDEM_PUT, &ay_row_idem, row, e) : rc;
}

static enum ay_rc drop_idem(struct ay_store *s, struct ay_bytes key, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, AY_ST_IDEM_DROP, &st, e);

	if (rc != AY_OK)
		return rc;
	ay_sql_bind_bytes(st, 1, key);
	return ay_sqlite_run(s, st, e);
}

static enum ay_rc add_event(struct ay_store *s, const struct ay_event_row *r,
			    struct ay_store_result *res, struct ay_err *e)
{
	struct ay_event_row row = *r;

	row.seq = s->next_event++;
	res->number = res->event = row.seq;
	return insert(s, AY_ST_EVENT_ADD, &ay_row_event, &row, e);
}

/* Whatever is too long for a record is cut rather than lost: an audit line is never refused. */
static struct ay_bytes text_of(const char *text, size_t max)
{
	struct ay_bytes b = ay_bytes_of(text == NULL ? "" : text);

	b.n = b.n > max ? max : b.n;
	return b;
}

/* A refusal of this change alone: attestations in the same commit go on. */
static enum ay_rc no_audit(struct ay_err *e)
{
	struct ay_err why = *e;

	return ay_fail_code(e, AY_E_UNAVAIL, "AUDIT_UNAVAILABLE", "store.audit",
			    "the audit takes no record: %.100s", why.text);
}

static enum ay_rc add_audit(struct ay_store *s, const struct ay_audit_row *r,
			    struct ay_store_result *res, struct ay_err *e)
{
	struct ay_audit_record rec = { .number = s->tree.size, .at = r->at };
	struct ay_bytes bytes;
	struct ay_writer w;
	sqlite3_stmt *st;
	enum ay_rc rc;

	memcpy(rec.prev, s->tree.last, sizeof(rec.prev));
	rec.actor = text_of(r->actor, AY_AUDIT_TEXT_MAX);
	rec.action = text_of(r->action, AY_AUDIT_TEXT_MAX);
	rec.object = text_of(r->object, AY_AUDIT_TEXT_MAX);
	rec.detail = text_of(r->detail, AY_AUDIT_DETAIL_MAX);
	ay_wr_init(&w, s->scratch, s->scratch_n);
	ay_audit_record_write(&w, &rec);
	rc = ay_wr_end(&w, "store.audit", &bytes, e);
	if (rc == AY_OK)
		rc = ay_sqlite_stmt(s, AY_ST_AUDIT_ADD, &st, e);
	if (rc != AY_OK)
		return rc;
	sqlite3_bind_int64(st, 1, (int64_t)rec.number);
	ay_sql_bind_bytes(st, 2, bytes);
	rc = ay_sqlite_run(s, st, e);
	if (rc != AY_OK)
		return no_audit(e);
	rc = ay_audit_tree_add(&s->tree, bytes, e);
	if (rc == AY_OK)
		rc = ay_sqlite_keep_nodes(s, e);
	s->tree_moved = true;
	res->number = rec.number;
	return rc;
}

static enum ay_rc put_meta(struct ay_store *s, const char *key, struct ay_bytes value,
			   struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, AY_ST_META_PUT, &st, e);

	if (rc != AY_OK)
		return rc;
	sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	sqlite3_bind_blob64(st, 2, value.n == 0 ? "" : (const void *)value.p, value.n,
			    SQLITE_STATIC);
	return ay_sqlite_run(s, st, e);
}

enum ay_rc ay_sqlite_keep_tree(struct ay_store *s, struct ay_err *e)
{
	uint8_t wire[AY_AUDIT_TREE_WIRE];
	struct ay_bytes bytes;
	struct ay_writer w;
	enum ay_rc rc;

	if (!s->tree_moved)
		return AY_OK;
	ay_wr_init(&w, wire, sizeof(wire));
	ay_audit_tree_write(&w, &s->tree);
	rc = ay_wr_end(&w, "store.tree", &bytes, e);
	if (rc == AY_OK)
		rc = put_meta(s, "audit.tree", bytes, e);
	s->tree_moved = rc != AY_OK;
	return rc;
}

static enum ay_rc token_used(struct ay_store *s, const struct ay_api_token_row *t, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, AY_ST_API_TOKEN_USED, &st, e);

	if (rc != AY_OK)
		return rc;
	ay_sql_bind_bytes(st, 1, t->id);
	sqlite3_bind_int64(st, 2, t->used_at);
	return ay_sqlite_run(s, st, e);
}

/* Sessions that ended are of no use: they go with the next write. */
static enum ay_rc put_session(struct ay_store *s, const struct ay_session_row *r, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = insert(s, AY_ST_SESSION_PUT, &ay_row_session, r, e);

	if (rc != AY_OK || !r->ended)
		return rc;
	rc = ay_sqlite_stmt(s, AY_ST_SESSION_CLEAR, &st, e);
	return rc != AY_OK ? rc : ay_sqlite_run(s, st, e);
}

enum ay_rc ay_sqlite_apply(struct ay_store *s, const struct ay_write *w,
			   struct ay_store_result *res, struct ay_err *e)
{
	switch (w->kind) {
	case AY_WR_ATTEST:
		return ay_sqlite_attest(s, w->attest, res, e);
	case AY_WR_HOST_ADD:
		return ay_sqlite_host_add(s, w->host, e);
	case AY_WR_HOST_UPDATE:
		return ay_sqlite_host_set(s, w->host, e);
	case AY_WR_HOST_STATUS:
		return ay_sqlite_host_status(s, &w->by_uuid.uuid, w->by_uuid.status,
					     w->by_uuid.context, e);
	case AY_WR_ENROL:
		return ay_sqlite_enrol(s, w->enrol, e);
	case AY_WR_REFSET_ADD:
		return add_refset(s, w->refset, res, e);
	case AY_WR_REFSET_STATE:
		return set_state(s, AY_ST_REFSET_STATE, w, e);
	case AY_WR_REFSET_UNTIL:
		return set_until(s, w, e);
	case AY_WR_APPROVAL_ADD:
		return insert(s, AY_ST_APPROVAL_ADD, &ay_row_approval, w->approval, e);
	case AY_WR_APPROVAL_END:
		return end_approval(s, w->approval_end, e);
	case AY_WR_POLICY_ADD:
		return add_policy(s, w->policy, res, e);
	case AY_WR_POLICY_STATE:
		return set_state(s, AY_ST_POLICY_STATE, w, e);
	case AY_WR_TOKEN_ADD:
		return insert(s, AY_ST_TOKEN_ADD, &ay_row_token, w->token, e);
	case AY_WR_TOKEN_REVOKE:
		return revoke(s, AY_ST_TOKEN_REVOKE, w->id, e);
	case AY_WR_USER_PUT:
		return insert(s, AY_ST_USER_PUT, &ay_row_user, w->user, e);
	case AY_WR_API_TOKEN_ADD:
		return insert(s, AY_ST_API_TOKEN_ADD, &ay_row_api_token, w->api_token, e);
	case AY_WR_API_TOKEN_REVOKE:
		return revoke(s, AY_ST_API_TOKEN_REVOKE, w->id, e);
	case AY_WR_API_TOKEN_USED:
		return token_used(s, w->api_token, e);
	case AY_WR_ROLE_PUT:
		return insert(s, AY_ST_ROLE_PUT, &ay_row_role, w->role, e);
	case AY_WR_FAMILY_PUT:
		return insert(s, AY_ST_FAMILY_PUT, &ay_row_family, w->family, e);
	case AY_WR_SESSION_PUT:
		return put_session(s, w->session, e);
	case AY_WR_IDENTITY_PUT:
		return insert(s, AY_ST_IDENTITY_PUT, &ay_row_identity, w->identity, e);
	case AY_WR_EVENT:
		return add_event(s, w->event, res, e);
	case AY_WR_AUDIT:
		return add_audit(s, w->audit, res, e);
	case AY_WR_IDEM_PUT:
		return put_idem(s, w->idem, e);
	case AY_WR_IDEM_DROP:
		return drop_idem(s, w->id, e);
	case AY_WR_META:
		return put_meta(s, w->meta.key, w->meta.value, e);
	}
	return ay_fail(e, AY_E_BUG, "store.write", 0, "unknown kind of write %d", (int)w->kind);
}
