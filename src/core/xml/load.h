/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_XML_LOAD_H
#define AY_XML_LOAD_H

/*
 * The one way XML from outside becomes a tree: UTF-8 only, no DOCTYPE,
 * entities, XInclude, schema locations, comments or processing instructions;
 * size, depth, elements and attributes limited while it is being parsed; no
 * prefix bound to two namespaces. No network, no files.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

#include <libxml/tree.h>

/*
 * A tree that the caller frees with xmlFreeDoc(). e->code: XML_DOCTYPE,
 * XML_LIMIT, XML_MALFORMED, SAML_COMMENT.
 */
AY_MUST_USE enum ay_rc ay_xml_load(struct ay_bytes text, xmlDocPtr *out, struct ay_err *e);

#endif
