/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_KEEPERS_H
#define AY_ASSAYD_KEEPERS_H

/*
 * Secrets that are stored: wrapped by keeper, whose keys engine never has. Each
 * belongs to a purpose (keeper_purposes.def) and an object, of which the caller
 * gives the id; wrapped for one it does not open for another.
 *
 * fn: AY_OK and the octets, which live until it returns, or a fault with code
 * KEPT_TAG (changed or moved), KEPT_KEY, KEPT_PURPOSE, KEPT_RATE, KEPT_MALFORMED.
 * Called once, maybe before the call returns.
 */
#include "io/ipc/keeper_msg.h"
#include "prog/assayd/engine.h"

void ay_keeper_wrap(struct ay_engine *g, const char *purpose, struct ay_bytes object,
		    struct ay_bytes secret, ay_document_fn *fn, void *arg);
void ay_keeper_unwrap(struct ay_engine *g, const char *purpose, struct ay_bytes object,
		      struct ay_bytes wrapped, ay_document_fn *fn, void *arg);
/* HMAC-SHA-256 of one message by each key; 32 octets each. The secrets stay where they are. */
void ay_keeper_mac(struct ay_engine *g, const struct ay_kept_mac *m, ay_document_fn *fn, void *arg);
/*
 * The same secret under keeper's newest key. To change the key: ay_keeper_rotate(),
 * rewrap and store every secret, then ay_keeper_retire(), which destroys the
 * old keys.
 */
void ay_keeper_rewrap(struct ay_engine *g, const char *purpose, struct ay_bytes object,
		      struct ay_bytes wrapped, ay_document_fn *fn, void *arg);
void ay_keeper_rotate(struct ay_engine *g, ay_document_fn *fn, void *arg);
/* Ids of its keys, AY_WRAP_KEY_ID octets each, the newest first. */
void ay_keeper_keys(struct ay_engine *g, ay_document_fn *fn, void *arg);
void ay_keeper_retire(struct ay_engine *g, ay_document_fn *fn, void *arg);

#endif
