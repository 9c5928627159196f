/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_VERIFY_H
#define AY_ASSAYD_VERIFY_H

/*
 * Evidence of a machine that is not registered, judged once. Nothing is
 * remembered of it, so counters are not checked; nothing is stored.
 */
#include "core/tpm/pcr.h"
#include "prog/assayd/engine.h"

#define AY_VERIFY_NONCE_MS (5 * 60 * 1000)

/* A nonce that serves once, for its user, within that time. AY_E_LIMIT: too many are open. */
AY_MUST_USE enum ay_rc ay_engine_verify_nonce(struct ay_engine *g, const char *user,
					      uint8_t out[32], struct ay_err *e);

/* Is it one that we gave this user? It ends by this. */
bool ay_verify_take_nonce(struct ay_engine *g, const char *user, struct ay_bytes nonce);

/* Octets are borrowed for the call; p NULL: not given. */
struct ay_verify_ask {
	const char *user;
	struct ay_bytes attest, signature;
	struct ay_bytes ak;    /* core/tpm/any_key.h; a certificate of our Privacy CA says more */
	struct ay_bytes nonce; /* ours, which ends by it, or the caller's own */
	struct ay_bytes log, ima;
	const struct ay_pcrs *pcrs; /* NULL: values are replayed */
	const json_t *references;   /* ids or names; empty: every set in force */
	struct ay_bytes policy;	    /* id or name; n 0: the default one */
};
/*
 * {"report","nonce","identity"} as the API shows it; or a fault: NOENT of a
 * policy or set, INPUT of a key, UNAVAIL (code VERIFY_BUSY). Called once.
 */
typedef void ay_verify_fn(void *arg, enum ay_rc rc, const struct ay_err *e, json_t *answer);
void ay_engine_verify(struct ay_engine *g, const struct ay_verify_ask *ask, ay_verify_fn *fn,
		      void *arg);
/* fn is not called any more. */
void ay_engine_verify_forget(struct ay_engine *g, void *arg);
void ay_verify_fini(struct ay_engine *g);

#endif
