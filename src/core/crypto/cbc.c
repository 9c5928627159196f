/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/cbc.h"

#include <openssl/err.h>
#include <openssl/evp.h>

static void cipher_free(EVP_CIPHER_CTX **c)
{
	EVP_CIPHER_CTX_free(*c);
}

static bool run(const uint8_t key[16], const uint8_t *iv, int encrypt, struct ay_bytes in,
		uint8_t *out, size_t *n)
{
	AY_CLEANUP(cipher_free) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int first = 0, last = 0;
	bool ok = c != NULL && in.n <= 1 << 20 &&
		  EVP_CipherInit_ex2(c, EVP_aes_128_cbc(), key, iv, encrypt, NULL) == 1 &&
		  EVP_CipherUpdate(c, out, &first, in.p, (int)in.n) == 1 &&
		  EVP_CipherFinal_ex(c, out + first, &last) == 1;

	ERR_clear_error();
	*n = ok ? (size_t)(first + last) : 0;
	return ok;
}

enum ay_rc ay_cbc_seal(const uint8_t key[16], const uint8_t iv[AY_CBC_BLOCK], struct ay_bytes in,
		       uint8_t *out, size_t *n, struct ay_err *e)
{
	return run(key, iv, 1, in, out, n) ? AY_OK
					   : ay_fail(e, AY_E_BUG, "cbc", 0, "cannot encrypt");
}

enum ay_rc ay_cbc_open(const uint8_t key[16], const uint8_t iv[AY_CBC_BLOCK], struct ay_bytes in,
		       uint8_t *out, size_t *n, struct ay_err *e)
{
	*n = 0;
	if (in.n == 0 || in.n % AY_CBC_BLOCK != 0 || !run(key, iv, 0, in, out, n))
		return ay_fail(e, AY_E_CRYPTO, "cbc", 0, "does not open with this key");
	return AY_OK;
}
