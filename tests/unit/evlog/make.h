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
	const uint8_t b[4] = { (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
			       (uint8_t)(v >> 24) };

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
static inline void t_ima_close(struct t_list *l, uint32_t pcr, size_t start, const void *p,
			       size_t n)
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

/* prefix: "sha256:"; last: hex of a third field, if has_last. The file digest is that of the path.
 */
static inline void t_ima_custom(struct t_list *l, uint32_t pcr, const char *template_name,
				const char *prefix, const char *path, const char *last,
				int has_last)
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

/* ---- boot logs: sha1, sha256, sha384 in the crypto-agile form ---- */

static const uint16_t t_banks[] = { AY_ALG_SHA1, AY_ALG_SHA256, AY_ALG_SHA384 };
#define T_BANKS 3

/* Where the parts of the event written last stand in the log. */
struct t_event {
	size_t start, type, count, digest[T_BANKS], size, data, end;
};

static inline void t_log_header(struct t_list *l)
{
	static const uint8_t zero[20];

	t_le32(l, 0);
	t_le32(l, 3);
	t_put(l, zero, 20);
	t_le32(l, 16 + 12 + 4 * T_BANKS + 1);
	t_put(l, "Spec ID Event03", 16);
	t_le32(l, 0);
	t_put(l, "\0\2\0\2", 4);
	t_le32(l, T_BANKS);
	for (size_t k = 0; k < T_BANKS; k++) {
		t_le16(l, t_banks[k]);
		t_le16(l, (uint16_t)ay_alg_digest_size(t_banks[k]));
	}
	t_put(l, "", 1);
}

/* measured: what is hashed; data: what stands in the log. */
static inline struct t_event t_log_event(struct t_list *l, uint32_t pcr, uint32_t type,
					 struct ay_bytes measured, struct ay_bytes data)
{
	struct t_event at = { .start = l->n };
	uint8_t d[AY_DIGEST_MAX];

	t_le32(l, pcr);
	at.type = l->n;
	t_le32(l, type);
	at.count = l->n;
	t_le32(l, T_BANKS);
	for (size_t k = 0; k < T_BANKS; k++) {
		t_le16(l, t_banks[k]);
		at.digest[k] = l->n;
		t_digest(t_banks[k], measured.p, measured.n, d);
		t_put(l, d, ay_alg_digest_size(t_banks[k]));
		if (type != 3)
			t_extend(&l->pcrs, t_banks[k], pcr, d);
	}
	at.size = l->n;
	t_le32(l, (uint32_t)data.n);
	at.data = l->n;
	t_put(l, data.p, data.n);
	at.end = l->n;
	return at;
}

static inline struct t_event t_log_plain(struct t_list *l, uint32_t pcr, uint32_t type,
					 const char *text)
{
	return t_log_event(l, pcr, type, ay_bytes_of(text), ay_bytes_of(text));
}

static inline struct t_event t_log_separator(struct t_list *l, uint32_t pcr)
{
	static const uint8_t zero[4];

	return t_log_event(l, pcr, 4, AY_BYTES(zero), AY_BYTES(zero));
}

/* UEFI_VARIABLE_DATA with an ASCII name; whole: the digest covers the structure, else the value. */
static inline struct t_event t_log_variable(struct t_list *l, uint32_t pcr, uint32_t type,
					    const char *name, const char *value, int whole)
{
	uint8_t b[512] = { 0xca, 0xfe };
	size_t n = strlen(name), v = strlen(value), at = 32;

	b[16] = (uint8_t)n;
	b[24] = (uint8_t)v;
	for (size_t i = 0; i < n; i++, at += 2)
		b[at] = (uint8_t)name[i];
	memcpy(b + at, value, v);
	return t_log_event(l, pcr, type,
			   whole ? (struct ay_bytes){ b, at + v } : ay_bytes_of(value),
			   (struct ay_bytes){ b, at + v });
}

/* The events of a small boot that the changes of a test are made to. */
struct t_boot {
	struct t_list log;
	struct t_event version, action, variable, value_only, boot, separator[8], authority, app,
		grub, file, exit_start, exit_done;
};

static inline void t_boot_make(struct t_boot *b, int locality)
{
	struct t_list *l = &b->log;

	*b = (struct t_boot){ 0 };
	t_log_header(l);
	if (locality >= 0) {
		uint8_t d[17] = "StartupLocality";

		d[16] = (uint8_t)locality;
		t_log_event(l, 0, 3, (struct ay_bytes){ d, 17 }, (struct ay_bytes){ d, 17 });
		for (size_t k = 0; k < T_BANKS; k++) /* what the TPM starts PCR 0 with */
			ay_pcrs_bank(&l->pcrs, t_banks[k])
				->value[0][ay_alg_digest_size(t_banks[k]) - 1] = (uint8_t)locality;
	}
	b->version = t_log_plain(l, 0, 8, "firmware 1.0");
	t_log_event(l, 0, 0x80000008u, ay_bytes_of("a firmware volume"),
		    ay_bytes_of("address and length"));
	b->variable = t_log_variable(l, 7, 0x80000001u, "SecureBoot", "\1", 1);
	b->value_only = t_log_variable(l, 7, 0x80000001u, "dbx", "a list of digests", 0);
	b->boot = t_log_variable(l, 1, 0x80000002u, "BootOrder", "\1\2", 1);
	b->action = t_log_plain(l, 4, 0x80000007u, "Calling EFI Application from Boot Option");
	for (uint32_t pcr = 0; pcr < 8; pcr++)
		b->separator[pcr] = t_log_separator(l, pcr);
	b->authority = t_log_variable(l, 7, 0x800000e0u, "db", "certificate", 1);
	b->app = t_log_event(l, 4, 0x80000003u, ay_bytes_of("a boot loader"),
			     ay_bytes_of("an image load event, long enough to be one"));
	b->grub = t_log_event(l, 8, 0xd, ay_bytes_of("linux /vmlinuz"),
			      ay_bytes_of("grub_cmd: linux /vmlinuz"));
	b->file = t_log_event(l, 9, 0xd, ay_bytes_of("kernel"), ay_bytes_of("/vmlinuz"));
	b->exit_start = t_log_plain(l, 5, 0x80000007u, "Exit Boot Services Invocation");
	b->exit_done = t_log_plain(l, 5, 0x80000007u, "Exit Boot Services Returned with Success");
}

/* The log without, or with twice, the octets from..to. */
static inline void t_cut(struct t_list *l, size_t from, size_t to)
{
	memmove(l->buf + from, l->buf + to, l->n - to);
	l->n -= to - from;
}

static inline void t_insert(struct t_list *l, size_t at, const void *p, size_t n)
{
	assert_true(l->n + n <= sizeof(l->buf));
	memmove(l->buf + at + n, l->buf + at, l->n - at);
	memcpy(l->buf + at, p, n);
	l->n += n;
}

#endif
