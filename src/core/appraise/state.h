/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_STATE_H
#define AY_APPRAISE_STATE_H

/*
 * What the machine is, judged from facts that the TPM vouches for: the boot
 * (PCR values, log, reference sets, policy) and the running system (IMA list).
 *
 * One attestation, after ay_appraise_quote() said pcrs_attested:
 *
 *	ay_state_key(&in, key);           known key: merge the kept findings
 *	ay_appraise_state(&in, boot, e);  else judge, and keep them under the key
 *	ay_report_merge(rep, boot);
 *	ay_appraise_runtime(&rt, rep, e); IMA: only entries that are new
 *	ay_appraise_conclude(policy, ay_policy_required(policy, sets, n, ...), now, rep, e);
 *	ay_causes_find(rep, log);
 *
 * A key met before costs one hash over the values, whatever the size of
 * policy, sets and log.
 */
#include "core/appraise/appraise.h"
#include "core/appraise/check_ima.h"
#include "core/appraise/ima_tally.h"
#include "core/appraise/ima_verify.h"
#include "core/appraise/policy.h"
#include "core/appraise/reference.h"

/* Zero is the one that is never trusted. */
enum ay_log_given {
	AY_LOG_IS_REFUSED = 0, /* given and not parsed: log_error says why */
	AY_LOG_HAS_VANISHED,   /* an earlier boot had one, this one has none: LOG_VANISHED */
	AY_LOG_IS_ABSENT,      /* this host never had one: QUOTE_WITHOUT_LOG */
	AY_LOG_IS_GIVEN,
};

struct ay_state_in {
	const struct ay_pcrs *pcrs; /* attested; ay_quote_facts.pcrs */
	enum ay_log_given log_given;
	uint8_t log_sha256[32];	    /* of the log's octets when one was given, parsed or not */
	const struct ay_evlog *log; /* data checked; needed by ay_appraise_state only */
	const struct ay_err *log_error;
	uint32_t ima_pcrs; /* bit N: the IMA list extends PCR N (ay_ima_pcrs()); 10 always counts */
	const struct ay_refset *const *sets; /* candidates; the policy chooses by name and state */
	size_t n_sets;
	/* Parts of each that this host may be compared with (ay_match_host()). NULL: offline all,
	 * else all but host_unique. */
	const uint32_t *parts;
	const struct ay_policy *policy; /* NULL: none */
	bool reported; /* pcrs and log are what a manager says, and no TPM signed them */
	bool offline;			/* sets are given by hand: their state does not matter */
	int64_t now_ms; /* ms since 1970; 0 unknown: waivers and windows have all ended */
};

/* PCRs that an IMA list extends, those that a boot log does not have to explain. */
uint32_t ay_ima_pcrs(const struct ay_ima_state *s);

/*
 * SHA-256 over all that ay_appraise_state() looks at. PCR 10, 16 and 23 are
 * not; of the instant only which waiver or window ends next, so that a kept
 * state (and a report concluded from it) is not used beyond that.
 */
void ay_state_key(const struct ay_state_in *in, uint8_t key[32]);

/*
 * Judge the boot: LOG_*, QUOTE_WITHOUT_LOG, LOG_VANISHED, REF_*, NO_POLICY.
 * Nothing of in->pcrs is judged unless it is attested: the caller's duty.
 */
AY_MUST_USE enum ay_rc ay_appraise_state(const struct ay_state_in *in, struct ay_report *rep,
					 struct ay_err *e);

/*
 * Is the set one that the policy compares with: named (or none are), and
 * active, or a version that an update window still accepts? Offline its state
 * does not matter.
 */
bool ay_policy_in_force(const struct ay_policy *p, const struct ay_refset *s, bool offline,
			int64_t now_ms);

/*
 * Components the policy requires, given the sets in force (those for this host,
 * ay_match_host()): its own list, and those of parts that its references
 * require. 0 without a policy.
 */
unsigned ay_policy_required(const struct ay_policy *p, const struct ay_refset *const *sets,
			    size_t n_sets, bool offline, int64_t now_ms);

/* Is the host's identity (its grade's name, "" unknown) as good as the policy demands? A finding
 * only if it demands something; nobody knows the grade offline: not_checked, and not needed. */
void ay_check_identity_grade(const struct ay_policy *p, const char *grade, bool offline,
			     struct ay_report *rep);

/*
 * Findings to verdicts, in place of ay_report_conclude(): what the policy
 * demands of grades, then its waivers, then the verdicts. policy NULL: none.
 */
AY_MUST_USE enum ay_rc ay_appraise_conclude(const struct ay_policy *policy, unsigned required,
					    int64_t now_ms, struct ay_report *rep,
					    struct ay_err *e);

/* ---- the running system ---- */

/* Names the rules that a tally is made by: those of the policy's `ima`, and sets in force. */
void ay_tally_key(const struct ay_policy *p, const struct ay_refset *const *sets, size_t n_sets,
		  bool offline, int64_t now_ms, uint8_t key[32]);

struct ay_runtime_in {
	const struct ay_pcrs *pcrs;   /* attested */
	const struct ay_ima_run *run; /* replayed up to the attested prefix; NULL: no list given */
	bool fits;   /* a prefix fits pcrs (ay_ima_run_fit() or the quote's search) */
	bool padded; /* ... with banks extended as kernels before 5.8 did */
	const struct ay_err *ima_error; /* the list could not be parsed; NULL: it could */
	struct ay_bytes list;		/* the octets that are new: from run->from on */
	const struct ay_refset *const *sets;
	size_t n_sets;
	const struct ay_policy *policy;
	bool offline;
	int64_t now_ms;		       /* as in ay_state_in */
	struct ay_ima_sigcache *cache; /* good file signatures met before; NULL: none */
};

/*
 * Judge the IMA list: template hashes, PCR, boot_aggregate, violations, and
 * each attested entry of in->list by the allow-lists of the sets. tally is
 * advanced; if it was made with other sets, or does not end where the list
 * begins, IMA_CONTINUITY is not_checked: the caller must come with the whole
 * list (and a zeroed tally).
 */
AY_MUST_USE enum ay_rc ay_appraise_runtime(const struct ay_runtime_in *in,
					   struct ay_ima_tally *tally, struct ay_report *rep,
					   struct ay_err *e);

#endif
