/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay/offline.h"

#include "core/appraise/report_json.h"
#include "core/base/hex.h"

int ay_offline_print(json_t *doc, int code)
{
	if (doc == NULL || json_dumpf(doc, stdout, JSON_INDENT(2)) != 0)
		code = ay_cli_error(AY_EXIT_IO, "cannot print the result");
	putchar('\n');
	json_decref(doc);
	return code;
}

json_t *ay_offline_error(const struct ay_err *e)
{
	const char *code = e->code[0] != '\0' ? e->code : ay_rc_name(e->rc);

	return json_pack("{s:s,s:s,s:I,s:s}", "code", code, "field", e->where ? e->where : "",
			 "offset", (json_int_t)e->offset, "text", e->text);
}

int ay_offline_refuse(const struct ay_cli *cli, const char *what, const struct ay_err *e,
		      json_t *doc)
{
	int code = ay_cli_fault(AY_EXIT_USAGE, what, e);

	if (!cli->json) {
		json_decref(doc);
		return code;
	}
	if (doc == NULL)
		doc = json_object();
	json_object_set_new(doc, "error", ay_offline_error(e));
	return ay_offline_print(doc, code);
}

static bool is_told(const struct ay_finding *f)
{
	return f->result != AY_PASS || ay_check_row(f->code)->kind == AY_KIND_NOTE;
}

json_t *ay_offline_findings(const struct ay_report *rep)
{
	json_t *a = json_array();

	for (size_t i = 0; i < rep->n_findings; i++)
		if (is_told(&rep->finding[i]))
			json_array_append_new(a, ay_finding_json(&rep->finding[i]));
	return a;
}

void ay_offline_print_findings(const struct ay_report *rep, FILE *f)
{
	for (size_t i = 0; i < rep->n_findings; i++) {
		const struct ay_finding *x = &rep->finding[i];

		if (!is_told(x))
			continue;
		fprintf(f, "%s  %s: ", x->result == AY_PASS ? "note" : ay_result_name(x->result),
			ay_check_row(x->code)->code);
		ay_cli_print_safe(f, ay_bytes_of(x->text));
		if (x->has_event)
			fprintf(f, " (event %u)", x->event);
		if (x->has_entry)
			fprintf(f, " (entry %llu)", (unsigned long long)x->entry);
		fputc('\n', f);
	}
}

int ay_offline_code(const struct ay_report *rep)
{
	for (size_t i = 0; i < rep->n_findings; i++)
		if (rep->finding[i].result == AY_FAIL)
			return AY_EXIT_FINDING;
	return rep->fault != AY_OK || rep->n_dropped > 0 ? AY_EXIT_FINDING : AY_EXIT_OK;
}

static json_t *bank_json(const struct ay_pcr_bank *b)
{
	json_t *o = json_object();

	for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
		char name[4], hex[2 * AY_DIGEST_MAX + 1];

		if ((b->have >> pcr & 1) == 0)
			continue;
		snprintf(name, sizeof(name), "%u", pcr);
		ay_hex_encode((struct ay_bytes){ b->value[pcr], ay_alg_digest_size(b->alg) }, hex);
		json_object_set_new(o, name, json_string(hex));
	}
	return o;
}

json_t *ay_offline_pcrs(const struct ay_pcrs *pcrs)
{
	json_t *o = json_object();

	for (size_t i = 0; i < pcrs->n_banks; i++)
		if (pcrs->bank[i].have != 0)
			json_object_set_new(o, ay_alg_bank_name(pcrs->bank[i].alg),
					    bank_json(&pcrs->bank[i]));
	return o;
}

void ay_offline_print_pcrs(const struct ay_pcrs *pcrs, FILE *f)
{
	for (size_t i = 0; i < pcrs->n_banks; i++) {
		const struct ay_pcr_bank *b = &pcrs->bank[i];

		for (unsigned pcr = 0; pcr < AY_PCR_COUNT; pcr++) {
			char hex[2 * AY_DIGEST_MAX + 1];

			if ((b->have >> pcr & 1) == 0)
				continue;
			ay_hex_encode(
				(struct ay_bytes){ b->value[pcr], ay_alg_digest_size(b->alg) },
				hex);
			fprintf(f, "%-7s %2u  %s\n", ay_alg_bank_name(b->alg), pcr, hex);
		}
	}
}
