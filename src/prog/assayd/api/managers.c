/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/managers.h"

#include "core/base/connstr.h"
#include "prog/assayd/api/auth.h"
#include "prog/assayd/managed.h"
#include "prog/assayd/managers.h"

/* ---- what a request says of a manager ---- */

bool ay_api_is_managed(struct ay_bytes connect)
{
	return connect.n > 7 &&
	       (memcmp(connect.p, "vmware:", 7) == 0 || memcmp(connect.p, "citrix:", 7) == 0);
}

static struct ay_bytes text_of(const json_t *o, const char *member)
{
	const json_t *s = json_object_get(o, member);

	return (struct ay_bytes){ (const uint8_t *)json_string_value(s), json_string_length(s) };
}

/* As of an agent, and besides by the CA that its certificate chains to. */
static enum ay_rc tls_of(const struct ay_api_call *c, struct ay_manager_spec *s, struct ay_err *e)
{
	const json_t *o = json_object_get(c->body, "tls_policy");
	struct ay_bytes kind = text_of(o, "kind"), value = text_of(o, "value");

	if (o == NULL && ay_api_flag(c, "trust_first_use"))
		return ay_tls_policy_parse(ay_bytes_of("trust_first_use"), value, &s->tls, e);
	if (o == NULL)
		return AY_OK;
	if (!ay_bytes_eq(kind, ay_bytes_of("ca")))
		return ay_tls_policy_parse(kind, value, &s->tls, e);
	s->ca = value;
	return value.n > 0
		       ? AY_OK
		       : ay_fail(e, AY_E_INPUT, "tls_policy.value", 0, "PEM of the CA is missing");
}

struct first {
	struct ay_api_call *c;
	void (*next)(struct ay_api_call *c);
};

static void on_kept(void *arg, enum ay_rc rc, const struct ay_err *e, struct ay_manager *m)
{
	struct first *f = arg;

	(void)m;
	if (!ay_api_refused(f->c, rc, e))
		f->next(f->c);
}

/* Who may see some hosts only changes nothing that others are reached through. */
static bool may_change(struct ay_api_call *c)
{
	struct ay_err e = { 0 };

	if (!AY_CHECKED("MANAGER_SCOPE", !ay_may(&c->who, c->route->perm)))
		return true;
	e.rc = ay_fail_code(&e, AY_E_DENIED, "OUT_OF_SCOPE", "manager",
			    "managers are changed by those who may see all hosts");
	ay_api_denied(c, 403, &e);
	ay_api_problem(c, &e);
	return false;
}

void ay_api_manager_first(struct ay_api_call *c, struct ay_bytes connect,
			  void (*next)(struct ay_api_call *c))
{
	struct ay_manager_spec s = { .connect = connect, .secret = ay_api_text(c, "secret") };
	struct first *f = ay_arena_alloc(&c->arena, sizeof(*f));
	struct ay_err e = { 0 };

	if (ay_api_refused(c, tls_of(c, &s, &e), &e))
		return;
	if (f == NULL) {
		ay_err_set(&e, AY_E_NOMEM, "manager", 0, "no memory");
		ay_api_problem(c, &e);
		return;
	}
	*f = (struct first){ c, next };
	if (s.secret.n == 0 && ay_connstr_secret(connect).n == 0 && s.ca.n == 0 &&
	    s.tls.kind == AY_TLS_NONE) {
		next(c);
		return;
	}
	if (may_change(c) && ay_api_intend(c))
		ay_manager_put(c->api->engine, &s, on_kept, f);
}

/* ---- managers themselves ---- */

void ay_api_managers_list(struct ay_api_call *c)
{
	struct ay_err e = { 0 };
	json_t *all = NULL;

	if (!ay_api_refused(c, ay_managers_list(c->api->engine, &all, &e), &e))
		ay_api_array_by(c, all, "connect");
}

static struct ay_manager *named(struct ay_api_call *c, struct ay_bytes connect)
{
	struct ay_connstr s;
	struct ay_manager *m = NULL;
	struct ay_err e = { 0 };

	if (ay_api_refused(c, ay_connstr_parse(connect, &s, &e), &e))
		return NULL;
	m = ay_manager_find(c->api->engine, &s);
	if (m == NULL) {
		e.rc = ay_fail_code(&e, AY_E_NOENT, "MANAGER_UNKNOWN", "connect",
				    "no manager is known by this address and user");
		ay_api_problem(c, &e);
	}
	return m;
}

static void told(struct ay_api_call *c)
{
	struct ay_manager *m = named(c, ay_api_text(c, "connect"));

	if (m != NULL && ay_api_audit(c, "MANAGER_SET", ay_bytes_of(m->key),
				      json_pack("{s:o}", "tls_policy", ay_manager_tls_json(m))))
		ay_api_json(c, 200, ay_manager_json(c->api->engine, m));
}

void ay_api_managers_set(struct ay_api_call *c)
{
	ay_api_manager_first(c, ay_api_text(c, "connect"), told);
}

void ay_api_managers_remove(struct ay_api_call *c)
{
	struct ay_manager *m = named(c, ay_api_text(c, "connect"));
	struct ay_bytes key;
	struct ay_err e = { 0 };

	if (m == NULL)
		return;
	key = ay_arena_dup(&c->arena, ay_bytes_of(m->key));
	if (!ay_api_refused(c, ay_manager_remove(c->api->engine, m, &e), &e) &&
	    ay_api_audit(c, "MANAGER_REMOVE", key, json_object()))
		ay_api_empty(c, 204);
}

/* ---- import ---- */

/* vmware:https://vc/sdk;h=NAME;u=USER of one that the manager listed. */
static bool connect_of(struct ay_api_call *c, const char *at, char out[AY_CONNSTR_TEXT])
{
	struct ay_connstr s;

	if (ay_connstr_parse(ay_api_text(c, "from"), &s, NULL) != AY_OK)
		return false;
	s.esxi = ay_bytes_of(at);
	s.cluster = (struct ay_bytes){ NULL, 0 };
	ay_connstr_format(&s, out);
	return ay_connstr_parse(ay_bytes_of(out), &s, NULL) == AY_OK;
}

static json_t *one_json(const char *name, const char *id, const struct ay_err *e)
{
	return json_pack("{s:s, s:s?, s:i, s:s?, s:s?}", "host", name, "id", id, "status",
			 e == NULL		? 201
			 : e->rc == AY_E_EXISTS ? 409
						: 400,
			 "code",
			 e == NULL    ? NULL
			 : e->code[0] ? e->code
				      : ay_rc_name(e->rc),
			 "text", e == NULL ? NULL : e->text);
}

static json_t *import_one(struct ay_api_call *c, const json_t *found)
{
	const char *name = json_string_value(json_object_get(found, "name"));
	const char *at = json_string_value(json_object_get(found, "at"));
	struct ay_host_spec spec = { .name = ay_bytes_of(name),
				     .policy = ay_api_text(c, "policy") };
	char connect[AY_CONNSTR_TEXT], id[AY_UUID_TEXT];
	const struct ay_host *h = NULL;
	struct ay_err e = { 0 };

	spec.labels = ay_api_labels_of(c, &spec.n_labels);
	if (!connect_of(c, at, connect))
		e.rc = ay_fail(&e, AY_E_INPUT, "name", 0, "a host cannot be called so here");
	if (e.rc == AY_OK && ay_api_flag(c, "dry_run"))
		return one_json(name, NULL, NULL);
	spec.connect = ay_bytes_of(connect);
	if (e.rc == AY_OK && ay_engine_host_add(c->api->engine, &spec, &h, &e) == AY_OK) {
		ay_uuid_format(&h->id, id);
		return one_json(name, id, NULL);
	}
	return one_json(name, NULL, &e);
}

static void on_listed(void *arg, enum ay_rc rc, const struct ay_err *e, json_t *hosts)
{
	struct ay_api_call *c = arg;
	json_t *items, *found;
	size_t i;

	if (ay_api_refused(c, rc, e))
		return;
	items = json_array();
	json_array_foreach (hosts, i, found)
		json_array_append_new(items, import_one(c, found));
	if (ay_api_audit(c, "HOST_IMPORT", ay_api_text(c, "cluster"),
			 json_pack("{s:I}", "hosts", (json_int_t)json_array_size(items))))
		ay_api_json(c, 200, json_pack("{s:o}", "items", items));
	else
		json_decref(items);
}

static void list(struct ay_api_call *c)
{
	ay_managed_list(c->api->engine, ay_api_text(c, "from"), on_listed, c);
}

static void then_list(struct ay_api_call *c)
{
	if (c->witnessed || ay_api_intend(c))
		list(c);
}

void ay_api_hosts_import(struct ay_api_call *c)
{
	struct ay_bytes from = ay_api_text(c, "from");
	struct ay_err e = { 0 };

	if (ay_api_is_managed(from)) {
		ay_api_manager_first(c, from, then_list);
		return;
	}
	e.rc = ay_fail_code(&e, AY_E_INPUT, "NOT_OFFERED", "from",
			    "hosts are imported from vmware:https://VCENTER/sdk;c=CLUSTER;u=USER");
	ay_api_problem(c, &e);
}
