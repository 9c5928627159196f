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
#include "prog/assayd/judge_vcenter.h"
#include "prog/assayd/vcenter_impl.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	PAGE = 100, /* objects a page of the inventory */
	MORE_PAGES = 1000,
};

/* ---- reading the inventory ---- */

static void inventory_read(struct ay_vcenter_ask *a);

static void on_page(struct ay_vcenter_ask *a, struct ay_bytes body)
{
	const char *operation =
		a->pages == 0 ? "RetrievePropertiesEx" : "ContinueRetrievePropertiesEx";
	struct ay_xml_text t;
	struct ay_err e = { 0 };
	enum ay_rc rc =
		ay_vim_objects_parse(body, operation, ay_inventory_take, &a->list, a->token, &e);

	if (rc == AY_OK && (a->list.failed || ++a->pages > MORE_PAGES))
		rc = ay_fail_code(&e, AY_E_LIMIT, "MANAGER_ANSWER", "manager",
				  "more hosts than are taken, or no memory");
	e.rc = rc;
	if (rc != AY_OK) {
		ay_vcenter_fail(a, &e);
		return;
	}
	if (!a->token[0]) {
		inventory_read(a);
		return;
	}
	ay_xt_init(&t);
	ay_vim_more_ask(&t, &a->s->content, a->token);
	ay_vcenter_send(a, &t, on_page);
	ay_xt_fini(&t);
}

static void on_view(struct ay_vcenter_ask *a, struct ay_bytes body)
{
	char view[AY_VIM_ID];
	struct ay_xml_text t;
	struct ay_err e = { 0 };

	e.rc = ay_vim_view_parse(body, view, &e);
	if (e.rc != AY_OK) {
		ay_vcenter_fail(a, &e);
		return;
	}
	ay_inventory_fini(&a->list);
	a->pages = 0;
	ay_xt_init(&t);
	ay_vim_inventory_ask(&t, &a->s->content, view, PAGE);
	ay_vcenter_send(a, &t, on_page);
	ay_xt_fini(&t);
}

static void ask_view(struct ay_vcenter_ask *a)
{
	struct ay_xml_text t;

	ay_xt_init(&t);
	ay_vim_view_ask(&t, &a->s->content);
	ay_vcenter_send(a, &t, on_view);
	ay_xt_fini(&t);
}

/* ---- one host ---- */

static void ask_host(struct ay_vcenter_ask *a);
static void find(struct ay_vcenter_ask *a);

static void on_report(struct ay_vcenter_ask *a, struct ay_bytes body)
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
		ay_vcenter_fail(a, &e);
		return;
	}
	ay_wr_init(&w, p, room);
	ay_vcenter_raw_write(&w, &head, (struct ay_bytes){ a->facts, a->facts_n }, body);
	if (ay_wr_end(&w, "vcenter", &raw, &e) == AY_OK)
		ay_gather_done(q, raw);
	else
		ay_vcenter_fail(a, &e);
	free(p);
}

static void ask_report(struct ay_vcenter_ask *a)
{
	struct ay_xml_text t;

	ay_xt_init(&t);
	ay_vim_report_ask(&t, a->host);
	ay_vcenter_send(a, &t, on_report);
	ay_xt_fini(&t);
}

static bool keep_facts(struct ay_vcenter_ask *a, struct ay_bytes body)
{
	free(a->facts);
	a->facts = malloc(body.n + 1);
	a->facts_n = body.n;
	if (a->facts)
		memcpy(a->facts, body.p, body.n);
	return a->facts != NULL;
}

static void on_host(struct ay_vcenter_ask *a, struct ay_bytes body)
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
		ay_vcenter_fail(a, &e);
		return;
	}
	if (!host.connected) {
		ay_vcenter_fail_code(a, AY_E_UNAVAIL, "MANAGER_AWAY",
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

static void ask_host(struct ay_vcenter_ask *a)
{
	struct ay_xml_text t;

	ay_xt_init(&t);
	ay_vim_host_ask(&t, &a->s->content, a->host);
	ay_vcenter_send(a, &t, on_host);
	ay_xt_fini(&t);
}

/* Read the inventory anew: the host's name is not in what is known. */
static void find(struct ay_vcenter_ask *a)
{
	a->lookups++;
	a->then = ask_view;
	ask_view(a);
}

static bool look_up(struct ay_vcenter_ask *a, size_t *n)
{
	const struct ay_inventory_item *it = ay_inventory_find(&a->s->known, a->q->at, n);

	if (it)
		snprintf(a->host, sizeof(a->host), "%s", it->id);
	return it != NULL;
}

static void begin_host(struct ay_vcenter_ask *a)
{
	size_t n;

	if (look_up(a, &n))
		ask_host(a);
	else
		find(a);
}

/* ---- the inventory is read ---- */

static void inventory_read(struct ay_vcenter_ask *a)
{
	struct ay_err e = { 0 };
	json_t *hosts;
	size_t n;

	ay_inventory_fini(&a->s->known);
	a->s->known = a->list;
	a->list = (struct ay_inventory){ NULL, 0, 0, false };
	if (a->l) {
		hosts = ay_inventory_json(&a->s->known, a->l->cluster);
		ay_listing_done(a->l, AY_OK, &e, hosts);
		json_decref(hosts);
		return;
	}
	a->then = begin_host;
	if (look_up(a, &n))
		ask_host(a);
	else
		ay_vcenter_fail_code(a, AY_E_NOENT, "MANAGER_HOST",
				     n > 1 ? "the manager has several hosts that are called so"
					   : "the manager has no host that is called so");
}

/* ---- the connector ---- */

static struct ay_vcenter_ask *ask_new(struct ay_engine *g, struct ay_manager *m)
{
	struct ay_vcenter_session *s = ay_vcenter_session_of(g, m);
	struct ay_vcenter_ask *a = s ? calloc(1, sizeof(*a)) : NULL;

	if (!a)
		return NULL;
	a->s = s;
	s->n_asks++;
	return a;
}

static void gather(struct ay_gather *q)
{
	struct ay_vcenter_ask *a = ask_new(q->g, q->manager);
	struct ay_err e = { 0 };

	if (!a) {
		e.rc = ay_fail(&e, AY_E_NOMEM, "manager", 0, "no memory");
		ay_gather_failed(q, &e);
		return;
	}
	a->q = q;
	a->then = begin_host;
	q->own = a;
	ay_vcenter_log_in(a);
}

static void ask_free(struct ay_vcenter_ask *a, uint32_t *outgoing)
{
	struct ay_vcenter_ask **at = &a->s->waiting;

	if (*outgoing)
		ay_outgoing_forget(ay_vcenter_engine_of(a), *outgoing);
	*outgoing = 0;
	while (*at && *at != a)
		at = &(*at)->next;
	if (*at)
		*at = a->next;
	a->s->n_asks--;
	if (ay_vcenter_is_unused(a->s))
		ay_vcenter_session_free(a->s);
	ay_inventory_fini(&a->list);
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
	struct ay_vcenter_ask *a = ask_new(l->g, l->manager);
	struct ay_err e = { 0 };

	if (!a) {
		e.rc = ay_fail(&e, AY_E_NOMEM, "manager", 0, "no memory");
		ay_listing_done(l, e.rc, &e, NULL);
		return;
	}
	a->l = l;
	a->then = ask_view;
	l->own = a;
	ay_vcenter_log_in(a);
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
	.forget = ay_vcenter_forget,
};
