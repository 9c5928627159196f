/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/engine_impl.h"

#include "core/base/hex.h"
#include "core/base/json.h"
#include "core/crypto/hash.h"
#include "core/crypto/token.h"
#include "io/sys/rng.h"
#include "prog/assayd/managed.h"

#include <stdlib.h>

/* What operators do to hosts. Every change is on disk when the call returns. */

static struct ay_host *mine(struct ay_engine *g, const struct ay_host *h)
{
	return ay_hosts_by_id(g, &h->id); /* handlers hold it const */
}

static enum ay_rc check_name(struct ay_bytes name, char out[AY_MAX_NAME_BYTES + 1],
			     struct ay_err *e)
{
	if (name.n == 0 || name.n > AY_MAX_NAME_BYTES)
		return ay_fail(e, AY_E_INPUT, "name", 0, "a name has 1 to %d octets",
			       AY_MAX_NAME_BYTES);
	memcpy(out, name.p, name.n);
	out[name.n] = 0;
	if (strlen(out) != name.n || !ay_json_is_name(out))
		return ay_fail(e, AY_E_INPUT, "name", 0,
			       "a name has letters, digits and . _ + : @ -");
	if (ay_uuid_looks_like(name))
		return ay_fail(e, AY_E_INPUT, "name", 0,
			       "a name that looks like a UUID is refused");
	return AY_OK;
}

/* Of an agent, or of a manager that speaks for the host (managed.h), whose form is checked there.
 */
static bool is_string(struct ay_bytes addr)
{
	return addr.n > 0 && memmem(addr.p, addr.n, "://", 3);
}

static enum ay_rc check_connect(struct ay_bytes addr, struct ay_err *e)
{
	const uint8_t *colon;

	if (addr.n == 0 || is_string(addr))
		return AY_OK;
	colon = memrchr(addr.p, ':', addr.n);
	if (addr.n > 255 || !colon || colon == addr.p || colon + 1 == addr.p + addr.n ||
	    memchr(addr.p, 0, addr.n))
		return ay_fail(e, AY_E_INPUT, "connect", 0, "HOST:PORT is expected");
	return AY_OK;
}

static char *labels_json(const struct ay_label *labels, size_t n)
{
	json_t *o = json_object();
	char *text;

	for (size_t i = 0; o && i < n; i++)
		if (json_object_set_new(o, labels[i].key, json_string(labels[i].value)) != 0) {
			json_decref(o);
			o = NULL;
		}
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	return text;
}

/* A token's text or its id. */
static enum ay_rc token_id(struct ay_bytes text, uint8_t id[16], struct ay_err *e)
{
	struct ay_token t;
	enum ay_rc rc;

	if (text.n == 32)
		return ay_hex_decode(text, "token", id, 16, e);
	rc = ay_token_parse(text, &t, e);
	if (rc == AY_OK)
		rc = ay_hex_decode(ay_bytes_of(t.id), "token", id, 16, e);
	ay_wipe(&t, sizeof(t));
	return rc;
}

static enum ay_rc write_host(struct ay_engine *g, const struct ay_host_row *row, struct ay_err *e)
{
	struct ay_write w = { .kind = AY_WR_HOST_ADD, .host = row };
	struct ay_store_result res;

	return ay_store_write(g->store, &w, 1, &res, e);
}

/* Borrows from p. */
static void put_tls(struct ay_host_row *row, const struct ay_tls_policy *p)
{
	row->tls_kind = ay_tls_policy_name(p->kind);
	row->agent_key = (struct ay_bytes){ p->key, p->has_key ? 32 : 0 };
	row->agent_cert = (struct ay_bytes){ p->cert, p->has_cert ? 32 : 0 };
}

/* Of a host registered with an address and nothing else. */
static const char *default_tls(const struct ay_engine *g)
{
	const char *word = g->config ? ay_config_str(g->config, "default_tls_policy") : "none";

	return ay_tls_policy_name(ay_tls_policy_find(ay_bytes_of(word)));
}

static enum ay_rc check_spec(const struct ay_engine *g, const struct ay_host_spec *spec,
			     struct ay_host_row *row, uint8_t token[16], struct ay_err *e)
{
	enum ay_rc rc = check_connect(spec->connect, e);

	if (rc == AY_OK && spec->token.n) {
		rc = token_id(spec->token, token, e);
		row->token = (struct ay_bytes){ token, 16 };
	}
	if (rc == AY_OK && !spec->connect.n && (spec->tls.kind != AY_TLS_NONE || spec->token.n))
		return ay_fail(e, AY_E_INPUT, "connect", 0,
			       "a TLS policy and a token need connect: whom would it be about?");
	if (rc == AY_OK && spec->n_labels > AY_MAX_LABELS)
		return ay_fail(e, AY_E_LIMIT, "labels", 0, "more than %d labels", AY_MAX_LABELS);
	put_tls(row, &spec->tls);
	if (spec->connect.n && spec->tls.kind == AY_TLS_NONE && !spec->token.n &&
	    !is_string(spec->connect))
		row->tls_kind = default_tls(g);
	return rc;
}

enum ay_rc ay_engine_host_add(struct ay_engine *g, const struct ay_host_spec *spec,
			      const struct ay_host **out, struct ay_err *e)
{
	struct ay_host_row row = { .created_at = g->now_ms, .rev = 1 };
	char name[AY_MAX_NAME_BYTES + 1], connect[AY_CONNSTR_TEXT] = "";
	char policy[AY_MAX_NAME_BYTES + 1] = "";
	uint8_t token[16];
	struct ay_host *h;
	struct ay_pending_event *told;
	char *labels;
	enum ay_rc rc = check_name(spec->name, name, e);

	*out = NULL;
	if (rc == AY_OK && ay_hosts_by_name(g, spec->name))
		rc = ay_fail_code(e, AY_E_EXISTS, "NAME_TAKEN", "name", "a host has this name");
	if (rc == AY_OK)
		rc = check_spec(g, spec, &row, token, e);
	if (rc == AY_OK && spec->policy.n)
		rc = check_name(spec->policy, policy, e);
	if (rc == AY_OK)
		rc = ay_managed_connect(g, spec->connect, connect, e);
	if (rc != AY_OK)
		return rc;
	labels = labels_json(spec->labels, spec->n_labels);
	row.id = ay_rng_uuid();
	row.name = name;
	row.labels = labels ? labels : "{}";
	row.connect = connect;
	row.policy = policy;
	told = ay_event_announce(g, "host", &row.id, name, "HOST_ADDED", "host registered");
	rc = write_host(g, &row, e);
	ay_event_announced(g, told);
	h = rc == AY_OK ? ay_hosts_add(g, &row) : NULL;
	free(labels);
	if (rc == AY_OK && !h)
		return ay_fail(e, AY_E_NOMEM, "host", 0, "no memory");
	if (rc != AY_OK)
		return rc;
	if (h->dial.connect) {
		h->run->dial_at = g->mono_ms;
		ay_schedule_host(g, h);
	}
	*out = h;
	return AY_OK;
}

/* ---- patch ---- */

struct patched {
	const char *name, *connect, *policy, *labels;
	const struct ay_tls_policy *tls;
	bool unbinds; /* the bound TLS key is not the one meant any more */
};

static void apply_patch(void *arg, struct ay_host_row *row)
{
	const struct patched *p = arg;

	if (p->name)
		row->name = p->name;
	if (p->connect)
		row->connect = p->connect;
	if (p->policy)
		row->policy = p->policy;
	if (p->labels)
		row->labels = p->labels;
	if (p->tls)
		put_tls(row, p->tls);
	if (p->unbinds)
		row->tls_spki = (struct ay_bytes){ NULL, 0 };
}

static void reread(void *arg, const struct ay_host_row *row, const struct ay_host_status *s,
		   const struct ay_host_context *c)
{
	(void)s, (void)c;
	ay_hosts_reread(arg, row);
}

static enum ay_rc check_new_name(struct ay_engine *g, const struct ay_host *h, struct ay_bytes text,
				 char *name, struct ay_err *e)
{
	enum ay_rc rc = check_name(text, name, e);
	const struct ay_host *other = rc == AY_OK ? ay_hosts_by_name(g, text) : NULL;

	if (other && other != h)
		return ay_fail_code(e, AY_E_EXISTS, "NAME_TAKEN", "name", "a host has this name");
	return rc;
}

/* Where it is dialled, and whom to believe there. */
static enum ay_rc check_dial(const struct ay_host *h, const struct ay_host_patch *p,
			     struct ay_err *e)
{
	bool is_dialled = p->connect ? p->connect->n > 0 : h->dial.connect != NULL;

	if (p->tls && !is_dialled)
		return ay_fail(e, AY_E_INPUT, "tls_policy", 0, "the host has no address to dial");
	return p->connect ? check_connect(*p->connect, e) : AY_OK;
}

static enum ay_rc check_patch(struct ay_engine *g, const struct ay_host *h,
			      const struct ay_host_patch *p, char *name, char *policy,
			      struct ay_err *e)
{
	enum ay_rc rc = p->name ? check_new_name(g, h, *p->name, name, e) : AY_OK;

	if (rc == AY_OK && p->policy && p->policy->n)
		rc = check_name(*p->policy, policy, e);
	if (rc == AY_OK)
		rc = check_dial(h, p, e);
	if (rc == AY_OK && p->set_labels && p->n_labels > AY_MAX_LABELS)
		rc = ay_fail(e, AY_E_LIMIT, "labels", 0, "more than %d labels", AY_MAX_LABELS);
	return rc;
}

/* Texts of a patch, made ready for the row. labels is freed by the caller. */
struct patch_texts {
	char name[AY_MAX_NAME_BYTES + 1], policy[AY_MAX_NAME_BYTES + 1];
	char connect[AY_CONNSTR_TEXT];
	char *labels;
};

static enum ay_rc patch_texts(struct ay_engine *g, const struct ay_host_patch *patch,
			      struct patch_texts *t, struct patched *p, struct ay_err *e)
{
	enum ay_rc rc =
		patch->connect ? ay_managed_connect(g, *patch->connect, t->connect, e) : AY_OK;

	if (rc != AY_OK)
		return rc;
	if (patch->set_labels && !(t->labels = labels_json(patch->labels, patch->n_labels)))
		return ay_fail(e, AY_E_NOMEM, "labels", 0, "no memory");
	p->name = patch->name ? t->name : NULL;
	p->policy = patch->policy ? t->policy : NULL;
	p->connect = patch->connect ? t->connect : NULL;
	p->labels = t->labels;
	p->tls = patch->tls;
	return AY_OK;
}

/* A policy that names the bound key changes nothing about the binding. */
static bool is_bound_key(const struct ay_host *h, const struct ay_tls_policy *p)
{
	return p->has_key && !p->has_cert && memcmp(h->identity.tls_key, p->key, 32) == 0;
}

/* The store first, then memory as the store has it. */
static enum ay_rc write_patch(struct ay_engine *g, struct ay_host *h, struct patched *p,
			      struct ay_err *e)
{
	enum ay_rc rc = ay_hosts_edit(g, h, apply_patch, p, e);

	if (rc == AY_OK && p->name && !ay_hosts_rename(g, h, p->name))
		rc = ay_fail(e, AY_E_NOMEM, "name", 0, "no memory");
	if (rc == AY_OK && p->unbinds) {
		ay_hosts_unbind_key(g, h);
		ay_conns_close_host(g, h, "TLS_POLICY");
	}
	if (rc == AY_OK && p->connect)
		ay_managed_drop(g, h);
	if (rc == AY_OK)
		rc = ay_store_host(g->store, &h->id, reread, h, e);
	if (rc == AY_OK)
		ay_refs_attach(g, h);
	return rc;
}

enum ay_rc ay_engine_host_patch(struct ay_engine *g, const struct ay_host *host,
				const struct ay_host_patch *patch, struct ay_err *e)
{
	struct ay_host *h = mine(g, host);
	struct patch_texts t = { 0 };
	struct patched p = { 0 };
	enum ay_rc rc = check_patch(g, h, patch, t.name, t.policy, e);

	if (rc == AY_OK)
		rc = patch_texts(g, patch, &t, &p, e);
	p.unbinds = patch->tls && !is_bound_key(h, patch->tls);
	if (rc == AY_OK)
		rc = write_patch(g, h, &p, e);
	free(t.labels);
	if (rc == AY_OK && (patch->connect || patch->tls) && h->dial.connect && !h->run->conn) {
		h->run->dial_at = g->mono_ms;
		ay_schedule_host(g, h);
	}
	if (rc == AY_OK && patch->connect && ay_is_managed(h))
		ay_schedule_now(g, h);
	return rc;
}

/* ---- removal ---- */

struct retiring {
	uint8_t serial[64];
	size_t n;
};

static void retire(void *arg, struct ay_host_row *row)
{
	struct retiring *r = arg;

	if (row->cert_serial.n <= sizeof(r->serial)) {
		r->n = row->cert_serial.n;
		if (r->n)
			memcpy(r->serial, row->cert_serial.p, r->n);
	}
	row->state = AY_HOST_RETIRED;
}

enum ay_rc ay_engine_host_remove(struct ay_engine *g, const struct ay_host *host, struct ay_err *e)
{
	struct ay_host *h = mine(g, host);
	struct retiring r = { .n = 0 };
	struct ay_err told;
	struct ay_pending_event *said =
		ay_event_announce(g, "host", &h->id, h->name, "HOST_REMOVED", "host removed");
	enum ay_rc rc = ay_hosts_edit(g, h, retire, &r, e);

	ay_event_announced(g, said);
	if (rc != AY_OK)
		return rc;
	ay_conns_close_host(g, h, "HOST_REMOVED");
	ay_managed_drop(g, h);
	told.rc = ay_fail_code(&told, AY_E_UNAVAIL, "HOST_REMOVED", "host", "host was removed");
	ay_settle_waiters(g, h, AY_E_UNAVAIL, &told);
	ay_hosts_move(g, h, AY_HOST_RETIRED);
	ay_hosts_forget(g, h);
	if (r.n)
		ay_relay_revoke(g, (struct ay_bytes){ r.serial, r.n });
	return AY_OK;
}

/* Its AIK certificate is on the CA's list: nothing it says counts any more. */
void ay_hosts_revoked(struct ay_engine *g, struct ay_host *h)
{
	struct ay_err e, not_stored;

	h->run->revoked = true;
	e.rc = ay_fail_code(&e, AY_E_CRYPTO, "AIK_CERT", "identity", "AIK certificate was revoked");
	ay_hosts_note(g, h, &e);
	ay_event_emit(g, "revoked", h, "AIK_CERT", e.text);
	if (h->lease.verdict == AY_TRUSTED)
		ay_hosts_set_verdict(g, h, AY_LEASE_SILENT);
	if (ay_hosts_write_status(g, h, &not_stored) != AY_OK)
		ay_log_err(AY_LOG_ERROR, "revocation is not stored", &not_stored);
	ay_conns_close_host(g, h, "AIK_CERT");
}

/* ---- acknowledge ---- */

/* A bank or a log that is gone, a TPM that was reset alone, fail each time they are compared with
 * what was: begin anew. */
static void forget_known(struct ay_host *h)
{
	struct ay_host_run *r = h->run;

	ay_blob_unref(r->pcrs);
	ay_blob_unref(r->ima);
	r->pcrs = r->ima = NULL;
	r->ima_octets = r->ima_entries = 0;
	r->boot = (struct ay_boot_mark){ 0 };
	r->has_log = false;
	if (r->conn) /* what is asked now leans on it */
		ay_challenge_abandon(&r->conn->challenge);
}

enum ay_rc ay_engine_host_acknowledge(struct ay_engine *g, const struct ay_host *host,
				      const char *who, const char *reason, struct ay_err *e)
{
	struct ay_host *h = mine(g, host);
	struct ay_pending_event *told;
	char text[160];
	enum ay_rc rc;

	if (h->sticky)
		h->run->counters =
			(struct ay_counters){ 0 }; /* they begin anew with the next quote */
	if (h->lease.verdict == AY_UNTRUSTED)
		forget_known(h);
	h->sticky = h->sticky_duplicate = false;
	ay_hosts_set_verdict(g, h, AY_LEASE_ACKNOWLEDGED);
	snprintf(text, sizeof(text), "by %s: %s", who, reason);
	told = ay_event_announce(g, "acknowledged", &h->id, h->name, "ACKNOWLEDGED", text);
	rc = ay_hosts_write_status(g, h, e);
	ay_event_announced(g, told);
	if (rc != AY_OK)
		return rc;
	ay_schedule_now(g, h);
	return AY_OK;
}

/* ---- attest now ---- */

enum ay_rc ay_engine_attest(struct ay_engine *g, const struct ay_host *host, int64_t wait_ms,
			    ay_attest_fn *fn, void *arg, struct ay_err *e)
{
	struct ay_host *h = mine(g, host);
	struct ay_waiter *w;

	if (h->state != AY_HOST_ENROLLED)
		return ay_fail_code(e, AY_E_EXISTS, "NOT_ENROLLED", "host",
				    "the host is %s: it has no attestation key to answer with",
				    ay_host_state_name(h->state));
	if (!h->connected && !ay_is_managed(h))
		return ay_fail_code(e, AY_E_UNAVAIL, "HOST_OFFLINE", "host",
				    "host is not connected");
	if (fn) {
		w = calloc(1, sizeof(*w));
		if (!w)
			return ay_fail(e, AY_E_NOMEM, "attest", 0, "no memory");
		*w = (struct ay_waiter){ .next = g->waiters,
					 .host = h,
					 .fn = fn,
					 .arg = arg,
					 .until = g->mono_ms + wait_ms,
					 .after = h->run->claimed };
		g->waiters = w;
	}
	ay_schedule_now(g, h);
	return AY_OK;
}

void ay_engine_attest_forget(struct ay_engine *g, void *arg)
{
	struct ay_waiter **at = &g->waiters, *w;

	while ((w = *at)) {
		if (w->arg != arg) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		free(w);
	}
}
