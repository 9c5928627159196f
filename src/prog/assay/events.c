/* SPDX-License-Identifier: Apache-2.0 */
/* assay events: what happened and, with --follow, what happens; each event once (docs/events.md) */
#include "prog/assay/client.h"
#include "prog/assay/commands.h"

#include "core/base/sse.h"

#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PATH_ROOM = 1536, PAUSE_MAX_S = 30 };

static volatile int stop; /* set by the signal handler */

struct reader {
	struct ay_cli *cli;
	struct ay_sse sse;
	uint64_t told; /* id of the last event that was printed */
	bool follow, has_heard;
	bool is_done; /* all that is kept was printed, or it cannot go on: then code says why */
	int code;
};

static void on_interrupt(int sig)
{
	(void)sig;
	stop = 1;
}

/* What an event says besides when, what and of which host. */
static void print_rest(const char *type, const json_t *data)
{
	const char *code = ay_answer_text(data, "code", "");
	const char *text = ay_answer_text(data, "text", ay_answer_text(data, "root", ""));

	if (strcmp(type, "verdict") == 0) {
		ay_cli_print_safe(stdout, ay_bytes_of(ay_answer_text(data, "was", "-")));
		fputs(" -> ", stdout);
		text = ay_answer_text(data, "verdict", "-");
	}
	if (strcmp(type, "gap") == 0) {
		printf("events %lld to %lld are not kept any more",
		       (long long)json_integer_value(json_object_get(data, "after")) + 1,
		       (long long)json_integer_value(json_object_get(data, "next")) - 1);
		text = "";
	}
	ay_cli_print_safe(stdout, ay_bytes_of(code));
	fputs(code[0] != '\0' && text[0] != '\0' ? ": " : "", stdout);
	ay_cli_print_safe(stdout, ay_bytes_of(text));
	putchar('\n');
}

static void print_padded(const char *text, int width)
{
	ay_cli_print_safe(stdout, ay_bytes_of(text));
	printf("%*s", width > (int)strlen(text) ? width - (int)strlen(text) + 1 : 1, "");
}

static void print_line(const struct ay_sse_event *ev, const json_t *data)
{
	printf("%8llu ", (unsigned long long)ev->id);
	print_padded(ay_answer_text(data, "at", "-"), 24);
	print_padded(ev->type, 15);
	print_padded(ay_answer_text(data, "name", "-"), 16);
	print_rest(ev->type, data);
}

static int print_document(const struct ay_sse_event *ev, json_t *data)
{
	json_t *o = json_pack("{s:I, s:s, s:O}", "id", (json_int_t)ev->id, "type", ev->type, "data",
			      data);
	int rc = o == NULL || json_dumpf(o, stdout, JSON_COMPACT) != 0 ? AY_EXIT_IO : AY_EXIT_OK;

	json_decref(o);
	putchar('\n');
	return rc;
}

static bool end(struct reader *r, int code)
{
	r->is_done = true;
	r->code = code;
	return false;
}

static bool hear(void *arg, const struct ay_sse_event *ev)
{
	static const char caught_up[] = "caught up";
	struct reader *r = arg;
	json_t *data;
	int rc = AY_EXIT_OK;

	r->has_heard = true;
	if (ev->is_comment)
		return r->follow || !ay_bytes_eq(ev->data, ay_bytes_of(caught_up)) ||
		       end(r, AY_EXIT_OK);
	if (strcmp(ev->type, "end") == 0) /* rights ended: the next call says so */
		return true;
	if (ev->id <= r->told)
		return true; /* printed before the cut */
	data = json_loadb((const char *)ev->data.p, ev->data.n, JSON_REJECT_DUPLICATES, NULL);
	if (data == NULL)
		return end(r, ay_cli_error(AY_EXIT_USAGE, "event %llu: no JSON document",
					   (unsigned long long)ev->id));
	r->told = ev->id;
	if (r->cli->json)
		rc = print_document(ev, data);
	else
		print_line(ev, data);
	json_decref(data);
	if (fflush(stdout) != 0 || rc != AY_EXIT_OK)
		return end(r, ay_cli_error(AY_EXIT_IO, "cannot write the output"));
	return !stop;
}

static bool take(void *arg, struct ay_bytes piece)
{
	struct reader *r = arg;
	struct ay_err e = { 0 };

	if (ay_sse_feed(&r->sse, piece, hear, r, &e) != AY_OK)
		return end(r, ay_cli_fault(AY_EXIT_USAGE, "events", &e));
	return !r->is_done && !stop;
}

/* name "": one more value of the parameter before. */
static void add_value(char path[PATH_ROOM], const char *name, const char *text, size_t *n)
{
	const char *mark = strchr(path, '?') == NULL ? "?" : "&";
	char *v = curl_easy_escape(NULL, text, 0);
	int k = name[0] != '\0' ? snprintf(path + *n, PATH_ROOM - *n, "%s%s=%s", mark, name,
					   v == NULL ? "" : v)
				: snprintf(path + *n, PATH_ROOM - *n, ",%s", v == NULL ? "" : v);

	*n = k < 0 || (size_t)k >= PATH_ROOM - *n ? PATH_ROOM : *n + (size_t)k;
	curl_free(v);
}

/* /events?type=a,b&host=h&after=N */
static int make_path(const struct ay_args *args, bool follow, char path[PATH_ROOM])
{
	const char *since = ay_args_opt(args, "since", 0), *host = ay_args_opt(args, "host", 0);
	const char *type;
	size_t n = (size_t)snprintf(path, PATH_ROOM, "/events");

	if (since != NULL && (since[0] == '\0' || strlen(since) > 18 ||
			      strspn(since, "0123456789") != strlen(since)))
		return ay_cli_error(AY_EXIT_USAGE, "--since %s: the id of an event", since);
	for (size_t i = 0; n < PATH_ROOM && (type = ay_args_opt(args, "type", i)) != NULL; i++)
		add_value(path, i == 0 ? "type" : "", type, &n);
	if (n < PATH_ROOM && host != NULL)
		add_value(path, "host", host, &n);
	if (n < PATH_ROOM && (since != NULL || !follow))
		add_value(path, "after", since != NULL ? since : "0", &n);
	return n < PATH_ROOM ? AY_EXIT_OK
			     : ay_cli_error(AY_EXIT_USAGE, "too many types for one call");
}

/* 1, 2, 4 .. 30 s, ended by Ctrl-C. */
static void back_off(unsigned *s)
{
	struct timespec t = { .tv_sec = *s };

	while (!stop && nanosleep(&t, &t) != 0 && errno == EINTR)
		;
	*s = *s * 2 > PAUSE_MAX_S ? PAUSE_MAX_S : *s * 2;
}

/* after= is where the first call began; from then on it is the last id. */
static void resume_path(char *path)
{
	char *after = strstr(path, "after=");

	if (after != NULL)
		after[-1] = '\0';
}

static int read_all(struct ay_client *c, struct reader *r, char *path)
{
	unsigned pause = 1;
	bool was_on = false;
	long status;
	int rc;

	for (;;) {
		r->has_heard = false;
		rc = ay_client_stream(c, path, r->sse.id, take, r, &stop, !was_on, &status);
		if (r->is_done)
			return r->code;
		if (stop)
			return AY_EXIT_OK;
		if (rc == AY_EXIT_OK && !r->follow)
			return ay_cli_error(AY_EXIT_IO,
					    "the server ended the stream: events after "
					    "%llu are missing (--since)",
					    (unsigned long long)r->sse.id);
		if (rc != AY_EXIT_OK && (!was_on || (status != 0 && status < 500 && status != 429)))
			return rc;
		was_on = true;
		if (r->has_heard)
			pause = 1;
		if (r->sse.id != 0)
			resume_path(path);
		ay_sse_reset(&r->sse);
		back_off(&pause);
	}
}

static int run_events(struct ay_cli *cli, const struct ay_args *args)
{
	struct sigaction sa = { .sa_handler = on_interrupt };
	struct reader *r;
	struct ay_client *c;
	char path[PATH_ROOM];
	bool follow = ay_args_has(args, "follow");
	int rc = make_path(args, follow, path);

	if (rc != AY_EXIT_OK || (rc = ay_client_open(cli, &c)) != AY_EXIT_OK)
		return rc;
	r = calloc(1, sizeof(*r));
	if (r == NULL) {
		ay_client_close(c);
		return ay_cli_error(AY_EXIT_IO, "out of memory");
	}
	r->cli = cli;
	r->follow = follow;
	if (follow) {
		sigaction(SIGINT, &sa, NULL);
		sigaction(SIGTERM, &sa, NULL);
	}
	rc = read_all(c, r, path);
	ay_client_close(c);
	free(r);
	return rc;
}

static const struct ay_opt opts[] = {
	{ "follow", NULL, "go on with what happens, across restarts of the server, until Ctrl-C" },
	{ "type", "TYPE", "events of this type (docs/events.md) alone; may be repeated" },
	{ "host", "HOST", "events of this host alone" },
	{ "since", "ID", "those after this one; else all, with --follow those from now on" },
	{ NULL, NULL, NULL },
};

const struct ay_cmd ay_cmd_events = {
	NULL,	   "events", "", 0, 0, opts, "events, one a line; with --json a document each",
	run_events
};
