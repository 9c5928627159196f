/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/reply12.h"

#include "core/crypto/hash.h"
#include "core/tpm/key12.h"

enum {
	TAG_VERSION_INFO = 0x0030,
	TAG_NV_DATA_PUBLIC = 0x0018,
	TAG_NV_ATTRIBUTES = 0x0017,
	TAG_PCR_INFO_LONG = 0x0006,
	VENDOR_MAX = 256,
	PCR_INFO_MAX = 64,
	SIGNATURE_MAX = 512,
	ANY_LOCALITY = 0x1f,
	SELECT = 3,
};

enum ay_rc ay_version12_parse(struct ay_bytes in, struct ay_version12 *out, struct ay_err *e)
{
	struct ay_version12 v = { 0 };
	struct ay_reader r;
	uint16_t tag;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	tag = ay_rd_be16(&r, "version.tag");
	if (ay_rd_ok(&r) && tag != TAG_VERSION_INFO)
		ay_rd_reject(&r, "version.tag", "is 0x%04x", tag);
	(void)ay_rd_be16(&r, "version.version");
	v.rev_major = ay_rd_u8(&r, "version.revMajor");
	v.rev_minor = ay_rd_u8(&r, "version.revMinor");
	v.spec_level = ay_rd_be16(&r, "version.specLevel");
	v.errata = ay_rd_u8(&r, "version.errataRev");
	ay_rd_copy(&r, "version.tpmVendorID", v.vendor, 4);
	(void)ay_rd_vec16(&r, "version.vendorSpecific", VENDOR_MAX);
	rc = ay_rd_end(&r, "version", e);
	for (size_t i = 0; i < 4; i++)
		if (v.vendor[i] != '\0' && (v.vendor[i] < 0x20 || v.vendor[i] > 0x7e))
			v.vendor[i] = '?';
	*out = rc == AY_OK ? v : (struct ay_version12){ 0 };
	return rc;
}

enum ay_rc ay_sized12_parse(struct ay_bytes in, struct ay_bytes *out, struct ay_err *e)
{
	struct ay_bytes b;
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	b = ay_rd_vec32(&r, "reply.data", AY_CMD12_MAX);
	rc = ay_rd_end(&r, "reply", e);
	*out = rc == AY_OK ? b : (struct ay_bytes){ 0 };
	return rc;
}

enum ay_rc ay_handles12_parse(struct ay_bytes in, uint32_t out[AY_HANDLES12_MAX], size_t *n,
			      struct ay_err *e)
{
	struct ay_reader r;
	uint16_t count;
	enum ay_rc rc;

	*n = 0;
	ay_rd_init(&r, in);
	count = ay_rd_be16(&r, "handles.loaded");
	for (unsigned i = 0; i < count && ay_rd_ok(&r); i++) {
		uint32_t h = ay_rd_be32(&r, "handles.handle");

		if (i < AY_HANDLES12_MAX)
			out[(*n)++] = h;
	}
	rc = ay_rd_end(&r, "handles", e);
	if (rc != AY_OK)
		*n = 0;
	return rc;
}

enum ay_rc ay_nv12_parse(struct ay_bytes in, uint32_t index, uint32_t *size, struct ay_err *e)
{
	struct ay_reader r;
	uint16_t tag;
	uint32_t n;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	tag = ay_rd_be16(&r, "nv.tag");
	if (ay_rd_ok(&r) && tag != TAG_NV_DATA_PUBLIC)
		ay_rd_reject(&r, "nv.tag", "is 0x%04x", tag);
	ay_rd_expect32(&r, "nv.nvIndex", index);
	/* two TPM_PCR_INFO_SHORT */
	for (int i = 0; i < 2; i++) {
		uint16_t select = ay_rd_be16(&r, "nv.pcrInfo.sizeOfSelect");

		(void)ay_rd_bytes(&r, "nv.pcrInfo", (size_t)select + 1 + AY_SHA1_BYTES);
	}
	(void)ay_rd_bytes(&r, "nv.permission", 2 + 4);
	(void)ay_rd_bytes(&r, "nv.flags", 3);
	n = ay_rd_be32(&r, "nv.dataSize");
	rc = ay_rd_end(&r, "nv", e);
	*size = rc == AY_OK ? n : 0;
	return rc;
}

enum ay_rc ay_pubek12_parse(struct ay_bytes in, const uint8_t nonce[AY_SHA1_BYTES],
			    struct ay_bytes *pub, struct ay_err *e)
{
	uint8_t want[AY_SHA1_BYTES];
	struct ay_public12 k;
	struct ay_bytes key, sum;
	struct ay_reader r;
	struct ay_hash h;
	enum ay_rc rc;

	*pub = (struct ay_bytes){ 0 };
	ay_rd_init(&r, in);
	ay_public12_read(&r, &k);
	key = ay_rd_since(&r, 0);
	sum = ay_rd_bytes(&r, "pubek.checksum", AY_SHA1_BYTES);
	rc = ay_rd_end(&r, "pubek", e);
	if (rc != AY_OK)
		return rc;
	if (!ay_hash_init(&h, AY_ALG_SHA1))
		return ay_fail(e, AY_E_BUG, "pubek", 0, "no SHA-1");
	ay_hash_update(&h, key);
	ay_hash_update(&h, (struct ay_bytes){ nonce, AY_SHA1_BYTES });
	ay_hash_final(&h, want);
	if (!ay_bytes_eq(sum, AY_BYTES(want)))
		return ay_fail(e, AY_E_CRYPTO, "pubek.checksum", 0, "is not over our nonce");
	*pub = key;
	return AY_OK;
}

/* The TPM_KEY12 is as long as it says itself: everything before u32 size and signature. */
enum ay_rc ay_identity12_parse(struct ay_bytes in, struct ay_identity12 *out, struct ay_err *e)
{
	struct ay_identity12 id = { 0 };
	struct ay_public12 k;
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	(void)ay_rd_bytes(&r, "key.head", 4 + 2 + 4 + 1);
	ay_key12_read(&r, &k);
	id.key = ay_rd_since(&r, 0);
	id.binding = ay_rd_vec32(&r, "identity.binding", SIGNATURE_MAX);
	rc = ay_rd_end(&r, "identity", e);
	*out = rc == AY_OK ? id : (struct ay_identity12){ 0 };
	return rc;
}

/* ---- quotes ---- */

static void read_quote(struct ay_reader *r, const uint8_t *external, struct ay_signed12 *q)
{
	size_t at = ay_rd_offset(r);
	uint16_t select = ay_rd_be16(r, "quote.sizeOfSelect");
	struct ay_bytes raw;
	uint32_t size;

	(void)ay_rd_bytes(r, "quote.pcrSelect", select);
	size = ay_rd_be32(r, "quote.valueSize");
	(void)ay_rd_bytes(r, "quote.pcrValue", size);
	raw = ay_rd_since(r, at);
	if (!ay_rd_ok(r) || !ay_hash_of(AY_ALG_SHA1, raw, q->digest))
		return;
	ay_quote12_info(q->digest, external, q->message);
	q->n = AY_TPM12_QUOTE_INFO_BYTES;
}

static void read_quote2(struct ay_reader *r, const uint8_t *external, struct ay_signed12 *q)
{
	size_t at = ay_rd_offset(r);
	uint16_t select = ay_rd_be16(r, "quote.sizeOfSelect");
	struct ay_bytes info, digest, version, b;
	struct ay_writer w;

	if (ay_rd_ok(r) && select != 2 && select != SELECT)
		ay_rd_reject(r, "quote.sizeOfSelect", "is %u, not 2 or 3", select);
	(void)ay_rd_bytes(r, "quote.pcrSelect", select);
	(void)ay_rd_u8(r, "quote.localityAtRelease");
	digest = ay_rd_bytes(r, "quote.digestAtRelease", AY_SHA1_BYTES);
	info = ay_rd_since(r, at);
	version = ay_rd_vec32(r, "quote.versionInfo", VENDOR_MAX);
	if (ay_rd_ok(r) && version.n != 0)
		ay_rd_reject(r, "quote.versionInfo", "was not asked for");
	if (!ay_rd_ok(r))
		return;
	memcpy(q->digest, digest.p, AY_SHA1_BYTES);
	ay_wr_init(&w, q->message, sizeof(q->message));
	ay_wr_be16(&w, 0x0036); /* TPM_TAG_QUOTE_INFO2 */
	ay_wr_str(&w, "QUT2");
	ay_wr_bytes(&w, (struct ay_bytes){ external, AY_SHA1_BYTES });
	ay_wr_bytes(&w, info);
	q->n = ay_wr_end(&w, "quote", &b, NULL) == AY_OK ? b.n : 0;
}

enum ay_rc ay_signed12_parse(struct ay_bytes in, bool second, const uint8_t external[AY_SHA1_BYTES],
			     struct ay_signed12 *out, struct ay_err *e)
{
	struct ay_signed12 q = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	if (second)
		read_quote2(&r, external, &q);
	else
		read_quote(&r, external, &q);
	q.signature = ay_rd_vec32(&r, "quote.signature", SIGNATURE_MAX);
	rc = ay_rd_end(&r, "quote", e);
	if (rc == AY_OK && q.n == 0)
		rc = ay_fail(e, AY_E_BUG, "quote", 0, "cannot be put together");
	*out = rc == AY_OK ? q : (struct ay_signed12){ 0 };
	return rc;
}

/* ---- parameters ---- */

void ay_selection12_write(struct ay_writer *w, uint32_t mask)
{
	ay_wr_be16(w, SELECT);
	for (unsigned i = 0; i < SELECT; i++)
		ay_wr_u8(w, (uint8_t)(mask >> (8 * i)));
}

bool ay_pcrinfo12_write(struct ay_writer *w, const struct ay_pcrs *pcrs, uint32_t mask)
{
	uint8_t digest[AY_TPM12_DIGEST];

	if (!ay_composite12_of(pcrs, mask, SELECT, digest))
		return false;
	ay_wr_be16(w, TAG_PCR_INFO_LONG);
	ay_wr_u8(w, ANY_LOCALITY); /* at creation: the TPM's to say */
	ay_wr_u8(w, ANY_LOCALITY);
	ay_selection12_write(w, mask); /* at creation */
	ay_selection12_write(w, mask);
	ay_wr_bytes(w, AY_BYTES(digest)); /* at creation: filled in by the TPM */
	ay_wr_bytes(w, AY_BYTES(digest));
	return true;
}

static void write_no_pcrs(struct ay_writer *w)
{
	static const uint8_t zero[AY_SHA1_BYTES];

	ay_selection12_write(w, 0);
	ay_wr_u8(w, ANY_LOCALITY);
	ay_wr_bytes(w, AY_BYTES(zero));
}

void ay_nv12_write(struct ay_writer *w, uint32_t index, uint32_t attributes, uint32_t size)
{
	ay_wr_be16(w, TAG_NV_DATA_PUBLIC);
	ay_wr_be32(w, index);
	write_no_pcrs(w);
	write_no_pcrs(w);
	ay_wr_be16(w, TAG_NV_ATTRIBUTES);
	ay_wr_be32(w, attributes);
	ay_wr_u8(w, 0); /* bReadSTClear */
	ay_wr_u8(w, 0); /* bWriteSTClear */
	ay_wr_u8(w, 0); /* bWriteDefine */
	ay_wr_be32(w, size);
}
