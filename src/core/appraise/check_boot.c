/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/check_boot.h"

#include <inttypes.h>
#include <string.h>

/* Measured while the host starts, and by nobody afterwards. */
#define STATIC_PCRS 10

bool ay_boot_mark_eq(const struct ay_boot_mark *a, const struct ay_boot_mark *b)
{
	return a->known == b->known && a->reset_count == b->reset_count &&
	       a->restart_count == b->restart_count &&
	       memcmp(a->boot_id, b->boot_id, sizeof(a->boot_id)) == 0;
}

void ay_boot_mark_write(struct ay_writer *w, const struct ay_boot_mark *m)
{
	ay_wr_bytes(w, AY_BYTES(m->boot_id));
	if (!m->known)
		return;
	ay_wr_be32(w, m->reset_count);
	ay_wr_be32(w, m->restart_count);
}

enum ay_rc ay_boot_mark_parse(struct ay_bytes in, struct ay_boot_mark *out, struct ay_err *e)
{
	struct ay_boot_mark m = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	ay_rd_copy(&r, "boot.id", m.boot_id, sizeof(m.boot_id));
	if (ay_rd_left(&r) > 0) {
		m.reset_count = ay_rd_be32(&r, "boot.resetCount");
		m.restart_count = ay_rd_be32(&r, "boot.restartCount");
		m.known = true;
	}
	rc = ay_rd_end(&r, "boot", e);
	*out = rc == AY_OK ? m : (struct ay_boot_mark){ 0 };
	return rc;
}

static bool is_same_boot(const struct ay_boot_mark *last, const uint8_t boot_id[16])
{
	return memcmp(last->boot_id, boot_id, sizeof(last->boot_id)) == 0;
}

enum ay_result ay_check_boot(const struct ay_boot_mark *last, const uint8_t boot_id[16],
			     const struct ay_counters *now, struct ay_report *rep)
{
	bool same_boot = is_same_boot(last, boot_id);
	bool same_reset = last->reset_count == now->reset_count;

	if (!last->known)
		return AY_PASS; /* COUNTER_BACK says that nothing is known */
	if (AY_CHECKED("TPM_RESET", same_boot && !same_reset))
		return ay_report_add(rep, AY_CHECK_TPM_RESET, AY_FAIL, NULL,
				     "resetCount was %" PRIu32 " and is %" PRIu32
				     " within one boot: the TPM was reset, the host was not",
				     last->reset_count, now->reset_count);
	if (AY_CHECKED("BOOT_WITHOUT_RESET", !same_boot && same_reset))
		return ay_report_add(rep, AY_CHECK_BOOT_WITHOUT_RESET, AY_FAIL, NULL,
				     "a new boot id, and resetCount is still %" PRIu32
				     ": a kernel started by kexec, or a reboot that never was",
				     now->reset_count);
	return ay_report_add(rep, AY_CHECK_TPM_RESET, AY_PASS, NULL, NULL);
}

/* The first of the static PCRs that differs. */
static bool find_changed(const struct ay_pcrs *before, const struct ay_pcrs *attested,
			 struct ay_place *at)
{
	for (size_t k = 0; k < attested->n_banks; k++)
		for (unsigned pcr = 0; pcr < STATIC_PCRS; pcr++) {
			uint16_t alg = attested->bank[k].alg;
			struct ay_bytes was = ay_pcrs_value(before, alg, pcr);
			struct ay_bytes is = ay_pcrs_value(attested, alg, pcr);

			if (was.n == 0 || is.n == 0 || ay_bytes_eq(was, is))
				continue;
			*at = (struct ay_place){ .bank = alg,
						 .has_pcr = true,
						 .pcr = (uint8_t)pcr,
						 .component = AY_COMP_IDENTITY,
						 .expected = was,
						 .measured = is };
			return true;
		}
	return false;
}

enum ay_result ay_check_restart(const struct ay_boot_mark *last, const uint8_t boot_id[16],
				const struct ay_counters *now, const struct ay_pcrs *before,
				const struct ay_pcrs *attested, struct ay_report *rep)
{
	struct ay_place at;

	if (!last->known || !is_same_boot(last, boot_id) || last->reset_count != now->reset_count ||
	    last->restart_count == now->restart_count)
		return AY_PASS;
	if (AY_CHECKED("TPM_RESTART", find_changed(before, attested, &at)))
		return ay_report_add(rep, AY_CHECK_TPM_RESTART, AY_FAIL, &at,
				     "restartCount was %" PRIu32 " and is %" PRIu32
				     ", and PCRs of the boot changed: a resume without the TPM's "
				     "saved state",
				     last->restart_count, now->restart_count);
	return ay_report_add(rep, AY_CHECK_TPM_RESTART, AY_PASS, NULL, NULL);
}

/* ---- the IMA list ---- */

static bool same_value(const struct ay_ima_state *a, size_t slot, size_t bank,
		       const struct ay_ima_state *b)
{
	const struct ay_ima_bank *at = &a->bank[bank];
	struct ay_bytes v = ay_ima_state_value(b, at->alg, at->padded, a->slot[slot].pcr);

	return v.n == 0 || memcmp(v.p, a->slot[slot].value[bank], v.n) == 0;
}

/* Equal in every bank that both replays have. */
static bool same_values(const struct ay_ima_state *a, const struct ay_ima_state *b)
{
	if (a->n_pcrs != b->n_pcrs || a->entries != b->entries)
		return false;
	for (size_t i = 0; i < a->n_pcrs; i++)
		for (size_t k = 0; k < a->n_banks; k++)
			if (!same_value(a, i, k, b))
				return false;
	return true;
}

static enum ay_result lost(struct ay_report *rep, uint64_t is, uint64_t was)
{
	return ay_report_add(rep, AY_CHECK_IMA_CONTINUITY, AY_FAIL, NULL,
			     "%" PRIu64 " entries are there, %" PRIu64
			     " of the same boot were verified before: the list became shorter",
			     is, was);
}

enum ay_result ay_check_ima_kept(const struct ay_ima_state *before, struct ay_bytes list,
				 uint64_t covered, struct ay_arena *a, struct ay_report *rep,
				 enum ay_rc *rc)
{
	struct ay_ima_state begin;
	struct ay_ima_run *run = ay_arena_alloc(a, sizeof(*run));
	struct ay_bytes head = { list.p, (size_t)before->octets };
	bool same;

	*rc = run == NULL ? AY_E_NOMEM : AY_OK;
	if (run == NULL)
		return AY_FAIL;
	if (AY_CHECKED("IMA_SHORTER", covered < before->entries))
		return lost(rep, covered, before->entries);
	if (list.n < before->octets)
		head.n = list.n; /* fewer octets and as many entries: others */
	ay_ima_state_init(&begin, before->bank, before->n_banks);
	same = ay_ima_replay(&begin, head, 0, run, a, NULL) == AY_OK &&
	       same_values(&run->now, before);
	if (AY_CHECKED("IMA_PREFIX", !same))
		return ay_report_add(rep, AY_CHECK_IMA_CONTINUITY, AY_FAIL, NULL,
				     "the first %" PRIu64
				     " entries are not those that were verified in this boot",
				     before->entries);
	return AY_PASS;
}
