/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_POLICY_H
#define AY_APPRAISE_POLICY_H

/*
 * Trust policy: which components a group of hosts must satisfy, from which
 * reference sets, and for how long that holds (docs/formats/policy.md). A
 * policy in memory never changes. Zeroed, it requires nothing and so trusts
 * nothing.
 */
#include "core/appraise/ima_bufs.h"
#include "core/appraise/ima_paths.h"
#include "core/appraise/report.h"
#include "core/base/json.h"
#include "core/tpm/pcr.h"

enum ay_violations {
	AY_VIOLATIONS_AS_REFERENCE = 0, /* no more than the set has */
	AY_VIOLATIONS_AT_MOST,
};

/* How entries of the IMA list are judged, besides by the allow-lists (docs/formats/ima.md). */
struct ay_ima_rules {
	uint64_t min_files; /* accepted files that a healthy list has at least, boot_aggregate apart
			     */
	bool refuse_weak_digests; /* a file known by SHA-1 only is IMA_WEAK_DIGEST */
	struct ay_ima_keys keys;
	struct ay_ima_paths paths;
	struct ay_ima_bufs bufs;
	uint8_t sha256[32]; /* of the canonical member `ima`: tallies name it */
};

/* Banks that must be quoted (POLICY_BANK), and banks whose word alone judges nothing
 * (POLICY_BANK_WEAK). */
struct ay_bank_demands {
	size_t n_required, n_refused;
	uint16_t required[AY_BANKS_MAX], refused[AY_BANKS_MAX];
};

/* At least these; zero asks for nothing. */
struct ay_grade_demands {
	unsigned identity;			/* ay_identity_grade() */
	enum ay_grade component[AY_COMPONENTS]; /* GRADE_COMPONENT, of components that are required
						 */
};

enum ay_sb_state { AY_SB_ANY = 0, AY_SB_ON, AY_SB_OFF };

/* What the log of PCR 7 must show, by data that its digests cover. */
struct ay_sb_demands {
	enum ay_sb_state state; /* SB_STATE */
	uint32_t dbx_min;	/* dbx has at least so many signatures: SB_DBX */
	size_t n_dbx;		/* ... and these SHA-256 hashes */
	uint8_t (*dbx)[32];
	size_t n_sbat; /* SbatLevel revokes at least up to these generations: SB_SBAT */
	struct ay_sbat_level {
		const char *component;
		uint32_t generation;
	} * sbat;
};

/*
 * A failure that somebody answers for until an instant: it becomes a note and
 * fails again after that. It names exactly what it excuses (waiver.def says
 * which members each code needs); words are compared with those of the finding.
 */
struct ay_waiver {
	enum ay_check code;
	bool has_pcr;
	uint8_t pcr;
	uint16_t bank;	  /* 0: whichever */
	const char *path; /* NULL: not named; so the two below */
	const char *expected, *measured;
	const char *owner, *reason;
	int64_t until_ms;
};

/* An update under way: a version that is superseded already is accepted too, until an instant. */
struct ay_window {
	const char *set;
	uint32_t version;
	const char *owner, *reason;
	int64_t until_ms;
};

enum ay_ref_match {
	AY_REF_ANY_OF = 0, /* the host meets one of the sets */
	AY_REF_ALL_OF,	   /* ... each of them; one that is not in force is a finding */
	AY_REF_LATEST,	   /* ... the one learned or made last */
	AY_REF_MATCHES,
};

/* How sets are chosen for some parts: SecL's flavor match policies. */
struct ay_ref_rule {
	uint32_t parts; /* AY_PART_BIT()s */
	enum ay_ref_match match;
	bool required;	/* else only if there is a set: required_if_defined */
	size_t n_names; /* 0: every set in force */
	const char **name;
};

struct ay_policy {
	struct ay_arena arena;
	const char *name;
	uint32_t version;
	const char *owner, *note;
	uint8_t sha256[32]; /* of the canonical JSON: what results name it by */

	unsigned required;		/* AY_COMP_BIT()s */
	unsigned required_if_reference; /* required when a set in force has the part */

	/*
	 * `references`: names (any of them, any part), or rules, one or more a part.
	 * Neither: every set in force that matches the host.
	 */
	size_t n_references;
	const char **reference;
	size_t n_ref_rules;
	struct ay_ref_rule *ref_rule;

	uint32_t lease_s;	   /* how long `trusted` holds */
	uint32_t reattest_s;	   /* how often to ask */
	uint32_t missed_deadlines; /* after so many `trusted` becomes `unknown` */
	uint32_t max_staleness_s;  /* no `trusted` stands on older evidence; 0: lease_s alone */

	/* A host whose log never reached the operating system (design 6). */
	bool allow_no_log;
	const char *no_log_owner, *no_log_reason;

	bool ima; /* the IMA list is judged */
	enum ay_violations violations;
	uint64_t max_violations;
	bool allow_padded_bank; /* banks extended with zero-padded SHA-1 */
	struct ay_ima_rules ima_rules;
	bool refuse_weak_log; /* a SHA-1-only log is LOG_BANK_WEAK */

	struct ay_bank_demands banks;
	uint32_t pcrs_judged; /* bit N: some rule must judge PCR N: POLICY_PCR */
	struct ay_grade_demands grades;
	struct ay_sb_demands secure_boot;
	bool launch_required; /* a measured launch: DRTM_NOT_LAUNCHED */

	size_t n_waivers;
	struct ay_waiver *waiver;
	size_t n_windows;
	struct ay_window *window;
};

/* *out is new and the caller's; NULL on failure. Errors name the field. */
AY_MUST_USE enum ay_rc ay_policy_parse(struct ay_bytes json, struct ay_policy **out,
				       struct ay_err *e);
AY_MUST_USE enum ay_rc ay_policy_from_json(const json_t *j, struct ay_policy **out,
					   struct ay_err *e);
void ay_policy_free(struct ay_policy *p); /* NULL is fine */
/* The document; NULL without memory. */
json_t *ay_policy_json(const struct ay_policy *p);
struct ay_bytes ay_policy_build(const struct ay_policy *p, struct ay_arena *a);

/* The default policy, named "default": its JSON and the policy itself. */
const char *ay_policy_default_json(void);
AY_MUST_USE enum ay_rc ay_policy_default(struct ay_policy **out, struct ay_err *e);

/*
 * The next instant at which a waiver or window of the policy ends; INT64_MAX:
 * none does. now_ms here and below: milliseconds since 1970, 0 if nobody knows;
 * then everything that ends has ended.
 */
int64_t ay_policy_next_end(const struct ay_policy *p, int64_t now_ms);
/* The open window that accepts this version of a set; NULL: none. */
const struct ay_window *ay_policy_window(const struct ay_policy *p, const char *set_name,
					 uint32_t version, int64_t now_ms);
/* May a waiver excuse this code at all? */
bool ay_waiver_may(enum ay_check code);
/* Identity grades in order, from 1 ("agentless") to "ek_certified"; 0: no such grade. */
unsigned ay_identity_grade(struct ay_bytes name);
const char *ay_identity_grade_name(unsigned grade); /* "" for 0 */

/* Does the policy take this set? Names only; states are judged by the appraisal. */
bool ay_policy_takes(const struct ay_policy *p, const char *set_name);
/* ... for that part, enum ay_part? */
bool ay_policy_takes_part(const struct ay_policy *p, const char *set_name, unsigned part);
bool ay_ref_rule_names(const struct ay_ref_rule *r, const char *set_name);
struct ay_named ay_policy_named(const struct ay_policy *p);

#endif
