/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent: listens, makes the pairs, starts the children, supervises. It
 * reads nothing from the network. The children share pairs, so when one ends
 * unasked all are started anew; addresses stay, since the parent listens.
 */
#include "prog/assayd/processes.h"

#include "io/ipc/tables.h"
#include "io/net/socket.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "io/sys/listeners.h"
#include "io/sys/log.h"
#include "io/sys/service.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* In the order of a clean end: who gives work first. */
enum child_id { FRONT, ENGINE, SIGNER, KEEPER, COURIER, CA, N_CHILDREN };

enum {
	STOP_MS = 8000, /* for all children together */
	BACKOFF_MIN_MS = 100,
	BACKOFF_MAX_MS = 10000,
	STEADY_MS = 60000, /* up so long: the next end is a new story */
};

struct parent;

struct child {
	struct parent *p;
	const char *name;
	pid_t pid; /* 0: not running */
	bool is_ready;
	struct ay_ipc *pair;
};

struct parent {
	const struct ay_config *config;
	struct ay_loop *loop;
	struct child child[N_CHILDREN];
	struct event *sigchld, *sigterm, *sigint, *sighup, *kill_timer, *start_timer;
	int agents_fd, api_fd, lock_fd;
	char agents_at[80], api_at[80];
	int compat_fd[AY_LISTENERS]; /* [compat]; -1: none */
	char compat_at[AY_LISTENERS][80];
	int64_t started_ms;
	int backoff_ms;
	bool is_stopping, was_ready, is_going_down;
	bool is_reloading; /* they end so as to start with new keys */
	int status;
};

static const char *const names[N_CHILDREN] = { "front",	 "engine",  "signer",
					       "keeper", "courier", "assay-ca" };

/* Descriptors of one generation: both ends of every pair. */
struct ends {
	int parent[N_CHILDREN][2];	/* 0: ours */
	int front[2], signer[2], ca[2]; /* 0: side A */
	int keeper[2], courier[2];
};

/* ---- children ---- */

/* Closes all but standard ones and keep[n]. */
static void keep_only(const int *keep, size_t n)
{
	unsigned from = 3;

	while (from < UINT_MAX) {
		unsigned next = UINT_MAX;

		for (size_t i = 0; i < n; i++)
			if (keep[i] >= 0 && (unsigned)keep[i] >= from && (unsigned)keep[i] < next)
				next = (unsigned)keep[i];
		if (next > from)
			(void)close_range(from, next == UINT_MAX ? UINT_MAX : next - 1, 0);
		from = next == UINT_MAX ? UINT_MAX : next + 1;
	}
}

static int run_front(const struct parent *p, const struct ends *d)
{
	struct ay_front_args a = { .config = p->config,
				   .parent_fd = d->parent[FRONT][1],
				   .engine_fd = d->front[0],
				   .agents_fd = p->agents_fd,
				   .api_fd = p->api_fd,
				   .agents_at = p->agents_at,
				   .api_at = p->api_at };
	int keep[4 + AY_LISTENERS] = { a.parent_fd, a.engine_fd, a.agents_fd, a.api_fd };

	memcpy(a.compat_fd, p->compat_fd, sizeof(a.compat_fd));
	memcpy(keep + 4, p->compat_fd, sizeof(p->compat_fd));
	keep_only(keep, AY_COUNT(keep));
	return ay_front_run(&a);
}

static int run_engine(const struct parent *p, const struct ends *d)
{
	const struct ay_engine_args a = { .config = p->config,
					  .parent_fd = d->parent[ENGINE][1],
					  .front_fd = d->front[1],
					  .signer_fd = d->signer[0],
					  .ca_fd = d->ca[0],
					  .keeper_fd = d->keeper[0],
					  .courier_fd = d->courier[0] };

	keep_only((const int[]){ a.parent_fd, a.front_fd, a.signer_fd, a.ca_fd, a.keeper_fd,
				 a.courier_fd },
		  6);
	return ay_engine_run(&a);
}

static int run_signer(const struct parent *p, const struct ends *d)
{
	const struct ay_signer_args a = { .config = p->config,
					  .parent_fd = d->parent[SIGNER][1],
					  .engine_fd = d->signer[1] };

	keep_only((const int[]){ a.parent_fd, a.engine_fd }, 2);
	return ay_signer_run(&a);
}

static bool has_own_ca(const struct parent *p)
{
	return ay_config_str(p->config, "ca")[0] == '\0';
}

static int run_ca(const struct parent *p, const struct ends *d)
{
	const struct ay_ca_args a = { .config = p->config,
				      .parent_fd = d->parent[CA][1],
				      .engine_fd = d->ca[1] };

	keep_only((const int[]){ a.parent_fd, a.engine_fd }, 2);
	return ay_ca_run(&a);
}

static int run_keeper(const struct parent *p, const struct ends *d)
{
	const struct ay_keeper_args a = { .config = p->config,
					  .parent_fd = d->parent[KEEPER][1],
					  .engine_fd = d->keeper[1] };

	keep_only((const int[]){ a.parent_fd, a.engine_fd }, 2);
	return ay_keeper_run(&a);
}

static int run_courier(const struct parent *p, const struct ends *d)
{
	const struct ay_courier_args a = { .config = p->config,
					   .parent_fd = d->parent[COURIER][1],
					   .engine_fd = d->courier[1],
					   .ca_fd = has_own_ca(p) ? -1 : d->ca[1] };

	keep_only((const int[]){ a.parent_fd, a.engine_fd, a.ca_fd }, 3);
	return ay_courier_run(&a);
}

static int (*const runs[N_CHILDREN])(const struct parent *p,
				     const struct ends *d) = { run_front,  run_engine,	run_signer,
							       run_keeper, run_courier, run_ca };

/* A stand-alone Privacy CA is reached through courier. */
static bool is_started(const struct parent *p, enum child_id id)
{
	return id != CA || has_own_ca(p);
}

/* Signals go to the parent, which tells its children; a terminal tells all of them. */
static void quiet_signals(void)
{
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);
}

static AY_NORETURN void be_child(const struct parent *p, const struct ends *d, enum child_id id)
{
	pid_t parent = getppid();

	quiet_signals();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_NAME, names[id]);
	if (getppid() != parent)
		_exit(1);
	ay_log_init("assayd", names[id], ay_config_str(p->config, "log_level"),
		    ay_config_str(p->config, "log_format"));
	exit(runs[id](p, d));
}

static enum ay_rc make_ends(struct ends *d, struct ay_err *e)
{
	enum ay_rc rc = ay_ipc_pair(d->front, e);

	if (rc == AY_OK)
		rc = ay_ipc_pair(d->signer, e);
	if (rc == AY_OK)
		rc = ay_ipc_pair(d->ca, e);
	if (rc == AY_OK)
		rc = ay_ipc_pair(d->keeper, e);
	if (rc == AY_OK)
		rc = ay_ipc_pair(d->courier, e);
	for (int i = 0; rc == AY_OK && i < N_CHILDREN; i++)
		rc = ay_ipc_pair(d->parent[i], e);
	return rc;
}

static void close_ends_of_children(struct ends *d)
{
	for (int i = 0; i < 2; i++) {
		close(d->front[i]);
		close(d->signer[i]);
		close(d->ca[i]);
		close(d->keeper[i]);
		close(d->courier[i]);
	}
	for (int i = 0; i < N_CHILDREN; i++)
		close(d->parent[i][1]);
}

/* ---- what children say ---- */

static void write_endpoints(const struct parent *p)
{
	char text[1024], path[PATH_MAX];
	struct ay_err e = { 0 };
	int n = snprintf(text, sizeof(text), "{\"api\":\"%s\",\"agents\":\"%s\"", p->api_at,
			 p->agents_at);

	for (int l = AY_LISTENER_API + 1; l < AY_LISTENERS; l++)
		if (p->compat_fd[l] >= 0)
			n += snprintf(text + n, sizeof(text) - (size_t)n, ",\"%s\":\"%s\"",
				      ay_listener_name((enum ay_listener)l), p->compat_at[l]);
	n += snprintf(text + n, sizeof(text) - (size_t)n, "}\n");
	if (!ay_config_state_path(p->config, AY_FILE_ENDPOINTS, path, sizeof(path)) ||
	    ay_file_write(path, 0644, (struct ay_bytes){ (const uint8_t *)text, (size_t)n }, &e) !=
		    AY_OK)
		ay_log_err(AY_LOG_ERROR, "endpoints not written", &e);
}

static void on_ready(struct parent *p)
{
	for (int i = 0; i < N_CHILDREN; i++)
		if (!p->child[i].is_ready && is_started(p, (enum child_id)i))
			return;
	p->was_ready = true;
	write_endpoints(p);
	ay_service_ready();
	AY_LOG(AY_LOG_INFO, "ready", AY_LS("api", p->api_at), AY_LS("agents", p->agents_at));
}

static void from_child(void *arg, const struct ay_ipc_msg *m)
{
	struct child *c = arg;

	if (m->type == AY_MSG_CHILD_READY && !c->is_ready) {
		c->is_ready = true;
		on_ready(c->p);
	} else if (m->type == AY_MSG_CHILD_FAILED) {
		AY_LOG(AY_LOG_ERROR, "a process cannot start", AY_LS("name", c->name),
		       AY_LB("text", m->body));
	}
}

static void on_pair_gone(void *arg, const char *why)
{
	struct child *c = arg;

	(void)why; /* SIGCHLD tells the rest */
	ay_ipc_close(c->pair);
	c->pair = NULL;
}

static const struct ay_ipc_ops child_ops = { from_child, on_pair_gone };

/* ---- start ---- */

static void start_child(struct parent *p, struct ends *d, enum child_id id)
{
	struct child *c = &p->child[id];
	pid_t pid = fork();

	if (pid == 0)
		be_child(p, d, id);
	c->p = p;
	c->name = names[id];
	c->is_ready = false;
	c->pid = pid > 0 ? pid : 0;
	if (pid < 0)
		AY_LOG(AY_LOG_ERROR, "cannot fork", AY_LI("errno", errno));
}

static void begin_to_stop(struct parent *p, int status);

static void start_all(struct parent *p)
{
	struct ends d = { 0 };
	struct ay_err e = { 0 };
	enum ay_rc rc = make_ends(&d, &e);

	p->is_going_down = false;
	p->started_ms = ay_clock_mono_ms();
	for (int i = 0; rc == AY_OK && i < N_CHILDREN; i++)
		if (is_started(p, (enum child_id)i))
			start_child(p, &d, (enum child_id)i);
	close_ends_of_children(&d);
	for (int i = 0; rc == AY_OK && i < N_CHILDREN; i++)
		if (!is_started(p, (enum child_id)i))
			close(d.parent[i][0]);
		else
			rc = ay_ipc_open(p->loop, d.parent[i][0], ay_ipc_table_of(AY_PAIR_PARENT),
					 AY_IPC_A, &child_ops, &p->child[i], &p->child[i].pair, &e);
	if (rc == AY_OK)
		return;
	ay_log_err(AY_LOG_ERROR, "cannot start", &e);
	begin_to_stop(p, 1);
}

static void on_start_timer(evutil_socket_t fd, short what, void *arg)
{
	struct parent *p = arg;

	(void)fd, (void)what;
	if (!p->is_stopping)
		start_all(p);
}

/* ---- end ---- */

static void arm(struct event *timer, int ms)
{
	struct timeval t = { ms / 1000, (ms % 1000) * 1000 };

	event_add(timer, &t);
}

static bool is_any_alive(const struct parent *p)
{
	for (int i = 0; i < N_CHILDREN; i++)
		if (p->child[i].pid != 0)
			return true;
	return false;
}

/* The first one that still runs is told to end; its end tells the next. */
static void stop_next(struct parent *p)
{
	for (int i = 0; i < N_CHILDREN; i++) {
		struct child *c = &p->child[i];

		if (c->pid == 0)
			continue;
		if (c->pair != NULL)
			ay_ipc_send(c->pair, AY_MSG_CHILD_STOP, 0, 0, (struct ay_bytes){ NULL, 0 });
		return;
	}
}

static void begin_to_stop(struct parent *p, int status)
{
	if (p->is_stopping)
		return;
	p->is_stopping = true;
	p->status = status;
	ay_service_stopping();
	ay_log(AY_LOG_INFO, "stopping");
	if (!is_any_alive(p))
		ay_loop_stop(p->loop);
	arm(p->kill_timer, STOP_MS);
	stop_next(p);
}

static void on_term(evutil_socket_t sig, short what, void *arg)
{
	(void)sig, (void)what;
	begin_to_stop(arg, 0);
}

/* Keys were replaced: who is running ends what is under way and starts anew with them. */
static void on_hup(evutil_socket_t sig, short what, void *arg)
{
	struct parent *p = arg;

	(void)sig, (void)what;
	if (p->is_stopping || p->is_going_down || !is_any_alive(p))
		return; /* it starts anew anyway */
	ay_log(AY_LOG_INFO, "taking up new keys");
	p->is_reloading = p->is_going_down = true;
	arm(p->kill_timer, STOP_MS);
	stop_next(p);
}

static void on_kill_timer(evutil_socket_t fd, short what, void *arg)
{
	struct parent *p = arg;

	(void)fd, (void)what;
	for (int i = 0; i < N_CHILDREN; i++) {
		if (p->child[i].pid == 0)
			continue;
		AY_LOG(AY_LOG_WARN, "killing a process that does not end",
		       AY_LS("name", p->child[i].name));
		(void)kill(p->child[i].pid, SIGKILL);
	}
}

/* All are gone: start anew after a pause, or give up when it never served. */
static void restart_later(struct parent *p)
{
	event_del(p->kill_timer);
	if (p->is_reloading) {
		p->is_reloading = false;
		start_all(p);
		return;
	}
	if (!p->was_ready) {
		p->status = 1;
		ay_loop_stop(p->loop);
		return;
	}
	if (ay_clock_mono_ms() - p->started_ms > STEADY_MS)
		p->backoff_ms = BACKOFF_MIN_MS;
	AY_LOG(AY_LOG_WARN, "starting all processes anew", AY_LI("pause_ms", p->backoff_ms));
	arm(p->start_timer, p->backoff_ms);
	p->backoff_ms = p->backoff_ms * 2 < BACKOFF_MAX_MS ? p->backoff_ms * 2 : BACKOFF_MAX_MS;
}

static void note_end(struct parent *p, struct child *c, int status)
{
	c->pid = 0;
	ay_ipc_close(c->pair);
	c->pair = NULL;
	if (!p->is_stopping && !p->is_going_down) {
		AY_LOG(AY_LOG_ERROR, "a process ended", AY_LS("name", c->name),
		       AY_LI("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0),
		       AY_LI("status", WIFEXITED(status) ? WEXITSTATUS(status) : -1));
		p->is_going_down = true;
		arm(p->kill_timer, STOP_MS / 4);
	}
	stop_next(p);
	if (is_any_alive(p))
		return;
	if (p->is_stopping)
		ay_loop_stop(p->loop);
	else
		restart_later(p);
}

static void on_sigchld(evutil_socket_t sig, short what, void *arg)
{
	struct parent *p = arg;
	int status;
	pid_t pid;

	(void)sig, (void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int i = 0; i < N_CHILDREN; i++)
			if (p->child[i].pid == pid)
				note_end(p, &p->child[i], status);
}

/* ---- set up ---- */

/* One server per state folder. */
static enum ay_rc take_lock(struct parent *p, struct ay_err *e)
{
	char path[PATH_MAX];

	if (!ay_config_state_path(p->config, "lock", path, sizeof(path)))
		return ay_fail(e, AY_E_LIMIT, "lock", 0, "state_dir is too long");
	p->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (p->lock_fd < 0)
		return ay_fail(e, AY_E_UNAVAIL, "lock", 0, "%s: %s", path, strerror(errno));
	if (flock(p->lock_fd, LOCK_EX | LOCK_NB) != 0)
		return ay_fail(e, AY_E_EXISTS, "lock", 0, "%s: another assayd runs here", path);
	/* for `assayd keys rotate`, which tells us by a signal */
	if (ftruncate(p->lock_fd, 0) != 0 || dprintf(p->lock_fd, "%ld\n", (long)getpid()) < 0)
		return ay_fail(e, AY_E_UNAVAIL, "lock", 0, "%s: %s", path, strerror(errno));
	return AY_OK;
}

static void raise_limits(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return;
	r.rlim_cur = r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r);
}

static enum ay_rc open_events(struct parent *p, struct ay_err *e)
{
	struct event_base *base = ay_loop_base(p->loop);

	p->sigchld = evsignal_new(base, SIGCHLD, on_sigchld, p);
	p->sigterm = evsignal_new(base, SIGTERM, on_term, p);
	p->sigint = evsignal_new(base, SIGINT, on_term, p);
	p->kill_timer = evtimer_new(base, on_kill_timer, p);
	p->start_timer = evtimer_new(base, on_start_timer, p);
	p->sighup = evsignal_new(base, SIGHUP, on_hup, p);
	if (p->sighup == NULL || p->sigchld == NULL || p->sigterm == NULL || p->sigint == NULL ||
	    p->kill_timer == NULL || p->start_timer == NULL)
		return ay_fail(e, AY_E_NOMEM, "parent", 0, "no memory for events");
	event_add(p->sigchld, NULL);
	event_add(p->sigterm, NULL);
	event_add(p->sigint, NULL);
	event_add(p->sighup, NULL);
	return AY_OK;
}

/* Addresses of [compat]: off unless they are given. */
static enum ay_rc listen_compat(struct parent *p, struct ay_err *e)
{
	struct ay_listener_set s;
	enum ay_rc rc = AY_OK;

	for (int l = AY_LISTENER_API + 1; rc == AY_OK && l < AY_LISTENERS; l++) {
		rc = ay_listener_read(p->config, (enum ay_listener)l, &s, e);
		if (rc == AY_OK && s.listen[0] != '\0')
			rc = ay_net_listen(s.listen, &p->compat_fd[l], p->compat_at[l],
					   sizeof(p->compat_at[l]), e);
	}
	return rc;
}

static enum ay_rc set_up(struct parent *p, struct ay_err *e)
{
	enum ay_rc rc = take_lock(p, e);

	raise_limits();
	if (rc == AY_OK)
		rc = ay_net_listen(ay_config_str(p->config, "listen_agents"), &p->agents_fd,
				   p->agents_at, sizeof(p->agents_at), e);
	if (rc == AY_OK)
		rc = ay_net_listen(ay_config_str(p->config, "listen_api"), &p->api_fd, p->api_at,
				   sizeof(p->api_at), e);
	if (rc == AY_OK)
		rc = listen_compat(p, e);
	if (rc == AY_OK)
		rc = ay_loop_new(&p->loop, e);
	return rc == AY_OK ? open_events(p, e) : rc;
}

static void tear_down(struct parent *p)
{
	struct event *all[] = { p->sigchld, p->sigterm,	   p->sigint,
				p->sighup,  p->kill_timer, p->start_timer };

	for (size_t i = 0; i < AY_COUNT(all); i++)
		if (all[i] != NULL)
			event_free(all[i]);
	ay_loop_free(p->loop);
	ay_fd_close(&p->agents_fd);
	ay_fd_close(&p->api_fd);
	for (size_t i = 0; i < AY_LISTENERS; i++)
		ay_fd_close(&p->compat_fd[i]);
	ay_fd_close(&p->lock_fd);
}

int ay_parent_run(const struct ay_config *config)
{
	struct parent p = { .config = config,
			    .agents_fd = -1,
			    .api_fd = -1,
			    .lock_fd = -1,
			    .backoff_ms = BACKOFF_MIN_MS };
	struct ay_err e = { 0 };

	for (size_t i = 0; i < AY_LISTENERS; i++)
		p.compat_fd[i] = -1;
	if (set_up(&p, &e) != AY_OK) {
		ay_log_err(AY_LOG_ERROR, "cannot start", &e);
		p.status = 1;
	} else {
		start_all(&p);
		ay_loop_run(p.loop);
	}
	tear_down(&p);
	return p.status;
}
