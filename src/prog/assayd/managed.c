/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/managed.h"

#include "core/crypto/hash.h"
#include "prog/assayd/connector.h"
#include "prog/assayd/enrol.h"
#include "prog/assayd/managed_judge.h"

#include <stdlib.h>

/* Engine's part of a host that a manager speaks for; NULL until it is asked for the first time. */
struct ay_managed {
	struct ay_challenge challenge;
	struct ay_gather *gather; /* under way, or waiting for its manager's turn */
};

/* ---- what is reached, and how ---- */

bool ay_is_managed(const struct ay_host *h)
{
	const char *c = h->dial.connect;

	return c && (strncmp(c, "vmware:", 7) == 0 || strncmp(c, "citrix:", 7) == 0);
}

static bool has_vendor(struct ay_bytes text)
{
	for (int v = AY_CONNSTR_INTEL; v < AY_CONNSTR_VENDORS; v++) {
		struct ay_bytes name =
			ay_bytes_of(ay_connstr_vendor_name((enum ay_connstr_vendor)v));

		if (text.n > name.n && text.p[name.n] == ':' && memcmp(text.p, name.p, name.n) == 0)
			return true;
	}
	return false;
}

/* intel:https://HOST:1443/ is an agent's address. */
static enum ay_rc agent_address(const struct ay_connstr *c, char out[AY_CONNSTR_TEXT],
				struct ay_err *e)
{
	if (c->is_nats)
		return ay_fail_code(
			e, AY_E_INPUT, "NOT_OFFERED", "connect",
			"intel:nats: is not offered; an agent behind NAT dials by itself");
	snprintf(out, AY_CONNSTR_TEXT, "%.*s:%u", (int)c->host.n, (const char *)c->host.p,
		 c->port ? c->port : 1443);
	return AY_OK;
}

static enum ay_rc manager_address(struct ay_engine *g, const struct ay_connstr *c,
				  char out[AY_CONNSTR_TEXT], struct ay_err *e)
{
	const struct ay_manager *m = ay_manager_find(g, c);
	struct ay_connstr at = { .esxi = c->esxi };
	struct ay_connstr whole;

	if (c->cluster.n)
		return ay_fail(e, AY_E_INPUT, "connect", 0,
			       "c= names many hosts: import them (assay host import)");
	if (!m)
		return ay_fail_code(e, AY_E_NOENT, "MANAGER_UNKNOWN", "connect",
				    "no manager is known by this address and user: give its "
				    "password and TLS policy once");
	if (ay_connstr_parse(ay_bytes_of(m->key), &whole, e) != AY_OK)
		return e ? e->rc : AY_E_BUG;
	whole.esxi = at.esxi;
	ay_connstr_format(&whole, out);
	return AY_OK;
}

enum ay_rc ay_managed_connect(struct ay_engine *g, struct ay_bytes text, char out[AY_CONNSTR_TEXT],
			      struct ay_err *e)
{
	struct ay_connstr c;
	enum ay_rc rc;

	out[0] = '\0';
	if (!has_vendor(text)) {
		if (text.n >= 256)
			return ay_fail(e, AY_E_LIMIT, "connect", 0, "longer than 255 octets");
		if (text.n)
			memcpy(out, text.p, text.n);
		out[text.n] = '\0';
		return AY_OK;
	}
	rc = ay_connstr_parse(text, &c, e);
	if (rc != AY_OK)
		return rc;
	if (c.vendor == AY_CONNSTR_INTEL)
		return agent_address(&c, out, e);
	if (ay_connstr_is_managed(&c))
		return manager_address(g, &c, out, e);
	return ay_fail_code(e, AY_E_INPUT, "NOT_OFFERED", "connect",
			    "%s: hosts are not offered by this server",
			    ay_connstr_vendor_name(c.vendor));
}

/* ---- one question ---- */

int64_t ay_managed_deadline(const struct ay_host *h)
{
	const struct ay_managed *m = h->run->managed;

	return m && m->challenge.state == AY_CHALLENGE_ISSUED ? m->challenge.deadline_ms : AY_NEVER;
}

bool ay_managed_is_free(const struct ay_host *h)
{
	return (!h->run->managed || !h->run->managed->gather) && h->run->in_flight == 0;
}

static struct ay_managed *managed_of(struct ay_host *h)
{
	if (!h->run->managed)
		h->run->managed = calloc(1, sizeof(*h->run->managed));
	return h->run->managed;
}

static void set_connected(struct ay_engine *g, struct ay_host *h, bool on)
{
	if (h->connected == on)
		return;
	h->connected = on;
	g->count.connected += on ? 1 : (uint64_t)-1;
}

static void start_waiting(struct ay_manager *m);

static void leave_queue(struct ay_gather *q)
{
	struct ay_gather **at = &q->manager->waiting;

	while (*at && *at != q)
		at = &(*at)->next;
	if (*at)
		*at = q->next;
}

/* q is gone when this returns; the next one may have been started. */
static void gather_end(struct ay_gather *q)
{
	struct ay_manager *m = q->manager;

	q->host->run->managed->gather = NULL;
	if (q->runs) {
		m->connector->drop(q);
		m->n_running--;
	} else {
		leave_queue(q);
	}
	ay_wipe(q->nonce, sizeof(q->nonce));
	free(q);
	start_waiting(m);
}

static void gather_start(struct ay_gather *q)
{
	struct ay_host *h = q->host;

	q->runs = true;
	q->manager->n_running++;
	q->until = q->g->mono_ms + q->g->set.deadline_ms;
	ay_nonce_draw(q->g, q->nonce);
	ay_challenge_issue(&h->run->managed->challenge, q->nonce, 0, ++h->run->next_request,
			   q->until);
	q->g->count.challenges++;
	ay_schedule_host(q->g, h);
	q->manager->connector->gather(q);
}

static void start_waiting(struct ay_manager *m)
{
	while (m->waiting && m->n_running < AY_MAX_MANAGER_ASKED) {
		struct ay_gather *q = m->waiting;

		m->waiting = q->next;
		gather_start(q);
	}
}

uint32_t ay_gather_left_ms(const struct ay_gather *q)
{
	int64_t left = q->until - q->g->mono_ms;

	return left < 1 ? 1 : left > AY_MAX_OUTGOING_MS ? AY_MAX_OUTGOING_MS : (uint32_t)left;
}

static struct ay_gather *gather_new(struct ay_engine *g, struct ay_host *h, struct ay_manager *m,
				    struct ay_bytes at)
{
	struct ay_gather *q = calloc(1, sizeof(*q)), **end = &m->waiting;

	if (!q)
		return NULL;
	q->g = g;
	q->host = h;
	q->manager = m;
	snprintf(q->at, sizeof(q->at), "%.*s", (int)at.n, at.n ? (const char *)at.p : "");
	q->is_bound = h->state == AY_HOST_ENROLLED && h->run->has_managed_id;
	q->bound = h->run->managed_id;
	h->run->managed->gather = q;
	while (*end)
		end = &(*end)->next;
	*end = q;
	return q;
}

/* Somebody is told why there is no answer, and it counts as silence. */
static void missed(struct ay_engine *g, struct ay_host *h, const struct ay_err *e)
{
	set_connected(g, h, false);
	if (strcmp(e->code, "OUTGOING_PEER") == 0) {
		struct ay_err other = { 0 };

		other.rc = ay_fail_code(&other, AY_E_DENIED, "TLS_POLICY", "connect",
					"the manager answers with another certificate than the one "
					"its TLS policy pins");
		ay_dial_policy(g, h, &other);
	} else {
		ay_hosts_note(g, h, e);
	}
	ay_settle_waiters(g, h, AY_E_UNAVAIL, e);
	if (h->state == AY_HOST_ENROLLED)
		ay_schedule_missed(g, h);
	else if (h->state != AY_HOST_RETIRED)
		ay_dial_later(g, h);
	ay_schedule_host(g, h);
}

static void begin(struct ay_engine *g, struct ay_host *h)
{
	struct ay_manager *m = NULL;
	struct ay_connstr c = { 0 };
	struct ay_err e = { 0 };

	if (!managed_of(h) || h->run->managed->gather)
		return;
	if (ay_connstr_parse(ay_bytes_of(h->dial.connect), &c, &e) == AY_OK)
		m = ay_manager_find(g, &c);
	if (m && m->connector && gather_new(g, h, m, c.esxi)) {
		start_waiting(m);
		return;
	}
	e.rc = ay_fail_code(&e, AY_E_UNAVAIL, "MANAGER_UNKNOWN", "connect",
			    "the manager of this host is not known");
	missed(g, h, &e);
}

void ay_managed_ask(struct ay_engine *g, struct ay_host *h)
{
	h->run->due = AY_NEVER;
	begin(g, h);
}

void ay_managed_meet(struct ay_engine *g, struct ay_host *h)
{
	if (h->state == AY_HOST_REGISTERED)
		begin(g, h);
}

void ay_managed_expire(struct ay_engine *g, struct ay_host *h)
{
	struct ay_managed *m = h->run->managed;
	struct ay_err e = { 0 };

	if (!m || !ay_challenge_expire(&m->challenge, g->mono_ms))
		return;
	if (m->gather)
		gather_end(m->gather);
	e.rc = ay_fail_code(&e, AY_E_UNAVAIL, "OUTGOING_TIMEOUT", "manager",
			    "the manager gave no whole answer in time");
	missed(g, h, &e);
}

void ay_managed_drop(struct ay_engine *g, struct ay_host *h)
{
	struct ay_managed *m = h->run->managed;

	if (!m)
		return;
	ay_challenge_abandon(&m->challenge);
	if (m->gather)
		gather_end(m->gather);
	set_connected(g, h, false);
	free(m);
	h->run->managed = NULL;
}

void ay_managed_end(struct ay_engine *g)
{
	for (struct ay_manager *m = g->managers; m; m = m->next)
		while (m->waiting)
			gather_end(m->waiting);
	for (size_t i = 0; i < g->n_hosts; i++)
		if (g->host[i]->run->managed)
			ay_managed_drop(g, g->host[i]);
}

void ay_gather_failed(struct ay_gather *q, const struct ay_err *why)
{
	struct ay_engine *g = q->g;
	struct ay_host *h = q->host;
	struct ay_err e = *why;

	ay_challenge_abandon(&h->run->managed->challenge);
	gather_end(q);
	missed(g, h, &e);
}

/* ---- who it is ---- */

/* A host is bound once to its manager's id for it; two registrations of one machine are refused. */
static void pseudonym_of(enum ay_connstr_vendor v, const struct ay_uuid *id, uint8_t out[32])
{
	char text[64];

	snprintf(text, sizeof(text), "assay-managed-1 %s ", ay_connstr_vendor_name(v));
	ay_uuid_format(id, text + strlen(text));
	ay_sha256(ay_bytes_of(text), out);
}

struct binding {
	const struct ay_managed_who *who;
	char *tpm;
	uint8_t pseudonym[32];
	int64_t now;
};

/* The manager's id stands with the TPM's facts, which are for people. */
static char *tpm_json(const struct ay_managed_who *who)
{
	json_t *o = json_loads(who->tpm ? who->tpm : "{}", 0, NULL);
	char id[AY_UUID_TEXT], *text;

	ay_uuid_format(&who->id, id);
	json_object_set_new(o, "managed_id", json_string(id));
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	return text;
}

static void bind_row(void *arg, struct ay_host_row *row)
{
	const struct binding *b = arg;

	row->state = AY_HOST_ENROLLED;
	row->grade = "agentless";
	row->ak_name = b->who->ak_name;
	row->ak_public = b->who->ak_public;
	row->qualified_name = b->who->qualified_name;
	row->cert = b->who->cert;
	row->cert_serial = b->who->cert_serial;
	row->cert_until = b->who->cert_until_ms;
	row->cert_renew = 0;
	row->pseudonym = AY_BYTES(b->pseudonym);
	row->tls_spki = b->who->tls_spki;
	row->tpm = b->tpm;
	row->enrolled_at = b->now;
	row->note_code = row->note_text = "";
	row->note_at = 0;
}

static void reread(void *arg, const struct ay_host_row *row, const struct ay_host_status *s,
		   const struct ay_host_context *c)
{
	struct ay_gather *q = arg;

	(void)s, (void)c;
	(void)ay_hosts_bind(q->g, q->host, row);
}

static enum ay_rc bind(struct ay_gather *q, const struct ay_managed_who *who, struct ay_err *e)
{
	struct binding b = { .who = who, .tpm = tpm_json(who), .now = q->g->now_ms };
	enum ay_rc rc;

	if (!b.tpm)
		return ay_fail(e, AY_E_NOMEM, "host", 0, "no memory");
	pseudonym_of(q->manager->vendor, &who->id, b.pseudonym);
	if (ay_hosts_by_pseudonym(q->g, b.pseudonym) &&
	    ay_hosts_by_pseudonym(q->g, b.pseudonym) != q->host)
		rc = ay_fail_code(e, AY_E_EXISTS, "MANAGED_BOUND", "host",
				  "another host is bound to this machine of the manager");
	else
		rc = ay_hosts_edit(q->g, q->host, bind_row, &b, e);
	if (rc == AY_OK)
		rc = ay_store_host(q->g->store, &q->host->id, reread, q, e);
	free(b.tpm);
	return rc;
}

bool ay_gather_met(struct ay_gather *q, const struct ay_managed_who *who)
{
	struct ay_engine *g = q->g;
	struct ay_host *h = q->host;
	struct ay_err e = { 0 };

	if (q->is_bound)
		return true;
	if (bind(q, who, &e) != AY_OK) {
		ay_gather_failed(q, &e);
		return false;
	}
	ay_challenge_abandon(&h->run->managed->challenge);
	gather_end(q);
	set_connected(g, h, true);
	g->count.enrolments++;
	ay_event_emit(g, "enrolled", h, "ENROLLED", "bound to its manager's id");
	AY_LOG(AY_LOG_INFO, "host bound through its manager", AY_LS("host", h->name));
	ay_schedule_now(g, h);
	return false;
}

/* ---- evidence ---- */

void ay_gather_done(struct ay_gather *q, struct ay_bytes raw)
{
	struct ay_engine *g = q->g;
	struct ay_host *h = q->host;
	struct ay_managed *m = h->run->managed;
	struct ay_job *j = NULL;
	struct ay_err e = { 0 };
	uint8_t nonce[32];
	enum ay_rc rc =
		ay_challenge_consume(&m->challenge, 0, m->challenge.request, g->mono_ms, nonce, &e);

	if (rc == AY_OK && !(j = ay_job_new(g, h, NULL)))
		rc = ay_fail(&e, AY_E_NOMEM, "evidence", 0, "no memory");
	if (rc == AY_OK && !ay_job_body(j, raw)) {
		rc = ay_fail(&e, AY_E_NOMEM, "evidence", 0, "no memory");
		ay_job_free(g, j);
	}
	if (rc != AY_OK || !j) {
		ay_gather_failed(q, &e);
		return;
	}
	j->managed = (uint8_t)q->manager->vendor;
	j->raw = true;
	j->request = m->challenge.request;
	memcpy(j->nonce, nonce, sizeof(j->nonce));
	set_connected(g, h, true);
	gather_end(q);
	ay_job_submit(g, j);
}

/* ---- lists ---- */

void ay_listing_done(struct ay_listing *l, enum ay_rc rc, const struct ay_err *e, json_t *hosts)
{
	l->manager->connector->list_drop(l);
	l->manager->n_running--;
	l->fn(l->arg, rc, e, hosts);
	free(l);
}

static struct ay_listing *listing_new(struct ay_engine *g, struct ay_bytes connect,
				      struct ay_err *e)
{
	struct ay_listing *l = calloc(1, sizeof(*l));
	struct ay_connstr c;
	enum ay_rc rc = ay_connstr_parse(connect, &c, e);

	if (l && rc == AY_OK) {
		l->g = g;
		l->manager = ay_manager_find(g, &c);
		l->until = g->mono_ms + g->set.deadline_ms;
		snprintf(l->cluster, sizeof(l->cluster), "%.*s", (int)c.cluster.n,
			 c.cluster.n ? (const char *)c.cluster.p : "");
		if (!l->manager || !l->manager->connector || !l->manager->connector->list)
			rc = ay_fail_code(e, AY_E_NOENT, "MANAGER_UNKNOWN", "from",
					  "no manager that lists hosts is known by this address");
	}
	if (l && rc == AY_OK)
		return l;
	free(l);
	if (rc == AY_OK)
		ay_err_set(e, AY_E_NOMEM, "import", 0, "no memory");
	return NULL;
}

void ay_managed_list(struct ay_engine *g, struct ay_bytes connect,
		     void (*fn)(void *arg, enum ay_rc rc, const struct ay_err *e, json_t *hosts),
		     void *arg)
{
	struct ay_err e = { 0 };
	struct ay_listing *l = listing_new(g, connect, &e);

	if (!l) {
		fn(arg, e.rc, &e, NULL);
		return;
	}
	l->fn = fn;
	l->arg = arg;
	l->manager->n_running++;
	l->manager->connector->list(l);
}
