/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_AUTHZ_APPROVAL_H
#define AY_AUTHZ_APPROVAL_H

/*
 * The rule of two persons: one asks for an operation, somebody else approves or
 * denies it, and only what was asked for is done, once. Here is who may decide
 * and what the object is named by; the engine keeps and does it
 * (prog/assayd/approvals.h). Times are ms since 1970.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

enum ay_approval_state {
	AY_APPROVAL_PENDING = 0,
	AY_APPROVAL_APPROVED, /* and done */
	AY_APPROVAL_DENIED,
	AY_APPROVAL_EXPIRED,
	AY_APPROVAL_VOID, /* the object is not what it was when this was asked for */
	AY_APPROVAL_STATES
};

const char *ay_approval_state_name(enum ay_approval_state s);
bool ay_approval_state_find(struct ay_bytes name, enum ay_approval_state *out);

/* What was asked for, as far as deciding needs it. */
struct ay_approval_ask {
	enum ay_approval_state state;
	const char *requester; /* account name */
	int64_t expires_at;
};

/* Who wants to decide it. */
struct ay_approver {
	const char *user;
	int64_t token_made_at; /* of the API token used now */
	bool permitted;	       /* has the permission that the operation itself needs */
};

struct ay_approval_rules {
	/*
	 * A token must be so old before it approves: who has taken over one
	 * administrator's session can make a second account at once, but not
	 * without being seen for that long.
	 */
	int64_t token_age_ms;
};

/*
 * May they approve it now? AY_E_EXISTS: APPROVAL_DONE, APPROVAL_EXPIRED;
 * AY_E_DENIED: APPROVAL_OWN, APPROVAL_PERMISSION, APPROVAL_TOKEN_NEW.
 */
AY_MUST_USE enum ay_rc ay_approval_may_approve(const struct ay_approval_ask *ask,
					       const struct ay_approver *by,
					       const struct ay_approval_rules *rules,
					       int64_t now_ms, struct ay_err *e);
/* May they deny it? As approve; a new token may deny. */
AY_MUST_USE enum ay_rc ay_approval_may_deny(const struct ay_approval_ask *ask,
					    const struct ay_approver *by, int64_t now_ms,
					    struct ay_err *e);

/*
 * What an approval is for: SHA-256 of "assay-approval-1" and, each after its
 * length, kind, object, its content's hash, the state it is in, the arguments
 * (canonical JSON). Approved is this and nothing else.
 */
struct ay_approval_object {
	const char *kind;
	const char *id;
	struct ay_bytes content; /* hash of it */
	struct ay_bytes context; /* all else that the operation's outcome depends on */
	const char *args;
};
void ay_approval_hash(const struct ay_approval_object *o, uint8_t out[32]);

/* The object's hash now against the one that was approved: AY_E_EXISTS APPROVAL_CHANGED. */
AY_MUST_USE enum ay_rc ay_approval_same(const uint8_t asked[32], const uint8_t now[32],
					struct ay_err *e);

#endif
