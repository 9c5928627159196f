/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSERTION_SAML_PARTS_H
#define AY_ASSERTION_SAML_PARTS_H

/* The steps of ay_saml_verify(), in their order. Each refuses with its own codes. */
#include "core/assertion/saml.h"

#include <libxml/tree.h>

struct ay_saml_doc {
	xmlNodePtr root;      /* the one assertion */
	xmlNodePtr signature; /* its direct child */
	const xmlChar *id;    /* of root; never empty */
	bool is_weak; /* SHA-1 somewhere: refused after the signature, unless legacy is allowed */
};

/* rc with code; text goes to e. */
AY_MUST_USE enum ay_rc ay_saml_refuse(struct ay_err *e, enum ay_rc rc, const char *code,
				      const char *where, const char *text);

/* Element helpers: local name and namespace. */
bool ay_saml_is(const xmlNode *n, const char *ns, const char *name);
xmlNodePtr ay_saml_child(const xmlNode *parent, const char *ns, const char *name);
xmlNodePtr ay_saml_next(xmlNodePtr n); /* next element among siblings, n included */
/* An attribute without namespace; NULL = none. Borrowed from the tree. */
const xmlChar *ay_saml_attr(const xmlNode *n, const char *name);

/* One assertion at the root, signed by a direct child, IDs unique, known statements only. */
AY_MUST_USE enum ay_rc ay_saml_check_shape(xmlDocPtr doc, struct ay_saml_doc *out,
					   struct ay_err *e);
/* What is signed is the root, by transforms and algorithms we know. */
AY_MUST_USE enum ay_rc ay_saml_check_reference(struct ay_saml_doc *d, struct ay_err *e);
/* By the pinned certificate, or a key certified by it; KeyInfo must agree. */
AY_MUST_USE enum ay_rc ay_saml_check_signature(const struct ay_saml_doc *d,
					       const struct ay_saml_expect *want, struct ay_err *e);
/* Time, audience, issuer, nonce; then the facts. */
AY_MUST_USE enum ay_rc ay_saml_check_conditions(const struct ay_saml_doc *d,
						const struct ay_saml_expect *want,
						struct ay_arena *arena, struct ay_saml_facts *out,
						struct ay_err *e);

#endif
