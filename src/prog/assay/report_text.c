/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay/report_text.h"
#include "prog/assay/table.h"

#include <string.h>

static void print_components(struct ay_cli *cli, const json_t *report)
{
	static const char *const heads[] = { "COMPONENT", "VERDICT", "GRADE", NULL };
	json_t *components = json_object_get(report, "components"), *v;
	struct ay_table t;
	const char *name;

	ay_table_init(&t, cli, heads);
	json_object_foreach (components, name, v) {
		ay_table_add(&t, name);
		ay_table_add(&t, ay_answer_text(v, "verdict", NULL));
		ay_table_add(&t, ay_answer_text(v, "grade", NULL));
	}
	ay_table_print(&t, stdout);
}

static void print_where(const json_t *f)
{
	static const char *const parts[] = { "bank", "pcr", "event", "entry", "path" };

	for (size_t i = 0; i < AY_COUNT(parts); i++) {
		const json_t *v = json_object_get(f, parts[i]);

		if (json_is_integer(v))
			printf(" %s %lld", parts[i], (long long)json_integer_value(v));
		else if (json_is_string(v)) {
			printf(" %s ", parts[i]);
			ay_cli_print_safe(stdout, ay_bytes_of(json_string_value(v)));
		}
	}
	putchar('\n');
}

static void print_value(const char *name, const json_t *f)
{
	const char *v = ay_answer_text(f, name, NULL);

	if (v == NULL)
		return;
	printf("    %-9s ", name);
	ay_cli_print_safe(stdout, ay_bytes_of(v));
	putchar('\n');
}

static void print_finding(const json_t *f)
{
	printf("%s %s:", ay_answer_text(f, "result", "-"), ay_answer_text(f, "code", "-"));
	print_where(f);
	printf("    ");
	ay_cli_print_safe(stdout, ay_bytes_of(ay_answer_text(f, "text", "")));
	putchar('\n');
	print_value("expected", f);
	print_value("measured", f);
}

static void print_findings(const json_t *report, const char *result)
{
	json_t *f;
	size_t i;

	json_array_foreach (json_object_get(report, "findings"), i, f)
		if (strcmp(ay_answer_text(f, "result", ""), result) == 0)
			print_finding(f);
}

static void print_causes(const json_t *report)
{
	json_t *c;
	size_t i;

	json_array_foreach (json_object_get(report, "causes"), i, c) {
		printf("cause: %s (%s): ", ay_answer_text(c, "class", "-"),
		       ay_answer_text(c, "kind", "-"));
		ay_cli_print_safe(stdout, ay_bytes_of(ay_answer_text(c, "text", "")));
		printf("\n  to mend: ");
		ay_cli_print_safe(stdout, ay_bytes_of(ay_answer_text(c, "fix", "")));
		putchar('\n');
	}
}

int ay_report_print(struct ay_cli *cli, const json_t *report, bool words)
{
	const char *verdict = ay_answer_text(report, "verdict", "unknown");
	int code = strcmp(verdict, "trusted") == 0 ? AY_EXIT_OK : AY_EXIT_FINDING;

	if (cli->json) {
		int rc = ay_cli_print_json(report);

		return rc == AY_EXIT_OK ? code : rc;
	}
	printf("%s at %s\n\n", verdict, ay_answer_text(report, "at", "-"));
	print_components(cli, report);
	putchar('\n');
	print_causes(report);
	print_findings(report, "fail");
	if (words || code != AY_EXIT_OK)
		print_findings(report, "not_checked");
	return code;
}
