/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FSM_H
#define AY_ASSAYD_FSM_H

/*
 * The three machines of a host: life cycle, verdict with its lease, challenge.
 * They are apart because asking again must not lose the verdict in force.
 * Nothing but these functions assigns the fields. Pure: instants are arguments.
 */
#include "core/appraise/verdict.h"
#include "core/base/err.h"

/* ---- life cycle; the numbers are what is stored ---- */

enum ay_host_state {
	AY_HOST_REGISTERED = 0,
	AY_HOST_PROVISIONING,
	AY_HOST_ENROLLED,
	AY_HOST_RETIRED,
	AY_HOST_STATES
};

const char *ay_host_state_name(enum ay_host_state s);
/* AY_E_BUG when the table has no such move; *state is then unchanged. */
AY_MUST_USE enum ay_rc ay_host_move(enum ay_host_state *state, enum ay_host_state to,
				    struct ay_err *e);

/* ---- verdict with its lease ---- */

/* Zeroed: untrusted without end, so begin with ay_lease_init(). */
struct ay_lease {
	enum ay_verdict verdict;
	int64_t until_ms; /* trusted: the instant it ends; else 0 */
	bool judged; /* some evidence was settled since the beginning or the last acknowledgement */
};

enum ay_lease_event {
	AY_LEASE_SETTLED,      /* evidence was judged */
	AY_LEASE_EXPIRED,      /* the instant came */
	AY_LEASE_SILENT,       /* so many deadlines missed as policy allows */
	AY_LEASE_ACKNOWLEDGED, /* an operator */
};

void ay_lease_init(struct ay_lease *l); /* unknown */
/* verdict, until_ms: of AY_LEASE_SETTLED. True when the verdict in force changed. */
bool ay_lease_apply(struct ay_lease *l, enum ay_lease_event ev, enum ay_verdict verdict,
		    int64_t until_ms);
/* The verdict at this instant: an ended lease counts as unknown though nobody has written it yet.
 */
enum ay_verdict ay_lease_verdict(const struct ay_lease *l, int64_t now_ms);

/* ---- challenge ---- */

enum ay_challenge_state {
	AY_CHALLENGE_NONE = 0,
	AY_CHALLENGE_ISSUED,
	AY_CHALLENGE_CONSUMED,
	AY_CHALLENGE_EXPIRED, /* deadline passed, or its connection died */
	AY_CHALLENGE_STATES
};

/* One nonce: used once, before its deadline, on the connection it was sent on. */
struct ay_challenge {
	enum ay_challenge_state state;
	uint32_t request; /* of the frame; the answer carries the same */
	uint64_t conn;	  /* serial of the connection, never used twice */
	int64_t deadline_ms;
	uint8_t nonce[32];
};

const char *ay_challenge_state_name(enum ay_challenge_state s);
/* A new nonce; one still issued is dead from here on. */
void ay_challenge_issue(struct ay_challenge *c, const uint8_t nonce[32], uint64_t conn,
			uint32_t request, int64_t deadline_ms);
/*
 * An answer came. AY_OK: it is the answer to this challenge, which is consumed
 * by it, and nonce has its value. AY_E_DENIED with code QUOTE_STALE: never
 * issued here, answered already, past its deadline, or of another connection.
 */
AY_MUST_USE enum ay_rc ay_challenge_consume(struct ay_challenge *c, uint64_t conn, uint32_t request,
					    int64_t now_ms, uint8_t nonce[32], struct ay_err *e);
/* Past its deadline now: true once, when an issued one becomes expired. */
bool ay_challenge_expire(struct ay_challenge *c, int64_t now_ms);
/* Its connection is gone. */
void ay_challenge_abandon(struct ay_challenge *c);

#endif
