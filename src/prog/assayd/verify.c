/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/verify.h"

#include "core/appraise/offline.h"
#include "core/appraise/policy.h"
#include "core/appraise/report_json.h"
#include "core/base/hex.h"
#include "core/crypto/aikcert.h"
#include "core/crypto/hash.h"
#include "core/tpm/any_key.h"
#include "io/sys/rng.h"
#include "prog/assayd/refs.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

enum { NONCES = 4096, AT_ONCE = 64, SETS = 64 };

struct ay_verifying {
	struct {
		uint8_t nonce[32], user[32]; /* hash of the user's name */
		int64_t until_ms;	     /* 0: free */
	} nonce[NONCES];
	struct verify_task *open;
	size_t n_open;
};

/* One evidence on its way. What it borrows of the reference sets lives as long as the server. */
struct verify_task {
	struct ay_task task;
	struct verify_task *next;
	ay_verify_fn *fn; /* NULL: nobody waits any more */
	void *arg;
	uint8_t *octets; /* all that was sent */
	struct ay_offline_in in;
	struct ay_pcrs pcrs;
	struct ay_pubkey *ak;
	struct ay_policy *policy;
	const struct ay_refset *set[SETS];
	bool ours; /* the nonce was */
	json_t *identity;
	/* the outcome */
	enum ay_rc rc;
	struct ay_err e;
	json_t *report;
};

/* ---- nonces ---- */

static struct ay_verifying *state_of(struct ay_engine *g)
{
	if (!g->verifying)
		g->verifying = calloc(1, sizeof(*g->verifying));
	return g->verifying;
}

enum ay_rc ay_engine_verify_nonce(struct ay_engine *g, const char *user, uint8_t out[32],
				  struct ay_err *e)
{
	struct ay_verifying *v = state_of(g);

	memset(out, 0, 32);
	if (!v)
		return ay_fail(e, AY_E_NOMEM, "nonce", 0, "no memory");
	for (size_t i = 0; i < NONCES; i++) {
		if (v->nonce[i].until_ms > g->now_ms)
			continue;
		ay_rng_bytes(v->nonce[i].nonce, sizeof(v->nonce[i].nonce));
		ay_sha256(ay_bytes_of(user), v->nonce[i].user);
		v->nonce[i].until_ms = g->now_ms + AY_VERIFY_NONCE_MS;
		memcpy(out, v->nonce[i].nonce, 32);
		return AY_OK;
	}
	return ay_fail_code(e, AY_E_UNAVAIL, "VERIFY_BUSY", "nonce", "too many nonces are open");
}

bool ay_verify_take_nonce(struct ay_engine *g, const char *user, struct ay_bytes nonce)
{
	struct ay_verifying *v = state_of(g);
	uint8_t hash[32];

	ay_sha256(ay_bytes_of(user), hash);
	for (size_t i = 0; v && nonce.n == 32 && i < NONCES; i++) {
		if (v->nonce[i].until_ms <= g->now_ms ||
		    CRYPTO_memcmp(v->nonce[i].nonce, nonce.p, 32) != 0 ||
		    AY_CHECKED("VERIFY_NONCE_USER", memcmp(v->nonce[i].user, hash, 32) != 0))
			continue;
		if (AY_CHECKED("VERIFY_NONCE_ONCE", true))
			v->nonce[i].until_ms = 0;
		return true;
	}
	return false;
}

/* ---- what it is judged by ---- */

static struct ay_active_policy *find_policy(struct ay_engine *g, struct ay_bytes word)
{
	struct ay_active_policy *found = NULL;
	struct ay_uuid id;

	if (word.n == 0)
		word = ay_bytes_of("default"); /* as a host without a policy of its own */
	if (ay_uuid_looks_like(word) && ay_uuid_parse(word, "policy", &id, NULL) != AY_OK)
		return NULL;
	for (size_t i = 0; i < g->refs->n_policies; i++) {
		struct ay_active_policy *p = &g->refs->policy[i];

		if (ay_uuid_looks_like(word)
			    ? memcmp(p->id.b, id.b, sizeof(id.b)) == 0
			    : p->state == AY_SET_ACTIVE &&
				      ay_bytes_eq(word, ay_bytes_of(p->policy->name)))
			found = p;
	}
	return found;
}

static enum ay_rc take_policy(struct ay_engine *g, struct ay_bytes word, struct verify_task *t,
			      struct ay_err *e)
{
	struct ay_active_policy *p = find_policy(g, word);
	AY_CLEANUP(ay_json_unref) json_t *doc = NULL;
	char *text;
	enum ay_rc rc;

	if (!p)
		return ay_fail(e, AY_E_NOENT, "policy", 0, "no policy of that name is in force");
	doc = ay_policy_json(p->policy);
	text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	if (!text)
		return ay_fail(e, AY_E_NOMEM, "policy", 0, "no memory");
	rc = ay_policy_parse(ay_bytes_of(text), &t->policy, e); /* its own: ours may be replaced */
	free(text);
	t->in.policy = t->policy;
	return rc;
}

static enum ay_rc take_sets(struct ay_engine *g, const json_t *names, struct verify_task *t,
			    struct ay_err *e)
{
	const json_t *v;
	size_t i;

	for (i = 0; json_array_size(names) == 0 && i < g->refs->n_sets && t->in.n_sets < SETS; i++)
		if (g->refs->set[i].set->state == AY_SET_ACTIVE)
			t->set[t->in.n_sets++] = g->refs->set[i].set;
	if (json_array_size(names) > SETS)
		return ay_fail(e, AY_E_LIMIT, "references", 0, "at most %d sets", SETS);
	json_array_foreach (names, i, v) {
		struct ay_set *s = ay_refs_find(g->refs, ay_bytes_of(json_string_value(v)));

		if (!s)
			return ay_fail(e, AY_E_NOENT, "references", 0, "no reference set %.60s",
				       json_string_value(v));
		if (s->set->state != AY_SET_ACTIVE)
			return ay_fail_code(e, AY_E_EXISTS, "STATE", "references",
					    "reference set %.60s is not in force",
					    json_string_value(v));
		t->set[t->in.n_sets++] = s->set;
	}
	t->in.sets = t->set;
	return AY_OK;
}

/* ---- who signed ---- */

/* A certificate of our Privacy CA in force says which host it is; anything else is only a key. */
static json_t *identity_of(struct ay_engine *g, const struct ay_verify_ask *ask)
{
	struct ay_aikcert_want want = { .chain = g->aik_chain,
					.n_chain = g->n_aik_chain,
					.pin = g->ca_root_spki,
					.crl = { g->crl, g->crl_n },
					.now_ms = g->now_ms };
	struct ay_aikcert cert;
	char host[AY_UUID_TEXT];
	struct ay_err e = { 0 };

	if (ay_aikcert_parse(ask->ak, &cert, &e) != AY_OK)
		return json_pack("{s:s, s:n, s:n}", "grade", "none", "host", "error");
	if (want.n_chain == 0 || ay_aikcert_check(ask->ak, &want, &cert, &e) != AY_OK)
		return json_pack("{s:s, s:n, s:s}", "grade", "none", "host", "error",
				 e.text[0] ? e.text : "there is no Privacy CA to ask");
	ay_uuid_format(&cert.facts.host, host);
	return json_pack("{s:s, s:s, s:n}", "grade", ay_ek_grade_name(cert.facts.grade), "host",
			 host, "error");
}

/* ---- in a thread ---- */

static void run(struct ay_task *task, struct ay_arena *a)
{
	struct verify_task *t = (struct verify_task *)(void *)task;
	struct ay_offline_out *out = ay_arena_alloc(a, sizeof(*out));
	struct ay_report_head head = { .has_evidence = true };
	struct ay_report rep;

	t->rc = out ? AY_OK : ay_fail(&t->e, AY_E_NOMEM, "verify", 0, "no memory");
	if (t->rc != AY_OK)
		return;
	memset(out, 0, sizeof(*out));
	ay_report_init(&rep, a);
	t->rc = ay_appraise_offline(&t->in, a, out, &rep, &t->e);
	if (t->rc != AY_OK)
		return;
	memcpy(head.evidence, out->evidence, sizeof(head.evidence));
	t->report = ay_report_json(&rep, &head);
	if (!t->report)
		t->rc = ay_fail(&t->e, AY_E_NOMEM, "verify", 0, "no memory");
}

static void drop(struct ay_task *task)
{
	struct verify_task *t = (struct verify_task *)(void *)task;

	ay_pubkey_free(t->ak);
	ay_policy_free(t->policy);
	json_decref(t->identity);
	json_decref(t->report);
	free(t->octets);
	free(t);
}

static void done(struct ay_engine *g, struct ay_task *task)
{
	struct verify_task *t = (struct verify_task *)(void *)task, **at = &g->verifying->open;
	json_t *answer = NULL;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	g->verifying->n_open--;
	if (t->rc == AY_OK)
		answer = json_pack("{s:O, s:s, s:O}", "report", t->report, "nonce",
				   t->ours ? "server" : "caller", "identity", t->identity);
	if (t->fn)
		t->fn(t->arg, t->rc, &t->e, answer);
	else
		json_decref(answer);
	drop(task);
}

/* ---- asking ---- */

static struct ay_bytes put(uint8_t *octets, size_t *at, struct ay_bytes b)
{
	struct ay_bytes copy = { b.p ? octets + *at : NULL, b.n };

	if (b.n)
		memcpy(octets + *at, b.p, b.n);
	*at += b.n;
	return copy;
}

static enum ay_rc take_octets(const struct ay_verify_ask *ask, struct verify_task *t,
			      struct ay_err *e)
{
	size_t at = 0;

	t->octets = malloc(ask->attest.n + ask->signature.n + ask->nonce.n + ask->log.n +
			   ask->ima.n + 1);
	if (!t->octets)
		return ay_fail(e, AY_E_NOMEM, "verify", 0, "no memory");
	t->in.attest = put(t->octets, &at, ask->attest);
	t->in.signature = put(t->octets, &at, ask->signature);
	t->in.nonce = put(t->octets, &at, ask->nonce);
	t->in.log = put(t->octets, &at, ask->log);
	t->in.ima = put(t->octets, &at, ask->ima);
	if (ask->pcrs) {
		t->pcrs = *ask->pcrs;
		t->in.pcrs = &t->pcrs;
	}
	return AY_OK;
}

static enum ay_rc fill(struct ay_engine *g, const struct ay_verify_ask *ask, struct verify_task *t,
		       struct ay_err *e)
{
	enum ay_rc rc = take_octets(ask, t, e);

	t->task = (struct ay_task){ .run = run, .done = done, .drop = drop };
	t->in.now_ms = g->now_ms;
	if (rc == AY_OK)
		rc = ay_key_from_any(ask->ak, &t->ak, e);
	t->in.ak = t->ak;
	if (rc == AY_OK)
		rc = take_policy(g, ask->policy, t, e);
	if (rc == AY_OK)
		rc = take_sets(g, ask->references, t, e);
	if (rc != AY_OK)
		return rc;
	t->identity = identity_of(g, ask);
	t->ours = ay_verify_take_nonce(g, ask->user, ask->nonce);
	return AY_OK;
}

static struct verify_task *task_of(struct ay_engine *g, const struct ay_verify_ask *ask,
				   struct ay_err *e)
{
	struct ay_verifying *v = state_of(g);
	struct verify_task *t = v ? calloc(1, sizeof(*t)) : NULL;
	enum ay_rc rc;

	if (!t)
		rc = ay_fail(e, AY_E_NOMEM, "verify", 0, "no memory");
	else if (v->n_open >= AT_ONCE)
		rc = ay_fail_code(e, AY_E_UNAVAIL, "VERIFY_BUSY", "verify",
				  "%d others are being verified", AT_ONCE);
	else
		rc = fill(g, ask, t, e);
	if (rc == AY_OK)
		return t;
	if (t)
		drop(&t->task);
	return NULL;
}

void ay_engine_verify(struct ay_engine *g, const struct ay_verify_ask *ask, ay_verify_fn *fn,
		      void *arg)
{
	struct ay_err e = { 0 };
	struct verify_task *t = task_of(g, ask, &e);

	if (!t) {
		fn(arg, e.rc, &e, NULL);
		return;
	}
	t->fn = fn;
	t->arg = arg;
	t->next = g->verifying->open;
	g->verifying->open = t;
	g->verifying->n_open++;
	ay_workers_task(g, &t->task);
}

void ay_engine_verify_forget(struct ay_engine *g, void *arg)
{
	for (struct verify_task *t = g->verifying ? g->verifying->open : NULL; t; t = t->next)
		if (t->arg == arg)
			t->fn = NULL;
}

void ay_verify_fini(struct ay_engine *g)
{
	free(g->verifying);
	g->verifying = NULL;
}
