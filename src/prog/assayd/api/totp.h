/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_TOTP_H
#define AY_ASSAYD_API_TOTP_H

/* Time-based one-time passwords [RFC6238]: SHA-1, 6 digits, 30 s, as every app has them. */
#include "core/base/bytes.h"
#include "core/base/err.h"

enum { AY_TOTP_SECRET = 20, AY_TOTP_TEXT = 33, AY_RECOVERY_TEXT = 20 };

/*
 * Is code right now, or was it in the step before or after, and not used yet?
 * *step: the last one used, moved on when it is right. now_s: since 1970.
 */
AY_MUST_USE bool ay_totp_check(struct ay_bytes secret, struct ay_bytes code, int64_t now_s,
			       uint64_t *step);
/* Base 32, without padding. */
void ay_totp_text(const uint8_t secret[AY_TOTP_SECRET], char out[AY_TOTP_TEXT]);
/* otpauth://totp/Assay:NAME?secret=..&issuer=Assay; NULL without memory; freed by free(). */
char *ay_totp_uri(const char *user, const uint8_t secret[AY_TOTP_SECRET]);
/* "xxxx-xxxx-xxxx-xxxx" of 80 random bits; hash: as it is kept. */
void ay_recovery_make(char out[AY_RECOVERY_TEXT], uint8_t hash[32]);
/* As typed: case, blanks and dashes do not matter. */
void ay_recovery_hash(struct ay_bytes typed, uint8_t hash[32]);

#endif
