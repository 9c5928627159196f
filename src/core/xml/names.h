/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_XML_NAMES_H
#define AY_XML_NAMES_H

/* Names of XML itself that all who read or write it share. */
#include <libxml/xmlstring.h>

/* BAD_CAST of libxml2 drops const. */
static inline const xmlChar *ay_x(const char *s)
{
	return (const xmlChar *)s;
}

#define AY_NS_XSI "http://www.w3.org/2001/XMLSchema-instance"
#define AY_NS_XS "http://www.w3.org/2001/XMLSchema"
#define AY_NS_XINCLUDE "http://www.w3.org/2001/XInclude"

#endif
