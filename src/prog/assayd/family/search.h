/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FAMILY_SEARCH_H
#define AY_ASSAYD_FAMILY_SEARCH_H

/* What searches of the family name: hosts, a span of time, a page; and attestations found by them.
 */
#include "prog/assayd/family/hostview.h"
#include "prog/assayd/kept.h"

/* Page of a search: limit (otherwise) and page from 1. */
struct ay_family_page {
	uint64_t limit, skip;
};
AY_MUST_USE enum ay_rc ay_family_page(const struct ay_api_call *c, uint64_t otherwise,
				      struct ay_family_page *out, struct ay_err *e);
/*
 * numberOfDays, or fromDate and toDate: an instant in ISO 8601 or a day, which
 * is whole; both ends are included. to_ms 0: no end is given.
 */
AY_MUST_USE enum ay_rc ay_family_span(const struct ay_api_call *c, int64_t *from_ms, int64_t *to_ms,
				      struct ay_err *e);
/* "true", "false"; otherwise, when it is not given or something else. */
bool ay_family_truth(const struct ay_api_call *c, const char *name, bool otherwise);

/* Does a host meet nameEqualTo, nameContains, aik_sha1, hostHardwareId, .. of the query? An
 * "id" is the host's where is_host says so, else not looked at. */
bool ay_family_wanted(struct ay_api_call *c, const struct ay_host *h, bool is_host);

/* One attestation, of now or then. */
struct ay_family_attestation {
	const struct ay_host *h;
	struct ay_kept_row row;
	const json_t *report;		   /* our Report */
	struct ay_family_trust trust;	   /* of now for the latest, else what was said then */
	uint8_t components[AY_COMPONENTS]; /* enum ay_verdict; unknown when the lease ran out */
};
/* The latest of a host; report borrowed. */
void ay_family_attestation_now(struct ay_api_call *c, const struct ay_host *h, const json_t *report,
			       struct ay_family_attestation *out);
/* A kept one: *report is the caller's. */
AY_MUST_USE enum ay_rc ay_family_attestation_of(struct ay_api_call *c, const struct ay_host *h,
						const struct ay_kept_row *row, json_t **report,
						struct ay_family_attestation *out,
						struct ay_err *e);

/*
 * What the query asks for, newest first: *out (free) has n. limit: when none is
 * given. latest: only the newest of each host, unless latestPerHost says
 * otherwise.
 */
AY_MUST_USE enum ay_rc ay_family_search(struct ay_api_call *c, uint64_t limit, bool latest,
					struct ay_kept_row **out, size_t *n, struct ay_err *e);
/* The one with this report id, if its host is within the caller's scope. NULL: none; *e says why.
 */
const struct ay_host *ay_family_kept_find(struct ay_api_call *c, struct ay_bytes id,
					  struct ay_kept_row *out, struct ay_err *e);

#endif
