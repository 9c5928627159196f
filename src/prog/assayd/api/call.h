/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_CALL_H
#define AY_ASSAYD_API_CALL_H

/* One request on its way, as handlers see it. Not for other folders. */
#include "core/base/hex.h"
#include "core/base/json.h"
#include "core/base/jsonout.h"
#include "core/base/timefmt.h"
#include "io/store/store.h"
#include "io/sys/listeners.h"
#include "prog/assayd/api/api.h"
#include "prog/assayd/api/dialect.h"
#include "prog/assayd/api/grants.h"
#include "prog/assayd/api/hasher.h"
#include "prog/assayd/api/principal.h"
#include "prog/assayd/api/schema.h"
#include "prog/assayd/api/secrets.h"
#include "prog/assayd/api/target.h"
#include "prog/assayd/engine.h"

struct ay_api_call;
typedef void ay_api_handler(struct ay_api_call *c);

struct ay_route {
	enum ay_http_method method;
	const char *path;
	enum ay_perm perm;
	const char *perm_name;
	ay_api_handler *handler;
	const char *handler_name;
	const char *query; /* names with commas between */
	enum ay_schema_id request, response;
	const char *doc;
};
/* The rows of routes.def; *n is their number. */
const struct ay_route *ay_routes(size_t *n);
/* Those of any table. Every route of every dialect is in one of these. */
const struct ay_route *ay_routes_of(enum ay_route_set s, size_t *n);

#define AY_REQUEST_ID_TEXT 21 /* 20 hexadecimal digits and a terminator */
#define AY_ACTOR_TEXT (AY_MAX_NAME_BYTES + 8)

struct ay_api_call {
	struct ay_api_call *next;
	struct ay_api *api;
	uint32_t req;
	bool gone;	/* the client left: nothing is sent */
	bool streaming; /* its head was sent */
	const struct ay_route *route;
	struct ay_arena arena;
	struct ay_target target;
	struct ay_bytes param[4]; /* what stands for {..} in the path */
	json_t *body;		  /* NULL when the route takes none */
	struct ay_bytes accept, last_event_id, peer;
	struct ay_bytes if_match, if_none_match;
	struct ay_api_header extra[4]; /* more headers of the answer; ay_api_header() */
	size_t n_extra;
	struct ay_etag *looked_at; /* etag.c: the answer is only looked at, not given */
	struct ay_idem *idem;	   /* idempotency.c: the request has an Idempotency-Key */
	enum ay_listener listener;
	enum ay_dialect dialect;
	struct ay_bytes suffix; /* of a route of the family: "json" of /hosts.json; may be empty */
	struct ay_bytes raw, content_type; /* body of a route of the family, as sent */
	struct ay_principal who;
	struct ay_bytes agent; /* User-Agent */
	const char *csrf; /* of the session, in the arena; NULL: the credential is no session */
	char sealed[48];  /* a password made here, told once */
	struct ay_bytes name, credential; /* while they are checked elsewhere; wiped after */
	struct ay_bytes message; /* the whole request, while its credential is checked elsewhere */
	const struct ay_api_request *request; /* as sent, while the handler runs */
	struct ay_soap_call *soap;   /* it came by SOAP, and is answered so; NULL: it did not */
	char id[AY_REQUEST_ID_TEXT]; /* told in X-Request-Id, kept in the audit */
	char actor[AY_ACTOR_TEXT];
	const struct ay_audit_row *witness; /* in the arena; NULL: nothing is changed here */
	bool witnessed;			    /* it stands in the audit */
	bool audited;			    /* and so does what came of it */
	void (*left)(
		struct ay_api_call *c); /* the client left while the handler waits; may be NULL */
	void (*tick)(struct ay_api_call *c); /* about once a second, while it waits; may be NULL */
	void *state;			     /* handler's own, freed by it */
};

struct ay_api_account;

struct ay_api_metrics {
#define X(name, kind, doc) uint64_t name;
#include "prog/assayd/api/metrics.def"
#undef X
};

/* What the configuration says about people; ay_api_new() sets what stands in config.def. */
struct ay_api_settings {
	int64_t session_idle_ms, session_life_ms;
	struct ay_hash_cost hash;
	unsigned hash_threads;
};

struct ay_session;
struct ay_basic_kept {
	uint8_t mac[32];
	int64_t until;
};
/* logins.c: what was told of somebody within the hour */
enum { AY_LOGIN_SLOTS = 256 };
struct ay_login_slot {
	uint64_t key;
	int64_t until;
	unsigned n;
};
struct ay_api {
	struct ay_engine *engine;
	struct ay_store *store;
	struct ay_api_out out;
	struct ay_api_call *calls;
	struct ay_api_call *ended; /* answered; kept until ay_api_sweep() */
	struct ay_accounts *accounts;
	struct ay_clients *clients;
	struct ay_rpcs *rpcs; /* family/cit_rpc.h */
	struct ay_failures *failures;
	struct ay_objects *objects;		       /* family/objects.h */
	struct ay_listener_set listener[AY_LISTENERS]; /* listener.c; that of the API is empty */
	struct ay_session *sessions;		       /* session.h */
	struct ay_seed *seeds;			       /* seal.c */
	struct ay_hasher *hasher;
	struct ay_attempts *attempts; /* attempt.h */
	uint8_t basic_key[32];	      /* basic.c */
	struct ay_basic_kept basic_kept[64];
	struct ay_api_settings settings;
	struct ay_identity *identities; /* identities.h */
	struct ay_oidc *oidc;		/* oidc_login.c; NULL: not configured */
	struct ay_ldap *ldap;		/* ldap_login.c; the same */
	struct ay_denials *denials;
	struct ay_streams *streams; /* events.c; NULL: nobody ever read */
	struct ay_login_slot login_seen[AY_LOGIN_SLOTS], login_failed[AY_LOGIN_SLOTS];
	int64_t head_next_ms; /* when the audit's head is signed again, if it grew */
	uint64_t head_size;   /* of the last one */
	bool head_asked;
	struct ay_api_call *witnessing; /* whose handler runs, and changed nothing yet */
	struct ay_api_metrics metrics;
	int64_t now_ms;
	bool closing;
};

/*
 * ---- answers; each ends the call ----
 *
 * It is freed when the next request comes or the clock ticks, never under the
 * handler that may still look at it.
 */
void ay_api_sweep(struct ay_api *a);
/* What was sent may hold secrets: copies of it in the arena. JSON is wiped as it is freed. */
void ay_api_call_wipe(struct ay_api_call *c);
void ay_api_json(struct ay_api_call *c, int status, json_t *body); /* takes body; NULL: 503 */
void ay_api_bytes(struct ay_api_call *c, int status, const char *type, struct ay_bytes body);
/* 200; more than fits into one message goes in parts. */
void ay_api_long(struct ay_api_call *c, const char *type, struct ay_bytes body);
void ay_api_empty(struct ay_api_call *c, int status);
void ay_api_problem(struct ay_api_call *c, const struct ay_err *e);
/* status: instead of the one of e->rc; name and value of one more header, or NULL */
void ay_api_problem_as(struct ay_api_call *c, int status, const struct ay_err *e,
		       const char *header, const char *value);
/* Any answer; type NULL: no body; header: one more, or NULL. */
void ay_api_answer(struct ay_api_call *c, int status, const char *type, struct ay_bytes body,
		   const char *header, const char *value);
/* 202 with Location. */
void ay_api_accepted(struct ay_api_call *c, const char *location);
/* Ends the call if rc is a fault: true. */
bool ay_api_refused(struct ay_api_call *c, enum ay_rc rc, const struct ay_err *e);

/*
 * The same caller asks for this instead: from now on c is that request, with
 * the route's own permission, scope and schema. as: the route it must be.
 */
void ay_api_instead(struct ay_api_call *c, const struct ay_api_request *r,
		    const struct ay_route *as);

/* problem.c: the document of a failure, RFC 9457 with our error member. */
json_t *ay_problem_json(int status, const struct ay_err *e);

/* accept.c: the header's value, and a type without parameters. Nothing said: anything is taken. */
bool ay_api_accepts(struct ay_bytes accept, const char *type);

/* May its body be left out? */
bool ay_api_may_be_empty(const struct ay_route *r);
/* One more header of the answer; value is copied. Those that do not fit are left out. */
void ay_api_header(struct ay_api_call *c, const char *name, const char *value);

/* ---- etag.c: what a representation is known by ---- */

/* "S-W", in quotes: hashes of what people set of it, and of all of it; docs/rest.md. */
#define AY_ETAG_TEXT 40
struct ay_etag {
	int status; /* of the answer it was made from; 0: none came */
	char text[AY_ETAG_TEXT];
};
/* text: how body is sent. Empty for what has no tag: lists and streams. */
void ay_etag_json(const struct ay_route *r, json_t *body, struct ay_bytes text,
		  char out[AY_ETAG_TEXT]);
void ay_etag_bytes(const struct ay_route *r, struct ay_bytes text, char out[AY_ETAG_TEXT]);
/* Does what this route answers have one? */
bool ay_etag_has(const struct ay_route *r);
/* What a change is about: GET of the same path, or of the path before the verb; NULL: nothing. */
const struct ay_route *ay_etag_resource(const struct ay_route *r);
/* Is it in a list of If-None-Match? */
bool ay_etag_listed(struct ay_bytes list, const char *tag);
/*
 * If-Match of a request that changes something: 412 IF_MATCH unless what is to
 * be changed is as the client saw it. False: the call was answered.
 */
AY_MUST_USE bool ay_etag_permits(struct ay_api_call *c);

/* ---- idempotency.c ---- */

/*
 * Idempotency-Key of a POST: one that was done is not done again, its answer is
 * given again. False: the call was answered.
 */
AY_MUST_USE bool ay_idem_begin(struct ay_api_call *c, const struct ay_api_request *r);
/* The answer is about to be sent: kept, durably, when something was done. body may be NULL. */
void ay_idem_end(struct ay_api_call *c, int status, json_t *body);

/* ---- what handlers need ---- */
struct ay_bytes ay_api_param(const struct ay_api_call *c, const char *name); /* query */
/*
 * page.c: limit and cursor of a list. limit 1..1000; a cursor is opaque to
 * clients and good for the same path and filters only (400 CURSOR). from: the
 * position given to ay_api_list(), 0 at the beginning.
 */
AY_MUST_USE enum ay_rc ay_api_page(const struct ay_api_call *c, uint64_t *from, size_t *limit,
				   struct ay_err *e);
/* A number of the query, at most max; *out stays when it is not given. */
AY_MUST_USE enum ay_rc ay_api_seconds(const struct ay_api_call *c, const char *name, uint64_t max,
				      uint64_t *out, struct ay_err *e);
/* The same with a key in place of a position: what ay_api_list_after() was given; n 0: none. */
AY_MUST_USE enum ay_rc ay_api_page_after(struct ay_api_call *c, struct ay_bytes *after,
					 size_t *limit, struct ay_err *e);
/* {"items":items,"next":cursor|null}; takes items. next 0: none. */
json_t *ay_api_list(const struct ay_api_call *c, json_t *items, uint64_t next);
/* after.n 0: none */
json_t *ay_api_list_after(const struct ay_api_call *c, json_t *items, struct ay_bytes after);
/* A cursor as text, for lists that have more members; JSON null for 0. */
json_t *ay_api_cursor(const struct ay_api_call *c, uint64_t next);
/*
 * Answer with a page of this whole array, which is in the order of these
 * members (names with commas between, '-' before one that descends): rows that
 * come and go between two pages move no other. Takes all.
 */
void ay_api_array_by(struct ay_api_call *c, json_t *all, const char *order);
/* In its own order; for what never changes. */
void ay_api_array(struct ay_api_call *c, json_t *all);
/* The host of the path, or NULL and the call is answered 404. */
const struct ay_host *ay_api_host(struct ay_api_call *c);
/*
 * Hosts as this caller sees them: those for which he has the route's
 * permission. Handlers find hosts by these alone. NULL = none.
 */
const struct ay_host *ay_api_host_find(struct ay_api_call *c, struct ay_bytes id_or_name);
const struct ay_host *ay_api_host_next(struct ay_api_call *c, size_t *at);
/* May he make a host of these labels, or give them to one? Else the call is answered 403. */
bool ay_labels_in_scope(const struct ay_principal *who, enum ay_perm perm,
			const struct ay_label *labels, size_t n);
bool ay_api_labels_allowed(struct ay_api_call *c, const struct ay_label *labels, size_t n);
/* Text members of the body; {NULL, 0} when missing. Borrow from the body. */
struct ay_bytes ay_api_text(const struct ay_api_call *c, const char *member);
/* A TIME member; *out stays when it is missing. */
AY_MUST_USE enum ay_rc ay_api_instant(const struct ay_api_call *c, const char *member,
				      int64_t *out_ms, struct ay_err *e);
bool ay_api_flag(const struct ay_api_call *c, const char *member);
uint64_t ay_api_number(const struct ay_api_call *c, const char *member, uint64_t otherwise);

/* ---- audited.c: what of a request stands in the audit ---- */
/*
 * A person changed something: what came of it, durably. False: it could not be
 * written, and the call is answered 503. detail is taken.
 */
bool ay_api_audit(struct ay_api_call *c, const char *action, struct ay_bytes object,
		  json_t *detail);
/*
 * Around each handler that may change something, by api.c: the first
 * transaction it makes also says in the audit who asked for what.
 */
void ay_api_witness(struct ay_api_call *c);
void ay_api_witness_end(struct ay_api *a);
/*
 * For a handler whose change is no transaction of ours: the same, written now.
 * False: it could not be, and the call is answered 503.
 */
bool ay_api_intend(struct ay_api_call *c);
/* By answer.c: how a change ended of which the handler has not told. */
void ay_api_audit_end(struct ay_api_call *c, int status);
/* Somebody began a session, or may not (code). how: "password", "oidc", .. */
void ay_api_login(struct ay_api_call *c, struct ay_bytes name, const char *how, const char *code);
/* logins.c: a password came with a request: recorded once an hour for each person and address. */
void ay_api_login_seen(struct ay_api_call *c, const struct ay_principal *who, const char *how);
/* The "call" member of detail is added; detail is taken (NULL: none). Nobody waits for it. */
void ay_api_leave(struct ay_api_call *c, const char *action, const char *object, json_t *detail,
		  const char *outcome);
/* As text: "POST /api/v1/hosts", in the arena; the actor of records. */
const char *ay_api_object(struct ay_api_call *c);
const char *ay_api_actor(const struct ay_api_call *c, char out[AY_ACTOR_TEXT]);
void ay_audit_leave(struct ay_api *a, const struct ay_audit_row *row);

/* audit.c: about once a minute the head of an audit that grew is signed, which sends it out as the
 * event audit.head. */
void ay_audit_head_tick(struct ay_api *a);

/* ---- denied.c: the refused, once and then counted ---- */
struct ay_denials *ay_denials_new(void); /* freed by free() */
/* Counts whose time has come, or all. */
void ay_denials_flush(struct ay_api *a, bool all);

/*
 * First thing in the handler of an operation that two persons may be wanted
 * for: true when they are, and the call is answered (202 {"approval":..}, or a
 * refusal). args: what its run() is given; taken.
 */
struct ay_approval_kind;
bool ay_api_two_persons(struct ay_api_call *c, const struct ay_approval_kind *kind,
			struct ay_bytes object, json_t *args);

/* JSON null for 0 */
json_t *ay_api_time(int64_t at_ms);
json_t *ay_api_hex(struct ay_bytes b); /* null for none */
void ay_host_write(struct ay_json_out *o, struct ay_engine *g, const struct ay_host *h);
json_t *ay_host_json(struct ay_engine *g, const struct ay_host *h);

/* ---- accounts.c, failures.c, roles.c; auth.h has the schemes ---- */
AY_MUST_USE enum ay_rc ay_accounts_load(struct ay_api *a, struct ay_err *e);
void ay_accounts_free(struct ay_api *a);
/* NULL without memory. */
struct ay_failures *ay_failures_new(void);
void ay_failures_free(struct ay_failures *f);
/* One more failure of this peer: false when there were too many. */
bool ay_auth_failed(struct ay_api *a, struct ay_bytes peer);
/* The built-in roles: {name: [permission]}. */
json_t *ay_roles_json(void);
const char *ay_perm_name(enum ay_perm p);
AY_MUST_USE bool ay_perm_find(const char *name, enum ay_perm *out);
/* Bits of a role; 0 and false when there is none of that name. */
AY_MUST_USE bool ay_role_perms(const char *role, uint64_t *perms);

/* ---- accounts (users.c is their face) ---- */
/*
 * A person or program. Never deleted: neither id nor name is used again. In a
 * put the pointers are borrowed; in memory they are the account's own.
 */
struct ay_api_account {
	struct ay_api_account *next;
	char name[AY_MAX_NAME_BYTES + 1];
	char role[AY_MAX_NAME_BYTES + 1]; /* of the first grant */
	bool disabled;
	bool removed; /* for good */
	int64_t created_at;
	uint64_t id; /* given once; 0 in a put: a new one */
	char display[AY_MAX_NAME_BYTES + 1];
	struct ay_role_grant *grants; /* NULL in a put: role, everywhere */
	size_t n_grants;
	struct ay_secrets *secrets; /* NULL: none */
};
struct ay_api_key {
	struct ay_api_key *next;
	uint8_t id[9];
	uint8_t hash[32];
	char user[AY_MAX_NAME_BYTES + 1];
	char role[AY_MAX_NAME_BYTES + 1];
	char label[AY_MAX_NAME_BYTES + 1];
	int64_t created_at, expires_at;
	int64_t used_at, used_kept; /* last use; as the store knows it */
	bool revoked;
	struct ay_scope scope; /* n 0: as wide as its owner's */
};
/* A role that somebody made. */
struct ay_role {
	struct ay_role *next;
	char name[AY_MAX_NAME_BYTES + 1];
	char doc[AY_MAX_NAME_BYTES + 1];
	uint64_t perms;
	struct ay_scope scope;
	int64_t created_at;
	bool removed;
};
struct ay_accounts {
	struct ay_api_account *users;
	struct ay_api_key *keys;
	struct ay_role *roles;
};
struct ay_api_account *ay_account_find(struct ay_api *a, struct ay_bytes name);
struct ay_api_account *ay_account_by_id(struct ay_api *a, uint64_t id);
/* By name: new, or all of the one there is. */
AY_MUST_USE enum ay_rc ay_account_put(struct ay_api *a, const struct ay_api_account *row,
				      struct ay_err *e);
/* The same, and one more write (NULL: none) in the same transaction. */
AY_MUST_USE enum ay_rc ay_account_put_with(struct ay_api *a, const struct ay_api_account *row,
					   const struct ay_write *with, struct ay_err *e);
/* The id that the next new account gets. */
uint64_t ay_account_next_id(const struct ay_api *a);
/* The same account with other secrets. */
AY_MUST_USE enum ay_rc ay_account_keep(struct ay_api *a, struct ay_api_account *u,
				       const struct ay_secrets *s, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_role_put(struct ay_api *a, const struct ay_role *row, struct ay_err *e);
/* A row of roles.def: name and doc; NULL after the last. */
const char *ay_role_builtin(size_t i, uint64_t *perms, const char **doc);
/* Permissions as one text with commas between; every one is "*". Freed by free(). */
char *ay_perms_text(uint64_t perms);
/* AY_E_INPUT for a name that is no permission. */
AY_MUST_USE enum ay_rc ay_perms_parse(const json_t *list, uint64_t *out, struct ay_err *e);

/* A new API token, stored; text is told once. */
struct ay_key_spec {
	const char *role;
	struct ay_bytes label;
	int64_t expires_at; /* 0: never */
	struct ay_scope scope;
};
AY_MUST_USE enum ay_rc ay_key_make(struct ay_api *a, const struct ay_api_account *of,
				   const struct ay_key_spec *spec, char text[AY_API_TOKEN_TEXT],
				   struct ay_api_key **out, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_key_create(struct ay_api *a, const struct ay_api_account *of,
				     const char *role, struct ay_bytes label, int64_t expires_at,
				     char text[AY_API_TOKEN_TEXT], struct ay_api_key **out,
				     struct ay_err *e);
AY_MUST_USE enum ay_rc ay_key_revoke(struct ay_api *a, struct ay_api_key *k, struct ay_err *e);
/* Ends all sessions of somebody, but that with this id (NULL: all). */
AY_MUST_USE enum ay_rc ay_sessions_end(struct ay_api *a, uint64_t user, const char *but,
				       struct ay_err *e);
/* The account of the path, if this caller may change it; else the call is answered. */
struct ay_api_account *ay_api_user_to_change(struct ay_api_call *c);
/* Of such an account: how it is shown (NULL: stays) and whether it opens anything; its sessions
 * end. LAST_ADMIN. */
AY_MUST_USE enum ay_rc ay_account_change(struct ay_api_call *c, struct ay_api_account *u,
					 const char *display, bool disabled, struct ay_err *e);
/* It was used now; written to the store now and then. */
void ay_key_used(struct ay_api *a, struct ay_api_key *k);

/* ---- handlers ---- */
#define X(method, path, perm, handler, query, request, response, doc)                              \
	ay_api_handler ay_api_##handler;
#include "prog/assayd/api/routes.def"
#undef X

#endif
