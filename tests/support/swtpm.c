/* SPDX-License-Identifier: Apache-2.0 */
#include "support/swtpm.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int t_swtpm_sh(const struct t_swtpm *t, const char *fmt, ...)
{
	char line[2048], cmd[2400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	(void)snprintf(cmd, sizeof(cmd), "cd %s && export TPM2TOOLS_TCTI=%s && { %s; } >out 2>&1",
		       t->dir, t->tcti, line);
	return system(cmd);
}

static void power_on(struct t_swtpm *t)
{
	char state[96], server[128], ctrl[128];

	(void)snprintf(state, sizeof(state), "dir=%s", t->dir);
	(void)snprintf(server, sizeof(server), "type=unixio,path=%s/s", t->dir);
	(void)snprintf(ctrl, sizeof(ctrl), "type=unixio,path=%s/s.ctrl", t->dir);
	t->pid = fork();
	if (t->pid == 0) {
		if (freopen("/dev/null", "w", stderr) == NULL)
			_exit(126);
		execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--server",
		       server, "--ctrl", ctrl, "--flags", "not-need-init,startup-clear",
		       (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 200 && t_swtpm_sh(t, "test -S s && test -S s.ctrl") != 0; i++)
		usleep(20000);
}

static void power_off(struct t_swtpm *t)
{
	if (t->pid <= 0)
		return;
	kill(t->pid, SIGTERM);
	waitpid(t->pid, NULL, 0);
	t->pid = 0;
	(void)t_swtpm_sh(t, "rm -f s s.ctrl");
}

bool t_swtpm_start(struct t_swtpm *t)
{
	*t = (struct t_swtpm){ 0 };
	if (system("command -v swtpm >/dev/null && command -v tpm2 >/dev/null") != 0)
		return false;
	(void)setenv("TSS2_LOG", "all+NONE", 0);
	(void)strcpy(t->dir, "/tmp/ay-swtpm-XXXXXX");
	if (mkdtemp(t->dir) == NULL)
		return false;
	(void)snprintf(t->tcti, sizeof(t->tcti), "swtpm:path=%s/s", t->dir);
	power_on(t);
	return true;
}

void t_swtpm_reset(struct t_swtpm *t)
{
	power_off(t);
	power_on(t);
}

void t_swtpm_stop(struct t_swtpm *t)
{
	if (t->dir[0] == '\0')
		return;
	power_off(t);
	(void)t_swtpm_sh(t, "rm -rf \"$PWD\"");
}
