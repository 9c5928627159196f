/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_JOB_H
#define AY_ASSAYD_JOB_H

/* One attestation on its way through worker and store. */
#include "core/appraise/appraise.h"
#include "core/appraise/check_boot.h"
#include "io/store/blob.h"
#include "prog/assayd/engine.h"
#include "prog/assayd/evidence.h"

struct ay_ima_sigcache;
struct ay_judge;
struct ay_memo;
struct ay_pending_event;

struct ay_job {
	struct ay_job *next;
	struct ay_host *host;
	uint64_t conn_serial;
	uint32_t request;
	uint8_t tries; /* how often it lost the compare-and-set */
	/* in: a snapshot; what is counted is held */
	uint64_t version;
	struct ay_uuid host_id;
	int64_t now_ms;
	uint8_t nonce[32], exporter[32];
	struct ay_pcr_selection asked;
	struct ay_pubkey *ak;
	bool is_tpm12; /* by the AK's own public area, which its certificate names */
	uint8_t qualified_name[AY_NAME_MAX];
	uint8_t qualified_name_n;
	struct ay_counters last;
	bool sticky_counter, sticky_duplicate;
	bool had_rival;	       /* asked while two connections stood */
	int64_t cert_until_ms; /* of the AIK certificate */
	bool cert_revoked;
	char identity_grade[16]; /* of the binding */
	struct ay_boot_mark known_boot;
	struct ay_blob *known_pcrs, *known_ima;
	uint64_t known_ima_octets, known_ima_entries;
	uint64_t asked_ima_octets; /* where the challenge asked the IMA list to go on */
	bool has_known_log;
	uint8_t known_log_id[32];
	struct ay_blob *known_log;		 /* only when need_log was answered with it */
	struct ay_blob *(*fetch_log)(void *arg); /* or got so when it is needed; may be NULL */
	void *fetch_arg;
	bool brief; /* of the report only verdicts and causes are wanted */
	struct ay_memo *known_memo;
	struct ay_ima_sigcache *sigs; /* of the worker that judges it; NULL: none */
	struct ay_judge *judge;
	uint8_t managed; /* enum ay_connstr_vendor of the manager that speaks; 0: the host's TPM */
	bool raw;	 /* body is a connector's, and becomes an EVIDENCE body */
	/* the EVIDENCE body */
	uint8_t *body;
	size_t body_n, body_max;
	/* out */
	enum ay_rc fault;
	struct ay_err err;
	struct ay_bytes attest, signature; /* of body */
	bool verified, fresh, rebooted, counter_back;
	struct ay_counters counters;
	enum ay_verdict verdict;
	uint8_t components[AY_COMPONENTS], grades[AY_COMPONENTS];
	struct ay_blob *report; /* JSON without id, host, instant */
	struct ay_boot_mark boot;
	bool attested;	      /* what follows is covered by the quote */
	bool boot_broken;     /* TPM and host tell two stories: what is known of the boot stays */
	bool bank_lost;	      /* the values known before stay known: it must not be forgotten */
	bool need_log;	      /* cannot be judged without the known log's octets */
	bool ask_again;	      /* it answers a question that is out of date */
	struct ay_blob *pcrs; /* wire form; the known one when unchanged */
	bool has_log;
	uint8_t log_id[32];
	struct ay_blob *log; /* its octets when they came */
	struct ay_blob *ima;
	uint64_t ima_octets, ima_entries;
	struct ay_blob *ima_chunk;
	uint64_t ima_chunk_offset;
	struct ay_pending_event *event; /* its verdict is another: told with it */
	struct ay_memo *memo;
	bool context_changed;
	bool was_sticky_counter; /* sticky_counter as it came in */
	uint16_t inputs_n;
	uint8_t inputs[512];   /* inputs.h */
	struct ay_blob *extra; /* what of it is big; NULL: nothing */
	/* settled */
	struct ay_lease lease;
	uint8_t report_id[16];
};

#endif
