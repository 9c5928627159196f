/* SPDX-License-Identifier: Apache-2.0 */
#include "support/t.h"

#include "core/authz/audit.h"
#include "core/base/defs.h"
#include "core/base/hex.h"
#include "core/crypto/hash.h"
#include "core/crypto/privkey.h"

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

struct sealed {
	struct ay_audit_head head;
	uint8_t sig[64], spki[AY_SPKI_P256], pin[32];
	struct ay_audit_seal seal;
};

static void seal(struct sealed *s)
{
	struct ay_privkey *key;
	uint8_t text[AY_AUDIT_SEALED_MAX];
	struct ay_writer w;
	struct ay_bytes b;

	*s = (struct sealed){ .head = { .size = 5, .root = { 1, 2 } }, .seal = { .at_ms = 77 } };
	assert_int_equal(ay_privkey_generate(&key, NULL), AY_OK);
	ay_wr_init(&w, text, sizeof(text));
	ay_wr_str(&w, "assay-audit-head-1");
	ay_wr_bytes(&w, t_hex("0000000000000005 000000000000004d 0102"));
	ay_wr_bytes(&w, (struct ay_bytes){ s->head.root + 2, 30 });
	assert_int_equal(ay_wr_end(&w, "text", &b, NULL), AY_OK);
	assert_int_equal(ay_privkey_sign(key, b, s->sig, NULL), AY_OK);
	assert_int_equal(ay_privkey_spki(key, s->spki, NULL), AY_OK);
	ay_privkey_free(key);
	ay_sha256(AY_BYTES(s->spki), s->pin);
	s->seal.signature = AY_BYTES(s->sig);
	s->seal.key = AY_BYTES(s->spki);
}

static void refused_with(const struct sealed *s, const struct ay_audit_seal *seal,
			 const uint8_t *pin, const char *code)
{
	struct ay_err e = { 0 };

	assert_int_equal(ay_audit_seal_check(&s->head, seal, pin, &e), AY_E_CRYPTO);
	assert_string_equal(e.code, code);
}

static void test_signed_heads(void **state)
{
	struct sealed s, other;

	(void)state;
	seal(&s);
	seal(&other);
	assert_int_equal(ay_audit_seal_check(&s.head, &s.seal, s.pin, NULL), AY_OK);
	assert_int_equal(ay_audit_seal_check(&s.head, &s.seal, NULL, NULL), AY_OK);
	assert_int_equal(ay_audit_seal_check(&s.head, NULL, NULL, NULL), AY_OK);
	refused_with(&s, NULL, s.pin, "AUDIT_HEAD_UNSIGNED");
	refused_with(&s, &s.seal, other.pin, "AUDIT_HEAD_KEY");
	refused_with(&s, &other.seal, s.pin, "AUDIT_HEAD_KEY");
	for (size_t i = 0; i < sizeof(s.sig); i++) {
		s.sig[i] ^= 0x10;
		refused_with(&s, &s.seal, s.pin, "AUDIT_HEAD_SIGNATURE");
		s.sig[i] ^= 0x10;
	}
	s.head.size = 4; /* a shorter past */
	refused_with(&s, &s.seal, s.pin, "AUDIT_HEAD_SIGNATURE");
	s.head.size = 5;
	s.head.root[31] ^= 1;
	refused_with(&s, &s.seal, s.pin, "AUDIT_HEAD_SIGNATURE");
	s.head.root[31] ^= 1;
	s.seal.at_ms++;
	refused_with(&s, &s.seal, s.pin, "AUDIT_HEAD_SIGNATURE");
	s.seal.at_ms--;
	s.seal.key.n--;
	refused_with(&s, &s.seal, NULL, "AUDIT_HEAD_SIGNATURE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roots),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_tampering),
		cmocka_unit_test(test_signed_heads),
	};

	return cmocka_run_group_tests(tests, load, NULL);
}
