/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_MATCH_H
#define AY_APPRAISE_MATCH_H

/*
 * Which reference sets a host is compared with. In two steps, since the second
 * needs evidence:
 *
 *   the host's side  id and labels, which the operator gave: ay_match_host(),
 *                    once when sets, policy or labels change;
 *   the machine      firmware and kernel as the boot log shows them:
 *                    ay_match_machine(), whenever a state is judged.
 *
 * Matching only narrows: a set that does not match is not compared with. What
 * is forbidden is never narrowed by evidence, which the host itself sends.
 */
#include "core/appraise/verdict.h"
#include "core/base/json.h"
#include "core/base/uuid.h"
#include "core/evlog/tcg.h"

struct ay_refset;
struct ay_report;

/* key and value; a value to match is a pattern with * and ?. */
struct ay_match_label {
	const char *key, *value;
};

/* Member "match" of a set: all that is given must hold. Zeroed: every host. */
struct ay_match {
	bool is_set;
	const char *vendor, *version; /* patterns; NULL: not asked */
	const char *cmdline;
	size_t n_kernels; /* one of these was measured, in any PCR of the boot */
	struct ay_match_kernel {
		uint16_t alg;
		uint8_t digest[AY_DIGEST_MAX];
	} * kernel;
	size_t n_labels;
	struct ay_match_label *label;
	size_t n_hosts; /* one of these */
	struct ay_uuid *host;
};

/* Does m ask for anything that only evidence tells? */
bool ay_match_needs_machine(const struct ay_match *m);

/* m is zeroed on failure; it lives in the arena. */
AY_MUST_USE enum ay_rc ay_match_parse(const json_t *o, struct ay_arena *a, struct ay_match *out,
				      struct ay_err *e);
/* A new reference; NULL without memory. */
json_t *ay_match_json(const struct ay_match *m);

/* * any text, ? any octet; others themselves. */
bool ay_match_pattern(const char *pattern, const char *text);

/* ---- the host's side ---- */

/* What an operator said of a host. Zeroed: nothing is known of it. */
struct ay_host_facts {
	bool has_id;
	struct ay_uuid id;
	size_t n_labels;
	const struct ay_match_label *label;
};

/*
 * Parts of the set that this host may be compared with, AY_PART_BIT()s; 0: the
 * set is not for it. host_unique only for a host of match.hosts or, without
 * that, the one it was learned from.
 */
uint32_t ay_match_host(const struct ay_refset *s, const struct ay_host_facts *h);

/* ---- the machine ---- */

/* A text from the boot log and how sure it is; NULL: not there. */
struct ay_machine_fact {
	const char *text;
	enum ay_grade grade;
};

struct ay_machine {
	struct ay_machine_fact vendor, version, cmdline;
	const struct ay_evlog *log; /* for kernels by digest; NULL: none */
	uint32_t unexplained;	    /* PCRs whose events prove nothing */
};

/*
 * What the log says of the machine. Texts are grade log_replayed where a
 * digest covers them in a PCR that the log explains, self_reported else
 * (SP800-155 events, which nothing measures). Two different texts: none.
 */
void ay_machine_of_log(const struct ay_evlog *log, uint32_t unexplained, struct ay_arena *a,
		       struct ay_machine *out);

/* The first event that ay_machine_of_log() takes the version of the CRTM from; 0: none. */
size_t ay_machine_version_event(const struct ay_evlog *log);

enum ay_fit { AY_FIT_NO = 0, AY_FIT_UNKNOWN, AY_FIT_YES };

/* unknown: something is asked that the evidence does not say. */
enum ay_fit ay_match_machine(const struct ay_match *m, const struct ay_machine *machine);

#endif
