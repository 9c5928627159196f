/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/fsm.h"

#include <openssl/crypto.h>

#define TO(s) (1u << (s))

static const struct {
	const char *name;
	unsigned next;
} host_fsm[AY_HOST_STATES] = {
	[AY_HOST_REGISTERED] = { "registered", TO(AY_HOST_PROVISIONING) | TO(AY_HOST_RETIRED) },
	[AY_HOST_PROVISIONING] = { "provisioning", TO(AY_HOST_REGISTERED) | TO(AY_HOST_ENROLLED) |
							   TO(AY_HOST_RETIRED) },
	/* a renewal keeps the binding in force until the new one is proved, so it does not leave
	   enrolled */
	[AY_HOST_ENROLLED] = { "enrolled", TO(AY_HOST_RETIRED) },
	[AY_HOST_RETIRED] = { "retired", 0 },
};

const char *ay_host_state_name(enum ay_host_state s)
{
	return (size_t)s < AY_COUNT(host_fsm) ? host_fsm[s].name : "?";
}

enum ay_rc ay_host_move(enum ay_host_state *state, enum ay_host_state to, struct ay_err *e)
{
	if ((size_t)*state >= AY_COUNT(host_fsm) || (size_t)to >= AY_COUNT(host_fsm))
		return ay_fail(e, AY_E_BUG, "host.state", 0, "no such state");
	if (!(host_fsm[*state].next & TO(to)))
		return ay_fail(e, AY_E_BUG, "host.state", 0, "no move from %s to %s",
			       host_fsm[*state].name, host_fsm[to].name);
	*state = to;
	return AY_OK;
}

/* ---- verdict with its lease ---- */

/*
 * Column: what evidence said, where the event is AY_LEASE_SETTLED. A fail stays
 * in force until a later attestation passes completely (design 6), so `unknown`
 * does not end it.
 */
static const enum ay_verdict settled[3][3] = {
	[AY_UNTRUSTED] = { AY_UNTRUSTED, AY_UNTRUSTED, AY_TRUSTED },
	[AY_UNKNOWN] = { AY_UNTRUSTED, AY_UNKNOWN, AY_TRUSTED },
	[AY_TRUSTED] = { AY_UNTRUSTED, AY_UNKNOWN, AY_TRUSTED },
};

/* The other events, whatever was said. */
static const enum ay_verdict lapsed[3][4] = {
	[AY_UNTRUSTED] = { [AY_LEASE_EXPIRED] = AY_UNTRUSTED,
			   [AY_LEASE_SILENT] = AY_UNTRUSTED,
			   [AY_LEASE_ACKNOWLEDGED] = AY_UNKNOWN },
	[AY_UNKNOWN] = { [AY_LEASE_EXPIRED] = AY_UNKNOWN,
			 [AY_LEASE_SILENT] = AY_UNKNOWN,
			 [AY_LEASE_ACKNOWLEDGED] = AY_UNKNOWN },
	[AY_TRUSTED] = { [AY_LEASE_EXPIRED] = AY_UNKNOWN,
			 [AY_LEASE_SILENT] = AY_UNKNOWN,
			 [AY_LEASE_ACKNOWLEDGED] = AY_TRUSTED },
};

void ay_lease_init(struct ay_lease *l)
{
	*l = (struct ay_lease){ .verdict = AY_UNKNOWN };
}

bool ay_lease_apply(struct ay_lease *l, enum ay_lease_event ev, enum ay_verdict verdict,
		    int64_t until_ms)
{
	enum ay_verdict old = l->verdict;

	if (ev == AY_LEASE_SETTLED) {
		l->verdict = settled[old][verdict];
		l->judged = true;
	} else {
		l->verdict = lapsed[old][ev];
		l->judged = l->judged && ev != AY_LEASE_ACKNOWLEDGED;
	}
	if (l->verdict != AY_TRUSTED)
		l->until_ms = 0;
	else if (ev == AY_LEASE_SETTLED)
		l->until_ms = until_ms;
	return l->verdict != old;
}

enum ay_verdict ay_lease_verdict(const struct ay_lease *l, int64_t now_ms)
{
	if (l->verdict == AY_TRUSTED && now_ms >= l->until_ms)
		return AY_UNKNOWN;
	return l->verdict;
}

/* ---- challenge ---- */

static const struct {
	const char *name;
	unsigned next;
} challenge_fsm[AY_CHALLENGE_STATES] = {
	[AY_CHALLENGE_NONE] = { "none", TO(AY_CHALLENGE_ISSUED) },
	/* issued again: the nonce before is dead, its answer does not carry the new request id */
	[AY_CHALLENGE_ISSUED] = { "issued", TO(AY_CHALLENGE_ISSUED) | TO(AY_CHALLENGE_CONSUMED) |
						    TO(AY_CHALLENGE_EXPIRED) },
	[AY_CHALLENGE_CONSUMED] = { "consumed", TO(AY_CHALLENGE_ISSUED) },
	[AY_CHALLENGE_EXPIRED] = { "expired", TO(AY_CHALLENGE_ISSUED) },
};

const char *ay_challenge_state_name(enum ay_challenge_state s)
{
	return (size_t)s < AY_COUNT(challenge_fsm) ? challenge_fsm[s].name : "?";
}

/* The only place that moves a challenge. A nonce that is over is wiped. */
static bool challenge_move(struct ay_challenge *c, enum ay_challenge_state to)
{
	if (!(challenge_fsm[c->state].next & TO(to)))
		return false;
	c->state = to;
	if (to != AY_CHALLENGE_ISSUED)
		OPENSSL_cleanse(c->nonce, sizeof(c->nonce));
	return true;
}

void ay_challenge_issue(struct ay_challenge *c, const uint8_t nonce[32], uint64_t conn,
			uint32_t request, int64_t deadline_ms)
{
	if (!challenge_move(c, AY_CHALLENGE_ISSUED))
		return; /* cannot be: every state may be issued anew */
	c->conn = conn;
	c->request = request;
	c->deadline_ms = deadline_ms;
	memcpy(c->nonce, nonce, sizeof(c->nonce));
}

static enum ay_rc stale(struct ay_err *e, const char *why)
{
	return ay_fail_code(e, AY_E_DENIED, "QUOTE_STALE", "challenge", "%s", why);
}

enum ay_rc ay_challenge_consume(struct ay_challenge *c, uint64_t conn, uint32_t request,
				int64_t now_ms, uint8_t nonce[32], struct ay_err *e)
{
	uint8_t value[32];

	memset(nonce, 0, 32);
	if (AY_CHECKED("CHALLENGE_CONN", c->conn != conn))
		return stale(e, "challenge was sent on another connection");
	if (AY_CHECKED("CHALLENGE_REQUEST", c->request != request))
		return stale(e, "answer is not to the last challenge");
	if (AY_CHECKED("CHALLENGE_DEADLINE",
		       c->state == AY_CHALLENGE_ISSUED && now_ms >= c->deadline_ms)) {
		(void)ay_challenge_expire(c, now_ms);
		return stale(e, "answer came after the deadline");
	}
	memcpy(value, c->nonce, sizeof(value));
	if (AY_CHECKED("CHALLENGE_SINGLE_USE", !challenge_move(c, AY_CHALLENGE_CONSUMED)))
		return stale(e, "challenge is not open");
	memcpy(nonce, value, sizeof(value));
	OPENSSL_cleanse(value, sizeof(value));
	return AY_OK;
}

bool ay_challenge_expire(struct ay_challenge *c, int64_t now_ms)
{
	if (c->state != AY_CHALLENGE_ISSUED || now_ms < c->deadline_ms)
		return false;
	return challenge_move(c, AY_CHALLENGE_EXPIRED);
}

void ay_challenge_abandon(struct ay_challenge *c)
{
	if (c->state == AY_CHALLENGE_ISSUED)
		(void)challenge_move(c, AY_CHALLENGE_EXPIRED);
}
