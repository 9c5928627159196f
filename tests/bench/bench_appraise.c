/* SPDX-License-Identifier: Apache-2.0 */
/* One appraisal of a quote: signature, parse, every check, the digest over two banks. */
#include "bench/bench.h"

#include "core/appraise/appraise.h"
#include "core/crypto/sign.h"
#include "core/tpm/pcrdigest.h"
#include "core/tpm/signature.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

struct scene {
	uint8_t attest_buf[1024], signature_buf[1024], digest[32];
	struct ay_quote_ask ask;
	struct ay_quote_evidence ev;
	struct ay_pcr_selection selection;
	struct ay_pcrs hints;
	struct ay_arena arena;
};

static const uint8_t name[34] = { 0, 11, 7 }, nonce[32] = { 9 };

static void fill_pcrs(struct scene *s)
{
	static const uint16_t banks[] = { AY_ALG_SHA1, AY_ALG_SHA256 };
	uint8_t value[32] = { 0 };

	s->selection.n_banks = 2;
	for (size_t i = 0; i < 2; i++) {
		s->selection.bank[i].alg = banks[i];
		s->selection.bank[i].mask = AY_PCR_ASKED;
		for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
			value[3] = (uint8_t)pcr;
			if (ay_pcrs_set(&s->hints, banks[i], pcr,
					(struct ay_bytes){ value, ay_alg_digest_size(banks[i]) },
					NULL) != AY_OK)
				bench_die("pcrs");
		}
	}
}

static void build(struct scene *s, EVP_PKEY *key)
{
	struct ay_quote q = { .magic = AY_TPM_GENERATED,
			      .type = AY_TPM_ST_ATTEST_QUOTE,
			      .signer = AY_BYTES(name),
			      .nonce = AY_BYTES(nonce),
			      .clock_ms = 5000,
			      .reset_count = 1,
			      .clock_safe = 1,
			      .selection = s->selection };
	struct ay_signature_buf sig;
	struct ay_writer w;

	if (!ay_pcr_digest(&s->selection, AY_ALG_SHA256, &s->hints, s->digest))
		bench_die("digest");
	q.pcr_digest = AY_BYTES(s->digest);
	ay_wr_init(&w, s->attest_buf, sizeof(s->attest_buf));
	ay_quote_write(&w, &q);
	s->ev.attest = (struct ay_bytes){ s->attest_buf, w.n };
	if (ay_sign(key, 0, AY_ALG_SHA256, s->ev.attest, &sig, NULL) != AY_OK)
		bench_die("sign");
	ay_wr_init(&w, s->signature_buf, sizeof(s->signature_buf));
	ay_signature_write(&w, &sig.sig);
	s->ev.signature = (struct ay_bytes){ s->signature_buf, w.n };
	s->ev.hints = &s->hints;
}

static void once(struct scene *s)
{
	static struct ay_quote_facts facts;
	struct ay_report rep;

	ay_arena_reset(&s->arena);
	ay_report_init(&rep, &s->arena);
	if (ay_appraise_quote(&s->ask, &s->ev, &facts, &rep, NULL) != AY_OK ||
	    !facts.pcrs_attested ||
	    ay_report_conclude(&rep, AY_COMP_BIT(AY_COMP_IDENTITY), NULL) != AY_OK ||
	    rep.verdict != AY_TRUSTED)
		bench_die("the quote is not accepted");
}

static void run(const char *label, EVP_PKEY *key, double seconds)
{
	static struct scene s;
	struct ay_pubkey *ak;
	double began;
	uint64_t n = 0;

	memset(&s, 0, sizeof(s));
	if (ay_pubkey_new_pkey(key, &ak, NULL) != AY_OK)
		bench_die("key");
	fill_pcrs(&s);
	build(&s, key);
	s.ask = (struct ay_quote_ask){
		.extra_data = AY_BYTES(nonce),
		.selection = &s.selection,
		.ak = ak,
		.qualified_name = AY_BYTES(name),
		.last = { .known = true, .clock_ms = 4000, .reset_count = 1 }
	};
	ay_arena_init(&s.arena, 1 << 20);
	for (began = bench_cpu(); bench_cpu() - began < seconds; n += 50)
		for (int i = 0; i < 50; i++)
			once(&s);
	bench_print(label, (double)n / (bench_cpu() - began), "1/s/core");
	ay_arena_fini(&s.arena);
	ay_pubkey_free(ak);
	EVP_PKEY_free(key);
}

void bench_appraise(double seconds)
{
	run("appraise_p256", EVP_EC_gen("P-256"), seconds);
	run("appraise_rsa2048", EVP_RSA_gen(2048), seconds);
}
