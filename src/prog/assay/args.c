/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay/args.h"

#include <string.h>

const char *ay_args_opt(const struct ay_args *a, const char *name, size_t n)
{
	for (size_t i = 0; i < a->n_opts; i++)
		if (strcmp(a->opt[i].name, name) == 0 && n-- == 0)
			return a->opt[i].value;
	return NULL;
}

bool ay_args_has(const struct ay_args *a, const char *name)
{
	for (size_t i = 0; i < a->n_opts; i++)
		if (strcmp(a->opt[i].name, name) == 0)
			return true;
	return false;
}

static const struct ay_opt *find_opt(const struct ay_opt *opts, const char *name, size_t n)
{
	for (; opts != NULL && opts->name != NULL; opts++)
		if (strlen(opts->name) == n && memcmp(opts->name, name, n) == 0)
			return opts;
	return NULL;
}

/* One "--name[=value]"; *used counts the words taken. NULL or what is wrong with it. */
static const char *take_opt(struct ay_args *a, const struct ay_opt *const sets[], char **word,
			    int left, int *used)
{
	const char *name = word[0] + 2, *eq = strchr(name, '=');
	size_t n = eq == NULL ? strlen(name) : (size_t)(eq - name);
	const struct ay_opt *o = NULL;
	const char *value = eq == NULL ? NULL : eq + 1;

	for (size_t i = 0; o == NULL && sets[i] != NULL; i++)
		o = find_opt(sets[i], name, n);
	if (o == NULL)
		return "no such option";
	if (a->n_opts == AY_COUNT(a->opt))
		return "too many options";
	if (o->arg == NULL && value != NULL)
		return "takes no value";
	*used = 1;
	if (o->arg != NULL && value == NULL) {
		if (left < 2)
			return "needs a value";
		value = word[1];
		*used = 2;
	}
	a->opt[a->n_opts].name = o->name;
	a->opt[a->n_opts++].value = value;
	return NULL;
}

const char *ay_args_parse(struct ay_args *a, const struct ay_opt *const sets[], int argc,
			  char **argv, const char **word)
{
	bool only_pos = false;
	const char *why;
	int used;

	*a = (struct ay_args){ .pos = argv };
	for (int i = 0; i < argc; i += used) {
		used = 1;
		if (!only_pos && strcmp(argv[i], "--") == 0) {
			only_pos = true;
		} else if (!only_pos && argv[i][0] == '-' && argv[i][1] != '\0') {
			*word = argv[i];
			if (argv[i][1] != '-')
				return "no such option";
			why = take_opt(a, sets, argv + i, argc - i, &used);
			if (why != NULL)
				return why;
		} else {
			argv[a->n_pos++] = argv[i];
		}
	}
	return NULL;
}
