/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_AGENT_ATTEST_H
#define AY_PROG_AGENT_ATTEST_H

/* One CHALLENGE in, one EVIDENCE out. */
#include "core/tpm/pcr.h"
#include "prog/assay-agent/agent.h"
#include "prog/assay-agent/launch.h"

/* What the last answers leave for the next ones. */
struct ay_attester {
	bool has_last;
	struct ay_pcrs last; /* values sent last */
	uint8_t last_hash[32];
	struct ay_arena arena;
	struct ay_bytes nv; /* of this answer (launch.h), in nv_buf */
	uint8_t nv_buf[AY_LAUNCH_NV_MAX];
};

struct ay_attest_env {
	const struct ay_agent *agent; /* its identity must be enrolled */
	const struct ay_tpmdev_ops *ops;
	struct ay_tpmdev *dev;
	const uint8_t *exporter;
};

void ay_attester_init(struct ay_attester *t);
void ay_attester_fini(struct ay_attester *t);
/* Another AK: the server starts anew, and so do we. */
void ay_attester_forget(struct ay_attester *t);

/* out: body of EVIDENCE, malloc'ed; freed by ay_file_free(). */
AY_MUST_USE enum ay_rc ay_attest(struct ay_attester *t, const struct ay_attest_env *env,
				 struct ay_bytes challenge, struct ay_bytes *out, struct ay_err *e);

/* The values of now that differ from last (same banks); for AY_CHAN_HINTS_CHANGED. */
void ay_attest_changed(const struct ay_pcrs *last, const struct ay_pcrs *now, struct ay_pcrs *out);
/* SHA-256 of the wire form. */
void ay_attest_values_hash(const struct ay_pcrs *values, uint8_t out[32]);

#endif
