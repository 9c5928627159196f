/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_APPRAISE_CHECK_MANAGED_H
#define AY_APPRAISE_CHECK_MANAGED_H

/*
 * A host without an agent, whose state a hypervisor's manager reports: who it
 * is, and whether the report is of the boot that runs now. No TPM signed any of
 * it for us, so that its grade is `reported` and no policy that wants more is
 * satisfied (docs/connectors.md).
 */
#include "core/appraise/report.h"
#include "core/base/uuid.h"
#include "core/tpm/pcr.h"

enum ay_managed_status { AY_MANAGED_UNSAID = 0, AY_MANAGED_ACCEPTED, AY_MANAGED_REFUSED };

/* What a manager says of a host. Instants in ms since 1970; 0: not said. */
struct ay_managed_facts {
	struct ay_uuid id;	       /* of the machine */
	int64_t boot_ms;	       /* when it booted */
	int64_t attested_ms;	       /* when the manager attested it last ... */
	enum ay_managed_status status; /* ... with what outcome */
	struct ay_bytes message;       /* ... in its own words; any octets */
	bool log_reliable;	       /* the manager takes the event log for whole */
};

struct ay_managed_ask {
	struct ay_uuid bound; /* the machine that was asked for */
	int64_t now_ms;
	int64_t last_boot_ms; /* of the report before; 0: there was none */
	bool first_use;	      /* the manager's key was taken at first use */
};

/*
 * MANAGER_HOST (another machine answers in its place), MANAGER_REPORT,
 * MANAGER_BOOT (a boot that is older than one that was reported before, that
 * lies ahead, or that nobody names), MANAGER_LOG, MANAGER_STATUS. True: it is of
 * this host's running boot, and may be judged.
 */
AY_MUST_USE bool ay_check_managed(const struct ay_managed_ask *ask,
				  const struct ay_managed_facts *f, struct ay_report *rep);

/*
 * MANAGER_CHANGED: values that were reported of one boot, and are not what was
 * reported of it before.
 */
void ay_check_managed_kept(const struct ay_pcrs *before, const struct ay_pcrs *now,
			   struct ay_report *rep);

/* The same boot, though clocks were set meanwhile? */
bool ay_managed_same_boot(int64_t a_ms, int64_t b_ms);

#endif
