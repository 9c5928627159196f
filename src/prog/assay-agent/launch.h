/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_PROG_AGENT_LAUNCH_H
#define AY_PROG_AGENT_LAUNCH_H

/*
 * What a measured launch left on this host: the event log and registers that
 * Linux Secure Launch shows in securityfs, or a file that the operator names
 * (`txt_log`: a log, or a dump of the TXT heap). Never judged here.
 */
#include "io/sys/config.h"
#include "io/tpmdev/tpmdev.h"
#include "prog/assay-agent/measure.h"

/* Room for what NV holds of a launch. */
#define AY_LAUNCH_NV_MAX 4096

/*
 * Does this host look for a launch at all? Then NV is worth reading: LCP owner
 * and tboot policies, as part NV of the bundle; n == 0: none is there. The
 * device is open.
 */
bool ay_launch_is_looked_for(const struct ay_config *conf);
void ay_launch_read_nv(const struct ay_tpmdev_ops *ops, struct ay_tpmdev *dev, struct ay_arena *a,
		       uint8_t buf[AY_LAUNCH_NV_MAX], struct ay_bytes *out);

/*
 * The boot log as ay_measure_boot_log() gives it; where a launch left
 * something, a bundle of both (core/evlog/bundle.h) in its place.
 *
 * nv: of ay_launch_read_nv()
 * known: SHA-256 of what the server has (zero: none)
 */
void ay_measure_logs(const struct ay_config *conf, struct ay_bytes nv, const uint8_t known[32],
		     struct ay_measured *out);

#endif
