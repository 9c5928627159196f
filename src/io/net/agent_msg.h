/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_NET_AGENT_MSG_H
#define AY_NET_AGENT_MSG_H

/*
 * The agent's side of the channel's messages (docs/protocol/agent-channel.md):
 * parse what the server sends, write what the agent answers. Used by
 * assay-agent and assay-sim. Views borrow from the body.
 */
#include "core/base/limits.h"
#include "core/base/uuid.h"
#include "core/tpm/pcr.h"
#include "io/net/frame.h"

#define AY_CHANNEL_VERSION 1

struct ay_chan_welcome {
	bool bound;
	struct ay_uuid host;
	struct ay_bytes name;
};

struct ay_chan_provision {
	struct ay_uuid host;
	struct ay_bytes ticket;
	size_t n_certs;
	struct ay_bytes certs[AY_MAX_CERT_CHAIN];
	uint8_t nonce[32];
	struct ay_pcr_selection selection;
};

struct ay_chan_ca_challenge {
	struct ay_bytes id_object, secret;
};

struct ay_chan_ca_cert {
	struct ay_bytes id_object, secret;
	struct ay_bytes iv; /* 12 octets */
	struct ay_bytes sealed;
};

struct ay_chan_enrolled {
	struct ay_uuid host;
	struct ay_bytes name;
	int64_t ends_at_ms, renew_at_ms;
};

struct ay_chan_challenge {
	uint8_t nonce[32];
	struct ay_pcr_selection selection;
	uint8_t boot_id[16]; /* of the logs the server knows; zero: none */
	uint64_t ima_octets, ima_entries;
	uint8_t log_hash[32];	 /* zero: none */
	uint8_t values_hash[32]; /* zero: none */
	uint32_t deadline_ms;
	uint8_t last_verdict; /* 255: none yet */
	uint32_t last_request;
};

struct ay_chan_result {
	uint8_t verdict;
	int64_t lease_ms;
	struct ay_bytes text;
};

struct ay_chan_fail {
	struct ay_bytes code, text;
};

struct ay_chan_pin_change {
	struct ay_bytes statement; /* core/crypto/pinchange.h */
	struct ay_bytes cert;	   /* of the new key, DER, where it has one; else empty */
};

AY_MUST_USE enum ay_rc ay_chan_welcome_parse(struct ay_bytes in, struct ay_chan_welcome *out,
					     struct ay_err *e);
AY_MUST_USE enum ay_rc ay_chan_provision_parse(struct ay_bytes in, struct ay_chan_provision *out,
					       struct ay_err *e);
AY_MUST_USE enum ay_rc
ay_chan_ca_challenge_parse(struct ay_bytes in, struct ay_chan_ca_challenge *out, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_chan_ca_cert_parse(struct ay_bytes in, struct ay_chan_ca_cert *out,
					     struct ay_err *e);
AY_MUST_USE enum ay_rc ay_chan_enrolled_parse(struct ay_bytes in, struct ay_chan_enrolled *out,
					      struct ay_err *e);
AY_MUST_USE enum ay_rc ay_chan_challenge_parse(struct ay_bytes in, struct ay_chan_challenge *out,
					       struct ay_err *e);
AY_MUST_USE enum ay_rc ay_chan_result_parse(struct ay_bytes in, struct ay_chan_result *out,
					    struct ay_err *e);
AY_MUST_USE enum ay_rc ay_chan_pin_change_parse(struct ay_bytes in, struct ay_chan_pin_change *out,
						struct ay_err *e);
AY_MUST_USE enum ay_rc ay_chan_fail_parse(struct ay_bytes in, struct ay_chan_fail *out,
					  struct ay_err *e);

struct ay_chan_hello {
	const char *version, *name;
	struct ay_uuid boot_id;
	uint8_t family;
	char manufacturer[5];
	uint64_t firmware;
	size_t n_banks;
	uint16_t bank[AY_BANKS_MAX];
	bool has_ak;
	bool sends_logs;
	bool takes_pins; /* understands PIN_CHANGE */
};
#define AY_CHAN_FEATURE_LOGS 0x01
#define AY_CHAN_FEATURE_PINS 0x02
void ay_chan_hello_write(struct ay_writer *w, const struct ay_chan_hello *h);

enum ay_chan_hints { AY_CHAN_HINTS_NONE = 0, AY_CHAN_HINTS_ALL, AY_CHAN_HINTS_CHANGED };
enum ay_chan_log {
	AY_CHAN_LOG_AS_KNOWN = 0,
	AY_CHAN_LOG_FOLLOWS,
	AY_CHAN_LOG_NONE,
	AY_CHAN_LOG_UNREADABLE
};

struct ay_chan_evidence {
	struct ay_bytes attest, sig;
	struct ay_uuid boot_id;
	enum ay_chan_hints hints;
	const struct ay_pcrs *values; /* if hints */
	enum ay_chan_log log;
	struct ay_bytes log_bytes;
	enum ay_chan_log ima; /* AS_KNOWN: nothing new */
	uint64_t ima_offset, ima_entries;
	struct ay_bytes ima_bytes;
};
void ay_chan_evidence_write(struct ay_writer *w, const struct ay_chan_evidence *m);
/* Room enough for ay_chan_evidence_write(). */
size_t ay_chan_evidence_room(const struct ay_chan_evidence *m);

/* code: why the change was refused; "": pin is what counts now. */
struct ay_chan_pin_state {
	uint8_t purpose; /* enum ay_pin_purpose */
	uint8_t pin[32]; /* in force now, whatever came of the change */
	struct ay_bytes code;
};
void ay_chan_pin_state_write(struct ay_writer *w, const struct ay_chan_pin_state *m);
/* The server's: a purpose that there is, a code of capitals, digits and _ only. */
AY_MUST_USE enum ay_rc ay_chan_pin_state_parse(struct ay_bytes in, struct ay_chan_pin_state *out,
					       struct ay_err *e);

void ay_chan_fail_write(struct ay_writer *w, const char *code, const char *text);

#endif
