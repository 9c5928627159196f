/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_STORE_SQLITE_IMPL_H
#define AY_STORE_SQLITE_IMPL_H

/* What the files of the SQLite store share. Nobody else includes it. */
#include "core/authz/audit.h"
#include "io/store/row.h"
#include "io/store/store.h"

#include <pthread.h>
#include <sqlite3.h>
#include <zstd.h>

/* Columns of one row type, for a generated statement. */
enum { AY_SQL_MAX = 2048 };

/* One transaction in the queue: its writes with all they name, in one piece of memory. */
struct ay_txn {
	struct ay_txn *next;
	struct ay_waiter *waiter; /* NULL: the result goes to the list of done */
	struct ay_store_result result;
	size_t n;
	size_t bytes;
	struct ay_write writes[];
};

struct ay_waiter {
	bool done;
	struct ay_store_result result;
};

struct ay_txn_list {
	struct ay_txn *first, **end;
	size_t n, bytes;
};

/* Statements of the writer, prepared at first use and kept. X(name, sql) in sqlite_write.c */
enum ay_stmt {
	AY_ST_BEGIN,
	AY_ST_COMMIT,
	AY_ST_ROLLBACK,
	AY_ST_SAVEPOINT,
	AY_ST_RELEASE,
	AY_ST_ROLLBACK_TO,
	AY_ST_ATTEST_ADD,
	AY_ST_STATUS_SET,
	AY_ST_STATUS_CAS,
	AY_ST_CONTEXT_PUT,
	AY_ST_STATUS_NEW,
	AY_ST_BLOB_ADD,
	AY_ST_BLOB_USED,
	AY_ST_BLOB_USE,
	AY_ST_CHUNK_ADD,
	AY_ST_CHUNK_END,
	AY_ST_CHUNKS,
	AY_ST_LOG_LEFT,
	AY_ST_LOG_SEEN,
	AY_ST_INDEX_ADD,
	AY_ST_DIGEST_ADD,
	AY_ST_AIK_PUT,
	AY_ST_HOST_ADD,
	AY_ST_HOST_SET,
	AY_ST_HOST_EK,
	AY_ST_REFSET_ADD,
	AY_ST_REFSET_NEXT,
	AY_ST_REFSET_STATE,
	AY_ST_REFSET_UNTIL,
	AY_ST_POLICY_ADD,
	AY_ST_POLICY_NEXT,
	AY_ST_POLICY_STATE,
	AY_ST_TOKEN_ADD,
	AY_ST_TOKEN_SPEND,
	AY_ST_TOKEN_GET,
	AY_ST_TOKEN_REVOKE,
	AY_ST_USER_PUT,
	AY_ST_API_TOKEN_ADD,
	AY_ST_API_TOKEN_REVOKE,
	AY_ST_API_TOKEN_USED,
	AY_ST_ROLE_PUT,
	AY_ST_FAMILY_PUT,
	AY_ST_SESSION_PUT,
	AY_ST_SESSION_CLEAR,
	AY_ST_IDENTITY_PUT,
	AY_ST_APPROVAL_ADD,
	AY_ST_APPROVAL_END,
	AY_ST_IDEM_PUT,
	AY_ST_IDEM_DROP,
	AY_ST_IDEM_EXPIRE,
	AY_ST_EVENT_ADD,
	AY_ST_AUDIT_ADD,
	AY_ST_AUDIT_NODE,
	AY_ST_META_PUT,
	AY_ST_DATA_VERSION,
	AY_ST_EPOCH,
	AY_STMTS
};

/* Statements of the reader that come with requests, kept likewise. */
enum ay_read { AY_RD_HOST, AY_RD_PAST, AY_RD_EVENTS, AY_RD_NEWEST, AY_RD_IDEM, AY_READS };

enum { AY_KNOWN_BLOBS = 65536 }; /* two octets of an id */

/*
 * `used` of a stored blob is set ahead of its use, so that it is written once
 * in many thousand attestations and retention needs no scan to see who names it.
 */
struct ay_known_blob {
	uint8_t id[32];
	uint64_t used; /* as stored */
};
enum { AY_USED_AHEAD = 100000 };

/* Retention goes in small steps between commits, so that nobody waits for it. */
enum ay_retain_phase {
	AY_RETAIN_NONE,
	AY_RETAIN_HISTORY,
	AY_RETAIN_EVENTS,
	AY_RETAIN_CHUNKS,
	AY_RETAIN_LOGS,
	AY_RETAIN_BLOBS,
	AY_RETAIN_DIGESTS,
	AY_RETAIN_INDEX
};
struct ay_retain_run {
	enum ay_retain_phase phase;
	struct ay_retention what;
	uint64_t at;	    /* next number of history to look at */
	uint64_t floor;	    /* all before it was looked at: kept are only hosts' newest rows */
	uint8_t digest[16]; /* AY_RETAIN_DIGESTS: the last one looked at */
};

struct ay_store {
	const struct ay_store_kind
		*kind; /* first two: store.c's own, see struct ay_store_head there */
	const struct ay_audit_row *witness;
	struct ay_announced announced[AY_ANNOUNCED];
	/* writer thread only, after open */
	sqlite3 *db;
	sqlite3_stmt *stmt[AY_STMTS];
	ZSTD_CCtx *zstd;
	uint64_t next_attestation, next_event;
	struct ay_audit_tree tree, tree_before; /* now, and when this commit or savepoint began */
	bool tree_moved;
	int data_version;
	uint8_t epoch[16];
	struct ay_known_blob *known; /* blobs that are stored, by the first octets of their ids */
	struct ay_retain_run retain_run;
	uint8_t *scratch; /* packed content, audit records */
	size_t scratch_n;
	/* the caller's thread only */
	sqlite3 *rd;
	sqlite3_stmt *read[AY_READS];
	/* shared, under lock */
	pthread_mutex_t lock;
	pthread_cond_t more;	 /* something was queued, or closing */
	pthread_cond_t finished; /* some waiter is done */
	pthread_t thread;
	bool started, closing, replaced;
	size_t n_waited; /* queued transactions somebody waits for */
	struct ay_txn_list queue;
	struct ay_store_result *done;
	size_t n_done, max_done;
	bool retain_asked, retaining; /* ay_store_retain */
	struct ay_retention retain;
	enum ay_rc retain_rc; /* of the last one that ended */
	struct ay_store_stats stats;
	uint32_t pause_min_ms, pause_max_ms;
	int done_fd;
	int lock_fd; /* held while open: one server per database */
	char path[];
};

/* sqlite.c */
AY_MUST_USE enum ay_rc ay_sql_fail(sqlite3 *db, const char *what, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_sql_connect(const char *path, int flags, sqlite3 **out, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_sql_exec(sqlite3 *db, const char *sql, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_sql_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out,
				      struct ay_err *e);
/* Numbers, tree and epoch from the tables; forgets which blobs are stored. */
AY_MUST_USE enum ay_rc ay_sqlite_reload(struct ay_store *s, struct ay_err *e);

/* sqlite_sql.c: statements from row descriptions */
void ay_sql_insert(const struct ay_row_type *t, const char *first, char out[AY_SQL_MAX]);
void ay_sql_upsert(const struct ay_row_type *t, const char *first, char out[AY_SQL_MAX]);
void ay_sql_update(const struct ay_row_type *t, const char *where, char out[AY_SQL_MAX]);
void ay_sql_select(const struct ay_row_type *t, const char *table, const char *tail,
		   char out[AY_SQL_MAX]);
/* Bind all fields from parameter `first` on; read them from column `first` on. Views live until the
 * next step. */
void ay_sql_bind(sqlite3_stmt *st, int first, const struct ay_row_type *t, const void *row);
void ay_sql_read(sqlite3_stmt *st, int first, const struct ay_row_type *t, void *row);
void ay_sql_bind_bytes(sqlite3_stmt *st, int at, struct ay_bytes b);
struct ay_bytes ay_sql_bytes(sqlite3_stmt *st, int at);

/* sqlite_write.c */
AY_MUST_USE enum ay_rc ay_sqlite_stmt(struct ay_store *s, enum ay_stmt which, sqlite3_stmt **out,
				      struct ay_err *e);
/* Apply one write. A refusal has a code and no code means the database failed. */
AY_MUST_USE enum ay_rc ay_sqlite_apply(struct ay_store *s, const struct ay_write *w,
				       struct ay_store_result *res, struct ay_err *e);
/* Step a statement that gives no row, and reset it. */
AY_MUST_USE enum ay_rc ay_sqlite_run(struct ay_store *s, sqlite3_stmt *st, struct ay_err *e);
/* Writes the tree if it moved. */
AY_MUST_USE enum ay_rc ay_sqlite_keep_tree(struct ay_store *s, struct ay_err *e);

/* sqlite_host.c: hosts, enrolment, attestations */
AY_MUST_USE enum ay_rc ay_sqlite_attest(struct ay_store *s, const struct ay_attest_row *a,
					struct ay_store_result *res, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_sqlite_host_add(struct ay_store *s, const struct ay_host_row *h,
					  struct ay_err *e);
AY_MUST_USE enum ay_rc ay_sqlite_host_set(struct ay_store *s, const struct ay_host_row *h,
					  struct ay_err *e);
AY_MUST_USE enum ay_rc ay_sqlite_host_status(struct ay_store *s, const struct ay_uuid *id,
					     const struct ay_host_status *st,
					     const struct ay_host_context *c, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_sqlite_enrol(struct ay_store *s, const struct ay_enrol_row *r,
				       struct ay_err *e);

/* A blob that this attestation names: stored, or known to be. */
AY_MUST_USE enum ay_rc ay_sqlite_put_blob(struct ay_store *s, const struct ay_blob *b, uint64_t seq,
					  struct ay_err *e);

/* sqlite_digest.c: which digests are where, and who had that */
/* Once per distinct content: all its digests. number: never used before. */
AY_MUST_USE enum ay_rc ay_sqlite_index(struct ay_store *s, struct ay_bytes id,
				       struct ay_bytes content, enum ay_seen_in kind,
				       int64_t number, struct ay_err *e);
/* The host booted with this log; the one before was last seen with the attestation before. */
AY_MUST_USE enum ay_rc ay_sqlite_log_seen(struct ay_store *s, const struct ay_attest_row *a,
					  uint64_t seq, struct ay_err *e);
/* Octets of the chunk that the store has for this boot already. */
AY_MUST_USE enum ay_rc ay_sqlite_ima_known(struct ay_store *s, const struct ay_attest_row *a,
					   size_t *octets, struct ay_err *e);
/* Contents stored before there was an index: a few of them; *more: there are more. */
AY_MUST_USE enum ay_rc ay_sqlite_index_old(struct ay_store *s, bool *more, struct ay_err *e);
enum ay_rc ay_sqlite_sightings(struct ay_store *s, struct ay_bytes digest, ay_sighting_cb *cb,
			       void *arg, struct ay_err *e);

/* sqlite_queue.c */
void *ay_sqlite_writer(void *store);
enum ay_rc ay_sqlite_submit(struct ay_store *s, const struct ay_write *w, size_t n,
			    enum ay_submit how, uint64_t cookie, struct ay_err *e);
enum ay_rc ay_sqlite_write(struct ay_store *s, const struct ay_write *w, size_t n,
			   struct ay_store_result *out, struct ay_err *e);
size_t ay_sqlite_done(struct ay_store *s, struct ay_store_result *out, size_t max);

/* sqlite_txn.c */
struct ay_txn *ay_txn_new(const struct ay_write *w, size_t n, struct ay_err *e);
void ay_txn_free(struct ay_txn *t);

/* sqlite_read.c */
enum ay_rc ay_sqlite_hosts(struct ay_store *s, ay_host_cb *cb, void *arg, struct ay_err *e);
enum ay_rc ay_sqlite_host(struct ay_store *s, const struct ay_uuid *id, ay_host_cb *cb, void *arg,
			  struct ay_err *e);
enum ay_rc ay_sqlite_attestations(struct ay_store *s, uint64_t from, size_t limit, ay_attest_cb *cb,
				  void *arg, struct ay_err *e);
enum ay_rc ay_sqlite_history(struct ay_store *s, uint64_t from, size_t limit, ay_attest_cb *cb,
			     void *arg, struct ay_err *e);
enum ay_rc ay_sqlite_read_blob(struct ay_store *s, struct ay_bytes id, struct ay_arena *a,
			       struct ay_bytes *out, struct ay_err *e);
enum ay_rc ay_sqlite_ima(struct ay_store *s, const struct ay_uuid *host, struct ay_bytes boot_id,
			 uint64_t octets, struct ay_arena *a, struct ay_bytes *out,
			 struct ay_err *e);
enum ay_rc ay_sqlite_aiks(struct ay_store *s, const struct ay_uuid *host, ay_aik_cb *cb, void *arg,
			  struct ay_err *e);
enum ay_rc ay_sqlite_reader(struct ay_store *s, struct ay_store **out, struct ay_err *e);
void ay_sqlite_reader_close(struct ay_store *reader);
/* Ends the reader's connection and what is kept of it. */
void ay_sqlite_reads_close(struct ay_store *s);
enum ay_rc ay_sqlite_refsets(struct ay_store *s, ay_refset_cb *cb, void *arg, struct ay_err *e);
enum ay_rc ay_sqlite_policies(struct ay_store *s, ay_policy_cb *cb, void *arg, struct ay_err *e);
enum ay_rc ay_sqlite_tokens(struct ay_store *s, ay_token_cb *cb, void *arg, struct ay_err *e);
enum ay_rc ay_sqlite_family(struct ay_store *s, ay_family_cb *cb, void *arg, struct ay_err *e);
enum ay_rc ay_sqlite_roles(struct ay_store *s, ay_role_cb *cb, void *arg, struct ay_err *e);
enum ay_rc ay_sqlite_sessions(struct ay_store *s, ay_session_cb *cb, void *arg, struct ay_err *e);
enum ay_rc ay_sqlite_identities(struct ay_store *s, ay_identity_cb *cb, void *arg,
				struct ay_err *e);
enum ay_rc ay_sqlite_users(struct ay_store *s, ay_user_cb *cb, void *arg, struct ay_err *e);
enum ay_rc ay_sqlite_api_tokens(struct ay_store *s, ay_api_token_cb *cb, void *arg,
				struct ay_err *e);
enum ay_rc ay_sqlite_approvals(struct ay_store *s, ay_approval_cb *cb, void *arg, struct ay_err *e);
enum ay_rc ay_sqlite_idem(struct ay_store *s, struct ay_bytes key, ay_idem_cb *cb, void *arg,
			  struct ay_err *e);
enum ay_rc ay_sqlite_event_newest(struct ay_store *s, uint64_t *seq, struct ay_err *e);
enum ay_rc ay_sqlite_events(struct ay_store *s, uint64_t after, size_t limit, ay_event_cb *cb,
			    void *arg, struct ay_err *e);
/* The subtrees that the last record completed; within the transaction of the record. */
enum ay_rc ay_sqlite_keep_nodes(struct ay_store *s, struct ay_err *e);
enum ay_rc ay_sqlite_make_nodes(struct ay_store *s, struct ay_err *e);
enum ay_rc ay_sqlite_audit_node(struct ay_store *s, unsigned level, uint64_t index, uint8_t out[32],
				struct ay_err *e);
enum ay_rc ay_sqlite_audits(struct ay_store *s, uint64_t from, size_t limit, ay_audit_cb *cb,
			    void *arg, struct ay_err *e);
enum ay_rc ay_sqlite_meta(struct ay_store *s, const char *key, struct ay_arena *a,
			  struct ay_bytes *out, struct ay_err *e);

/* sqlite_admin.c */
enum ay_rc ay_sqlite_retain(struct ay_store *s, const struct ay_retention *r, bool wait,
			    struct ay_err *e);
/* sqlite_retain.c: one step of the run under way; phase NONE when it is done. */
void ay_sqlite_retain_begin(struct ay_store *s, const struct ay_retention *r);
AY_MUST_USE enum ay_rc ay_sqlite_retain_step(struct ay_store *s, struct ay_err *e);
enum ay_rc ay_sqlite_verify(struct ay_store *s, struct ay_err *e);
enum ay_rc ay_sqlite_verify_db(sqlite3 *db, struct ay_err *e);
enum ay_rc ay_sqlite_backup(const char *path, const char *to, struct ay_err *e);
enum ay_rc ay_sqlite_restore(const char *from, const char *path, struct ay_err *e);
/* A blob's content into the arena, checked against its id. */
enum ay_rc ay_sqlite_blob(sqlite3 *db, struct ay_bytes id, struct ay_arena *a, struct ay_bytes *out,
			  struct ay_err *e);

#endif
