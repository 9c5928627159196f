/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/rules.h"

#include "core/base/reader.h"
#include "core/base/writer.h"
#include "prog/assayd/judge.h"

#include <stdlib.h>

#define VERSION 2
#define SET_OCTETS 34

struct ay_judge *ay_judge_make(const struct ay_policy *p, const struct ay_refset *const *sets,
			       const uint32_t *parts, size_t n, int64_t now_ms)
{
	struct ay_judge *j = calloc(1, sizeof(*j));
	const struct ay_refset **kept = calloc(n + 1, sizeof(*kept));
	uint32_t *kept_parts = calloc(n + 1, sizeof(*kept_parts));

	if (!j || !kept || !kept_parts) {
		free(j);
		free(kept);
		free(kept_parts);
		return NULL;
	}
	j->refs = 1;
	j->policy = p;
	j->sets = kept;
	j->parts = kept_parts;
	for (size_t i = 0; i < n; i++)
		if (parts[i]) {
			kept_parts[j->n_sets] = parts[i];
			kept[j->n_sets++] = sets[i];
		}
	j->required = ay_policy_required(p, kept, j->n_sets, false, now_ms);
	ay_tally_key(p, kept, j->n_sets, false, now_ms, j->tally_key);
	j->rules = ay_rules_blob(p, kept, kept_parts, j->n_sets);
	return j;
}

struct ay_blob *ay_rules_blob(const struct ay_policy *p, const struct ay_refset *const *sets,
			      const uint32_t *parts, size_t n)
{
	size_t room = 38 + n * SET_OCTETS;
	uint8_t *buf = malloc(room);
	struct ay_blob *b = NULL;
	struct ay_bytes wire;
	struct ay_writer w;

	if (!buf)
		return NULL;
	ay_wr_init(&w, buf, room);
	ay_wr_u8(&w, VERSION);
	ay_wr_u8(&w, p != NULL);
	if (p)
		ay_wr_bytes(&w, AY_BYTES(p->sha256));
	ay_wr_be32(&w, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		ay_wr_bytes(&w, AY_BYTES(sets[i]->sha256));
		ay_wr_u8(&w, (uint8_t)sets[i]->state);
		ay_wr_u8(&w, (uint8_t)parts[i]);
	}
	if (ay_wr_end(&w, "rules", &wire, NULL) == AY_OK)
		b = ay_blob_new(wire);
	free(buf);
	return b;
}

static void check_states(struct ay_reader *r, const struct ay_rules *out)
{
	for (uint32_t i = 0; i < out->n_sets && ay_rd_ok(r); i++)
		if (out->sets.p[(size_t)i * SET_OCTETS + 32] > AY_SET_REVOKED)
			ay_rd_reject(r, "rules.state", "set %u has an unknown state", i);
}

enum ay_rc ay_rules_parse(struct ay_bytes in, struct ay_rules *out, struct ay_err *e)
{
	struct ay_rules rules = { 0 };
	struct ay_reader r;
	uint8_t has;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	if (ay_rd_u8(&r, "rules.version") != VERSION)
		ay_rd_reject(&r, "rules.version", "is not %d", VERSION);
	has = ay_rd_u8(&r, "rules.hasPolicy");
	if (has > 1)
		ay_rd_reject(&r, "rules.hasPolicy", "%u is neither 0 nor 1", has);
	rules.has_policy = has == 1;
	if (rules.has_policy)
		ay_rd_copy(&r, "rules.policy", rules.policy, sizeof(rules.policy));
	rules.n_sets = ay_rd_be32(&r, "rules.sets");
	if (ay_rd_ok(&r) && rules.n_sets > ay_rd_left(&r) / SET_OCTETS)
		ay_rd_reject(&r, "rules.sets", "%u sets do not fit", rules.n_sets);
	if (ay_rd_ok(&r))
		rules.sets = ay_rd_bytes(&r, "rules.set", (size_t)rules.n_sets * SET_OCTETS);
	if (ay_rd_ok(&r))
		check_states(&r, &rules);
	rc = ay_rd_end(&r, "rules", e);
	*out = rc == AY_OK ? rules : (struct ay_rules){ 0 };
	return rc;
}

struct ay_rules_set ay_rules_at(const struct ay_rules *r, uint32_t i)
{
	const uint8_t *p = r->sets.p + (size_t)i * SET_OCTETS;
	struct ay_rules_set s = { .state = (enum ay_set_state)p[32], .parts = p[33] };

	memcpy(s.sha256, p, sizeof(s.sha256));
	return s;
}
