/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_SOAP_FAULT_H
#define AY_SOAP_FAULT_H

/*
 * Answers of both versions: a Body around what was made, and faults. The
 * detail of a fault is our own Error (code, field, offset, text), whatever the
 * version; its code is also the Subcode of SOAP 1.2.
 * Spec   [SOAP11 4.4], [SOAP11 6.2], [SOAP12-1 5.4], [SOAP12-2 7.5.2.2]
 */
#include "core/soap/envelope.h"
#include "core/xml/text.h"

struct ay_soap_error {
	const char *code;  /* "HOST_UNKNOWN"; letters, digits and _ */
	const char *field; /* NULL: none */
	bool has_offset;
	uint64_t offset;
	const char *text;
};

void ay_soap_body_open(struct ay_xml_text *t, enum ay_soap_version v);
void ay_soap_body_close(struct ay_xml_text *t);

/* status: of the same refusal by REST. A whole envelope. */
void ay_soap_fault(struct ay_xml_text *t, enum ay_soap_version v, int status,
		   const struct ay_soap_error *error);

/*
 * The HTTP status of an answer that by REST has this one: 200 when it is no
 * failure. What HTTP itself acts on (401 405 413 415 429) stays; other faults
 * are 500 in SOAP 1.1, and in 1.2 400 when the sender is to blame.
 */
int ay_soap_status(enum ay_soap_version v, int status, const char *code);

#endif
