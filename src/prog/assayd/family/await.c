/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/family/await.h"

enum { WAIT_MS = 60000 };

struct await {
	char host[AY_UUID_TEXT];
	uint8_t before[16]; /* report that there was already */
	int64_t until_ms;
	bool asked; /* the engine was asked for an attestation */
	ay_family_attested_fn *fn;
	void *arg;
};

static void finish(struct ay_api_call *c, const struct ay_host *h, enum ay_rc rc,
		   const struct ay_err *e)
{
	const struct await *w = c->state;

	c->state = NULL;
	c->left = NULL;
	c->tick = NULL;
	if (rc == AY_OK) /* what it changes is the request's, as in its handler */
		ay_api_witness(c);
	w->fn(c, h, w->arg, rc, e);
	ay_api_witness_end(c->api);
}

static void client_left(struct ay_api_call *c)
{
	c->state = NULL;
	c->left = NULL;
	c->tick = NULL;
	if (c->gone)
		ay_api_empty(c, 204); /* nobody hears it; ends the call */
}

static bool is_managed(const struct ay_host *h)
{
	return h->dial.connect != NULL && strstr(h->dial.connect, "://") != NULL;
}

/* What may come of it: the server dials it, or its agent is there. */
static bool is_reachable(const struct ay_host *h)
{
	if (h->state == AY_HOST_ENROLLED)
		return h->connected || h->dial.connect != NULL;
	return h->dial.connect != NULL &&
	       (is_managed(h) || h->dial.tls.kind != AY_TLS_NONE || h->dial.token_id[0] != '\0');
}

static enum ay_rc look(struct ay_api_call *c, struct await *w, const struct ay_host **out,
		       bool *done, struct ay_err *e)
{
	const struct ay_host *h = ay_api_host_find(c, ay_bytes_of(w->host));

	*out = h;
	*done = h != NULL && h->attested_ms != 0 &&
		memcmp(h->report_id, w->before, sizeof(w->before)) != 0;
	if (h == NULL)
		return ay_fail_code(e, AY_E_NOENT, "HOST_NOT_FOUND", "host", "no such host");
	if (*done)
		return AY_OK;
	if (!is_reachable(h))
		return ay_fail_code(
			e, AY_E_EXISTS, "HOST_OFFLINE", "host",
			h->state == AY_HOST_ENROLLED
				? "the host's agent is not connected"
				: "the host has no agent that can be asked: enrol it, or "
				  "give its address with a TLS policy");
	if (!w->asked && h->state == AY_HOST_ENROLLED && (h->connected || is_managed(h))) {
		w->asked = true;
		return ay_engine_attest(c->api->engine, h, 0, NULL, NULL, e);
	}
	if (c->api->now_ms >= w->until_ms)
		return ay_fail_code(e, AY_E_EXISTS, "TA_TIMEOUT", "host",
				    "the host did not answer within %d s%s%s", WAIT_MS / 1000,
				    h->note_text == NULL ? "" : ": ",
				    h->note_text == NULL ? "" : h->note_text);
	return AY_OK;
}

static void tick(struct ay_api_call *c)
{
	const struct ay_host *h;
	struct ay_err e = { 0 };
	bool done;
	enum ay_rc rc = look(c, c->state, &h, &done, &e);

	if (rc != AY_OK || done)
		finish(c, h, rc, &e);
}

void ay_family_await(struct ay_api_call *c, const struct ay_host *h, ay_family_attested_fn *fn,
		     void *arg)
{
	struct await *w = ay_arena_alloc(&c->arena, sizeof(*w));
	struct ay_err e;

	if (w == NULL) {
		ay_err_set(&e, AY_E_NOMEM, "host", 0, "out of memory");
		ay_api_problem(c, &e);
		return;
	}
	*w = (struct await){ .until_ms = c->api->now_ms + WAIT_MS, .fn = fn, .arg = arg };
	ay_uuid_format(&h->id, w->host);
	memcpy(w->before, h->report_id, sizeof(w->before));
	c->state = w;
	c->left = client_left;
	c->tick = tick;
	tick(c);
}
