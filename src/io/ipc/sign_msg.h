/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_IPC_SIGN_MSG_H
#define AY_IPC_SIGN_MSG_H

/*
 * Bodies of the messages to and from signer and assay-ca (signer.def, ca.def,
 * docs/protocol/ipc.md). Rules as in front_msg.h.
 */
#include "core/base/reader.h"
#include "core/base/uuid.h"
#include "core/base/writer.h"
#include "io/ipc/ipc.h"
#include "io/ipc/tables.h"

/* SIGNER_READY */
struct ay_signer_ready {
	uint8_t order_spki[32]; /* SHA-256 of SPKIs: pins in enrolment tokens */
	uint8_t ticket_spki[32];
	uint8_t head_spki[32];
	struct ay_bytes assertion_cert; /* DER */
	struct ay_bytes root_cert;	/* DER of the server's root */
	size_t n_jwts;			/* keys that JWTs may be signed by, the one in use first */
	struct ay_bytes jwt[AY_MAX_JWKS_KEYS];	/* SubjectPublicKeyInfo */
	int64_t jwt_until_ms[AY_MAX_JWKS_KEYS]; /* it is told so long; 0: no end */
};
void ay_signer_ready_build(struct ay_writer *w, const struct ay_signer_ready *r);
AY_MUST_USE enum ay_rc ay_signer_ready_parse(struct ay_bytes in, struct ay_signer_ready *out,
					     struct ay_err *e);

/* SIGN_TICKET; the answer is the JWS in compact form (docs/protocol/privacy-ca.md). */
struct ay_sign_ticket {
	struct ay_uuid host;
	uint8_t agent_spki[32];
	uint8_t ca_spki[32]; /* of the Privacy CA's root */
	uint8_t jti[16];
	int64_t expires_at_s; /* at most 10 min ahead of the signer's own clock */
	size_t n_eks;	      /* the EKs it is for; none: any */
	uint8_t ek[AY_MAX_TOKEN_EKS][32];
};
void ay_sign_ticket_build(struct ay_writer *w, const struct ay_sign_ticket *t);
AY_MUST_USE enum ay_rc ay_sign_ticket_parse(struct ay_bytes in, struct ay_sign_ticket *out,
					    struct ay_err *e);

/* SIGN_HEAD; the answer is an ECDSA signature (r, s) over "assay-audit-head-1" and the body, and
 * the key's SPKI. */
struct ay_sign_head {
	uint64_t size; /* entries of the chain */
	int64_t at_ms;
	uint8_t root[32];
};
void ay_sign_head_build(struct ay_writer *w, const struct ay_sign_head *h);
AY_MUST_USE enum ay_rc ay_sign_head_parse(struct ay_bytes in, struct ay_sign_head *out,
					  struct ay_err *e);

/* SIGN_REFUSED, CA_REFUSED */
struct ay_refusal {
	struct ay_bytes code;
	struct ay_bytes text;
	struct ay_bytes ek_hash; /* 32 octets with EK_CHAIN from the CA; else empty */
};
void ay_refusal_build(struct ay_writer *w, const struct ay_refusal *r);
/* Sends one with that code and text. */
void ay_refusal_send(struct ay_ipc *to, uint16_t type, uint32_t req, const char *code,
		     const char *text);
AY_MUST_USE enum ay_rc ay_refusal_parse(struct ay_bytes in, struct ay_refusal *out,
					struct ay_err *e);

/* CA_READY: certificates as PROVISION carries them. */
struct ay_ca_ready {
	size_t n_certs;
	struct ay_bytes cert[AY_MAX_CERT_CHAIN]; /* encryption certificate, chain, root last */
};
void ay_ca_ready_build(struct ay_writer *w, const struct ay_ca_ready *r);
AY_MUST_USE enum ay_rc ay_ca_ready_parse(struct ay_bytes in, struct ay_ca_ready *out,
					 struct ay_err *e);

#endif
