/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/family/register.h"

#include "core/base/connstr.h"
#include "prog/assayd/family/bind.h"
#include "prog/assayd/family/members.h"
#include "prog/assayd/family/tlspolicies.h"

enum { DEFAULT_PORT = 1443 };

static struct ay_bytes text_of(const json_t *o, const char *names)
{
	const char *s = ay_member_text(o, names);

	return s[0] == '\0' ? (struct ay_bytes){ NULL, 0 } : ay_bytes_of(s);
}

void ay_family_record_of(const json_t *doc, struct ay_family_record *out)
{
	*out = (struct ay_family_record){
		.name = text_of(doc, "host_name,HostName,name"),
		.connection = text_of(doc, "connection_url,connection_string,"
					   "add_on_connection_string,AddOn_Connection_String"),
		.description = text_of(doc, "description,Description"),
		.doc = doc,
	};
}

void ay_family_connection_url(const struct ay_host *h, char out[AY_FAMILY_URL])
{
	const char *at = h->dial.connect != NULL ? h->dial.connect : ay_family_label(h, "address");

	out[0] = '\0';
	if (at != NULL) /* that of a host behind a manager is whole */
		snprintf(out, AY_FAMILY_URL, "%s%s",
			 strstr(at, "://") == NULL ? "intel:https://" : "", at);
}

/* ---- where it is ---- */

/* How the server reaches it; passwords are read over. */
struct place {
	bool is_managed;	       /* a manager speaks for it: the address is its string */
	char address[AY_CONNSTR_TEXT]; /* "HOST:PORT", "" when nothing was said */
	char shown[AY_CONNSTR_TEXT];   /* the string as it may be kept */
	struct ay_tls_policy tls;
	char tls_id[AY_UUID_TEXT];
};

static bool is_agent(const struct ay_connstr *s)
{
	return !s->is_nats && (s->vendor == AY_CONNSTR_INTEL || s->vendor == AY_CONNSTR_PLAIN);
}

static enum ay_rc not_offered(const struct ay_connstr *s, struct ay_err *e)
{
	return ay_fail_code(e, AY_E_INPUT, "NOT_OFFERED", "connection_string",
			    "the host is not registered: nothing here connects to %s%s; agents are "
			    "reached at intel:https://HOST:PORT",
			    ay_connstr_vendor_name(s->vendor), s->is_nats ? " by NATS" : "");
}

static enum ay_rc place_of(struct ay_api_call *c, const struct ay_family_record *ask,
			   struct place *out, struct ay_err *e)
{
	struct ay_connstr s = { 0 };
	enum ay_rc rc;

	*out = (struct place){ 0 };
	rc = ay_family_tls_of(c, ask->doc, &out->tls, out->tls_id, e);
	if (rc != AY_OK || ask->connection.n == 0)
		return rc;
	rc = ay_connstr_parse(ask->connection, &s, e);
	if (rc != AY_OK)
		return ay_err_coded(e, rc, "BAD_CONNECTION");
	out->is_managed = ay_connstr_is_managed(&s);
	if (!is_agent(&s) && !out->is_managed)
		return not_offered(&s, e);
	ay_connstr_format(&s, out->shown);
	if (out->is_managed)
		snprintf(out->address, sizeof(out->address), "%s", out->shown);
	else
		snprintf(out->address, sizeof(out->address), "%.*s:%u", (int)s.host.n,
			 (const char *)s.host.p, s.port != 0 ? s.port : DEFAULT_PORT);
	return AY_OK;
}

/* ---- the host ---- */

static struct ay_label label(const char *key, const char *value)
{
	return (struct ay_label){ (char *)(uintptr_t)key, (char *)(uintptr_t)value };
}

/* Nobody is believed without a policy; a manager has its own. */
static bool is_dialled(const struct place *at)
{
	return at->address[0] != '\0' && (at->is_managed || at->tls.kind != AY_TLS_NONE);
}

static enum ay_rc add(struct ay_api_call *c, const struct ay_family_record *ask,
		      const struct place *at, const struct ay_host **out, struct ay_err *e)
{
	struct ay_host_spec spec = { .name = ask->name };
	struct ay_label labels[2];
	enum ay_rc rc;

	spec.labels = labels;
	if (is_dialled(at)) {
		spec.connect = ay_bytes_of(at->address);
		spec.tls = at->tls;
	} else if (at->address[0] != '\0') {
		labels[spec.n_labels++] = label("address", at->address);
	}
	if (ask->description.n > 0)
		labels[spec.n_labels++] =
			label("description", ay_arena_str(&c->arena, ask->description));
	rc = ay_engine_host_add(c->api->engine, &spec, out, e);
	if (rc == AY_E_EXISTS)
		ay_err_code(e, "HOST_EXISTS");
	return rc;
}

/* Labels of the host with this one in place of the one there is. */
static void put_label(struct ay_host_patch *p, struct ay_label *all, const char *key,
		      const char *value)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_labels; i++)
		if (strcmp(all[i].key, key) != 0)
			all[n++] = all[i];
	if (n < AY_MAX_LABELS)
		all[n++] = label(key, value);
	p->n_labels = n;
	p->set_labels = true;
}

static enum ay_rc change(struct ay_api_call *c, const struct ay_host *h,
			 const struct ay_family_record *ask, const struct place *at,
			 struct ay_err *e)
{
	struct ay_bytes address = ay_bytes_of(at->address);
	struct ay_label all[AY_MAX_LABELS];
	struct ay_host_patch p = { .labels = all };

	for (; p.n_labels < h->n_labels && p.n_labels < AY_MAX_LABELS; p.n_labels++)
		all[p.n_labels] = h->labels[p.n_labels];
	if (at->tls.kind != AY_TLS_NONE)
		p.tls = &at->tls;
	if (address.n > 0 && (h->dial.connect != NULL || is_dialled(at)))
		p.connect = &address;
	else if (address.n > 0)
		put_label(&p, all, "address", at->address);
	if (ask->description.n > 0)
		put_label(&p, all, "description", ay_arena_str(&c->arena, ask->description));
	return p.connect == NULL && p.tls == NULL && !p.set_labels
		       ? AY_OK
		       : ay_engine_host_patch(c->api->engine, h, &p, e);
}

/* ---- what the family keeps of it ---- */

static void take(json_t *own, const char *name, const char *value)
{
	if (value[0] != '\0')
		json_object_set_new(own, name, json_string(value));
}

static enum ay_rc keep_own(struct ay_api_call *c, const struct ay_host *h,
			   const struct ay_family_record *ask, const struct place *at,
			   struct ay_err *e)
{
	json_t *own = json_deep_copy(ay_family_host(c->api, h));
	enum ay_rc rc;

	own = own != NULL ? own : json_object();
	take(own, "ip", ay_member_text(ask->doc, "IPAddress,ip_address"));
	take(own, "email", ay_member_text(ask->doc, "Email,email"));
	take(own, "description", ay_member_text(ask->doc, "Description,description"));
	take(own, "connection", at->shown);
	take(own, "tls_policy_id", at->tls_id);
	rc = ay_family_bind(c, h, ask->doc, own, e);
	if (rc == AY_OK)
		return ay_family_host_keep(c->api, h, own, e);
	json_decref(own);
	return rc;
}

enum ay_rc ay_family_register(struct ay_api_call *c, const struct ay_family_record *ask,
			      enum ay_family_put how, const struct ay_host **out, struct ay_err *e)
{
	const struct ay_host *h = ask->name.n == 0 ? NULL : ay_api_host_find(c, ask->name);
	struct place at;
	enum ay_rc rc;

	*out = NULL;
	if (ask->name.n == 0)
		return ay_fail_code(e, AY_E_INPUT, "MISSING_INPUT", "host_name",
				    "the name of the host is missing");
	if (h != NULL && how == AY_FAMILY_NEW)
		return ay_fail_code(e, AY_E_EXISTS, "HOST_EXISTS", "host_name",
				    "a host has this name");
	rc = place_of(c, ask, &at, e);
	if (rc == AY_OK)
		rc = h == NULL ? add(c, ask, &at, &h, e) : change(c, h, ask, &at, e);
	if (rc == AY_OK)
		rc = keep_own(c, h, ask, &at, e);
	if (rc == AY_OK)
		*out = h;
	return rc;
}

void ay_family_host_put(struct ay_api_call *c, const struct ay_host *known, int status,
			ay_family_host_fn *view)
{
	struct ay_family_record ask;
	const struct ay_host *h = NULL;
	struct ay_err e = { 0 };
	enum ay_rc rc;

	ay_family_record_of(c->body, &ask);
	if (known != NULL)
		ask.name = ay_arena_dup(&c->arena, ay_bytes_of(known->name));
	rc = ay_family_register(c, &ask, known == NULL ? AY_FAMILY_NEW : AY_FAMILY_CHANGE, &h, &e);
	if (ay_api_refused(c, rc, &e))
		return;
	if (ay_api_audit(c, known == NULL ? "HOST_ADD" : "HOST_CHANGE", ask.name, json_object()))
		ay_family_document(c, status, "host", view(c, h));
}

enum ay_rc ay_family_retire(struct ay_api_call *c, const struct ay_host *h, struct ay_err *e)
{
	char id[AY_UUID_TEXT];
	enum ay_rc rc;

	ay_uuid_format(&h->id, id);
	rc = ay_engine_host_remove(c->api->engine, h, e);
	if (rc == AY_OK && ay_object(c->api, "host", id) != NULL)
		rc = ay_object_drop(c->api, "host", id, e);
	if (rc == AY_OK && ay_object(c->api, "unbound", id) != NULL)
		rc = ay_object_drop(c->api, "unbound", id, e);
	return rc;
}
