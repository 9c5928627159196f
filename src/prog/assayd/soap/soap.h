/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_SOAP_SOAP_H
#define AY_ASSAYD_SOAP_SOAP_H

/*
 * SOAP in front of the REST routes: a message is read, turned into the request
 * of the route it stands for, and goes on as that; the answer is turned back.
 * So permission, scope, schema, idempotency and audit are those of REST.
 */
#include "core/soap/operation.h"
#include "prog/assayd/api/call.h"

/* ---- the table ---- */

struct ay_soap_row {
	const char *name;
	enum ay_http_method method;
	const char *path, *query, *keep;
	unsigned answers; /* of enum ay_soap_answers */
	const char *doc;
};
const struct ay_soap_row *ay_soap_rows(size_t *n);
/* NULL = none. */
const struct ay_soap_row *ay_soap_find(const char *name);
/* The route a row stands for; NULL: there is none (a test looks). */
const struct ay_route *ay_soap_route(const struct ay_soap_row *row);
/* Why no operation stands for a route; NULL: not said. */
const char *ay_soap_without(const struct ay_route *route);

/* What goes in: parameters of the path, then of the query, then members of the body. */
struct ay_soap_inputs {
	struct ay_member member[48]; /* ends with name NULL */
	size_t n_path, n_query, n;
};
/* Names are in the arena. AY_E_NOMEM; AY_E_BUG when there are too many. */
AY_MUST_USE enum ay_rc ay_soap_inputs(const struct ay_soap_row *row, struct ay_arena *a,
				      struct ay_soap_inputs *out, struct ay_err *e);
/* As the core wants it; out->in borrows from in. */
void ay_soap_op(const struct ay_soap_row *row, const struct ay_soap_inputs *in,
		struct ay_soap_op *out);
struct ay_soap_shapes ay_soap_shapes(void);

/*
 * The REST request of this operation: method, path, query, headers and body
 * of *r are set, the others stay. in: what ay_soap_to_json() read.
 */
AY_MUST_USE enum ay_rc ay_soap_request(const struct ay_soap_row *row, const json_t *in,
				       struct ay_arena *a, struct ay_api_request *r,
				       struct ay_err *e);

/* ---- a call ---- */

struct ay_soap_call {
	enum ay_soap_version version;
	struct ay_bytes action;
	const struct ay_soap_row *row; /* NULL until it is known */
};
/* A request to /soap/v1 came: from now on it is answered in SOAP. AY_E_NOMEM. */
AY_MUST_USE enum ay_rc ay_soap_begin(struct ay_api_call *c, const struct ay_api_request *r,
				     struct ay_err *e);
/* The answer as SOAP: status, type and body of *r change; the body is in t then. */
void ay_soap_finish(struct ay_api_call *c, struct ay_api_reply *r, struct ay_xml_text *t);

#endif
