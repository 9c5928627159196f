/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSERTION_SAML_NAMES_H
#define AY_ASSERTION_SAML_NAMES_H

/* Names that making and verifying an assertion share [SAML-CORE 2.3], [XMLDSIG 2]. */
#include "core/xml/names.h"

#define AY_NS_SAML "urn:oasis:names:tc:SAML:2.0:assertion"
#define AY_NS_SAMLP "urn:oasis:names:tc:SAML:2.0:protocol"
#define AY_NS_DSIG "http://www.w3.org/2000/09/xmldsig#"
#define AY_NS_EXC_C14N "http://www.w3.org/2001/10/xml-exc-c14n#"

#define AY_NAMEID_PERSISTENT "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
#define AY_NAMEID_UNSPECIFIED "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
#define AY_CM_SENDER_VOUCHES "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"
#define AY_ATTR_BASIC "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"

#endif
