/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_AGENT_IDENTITY_H
#define AY_PROG_AGENT_IDENTITY_H

/*
 * What this host is to its server: pins, host id, AK with its certificate. One
 * file, STATE/identity.json (0600), replaced whole, so that a crash leaves the
 * old or the new identity and nothing between.
 */
#include "core/base/arena.h"
#include "core/base/limits.h"
#include "core/base/uuid.h"
#include "io/net/tls.h"
#include "io/tpmdev/tpmdev.h"
#include "prog/assay-agent/pins.h"

struct ay_identity {
	struct ay_arena arena; /* holds what follows */
	bool enrolled;
	struct ay_uuid host;
	char name[AY_MAX_NAME_BYTES + 1];
	struct ay_pins pins;
	size_t n_servers;
	char servers[AY_TOKEN_SERVERS_MAX][AY_TOKEN_SERVER_MAX];
	/* Root certificates of the server: seen at first contact, brought by a change of pin; and
	 * the one before. */
	struct ay_bytes root_der, root_before;
	struct ay_tpm_ak ak;
	struct ay_bytes cert; /* AIK certificate, DER */
	int64_t ends_at_ms, renew_at_ms;
};

/*
 * The roots that a server's chain may end in now, each with its certificate
 * where id knows it; returns how many. certs borrow from id.
 */
size_t ay_identity_roots(const struct ay_pins *pins, const struct ay_identity *id, int64_t now_ms,
			 struct ay_tls_root out[AY_TLS_ROOTS]);

void ay_identity_init(struct ay_identity *id);
void ay_identity_fini(struct ay_identity *id);
/* No file is no failure: not enrolled. AY_E_INPUT: the file is damaged. */
AY_MUST_USE enum ay_rc ay_identity_load(const char *path, struct ay_identity *id, struct ay_err *e);
AY_MUST_USE enum ay_rc ay_identity_save(const char *path, const struct ay_identity *id,
					struct ay_err *e);

#endif
