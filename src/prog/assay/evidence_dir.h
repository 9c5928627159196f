/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_ASSAY_EVIDENCE_DIR_H
#define AY_PROG_ASSAY_EVIDENCE_DIR_H

/*
 * Evidence of one host as files of a folder (design 8): quote.msg, quote.sig,
 * ak.pem or ak.pub, nonce.hex, eventlog.bin, ima.bin, pcrs.json. An absent one
 * was not given.
 */
#include "core/appraise/offline.h"
#include "prog/assay/cmd.h"

enum { AY_EVIDENCE_FILES = 5 }; /* those kept as octets */

struct ay_evidence_dir {
	struct ay_offline_in in; /* without sets and policy; borrows from what follows */
	struct ay_pubkey *ak;
	struct ay_pcrs pcrs;
	uint8_t nonce[AY_MAX_QUOTE_NONCE_BYTES];
	uint8_t *file[AY_EVIDENCE_FILES];
};

/* An enum ay_exit; what failed was said on stderr, and nothing is left open. */
AY_MUST_USE int ay_evidence_dir_open(const char *path, struct ay_evidence_dir *out);
void ay_evidence_dir_close(struct ay_evidence_dir *d);

/* Quote, signature and key are there: without them there is nothing to judge. */
bool ay_evidence_dir_has_quote(const struct ay_evidence_dir *d);

#endif
