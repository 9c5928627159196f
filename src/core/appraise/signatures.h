/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_SIGNATURES_H
#define AY_APPRAISE_SIGNATURES_H

/*
 * What PK, KEK, db and dbx held when a set was learned, so that a changed
 * variable can be explained as exactly the certificates and digests that came
 * or went. One text an entry: "x509 SHA256-OF-DER common name", "sha256 DIGEST"
 * or "other SHA256-OF-DATA". For people: verdicts come from digests of events.
 */
#include "core/appraise/reference.h"

#define AY_SIGNATURES_MAX 4096

/* Array of texts; NULL if the event's data is not covered by its digest, or holds no lists. */
json_t *ay_signatures_json(const struct ay_event *ev);

/*
 * "1 added: x509 ... ; 2 removed: ...", or NULL when either side is not known
 * or they hold the same. In the arena.
 */
const char *ay_signatures_diff(const struct ay_ref_event *want, const struct ay_event *got,
			       struct ay_arena *a);

#endif
