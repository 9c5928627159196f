/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_FAMILY_ATTESTVIEW_H
#define AY_ASSAYD_FAMILY_ATTESTVIEW_H

/* Attest a host, or show what is known, and answer as CIT v2 or SecL do. */
#include "prog/assayd/family/hostview.h"

/* How a dialect writes one attestation. report: our Report. Takes nothing. */
typedef json_t *ay_family_report_fn(struct ay_api_call *c, const struct ay_host *h,
				    const json_t *report);

struct ay_family_report_form {
	ay_family_report_fn *json;
	const char *root; /* of XML */
	enum ay_assertion_form saml;
};

/* A complete cycle; SAML or a document as Accept says. Ends the call, now or later. */
void ay_family_attest(struct ay_api_call *c, const struct ay_host *h,
		      const struct ay_family_report_form *form);
/* The latest report. */
void ay_family_show_report(struct ay_api_call *c, const struct ay_host *h,
			   const struct ay_family_report_form *form);
/* SAML of what is known, without asking the host; an empty body when nothing is. */
void ay_family_show_saml(struct ay_api_call *c, const struct ay_host *h,
			 enum ay_assertion_form form);

/* What is wanted: SAML, or a document. */
bool ay_family_wants_saml(const struct ay_api_call *c);

/* A finding of our report as a rule of the family with its outcome. */
const char *ay_family_rule_name(const char *code);
/* "BIOS", "VMM", "ASSET_TAG" of CIT; NULL when the finding is not of the components named so. */
const char *ay_family_marker(const char *component, bool secl);

#endif
