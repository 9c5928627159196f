/* SPDX-License-Identifier: Apache-2.0 */
#include <tss2/tss2_mu.h>

#include "io/tpmdev/tpm2_priv.h"

/* A template of the TPM's own in NV goes before ours [TCG-EK 2.2.1.4]. */
static enum ay_rc template_from_nv(struct ay_tpmdev *d, uint32_t index, struct ay_arena *a,
				   TPM2B_PUBLIC *out, struct ay_err *e)
{
	struct ay_bytes b;
	size_t at = 0;
	enum ay_rc rc = ay_tpm2_nv_read(d, index, a, &b, e);

	if (rc != AY_OK)
		return rc;
	out->size = 0;
	if (Tss2_MU_TPMT_PUBLIC_Unmarshal(b.p, b.n, &at, &out->publicArea) != TSS2_RC_SUCCESS)
		return ay_fail(e, AY_E_INPUT, "nv.template", 0, "0x%08x holds no TPMT_PUBLIC",
			       index);
	return AY_OK;
}

/* The nonce fills unique, zeroes after it. */
static void put_nonce(TPM2B_PUBLIC *p, struct ay_bytes nonce)
{
	bool rsa = p->publicArea.type == TPM2_ALG_RSA;
	uint8_t *to = rsa ? p->publicArea.unique.rsa.buffer : p->publicArea.unique.ecc.x.buffer;
	size_t room = rsa ? 256 : 32;

	if (nonce.n > room)
		nonce.n = room;
	memset(to, 0, room);
	memcpy(to, nonce.p, nonce.n);
	if (rsa) {
		p->publicArea.unique.rsa.size = 256;
	} else {
		p->publicArea.unique.ecc.x.size = 32;
		p->publicArea.unique.ecc.y.size = 32;
	}
}

static enum ay_rc choose_public(struct ay_tpmdev *d, const struct ay_tpm2_template *t,
				struct ay_arena *a, TPM2B_PUBLIC *out, struct ay_err *e)
{
	struct ay_bytes nonce;
	enum ay_rc rc;

	ay_tpm2_template_public(t, out);
	if (t->nv_template != 0) {
		rc = template_from_nv(d, t->nv_template, a, out, e);
		if (rc != AY_OK && rc != AY_E_NOENT)
			return rc;
	}
	if (t->nv_nonce != 0) {
		rc = ay_tpm2_nv_read(d, t->nv_nonce, a, &nonce, e);
		if (rc == AY_OK)
			put_nonce(out, nonce);
		else if (rc != AY_E_NOENT)
			return rc;
	}
	return AY_OK;
}

static enum ay_rc create_primary(struct ay_tpmdev *d, const TPM2B_PUBLIC *in, ESYS_TR *ek,
				 TPM2B_PUBLIC **pub, struct ay_err *e)
{
	TPM2B_SENSITIVE_CREATE sensitive = { 0 };
	TPM2B_DATA outside = { 0 };
	TPML_PCR_SELECTION pcrs = { 0 };
	TPM2B_PUBLIC *made = NULL;
	TSS2_RC r = Esys_CreatePrimary(d->esys, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD,
				       ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, in, &outside, &pcrs,
				       ek, &made, NULL, NULL, NULL);

	if (r != TSS2_RC_SUCCESS) {
		*ek = ESYS_TR_NONE;
		return ay_tpm2_fail(e, "ek.create", r);
	}
	if (pub != NULL)
		*pub = made;
	else
		Esys_Free(made);
	return AY_OK;
}

enum ay_rc ay_tpm2_ek_make(struct ay_tpmdev *d, const struct ay_tpm2_template *t, ESYS_TR *ek,
			   TPM2B_PUBLIC **pub, struct ay_err *e)
{
	AY_CLEANUP(ay_arena_fini) struct ay_arena a;
	TPM2B_PUBLIC in;
	enum ay_rc rc;

	*ek = ESYS_TR_NONE;
	ay_arena_init(&a, 256 * 1024);
	rc = choose_public(d, t, &a, &in, e);
	return rc == AY_OK ? create_primary(d, &in, ek, pub, e) : rc;
}

static TSS2_RC start_policy(struct ay_tpmdev *d, uint16_t hash, ESYS_TR *session)
{
	TPMT_SYM_DEF none = { .algorithm = TPM2_ALG_NULL };
	TSS2_RC r = Esys_StartAuthSession(d->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
					  ESYS_TR_NONE, ESYS_TR_NONE, NULL, TPM2_SE_POLICY, &none,
					  hash, session);

	if (r != TSS2_RC_SUCCESS) {
		*session = ESYS_TR_NONE;
		return r;
	}
	return Esys_PolicySecret(d->esys, ESYS_TR_RH_ENDORSEMENT, *session, ESYS_TR_PASSWORD,
				 ESYS_TR_NONE, ESYS_TR_NONE, NULL, NULL, NULL, 0, NULL, NULL);
}

enum ay_rc ay_tpm2_ek_auth(struct ay_tpmdev *d, const struct ay_tpm2_template *t, ESYS_TR *session,
			   struct ay_err *e)
{
	TSS2_RC r;

	*session = ESYS_TR_PASSWORD;
	if (t->user_auth)
		return AY_OK;
	r = start_policy(d, t->name_alg, session);
	if (r != TSS2_RC_SUCCESS) {
		ay_tpm2_auth_end(d, session);
		return ay_tpm2_fail(e, "ek.policy", r);
	}
	return AY_OK;
}

void ay_tpm2_auth_end(struct ay_tpmdev *d, ESYS_TR *session)
{
	if (*session != ESYS_TR_PASSWORD)
		ay_tpm2_flush(d, session);
	*session = ESYS_TR_NONE;
}

static bool kind_fits(enum ay_ek_kind asked, enum ay_ek_kind k)
{
	bool rsa = k == AY_EK_RSA_2048 || k == AY_EK_RSA_3072;

	return asked == AY_EK_AUTO || asked == k || (asked == AY_EK_RSA && rsa) ||
	       (asked == AY_EK_ECC && !rsa);
}

/* AY_E_NOENT when no template of the kind asked has a certificate. */
static enum ay_rc find_certified(struct ay_tpmdev *d, enum ay_ek_kind kind, uint32_t nv_cert,
				 struct ay_arena *a, struct ay_tpm_ek *out, struct ay_err *e)
{
	for (const struct ay_tpm2_template *t = ay_tpm2_templates(); t->nv_cert != 0; t++) {
		enum ay_rc rc;

		if (nv_cert != 0 ? t->nv_cert != nv_cert : !kind_fits(kind, t->kind))
			continue;
		rc = ay_tpm2_nv_read(d, t->nv_cert, a, &out->cert, e);
		if (rc == AY_E_NOENT)
			continue;
		out->nv_cert = t->nv_cert;
		out->kind = t->kind;
		return rc;
	}
	return ay_fail(e, AY_E_NOENT, "ek", 0,
		       "the TPM holds no certificate for an EK of this kind");
}

static enum ay_rc keep_public(const TPM2B_PUBLIC *pub, struct ay_arena *a, struct ay_bytes *out,
			      struct ay_err *e)
{
	uint8_t b[sizeof(TPM2B_PUBLIC)];
	size_t n = 0;

	if (Tss2_MU_TPMT_PUBLIC_Marshal(&pub->publicArea, b, sizeof(b), &n) != TSS2_RC_SUCCESS)
		return ay_fail(e, AY_E_BUG, "ek.public", 0, "cannot be written");
	*out = ay_arena_dup(a, (struct ay_bytes){ b, n });
	return out->p != NULL ? AY_OK : ay_fail(e, AY_E_NOMEM, "ek.public", 0, "no memory");
}

static enum ay_rc make_and_keep(struct ay_tpmdev *d, const struct ay_tpm2_template *t,
				struct ay_arena *a, struct ay_tpm_ek *out, struct ay_err *e)
{
	ESYS_TR ek;
	TPM2B_PUBLIC *pub = NULL;
	enum ay_rc rc = ay_tpm2_ek_make(d, t, &ek, &pub, e);

	if (rc != AY_OK)
		return rc;
	ay_tpm2_flush(d, &ek);
	rc = keep_public(pub, a, &out->pub, e);
	Esys_Free(pub);
	out->nv_cert = t->nv_cert;
	out->kind = t->kind;
	return rc;
}

/* Without any certificate: the first template that the TPM can make. */
static enum ay_rc make_first(struct ay_tpmdev *d, enum ay_ek_kind kind, uint32_t nv_cert,
			     struct ay_arena *a, struct ay_tpm_ek *out, struct ay_err *e)
{
	enum ay_rc rc = ay_fail(e, AY_E_UNAVAIL, "ek", 0, "the TPM cannot make an EK of this kind");

	for (const struct ay_tpm2_template *t = ay_tpm2_templates(); t->nv_cert != 0; t++) {
		if (nv_cert != 0 ? t->nv_cert != nv_cert : !kind_fits(kind, t->kind))
			continue;
		rc = make_and_keep(d, t, a, out, e);
		if (rc == AY_OK)
			break;
	}
	return rc;
}

enum ay_rc ay_tpm2_ek_find(struct ay_tpmdev *d, enum ay_ek_kind kind, uint32_t nv_cert,
			   struct ay_arena *a, struct ay_tpm_ek *out, struct ay_err *e)
{
	struct ay_tpm_ek ek = { 0 };
	enum ay_rc rc = find_certified(d, kind, nv_cert, a, &ek, e);

	if (rc == AY_OK)
		rc = make_and_keep(d, ay_tpm2_template_find(ek.nv_cert), a, &ek, e);
	else if (rc == AY_E_NOENT)
		rc = make_first(d, kind, nv_cert, a, &ek, e);
	if (rc == AY_OK)
		rc = ay_tpm2_nv_chain(d, a, &ek, e);
	*out = rc == AY_OK ? ek : (struct ay_tpm_ek){ 0 };
	return rc;
}
