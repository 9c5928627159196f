/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/authz/audit.h"
#include "core/base/defs.h"
#include "core/base/hex.h"

/*
 * tests/vectors/audit/records.bin: seven records, each after its u32 length;
 * roots.txt: the root after each of them. Both made by a Python program with
 * hashlib that follows RFC 6962 section 2.1 by its recursive definition.
 */
enum { RECORDS = 7 };

static struct ay_bytes record[RECORDS];
static char root_text[RECORDS + 1][65];

static int load(void **state)
{
	static struct ay_bytes all, roots; /* records borrow from them */
	struct ay_reader r;

	(void)state;
	all = t_vector("audit/records.bin");
	roots = t_vector("audit/roots.txt");
	ay_rd_init(&r, all);
	for (size_t i = 0; i < RECORDS; i++)
		record[i] = ay_rd_vec32(&r, "record", 1 << 20);
	for (size_t i = 0; i <= RECORDS; i++)
		memcpy(root_text[i], roots.p + i * 65, 64);
	return !ay_rd_ok(&r);
}

static void assert_root(const struct ay_audit_tree *t, size_t n)
{
	uint8_t root[32];
	char text[65];

	ay_audit_tree_root(t, root);
	ay_hex_encode(AY_BYTES(root), text);
	assert_string_equal(text, root_text[n]);
}

static void test_roots(void **state)
{
	uint8_t wire[AY_AUDIT_TREE_WIRE];
	struct ay_audit_tree t = { 0 }, back;
	struct ay_writer w;
	struct ay_bytes b;
	struct ay_err e;

	(void)state;
	assert_root(&t, 0);
	for (size_t i = 0; i < RECORDS; i++) {
		assert_int_equal(ay_audit_tree_add(&t, record[i], &e), AY_OK);
		assert_root(&t, i + 1);
		ay_wr_init(&w, wire, sizeof(wire));
		ay_audit_tree_write(&w, &t);
		assert_int_equal(ay_wr_end(&w, "tree", &b, &e), AY_OK);
		assert_int_equal(ay_audit_tree_parse(b, &back, &e), AY_OK);
		assert_root(&back, i + 1);
	}
}

static void test_record(void **state)
{
	uint8_t out[1024];
	struct ay_audit_record r;
	struct ay_writer w;
	struct ay_bytes b;
	struct ay_err e;

	(void)state;
	assert_int_equal(ay_audit_record_parse(record[1], &r, &e), AY_OK);
	assert_int_equal(r.number, 1);
	assert_true(ay_bytes_eq(r.action, ay_bytes_of("HOST_ADD")));
	ay_wr_init(&w, out, sizeof(out));
	ay_audit_record_write(&w, &r);
	assert_int_equal(ay_wr_end(&w, "record", &b, &e), AY_OK);
	assert_true(ay_bytes_eq(b, record[1]));
	for (size_t n = 0; n < record[1].n; n++)
		assert_int_not_equal(
			ay_audit_record_parse((struct ay_bytes){ record[1].p, n }, &r, &e), AY_OK);
}

static void start(struct ay_audit_check *c, const struct ay_audit_head *h)
{
	memset(c, 0, sizeof(*c));
	c->head = h;
}

/* Left out, changed, in another order, cut off at the end. */
static void test_tampering(void **state)
{
	struct ay_audit_head head = { .size = 5 }, wrong = { .size = 5 };
	struct ay_audit_check c;
	struct ay_err e;
	uint8_t changed[256];

	(void)state;
	assert_int_equal(ay_hex_decode(ay_bytes_of(root_text[5]), "root", head.root, 32, &e),
			 AY_OK);
	start(&c, &head);
	for (size_t i = 0; i < RECORDS; i++)
		assert_int_equal(ay_audit_check_add(&c, record[i], &e), AY_OK);
	assert_int_equal(ay_audit_check_end(&c, &e), AY_OK);

	start(&c, NULL);
	assert_int_equal(ay_audit_check_add(&c, record[0], &e), AY_OK);
	assert_int_equal(ay_audit_check_add(&c, record[2], &e), AY_E_CRYPTO);
	assert_string_equal(e.code, "AUDIT_CHAIN");
	assert_string_equal(e.where, "audit.number");

	/* the last octet of record 0 is text: the change shows at the next record */
	memcpy(changed, record[0].p, record[0].n);
	changed[record[0].n - 2] ^= 1;
	start(&c, NULL);
	assert_int_equal(ay_audit_check_add(&c, (struct ay_bytes){ changed, record[0].n }, &e),
			 AY_OK);
	assert_int_equal(ay_audit_check_add(&c, record[1], &e), AY_E_CRYPTO);
	assert_string_equal(e.where, "audit.prev");

	/* a list that is sound in itself, but not the one the head was made of */
	start(&c, &wrong);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(ay_audit_check_add(&c, record[i], &e), AY_OK);
	assert_int_equal(ay_audit_check_add(&c, record[4], &e), AY_E_CRYPTO);
	assert_string_equal(e.code, "AUDIT_HEAD");

	start(&c, &head);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(ay_audit_check_add(&c, record[i], &e), AY_OK);
	assert_int_equal(ay_audit_check_end(&c, &e), AY_E_CRYPTO);
	assert_string_equal(e.code, "AUDIT_ROLLBACK");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roots),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_tampering),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}
