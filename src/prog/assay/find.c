/* SPDX-License-Identifier: Apache-2.0 */
/* assay host find */
#include "prog/assay/client.h"
#include "prog/assay/commands.h"
#include "prog/assay/table.h"

#include <stdlib.h>
#include <string.h>

static void host_row(struct ay_table *t, const json_t *h)
{
	const json_t *pcr = json_object_get(h, "pcr");

	ay_table_add(t, ay_answer_text(h, "name", ay_answer_text(h, "host", NULL)));
	ay_table_add(t, ay_answer_text(h, "first_seen", NULL));
	ay_table_add(t, ay_answer_text(h, "last_seen", NULL));
	if (json_is_integer(pcr))
		ay_table_addf(t, "%lld", (long long)json_integer_value(pcr));
	else
		ay_table_add(t, NULL);
	ay_table_add(t, ay_answer_text(h, "path", ay_answer_text(h, "what", NULL)));
}

static void print_hosts(struct ay_cli *cli, const json_t *items)
{
	static const char *const heads[] = {
		"HOST", "FIRST SEEN", "LAST SEEN", "PCR", "WHAT", NULL
	};
	struct ay_table t;
	json_t *h;
	size_t i;

	if (json_array_size(items) == 0) {
		puts("no host has loaded this digest, as far as history is kept");
		return;
	}
	ay_table_init(&t, cli, heads);
	json_array_foreach (items, i, h)
		host_row(&t, h);
	ay_table_print(&t, stdout);
}

static int run_find(struct ay_cli *cli, const struct ay_args *args)
{
	const char *digest = ay_args_opt(args, "digest", 0);
	json_t *items = NULL;
	struct ay_client *c;
	char *path;
	int rc;

	if (digest == NULL)
		return ay_cli_error(AY_EXIT_USAGE, "give the digest with --digest HEX");
	rc = ay_client_open(cli, &c);
	if (rc != AY_EXIT_OK)
		return rc;
	path = ay_client_path("/digests/", digest, "?limit=1000");
	rc = path == NULL ? ay_cli_error(AY_EXIT_IO, "out of memory")
			  : ay_client_list(c, path, &items);
	free(path);
	ay_client_close(c);
	if (rc != AY_EXIT_OK)
		return rc;
	if (cli->json)
		rc = ay_cli_print_items(items);
	else
		print_hosts(cli, items);
	json_decref(items);
	return rc;
}

static const struct ay_opt find_opts[] = {
	{ "digest", "HEX", "of a boot event, in any bank, or of a file in an IMA list" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_host_find = { "host",
					 "find",
					 "",
					 0,
					 0,
					 find_opts,
					 "which hosts ever loaded a digest, first and last when",
					 run_find };
