/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_EVLOG_TCG_H
#define AY_EVLOG_TCG_H

/*
 * Boot event logs as the firmware and the measured launch leave them: the
 * SHA-1 form (TCG_PCR_EVENT), the crypto-agile form (a Spec ID header, then
 * TCG_PCR_EVENT2) and the TPM 1.2 container of TXT, whose events have the
 * SHA-1 form. All little-endian. Several of them may come as a bundle
 * (bundle.h), which is then one log.
 *
 * Parsing trusts nothing and judges nothing: whether the events are those of
 * this boot is known only when their replay (replay.h) gives PCR values that
 * the TPM signed, and event types are not covered even then.
 */
#include "core/base/arena.h"
#include "core/base/err.h"
#include "core/tpm/pcr.h"

enum ay_evlog_format {
	AY_EVLOG_NONE = 0,
	AY_EVLOG_SHA1,
	AY_EVLOG_AGILE,
	AY_EVLOG_TXT12,
	AY_EVLOG_REPORTED, /* what a manager reports of a host (reported.h) */
};

/* Does the digest of an event cover its data, and does it agree? */
enum ay_data_check {
	AY_DATA_NOT_COVERED = 0,
	AY_DATA_MISMATCH,
	AY_DATA_MATCH,
};

/* Event types [TCG-PFP 10.4.1]; macros, since the upper half does not fit an enum. */
#define AY_EV_PREBOOT_CERT 0x0u
#define AY_EV_POST_CODE 0x1u
#define AY_EV_NO_ACTION 0x3u
#define AY_EV_SEPARATOR 0x4u
#define AY_EV_ACTION 0x5u
#define AY_EV_EVENT_TAG 0x6u
#define AY_EV_S_CRTM_CONTENTS 0x7u
#define AY_EV_S_CRTM_VERSION 0x8u
#define AY_EV_COMPACT_HASH 0xcu
#define AY_EV_IPL 0xdu
#define AY_EV_EFI_VARIABLE_DRIVER_CONFIG 0x80000001u
#define AY_EV_EFI_VARIABLE_BOOT 0x80000002u
#define AY_EV_EFI_BOOT_SERVICES_APPLICATION 0x80000003u
#define AY_EV_EFI_BOOT_SERVICES_DRIVER 0x80000004u
#define AY_EV_EFI_RUNTIME_SERVICES_DRIVER 0x80000005u
#define AY_EV_EFI_GPT_EVENT 0x80000006u
#define AY_EV_EFI_ACTION 0x80000007u
#define AY_EV_EFI_PLATFORM_FIRMWARE_BLOB 0x80000008u
#define AY_EV_EFI_VARIABLE_BOOT2 0x8000000cu
#define AY_EV_EFI_VARIABLE_AUTHORITY 0x800000e0u
/* PCRs that a measured launch resets. */
#define AY_DRTM_FIRST 17
#define AY_DRTM_LAST 22

#define AY_EV_TXT_PCR_MAPPING 0x401u
#define AY_EV_TXT_HASH_START 0x402u

struct ay_event {
	size_t offset; /* of its first octet in the log */
	uint32_t pcr;
	uint32_t type;
	struct ay_bytes data;
	/* Digest in bank k of the log; NULL where the event has none. */
	const uint8_t *digest[AY_BANKS_MAX];
	/* Set by ay_evlog_check_data(): bit k, the digest in bank k (dis)agrees with data. */
	uint8_t agrees, differs;
	enum ay_data_check check;
};

struct ay_evlog {
	enum ay_evlog_format format;
	size_t n_banks;
	uint16_t bank[AY_BANKS_MAX]; /* algorithms in the order of the header */
	size_t n_events; /* the Spec ID header is one, the frame of the TXT container is not */
	struct ay_event *event; /* in the arena; the views in it borrow from the log */
	uint8_t locality;	/* PCR 0 starts with it; 0 without a StartupLocality event */
	bool has_locality;
	size_t padding; /* octets after the last event */
	/* Of a bundle (join.h): which part speaks for which banks, bit k. A part that is missing
	 * has 0. */
	bool is_joined;
	uint8_t boot_banks, launch_banks;
	size_t n_boot; /* events of the boot log; those of the launch follow */
	/* What else is in the bundle, self-reported: views of the input (bundle.h). */
	struct ay_bytes heap, regs, nv;
};

/*
 * Does bank k of the log speak for PCR pcr? The banks of the boot log do for its
 * own PCRs; those of a launch are spoken for whenever there is any log: a bank
 * that the launch logged nothing for is one that it explains nothing of.
 */
bool ay_evlog_speaks(const struct ay_evlog *log, size_t k, unsigned pcr);
/* Is there a log for PCRs 0-16: false for a bundle without the firmware's. */
bool ay_evlog_has_boot(const struct ay_evlog *log);

/*
 * Parse a boot event log.
 *
 *   in     the whole log, at most AY_MAX_EVLOG_BYTES
 *   arena  holds the events
 *   out    filled on AY_OK, zeroed on failure; its views borrow from in
 *
 * Accepted after the last event: padding with 0x00 or 0xff up to the end, and
 * the TrustPoint event (EV_NO_ACTION for PCR 0xffffffff) that Windows appends,
 * both counted in padding.
 *
 * AY_E_INPUT with e->code LOG_MALFORMED, LOG_TRUNCATED, LOG_HEADER,
 * LOG_LOCALITY or LOG_TRAILING; AY_E_LIMIT with LOG_LIMIT; AY_E_NOMEM.
 * Spec [TCG-PFP 10.2] event log, [TCG-PFP 10.4.5.1] Spec ID, [TCG-PFP 10.4.5.3] StartupLocality
 */
AY_MUST_USE enum ay_rc ay_evlog_parse(struct ay_bytes in, struct ay_arena *arena,
				      struct ay_evlog *out, struct ay_err *e);

/* "crypto-agile", "sha1", "txt12", "reported". */
const char *ay_evlog_format_name(enum ay_evlog_format f);

#endif
