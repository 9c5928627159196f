/* SPDX-License-Identifier: Apache-2.0 */
/* Permissions and the roles that are made of them. */
#include "prog/assayd/api/call.h"

static const struct {
	const char *name, *doc;
} perms[] = {
#define X(name, doc) { #name, doc },
#include "prog/assayd/api/perms.def"
#undef X
};

#define P(name) AY_PERM_BIT(name)
#define AY_READS                                                                                   \
	(P(ANY) | P(HOST_READ) | P(ASSERTION_READ) | P(REFERENCE_READ) | P(POLICY_READ) |          \
	 P(EVENT_READ) | P(METRICS_READ) | P(CONFIG_READ) | P(APPROVAL_READ))

static const struct {
	const char *name;
	uint64_t perms;
	const char *doc;
} roles[] = {
#define X(name, perms, doc) { #name, perms, doc },
#include "prog/assayd/api/roles.def"
#undef X
};

const char *ay_perm_name(enum ay_perm p)
{
	return (size_t)p < AY_COUNT(perms) ? perms[p].name : "";
}

bool ay_perm_find(const char *name, enum ay_perm *out)
{
	for (size_t i = 0; i < AY_COUNT(perms); i++)
		if (strcmp(perms[i].name, name) == 0) {
			*out = (enum ay_perm)i;
			return true;
		}
	return false;
}

bool ay_role_perms(const char *role, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < AY_COUNT(roles); i++)
		if (strcmp(roles[i].name, role) == 0) {
			*out = roles[i].perms;
			return true;
		}
	return false;
}
