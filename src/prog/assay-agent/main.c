/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/hex.h"
#include "io/ipc/ipc.h"
#include "io/net/cert.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "io/sys/log.h"
#include "io/sys/service.h"
#include "prog/assay-agent/orders.h"
#include "prog/assay-agent/status.h"

/*
 * Verbs of assay-agent, and the parent of its two processes: starts both, and
 * both again when one of them ends.
 */
static const char default_config[] = "/etc/assay/assay-agent.conf";
static const char key_life_cn[] = "assay-agent";

enum { KEY_LIFE_S = 20 * 365 * 86400, RESTART_MS = 1000 };

struct options {
	const char *verb;
	const char *config;
	const char *token;
	bool listen, json;
};

static int usage(FILE *f, int code)
{
	fputs("usage: assay-agent VERB [--config FILE] ...\n"
	      "\n"
	      "  enrol [--token TOKEN] [--listen]  make this host known to its server, then end\n"
	      "  run                               serve the server's challenges\n"
	      "  status [--json]                   what this host is, its last verdict\n"
	      "  take-ownership                    give a TPM 1.2 an owner (allow = "
	      "take-ownership)\n"
	      "  fingerprint                       SHA-256 of the agent's key, for --agent-key\n"
	      "\n"
	      "  --config FILE   default /etc/assay/assay-agent.conf\n"
	      "  --token TOKEN   as `assay token create` prints it; @FILE reads it from a file\n"
	      "  --listen        wait for the server at the address of key `listen`\n"
	      "  --version, --help\n"
	      "\n"
	      "Exit: 0 done, 1 refused, 2 usage or configuration, 3 no file or server.\n",
	      f);
	return code;
}

static bool is_verb(const char *s)
{
	static const char *const verbs[] = { "enrol", "run", "status", "fingerprint",
					     "take-ownership" };

	for (size_t i = 0; i < AY_COUNT(verbs); i++)
		if (strcmp(s, verbs[i]) == 0)
			return true;
	return false;
}

/* -1: go on; else an exit code. */
static int parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "token", required_argument, NULL, 't' },
		{ "listen", no_argument, NULL, 'l' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	*o = (struct options){ .config = default_config };
	while ((c = getopt_long(argc, argv, "c:hV", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
			break;
		case 't':
			o->token = optarg;
			break;
		case 'l':
			o->listen = true;
			break;
		case 'j':
			o->json = true;
			break;
		case 'h':
			return usage(stdout, AY_EXIT_OK);
		case 'V':
			puts("assay-agent " AY_VERSION);
			return AY_EXIT_OK;
		default:
			return usage(stderr, AY_EXIT_USAGE);
		}
	}
	if (optind + 1 != argc || !is_verb(argv[optind]))
		return usage(stderr, AY_EXIT_USAGE);
	o->verb = argv[optind];
	return -1;
}

static int complain(const struct ay_err *e, int code)
{
	if (e->code[0] != '\0')
		fprintf(stderr, "%s: ", e->code);
	/* what is wrong with a configuration says its file and line itself */
	if (e->where == NULL || strcmp(e->where, "config") != 0) {
		fprintf(stderr, "%s", e->where != NULL ? e->where : "assay-agent");
		if (e->offset > 0)
			fprintf(stderr, ":%zu", e->offset);
		fprintf(stderr, ": ");
	}
	fprintf(stderr, "%s\n", e->text);
	return code;
}

static enum ay_rc state_path(const struct ay_agent *a, const char *name, char out[AY_AGENT_PATH],
			     struct ay_err *e)
{
	if (ay_config_state_path(a->conf, name, out, AY_AGENT_PATH))
		return AY_OK;
	return ay_fail(e, AY_E_INPUT, "state_dir", 0, "the path is too long");
}

static enum ay_rc make_paths(struct ay_agent *a, struct ay_err *e)
{
	enum ay_rc rc = ay_dir_make(ay_config_str(a->conf, "state_dir"), 0700, e);

	if (rc == AY_OK)
		rc = state_path(a, "identity.json", a->identity_path, e);
	if (rc == AY_OK)
		rc = state_path(a, "status.json", a->status_path, e);
	if (rc == AY_OK)
		rc = state_path(a, "tpm.guard", a->guard_path, e);
	if (rc == AY_OK)
		rc = state_path(a, "pending", a->pending_path, e);
	if (rc == AY_OK)
		rc = state_path(a, "tag.der", a->tag_path, e);
	if (rc == AY_OK)
		rc = state_path(a, "endpoints.json", a->endpoints_path, e);
	return rc;
}

/* A new key only when there is none: it is what the server knows us by. */
static enum ay_rc make_key(const char *path, struct ay_err *e)
{
	AY_CLEANUP(ay_cert_pem_free) struct ay_cert_pem made = { 0 };
	const struct ay_cert_args args = { .kind = AY_CERT_AGENT,
					   .cn = key_life_cn,
					   .now_s = ay_clock_wall_ms() / 1000,
					   .life_s = KEY_LIFE_S };
	char *both = NULL;
	enum ay_rc rc = ay_cert_make(&args, NULL, &made, e);

	if (rc != AY_OK)
		return rc;
	if (asprintf(&both, "%s%s", (const char *)made.cert.p, (const char *)made.key.p) < 0)
		return ay_fail(e, AY_E_NOMEM, "tls", 0, "no memory");
	rc = ay_file_create(path, 0600, ay_bytes_of(both), e);
	explicit_bzero(both, strlen(both));
	free(both);
	return rc == AY_E_EXISTS ? AY_OK : rc;
}

/* Certificate and key stand in one file, so that they never belong to different generations. */
static enum ay_rc load_key(struct ay_agent *a, struct ay_err *e)
{
	char path[AY_AGENT_PATH];
	enum ay_rc rc = state_path(a, "tls.pem", path, e);

	if (rc == AY_OK && !ay_file_exists(path))
		rc = make_key(path, e);
	if (rc == AY_OK)
		rc = ay_file_read(path, 16 * 1024, &a->cert_pem, e);
	if (rc == AY_OK)
		rc = ay_cert_spki(a->cert_pem, a->spki, e);
	a->key_pem = a->cert_pem;
	return rc;
}

static enum ay_rc choose_name(struct ay_agent *a, struct ay_err *e)
{
	const char *name = ay_config_str(a->conf, "name");

	if (name[0] == '\0') {
		if (gethostname(a->name, sizeof(a->name) - 1) != 0)
			return ay_fail(e, AY_E_UNAVAIL, "name", 0, "this machine has no host name");
		return AY_OK;
	}
	if (strlen(name) > AY_MAX_NAME_BYTES)
		return ay_fail(e, AY_E_INPUT, "name", 0, "longer than %d", AY_MAX_NAME_BYTES);
	memcpy(a->name, name, strlen(name) + 1);
	return AY_OK;
}

/*
 * One pin of the configuration. What a change that the server's key before
 * signed has replaced does not come back by a configuration of old.
 */
static enum ay_rc pin_of(struct ay_agent *a, const char *key, enum ay_pin_purpose purpose,
			 bool *given, struct ay_err *e)
{
	const char *text = ay_config_str(a->conf, key);
	uint8_t pin[32], *now;
	enum ay_rc rc;

	if (text[0] == '\0')
		return AY_OK;
	*given = true;
	rc = ay_hex_decode(ay_bytes_of(text), key, pin, sizeof(pin), e);
	if (rc != AY_OK || ay_pins_is_replaced(&a->pins, purpose, pin))
		return rc;
	now = purpose == AY_PIN_ROOT ? a->pins.root
	      : purpose == AY_PIN_CA ? a->pins.ca
				     : a->pins.order;
	if (memcmp(now, pin, sizeof(pin)) != 0)
		*ay_pins_past(&a->pins, purpose) = (struct ay_pin_past){ 0 };
	memcpy(now, pin, sizeof(pin));
	return AY_OK;
}

/* A token's pins go before the configuration's, those before what an enrolment left. */
static enum ay_rc choose_pins(struct ay_agent *a, struct ay_err *e)
{
	bool root = false, ca = false, order = false;
	enum ay_rc rc;

	a->pins = a->identity.pins;
	if (a->token != NULL) {
		ay_pins_of_token(a->token, ay_clock_wall_ms(), &a->pins);
		return AY_OK;
	}
	rc = pin_of(a, "root_pin", AY_PIN_ROOT, &root, e);
	if (rc == AY_OK)
		rc = pin_of(a, "ca_pin", AY_PIN_CA, &ca, e);
	if (rc == AY_OK)
		rc = pin_of(a, "order_pin", AY_PIN_ORDER, &order, e);
	if (rc == AY_OK && (root || ca || order) && !(root && ca && order))
		return ay_fail(e, AY_E_INPUT, "root_pin", 0,
			       "root_pin, ca_pin and order_pin stand together or not at all");
	a->pins.known = a->pins.known || root;
	return rc;
}

static enum ay_rc load_token(const char *text, struct ay_token *out, struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes file = { 0 };
	struct ay_bytes t = ay_bytes_of(text);

	if (text[0] == '@') {
		enum ay_rc rc = ay_file_read(text + 1, AY_MAX_TOKEN_BYTES, &file, e);

		if (rc != AY_OK)
			return rc;
		t = file;
	}
	while (t.n > 0 && (t.p[t.n - 1] == '\n' || t.p[t.n - 1] == ' '))
		t.n--;
	return ay_token_parse(t, out, e);
}

static int exit_for(enum ay_rc rc)
{
	return rc == AY_E_UNAVAIL || rc == AY_E_NOENT ? AY_EXIT_IO : AY_EXIT_USAGE;
}

static enum ay_rc prepare(struct ay_agent *a, struct ay_err *e)
{
	enum ay_rc rc = make_paths(a, e);

	a->tcti = ay_config_str(a->conf, "tcti");
	a->tpm = ay_tpmdev_of(&a->tcti);
	if (rc == AY_OK)
		rc = choose_name(a, e);
	if (rc == AY_OK)
		rc = ay_orders_conf_check(a->conf, e);
	if (rc == AY_OK)
		rc = ay_ek_kind_parse(ay_config_str(a->conf, "ek"), &a->ek, e);
	if (rc == AY_OK)
		rc = ay_ak_kind_parse(ay_config_str(a->conf, "ak"), &a->ak, e);
	if (rc == AY_OK)
		rc = load_key(a, e);
	if (rc == AY_OK)
		rc = ay_identity_load(a->identity_path, &a->identity, e);
	if (rc == AY_OK)
		rc = choose_pins(a, e);
	return rc;
}

static pid_t start(struct ay_agent *a, int fd, int other, bool is_link)
{
	pid_t pid = fork();
	int code;

	if (pid != 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGINT, SIG_DFL);
	close(other);
	ay_log_init("assay-agent", is_link ? "link" : "tpm", ay_config_str(a->conf, "log_level"),
		    ay_config_str(a->conf, "log_format"));
	code = is_link ? ay_agent_link_run(a, fd) : ay_agent_tpm_run(a, fd);
	fflush(NULL);
	/* A negative code says "the other process is gone": the parent starts both anew. */
	_exit(code < 0 ? 100 : code);
}

static volatile sig_atomic_t stop_asked;

static void ask_stop(int sig)
{
	(void)sig;
	stop_asked = 1;
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = ask_stop };

	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
}

struct children {
	pid_t tpm, link;
};

static bool start_both(struct ay_agent *a, struct children *c, struct ay_err *e)
{
	int fd[2];

	if (ay_ipc_pair(fd, e) != AY_OK)
		return false;
	c->tpm = start(a, fd[0], fd[1], false);
	c->link = start(a, fd[1], fd[0], true);
	close(fd[0]);
	close(fd[1]);
	return c->tpm > 0 && c->link > 0;
}

/* Until one of them ends, or we are told to stop; then both have ended. The tpm process's exit
 * code. */
static int wait_both(const struct children *c)
{
	int status, code = 100;
	pid_t first;

	for (;;) {
		first = waitpid(-1, &status, 0);
		if (first > 0 || errno != EINTR)
			break;
		if (stop_asked)
			(void)kill(c->tpm, SIGTERM);
	}
	if (first == c->tpm && WIFEXITED(status))
		code = WEXITSTATUS(status);
	if (first == c->tpm) {
		/* link sees the pair end, says goodbye to the server and goes. */
		(void)waitpid(c->link, NULL, 0);
		return code;
	}
	if (waitpid(c->tpm, &status, 0) == c->tpm && WIFEXITED(status))
		code = WEXITSTATUS(status);
	return code;
}

static int supervise(struct ay_agent *a)
{
	const struct timespec pause = { RESTART_MS / 1000, 0 };
	struct children c;
	struct ay_err e;

	catch_signals();
	for (;;) {
		int code;

		if (!start_both(a, &c, &e))
			return complain(&e, AY_EXIT_IO);
		ay_service_ready();
		code = wait_both(&c);
		if (stop_asked || a->enrol || (code != 100 && code != AY_EXIT_OK))
			return stop_asked ? AY_EXIT_OK : code == 100 ? AY_EXIT_IO : code;
		ay_log(AY_LOG_WARN, "a process of the agent ended, starting both again");
		(void)nanosleep(&pause, NULL);
		/* The enrolment may have happened in the child that is gone. */
		ay_identity_fini(&a->identity);
		if (stop_asked || ay_identity_load(a->identity_path, &a->identity, &e) != AY_OK ||
		    choose_pins(a, &e) != AY_OK)
			return stop_asked ? AY_EXIT_OK : complain(&e, AY_EXIT_IO);
	}
}

static int run(struct ay_agent *a, const struct options *o, bool enrol)
{
	a->enrol = enrol;
	a->listen = o->listen || (!enrol && ay_config_str(a->conf, "listen")[0] != '\0');
	if (!a->pins.known) {
		fprintf(stderr, "%s\n",
			enrol ? "NO_PINS: enrol needs --token, or root_pin, ca_pin and order_pin "
				"in the "
				"configuration"
			      : "NOT_ENROLLED: run `assay-agent enrol --token TOKEN` first");
		return AY_EXIT_REFUSED;
	}
	(void)setenv("TSS2_LOG", "all+NONE", 0); /* tss2 writes its own lines for each busy TPM */
	return supervise(a);
}

static int fingerprint(const struct ay_agent *a)
{
	char hex[65];

	ay_hex_encode(AY_BYTES(a->spki), hex);
	puts(hex);
	return AY_EXIT_OK;
}

int main(int argc, char **argv)
{
	static struct ay_agent a;
	static struct ay_token token;
	struct ay_config *conf = NULL;
	struct options o;
	struct ay_err e;
	enum ay_rc rc;
	int code = parse_options(argc, argv, &o);

	if (code >= 0)
		return code;
	ay_service_init();
	rc = ay_config_load(AY_PROGRAM_ASSAY_AGENT, o.config, &conf, &e);
	a.conf = conf;
	if (rc == AY_OK && o.token != NULL && strcmp(o.verb, "enrol") == 0) {
		rc = load_token(o.token, &token, &e);
		a.token = &token;
	}
	if (rc == AY_OK)
		ay_log_init("assay-agent", "main", ay_config_str(conf, "log_level"),
			    ay_config_str(conf, "log_format"));
	if (rc == AY_OK)
		rc = prepare(&a, &e);
	if (rc != AY_OK)
		code = complain(&e, exit_for(rc));
	else if (strcmp(o.verb, "fingerprint") == 0)
		code = fingerprint(&a);
	else if (strcmp(o.verb, "take-ownership") == 0)
		code = ay_agent_own(&a);
	else if (strcmp(o.verb, "status") == 0)
		code = ay_status_print(&a, o.json);
	else
		code = run(&a, &o, strcmp(o.verb, "enrol") == 0);
	explicit_bzero(&token, sizeof(token));
	ay_identity_fini(&a.identity);
	ay_file_free(&a.cert_pem);
	ay_config_free(conf);
	return code;
}
