/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPMDEV_TPM12_H
#define AY_TPMDEV_TPM12_H

/*
 * What a TPM 1.2 does for us beside struct ay_tpmdev_ops. d was made by
 * ay_tpmdev_tpm12 and is open. Owner and storage root key are authorized by the
 * secrets of the configuration; data and areas of ours by the well-known one.
 */
#include "core/crypto/secret.h"
#include "core/tpm/reply12.h"
#include "io/tpmdev/tpmdev.h"

/*
 * Become the owner of a TPM that has none: EK read (its certificate, if there
 * is one, is not looked at here), the secrets of the configuration set, storage
 * root key made. AY_E_EXISTS: it has an owner.
 */
AY_MUST_USE enum ay_rc ay_tpm12_take_ownership(struct ay_tpmdev *d, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_tpm12_is_owned(struct ay_tpmdev *d, bool *owned, struct ay_err *e);

AY_MUST_USE enum ay_rc ay_tpm12_random(struct ay_tpmdev *d, size_t n, uint8_t *out,
				       struct ay_err *e);
AY_MUST_USE enum ay_rc ay_tpm12_pcr_read(struct ay_tpmdev *d, unsigned pcr,
					 uint8_t out[AY_SHA1_BYTES], struct ay_err *e);

/*
 * An area of NV, read without authorization, else by its own well-known secret,
 * else by the owner's. AY_E_NOENT: not defined.
 */
AY_MUST_USE enum ay_rc ay_tpm12_nv_read(struct ay_tpmdev *d, uint32_t index, struct ay_arena *a,
					struct ay_bytes *out, struct ay_err *e);
/* attributes: AY_NV12_*. Size 0 removes it. */
AY_MUST_USE enum ay_rc ay_tpm12_nv_define(struct ay_tpmdev *d, uint32_t index, uint32_t attributes,
					  uint32_t size, struct ay_err *e);
/* By the owner. */
AY_MUST_USE enum ay_rc ay_tpm12_nv_write(struct ay_tpmdev *d, uint32_t index, struct ay_bytes data,
					 struct ay_err *e);

/* Under the storage root key, to these values of the PCRs of mask (0: none). */
AY_MUST_USE enum ay_rc ay_tpm12_seal(struct ay_tpmdev *d, const struct ay_pcrs *pcrs, uint32_t mask,
				     struct ay_bytes data, struct ay_arena *a, struct ay_bytes *out,
				     struct ay_err *e);
/* AY_E_UNAVAIL when the PCRs have other values now. */
AY_MUST_USE enum ay_rc ay_tpm12_unseal(struct ay_tpmdev *d, struct ay_bytes sealed,
				       struct ay_secret *out, struct ay_err *e);

#endif
