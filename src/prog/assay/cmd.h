/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_CMD_H
#define AY_PROG_ASSAY_CMD_H

/*
 * The command line for operators and auditors: one row a command, from which
 * --help, the man page and the shell completion are generated. A command reads
 * its arguments with ay_args_*, prints to stdout, complains with ay_cli_error.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

#include <stdio.h>

enum ay_exit {
	AY_EXIT_OK = 0,	     /* done, trusted, valid */
	AY_EXIT_FINDING = 1, /* parsed, and some finding is fail or the verdict is not trusted */
	AY_EXIT_USAGE = 2,   /* usage, or input that cannot be parsed */
	AY_EXIT_IO = 3,	     /* a file or server cannot be read */
};

struct ay_opt {
	const char *name; /* without dashes */
	const char *arg;  /* word for its value in the help, NULL for a flag */
	const char *doc;
};

struct ay_args {
	size_t n_pos;
	char **pos;
	size_t n_opts;
	struct {
		const char *name;
		const char *value; /* NULL for a flag */
	} opt[64];
};

struct ay_cli {
	bool json;
	bool color;
	const char *server;	  /* URL or NULL */
	const char *ca;		  /* file or NULL */
	const char *token_file;	  /* file or NULL */
	const char *cert, *key;	  /* client certificate and its key, PEM files; or NULL */
	const struct ay_cmd *cmd; /* the one that runs */
};

struct ay_cmd {
	const char *noun; /* "host", or NULL for a verb without noun */
	const char *verb; /* "list" */
	const char *args; /* positional arguments in the help: "HOST [OTHER]" */
	size_t min_pos, max_pos;
	const struct ay_opt *opts; /* ends with a row whose name is NULL; may be NULL */
	const char *doc;	   /* one line */
	int (*run)(struct ay_cli *cli, const struct ay_args *args);
};

/* All commands, in the order of the help; ends with a row whose verb is NULL. */
extern const struct ay_cmd *const ay_commands[];

/* The n-th value given for an option (0 = first), or NULL. */
const char *ay_args_opt(const struct ay_args *a, const char *name, size_t n);
bool ay_args_has(const struct ay_args *a, const char *name);

/* "assay: text" on stderr; returns code, so that a command can return it. */
int ay_cli_error(int code, const char *fmt, ...) AY_PRINTF(2, 3);
/* "assay: WHAT: field: text (offset N)" on stderr. */
int ay_cli_fault(int code, const char *what, const struct ay_err *e);
/* A whole file ("-" = standard input), at most max octets; freed by the caller. AY_EXIT_IO on
 * failure, said on stderr. */
AY_MUST_USE int ay_cli_read_file(const char *path, size_t max, uint8_t **p, size_t *n);
/* Escapes control characters and non-ASCII of a string from outside while printing. */
void ay_cli_print_safe(FILE *f, struct ay_bytes s);

#endif
