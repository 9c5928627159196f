/* SPDX-License-Identifier: Apache-2.0 */
/* assay host add | list | show | change | attest | acknowledge | remove */
#include "core/base/limits.h"
#include "io/sys/file.h"
#include "prog/assay/commands.h"
#include "prog/assay/list.h"
#include "prog/assay/manager.h"
#include "prog/assay/report_text.h"

#include <stdlib.h>
#include <string.h>

enum { PEM_MAX = 16 * 1024 };

/* labels: {"k":"v"} from every --label k=v. */
int ay_cli_add_labels(const struct ay_args *args, json_t *body)
{
	json_t *labels = json_object();
	const char *kv;

	for (size_t i = 0; (kv = ay_args_opt(args, "label", i)) != NULL; i++) {
		const char *eq = strchr(kv, '=');
		char key[256];

		if (eq == NULL || eq == kv || (size_t)(eq - kv) >= sizeof(key)) {
			json_decref(labels);
			return ay_cli_error(AY_EXIT_USAGE, "--label %s: write key=value", kv);
		}
		snprintf(key, sizeof(key), "%.*s", (int)(eq - kv), kv);
		json_object_set_new(labels, key, json_string(eq + 1));
	}
	if (json_object_size(labels) > 0)
		json_object_set_new(body, "labels", labels);
	else
		json_decref(labels);
	return AY_EXIT_OK;
}

/* Its PEM text: the file is public, so nothing is wiped. */
static int read_pem(const char *path, json_t *policy)
{
	struct ay_bytes text = { 0 };
	struct ay_err e;
	int rc = AY_EXIT_OK;

	if (ay_file_read(path, PEM_MAX, &text, &e) != AY_OK)
		return ay_cli_error(AY_EXIT_IO, "%s: %s", path, e.text);
	if (json_object_set_new(policy, "value", json_stringn((const char *)text.p, text.n)) != 0)
		rc = ay_cli_error(AY_EXIT_USAGE, "%s: not a PEM file", path);
	ay_file_free(&text);
	return rc;
}

/* --tls-policy KIND, KIND=HEX or KIND=@FILE */
int ay_cli_add_tls_policy(const struct ay_args *args, json_t *body)
{
	const char *text = ay_args_opt(args, "tls-policy", 0), *eq;
	json_t *policy;

	if (text == NULL)
		return AY_EXIT_OK;
	eq = strchr(text, '=');
	policy = json_object();
	json_object_set_new(policy, "kind",
			    json_stringn(text, eq == NULL ? strlen(text) : (size_t)(eq - text)));
	json_object_set_new(body, "tls_policy", policy);
	if (eq != NULL && eq[1] == '@')
		return read_pem(eq + 2, policy);
	if (eq != NULL)
		json_object_set_new(policy, "value", json_string(eq + 1));
	return AY_EXIT_OK;
}

static int add_body(const struct ay_args *args, json_t *body)
{
	static const struct {
		const char *opt, *member;
	} texts[] = { { "connect", "connect" },
		      { "agent-key", "agent_key" },
		      { "token", "token" } };
	int ways = ay_args_has(args, "tls-policy") + ay_args_has(args, "agent-key") +
		   ay_args_has(args, "token") + ay_args_has(args, "trust-first-use");
	int rc;

	if (ways > 1)
		return ay_cli_error(AY_EXIT_USAGE, "give one of --tls-policy, --agent-key, "
						   "--token, --trust-first-use");
	if (ways > 0 && !ay_args_has(args, "connect"))
		return ay_cli_error(AY_EXIT_USAGE,
				    "these go with --connect HOST:PORT; a host that "
				    "dials in needs only a token (assay token create)");
	json_object_set_new(body, "name", json_string(args->pos[0]));
	for (size_t i = 0; i < AY_COUNT(texts); i++) {
		const char *v = ay_args_opt(args, texts[i].opt, 0);

		if (v != NULL)
			json_object_set_new(body, texts[i].member, json_string(v));
	}
	if (ay_args_has(args, "trust-first-use"))
		json_object_set_new(body, "trust_first_use", json_true());
	rc = ay_cli_add_tls_policy(args, body);
	if (rc == AY_EXIT_OK)
		rc = ay_cli_add_secret(args, body);
	return rc != AY_EXIT_OK ? rc : ay_cli_add_labels(args, body);
}

static int call_host(struct ay_cli *cli, const char *method, const char *host, const char *after,
		     json_t *body, ay_print_fn *print)
{
	return ay_cli_call_on(cli, method, "/hosts/", host, after, body, print);
}

static int print_added(struct ay_cli *cli, const json_t *j)
{
	(void)cli;
	printf("%s  %s  %s\n", ay_answer_text(j, "id", "-"), ay_answer_text(j, "name", "-"),
	       ay_answer_text(j, "state", "-"));
	return AY_EXIT_OK;
}

static int run_add(struct ay_cli *cli, const struct ay_args *args)
{
	json_t *body = json_object();
	int rc = add_body(args, body);

	if (rc != AY_EXIT_OK) {
		json_decref(body);
		return rc;
	}
	return ay_cli_call(cli, "POST", "/hosts", body, print_added);
}

/* People look for a name; programs get the server's order. */
/* Verdicts may be about to run out for want of time: whoever reads the list must know. */
static void note_overload(struct ay_cli *cli)
{
	struct ay_answer a = { 0 };
	struct ay_client *c;
	const json_t *s;

	if (ay_client_open(cli, &c) != AY_EXIT_OK)
		return;
	ay_client_quiet(c); /* not everybody may see what is about all hosts */
	if (ay_client_call(c, "GET", "/overview", NULL, NULL, &a) == AY_EXIT_OK) {
		s = json_object_get(a.json, "schedule");
		if (json_is_true(json_object_get(s, "overloaded")))
			fprintf(stderr,
				"note: the server is overloaded: %lld hosts wait to be attested, "
				"%lld/s are due and %lld/s are served; see "
				"assay_deadline_misses_total\n",
				(long long)json_integer_value(json_object_get(s, "waiting")),
				(long long)json_integer_value(json_object_get(s, "due_per_s")),
				(long long)json_integer_value(json_object_get(s, "served_per_s")));
	}
	ay_answer_fini(&a);
	ay_client_close(c);
}

static int run_list(struct ay_cli *cli, const struct ay_args *args)
{
	static const struct ay_column columns[] = {
		{ "NAME", "name", NULL },
		{ "STATE", "state", NULL },
		{ "VERDICT", "verdict", NULL },
		{ "IDENTITY", "identity.grade", NULL },
		{ "ATTESTED", "attested_at", NULL },
		{ "LEASE UNTIL", "lease_until", NULL },
		{ "ID", "id", NULL },
		{ NULL, NULL, NULL },
	};
	static const struct ay_list list = { "/hosts?limit=500", "name", columns };
	int rc;

	(void)args;
	rc = ay_cli_list(cli, &list);
	if (rc == AY_EXIT_OK)
		note_overload(cli);
	return rc;
}

static void show_line(const char *name, const char *value)
{
	printf("%-14s ", name);
	ay_cli_print_safe(stdout, ay_bytes_of(value == NULL ? "-" : value));
	putchar('\n');
}

/* Which one, and what attaches it: the host itself, its labels, or nothing but the default. */
static void show_policy(const json_t *p)
{
	long long version = json_integer_value(json_object_get(p, "version"));
	char line[AY_MAX_NAME_BYTES + 80];

	snprintf(line, sizeof(line), "%s %s%.0lld (by %s)", ay_answer_text(p, "name", "none"),
		 version > 0 ? "version " : "not in force", version, ay_answer_text(p, "by", "-"));
	show_line("policy", json_is_object(p) ? line : NULL);
}

static int print_host(struct ay_cli *cli, const json_t *h)
{
	const json_t *identity = json_object_get(h, "identity"), *v;
	const char *name;

	(void)cli;
	show_line("name", ay_answer_text(h, "name", NULL));
	show_line("id", ay_answer_text(h, "id", NULL));
	show_line("state", ay_answer_text(h, "state", NULL));
	show_line("verdict", ay_answer_text(h, "verdict", NULL));
	json_object_foreach ((json_t *)(uintptr_t)json_object_get(h, "components"), name, v)
		printf("  %-12s %s%s%s\n", name, ay_answer_text(v, "verdict", "-"),
		       ay_answer_text(v, "grade", NULL) ? ", " : "",
		       ay_answer_text(v, "grade", ""));
	show_line("attested at", ay_answer_text(h, "attested_at", NULL));
	show_line("lease until", ay_answer_text(h, "lease_until", NULL));
	show_line("identity", ay_answer_text(identity, "grade", NULL));
	show_line("TPM", ay_answer_text(json_object_get(identity, "tpm"), "family", NULL));
	show_line("AK name", ay_answer_text(identity, "ak_name", NULL));
	show_line("TLS policy", ay_answer_text(json_object_get(h, "tls_policy"), "kind", NULL));
	show_policy(json_object_get(h, "policy"));
	show_line("last error", ay_answer_text(json_object_get(h, "last_error"), "text", NULL));
	return AY_EXIT_OK;
}

static int run_show(struct ay_cli *cli, const struct ay_args *args)
{
	return call_host(cli, "GET", args->pos[0], "", NULL, print_host);
}

/* Attest and wait; exit 1 unless the verdict is trusted. */
static int run_attest(struct ay_cli *cli, const struct ay_args *args)
{
	const char *wait = ay_args_opt(args, "wait", 0);
	struct ay_client *c;
	struct ay_answer a;
	char after[64];
	char *path;
	int rc;

	if (wait != NULL &&
	    (wait[0] == '\0' || strlen(wait) > 4 || strspn(wait, "0123456789") != strlen(wait)))
		return ay_cli_error(AY_EXIT_USAGE, "--wait %s: a number of seconds", wait);
	rc = ay_client_open(cli, &c);
	if (rc != AY_EXIT_OK)
		return rc;
	snprintf(after, sizeof(after), "/attest?wait=%s", wait == NULL ? "30" : wait);
	path = ay_client_path("/hosts/", args->pos[0], after);
	rc = path == NULL ? ay_cli_error(AY_EXIT_IO, "out of memory")
			  : ay_client_call(c, "POST", path, NULL, NULL, &a);
	if (rc == AY_EXIT_OK) {
		if (a.status == 202)
			rc = ay_cli_error(AY_EXIT_FINDING,
					  "%s has not answered yet; the server goes on waiting",
					  args->pos[0]);
		else
			rc = ay_report_print(cli, a.json, false);
		ay_answer_fini(&a);
	}
	free(path);
	ay_client_close(c);
	return rc;
}

static int print_explained(struct ay_cli *cli, const json_t *j)
{
	return ay_report_print(cli, j, true);
}

static int run_explain(struct ay_cli *cli, const struct ay_args *args)
{
	return call_host(cli, "GET", args->pos[0], "/report", NULL, print_explained);
}

static int run_acknowledge(struct ay_cli *cli, const struct ay_args *args)
{
	const char *reason = ay_args_opt(args, "reason", 0);

	if (reason == NULL)
		return ay_cli_error(AY_EXIT_USAGE,
				    "say why with --reason TEXT; it is kept in the audit log");
	return call_host(cli, "POST", args->pos[0], "/acknowledge",
			 json_pack("{s:s}", "reason", reason), print_added);
}

static int run_change(struct ay_cli *cli, const struct ay_args *args)
{
	static const char *const texts[] = { "name", "connect" };
	json_t *body = json_object();
	int rc = ay_cli_add_tls_policy(args, body);

	for (size_t i = 0; i < AY_COUNT(texts); i++) {
		const char *v = ay_args_opt(args, texts[i], 0);

		if (v != NULL)
			json_object_set_new(body, texts[i], json_string(v));
	}
	if (rc == AY_EXIT_OK)
		rc = ay_cli_add_labels(args, body);
	if (rc == AY_EXIT_OK && json_object_size(body) == 0)
		rc = ay_cli_error(AY_EXIT_USAGE, "say what to change: --name, --connect, "
						 "--tls-policy, --label");
	if (rc == AY_EXIT_OK)
		return call_host(cli, "PATCH", args->pos[0], "", body, print_host);
	json_decref(body);
	return rc;
}

static int run_remove(struct ay_cli *cli, const struct ay_args *args)
{
	return call_host(cli, "DELETE", args->pos[0], "", NULL, NULL);
}

#define AY_TLS_POLICY_OPT                                                                          \
	{                                                                                          \
		"tls-policy", "POLICY",                                                            \
			"whom to believe there: certificate=@FILE, certificate_digest=SHA256, "    \
			"public_key=@FILE, "                                                       \
			"public_key_digest=SHA256 or trust_first_use"                              \
	}

static const struct ay_opt add_opts[] = {
	{ "connect", "HOST:PORT",
	  "the agent listens there, or a connection string of a manager that speaks for the host; "
	  "without it the agent dials the server" },
	{ "secret-file", "FILE", "its first line is the password at that manager" },
	AY_TLS_POLICY_OPT,
	{ "agent-key", "SHA256", "key of the listening agent (assay-agent fingerprint)" },
	{ "token", "TOKEN", "the listening agent was given this enrolment token" },
	{ "trust-first-use", NULL, "believe whoever answers there; audited, shown as tls_tofu" },
	{ "label", "K=V", "label of the host; may be repeated" },
	{ NULL, NULL, NULL },
};
static const struct ay_opt change_opts[] = {
	{ "name", "NAME", "new name" },
	{ "connect", "HOST:PORT", "the agent listens there now" },
	AY_TLS_POLICY_OPT,
	{ "label", "K=V", "label; those given replace all it has" },
	{ NULL, NULL, NULL },
};
static const struct ay_opt attest_opts[] = {
	{ "wait", "SECONDS", "how long to wait for the verdict (30)" },
	{ NULL, NULL, NULL },
};
static const struct ay_opt acknowledge_opts[] = {
	{ "reason", "TEXT", "why; kept in the audit log" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_host_add = { "host", "add", "NAME", 1, 1, add_opts, "register a host",
					run_add };
const struct ay_cmd ay_cmd_host_list = {
	"host", "list", "", 0, 0, NULL, "all hosts with their verdicts", run_list
};
const struct ay_cmd ay_cmd_host_show = { "host", "show", "HOST", 1, 1, NULL, "one host", run_show };
const struct ay_cmd ay_cmd_host_attest = {
	"host", "attest", "HOST", 1, 1, attest_opts, "attest now and print the report", run_attest
};
const struct ay_cmd ay_cmd_host_explain = {
	"host", "explain", "HOST", 1, 1, NULL, "why the host has its verdict, in words", run_explain
};
const struct ay_cmd ay_cmd_host_acknowledge = { "host",
						"acknowledge",
						"HOST",
						1,
						1,
						acknowledge_opts,
						"end a failure that stays in force",
						run_acknowledge };
const struct ay_cmd ay_cmd_host_change = { "host",
					   "change",
					   "HOST",
					   1,
					   1,
					   change_opts,
					   "change name, address, TLS policy or labels",
					   run_change };
const struct ay_cmd ay_cmd_host_remove = {
	"host",	   "remove", "HOST", 1, 1, NULL, "remove a host and revoke its AIK certificate",
	run_remove
};
