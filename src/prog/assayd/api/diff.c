/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/diff.h"
#include "prog/assayd/api/call.h"

/* with: another host, else the same one; report, with_report: their ids, else the latest. */
void ay_api_hosts_diff(struct ay_api_call *c)
{
	struct ay_bytes with = ay_api_param(c, "with");
	struct ay_diff_side a = { .host = ay_api_host(c), .report = ay_api_param(c, "report") };
	struct ay_diff_side b = { .host = a.host, .report = ay_api_param(c, "with_report") };
	struct ay_err e = { 0 };
	json_t *diff;

	if (a.host == NULL)
		return;
	if (with.n > 0)
		b.host = ay_api_host_find(c, with);
	if (b.host == NULL) {
		ay_err_set(&e, AY_E_NOENT, "with", 0, "no host has this id or name");
		ay_api_problem(c, &e);
		return;
	}
	if (!ay_api_refused(c, ay_engine_diff(c->api->engine, &a, &b, &diff, &e), &e))
		ay_api_json(c, 200, diff);
}
