/* SPDX-License-Identifier: Apache-2.0 */
#include "core/appraise/ima_judge.h"

#include <string.h>

#include "core/crypto/hash.h"
#include "core/evlog/ima_sig.h"

size_t ay_ima_judge_key_at(const struct ay_ima_judge *j)
{
	return j->n_files;
}

size_t ay_ima_judge_path_at(const struct ay_ima_judge *j)
{
	return j->n_files + j->verifier.n;
}

bool ay_ima_judge_has_rules(const struct ay_ima_judge *j)
{
	bool accepts = false;

	for (size_t i = 0; i < j->policy->ima_rules.paths.n; i++)
		accepts |= j->policy->ima_rules.paths.rule[i].action == AY_IMA_ACT_ALLOW;
	return j->n_files > 0 || j->verifier.n > 0 || accepts;
}

static void count_rule(struct ay_ima_tally *t, size_t i)
{
	t->by_rule[i < AY_TALLY_RULES ? i : AY_TALLY_RULES - 1]++;
}

/* What a kernel writes when it could not hash a file: no digest of anything. */
static bool is_zero(struct ay_bytes digest)
{
	uint8_t all = 0;

	for (size_t i = 0; i < digest.n; i++)
		all |= digest.p[i];
	return all == 0;
}

/* ---- files ---- */

/* Index of the allow-list that has the digest; n_files: none. */
static size_t find_file(const struct ay_ima_judge *j, const struct ay_ima_entry *ent)
{
	size_t i = 0;

	if (ent->digest_kind != AY_IMA_DIGEST_FILE ||
	    AY_CHECKED("IMA_ZERO_DIGEST", is_zero(ent->digest)))
		return j->n_files;
	while (i < j->n_files &&
	       ay_digest_set_find(&j->files[i]->files, ent->digest_alg, ent->digest) == NULL)
		i++;
	return i;
}

static bool is_forbidden(const struct ay_ima_judge *j, const struct ay_ima_entry *ent)
{
	for (size_t i = 0; i < j->n_forbidden; i++)
		if (ay_digest_set_find(&j->forbidden[i]->files, ent->digest_alg, ent->digest) !=
		    NULL)
			return true;
	return false;
}

/* A kexec'd kernel goes on with the list and says boot_aggregate again: of the same PCRs. */
static bool is_same_aggregate(const struct ay_ima_judge *j, const struct ay_ima_entry *ent)
{
	return j->aggregate.digest.n > 0 && j->aggregate.alg == ent->digest_alg &&
	       ay_bytes_eq(ent->path, ay_bytes_of("boot_aggregate")) &&
	       ay_bytes_eq(ent->digest, j->aggregate.digest);
}

static enum ay_ima_outcome accept_known(const struct ay_ima_judge *j, struct ay_ima_tally *t,
					const struct ay_ima_entry *ent, size_t list)
{
	bool weak = ent->digest_alg == AY_ALG_SHA1;

	if (weak && AY_CHECKED("IMA_WEAK_DIGEST", j->policy->ima_rules.refuse_weak_digests))
		return AY_IMA_WEAK;
	t->weak += weak;
	count_rule(t, list);
	return AY_IMA_KNOWN;
}

static enum ay_ima_outcome accept_signed(const struct ay_ima_judge *j, struct ay_ima_tally *t,
					 size_t key)
{
	count_rule(t, ay_ima_judge_key_at(j) + key);
	return AY_IMA_SIGNED;
}

/* What is left when nothing speaks against the file. */
static enum ay_ima_outcome accept_file(const struct ay_ima_judge *j, struct ay_ima_tally *t,
				       const struct ay_ima_entry *ent,
				       const struct ay_ima_path_rule *r, bool is_signed, size_t key)
{
	size_t list = find_file(j, ent);

	if (list < j->n_files)
		return accept_known(j, t, ent, list);
	if (is_same_aggregate(j, ent))
		return AY_IMA_AGGREGATE;
	if (r != NULL && r->action == AY_IMA_ACT_SIGNED && is_signed)
		return accept_signed(j, t, key);
	if (r != NULL && r->action == AY_IMA_ACT_ALLOW) {
		count_rule(t,
			   ay_ima_judge_path_at(j) + (size_t)(r - j->policy->ima_rules.paths.rule));
		return AY_IMA_ALLOWED;
	}
	return AY_IMA_UNKNOWN;
}

static enum ay_ima_outcome judge_signature(struct ay_ima_judge *j, struct ay_ima_tally *t,
					   const struct ay_ima_entry *ent,
					   const struct ay_ima_path_rule *r)
{
	size_t key = 0;
	enum ay_ima_signed s = AY_IMA_SIGNED_NOT;
	bool required = r != NULL && r->action == AY_IMA_ACT_REQUIRE_SIGNED;

	if (j->verifier.n > 0)
		s = ay_ima_verify(&j->verifier, ent, &key, &j->fault);
	if (AY_CHECKED("IMA_SIGNATURE", s == AY_IMA_SIGNED_BADLY))
		return AY_IMA_BAD_SIGNATURE;
	if (s == AY_IMA_SIGNED_REVOKED)
		return AY_IMA_REVOKED_KEY;
	if (required && s == AY_IMA_SIGNED_WELL)
		return accept_signed(j, t, key);
	if (AY_CHECKED("IMA_SIGNATURE_REQUIRED", required))
		return AY_IMA_UNSIGNED;
	return accept_file(j, t, ent, r, s == AY_IMA_SIGNED_WELL, key);
}

static enum ay_ima_outcome judge_file(struct ay_ima_judge *j, struct ay_ima_tally *t,
				      const struct ay_ima_entry *ent)
{
	const struct ay_ima_paths *paths = &j->policy->ima_rules.paths;
	const struct ay_ima_path_rule *r = ay_ima_paths_find(paths, ent->path);

	if (AY_CHECKED("IMA_FORBIDDEN", is_forbidden(j, ent)))
		return AY_IMA_FORBIDDEN;
	/* relabelled so that it has no path, or one that no rule is asked for */
	if (AY_CHECKED("IMA_NO_PATH",
		       paths->demands && (ent->path.n == 0 || ent->path.n > AY_IMA_PATH_MAX)))
		return AY_IMA_UNKNOWN;
	if (r != NULL && AY_CHECKED("IMA_DENIED", r->action == AY_IMA_ACT_DENY))
		return AY_IMA_DENIED;
	if (r != NULL && r->action == AY_IMA_ACT_IGNORE) {
		count_rule(t, ay_ima_judge_path_at(j) + (size_t)(r - paths->rule));
		return AY_IMA_IGNORED;
	}
	return judge_signature(j, t, ent, r);
}

/* ---- buffers ---- */

static enum ay_ima_outcome bad_buffer(const struct ay_ima_entry *ent)
{
	switch (ay_ima_buf_kind_of(ent->path)) {
	case AY_IMA_BUF_KIND_KEY:
		return AY_IMA_BAD_KEY;
	case AY_IMA_BUF_KIND_CMDLINE:
		return AY_IMA_BAD_CMDLINE;
	case AY_IMA_BUF_KIND_DM:
		return AY_IMA_BAD_DM;
	case AY_IMA_BUF_KIND_DATA:
		break;
	}
	return AY_IMA_BAD_DATA;
}

static bool set_has_buffer(const struct ay_ima_judge *j, const struct ay_ima_entry *ent)
{
	for (size_t i = 0; i < j->n_bufs; i++)
		for (size_t k = 0; k < j->bufs[i]->n_buffers; k++) {
			const struct ay_ima_buf_rule *b = &j->bufs[i]->buffer[k];

			if (ay_bytes_eq(ent->path, ay_bytes_of(b->name)) &&
			    ay_ima_buf_has_digest(b, ent))
				return true;
		}
	return false;
}

/* The policy's rules: any that accepts will do, one that denies decides. */
static enum ay_ima_outcome ask_policy(const struct ay_ima_judge *j, const struct ay_ima_entry *ent)
{
	const struct ay_ima_bufs *b = &j->policy->ima_rules.bufs;
	bool ignored = false, accepted = false;

	for (size_t i = 0; i < b->n; i++) {
		if (!ay_ima_buf_fits(&b->rule[i], ent, j->verifier.key, j->verifier.n))
			continue;
		if (AY_CHECKED("IMA_BUF_DENY", b->rule[i].how == AY_IMA_BUF_DENY))
			return bad_buffer(ent);
		ignored |= b->rule[i].how == AY_IMA_BUF_IGNORE;
		accepted |= b->rule[i].how != AY_IMA_BUF_IGNORE;
	}
	if (accepted || set_has_buffer(j, ent))
		return AY_IMA_BUFFER;
	return ignored ? AY_IMA_IGNORED : bad_buffer(ent);
}

static enum ay_ima_outcome judge_buffer(const struct ay_ima_judge *j,
					const struct ay_ima_entry *ent)
{
	enum ay_ima_outcome o;

	if (is_forbidden(j, ent))
		return AY_IMA_FORBIDDEN;
	if (AY_CHECKED("IMA_BUF_HASH", !ay_ima_buf_digest_is_own(ent)))
		return AY_IMA_BAD_BUFFER;
	o = ask_policy(j, ent);
	return o < AY_IMA_LISTED_OUTCOMES && !AY_CHECKED("IMA_BUF", true) ? AY_IMA_BUFFER : o;
}

/*
 * The template's name is not hashed: a buffer can be shown as a signed file,
 * since both have three fields. Then its third field is no signature, and the
 * digest is over it.
 */
static bool is_hidden_buffer(const struct ay_ima_entry *ent, struct ay_ima_entry *as)
{
	struct ay_ima_sig s;

	if (ent->sig.n == 0 || ay_ima_sig_parse(ent->sig, &s, NULL) == AY_OK)
		return false;
	*as = *ent;
	as->buf = ent->sig;
	return AY_CHECKED("IMA_RELABELLED", ay_ima_buf_digest_is_own(as));
}

/* ---- one entry ---- */

static enum ay_ima_outcome outcome_of(struct ay_ima_judge *j, struct ay_ima_tally *t,
				      const struct ay_ima_entry *ent)
{
	struct ay_ima_entry as;

	if (ent->violation)
		return AY_IMA_VIOLATION;
	if (t->entries == 1)
		return AY_IMA_AGGREGATE;
	if (ent->is_buf)
		return judge_buffer(j, ent);
	return is_hidden_buffer(ent, &as) ? judge_buffer(j, &as) : judge_file(j, t, ent);
}

void ay_ima_judge_entry(struct ay_ima_judge *j, struct ay_ima_tally *t,
			const struct ay_ima_entry *ent)
{
	enum ay_ima_outcome o;

	t->entries++;
	o = outcome_of(j, t, ent);
	if (o == AY_IMA_UNKNOWN && !AY_CHECKED("REF_IMA", true))
		o = AY_IMA_KNOWN;
	t->n[o]++;
	if (o < AY_IMA_LISTED_OUTCOMES)
		ay_tally_list(t, o, ent->digest_alg, ent->digest, ent->path);
}
