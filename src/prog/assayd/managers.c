/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/managers.h"

#include "core/base/hex.h"
#include "core/base/json.h"
#include "core/crypto/hash.h"
#include "core/crypto/pem.h"
#include "core/crypto/secret.h"
#include "core/crypto/wrap.h"
#include "prog/assayd/connector.h"
#include "prog/assayd/keepers.h"
#include "prog/assayd/managed.h"
#include "prog/assayd/rewrap.h"

#include <stdlib.h>

enum { HTTPS = 443 };

/* ---- names ---- */

static struct ay_connstr manager_of(const struct ay_connstr *c)
{
	struct ay_connstr m = *c;

	m.esxi = m.cluster = (struct ay_bytes){ NULL, 0 };
	m.port = m.port ? m.port : HTTPS;
	if (m.path.n <= 1)
		m.path = ay_bytes_of(m.vendor == AY_CONNSTR_VMWARE ? "/sdk" : "/");
	return m;
}

static void key_of(const struct ay_connstr *c, char out[AY_CONNSTR_TEXT])
{
	struct ay_connstr m = manager_of(c);

	ay_connstr_format(&m, out);
}

struct ay_manager *ay_manager_by_key(struct ay_engine *g, struct ay_bytes key)
{
	for (struct ay_manager *m = g->managers; m; m = m->next)
		if (ay_bytes_eq(key, ay_bytes_of(m->key)))
			return m;
	return NULL;
}

struct ay_manager *ay_manager_find(struct ay_engine *g, const struct ay_connstr *c)
{
	char key[AY_CONNSTR_TEXT];

	if (!ay_connstr_is_managed(c))
		return NULL;
	key_of(c, key);
	return ay_manager_by_key(g, ay_bytes_of(key));
}

/* ---- memory ---- */

static void forget_session(struct ay_manager *m)
{
	if (m->session && m->connector)
		m->connector->forget(m);
	m->session = NULL;
}

static void manager_free(struct ay_manager *m)
{
	if (!m)
		return;
	forget_session(m);
	free(m->key);
	free(m->url);
	free(m->user);
	free(m->ca);
	free(m->wrapped);
	free(m);
}

void ay_managers_fini(struct ay_engine *g)
{
	struct ay_manager *m;

	while ((m = g->managers)) {
		g->managers = m->next;
		manager_free(m);
	}
}

static char *text_of(struct ay_bytes b)
{
	return strndup(b.n ? (const char *)b.p : "", b.n);
}

static struct ay_manager *manager_new(const struct ay_connstr *c)
{
	struct ay_manager *m = calloc(1, sizeof(*m));
	struct ay_connstr bare = manager_of(c);
	char key[AY_CONNSTR_TEXT], url[AY_CONNSTR_TEXT];

	if (!m)
		return NULL;
	key_of(c, key);
	bare.user = (struct ay_bytes){ NULL, 0 };
	bare.vendor = AY_CONNSTR_PLAIN;
	ay_connstr_format(&bare, url);
	m->vendor = c->vendor;
	m->connector = ay_connector_find(c->vendor);
	m->key = strdup(key);
	m->url = strdup(url);
	m->user = text_of(c->user);
	if (m->key && m->url && m->user)
		return m;
	manager_free(m);
	return NULL;
}

static void add(struct ay_engine *g, struct ay_manager *m)
{
	struct ay_manager **at = &g->managers;

	while (*at)
		at = &(*at)->next;
	*at = m;
}

/* ---- on disk: a row of kind "manager" ---- */

json_t *ay_manager_tls_json(const struct ay_manager *m)
{
	json_t *o;

	if (m->ca)
		return json_pack("{s:s, s:s}", "kind", "ca", "value", m->ca);
	if (m->tls.kind == AY_TLS_NONE)
		return json_null();
	o = json_pack("{s:s}", "kind", ay_tls_policy_name(m->tls.kind));
	if (m->tls.has_key) {
		char hex[65];

		ay_hex_encode(AY_BYTES(m->tls.key), hex);
		json_object_set_new(o, "key", json_string(hex));
	}
	if (m->tls.has_cert) {
		char hex[65];

		ay_hex_encode(AY_BYTES(m->tls.cert), hex);
		json_object_set_new(o, "certificate", json_string(hex));
	}
	return o;
}

static json_t *row_json(const struct ay_manager *m)
{
	char *hex = malloc(2 * m->wrapped_n + 1);
	json_t *o = NULL;

	if (!hex)
		return NULL;
	ay_hex_encode((struct ay_bytes){ m->wrapped, m->wrapped_n }, hex);
	o = json_pack("{s:o, s:s, s:I}", "tls", ay_manager_tls_json(m), "secret", hex, "created_at",
		      (json_int_t)m->created_ms);
	free(hex);
	return o;
}

static enum ay_rc write_row(struct ay_engine *g, const struct ay_manager *m, bool gone,
			    struct ay_err *e)
{
	json_t *o = gone ? NULL : row_json(m);
	char *body = gone ? strdup("") : o ? json_dumps(o, JSON_COMPACT) : NULL;
	struct ay_family_row row = { .kind = "manager", .key = m->key, .body = body };
	struct ay_write w = { .kind = AY_WR_FAMILY_PUT, .family = &row };
	struct ay_store_result res;
	enum ay_rc rc = body ? ay_store_write(g->store, &w, 1, &res, e)
			     : ay_fail(e, AY_E_NOMEM, "manager", 0, "no memory");

	json_decref(o);
	free(body);
	return rc;
}

static bool read_hash(const json_t *o, const char *member, uint8_t out[32])
{
	const char *hex = json_string_value(json_object_get(o, member));

	return hex && ay_hex_decode(ay_bytes_of(hex), member, out, 32, NULL) == AY_OK;
}

static void read_tls(struct ay_manager *m, const json_t *o)
{
	const char *kind = json_string_value(json_object_get(o, "kind"));
	const char *value = json_string_value(json_object_get(o, "value"));

	if (kind && strcmp(kind, "ca") == 0) {
		m->ca = value ? strdup(value) : NULL;
		return;
	}
	m->tls.kind = ay_tls_policy_find(ay_bytes_of(kind ? kind : ""));
	m->tls.has_key = read_hash(o, "key", m->tls.key);
	m->tls.has_cert = read_hash(o, "certificate", m->tls.cert);
}

static bool read_secret(struct ay_manager *m, const char *hex)
{
	size_t n = hex ? strlen(hex) / 2 : 0;

	if (n == 0)
		return true;
	m->wrapped = malloc(n);
	if (!m->wrapped || ay_hex_decode(ay_bytes_of(hex), "secret", m->wrapped, n, NULL) != AY_OK)
		return false;
	m->wrapped_n = n;
	return true;
}

static void load_row(void *arg, const struct ay_family_row *row)
{
	struct ay_engine *g = arg;
	struct ay_manager *m = NULL;
	struct ay_connstr c;
	json_t *o = NULL;
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (strcmp(row->kind, "manager") != 0 || !row->body[0])
		return;
	rc = ay_connstr_parse(ay_bytes_of(row->key), &c, &e);
	if (rc == AY_OK)
		rc = ay_json_load(ay_bytes_of(row->body), AY_MAX_API_BODY, "manager", &o, &e);
	if (rc == AY_OK)
		m = manager_new(&c);
	if (m && read_secret(m, json_string_value(json_object_get(o, "secret")))) {
		m->created_ms = json_integer_value(json_object_get(o, "created_at"));
		read_tls(m, json_object_get(o, "tls"));
		add(g, m);
	} else {
		AY_LOG(AY_LOG_ERROR, "a manager cannot be read", AY_LS("manager", row->key));
		manager_free(m);
	}
	json_decref(o);
}

enum ay_rc ay_managers_load(struct ay_engine *g, struct ay_err *e)
{
	return ay_store_family(g->store, load_row, g, e);
}

/* ---- shown ---- */

static size_t count_hosts(struct ay_engine *g, const struct ay_manager *m)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_hosts; i++) {
		const struct ay_host *h = g->host[i];
		struct ay_connstr c;

		n += h->state != AY_HOST_RETIRED && ay_is_managed(h) &&
		     ay_connstr_parse(ay_bytes_of(h->dial.connect), &c, NULL) == AY_OK &&
		     ay_manager_find(g, &c) == m;
	}
	return n;
}

json_t *ay_manager_json(struct ay_engine *g, const struct ay_manager *m)
{
	char at[AY_TIME_ROOM];

	ay_time_format(m->created_ms, at);
	return json_pack("{s:s, s:s, s:s, s:o, s:b, s:I, s:s}", "connect", m->key, "vendor",
			 ay_connstr_vendor_name(m->vendor), "user", m->user, "tls_policy",
			 ay_manager_tls_json(m), "has_secret", m->wrapped_n > 0, "hosts",
			 (json_int_t)count_hosts(g, m), "created_at", at);
}

enum ay_rc ay_managers_list(struct ay_engine *g, json_t **out, struct ay_err *e)
{
	*out = json_array();
	for (const struct ay_manager *m = g->managers; *out && m; m = m->next)
		json_array_append_new(*out, ay_manager_json(g, m));
	return *out ? AY_OK : ay_fail(e, AY_E_NOMEM, "managers", 0, "no memory");
}

/* ---- changed ---- */

struct putting {
	struct ay_engine *g;
	char key[AY_CONNSTR_TEXT];
	struct ay_manager *fresh; /* NULL: it is known */
	struct ay_tls_policy tls;
	char *ca;
	ay_manager_fn *fn;
	void *arg;
};

/* The object that the password is wrapped for: moved to another manager it does not open. */
static void object_of(const char *key, uint8_t out[32])
{
	ay_sha256(ay_bytes_of(key), out);
}

/* What it shall be; what it owns then and did not before is wrapped and ca. */
static struct ay_manager changed(const struct ay_manager *m, const struct putting *p,
				 uint8_t *wrapped, size_t n)
{
	struct ay_manager next = *m;

	if (wrapped) {
		next.wrapped = wrapped;
		next.wrapped_n = n;
	}
	if (p->tls.kind != AY_TLS_NONE || p->ca) {
		next.tls = p->tls;
		next.ca = p->ca;
	}
	if (p->fresh)
		next.created_ms = p->g->now_ms;
	return next;
}

/* In force once it is stored, and not before. */
static enum ay_rc apply(struct putting *p, struct ay_bytes wrapped, struct ay_manager **out,
			struct ay_err *e)
{
	struct ay_manager *m = p->fresh ? p->fresh : ay_manager_by_key(p->g, ay_bytes_of(p->key));
	uint8_t *copy = NULL;
	struct ay_manager next;
	enum ay_rc rc;

	if (!m)
		return ay_fail_code(e, AY_E_NOENT, "MANAGER_UNKNOWN", "manager", "it is gone");
	copy = wrapped.n ? malloc(wrapped.n) : NULL;
	if (wrapped.n && !copy)
		return ay_fail(e, AY_E_NOMEM, "manager", 0, "no memory");
	if (copy)
		memcpy(copy, wrapped.p, wrapped.n);
	next = changed(m, p, copy, wrapped.n);
	rc = write_row(p->g, &next, false, e);
	if (rc != AY_OK) {
		free(copy);
		return rc;
	}
	if (next.wrapped != m->wrapped)
		free(m->wrapped);
	if (next.ca != m->ca)
		free(m->ca);
	p->ca = NULL; /* the manager's now */
	*m = next;
	if (p->fresh)
		add(p->g, m);
	p->fresh = NULL;
	forget_session(m);
	*out = m;
	return AY_OK;
}

static void put_end(struct putting *p, enum ay_rc rc, const struct ay_err *e, struct ay_manager *m)
{
	p->fn(p->arg, rc, e, m);
	manager_free(p->fresh);
	free(p->ca);
	free(p);
}

static void on_wrapped(void *arg, enum ay_rc rc, const struct ay_err *why, struct ay_bytes wrapped)
{
	struct putting *p = arg;
	struct ay_manager *m = NULL;
	struct ay_err e = { 0 };

	if (rc == AY_OK)
		rc = apply(p, wrapped, &m, &e);
	else
		e = *why;
	put_end(p, rc, &e, m);
}

static struct putting *putting_new(struct ay_engine *g, const struct ay_manager_spec *s,
				   const struct ay_connstr *c)
{
	struct putting *p = calloc(1, sizeof(*p));
	bool ok = p != NULL;

	if (!ok)
		return NULL;
	p->g = g;
	p->tls = s->tls;
	key_of(c, p->key);
	if (s->ca.n)
		ok = (p->ca = text_of(s->ca)) != NULL;
	if (ok && !ay_manager_find(g, c))
		ok = (p->fresh = manager_new(c)) != NULL;
	if (ok)
		return p;
	free(p->ca);
	free(p);
	return NULL;
}

void ay_manager_put(struct ay_engine *g, const struct ay_manager_spec *s, ay_manager_fn *fn,
		    void *arg)
{
	struct ay_bytes secret = s->secret.n ? s->secret : ay_connstr_secret(s->connect);
	struct ay_err e = { 0 };
	struct putting *p = NULL;
	struct ay_connstr c;
	uint8_t object[32];
	enum ay_rc rc = ay_connstr_parse(s->connect, &c, &e);

	if (rc == AY_OK)
		rc = ay_manager_put_check(ay_manager_find(g, &c), s, &c, secret, &e);
	if (rc == AY_OK && !(p = putting_new(g, s, &c)))
		rc = ay_fail(&e, AY_E_NOMEM, "manager", 0, "no memory");
	if (rc != AY_OK || !p) {
		fn(arg, rc, &e, NULL);
		return;
	}
	p->fn = fn;
	p->arg = arg;
	object_of(p->key, object);
	if (secret.n)
		ay_keeper_wrap(g, "connector", AY_BYTES(object), secret, on_wrapped, p);
	else
		on_wrapped(p, AY_OK, &e, secret);
}

enum ay_rc ay_manager_remove(struct ay_engine *g, struct ay_manager *m, struct ay_err *e)
{
	struct ay_manager **at = &g->managers;
	size_t n = count_hosts(g, m);
	enum ay_rc rc;

	if (n > 0 || m->n_running || m->waiting)
		return ay_fail_code(e, AY_E_EXISTS, "MANAGER_IN_USE", "manager",
				    "%zu hosts are reached through it", n);
	rc = write_row(g, m, true, e);
	if (rc != AY_OK)
		return rc;
	while (*at != m)
		at = &(*at)->next;
	*at = m->next;
	manager_free(m);
	return AY_OK;
}

/* ---- used ---- */

bool ay_manager_trust(const struct ay_manager *m, struct ay_outgoing *o)
{
	if (m->ca) {
		o->trust = AY_OUTGOING_CHAIN;
		o->ca = ay_bytes_of(m->ca);
		return true;
	}
	o->has_pin = m->tls.has_key;
	o->has_cert = m->tls.has_cert;
	memcpy(o->spki, m->tls.key, sizeof(o->spki));
	memcpy(o->cert, m->tls.cert, sizeof(o->cert));
	o->trust = o->has_pin || o->has_cert ? AY_OUTGOING_PINNED : AY_OUTGOING_FIRST;
	return o->trust == AY_OUTGOING_PINNED;
}

enum ay_rc ay_manager_seen(struct ay_engine *g, struct ay_manager *m, const uint8_t key[32],
			   struct ay_err *e)
{
	static const uint8_t nobody[32];
	enum ay_rc rc;

	if (m->ca || m->tls.kind != AY_TLS_TRUST_FIRST_USE || m->tls.has_key)
		return AY_OK; /* another request was faster, or it is not asked for */
	if (memcmp(key, nobody, 32) == 0)
		return ay_fail_code(e, AY_E_UNAVAIL, "OUTGOING_PEER", "manager",
				    "nobody knows who answered");
	memcpy(m->tls.key, key, 32);
	m->tls.has_key = true;
	rc = write_row(g, m, false, e);
	if (rc != AY_OK)
		m->tls.has_key = false;
	else
		AY_LOG(AY_LOG_INFO, "key of a manager taken at first use",
		       AY_LS("manager", m->key));
	return rc;
}

void ay_manager_secret(struct ay_engine *g, struct ay_manager *m, ay_document_fn *fn, void *arg)
{
	uint8_t object[32];

	object_of(m->key, object);
	ay_keeper_unwrap(g, "connector", AY_BYTES(object),
			 (struct ay_bytes){ m->wrapped, m->wrapped_n }, fn, arg);
}

/* ---- under a new key of keeper (rewrap.h) ---- */

bool ay_manager_kept_at(struct ay_engine *g, size_t i, struct ay_kept_row *out)
{
	const struct ay_manager *m = g->managers;

	for (; m && i > 0; i--)
		m = m->next;
	if (!m)
		return false;
	object_of(m->key, out->object);
	out->object_n = 32;
	out->wrapped = (struct ay_bytes){ m->wrapped, m->wrapped_n };
	return true;
}

static enum ay_rc put_kept(struct ay_engine *g, struct ay_manager *m, struct ay_bytes fresh,
			   struct ay_err *e)
{
	uint8_t *was = m->wrapped, *copy = malloc(fresh.n + 1);
	size_t was_n = m->wrapped_n;
	enum ay_rc rc;

	if (!copy)
		return ay_fail(e, AY_E_NOMEM, "manager", 0, "no memory");
	memcpy(copy, fresh.p, fresh.n);
	m->wrapped = copy;
	m->wrapped_n = fresh.n;
	rc = write_row(g, m, false, e);
	if (rc != AY_OK) {
		m->wrapped = was;
		m->wrapped_n = was_n;
	}
	free(rc == AY_OK ? was : copy);
	return rc;
}

enum ay_rc ay_manager_kept_put(struct ay_engine *g, const struct ay_kept_row *row,
			       struct ay_bytes fresh, struct ay_err *e)
{
	uint8_t object[32];

	for (struct ay_manager *m = g->managers; m; m = m->next) {
		object_of(m->key, object);
		if (memcmp(object, row->object, sizeof(object)) == 0 &&
		    ay_bytes_eq((struct ay_bytes){ m->wrapped, m->wrapped_n }, row->wrapped))
			return put_kept(g, m, fresh, e);
	}
	return AY_OK; /* another one meanwhile */
}
