/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_AGENT_PINS_H
#define AY_PROG_AGENT_PINS_H

/*
 * The server's keys that this host pins, and what stood in their place before
 * (docs/protocol/agent-channel.md, pin change). Pure.
 */
#include "core/crypto/pinchange.h"
#include "core/crypto/token.h"

#define AY_PINS_REPLACED 8

/* Of one purpose. Zeroed: never changed. */
struct ay_pin_past {
	uint64_t sequence; /* of the last change that was taken; 0: none */
	int64_t until_ms;  /* the newest replaced one counts so long at least */
	bool seen;	   /* the one in force was in use: the server has changed to it */
	size_t n;
	uint8_t replaced[AY_PINS_REPLACED][32]; /* newest last */
};

struct ay_pins {
	bool known;
	uint8_t root[32], ca[32], order[32]; /* in force: SHA-256 of an SPKI each */
	struct ay_pin_past past[AY_PIN_PURPOSES];
};

/* Those of a token; the keys before, where it names them, count as after a change. */
void ay_pins_of_token(const struct ay_token *t, int64_t now_ms, struct ay_pins *out);

/* The one in force; points into p. */
const uint8_t *ay_pins_now(const struct ay_pins *p, enum ay_pin_purpose purpose);
struct ay_pin_past *ay_pins_past(struct ay_pins *p, enum ay_pin_purpose purpose);
/* The one before while it counts; NULL: there is none. */
const uint8_t *ay_pins_before(const struct ay_pins *p, enum ay_pin_purpose purpose, int64_t now_ms);
/* Does a key with this SPKI hash count? */
AY_MUST_USE bool ay_pins_match(const struct ay_pins *p, enum ay_pin_purpose purpose,
			       const uint8_t spki[32], int64_t now_ms);
/* A change has replaced it once: what an old configuration or token still says. */
AY_MUST_USE bool ay_pins_is_replaced(const struct ay_pins *p, enum ay_pin_purpose purpose,
				     const uint8_t pin[32]);
/* A key was in use: true if this is news, to be stored. */
bool ay_pins_seen(struct ay_pins *p, enum ay_pin_purpose purpose, const uint8_t spki[32]);

/*
 * The statement's key counts from now on. AY_E_EXISTS: it does already, p is as
 * it was. Else codes of ay_pin_change_check(), and p is as it was.
 */
AY_MUST_USE enum ay_rc ay_pins_take(struct ay_pins *p, const struct ay_pin_change *c,
				    int64_t now_ms, struct ay_err *e);

#endif
