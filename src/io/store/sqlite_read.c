/* SPDX-License-Identifier: Apache-2.0 */
#include "io/store/sqlite_impl.h"

#include <stdlib.h>

/* Reads of whole tables are rare (start, people): prepared each time. Those of requests are kept.
 */

/* One that is in use (a callback reads the same again) is not there: another is prepared. */
static sqlite3_stmt *take(struct ay_store *s, enum ay_read which)
{
	sqlite3_stmt *st = s->read[which];

	s->read[which] = NULL;
	return st;
}

/* Finishes a loop of steps; the statement holds no snapshot any more. */
static enum ay_rc give_back(struct ay_store *s, enum ay_read which, sqlite3_stmt *st, int last,
			    struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	if (last != SQLITE_DONE && last != SQLITE_ROW)
		rc = ay_sql_fail(s->rd, "store.read", e);
	if (rc != AY_OK || s->read[which] != NULL) {
		sqlite3_finalize(st);
		return rc;
	}
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	s->read[which] = st;
	return AY_OK;
}

/* SELECT of the row's columns with this tail. */
static enum ay_rc take_select(struct ay_store *s, enum ay_read which, const struct ay_row_type *t,
			      const char *table, const char *tail, sqlite3_stmt **st,
			      struct ay_err *e)
{
	char sql[AY_SQL_MAX];

	*st = take(s, which);
	if (*st != NULL)
		return AY_OK;
	ay_sql_select(t, table, tail, sql);
	return ay_sql_prepare(s->rd, sql, st, e);
}

void ay_sqlite_reads_close(struct ay_store *s)
{
	for (size_t i = 0; i < AY_COUNT(s->read); i++)
		sqlite3_finalize(s->read[i]);
	sqlite3_close_v2(s->rd);
}

/* Finishes a loop of steps. */
static enum ay_rc ended(sqlite3 *db, sqlite3_stmt *st, int last, struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	if (last != SQLITE_DONE && last != SQLITE_ROW)
		rc = ay_sql_fail(db, "store.read", e);
	sqlite3_finalize(st);
	return rc;
}

/* ---- hosts ---- */

static void append_columns(const struct ay_row_type *t, char sql[AY_SQL_MAX])
{
	for (size_t i = 0; i < t->n; i++) {
		strncat(sql, ", ", AY_SQL_MAX - strlen(sql) - 1);
		strncat(sql, t->table, AY_SQL_MAX - strlen(sql) - 1);
		strncat(sql, ".", AY_SQL_MAX - strlen(sql) - 1);
		strncat(sql, t->fields[i].column, AY_SQL_MAX - strlen(sql) - 1);
	}
}

static enum ay_rc prepare_hosts(struct ay_store *s, const char *tail, sqlite3_stmt **st,
				struct ay_err *e)
{
	char sql[AY_SQL_MAX] = "SELECT 0";

	append_columns(&ay_row_host, sql);
	append_columns(&ay_row_status, sql);
	append_columns(&ay_row_context, sql);
	strncat(sql,
		" FROM host JOIN host_status ON host_status.host = host.id "
		"LEFT JOIN host_context ON host_context.host = host.id ",
		sizeof(sql) - strlen(sql) - 1);
	strncat(sql, tail, sizeof(sql) - strlen(sql) - 1);
	return ay_sql_prepare(s->rd, sql, st, e);
}

/* What the last step gave. */
static int give_hosts(sqlite3_stmt *st, ay_host_cb *cb, void *arg, size_t *n)
{
	struct ay_host_row host;
	struct ay_host_status status;
	struct ay_host_context context;
	int r;

	for (*n = 0; (r = sqlite3_step(st)) == SQLITE_ROW; (*n)++) {
		int at = 1;

		ay_sql_read(st, at, &ay_row_host, &host);
		at += (int)ay_row_host.n;
		ay_sql_read(st, at, &ay_row_status, &status);
		at += (int)ay_row_status.n;
		ay_sql_read(st, at, &ay_row_context, &context);
		cb(arg, &host, &status, &context);
	}
	return r;
}

enum ay_rc ay_sqlite_hosts(struct ay_store *s, ay_host_cb *cb, void *arg, struct ay_err *e)
{
	sqlite3_stmt *st;
	size_t n;
	enum ay_rc rc = prepare_hosts(s, "ORDER BY host.id", &st, e);

	return rc != AY_OK ? rc : ended(s->rd, st, give_hosts(st, cb, arg, &n), e);
}

enum ay_rc ay_sqlite_host(struct ay_store *s, const struct ay_uuid *id, ay_host_cb *cb, void *arg,
			  struct ay_err *e)
{
	sqlite3_stmt *st = take(s, AY_RD_HOST);
	size_t n = 0;
	enum ay_rc rc = st != NULL ? AY_OK : prepare_hosts(s, "WHERE host.id = ?1", &st, e);

	if (rc != AY_OK)
		return rc;
	sqlite3_bind_blob(st, 1, id->b, 16, SQLITE_STATIC);
	rc = give_back(s, AY_RD_HOST, st, give_hosts(st, cb, arg, &n), e);
	if (rc == AY_OK && n == 0)
		return ay_fail(e, AY_E_NOENT, "host", 0, "no such host");
	return rc;
}

/* ---- history ---- */

enum ay_rc ay_sqlite_attestations(struct ay_store *s, uint64_t from, size_t limit, ay_attest_cb *cb,
				  void *arg, struct ay_err *e)
{
	struct ay_attest_past row;
	sqlite3_stmt *st;
	enum ay_rc rc =
		take_select(s, AY_RD_PAST, &ay_row_past, "attestation", "WHERE seq = ?1", &st, e);
	int r = SQLITE_DONE;

	if (rc != AY_OK)
		return rc;
	for (uint64_t seq = from; seq != 0 && limit > 0; limit--) {
		sqlite3_bind_int64(st, 1, (int64_t)seq);
		r = sqlite3_step(st);
		if (r != SQLITE_ROW)
			break; /* retention took the rest */
		ay_sql_read(st, 0, &ay_row_past, &row);
		seq = row.prev;
		cb(arg, &row);
		sqlite3_reset(st);
	}
	return give_back(s, AY_RD_PAST, st, r, e);
}

enum ay_rc ay_sqlite_history(struct ay_store *s, uint64_t from, size_t limit, ay_attest_cb *cb,
			     void *arg, struct ay_err *e)
{
	char sql[AY_SQL_MAX];
	struct ay_attest_past row;
	sqlite3_stmt *st;
	enum ay_rc rc;
	int r = SQLITE_DONE;

	ay_sql_select(&ay_row_past, "attestation", "WHERE seq <= ?1 ORDER BY seq DESC LIMIT ?2",
		      sql);
	rc = ay_sql_prepare(s->rd, sql, &st, e);
	if (rc != AY_OK)
		return rc;
	sqlite3_bind_int64(st, 1, from > INT64_MAX ? INT64_MAX : (int64_t)from);
	sqlite3_bind_int64(st, 2, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
	while ((r = sqlite3_step(st)) == SQLITE_ROW) {
		ay_sql_read(st, 0, &ay_row_past, &row);
		cb(arg, &row);
	}
	return ended(s->rd, st, r, e);
}

enum ay_rc ay_sqlite_read_blob(struct ay_store *s, struct ay_bytes id, struct ay_arena *a,
			       struct ay_bytes *out, struct ay_err *e)
{
	return ay_sqlite_blob(s->rd, id, a, out, e);
}

/* Chunks follow each other without gap; the last one may reach beyond what is asked. */
static enum ay_rc join_chunks(struct ay_store *s, sqlite3_stmt *st, struct ay_arena *a, uint8_t *to,
			      uint64_t octets, struct ay_err *e)
{
	uint64_t have = 0;

	while (have < octets && sqlite3_step(st) == SQLITE_ROW) {
		uint64_t start = (uint64_t)sqlite3_column_int64(st, 0);
		struct ay_bytes part;
		enum ay_rc rc;
		size_t n;

		if (start > have)
			break;
		rc = ay_sqlite_blob(s->rd, ay_sql_bytes(st, 1), a, &part, e);
		if (rc != AY_OK)
			return rc;
		if (start + part.n <= have)
			continue;
		n = part.n - (size_t)(have - start);
		n = n > octets - have ? (size_t)(octets - have) : n;
		memcpy(to + have, part.p + (have - start), n);
		have += n;
	}
	if (have < octets)
		return ay_fail(e, AY_E_NOENT, "store.ima", (size_t)have,
			       "the list is kept only up to octet %llu", (unsigned long long)have);
	return AY_OK;
}

enum ay_rc ay_sqlite_ima(struct ay_store *s, const struct ay_uuid *host, struct ay_bytes boot_id,
			 uint64_t octets, struct ay_arena *a, struct ay_bytes *out,
			 struct ay_err *e)
{
	uint8_t *to = ay_arena_alloc(a, (size_t)octets);
	sqlite3_stmt *st;
	enum ay_rc rc;

	if (to == NULL)
		return ay_fail(e, AY_E_NOMEM, "store.ima", 0, "no memory");
	rc = ay_sql_prepare(s->rd,
			    "SELECT start, content FROM ima_chunk WHERE host = ?1 AND boot_id = ?2 "
			    "ORDER BY start",
			    &st, e);
	if (rc != AY_OK)
		return rc;
	sqlite3_bind_blob(st, 1, host->b, 16, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, boot_id.n == 0 ? (const void *)"" : boot_id.p, (int)boot_id.n,
			  SQLITE_STATIC);
	rc = join_chunks(s, st, a, to, octets, e);
	sqlite3_finalize(st);
	if (rc == AY_OK)
		*out = (struct ay_bytes){ to, (size_t)octets };
	return rc;
}

/* ---- AIKs ---- */

enum ay_rc ay_sqlite_aiks(struct ay_store *s, const struct ay_uuid *host, ay_aik_cb *cb, void *arg,
			  struct ay_err *e)
{
	char sql[AY_SQL_MAX];
	struct ay_aik_row row;
	sqlite3_stmt *st;
	enum ay_rc rc;
	int r;

	ay_sql_select(&ay_row_aik, "aik", "WHERE host = ?1 ORDER BY enrolled_at DESC", sql);
	rc = ay_sql_prepare(s->rd, sql, &st, e);
	if (rc != AY_OK)
		return rc;
	sqlite3_bind_blob(st, 1, host->b, 16, SQLITE_STATIC);
	while ((r = sqlite3_step(st)) == SQLITE_ROW) {
		ay_sql_read(st, 0, &ay_row_aik, &row);
		cb(arg, &row);
	}
	return ended(s->rd, st, r, e);
}

/* ---- a second reader ---- */

/* Only what reads use is there: the connection. */
enum ay_rc ay_sqlite_reader(struct ay_store *s, struct ay_store **out, struct ay_err *e)
{
	struct ay_store *r = calloc(1, sizeof(*r));
	enum ay_rc rc;

	if (r == NULL)
		return ay_fail(e, AY_E_NOMEM, "store.reader", 0, "no memory");
	r->kind = s->kind;
	rc = ay_sql_connect(s->path, SQLITE_OPEN_READWRITE, &r->rd, e);
	if (rc == AY_OK)
		rc = ay_sql_exec(r->rd, "PRAGMA query_only = ON; PRAGMA cache_size = -512", e);
	if (rc != AY_OK) {
		ay_sqlite_reader_close(r);
		return rc;
	}
	*out = r;
	return AY_OK;
}

void ay_sqlite_reader_close(struct ay_store *r)
{
	ay_sqlite_reads_close(r);
	free(r);
}

/* ---- plain tables ---- */

#define READ_ALL(name, strct, rowtype, order)                                                      \
	enum ay_rc ay_sqlite_##name(struct ay_store *s, strct##_cb *cb, void *arg,                 \
				    struct ay_err *e)                                              \
	{                                                                                          \
		struct strct##_row row;                                                            \
		char sql[AY_SQL_MAX];                                                              \
		sqlite3_stmt *st;                                                                  \
		enum ay_rc rc;                                                                     \
		int r;                                                                             \
                                                                                                   \
		ay_sql_select(&rowtype, rowtype.table, "ORDER BY " order, sql);                    \
		rc = ay_sql_prepare(s->rd, sql, &st, e);                                           \
		if (rc != AY_OK)                                                                   \
			return rc;                                                                 \
		while ((r = sqlite3_step(st)) == SQLITE_ROW) {                                     \
			ay_sql_read(st, 0, &rowtype, &row);                                        \
			cb(arg, &row);                                                             \
		}                                                                                  \
		return ended(s->rd, st, r, e);                                                     \
	}

READ_ALL(refsets, ay_refset, ay_row_refset, "name, version")
READ_ALL(policies, ay_policy, ay_row_policy, "name, version")
READ_ALL(tokens, ay_token, ay_row_token, "created_at, id")
READ_ALL(approvals, ay_approval, ay_row_approval, "requested_at, id")
READ_ALL(users, ay_user, ay_row_user, "name")
READ_ALL(family, ay_family, ay_row_family, "kind, key")
READ_ALL(roles, ay_role, ay_row_role, "name")
READ_ALL(identities, ay_identity, ay_row_identity, "source, subject")
READ_ALL(sessions, ay_session, ay_row_session, "created_at, id")
READ_ALL(api_tokens, ay_api_token, ay_row_api_token, "created_at, id")

enum ay_rc ay_sqlite_idem(struct ay_store *s, struct ay_bytes key, ay_idem_cb *cb, void *arg,
			  struct ay_err *e)
{
	struct ay_idem_row row;
	sqlite3_stmt *st;
	enum ay_rc rc =
		take_select(s, AY_RD_IDEM, &ay_row_idem, "idempotency", "WHERE key = ?1", &st, e);
	int r;

	if (rc != AY_OK)
		return rc;
	ay_sql_bind_bytes(st, 1, key);
	while ((r = sqlite3_step(st)) == SQLITE_ROW) {
		ay_sql_read(st, 0, &ay_row_idem, &row);
		cb(arg, &row);
	}
	return give_back(s, AY_RD_IDEM, st, r, e);
}

enum ay_rc ay_sqlite_events(struct ay_store *s, uint64_t after, size_t limit, ay_event_cb *cb,
			    void *arg, struct ay_err *e)
{
	struct ay_event_row row;
	sqlite3_stmt *st;
	enum ay_rc rc = take_select(s, AY_RD_EVENTS, &ay_row_event, "event",
				    "WHERE seq > ?1 ORDER BY seq LIMIT ?2", &st, e);
	int r;

	if (rc != AY_OK)
		return rc;
	sqlite3_bind_int64(st, 1, (int64_t)after);
	sqlite3_bind_int64(st, 2, (int64_t)limit);
	while ((r = sqlite3_step(st)) == SQLITE_ROW) {
		ay_sql_read(st, 0, &ay_row_event, &row);
		cb(arg, &row);
	}
	return give_back(s, AY_RD_EVENTS, st, r, e);
}

enum ay_rc ay_sqlite_event_newest(struct ay_store *s, uint64_t *seq, struct ay_err *e)
{
	sqlite3_stmt *st = take(s, AY_RD_NEWEST);
	enum ay_rc rc =
		st != NULL ? AY_OK : ay_sql_prepare(s->rd, "SELECT MAX(seq) FROM event", &st, e);
	int r;

	if (rc != AY_OK)
		return rc;
	while ((r = sqlite3_step(st)) == SQLITE_ROW)
		*seq = (uint64_t)sqlite3_column_int64(st, 0);
	return give_back(s, AY_RD_NEWEST, st, r, e);
}

enum ay_rc ay_sqlite_audits(struct ay_store *s, uint64_t from, size_t limit, ay_audit_cb *cb,
			    void *arg, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sql_prepare(
		s->rd, "SELECT seq, record FROM audit WHERE seq >= ?1 ORDER BY seq LIMIT ?2", &st,
		e);
	int r;

	if (rc != AY_OK)
		return rc;
	sqlite3_bind_int64(st, 1, (int64_t)from);
	sqlite3_bind_int64(st, 2, (int64_t)limit);
	while ((r = sqlite3_step(st)) == SQLITE_ROW)
		cb(arg, (uint64_t)sqlite3_column_int64(st, 0), ay_sql_bytes(st, 1));
	return ended(s->rd, st, r, e);
}

enum ay_rc ay_sqlite_meta(struct ay_store *s, const char *key, struct ay_arena *a,
			  struct ay_bytes *out, struct ay_err *e)
{
	sqlite3_stmt *st;
	struct ay_bytes value;
	enum ay_rc rc = ay_sql_prepare(s->rd, "SELECT value FROM meta WHERE key = ?1", &st, e);
	int r;

	if (rc != AY_OK)
		return rc;
	sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC);
	r = sqlite3_step(st);
	if (r != SQLITE_ROW) {
		rc = ended(s->rd, st, r, e);
		return rc != AY_OK ? rc : ay_fail(e, AY_E_NOENT, "store.meta", 0, "no %s", key);
	}
	value = ay_sql_bytes(st, 0);
	*out = ay_arena_dup(a, value);
	if (out->p == NULL && value.n > 0)
		rc = ay_fail(e, AY_E_NOMEM, "store.meta", 0, "no memory");
	sqlite3_finalize(st);
	return rc;
}
