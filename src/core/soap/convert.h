/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_SOAP_CONVERT_H
#define AY_SOAP_CONVERT_H

/*
 * Between the JSON that handlers speak and XML, by the rows of a schema:
 *
 *   text, number, truth, time, hex   one element with that text
 *   null                             no element
 *   TEXTS, REFS, items of a list     the element, as often as there are
 *   MAP, MAPOF                       <entry><key/><value/></entry> in the element
 *   ANY                              JSON text in the element
 *
 * Elements stand in the order of the rows, in AY_NS_ASSAY, without attributes.
 */
#include "core/base/schema.h"
#include "core/xml/text.h"

#include <jansson.h>

/*
 * The children of an element as a JSON object with these members (ends with
 * name NULL). A value that is not of its type is AY_E_INPUT with the member's
 * name as e->where; other things wrong have a code: SOAP_NAMESPACE
 * SOAP_ELEMENT (unknown, or one where text belongs) SOAP_ORDER SOAP_DUPLICATE
 * SOAP_TEXT SOAP_ATTRIBUTE. What is missing is for the reader's caller to
 * notice. Sizes and characters are checked by whoever checks the JSON.
 */
AY_MUST_USE enum ay_rc ay_soap_to_json(const xmlNode *parent, const struct ay_member *members,
				       const struct ay_schemas *all, json_t **out,
				       struct ay_err *e);

/*
 * Write the members of an object, or the items of a list, as elements; what
 * the schema does not name is left out. keep: only the members of these names
 * (commas between), "" or NULL: all.
 */
void ay_soap_from_json(struct ay_xml_text *t, const json_t *value, const struct ay_schema *schema,
		       const struct ay_schemas *all, const char *keep);

/* One member, as in there; nothing for NULL and null. */
void ay_soap_put_member(struct ay_xml_text *t, const json_t *value, const struct ay_member *m,
			const struct ay_schemas *all);

/* Is name one of these, with commas between? */
bool ay_soap_named(const char *names, const char *name);

#endif
