/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_SOAP_ENVELOPE_H
#define AY_SOAP_ENVELOPE_H

/*
 * SOAP messages from outside, down to the element that says what is asked.
 * Everything is refused that could be read in two ways, and what a header
 * demands that we do not do. Nothing here knows any operation.
 *
 * Codes: XML_DOCTYPE XML_LIMIT XML_MALFORMED XML_COMMENT of the loader;
 * SOAP_MEDIA SOAP_VERSION SOAP_ENVELOPE SOAP_HEADER SOAP_MUST_UNDERSTAND
 * SOAP_NAMESPACE SOAP_TEXT SOAP_ATTRIBUTE SOAP_ACTION.
 * Spec   [SOAP11 4], [SOAP12-1 5], [SOAP12-2 7]
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

#include <libxml/tree.h>

#define AY_NS_SOAP11 "http://schemas.xmlsoap.org/soap/envelope/"
#define AY_NS_SOAP12 "http://www.w3.org/2003/05/soap-envelope"
/* Of all our own elements; a change that old clients cannot read gets another one. */
#define AY_NS_ASSAY "urn:assay:soap:1"

enum ay_soap_version { AY_SOAP_NONE = 0, AY_SOAP_11, AY_SOAP_12 };

/* What the HTTP headers say of a message. */
struct ay_soap_media {
	enum ay_soap_version version;
	struct ay_bytes action; /* without quotes; empty: not said. Borrows from the header. */
};

/*
 * content_type and soapaction as sent (empty: not sent). text/xml is 1.1,
 * application/soap+xml is 1.2; charset, when given, is utf-8. SOAP_MEDIA.
 */
AY_MUST_USE enum ay_rc ay_soap_media_parse(struct ay_bytes content_type, struct ay_bytes soapaction,
					   struct ay_soap_media *out, struct ay_err *e);
/* The Content-Type of an answer in this version. */
const char *ay_soap_media_type(enum ay_soap_version v);
const char *ay_soap_namespace(enum ay_soap_version v);

struct ay_soap_envelope {
	xmlDocPtr doc;	      /* owned */
	xmlNodePtr operation; /* the one element of Body: in AY_NS_ASSAY, without attributes */
};
AY_MUST_USE enum ay_rc ay_soap_envelope_load(struct ay_bytes text, enum ay_soap_version v,
					     struct ay_soap_envelope *out, struct ay_err *e);
/* Fits AY_CLEANUP; zeroed memory is fine. */
void ay_soap_envelope_free(struct ay_soap_envelope *m);

/* SOAP_ACTION when the action that was said is another one than this operation's. */
AY_MUST_USE enum ay_rc ay_soap_action_check(struct ay_bytes action, const char *operation,
					    struct ay_err *e);

#endif
