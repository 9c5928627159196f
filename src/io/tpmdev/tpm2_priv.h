/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPMDEV_TPM2_PRIV_H
#define AY_TPMDEV_TPM2_PRIV_H

/* What the files of the TPM 2.0 backend share. Nobody else includes this. */
#include <tss2/tss2_esys.h>

#include "io/tpmdev/tpmdev.h"

struct ay_tpmdev {
	char *tcti_conf;
	char *guard_path;
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
	/* The AK as saved by TPM2_ContextSave: loading it again spares making the EK. */
	TPMS_CONTEXT *saved;
	uint8_t saved_of[32];		/* SHA-256 of its TPMT_PUBLIC */
	ESYS_TR tag_session, tag_index; /* tpm2_tag.c, between begin and write */
};

/* A template of the TCG EK credential profile. */
struct ay_tpm2_template {
	enum ay_ek_kind kind;
	uint32_t nv_cert, nv_nonce, nv_template; /* 0 = there is none */
	uint16_t type, name_alg, sym_bits;
	uint16_t size;	 /* RSA: key bits; ECC: curve */
	uint16_t unique; /* octets of zero in unique (each coordinate) */
	bool user_auth;	 /* high range: userWithAuth is set, policy B */
};

const struct ay_tpm2_template *ay_tpm2_template_find(uint32_t nv_cert);
/* The rows in the order of preference; ends with nv_cert 0. */
const struct ay_tpm2_template *ay_tpm2_templates(void);
void ay_tpm2_template_public(const struct ay_tpm2_template *t, TPM2B_PUBLIC *out);

/* AY_E_UNAVAIL with the text of a TSS2 response code. */
AY_MUST_USE enum ay_rc ay_tpm2_fail(struct ay_err *e, const char *where, TSS2_RC rc);

/* Make the EK as a transient object; the caller flushes it. pub may be NULL. */
AY_MUST_USE enum ay_rc ay_tpm2_ek_make(struct ay_tpmdev *d, const struct ay_tpm2_template *t,
				       ESYS_TR *ek, TPM2B_PUBLIC **pub, struct ay_err *e);
/*
 * Authorisation for using the EK: ESYS_TR_PASSWORD where the template allows
 * it, else a fresh policy session with PolicySecret(endorsement). The caller
 * ends it with ay_tpm2_auth_end().
 */
AY_MUST_USE enum ay_rc ay_tpm2_ek_auth(struct ay_tpmdev *d, const struct ay_tpm2_template *t,
				       ESYS_TR *session, struct ay_err *e);
void ay_tpm2_auth_end(struct ay_tpmdev *d, ESYS_TR *session);
void ay_tpm2_flush(struct ay_tpmdev *d, ESYS_TR *object);

/* The AK as a transient object; the caller flushes it. */
AY_MUST_USE enum ay_rc ay_tpm2_ak_load(struct ay_tpmdev *d, const struct ay_tpm_ak *ak,
				       ESYS_TR *out, struct ay_err *e);

/* Handles of a range [TPM2-P2 7.4] that the TPM has now, at most max. */
AY_MUST_USE enum ay_rc ay_tpm2_handles(struct ay_tpmdev *d, uint32_t first, uint32_t *out,
				       size_t max, size_t *n, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_tpm2_property(struct ay_tpmdev *d, uint32_t property, uint32_t *out,
					struct ay_err *e);
/* Contents of an NV index; AY_E_NOENT when it is not defined, not written or not readable. */
AY_MUST_USE enum ay_rc ay_tpm2_nv_read(struct ay_tpmdev *d, uint32_t index, struct ay_arena *a,
				       struct ay_bytes *out, struct ay_err *e);
/* Certificates of 0x01c00100-0x01c001ff; none is no failure. */
AY_MUST_USE enum ay_rc ay_tpm2_nv_chain(struct ay_tpmdev *d, struct ay_arena *a,
					struct ay_tpm_ek *out, struct ay_err *e);

/* What the TPM signed, copied into the arena. */
AY_MUST_USE enum ay_rc ay_tpm2_keep_attest(const TPM2B_ATTEST *attest, const TPMT_SIGNATURE *sig,
					   struct ay_arena *a, struct ay_tpm_quote *out,
					   struct ay_err *e);

/* tpm2_guard.c: remember the handles of others; remove what a crash of ours left. */
AY_MUST_USE enum ay_rc ay_tpm2_guard_begin(struct ay_tpmdev *d, struct ay_err *e);
void ay_tpm2_guard_end(struct ay_tpmdev *d);

/* The functions of the table that stand in other files than tpm2.c. */
enum ay_rc ay_tpm2_info(struct ay_tpmdev *d, struct ay_tpm_info *out, struct ay_err *e);
enum ay_rc ay_tpm2_ek_find(struct ay_tpmdev *d, enum ay_ek_kind kind, uint32_t nv_cert,
			   struct ay_arena *a, struct ay_tpm_ek *out, struct ay_err *e);
enum ay_rc ay_tpm2_ak_create(struct ay_tpmdev *d, const struct ay_ak_ask *ask, struct ay_arena *a,
			     struct ay_tpm_ak *out, struct ay_err *e);
enum ay_rc ay_tpm2_activate(struct ay_tpmdev *d, const struct ay_tpm_ak *ak,
			    struct ay_bytes id_object, struct ay_bytes encrypted,
			    uint8_t secret[AY_DIGEST_MAX], size_t *n, struct ay_err *e);
enum ay_rc ay_tpm2_quote(struct ay_tpmdev *d, const struct ay_tpm_ak *ak,
			 const struct ay_pcr_selection *s, struct ay_bytes qualifying,
			 struct ay_arena *a, struct ay_tpm_quote *out, struct ay_err *e);

enum ay_rc ay_tpm2_tag_begin(struct ay_tpmdev *d, const struct ay_tag_ca *ca, bool replace,
			     uint8_t nonce[32], size_t *n, bool *written, struct ay_err *e);
enum ay_rc ay_tpm2_tag_write(struct ay_tpmdev *d, const struct ay_tag_ca *ca,
			     const uint8_t contents[AY_TAG_CONTENTS], const uint8_t rs[64],
			     struct ay_err *e);
enum ay_rc ay_tpm2_tag_certify(struct ay_tpmdev *d, const struct ay_tpm_ak *ak,
			       ay_tag_qualify *qualify, const void *arg, struct ay_arena *a,
			       struct ay_tpm_quote *out, struct ay_err *e);

#endif
