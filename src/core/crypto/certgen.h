/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_CERTGEN_H
#define AY_CRYPTO_CERTGEN_H

/*
 * X.509 certificates and CRLs that we issue ourselves: roots, the Privacy CA's
 * own, AIK certificates. All are signed by a P-256 key with SHA-256.
 */
#include "core/crypto/privkey.h"

struct ay_cert_ext {
	struct ay_bytes oid; /* contents of the OID */
	bool critical;
	struct ay_bytes value; /* DER that goes into the OCTET STRING */
};

struct ay_cert_spec {
	struct ay_bytes issuer_cert; /* DER; empty: self-signed */
	const char *common_name;     /* NULL: the subject is empty */
	struct evp_pkey_st *key;     /* subject's public key */
	uint8_t serial[16];	     /* random; its first bit is cleared, its second set */
	int64_t not_before_ms;
	int64_t not_after_ms;
	bool is_ca;
	int path_len;	    /* of a CA; -1: none */
	uint32_t key_usage; /* enum ay_cert_usage */
	const struct ay_cert_ext *ext;
	size_t n_ext;
};

/* out: DER, at most max octets. signer: the issuer's key. */
AY_MUST_USE enum ay_rc ay_certgen(const struct ay_cert_spec *spec, const struct ay_privkey *signer,
				  uint8_t *out, size_t max, size_t *n, struct ay_err *e);

struct ay_revoked {
	struct ay_bytes serial; /* contents of the INTEGER */
	int64_t at_ms;
};

/* A version 2 CRL of the holder of issuer_cert. The caller frees *out by ay_certgen_free(). */
AY_MUST_USE enum ay_rc ay_crlgen(struct ay_bytes issuer_cert, const struct ay_privkey *signer,
				 const struct ay_revoked *list, size_t n_list, uint64_t number,
				 int64_t this_ms, int64_t next_ms, struct ay_bytes *out,
				 struct ay_err *e);
void ay_certgen_free(struct ay_bytes *b);

#endif
