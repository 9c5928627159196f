/* SPDX-License-Identifier: Apache-2.0 */
#include "core/predict/siglist.h"

#include "core/base/reader.h"
#include "core/base/writer.h"
#include "core/evlog/efi_sig.h"

#define HEAD 28 /* type and three sizes */
#define TIME 16 /* EFI_TIME */
#define CERT_REVISION 0x0200
#define CERT_TYPE_GUID 0x0ef1
/* Attributes that a Secure Boot variable may have in efivarfs. */
#define ATTRIBUTES 0x7fu

static bool seen_one(void *arg, enum ay_efi_sig_kind kind, struct ay_bytes data)
{
	(void)arg;
	(void)kind;
	(void)data;
	return true;
}

static bool is_lists(struct ay_bytes b)
{
	return ay_efi_sigs_parse(b, seen_one, NULL, NULL) == AY_OK;
}

/* The rest of b from octet n on; b must be that long. */
static struct ay_bytes from(struct ay_bytes b, size_t n)
{
	return (struct ay_bytes){ b.p + n, b.n - n };
}

/* EFI_VARIABLE_AUTHENTICATION_2 before the lists; its octets, 0 if it is none. */
static size_t auth_bytes(struct ay_bytes in)
{
	struct ay_reader r;
	uint32_t n;
	uint16_t revision, type;

	ay_rd_init(&r, in);
	(void)ay_rd_bytes(&r, "auth.TimeStamp", TIME);
	n = ay_rd_le32(&r, "auth.dwLength");
	revision = ay_rd_le16(&r, "auth.wRevision");
	type = ay_rd_le16(&r, "auth.wCertificateType");
	if (!ay_rd_ok(&r) || revision != CERT_REVISION || type != CERT_TYPE_GUID || n < 24 ||
	    n > in.n - TIME)
		return 0;
	return TIME + n;
}

/* An efivarfs file: little-endian attributes, of which non-volatile, boot and run time are set. */
static bool has_attributes(struct ay_bytes in)
{
	struct ay_reader r;
	uint32_t attributes;

	ay_rd_init(&r, in);
	attributes = ay_rd_le32(&r, "efivarfs.attributes");
	return ay_rd_ok(&r) && (attributes & 7) == 7 && (attributes & ~ATTRIBUTES) == 0;
}

enum ay_rc ay_siglist_open(struct ay_bytes in, struct ay_bytes *value, enum ay_siglist_form *form,
			   struct ay_err *e)
{
	size_t n = auth_bytes(in);

	*value = (struct ay_bytes){ 0 };
	if (is_lists(in)) {
		*form = AY_SIGLIST_PLAIN;
		*value = in;
	} else if (has_attributes(in) && is_lists(from(in, 4))) {
		*form = AY_SIGLIST_EFIVARFS;
		*value = from(in, 4);
	} else if (n > 0 && is_lists(from(in, n))) {
		*form = AY_SIGLIST_SIGNED;
		*value = from(in, n);
	} else {
		return ay_fail(e, AY_E_INPUT, "siglist", 0,
			       "neither signature lists nor a signed update of them");
	}
	return AY_OK;
}

/* One list of a value that was walked before. */
struct list {
	struct ay_bytes head; /* with its own header, if it has one */
	struct ay_bytes signatures;
	uint32_t each;
};

static struct list read_list(struct ay_reader *r)
{
	size_t at = ay_rd_offset(r);
	struct list l = { 0 };
	uint32_t size, header;

	(void)ay_rd_bytes(r, "siglist.SignatureType", 16);
	size = ay_rd_le32(r, "siglist.SignatureListSize");
	header = ay_rd_le32(r, "siglist.SignatureHeaderSize");
	l.each = ay_rd_le32(r, "siglist.SignatureSize");
	(void)ay_rd_bytes(r, "siglist.SignatureHeader", header);
	l.head = ay_rd_since(r, at);
	if (ay_rd_ok(r))
		l.signatures = ay_rd_bytes(r, "siglist.Signatures", size - HEAD - header);
	return l;
}

static bool has_signature(struct ay_bytes value, const struct list *like, struct ay_bytes sig)
{
	struct ay_reader r;

	ay_rd_init(&r, value);
	while (ay_rd_ok(&r) && ay_rd_left(&r) > 0) {
		struct list l = read_list(&r);

		if (!ay_rd_ok(&r) || l.each != like->each ||
		    memcmp(l.head.p, like->head.p, 16) != 0)
			continue;
		for (size_t i = 0; i + l.each <= l.signatures.n; i += l.each)
			if (memcmp(l.signatures.p + i, sig.p, sig.n) == 0)
				return true;
	}
	return false;
}

static void append_list(struct ay_writer *w, struct ay_bytes old, const struct list *l)
{
	size_t n = 0;

	for (int writing = 0; writing < 2; writing++) {
		if (writing == 1 && n == 0)
			return;
		if (writing == 1) {
			ay_wr_bytes(w, (struct ay_bytes){ l->head.p, 16 });
			ay_wr_le32(w, (uint32_t)(l->head.n + n * l->each));
			ay_wr_bytes(w, from(l->head, 20));
		}
		for (size_t i = 0; i + l->each <= l->signatures.n; i += l->each) {
			struct ay_bytes sig = { l->signatures.p + i, l->each };

			if (has_signature(old, l, sig))
				continue;
			if (writing == 1)
				ay_wr_bytes(w, sig);
			else
				n++;
		}
	}
}

enum ay_rc ay_siglist_append(struct ay_bytes old, struct ay_bytes more, struct ay_arena *a,
			     struct ay_bytes *out, struct ay_err *e)
{
	uint8_t *p = ay_arena_alloc(a, old.n + more.n);
	struct ay_reader r;
	struct ay_writer w;

	*out = (struct ay_bytes){ 0 };
	if (!is_lists(old) || !is_lists(more))
		return ay_fail(e, AY_E_INPUT, "siglist", 0, "no signature lists");
	if (p == NULL)
		return ay_fail(e, AY_E_NOMEM, "siglist", 0, "out of memory");
	ay_wr_init(&w, p, old.n + more.n);
	ay_wr_bytes(&w, old);
	ay_rd_init(&r, more);
	while (ay_rd_ok(&r) && ay_rd_left(&r) > 0) {
		struct list l = read_list(&r);

		if (ay_rd_ok(&r))
			append_list(&w, old, &l);
	}
	if (ay_rd_end(&r, "siglist", e) != AY_OK)
		return AY_E_INPUT;
	return ay_wr_end(&w, "siglist", out, e);
}
