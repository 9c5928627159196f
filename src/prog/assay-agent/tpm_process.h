/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_AGENT_TPM_PROCESS_H
#define AY_PROG_AGENT_TPM_PROCESS_H

/* The inside of the tpm process: tpm.c what it does, tpm_say.c what it says. */
#include "io/ipc/ipc.h"
#include "prog/assay-agent/attest.h"
#include "prog/assay-agent/orders.h"
#include "prog/assay-agent/provision.h"

struct event;

struct tpm_process {
	struct ay_agent *agent;
	struct ay_loop *loop;
	struct ay_ipc *link;
	struct event *watch;
	int exit_code;

	const struct ay_tpmdev_ops *ops;
	struct ay_tpmdev *dev;
	struct ay_tpm_info info; /* family 0: not asked yet */
	struct ay_provisioning prov;
	struct ay_attester attester;
	struct ay_orders orders;
	int64_t open_until; /* mono: an order may have left the device open; 0: no */

	bool up;
	uint32_t conn;
	uint8_t exporter[32];
	struct ay_bytes root_der; /* of this connection, malloc'ed */
	struct ay_uuid boot;	  /* as told in the last HELLO */
	uint64_t ima_mark;	  /* at the last answer or notice */
	bool told_renewal;
	bool had_before;   /* two roots were told to link */
	bool refused;	   /* a FAIL came or went on this connection */
	unsigned silent_s; /* enrol: since something came from the server */
	unsigned unsure_s;
	bool unsure; /* the last ENROL_PROOF got no answer: which AK counts? */
};

/* Nothing is sent while no connection stands. */
void ay_say_frame(struct tpm_process *p, uint8_t type, uint8_t flags, uint32_t req,
		  struct ay_bytes body);
/* A body longer than a frame goes in parts [agent-channel, flag MORE]. */
void ay_say_parts(struct tpm_process *p, uint8_t type, uint32_t req, struct ay_bytes body);
void ay_say_notice(struct tpm_process *p, uint8_t kind);
/* Ends the process's loop. */
void ay_say_done(struct tpm_process *p, int exit_code);
/* The last line that an operator sees names the step's code and, for an EK, what to type. */
void ay_say_refusal(struct tpm_process *p, const char *code, const char *text);
/* Something of ours failed: tell the server why, end the connection; link dials again. */
void ay_say_end(struct tpm_process *p, const struct ay_err *e, const char *fallback);

#endif
