/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCenter (or a single ESXi host) by the VIM SOAP API. One session for each
 * manager, whose cookie every request carries; asked for again when the manager
 * says that it has ended, once for each question. The inventory is read in
 * pages when a host's name is not known yet.
 */
#include "core/base/hex.h"
#include "core/vim/report.h"
#include "core/vim/request.h"
#include "prog/assayd/connector.h"
#include "prog/assayd/judge_vcenter.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum {
	PAGE = 100,	   /* objects a page of the inventory */
	HOSTS_MAX = 20000, /* hosts of one manager */
	COOKIE_MAX = 512,
	MORE_PAGES = 1000,
};

/* A host or cluster of the inventory. */
struct item {
	char *id, *name, *parent;
	bool is_host, has_uuid;
	struct ay_uuid uuid;
};

struct inventory {
	struct item *item;
	size_t n, max;
	bool failed;
};

struct ask;

enum login { OUT = 0, GOING_IN, IN };

/* struct ay_manager.session. Freed by the last of those who use it. */
struct session {
	struct ay_engine *g;
	struct ay_manager *m; /* NULL: forgotten while something was under way */
	enum login state;
	struct ay_vim_content content;
	bool has_content;
	char cookie[COOKIE_MAX];
	struct inventory known;
	struct ask *waiting; /* for the login */
	size_t n_asks;	     /* that lean on it */
	bool unwraps;	     /* keeper calls back once more */
	uint32_t outgoing;   /* of the login itself */
};

/* One question on its way: of a gather, or of a listing. */
struct ask {
	struct ask *next; /* while it waits for the login */
	struct ay_gather *q;
	struct ay_listing *l; /* one of the two */
	struct session *s;
	void (*then)(struct ask *a); /* after the login */
	void (*got)(struct ask *a, struct ay_bytes body);
	char host[AY_VIM_ID]; /* managed object id */
	char token[AY_VIM_ID];
	struct inventory list; /* being read */
	uint8_t *facts;	       /* answer of ay_vim_host_ask() */
	size_t facts_n;
	int logins, lookups, pages;
};

/* ---- inventory ---- */

static void inventory_fini(struct inventory *v)
{
	for (size_t i = 0; i < v->n; i++) {
		free(v->item[i].id);
		free(v->item[i].name);
		free(v->item[i].parent);
	}
	free(v->item);
	*v = (struct inventory){ NULL, 0, 0, false };
}

static struct item *item_new(struct inventory *v)
{
	if (v->n == v->max) {
		size_t max = v->max ? 2 * v->max : 64;
		struct item *more = v->n < HOSTS_MAX ? realloc(v->item, max * sizeof(*more)) : NULL;

		if (!more)
			return NULL;
		v->item = more;
		v->max = max;
	}
	memset(&v->item[v->n], 0, sizeof(v->item[0]));
	return &v->item[v->n++];
}

static char *property_text(const struct ay_vim_object *o, const char *path)
{
	char text[AY_VIM_ID];

	return strdup(ay_vim_text(ay_vim_property(o, path), text, sizeof(text)) ? text : "");
}

static void take_item(void *arg, const struct ay_vim_object *o)
{
	struct inventory *v = arg;
	struct item *it = item_new(v);
	char uuid[64];

	if (!it) {
		v->failed = true;
		return;
	}
	it->is_host = strcmp(o->type, "HostSystem") == 0;
	it->id = strdup(o->id);
	it->name = property_text(o, "name");
	it->parent = property_text(o, "parent");
	it->has_uuid =
		ay_vim_text(ay_vim_property(o, "hardware.systemInfo.uuid"), uuid, sizeof(uuid)) &&
		ay_uuid_parse(ay_bytes_of(uuid), "uuid", &it->uuid, NULL) == AY_OK;
	v->failed |= !it->id || !it->name || !it->parent;
}

static const struct item *cluster_of(const struct inventory *v, const struct item *host)
{
	for (size_t i = 0; i < v->n; i++)
		if (!v->item[i].is_host && strcmp(v->item[i].id, host->parent) == 0)
			return &v->item[i];
	return NULL;
}

/* By name as the manager shows it, its object id, or the machine's UUID; at "": the only one. */
static bool is_meant(const struct item *it, const char *at, const struct ay_uuid *uuid)
{
	if (uuid)
		return it->has_uuid && memcmp(it->uuid.b, uuid->b, sizeof(uuid->b)) == 0;
	return at[0] == '\0' || strcasecmp(it->name, at) == 0 || strcmp(it->id, at) == 0;
}

/* NULL: none, or more than one (then *n > 1). */
static const struct item *find_host(const struct inventory *v, const char *at, size_t *n)
{
	const struct item *found = NULL;
	struct ay_uuid uuid;
	bool by_uuid = at[0] && ay_uuid_looks_like(ay_bytes_of(at)) &&
		       ay_uuid_parse(ay_bytes_of(at), "h", &uuid, NULL) == AY_OK;

	*n = 0;
	for (size_t i = 0; i < v->n; i++) {
		if (!v->item[i].is_host || !is_meant(&v->item[i], at, by_uuid ? &uuid : NULL))
			continue;
		found = &v->item[i];
		++*n;
	}
	return *n == 1 ? found : NULL;
}

/* ---- the session's life ---- */

static bool is_unused(const struct session *s)
{
	return !s->m && !s->n_asks && !s->unwraps && !s->outgoing;
}

static void session_free(struct session *s)
{
	inventory_fini(&s->known);
	ay_wipe(s->cookie, sizeof(s->cookie));
	free(s);
}

static void forget(struct ay_manager *m)
{
	struct session *s = m->session;

	s->m = NULL;
	m->session = NULL;
	if (is_unused(s))
		session_free(s);
}

static struct session *session_of(struct ay_engine *g, struct ay_manager *m)
{
	struct session *s = m->session;

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

static struct ay_manager *manager_of(const struct ask *a)
{
	return a->q ? a->q->manager : a->l->manager;
}

static struct ay_engine *engine_of(const struct ask *a)
{
	return a->q ? a->q->g : a->l->g;
}

static uint32_t left_ms(const struct ask *a)
{
	int64_t left = a->l ? a->l->until - a->l->g->mono_ms : 0;

	if (a->q)
		return ay_gather_left_ms(a->q);
	return left < 1 ? 1 : left > AY_MAX_OUTGOING_MS ? AY_MAX_OUTGOING_MS : (uint32_t)left;
}

/* a is gone when this returns. */
static void fail(struct ask *a, const struct ay_err *e)
{
	if (a->q)
		ay_gather_failed(a->q, e);
	else
		ay_listing_done(a->l, e->rc, e, NULL);
}

static void fail_code(struct ask *a, enum ay_rc rc, const char *code, const char *text)
{
	struct ay_err e = { 0 };

	e.rc = ay_fail_code(&e, rc, code, "manager", "%s", text);
	fail(a, &e);
}

/* What every request has in common; o->header and o->body are the caller's. */
static bool prepare(struct session *s, struct ay_manager *m, uint32_t ms, char action[32],
		    struct ay_outgoing *o)
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

static void log_in(struct ask *a);

/* The session ended behind our back: once more from the login. */
static bool again(struct ask *a)
{
	if (a->logins > 1)
		return false;
	a->s->state = a->s->state == IN ? OUT : a->s->state;
	a->s->cookie[0] = '\0';
	log_in(a);
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
	struct ask *a = arg;

	if (a->q)
		a->q->outgoing = 0;
	else
		a->l->outgoing = 0;
	if (rc != AY_OK) {
		fail(a, e);
		return;
	}
	if (answer->status == 500 && is_session_fault(answer->body) && again(a))
		return;
	if (answer->status != 200 && answer->status != 500) {
		fail_code(a, AY_E_UNAVAIL, "MANAGER_FAULT", "the manager answers no SOAP");
		return;
	}
	a->got(a, answer->body);
}

/* t is ended here. */
static void send(struct ask *a, struct ay_xml_text *t,
		 void (*got)(struct ask *a, struct ay_bytes body))
{
	struct ay_outgoing o = { 0 };
	struct ay_err e = { 0 };
	char action[32];
	uint32_t number;
	enum ay_rc rc = ay_xt_end(t, &o.body, &e);

	a->got = got;
	if (rc != AY_OK || !prepare(a->s, manager_of(a), left_ms(a), action, &o)) {
		fail_code(a, AY_E_UNAVAIL, "MANAGER_FAULT", "the request cannot be made");
		return;
	}
	number = ay_outgoing_send(engine_of(a), &o, on_answer, a);
	if (number == 0)
		return; /* on_answer was called, and a may be gone */
	if (a->q)
		a->q->outgoing = number;
	else
		a->l->outgoing = number;
}

/* ---- login: RetrieveServiceContent, the password from keeper, Login ---- */

static void logged_in(struct session *s, enum ay_rc rc, const struct ay_err *e)
{
	struct ay_err why = e ? *e : (struct ay_err){ 0 };
	struct ask *a;

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
			fail(a, &why);
	}
	s->n_asks--;
	if (is_unused(s))
		session_free(s);
}

static void log_in_fails(struct session *s, const struct ay_err *e)
{
	logged_in(s, e->rc == AY_OK ? AY_E_UNAVAIL : e->rc, e);
}

static bool take_cookie(struct session *s, const struct ay_outgoing_answer *answer)
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
	struct session *s = arg;
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

static void send_login(struct session *s, struct ay_bytes password)
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
	struct session *s = arg;
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
	struct session *s = arg;
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
static void ask_content(struct session *s)
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
static void log_in(struct ask *a)
{
	struct session *s = a->s;

	if (s->state == IN) {
		a->then(a);
		return;
	}
	if (!s->m) {
		fail_code(a, AY_E_UNAVAIL, "MANAGER_UNKNOWN", "the manager was changed meanwhile");
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

/* ---- reading the inventory ---- */

static void inventory_read(struct ask *a);

static void on_page(struct ask *a, struct ay_bytes body)
{
	const char *operation =
		a->pages == 0 ? "RetrievePropertiesEx" : "ContinueRetrievePropertiesEx";
	struct ay_xml_text t;
	struct ay_err e = { 0 };
	enum ay_rc rc = ay_vim_objects_parse(body, operation, take_item, &a->list, a->token, &e);

	if (rc == AY_OK && (a->list.failed || ++a->pages > MORE_PAGES))
		rc = ay_fail_code(&e, AY_E_LIMIT, "MANAGER_ANSWER", "manager",
				  "more hosts than are taken, or no memory");
	e.rc = rc;
	if (rc != AY_OK) {
		fail(a, &e);
		return;
	}
	if (!a->token[0]) {
		inventory_read(a);
		return;
	}
	ay_xt_init(&t);
	ay_vim_more_ask(&t, &a->s->content, a->token);
	send(a, &t, on_page);
	ay_xt_fini(&t);
}

static void on_view(struct ask *a, struct ay_bytes body)
{
	char view[AY_VIM_ID];
	struct ay_xml_text t;
	struct ay_err e = { 0 };

	e.rc = ay_vim_view_parse(body, view, &e);
	if (e.rc != AY_OK) {
		fail(a, &e);
		return;
	}
	inventory_fini(&a->list);
	a->pages = 0;
	ay_xt_init(&t);
	ay_vim_inventory_ask(&t, &a->s->content, view, PAGE);
	send(a, &t, on_page);
	ay_xt_fini(&t);
}

static void ask_view(struct ask *a)
{
	struct ay_xml_text t;

	ay_xt_init(&t);
	ay_vim_view_ask(&t, &a->s->content);
	send(a, &t, on_view);
	ay_xt_fini(&t);
}

/* ---- one host ---- */

static void ask_host(struct ask *a);
static void find(struct ask *a);

static void on_report(struct ask *a, struct ay_bytes body)
{
	struct ay_gather *q = a->q;
	const struct ay_managed_head head = { .vendor = AY_CONNSTR_VMWARE,
					      .bound = q->bound,
					      .first_use = q->manager->tls.kind ==
							   AY_TLS_TRUST_FIRST_USE };
	size_t room = AY_MANAGED_HEAD + 8 + a->facts_n + body.n;
	uint8_t *p = malloc(room);
	struct ay_bytes raw = { NULL, 0 };
	struct ay_vim_answer answer;
	struct ay_writer w;
	struct ay_err e = { 0 };

	/* a fault of the API is no word about the host; all else is judged by a worker */
	e.rc = ay_vim_answer_open(body, "QueryTpmAttestationReport", &answer, &e);
	if (e.rc == AY_OK)
		ay_vim_answer_free(&answer);
	if (!p || strcmp(e.code, "MANAGER_FAULT") == 0 || strcmp(e.code, "MANAGER_GONE") == 0) {
		free(p);
		e.rc = e.rc == AY_OK ? AY_E_NOMEM : e.rc;
		fail(a, &e);
		return;
	}
	ay_wr_init(&w, p, room);
	ay_vcenter_raw_write(&w, &head, (struct ay_bytes){ a->facts, a->facts_n }, body);
	if (ay_wr_end(&w, "vcenter", &raw, &e) == AY_OK)
		ay_gather_done(q, raw);
	else
		fail(a, &e);
	free(p);
}

static void ask_report(struct ask *a)
{
	struct ay_xml_text t;

	ay_xt_init(&t);
	ay_vim_report_ask(&t, a->host);
	send(a, &t, on_report);
	ay_xt_fini(&t);
}

static bool keep_facts(struct ask *a, struct ay_bytes body)
{
	free(a->facts);
	a->facts = malloc(body.n + 1);
	a->facts_n = body.n;
	if (a->facts)
		memcpy(a->facts, body.p, body.n);
	return a->facts != NULL;
}

static void on_host(struct ask *a, struct ay_bytes body)
{
	struct ay_vim_host host;
	struct ay_managed_who who = { .tpm = NULL };
	char tpm[160];
	struct ay_err e = { 0 };

	e.rc = ay_vim_host_parse(body, &host, &e);
	if (strcmp(e.code, "MANAGER_GONE") == 0 && a->lookups == 0) {
		find(a); /* it was taken out and put in again: another object id */
		return;
	}
	if (e.rc == AY_OK && !keep_facts(a, body))
		e.rc = ay_fail(&e, AY_E_NOMEM, "manager", 0, "no memory");
	if (e.rc != AY_OK) {
		fail(a, &e);
		return;
	}
	if (!host.connected) {
		fail_code(a, AY_E_UNAVAIL, "MANAGER_AWAY",
			  "the manager itself does not reach the host");
		return;
	}
	who.id = host.facts.id;
	for (char *c = host.product; *c; c++)
		*c = *c == '"' || *c == '\\' || (unsigned char)*c < 0x20 ? '?' : *c;
	snprintf(tpm, sizeof(tpm), "{\"manufacturer\":\"\",\"model\":\"%.20s\"}", host.product);
	who.tpm = tpm;
	if (ay_gather_met(a->q, &who))
		ask_report(a);
}

static void ask_host(struct ask *a)
{
	struct ay_xml_text t;

	ay_xt_init(&t);
	ay_vim_host_ask(&t, &a->s->content, a->host);
	send(a, &t, on_host);
	ay_xt_fini(&t);
}

/* Read the inventory anew: the host's name is not in what is known. */
static void find(struct ask *a)
{
	a->lookups++;
	a->then = ask_view;
	ask_view(a);
}

static bool look_up(struct ask *a, size_t *n)
{
	const struct item *it = find_host(&a->s->known, a->q->at, n);

	if (it)
		snprintf(a->host, sizeof(a->host), "%s", it->id);
	return it != NULL;
}

static void begin_host(struct ask *a)
{
	size_t n;

	if (look_up(a, &n))
		ask_host(a);
	else
		find(a);
}

/* ---- the inventory is read ---- */

static json_t *hosts_json(const struct inventory *v, const char *cluster)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < v->n; i++) {
		const struct item *it = &v->item[i], *c = cluster_of(v, it);
		char id[AY_UUID_TEXT] = "";

		if (!it->is_host || (cluster[0] && (!c || strcmp(c->name, cluster) != 0)))
			continue;
		if (it->has_uuid)
			ay_uuid_format(&it->uuid, id);
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:s}", "name", it->name, "at",
						it->name, "id", id, "cluster", c ? c->name : ""));
	}
	return list;
}

static void inventory_read(struct ask *a)
{
	struct ay_err e = { 0 };
	json_t *hosts;
	size_t n;

	inventory_fini(&a->s->known);
	a->s->known = a->list;
	a->list = (struct inventory){ NULL, 0, 0, false };
	if (a->l) {
		hosts = hosts_json(&a->s->known, a->l->cluster);
		ay_listing_done(a->l, AY_OK, &e, hosts);
		json_decref(hosts);
		return;
	}
	a->then = begin_host;
	if (look_up(a, &n))
		ask_host(a);
	else
		fail_code(a, AY_E_NOENT, "MANAGER_HOST",
			  n > 1 ? "the manager has several hosts that are called so"
				: "the manager has no host that is called so");
}

/* ---- the connector ---- */

static struct ask *ask_new(struct ay_engine *g, struct ay_manager *m)
{
	struct session *s = session_of(g, m);
	struct ask *a = s ? calloc(1, sizeof(*a)) : NULL;

	if (!a)
		return NULL;
	a->s = s;
	s->n_asks++;
	return a;
}

static void gather(struct ay_gather *q)
{
	struct ask *a = ask_new(q->g, q->manager);
	struct ay_err e = { 0 };

	if (!a) {
		e.rc = ay_fail(&e, AY_E_NOMEM, "manager", 0, "no memory");
		ay_gather_failed(q, &e);
		return;
	}
	a->q = q;
	a->then = begin_host;
	q->own = a;
	log_in(a);
}

static void ask_free(struct ask *a, uint32_t *outgoing)
{
	struct ask **at = &a->s->waiting;

	if (*outgoing)
		ay_outgoing_forget(engine_of(a), *outgoing);
	*outgoing = 0;
	while (*at && *at != a)
		at = &(*at)->next;
	if (*at)
		*at = a->next;
	a->s->n_asks--;
	if (is_unused(a->s))
		session_free(a->s);
	inventory_fini(&a->list);
	free(a->facts);
	free(a);
}

static void drop(struct ay_gather *q)
{
	if (q->own)
		ask_free(q->own, &q->outgoing);
	q->own = NULL;
}

static void list(struct ay_listing *l)
{
	struct ask *a = ask_new(l->g, l->manager);
	struct ay_err e = { 0 };

	if (!a) {
		e.rc = ay_fail(&e, AY_E_NOMEM, "manager", 0, "no memory");
		ay_listing_done(l, e.rc, &e, NULL);
		return;
	}
	a->l = l;
	a->then = ask_view;
	l->own = a;
	log_in(a);
}

static void list_drop(struct ay_listing *l)
{
	if (l->own)
		ask_free(l->own, &l->outgoing);
	l->own = NULL;
}

const struct ay_connector ay_connector_vcenter = {
	.name = "vmware",
	.doc = "ESXi hosts, by what their vCenter reports",
	.vendor = AY_CONNSTR_VMWARE,
	.gather = gather,
	.drop = drop,
	.list = list,
	.list_drop = list_drop,
	.forget = forget,
};
