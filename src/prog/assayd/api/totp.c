/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/totp.h"

#include "core/crypto/hash.h"
#include "io/sys/rng.h"

#include <oath.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_S = 30, DIGITS = 6 };

static bool is_code_of(struct ay_bytes secret, struct ay_bytes code, uint64_t step)
{
	char otp[DIGITS + 1] = "";

	if (code.n != DIGITS ||
	    oath_hotp_generate((const char *)secret.p, secret.n, step, DIGITS, false,
			       OATH_HOTP_DYNAMIC_TRUNCATION, otp) != OATH_OK)
		return false;
	return CRYPTO_memcmp(otp, code.p, DIGITS) == 0;
}

bool ay_totp_check(struct ay_bytes secret, struct ay_bytes code, int64_t now_s, uint64_t *step)
{
	uint64_t now = (uint64_t)(now_s / STEP_S), right = 0;

	if (secret.n == 0 || now < 1)
		return false;
	for (uint64_t s = now - 1; s <= now + 1; s++)
		if (!AY_CHECKED("TOTP_CODE", !is_code_of(secret, code, s)) &&
		    !AY_CHECKED("TOTP_REPLAY", s <= *step))
			right = s;
	if (right == 0)
		return false;
	*step = right;
	return true;
}

static void base32(const uint8_t *in, size_t n, char *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	uint32_t bits = 0;
	unsigned have = 0;
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		bits = (bits << 8 | in[i]) & 0xffff;
		for (have += 8; have >= 5; have -= 5)
			out[at++] = digits[(bits >> (have - 5)) & 31];
	}
	out[at] = '\0';
}

void ay_totp_text(const uint8_t secret[AY_TOTP_SECRET], char out[AY_TOTP_TEXT])
{
	base32(secret, AY_TOTP_SECRET, out);
}

static bool is_plain(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_';
}

char *ay_totp_uri(const char *user, const uint8_t secret[AY_TOTP_SECRET])
{
	char text[AY_TOTP_TEXT], name[400] = "", *uri = NULL;
	size_t n = 0;

	for (const char *p = user; *p != '\0' && n + 4 < sizeof(name); p++)
		n += (size_t)snprintf(name + n, sizeof(name) - n, is_plain(*p) ? "%c" : "%%%02X",
				      (unsigned char)*p);
	ay_totp_text(secret, text);
	if (asprintf(&uri, "otpauth://totp/Assay:%s?secret=%s&issuer=Assay", name, text) < 0)
		uri = NULL;
	OPENSSL_cleanse(text, sizeof(text));
	return uri;
}

void ay_recovery_make(char out[AY_RECOVERY_TEXT], uint8_t hash[32])
{
	uint8_t random[10];
	char text[17];
	size_t at = 0;

	ay_rng_bytes(random, sizeof(random));
	base32(random, sizeof(random), text);
	for (size_t i = 0; i < 16; i++) {
		if (i > 0 && i % 4 == 0)
			out[at++] = '-';
		out[at++] = (char)(text[i] >= 'A' ? text[i] + 32 : text[i]);
	}
	out[at] = '\0';
	ay_recovery_hash(ay_bytes_of(out), hash);
	OPENSSL_cleanse(random, sizeof(random));
}

void ay_recovery_hash(struct ay_bytes typed, uint8_t hash[32])
{
	char text[64];
	size_t n = 0;

	for (size_t i = 0; i < typed.n && n < sizeof(text); i++) {
		char c = (char)typed.p[i];

		if (c == '-' || c == ' ')
			continue;
		text[n++] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
	}
	ay_sha256((struct ay_bytes){ (const uint8_t *)text, n }, hash);
}
