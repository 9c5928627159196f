/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/soap/soap.h"

#include "core/soap/convert.h"

#define RESULT AY_SOAP_RESULT
#define DOCUMENT AY_SOAP_DOCUMENT
#define LATER AY_SOAP_LATER
#define APPROVAL AY_SOAP_APPROVAL

static const struct ay_soap_row rows[] = {
#define OP(n, m, p, q, k, a, d)                                                                    \
	{ .name = #n,                                                                              \
	  .method = AY_HTTP_##m,                                                                   \
	  .path = (p),                                                                             \
	  .query = (q),                                                                            \
	  .keep = (k),                                                                             \
	  .answers = (a),                                                                          \
	  .doc = (d) },
#define WITHOUT(m, p, why)
#include "prog/assayd/soap/operations.def"
#undef OP
#undef WITHOUT
};

static const struct {
	enum ay_http_method method;
	const char *path, *why;
} without[] = {
#define OP(n, m, p, q, k, a, d)
#define WITHOUT(m, p, w) { AY_HTTP_##m, p, w },
#include "prog/assayd/soap/operations.def"
#undef OP
#undef WITHOUT
};

const struct ay_soap_row *ay_soap_rows(size_t *n)
{
	*n = AY_COUNT(rows);
	return rows;
}

const struct ay_soap_row *ay_soap_find(const char *name)
{
	for (size_t i = 0; i < AY_COUNT(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

const struct ay_route *ay_soap_route(const struct ay_soap_row *row)
{
	size_t n;
	const struct ay_route *r = ay_routes(&n);

	for (size_t i = 0; i < n; i++)
		if (r[i].method == row->method && strcmp(r[i].path, row->path) == 0)
			return &r[i];
	return NULL;
}

const char *ay_soap_without(const struct ay_route *route)
{
	for (size_t i = 0; i < AY_COUNT(without); i++)
		if (without[i].method == route->method && strcmp(without[i].path, route->path) == 0)
			return without[i].why;
	return NULL;
}

struct ay_soap_shapes ay_soap_shapes(void)
{
	return (struct ay_soap_shapes){ ay_schema_table(), AY_SCHEMA_Error, AY_SCHEMA_Approval };
}

/* ---- what goes in ---- */

static enum ay_rc add(struct ay_soap_inputs *in, const struct ay_member *m, struct ay_err *e)
{
	if (in->n + 1 >= AY_COUNT(in->member))
		return ay_fail(e, AY_E_BUG, "soap", 0, "too many members");
	in->member[in->n++] = *m;
	return AY_OK;
}

static enum ay_member_type query_type(const char *name)
{
	static const char numbers[] = "limit,wait,leaf,size";

	return ay_soap_named(numbers, name) ? AY_T_UINT : AY_T_TEXT;
}

static enum ay_rc add_named(struct ay_soap_inputs *in, struct ay_arena *a, const char *at, size_t n,
			    bool is_path, struct ay_err *e)
{
	char *name = ay_arena_str(a, (struct ay_bytes){ (const uint8_t *)at, n });
	struct ay_member m = { .name = name,
			       .type = AY_T_TEXT,
			       .need = is_path ? AY_NEED_REQ : AY_NEED_OPT,
			       .doc = is_path ? "which one" : "as in REST" };

	if (name == NULL)
		return ay_fail(e, AY_E_NOMEM, "soap", 0, "out of memory");
	if (!is_path)
		m.type = query_type(name);
	return add(in, &m, e);
}

static enum ay_rc add_path(const char *path, struct ay_arena *a, struct ay_soap_inputs *in,
			   struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	for (const char *p = strchr(path, '{'); rc == AY_OK && p != NULL; p = strchr(p + 1, '{'))
		rc = add_named(in, a, p + 1, strcspn(p + 1, "}"), true, e);
	in->n_path = in->n;
	return rc;
}

static enum ay_rc add_query(const char *query, struct ay_arena *a, struct ay_soap_inputs *in,
			    struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	for (const char *q = query; rc == AY_OK && *q != '\0'; q += strspn(q, ",")) {
		size_t n = strcspn(q, ",");

		rc = add_named(in, a, q, n, false, e);
		q += n;
	}
	in->n_query = in->n - in->n_path;
	return rc;
}

enum ay_rc ay_soap_inputs(const struct ay_soap_row *row, struct ay_arena *a,
			  struct ay_soap_inputs *out, struct ay_err *e)
{
	const struct ay_route *route = ay_soap_route(row);
	const struct ay_schema *s;
	enum ay_rc rc;

	*out = (struct ay_soap_inputs){ 0 };
	if (route == NULL)
		return ay_fail(e, AY_E_BUG, "soap", 0, "%s stands for no route", row->name);
	rc = add_path(row->path, a, out, e);
	if (rc == AY_OK)
		rc = add_query(strcmp(row->query, "*") == 0 ? route->query : row->query, a, out, e);
	s = ay_schema_of(route->request);
	for (const struct ay_member *m = s == NULL ? NULL : s->members;
	     rc == AY_OK && m != NULL && m->name != NULL; m++)
		rc = add(out, m, e);
	return rc;
}

void ay_soap_op(const struct ay_soap_row *row, const struct ay_soap_inputs *in,
		struct ay_soap_op *out)
{
	const struct ay_route *route = ay_soap_route(row);

	*out = (struct ay_soap_op){ .name = row->name,
				    .doc = row->doc,
				    .in = in->member,
				    .result = route == NULL ? 0 : route->response,
				    .keep = row->keep,
				    .answers = row->answers };
}
