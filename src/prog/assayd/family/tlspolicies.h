/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FAMILY_TLSPOLICIES_H
#define AY_ASSAYD_FAMILY_TLSPOLICIES_H

/*
 * How hosts are known at the TLS handshake, as the family says it: a descriptor
 * with a record, or one that is kept under a name and that hosts refer to
 * (documents of kind "tls_policy" by id).
 *
 *   {"id","name","comment","private":bool,"descriptor":{"policy_type","data":[..],"meta":{..}}}
 */
#include "prog/assayd/family/objects.h"

/*
 * What a record says: its tls_policy_choice (or tlsPolicyChoice), or its own
 * tls_policy_id. *out is zeroed, and the id empty, when it says nothing: the
 * agent dials in. id: of the kept policy; room AY_UUID_TEXT. TLS_POLICY:
 * INSECURE, one that there is not, or what cannot be read.
 */
AY_MUST_USE enum ay_rc ay_family_tls_of(struct ay_api_call *c, const json_t *record,
					struct ay_tls_policy *out, char id[AY_UUID_TEXT],
					struct ay_err *e);

#endif
