/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_SECRETS_H
#define AY_ASSAYD_API_SECRETS_H

/* What an account keeps to know its person again (docs/formats/account.md). */
#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/base/err.h"

enum {
	AY_PASSWORD_TEXT = 256, /* $argon2id$v=19$m=..,t=..,p=..$salt$hash */
	AY_TOTP_SEALED = 160,
	AY_RECOVERY_CODES = 10
};

enum ay_totp_state { AY_TOTP_NONE = 0, AY_TOTP_OFFERED, AY_TOTP_ON };
/* An account for emergencies: its password opens it once, then it must be armed anew. */
enum ay_break_glass { AY_GLASS_NONE = 0, AY_GLASS_ARMED, AY_GLASS_USED };

struct ay_secrets {
	char password[AY_PASSWORD_TEXT]; /* empty: none, no password opens it */
	int64_t password_at;		 /* when somebody else than its owner last set it */
	uint8_t totp_state;
	uint8_t totp[AY_TOTP_SEALED]; /* form and octets: seal.c */
	size_t totp_n;
	uint64_t totp_step; /* the last one used */
	size_t n_recovery;
	uint8_t recovery[AY_RECOVERY_CODES][32]; /* SHA-256 of those not used yet */
	uint8_t break_glass;
};

/* Octets in the arena; {NULL, 0} without memory. */
struct ay_bytes ay_secrets_build(const struct ay_secrets *s, struct ay_arena *a);
/* Empty: none of all. AY_E_INPUT; *out is zeroed then. */
AY_MUST_USE enum ay_rc ay_secrets_parse(struct ay_bytes in, struct ay_secrets *out,
					struct ay_err *e);

#endif
