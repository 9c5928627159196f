/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages about configuration files, from the rows of config.def.
 * usage: config-man man|sample assayd|assay-ca|assay-agent
 */
#include "io/sys/config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	enum ay_program id;
	const char *what;
} programs[] = {
	{ "assayd", AY_PROGRAM_ASSAYD, "attestation server" },
	{ "assay-ca", AY_PROGRAM_ASSAY_CA, "Privacy CA" },
	{ "assay-agent", AY_PROGRAM_ASSAY_AGENT, "trust agent" },
};

static const char *const type_words[] = {
	[AY_CONFIG_STR] = "text",
	[AY_CONFIG_PATH] = "path",
	[AY_CONFIG_ADDR] = "ADDRESS:PORT",
	[AY_CONFIG_INT] = "number",
	[AY_CONFIG_BOOL] = "yes or no",
	[AY_CONFIG_DURATION] = "time: 500ms, 30s, 5m, 24h, 7d",
	[AY_CONFIG_SIZE] = "size: 4096, 64KiB, 4MiB",
	[AY_CONFIG_LIST] = "list with commas; goes on in lines that begin with a blank",
	[AY_CONFIG_WORD] = "one word",
};

/* The doc of a WORD row begins with its words and a colon. */
static const char *doc_of(const struct ay_config_row *r, char *words, size_t room)
{
	const char *colon = strchr(r->doc, ':');

	words[0] = 0;
	if (r->type != AY_CONFIG_WORD || colon == NULL)
		return r->doc;
	snprintf(words, room, "%.*s", (int)(colon - r->doc), r->doc);
	return colon + 2;
}

static void print_range(const struct ay_config_row *r)
{
	if (r->type == AY_CONFIG_INT || r->type == AY_CONFIG_SIZE)
		printf("; from %" PRId64 " to %" PRId64, r->min, r->max);
	if (r->type == AY_CONFIG_DURATION)
		printf("; from %" PRId64 " ms to %" PRId64 " s", r->min, r->max / 1000);
}

static void man_row(const struct ay_config_row *r)
{
	char words[128];
	const char *doc = doc_of(r, words, sizeof(words));

	printf(".TP\n.B %s\n%s.\n.br\nType: %s", r->key, doc, type_words[r->type]);
	if (words[0] != 0)
		printf(" of: %s", words);
	print_range(r);
	printf(". Default: %s\n", r->fallback[0] != 0 ? r->fallback : "none");
}

static void man_head(size_t p)
{
	const char *n = programs[p].name;

	printf(".TH %s.conf 5 \"\" \"Assay %s\"\n", n, AY_VERSION);
	printf(".SH NAME\n%s.conf \\- configuration of the Assay %s\n", n, programs[p].what);
	printf(".SH DESCRIPTION\n/etc/assay/%s.conf, or the file given by \\-\\-config, is an INI "
	       "file: one KEY = VALUE a line, before any section. A line that begins with # is a "
	       "comment. An unknown key, a key given twice and a value out of range are errors.\n"
	       ".SH KEYS\n", n);
}

static void sample_row(const struct ay_config_row *r)
{
	char words[128];
	const char *doc = doc_of(r, words, sizeof(words));

	printf("# %s%s%s%s\n#%s = %s\n\n", doc, words[0] != 0 ? " (" : "", words,
	       words[0] != 0 ? ")" : "", r->key, r->fallback);
}

int main(int argc, char **argv)
{
	size_t n, p = 0;
	const struct ay_config_row *rows = ay_config_rows(&n);
	bool is_man = argc == 3 && strcmp(argv[1], "man") == 0;

	while (argc == 3 && p < AY_COUNT(programs) && strcmp(programs[p].name, argv[2]) != 0)
		p++;
	if (argc != 3 || p == AY_COUNT(programs)) {
		fprintf(stderr, "usage: config-man man|sample PROGRAM\n");
		return 2;
	}
	if (is_man)
		man_head(p);
	else
		printf("# Configuration of %s; the values shown are the defaults.\n\n", argv[2]);
	for (size_t i = 0; i < n; i++)
		if ((rows[i].programs & (unsigned)programs[p].id) != 0)
			(is_man ? man_row : sample_row)(&rows[i]);
	if (is_man)
		printf(".SH SEE ALSO\n.BR %s (8), assay (1)\n", argv[2]);
	return 0;
}
