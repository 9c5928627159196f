/* SPDX-License-Identifier: Apache-2.0 */
#include <tss2/tss2_mu.h>

#include "core/crypto/hash.h"
#include "core/crypto/secret.h"
#include "io/tpmdev/tpm2_priv.h"

static void ak_public(enum ay_ak_kind kind, TPM2B_PUBLIC *out)
{
	TPMT_PUBLIC *p = &out->publicArea;

	*out = (TPM2B_PUBLIC){ 0 };
	p->nameAlg = TPM2_ALG_SHA256;
	p->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
			      TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_USERWITHAUTH |
			      TPMA_OBJECT_NODA | TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT;
	if (kind == AY_AK_RSA_2048) {
		TPMS_RSA_PARMS *r = &p->parameters.rsaDetail;

		p->type = TPM2_ALG_RSA;
		r->symmetric.algorithm = TPM2_ALG_NULL;
		r->scheme.scheme = TPM2_ALG_RSASSA;
		r->scheme.details.rsassa.hashAlg = TPM2_ALG_SHA256;
		r->keyBits = 2048;
		return;
	}
	TPMS_ECC_PARMS *c = &p->parameters.eccDetail;

	p->type = TPM2_ALG_ECC;
	c->symmetric.algorithm = TPM2_ALG_NULL;
	c->scheme.scheme = TPM2_ALG_ECDSA;
	c->scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
	c->curveID = TPM2_ECC_NIST_P256;
	c->kdf.scheme = TPM2_ALG_NULL;
}

/* ECDSA P-256, or RSA where the TPM has no such curve. */
static enum ay_ak_kind kind_for(struct ay_tpmdev *d, enum ay_ak_kind asked)
{
	TPMS_CAPABILITY_DATA *cap = NULL;
	TPMI_YES_NO more;
	enum ay_ak_kind k = AY_AK_RSA_2048;

	if (asked != AY_AK_AUTO)
		return asked;
	if (Esys_GetCapability(d->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
			       TPM2_CAP_ECC_CURVES, TPM2_ECC_NIST_P256, 1, &more,
			       &cap) != TSS2_RC_SUCCESS)
		return k;
	if (cap->data.eccCurves.count > 0 && cap->data.eccCurves.eccCurves[0] == TPM2_ECC_NIST_P256)
		k = AY_AK_ECDSA_P256;
	Esys_Free(cap);
	return k;
}

static enum ay_rc keep(const TPM2B_PUBLIC *pub, const TPM2B_PRIVATE *priv, struct ay_arena *a,
		       struct ay_tpm_ak *out, struct ay_err *e)
{
	uint8_t b[sizeof(TPM2B_PUBLIC)];
	size_t n = 0;

	if (Tss2_MU_TPMT_PUBLIC_Marshal(&pub->publicArea, b, sizeof(b), &n) != TSS2_RC_SUCCESS)
		return ay_fail(e, AY_E_BUG, "ak.public", 0, "cannot be written");
	out->pub = ay_arena_dup(a, (struct ay_bytes){ b, n });
	out->priv = ay_arena_dup(a, (struct ay_bytes){ priv->buffer, priv->size });
	if (out->pub.p == NULL || out->priv.p == NULL)
		return ay_fail(e, AY_E_NOMEM, "ak", 0, "no memory");
	return AY_OK;
}

static TSS2_RC create_under(struct ay_tpmdev *d, ESYS_TR ek, ESYS_TR auth, enum ay_ak_kind kind,
			    TPM2B_PUBLIC **pub, TPM2B_PRIVATE **priv)
{
	TPM2B_SENSITIVE_CREATE sensitive = { 0 };
	TPM2B_DATA outside = { 0 };
	TPML_PCR_SELECTION pcrs = { 0 };
	TPM2B_PUBLIC in;

	ak_public(kind, &in);
	return Esys_Create(d->esys, ek, auth, ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &in, &outside,
			   &pcrs, priv, pub, NULL, NULL, NULL);
}

static enum ay_rc need_template(uint32_t nv_cert, const struct ay_tpm2_template **t,
				struct ay_err *e)
{
	*t = ay_tpm2_template_find(nv_cert);
	if (*t == NULL)
		return ay_fail(e, AY_E_INPUT, "ek", 0, "0x%08x names no EK template", nv_cert);
	return AY_OK;
}

enum ay_rc ay_tpm2_ak_create(struct ay_tpmdev *d, const struct ay_ak_ask *ask, struct ay_arena *a,
			     struct ay_tpm_ak *out, struct ay_err *e)
{
	const struct ay_tpm2_template *t;
	ESYS_TR ek = ESYS_TR_NONE, auth = ESYS_TR_NONE;
	TPM2B_PUBLIC *pub = NULL;
	TPM2B_PRIVATE *priv = NULL;
	enum ay_rc rc = need_template(ask->ek_nv, &t, e);

	*out = (struct ay_tpm_ak){ 0 };
	if (rc == AY_OK)
		rc = ay_tpm2_ek_make(d, t, &ek, NULL, e);
	if (rc == AY_OK)
		rc = ay_tpm2_ek_auth(d, t, &auth, e);
	if (rc == AY_OK) {
		TSS2_RC r = create_under(d, ek, auth, kind_for(d, ask->kind), &pub, &priv);

		rc = r == TSS2_RC_SUCCESS ? keep(pub, priv, a, out, e)
					  : ay_tpm2_fail(e, "ak.create", r);
		out->ek_nv = ask->ek_nv;
	}
	ay_tpm2_auth_end(d, &auth);
	ay_tpm2_flush(d, &ek);
	Esys_Free(pub);
	Esys_Free(priv);
	return rc;
}

static enum ay_rc parts_of(const struct ay_tpm_ak *ak, TPM2B_PUBLIC *pub, TPM2B_PRIVATE *priv,
			   struct ay_err *e)
{
	size_t at = 0;

	*pub = (TPM2B_PUBLIC){ 0 };
	*priv = (TPM2B_PRIVATE){ 0 };
	if (Tss2_MU_TPMT_PUBLIC_Unmarshal(ak->pub.p, ak->pub.n, &at, &pub->publicArea) !=
		    TSS2_RC_SUCCESS ||
	    at != ak->pub.n || ak->priv.n > sizeof(priv->buffer))
		return ay_fail(e, AY_E_INPUT, "ak", 0, "the saved parts of the AK are damaged");
	priv->size = (UINT16)ak->priv.n;
	memcpy(priv->buffer, ak->priv.p, ak->priv.n);
	return AY_OK;
}

static enum ay_rc load_under(struct ay_tpmdev *d, const struct ay_tpm_ak *ak,
			     const struct ay_tpm2_template *t, ESYS_TR *out, struct ay_err *e)
{
	ESYS_TR ek = ESYS_TR_NONE, auth = ESYS_TR_NONE;
	TPM2B_PUBLIC pub;
	TPM2B_PRIVATE priv;
	enum ay_rc rc = parts_of(ak, &pub, &priv, e);

	if (rc == AY_OK)
		rc = ay_tpm2_ek_make(d, t, &ek, NULL, e);
	if (rc == AY_OK)
		rc = ay_tpm2_ek_auth(d, t, &auth, e);
	if (rc == AY_OK) {
		TSS2_RC r =
			Esys_Load(d->esys, ek, auth, ESYS_TR_NONE, ESYS_TR_NONE, &priv, &pub, out);

		if (r != TSS2_RC_SUCCESS) {
			*out = ESYS_TR_NONE;
			rc = ay_tpm2_fail(e, "ak.load", r);
		}
	}
	ay_tpm2_auth_end(d, &auth);
	ay_tpm2_flush(d, &ek);
	return rc;
}

/* A saved context is good until the TPM is reset; after that the parts are loaded anew. */
static bool load_saved(struct ay_tpmdev *d, const uint8_t of[32], ESYS_TR *out)
{
	if (d->saved == NULL || memcmp(of, d->saved_of, 32) != 0)
		return false;
	if (Esys_ContextLoad(d->esys, d->saved, out) == TSS2_RC_SUCCESS)
		return true;
	*out = ESYS_TR_NONE;
	Esys_Free(d->saved);
	d->saved = NULL;
	return false;
}

enum ay_rc ay_tpm2_ak_load(struct ay_tpmdev *d, const struct ay_tpm_ak *ak, ESYS_TR *out,
			   struct ay_err *e)
{
	const struct ay_tpm2_template *t;
	uint8_t of[32];
	enum ay_rc rc = need_template(ak->ek_nv, &t, e);

	*out = ESYS_TR_NONE;
	if (rc != AY_OK)
		return rc;
	ay_sha256(ak->pub, of);
	if (load_saved(d, of, out))
		return AY_OK;
	rc = load_under(d, ak, t, out, e);
	if (rc != AY_OK)
		return rc;
	Esys_Free(d->saved);
	d->saved = NULL;
	if (Esys_ContextSave(d->esys, *out, &d->saved) == TSS2_RC_SUCCESS)
		memcpy(d->saved_of, of, sizeof(of));
	return AY_OK;
}

static TSS2_RC activate_with(struct ay_tpmdev *d, ESYS_TR ak, ESYS_TR ek, ESYS_TR auth,
			     struct ay_bytes id_object, struct ay_bytes encrypted,
			     TPM2B_DIGEST **out)
{
	TPM2B_ID_OBJECT id = { 0 };
	TPM2B_ENCRYPTED_SECRET secret = { 0 };

	if (id_object.n > sizeof(id.credential) || encrypted.n > sizeof(secret.secret))
		return TPM2_RC_SIZE;
	id.size = (UINT16)id_object.n;
	memcpy(id.credential, id_object.p, id_object.n);
	secret.size = (UINT16)encrypted.n;
	memcpy(secret.secret, encrypted.p, encrypted.n);
	return Esys_ActivateCredential(d->esys, ak, ek, ESYS_TR_PASSWORD, auth, ESYS_TR_NONE, &id,
				       &secret, out);
}

enum ay_rc ay_tpm2_activate(struct ay_tpmdev *d, const struct ay_tpm_ak *ak,
			    struct ay_bytes id_object, struct ay_bytes encrypted,
			    uint8_t secret[AY_DIGEST_MAX], size_t *n, struct ay_err *e)
{
	const struct ay_tpm2_template *t;
	ESYS_TR key = ESYS_TR_NONE, ek = ESYS_TR_NONE, auth = ESYS_TR_NONE;
	TPM2B_DIGEST *out = NULL;
	enum ay_rc rc = need_template(ak->ek_nv, &t, e);

	*n = 0;
	if (rc == AY_OK)
		rc = ay_tpm2_ak_load(d, ak, &key, e);
	if (rc == AY_OK)
		rc = ay_tpm2_ek_make(d, t, &ek, NULL, e);
	if (rc == AY_OK)
		rc = ay_tpm2_ek_auth(d, t, &auth, e);
	if (rc == AY_OK) {
		TSS2_RC r = activate_with(d, key, ek, auth, id_object, encrypted, &out);

		if (r != TSS2_RC_SUCCESS)
			rc = ay_fail_code(e, AY_E_CRYPTO, "ACTIVATION", "credential",
					  "the TPM refuses the credential (0x%x)", (unsigned)r);
	}
	if (rc == AY_OK && out->size <= AY_DIGEST_MAX) {
		memcpy(secret, out->buffer, out->size);
		*n = out->size;
	}
	if (out != NULL)
		ay_wipe(out, sizeof(*out));
	Esys_Free(out);
	ay_tpm2_auth_end(d, &auth);
	ay_tpm2_flush(d, &ek);
	ay_tpm2_flush(d, &key);
	return rc;
}
