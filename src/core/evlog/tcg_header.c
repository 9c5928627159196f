/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/tcg_header.h"

#include "core/base/reader.h"

#define SPEC_ID "Spec ID Event"
#define SIGNATURE_SIZE 16

struct spec_id {
	struct ay_bytes signature;
	uint8_t minor, major;
	size_t n_banks;
	uint16_t bank[AY_BANKS_MAX];
	size_t overhang;
};

bool ay_evlog_is_header(struct ay_bytes data)
{
	return data.n >= SIGNATURE_SIZE && memcmp(data.p, SPEC_ID, sizeof(SPEC_ID) - 1) == 0;
}

static bool has_bank(const struct spec_id *s, uint16_t alg)
{
	for (size_t i = 0; i < s->n_banks; i++)
		if (s->bank[i] == alg)
			return true;
	return false;
}

static void read_bank(struct ay_reader *r, struct spec_id *s)
{
	uint16_t alg = ay_rd_le16(r, "specId.algorithmId");
	uint16_t size = ay_rd_le16(r, "specId.digestSize");

	if (!ay_rd_ok(r))
		return;
	if (ay_alg_digest_size(alg) == 0)
		ay_rd_reject(r, "specId.algorithmId", "unknown algorithm 0x%04x", alg);
	else if (has_bank(s, alg))
		ay_rd_reject(r, "specId.algorithmId", "bank 0x%04x stands twice", alg);
	else if (size != ay_alg_digest_size(alg))
		ay_rd_reject(r, "specId.digestSize", "%u is not the size of 0x%04x", size, alg);
	else
		s->bank[s->n_banks++] = alg;
}

static void read_banks(struct ay_reader *r, struct spec_id *s)
{
	uint32_t n = ay_rd_le32(r, "specId.numberOfAlgorithms");

	if (ay_rd_ok(r) && (n == 0 || n > AY_BANKS_MAX))
		ay_rd_reject(r, "specId.numberOfAlgorithms", "%u, at most %d", n, AY_BANKS_MAX);
	while (n-- > 0 && ay_rd_ok(r))
		read_bank(r, s);
}

/* TCG_EfiSpecIDEvent, crypto-agile. */
static void read_spec_id(struct ay_reader *r, struct spec_id *s)
{
	uint8_t vendor;

	s->signature = ay_rd_bytes(r, "specId.signature", SIGNATURE_SIZE);
	(void)ay_rd_le32(r, "specId.platformClass");
	s->minor = ay_rd_u8(r, "specId.specVersionMinor");
	s->major = ay_rd_u8(r, "specId.specVersionMajor");
	(void)ay_rd_u8(r, "specId.specErrata");
	(void)ay_rd_u8(r, "specId.uintnSize");
	if (ay_rd_ok(r) && (s->major != 2 || s->minor != 0))
		ay_rd_reject(r, "specId.specVersionMajor", "version %u.%u, not 2.0", s->major,
			     s->minor);
	read_banks(r, s);
	vendor = ay_rd_u8(r, "specId.vendorInfoSize");
	if (ay_rd_ok(r) && ay_rd_left(r) == 0)
		s->overhang = vendor;
	else
		(void)ay_rd_bytes(r, "specId.vendorInfo", vendor);
}

static enum ay_rc header_fail(struct ay_err *e, const struct ay_event *first, const char *field,
			      const char *text)
{
	enum ay_rc rc = ay_fail(e, AY_E_INPUT, field, first->offset, "%s", text);

	ay_err_code(e, "LOG_HEADER");
	return rc;
}

/* Agile in all but its signature: a header that was tampered with, not a SHA-1 log. */
static bool is_spoilt_header(const struct ay_event *first)
{
	struct spec_id s = { 0 };
	struct ay_reader r;

	ay_rd_init(&r, first->data);
	read_spec_id(&r, &s);
	return ay_rd_ok(&r) && ay_rd_left(&r) == 0;
}

static enum ay_rc parse_agile(const struct ay_event *first, struct ay_evlog *log, size_t *overhang,
			      struct ay_err *e)
{
	struct spec_id s = { 0 };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, first->data);
	r.base = first->offset + 32; /* offsets as in the log */
	read_spec_id(&r, &s);
	rc = ay_rd_end(&r, "specId", e);
	if (rc != AY_OK) {
		ay_err_code(e, "LOG_HEADER");
		return rc;
	}
	log->format = AY_EVLOG_AGILE;
	log->n_banks = s.n_banks;
	memcpy(log->bank, s.bank, sizeof(log->bank));
	*overhang = s.overhang;
	return AY_OK;
}

static enum ay_rc parse_sha1(const struct ay_event *first, struct ay_evlog *log, struct ay_err *e)
{
	/* Versions 00 and 02 are headers of SHA-1 logs, of specification 1.x. */
	if (ay_evlog_is_header(first->data) && (first->data.n < 24 || first->data.p[21] != 1))
		return header_fail(e, first, "specId.specVersionMajor",
				   "not the version of its signature");
	if (!ay_evlog_is_header(first->data) && is_spoilt_header(first))
		return header_fail(e, first, "specId.signature", "is not \"Spec ID Event03\"");
	log->format = AY_EVLOG_SHA1;
	log->n_banks = 1;
	log->bank[0] = AY_ALG_SHA1;
	return AY_OK;
}

/* The log of a TDX guest (CCEL) counts measurement registers from 1 and has one bank, SHA-384. */
static bool is_cc_header(const struct ay_event *first)
{
	struct spec_id s = { 0 };
	struct ay_reader r;

	ay_rd_init(&r, first->data);
	read_spec_id(&r, &s);
	return ay_rd_ok(&r) && first->pcr == 1 && s.n_banks == 1 && s.bank[0] == AY_ALG_SHA384;
}

enum ay_rc ay_evlog_header_parse(const struct ay_event *first, struct ay_evlog *log,
				 size_t *overhang, struct ay_err *e)
{
	const uint8_t *version = first->data.p + sizeof(SPEC_ID) - 1;

	*overhang = 0;
	if (!ay_evlog_is_header(first->data))
		return parse_sha1(first, log, e);
	if ((first->pcr != 0 && !is_cc_header(first)) || first->type != AY_EV_NO_ACTION)
		return header_fail(e, first, "event.eventType",
				   "Spec ID header is not EV_NO_ACTION of PCR 0");
	if (memcmp(version, "03", 3) == 0)
		return parse_agile(first, log, overhang, e);
	if (memcmp(version, "00", 3) == 0 || memcmp(version, "02", 3) == 0)
		return parse_sha1(first, log, e);
	return header_fail(e, first, "specId.signature", "unknown version of Spec ID Event");
}
