/* SPDX-License-Identifier: Apache-2.0 */
/* assay: the command line. Finds the command, reads the options, runs it. */
#include "prog/assay/args.h"
#include "prog/assay/help.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct ay_opt global_opts[] = {
	{ "json", NULL, "print one JSON document" },
	{ "server", "URL", "attestation server (ASSAY_SERVER)" },
	{ "ca", "FILE", "root certificate of the server (ASSAY_CA)" },
	{ "token-file", "FILE", "API token (ASSAY_TOKEN_FILE)" },
	{ "cert", "FILE", "client certificate (ASSAY_CERT), with --key" },
	{ "key", "FILE", "its private key (ASSAY_KEY)" },
	{ "help", NULL, "this text" },
	{ "version", NULL, "print the version" },
	{ NULL, NULL, NULL },
};

const struct ay_opt *ay_cli_global_opts(void)
{
	return global_opts;
}

/* "noun verb" or "verb"; *words counts the words it took. */
static const struct ay_cmd *find_command(int argc, char **argv, int *words)
{
	for (size_t i = 0; ay_commands[i] != NULL; i++) {
		const struct ay_cmd *c = ay_commands[i];

		*words = c->noun == NULL ? 1 : 2;
		if (argc < *words)
			continue;
		if (c->noun != NULL && strcmp(c->noun, argv[0]) != 0)
			continue;
		if (strcmp(c->verb, argv[*words - 1]) == 0)
			return c;
	}
	return NULL;
}

/* Options before the command are allowed too: skip them to find it. */
static int command_at(int argc, char **argv)
{
	int i = 1;

	while (i < argc && argv[i][0] == '-') {
		bool takes = false;

		for (const struct ay_opt *o = global_opts; o->name != NULL; o++)
			takes |= o->arg != NULL && strcmp(argv[i] + 2, o->name) == 0;
		i += takes ? 2 : 1;
	}
	return i < argc ? i : argc;
}

static const char *setting(const struct ay_args *a, const char *name, const char *env)
{
	const char *v = ay_args_opt(a, name, 0);

	return v != NULL ? v : getenv(env);
}

/* A command that has an option of this name means something else by it: then the variable serves.
 */
static const char *client_file(const struct ay_cmd *c, const struct ay_args *a, const char *name,
			       const char *env)
{
	for (const struct ay_opt *o = c->opts; o != NULL && o->name != NULL; o++)
		if (strcmp(o->name, name) == 0)
			return getenv(env);
	return setting(a, name, env);
}

static int run(const struct ay_cmd *c, struct ay_args *a)
{
	struct ay_cli cli = {
		.json = ay_args_has(a, "json"),
		.color = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL,
		.server = setting(a, "server", "ASSAY_SERVER"),
		.ca = setting(a, "ca", "ASSAY_CA"),
		.token_file = setting(a, "token-file", "ASSAY_TOKEN_FILE"),
		.cert = client_file(c, a, "cert", "ASSAY_CERT"),
		.key = client_file(c, a, "key", "ASSAY_KEY"),
		.cmd = c,
	};
	int rc;

	if (a->n_pos < c->min_pos || a->n_pos > c->max_pos) {
		ay_help_usage(stderr, c);
		return AY_EXIT_USAGE;
	}
	rc = c->run(&cli, a);
	if (fflush(stdout) != 0)
		return ay_cli_error(AY_EXIT_IO, "cannot write the output");
	return rc;
}

static void free_words(char ***words)
{
	free(*words);
}

/* The words of the command line that are not the command's own; NULL without memory. */
static char **other_words(int argc, char **argv, int at, int words, int *n)
{
	char **rest = calloc((size_t)argc + 1, sizeof(*rest));

	*n = 0;
	for (int i = 1; rest != NULL && i < argc; i++)
		if (i < at || i >= at + words)
			rest[(*n)++] = argv[i];
	return rest;
}

static int usage(const struct ay_cmd *c, const char *word, const char *why)
{
	return ay_cli_error(AY_EXIT_USAGE, "%s: %s (assay %s%s%s --help)", word, why,
			    c->noun ? c->noun : "", c->noun ? " " : "", c->verb);
}

int main(int argc, char **argv)
{
	int at = command_at(argc, argv), words = 0, n;
	const struct ay_cmd *c = find_command(argc - at, argv + at, &words);
	const struct ay_opt *sets[] = { global_opts, c == NULL ? NULL : c->opts, NULL };
	char **rest AY_CLEANUP(free_words) = other_words(argc, argv, at, c ? words : 0, &n);
	const char *word = NULL, *why;
	struct ay_args a;

	if (rest == NULL)
		return ay_cli_error(AY_EXIT_IO, "out of memory");
	why = ay_args_parse(&a, sets, n, rest, &word);
	if (ay_args_has(&a, "version"))
		return puts("assay " AY_VERSION) < 0 ? AY_EXIT_IO : AY_EXIT_OK;
	if (ay_args_has(&a, "help"))
		return ay_help(stdout, c, a.n_pos > 0 && c == NULL ? a.pos[0] : NULL);
	if (c == NULL) {
		ay_help_unknown(stderr, argc - at, argv + at);
		return AY_EXIT_USAGE;
	}
	return why != NULL ? usage(c, word, why) : run(c, &a);
}
