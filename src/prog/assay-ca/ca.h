/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAY_CA_CA_H
#define AY_ASSAY_CA_CA_H

/*
 * The Privacy CA: its keys, its memory, and the four things it can be asked.
 * Knows nothing of sockets: run.c (embedded) and listen.c (alone) carry the
 * messages.
 */
#include "core/base/writer.h"
#include "prog/assay-ca/cakeys.h"
#include "prog/assay-ca/castore.h"
#include "prog/assay-ca/trustsets.h"

#define AY_CA_CHALLENGE_LIFE_MS (60 * 1000)

struct ay_ca_settings {
	const char *dir; /* keys and ca.db */
	const char *ticket_key;
	const char *ek_trust_dir;
	bool ek_tofu;
	bool reveal_ek;
	bool ek_crl_required;
	bool ignore_ek_dates;
	int64_t aik_life_ms;
};

/* Instants of one request: the wall for dates, the other clock for the 60 s. */
struct ay_ca_now {
	int64_t wall_ms;
	int64_t mono_ms;
};

struct ay_ca;

AY_MUST_USE enum ay_rc ay_ca_open(const struct ay_ca_settings *s, struct ay_ca **out,
				  struct ay_err *e);
void ay_ca_close(struct ay_ca *ca);

/* Encryption certificate, issuer, root. Borrows from ca. */
const struct ay_bytes *ay_ca_certs(const struct ay_ca *ca, size_t *n);

/* What a refusal may tell besides its code. */
struct ay_ca_refusal {
	bool has_ek;
	uint8_t ek_hash[32]; /* with EK_CHAIN: what an operator can approve */
};

/* Sealed identity request in, body of CA_CHALLENGE out. A failure has a code. */
AY_MUST_USE enum ay_rc ay_ca_identity(struct ay_ca *ca, struct ay_bytes sealed,
				      struct ay_ca_now now, struct ay_writer *w,
				      struct ay_ca_refusal *why, struct ay_err *e);
/* Sealed answer in, body of CA_CERT out. ACTIVATION, ACTIVATION_STALE. */
AY_MUST_USE enum ay_rc ay_ca_activated(struct ay_ca *ca, struct ay_bytes sealed,
				       struct ay_ca_now now, struct ay_writer *w, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_ca_approve(struct ay_ca *ca, const uint8_t ek_hash[32],
				     struct ay_bytes who, struct ay_bytes reason, int64_t now_ms,
				     struct ay_err *e);
AY_MUST_USE enum ay_rc ay_ca_revoke(struct ay_ca *ca, struct ay_bytes serial, unsigned reason,
				    int64_t now_ms, struct ay_err *e);
/* The list now in force, signed anew. The caller frees it by ay_certgen_free(). */
AY_MUST_USE enum ay_rc ay_ca_crl(struct ay_ca *ca, int64_t now_ms, struct ay_bytes *out,
				 struct ay_err *e);

#endif
