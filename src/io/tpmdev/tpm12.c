/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "core/base/hex.h"
#include "core/crypto/hash.h"
#include "core/tpm/identity12.h"
#include "io/sys/file.h"
#include "io/sys/rng.h"
#include "io/tpmdev/guard.h"
#include "io/tpmdev/tpm12_priv.h"

enum { OPEN_TRIES = 8, OPEN_FIRST_WAIT_MS = 20, OPEN_LONGEST_WAIT_MS = 1000, SECRET_MAX = 1024 };
enum {
	CAP_PROPERTY = 0x05,
	CAP_HANDLE = 0x14,
	CAP_VERSION_VAL = 0x1a,
	PROP_OWNER = 0x111,
	PID_OWNER = 5,
};

#define PREFIX "tpm12:"

/* ---- secrets ---- */

/* 40 hex digits are the secret; any other text is hashed, as tpm-tools do it without -u. */
static enum ay_rc read_secret(const char *path, const char *key, uint8_t out[AY_SHA1_BYTES],
			      struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes file = { 0 };
	struct ay_bytes text;
	enum ay_rc rc;

	memset(out, 0, AY_SHA1_BYTES);
	if (path == NULL || path[0] == '\0')
		return AY_OK; /* the well-known secret */
	rc = ay_file_read(path, SECRET_MAX, &file, e);
	if (rc != AY_OK)
		return rc;
	text = file;
	while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == '\r'))
		text.n--;
	if (text.n == 0)
		return ay_fail(e, AY_E_INPUT, key, 0, "%s is empty", path);
	if (text.n == 2 * AY_SHA1_BYTES &&
	    ay_hex_decode(text, key, out, AY_SHA1_BYTES, NULL) == AY_OK)
		return AY_OK;
	return ay_hash_of(AY_ALG_SHA1, text, out) ? AY_OK
						  : ay_fail(e, AY_E_BUG, key, 0, "no SHA-1");
}

/* ---- life ---- */

static void tpm12_free(struct ay_tpmdev *d)
{
	if (d == NULL)
		return;
	ay_tpm12_disconnect(d);
	free(d->where);
	free(d->guard_path);
	ay_wipe(d, sizeof(*d));
	free(d);
}

static enum ay_rc fill(struct ay_tpmdev *d, const struct ay_tpmdev_conf *c, struct ay_err *e)
{
	size_t skip = strncmp(c->tcti, PREFIX, strlen(PREFIX)) == 0 ? strlen(PREFIX) : 0;
	enum ay_rc rc;

	d->fd = -1;
	d->where = strdup(c->tcti + skip);
	d->guard_path = c->guard_path != NULL ? strdup(c->guard_path) : NULL;
	if (d->where == NULL || (c->guard_path != NULL && d->guard_path == NULL))
		return ay_fail(e, AY_E_NOMEM, "tpm", 0, "no memory");
	rc = read_secret(c->owner_secret, "owner_secret", d->owner, e);
	return rc == AY_OK ? read_secret(c->srk_secret, "srk_secret", d->srk, e) : rc;
}

static enum ay_rc tpm12_make(const struct ay_tpmdev_conf *c, struct ay_tpmdev **out,
			     struct ay_err *e)
{
	struct ay_tpmdev *d = calloc(1, sizeof(*d));
	enum ay_rc rc;

	*out = NULL;
	if (d == NULL)
		return ay_fail(e, AY_E_NOMEM, "tpm", 0, "no memory");
	rc = fill(d, c, e);
	if (rc == AY_OK)
		*out = d;
	else
		tpm12_free(d);
	return rc;
}

/* ---- what others have loaded: guard.h ---- */

static enum ay_rc list_loaded(struct ay_tpmdev *d, struct ay_guard *out, struct ay_err *e)
{
	struct ay_call12 x = { 0 };
	struct ay_bytes list;
	enum ay_rc rc = ay_tpm12_capability(d, &x, CAP_HANDLE, AY_RT12_KEY, &list, e);

	_Static_assert(AY_GUARD_MAX == AY_HANDLES12_MAX, "all of them");
	out->n = 0;
	return rc == AY_OK ? ay_handles12_parse(list, out->h, &out->n, e) : rc;
}

static enum ay_rc guard_begin(struct ay_tpmdev *d, struct ay_err *e)
{
	struct ay_guard now, foreign;
	enum ay_rc rc;

	if (d->guard_path == NULL)
		return AY_OK;
	rc = list_loaded(d, &now, e);
	if (rc == AY_OK && ay_guard_load(d->guard_path, &foreign)) {
		for (size_t i = 0; i < now.n; i++)
			if (!ay_guard_has(&foreign, now.h[i]))
				ay_tpm12_flush(d, now.h[i], AY_RT12_KEY);
		rc = list_loaded(d, &now, e);
	}
	return rc == AY_OK ? ay_guard_save(d->guard_path, &now, e) : rc;
}

static void tpm12_close(struct ay_tpmdev *d)
{
	/* after a broken connection it stays: the next one tidies up */
	if (d->fd >= 0 && d->guard_path != NULL)
		(void)unlink(d->guard_path);
	ay_tpm12_disconnect(d);
}

static enum ay_rc connect_once(struct ay_tpmdev *d, struct ay_version12 *v, struct ay_err *e)
{
	struct ay_call12 x = { 0 };
	struct ay_bytes b;
	enum ay_rc rc = ay_tpm12_connect(d, e);

	if (rc == AY_OK)
		rc = ay_tpm12_capability(d, &x, CAP_VERSION_VAL, 0, &b, e);
	if (rc == AY_OK)
		rc = ay_version12_parse(b, v, e);
	if (rc != AY_OK)
		ay_tpm12_disconnect(d);
	return rc;
}

static void pause_ms(unsigned ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		continue;
}

static enum ay_rc tpm12_open(struct ay_tpmdev *d, struct ay_err *e)
{
	unsigned ms = OPEN_FIRST_WAIT_MS;
	struct ay_version12 v;
	enum ay_rc rc;

	for (int i = 0;; i++) {
		rc = connect_once(d, &v, e);
		if (rc != AY_E_UNAVAIL || i == OPEN_TRIES)
			break;
		pause_ms(ms);
		ms = ms * 2 < OPEN_LONGEST_WAIT_MS ? ms * 2 : OPEN_LONGEST_WAIT_MS;
	}
	if (rc == AY_OK)
		rc = guard_begin(d, e);
	if (rc != AY_OK)
		ay_tpm12_disconnect(d);
	return rc;
}

static enum ay_rc tpm12_info(struct ay_tpmdev *d, struct ay_tpm_info *out, struct ay_err *e)
{
	struct ay_call12 x = { 0 };
	struct ay_version12 v;
	struct ay_bytes b;
	enum ay_rc rc = ay_tpm12_capability(d, &x, CAP_VERSION_VAL, 0, &b, e);

	*out = (struct ay_tpm_info){ 0 };
	if (rc == AY_OK)
		rc = ay_version12_parse(b, &v, e);
	if (rc != AY_OK)
		return rc;
	out->family = 1;
	memcpy(out->manufacturer, v.vendor, sizeof(out->manufacturer));
	memcpy(out->model, "TPM 1.2", sizeof("TPM 1.2"));
	out->firmware = (uint64_t)v.rev_major << 8 | v.rev_minor;
	out->n_banks = 1;
	out->bank[0] = AY_ALG_SHA1;
	return AY_OK;
}

/* ---- ownership ---- */

enum ay_rc ay_tpm12_is_owned(struct ay_tpmdev *d, bool *owned, struct ay_err *e)
{
	struct ay_call12 x = { 0 };
	struct ay_bytes b;
	enum ay_rc rc = ay_tpm12_capability(d, &x, CAP_PROPERTY, PROP_OWNER, &b, e);

	*owned = false;
	if (rc != AY_OK)
		return rc;
	if (b.n != 1)
		return ay_fail(e, AY_E_INPUT, "tpm.owner", 0, "is no truth value");
	*owned = b.p[0] != 0;
	return AY_OK;
}

/* A secret on its way to the TPM: RSAES-OAEP to the EK. */
static enum ay_rc write_secret(struct ay_writer *w, const struct ay_pubkey *ek,
			       const uint8_t secret[AY_SHA1_BYTES], struct ay_err *e)
{
	uint8_t salt[AY_SHA1_BYTES], sealed[AY_RSA_BYTES_MAX];
	size_t n;
	enum ay_rc rc;

	ay_rng_bytes(salt, sizeof(salt));
	rc = ay_oaep_seal(ek, AY_ALG_SHA1, ay_bytes_of(AY_OAEP_TCPA),
			  (struct ay_bytes){ secret, AY_SHA1_BYTES }, salt, sealed, &n, e);
	ay_wipe(salt, sizeof(salt));
	if (rc == AY_OK)
		ay_wr_vec32(w, (struct ay_bytes){ sealed, n });
	return rc;
}

static enum ay_rc own(struct ay_tpmdev *d, const struct ay_pubkey *ek, struct ay_call12 *x,
		      struct ay_err *e)
{
	enum ay_rc rc = ay_tpm12_oiap(d, x, d->owner, e);

	if (rc != AY_OK)
		return rc;
	ay_cmd12_begin(&x->c, AY_ORD12_TAKE_OWNERSHIP);
	ay_wr_be16(&x->c.w, PID_OWNER);
	rc = write_secret(&x->c.w, ek, d->owner, e);
	if (rc == AY_OK)
		rc = write_secret(&x->c.w, ek, d->srk, e);
	ay_key12_template_write(&x->c.w, AY_USAGE12_STORAGE);
	return rc == AY_OK ? ay_tpm12_call(d, x, 0, e) : rc;
}

enum ay_rc ay_tpm12_take_ownership(struct ay_tpmdev *d, struct ay_err *e)
{
	struct ay_call12 x = { 0 };
	struct ay_pubkey *key = NULL;
	struct ay_public12 pub;
	struct ay_tpm_ek ek;
	struct ay_arena a;
	bool owned;
	enum ay_rc rc = ay_tpm12_is_owned(d, &owned, e);

	if (rc == AY_OK && owned)
		rc = ay_fail(e, AY_E_EXISTS, "tpm.owner", 0, "the TPM has an owner already");
	if (rc != AY_OK)
		return rc;
	ay_arena_init(&a, 256 * 1024);
	rc = ay_tpm12_ek_find(d, AY_EK_AUTO, 0, &a, &ek, e);
	if (rc == AY_OK)
		rc = ay_public12_parse(ek.pub, &pub, e);
	if (rc == AY_OK)
		rc = ay_public12_key(&pub, &key, e);
	if (rc == AY_OK)
		rc = own(d, key, &x, e);
	ay_tpm12_abandon(d, &x);
	ay_pubkey_free(key);
	ay_arena_fini(&a);
	return rc;
}

const struct ay_tpmdev_ops ay_tpmdev_tpm12 = {
	.name = "tpm12",
	.make = tpm12_make,
	.free = tpm12_free,
	.open = tpm12_open,
	.close = tpm12_close,
	.info = tpm12_info,
	.ek_find = ay_tpm12_ek_find,
	.ak_create = ay_tpm12_ak_create,
	.activate = ay_tpm12_activate,
	.quote = ay_tpm12_quote,
};
