/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_STORE_STORE_ROWS_H
#define AY_STORE_STORE_ROWS_H

/*
 * The rows that a store takes and gives (store.h). What a row points to is
 * borrowed: from the caller in a write, from the store in a callback.
 */
#include "core/appraise/set_state.h"
#include "core/base/uuid.h"
#include "io/store/blob.h"

/* What a host is: changes by operators and enrolment only. Absent bytes have n == 0, absent text is
 * "". */
struct ay_host_row {
	struct ay_uuid id;
	uint64_t rev;	     /* for compare-and-set of this row; the first is 1 */
	const char *name;    /* unique among hosts that are not retired */
	const char *labels;  /* JSON object of strings */
	const char *connect; /* HOST:PORT the server dials, or "" */
	const char *
		tls_kind; /* TLS policy of a host we dial: enum ay_tls_policy_kind by name, or "" */
	struct ay_bytes agent_key;  /* its SHA-256 of the agent's TLS SPKI */
	struct ay_bytes agent_cert; /* its SHA-256 of the agent's certificate */
	const char *policy;	    /* name of the policy attached to it, or "" */
	struct ay_bytes token;	    /* id of the token a listening agent proves, or none */
	uint8_t state;		    /* 0 registered, 1 provisioning, 2 enrolled, 3 retired */
	int64_t created_at;
	/* the last failing step of enrolment or channel: kept for the operator */
	const char *note_code;
	const char *note_text;
	int64_t note_at;
	/* the binding made by enrolment */
	const char *grade;		/* "ek_certified" ... or "" [design 1] */
	struct ay_bytes ak_name;	/* TPM Name of the AK */
	struct ay_bytes qualified_name; /* as child of the EK */
	struct ay_bytes ak_public;	/* TPMT_PUBLIC */
	struct ay_bytes cert;		/* AIK certificate, DER */
	struct ay_bytes cert_serial;
	int64_t cert_until;
	int64_t cert_renew;
	struct ay_bytes pseudonym; /* of the EK, 32 octets */
	struct ay_bytes tls_spki;  /* SHA-256, 32 octets */
	const char *tpm;	   /* JSON object: manufacturer, model, firmware, family */
	int64_t enrolled_at;
};

/* What was last seen of a host: changes with every attestation. */
struct ay_host_status {
	uint64_t version;    /* compare-and-set; 0 before the first */
	uint8_t verdict;     /* enum ay_verdict; meaningful when judged */
	bool judged;	     /* some evidence was settled since the last acknowledgement */
	int64_t attested_at; /* 0: never */
	int64_t lease_until; /* 0: none */
	uint8_t report_id[16];
	struct ay_bytes
		components;   /* opaque, at most 32 octets: verdicts and grades by component */
	uint64_t attestation; /* the last row of history; 0: none */
	bool counters_known;
	uint64_t clock_ms;
	uint64_t tpm_firmware;
	uint32_t reset_count;
	uint32_t restart_count;
};

/*
 * What of the host's evidence carries over to the next attestation. Written
 * only when it changed, so it may be larger. The opaque parts are engine's.
 */
struct ay_host_context {
	struct ay_bytes boot_id;  /* 16 octets, or 24 with TPM counters (check_boot.h), or none */
	struct ay_bytes boot_log; /* blob id of the boot log, 32 octets or none */
	struct ay_bytes pcrs;	  /* blob id of the last verified PCR values (wire form) */
	struct ay_bytes ima;	  /* opaque: replay state of the IMA list */
	struct ay_bytes
		sticky; /* opaque: fails in force, HOST_DUPLICATE, COUNTER_BACK; none: n == 0 */
	uint64_t ima_offset; /* octets of the IMA list verified in this boot */
	uint64_t ima_entries;
};

/* One attestation, as kept in history. */
struct ay_attest_row {
	struct ay_uuid host;
	int64_t at;
	struct ay_host_status status; /* after it; status.version - 1 must be the stored one */
	struct ay_bytes attest; /* TPMS_ATTEST or, if that did not parse, what came; may be none */
	struct ay_bytes signature;
	struct ay_bytes nonce;	  /* 32 octets */
	struct ay_bytes exporter; /* 32 octets */
	/* what the row names, by blob id or none; a blob below, when given, is stored and named
	 * instead */
	struct ay_bytes boot_id;
	struct ay_bytes pcrs_id;
	struct ay_bytes boot_log_id;
	uint64_t ima_offset; /* octets of the IMA list of this boot that are covered */
	/* content that may be new; giving what is stored already costs a look-up. Referenced, not
	 * copied. */
	struct ay_blob
		*report;      /* JSON, not NULL; shared when it has neither id, host nor instant */
	struct ay_blob *pcrs; /* wire form of ay_pcrs */
	struct ay_blob *boot_log;
	struct ay_blob *ima_chunk; /* NULL: no new octets */
	uint64_t ima_chunk_offset;
	/* what the judge went by, so that the verdict can be derived again; opaque */
	struct ay_bytes inputs; /* at most 512 octets, or none */
	struct ay_blob *rules;	/* policy and sets; shared by all it judges; NULL: none */
	struct ay_blob *extra;	/* refused evidence; NULL: none */
	const struct ay_host_context *context; /* NULL: unchanged */
};

/* Binds a host at the end of enrolment [design 5, step 7]; all or nothing. */
struct ay_enrol_row {
	struct ay_host_row host; /* rev: the stored one, or 0: the token's agent names a new host */
	struct ay_bytes token;	 /* id of the enrolment token to consume, or none */
	int64_t now;
};

struct ay_refset_row {
	struct ay_uuid id;
	const char *name;
	uint32_t version; /* per name, from 1; 0 in a put: the store numbers it */
	enum ay_set_state state;
	int64_t created_at;
	const char *created_by;
	struct ay_bytes sha256; /* of body */
	struct ay_bytes body;	/* canonical JSON of the set; immutable */
	int64_t activated_at;	/* 0: never */
	int64_t supersede_at;	/* an active set becomes superseded then; 0: not planned */
};

struct ay_policy_row {
	struct ay_uuid id;
	const char *name;
	uint32_t version;
	enum ay_set_state state;
	int64_t created_at;
	const char *created_by;
	struct ay_bytes sha256;
	struct ay_bytes body;
};

/* Enrolment token. K = SHA-256(secret) is kept until the token ends. */
struct ay_token_row {
	struct ay_bytes id; /* as travels in the token, 16 octets */
	struct ay_bytes k;  /* 32 octets; n == 0 once it ended */
	uint32_t uses, used;
	int64_t created_at, expires_at;
	bool revoked;
	bool for_host;	     /* enrols that registered host only */
	struct ay_uuid host; /* if for_host */
	const char *pool;
	const char *ek_list; /* JSON array of hex, "[]" = any */
	const char *created_by;
};

struct ay_user_row {
	const char *name;
	const char *role; /* "admin", "operator", "viewer", ... : row of api/roles.def */
	bool disabled;
	int64_t created_at;
	uint64_t id; /* given once, never again; from 1 */
	const char *display;
	const char *grants;	 /* JSON array of {"role","labels"}, or "": role, everywhere */
	struct ay_bytes secrets; /* opaque: password, TOTP, recovery codes */
	bool removed;
};

struct ay_api_token_row {
	struct ay_bytes id;   /* 9 octets, public part */
	struct ay_bytes hash; /* SHA-256 of the secret part */
	const char *user;
	const char *role; /* at most the user's */
	const char *label;
	int64_t created_at, expires_at; /* 0: never */
	bool revoked;
	const char *scope; /* JSON object of labels, or "": as wide as the user's */
	int64_t used_at;
};

/* A role that somebody made; the built-in ones are in api/roles.def. */
struct ay_role_row {
	const char *name;
	const char *permissions; /* rows of api/perms.def, with commas between */
	const char *scope;	 /* JSON object of labels, or "" */
	const char *doc;
	int64_t created_at;
	bool removed;
};

struct ay_session_row {
	struct ay_bytes hash; /* SHA-256 of the secret in the cookie */
	const char *id;	      /* for people */
	uint64_t user;
	int64_t created_at, used_at;
	bool ended;
	bool mfa;
	const char *scheme; /* how its user showed who he is */
	const char *peer, *agent;
};

/* What an account is called at another source: a certificate, OIDC, LDAP, a client's key. */
enum ay_identity_state { AY_IDENTITY_ASKED = 0, AY_IDENTITY_ACTIVE, AY_IDENTITY_ENDED };
struct ay_identity_row {
	const char *source, *subject; /* unique together */
	uint64_t user;		      /* 0: not decided yet */
	uint8_t state;		      /* enum ay_identity_state */
	const char *detail;	      /* JSON object */
	int64_t created_at;
};

/* An operation that waits for a second person, or waited (core/authz/approval.h). */
struct ay_approval_row {
	struct ay_uuid id;
	const char *kind;	/* row of assayd/approvals.c */
	const char *object;	/* its id */
	const char *title;	/* what people call it: "golden@3" */
	const char *args;	/* canonical JSON object */
	const char *permission; /* what the operation needs, and who decides it */
	struct ay_bytes hash;	/* 32 octets: ay_approval_hash() when it was asked for */
	const char *requester;
	int64_t requested_at, expires_at;
	uint8_t state; /* enum ay_approval_state */
	const char *decided_by;
	int64_t decided_at; /* 0: not yet */
	const char *reason;
};

/* The end of one: only what is pending ends, so that it is done once. */
struct ay_approval_end {
	struct ay_uuid id;
	uint8_t state;
	const char *decided_by;
	int64_t decided_at;
	const char *reason;
};

/* An object of the Mt. Wilson family that is none of ours (prog/assayd/family/objects.h). */
struct ay_family_row {
	const char *kind, *key;
	const char *body; /* JSON object; "": it was removed */
};

/*
 * A request that has an Idempotency-Key. status 0: it was begun, and nobody
 * knows whether it was done.
 */
#define AY_IDEM_MS (24 * 3600 * (int64_t)1000)
struct ay_idem_row {
	struct ay_bytes key;	 /* 32 octets: hash of who asked and of the key */
	struct ay_bytes request; /* 32 octets: hash of the request */
	int64_t at;
	uint32_t status;
	bool secret; /* the answer held something that is told once: body is without it */
	const char *location;
	struct ay_bytes body; /* JSON; n == 0: none, or too long to be kept */
};

struct ay_event_row {
	uint64_t seq; /* set by the store */
	int64_t at;
	const char *kind; /* "VERDICT", "PEER_PROTOCOL", ... */
	bool has_host;
	struct ay_uuid host;
	const char *body; /* JSON object */
};

/* One line of the audit; the store adds number, chain and tree (core/authz/audit.h). */
struct ay_audit_row {
	int64_t at;
	const char *actor;  /* "user:NAME", "host:UUID", "system" */
	const char *action; /* row of sys/audit.def */
	const char *object;
	const char *detail; /* JSON object */
};

/* A row of history as read back. */
struct ay_attest_past {
	uint64_t seq;
	uint64_t prev; /* the host's row before, 0: none */
	struct ay_uuid host;
	int64_t at;
	uint64_t version;
	uint8_t verdict;
	uint8_t report_id[16];
	int64_t lease_until;
	struct ay_bytes report;	  /* blob id */
	struct ay_bytes pcrs;	  /* blob id or none */
	struct ay_bytes boot_log; /* blob id or none */
	struct ay_bytes boot_id;
	struct ay_bytes attest, signature, nonce, exporter;
	uint64_t ima_offset;		      /* octets of the IMA list covered */
	struct ay_bytes inputs, rules, extra; /* as in ay_attest_row; the latter two are blob ids */
};

/* An AIK that a host has or had. */
struct ay_aik_row {
	struct ay_uuid host;
	struct ay_bytes qualified_name; /* TPM Name, as child of the EK */
	struct ay_bytes ak_public;	/* TPMT_PUBLIC */
	struct ay_bytes cert;		/* DER */
	int64_t enrolled_at;
};

/* One content of one host that holds a digest; a host may come more than once. */
enum ay_seen_in { AY_SEEN_IN_LOG = 1, AY_SEEN_IN_IMA = 2 };
struct ay_sighting {
	struct ay_uuid host;
	enum ay_seen_in kind;
	int64_t first_at, last_at;
	struct ay_bytes content; /* blob id of the boot log or piece of IMA list */
};

#endif
