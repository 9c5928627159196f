/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_SIGNERS_H
#define AY_ASSAYD_SIGNERS_H

/* Keys whose signed reference sets are taken (reference_signers), read before the sandbox closes.
 */
#include "core/authz/dsse.h"
#include "io/sys/config.h"

enum { AY_SIGNERS_MAX = 64 };

struct ay_signers {
	size_t n;
	struct ay_sigkey *key[AY_SIGNERS_MAX];
	char name[AY_SIGNERS_MAX][AY_MAX_NAME_BYTES + 1]; /* of the file, without .pem */
	bool unsigned_too;				  /* reference_import_unsigned */
};

/* A file that cannot be read, or holds another kind of key, is a fault: trust is not guessed. */
AY_MUST_USE enum ay_rc ay_signers_load(const struct ay_config *c, struct ay_signers *out,
				       struct ay_err *e);
void ay_signers_fini(struct ay_signers *s);

#endif
