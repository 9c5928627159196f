/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_PROCESSES_H
#define AY_ASSAYD_PROCESSES_H

/*
 * The processes of assayd. The parent makes the socket pairs, forks, and each
 * child calls its one function, which returns the exit status. A descriptor of
 * -1 means that there is no such peer.
 */
#include "io/ipc/front_msg.h"
#include "io/sys/config.h"

/* The parent listens, so that addresses stay when the children are started anew. */
struct ay_front_args {
	const struct ay_config *config;
	int parent_fd;			/* parent.def, side B */
	int engine_fd;			/* front.def, side A */
	int agents_fd, api_fd;		/* listening sockets */
	const char *agents_at, *api_at; /* ADDR:PORT of each */
	/* [compat], by enum ay_listener; 0 and -1: none. The API's place is not used. */
	int compat_fd[AY_LISTENERS];
};
int ay_front_run(const struct ay_front_args *a);

struct ay_engine_args {
	const struct ay_config *config;
	int parent_fd;	/* parent.def, side B */
	int front_fd;	/* front.def, side B */
	int signer_fd;	/* signer.def, side A */
	int ca_fd;	/* ca.def, side A; -1: there is none */
	int keeper_fd;	/* keeper.def, side A */
	int courier_fd; /* courier.def, side A */
};
int ay_engine_run(const struct ay_engine_args *a);

struct ay_signer_args {
	const struct ay_config *config;
	int parent_fd; /* parent.def, side B */
	int engine_fd; /* signer.def, side B */
};
int ay_signer_run(const struct ay_signer_args *a);

/* The embedded Privacy CA; lives in src/prog/assay-ca. */
struct ay_ca_args {
	const struct ay_config *config; /* of assayd: keys that both programs share */
	int parent_fd;			/* parent.def, side B */
	int engine_fd;			/* ca.def, side B */
};
int ay_ca_run(const struct ay_ca_args *a);

/*
 * Opens every connection that the server opens, but those to agents. With `ca`
 * configured it also takes the place of the embedded Privacy CA and carries the
 * same messages to a stand-alone one.
 */
struct ay_courier_args {
	const struct ay_config *config;
	int parent_fd; /* parent.def, side B */
	int engine_fd; /* courier.def, side B */
	int ca_fd;     /* ca.def, side B; -1: the Privacy CA is embedded */
};
int ay_courier_run(const struct ay_courier_args *a);

struct ay_keeper_args {
	const struct ay_config *config;
	int parent_fd; /* parent.def, side B */
	int engine_fd; /* keeper.def, side B */
};
int ay_keeper_run(const struct ay_keeper_args *a);

/*
 * A part of `assayd init`, before anything runs: the store, user admin,
 * STATE/admin.token (0600). AY_E_EXISTS: it was there already, which an
 * interrupted init may meet.
 */
AY_MUST_USE enum ay_rc ay_admin_init(const struct ay_config *config, struct ay_err *e);
/*
 * STATE/first-admin.link (0600): a link that serves once, for a while, to name
 * an administrator and set his password. A new one ends the one before.
 */
AY_MUST_USE enum ay_rc ay_admin_link(const struct ay_config *config, struct ay_err *e);
/* `assayd backup FILE`, `assayd restore FILE`: also while a server runs on the same state folder.
 */
AY_MUST_USE enum ay_rc ay_admin_backup(const struct ay_config *config, const char *file,
				       struct ay_err *e);
AY_MUST_USE enum ay_rc ay_admin_restore(const struct ay_config *config, const char *file,
					struct ay_err *e);

/* init.c: all of it. AY_E_EXISTS: this state folder has been initialised. */
AY_MUST_USE enum ay_rc ay_server_init(const struct ay_config *config, struct ay_err *e);
/* parent.c: serve until SIGTERM; the exit status. */
int ay_parent_run(const struct ay_config *config);

/* Files in STATE (state_dir). Keys are PEM, 0600. */
#define AY_FILE_ROOT_CERT "root.pem"
#define AY_FILE_ROOT_KEY "root.key"
#define AY_FILE_API_CERT "api.pem" /* certificate, then chain without the root */
#define AY_FILE_API_KEY "api.key"
#define AY_FILE_CHANNEL_CERT "channel.pem"
#define AY_FILE_CHANNEL_KEY "channel.key"
#define AY_FILE_ASSERTION_CERT "assertion.pem"
#define AY_FILE_ASSERTION_KEY "assertion.key"
#define AY_FILE_ASSERTION_RSA_CERT "assertion-rsa.pem" /* for consumers that know only RSA */
#define AY_FILE_ASSERTION_RSA_KEY "assertion-rsa.key"
#define AY_FILE_COURIER_CERT "courier.pem" /* TLS client of a stand-alone Privacy CA */
#define AY_FILE_COURIER_KEY "courier.key"
#define AY_FILE_TICKET_KEY "ticket.key"
#define AY_FILE_TICKET_PUB "ticket.pub" /* SubjectPublicKeyInfo, PEM: for assay-ca */
#define AY_FILE_ORDER_KEY "order.key"
#define AY_FILE_ORDER_PUB "order.pub"
#define AY_FILE_HEAD_KEY "audit-head.key"
#define AY_FILE_HEAD_PUB "audit-head.pub"
#define AY_FILE_KEEPER_KEYS "keeper.keys" /* 0600; made by keeper at its first start */
#define AY_FILE_ADMIN_TOKEN "admin.token"
#define AY_FILE_FIRST_ADMIN "first-admin.link"
#define AY_FILE_DATABASE "assay.db"
#define AY_FILE_ENDPOINTS "endpoints.json"
#define AY_DIR_CA "ca"

#endif
