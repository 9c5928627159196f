/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_IPC_FRONT_MSG_H
#define AY_IPC_FRONT_MSG_H

/*
 * Bodies of the messages between front and engine (front.def,
 * docs/protocol/ipc.md). Parsed structures borrow from the message. Each
 * _build writes to the caller's writer, whose ay_wr_end() tells overflow; each
 * _parse gives AY_E_INPUT or AY_E_LIMIT, and the peer is then to be dropped.
 */
#include "core/base/limits.h"
#include "core/base/reader.h"
#include "core/base/writer.h"
#include "io/ipc/tables.h"

/* FRONT_READY */
struct ay_front_ready {
	uint8_t server_spki[32]; /* SHA-256 of the SPKI of the agent-channel certificate */
	struct ay_bytes agents;	 /* ADDR:PORT in use */
	struct ay_bytes api;
};
void ay_front_ready_build(struct ay_writer *w, const struct ay_front_ready *r);
AY_MUST_USE enum ay_rc ay_front_ready_parse(struct ay_bytes in, struct ay_front_ready *out,
					    struct ay_err *e);

/* CONN_UP */
enum ay_conn_flag { AY_CONN_DIALLED = 1, AY_CONN_RESUMED = 2 };
struct ay_conn_up {
	uint8_t exporter[32];
	uint8_t spki[32];     /* SHA-256 of the agent's SPKI */
	uint8_t cert[32];     /* SHA-256 of its certificate */
	uint8_t flags;	      /* enum ay_conn_flag */
	uint32_t dial_id;     /* of DIAL, when we dialled; else 0 */
	struct ay_bytes peer; /* ADDR:PORT as text, for the log and the audit */
};
void ay_conn_up_build(struct ay_writer *w, const struct ay_conn_up *u);
AY_MUST_USE enum ay_rc ay_conn_up_parse(struct ay_bytes in, struct ay_conn_up *out,
					struct ay_err *e);

/* DIAL_FAILED: its sub */
enum ay_dial_failure { AY_DIAL_UNREACHED = 0, AY_DIAL_POLICY = 1 };

/* DIAL */
struct ay_dial {
	bool first_contact; /* the host is not bound: send SNI enrol.assay, root included */
	bool pinned;	    /* agent_spki must be the peer's */
	uint8_t agent_spki[32];
	struct ay_bytes addr; /* HOST:PORT; front resolves a name by DNS */
};
void ay_dial_build(struct ay_writer *w, const struct ay_dial *d);
AY_MUST_USE enum ay_rc ay_dial_parse(struct ay_bytes in, struct ay_dial *out, struct ay_err *e);

/* Which address a request came by; what is answered there is the router's matter. */
enum ay_listener {
	AY_LISTENER_API = 0,
#define X(id, name, doc) AY_LISTENER_##id,
#include "io/ipc/listeners.def"
#undef X
	AY_LISTENERS
};
/* "api", "oat1" ...; NULL: no such number */
const char *ay_listener_name(enum ay_listener l);

/* API_REQUEST */
enum ay_http_method {
	AY_HTTP_GET = 1,
	AY_HTTP_HEAD,
	AY_HTTP_POST,
	AY_HTTP_PUT,
	AY_HTTP_PATCH,
	AY_HTTP_DELETE,
	AY_HTTP_OPTIONS,
};
/* Request headers that front passes on, lower case; others end in front. */
#define AY_API_HEADERS                                                                             \
	"accept", "authorization", "cookie", "content-type", "if-match", "if-none-match",          \
		"last-event-id", "origin", "host", "sec-fetch-site", "soapaction", "user-agent",   \
		"idempotency-key", "x-csrf-token", "date", "x-nonce", "x-auth-blob",               \
		"authorizationtoken"
#define AY_API_MAX_HEADERS 24
#define AY_API_MAX_HEADER 8192 /* value of one header */
#define AY_API_MAX_TARGET 8192 /* path and query together */

struct ay_api_header {
	struct ay_bytes name; /* lower case */
	struct ay_bytes value;
};

struct ay_api_request {
	enum ay_http_method method;
	struct ay_bytes path;  /* as sent, still percent-encoded, begins with '/' */
	struct ay_bytes query; /* without '?'; empty if none */
	struct ay_bytes peer;  /* ADDR:PORT of the client */
	uint8_t has_cert;      /* 1: the client showed a certificate and proved its key */
	uint8_t cert_spki[32]; /* SHA-256 of its SPKI; the chain is not judged here */
	struct ay_bytes cert;  /* its DER; empty when it is larger than AY_MAX_CERT_BYTES */
	enum ay_listener listener;
	size_t n_headers;
	struct ay_api_header header[AY_API_MAX_HEADERS];
	struct ay_bytes body;
};
void ay_api_request_build(struct ay_writer *w, const struct ay_api_request *r);
AY_MUST_USE enum ay_rc ay_api_request_parse(struct ay_bytes in, struct ay_api_request *out,
					    struct ay_err *e);
/* The value of a header (name in lower case); empty view if it was not sent. */
struct ay_bytes ay_api_request_header(const struct ay_api_request *r, const char *name);
const char *ay_http_method_name(enum ay_http_method m);

/* API_REPLY, API_STREAM: status, headers, body (empty for a stream). */
struct ay_api_reply {
	uint16_t status;
	size_t n_headers; /* Content-Type is one of them; no Content-Length, no Connection */
	struct ay_api_header header[AY_API_MAX_HEADERS];
	struct ay_bytes body;
};
void ay_api_reply_build(struct ay_writer *w, const struct ay_api_reply *r);
AY_MUST_USE enum ay_rc ay_api_reply_parse(struct ay_bytes in, struct ay_api_reply *out,
					  struct ay_err *e);
/* API_CAST: streams, by their request ids, and what each of them is told */
struct ay_api_cast {
	size_t n;
	uint32_t req[AY_MAX_EVENT_STREAMS];
	struct ay_bytes text;
};
void ay_api_cast_build(struct ay_writer *w, const uint32_t *req, size_t n, struct ay_bytes text);
/* Octets it will write. */
size_t ay_api_cast_size(size_t n, struct ay_bytes text);
AY_MUST_USE enum ay_rc ay_api_cast_parse(struct ay_bytes in, struct ay_api_cast *out,
					 struct ay_err *e);

/* Octets ay_api_reply_build() will write. */
size_t ay_api_reply_size(const struct ay_api_reply *r);
size_t ay_api_request_size(const struct ay_api_request *r);

#endif
