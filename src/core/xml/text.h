/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_XML_TEXT_H
#define AY_XML_TEXT_H

/*
 * XML that we write: text that grows, with a limit. The first failure sticks
 * and is told at the end. Names of elements are ours; what comes from outside
 * goes in by ay_xt_escape() alone.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

#include <libxml/tree.h>

struct ay_xml_text {
	xmlBufferPtr buffer;
	bool failed;
};

void ay_xt_init(struct ay_xml_text *t);
/* Fits AY_CLEANUP. */
void ay_xt_fini(struct ay_xml_text *t);

void ay_xt_put(struct ay_xml_text *t, const char *markup); /* as it is */
void ay_xt_put_bytes(struct ay_xml_text *t, struct ay_bytes markup);
/* UTF-8 text, in an element or a quoted attribute; what XML 1.0 cannot hold becomes U+FFFD. */
void ay_xt_escape(struct ay_xml_text *t, struct ay_bytes text);
void ay_xt_format(struct ay_xml_text *t, const char *fmt, ...) AY_PRINTF(2, 3); /* at most 500 */
void ay_xt_open(struct ay_xml_text *t, const char *name);
void ay_xt_close(struct ay_xml_text *t, const char *name);
/* An element with text in it. */
void ay_xt_element(struct ay_xml_text *t, const char *name, struct ay_bytes text);

/* The text, borrowed from t; AY_E_NOMEM, or AY_E_LIMIT above AY_MAX_XML_OUT. */
AY_MUST_USE enum ay_rc ay_xt_end(const struct ay_xml_text *t, struct ay_bytes *out,
				 struct ay_err *e);

#endif
