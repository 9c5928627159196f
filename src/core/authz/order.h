/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_AUTHZ_ORDER_H
#define AY_AUTHZ_ORDER_H

/*
 * Orders to an agent (design 4, docs/protocol/agent-channel.md): what makes a
 * host do more than quote and report. An order is signed by the order key, which
 * the agent has pinned and which is no TLS key; it names the host, the verb,
 * the arguments by hash, and a nonce that this agent drew for it, so that it
 * serves one host, once.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/base/uuid.h"
#include "core/crypto/privkey.h"

enum ay_order_verb {
#define X(name, number, text, approvers, doc) AY_ORDER_##name = (number),
#include "core/authz/order.def"
#undef X
};

#define AY_ORDER_STATEMENT_MAX (13 + 16 + 1 + 32 + 16 + 32 + 8 + 1 + AY_MAX_APPROVERS * 129)
#define AY_ORDER_LIFE_MS                                                                           \
	(10 * 60 * 1000LL) /* an order ends that long after it was signed, at most */

struct ay_order {
	enum ay_order_verb verb;
	struct ay_uuid host;
	uint8_t args[32]; /* SHA-256 of the arguments */
	struct ay_uuid id;
	uint8_t nonce[32]; /* drawn by the agent's tpm process */
	int64_t expires_ms;
	size_t n_approvers;
	struct ay_bytes approver[AY_MAX_APPROVERS]; /* names, at most 128 octets; borrowed */
};

/* As in `allow` and in logs; NULL if there is no such verb. */
const char *ay_order_name(enum ay_order_verb v);
/* The verb of that name; false if there is none. */
AY_MUST_USE bool ay_order_verb_of(struct ay_bytes name, enum ay_order_verb *out);
/* How many people must have agreed; of an unknown verb more than can be named. */
size_t ay_order_approvers(enum ay_order_verb v);

/* The octets that are signed: "assay-order-1" and the fields. */
AY_MUST_USE enum ay_rc ay_order_write(const struct ay_order *o, uint8_t out[AY_ORDER_STATEMENT_MAX],
				      struct ay_bytes *statement, struct ay_err *e);
/* AY_E_INPUT unless it is exactly one statement of a known verb. The signature is not verified. */
AY_MUST_USE enum ay_rc ay_order_parse(struct ay_bytes statement, struct ay_order *out,
				      struct ay_err *e);

/* What the server may sign: enough approvers, all of them different, and no longer than it lives.
 */
AY_MUST_USE enum ay_rc ay_order_may_be_given(const struct ay_order *o, int64_t now_ms,
					     struct ay_err *e);

/* What the agent holds an order against. */
struct ay_order_want {
	const uint8_t *pin;   /* 32: SHA-256 of the order key's SPKI */
	const uint8_t *nonce; /* 32: drawn for this one and no other */
	struct ay_uuid host;
	enum ay_order_verb verb; /* that the nonce was drawn for */
	int64_t now_ms;
};

/*
 * Signed (r || s) by the key in spki, which is the pinned one; of this host and
 * verb, with this nonce and these arguments; not ended; approved by enough. Code
 * ORDER_KEY, ORDER_SIGNATURE, ORDER_HOST, ORDER_VERB, ORDER_NONCE, ORDER_ARGS,
 * ORDER_EXPIRED or ORDER_APPROVERS.
 */
AY_MUST_USE enum ay_rc ay_order_check(struct ay_bytes statement, struct ay_bytes sig,
				      struct ay_bytes spki, struct ay_bytes args,
				      const struct ay_order_want *want, struct ay_order *out,
				      struct ay_err *e);

#endif
