/* SPDX-License-Identifier: Apache-2.0 */
#include "core/soap/operation.h"

#include "core/soap/convert.h"
#include "core/xml/names.h"

static void put_doc(struct ay_xml_text *t, const char *doc)
{
	ay_xt_put(t, "<xs:annotation><xs:documentation>");
	ay_xt_escape(t, ay_bytes_of(doc));
	ay_xt_put(t, "</xs:documentation></xs:annotation>");
}

/* ---- members ---- */

/* The type of a value that is one text. */
static const char *simple_type(const struct ay_member *m)
{
	switch (m->type) {
	case AY_T_HEX:
		return "a:Hex";
	case AY_T_UUID:
		return "a:Uuid";
	case AY_T_TIME:
		return "xs:dateTime";
	case AY_T_BOOL:
		return "xs:boolean";
	case AY_T_UINT:
		return "xs:unsignedLong";
	case AY_T_MAP:
		return "a:Map";
	case AY_T_ANY:
		return "a:Json";
	case AY_T_TEXT:
	case AY_T_NAME:
	case AY_T_TEXTS:
	case AY_T_REF:
	case AY_T_REFS:
	case AY_T_MAPOF:
		break;
	}
	return "xs:string";
}

static void put_type(struct ay_xml_text *t, const struct ay_member *m, const struct ay_schemas *all)
{
	bool refers = m->ref > 0 && m->ref < all->n;

	if (m->type == AY_T_MAPOF && refers)
		ay_xt_format(t, " type=\"a:%sByName\"", all->row[m->ref].name);
	else if (refers)
		ay_xt_format(t, " type=\"a:%s\"", all->row[m->ref].name);
	else
		ay_xt_format(t, " type=\"%s\"", simple_type(m));
}

/* Answers may have what the rows call required and null: no element stands for null. */
static void put_member(struct ay_xml_text *t, const struct ay_member *m,
		       const struct ay_schemas *all)
{
	bool many = m->type == AY_T_TEXTS || m->type == AY_T_REFS;

	ay_xt_format(t, "<xs:element name=\"%s\"", m->name);
	put_type(t, m, all);
	if (many || m->need != AY_NEED_REQ)
		ay_xt_put(t, " minOccurs=\"0\"");
	if (many)
		ay_xt_put(t, " maxOccurs=\"unbounded\"");
	ay_xt_put(t, ">");
	put_doc(t, m->doc);
	ay_xt_put(t, "</xs:element>\n");
}

static void put_members(struct ay_xml_text *t, const struct ay_member *members, const char *keep,
			const struct ay_schemas *all)
{
	ay_xt_put(t, "<xs:sequence>\n");
	for (const struct ay_member *m = members; m->name != NULL; m++)
		if (keep[0] == '\0' || ay_soap_named(keep, m->name))
			put_member(t, m, all);
	ay_xt_put(t, "</xs:sequence>");
}

static void put_items(struct ay_xml_text *t, const struct ay_schema *s,
		      const struct ay_schemas *all)
{
	const struct ay_member members[] = {
		{ "items", AY_T_REFS, s->item, AY_NEED_REQ, 0, "one each" },
		{ "next", AY_T_TEXT, 0, AY_NEED_NUL, 0, "cursor of the next page; none: the end" },
		{ NULL, AY_T_ANY, 0, AY_NEED_OPT, 0, NULL },
	};

	put_members(t, members, "", all);
}

/* ---- types ---- */

static bool is_by_name(const struct ay_schemas *all, unsigned id)
{
	for (size_t i = 1; i < all->n; i++)
		for (const struct ay_member *m = all->row[i].members; m != NULL && m->name != NULL;
		     m++)
			if (m->type == AY_T_MAPOF && m->ref == id)
				return true;
	return false;
}

static void put_by_name(struct ay_xml_text *t, const char *name)
{
	ay_xt_format(t,
		     "<xs:complexType name=\"%sByName\"><xs:sequence>"
		     "<xs:element name=\"entry\" minOccurs=\"0\" maxOccurs=\"unbounded\">",
		     name);
	ay_xt_format(t,
		     "<xs:complexType><xs:sequence><xs:element name=\"key\" type=\"xs:string\"/>"
		     "<xs:element name=\"value\" type=\"a:%s\"/></xs:sequence></xs:complexType>"
		     "</xs:element></xs:sequence></xs:complexType>\n",
		     name);
}

static void put_schema(struct ay_xml_text *t, const struct ay_schemas *all, unsigned id)
{
	const struct ay_schema *s = &all->row[id];

	if (s->kind == AY_SCHEMA_PLAIN || s->name == NULL)
		return;
	ay_xt_format(t, "<xs:complexType name=\"%s\">", s->name);
	put_doc(t, s->doc);
	if (s->kind == AY_SCHEMA_LIST)
		put_items(t, s, all);
	else
		put_members(t, s->members, "", all);
	ay_xt_put(t, "</xs:complexType>\n");
	if (is_by_name(all, id))
		put_by_name(t, s->name);
}

/* Types that no row of the schemas stands for. */
static void put_own_types(struct ay_xml_text *t)
{
	ay_xt_put(t, "<xs:simpleType name=\"Hex\"><xs:restriction base=\"xs:token\">"
		     "<xs:pattern value=\"([0-9a-fA-F]{2})*\"/></xs:restriction></xs:simpleType>\n"
		     "<xs:simpleType name=\"Uuid\"><xs:restriction base=\"xs:token\"><xs:pattern "
		     "value=\"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\"/>"
		     "</xs:restriction></xs:simpleType>\n"
		     "<xs:simpleType name=\"Json\"><xs:annotation><xs:documentation>A JSON text: "
		     "what has no fixed shape</xs:documentation></xs:annotation>"
		     "<xs:restriction base=\"xs:string\"/></xs:simpleType>\n");
	ay_xt_put(t,
		  "<xs:complexType name=\"Map\"><xs:sequence><xs:element name=\"entry\" "
		  "minOccurs=\"0\" maxOccurs=\"unbounded\"><xs:complexType><xs:sequence>"
		  "<xs:element name=\"key\" type=\"xs:string\"/>"
		  "<xs:element name=\"value\" type=\"xs:string\"/>"
		  "</xs:sequence></xs:complexType></xs:element></xs:sequence></xs:complexType>\n");
	ay_xt_put(t, "<xs:complexType name=\"Content\"><xs:annotation><xs:documentation>XML, text "
		     "or octets</xs:documentation></xs:annotation><xs:sequence>"
		     "<xs:element name=\"mediaType\" type=\"xs:string\"/><xs:choice>"
		     "<xs:element name=\"xml\"><xs:complexType><xs:sequence><xs:any "
		     "namespace=\"##other\" processContents=\"skip\"/></xs:sequence>"
		     "</xs:complexType></xs:element>"
		     "<xs:element name=\"text\" type=\"xs:string\"/>"
		     "<xs:element name=\"data\" type=\"xs:base64Binary\"/>"
		     "</xs:choice></xs:sequence></xs:complexType>\n");
}

/* ---- elements of operations ---- */

static void put_result(struct ay_xml_text *t, const struct ay_soap_op *op,
		       const struct ay_schemas *all)
{
	const struct ay_schema *s = &all->row[op->result];
	bool may_wait = (op->answers & (AY_SOAP_LATER | AY_SOAP_APPROVAL)) != 0;
	const char *min = may_wait ? " minOccurs=\"0\"" : "";

	if (s->kind == AY_SCHEMA_PLAIN) {
		ay_xt_format(t, "<xs:element name=\"result\" type=\"a:Content\"%s/>\n", min);
	} else if (op->keep[0] == '\0') {
		ay_xt_format(t, "<xs:element name=\"result\" type=\"a:%s\"%s/>\n", s->name, min);
	} else {
		ay_xt_format(t, "<xs:element name=\"result\"%s><xs:complexType>", min);
		put_members(t, s->members, op->keep, all);
		ay_xt_put(t, "</xs:complexType></xs:element>\n");
	}
}

static void put_response(struct ay_xml_text *t, const struct ay_soap_op *op,
			 const struct ay_soap_shapes *s)
{
	bool may_wait = (op->answers & (AY_SOAP_LATER | AY_SOAP_APPROVAL)) != 0;

	ay_xt_format(t, "<xs:element name=\"%sResponse\"><xs:complexType><xs:sequence>", op->name);
	if (op->result != 0)
		put_result(t, op, &s->all);
	if ((op->answers & AY_SOAP_DOCUMENT) != 0)
		ay_xt_format(t, "<xs:element name=\"document\" type=\"a:Json\"%s/>\n",
			     may_wait ? " minOccurs=\"0\"" : "");
	if ((op->answers & AY_SOAP_LATER) != 0)
		ay_xt_put(t, "<xs:element name=\"location\" type=\"xs:string\" "
			     "minOccurs=\"0\"/>\n");
	if ((op->answers & AY_SOAP_APPROVAL) != 0)
		ay_xt_format(t, "<xs:element name=\"approval\" type=\"a:%s\" minOccurs=\"0\"/>\n",
			     s->all.row[s->approval].name);
	ay_xt_put(t, "</xs:sequence></xs:complexType></xs:element>\n");
}

static void put_operation(struct ay_xml_text *t, const struct ay_soap_op *op,
			  const struct ay_soap_shapes *s)
{
	ay_xt_format(t, "<xs:element name=\"%s\"><xs:complexType>", op->name);
	put_members(t, op->in, "", &s->all);
	ay_xt_put(t, "</xs:complexType></xs:element>\n");
	put_response(t, op, s);
}

void ay_soap_xsd(struct ay_xml_text *t, const struct ay_soap_op *ops, size_t n,
		 const struct ay_soap_shapes *s)
{
	ay_xt_put(t, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xs:schema xmlns:xs=\"" AY_NS_XS
		     "\" xmlns:a=\"" AY_NS_ASSAY "\" targetNamespace=\"" AY_NS_ASSAY
		     "\" elementFormDefault=\"qualified\">\n");
	put_own_types(t);
	for (unsigned i = 1; i < s->all.n; i++)
		put_schema(t, &s->all, i);
	for (size_t i = 0; i < n; i++)
		put_operation(t, &ops[i], s);
	ay_xt_format(t, "<xs:element name=\"error\" type=\"a:%s\"/>\n</xs:schema>\n",
		     s->all.row[s->error].name);
}
