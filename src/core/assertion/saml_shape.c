/* SPDX-License-Identifier: Apache-2.0 */
#include "core/assertion/saml_names.h"
#include "core/assertion/saml_parts.h"

#include <libxml/hash.h>

/* What stands where in a document, found by one walk over all its elements. */
struct survey {
	size_t n_assertions, n_encrypted, n_signatures;
	size_t n_self_signed; /* assertions with a direct signature that names their own ID */
	xmlNodePtr assertion, signature; /* the first ones */
	xmlHashTablePtr ids;
	bool has_twice, no_memory;
};

static xmlNodePtr next_in_document(xmlNodePtr n, const xmlNode *root)
{
	if (n->children != NULL)
		return n->children;
	while (n != root && n->next == NULL)
		n = n->parent;
	return n == root ? NULL : n->next;
}

static void take_ids(struct survey *s, xmlNodePtr n)
{
	for (xmlAttrPtr a = n->properties; a != NULL; a = a->next) {
		if (xmlStrcasecmp(a->name, ay_x("ID")) != 0 || a->children == NULL ||
		    a->children->content == NULL)
			continue;
		if (xmlHashLookup(s->ids, a->children->content) != NULL)
			s->has_twice = true;
		else if (xmlHashAddEntry(s->ids, a->children->content, n) != 0)
			s->no_memory = true;
	}
}

/* "#" and the ID of the element, nothing else. */
static bool refers_to(const xmlChar *uri, const xmlNode *n)
{
	const xmlChar *id = ay_saml_attr(n, "ID");

	return uri != NULL && id != NULL && id[0] != '\0' && uri[0] == '#' &&
	       xmlStrEqual(uri + 1, id);
}

static const xmlChar *reference_uri(const xmlNode *signature)
{
	return ay_saml_attr(ay_saml_child(ay_saml_child(signature, AY_NS_DSIG, "SignedInfo"),
					  AY_NS_DSIG, "Reference"),
			    "URI");
}

static void survey_element(struct survey *s, xmlNodePtr n)
{
	take_ids(s, n);
	if (ay_saml_is(n, AY_NS_DSIG, "Signature")) {
		s->n_signatures++;
		s->signature = s->signature == NULL ? n : s->signature;
	}
	if (ay_saml_is(n, AY_NS_SAML, "EncryptedAssertion") ||
	    ay_saml_is(n, AY_NS_SAML, "EncryptedID") ||
	    ay_saml_is(n, AY_NS_SAML, "EncryptedAttribute"))
		s->n_encrypted++;
	if (!ay_saml_is(n, AY_NS_SAML, "Assertion"))
		return;
	s->n_assertions++;
	s->assertion = s->assertion == NULL ? n : s->assertion;
	if (refers_to(reference_uri(ay_saml_child(n, AY_NS_DSIG, "Signature")), n))
		s->n_self_signed++;
}

static void survey(struct survey *s, const xmlNode *root, xmlNodePtr first)
{
	for (xmlNodePtr n = first; n != NULL; n = next_in_document(n, root))
		if (n->type == XML_ELEMENT_NODE)
			survey_element(s, n);
}

static enum ay_rc shape(struct ay_err *e, const char *text)
{
	return ay_saml_refuse(e, AY_E_INPUT, "SAML_SHAPE", "saml", text);
}

/* A shared secret or a broken digest: said so even where there is no assertion. */
static bool is_forbidden(const xmlNode *signature)
{
	const xmlChar *alg =
		ay_saml_attr(ay_saml_child(ay_saml_child(signature, AY_NS_DSIG, "SignedInfo"),
					   AY_NS_DSIG, "SignatureMethod"),
			     "Algorithm");

	return alg != NULL &&
	       (xmlStrstr(alg, ay_x("hmac")) != NULL || xmlStrstr(alg, ay_x("md5")) != NULL);
}

/* How many assertions and signatures, and does the signature cover what one would read? */
static enum ay_rc judge_survey(const struct survey *s, const xmlNode *root, struct ay_err *e)
{
	if (AY_CHECKED("SAML_ALGORITHM", s->signature != NULL && is_forbidden(s->signature)))
		return ay_saml_refuse(e, AY_E_CRYPTO, "SAML_ALGORITHM", "saml.SignatureMethod",
				      "signature is not ECDSA or RSA with SHA-2");
	if (s->n_assertions == 0)
		return shape(e, s->n_encrypted > 0 ? "assertion is encrypted" : "no assertion");
	if (AY_CHECKED("SAML_UNSIGNED", s->n_signatures == 0))
		return ay_saml_refuse(e, AY_E_CRYPTO, "SAML_UNSIGNED", "saml.Signature",
				      "no signature");
	if (AY_CHECKED("SAML_WRAPPING", s->n_assertions > 1 && s->n_self_signed < s->n_assertions))
		return ay_saml_refuse(e, AY_E_CRYPTO, "SAML_WRAPPING", "saml.Assertion",
				      "an assertion that is not signed stands beside a signed one");
	if (AY_CHECKED("SAML_SHAPE", s->n_assertions > 1))
		return shape(e, "more than one assertion");
	if (AY_CHECKED("SAML_WRAPPING",
		       s->signature->parent != s->assertion &&
			       !refers_to(reference_uri(s->signature), s->signature->parent)))
		return ay_saml_refuse(e, AY_E_CRYPTO, "SAML_WRAPPING", "saml.Signature",
				      "the signature is not the assertion's own");
	if (AY_CHECKED("SAML_DUPLICATE_ID", s->has_twice))
		return ay_saml_refuse(e, AY_E_CRYPTO, "SAML_DUPLICATE_ID", "saml.ID",
				      "an ID stands twice");
	if (AY_CHECKED("SAML_SHAPE", s->n_encrypted > 0))
		return shape(e, "parts are encrypted");
	if (AY_CHECKED("SAML_SHAPE", s->assertion != root))
		return shape(e, "the document is not an assertion");
	if (AY_CHECKED("SAML_WRAPPING", s->n_signatures > 1))
		return ay_saml_refuse(e, AY_E_CRYPTO, "SAML_WRAPPING", "saml.Signature",
				      "more than one signature");
	return AY_OK;
}

static bool is_child_we_know(const xmlNode *n)
{
	static const char *const names[] = { "Issuer", "Subject", "Conditions",
					     "AttributeStatement" };

	for (size_t i = 0; i < AY_COUNT(names); i++)
		if (ay_saml_is(n, AY_NS_SAML, names[i]))
			return true;
	return ay_saml_is(n, AY_NS_DSIG, "Signature");
}

static enum ay_rc check_children(const xmlNode *root, struct ay_err *e)
{
	if (!xmlStrEqual(ay_saml_attr(root, "Version"), ay_x("2.0")))
		return shape(e, "version is not 2.0");
	for (xmlNodePtr n = ay_saml_next(root->children); n != NULL; n = ay_saml_next(n->next))
		if (AY_CHECKED("SAML_SHAPE", !is_child_we_know(n)))
			return shape(e, "statement of an unknown type");
	if (ay_saml_child(root, AY_NS_SAML, "AttributeStatement") == NULL)
		return shape(e, "no attribute statement");
	return AY_OK;
}

enum ay_rc ay_saml_check_shape(xmlDocPtr doc, struct ay_saml_doc *out, struct ay_err *e)
{
	struct survey s = { .ids = xmlHashCreate(64) };
	xmlNodePtr root = xmlDocGetRootElement(doc);
	enum ay_rc rc;

	if (s.ids == NULL)
		return ay_fail(e, AY_E_NOMEM, "saml", 0, "out of memory");
	survey(&s, root, root);
	xmlHashFree(s.ids, NULL);
	if (s.no_memory)
		return ay_fail(e, AY_E_NOMEM, "saml", 0, "out of memory");
	rc = judge_survey(&s, root, e);
	if (rc != AY_OK)
		return rc;
	rc = check_children(root, e);
	if (rc != AY_OK)
		return rc;
	out->root = root;
	out->signature = s.signature;
	out->id = ay_saml_attr(root, "ID");
	if (out->id == NULL || out->id[0] == '\0')
		return ay_saml_refuse(e, AY_E_INPUT, "SAML_CONDITIONS", "saml.ID", "no ID");
	return AY_OK;
}
