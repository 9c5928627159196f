/* SPDX-License-Identifier: Apache-2.0 */
/* assay ima FILE: what an IMA measurement list holds, and the PCR values it leads to. */
#include "core/appraise/check_ima.h"
#include "core/evlog/ima_ascii.h"
#include "core/evlog/ima_replay.h"
#include "prog/assay/commands.h"
#include "prog/assay/offline.h"

#include <stdlib.h>

/* The text form takes two octets for one of the list, and the list is kept beside it. */
#define ARENA_MAX (1024u << 20)

/* How many entries have which template, in the order of their first entry. */
static json_t *count_templates(struct ay_bytes list)
{
	json_t *o = json_object();
	struct ay_ima_cursor c;
	struct ay_ima_entry en;

	ay_ima_begin(&c, list);
	while (ay_ima_next(&c, &en)) {
		char name[129] = "";
		json_int_t n;

		memcpy(name, en.template_name.p, en.template_name.n);
		n = json_integer_value(json_object_get(o, name));
		json_object_set_new(o, name, json_integer(n + 1));
	}
	return o;
}

/* The octets of the entries that can be read: all, unless the list is malformed. */
static struct ay_bytes readable(struct ay_bytes list, struct ay_err *e, enum ay_rc *rc)
{
	struct ay_ima_cursor c;
	struct ay_ima_entry en;
	size_t end = 0;

	ay_ima_begin(&c, list);
	while (ay_ima_next(&c, &en))
		end = ay_rd_offset(&c.r);
	*rc = ay_ima_end(&c, e);
	return (struct ay_bytes){ list.p, end };
}

/* Banks shown: SHA-1 and SHA-256, and those asked for with --bank. */
static int choose_banks(const struct ay_args *args, struct ay_pcrs *banks)
{
	const char *name;

	*banks = (struct ay_pcrs){ 0 };
	(void)!ay_pcrs_bank(banks, AY_ALG_SHA1);
	(void)!ay_pcrs_bank(banks, AY_ALG_SHA256);
	for (size_t i = 0; (name = ay_args_opt(args, "bank", i)) != NULL; i++) {
		uint16_t alg = ay_alg_from_bank_name(ay_bytes_of(name));

		if (alg == 0 || alg == AY_ALG_SM3_256 || ay_pcrs_bank(banks, alg) == NULL)
			return ay_cli_error(AY_EXIT_USAGE, "--bank %s: no such bank", name);
	}
	return AY_EXIT_OK;
}

/* The values alone: banks whose hash the list does not lead to are left out. */
static void values_of(const struct ay_ima_state *s, bool padded, struct ay_pcrs *out)
{
	*out = (struct ay_pcrs){ 0 };
	if (!padded) {
		ay_ima_state_apply(s, out);
		return;
	}
	ay_ima_state_apply_padded(s, out);
	for (size_t i = 0; i < out->n_banks; i++)
		if (out->bank[i].alg == AY_ALG_SHA1)
			out->bank[i].have = 0;
}

static json_t *list_json(const struct ay_ima_state *s, struct ay_bytes list,
			 const struct ay_report *rep)
{
	struct ay_pcrs pcrs, padded;

	values_of(s, false, &pcrs);
	values_of(s, true, &padded);
	return json_pack("{s:I,s:I,s:o,s:o,s:o,s:o}", "entries", (json_int_t)s->entries,
			 "violations", (json_int_t)s->violations, "templates",
			 count_templates(list), "pcrs", ay_offline_pcrs(&pcrs), "padded",
			 ay_offline_pcrs(&padded), "findings", ay_offline_findings(rep));
}

static void print_text(const struct ay_ima_state *s, struct ay_bytes list,
		       const struct ay_report *rep)
{
	json_t *templates = count_templates(list), *n;
	struct ay_pcrs pcrs;
	const char *name;

	printf("%llu entries, %llu violations\n", (unsigned long long)s->entries,
	       (unsigned long long)s->violations);
	json_object_foreach (templates, name, n)
		printf("%7lld  %s\n", (long long)json_integer_value(n), name);
	json_decref(templates);
	values_of(s, false, &pcrs);
	ay_offline_print_pcrs(&pcrs, stdout);
	values_of(s, true, &pcrs);
	printf("banks padded with zeroes, as kernels before 5.8 did:\n");
	ay_offline_print_pcrs(&pcrs, stdout);
	ay_offline_print_findings(rep, stdout);
}

static int show(const struct ay_cli *cli, const char *path, struct ay_bytes list,
		const struct ay_pcrs *banks, struct ay_arena *arena)
{
	struct ay_ima_state zero;
	struct ay_ima_run run;
	struct ay_report rep;
	struct ay_err e = { 0 }, bad = { 0 };
	enum ay_rc parsed, rc;

	list = readable(list, &bad, &parsed);
	ay_ima_state_init_for(&zero, banks, true);
	rc = ay_ima_replay(&zero, list, 0, &run, arena, &e);
	if (rc != AY_OK)
		return ay_offline_refuse(cli, path, &e, NULL);
	ay_report_init(&rep, arena);
	ay_check_ima_templates(&run.now, &rep);
	ay_check_ima_paths(list, run.now.entries, 1, &rep);
	if (parsed != AY_OK)
		return ay_offline_refuse(cli, path, &bad, list_json(&run.now, list, &rep));
	if (cli->json)
		return ay_offline_print(list_json(&run.now, list, &rep), ay_offline_code(&rep));
	print_text(&run.now, list, &rep);
	return ay_offline_code(&rep);
}

static int show_any(const struct ay_cli *cli, const struct ay_args *args, struct ay_bytes in,
		    struct ay_arena *arena)
{
	struct ay_bytes list = in;
	struct ay_pcrs banks;
	struct ay_err e = { 0 };
	int code = choose_banks(args, &banks);

	if (code != AY_EXIT_OK)
		return code;
	if (ay_ima_is_ascii(in) && ay_ima_ascii_parse(in, arena, &list, &e) != AY_OK)
		return ay_offline_refuse(cli, args->pos[0], &e, NULL);
	return show(cli, args->pos[0], list, &banks, arena);
}

static int run(struct ay_cli *cli, const struct ay_args *args)
{
	struct ay_arena arena;
	uint8_t *p;
	size_t n;
	int code = ay_cli_read_file(args->pos[0], AY_MAX_IMA_BYTES, &p, &n);

	if (code != AY_EXIT_OK)
		return code;
	ay_arena_init(&arena, ARENA_MAX);
	code = show_any(cli, args, (struct ay_bytes){ p, n }, &arena);
	ay_arena_fini(&arena);
	free(p);
	return code;
}

static const struct ay_opt opts[] = {
	{ "bank", "NAME", "also replay in this bank (sha384, sha512); may be repeated" },
	{ 0 },
};

const struct ay_cmd ay_cmd_ima = {
	.verb = "ima",
	.args = "FILE",
	.min_pos = 1,
	.max_pos = 1,
	.opts = opts,
	.doc = "Show an IMA measurement list (binary or ASCII) and the PCR values it leads to",
	.run = run,
};
