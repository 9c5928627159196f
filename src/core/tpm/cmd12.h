/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TPM_CMD12_H
#define AY_TPM_CMD12_H

/*
 * Commands and responses of a TPM 1.2 with their authorization sessions
 * [TPM12-P1 13, TPM12-P3]. Pure: nonces come as arguments, octets go out and
 * come in, io/tpmdev carries them.
 *
 *	ay_cmd12_begin(&c, AY_ORD12_PCR_READ);
 *	ay_wr_be32(&c.w, pcr);
 *	ay_cmd12_end(&c, NULL, 0, &octets, e);
 *	... the device ...
 *	ay_rsp12_open(&c, answer, NULL, 0, &params, e);
 *
 * A response is untrusted: whoever sits between us and the TPM can change it.
 * One with authorization is believed only with its HMAC, which also covers our
 * own nonce of this command.
 */
#include "core/base/reader.h"
#include "core/base/writer.h"

#define AY_SHA1_BYTES 20
#define AY_CMD12_MAX 4096 /* TPMs of the family have buffers of 1 to 4 KiB */
#define AY_CMD12_AUTHS 2

/* Ordinals [TPM12-P2 17]. */
enum ay_ord12 {
	AY_ORD12_OIAP = 0x0a,
	AY_ORD12_OSAP = 0x0b,
	AY_ORD12_TAKE_OWNERSHIP = 0x0d,
	AY_ORD12_EXTEND = 0x14,
	AY_ORD12_PCR_READ = 0x15,
	AY_ORD12_QUOTE = 0x16,
	AY_ORD12_SEAL = 0x17,
	AY_ORD12_UNSEAL = 0x18,
	AY_ORD12_QUOTE2 = 0x3e,
	AY_ORD12_LOAD_KEY2 = 0x41,
	AY_ORD12_GET_RANDOM = 0x46,
	AY_ORD12_GET_CAPABILITY = 0x65,
	AY_ORD12_MAKE_IDENTITY = 0x79,
	AY_ORD12_ACTIVATE_IDENTITY = 0x7a,
	AY_ORD12_READ_PUBEK = 0x7c,
	AY_ORD12_OWNER_READ_INTERNAL_PUB = 0x81,
	AY_ORD12_FLUSH_SPECIFIC = 0xba,
	AY_ORD12_NV_DEFINE_SPACE = 0xcc,
	AY_ORD12_NV_WRITE_VALUE = 0xcd,
	AY_ORD12_NV_WRITE_VALUE_AUTH = 0xce,
	AY_ORD12_NV_READ_VALUE = 0xcf,
	AY_ORD12_NV_READ_VALUE_AUTH = 0xd0,
};

/* Return codes that callers tell apart [TPM12-P2 16]. */
enum ay_rc12 {
	AY_RC12_OK = 0,
	AY_RC12_AUTHFAIL = 0x01,
	AY_RC12_BADINDEX = 0x02,
	AY_RC12_DISABLED_CMD = 0x08,
	AY_RC12_BAD_ORDINAL = 0x0a,
	AY_RC12_NOSPACE = 0x11,
	AY_RC12_NOSRK = 0x12,
	AY_RC12_OWNER_SET = 0x14,
	AY_RC12_RESOURCES = 0x15,
	AY_RC12_AUTH2FAIL = 0x1d,
	AY_RC12_RETRY = 0x800,
};

/* An OIAP or OSAP session [TPM12-P1 13.2]. key is wiped by the owner of the struct. */
struct ay_auth12 {
	uint32_t handle;
	bool more; /* continueAuthSession: keep it after this command */
	uint8_t nonce_even[AY_SHA1_BYTES];
	uint8_t nonce_odd[AY_SHA1_BYTES]; /* fresh for every command: the caller's to draw */
	uint8_t key[AY_SHA1_BYTES];	  /* of the entity (OIAP), or shared by OSAP */
};

/* One command being built, and what its response is checked with. */
struct ay_cmd12 {
	struct ay_writer w;
	uint32_t ordinal;
	size_t params_at; /* behind the handles, which no HMAC covers */
	uint32_t code;	  /* set by ay_rsp12_open(): TPM_RESULT */
	uint8_t buf[AY_CMD12_MAX];
};

/* Handles of the command are written to c->w after this, parameters after ay_cmd12_params(). */
void ay_cmd12_begin(struct ay_cmd12 *c, uint32_t ordinal);
void ay_cmd12_params(struct ay_cmd12 *c);
/*
 * Authorize by up to two sessions and finish. out borrows from c.
 * AY_E_LIMIT: the command is longer than a TPM takes.
 */
AY_MUST_USE enum ay_rc ay_cmd12_end(struct ay_cmd12 *c, struct ay_auth12 *const *auth, size_t n,
				    struct ay_bytes *out, struct ay_err *e);

/*
 * Read a response: head, size, result, HMACs. params is behind n_handles
 * handles, which are written to handle, and before the authorization.
 *
 * AY_E_UNAVAIL  the TPM refuses; c->code says how (also AY_E_CRYPTO for a wrong secret)
 * AY_E_INPUT    not a response to this command
 * AY_E_CRYPTO   an HMAC is not that of a party that knows the secret
 */
AY_MUST_USE enum ay_rc ay_rsp12_open(struct ay_cmd12 *c, struct ay_bytes in, uint32_t *handle,
				     size_t n_handles, struct ay_auth12 *const *auth, size_t n,
				     struct ay_bytes *params, struct ay_err *e);
/* Octets of the whole response from its first 10; 0 if they are no head of one. */
size_t ay_rsp12_size(const uint8_t head[10]);

/* ---- sessions ---- */

void ay_oiap12_build(struct ay_cmd12 *c);
/* a->key stays: the caller set the entity's secret. */
AY_MUST_USE enum ay_rc ay_oiap12_parse(struct ay_bytes params, struct ay_auth12 *a,
				       struct ay_err *e);
/* Entity type and value [TPM12-P2 4.3]. */
void ay_osap12_build(struct ay_cmd12 *c, uint16_t type, uint32_t value,
		     const uint8_t nonce_odd[AY_SHA1_BYTES]);
/* Sets a->key to the shared secret. nonce_odd: as given to the build. */
AY_MUST_USE enum ay_rc ay_osap12_parse(struct ay_bytes params, const uint8_t secret[AY_SHA1_BYTES],
				       const uint8_t nonce_odd[AY_SHA1_BYTES], struct ay_auth12 *a,
				       struct ay_err *e);
/* A new secret on its way into the TPM: XOR with SHA-1(shared || nonceEven) [TPM12-P1 13.7]. */
AY_MUST_USE bool ay_adip12(const struct ay_auth12 *osap, const uint8_t fresh[AY_SHA1_BYTES],
			   uint8_t out[AY_SHA1_BYTES]);

/* What a result says, in words; never NULL. */
const char *ay_rc12_text(uint32_t code);

#endif
