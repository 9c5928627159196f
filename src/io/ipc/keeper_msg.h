/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_IPC_KEEPER_MSG_H
#define AY_IPC_KEEPER_MSG_H

/* Bodies of the messages to keeper (keeper.def, docs/protocol/ipc.md). Rules as in front_msg.h. */
#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/crypto/wrap.h"
#include "io/ipc/tables.h"

/* KEEPER_WRAP, KEEPER_UNWRAP, KEEPER_REWRAP: a secret, plain or wrapped. */
struct ay_kept {
	struct ay_wrap_name name;
	struct ay_bytes octets;
};
void ay_kept_build(struct ay_writer *w, const struct ay_kept *k);
AY_MUST_USE enum ay_rc ay_kept_parse(struct ay_bytes in, struct ay_kept *out, struct ay_err *e);

/* KEEPER_MAC: one purpose, one message, each key by itself; the answer is n x 32 octets. */
#define AY_KEPT_KEYS 2
struct ay_kept_mac {
	struct ay_bytes purpose;
	size_t n;
	struct {
		struct ay_bytes object, wrapped;
	} key[AY_KEPT_KEYS];
	struct ay_bytes message;
};
void ay_kept_mac_build(struct ay_writer *w, const struct ay_kept_mac *m);
AY_MUST_USE enum ay_rc ay_kept_mac_parse(struct ay_bytes in, struct ay_kept_mac *out,
					 struct ay_err *e);

/* KEEPER_REFUSED: struct ay_refusal of sign_msg.h. */

#endif
