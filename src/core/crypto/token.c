/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/token.h"

#include "core/base/base64.h"
#include "core/base/hex.h"
#include "core/base/writer.h"
#include "core/crypto/hash.h"
#include "core/crypto/kdf.h"
#include "core/crypto/secret.h"
#include "core/crypto/text.h"

#define LABEL "assay-token-1"

enum { JSON_MAX = (AY_MAX_TOKEN_BYTES - 8) / 4 * 3 };

static void write_hex(struct ay_writer *w, const char *before, const uint8_t *b, size_t n)
{
	char hex[65];

	ay_hex_encode((struct ay_bytes){ b, n }, hex);
	ay_wr_str(w, before);
	ay_wr_str(w, hex);
	ay_wipe(hex, sizeof(hex));
}

static enum ay_rc write_json(const struct ay_token *t, uint8_t *buf, struct ay_bytes *json,
			     struct ay_err *e)
{
	struct ay_writer w;

	ay_wr_init(&w, buf, JSON_MAX);
	ay_wr_str(&w, "{\"v\":1,\"servers\":[");
	for (size_t i = 0; i < t->n_servers; i++) {
		ay_wr_str(&w, i > 0 ? ",\"" : "\"");
		ay_wr_str(&w, t->servers[i]);
		ay_wr_str(&w, "\"");
	}
	write_hex(&w, "],\"root\":\"", t->root, 32);
	write_hex(&w, "\",\"ca\":\"", t->ca, 32);
	write_hex(&w, "\",\"order\":\"", t->order, 32);
	if (t->has_root2)
		write_hex(&w, "\",\"root2\":\"", t->root2, 32);
	if (t->has_ca2)
		write_hex(&w, "\",\"ca2\":\"", t->ca2, 32);
	if (t->has_order2)
		write_hex(&w, "\",\"order2\":\"", t->order2, 32);
	ay_wr_str(&w, "\",\"id\":\"");
	ay_wr_str(&w, t->id);
	write_hex(&w, "\",\"secret\":\"", t->secret, 32);
	ay_wr_str(&w, "\"}");
	return ay_wr_end(&w, "token", json, e);
}

static bool fits(const struct ay_token *t)
{
	uint8_t id[16];

	if (t->n_servers > AY_TOKEN_SERVERS_MAX)
		return false;
	for (size_t i = 0; i < t->n_servers; i++)
		if (t->servers[i][0] == '\0' || !ay_text_is_plain(t->servers[i]))
			return false;
	return ay_hex_decode(ay_bytes_of(t->id), "token.id", id, sizeof(id), NULL) == AY_OK;
}

enum ay_rc ay_token_build(const struct ay_token *t, char out[AY_MAX_TOKEN_BYTES], struct ay_err *e)
{
	uint8_t buf[JSON_MAX];
	struct ay_bytes json;
	size_t n = strlen(AY_TOKEN_PREFIX);
	enum ay_rc rc;

	out[0] = '\0';
	if (!fits(t))
		return ay_fail(e, AY_E_INPUT, "token", 0, "a member does not fit the form");
	rc = write_json(t, buf, &json, e);
	if (rc == AY_OK) {
		memcpy(out, AY_TOKEN_PREFIX, n);
		ay_base64_encode(AY_BASE64_URL, json, out + n);
	}
	ay_wipe(buf, sizeof(buf));
	return rc;
}

static void read_servers(struct ay_reader *r, struct ay_token *t)
{
	ay_text_expect(r, "token.servers", "{\"v\":1,\"servers\":[");
	while (ay_rd_peek8(r) != ']' && ay_rd_ok(r)) {
		if (t->n_servers == AY_TOKEN_SERVERS_MAX) {
			ay_rd_limit(r, "token.servers", t->n_servers + 1, AY_TOKEN_SERVERS_MAX);
			return;
		}
		ay_text_expect(r, "token.servers", t->n_servers > 0 ? ",\"" : "\"");
		ay_text_copy(r, "token.servers", t->servers[t->n_servers], AY_TOKEN_SERVER_MAX);
		if (ay_rd_ok(r) && t->servers[t->n_servers][0] == '\0')
			ay_rd_reject(r, "token.servers", "empty");
		t->n_servers++;
	}
}

/* A member that may be left out, told by its first letter; then the head of the next one. */
static bool read_before(struct ay_reader *r, const char *text, uint8_t out[32])
{
	if (ay_rd_peek8(r) != (uint8_t)text[0])
		return false;
	ay_text_expect(r, "token.before", text);
	ay_text_hex(r, "token.before", out, 32);
	ay_text_expect(r, "token.before", ",\"");
	return true;
}

static enum ay_rc read_json(struct ay_bytes json, struct ay_token *t, struct ay_err *e)
{
	struct ay_reader r;
	uint8_t id[16];

	ay_rd_init(&r, json);
	read_servers(&r, t);
	ay_text_expect(&r, "token.root", "],\"root\":\"");
	ay_text_hex(&r, "token.root", t->root, 32);
	ay_text_expect(&r, "token.ca", ",\"ca\":\"");
	ay_text_hex(&r, "token.ca", t->ca, 32);
	ay_text_expect(&r, "token.order", ",\"order\":\"");
	ay_text_hex(&r, "token.order", t->order, 32);
	ay_text_expect(&r, "token.id", ",\"");
	t->has_root2 = read_before(&r, "root2\":\"", t->root2);
	t->has_ca2 = read_before(&r, "ca2\":\"", t->ca2);
	t->has_order2 = read_before(&r, "order2\":\"", t->order2);
	ay_text_expect(&r, "token.id", "id\":\"");
	ay_text_hex(&r, "token.id", id, sizeof(id));
	ay_text_expect(&r, "token.secret", ",\"secret\":\"");
	ay_text_hex(&r, "token.secret", t->secret, 32);
	ay_text_expect(&r, "token", "}");
	ay_hex_encode(AY_BYTES(id), t->id);
	return ay_rd_end(&r, "token", e);
}

enum ay_rc ay_token_parse(struct ay_bytes text, struct ay_token *out, struct ay_err *e)
{
	size_t prefix = strlen(AY_TOKEN_PREFIX), n;
	uint8_t json[JSON_MAX];
	enum ay_rc rc;

	*out = (struct ay_token){ 0 };
	if (text.n >= AY_MAX_TOKEN_BYTES || text.n < prefix ||
	    memcmp(text.p, AY_TOKEN_PREFIX, prefix) != 0)
		return ay_fail_code(e, AY_E_INPUT, "TOKEN_MALFORMED", "token",
				    "does not begin with " AY_TOKEN_PREFIX ", or is too long");
	rc = ay_base64_decode(AY_BASE64_URL, (struct ay_bytes){ text.p + prefix, text.n - prefix },
			      "token", json, sizeof(json), &n, e);
	if (rc == AY_OK)
		rc = read_json((struct ay_bytes){ json, n }, out, e);
	ay_wipe(json, sizeof(json));
	if (rc != AY_OK)
		ay_wipe(out, sizeof(*out));
	return ay_err_coded(e, rc, "TOKEN_MALFORMED");
}

void ay_token_key(const uint8_t secret[32], uint8_t k[32])
{
	ay_sha256((struct ay_bytes){ secret, 32 }, k);
}

enum ay_rc ay_token_proof(const uint8_t k[32], const uint8_t exporter[32],
			  const uint8_t agent_spki[32], const uint8_t server_spki[32],
			  uint8_t out[32], struct ay_err *e)
{
	const struct ay_bytes parts[] = {
		ay_bytes_of(LABEL), { exporter, 32 }, { agent_spki, 32 }, { server_spki, 32 }
	};

	memset(out, 0, 32);
	if (!ay_hmac(AY_ALG_SHA256, (struct ay_bytes){ k, 32 }, parts, AY_COUNT(parts), out))
		return ay_fail(e, AY_E_BUG, "token.proof", 0, "no HMAC");
	return AY_OK;
}

enum ay_rc ay_token_proof_check(const uint8_t k[32], const uint8_t exporter[32],
				const uint8_t agent_spki[32], const uint8_t server_spki[32],
				struct ay_bytes proof, struct ay_err *e)
{
	uint8_t want[32];
	enum ay_rc rc = ay_token_proof(k, exporter, agent_spki, server_spki, want, e);

	if (rc == AY_OK && AY_CHECKED("TOKEN_PROOF", !ay_bytes_eq_secret(AY_BYTES(want), proof)))
		rc = ay_fail_code(e, AY_E_CRYPTO, "TOKEN", "token.proof",
				  "not made with this token on this connection");
	ay_wipe(want, sizeof(want));
	return rc;
}
