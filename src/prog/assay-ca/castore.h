/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAY_CA_CASTORE_H
#define AY_ASSAY_CA_CASTORE_H

/*
 * What the Privacy CA remembers, in its own SQLite file: tickets that served,
 * approved EKs, the EK of each host, what it issued and revoked. Every change
 * is on disk when the call returns.
 */
#include "core/base/uuid.h"
#include "core/crypto/certgen.h"

struct ay_castore;

AY_MUST_USE enum ay_rc ay_castore_open(const char *path, struct ay_castore **out, struct ay_err *e);
void ay_castore_close(struct ay_castore *s);

/* The ticket serves now, and never again. AY_E_EXISTS, code TICKET: it has served. */
AY_MUST_USE enum ay_rc ay_castore_use_ticket(struct ay_castore *s, const char *jti, int64_t exp_s,
					     int64_t now_s, struct ay_err *e);

AY_MUST_USE enum ay_rc ay_castore_approve(struct ay_castore *s, const uint8_t ek_hash[32],
					  struct ay_bytes who, struct ay_bytes reason,
					  int64_t now_ms, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_castore_is_approved(struct ay_castore *s, const uint8_t ek_hash[32],
					      bool *out, struct ay_err *e);

/* The EK this host was certified with; *has false if it is new. */
AY_MUST_USE enum ay_rc ay_castore_host_ek(struct ay_castore *s, const struct ay_uuid *host,
					  bool *has, uint8_t ek_hash[32], struct ay_err *e);

struct ay_ca_issued {
	struct ay_bytes serial; /* big-endian */
	struct ay_uuid host;
	uint8_t ek_hash[32];
	struct ay_bytes ak_name;
	const char *grade;
	const char *ticket;
	int64_t at_ms;
	int64_t not_after_ms;
	struct ay_bytes cert; /* DER */
};
/* The issue log, and the host's EK. */
AY_MUST_USE enum ay_rc ay_castore_issue(struct ay_castore *s, const struct ay_ca_issued *i,
					struct ay_err *e);

/*
 * Revoke by serial; a second time changes nothing. reason [RFC5280 5.3.1]; 5
 * (cessation of operation) also frees the host id for another EK. AY_E_NOENT.
 */
AY_MUST_USE enum ay_rc ay_castore_revoke(struct ay_castore *s, struct ay_bytes serial,
					 unsigned reason, int64_t now_ms, struct ay_err *e);
/*
 * Revoked certificates that have not expired at now_ms, in the arena, and the
 * number of the next CRL (each call gives another).
 */
struct ay_arena;
AY_MUST_USE enum ay_rc ay_castore_revoked(struct ay_castore *s, int64_t now_ms, struct ay_arena *a,
					  struct ay_revoked **list, size_t *n, uint64_t *crl_number,
					  struct ay_err *e);

#endif
