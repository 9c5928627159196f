/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/keepers.h"

#include "core/crypto/secret.h"
#include "prog/assayd/engine_impl.h"

#include <stdlib.h>

static void ask(struct ay_engine *g, uint16_t type, const char *purpose, struct ay_bytes object,
		struct ay_bytes octets, ay_document_fn *fn, void *arg)
{
	const struct ay_kept k = { { ay_bytes_of(purpose), object }, octets };
	uint8_t room[AY_WRAP_SECRET_MAX + AY_WRAP_MORE + AY_WRAP_OBJECT_MAX + 64];
	struct ay_writer w;
	struct ay_bytes body;
	struct ay_err e = { 0 };
	enum ay_rc rc;

	ay_wr_init(&w, room, sizeof(room));
	ay_kept_build(&w, &k);
	rc = ay_wr_end(&w, "kept", &body, &e);
	if (rc == AY_OK)
		ay_relay_document(g, g->keeper, type, body, fn, arg);
	else
		fn(arg, rc, &e, (struct ay_bytes){ NULL, 0 });
	ay_wipe(room, sizeof(room));
}

void ay_keeper_wrap(struct ay_engine *g, const char *purpose, struct ay_bytes object,
		    struct ay_bytes secret, ay_document_fn *fn, void *arg)
{
	ask(g, AY_MSG_KEEPER_WRAP, purpose, object, secret, fn, arg);
}

void ay_keeper_unwrap(struct ay_engine *g, const char *purpose, struct ay_bytes object,
		      struct ay_bytes wrapped, ay_document_fn *fn, void *arg)
{
	ask(g, AY_MSG_KEEPER_UNWRAP, purpose, object, wrapped, fn, arg);
}

void ay_keeper_rewrap(struct ay_engine *g, const char *purpose, struct ay_bytes object,
		      struct ay_bytes wrapped, ay_document_fn *fn, void *arg)
{
	ask(g, AY_MSG_KEEPER_REWRAP, purpose, object, wrapped, fn, arg);
}

void ay_keeper_mac(struct ay_engine *g, const struct ay_kept_mac *m, ay_document_fn *fn, void *arg)
{
	size_t n = m->message.n + AY_KEPT_KEYS * (AY_WRAP_SECRET_MAX + AY_WRAP_OBJECT_MAX + 64);
	uint8_t *room = malloc(n);
	struct ay_writer w;
	struct ay_bytes body = { NULL, 0 };
	struct ay_err e = { 0 };
	enum ay_rc rc = AY_E_NOMEM;

	if (room != NULL) {
		ay_wr_init(&w, room, n);
		ay_kept_mac_build(&w, m);
		rc = ay_wr_end(&w, "mac", &body, &e);
	}
	if (rc == AY_OK && body.n > AY_IPC_MAX_MAC)
		rc = ay_fail_code(&e, AY_E_LIMIT, "KEPT_SIZE", "mac", "%zu octets", body.n);
	if (rc == AY_OK)
		ay_relay_document(g, g->keeper, AY_MSG_KEEPER_MAC, body, fn, arg);
	else
		fn(arg, rc, &e, (struct ay_bytes){ NULL, 0 });
	free(room);
}

void ay_keeper_rotate(struct ay_engine *g, ay_document_fn *fn, void *arg)
{
	ay_relay_document(g, g->keeper, AY_MSG_KEEPER_ROTATE, (struct ay_bytes){ NULL, 0 }, fn,
			  arg);
}

void ay_keeper_keys(struct ay_engine *g, ay_document_fn *fn, void *arg)
{
	ay_relay_document(g, g->keeper, AY_MSG_KEEPER_KEYS, (struct ay_bytes){ NULL, 0 }, fn, arg);
}

void ay_keeper_retire(struct ay_engine *g, ay_document_fn *fn, void *arg)
{
	ay_relay_document(g, g->keeper, AY_MSG_KEEPER_RETIRE, (struct ay_bytes){ NULL, 0 }, fn,
			  arg);
}
