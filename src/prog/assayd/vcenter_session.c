/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/vcenter_impl.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- the session's life ---- */

bool ay_vcenter_is_unused(const struct ay_vcenter_session *s)
{
	return !s->m && !s->n_asks && !s->unwraps && !s->outgoing;
}

void ay_vcenter_session_free(struct ay_vcenter_session *s)
{
	ay_inventory_fini(&s->known);
	ay_wipe(s->cookie, sizeof(s->cookie));
	free(s);
}

void ay_vcenter_forget(struct ay_manager *m)
{
	struct ay_vcenter_session *s = m->session;

	s->m = NULL;
	m->session = NULL;
	if (ay_vcenter_is_unused(s))
		ay_vcenter_session_free(s);
}

struct ay_vcenter_session *ay_vcenter_session_of(struct ay_engine *g, struct ay_manager *m)
{
	struct ay_vcenter_session *s = m->session;

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->g = g;
	s->m = m;
	m->session = s;
	return s;
}

/* ---- asking ---- */

static struct ay_manager *manager_of(const struct ay_vcenter_ask *a)
{
	return a->q ? a->q->manager : a->l->manager;
}

struct ay_engine *ay_vcenter_engine_of(const struct ay_vcenter_ask *a)
{
	return a->q ? a->q->g : a->l->g;
}

static uint32_t left_ms(const struct ay_vcenter_ask *a)
{
	int64_t left = a->l ? a->l->until - a->l->g->mono_ms : 0;

	if (a->q)
		return ay_gather_left_ms(a->q);
	return left < 1 ? 1 : left > AY_MAX_OUTGOING_MS ? AY_MAX_OUTGOING_MS : (uint32_t)left;
}

/* a is gone when this returns. */
void ay_vcenter_fail(struct ay_vcenter_ask *a, const struct ay_err *e)
{
	if (a->q)
		ay_gather_failed(a->q, e);
	else
		ay_listing_done(a->l, e->rc, e, NULL);
}

void ay_vcenter_fail_code(struct ay_vcenter_ask *a, enum ay_rc rc, const char *code,
			  const char *text)
{
	struct ay_err e = { 0 };

	e.rc = ay_fail_code(&e, rc, code, "manager", "%s", text);
	ay_vcenter_fail(a, &e);
}

/* What every request has in common; o->header and o->body are the caller's. */
static bool prepare(struct ay_vcenter_session *s, struct ay_manager *m, uint32_t ms,
		    char action[32], struct ay_outgoing *o)
{
	bool known = ay_manager_trust(m, o);

	snprintf(action, 32, "\"urn:vim25/%s\"", s->has_content ? s->content.api_version : "6.0");
	o->method = AY_OUTGOING_POST;
	o->url = ay_bytes_of(m->url);
	o->header[0] = (struct ay_outgoing_header){ ay_bytes_of("Content-Type"),
						    ay_bytes_of("text/xml; charset=utf-8") };
	o->header[1] =
		(struct ay_outgoing_header){ ay_bytes_of("SOAPAction"), ay_bytes_of(action) };
	o->n_headers = 2;
	if (known && s->cookie[0])
		o->header[o->n_headers++] = (struct ay_outgoing_header){ ay_bytes_of("Cookie"),
									 ay_bytes_of(s->cookie) };
	o->deadline_ms = ms;
	o->max_answer = AY_MAX_XML_BYTES;
	o->want = ay_bytes_of("set-cookie");
	return known;
}

/* The session ended behind our back: once more from the login. */
static bool again(struct ay_vcenter_ask *a)
{
	if (a->logins > 1)
		return false;
	a->s->state = a->s->state == IN ? OUT : a->s->state;
	a->s->cookie[0] = '\0';
	ay_vcenter_log_in(a);
	return true;
}

static bool is_session_fault(struct ay_bytes body)
{
	struct ay_vim_answer answer;
	struct ay_err e = { 0 };

	if (ay_vim_answer_open(body, "", &answer, &e) == AY_OK)
		ay_vim_answer_free(&answer);
	return strcmp(e.code, "MANAGER_SESSION") == 0;
}

static void on_answer(void *arg, enum ay_rc rc, const struct ay_err *e,
		      const struct ay_outgoing_answer *answer)
{
	struct ay_vcenter_ask *a = arg;

	if (a->q)
		a->q->outgoing = 0;
	else
		a->l->outgoing = 0;
	if (rc != AY_OK) {
		ay_vcenter_fail(a, e);
		return;
	}
	if (answer->status == 500 && is_session_fault(answer->body) && again(a))
		return;
	if (answer->status != 200 && answer->status != 500) {
		ay_vcenter_fail_code(a, AY_E_UNAVAIL, "MANAGER_FAULT",
				     "the manager answers no SOAP");
		return;
	}
	a->got(a, answer->body);
}

/* t is ended here. */
void ay_vcenter_send(struct ay_vcenter_ask *a, struct ay_xml_text *t,
		     void (*got)(struct ay_vcenter_ask *a, struct ay_bytes body))
{
	struct ay_outgoing o = { 0 };
	struct ay_err e = { 0 };
	char action[32];
	uint32_t number;
	enum ay_rc rc = ay_xt_end(t, &o.body, &e);

	a->got = got;
	if (rc != AY_OK || !prepare(a->s, manager_of(a), left_ms(a), action, &o)) {
		ay_vcenter_fail_code(a, AY_E_UNAVAIL, "MANAGER_FAULT",
				     "the request cannot be made");
		return;
	}
	number = ay_outgoing_send(ay_vcenter_engine_of(a), &o, on_answer, a);
	if (number == 0)
		return; /* on_answer was called, and a may be gone */
	if (a->q)
		a->q->outgoing = number;
	else
		a->l->outgoing = number;
}

/* ---- login: RetrieveServiceContent, the password from keeper, Login ---- */

static void logged_in(struct ay_vcenter_session *s, enum ay_rc rc, const struct ay_err *e)
{
	struct ay_err why = e ? *e : (struct ay_err){ 0 };
	struct ay_vcenter_ask *a;

	s->state = rc == AY_OK ? IN : OUT;
	if (rc != AY_OK)
		s->cookie[0] = '\0';
	s->n_asks++; /* it stays until the last of them was told */
	while ((a = s->waiting) && s->state != GOING_IN) {
		s->waiting = a->next;
		a->next = NULL;
		if (rc == AY_OK)
			a->then(a);
		else
			ay_vcenter_fail(a, &why);
	}
	s->n_asks--;
	if (ay_vcenter_is_unused(s))
		ay_vcenter_session_free(s);
}

static void log_in_fails(struct ay_vcenter_session *s, const struct ay_err *e)
{
	logged_in(s, e->rc == AY_OK ? AY_E_UNAVAIL : e->rc, e);
}

static bool take_cookie(struct ay_vcenter_session *s, const struct ay_outgoing_answer *answer)
{
	struct ay_bytes c = ay_outgoing_answer_header(answer, "set-cookie");
	const uint8_t *end = c.n ? memchr(c.p, ';', c.n) : NULL;
	size_t n = end ? (size_t)(end - c.p) : c.n;

	if (n == 0 || n >= sizeof(s->cookie))
		return false;
	memcpy(s->cookie, c.p, n);
	s->cookie[n] = '\0';
	return true;
}

static void on_login(void *arg, enum ay_rc rc, const struct ay_err *why,
		     const struct ay_outgoing_answer *answer)
{
	struct ay_vcenter_session *s = arg;
	struct ay_err e = { 0 };

	s->outgoing = 0;
	if (rc != AY_OK) {
		e = *why;
	} else {
		rc = ay_vim_login_parse(answer->body, &e);
		if (rc == AY_OK && !take_cookie(s, answer))
			rc = ay_fail_code(&e, AY_E_INPUT, "MANAGER_ANSWER", "manager",
					  "the manager gives no session cookie");
	}
	e.rc = rc;
	if (rc == AY_OK)
		logged_in(s, AY_OK, NULL);
	else
		log_in_fails(s, &e);
}

static void send_login(struct ay_vcenter_session *s, struct ay_bytes password)
{
	struct ay_outgoing o = { 0 };
	struct ay_xml_text t;
	struct ay_err e = { 0 };
	char action[32];
	uint32_t ms = left_ms(s->waiting), number;
	enum ay_rc rc;

	ay_xt_init(&t);
	ay_vim_login_ask(&t, &s->content, ay_bytes_of(s->m->user), password);
	rc = ay_xt_end(&t, &o.body, &e);
	s->cookie[0] = '\0';
	if (rc == AY_OK && !prepare(s, s->m, ms, action, &o))
		rc = ay_fail_code(&e, AY_E_DENIED, "MANAGER_TLS", "manager",
				  "nobody is believed to be the manager: no password is sent");
	if (rc == AY_OK) {
		number = ay_outgoing_send(s->g, &o, on_login, s);
		s->outgoing = number;
	}
	ay_wipe((void *)(uintptr_t)o.body.p, o.body.n);
	ay_xt_fini(&t);
	if (rc != AY_OK) {
		e.rc = rc;
		log_in_fails(s, &e);
	}
}

static void on_password(void *arg, enum ay_rc rc, const struct ay_err *why,
			struct ay_bytes password)
{
	struct ay_vcenter_session *s = arg;
	struct ay_err e = { 0 };

	s->unwraps = false;
	if (rc != AY_OK)
		e = *why;
	else if (!s->m || !s->waiting)
		rc = ay_fail_code(&e, AY_E_UNAVAIL, "MANAGER_UNKNOWN", "manager",
				  "the manager was changed meanwhile");
	e.rc = rc;
	if (rc == AY_OK)
		send_login(s, password);
	else
		log_in_fails(s, &e);
}

static void on_content(void *arg, enum ay_rc rc, const struct ay_err *why,
		       const struct ay_outgoing_answer *answer)
{
	struct ay_vcenter_session *s = arg;
	struct ay_err e = { 0 };

	s->outgoing = 0;
	if (rc != AY_OK)
		e = *why;
	else
		rc = ay_vim_content_parse(answer->body, &s->content, &e);
	if (rc == AY_OK && (!s->m || !s->waiting))
		rc = ay_fail_code(&e, AY_E_UNAVAIL, "MANAGER_UNKNOWN", "manager",
				  "the manager was changed meanwhile");
	if (rc == AY_OK)
		rc = ay_manager_seen(s->g, s->m, answer->spki, &e);
	if (rc != AY_OK) {
		e.rc = rc;
		log_in_fails(s, &e);
		return;
	}
	s->has_content = true;
	s->unwraps = true;
	ay_manager_secret(s->g, s->m, on_password, s);
}

/* Nothing secret is in it: it may go to whoever answers, at first use. */
static void ask_content(struct ay_vcenter_session *s)
{
	struct ay_outgoing o = { 0 };
	struct ay_xml_text t;
	struct ay_err e = { 0 };
	char action[32];

	ay_xt_init(&t);
	ay_vim_content_ask(&t);
	if (ay_xt_end(&t, &o.body, &e) == AY_OK) {
		(void)!prepare(s, s->m, left_ms(s->waiting), action, &o);
		s->outgoing = ay_outgoing_send(s->g, &o, on_content, s);
	} else {
		log_in_fails(s, &e);
	}
	ay_xt_fini(&t);
}

/* a->then() is called when there is a session. */
void ay_vcenter_log_in(struct ay_vcenter_ask *a)
{
	struct ay_vcenter_session *s = a->s;

	if (s->state == IN) {
		a->then(a);
		return;
	}
	if (!s->m) {
		ay_vcenter_fail_code(a, AY_E_UNAVAIL, "MANAGER_UNKNOWN",
				     "the manager was changed meanwhile");
		return;
	}
	a->logins++;
	a->next = s->waiting;
	s->waiting = a;
	if (s->state == GOING_IN)
		return;
	s->state = GOING_IN;
	ask_content(s);
}
