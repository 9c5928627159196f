/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/tpm12.h"

#include "core/crypto/hash.h"
#include "core/tpm/key12.h"

enum {
	TAG_QUOTE_INFO2 = 0x0036,
	TAG_CAP_VERSION_INFO = 0x0030,
	VENDOR_MAX = 256,
	RSA_MAX = 512,
};

static const uint8_t version_1_1[4] = { 1, 1, 0, 0 };

static bool has_at(struct ay_bytes in, size_t at, const void *p, size_t n)
{
	return in.n >= at + n && memcmp(in.p + at, p, n) == 0;
}

static bool looks_like_info2(struct ay_bytes in)
{
	static const uint8_t tag[2] = { 0, TAG_QUOTE_INFO2 };

	return has_at(in, 0, tag, sizeof(tag)) || has_at(in, 2, "QUT2", 4);
}

bool ay_quote12_looks_like(struct ay_bytes in)
{
	return looks_like_info2(in) || has_at(in, 0, version_1_1, 4) || has_at(in, 4, "QUOT", 4);
}

/* TPM_PCR_SELECTION [TPM12-P2 8.1]; a mask has two or three octets. */
static uint32_t read_selection(struct ay_reader *r, uint8_t *select_n)
{
	uint16_t n = ay_rd_be16(r, "quote.pcrSelection.sizeOfSelect");
	uint32_t mask = 0;

	if (ay_rd_ok(r) && n != 2 && n != 3)
		ay_rd_reject(r, "quote.pcrSelection.sizeOfSelect", "is %u, not 2 or 3", n);
	for (unsigned i = 0; i < n && ay_rd_ok(r); i++)
		mask |= (uint32_t)ay_rd_u8(r, "quote.pcrSelection.pcrSelect") << (8 * i);
	*select_n = (uint8_t)n;
	return mask;
}

/* TPM_CAP_VERSION_INFO [TPM12-P2 21.6], signed along when it was asked for. */
static void read_version_info(struct ay_reader *r)
{
	uint16_t tag = ay_rd_be16(r, "quote.versionInfo.tag");

	if (ay_rd_ok(r) && tag != TAG_CAP_VERSION_INFO)
		ay_rd_reject(r, "quote.versionInfo.tag", "is 0x%04x", tag);
	(void)ay_rd_bytes(r, "quote.versionInfo", 4 + 2 + 1 + 4);
	(void)ay_rd_vec16(r, "quote.versionInfo.vendorSpecific", VENDOR_MAX);
}

static void read_info2(struct ay_reader *r, struct ay_quote12 *q)
{
	uint8_t select_n;

	q->info2 = true;
	ay_rd_copy(r, "quote.tag", q->head, 2);
	ay_rd_copy(r, "quote.fixed", q->fixed, 4);
	q->external = ay_rd_bytes(r, "quote.externalData", AY_TPM12_DIGEST);
	q->mask = read_selection(r, &select_n);
	q->locality = ay_rd_u8(r, "quote.localityAtRelease");
	q->digest = ay_rd_bytes(r, "quote.digestAtRelease", AY_TPM12_DIGEST);
	if (ay_rd_ok(r) && ay_rd_left(r) > 0)
		read_version_info(r);
}

static void read_info(struct ay_reader *r, struct ay_quote12 *q)
{
	ay_rd_copy(r, "quote.version", q->head, 4);
	ay_rd_copy(r, "quote.fixed", q->fixed, 4);
	q->digest = ay_rd_bytes(r, "quote.digestValue", AY_TPM12_DIGEST);
	q->external = ay_rd_bytes(r, "quote.externalData", AY_TPM12_DIGEST);
}

enum ay_rc ay_quote12_parse(struct ay_bytes in, struct ay_quote12 *out, struct ay_err *e)
{
	struct ay_quote12 q = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	if (looks_like_info2(in))
		read_info2(&r, &q);
	else
		read_info(&r, &q);
	rc = ay_rd_end(&r, "quote", e);
	*out = rc == AY_OK ? q : (struct ay_quote12){ 0 };
	return rc;
}

void ay_quote12_info(const uint8_t digest[AY_TPM12_DIGEST], const uint8_t external[AY_TPM12_DIGEST],
		     uint8_t out[AY_TPM12_QUOTE_INFO_BYTES])
{
	memcpy(out, version_1_1, 4);
	memcpy(out + 4, "QUOT", 4);
	memcpy(out + 8, digest, AY_TPM12_DIGEST);
	memcpy(out + 8 + AY_TPM12_DIGEST, external, AY_TPM12_DIGEST);
}

static void read_composite(struct ay_reader *r, struct ay_bytes in, struct ay_composite12 *c)
{
	uint32_t size;

	c->mask = read_selection(r, &c->select_n);
	if (ay_rd_ok(r) && c->mask == 0)
		ay_rd_reject(r, "quote.pcrSelection.pcrSelect", "selects no PCR");
	size = ay_rd_be32(r, "quote.valueSize");
	if (ay_rd_ok(r) && size != (uint32_t)__builtin_popcount(c->mask) * AY_TPM12_DIGEST)
		ay_rd_reject(r, "quote.valueSize", "is %u for %d PCRs", size,
			     __builtin_popcount(c->mask));
	c->values = ay_rd_bytes(r, "quote.pcrValue", size);
	c->raw = (struct ay_bytes){ in.p, ay_rd_offset(r) };
}

enum ay_rc ay_composite12_parse(struct ay_bytes in, struct ay_composite12 *out, struct ay_err *e)
{
	struct ay_composite12 c = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	read_composite(&r, in, &c);
	rc = ay_rd_end(&r, "quote", e);
	*out = rc == AY_OK ? c : (struct ay_composite12){ 0 };
	return rc;
}

enum ay_rc ay_file12_parse(struct ay_bytes in, struct ay_file12 *out, struct ay_err *e)
{
	struct ay_file12 f = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	read_composite(&r, in, &f.composite);
	f.signature = ay_rd_rest(&r, "quote.signature");
	if (ay_rd_ok(&r) && (f.signature.n == 0 || f.signature.n > RSA_MAX))
		ay_rd_reject(&r, "quote.signature", "has %zu octets", f.signature.n);
	rc = ay_rd_end(&r, "quote", e);
	*out = rc == AY_OK ? f : (struct ay_file12){ 0 };
	return rc;
}

void ay_composite12_digest(const struct ay_composite12 *c, uint8_t out[AY_TPM12_DIGEST])
{
	if (!ay_hash_of(AY_ALG_SHA1, c->raw, out))
		memset(out, 0, AY_TPM12_DIGEST);
}

void ay_composite12_pcrs(const struct ay_composite12 *c, struct ay_pcrs *out)
{
	struct ay_pcr_bank *bank = ay_pcrs_bank(out, AY_ALG_SHA1);
	const uint8_t *p = c->values.p;

	for (unsigned pcr = 0; bank != NULL && pcr < AY_PCR_COUNT; pcr++) {
		if ((c->mask >> pcr & 1) == 0)
			continue;
		memcpy(bank->value[pcr], p, AY_TPM12_DIGEST);
		bank->have |= 1u << pcr;
		p += AY_TPM12_DIGEST;
	}
}

bool ay_composite12_of(const struct ay_pcrs *pcrs, uint32_t mask, unsigned select_n,
		       uint8_t out[AY_TPM12_DIGEST])
{
	const struct ay_pcr_bank *bank = ay_pcrs_find(pcrs, AY_ALG_SHA1);
	uint8_t buf[2 + 3 + 4 + AY_PCR_COUNT * AY_TPM12_DIGEST];
	struct ay_writer w;
	struct ay_bytes raw;

	if (bank == NULL || (mask & ~bank->have) != 0 || mask >> (8 * select_n) != 0 ||
	    select_n < 2 || select_n > 3)
		return false;
	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_be16(&w, (uint16_t)select_n);
	for (unsigned i = 0; i < select_n; i++)
		ay_wr_u8(&w, (uint8_t)(mask >> (8 * i)));
	ay_wr_be32(&w, (uint32_t)__builtin_popcount(mask) * AY_TPM12_DIGEST);
	for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++)
		if (mask >> pcr & 1)
			ay_wr_bytes(&w, (struct ay_bytes){ bank->value[pcr], AY_TPM12_DIGEST });
	return ay_wr_end(&w, "composite", &raw, NULL) == AY_OK && ay_hash_of(AY_ALG_SHA1, raw, out);
}

enum ay_rc ay_pubkey12_parse(struct ay_bytes in, struct ay_pubkey **out, struct ay_err *e)
{
	struct ay_public12 k;
	enum ay_rc rc = ay_public12_parse(in, &k, e);

	*out = NULL;
	return rc == AY_OK ? ay_public12_key(&k, out, e) : rc;
}
