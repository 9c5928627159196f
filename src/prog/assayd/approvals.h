/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_APPROVALS_H
#define AY_ASSAYD_APPROVALS_H

/*
 * Operations that need two persons (core/authz/approval.h). One that does is
 * not done but kept: who approves it makes the engine do it, in the same
 * transaction that ends the approval, so that it is done once or not at all.
 *
 * A new operation: a function that says what the object is now, a function
 * that does it, a row in approvals.c, a key in config.def section approval.
 * Its handler begins with ay_api_two_persons() (api/call.h).
 */
#include "core/authz/approval.h"
#include "io/store/store.h"
#include "prog/assayd/engine.h"

/* What an operation would be done to. */
struct ay_approval_target {
	char id[AY_UUID_TEXT];
	char title[AY_MAX_NAME_BYTES + 16]; /* "golden@3" */
	uint8_t content[32];		    /* hash of its content */
	uint8_t context[32]; /* of what else the outcome depends on: states, what it replaces */
};

struct ay_approval_kind {
	const char *name;
	const char *key;    /* of section approval in the configuration */
	const char *action; /* audit record of the operation itself */
	const char *doc;
	/* The object as of now, by id or name; AY_E_NOENT. Refuses what could not be done anyway.
	 */
	enum ay_rc (*target)(struct ay_engine *g, struct ay_bytes object, const json_t *args,
			     struct ay_approval_target *out, struct ay_err *e);
	/* Do it, with `also` in the transaction that makes it so. out: as its own route answers. */
	enum ay_rc (*run)(struct ay_engine *g, struct ay_bytes id, const json_t *args,
			  const struct ay_also *also, json_t **out, struct ay_err *e);
};
/* Ends with NULL. */
extern const struct ay_approval_kind *const ay_approval_kinds[];
extern const struct ay_approval_kind ay_approval_reference_activate, ay_approval_reference_revoke,
	ay_approval_reference_supersede, ay_approval_policy_activate;

/* Does the configuration want two persons for this? */
bool ay_engine_two_persons(const struct ay_engine *g, const struct ay_approval_kind *k);

struct ay_approval_request {
	const struct ay_approval_kind *kind;
	struct ay_bytes object; /* id or name */
	const json_t *args;	/* object; may be NULL: {} */
	const char *user;
	const char *permission;
};
/* Keeps the request, audited. out: the approval as the API shows it. AY_E_EXISTS
 * APPROVAL_PENDING: asked for already. */
AY_MUST_USE enum ay_rc ay_engine_approval_ask(struct ay_engine *g,
					      const struct ay_approval_request *r, json_t **out,
					      struct ay_err *e);

/* Array, newest first. state: "pending" ..., or empty: all. */
AY_MUST_USE enum ay_rc ay_engine_approvals(struct ay_engine *g, struct ay_bytes state, json_t **out,
					   struct ay_err *e);
AY_MUST_USE enum ay_rc ay_engine_approval(struct ay_engine *g, struct ay_bytes id, json_t **out,
					  struct ay_err *e);

/* The permission a decision on it needs, borrowed; its requester. NULL: no such approval. */
const char *ay_engine_approval_permission(struct ay_engine *g, struct ay_bytes id,
					  const char **requester);
/* Does it. out: {"approval": .., "result": ..}. Codes of core/authz/approval.h. */
AY_MUST_USE enum ay_rc ay_engine_approval_approve(struct ay_engine *g, struct ay_bytes id,
						  const struct ay_approver *by,
						  struct ay_bytes reason, json_t **out,
						  struct ay_err *e);
AY_MUST_USE enum ay_rc ay_engine_approval_deny(struct ay_engine *g, struct ay_bytes id,
					       const struct ay_approver *by, struct ay_bytes reason,
					       json_t **out, struct ay_err *e);

/* ---- for the engine ---- */
struct ay_approvals;
AY_MUST_USE enum ay_rc ay_approvals_load(struct ay_engine *g, struct ay_err *e);
void ay_approvals_fini(struct ay_engine *g);
/* About once a second: what has expired. */
void ay_approvals_tick(struct ay_engine *g);

#endif
