/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/engine_impl.h"
#include "prog/assayd/ownnames.h"
#include "prog/assayd/processes.h"
#include "prog/assayd/signers.h"

#include "io/sys/sandbox.h"

#include <seccomp.h>
#include <stdlib.h>
#include <unistd.h>

/* Beside the loop: the database (files, locks, sync), threads, the machine's name for tokens. */
static const int calls[] = {
	AY_SANDBOX_LOOP_CALLS,
	SCMP_SYS(openat),
	SCMP_SYS(open),
	SCMP_SYS(creat),
	SCMP_SYS(stat),
	SCMP_SYS(fstat),
	SCMP_SYS(lstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(lseek),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(fsync),
	SCMP_SYS(fdatasync),
	SCMP_SYS(ftruncate),
	SCMP_SYS(fallocate),
	SCMP_SYS(fcntl),
	SCMP_SYS(unlink),
	SCMP_SYS(unlinkat),
	SCMP_SYS(rename),
	SCMP_SYS(renameat),
	SCMP_SYS(renameat2),
	SCMP_SYS(access),
	SCMP_SYS(faccessat),
	SCMP_SYS(faccessat2),
	SCMP_SYS(fchmod),
	SCMP_SYS(fchown),
	SCMP_SYS(mkdir),
	SCMP_SYS(mkdirat),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(getcwd),
	SCMP_SYS(geteuid),
	SCMP_SYS(getuid),
	SCMP_SYS(getgid),
	SCMP_SYS(getegid),
	SCMP_SYS(flock),
	SCMP_SYS(getdents64),
	SCMP_SYS(eventfd2),
	SCMP_SYS(clone),
	SCMP_SYS(clone3),
	SCMP_SYS(set_robust_list),
	SCMP_SYS(sched_getaffinity),
	SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep),
	SCMP_SYS(uname),
	SCMP_SYS(epoll_create1),
	SCMP_SYS(pipe2),
	SCMP_SYS(utimensat),
	SCMP_SYS(prctl),
	SCMP_SYS(sysinfo),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	SCMP_SYS(shutdown),
	SCMP_SYS(sched_setaffinity),
	SCMP_SYS(fstatfs),
	SCMP_SYS(statfs),
	SCMP_SYS(link),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg),
	SCMP_SYS(dup),
	SCMP_SYS(ioctl),
	SCMP_SYS(timerfd_create),
	SCMP_SYS(membarrier),
	SCMP_SYS(set_tid_address),
	SCMP_SYS(umask),
	SCMP_SYS(chmod),
	SCMP_SYS(chown),
	SCMP_SYS(prlimit64),
};

static unsigned workers_of(const struct ay_config *c)
{
	int64_t n = ay_config_int(c, "workers");
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (n > 0)
		return (unsigned)n;
	return cpus > 2 ? (unsigned)cpus - 1 : 1;
}

static void read_settings(const struct ay_config *c, struct ay_engine_settings *s)
{
	s->lease_ms = ay_config_int(c, "lease");
	s->interval_ms = ay_config_int(c, "attest_interval");
	s->deadline_ms = ay_config_int(c, "challenge_deadline");
	s->hello_ms = ay_config_int(c, "hello_deadline");
	s->provision_ms = 60000; /* a TPM may need seconds to make a key, and the CA's challenge
				    lives so long */
	s->token_life_ms = ay_config_int(c, "token_life");
	s->max_conns = (uint32_t)ay_config_int(c, "max_connections");
	s->window = (uint32_t)ay_config_int(c, "attest_window");
	s->workers = workers_of(c);
	snprintf(s->servers, sizeof(s->servers), "%s", ay_config_str(c, "servers"));
}

static enum ay_rc enter_sandbox(const struct ay_config *c, struct ay_err *e)
{
	static const char *const files[] = { "oidc.client_secret_file", "oidc.ca",
					     "compat.oat1_cert",	"compat.oat2_cert",
					     "compat.mtwilson_cert",	"compat.secl_cert" };
	struct ay_sandbox_path paths[4 + AY_COUNT(files)] = {
		{ ay_config_str(c, "state_dir"), true },
		{ "/proc/self", false },
		{ "/etc/localtime", false },
		{ "/dev/urandom", false },
	};
	struct ay_sandbox s = { .name = "engine",
				.user = NULL,
				.calls = calls,
				.n_calls = AY_COUNT(calls),
				.paths = paths,
				.n_paths = 4 };

	for (size_t i = 0; i < AY_COUNT(files); i++)
		if (ay_config_str(c, files[i])[0] != '\0')
			paths[s.n_paths++] =
				(struct ay_sandbox_path){ ay_config_str(c, files[i]), false };
	return ay_sandbox_enter(&s, e);
}

static enum ay_rc open_store(const struct ay_config *c, struct ay_store **out, struct ay_err *e)
{
	char path[4096];
	struct ay_store_config cfg = { .path = path };

	if (!ay_config_state_path(c, AY_FILE_DATABASE, path, sizeof(path)))
		return ay_fail(e, AY_E_LIMIT, "state_dir", 0, "path is too long");
	cfg.pause_min_ms = (uint32_t)ay_config_int(c, "commit_interval");
	return ay_store_open(&ay_store_sqlite, &cfg, out, e);
}

static enum ay_rc start(const struct ay_engine_args *a, struct ay_engine_parts *p,
			struct ay_signers *signers, struct ay_own_names *own, struct ay_engine **g,
			struct ay_err *e)
{
	enum ay_rc rc;

	read_settings(a->config, &p->set);
	rc = ay_signers_load(a->config, signers, e);
	p->signers = signers;
	if (rc == AY_OK)
		rc = ay_own_names_load(a->config, own, e);
	p->own = own;
	if (rc == AY_OK)
		rc = enter_sandbox(a->config, e);
	if (rc == AY_OK)
		rc = open_store(a->config, &p->store, e);
	if (rc == AY_OK)
		rc = ay_loop_new(&p->loop, e);
	if (rc == AY_OK)
		rc = ay_engine_new(p, g, e);
	if (rc == AY_OK)
		rc = ay_engine_open_api(*g, e);
	return rc;
}

int ay_engine_run(const struct ay_engine_args *a)
{
	struct ay_engine_parts p = { .config = a->config,
				     .parent_fd = a->parent_fd,
				     .front_fd = a->front_fd,
				     .signer_fd = a->signer_fd,
				     .ca_fd = a->ca_fd,
				     .keeper_fd = a->keeper_fd,
				     .courier_fd = a->courier_fd };
	struct ay_signers signers = { 0 };
	struct ay_own_names own = { 0 };
	struct ay_engine *g = NULL;
	struct ay_err e = { 0 };
	int status = 1;

	if (start(a, &p, &signers, &own, &g, &e) != AY_OK) {
		ay_log_err(AY_LOG_ERROR, "engine cannot start", &e);
	} else {
		ay_ipc_send(g->parent, AY_MSG_CHILD_READY, 0, 0, (struct ay_bytes){ 0 });
		ay_loop_run(p.loop);
		status = g->exit_status;
	}
	ay_engine_close_api(g);
	ay_engine_free(g);
	ay_signers_fini(&signers);
	ay_store_close(p.store);
	if (p.loop)
		ay_loop_free(p.loop);
	return status;
}
