/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <time.h>

#include "io/sys/rng.h"
#include "io/tpmdev/tpm12_priv.h"

enum { BUSY_TRIES = 40, BUSY_WAIT_MS = 100 };

const uint8_t ay_tpm12_well_known[AY_SHA1_BYTES] = { 0 };

void ay_tpm12_wipe(struct ay_call12 *x)
{
	ay_wipe(x, sizeof(*x));
}

static void pause_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		continue;
}

/* No session is used up by TPM_RETRY: the very same octets are sent again. */
static enum ay_rc exchange(struct ay_tpmdev *d, struct ay_cmd12 *c, struct ay_bytes cmd,
			   uint8_t *rsp, struct ay_bytes *out, struct ay_err *e)
{
	for (int i = 0;; i++) {
		enum ay_rc rc = ay_tpm12_transmit(d, cmd, rsp, out, e);
		struct ay_reader r;

		if (rc != AY_OK)
			return rc;
		ay_rd_init(&r, *out);
		(void)ay_rd_bytes(&r, "head", 2 + 4);
		if (ay_rd_be32(&r, "code") != AY_RC12_RETRY || i == BUSY_TRIES)
			return AY_OK;
		c->code = AY_RC12_RETRY;
		pause_ms(BUSY_WAIT_MS);
	}
}

/* A command without authorization beside the one that x is for; the reply is parsed at once. */
static enum ay_rc plain(struct ay_tpmdev *d, struct ay_cmd12 *c, uint8_t *rsp, struct ay_bytes *out,
			struct ay_err *e)
{
	struct ay_bytes cmd, answer;
	enum ay_rc rc = ay_cmd12_end(c, NULL, 0, &cmd, e);

	if (rc == AY_OK)
		rc = exchange(d, c, cmd, rsp, &answer, e);
	return rc == AY_OK ? ay_rsp12_open(c, answer, NULL, 0, NULL, 0, out, e) : rc;
}

enum ay_rc ay_tpm12_oiap(struct ay_tpmdev *d, struct ay_call12 *x,
			 const uint8_t secret[AY_SHA1_BYTES], struct ay_err *e)
{
	struct ay_auth12 *a = &x->auth[x->n_auth];
	struct ay_bytes params;
	enum ay_rc rc;

	ay_oiap12_build(&x->c);
	rc = plain(d, &x->c, x->rsp, &params, e);
	if (rc == AY_OK)
		rc = ay_oiap12_parse(params, a, e);
	if (rc != AY_OK)
		return rc;
	memcpy(a->key, secret, AY_SHA1_BYTES);
	x->n_auth++;
	return AY_OK;
}

enum ay_rc ay_tpm12_osap(struct ay_tpmdev *d, struct ay_call12 *x, uint16_t type, uint32_t value,
			 const uint8_t secret[AY_SHA1_BYTES], struct ay_err *e)
{
	struct ay_auth12 *a = &x->auth[x->n_auth];
	uint8_t odd[AY_SHA1_BYTES];
	struct ay_bytes params;
	enum ay_rc rc;

	ay_rng_bytes(odd, sizeof(odd));
	ay_osap12_build(&x->c, type, value, odd);
	rc = plain(d, &x->c, x->rsp, &params, e);
	if (rc == AY_OK)
		rc = ay_osap12_parse(params, secret, odd, a, e);
	if (rc == AY_OK)
		x->n_auth++;
	return rc;
}

enum ay_rc ay_tpm12_call(struct ay_tpmdev *d, struct ay_call12 *x, size_t n_handles,
			 struct ay_err *e)
{
	struct ay_auth12 *list[AY_CMD12_AUTHS] = { &x->auth[0], &x->auth[1] };
	struct ay_bytes cmd, answer;
	size_t n = x->n_auth;
	enum ay_rc rc;

	for (size_t i = 0; i < n; i++) {
		ay_rng_bytes(x->auth[i].nonce_odd, AY_SHA1_BYTES);
		x->auth[i].more = false;
	}
	rc = ay_cmd12_end(&x->c, list, n, &cmd, e);
	if (rc != AY_OK)
		return rc;
	rc = exchange(d, &x->c, cmd, x->rsp, &answer, e);
	if (rc == AY_OK)
		x->n_auth = 0; /* the TPM ended them, whatever it answered */
	return rc == AY_OK
		       ? ay_rsp12_open(&x->c, answer, &x->handle, n_handles, list, n, &x->reply, e)
		       : rc;
}

void ay_tpm12_flush(struct ay_tpmdev *d, uint32_t handle, uint32_t type)
{
	uint8_t rsp[AY_CMD12_MAX];
	struct ay_bytes none;
	struct ay_cmd12 c;

	ay_cmd12_begin(&c, AY_ORD12_FLUSH_SPECIFIC);
	ay_wr_be32(&c.w, handle);
	ay_wr_be32(&c.w, type);
	(void)!plain(d, &c, rsp, &none, NULL);
}

void ay_tpm12_abandon(struct ay_tpmdev *d, struct ay_call12 *x)
{
	while (x->n_auth > 0)
		ay_tpm12_flush(d, x->auth[--x->n_auth].handle, AY_RT12_AUTH);
	ay_tpm12_wipe(x);
}

enum ay_rc ay_tpm12_capability(struct ay_tpmdev *d, struct ay_call12 *x, uint32_t area,
			       uint32_t sub, struct ay_bytes *out, struct ay_err *e)
{
	enum ay_rc rc;

	ay_cmd12_begin(&x->c, AY_ORD12_GET_CAPABILITY);
	ay_wr_be32(&x->c.w, area);
	ay_wr_be32(&x->c.w, 4);
	ay_wr_be32(&x->c.w, sub);
	rc = ay_tpm12_call(d, x, 0, e);
	return rc == AY_OK ? ay_sized12_parse(x->reply, out, e) : rc;
}
