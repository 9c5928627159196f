/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_IMA_KEYS_H
#define AY_APPRAISE_IMA_KEYS_H

/*
 * Keys that sign files: from the policy (`ima.keys`) or from a reference set
 * (rule kind "signers"). As JSON:
 *
 *   {"name": "vendor 2026", "pem": "-----BEGIN ...", "revoked": true}
 *
 * pem holds one PUBLIC KEY or CERTIFICATE; der (base64) instead of pem holds
 * the same. Of a certificate only the key counts, as in the kernel's keyrings:
 * neither dates nor chain.
 */
#include "core/base/json.h"
#include "core/crypto/key.h"

#define AY_IMA_KEYS_MAX 64

struct ay_ima_key {
	const char *name;
	const char *pem, *der; /* as given; one of them */
	bool revoked;
	size_t n_ids; /* last octets of the certificate's SKI, and of SHA-1 over the key */
	uint8_t id[2][4];
	uint8_t spki[32]; /* SHA-256 of SubjectPublicKeyInfo */
	struct ay_pubkey *key;
};

struct ay_ima_keys {
	size_t n;
	struct ay_ima_key *key;
};

/*
 * Parse a list of keys; memory from a, and loaded keys that ay_ima_keys_fini()
 * drops (also after a failure). where: static name for errors.
 */
AY_MUST_USE enum ay_rc ay_ima_keys_parse(const json_t *list, const char *where, struct ay_arena *a,
					 struct ay_ima_keys *out, struct ay_err *e);
void ay_ima_keys_fini(struct ay_ima_keys *k);
/* The list again; NULL without memory. */
json_t *ay_ima_keys_json(const struct ay_ima_keys *k);

bool ay_ima_key_has_id(const struct ay_ima_key *k, const uint8_t id[4]);

#endif
