/* SPDX-License-Identifier: Apache-2.0 */
#include "io/sys/log.h"
#include "prog/assayd/api/auth.h"

void ay_api_denied(struct ay_api_call *c, int status, const struct ay_err *e)
{
	if (status == 403)
		c->api->metrics.forbidden++;
	AY_LOG(AY_LOG_INFO, "a request was denied", AY_LS("code", e->code),
	       AY_LS("user", c->who.user));
}
