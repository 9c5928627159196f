/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSERTION_SAML_KEY_H
#define AY_ASSERTION_SAML_KEY_H

/* Keys in the form that xmlsec takes; shared by issuing and verifying. */
#include "core/assertion/saml.h"

#include <libxml/tree.h>
#include <xmlsec/keys.h>

#define AY_SAML_CERTS 4

struct ay_saml_key {
	xmlSecKeyPtr key;
	bool is_ec;
	size_t n_certs;
	char *cert[AY_SAML_CERTS]; /* base64, in lines of 64 */
};

/* Raises the reference count of key; NULL when it is of a kind we do not use. Freed with
 * xmlSecKeyDestroy. */
xmlSecKeyPtr ay_saml_xmlsec_key(EVP_PKEY *key);
/* P-256 or P-384, or RSA of 2048 bits and more. */
bool ay_saml_key_is_strong(EVP_PKEY *key);

#endif
