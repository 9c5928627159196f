/* SPDX-License-Identifier: Apache-2.0 */
#include "core/soap/convert.h"

#include "core/base/json.h"
#include "core/base/limits.h"
#include "core/soap/envelope.h"
#include "core/soap/walk.h"
#include "core/xml/names.h"

static const char where[] = "soap.body";

static enum ay_rc read_members(const xmlNode *parent, const struct ay_member *members,
			       const struct ay_schemas *all, json_t **out, struct ay_err *e);

/* ---- one value ---- */

/* The text of an element that has nothing else in it; freed by the caller with xmlFree(). */
static enum ay_rc leaf(const xmlNode *n, xmlChar **out, struct ay_err *e)
{
	*out = NULL;
	if (AY_CHECKED("SOAP_ELEMENT", ay_soap_first(n) != NULL))
		return ay_soap_bad(e, "SOAP_ELEMENT", where, "%.60s has elements in it, not text",
				   (const char *)n->name);
	*out = xmlNodeGetContent(n);
	return *out == NULL ? ay_fail(e, AY_E_NOMEM, where, 0, "out of memory") : AY_OK;
}

/* Blanks around a value that is no free text mean nothing [XSD-2 4.3.6]. */
static struct ay_bytes collapse(const xmlChar *s)
{
	struct ay_bytes b = ay_bytes_of((const char *)s);

	while (b.n > 0 && strchr(" \t\r\n", b.p[0]) != NULL)
		b = (struct ay_bytes){ b.p + 1, b.n - 1 };
	while (b.n > 0 && strchr(" \t\r\n", b.p[b.n - 1]) != NULL)
		b.n--;
	return b;
}

static json_t *text_of(struct ay_bytes b)
{
	return json_stringn((const char *)b.p, b.n);
}

static json_t *truth(struct ay_bytes b)
{
	if (ay_bytes_eq(b, ay_bytes_of("true")) || ay_bytes_eq(b, ay_bytes_of("1")))
		return json_true();
	if (ay_bytes_eq(b, ay_bytes_of("false")) || ay_bytes_eq(b, ay_bytes_of("0")))
		return json_false();
	return NULL;
}

static json_t *number(struct ay_bytes b)
{
	json_int_t v = 0;

	if (b.n == 0 || b.n > 18)
		return NULL;
	for (size_t i = 0; i < b.n; i++) {
		if (b.p[i] < '0' || b.p[i] > '9')
			return NULL;
		v = v * 10 + (b.p[i] - '0');
	}
	return json_integer(v);
}

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/*
 * xs:dateTime as clients write it, in the one form that the rest knows: UTC as
 * Z, and milliseconds. What is neither stays, and is refused later.
 */
static json_t *instant(struct ay_bytes b)
{
	size_t whole = sizeof("2026-11-21T22:05:01") - 1, digits = 0;
	struct ay_bytes zone = { b.p + whole, b.n - whole };
	char text[32] = { 0 };

	if (b.n <= whole)
		return text_of(b);
	memcpy(text, b.p, whole);
	if (zone.p[0] == '.') {
		while (digits + 1 < zone.n && is_digit(zone.p[digits + 1]))
			digits++;
		memcpy(text + whole, ".000", 4);
		memcpy(text + whole + 1, zone.p + 1, digits < 3 ? digits : 3);
		zone = (struct ay_bytes){ zone.p + digits + 1, zone.n - digits - 1 };
	}
	if (!ay_bytes_eq(zone, ay_bytes_of("Z")) && !ay_bytes_eq(zone, ay_bytes_of("+00:00")))
		return text_of(b);
	text[strlen(text)] = 'Z';
	return json_string(text);
}

static enum ay_rc read_document(const xmlChar *s, const char *name, json_t **out, struct ay_err *e)
{
	return ay_json_load(ay_bytes_of((const char *)s), AY_MAX_XML_BYTES, name, out, e);
}

/* What the text of an element stands for; NULL in *out: not one of its type. */
static enum ay_rc read_text(const xmlChar *s, const struct ay_member *m, json_t **out,
			    struct ay_err *e)
{
	switch (m->type) {
	case AY_T_TEXT:
	case AY_T_NAME:
	case AY_T_TEXTS:
		*out = json_string((const char *)s);
		return AY_OK;
	case AY_T_HEX:
	case AY_T_UUID:
		*out = text_of(collapse(s));
		return AY_OK;
	case AY_T_TIME:
		*out = instant(collapse(s));
		return AY_OK;
	case AY_T_BOOL:
		*out = truth(collapse(s));
		return AY_OK;
	case AY_T_UINT:
		*out = number(collapse(s));
		return AY_OK;
	case AY_T_ANY:
		return read_document(s, m->name, out, e);
	case AY_T_MAP:
	case AY_T_REF:
	case AY_T_REFS:
	case AY_T_MAPOF:
		break;
	}
	*out = NULL;
	return AY_OK;
}

static enum ay_rc read_leaf(const xmlNode *n, const struct ay_member *m, json_t **out,
			    struct ay_err *e)
{
	static const char *const what[] = {
		[AY_T_BOOL] = "must be true or false",
		[AY_T_UINT] = "must be a whole number from 0",
	};
	xmlChar *s;
	enum ay_rc rc = leaf(n, &s, e);

	if (rc != AY_OK)
		return rc;
	rc = read_text(s, m, out, e);
	xmlFree(s);
	if (rc == AY_OK && *out == NULL)
		rc = ay_fail(e, AY_E_INPUT, m->name, 0, "%s %s", m->name,
			     m->type < AY_COUNT(what) && what[m->type] != NULL ? what[m->type]
									       : "cannot be given");
	return rc;
}

/* ---- a map ---- */

static enum ay_rc add_entry(json_t *map, const xmlNode *n, const struct ay_schemas *all,
			    struct ay_err *e)
{
	static const struct ay_member entry[] = {
		{ "key", AY_T_TEXT, 0, AY_NEED_REQ, 0, "" },
		{ "value", AY_T_TEXT, 0, AY_NEED_REQ, 0, "" },
		{ NULL, AY_T_ANY, 0, AY_NEED_OPT, 0, NULL },
	};
	AY_CLEANUP(ay_json_unref) json_t *one = NULL;
	enum ay_rc rc = read_members(n, entry, all, &one, e);
	const char *key;

	if (rc != AY_OK)
		return rc;
	key = json_string_value(json_object_get(one, "key"));
	if (key == NULL || json_object_get(one, "value") == NULL)
		return ay_soap_bad(e, "SOAP_ELEMENT", where, "an entry has a key and a value");
	if (AY_CHECKED("SOAP_DUPLICATE", json_object_get(map, key) != NULL))
		return ay_soap_bad(e, "SOAP_DUPLICATE", where, "the key %.60s stands there twice",
				   key);
	return json_object_set(map, key, json_object_get(one, "value")) == 0
		       ? AY_OK
		       : ay_fail(e, AY_E_NOMEM, where, 0, "out of memory");
}

static enum ay_rc read_map(const xmlNode *n, const struct ay_schemas *all, json_t **out,
			   struct ay_err *e)
{
	enum ay_rc rc = ay_soap_no_text(n, where, e);
	json_t *map = json_object();

	for (const xmlNode *c = ay_soap_first(n); rc == AY_OK && c != NULL; c = ay_soap_next(c)) {
		if (!ay_soap_is(c, AY_NS_ASSAY, "entry"))
			rc = ay_soap_bad(e, "SOAP_ELEMENT", where,
					 "%.60s has entry in it, not %.60s", (const char *)n->name,
					 (const char *)c->name);
		if (rc == AY_OK)
			rc = ay_soap_no_attributes(c, where, e);
		if (rc == AY_OK)
			rc = add_entry(map, c, all, e);
	}
	if (rc == AY_OK)
		*out = map;
	else
		json_decref(map);
	return rc;
}

/* ---- members ---- */

static bool may_repeat(const struct ay_member *m)
{
	return m->type == AY_T_TEXTS || m->type == AY_T_REFS;
}

static enum ay_rc read_value(const xmlNode *n, const struct ay_member *m,
			     const struct ay_schemas *all, json_t **out, struct ay_err *e)
{
	if (m->type == AY_T_MAP)
		return read_map(n, all, out, e);
	if ((m->type == AY_T_REF || m->type == AY_T_REFS) && m->ref < all->n &&
	    all->row[m->ref].members != NULL)
		return read_members(n, all->row[m->ref].members, all, out, e);
	return read_leaf(n, m, out, e);
}

/* Put it in; takes value. */
static enum ay_rc add(json_t *to, const struct ay_member *m, json_t *value, struct ay_err *e)
{
	json_t *list;

	if (!may_repeat(m))
		return json_object_set_new(to, m->name, value) == 0
			       ? AY_OK
			       : ay_fail(e, AY_E_NOMEM, where, 0, "out of memory");
	list = json_object_get(to, m->name);
	if (list == NULL) {
		list = json_array();
		if (json_object_set_new(to, m->name, list) != 0)
			list = NULL;
	}
	if (json_array_append_new(list, value) != 0)
		return ay_fail(e, AY_E_NOMEM, where, 0, "out of memory");
	return AY_OK;
}

/* Which member an element is: at or behind *at, in the order of the rows. */
static enum ay_rc find(const xmlNode *n, const struct ay_member *members, size_t *at, bool is_first,
		       struct ay_err *e)
{
	const char *name = (const char *)n->name;
	size_t i = 0;

	if (AY_CHECKED("SOAP_NAMESPACE",
		       n->ns == NULL || !xmlStrEqual(n->ns->href, ay_x(AY_NS_ASSAY))))
		return ay_soap_bad(e, "SOAP_NAMESPACE", where,
				   "%.60s is not in the namespace " AY_NS_ASSAY, name);
	while (members[i].name != NULL && strcmp(members[i].name, name) != 0)
		i++;
	if (members[i].name == NULL)
		return ay_soap_bad(e, "SOAP_ELEMENT", where, "unknown element %.60s", name);
	if (AY_CHECKED("SOAP_DUPLICATE", !is_first && i == *at && !may_repeat(&members[i])))
		return ay_soap_bad(e, "SOAP_DUPLICATE", where, "%.60s stands there twice", name);
	if (AY_CHECKED("SOAP_ORDER", i < *at))
		return ay_soap_bad(e, "SOAP_ORDER", where, "%.60s stands behind %.60s: see the XSD",
				   name, members[*at].name);
	*at = i;
	return AY_OK;
}

static enum ay_rc read_into(json_t *to, const xmlNode *parent, const struct ay_member *members,
			    const struct ay_schemas *all, struct ay_err *e)
{
	enum ay_rc rc = ay_soap_no_text(parent, where, e);
	bool is_first = true;
	size_t at = 0;

	for (const xmlNode *n = ay_soap_first(parent); rc == AY_OK && n != NULL;
	     n = ay_soap_next(n), is_first = false) {
		json_t *value = NULL;

		rc = find(n, members, &at, is_first, e);
		if (rc == AY_OK)
			rc = ay_soap_no_attributes(n, where, e);
		if (rc == AY_OK)
			rc = read_value(n, &members[at], all, &value, e);
		if (rc == AY_OK)
			rc = add(to, &members[at], value, e);
	}
	return rc;
}

static enum ay_rc read_members(const xmlNode *parent, const struct ay_member *members,
			       const struct ay_schemas *all, json_t **out, struct ay_err *e)
{
	json_t *to = json_object();
	enum ay_rc rc = read_into(to, parent, members, all, e);

	if (rc == AY_OK)
		*out = to;
	else
		json_decref(to);
	return rc;
}

enum ay_rc ay_soap_to_json(const xmlNode *parent, const struct ay_member *members,
			   const struct ay_schemas *all, json_t **out, struct ay_err *e)
{
	*out = NULL;
	return read_members(parent, members, all, out, e);
}
