/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAY_CA_CAKEYS_H
#define AY_ASSAY_CA_CAKEYS_H

/*
 * The Privacy CA's keys and certificates in its folder: root.key, root.pem
 * (its SPKI is the `ca` pin), issuer.key, issuer.pem, encryption.key,
 * encryption.pem, identity.key, identity.pem (RSA: what TPM 1.2 encrypts to),
 * pseudonym.key. Keys are PEM or hex, 0600. root.key is not
 * needed to run: it may be kept elsewhere.
 */
#include "core/authz/caflow.h"
#include "core/base/arena.h"

struct ay_ca_files {
	struct ay_ca_keys keys;
	struct ay_privkey *issuer, *encryption;
	struct ay_pubkey *ticket, *ticket_old;
	struct ay_rsakey *identity; /* NULL: a folder of before, and root.key is elsewhere */
	size_t n_certs;
	struct ay_bytes certs[5]; /* as PROVISION carries them: encryption, (identity,) issuer, (the
				     one before,) root */
	struct ay_arena arena;
};

/* Make the folder, keys and certificates. AY_E_EXISTS if there is a CA already. */
AY_MUST_USE enum ay_rc ay_ca_init(const char *dir, struct ay_err *e);
enum ay_ca_key { AY_CA_ISSUER, AY_CA_ENCRYPTION };
/*
 * A new key and its certificate by the CA's root, as PEM (malloc'ed; the caller
 * wipes and frees the key by ay_file_free()). AY_E_NOENT: root.key is not there.
 */
AY_MUST_USE enum ay_rc ay_ca_renew(const char *dir, enum ay_ca_key what, struct ay_bytes *key,
				   struct ay_bytes *cert, struct ay_err *e);
/* ticket_key: path of the server's public ticket key in PEM; a second one after it is the key
 * before, whose tickets are still served. */
AY_MUST_USE enum ay_rc ay_ca_files_load(const char *dir, const char *ticket_key,
					struct ay_ca_files *out, struct ay_err *e);
void ay_ca_files_fini(struct ay_ca_files *f);

/* SHA-256 of the SPKI of STATE/ca/root.pem: what tokens pin. */
AY_MUST_USE enum ay_rc ay_ca_pin(const char *dir, uint8_t pin[32], struct ay_err *e);

#endif
