/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_HOSTFILTER_H
#define AY_ASSAYD_API_HOSTFILTER_H

/* Which hosts a list, its counts or a bulk action is about. */
#include "prog/assayd/api/call.h"

/* Query parameters of a list of hosts; members of the filter of a bulk action. */
#define AY_HOST_FILTERS                                                                            \
	"verdict", "state", "name", "prefix", "label", "policy", "reference", "cause", "grade",    \
		"firmware", "connected", "lease_s", "age_s"

struct ay_host_filter {
	struct ay_bytes verdict, state, name, prefix, label, policy, reference, cause, grade,
		firmware, connected;
	bool has_lease, has_age;
	uint64_t lease_s, age_s;
};

/* From the query, or, filter not NULL, from an object of texts. */
AY_MUST_USE enum ay_rc ay_host_filter_read(const struct ay_api_call *c, json_t *filter,
					   struct ay_host_filter *out, struct ay_err *e);
bool ay_host_filter_has(struct ay_api_call *c, const struct ay_host_filter *f,
			const struct ay_host *h);
/*
 * The next host that the caller may see and that fits, in the order of names;
 * *at as in ay_engine_host_ordered(). With a prefix it ends after the last one.
 */
const struct ay_host *ay_host_filter_next(struct ay_api_call *c, const struct ay_host_filter *f,
					  size_t *at);
/* Where a page begins. */
size_t ay_host_filter_from(struct ay_api_call *c, const struct ay_host_filter *f,
			   struct ay_bytes after);

#endif
