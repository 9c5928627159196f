/* SPDX-License-Identifier: Apache-2.0 */
#include "core/assertion/saml_key.h"

#include "core/base/base64.h"

#include <openssl/core_names.h>
#include <stdlib.h>
#include <xmlsec/crypto.h>
#include <xmlsec/openssl/evp.h>

bool ay_saml_key_is_strong(EVP_PKEY *key)
{
	char group[32] = "";

	if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
		return EVP_PKEY_get_bits(key) >= 2048;
	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC ||
	    EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1)
		return false;
	return strcmp(group, "prime256v1") == 0 || strcmp(group, "secp384r1") == 0;
}

xmlSecKeyPtr ay_saml_xmlsec_key(EVP_PKEY *key)
{
	xmlSecKeyDataPtr data;
	xmlSecKeyPtr k;

	if (!ay_saml_key_is_strong(key) || EVP_PKEY_up_ref(key) != 1)
		return NULL;
	data = xmlSecOpenSSLEvpKeyAdopt(key);
	if (data == NULL) {
		EVP_PKEY_free(key);
		return NULL;
	}
	k = xmlSecKeyCreate();
	if (k == NULL || xmlSecKeySetValue(k, data) < 0) {
		xmlSecKeyDataDestroy(data);
		if (k != NULL)
			xmlSecKeyDestroy(k);
		return NULL;
	}
	return k;
}

/* Base64 in lines, as X509Certificate is usually written. */
static char *cert_text(struct ay_bytes der)
{
	size_t n = (der.n + 2) / 3 * 4, at = 0;
	char *flat = malloc(n + 1), *out = malloc(n + n / 64 + 3);

	if (flat == NULL || out == NULL) {
		free(flat);
		free(out);
		return NULL;
	}
	ay_base64_encode(AY_BASE64_STD, der, flat);
	for (size_t i = 0; i < n; i += 64) {
		size_t k = n - i < 64 ? n - i : 64;

		out[at++] = '\n';
		memcpy(out + at, flat + i, k);
		at += k;
	}
	out[at++] = '\n';
	out[at] = '\0';
	free(flat);
	return out;
}

static enum ay_rc add_certs(struct ay_saml_key *k, const struct ay_bytes *certs, size_t n,
			    struct ay_err *e)
{
	if (n == 0 || n > AY_SAML_CERTS)
		return ay_fail(e, AY_E_INPUT, "saml.certificate", 0, "%zu certificates, 1 to %d", n,
			       AY_SAML_CERTS);
	for (size_t i = 0; i < n; i++) {
		if (certs[i].n > AY_MAX_CERT_BYTES)
			return ay_fail(e, AY_E_LIMIT, "saml.certificate", 0, "%zu bytes",
				       certs[i].n);
		k->cert[i] = cert_text(certs[i]);
		if (k->cert[i] == NULL)
			return ay_fail(e, AY_E_NOMEM, "saml.certificate", 0, "out of memory");
		k->n_certs++;
	}
	return AY_OK;
}

enum ay_rc ay_saml_key_new(EVP_PKEY *key, const struct ay_bytes *certs, size_t n_certs,
			   struct ay_saml_key **out, struct ay_err *e)
{
	struct ay_saml_key *k = calloc(1, sizeof(*k));
	enum ay_rc rc;

	*out = NULL;
	if (k == NULL)
		return ay_fail(e, AY_E_NOMEM, "saml.key", 0, "out of memory");
	rc = add_certs(k, certs, n_certs, e);
	k->is_ec = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC;
	if (rc == AY_OK)
		k->key = ay_saml_xmlsec_key(key);
	if (rc == AY_OK && k->key == NULL)
		rc = ay_fail(e, AY_E_CRYPTO, "saml.key", 0,
			     "is neither P-256 nor RSA of 2048 bits");
	if (rc != AY_OK) {
		ay_saml_key_free(k);
		return rc;
	}
	*out = k;
	return AY_OK;
}

void ay_saml_key_free(struct ay_saml_key *k)
{
	if (k == NULL)
		return;
	if (k->key != NULL)
		xmlSecKeyDestroy(k->key);
	for (size_t i = 0; i < k->n_certs; i++)
		free(k->cert[i]);
	free(k);
}
