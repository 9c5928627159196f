/* SPDX-License-Identifier: Apache-2.0 */
#include "io/sys/service.h"

#include "io/sys/sandbox.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

void ay_service_init(void)
{
	struct rlimit none = { 0, 0 };

	(void)signal(SIGPIPE, SIG_IGN);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, !ay_sandbox_filters(), 0, 0, 0); /* the leak checker traces */
}

void ay_service_ready(void)
{
	(void)sd_notify(0, "READY=1");
}

void ay_service_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}

void ay_service_status(const char *text)
{
	(void)sd_notifyf(0, "STATUS=%s", text);
}
