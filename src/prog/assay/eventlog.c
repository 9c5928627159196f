/* SPDX-License-Identifier: Apache-2.0 */
/* assay eventlog FILE: what a boot log holds, and the PCR values it leads to. */
#include "core/appraise/check_log.h"
#include "core/base/hex.h"
#include "core/base/limits.h"
#include "core/evlog/replay.h"
#include "core/evlog/tcg_data.h"
#include "core/evlog/tcg_names.h"
#include "prog/assay/commands.h"
#include "prog/assay/offline.h"
#include "prog/assay/table.h"

#include <stdlib.h>

/* Larger files are read so far that the parser can say LOG_LIMIT. */
#define READ_MAX (256u << 20)

static const char *data_check_name(enum ay_data_check c)
{
	static const char *const names[] = { "not_covered", "mismatch", "match" };

	return names[c];
}

static void type_text(const struct ay_event *ev, char out[40])
{
	const char *name = ay_event_type_name(ev->type);

	if (name != NULL)
		snprintf(out, 40, "%s", name);
	else
		snprintf(out, 40, "0x%08x", ev->type);
}

static json_t *digests_json(const struct ay_evlog *log, const struct ay_event *ev)
{
	json_t *o = json_object();

	for (size_t k = 0; k < log->n_banks; k++) {
		char hex[2 * AY_DIGEST_MAX + 1];

		if (ev->digest[k] == NULL)
			continue;
		ay_hex_encode((struct ay_bytes){ ev->digest[k], ay_alg_digest_size(log->bank[k]) },
			      hex);
		json_object_set_new(o, ay_alg_bank_name(log->bank[k]), json_string(hex));
	}
	return o;
}

static json_t *event_json(const struct ay_evlog *log, size_t i)
{
	const struct ay_event *ev = &log->event[i];
	char type[40], summary[512];

	type_text(ev, type);
	ay_event_summary(ev, summary, sizeof(summary));
	return json_pack("{s:I,s:I,s:I,s:s,s:I,s:o,s:I,s:s,s:s}", "index", (json_int_t)i, "offset",
			 (json_int_t)ev->offset, "pcr", (json_int_t)ev->pcr, "type", type,
			 "type_id", (json_int_t)ev->type, "digests", digests_json(log, ev), "size",
			 (json_int_t)ev->data.n, "data_check", data_check_name(ev->check),
			 "summary", summary);
}

static json_t *log_json(const struct ay_evlog *log, const struct ay_pcrs *pcrs,
			const struct ay_report *rep)
{
	json_t *banks = json_array(), *events = json_array();

	for (size_t k = 0; k < log->n_banks; k++)
		json_array_append_new(banks, json_string(ay_alg_bank_name(log->bank[k])));
	for (size_t i = 0; i < log->n_events; i++)
		json_array_append_new(events, event_json(log, i));
	return json_pack("{s:s,s:o,s:o,s:o,s:I,s:o}", "format", ay_evlog_format_name(log->format),
			 "banks", banks, "events", events, "pcrs", ay_offline_pcrs(pcrs), "padding",
			 (json_int_t)log->padding, "findings", ay_offline_findings(rep));
}

static void print_text(const struct ay_cli *cli, const struct ay_evlog *log,
		       const struct ay_pcrs *pcrs, const struct ay_report *rep)
{
	static const char *const heads[] = {
		"EVENT", "PCR", "TYPE", "DATA", "SIZE", "SUMMARY", NULL
	};
	struct ay_table t;

	ay_table_init(&t, cli, heads);
	for (size_t i = 0; i < log->n_events; i++) {
		const struct ay_event *ev = &log->event[i];
		char type[40], summary[61];

		type_text(ev, type);
		ay_event_summary(ev, summary, sizeof(summary));
		ay_table_addf(&t, "%zu", i);
		ay_table_addf(&t, "%u", ev->pcr);
		ay_table_add(&t, type);
		ay_table_add(&t,
			     ev->check == AY_DATA_NOT_COVERED ? "-" : data_check_name(ev->check));
		ay_table_addf(&t, "%zu", ev->data.n);
		ay_table_add(&t, summary);
	}
	ay_table_print(&t, stdout);
	printf("\n%s, %zu events, %zu octets of padding\n\n", ay_evlog_format_name(log->format),
	       log->n_events, log->padding);
	ay_offline_print_pcrs(pcrs, stdout);
	ay_offline_print_findings(rep, stdout);
}

static int show(const struct ay_cli *cli, const char *path, struct ay_bytes in,
		struct ay_arena *arena)
{
	struct ay_evlog log;
	struct ay_pcrs pcrs;
	struct ay_report rep;
	struct ay_err e = { 0 };
	enum ay_rc rc = ay_evlog_parse(in, arena, &log, &e);

	if (rc == AY_OK)
		rc = ay_evlog_replay(&log, &pcrs, &e);
	if (rc != AY_OK)
		return ay_offline_refuse(cli, path, &e, NULL);
	ay_evlog_check_data(&log);
	ay_report_init(&rep, arena);
	ay_check_log_shape(&log, NULL, &rep);
	if (cli->json)
		return ay_offline_print(log_json(&log, &pcrs, &rep), ay_offline_code(&rep));
	print_text(cli, &log, &pcrs, &rep);
	return ay_offline_code(&rep);
}

static int run(struct ay_cli *cli, const struct ay_args *args)
{
	struct ay_arena arena;
	uint8_t *p;
	size_t n;
	int code = ay_cli_read_file(args->pos[0], READ_MAX, &p, &n);

	if (code != AY_EXIT_OK)
		return code;
	ay_arena_init(&arena, AY_MAX_ARENA_BYTES);
	code = show(cli, args->pos[0], (struct ay_bytes){ p, n }, &arena);
	ay_arena_fini(&arena);
	free(p);
	return code;
}

const struct ay_cmd ay_cmd_eventlog = {
	.verb = "eventlog",
	.args = "FILE",
	.min_pos = 1,
	.max_pos = 1,
	.doc = "Show a boot event log (TCG SHA-1 or crypto-agile, TXT) and the PCR values it leads "
	       "to",
	.run = run,
};
