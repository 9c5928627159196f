/* SPDX-License-Identifier: Apache-2.0 */
#include "core/vim/answer.h"

#include "core/xml/names.h"

#include <stdio.h>
#include <string.h>

#define NS_SOAP "http://schemas.xmlsoap.org/soap/envelope/"
#define NS_VIM "urn:vim25"

/* ---- elements ---- */

static bool is_named(const xmlNode *n, const char *name)
{
	return n->type == XML_ELEMENT_NODE && xmlStrEqual(n->name, ay_x(name));
}

static bool is_of(const xmlNode *n, const char *space, const char *name)
{
	return is_named(n, name) && n->ns != NULL && xmlStrEqual(n->ns->href, ay_x(space));
}

const xmlNode *ay_vim_child(const xmlNode *n, const char *name)
{
	for (const xmlNode *c = n == NULL ? NULL : n->children; c != NULL; c = c->next)
		if (is_named(c, name))
			return c;
	return NULL;
}

const xmlNode *ay_vim_like(const xmlNode *n)
{
	for (const xmlNode *c = n->next; c != NULL; c = c->next)
		if (is_named(c, (const char *)n->name))
			return c;
	return NULL;
}

bool ay_vim_text(const xmlNode *n, char *out, size_t room)
{
	size_t at = 0;

	out[0] = '\0';
	for (const xmlNode *c = n == NULL ? NULL : n->children; c != NULL; c = c->next) {
		size_t len = c->content == NULL ? 0 : strlen((const char *)c->content);

		if ((c->type != XML_TEXT_NODE && c->type != XML_CDATA_SECTION_NODE) ||
		    len >= room - at) {
			out[0] = '\0';
			return false;
		}
		memcpy(out + at, c->content, len);
		at += len;
		out[at] = '\0';
	}
	return at > 0;
}

bool ay_vim_type(const xmlNode *n, char *out, size_t room)
{
	xmlChar *type = xmlGetNsProp(n, ay_x("type"), ay_x(AY_NS_XSI));
	const char *s = (const char *)type, *colon = s == NULL ? NULL : strrchr(s, ':');
	int len = s == NULL ? 0 : snprintf(out, room, "%s", colon == NULL ? s : colon + 1);

	xmlFree(type);
	if (len <= 0 || (size_t)len >= room)
		out[0] = '\0';
	return out[0] != '\0' && len > 0;
}

static enum ay_rc no_answer(struct ay_err *e, const char *what)
{
	return ay_fail_code(e, AY_E_INPUT, "MANAGER_ANSWER", "manager",
			    "the manager's answer has no %s", what);
}

/* ---- envelope ---- */

/* What the detail of a fault is called: NotAuthenticatedFault, InvalidLogin ... */
static enum ay_rc fault(const xmlNode *f, struct ay_err *e)
{
	static const struct {
		const char *fault, *code;
		enum ay_rc rc;
	} known[] = {
		{ "NotAuthenticated", "MANAGER_SESSION", AY_E_UNAVAIL },
		{ "InvalidLogin", "MANAGER_LOGIN", AY_E_UNAVAIL },
		{ "ManagedObjectNotFound", "MANAGER_GONE", AY_E_NOENT },
	};
	const xmlNode *detail = ay_vim_child(f, "detail");
	char name[80] = "", text[120] = "";

	for (const xmlNode *c = detail == NULL ? NULL : detail->children; c != NULL; c = c->next)
		if (c->type == XML_ELEMENT_NODE) {
			if (!ay_vim_type(c, name, sizeof(name)))
				snprintf(name, sizeof(name), "%s", (const char *)c->name);
			break;
		}
	(void)!ay_vim_text(ay_vim_child(f, "faultstring"), text, sizeof(text));
	for (size_t i = 0; i < AY_COUNT(known); i++)
		if (strncmp(name, known[i].fault, strlen(known[i].fault)) == 0)
			return ay_fail_code(e, known[i].rc, known[i].code, "manager",
					    "the manager answers %.60s", name);
	return ay_fail_code(e, AY_E_UNAVAIL, "MANAGER_FAULT", "manager",
			    "the manager answers %.40s %.60s", name, text);
}

static enum ay_rc open_body(struct ay_vim_answer *a, const char *operation, struct ay_err *e)
{
	const xmlNode *root = xmlDocGetRootElement(a->doc), *body, *first;
	char want[96];

	snprintf(want, sizeof(want), "%sResponse", operation);
	if (root == NULL || !is_of(root, NS_SOAP, "Envelope"))
		return no_answer(e, "SOAP envelope");
	body = ay_vim_child(root, "Body");
	for (first = body == NULL ? NULL : body->children;
	     first != NULL && first->type != XML_ELEMENT_NODE; first = first->next)
		;
	if (first == NULL)
		return no_answer(e, "SOAP body");
	if (is_of(first, NS_SOAP, "Fault"))
		return fault(first, e);
	if (AY_CHECKED("VIM_OPERATION", !is_of(first, NS_VIM, want)))
		return no_answer(e, want);
	a->body = first;
	return AY_OK;
}

enum ay_rc ay_vim_answer_open(struct ay_bytes text, const char *operation,
			      struct ay_vim_answer *out, struct ay_err *e)
{
	struct ay_vim_answer a = { NULL, NULL };
	enum ay_rc rc = ay_xml_load(text, &a.doc, e);

	if (rc == AY_OK)
		rc = open_body(&a, operation, e);
	if (rc != AY_OK)
		ay_vim_answer_free(&a);
	*out = a;
	return rc;
}

void ay_vim_answer_free(struct ay_vim_answer *a)
{
	if (a->doc != NULL)
		xmlFreeDoc(a->doc);
	*a = (struct ay_vim_answer){ NULL, NULL };
}

/* ---- single answers ---- */

static enum ay_rc take(const xmlNode *from, const char *name, char *out, size_t room,
		       struct ay_err *e)
{
	return ay_vim_text(ay_vim_child(from, name), out, room) ? AY_OK : no_answer(e, name);
}

enum ay_rc ay_vim_content_parse(struct ay_bytes text, struct ay_vim_content *out, struct ay_err *e)
{
	AY_CLEANUP(ay_vim_answer_free) struct ay_vim_answer a;
	struct ay_vim_content c = { { 0 }, { 0 }, { 0 }, { 0 }, { 0 } };
	const xmlNode *v;
	enum ay_rc rc = ay_vim_answer_open(text, "RetrieveServiceContent", &a, e);

	memset(out, 0, sizeof(*out));
	if (rc != AY_OK)
		return rc;
	v = ay_vim_child(a.body, "returnval");
	rc = take(ay_vim_child(v, "about"), "apiVersion", c.api_version, sizeof(c.api_version), e);
	if (rc == AY_OK)
		rc = take(v, "rootFolder", c.root, sizeof(c.root), e);
	if (rc == AY_OK)
		rc = take(v, "propertyCollector", c.collector, sizeof(c.collector), e);
	if (rc == AY_OK)
		rc = take(v, "viewManager", c.views, sizeof(c.views), e);
	if (rc == AY_OK)
		rc = take(v, "sessionManager", c.sessions, sizeof(c.sessions), e);
	if (rc == AY_OK)
		*out = c;
	return rc;
}

enum ay_rc ay_vim_view_parse(struct ay_bytes text, char out[AY_VIM_ID], struct ay_err *e)
{
	AY_CLEANUP(ay_vim_answer_free) struct ay_vim_answer a;
	enum ay_rc rc = ay_vim_answer_open(text, "CreateContainerView", &a, e);

	out[0] = '\0';
	return rc == AY_OK ? take(a.body, "returnval", out, AY_VIM_ID, e) : rc;
}

enum ay_rc ay_vim_login_parse(struct ay_bytes text, struct ay_err *e)
{
	AY_CLEANUP(ay_vim_answer_free) struct ay_vim_answer a;

	return ay_vim_answer_open(text, "Login", &a, e);
}

/* ---- objects ---- */

static enum ay_rc each_object(const xmlNode *v, ay_vim_object_fn *fn, void *arg, struct ay_err *e)
{
	char id[AY_VIM_ID];

	for (const xmlNode *o = ay_vim_child(v, "objects"); o != NULL; o = ay_vim_like(o)) {
		const xmlNode *obj = ay_vim_child(o, "obj");
		xmlChar *type = obj == NULL ? NULL : xmlGetNoNsProp(obj, ay_x("type"));
		struct ay_vim_object object = { (const char *)type, id, o };
		bool ok = type != NULL && ay_vim_text(obj, id, sizeof(id));

		if (ok)
			fn(arg, &object);
		xmlFree(type);
		if (!ok)
			return no_answer(e, "object reference");
	}
	return AY_OK;
}

enum ay_rc ay_vim_objects_parse(struct ay_bytes text, const char *operation, ay_vim_object_fn *fn,
				void *arg, char token[AY_VIM_ID], struct ay_err *e)
{
	AY_CLEANUP(ay_vim_answer_free) struct ay_vim_answer a;
	const xmlNode *v, *t;
	enum ay_rc rc = ay_vim_answer_open(text, operation, &a, e);

	token[0] = '\0';
	if (rc != AY_OK)
		return rc;
	v = ay_vim_child(a.body, "returnval"); /* none: nothing was found */
	t = ay_vim_child(v, "token");
	if (t != NULL && !ay_vim_text(t, token, AY_VIM_ID))
		return no_answer(e, "token");
	return each_object(v, fn, arg, e);
}

const xmlNode *ay_vim_property(const struct ay_vim_object *o, const char *path)
{
	char name[96];

	for (const xmlNode *p = ay_vim_child(o->element, "propSet"); p != NULL; p = ay_vim_like(p))
		if (ay_vim_text(ay_vim_child(p, "name"), name, sizeof(name)) &&
		    strcmp(name, path) == 0)
			return ay_vim_child(p, "val");
	return NULL;
}
