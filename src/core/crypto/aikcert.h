/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_AIKCERT_H
#define AY_CRYPTO_AIKCERT_H

/*
 * AIK certificates: docs/formats/aik-cert.md. Issued by the Privacy CA from
 * the public area of an AK; read by the agent and by engine.
 */
#include "core/base/uuid.h"
#include "core/crypto/ekcert.h"
#include "core/crypto/ticket.h"
#include "core/tpm/alg.h"

enum ay_ek_grade {
	AY_EK_GRADE_NONE = 0,
	AY_GRADE_EK_TOFU,
	AY_GRADE_EK_VTPM,
	AY_GRADE_EK_APPROVED,
	AY_GRADE_EK_CERTIFIED,
};

/* "ek_certified", ...; "" for NONE. */
const char *ay_ek_grade_name(enum ay_ek_grade g);
enum ay_ek_grade ay_ek_grade_from_name(struct ay_bytes name);

/* What the extension says, by value. */
struct ay_aik_facts {
	struct ay_uuid host;
	uint8_t ak_name[AY_NAME_MAX];
	size_t ak_name_n;
	uint8_t ak_qualified_name[AY_NAME_MAX]; /* what a quote's qualifiedSigner must be */
	size_t ak_qualified_name_n;
	uint8_t ek_pseudonym[32];
	enum ay_ek_grade grade;
	char manufacturer[AY_EK_TEXT_MAX];
	char model[AY_EK_TEXT_MAX];
	char firmware[AY_EK_TEXT_MAX];
	char ticket[AY_JTI_TEXT];
	bool has_ek; /* only with reveal_ek */
	uint8_t ek_hash[32];
};

struct ay_aikcert {
	struct ay_cert cert; /* borrows */
	struct ay_aik_facts facts;
};

/* The Privacy CA's side: who issues. */
struct ay_aik_issuer {
	const struct ay_privkey *key;
	struct ay_bytes cert; /* DER of the issuing certificate */
};

/*
 * Make the certificate for the key in SubjectPublicKeyInfo ak_spki.
 *   serial  positive: its first bit is cleared, 16 octets
 */
AY_MUST_USE enum ay_rc ay_aikcert_issue(const struct ay_aik_issuer *by, const struct ay_pubkey *ak,
					const struct ay_aik_facts *facts, const uint8_t serial[16],
					int64_t not_before_ms, int64_t not_after_ms, uint8_t *out,
					size_t max, size_t *n, struct ay_err *e);

/* Code AIK_CERT. Nothing is verified. */
AY_MUST_USE enum ay_rc ay_aikcert_parse(struct ay_bytes der, struct ay_aikcert *out,
					struct ay_err *e);

/*
 * Is this the certificate of this host's AK, issued under this CA?
 *
 *   der     the AIK certificate
 *   chain   the CA's certificates as PROVISION carries them (any order)
 *   pin     SHA-256 of the CA root's SPKI
 *   crl     the CA's CRL in DER, or {NULL, 0}: not asked
 *   host    NULL: any host id
 *   ticket  NULL: any ticket id
 *   out     filled on AY_OK; zeroed on failure
 *
 * AY_E_CRYPTO, code AIK_CERT: another CA, expired, revoked, another host id or
 * ticket, wrong EKU.
 */
struct ay_aikcert_want {
	const struct ay_bytes *chain;
	size_t n_chain;
	const uint8_t *pin;
	struct ay_bytes crl;
	const struct ay_uuid *host;
	const char *ticket;
	int64_t now_ms;
};
AY_MUST_USE enum ay_rc ay_aikcert_check(struct ay_bytes der, const struct ay_aikcert_want *want,
					struct ay_aikcert *out, struct ay_err *e);

#endif
