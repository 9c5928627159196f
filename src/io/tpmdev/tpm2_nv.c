/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tpmdev/tpm2_priv.h"

enum {
	NV_CHAIN_FIRST = 0x01c00100,
	NV_CHAIN_LAST = 0x01c001ff,
	NV_CHAIN_MAX = 64, /* indices */
	NV_CHUNK_LEAST = 64,
};

/* Who may read: the index by its own empty authorisation, else the owner. */
static ESYS_TR reader_of(ESYS_TR index, TPMA_NV attributes)
{
	if ((attributes & TPMA_NV_WRITTEN) == 0)
		return ESYS_TR_NONE;
	if ((attributes & TPMA_NV_AUTHREAD) != 0)
		return index;
	return (attributes & TPMA_NV_OWNERREAD) != 0 ? ESYS_TR_RH_OWNER : ESYS_TR_NONE;
}

static enum ay_rc read_chunks(struct ay_tpmdev *d, ESYS_TR auth, ESYS_TR index, uint8_t *out,
			      size_t size, struct ay_err *e)
{
	uint32_t chunk;
	enum ay_rc rc = ay_tpm2_property(d, TPM2_PT_NV_BUFFER_MAX, &chunk, e);

	if (rc != AY_OK)
		return rc;
	if (chunk < NV_CHUNK_LEAST || chunk > TPM2_MAX_NV_BUFFER_SIZE)
		chunk = chunk == 0 ? 512 : TPM2_MAX_NV_BUFFER_SIZE;
	for (size_t at = 0; at < size;) {
		TPM2B_MAX_NV_BUFFER *b = NULL;
		uint16_t want = (uint16_t)(size - at < chunk ? size - at : chunk);
		TSS2_RC r = Esys_NV_Read(d->esys, auth, index, ESYS_TR_PASSWORD, ESYS_TR_NONE,
					 ESYS_TR_NONE, want, (uint16_t)at, &b);

		if (r != TSS2_RC_SUCCESS)
			return ay_tpm2_fail(e, "nv.read", r);
		if (b->size != want) {
			Esys_Free(b);
			return ay_fail(e, AY_E_UNAVAIL, "nv.read", at, "short read");
		}
		memcpy(out + at, b->buffer, want);
		at += want;
		Esys_Free(b);
	}
	return AY_OK;
}

static enum ay_rc read_open(struct ay_tpmdev *d, ESYS_TR index, struct ay_arena *a,
			    struct ay_bytes *out, struct ay_err *e)
{
	TPM2B_NV_PUBLIC *pub = NULL;
	TSS2_RC r = Esys_NV_ReadPublic(d->esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				       &pub, NULL);
	enum ay_rc rc;

	if (r != TSS2_RC_SUCCESS)
		return ay_fail(e, AY_E_NOENT, "nv.index", 0, "not defined");
	size_t size = pub->nvPublic.dataSize;
	ESYS_TR auth = reader_of(index, pub->nvPublic.attributes);
	uint8_t *p = ay_arena_alloc(a, size);

	Esys_Free(pub);
	if (auth == ESYS_TR_NONE)
		return ay_fail(e, AY_E_NOENT, "nv.index", 0, "not written or not readable");
	if (p == NULL)
		return ay_fail(e, AY_E_NOMEM, "nv.index", 0, "no memory");
	rc = read_chunks(d, auth, index, p, size, e);
	if (rc == AY_OK)
		*out = (struct ay_bytes){ p, size };
	return rc;
}

enum ay_rc ay_tpm2_nv_read(struct ay_tpmdev *d, uint32_t index, struct ay_arena *a,
			   struct ay_bytes *out, struct ay_err *e)
{
	ESYS_TR tr = ESYS_TR_NONE;
	size_t n;
	uint32_t first;
	enum ay_rc rc = ay_tpm2_handles(d, index, &first, 1, &n, e);

	*out = (struct ay_bytes){ 0 };
	if (rc != AY_OK)
		return rc;
	/* Asked first, because ESYS reports an index that is not there as an error of the TPM. */
	if (n == 0 || first != index)
		return ay_fail(e, AY_E_NOENT, "nv.index", 0, "0x%08x is not defined", index);
	TSS2_RC r = Esys_TR_FromTPMPublic(d->esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
					  &tr);

	if (r != TSS2_RC_SUCCESS)
		return ay_tpm2_fail(e, "nv.index", r);
	rc = read_open(d, tr, a, out, e);
	(void)Esys_TR_Close(d->esys, &tr);
	return rc;
}

/* Length of the DER SEQUENCE at the start of b, 0 if there is none. */
static size_t der_length(struct ay_bytes b)
{
	struct ay_reader r;
	size_t n;

	ay_rd_init(&r, b);
	if (ay_rd_u8(&r, "chain.tag") != 0x30)
		return 0;
	n = ay_rd_u8(&r, "chain.length");
	if (n == 0x82)
		n = ay_rd_be16(&r, "chain.length");
	else if (n == 0x81)
		n = ay_rd_u8(&r, "chain.length");
	else if (n > 0x80)
		return 0;
	return ay_rd_ok(&r) && n <= ay_rd_left(&r) ? ay_rd_offset(&r) + n : 0;
}

/* The indices taken together hold certificates one after the other. */
static void split_chain(struct ay_bytes all, struct ay_tpm_ek *out)
{
	while (out->n_chain < AY_MAX_CERT_CHAIN) {
		size_t n = der_length(all);

		if (n == 0 || n > AY_MAX_CERT_BYTES)
			return;
		out->chain[out->n_chain++] = (struct ay_bytes){ all.p, n };
		all = (struct ay_bytes){ all.p + n, all.n - n };
	}
}

enum ay_rc ay_tpm2_nv_chain(struct ay_tpmdev *d, struct ay_arena *a, struct ay_tpm_ek *out,
			    struct ay_err *e)
{
	enum { ROOM = AY_MAX_CERT_CHAIN * AY_MAX_CERT_BYTES };
	uint32_t index[NV_CHAIN_MAX];
	size_t n;
	struct ay_writer w;
	struct ay_bytes all;
	enum ay_rc rc = ay_tpm2_handles(d, NV_CHAIN_FIRST, index, NV_CHAIN_MAX, &n, e);

	out->n_chain = 0;
	if (rc != AY_OK || n == 0 || index[0] > NV_CHAIN_LAST)
		return rc;
	uint8_t *p = ay_arena_alloc(a, ROOM);

	if (p == NULL)
		return ay_fail(e, AY_E_NOMEM, "nv.chain", 0, "no memory");
	ay_wr_init(&w, p, ROOM);
	for (size_t i = 0; i < n && index[i] <= NV_CHAIN_LAST; i++) {
		struct ay_bytes part;

		rc = ay_tpm2_nv_read(d, index[i], a, &part, e);
		if (rc == AY_E_NOENT)
			continue;
		if (rc != AY_OK)
			return rc;
		ay_wr_bytes(&w, part);
	}
	rc = ay_wr_end(&w, "nv.chain", &all, e);
	if (rc == AY_OK)
		split_chain(all, out);
	return rc;
}
