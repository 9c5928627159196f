/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPMDEV_TPM12_PRIV_H
#define AY_TPMDEV_TPM12_PRIV_H

/* What the files of the TPM 1.2 backend share. Nobody else includes this. */
#include "core/crypto/secret.h"
#include "core/tpm/reply12.h"
#include "io/tpmdev/tpm12.h"

enum { AY_KH12_SRK = 0x40000000, AY_KH12_OWNER = 0x40000001, AY_KH12_EK = 0x40000006 };
enum { AY_ET12_OWNER = 2, AY_ET12_SRK = 4 };
enum { AY_RT12_KEY = 1, AY_RT12_AUTH = 2 };

struct ay_tpmdev {
	char *where; /* device:PATH, swtpm:host=H,port=P or swtpm:path=SOCKET */
	char *guard_path;
	int fd; /* -1: closed */
	bool is_device;
	bool first; /* nothing has been answered yet: another client may have the TPM */
	uint8_t owner[AY_SHA1_BYTES], srk[AY_SHA1_BYTES];
};

/* The secret of areas, keys and data that need none: 20 zero octets. */
extern const uint8_t ay_tpm12_well_known[AY_SHA1_BYTES];

/* One exchange under way. Wiped by ay_tpm12_wipe(). */
struct ay_call12 {
	struct ay_cmd12 c;
	struct ay_auth12 auth[AY_CMD12_AUTHS];
	size_t n_auth;
	uint32_t handle;       /* of the response, when asked for */
	struct ay_bytes reply; /* parameters of the response; borrows from rsp */
	uint8_t rsp[AY_CMD12_MAX];
};
void ay_tpm12_wipe(struct ay_call12 *x);

/* ---- the wire (tpm12_wire.c) ---- */

AY_MUST_USE enum ay_rc ay_tpm12_connect(struct ay_tpmdev *d, struct ay_err *e);
void ay_tpm12_disconnect(struct ay_tpmdev *d);
/* One command, one response; rsp has AY_CMD12_MAX octets. AY_E_UNAVAIL. */
AY_MUST_USE enum ay_rc ay_tpm12_transmit(struct ay_tpmdev *d, struct ay_bytes cmd, uint8_t *rsp,
					 struct ay_bytes *out, struct ay_err *e);

/* ---- sessions (tpm12_call.c) ---- */

/*
 * Open a session for the next authorization of x. What is open when a call
 * fails before it is sent is flushed by ay_tpm12_wipe()'s caller: see
 * ay_tpm12_abandon().
 */
AY_MUST_USE enum ay_rc ay_tpm12_oiap(struct ay_tpmdev *d, struct ay_call12 *x,
				     const uint8_t secret[AY_SHA1_BYTES], struct ay_err *e);
AY_MUST_USE enum ay_rc ay_tpm12_osap(struct ay_tpmdev *d, struct ay_call12 *x, uint16_t type,
				     uint32_t value, const uint8_t secret[AY_SHA1_BYTES],
				     struct ay_err *e);
/*
 * Send what was built in x->c with its sessions, which end by it. n_handles: 0
 * or 1, of the response. A TPM that is busy is asked again for some seconds.
 */
AY_MUST_USE enum ay_rc ay_tpm12_call(struct ay_tpmdev *d, struct ay_call12 *x, size_t n_handles,
				     struct ay_err *e);
/* Sessions that were opened and not used. */
void ay_tpm12_abandon(struct ay_tpmdev *d, struct ay_call12 *x);
void ay_tpm12_flush(struct ay_tpmdev *d, uint32_t handle, uint32_t type);
/* TPM_GetCapability; out borrows from x. */
AY_MUST_USE enum ay_rc ay_tpm12_capability(struct ay_tpmdev *d, struct ay_call12 *x, uint32_t area,
					   uint32_t sub, struct ay_bytes *out, struct ay_err *e);

/* ---- ops (tpm12_key.c, tpm12_quote.c) ---- */

enum ay_rc ay_tpm12_ek_find(struct ay_tpmdev *d, enum ay_ek_kind kind, uint32_t nv_cert,
			    struct ay_arena *a, struct ay_tpm_ek *out, struct ay_err *e);
enum ay_rc ay_tpm12_ak_create(struct ay_tpmdev *d, const struct ay_ak_ask *ask, struct ay_arena *a,
			      struct ay_tpm_ak *out, struct ay_err *e);
enum ay_rc ay_tpm12_activate(struct ay_tpmdev *d, const struct ay_tpm_ak *ak, struct ay_bytes sym,
			     struct ay_bytes asym, uint8_t secret[AY_DIGEST_MAX], size_t *n,
			     struct ay_err *e);
enum ay_rc ay_tpm12_quote(struct ay_tpmdev *d, const struct ay_tpm_ak *ak,
			  const struct ay_pcr_selection *s, struct ay_bytes qualifying,
			  struct ay_arena *a, struct ay_tpm_quote *out, struct ay_err *e);
/* TPM_LoadKey2 under the storage root key; the caller flushes it. */
AY_MUST_USE enum ay_rc ay_tpm12_load(struct ay_tpmdev *d, struct ay_bytes key, uint32_t *handle,
				     struct ay_err *e);

#endif
