/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_EK_TEMPLATE_H
#define AY_TPM_EK_TEMPLATE_H

/*
 * The default templates of endorsement keys [TCG-EK B.3, B.4]: what a public
 * area must look like to be an EK. unique is not compared: it is the key.
 */
#include "core/tpm/public.h"

struct ay_ek_template {
	const char *name;	 /* "L-1", "H-3", ... */
	const char *doc;	 /* "RSA 2048, low range" */
	struct ay_public public; /* unique fields as the template has them */
	uint32_t nv_cert;	 /* where the certificate of such an EK stands */
};

/* All templates, ended by one with name NULL. */
const struct ay_ek_template *ay_ek_templates(void);
/* By name; NULL = none. */
const struct ay_ek_template *ay_ek_template_find(const char *name);
/* The default template that pub was made from; NULL = none. */
const struct ay_ek_template *ay_ek_template_match(const struct ay_public *pub);
/*
 * Whether pub was made from another template, one that stands in NV beside the
 * EK certificate. The template itself must still be one of a restricted,
 * fixed decryption key, or nothing could be concluded from it.
 */
bool ay_ek_template_matches(const struct ay_public *pub, const struct ay_public *from_nv);

#endif
