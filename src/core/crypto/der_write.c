/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/der_write.h"

#include "core/base/timefmt.h"

enum { SHORT_MOST = 127 };

size_t ay_der_open(struct ay_writer *w, uint8_t tag)
{
	ay_wr_u8(w, tag);
	ay_wr_u8(w, 0);
	return w->n;
}

/* The length field was left one octet; what follows moves up when that is not enough. */
void ay_der_close(struct ay_writer *w, size_t at)
{
	static const uint8_t room[4] = { 0 };
	size_t n = w->n - at, more = n <= SHORT_MOST ? 0 : n <= 0xff ? 1 : n <= 0xffff ? 2 : 3;

	ay_wr_bytes(w, (struct ay_bytes){ room, more });
	if (w->fail.rc != AY_OK)
		return;
	memmove(w->p + at + more, w->p + at, n);
	w->p[at - 1] = (uint8_t)(more == 0 ? n : 0x80 | more);
	for (size_t i = 0; i < more; i++)
		w->p[at + i] = (uint8_t)(n >> 8 * (more - 1 - i));
}

void ay_der_put(struct ay_writer *w, uint8_t tag, struct ay_bytes contents)
{
	size_t at = ay_der_open(w, tag);

	ay_wr_bytes(w, contents);
	ay_der_close(w, at);
}

void ay_der_put_integer(struct ay_writer *w, struct ay_bytes m)
{
	size_t at = ay_der_open(w, AY_DER_INTEGER);

	while (m.n > 1 && m.p[0] == 0)
		m = (struct ay_bytes){ m.p + 1, m.n - 1 };
	if (m.n == 0 || m.p[0] & 0x80)
		ay_wr_u8(w, 0);
	ay_wr_bytes(w, m);
	ay_der_close(w, at);
}

/* RFC 3339 without its punctuation is the form that is wanted. */
void ay_der_put_time(struct ay_writer *w, int64_t ms)
{
	char text[AY_TIME_ROOM];
	size_t at = ay_der_open(w, AY_DER_GENERALIZED_TIME);

	ay_time_format(ms / 1000 * 1000, text);
	for (const char *p = text; *p != '\0'; p++)
		if (*p != '-' && *p != ':' && *p != 'T')
			ay_wr_u8(w, (uint8_t)*p);
	if (w->n - at != sizeof("YYYYMMDDHHMMSSZ") - 1)
		ay_err_set(&w->fail, AY_E_INPUT, "time", 0, "cannot be written");
	ay_der_close(w, at);
}
