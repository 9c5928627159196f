/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_OWNNAMES_H
#define AY_ASSAYD_OWNNAMES_H

/*
 * The names that the server goes by: DNS names and addresses in the
 * certificates of the API and of the listeners of [compat]. A client that
 * checked the certificate asked by one of them; a signed request for another
 * name was made for another server.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"
#include "io/sys/config.h"

enum { AY_OWN_NAMES = 64, AY_OWN_NAME_TEXT = 256 };

struct ay_own_names {
	size_t n;
	struct ay_bytes name[AY_OWN_NAMES]; /* in text below */
	char text[AY_OWN_NAMES][AY_OWN_NAME_TEXT];
};

/* Before the sandbox, since certificates may lie anywhere. A file that cannot be read: e. */
AY_MUST_USE enum ay_rc ay_own_names_load(const struct ay_config *c, struct ay_own_names *out,
					 struct ay_err *e);
/* The names of one certificate in PEM (the first of the text); more than there is room for are left
 * out. */
AY_MUST_USE enum ay_rc ay_own_names_add(struct ay_own_names *o, struct ay_bytes pem,
					struct ay_err *e);

#endif
