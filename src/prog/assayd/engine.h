/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_ENGINE_H
#define AY_ASSAYD_ENGINE_H

/*
 * The engine process as its API handlers (assayd/api) see it: the hosts in
 * memory and what may be done to them. All calls are for the engine's main
 * thread. The inside is in engine_impl.h.
 *
 * What a call here has changed when it returns AY_OK is on disk; a verdict is
 * shown only when it is, too.
 */
#include "core/appraise/report.h"
#include "core/base/timefmt.h"
#include "core/base/uuid.h"
#include "core/crypto/tlspolicy.h"
#include "core/tpm/pcr.h"
#include "prog/assayd/assertion.h"
#include "prog/assayd/fsm.h"

#include <jansson.h>

struct ay_engine;
struct ay_write;

struct ay_label {
	char *key;
	char *value;
};

/* How a host is reached and who may speak for it (design 4, first contact). */
struct ay_host_dial {
	char *connect;		  /* "ADDR:PORT" the server dials; NULL: the agent dials */
	struct ay_tls_policy tls; /* whom to believe there; first use shows as tls_tofu */
	char token_id[33];	  /* --token: the listening agent proves this token; "" none */
};

/* What the AIK certificate says of a bound host. Strings are "" when not known. */
struct ay_host_identity {
	char grade[16]; /* ek_certified ... tls_tofu, as in design 1 */
	uint8_t ak_name[AY_NAME_MAX];
	uint8_t ak_name_n;
	uint8_t pseudonym[32];
	uint8_t tls_key[32];
	char family[4]; /* "2.0" or "1.2", as its certified AK is */
	char manufacturer[12];
	char model[24];
	char firmware[24];
	int64_t cert_until_ms;
	int64_t cert_renew_ms;
};

/*
 * One host. Handlers read it and never write it. Cold strings are on the heap
 * or NULL; see ay_engine_host_note() for the last failing step.
 */
struct ay_host {
	struct ay_uuid id;
	char *name;
	enum ay_host_state state;	   /* moved by ay_host_move() alone */
	struct ay_lease lease;		   /* verdict in force and until when */
	uint8_t components[AY_COMPONENTS]; /* enum ay_verdict of the last report */
	uint8_t grades[AY_COMPONENTS];	   /* enum ay_grade */
	bool connected;
	bool sticky; /* COUNTER_BACK or HOST_DUPLICATE: only an operator ends it */
	bool sticky_duplicate;
	uint64_t version; /* state version: every settled change adds one */
	int64_t created_ms;
	int64_t attested_ms;   /* of the last settled evidence; 0: never */
	uint32_t missed;       /* deadlines missed in a row */
	uint8_t report_id[16]; /* of the latest report; zero: none */
	struct ay_host_identity identity;
	struct ay_host_dial dial;
	struct ay_label *labels;
	size_t n_labels;
	char *policy;	 /* name of the policy attached to it; NULL: none */
	char *note_code; /* last failing step of enrolment or channel, e.g. "EK_CHAIN"; NULL */
	char *note_text;
	int64_t note_ms;
	struct ay_host_run *run; /* engine's own part */
};

/* ---- hosts ---- */

/* Something about people that everybody who looks at events should see at once. */
void ay_engine_person_event(struct ay_engine *g, const char *code, const char *text);

/* By id (any spelling) or name; retired ones are not found. NULL = none. */
const struct ay_host *ay_engine_host_find(struct ay_engine *g, struct ay_bytes id_or_name);
/* Hosts in the order of registration, retired ones left out: *at begins with 0 and moves on; NULL
 * at the end. */
const struct ay_host *ay_engine_host_next(struct ay_engine *g, size_t *at);
size_t ay_engine_host_count(const struct ay_engine *g);

/* In the order of names (octets): *at is a place, which moves on; NULL at the end. */
const struct ay_host *ay_engine_host_ordered(struct ay_engine *g, size_t *at);
/* Place of the first host whose name is not before this one, or after it. */
size_t ay_engine_host_place(struct ay_engine *g, struct ay_bytes name, bool after);

/* What its latest report says in short; nothing before the first. Lives until the next call. */
struct ay_host_gist {
	char **cause; /* classes of causes.def */
	size_t n_causes;
	char **reference; /* NAME@VERSION of the sets it was judged by */
	size_t n_references;
};
const struct ay_host_gist *ay_engine_host_gist(struct ay_engine *g, const struct ay_host *h);

struct ay_host_spec {
	struct ay_bytes name;	  /* required */
	struct ay_bytes connect;  /* ADDR:PORT or empty */
	struct ay_tls_policy tls; /* none, or whom to believe at connect */
	struct ay_bytes token;	  /* token text or id or empty */
	struct ay_bytes policy;	  /* name or empty: the default one when there is one */
	const struct ay_label *labels;
	size_t n_labels;
};

/* AY_E_EXISTS: the name is taken; AY_E_INPUT: field named; starts dialling when it has `connect`.
 */
AY_MUST_USE enum ay_rc ay_engine_host_add(struct ay_engine *g, const struct ay_host_spec *spec,
					  const struct ay_host **out, struct ay_err *e);

/* What of a host changes; NULL members stay. labels replaces all of them. */
struct ay_host_patch {
	const struct ay_bytes *name;
	const struct ay_bytes *connect;
	const struct ay_bytes *policy;
	/*
	 * Another key than the bound one: the connection ends, and the same TPM
	 * has to prove that it is behind the new key before the host is
	 * attested again.
	 */
	const struct ay_tls_policy *tls;
	const struct ay_label *labels;
	size_t n_labels;
	bool set_labels;
};
AY_MUST_USE enum ay_rc ay_engine_host_patch(struct ay_engine *g, const struct ay_host *h,
					    const struct ay_host_patch *patch, struct ay_err *e);

/* Retires it: connection closed, keys free for another host, its AIK certificate revoked. */
AY_MUST_USE enum ay_rc ay_engine_host_remove(struct ay_engine *g, const struct ay_host *h,
					     struct ay_err *e);

/* Ends sticky failures and a failed verdict: unknown until the next evidence, which is asked for.
 */
AY_MUST_USE enum ay_rc ay_engine_host_acknowledge(struct ay_engine *g, const struct ay_host *h,
						  const char *who, const char *reason,
						  struct ay_err *e);

/* ---- attestation ---- */

/*
 * Called once: rc AY_OK and the host with its new report; or AY_E_UNAVAIL
 * after wait_ms, or when the host is not connected (code HOST_OFFLINE) or went
 * away. The verdict is stored when this is called.
 */
typedef void ay_attest_fn(void *arg, enum ay_rc rc, const struct ay_err *e,
			  const struct ay_host *h);
/* Ask now. fn NULL: do not wait. NOT_ENROLLED with AY_E_EXISTS (409): no AK to answer with. */
AY_MUST_USE enum ay_rc ay_engine_attest(struct ay_engine *g, const struct ay_host *h,
					int64_t wait_ms, ay_attest_fn *fn, void *arg,
					struct ay_err *e);
/* The waiter has left (its client closed): fn is not called. */
void ay_engine_attest_forget(struct ay_engine *g, void *arg);

/* The Report object of design 8; json_decref by the caller. AY_E_NOENT: none yet. */
AY_MUST_USE enum ay_rc ay_engine_report(struct ay_engine *g, const struct ay_host *h, json_t **out,
					struct ay_err *e);

/* The values of its last verified evidence; false: there is none. */
AY_MUST_USE bool ay_engine_host_pcrs(struct ay_engine *g, const struct ay_host *h,
				     struct ay_pcrs *out);

/* Causes of a report that is shown, told by reference sets that are not in force (causes.h). */
void ay_engine_explain(struct ay_engine *g, json_t *report);

/* ---- enrolment tokens ---- */

struct ay_token_spec {
	struct ay_bytes
		host; /* registered host it enrols, id or name; empty: the agent names a new one */
	struct ay_bytes pool;	 /* label pool of the hosts it makes; may be empty */
	uint32_t uses;		 /* 0: one */
	int64_t ttl_ms;		 /* 0: 24 h */
	const uint8_t (*ek)[32]; /* SHA-256 of the EK publics it is for */
	size_t n_eks;		 /* 0: any EK */
};

/* text: terminated, room AY_MAX_TOKEN_BYTES. id: 32 hex digits. It is told once. */
AY_MUST_USE enum ay_rc ay_engine_token_create(struct ay_engine *g, const struct ay_token_spec *spec,
					      char *text, char id[33], int64_t *until_ms,
					      struct ay_err *e);
/* Array of {"id","host","pool","uses_left","until"}; never the secret. */
AY_MUST_USE enum ay_rc ay_engine_tokens(struct ay_engine *g, json_t **out, struct ay_err *e);
/* One of them, by its id. */
AY_MUST_USE enum ay_rc ay_engine_token(struct ay_engine *g, struct ay_bytes id_text, json_t **out,
				       struct ay_err *e);
AY_MUST_USE enum ay_rc ay_engine_token_revoke(struct ay_engine *g, struct ay_bytes id,
					      struct ay_err *e);

/* ---- references and policies ---- */

/* How a set comes into force or goes out of it. */
struct ay_reference_change {
	bool supersede;	      /* activate: the other versions of that name in force end ... */
	int64_t supersede_at; /* ... then; 0: at once. Until then all are accepted */
	bool force;	      /* revoke, supersede: though hosts or a policy rely on it */
};

/* What to learn from which host. */
struct ay_learn_ask {
	const struct ay_host *host;
	struct ay_bytes name;
	uint32_t parts; /* bit N is part N of core/appraise/reference.h; 0: all it has evidence for
			 */
	uint32_t pcrs, host_unique;	   /* bit N; 0: all, none (struct ay_learn_options) */
	const json_t *match;		   /* which hosts the set is for; NULL: all */
	struct ay_bytes note;		   /* n == 0: none */
	bool activate;			   /* active at once, and the default policy with it */
	struct ay_reference_change change; /* with activate */
	const char *user;
};
/*
 * A draft set from the host's last verified evidence. out: the set as the API
 * shows it. AY_E_NOENT: nothing verified yet.
 */
AY_MUST_USE enum ay_rc ay_engine_learn(struct ay_engine *g, const struct ay_learn_ask *ask,
				       json_t **out, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_engine_references(struct ay_engine *g, json_t **out, struct ay_err *e);
/* id or name (the newest version of it). full: with the values. */
AY_MUST_USE enum ay_rc ay_engine_reference(struct ay_engine *g, struct ay_bytes id, json_t **out,
					   struct ay_err *e);
/* {"PART":[RULE, ..]}: its rules about PCRs, without what may be long. */
AY_MUST_USE enum ay_rc ay_engine_reference_boot(struct ay_engine *g, struct ay_bytes id,
						json_t **out, struct ay_err *e);
/* What import takes elsewhere: its document as a draft, and a newline; in the arena. */
AY_MUST_USE enum ay_rc ay_engine_reference_export(struct ay_engine *g, struct ay_bytes id,
						  struct ay_arena *a, struct ay_bytes *out,
						  struct ay_err *e);
/* {"supersede","supersede_at","force"}: what an approval of it keeps. */
json_t *ay_reference_change_json(const struct ay_reference_change *how);

/* Writes that belong into the transaction of what is done. */
struct ay_also {
	const struct ay_write *w;
	size_t n;
};

/*
 * A set from elsewhere, as a draft: an envelope that a trusted key signed
 * (docs/formats/dsse.md), or, if the configuration lets it, a plain one. name:
 * taken under that name as its next version; empty: as it is. out: the set with
 * signer or warning. Codes DSSE_*, REFERENCE_UNSIGNED, REFERENCE_EXISTS,
 * REFERENCE_VERSION.
 */
AY_MUST_USE enum ay_rc ay_engine_reference_import(struct ay_engine *g, const json_t *document,
						  struct ay_bytes name, const char *user,
						  json_t **out, struct ay_err *e);
/* A set that we made ourselves of what a user gave, as a draft: the next version of its name. out
 * as above. */
AY_MUST_USE enum ay_rc ay_engine_reference_make(struct ay_engine *g, const json_t *document,
						const char *user, json_t **out, struct ay_err *e);
/* What differs between two: core/appraise/set_diff.h. */
AY_MUST_USE enum ay_rc ay_engine_reference_diff(struct ay_engine *g, struct ay_bytes a,
						struct ay_bytes b, json_t **out, struct ay_err *e);

/*
 * draft -> active -> superseded -> revoked; every host is judged anew. id: id,
 * NAME or NAME@VERSION. also: may be NULL; not NULL: a set that is in that
 * state already is AY_E_EXISTS. Code REFERENCE_IN_USE unless forced.
 */
AY_MUST_USE enum ay_rc ay_engine_reference_activate(struct ay_engine *g, struct ay_bytes id,
						    const struct ay_reference_change *how,
						    const struct ay_also *also, json_t **out,
						    struct ay_err *e);
AY_MUST_USE enum ay_rc ay_engine_reference_supersede(struct ay_engine *g, struct ay_bytes id,
						     const struct ay_reference_change *how,
						     const struct ay_also *also, json_t **out,
						     struct ay_err *e);
AY_MUST_USE enum ay_rc ay_engine_reference_revoke(struct ay_engine *g, struct ay_bytes id,
						  const struct ay_reference_change *how,
						  const struct ay_also *also, json_t **out,
						  struct ay_err *e);
AY_MUST_USE enum ay_rc ay_engine_policies(struct ay_engine *g, json_t **out, struct ay_err *e);
/* id, NAME@VERSION, or name (the newest version of it); so below. */
AY_MUST_USE enum ay_rc ay_engine_policy(struct ay_engine *g, struct ay_bytes id, json_t **out,
					struct ay_err *e);
/* A draft: the next version of its name, whatever the document says; `complaints` are its
 * warnings. Code POLICY_LINT: the linter finds errors. */
AY_MUST_USE enum ay_rc ay_engine_policy_set(struct ay_engine *g, const json_t *doc,
					    const char *user, json_t **out, struct ay_err *e);
/* {"complaints":[..],"errors":N} */
AY_MUST_USE enum ay_rc ay_engine_policy_lint(struct ay_engine *g, const json_t *doc, json_t **out,
					     struct ay_err *e);
/* What it replaces becomes superseded. The hosts it is for are judged anew at once. */
AY_MUST_USE enum ay_rc ay_engine_policy_activate(struct ay_engine *g, struct ay_bytes id,
						 const struct ay_also *also, json_t **out,
						 struct ay_err *e);
AY_MUST_USE enum ay_rc ay_engine_policy_revoke(struct ay_engine *g, struct ay_bytes id,
					       const struct ay_also *also, json_t **out,
					       struct ay_err *e);
/* By labels (object of texts), in place of what is attached to exactly these; a host's own is
 * ay_engine_host_patch(). */
AY_MUST_USE enum ay_rc ay_engine_policy_attach(struct ay_engine *g, const char *policy,
					       const json_t *labels, json_t **out,
					       struct ay_err *e);
AY_MUST_USE enum ay_rc ay_engine_policy_detach(struct ay_engine *g, const json_t *labels,
					       struct ay_err *e);
/* Array of {"policy","labels"}, in order of precedence. */
AY_MUST_USE enum ay_rc ay_engine_policy_attachments(struct ay_engine *g, json_t **out,
						    struct ay_err *e);
/* Which policy is the host's. name NULL: none; version 0: none of that name is in force. */
struct ay_host_policy {
	const char *name;
	const char *by; /* "host", "labels", "default" */
	uint32_t version;
	const uint8_t *sha256;
};
void ay_engine_host_policy(struct ay_engine *g, const struct ay_host *h,
			   struct ay_host_policy *out);

/* ---- what other processes do for us ---- */

struct ay_signed_head {
	uint64_t size;
	uint8_t root[32];
	int64_t at_ms;
	uint8_t signature[64];
	uint8_t key[128]; /* SPKI */
	size_t key_n;
};
typedef void ay_head_fn(void *arg, enum ay_rc rc, const struct ay_err *e,
			const struct ay_signed_head *h);
/* The audit's head, signed: once, until the audit grows. */
void ay_engine_audit_head(struct ay_engine *g, uint64_t size, const uint8_t root[32],
			  ay_head_fn *fn, void *arg);
/* 64 hex digits: the CA takes this EK from now on. */
void ay_engine_ek_approve(struct ay_engine *g, struct ay_bytes hash, ay_document_fn *fn, void *arg);
/* DER CRL of the Privacy CA. */
void ay_engine_crl(struct ay_engine *g, ay_document_fn *fn, void *arg);

/* ---- the rest ---- */

struct ay_store *ay_engine_store(struct ay_engine *g);
/* Wall clock of this turn of the loop, ms since 1970. */
int64_t ay_engine_now_ms(const struct ay_engine *g);

/* Kept counters for /overview and /metrics; never a scan. */
struct ay_overview {
	uint64_t hosts, connected;
	uint64_t state[4];   /* by enum ay_host_state */
	uint64_t verdict[3]; /* of enrolled hosts, by enum ay_verdict */
	uint64_t challenges, attestations, accepted, rejected, late, stale, conflicts,
		protocol_errors;
	uint64_t enrolments, enrolment_failures;
	/* are hosts asked in time? Rates and waits are of the last second. */
	bool overloaded;
	uint64_t waiting, due_per_s, served_per_s, longest_wait_ms;
	uint64_t overdue; /* asked after their deadline, since the start */
};
/*
 * Hosts whose evidence became older than their policy allows, since the start:
 * late, because they waited for us; silent, because they did not answer. i from
 * 0; false at the end. policy is "" for hosts without one.
 */
struct ay_deadline_misses {
	const char *policy;
	uint64_t late, silent;
};
bool ay_engine_deadline_misses(const struct ay_engine *g, size_t i, struct ay_deadline_misses *out);
void ay_engine_overview(const struct ay_engine *g, struct ay_overview *out);

/*
 * Events as they happen, for /events and sinks: kind ("verdict", "host",
 * "duplicate", "enrol_failed", ...) and one JSON object. Not called on the hot
 * path unless somebody subscribed or the verdict changed.
 */
typedef void ay_event_fn(void *arg, uint64_t seq, const char *kind, const char *json);
struct ay_subscription;
AY_MUST_USE struct ay_subscription *ay_engine_subscribe(struct ay_engine *g, ay_event_fn *fn,
							void *arg);
void ay_engine_unsubscribe(struct ay_engine *g, struct ay_subscription *s);

struct ay_config;
/* NULL in tests that have none. */
struct ay_own_names;
/* The server's names (ownnames.h); NULL: none are known. */
const struct ay_own_names *ay_engine_own_names(const struct ay_engine *g);
const struct ay_config *ay_engine_config_of(const struct ay_engine *g);
/* Array of {"key","text"}: what an operator should be reminded of. The caller's; NULL without
 * memory. */
json_t *ay_engine_warnings(const struct ay_engine *g);
/* Array of {"name","use","sha256","until","old_until","warning"?}. */
AY_MUST_USE enum ay_rc ay_engine_keys(struct ay_engine *g, json_t **out, struct ay_err *e);
/* Effective configuration: array of {"key","value","from","doc"[,"warning"]}. */
AY_MUST_USE enum ay_rc ay_engine_config(struct ay_engine *g, json_t **out, struct ay_err *e);

#endif
