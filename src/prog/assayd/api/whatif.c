/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/whatif.h"
#include "prog/assayd/api/call.h"
#include "prog/assayd/find.h"

/* ---- what-if ---- */

static void start(struct ay_api_call *c, enum ay_whatif_of of)
{
	struct ay_whatif_ask ask = { .of = of,
				     .id = c->param[0],
				     .document = json_object_get(c->body, "document"),
				     .labels = json_object_get(c->body, "labels"),
				     .supersede = ay_api_flag(c, "supersede"),
				     .instead_of = ay_api_text(c, "instead_of") };
	struct ay_err e = { 0 };
	json_t *run = NULL;

	if ((ask.document != NULL) != ay_bytes_eq(ask.id, ay_bytes_of("-"))) {
		ay_err_set(&e, AY_E_INPUT, "document", 0,
			   "give a document with the id -, or the id of a stored draft");
		ay_api_problem(c, &e);
		return;
	}
	if (!ay_api_refused(c, ay_whatif_start(c->api->engine, &ask, &run, &e), &e))
		ay_api_json(c, 202, run);
}

void ay_api_whatif_policy(struct ay_api_call *c)
{
	start(c, AY_WHATIF_POLICY);
}

void ay_api_whatif_reference(struct ay_api_call *c)
{
	start(c, AY_WHATIF_REFERENCE);
}

void ay_api_whatif_show(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *run = NULL;

	if (!ay_api_refused(c, ay_whatif_show(c->api->engine, c->param[0], &run, &e), &e))
		ay_api_json(c, 200, run);
}

void ay_api_whatif_cancel(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *run = NULL;

	if (!ay_api_refused(c, ay_whatif_cancel(c->api->engine, c->param[0], &run, &e), &e))
		ay_api_json(c, 200, run);
}

void ay_api_whatif_flips(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	uint64_t from, next = 0;
	json_t *items = NULL;
	size_t limit;

	if (ay_api_refused(c, ay_api_page(c, &from, &limit, &e), &e))
		return;
	if (!ay_api_refused(
		    c, ay_whatif_flips(c->api->engine, c->param[0], from, limit, &items, &next, &e),
		    &e))
		ay_api_json(c, 200, ay_api_list(c, items, next));
}

/* ---- digests ---- */

static bool may_see(void *arg, const struct ay_host *h)
{
	const struct ay_api_call *c = arg;

	return ay_may_host(&c->who, c->route->perm, h);
}

void ay_api_digests_show(struct ay_api_call *c)
{
	uint8_t digest[AY_DIGEST_MAX];
	struct ay_find_ask ask = { .may = AY_CHECKED("FIND_SCOPE", !ay_may(&c->who, c->route->perm))
						  ? may_see
						  : NULL,
				   .arg = c };
	struct ay_err e = { 0 };
	uint64_t next = 0;
	json_t *found = NULL;
	size_t n = c->param[0].n / 2;

	if (n > sizeof(digest))
		n = 0; /* refused by its length */
	ask.digest = (struct ay_bytes){ digest, n };
	if (ay_api_refused(c, ay_api_page(c, &ask.from, &ask.limit, &e), &e) ||
	    ay_api_refused(c, ay_hex_decode(c->param[0], "digest", digest, n, &e), &e) ||
	    ay_api_refused(c, ay_find_digest(c->api->engine, &ask, &found, &next, &e), &e))
		return;
	json_object_set_new(found, "next", ay_api_cursor(c, next));
	ay_api_json(c, 200, found);
}
