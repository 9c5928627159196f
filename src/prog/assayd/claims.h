/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_CLAIMS_H
#define AY_ASSAYD_CLAIMS_H

/* What an assertion is made of, gathered from the host, its row and its last report. */
#include "core/assertion/saml.h"
#include "prog/assayd/engine_impl.h"

/* Its claims borrow from the rest of it, and from the host. */
struct ay_claims {
	struct ay_saml_claims claims;
	char issuer[160], id[AY_UUID_TEXT], report_id[AY_UUID_TEXT], ak_name[2 * AY_NAME_MAX + 1];
	char aik_sha1[41], tpm_version[8];
	char references[512];
	char *aik; /* the certificate in PEM, as CIT has it */
};

/* d is zeroed before, and ay_claims_fini() called after, whatever comes of it. */
AY_MUST_USE enum ay_rc ay_claims_gather(struct ay_engine *g, const struct ay_host *h,
					struct ay_claims *d, struct ay_err *e);
/* Of a host that nobody knows. */
void ay_claims_nobody(struct ay_engine *g, const char *name, struct ay_claims *d);
/* It was to attest and did not: what was trusted before is not asserted. */
void ay_claims_silent(struct ay_claims *d);
/* What was kept of rows and reports. */
void ay_claims_forget(struct ay_engine *g);
void ay_claims_fini(struct ay_claims *d);

#endif
