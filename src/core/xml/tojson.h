/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_XML_TOJSON_H
#define AY_XML_TOJSON_H

/*
 * A document of nobody's schema as JSON: an element that holds elements is an
 * object of them, one that holds none is its text; those of the same name
 * beside each other are an array. Namespaces and attributes are passed over,
 * text beside elements too. So everything is text, object or array.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

#include <jansson.h>

/*
 * The content of the root; what is hostile is refused as by ay_xml_load(). *out
 * is the caller's, NULL on failure. AY_E_INPUT, AY_E_LIMIT, AY_E_NOMEM.
 */
AY_MUST_USE enum ay_rc ay_xml_to_json(struct ay_bytes text, json_t **out, struct ay_err *e);

#endif
