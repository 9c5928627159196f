/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_AUTHZ_DSSE_H
#define AY_AUTHZ_DSSE_H

/*
 * DSSE, the Dead Simple Signing Envelope 1.0 [DSSE]: a payload with its type,
 * signed together, in a JSON envelope (docs/formats/dsse.md). Parsing trusts
 * nothing; a payload may be looked at only after ay_dsse_verify().
 */
#include "core/base/json.h"
#include "core/base/limits.h"
#include "core/crypto/sigkey.h"

#define AY_DSSE_REFERENCE_SET "application/vnd.assay.reference-set+json"

struct ay_dsse_signature {
	const char *keyid; /* a hint, never a reason to trust; "" if none */
	struct ay_bytes sig;
};

struct ay_dsse {
	const char *type;
	struct ay_bytes payload;
	size_t n;
	struct ay_dsse_signature signature[AY_MAX_DSSE_SIGNATURES];
};

/* Is this JSON document an envelope (it has `payload`), be it broken? */
bool ay_dsse_is_envelope(const json_t *j);

/*
 * Take an envelope apart; everything is copied to the arena. AY_E_INPUT and
 * AY_E_LIMIT name the field: dsse.payload, dsse.payloadType, dsse.signatures,
 * dsse.signatures.sig, dsse.signatures.keyid; the offset is that of the first
 * bad character of a base 64 text. Both alphabets are taken, not mixed
 * [DSSE protocol]; members that we do not know are passed over.
 */
AY_MUST_USE enum ay_rc ay_dsse_from_json(const json_t *j, struct ay_arena *a, struct ay_dsse *out,
					 struct ay_err *e);
AY_MUST_USE enum ay_rc ay_dsse_parse(struct ay_bytes text, struct ay_arena *a, struct ay_dsse *out,
				     struct ay_err *e);

/* What is signed: PAE(type, payload). In the arena; {NULL, 0} without memory. */
struct ay_bytes ay_dsse_pae(const char *type, struct ay_bytes payload, struct ay_arena *a);

/*
 * Signed by at least one of these keys, and of the type that is wanted?
 * AY_E_CRYPTO: DSSE_SIGNER no signature by a trusted key; DSSE_SIGNATURE one
 * that names a trusted key does not verify and no other does; AY_E_INPUT:
 * DSSE_TYPE. *which: the first key that verifies.
 */
AY_MUST_USE enum ay_rc ay_dsse_verify(const struct ay_dsse *d, const char *type,
				      const struct ay_sigkey *const keys[], size_t n_keys,
				      struct ay_arena *a, size_t *which, struct ay_err *e);

/* A new envelope with a signature of each key. NULL: e says why. */
AY_MUST_USE json_t *ay_dsse_build(const char *type, struct ay_bytes payload,
				  const struct ay_sigkey *const keys[], size_t n_keys,
				  struct ay_err *e);

#endif
