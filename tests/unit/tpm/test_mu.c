/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our structures against tss2-mu, octet for octet and both ways: quotes,
 * signatures, public areas. What mu writes we must read alike, and the reverse.
 */
#include "support/t.h"

#include "core/tpm/public.h"
#include "core/tpm/quote.h"
#include "core/tpm/signature.h"

#include <string.h>
#include <tss2/tss2_mu.h>

static uint32_t state_ = 88172645;

static uint32_t random_next(void)
{
	state_ ^= state_ << 13;
	state_ ^= state_ >> 17;
	state_ ^= state_ << 5;
	return state_;
}

static void fill(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)random_next();
}

static const uint16_t banks[] = { TPM2_ALG_SHA1, TPM2_ALG_SHA256, TPM2_ALG_SHA384,
				  TPM2_ALG_SHA512 };

static void random_attest(TPMS_ATTEST *a)
{
	TPML_PCR_SELECTION *s = &a->attested.quote.pcrSelect;

	memset(a, 0, sizeof(*a));
	a->magic = TPM2_GENERATED_VALUE;
	a->type = TPM2_ST_ATTEST_QUOTE;
	a->qualifiedSigner.size = (uint16_t)(random_next() % 67);
	fill(a->qualifiedSigner.name, a->qualifiedSigner.size);
	a->extraData.size = (uint16_t)(random_next() % 65);
	fill(a->extraData.buffer, a->extraData.size);
	a->clockInfo.clock = (uint64_t)random_next() << 32 | random_next();
	a->clockInfo.resetCount = random_next();
	a->clockInfo.restartCount = random_next();
	a->clockInfo.safe = random_next() % 2;
	a->firmwareVersion = (uint64_t)random_next() << 32 | random_next();
	s->count = random_next() % 5;
	for (uint32_t i = 0; i < s->count; i++) {
		s->pcrSelections[i].hash = banks[i];
		s->pcrSelections[i].sizeofSelect = 3;
		fill(s->pcrSelections[i].pcrSelect, 3);
	}
	a->attested.quote.pcrDigest.size = (uint16_t)(random_next() % 65);
	fill(a->attested.quote.pcrDigest.buffer, a->attested.quote.pcrDigest.size);
}

static void assert_same_quote(const struct ay_quote *q, const TPMS_ATTEST *a)
{
	const TPML_PCR_SELECTION *s = &a->attested.quote.pcrSelect;

	assert_int_equal(q->magic, a->magic);
	assert_int_equal(q->type, a->type);
	assert_int_equal(q->signer.n, a->qualifiedSigner.size);
	assert_memory_equal(q->signer.p, a->qualifiedSigner.name, q->signer.n);
	assert_int_equal(q->nonce.n, a->extraData.size);
	assert_memory_equal(q->nonce.p, a->extraData.buffer, q->nonce.n);
	assert_true(q->clock_ms == a->clockInfo.clock && q->firmware == a->firmwareVersion);
	assert_int_equal(q->reset_count, a->clockInfo.resetCount);
	assert_int_equal(q->restart_count, a->clockInfo.restartCount);
	assert_int_equal(q->clock_safe, a->clockInfo.safe);
	assert_int_equal(q->selection.n_banks, s->count);
	for (uint32_t i = 0; i < s->count; i++) {
		const BYTE *b = s->pcrSelections[i].pcrSelect;

		assert_int_equal(q->selection.bank[i].alg, s->pcrSelections[i].hash);
		assert_int_equal(q->selection.bank[i].mask, b[0] | b[1] << 8 | b[2] << 16);
	}
	assert_int_equal(q->pcr_digest.n, a->attested.quote.pcrDigest.size);
	assert_memory_equal(q->pcr_digest.p, a->attested.quote.pcrDigest.buffer, q->pcr_digest.n);
}

static void test_quote(void **state)
{
	(void)state;
	for (int i = 0; i < 500; i++) {
		uint8_t theirs[2048], ours[2048];
		struct ay_bytes written;
		TPMS_ATTEST a;
		struct ay_quote q;
		struct ay_writer w;
		struct ay_err e;
		size_t n = 0;

		random_attest(&a);
		assert_int_equal(Tss2_MU_TPMS_ATTEST_Marshal(&a, theirs, sizeof(theirs), &n), 0);
		assert_int_equal(ay_quote_parse((struct ay_bytes){ theirs, n }, &q, &e), AY_OK);
		assert_same_quote(&q, &a);
		ay_wr_init(&w, ours, sizeof(ours));
		ay_quote_write(&w, &q);
		assert_int_equal(ay_wr_end(&w, "quote", &written, &e), AY_OK);
		assert_int_equal(written.n, n);
		assert_memory_equal(ours, theirs, n);
		for (size_t k = 0; k < n; k += 1 + random_next() % 9)
			assert_int_not_equal(ay_quote_parse((struct ay_bytes){ theirs, k }, &q, &e),
					     AY_OK);
		assert_int_equal(ay_quote_parse((struct ay_bytes){ theirs, n + 1 }, &q, &e),
				 AY_E_INPUT);
	}
}

static void random_signature(TPMT_SIGNATURE *s, int kind)
{
	memset(s, 0, sizeof(*s));
	if (kind < 2) {
		TPMS_SIGNATURE_RSA *r = &s->signature.rsassa;

		s->sigAlg = kind == 0 ? TPM2_ALG_RSASSA : TPM2_ALG_RSAPSS;
		r->hash = banks[random_next() % 4];
		r->sig.size = (uint16_t)(random_next() % 513);
		fill(r->sig.buffer, r->sig.size);
		return;
	}
	s->sigAlg = TPM2_ALG_ECDSA;
	s->signature.ecdsa.hash = banks[random_next() % 4];
	s->signature.ecdsa.signatureR.size = (uint16_t)(random_next() % 67);
	s->signature.ecdsa.signatureS.size = (uint16_t)(random_next() % 67);
	fill(s->signature.ecdsa.signatureR.buffer, s->signature.ecdsa.signatureR.size);
	fill(s->signature.ecdsa.signatureS.buffer, s->signature.ecdsa.signatureS.size);
}

static void test_signature(void **state)
{
	(void)state;
	for (int i = 0; i < 600; i++) {
		uint8_t theirs[2048], ours[2048];
		struct ay_bytes written;
		TPMT_SIGNATURE t;
		struct ay_signature s;
		struct ay_writer w;
		struct ay_err e;
		size_t n = 0;

		random_signature(&t, i % 3);
		assert_int_equal(Tss2_MU_TPMT_SIGNATURE_Marshal(&t, theirs, sizeof(theirs), &n), 0);
		assert_int_equal(ay_signature_parse((struct ay_bytes){ theirs, n }, &s, &e), AY_OK);
		assert_int_equal(s.scheme, t.sigAlg);
		assert_int_equal(s.hash, t.signature.any.hashAlg);
		ay_wr_init(&w, ours, sizeof(ours));
		ay_signature_write(&w, &s);
		assert_int_equal(ay_wr_end(&w, "signature", &written, &e), AY_OK);
		assert_int_equal(written.n, n);
		assert_memory_equal(ours, theirs, n);
		for (size_t k = 0; k < n; k += 1 + random_next() % 50)
			assert_int_not_equal(
				ay_signature_parse((struct ay_bytes){ theirs, k }, &s, &e), AY_OK);
	}
}

static void test_signature_tags(void **state)
{
	struct ay_signature s;
	struct ay_err e;

	(void)state;
	assert_int_equal(ay_signature_parse(t_hex("0005 000b 0000"), &s, &e),
			 AY_E_INPUT); /* HMAC */
	assert_string_equal(e.where, "signature.sigAlg");
	assert_int_equal(ay_signature_parse(t_hex("0010"), &s, &e), AY_E_INPUT); /* NULL */
	assert_int_equal(ay_signature_parse(t_hex("001a 000b 0000 0000"), &s, &e),
			 AY_E_INPUT); /* ECDAA */
	assert_int_equal(ay_signature_parse(t_hex("0014 0010 0000"), &s, &e), AY_E_INPUT);
	assert_string_equal(e.where, "signature.hash");
	assert_int_equal(ay_signature_parse(t_hex("0014 000b 0001 aabb"), &s, &e), AY_E_INPUT);
	assert_int_equal(s.rsa.n, 0);
}

static void random_public(TPMT_PUBLIC *p, bool rsa, int kind)
{
	memset(p, 0, sizeof(*p));
	p->type = rsa ? TPM2_ALG_RSA : TPM2_ALG_ECC;
	p->nameAlg = banks[random_next() % 4];
	p->objectAttributes = random_next() & 0x000f0cf6;
	p->authPolicy.size = random_next() % 2 ? 0 : (uint16_t)ay_alg_digest_size(p->nameAlg);
	fill(p->authPolicy.buffer, p->authPolicy.size);
	if (rsa) {
		TPMS_RSA_PARMS *r = &p->parameters.rsaDetail;

		r->symmetric.algorithm = kind == 0 ? TPM2_ALG_AES : TPM2_ALG_NULL;
		r->symmetric.keyBits.aes = 128;
		r->symmetric.mode.aes = TPM2_ALG_CFB;
		r->scheme.scheme = kind == 0   ? TPM2_ALG_NULL
				   : kind == 1 ? TPM2_ALG_RSASSA
					       : TPM2_ALG_OAEP;
		r->scheme.details.anySig.hashAlg = TPM2_ALG_SHA256;
		r->keyBits = 2048;
		p->unique.rsa.size = 256;
		fill(p->unique.rsa.buffer, 256);
		return;
	}
	p->parameters.eccDetail.symmetric.algorithm = kind == 0 ? TPM2_ALG_AES : TPM2_ALG_NULL;
	p->parameters.eccDetail.symmetric.keyBits.aes = 256;
	p->parameters.eccDetail.symmetric.mode.aes = TPM2_ALG_CFB;
	p->parameters.eccDetail.scheme.scheme = kind == 1 ? TPM2_ALG_ECDSA : TPM2_ALG_NULL;
	p->parameters.eccDetail.scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA384;
	p->parameters.eccDetail.curveID = TPM2_ECC_NIST_P384;
	p->parameters.eccDetail.kdf.scheme = kind == 2 ? TPM2_ALG_KDF1_SP800_108 : TPM2_ALG_NULL;
	p->parameters.eccDetail.kdf.details.kdf1_sp800_108.hashAlg = TPM2_ALG_SHA256;
	p->unique.ecc.x.size = p->unique.ecc.y.size = 48;
	fill(p->unique.ecc.x.buffer, 48);
	fill(p->unique.ecc.y.buffer, 48);
}

static void test_public(void **state)
{
	(void)state;
	for (int i = 0; i < 600; i++) {
		uint8_t theirs[2048], ours[2048];
		struct ay_bytes written;
		TPMT_PUBLIC t;
		struct ay_public p;
		struct ay_writer w;
		struct ay_err e;
		size_t n = 0;

		random_public(&t, i % 2, i % 3);
		assert_int_equal(Tss2_MU_TPMT_PUBLIC_Marshal(&t, theirs, sizeof(theirs), &n), 0);
		assert_int_equal(ay_public_parse((struct ay_bytes){ theirs, n }, &p, &e), AY_OK);
		assert_int_equal(p.attributes, t.objectAttributes);
		ay_wr_init(&w, ours, sizeof(ours));
		ay_public_write(&w, &p);
		assert_int_equal(ay_wr_end(&w, "public", &written, &e), AY_OK);
		assert_int_equal(written.n, n);
		assert_memory_equal(ours, theirs, n);
		for (size_t k = 0; k < n; k += 1 + random_next() % 20)
			assert_int_not_equal(
				ay_public_parse((struct ay_bytes){ theirs, k }, &p, &e), AY_OK);
	}
}

static void test_public_refusals(void **state)
{
	static const struct {
		const char *name, *hex, *where;
	} cases[] = {
		{ "an HMAC key", "0008 000b", "public.type" },
		{ "nameAlg NULL", "0023 0010", "public.nameAlg" },
		{ "reserved attribute", "0023 000b 00000001 0000", "public.objectAttributes" },
		{ "policy of another hash", "0023 000b 00000000 0001 aa", "public.authPolicy" },
	};
	struct ay_public p;
	struct ay_err e;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(cases); i++) {
		print_message("%s\n", cases[i].name);
		assert_int_equal(ay_public_parse(t_hex(cases[i].hex), &p, &e), AY_E_INPUT);
		assert_string_equal(e.where, cases[i].where);
		assert_int_equal(p.type, 0);
	}
}

static void assert_name(const char *file, bool sized, const char *want)
{
	struct ay_bytes in = t_corpus_file("tpm/mu", file);
	struct ay_public p;
	struct ay_name name;
	struct ay_err e;
	enum ay_rc rc = sized ? ay_public_parse_2b(in, &p, &e) : ay_public_parse(in, &p, &e);

	assert_int_equal(rc, AY_OK);
	assert_true(ay_public_name(&p, &name));
	assert_int_equal(name.n, 34);
	assert_memory_equal(name.b, t_hex(want).p, 34);
	assert_true(ay_name_is_valid(ay_name_view(&name)));
}

static void test_names_of_the_corpus(void **state)
{
	struct ay_bytes wrong = t_corpus_file("tpm/mu", "vectors/hirs-ak.name");
	struct ay_bytes ak = t_corpus_file("tpm/mu", "vectors/hirs-ak.pub");
	struct ay_public p;
	struct ay_name name;
	struct ay_err e;

	(void)state;
	assert_name("vectors/keylime-ak.pub", true,
		    "000b2d3fb7830f6cb214fac7d7cb213a21a0609148c4505927db61287e1e80322336");
	assert_name("vectors/keylime-ek.pub", true,
		    "000b524fe073981b4ac6fb4b571723bf939f67fa0a154dc85eee0dd1e5b21df47ca5");
	assert_name("vectors/hirs-ek.pub", false,
		    "000bc51b59f2bd3ff8f5b5c2a1c106f9c4143a43acc259e35621721ddede74ec0c88");
	assert_name("vectors/hirs-ak.pub", false,
		    "000b802614a15167f95cbdf98c5acd7940181b9ae9b4070a18d9eb71eeafa97013f7");
	assert_name("vectors/ek-template-default.bin", false,
		    "000b32503929a1287eedaa3e89d932f9b51a6f92abd0fa57721ffa6fc041e04f7498");
	assert_int_equal(ay_public_parse(ak, &p, &e), AY_OK);
	assert_true(ay_public_name(&p, &name));
	assert_false(ay_bytes_eq(ay_name_view(&name), wrong)); /* a name that is not this key's */
}

/* Made by tpm2-tools on swtpm: tpm2_createek -G ecc, tpm2_createak, tpm2_readpublic -q. */
static void test_qualified_name(void **state)
{
	struct ay_bytes ek =
		t_hex("000b629ebe123a253e3ce00570987af3e0b4999642dd56f3ac757c3aed20dda70aff");
	struct ay_bytes ek_q =
		t_hex("000b43f27b2036867415272f03d332827412dc50d5337546ddca2526adcc4b94be78");
	struct ay_bytes ak =
		t_hex("000bd56bba7b79beeb3a1a433cd9d7b9a788696cb26b9bd8683b680e6d4984e8cc8c");
	struct ay_bytes ak_q =
		t_hex("000b375ac91f63149f49a4c05bfb3099e4d1349294297a583b1221b911ba90618de0");
	struct ay_name q;

	(void)state;
	assert_true(ay_name_qualify(t_hex("4000000b"), ek, &q));
	assert_true(ay_bytes_eq(ay_name_view(&q), ek_q));
	assert_true(ay_name_of_ak(ek, ak, &q));
	assert_true(ay_bytes_eq(ay_name_view(&q), ak_q));
	assert_false(ay_name_qualify(ek, t_hex("000b00"), &q));
	assert_int_equal(q.n, 0);
	assert_false(ay_name_of_ak(ek, (struct ay_bytes){ NULL, 0 }, &q));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quote),		cmocka_unit_test(test_signature),
		cmocka_unit_test(test_signature_tags),	cmocka_unit_test(test_public),
		cmocka_unit_test(test_public_refusals), cmocka_unit_test(test_names_of_the_corpus),
		cmocka_unit_test(test_qualified_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
