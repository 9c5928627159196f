/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_KEYRING_H
#define AY_ASSAYD_KEYRING_H

/*
 * The keys that stored secrets are wrapped by, in one file of mode 0600 that
 * stays open: after the sandbox nothing is opened any more. A line of fixed
 * length a key, the newest last: "k1 ID KEY\n", ID and KEY in hex. A key that
 * is destroyed becomes a line of dashes. A line that a crash cut short was
 * never used, since it is synced first; it is overwritten.
 */
#include "core/crypto/wrap.h"

#define AY_KEYRING_MAX 64 /* lines, destroyed ones included */

struct ay_keyring {
	int fd;
	size_t n_lines;
	struct ay_wrap_key key[AY_KEYRING_MAX]; /* by line; zero id: destroyed */
};

/* Makes the file with a first key if it is not there. AY_E_INPUT: it is not such a file;
 * AY_E_DENIED: others may read it. */
AY_MUST_USE enum ay_rc ay_keyring_open(const char *path, struct ay_keyring *out, struct ay_err *e);
void ay_keyring_close(struct ay_keyring *k);
/* NULL: unknown, or destroyed. */
const struct ay_wrap_key *ay_keyring_find(const struct ay_keyring *k,
					  const uint8_t id[AY_WRAP_KEY_ID]);
/* What new secrets are wrapped by. */
const struct ay_wrap_key *ay_keyring_newest(const struct ay_keyring *k);
/* The ids that secrets may be under, the newest first. */
size_t ay_keyring_ids(const struct ay_keyring *k, uint8_t out[AY_KEYRING_MAX * AY_WRAP_KEY_ID]);
/*
 * These two change the file, each under a lock. AY_E_UNAVAIL: another program
 * changed it since it was opened.
 */
/* A new key, on disk when this returns AY_OK. */
AY_MUST_USE enum ay_rc ay_keyring_rotate(struct ay_keyring *k, struct ay_err *e);
/* All but the newest are destroyed, here and on disk. */
AY_MUST_USE enum ay_rc ay_keyring_retire(struct ay_keyring *k, struct ay_err *e);

#endif
