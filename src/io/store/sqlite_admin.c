/* SPDX-License-Identifier: Apache-2.0 */
#include "io/store/sqlite_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

/* ---- verification ---- */

static enum ay_rc verify_structure(sqlite3 *db, struct ay_err *e)
{
	sqlite3_stmt *st;
	const char *text;
	enum ay_rc rc = ay_sql_prepare(db, "PRAGMA integrity_check(1)", &st, e);

	if (rc != AY_OK)
		return rc;
	text = sqlite3_step(st) == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 0) : NULL;
	if (text == NULL || strcmp(text, "ok") != 0)
		rc = ay_fail_code(e, AY_E_CRYPTO, "STORE_DAMAGED", "store.verify", "%s",
				  text == NULL ? "no answer" : text);
	sqlite3_finalize(st);
	return rc;
}

static enum ay_rc verify_blobs(sqlite3 *db, struct ay_err *e)
{
	struct ay_arena arena;
	struct ay_bytes content;
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sql_prepare(db, "SELECT id FROM blob", &st, e);

	if (rc != AY_OK)
		return rc;
	while (rc == AY_OK && sqlite3_step(st) == SQLITE_ROW) {
		ay_arena_init(&arena, 512u * 1024 * 1024);
		rc = ay_sqlite_blob(db, ay_sql_bytes(st, 0), &arena, &content, e);
		ay_arena_fini(&arena);
	}
	sqlite3_finalize(st);
	return rc;
}

static enum ay_rc same_tree(sqlite3 *db, const struct ay_audit_tree *tree, struct ay_err *e)
{
	uint8_t wire[AY_AUDIT_TREE_WIRE];
	struct ay_bytes want = { NULL, 0 }, have;
	struct ay_writer w;
	sqlite3_stmt *st;
	enum ay_rc rc;

	ay_wr_init(&w, wire, sizeof(wire));
	ay_audit_tree_write(&w, tree);
	rc = ay_wr_end(&w, "store.tree", &want, e);
	if (rc == AY_OK)
		rc = ay_sql_prepare(db, "SELECT value FROM meta WHERE key = 'audit.tree'", &st, e);
	if (rc != AY_OK)
		return rc;
	have = sqlite3_step(st) == SQLITE_ROW ? ay_sql_bytes(st, 0) : (struct ay_bytes){ NULL, 0 };
	if (have.n == 0 ? tree->size != 0 : !ay_bytes_eq(have, want))
		rc = ay_fail_code(e, AY_E_CRYPTO, "AUDIT_CHAIN", "store.tree",
				  "the audit does not make the tree kept beside it");
	sqlite3_finalize(st);
	return rc;
}

static enum ay_rc verify_audit(sqlite3 *db, struct ay_err *e)
{
	struct ay_audit_check check = { 0 };
	sqlite3_stmt *st;
	enum ay_rc rc = ay_sql_prepare(db, "SELECT record FROM audit ORDER BY seq", &st, e);

	if (rc != AY_OK)
		return rc;
	while (rc == AY_OK && sqlite3_step(st) == SQLITE_ROW)
		rc = ay_audit_check_add(&check, ay_sql_bytes(st, 0), e);
	sqlite3_finalize(st);
	return rc != AY_OK ? rc : same_tree(db, &check.tree, e);
}

/* Every host's state names the newest row of its history. */
static enum ay_rc verify_heads(sqlite3 *db, struct ay_err *e)
{
	sqlite3_stmt *st;
	enum ay_rc rc =
		ay_sql_prepare(db,
			       "SELECT COUNT(*) FROM host_status s LEFT JOIN attestation a "
			       "ON a.seq = s.attestation WHERE s.attestation <> 0 AND "
			       "(a.seq IS NULL OR a.host <> s.host OR a.version > s.version)",
			       &st, e);

	if (rc != AY_OK)
		return rc;
	if (sqlite3_step(st) != SQLITE_ROW || sqlite3_column_int64(st, 0) != 0)
		rc = ay_fail_code(e, AY_E_CRYPTO, "STORE_DAMAGED", "store.verify",
				  "a host's state does not agree with its history");
	sqlite3_finalize(st);
	return rc;
}

enum ay_rc ay_sqlite_verify_db(sqlite3 *db, struct ay_err *e)
{
	enum ay_rc rc = verify_structure(db, e);

	if (rc == AY_OK)
		rc = verify_heads(db, e);
	if (rc == AY_OK)
		rc = verify_blobs(db, e);
	return rc != AY_OK ? rc : verify_audit(db, e);
}

/* On a connection of its own, within one snapshot. */
enum ay_rc ay_sqlite_verify(struct ay_store *s, struct ay_err *e)
{
	sqlite3 *db;
	enum ay_rc rc = ay_sql_connect(s->path, SQLITE_OPEN_READWRITE, &db, e);

	if (rc == AY_OK)
		rc = ay_sql_exec(db, "PRAGMA query_only = ON; BEGIN", e);
	if (rc == AY_OK)
		rc = ay_sqlite_verify_db(db, e);
	sqlite3_close_v2(db);
	return rc;
}

/* ---- backup and restore ---- */

/* The whole of one database over another, as one transaction of the target. */
static enum ay_rc copy_db(sqlite3 *from, sqlite3 *to, struct ay_err *e)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
	int r = SQLITE_ERROR;

	if (b == NULL)
		return ay_sql_fail(to, "store.copy", e);
	for (int tries = 0; tries < 200; tries++) {
		r = sqlite3_backup_step(b, -1);
		if (r != SQLITE_BUSY && r != SQLITE_LOCKED)
			break;
		sqlite3_sleep(50);
	}
	sqlite3_backup_finish(b);
	if (r != SQLITE_DONE)
		return ay_fail(e, AY_E_UNAVAIL, "store.copy", 0, "copy failed: %s",
			       sqlite3_errstr(r));
	return AY_OK;
}

static enum ay_rc copy_file(const char *from, const char *to, struct ay_err *e)
{
	sqlite3 *src = NULL, *dst = NULL;
	enum ay_rc rc = ay_sql_connect(from, SQLITE_OPEN_READWRITE, &src, e);

	if (rc == AY_OK)
		rc = ay_sql_connect(to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &dst, e);
	if (rc == AY_OK)
		rc = ay_sql_exec(dst, "PRAGMA synchronous = FULL", e);
	if (rc == AY_OK)
		rc = copy_db(src, dst, e);
	sqlite3_close_v2(src);
	sqlite3_close_v2(dst);
	return rc;
}

/* A file of ours alone; O_EXCL so that nothing is overwritten. */
static enum ay_rc new_file(const char *path, struct ay_err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return ay_fail(e, errno == EEXIST ? AY_E_EXISTS : AY_E_UNAVAIL, "store.backup", 0,
			       "%s: %s", path, strerror(errno));
	close(fd);
	return AY_OK;
}

/* Checked after the copy: a backup that cannot be restored is none. */
static enum ay_rc check_file(const char *path, struct ay_err *e)
{
	sqlite3 *db;
	enum ay_rc rc = ay_sql_connect(path, SQLITE_OPEN_READWRITE, &db, e);

	if (rc == AY_OK)
		rc = ay_sql_exec(db, "PRAGMA journal_mode = DELETE", e);
	if (rc == AY_OK)
		rc = ay_sqlite_verify_db(db, e);
	sqlite3_close_v2(db);
	return rc;
}

static enum ay_rc exists(const char *path, struct ay_err *e)
{
	if (access(path, R_OK) != 0)
		return ay_fail(e, errno == ENOENT ? AY_E_NOENT : AY_E_UNAVAIL, "store.path", 0,
			       "%s: %s", path, strerror(errno));
	return AY_OK;
}

enum ay_rc ay_sqlite_backup(const char *path, const char *to, struct ay_err *e)
{
	enum ay_rc rc = exists(path, e);

	if (rc == AY_OK)
		rc = new_file(to, e);
	if (rc != AY_OK)
		return rc;
	rc = copy_file(path, to, e);
	if (rc == AY_OK)
		rc = check_file(to, e);
	if (rc != AY_OK)
		unlink(to);
	return rc;
}

static enum ay_rc renew_epoch(const char *path, struct ay_err *e)
{
	uint8_t random[16];
	sqlite3_stmt *st = NULL;
	sqlite3 *db;
	enum ay_rc rc = ay_sql_connect(path, SQLITE_OPEN_READWRITE, &db, e);

	if (rc == AY_OK && getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		rc = ay_fail(e, AY_E_UNAVAIL, "store.epoch", 0, "no random octets");
	if (rc == AY_OK)
		rc = ay_sql_prepare(db, "UPDATE meta SET value = ?1 WHERE key = 'epoch'", &st, e);
	if (rc == AY_OK) {
		ay_sql_bind_bytes(st, 1, AY_BYTES(random));
		if (sqlite3_step(st) != SQLITE_DONE || sqlite3_changes(db) != 1)
			rc = ay_fail(e, AY_E_INPUT, "store.epoch", 0, "not a backup of a store");
	}
	sqlite3_finalize(st);
	sqlite3_close_v2(db);
	return rc;
}

/*
 * First to a file beside the database, which gets a new epoch and is checked
 * whole; then over the database in one transaction. So a server that runs sees
 * either the old state or the new one with its new epoch.
 */
enum ay_rc ay_sqlite_restore(const char *from, const char *path, struct ay_err *e)
{
	size_t n = strlen(path);
	char *temp = malloc(n + sizeof(".restore"));
	enum ay_rc rc = exists(from, e);

	if (temp == NULL)
		return ay_fail(e, AY_E_NOMEM, "store.restore", 0, "no memory");
	memcpy(temp, path, n);
	memcpy(temp + n, ".restore", sizeof(".restore"));
	if (rc == AY_OK)
		rc = new_file(temp, e);
	if (rc == AY_OK) {
		rc = copy_file(from, temp, e);
		if (rc == AY_OK)
			rc = check_file(temp, e);
		if (rc == AY_OK)
			rc = renew_epoch(temp, e);
		if (rc == AY_OK)
			rc = copy_file(temp, path, e);
		unlink(temp);
	}
	free(temp);
	return rc;
}
