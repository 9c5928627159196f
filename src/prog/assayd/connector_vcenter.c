/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/connector.h"

static void gather(struct ay_gather *q)
{
	struct ay_err e = { 0 };

	e.rc = ay_fail_code(&e, AY_E_UNAVAIL, "MANAGER_FAULT", "manager", "not yet");
	ay_gather_failed(q, &e);
}

static void drop(struct ay_gather *q)
{
	(void)q;
}

static void forget(struct ay_manager *m)
{
	(void)m;
}

const struct ay_connector ay_connector_vcenter = {
	.name = "vmware",
	.doc = "ESXi hosts, by what their vCenter reports",
	.vendor = AY_CONNSTR_VMWARE,
	.gather = gather,
	.drop = drop,
	.forget = forget,
};
