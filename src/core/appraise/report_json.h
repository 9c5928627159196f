/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_REPORT_JSON_H
#define AY_APPRAISE_REPORT_JSON_H

/*
 * A report outside memory: the Report and Finding objects of design 8, and a
 * compact binary form for the store and for findings that hosts share. Both
 * are canonical: the same report gives the same octets.
 */
#include <jansson.h>

#include "core/appraise/report.h"
#include "core/base/uuid.h"

/* What the report itself does not know. */
struct ay_report_head {
	const char *id;	  /* NULL: null */
	const char *host; /* id of the host; NULL: null */
	const char *at;	  /* RFC 3339; NULL: null */
	bool has_evidence;
	uint8_t evidence[32]; /* SHA-256 of the evidence */
};

/* New references; NULL without memory. */
json_t *ay_finding_json(const struct ay_finding *f);
json_t *ay_report_json(const struct ay_report *rep, const struct ay_report_head *head);

/* In the arena; {NULL, 0} without memory. */
struct ay_bytes ay_report_write(const struct ay_report *rep, struct ay_arena *a);
/*
 * The report of those octets, in the arena (which rep then uses); zeroed on
 * failure. Checks whose code this build does not know are refused. Counts are
 * stored (dropped findings stay counted) and so are the required components,
 * but verdicts are not: a report that was concluded is concluded again.
 */
AY_MUST_USE enum ay_rc ay_report_parse(struct ay_bytes in, struct ay_arena *a,
				       struct ay_report *rep, struct ay_err *e);

#endif
