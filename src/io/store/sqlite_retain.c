/* SPDX-License-Identifier: Apache-2.0 */
#include "io/store/sqlite_impl.h"

/* How much one step looks at; the writer commits what others wait for in between. */
enum { STEP_ROWS = 2000 };

static enum ay_rc run(struct ay_store *s, const char *sql, const int64_t *params, size_t n,
		      struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sql_prepare(s->db, sql, &st, e);

	if (rc != AY_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		sqlite3_bind_int64(st, (int)i + 1, params[i]);
	if (sqlite3_step(st) != SQLITE_DONE)
		rc = ay_sql_fail(s->db, "store.retain", e);
	sqlite3_finalize(st);
	return rc;
}

/* One number; 0 when there is none. */
static enum ay_rc ask(struct ay_store *s, const char *sql, const int64_t *params, size_t n,
		      int64_t *out, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sql_prepare(s->db, sql, &st, e);

	*out = 0;
	if (rc != AY_OK)
		return rc;
	for (size_t i = 0; i < n; i++)
		sqlite3_bind_int64(st, (int)i + 1, params[i]);
	if (sqlite3_step(st) == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc;
}

void ay_sqlite_retain_begin(struct ay_store *s, const struct ay_retention *r)
{
	s->retain_run.phase = AY_RETAIN_HISTORY;
	s->retain_run.what = *r;
	s->retain_run.at = s->retain_run.floor;
}

/*
 * A span of numbers. It ends where something young stands: numbers grow with
 * time, but for clocks that were set back, whose rows then stay a while longer.
 */
static enum ay_rc history(struct ay_store *s, struct ay_err *e)
{
	struct ay_retain_run *r = &s->retain_run;
	int64_t span[] = { (int64_t)r->at, (int64_t)r->at + STEP_ROWS }, newest;
	int64_t drop[] = { span[0], span[1], r->what.attestations_before };
	enum ay_rc rc = ask(s, "SELECT MAX(at) FROM attestation WHERE seq >= ?1 AND seq < ?2", span,
			    2, &newest, e);

	if (rc != AY_OK)
		return rc;
	rc = run(s,
		 "DELETE FROM attestation WHERE seq >= ?1 AND seq < ?2 AND at < ?3 AND NOT EXISTS "
		 "(SELECT 1 FROM host_status s WHERE s.host = attestation.host AND "
		 "s.attestation = attestation.seq)",
		 drop, 3, e);
	if (rc != AY_OK)
		return rc;
	if (newest >= r->what.attestations_before || r->at + STEP_ROWS > s->next_attestation) {
		r->floor = r->at;
		r->phase = AY_RETAIN_EVENTS;
	} else {
		r->at += STEP_ROWS;
	}
	return AY_OK;
}

/* Drops what sql picks, STEP_ROWS at a time; the next phase when nothing is left. */
static enum ay_rc drop_some(struct ay_store *s, const char *sql, int64_t before,
			    enum ay_retain_phase next, struct ay_err *e)
{
	int64_t params[] = { before, STEP_ROWS };
	enum ay_rc rc = run(s, sql, params, 2, e);

	if (rc == AY_OK && sqlite3_changes(s->db) < STEP_ROWS)
		s->retain_run.phase = next;
	return rc;
}

/* Content that neither kept history nor a host's newest row names. */
static enum ay_rc drop_blobs(struct ay_store *s, struct ay_err *e)
{
	struct ay_retain_run *r = &s->retain_run;
	enum ay_rc rc = drop_some(
		s,
		"DELETE FROM blob WHERE id IN (SELECT id FROM blob WHERE used < ?1 "
		"AND NOT EXISTS (SELECT 1 FROM ima_chunk c WHERE c.content = blob.id) "
		"AND id NOT IN (SELECT pcrs FROM host_context WHERE pcrs IS NOT NULL) "
		"AND id NOT IN (SELECT boot_log FROM host_context WHERE boot_log IS NOT NULL) "
		"AND id NOT IN (SELECT a.report FROM host_status s JOIN attestation a ON "
		"a.seq = s.attestation) "
		"AND id NOT IN (SELECT a.pcrs FROM host_status s JOIN attestation a ON "
		"a.seq = s.attestation WHERE a.pcrs IS NOT NULL) "
		"AND id NOT IN (SELECT a.rules FROM host_status s JOIN attestation a ON "
		"a.seq = s.attestation WHERE a.rules IS NOT NULL) "
		"AND id NOT IN (SELECT a.extra FROM host_status s JOIN attestation a ON "
		"a.seq = s.attestation WHERE a.extra IS NOT NULL) "
		"AND id NOT IN (SELECT a.boot_log FROM host_status s JOIN attestation a "
		"ON a.seq = s.attestation WHERE a.boot_log IS NOT NULL) LIMIT ?2)",
		(int64_t)r->floor, AY_RETAIN_DIGESTS, e);

	if (rc == AY_OK && r->phase == AY_RETAIN_DIGESTS)
		rc = run(s, "DELETE FROM indexed WHERE id NOT IN (SELECT id FROM blob)", NULL, 0,
			 e);
	if (rc == AY_OK && r->phase == AY_RETAIN_DIGESTS && sqlite3_changes(s->db) == 0)
		r->phase = AY_RETAIN_INDEX; /* no digest lost its content */
	memset(r->digest, 0, sizeof(r->digest));
	return rc;
}

/* The next span of digests: those whose content went go too. */
static enum ay_rc sweep_digests(struct ay_store *s, struct ay_err *e)
{
	struct ay_retain_run *r = &s->retain_run;
	uint8_t from[sizeof(r->digest)];
	sqlite3_stmt *st;
	bool more = false;
	enum ay_rc rc = ay_sql_prepare(
		s->db,
		"SELECT digest FROM digest WHERE digest > ?1 ORDER BY digest LIMIT 1 OFFSET ?2",
		&st, e);

	if (rc != AY_OK)
		return rc;
	memcpy(from, r->digest, sizeof(from));
	ay_sql_bind_bytes(st, 1, AY_BYTES(from));
	sqlite3_bind_int(st, 2, STEP_ROWS);
	if (sqlite3_step(st) == SQLITE_ROW && ay_sql_bytes(st, 0).n == sizeof(r->digest)) {
		memcpy(r->digest, ay_sql_bytes(st, 0).p, sizeof(r->digest));
		more = true;
	}
	sqlite3_finalize(st);
	rc = ay_sql_prepare(s->db,
			    more ? "DELETE FROM digest WHERE digest >= ?1 AND digest <= ?2 AND "
				   "content NOT IN (SELECT n FROM indexed)"
				 : "DELETE FROM digest WHERE digest >= ?1 AND content NOT IN "
				   "(SELECT n FROM indexed)",
			    &st, e);
	if (rc != AY_OK)
		return rc;
	ay_sql_bind_bytes(st, 1, AY_BYTES(from));
	if (more)
		ay_sql_bind_bytes(st, 2, AY_BYTES(r->digest));
	if (sqlite3_step(st) != SQLITE_DONE)
		rc = ay_sql_fail(s->db, "store.retain", e);
	sqlite3_finalize(st);
	if (!more)
		r->phase = AY_RETAIN_INDEX;
	return rc;
}

static enum ay_rc index_old(struct ay_store *s, struct ay_err *e)
{
	bool more;
	enum ay_rc rc = ay_sqlite_index_old(s, &more, e);

	if (!more)
		s->retain_run.phase = AY_RETAIN_NONE;
	return rc;
}

static enum ay_rc one_step(struct ay_store *s, struct ay_err *e)
{
	struct ay_retain_run *r = &s->retain_run;

	switch (r->phase) {
	case AY_RETAIN_HISTORY:
		return history(s, e);
	case AY_RETAIN_EVENTS:
		return drop_some(
			s,
			"DELETE FROM event WHERE seq IN (SELECT seq FROM event WHERE at < ?1 "
			"AND seq < (SELECT MAX(seq) FROM event) ORDER BY seq LIMIT ?2)",
			r->what.events_before, AY_RETAIN_CHUNKS, e);
	case AY_RETAIN_CHUNKS:
		return drop_some(
			s,
			"DELETE FROM ima_chunk WHERE (host, boot_id, start) IN (SELECT host, "
			"boot_id, start FROM ima_chunk WHERE ended <> 0 AND ended < ?1 LIMIT ?2)",
			(int64_t)r->floor, AY_RETAIN_LOGS, e);
	case AY_RETAIN_LOGS:
		return drop_some(
			s,
			"DELETE FROM log_seen WHERE (host, log) IN (SELECT host, log FROM log_seen "
			"WHERE last_at <> 0 AND last_at < ?1 LIMIT ?2)",
			r->what.attestations_before, AY_RETAIN_BLOBS, e);
	case AY_RETAIN_BLOBS:
		return drop_blobs(s, e);
	case AY_RETAIN_DIGESTS:
		return sweep_digests(s, e);
	case AY_RETAIN_INDEX:
		return index_old(s, e);
	case AY_RETAIN_NONE:
		break;
	}
	return AY_OK;
}

enum ay_rc ay_sqlite_retain_step(struct ay_store *s, struct ay_err *e)
{
	bool drops_blobs = s->retain_run.phase == AY_RETAIN_BLOBS;
	enum ay_rc rc = ay_sql_exec(s->db, "BEGIN IMMEDIATE", e);

	if (rc != AY_OK)
		return rc;
	rc = one_step(s, e);
	if (rc == AY_OK)
		rc = ay_sql_exec(s->db, "COMMIT", e);
	else if (sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
		rc = AY_E_UNAVAIL;
	if (drops_blobs)
		memset(s->known, 0, sizeof(*s->known) * AY_KNOWN_BLOBS);
	return rc;
}

enum ay_rc ay_sqlite_retain(struct ay_store *s, const struct ay_retention *r, bool wait,
			    struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	pthread_mutex_lock(&s->lock);
	if (!s->retaining && !s->closing) {
		s->retain = *r;
		s->retain_asked = s->retaining = true;
		pthread_cond_signal(&s->more);
	}
	while (wait && s->retaining)
		pthread_cond_wait(&s->finished, &s->lock);
	if (wait)
		rc = s->retain_rc;
	pthread_mutex_unlock(&s->lock);
	return rc == AY_OK ? AY_OK : ay_fail(e, rc, "store.retain", 0, "retention failed");
}
