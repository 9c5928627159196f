/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FAMILY_FAMILY_H
#define AY_ASSAYD_FAMILY_FAMILY_H

/*
 * What the dialects of the Mt. Wilson family share: how they tell an error,
 * which form of an answer a client wants, bodies in JSON, XML and YAML.
 */
#include "prog/assayd/api/call.h"

/* ---- errors ---- */

/* The answer to a failure in the dialect of c; ends the call. header may be NULL. */
void ay_family_problem(struct ay_api_call *c, int status, const struct ay_err *e,
		       const char *header, const char *value);
/* What errors.def says of a failure; number is that of the dialect. */
struct ay_family_error {
	int status, number;
};
struct ay_family_error ay_family_error_of(enum ay_dialect d, const struct ay_err *e);

/* ---- which form ---- */

enum ay_media {
	AY_MEDIA_NONE = 0, /* none of those that are offered */
	AY_MEDIA_JSON,
	AY_MEDIA_XML,
	AY_MEDIA_YAML,
	AY_MEDIA_SAML, /* application/samlassertion+xml */
	AY_MEDIA_TEXT,
	AY_MEDIA_PEM, /* application/x-pem-file */
	AY_MEDIA_DER, /* application/pkix-cert, application/octet-stream */
	AY_MEDIAS
};
#define AY_MEDIA_BIT(m) (1u << (m))
#define AY_MEDIA_DOCUMENTS                                                                         \
	(AY_MEDIA_BIT(AY_MEDIA_JSON) | AY_MEDIA_BIT(AY_MEDIA_XML) | AY_MEDIA_BIT(AY_MEDIA_YAML))
const char *ay_media_type(enum ay_media m); /* "application/json" */
/*
 * The form that Accept likes best among offered (AY_MEDIA_BIT()s); the order of
 * enum ay_media decides between equals, and otherwise is for a client that
 * says nothing or anything. Pure; text is from outside.
 */
enum ay_media ay_media_choose(struct ay_bytes accept, unsigned offered, enum ay_media otherwise);
/* As choose, but the path's suffix (.json, .xml) comes first. */
enum ay_media ay_family_media(const struct ay_api_call *c, unsigned offered,
			      enum ay_media otherwise);

/* ---- answers; each ends the call ---- */

/*
 * A document in JSON, XML or YAML, as the client wants it; root is the name of
 * the XML element. Takes doc; NULL: 503.
 */
void ay_family_document(struct ay_api_call *c, int status, const char *root, json_t *doc);
/* "True" in OAT1, "true" elsewhere: a change is done. */
void ay_family_done(struct ay_api_call *c);
/* text/plain */
void ay_family_text(struct ay_api_call *c, int status, const char *text);

/* ---- documents (pure) ---- */

/*
 * XML of a document: members are elements, null is an empty one; an array
 * "hosts" is <hosts> with one <host> per item. Names that XML cannot have are
 * passed over. The caller's (free); NULL without memory.
 */
char *ay_xml_of_json(const char *root, const json_t *doc);
/* YAML 1.2, block style; texts are double-quoted. The caller's (free); NULL without memory. */
char *ay_yaml_of_json(const json_t *doc);
/* Text as XML content: &<>" escaped, what XML 1.0 cannot hold as U+FFFD. False without memory. */
AY_MUST_USE bool ay_xml_text(FILE *f, struct ay_bytes text);

/* ---- handlers; one may stand in several rows ---- */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wredundant-decls"
#define X(method, path, perm, handler, query, request, response, doc)                              \
	ay_api_handler ay_oat_##handler;
#include "prog/assayd/family/oat_routes.def"
#undef X
#define X(method, path, perm, handler, query, request, response, doc)                              \
	ay_api_handler ay_mtw_##handler;
#include "prog/assayd/family/mtw_routes.def"
#undef X
#define X(method, path, perm, handler, query, request, response, doc)                              \
	ay_api_handler ay_cit_##handler;
#include "prog/assayd/family/cit_routes.def"
#undef X
#define X(method, path, perm, handler, query, request, response, doc)                              \
	ay_api_handler ay_hvs_##handler;
#include "prog/assayd/family/hvs_routes.def"
#undef X

#pragma GCC diagnostic pop

#endif
