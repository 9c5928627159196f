/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_CHECK_BOOT_H
#define AY_APPRAISE_CHECK_BOOT_H

/*
 * Does the TPM tell the same story of this boot as the host does?
 *
 * A boot id is drawn anew by every kernel that starts; resetCount moves with
 * every reset of the TPM and restartCount with every resume from suspend (and
 * every measured launch) [TPM2-P1 36.2]. A host boots with its TPM: where one
 * of the two moved alone, PCRs may have been zeroed and filled again from a
 * copied log. The host says its boot id itself, so that a kernel that lies
 * about it is not found here; a TPM that was reset behind an honest kernel's
 * back is.
 *
 * What is known of a boot stays as it was while one of these checks fails: the
 * failure lasts until host and TPM are reset together, or an operator
 * acknowledges.
 */
#include "core/appraise/appraise.h"
#include "core/evlog/ima_replay.h"

/* The boot that was attested last. Zeroed: none is known. */
struct ay_boot_mark {
	bool known;
	uint8_t boot_id[16];
	uint32_t reset_count, restart_count;
};

bool ay_boot_mark_eq(const struct ay_boot_mark *a, const struct ay_boot_mark *b);

#define AY_BOOT_MARK_WIRE 24
void ay_boot_mark_write(struct ay_writer *w, const struct ay_boot_mark *m);
/* Without its counters (16 octets) as with them; AY_E_INPUT for any other length. */
AY_MUST_USE enum ay_rc ay_boot_mark_parse(struct ay_bytes in, struct ay_boot_mark *out,
					  struct ay_err *e);

/*
 * TPM_RESET: same boot id, other resetCount. BOOT_WITHOUT_RESET: the reverse;
 * a kernel started by kexec looks like that too, and nothing measured it.
 * now: of a quote whose signature was verified.
 */
enum ay_result ay_check_boot(const struct ay_boot_mark *last, const uint8_t boot_id[16],
			     const struct ay_counters *now, struct ay_report *rep);

/*
 * TPM_RESTART: within one boot restartCount moved and PCRs 0-9, which no
 * resume and no measured launch changes, are not what they were: the TPM was
 * restarted without its saved state. Both sets of values are attested.
 * Values that were extended back to what they were are not found.
 */
enum ay_result ay_check_restart(const struct ay_boot_mark *last, const uint8_t boot_id[16],
				const struct ay_counters *now, const struct ay_pcrs *before,
				const struct ay_pcrs *attested, struct ay_report *rep);

/*
 * IMA_CONTINUITY of a list that came whole though the same boot's was verified
 * up to `before`: it must begin with the very same entries, and the quote must
 * not cover fewer.
 *
 *   list     from the first entry
 *   covered  entries that the quote covers
 *   rc       AY_OK, or why it could not be evaluated (memory)
 */
enum ay_result ay_check_ima_kept(const struct ay_ima_state *before, struct ay_bytes list,
				 uint64_t covered, struct ay_arena *a, struct ay_report *rep,
				 enum ay_rc *rc);

#endif
