/* SPDX-License-Identifier: Apache-2.0 */
/* assay lcp explain POLICY DATA: would SINIT let this host launch, and by which element? */
#include "prog/assay/lcp.h"

#include "core/base/hex.h"
#include "core/crypto/hash.h"
#include "prog/assay/commands.h"
#include "prog/assay/offline.h"
#include "prog/assay/pcrs_file.h"

#include <string.h>

struct explain {
	const struct ay_lcp_policy *p;
	const struct ay_lcp_data *d;
	const struct ay_args *args;
	bool has_pcrs;
	struct ay_pcrs pcrs;
	json_t *lines; /* what was found, in words */
	bool admitted;
};

static void say(struct explain *x, const char *what, bool ok, const char *text)
{
	json_array_append_new(
		x->lines, json_pack("{ss sb ss}", "of", what, "admitted", (int)ok, "text", text));
	x->admitted &= ok;
}

static bool has_digest(const struct ay_lcp_element *el, const char *hex)
{
	size_t size = ay_alg_digest_size(el->alg);
	uint8_t want[AY_DIGEST_MAX];

	if (strlen(hex) != 2 * size ||
	    ay_hex_decode(ay_bytes_of(hex), "digest", want, size, NULL) != AY_OK)
		return false;
	for (size_t i = 0; i < el->n && el->digests.n > 0; i++)
		if (memcmp(el->digests.p + i * size, want, size) == 0)
			return true;
	return el->fallback.n == size && memcmp(el->fallback.p, want, size) == 0;
}

/* TPM_PCR_COMPOSITE of TPM 1.2, or the values alone. */
static bool has_pcrs(const struct ay_lcp_element *el, const struct ay_pcrs *values)
{
	struct ay_lcp_pcrs set;
	struct ay_reader r;

	ay_rd_init(&r, el->pcrs);
	while (ay_lcp_pcrs_next(el, &r, &set)) {
		uint8_t buf[16 + AY_PCR_COUNT * AY_DIGEST_MAX], digest[AY_DIGEST_MAX];
		uint8_t all[AY_PCR_COUNT * AY_DIGEST_MAX];
		struct ay_writer w, v;

		ay_wr_init(&v, all, sizeof(all));
		for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++)
			if ((set.mask >> pcr & 1) != 0)
				ay_wr_bytes(&v, ay_pcrs_value(values, el->alg, pcr));
		ay_wr_init(&w, buf, sizeof(buf));
		if (el->type == AY_LCP_PCONF) {
			ay_wr_bytes(&w, set.info);
			ay_wr_vec32(&w, (struct ay_bytes){ all, v.n });
		} else {
			ay_wr_bytes(&w, (struct ay_bytes){ all, v.n });
		}
		if (ay_hash_of(el->alg, (struct ay_bytes){ buf, w.n }, digest) &&
		    memcmp(digest, set.digest.p, set.digest.n) == 0)
			return true;
	}
	return false;
}

enum what { OF_MLE, OF_SBIOS, OF_PCONF };

static bool is_of(uint32_t type, enum what w)
{
	static const uint32_t types[][2] = { { AY_LCP_MLE, AY_LCP_MLE2 },
					     { AY_LCP_SBIOS, AY_LCP_SBIOS2 },
					     { AY_LCP_PCONF, AY_LCP_PCONF2 } };

	return type == types[w][0] || type == types[w][1];
}

/* A list counts if it is signed well and not with a counter that is revoked. */
static bool list_counts(const struct explain *x, size_t i)
{
	const struct ay_lcp_list *l = &x->d->list[i];

	return !l->is_signed || (ay_lcp_list_verify(l) && l->revocation >= x->p->revocation[i]);
}

static bool admits(const struct explain *x, const struct ay_lcp_element *el, enum what w,
		   const char *hex)
{
	return w == OF_PCONF ? has_pcrs(el, &x->pcrs) : has_digest(el, hex);
}

/* hex: a digest; of PCONF nothing. */
static void explain_one(struct explain *x, enum what w, const char *hex)
{
	static const char *const names[] = { "MLE", "SBIOS", "PCONF" };
	char text[160];
	bool asked = false;

	for (size_t i = 0; i < x->d->n; i++)
		for (size_t k = 0; k < x->d->list[i].n; k++) {
			const struct ay_lcp_element *el = &x->d->list[i].element[k];

			if (!is_of(el->type, w) || !list_counts(x, i))
				continue;
			asked = true;
			if (!admits(x, el, w, hex))
				continue;
			snprintf(text, sizeof(text), "element %zu (%s) of list %zu admits %.64s", k,
				 ay_lcp_element_name(el->type), i,
				 w == OF_PCONF ? "the PCR values" : hex);
			say(x, names[w], true, text);
			return;
		}
	snprintf(text, sizeof(text),
		 asked ? "no element admits %.64s" : "no element asks for %.64s",
		 w == OF_PCONF ? "the PCR values" : hex);
	say(x, names[w], !asked, text);
}

static void explain_lists(struct explain *x)
{
	static const struct {
		const char *opt;
		enum what w;
	} opts[] = { { "mle", OF_MLE }, { "sbios", OF_SBIOS } };
	uint8_t hash[AY_DIGEST_MAX];
	size_t counting = 0;
	const char *hex;

	if (ay_lcp_data_hash(x->d, x->p->hash_alg, hash, NULL) != AY_OK ||
	    memcmp(hash, x->p->hash, ay_alg_digest_size(x->p->hash_alg)) != 0) {
		say(x, "policy", false, "the policy is not of these lists: nothing launches");
		return;
	}
	for (size_t i = 0; i < x->d->n; i++)
		counting += list_counts(x, i);
	if (counting == 0)
		say(x, "policy", false, "no list counts: nothing launches");
	for (size_t i = 0; i < x->d->n; i++)
		if (!list_counts(x, i))
			say(x, "list", true,
			    "a list whose signature is bad or revoked is passed over");
	for (size_t o = 0; o < AY_COUNT(opts); o++)
		for (size_t i = 0; (hex = ay_args_opt(x->args, opts[o].opt, i)) != NULL; i++)
			explain_one(x, opts[o].w, hex);
	if (x->has_pcrs)
		explain_one(x, OF_PCONF, "");
}

static int read_values(struct explain *x)
{
	const char *golden = ay_args_opt(x->args, "golden", 0);
	const char *file = ay_args_opt(x->args, "pcrs", 0);

	x->has_pcrs = golden != NULL || file != NULL;
	if (golden != NULL)
		return ay_lcp_golden(golden, &x->pcrs);
	return file == NULL ? AY_EXIT_OK : ay_cli_pcrs_file(file, &x->pcrs);
}

static int answer(const struct ay_cli *cli, struct explain *x)
{
	int code = x->admitted ? AY_EXIT_OK : AY_EXIT_FINDING;
	const json_t *line;
	size_t i;

	if (cli->json)
		return ay_offline_print(
			json_pack("{sb so}", "admitted", (int)x->admitted, "because", x->lines),
			code);
	json_array_foreach (x->lines, i, line)
		printf("%-7s %s\n", json_string_value(json_object_get(line, "of")),
		       json_string_value(json_object_get(line, "text")));
	printf("%s\n", x->admitted ? "the launch is allowed" : "the launch is refused");
	json_decref(x->lines);
	return code;
}

static int run(struct ay_cli *cli, const struct ay_args *args)
{
	static struct ay_lcp_file f[2];
	struct explain x = { .args = args, .admitted = true };
	int code = ay_lcp_file_open(args->pos[0], &f[0]);

	if (code == AY_EXIT_OK)
		code = ay_lcp_file_open(args->pos[1], &f[1]);
	if (code == AY_EXIT_OK && (f[0].is_data || !f[1].is_data))
		code = ay_cli_error(AY_EXIT_USAGE, "give the policy first, then its data");
	x.p = &f[0].policy;
	x.d = &f[1].data;
	if (code == AY_EXIT_OK)
		code = read_values(&x);
	if (code == AY_EXIT_OK) {
		x.lines = json_array();
		if (x.p->type == AY_LCP_ANY)
			say(&x, "policy", true, "the policy lets anything launch");
		else
			explain_lists(&x);
		code = answer(cli, &x);
	}
	ay_lcp_file_fini(&f[0]);
	ay_lcp_file_fini(&f[1]);
	return code;
}

static const struct ay_opt opts[] = {
	{ "mle", "HEX", "digest of the measured launch environment; may be repeated" },
	{ "sbios", "HEX", "digest of the firmware volume" },
	{ "pcrs", "FILE", "PCR values before the launch, JSON" },
	{ "golden", "DIR", "the same from an evidence folder whose quote verifies" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_lcp_explain = {
	.noun = "lcp",
	.verb = "explain",
	.args = "POLICY DATA",
	.min_pos = 2,
	.max_pos = 2,
	.opts = opts,
	.doc = "which element of a launch control policy admits this host; 1 if none does",
	.run = run,
};
