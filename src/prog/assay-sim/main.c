/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/privkey.h"
#include "io/sys/file.h"
#include "prog/assay-sim/ekca.h"
#include "prog/assay-sim/evidence.h"
#include "prog/assay-sim/fleet.h"
#include "prog/assay-sim/keep.h"
#include "prog/assay-sim/keys.h"
#include "prog/assay-sim/machine.h"

#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

enum { EXIT_SIM_FAILED = 1, EXIT_SIM_USAGE = 2, HOSTS_MAX = 1000000 };

static const struct option options[] = {
	{ "server", required_argument, NULL, 's' },
	{ "token", required_argument, NULL, 't' },
	{ "hosts", required_argument, NULL, 'n' },
	{ "first", required_argument, NULL, 'f' },
	{ "seconds", required_argument, NULL, 'd' },
	{ "json", no_argument, NULL, 'j' },
	{ "ak", required_argument, NULL, 'a' },
	{ "state", required_argument, NULL, 'S' },
	{ "ek-ca", required_argument, NULL, 'e' },
	{ "make-ek-ca", required_argument, NULL, 'm' },
	{ "prefix", required_argument, NULL, 'p' },
	{ "bad", required_argument, NULL, 'b' },
	{ "bad-share", required_argument, NULL, 'B' },
	{ "reconnect", required_argument, NULL, 'r' },
	{ "notice", no_argument, NULL, 'N' },
	{ "burst", no_argument, NULL, 'u' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void help(void)
{
	printf("usage: assay-sim --server HOST:PORT --token T --hosts N --seconds S [--json]\n"
	       "       assay-sim --make-ek-ca DIR\n\n"
	       "A fleet of simulated hosts with genuine structures and signatures.\n\n"
	       "  --server HOST:PORT  agent channel of the server (default: the token's first)\n"
	       "  --token T           enrolment token, or @FILE; its pins are used by every run\n"
	       "  --hosts N           hosts (default 10)\n"
	       "  --first I           number of the first host (default 0)\n"
	       "  --seconds S         how long to go on once all are connected (default 10)\n"
	       "  --json              print the result as JSON\n"
	       "  --ak KIND           p256 or rsa2048 (default p256)\n"
	       "  --state DIR         keep keys and ids there; a second run does not enrol again\n"
	       "  --ek-ca DIR         sign EKs by the CA that --make-ek-ca DIR made\n"
	       "  --make-ek-ca DIR    make a CA for EKs, as trust set DIR/vtpm-sim, and end\n"
	       "  --prefix P          of the hosts' names (default sim-)\n"
	       "  --bad MODE          misbehave so; may be given more than once\n"
	       "  --bad-share F       share of answers that are bad (default 0.01 with --bad)\n"
	       "  --reconnect N       every host reconnects N times, by resumption\n"
	       "  --notice            ask to be attested again after each result\n"
	       "  --burst             hold the answers until every host has signed, then send "
	       "all\n\n"
	       "modes of --bad:\n");
#define X(id, name, doc) printf("  %-18s  %s\n", name, doc);
	SIM_BAD_MODES
#undef X
}

static int usage(const char *text, const char *what)
{
	fprintf(stderr, "assay-sim: %s%s%s (--help)\n", text, what ? ": " : "", what ? what : "");
	return EXIT_SIM_USAGE;
}

static bool number(const char *text, unsigned max, unsigned *out)
{
	char *end;
	unsigned long v = strtoul(text, &end, 10);

	*out = (unsigned)v;
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && v <= max;
}

static bool share(const char *text, unsigned *per_million)
{
	char *end;
	double v = strtod(text, &end);

	*per_million = v >= 0 && v <= 1 ? (unsigned)(v * 1000000) : 0;
	return *end == '\0' && v >= 0 && v <= 1;
}

static bool add_bad(struct sim_conf *c, const char *name)
{
	enum sim_bad b = sim_bad_find(name);

	if (b == SIM_BADS || c->n_bad == SIM_BADS)
		return false;
	if (c->bad_per_million == 0)
		c->bad_per_million = 10000;
	c->bad[c->n_bad++] = b;
	return true;
}

static bool take_ak(struct sim_conf *c, const char *name)
{
	if (strcmp(name, "p256") != 0 && strcmp(name, "rsa2048") != 0)
		return false;
	c->ak = name[0] == 'p' ? SIM_AK_P256 : SIM_AK_RSA2048;
	return true;
}

/* One option; false when its value is none. */
static bool take(struct sim_conf *c, int o, const char *v)
{
	switch (o) {
	case 's':
		c->server = v;
		return true;
	case 't':
		c->token_text = v;
		return true;
	case 'n':
		return number(v, HOSTS_MAX, &c->hosts) && c->hosts > 0;
	case 'f':
		return number(v, HOSTS_MAX, &c->first);
	case 'd':
		return number(v, 86400, &c->seconds);
	case 'a':
		return take_ak(c, v);
	case 'S':
		c->state_dir = v;
		return true;
	case 'e':
		c->ek_ca_dir = v;
		return true;
	case 'p':
		c->prefix = v;
		return strlen(v) < 100;
	case 'b':
		return add_bad(c, v);
	case 'B':
		return share(v, &c->bad_per_million);
	case 'r':
		return number(v, 1000000, &c->reconnects);
	default:
		return false;
	}
}

static enum ay_rc read_token(struct sim_conf *c, struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes file = { 0 };
	struct ay_bytes text = ay_bytes_of(c->token_text);
	enum ay_rc rc = AY_OK;

	if (c->token_text[0] == '@') {
		rc = ay_file_read(c->token_text + 1, AY_MAX_TOKEN_BYTES, &file, e);
		text = file;
	}
	while (text.n > 0 && (text.p[text.n - 1] == '\n' || text.p[text.n - 1] == ' '))
		text.n--;
	return rc == AY_OK ? ay_token_parse(text, &c->token, e) : rc;
}

/* The latency that this share of answers did not exceed, in ms. */
static double percentile(const struct sim_stats *st, double p)
{
	uint64_t want = (uint64_t)((double)st->n_latencies * p), seen = 0;

	for (size_t i = 0; st->n_latencies > 0 && i < 1000000; i++) {
		seen += st->latency[i];
		if (seen > want)
			return ((double)i + 0.5) / 10;
	}
	return 0;
}

static double cpu_seconds(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)r.ru_utime.tv_sec + (double)r.ru_stime.tv_sec +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void print_result(const struct sim *s)
{
	const struct sim_stats *st = &s->stats;
	json_t *o;

	if (!s->conf.json) {
		printf("connected %u, accepted %llu, rejected %llu (bad sent %llu), p50 %.1f ms, "
		       "p99 %.1f ms\n",
		       st->up, (unsigned long long)st->accepted, (unsigned long long)st->rejected,
		       (unsigned long long)st->bad_sent, percentile(st, 0.5), percentile(st, 0.99));
		return;
	}
	o = json_pack("{s:I, s:I, s:I, s:f, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f}",
		      "connected", (json_int_t)st->up, "accepted", (json_int_t)st->accepted,
		      "rejected", (json_int_t)st->rejected, "p50_ms", percentile(st, 0.5), "p99_ms",
		      percentile(st, 0.99), "trusted", (json_int_t)st->trusted, "unknown",
		      (json_int_t)st->unknown, "bad_sent", (json_int_t)st->bad_sent, "bad_accepted",
		      (json_int_t)st->bad_accepted, "enrolled", (json_int_t)st->enrolled, "failed",
		      (json_int_t)st->failed, "handshakes_full", (json_int_t)st->full,
		      "handshakes_resumed", (json_int_t)st->resumed, "cpu_seconds", cpu_seconds());
	json_dumpf(o, stdout, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6));
	printf("\n");
	json_decref(o);
}

static enum ay_rc run(struct sim *s, struct ay_err *e)
{
	enum ay_rc rc = read_token(&s->conf, e);

	if (s->conf.server == NULL)
		s->conf.server = s->conf.token.servers[0];
	s->host = calloc(s->conf.hosts, sizeof(*s->host));
	if (s->host == NULL)
		return ay_fail(e, AY_E_NOMEM, "sim", 0, "out of memory");
	if (rc == AY_OK && s->conf.state_dir != NULL)
		rc = sim_keep_load(s, e);
	if (rc == AY_OK && s->conf.ek_ca_dir != NULL)
		rc = sim_ekca_load(s, e);
	if (rc == AY_OK && s->conf.ak == SIM_AK_RSA2048)
		rc = sim_rsa_pool(s, e);
	if (rc == AY_OK)
		rc = sim_machine_make(s, e);
	if (rc == AY_OK)
		rc = sim_fleet_init(s, e);
	return rc == AY_OK ? sim_fleet_run(s, e) : rc;
}

static void raise_limit(void)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) == 0) {
		l.rlim_cur = l.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &l); /* else fewer hosts fit */
	}
}

static int run_fleet(struct sim *s)
{
	struct ay_err e = { 0 };
	enum ay_rc rc = run(s, &e);
	int code = rc == AY_OK && s->stats.most_up > 0 ? 0 : EXIT_SIM_FAILED;

	if (rc != AY_OK)
		fprintf(stderr, "assay-sim: %s%s%s\n", e.code, e.code[0] ? ": " : "", e.text);
	else
		print_result(s);
	sim_fleet_fini(s);
	sim_machine_free(s);
	sim_ekca_free(s);
	sim_rsa_pool_free(s);
	if (s->state_file != NULL)
		fclose(s->state_file);
	return code;
}

int main(int argc, char **argv)
{
	static struct sim s = { .conf = { .hosts = 10, .seconds = 10, .prefix = "sim-" } };
	struct ay_err e = { 0 };
	int o;

	while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (o == 'h' || o == 'V') {
			if (o == 'h')
				help();
			else
				printf("assay-sim %s\n", AY_VERSION);
			return 0;
		}
		if (o == 'm') {
			if (sim_ekca_make(optarg, &e) != AY_OK)
				return usage(e.text, optarg) - EXIT_SIM_USAGE + EXIT_SIM_FAILED;
			return 0;
		}
		if (o == 'j')
			s.conf.json = true;
		else if (o == 'N')
			s.conf.notice = true;
		else if (o == 'u')
			s.conf.burst = true;
		else if (o == '?' || !take(&s.conf, o, optarg))
			return usage("wrong option or value", optarg);
	}
	if (optind < argc || s.conf.token_text == NULL)
		return usage("give a token with --token", NULL);
	signal(SIGPIPE, SIG_IGN);
	raise_limit();
	return run_fleet(&s);
}
