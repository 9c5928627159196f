/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FAMILY_ATTESTVIEW_H
#define AY_ASSAYD_FAMILY_ATTESTVIEW_H

/* Attest a host, or show what is known, and answer as CIT v2 or SecL do. */
#include "prog/assayd/family/search.h"

/* How a dialect writes one attestation. */
typedef json_t *ay_family_report_fn(const struct ay_family_attestation *a);

struct ay_family_report_form {
	ay_family_report_fn *json;
	const char *root; /* of XML */
	/* of a search: the XML element of the list, the member that holds it */
	const char *collection, *member;
	uint64_t limit; /* of a page, when the client gives none */
	bool latest;	/* a search gives the newest of each host, when the client does not say */
	enum ay_assertion_form saml;
};

/* A complete cycle; SAML or a document as Accept says. Ends the call, now or later. */
void ay_family_attest(struct ay_api_call *c, const struct ay_host *h,
		      const struct ay_family_report_form *form);
/* The host of the body, as above: the whole handler of a POST. */
void ay_family_attest_named(struct ay_api_call *c, const struct ay_family_report_form *form);
/* The kept attestation whose id is the first parameter of the path: a whole handler. SAML: an empty
 * body unless it is the latest of its host and holds. */
void ay_family_attestation_show(struct ay_api_call *c, const struct ay_family_report_form *form);
/* What the query asks for (search.h): a whole handler. SAML: of the first that holds. */
void ay_family_attestations(struct ay_api_call *c, const struct ay_family_report_form *form);

/* What is wanted: SAML, or a document. */
bool ay_family_wants_saml(const struct ay_api_call *c);

/* A finding of our report as a rule of the family with its outcome. */
const char *ay_family_rule_name(const char *code);
/* "BIOS", "VMM", "ASSET_TAG" of CIT; NULL when the finding is not of the components named so. */
const char *ay_family_marker(const char *component, bool secl);

#endif
