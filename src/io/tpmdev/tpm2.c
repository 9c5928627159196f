/* SPDX-License-Identifier: Apache-2.0 */
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include "io/tpmdev/tpm2_priv.h"

enum { OPEN_TRIES = 8, OPEN_FIRST_WAIT_MS = 20, OPEN_LONGEST_WAIT_MS = 1000 };

enum ay_rc ay_tpm2_fail(struct ay_err *e, const char *where, TSS2_RC rc)
{
	return ay_fail(e, AY_E_UNAVAIL, where, 0, "TPM: %s", Tss2_RC_Decode(rc));
}

static void tpm2_close(struct ay_tpmdev *d)
{
	if (d->esys != NULL) {
		ay_tpm2_guard_end(d);
		Esys_Finalize(&d->esys);
	}
	if (d->tcti != NULL)
		Tss2_TctiLdr_Finalize(&d->tcti);
	d->esys = NULL;
	d->tcti = NULL;
	d->tag_session = ESYS_TR_NONE;
}

static void tpm2_free(struct ay_tpmdev *d)
{
	if (d == NULL)
		return;
	tpm2_close(d);
	Esys_Free(d->saved);
	free(d->tcti_conf);
	free(d->guard_path);
	free(d);
}

/*
 * tctildr loads the TCTI's library at every open and drops it at every close.
 * Loaded here once for good, it is there when a sandbox no longer lets anything
 * be loaded. A name that is not found shows itself at open.
 */
static void preload_tcti(const char *conf)
{
	char name[96];
	size_t n = strcspn(conf, ":");

	(void)snprintf(name, sizeof(name), "libtss2-tcti-%.*s.so.0", n < 32 ? (int)n : 32, conf);
	(void)dlopen(name, RTLD_NOW | RTLD_NODELETE);
}

static enum ay_rc tpm2_make(const struct ay_tpmdev_conf *c, struct ay_tpmdev **out,
			    struct ay_err *e)
{
	struct ay_tpmdev *d = calloc(1, sizeof(*d));

	*out = NULL;
	if (d == NULL)
		return ay_fail(e, AY_E_NOMEM, "tpm", 0, "no memory");
	d->tcti_conf = strdup(c->tcti);
	d->guard_path = c->guard_path != NULL ? strdup(c->guard_path) : NULL;
	if (d->tcti_conf == NULL || (c->guard_path != NULL && d->guard_path == NULL)) {
		tpm2_free(d);
		return ay_fail(e, AY_E_NOMEM, "tpm", 0, "no memory");
	}
	preload_tcti(d->tcti_conf);
	*out = d;
	return AY_OK;
}

static void wait_ms(unsigned ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	while (nanosleep(&t, &t) != 0 && errno == EINTR)
		continue;
}

/* One try: the TCTI, ESYS over it, and a command that shows that the TPM answers. */
static TSS2_RC connect_once(struct ay_tpmdev *d)
{
	TPMS_CAPABILITY_DATA *cap = NULL;
	TPMI_YES_NO more;
	TSS2_RC rc = Tss2_TctiLdr_Initialize(d->tcti_conf, &d->tcti);

	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_Initialize(&d->esys, d->tcti, NULL);
	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_GetCapability(d->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
					TPM2_CAP_TPM_PROPERTIES, TPM2_PT_FAMILY_INDICATOR, 1, &more,
					&cap);
	Esys_Free(cap);
	if (rc != TSS2_RC_SUCCESS) {
		if (d->esys != NULL)
			Esys_Finalize(&d->esys);
		if (d->tcti != NULL)
			Tss2_TctiLdr_Finalize(&d->tcti);
		d->esys = NULL;
		d->tcti = NULL;
	}
	return rc;
}

/* Worth another try: the device is in another's hands (EBUSY, swtpm's one client), or just
 * starting. */
static bool is_busy(TSS2_RC rc)
{
	return (rc & TSS2_RC_LAYER_MASK) != 0 || rc == TPM2_RC_RETRY || rc == TPM2_RC_YIELDED ||
	       rc == TPM2_RC_TESTING || rc == TPM2_RC_INITIALIZE;
}

static enum ay_rc tpm2_open(struct ay_tpmdev *d, struct ay_err *e)
{
	unsigned ms = OPEN_FIRST_WAIT_MS;
	enum ay_rc rc;
	TSS2_RC r;

	tpm2_close(d); /* what was left open for a later step has to begin anew */
	for (int i = 0;; i++) {
		r = connect_once(d);
		if (r == TSS2_RC_SUCCESS || !is_busy(r) || i == OPEN_TRIES)
			break;
		wait_ms(ms);
		ms = ms * 2 < OPEN_LONGEST_WAIT_MS ? ms * 2 : OPEN_LONGEST_WAIT_MS;
	}
	if (r != TSS2_RC_SUCCESS)
		return ay_fail(e, AY_E_UNAVAIL, "tcti", 0, "cannot open the TPM at %s: %s",
			       d->tcti_conf, Tss2_RC_Decode(r));
	rc = ay_tpm2_guard_begin(d, e);
	if (rc != AY_OK)
		tpm2_close(d);
	return rc;
}

void ay_tpm2_flush(struct ay_tpmdev *d, ESYS_TR *object)
{
	if (*object != ESYS_TR_NONE)
		(void)Esys_FlushContext(d->esys, *object);
	*object = ESYS_TR_NONE;
}

const struct ay_tpmdev_ops ay_tpmdev_tpm2 = {
	.name = "tpm2",
	.make = tpm2_make,
	.free = tpm2_free,
	.open = tpm2_open,
	.close = tpm2_close,
	.info = ay_tpm2_info,
	.ek_find = ay_tpm2_ek_find,
	.ak_create = ay_tpm2_ak_create,
	.activate = ay_tpm2_activate,
	.quote = ay_tpm2_quote,
	.tag_begin = ay_tpm2_tag_begin,
	.tag_write = ay_tpm2_tag_write,
	.tag_certify = ay_tpm2_tag_certify,
	.nv_read = ay_tpm2_nv_read,
};
