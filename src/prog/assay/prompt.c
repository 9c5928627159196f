/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay/prompt.h"

#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static int from_file(const char *file, char *out, size_t room)
{
	uint8_t *p = NULL;
	size_t n = 0, end;
	int rc = ay_cli_read_file(file, 4096, &p, &n);

	if (rc != AY_EXIT_OK)
		return rc;
	for (end = 0; end < n && p[end] != '\n' && p[end] != '\r'; end++)
		;
	if (end >= room)
		rc = ay_cli_error(AY_EXIT_USAGE, "%s: the first line is too long", file);
	else
		snprintf(out, room, "%.*s", (int)end, (const char *)p);
	explicit_bzero(p, n);
	free(p);
	return rc;
}

static int from_terminal(FILE *tty, const char *prompt, char *out, size_t room)
{
	struct termios old, quiet;
	bool ok;

	if (tcgetattr(fileno(tty), &old) != 0)
		return ay_cli_error(AY_EXIT_IO, "cannot ask: this is no terminal");
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	fputs(prompt, tty);
	fflush(tty);
	tcsetattr(fileno(tty), TCSAFLUSH, &quiet);
	ok = fgets(out, (int)room, tty) != NULL;
	tcsetattr(fileno(tty), TCSAFLUSH, &old);
	fputc('\n', tty);
	if (!ok)
		return ay_cli_error(AY_EXIT_USAGE, "nothing was typed");
	out[strcspn(out, "\r\n")] = '\0';
	return AY_EXIT_OK;
}

int ay_prompt_secret(const char *prompt, const char *file, char *out, size_t room)
{
	FILE *tty;
	int rc;

	out[0] = '\0';
	if (file != NULL)
		return from_file(file, out, room);
	tty = fopen("/dev/tty", "r+e");
	if (tty == NULL)
		return ay_cli_error(AY_EXIT_USAGE,
				    "there is no terminal to ask at: give --password-file");
	rc = from_terminal(tty, prompt, out, room);
	fclose(tty);
	return rc;
}

int ay_prompt_new_password(const char *file, char *out, size_t room)
{
	char again[1024];
	int rc = ay_prompt_secret("New password: ", file, out, room);

	if (rc != AY_EXIT_OK || file != NULL)
		return rc;
	rc = ay_prompt_secret("Once more: ", NULL, again, sizeof(again));
	if (rc == AY_EXIT_OK && strcmp(out, again) != 0)
		rc = ay_cli_error(AY_EXIT_USAGE, "the two are not the same");
	explicit_bzero(again, sizeof(again));
	return rc;
}
