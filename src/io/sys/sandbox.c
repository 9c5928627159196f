/* SPDX-License-Identifier: Apache-2.0 */
#include "io/sys/sandbox.h"

#include "io/sys/file.h"
#include "io/sys/log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#ifdef __has_feature /* clang's way to say it; gcc 12 has the macro alone */
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define MAY_FILTER false
#else
#define MAY_FILTER true
#endif

#define ALL_FS ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)
#define READ_FILE LANDLOCK_ACCESS_FS_READ_FILE
#define READ_FS (READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE_FS (ALL_FS & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE)
#define FILE_ONLY (READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE)

static enum ay_rc change_user(const struct passwd *pw, struct ay_err *e)
{
	if (setgroups(0, NULL) != 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) != 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) != 0)
		return ay_fail(e, AY_E_UNAVAIL, "sandbox.user", 0, "cannot become %s: %s",
			       pw->pw_name, strerror(errno));
	return AY_OK;
}

static enum ay_rc drop_capabilities(struct ay_err *e)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { 0 };

	for (unsigned long cap = 0; cap <= CAP_LAST_CAP; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0,
			    0); /* refused without CAP_SETPCAP: none then */
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &head, none) != 0)
		return ay_fail(e, AY_E_UNAVAIL, "sandbox.capabilities", 0, "capset: %s",
			       strerror(errno));
	return AY_OK;
}

enum ay_rc ay_privileges_drop(const char *user, struct ay_err *e)
{
	const struct passwd *pw = geteuid() == 0 && user != NULL ? getpwnam(user) : NULL;
	enum ay_rc rc = pw != NULL ? change_user(pw, e) : AY_OK;

	if (rc == AY_OK)
		rc = drop_capabilities(e);
	if (rc == AY_OK && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		rc = ay_fail(e, AY_E_UNAVAIL, "sandbox", 0, "no_new_privs: %s", strerror(errno));
	return rc;
}

static enum ay_rc allow_path(int rules, const struct ay_sandbox_path *p, struct ay_err *e)
{
	struct landlock_path_beneath_attr rule = { 0 };
	struct stat st;
	AY_CLEANUP(ay_fd_close) int fd = -1;

	if (p->path == NULL)
		return AY_OK;
	fd = open(p->path, O_PATH | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return AY_OK; /* what is not there cannot be used */
	rule.parent_fd = fd;
	rule.allowed_access = p->may_write ? WRITE_FS : READ_FS;
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= FILE_ONLY;
	if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
		return ay_fail(e, AY_E_UNAVAIL, "sandbox.landlock", 0, "%s: %s", p->path,
			       strerror(errno));
	return AY_OK;
}

static enum ay_rc limit_files(const struct ay_sandbox *s, struct ay_err *e)
{
	struct landlock_ruleset_attr all = { .handled_access_fs = ALL_FS };
	AY_CLEANUP(ay_fd_close)
	int rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);

	if (rules < 0) {
		AY_LOG(AY_LOG_WARN, "no Landlock in this kernel: going on with seccomp alone",
		       AY_LS("sandbox", s->name));
		return AY_OK;
	}
	for (size_t i = 0; i < s->n_paths; i++) {
		enum ay_rc rc = allow_path(rules, &s->paths[i], e);

		if (rc != AY_OK)
			return rc;
	}
	if (syscall(SYS_landlock_restrict_self, rules, 0) != 0)
		return ay_fail(e, AY_E_UNAVAIL, "sandbox.landlock", 0, "restrict: %s",
			       strerror(errno));
	return AY_OK;
}

/*
 * Memory that is written is never executed: W^X holds for what comes after the
 * start. Threads may be made, processes not: the flags of clone3 cannot be seen
 * here, so that libc falls back to clone.
 */
static int add_rule(scmp_filter_ctx f, int call)
{
	if (call == SCMP_SYS(clone3))
		return seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), call, 0);
	if (call == SCMP_SYS(clone))
		return seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1,
					SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	if (call == SCMP_SYS(mmap) || call == SCMP_SYS(mprotect))
		return seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1,
					SCMP_A2(SCMP_CMP_MASKED_EQ, 4 /* PROT_EXEC */, 0));
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 0);
}

static int add_inet_socket(scmp_filter_ctx f, uint64_t family, uint64_t type)
{
	const struct scmp_arg_cmp is_family = { 0, SCMP_CMP_EQ, family, 0 };
	const struct scmp_arg_cmp is_type = { 1, SCMP_CMP_MASKED_EQ, 0xf, type };

	return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2, is_family, is_type);
}

static int add_inet_sockets(scmp_filter_ctx f)
{
	static const uint64_t families[] = { AF_INET, AF_INET6 },
			      types[] = { SOCK_STREAM, SOCK_DGRAM };
	int bad = 0;

	for (size_t i = 0; i < 2; i++)
		for (size_t k = 0; bad == 0 && k < 2; k++)
			bad = add_inet_socket(f, families[i], types[k]);
	return bad;
}

static enum ay_rc limit_calls(const struct ay_sandbox *s, struct ay_err *e)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int bad = f == NULL;

	if (f != NULL)
		(void)seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a binary tree */
	for (size_t i = 0; bad == 0 && i < s->n_calls; i++)
		bad = add_rule(f, s->calls[i]);
	if (bad == 0 && s->inet_only)
		bad = add_inet_sockets(f);
	if (bad == 0)
		bad = seccomp_load(f);
	seccomp_release(f);
	if (bad != 0)
		return ay_fail(e, AY_E_UNAVAIL, "sandbox.seccomp", 0, "%s: filter: %d", s->name,
			       bad);
	return AY_OK;
}

bool ay_sandbox_filters(void)
{
	return MAY_FILTER;
}

enum ay_rc ay_sandbox_enter(const struct ay_sandbox *s, struct ay_err *e)
{
	enum ay_rc rc;

	tzset(); /* X.509 validity asks for local time, which opens a file at first use */
	rc = ay_privileges_drop(s->user, e);
	if (rc == AY_OK && !s->no_landlock)
		rc = limit_files(s, e);
	if (rc == AY_OK && s->calls != NULL && MAY_FILTER)
		rc = limit_calls(s, e);
	return rc;
}
