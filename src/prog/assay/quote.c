/* SPDX-License-Identifier: Apache-2.0 */
/* assay quote: is this quote valid, and what does it say? Offline. */
#include "core/appraise/check_quote12.h"
#include "core/appraise/report_json.h"
#include "core/base/hex.h"
#include "core/tpm/signature.h"
#include "prog/assay/commands.h"
#include "prog/assay/findings.h"
#include "prog/assay/key_file.h"
#include "prog/assay/pcrs_file.h"

#include <stdlib.h>

enum { FILE_MAX = 64 * 1024, NONCE_MAX = 1024, ARENA_MAX = 1 << 20 };

/* All that was given, and what came of it. */
struct quote_run {
	struct ay_pubkey *key;
	uint8_t *message, *signature, *file12;
	size_t message_n, signature_n, file12_n;
	uint8_t nonce[NONCE_MAX];
	size_t nonce_n;
	bool has_pcrs;
	struct ay_pcrs pcrs;

	bool is12;
	struct ay_file12 parsed12;
	struct ay_quote quote; /* 2.0; zeroed when it could not be parsed */
	struct ay_arena arena;
	struct ay_report rep;
	struct ay_quote_facts facts;
	struct ay_err refused; /* rc AY_OK: everything could be parsed */
};

static void run_fini(struct quote_run *r)
{
	ay_pubkey_free(r->key);
	free(r->message);
	free(r->signature);
	free(r->file12);
	ay_arena_fini(&r->arena);
}

static int read_opt(const struct ay_args *args, const char *name, uint8_t **p, size_t *n)
{
	const char *path = ay_args_opt(args, name, 0);

	return path == NULL ? AY_EXIT_OK : ay_cli_read_file(path, FILE_MAX, p, n);
}

static int read_nonce(const struct ay_args *args, struct quote_run *r)
{
	const char *hex = ay_args_opt(args, "nonce", 0);
	struct ay_err e = { 0 };

	if (hex == NULL)
		return AY_EXIT_OK;
	r->nonce_n = strlen(hex) / 2;
	if (r->nonce_n == 0 || r->nonce_n > sizeof(r->nonce))
		return ay_cli_error(AY_EXIT_USAGE, "--nonce has %zu digits", strlen(hex));
	if (ay_hex_decode(ay_bytes_of(hex), "--nonce", r->nonce, r->nonce_n, &e) != AY_OK)
		return ay_cli_fault(AY_EXIT_USAGE, "--nonce", &e);
	return AY_EXIT_OK;
}

static int check_usage(const struct ay_args *args)
{
	bool file12 = ay_args_has(args, "file12");

	if (!ay_args_has(args, "key"))
		return ay_cli_error(AY_EXIT_USAGE, "give the key with --key");
	if (file12 && !ay_args_has(args, "message") && !ay_args_has(args, "nonce"))
		return ay_cli_error(AY_EXIT_USAGE,
				    "--file12 needs --nonce: what was signed is made of both");
	if (!file12 && (!ay_args_has(args, "message") || !ay_args_has(args, "signature")))
		return ay_cli_error(AY_EXIT_USAGE, "give --message and --signature, or --file12");
	return AY_EXIT_OK;
}

static int read_all(const struct ay_args *args, struct quote_run *r)
{
	const char *pcrs = ay_args_opt(args, "pcrs", 0);
	int rc = check_usage(args);

	if (rc == AY_EXIT_OK)
		rc = ay_cli_key_file(ay_args_opt(args, "key", 0), &r->key);
	if (rc == AY_EXIT_OK)
		rc = read_opt(args, "message", &r->message, &r->message_n);
	if (rc == AY_EXIT_OK)
		rc = read_opt(args, "signature", &r->signature, &r->signature_n);
	if (rc == AY_EXIT_OK)
		rc = read_opt(args, "file12", &r->file12, &r->file12_n);
	if (rc == AY_EXIT_OK)
		rc = read_nonce(args, r);
	r->has_pcrs = pcrs != NULL;
	if (rc == AY_EXIT_OK && pcrs != NULL)
		rc = ay_cli_pcrs_file(pcrs, &r->pcrs);
	return rc;
}

static bool has_value(const struct ay_pcrs *p, uint16_t alg, unsigned pcr)
{
	return ay_pcrs_value(p, alg, pcr).n > 0;
}

static bool is_selected(const struct ay_pcr_selection *s, uint16_t alg, unsigned pcr)
{
	for (size_t i = 0; i < s->n_banks; i++)
		if (s->bank[i].alg == alg && (s->bank[i].mask >> pcr & 1) != 0)
			return true;
	return false;
}

static void say_selection(struct quote_run *r, uint16_t alg, unsigned pcr, const char *text)
{
	struct ay_place at = {
		.component = AY_COMP_IDENTITY, .bank = alg, .has_pcr = true, .pcr = (uint8_t)pcr
	};

	(void)ay_report_add(&r->rep, AY_CHECK_QUOTE_SELECTION, AY_FAIL, &at, "%s", text);
}

/* The values given are claimed to be attested: each must be covered, and each covered one given. */
static void check_coverage(struct quote_run *r)
{
	static const uint16_t banks[] = { AY_ALG_SHA1, AY_ALG_SHA256, AY_ALG_SHA384, AY_ALG_SHA512,
					  AY_ALG_SM3_256 };

	for (size_t i = 0; i < AY_COUNT(banks); i++)
		for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
			bool given = has_value(&r->pcrs, banks[i], pcr);
			bool quoted = is_selected(&r->facts.selection, banks[i], pcr);

			if (given && !quoted)
				say_selection(r, banks[i], pcr,
					      "a value was given that is not quoted");
			if (quoted && !given)
				say_selection(r, banks[i], pcr, "quoted, and no value was given");
		}
}

static enum ay_rc appraise20(struct quote_run *r, struct ay_err *e)
{
	struct ay_quote_ask ask = { .extra_data = { r->nonce, r->nonce_n }, .ak = r->key };
	struct ay_quote_evidence ev = { .attest = { r->message, r->message_n },
					.signature = { r->signature, r->signature_n },
					.hints = r->has_pcrs ? &r->pcrs : NULL };
	struct ay_signature sig;
	struct ay_err sig_err = { 0 };

	if (ay_quote_parse(ev.attest, &r->quote, &r->refused) != AY_OK)
		snprintf(r->refused.code, sizeof(r->refused.code), "QUOTE_MALFORMED");
	else if (ay_signature_parse(ev.signature, &sig, &sig_err) != AY_OK &&
		 strcmp(sig_err.where, "signature.sigAlg") != 0 &&
		 strcmp(sig_err.where, "signature.hash") != 0) {
		r->refused = sig_err;
		snprintf(r->refused.code, sizeof(r->refused.code), "QUOTE_SIGNATURE");
	}
	return ay_appraise_quote(&ask, &ev, &r->facts, &r->rep, e);
}

static enum ay_rc appraise12(struct quote_run *r, struct ay_err *e)
{
	struct ay_quote12_ask ask = { .nonce = { r->nonce, r->nonce_n }, .ak = r->key };
	struct ay_quote12_evidence ev = { .message = { r->message, r->message_n },
					  .signature = { r->signature, r->signature_n },
					  .hints = r->has_pcrs ? &r->pcrs : NULL };
	struct ay_quote12 q;

	if (r->file12 != NULL) {
		if (ay_file12_parse((struct ay_bytes){ r->file12, r->file12_n }, &r->parsed12,
				    &r->refused) != AY_OK)
			return AY_OK;
		ev.composite = &r->parsed12.composite;
		if (r->signature == NULL)
			ev.signature = r->parsed12.signature;
	}
	if (r->message != NULL && ay_quote12_parse(ev.message, &q, &r->refused) != AY_OK)
		snprintf(r->refused.code, sizeof(r->refused.code), "QUOTE_MALFORMED");
	return ay_appraise_quote12(&ask, &ev, &r->facts, &r->rep, e);
}

static enum ay_rc appraise(struct quote_run *r, struct ay_err *e)
{
	enum ay_rc rc;

	ay_arena_init(&r->arena, ARENA_MAX);
	ay_report_init(&r->rep, &r->arena);
	r->is12 = r->file12 != NULL ||
		  ay_quote12_looks_like((struct ay_bytes){ r->message, r->message_n });
	rc = r->is12 ? appraise12(r, e) : appraise20(r, e);
	if (rc != AY_OK)
		return rc;
	if (r->refused.rc != AY_OK && r->refused.code[0] == '\0') {
		snprintf(r->refused.code, sizeof(r->refused.code), "QUOTE_MALFORMED");
		(void)ay_report_add(&r->rep, AY_CHECK_QUOTE_MALFORMED, AY_FAIL, NULL, "%s: %s",
				    r->refused.where, r->refused.text);
	}
	if (r->has_pcrs && r->facts.selection.n_banks > 0)
		check_coverage(r);
	return r->rep.fault;
}

static bool is_valid(const struct quote_run *r)
{
	for (size_t i = 0; i < r->rep.n_findings; i++)
		if (r->rep.finding[i].result == AY_FAIL)
			return false;
	return r->facts.verified;
}

static json_t *selection_json(const struct ay_pcr_selection *s)
{
	json_t *o = json_object();

	for (size_t i = 0; i < s->n_banks; i++) {
		json_t *list = json_array();

		for (int pcr = 0; pcr < AY_PCR_COUNT; pcr++)
			if (s->bank[i].mask >> pcr & 1)
				json_array_append_new(list, json_integer(pcr));
		json_object_set_new(o, ay_alg_bank_name(s->bank[i].alg), list);
	}
	return o;
}

static json_t *clock_json(const struct quote_run *r)
{
	char firmware[17];

	if (r->is12 || r->quote.magic == 0)
		return json_object();
	snprintf(firmware, sizeof(firmware), "%016llx", (unsigned long long)r->quote.firmware);
	return json_pack("{s:I, s:I, s:I, s:b, s:s}", "clock_ms", (json_int_t)r->quote.clock_ms,
			 "reset_count", (json_int_t)r->quote.reset_count, "restart_count",
			 (json_int_t)r->quote.restart_count, "safe", r->quote.clock_safe == 1,
			 "firmware", firmware);
}

/* What the structure says, verified or not: the verdict stands beside it. */
static struct ay_pcr_selection shown_selection(const struct quote_run *r)
{
	struct ay_pcr_selection s = { .n_banks = 1, .bank = { { .alg = AY_ALG_SHA1 } } };

	if (!r->is12)
		return r->quote.selection;
	if (r->parsed12.composite.mask == 0)
		return r->facts.selection;
	s.bank[0].mask = r->parsed12.composite.mask;
	return s;
}

static struct ay_bytes shown_digest(const struct quote_run *r, uint8_t md[AY_TPM12_DIGEST])
{
	if (r->is12 && r->facts.pcr_digest_n == 0 && r->parsed12.composite.mask != 0) {
		ay_composite12_digest(&r->parsed12.composite, md);
		return (struct ay_bytes){ md, AY_TPM12_DIGEST };
	}
	if (r->is12)
		return (struct ay_bytes){ r->facts.pcr_digest, r->facts.pcr_digest_n };
	return r->quote.pcr_digest;
}

static json_t *run_json(const struct quote_run *r)
{
	struct ay_pcr_selection selection = shown_selection(r);
	char digest[2 * AY_DIGEST_MAX + 1];
	uint8_t md[AY_TPM12_DIGEST];
	json_t *o;

	ay_hex_encode(shown_digest(r, md), digest);
	o = json_pack("{s:s, s:s, s:o, s:o, s:s, s:o}", "verdict",
		      is_valid(r) ? "valid" : "invalid", "version", r->is12 ? "1.2" : "2.0",
		      "clock", clock_json(r), "selection", selection_json(&selection), "pcr_digest",
		      digest, "findings", ay_findings_json(&r->rep));
	if (r->refused.rc != AY_OK)
		json_object_set_new(o, "error", ay_error_json(&r->refused));
	return o;
}

static void print_text(const struct quote_run *r, const struct ay_cli *cli)
{
	char digest[2 * AY_DIGEST_MAX + 1];
	struct ay_pcr_selection selection = shown_selection(r);
	const struct ay_pcr_selection *s = &selection;
	uint8_t md[AY_TPM12_DIGEST];

	ay_hex_encode(shown_digest(r, md), digest);
	printf("%s: TPM %s quote\n", is_valid(r) ? "valid" : "INVALID", r->is12 ? "1.2" : "2.0");
	if (!r->is12 && r->quote.magic != 0)
		printf("clock      %llu ms, resetCount %u, restartCount %u%s\n",
		       (unsigned long long)r->quote.clock_ms, r->quote.reset_count,
		       r->quote.restart_count, r->quote.clock_safe ? "" : ", not safe");
	for (size_t i = 0; i < s->n_banks; i++) {
		printf("selection  %s:", ay_alg_bank_name(s->bank[i].alg));
		for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++)
			if (s->bank[i].mask >> pcr & 1)
				printf(" %u", pcr);
		printf("\n");
	}
	printf("pcrDigest  %s\n", digest);
	ay_findings_print(&r->rep, cli);
}

static int run(struct ay_cli *cli, const struct ay_args *args)
{
	AY_CLEANUP(run_fini) struct quote_run r = { 0 };
	struct ay_err e = { 0 };
	int rc = read_all(args, &r);

	if (rc != AY_EXIT_OK)
		return rc;
	if (appraise(&r, &e) != AY_OK)
		return ay_cli_fault(AY_EXIT_IO, "quote", &e);
	if (cli->json)
		ay_json_print(run_json(&r));
	else
		print_text(&r, cli);
	if (r.refused.rc != AY_OK)
		return ay_cli_fault(AY_EXIT_USAGE, r.refused.code, &r.refused);
	return is_valid(&r) ? AY_EXIT_OK : AY_EXIT_FINDING;
}

static const struct ay_opt opts[] = {
	{ "key", "FILE", "public key: PEM or DER, certificate, TPM2B_PUBLIC or TPM_PUBKEY" },
	{ "message", "FILE", "TPMS_ATTEST without size, or TPM_QUOTE_INFO, TPM_QUOTE_INFO2" },
	{ "signature", "FILE", "TPMT_SIGNATURE, or the raw RSA value of a TPM 1.2" },
	{ "nonce", "HEX", "expected extraData; of a TPM 1.2: the nonce, or externalData itself" },
	{ "pcrs", "FILE", "PCR values as JSON: {\"sha256\":{\"0\":\"hex\"}}" },
	{ "file12", "FILE", "quote file of the TPM 1.2 agents: composite and signature" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_quote = {
	.verb = "quote",
	.args = "",
	.opts = opts,
	.doc = "Check a quote offline: signature, mark, nonce, PCR digest",
	.run = run,
};
