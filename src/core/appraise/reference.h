/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_REFERENCE_H
#define AY_APPRAISE_REFERENCE_H

/*
 * Reference sets: the expected values of one thing (design 1, 6), as JSON
 * (docs/formats/reference-set.md) and in memory. A set is a list of rules, each
 * of one kind (ay_rule_kinds) and of one part. A set in memory never changes;
 * many appraisals may read it at once.
 */
#include "core/appraise/ima_bufs.h"
#include "core/appraise/match.h"
#include "core/appraise/report.h"
#include "core/appraise/set_state.h"
#include "core/base/json.h"
#include "core/base/limits.h"
#include "core/evlog/tcg.h"
#include "core/tpm/pcr.h"

enum ay_part {
	AY_PART_PLATFORM = 0,
	AY_PART_OS,
	AY_PART_HOST_UNIQUE,
	AY_PART_RUNTIME,
	AY_PART_ASSET_TAG,
	AY_PARTS,
};
#define AY_PART_BIT(p) (1u << (p))
#define AY_PARTS_ALL ((1u << AY_PARTS) - 1)

const char *ay_part_name(enum ay_part p);
bool ay_part_find(struct ay_bytes name, enum ay_part *out);

/*
 * An expected event of a PCR. Compared by digest only; type and summary are
 * for people. With alternatives, one of them will do and digest is empty.
 */
struct ay_ref_event {
	const uint8_t *digest[AY_BANKS_MAX]; /* in bank k of the rule; NULL: none */
	uint32_t type;
	bool data_mismatch; /* its digest did not cover its data when it was learned: LOG_EVENT_DATA
			       is a note */
	const char *summary;
	size_t n_signatures; /* of a variable of Secure Boot: what it held (signatures.h) */
	const char **signature;
	size_t n_alternatives; /* JSON "one_of" */
	struct ay_ref_event *alternative;
};

/*
 * An event that a PCR may have and need not: by digest, or by the name and GUID
 * of a UEFI variable. The latter counts only where the digest covers the whole
 * structure, name and GUID included: a text that nobody measured excuses nothing.
 */
struct ay_exclude {
	const uint8_t *digest[AY_BANKS_MAX]; /* in bank k of the rule; all NULL: by variable */
	const char *variable;		     /* its name in ASCII; NULL: by digest */
	uint8_t guid[16]; /* as in the structure: the first three fields little-endian */
	const char *summary;
};

/* What a `minimum` is a minimum of. */
enum ay_minimum_of {
	AY_MINIMUM_SBAT = 0, /* generations of components in the measured SbatLevel */
	AY_MINIMUM_SVN,	     /* security version numbers that dbx carries */
	AY_MINIMUM_DBX,	     /* dbx has these entries, and so many */
	AY_MINIMUM_FIRMWARE, /* version that the CRTM measured */
	AY_MINIMUMS,
};

struct ay_minimum {
	enum ay_minimum_of of;
	size_t n; /* sbat: components and generations; svn: GUIDs and versions */
	struct ay_minimum_row {
		const char *name;      /* component, or GUID in lower case */
		uint32_t major, minor; /* sbat: generation, 0 */
	} * row;
	uint64_t n_entries;  /* dbx: at least so many; which ones stands in files */
	const char *version; /* firmware: compared number by number */
	const char *prefix;  /* firmware: the text before it; "" if none */
};

/* A set of file digests with a lookup that does not depend on its size. */
struct ay_digest_set {
	size_t n, room; /* room: a power of two, 0 when empty */
	struct ay_digest_row {
		const uint8_t *digest; /* NULL: free */
		const char *path;      /* for people; "" if none */
		uint16_t alg;
	} * row;
};

/* NULL = none. */
const struct ay_digest_row *ay_digest_set_find(const struct ay_digest_set *s, uint16_t alg,
					       struct ay_bytes digest);

struct ay_rule_kind;

struct ay_rule {
	const struct ay_rule_kind *kind;
	enum ay_part part;
	uint8_t pcr;		/* kinds with a PCR */
	size_t n_values;	/* kinds "pcr", "golden": 1; "one_of": alternatives */
	struct ay_pcrs *values; /* the value in each bank */
	size_t n_banks;		/* kinds with events: the banks of their digests */
	uint16_t bank[AY_BANKS_MAX];
	size_t n_events;
	struct ay_ref_event *event;
	size_t n_excluded; /* kind "events_excluding" */
	struct ay_exclude *excluded;
	const char *owner, *reason;  /* kind "golden" */
	const struct ay_pcrs *sinit; /* golden of PCR 17-22: digest of the SINIT module it is for */
	struct ay_minimum minimum;
	struct ay_digest_set files; /* "files", "forbidden" (path: what it is), "minimum" of dbx */
	uint64_t violations;	    /* kind "files": as many as there were */
	struct ay_ima_keys keys;    /* kind "signers" */
	size_t n_buffers;	    /* kind "buffers": digests by name */
	struct ay_ima_buf_rule *buffer;
};

struct ay_provenance {
	const char *source;   /* "learned", "imported", "computed" */
	const char *host;     /* "" if none; so the others */
	const char *at;	      /* RFC 3339 */
	const char *evidence; /* its hash in hex */
	const char *owner;
	const char *note;
};

struct ay_refset {
	struct ay_arena arena; /* all it points to */
	const char *name;
	uint32_t version;
	enum ay_set_state state;
	struct ay_provenance provenance;
	struct ay_match match; /* which hosts it is for; zeroed: all */
	uint8_t sha256[32];    /* of the canonical JSON without `state`: what results name it by */
	size_t n_rules;
	struct ay_rule *rule;
};

/*
 * Parse a set. AY_E_INPUT and AY_E_LIMIT name the field. *out is new and the
 * caller's (ay_refset_free); NULL on failure.
 */
AY_MUST_USE enum ay_rc ay_refset_parse(struct ay_bytes json, struct ay_refset **out,
				       struct ay_err *e);
/* As parse, from a document that is already loaded. */
AY_MUST_USE enum ay_rc ay_refset_from_json(const json_t *j, struct ay_refset **out,
					   struct ay_err *e);
void ay_refset_free(struct ay_refset *s); /* NULL is fine */
/* The document; NULL without memory. full: with rules, else counts only. The caller's reference. */
json_t *ay_refset_json(const struct ay_refset *s, bool full);
/* {"PART":[RULE, ..]} of the rules about a PCR alone; NULL without memory. The caller's. */
json_t *ay_refset_boot_json(const struct ay_refset *s);
/* Canonical JSON with state, as stored and exported. In the arena; {NULL, 0} without memory. */
struct ay_bytes ay_refset_build(const struct ay_refset *s, struct ay_arena *a);

/* Parts that the set has rules for, AY_PART_BIT()s. */
uint32_t ay_refset_parts(const struct ay_refset *s);
struct ay_named ay_refset_named(const struct ay_refset *s);

/* ---- learning ---- */

/* Facts that were verified: signature, nonce and replay of what is learned. */
struct ay_learn_from {
	const struct ay_pcrs *pcrs; /* attested */
	const struct ay_evlog *log; /* data checked and explaining pcrs; NULL: none */
	struct ay_bytes ima;	    /* binary list, the attested prefix of it; n == 0: none */
};

/*
 * Which part speaks of what a launch measured (docs/txt.md): events named here
 * go to os or host_unique, others to platform in the PCRs of the mask, else to
 * os. Names are ay_launch_name()'s; "module" is every module that tboot started.
 */
struct ay_launch_split {
	uint32_t platform; /* PCRs, bit N */
	size_t n_os, n_host_unique;
	const char *const *os, *const *host_unique;
};
extern const struct ay_launch_split ay_launch_split_default;

struct ay_learn_options {
	const char *name;
	uint32_t version; /* 0: 1 */
	uint32_t parts;	  /* AY_PART_BIT()s; 0: every part there is evidence for */
	uint32_t pcrs;	  /* bit N; 0: all that are judged by value */
	const struct ay_launch_split
		*launch;      /* of events of a launch; NULL: ay_launch_split_default */
	uint32_t host_unique; /* PCRs that go to part host_unique instead of platform or os */
	const struct ay_match *match;	 /* NULL: for all hosts */
	struct ay_provenance provenance; /* members may be NULL */
};

/* A new draft set, the caller's. AY_E_INPUT: the name, or no evidence for what is asked. */
AY_MUST_USE enum ay_rc ay_refset_learn(const struct ay_learn_from *from,
				       const struct ay_learn_options *opt, struct ay_refset **out,
				       struct ay_err *e);

/* PCRs judged by value: 0-15 without IMA's 10, and 17-22. */
#define AY_PCR_BY_VALUE (AY_PCR_ASKED & ~(1u << 10))

/* ---- kinds of rules ---- */

/* What rules about the boot are judged by. */
struct ay_boot_facts {
	const struct ay_pcrs *pcrs; /* attested */
	const struct ay_evlog *log; /* NULL: none, or none to go by */
	uint32_t unexplained;	    /* bit N: the log does not explain PCR N */
	bool offline;		    /* a value that the quote does not cover is QUOTE_SELECTION */
};

/* What a rule of a kind is among the others of its set and of other sets. */
enum ay_rule_role {
	AY_ROLE_DEMAND = 0, /* its pass judges nothing; a set of demands alone always applies */
	AY_ROLE_SOME,	    /* judges a PCR in part: others may follow */
	AY_ROLE_WHOLE,	    /* judges all that a PCR holds */
	AY_ROLE_FORBIDS,    /* applies whatever other set the host meets */
	AY_ROLE_RUNTIME,    /* judged by the IMA list, not by the boot */
};

/* One kind of expected value. Adding one: a file and a line in ay_rule_kinds. */
struct ay_rule_kind {
	const char *name;
	const char *doc; /* one line */
	bool has_pcr;
	enum ay_rule_role role;
	bool by_events; /* it covers the events of its PCR one by one */
	/* members besides kind and pcr, into r; memory from a. */
	enum ay_rc (*parse)(const json_t *o, struct ay_arena *a, struct ay_rule *r,
			    struct ay_err *e);
	/* the same members, added to o; false without memory. */
	bool (*build)(const struct ay_rule *r, json_t *o);
	/* findings and coverage to rep; NULL: not judged by the boot (files). */
	void (*check)(const struct ay_refset *s, const struct ay_rule *r,
		      const struct ay_boot_facts *f, struct ay_report *rep);
};
extern const struct ay_rule_kind *const ay_rule_kinds[]; /* ends with NULL */
extern const struct ay_rule_kind ay_rule_pcr, ay_rule_one_of, ay_rule_golden;
extern const struct ay_rule_kind ay_rule_events, ay_rule_events_excluding, ay_rule_includes;
extern const struct ay_rule_kind ay_rule_minimum, ay_rule_forbidden, ay_rule_files;
extern const struct ay_rule_kind ay_rule_signers, ay_rule_buffers, ay_rule_launch;

/*
 * Judge the boot by the rules of one part, those about the PCRs of the mask
 * (bit N; all bits: rules without a PCR too) but not what is forbidden.
 */
void ay_refset_check(const struct ay_refset *s, enum ay_part part, uint32_t pcrs,
		     const struct ay_boot_facts *f, struct ay_report *rep);
/* Findings of what the set forbids, in the boot log. */
void ay_refset_check_forbidden(const struct ay_refset *s, uint32_t parts,
			       const struct ay_boot_facts *f, struct ay_report *rep);
/* What the set forbids: the row of this digest; NULL: nothing. Cost: one look-up a rule. */
const struct ay_digest_row *ay_refset_forbids(const struct ay_refset *s, uint16_t alg,
					      struct ay_bytes digest);
/* The golden rule about PCR pcr in that part, if the whole value is met; NULL: none. */
const struct ay_rule *ay_refset_excuses_log(const struct ay_refset *s, enum ay_part part,
					    unsigned pcr, const struct ay_boot_facts *f);
/* PCRs that rules of that role judge in the part, bit N. */
uint32_t ay_refset_pcrs(const struct ay_refset *s, enum ay_part part, enum ay_rule_role role);
/* Rules that contradict each other or can never be met: AY_E_INPUT. */
AY_MUST_USE enum ay_rc ay_refset_check_rules(const struct ay_refset *s, struct ay_err *e);
/* Did the set record that the data of this event is not what its digest covers? */
bool ay_refset_knows_mismatch(const struct ay_refset *s, const struct ay_evlog *log, size_t event);

#endif
