/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FAMILY_HOSTVIEW_H
#define AY_ASSAYD_FAMILY_HOSTVIEW_H

/* Hosts and attestations as clients of CIT v2 and SecL see them. */
#include "prog/assayd/family/family.h"

/* What is trusted of a host now. The whole verdict rules: bios and vmm are never both true of a
 * host that is not trusted. */
struct ay_family_trust {
	bool whole, bios, vmm, tag;
};
struct ay_family_trust ay_family_trust_of(const struct ay_api_call *c, const struct ay_host *h);
/* The same of a verdict and the components it was made of. */
struct ay_family_trust ay_family_trust_by(enum ay_verdict v,
					  const uint8_t components[AY_COMPONENTS]);

/* SecL's word for it: CONNECTED, CONNECTION_FAILURE, AIK_NOT_PROVISIONED. */
const char *ay_family_host_state(const struct ay_host *h);

/* PEM of the AIK certificate (free) and its SHA-1; NULL and "" when there is none. */
char *ay_family_aik(struct ay_api_call *c, const struct ay_host *h, char sha1[41]);

/* Value of a label; NULL: it has none of that key. */
const char *ay_family_label(const struct ay_host *h, const char *key);

/* Text member of a document under one of two names; {NULL, 0}: neither. */
struct ay_bytes ay_family_member(const json_t *o, const char *one, const char *other);

/* The host of a body: host_uuid, host_id, hardware_uuid, host_name, aik_sha1. NULL: answered. */
const struct ay_host *ay_family_host_of_body(struct ay_api_call *c);

/* Certificate NAME of the server (root, saml, tls, privacy), as PEM or DER. */
void ay_family_certificate(struct ay_api_call *c, struct ay_bytes name);
/* {"id","name","certificate"} of each. */
json_t *ay_family_certificates(struct ay_api_call *c);

/* Base 64 of DER, with or without line ends and the lines of PEM; *out is in the arena. */
AY_MUST_USE enum ay_rc ay_family_der(struct ay_api_call *c, struct ay_bytes text,
				     struct ay_bytes *out, struct ay_err *e);

#endif
