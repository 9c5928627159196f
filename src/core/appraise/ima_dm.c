/* SPDX-License-Identifier: Apache-2.0 */
/* A device-mapper table as the kernel measures it: text of fields, escaped by backslash. */
#include "core/appraise/ima_bufs.h"

#include <string.h>

#include "core/base/hex.h"
#include "core/tpm/alg.h"

/* The piece up to an unescaped separator; what follows it stays in text. False at the end. */
static bool next_piece(struct ay_bytes *text, uint8_t separator, struct ay_bytes *out)
{
	size_t n = 0;

	if (text->n == 0)
		return false;
	while (n < text->n && text->p[n] != separator)
		n += text->p[n] == '\\' ? 2 : 1;
	if (n > text->n)
		n = text->n;
	*out = (struct ay_bytes){ text->p, n };
	n += n < text->n;
	*text = (struct ay_bytes){ text->p + n, text->n - n };
	return true;
}

/* The value of a field of a piece; {NULL, 0} when it is missing or stands there twice. */
static struct ay_bytes field(struct ay_bytes piece, const char *key)
{
	struct ay_bytes one, value = { 0 };
	size_t n = strlen(key), found = 0;

	while (next_piece(&piece, ',', &one)) {
		if (one.n <= n || memcmp(one.p, key, n) != 0 || one.p[n] != '=')
			continue;
		value = (struct ay_bytes){ one.p + n + 1, one.n - n - 1 };
		found++;
	}
	return found == 1 ? value : (struct ay_bytes){ 0 };
}

static bool is_text(struct ay_bytes b, const char *s)
{
	return ay_bytes_eq(b, ay_bytes_of(s));
}

static bool is_root(struct ay_bytes hex, const struct ay_ima_buf_value *roots, size_t n)
{
	uint8_t digest[AY_DIGEST_MAX];

	if (hex.n % 2 != 0 || hex.n / 2 > sizeof(digest) ||
	    ay_hex_decode(hex, "root_digest", digest, hex.n / 2, NULL) != AY_OK)
		return false;
	for (size_t i = 0; i < n; i++)
		if (ay_bytes_eq(roots[i].octets, (struct ay_bytes){ digest, hex.n / 2 }))
			return true;
	return false;
}

static bool is_verity(struct ay_bytes target, const struct ay_ima_buf_value *roots, size_t n)
{
	return is_text(field(target, "target_name"), "verity") &&
	       is_text(field(target, "hash_failed"), "V") &&
	       is_root(field(target, "root_digest"), roots, n);
}

static uint64_t number(struct ay_bytes digits)
{
	uint64_t v = 0;

	for (size_t i = 0; i < digits.n && i < 9; i++)
		v = v * 10 + (uint64_t)(digits.p[i] - '0');
	return v;
}

bool ay_ima_dm_is_verity(struct ay_bytes table, const struct ay_ima_buf_value *roots, size_t n)
{
	struct ay_bytes piece;
	uint64_t targets = 0, said;

	if (!next_piece(&table, ';', &piece) || field(piece, "dm_version").n == 0)
		return false;
	if (!next_piece(&table, ';', &piece)) /* the device */
		return false;
	said = number(field(piece, "num_targets"));
	while (next_piece(&table, ';', &piece)) {
		if (!is_verity(piece, roots, n))
			return false;
		targets++;
	}
	return targets > 0 && targets == said;
}
