/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence as it came: one part of it, or all in an archive that `assay appraise` reads. */
#include "core/base/hex.h"
#include "core/tpm/qualify.h"
#include "prog/assayd/engine_impl.h"
#include "prog/assayd/past_impl.h"

#include <string.h>

/* ---- parts ---- */

static struct ay_bytes quote_of(const struct ay_past *p, struct ay_arena *a)
{
	(void)a;
	return p->h.in.attest;
}

static struct ay_bytes signature_of(const struct ay_past *p, struct ay_arena *a)
{
	(void)a;
	return p->h.in.signature;
}

/* What the TPM was given: the nonce, bound to connection and host. */
static struct ay_bytes nonce_of(const struct ay_past *p, struct ay_arena *a)
{
	uint8_t want[AY_QUALIFY_BYTES];
	char hex[2 * AY_QUALIFY_BYTES + 1];

	if (p->h.in.nonce.n != 32 || p->h.in.exporter.n != 32)
		return (struct ay_bytes){ NULL, 0 };
	ay_qualify(AY_QUALIFY_QUOTE, p->h.in.nonce.p, p->h.in.exporter.p, &p->h.in.host, NULL,
		   want);
	ay_hex_encode(AY_BYTES(want), hex);
	return ay_arena_dup(a, ay_bytes_of(hex));
}

/* TPM2B_PUBLIC: the row has it without its size. */
static struct ay_bytes ak_of(const struct ay_past *p, struct ay_arena *a)
{
	size_t n = p->h.in.ak_public.n;
	uint8_t *out = n ? ay_arena_alloc(a, n + 2) : NULL;

	if (!out)
		return (struct ay_bytes){ NULL, 0 };
	out[0] = (uint8_t)(n >> 8);
	out[1] = (uint8_t)n;
	memcpy(out + 2, p->h.in.ak_public.p, n);
	return (struct ay_bytes){ out, n + 2 };
}

static struct ay_bytes cert_of(const struct ay_past *p, struct ay_arena *a)
{
	(void)a;
	return p->h.cert;
}

static struct ay_bytes log_of(const struct ay_past *p, struct ay_arena *a)
{
	(void)a;
	return p->h.in.log;
}

static struct ay_bytes ima_of(const struct ay_past *p, struct ay_arena *a)
{
	(void)a;
	return p->h.in.ima;
}

static struct ay_bytes pcrs_of(const struct ay_past *p, struct ay_arena *a)
{
	json_t *banks = json_object();
	struct ay_bytes out;
	char *text;

	for (size_t k = 0; k < p->pcrs.n_banks; k++) {
		json_t *values = json_object();

		for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
			struct ay_bytes v = ay_pcrs_value(&p->pcrs, p->pcrs.bank[k].alg, pcr);
			char hex[2 * AY_DIGEST_MAX + 1], key[8];

			if (v.n == 0)
				continue;
			ay_hex_encode(v, hex);
			snprintf(key, sizeof(key), "%u", pcr);
			json_object_set_new(values, key, json_string(hex));
		}
		json_object_set_new(banks, ay_alg_bank_name(p->pcrs.bank[k].alg), values);
	}
	text = p->pcrs.n_banks ? json_dumps(banks, JSON_COMPACT) : NULL;
	json_decref(banks);
	out = text ? ay_arena_dup(a, ay_bytes_of(text)) : (struct ay_bytes){ NULL, 0 };
	free(text);
	return out;
}

static const struct {
	const char *part, *file, *media;
	struct ay_bytes (*of)(const struct ay_past *p, struct ay_arena *a);
} parts[] = {
	{ "quote", "quote.msg", "application/octet-stream", quote_of },
	{ "signature", "quote.sig", "application/octet-stream", signature_of },
	{ "nonce", "nonce.hex", "text/plain", nonce_of },
	{ "ak", "ak.pub", "application/octet-stream", ak_of },
	{ "aik-certificate", "aik.der", "application/pkix-cert", cert_of },
	{ "eventlog", "eventlog.bin", "application/octet-stream", log_of },
	{ "ima", "ima.bin", "application/octet-stream", ima_of },
	{ "pcrs", "pcrs.json", "application/json", pcrs_of },
};

/* ---- archive: ustar [POSIX.1-2017 pax, ustar Interchange Format] ---- */

enum { BLOCK = 512 };

static size_t padded(size_t n)
{
	return (n + BLOCK - 1) / BLOCK * BLOCK;
}

/* n octal digits and a NUL. */
static void octal(uint8_t *out, unsigned n, uint64_t value)
{
	out[n] = 0;
	while (n > 0) {
		out[--n] = (uint8_t)('0' + (value & 7));
		value >>= 3;
	}
}

static void tar_head(uint8_t head[BLOCK], const char *name, size_t n, int64_t at_ms)
{
	unsigned sum = 0;

	memset(head, 0, BLOCK);
	snprintf((char *)head, 100, "%s", name);
	memcpy(head + 100, "0000644", 8);
	memcpy(head + 108, "0000000", 8);
	memcpy(head + 116, "0000000", 8);
	octal(head + 124, 11, n);
	octal(head + 136, 11, (uint64_t)at_ms / 1000);
	memset(head + 148, ' ', 8);
	head[156] = '0';
	memcpy(head + 257, "ustar\00000", 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += head[i];
	octal(head + 148, 6, sum);
}

static enum ay_rc archive(const struct ay_past *p, struct ay_arena *a, struct ay_bytes *out,
			  struct ay_err *e)
{
	struct ay_bytes all[AY_COUNT(parts)];
	size_t room = 2 * BLOCK, at = 0;
	uint8_t *tar;

	for (size_t i = 0; i < AY_COUNT(parts); i++) {
		all[i] = parts[i].of(p, a);
		room += all[i].n ? BLOCK + padded(all[i].n) : 0;
	}
	tar = ay_arena_alloc(a, room);
	if (!tar)
		return ay_fail(e, AY_E_NOMEM, "evidence", 0, "no memory");
	memset(tar, 0, room);
	for (size_t i = 0; i < AY_COUNT(parts); i++) {
		if (all[i].n == 0)
			continue;
		tar_head(tar + at, parts[i].file, all[i].n, p->h.at_ms);
		memcpy(tar + at + BLOCK, all[i].p, all[i].n);
		at += BLOCK + padded(all[i].n);
	}
	*out = (struct ay_bytes){ tar, room };
	return AY_OK;
}

/* ---- what is asked for ---- */

static enum ay_rc give(const struct ay_past *p, struct ay_bytes part, struct ay_arena *a,
		       struct ay_bytes *out, const char **media, struct ay_err *e)
{
	if (part.n == 0) {
		*media = "application/x-tar";
		return archive(p, a, out, e);
	}
	for (size_t i = 0; i < AY_COUNT(parts); i++) {
		if (!ay_bytes_eq(part, ay_bytes_of(parts[i].part)))
			continue;
		*media = parts[i].media;
		*out = parts[i].of(p, a);
		return out->n ? AY_OK
			      : ay_fail_code(e, AY_E_NOENT, "NO_PART", "part",
					     "the evidence has no %s", parts[i].part);
	}
	return ay_fail(e, AY_E_INPUT, "part", 0,
		       "one of quote, signature, nonce, ak, aik-certificate, eventlog, ima, pcrs");
}

enum ay_rc ay_engine_evidence(struct ay_engine *g, const struct ay_host *h,
			      const struct ay_uuid *report, struct ay_bytes part,
			      struct ay_arena *a, struct ay_bytes *out, const char **media,
			      struct ay_err *e)
{
	struct ay_past *p = ay_arena_alloc(a, sizeof(*p));
	enum ay_rc rc;

	*out = (struct ay_bytes){ NULL, 0 };
	*media = NULL;
	if (!p)
		return ay_fail(e, AY_E_NOMEM, "evidence", 0, "no memory");
	memset(p, 0, sizeof(*p));
	rc = ay_past_load(g, h, report, a, p, e);
	return rc == AY_OK ? give(p, part, a, out, media, e) : rc;
}
