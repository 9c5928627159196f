/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/family/family.h"

#include <stdlib.h>

static const struct {
	const char *code;
	int status, number, oat1;
} errors[] = {
#define X(code, status, number, oat1) { #code, status, number, oat1 },
#include "prog/assayd/family/errors.def"
#undef X
};

static bool find(const char *code, enum ay_dialect d, struct ay_family_error *out)
{
	for (size_t i = 0; i < AY_COUNT(errors); i++) {
		if (strcmp(errors[i].code, code) != 0)
			continue;
		out->status = errors[i].status;
		out->number = d == AY_DIALECT_OAT1 ? errors[i].oat1 : errors[i].number;
		return true;
	}
	return false;
}

struct ay_family_error ay_family_error_of(enum ay_dialect d, const struct ay_err *e)
{
	struct ay_family_error out = { 500, 1 };

	if (e->code[0] == '\0' || !find(e->code, d, &out))
		(void)find(ay_rc_name(e->rc), d, &out);
	return out;
}

/* Peers never see the text of our own failures. */
static const char *text_of(const struct ay_err *e)
{
	return e->rc == AY_E_BUG || e->rc == AY_E_NOMEM || e->rc == AY_E_UNAVAIL ? ay_rc_text(e->rc)
										 : e->text;
}

/* {"error_code":N,"error_message":"..."}; OAT1 says where, too. */
static json_t *body_of(enum ay_dialect d, int number, const struct ay_err *e)
{
	json_t *o = json_pack("{s:i, s:s}", "error_code", number, "error_message", text_of(e));

	if (d == AY_DIALECT_OAT1)
		json_object_set_new(o, "detail", json_string(e->where == NULL ? "" : e->where));
	return o;
}

void ay_family_problem(struct ay_api_call *c, int status, const struct ay_err *e,
		       const char *header, const char *value)
{
	struct ay_family_error known = ay_family_error_of(c->dialect, e);
	/* what the router and the gate say (401, 403, 405, 415, 429) stays as it is */
	int tell = status == 401 || status == 403 || status == 405 || status == 415 || status == 429
			   ? status
			   : known.status;
	json_t *body;
	char *text;

	if (c->dialect == AY_DIALECT_HVS) {
		ay_api_answer(c, tell, "text/plain", ay_bytes_of(text_of(e)), header, value);
		return;
	}
	body = body_of(c->dialect, known.number, e);
	text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
	json_decref(body);
	ay_api_answer(c, text == NULL ? 503 : tell, "application/json",
		      ay_bytes_of(text == NULL ? "{}" : text), header, value);
	free(text);
}
