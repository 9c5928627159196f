/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_IPC_OUTGOING_MSG_H
#define AY_IPC_OUTGOING_MSG_H

/*
 * Bodies of the messages between engine and courier (courier.def,
 * docs/protocol/ipc.md): one HTTPS request and its answer. Rules as in
 * front_msg.h; the answer was given by a stranger's server and courier may
 * have been taken over by it: engine reads it with that in mind.
 */
#include "core/base/reader.h"
#include "core/base/writer.h"
#include "io/ipc/tables.h"

enum ay_outgoing_method {
	AY_OUTGOING_GET = 1,
	AY_OUTGOING_POST,
	AY_OUTGOING_PUT,
	AY_OUTGOING_DELETE,
	AY_OUTGOING_METHODS
};
const char *ay_outgoing_method_name(enum ay_outgoing_method m);

/* Whom courier believes to be the server. */
enum ay_outgoing_trust {
	AY_OUTGOING_CHAIN = 0, /* a chain to the roots, and the name; a pin besides, if given */
	AY_OUTGOING_PINNED,    /* the pinned key or certificate, whatever its chain and name */
	AY_OUTGOING_FIRST,     /* whoever answers: nothing secret may be sent */
	AY_OUTGOING_TRUSTS
};

#define AY_OUTGOING_HEADERS 16

struct ay_outgoing_header {
	struct ay_bytes name; /* in an answer: lower case */
	struct ay_bytes value;
};

/* OUTGOING */
struct ay_outgoing {
	enum ay_outgoing_method method;
	struct ay_bytes url; /* io/net/url.h */
	size_t n_headers;    /* no Host, no Content-Length: courier adds these */
	struct ay_outgoing_header header[AY_OUTGOING_HEADERS];
	struct ay_bytes body; /* at most AY_MAX_OUTGOING_BODY */
	struct ay_bytes ca;   /* PEM of the roots the server must chain to; empty: the system's */
	enum ay_outgoing_trust trust;
	bool has_pin, has_cert;
	uint8_t spki[32];     /* SHA-256 of the server's SPKI, if has_pin */
	uint8_t cert[32];     /* SHA-256 of its certificate, if has_cert; not with a chain */
	uint32_t deadline_ms; /* for all of it; 1 to AY_MAX_OUTGOING_MS */
	uint32_t max_answer;  /* octets of the answer's body; a longer one is a failure */
	struct ay_bytes want; /* names of the answer's headers, lower case, commas between */
};
void ay_outgoing_build(struct ay_writer *w, const struct ay_outgoing *o);
AY_MUST_USE enum ay_rc ay_outgoing_parse(struct ay_bytes in, struct ay_outgoing *out,
					 struct ay_err *e);
/* Octets that ay_outgoing_build() will write. */
size_t ay_outgoing_size(const struct ay_outgoing *o);

/* OUTGOING_ANSWER. Header values are printable ASCII. */
struct ay_outgoing_answer {
	uint16_t status; /* 100 to 599 */
	size_t n_headers;
	struct ay_outgoing_header header[AY_OUTGOING_HEADERS];
	struct ay_bytes body;
	uint8_t spki[32], cert[32]; /* who answered; zero where a chain was asked for */
};
void ay_outgoing_answer_build(struct ay_writer *w, const struct ay_outgoing_answer *a);
AY_MUST_USE enum ay_rc ay_outgoing_answer_parse(struct ay_bytes in, struct ay_outgoing_answer *out,
						struct ay_err *e);
size_t ay_outgoing_answer_size(const struct ay_outgoing_answer *a);
/* The value of the first header of that name (lower case); empty if there is none. */
struct ay_bytes ay_outgoing_answer_header(const struct ay_outgoing_answer *a, const char *name);

/* OUTGOING_FAILED: struct ay_refusal of sign_msg.h. */

#endif
