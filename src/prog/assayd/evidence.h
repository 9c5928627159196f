/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_EVIDENCE_H
#define AY_ASSAYD_EVIDENCE_H

/*
 * Bodies of the agent channel as the server reads and writes them
 * (docs/protocol/agent-channel.md; the agent's side is io/net/agent_msg.h).
 * Pure: octets to structs, no trust. Views borrow from the body.
 */
#include "core/base/limits.h"
#include "core/base/uuid.h"
#include "core/tpm/pcr.h"

enum ay_given { AY_GIVEN_KNOWN = 0, AY_GIVEN_NEW = 1, AY_GIVEN_NONE = 2, AY_GIVEN_UNREADABLE = 3 };

struct ay_evidence {
	struct ay_bytes attest;	   /* TPMS_ATTEST */
	struct ay_bytes signature; /* TPMT_SIGNATURE */
	uint8_t boot_id[16];
	uint8_t hints;		/* 0 none, 1 all, 2 changed against the known ones */
	struct ay_bytes values; /* wire form; read by ay_evidence_values() */
	enum ay_given log;
	struct ay_bytes log_octets;
	enum ay_given ima;
	uint64_t ima_offset; /* octets and entries before the piece */
	uint64_t ima_entries;
	struct ay_bytes ima_octets;
};

/* AY_E_INPUT, AY_E_LIMIT; out zeroed on failure. */
AY_MUST_USE enum ay_rc ay_evidence_parse(struct ay_bytes body, struct ay_evidence *out,
					 struct ay_err *e);
/*
 * All PCR values read beside the quote: those given, on top of known (wire
 * form of the last ones; empty: none) when only changes were sent. *out has no
 * bank when nothing was given. AY_E_INPUT: changes without known values.
 */
AY_MUST_USE enum ay_rc ay_evidence_values(const struct ay_evidence *ev, struct ay_bytes known,
					  struct ay_pcrs *out, struct ay_err *e);

#define AY_HELLO_BANKS 16
struct ay_hello {
	uint16_t version;
	struct ay_bytes agent; /* text */
	struct ay_bytes name;
	uint8_t boot_id[16];
	uint8_t tpm_family;
	uint8_t manufacturer[4];
	uint64_t firmware;
	size_t n_banks;
	uint16_t bank[AY_HELLO_BANKS];
	uint8_t ak_state;
	uint8_t features;
};
AY_MUST_USE enum ay_rc ay_hello_parse(struct ay_bytes body, struct ay_hello *out, struct ay_err *e);

struct ay_challenge_body {
	uint8_t nonce[32];
	struct ay_pcr_selection selection;
	uint8_t boot_id[16]; /* known; zero: none */
	uint64_t ima_octets, ima_entries;
	uint8_t log_hash[32]; /* zero: none */
	uint8_t pcrs_hash[32];
	uint32_t deadline_ms;
	uint8_t last_verdict; /* 255: none yet */
	uint32_t last_request;
};
void ay_challenge_write(struct ay_writer *w, const struct ay_challenge_body *b);
struct ay_enrol_proof {
	struct ay_bytes cert;	/* AIK certificate, DER */
	struct ay_bytes public; /* TPMT_PUBLIC of the AK */
	struct ay_bytes attest;
	struct ay_bytes signature;
};
AY_MUST_USE enum ay_rc ay_enrol_proof_parse(struct ay_bytes body, struct ay_enrol_proof *out,
					    struct ay_err *e);

#endif
