/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence of a machine that is not registered, judged once. */
#include "prog/assayd/verify.h"
#include "core/base/base64.h"
#include "core/tpm/pcrs_json.h"
#include "prog/assayd/api/call.h"

#include <stdlib.h>

void ay_api_verify_nonce(struct ay_api_call *c)
{
	uint8_t nonce[32];
	struct ay_err e = { 0 };

	if (ay_api_refused(c, ay_engine_verify_nonce(c->api->engine, c->who.user, nonce, &e), &e))
		return;
	ay_api_json(c, 200,
		    json_pack("{s:o, s:o}", "nonce", ay_api_hex(AY_BYTES(nonce)), "until",
			      ay_api_time(c->api->now_ms + AY_VERIFY_NONCE_MS)));
}

/* Octets of a member in base 64; in the arena. */
static enum ay_rc octets(struct ay_api_call *c, const char *name, struct ay_bytes *out,
			 struct ay_err *e)
{
	struct ay_bytes text = ay_api_text(c, name);
	uint8_t *p;
	size_t n;
	enum ay_rc rc;

	*out = (struct ay_bytes){ NULL, 0 };
	if (text.p == NULL)
		return AY_OK;
	p = ay_arena_alloc(&c->arena, text.n + 1);
	if (p == NULL)
		return ay_fail(e, AY_E_NOMEM, name, 0, "out of memory");
	rc = ay_base64_decode(AY_BASE64_STD, text, name, p, text.n, &n, e);
	if (rc == AY_OK)
		*out = (struct ay_bytes){ p, n };
	return rc;
}

/* PEM as it is; everything else in base 64. */
static enum ay_rc key(struct ay_api_call *c, struct ay_bytes *out, struct ay_err *e)
{
	struct ay_bytes text = ay_api_text(c, "ak");

	if (memmem(text.p, text.n, "-----BEGIN ", 11) == NULL)
		return octets(c, "ak", out, e);
	*out = text;
	return AY_OK;
}

static enum ay_rc nonce(struct ay_api_call *c, struct ay_bytes *out, struct ay_err *e)
{
	struct ay_bytes text = ay_api_text(c, "nonce");
	uint8_t *p = ay_arena_alloc(&c->arena, text.n / 2 + 1);

	if (p == NULL)
		return ay_fail(e, AY_E_NOMEM, "nonce", 0, "out of memory");
	*out = (struct ay_bytes){ p, text.n / 2 };
	return ay_hex_decode(text, "nonce", p, text.n / 2, e);
}

static enum ay_rc values(struct ay_api_call *c, struct ay_pcrs *out, bool *has, struct ay_err *e)
{
	json_t *pcrs = json_object_get(c->body, "pcrs");
	char *text = pcrs == NULL ? NULL : json_dumps(pcrs, JSON_COMPACT | JSON_ENCODE_ANY);
	enum ay_rc rc;

	*has = pcrs != NULL;
	if (pcrs == NULL)
		return AY_OK;
	if (text == NULL)
		return ay_fail(e, AY_E_NOMEM, "pcrs", 0, "out of memory");
	rc = ay_pcrs_from_json(ay_bytes_of(text), out, e);
	free(text);
	return rc;
}

static enum ay_rc read_ask(struct ay_api_call *c, struct ay_verify_ask *ask, struct ay_pcrs *pcrs,
			   struct ay_err *e)
{
	bool has = false;
	enum ay_rc rc = octets(c, "quote", &ask->attest, e);

	if (rc == AY_OK)
		rc = octets(c, "signature", &ask->signature, e);
	if (rc == AY_OK)
		rc = octets(c, "eventlog", &ask->log, e);
	if (rc == AY_OK)
		rc = octets(c, "ima", &ask->ima, e);
	if (rc == AY_OK)
		rc = key(c, &ask->ak, e);
	if (rc == AY_OK)
		rc = nonce(c, &ask->nonce, e);
	if (rc == AY_OK)
		rc = values(c, pcrs, &has, e);
	ask->pcrs = has ? pcrs : NULL;
	ask->references = json_object_get(c->body, "references");
	ask->policy = ay_api_text(c, "policy");
	ask->user = c->who.user;
	return rc;
}

static void left(struct ay_api_call *c)
{
	ay_engine_verify_forget(c->api->engine, c);
	c->left = NULL;
	if (c->gone)
		ay_api_empty(c, 204); /* nobody hears it; ends the call */
}

static void verified(void *arg, enum ay_rc rc, const struct ay_err *e, json_t *answer)
{
	struct ay_api_call *c = arg;
	json_t *report = json_object_get(answer, "report");

	c->left = NULL;
	if (ay_api_refused(c, rc, e))
		return;
	if (ay_api_audit(c, "EVIDENCE_VERIFY",
			 ay_bytes_of(json_string_value(json_object_get(report, "evidence"))),
			 json_pack("{s:O, s:O}", "verdict", json_object_get(report, "verdict"),
				   "nonce", json_object_get(answer, "nonce"))))
		ay_api_json(c, 200, answer);
	else
		json_decref(answer);
}

void ay_api_verify(struct ay_api_call *c)
{
	struct ay_verify_ask ask = { 0 };
	struct ay_pcrs *pcrs = ay_arena_alloc(&c->arena, sizeof(*pcrs));
	struct ay_err e = { 0 };

	if (pcrs == NULL)
		ay_err_set(&e, AY_E_NOMEM, "verify", 0, "out of memory");
	if (ay_api_refused(c, pcrs == NULL ? AY_E_NOMEM : read_ask(c, &ask, pcrs, &e), &e))
		return;
	c->left = left;
	ay_engine_verify(c->api->engine, &ask, verified, c);
}
