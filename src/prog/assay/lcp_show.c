/* SPDX-License-Identifier: Apache-2.0 */
/* assay lcp show FILE [FILE]: what a launch control policy says, and whether its parts fit. */
#include "prog/assay/lcp.h"

#include "core/base/hex.h"
#include "prog/assay/commands.h"
#include "prog/assay/offline.h"

#include <string.h>

static json_t *hex_json(struct ay_bytes b)
{
	char hex[2 * 512 + 1];

	if (b.n > 512)
		b.n = 512;
	ay_hex_encode(b, hex);
	return json_string(hex);
}

static json_t *digests_json(const struct ay_lcp_element *el)
{
	size_t size = ay_alg_digest_size(el->alg);
	json_t *list = json_array();

	for (size_t i = 0; i < el->n; i++)
		json_array_append_new(
			list, hex_json((struct ay_bytes){ el->digests.p + i * size, size }));
	return list;
}

static json_t *pcr_sets_json(const struct ay_lcp_element *el)
{
	json_t *list = json_array();
	struct ay_lcp_pcrs set;
	struct ay_reader r;

	ay_rd_init(&r, el->pcrs);
	while (ay_lcp_pcrs_next(el, &r, &set)) {
		json_t *pcrs = json_array();

		for (int pcr = 0; pcr < AY_PCR_COUNT; pcr++)
			if ((set.mask >> pcr & 1) != 0)
				json_array_append_new(pcrs, json_integer(pcr));
		json_array_append_new(
			list, json_pack("{so so}", "pcrs", pcrs, "digest", hex_json(set.digest)));
	}
	return list;
}

static json_t *element_json(const struct ay_lcp_element *el)
{
	const char *name = ay_lcp_element_name(el->type);
	json_t *o = json_pack("{ss sI sI}", "type", name != NULL ? name : "unknown", "type_id",
			      (json_int_t)el->type, "control", (json_int_t)el->control);

	if (el->data.n > 0)
		json_object_set_new(o, "data", hex_json(el->data));
	else
		json_object_set_new(o, "hash", json_string(ay_alg_bank_name(el->alg)));
	if (el->type == AY_LCP_MLE || el->type == AY_LCP_MLE2)
		json_object_set_new(o, "sinit_min", json_integer(el->sinit_min));
	if (el->fallback.n > 0)
		json_object_set_new(o, "fallback", hex_json(el->fallback));
	if (el->pcrs.n > 0)
		json_object_set_new(o, "sets", pcr_sets_json(el));
	else if (el->digests.n > 0)
		json_object_set_new(o, "digests", digests_json(el));
	return o;
}

static json_t *list_json(const struct ay_lcp_list *l)
{
	json_t *elements = json_array();
	json_t *o = json_pack("{si sb}", "version", (int)l->version, "signed", (int)l->is_signed);

	if (l->is_signed) {
		json_object_set_new(o, "valid", json_boolean(ay_lcp_list_verify(l)));
		json_object_set_new(o, "revocation", json_integer(l->revocation));
		json_object_set_new(o, "key_le", hex_json(l->key));
	}
	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(elements, element_json(&l->element[i]));
	json_object_set_new(o, "elements", elements);
	return o;
}

static json_t *policy_json(const struct ay_lcp_policy *p)
{
	json_t *counters = json_array();

	for (size_t i = 0; i < AY_LCP_LISTS_MAX; i++)
		json_array_append_new(counters, json_integer(p->revocation[i]));
	return json_pack("{si ss ss si so sI si si sI so}", "version", (int)p->version, "hash_alg",
			 ay_alg_bank_name(p->hash_alg), "type",
			 p->type == AY_LCP_ANY ? "any" : "list", "sinit_min", (int)p->sinit_min,
			 "revocation", counters, "control", (json_int_t)p->control, "max_sinit_min",
			 (int)p->max_sinit_min, "hash_algs", (int)p->hash_algs, "sign_algs",
			 (json_int_t)p->sign_algs, "hash",
			 hex_json((struct ay_bytes){ p->hash, ay_alg_digest_size(p->hash_alg) }));
}

/* ---- for people ---- */

static void print_element(const struct ay_lcp_element *el)
{
	const char *name = ay_lcp_element_name(el->type);
	size_t size = ay_alg_digest_size(el->alg);
	struct ay_lcp_pcrs set;
	struct ay_reader r;
	char hex[2 * AY_DIGEST_MAX + 1];

	printf("    %-8s %s\n", name != NULL ? name : "unknown",
	       el->data.n > 0 ? "" : ay_alg_bank_name(el->alg));
	for (size_t i = 0; i < el->n && el->digests.n > 0; i++) {
		ay_hex_encode((struct ay_bytes){ el->digests.p + i * size, size }, hex);
		printf("             %s\n", hex);
	}
	ay_rd_init(&r, el->pcrs);
	while (ay_lcp_pcrs_next(el, &r, &set)) {
		ay_hex_encode(set.digest, hex);
		printf("             %s  PCR", hex);
		for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++)
			if ((set.mask >> pcr & 1) != 0)
				printf(" %u", pcr);
		printf("\n");
	}
}

static void print_data(const struct ay_lcp_data *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct ay_lcp_list *l = &d->list[i];

		printf("list %zu       version 0x%04x, %s\n", i, l->version,
		       !l->is_signed	       ? "unsigned"
		       : ay_lcp_list_verify(l) ? "signed"
					       : "SIGNATURE IS BAD");
		for (size_t k = 0; k < l->n; k++)
			print_element(&l->element[k]);
	}
}

static void print_policy(const struct ay_lcp_policy *p)
{
	char hex[2 * AY_DIGEST_MAX + 1];

	ay_hex_encode((struct ay_bytes){ p->hash, ay_alg_digest_size(p->hash_alg) }, hex);
	printf("policy       version 0x%04x (TPM %s), %s, %s\n", p->version,
	       p->version >> 8 == 2 ? "1.2" : "2.0", p->type == AY_LCP_ANY ? "any" : "list",
	       ay_alg_bank_name(p->hash_alg));
	printf("  hash       %s\n", hex);
	printf("  SINIT      at least %u\n", p->sinit_min);
}

/* ---- the command ---- */

static bool signatures_hold(const struct ay_lcp_data *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->list[i].is_signed && !ay_lcp_list_verify(&d->list[i]))
			return false;
	return true;
}

static int compare(const struct ay_lcp_policy *p, const struct ay_lcp_data *d, bool *fits)
{
	uint8_t hash[AY_DIGEST_MAX];
	struct ay_err e = { 0 };

	if (ay_lcp_data_hash(d, p->hash_alg, hash, &e) != AY_OK)
		return ay_cli_fault(AY_EXIT_USAGE, "policy", &e);
	*fits = memcmp(hash, p->hash, ay_alg_digest_size(p->hash_alg)) == 0;
	return AY_EXIT_OK;
}

static int show(const struct ay_cli *cli, const struct ay_lcp_file *f, size_t n)
{
	const struct ay_lcp_policy *p = NULL;
	const struct ay_lcp_data *d = NULL;
	json_t *doc = json_object();
	bool fits = true, good;
	int code = AY_EXIT_OK;

	for (size_t i = 0; i < n; i++) {
		if (f[i].is_data)
			d = &f[i].data;
		else
			p = &f[i].policy;
	}
	if (p != NULL && d != NULL && p->type == AY_LCP_LIST)
		code = compare(p, d, &fits);
	good = fits && (d == NULL || signatures_hold(d));
	if (p != NULL)
		json_object_set_new(doc, "policy", policy_json(p));
	if (d != NULL) {
		json_t *lists = json_array();

		for (size_t i = 0; i < d->n; i++)
			json_array_append_new(lists, list_json(&d->list[i]));
		json_object_set_new(doc, "lists", lists);
	}
	if (p != NULL && d != NULL)
		json_object_set_new(doc, "fits", json_boolean(fits));
	if (code == AY_EXIT_OK && !good)
		code = AY_EXIT_FINDING;
	if (cli->json)
		return ay_offline_print(doc, code);
	json_decref(doc);
	if (p != NULL)
		print_policy(p);
	if (d != NULL)
		print_data(d);
	if (!fits)
		printf("the policy is not of these lists: its hash is another one\n");
	return code;
}

static int run(struct ay_cli *cli, const struct ay_args *args)
{
	static struct ay_lcp_file f[2]; /* too large for a stack frame */
	int code = AY_EXIT_OK;

	for (size_t i = 0; code == AY_EXIT_OK && i < args->n_pos; i++)
		code = ay_lcp_file_open(args->pos[i], &f[i]);
	if (code == AY_EXIT_OK && args->n_pos == 2 && f[0].is_data == f[1].is_data)
		code = ay_cli_error(AY_EXIT_USAGE, "give one policy and one policy data file");
	if (code == AY_EXIT_OK)
		code = show(cli, f, args->n_pos);
	for (size_t i = 0; i < AY_COUNT(f); i++)
		ay_lcp_file_fini(&f[i]);
	return code;
}

const struct ay_cmd ay_cmd_lcp_show = {
	.noun = "lcp",
	.verb = "show",
	.args = "FILE [FILE]",
	.min_pos = 1,
	.max_pos = 2,
	.doc = "launch control policy and its data: what they allow, whether hash and signatures "
	       "hold",
	.run = run,
};
