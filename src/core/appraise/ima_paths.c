/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/ima_paths.h"

#include <string.h>

static const char *const actions[AY_IMA_ACTIONS] = {
	[AY_IMA_ACT_DENY] = "deny",	[AY_IMA_ACT_REQUIRE_SIGNED] = "require_signed",
	[AY_IMA_ACT_SIGNED] = "signed", [AY_IMA_ACT_IGNORE] = "ignore",
	[AY_IMA_ACT_ALLOW] = "allow",
};

static const char *const matches[] = {
	[AY_IMA_MATCH_PATH] = "path",
	[AY_IMA_MATCH_PREFIX] = "prefix",
	[AY_IMA_MATCH_GLOB] = "glob",
};

const char *ay_ima_action_name(enum ay_ima_action a)
{
	return (unsigned)a < AY_IMA_ACTIONS ? actions[a] : "";
}

bool ay_ima_action_find(const char *name, enum ay_ima_action *out)
{
	for (unsigned i = 0; i < AY_IMA_ACTIONS; i++)
		if (strcmp(actions[i], name) == 0) {
			*out = (enum ay_ima_action)i;
			return true;
		}
	return false;
}

/* ---- glob ---- */

/*
 * The set of places in the pattern that a match may have reached, octet by
 * octet of the text: no way back, so nothing a host sends makes it slow.
 * A place before stars also counts as the places behind them.
 */
struct places {
	bool at[AY_IMA_PATTERN_MAX + 2];
};

static void reach(const char *pattern, size_t i, struct places *p)
{
	p->at[i] = true;
	while (pattern[i] == '*')
		p->at[++i] = true;
}

/* Where one octet leads from place i. */
static void step(const char *pattern, size_t i, uint8_t c, struct places *to)
{
	bool crosses =
		pattern[i] == '*' && (pattern[i + 1] == '*' || (i > 0 && pattern[i - 1] == '*'));

	if (pattern[i] == '*') {
		if (c != '/' || crosses)
			reach(pattern, i, to);
	} else if (pattern[i] == '?' ? c != '/' : (uint8_t)pattern[i] == c) {
		reach(pattern, i + 1, to);
	}
}

bool ay_ima_glob(const char *pattern, struct ay_bytes text)
{
	size_t n = strlen(pattern);
	struct places now = { { false } };

	if (n > AY_IMA_PATTERN_MAX)
		return false;
	reach(pattern, 0, &now);
	for (size_t k = 0; k < text.n; k++) {
		struct places next = { { false } };

		for (size_t i = 0; i < n; i++)
			if (now.at[i])
				step(pattern, i, text.p[k], &next);
		now = next;
	}
	return now.at[n];
}

static bool starts_with(struct ay_bytes text, const char *head)
{
	size_t n = strlen(head);

	return text.n >= n && memcmp(text.p, head, n) == 0;
}

static bool fits(const struct ay_ima_path_rule *r, struct ay_bytes path)
{
	switch (r->match) {
	case AY_IMA_MATCH_PATH:
		return ay_bytes_eq(path, ay_bytes_of(r->pattern));
	case AY_IMA_MATCH_PREFIX:
		return starts_with(path, r->pattern);
	case AY_IMA_MATCH_GLOB:
		return ay_ima_glob(r->pattern, path);
	}
	return false;
}

const struct ay_ima_path_rule *ay_ima_paths_find(const struct ay_ima_paths *p, struct ay_bytes path)
{
	if (path.n == 0 || path.n > AY_IMA_PATH_MAX)
		return NULL;
	for (size_t i = 0; i < p->n; i++)
		if (fits(&p->rule[i], path))
			return &p->rule[i];
	return NULL;
}

/* ---- JSON ---- */

/* Anchored: a pattern begins at the root, and a prefix ends at a directory. */
static enum ay_rc check_pattern(const struct ay_ima_path_rule *r, struct ay_err *e)
{
	size_t n = strlen(r->pattern);

	if (n == 0 || r->pattern[0] != '/')
		return ay_json_bad(e, "policy.ima.paths", matches[r->match],
				   "does not begin with /");
	if (r->match == AY_IMA_MATCH_PREFIX && r->pattern[n - 1] != '/')
		return ay_json_bad(e, "policy.ima.paths", "prefix", "does not end with /");
	if (r->match == AY_IMA_MATCH_GLOB && strstr(r->pattern, "***") != NULL)
		return ay_json_bad(e, "policy.ima.paths", "glob", "has three stars in a row");
	return AY_OK;
}

static enum ay_rc parse_match(const json_t *o, struct ay_arena *a, struct ay_ima_path_rule *r,
			      struct ay_err *e)
{
	size_t n = 0;
	enum ay_rc rc = AY_OK;

	for (size_t i = 0; rc == AY_OK && i < AY_COUNT(matches); i++) {
		if (json_object_get(o, matches[i]) == NULL)
			continue;
		n++;
		r->match = (enum ay_ima_match)i;
		rc = ay_json_text(o, "policy.ima.paths", matches[i], true, AY_IMA_PATTERN_MAX, a,
				  &r->pattern, e);
	}
	if (rc == AY_OK && n != 1)
		rc = ay_json_bad(e, "policy.ima.paths", "path", "needs one of path, prefix, glob");
	return rc == AY_OK ? check_pattern(r, e) : rc;
}

static enum ay_rc parse_rule(const json_t *o, struct ay_arena *a, struct ay_ima_path_rule *r,
			     struct ay_err *e)
{
	static const char *const known[] = { "path", "prefix", "glob", "action", NULL };
	const char *action = "";
	enum ay_rc rc = ay_json_only(o, known, "policy.ima.paths", e);

	if (rc == AY_OK)
		rc = ay_json_text(o, "policy.ima.paths", "action", true, 32, a, &action, e);
	if (rc == AY_OK && !ay_ima_action_find(action, &r->action))
		rc = ay_json_bad(e, "policy.ima.paths", "action",
				 "is not deny, require_signed, signed, ignore or allow");
	return rc == AY_OK ? parse_match(o, a, r, e) : rc;
}

enum ay_rc ay_ima_paths_parse(const json_t *list, struct ay_arena *a, struct ay_ima_paths *out,
			      struct ay_err *e)
{
	size_t n = json_array_size(list);
	struct ay_ima_paths p = { 0 };
	enum ay_rc rc = AY_OK;

	*out = p;
	if (n == 0 || n > AY_IMA_PATHS_MAX)
		return ay_json_bad(e, "policy.ima", "paths",
				   "needs 1 to 256 rules; leave it out for none");
	p.rule = ay_arena_array(a, n, sizeof(*p.rule));
	if (p.rule == NULL)
		return ay_fail(e, AY_E_NOMEM, "policy.ima.paths", 0, "out of memory");
	while (rc == AY_OK && p.n < n) {
		struct ay_ima_path_rule *r = &p.rule[p.n];

		rc = parse_rule(json_array_get(list, p.n++), a, r, e);
		p.demands |= r->action == AY_IMA_ACT_DENY || r->action == AY_IMA_ACT_REQUIRE_SIGNED;
	}
	if (rc == AY_OK)
		*out = p;
	return rc;
}

json_t *ay_ima_paths_json(const struct ay_ima_paths *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n && list != NULL; i++) {
		const struct ay_ima_path_rule *r = &p->rule[i];

		if (json_array_append_new(list,
					  json_pack("{ss ss}", matches[r->match], r->pattern,
						    "action", ay_ima_action_name(r->action))) != 0)
			ay_json_unref(&list);
	}
	return list;
}

/* ---- review ---- */

/* The octets that every match begins with. */
static struct ay_bytes head_of(const struct ay_ima_path_rule *r)
{
	size_t n = r->match == AY_IMA_MATCH_GLOB ? strcspn(r->pattern, "*?") : strlen(r->pattern);

	return (struct ay_bytes){ (const uint8_t *)r->pattern, n };
}

static size_t count_slashes(struct ay_bytes b)
{
	size_t n = 0;

	for (size_t i = 0; i < b.n; i++)
		n += b.p[i] == '/';
	return n;
}

bool ay_ima_path_is_broad(const struct ay_ima_path_rule *r)
{
	static const char *const programs[] = {
		"/usr/bin/",
		"/usr/sbin/",
		"/usr/lib/",
		"/usr/lib32/",
		"/usr/lib64/",
		"/usr/libexec/",
		"/usr/local/bin/",
		"/usr/local/sbin/",
		"/usr/local/lib/",
		"/usr/local/libexec/",
		"/lib/modules/",
		"/lib/systemd/",
		"/lib/x86_64-linux-gnu/",
		"/dev/shm/",
		"/var/tmp/",
		"/run/user/",
	};
	struct ay_bytes head = head_of(r);

	if (r->action != AY_IMA_ACT_IGNORE && r->action != AY_IMA_ACT_ALLOW)
		return false;
	if (r->match == AY_IMA_MATCH_PATH)
		return false;
	if (count_slashes(head) < 3) /* "/", "/usr/", or "/usr/b" of "/usr/b*" */
		return true;
	for (size_t i = 0; i < AY_COUNT(programs); i++)
		if (ay_bytes_eq(head, ay_bytes_of(programs[i])))
			return true;
	return false;
}

bool ay_ima_path_is_shadowed(const struct ay_ima_paths *p, size_t i)
{
	struct ay_bytes head = head_of(&p->rule[i]);

	for (size_t k = 0; k < i; k++) {
		const struct ay_ima_path_rule *r = &p->rule[k];

		if (r->match == AY_IMA_MATCH_PREFIX && starts_with(head, r->pattern))
			return true;
		if (r->match == p->rule[i].match && strcmp(r->pattern, p->rule[i].pattern) == 0)
			return true;
		if (p->rule[i].match == AY_IMA_MATCH_PATH && fits(r, head))
			return true;
	}
	return false;
}
