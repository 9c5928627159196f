/* SPDX-License-Identifier: Apache-2.0 */
#include "core/soap/envelope.h"

#include "core/soap/walk.h"
#include "core/xml/load.h"
#include "core/xml/names.h"

#include <string.h>

/* ---- headers ---- */

/* Is this block for us? An absent role is ours [SOAP11 4.2.2] [SOAP12-1 2.2]. */
static bool is_for_us(const xmlNode *block, enum ay_soap_version v)
{
	const char *attribute = v == AY_SOAP_11 ? "actor" : "role";
	xmlChar *role = xmlGetNsProp(block, ay_x(attribute), ay_x(ay_soap_namespace(v)));
	bool ours = role == NULL || role[0] == '\0' ||
		    xmlStrEqual(role, ay_x("http://schemas.xmlsoap.org/soap/actor/next")) ||
		    xmlStrEqual(role, ay_x(AY_NS_SOAP12 "/role/next")) ||
		    xmlStrEqual(role, ay_x(AY_NS_SOAP12 "/role/ultimateReceiver"));

	xmlFree(role);
	return ours;
}

static enum ay_rc check_block(const xmlNode *block, enum ay_soap_version v, struct ay_err *e)
{
	xmlChar *must = xmlGetNsProp(block, ay_x("mustUnderstand"), ay_x(ay_soap_namespace(v)));
	bool yes =
		must != NULL && (xmlStrEqual(must, ay_x("1")) || xmlStrEqual(must, ay_x("true")));
	bool no = must == NULL || xmlStrEqual(must, ay_x("0")) || xmlStrEqual(must, ay_x("false"));

	xmlFree(must);
	if (AY_CHECKED("SOAP_HEADER", block->ns == NULL))
		return ay_soap_bad(e, "SOAP_HEADER", "soap.header",
				   "the block %.60s is in no namespace", (const char *)block->name);
	if (!yes && AY_CHECKED("SOAP_HEADER", !no))
		return ay_soap_bad(e, "SOAP_HEADER", "soap.header",
				   "mustUnderstand of %.60s is neither true nor false",
				   (const char *)block->name);
	if (yes && AY_CHECKED("SOAP_MUST_UNDERSTAND", is_for_us(block, v)))
		return ay_soap_bad(e, "SOAP_MUST_UNDERSTAND", "soap.header",
				   "the block %.60s is not understood here",
				   (const char *)block->name);
	return AY_OK;
}

static enum ay_rc check_header(const xmlNode *header, enum ay_soap_version v, struct ay_err *e)
{
	enum ay_rc rc = ay_soap_no_text(header, "soap.header", e);

	if (rc == AY_OK)
		rc = ay_soap_no_attributes(header, "soap.header", e);
	for (const xmlNode *b = ay_soap_first(header); rc == AY_OK && b != NULL;
	     b = ay_soap_next(b))
		rc = check_block(b, v, e);
	return rc;
}

/* ---- envelope ---- */

/* The root: the version that its media type says, and no other. */
static enum ay_rc check_root(const xmlNode *root, enum ay_soap_version v, struct ay_err *e)
{
	enum ay_rc rc;

	if (!xmlStrEqual(root->name, ay_x("Envelope")) || root->ns == NULL)
		return ay_soap_bad(e, "SOAP_ENVELOPE", "soap.envelope",
				   "the outermost element is not a SOAP Envelope");
	if (AY_CHECKED("SOAP_VERSION", !xmlStrEqual(root->ns->href, ay_x(ay_soap_namespace(v)))))
		return ay_soap_bad(e, "SOAP_VERSION", "soap.envelope",
				   "the Envelope is not in the namespace %s, which the content "
				   "type stands for",
				   ay_soap_namespace(v));
	rc = ay_soap_no_text(root, "soap.envelope", e);
	return rc == AY_OK ? ay_soap_no_attributes(root, "soap.envelope", e) : rc;
}

/* Its children: Header or not, Body, nothing else. */
static enum ay_rc find_body(const xmlNode *root, enum ay_soap_version v, xmlNodePtr *body,
			    struct ay_err *e)
{
	xmlNodePtr at = ay_soap_first(root);

	if (at != NULL && ay_soap_is(at, ay_soap_namespace(v), "Header")) {
		enum ay_rc rc = check_header(at, v, e);

		if (rc != AY_OK)
			return rc;
		at = ay_soap_next(at);
	}
	if (at == NULL || !xmlStrEqual(at->name, ay_x("Body")))
		return ay_soap_bad(e, "SOAP_ENVELOPE", "soap.envelope",
				   "the Envelope has a Header or none, then one Body");
	if (AY_CHECKED("SOAP_NAMESPACE", !ay_soap_is(at, ay_soap_namespace(v), "Body")))
		return ay_soap_bad(e, "SOAP_NAMESPACE", "soap.envelope",
				   "the Body is not in the namespace of the Envelope");
	if (AY_CHECKED("SOAP_ENVELOPE", ay_soap_next(at) != NULL))
		return ay_soap_bad(e, "SOAP_ENVELOPE", "soap.envelope",
				   "an element stands behind the Body");
	*body = at;
	return AY_OK;
}

static enum ay_rc find_operation(const xmlNode *body, xmlNodePtr *out, struct ay_err *e)
{
	enum ay_rc rc = ay_soap_no_text(body, "soap.body", e);
	xmlNodePtr op = ay_soap_first(body);

	if (rc == AY_OK)
		rc = ay_soap_no_attributes(body, "soap.body", e);
	if (rc != AY_OK)
		return rc;
	if (op == NULL || AY_CHECKED("SOAP_ENVELOPE", ay_soap_next(op) != NULL))
		return ay_soap_bad(e, "SOAP_ENVELOPE", "soap.body",
				   "the Body has exactly one element, the operation");
	if (AY_CHECKED("SOAP_NAMESPACE",
		       op->ns == NULL || !xmlStrEqual(op->ns->href, ay_x(AY_NS_ASSAY))))
		return ay_soap_bad(e, "SOAP_NAMESPACE", "soap.body",
				   "the operation is not in the namespace " AY_NS_ASSAY);
	rc = ay_soap_no_attributes(op, "soap.body", e);
	if (rc == AY_OK)
		*out = op;
	return rc;
}

static enum ay_rc load(struct ay_bytes text, xmlDocPtr *doc, struct ay_err *e)
{
	struct ay_err own = { 0 };
	enum ay_rc rc = ay_xml_load(text, doc, &own);

	/* the loader speaks of assertions there */
	if (rc != AY_OK && strcmp(own.code, "SAML_COMMENT") == 0)
		ay_err_code(&own, "XML_COMMENT");
	if (e != NULL)
		*e = own;
	return rc;
}

enum ay_rc ay_soap_envelope_load(struct ay_bytes text, enum ay_soap_version v,
				 struct ay_soap_envelope *out, struct ay_err *e)
{
	struct ay_soap_envelope m = { 0 };
	xmlNodePtr root, body = NULL;
	enum ay_rc rc = load(text, &m.doc, e);

	*out = (struct ay_soap_envelope){ 0 };
	if (rc != AY_OK)
		return rc;
	root = xmlDocGetRootElement(m.doc);
	rc = check_root(root, v, e);
	if (rc == AY_OK)
		rc = find_body(root, v, &body, e);
	if (rc == AY_OK)
		rc = find_operation(body, &m.operation, e);
	if (rc == AY_OK)
		*out = m;
	else
		ay_soap_envelope_free(&m);
	return rc;
}

void ay_soap_envelope_free(struct ay_soap_envelope *m)
{
	if (m->doc != NULL)
		xmlFreeDoc(m->doc);
	*m = (struct ay_soap_envelope){ 0 };
}
