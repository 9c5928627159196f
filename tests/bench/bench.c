/* SPDX-License-Identifier: Apache-2.0 */
/* usage: bench [SECONDS [GROUP]]: the figures that need no server (tools/make-bench has the
 * others). */
#include "bench/bench.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double bench_cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void bench_print(const char *name, double value, const char *unit)
{
	printf("{\"%s\": {\"value\": %.1f, \"unit\": \"%s\"}}\n", name, value, unit);
	fflush(stdout);
}

void bench_die(const char *what)
{
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(double seconds);
	} groups[] = { { "appraise", bench_appraise }, { "logs", bench_logs },
		       { "tls", bench_tls },	       { "saml", bench_saml },
		       { "runtime", bench_runtime },   { "history", bench_history } };
	double seconds = argc > 1 ? atof(argv[1]) : 1.0;

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (argc < 3 || strcmp(argv[2], groups[i].name) == 0)
			groups[i].run(seconds);
	return 0;
}
