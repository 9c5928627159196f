/* SPDX-License-Identifier: Apache-2.0 */
/* GET /soap/v1?wsdl and ?xsd=assay. */
#include "prog/assayd/soap/soap.h"

#include <stdlib.h>

/* A host name or address, maybe a port: what may stand in the address of a service. */
static bool is_authority(struct ay_bytes host)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-:[]";

	for (size_t i = 0; i < host.n; i++)
		if (host.p[i] == 0 || strchr(allowed, host.p[i]) == NULL)
			return false;
	return host.n > 0 && host.n <= 280;
}

/* Where this client reaches us: as it called us, if that is a name at all. */
static struct ay_bytes address(struct ay_api_call *c)
{
	struct ay_bytes host = ay_api_request_header(c->request, "host");
	const char *text;

	if (AY_CHECKED("SOAP_HOST", !is_authority(host)))
		host = ay_bytes_of("localhost:8443");
	text = ay_arena_printf(&c->arena, "https://%.*s/soap/v1", (int)host.n,
			       (const char *)host.p);
	return ay_bytes_of(text == NULL ? "" : text);
}

/* All operations; in the arena. NULL: no memory. */
static struct ay_soap_op *operations(struct ay_arena *a, size_t *n)
{
	const struct ay_soap_row *rows = ay_soap_rows(n);
	struct ay_soap_op *ops = ay_arena_array(a, *n, sizeof(*ops));
	struct ay_err e;

	for (size_t i = 0; ops != NULL && i < *n; i++) {
		struct ay_soap_inputs *in = ay_arena_alloc(a, sizeof(*in));

		if (in == NULL || ay_soap_inputs(&rows[i], a, in, &e) != AY_OK)
			return NULL;
		ay_soap_op(&rows[i], in, &ops[i]);
	}
	return ops;
}

static void answer(struct ay_api_call *c, bool wsdl)
{
	AY_CLEANUP(ay_xt_fini) struct ay_xml_text t = { 0 };
	const struct ay_soap_shapes shapes = ay_soap_shapes();
	struct ay_err e = { 0 };
	struct ay_bytes text;
	size_t n;
	struct ay_soap_op *ops = operations(&c->arena, &n);

	ay_xt_init(&t);
	if (ops == NULL)
		t.failed = true;
	else if (wsdl)
		ay_soap_wsdl(&t, ops, n, address(c));
	else
		ay_soap_xsd(&t, ops, n, &shapes);
	if (!ay_api_refused(c, ay_xt_end(&t, &text, &e), &e))
		ay_api_bytes(c, 200, "text/xml; charset=utf-8", text);
}

void ay_api_soap_describe(struct ay_api_call *c)
{
	struct ay_bytes xsd = ay_api_param(c, "xsd");
	struct ay_err e = { 0 };

	if (xsd.p != NULL && !ay_bytes_eq(xsd, ay_bytes_of("assay"))) {
		ay_err_set(&e, AY_E_NOENT, "xsd", 0, "there is one schema: ?xsd=assay");
		ay_api_problem(c, &e);
		return;
	}
	answer(c, xsd.p == NULL);
}
