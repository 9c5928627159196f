/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_PINCHANGE_H
#define AY_CRYPTO_PINCHANGE_H

/*
 * How a host that pins a key of its server learns the next one: a statement
 * that the key before has signed (docs/protocol/agent-channel.md, pin change).
 * Big-endian: u8 version (1), u8 purpose, u64 sequence, i64 not before, i64 not
 * after (ms since 1970), 32 next (SHA-256 of the new key's SPKI), v8 label,
 * v8 SPKI of the key before, 64 signature (ECDSA P-256, r and s) over
 * "assay-pin-change-1" and all that stands before the signature.
 */
#include "core/crypto/privkey.h"

/* Numbers of the wire; what the pinned key does. */
enum ay_pin_purpose { AY_PIN_ROOT = 1, AY_PIN_CA, AY_PIN_ORDER };
#define AY_PIN_PURPOSES 3 /* 1 to this */

#define AY_PIN_LABEL_MAX 64
#define AY_PIN_CHANGE_MAX (2 + 3 * 8 + 32 + 1 + AY_PIN_LABEL_MAX + 1 + AY_SPKI_P256 + 64)

struct ay_pin_change {
	enum ay_pin_purpose purpose;
	uint64_t sequence; /* grows with every change of one purpose */
	int64_t not_before_ms, not_after_ms;
	uint8_t next[32];
	struct ay_bytes label;	/* for people; printable ASCII */
	struct ay_bytes signer; /* SPKI, DER */
	struct ay_bytes signature, signed_part;
};

/* "root", "ca", "order"; "?" for another number. */
const char *ay_pin_purpose_name(enum ay_pin_purpose p);

/* key: the key before. signer, signature and signed_part of c are not read. */
AY_MUST_USE enum ay_rc ay_pin_change_sign(const struct ay_pin_change *c,
					  const struct ay_privkey *key,
					  uint8_t out[AY_PIN_CHANGE_MAX], size_t *n,
					  struct ay_err *e);

/* What it says; nothing is verified. Views borrow. AY_E_INPUT, code PIN_MALFORMED. */
AY_MUST_USE enum ay_rc ay_pin_change_parse(struct ay_bytes in, struct ay_pin_change *out,
					   struct ay_err *e);

/*
 * May it replace this pin of its purpose? pin: SHA-256 of the SPKI that counts
 * now; sequence: of the last change that was taken, 0: none. AY_E_CRYPTO with
 * PIN_SIGNER (not the key that is pinned), PIN_SIGNATURE, PIN_OLDER (sequence
 * not above the last), PIN_EARLY, PIN_EXPIRED.
 */
AY_MUST_USE enum ay_rc ay_pin_change_check(const struct ay_pin_change *c, const uint8_t pin[32],
					   uint64_t sequence, int64_t now_ms, struct ay_err *e);

#endif
