/* SPDX-License-Identifier: Apache-2.0 */
#include "core/soap/walk.h"

#include "core/xml/names.h"

#include <stdarg.h>
#include <stdio.h>

static xmlNodePtr element_from(xmlNodePtr n)
{
	while (n != NULL && n->type != XML_ELEMENT_NODE)
		n = n->next;
	return n;
}

xmlNodePtr ay_soap_first(const xmlNode *parent)
{
	return element_from(parent->children);
}

xmlNodePtr ay_soap_next(const xmlNode *node)
{
	return element_from(node->next);
}

bool ay_soap_is(const xmlNode *n, const char *ns, const char *name)
{
	return n->ns != NULL && xmlStrEqual(n->ns->href, ay_x(ns)) &&
	       xmlStrEqual(n->name, ay_x(name));
}

enum ay_rc ay_soap_no_text(const xmlNode *n, const char *where, struct ay_err *e)
{
	for (const xmlNode *c = n->children; c != NULL; c = c->next)
		if (AY_CHECKED("SOAP_TEXT", c->type != XML_ELEMENT_NODE && !xmlIsBlankNode(c)))
			return ay_soap_bad(e, "SOAP_TEXT", where,
					   "text stands in %.60s, which only has elements",
					   (const char *)n->name);
	return AY_OK;
}

enum ay_rc ay_soap_no_attributes(const xmlNode *n, const char *where, struct ay_err *e)
{
	if (AY_CHECKED("SOAP_ATTRIBUTE", n->properties != NULL))
		return ay_soap_bad(e, "SOAP_ATTRIBUTE", where, "%.60s has the attribute %.60s",
				   (const char *)n->name, (const char *)n->properties->name);
	return AY_OK;
}

enum ay_rc ay_soap_bad(struct ay_err *e, const char *code, const char *where, const char *fmt, ...)
{
	char text[200];
	enum ay_rc rc;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	rc = ay_fail(e, AY_E_INPUT, where, 0, "%s", text);
	ay_err_code(e, code);
	return rc;
}
