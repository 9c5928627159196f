/* SPDX-License-Identifier: Apache-2.0 */
/* assayd: the attestation server. Reads the options and the configuration. */
#include "prog/assayd/keys.h"
#include "prog/assayd/keysverb.h"
#include "prog/assayd/processes.h"
#include "prog/assayd/staged.h"

#include "io/sys/file.h"
#include "io/sys/listeners.h"
#include "io/sys/log.h"
#include "io/sys/service.h"
#include "prog/assayd/api/api.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_FILE = 3 };

static const char usage[] =
	"usage: assayd [--config FILE]          serve in the foreground\n"
	"       assayd init [--config FILE]     make keys, Privacy CA, store, administrator's "
	"token\n"
	"       assayd first-admin [--config F] a new one-time link to make an administrator with\n"
	"       assayd backup FILE [--config F] a sound copy of the store, also while a server "
	"runs\n"
	"       assayd restore FILE [--config F] put a backup in force; a server that runs starts "
	"anew\n"
	"       assayd keys list [--config F]   keys and certificates of the server\n"
	"       assayd keys rotate NAME [--revoke] [--config F]\n"
	"                                       a new one; with --revoke the old one was lost\n"
	"       assayd keys finish NAME [--force] [--config F]\n"
	"                                       root, ca-root, order: in force when hosts pin it\n"
	"       assayd -n [--config FILE]       check the configuration and exit\n"
	"       assayd --version | --help\n"
	"FILE is /etc/assay/assayd.conf if not given.\n";

struct options {
	const char *config;
	bool is_check, is_init, is_link;
	const char *backup, *restore; /* file, or NULL */
	bool is_keys;
	struct ay_keys_verb keys;
};

static bool read_verb(int n, char **word, struct options *o)
{
	if (n == 0)
		return true;
	o->is_init = n == 1 && strcmp(word[0], "init") == 0;
	o->is_link = n == 1 && strcmp(word[0], "first-admin") == 0;
	if (n == 2 && strcmp(word[0], "backup") == 0)
		o->backup = word[1];
	if (n == 2 && strcmp(word[0], "restore") == 0)
		o->restore = word[1];
	o->is_keys = n >= 2 && strcmp(word[0], "keys") == 0 &&
		     ((n == 2 && strcmp(word[1], "list") == 0) ||
		      (n == 3 && strcmp(word[1], "rotate") == 0) ||
		      (n == 3 && strcmp(word[1], "finish") == 0));
	if (o->is_keys && n == 3)
		*(word[1][0] == 'r' ? &o->keys.rotate : &o->keys.finish) = word[2];
	if ((o->keys.revoke && o->keys.rotate == NULL) || (o->keys.force && o->keys.finish == NULL))
		return false;
	return o->is_init || o->is_link || o->is_keys || o->backup != NULL || o->restore != NULL;
}

static int print_tables(void)
{
	json_t *all = ay_api_tables();
	int rc = all == NULL ? -1 : json_dumpf(all, stdout, JSON_COMPACT);

	json_decref(all);
	return rc == 0 ? EXIT_DONE : EXIT_FAILED;
}

/* Exit status, or -1 to go on. */
static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = { { "config", required_argument, NULL, 'c' },
					       { "routes", no_argument, NULL, 'R' },
					       { "revoke", no_argument, NULL, 'K' },
					       { "force", no_argument, NULL, 'F' },
					       { "version", no_argument, NULL, 'V' },
					       { "help", no_argument, NULL, 'h' },
					       { NULL, 0, NULL, 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "c:n", longs, NULL)) != -1) {
		if (c == 'c') {
			o->config = optarg;
		} else if (c == 'K') {
			o->keys.revoke = true;
		} else if (c == 'F') {
			o->keys.force = true;
		} else if (c == 'n') {
			o->is_check = true;
		} else if (c == 'R') { /* for tests: what may be asked, and by whom */
			return print_tables();
		} else if (c == 'V') {
			printf("assayd %s\n", AY_VERSION);
			return EXIT_DONE;
		} else {
			fputs(usage, c == 'h' ? stdout : stderr);
			return c == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	}
	if (read_verb(argc - optind, argv + optind, o))
		return -1;
	fputs(usage, stderr);
	return EXIT_USAGE;
}

static int init(const struct ay_config *config)
{
	const char *state = ay_config_str(config, "state_dir");
	struct ay_err e = { 0 };

	if (ay_server_init(config, &e) != AY_OK) {
		fprintf(stderr, "assayd: init: %s\n", e.text);
		return EXIT_FAILED;
	}
	printf("root certificate     %s/%s\n", state, AY_FILE_ROOT_CERT);
	printf("administrator token  %s/%s\n", state, AY_FILE_ADMIN_TOKEN);
	printf("administrator link   %s/%s  (serves once)\n", state, AY_FILE_FIRST_ADMIN);
	return EXIT_DONE;
}

static int make_link(const struct ay_config *config)
{
	struct ay_err e = { 0 };

	if (ay_admin_link(config, &e) != AY_OK) {
		fprintf(stderr, "assayd: first-admin: %s\n", e.text);
		return EXIT_FAILED;
	}
	printf("administrator link   %s/%s  (serves once)\n", ay_config_str(config, "state_dir"),
	       AY_FILE_FIRST_ADMIN);
	return EXIT_DONE;
}

static int copy_store(const struct ay_config *config, const struct options *o)
{
	struct ay_err e = { 0 };
	enum ay_rc rc = o->backup != NULL ? ay_admin_backup(config, o->backup, &e)
					  : ay_admin_restore(config, o->restore, &e);

	if (rc == AY_OK)
		return EXIT_DONE;
	fprintf(stderr, "assayd: %s%s%s\n", e.code, e.code[0] != '\0' ? ": " : "", e.text);
	return rc == AY_E_NOENT ? EXIT_FILE : EXIT_FAILED;
}

static int serve(const struct ay_config *config)
{
	char path[PATH_MAX];
	struct ay_err e = { 0 };

	if (!ay_config_state_path(config, AY_FILE_ROOT_CERT, path, sizeof(path)) ||
	    !ay_file_exists(path)) {
		fprintf(stderr, "assayd: %s has no keys: run `assayd init` first\n",
			ay_config_str(config, "state_dir"));
		return EXIT_FILE;
	}
	if (ay_keys_settle(config, &e) != AY_OK || ay_staged_settle(config, &e) != AY_OK) {
		fprintf(stderr, "assayd: keys: %s\n", e.text);
		return EXIT_FILE;
	}
	return ay_parent_run(config) == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int run(const struct ay_config *config, const struct options *o)
{
	if (o->backup != NULL || o->restore != NULL)
		return copy_store(config, o);
	if (o->is_link)
		return make_link(config);
	if (o->is_keys)
		return ay_keys_verb_run(config, &o->keys);
	return o->is_init ? init(config) : serve(config);
}

int main(int argc, char **argv)
{
	struct options o = { .config = "/etc/assay/assayd.conf" };
	struct ay_config *config;
	struct ay_err e = { 0 };
	int status = read_options(argc, argv, &o);
	enum ay_rc rc;

	if (status >= 0)
		return status;
	rc = ay_config_load(AY_PROGRAM_ASSAYD, o.config, &config, &e);
	if (rc == AY_OK)
		rc = ay_listeners_check(config, &e);
	if (rc != AY_OK) {
		fprintf(stderr, "assayd: %s\n", e.text);
		return rc == AY_E_INPUT ? EXIT_USAGE : EXIT_FILE;
	}
	ay_service_init();
	ay_log_init("assayd", "parent", ay_config_str(config, "log_level"),
		    ay_config_str(config, "log_format"));
	if (!o.is_check)
		status = run(config, &o);
	ay_config_free(config);
	return o.is_check ? EXIT_DONE : status;
}
