/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FAMILY_REGISTER_H
#define AY_ASSAYD_FAMILY_REGISTER_H

/* Hosts as clients of Mt. Wilson v1, CIT v2 and SecL register them. */
#include "prog/assayd/family/hostview.h"

/*
 * A record, in any of the family's spellings. What is told of TLS
 * (tlspolicies.h) says whom the server believes at the address; without it the
 * agent dials in, and the address is only shown. Which MLEs: bind.h.
 */
struct ay_family_record {
	struct ay_bytes name, connection, description;
	const json_t *doc;
};
void ay_family_record_of(const json_t *doc, struct ay_family_record *out);

enum ay_family_put {
	AY_FAMILY_NEW,	  /* HOST_EXISTS when it is there */
	AY_FAMILY_CHANGE, /* of a host there is: what the record does not say stays */
	AY_FAMILY_EITHER,
};
/*
 * BAD_CONNECTION: no connection string; NOT_OFFERED: of a kind that nothing
 * here connects to (microsoft:, nats); MANAGER_UNKNOWN: of a manager (vmware:,
 * citrix:) that the server was not told of. The host is not registered then, or
 * not changed. TLS_POLICY, MLE_INCORRECT, MISSING_INPUT.
 */
AY_MUST_USE enum ay_rc ay_family_register(struct ay_api_call *c, const struct ay_family_record *ask,
					  enum ay_family_put how, const struct ay_host **out,
					  struct ay_err *e);
/* The whole handler of a POST (known NULL) or PUT of one host: answers as view writes it. */
typedef json_t *ay_family_host_fn(struct ay_api_call *c, const struct ay_host *h);
void ay_family_host_put(struct ay_api_call *c, const struct ay_host *known, int status,
			ay_family_host_fn *view);
/* Retires it, with what the family keeps of it. */
AY_MUST_USE enum ay_rc ay_family_retire(struct ay_api_call *c, const struct ay_host *h,
					struct ay_err *e);
/* "intel:https://ADDR:PORT", the string of a manager, or "" when no address is known. */
#define AY_FAMILY_URL 1200
void ay_family_connection_url(const struct ay_host *h, char out[AY_FAMILY_URL]);

#endif
