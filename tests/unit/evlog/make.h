/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TESTS_UNIT_EVLOG_MAKE_H
#define AY_TESTS_UNIT_EVLOG_MAKE_H

/*
 * Small boot logs and IMA lists made by the tests themselves. Digests are
 * taken with EVP and PCR values extended here, so that nothing is compared
 * with the code under test.
 */
#include "core/base/bytes.h"
#include "core/tpm/pcr.h"

#include <openssl/evp.h>
#include <string.h>

struct t_list {
	uint8_t buf[16384];
	size_t n;
	uint8_t last_digest[32];
	struct ay_pcrs pcrs; /* sha1 and sha256, as a TPM would have them */
};

static inline void t_put(struct t_list *l, const void *p, size_t n)
{
	assert_true(l->n + n <= sizeof(l->buf));
	if (n > 0)
		memcpy(l->buf + l->n, p, n);
	l->n += n;
}

static inline void t_le32(struct t_list *l, uint32_t v)
{
	const uint8_t b[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16), (uint8_t)(v >> 24) };

	t_put(l, b, 4);
}

static inline void t_le16(struct t_list *l, uint16_t v)
{
	const uint8_t b[2] = { (uint8_t)v, (uint8_t)(v >> 8) };

	t_put(l, b, 2);
}

static inline struct ay_bytes t_list_bytes(const struct t_list *l)
{
	return (struct ay_bytes){ l->buf, l->n };
}

static inline const EVP_MD *t_md(uint16_t alg)
{
	return alg == AY_ALG_SHA1 ? EVP_sha1() : alg == AY_ALG_SHA384 ? EVP_sha384() : EVP_sha256();
}

static inline void t_digest(uint16_t alg, const void *p, size_t n, uint8_t *out)
{
	assert_int_equal(EVP_Digest(p, n, out, NULL, t_md(alg), NULL), 1);
}

/* pcr = H(pcr || digest) */
static inline void t_extend(struct ay_pcrs *pcrs, uint16_t alg, unsigned pcr, const uint8_t *digest)
{
	uint8_t both[2 * AY_DIGEST_MAX];
	size_t n = ay_alg_digest_size(alg);
	struct ay_pcr_bank *b = ay_pcrs_bank(pcrs, alg);

	assert_non_null(b);
	memcpy(both, b->value[pcr], n);
	memcpy(both + n, digest, n);
	t_digest(alg, both, 2 * n, b->value[pcr]);
	b->have |= 1u << pcr;
}

/* Template hash and extends of what was written from data on. */
static inline void t_ima_close(struct t_list *l, uint32_t pcr, size_t start, const void *p, size_t n)
{
	uint8_t d[AY_DIGEST_MAX];

	t_digest(AY_ALG_SHA1, p, n, d);
	memcpy(l->buf + start + 4, d, 20);
	t_extend(&l->pcrs, AY_ALG_SHA1, pcr, d);
	t_digest(AY_ALG_SHA256, p, n, d);
	t_extend(&l->pcrs, AY_ALG_SHA256, pcr, d);
}

static inline void t_field(struct t_list *l, const void *p, size_t n)
{
	t_le32(l, (uint32_t)n);
	t_put(l, p, n);
}

/* prefix: "sha256:"; last: hex of a third field, if has_last. The file digest is that of the path. */
static inline void t_ima_custom(struct t_list *l, uint32_t pcr, const char *template_name,
				const char *prefix, const char *path, const char *last, int has_last)
{
	size_t start = l->n, data, n = strlen(prefix) + 1;
	static const uint8_t zero[20];
	uint8_t d[64];

	t_le32(l, pcr);
	t_put(l, zero, 20);
	t_field(l, template_name, strlen(template_name));
	t_le32(l, 0);
	data = l->n;
	memcpy(d, prefix, n);
	t_digest(AY_ALG_SHA256, path, strlen(path), l->last_digest);
	memcpy(d + n, l->last_digest, 32);
	t_field(l, d, n + 32);
	t_field(l, path, strlen(path) + 1);
	if (has_last) {
		struct ay_bytes b = t_hex(last);

		t_field(l, b.p, b.n);
	}
	l->buf[data - 4] = (uint8_t)(l->n - data);
	l->buf[data - 3] = (uint8_t)((l->n - data) >> 8);
	t_ima_close(l, pcr, start, l->buf + data, l->n - data);
}

static inline void t_ima_ng(struct t_list *l, uint32_t pcr, const char *path)
{
	t_ima_custom(l, pcr, "ima-ng", "sha256:", path, "", 0);
}

static inline void t_ima_sig(struct t_list *l, uint32_t pcr, const char *path, const char *sig)
{
	t_ima_custom(l, pcr, "ima-sig", "sha256:", path, sig, 1);
}

static inline void t_ima_old(struct t_list *l, uint32_t pcr, const char *path)
{
	size_t start = l->n;
	uint8_t fixed[276] = { 0 };

	t_digest(AY_ALG_SHA1, path, strlen(path), fixed);
	memcpy(fixed + 20, path, strlen(path));
	t_le32(l, pcr);
	t_put(l, fixed, 20);
	t_field(l, "ima", 3);
	t_put(l, fixed, 20);
	t_field(l, path, strlen(path));
	t_ima_close(l, pcr, start, fixed, sizeof(fixed));
}

#endif
