/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_STORE_STORE_H
#define AY_STORE_STORE_H

/*
 * What the attestation server keeps: hosts, verdicts with their evidence,
 * reference sets, policies, tokens, users, events, audit. Owned by engine.
 *
 * Writes are transactions of a few typed writes. They are queued to one writer
 * thread, which commits everything that has gathered in one go (group commit)
 * and only then reports each transaction as done: what is reported done with
 * AY_OK survives kill -9 and power cuts. Reads see committed data only and run
 * in the caller's thread; callbacks get views that live until they return.
 *
 * A store is used by one thread at a time, except ay_store_submit() and
 * ay_store_write(), which any thread may call.
 */
#include "core/base/arena.h"
#include "io/store/store_rows.h"

struct ay_store;

enum ay_write_kind {
	AY_WR_ATTEST = 1,  /* attest */
	AY_WR_HOST_ADD,	   /* host: AY_E_EXISTS NAME_TAKEN */
	AY_WR_HOST_UPDATE, /* host: whole row, rev = the stored one, which becomes rev + 1 */
	AY_WR_HOST_STATUS, /* by_uuid: status and context (or NULL), by compare-and-set like ATTEST,
			      no history */
	AY_WR_ENROL,	   /* enrol */
	AY_WR_REFSET_ADD,  /* refset */
	AY_WR_REFSET_STATE,	/* uuid, state; at: when it became active */
	AY_WR_REFSET_UNTIL,	/* uuid, at: supersede_at of an active set */
	AY_WR_POLICY_ADD,	/* policy */
	AY_WR_POLICY_STATE,	/* uuid, state */
	AY_WR_TOKEN_ADD,	/* token */
	AY_WR_TOKEN_REVOKE,	/* id */
	AY_WR_USER_PUT,		/* user: inserted or replaced */
	AY_WR_API_TOKEN_ADD,	/* api_token */
	AY_WR_API_TOKEN_REVOKE, /* id */
	AY_WR_API_TOKEN_USED,	/* api_token: id and used_at of it */
	AY_WR_ROLE_PUT,		/* role: inserted or replaced */
	AY_WR_FAMILY_PUT,	/* family: inserted or replaced */
	AY_WR_SESSION_PUT,	/* session: inserted, or used_at and ended replaced */
	AY_WR_IDENTITY_PUT,	/* identity: inserted or replaced */
	AY_WR_EVENT,		/* event */
	AY_WR_AUDIT,		/* audit */
	AY_WR_APPROVAL_ADD,	/* approval */
	AY_WR_APPROVAL_END,	/* approval_end: AY_E_EXISTS APPROVAL_DONE unless it is pending */
	AY_WR_IDEM_PUT,		/* idem: inserted or replaced; those a day older end */
	AY_WR_IDEM_DROP,	/* id: its key may be used anew */
	AY_WR_META,		/* key, value: small named values (last CRL, order of things) */
};

/* The row is borrowed by the call that takes the write; blobs are referenced. */
struct ay_write {
	enum ay_write_kind kind;
	union {
		const struct ay_attest_row *attest;
		const struct ay_host_row *host;
		const struct ay_enrol_row *enrol;
		const struct ay_refset_row *refset;
		const struct ay_policy_row *policy;
		const struct ay_token_row *token;
		const struct ay_user_row *user;
		const struct ay_api_token_row *api_token;
		const struct ay_role_row *role;
		const struct ay_session_row *session;
		const struct ay_identity_row *identity;
		const struct ay_event_row *event;
		const struct ay_audit_row *audit;
		const struct ay_approval_row *approval;
		const struct ay_approval_end *approval_end;
		const struct ay_idem_row *idem;
		const struct ay_family_row *family;
		struct {
			struct ay_uuid uuid;
			enum ay_set_state state;
			int64_t at;
			const struct ay_host_status *status;
			const struct ay_host_context *context;
		} by_uuid;
		struct ay_bytes id;
		struct {
			const char *key;
			struct ay_bytes value;
		} meta;
	};
};

/*
 * How a transaction ended. code is stable and may be shown: VERSION (compare-
 * and-set lost), NAME_TAKEN, AK_BOUND, EK_BOUND, TLS_KEY_BOUND (another host has
 * it), HOST_EK (known host, another EK), TOKEN_SPENT, TOKEN_EXPIRED,
 * TOKEN_REVOKED, TOKEN_UNKNOWN, TOKEN_HOST, APPROVAL_DONE, STORE_RESTORED,
 * AUDIT_UNAVAILABLE (the audit takes no record, so nothing was changed), or "".
 */
struct ay_store_result {
	uint64_t cookie;
	enum ay_rc rc;
	char code[20];
	uint64_t number; /* of the last write: version given to a set or policy, seq of an
			    attestation, event, audit */
	uint64_t event;	 /* number of the last event among the writes; 0: none */
};

struct ay_store_config {
	const char *path;      /* database file */
	bool create;	       /* make it if it is not there (assayd init); else AY_E_NOENT */
	uint32_t pause_min_ms; /* between commits while somebody waits; 0: 2 */
	uint32_t pause_max_ms; /* ... while nobody waits (AY_SUBMIT_LAZY only); 0: 50 */
};

enum ay_submit { AY_SUBMIT_LAZY = 0, AY_SUBMIT_WAITED = 1 };

struct ay_store_stats {
	uint64_t commits, transactions, refused;
	uint64_t writer_cpu_ns;
	uint64_t database_bytes;
	size_t queued;
	bool replaced; /* restored by another process: every write is refused, start anew */
};

struct ay_retention {
	int64_t attestations_before; /* history older than this goes, never a host's last row */
	int64_t events_before;
};

typedef void ay_host_cb(void *arg, const struct ay_host_row *h, const struct ay_host_status *s,
			const struct ay_host_context *c);
typedef void ay_refset_cb(void *arg, const struct ay_refset_row *r);
typedef void ay_policy_cb(void *arg, const struct ay_policy_row *r);
typedef void ay_token_cb(void *arg, const struct ay_token_row *r);
typedef void ay_user_cb(void *arg, const struct ay_user_row *r);
typedef void ay_api_token_cb(void *arg, const struct ay_api_token_row *r);
typedef void ay_role_cb(void *arg, const struct ay_role_row *r);
typedef void ay_session_cb(void *arg, const struct ay_session_row *r);
typedef void ay_identity_cb(void *arg, const struct ay_identity_row *r);
typedef void ay_approval_cb(void *arg, const struct ay_approval_row *r);
typedef void ay_family_cb(void *arg, const struct ay_family_row *r);
typedef void ay_idem_cb(void *arg, const struct ay_idem_row *r);
typedef void ay_event_cb(void *arg, const struct ay_event_row *r);
/* seq from 0; record: the canonical octets (core/authz/audit.h) */
typedef void ay_audit_cb(void *arg, uint64_t seq, struct ay_bytes record);
typedef void ay_attest_cb(void *arg, const struct ay_attest_past *r);
typedef void ay_aik_cb(void *arg, const struct ay_aik_row *r);
typedef void ay_sighting_cb(void *arg, const struct ay_sighting *r);

/*
 * A kind of store. Every function has the contract of the wrapper below that
 * has its name; paths and settings come from the configuration.
 */
struct ay_store_kind {
	const char *name;
	const char *doc;
	enum ay_rc (*open)(const struct ay_store_config *cfg, struct ay_store **out,
			   struct ay_err *e);
	void (*close)(struct ay_store *s);
	enum ay_rc (*submit)(struct ay_store *s, const struct ay_write *w, size_t n,
			     enum ay_submit how, uint64_t cookie, struct ay_err *e);
	enum ay_rc (*write)(struct ay_store *s, const struct ay_write *w, size_t n,
			    struct ay_store_result *out, struct ay_err *e);
	int (*done_fd)(const struct ay_store *s);
	size_t (*done)(struct ay_store *s, struct ay_store_result *out, size_t max);
	void (*stats)(struct ay_store *s, struct ay_store_stats *out);
	enum ay_rc (*hosts)(struct ay_store *s, ay_host_cb *cb, void *arg, struct ay_err *e);
	enum ay_rc (*host)(struct ay_store *s, const struct ay_uuid *id, ay_host_cb *cb, void *arg,
			   struct ay_err *e);
	enum ay_rc (*attestations)(struct ay_store *s, uint64_t from, size_t limit,
				   ay_attest_cb *cb, void *arg, struct ay_err *e);
	enum ay_rc (*history)(struct ay_store *s, uint64_t from, size_t limit, ay_attest_cb *cb,
			      void *arg, struct ay_err *e);
	enum ay_rc (*blob)(struct ay_store *s, struct ay_bytes id, struct ay_arena *a,
			   struct ay_bytes *out, struct ay_err *e);
	enum ay_rc (*ima)(struct ay_store *s, const struct ay_uuid *host, struct ay_bytes boot_id,
			  uint64_t octets, struct ay_arena *a, struct ay_bytes *out,
			  struct ay_err *e);
	enum ay_rc (*aiks)(struct ay_store *s, const struct ay_uuid *host, ay_aik_cb *cb, void *arg,
			   struct ay_err *e);
	enum ay_rc (*sightings)(struct ay_store *s, struct ay_bytes digest, ay_sighting_cb *cb,
				void *arg, struct ay_err *e);
	enum ay_rc (*reader)(struct ay_store *s, struct ay_store **out, struct ay_err *e);
	void (*reader_close)(struct ay_store *reader);
	enum ay_rc (*refsets)(struct ay_store *s, ay_refset_cb *cb, void *arg, struct ay_err *e);
	enum ay_rc (*policies)(struct ay_store *s, ay_policy_cb *cb, void *arg, struct ay_err *e);
	enum ay_rc (*tokens)(struct ay_store *s, ay_token_cb *cb, void *arg, struct ay_err *e);
	enum ay_rc (*users)(struct ay_store *s, ay_user_cb *cb, void *arg, struct ay_err *e);
	enum ay_rc (*api_tokens)(struct ay_store *s, ay_api_token_cb *cb, void *arg,
				 struct ay_err *e);
	enum ay_rc (*family)(struct ay_store *s, ay_family_cb *cb, void *arg, struct ay_err *e);
	enum ay_rc (*roles)(struct ay_store *s, ay_role_cb *cb, void *arg, struct ay_err *e);
	enum ay_rc (*sessions)(struct ay_store *s, ay_session_cb *cb, void *arg, struct ay_err *e);
	enum ay_rc (*identities)(struct ay_store *s, ay_identity_cb *cb, void *arg,
				 struct ay_err *e);
	enum ay_rc (*approvals)(struct ay_store *s, ay_approval_cb *cb, void *arg,
				struct ay_err *e);
	enum ay_rc (*idem)(struct ay_store *s, struct ay_bytes key, ay_idem_cb *cb, void *arg,
			   struct ay_err *e);
	enum ay_rc (*event_newest)(struct ay_store *s, uint64_t *seq, struct ay_err *e);
	enum ay_rc (*events)(struct ay_store *s, uint64_t after, size_t limit, ay_event_cb *cb,
			     void *arg, struct ay_err *e);
	enum ay_rc (*audits)(struct ay_store *s, uint64_t from, size_t limit, ay_audit_cb *cb,
			     void *arg, struct ay_err *e);
	enum ay_rc (*audit_node)(struct ay_store *s, unsigned level, uint64_t index,
				 uint8_t out[32], struct ay_err *e);
	enum ay_rc (*meta)(struct ay_store *s, const char *key, struct ay_arena *a,
			   struct ay_bytes *out, struct ay_err *e);
	enum ay_rc (*retain)(struct ay_store *s, const struct ay_retention *r, bool wait,
			     struct ay_err *e);
	enum ay_rc (*verify)(struct ay_store *s, struct ay_err *e);
	enum ay_rc (*backup)(const char *path, const char *to, struct ay_err *e);
	enum ay_rc (*restore)(const char *from, const char *path, struct ay_err *e);
};

extern const struct ay_store_kind ay_store_sqlite;
/* NULL = none of that name. */
const struct ay_store_kind *ay_store_kind_find(const char *name);

/* Opens, migrates to the newest schema, starts the writer. A newer schema than ours is AY_E_INPUT.
 */
AY_MUST_USE enum ay_rc ay_store_open(const struct ay_store_kind *kind,
				     const struct ay_store_config *cfg, struct ay_store **out,
				     struct ay_err *e);
/* Commits what is queued, then stops the writer. NULL is fine. */
void ay_store_close(struct ay_store *s);

/*
 * Queue n writes as one transaction; all is copied. The result comes by
 * ay_store_done() with this cookie, in the order of submission. AY_E_UNAVAIL
 * when the queue is full or the store failed: nothing was queued.
 */
AY_MUST_USE enum ay_rc ay_store_submit(struct ay_store *s, const struct ay_write *w, size_t n,
				       enum ay_submit how, uint64_t cookie, struct ay_err *e);
/* As submit, and wait for the commit (milliseconds): for rare changes and tools. e->code as result.
 */
AY_MUST_USE enum ay_rc ay_store_write(struct ay_store *s, const struct ay_write *w, size_t n,
				      struct ay_store_result *out, struct ay_err *e);
/*
 * The next ay_store_write() that succeeds also appends this row to the audit,
 * in the same transaction: a change stands only with who asked for it. The row
 * is borrowed until then, or until it is taken back by NULL. Taken back and
 * never written when nothing was changed.
 */
void ay_store_witness(struct ay_store *s, const struct ay_audit_row *row);
bool ay_store_witnessed(const struct ay_store *s); /* none waits */
/*
 * The next ay_store_write() also stores this event, in the same transaction:
 * who is told of changes is told of each that stands, whatever is killed when.
 * The row is borrowed until ay_store_announced(), which gives its number (0: it
 * was not written) and takes it back. False: too many wait. The writes of that
 * transaction have no events of their own.
 */
enum { AY_ANNOUNCED = 4 };
struct ay_announced {
	const struct ay_event_row *row; /* NULL: free */
	uint64_t seq;			/* 0: waits */
};
AY_MUST_USE bool ay_store_announce(struct ay_store *s, const struct ay_event_row *row);
AY_MUST_USE uint64_t ay_store_announced(struct ay_store *s, const struct ay_event_row *row);
/* An eventfd that is readable while results wait; ay_store_done() resets it. */
int ay_store_done_fd(const struct ay_store *s);
/* Takes at most max results; call until it gives fewer. */
size_t ay_store_done(struct ay_store *s, struct ay_store_result *out, size_t max);
/* A read: in the thread of reads. Looks whether a backup was put in force meanwhile. */
void ay_store_stats(struct ay_store *s, struct ay_store_stats *out);

/* All hosts, retired ones included, in order of id. */
AY_MUST_USE enum ay_rc ay_store_hosts(struct ay_store *s, ay_host_cb *cb, void *arg,
				      struct ay_err *e);
AY_MUST_USE enum ay_rc ay_store_host(struct ay_store *s, const struct ay_uuid *id, ay_host_cb *cb,
				     void *arg, struct ay_err *e);
/* The row `from` and the same host's rows before it, newest first. from 0: nothing. */
AY_MUST_USE enum ay_rc ay_store_attestations(struct ay_store *s, uint64_t from, size_t limit,
					     ay_attest_cb *cb, void *arg, struct ay_err *e);
/* Rows of any host from the number `from` on backwards, newest first. */
AY_MUST_USE enum ay_rc ay_store_history(struct ay_store *s, uint64_t from, size_t limit,
					ay_attest_cb *cb, void *arg, struct ay_err *e);
/* What the evidence of a row is called in reports: a hash over all of it, in hexadecimal. */
void ay_store_evidence_name(const struct ay_attest_past *r, char hex[65]);
/* Content by its SHA-256, checked against it; into the arena. AY_E_NOENT when retention took it. */
AY_MUST_USE enum ay_rc ay_store_blob(struct ay_store *s, struct ay_bytes id, struct ay_arena *a,
				     struct ay_bytes *out, struct ay_err *e);
/* The first octets of a host's IMA list of one boot, joined from its chunks. */
AY_MUST_USE enum ay_rc ay_store_ima(struct ay_store *s, const struct ay_uuid *host,
				    struct ay_bytes boot_id, uint64_t octets, struct ay_arena *a,
				    struct ay_bytes *out, struct ay_err *e);
/* AIKs of a host, those renewed since included; newest first. */
AY_MUST_USE enum ay_rc ay_store_aiks(struct ay_store *s, const struct ay_uuid *host, ay_aik_cb *cb,
				     void *arg, struct ay_err *e);
/*
 * Which hosts ever loaded this digest (16 octets or more of it), by boot logs
 * and IMA lists that retention has not taken; in order of host.
 */
AY_MUST_USE enum ay_rc ay_store_sightings(struct ay_store *s, struct ay_bytes digest,
					  ay_sighting_cb *cb, void *arg, struct ay_err *e);
/*
 * A store for reads only, in another thread, beside the one it is made from;
 * closed by ay_store_reader_close() before that is. Made in the thread of s.
 */
AY_MUST_USE enum ay_rc ay_store_reader(struct ay_store *s, struct ay_store **out, struct ay_err *e);
void ay_store_reader_close(struct ay_store *reader); /* NULL is fine */
AY_MUST_USE enum ay_rc ay_store_refsets(struct ay_store *s, ay_refset_cb *cb, void *arg,
					struct ay_err *e);
AY_MUST_USE enum ay_rc ay_store_policies(struct ay_store *s, ay_policy_cb *cb, void *arg,
					 struct ay_err *e);
AY_MUST_USE enum ay_rc ay_store_tokens(struct ay_store *s, ay_token_cb *cb, void *arg,
				       struct ay_err *e);
AY_MUST_USE enum ay_rc ay_store_users(struct ay_store *s, ay_user_cb *cb, void *arg,
				      struct ay_err *e);
AY_MUST_USE enum ay_rc ay_store_api_tokens(struct ay_store *s, ay_api_token_cb *cb, void *arg,
					   struct ay_err *e);
/* By kind and key; also those that were removed. */
AY_MUST_USE enum ay_rc ay_store_family(struct ay_store *s, ay_family_cb *cb, void *arg,
				       struct ay_err *e);
AY_MUST_USE enum ay_rc ay_store_roles(struct ay_store *s, ay_role_cb *cb, void *arg,
				      struct ay_err *e);
/* Sessions in force. */
AY_MUST_USE enum ay_rc ay_store_sessions(struct ay_store *s, ay_session_cb *cb, void *arg,
					 struct ay_err *e);
AY_MUST_USE enum ay_rc ay_store_identities(struct ay_store *s, ay_identity_cb *cb, void *arg,
					   struct ay_err *e);
/* Oldest first. */
AY_MUST_USE enum ay_rc ay_store_approvals(struct ay_store *s, ay_approval_cb *cb, void *arg,
					  struct ay_err *e);
/* The row with this key, if there is one. */
AY_MUST_USE enum ay_rc ay_store_idem(struct ay_store *s, struct ay_bytes key, ay_idem_cb *cb,
				     void *arg, struct ay_err *e);
/* Events with seq > after, oldest first. */
AY_MUST_USE enum ay_rc ay_store_events(struct ay_store *s, uint64_t after, size_t limit,
				       ay_event_cb *cb, void *arg, struct ay_err *e);
/* Number of the newest event that is kept; 0: none is. */
AY_MUST_USE enum ay_rc ay_store_event_newest(struct ay_store *s, uint64_t *seq, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_store_audits(struct ay_store *s, uint64_t from, size_t limit,
				       ay_audit_cb *cb, void *arg, struct ay_err *e);
/* Of the audit's tree, as ay_node_fn wants it (core/authz/proof.h). AY_E_NOENT. */
AY_MUST_USE enum ay_rc ay_store_audit_node(struct ay_store *s, unsigned level, uint64_t index,
					   uint8_t out[32], struct ay_err *e);
/* A named value into the arena; AY_E_NOENT. */
AY_MUST_USE enum ay_rc ay_store_meta(struct ay_store *s, const char *key, struct ay_arena *a,
				     struct ay_bytes *out, struct ay_err *e);
/*
 * Drops old history, old events, and content that nothing names any more, in
 * small steps between commits. wait: until all is done (tests, tools); else it
 * returns at once, and does nothing while an earlier one is under way.
 */
AY_MUST_USE enum ay_rc ay_store_retain(struct ay_store *s, const struct ay_retention *r, bool wait,
				       struct ay_err *e);
/* Structure of the database, every blob against its hash, the audit chain. */
AY_MUST_USE enum ay_rc ay_store_verify(struct ay_store *s, struct ay_err *e);

/* A sound copy of the database at path, which may be in use by a running server. */
AY_MUST_USE enum ay_rc ay_store_backup(const struct ay_store_kind *kind, const char *path,
				       const char *to, struct ay_err *e);
/*
 * Puts a backup in the place of the database at path, after checking it whole.
 * A running server may have it open: its store then refuses every write with
 * AY_E_UNAVAIL, code STORE_RESTORED, and says `replaced`; engine ends and its
 * parent starts it anew.
 */
AY_MUST_USE enum ay_rc ay_store_restore(const struct ay_store_kind *kind, const char *from,
					const char *path, struct ay_err *e);

#endif
