/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_TAG_INDEX_H
#define AY_TPM_TAG_INDEX_H

/*
 * The NV index of a TPM 2.0 that holds a host's asset tag
 * (docs/formats/tag.md): SHA-256 of the tag's certificate. It is written only
 * with a signature by the tag CA over a nonce of that TPM and over exactly
 * these octets [TPM2-P3 23.3]; anybody may read it. Its Name covers all of that
 * [TPM2-P1 16], so an index of the right Name cannot have been written by
 * anyone else.
 */
#include "core/tpm/public.h"

#define AY_TAG_INDEX 0x0180a55au /* owner's range [TCG Registry of reserved handles] */
#define AY_TAG_CONTENTS 32
#define AY_TAG_NV_PUBLIC_MAX 64
#define AY_TAG_POLICY_REF "assay-tag-1"

/* TPMA_NV [TPM2-P2 13.4]: written by policy and whole, read by all, no lock-out. */
#define AY_TAG_ATTRIBUTES 0x02061008u
#define AY_NV_WRITTEN 0x20000000u

/* PolicySigned by that key with AY_TAG_POLICY_REF, then PolicyCommandCode(NV_Write). */
void ay_tag_policy(struct ay_bytes key_name, uint8_t out[32]);
/* TPMS_NV_PUBLIC of the index, before or after it was written. */
void ay_tag_nv_public(struct ay_bytes key_name, bool written, struct ay_writer *w);
/* Its Name. */
void ay_tag_index_name(struct ay_bytes key_name, bool written, struct ay_name *out);

/* Of TPM2_NV_Write of contents, with the index as its own authorisation [TPM2-P1 16.7]. */
void ay_tag_cp_hash(const struct ay_name *index, const uint8_t contents[AY_TAG_CONTENTS],
		    uint8_t out[32]);

/*
 * What the tag CA signs to let contents be written once: nonceTPM ||
 * expiration || cpHash || policyRef [TPM2-P3 23.3.1]; expiration is 0, so that
 * the signature ends with the session. nonce_tpm: 16 to 32 octets.
 */
AY_MUST_USE enum ay_rc ay_tag_write_permit(struct ay_writer *w, struct ay_bytes nonce_tpm,
					   struct ay_bytes key_name, bool written,
					   const uint8_t contents[AY_TAG_CONTENTS],
					   struct ay_err *e);

/* TPMT_PUBLIC of a P-256 key as the agent loads it to check such a signature. x, y of 32 octets. */
void ay_tag_ca_public(struct ay_bytes x, struct ay_bytes y, struct ay_writer *w);

#endif
