/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_SOAP_OPERATION_H
#define AY_SOAP_OPERATION_H

/*
 * One operation as its description (WSDL, XSD) and its answer need it: what
 * goes in are members, what comes out is a schema. Document/literal, wrapped:
 * <Name>..</Name> is answered by <NameResponse>..</NameResponse>, with
 *
 *   result    the object; for a schema that is no JSON, a Content
 *   document  the same answer whole, as JSON text (AY_SOAP_DOCUMENT)
 *   location  where the rest is to be had by REST: it is not done yet (AY_SOAP_LATER)
 *   approval  what waits for a second person (AY_SOAP_APPROVAL)
 *
 * Spec   [WSDL11 2], [WSDL11 3], [XSD-1 3]
 */
#include "core/base/schema.h"
#include "core/soap/envelope.h"
#include "core/xml/text.h"

#include <jansson.h>

enum ay_soap_answers {
	AY_SOAP_RESULT = 0,
	AY_SOAP_DOCUMENT = 1,
	AY_SOAP_LATER = 2,
	AY_SOAP_APPROVAL = 4,
};

struct ay_soap_op {
	const char *name, *doc;
	const struct ay_member *in; /* ends with name NULL */
	unsigned result;	    /* row of the schemas, 0: nothing comes out */
	const char *keep;	    /* only these members of it, "" all */
	unsigned answers;	    /* of enum ay_soap_answers */
};

/* Names of the schemas that the interface itself needs. */
struct ay_soap_shapes {
	struct ay_schemas all;
	unsigned error, approval; /* rows */
};

/* The XSD of everything that stands in a Body, the detail of faults included. */
void ay_soap_xsd(struct ay_xml_text *t, const struct ay_soap_op *ops, size_t n,
		 const struct ay_soap_shapes *s);
/* The WSDL. address: URL without a query, checked by the caller. */
void ay_soap_wsdl(struct ay_xml_text *t, const struct ay_soap_op *ops, size_t n,
		  struct ay_bytes address);

/* A whole envelope. body: NULL when there is none (204). */
void ay_soap_answer(struct ay_xml_text *t, enum ay_soap_version v, const struct ay_soap_op *op,
		    const json_t *body, const struct ay_soap_shapes *s);
/*
 * The same for what is no JSON. XML goes in as it is, without its declaration:
 * it must come from a writer of ours. Text as text, all else in base 64.
 */
void ay_soap_answer_content(struct ay_xml_text *t, enum ay_soap_version v,
			    const struct ay_soap_op *op, struct ay_bytes media,
			    struct ay_bytes content);

#endif
