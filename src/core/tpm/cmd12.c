/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/cmd12.h"

#include "core/crypto/hash.h"
#include "core/crypto/kdf.h"
#include "core/crypto/secret.h"

enum {
	TAG_COMMAND = 0x00c1,  /* + number of authorizations */
	TAG_RESPONSE = 0x00c4, /* likewise */
	HEAD = 10,
	AUTH_RESPONSE = AY_SHA1_BYTES + 1 + AY_SHA1_BYTES,
};

_Static_assert(AY_SHA1_BYTES == 20, "SHA-1");

void ay_cmd12_begin(struct ay_cmd12 *c, uint32_t ordinal)
{
	c->ordinal = ordinal;
	c->code = AY_RC12_OK;
	ay_wr_init(&c->w, c->buf, sizeof(c->buf));
	ay_wr_be16(&c->w, TAG_COMMAND);
	ay_wr_be32(&c->w, 0); /* paramSize, patched at the end */
	ay_wr_be32(&c->w, ordinal);
	c->params_at = c->w.n;
}

void ay_cmd12_params(struct ay_cmd12 *c)
{
	c->params_at = c->w.n;
}

/* SHA-1 of one or two 32-bit numbers and the parameters: 1S (and 2S) of the HMACs. */
static bool digest_params(const uint32_t *numbers, size_t n, struct ay_bytes params,
			  uint8_t out[AY_SHA1_BYTES])
{
	struct ay_hash h;

	if (!ay_hash_init(&h, AY_ALG_SHA1))
		return false;
	for (size_t i = 0; i < n; i++) {
		const uint8_t be[4] = { (uint8_t)(numbers[i] >> 24), (uint8_t)(numbers[i] >> 16),
					(uint8_t)(numbers[i] >> 8), (uint8_t)numbers[i] };

		ay_hash_update(&h, AY_BYTES(be));
	}
	ay_hash_update(&h, params);
	ay_hash_final(&h, out);
	return true;
}

/* HMAC of a command or a response under one session [TPM12-P1 13.2]. */
static bool session_mac(const struct ay_auth12 *a, const uint8_t digest[AY_SHA1_BYTES],
			uint8_t more, uint8_t out[AY_SHA1_BYTES])
{
	const struct ay_bytes parts[] = { { digest, AY_SHA1_BYTES },
					  AY_BYTES(a->nonce_even),
					  AY_BYTES(a->nonce_odd),
					  { &more, 1 } };

	return ay_hmac(AY_ALG_SHA1, AY_BYTES(a->key), parts, AY_COUNT(parts), out);
}

static bool write_auth(struct ay_cmd12 *c, const struct ay_auth12 *a,
		       const uint8_t digest[AY_SHA1_BYTES])
{
	uint8_t mac[AY_SHA1_BYTES];

	if (!session_mac(a, digest, a->more, mac))
		return false;
	ay_wr_be32(&c->w, a->handle);
	ay_wr_bytes(&c->w, AY_BYTES(a->nonce_odd));
	ay_wr_u8(&c->w, a->more);
	ay_wr_bytes(&c->w, AY_BYTES(mac));
	return true;
}

static void patch_head(struct ay_cmd12 *c, size_t n_auth)
{
	struct ay_writer head;

	ay_wr_init(&head, c->buf, HEAD);
	ay_wr_be16(&head, (uint16_t)(TAG_COMMAND + n_auth));
	ay_wr_be32(&head, (uint32_t)c->w.n);
}

enum ay_rc ay_cmd12_end(struct ay_cmd12 *c, struct ay_auth12 *const *auth, size_t n,
			struct ay_bytes *out, struct ay_err *e)
{
	uint8_t digest[AY_SHA1_BYTES];
	struct ay_bytes params = { c->buf + c->params_at, c->w.n - c->params_at };
	bool ok = c->w.fail.rc == AY_OK && n <= AY_CMD12_AUTHS &&
		  digest_params(&c->ordinal, 1, params, digest);

	*out = (struct ay_bytes){ 0 };
	for (size_t i = 0; i < n && ok; i++)
		ok = write_auth(c, auth[i], digest);
	if (!ok && c->w.fail.rc == AY_OK)
		return ay_fail(e, AY_E_BUG, "command", 0, "cannot be authorized");
	if (c->w.fail.rc == AY_OK)
		patch_head(c, n);
	return ay_wr_end(&c->w, "command", out, e);
}

size_t ay_rsp12_size(const uint8_t head[10])
{
	struct ay_reader r;
	uint16_t tag;
	uint32_t size;

	ay_rd_init(&r, (struct ay_bytes){ head, HEAD });
	tag = ay_rd_be16(&r, "response.tag");
	size = ay_rd_be32(&r, "response.paramSize");
	if (tag < TAG_RESPONSE || tag > TAG_RESPONSE + AY_CMD12_AUTHS || size < HEAD ||
	    size > AY_CMD12_MAX)
		return 0;
	return size;
}

/* ---- responses ---- */

struct rsp_auth {
	struct ay_bytes nonce_even, mac;
	uint8_t more;
};

static void read_auth(struct ay_reader *r, struct rsp_auth *a)
{
	a->nonce_even = ay_rd_bytes(r, "response.nonceEven", AY_SHA1_BYTES);
	a->more = ay_rd_u8(r, "response.continueAuthSession");
	a->mac = ay_rd_bytes(r, "response.resAuth", AY_SHA1_BYTES);
}

static enum ay_rc refused(struct ay_cmd12 *c, struct ay_err *e)
{
	bool secret = c->code == AY_RC12_AUTHFAIL || c->code == AY_RC12_AUTH2FAIL;

	return ay_fail(e, secret ? AY_E_CRYPTO : AY_E_UNAVAIL, "tpm", 0,
		       "TPM 1.2 refuses ordinal 0x%02x: %s (0x%x)", c->ordinal,
		       ay_rc12_text(c->code), c->code);
}

static enum ay_rc read_head(struct ay_reader *r, struct ay_cmd12 *c, size_t n_auth, size_t whole)
{
	uint16_t tag = ay_rd_be16(r, "response.tag");
	uint32_t size = ay_rd_be32(r, "response.paramSize");

	c->code = ay_rd_be32(r, "response.returnCode");
	if (ay_rd_ok(r) && size != whole)
		ay_rd_reject(r, "response.paramSize", "says %u octets, there are %zu", size, whole);
	/* a refusal is never authorized */
	if (ay_rd_ok(r) && tag != (c->code == AY_RC12_OK ? TAG_RESPONSE + n_auth : TAG_RESPONSE))
		ay_rd_reject(r, "response.tag", "is 0x%04x", tag);
	return ay_rd_ok(r) ? AY_OK : AY_E_INPUT;
}

static bool check_auths(const struct ay_cmd12 *c, struct ay_bytes params,
			struct ay_auth12 *const *auth, const struct rsp_auth *got, size_t n)
{
	const uint32_t numbers[2] = { c->code, c->ordinal };
	uint8_t digest[AY_SHA1_BYTES], mac[AY_SHA1_BYTES];
	bool ok = digest_params(numbers, 2, params, digest);

	for (size_t i = 0; i < n && ok; i++) {
		struct ay_auth12 *a = auth[i];

		memcpy(a->nonce_even, got[i].nonce_even.p, AY_SHA1_BYTES);
		ok = session_mac(a, digest, got[i].more, mac) &&
		     ay_bytes_eq_secret(AY_BYTES(mac), got[i].mac);
		a->more = got[i].more != 0;
	}
	return ok;
}

enum ay_rc ay_rsp12_open(struct ay_cmd12 *c, struct ay_bytes in, uint32_t *handle, size_t n_handles,
			 struct ay_auth12 *const *auth, size_t n, struct ay_bytes *params,
			 struct ay_err *e)
{
	struct rsp_auth got[AY_CMD12_AUTHS];
	struct ay_bytes body = { 0 };
	struct ay_reader r;
	size_t tail = n * AUTH_RESPONSE;
	enum ay_rc rc;

	*params = body;
	ay_rd_init(&r, in);
	if (read_head(&r, c, n, in.n) == AY_OK && c->code != AY_RC12_OK)
		return refused(c, e);
	for (size_t i = 0; i < n_handles; i++)
		handle[i] = ay_rd_be32(&r, "response.handle");
	if (ay_rd_ok(&r) && ay_rd_left(&r) < tail)
		ay_rd_reject(&r, "response.auth", "needs %zu octets, %zu left", tail,
			     ay_rd_left(&r));
	if (ay_rd_ok(&r))
		body = ay_rd_bytes(&r, "response.params", ay_rd_left(&r) - tail);
	for (size_t i = 0; i < n; i++)
		read_auth(&r, &got[i]);
	rc = ay_rd_end(&r, "response", e);
	if (rc != AY_OK)
		return rc;
	if (AY_CHECKED("RSP12_AUTH", !check_auths(c, body, auth, got, n)))
		return ay_fail(e, AY_E_CRYPTO, "response.resAuth", 0,
			       "does not come from a TPM that knows the secret");
	*params = body;
	return AY_OK;
}

/* ---- sessions ---- */

void ay_oiap12_build(struct ay_cmd12 *c)
{
	ay_cmd12_begin(c, AY_ORD12_OIAP);
}

enum ay_rc ay_oiap12_parse(struct ay_bytes params, struct ay_auth12 *a, struct ay_err *e)
{
	struct ay_reader r;

	ay_rd_init(&r, params);
	a->handle = ay_rd_be32(&r, "oiap.authHandle");
	ay_rd_copy(&r, "oiap.nonceEven", a->nonce_even, AY_SHA1_BYTES);
	return ay_rd_end(&r, "oiap", e);
}

void ay_osap12_build(struct ay_cmd12 *c, uint16_t type, uint32_t value,
		     const uint8_t nonce_odd[AY_SHA1_BYTES])
{
	ay_cmd12_begin(c, AY_ORD12_OSAP);
	ay_wr_be16(&c->w, type);
	ay_wr_be32(&c->w, value);
	ay_wr_bytes(&c->w, (struct ay_bytes){ nonce_odd, AY_SHA1_BYTES });
}

enum ay_rc ay_osap12_parse(struct ay_bytes params, const uint8_t secret[AY_SHA1_BYTES],
			   const uint8_t nonce_odd[AY_SHA1_BYTES], struct ay_auth12 *a,
			   struct ay_err *e)
{
	struct ay_bytes parts[2] = { { 0 }, { nonce_odd, AY_SHA1_BYTES } };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, params);
	a->handle = ay_rd_be32(&r, "osap.authHandle");
	ay_rd_copy(&r, "osap.nonceEven", a->nonce_even, AY_SHA1_BYTES);
	parts[0] = ay_rd_bytes(&r, "osap.nonceEvenOSAP", AY_SHA1_BYTES);
	rc = ay_rd_end(&r, "osap", e);
	if (rc == AY_OK && !ay_hmac(AY_ALG_SHA1, (struct ay_bytes){ secret, AY_SHA1_BYTES }, parts,
				    AY_COUNT(parts), a->key))
		rc = ay_fail(e, AY_E_BUG, "osap", 0, "no shared secret");
	return rc;
}

bool ay_adip12(const struct ay_auth12 *osap, const uint8_t fresh[AY_SHA1_BYTES],
	       uint8_t out[AY_SHA1_BYTES])
{
	uint8_t pad[AY_SHA1_BYTES];
	struct ay_hash h;

	if (!ay_hash_init(&h, AY_ALG_SHA1))
		return false;
	ay_hash_update(&h, AY_BYTES(osap->key));
	ay_hash_update(&h, AY_BYTES(osap->nonce_even));
	ay_hash_final(&h, pad);
	for (size_t i = 0; i < AY_SHA1_BYTES; i++)
		out[i] = fresh[i] ^ pad[i];
	ay_wipe(pad, sizeof(pad));
	return true;
}

const char *ay_rc12_text(uint32_t code)
{
	static const struct {
		uint32_t code;
		const char *text;
	} table[] = {
		{ AY_RC12_AUTHFAIL, "authorization failed: another secret is set" },
		{ AY_RC12_BADINDEX, "no such index" },
		{ 0x03, "bad parameter" },
		{ 0x06, "deactivated" },
		{ 0x07, "disabled" },
		{ AY_RC12_DISABLED_CMD, "this command is disabled" },
		{ AY_RC12_BAD_ORDINAL, "this TPM does not know the command" },
		{ 0x0c, "a key handle that does not exist" },
		{ AY_RC12_NOSPACE, "no room for another key" },
		{ AY_RC12_NOSRK, "there is no storage root key: the TPM has no owner" },
		{ AY_RC12_OWNER_SET, "the TPM has an owner already" },
		{ AY_RC12_RESOURCES, "no room for another session" },
		{ 0x18, "the PCR values are others" },
		{ AY_RC12_AUTH2FAIL, "authorization failed: another owner secret is set" },
		{ 0x22, "a session that does not exist" },
		{ 0x23, "there is no endorsement key" },
		{ 0x24, "the entity is not for that" },
		{ 0x26, "not started: TPM_Startup is due" },
		{ 0x33, "this PCR cannot be reset here" },
		{ 0x3d, "not from this locality" },
		{ 0x48, "area is locked" },
		{ AY_RC12_RETRY, "busy" },
		{ 0x803, "locked against guessing of secrets: wait, or reset the lock" },
	};

	for (size_t i = 0; i < AY_COUNT(table); i++)
		if (table[i].code == code)
			return table[i].text;
	return "refused";
}
