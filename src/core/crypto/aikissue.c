/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/aikcert.h"

#include "core/base/hex.h"
#include "core/base/writer.h"
#include "core/crypto/certgen.h"
#include "core/crypto/oids.h"
#include "core/crypto/text.h"

enum { FACTS_MAX = 1024, SAN_TEXT = 45 };

static void write_hex(struct ay_writer *w, const char *before, const uint8_t *b, size_t n)
{
	char hex[2 * AY_NAME_MAX + 1];

	ay_hex_encode((struct ay_bytes){ b, n }, hex);
	ay_wr_str(w, before);
	ay_wr_str(w, hex);
}

static void write_text(struct ay_writer *w, const char *before, const char *text)
{
	ay_wr_str(w, before);
	ay_wr_str(w, text);
}

static void write_facts(struct ay_writer *w, const struct ay_aik_facts *f)
{
	write_hex(w, "{\"ak_name\":\"", f->ak_name, f->ak_name_n);
	write_hex(w, "\",\"ak_qualified_name\":\"", f->ak_qualified_name, f->ak_qualified_name_n);
	write_hex(w, "\",\"ek_pseudonym\":\"", f->ek_pseudonym, 32);
	write_text(w, "\",\"grade\":\"", ay_ek_grade_name(f->grade));
	write_text(w, "\",\"manufacturer\":\"", f->manufacturer);
	write_text(w, "\",\"model\":\"", f->model);
	write_text(w, "\",\"firmware\":\"", f->firmware);
	write_text(w, "\",\"ticket\":\"", f->ticket);
	if (f->has_ek)
		write_hex(w, "\",\"ek\":\"", f->ek_hash, 32);
	ay_wr_str(w, "\"}");
}

/* The extension's value: UTF8String with a two-octet length, or a shorter form when it is short. */
static enum ay_rc facts_der(const struct ay_aik_facts *f, uint8_t buf[FACTS_MAX],
			    struct ay_bytes *out, struct ay_err *e)
{
	uint8_t text[FACTS_MAX];
	struct ay_writer w;
	struct ay_bytes json;
	enum ay_rc rc;

	ay_wr_init(&w, text, sizeof(text));
	write_facts(&w, f);
	rc = ay_wr_end(&w, "aik facts", &json, e);
	if (rc != AY_OK)
		return rc;
	ay_wr_init(&w, buf, FACTS_MAX);
	ay_wr_u8(&w, 0x0c);
	if (json.n < 256) {
		ay_wr_u8(&w, 0x81);
		ay_wr_u8(&w, (uint8_t)json.n);
	} else {
		ay_wr_u8(&w, 0x82);
		ay_wr_be16(&w, (uint16_t)json.n);
	}
	ay_wr_bytes(&w, json);
	return ay_wr_end(&w, "aik facts", out, e);
}

static void san_der(const struct ay_uuid *host, uint8_t out[4 + SAN_TEXT])
{
	char id[AY_UUID_TEXT];

	ay_uuid_format(host, id);
	memcpy(out, "\x30\x2f\x86\x2durn:uuid:", 13);
	memcpy(out + 13, id, AY_UUID_TEXT - 1);
}

static bool is_sound(const struct ay_aik_facts *f)
{
	return f->grade != AY_EK_GRADE_NONE && f->ak_name_n > 0 && f->ak_qualified_name_n > 0 &&
	       strlen(f->ticket) == AY_JTI_TEXT - 1 && ay_text_is_plain(f->manufacturer) &&
	       ay_text_is_plain(f->model) && ay_text_is_plain(f->firmware);
}

enum ay_rc ay_aikcert_issue(const struct ay_aik_issuer *by, const struct ay_pubkey *ak,
			    const struct ay_aik_facts *facts, const uint8_t serial[16],
			    int64_t not_before_ms, int64_t not_after_ms, uint8_t *out, size_t max,
			    size_t *n, struct ay_err *e)
{
	static const uint8_t eku[] = { 0x30, 0x07, 0x06, 0x05, 0x67, 0x81, 0x05, 0x08, 0x03 };
	uint8_t san[4 + SAN_TEXT], buf[FACTS_MAX];
	struct ay_cert_ext ext[3] = {
		{ AY_OID(AY_OID_SUBJECT_ALT_NAME), true, AY_BYTES(san) },
		{ AY_OID(AY_OID_EXT_KEY_USAGE), true, AY_BYTES(eku) },
		{ AY_OID(AY_OID_AIK_FACTS), false, { 0 } },
	};
	struct ay_cert_spec spec = { .issuer_cert = by->cert,
				     .key = ay_pubkey_pkey(ak),
				     .not_before_ms = not_before_ms,
				     .not_after_ms = not_after_ms,
				     .path_len = -1,
				     .key_usage = AY_KU_DIGITAL_SIGNATURE,
				     .ext = ext,
				     .n_ext = AY_COUNT(ext) };
	enum ay_rc rc;

	*n = 0;
	if (!is_sound(facts))
		return ay_fail(e, AY_E_INPUT, "aik facts", 0, "do not fit the form");
	san_der(&facts->host, san);
	memcpy(spec.serial, serial, sizeof(spec.serial));
	rc = facts_der(facts, buf, &ext[2].value, e);
	return rc == AY_OK ? ay_certgen(&spec, by->key, out, max, n, e) : rc;
}
