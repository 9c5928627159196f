/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_AUTHZ_SIGNED_TEXT_H
#define AY_AUTHZ_SIGNED_TEXT_H

/* The texts that signed_request.c reads and makes. Not for other folders. */
#include "core/authz/signed_request.h"

/* name="value" of an Authorization header: the name wanted, and where its value goes. */
struct ay_st_param {
	const char *name;
	struct ay_bytes *to;
};

/*
 * All of `want`, each once, in any order, and nothing else; values are printable
 * ASCII without quote or backslash. AY_E_DENIED, AUTH_MALFORMED.
 */
AY_MUST_USE enum ay_rc ay_st_params(struct ay_bytes text, const char *scheme,
				    const struct ay_st_param *want, size_t n, struct ay_err *e);

/* "A,B": names of headers, at most max, none twice; 0 when it is not that. */
size_t ay_st_names(struct ay_bytes list, struct ay_bytes *out, size_t max);

/* The name or address of HOST:PORT; brackets of an IPv6 address left off. Empty: not that. */
struct ay_bytes ay_st_host_name(struct ay_bytes authority);

/*
 * The URL that was asked: https://HOST/PATH?QUERY. Form 0: as the Host header
 * has it; form 1: the default port written out or left off. Empty without memory.
 */
enum { AY_ST_FORMS = 2 };
struct ay_bytes ay_st_url(const struct ay_sr_asked *q, unsigned form, struct ay_arena *a);

/* What is signed. {NULL, 0} without memory. */
struct ay_bytes ay_st_x509_text(const struct ay_sr_x509 *s, const struct ay_sr_asked *q,
				const struct ay_sr_field *field, unsigned form, struct ay_arena *a);
struct ay_bytes ay_st_hmac_text(const struct ay_sr_hmac *s, const struct ay_sr_asked *q,
				struct ay_arena *a);

#endif
