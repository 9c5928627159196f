/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_COURIER_LDAP_IMPL_H
#define AY_ASSAYD_COURIER_LDAP_IMPL_H

/*
 * Of courier's logins at a directory alone. courier_ldap.c takes them from
 * engine, finds addresses, keeps deadlines and answers, on the process's loop;
 * courier_ldap_ask.c asks by libldap, which waits, in one of a few threads.
 */
#include "io/ipc/directory_msg.h"
#include "prog/assayd/courier_http_impl.h"
#include "prog/assayd/ldap_settings.h"

#include <pthread.h>
#include <sys/socket.h>

enum { AY_LDAP_THREADS = 4, AY_LDAP_ADDRESSES = 4 };

struct ay_courier_ldap;

/* One login on its way. */
struct ay_ldap_job {
	struct ay_ldap_job *next;	    /* of all, the loop's */
	struct ay_ldap_job *next_in_thread; /* of those to do or done; under the lock */
	struct ay_courier_ldap *c;	    /* NULL: it is gone, the resolver was not */
	uint32_t req;
	char name[AY_MAX_NAME_BYTES + 1];
	uint8_t password[AY_MAX_PASSWORD_BYTES];
	size_t password_n;
	int64_t until_ms; /* ay_clock_mono_ms() */
	struct event *deadline;
	struct evdns_getaddrinfo_request *dns;
	bool is_asking, is_resolved, is_dead;
	int dns_fault;
	struct evutil_addrinfo *found;
	struct sockaddr_storage address[AY_LDAP_ADDRESSES];
	socklen_t address_n[AY_LDAP_ADDRESSES];
	size_t n_addresses;
	/* under the lock */
	bool given_up; /* nobody waits for it */
	int fd;	       /* open to the directory, while a thread waits for it; else -1 */
	/* what came of it: the thread's, then the loop's */
	const char *code; /* why there is no answer; NULL: there is one */
	char text[256];
	bool right;
	struct ay_directory_person person;
	bool in_group[AY_GROUP_ROWS]; /* rows of the map */
};

struct ay_courier_ldap {
	struct ay_loop *loop;
	struct ay_ipc *engine;
	struct ay_courier_http *http; /* resolver, and which addresses may be called */
	struct ay_ldap_settings settings;
	char password[AY_MAX_PASSWORD_BYTES + 1]; /* of settings.bind_dn */
	struct ay_ldap_job *jobs;
	size_t n_jobs;
	struct event *finished_event;
	int finished_fd;
	pthread_t thread[AY_LDAP_THREADS];
	size_t n_threads;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct ay_ldap_job *todo, *finished;
	bool closing;
};

/*
 * The thread has this descriptor now, which is shut down when the job is given
 * up. False: it was already.
 */
AY_MUST_USE bool ay_ldap_job_holds(struct ay_ldap_job *j, int fd);
/* Before it closes it. */
void ay_ldap_job_lets_go(struct ay_ldap_job *j);

/* In a thread: asks the directory and fills what came of it. Ends at until_ms at the latest. */
void ay_ldap_ask(const struct ay_courier_ldap *c, struct ay_ldap_job *j);
/* Once, before the sandbox: libldap's settings and roots. */
AY_MUST_USE enum ay_rc ay_ldap_library_init(const struct ay_ldap_settings *s, struct ay_err *e);

#endif
