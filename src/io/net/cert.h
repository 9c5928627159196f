/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_NET_CERT_H
#define AY_NET_CERT_H

/*
 * Keys and certificates of TLS and of the server's signers: P-256 unless a kind
 * says otherwise, signed with SHA-256. PEM in and out, so that nobody else touches X.509 to have
 * them.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

enum ay_cert_kind {
	AY_CERT_AGENT,	       /* self-signed; only its key counts */
	AY_CERT_ROOT,	       /* self-signed CA, one level */
	AY_CERT_CHANNEL,       /* server on the agent channel: serverAuth and clientAuth */
	AY_CERT_API,	       /* HTTPS: serverAuth, names */
	AY_CERT_ASSERTION,     /* signs assertions: digitalSignature */
	AY_CERT_ASSERTION_RSA, /* the same with RSA of 2048 bits, for consumers of old */
};

struct ay_cert_pem {
	struct ay_bytes cert, key; /* malloc'ed, terminated; key is PKCS #8 */
};
/* Wipes and frees. Fits AY_CLEANUP. */
void ay_cert_pem_free(struct ay_cert_pem *p);

struct ay_cert_args {
	enum ay_cert_kind kind;
	const char *cn;		  /* common name */
	const char *const *names; /* API: DNS names and address literals; NULL-terminated */
	int64_t now_s;		  /* since 1970; valid from a day before */
	int64_t life_s;
};

/* A new key and its certificate, by issuer's key (NULL: self-signed). */
AY_MUST_USE enum ay_rc ay_cert_make(const struct ay_cert_args *a, const struct ay_cert_pem *issuer,
				    struct ay_cert_pem *out, struct ay_err *e);
/* A new key without certificate: out->cert is its SubjectPublicKeyInfo in PEM. */
AY_MUST_USE enum ay_rc ay_cert_make_key(struct ay_cert_pem *out, struct ay_err *e);

/* SHA-256 of the SubjectPublicKeyInfo of a PEM certificate, public or private key. */
AY_MUST_USE enum ay_rc ay_cert_spki(struct ay_bytes pem, uint8_t out[32], struct ay_err *e);
/* The first certificate of PEM as DER; free with ay_file_free(). */
AY_MUST_USE enum ay_rc ay_cert_der(struct ay_bytes pem, struct ay_bytes *der, struct ay_err *e);

/* All certificates of PEM as DER, at most max; the caller frees each with ay_file_free(). */
AY_MUST_USE enum ay_rc ay_cert_ders(struct ay_bytes pem, struct ay_bytes *der, size_t max,
				    size_t *n, struct ay_err *e);

#endif
