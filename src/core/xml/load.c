/* SPDX-License-Identifier: Apache-2.0 */
#include "core/xml/load.h"

#include "core/base/limits.h"
#include "core/xml/names.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <stdlib.h>
#include <strings.h>

#define PREFIXES_MAX 64

/* What the parser may not be given, counted while it builds the tree. */
struct guard {
	size_t depth, n_elements, n_attributes;
	size_t n_prefixes;
	struct {
		xmlChar *prefix, *uri;
	} prefix[PREFIXES_MAX];
	const char *code; /* of the first thing that is wrong; NULL: nothing */
	const char *text;
};

static void refuse(xmlParserCtxtPtr ctxt, const char *code, const char *text)
{
	struct guard *g = ctxt->_private;

	if (g->code == NULL) {
		g->code = code;
		g->text = text;
	}
	xmlStopParser(ctxt);
}

/* A prefix that means one thing here and another there is how signed text is made to mislead. */
static void take_prefix(xmlParserCtxtPtr ctxt, const xmlChar *prefix, const xmlChar *uri)
{
	struct guard *g = ctxt->_private;

	if (xmlStrEqual(uri, ay_x(AY_NS_XINCLUDE)))
		refuse(ctxt, "XML_DOCTYPE", "XInclude");
	if (prefix == NULL)
		return;
	for (size_t i = 0; i < g->n_prefixes; i++) {
		if (!xmlStrEqual(g->prefix[i].prefix, prefix))
			continue;
		if (AY_CHECKED("XML_LIMIT", !xmlStrEqual(g->prefix[i].uri, uri)))
			refuse(ctxt, "XML_LIMIT", "a prefix stands for two namespaces");
		return;
	}
	if (g->n_prefixes == PREFIXES_MAX) {
		refuse(ctxt, "XML_LIMIT", "too many namespace prefixes");
		return;
	}
	g->prefix[g->n_prefixes].prefix = xmlStrdup(prefix);
	g->prefix[g->n_prefixes].uri = xmlStrdup(uri);
	g->n_prefixes++;
}

/* attributes: five pointers each: name, prefix, URI, value, end of value. */
static void take_attributes(xmlParserCtxtPtr ctxt, int n, const xmlChar **attributes)
{
	for (int i = 0; i < n; i++) {
		const xmlChar *uri = attributes[5 * i + 2];

		if (xmlStrEqual(uri, ay_x(AY_NS_XSI)) &&
		    (xmlStrEqual(attributes[5 * i], ay_x("schemaLocation")) ||
		     xmlStrEqual(attributes[5 * i], ay_x("noNamespaceSchemaLocation"))))
			refuse(ctxt, "XML_DOCTYPE", "schema location");
	}
}

static void start_element(void *p, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
			  int n_ns, const xmlChar **ns, int n_attributes, int n_defaulted,
			  const xmlChar **attributes)
{
	xmlParserCtxtPtr ctxt = p;
	struct guard *g = ctxt->_private;

	g->n_attributes += (size_t)n_attributes;
	g->n_elements++;
	if (AY_CHECKED("XML_LIMIT", ++g->depth > AY_MAX_XML_DEPTH))
		refuse(ctxt, "XML_LIMIT", "elements are nested too deeply");
	if (g->n_elements > AY_MAX_XML_NODES || g->n_attributes > AY_MAX_XML_NODES)
		refuse(ctxt, "XML_LIMIT", "too many elements or attributes");
	for (int i = 0; i < n_ns; i++)
		take_prefix(ctxt, ns[2 * i], ns[2 * i + 1]);
	take_attributes(ctxt, n_attributes, attributes);
	if (g->code == NULL)
		xmlSAX2StartElementNs(ctxt, name, prefix, uri, n_ns, ns, n_attributes, n_defaulted,
				      attributes);
}

static void end_element(void *p, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	xmlParserCtxtPtr ctxt = p;
	struct guard *g = ctxt->_private;

	g->depth--;
	if (g->code == NULL)
		xmlSAX2EndElementNs(ctxt, name, prefix, uri);
}

/* Canonicalisation drops comments, so one can be put anywhere in what is signed. */
static void comment(void *p, const xmlChar *value)
{
	(void)value;
	if (AY_CHECKED("SAML_COMMENT", true))
		refuse(p, "SAML_COMMENT", "a comment");
}

static void instruction(void *p, const xmlChar *target, const xmlChar *data)
{
	(void)target;
	(void)data;
	refuse(p, "SAML_COMMENT", "a processing instruction");
}

static void subset(void *p, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
	(void)name;
	(void)external;
	(void)system;
	if (AY_CHECKED("XML_DOCTYPE", true))
		refuse(p, "XML_DOCTYPE", "a DOCTYPE");
}

static void no_words(void *ctx, const char *msg, ...)
{
	(void)ctx;
	(void)msg;
}

static enum ay_rc fail(struct ay_err *e, enum ay_rc rc, const char *code, size_t at,
		       const char *text)
{
	rc = ay_fail(e, rc, "xml", at, "%s", text);
	ay_err_code(e, code);
	return rc;
}

/* The declaration may name no other encoding than UTF-8: "<!" could hide in another one. */
static bool is_utf8_declared(struct ay_bytes t)
{
	const uint8_t *end, *p;
	size_t n;

	if (t.n < 5 || memcmp(t.p, "<?xml", 5) != 0)
		return true;
	end = memmem(t.p, t.n, "?>", 2);
	if (end == NULL)
		return false;
	n = (size_t)(end - t.p);
	p = memmem(t.p, n, "encoding", 8);
	if (p == NULL)
		return true;
	n = (size_t)(end - p);
	for (size_t i = 8; i + 5 <= n; i++)
		if (p[i] == '"' || p[i] == '\'')
			return strncasecmp((const char *)p + i + 1, "utf-8", 5) == 0 && i + 6 < n &&
			       p[i + 6] == p[i];
	return false;
}

/* Before any parser sees it. "<!" begins a comment, a CDATA section, or what we refuse. */
static enum ay_rc check_text(struct ay_bytes t, struct ay_err *e)
{
	const uint8_t *p = t.p;

	if (t.n == 0)
		return fail(e, AY_E_INPUT, "XML_MALFORMED", 0, "is empty");
	if (AY_CHECKED("XML_LIMIT", t.n > AY_MAX_XML_BYTES))
		return fail(e, AY_E_LIMIT, "XML_LIMIT", 0, "is too long");
	if (memchr(t.p, 0, t.n) != NULL || !is_utf8_declared(t))
		return fail(e, AY_E_INPUT, "XML_LIMIT", 0, "is not UTF-8");
	while ((p = memmem(p, t.n - (size_t)(p - t.p), "<!", 2)) != NULL) {
		size_t at = (size_t)(p - t.p), left = t.n - at;

		if (AY_CHECKED("XML_DOCTYPE",
			       !(left >= 4 && memcmp(p, "<!--", 4) == 0) &&
				       !(left >= 9 && memcmp(p, "<![CDATA[", 9) == 0)))
			return fail(e, AY_E_INPUT, "XML_DOCTYPE", at,
				    "a DOCTYPE or another declaration");
		p += 2;
	}
	return AY_OK;
}

/*
 * The parser compares every attribute of an element with every other one, so
 * one element with many of them costs seconds: count quoted values between
 * '<' and '>' before it starts. CDATA is passed over, comments are refused.
 */
static bool has_crowded_element(struct ay_bytes t)
{
	size_t n_values = 0;
	uint8_t quote = 0;
	bool in_tag = false;

	for (size_t i = 0; i < t.n; i++) {
		uint8_t c = t.p[i];

		if (quote != 0) {
			quote = c == quote ? 0 : quote;
		} else if (!in_tag && c == '<' && t.n - i >= 9 &&
			   memcmp(t.p + i, "<![CDATA[", 9) == 0) {
			const uint8_t *end = memmem(t.p + i, t.n - i, "]]>", 3);

			i = end == NULL ? t.n : (size_t)(end - t.p) + 2;
		} else if (!in_tag) {
			in_tag = c == '<';
			n_values = 0;
		} else if (c == '>') {
			in_tag = false;
		} else if (c == '"' || c == '\'') {
			quote = c;
			if (++n_values > AY_MAX_XML_ATTRIBUTES)
				return true;
		}
	}
	return false;
}

static enum ay_rc check_utf8(struct ay_bytes t, struct ay_err *e)
{
	char *copy = malloc(t.n + 1);
	bool ok;

	if (copy == NULL)
		return ay_fail(e, AY_E_NOMEM, "xml", 0, "out of memory");
	memcpy(copy, t.p, t.n);
	copy[t.n] = '\0';
	ok = xmlCheckUTF8(ay_x(copy)) == 1;
	free(copy);
	return ok ? AY_OK : fail(e, AY_E_INPUT, "XML_LIMIT", 0, "is not UTF-8");
}

static void set_handlers(xmlParserCtxtPtr ctxt, struct guard *g)
{
	ctxt->_private = g;
	ctxt->sax->startElementNs = start_element;
	ctxt->sax->endElementNs = end_element;
	ctxt->sax->comment = comment;
	ctxt->sax->processingInstruction = instruction;
	ctxt->sax->internalSubset = subset;
	ctxt->sax->warning = no_words;
	ctxt->sax->error = no_words;
	ctxt->sax->fatalError = no_words;
	ctxt->sax->serror = NULL;
}

static enum ay_rc parse(struct ay_bytes text, struct guard *g, xmlDocPtr *out, struct ay_err *e)
{
	xmlParserCtxtPtr ctxt = xmlNewParserCtxt();
	enum ay_rc rc = AY_OK;
	xmlDocPtr doc;

	if (ctxt == NULL)
		return ay_fail(e, AY_E_NOMEM, "xml", 0, "out of memory");
	set_handlers(ctxt, g);
	doc = xmlCtxtReadMemory(ctxt, (const char *)text.p, (int)text.n, NULL, NULL,
				XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_NOERROR |
					XML_PARSE_NOWARNING | XML_PARSE_COMPACT);
	if (doc == NULL)
		doc = ctxt->myDoc;
	ctxt->myDoc = NULL;
	if (g->code != NULL)
		rc = fail(e, strcmp(g->code, "XML_LIMIT") == 0 ? AY_E_LIMIT : AY_E_INPUT, g->code,
			  (size_t)xmlByteConsumed(ctxt), g->text);
	else if (doc == NULL || ctxt->wellFormed != 1 || xmlDocGetRootElement(doc) == NULL)
		rc = fail(e, AY_E_INPUT, "XML_MALFORMED", (size_t)xmlByteConsumed(ctxt),
			  "is not well-formed");
	if (rc != AY_OK && doc != NULL)
		xmlFreeDoc(doc);
	*out = rc == AY_OK ? doc : NULL;
	xmlFreeParserCtxt(ctxt);
	return rc;
}

enum ay_rc ay_xml_load(struct ay_bytes text, xmlDocPtr *out, struct ay_err *e)
{
	struct guard g = { 0 };
	enum ay_rc rc = check_text(text, e);

	*out = NULL;
	if (rc != AY_OK)
		return rc;
	if (AY_CHECKED("XML_LIMIT", has_crowded_element(text)))
		return fail(e, AY_E_LIMIT, "XML_LIMIT", 0, "an element has too many attributes");
	rc = check_utf8(text, e);
	if (rc != AY_OK)
		return rc;
	rc = parse(text, &g, out, e);
	for (size_t i = 0; i < g.n_prefixes; i++) {
		xmlFree(g.prefix[i].prefix);
		xmlFree(g.prefix[i].uri);
	}
	return rc;
}
