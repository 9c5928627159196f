/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_IMA_PATHS_H
#define AY_APPRAISE_IMA_PATHS_H

/*
 * Rules on the path of an IMA entry (policy `ima.paths`), the first that
 * matches counts. A path is covered by the quote, since the template hash is
 * over it, but says nothing about contents: who can write there decides what a
 * rule that allows or ignores lets pass.
 *
 *   {"path": "/sbin/init", "action": "require_signed"}    exactly this
 *   {"prefix": "/usr/share/", "action": "ignore"}         all below
 *   {"glob": "/home/ * /.cache/ ** ", "action": "deny"}   without the blanks
 *
 * In a glob `*` is any octets but "/", `**` any octets, `?` one that is not
 * "/"; it must match the whole path.
 */
#include "core/base/json.h"

#define AY_IMA_PATHS_MAX 256
#define AY_IMA_PATTERN_MAX 255
#define AY_IMA_PATH_MAX 4096 /* PATH_MAX; a longer one matches no rule */

/* Zero is the strictest. */
enum ay_ima_action {
	AY_IMA_ACT_DENY = 0,	   /* nothing there may be measured: IMA_DENIED */
	AY_IMA_ACT_REQUIRE_SIGNED, /* a good signature, whatever the allow-lists say */
	AY_IMA_ACT_SIGNED,	   /* a good signature is enough; else the allow-lists */
	AY_IMA_ACT_IGNORE,	   /* not judged; the report counts them */
	AY_IMA_ACT_ALLOW,	   /* any contents will do */
	AY_IMA_ACTIONS,
};
const char *ay_ima_action_name(enum ay_ima_action a);
bool ay_ima_action_find(const char *name, enum ay_ima_action *out);

enum ay_ima_match { AY_IMA_MATCH_PATH = 0, AY_IMA_MATCH_PREFIX, AY_IMA_MATCH_GLOB };

struct ay_ima_path_rule {
	enum ay_ima_action action;
	enum ay_ima_match match;
	const char *pattern;
};

struct ay_ima_paths {
	size_t n;
	struct ay_ima_path_rule *rule;
	bool demands; /* some rule denies or requires: an entry without a path cannot meet them */
};

AY_MUST_USE enum ay_rc ay_ima_paths_parse(const json_t *list, struct ay_arena *a,
					  struct ay_ima_paths *out, struct ay_err *e);
json_t *ay_ima_paths_json(const struct ay_ima_paths *p);

/* The first rule that matches; NULL: none. */
const struct ay_ima_path_rule *ay_ima_paths_find(const struct ay_ima_paths *p,
						 struct ay_bytes path);

/* Does the pattern match all of text? Time: length of pattern times length of text, at most. */
bool ay_ima_glob(const char *pattern, struct ay_bytes text);

/* ---- for who reviews policies ---- */

/*
 * Does the rule let pass (allow, ignore) what nobody should let pass unseen:
 * all, a whole directory of the root, or a place that programs are run from?
 */
bool ay_ima_path_is_broad(const struct ay_ima_path_rule *r);
/* Can rule i never be the first to match, because an earlier one matches all that it matches? */
bool ay_ima_path_is_shadowed(const struct ay_ima_paths *p, size_t i);

#endif
