/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_REPLY12_H
#define AY_TPM_REPLY12_H

/*
 * What TPM 1.2 commands answer, behind the frame (core/tpm/cmd12.h), and their
 * longer parameters. Views borrow from in; out is zeroed on failure.
 */
#include "core/tpm/cmd12.h"
#include "core/tpm/tpm12.h"

#define AY_HANDLES12_MAX 64

/* TPM_CAP_VERSION_INFO [TPM12-P2 21.6] as TPM_GetCapability gives it. */
struct ay_version12 {
	uint8_t rev_major, rev_minor;
	uint16_t spec_level;
	uint8_t errata;
	char vendor[5]; /* printable, '?' for what is not */
};
AY_MUST_USE enum ay_rc ay_version12_parse(struct ay_bytes in, struct ay_version12 *out,
					  struct ay_err *e);
/* The octets inside the u32 size of TPM_GetCapability, TPM_NV_ReadValue, TPM_Unseal, .. */
AY_MUST_USE enum ay_rc ay_sized12_parse(struct ay_bytes in, struct ay_bytes *out, struct ay_err *e);
/* TPM_KEY_HANDLE_LIST [TPM12-P2 5.6]; handles beyond the room are left out. */
AY_MUST_USE enum ay_rc ay_handles12_parse(struct ay_bytes in, uint32_t out[AY_HANDLES12_MAX],
					  size_t *n, struct ay_err *e);
/* dataSize of a TPM_NV_DATA_PUBLIC [TPM12-P2 19.3]. */
AY_MUST_USE enum ay_rc ay_nv12_parse(struct ay_bytes in, uint32_t index, uint32_t *size,
				     struct ay_err *e);
/*
 * TPM_ReadPubek: TPM_PUBKEY and SHA-1(key || our nonce). AY_E_CRYPTO: the
 * checksum is another; it keeps mistakes out, not attackers (no secret is in it).
 */
AY_MUST_USE enum ay_rc ay_pubek12_parse(struct ay_bytes in, const uint8_t nonce[AY_SHA1_BYTES],
					struct ay_bytes *pub, struct ay_err *e);
/* TPM_MakeIdentity: the new TPM_KEY12 and its signature over TPM_IDENTITY_CONTENTS. */
struct ay_identity12 {
	struct ay_bytes key;	 /* TPM_KEY12: for TPM_LoadKey2 */
	struct ay_bytes binding; /* signature */
};
AY_MUST_USE enum ay_rc ay_identity12_parse(struct ay_bytes in, struct ay_identity12 *out,
					   struct ay_err *e);

struct ay_signed12 {
	struct ay_bytes signature;
	uint8_t digest[AY_SHA1_BYTES]; /* of the composite that was signed */
	size_t n;
	uint8_t message[64]; /* TPM_QUOTE_INFO or TPM_QUOTE_INFO2 as signed */
};
/* TPM_Quote and TPM_Quote2 (without version), with the message that their signature is over. */
AY_MUST_USE enum ay_rc ay_signed12_parse(struct ay_bytes in, bool second,
					 const uint8_t external[AY_SHA1_BYTES],
					 struct ay_signed12 *out, struct ay_err *e);

/* TPM_PCR_SELECTION of three octets. */
void ay_selection12_write(struct ay_writer *w, uint32_t mask);
/*
 * TPM_PCR_INFO_LONG that opens only with these values of the PCRs selected
 * [TPM12-P2 8.5], at any locality. False: a value is missing.
 */
AY_MUST_USE bool ay_pcrinfo12_write(struct ay_writer *w, const struct ay_pcrs *pcrs, uint32_t mask);

/* TPM_NV_DATA_PUBLIC of an index bound to no PCR [TPM12-P2 19.3]. */
enum {
	AY_NV12_OWNER_WRITE = 1 << 1,
	AY_NV12_AUTH_WRITE = 1 << 2,
	AY_NV12_OWNER_READ = 1 << 17,
	AY_NV12_AUTH_READ = 1 << 18
};
void ay_nv12_write(struct ay_writer *w, uint32_t index, uint32_t attributes, uint32_t size);

#endif
