/* SPDX-License-Identifier: Apache-2.0 */
#include <grp.h>
#include <seccomp.h>
#include <stdio.h>
#include <unistd.h>

#include "io/sys/log.h"
#include "io/sys/sandbox.h"
#include "prog/assay-agent/agent.h"

/* What the tpm process may still do: see tpm.c for what it is for. */
static const int calls[] = {
	AY_SANDBOX_LOOP_CALLS,
	/* logs, state folder, device */
	SCMP_SYS(openat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(fstat),
	SCMP_SYS(stat),
	SCMP_SYS(lseek),
	SCMP_SYS(pread64),
	SCMP_SYS(getdents64),
	SCMP_SYS(readlink),
	SCMP_SYS(getcwd),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(link),
	SCMP_SYS(linkat),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fchmod),
	SCMP_SYS(umask),
	SCMP_SYS(fcntl),
	SCMP_SYS(ioctl),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(nanosleep),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(uname),
	/* the sockets of a software TPM */
	SCMP_SYS(socket),
	SCMP_SYS(connect),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(getsockname),
	SCMP_SYS(getpeername),
	SCMP_SYS(bind),
	SCMP_SYS(shutdown),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendmmsg),
	SCMP_SYS(recvmsg),
};

/* The folder of a path, since logs may come and go. */
static void folder_of(const char *path, char out[AY_AGENT_PATH])
{
	const char *slash = strrchr(path, '/');

	int n = slash == path ? 1 : slash != NULL ? (int)(slash - path) : 0;

	(void)snprintf(out, AY_AGENT_PATH, "%.*s", n, path);
}

/* Without its capabilities root is nobody special: the device belongs to group tss. */
static void join_tss(void)
{
	const struct group *g = geteuid() == 0 ? getgrnam("tss") : NULL;

	if (g != NULL && setgroups(1, &g->gr_gid) != 0)
		ay_log(AY_LOG_WARN, "cannot join group tss, going on without");
}

enum ay_rc ay_agent_tpm_sandbox(const struct ay_agent *a, struct ay_err *e)
{
	const struct ay_config *c = a->conf;
	const char *tcti = strncmp(a->tcti, "tpm12:", 6) == 0 ? a->tcti + 6 : a->tcti;
	bool device = strncmp(tcti, "device:", 7) == 0;
	static char log[AY_AGENT_PATH], ima[AY_AGENT_PATH], boot[AY_AGENT_PATH];
	static char launch[AY_AGENT_PATH];
	const struct ay_sandbox_path paths[] = {
		{ ay_config_str(c, "state_dir"), true },
		{ device ? tcti + 7 : "/dev/tpmrm0", true },
		{ log, false },
		{ ima, false },
		{ boot, false },
		{ launch, false },
		{ ay_config_str(c, "slaunch"), false },
		{ "/etc/hosts", false },
		{ "/etc/resolv.conf", false },
		{ "/etc/nsswitch.conf", false },
		{ "/etc/host.conf", false },
		{ "/etc/gai.conf", false },
		{ "/etc/localtime", false },
	};
	/* Root keeps its user: the device and securityfs are root's. */
	const struct ay_sandbox s = { .name = "tpm",
				      .calls = calls,
				      .n_calls = AY_COUNT(calls),
				      .paths = paths,
				      .n_paths = AY_COUNT(paths) };

	join_tss();
	folder_of(ay_config_str(c, "eventlog"), log);
	folder_of(ay_config_str(c, "ima"), ima);
	folder_of(ay_config_str(c, "boot_id"), boot);
	folder_of(ay_config_str(c, "txt_log"), launch);
	return ay_sandbox_enter(&s, e);
}
