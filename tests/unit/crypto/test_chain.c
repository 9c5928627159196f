/* SPDX-License-Identifier: Apache-2.0 */
/* Chains and certificates made to deceive: each refused, with its code. */
#include "support/simtpm.h"
#include "support/t.h"

#include "core/crypto/ekcert.h"
#include "core/crypto/oids.h"

#include <openssl/ec.h>
#include <stdlib.h>
#include <string.h>

static struct t_ca root, inter, stranger;
static EVP_PKEY *ek;

static int set_up(void **state)
{
	(void)state;
	t_ca_make(&root, &(struct t_ca_spec){ .name = "Vendor root", .path_len = -1 });
	t_ca_make(&inter,
		  &(struct t_ca_spec){ .name = "Vendor CA 02", .by = &root, .path_len = 0 });
	t_ca_make(&stranger, &(struct t_ca_spec){ .name = "Vendor root", .path_len = -1 });
	ek = EVP_EC_gen("P-256");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	t_ca_fini(&root);
	t_ca_fini(&inter);
	t_ca_fini(&stranger);
	EVP_PKEY_free(ek);
	return 0;
}

static struct ay_cert parsed(struct ay_bytes der)
{
	struct ay_cert c;
	struct ay_err e;

	if (ay_cert_parse(der, &c, &e) != AY_OK)
		fail_msg("%s %s", e.where, e.text);
	return c;
}

struct
try {
	const struct t_ca *anchor;
	const struct t_ca *inter[10];
	int64_t now_ms; /* 0: now */
	bool ignore_dates;
	enum ay_crl_policy crl;
	const struct ay_crl *crls;
	size_t n_crls;
};

static enum ay_rc chain(struct ay_bytes leaf, const struct try *t, struct ay_err *e)
{
	struct ay_cert anchor = parsed(t_ca_cert(t->anchor)), c[10], l = parsed(leaf);
	struct ay_trust_set set = { .name = "s",
				    .anchors = &anchor,
				    .n_anchors = 1,
				    .crls = t->crls,
				    .n_crls = t->n_crls };
	struct ay_chain_policy p = { .now_ms = t->now_ms ? t->now_ms : T_NOW_MS,
				     .ignore_dates = t->ignore_dates,
				     .crl = t->crl };
	size_t n = 0;

	memset(e, 0, sizeof(*e));
	while (n < 10 && t->inter[n] != NULL) {
		c[n] = parsed(t_ca_cert(t->inter[n]));
		n++;
	}
	return ay_chain_check(&l, c, n, &set, &p, e);
}

#define REFUSED(leaf, ...)                                                                         \
	do {                                                                                       \
		struct ay_err e_;                                                                  \
		assert_int_equal(chain(leaf, &(struct try){ __VA_ARGS__ }, &e_), AY_E_CRYPTO);     \
		assert_string_equal(e_.code, "EK_CHAIN");                                          \
	} while (0)
#define ACCEPTED(leaf, ...)                                                                        \
	do {                                                                                       \
		struct ay_err e_;                                                                  \
		if (chain(leaf, &(struct try){ __VA_ARGS__ }, &e_) != AY_OK)                       \
			fail_msg("%s", e_.text);                                                   \
	} while (0)
#define IGNORE .crl = AY_CRL_IGNORE

static uint8_t leaf_der[2048];

static struct ay_bytes leaf_by(const struct t_ca *by, int64_t from_ms, int64_t until_ms)
{
	return (struct ay_bytes){ leaf_der, t_ek_cert(by, ek, from_ms, until_ms, leaf_der,
						      sizeof(leaf_der)) };
}

static struct ay_bytes good_leaf(void)
{
	return leaf_by(&inter, T_NOW_MS - 1000, T_NOW_MS + 1000 * 1000);
}

static void good_and_named(void **state)
{
	struct ay_bytes leaf = good_leaf();

	(void)state;
	ACCEPTED(leaf, .anchor = &root, .inter = { &inter }, IGNORE);
	ACCEPTED(leaf, .anchor = &inter, IGNORE); /* an operator may trust just this one */
	REFUSED(leaf, .anchor = &root, IGNORE);	  /* the intermediate is missing */
	REFUSED(leaf, .anchor = &stranger, .inter = { &inter }, IGNORE); /* the same name */
	REFUSED(leaf_by(&stranger, T_NOW_MS - 1000, T_NOW_MS + 1000), .anchor = &root, IGNORE);
}

static void dates(void **state)
{
	struct t_ca old = { 0 };

	(void)state;
	REFUSED(leaf_by(&inter, T_NOW_MS - 2000, T_NOW_MS - 1000), .anchor = &root,
		.inter = { &inter }, IGNORE);
	ACCEPTED(leaf_by(&inter, T_NOW_MS - 2000, T_NOW_MS - 1000), .anchor = &root,
		 .inter = { &inter }, IGNORE, .ignore_dates = true);
	REFUSED(leaf_by(&inter, T_NOW_MS + 2000, T_NOW_MS + 5000), .anchor = &root,
		.inter = { &inter }, IGNORE);
	t_ca_make(&old, &(struct t_ca_spec){ .name = "old",
					     .by = &root,
					     .path_len = -1,
					     .from_ms = T_NOW_MS - 9000,
					     .until_ms = T_NOW_MS - 5000 });
	REFUSED(leaf_by(&old, T_NOW_MS - 2000, T_NOW_MS + 5000), .anchor = &root, .inter = { &old },
		IGNORE);
	REFUSED(leaf_by(&old, T_NOW_MS - 2000, T_NOW_MS + 5000), .anchor = &old, IGNORE);
	t_ca_fini(&old);
}

static void who_may_sign(void **state)
{
	struct t_ca ca = { 0 }, below = { 0 };
	int64_t from = T_NOW_MS - 1000, until = T_NOW_MS + 1000 * 1000;

	(void)state;
	t_ca_make(&ca, &(struct t_ca_spec){
			       .name = "no CA", .by = &root, .not_ca = true, .path_len = -1 });
	REFUSED(leaf_by(&ca, from, until), .anchor = &root, .inter = { &ca }, IGNORE);
	t_ca_make(&ca, &(struct t_ca_spec){ .name = "no cert sign",
					    .by = &root,
					    .path_len = -1,
					    .usage = AY_KU_CRL_SIGN });
	REFUSED(leaf_by(&ca, from, until), .anchor = &root, .inter = { &ca }, IGNORE);
	/* inter has pathLen 0: no CA below it */
	t_ca_make(&below, &(struct t_ca_spec){ .name = "below", .by = &inter, .path_len = -1 });
	REFUSED(leaf_by(&below, from, until), .anchor = &root, .inter = { &below, &inter }, IGNORE);
	t_ca_fini(&ca);
	t_ca_fini(&below);
}

static void deep_and_looping(void **state)
{
	struct t_ca c[10] = { 0 }, a = { 0 }, b = { 0 };
	int64_t from = T_NOW_MS - 1000, until = T_NOW_MS + 1000 * 1000;
	char name[2] = "A";

	(void)state;
	for (size_t i = 0; i < 10; i++, name[0]++)
		t_ca_make(&c[i], &(struct t_ca_spec){ .name = name,
						      .by = i ? &c[i - 1] : &root,
						      .path_len = -1 });
	/* leaf, seven CAs: eight certificates beside the trusted one */
	ACCEPTED(leaf_by(&c[6], from, until), .anchor = &root,
		 .inter = { &c[0], &c[1], &c[2], &c[3], &c[4], &c[5], &c[6] }, IGNORE);
	REFUSED(leaf_by(&c[9], from, until), .anchor = &root,
		.inter = { &c[0], &c[1], &c[2], &c[3], &c[4], &c[5], &c[6], &c[7], &c[8], &c[9] },
		IGNORE);
	/* two CAs that certify each other */
	t_ca_make(&a, &(struct t_ca_spec){ .name = "A loop", .path_len = -1 });
	t_ca_make(&b, &(struct t_ca_spec){ .name = "B loop", .by = &a, .path_len = -1 });
	t_ca_make(&a, &(struct t_ca_spec){ .name = "A loop", .by = &b, .path_len = -1 });
	REFUSED(leaf_by(&a, from, until), .anchor = &root, .inter = { &a, &b }, IGNORE);
	/* nine with one name and other keys: bounded work */
	for (size_t i = 0; i < 10; i++)
		t_ca_make(&c[i], &(struct t_ca_spec){ .name = "A loop", .by = &b, .path_len = -1 });
	REFUSED(leaf_by(&a, from, until), .anchor = &root,
		.inter = { &c[0], &c[1], &c[2], &c[3], &c[4], &c[5], &c[6], &c[7], &c[8], &b },
		IGNORE);
	for (size_t i = 0; i < 10; i++)
		t_ca_fini(&c[i]);
	t_ca_fini(&a);
	t_ca_fini(&b);
}

static void every_bit_counts(void **state)
{
	struct ay_bytes leaf = good_leaf();

	(void)state;
	for (size_t i = 0; i < leaf.n; i++) {
		struct ay_cert c;
		struct ay_err e;

		leaf_der[i] ^= 0x08;
		memset(&e, 0, sizeof(e));
		if (ay_cert_parse(leaf, &c, &e) != AY_OK)
			assert_memory_equal(e.code, "CERT_", 5);
		else
			REFUSED(leaf, .anchor = &root, .inter = { &inter }, IGNORE);
		leaf_der[i] ^= 0x08;
		assert_int_not_equal(ay_cert_parse((struct ay_bytes){ leaf.p, i }, &c, NULL),
				     AY_OK);
	}
	ACCEPTED(leaf, .anchor = &root, .inter = { &inter }, IGNORE);
}

static void revocation_lists(void **state)
{
	struct ay_bytes leaf = good_leaf(), der[3];
	struct ay_cert l = parsed(leaf), in = parsed(t_ca_cert(&inter));
	struct ay_revoked gone = { l.serial, T_NOW_MS }, gone_ca = { in.serial, T_NOW_MS };
	struct ay_crl crl[3];
	struct ay_crl both[2];

	(void)state;
	assert_int_equal(ay_crlgen(t_ca_cert(&inter), inter.key, NULL, 0, 1, T_NOW_MS - 1000,
				   T_NOW_MS + 9000, &der[0], NULL),
			 AY_OK);
	assert_int_equal(ay_crlgen(t_ca_cert(&root), root.key, NULL, 0, 1, T_NOW_MS - 1000,
				   T_NOW_MS + 9000, &der[1], NULL),
			 AY_OK);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(ay_crl_parse(der[i], &crl[i], NULL), AY_OK);
	REFUSED(leaf, .anchor = &root, .inter = { &inter }); /* required, none there */
	REFUSED(leaf, .anchor = &root, .inter = { &inter }, .crls = crl, .n_crls = 1);
	ACCEPTED(leaf, .anchor = &root, .inter = { &inter }, .crls = crl, .n_crls = 2);
	REFUSED(leaf, .anchor = &root, .inter = { &inter }, .crls = crl, .n_crls = 2,
		.now_ms = T_NOW_MS + 10000); /* no longer current */
	both[0] = crl[0];
	both[1] = crl[1];
	assert_int_equal(ay_crlgen(t_ca_cert(&inter), inter.key, &gone, 1, 2, T_NOW_MS - 1000,
				   T_NOW_MS + 9000, &der[2], NULL),
			 AY_OK);
	assert_int_equal(ay_crl_parse(der[2], &both[0], NULL), AY_OK);
	REFUSED(leaf, .anchor = &root, .inter = { &inter }, .crls = both, .n_crls = 2);
	REFUSED(leaf, .anchor = &root, .inter = { &inter }, .crls = both, .n_crls = 2,
		.crl = AY_CRL_IF_PRESENT);
	ACCEPTED(leaf, .anchor = &root, .inter = { &inter }, .crls = both, .n_crls = 2, IGNORE);
	/* an older list before it does not hide it */
	both[1] = both[0];
	both[0] = crl[0];
	REFUSED(leaf, .anchor = &root, .inter = { &inter }, .crls = both, .n_crls = 2,
		.crl = AY_CRL_IF_PRESENT);
	both[1] = crl[1];
	both[0].is_partial = true; /* not the whole list: not enough where one is required */
	REFUSED(leaf, .anchor = &root, .inter = { &inter }, .crls = both, .n_crls = 2);
	ay_certgen_free(&der[2]);
	assert_int_equal(ay_crlgen(t_ca_cert(&root), root.key, &gone_ca, 1, 2, T_NOW_MS - 1000,
				   T_NOW_MS + 9000, &der[2], NULL),
			 AY_OK);
	both[0] = crl[0];
	assert_int_equal(ay_crl_parse(der[2], &both[1], NULL), AY_OK);
	REFUSED(leaf, .anchor = &root, .inter = { &inter }, .crls = both, .n_crls = 2,
		.crl = AY_CRL_IF_PRESENT);
	/* a list signed by somebody else of that name says nothing */
	ay_certgen_free(&der[2]);
	assert_int_equal(ay_crlgen(t_ca_cert(&inter), stranger.key, &gone, 1, 2, T_NOW_MS - 1000,
				   T_NOW_MS + 9000, &der[2], NULL),
			 AY_OK);
	assert_int_equal(ay_crl_parse(der[2], &both[0], NULL), AY_OK);
	ACCEPTED(leaf, .anchor = &root, .inter = { &inter }, .crls = both, .n_crls = 1,
		 .crl = AY_CRL_IF_PRESENT);
	for (size_t i = 0; i < 3; i++)
		ay_certgen_free(&der[i]);
}

static void ek_usage(void **state)
{
	const struct ay_cert_ext other = { AY_OID(AY_OID_EXT_KEY_USAGE), false,
					   t_hex("300a 0608 2b06010505070301") }; /* serverAuth */
	struct ay_cert_spec spec = { .issuer_cert = t_ca_cert(&root),
				     .key = ek,
				     .not_before_ms = T_NOW_MS,
				     .not_after_ms = T_NOW_MS + 1000,
				     .path_len = -1,
				     .ext = &other,
				     .n_ext = 1 };
	struct ay_pubkey *key = NULL;
	struct ay_ekcert c;
	struct ay_err e;
	uint8_t b[2048];
	size_t n;

	(void)state;
	assert_int_equal(ay_pubkey_new_pkey(ek, &key, NULL), AY_OK);
	assert_int_equal(ay_certgen(&spec, root.key, b, sizeof(b), &n, NULL), AY_OK);
	assert_int_equal(ay_ekcert_parse((struct ay_bytes){ b, n }, &c, &e), AY_OK);
	assert_int_equal(ay_ekcert_check(&c, key, &e), AY_E_CRYPTO);
	assert_string_equal(e.code, "EK_CHAIN");
	spec.n_ext = 0; /* none at all: older TPMs */
	assert_int_equal(ay_certgen(&spec, root.key, b, sizeof(b), &n, NULL), AY_OK);
	assert_int_equal(ay_ekcert_parse((struct ay_bytes){ b, n }, &c, &e), AY_OK);
	assert_int_equal(ay_ekcert_check(&c, key, &e), AY_OK);
	spec.is_ca = true;
	assert_int_equal(ay_certgen(&spec, root.key, b, sizeof(b), &n, NULL), AY_OK);
	assert_int_equal(ay_ekcert_parse((struct ay_bytes){ b, n }, &c, &e), AY_OK);
	assert_int_equal(ay_ekcert_check(&c, key, &e), AY_E_CRYPTO);
	ay_pubkey_free(key);
}

/* What stands in NV around the certificate. */
static void nv_forms(void **state)
{
	struct ay_bytes leaf = good_leaf();
	uint8_t nv[4096], *big;
	struct ay_ekcert c;
	struct ay_err e;
	size_t n = leaf.n;

	(void)state;
#define PUT(at) memcpy(nv + (at), leaf.p, leaf.n)
#define PARSE(len) ay_ekcert_parse((struct ay_bytes){ nv, (len) }, &c, &e)
	PUT(0);
	assert_int_equal(PARSE(n), AY_OK);
	assert_int_equal(c.cert.flags, 0);
	memset(nv + n, 0xff, 64);
	assert_int_equal(PARSE(n + 64), AY_OK);
	assert_int_equal(c.cert.flags, AY_CERT_NV_PADDING);
	assert_int_equal(c.cert.der.n, n);
	nv[n + 63] = 0xfe; /* more than one repeated octet */
	assert_int_equal(PARSE(n + 64), AY_E_INPUT);
	assert_string_equal(e.code, "CERT_MALFORMED");
	memcpy(nv, "\x10\x01\x00\x00\x00\x10\x02", 7);
	nv[3] = (uint8_t)((n + 2) >> 8);
	nv[4] = (uint8_t)(n + 2);
	PUT(7);
	assert_int_equal(PARSE(n + 7), AY_OK);
	assert_int_equal(c.cert.flags, AY_CERT_NV_HEADER);
	nv[4]++; /* a length that is not the certificate's */
	assert_int_equal(PARSE(n + 7), AY_E_INPUT);
	nv[4] = (uint8_t)(nv[4] - 2);
	assert_int_equal(PARSE(n + 7), AY_E_INPUT);
	nv[4]++;
	nv[2] = 1; /* partial certificate */
	assert_int_equal(PARSE(n + 7), AY_E_INPUT);
	nv[2] = 0;
	nv[6] = 3;
	assert_int_equal(PARSE(n + 7), AY_E_INPUT);
	big = calloc(1, 1024 * 1024);
	assert_non_null(big);
	memcpy(big, leaf.p, n);
	assert_int_equal(ay_ekcert_parse((struct ay_bytes){ big, 1024 * 1024 }, &c, &e),
			 AY_E_LIMIT);
	assert_string_equal(e.code, "CERT_LIMIT");
	free(big);
	/* what follows the DER is for NV only: elsewhere it is refused */
	PUT(0);
	nv[n] = 0;
	{
		struct ay_cert plain;

		assert_int_equal(ay_cert_parse((struct ay_bytes){ nv, n + 1 }, &plain, &e),
				 AY_E_INPUT);
		assert_string_equal(e.code, "CERT_TRAILING");
	}
}

/* One octet of the certificate's frame changed. */
static void small_deceits(void **state)
{
	struct ay_bytes leaf = good_leaf();
	struct ay_cert c = parsed(leaf);
	size_t serial = (size_t)(c.serial.p - leaf.p);
	struct ay_err e;

	(void)state;
	leaf_der[serial] |= 0x80; /* negative */
	assert_int_equal(ay_cert_parse(leaf, &c, &e), AY_E_INPUT);
	assert_string_equal(e.code, "CERT_MALFORMED");
	assert_string_equal(e.where, "certificate.serialNumber");
	leaf_der[serial] = 0;
	leaf_der[serial + 1] = 1; /* padded */
	assert_int_equal(ay_cert_parse(leaf, &c, &e), AY_OK);
	assert_int_equal(c.flags, AY_CERT_SERIAL_PADDED);
	leaf_der[serial - 3] = 1; /* version 2 */
	assert_int_equal(ay_cert_parse(leaf, &c, &e), AY_E_INPUT);
	assert_string_equal(e.code, "CERT_VERSION");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_and_named),   cmocka_unit_test(dates),
		cmocka_unit_test(who_may_sign),	    cmocka_unit_test(deep_and_looping),
		cmocka_unit_test(every_bit_counts), cmocka_unit_test(revocation_lists),
		cmocka_unit_test(ek_usage),	    cmocka_unit_test(nv_forms),
		cmocka_unit_test(small_deceits),
	};

	return cmocka_run_group_tests_name("crypto/chain", tests, set_up, tear_down);
}
