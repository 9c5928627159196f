/* SPDX-License-Identifier: Apache-2.0 */
/* assay-ca: the Privacy CA as a program of its own. */
#include "core/base/hex.h"
#include "io/sys/log.h"
#include "io/sys/service.h"
#include "prog/assay-ca/cakeys.h"
#include "prog/assay-ca/listen.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_FILE = 3 };

static const char usage[] =
	"usage: assay-ca [--config FILE]         serve in the foreground\n"
	"       assay-ca init [--config FILE]    make keys and certificates, print the pin\n"
	"       assay-ca -n [--config FILE]      check the configuration and end\n"
	"       assay-ca --version | --help\n";

static int init(const struct ay_config *c)
{
	const char *dir = ay_config_str(c, "state_dir");
	struct ay_err e = { 0 };
	uint8_t pin[32];
	char hex[65];
	enum ay_rc rc = ay_ca_init(dir, &e);

	if (rc == AY_OK)
		rc = ay_ca_pin(dir, pin, &e);
	if (rc != AY_OK) {
		fprintf(stderr, "assay-ca: init: %s\n", e.text);
		return rc == AY_E_EXISTS ? EXIT_FAILED : EXIT_FILE;
	}
	ay_hex_encode(AY_BYTES(pin), hex);
	printf("root certificate  %s/root.pem\nca pin            %s\n", dir, hex);
	return EXIT_DONE;
}

static int serve(const struct ay_config *c)
{
	struct ay_err e = { 0 };
	enum ay_rc rc;

	ay_service_init();
	ay_log_init("assay-ca", "main", ay_config_str(c, "log_level"),
		    ay_config_str(c, "log_format"));
	rc = ay_ca_listen(c, &e);
	if (rc == AY_OK)
		return EXIT_DONE;
	fprintf(stderr, "assay-ca: %s: %s\n", e.where, e.text);
	return EXIT_FILE;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
						 { "help", no_argument, NULL, 'h' },
						 { "version", no_argument, NULL, 'V' },
						 { 0 } };
	const char *path = "/etc/assay/assay-ca.conf";
	struct ay_config *config = NULL;
	struct ay_err e = { 0 };
	bool check = false;
	int opt, status;

	while ((opt = getopt_long(argc, argv, "c:hnV", options, NULL)) != -1) {
		if (opt == 'c') {
			path = optarg;
		} else if (opt == 'n') {
			check = true;
		} else if (opt == 'V') {
			puts("assay-ca " AY_VERSION);
			return EXIT_DONE;
		} else {
			fputs(usage, opt == 'h' ? stdout : stderr);
			return opt == 'h' ? EXIT_DONE : EXIT_USAGE;
		}
	}
	if (argc - optind > 1 || (argc - optind == 1 && strcmp(argv[optind], "init") != 0)) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (ay_config_load(AY_PROGRAM_ASSAY_CA, path, &config, &e) != AY_OK) {
		fprintf(stderr, "assay-ca: %s\n", e.text);
		return e.rc == AY_E_INPUT ? EXIT_USAGE : EXIT_FILE;
	}
	status = check ? EXIT_DONE : argc - optind == 1 ? init(config) : serve(config);
	ay_config_free(config);
	return status;
}
