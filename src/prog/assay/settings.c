/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay/settings.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

static bool put(char **slot, const char *value)
{
	if (*slot == NULL)
		*slot = strdup(value);
	return *slot != NULL;
}

/* Options and environment came first, so a key that is set stays. inih wants 1 for success. */
static int on_key(void *arg, const char *section, const char *key, const char *value)
{
	struct ay_settings *s = arg;

	if (section[0] != '\0')
		return 0;
	if (strcmp(key, "server") == 0)
		return put(&s->server, value);
	if (strcmp(key, "ca") == 0)
		return put(&s->ca, value);
	if (strcmp(key, "token_file") == 0)
		return put(&s->token_file, value);
	return 0;
}

char *ay_settings_path(const char *name)
{
	const char *home = getenv("HOME"), *xdg = getenv("XDG_CONFIG_HOME");
	char *path = NULL;
	int n;

	if (xdg != NULL && xdg[0] == '/')
		n = asprintf(&path, "%s/assay/%s", xdg, name);
	else
		n = asprintf(&path, "%s/.config/assay/%s", home == NULL ? "" : home, name);
	return n < 0 ? NULL : path;
}

static int read_conf(struct ay_settings *s)
{
	char *path = ay_settings_path("cli.conf");
	FILE *f = path == NULL ? NULL : fopen(path, "re");
	int line, rc = AY_EXIT_OK;

	if (f == NULL) {
		free(path);
		return AY_EXIT_OK;
	}
	line = ini_parse_file(f, on_key, s);
	fclose(f);
	if (line != 0)
		rc = ay_cli_error(AY_EXIT_USAGE, "%s:%d: keys are server, ca, token_file", path,
				  line);
	free(path);
	return rc;
}

static int check(struct ay_settings *s)
{
	size_t n;

	if (s->server == NULL)
		return ay_cli_error(
			AY_EXIT_USAGE,
			"which server? give --server https://HOST:8443, ASSAY_SERVER, or "
			"server = in ~/.config/assay/cli.conf");
	if (strncmp(s->server, "https://", 8) != 0)
		return ay_cli_error(AY_EXIT_USAGE, "%s: the server's address begins with https://",
				    s->server);
	n = strlen(s->server);
	while (n > 8 && s->server[n - 1] == '/')
		s->server[--n] = '\0';
	return AY_EXIT_OK;
}

int ay_settings_load(const struct ay_cli *cli, struct ay_settings *out)
{
	bool ok = true;
	int rc;

	*out = (struct ay_settings){ .cert = cli->cert, .key = cli->key };
	if ((cli->cert == NULL) != (cli->key == NULL))
		return ay_cli_error(AY_EXIT_USAGE, "give --cert and --key together");
	if (cli->server != NULL)
		ok &= put(&out->server, cli->server);
	if (cli->ca != NULL)
		ok &= put(&out->ca, cli->ca);
	if (cli->token_file != NULL)
		ok &= put(&out->token_file, cli->token_file);
	if (!ok)
		return ay_cli_error(AY_EXIT_IO, "out of memory");
	rc = read_conf(out);
	if (rc == AY_EXIT_OK && out->token_file == NULL && out->cert == NULL)
		out->session_file = ay_settings_path("session");
	return rc == AY_EXIT_OK ? check(out) : rc;
}

void ay_settings_fini(struct ay_settings *s)
{
	free(s->server);
	free(s->ca);
	free(s->token_file);
	free(s->session_file);
	*s = (struct ay_settings){ 0 };
}
