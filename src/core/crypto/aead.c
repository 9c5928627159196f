/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/aead.h"

#include "core/crypto/secret.h"

#include <limits.h>
#include <openssl/evp.h>

static void cipher_free(EVP_CIPHER_CTX **c)
{
	EVP_CIPHER_CTX_free(*c);
}

/* A NULL pointer would mean something else to OpenSSL than "nothing". */
static const uint8_t *some(struct ay_bytes b)
{
	return b.n > 0 ? b.p : (const uint8_t *)"";
}

static bool start(EVP_CIPHER_CTX *c, const uint8_t *key, const uint8_t *iv, struct ay_bytes aad,
		  int seal)
{
	int n;

	return EVP_CipherInit_ex2(c, EVP_aes_256_gcm(), key, iv, seal, NULL) == 1 &&
	       EVP_CipherUpdate(c, NULL, &n, some(aad), (int)aad.n) == 1;
}

enum ay_rc ay_gcm_seal(const uint8_t key[32], const uint8_t iv[AY_GCM_IV], struct ay_bytes aad,
		       struct ay_bytes plain, uint8_t *out, struct ay_err *e)
{
	AY_CLEANUP(cipher_free) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int n, last;

	if (c == NULL)
		return ay_fail(e, AY_E_NOMEM, "gcm", 0, "out of memory");
	if (plain.n > INT_MAX - AY_GCM_TAG || aad.n > INT_MAX)
		return ay_fail(e, AY_E_LIMIT, "gcm", 0, "message too long");
	if (!start(c, key, iv, aad, 1) ||
	    EVP_CipherUpdate(c, out, &n, some(plain), (int)plain.n) != 1 ||
	    EVP_CipherFinal_ex(c, out + n, &last) != 1 ||
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, AY_GCM_TAG, out + plain.n) != 1)
		return ay_fail(e, AY_E_BUG, "gcm", 0, "cannot encrypt");
	return AY_OK;
}

enum ay_rc ay_gcm_open(const uint8_t key[32], const uint8_t iv[AY_GCM_IV], struct ay_bytes aad,
		       struct ay_bytes sealed, uint8_t *out, struct ay_err *e)
{
	AY_CLEANUP(cipher_free) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	uint8_t tag[AY_GCM_TAG];
	size_t plain_n;
	int n, last;

	if (c == NULL)
		return ay_fail(e, AY_E_NOMEM, "gcm", 0, "out of memory");
	if (sealed.n < AY_GCM_TAG || sealed.n > INT_MAX || aad.n > INT_MAX)
		return ay_fail(e, AY_E_INPUT, "gcm", 0, "%zu octets cannot be a sealed message",
			       sealed.n);
	plain_n = sealed.n - AY_GCM_TAG;
	memcpy(tag, sealed.p + plain_n, sizeof(tag));
	if (start(c, key, iv, aad, 0) &&
	    EVP_CipherUpdate(c, out, &n, sealed.p, (int)plain_n) == 1 &&
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, AY_GCM_TAG, tag) == 1 &&
	    EVP_CipherFinal_ex(c, out + n, &last) == 1)
		return AY_OK;
	ay_wipe(out, plain_n);
	return ay_fail(e, AY_E_CRYPTO, "gcm.tag", plain_n,
		       "message was changed or the key differs");
}
