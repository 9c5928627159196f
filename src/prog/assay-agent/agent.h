/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_AGENT_AGENT_H
#define AY_PROG_AGENT_AGENT_H

/*
 * What main.c settles before it starts the two processes, and the processes
 * themselves: link (network; no TPM, no measurement logs) and tpm (device,
 * logs, keys; no network).
 */
#include "core/crypto/token.h"
#include "io/sys/config.h"
#include "prog/assay-agent/identity.h"

#define AY_AGENT_PATH 4200

struct ay_agent {
	const struct ay_config *conf;
	bool enrol; /* verb enrol: end when enrolled or refused */
	bool listen;
	const struct ay_token *token;	 /* verb enrol; else NULL */
	struct ay_pins pins;		 /* from token, configuration or identity */
	const struct ay_tpmdev_ops *tpm; /* whose device `tcti` is */
	const char *tcti;		 /* what its make() is given */
	enum ay_ek_kind ek;
	enum ay_ak_kind ak;
	char name[AY_MAX_NAME_BYTES + 1];
	char identity_path[AY_AGENT_PATH];
	char status_path[AY_AGENT_PATH];
	char guard_path[AY_AGENT_PATH];
	char pending_path[AY_AGENT_PATH]; /* there while an answer to ENROL_PROOF is awaited */
	char tag_path[AY_AGENT_PATH]; /* certificate of the asset tag, if it has one */
	char endpoints_path[AY_AGENT_PATH];
	uint8_t spki[32]; /* SHA-256 of our TLS key's SPKI */
	struct ay_bytes key_pem, cert_pem;
	struct ay_identity identity; /* as loaded at the start; tpm keeps it current */
};

/* Said when no root that the host pins leads to the server. */
#define AY_AGENT_ROOT_TODO                                                                         \
	"if the server's root was replaced while this host was away: "                             \
	"`assay token create --host NAME` there, `assay-agent enrol --token TOKEN` here"

/* Exit codes of the programs (design.md 8). */
enum { AY_EXIT_OK = 0, AY_EXIT_REFUSED = 1, AY_EXIT_USAGE = 2, AY_EXIT_IO = 3 };

/* The tpm process gives up everything but its files, its device and a software TPM's socket. */
AY_MUST_USE enum ay_rc ay_agent_tpm_sandbox(const struct ay_agent *a, struct ay_err *e);

/*
 * Verb take-ownership, typed on the host itself: a TPM 1.2 without owner gets
 * one. Only where the configuration has allow = take-ownership; the order of
 * that name does the same (orders.h). Returns an exit code.
 */
int ay_agent_own(const struct ay_agent *a);
/* What the device's make() is given. */
struct ay_tpmdev_conf ay_agent_tpm_conf(const struct ay_agent *a);

/* Both take over fd, return when the other end is gone or the work is done, with an exit code. */
int ay_agent_tpm_run(struct ay_agent *a, int fd);
int ay_agent_link_run(const struct ay_agent *a, int fd);

#endif
