/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay/findings.h"

#include "core/appraise/report_json.h"
#include "core/tpm/alg.h"

json_t *ay_findings_json(const struct ay_report *rep)
{
	json_t *list = json_array();

	for (size_t i = 0; i < rep->n_findings; i++)
		json_array_append_new(list, ay_finding_json(&rep->finding[i]));
	return list;
}

json_t *ay_error_json(const struct ay_err *e)
{
	return json_pack("{s:s, s:s, s:I, s:s}", "code", e->code[0] ? e->code : ay_rc_name(e->rc),
			 "field", e->where ? e->where : "", "offset", (json_int_t)e->offset, "text",
			 e->text);
}

void ay_json_print(json_t *j)
{
	json_dumpf(j, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	printf("\n");
	json_decref(j);
}

static void print_place(const struct ay_finding *f)
{
	if (f->bank != 0 && f->has_pcr)
		printf(" [%s PCR %u]", ay_alg_bank_name(f->bank), f->pcr);
	else if (f->bank != 0)
		printf(" [%s]", ay_alg_bank_name(f->bank));
	else if (f->has_pcr)
		printf(" [PCR %u]", f->pcr);
	if (f->has_event)
		printf(" [event %u]", f->event);
}

void ay_findings_print(const struct ay_report *rep, const struct ay_cli *cli)
{
	static const char *const color[] = { "\033[31m", "\033[33m", "\033[32m" };

	for (size_t i = 0; i < rep->n_findings; i++) {
		const struct ay_finding *f = &rep->finding[i];

		printf("%s%-11s%s %s: ", cli->color ? color[f->result] : "",
		       ay_result_name(f->result), cli->color ? "\033[0m" : "",
		       ay_check_row(f->code)->code);
		ay_cli_print_safe(stdout, ay_bytes_of(f->text));
		print_place(f);
		printf("\n");
		if (f->expected != NULL)
			printf("            expected %s\n", f->expected);
		if (f->measured != NULL)
			printf("            measured %s\n", f->measured);
	}
}
