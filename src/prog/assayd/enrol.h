/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_ENROL_H
#define AY_ASSAYD_ENROL_H

/*
 * One provisioning on its way (design 5): enrol.c takes it from first contact
 * to the AIK certificate, enrol_bind.c from the proof to the binding.
 */
#include "prog/assayd/engine_impl.h"

#include "core/crypto/aikcert.h"
#include "core/tpm/public.h"

/* Which message the exchange waits for; any other one ends the connection. */
enum ay_enrol_step {
	STEP_TICKET = 0, /* from signer */
	STEP_REQUEST,	 /* CA_REQUEST */
	STEP_CA_FIRST,	 /* from assay-ca */
	STEP_ANSWER,	 /* CA_ANSWER */
	STEP_CA_SECOND,	 /* from assay-ca */
	STEP_PROOF,	 /* ENROL_PROOF */
	STEP_COMMIT,	 /* the store */
};

/* One provisioning of an AIK: first contact, a new AK by order of an operator, or a renewal. */
struct ay_enrol {
	struct ay_engine *g;
	struct ay_conn *c;    /* NULL: its connection is gone */
	struct ay_host *host; /* NULL: the token's agent names a new one */
	struct ay_uuid id;
	char name[AY_MAX_NAME_BYTES + 1];
	enum ay_enrol_step step;
	bool renewal;
	bool by_operator; /* a token for this host, or an operator's dial */
	bool is_new_ak;	  /* not the one the host was bound to */
	bool trust_first_use;
	bool has_token;
	struct ay_token_view token;
	char jti[AY_JTI_TEXT];
	uint8_t nonce[32];
	struct ay_pcr_selection selection;
	uint32_t req;
	/* what the store is asked to bind */
	struct ay_aikcert aik;
	uint8_t *copy; /* of ENROL_PROOF: aik points into it */
	char tpm_json[256];
	char labels[AY_MAX_NAME_BYTES * 2 + 16];
	uint8_t token_id[16];
	struct ay_pending_event *told; /* in the transaction that binds it */
};

/* The next step, and how long it may take. */
void ay_enrol_wait(struct ay_engine *g, struct ay_enrol *en, enum ay_enrol_step step);
void ay_enrol_free(struct ay_enrol *en);
void ay_enrol_refuse(struct ay_engine *g, struct ay_conn *c, const char *code, const char *text);
/* ENROL_PROOF: checked, then given to the store. */
void ay_enrol_on_proof(struct ay_engine *g, struct ay_conn *c, struct ay_bytes body);

#endif
