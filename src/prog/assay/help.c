/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay/help.h"

#include <string.h>

static int print_name(FILE *f, const struct ay_cmd *c)
{
	return fprintf(f, "%s%s%s%s%s", c->noun ? c->noun : "", c->noun ? " " : "", c->verb,
		       c->args[0] ? " " : "", c->args);
}

static void print_opts(FILE *f, const struct ay_opt *o)
{
	for (; o != NULL && o->name != NULL; o++) {
		int n = fprintf(f, "  --%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");

		fprintf(f, "%*s%s\n", n < 28 ? 28 - n : 1, "", o->doc);
	}
}

void ay_help_usage(FILE *f, const struct ay_cmd *c)
{
	fputs("usage: assay ", f);
	print_name(f, c);
	fputs(c->opts != NULL ? " [OPTIONS]\n" : "\n", f);
	print_opts(f, c->opts);
}

static void print_row(FILE *f, const struct ay_cmd *c)
{
	int n = fputs("  ", f) < 0 ? 0 : 2;

	n += print_name(f, c);
	fprintf(f, "%*s%s\n", n < 44 ? 44 - n : 1, "", c->doc);
}

int ay_help(FILE *f, const struct ay_cmd *c, const char *noun)
{
	size_t found = 0;

	if (c != NULL) {
		ay_help_usage(f, c);
		fprintf(f, "\n%s.\n\nEverywhere:\n", c->doc);
		print_opts(f, ay_cli_global_opts());
		return AY_EXIT_OK;
	}
	fputs("usage: assay [OPTIONS] COMMAND ...\n\n", f);
	for (size_t i = 0; ay_commands[i] != NULL; i++) {
		const struct ay_cmd *row = ay_commands[i];

		if (noun != NULL && (row->noun == NULL || strcmp(row->noun, noun) != 0))
			continue;
		print_row(f, row);
		found++;
	}
	fputs("\nEverywhere:\n", f);
	print_opts(f, ay_cli_global_opts());
	fputs("\nExit status: 0 done, trusted, valid; 1 a finding failed or the verdict is not "
	      "trusted;\n"
	      "2 usage or input that cannot be parsed; 3 a file or server cannot be read.\n",
	      f);
	return noun == NULL || found > 0 ? AY_EXIT_OK : AY_EXIT_USAGE;
}

void ay_help_unknown(FILE *f, int argc, char **argv)
{
	size_t found = 0;

	if (argc == 0) {
		ay_help(f, NULL, NULL);
		return;
	}
	for (size_t i = 0; ay_commands[i] != NULL; i++)
		found += ay_commands[i]->noun != NULL && strcmp(ay_commands[i]->noun, argv[0]) == 0;
	if (found == 0) {
		fputs("assay: no such command: ", f);
		ay_cli_print_safe(f, ay_bytes_of(argv[0]));
		fputs(" (assay --help lists all)\n", f);
		return;
	}
	fprintf(f, "assay: %s needs one of:\n", argv[0]);
	for (size_t i = 0; ay_commands[i] != NULL; i++)
		if (ay_commands[i]->noun != NULL && strcmp(ay_commands[i]->noun, argv[0]) == 0)
			print_row(f, ay_commands[i]);
}
