/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_AUTHZ_CAFLOW_H
#define AY_AUTHZ_CAFLOW_H

/*
 * The Privacy CA's decision (design 5, steps 4 to 6) without its state: what
 * the CA remembers (tickets that served, approved EKs, the EK of a host,
 * challenges) is the program's, prog/assay-ca.
 *
 * Codes: TICKET CA_ENVELOPE CA_MALFORMED EK_TEMPLATE EK_MISMATCH EK_CHAIN
 * EK_OTHER EK_NOT_LISTED CERT_* AK_NAME AK_ATTRIBUTES ACTIVATION; of TPM 1.2
 * also AK_BINDING CA_NO_TPM12.
 */
#include "core/base/writer.h"
#include "core/crypto/aikwire.h"
#include "core/crypto/rsaes.h"
#include "core/tpm/credential.h"

struct ay_ca_keys {
	const struct ay_privkey *issuer;
	struct ay_bytes issuer_cert;
	const struct ay_privkey *encryption;
	struct ay_bytes encryption_cert;
	const struct ay_rsakey *identity;   /* TPM 1.2 encrypts to it; NULL: it is not served */
	const struct ay_pubkey *ticket;	    /* of the server whose tickets are served */
	const struct ay_pubkey *ticket_old; /* the one before, while it is replaced; or NULL */
	uint8_t root_pin[32];
	uint8_t pseudonym[32];
};

struct ay_ca_policy {
	const struct ay_trust_set *sets;
	size_t n_sets;
	bool tofu;
	bool reveal_ek;
	bool ignore_dates;
	enum ay_crl_policy crl;
	int64_t aik_life_ms; /* at most one year is given */
};

/* Who asks, by value: it lives until the answer comes. */
struct ay_ca_applicant {
	struct ay_ticket ticket;
	size_t ak_n, ek_n;
	bool is_tpm12;
	uint8_t ak[AY_MAX_PUBLIC_BYTES]; /* TPMT_PUBLIC; TPM_PUBKEY */
	uint8_t ek[AY_MAX_PUBLIC_BYTES];
	struct ay_name ak_name, ek_name;
	uint8_t ek_hash[32];
	/* set by ay_ca_judge() */
	enum ay_ek_grade grade;
	char manufacturer[AY_EK_TEXT_MAX], model[AY_EK_TEXT_MAX], firmware[AY_EK_TEXT_MAX];
};

/* What the CA's state says about the applicant. */
struct ay_ca_known {
	bool ek_approved; /* by an operator, by hash */
	bool has_ek;	  /* this host was certified before, with ek_hash */
	uint8_t ek_hash[32];
};

/* Open the sealed request; *out borrows from buf. CA_ENVELOPE, CA_MALFORMED. */
AY_MUST_USE enum ay_rc ay_ca_open_request(const struct ay_ca_keys *k, struct ay_bytes sealed,
					  uint8_t *buf, size_t max, struct ay_identity_request *out,
					  struct ay_err *e);
/* Open the sealed answer. CA_ENVELOPE, CA_MALFORMED. The caller wipes out. */
AY_MUST_USE enum ay_rc ay_ca_open_answer(const struct ay_ca_keys *k, struct ay_bytes sealed,
					 struct ay_ca_answer *out, struct ay_err *e);

/*
 * Check the ticket, read both public areas and compute their Names. Says
 * nothing about EK and AK yet. TICKET, CA_MALFORMED, AK_NAME.
 */
AY_MUST_USE enum ay_rc ay_ca_identify(const struct ay_ca_keys *k,
				      const struct ay_identity_request *q, int64_t now_ms,
				      struct ay_ca_applicant *out, struct ay_err *e);

/*
 * EK: default template; its certificate certifies this very key and chains to
 * a named set, or it is approved, or tofu; the same as before for a known host.
 * AK: attributes and strength. Fills grade and texts.
 */
AY_MUST_USE enum ay_rc ay_ca_judge(const struct ay_ca_policy *p,
				   const struct ay_identity_request *q,
				   const struct ay_ca_known *known, int64_t now_ms,
				   struct ay_ca_applicant *who, struct ay_err *e);

/* The body of CA_CHALLENGE: a secret of 32 octets that only this EK with this AK can open. */
AY_MUST_USE enum ay_rc ay_ca_challenge(const struct ay_ca_applicant *who,
				       const uint8_t secret[AY_CA_SECRET_BYTES],
				       const uint8_t random[AY_CREDENTIAL_RANDOM],
				       struct ay_writer *w, struct ay_err *e);

struct ay_ca_random {
	uint8_t serial[16];
	uint8_t k0[AY_CA_SECRET_BYTES];
	uint8_t iv[12];
	uint8_t credential[AY_CREDENTIAL_RANDOM];
};

/*
 * Issue. w gets the body of CA_CERT, cert (max octets) the certificate for the
 * issue log.
 */
AY_MUST_USE enum ay_rc ay_ca_issue(const struct ay_ca_keys *k, const struct ay_ca_policy *p,
				   const struct ay_ca_applicant *who,
				   const struct ay_ca_random *random, int64_t now_ms,
				   struct ay_writer *w, uint8_t *cert, size_t max, size_t *n,
				   struct ay_err *e);

/* Parts of ay_ca_judge(), for tests and for the engine's own checks. */
AY_MUST_USE enum ay_rc ay_ak_check(const struct ay_public *ak, struct ay_err *e);
/* AK_NAME unless name is the Name of this public area. */
AY_MUST_USE enum ay_rc ay_ak_check_name(const struct ay_public *ak, struct ay_bytes name,
					struct ay_err *e);

#endif
