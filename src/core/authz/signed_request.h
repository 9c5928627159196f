/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_AUTHZ_SIGNED_REQUEST_H
#define AY_AUTHZ_SIGNED_REQUEST_H

/*
 * Requests signed by their client, as the Mt. Wilson family does it
 * (docs/protocol/signed-requests.md):
 *
 *   Authorization: X509 realm="..", fingerprint="..", headers="X-Nonce,Date",
 *                  algorithm="SHA256withRSA", signature=".."
 *   Authorization: MtWilson http_method="GET", uri="..", username="..", nonce="..",
 *                  signature_method="HMAC-SHA256", timestamp="..", signature=".."
 *
 * The signed text is made anew from what really arrived: method, URL, headers
 * and body of the request, never from what the header says of them. Parsing
 * trusts nothing. A request that passes may still be one that was recorded:
 * the caller asks core/authz/replay.h after it.
 */
#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/crypto/x509.h"

struct ay_sr_field {
	struct ay_bytes name, value;
};

/* A request as it arrived over TLS. */
struct ay_sr_asked {
	const char *method;	   /* "GET" */
	struct ay_bytes authority; /* of the Host header */
	struct ay_bytes path;	   /* as sent, percent-encoded, begins with '/' */
	struct ay_bytes query;	   /* without '?'; empty: none */
	const struct ay_sr_field *header;
	size_t n_headers;
	struct ay_bytes body;
	int64_t now_ms;
	/* Names the server goes by (DNS names and addresses of its certificate, as text). */
	const struct ay_bytes *own_name;
	size_t n_own_names;
};

/* X509 */
enum { AY_SR_HEADERS = 8 };
struct ay_sr_x509 {
	uint8_t fingerprint[32]; /* SHA-256 of the client's certificate */
	struct ay_bytes fingerprint_text, realm, algorithm;
	struct ay_bytes header[AY_SR_HEADERS]; /* names that are signed, in order */
	size_t n_headers;
	struct ay_bytes signature; /* octets */
};

/* MtWilson */
struct ay_sr_hmac {
	struct ay_bytes user;	   /* decoded */
	struct ay_bytes user_text; /* as it stands, which is what is signed */
	struct ay_bytes method, uri, nonce, algorithm, timestamp;
	uint8_t signature[32];
};

/* By the scheme's word, whatever follows it. */
bool ay_sr_is_x509(struct ay_bytes authorization);
bool ay_sr_is_hmac(struct ay_bytes authorization);

/*
 * The value of an Authorization header taken apart; decoded pieces are in the
 * arena, others borrow from the header. AY_E_DENIED with AUTH_MALFORMED, or
 * AUTH_ALGORITHM for one that is not taken.
 */
AY_MUST_USE enum ay_rc ay_sr_x509_parse(struct ay_bytes authorization, struct ay_arena *a,
					struct ay_sr_x509 *out, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_sr_hmac_parse(struct ay_bytes authorization, struct ay_arena *a,
					struct ay_sr_hmac *out, struct ay_err *e);

/*
 * Was this very request signed with the key of this certificate? *date_ms: the
 * instant it was signed for. AY_E_DENIED with a code:
 *   AUTH_FAILED    another certificate, or the signature is not over this request
 *   AUTH_HOST      the request names a host that is not this server
 *   AUTH_HEADERS   Date is not among the signed headers, or one of them is not there
 *   AUTH_DATE      signed longer ago than AY_MAX_SIGNED_AGE_S, or for a later time than
 *                  AY_MAX_SIGNED_AHEAD_S from now
 *   AUTH_ALGORITHM the key is not RSA of 2048 bits or more
 *   AUTH_EXPIRED   the certificate is out of date
 */
AY_MUST_USE enum ay_rc ay_sr_x509_check(const struct ay_sr_x509 *s, const struct ay_sr_asked *asked,
					const struct ay_cert *client, struct ay_arena *a,
					int64_t *date_ms, struct ay_err *e);
/*
 * The same with the user's key. AUTH_URL: signed for another method or URL. key
 * n == 0 (no such user) fails as a wrong signature does, in the same time.
 */
AY_MUST_USE enum ay_rc ay_sr_hmac_check(const struct ay_sr_hmac *s, const struct ay_sr_asked *asked,
					struct ay_bytes key, struct ay_arena *a, int64_t *date_ms,
					struct ay_err *e);

#endif
