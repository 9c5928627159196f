/* SPDX-License-Identifier: Apache-2.0 */
#include <tss2/tss2_mu.h>

#include "core/crypto/hash.h"
#include "core/tpm/tag_index.h"
#include "io/tpmdev/tpm2_priv.h"

/*
 * The asset tag's index (core/tpm/tag_index.h): define it, write it with the
 * tag CA's signature over this TPM's nonce, have the AK certify it. The policy
 * session lives from ay_tpm2_tag_begin() to ay_tpm2_tag_write() or to close.
 */

static enum ay_rc ca_key(const struct ay_tag_ca *ca, TPM2B_PUBLIC *out, struct ay_name *name,
			 struct ay_err *e)
{
	uint8_t buf[256];
	struct ay_public parsed;
	struct ay_writer w;
	struct ay_bytes pub;
	size_t at = 0;
	enum ay_rc rc;

	ay_wr_init(&w, buf, sizeof(buf));
	ay_tag_ca_public(AY_BYTES(ca->x), AY_BYTES(ca->y), &w);
	rc = ay_wr_end(&w, "tag.ca", &pub, e);
	if (rc == AY_OK)
		rc = ay_public_parse(pub, &parsed, e);
	if (rc != AY_OK)
		return rc;
	*out = (TPM2B_PUBLIC){ 0 };
	if (!ay_public_name(&parsed, name) ||
	    Tss2_MU_TPMT_PUBLIC_Unmarshal(pub.p, pub.n, &at, &out->publicArea) != TSS2_RC_SUCCESS)
		return ay_fail(e, AY_E_BUG, "tag.ca", 0, "the tag CA's key cannot be written");
	return AY_OK;
}

/* As the TPM shall have it; *out as TSS takes it. */
static enum ay_rc wanted(const struct ay_name *key, bool written, TPM2B_NV_PUBLIC *out,
			 struct ay_err *e)
{
	uint8_t buf[AY_TAG_NV_PUBLIC_MAX];
	struct ay_writer w;
	struct ay_bytes pub;
	size_t at = 0;

	*out = (TPM2B_NV_PUBLIC){ 0 };
	ay_wr_init(&w, buf, sizeof(buf));
	ay_tag_nv_public(ay_name_view(key), written, &w);
	if (ay_wr_end(&w, "tag.index", &pub, e) != AY_OK ||
	    Tss2_MU_TPMS_NV_PUBLIC_Unmarshal(pub.p, pub.n, &at, &out->nvPublic) != TSS2_RC_SUCCESS)
		return ay_fail(e, AY_E_BUG, "tag.index", 0, "the index cannot be written");
	return AY_OK;
}

/* The handle and Name of the index that is there; AY_E_NOENT. */
static enum ay_rc find_index(struct ay_tpmdev *d, ESYS_TR *index, struct ay_name *name,
			     struct ay_err *e)
{
	TPM2B_NAME *n = NULL;
	TSS2_RC r = Esys_TR_FromTPMPublic(d->esys, AY_TAG_INDEX, ESYS_TR_NONE, ESYS_TR_NONE,
					  ESYS_TR_NONE, index);

	*name = (struct ay_name){ 0 };
	if (r != TSS2_RC_SUCCESS) {
		*index = ESYS_TR_NONE;
		return ay_fail_code(e, AY_E_NOENT, "TAG_MISSING", "tag.index",
				    "NV index 0x%08x is not defined", AY_TAG_INDEX);
	}
	r = Esys_NV_ReadPublic(d->esys, *index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL, &n);
	if (r != TSS2_RC_SUCCESS)
		return ay_tpm2_fail(e, "tag.index", r);
	if (n->size <= sizeof(name->b)) {
		name->n = n->size;
		memcpy(name->b, n->name, n->size);
	}
	Esys_Free(n);
	return AY_OK;
}

static bool is_name(const struct ay_name *key, bool written, const struct ay_name *got)
{
	struct ay_name want;

	ay_tag_index_name(ay_name_view(key), written, &want);
	return ay_bytes_eq(ay_name_view(&want), ay_name_view(got));
}

static enum ay_rc define(struct ay_tpmdev *d, const struct ay_name *key, struct ay_err *e)
{
	const TPM2B_AUTH none = { 0 };
	TPM2B_NV_PUBLIC pub;
	enum ay_rc rc = wanted(key, false, &pub, e);
	TSS2_RC r;

	if (rc != AY_OK)
		return rc;
	r = Esys_NV_DefineSpace(d->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				ESYS_TR_NONE, &none, &pub, &d->tag_index);
	return r == TSS2_RC_SUCCESS ? AY_OK : ay_tpm2_fail(e, "tag.define", r);
}

/* There with the right Name, or made; one that is another is left, or replaced if so asked. */
static enum ay_rc need_index(struct ay_tpmdev *d, const struct ay_name *key, bool replace,
			     bool *written, struct ay_err *e)
{
	struct ay_name got;
	enum ay_rc rc = find_index(d, &d->tag_index, &got, e);

	*written = false;
	if (rc == AY_E_NOENT)
		return define(d, key, e);
	if (rc != AY_OK)
		return rc;
	*written = is_name(key, true, &got);
	if (*written || is_name(key, false, &got))
		return AY_OK;
	if (!replace)
		return ay_fail_code(e, AY_E_DENIED, "TAG_INDEX", "tag.index",
				    "NV index 0x%08x is there, but with other attributes or of "
				    "another tag CA",
				    AY_TAG_INDEX);
	TSS2_RC r = Esys_NV_UndefineSpace(d->esys, ESYS_TR_RH_OWNER, d->tag_index, ESYS_TR_PASSWORD,
					  ESYS_TR_NONE, ESYS_TR_NONE);

	d->tag_index = ESYS_TR_NONE;
	return r == TSS2_RC_SUCCESS ? define(d, key, e) : ay_tpm2_fail(e, "tag.undefine", r);
}

static enum ay_rc start_session(struct ay_tpmdev *d, uint8_t nonce[32], size_t *n, struct ay_err *e)
{
	const TPMT_SYM_DEF none = { .algorithm = TPM2_ALG_NULL };
	TPM2B_NONCE *got = NULL;
	TSS2_RC r = Esys_StartAuthSession(d->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
					  ESYS_TR_NONE, ESYS_TR_NONE, NULL, TPM2_SE_POLICY, &none,
					  TPM2_ALG_SHA256, &d->tag_session);

	if (r == TSS2_RC_SUCCESS)
		r = Esys_TRSess_GetNonceTPM(d->esys, d->tag_session, &got);
	if (r != TSS2_RC_SUCCESS)
		return ay_tpm2_fail(e, "tag.session", r);
	*n = got->size <= 32 ? got->size : 0;
	memcpy(nonce, got->buffer, *n);
	Esys_Free(got);
	return *n > 0 ? AY_OK : ay_fail(e, AY_E_UNAVAIL, "tag.session", 0, "no nonce");
}

enum ay_rc ay_tpm2_tag_begin(struct ay_tpmdev *d, const struct ay_tag_ca *ca, bool replace,
			     uint8_t nonce[32], size_t *n, bool *written, struct ay_err *e)
{
	TPM2B_PUBLIC pub;
	struct ay_name key;
	enum ay_rc rc = ca_key(ca, &pub, &key, e);

	*n = 0;
	d->tag_session = ESYS_TR_NONE;
	if (rc == AY_OK)
		rc = need_index(d, &key, replace, written, e);
	if (rc == AY_OK)
		rc = start_session(d, nonce, n, e);
	return rc;
}

/* The policy, in the order of ay_tag_policy(). */
static TSS2_RC satisfy(struct ay_tpmdev *d, ESYS_TR key, const struct ay_name *index,
		       const uint8_t contents[AY_TAG_CONTENTS], const uint8_t rs[64])
{
	TPM2B_NONCE ref = { .size = sizeof(AY_TAG_POLICY_REF) - 1 }, *nonce = NULL;
	TPM2B_DIGEST cp = { .size = 32 };
	TPMT_SIGNATURE sig = { .sigAlg = TPM2_ALG_ECDSA };
	TPMS_SIGNATURE_ECC *ecc = &sig.signature.ecdsa;
	TPM2B_TIMEOUT *timeout = NULL;
	TPMT_TK_AUTH *ticket = NULL;
	TSS2_RC r;

	memcpy(ref.buffer, AY_TAG_POLICY_REF, ref.size);
	ay_tag_cp_hash(index, contents, cp.buffer);
	ecc->hash = TPM2_ALG_SHA256;
	ecc->signatureR.size = ecc->signatureS.size = 32;
	memcpy(ecc->signatureR.buffer, rs, 32);
	memcpy(ecc->signatureS.buffer, rs + 32, 32);
	r = Esys_TRSess_GetNonceTPM(d->esys, d->tag_session, &nonce);
	if (r == TSS2_RC_SUCCESS)
		r = Esys_PolicySigned(d->esys, key, d->tag_session, ESYS_TR_NONE, ESYS_TR_NONE,
				      ESYS_TR_NONE, nonce, &cp, &ref, 0, &sig, &timeout, &ticket);
	if (r == TSS2_RC_SUCCESS)
		r = Esys_PolicyCommandCode(d->esys, d->tag_session, ESYS_TR_NONE, ESYS_TR_NONE,
					   ESYS_TR_NONE, TPM2_CC_NV_Write);
	Esys_Free(nonce);
	Esys_Free(timeout);
	Esys_Free(ticket);
	return r;
}

static enum ay_rc write_with(struct ay_tpmdev *d, ESYS_TR key,
			     const uint8_t contents[AY_TAG_CONTENTS], const uint8_t rs[64],
			     struct ay_err *e)
{
	TPM2B_MAX_NV_BUFFER data = { .size = AY_TAG_CONTENTS };
	struct ay_name name;
	enum ay_rc rc = find_index(d, &d->tag_index, &name, e);
	TSS2_RC r;

	if (rc != AY_OK)
		return rc;
	memcpy(data.buffer, contents, AY_TAG_CONTENTS);
	r = satisfy(d, key, &name, contents, rs);
	if (r != TSS2_RC_SUCCESS)
		return ay_err_coded(e, ay_tpm2_fail(e, "tag.policy", r), "TAG_PERMIT");
	r = Esys_NV_Write(d->esys, d->tag_index, d->tag_index, d->tag_session, ESYS_TR_NONE,
			  ESYS_TR_NONE, &data, 0);
	return r == TSS2_RC_SUCCESS ? AY_OK : ay_tpm2_fail(e, "tag.write", r);
}

enum ay_rc ay_tpm2_tag_write(struct ay_tpmdev *d, const struct ay_tag_ca *ca,
			     const uint8_t contents[AY_TAG_CONTENTS], const uint8_t rs[64],
			     struct ay_err *e)
{
	ESYS_TR key = ESYS_TR_NONE;
	TPM2B_PUBLIC pub;
	struct ay_name name;
	enum ay_rc rc = ca_key(ca, &pub, &name, e);

	if (rc != AY_OK)
		return rc;
	if (d->esys == NULL || d->tag_session == ESYS_TR_NONE)
		return ay_fail_code(e, AY_E_UNAVAIL, "TAG_SESSION", "tag.session",
				    "the TPM was needed for something else in between: begin anew");
	TSS2_RC r = Esys_LoadExternal(d->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, NULL, &pub,
				      ESYS_TR_RH_NULL, &key);

	rc = r == TSS2_RC_SUCCESS ? write_with(d, key, contents, rs, e)
				  : ay_tpm2_fail(e, "tag.ca", r);
	ay_tpm2_flush(d, &key);
	ay_tpm2_auth_end(d, &d->tag_session);
	return rc;
}

static enum ay_rc certify(struct ay_tpmdev *d, ESYS_TR ak, ESYS_TR index,
			  struct ay_bytes qualifying, struct ay_arena *a, struct ay_tpm_quote *out,
			  struct ay_err *e)
{
	TPM2B_DATA data = { .size = (UINT16)qualifying.n };
	TPMT_SIG_SCHEME scheme = { .scheme = TPM2_ALG_NULL };
	TPM2B_ATTEST *attest = NULL;
	TPMT_SIGNATURE *sig = NULL;
	enum ay_rc rc;

	memcpy(data.buffer, qualifying.p, qualifying.n);
	TSS2_RC r =
		Esys_NV_Certify(d->esys, ak, index, index, ESYS_TR_PASSWORD, ESYS_TR_PASSWORD,
				ESYS_TR_NONE, &data, &scheme, AY_TAG_CONTENTS, 0, &attest, &sig);

	if (r != TSS2_RC_SUCCESS)
		return ay_tpm2_fail(e, "tag.certify", r);
	rc = ay_tpm2_keep_attest(attest, sig, a, out, e);
	Esys_Free(attest);
	Esys_Free(sig);
	return rc;
}

enum ay_rc ay_tpm2_tag_certify(struct ay_tpmdev *d, const struct ay_tpm_ak *ak,
			       ay_tag_qualify *qualify, const void *arg, struct ay_arena *a,
			       struct ay_tpm_quote *out, struct ay_err *e)
{
	uint8_t x[32], data[AY_QUALIFY_BYTES];
	ESYS_TR key = ESYS_TR_NONE, index;
	struct ay_name name;
	enum ay_rc rc = find_index(d, &index, &name, e);

	*out = (struct ay_tpm_quote){ 0 };
	if (rc != AY_OK)
		return rc;
	ay_sha256(ay_name_view(&name), x);
	qualify(arg, x, data);
	rc = ay_tpm2_ak_load(d, ak, &key, e);
	if (rc == AY_OK)
		rc = certify(d, key, index, AY_BYTES(data), a, out, e);
	ay_tpm2_flush(d, &key);
	return rc;
}
