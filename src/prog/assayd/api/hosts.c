/* SPDX-License-Identifier: Apache-2.0 */
#include "core/base/connstr.h"
#include "prog/assayd/api/call.h"
#include "prog/assayd/api/managers.h"
#include "prog/assayd/managers.h"

#include <stdlib.h>

/* ---- a host as people see it [design 8] ---- */

static void put_text(struct ay_json_out *o, const char *key, const char *value)
{
	ay_jo_key(o, key);
	ay_jo_text(o, value);
}

static void put_hex(struct ay_json_out *o, const char *key, struct ay_bytes value)
{
	ay_jo_key(o, key);
	ay_jo_hex(o, value);
}

static void put_time(struct ay_json_out *o, const char *key, int64_t at_ms)
{
	ay_jo_key(o, key);
	ay_jo_time(o, at_ms);
}

static void write_components(struct ay_json_out *o, const struct ay_host *h)
{
	ay_jo_open(o, '{');
	for (size_t i = 1; h->attested_ms != 0 && i < AY_COMPONENTS; i++) {
		const char *grade = ay_grade_name((enum ay_grade)h->grades[i]);

		ay_jo_key(o, ay_component_name((enum ay_component)i));
		ay_jo_open(o, '{');
		put_text(o, "verdict", ay_verdict_name((enum ay_verdict)h->components[i]));
		put_text(o, "grade", h->grades[i] == AY_GRADE_NONE ? NULL : grade);
		ay_jo_close(o, '}');
	}
	ay_jo_close(o, '}');
}

static void write_identity(struct ay_json_out *o, const struct ay_host *h)
{
	const struct ay_host_identity *i = &h->identity;

	if (i->grade[0] == '\0') {
		ay_jo_null(o);
		return;
	}
	ay_jo_open(o, '{');
	put_text(o, "grade", i->grade);
	put_hex(o, "ak_name", (struct ay_bytes){ i->ak_name, i->ak_name_n });
	put_hex(o, "tls_key", AY_BYTES(i->tls_key));
	put_time(o, "certificate_until", i->cert_until_ms);
	ay_jo_key(o, "tpm");
	ay_jo_open(o, '{');
	put_text(o, "family", i->family);
	put_text(o, "manufacturer", i->manufacturer);
	put_text(o, "model", i->model);
	put_text(o, "firmware", i->firmware);
	ay_jo_close(o, '}');
	ay_jo_close(o, '}');
}

static void write_labels(struct ay_json_out *o, const struct ay_host *h)
{
	ay_jo_open(o, '{');
	for (size_t i = 0; i < h->n_labels; i++)
		put_text(o, h->labels[i].key, h->labels[i].value);
	ay_jo_close(o, '}');
}

static void write_error(struct ay_json_out *o, const struct ay_host *h)
{
	if (h->note_code == NULL) {
		ay_jo_null(o);
		return;
	}
	ay_jo_open(o, '{');
	put_text(o, "code", h->note_code);
	put_text(o, "text", h->note_text == NULL ? "" : h->note_text);
	put_time(o, "at", h->note_ms);
	ay_jo_close(o, '}');
}

/* Version and hash only while some version of that name is in force. */
static void write_policy(struct ay_json_out *o, struct ay_engine *g, const struct ay_host *h)
{
	struct ay_host_policy p;

	ay_engine_host_policy(g, h, &p);
	if (p.name == NULL) {
		ay_jo_null(o);
		return;
	}
	ay_jo_open(o, '{');
	put_text(o, "name", p.name);
	put_text(o, "by", p.by);
	if (p.version != 0) {
		ay_jo_key(o, "version");
		ay_jo_int(o, p.version);
		put_hex(o, "sha256", (struct ay_bytes){ p.sha256, 32 });
	}
	ay_jo_close(o, '}');
}

static void write_tls(struct ay_json_out *o, const struct ay_tls_policy *p)
{
	if (p->kind == AY_TLS_NONE) {
		ay_jo_null(o);
		return;
	}
	ay_jo_open(o, '{');
	put_text(o, "kind", ay_tls_policy_name(p->kind));
	if (p->has_key)
		put_hex(o, "key", AY_BYTES(p->key));
	if (p->has_cert)
		put_hex(o, "certificate", AY_BYTES(p->cert));
	ay_jo_close(o, '}');
}

/* Whom the server believes there: the host's agent, or the manager that speaks for the host. */
static void write_reached(struct ay_json_out *o, struct ay_engine *g, const struct ay_host *h)
{
	struct ay_connstr c;
	struct ay_manager *m = NULL;

	if (h->dial.connect != NULL && ay_api_is_managed(ay_bytes_of(h->dial.connect)) &&
	    ay_connstr_parse(ay_bytes_of(h->dial.connect), &c, NULL) == AY_OK)
		m = ay_manager_find(g, &c);
	if (m == NULL || m->ca == NULL) {
		write_tls(o, m == NULL ? &h->dial.tls : &m->tls);
		return;
	}
	ay_jo_open(o, '{');
	put_text(o, "kind", "ca");
	put_text(o, "value", m->ca);
	ay_jo_close(o, '}');
}

static void write_state(struct ay_json_out *o, const struct ay_host *h, int64_t now_ms)
{
	enum ay_verdict verdict = ay_lease_verdict(&h->lease, now_ms);

	put_text(o, "state", ay_host_state_name(h->state));
	put_text(o, "verdict", ay_verdict_name(verdict));
	ay_jo_key(o, "components");
	write_components(o, h);
	put_time(o, "lease_until", verdict == AY_TRUSTED ? h->lease.until_ms : 0);
	put_time(o, "attested_at", h->attested_ms);
}

void ay_host_write(struct ay_json_out *o, struct ay_engine *g, const struct ay_host *h)
{
	char id[AY_UUID_TEXT];

	ay_uuid_format(&h->id, id);
	ay_jo_open(o, '{');
	put_text(o, "id", id);
	put_text(o, "name", h->name);
	write_state(o, h, ay_engine_now_ms(g));
	ay_jo_key(o, "policy");
	write_policy(o, g, h);
	ay_jo_key(o, "identity");
	write_identity(o, h);
	ay_jo_key(o, "labels");
	write_labels(o, h);
	ay_jo_key(o, "connected");
	ay_jo_bool(o, h->connected);
	put_text(o, "connect", h->dial.connect);
	ay_jo_key(o, "tls_policy");
	write_reached(o, g, h);
	put_time(o, "created_at", h->created_ms);
	ay_jo_key(o, "version");
	ay_jo_int(o, (int64_t)h->version);
	ay_jo_key(o, "sticky");
	ay_jo_bool(o, h->sticky);
	ay_jo_key(o, "last_error");
	write_error(o, h);
	ay_jo_close(o, '}');
}

/* The same as a tree. Ends o. */
static json_t *tree_of(struct ay_json_out *o)
{
	struct ay_bytes text = ay_jo_end(o);
	json_t *tree = json_loadb((const char *)text.p, text.n, JSON_DECODE_ANY, NULL);

	ay_jo_fini(o);
	return tree;
}

json_t *ay_host_json(struct ay_engine *g, const struct ay_host *h)
{
	struct ay_json_out o = { 0 };

	ay_host_write(&o, g, h);
	return tree_of(&o);
}

static json_t *tls_json(const struct ay_tls_policy *p)
{
	struct ay_json_out o = { 0 };

	write_tls(&o, p);
	return tree_of(&o);
}

const struct ay_host *ay_api_host(struct ay_api_call *c)
{
	const struct ay_host *h = ay_api_host_find(c, c->param[0]);
	struct ay_err e;

	if (h != NULL)
		return h;
	ay_err_set(&e, AY_E_NOENT, "host", 0, "no host has this id or name");
	ay_api_problem(c, &e);
	return NULL;
}

void ay_api_hosts_show(struct ay_api_call *c)
{
	const struct ay_host *h = ay_api_host(c);

	if (h != NULL)
		ay_api_json(c, 200, ay_host_json(c->api->engine, h));
}

/* ---- changes ---- */

/* In the arena; NULL and 0 when there are none. */
struct ay_label *ay_api_labels_of(struct ay_api_call *c, size_t *n)
{
	json_t *labels = json_object_get(c->body, "labels"), *v;
	struct ay_label *out;
	const char *key;

	*n = 0;
	out = ay_arena_array(&c->arena, json_object_size(labels), sizeof(*out));
	if (out == NULL)
		return NULL;
	json_object_foreach (labels, key, v) {
		out[*n].key = ay_arena_str(&c->arena, ay_bytes_of(key));
		out[*n].value = ay_arena_str(&c->arena, ay_bytes_of(json_string_value(v)));
		if (out[*n].key != NULL && out[*n].value != NULL)
			++*n;
	}
	return out;
}

static struct ay_bytes text_of(const json_t *o, const char *member)
{
	const json_t *s = json_object_get(o, member);

	return (struct ay_bytes){ (const uint8_t *)json_string_value(s), json_string_length(s) };
}

/* The three ways to say it; AY_TLS_NONE when none is used. */
static enum ay_rc tls_policy_of(const struct ay_api_call *c, struct ay_tls_policy *out,
				struct ay_err *e)
{
	const json_t *o = json_object_get(c->body, "tls_policy");
	struct ay_bytes key = ay_api_text(c, "agent_key");
	bool first = ay_api_flag(c, "trust_first_use");

	*out = (struct ay_tls_policy){ 0 };
	if ((o != NULL) + (key.n > 0) + first > 1)
		return ay_fail(e, AY_E_INPUT, "tls_policy", 0,
			       "give one of tls_policy, agent_key, trust_first_use");
	if (o != NULL)
		return ay_tls_policy_parse(text_of(o, "kind"), text_of(o, "value"), out, e);
	if (key.n > 0)
		return ay_tls_policy_parse(ay_bytes_of("public_key_digest"), key, out, e);
	if (first)
		return ay_tls_policy_parse(ay_bytes_of("trust_first_use"),
					   (struct ay_bytes){ NULL, 0 }, out, e);
	return AY_OK;
}

static void register_host(struct ay_api_call *c)
{
	const struct ay_host *h = NULL;
	struct ay_host_spec spec = { .name = ay_api_text(c, "name"),
				     .connect = ay_api_text(c, "connect"),
				     .token = ay_api_text(c, "token"),
				     .policy = ay_api_text(c, "policy") };
	struct ay_err e = { 0 };

	spec.labels = ay_api_labels_of(c, &spec.n_labels);
	if (!ay_api_labels_allowed(c, spec.labels, spec.n_labels))
		return;
	/* of a host behind a manager it is the manager's, and there already */
	if (!ay_api_is_managed(spec.connect) &&
	    ay_api_refused(c, tls_policy_of(c, &spec.tls, &e), &e))
		return;
	if (ay_api_refused(c, ay_engine_host_add(c->api->engine, &spec, &h, &e), &e))
		return;
	if (ay_api_audit(c, "HOST_ADD", ay_bytes_of(h->name),
			 json_pack("{s:o}", "tls_policy", tls_json(&spec.tls))))
		ay_api_json(c, 201, ay_host_json(c->api->engine, h));
}

void ay_api_hosts_add(struct ay_api_call *c)
{
	struct ay_bytes connect = ay_api_text(c, "connect");

	if (ay_api_is_managed(connect))
		ay_api_manager_first(c, connect, register_host);
	else
		register_host(c);
}

static const struct ay_bytes *given(const struct ay_bytes *b)
{
	return b->p == NULL ? NULL : b;
}

void ay_api_hosts_patch(struct ay_api_call *c)
{
	const struct ay_host *h = ay_api_host(c);
	struct ay_bytes name = ay_api_text(c, "name"), connect = ay_api_text(c, "connect");
	struct ay_bytes policy = ay_api_text(c, "policy");
	struct ay_host_patch patch = { .name = given(&name),
				       .connect = given(&connect),
				       .policy = given(&policy) };
	struct ay_tls_policy tls;
	struct ay_err e = { 0 };

	if (h == NULL || ay_api_refused(c, tls_policy_of(c, &tls, &e), &e))
		return;
	if (connect.p != NULL && ay_connstr_secret(connect).n > 0) {
		ay_err_set(&e, AY_E_INPUT, "connect", 0,
			   "a manager's password is changed by POST /api/v1/managers");
		ay_api_problem(c, &e);
		return;
	}
	if (tls.kind != AY_TLS_NONE)
		patch.tls = &tls;
	patch.set_labels = json_object_get(c->body, "labels") != NULL;
	patch.labels = ay_api_labels_of(c, &patch.n_labels);
	if (patch.set_labels && !ay_api_labels_allowed(c, patch.labels, patch.n_labels))
		return;
	if (ay_api_refused(c, ay_engine_host_patch(c->api->engine, h, &patch, &e), &e))
		return;
	if (ay_api_audit(c, "HOST_CHANGE", ay_bytes_of(h->name), json_deep_copy(c->body)))
		ay_api_json(c, 200, ay_host_json(c->api->engine, h));
}

void ay_api_hosts_remove(struct ay_api_call *c)
{
	const struct ay_host *h = ay_api_host(c);
	char id[AY_UUID_TEXT];
	struct ay_bytes name;
	struct ay_err e = { 0 };

	if (h == NULL)
		return;
	ay_uuid_format(&h->id, id);
	name = ay_arena_dup(&c->arena, ay_bytes_of(h->name));
	if (ay_api_refused(c, ay_engine_host_remove(c->api->engine, h, &e), &e))
		return;
	if (ay_api_audit(c, "HOST_REMOVE", name, json_pack("{s:s}", "id", id)))
		ay_api_empty(c, 204);
}

void ay_api_hosts_acknowledge(struct ay_api_call *c)
{
	const struct ay_host *h = ay_api_host(c);
	struct ay_bytes reason = ay_api_text(c, "reason");
	struct ay_err e = { 0 };

	if (h == NULL)
		return;
	if (reason.n == 0) {
		ay_err_set(&e, AY_E_INPUT, "reason", 0, "reason is empty");
		ay_api_problem(c, &e);
		return;
	}
	if (ay_api_refused(c,
			   ay_engine_host_acknowledge(c->api->engine, h, c->who.user,
						      (const char *)reason.p, &e),
			   &e))
		return;
	if (ay_api_audit(c, "HOST_ACKNOWLEDGE", ay_bytes_of(h->name),
			 json_pack("{s:s}", "reason", (const char *)reason.p)))
		ay_api_json(c, 200, ay_host_json(c->api->engine, h));
}

/* ---- attest now ---- */

static void attest_left(struct ay_api_call *c)
{
	ay_engine_attest_forget(c->api->engine, c);
	c->left = NULL;
	if (c->gone)
		ay_api_empty(c, 204); /* nobody hears it; ends the call */
}

static void accepted(struct ay_api_call *c, const struct ay_host *h)
{
	char id[AY_UUID_TEXT], location[96];

	ay_uuid_format(&h->id, id);
	snprintf(location, sizeof(location), "/api/v1/hosts/%s/report", id);
	ay_api_accepted(c, location);
}

static void attest_done(void *arg, enum ay_rc rc, const struct ay_err *e, const struct ay_host *h)
{
	struct ay_api_call *c = arg;
	struct ay_err why = { 0 };
	json_t *report = NULL;

	c->left = NULL;
	if (rc == AY_E_UNAVAIL && h != NULL && e->code[0] == '\0') {
		accepted(c, h); /* no answer within the time given */
		return;
	}
	if (ay_api_refused(c, rc, e))
		return;
	if (ay_api_refused(c, ay_engine_report(c->api->engine, h, &report, &why), &why))
		return;
	ay_engine_explain(c->api->engine, report);
	ay_api_json(c, 200, report);
}

void ay_api_hosts_attest(struct ay_api_call *c)
{
	const struct ay_host *h = ay_api_host(c);
	struct ay_bytes wait = ay_api_param(c, "wait");
	uint64_t seconds = 0;
	struct ay_err e = { 0 };
	enum ay_rc rc;

	if (h == NULL || ay_api_refused(c, ay_api_seconds(c, "wait", 120, &seconds, &e), &e))
		return;
	if (wait.p == NULL || seconds == 0) {
		rc = ay_engine_attest(c->api->engine, h, 0, NULL, NULL, &e);
		if (!ay_api_refused(c, rc, &e))
			accepted(c, h);
		return;
	}
	c->left = attest_left;
	rc = ay_engine_attest(c->api->engine, h, (int64_t)seconds * 1000, attest_done, c, &e);
	if (rc != AY_OK) {
		c->left = NULL;
		ay_api_problem(c, &e);
	}
}
