/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/receipts.h"
#include "prog/assayd/api/call.h"

#include <stdlib.h>

static void give(struct ay_api_call *c, const struct ay_uuid *report)
{
	const struct ay_host *h = ay_api_host(c);
	struct ay_err e = { 0 };
	json_t *receipt = NULL;
	char *text;
	size_t n;

	if (h == NULL ||
	    ay_api_refused(c, ay_engine_receipt(c->api->engine, h, report, &receipt, &e), &e))
		return;
	text = json_dumps(receipt, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(receipt);
	n = text == NULL ? 0 : strlen(text);
	if (text == NULL)
		ay_api_json(c, 200, NULL); /* out of memory: 503 */
	else
		ay_api_long(c, "application/json", (struct ay_bytes){ (const uint8_t *)text, n });
	free(text);
}

void ay_api_receipts_latest(struct ay_api_call *c)
{
	give(c, NULL);
}

void ay_api_receipts_show(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	struct ay_uuid id;

	if (!ay_api_refused(c, ay_uuid_parse(c->param[1], "report", &id, &e), &e))
		give(c, &id);
}
