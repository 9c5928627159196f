/* SPDX-License-Identifier: Apache-2.0 */
#include "io/tpmdev/tpm12_priv.h"

enum {
	CAP_NV_INDEX = 0x11,
	CHUNK = 512,
	AREA_MAX = 16 * 1024,
	SEALED_MAX = 2048,
	RANDOM_TRIES = 16,
};

enum reader { BY_NOBODY = 0, BY_AREA, BY_OWNER, READERS };

static enum ay_rc authorize(struct ay_tpmdev *d, enum reader by, struct ay_call12 *x,
			    struct ay_err *e)
{
	if (by == BY_NOBODY)
		return AY_OK;
	return ay_tpm12_oiap(d, x, by == BY_OWNER ? d->owner : ay_tpm12_well_known, e);
}

static enum ay_rc read_chunk(struct ay_tpmdev *d, enum reader by, uint32_t index, size_t at,
			     size_t n, uint8_t *out, struct ay_err *e)
{
	struct ay_call12 x = { 0 };
	struct ay_bytes got = { 0 };
	enum ay_rc rc = authorize(d, by, &x, e);

	if (rc == AY_OK) {
		ay_cmd12_begin(&x.c, by == BY_AREA ? AY_ORD12_NV_READ_VALUE_AUTH
						   : AY_ORD12_NV_READ_VALUE);
		ay_wr_be32(&x.c.w, index);
		ay_wr_be32(&x.c.w, (uint32_t)at);
		ay_wr_be32(&x.c.w, (uint32_t)n);
		rc = ay_tpm12_call(d, &x, 0, e);
	}
	if (rc == AY_OK)
		rc = ay_sized12_parse(x.reply, &got, e);
	if (rc == AY_OK && got.n != n)
		rc = ay_fail(e, AY_E_UNAVAIL, "nv.read", at, "%zu octets of %zu", got.n, n);
	if (rc == AY_OK)
		memcpy(out, got.p, n);
	ay_tpm12_abandon(d, &x);
	return rc;
}

static enum ay_rc read_area(struct ay_tpmdev *d, enum reader by, uint32_t index, size_t size,
			    uint8_t *out, struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	for (size_t at = 0; at < size && rc == AY_OK; at += CHUNK)
		rc = read_chunk(d, by, index, at, size - at < CHUNK ? size - at : CHUNK, out + at,
				e);
	return rc;
}

static enum ay_rc size_of(struct ay_tpmdev *d, uint32_t index, uint32_t *size, struct ay_err *e)
{
	struct ay_call12 x = { 0 };
	struct ay_bytes b;
	enum ay_rc rc = ay_tpm12_capability(d, &x, CAP_NV_INDEX, index, &b, e);

	*size = 0;
	if (rc == AY_E_UNAVAIL && x.c.code == AY_RC12_BADINDEX)
		return ay_fail(e, AY_E_NOENT, "nv.index", 0, "0x%08x is not defined", index);
	if (rc == AY_OK)
		rc = ay_nv12_parse(b, index, size, e);
	if (rc == AY_OK && (*size == 0 || *size > AREA_MAX))
		rc = ay_fail(e, AY_E_LIMIT, "nv.dataSize", 0, "0x%08x has %u octets", index, *size);
	return rc;
}

enum ay_rc ay_tpm12_nv_read(struct ay_tpmdev *d, uint32_t index, struct ay_arena *a,
			    struct ay_bytes *out, struct ay_err *e)
{
	uint32_t size;
	uint8_t *buf;
	enum ay_rc rc = size_of(d, index, &size, e);

	*out = (struct ay_bytes){ 0 };
	if (rc != AY_OK)
		return rc;
	buf = ay_arena_alloc(a, size);
	if (buf == NULL)
		return ay_fail(e, AY_E_NOMEM, "nv", 0, "no memory");
	rc = AY_E_UNAVAIL;
	/* an owner's secret that is wrong counts against guessing: it is tried last */
	for (int by = BY_NOBODY; by < READERS && rc != AY_OK && d->fd >= 0; by++)
		rc = read_area(d, (enum reader)by, index, size, buf, e);
	if (rc == AY_OK)
		*out = (struct ay_bytes){ buf, size };
	return rc;
}

enum ay_rc ay_tpm12_nv_define(struct ay_tpmdev *d, uint32_t index, uint32_t attributes,
			      uint32_t size, struct ay_err *e)
{
	struct ay_call12 x = { 0 };
	uint8_t secret[AY_SHA1_BYTES];
	enum ay_rc rc = ay_tpm12_osap(d, &x, AY_ET12_OWNER, AY_KH12_OWNER, d->owner, e);

	if (rc == AY_OK && !ay_adip12(&x.auth[0], ay_tpm12_well_known, secret))
		rc = ay_fail(e, AY_E_BUG, "nv", 0, "no ADIP");
	if (rc == AY_OK) {
		ay_cmd12_begin(&x.c, AY_ORD12_NV_DEFINE_SPACE);
		ay_nv12_write(&x.c.w, index, attributes, size);
		ay_wr_bytes(&x.c.w, AY_BYTES(secret));
		rc = ay_tpm12_call(d, &x, 0, e);
	}
	ay_tpm12_abandon(d, &x);
	return rc;
}

enum ay_rc ay_tpm12_nv_write(struct ay_tpmdev *d, uint32_t index, struct ay_bytes data,
			     struct ay_err *e)
{
	struct ay_call12 x = { 0 };
	enum ay_rc rc = ay_tpm12_oiap(d, &x, d->owner, e);

	if (rc == AY_OK) {
		ay_cmd12_begin(&x.c, AY_ORD12_NV_WRITE_VALUE);
		ay_wr_be32(&x.c.w, index);
		ay_wr_be32(&x.c.w, 0);
		ay_wr_vec32(&x.c.w, data);
		rc = ay_tpm12_call(d, &x, 0, e);
	}
	ay_tpm12_abandon(d, &x);
	return rc;
}

/* ---- sealed data ---- */

static enum ay_rc write_pcrs(struct ay_writer *w, const struct ay_pcrs *pcrs, uint32_t mask,
			     struct ay_err *e)
{
	size_t at = ay_wr_open32(w);
	bool ok = mask == 0 || ay_pcrinfo12_write(w, pcrs, mask);

	ay_wr_close32(w, at);
	return ok ? AY_OK : ay_fail(e, AY_E_INPUT, "seal.pcrs", 0, "a value is missing");
}

enum ay_rc ay_tpm12_seal(struct ay_tpmdev *d, const struct ay_pcrs *pcrs, uint32_t mask,
			 struct ay_bytes data, struct ay_arena *a, struct ay_bytes *out,
			 struct ay_err *e)
{
	struct ay_call12 x = { 0 };
	uint8_t secret[AY_SHA1_BYTES];
	enum ay_rc rc = ay_tpm12_osap(d, &x, AY_ET12_SRK, AY_KH12_SRK, d->srk, e);

	*out = (struct ay_bytes){ 0 };
	if (rc == AY_OK && !ay_adip12(&x.auth[0], ay_tpm12_well_known, secret))
		rc = ay_fail(e, AY_E_BUG, "seal", 0, "no ADIP");
	if (rc == AY_OK) {
		ay_cmd12_begin(&x.c, AY_ORD12_SEAL);
		ay_wr_be32(&x.c.w, AY_KH12_SRK);
		ay_cmd12_params(&x.c);
		ay_wr_bytes(&x.c.w, AY_BYTES(secret));
		rc = write_pcrs(&x.c.w, pcrs, mask, e);
		ay_wr_vec32(&x.c.w, data);
	}
	if (rc == AY_OK)
		rc = ay_tpm12_call(d, &x, 0, e);
	if (rc == AY_OK) {
		*out = ay_arena_dup(a, x.reply);
		rc = out->p != NULL ? AY_OK : ay_fail(e, AY_E_NOMEM, "seal", 0, "no memory");
	}
	ay_tpm12_abandon(d, &x);
	return rc;
}

enum ay_rc ay_tpm12_unseal(struct ay_tpmdev *d, struct ay_bytes sealed, struct ay_secret *out,
			   struct ay_err *e)
{
	struct ay_call12 x = { 0 };
	struct ay_bytes b = { 0 };
	enum ay_rc rc = ay_tpm12_oiap(d, &x, d->srk, e);

	*out = (struct ay_secret){ 0 };
	if (rc == AY_OK)
		rc = ay_tpm12_oiap(d, &x, ay_tpm12_well_known, e);
	if (rc == AY_OK) {
		ay_cmd12_begin(&x.c, AY_ORD12_UNSEAL);
		ay_wr_be32(&x.c.w, AY_KH12_SRK);
		ay_cmd12_params(&x.c);
		ay_wr_bytes(&x.c.w, sealed);
		rc = ay_tpm12_call(d, &x, 0, e);
	}
	if (rc == AY_OK)
		rc = ay_sized12_parse(x.reply, &b, e);
	if (rc == AY_OK && !ay_secret_set(out, b))
		rc = ay_fail(e, AY_E_LIMIT, "unseal", 0, "longer than %d octets", AY_SECRET_MAX);
	ay_tpm12_abandon(d, &x);
	return rc;
}

enum ay_rc ay_tpm12_random(struct ay_tpmdev *d, size_t n, uint8_t *out, struct ay_err *e)
{
	size_t at = 0;

	for (int i = 0; at < n && i < RANDOM_TRIES; i++) {
		struct ay_call12 x = { 0 };
		struct ay_bytes b;
		enum ay_rc rc;

		ay_cmd12_begin(&x.c, AY_ORD12_GET_RANDOM);
		ay_wr_be32(&x.c.w, (uint32_t)(n - at));
		rc = ay_tpm12_call(d, &x, 0, e);
		if (rc == AY_OK)
			rc = ay_sized12_parse(x.reply, &b, e);
		if (rc != AY_OK)
			return rc;
		if (b.n > n - at)
			b.n = n - at;
		if (b.n > 0)
			memcpy(out + at, b.p, b.n);
		at += b.n;
		ay_tpm12_wipe(&x);
	}
	return at == n ? AY_OK : ay_fail(e, AY_E_UNAVAIL, "random", 0, "too few octets");
}
