/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/ticket.h"

#include "core/base/base64.h"
#include "core/base/hex.h"
#include "core/crypto/text.h"

#include <stdio.h>

#define HEADER "{\"alg\":\"ES256\",\"typ\":\"assay-ticket+jwt\"}"

enum { PAYLOAD_MAX = 320 + AY_MAX_TOKEN_EKS * 67, SIG_TEXT = 86, LIFE_S = 600 };

enum ay_rc ay_jws_sign(struct ay_bytes header, struct ay_bytes payload,
		       const struct ay_privkey *key, char *out, size_t max, struct ay_err *e)
{
	size_t n;
	uint8_t sig[64];
	enum ay_rc rc;

	if (max < AY_BASE64_ROOM(header.n) + AY_BASE64_ROOM(payload.n) + SIG_TEXT + 3)
		return ay_fail(e, AY_E_LIMIT, "jws", 0, "no room");
	n = ay_base64_encode(AY_BASE64_URL, header, out);
	out[n++] = '.';
	n += ay_base64_encode(AY_BASE64_URL, payload, out + n);
	rc = ay_privkey_sign(key, (struct ay_bytes){ (const uint8_t *)out, n }, sig, e);
	if (rc != AY_OK) {
		out[0] = '\0';
		return rc;
	}
	out[n++] = '.';
	ay_base64_encode(AY_BASE64_URL, AY_BYTES(sig), out + n);
	return AY_OK;
}

/* Header, payload and signature texts between exactly two dots. */
static bool split(struct ay_bytes text, struct ay_bytes part[3])
{
	size_t k = 0;

	part[0] = (struct ay_bytes){ text.p, 0 };
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] != '.')
			part[k].n++;
		else if (++k < 3)
			part[k] = (struct ay_bytes){ text.p + i + 1, 0 };
		else
			return false;
	}
	return k == 2;
}

enum ay_rc ay_jws_verify(struct ay_bytes text, const struct ay_pubkey *key, struct ay_err *e)
{
	struct ay_bytes part[3];
	uint8_t sig[64];
	size_t n;

	if (!split(text, part))
		return ay_fail(e, AY_E_INPUT, "jws", 0, "not three parts");
	if (ay_base64_decode(AY_BASE64_URL, part[2], "jws.signature", sig, sizeof(sig), &n, e) !=
	    AY_OK)
		return AY_E_INPUT;
	return ay_es256_verify(key, (struct ay_bytes){ text.p, text.n - part[2].n - 1 },
			       (struct ay_bytes){ sig, n }, e);
}

/* ,"eks":["..","..",..]}: only where the ticket names some. */
static void put_end(const struct ay_ticket *t, char *out, size_t max)
{
	size_t n = 0;
	char hex[65];

	for (size_t i = 0; i < t->n_eks && n < max; i++) {
		ay_hex_encode(AY_BYTES(t->ek[i]), hex);
		n += (size_t)snprintf(out + n, max - n, "%s\"%s\"", i == 0 ? ",\"eks\":[" : ",",
				      hex);
	}
	if (n < max)
		snprintf(out + n, max - n, "%s}", t->n_eks > 0 ? "]" : "");
}

enum ay_rc ay_ticket_sign(const struct ay_ticket *t, const struct ay_privkey *key,
			  char out[AY_TICKET_TEXT_MAX], struct ay_err *e)
{
	char payload[PAYLOAD_MAX], end[AY_MAX_TOKEN_EKS * 67 + 16];
	char host[AY_UUID_TEXT], spki[65], ca[65];
	int n;

	if (t->n_eks > AY_MAX_TOKEN_EKS)
		return ay_fail(e, AY_E_LIMIT, "ticket.eks", 0, "too many");
	put_end(t, end, sizeof(end));
	ay_uuid_format(&t->host, host);
	ay_hex_encode(AY_BYTES(t->spki), spki);
	ay_hex_encode(AY_BYTES(t->ca), ca);
	n = snprintf(payload, sizeof(payload),
		     "{\"host\":\"%s\",\"spki\":\"%s\",\"ca\":\"%s\",\"jti\":\"%s\",\"exp\":%lld%s",
		     host, spki, ca, t->jti, (long long)t->exp_s, end);
	if (n < 0 || (size_t)n >= sizeof(payload) || strlen(t->jti) != AY_JTI_TEXT - 1)
		return ay_fail(e, AY_E_INPUT, "ticket", 0, "does not fit the form");
	return ay_jws_sign(ay_bytes_of(HEADER), ay_bytes_of(payload), key, out, AY_TICKET_TEXT_MAX,
			   e);
}

static void read_eks(struct ay_reader *r, struct ay_ticket *t)
{
	if (!ay_text_expect_if(r, "ticket.eks", ",\"eks\":["))
		return;
	do {
		if (t->n_eks == AY_MAX_TOKEN_EKS) {
			ay_rd_limit(r, "ticket.eks", t->n_eks + 1, AY_MAX_TOKEN_EKS);
			return;
		}
		ay_text_expect(r, "ticket.eks", "\"");
		ay_text_hex(r, "ticket.eks", t->ek[t->n_eks++], 32);
	} while (ay_text_expect_if(r, "ticket.eks", ","));
	ay_text_expect(r, "ticket.eks", "]");
}

static enum ay_rc read_payload(struct ay_bytes in, struct ay_ticket *t, struct ay_err *e)
{
	struct ay_reader r;
	struct ay_bytes host;
	uint8_t jti[16];

	ay_rd_init(&r, in);
	ay_text_expect(&r, "ticket.host", "{\"host\":\"");
	host = ay_text_quoted(&r, "ticket.host", AY_UUID_TEXT - 1);
	ay_text_expect(&r, "ticket.spki", ",\"spki\":\"");
	ay_text_hex(&r, "ticket.spki", t->spki, 32);
	ay_text_expect(&r, "ticket.ca", ",\"ca\":\"");
	ay_text_hex(&r, "ticket.ca", t->ca, 32);
	ay_text_expect(&r, "ticket.jti", ",\"jti\":\"");
	ay_text_hex(&r, "ticket.jti", jti, sizeof(jti));
	ay_text_expect(&r, "ticket.exp", ",\"exp\":");
	t->exp_s = ay_text_number(&r, "ticket.exp");
	read_eks(&r, t);
	ay_text_expect(&r, "ticket", "}");
	if (ay_rd_end(&r, "ticket", e) != AY_OK)
		return AY_E_INPUT;
	ay_hex_encode(AY_BYTES(jti), t->jti);
	return ay_uuid_parse(host, "ticket.host", &t->host, e);
}

static enum ay_rc parse(struct ay_bytes text, struct ay_ticket *t, struct ay_err *e)
{
	struct ay_bytes part[3];
	uint8_t b[PAYLOAD_MAX];
	char again[AY_UUID_TEXT];
	size_t n;

	if (text.n >= AY_TICKET_TEXT_MAX || !split(text, part))
		return ay_fail(e, AY_E_INPUT, "ticket", 0, "not a JWS in compact form");
	if (ay_base64_decode(AY_BASE64_URL, part[0], "ticket.header", b, sizeof(b), &n, e) != AY_OK)
		return AY_E_INPUT;
	if (!ay_bytes_eq((struct ay_bytes){ b, n }, ay_bytes_of(HEADER)))
		return ay_fail(e, AY_E_INPUT, "ticket.header", 0, "not the header of a ticket");
	if (ay_base64_decode(AY_BASE64_URL, part[1], "ticket.payload", b, sizeof(b), &n, e) !=
		    AY_OK ||
	    read_payload((struct ay_bytes){ b, n }, t, e) != AY_OK)
		return AY_E_INPUT;
	ay_uuid_format(&t->host, again);
	if (memcmp(b + strlen("{\"host\":\""), again, AY_UUID_TEXT - 1) != 0)
		return ay_fail(e, AY_E_INPUT, "ticket.host", 0, "not in lower case");
	return AY_OK;
}

enum ay_rc ay_ticket_parse(struct ay_bytes text, struct ay_ticket *out, struct ay_err *e)
{
	struct ay_ticket t = { 0 };
	enum ay_rc rc = parse(text, &t, e);

	*out = rc == AY_OK ? t : (struct ay_ticket){ 0 };
	return ay_err_coded(e, rc, "TICKET");
}

enum ay_rc ay_ticket_check(struct ay_bytes text, const struct ay_pubkey *key, const uint8_t ca[32],
			   int64_t now_ms, struct ay_ticket *out, struct ay_err *e)
{
	struct ay_ticket t;
	enum ay_rc rc = ay_ticket_parse(text, &t, e);

	*out = (struct ay_ticket){ 0 };
	if (rc != AY_OK)
		return rc;
	if (AY_CHECKED("TICKET_SIGNATURE", ay_jws_verify(text, key, e) != AY_OK))
		return ay_err_coded(e, AY_E_CRYPTO, "TICKET");
	if (AY_CHECKED("TICKET_CA", memcmp(t.ca, ca, 32) != 0))
		return ay_fail_code(e, AY_E_CRYPTO, "TICKET", "ticket.ca",
				    "for another Privacy CA");
	if (AY_CHECKED("TICKET_EXPIRY", t.exp_s * 1000 <= now_ms))
		return ay_fail_code(e, AY_E_CRYPTO, "TICKET", "ticket.exp", "expired");
	if (t.exp_s > now_ms / 1000 + LIFE_S + 60)
		return ay_fail_code(e, AY_E_CRYPTO, "TICKET", "ticket.exp", "valid for too long");
	*out = t;
	return AY_OK;
}
