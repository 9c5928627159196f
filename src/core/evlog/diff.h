/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_EVLOG_DIFF_H
#define AY_EVLOG_DIFF_H

/*
 * What differs between two machines, or one machine at two times: boot logs
 * event by event within each PCR, IMA lists file by file. Compared by digest
 * only, in the banks (algorithms) that both have; texts are for people.
 */
#include "core/base/arena.h"
#include "core/evlog/tcg.h"

/* One difference; an index of -1: nothing stands there. Both given: changed. */
struct ay_event_diff {
	uint8_t pcr;
	int32_t a, b; /* index in each log */
};

/* A file that only one has, or that has other digests under the same path. */
struct ay_file_diff {
	struct ay_bytes path; /* borrows from a list */
	uint16_t alg_a, alg_b;
	struct ay_bytes a, b; /* digest; n == 0: none */
};

struct ay_diff {
	size_t n_events, n_files; /* differences */
	struct ay_event_diff *event;
	struct ay_file_diff *file;
	size_t same_events, same_files;
};

/*
 * Fill the events of out (in the arena). AY_E_INPUT with code DIFF_BANKS when
 * the logs share no bank: then nothing can be said. Faults: memory.
 */
AY_MUST_USE enum ay_rc ay_evlog_diff(const struct ay_evlog *a, const struct ay_evlog *b,
				     struct ay_arena *arena, struct ay_diff *out, struct ay_err *e);

/*
 * Fill the files of out, ordered by path. An entry counts once however often
 * it was measured; violations and boot_aggregate are left out. Faults as
 * ay_ima_end().
 */
AY_MUST_USE enum ay_rc ay_ima_diff(struct ay_bytes a, struct ay_bytes b, struct ay_arena *arena,
				   struct ay_diff *out, struct ay_err *e);

#endif
