/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-agent/orders.h"

#include <string.h>

#include "core/crypto/hash.h"
#include "io/net/frame.h"
#include "io/sys/file.h"
#include "io/sys/log.h"
#include "io/sys/rng.h"

enum { NONCE_LIFE_MS = 60000 };

/* The next word of a list that commas and spaces part; empty at the end. */
static struct ay_bytes next_word(const char **at)
{
	const char *begin = *at + strspn(*at, ", \t");
	size_t n = strcspn(begin, ", \t");

	*at = begin + n;
	return (struct ay_bytes){ (const uint8_t *)begin, n };
}

static bool is_allowed(const struct ay_config *c, enum ay_order_verb verb)
{
	const char *at = ay_config_str(c, "allow");
	struct ay_bytes word;

	while ((word = next_word(&at)).n > 0)
		if (ay_bytes_eq(word, ay_bytes_of(ay_order_name(verb))))
			return true;
	return false;
}

enum ay_rc ay_orders_conf_check(const struct ay_config *c, struct ay_err *e)
{
	const char *at = ay_config_str(c, "allow");
	enum ay_order_verb verb;
	struct ay_bytes word;

	while ((word = next_word(&at)).n > 0)
		if (!ay_order_verb_of(word, &verb))
			return ay_fail(e, AY_E_INPUT, "allow", 0,
				       "allow: no order is called \"%.*s\"", (int)word.n,
				       (const char *)word.p);
	return AY_OK;
}

static ay_order_do *doer_of(const struct ay_order_doer *doers, enum ay_order_verb verb)
{
	for (; doers->verb != 0; doers++)
		if (doers->verb == verb)
			return doers->fn;
	return NULL;
}

static enum ay_rc draw(struct ay_orders *s, const struct ay_order_env *env,
		       const struct ay_order_doer *doers, struct ay_bytes ask, struct ay_writer *w,
		       struct ay_err *e)
{
	struct ay_chan_order_nonce m = { 0 };
	enum ay_rc rc = ay_chan_order_ask_parse(ask, &m.verb, e);

	if (rc != AY_OK)
		return rc;
	if (AY_CHECKED("ORDER_NOT_ALLOWED", !is_allowed(env->agent->conf, m.verb)))
		return ay_fail_code(e, AY_E_DENIED, "ORDER_NOT_ALLOWED", "order",
				    "this host obeys no such order: its configuration lacks "
				    "allow = %s",
				    ay_order_name(m.verb));
	if (doer_of(doers, m.verb) == NULL)
		return ay_fail_code(e, AY_E_DENIED, "ORDER_UNKNOWN", "order",
				    "this agent cannot do %s", ay_order_name(m.verb));
	ay_rng_bytes(m.nonce, sizeof(m.nonce));
	s->verb = m.verb;
	s->until_mono_ms = env->mono_ms + NONCE_LIFE_MS;
	memcpy(s->nonce, m.nonce, sizeof(s->nonce));
	ay_chan_order_nonce_write(w, &m);
	return AY_OK;
}

/* The order key in force; or the one before, while the server has not changed to the new one. */
static const uint8_t *pin_for(const struct ay_order_env *env, struct ay_bytes spki)
{
	const uint8_t *before = ay_pins_before(env->pins, AY_PIN_ORDER, env->now_ms);
	uint8_t hash[32];

	ay_sha256(spki, hash);
	return before != NULL && memcmp(before, hash, sizeof(hash)) == 0 ? before
									 : env->pins->order;
}

static enum ay_rc obey(const struct ay_orders *drawn, const struct ay_order_env *env,
		       const struct ay_order_doer *doers, struct ay_bytes body,
		       struct ay_bytes *result, struct ay_err *e)
{
	struct ay_order_want want = { .nonce = drawn->nonce,
				      .host = env->identity->host,
				      .verb = drawn->verb,
				      .now_ms = env->now_ms };
	struct ay_chan_order m;
	struct ay_order o = { 0 };
	enum ay_rc rc;

	if (AY_CHECKED("ORDER_UNASKED", doer_of(doers, drawn->verb) == NULL))
		return ay_fail_code(e, AY_E_DENIED, "ORDER_NONCE", "order",
				    "no nonce was drawn for this order");
	if (AY_CHECKED("ORDER_LATE", env->mono_ms >= drawn->until_mono_ms))
		return ay_fail_code(e, AY_E_DENIED, "ORDER_NONCE", "order",
				    "the order came too late after its nonce");
	rc = ay_chan_order_parse(body, &m, e);
	if (rc == AY_OK)
		want.pin = pin_for(env, m.spki);
	if (rc == AY_OK)
		rc = ay_order_check(m.statement, m.sig, m.spki, m.args, &want, &o, e);
	if (rc == AY_OK)
		rc = doer_of(doers, drawn->verb)(env, &o, m.args, result, e);
	return rc;
}

static void write_done(struct ay_writer *w, enum ay_rc rc, const struct ay_err *e,
		       struct ay_bytes result)
{
	struct ay_chan_order_done m = { .result = result };

	if (rc != AY_OK) {
		m.code = ay_bytes_of(e->code[0] != '\0' ? e->code : ay_rc_name(rc));
		m.text = ay_bytes_of(e->text);
		m.result = (struct ay_bytes){ 0 };
	}
	ay_chan_order_done_write(w, &m);
}

static void tell(const struct ay_orders *drawn, enum ay_rc rc, const struct ay_err *e)
{
	const char *verb = ay_order_name(drawn->verb);

	if (rc == AY_OK)
		AY_LOG(AY_LOG_INFO, "order obeyed", AY_LS("verb", verb != NULL ? verb : "-"));
	else
		ay_log_err(AY_LOG_WARN, "order refused", e);
}

uint8_t ay_orders_answer(struct ay_orders *s, const struct ay_order_env *env,
			 const struct ay_order_doer *doers, uint8_t frame, struct ay_bytes body,
			 struct ay_writer *w)
{
	const struct ay_orders drawn = *s;
	struct ay_bytes result = { 0 };
	struct ay_err e = { 0 };
	enum ay_rc rc;

	*s = (struct ay_orders){ 0 };
	if (frame == AY_FRAME_ORDER_ASK) {
		rc = draw(s, env, doers, body, w, &e);
		if (rc == AY_OK)
			return AY_FRAME_ORDER_NONCE;
	} else {
		rc = obey(&drawn, env, doers, body, &result, &e);
	}
	tell(&drawn, rc, &e);
	write_done(w, rc, &e, result);
	ay_file_free(&result);
	return AY_FRAME_ORDER_DONE;
}

const struct ay_order_doer ay_order_doers[] = {
	{ AY_ORDER_TAG, ay_order_do_tag },
	{ AY_ORDER_TAKE_OWNERSHIP, ay_agent_own_order },
	{ (enum ay_order_verb)0, NULL },
};
