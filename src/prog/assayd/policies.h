/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_POLICIES_H
#define AY_ASSAYD_POLICIES_H

/*
 * Trust policies in the engine: versions and their life, which policy is a
 * host's, and what ends with time. refs.c keeps them in memory with the sets.
 *
 * A host's policy is the first of: the one attached to the host itself; of
 * those attached to labels that the host has all of, the one with the most
 * labels (then the first by policy name, then by labels); the policy named
 * `default`. The name decides; if no version of it is active the host has no
 * policy and is not trusted.
 */
#include "prog/assayd/refs.h"

struct ay_attachment {
	char *policy;
	struct ay_label *labels; /* sorted by key; at least one */
	size_t n_labels;
};

/* Name of the policy that is the host's, and by what: "host", "labels", "default"; NULL: none. */
const char *ay_policies_name_for(const struct ay_refs *r, const struct ay_host *h, const char **by);
/* The active version of a name; NULL = none. */
struct ay_active_policy *ay_policies_active(struct ay_refs *r, const char *name);
uint32_t ay_policies_next_version(const struct ay_refs *r, const char *name);

/* Attachments as stored; a stored list that cannot be read is a fault. */
AY_MUST_USE enum ay_rc ay_policies_load(struct ay_engine *g, struct ay_err *e);
void ay_policies_fini(struct ay_refs *r);
/* The next instant at which what is in force changes by itself; INT64_MAX: never. */
int64_t ay_policies_next_end(const struct ay_engine *g);

#endif
