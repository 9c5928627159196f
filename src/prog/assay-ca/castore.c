/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-ca/castore.h"

#include "core/base/arena.h"

#include <sqlite3.h>
#include <stdlib.h>

enum { REVOKED_MAX = 100000, REASON_CEASED = 5 };

struct ay_castore {
	sqlite3 *db;
};

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS ticket (jti TEXT PRIMARY KEY, exp_s INTEGER NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS approval (ek_hash BLOB PRIMARY KEY, who TEXT NOT NULL,"
	" reason TEXT NOT NULL, at_ms INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS host (id BLOB PRIMARY KEY, ek_hash BLOB NOT NULL) WITHOUT "
	"ROWID;"
	"CREATE TABLE IF NOT EXISTS issued (serial BLOB PRIMARY KEY, host BLOB NOT NULL,"
	" ek_hash BLOB NOT NULL, ak_name BLOB NOT NULL, grade TEXT NOT NULL, ticket TEXT NOT NULL,"
	" at_ms INTEGER NOT NULL, not_after_ms INTEGER NOT NULL, cert BLOB NOT NULL,"
	" revoked_ms INTEGER, reason INTEGER) WITHOUT ROWID;"
	"CREATE INDEX IF NOT EXISTS issued_revoked ON issued (revoked_ms) WHERE revoked_ms NOT "
	"NULL;"
	"CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL)"
	" WITHOUT ROWID;"
	"INSERT OR IGNORE INTO meta VALUES ('crl_number', 0);"
	"INSERT OR IGNORE INTO meta VALUES ('schema', 1);";

static enum ay_rc fault(struct ay_castore *s, struct ay_err *e)
{
	return ay_fail(e, AY_E_UNAVAIL, "ca.db", 0, "%s", sqlite3_errmsg(s->db));
}

static enum ay_rc run(struct ay_castore *s, const char *sql, struct ay_err *e)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? AY_OK : fault(s, e);
}

/* One value for a statement. */
struct bind {
	enum { INT, TEXT, BLOB } kind;
	int64_t i;
	struct ay_bytes b;
};
#define B_INT(x)                                                                                   \
	{                                                                                          \
		.kind = INT, .i = (x)                                                              \
	}
#define B_TEXT(x)                                                                                  \
	{                                                                                          \
		.kind = TEXT, .b = (x)                                                             \
	}
#define B_BLOB(x)                                                                                  \
	{                                                                                          \
		.kind = BLOB, .b = (x)                                                             \
	}

static int bind_one(sqlite3_stmt *q, int at, const struct bind *v)
{
	switch (v->kind) {
	case INT:
		return sqlite3_bind_int64(q, at, v->i);
	case TEXT:
		return sqlite3_bind_text(q, at, (const char *)v->b.p, (int)v->b.n,
					 SQLITE_TRANSIENT);
	case BLOB:
		return sqlite3_bind_blob(q, at, v->b.p != NULL ? (const void *)v->b.p : "",
					 (int)v->b.n, SQLITE_TRANSIENT);
	default:
		return SQLITE_MISUSE;
	}
}

static enum ay_rc prepare(struct ay_castore *s, const char *sql, const struct bind *v, size_t n,
			  sqlite3_stmt **q, struct ay_err *e)
{
	if (sqlite3_prepare_v2(s->db, sql, -1, q, NULL) != SQLITE_OK)
		return fault(s, e);
	for (size_t i = 0; i < n; i++)
		if (bind_one(*q, (int)i + 1, &v[i]) != SQLITE_OK) {
			sqlite3_finalize(*q);
			*q = NULL;
			return fault(s, e);
		}
	return AY_OK;
}

static enum ay_rc change(struct ay_castore *s, const char *sql, const struct bind *v, size_t n,
			 int *changed, struct ay_err *e)
{
	sqlite3_stmt *q = NULL;
	enum ay_rc rc = prepare(s, sql, v, n, &q, e);

	if (rc != AY_OK)
		return rc;
	if (sqlite3_step(q) != SQLITE_DONE)
		rc = fault(s, e);
	sqlite3_finalize(q);
	*changed = sqlite3_changes(s->db);
	return rc;
}

/* The first column of the first row, 32 octets; *has false if there is no row. */
static enum ay_rc fetch32(struct ay_castore *s, const char *sql, struct ay_bytes key, bool *has,
			  uint8_t out[32], struct ay_err *e)
{
	const struct bind v[] = { B_BLOB(key) };
	sqlite3_stmt *q = NULL;
	enum ay_rc rc = prepare(s, sql, v, 1, &q, e);
	int step;

	*has = false;
	memset(out, 0, 32);
	if (rc != AY_OK)
		return rc;
	step = sqlite3_step(q);
	if (step == SQLITE_ROW && sqlite3_column_bytes(q, 0) == 32) {
		memcpy(out, sqlite3_column_blob(q, 0), 32);
		*has = true;
	} else if (step != SQLITE_DONE) {
		rc = fault(s, e);
	}
	sqlite3_finalize(q);
	return rc;
}

enum ay_rc ay_castore_open(const char *path, struct ay_castore **out, struct ay_err *e)
{
	struct ay_castore *s = calloc(1, sizeof(*s));
	enum ay_rc rc;

	*out = NULL;
	if (s == NULL)
		return ay_fail(e, AY_E_NOMEM, "ca.db", 0, "out of memory");
	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
	    SQLITE_OK)
		rc = ay_fail(e, AY_E_UNAVAIL, "ca.db", 0, "cannot be opened");
	else
		rc = run(s,
			 "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
			 "PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;",
			 e);
	if (rc == AY_OK)
		rc = run(s, schema, e);
	if (rc != AY_OK) {
		ay_castore_close(s);
		return rc;
	}
	*out = s;
	return AY_OK;
}

void ay_castore_close(struct ay_castore *s)
{
	if (s == NULL)
		return;
	sqlite3_close(s->db);
	free(s);
}

enum ay_rc ay_castore_use_ticket(struct ay_castore *s, const char *jti, int64_t exp_s,
				 int64_t now_s, struct ay_err *e)
{
	const struct bind now[] = { B_INT(now_s - 60) };
	const struct bind v[] = { B_TEXT(ay_bytes_of(jti)), B_INT(exp_s) };
	int changed;
	enum ay_rc rc = change(s, "DELETE FROM ticket WHERE exp_s < ?1", now, 1, &changed, e);

	if (rc == AY_OK)
		rc = change(s, "INSERT OR IGNORE INTO ticket VALUES (?1, ?2)", v, 2, &changed, e);
	if (rc == AY_OK && AY_CHECKED("TICKET_ONCE", changed != 1))
		return ay_fail_code(e, AY_E_EXISTS, "TICKET", "ticket.jti",
				    "it has served already");
	return rc;
}

enum ay_rc ay_castore_approve(struct ay_castore *s, const uint8_t ek_hash[32], struct ay_bytes who,
			      struct ay_bytes reason, int64_t now_ms, struct ay_err *e)
{
	const struct bind v[] = { B_BLOB(((struct ay_bytes){ ek_hash, 32 })), B_TEXT(who),
				  B_TEXT(reason), B_INT(now_ms) };
	int changed;

	return change(s, "INSERT OR REPLACE INTO approval VALUES (?1, ?2, ?3, ?4)", v, 4, &changed,
		      e);
}

enum ay_rc ay_castore_is_approved(struct ay_castore *s, const uint8_t ek_hash[32], bool *out,
				  struct ay_err *e)
{
	uint8_t unused[32];

	return fetch32(s, "SELECT ek_hash FROM approval WHERE ek_hash = ?1",
		       (struct ay_bytes){ ek_hash, 32 }, out, unused, e);
}

enum ay_rc ay_castore_host_ek(struct ay_castore *s, const struct ay_uuid *host, bool *has,
			      uint8_t ek_hash[32], struct ay_err *e)
{
	return fetch32(s, "SELECT ek_hash FROM host WHERE id = ?1", AY_BYTES(host->b), has, ek_hash,
		       e);
}

static enum ay_rc insert_issued(struct ay_castore *s, const struct ay_ca_issued *i,
				struct ay_err *e)
{
	const struct bind host[] = { B_BLOB(AY_BYTES(i->host.b)), B_BLOB(AY_BYTES(i->ek_hash)) };
	const struct bind v[] = {
		B_BLOB(i->serial),  B_BLOB(AY_BYTES(i->host.b)),   B_BLOB(AY_BYTES(i->ek_hash)),
		B_BLOB(i->ak_name), B_TEXT(ay_bytes_of(i->grade)), B_TEXT(ay_bytes_of(i->ticket)),
		B_INT(i->at_ms),    B_INT(i->not_after_ms),	   B_BLOB(i->cert),
	};
	int changed;
	enum ay_rc rc =
		change(s, "INSERT OR REPLACE INTO host VALUES (?1, ?2)", host, 2, &changed, e);

	if (rc == AY_OK)
		rc = change(s,
			    "INSERT INTO issued VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL,"
			    " NULL)",
			    v, AY_COUNT(v), &changed, e);
	return rc;
}

enum ay_rc ay_castore_issue(struct ay_castore *s, const struct ay_ca_issued *i, struct ay_err *e)
{
	enum ay_rc rc = run(s, "BEGIN IMMEDIATE", e);

	if (rc != AY_OK)
		return rc;
	rc = insert_issued(s, i, e);
	if (rc == AY_OK)
		rc = run(s, "COMMIT", e);
	if (rc != AY_OK && run(s, "ROLLBACK", NULL) != AY_OK)
		return rc; /* nothing was begun any more */
	return rc;
}

enum ay_rc ay_castore_revoke(struct ay_castore *s, struct ay_bytes serial, unsigned reason,
			     int64_t now_ms, struct ay_err *e)
{
	const struct bind v[] = { B_BLOB(serial), B_INT(now_ms), B_INT(reason) };
	int changed;
	enum ay_rc rc = change(s,
			       "UPDATE issued SET revoked_ms = coalesce(revoked_ms, ?2),"
			       " reason = coalesce(reason, ?3) WHERE serial = ?1",
			       v, 3, &changed, e);

	if (rc == AY_OK && changed == 0)
		return ay_fail_code(e, AY_E_NOENT, "NO_CERTIFICATE", "serial",
				    "no such certificate was issued");
	if (rc == AY_OK && reason == REASON_CEASED)
		rc = change(s,
			    "DELETE FROM host WHERE id IN (SELECT host FROM issued WHERE serial ="
			    " ?1)",
			    v, 1, &changed, e);
	return rc;
}

static enum ay_rc read_revoked(sqlite3_stmt *q, struct ay_arena *a, struct ay_revoked **list,
			       size_t *n, struct ay_err *e)
{
	size_t max = 64;
	struct ay_revoked *v = ay_arena_array(a, max, sizeof(*v)), *more;

	*n = 0;
	while (v != NULL && sqlite3_step(q) == SQLITE_ROW) {
		struct ay_bytes serial = { sqlite3_column_blob(q, 0),
					   (size_t)sqlite3_column_bytes(q, 0) };

		if (*n == max) {
			more = ay_arena_array(a, max *= 2, sizeof(*v));
			if (more == NULL || max > REVOKED_MAX)
				return ay_fail(e, AY_E_LIMIT, "crl", 0, "too many entries");
			memcpy(more, v, *n * sizeof(*v));
			v = more;
		}
		v[*n].serial = ay_arena_dup(a, serial);
		v[(*n)++].at_ms = sqlite3_column_int64(q, 1);
	}
	*list = v;
	return v != NULL ? AY_OK : ay_fail(e, AY_E_NOMEM, "crl", 0, "out of memory");
}

static enum ay_rc next_number(struct ay_castore *s, uint64_t *out, struct ay_err *e)
{
	sqlite3_stmt *q = NULL;
	enum ay_rc rc = prepare(s,
				"UPDATE meta SET value = value + 1 WHERE name = 'crl_number'"
				" RETURNING value",
				NULL, 0, &q, e);

	if (rc != AY_OK)
		return rc;
	if (sqlite3_step(q) == SQLITE_ROW)
		*out = (uint64_t)sqlite3_column_int64(q, 0);
	else
		rc = fault(s, e);
	sqlite3_finalize(q);
	return rc;
}

enum ay_rc ay_castore_revoked(struct ay_castore *s, int64_t now_ms, struct ay_arena *a,
			      struct ay_revoked **list, size_t *n, uint64_t *crl_number,
			      struct ay_err *e)
{
	const struct bind v[] = { B_INT(now_ms) };
	sqlite3_stmt *q = NULL;
	enum ay_rc rc = next_number(s, crl_number, e);

	if (rc == AY_OK)
		rc = prepare(s,
			     "SELECT serial, revoked_ms FROM issued WHERE revoked_ms NOT NULL AND"
			     " not_after_ms >= ?1 ORDER BY serial",
			     v, 1, &q, e);
	if (rc != AY_OK)
		return rc;
	rc = read_revoked(q, a, list, n, e);
	sqlite3_finalize(q);
	return rc;
}
