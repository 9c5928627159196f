/* SPDX-License-Identifier: Apache-2.0 */
#include "io/store/sqlite_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct migration {
	int number;
	const char *name;
	const char *sql;
};

/* migrations[], made of schema/ when the program is built */
#include "migrations.inc"

enum ay_rc ay_sql_fail(sqlite3 *db, const char *what, struct ay_err *e)
{
	return ay_fail(e, AY_E_UNAVAIL, what, 0, "database: %s", sqlite3_errmsg(db));
}

enum ay_rc ay_sql_exec(sqlite3 *db, const char *sql, struct ay_err *e)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return ay_sql_fail(db, "store.exec", e);
	return AY_OK;
}

enum ay_rc ay_sql_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, struct ay_err *e)
{
	if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) != SQLITE_OK)
		return ay_sql_fail(db, "store.prepare", e);
	return AY_OK;
}

enum ay_rc ay_sql_connect(const char *path, int flags, sqlite3 **out, struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	*out = NULL;
	if (sqlite3_open_v2(path, out, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
		rc = ay_fail(e, AY_E_UNAVAIL, "store.open", 0, "%s: %s", path,
			     *out == NULL ? "no memory" : sqlite3_errmsg(*out));
		sqlite3_close_v2(*out);
		*out = NULL;
		return rc;
	}
	sqlite3_extended_result_codes(*out, 1);
	sqlite3_busy_timeout(*out, 10000);
	return ay_sql_exec(*out, "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY", e);
}

/* ---- opening ---- */

/* Made by us with mode 0600, so that SQLite gives its WAL the same. */
static enum ay_rc make_file(const struct ay_store_config *cfg, struct ay_err *e)
{
	int fd = open(cfg->path, O_RDWR | O_CLOEXEC | (cfg->create ? O_CREAT : 0), 0600);

	if (fd < 0)
		return ay_fail(e, errno == ENOENT ? AY_E_NOENT : AY_E_UNAVAIL, "store.path", 0,
			       "%s: %s", cfg->path, strerror(errno));
	close(fd);
	return AY_OK;
}

/* Two servers on one database would each believe their own memory. */
static enum ay_rc lock_file(struct ay_store *s, struct ay_err *e)
{
	size_t n = strlen(s->path);
	char *name = malloc(n + sizeof(".lock"));

	if (name == NULL)
		return ay_fail(e, AY_E_NOMEM, "store.lock", 0, "no memory");
	memcpy(name, s->path, n);
	memcpy(name + n, ".lock", sizeof(".lock"));
	s->lock_fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	free(name);
	if (s->lock_fd < 0)
		return ay_fail(e, AY_E_UNAVAIL, "store.lock", 0, "lock file: %s", strerror(errno));
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0)
		return ay_fail_code(e, AY_E_UNAVAIL, "STORE_IN_USE", "store.lock",
				    "another server has this database open");
	return AY_OK;
}

static enum ay_rc schema_number(sqlite3 *db, int *out, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc =
		ay_sql_prepare(db, "SELECT COALESCE(MAX(number), 0) FROM migration", &st, e);

	*out = 0;
	if (rc != AY_OK)
		return rc;
	if (sqlite3_step(st) == SQLITE_ROW)
		*out = sqlite3_column_int(st, 0);
	else
		rc = ay_sql_fail(db, "store.schema", e);
	sqlite3_finalize(st);
	return rc;
}

static enum ay_rc note_migration(sqlite3 *db, int number, const char *name, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sql_prepare(
		db, "INSERT INTO migration (number, name, applied_at) VALUES (?1, ?2, ?3)", &st, e);

	if (rc != AY_OK)
		return rc;
	sqlite3_bind_int(st, 1, number);
	sqlite3_bind_text(st, 2, name, -1, SQLITE_STATIC);
	sqlite3_bind_int64(st, 3, (int64_t)time(NULL) * 1000);
	if (sqlite3_step(st) != SQLITE_DONE)
		rc = ay_sql_fail(db, "store.schema", e);
	sqlite3_finalize(st);
	return rc;
}

static enum ay_rc migrate_all(sqlite3 *db, struct ay_err *e)
{
	int have;
	enum ay_rc rc = schema_number(db, &have, e);

	if (rc == AY_OK && have > (int)AY_COUNT(migrations))
		return ay_fail_code(e, AY_E_INPUT, "STORE_SCHEMA", "store.schema",
				    "the database has schema %d, this program knows %d", have,
				    (int)AY_COUNT(migrations));
	for (size_t i = (size_t)have; rc == AY_OK && i < AY_COUNT(migrations); i++) {
		rc = ay_sql_exec(db, migrations[i].sql, e);
		if (rc == AY_OK)
			rc = note_migration(db, migrations[i].number, migrations[i].name, e);
	}
	return rc;
}

/* All missing migrations in one transaction: a failing one leaves the database as it was. */
static enum ay_rc migrate(sqlite3 *db, struct ay_err *e)
{
	enum ay_rc rc = ay_sql_exec(db,
				    "BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS migration "
				    "(number INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, "
				    "applied_at INTEGER NOT NULL)",
				    e);

	if (rc == AY_OK)
		rc = migrate_all(db, e);
	if (rc == AY_OK)
		return ay_sql_exec(db, "COMMIT", e);
	if (sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
		return AY_E_UNAVAIL;
	return rc;
}

/* A new database gets its epoch: what tells a restored one from the one before. */
static enum ay_rc make_epoch(sqlite3 *db, struct ay_err *e)
{
	uint8_t random[16];
	sqlite3_stmt *st;
	enum ay_rc rc;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return ay_fail(e, AY_E_UNAVAIL, "store.epoch", 0, "no random octets");
	rc = ay_sql_prepare(db,
			    "INSERT INTO meta (key, value) VALUES ('epoch', ?1) "
			    "ON CONFLICT (key) DO NOTHING",
			    &st, e);
	if (rc != AY_OK)
		return rc;
	ay_sql_bind_bytes(st, 1, AY_BYTES(random));
	if (sqlite3_step(st) != SQLITE_DONE)
		rc = ay_sql_fail(db, "store.epoch", e);
	sqlite3_finalize(st);
	return rc;
}

static enum ay_rc open_db(struct ay_store *s, struct ay_err *e)
{
	enum ay_rc rc = ay_sql_connect(s->path, SQLITE_OPEN_READWRITE, &s->db, e);

	if (rc == AY_OK)
		rc = ay_sql_exec(s->db,
				 "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
				 "PRAGMA cache_size = -2048; PRAGMA wal_autocheckpoint = 4000",
				 e);
	if (rc == AY_OK)
		rc = migrate(s->db, e);
	if (rc == AY_OK)
		rc = make_epoch(s->db, e);
	if (rc == AY_OK)
		rc = ay_sql_connect(s->path, SQLITE_OPEN_READWRITE, &s->rd, e);
	if (rc == AY_OK)
		rc = ay_sql_exec(s->rd, "PRAGMA query_only = ON", e);
	return rc;
}

static enum ay_rc next_of(sqlite3 *db, const char *sql, uint64_t *out, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sql_prepare(db, sql, &st, e);

	if (rc != AY_OK)
		return rc;
	if (sqlite3_step(st) == SQLITE_ROW)
		*out = (uint64_t)sqlite3_column_int64(st, 0) + 1;
	else
		rc = ay_sql_fail(db, "store.number", e);
	sqlite3_finalize(st);
	return rc;
}

static enum ay_rc load_meta(struct ay_store *s, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sql_prepare(
		s->db, "SELECT key, value FROM meta WHERE key IN ('audit.tree', 'epoch')", &st, e);

	memset(&s->tree, 0, sizeof(s->tree));
	while (rc == AY_OK && sqlite3_step(st) == SQLITE_ROW) {
		struct ay_bytes value = ay_sql_bytes(st, 1);

		if (strcmp((const char *)sqlite3_column_text(st, 0), "epoch") != 0)
			rc = ay_audit_tree_parse(value, &s->tree, e);
		else if (value.n == sizeof(s->epoch))
			memcpy(s->epoch, value.p, value.n);
	}
	sqlite3_finalize(st);
	return rc;
}

enum ay_rc ay_sqlite_reload(struct ay_store *s, struct ay_err *e)
{
	enum ay_rc rc = next_of(s->db, "SELECT COALESCE(MAX(seq), 0) FROM attestation",
				&s->next_attestation, e);

	if (rc == AY_OK)
		rc = next_of(s->db, "SELECT COALESCE(MAX(seq), 0) FROM event", &s->next_event, e);
	if (rc == AY_OK)
		rc = load_meta(s, e);
	s->tree_moved = false;
	memset(s->known, 0, sizeof(*s->known) * AY_KNOWN_BLOBS);
	return rc;
}

static enum ay_rc start(struct ay_store *s, struct ay_err *e)
{
	pthread_condattr_t monotonic;

	s->data_version = -1;
	s->queue.end = &s->queue.first;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->more, &monotonic);
	pthread_cond_init(&s->finished, NULL);
	pthread_condattr_destroy(&monotonic);
	s->started = pthread_create(&s->thread, NULL, ay_sqlite_writer, s) == 0;
	if (!s->started)
		return ay_fail(e, AY_E_NOMEM, "store.open", 0, "no thread");
	return AY_OK;
}

static void sqlite_close(struct ay_store *s)
{
	if (s->started) {
		pthread_mutex_lock(&s->lock);
		s->closing = true;
		pthread_cond_broadcast(&s->more);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->thread, NULL);
		pthread_cond_destroy(&s->more);
		pthread_cond_destroy(&s->finished);
		pthread_mutex_destroy(&s->lock);
	}
	for (size_t i = 0; i < AY_STMTS; i++)
		sqlite3_finalize(s->stmt[i]);
	ay_sqlite_reads_close(s);
	sqlite3_close_v2(s->db);
	ZSTD_freeCCtx(s->zstd);
	if (s->done_fd >= 0)
		close(s->done_fd);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s->known);
	free(s->scratch);
	free(s->done);
	free(s);
}

static struct ay_store *alloc_store(const struct ay_store_config *cfg)
{
	size_t n = strlen(cfg->path) + 1;
	struct ay_store *s = calloc(1, sizeof(*s) + n);

	if (s == NULL)
		return NULL;
	memcpy(s->path, cfg->path, n);
	s->kind = &ay_store_sqlite;
	s->pause_min_ms = cfg->pause_min_ms == 0 ? 2 : cfg->pause_min_ms;
	s->pause_max_ms = cfg->pause_max_ms == 0 ? 50 : cfg->pause_max_ms;
	s->lock_fd = -1;
	s->retain_run.floor = 1;
	s->scratch_n = AY_AUDIT_RECORD_MAX;
	s->scratch = malloc(s->scratch_n);
	s->known = calloc(AY_KNOWN_BLOBS, sizeof(*s->known));
	s->zstd = ZSTD_createCCtx();
	s->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->scratch != NULL && s->known != NULL && s->zstd != NULL && s->done_fd >= 0)
		return s;
	sqlite_close(s);
	return NULL;
}

static enum ay_rc sqlite_open(const struct ay_store_config *cfg, struct ay_store **out,
			      struct ay_err *e)
{
	struct ay_store *s;
	enum ay_rc rc = make_file(cfg, e);

	if (rc != AY_OK)
		return rc;
	s = alloc_store(cfg);
	if (s == NULL)
		return ay_fail(e, AY_E_NOMEM, "store.open", 0, "no memory");
	rc = lock_file(s, e);
	if (rc == AY_OK)
		rc = open_db(s, e);
	if (rc == AY_OK)
		rc = ay_sqlite_reload(s, e);
	if (rc == AY_OK)
		rc = ay_sqlite_make_nodes(s, e);
	if (rc == AY_OK)
		rc = start(s, e);
	if (rc != AY_OK) {
		sqlite_close(s);
		return rc;
	}
	*out = s;
	return AY_OK;
}

static int sqlite_done_fd(const struct ay_store *s)
{
	return s->done_fd;
}

/* Also while nothing is written: is this still the database we opened? */
static bool epoch_moved(struct ay_store *s)
{
	sqlite3_stmt *st;
	struct ay_err e;
	bool moved = false;

	if (ay_sql_prepare(s->rd, "SELECT value FROM meta WHERE key = 'epoch'", &st, &e) != AY_OK)
		return false;
	if (sqlite3_step(st) == SQLITE_ROW)
		moved = !ay_bytes_eq(ay_sql_bytes(st, 0), AY_BYTES(s->epoch));
	sqlite3_finalize(st);
	return moved;
}

static void sqlite_stats(struct ay_store *s, struct ay_store_stats *out)
{
	bool moved = epoch_moved(s);
	struct stat st;

	pthread_mutex_lock(&s->lock);
	*out = s->stats;
	out->queued = s->queue.n;
	s->replaced = s->replaced || moved;
	out->replaced = s->replaced;
	pthread_mutex_unlock(&s->lock);
	if (stat(s->path, &st) == 0)
		out->database_bytes = (uint64_t)st.st_size;
}

const struct ay_store_kind ay_store_sqlite = {
	.name = "sqlite",
	.doc = "embedded SQLite database: write-ahead log, one writer, group commit",
	.open = sqlite_open,
	.close = sqlite_close,
	.submit = ay_sqlite_submit,
	.write = ay_sqlite_write,
	.done_fd = sqlite_done_fd,
	.done = ay_sqlite_done,
	.stats = sqlite_stats,
	.hosts = ay_sqlite_hosts,
	.host = ay_sqlite_host,
	.attestations = ay_sqlite_attestations,
	.history = ay_sqlite_history,
	.blob = ay_sqlite_read_blob,
	.ima = ay_sqlite_ima,
	.aiks = ay_sqlite_aiks,
	.sightings = ay_sqlite_sightings,
	.reader = ay_sqlite_reader,
	.reader_close = ay_sqlite_reader_close,
	.refsets = ay_sqlite_refsets,
	.policies = ay_sqlite_policies,
	.tokens = ay_sqlite_tokens,
	.users = ay_sqlite_users,
	.api_tokens = ay_sqlite_api_tokens,
	.roles = ay_sqlite_roles,
	.family = ay_sqlite_family,
	.sessions = ay_sqlite_sessions,
	.identities = ay_sqlite_identities,
	.approvals = ay_sqlite_approvals,
	.idem = ay_sqlite_idem,
	.event_newest = ay_sqlite_event_newest,
	.events = ay_sqlite_events,
	.audits = ay_sqlite_audits,
	.audit_node = ay_sqlite_audit_node,
	.meta = ay_sqlite_meta,
	.retain = ay_sqlite_retain,
	.verify = ay_sqlite_verify,
	.backup = ay_sqlite_backup,
	.restore = ay_sqlite_restore,
};
