/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/authz/audit.h"
#include "core/authz/proof.h"
#include "core/base/hex.h"

/* The eight leaves that the tests of Certificate Transparency use, and the roots of the first n. */
static const char *const leaf_text[] = {
	"",
	"00",
	"10",
	"2021",
	"3031",
	"40414243",
	"5051525354555657",
	"606162636465666768696a6b6c6d6e6f",
};
static const char *const root_text[] = {
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

/* RFC 6962 2.1 by its recursive definition. */
static void mth(size_t begin, size_t n, uint8_t out[32])
{
	uint8_t left[32], right[32];
	size_t k = 1;

	if (n == 1) {
		ay_audit_leaf_hash(t_hex(leaf_text[begin]), out);
		return;
	}
	while (k * 2 < n)
		k *= 2;
	mth(begin, k, left);
	mth(begin + k, n - k, right);
	ay_audit_node_hash(left, right, out);
}

/* Only full subtrees are kept. */
static enum ay_rc node(void *arg, unsigned level, uint64_t index, uint8_t out[32], struct ay_err *e)
{
	size_t n = (size_t)1 << level, begin = (size_t)index << level;

	++*(unsigned *)arg;
	if (begin + n > AY_COUNT(leaf_text))
		return ay_fail(e, AY_E_NOENT, "node", 0, "no such subtree");
	mth(begin, n, out);
	return AY_OK;
}

static void root_of(size_t n, uint8_t out[32])
{
	assert_int_equal(ay_hex_decode(ay_bytes_of(root_text[n]), "root", out, 32, NULL), AY_OK);
}

static void test_roots(void **state)
{
	uint8_t root[32], want[32];
	unsigned asked = 0;

	(void)state;
	for (size_t n = 0; n <= AY_COUNT(leaf_text); n++) {
		root_of(n, want);
		assert_int_equal(ay_proof_root(node, &asked, n, root, NULL), AY_OK);
		assert_memory_equal(root, want, 32);
	}
}

/* From the same tests: leaf (from 1), size, and the path. */
static void test_known_paths(void **state)
{
	static const struct {
		uint64_t leaf, size;
		const char *path[4];
	} rows[] = {
		{ 0, 1, { NULL } },
		{ 0,
		  8,
		  { "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
		    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
		    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4" } },
		{ 5,
		  8,
		  { "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
		    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
		    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7" } },
		{ 2, 3, { "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125" } },
		{ 1,
		  5,
		  { "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
		    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b" } },
	};
	unsigned asked = 0;
	struct ay_proof p;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		size_t n = 0;

		assert_int_equal(
			ay_proof_inclusion(node, &asked, rows[i].leaf, rows[i].size, &p, NULL),
			AY_OK);
		for (; n < 4 && rows[i].path[n] != NULL; n++)
			assert_memory_equal(p.hash[n], t_hex(rows[i].path[n]).p, 32);
		assert_int_equal(p.n, n);
	}
}

static void test_inclusion(void **state)
{
	uint8_t leaf[32], root[32];
	unsigned asked = 0;
	struct ay_proof p, bad;
	struct ay_err e;

	(void)state;
	for (uint64_t size = 1; size <= 8; size++)
		for (uint64_t i = 0; i < size; i++) {
			root_of(size, root);
			mth(i, 1, leaf);
			assert_int_equal(ay_proof_inclusion(node, &asked, i, size, &p, &e), AY_OK);
			assert_int_equal(ay_proof_check_inclusion(&p, i, size, leaf, root, &e),
					 AY_OK);
			for (size_t k = 0; k < p.n; k++) {
				bad = p;
				bad.hash[k][7] ^= 1;
				assert_int_equal(
					ay_proof_check_inclusion(&bad, i, size, leaf, root, &e),
					AY_E_CRYPTO);
				assert_string_equal(e.code, "AUDIT_PROOF");
			}
			for (uint64_t other = 0; other < size + 2; other++)
				if (other != i)
					assert_int_equal(ay_proof_check_inclusion(&p, other, size,
										  leaf, root, &e),
							 AY_E_CRYPTO);
			bad = p;
			bad.n++;
			assert_int_equal(ay_proof_check_inclusion(&bad, i, size, leaf, root, &e),
					 AY_E_CRYPTO);
			root[0] ^= 1;
			assert_int_equal(ay_proof_check_inclusion(&p, i, size, leaf, root, &e),
					 AY_E_CRYPTO);
		}
	assert_int_equal(ay_proof_inclusion(node, &asked, 3, 3, &p, &e), AY_E_INPUT);
}

/* A proof whose hashes are a leaf's own root, cut or drawn out: the shape alone refuses it. */
static void test_shapes(void **state)
{
	uint8_t leaf[32], root[32], inner[32];
	struct ay_proof p = { 0 };
	struct ay_err e;

	(void)state;
	mth(0, 1, leaf);
	/* cut: the inner node is said to be the root of eight */
	mth(0, 2, inner);
	mth(1, 1, p.hash[0]);
	p.n = 1;
	assert_int_equal(ay_proof_check_inclusion(&p, 0, 2, leaf, inner, &e), AY_OK);
	assert_int_equal(ay_proof_check_inclusion(&p, 0, 8, leaf, inner, &e), AY_E_CRYPTO);
	/* drawn out: more hashes than a tree of two has levels, to the root they make */
	mth(2, 2, p.hash[1]);
	p.n = 2;
	root_of(4, root);
	assert_int_equal(ay_proof_check_inclusion(&p, 0, 4, leaf, root, &e), AY_OK);
	/* on the last hash both paths would put it to the left */
	ay_audit_node_hash(p.hash[1], inner, root);
	assert_int_equal(ay_proof_check_inclusion(&p, 0, 2, leaf, root, &e), AY_E_CRYPTO);
	/* a leaf that is not below the size */
	mth(0, 1, root);
	p.n = 0;
	assert_int_equal(ay_proof_check_inclusion(&p, 0, 1, leaf, root, &e), AY_OK);
	assert_int_equal(ay_proof_check_inclusion(&p, 1, 1, leaf, root, &e), AY_E_CRYPTO);
}

static void fork_expected(const struct ay_proof *p, uint64_t m, uint64_t n, const uint8_t old[32],
			  const uint8_t new[32])
{
	struct ay_err e = { 0 };

	assert_int_equal(ay_proof_check_consistency(p, m, n, old, new, &e), AY_E_CRYPTO);
	assert_string_equal(e.code, "AUDIT_FORK");
}

static void test_consistency(void **state)
{
	uint8_t old[32], new[32];
	unsigned asked = 0;
	struct ay_proof p, bad;
	struct ay_err e;

	(void)state;
	for (uint64_t n = 1; n <= 8; n++)
		for (uint64_t m = 0; m <= n; m++) {
			root_of(m, old);
			root_of(n, new);
			assert_int_equal(ay_proof_consistency(node, &asked, m, n, &p, &e), AY_OK);
			assert_int_equal(ay_proof_check_consistency(&p, m, n, old, new, &e), AY_OK);
			for (size_t k = 0; k < p.n; k++) {
				bad = p;
				bad.hash[k][31] ^= 0x80;
				fork_expected(&bad, m, n, old, new);
			}
			bad = p;
			bad.n++;
			fork_expected(&bad, m, n, old, new);
			if (p.n > 0) {
				bad.n = p.n - 1;
				fork_expected(&bad, m, n, old, new);
			}
			if (m == 0)
				continue; /* an empty past is held by any tree */
			old[3] ^= 1;
			fork_expected(&p, m, n, old, new);
			old[3] ^= 1;
			new[3] ^= 1;
			fork_expected(&p, m, n, old, new);
			new[3] ^= 1;
			fork_expected(&p, n + 1, n, old, new);
		}
	assert_int_equal(ay_proof_consistency(node, &asked, 4, 3, &p, &e), AY_E_INPUT);
}

/* A fork's proof that is too short or too long, to roots that it does make. */
static void test_fork_shapes(void **state)
{
	uint8_t old[32], new[32];
	unsigned asked = 0;
	struct ay_proof p = { 0 };

	(void)state;
	root_of(2, old);
	fork_expected(&p, 2, 4, old, old);
	assert_int_equal(ay_proof_consistency(node, &asked, 3, 4, &p, NULL), AY_OK);
	root_of(3, old);
	root_of(4, new);
	assert_int_equal(ay_proof_check_consistency(&p, 3, 4, old, new, NULL), AY_OK);
	memset(p.hash[p.n], 0x55, 32);
	ay_audit_node_hash(p.hash[p.n], old, old);
	ay_audit_node_hash(p.hash[p.n], new, new);
	p.n++;
	fork_expected(&p, 3, 4, old, new);
}

/* A few reads for each doubling: no scan. */
static enum ay_rc any_node(void *arg, unsigned level, uint64_t index, uint8_t out[32],
			   struct ay_err *e)
{
	(void)e;
	++*(unsigned *)arg;
	memset(out, (int)(level + index), 32);
	return AY_OK;
}

static void test_cost(void **state)
{
	uint64_t size = (UINT64_C(1) << 40) - 1;
	struct ay_proof p;
	unsigned asked = 0;

	(void)state;
	assert_int_equal(ay_proof_inclusion(any_node, &asked, 12345, size, &p, NULL), AY_OK);
	assert_int_equal(p.n, 40);
	assert_true(asked <= 80);
	asked = 0;
	assert_int_equal(ay_proof_consistency(any_node, &asked, 12345, size, &p, NULL), AY_OK);
	assert_true(asked <= 120);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roots),	    cmocka_unit_test(test_known_paths),
		cmocka_unit_test(test_inclusion),   cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_consistency), cmocka_unit_test(test_cost),
		cmocka_unit_test(test_fork_shapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
