/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_JUDGE_VCENTER_H
#define AY_ASSAYD_JUDGE_VCENTER_H

/* What connector_vcenter.c hands to the worker that judges it. */
#include "prog/assayd/managed_judge.h"

/* facts: answer of ay_vim_host_ask(); report: of ay_vim_report_ask(). */
void ay_vcenter_raw_write(struct ay_writer *w, const struct ay_managed_head *h,
			  struct ay_bytes facts, struct ay_bytes report);

#endif
