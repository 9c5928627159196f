/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSERTION_SAML_BUILD_H
#define AY_ASSERTION_SAML_BUILD_H

/* An assertion being made: saml_issue.c has its frame, saml_attributes.c what it says. */
#include "core/assertion/saml.h"

#include <libxml/tree.h>

/* The first failure sticks. */
struct ay_saml_build {
	xmlDocPtr doc;
	xmlNsPtr saml;
	xmlNodePtr root, statement, signature;
	const struct ay_saml_claims *c; /* of n hosts */
	size_t n;
	const char *xs; /* prefix of XML Schema's types; NULL: values have no type */
	const char *id;
	int64_t now_ms, until_ms;
	bool failed;
};

xmlNodePtr ay_saml_add(struct ay_saml_build *b, xmlNodePtr parent, const char *name,
		       const char *text);
void ay_saml_set(struct ay_saml_build *b, xmlNodePtr n, const char *name, const char *value);
/* One AttributeStatement about this host, as its profile says it. */
void ay_saml_add_statement(struct ay_saml_build *b, const struct ay_saml_claims *c);

#endif
