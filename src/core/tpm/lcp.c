/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/lcp.h"

#include "core/crypto/hash.h"

#define ELEMENTS_BYTES_MAX (1u << 20)
#define KEY_BYTES_MAX 512
#define ALG_NULL 0x0010

static const struct {
	uint32_t type;
	const char *name;
} kinds[] = {
	{ AY_LCP_MLE, "MLE" },	     { AY_LCP_PCONF, "PCONF" },	    { AY_LCP_SBIOS, "SBIOS" },
	{ AY_LCP_CUSTOM, "CUSTOM" }, { AY_LCP_MLE2, "MLE2" },	    { AY_LCP_PCONF2, "PCONF2" },
	{ AY_LCP_SBIOS2, "SBIOS2" }, { AY_LCP_CUSTOM2, "CUSTOM2" }, { AY_LCP_STM2, "STM2" },
};

const char *ay_lcp_element_name(uint32_t type)
{
	for (size_t i = 0; i < AY_COUNT(kinds); i++)
		if (kinds[i].type == type)
			return kinds[i].name;
	return NULL;
}

/* ---- the policy ---- */

/* TPM 1.2 names SHA-1 by 0 [TXT-DEV D.1]. */
static void read_v2(struct ay_reader *r, struct ay_lcp_policy *p)
{
	uint8_t alg = ay_rd_u8(r, "policy.hashAlg");

	p->hash_alg = AY_ALG_SHA1;
	if (ay_rd_ok(r) && alg != 0)
		ay_rd_reject(r, "policy.hashAlg", "%u is not SHA-1", alg);
	p->type = ay_rd_u8(r, "policy.policyType");
	p->sinit_min = ay_rd_u8(r, "policy.sinitMinVersion");
	(void)ay_rd_u8(r, "policy.reserved");
	for (size_t i = 0; i < AY_LCP_LISTS_MAX; i++)
		p->revocation[i] = ay_rd_le16(r, "policy.dataRevocationCounters");
	p->control = ay_rd_le32(r, "policy.policyControl");
	p->max_sinit_min = ay_rd_u8(r, "policy.maxSinitMinVersion");
	p->max_biosac_min = ay_rd_u8(r, "policy.maxBiosacMinVersion");
	(void)ay_rd_bytes(r, "policy.reserved", 6);
}

static void read_v3(struct ay_reader *r, struct ay_lcp_policy *p)
{
	p->hash_alg = ay_rd_le16(r, "policy.hashAlg");
	p->type = ay_rd_u8(r, "policy.policyType");
	p->sinit_min = ay_rd_u8(r, "policy.sinitMinVersion");
	for (size_t i = 0; i < AY_LCP_LISTS_MAX; i++)
		p->revocation[i] = ay_rd_le16(r, "policy.dataRevocationCounters");
	p->control = ay_rd_le32(r, "policy.policyControl");
	p->max_sinit_min = ay_rd_u8(r, "policy.maxSinitMinVersion");
	p->max_biosac_min = ay_rd_u8(r, "policy.maxBiosacMinVersion");
	p->hash_algs = ay_rd_le16(r, "policy.lcpHashAlgMask");
	p->sign_algs = ay_rd_le32(r, "policy.lcpSignAlgMask");
	p->aux_hash_algs = ay_rd_le16(r, "policy.auxHashAlgMask");
	(void)ay_rd_le16(r, "policy.reserved");
	if (ay_rd_ok(r) && ay_alg_digest_size(p->hash_alg) == 0)
		ay_rd_reject(r, "policy.hashAlg", "0x%04x is unknown", p->hash_alg);
}

enum ay_rc ay_lcp_policy_parse(struct ay_bytes in, struct ay_lcp_policy *out, struct ay_err *e)
{
	struct ay_lcp_policy p = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	*out = (struct ay_lcp_policy){ 0 };
	ay_rd_init(&r, in);
	p.version = ay_rd_le16(&r, "policy.version");
	if (p.version >> 8 == 2)
		read_v2(&r, &p);
	else if (p.version >> 8 == 3)
		read_v3(&r, &p);
	else
		ay_rd_reject(&r, "policy.version", "0x%04x is neither 2.x nor 3.x", p.version);
	if (ay_rd_ok(&r) && p.type > AY_LCP_ANY)
		ay_rd_reject(&r, "policy.policyType", "%u is neither list nor any", p.type);
	ay_rd_copy(&r, "policy.policyHash", p.hash, ay_alg_digest_size(p.hash_alg));
	rc = ay_rd_end(&r, "policy", e);
	if (rc == AY_OK)
		*out = p;
	else
		ay_err_code(e, "LCP");
	return rc;
}

/* ---- elements ---- */

static void read_digests(struct ay_reader *r, struct ay_lcp_element *el)
{
	size_t size = ay_alg_digest_size(el->alg);

	if (ay_rd_ok(r) && size == 0)
		ay_rd_reject(r, "element.hashAlg", "0x%04x is unknown", el->alg);
	el->digests = ay_rd_bytes(r, "element.hashes", el->n * size);
}

static void read_mle(struct ay_reader *r, struct ay_lcp_element *el)
{
	el->sinit_min = ay_rd_u8(r, "element.sinitMinVersion");
	if (el->type == AY_LCP_MLE2) {
		(void)ay_rd_u8(r, "element.reserved");
		el->alg = ay_rd_le16(r, "element.hashAlg");
	} else if (ay_rd_u8(r, "element.hashAlg") != 0) {
		ay_rd_reject(r, "element.hashAlg", "is not SHA-1");
	}
	el->n = ay_rd_le16(r, "element.numHashes");
	read_digests(r, el);
}

static void read_sbios(struct ay_reader *r, struct ay_lcp_element *el)
{
	if (el->type == AY_LCP_SBIOS2) {
		el->alg = ay_rd_le16(r, "element.hashAlg");
		(void)ay_rd_bytes(r, "element.reserved", 2);
	} else {
		if (ay_rd_u8(r, "element.hashAlg") != 0)
			ay_rd_reject(r, "element.hashAlg", "is not SHA-1");
		(void)ay_rd_bytes(r, "element.reserved", 3);
	}
	el->fallback = ay_rd_bytes(r, "element.fallbackHash", ay_alg_digest_size(el->alg));
	(void)ay_rd_le16(r, "element.reserved");
	el->n = ay_rd_le16(r, "element.numHashes");
	read_digests(r, el);
}

static void read_stm(struct ay_reader *r, struct ay_lcp_element *el)
{
	el->alg = ay_rd_le16(r, "element.hashAlg");
	el->n = ay_rd_le16(r, "element.numHashes");
	read_digests(r, el);
}

/* TPM 1.2: TPM_PCR_INFO_SHORT; TPM 2.0: TPML_PCR_SELECTION of one bank and a digest. Big-endian. */
static void read_pcrs(struct ay_reader *r, uint32_t type, uint16_t alg, struct ay_lcp_pcrs *out)
{
	size_t size, at = ay_rd_offset(r);
	struct ay_bytes select;

	if (type == AY_LCP_PCONF2) {
		ay_rd_expect32(r, "pconf.count", 1);
		if (ay_rd_be16(r, "pconf.hash") != alg)
			ay_rd_reject(r, "pconf.hash", "is not that of the element");
		size = ay_rd_u8(r, "pconf.sizeofSelect");
	} else {
		size = ay_rd_be16(r, "pconf.sizeOfSelect");
	}
	if (ay_rd_ok(r) && (size == 0 || size > 3))
		ay_rd_reject(r, "pconf.sizeofSelect", "%zu octets", size);
	select = ay_rd_bytes(r, "pconf.pcrSelect", size);
	out->info = ay_rd_since(r, at);
	for (size_t i = 0; ay_rd_ok(r) && i < select.n; i++)
		out->mask |= (uint32_t)select.p[i] << (8 * i);
	if (type == AY_LCP_PCONF)
		out->locality = ay_rd_u8(r, "pconf.localityAtRelease");
	else if (ay_rd_be16(r, "pconf.digestSize") != ay_alg_digest_size(alg))
		ay_rd_reject(r, "pconf.digestSize", "is not that of the hash");
	out->digest = ay_rd_bytes(r, "pconf.digest", ay_alg_digest_size(alg));
}

bool ay_lcp_pcrs_next(const struct ay_lcp_element *el, struct ay_reader *r, struct ay_lcp_pcrs *out)
{
	*out = (struct ay_lcp_pcrs){ 0 };
	if (!ay_rd_ok(r) || ay_rd_left(r) == 0)
		return false;
	read_pcrs(r, el->type, el->alg, out);
	return ay_rd_ok(r);
}

static void read_pconf(struct ay_reader *r, struct ay_lcp_element *el)
{
	struct ay_lcp_pcrs set;
	size_t at;

	if (el->type == AY_LCP_PCONF2)
		el->alg = ay_rd_le16(r, "element.hashAlg");
	el->n = ay_rd_le16(r, "element.numPcrInfos");
	if (ay_rd_ok(r) && ay_alg_digest_size(el->alg) == 0)
		ay_rd_reject(r, "element.hashAlg", "0x%04x is unknown", el->alg);
	at = ay_rd_offset(r);
	for (unsigned i = 0; i < el->n && ay_rd_ok(r); i++)
		read_pcrs(r, el->type, el->alg, &set);
	el->pcrs = ay_rd_since(r, at);
}

static void read_element(struct ay_reader *r, struct ay_lcp_element *el)
{
	uint32_t size = ay_rd_le32(r, "element.size");
	struct ay_reader sub;

	el->type = ay_rd_le32(r, "element.type");
	el->control = ay_rd_le32(r, "element.control");
	el->alg = AY_ALG_SHA1;
	if (ay_rd_ok(r) && (size < 12 || size - 12 > ay_rd_left(r)))
		ay_rd_reject(r, "element.size", "%u does not fit", size);
	ay_rd_window(r, "element", ay_rd_ok(r) ? size - 12 : 0, &sub);
	if (el->type == AY_LCP_MLE || el->type == AY_LCP_MLE2)
		read_mle(&sub, el);
	else if (el->type == AY_LCP_SBIOS || el->type == AY_LCP_SBIOS2)
		read_sbios(&sub, el);
	else if (el->type == AY_LCP_PCONF || el->type == AY_LCP_PCONF2)
		read_pconf(&sub, el);
	else if (el->type == AY_LCP_STM2)
		read_stm(&sub, el);
	else
		el->data = ay_rd_rest(&sub, "element.data");
	ay_rd_window_end(&sub, "element");
}

/* ---- lists ---- */

/* Modulus and value as they stand: little-endian, RSA of at most 4096 bits. */
static void read_rsa(struct ay_reader *r, size_t start, struct ay_lcp_list *l)
{
	uint16_t size;

	l->revocation = ay_rd_le16(r, "signature.revocationCounter");
	size = ay_rd_le16(r, "signature.pubkeySize");
	if (ay_rd_ok(r) && (size < 128 || size > KEY_BYTES_MAX))
		ay_rd_reject(r, "signature.pubkeySize", "%u octets", size);
	l->key = ay_rd_bytes(r, "signature.pubkeyValue", size);
	l->signed_octets = ay_rd_since(r, start);
	l->sig = ay_rd_bytes(r, "signature.sigBlock", size);
	l->is_signed = true;
}

/* Version 1: u8 reserved, u8 algorithm (0 none, 1 RSA); version 2: u16 TPM algorithm. */
static bool has_rsa(struct ay_reader *r, struct ay_lcp_list *l)
{
	if (l->version >> 8 == 1) {
		(void)ay_rd_u8(r, "list.reserved");
		l->sig_alg = ay_rd_u8(r, "list.sigAlgorithm") == 0 ? 0 : AY_ALG_RSASSA;
		return l->sig_alg != 0;
	}
	l->sig_alg = ay_rd_le16(r, "list.sigAlgorithm");
	if (l->sig_alg == ALG_NULL)
		l->sig_alg = 0;
	if (ay_rd_ok(r) && l->sig_alg != 0 && l->sig_alg != AY_ALG_RSASSA)
		ay_rd_reject(r, "list.sigAlgorithm",
			     "0x%04x: only RSASSA and unsigned lists are read", l->sig_alg);
	return l->sig_alg != 0;
}

static void read_elements(struct ay_reader *r, struct ay_lcp_list *l)
{
	uint32_t size = ay_rd_le32(r, "list.policyElementsSize");
	struct ay_reader sub;

	if (ay_rd_ok(r) && size > ELEMENTS_BYTES_MAX)
		ay_rd_limit(r, "list.policyElementsSize", size, ELEMENTS_BYTES_MAX);
	ay_rd_window(r, "list.elements", ay_rd_ok(r) ? size : 0, &sub);
	while (ay_rd_ok(&sub) && ay_rd_left(&sub) > 0) {
		if (l->n == AY_LCP_ELEMENTS_MAX)
			ay_rd_limit(&sub, "list.element", l->n + 1, AY_LCP_ELEMENTS_MAX);
		else
			read_element(&sub, &l->element[l->n++]);
	}
	ay_rd_window_end(&sub, "list.elements");
}

static void read_list(struct ay_reader *r, struct ay_lcp_list *l)
{
	size_t start = ay_rd_offset(r);
	bool rsa = false;

	l->version = ay_rd_le16(r, "list.version");
	if (ay_rd_ok(r) && (l->version >> 8 < 1 || l->version >> 8 > 3))
		ay_rd_reject(r, "list.version", "0x%04x is unknown", l->version);
	if (l->version >> 8 == 3) {
		if (ay_rd_le16(r, "list.keySignatureOffset") != 0)
			ay_rd_reject(r, "list.keySignatureOffset",
				     "signed lists of version 3 are not read");
	} else {
		rsa = has_rsa(r, l);
	}
	read_elements(r, l);
	l->plain = ay_rd_since(r, start);
	if (rsa)
		read_rsa(r, start, l);
	l->octets = ay_rd_since(r, start);
}

enum ay_rc ay_lcp_data_parse(struct ay_bytes in, struct ay_lcp_data *out, struct ay_err *e)
{
	struct ay_reader r;
	struct ay_bytes sig;
	uint8_t n;
	enum ay_rc rc;

	*out = (struct ay_lcp_data){ 0 };
	ay_rd_init(&r, in);
	sig = ay_rd_bytes(&r, "data.fileSignature", AY_LCP_DATA_SIG_SIZE);
	if (ay_rd_ok(&r) && memcmp(sig.p, AY_LCP_DATA_SIG, AY_LCP_DATA_SIG_SIZE) != 0)
		ay_rd_reject(&r, "data.fileSignature", "is not that of LCP_POLICY_DATA");
	(void)ay_rd_bytes(&r, "data.reserved", 3);
	n = ay_rd_u8(&r, "data.numLists");
	if (ay_rd_ok(&r) && (n == 0 || n > AY_LCP_LISTS_MAX))
		ay_rd_reject(&r, "data.numLists", "%u is not 1 to 8", n);
	while (n-- > 0 && ay_rd_ok(&r))
		read_list(&r, &out->list[out->n++]);
	rc = ay_rd_end(&r, "data", e);
	if (rc != AY_OK) {
		*out = (struct ay_lcp_data){ 0 };
		ay_err_code(e, "LCP");
	}
	return rc;
}

enum ay_rc ay_lcp_data_hash(const struct ay_lcp_data *d, uint16_t alg, uint8_t out[AY_DIGEST_MAX],
			    struct ay_err *e)
{
	uint8_t one[AY_DIGEST_MAX], all[AY_LCP_LISTS_MAX * AY_DIGEST_MAX];
	size_t n = 0, size = ay_alg_digest_size(alg);

	memset(out, 0, AY_DIGEST_MAX);
	for (size_t i = 0; i < d->n; i++) {
		const struct ay_lcp_list *l = &d->list[i];

		if (!ay_hash_of(alg, l->is_signed ? l->key : l->octets, one))
			return ay_fail_code(e, AY_E_INPUT, "LCP", "policy.hashAlg",
					    "cannot be computed");
		memcpy(all + n, one, size);
		n += size;
	}
	if (!ay_hash_of(alg, (struct ay_bytes){ all, n }, out))
		return ay_fail_code(e, AY_E_INPUT, "LCP", "policy.hashAlg", "cannot be computed");
	return AY_OK;
}
