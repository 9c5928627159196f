/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logins that engine wants tried at the directory of [ldap]. A directory that
 * is slow or dead holds threads of its own, and those no longer than the
 * deadline: its socket is shut down then, whatever libldap waits for.
 */
#include "prog/assayd/courier_ldap_impl.h"

#include "io/ipc/sign_msg.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "io/sys/log.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

/* A thread waits a little longer than the loop, which says that the time is over. */
enum { GRACE_MS = 1000 };

/* ---- the end of a login ---- */

static void job_free(struct ay_ldap_job *j)
{
	if (j->c != NULL) {
		struct ay_ldap_job **at = &j->c->jobs;

		while (*at != j)
			at = &(*at)->next;
		*at = j->next;
		j->c->n_jobs--;
	}
	if (j->found != NULL)
		evutil_freeaddrinfo(j->found);
	if (j->deadline != NULL)
		event_free(j->deadline);
	OPENSSL_cleanse(j, sizeof(*j));
	free(j);
}

static bool take_from(struct ay_ldap_job **list, const struct ay_ldap_job *j)
{
	while (*list != NULL && *list != j)
		list = &(*list)->next_in_thread;
	if (*list == NULL)
		return false;
	*list = j->next_in_thread;
	return true;
}

/* Nobody waits any more. What a thread or the resolver has ends by itself, soon. */
static void give_up(struct ay_ldap_job *j)
{
	struct ay_courier_ldap *c = j->c;
	bool waits;

	j->is_dead = true;
	event_del(j->deadline);
	if (j->dns != NULL) {
		evdns_getaddrinfo_cancel(j->dns);
		return;
	}
	pthread_mutex_lock(&c->lock);
	waits = take_from(&c->todo, j);
	j->given_up = true;
	if (j->fd >= 0)
		(void)shutdown(j->fd, SHUT_RDWR);
	pthread_mutex_unlock(&c->lock);
	if (waits || !j->is_resolved)
		job_free(j);
}

static void say_failed(struct ay_courier_ldap *c, uint32_t req, const char *code, const char *text)
{
	ay_refusal_send(c->engine, AY_MSG_OUTGOING_FAILED, req, code, text);
	AY_LOG(AY_LOG_WARN, "the directory cannot be asked", AY_LS("code", code),
	       AY_LS("why", text));
}

static void say_answer(const struct ay_ldap_job *j)
{
	struct ay_directory_answer a = { .right = j->right, .person = j->person };
	uint8_t room[32768];
	struct ay_writer w;
	struct ay_bytes body;

	if (!j->right)
		AY_LOG(AY_LOG_INFO, "the directory lets somebody not in", AY_LS("why", j->text));
	for (size_t i = 0; i < j->c->settings.map.n; i++)
		if (j->in_group[i])
			a.group[a.n_groups++] = ay_bytes_of(j->c->settings.map.row[i].group);
	ay_wr_init(&w, room, sizeof(room));
	ay_directory_answer_build(&w, &a);
	if (ay_wr_end(&w, "answer", &body, NULL) == AY_OK)
		ay_ipc_send(j->c->engine, AY_MSG_DIRECTORY_ANSWER, 0, j->req, body);
	else
		say_failed(j->c, j->req, "LDAP_SEARCH", "the answer does not fit");
}

static void fail(struct ay_ldap_job *j, const char *code, const char *text)
{
	say_failed(j->c, j->req, code, text);
	give_up(j);
}

static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	fail(arg, "LDAP_TIMEOUT", "no answer in time");
}

/* ---- threads ---- */

bool ay_ldap_job_holds(struct ay_ldap_job *j, int fd)
{
	struct ay_courier_ldap *c = j->c;
	bool wanted;

	pthread_mutex_lock(&c->lock);
	wanted = !j->given_up && !c->closing;
	j->fd = wanted ? fd : -1;
	pthread_mutex_unlock(&c->lock);
	return wanted;
}

void ay_ldap_job_lets_go(struct ay_ldap_job *j)
{
	pthread_mutex_lock(&j->c->lock);
	j->fd = -1;
	pthread_mutex_unlock(&j->c->lock);
}

static void append(struct ay_ldap_job **list, struct ay_ldap_job *j)
{
	while (*list != NULL)
		list = &(*list)->next_in_thread;
	j->next_in_thread = NULL;
	*list = j;
}

static void *work(void *arg)
{
	struct ay_courier_ldap *c = arg;
	uint64_t one = 1;
	struct ay_ldap_job *j;

	pthread_mutex_lock(&c->lock);
	while (!c->closing) {
		j = c->todo;
		if (j == NULL) {
			pthread_cond_wait(&c->more, &c->lock);
			continue;
		}
		c->todo = j->next_in_thread;
		pthread_mutex_unlock(&c->lock);
		ay_ldap_ask(c, j);
		OPENSSL_cleanse(j->password, sizeof(j->password));
		pthread_mutex_lock(&c->lock);
		append(&c->finished, j);
		if (write(c->finished_fd, &one, sizeof(one)) != sizeof(one))
			continue; /* it is full: it is readable */
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static void on_finished(evutil_socket_t fd, short what, void *arg)
{
	struct ay_courier_ldap *c = arg;
	struct ay_ldap_job *j;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0)
		count = 0; /* nothing to reset is fine */
	for (;;) {
		pthread_mutex_lock(&c->lock);
		j = c->finished;
		if (j != NULL)
			c->finished = j->next_in_thread;
		pthread_mutex_unlock(&c->lock);
		if (j == NULL)
			return;
		if (!j->is_dead && j->code != NULL)
			say_failed(c, j->req, j->code, j->text);
		else if (!j->is_dead)
			say_answer(j);
		job_free(j);
	}
}

/* ---- its addresses ---- */

static void take_addresses(struct ay_ldap_job *j, bool *refused)
{
	for (struct evutil_addrinfo *i = j->found; i != NULL && j->n_addresses < AY_LDAP_ADDRESSES;
	     i = i->ai_next) {
		if ((i->ai_family != AF_INET && i->ai_family != AF_INET6) ||
		    i->ai_addrlen > sizeof(j->address[0]))
			continue;
		if (!ay_courier_may_call(j->c->http, &j->c->settings.url, i->ai_addr)) {
			*refused = true;
			continue;
		}
		memcpy(&j->address[j->n_addresses], i->ai_addr, i->ai_addrlen);
		j->address_n[j->n_addresses++] = (socklen_t)i->ai_addrlen;
	}
}

static void go_on(struct ay_ldap_job *j)
{
	bool refused = false;

	if (j->is_dead) {
		job_free(j);
		return;
	}
	if (j->dns_fault == 0)
		take_addresses(j, &refused);
	if (j->n_addresses == 0) {
		j->is_resolved = false; /* no thread has it */
		fail(j, refused ? "LDAP_ADDRESS" : "LDAP_DNS",
		     refused		 ? "its address is one that is not called (outgoing_allow)"
		     : j->dns_fault != 0 ? evutil_gai_strerror(j->dns_fault)
					 : "its name has no address");
		return;
	}
	pthread_mutex_lock(&j->c->lock);
	append(&j->c->todo, j);
	pthread_cond_signal(&j->c->more);
	pthread_mutex_unlock(&j->c->lock);
}

static void on_resolved(int fault, struct evutil_addrinfo *found, void *arg)
{
	struct ay_ldap_job *j = arg;

	j->dns = NULL;
	j->dns_fault = fault;
	j->found = found;
	j->is_resolved = true;
	if (!j->is_asking) /* else resolve() goes on by itself */
		go_on(j);
}

static void resolve(struct ay_ldap_job *j)
{
	struct evutil_addrinfo hints = { .ai_family = AF_UNSPEC,
					 .ai_socktype = SOCK_STREAM,
					 .ai_protocol = IPPROTO_TCP };
	const struct ay_url *url = &j->c->settings.url;
	struct evdns_getaddrinfo_request *q = NULL;
	char port[8];

	snprintf(port, sizeof(port), "%u", url->port);
	j->is_asking = true;
	if (url->is_literal) {
		hints.ai_flags = EVUTIL_AI_NUMERICHOST;
		j->dns_fault = evutil_getaddrinfo(url->host, port, &hints, &j->found);
		j->is_resolved = true;
	} else if (j->c->http->dns == NULL) {
		j->dns_fault = EVUTIL_EAI_FAIL;
		j->is_resolved = true;
	} else {
		q = evdns_getaddrinfo(j->c->http->dns, url->host, port, &hints, on_resolved, j);
	}
	j->is_asking = false;
	if (j->is_resolved)
		go_on(j);
	else
		j->dns = q;
}

/* ---- what engine asks ---- */

static struct ay_ldap_job *job_new(struct ay_courier_ldap *c, uint32_t req,
				   const struct ay_directory_login *l)
{
	struct ay_ldap_job *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return NULL;
	j->c = c;
	j->req = req;
	j->fd = -1;
	memcpy(j->name, l->name.p, l->name.n);
	memcpy(j->password, l->password.p, l->password.n);
	j->password_n = l->password.n;
	j->until_ms = ay_clock_mono_ms() + l->deadline_ms + GRACE_MS;
	j->deadline = event_new(ay_loop_base(c->loop), -1, 0, on_deadline, j);
	j->next = c->jobs;
	c->jobs = j;
	c->n_jobs++;
	if (j->deadline == NULL) {
		job_free(j);
		return NULL;
	}
	return j;
}

static void begin(struct ay_courier_ldap *c, const struct ay_ipc_msg *m)
{
	struct ay_directory_login l;
	struct ay_ldap_job *j;
	struct ay_err e = { 0 };
	struct timeval t;

	if (ay_directory_login_parse(m->body, &l, &e) != AY_OK) {
		say_failed(c, m->req, "LDAP_INPUT", e.text);
		return;
	}
	j = c->n_jobs < AY_MAX_LDAP_OPEN ? job_new(c, m->req, &l) : NULL;
	if (j == NULL) {
		say_failed(c, m->req, "LDAP_BUSY", "too many logins are under way");
		return;
	}
	t = (struct timeval){ l.deadline_ms / 1000, (l.deadline_ms % 1000) * 1000 };
	event_add(j->deadline, &t);
	resolve(j);
}

void ay_courier_ldap_message(struct ay_courier_ldap *c, struct ay_ipc *engine,
			     const struct ay_ipc_msg *m)
{
	struct ay_courier_ldap nobody = { .engine = engine };

	if (m->type == AY_MSG_DIRECTORY_LOGIN && c == NULL)
		say_failed(&nobody, m->req, "LDAP_OFF", "no directory is configured");
	else if (m->type == AY_MSG_DIRECTORY_LOGIN)
		begin(c, m);
	else if (c != NULL)
		for (struct ay_ldap_job *j = c->jobs; j != NULL; j = j->next)
			if (j->req == m->req && !j->is_dead) {
				give_up(j);
				return;
			}
}

/* ---- set up ---- */

static enum ay_rc read_password(struct ay_courier_ldap *c, struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes b = { NULL, 0 };
	const char *path = c->settings.password_file;
	struct stat st;
	enum ay_rc rc;

	if (path[0] == '\0')
		return AY_OK;
	rc = ay_file_read(path, sizeof(c->password) - 1, &b, e);
	if (rc != AY_OK)
		return rc;
	if (stat(path, &st) != 0 || AY_CHECKED("LDAP_SECRET_MODE", (st.st_mode & 077) != 0))
		return ay_fail(e, AY_E_INPUT, "ldap.bind_password_file", 0,
			       "%.80s must be readable by its owner alone (0600)", path);
	while (b.n > 0 && (b.p[b.n - 1] == '\n' || b.p[b.n - 1] == '\r'))
		b.n--;
	if (b.n > 0)
		memcpy(c->password, b.p, b.n);
	return ay_directory_password_check((struct ay_bytes){ b.p, b.n }, e);
}

static enum ay_rc set_up(struct ay_courier_ldap *c, struct ay_err *e)
{
	enum ay_rc rc = read_password(c, e);

	if (rc == AY_OK)
		rc = ay_ldap_library_init(&c->settings, e);
	if (rc != AY_OK)
		return rc;
	c->finished_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	c->finished_event = event_new(ay_loop_base(c->loop), c->finished_fd, EV_READ | EV_PERSIST,
				      on_finished, c);
	if (c->finished_fd < 0 || c->finished_event == NULL ||
	    event_add(c->finished_event, NULL) != 0)
		return ay_fail(e, AY_E_UNAVAIL, "ldap", 0, "no eventfd");
	return AY_OK;
}

enum ay_rc ay_courier_ldap_new(struct ay_loop *loop, const struct ay_config *config,
			       struct ay_courier_http *http, struct ay_courier_ldap **out,
			       struct ay_err *e)
{
	struct ay_courier_ldap *c = calloc(1, sizeof(*c));
	enum ay_rc rc;

	*out = NULL;
	if (c == NULL)
		return ay_fail(e, AY_E_NOMEM, "ldap", 0, "out of memory");
	c->loop = loop;
	c->http = http;
	c->finished_fd = -1;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->more, NULL);
	rc = ay_ldap_settings_read(config, &c->settings, e);
	if (rc == AY_OK && c->settings.is_set)
		rc = set_up(c, e);
	if (rc == AY_OK && c->settings.is_set)
		*out = c;
	else
		ay_courier_ldap_free(c);
	return rc;
}

enum ay_rc ay_courier_ldap_start(struct ay_courier_ldap *c, struct ay_ipc *engine, struct ay_err *e)
{
	c->engine = engine;
	while (c->n_threads < AY_LDAP_THREADS) {
		if (pthread_create(&c->thread[c->n_threads], NULL, work, c) != 0)
			return ay_fail(e, AY_E_UNAVAIL, "ldap", 0, "no thread");
		c->n_threads++;
	}
	return AY_OK;
}

static void end_threads(struct ay_courier_ldap *c)
{
	pthread_mutex_lock(&c->lock);
	c->closing = true;
	for (struct ay_ldap_job *j = c->jobs; j != NULL; j = j->next)
		if (j->fd >= 0)
			(void)shutdown(j->fd, SHUT_RDWR);
	pthread_cond_broadcast(&c->more);
	pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < c->n_threads; i++)
		pthread_join(c->thread[i], NULL);
}

void ay_courier_ldap_free(struct ay_courier_ldap *c)
{
	if (c == NULL)
		return;
	end_threads(c);
	for (struct ay_ldap_job *j = c->jobs, *next; j != NULL; j = next) {
		next = j->next;
		j->is_dead = true;
		if (j->dns == NULL) {
			job_free(j);
			continue;
		}
		j->c = NULL; /* freed when the resolver ends */
		evdns_getaddrinfo_cancel(j->dns);
	}
	if (c->finished_event != NULL)
		event_free(c->finished_event);
	if (c->finished_fd >= 0)
		close(c->finished_fd);
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->more);
	OPENSSL_cleanse(c, sizeof(*c));
	free(c);
}
