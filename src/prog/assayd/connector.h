/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_CONNECTOR_H
#define AY_ASSAYD_CONNECTOR_H

/*
 * Hosts without an agent, reached through a manager that speaks for them
 * (docs/connectors.md). A connector asks the manager, by courier, and hands
 * back octets; a worker judges them (managed_judge.h); settling, leases, history
 * and events are those of every host.
 *
 *	ay_connectors[]   which there are: one const struct each
 *	managed.c         when a host is asked, its nonce and deadline, who it is
 *	managers.c        managers with their TLS policy and wrapped password
 *	connector_*.c     how a manager is talked to
 *	judge_*.c         what its words are worth
 *
 * Everything here runs in engine's main thread and never waits. A manager that
 * is silent costs its own hosts their deadlines, and nobody else anything.
 */
#include "core/base/connstr.h"
#include "prog/assayd/engine_impl.h"
#include "prog/assayd/managers.h"
#include "prog/assayd/outgoing.h"

/* One host being asked about. It ends by exactly one of the three calls below. */
struct ay_gather {
	struct ay_gather *next; /* of its manager, while it waits for its turn */
	struct ay_engine *g;
	struct ay_host *host;
	struct ay_manager *manager;
	char at[256];	      /* h= of the connection string; "": none */
	bool is_bound;	      /* false: who is it? ay_gather_met() binds it */
	struct ay_uuid bound; /* the manager's id of the host, once it is bound */
	uint8_t nonce[32];    /* single use; for connectors whose hosts sign */
	int64_t until;	      /* mono: whoever has no answer by then has none */
	bool runs;
	uint32_t outgoing; /* ay_outgoing_send() under way; 0: none */
	void *own;	   /* connector's; freed by its drop() */
};

/* Who a manager says that a host is, and what an enrolment proved of it. */
struct ay_managed_who {
	struct ay_uuid id; /* the manager's own; never changes for a host */
	/* with an attestation key that the host's TPM proved; empty: it has none */
	struct ay_bytes ak_name, ak_public, qualified_name, cert, cert_serial;
	int64_t cert_until_ms;
	struct ay_bytes tls_spki; /* SHA-256 of the host's own TLS key, if it is pinned too */
	const char *tpm;	  /* JSON object as in ay_host_row; NULL: {} */
};

/*
 * The connector knows whose words these are. True: go on, it is bound. False:
 * it was bound now, or refused; the gather has ended and must not be touched.
 */
AY_MUST_USE bool ay_gather_met(struct ay_gather *q, const struct ay_managed_who *who);
/* Evidence in the connector's own form (ay_managed_head_write() begins it); copied. */
void ay_gather_done(struct ay_gather *q, struct ay_bytes raw);
/* No answer: the host is missed. Codes OUTGOING_*, KEPT_*, MANAGER_*. */
void ay_gather_failed(struct ay_gather *q, const struct ay_err *e);
/* Time that is left for it, 1 to AY_MAX_OUTGOING_MS. */
uint32_t ay_gather_left_ms(const struct ay_gather *q);

/* Hosts that a manager has, for import. fn once: array of {"name","at","id","cluster"}. */
struct ay_listing {
	struct ay_engine *g;
	struct ay_manager *manager;
	char cluster[256]; /* "": all */
	int64_t until;
	void (*fn)(void *arg, enum ay_rc rc, const struct ay_err *e, json_t *hosts);
	void *arg;
	uint32_t outgoing;
	void *own;
};
/* Ends it; hosts is borrowed. */
void ay_listing_done(struct ay_listing *l, enum ay_rc rc, const struct ay_err *e, json_t *hosts);

struct ay_connector {
	const char *name; /* "vmware" */
	const char *doc;
	enum ay_connstr_vendor vendor;
	/* Begin to ask about q->host. May end q before it returns. */
	void (*gather)(struct ay_gather *q);
	/* It ends, or nobody wants it any more: give up what is under way, free q->own. */
	void (*drop)(struct ay_gather *q);
	/* May be NULL: no import. */
	void (*list)(struct ay_listing *l);
	void (*list_drop)(struct ay_listing *l);
	/* Its password or TLS policy changed, or it goes: free m->session, which is set NULL. */
	void (*forget)(struct ay_manager *m);
};
/* Ends with NULL. */
extern const struct ay_connector *const ay_connectors[];
/* NULL: there is none for this vendor. */
const struct ay_connector *ay_connector_find(enum ay_connstr_vendor v);

#endif
