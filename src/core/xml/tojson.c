/* SPDX-License-Identifier: Apache-2.0 */
#include "core/xml/tojson.h"

#include "core/xml/load.h"

static json_t *value_of(const xmlNode *node);

/* A second one of a name makes an array of both. Takes v. */
static bool add(json_t *o, const char *name, json_t *v)
{
	json_t *before = json_object_get(o, name), *both;

	if (v == NULL)
		return false;
	if (before == NULL)
		return json_object_set_new(o, name, v) == 0;
	if (json_is_array(before))
		return json_array_append_new(before, v) == 0;
	both = json_pack("[O, o]", before, v);
	return json_object_set_new(o, name, both) == 0;
}

static json_t *object_of(const xmlNode *node)
{
	json_t *o = json_object();

	for (const xmlNode *n = node->children; o != NULL && n != NULL; n = n->next)
		if (n->type == XML_ELEMENT_NODE && !add(o, (const char *)n->name, value_of(n))) {
			json_decref(o);
			return NULL;
		}
	return o;
}

/* NULL without memory. Depth is limited by the loader. */
static json_t *value_of(const xmlNode *node)
{
	xmlChar *text;
	json_t *v;

	for (const xmlNode *n = node->children; n != NULL; n = n->next)
		if (n->type == XML_ELEMENT_NODE)
			return object_of(node);
	text = xmlNodeGetContent(node);
	v = text == NULL ? NULL : json_string((const char *)text);
	xmlFree(text);
	return v;
}

enum ay_rc ay_xml_to_json(struct ay_bytes text, json_t **out, struct ay_err *e)
{
	xmlDocPtr doc = NULL;
	enum ay_rc rc = ay_xml_load(text, &doc, e);
	const xmlNode *root;

	*out = NULL;
	if (rc != AY_OK)
		return rc;
	root = xmlDocGetRootElement(doc);
	if (root != NULL)
		*out = object_of(root);
	xmlFreeDoc(doc);
	return *out != NULL ? AY_OK : ay_fail(e, AY_E_NOMEM, "body", 0, "out of memory");
}
