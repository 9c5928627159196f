/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_SYS_SERVICE_H
#define AY_SYS_SERVICE_H

/* How a long-running program lives with its service manager: signals and notices. */
#include "core/base/defs.h"

/* SIGPIPE ignored (OpenSSL writes with write(2)), core dumps off (keys are in memory). */
void ay_service_init(void);
/* sd_notify READY=1, STOPPING=1, STATUS=...; nothing without a manager. */
void ay_service_ready(void);
void ay_service_stopping(void);
void ay_service_status(const char *text);

#endif
