/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TESTS_SUPPORT_SIMTPM_H
#define AY_TESTS_SUPPORT_SIMTPM_H

/* Keys as a TPM has them, held in software, and makers of EK certificates, for tests of
 * provisioning. */
#include "core/crypto/certgen.h"
#include "core/tpm/public.h"

#include <openssl/evp.h>

struct t_tpmkey {
	EVP_PKEY *key;
	struct ay_public pub; /* parsed from raw */
	struct ay_bytes raw;  /* TPMT_PUBLIC */
	uint8_t buf[1024], x[512], y[66];
};

/* An EK of the default template with this name ("L-1", "L-2", "H-3"). */
void t_ek_make(struct t_tpmkey *k, const char *template_name);
/* An AK as our agents make it: ECDSA P-256, or RSASSA 2048. */
void t_ak_make(struct t_tpmkey *k, bool rsa);
/* The same key with other fields: writes pub again. */
void t_tpmkey_rewrite(struct t_tpmkey *k);
void t_tpmkey_fini(struct t_tpmkey *k);

struct t_ca {
	struct ay_privkey *key;
	uint8_t der[2048];
	size_t n;
};
struct ay_bytes t_ca_cert(const struct t_ca *c);

struct t_ca_spec {
	const char *name;
	const struct t_ca *by; /* NULL: self-signed */
	bool not_ca;
	int path_len;	/* -1: none */
	uint32_t usage; /* 0: keyCertSign, cRLSign */
	int64_t from_ms, until_ms;
};
/* Makes a key for c unless it has one. */
void t_ca_make(struct t_ca *c, const struct t_ca_spec *spec);
void t_ca_fini(struct t_ca *c);

/* An EK certificate with the SAN "id:54455354", "sim", "id:0001" and the EKU of EKs; returns its
 * length. */
size_t t_ek_cert(const struct t_ca *by, EVP_PKEY *ek, int64_t from_ms, int64_t until_ms,
		 uint8_t *out, size_t max);

/* The instant the test began, in whole seconds. */
int64_t t_now_ms(void);
#define T_NOW_MS t_now_ms()
#define T_YEAR_MS (365LL * 24 * 3600 * 1000)

#endif
