/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_SIM_SIM_H
#define AY_PROG_SIM_SIM_H

/*
 * A fleet of hosts in one process: software-held TLS keys, EKs and AKs, genuine
 * TPM structures and signatures, the real agent channel and real enrolment.
 * What is not real is only that no TPM guards the keys.
 */
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "core/crypto/token.h"
#include "core/tpm/public.h"
#include "io/net/agent_msg.h"
#include "io/net/channel.h"

enum sim_ak_kind { SIM_AK_P256 = 0, SIM_AK_RSA2048 };

/* What a misbehaving host sends. X(name, doc) */
#define SIM_BAD_MODES                                                                              \
	X(WRONG_NONCE, "wrong-nonce", "extraData that was not issued")                             \
	X(PCR, "pcr", "pcrDigest of other values than those sent")                                 \
	X(CLOCK, "clock", "a clock that went back")                                                \
	X(SIGNATURE, "signature", "one bit of the signature")                                      \
	X(REPLAY, "replay", "the evidence before this")                                            \
	X(CROSS_HOST, "cross-host", "a quote by another host's AK")                                \
	X(HOST_ID, "host-id", "extraData made for another host")                                   \
	X(SELECTION, "selection", "a PCR less than was asked")                                     \
	X(MAGIC, "magic", "a structure no TPM makes, signed by the AK")                            \
	X(MALFORMED, "malformed", "an attest cut short, signed by the AK")

enum sim_bad {
	SIM_GOOD = 0,
#define X(id, name, doc) SIM_BAD_##id,
	SIM_BAD_MODES
#undef X
		SIM_BADS,
};

struct sim_conf {
	const char *server; /* HOST:PORT; NULL: the token's */
	const char *token_text;
	struct ay_token token;
	unsigned hosts, first, seconds;
	bool json, notice;
	bool burst; /* hold the answers until every host has signed, then send all */
	enum sim_ak_kind ak;
	const char *state_dir; /* NULL: nothing is kept */
	const char *ek_ca_dir; /* NULL: EKs without certificate */
	const char *prefix;    /* of host names */
	unsigned bad_per_million, n_bad;
	enum sim_bad bad[SIM_BADS];
	unsigned reconnects; /* of each host, after its first result */
};

struct sim;

struct sim_enrolment; /* while it runs */

struct sim_host {
	struct sim *sim;
	unsigned index;
	EVP_PKEY *tls_key;
	X509 *tls_cert;
	EVP_PKEY *ek;
	EVP_PKEY *ak;
	uint8_t ak_kind; /* enum sim_ak_kind */
	uint16_t ak_pub_n;
	uint8_t ak_pub[400]; /* TPMT_PUBLIC */
	struct ay_name ak_name, qualified;
	struct ay_uuid id, boot;
	bool enrolled;

	struct ay_chan *chan;
	struct ay_tls_session *session;
	uint8_t exporter[32];
	unsigned tries, reconnects;
	bool gave_up, was_up, wants_session;
	struct sim_enrolment *enrolment;

	uint32_t asked; /* request id that was answered last; 0: none under way */
	bool asked_bad; /* and it was answered by an attack */
	uint64_t sent_ns;
	uint64_t clock_ms;
	uint16_t last_attest_n, last_sig_n; /* for replay */
	uint8_t last[640];
	struct ay_bytes held; /* malloc'ed; with burst: signed, not yet sent */
};

struct sim_stats {
	unsigned up, most_up; /* hosts connected and enrolled */
	uint64_t accepted, rejected, trusted, unknown, bad_sent, bad_accepted, resumed, full,
		failed, enrolled;
	uint64_t n_latencies;
	uint32_t *latency; /* counts per 0.1 ms */
};

struct sim {
	struct sim_conf conf;
	struct sim_host *host;
	struct sim_stats stats;
	struct event_base *base;
	struct ay_tls *tls;
	struct ay_chan_env *env;
	struct event *tick, *end;
	unsigned next, connecting, n_held;
	bool measuring, over;
	uint64_t started_ns;
	FILE *state_file; /* appended at each enrolment */

	EVP_PKEY **rsa_pool;
	unsigned n_rsa;
	struct ay_privkey *ca_key; /* of the EK CA */
	struct ay_bytes ca_cert;   /* DER */

	struct ay_pcrs pcrs; /* the same for all */
	struct ay_bytes log;
	uint8_t log_hash[32];
};

#endif
