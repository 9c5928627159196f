/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_OFFLINE_H
#define AY_APPRAISE_OFFLINE_H

/*
 * One attestation from files (design 8, `appraise DIR`): the same checks as the
 * server's. Nothing was asked and nothing is remembered, so counters,
 * qualifiedSigner and certificate are not checked and not required.
 */
#include "core/appraise/state.h"

/* Members without octets (p NULL) were not given. Views are borrowed for the call. */
struct ay_offline_in {
	struct ay_bytes attest, signature;
	struct ay_bytes nonce; /* the expected extraData itself */
	struct ay_bytes log;
	struct ay_bytes ima;	    /* binary or ASCII */
	const struct ay_pcrs *pcrs; /* NULL: values are replayed */
	const struct ay_pubkey *ak;
	const struct ay_refset *const *sets;
	size_t n_sets;
	const struct ay_policy *policy; /* NULL: nothing is trusted */
	int64_t now_ms;			/* as in ay_state_in */
};

/* What was found out on the way; everything lives in the arena or borrows from the input. */
struct ay_offline_out {
	struct ay_quote_facts quote;
	bool log_parsed;
	struct ay_evlog log;
	bool ima_fits;
	struct ay_ima_run run;
	struct ay_bytes ima;  /* the attested prefix of the list, binary */
	uint8_t evidence[32]; /* SHA-256 that names the evidence */
};

/* rep: initialised with arena; concluded, with its causes, on AY_OK. */
AY_MUST_USE enum ay_rc ay_appraise_offline(const struct ay_offline_in *in, struct ay_arena *arena,
					   struct ay_offline_out *out, struct ay_report *rep,
					   struct ay_err *e);

/*
 * Learn from files: as ay_appraise_offline(), then a draft set if signature,
 * nonce and replay hold. *set NULL with AY_OK: they do not, rep says why.
 */
AY_MUST_USE enum ay_rc ay_learn_offline(const struct ay_offline_in *in,
					const struct ay_learn_options *opt, struct ay_arena *arena,
					struct ay_refset **set, struct ay_report *rep,
					struct ay_err *e);

#endif
