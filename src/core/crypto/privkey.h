/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_PRIVKEY_H
#define AY_CRYPTO_PRIVKEY_H

/*
 * A P-256 private key that a process of ours holds. Never printed, wiped when
 * freed (libcrypto does). The random numbers of generation, signature and
 * agreement are libcrypto's own.
 */
#include "core/crypto/key.h"

struct ay_privkey;
struct evp_pkey_st;

AY_MUST_USE enum ay_rc ay_privkey_generate(struct ay_privkey **out, struct ay_err *e);
/* PKCS #8 in PEM. AY_E_INPUT if it is not a P-256 key. */
AY_MUST_USE enum ay_rc ay_privkey_new_pem(struct ay_bytes pem, struct ay_privkey **out,
					  struct ay_err *e);
/* Writes a terminated PEM text; 512 octets are room enough. The caller wipes it. */
AY_MUST_USE enum ay_rc ay_privkey_pem(const struct ay_privkey *k, char *out, size_t max,
				      struct ay_err *e);
/* Fits AY_CLEANUP through a wrapper; NULL is fine. */
void ay_privkey_free(struct ay_privkey *k);

/* A new reference to the public half. */
AY_MUST_USE enum ay_rc ay_privkey_public(const struct ay_privkey *k, struct ay_pubkey **out,
					 struct ay_err *e);
#define AY_SPKI_P256 91 /* octets of the SubjectPublicKeyInfo of a P-256 key */
AY_MUST_USE enum ay_rc ay_privkey_spki(const struct ay_privkey *k, uint8_t out[AY_SPKI_P256],
				       struct ay_err *e);
/* SHA-256 of the public half's SubjectPublicKeyInfo. */
AY_MUST_USE enum ay_rc ay_privkey_spki_hash(const struct ay_privkey *k, uint8_t out[32],
					    struct ay_err *e);

/* ECDSA with SHA-256 over msg; out is r || s, 32 octets each (the JWS form). */
AY_MUST_USE enum ay_rc ay_privkey_sign(const struct ay_privkey *k, struct ay_bytes msg,
				       uint8_t out[64], struct ay_err *e);
/* AY_E_CRYPTO if sig (r || s) is not this P-256 key's over msg. */
AY_MUST_USE enum ay_rc ay_es256_verify(const struct ay_pubkey *k, struct ay_bytes msg,
				       struct ay_bytes sig, struct ay_err *e);

/* For code inside core/crypto and TLS set-up only; borrowed. */
struct evp_pkey_st *ay_privkey_evp(const struct ay_privkey *k);

#endif
