/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/secrets.h"

#include "core/base/reader.h"
#include "core/base/writer.h"

#include <openssl/crypto.h>
#include <string.h>

enum { VERSION = 1, MOST = 1024 };

struct ay_bytes ay_secrets_build(const struct ay_secrets *s, struct ay_arena *a)
{
	uint8_t *p = ay_arena_alloc(a, MOST);
	struct ay_bytes out = { NULL, 0 };
	struct ay_writer w;
	struct ay_err e;

	if (p == NULL)
		return out;
	ay_wr_init(&w, p, MOST);
	ay_wr_u8(&w, VERSION);
	ay_wr_vec16(&w, ay_bytes_of(s->password));
	ay_wr_be64(&w, (uint64_t)s->password_at);
	ay_wr_u8(&w, s->totp_state);
	ay_wr_vec8(&w, (struct ay_bytes){ s->totp, s->totp_n });
	ay_wr_be64(&w, s->totp_step);
	ay_wr_u8(&w, s->break_glass);
	ay_wr_u8(&w, (uint8_t)s->n_recovery);
	for (size_t i = 0; i < s->n_recovery; i++)
		ay_wr_bytes(&w, AY_BYTES(s->recovery[i]));
	return ay_wr_end(&w, "secrets", &out, &e) == AY_OK ? out : (struct ay_bytes){ NULL, 0 };
}

static void take(void *to, struct ay_bytes b)
{
	if (b.n > 0)
		memcpy(to, b.p, b.n);
}

enum ay_rc ay_secrets_parse(struct ay_bytes in, struct ay_secrets *out, struct ay_err *e)
{
	struct ay_secrets s = { 0 };
	struct ay_reader r;
	struct ay_bytes totp;
	enum ay_rc rc;

	memset(out, 0, sizeof(*out));
	if (in.n == 0)
		return AY_OK;
	ay_rd_init(&r, in);
	if (ay_rd_u8(&r, "secrets.version") != VERSION)
		ay_rd_reject(&r, "secrets.version", "unknown version");
	take(s.password, ay_rd_vec16(&r, "secrets.password", AY_PASSWORD_TEXT - 1));
	s.password_at = (int64_t)ay_rd_be64(&r, "secrets.passwordAt");
	s.totp_state = ay_rd_u8(&r, "secrets.totpState");
	totp = ay_rd_vec8(&r, "secrets.totp", AY_TOTP_SEALED);
	take(s.totp, totp);
	s.totp_n = totp.n;
	s.totp_step = ay_rd_be64(&r, "secrets.totpStep");
	s.break_glass = ay_rd_u8(&r, "secrets.breakGlass");
	s.n_recovery = ay_rd_u8(&r, "secrets.recovery");
	if (s.n_recovery > AY_RECOVERY_CODES)
		ay_rd_reject(&r, "secrets.recovery", "too many codes");
	for (size_t i = 0; i < s.n_recovery && ay_rd_ok(&r); i++)
		ay_rd_copy(&r, "secrets.recovery", s.recovery[i], 32);
	rc = ay_rd_end(&r, "secrets", e);
	if (rc == AY_OK)
		*out = s;
	OPENSSL_cleanse(&s, sizeof(s));
	return rc;
}
