/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_VIM_REQUEST_H
#define AY_VIM_REQUEST_H

/* Requests of the VIM SOAP API (urn:vim25); answer.h reads what comes back. */
#include "core/vim/answer.h"
#include "core/xml/text.h"

/* Each writes one whole envelope; t: ay_xt_init() before, ay_xt_end() after. */
void ay_vim_content_ask(struct ay_xml_text *t);
void ay_vim_login_ask(struct ay_xml_text *t, const struct ay_vim_content *c, struct ay_bytes user,
		      struct ay_bytes password);
void ay_vim_logout_ask(struct ay_xml_text *t, const struct ay_vim_content *c);
/* Hosts and clusters of the whole inventory. */
void ay_vim_view_ask(struct ay_xml_text *t, const struct ay_vim_content *c);
/* Of each host name, UUID and parent, of each cluster its name; max objects a page. */
void ay_vim_inventory_ask(struct ay_xml_text *t, const struct ay_vim_content *c, const char *view,
			  unsigned max);
void ay_vim_more_ask(struct ay_xml_text *t, const struct ay_vim_content *c, const char *token);
/* Facts of one host: report.h. */
void ay_vim_host_ask(struct ay_xml_text *t, const struct ay_vim_content *c, const char *host);
void ay_vim_report_ask(struct ay_xml_text *t, const char *host);

/* Does this version of the API have summary.tpmAttestation (6.7)? */
bool ay_vim_has_attestation(const char *api_version);

#endif
