/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/directory.h"

#include "core/base/limits.h"
#include "prog/assayd/engine_impl.h"

#include <openssl/crypto.h>
#include <stdlib.h>

/* Courier keeps the deadline; this is for a courier that does not. */
#define GRACE_MS 5000

/* A login under way. */
struct ay_directory_open {
	struct ay_directory_open *next;
	uint32_t number;
	ay_directory_fn *fn; /* NULL: forgotten */
	void *arg;
};

static void unlink_open(struct ay_engine *g, struct ay_directory_open *o)
{
	struct ay_directory_open **at = &g->directory;

	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
}

static void on_answer(struct ay_engine *g, void *arg, enum ay_rc rc, const struct ay_err *why,
		      struct ay_bytes body)
{
	struct ay_directory_open *o = arg;
	struct ay_directory_answer a = { 0 };
	struct ay_err e = { 0 };

	unlink_open(g, o);
	if (rc == AY_OK) {
		rc = ay_directory_answer_parse(body, &a, &e);
	} else {
		e = *why;
		rc = AY_E_UNAVAIL; /* whoever refused it, it could not be done */
	}
	if (rc != AY_OK) {
		e.rc = rc = AY_E_UNAVAIL;
		rc = ay_err_coded(&e, rc, "LDAP_ANSWER");
	}
	if (o->fn != NULL)
		o->fn(o->arg, rc, &e, &a);
	free(o);
}

static struct ay_directory_open *open_new(struct ay_engine *g, struct ay_err *e)
{
	struct ay_directory_open *o = NULL;
	size_t n = 0;

	for (o = g->directory; o != NULL; o = o->next)
		n++;
	if (n >= AY_MAX_LDAP_OPEN) {
		ay_err_set(e, AY_E_UNAVAIL, "ldap", 0, "too many logins are under way");
		ay_err_code(e, "LDAP_BUSY");
		return NULL;
	}
	o = calloc(1, sizeof(*o));
	if (o == NULL) {
		ay_err_set(e, AY_E_NOMEM, "ldap", 0, "no memory");
		return NULL;
	}
	o->next = g->directory;
	g->directory = o;
	return o;
}

uint32_t ay_directory_ask(struct ay_engine *g, const struct ay_directory_login *l,
			  ay_directory_fn *fn, void *arg)
{
	static const struct ay_directory_answer none;
	uint8_t room[1024];
	struct ay_directory_open *o = NULL;
	struct ay_bytes body = { NULL, 0 };
	struct ay_err e = { 0 };
	struct ay_writer w;
	uint32_t number;
	enum ay_rc rc;

	ay_wr_init(&w, room, sizeof(room));
	ay_directory_login_build(&w, l);
	rc = ay_wr_end(&w, "login", &body, &e);
	if (rc == AY_OK)
		o = open_new(g, &e);
	if (o == NULL) {
		OPENSSL_cleanse(room, sizeof(room));
		fn(arg, AY_E_UNAVAIL, &e, &none);
		return 0;
	}
	o->fn = fn;
	o->arg = arg;
	number = ay_relay_ask_for(g, g->courier, AY_MSG_DIRECTORY_LOGIN, body,
				  (int64_t)l->deadline_ms + GRACE_MS, on_answer, o);
	OPENSSL_cleanse(room, sizeof(room));
	if (number != 0)
		o->number = number;
	return number;
}

void ay_directory_forget(struct ay_engine *g, uint32_t number)
{
	for (struct ay_directory_open *o = g->directory; number != 0 && o != NULL; o = o->next)
		if (o->number == number && o->fn != NULL) {
			o->fn = NULL;
			ay_ipc_send(g->courier, AY_MSG_OUTGOING_FORGET, 0, number,
				    (struct ay_bytes){ NULL, 0 });
			ay_relay_expire(g, number);
			return;
		}
}
