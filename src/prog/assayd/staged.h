/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_STAGED_H
#define AY_ASSAYD_STAGED_H

/*
 * The three keys that hosts pin (root, ca-root, order) are replaced in two
 * steps: begin makes the new one and all that it signs in STATE/next-NAME, with
 * a statement by the one before that hosts take; the server goes on with what
 * it has. Finish puts them in force. Statements of finished ones stay in
 * STATE/pins until they expire. Each step is whole or is finished by settle.
 */
#include "core/base/limits.h"
#include "core/crypto/pinchange.h"
#include "io/sys/config.h"

#define AY_DIR_PINS "pins"
/*
 * {"root": {..}, ..}: how far hosts are with each change that is open, as the
 * API tells it (pinning.c), for `assayd keys`, which has no way to the store.
 */
#define AY_FILE_PIN_HOSTS "pin-hosts.json"
/* Store: "pin.root:HOST" (likewise ca, order) is the SHA-256 that this host pins, as it said. */
#define AY_PIN_META "pin."
#define AY_STAGED_BODY (2 + AY_PIN_CHANGE_MAX + 2 + AY_MAX_CERT_BYTES)
enum { AY_STAGED_MAX = 16 };
/* A statement is valid from so long before it was made: clocks of hosts may be behind. */
#define AY_STAGED_SLACK_MS ((int64_t)3600 * 1000)

/* The purpose that a key's name is for; false: hosts do not pin it. */
AY_MUST_USE bool ay_staged_purpose(const char *name, enum ay_pin_purpose *out);
/* "root", "ca-root", "order" */
const char *ay_staged_name(enum ay_pin_purpose p);
/* Begun and not finished. */
bool ay_staged_is_open(const struct ay_config *c, enum ay_pin_purpose p);

/* AY_E_EXISTS: one is open already. AY_E_NOENT: the key before is not there to sign. */
AY_MUST_USE enum ay_rc ay_staged_begin(const struct ay_config *c, enum ay_pin_purpose p,
				       int64_t now_ms, struct ay_err *e);
/* AY_E_NOENT: none is open. */
AY_MUST_USE enum ay_rc ay_staged_finish(const struct ay_config *c, enum ay_pin_purpose p,
					struct ay_err *e);
/* The key before was lost: a new one in force at once; nothing the old one signed is sent. */
AY_MUST_USE enum ay_rc ay_staged_revoke(const struct ay_config *c, enum ay_pin_purpose p,
					int64_t now_ms, struct ay_err *e);
/* Before anything reads the files: finish what was begun to be put in force, drop what was not
 * made whole. */
AY_MUST_USE enum ay_rc ay_staged_settle(const struct ay_config *c, struct ay_err *e);

/* A statement as hosts get it. */
struct ay_staged {
	struct ay_pin_change change; /* its views are into body */
	bool is_open;
	size_t n;
	uint8_t body[AY_STAGED_BODY]; /* of PIN_CHANGE */
};
/* Those that have not expired, the oldest first; *list is malloc'ed, NULL if there are none. */
AY_MUST_USE enum ay_rc ay_staged_load(const struct ay_config *c, int64_t now_ms,
				      struct ay_staged **list, size_t *n, struct ay_err *e);

/* An open change whose statement ends: 0: no hurry; 1: within 7 days; 2: within one, or ended. */
int ay_staged_warning(int64_t until_ms, int64_t now_ms);

#endif
