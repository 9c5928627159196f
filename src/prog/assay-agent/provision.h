/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_AGENT_PROVISION_H
#define AY_PROG_AGENT_PROVISION_H

/*
 * AIK provisioning on the host (docs/protocol/privacy-ca.md): from PROVISION
 * to ENROLLED, one step a message. Runs in the tpm process, since it checks
 * what the server says against the pins before the TPM does anything.
 */
#include "core/crypto/aikclient.h"
#include "core/tpm/public.h"
#include "io/net/agent_msg.h"
#include "prog/assay-agent/agent.h"

enum ay_provision_step { AY_STEP_IDLE = 0, AY_STEP_REQUESTED, AY_STEP_ANSWERED, AY_STEP_PROVED };

struct ay_provisioning {
	struct ay_arena arena; /* holds all that follows; emptied at every PROVISION */
	enum ay_provision_step step;
	struct ay_chan_provision msg;
	uint8_t ca[32]; /* the pin that its CA is held against */
	struct ay_ticket ticket;
	struct ay_tpm_ek ek;
	struct ay_tpm_ak ak;
	struct ay_name ak_name;
	struct ay_pubkey *ca_rsa; /* TPM 1.2: what its request is encrypted to; owned */
	uint8_t label[20];	  /* TPM 1.2: labelPrivCADigest */
	struct ay_bytes cert;	  /* AIK certificate, once it is opened and checked */
};

/* What a step needs to know of its surroundings. */
struct ay_provision_env {
	const struct ay_agent *agent;
	const struct ay_identity *identity;
	const struct ay_pins *pins;
	const struct ay_tpmdev_ops *ops;
	struct ay_tpmdev *dev;
	const uint8_t *exporter; /* of the connection the step came on */
	int64_t now_ms;
};

void ay_provisioning_init(struct ay_provisioning *p);
void ay_provisioning_fini(struct ay_provisioning *p);
/* Forget what is under way; the connection ended. */
void ay_provisioning_reset(struct ay_provisioning *p);

/*
 * Each takes the body of one message and writes the body of the answer. A
 * failure carries the step's own code and ends the exchange.
 */
AY_MUST_USE enum ay_rc ay_provision_begin(struct ay_provisioning *p,
					  const struct ay_provision_env *env, struct ay_bytes body,
					  struct ay_writer *answer, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_provision_challenge(struct ay_provisioning *p,
					      const struct ay_provision_env *env,
					      struct ay_bytes body, struct ay_writer *answer,
					      struct ay_err *e);
AY_MUST_USE enum ay_rc ay_provision_cert(struct ay_provisioning *p,
					 const struct ay_provision_env *env, struct ay_bytes body,
					 struct ay_writer *answer, struct ay_err *e);
/* ENROLLED: fill the new identity (its arena gets copies). */
AY_MUST_USE enum ay_rc ay_provision_enrolled(struct ay_provisioning *p,
					     const struct ay_provision_env *env,
					     struct ay_bytes body, struct ay_identity *out,
					     struct ay_err *e);

/* SHA-256 of the EK's TPMT_PUBLIC, as `assay ek approve` wants it; false before the EK is known. */
AY_MUST_USE bool ay_provision_ek_hash(const struct ay_provisioning *p, char out[65]);

#endif
