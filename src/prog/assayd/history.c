/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/history.h"

#include "prog/assayd/inputs.h"
#include "prog/assayd/managed_judge.h"

/* What is read of a row before its blobs are. */
struct loading {
	struct ay_history *h;
	const struct ay_uuid *host;
	struct ay_arena *a;
	bool found, no_memory;
	struct ay_bytes report_id, pcrs_id, log_id, rules_id, extra_id;
	uint64_t ima_octets;
	uint8_t ak[8];
	bool ak_found;
};

static struct ay_bytes dup(struct loading *l, struct ay_bytes b)
{
	struct ay_bytes copy = b.n ? ay_arena_dup(l->a, b) : (struct ay_bytes){ 0 };

	l->no_memory = l->no_memory || (b.n && !copy.p);
	return copy;
}

static void see_row(void *arg, const struct ay_attest_past *p)
{
	struct loading *l = arg;
	struct ay_history *h = l->h;

	if (memcmp(p->host.b, l->host->b, sizeof(p->host.b)) != 0)
		return;
	l->found = true;
	h->seq = p->seq;
	h->at_ms = h->in.now_ms = p->at;
	h->verdict = (enum ay_verdict)p->verdict;
	memcpy(h->report_id, p->report_id, sizeof(h->report_id));
	h->in.host = p->host;
	h->in.attest = dup(l, p->attest);
	h->in.signature = dup(l, p->signature);
	h->in.nonce = dup(l, p->nonce);
	h->in.exporter = dup(l, p->exporter);
	h->in.inputs = dup(l, p->inputs);
	h->boot_id = dup(l, p->boot_id);
	l->report_id = dup(l, p->report);
	l->pcrs_id = dup(l, p->pcrs);
	l->log_id = dup(l, p->boot_log);
	l->rules_id = dup(l, p->rules);
	l->extra_id = dup(l, p->extra);
	l->ima_octets = p->ima_offset;
}

static void see_aik(void *arg, const struct ay_aik_row *r)
{
	struct loading *l = arg;
	uint8_t ak[8];

	ay_inputs_ak(r->qualified_name, ak);
	if (l->ak_found || memcmp(ak, l->ak, sizeof(ak)) != 0)
		return;
	l->ak_found = true;
	l->h->in.qualified_name = dup(l, r->qualified_name);
	l->h->in.ak_public = dup(l, r->ak_public);
	l->h->cert = dup(l, r->cert);
}

static struct ay_blob *fetch_log(void *arg)
{
	struct ay_history *h = arg;
	struct ay_bytes octets;

	if (ay_store_blob(h->store, AY_BYTES(h->in.log_id), h->a, &octets, NULL) != AY_OK)
		return NULL;
	return ay_blob_new(octets);
}

static enum ay_rc read_blob(struct ay_store *s, struct ay_bytes id, struct ay_arena *a,
			    struct ay_bytes *out, struct ay_err *e)
{
	return id.n ? ay_store_blob(s, id, a, out, e) : AY_OK;
}

static enum ay_rc read_log(struct ay_store *s, struct loading *l, bool all, struct ay_err *e)
{
	struct ay_history *h = l->h;

	h->in.has_log = l->log_id.n == sizeof(h->in.log_id);
	if (!h->in.has_log)
		return AY_OK;
	memcpy(h->in.log_id, l->log_id.p, l->log_id.n);
	if (all)
		return read_blob(s, l->log_id, l->a, &h->in.log, e);
	h->store = s;
	h->a = l->a;
	h->in.fetch_log = fetch_log;
	h->in.fetch_arg = h;
	return AY_OK;
}

static enum ay_rc read_contents(struct ay_store *s, struct loading *l, bool all, struct ay_err *e)
{
	struct ay_history *h = l->h;
	enum ay_rc rc = read_blob(s, l->pcrs_id, l->a, &h->in.pcrs, e);

	if (rc == AY_OK)
		rc = read_blob(s, l->extra_id, l->a, &h->in.extra, e);
	if (rc == AY_OK && l->ima_octets && h->boot_id.n)
		rc = ay_store_ima(s, l->host, h->boot_id, l->ima_octets, l->a, &h->in.ima, e);
	if (rc == AY_OK)
		rc = read_log(s, l, all, e);
	if (rc == AY_OK && all)
		rc = read_blob(s, l->report_id, l->a, &h->report, e);
	if (rc == AY_OK && all)
		rc = read_blob(s, l->rules_id, l->a, &h->rules, e);
	return rc;
}

static enum ay_rc not_kept(struct ay_err *e)
{
	return ay_fail_code(e, AY_E_NOENT, "NOT_KEPT", "history",
			    "attested before the server kept what verdicts are made from");
}

enum ay_rc ay_history_load(struct ay_store *s, const struct ay_uuid *host, uint64_t seq, bool all,
			   struct ay_arena *a, struct ay_history *out, struct ay_err *e)
{
	struct loading l = { .h = out, .host = host, .a = a };
	struct ay_inputs in;
	enum ay_rc rc;

	memset(out, 0, sizeof(*out));
	rc = ay_store_attestations(s, seq, 1, see_row, &l, e);
	if (rc == AY_OK && !l.found)
		rc = ay_fail(e, AY_E_NOENT, "history", 0, "the host has no such attestation");
	if (rc == AY_OK && out->in.inputs.n == 0)
		rc = not_kept(e);
	if (rc == AY_OK)
		rc = ay_inputs_parse(out->in.inputs, (struct ay_bytes){ 0 }, &in, e);
	if (rc != AY_OK)
		return rc;
	memcpy(l.ak, in.ak, sizeof(l.ak));
	rc = ay_store_aiks(s, host, see_aik, &l, e);
	/* whom a manager speaks for needs no key of its own */
	if (rc == AY_OK && !l.ak_found &&
	    !(in.identity_grade == ay_identity_grade(ay_bytes_of("agentless")) &&
	      ay_managed_vendor_of(out->in.attest) != AY_CONNSTR_PLAIN))
		rc = not_kept(e);
	if (rc == AY_OK)
		rc = read_contents(s, &l, all, e);
	if (rc == AY_OK && l.no_memory)
		rc = ay_fail(e, AY_E_NOMEM, "history", 0, "no memory");
	return rc;
}
