/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-agent/pins.h"

#define TOKEN_OVERLAP_MS (30LL * 24 * 3600 * 1000)

static uint8_t *place(struct ay_pins *p, enum ay_pin_purpose purpose)
{
	return purpose == AY_PIN_ROOT ? p->root : purpose == AY_PIN_CA ? p->ca : p->order;
}

const uint8_t *ay_pins_now(const struct ay_pins *p, enum ay_pin_purpose purpose)
{
	return purpose == AY_PIN_ROOT ? p->root : purpose == AY_PIN_CA ? p->ca : p->order;
}

struct ay_pin_past *ay_pins_past(struct ay_pins *p, enum ay_pin_purpose purpose)
{
	return &p->past[purpose - AY_PIN_ROOT];
}

static const struct ay_pin_past *past_of(const struct ay_pins *p, enum ay_pin_purpose purpose)
{
	return &p->past[purpose - AY_PIN_ROOT];
}

/* An order key shows itself in no connection: only time ends the one before. */
static void replace(struct ay_pins *p, enum ay_pin_purpose purpose, const uint8_t next[32],
		    int64_t until_ms)
{
	struct ay_pin_past *past = ay_pins_past(p, purpose);

	if (past->n == AY_PINS_REPLACED)
		memmove(past->replaced[0], past->replaced[1],
			sizeof(past->replaced) - sizeof(past->replaced[0]));
	else
		past->n++;
	memcpy(past->replaced[past->n - 1], place(p, purpose), 32);
	memcpy(place(p, purpose), next, 32);
	past->until_ms = until_ms;
	past->seen = purpose == AY_PIN_ORDER;
}

static void from_token(struct ay_pins *p, enum ay_pin_purpose purpose, const uint8_t now[32],
		       const uint8_t before[32], bool has_before, int64_t now_ms)
{
	memcpy(place(p, purpose), has_before ? before : now, 32);
	if (has_before)
		replace(p, purpose, now, now_ms + TOKEN_OVERLAP_MS);
}

void ay_pins_of_token(const struct ay_token *t, int64_t now_ms, struct ay_pins *out)
{
	*out = (struct ay_pins){ .known = true };
	from_token(out, AY_PIN_ROOT, t->root, t->root2, t->has_root2, now_ms);
	from_token(out, AY_PIN_CA, t->ca, t->ca2, t->has_ca2, now_ms);
	from_token(out, AY_PIN_ORDER, t->order, t->order2, t->has_order2, now_ms);
}

const uint8_t *ay_pins_before(const struct ay_pins *p, enum ay_pin_purpose purpose, int64_t now_ms)
{
	const struct ay_pin_past *past = past_of(p, purpose);

	if (past->n == 0 || AY_CHECKED("PIN_OVERLAP", past->seen && now_ms > past->until_ms))
		return NULL;
	return past->replaced[past->n - 1];
}

bool ay_pins_match(const struct ay_pins *p, enum ay_pin_purpose purpose, const uint8_t spki[32],
		   int64_t now_ms)
{
	const uint8_t *before = ay_pins_before(p, purpose, now_ms);

	return memcmp(ay_pins_now(p, purpose), spki, 32) == 0 ||
	       (before != NULL && memcmp(before, spki, 32) == 0);
}

bool ay_pins_is_replaced(const struct ay_pins *p, enum ay_pin_purpose purpose,
			 const uint8_t pin[32])
{
	const struct ay_pin_past *past = past_of(p, purpose);

	for (size_t i = 0; i < past->n; i++)
		if (memcmp(past->replaced[i], pin, 32) == 0)
			return true;
	return false;
}

bool ay_pins_seen(struct ay_pins *p, enum ay_pin_purpose purpose, const uint8_t spki[32])
{
	struct ay_pin_past *past = ay_pins_past(p, purpose);

	if (past->seen || past->n == 0 || memcmp(ay_pins_now(p, purpose), spki, 32) != 0)
		return false;
	past->seen = true;
	return true;
}

enum ay_rc ay_pins_take(struct ay_pins *p, const struct ay_pin_change *c, int64_t now_ms,
			struct ay_err *e)
{
	const uint8_t *now = ay_pins_now(p, c->purpose);
	struct ay_pin_past *past = ay_pins_past(p, c->purpose);
	enum ay_rc rc;

	if (memcmp(c->next, now, sizeof(c->next)) == 0)
		return AY_E_EXISTS;
	rc = ay_pin_change_check(c, now, past->sequence, now_ms, e);
	if (rc != AY_OK)
		return rc;
	replace(p, c->purpose, c->next, c->not_after_ms);
	past->sequence = c->sequence;
	return AY_OK;
}
