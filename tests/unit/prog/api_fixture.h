/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_TESTS_UNIT_PROG_API_FIXTURE_H
#define AY_TESTS_UNIT_PROG_API_FIXTURE_H

/* The API with an engine and a front that are played, over a real store. For one test program. */
#include "../io/store_fixture.h"

#include "core/crypto/x509.h"
#include "prog/assayd/api/call.h"
#include "prog/assayd/api/router.h"
#include "prog/assayd/approvals.h"
#include "prog/assayd/diff.h"
#include "prog/assayd/directory.h"
#include "prog/assayd/find.h"
#include "prog/assayd/hooks.h"
#include "prog/assayd/keepers.h"
#include "prog/assayd/kept.h"
#include "prog/assayd/managed.h"
#include "prog/assayd/managers.h"
#include "prog/assayd/outgoing.h"
#include "prog/assayd/past.h"
#include "prog/assayd/receipts.h"
#include "prog/assayd/verify.h"
#include "prog/assayd/whatif.h"

#include <poll.h>

/* ---- the played engine ---- */

static struct {
	struct ay_host host, list[9]; /* hosts h1 .. hN of lists */
	char list_name[9][24];
	size_t n_hosts;
	struct fx fx;
	const struct ay_own_names *own; /* NULL: none */
	struct ay_api *api;
	struct ay_config *config;  /* NULL: none */
	enum ay_listener listener; /* of the next requests */
	const char *peer, *accept; /* likewise; NULL: the usual one, none */
	const char *content_type;  /* likewise; NULL: application/json */
	int64_t now;
	unsigned calls; /* functions that change something or show something */
	ay_attest_fn *attest;
	void *attest_arg;
	ay_event_fn *event;
	void *event_arg;
	unsigned forgotten, made, events; /* made: reference sets */
	char event_code[32];
	struct ay_reference_change change;
	bool two_persons, decided, permitted;
	char asked_by[64];
	const char *approval_perm, *requester; /* of the one approval there is; NULL: none */
	const char *more[2], *more_value[2];   /* headers of the next requests; NULL: none */
	uint8_t cert[2048];		       /* TLS client certificate of the next requests */
	size_t cert_n;
	/* requests of the server itself: the last one, and what it is answered; url NULL: fails */
	ay_outgoing_fn *out_fn;
	void *out_arg;
	char out_url[512], out_body[4096];
	unsigned outs;
	/* logins at the directory: the last one; NULL: none is under way */
	ay_directory_fn *dir_fn;
	void *dir_arg;
	char dir_name[64], dir_password[64];
	unsigned dirs;
	uint32_t asked; /* number of the last request */
	/* the last answer */
	unsigned answers;
	int status;
	char type[64], header[2048], body[262144];
	unsigned chunks, casts, streams, ends;
	size_t backlog;
} w;

uint32_t ay_outgoing_send(struct ay_engine *g, const struct ay_outgoing *o, ay_outgoing_fn *fn,
			  void *arg)
{
	(void)g;
	w.out_fn = fn;
	w.out_arg = arg;
	w.outs++;
	snprintf(w.out_url, sizeof(w.out_url), "%.*s", (int)o->url.n, (const char *)o->url.p);
	snprintf(w.out_body, sizeof(w.out_body), "%.*s", (int)o->body.n,
		 o->body.n == 0 ? "" : (const char *)o->body.p);
	return 7;
}

void ay_outgoing_forget(struct ay_engine *g, uint32_t number)
{
	(void)g;
	assert_int_equal(number, 7);
	w.out_fn = NULL;
}

uint32_t ay_directory_ask(struct ay_engine *g, const struct ay_directory_login *l,
			  ay_directory_fn *fn, void *arg)
{
	(void)g;
	w.dir_fn = fn;
	w.dir_arg = arg;
	w.dirs++;
	snprintf(w.dir_name, sizeof(w.dir_name), "%.*s", (int)l->name.n, (const char *)l->name.p);
	snprintf(w.dir_password, sizeof(w.dir_password), "%.*s", (int)l->password.n,
		 (const char *)l->password.p);
	return 9;
}

void ay_directory_forget(struct ay_engine *g, uint32_t number)
{
	(void)g;
	assert_int_equal(number, 9);
	w.dir_fn = NULL;
}

/* No manager is known, and none is taken. */
struct ay_manager *ay_manager_find(struct ay_engine *g, const struct ay_connstr *c)
{
	(void)g, (void)c;
	return NULL;
}

void ay_manager_put(struct ay_engine *g, const struct ay_manager_spec *spec, ay_manager_fn *fn,
		    void *arg)
{
	struct ay_err e = { 0 };

	(void)g, (void)spec;
	ay_err_set(&e, AY_E_UNAVAIL, "manager", 0, "there is none in this test");
	fn(arg, AY_E_UNAVAIL, &e, NULL);
}

enum ay_rc ay_manager_remove(struct ay_engine *g, struct ay_manager *m, struct ay_err *e)
{
	(void)g, (void)m;
	return ay_fail(e, AY_E_NOENT, "manager", 0, "there is none in this test");
}

json_t *ay_manager_json(struct ay_engine *g, const struct ay_manager *m)
{
	(void)g, (void)m;
	return json_object();
}

json_t *ay_manager_tls_json(const struct ay_manager *m)
{
	(void)m;
	return json_null();
}

enum ay_rc ay_managers_list(struct ay_engine *g, json_t **out, struct ay_err *e)
{
	(void)g, (void)e;
	*out = json_array();
	return AY_OK;
}

void ay_managed_list(struct ay_engine *g, struct ay_bytes connect,
		     void (*fn)(void *arg, enum ay_rc rc, const struct ay_err *e, json_t *hosts),
		     void *arg)
{
	struct ay_err e = { 0 };

	(void)g, (void)connect;
	ay_err_set(&e, AY_E_NOENT, "manager", 0, "there is none in this test");
	fn(arg, AY_E_NOENT, &e, NULL);
}

const struct ay_host *ay_engine_host_find(struct ay_engine *g, struct ay_bytes id)
{
	char own[AY_UUID_TEXT];

	(void)g;
	w.calls++;
	ay_uuid_format(&w.host.id, own);
	return ay_bytes_eq(id, ay_bytes_of("h1")) || ay_bytes_eq(id, ay_bytes_of(own)) ? &w.host
										       : NULL;
}

const struct ay_host *ay_engine_host_next(struct ay_engine *g, size_t *at)
{
	(void)g;
	return (*at)++ < 3 ? &w.host : NULL;
}

const struct ay_host *ay_engine_host_ordered(struct ay_engine *g, size_t *at)
{
	(void)g;
	if (*at >= w.n_hosts)
		return NULL;
	snprintf(w.list_name[*at], sizeof(w.list_name[0]), "h%zu", *at + 1);
	w.list[*at] = w.host;
	w.list[*at].name = w.list_name[*at];
	return &w.list[(*at)++];
}

size_t ay_engine_host_place(struct ay_engine *g, struct ay_bytes name, bool after)
{
	char text[24];
	size_t i = 0;
	int d;

	(void)g;
	for (; i < w.n_hosts; i++) {
		snprintf(text, sizeof(text), "h%zu", i + 1);
		d = strncmp(text, (const char *)name.p, name.n);
		if (after ? d > 0 : d >= 0)
			break;
	}
	return i;
}

const struct ay_host_gist *ay_engine_host_gist(struct ay_engine *g, const struct ay_host *h)
{
	static char cause[] = "kernel", reference[] = "ref@2", *causes[] = { cause };
	static char *references[] = { reference };
	static const struct ay_host_gist gist = { causes, 1, references, 1 };

	(void)g, (void)h;
	return &gist;
}

enum ay_rc ay_engine_host_add(struct ay_engine *g, const struct ay_host_spec *spec,
			      const struct ay_host **out, struct ay_err *e)
{
	(void)g;
	w.calls++;
	*out = &w.host;
	if (ay_bytes_eq(spec->name, ay_bytes_of("taken")))
		return ay_fail_code(e, AY_E_EXISTS, "NAME_TAKEN", "name", "a host has this name");
	return AY_OK;
}

enum ay_rc ay_engine_host_patch(struct ay_engine *g, const struct ay_host *h,
				const struct ay_host_patch *p, struct ay_err *e)
{
	(void)g, (void)h, (void)p, (void)e;
	return AY_OK;
}

enum ay_rc ay_engine_host_remove(struct ay_engine *g, const struct ay_host *h, struct ay_err *e)
{
	(void)g, (void)h, (void)e;
	w.calls++;
	return AY_OK;
}

enum ay_rc ay_engine_host_acknowledge(struct ay_engine *g, const struct ay_host *h, const char *who,
				      const char *reason, struct ay_err *e)
{
	(void)g, (void)h, (void)e, (void)reason;
	assert_string_equal(who, "admin");
	return AY_OK;
}

enum ay_rc ay_engine_attest(struct ay_engine *g, const struct ay_host *h, int64_t wait,
			    ay_attest_fn *fn, void *arg, struct ay_err *e)
{
	(void)g, (void)h, (void)e, (void)wait;
	w.attest = fn;
	w.attest_arg = arg;
	return AY_OK;
}

void ay_engine_attest_forget(struct ay_engine *g, void *arg)
{
	(void)g;
	w.forgotten += arg == w.attest_arg;
}

enum ay_rc ay_engine_diff(struct ay_engine *g, const struct ay_diff_side *a,
			  const struct ay_diff_side *b, json_t **out, struct ay_err *e)
{
	(void)g, (void)a, (void)b;
	*out = NULL;
	return ay_fail(e, AY_E_NOENT, "report", 0, "none");
}

void ay_engine_explain(struct ay_engine *g, json_t *report)
{
	(void)g;
	(void)report;
}

enum ay_rc ay_engine_report(struct ay_engine *g, const struct ay_host *h, json_t **out,
			    struct ay_err *e)
{
	(void)g, (void)h, (void)e;
	*out = json_pack("{s:s}", "verdict", "trusted");
	return AY_OK;
}

/* Of the row, what the API's own tests look at. */
static void played_report(void *arg, const struct ay_attest_past *p)
{
	char id[AY_UUID_TEXT], host[AY_UUID_TEXT];
	struct ay_uuid report;

	memcpy(report.b, p->report_id, sizeof(report.b));
	ay_uuid_format(&report, id);
	ay_uuid_format(&p->host, host);
	*(json_t **)arg = json_pack("{s:s, s:s, s:o, s:s}", "id", id, "host", host, "at",
				    ay_api_time(p->at), "verdict", "trusted");
}

enum ay_rc ay_engine_kept_report(struct ay_engine *g, uint64_t seq, json_t **out, struct ay_err *e)
{
	(void)g;
	*out = NULL;
	return ay_store_attestations(w.fx.s, seq, 1, played_report, out, e);
}

enum ay_rc ay_engine_kept(struct ay_engine *g, const struct ay_kept_ask *ask,
			  struct ay_kept_row *out, size_t *n, struct ay_err *e)
{
	(void)g, (void)ask, (void)out, (void)e;
	*n = 0;
	return AY_OK;
}

enum ay_rc ay_engine_kept_find(struct ay_engine *g, const struct ay_uuid *report,
			       struct ay_kept_row *out, struct ay_err *e)
{
	(void)g, (void)report;
	memset(out, 0, sizeof(*out));
	return ay_fail(e, AY_E_NOENT, "report", 0, "none");
}

enum ay_rc ay_engine_token_create(struct ay_engine *g, const struct ay_token_spec *s, char *text,
				  char id[33], int64_t *until, struct ay_err *e)
{
	(void)g, (void)s, (void)e;
	strcpy(text, "assay1.x");
	memset(id, 'a', 32);
	id[32] = '\0';
	*until = 1000;
	return AY_OK;
}

static enum ay_rc empty(json_t **out)
{
	*out = json_array();
	return AY_OK;
}

#define LIST_OF(name)                                                                              \
	enum ay_rc name(struct ay_engine *g, json_t **out, struct ay_err *e)                       \
	{                                                                                          \
		(void)g, (void)e;                                                                  \
		return empty(out);                                                                 \
	}
LIST_OF(ay_engine_tokens)
LIST_OF(ay_engine_references)
LIST_OF(ay_engine_policies)
LIST_OF(ay_engine_policy_attachments)
LIST_OF(ay_engine_config)
LIST_OF(ay_engine_keys)

void ay_engine_person_event(struct ay_engine *g, const char *code, const char *text)
{
	(void)g, (void)text;
	w.events++;
	snprintf(w.event_code, sizeof(w.event_code), "%s", code);
}

/* A keeper that gives back what it was given. */
void ay_keeper_wrap(struct ay_engine *g, const char *purpose, struct ay_bytes object,
		    struct ay_bytes secret, ay_document_fn *fn, void *arg)
{
	struct ay_err e = { 0 };

	(void)g, (void)purpose, (void)object;
	fn(arg, AY_OK, &e, secret);
}

void ay_keeper_unwrap(struct ay_engine *g, const char *purpose, struct ay_bytes object,
		      struct ay_bytes wrapped, ay_document_fn *fn, void *arg)
{
	struct ay_err e = { 0 };

	(void)g, (void)purpose, (void)object;
	fn(arg, AY_OK, &e, wrapped);
}

const struct ay_own_names *ay_engine_own_names(const struct ay_engine *g)
{
	(void)g;
	return w.own;
}

const struct ay_config *ay_engine_config_of(const struct ay_engine *g)
{
	(void)g;
	return w.config;
}

json_t *ay_engine_warnings(const struct ay_engine *g)
{
	(void)g;
	return json_array();
}

#define BY_ID(name)                                                                                \
	enum ay_rc name(struct ay_engine *g, struct ay_bytes id, json_t **out, struct ay_err *e)   \
	{                                                                                          \
		(void)g, (void)e, (void)id;                                                        \
		return empty(out);                                                                 \
	}
BY_ID(ay_engine_reference)
BY_ID(ay_engine_approval)

enum ay_rc ay_engine_reference_import(struct ay_engine *g, const json_t *document,
				      struct ay_bytes name, const char *user, json_t **out,
				      struct ay_err *e)
{
	(void)g, (void)document, (void)name, (void)user, (void)e;
	w.calls++;
	return empty(out);
}

bool ay_engine_host_pcrs(struct ay_engine *g, const struct ay_host *h, struct ay_pcrs *out)
{
	(void)g, (void)h;
	memset(out, 0, sizeof(*out));
	return false;
}

/* What it was given is the answer, with an id. */
enum ay_rc ay_engine_reference_make(struct ay_engine *g, const json_t *document, const char *user,
				    json_t **out, struct ay_err *e)
{
	(void)g, (void)user, (void)e;
	w.calls++;
	w.made++;
	*out = json_pack("{s:O, s:O, s:s}", "name", json_object_get(document, "name"), "version",
			 json_object_get(document, "version"), "id", "made");
	return *out != NULL ? AY_OK : AY_E_NOMEM;
}

enum ay_rc ay_engine_reference_boot(struct ay_engine *g, struct ay_bytes id, json_t **out,
				    struct ay_err *e)
{
	(void)g, (void)id, (void)e;
	return empty(out);
}

enum ay_rc ay_engine_reference_export(struct ay_engine *g, struct ay_bytes id, struct ay_arena *a,
				      struct ay_bytes *out, struct ay_err *e)
{
	(void)g, (void)id, (void)a;
	*out = (struct ay_bytes){ NULL, 0 };
	return ay_fail(e, AY_E_NOENT, "reference", 0, "no such reference set");
}

enum ay_rc ay_engine_reference_diff(struct ay_engine *g, struct ay_bytes a, struct ay_bytes b,
				    json_t **out, struct ay_err *e)
{
	(void)g, (void)a, (void)b, (void)e;
	w.calls++;
	return empty(out);
}
BY_ID(ay_engine_policy)

BY_ID(ay_whatif_show)
BY_ID(ay_whatif_cancel)

enum ay_rc ay_engine_receipt(struct ay_engine *g, const struct ay_host *h,
			     const struct ay_uuid *report, json_t **out, struct ay_err *e)
{
	(void)g, (void)e, (void)h, (void)report;
	return empty(out);
}

enum ay_rc ay_engine_past(struct ay_engine *g, const struct ay_past_ask *ask, json_t **out,
			  uint64_t *next, struct ay_err *e)
{
	(void)g, (void)e, (void)ask;
	*next = 0;
	return empty(out);
}

enum ay_rc ay_engine_evidence(struct ay_engine *g, const struct ay_host *h,
			      const struct ay_uuid *report, struct ay_bytes part,
			      struct ay_arena *a, struct ay_bytes *out, const char **media,
			      struct ay_err *e)
{
	(void)g, (void)h, (void)report, (void)part, (void)a, (void)e;
	*out = ay_bytes_of("tar");
	*media = "application/x-tar";
	return AY_OK;
}

enum ay_rc ay_engine_verify_nonce(struct ay_engine *g, const char *user, uint8_t out[32],
				  struct ay_err *e)
{
	(void)g, (void)user, (void)e;
	memset(out, 1, 32);
	return AY_OK;
}

void ay_engine_verify(struct ay_engine *g, const struct ay_verify_ask *ask, ay_verify_fn *fn,
		      void *arg)
{
	struct ay_err e = { 0 };

	(void)g, (void)ask;
	w.calls++;
	fn(arg, AY_OK, &e,
	   json_pack("{s:{s:s, s:s}, s:s, s:{}}", "report", "evidence", "00", "verdict", "trusted",
		     "nonce", "caller", "identity"));
}

void ay_engine_verify_forget(struct ay_engine *g, void *arg)
{
	(void)g, (void)arg;
}

enum ay_rc ay_whatif_start(struct ay_engine *g, const struct ay_whatif_ask *ask, json_t **out,
			   struct ay_err *e)
{
	(void)g, (void)e, (void)ask;
	return empty(out);
}

enum ay_rc ay_whatif_flips(struct ay_engine *g, struct ay_bytes id, uint64_t from, size_t limit,
			   json_t **out, uint64_t *next, struct ay_err *e)
{
	(void)g, (void)e, (void)id, (void)from, (void)limit;
	*next = 0;
	return empty(out);
}

/* It was seen on h1 and two more. */
enum ay_rc ay_find_digest(struct ay_engine *g, const struct ay_find_ask *ask, json_t **out,
			  uint64_t *next, struct ay_err *e)
{
	(void)g, (void)e;
	*next = 0;
	*out = json_pack("{s:i}", "hosts", ask->may == NULL ? 3 : (int)ask->may(ask->arg, &w.host));
	return AY_OK;
}

#define CHANGE(name)                                                                               \
	enum ay_rc name(struct ay_engine *g, struct ay_bytes id,                                   \
			const struct ay_reference_change *how, const struct ay_also *also,         \
			json_t **out, struct ay_err *e)                                            \
	{                                                                                          \
		(void)g, (void)e, (void)id, (void)how, (void)also;                                 \
		w.calls++;                                                                         \
		w.change = *how;                                                                   \
		return empty(out);                                                                 \
	}
CHANGE(ay_engine_reference_activate)
CHANGE(ay_engine_reference_supersede)
CHANGE(ay_engine_reference_revoke)

#define MOVE(name)                                                                                 \
	enum ay_rc name(struct ay_engine *g, struct ay_bytes id, const struct ay_also *also,       \
			json_t **out, struct ay_err *e)                                            \
	{                                                                                          \
		(void)g, (void)e, (void)id, (void)also;                                            \
		w.calls++;                                                                         \
		return empty(out);                                                                 \
	}
MOVE(ay_engine_policy_activate)
MOVE(ay_engine_policy_revoke)

enum ay_rc ay_engine_policy_set(struct ay_engine *g, const json_t *doc, const char *user,
				json_t **out, struct ay_err *e)
{
	(void)g, (void)e, (void)doc, (void)user;
	w.calls++;
	*out = json_pack("{s:s}", "name", "p");
	return AY_OK;
}

enum ay_rc ay_engine_policy_lint(struct ay_engine *g, const json_t *doc, json_t **out,
				 struct ay_err *e)
{
	(void)g, (void)e, (void)doc;
	return empty(out);
}

enum ay_rc ay_engine_policy_attach(struct ay_engine *g, const char *policy, const json_t *labels,
				   json_t **out, struct ay_err *e)
{
	(void)g, (void)e, (void)policy, (void)labels;
	w.calls++;
	return empty(out);
}

enum ay_rc ay_engine_policy_detach(struct ay_engine *g, const json_t *labels, struct ay_err *e)
{
	(void)g, (void)e, (void)labels;
	w.calls++;
	return AY_OK;
}

void ay_engine_host_policy(struct ay_engine *g, const struct ay_host *h, struct ay_host_policy *out)
{
	(void)g;
	*out = (struct ay_host_policy){ .name = h->policy, .by = "host" };
}

const struct ay_approval_kind ay_approval_policy_activate = { .action = "POLICY_ACTIVATE" };
const struct ay_approval_kind ay_approval_reference_activate = { .action = "REFERENCE_ACTIVATE" };
const struct ay_approval_kind ay_approval_reference_supersede = { .action = "REFERENCE_SUPERSEDE" };
const struct ay_approval_kind ay_approval_reference_revoke = { .action = "REFERENCE_REVOKE" };

bool ay_engine_two_persons(const struct ay_engine *g, const struct ay_approval_kind *k)
{
	(void)g, (void)k;
	return w.two_persons;
}

json_t *ay_reference_change_json(const struct ay_reference_change *how)
{
	return json_pack("{s:b}", "force", (int)how->force);
}

enum ay_rc ay_engine_approval_ask(struct ay_engine *g, const struct ay_approval_request *r,
				  json_t **out, struct ay_err *e)
{
	(void)g, (void)e;
	w.calls++;
	snprintf(w.asked_by, sizeof(w.asked_by), "%s for %s", r->user, r->permission);
	*out = json_pack("{s:s}", "id", "x");
	return AY_OK;
}

enum ay_rc ay_engine_approvals(struct ay_engine *g, struct ay_bytes state, json_t **out,
			       struct ay_err *e)
{
	(void)g, (void)state, (void)e;
	w.calls++;
	return empty(out);
}

const char *ay_engine_approval_permission(struct ay_engine *g, struct ay_bytes id,
					  const char **requester)
{
	(void)g, (void)id;
	w.calls++;
	*requester = w.requester;
	return w.approval_perm;
}

static enum ay_rc decided(const struct ay_approver *by, json_t **out)
{
	w.calls++;
	w.decided = true;
	w.permitted = by->permitted;
	return empty(out);
}

#define DECIDE(name)                                                                               \
	enum ay_rc name(struct ay_engine *g, struct ay_bytes id, const struct ay_approver *by,     \
			struct ay_bytes reason, json_t **out, struct ay_err *e)                    \
	{                                                                                          \
		(void)g, (void)id, (void)reason, (void)e;                                          \
		return decided(by, out);                                                           \
	}
DECIDE(ay_engine_approval_approve)
DECIDE(ay_engine_approval_deny)

enum ay_rc ay_engine_token(struct ay_engine *g, struct ay_bytes id, json_t **out, struct ay_err *e)
{
	(void)g, (void)id;
	*out = NULL;
	return ay_fail(e, AY_E_NOENT, "token", 0, "no such token");
}

enum ay_rc ay_engine_token_revoke(struct ay_engine *g, struct ay_bytes id, struct ay_err *e)
{
	(void)g, (void)id;
	return ay_fail(e, AY_E_NOENT, "token", 0, "no such token");
}

enum ay_rc ay_engine_learn(struct ay_engine *g, const struct ay_learn_ask *ask, json_t **out,
			   struct ay_err *e)
{
	(void)g, (void)ask, (void)e;
	return empty(out);
}

void ay_engine_assertion(struct ay_engine *g, const struct ay_assertion_host *hosts, size_t n,
			 const struct ay_assertion_ask *ask, ay_document_fn *fn, void *arg)
{
	struct ay_err e = { 0 };

	(void)g, (void)hosts, (void)n, (void)ask;
	fn(arg, AY_OK, &e, ay_bytes_of("<saml/>"));
}

void ay_engine_jwks(const struct ay_engine *g, struct ay_jwks *out)
{
	(void)g;
	*out = (struct ay_jwks){ 0 };
}

void ay_engine_audit_head(struct ay_engine *g, uint64_t size, const uint8_t root[32],
			  ay_head_fn *fn, void *arg)
{
	struct ay_signed_head h = { .size = size, .key_n = 91 };
	struct ay_err e = { 0 };

	(void)g;
	memcpy(h.root, root, sizeof(h.root));
	fn(arg, AY_OK, &e, &h);
}

enum ay_rc ay_hooks_list(struct ay_engine *g, json_t **out, struct ay_err *e)
{
	(void)g, (void)e;
	w.calls++;
	*out = json_array();
	return AY_OK;
}

void ay_hook_add(struct ay_engine *g, const json_t *spec, ay_document_fn *fn, void *arg)
{
	(void)g, (void)spec;
	w.calls++;
	fn(arg, AY_OK, NULL, ay_bytes_of("{}"));
}

void ay_hook_change(struct ay_engine *g, struct ay_bytes id, enum ay_hook_change what,
		    ay_document_fn *fn, void *arg)
{
	(void)g, (void)id, (void)what;
	w.calls++;
	fn(arg, AY_OK, NULL, ay_bytes_of("{}"));
}

void ay_engine_ek_approve(struct ay_engine *g, struct ay_bytes hash, ay_document_fn *fn, void *arg)
{
	struct ay_err e = { 0 };

	(void)g, (void)hash;
	fn(arg, AY_OK, &e, (struct ay_bytes){ NULL, 0 });
}

void ay_engine_crl(struct ay_engine *g, ay_document_fn *fn, void *arg)
{
	struct ay_err e = { 0 };

	(void)g;
	fn(arg, AY_OK, &e, ay_bytes_of("der"));
}

int64_t ay_engine_now_ms(const struct ay_engine *g)
{
	(void)g;
	return w.now;
}

bool ay_engine_deadline_misses(const struct ay_engine *g, size_t i, struct ay_deadline_misses *out)
{
	(void)g;
	*out = (struct ay_deadline_misses){ "strict \"one\"", 3, 4 };
	return i == 0;
}

void ay_engine_overview(const struct ay_engine *g, struct ay_overview *out)
{
	(void)g;
	*out = (struct ay_overview){ .hosts = 1000 };
}

struct ay_subscription *ay_engine_subscribe(struct ay_engine *g, ay_event_fn *fn, void *arg)
{
	(void)g;
	w.event = fn;
	w.event_arg = arg;
	return (struct ay_subscription *)&w;
}

void ay_engine_unsubscribe(struct ay_engine *g, struct ay_subscription *s)
{
	(void)g, (void)s;
	w.event = NULL;
}

enum ay_verdict ay_lease_verdict(const struct ay_lease *l, int64_t now)
{
	return l->verdict == AY_TRUSTED && l->until_ms != 0 && now >= l->until_ms ? AY_UNKNOWN
										  : l->verdict;
}

const char *ay_host_state_name(enum ay_host_state s)
{
	return s == AY_HOST_ENROLLED ? "enrolled" : "registered";
}

/* ---- front ---- */

static void on_reply(void *arg, uint32_t req, const struct ay_api_reply *r)
{
	size_t at = 0;

	(void)arg, (void)req;
	w.answers++;
	w.status = r->status;
	w.type[0] = '\0';
	w.header[0] = '\0';
	for (size_t i = 0; i < r->n_headers; i++) {
		at += (size_t)snprintf(w.header + at, sizeof(w.header) - at, "%.*s: %.*s\n",
				       (int)r->header[i].name.n, (const char *)r->header[i].name.p,
				       (int)r->header[i].value.n,
				       (const char *)r->header[i].value.p);
		if (ay_bytes_eq(r->header[i].name, ay_bytes_of("content-type")))
			snprintf(w.type, sizeof(w.type), "%.*s", (int)r->header[i].value.n,
				 (const char *)r->header[i].value.p);
	}
	assert_true(r->body.n < sizeof(w.body));
	if (r->body.n > 0)
		memcpy(w.body, r->body.p, r->body.n);
	w.body[r->body.n] = '\0';
}

static void on_stream(void *arg, uint32_t req, const struct ay_api_reply *r)
{
	(void)arg, (void)req;
	w.streams++;
	w.status = r->status;
}

static void on_chunk(void *arg, uint32_t req, struct ay_bytes part)
{
	(void)arg, (void)req;
	w.chunks++;
	snprintf(w.body, sizeof(w.body), "%.*s", (int)part.n, (const char *)part.p);
}

static void on_end(void *arg, uint32_t req)
{
	(void)arg, (void)req;
	w.ends++;
}

static void on_cast(void *arg, const uint32_t *req, size_t n, struct ay_bytes text)
{
	w.casts++;
	for (size_t i = 0; i < n; i++)
		on_chunk(arg, req[i], text);
}

static size_t on_backlog(void *arg)
{
	(void)arg;
	return w.backlog;
}

static char admin[AY_API_TOKEN_TEXT];

static enum ay_rc keep(void *arg, const char *text, struct ay_err *e)
{
	(void)arg, (void)e;
	strcpy(admin, text);
	return AY_OK;
}

static int set_up(void **state)
{
	static char name[] = "h1";
	struct ay_api_out out = {
		on_reply, on_stream, on_chunk, on_end, on_cast, on_backlog, NULL
	};
	struct ay_err e;

	(void)state;
	memset(&w, 0, sizeof(w));
	w.now = 1700000000000;
	w.n_hosts = 3;
	w.host.name = name;
	w.host.id = fx_id(1);
	w.host.created_ms = w.now;
	fx_dir(&w.fx);
	fx_open(&w.fx, true);
	fx_add_host(&w.fx, 1);
	assert_int_equal(ay_api_make_admin(w.fx.s, w.now, keep, NULL, &e), AY_OK);
	assert_int_equal(ay_api_make_admin(w.fx.s, w.now, keep, NULL, &e), AY_E_EXISTS);
	assert_int_equal(ay_api_new(NULL, w.fx.s, &out, &w.api, &e), AY_OK);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	ay_api_free(w.api);
	fx_end(&w.fx);
	return 0;
}

/* More of the next requests; NULL: not sent. */
static AY_UNUSED const char *with_peer, *with_authorization, *with_cookie, *with_csrf, *with_site;

static void add_header_to(struct ay_api_request *r, const char *name, const char *value)
{
	if (value != NULL)
		r->header[r->n_headers++] =
			(struct ay_api_header){ ay_bytes_of(name), ay_bytes_of(value) };
}

/* target: path?query; body NULL: none; token NULL: none. */
static int ask(const char *method, const char *target, const char *token, const char *body)
{
	static const char *const methods[] = { "",    "GET",   "HEAD",	 "POST",
					       "PUT", "PATCH", "DELETE", "OPTIONS" };
	static uint32_t req;
	static uint8_t wire[65536];
	struct ay_api_request r = { .path = ay_bytes_of(target),
				    .listener = w.listener,
				    .peer = ay_bytes_of(w.peer != NULL ? w.peer
								       : "192.0.2.9:5555") };
	const char *q = strchr(target, '?');
	char bearer[160];
	struct ay_writer out;
	struct ay_bytes message;
	struct ay_err e;

	for (size_t i = 1; i < AY_COUNT(methods); i++)
		if (strcmp(methods[i], method) == 0)
			r.method = (enum ay_http_method)i;
	if (q != NULL) {
		r.path.n = (size_t)(q - target);
		r.query = ay_bytes_of(q + 1);
	}
	if (token != NULL) {
		snprintf(bearer, sizeof(bearer), "Bearer %s", token);
		r.header[r.n_headers++] =
			(struct ay_api_header){ ay_bytes_of("authorization"), ay_bytes_of(bearer) };
	}
	if (w.accept != NULL)
		r.header[r.n_headers++] =
			(struct ay_api_header){ ay_bytes_of("accept"), ay_bytes_of(w.accept) };
	if (with_peer != NULL)
		r.peer = ay_bytes_of(with_peer);
	add_header_to(&r, "authorization", with_authorization);
	add_header_to(&r, "cookie", with_cookie);
	add_header_to(&r, "x-csrf-token", with_csrf);
	add_header_to(&r, "sec-fetch-site", with_site);
	if (body != NULL) {
		r.header[r.n_headers++] = (struct ay_api_header){
			ay_bytes_of("content-type"),
			ay_bytes_of(w.content_type != NULL ? w.content_type : "application/json")
		};
		r.body = ay_bytes_of(body);
	}
	for (size_t i = 0; i < AY_COUNT(w.more); i++)
		if (w.more[i] != NULL)
			r.header[r.n_headers++] =
				(struct ay_api_header){ ay_bytes_of(w.more[i]),
							ay_bytes_of(w.more_value[i]) };
	if (w.cert_n > 0) {
		r.has_cert = 1;
		r.cert = (struct ay_bytes){ w.cert, w.cert_n };
		assert_int_equal(ay_cert_spki_hash_of(r.cert, r.cert_spki, &e), AY_OK);
	}
	ay_wr_init(&out, wire, sizeof(wire));
	ay_api_request_build(&out, &r);
	assert_int_equal(ay_wr_end(&out, "request", &message, &e), AY_OK);
	w.answers = 0;
	w.status = 0;
	w.asked = ++req;
	ay_api_request(w.api, req, message);
	return w.status;
}

/* The same, and until what is done elsewhere has ended. */
static AY_UNUSED int ask_wait(const char *method, const char *target, const char *token,
			      const char *body)
{
	struct pollfd p = { .fd = ay_api_wake_fd(w.api), .events = POLLIN };

	ask(method, target, token, body);
	while (w.answers == 0) {
		assert_int_equal(poll(&p, 1, 60000), 1);
		ay_api_woken(w.api);
	}
	return w.status;
}

/* A member of error in the last answer. */
static AY_UNUSED const char *error_of(const char *member)
{
	static char text[256];
	json_t *j = json_loads(w.body, JSON_REJECT_DUPLICATES, NULL), *v;

	assert_non_null(j);
	v = json_object_get(json_object_get(j, "error"), member);
	if (json_is_integer(v))
		snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(v));
	else
		snprintf(text, sizeof(text), "%s", json_is_string(v) ? json_string_value(v) : "");
	json_decref(j);
	return text;
}

static AY_UNUSED const char *answer_text(const char *member)
{
	static char text[256];
	json_t *j = json_loads(w.body, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(j);
	snprintf(text, sizeof(text), "%s", json_string_value(json_object_get(j, member)));
	json_decref(j);
	return text;
}

#endif
