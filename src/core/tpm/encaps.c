/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/encaps.h"

#include "core/tpm/encaps_ecc.h"
#include "core/tpm/encaps_rsa.h"

enum ay_rc ay_encapsulate(const struct ay_public *to, const char *label,
			  const uint8_t random[AY_CREDENTIAL_RANDOM], struct ay_secret *seed,
			  uint8_t out[AY_ENCRYPTED_SECRET_MAX], size_t *out_n, struct ay_err *e)
{
	*seed = (struct ay_secret){ 0 };
	*out_n = 0;
	return to->type == AY_ALG_RSA ? ay_encaps_rsa(to, label, random, seed, out, out_n, e)
				      : ay_encaps_ecc(to, label, random, seed, out, out_n, e);
}

enum ay_rc ay_decapsulate(struct evp_pkey_st *priv, const struct ay_public *to, const char *label,
			  struct ay_bytes secret, struct ay_secret *seed, struct ay_err *e)
{
	*seed = (struct ay_secret){ 0 };
	return to->type == AY_ALG_RSA ? ay_decaps_rsa(priv, to, label, secret, seed, e)
				      : ay_decaps_ecc(priv, to, label, secret, seed, e);
}
