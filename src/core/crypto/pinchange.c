/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/pinchange.h"

#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/crypto/hash.h"

#define LABEL "assay-pin-change-1"

enum { VERSION = 1, SIGNATURE = 64 };

const char *ay_pin_purpose_name(enum ay_pin_purpose p)
{
	static const char *const names[] = { "?", "root", "ca", "order" };

	return p >= AY_PIN_ROOT && p <= AY_PIN_PURPOSES ? names[p] : "?";
}

/* ECDSA over the label and what is signed, so that the key signs nothing else by accident. */
static void labelled(struct ay_bytes part, uint8_t out[sizeof(LABEL) + AY_PIN_CHANGE_MAX],
		     struct ay_bytes *msg)
{
	const size_t n = sizeof(LABEL) - 1;

	memcpy(out, LABEL, n);
	memcpy(out + n, part.p, part.n);
	*msg = (struct ay_bytes){ out, n + part.n };
}

static enum ay_rc write_part(struct ay_writer *w, const struct ay_pin_change *c,
			     const struct ay_privkey *key, struct ay_err *e)
{
	uint8_t spki[AY_SPKI_P256];
	enum ay_rc rc = ay_privkey_spki(key, spki, e);

	if (rc != AY_OK)
		return rc;
	ay_wr_u8(w, VERSION);
	ay_wr_u8(w, (uint8_t)c->purpose);
	ay_wr_be64(w, c->sequence);
	ay_wr_be64(w, (uint64_t)c->not_before_ms);
	ay_wr_be64(w, (uint64_t)c->not_after_ms);
	ay_wr_bytes(w, AY_BYTES(c->next));
	ay_wr_vec8(w, c->label);
	ay_wr_vec8(w, AY_BYTES(spki));
	return AY_OK;
}

enum ay_rc ay_pin_change_sign(const struct ay_pin_change *c, const struct ay_privkey *key,
			      uint8_t out[AY_PIN_CHANGE_MAX], size_t *n, struct ay_err *e)
{
	uint8_t room[sizeof(LABEL) + AY_PIN_CHANGE_MAX], signature[SIGNATURE];
	struct ay_bytes part, msg;
	struct ay_writer w;
	enum ay_rc rc;

	*n = 0;
	ay_wr_init(&w, out, AY_PIN_CHANGE_MAX - SIGNATURE);
	rc = write_part(&w, c, key, e);
	if (rc == AY_OK)
		rc = ay_wr_end(&w, "pin change", &part, e);
	if (rc != AY_OK)
		return rc;
	labelled(part, room, &msg);
	rc = ay_privkey_sign(key, msg, signature, e);
	if (rc != AY_OK)
		return rc;
	memcpy(out + part.n, signature, SIGNATURE);
	*n = part.n + SIGNATURE;
	return AY_OK;
}

static bool is_printable(struct ay_bytes b)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < 0x20 || b.p[i] > 0x7e)
			return false;
	return true;
}

static void read_part(struct ay_reader *r, struct ay_pin_change *c)
{
	uint8_t version = ay_rd_u8(r, "pin.version"), purpose = ay_rd_u8(r, "pin.purpose");

	if (version != VERSION)
		ay_rd_reject(r, "pin.version", "%u is not known", version);
	if (purpose < AY_PIN_ROOT || purpose > AY_PIN_PURPOSES)
		ay_rd_reject(r, "pin.purpose", "%u is not known", purpose);
	c->purpose = (enum ay_pin_purpose)purpose;
	c->sequence = ay_rd_be64(r, "pin.sequence");
	c->not_before_ms = (int64_t)ay_rd_be64(r, "pin.notBefore");
	c->not_after_ms = (int64_t)ay_rd_be64(r, "pin.notAfter");
	if (c->sequence == 0 || c->not_before_ms < 0 || c->not_after_ms < c->not_before_ms)
		ay_rd_reject(r, "pin.notAfter", "sequence or dates make no sense");
	ay_rd_copy(r, "pin.next", c->next, sizeof(c->next));
	c->label = ay_rd_vec8(r, "pin.label", AY_PIN_LABEL_MAX);
	if (!is_printable(c->label))
		ay_rd_reject(r, "pin.label", "is not printable");
	c->signer = ay_rd_vec8(r, "pin.signer", AY_SPKI_P256);
}

enum ay_rc ay_pin_change_parse(struct ay_bytes in, struct ay_pin_change *out, struct ay_err *e)
{
	struct ay_pin_change c = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	read_part(&r, &c);
	c.signed_part = ay_rd_since(&r, 0);
	c.signature = ay_rd_bytes(&r, "pin.signature", SIGNATURE);
	rc = ay_rd_end(&r, "pin change", e);
	*out = rc == AY_OK ? c : (struct ay_pin_change){ 0 };
	return ay_err_coded(e, rc, "PIN_MALFORMED");
}

static enum ay_rc check_signature(const struct ay_pin_change *c, struct ay_err *e)
{
	uint8_t room[sizeof(LABEL) + AY_PIN_CHANGE_MAX];
	struct ay_pubkey *key = NULL;
	struct ay_bytes msg;
	enum ay_rc rc = ay_pubkey_new_spki(c->signer, &key, e);

	if (rc != AY_OK)
		return ay_fail_code(e, AY_E_CRYPTO, "PIN_SIGNER", "pin.signer", "is no key");
	labelled(c->signed_part, room, &msg);
	rc = ay_es256_verify(key, msg, c->signature, e);
	ay_pubkey_free(key);
	if (AY_CHECKED("PIN_SIGNATURE", rc != AY_OK))
		return ay_fail_code(e, AY_E_CRYPTO, "PIN_SIGNATURE", "pin.signature",
				    "is not that of the pinned key");
	return AY_OK;
}

enum ay_rc ay_pin_change_check(const struct ay_pin_change *c, const uint8_t pin[32],
			       uint64_t sequence, int64_t now_ms, struct ay_err *e)
{
	uint8_t signer[32];
	enum ay_rc rc;

	ay_sha256(c->signer, signer);
	if (AY_CHECKED("PIN_SIGNER", memcmp(signer, pin, sizeof(signer)) != 0))
		return ay_fail_code(e, AY_E_CRYPTO, "PIN_SIGNER", "pin.signer",
				    "is not the %s key that is pinned",
				    ay_pin_purpose_name(c->purpose));
	rc = check_signature(c, e);
	if (rc != AY_OK)
		return rc;
	if (AY_CHECKED("PIN_OLDER", c->sequence <= sequence))
		return ay_fail_code(e, AY_E_CRYPTO, "PIN_OLDER", "pin.sequence",
				    "a newer change of the %s key was taken already",
				    ay_pin_purpose_name(c->purpose));
	if (AY_CHECKED("PIN_EARLY", now_ms < c->not_before_ms))
		return ay_fail_code(e, AY_E_CRYPTO, "PIN_EARLY", "pin.notBefore",
				    "the change is not valid yet: look at the clocks");
	if (AY_CHECKED("PIN_EXPIRED", now_ms > c->not_after_ms))
		return ay_fail_code(e, AY_E_CRYPTO, "PIN_EXPIRED", "pin.notAfter",
				    "the change has expired");
	return AY_OK;
}
