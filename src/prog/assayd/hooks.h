/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_HOOKS_H
#define AY_ASSAYD_HOOKS_H

/*
 * Webhooks: every stored event that a target wants is posted to it, signed
 * (docs/formats/webhook.md), in order, at least once. The log of events is the
 * outbox; a target has a cursor into it, so one that is dead delays nobody.
 */
#include "prog/assayd/engine.h"

enum ay_hook_change {
	AY_HOOK_PAUSE,
	AY_HOOK_RESUME,
	AY_HOOK_REMOVE,
	AY_HOOK_TEST,	/* posts an event of kind "test" now; the answer says what came of it */
	AY_HOOK_ROTATE, /* a new secret; for a day both sign */
};

/* Array of Webhook objects (api/schemas.def), by name. */
AY_MUST_USE enum ay_rc ay_hooks_list(struct ay_engine *g, json_t **out, struct ay_err *e);
/* spec: name, url, ca, types, labels. fn: the Webhook with its secret, which is told once. */
void ay_hook_add(struct ay_engine *g, const json_t *spec, ay_document_fn *fn, void *arg);
/* By id or name. fn: the Webhook, or for a test {"delivered","status","text"}. AY_E_NOENT. */
void ay_hook_change(struct ay_engine *g, struct ay_bytes id, enum ay_hook_change what,
		    ay_document_fn *fn, void *arg);

/* Of engine. */
AY_MUST_USE enum ay_rc ay_hooks_load(struct ay_engine *g, struct ay_err *e);
void ay_hooks_tick(struct ay_engine *g); /* about once a second */
void ay_hooks_fini(struct ay_engine *g);

#endif
