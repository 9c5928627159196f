/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_KEYS_IMPL_H
#define AY_ASSAYD_KEYS_IMPL_H

/* What keys.c and staged.c share: files of STATE. */
#include "prog/assayd/keys.h"

#include <limits.h>
#include <sys/types.h>

enum { AY_KEYS_PEM_MAX = 64 * 1024 };

/* STATE/NAME with an ending. */
AY_MUST_USE enum ay_rc ay_keys_path(const struct ay_config *c, const char *name, const char *ending,
				    char out[PATH_MAX], struct ay_err *e);
AY_MUST_USE enum ay_rc ay_keys_put(const struct ay_config *c, const char *name, const char *ending,
				   mode_t mode, struct ay_bytes b, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_keys_get(const struct ay_config *c, const char *name, const char *ending,
				   struct ay_bytes *out, struct ay_err *e);
bool ay_keys_has(const struct ay_config *c, const char *name, const char *ending);
void ay_keys_drop(const struct ay_config *c, const char *name, const char *ending);

/* A new key, and its certificate by root where the row has one. */
AY_MUST_USE enum ay_rc ay_keys_pair(const struct ay_config *c, const struct ay_key_row *row,
				    const struct ay_cert_pem *root, struct ay_cert_pem *p,
				    struct ay_err *e);
/* Put a pair in the place of the row's; revoke: nothing of the one before counts. */
AY_MUST_USE enum ay_rc ay_keys_replace(const struct ay_config *c, const struct ay_key_row *row,
				       const struct ay_cert_pem *p, bool revoke, struct ay_err *e);
/* NULL: no row of that name. */
const struct ay_key_row *ay_keys_row(const char *name);

#endif
