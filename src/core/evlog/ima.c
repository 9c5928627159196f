/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/ima.h"

#include "core/evlog/ima_template.h"
#include "core/tpm/pcr.h"

#define HASH_SIZE 20
#define NAME_MAX_BYTES 128 /* of a template */
#define OLD_NAME_MAX 255   /* of a file in template "ima" */

static const uint8_t zeros[HASH_SIZE];

void ay_ima_begin(struct ay_ima_cursor *c, struct ay_bytes list)
{
	ay_rd_init(&c->r, list);
	c->index = 0;
}

static enum ay_ima_digest_kind kind_of(struct ay_bytes word)
{
	if (word.n == 0 || ay_bytes_eq(word, ay_bytes_of("ima:")))
		return AY_IMA_DIGEST_FILE;
	return ay_bytes_eq(word, ay_bytes_of("verity:")) ? AY_IMA_DIGEST_VERITY
							 : AY_IMA_DIGEST_OTHER;
}

/* "sha256:" NUL digest, or "ima:sha256:" NUL digest (d-ngv2): the name before the last colon. */
static void take_digest(struct ay_reader *r, struct ay_bytes b, struct ay_ima_entry *en)
{
	const uint8_t *nul = b.n > 0 ? memchr(b.p, 0, b.n < 64 ? b.n : 64) : NULL;
	size_t n = nul == NULL ? 0 : (size_t)(nul - b.p), from;

	if (n == 0 || b.p[n - 1] != ':') {
		ay_rd_reject(r, "ima.d-ng", "no algorithm before the digest");
		return;
	}
	from = n - 1;
	while (from > 0 && b.p[from - 1] != ':')
		from--;
	en->digest_kind = kind_of((struct ay_bytes){ b.p, from });
	en->digest_name = (struct ay_bytes){ b.p + from, n - 1 - from };
	en->digest = (struct ay_bytes){ b.p + n + 1, b.n - n - 1 };
	if (en->digest.n > AY_DIGEST_MAX)
		ay_rd_reject(r, "ima.d-ng", "digest of %zu octets", en->digest.n);
	en->digest_alg = ay_alg_from_bank_name(en->digest_name);
}

static void take_plain_digest(struct ay_bytes b, struct ay_ima_entry *en)
{
	static const char *const names[] = { "md5", "sha1" };

	en->digest_name = ay_bytes_of(names[b.n == HASH_SIZE]);
	en->digest_alg = b.n == HASH_SIZE ? AY_ALG_SHA1 : 0;
	en->digest = b;
}

static struct ay_bytes without_nul(struct ay_bytes b)
{
	if (b.n > 0 && b.p[b.n - 1] == 0)
		b.n--;
	return b;
}

static void take_field(struct ay_reader *r, enum ay_ima_field f, struct ay_bytes b,
		       struct ay_ima_entry *en)
{
	switch (f) {
	case AY_IMA_D:
		take_plain_digest(b, en);
		break;
	case AY_IMA_D_NG:
		take_digest(r, b, en);
		break;
	case AY_IMA_N:
	case AY_IMA_N_NG:
		en->path = without_nul(b);
		break;
	case AY_IMA_SIG:
		en->sig = b;
		break;
	case AY_IMA_BUF:
		en->buf = b;
		en->is_buf = true;
		break;
	case AY_IMA_MODSIG:
		en->modsig = b;
		break;
	case AY_IMA_EVMSIG:
		en->evmsig = b;
		break;
	case AY_IMA_FIELD_NONE:
	case AY_IMA_D_MODSIG:
	case AY_IMA_TEXT:
	case AY_IMA_HEX:
	case AY_IMA_U32:
	case AY_IMA_U16:
	default:
		break;
	}
}

/* left: octets of template data that the fields must fill. A window would cost more than the
 * fields. */
static void read_fields(struct ay_reader *r, const struct ay_ima_template *t, size_t left,
			struct ay_ima_entry *en)
{
	for (size_t i = 0; i < t->n_fields; i++) {
		uint32_t n = ay_rd_le32(r, "ima.fieldLength");
		struct ay_bytes b;

		if (left < 4 || n > left - 4) {
			ay_rd_reject(r, "ima.fieldLength", "%u, %zu left in the data", n, left);
			return;
		}
		b = ay_rd_bytes(r, "ima.field", n);
		left -= 4 + (size_t)n;
		take_field(r, (enum ay_ima_field)t->field[i], b, en);
	}
	if (left > 0)
		ay_rd_reject(r, "ima.data", "%zu octets after the last field", left);
}

/* Template "ima": digest, length and name, without lengths of the data or of fields. */
static void read_old(struct ay_reader *r, struct ay_ima_entry *en)
{
	const uint8_t *from = r->p;
	uint32_t n;

	en->is_old = true;
	take_plain_digest(ay_rd_bytes(r, "ima.digest", HASH_SIZE), en);
	n = ay_rd_le32(r, "ima.nameLength");
	if (n > OLD_NAME_MAX + 1)
		ay_rd_reject(r, "ima.nameLength", "%u, at most %d", n, OLD_NAME_MAX + 1);
	en->path = without_nul(ay_rd_bytes(r, "ima.name", n));
	if (ay_rd_ok(r))
		en->data = (struct ay_bytes){ from, (size_t)(r->p - from) };
}

static void read_data(struct ay_reader *r, struct ay_ima_entry *en)
{
	struct ay_ima_template scratch AY_NO_INIT;
	const struct ay_ima_template *t;
	uint32_t n;

	if (!ay_rd_ok(r))
		return;
	t = ay_ima_template_find(en->template_name, &scratch);
	if (t == NULL) {
		ay_rd_reject(r, "ima.template", "unknown template");
		return;
	}
	if (t->is_old) {
		read_old(r, en);
		return;
	}
	n = ay_rd_le32(r, "ima.dataLength");
	if (n > ay_rd_left(r))
		ay_rd_reject(r, "ima.dataLength", "%u, %zu left in the list", n, ay_rd_left(r));
	else if (n > AY_MAX_IMA_TEMPLATE_BYTES)
		ay_rd_limit(r, "ima.dataLength", n, AY_MAX_IMA_TEMPLATE_BYTES);
	if (!ay_rd_ok(r))
		return;
	en->data = (struct ay_bytes){ r->p, n };
	read_fields(r, t, n, en);
}

/* Fills what the caller zeroed. */
static void read_entry(struct ay_reader *r, struct ay_ima_entry *en)
{
	uint32_t n;

	en->offset = ay_rd_offset(r);
	en->pcr = ay_rd_le32(r, "ima.pcr");
	if (en->pcr >= AY_PCR_COUNT)
		ay_rd_reject(r, "ima.pcr", "no PCR %u", en->pcr);
	en->template_hash = ay_rd_bytes(r, "ima.templateHash", HASH_SIZE).p;
	n = ay_rd_le32(r, "ima.templateNameLength");
	if (n > NAME_MAX_BYTES)
		ay_rd_reject(r, "ima.templateNameLength", "%u, at most %d", n, NAME_MAX_BYTES);
	en->template_name = ay_rd_bytes(r, "ima.templateName", n);
	read_data(r, en);
}

bool ay_ima_next(struct ay_ima_cursor *c, struct ay_ima_entry *out)
{
	struct ay_reader *r = &c->r;

	*out = (struct ay_ima_entry){ 0 };
	if (ay_rd_left(r) == 0)
		return false;
	if (c->index == AY_MAX_IMA_ENTRIES)
		ay_rd_limit(r, "ima.entry", c->index + 1, AY_MAX_IMA_ENTRIES);
	read_entry(r, out);
	if (!ay_rd_ok(r)) {
		*out = (struct ay_ima_entry){ 0 };
		return false;
	}
	out->violation = memcmp(out->template_hash, zeros, HASH_SIZE) == 0;
	out->index = ++c->index;
	return true;
}

enum ay_rc ay_ima_end(struct ay_ima_cursor *c, struct ay_err *e)
{
	enum ay_rc rc = ay_rd_end(&c->r, "ima", e);

	if (rc != AY_OK)
		ay_err_code(e, rc == AY_E_LIMIT ? "IMA_LIMIT" : "IMA_MALFORMED");
	return rc;
}

enum ay_rc ay_ima_parse(struct ay_bytes list, uint64_t *n_entries, struct ay_err *e)
{
	struct ay_ima_cursor c;
	struct ay_ima_entry en;
	enum ay_rc rc;

	ay_ima_begin(&c, list);
	while (ay_ima_next(&c, &en))
		;
	*n_entries = c.index;
	rc = ay_ima_end(&c, e);
	return rc;
}

bool ay_ima_path_is_odd(struct ay_bytes path)
{
	for (size_t i = 0; i < path.n; i++)
		if (path.p[i] <= 0x20 || path.p[i] >= 0x7f)
			return true;
	return false;
}
