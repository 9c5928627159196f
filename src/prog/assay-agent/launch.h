/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_AGENT_LAUNCH_H
#define AY_PROG_AGENT_LAUNCH_H

/*
 * What a measured launch left on this host: the event log and registers that
 * Linux Secure Launch shows in securityfs, or a file that the operator names
 * (`txt_log`: a log, or a dump of the TXT heap). Never judged here.
 */
#include "io/sys/config.h"
#include "prog/assay-agent/measure.h"

/*
 * The boot log as ay_measure_boot_log() gives it; where a launch left
 * something, a bundle of both (core/evlog/bundle.h) in its place.
 *
 * known: SHA-256 of what the server has (zero: none)
 */
void ay_measure_logs(const struct ay_config *conf, const uint8_t known[32],
		     struct ay_measured *out);

#endif
