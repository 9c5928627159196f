/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PREDICT_PE_H
#define AY_PREDICT_PE_H

/*
 * EFI images (PE32 and PE32+) as firmware, shim and systemd-stub look at them
 * when they measure: the Authenticode hash, and the sections of a unified
 * kernel image. Parsing trusts nothing; signatures are not looked at.
 */
#include "core/base/err.h"
#include "core/base/limits.h"
#include "core/crypto/hash.h"

struct ay_pe_section {
	char name[9]; /* terminated; octets beyond ASCII as they stand */
	uint32_t virtual_size;
	struct ay_bytes raw; /* SizeOfRawData octets; empty if there are none */
};

struct ay_pe {
	struct ay_bytes file;
	size_t checksum_at;  /* four octets that are not hashed */
	size_t cert_dir_at;  /* eight octets that are not hashed; 0 without such an entry */
	size_t cert_bytes;   /* of the certificate table, at the end of the file */
	size_t header_bytes; /* SizeOfHeaders */
	size_t n_sections;
	struct ay_pe_section section[AY_MAX_PE_SECTIONS]; /* in the order of the table */
};

/*
 * Parse the headers of an EFI image.
 *
 *   in   the whole file, at most AY_MAX_IMAGE_BYTES
 *   out  filled on AY_OK, zeroed on failure; its views borrow from in
 *
 * AY_E_INPUT names the field: no PE image, a header, section or certificate
 * table outside the file, sections and certificates that overlap.
 * Spec [PE 3] headers, [PE 4] section table
 */
AY_MUST_USE enum ay_rc ay_pe_parse(struct ay_bytes in, struct ay_pe *out, struct ay_err *e);

/*
 * The Authenticode hash: headers without checksum and certificate entry, the
 * sections in the order of their place in the file, what lies behind them up
 * to the certificates. A file is never padded to eight octets first: firmware
 * and shim do not do so when they measure (tools that sign do). out takes
 * ay_alg_digest_size(alg) octets; false for a hash that cannot be computed.
 * Spec [AUTHENTICODE] Calculating the PE Image Hash
 */
AY_MUST_USE bool ay_pe_hash(const struct ay_pe *pe, uint16_t alg, uint8_t *out);

/* The first section of that name; NULL = none. */
const struct ay_pe_section *ay_pe_find(const struct ay_pe *pe, const char *name);

/*
 * Hash a section as it lies in memory: virtual_size octets, zeroes where the
 * file has fewer. false for a hash that cannot be computed.
 */
AY_MUST_USE bool ay_pe_section_hash(const struct ay_pe_section *s, uint16_t alg, uint8_t *out);

#endif
