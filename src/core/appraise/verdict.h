/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_VERDICT_H
#define AY_APPRAISE_VERDICT_H

/*
 * The words of a decision. Zero is always the worst: memory that nobody
 * filled is a failed check of an untrusted host.
 */
#include "core/base/bytes.h"

/* of one check */
enum ay_result { AY_FAIL = 0, AY_NOT_CHECKED, AY_PASS };

/* of a component or a host; ordered, so that the minimum is the verdict */
enum ay_verdict { AY_UNTRUSTED = 0, AY_UNKNOWN, AY_TRUSTED };

/* What a verdict is about (design 1). AY_COMP_OF_PCR stands only in checks.def and ay_place. */
enum ay_component {
	AY_COMP_OF_PCR = 0, /* by the PCR the finding names: ay_component_of_pcr() */
	AY_COMP_IDENTITY,
	AY_COMP_PLATFORM, /* Mt. Wilson: BIOS trust */
	AY_COMP_OS,	  /* Mt. Wilson: VMM trust */
	AY_COMP_RUNTIME,  /* IMA */
	AY_COMP_ASSET_TAG,
	AY_COMP_COMPLIANCE,
	AY_COMPONENTS,
};
/* arrays are indexed by enum ay_component; [0] stays empty */
#define AY_COMPONENT_COUNT AY_COMPONENTS
#define AY_COMP_BIT(c) (1u << (c))

/* How sure a fact is (design 1, "grade of a fact"). Zero: nothing known. */
enum ay_grade {
	AY_GRADE_NONE = 0,
	AY_GRADE_SELF_REPORTED,
	AY_GRADE_REPORTED,
	AY_GRADE_LOG_REPLAYED,
	AY_GRADE_TPM_SIGNED,
};

/* "fail", "not_checked", "pass"; "untrusted", ...; "identity", ... Never NULL. */
const char *ay_result_name(enum ay_result r);
const char *ay_verdict_name(enum ay_verdict v);
const char *ay_component_name(enum ay_component c);
const char *ay_grade_name(enum ay_grade g);

/* AY_COMP_OF_PCR when there is no such component. */
enum ay_component ay_component_find(struct ay_bytes name);
/*
 * Which component a PCR's value speaks for: firmware and its configuration
 * (0-3, 6, 7) platform; boot loader, kernel, initrd, command line and a
 * measured launch (4, 5, 8, 9, 11-15, 17-22) os; IMA (10) runtime.
 */
enum ay_component ay_component_of_pcr(unsigned pcr);

#endif
