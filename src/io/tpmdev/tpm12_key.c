/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/identity12.h"
#include "io/sys/rng.h"
#include "io/tpmdev/tpm12_priv.h"

enum { NV_EK_CERT = 0x1000f000, PUBKEY_MAX = 1024 };

/* ---- endorsement key ---- */

static enum ay_rc read_pubek(struct ay_tpmdev *d, struct ay_arena *a, struct ay_bytes *pub,
			     struct ay_err *e)
{
	struct ay_call12 x = { 0 };
	uint8_t nonce[AY_SHA1_BYTES];
	enum ay_rc rc;

	ay_rng_bytes(nonce, sizeof(nonce));
	ay_cmd12_begin(&x.c, AY_ORD12_READ_PUBEK);
	ay_wr_bytes(&x.c.w, AY_BYTES(nonce));
	rc = ay_tpm12_call(d, &x, 0, e);
	if (rc == AY_OK)
		rc = ay_pubek12_parse(x.reply, nonce, pub, e);
	if (rc == AY_OK)
		*pub = ay_arena_dup(a, *pub);
	return rc;
}

/* An owned TPM tells its EK to the owner only. */
static enum ay_rc owner_reads(struct ay_tpmdev *d, struct ay_arena *a, struct ay_bytes *pub,
			      struct ay_err *e)
{
	struct ay_call12 x = { 0 };
	enum ay_rc rc = ay_tpm12_oiap(d, &x, d->owner, e);

	if (rc == AY_OK) {
		ay_cmd12_begin(&x.c, AY_ORD12_OWNER_READ_INTERNAL_PUB);
		ay_wr_be32(&x.c.w, AY_KH12_EK);
		rc = ay_tpm12_call(d, &x, 0, e);
	}
	if (rc == AY_OK)
		*pub = ay_arena_dup(a, x.reply);
	ay_tpm12_abandon(d, &x);
	return rc;
}

/* One spelling of it, since its hash is what operators approve. */
static enum ay_rc check_ek(struct ay_bytes pub, struct ay_err *e)
{
	struct ay_public12 k;
	enum ay_rc rc = ay_public12_parse(pub, &k, e);
	const char *why = rc == AY_OK ? ay_ek12_fault(&k) : NULL;

	if (why != NULL)
		return ay_fail(e, AY_E_UNAVAIL, "ek", 0, "endorsement key is %s", why);
	return rc;
}

enum ay_rc ay_tpm12_ek_find(struct ay_tpmdev *d, enum ay_ek_kind kind, uint32_t nv_cert,
			    struct ay_arena *a, struct ay_tpm_ek *out, struct ay_err *e)
{
	struct ay_tpm_ek ek = { .nv_cert = NV_EK_CERT, .kind = AY_EK_RSA_2048 };
	bool owned;
	enum ay_rc rc = ay_tpm12_is_owned(d, &owned, e);

	*out = (struct ay_tpm_ek){ 0 };
	if ((kind != AY_EK_AUTO && kind != AY_EK_RSA && kind != AY_EK_RSA_2048) ||
	    (nv_cert != 0 && nv_cert != NV_EK_CERT))
		return ay_fail(e, AY_E_NOENT, "ek", 0, "a TPM 1.2 has one EK, of RSA 2048");
	if (rc == AY_OK)
		rc = owned ? owner_reads(d, a, &ek.pub, e) : read_pubek(d, a, &ek.pub, e);
	if (rc == AY_OK && ek.pub.p == NULL)
		rc = ay_fail(e, AY_E_NOMEM, "ek", 0, "no memory");
	if (rc == AY_OK)
		rc = check_ek(ek.pub, e);
	if (rc == AY_OK)
		rc = ay_tpm12_nv_read(d, NV_EK_CERT, a, &ek.cert, e);
	if (rc == AY_E_NOENT) /* many chips have none: an operator approves the EK */
		rc = AY_OK;
	if (rc == AY_OK)
		*out = ek;
	return rc;
}

/* ---- identity key ---- */

static enum ay_rc keep(struct ay_arena *a, const struct ay_identity12 *id, struct ay_tpm_ak *out,
		       struct ay_err *e)
{
	struct ay_tpm_ak ak = { .ek_nv = NV_EK_CERT };
	uint8_t buf[PUBKEY_MAX];
	struct ay_public12 pub;
	struct ay_writer w;
	struct ay_bytes b;
	uint16_t usage;
	enum ay_rc rc = ay_key12_parse(id->key, &pub, &usage, e);

	if (rc != AY_OK)
		return rc;
	if (usage != AY_USAGE12_IDENTITY || ay_ak12_fault(&pub) != NULL)
		return ay_fail(e, AY_E_UNAVAIL, "ak", 0, "the TPM made another kind of key");
	ay_wr_init(&w, buf, sizeof(buf));
	ay_public12_write(&w, &pub);
	rc = ay_wr_end(&w, "ak", &b, e);
	if (rc != AY_OK)
		return rc;
	ak.pub = ay_arena_dup(a, b);
	ak.priv = ay_arena_dup(a, id->key);
	ak.binding = ay_arena_dup(a, id->binding);
	if (ak.pub.p == NULL || ak.priv.p == NULL || ak.binding.p == NULL)
		return ay_fail(e, AY_E_NOMEM, "ak", 0, "no memory");
	*out = ak;
	return AY_OK;
}

/* [TPM12-P3 15.1]: the SRK's session first, then the owner's, which also carries the new secret. */
static enum ay_rc make_identity(struct ay_tpmdev *d, const uint8_t label[AY_SHA1_BYTES],
				struct ay_call12 *x, struct ay_err *e)
{
	uint8_t secret[AY_SHA1_BYTES];
	enum ay_rc rc = ay_tpm12_oiap(d, x, d->srk, e);

	if (rc == AY_OK)
		rc = ay_tpm12_osap(d, x, AY_ET12_OWNER, AY_KH12_OWNER, d->owner, e);
	if (rc == AY_OK && !ay_adip12(&x->auth[1], ay_tpm12_well_known, secret))
		rc = ay_fail(e, AY_E_BUG, "ak", 0, "no ADIP");
	if (rc != AY_OK)
		return rc;
	ay_cmd12_begin(&x->c, AY_ORD12_MAKE_IDENTITY);
	ay_wr_bytes(&x->c.w, AY_BYTES(secret));
	ay_wr_bytes(&x->c.w, (struct ay_bytes){ label, AY_SHA1_BYTES });
	ay_key12_template_write(&x->c.w, AY_USAGE12_IDENTITY);
	return ay_tpm12_call(d, x, 0, e);
}

static enum ay_rc need_owner(struct ay_tpmdev *d, struct ay_err *e)
{
	bool owned;
	enum ay_rc rc = ay_tpm12_is_owned(d, &owned, e);

	if (rc == AY_OK && !owned)
		rc = ay_fail_code(e, AY_E_UNAVAIL, "TPM_UNOWNED", "tpm.owner",
				  "the TPM 1.2 has no owner: run `assay-agent take-ownership` "
				  "(needs allow = take-ownership)");
	return rc;
}

enum ay_rc ay_tpm12_ak_create(struct ay_tpmdev *d, const struct ay_ak_ask *ask, struct ay_arena *a,
			      struct ay_tpm_ak *out, struct ay_err *e)
{
	struct ay_call12 x = { 0 };
	struct ay_identity12 id;
	enum ay_rc rc;

	*out = (struct ay_tpm_ak){ 0 };
	if (ask->kind != AY_AK_AUTO && ask->kind != AY_AK_RSA_2048)
		return ay_fail(e, AY_E_NOENT, "ak", 0, "a TPM 1.2 makes RSA keys only");
	if (ask->label_digest == NULL)
		return ay_fail(e, AY_E_BUG, "ak", 0, "no label");
	rc = need_owner(d, e);
	if (rc == AY_OK)
		rc = make_identity(d, ask->label_digest, &x, e);
	if (rc == AY_OK)
		rc = ay_identity12_parse(x.reply, &id, e);
	if (rc == AY_OK)
		rc = keep(a, &id, out, e);
	ay_tpm12_abandon(d, &x);
	return rc;
}

enum ay_rc ay_tpm12_load(struct ay_tpmdev *d, struct ay_bytes key, uint32_t *handle,
			 struct ay_err *e)
{
	struct ay_call12 x = { 0 };
	enum ay_rc rc = ay_tpm12_oiap(d, &x, d->srk, e);

	if (rc == AY_OK) {
		ay_cmd12_begin(&x.c, AY_ORD12_LOAD_KEY2);
		ay_wr_be32(&x.c.w, AY_KH12_SRK);
		ay_cmd12_params(&x.c);
		ay_wr_bytes(&x.c.w, key);
		rc = ay_tpm12_call(d, &x, 1, e);
	}
	*handle = rc == AY_OK ? x.handle : 0;
	ay_tpm12_abandon(d, &x);
	return rc;
}

/* ---- activation ---- */

static enum ay_rc activate(struct ay_tpmdev *d, uint32_t key, struct ay_bytes asym,
			   struct ay_bytes sym, struct ay_secret *out, struct ay_err *e)
{
	struct ay_call12 x = { 0 };
	enum ay_rc rc = ay_tpm12_oiap(d, &x, ay_tpm12_well_known, e);

	if (rc == AY_OK)
		rc = ay_tpm12_oiap(d, &x, d->owner, e);
	if (rc == AY_OK) {
		ay_cmd12_begin(&x.c, AY_ORD12_ACTIVATE_IDENTITY);
		ay_wr_be32(&x.c.w, key);
		ay_cmd12_params(&x.c);
		ay_wr_vec32(&x.c.w, asym);
		rc = ay_tpm12_call(d, &x, 0, e);
		if (rc == AY_E_UNAVAIL && x.c.code != AY_RC12_OK)
			rc = AY_E_CRYPTO; /* not for this EK, or not for this AK */
	}
	if (rc == AY_OK)
		rc = ay_credential12_open(sym, x.reply, out, e);
	ay_tpm12_abandon(d, &x);
	return rc;
}

enum ay_rc ay_tpm12_activate(struct ay_tpmdev *d, const struct ay_tpm_ak *ak, struct ay_bytes sym,
			     struct ay_bytes asym, uint8_t secret[AY_DIGEST_MAX], size_t *n,
			     struct ay_err *e)
{
	AY_CLEANUP(ay_secret_wipe) struct ay_secret s = { 0 };
	uint32_t key;
	enum ay_rc rc = ay_tpm12_load(d, ak->priv, &key, e);

	_Static_assert(AY_DIGEST_MAX >= AY_SECRET_MAX, "a secret fits");
	*n = 0;
	if (rc != AY_OK)
		return rc;
	rc = activate(d, key, asym, sym, &s, e);
	ay_tpm12_flush(d, key, AY_RT12_KEY);
	if (rc != AY_OK)
		return rc;
	memcpy(secret, s.b, s.n);
	*n = s.n;
	return AY_OK;
}
