/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/lcp.h"

#include "core/crypto/hash.h"
#include "core/tpm/pcr.h"

#define ALG_NULL 0x0010
#define LOCALITY_ANY 0x1f

void ay_lcp_policy_write(struct ay_writer *w, const struct ay_lcp_policy *p)
{
	bool v3 = p->version >> 8 == 3;

	ay_wr_le16(w, p->version);
	if (v3)
		ay_wr_le16(w, p->hash_alg);
	else
		ay_wr_u8(w, 0); /* SHA-1 */
	ay_wr_u8(w, p->type);
	ay_wr_u8(w, p->sinit_min);
	if (!v3)
		ay_wr_u8(w, 0);
	for (size_t i = 0; i < AY_LCP_LISTS_MAX; i++)
		ay_wr_le16(w, p->revocation[i]);
	ay_wr_le32(w, p->control);
	ay_wr_u8(w, p->max_sinit_min);
	ay_wr_u8(w, p->max_biosac_min);
	ay_wr_le16(w, v3 ? p->hash_algs : 0);
	ay_wr_le32(w, v3 ? p->sign_algs : 0);
	if (v3) {
		ay_wr_le16(w, p->aux_hash_algs);
		ay_wr_le16(w, 0);
	}
	ay_wr_bytes(w, (struct ay_bytes){ p->hash, ay_alg_digest_size(p->hash_alg) });
}

static void write_head(struct ay_writer *w, size_t body, uint32_t type, uint32_t control)
{
	ay_wr_le32(w, (uint32_t)(12 + body));
	ay_wr_le32(w, type);
	ay_wr_le32(w, control);
}

static void write_mle(struct ay_writer *w, const struct ay_lcp_element *el)
{
	write_head(w, (el->type == AY_LCP_MLE2 ? 6 : 4) + el->digests.n, el->type, el->control);
	ay_wr_u8(w, el->sinit_min);
	ay_wr_u8(w, 0); /* reserved; of the old kind: SHA-1 */
	if (el->type == AY_LCP_MLE2)
		ay_wr_le16(w, el->alg);
	ay_wr_le16(w, el->n);
	ay_wr_bytes(w, el->digests);
}

static void write_sbios(struct ay_writer *w, const struct ay_lcp_element *el)
{
	write_head(w, 8 + el->fallback.n + el->digests.n, el->type, el->control);
	ay_wr_le16(w, el->type == AY_LCP_SBIOS2 ? el->alg : 0);
	ay_wr_le16(w, 0);
	ay_wr_bytes(w, el->fallback);
	ay_wr_le16(w, 0);
	ay_wr_le16(w, el->n);
	ay_wr_bytes(w, el->digests);
}

void ay_lcp_digests_write(struct ay_writer *w, const struct ay_lcp_element *el)
{
	if (el->type == AY_LCP_MLE || el->type == AY_LCP_MLE2)
		write_mle(w, el);
	else
		write_sbios(w, el);
}

/* The values of the mask one after the other, in order of PCR; n of them octets. */
static enum ay_rc gather(const struct ay_pcrs *values, uint16_t alg, uint32_t mask, uint8_t *out,
			 size_t *n, struct ay_err *e)
{
	for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
		struct ay_bytes v;

		if ((mask >> pcr & 1) == 0)
			continue;
		v = ay_pcrs_value(values, alg, pcr);
		if (v.n == 0)
			return ay_fail_code(e, AY_E_INPUT, "LCP", "pconf.pcr",
					    "there is no value of PCR %u", pcr);
		memcpy(out + *n, v.p, v.n);
		*n += v.n;
	}
	return AY_OK;
}

/* TPM_PCR_COMPOSITE: selection, length, values [TPM12-P2 8.2] */
static bool composite(uint32_t mask, struct ay_bytes values, uint8_t out[AY_DIGEST_MAX])
{
	uint8_t buf[16 + AY_PCR_COUNT * AY_DIGEST_MAX];
	struct ay_writer w;

	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_be16(&w, 3);
	for (size_t i = 0; i < 3; i++)
		ay_wr_u8(&w, (uint8_t)(mask >> (8 * i)));
	ay_wr_vec32(&w, values);
	return ay_hash_of(AY_ALG_SHA1, (struct ay_bytes){ buf, w.n }, out);
}

enum ay_rc ay_lcp_pconf_write(struct ay_writer *w, const struct ay_pcrs *values, uint16_t alg,
			      uint32_t mask, bool tpm12, struct ay_err *e)
{
	uint8_t all[AY_PCR_COUNT * AY_DIGEST_MAX], digest[AY_DIGEST_MAX];
	size_t n = 0, size = ay_alg_digest_size(alg);
	enum ay_rc rc = gather(values, alg, mask, all, &n, e);
	bool ok;

	if (rc != AY_OK)
		return rc;
	ok = tpm12 ? composite(mask, (struct ay_bytes){ all, n }, digest)
		   : ay_hash_of(alg, (struct ay_bytes){ all, n }, digest);
	if (!ok)
		return ay_fail_code(e, AY_E_INPUT, "LCP", "pconf.hash", "cannot be computed");
	write_head(w, (tpm12 ? 8 : 16) + size, tpm12 ? AY_LCP_PCONF : AY_LCP_PCONF2, 0);
	if (!tpm12)
		ay_wr_le16(w, alg);
	ay_wr_le16(w, 1);
	if (tpm12) {
		ay_wr_be16(w, 3);
	} else {
		ay_wr_be32(w, 1);
		ay_wr_be16(w, alg);
		ay_wr_u8(w, 3);
	}
	for (size_t i = 0; i < 3; i++)
		ay_wr_u8(w, (uint8_t)(mask >> (8 * i)));
	if (tpm12)
		ay_wr_u8(w, LOCALITY_ANY);
	else
		ay_wr_be16(w, (uint16_t)size);
	ay_wr_bytes(w, (struct ay_bytes){ digest, size });
	return AY_OK;
}

void ay_lcp_list_write(struct ay_writer *w, uint16_t version, struct ay_bytes elements,
		       uint16_t revocation, struct ay_bytes key)
{
	ay_wr_le16(w, version);
	if (version >> 8 == 1) {
		ay_wr_u8(w, 0);
		ay_wr_u8(w, key.n > 0);
	} else {
		ay_wr_le16(w, key.n > 0 ? AY_ALG_RSASSA : ALG_NULL);
	}
	ay_wr_le32(w, (uint32_t)elements.n);
	ay_wr_bytes(w, elements);
	if (key.n == 0)
		return;
	ay_wr_le16(w, revocation);
	ay_wr_le16(w, (uint16_t)key.n);
	ay_wr_bytes(w, key);
}

void ay_lcp_data_write(struct ay_writer *w, const struct ay_bytes *lists, size_t n)
{
	ay_wr_bytes(w, (struct ay_bytes){ (const uint8_t *)AY_LCP_DATA_SIG, AY_LCP_DATA_SIG_SIZE });
	ay_wr_u8(w, 0);
	ay_wr_le16(w, 0);
	ay_wr_u8(w, (uint8_t)n);
	for (size_t i = 0; i < n; i++)
		ay_wr_bytes(w, lists[i]);
}
