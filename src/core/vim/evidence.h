/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_VIM_EVIDENCE_H
#define AY_VIM_EVIDENCE_H

/*
 * What a vCenter says of a host, as it is judged and stored: the facts beside
 * the report. Our own octets (docs/formats/reported-log.md), made of the
 * answers that report.h and answer.h read.
 */
#include "core/appraise/check_managed.h"
#include "core/base/reader.h"
#include "core/base/writer.h"

#define AY_VIM_FACTS_MAX 700
#define AY_VIM_MESSAGE_MAX 400

/* message is cut to AY_VIM_MESSAGE_MAX octets. */
void ay_vim_facts_write(struct ay_writer *w, const struct ay_managed_facts *f);
/* Views borrow from in. AY_E_INPUT; zeroed on failure. */
AY_MUST_USE enum ay_rc ay_vim_facts_parse(struct ay_bytes in, struct ay_managed_facts *out,
					  struct ay_err *e);

#endif
