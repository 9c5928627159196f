/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAY_CA_TRUSTSETS_H
#define AY_ASSAY_CA_TRUSTSETS_H

/*
 * ek_trust_dir/NAME/: one named trust set per folder, all PEM certificates and
 * CRLs in its files (*.pem, *.crt, *.crl). Every certificate there is trusted:
 * an operator put it there.
 */
#include "core/base/arena.h"
#include "core/crypto/x509.h"

struct ay_trust_sets {
	struct ay_arena arena;
	struct ay_trust_set *sets;
	size_t n;
	size_t n_certs;
	size_t n_refused; /* blocks that are no certificate we can read */
};

/* A folder that does not exist is no set. Faults: AY_E_UNAVAIL, AY_E_LIMIT, AY_E_NOMEM. */
AY_MUST_USE enum ay_rc ay_trust_sets_load(const char *dir, struct ay_trust_sets *out,
					  struct ay_err *e);
void ay_trust_sets_fini(struct ay_trust_sets *t);

#endif
