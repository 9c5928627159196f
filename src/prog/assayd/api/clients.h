/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_CLIENTS_H
#define AY_ASSAYD_API_CLIENTS_H

/*
 * API clients of the Mt. Wilson family: keys that sign requests
 * (docs/protocol/signed-requests.md). They are rows of the table `identity`:
 *
 *   x509      subject: SHA-256 of the certificate in hex. Anybody may ask for
 *             one; it opens nothing until an administrator gives it a user.
 *   mtwilson  subject: id of an API token. Its signing key is stored wrapped by
 *             keeper and ends with the token, whose rights it has.
 */
#include "core/authz/signed_request.h"
#include "prog/assayd/api/call.h"

enum ay_client_kind { AY_CLIENT_X509, AY_CLIENT_HMAC, AY_CLIENT_KINDS };

struct ay_client {
	struct ay_client *next;
	enum ay_client_kind kind;
	char subject[65];
	enum ay_identity_state state;
	uint64_t user; /* 0: not decided yet */
	int64_t created_at;
	char name[AY_MAX_NAME_BYTES + 1]; /* that the client gave itself */
	char comment[256];
	uint8_t *octets; /* certificate in DER, or the wrapped key */
	size_t octets_n;
};

/* In memory as in the store. */
AY_MUST_USE enum ay_rc ay_clients_load(struct ay_api *a, struct ay_err *e);
void ay_clients_free(struct ay_api *a);
const struct ay_client *ay_clients(const struct ay_api *a);
struct ay_client *ay_client_find(const struct ay_api *a, enum ay_client_kind kind,
				 const char *subject);
/* Stored, then shown; replaces the one with the same subject. octets are copied. */
AY_MUST_USE enum ay_rc ay_client_put(struct ay_api *a, const struct ay_client *row,
				     struct ay_err *e);

/*
 * Somebody asks that this certificate become a client: kept as asked for. der:
 * checked here (CERT_*, an RSA key of 2048 bits at least). AY_E_EXISTS: it was
 * asked for, or ended, before. AY_E_LIMIT: AY_MAX_CLIENTS_ASKED wait already.
 */
AY_MUST_USE enum ay_rc ay_client_ask(struct ay_api *a, struct ay_bytes der, struct ay_bytes name,
				     struct ay_bytes comment, const struct ay_client **out,
				     struct ay_err *e);

/* The request as it arrived; views of r and of the engine. */
void ay_signed_asked(struct ay_api_call *c, const struct ay_api_request *r,
		     struct ay_sr_field field[AY_API_MAX_HEADERS], struct ay_sr_asked *out);
/* What signs were taken (core/authz/replay.h); durable. AY_E_DENIED: AUTH_REPLAY. */
AY_MUST_USE enum ay_rc ay_signed_once(struct ay_api *a, const char *signer,
				      struct ay_bytes signature, int64_t date_ms, struct ay_err *e);

#endif
