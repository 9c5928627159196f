/* SPDX-License-Identifier: Apache-2.0 */
/* The index of digests: made once for each distinct boot log and piece of an IMA list. */
#include "io/store/sqlite_impl.h"

#include "core/evlog/ima.h"
#include "core/evlog/tcg.h"

enum { KEY_OCTETS = 16, OLD_AT_ONCE = 16 };

/* Memory of one parsed log: events, and what the parser needs beside them. */
#define LOG_ARENA (64u << 20)

static enum ay_rc add_digest(struct ay_store *s, struct ay_bytes digest, int64_t number,
			     struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc;

	if (digest.n < KEY_OCTETS)
		return AY_OK;
	rc = ay_sqlite_stmt(s, AY_ST_DIGEST_ADD, &st, e);
	if (rc != AY_OK)
		return rc;
	sqlite3_bind_blob(st, 1, digest.p, KEY_OCTETS, SQLITE_STATIC);
	sqlite3_bind_int64(st, 2, number);
	return ay_sqlite_run(s, st, e);
}

static enum ay_rc index_event(struct ay_store *s, const struct ay_evlog *log, size_t i,
			      int64_t number, struct ay_err *e)
{
	const struct ay_event *ev = &log->event[i];
	enum ay_rc rc = AY_OK;

	if (ev->type == AY_EV_NO_ACTION)
		return AY_OK; /* it measures nothing */
	for (size_t k = 0; rc == AY_OK && k < log->n_banks; k++)
		if (ev->digest[k] != NULL)
			rc = add_digest(s,
					(struct ay_bytes){ ev->digest[k],
							   ay_alg_digest_size(log->bank[k]) },
					number, e);
	return rc;
}

/* A log that cannot be parsed has no digests to find. */
static enum ay_rc index_log(struct ay_store *s, struct ay_bytes content, int64_t number,
			    struct ay_err *e)
{
	struct ay_evlog log;
	struct ay_arena a;
	enum ay_rc rc = AY_OK;

	ay_arena_init(&a, LOG_ARENA);
	if (ay_evlog_parse(content, &a, &log, NULL) == AY_OK)
		for (size_t i = 0; rc == AY_OK && i < log.n_events; i++)
			rc = index_event(s, &log, i, number, e);
	ay_arena_fini(&a);
	return rc;
}

static enum ay_rc index_ima(struct ay_store *s, struct ay_bytes content, int64_t number,
			    struct ay_err *e)
{
	struct ay_ima_cursor c;
	struct ay_ima_entry en;
	enum ay_rc rc = AY_OK;

	ay_ima_begin(&c, content);
	while (rc == AY_OK && ay_ima_next(&c, &en))
		if (!en.violation)
			rc = add_digest(s, en.digest, number, e);
	return rc;
}

enum ay_rc ay_sqlite_index(struct ay_store *s, struct ay_bytes id, struct ay_bytes content,
			   enum ay_seen_in kind, int64_t number, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, AY_ST_INDEX_ADD, &st, e);

	if (rc != AY_OK)
		return rc;
	sqlite3_bind_int64(st, 1, number);
	ay_sql_bind_bytes(st, 2, id);
	sqlite3_bind_int(st, 3, (int)kind);
	rc = ay_sqlite_run(s, st, e);
	if (rc != AY_OK || sqlite3_changes(s->db) == 0)
		return rc; /* it is in the index */
	return kind == AY_SEEN_IN_LOG ? index_log(s, content, number, e)
				      : index_ima(s, content, number, e);
}

enum ay_rc ay_sqlite_log_seen(struct ay_store *s, const struct ay_attest_row *a, uint64_t seq,
			      struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_index(s, ay_blob_id(a->boot_log), ay_blob_data(a->boot_log),
					AY_SEEN_IN_LOG, 2 * (int64_t)seq, e);

	if (rc == AY_OK)
		rc = ay_sqlite_stmt(s, AY_ST_LOG_LEFT, &st, e);
	if (rc != AY_OK)
		return rc;
	sqlite3_bind_blob(st, 1, a->host.b, 16, SQLITE_STATIC);
	ay_sql_bind_bytes(st, 2, ay_blob_id(a->boot_log));
	sqlite3_bind_int64(st, 3, (int64_t)seq);
	rc = ay_sqlite_run(s, st, e);
	if (rc == AY_OK)
		rc = ay_sqlite_stmt(s, AY_ST_LOG_SEEN, &st, e);
	if (rc != AY_OK)
		return rc;
	sqlite3_bind_blob(st, 1, a->host.b, 16, SQLITE_STATIC);
	ay_sql_bind_bytes(st, 2, ay_blob_id(a->boot_log));
	sqlite3_bind_int64(st, 3, a->at);
	return ay_sqlite_run(s, st, e);
}

/* ---- a list that comes again ---- */

/* How many octets of this piece, from its begin, are the stored chunk's. */
static enum ay_rc compare(struct ay_store *s, struct ay_bytes id, struct ay_bytes with,
			  size_t *same, struct ay_err *e)
{
	struct ay_bytes stored;
	struct ay_arena a;
	enum ay_rc rc;
	size_t n;

	ay_arena_init(&a, AY_MAX_EVIDENCE_BYTES + 4096);
	rc = ay_sqlite_blob(s->db, id, &a, &stored, e);
	*same = 0;
	if (rc == AY_OK) {
		n = stored.n < with.n ? stored.n : with.n;
		*same = n > 0 && memcmp(stored.p, with.p, n) == 0 ? n : 0;
	}
	ay_arena_fini(&a);
	return rc == AY_E_NOENT || rc == AY_E_CRYPTO ? AY_OK : rc; /* then it is stored anew */
}

enum ay_rc ay_sqlite_ima_known(struct ay_store *s, const struct ay_attest_row *a, size_t *octets,
			       struct ay_err *e)
{
	const struct ay_blob *b = a->ima_chunk;
	size_t have = 0, same = 1;
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sqlite_stmt(s, AY_ST_CHUNKS, &st, e);

	*octets = 0;
	if (rc != AY_OK)
		return rc;
	sqlite3_bind_blob(st, 1, a->host.b, 16, SQLITE_STATIC);
	sqlite3_bind_blob(st, 2, a->boot_id.n == 0 ? (const void *)"" : a->boot_id.p,
			  (int)a->boot_id.n, SQLITE_STATIC);
	while (rc == AY_OK && same > 0 && have < b->n && sqlite3_step(st) == SQLITE_ROW) {
		if ((uint64_t)sqlite3_column_int64(st, 0) != have)
			continue;
		rc = compare(s, ay_sql_bytes(st, 1),
			     (struct ay_bytes){ b->data + have, b->n - have }, &same, e);
		have += same;
	}
	sqlite3_reset(st);
	*octets = rc == AY_OK ? have : 0;
	return rc;
}

/* ---- what was stored before there was an index ---- */

static enum ay_rc next_old_number(struct ay_store *s, int64_t *out, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sql_prepare(s->db, "SELECT MIN(0, COALESCE(MIN(n), 0)) - 1 FROM indexed",
				       &st, e);

	if (rc != AY_OK)
		return rc;
	if (sqlite3_step(st) == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	else
		rc = ay_sql_fail(s->db, "store.index", e);
	sqlite3_finalize(st);
	return rc;
}

static enum ay_rc index_one(struct ay_store *s, struct ay_bytes id, enum ay_seen_in kind,
			    struct ay_err *e)
{
	struct ay_bytes content;
	struct ay_arena a;
	int64_t number = -1;
	enum ay_rc rc = next_old_number(s, &number, e);

	ay_arena_init(&a, AY_MAX_EVIDENCE_BYTES + 4096);
	if (rc == AY_OK)
		rc = ay_sqlite_blob(s->db, id, &a, &content, e);
	if (rc == AY_OK)
		rc = ay_sqlite_index(s, id, content, kind, number, e);
	ay_arena_fini(&a);
	return rc == AY_E_CRYPTO ? AY_OK : rc;
}

enum ay_rc ay_sqlite_index_old(struct ay_store *s, bool *more, struct ay_err *e)
{
	struct {
		uint8_t id[32];
		enum ay_seen_in kind;
	} old[OLD_AT_ONCE];
	size_t n = 0;
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sql_prepare(
		s->db,
		"SELECT log, 1 FROM log_seen WHERE log NOT IN (SELECT id FROM indexed) AND log IN "
		"(SELECT id FROM blob) UNION SELECT content, 2 FROM ima_chunk WHERE content NOT IN "
		"(SELECT id FROM indexed) AND content IN (SELECT id FROM blob) LIMIT 16",
		&st, e);

	*more = false;
	if (rc != AY_OK)
		return rc;
	while (n < OLD_AT_ONCE && sqlite3_step(st) == SQLITE_ROW) {
		struct ay_bytes id = ay_sql_bytes(st, 0);

		if (id.n == sizeof(old[n].id)) {
			memcpy(old[n].id, id.p, id.n);
			old[n++].kind = (enum ay_seen_in)sqlite3_column_int(st, 1);
		}
	}
	sqlite3_finalize(st);
	for (size_t i = 0; rc == AY_OK && i < n; i++)
		rc = index_one(s, AY_BYTES(old[i].id), old[i].kind, e);
	*more = rc == AY_OK && n == OLD_AT_ONCE;
	return rc;
}

/* ---- asking ---- */

static void give(sqlite3_stmt *st, ay_sighting_cb *cb, void *arg)
{
	struct ay_bytes host = ay_sql_bytes(st, 0);
	struct ay_sighting r = { .kind = (enum ay_seen_in)sqlite3_column_int(st, 3),
				 .first_at = sqlite3_column_int64(st, 1),
				 .last_at = sqlite3_column_int64(st, 2),
				 .content = ay_sql_bytes(st, 4) };

	if (host.n != sizeof(r.host.b))
		return;
	memcpy(r.host.b, host.p, host.n);
	cb(arg, &r);
}

enum ay_rc ay_sqlite_sightings(struct ay_store *s, struct ay_bytes digest, ay_sighting_cb *cb,
			       void *arg, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc;
	int r;

	if (digest.n < KEY_OCTETS)
		return ay_fail(e, AY_E_INPUT, "digest", 0, "needs %d octets or more", KEY_OCTETS);
	rc = ay_sql_prepare(
		s->rd,
		"SELECT l.host, l.first_at, CASE l.last_at WHEN 0 THEN h.attested_at ELSE "
		"l.last_at END, i.kind, i.id FROM digest d JOIN indexed i ON i.n = d.content "
		"JOIN log_seen l ON l.log = i.id JOIN host_status h ON h.host = l.host "
		"WHERE d.digest = ?1 AND i.kind = 1 UNION ALL "
		"SELECT c.host, c.first_at, CASE c.ended WHEN 0 THEN h.attested_at ELSE c.last_at "
		"END, i.kind, i.id FROM digest d JOIN indexed i ON i.n = d.content "
		"JOIN ima_chunk c ON c.content = i.id JOIN host_status h ON h.host = c.host "
		"WHERE d.digest = ?1 AND i.kind = 2 ORDER BY 1",
		&st, e);
	if (rc != AY_OK)
		return rc;
	sqlite3_bind_blob(st, 1, digest.p, KEY_OCTETS, SQLITE_STATIC);
	while ((r = sqlite3_step(st)) == SQLITE_ROW)
		give(st, cb, arg);
	if (r != SQLITE_DONE)
		rc = ay_sql_fail(s->rd, "store.read", e);
	sqlite3_finalize(st);
	return rc;
}
