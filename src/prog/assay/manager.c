/* SPDX-License-Identifier: Apache-2.0 */
/* assay manager list | set | remove, assay host import */
#include "prog/assay/manager.h"

#include "core/crypto/secret.h"
#include "prog/assay/client.h"
#include "prog/assay/commands.h"
#include "prog/assay/list.h"
#include "prog/assay/prompt.h"

enum { SECRET_ROOM = 520 };

int ay_cli_add_secret(const struct ay_args *args, json_t *body)
{
	const char *file = ay_args_opt(args, "secret-file", 0);
	char secret[SECRET_ROOM];
	int rc;

	if (file == NULL)
		return AY_EXIT_OK;
	rc = ay_prompt_secret("Password at the manager: ", file, secret, sizeof(secret));
	if (rc == AY_EXIT_OK)
		json_object_set_new(body, "secret", json_string(secret));
	ay_wipe(secret, sizeof(secret));
	return rc;
}

static int common(const struct ay_args *args, json_t *body)
{
	int rc = ay_cli_add_tls_policy(args, body);

	if (ay_args_has(args, "trust-first-use"))
		json_object_set_new(body, "trust_first_use", json_true());
	return rc == AY_EXIT_OK ? ay_cli_add_secret(args, body) : rc;
}

static int print_manager(struct ay_cli *cli, const json_t *j)
{
	(void)cli;
	printf("%s  %s  %lld hosts\n", ay_answer_text(j, "connect", "-"),
	       ay_answer_text(json_object_get(j, "tls_policy"), "kind", "-"),
	       (long long)json_integer_value(json_object_get(j, "hosts")));
	return AY_EXIT_OK;
}

static int run_set(struct ay_cli *cli, const struct ay_args *args)
{
	json_t *body = json_pack("{s:s}", "connect", args->pos[0]);
	int rc = common(args, body);

	if (rc == AY_EXIT_OK)
		return ay_cli_call(cli, "POST", "/managers", body, print_manager);
	json_decref(body);
	return rc;
}

static int run_remove(struct ay_cli *cli, const struct ay_args *args)
{
	return ay_cli_call(cli, "POST", "/managers/remove",
			   json_pack("{s:s}", "connect", args->pos[0]), NULL);
}

static void tls_cell(struct ay_table *t, const json_t *m)
{
	ay_table_add(t, ay_answer_text(json_object_get(m, "tls_policy"), "kind", "-"));
}

static int run_list(struct ay_cli *cli, const struct ay_args *args)
{
	static const struct ay_column columns[] = {
		{ "MANAGER", "connect", NULL }, { "TLS", NULL, tls_cell },
		{ "HOSTS", "hosts", NULL },	{ "SINCE", "created_at", NULL },
		{ NULL, NULL, NULL },
	};
	static const struct ay_list list = { "/managers?limit=500", "connect", columns };

	(void)args;
	return ay_cli_list(cli, &list);
}

/* Exit 1 when one of them was not registered. */
static int print_imported(struct ay_cli *cli, const json_t *j)
{
	const json_t *o;
	int rc = AY_EXIT_OK;
	size_t i;

	(void)cli;
	json_array_foreach (json_object_get(j, "items"), i, o) {
		bool ok = json_integer_value(json_object_get(o, "status")) == 201;

		printf("%-30s  %s\n", ay_answer_text(o, "host", "-"),
		       ok ? ay_answer_text(o, "id", "would be registered")
			  : ay_answer_text(o, "text", "refused"));
		rc = ok ? rc : AY_EXIT_FINDING;
	}
	return rc;
}

static int run_import(struct ay_cli *cli, const struct ay_args *args)
{
	const char *from = ay_args_opt(args, "from", 0), *policy = ay_args_opt(args, "policy", 0);
	json_t *body = json_object();
	int rc = from == NULL
			 ? ay_cli_error(AY_EXIT_USAGE,
					"give --from vmware:https://VCENTER/sdk;c=CLUSTER;u=USER")
			 : common(args, body);

	if (from != NULL)
		json_object_set_new(body, "from", json_string(from));
	if (policy != NULL)
		json_object_set_new(body, "policy", json_string(policy));
	if (ay_args_has(args, "dry-run"))
		json_object_set_new(body, "dry_run", json_true());
	if (rc == AY_EXIT_OK)
		rc = ay_cli_add_labels(args, body);
	if (rc == AY_EXIT_OK)
		return ay_cli_call(cli, "POST", "/hosts/import", body, print_imported);
	json_decref(body);
	return rc;
}

#define AY_MANAGER_OPTS                                                                            \
	{ "secret-file", "FILE", "its first line is the password at the manager" },                \
		{ "tls-policy", "KIND[=VALUE]",                                                    \
		  "whom to believe there: certificate, certificate_digest, public_key, "           \
		  "public_key_digest or ca, =HEX or =@FILE" },                                     \
	{                                                                                          \
		"trust-first-use", NULL, "believe whoever answers there the first time"            \
	}

static const struct ay_opt set_opts[] = { AY_MANAGER_OPTS, { NULL, NULL, NULL } };
static const struct ay_opt import_opts[] = {
	{ "from", "STRING", "connection string; c=CLUSTER takes the hosts of one cluster" },
	AY_MANAGER_OPTS,
	{ "label", "K=V", "label of each host; may be repeated" },
	{ "policy", "NAME", "trust policy of each host" },
	{ "dry-run", NULL, "only say which" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_manager_list = {
	"manager", "list", "", 0, 0, NULL, "managers that speak for hosts without agent", run_list
};
const struct ay_cmd ay_cmd_manager_set = {
	"manager", "set", "STRING", 1, 1, set_opts, "keep a manager's password and TLS policy",
	run_set
};
const struct ay_cmd ay_cmd_manager_remove = { "manager",
					      "remove",
					      "STRING",
					      1,
					      1,
					      NULL,
					      "forget a manager that no host is reached through",
					      run_remove };
const struct ay_cmd ay_cmd_host_import = {
	"host", "import", "", 0, 0, import_opts, "register the hosts that a manager has", run_import
};
