/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_RECEIPT_H
#define AY_ASSAYD_RECEIPT_H

/*
 * A receipt: one stored verdict with everything it was made from, as JSON
 * (docs/formats/receipt.md). The server writes it; whoever holds it derives
 * the verdict again, without the server.
 */
#include "core/base/json.h"
#include "prog/assayd/recheck.h"

#define AY_RECEIPT_FORMAT "assay-receipt-1"

struct ay_receipt {
	json_t *doc; /* the whole document; views below borrow from it or from the arena */
	struct ay_recheck_in in; /* judge NULL: made by ay_receipt_check() */
	const char *report_id, *host_name, *at;
	struct ay_bytes cert;			  /* AIK certificate, DER */
	struct ay_bytes chain[AY_MAX_CERT_CHAIN]; /* of the Privacy CA, root last */
	size_t n_chain;
	struct ay_policy *policy; /* NULL: none applied */
	struct ay_refset **set;
	uint32_t *parts; /* of each that count for the host */
	size_t n_sets;
	const json_t *report; /* without id, host and at */
};

/*
 * Parse a receipt, strictly: every member, none else, in its form. Nothing is
 * verified but the seal over all of it (code RECEIPT_SEAL). AY_E_INPUT and
 * AY_E_LIMIT name the field. out: ay_receipt_fini(); zeroed on failure.
 */
AY_MUST_USE enum ay_rc ay_receipt_parse(struct ay_bytes text, struct ay_arena *a,
					struct ay_receipt *out, struct ay_err *e);
void ay_receipt_fini(struct ay_receipt *r);

struct ay_receipt_result {
	bool same;		 /* the derived report is the one in the receipt, bit for bit */
	bool has_key;		 /* false: no key of the host signed, its manager vouches for it */
	bool certified;		 /* the AIK is the host's, by the CA in the receipt (and the pin) */
	enum ay_verdict verdict; /* derived */
	struct ay_err cert_error;
	json_t *derived; /* the report; json_decref by the caller */
};
/* pin: SHA-256 of the CA root's SPKI, or NULL: the root of the receipt. Faults as ay_recheck(). */
AY_MUST_USE enum ay_rc ay_receipt_check(const struct ay_receipt *r, const uint8_t *pin,
					struct ay_arena *a, struct ay_receipt_result *out,
					struct ay_err *e);

/* What the server puts into one. */
struct ay_receipt_parts {
	const struct ay_recheck_in *in;
	const char *report_id, *host_name, *at; /* RFC 3339 */
	struct ay_bytes cert;
	const struct ay_bytes *chain;
	size_t n_chain;
	json_t *policy; /* taken; NULL: none */
	json_t *sets;	/* taken; array of {"state","parts","set"} */
	json_t *report; /* taken; as stored */
};
/* Put the seal over all other members; false without memory. */
AY_MUST_USE bool ay_receipt_seal(json_t *doc, struct ay_arena *a);
/* NULL without memory. */
json_t *ay_receipt_build(const struct ay_receipt_parts *p, struct ay_arena *a);

#endif
