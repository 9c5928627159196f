/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_PCRS_FILE_H
#define AY_PROG_ASSAY_PCRS_FILE_H

/* PCR values from JSON: {"sha256":{"0":"hex",..},..} (design.md 8). */
#include "core/tpm/pcr.h"

/* An enum ay_exit; what failed was said on stderr. */
AY_MUST_USE int ay_cli_pcrs_file(const char *path, struct ay_pcrs *out);

#endif
