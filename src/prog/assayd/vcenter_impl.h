/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_VCENTER_IMPL_H
#define AY_ASSAYD_VCENTER_IMPL_H

/*
 * Of the vCenter connector alone: vcenter_session.c logs in and sends,
 * connector_vcenter.c says what is asked, vcenter_inventory.c keeps hosts.
 */
#include "core/vim/request.h"
#include "prog/assayd/connector.h"
#include "prog/assayd/vcenter_inventory.h"

#define AY_VCENTER_COOKIE_MAX 512

struct ay_vcenter_ask;

enum ay_vcenter_login { OUT = 0, GOING_IN, IN };

/* struct ay_manager.session. Freed by the last of those who use it. */
struct ay_vcenter_session {
	struct ay_engine *g;
	struct ay_manager *m; /* NULL: forgotten while something was under way */
	enum ay_vcenter_login state;
	struct ay_vim_content content;
	bool has_content;
	char cookie[AY_VCENTER_COOKIE_MAX];
	struct ay_inventory known;
	struct ay_vcenter_ask *waiting; /* for the login */
	size_t n_asks;			/* that lean on it */
	bool unwraps;			/* keeper calls back once more */
	uint32_t outgoing;		/* of the login itself */
};

/* One question on its way: of a gather, or of a listing. */
struct ay_vcenter_ask {
	struct ay_vcenter_ask *next; /* while it waits for the login */
	struct ay_gather *q;
	struct ay_listing *l; /* one of the two */
	struct ay_vcenter_session *s;
	void (*then)(struct ay_vcenter_ask *a); /* after the login */
	void (*got)(struct ay_vcenter_ask *a, struct ay_bytes body);
	char host[AY_VIM_ID]; /* managed object id */
	char token[AY_VIM_ID];
	struct ay_inventory list; /* being read */
	uint8_t *facts;		  /* answer of ay_vim_host_ask() */
	size_t facts_n;
	int logins, lookups, pages;
};

/* NULL without memory. */
struct ay_vcenter_session *ay_vcenter_session_of(struct ay_engine *g, struct ay_manager *m);
bool ay_vcenter_is_unused(const struct ay_vcenter_session *s);
void ay_vcenter_session_free(struct ay_vcenter_session *s);
void ay_vcenter_forget(struct ay_manager *m);

struct ay_engine *ay_vcenter_engine_of(const struct ay_vcenter_ask *a);
/* a->then() is called when there is a session; a may be gone when this returns. */
void ay_vcenter_log_in(struct ay_vcenter_ask *a);
/* t is ended here; got is called with the answer's body. a may be gone when this returns. */
void ay_vcenter_send(struct ay_vcenter_ask *a, struct ay_xml_text *t,
		     void (*got)(struct ay_vcenter_ask *a, struct ay_bytes body));
/* The question ends so; a is gone when this returns. */
void ay_vcenter_fail(struct ay_vcenter_ask *a, const struct ay_err *e);
void ay_vcenter_fail_code(struct ay_vcenter_ask *a, enum ay_rc rc, const char *code,
			  const char *text);

#endif
