/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_SYS_SANDBOX_H
#define AY_SYS_SANDBOX_H

/*
 * What a process gives up once it is set up: its user, its capabilities, the
 * file system (Landlock), all system calls but those it lists at the top of
 * its file (seccomp; anything else kills it).
 */
#include "core/base/bytes.h"
#include "core/base/err.h"

/* A folder or file the process still needs. */
struct ay_sandbox_path {
	const char *path; /* NULL entries and paths that do not exist are passed over */
	bool may_write;	  /* also make, rename, remove below it */
};

struct ay_sandbox {
	const char *name; /* for messages */
	const char *user; /* changed to when we are root and it exists; NULL: stay */
	const int *calls; /* SCMP_SYS() numbers; NULL: no filter */
	size_t n_calls;
	const struct ay_sandbox_path *paths; /* none: no file can be opened */
	size_t n_paths;
	bool inet_only;	  /* add socket(2), for TCP and UDP over IP alone */
	bool no_landlock; /* the process opens paths not known beforehand */
};

/*
 * Enter it; there is no way back. Must be called before further threads start,
 * or in each. A kernel without Landlock is a warning, a filter that cannot be
 * loaded is an error.
 */
AY_MUST_USE enum ay_rc ay_sandbox_enter(const struct ay_sandbox *s, struct ay_err *e);

/*
 * False in a build with AddressSanitizer, whose run-time makes calls of its
 * own: then no filter is loaded.
 */
bool ay_sandbox_filters(void);

/*
 * Give away everything that root can but keep the user: for children that
 * start as root. Called by ay_sandbox_enter().
 */
AY_MUST_USE enum ay_rc ay_privileges_drop(const char *user, struct ay_err *e);

/* Calls that every one of our event loops needs; each process adds its own. */
#define AY_SANDBOX_LOOP_CALLS                                                                      \
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(readv), SCMP_SYS(recvfrom),    \
		SCMP_SYS(sendto), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),                     \
		SCMP_SYS(epoll_pwait2), SCMP_SYS(epoll_ctl), SCMP_SYS(close), SCMP_SYS(futex),     \
		SCMP_SYS(brk), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap),                 \
		SCMP_SYS(madvise), SCMP_SYS(mprotect), SCMP_SYS(getrandom),                        \
		SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getpid), \
		SCMP_SYS(gettid), SCMP_SYS(tgkill), SCMP_SYS(rt_sigreturn),                        \
		SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(sched_yield),           \
		SCMP_SYS(timerfd_settime), SCMP_SYS(restart_syscall), SCMP_SYS(getrusage),         \
		SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rseq)

#endif
