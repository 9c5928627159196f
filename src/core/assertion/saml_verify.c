/* SPDX-License-Identifier: Apache-2.0 */
#include "core/assertion/saml.h"

#include "core/assertion/saml_names.h"
#include "core/assertion/saml_parts.h"
#include "core/xml/load.h"

enum ay_rc ay_saml_refuse(struct ay_err *e, enum ay_rc rc, const char *code, const char *where,
			  const char *text)
{
	rc = ay_fail(e, rc, where, 0, "%s", text);
	ay_err_code(e, code);
	return rc;
}

bool ay_saml_is(const xmlNode *n, const char *ns, const char *name)
{
	return n != NULL && n->type == XML_ELEMENT_NODE && n->ns != NULL &&
	       xmlStrEqual(n->ns->href, ay_x(ns)) && xmlStrEqual(n->name, ay_x(name));
}

xmlNodePtr ay_saml_next(xmlNodePtr n)
{
	while (n != NULL && n->type != XML_ELEMENT_NODE)
		n = n->next;
	return n;
}

xmlNodePtr ay_saml_child(const xmlNode *parent, const char *ns, const char *name)
{
	xmlNodePtr n = parent == NULL ? NULL : ay_saml_next(parent->children);

	while (n != NULL && !ay_saml_is(n, ns, name))
		n = ay_saml_next(n->next);
	return n;
}

const xmlChar *ay_saml_attr(const xmlNode *n, const char *name)
{
	xmlAttrPtr a = n == NULL ? NULL : xmlHasNsProp(n, ay_x(name), NULL);

	if (a == NULL || a->children == NULL || a->children->next != NULL ||
	    a->children->type != XML_TEXT_NODE)
		return NULL;
	return a->children->content;
}

static enum ay_rc verify_doc(xmlDocPtr doc, const struct ay_saml_expect *want,
			     struct ay_arena *arena, struct ay_saml_facts *facts, struct ay_err *e)
{
	struct ay_saml_doc d = { 0 };
	enum ay_rc rc;

	rc = ay_saml_check_shape(doc, &d, e);
	if (rc != AY_OK)
		return rc;
	rc = ay_saml_check_reference(&d, e);
	if (rc != AY_OK)
		return rc;
	rc = ay_saml_check_signature(&d, want, e);
	if (rc != AY_OK)
		return rc;
	if (AY_CHECKED("SAML_ALGORITHM", d.is_weak && !want->allow_legacy))
		return ay_saml_refuse(e, AY_E_CRYPTO, "SAML_ALGORITHM", "saml.SignedInfo",
				      "SHA-1 is not accepted");
	return ay_saml_check_conditions(&d, want, arena, facts, e);
}

enum ay_rc ay_saml_verify(struct ay_bytes xml, const struct ay_saml_expect *want,
			  struct ay_arena *arena, struct ay_saml_facts *out, struct ay_err *e)
{
	struct ay_saml_facts facts = { 0 };
	xmlDocPtr doc;
	enum ay_rc rc = ay_xml_load(xml, &doc, e);

	*out = (struct ay_saml_facts){ 0 };
	if (rc != AY_OK)
		return rc;
	rc = verify_doc(doc, want, arena, &facts, e);
	xmlFreeDoc(doc);
	if (rc == AY_OK)
		*out = facts;
	return rc;
}

const char *ay_saml_fact_of(const struct ay_saml_facts *f, size_t statement, const char *name)
{
	for (size_t i = 0; i < f->n_attributes; i++)
		if (f->attribute[i].statement == statement &&
		    strcmp(f->attribute[i].name, name) == 0)
			return f->attribute[i].value;
	return NULL;
}

const char *ay_saml_fact(const struct ay_saml_facts *f, const char *name)
{
	return f->n_statements == 1 ? ay_saml_fact_of(f, 0, name) : NULL;
}
