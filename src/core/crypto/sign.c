/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/sign.h"

#include "core/crypto/hash.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

static void ctx_free(EVP_PKEY_CTX **c)
{
	EVP_PKEY_CTX_free(*c);
}

static const EVP_MD *md_of(uint16_t hash)
{
	switch (hash) {
	case AY_ALG_SHA1:
		return EVP_sha1();
	case AY_ALG_SHA384:
		return EVP_sha384();
	case AY_ALG_SHA512:
		return EVP_sha512();
	default:
		return EVP_sha256();
	}
}

static bool set_padding(EVP_PKEY_CTX *c, uint16_t scheme, uint16_t hash)
{
	if (scheme == AY_ALG_ECDSA)
		return true;
	return EVP_PKEY_CTX_set_signature_md(c, md_of(hash)) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(c, scheme == AY_ALG_RSAPSS ? RSA_PKCS1_PSS_PADDING
								       : RSA_PKCS1_PADDING) == 1 &&
	       (scheme != AY_ALG_RSAPSS ||
		EVP_PKEY_CTX_set_rsa_pss_saltlen(c, RSA_PSS_SALTLEN_DIGEST) == 1);
}

/* r and s, each as long as the curve, behind one another in out->b. */
static bool split_ecdsa(const uint8_t *der, size_t n, int size, struct ay_signature_buf *out)
{
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)n);
	bool ok = sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out->b, size) == size &&
		  BN_bn2binpad(ECDSA_SIG_get0_s(sig), out->b + size, size) == size;

	ECDSA_SIG_free(sig);
	out->sig.r = (struct ay_bytes){ out->b, (size_t)size };
	out->sig.s = (struct ay_bytes){ out->b + size, (size_t)size };
	return ok;
}

enum ay_rc ay_sign(struct evp_pkey_st *key, uint16_t scheme, uint16_t hash, struct ay_bytes msg,
		   struct ay_signature_buf *out, struct ay_err *e)
{
	bool rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
	AY_CLEANUP(ctx_free) EVP_PKEY_CTX *c = NULL;
	uint8_t md[AY_DIGEST_MAX], sig[512];
	size_t n = sizeof(sig);

	if (scheme == 0)
		scheme = rsa ? AY_ALG_RSASSA : AY_ALG_ECDSA;
	*out = (struct ay_signature_buf){ .sig = { .scheme = scheme, .hash = hash } };
	c = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (c == NULL || !ay_hash_of(hash, msg, md) || EVP_PKEY_sign_init(c) != 1 ||
	    !set_padding(c, scheme, hash) ||
	    EVP_PKEY_sign(c, sig, &n, md, ay_alg_digest_size(hash)) != 1) {
		ERR_clear_error();
		return ay_fail(e, AY_E_CRYPTO, "sign", 0, "cannot sign");
	}
	if (!rsa)
		return split_ecdsa(sig, n, (EVP_PKEY_get_bits(key) + 7) / 8, out)
			       ? AY_OK
			       : ay_fail(e, AY_E_BUG, "sign", 0, "signature is not of the curve");
	memcpy(out->b, sig, n);
	out->sig.rsa = (struct ay_bytes){ out->b, n };
	return AY_OK;
}
