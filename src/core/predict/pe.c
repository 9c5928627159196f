/* SPDX-License-Identifier: Apache-2.0 */
#include "core/predict/pe.h"

#include "core/base/reader.h"

#define MAGIC_PE32 0x10bu
#define MAGIC_PE32_PLUS 0x20bu
/* Entry of the certificate table in the data directories [PE 3.4.3]. */
#define DIR_CERTIFICATES 4

/* What the optional header says, besides what stays in struct ay_pe. */
struct optional {
	size_t at;
	uint32_t n_dirs;
	size_t dirs_at;
	uint32_t cert_at, cert_n;
};

static void skip(struct ay_reader *r, const char *field, size_t n)
{
	(void)ay_rd_bytes(r, field, n);
}

/* The DOS header, up to the PE signature and behind it. */
static void read_dos(struct ay_reader *r)
{
	uint32_t pe_at;

	if (ay_rd_le16(r, "pe.e_magic") != 0x5a4d)
		ay_rd_reject(r, "pe.e_magic", "not an EFI image");
	skip(r, "pe.dos", 58);
	pe_at = ay_rd_le32(r, "pe.e_lfanew");
	if (ay_rd_ok(r) && pe_at < 64)
		ay_rd_reject(r, "pe.e_lfanew", "inside the DOS header");
	if (ay_rd_ok(r))
		skip(r, "pe.e_lfanew", pe_at - 64);
	if (ay_rd_le32(r, "pe.signature") != 0x4550)
		ay_rd_reject(r, "pe.signature", "not an EFI image");
}

static void read_dirs(struct ay_reader *o, struct optional *opt)
{
	for (uint32_t i = 0; i < opt->n_dirs && i <= DIR_CERTIFICATES && ay_rd_ok(o); i++) {
		opt->cert_at = ay_rd_le32(o, "pe.dataDirectory");
		opt->cert_n = ay_rd_le32(o, "pe.dataDirectory");
	}
	if (opt->n_dirs <= DIR_CERTIFICATES)
		opt->cert_at = opt->cert_n = 0;
}

static void read_optional(struct ay_reader *r, size_t n, struct ay_pe *pe, struct optional *opt)
{
	struct ay_reader o;
	uint16_t magic;

	opt->at = ay_rd_offset(r);
	ay_rd_window(r, "pe.optionalHeader", n, &o);
	magic = ay_rd_le16(&o, "pe.magic");
	if (ay_rd_ok(&o) && magic != MAGIC_PE32 && magic != MAGIC_PE32_PLUS)
		ay_rd_reject(&o, "pe.magic", "neither PE32 nor PE32+");
	skip(&o, "pe.optionalHeader", 58);
	pe->header_bytes = ay_rd_le32(&o, "pe.sizeOfHeaders");
	pe->checksum_at = opt->at + 64;
	skip(&o, "pe.checksum", magic == MAGIC_PE32 ? 28 : 44);
	opt->n_dirs = ay_rd_le32(&o, "pe.numberOfRvaAndSizes");
	opt->dirs_at = opt->at + (magic == MAGIC_PE32 ? 96 : 112);
	read_dirs(&o, opt);
	skip(&o, "pe.optionalHeader", ay_rd_left(&o));
	ay_rd_window_end(&o, "pe.optionalHeader");
	if (opt->n_dirs > DIR_CERTIFICATES)
		pe->cert_dir_at = opt->dirs_at + 8 * DIR_CERTIFICATES;
}

static void read_section(struct ay_reader *r, struct ay_pe *pe)
{
	struct ay_pe_section *s = &pe->section[pe->n_sections];
	uint32_t n, at;

	ay_rd_copy(r, "pe.section.name", s->name, 8);
	s->virtual_size = ay_rd_le32(r, "pe.section.virtualSize");
	skip(r, "pe.section.virtualAddress", 4);
	n = ay_rd_le32(r, "pe.section.sizeOfRawData");
	at = ay_rd_le32(r, "pe.section.pointerToRawData");
	skip(r, "pe.section", 16);
	if (!ay_rd_ok(r))
		return;
	if (n > 0 && (at > pe->file.n || n > pe->file.n - at))
		ay_rd_reject(r, "pe.section.sizeOfRawData", "%.8s: outside the file", s->name);
	else if (s->virtual_size > AY_MAX_IMAGE_BYTES) /* its zeroes would be hashed one by one */
		ay_rd_limit(r, "pe.section.virtualSize", s->virtual_size, AY_MAX_IMAGE_BYTES);
	else if (n > 0)
		s->raw = (struct ay_bytes){ pe->file.p + at, n };
	pe->n_sections++;
}

static void read_headers(struct ay_reader *r, struct ay_pe *pe, struct optional *opt)
{
	uint16_t n_sections, n_optional;

	read_dos(r);
	skip(r, "pe.machine", 2);
	n_sections = ay_rd_le16(r, "pe.numberOfSections");
	skip(r, "pe.fileHeader", 12);
	n_optional = ay_rd_le16(r, "pe.sizeOfOptionalHeader");
	skip(r, "pe.characteristics", 2);
	read_optional(r, n_optional, pe, opt);
	if (n_sections > AY_MAX_PE_SECTIONS)
		ay_rd_limit(r, "pe.numberOfSections", n_sections, AY_MAX_PE_SECTIONS);
	while (n_sections-- > 0 && ay_rd_ok(r))
		read_section(r, pe);
}

/* Octets that the hash takes from headers and sections. */
static uint64_t hashed_bytes(const struct ay_pe *pe)
{
	uint64_t n = pe->header_bytes;

	for (size_t i = 0; i < pe->n_sections; i++)
		n += pe->section[i].raw.n;
	return n;
}

/* What the hash goes by must lie where it says. */
static enum ay_rc check_layout(struct ay_pe *pe, const struct optional *opt, size_t headers_end,
			       struct ay_err *e)
{
	if (pe->header_bytes > pe->file.n || pe->header_bytes < headers_end)
		return ay_fail(e, AY_E_INPUT, "pe.sizeOfHeaders", opt->at + 60,
			       "%zu octets: not where the headers end", pe->header_bytes);
	if (opt->cert_n > pe->file.n || opt->cert_at > pe->file.n - opt->cert_n)
		return ay_fail(e, AY_E_INPUT, "pe.certificates", pe->cert_dir_at,
			       "outside the file");
	if (hashed_bytes(pe) + opt->cert_n > pe->file.n)
		return ay_fail(e, AY_E_INPUT, "pe.section", headers_end,
			       "sections and certificates are longer than the file");
	pe->cert_bytes = opt->cert_n;
	return AY_OK;
}

enum ay_rc ay_pe_parse(struct ay_bytes in, struct ay_pe *out, struct ay_err *e)
{
	struct optional opt = { 0 };
	struct ay_reader r;
	size_t headers_end;
	enum ay_rc rc;

	*out = (struct ay_pe){ .file = in };
	if (in.n > AY_MAX_IMAGE_BYTES) {
		*out = (struct ay_pe){ 0 };
		return ay_fail(e, AY_E_LIMIT, "pe", 0, "larger than %d octets", AY_MAX_IMAGE_BYTES);
	}
	ay_rd_init(&r, in);
	read_headers(&r, out, &opt);
	headers_end = ay_rd_offset(&r);
	(void)ay_rd_rest(&r, "pe");
	rc = ay_rd_end(&r, "pe", e);
	if (rc == AY_OK)
		rc = check_layout(out, &opt, headers_end, e);
	if (rc != AY_OK)
		*out = (struct ay_pe){ 0 };
	return rc;
}

static void hash_range(struct ay_hash *h, const struct ay_pe *pe, size_t from, size_t to)
{
	if (to > from)
		ay_hash_update(h, (struct ay_bytes){ pe->file.p + from, to - from });
}

static void hash_headers(struct ay_hash *h, const struct ay_pe *pe)
{
	size_t at = pe->checksum_at + 4;

	hash_range(h, pe, 0, pe->checksum_at);
	if (pe->cert_dir_at != 0) {
		hash_range(h, pe, at, pe->cert_dir_at);
		at = pe->cert_dir_at + 8;
	}
	hash_range(h, pe, at, pe->header_bytes);
}

/* Index of the section that follows `last` in the file; n_sections when there is none left. */
static size_t next_section(const struct ay_pe *pe, const bool *done)
{
	size_t best = pe->n_sections;

	for (size_t i = 0; i < pe->n_sections; i++)
		if (!done[i] && pe->section[i].raw.n > 0 &&
		    (best == pe->n_sections || pe->section[i].raw.p < pe->section[best].raw.p))
			best = i;
	return best;
}

bool ay_pe_hash(const struct ay_pe *pe, uint16_t alg, uint8_t *out)
{
	bool done[AY_MAX_PE_SECTIONS] = { false };
	struct ay_hash h;
	size_t i;

	if (!ay_hash_init(&h, alg))
		return false;
	hash_headers(&h, pe);
	while ((i = next_section(pe, done)) < pe->n_sections) {
		ay_hash_update(&h, pe->section[i].raw);
		done[i] = true;
	}
	hash_range(&h, pe, (size_t)hashed_bytes(pe), pe->file.n - pe->cert_bytes);
	ay_hash_final(&h, out);
	return true;
}

const struct ay_pe_section *ay_pe_find(const struct ay_pe *pe, const char *name)
{
	for (size_t i = 0; i < pe->n_sections; i++)
		if (strcmp(pe->section[i].name, name) == 0)
			return &pe->section[i];
	return NULL;
}

bool ay_pe_section_hash(const struct ay_pe_section *s, uint16_t alg, uint8_t *out)
{
	static const uint8_t zeroes[4096];
	struct ay_bytes b = s->raw;
	struct ay_hash h;
	size_t left;

	if (!ay_hash_init(&h, alg))
		return false;
	if (b.n > s->virtual_size)
		b.n = s->virtual_size;
	ay_hash_update(&h, b);
	for (left = s->virtual_size - b.n; left > sizeof(zeroes); left -= sizeof(zeroes))
		ay_hash_update(&h, AY_BYTES(zeroes));
	ay_hash_update(&h, (struct ay_bytes){ zeroes, left });
	ay_hash_final(&h, out);
	return true;
}
