/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_IPC_TABLES_H
#define AY_IPC_TABLES_H

/* The message types of every pair, from their .def files. */
#include "core/base/limits.h"
#include "io/ipc/ipc.h"

#define AY_IPC_MAX_API (AY_MAX_API_BODY + 64 * 1024)
#define AY_IPC_MAX_STATE 2048
#define AY_IPC_MAX_CAST (AY_MAX_SSE_BYTES + 4 * AY_MAX_EVENT_STREAMS + 2)
#define AY_IPC_MAX_SEALED (128 * 1024)
#define AY_IPC_MAX_OUTGOING (AY_MAX_OUTGOING_BODY + 256 * 1024)
#define AY_IPC_MAX_ANSWER (AY_MAX_OUTGOING_ANSWER + 256 * 1024)
#define AY_IPC_MAX_KEPT (32 * 1024)
#define AY_IPC_MAX_MAC (AY_MAX_OUTGOING_BODY + 64 * 1024)

enum ay_ipc_type_id_front {
#define X(name, number, sender, max, doc) AY_MSG_##name = (number),
#include "io/ipc/front.def"
#undef X
};
enum ay_ipc_type_id_signer {
#define X(name, number, sender, max, doc) AY_MSG_##name = (number),
#include "io/ipc/signer.def"
#undef X
};
enum ay_ipc_type_id_ca {
#define X(name, number, sender, max, doc) AY_MSG_##name = (number),
#include "io/ipc/ca.def"
#undef X
};
enum ay_ipc_type_id_keeper {
#define X(name, number, sender, max, doc) AY_MSG_##name = (number),
#include "io/ipc/keeper.def"
#undef X
};
enum ay_ipc_type_id_courier {
#define X(name, number, sender, max, doc) AY_MSG_##name = (number),
#include "io/ipc/courier.def"
#undef X
};
enum ay_ipc_type_id_parent {
#define X(name, number, sender, max, doc) AY_MSG_##name = (number),
#include "io/ipc/parent.def"
#undef X
};
enum ay_ipc_type_id_agent {
#define X(name, number, sender, max, doc) AY_MSG_##name = (number),
#include "io/ipc/agent.def"
#undef X
};

enum ay_ipc_pair_id {
	AY_PAIR_FRONT,	 /* A front,  B engine */
	AY_PAIR_SIGNER,	 /* A engine, B signer */
	AY_PAIR_CA,	 /* A engine, B assay-ca */
	AY_PAIR_KEEPER,	 /* A engine, B keeper */
	AY_PAIR_COURIER, /* A engine, B courier */
	AY_PAIR_PARENT,	 /* A parent, B any child */
	AY_PAIR_AGENT,	 /* A link, B tpm: the two processes of assay-agent */
};
const struct ay_ipc_table *ay_ipc_table_of(enum ay_ipc_pair_id id);

#endif
