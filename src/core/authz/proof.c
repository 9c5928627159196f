/* SPDX-License-Identifier: Apache-2.0 */
#include "core/authz/proof.h"

#include "core/authz/audit.h"
#include "core/crypto/hash.h"

#include <string.h>

/* The largest power of two below n; n is 2 or more. */
static uint64_t split(uint64_t n)
{
	return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/*
 * Root of the leaves from begin on, n of them: of full subtrees, right to left.
 * Each begins at a multiple of its size, since begin is one of split(n).
 */
static enum ay_rc range_root(ay_node_fn *get, void *arg, uint64_t begin, uint64_t n,
			     uint8_t root[32], struct ay_err *e)
{
	uint64_t end = begin + n;
	bool have = false;
	uint8_t node[32];

	if (n == 0)
		ay_sha256((struct ay_bytes){ NULL, 0 }, root);
	for (unsigned level = 0; n != 0 && level < 64; level++) {
		uint64_t size = UINT64_C(1) << level;
		enum ay_rc rc;

		if ((n & size) == 0)
			continue;
		end -= size;
		n -= size;
		rc = get(arg, level, end >> level, node, e);
		if (rc != AY_OK)
			return rc;
		if (have)
			ay_audit_node_hash(node, root, root);
		else
			memcpy(root, node, 32);
		have = true;
	}
	return AY_OK;
}

enum ay_rc ay_proof_root(ay_node_fn *get, void *arg, uint64_t size, uint8_t root[32],
			 struct ay_err *e)
{
	return range_root(get, arg, 0, size, root, e);
}

/* The part that a step leaves aside; steps go from the root down, proofs from the leaf up. */
static enum ay_rc push(ay_node_fn *get, void *arg, uint64_t begin, uint64_t n, struct ay_proof *p,
		       struct ay_err *e)
{
	if (p->n == AY_PROOF_MAX)
		return ay_fail(e, AY_E_LIMIT, "proof", 0, "more than %d hashes", AY_PROOF_MAX);
	return range_root(get, arg, begin, n, p->hash[p->n++], e);
}

static void turn(struct ay_proof *p)
{
	uint8_t tmp[32];

	for (size_t i = 0; i < p->n / 2; i++) {
		memcpy(tmp, p->hash[i], 32);
		memcpy(p->hash[i], p->hash[p->n - 1 - i], 32);
		memcpy(p->hash[p->n - 1 - i], tmp, 32);
	}
}

static enum ay_rc ended(struct ay_proof *p, enum ay_rc rc)
{
	if (rc == AY_OK)
		turn(p);
	else
		memset(p, 0, sizeof(*p));
	return rc;
}

enum ay_rc ay_proof_inclusion(ay_node_fn *get, void *arg, uint64_t leaf, uint64_t size,
			      struct ay_proof *out, struct ay_err *e)
{
	uint64_t begin = 0;
	enum ay_rc rc = AY_OK;

	memset(out, 0, sizeof(*out));
	if (leaf >= size)
		return ay_fail(e, AY_E_INPUT, "leaf", 0, "leaf is not below size");
	while (rc == AY_OK && size > 1) {
		uint64_t k = split(size);

		if (leaf < k) {
			rc = push(get, arg, begin + k, size - k, out, e);
			size = k;
		} else {
			rc = push(get, arg, begin, k, out, e);
			begin += k;
			leaf -= k;
			size -= k;
		}
	}
	return ended(out, rc);
}

enum ay_rc ay_proof_consistency(ay_node_fn *get, void *arg, uint64_t from, uint64_t to,
				struct ay_proof *out, struct ay_err *e)
{
	uint64_t begin = 0;
	bool whole = true; /* the subtree at hand is the whole earlier tree: its root is known */
	enum ay_rc rc = AY_OK;

	memset(out, 0, sizeof(*out));
	if (from > to)
		return ay_fail(e, AY_E_INPUT, "from", 0, "from is greater than to");
	while (rc == AY_OK && from != 0 && from != to) {
		uint64_t k = split(to);

		if (from <= k) {
			rc = push(get, arg, begin + k, to - k, out, e);
			to = k;
		} else {
			rc = push(get, arg, begin, k, out, e);
			begin += k;
			from -= k;
			to -= k;
			whole = false;
		}
	}
	if (rc == AY_OK && !whole)
		rc = push(get, arg, begin, from, out, e);
	return ended(out, rc);
}

/* ---- checks [RFC9162 2.1.3.2, 2.1.4.2] ---- */

static enum ay_rc no_proof(struct ay_err *e)
{
	return ay_fail_code(e, AY_E_CRYPTO, "AUDIT_PROOF", "proof",
			    "the proof does not lead from the record to the head");
}

enum ay_rc ay_proof_check_inclusion(const struct ay_proof *p, uint64_t leaf, uint64_t size,
				    const uint8_t leaf_hash[32], const uint8_t root[32],
				    struct ay_err *e)
{
	uint64_t fn = leaf, sn = size - 1;
	uint8_t r[32];

	if (AY_CHECKED("PROOF_LEAF", leaf >= size))
		return no_proof(e);
	memcpy(r, leaf_hash, 32);
	for (size_t i = 0; i < p->n; i++) {
		if (AY_CHECKED("PROOF_LONG", sn == 0))
			return no_proof(e);
		if ((fn & 1) || fn == sn) {
			ay_audit_node_hash(p->hash[i], r, r);
			for (; !(fn & 1) && fn != 0; fn >>= 1)
				sn >>= 1;
		} else {
			ay_audit_node_hash(r, p->hash[i], r);
		}
		fn >>= 1;
		sn >>= 1;
	}
	if (AY_CHECKED("PROOF_SHORT", sn != 0) ||
	    AY_CHECKED("PROOF_ROOT", memcmp(r, root, 32) != 0))
		return no_proof(e);
	return AY_OK;
}

static enum ay_rc fork_of(uint64_t from, uint64_t to, struct ay_err *e)
{
	return ay_fail_code(e, AY_E_CRYPTO, "AUDIT_FORK", "proof",
			    "the head of %llu records does not hold that of %llu",
			    (unsigned long long)to, (unsigned long long)from);
}

static enum ay_rc check_same(const struct ay_proof *p, uint64_t from, uint64_t to,
			     const uint8_t from_root[32], const uint8_t to_root[32],
			     struct ay_err *e)
{
	if (from > to || p->n != 0)
		return fork_of(from, to, e);
	if (AY_CHECKED("PROOF_SAME", from == to && memcmp(from_root, to_root, 32) != 0))
		return fork_of(from, to, e);
	return AY_OK;
}

/* Both roots from the one proof, beginning with the hash at first. */
static bool climb(const struct ay_proof *p, size_t at, uint64_t fn, uint64_t sn, uint8_t fr[32],
		  uint8_t sr[32])
{
	for (; at < p->n; at++) {
		if (AY_CHECKED("PROOF_FORK_LONG", sn == 0))
			return false;
		if ((fn & 1) || fn == sn) {
			ay_audit_node_hash(p->hash[at], fr, fr);
			ay_audit_node_hash(p->hash[at], sr, sr);
			for (; !(fn & 1) && fn != 0; fn >>= 1)
				sn >>= 1;
		} else {
			ay_audit_node_hash(sr, p->hash[at], sr);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return !AY_CHECKED("PROOF_FORK_SHORT", sn != 0);
}

enum ay_rc ay_proof_check_consistency(const struct ay_proof *p, uint64_t from, uint64_t to,
				      const uint8_t from_root[32], const uint8_t to_root[32],
				      struct ay_err *e)
{
	uint64_t fn = from - 1, sn = to - 1;
	uint8_t fr[32], sr[32];
	size_t at = 0;

	if (from == 0 || from >= to)
		return check_same(p, from, to, from_root, to_root, e);
	if ((from & (from - 1)) == 0)
		memcpy(fr, from_root, 32); /* a full tree: its root is the first hash */
	else if (p->n == 0)
		return fork_of(from, to, e);
	else
		memcpy(fr, p->hash[at++], 32);
	memcpy(sr, fr, 32);
	for (; fn & 1; fn >>= 1)
		sn >>= 1;
	if (!climb(p, at, fn, sn, fr, sr) ||
	    AY_CHECKED("PROOF_FORK_OLD", memcmp(fr, from_root, 32) != 0) ||
	    AY_CHECKED("PROOF_FORK_NEW", memcmp(sr, to_root, 32) != 0))
		return fork_of(from, to, e);
	return AY_OK;
}
