/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_SECURE_BOOT_H
#define AY_APPRAISE_SECURE_BOOT_H

/*
 * Secure Boot as PCR 7 tells it. A variable counts only when the log explains
 * the attested PCR 7 and the digest of its event, in the strongest bank that
 * was quoted, is that of the whole UEFI_VARIABLE_DATA (name and value; a digest
 * over the value alone would let it pass for another variable).
 */
#include "core/appraise/policy.h"
#include "core/appraise/reference.h"

/*
 * SB_STATE, SB_DBX, SB_SBAT: one finding for each thing demanded. What was not
 * measured fails. A variable that was measured more than once must meet the
 * demand each time.
 */
void ay_check_secure_boot(const struct ay_sb_demands *d, const struct ay_boot_facts *f,
			  struct ay_report *rep);

#endif
