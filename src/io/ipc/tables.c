/* SPDX-License-Identifier: Apache-2.0 */
#include "io/ipc/tables.h"

#define X(name, number, sender, max, doc) { (number), AY_IPC_##sender, (max), #name },
static const struct ay_ipc_type front_types[] = {
#include "io/ipc/front.def"
};
static const struct ay_ipc_type signer_types[] = {
#include "io/ipc/signer.def"
};
static const struct ay_ipc_type ca_types[] = {
#include "io/ipc/ca.def"
};
static const struct ay_ipc_type keeper_types[] = {
#include "io/ipc/keeper.def"
};
static const struct ay_ipc_type courier_types[] = {
#include "io/ipc/courier.def"
};
static const struct ay_ipc_type parent_types[] = {
#include "io/ipc/parent.def"
};
static const struct ay_ipc_type agent_types[] = {
#include "io/ipc/agent.def"
};
#undef X

static const struct ay_ipc_table tables[] = {
	[AY_PAIR_FRONT] = { "front", front_types, AY_COUNT(front_types) },
	[AY_PAIR_SIGNER] = { "signer", signer_types, AY_COUNT(signer_types) },
	[AY_PAIR_CA] = { "ca", ca_types, AY_COUNT(ca_types) },
	[AY_PAIR_KEEPER] = { "keeper", keeper_types, AY_COUNT(keeper_types) },
	[AY_PAIR_COURIER] = { "courier", courier_types, AY_COUNT(courier_types) },
	[AY_PAIR_PARENT] = { "parent", parent_types, AY_COUNT(parent_types) },
	[AY_PAIR_AGENT] = { "agent", agent_types, AY_COUNT(agent_types) },
};

const struct ay_ipc_table *ay_ipc_table_of(enum ay_ipc_pair_id id)
{
	return &tables[id];
}
