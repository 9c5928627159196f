/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_CLIENT_H
#define AY_PROG_ASSAY_CLIENT_H

/*
 * Calls to the REST API. Every failure is said on stderr and comes back as an
 * exit code, so that a command is: call, print.
 */
#include "prog/assay/cmd.h"

#include <jansson.h>

struct ay_settings;
struct ay_client; /* server address, pinned root, credential */

struct ay_answer {
	long status;
	char *type; /* content type, or NULL */
	char *body; /* terminated */
	size_t n;
	json_t *json;	  /* NULL when the body is no JSON */
	char cookie[128]; /* "NAME=VALUE" of Set-Cookie; empty: none */
};

/* The session of `assay login` at this server, kept in a file of its own (0600). */
struct ay_cli_session {
	char cookie[128], csrf[64];
};
/* False: there is none for this server. */
AY_MUST_USE bool ay_session_read(const char *file, const char *server, struct ay_cli_session *out);
AY_MUST_USE int ay_session_write(const char *file, const char *server,
				 const struct ay_cli_session *s);
/* Reads the settings (options, environment, ~/.config/assay/cli.conf). */
AY_MUST_USE int ay_client_open(const struct ay_cli *cli, struct ay_client **out);
void ay_client_close(struct ay_client *c);
/* What the server refuses from now on is not said. */
void ay_client_quiet(struct ay_client *c);
/* Borrowed. */
const struct ay_settings *ay_client_settings(const struct ay_client *c);

/*
 * path starts after /api/v1 and is already escaped. body: taken over, may be
 * NULL. accept: NULL = JSON. AY_EXIT_OK only for a status below 300.
 */
AY_MUST_USE int ay_client_call(struct ay_client *c, const char *method, const char *path,
			       json_t *body, const char *accept, struct ay_answer *out);
/* A request as it was written. */
struct ay_raw {
	const char *method, *path; /* from the root of the server, escaped */
	const void *body;	   /* NULL: none */
	size_t n_body;
	const char *header[32]; /* "Name: value"; they win over ours */
	size_t n_headers;
};
/* The body of the answer, whatever its status, goes to f as it comes. */
AY_MUST_USE int ay_client_raw(struct ay_client *c, const struct ay_raw *r, FILE *f);
void ay_answer_fini(struct ay_answer *a);

/* False: end the stream. */
typedef bool ay_stream_fn(void *arg, struct ay_bytes piece);
/*
 * GET of a stream until it ends, fn or *stop ends it (looked at each second).
 * last_id: Last-Event-ID, 0: none. *status: 0 when nothing came. AY_EXIT_OK
 * when it had begun; else why is said, but what a later try may mend (no
 * connection, 5xx, 429) only when is_said.
 */
AY_MUST_USE int ay_client_stream(struct ay_client *c, const char *path, uint64_t last_id,
				 ay_stream_fn *fn, void *arg, const volatile int *stop,
				 bool is_said, long *status);

/*
 * All items of a list, page after page, as one array; freed by json_decref.
 * path may have a query already.
 */
AY_MUST_USE int ay_client_list(struct ay_client *c, const char *path, json_t **items);

/* fmt with one %s, which is escaped for a path segment; freed by free(). NULL: out of memory. */
char *ay_client_path(const char *before, const char *segment, const char *after);

/* A whole list in the form of the API: {"items":[..],"next":null}. */
int ay_cli_print_items(json_t *items);
/* Prints a JSON document with a newline. */
int ay_cli_print_json(const json_t *j);
/* Text of a member, or other when it is missing or null. Borrowed from j. */
const char *ay_answer_text(const json_t *j, const char *name, const char *other);

#endif
