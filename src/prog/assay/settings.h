/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_SETTINGS_H
#define AY_PROG_ASSAY_SETTINGS_H

/*
 * Where the server is and how to prove oneself: options, else ASSAY_SERVER,
 * ASSAY_CA, ASSAY_TOKEN_FILE, else ~/.config/assay/cli.conf (keys server, ca,
 * token_file).
 */
#include "prog/assay/cmd.h"

struct ay_settings {
	char *server; /* URL without a slash at its end */
	char *ca;
	char *token_file;
	const char *cert, *key; /* borrowed from the command line; NULL: none */
	char *session_file; /* of assay login; used when there is no token file */
};

/* $XDG_CONFIG_HOME/assay/NAME or ~/.config/assay/NAME; freed by free(). NULL: no home. */
char *ay_settings_path(const char *name);
AY_MUST_USE int ay_settings_load(const struct ay_cli *cli, struct ay_settings *out);
void ay_settings_fini(struct ay_settings *s);

#endif
