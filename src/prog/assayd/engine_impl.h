/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_ENGINE_IMPL_H
#define AY_ASSAYD_ENGINE_IMPL_H

/*
 * The inside of the engine process, shared by its files:
 *
 *   engine.c     set-up, loop, messages of the parent
 *   hosts.c      host table in memory; hostrows.c its rows in the store;
 *                hostops.c what operators do to hosts
 *   conns.c      agent connections, their frames, two connections for one host (conns.h);
 *                conn_evidence.c evidence as it comes
 *   challenge.c  nonces and CHALLENGE
 *   enrol.c      first contact and AIK provisioning; enrol_bind.c its end
 *   evidence.c   EVIDENCE bodies (pure)
 *   judge.c      one job in a worker thread: quote, logs, state, report;
 *                judge_ima.c its IMA list; memo.c what states were judged to be
 *   workers.c    lists of jobs to threads and back
 *   settle.c     results to host state and store
 *   orders.c     signed orders to agents, and what became of them
 *   managed.c    hosts that a manager speaks for (connector.h); managers.c these
 *   schedule.c   who is due, who is silent, whose lease ends; pace.c who is asked
 *                first when many are; freshness.c what was missed, and overload
 *   relay.c      questions to signer and assay-ca, and their answers
 *   hooks.c      webhooks: which events go to whom
 *   keepers.c    questions to keeper; outgoing.c and directory.c requests to courier
 *   revoke.c     AIK certificates that end before their time
 *   refs.c       reference sets and policies in force; learn.c new ones;
 *                reflife.c their states; refimport.c those of others
 *   approvals.c  what waits for a second person
 *   history.c    attestations of the past, put together from the store
 *   whatif.c     drafts judged on stored evidence; whatif_run.c in workers
 *   assertion.c  signed statements; claims.c what they are made of; issued.c those signed
 *                already, and the audit's head
 *   keychain.c   until when the server's keys hold
 *   rewrap.c     stored secrets under a new key
 *   pinning.c    hosts learn the next keys that they pin
 *   tokens.c     enrolment tokens
 *   events.c     what subscribers are told
 *
 * One thread owns all of it; a worker sees its job only.
 */
#include "core/appraise/appraise.h"
#include "core/appraise/check_boot.h"
#include "core/crypto/secret.h"
#include "core/crypto/wrap.h"
#include "io/ipc/front_msg.h"
#include "io/ipc/sign_msg.h"
#include "io/store/store.h"
#include "io/sys/config.h"
#include "io/sys/log.h"
#include "prog/assayd/engine.h"
#include "prog/assayd/evidence.h"
#include "prog/assayd/index.h"
#include "prog/assayd/job.h"
#include "prog/assayd/judge.h"
#include "prog/assayd/keys.h"
#include "prog/assayd/pace.h"
#include "prog/assayd/staged.h"
#include "prog/assayd/wake.h"

struct ay_conn;
struct ay_enrol;
struct ay_order_run;

/* What of the configuration the engine looks at often. */
struct ay_engine_settings {
	int64_t lease_ms, interval_ms, deadline_ms;
	int64_t hello_ms;     /* until HELLO, and until a first contact has said who it is */
	int64_t provision_ms; /* for each step of provisioning */
	int64_t token_life_ms;
	uint32_t silence; /* deadlines missed until trusted becomes unknown */
	uint32_t workers;
	uint32_t max_conns;
	uint32_t window; /* hosts asked at the same time; 0: no more than one */
	char servers[AY_MAX_TOKEN_BYTES /
		     4]; /* words with commas, for tokens; empty: from FRONT_READY */
};

/* Who waits for the next settled evidence of a host. */
struct ay_waiter {
	struct ay_waiter *next;
	struct ay_host *host;
	ay_attest_fn *fn;
	void *arg;
	int64_t until;	/* mono */
	uint64_t after; /* state version it must be newer than */
};

/* engine's part of a host */
struct ay_host_run {
	struct ay_host *host;
	struct ay_wake wake;
	int64_t due;	  /* mono: next challenge; AY_NEVER: none planned, or it waits its turn */
	int64_t by;	  /* mono: deadline of the challenge that is due */
	int64_t stale_at; /* mono: its evidence is older than its policy allows; AY_NEVER: told */
	struct ay_pace_item pace;
	uint64_t rev;	  /* of the host's row */
	uint32_t binding; /* how often a key was bound to it since this process began */
	uint64_t seq;	  /* its last row of history */
	uint64_t claimed; /* state version given to the store last; host.version follows when
			     committed */
	struct ay_counters counters;
	struct ay_pubkey *ak; /* loaded while connected */
	bool is_tpm12;	      /* it is of a TPM 1.2 */
	uint8_t qualified_name[AY_NAME_MAX];
	uint8_t qualified_name_n;
	struct ay_boot_mark boot;
	struct ay_blob *pcrs; /* last verified values, wire form */
	uint8_t log_id[32];   /* SHA-256 of the last boot log; it is in the store */
	bool has_log;
	struct ay_blob *ima; /* where the IMA list stands: ay_ima_state, ay_ima_tally */
	uint64_t ima_octets, ima_entries;
	bool ima_whole;		    /* it is wanted from its first entry: the rules changed */
	struct ay_memo *memo;	    /* what its state was judged to be last */
	struct ay_judge *judge;	    /* of its policy; NULL: none */
	struct ay_managed *managed; /* managed.c: a manager speaks for it */
	bool has_managed_id;
	struct ay_uuid managed_id; /* that manager's id of it, bound */
	struct ay_conn *conn;	   /* the one in use */
	struct ay_conn *rival; /* a second one with the same key, until it is clear which is real */
	uint32_t next_request;
	uint32_t said_request;		 /* last result, as told in CHALLENGE */
	uint8_t said_verdict;		 /* 255: none yet */
	uint32_t in_flight;		 /* jobs in workers or in the store */
	bool revoked;			 /* its AIK certificate is on the CA's list */
	const struct ay_host_gist *gist; /* hostlist.c: of the report of row gist_seq */
	uint64_t gist_seq;
	uint32_t index;	  /* place in the table; index + 1 is its dial id */
	uint32_t dial_id; /* DIAL under way; 0: none */
	int64_t dial_at;  /* mono: next attempt */
	uint32_t dial_fails;
	int64_t notice_from, renew_from; /* mono: before it the agent's NOTICE waits */
	bool renewal_waits;
	uint8_t pins_taken; /* pinning.c: 1 << enum ay_pin_purpose: it pins what it was told */
};

#include "prog/assayd/conns.h"

struct ay_workers;

struct ay_subscription {
	struct ay_subscription *next;
	ay_event_fn *fn;
	void *arg;
};

/* A question to signer or assay-ca that an answer is awaited for. */
typedef void ay_answer_fn(struct ay_engine *g, void *arg, enum ay_rc rc, const struct ay_err *e,
			  struct ay_bytes answer);
struct ay_question {
	struct ay_question *next;
	uint32_t req;
	int64_t until;
	ay_answer_fn *fn;
	void *arg;
};

struct ay_etoken;    /* tokens.c */
struct ay_approvals; /* approvals.c */
struct ay_signers;   /* signers.h */

#define AY_CONN_BUCKETS 65536

struct ay_engine {
	const struct ay_config *config; /* NULL in tests */
	struct ay_engine_settings set;
	struct ay_loop *loop;
	struct ay_ipc *parent, *front, *signer, *ca, *keeper, *courier;
	struct ay_store *store;
	struct ay_workers *workers;
	struct event *timer, *stored;
	int64_t next_second; /* mono */
	int64_t next_crl, next_retain;
	uint64_t seconds; /* since the start */
	int exit_status;
	int64_t now_ms, mono_ms;
	bool stopping, ready_told;

	/* hostlist.c */
	struct ay_host_order {
		struct ay_host **host;
		size_t n, max;
		bool stale; /* some host came, went or has another name */
		struct ay_index *gists;
	} order;

	/* hosts.c */
	struct ay_host **host;
	size_t n_hosts, max_hosts;
	struct ay_index *by_id, *by_name, *by_key, *by_pseudonym, *by_ak;
	struct ay_index *blobs; /* contents that hosts share; each holds one reference */

	/* conns.c, schedule.c */
	struct ay_conn *conns[AY_CONN_BUCKETS];
	size_t n_conns;
	uint64_t next_serial;
	struct ay_sched host_sched, conn_sched;
	struct ay_order_run *orders; /* under way at any host */
	struct ay_pace pace;
	struct ay_missed *missed; /* freshness.c */
	struct ay_host **again;	  /* interval 0: challenged at the end of the turn */
	size_t n_again, max_again;

	/* challenge.c */
	uint8_t nonces[64][32];
	size_t n_nonces;

	/* relay.c */
	bool have_front, have_signer, have_ca;
	uint8_t server_spki[32];
	char agents_addr[128];
	uint8_t order_spki[32], root_spki[32], ca_root_spki[32];
	struct ay_jwks jwks;
	int64_t jwks_until_ms[AY_MAX_JWKS_KEYS]; /* 0: no end */
	uint8_t signer_keys[32];		 /* SHA-256 of what the signer said of its keys */
	uint8_t *ca_certs;			 /* CA_READY as it came */
	struct ay_bytes aik_chain[AY_MAX_CERT_CHAIN]; /* of ca_ready, what issues: root last */
	size_t n_aik_chain;
	struct ay_ca_ready ca_ready; /* borrows from ca_certs */
	uint8_t *crl;
	size_t crl_n;
	struct ay_signed_head head;	 /* issued.c: key_n 0: none yet */
	struct ay_issued *issued;	 /* issued.c */
	struct ay_claims_kept *kept;	 /* claims.c */
	uint32_t revoking, revoke_fails; /* revoke.c: asked and not answered; failed in a row */
	uint32_t next_req;
	struct ay_question *questions;
	struct ay_outgoing_open *outgoing; /* outgoing.c */
	size_t n_outgoing;
	struct ay_directory_open *directory;  /* directory.c */
	struct {
		bool is_asked, is_on, failed;
		size_t source, at, found, pending, n_keys;
		uint8_t key[64][AY_WRAP_KEY_ID]; /* keeper's, the newest first */
	} rewrap;
	struct ay_key_info keys[AY_KEYS_MAX]; /* keychain.c */
	int key_warned[AY_KEYS_MAX + AY_STAGED_MAX];
	size_t n_keys;
	size_t reminded;	  /* octets of what front was told that ends soon */
	int64_t next_keys;	  /* mono */
	struct ay_staged *staged; /* pinning.c: what hosts are told, the oldest first */
	size_t n_staged;
	bool pins_moved;   /* what pin-hosts.json says is not so any more */
	int64_t next_pins; /* mono */

	struct ay_manager *managers;	  /* managers.c */
	struct ay_hooks *hooks;		  /* hooks.c */
	struct ay_refs *refs;		  /* refs.c */
	struct ay_etoken *tokens;	  /* tokens.c */
	struct ay_whatif *whatif;	  /* whatif.c; made with the workers */
	struct ay_verifying *verifying;	  /* verify.c */
	struct ay_approvals *approvals;	  /* approvals.c */
	const struct ay_signers *signers; /* whose reference sets are taken; NULL: nobody's */
	const struct ay_own_names *own;	  /* the caller's; may be NULL */
	struct ay_waiter *waiters;
	struct ay_subscription *subs;
	uint64_t event_seq;
	struct ay_overview count;
	/* API_REQUEST and API_GONE; and once a second. NULL in tests that need no API. */
	void (*api_msg)(void *arg, const struct ay_ipc_msg *m);
	void (*api_tick)(void *arg, int64_t now_ms);
	void (*api_turn)(void *arg);
	void *api_arg;
	struct event *api_wake;
};

/* ---- hosts.c, hostrows.c ---- */
/* What only an operator ends, as it is stored (ay_host_context.sticky). */
#define AY_STICKY_COUNTER 1
#define AY_STICKY_DUPLICATE 2
AY_MUST_USE enum ay_rc ay_hosts_init(struct ay_engine *g, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_hosts_load(struct ay_engine *g, struct ay_err *e);
void ay_hosts_fini(struct ay_engine *g);
struct ay_host *ay_hosts_by_key(struct ay_engine *g, const uint8_t spki[32]);
struct ay_host *ay_hosts_by_id(struct ay_engine *g, const struct ay_uuid *id);
struct ay_host *ay_hosts_by_name(struct ay_engine *g, struct ay_bytes name);
struct ay_host *ay_hosts_by_pseudonym(struct ay_engine *g, const uint8_t pseudonym[32]);
struct ay_host *ay_hosts_by_ak(struct ay_engine *g, struct ay_bytes ak_name);
/* Load the AK of a bound host from its row; AY_OK when it is loaded already. */
AY_MUST_USE enum ay_rc ay_hosts_load_ak(struct ay_engine *g, struct ay_host *h, struct ay_err *e);
/* Keep why a step failed, for the operator; the row is written lazily. */
void ay_hosts_note(struct ay_engine *g, struct ay_host *h, const struct ay_err *e);
/* Read verdict, lease and versions from the store anew. */
void ay_hosts_reload(struct ay_engine *g, struct ay_host *h);
void ay_hosts_revoked(struct ay_engine *g, struct ay_host *h);
void ay_hosts_set_verdict(struct ay_engine *g, struct ay_host *h, enum ay_lease_event ev);
void ay_hosts_settle_lease(struct ay_engine *g, struct ay_host *h, const struct ay_lease *l);
/* A host of a row that is stored. NULL without memory. */
struct ay_host *ay_hosts_add(struct ay_engine *g, const struct ay_host_row *row);
void ay_hosts_reread(struct ay_host *h, const struct ay_host_row *row);
/* Its name and keys are free for others. */
void ay_hosts_forget(struct ay_engine *g, struct ay_host *h);
AY_MUST_USE bool ay_hosts_rename(struct ay_engine *g, struct ay_host *h, const char *name);
/* Read the row, let fn change it, write it; synchronous. */
AY_MUST_USE enum ay_rc ay_hosts_edit(struct ay_engine *g, struct ay_host *h,
				     void (*fn)(void *arg, struct ay_host_row *row), void *arg,
				     struct ay_err *e);
/* Where the views of a context point that are not kept as octets. */
struct ay_context_room {
	uint8_t sticky[1];
	uint8_t boot[AY_BOOT_MARK_WIRE];
};
struct ay_bytes ay_hosts_boot_octets(const struct ay_boot_mark *m, struct ay_context_room *room);
void ay_hosts_context(const struct ay_host *h, struct ay_host_context *out,
		      struct ay_context_room *room);
/* Stored already: put the new binding of an enrolment into memory. row's views are copied. */
/* Out of the index, for another key to take its place by enrolment. */
void ay_hosts_unbind_key(struct ay_engine *g, struct ay_host *h);
struct ay_host *ay_hosts_bind(struct ay_engine *g, struct ay_host *h,
			      const struct ay_host_row *row);
void ay_hosts_move(struct ay_engine *g, struct ay_host *h, enum ay_host_state to);
/* Write verdict, lease and what carries over, without history; synchronous. */
AY_MUST_USE enum ay_rc ay_hosts_write_status(struct ay_engine *g, struct ay_host *h,
					     struct ay_err *e);
/* The shared copy of this content; takes b's reference and gives one back. */
void ay_hosts_sweep(struct ay_engine *g); /* contents that no host has any more */
struct ay_blob *ay_hosts_share(struct ay_engine *g, struct ay_blob *b);
void ay_hosts_status(const struct ay_host *h, struct ay_host_status *out, uint8_t comps[32]);

/* ---- hostlist.c ---- */
void ay_hostlist_fini(struct ay_engine *g);

/* ---- challenge.c ---- */
void ay_nonce_draw(struct ay_engine *g, uint8_t out[32]);
void ay_report_id_draw(struct ay_engine *g, int64_t at_ms, uint8_t out[16]);
void ay_challenge_send(struct ay_engine *g, struct ay_host *h, struct ay_conn *c);

/* ---- enrol.c ---- */
void ay_enrol_hello(struct ay_engine *g, struct ay_conn *c);
void ay_enrol_frame(struct ay_engine *g, struct ay_conn *c, uint8_t type, uint32_t req,
		    struct ay_bytes body);
void ay_enrol_renew(struct ay_engine *g, struct ay_conn *c);
/* True while its new AK is being stored: nothing is asked of the old one. */
bool ay_enrol_holds(const struct ay_conn *c);
void ay_enrol_stored(struct ay_engine *g, struct ay_enrol *en, const struct ay_store_result *res);
void ay_enrol_from_ca(struct ay_engine *g, const struct ay_ipc_msg *m);
void ay_enrol_drop(struct ay_engine *g, struct ay_conn *c);
void ay_enrol_failed(struct ay_engine *g, struct ay_conn *c, const struct ay_err *e);

/* ---- judge.c (worker threads); judge.h has what they share ---- */
void ay_judge_job(struct ay_memo_table *t, struct ay_job *j, struct ay_arena *a);

/* ---- workers.c ---- */
AY_MUST_USE enum ay_rc ay_workers_start(struct ay_engine *g, struct ay_err *e);
void ay_workers_stop(struct ay_engine *g);
/*
 * Work that is no attestation: run in a thread, when no host waits, with an
 * arena that is emptied afterwards; then done in the main thread, or, when the
 * server stops, drop. Both free it.
 */
struct ay_task {
	struct ay_task *next;
	void (*run)(struct ay_task *t, struct ay_arena *a);
	void (*done)(struct ay_engine *g, struct ay_task *t);
	void (*drop)(struct ay_task *t);
};
void ay_workers_task(struct ay_engine *g, struct ay_task *t);
/* A what-if has hosts to judge. */
void ay_workers_wake(struct ay_engine *g);
/* A job with its snapshot of the host; c NULL: no agent answered it. NULL without memory. */
struct ay_job *ay_job_new(struct ay_engine *g, struct ay_host *h, struct ay_conn *c);
AY_MUST_USE bool ay_job_body(struct ay_job *j, struct ay_bytes body);
/* Takes the snapshot anew: the state version moved meanwhile. */
void ay_job_refresh(struct ay_job *j);
void ay_job_submit(struct ay_engine *g, struct ay_job *j);
void ay_job_free(struct ay_engine *g, struct ay_job *j);
/* End of a turn: hand the list over, or say when (mono). */
int64_t ay_workers_flush(struct ay_engine *g);

/* ---- settle.c ---- */
void ay_settle_job(struct ay_engine *g, struct ay_job *j);
void ay_settle_stored(struct ay_engine *g);
/* Wait until all that was submitted is committed. */
void ay_settle_drain(struct ay_engine *g);
/* What is waiting for its commit: a cookie is a pointer with one of these in its low bits. */
#define AY_COOKIE_JOB 0u
#define AY_COOKIE_ENROL 1u
#define AY_COOKIE_EVENT 2u
#define AY_COOKIE_KIND 7u
void ay_settle_waiters(struct ay_engine *g, struct ay_host *h, enum ay_rc rc,
		       const struct ay_err *e);

/* ---- schedule.c ---- */
void ay_schedule_host(struct ay_engine *g, struct ay_host *h);
/* After a result: true when the host is challenged again in this very turn. */
bool ay_schedule_settled(struct ay_engine *g, struct ay_host *h);
/* Challenge as soon as may be. */
void ay_schedule_now(struct ay_engine *g, struct ay_host *h);
/* Judge it anew before its evidence is too old; the others are not kept waiting for it. */
void ay_schedule_soon(struct ay_engine *g, struct ay_host *h);
/* Its connection is up: at once, or soon when it is trusted and says that it is the same boot. */
void ay_schedule_back(struct ay_engine *g, struct ay_host *h, const uint8_t boot_id[16]);
/* After the start: what is stored says when it is due, and from when on it is missed. */
void ay_schedule_expect(struct ay_engine *g, struct ay_host *h);
/* Asked for by the agent itself: at most once a second. */
void ay_schedule_notice(struct ay_engine *g, struct ay_host *h);
/* Likewise a new AIK certificate: at most once in five seconds. */
void ay_schedule_renewal(struct ay_engine *g, struct ay_host *h);
void ay_schedule_again(struct ay_engine *g, struct ay_host *h);
void ay_schedule_turn(struct ay_engine *g);
void ay_schedule_tick(struct ay_engine *g);
void ay_schedule_missed(struct ay_engine *g, struct ay_host *h);
void ay_dial(struct ay_engine *g, struct ay_host *h);
void ay_dial_later(struct ay_engine *g, struct ay_host *h);
void ay_dial_up(struct ay_engine *g, struct ay_conn *c, uint32_t dial_id);
/* sub: enum ay_dial_failure */
void ay_dial_failed(struct ay_engine *g, uint32_t dial_id, uint8_t sub, struct ay_bytes why);
/* Somebody else answers for this host: kept as its last error, told once. */
void ay_dial_policy(struct ay_engine *g, struct ay_host *h, const struct ay_err *why);

/* ---- freshness.c ---- */
/* Once for each host whose evidence became older than its policy allows. */
void ay_freshness_missed(struct ay_engine *g, const struct ay_host *h);
/* Once a second: is there time for all? Event OVERLOAD when that changes. */
void ay_freshness_look(struct ay_engine *g);
void ay_freshness_fini(struct ay_engine *g);

/* ---- relay.c ---- */
void ay_relay_signer(struct ay_engine *g, const struct ay_ipc_msg *m);
void ay_relay_ca(struct ay_engine *g, const struct ay_ipc_msg *m);
/* fn is called once: with the answer, a refusal, or AY_E_UNAVAIL. */
void ay_relay_ask(struct ay_engine *g, struct ay_ipc *to, uint16_t type, struct ay_bytes body,
		  ay_answer_fn *fn, void *arg);
/* As ay_relay_ask(), for so long. The number of the question; 0: fn was called already. */
uint32_t ay_relay_ask_for(struct ay_engine *g, struct ay_ipc *to, uint16_t type,
			  struct ay_bytes body, int64_t wait_ms, ay_answer_fn *fn, void *arg);
/* It is answered now: UNAVAIL. */
void ay_relay_expire(struct ay_engine *g, uint32_t req);
/* From keeper and courier. */
void ay_relay_answer(struct ay_engine *g, const struct ay_ipc_msg *m, bool is_refusal);
void ay_relay_document(struct ay_engine *g, struct ay_ipc *to, uint16_t type, struct ay_bytes body,
		       ay_document_fn *fn, void *arg);
void ay_relay_front_ready(struct ay_engine *g, struct ay_bytes body);
void ay_relay_tick(struct ay_engine *g);
/* Every open question is answered: UNAVAIL. Before those who asked go. */
void ay_relay_end(struct ay_engine *g);
void ay_relay_fini(struct ay_engine *g);
/* To front, when it is news: ready or not, and what ends soon. */
void ay_relay_tell_ready(struct ay_engine *g);
void ay_relay_refresh_crl(struct ay_engine *g);
void ay_relay_revoke(struct ay_engine *g, struct ay_bytes serial);
bool ay_engine_is_ready(const struct ay_engine *g);

/* ---- refs.c ---- */
AY_MUST_USE enum ay_rc ay_refs_load(struct ay_engine *g, struct ay_err *e);
void ay_refs_fini(struct ay_engine *g);
/* About once a second: planned ends. */
void ay_refs_tick(struct ay_engine *g);
/* Point the host to the judge of its policy. */
void ay_refs_attach(struct ay_engine *g, struct ay_host *h);
/* About once a second: waivers and update windows that have ended. */
void ay_refs_expire(struct ay_engine *g);
int64_t ay_refs_lease_ms(struct ay_engine *g, const struct ay_host *h);
int64_t ay_refs_interval_ms(struct ay_engine *g, const struct ay_host *h);
uint32_t ay_refs_silence(struct ay_engine *g, const struct ay_host *h);
const char *ay_refs_default_policy(const struct ay_engine *g);

/* ---- keychain.c ---- */
void ay_keychain_load(struct ay_engine *g);
void ay_keychain_tick(struct ay_engine *g);
/* False: a certificate that all are served by has ended. */
bool ay_keychain_holds(const struct ay_engine *g);
/* JSON texts with commas between, of what ends soon; as many as there is room for. */
struct ay_bytes ay_keychain_reminders(const struct ay_engine *g, char *out, size_t room);
/* {"key","text"} of each that ends soon, into list. */
void ay_keychain_warn(const struct ay_engine *g, json_t *list);

/* ---- pinning.c ---- */
void ay_pinning_load(struct ay_engine *g);
void ay_pinning_fini(struct ay_engine *g);
/* To a connection that was bound a moment ago: what its host has not taken yet. */
void ay_pinning_send(struct ay_engine *g, struct ay_conn *c);
/* Once a second: pin-hosts.json. */
void ay_pinning_tick(struct ay_engine *g);
/* PIN_STATE. AY_E_INPUT: the agent broke the protocol. */
AY_MUST_USE enum ay_rc ay_pinning_state(struct ay_engine *g, struct ay_conn *c,
					struct ay_bytes body, struct ay_err *e);
struct ay_token;
void ay_pinning_token(const struct ay_engine *g, struct ay_token *t);
/* {"sha256","until","hosts","hosts_taken","hosts_missing"} of the next key of that name; null. */
json_t *ay_pinning_json(const struct ay_engine *g, const char *name);

/* ---- issued.c ---- */
/* The assertion of these claims: one that was signed before and still holds, or a new one. type:
 * the message that the signer is asked by. */
void ay_issued_get(struct ay_engine *g, uint16_t type, struct ay_bytes claims, int64_t until_ms,
		   ay_document_fn *fn, void *arg);
void ay_issued_fini(struct ay_engine *g);

/* ---- tokens.c ---- */
AY_MUST_USE enum ay_rc ay_tokens_load(struct ay_engine *g, struct ay_err *e);
void ay_tokens_fini(struct ay_engine *g);
struct ay_token_view {
	uint8_t id[16];
	uint8_t k[32];
	bool for_host;
	struct ay_uuid host;
	char pool[AY_MAX_NAME_BYTES + 1];
	size_t n_eks; /* 0: any EK */
	uint8_t ek[AY_MAX_TOKEN_EKS][32];
};
/* The token of TOKEN_PROOF when it may still be used; codes TOKEN_UNKNOWN, TOKEN_SPENT,
 * TOKEN_EXPIRED, TOKEN_REVOKED. */
AY_MUST_USE enum ay_rc ay_tokens_find(struct ay_engine *g, struct ay_bytes id_text,
				      struct ay_token_view *out, struct ay_err *e);
/* Those that were made before and may still be used. */
size_t ay_tokens_older(const struct ay_engine *g, int64_t before_ms);
/* The store has consumed one use. */
void ay_tokens_used(struct ay_engine *g, const uint8_t id[16]);

/* ---- events.c ---- */
struct ay_pending_event;
void ay_event_emit(struct ay_engine *g, const char *kind, const struct ay_host *h, const char *code,
		   const char *text);
void ay_event_head(struct ay_engine *g, const struct ay_signed_head *h);
void ay_event_verdict(struct ay_engine *g, const struct ay_host *h, enum ay_verdict was);

/*
 * An event of a change belongs into its transaction: killed between the two, the
 * server would never tell of it. Either for the next ay_store_write(), after
 * which ay_event_announced() tells the subscribers or drops it:
 */
struct ay_pending_event *ay_event_announce(struct ay_engine *g, const char *kind,
					   const struct ay_uuid *host, const char *name,
					   const char *code, const char *text);
void ay_event_announced(struct ay_engine *g, struct ay_pending_event *p); /* NULL is fine */
/*
 * or among the writes of a transaction that is submitted: row borrows from the
 * event; ay_event_stored() with its result. NULL: no memory.
 */
struct ay_pending_event *ay_event_verdict_new(struct ay_engine *g, const struct ay_host *h,
					      const struct ay_lease *to, enum ay_verdict was,
					      struct ay_event_row *row);
struct ay_pending_event *ay_event_host_new(struct ay_engine *g, const char *kind,
					   const struct ay_uuid *host, const char *name,
					   const char *code, const char *text,
					   struct ay_event_row *row);
void ay_event_free(struct ay_pending_event *p);
/* The audit's record of a verdict that changed; nobody waits for it. */
void ay_event_audit_verdict(struct ay_engine *g, const struct ay_host *h, enum ay_verdict was);
void ay_event_stored(struct ay_engine *g, struct ay_pending_event *p,
		     const struct ay_store_result *res);

/* ---- engine.c ---- */
/* Look at the clocks: once a turn, and when results come. */
void ay_engine_clock(struct ay_engine *g);
struct ay_engine_parts {
	const struct ay_config *config; /* may be NULL */
	struct ay_engine_settings set;
	struct ay_loop *loop;
	struct ay_store *store;			   /* stays the caller's */
	int parent_fd, front_fd, signer_fd, ca_fd; /* -1: none */
	int keeper_fd, courier_fd;
	const struct ay_signers *signers; /* stays the caller's; NULL: nobody */
	const struct ay_own_names *own;	  /* stays the caller's; may be NULL */
};
AY_MUST_USE enum ay_rc ay_engine_new(const struct ay_engine_parts *p, struct ay_engine **out,
				     struct ay_err *e);
void ay_engine_free(struct ay_engine *g);

/* ---- engine_api.c ---- */
AY_MUST_USE enum ay_rc ay_engine_open_api(struct ay_engine *g, struct ay_err *e);
void ay_engine_close_api(struct ay_engine *g);

#endif
