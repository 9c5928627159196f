/* SPDX-License-Identifier: Apache-2.0 */
/* One message on its way: from the envelope to the route, from the answer to the envelope. */
#include "core/soap/convert.h"
#include "core/soap/fault.h"
#include "prog/assayd/soap/soap.h"

enum ay_rc ay_soap_begin(struct ay_api_call *c, const struct ay_api_request *r, struct ay_err *e)
{
	struct ay_soap_media media;
	enum ay_rc rc;

	c->soap = ay_arena_alloc(&c->arena, sizeof(*c->soap));
	if (c->soap == NULL)
		return ay_fail(e, AY_E_NOMEM, "soap", 0, "out of memory");
	rc = ay_soap_media_parse(ay_api_request_header(r, "content-type"),
				 ay_api_request_header(r, "soapaction"), &media, e);
	/* told later: first it is asked who sends it */
	c->soap->version = rc == AY_OK ? media.version : AY_SOAP_11;
	return AY_OK;
}

static void refused_media(struct ay_api_call *c, const struct ay_err *e)
{
	ay_api_problem_as(c, 415, e, NULL, NULL);
}

/* Which operation, and what it is asked with. */
static enum ay_rc read_operation(struct ay_api_call *c, xmlNodePtr op, struct ay_bytes action,
				 json_t **in, struct ay_err *e)
{
	const struct ay_schemas all = ay_schema_table();
	const struct ay_soap_row *row = ay_soap_find((const char *)op->name);
	struct ay_soap_inputs inputs;
	enum ay_rc rc;

	if (row == NULL)
		return ay_fail_code(e, AY_E_NOENT, "SOAP_OPERATION", "soap.body",
				    "no operation %.60s", (const char *)op->name);
	rc = ay_soap_action_check(action, row->name, e);
	if (rc == AY_OK)
		rc = ay_soap_inputs(row, &c->arena, &inputs, e);
	if (rc == AY_OK)
		rc = ay_soap_to_json(op, inputs.member, &all, in, e);
	c->soap->row = row;
	return rc;
}

/* The request of the route, in place of the message. */
static enum ay_rc read_message(struct ay_api_call *c, struct ay_bytes action,
			       struct ay_api_request *r, struct ay_err *e)
{
	AY_CLEANUP(ay_soap_envelope_free) struct ay_soap_envelope m = { 0 };
	AY_CLEANUP(ay_json_unref) json_t *in = NULL;
	enum ay_rc rc = ay_soap_envelope_load(r->body, c->soap->version, &m, e);

	if (rc == AY_OK)
		rc = read_operation(c, m.operation, action, &in, e);
	return rc == AY_OK ? ay_soap_request(c->soap->row, in, &c->arena, r, e) : rc;
}

void ay_api_soap_call(struct ay_api_call *c)
{
	struct ay_api_request r = *c->request;
	struct ay_soap_media media;
	struct ay_err e = { 0 };

	if (ay_soap_media_parse(ay_api_request_header(&r, "content-type"),
				ay_api_request_header(&r, "soapaction"), &media, &e) != AY_OK) {
		refused_media(c, &e);
		return;
	}
	if (!ay_api_refused(c, read_message(c, media.action, &r, &e), &e))
		ay_api_instead(c, &r, ay_soap_route(c->soap->row));
}

/* ---- the answer ---- */

static struct ay_bytes type_of(const struct ay_api_reply *r)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (ay_bytes_eq(r->header[i].name, ay_bytes_of("content-type")))
			return r->header[i].value;
	return (struct ay_bytes){ NULL, 0 };
}

static void set_type(struct ay_api_reply *r, const char *type)
{
	size_t i = 0;

	while (i < r->n_headers && !ay_bytes_eq(r->header[i].name, ay_bytes_of("content-type")))
		i++;
	if (i == AY_API_MAX_HEADERS)
		i--;
	r->header[i] = (struct ay_api_header){ ay_bytes_of("content-type"), ay_bytes_of(type) };
	r->n_headers = i < r->n_headers ? r->n_headers : i + 1;
}

/* From the problem document of REST. */
static void put_fault(const struct ay_api_call *c, struct ay_api_reply *r, const json_t *problem,
		      struct ay_xml_text *t)
{
	const json_t *error = json_object_get(problem, "error");
	const json_t *offset = json_object_get(error, "offset");
	const char *code = json_string_value(json_object_get(error, "code"));
	const char *text = json_string_value(json_object_get(error, "text"));
	struct ay_soap_error out = {
		.code = code == NULL ? "BUG" : code,
		.field = json_string_value(json_object_get(error, "field")),
		.has_offset = json_is_integer(offset),
		.offset = (uint64_t)json_integer_value(offset),
		.text = text == NULL ? "internal error" : text,
	};

	ay_soap_fault(t, c->soap->version, r->status, &out);
	r->status = (uint16_t)ay_soap_status(c->soap->version, r->status, out.code);
}

static void put_answer(struct ay_api_call *c, const struct ay_api_reply *r, const json_t *body,
		       struct ay_xml_text *t)
{
	const struct ay_soap_shapes shapes = ay_soap_shapes();
	const struct ay_schema *s = ay_schema_of(c->route->response);
	struct ay_soap_inputs inputs = { .n = 0 };
	struct ay_soap_op op;

	ay_soap_op(c->soap->row, &inputs, &op);
	if (s != NULL && s->kind == AY_SCHEMA_PLAIN)
		ay_soap_answer_content(t, c->soap->version, &op, type_of(r), r->body);
	else
		ay_soap_answer(t, c->soap->version, &op, body, &shapes);
}

/* What was made cannot be told: whatever it was, it is done. */
static void put_failure(struct ay_api_call *c, struct ay_api_reply *r, const struct ay_err *e,
			struct ay_xml_text *t)
{
	struct ay_soap_error out = { .code = ay_rc_name(e->rc), .text = e->text };

	ay_xt_fini(t);
	ay_xt_init(t);
	ay_soap_fault(t, c->soap->version, 500, &out);
	r->status = 500;
}

void ay_soap_finish(struct ay_api_call *c, struct ay_api_reply *r, struct ay_xml_text *t)
{
	AY_CLEANUP(ay_json_unref) json_t *body = NULL;
	struct ay_err e = { 0 };

	body = r->body.n == 0
		       ? NULL
		       : json_loadb((const char *)r->body.p, r->body.n, JSON_DECODE_ANY, NULL);
	ay_xt_init(t);
	if (r->status >= 400 || c->soap->row == NULL) {
		put_fault(c, r, body, t);
	} else {
		put_answer(c, r, body, t);
		r->status = 200;
	}
	if (ay_xt_end(t, &r->body, &e) != AY_OK) {
		put_failure(c, r, &e, t);
		if (ay_xt_end(t, &r->body, &e) != AY_OK)
			r->body = (struct ay_bytes){ NULL, 0 };
	}
	set_type(r, ay_soap_media_type(c->soap->version));
}
