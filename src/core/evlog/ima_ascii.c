/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/ima_ascii.h"

#include "core/base/hex.h"
#include "core/base/limits.h"
#include "core/base/writer.h"
#include "core/crypto/hash.h"
#include "core/evlog/ima.h"
#include "core/evlog/ima_template.h"
#include "core/tpm/alg.h"

#define HASH_SIZE 20
#define LINE_MAX_BYTES (3 * AY_MAX_IMA_TEMPLATE_BYTES)

/* One line, cut at blanks as far as that can be done without guessing. */
struct line {
	unsigned pcr;
	uint8_t hash[AY_DIGEST_MAX];
	size_t hash_n; /* 20; lists of another hash algorithm: its size */
	struct ay_bytes template_name;
	const struct ay_ima_template *t;
	struct ay_ima_template scratch;
	struct ay_bytes rest; /* after the template name and one blank */
};

/* Which octets of a line are which field. */
struct reading {
	struct ay_bytes field[AY_IMA_FIELDS_MAX];
};

bool ay_ima_is_ascii(struct ay_bytes list)
{
	size_t i = 0;

	while (i < list.n && i < 3 && list.p[i] == ' ')
		i++;
	if (i >= list.n || list.p[i] < '0' || list.p[i] > '9')
		return false;
	while (i < list.n && i < 6 && list.p[i] >= '0' && list.p[i] <= '9')
		i++;
	return i < list.n && list.p[i] == ' ';
}

/* The octets up to the next blank; moves b behind it. {p, n} of all when there is none. */
static struct ay_bytes take_word(struct ay_bytes *b)
{
	const uint8_t *blank = b->n > 0 ? memchr(b->p, ' ', b->n) : NULL;
	size_t n = blank == NULL ? b->n : (size_t)(blank - b->p);
	struct ay_bytes w = { b->p, n };

	n += blank != NULL;
	*b = (struct ay_bytes){ b->p + n, b->n - n };
	return w;
}

/* The octets after the last blank; {NULL, 0} when there is none. */
static struct ay_bytes take_last_word(struct ay_bytes *b)
{
	const uint8_t *blank = b->n > 0 ? memrchr(b->p, ' ', b->n) : NULL;
	struct ay_bytes w = { 0 };

	if (blank == NULL)
		return w;
	w = (struct ay_bytes){ blank + 1, b->n - (size_t)(blank + 1 - b->p) };
	b->n = (size_t)(blank - b->p);
	return w;
}

static enum ay_rc take_pcr(struct ay_bytes w, unsigned *out, struct ay_err *e)
{
	unsigned v = 0;

	for (size_t i = 0; i < w.n && i < 3; i++) {
		if (w.p[i] < '0' || w.p[i] > '9')
			return ay_fail(e, AY_E_INPUT, "ima.pcr", 0, "is no number");
		v = v * 10 + (unsigned)(w.p[i] - '0');
	}
	if (w.n == 0 || w.n > 2 || v > 23)
		return ay_fail(e, AY_E_INPUT, "ima.pcr", 0, "no such PCR");
	*out = v;
	return AY_OK;
}

static uint16_t hash_alg(const struct line *l)
{
	static const uint16_t algs[] = { AY_ALG_SHA1, AY_ALG_SHA256, AY_ALG_SHA384, AY_ALG_SHA512 };

	for (size_t i = 0; i < AY_COUNT(algs); i++)
		if (ay_alg_digest_size(algs[i]) == l->hash_n)
			return algs[i];
	return 0;
}

static enum ay_rc take_hash(struct ay_bytes w, struct line *l, struct ay_err *e)
{
	l->hash_n = w.n / 2;
	if (w.n % 2 != 0 || hash_alg(l) == 0)
		return ay_fail(e, AY_E_INPUT, "ima.templateHash", 0, "%zu digits are no hash", w.n);
	return ay_hex_decode(w, "ima.templateHash", l->hash, l->hash_n, e);
}

static enum ay_rc cut_line(struct ay_bytes b, struct line *l, struct ay_err *e)
{
	enum ay_rc rc;

	while (b.n > 0 && b.p[0] == ' ')
		b = (struct ay_bytes){ b.p + 1, b.n - 1 };
	rc = take_pcr(take_word(&b), &l->pcr, e);
	if (rc != AY_OK)
		return rc;
	rc = take_hash(take_word(&b), l, e);
	if (rc != AY_OK)
		return rc;
	l->template_name = take_word(&b);
	l->t = ay_ima_template_find(l->template_name, &l->scratch);
	if (l->t == NULL)
		return ay_fail(e, AY_E_INPUT, "ima.template", 0, "unknown template");
	l->rest = b;
	return AY_OK;
}

/* Fields before the name from the left, those after it from the right, the name is what is left. */
static bool cut_fields(const struct line *l, bool last_is_empty, struct reading *out)
{
	struct ay_bytes b = l->rest;
	size_t n = l->t->n_fields, i = 0, k = n;

	*out = (struct reading){ 0 };
	while (i < n && l->t->field[i] != AY_IMA_N && l->t->field[i] != AY_IMA_N_NG)
		out->field[i++] = take_word(&b);
	if (i == n)
		return b.n == 0;
	while (--k > i) {
		if (last_is_empty && k == n - 1)
			continue;
		out->field[k] = take_last_word(&b);
		if (out->field[k].p == NULL)
			return false;
	}
	out->field[i] = b;
	return true;
}

static void put_hex(struct ay_writer *w, struct ay_bytes hex)
{
	uint8_t chunk[64];

	if (hex.n % 2 != 0)
		ay_err_set(&w->fail, AY_E_INPUT, "ima.field", 0, "odd number of digits");
	while (hex.n > 0 && w->fail.rc == AY_OK) {
		size_t n = hex.n / 2 < sizeof(chunk) ? hex.n / 2 : sizeof(chunk);
		struct ay_err e = { 0 };

		if (ay_hex_decode((struct ay_bytes){ hex.p, 2 * n }, "ima.field", chunk, n, &e) !=
		    AY_OK)
			w->fail = e;
		ay_wr_bytes(w, (struct ay_bytes){ chunk, n });
		hex = (struct ay_bytes){ hex.p + 2 * n, hex.n - 2 * n };
	}
}

/* "sha256:0123..." to "sha256:" NUL octets; the digest follows the last colon. */
static void put_digest(struct ay_writer *w, struct ay_bytes b)
{
	const uint8_t *colon = b.n > 0 ? memrchr(b.p, ':', b.n) : NULL;
	size_t n;

	if (colon == NULL) {
		ay_err_set(&w->fail, AY_E_INPUT, "ima.d-ng", 0, "no algorithm before the digest");
		return;
	}
	n = (size_t)(colon - b.p) + 1;
	ay_wr_bytes(w, (struct ay_bytes){ b.p, n });
	ay_wr_u8(w, 0);
	put_hex(w, (struct ay_bytes){ b.p + n, b.n - n });
}

static uint32_t number_of(struct ay_writer *w, struct ay_bytes b)
{
	uint64_t v = 0;

	for (size_t i = 0; i < b.n && v <= UINT32_MAX; i++) {
		if (b.p[i] < '0' || b.p[i] > '9')
			ay_err_set(&w->fail, AY_E_INPUT, "ima.field", 0, "is no number");
		v = v * 10 + (uint64_t)(b.p[i] - '0');
	}
	return (uint32_t)v;
}

static void put_value(struct ay_writer *w, enum ay_ima_field f, struct ay_bytes b)
{
	switch (f) {
	case AY_IMA_D_NG:
	case AY_IMA_D_MODSIG:
		if (b.n > 0)
			put_digest(w, b);
		break;
	case AY_IMA_N:
	case AY_IMA_N_NG:
	case AY_IMA_TEXT:
		ay_wr_bytes(w, b);
		ay_wr_u8(w, 0);
		break;
	case AY_IMA_U32:
		ay_wr_le32(w, number_of(w, b));
		break;
	case AY_IMA_U16:
		ay_wr_le16(w, (uint16_t)number_of(w, b));
		break;
	case AY_IMA_FIELD_NONE:
	case AY_IMA_D:
	case AY_IMA_SIG:
	case AY_IMA_BUF:
	case AY_IMA_MODSIG:
	case AY_IMA_EVMSIG:
	case AY_IMA_HEX:
	default:
		put_hex(w, b);
		break;
	}
}

static void patch_le32(struct ay_writer *w, size_t at, size_t v)
{
	for (size_t i = 0; i < 4 && at + i < w->n; i++)
		w->p[at + i] = (uint8_t)(v >> (8 * i));
}

/* Every field with its length before it. */
static void put_fields(struct ay_writer *w, const struct line *l, const struct reading *r)
{
	for (size_t i = 0; i < l->t->n_fields; i++) {
		size_t at = w->n;

		ay_wr_le32(w, 0);
		put_value(w, (enum ay_ima_field)l->t->field[i], r->field[i]);
		patch_le32(w, at, w->n - at - 4);
	}
}

/* Template "ima": 20 octets of digest, then the name with its length. */
static void put_old(struct ay_writer *w, const struct reading *r)
{
	if (r->field[0].n != 2 * HASH_SIZE)
		ay_err_set(&w->fail, AY_E_INPUT, "ima.digest", 0, "is no SHA-1 digest");
	if (r->field[1].n > 255)
		ay_err_set(&w->fail, AY_E_INPUT, "ima.name", 0, "is longer than 255");
	put_hex(w, r->field[0]);
	ay_wr_le32(w, (uint32_t)r->field[1].n);
	ay_wr_bytes(w, r->field[1]);
}

/* Template hash of the data in the line's algorithm, and in SHA-1, as the binary list has it. */
static void hash_data(const struct line *l, struct ay_bytes data, uint8_t own[AY_DIGEST_MAX],
		      uint8_t sha1[HASH_SIZE])
{
	uint8_t fixed[HASH_SIZE + 256] = { 0 };

	if (l->t->is_old && data.n >= HASH_SIZE + 4 && data.n <= sizeof(fixed)) {
		memcpy(fixed, data.p, HASH_SIZE);
		memcpy(fixed + HASH_SIZE, data.p + HASH_SIZE + 4, data.n - HASH_SIZE - 4);
		data = (struct ay_bytes){ fixed, sizeof(fixed) };
	}
	memset(own, 0, AY_DIGEST_MAX);
	memset(sha1, 0, HASH_SIZE);
	if (!ay_hash_of(hash_alg(l), data, own) || !ay_hash_of(AY_ALG_SHA1, data, sha1))
		memset(own, 0, AY_DIGEST_MAX);
}

/*
 * Writes one reading of the line; fits says whether its template hash is the
 * stored one. A list of another hash algorithm becomes a SHA-1 list: a right
 * hash gives the right SHA-1, any other one (zeroes too: only SHA-1 lists mark
 * violations so) a wrong one.
 */
static void put_entry(struct ay_writer *w, const struct line *l, const struct reading *r,
		      bool *fits)
{
	uint8_t own[AY_DIGEST_MAX], sha1[HASH_SIZE];
	size_t start = w->n, data;

	ay_wr_le32(w, l->pcr);
	ay_wr_bytes(w, (struct ay_bytes){ l->hash, HASH_SIZE });
	ay_wr_le32(w, (uint32_t)l->template_name.n);
	ay_wr_bytes(w, l->template_name);
	if (!l->t->is_old)
		ay_wr_le32(w, 0);
	data = w->n;
	if (l->t->is_old)
		put_old(w, r);
	else
		put_fields(w, l, r);
	if (w->fail.rc != AY_OK)
		return;
	if (!l->t->is_old)
		patch_le32(w, data - 4, w->n - data);
	hash_data(l, (struct ay_bytes){ w->p + data, w->n - data }, own, sha1);
	*fits = memcmp(own, l->hash, l->hash_n) == 0;
	if (!*fits && l->hash_n != HASH_SIZE)
		sha1[0] ^= 0xff;
	if (*fits || l->hash_n != HASH_SIZE)
		memcpy(w->p + start + 4, sha1, HASH_SIZE);
}

/* Reading 1 takes the last field as empty. False: the line cannot be read so. */
static bool try_reading(struct ay_writer *w, size_t from, const struct line *l, unsigned k,
			bool *fits)
{
	struct reading r;

	*fits = false;
	w->n = from;
	w->fail = (struct ay_err){ 0 };
	if ((k == 1 && l->t->n_fields < 3) || !cut_fields(l, k == 1, &r))
		return false;
	put_entry(w, l, &r, fits);
	return w->fail.rc == AY_OK;
}

/*
 * A path may hold blanks, and an empty last field may have lost the blank
 * before it: the reading whose template hash is the stored one counts. When
 * none fits, the first that can be written stands, and the replay reports it.
 */
static enum ay_rc put_line(struct ay_writer *w, const struct line *l, struct ay_err *e)
{
	size_t from = w->n;
	bool fits;

	for (unsigned k = 0; k < 2; k++)
		if (try_reading(w, from, l, k, &fits) && fits)
			return AY_OK;
	for (unsigned k = 0; k < 2; k++)
		if (try_reading(w, from, l, k, &fits))
			return AY_OK;
	if (w->fail.rc == AY_OK)
		return ay_fail(e, AY_E_INPUT, "ima.fields", 0, "do not fit the template");
	return ay_fail(e, w->fail.rc, w->fail.where, 0, "%s", w->fail.text);
}

static enum ay_rc put_lines(struct ay_writer *w, struct ay_bytes text, struct ay_err *e)
{
	size_t offset = 0, n_lines = 0;
	enum ay_rc rc = AY_OK;

	while (rc == AY_OK && offset < text.n) {
		const uint8_t *p = text.p + offset, *end = memchr(p, '\n', text.n - offset);
		size_t n = end == NULL ? text.n - offset : (size_t)(end - p);
		struct line l = { 0 };

		if (n > LINE_MAX_BYTES || n_lines == AY_MAX_IMA_ENTRIES)
			rc = ay_fail(e, AY_E_LIMIT, "ima.line", 0, "too long, or too many of them");
		if (rc == AY_OK)
			rc = cut_line((struct ay_bytes){ p, n }, &l, e);
		if (rc == AY_OK)
			rc = put_line(w, &l, e);
		if (rc != AY_OK && e != NULL)
			e->offset += offset;
		offset += n + (end != NULL);
		n_lines++;
	}
	return rc;
}

enum ay_rc ay_ima_ascii_parse(struct ay_bytes text, struct ay_arena *arena, struct ay_bytes *list,
			      struct ay_err *e)
{
	/* Binary digests take half of their digits; only lengths of fields are added. */
	size_t room = 2 * text.n + 64;
	uint8_t *p = ay_arena_alloc(arena, room);
	uint64_t n_entries;
	struct ay_writer w;
	enum ay_rc rc;

	*list = (struct ay_bytes){ 0 };
	if (p == NULL)
		return ay_fail(e, AY_E_NOMEM, "ima", 0, "no memory for the list");
	ay_wr_init(&w, p, room);
	rc = put_lines(&w, text, e);
	if (rc != AY_OK) {
		ay_err_code(e, rc == AY_E_LIMIT ? "IMA_LIMIT" : "IMA_MALFORMED");
		return rc;
	}
	/* Rules of the binary form that the text does not have: sizes of names and digests. */
	rc = ay_ima_parse((struct ay_bytes){ p, w.n }, &n_entries, e);
	if (rc == AY_OK)
		*list = (struct ay_bytes){ p, w.n };
	return rc;
}
