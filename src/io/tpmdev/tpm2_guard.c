/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "io/tpmdev/guard.h"
#include "io/tpmdev/tpm2_priv.h"

#define TRANSIENT_FIRST 0x80000000u /* TPM2_TRANSIENT_FIRST is made by a signed shift */

static enum ay_rc list_loaded(struct ay_tpmdev *d, struct ay_guard *out, struct ay_err *e)
{
	size_t n = 0;
	enum ay_rc rc = ay_tpm2_handles(d, TRANSIENT_FIRST, out->h, AY_GUARD_MAX / 2, &n, e);

	out->n = n;
	if (rc == AY_OK)
		rc = ay_tpm2_handles(d, TPM2_LOADED_SESSION_FIRST, out->h + n, AY_GUARD_MAX - n,
				     &out->n, e);
	out->n = rc == AY_OK ? out->n + n : 0;
	return rc;
}

static void flush_handle(struct ay_tpmdev *d, uint32_t handle)
{
	ESYS_TR tr = ESYS_TR_NONE;

	if (Esys_TR_FromTPMPublic(d->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &tr) ==
	    TSS2_RC_SUCCESS)
		ay_tpm2_flush(d, &tr);
}

enum ay_rc ay_tpm2_guard_begin(struct ay_tpmdev *d, struct ay_err *e)
{
	struct ay_guard now, foreign;
	enum ay_rc rc;

	if (d->guard_path == NULL)
		return AY_OK;
	rc = list_loaded(d, &now, e);
	if (rc != AY_OK)
		return rc;
	if (ay_guard_load(d->guard_path, &foreign)) {
		for (size_t i = 0; i < now.n; i++)
			if (!ay_guard_has(&foreign, now.h[i]))
				flush_handle(d, now.h[i]);
		rc = list_loaded(d, &now, e);
		if (rc != AY_OK)
			return rc;
	}
	return ay_guard_save(d->guard_path, &now, e);
}

void ay_tpm2_guard_end(struct ay_tpmdev *d)
{
	if (d->guard_path != NULL)
		(void)unlink(d->guard_path);
}
