/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_EVLOG_TXT_HEAP_H
#define AY_EVLOG_TXT_HEAP_H

/*
 * The TXT heap: four tables (BiosData, OsMleData, OsSinitData, SinitMleData),
 * each behind a u64 size that counts itself, little-endian. Firmware, the
 * launching software and the SINIT module leave there what they told each
 * other; nobody signs it, and whoever runs in ring 0 may write it, so that all
 * of it is self_reported until an attested PCR says the same.
 * Spec [TXT-DEV C]
 */
#include "core/base/reader.h"
#include "core/base/writer.h"

#define AY_TXT_LOGS_MAX 8

/* Where an event log is, as OsSinitData says (elements of type 5, 7, 8). */
struct ay_txt_log_at {
	uint32_t element; /* 5: TPM 1.2 container; 7: one of several; 8: crypto-agile */
	uint16_t alg;	  /* of element 7; else 0 */
	uint64_t phys;
	uint32_t allocated, first, next; /* octets; 0 of element 5 */
};

struct ay_txt_heap {
	/* the four tables without their sizes; views of the input */
	struct ay_bytes bios, os_mle, os_sinit, sinit_mle;
	uint32_t bios_version, logical_processors;
	uint32_t os_sinit_version, os_sinit_flags, capabilities;
	size_t n_logs;
	struct ay_txt_log_at log[AY_TXT_LOGS_MAX];
	/* SinitMleData, versions 6 to 9; TPM 2.0 launches leave the hashes zero */
	uint32_t sinit_mle_version;
	uint8_t bios_acm_id[20], sinit_hash[20], mle_hash[20], stm_hash[20], lcp_policy_hash[20];
	uint32_t edx_senter_flags, lcp_policy_control, scrtm_status; /* the last from version 8 */
	uint64_t mseg_valid;
	size_t used; /* octets of the input that the tables take */
};

/*
 *   in   a dump that begins with the heap; what follows the tables is ignored
 *   out  zeroed on failure; its views borrow from in
 *
 * AY_E_INPUT with e->code TXT_HEAP: a size that does not fit, a version of
 * SinitMleData or OsSinitData that we do not know, an element that is cut.
 */
AY_MUST_USE enum ay_rc ay_txt_heap_parse(struct ay_bytes in, struct ay_txt_heap *out,
					 struct ay_err *e);

/*
 * The launch's event log inside a dump of the heap: the addresses in the
 * tables are physical and the dump does not say where it was, so its form is
 * looked for; that it is the right one is known when its replay gives the
 * quoted values. Its length is what OsSinitData (or its own frame) says.
 * n == 0: none.
 */
struct ay_bytes ay_txt_heap_find_log(const struct ay_txt_heap *h, struct ay_bytes dump);

/* The tables as read, but for OsMleData, which is the launching software's own: for a bundle. */
size_t ay_txt_heap_room(const struct ay_txt_heap *h);
void ay_txt_heap_write(struct ay_writer *w, const struct ay_txt_heap *h);

#endif
