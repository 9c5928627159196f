/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_KEY_FILE_H
#define AY_PROG_ASSAY_KEY_FILE_H

/*
 * A public key from a file in any form that auditors have: PEM or DER public
 * key or certificate (not verified), TPM2B_PUBLIC, TPMT_PUBLIC, TPM_PUBKEY.
 */
#include "core/crypto/key.h"

/* An enum ay_exit; what failed was said on stderr. */
AY_MUST_USE int ay_cli_key_file(const char *path, struct ay_pubkey **out);

#endif
