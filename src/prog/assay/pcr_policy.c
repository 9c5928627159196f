/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assay reference pcr-policy SET: what a TPM object sealed to the PCR values of
 * a set has for its authPolicy: the digest of one TPM2_PolicyPCR, for
 * systemd-cryptenroll and its like [TPM2-P3 23.7].
 */
#include "core/appraise/reference.h"
#include "core/base/hex.h"
#include "core/crypto/hash.h"
#include "prog/assay/commands.h"
#include "prog/assay/offline.h"
#include "prog/assay/reference.h"

#include <stdlib.h>
#include <string.h>

#define CC_POLICY_PCR 0x0000017fu

struct sealing {
	uint16_t alg;
	uint32_t mask;
	struct ay_pcrs pcrs;
	uint8_t policy[AY_DIGEST_MAX];
};

/* "0,2,7" to a mask; 0: it is none. */
static uint32_t mask_of(const char *text)
{
	uint32_t mask = 0;

	while (*text != '\0') {
		char *end;
		unsigned long pcr = strtoul(text, &end, 10);

		if (end == text || pcr >= AY_PCR_COUNT || (*end != ',' && *end != '\0') ||
		    (*end == ',' && end[1] == '\0'))
			return 0;
		mask |= 1u << pcr;
		text = *end == ',' ? end + 1 : end;
	}
	return mask;
}

/* Only whole values serve: what a rule of events leads to depends on their order alone. */
static void take_values(struct sealing *s, const struct ay_refset *set)
{
	for (size_t i = 0; i < set->n_rules; i++) {
		const struct ay_rule *r = &set->rule[i];
		struct ay_bytes v;

		if ((r->kind != &ay_rule_pcr && r->kind != &ay_rule_golden) ||
		    (s->mask >> r->pcr & 1) == 0)
			continue;
		v = ay_pcrs_value(&r->values[0], s->alg, r->pcr);
		if (v.n > 0)
			(void)!ay_pcrs_set(&s->pcrs, s->alg, r->pcr, v, NULL);
	}
}

/* H(0...0 || TPM_CC_PolicyPCR || TPML_PCR_SELECTION || H(values)) with SHA-256. */
static int make_policy(struct sealing *s)
{
	uint8_t values[AY_PCR_COUNT * AY_DIGEST_MAX], digest[AY_DIGEST_MAX], zero[32] = { 0 };
	uint8_t buf[128];
	struct ay_writer v, w;

	ay_wr_init(&v, values, sizeof(values));
	ay_wr_init(&w, buf, sizeof(buf));
	for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
		struct ay_bytes value = ay_pcrs_value(&s->pcrs, s->alg, pcr);

		if ((s->mask >> pcr & 1) != 0 && value.n == 0)
			return ay_cli_error(AY_EXIT_FINDING,
					    "the set has no value of PCR %u in bank %s", pcr,
					    ay_alg_bank_name(s->alg));
		if ((s->mask >> pcr & 1) != 0)
			ay_wr_bytes(&v, value);
	}
	ay_wr_bytes(&w, AY_BYTES(zero));
	ay_wr_be32(&w, CC_POLICY_PCR);
	ay_wr_be32(&w, 1);
	ay_wr_be16(&w, s->alg);
	ay_wr_u8(&w, 3);
	for (size_t i = 0; i < 3; i++)
		ay_wr_u8(&w, (uint8_t)(s->mask >> (8 * i)));
	if (!ay_hash_of(AY_ALG_SHA256, (struct ay_bytes){ values, v.n }, digest))
		return ay_cli_error(AY_EXIT_IO, "no SHA-256");
	ay_wr_bytes(&w, (struct ay_bytes){ digest, 32 });
	if (!ay_hash_of(AY_ALG_SHA256, (struct ay_bytes){ buf, w.n }, s->policy))
		return ay_cli_error(AY_EXIT_IO, "no SHA-256");
	return AY_EXIT_OK;
}

/* 7:sha256=HEX+...: as systemd-cryptenroll --tpm2-pcrs takes expected values. */
static void print_pcrs(const struct sealing *s, FILE *f)
{
	char hex[2 * AY_DIGEST_MAX + 1];
	const char *plus = "";

	for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
		if ((s->mask >> pcr & 1) == 0)
			continue;
		ay_hex_encode(ay_pcrs_value(&s->pcrs, s->alg, pcr), hex);
		fprintf(f, "%s%u:%s=%s", plus, pcr, ay_alg_bank_name(s->alg), hex);
		plus = "+";
	}
}

static int print(const struct ay_cli *cli, const struct sealing *s)
{
	char hex[65], *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	json_t *doc;

	if (f == NULL)
		return ay_cli_error(AY_EXIT_IO, "out of memory");
	print_pcrs(s, f);
	(void)fclose(f);
	ay_hex_encode((struct ay_bytes){ s->policy, 32 }, hex);
	doc = json_pack("{ss ss ss so}", "policy", hex, "bank", ay_alg_bank_name(s->alg),
			"tpm2_pcrs", text, "values", ay_offline_pcrs(&s->pcrs));
	if (!cli->json)
		printf("policy     %s\ntpm2-pcrs  %s\n", hex, text);
	free(text);
	if (cli->json)
		return ay_offline_print(doc, AY_EXIT_OK);
	json_decref(doc);
	return AY_EXIT_OK;
}

static int run(struct ay_cli *cli, const struct ay_args *args)
{
	const char *pcrs = ay_args_opt(args, "pcrs", 0), *bank = ay_args_opt(args, "bank", 0);
	struct sealing s = { .alg = AY_ALG_SHA256 };
	struct ay_refset *set = NULL;
	int code;

	s.mask = mask_of(pcrs != NULL ? pcrs : "7");
	if (s.mask == 0)
		return ay_cli_error(AY_EXIT_USAGE, "--pcrs %s: numbers 0 to 23, with commas", pcrs);
	if (bank != NULL)
		s.alg = ay_alg_from_bank_name(ay_bytes_of(bank));
	if (ay_alg_digest_size(s.alg) == 0)
		return ay_cli_error(AY_EXIT_USAGE, "--bank %s: no such bank", bank);
	code = ay_reference_load(cli, args->pos[0], &set);
	if (code != AY_EXIT_OK)
		return code;
	take_values(&s, set);
	code = make_policy(&s);
	if (code == AY_EXIT_OK)
		code = print(cli, &s);
	ay_refset_free(set);
	return code;
}

static const struct ay_opt opts[] = {
	{ "pcrs", "N,N", "PCRs to seal to; 7 when left out" },
	{ "bank", "NAME", "their bank; sha256 when left out" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_reference_pcr_policy = {
	.noun = "reference",
	.verb = "pcr-policy",
	.args = "SET",
	.min_pos = 1,
	.max_pos = 1,
	.opts = opts,
	.doc = "TPM policy of a key sealed to the set's PCR values, for systemd-cryptenroll and "
	       "its like",
	.run = run,
};
