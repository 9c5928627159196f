/* SPDX-License-Identifier: Apache-2.0 */
#include "io/net/tls_verify.h"

#include "core/base/limits.h"
#include "core/crypto/hash.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>

bool ay_tls_spki_hash(const X509 *cert, uint8_t out[32])
{
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);

	memset(out, 0, 32);
	if (n <= 0)
		return false;
	ay_sha256((struct ay_bytes){ der, (size_t)n }, out);
	OPENSSL_free(der);
	return true;
}

static bool is_p256(X509 *cert)
{
	EVP_PKEY *k = X509_get0_pubkey(cert);
	char group[32] = "";

	return k != NULL && EVP_PKEY_is_a(k, "EC") &&
	       EVP_PKEY_get_utf8_string_param(k, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
					      NULL) == 1 &&
	       strcmp(group, "prime256v1") == 0;
}

/* Extended key usage bits; 0 also when the extension is absent (absence is no permission). */
static uint32_t usage_of(X509 *cert)
{
	uint32_t usage = X509_get_extended_key_usage(cert);

	return usage == UINT32_MAX ? 0 : usage;
}

enum ay_rc ay_tls_judge_agent(X509 *leaf, const uint8_t own[32], struct ay_err *e)
{
	uint8_t spki[32];

	if (!ay_tls_spki_hash(leaf, spki))
		return ay_fail(e, AY_E_NOMEM, "tls.agent", 0, "no memory");
	if (!is_p256(leaf))
		return ay_fail_code(e, AY_E_CRYPTO, "PEER_KEY", "tls.agent",
				    "the agent's key is not P-256");
	if (AY_CHECKED("AGENT_IS_SERVER_KEY", CRYPTO_memcmp(spki, own, sizeof(spki)) == 0))
		return ay_fail_code(e, AY_E_CRYPTO, "PEER_KEY", "tls.agent",
				    "a server's key is not accepted as an agent's");
	if (AY_CHECKED("AGENT_IS_SERVER_EKU", (usage_of(leaf) & XKU_SSL_SERVER) != 0))
		return ay_fail_code(e, AY_E_CRYPTO, "PEER_KEY", "tls.agent",
				    "a server's certificate is not accepted as an agent's");
	return AY_OK;
}

static bool has_pin(const X509 *cert, const uint8_t pin[32])
{
	uint8_t spki[32];

	return ay_tls_spki_hash(cert, spki) && CRYPTO_memcmp(spki, pin, sizeof(spki)) == 0;
}

/* The pinned root: the one we know, or one of those sent. NULL: neither. */
static X509 *find_root(STACK_OF(X509) * chain, X509 *known, const uint8_t pin[32])
{
	if (known != NULL && has_pin(known, pin))
		return known;
	for (int i = 1; chain != NULL && i < sk_X509_num(chain); i++)
		if (has_pin(sk_X509_value(chain, i), pin))
			return sk_X509_value(chain, i);
	return NULL;
}

static enum ay_rc verify_chain(X509 *leaf, STACK_OF(X509) * chain, X509 *root, struct ay_err *e)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int ok = store != NULL && ctx != NULL && X509_STORE_add_cert(store, root) == 1 &&
		 X509_STORE_CTX_init(ctx, store, leaf, chain) == 1;
	int why = X509_V_ERR_UNSPECIFIED;

	if (ok) {
		X509_STORE_CTX_set_depth(ctx, AY_MAX_CERT_CHAIN);
		ok = X509_verify_cert(ctx);
		why = X509_STORE_CTX_get_error(ctx);
	}
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	if (AY_CHECKED("SERVER_CHAIN", ok != 1))
		return ay_fail_code(e, AY_E_CRYPTO, "PEER_CHAIN", "tls.server",
				    "chain to the pinned root: %s",
				    X509_verify_cert_error_string(why));
	return AY_OK;
}

enum ay_rc ay_tls_judge_server(X509 *leaf, STACK_OF(X509) * chain, X509 *known,
			       const uint8_t pin[32], X509 **root, struct ay_err *e)
{
	const uint32_t want = XKU_SSL_SERVER | XKU_SSL_CLIENT;
	X509 *anchor = find_root(chain, known, pin);
	enum ay_rc rc;

	*root = NULL;
	if (anchor == NULL)
		return ay_fail_code(e, AY_E_CRYPTO, "PEER_ROOT", "tls.server",
				    "the chain does not end in the pinned root");
	rc = verify_chain(leaf, chain, anchor, e);
	if (rc != AY_OK)
		return rc;
	if (AY_CHECKED("SERVER_EKU", (usage_of(leaf) & want) != want || X509_check_ca(leaf) != 0))
		return ay_fail_code(e, AY_E_CRYPTO, "PEER_EKU", "tls.server",
				    "the certificate is not a server's (serverAuth, clientAuth)");
	X509_up_ref(anchor);
	*root = anchor;
	return AY_OK;
}
