/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_VIM_REPORT_H
#define AY_VIM_REPORT_H

/*
 * What a vCenter says of one host: its facts (property collector) and the
 * HostTpmAttestationReport [VIM]. Digests stand there as repeated elements of
 * signed octets. Nothing is judged here.
 */
#include "core/appraise/check_managed.h"
#include "core/evlog/reported.h"
#include "core/tpm/pcr.h"
#include "core/vim/answer.h"

struct ay_vim_host {
	struct ay_managed_facts facts; /* log_reliable is of the report */
	char message[401];	       /* what facts.message borrows from */
	bool connected; /* the manager reaches it; false when it does not say so */
	char product[64], version[32], build[32];
};
/*
 * RetrievePropertiesExResponse for one host. AY_E_INPUT MANAGER_ANSWER: not
 * one host, or without a UUID. A boot instant that cannot be read is not said.
 */
AY_MUST_USE enum ay_rc ay_vim_host_parse(struct ay_bytes text, struct ay_vim_host *out,
					 struct ay_err *e);

struct ay_vim_report {
	struct ay_pcrs pcrs; /* those that are judged: all but 16 and 23 */
	struct ay_bytes log; /* reported.h; empty: no events */
	size_t n_events;
	bool log_reliable; /* tpmLogReliable; false when it is not said */
};
/*
 * QueryTpmAttestationReportResponse. The log is in the arena. AY_E_INPUT
 * MANAGER_ANSWER with the element; AY_E_NOENT MANAGER_NO_TPM: there is no
 * report (a host without TPM).
 */
AY_MUST_USE enum ay_rc ay_vim_report_parse(struct ay_bytes text, struct ay_arena *a,
					   struct ay_vim_report *out, struct ay_err *e);
/* The same of the element returnval; n NULL: there is none. */
AY_MUST_USE enum ay_rc ay_vim_report_read(const xmlNode *n, struct ay_arena *a,
					  struct ay_vim_report *out, struct ay_err *e);

#endif
