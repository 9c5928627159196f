/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_SOAP_WALK_H
#define AY_SOAP_WALK_H

/* Going through a loaded message strictly. For core/soap alone. */
#include "core/base/err.h"

#include <libxml/tree.h>

/* The first (next) child element; NULL: none. */
xmlNodePtr ay_soap_first(const xmlNode *parent);
xmlNodePtr ay_soap_next(const xmlNode *node);

bool ay_soap_is(const xmlNode *n, const char *ns, const char *name);
/* SOAP_TEXT when something other than blanks stands between the child elements. */
AY_MUST_USE enum ay_rc ay_soap_no_text(const xmlNode *n, const char *where, struct ay_err *e);
/* SOAP_ATTRIBUTE when the element has any. */
AY_MUST_USE enum ay_rc ay_soap_no_attributes(const xmlNode *n, const char *where, struct ay_err *e);

AY_MUST_USE enum ay_rc ay_soap_bad(struct ay_err *e, const char *code, const char *where,
				   const char *fmt, ...) AY_PRINTF(4, 5);

#endif
