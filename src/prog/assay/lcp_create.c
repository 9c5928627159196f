/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assay lcp create: a launch control policy from what is known to be good:
 * reference sets in force (MLE hash, PCR values before the launch), a golden
 * host's quote, digests given by hand. Lists are signed here, with a key that
 * never leaves the operator.
 */
#include "prog/assay/lcp.h"

#include "core/appraise/reference.h"
#include "core/base/hex.h"
#include "core/evlog/launch.h"
#include "io/sys/file.h"
#include "prog/assay/commands.h"
#include "prog/assay/offline.h"
#include "prog/assay/reference.h"

#include <stdlib.h>
#include <string.h>

enum { DIGESTS_MAX = 256, ROOM = 1 << 18 };

struct create {
	struct ay_cli *cli;
	const struct ay_args *args;
	bool tpm12;
	uint16_t alg;
	uint8_t mle[DIGESTS_MAX * AY_DIGEST_MAX], sbios[DIGESTS_MAX * AY_DIGEST_MAX];
	size_t mle_n, sbios_n; /* octets */
	struct ay_pcrs pcrs;   /* for PCONF */
	uint8_t elements[ROOM], list[ROOM], data[ROOM], policy[AY_LCP_POLICY_MAX];
	size_t elements_n, list_n, data_n, policy_n;
};

/* ---- what is allowed ---- */

static int add_digest(struct create *c, const char *opt, const char *hex, uint8_t *to, size_t *n)
{
	size_t size = ay_alg_digest_size(c->alg);

	if (*n + size > DIGESTS_MAX * AY_DIGEST_MAX)
		return ay_cli_error(AY_EXIT_USAGE, "--%s: too many", opt);
	if (strlen(hex) != 2 * size ||
	    ay_hex_decode(ay_bytes_of(hex), opt, to + *n, size, NULL) != AY_OK)
		return ay_cli_error(AY_EXIT_USAGE, "--%s %s: not a digest of %s", opt, hex,
				    ay_alg_bank_name(c->alg));
	*n += size;
	return AY_EXIT_OK;
}

static int add_given(struct create *c, const char *opt, uint8_t *to, size_t *n)
{
	const char *hex;
	int code = AY_EXIT_OK;

	for (size_t i = 0; code == AY_EXIT_OK && (hex = ay_args_opt(c->args, opt, i)) != NULL; i++)
		code = add_digest(c, opt, hex, to, n);
	return code;
}

static void add_event(struct create *c, const struct ay_rule *r, const struct ay_ref_event *ev)
{
	size_t size = ay_alg_digest_size(c->alg);

	for (size_t k = 0; k < r->n_banks; k++)
		if (r->bank[k] == c->alg && ev->digest[k] != NULL &&
		    c->mle_n + size <= sizeof(c->mle)) {
			memcpy(c->mle + c->mle_n, ev->digest[k], size);
			c->mle_n += size;
		}
	for (size_t i = 0; i < ev->n_alternatives; i++)
		add_event(c, r, &ev->alternative[i]);
}

/* MLE hashes that a launch measured, and values of the PCRs before it. */
static void take_rule(struct create *c, const struct ay_rule *r)
{
	for (size_t i = 0; i < r->n_events; i++)
		if (r->event[i].type == AY_EV_TXT_MLE_HASH && r->kind->has_pcr &&
		    r->pcr >= AY_DRTM_FIRST)
			add_event(c, r, &r->event[i]);
	if (r->kind == &ay_rule_pcr && r->pcr < 8) {
		struct ay_bytes v = ay_pcrs_value(&r->values[0], c->alg, r->pcr);

		if (v.n > 0)
			(void)!ay_pcrs_set(&c->pcrs, c->alg, r->pcr, v, NULL);
	}
}

static int take_references(struct create *c)
{
	const char *word;
	int code = AY_EXIT_OK;

	for (size_t i = 0;
	     code == AY_EXIT_OK && (word = ay_args_opt(c->args, "reference", i)) != NULL; i++) {
		struct ay_refset *s = NULL;

		code = ay_reference_load(c->cli, word, &s);
		if (code == AY_EXIT_OK && s->state != AY_SET_ACTIVE &&
		    !ay_args_has(c->args, "allow-draft"))
			code = ay_cli_error(AY_EXIT_USAGE,
					    "set %s is not active; --allow-draft takes it all the "
					    "same",
					    word);
		for (size_t k = 0; code == AY_EXIT_OK && k < s->n_rules; k++)
			take_rule(c, &s->rule[k]);
		ay_refset_free(s);
	}
	return code;
}

/* ---- elements ---- */

/* "0,7" to a mask of PCRs 0-7; 0: it is none. */
static uint32_t mask_of(const char *text)
{
	uint32_t mask = 0;

	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '7')
			return 0;
		mask |= 1u << (*text - '0');
		if (text[1] == ',' && text[2] != '\0')
			text++;
		else if (text[1] != '\0')
			return 0;
	}
	return mask;
}

static int write_pconf(struct create *c, struct ay_writer *w)
{
	const char *text = ay_args_opt(c->args, "pconf", 0);
	const char *golden = ay_args_opt(c->args, "golden", 0);
	struct ay_err e = { 0 };
	uint32_t mask;
	int code = AY_EXIT_OK;

	if (text == NULL)
		return AY_EXIT_OK;
	mask = mask_of(text);
	if (mask == 0)
		return ay_cli_error(AY_EXIT_USAGE, "--pconf %s: PCRs 0 to 7, with commas", text);
	if (golden != NULL)
		code = ay_lcp_golden(golden, &c->pcrs);
	if (code == AY_EXIT_OK &&
	    ay_lcp_pconf_write(w, &c->pcrs, c->alg, mask, c->tpm12, &e) != AY_OK)
		code = ay_cli_fault(AY_EXIT_USAGE, "--pconf", &e);
	return code;
}

static void write_digests(const struct create *c, struct ay_writer *w, bool is_mle)
{
	const char *min = ay_args_opt(c->args, "sinit-min", 0);
	size_t size = ay_alg_digest_size(c->alg), n = is_mle ? c->mle_n : c->sbios_n;
	const uint8_t *p = is_mle ? c->mle : c->sbios;
	struct ay_lcp_element el = { .alg = c->alg };

	if (n == 0)
		return;
	el.type = is_mle ? (c->tpm12 ? AY_LCP_MLE : AY_LCP_MLE2)
			 : (c->tpm12 ? AY_LCP_SBIOS : AY_LCP_SBIOS2);
	if (is_mle) {
		el.sinit_min = min != NULL ? (uint8_t)strtoul(min, NULL, 10) : 0;
	} else { /* the first one is the fallback */
		el.fallback = (struct ay_bytes){ p, size };
		p += size;
		n -= size;
	}
	el.digests = (struct ay_bytes){ p, n };
	el.n = (uint16_t)(n / size);
	ay_lcp_digests_write(w, &el);
}

static int write_elements(struct create *c)
{
	struct ay_writer w;
	int code;

	ay_wr_init(&w, c->elements, sizeof(c->elements));
	write_digests(c, &w, true);
	write_digests(c, &w, false);
	code = write_pconf(c, &w);
	c->elements_n = w.n;
	if (code == AY_EXIT_OK && w.n == 0)
		code = ay_cli_error(AY_EXIT_USAGE,
				    "nothing is allowed yet: give --mle, --reference, --sbios or "
				    "--pconf");
	return code;
}

/* ---- list, data, policy ---- */

static unsigned number(const struct create *c, const char *opt)
{
	const char *text = ay_args_opt(c->args, opt, 0);

	return text == NULL ? 0 : (unsigned)strtoul(text, NULL, 0) & 0xffff;
}

static int write_list(struct create *c)
{
	const char *path = ay_args_opt(c->args, "key", 0);
	struct ay_bytes elements = { c->elements, c->elements_n };
	struct evp_pkey_st *key = NULL;
	uint8_t key_le[512], sig[512];
	size_t key_n = 0, sig_n = 0;
	struct ay_writer w;
	int code = path == NULL ? AY_EXIT_OK : ay_lcp_key_open(path, &key, key_le, &key_n);

	if (code != AY_EXIT_OK)
		return code;
	ay_wr_init(&w, c->list, sizeof(c->list));
	ay_lcp_list_write(&w, c->tpm12 ? 0x0100 : 0x0201, elements,
			  (uint16_t)number(c, "revocation"), (struct ay_bytes){ key_le, key_n });
	if (key != NULL)
		code = ay_lcp_sign(key, c->tpm12 ? AY_ALG_SHA1 : AY_ALG_SHA256,
				   (struct ay_bytes){ c->list, w.n }, sig, &sig_n);
	ay_lcp_key_close(key);
	ay_wr_bytes(&w, (struct ay_bytes){ sig, sig_n });
	c->list_n = w.n;
	return code;
}

/* Which algorithms SINIT may use: those of this policy, no others [TXT-DEV D.1]. */
static void set_masks(const struct create *c, struct ay_lcp_policy *p, size_t key_n)
{
	p->hash_algs = c->alg == AY_ALG_SHA384 ? 0x40 : c->alg == AY_ALG_SHA1 ? 0x1 : 0x8;
	p->aux_hash_algs = p->hash_algs;
	p->sign_algs = key_n == 384 ? 1u << 6 : 1u << 3;
}

static int write_policy(struct create *c)
{
	static struct ay_lcp_data d;
	struct ay_lcp_policy p = { .version = c->tpm12 ? 0x0202 : 0x0300,
				   .hash_alg = c->alg,
				   .type = AY_LCP_LIST,
				   .max_sinit_min = 0xff };
	struct ay_bytes list = { c->list, c->list_n };
	struct ay_writer w;
	struct ay_err e = { 0 };

	ay_wr_init(&w, c->data, sizeof(c->data));
	ay_lcp_data_write(&w, &list, 1);
	c->data_n = w.n;
	if (ay_lcp_data_parse((struct ay_bytes){ c->data, c->data_n }, &d, &e) != AY_OK ||
	    ay_lcp_data_hash(&d, c->alg, p.hash, &e) != AY_OK)
		return ay_cli_fault(AY_EXIT_USAGE, "policy data", &e);
	p.sinit_min = (uint8_t)number(c, "sinit-min");
	p.control = number(c, "control");
	p.revocation[0] = (uint16_t)number(c, "revocation");
	if (!c->tpm12)
		set_masks(c, &p, d.list[0].key.n);
	ay_wr_init(&w, c->policy, sizeof(c->policy));
	ay_lcp_policy_write(&w, &p);
	c->policy_n = w.n;
	return AY_EXIT_OK;
}

static int write_file(const char *path, const uint8_t *p, size_t n)
{
	struct ay_err e = { 0 };

	if (ay_file_write(path, 0644, (struct ay_bytes){ p, n }, &e) != AY_OK)
		return ay_cli_fault(AY_EXIT_IO, path, &e);
	return AY_EXIT_OK;
}

static int create(struct create *c)
{
	int code = add_given(c, "mle", c->mle, &c->mle_n);

	if (code == AY_EXIT_OK)
		code = add_given(c, "sbios", c->sbios, &c->sbios_n);
	if (code == AY_EXIT_OK)
		code = take_references(c);
	if (code == AY_EXIT_OK)
		code = write_elements(c);
	if (code == AY_EXIT_OK)
		code = write_list(c);
	if (code == AY_EXIT_OK)
		code = write_policy(c);
	if (code == AY_EXIT_OK)
		code = write_file(ay_args_opt(c->args, "policy", 0), c->policy, c->policy_n);
	if (code == AY_EXIT_OK)
		code = write_file(ay_args_opt(c->args, "data", 0), c->data, c->data_n);
	return code;
}

static int read_kind(struct create *c)
{
	const char *tpm = ay_args_opt(c->args, "tpm", 0);
	const char *alg = ay_args_opt(c->args, "alg", 0);

	if (!ay_args_has(c->args, "policy") || !ay_args_has(c->args, "data"))
		return ay_cli_error(AY_EXIT_USAGE, "give --policy FILE and --data FILE");
	if (tpm != NULL && strcmp(tpm, "1.2") != 0 && strcmp(tpm, "2.0") != 0)
		return ay_cli_error(AY_EXIT_USAGE, "--tpm %s: 1.2 or 2.0", tpm);
	c->tpm12 = tpm != NULL && strcmp(tpm, "1.2") == 0;
	c->alg = c->tpm12 ? AY_ALG_SHA1 : AY_ALG_SHA256;
	if (alg != NULL)
		c->alg = ay_alg_from_bank_name(ay_bytes_of(alg));
	if (c->tpm12 ? c->alg != AY_ALG_SHA1 : c->alg != AY_ALG_SHA256 && c->alg != AY_ALG_SHA384)
		return ay_cli_error(AY_EXIT_USAGE,
				    "--alg: sha1 with TPM 1.2, sha256 or sha384 with TPM 2.0");
	return AY_EXIT_OK;
}

static int run(struct ay_cli *cli, const struct ay_args *args)
{
	struct create *c = calloc(1, sizeof(*c));
	int code;

	if (c == NULL)
		return ay_cli_error(AY_EXIT_IO, "out of memory");
	c->cli = cli;
	c->args = args;
	code = read_kind(c);
	if (code == AY_EXIT_OK)
		code = create(c);
	if (code == AY_EXIT_OK && cli->json)
		code = ay_offline_print(json_pack("{si si si}", "policy_bytes", (int)c->policy_n,
						  "data_bytes", (int)c->data_n, "mle",
						  (int)(c->mle_n / ay_alg_digest_size(c->alg))),
					code);
	free(c);
	return code;
}

static const struct ay_opt opts[] = {
	{ "policy", "FILE", "where the LCP_POLICY for NV is written" },
	{ "data", "FILE", "where the LCP_POLICY_DATA file is written" },
	{ "tpm", "2.0|1.2", "version 3 with SHA-256 (the default), or version 2 with SHA-1" },
	{ "alg", "NAME", "sha256 or sha384" },
	{ "reference", "SET",
	  "active reference set (or file): MLE hashes, PCR values; may be repeated" },
	{ "allow-draft", NULL, "take sets that are not active" },
	{ "mle", "HEX", "digest of a measured launch environment; may be repeated" },
	{ "sbios", "HEX",
	  "digest of a firmware volume, the first is the fallback; may be repeated" },
	{ "pconf", "N,N", "PCRs 0-7 that must have these values before the launch" },
	{ "golden", "DIR", "take those values from an evidence folder whose quote verifies" },
	{ "key", "PEM", "RSA private key that signs the list here" },
	{ "revocation", "N", "revocation counter of the signed list" },
	{ "sinit-min", "N", "least version of the SINIT module" },
	{ "control", "N", "policy control field" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_lcp_create = {
	.noun = "lcp",
	.verb = "create",
	.args = "",
	.opts = opts,
	.doc = "a launch control policy of Intel TXT from reference sets and a golden host",
	.run = run,
};
