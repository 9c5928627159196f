/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/call.h"

#include <openssl/crypto.h>

void ay_api_tokens_list(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *all = NULL;

	if (!ay_api_refused(c, ay_engine_tokens(c->api->engine, &all, &e), &e))
		ay_api_array_by(c, all, "until,id");
}

void ay_api_tokens_show(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *one = NULL;

	if (!ay_api_refused(c, ay_engine_token(c->api->engine, c->param[0], &one, &e), &e))
		ay_api_json(c, 200, one);
}

static enum ay_rc take_eks(const struct ay_api_call *c, uint8_t ek[AY_MAX_TOKEN_EKS][32], size_t *n,
			   struct ay_err *e)
{
	const json_t *list = json_object_get(c->body, "eks");

	for (*n = 0; *n < json_array_size(list); ++*n) {
		const char *hex = json_string_value(json_array_get(list, *n));

		if (*n == AY_MAX_TOKEN_EKS || strlen(hex) != 64 ||
		    ay_hex_decode(ay_bytes_of(hex), "eks", ek[*n], 32, e) != AY_OK)
			return ay_fail(e, AY_E_INPUT, "eks", 0,
				       "at most %d hashes of 64 hexadecimal digits",
				       AY_MAX_TOKEN_EKS);
	}
	return AY_OK;
}

void ay_api_tokens_create(struct ay_api_call *c)
{
	struct ay_token_spec spec = { .host = ay_api_text(c, "host"),
				      .pool = ay_api_text(c, "pool"),
				      .uses = (uint32_t)ay_api_number(c, "uses", 0),
				      .ttl_ms = (int64_t)ay_api_number(c, "ttl_s", 0) * 1000 };
	char text[AY_MAX_TOKEN_BYTES], id[33];
	int64_t until;
	uint8_t ek[AY_MAX_TOKEN_EKS][32];
	struct ay_err e = { 0 };

	spec.ek = (const uint8_t(*)[32])ek;
	if (ay_api_refused(c, take_eks(c, ek, &spec.n_eks, &e), &e))
		return;
	if (ay_api_refused(c, ay_engine_token_create(c->api->engine, &spec, text, id, &until, &e),
			   &e))
		return;
	if (ay_api_audit(c, "TOKEN_CREATE", ay_bytes_of(id),
			 json_pack("{s:I, s:i}", "uses",
				   (json_int_t)(spec.uses == 0 ? 1 : spec.uses), "eks",
				   (int)spec.n_eks)))
		ay_api_json(c, 201,
			    json_pack("{s:s, s:s, s:o}", "id", id, "token", text, "until",
				      ay_api_time(until)));
	OPENSSL_cleanse(text, sizeof(text));
}

void ay_api_tokens_revoke(struct ay_api_call *c)
{
	struct ay_err e = { 0 };

	if (ay_api_refused(c, ay_engine_token_revoke(c->api->engine, c->param[0], &e), &e))
		return;
	if (ay_api_audit(c, "TOKEN_REVOKE", c->param[0], json_object()))
		ay_api_empty(c, 204);
}
