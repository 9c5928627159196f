/* SPDX-License-Identifier: Apache-2.0 */
/* assay api METHOD PATH: any route of docs/api.md, with the credential of the other commands. */
#include "prog/assay/client.h"
#include "prog/assay/commands.h"

#include "core/base/limits.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_method(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return n > 0 && n < 16 && s[n] == '\0';
}

/* Visible ASCII; spaces too where they may be. */
static bool is_line(const char *s, bool spaces)
{
	for (; *s != '\0'; s++)
		if (*s > '~' || *s < ' ' || (*s == ' ' && !spaces))
			return false;
	return true;
}

static int take_headers(const struct ay_args *args, struct ay_raw *r)
{
	const char *h, *colon;

	while ((h = ay_args_opt(args, "header", r->n_headers)) != NULL) {
		colon = strchr(h, ':');
		if (colon == NULL || colon == h || !is_line(h, true))
			return ay_cli_error(AY_EXIT_USAGE, "--header: write it \"Name: value\"");
		if (r->n_headers == AY_COUNT(r->header))
			return ay_cli_error(AY_EXIT_USAGE, "--header: at most %zu",
					    AY_COUNT(r->header));
		r->header[r->n_headers++] = h;
	}
	return AY_EXIT_OK;
}

static int take_request(const struct ay_args *args, struct ay_raw *r)
{
	r->method = args->pos[0];
	r->path = args->pos[1];
	if (!is_method(r->method))
		return ay_cli_error(AY_EXIT_USAGE, "METHOD is GET, POST, PATCH, PUT or DELETE");
	if (r->path[0] != '/' || !is_line(r->path, false))
		return ay_cli_error(AY_EXIT_USAGE,
				    "PATH begins with / and is escaped: /api/v1/hosts?limit=5");
	return take_headers(args, r);
}

static int run(struct ay_cli *cli, const struct ay_args *args)
{
	const char *file = ay_args_opt(args, "data", 0);
	struct ay_raw r = { .method = NULL };
	struct ay_client *c = NULL;
	uint8_t *p = NULL;
	int rc = take_request(args, &r);

	if (rc == AY_EXIT_OK && file != NULL)
		rc = ay_cli_read_file(file, AY_MAX_API_BODY, &p, &r.n_body);
	r.body = p;
	if (rc == AY_EXIT_OK)
		rc = ay_client_open(cli, &c);
	if (rc == AY_EXIT_OK)
		rc = ay_client_raw(c, &r, stdout);
	ay_client_close(c);
	free(p);
	return rc;
}

static const struct ay_opt opts[] = {
	{ "data", "FILE", "the body, JSON unless a header says else (- = standard input)" },
	{ "header", "LINE", "one more header, \"Name: value\"; may be repeated" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_api = {
	NULL,
	"api",
	"METHOD PATH",
	2,
	2,
	opts,
	"any request of docs/api.md, for what no command is for: the body of the answer",
	run
};
