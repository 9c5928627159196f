/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_BASE_DEFS_H
#define AY_BASE_DEFS_H

/*
 * Attributes and small helpers every file may use. The macros exist because
 * clang 14 refuses the C23 spellings below -std=c2x.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AY_MUST_USE __attribute__((warn_unused_result))
#define AY_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define AY_CLEANUP(fn) __attribute__((cleanup(fn)))
#define AY_UNUSED __attribute__((unused))
#define AY_NORETURN __attribute__((noreturn))

/*
 * A buffer on a hot path that is written before it is read: spares the zeroes
 * that -ftrivial-auto-var-init would put there first.
 */
#define AY_NO_INIT __attribute__((uninitialized))

#define AY_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Mutation testing: a build with -DAY_MUTANTS can drop one named check at
 * start (tests/mutants.def); AY_CHECKED("NAME", cond) is then false for that
 * name. In a normal build it is the condition and nothing else.
 */
#ifdef AY_MUTANTS
bool ay_mutant_dropped(const char *name);
#define AY_CHECKED(name, cond) (!ay_mutant_dropped(name) && (cond))
#else
#define AY_CHECKED(name, cond) (cond)
#endif

#endif
