/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_VIM_ANSWER_H
#define AY_VIM_ANSWER_H

/*
 * Answers of the VIM SOAP API (urn:vim25), as a vCenter or an ESXi host gives
 * them. Pure; everything is untrusted: it goes through ay_xml_load(), whose
 * limits hold, and elements are found by their local names.
 */
#include "core/base/err.h"
#include "core/xml/load.h"

/* An answer that was opened; ay_vim_answer_free(). */
struct ay_vim_answer {
	xmlDocPtr doc;
	const xmlNode *body; /* the element OPERATIONResponse */
};
/*
 * Codes: MANAGER_SESSION (not logged in any more), MANAGER_LOGIN (name or
 * password is wrong), MANAGER_GONE (no such object), MANAGER_FAULT with the
 * fault's name, MANAGER_ANSWER and those of ay_xml_load(): no such answer.
 */
AY_MUST_USE enum ay_rc ay_vim_answer_open(struct ay_bytes text, const char *operation,
					  struct ay_vim_answer *out, struct ay_err *e);
void ay_vim_answer_free(struct ay_vim_answer *a); /* fits AY_CLEANUP; zeroed is fine */

/* First child of that local name, or the next one like n; NULL: none. */
const xmlNode *ay_vim_child(const xmlNode *n, const char *name);
const xmlNode *ay_vim_like(const xmlNode *n);
/* Its text, at most room - 1 octets and no NUL; false: it has none, or is longer. */
AY_MUST_USE bool ay_vim_text(const xmlNode *n, char *out, size_t room);
/* xsi:type without prefix; false as above. */
AY_MUST_USE bool ay_vim_type(const xmlNode *n, char *out, size_t room);

#define AY_VIM_ID 256 /* a managed object's id */

struct ay_vim_content {
	char api_version[16];
	char root[AY_VIM_ID], collector[AY_VIM_ID], views[AY_VIM_ID], sessions[AY_VIM_ID];
};
/* RetrieveServiceContentResponse */
AY_MUST_USE enum ay_rc ay_vim_content_parse(struct ay_bytes text, struct ay_vim_content *out,
					    struct ay_err *e);
/* CreateContainerViewResponse: its id. */
AY_MUST_USE enum ay_rc ay_vim_view_parse(struct ay_bytes text, char out[AY_VIM_ID],
					 struct ay_err *e);
/* LoginResponse: nothing of it is wanted but that it is one. */
AY_MUST_USE enum ay_rc ay_vim_login_parse(struct ay_bytes text, struct ay_err *e);

/* One object of a property collector's answer; strings live until the callback returns. */
struct ay_vim_object {
	const char *type, *id;
	const xmlNode *element;
};
typedef void ay_vim_object_fn(void *arg, const struct ay_vim_object *o);
/*
 * RetrievePropertiesExResponse and ContinueRetrievePropertiesExResponse
 * (operation says which): every object, and the token of the rest, "" at the end.
 */
AY_MUST_USE enum ay_rc ay_vim_objects_parse(struct ay_bytes text, const char *operation,
					    ay_vim_object_fn *fn, void *arg, char token[AY_VIM_ID],
					    struct ay_err *e);
/* Value of a property; NULL: it is not there. */
const xmlNode *ay_vim_property(const struct ay_vim_object *o, const char *path);

#endif
