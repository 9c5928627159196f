/* SPDX-License-Identifier: Apache-2.0 */
/* The command table as a man page (roff) and as completion for bash. */
#include "prog/assay/commands.h"
#include "prog/assay/help.h"

#include <string.h>

/* roff wants a backslash before '-' and itself, and takes a point in front for a macro. */
static void roff(FILE *f, const char *s)
{
	if (*s == '.' || *s == '\'')
		fputs("\\&", f);
	for (; *s != '\0'; s++) {
		if (*s == '-' || *s == '\\')
			fputc('\\', f);
		fputc(*s, f);
	}
}

static void roff_opts(FILE *f, const struct ay_opt *o)
{
	for (; o != NULL && o->name != NULL; o++) {
		fputs(".TP\n\\fB\\-\\-", f);
		roff(f, o->name);
		fputs("\\fR", f);
		if (o->arg != NULL)
			fprintf(f, " \\fI%s\\fR", o->arg);
		fputc('\n', f);
		roff(f, o->doc);
		fputc('\n', f);
	}
}

static void roff_command(FILE *f, const struct ay_cmd *c)
{
	fputs(".SS assay ", f);
	if (c->noun != NULL)
		fprintf(f, "%s ", c->noun);
	roff(f, c->verb);
	fputc(' ', f);
	roff(f, c->args);
	fputc('\n', f);
	roff(f, c->doc);
	fputs(".\n", f);
	roff_opts(f, c->opts);
}

void ay_help_man(FILE *f)
{
	fputs(".TH ASSAY 1 \"\" \"assay " AY_VERSION "\" \"Assay\"\n"
	      ".SH NAME\nassay \\- command line of the Assay remote attestation system\n"
	      ".SH SYNOPSIS\n\\fBassay\\fR [\\fIOPTIONS\\fR] \\fICOMMAND\\fR ...\n"
	      ".SH DESCRIPTION\n"
	      "Asks an attestation server about its hosts and tells it what to expect of them; "
	      "reads quotes, boot logs, IMA lists and signed statements offline.\n"
	      ".SH COMMANDS\n",
	      f);
	for (size_t i = 0; ay_commands[i] != NULL; i++)
		roff_command(f, ay_commands[i]);
	fputs(".SH OPTIONS\n", f);
	roff_opts(f, ay_cli_global_opts());
	fputs(".SH EXIT STATUS\n.TP\n0\ndone, trusted, valid\n.TP\n1\nparsed, and some finding is "
	      "fail or "
	      "the verdict is not trusted\n.TP\n2\nusage, or input that cannot be parsed\n.TP\n3\n"
	      "a file or server cannot be read\n"
	      ".SH ENVIRONMENT\nASSAY_SERVER, ASSAY_CA, ASSAY_TOKEN_FILE stand for \\-\\-server, "
	      "\\-\\-ca, \\-\\-token\\-file.\n"
	      ".SH FILES\n~/.config/assay/cli.conf: keys server, ca, token_file.\n"
	      ".SH SEE ALSO\nassayd(8), assay\\-agent(8), assay\\-ca(8)\n",
	      f);
}

static bool is_first_of_noun(size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (ay_commands[i]->noun != NULL &&
		    strcmp(ay_commands[i]->noun, ay_commands[at]->noun) == 0)
			return false;
	return true;
}

static void bash_verbs(FILE *f, const char *noun)
{
	fprintf(f, "    %s) words='", noun);
	for (size_t i = 0; ay_commands[i] != NULL; i++)
		if (ay_commands[i]->noun != NULL && strcmp(ay_commands[i]->noun, noun) == 0)
			fprintf(f, "%s ", ay_commands[i]->verb);
	fputs("' ;;\n", f);
}

static void bash_opts(FILE *f, const struct ay_cmd *c)
{
	fprintf(f, "    '%s%s%s') opts=\"$opts", c->noun ? c->noun : "", c->noun ? " " : "",
		c->verb);
	for (const struct ay_opt *o = c->opts; o != NULL && o->name != NULL; o++)
		fprintf(f, " --%s", o->name);
	fputs("\" ;;\n", f);
}

void ay_help_bash(FILE *f)
{
	fputs("# bash completion for assay, made by 'assay help --format bash'\n"
	      "_assay() {\n"
	      "  local cur=${COMP_WORDS[COMP_CWORD]} first=${COMP_WORDS[1]} "
	      "second=${COMP_WORDS[2]} words='' opts='",
	      f);
	for (const struct ay_opt *o = ay_cli_global_opts(); o->name != NULL; o++)
		fprintf(f, "--%s ", o->name);
	fputs("'\n  case \"$first\" in\n", f);
	for (size_t i = 0; ay_commands[i] != NULL; i++)
		if (ay_commands[i]->noun != NULL && is_first_of_noun(i))
			bash_verbs(f, ay_commands[i]->noun);
	fputs("  esac\n  case \"$first${words:+ $second}\" in\n", f);
	for (size_t i = 0; ay_commands[i] != NULL; i++)
		bash_opts(f, ay_commands[i]);
	fputs("  esac\n  if [ \"$COMP_CWORD\" = 1 ]; then\n    words='", f);
	for (size_t i = 0; ay_commands[i] != NULL; i++) {
		if (ay_commands[i]->noun == NULL)
			fprintf(f, "%s ", ay_commands[i]->verb);
		else if (is_first_of_noun(i))
			fprintf(f, "%s ", ay_commands[i]->noun);
	}
	fputs("'\n  elif [ \"$COMP_CWORD\" != 2 ]; then\n    words=''\n  fi\n"
	      "  case \"$cur\" in -*) words=$opts ;; esac\n"
	      "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
	      "  [ ${#COMPREPLY[@]} -gt 0 ] || mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	      "}\ncomplete -o filenames -F _assay assay\n",
	      f);
}

static int run_help(struct ay_cli *cli, const struct ay_args *args)
{
	const char *format = ay_args_opt(args, "format", 0);

	(void)cli;
	if (format == NULL)
		return ay_help(stdout, NULL, args->n_pos > 0 ? args->pos[0] : NULL);
	if (strcmp(format, "man") == 0)
		ay_help_man(stdout);
	else if (strcmp(format, "bash") == 0)
		ay_help_bash(stdout);
	else
		return ay_cli_error(AY_EXIT_USAGE, "--format is man or bash");
	return AY_EXIT_OK;
}

static const struct ay_opt help_opts[] = {
	{ "format", "F", "man: the manual page; bash: completion" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_help = { NULL,    "help", "[NOUN]", 0, 1, help_opts, "list the commands",
				    run_help };
