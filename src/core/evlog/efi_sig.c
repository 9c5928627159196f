/* SPDX-License-Identifier: Apache-2.0 */
#include "core/evlog/efi_sig.h"

#include <string.h>

#include "core/base/reader.h"

#define GUID_SIZE 16
#define GENERATION_DIGITS 9

/* EFI_CERT_SHA256_GUID and EFI_CERT_X509_GUID as they stand in memory */
static const uint8_t sha256_guid[GUID_SIZE] = { 0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40,
						0xac, 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28 };
static const uint8_t x509_guid[GUID_SIZE] = { 0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a,
					      0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72 };

static enum ay_efi_sig_kind kind_of(struct ay_bytes guid, size_t data_n)
{
	if (ay_bytes_eq(guid, AY_BYTES(sha256_guid)))
		return data_n == 32 ? AY_EFI_SIG_SHA256 : AY_EFI_SIG_OTHER;
	return ay_bytes_eq(guid, AY_BYTES(x509_guid)) ? AY_EFI_SIG_X509 : AY_EFI_SIG_OTHER;
}

/* One list; false when fn has seen enough. */
static bool read_list(struct ay_reader *r, ay_efi_sig_fn *fn, void *arg)
{
	struct ay_bytes guid = ay_rd_bytes(r, "siglist.SignatureType", GUID_SIZE);
	uint32_t size = ay_rd_le32(r, "siglist.SignatureListSize");
	uint32_t header = ay_rd_le32(r, "siglist.SignatureHeaderSize");
	uint32_t each = ay_rd_le32(r, "siglist.SignatureSize");
	size_t head = GUID_SIZE + 12;

	if (ay_rd_ok(r) && (size < head || header > size - head || each <= GUID_SIZE ||
			    (size - head - header) % each != 0))
		ay_rd_reject(r, "siglist.SignatureListSize", "sizes do not fit together");
	if (!ay_rd_ok(r))
		return true;
	(void)ay_rd_bytes(r, "siglist.SignatureHeader", header);
	for (size_t n = (size - head - header) / each; n > 0 && ay_rd_ok(r); n--) {
		(void)ay_rd_bytes(r, "siglist.SignatureOwner", GUID_SIZE);
		struct ay_bytes data = ay_rd_bytes(r, "siglist.SignatureData", each - GUID_SIZE);

		if (ay_rd_ok(r) && !fn(arg, kind_of(guid, data.n), data))
			return false;
	}
	return true;
}

enum ay_rc ay_efi_sigs_parse(struct ay_bytes value, ay_efi_sig_fn *fn, void *arg, struct ay_err *e)
{
	struct ay_reader r;
	bool more = true;

	ay_rd_init(&r, value);
	while (more && ay_rd_ok(&r) && ay_rd_left(&r) > 0)
		more = read_list(&r, fn, arg);
	return more ? ay_rd_end(&r, "siglist", e) : AY_OK;
}

/* ---- SBAT ---- */

static bool read_generation(struct ay_bytes s, uint32_t *out)
{
	uint32_t v = 0;

	if (s.n == 0 || s.n > GENERATION_DIGITS)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (uint32_t)(s.p[i] - '0');
	}
	*out = v;
	return true;
}

/* The octets before `end`, taken off the front of rest together with it. */
static struct ay_bytes take_until(struct ay_bytes *rest, uint8_t end)
{
	const uint8_t *at = rest->n == 0 ? NULL : memchr(rest->p, end, rest->n);
	struct ay_bytes head = { rest->p, at == NULL ? rest->n : (size_t)(at - rest->p) };
	size_t taken = head.n + (at != NULL);

	*rest = (struct ay_bytes){ rest->n == 0 ? rest->p : rest->p + taken, rest->n - taken };
	return head;
}

bool ay_sbat_level_find(struct ay_bytes level, const char *component, uint32_t *generation)
{
	struct ay_bytes text = take_until(&level, '\0');
	size_t n = 0;
	bool good = false;

	while (text.n > 0) {
		struct ay_bytes line = take_until(&text, '\n');
		struct ay_bytes name = take_until(&line, ',');

		if (!ay_bytes_eq(name, ay_bytes_of(component)))
			continue;
		n++;
		good = read_generation(take_until(&line, ','), generation);
	}
	return n == 1 && good;
}
