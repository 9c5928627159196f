/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/engine_impl.h"
#include "prog/assayd/verify.h"

#include "core/appraise/policy.h"
#include "core/base/hex.h"
#include "core/base/json.h"
#include "core/tpm/public.h"
#include "io/sys/rng.h"

#include <stdlib.h>

enum ay_rc ay_hosts_init(struct ay_engine *g, struct ay_err *e)
{
	struct ay_index **x[] = { &g->by_id,	    &g->by_name, &g->by_key,
				  &g->by_pseudonym, &g->by_ak,	 &g->blobs };
	uint64_t seed;

	for (size_t i = 0; i < AY_COUNT(x); i++) {
		ay_rng_bytes(&seed, sizeof(seed));
		*x[i] = ay_index_new(seed);
		if (!*x[i])
			return ay_fail(e, AY_E_NOMEM, "hosts", 0, "no memory for the host table");
	}
	return AY_OK;
}

static void free_labels(struct ay_host *h)
{
	for (size_t i = 0; i < h->n_labels; i++) {
		free(h->labels[i].key);
		free(h->labels[i].value);
	}
	free(h->labels);
	h->labels = NULL;
	h->n_labels = 0;
}

static void host_free(struct ay_host *h)
{
	if (!h)
		return;
	free_labels(h);
	free(h->name);
	free(h->policy);
	free(h->dial.connect);
	free(h->note_code);
	free(h->note_text);
	if (h->run) {
		ay_pubkey_free(h->run->ak);
		ay_blob_unref(h->run->pcrs);
		ay_blob_unref(h->run->ima);
		ay_memo_unref(h->run->memo);
		ay_judge_unref(h->run->judge);
	}
	if (h->run)
		free(h->run->managed);
	free(h->run);
	free(h);
}

static bool drop_blob(void *arg, void *value)
{
	(void)arg;
	ay_blob_unref(value);
	return true;
}

static bool drop_lone_blob(void *arg, void *value)
{
	struct ay_blob *b = value;

	(void)arg;
	if (__atomic_load_n(&b->refs, __ATOMIC_ACQUIRE) > 1)
		return false;
	ay_blob_unref(b);
	return true;
}

void ay_hosts_sweep(struct ay_engine *g)
{
	ay_index_sweep(g->blobs, drop_lone_blob, NULL);
}

void ay_hosts_fini(struct ay_engine *g)
{
	ay_hostlist_fini(g);
	ay_verify_fini(g);
	for (size_t i = 0; i < g->n_hosts; i++)
		host_free(g->host[i]);
	free(g->host);
	ay_index_free(g->by_id);
	ay_index_free(g->by_name);
	ay_index_free(g->by_key);
	ay_index_free(g->by_pseudonym);
	ay_index_free(g->by_ak);
	ay_index_sweep(g->blobs, drop_blob, NULL);
	ay_index_free(g->blobs);
}

/* ---- finding ---- */

struct ay_host *ay_hosts_by_key(struct ay_engine *g, const uint8_t spki[32])
{
	return ay_index_find(g->by_key, (struct ay_bytes){ spki, 32 });
}

struct ay_host *ay_hosts_by_id(struct ay_engine *g, const struct ay_uuid *id)
{
	return ay_index_find(g->by_id, AY_BYTES(id->b));
}

struct ay_host *ay_hosts_by_name(struct ay_engine *g, struct ay_bytes name)
{
	return ay_index_find(g->by_name, name);
}

struct ay_host *ay_hosts_by_pseudonym(struct ay_engine *g, const uint8_t pseudonym[32])
{
	return ay_index_find(g->by_pseudonym, (struct ay_bytes){ pseudonym, 32 });
}

struct ay_host *ay_hosts_by_ak(struct ay_engine *g, struct ay_bytes ak_name)
{
	return ay_index_find(g->by_ak, ak_name);
}

const struct ay_host *ay_engine_host_find(struct ay_engine *g, struct ay_bytes id_or_name)
{
	struct ay_uuid id;
	struct ay_host *h;

	if (ay_uuid_looks_like(id_or_name)) {
		if (ay_uuid_parse(id_or_name, "host", &id, NULL) != AY_OK)
			return NULL;
		h = ay_hosts_by_id(g, &id);
		return h && h->state != AY_HOST_RETIRED ? h : NULL;
	}
	return ay_hosts_by_name(g, id_or_name);
}

const struct ay_host *ay_engine_host_next(struct ay_engine *g, size_t *at)
{
	while (*at < g->n_hosts) {
		struct ay_host *h = g->host[(*at)++];

		if (h->state != AY_HOST_RETIRED)
			return h;
	}
	return NULL;
}

size_t ay_engine_host_count(const struct ay_engine *g)
{
	return (size_t)g->count.hosts;
}

/* ---- contents that hosts share ---- */

struct ay_blob *ay_hosts_share(struct ay_engine *g, struct ay_blob *b)
{
	struct ay_blob *known;

	if (!b)
		return NULL;
	known = ay_index_find(g->blobs, ay_blob_id(b));
	if (known) {
		(void)ay_blob_ref(known);
		ay_blob_unref(b);
		return known;
	}
	if (ay_index_add(g->blobs, ay_blob_id(b), b))
		(void)ay_blob_ref(b);
	return b;
}

/* ---- counters kept for the overview ---- */

static void count_host(struct ay_engine *g, const struct ay_host *h, int by)
{
	g->count.state[h->state] += (uint64_t)by;
	if (h->state != AY_HOST_RETIRED)
		g->count.hosts += (uint64_t)by;
	if (h->state == AY_HOST_ENROLLED)
		g->count.verdict[h->lease.verdict] += (uint64_t)by;
}

void ay_hosts_move(struct ay_engine *g, struct ay_host *h, enum ay_host_state to)
{
	struct ay_err e;
	enum ay_rc rc;

	count_host(g, h, -1);
	rc = ay_host_move(&h->state, to, &e);
	count_host(g, h, 1);
	if (rc != AY_OK)
		ay_log_err(AY_LOG_ERROR, "host state", &e);
}

void ay_hosts_set_verdict(struct ay_engine *g, struct ay_host *h, enum ay_lease_event ev)
{
	enum ay_verdict was = h->lease.verdict;
	bool changed;

	count_host(g, h, -1);
	changed = ay_lease_apply(&h->lease, ev, AY_UNKNOWN, 0);
	count_host(g, h, 1);
	if (changed)
		ay_event_verdict(g, h, was);
}

void ay_hosts_settle_lease(struct ay_engine *g, struct ay_host *h, const struct ay_lease *l)
{
	count_host(g, h, -1);
	h->lease = *l;
	count_host(g, h, 1);
}

/* ---- rows to hosts ---- */

static char *dup_or_null(const char *s)
{
	return s && *s ? strdup(s) : NULL;
}

/* Copies a short text, cut to what fits. */
static void put_text(char *out, size_t room, const char *s)
{
	size_t n = s ? strnlen(s, room - 1) : 0;

	if (n)
		memcpy(out, s, n);
	out[n] = 0;
}

static void read_labels(struct ay_host *h, const char *json)
{
	json_t *o = json ? json_loads(json, 0, NULL) : NULL;
	const char *key;
	json_t *value;

	free_labels(h);
	if (json_is_object(o) && json_object_size(o))
		h->labels = calloc(json_object_size(o), sizeof(*h->labels));
	if (h->labels) {
		json_object_foreach (o, key, value) {
			if (!json_is_string(value))
				continue;
			h->labels[h->n_labels].key = strdup(key);
			h->labels[h->n_labels++].value = strdup(json_string_value(value));
		}
	}
	json_decref(o);
}

static void read_tpm(struct ay_host *h, const char *json)
{
	struct ay_host_identity *id = &h->identity;
	json_t *o = json ? json_loads(json, 0, NULL) : NULL;
	const char *managed = json_string_value(json_object_get(o, "managed_id"));

	put_text(id->family, sizeof(id->family), json_string_value(json_object_get(o, "family")));
	put_text(id->manufacturer, sizeof(id->manufacturer),
		 json_string_value(json_object_get(o, "manufacturer")));
	put_text(id->model, sizeof(id->model), json_string_value(json_object_get(o, "model")));
	put_text(id->firmware, sizeof(id->firmware),
		 json_string_value(json_object_get(o, "firmware")));
	h->run->has_managed_id = managed && ay_uuid_parse(ay_bytes_of(managed), "managed_id",
							  &h->run->managed_id, NULL) == AY_OK;
	json_decref(o);
}

static void read_binding(struct ay_host *h, const struct ay_host_row *row)
{
	struct ay_host_identity *id = &h->identity;

	*id = (struct ay_host_identity){ 0 };
	put_text(id->grade, sizeof(id->grade), row->grade);
	if (row->ak_name.n <= sizeof(id->ak_name)) {
		id->ak_name_n = (uint8_t)row->ak_name.n;
		if (row->ak_name.n)
			memcpy(id->ak_name, row->ak_name.p, row->ak_name.n);
	}
	if (row->qualified_name.n && row->qualified_name.n <= AY_NAME_MAX) {
		h->run->qualified_name_n = (uint8_t)row->qualified_name.n;
		memcpy(h->run->qualified_name, row->qualified_name.p, row->qualified_name.n);
	}
	if (row->pseudonym.n == 32)
		memcpy(id->pseudonym, row->pseudonym.p, 32);
	if (row->tls_spki.n == 32)
		memcpy(id->tls_key, row->tls_spki.p, 32);
	id->cert_until_ms = row->cert_until;
	id->cert_renew_ms = row->cert_renew;
	read_tpm(h, row->tpm);
}

static void read_tls(struct ay_tls_policy *p, const struct ay_host_row *row)
{
	memset(p, 0, sizeof(*p));
	p->kind = ay_tls_policy_find(ay_bytes_of(row->tls_kind));
	p->has_key = row->agent_key.n == 32;
	if (p->has_key)
		memcpy(p->key, row->agent_key.p, 32);
	p->has_cert = row->agent_cert.n == 32;
	if (p->has_cert)
		memcpy(p->cert, row->agent_cert.p, 32);
}

static void read_row(struct ay_host *h, const struct ay_host_row *row)
{
	h->id = row->id;
	h->run->rev = row->rev;
	h->created_ms = row->created_at;
	free(h->policy);
	h->policy = dup_or_null(row->policy);
	free(h->dial.connect);
	h->dial.connect = dup_or_null(row->connect);
	read_tls(&h->dial.tls, row);
	h->dial.token_id[0] = 0;
	if (row->token.n == 16)
		ay_hex_encode(row->token, h->dial.token_id);
	free(h->note_code);
	free(h->note_text);
	h->note_code = dup_or_null(row->note_code);
	h->note_text = dup_or_null(row->note_text);
	h->note_ms = row->note_at;
	read_labels(h, row->labels);
	read_binding(h, row);
}

static bool is_set(const uint8_t key[32])
{
	static const uint8_t zero[32];

	return memcmp(key, zero, 32) != 0;
}

static struct ay_bytes ak_of(const struct ay_host *h)
{
	return (struct ay_bytes){ h->identity.ak_name, h->identity.ak_name_n };
}

/* A bound host has a TPM and an AK; its TLS key may be taken back by another TLS policy. */
static bool index_keys(struct ay_engine *g, struct ay_host *h)
{
	bool ok = true;

	if (is_set(h->identity.tls_key))
		ok = ay_index_add(g->by_key, AY_BYTES(h->identity.tls_key), h);
	if (ok && is_set(h->identity.pseudonym))
		ok = ay_index_add(g->by_pseudonym, AY_BYTES(h->identity.pseudonym), h);
	if (ok && h->identity.ak_name_n > 0)
		ok = ay_index_add(g->by_ak, ak_of(h), h);
	return ok;
}

/* Into the indexes; false when one of its names is taken, which the store excludes. */
static bool index_host(struct ay_engine *g, struct ay_host *h)
{
	bool ok = ay_index_add(g->by_id, AY_BYTES(h->id.b), h);

	if (h->state == AY_HOST_RETIRED)
		return ok;
	return ok && ay_index_add(g->by_name, ay_bytes_of(h->name), h) && index_keys(g, h);
}

static void unindex_keys(struct ay_engine *g, struct ay_host *h)
{
	ay_index_drop(g->by_key, AY_BYTES(h->identity.tls_key), h);
	ay_index_drop(g->by_pseudonym, AY_BYTES(h->identity.pseudonym), h);
	ay_index_drop(g->by_ak, ak_of(h), h);
}

static struct ay_host *host_new(struct ay_engine *g, const struct ay_host_row *row)
{
	struct ay_host *h = calloc(1, sizeof(*h));
	struct ay_host **all;

	if (h)
		h->run = calloc(1, sizeof(*h->run));
	if (h && g->n_hosts == g->max_hosts) {
		all = realloc(g->host, (2 * g->max_hosts + 64) * sizeof(struct ay_host *));
		if (all) {
			g->host = all;
			g->max_hosts = 2 * g->max_hosts + 64;
		}
	}
	if (!h || !h->run || g->n_hosts == g->max_hosts) {
		host_free(h);
		return NULL;
	}
	h->run->host = h;
	h->run->due = h->run->by = h->run->stale_at = AY_NEVER;
	h->run->said_verdict = 255;
	h->name = strdup(row->name);
	h->state = row->state < AY_HOST_STATES ? row->state : AY_HOST_RETIRED;
	ay_lease_init(&h->lease);
	read_row(h, row);
	if (!h->name || !index_host(g, h)) {
		ay_index_drop(g->by_id, AY_BYTES(h->id.b), h);
		if (h->name)
			ay_index_drop(g->by_name, ay_bytes_of(h->name), h);
		host_free(h);
		return NULL;
	}
	h->run->index = (uint32_t)g->n_hosts;
	g->host[g->n_hosts++] = h;
	g->order.stale = true;
	count_host(g, h, 1);
	ay_refs_attach(g, h);
	return h;
}

static void read_context(struct ay_engine *g, struct ay_host *h, const struct ay_host_context *c)
{
	struct ay_host_run *r = h->run;

	if (c->boot_id.n && ay_boot_mark_parse(c->boot_id, &r->boot, NULL) != AY_OK)
		AY_LOG(AY_LOG_WARN, "what is stored of the last boot cannot be read",
		       AY_LS("host", h->name));
	r->has_log = c->boot_log.n == 32;
	if (r->has_log)
		memcpy(r->log_id, c->boot_log.p, 32);
	if (c->sticky.n == 1) {
		h->sticky_duplicate = c->sticky.p[0] & AY_STICKY_DUPLICATE;
		h->sticky = c->sticky.p[0] != 0;
	}
	if (c->ima.n) {
		r->ima = ay_blob_new(c->ima);
		r->ima_octets = c->ima_offset;
		r->ima_entries = c->ima_entries;
	}
	if (c->pcrs.n == 32) {
		struct ay_arena a;
		struct ay_bytes wire;

		ay_arena_init(&a, 2 * AY_PCRS_WIRE_MAX);
		if (ay_store_blob(g->store, c->pcrs, &a, &wire, NULL) == AY_OK)
			r->pcrs = ay_hosts_share(g, ay_blob_new(wire));
		ay_arena_fini(&a);
	}
}

static void read_status(struct ay_engine *g, struct ay_host *h, const struct ay_host_status *s)
{
	struct ay_lease l = { .verdict = s->verdict <= AY_TRUSTED ? s->verdict : AY_UNTRUSTED,
			      .until_ms = s->lease_until,
			      .judged = s->judged };

	h->version = h->run->claimed = s->version;
	h->attested_ms = s->attested_at;
	h->run->seq = s->attestation;
	if (s->version)
		ay_hosts_settle_lease(g, h, &l);
	memcpy(h->report_id, s->report_id, sizeof(h->report_id));
	for (size_t i = 0; 2 * i + 1 < s->components.n && i < AY_COMPONENTS; i++) {
		h->components[i] = s->components.p[2 * i];
		h->grades[i] = s->components.p[2 * i + 1];
	}
	h->run->counters = (struct ay_counters){ s->counters_known, s->clock_ms, s->tpm_firmware,
						 s->reset_count, s->restart_count };
}

static void load_one(void *arg, const struct ay_host_row *row, const struct ay_host_status *s,
		     const struct ay_host_context *c)
{
	struct ay_engine *g = arg;
	struct ay_host_row r = *row;
	struct ay_host *h;

	/* what was under way when the process ended has no connection any more */
	if (r.state == AY_HOST_PROVISIONING)
		r.state = AY_HOST_REGISTERED;
	h = host_new(g, &r);
	if (!h) {
		AY_LOG(AY_LOG_ERROR, "host cannot be loaded", AY_LS("name", row->name));
		return;
	}
	if (s)
		read_status(g, h, s);
	if (c)
		read_context(g, h, c);
}

enum ay_rc ay_hosts_load(struct ay_engine *g, struct ay_err *e)
{
	return ay_store_hosts(g->store, load_one, g, e);
}

/* ---- changes that are stored already ---- */

void ay_hosts_unbind_key(struct ay_engine *g, struct ay_host *h)
{
	ay_index_drop(g->by_key, AY_BYTES(h->identity.tls_key), h);
	memset(h->identity.tls_key, 0, sizeof(h->identity.tls_key));
}

struct ay_host *ay_hosts_bind(struct ay_engine *g, struct ay_host *h, const struct ay_host_row *row)
{
	if (!h) {
		struct ay_host_row fresh = *row;

		/* the states in between were passed by the connection that proved it */
		fresh.state = AY_HOST_ENROLLED;
		h = host_new(g, &fresh);
		return h;
	}
	unindex_keys(g, h);
	ay_pubkey_free(h->run->ak);
	h->run->ak = NULL;
	h->run->binding++;
	h->run->revoked = false; /* that was the certificate before */
	read_row(h, row);
	if (h->state == AY_HOST_REGISTERED)
		ay_hosts_move(g, h, AY_HOST_PROVISIONING);
	if (h->state == AY_HOST_PROVISIONING)
		ay_hosts_move(g, h, AY_HOST_ENROLLED);
	if (!index_host(g, h))
		AY_LOG(AY_LOG_ERROR, "bound host cannot be indexed", AY_LS("name", h->name));
	return h;
}

void ay_hosts_forget(struct ay_engine *g, struct ay_host *h)
{
	g->order.stale = true;
	unindex_keys(g, h);
	ay_index_drop(g->by_name, ay_bytes_of(h->name), h);
	ay_pubkey_free(h->run->ak);
	h->run->ak = NULL;
	h->identity = (struct ay_host_identity){ 0 };
	ay_sched_drop(&g->host_sched, &h->run->wake);
	ay_pace_drop(&g->pace, &h->run->pace);
	h->run->due = h->run->by = h->run->stale_at = AY_NEVER;
}

bool ay_hosts_rename(struct ay_engine *g, struct ay_host *h, const char *name)
{
	char *copy = strdup(name), *old = h->name;

	if (!copy || !ay_index_add(g->by_name, ay_bytes_of(copy), h)) {
		free(copy);
		return false;
	}
	ay_index_drop(g->by_name, ay_bytes_of(old), h);
	h->name = copy;
	g->order.stale = true;
	free(old);
	return true;
}

struct ay_host *ay_hosts_add(struct ay_engine *g, const struct ay_host_row *row)
{
	return host_new(g, row);
}

void ay_hosts_reread(struct ay_host *h, const struct ay_host_row *row)
{
	read_row(h, row);
}
