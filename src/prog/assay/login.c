/* SPDX-License-Identifier: Apache-2.0 */
/* assay login | logout | whoami | passwd | totp, session list | end: about oneself */
#include "prog/assay/client.h"
#include "prog/assay/commands.h"
#include "prog/assay/list.h"
#include "prog/assay/prompt.h"
#include "prog/assay/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PASSWORD_ROOM = 1024 };

/* ---- the file: server, cookie, CSRF token, one a line ---- */

bool ay_session_read(const char *file, const char *server, struct ay_cli_session *out)
{
	FILE *f = fopen(file, "re");
	char line[3][512] = { "", "", "" };
	bool ok = f != NULL;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; ok && i < 3; i++) {
		ok = fgets(line[i], sizeof(line[i]), f) != NULL;
		line[i][strcspn(line[i], "\n")] = '\0';
	}
	if (f != NULL)
		fclose(f);
	ok = ok && strcmp(line[0], server) == 0 && strlen(line[1]) < sizeof(out->cookie) &&
	     strlen(line[2]) < sizeof(out->csrf);
	if (ok) {
		memcpy(out->cookie, line[1], strlen(line[1]) + 1);
		memcpy(out->csrf, line[2], strlen(line[2]) + 1);
	}
	explicit_bzero(line, sizeof(line));
	return ok;
}

static void make_folder(const char *file)
{
	char *path = strdup(file), *slash = path == NULL ? NULL : strrchr(path, '/');

	if (slash != NULL) {
		*slash = '\0';
		if (mkdir(path, 0700) != 0 && errno == ENOENT) {
			char *up = strrchr(path, '/');

			if (up != NULL) {
				*up = '\0';
				(void)mkdir(path, 0700);
				*up = '/';
				(void)mkdir(path, 0700);
			}
		}
	}
	free(path);
}

int ay_session_write(const char *file, const char *server, const struct ay_cli_session *s)
{
	FILE *f = NULL;
	int fd;

	make_folder(file);
	if (unlink(file) != 0 && errno != ENOENT)
		return ay_cli_error(AY_EXIT_IO, "%s: %s", file, strerror(errno));
	fd = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		f = fdopen(fd, "w");
	if (f == NULL)
		return ay_cli_error(AY_EXIT_IO, "%s: %s", file, strerror(errno));
	fprintf(f, "%s\n%s\n%s\n", server, s->cookie, s->csrf);
	return fclose(f) == 0 ? AY_EXIT_OK
			      : ay_cli_error(AY_EXIT_IO, "%s: %s", file, strerror(errno));
}

/* ---- in and out ---- */

static int keep(struct ay_client *c, const struct ay_answer *a)
{
	const struct ay_settings *set = ay_client_settings(c);
	const char *csrf = ay_answer_text(a->json, "csrf", "");
	struct ay_cli_session s = { "", "" };
	int rc;

	if (set->session_file == NULL || a->cookie[0] == '\0' || strlen(csrf) >= sizeof(s.csrf))
		return ay_cli_error(AY_EXIT_IO, "the server gave no session");
	memcpy(s.cookie, a->cookie, sizeof(s.cookie));
	memcpy(s.csrf, csrf, strlen(csrf) + 1);
	rc = ay_session_write(set->session_file, set->server, &s);
	explicit_bzero(&s, sizeof(s));
	if (rc == AY_EXIT_OK)
		printf("logged in as %s until %s\n", ay_answer_text(a->json, "user", ""),
		       ay_answer_text(a->json, "until", ""));
	return rc;
}

static int run_login(struct ay_cli *cli, const struct ay_args *args)
{
	const char *code = ay_args_opt(args, "code", 0);
	char password[PASSWORD_ROOM];
	struct ay_client *c = NULL;
	struct ay_answer a;
	json_t *body;
	int rc = ay_prompt_secret("Password: ", ay_args_opt(args, "password-file", 0), password,
				  sizeof(password));

	cli->token_file = NULL;
	if (rc == AY_EXIT_OK)
		rc = ay_client_open(cli, &c);
	if (rc != AY_EXIT_OK)
		return rc;
	body = json_pack("{s:s, s:s}", "user", args->pos[0], "password", password);
	if (code != NULL)
		json_object_set_new(body, "code", json_string(code));
	explicit_bzero(password, sizeof(password));
	rc = ay_client_call(c, "POST", "/login", body, NULL, &a);
	if (rc == AY_EXIT_OK) {
		rc = keep(c, &a);
		ay_answer_fini(&a);
	}
	ay_client_close(c);
	return rc;
}

static int run_logout(struct ay_cli *cli, const struct ay_args *args)
{
	char *file = ay_settings_path("session");
	int rc;

	(void)args;
	cli->token_file = NULL;
	rc = ay_cli_call(cli, "POST", "/logout", NULL, NULL);
	if (file != NULL)
		(void)unlink(file);
	free(file);
	return rc;
}

static int print_who(struct ay_cli *cli, const json_t *j)
{
	(void)cli;
	printf("%s (id %lld), by %s%s\n", ay_answer_text(j, "user", ""),
	       (long long)json_integer_value(json_object_get(j, "user_id")),
	       ay_answer_text(j, "scheme", ""),
	       json_is_true(json_object_get(j, "mfa")) ? ", second factor" : "");
	return AY_EXIT_OK;
}

static int run_whoami(struct ay_cli *cli, const struct ay_args *args)
{
	(void)args;
	return ay_cli_call(cli, "GET", "/session", NULL, print_who);
}

/* ---- password and second factor ---- */

static int run_passwd(struct ay_cli *cli, const struct ay_args *args)
{
	char old[PASSWORD_ROOM], fresh[PASSWORD_ROOM];
	int rc = ay_prompt_secret("Password in force: ", ay_args_opt(args, "old-password-file", 0),
				  old, sizeof(old));

	if (rc == AY_EXIT_OK)
		rc = ay_prompt_new_password(ay_args_opt(args, "password-file", 0), fresh,
					    sizeof(fresh));
	if (rc == AY_EXIT_OK)
		rc = ay_cli_call(cli, "POST", "/password",
				 json_pack("{s:s, s:s}", "old", old, "password", fresh), NULL);
	explicit_bzero(old, sizeof(old));
	explicit_bzero(fresh, sizeof(fresh));
	return rc;
}

static int print_offer(struct ay_cli *cli, const json_t *j)
{
	(void)cli;
	printf("secret  %s\nuri     %s\nThen: assay totp confirm CODE\n",
	       ay_answer_text(j, "secret", ""), ay_answer_text(j, "uri", ""));
	return AY_EXIT_OK;
}

static int run_totp_add(struct ay_cli *cli, const struct ay_args *args)
{
	(void)args;
	return ay_cli_call(cli, "POST", "/totp", NULL, print_offer);
}

static int print_recovery(struct ay_cli *cli, const json_t *j)
{
	json_t *v;
	size_t i;

	(void)cli;
	puts("Recovery codes, each good once. Keep them where the authenticator is not:");
	json_array_foreach (json_object_get(j, "recovery"), i, v)
		puts(json_string_value(v));
	return AY_EXIT_OK;
}

static int run_totp_confirm(struct ay_cli *cli, const struct ay_args *args)
{
	return ay_cli_call(cli, "POST", "/totp/confirm", json_pack("{s:s}", "code", args->pos[0]),
			   print_recovery);
}

static int run_totp_end(struct ay_cli *cli, const struct ay_args *args)
{
	return ay_cli_call(cli, "POST", "/totp/end", json_pack("{s:s}", "code", args->pos[0]),
			   NULL);
}

/* ---- sessions ---- */

static int run_sessions(struct ay_cli *cli, const struct ay_args *args)
{
	static const struct ay_column columns[] = {
		{ "ID", "id", NULL },	  { "THIS", "this", NULL },    { "BY", "scheme", NULL },
		{ "FROM", "peer", NULL }, { "USED", "used_at", NULL }, { "UNTIL", "until", NULL },
		{ NULL, NULL, NULL },
	};
	static const struct ay_list list = { "/sessions?limit=500", NULL, columns };

	(void)args;
	return ay_cli_list(cli, &list);
}

static int run_session_end(struct ay_cli *cli, const struct ay_args *args)
{
	return ay_cli_call_on(cli, "DELETE", "/sessions/", args->pos[0], "", NULL, NULL);
}

static const struct ay_opt login_opts[] = {
	{ "password-file", "FILE", "its first line is the password (- for standard input)" },
	{ "code", "CODE", "of the authenticator, or a recovery code" },
	{ NULL, NULL, NULL },
};
static const struct ay_opt passwd_opts[] = {
	{ "old-password-file", "FILE", "its first line is the password in force" },
	{ "password-file", "FILE", "its first line is the new password" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_login = {
	NULL, "login", "NAME", 1, 1, login_opts, "begin a session with a password", run_login
};
const struct ay_cmd ay_cmd_logout = {
	NULL, "logout", "", 0, 0, NULL, "end the session", run_logout
};
const struct ay_cmd ay_cmd_whoami = {
	NULL, "whoami", "", 0, 0, NULL, "who the server takes you for", run_whoami
};
const struct ay_cmd ay_cmd_passwd = {
	NULL, "passwd", "", 0, 0, passwd_opts, "change your own password", run_passwd
};
const struct ay_cmd ay_cmd_totp_add = {
	"totp", "add", "", 0, 0, NULL, "a secret for your authenticator", run_totp_add
};
const struct ay_cmd ay_cmd_totp_confirm = {
	"totp",		 "confirm", "CODE", 1, 1, NULL, "put it in force; prints recovery codes",
	run_totp_confirm
};
const struct ay_cmd ay_cmd_totp_end = {
	"totp", "end", "CODE", 1, 1, NULL, "go back to the password alone", run_totp_end
};
const struct ay_cmd ay_cmd_session_list = { "session",		 "list",      "", 0, 0, NULL,
					    "your own sessions", run_sessions };
const struct ay_cmd ay_cmd_session_end = {
	"session", "end", "ID", 1, 1, NULL, "end one of your sessions", run_session_end
};
