/* SPDX-License-Identifier: Apache-2.0 */
/* What the tpm process says: to the server through link, to the log, to whoever enrols. */
#include <stdio.h>
#include <string.h>

#include "io/ipc/tables.h"
#include "io/sys/log.h"
#include "prog/assay-agent/status.h"
#include "prog/assay-agent/tpm_process.h"

void ay_say_frame(struct tpm_process *p, uint8_t type, uint8_t flags, uint32_t req,
		  struct ay_bytes body)
{
	const struct ay_ipc_msg m = { .type = AY_MSG_AGENT_FRAME,
				      .sub = type,
				      .flags = flags,
				      .conn = p->conn,
				      .req = req,
				      .body = body };

	if (p->up)
		ay_ipc_send_msg(p->link, &m);
}

/* A body longer than a frame goes in parts [agent-channel, flag MORE]. */
void ay_say_parts(struct tpm_process *p, uint8_t type, uint32_t req, struct ay_bytes body)
{
	while (body.n > AY_MAX_FRAME_BODY) {
		ay_say_frame(p, type, AY_FRAME_MORE, req,
			     (struct ay_bytes){ body.p, AY_MAX_FRAME_BODY });
		body.p += AY_MAX_FRAME_BODY;
		body.n -= AY_MAX_FRAME_BODY;
	}
	ay_say_frame(p, type, 0, req, body);
}

void ay_say_notice(struct tpm_process *p, uint8_t kind)
{
	ay_say_frame(p, AY_FRAME_NOTICE, 0, 0, (struct ay_bytes){ &kind, 1 });
}

void ay_say_done(struct tpm_process *p, int exit_code)
{
	p->exit_code = exit_code;
	ay_loop_stop(p->loop);
}

/* The last line that an operator sees names the step's code and, for an EK, what to type. */
void ay_say_refusal(struct tpm_process *p, const char *code, const char *text)
{
	char hash[65];
	struct ay_log_field f[] = { AY_LS("code", code), AY_LS("text", text) };

	p->refused = true;
	ay_log_write(AY_LOG_ERROR, "refused", f, AY_COUNT(f));
	ay_status_refused(p->agent, code, text);
	if (strcmp(code, "EK_CHAIN") == 0 && ay_provision_ek_hash(&p->prov, hash))
		fprintf(stderr, "%s\nEK_CHAIN: assay ek approve %s\n", text, hash);
	else if (p->agent->enrol)
		fprintf(stderr, "%s: %s\n", code, text);
	if (p->agent->enrol)
		ay_say_done(p, AY_EXIT_REFUSED);
}

/* Something of ours failed: tell the server why, end the connection; link dials again. */
void ay_say_end(struct tpm_process *p, const struct ay_err *e, const char *fallback)
{
	const char *code = e->code[0] != '\0' ? e->code : fallback;
	uint8_t buf[512];
	struct ay_writer w;
	struct ay_bytes body;

	ay_log_err(AY_LOG_WARN, "ending the connection", e);
	ay_wr_init(&w, buf, sizeof(buf));
	ay_chan_fail_write(&w, code, e->text);
	if (ay_wr_end(&w, "fail", &body, NULL) == AY_OK && p->up)
		ay_ipc_send(p->link, AY_MSG_AGENT_END, p->conn, 0, body);
	ay_say_refusal(p, code, e->text);
	p->up = false;
}
