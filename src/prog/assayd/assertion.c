/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/claims.h"

#include <stdlib.h>

/* The claims of one host: a certificate in PEM, and texts with limits of their own. */
enum { HOST_MAX = 2 * AY_MAX_CERT_BYTES, BODY_MAX = AY_MAX_XML_BYTES };

/* One host that is asked about; by id, since it may go while we wait. */
struct subject {
	struct request *request;
	struct ay_uuid id;
	bool known, silent;
	char name[AY_MAX_NAME_BYTES + 1];
};

struct request {
	struct ay_engine *g;
	enum ay_assertion_form form;
	bool rsa;
	char audience[256], nonce[256];
	size_t n, waiting;
	struct subject *subject;
	struct ay_err why; /* the last that was silent */
	ay_document_fn *fn;
	void *arg;
};

static void end(struct request *r, enum ay_rc rc, const struct ay_err *e)
{
	r->fn(r->arg, rc, e, (struct ay_bytes){ 0 });
	free(r->subject);
	free(r);
}

/* ---- what is said ---- */

static const enum ay_saml_profile profiles[AY_ASSERTION_FORMS] = {
	[AY_ASSERTION_CIT] = AY_SAML_CIT,
	[AY_ASSERTION_SECL] = AY_SAML_SECL,
};

static enum ay_rc gather(const struct request *r, const struct subject *s, struct ay_claims *d,
			 struct ay_err *e)
{
	const struct ay_host *h = s->known ? ay_hosts_by_id(r->g, &s->id) : NULL;
	enum ay_rc rc = AY_OK;

	if (h != NULL)
		rc = ay_claims_gather(r->g, h, d, e);
	else
		ay_claims_nobody(r->g, s->name, d);
	if (rc != AY_OK)
		return rc;
	if (s->silent)
		ay_claims_silent(d);
	d->claims.profile = profiles[r->form];
	d->claims.rsa = r->rsa;
	d->claims.service = r->form == AY_ASSERTION_SAML ? NULL : "AttestationService";
	d->claims.audience = r->audience[0] ? r->audience : NULL;
	d->claims.nonce = r->nonce[0] ? r->nonce : NULL;
	if (AY_CHECKED("ASSERTION_UNKNOWN",
		       r->form == AY_ASSERTION_SAML && d->claims.verdict == AY_UNKNOWN))
		return ay_fail_code(e, AY_E_EXISTS, "VERDICT_UNKNOWN", "assertion",
				    "nothing can be asserted of a host whose verdict is unknown");
	return AY_OK;
}

/* The claims of all, as the signer reads them, and until when they hold. */
static enum ay_rc write_claims(const struct request *r, struct ay_claims *d, uint8_t *buf,
			       size_t room, struct ay_bytes *body, int64_t *until_ms,
			       struct ay_err *e)
{
	struct ay_saml_claims *all = calloc(r->n, sizeof(*all));
	struct ay_writer w;

	if (all == NULL)
		return ay_fail(e, AY_E_NOMEM, "assertion", 0, "no memory");
	*until_ms = d[0].claims.lease_ms;
	for (size_t i = 0; i < r->n; i++) {
		all[i] = d[i].claims;
		if (all[i].lease_ms < *until_ms)
			*until_ms = all[i].lease_ms;
	}
	ay_wr_init(&w, buf, room);
	ay_saml_claims_write(&w, all, r->n);
	free(all);
	return ay_wr_end(&w, "claims", body, e);
}

static void sign(struct request *r)
{
	struct ay_claims *d = calloc(r->n, sizeof(*d));
	size_t room = r->n * HOST_MAX < BODY_MAX ? r->n * HOST_MAX : BODY_MAX;
	uint8_t *buf = malloc(room);
	struct ay_bytes body = { 0 };
	uint16_t type = r->form == AY_ASSERTION_EAR ? AY_MSG_SIGN_EAR : AY_MSG_SIGN_SAML;
	int64_t until_ms = 0;
	struct ay_err e = { 0 };
	enum ay_rc rc = d && buf ? AY_OK : ay_fail(&e, AY_E_NOMEM, "assertion", 0, "no memory");

	for (size_t i = 0; rc == AY_OK && i < r->n; i++)
		rc = gather(r, &r->subject[i], &d[i], &e);
	if (rc == AY_OK)
		rc = write_claims(r, d, buf, room, &body, &until_ms, &e);
	if (rc != AY_OK)
		r->fn(r->arg, rc, &e, (struct ay_bytes){ 0 });
	else if (r->nonce[0])
		ay_relay_document(r->g, r->g->signer, type, body, r->fn, r->arg);
	else
		ay_issued_get(r->g, type, body, until_ms, r->fn, r->arg);
	for (size_t i = 0; d && i < r->n; i++)
		ay_claims_fini(&d[i]);
	free(d);
	free(buf);
	free(r->subject);
	free(r);
}

/* ---- attest first ---- */

static void answered(struct request *r)
{
	if (--r->waiting > 0)
		return;
	if (r->n == 1 && r->subject[0].silent)
		end(r, r->why.rc, &r->why);
	else
		sign(r);
}

static void on_attested(void *arg, enum ay_rc rc, const struct ay_err *e, const struct ay_host *h)
{
	struct subject *s = arg;

	(void)h;
	s->silent = AY_CHECKED("ASSERTION_FORCED", rc != AY_OK);
	if (rc == AY_E_UNAVAIL && e->code[0] == '\0')
		s->request->why.rc = ay_fail_code(&s->request->why, AY_E_UNAVAIL, "ATTEST_TIMEOUT",
						  "assertion", "the host did not attest in time");
	else if (rc != AY_OK)
		s->request->why = *e;
	answered(s->request);
}

static void attest(struct request *r, int64_t wait_ms)
{
	size_t n = r->n;

	r->waiting = n + 1;
	for (size_t i = 0; i < n; i++) {
		struct subject *s = &r->subject[i];
		const struct ay_host *h = s->known ? ay_hosts_by_id(r->g, &s->id) : NULL;
		struct ay_err e = { 0 };
		enum ay_rc rc = AY_OK;

		if (h != NULL)
			rc = ay_engine_attest(r->g, h, wait_ms, on_attested, s, &e);
		if (h == NULL)
			r->waiting--; /* it is said that nobody knows it */
		else if (rc != AY_OK)
			on_attested(s, rc, &e, h);
	}
	answered(r);
}

/* ---- the question ---- */

static bool copy(char *out, size_t room, struct ay_bytes text)
{
	if (text.n >= room || (text.n && memchr(text.p, 0, text.n)))
		return false;
	if (text.n)
		memcpy(out, text.p, text.n);
	out[text.n] = 0;
	return true;
}

static enum ay_rc check_hosts(const struct ay_assertion_host *hosts, size_t n,
			      const struct ay_assertion_ask *ask, struct ay_err *e)
{
	if (n == 0 || n > AY_MAX_ASSERTION_HOSTS)
		return ay_fail(e, AY_E_LIMIT, "assertion", 0, "about 1 to %d hosts",
			       AY_MAX_ASSERTION_HOSTS);
	if (n > 1 && ask->form != AY_ASSERTION_CIT)
		return ay_fail(e, AY_E_INPUT, "assertion", 0, "this form tells of one host");
	for (size_t i = 0; i < n; i++)
		if (hosts[i].host == NULL && ask->form != AY_ASSERTION_CIT)
			return ay_fail_code(e, AY_E_NOENT, "HOST", "assertion", "no such host");
	return AY_OK;
}

static enum ay_rc fill(struct request *r, const struct ay_assertion_host *hosts, size_t n,
		       const struct ay_assertion_ask *ask, struct ay_err *e)
{
	r->subject = calloc(n, sizeof(*r->subject));
	if (r->subject == NULL)
		return ay_fail(e, AY_E_NOMEM, "assertion", 0, "no memory");
	r->n = n;
	r->form = ask->form;
	r->rsa = ask->rsa || ask->form == AY_ASSERTION_CIT || ask->form == AY_ASSERTION_SECL;
	if (!copy(r->audience, sizeof(r->audience), ask->audience) ||
	    !copy(r->nonce, sizeof(r->nonce), ask->nonce))
		return ay_fail(e, AY_E_INPUT, "assertion", 0, "audience or nonce is too long");
	for (size_t i = 0; i < n; i++) {
		struct subject *s = &r->subject[i];
		const struct ay_host *h = hosts[i].host;

		s->request = r;
		s->known = h != NULL;
		if (h != NULL)
			s->id = h->id;
		if (!copy(s->name, sizeof(s->name), hosts[i].name))
			return ay_fail(e, AY_E_INPUT, "assertion", 0, "a host's name is too long");
	}
	return AY_OK;
}

void ay_engine_assertion(struct ay_engine *g, const struct ay_assertion_host *hosts, size_t n,
			 const struct ay_assertion_ask *ask, ay_document_fn *fn, void *arg)
{
	struct request *r = calloc(1, sizeof(*r));
	struct ay_err e = { 0 };
	enum ay_rc rc = check_hosts(hosts, n, ask, &e);

	if (r == NULL)
		rc = ay_fail(&e, AY_E_NOMEM, "assertion", 0, "no memory");
	if (rc == AY_OK) {
		*r = (struct request){ .g = g, .fn = fn, .arg = arg };
		rc = fill(r, hosts, n, ask, &e);
	}
	if (rc != AY_OK) {
		fn(arg, rc, &e, (struct ay_bytes){ 0 });
		if (r != NULL)
			free(r->subject);
		free(r);
	} else if (ask->force_verify) {
		attest(r, ask->wait_ms);
	} else {
		sign(r);
	}
}

void ay_engine_jwks(const struct ay_engine *g, struct ay_jwks *out)
{
	*out = (struct ay_jwks){ 0 };
	for (size_t i = 0; i < g->jwks.n; i++)
		if (g->jwks_until_ms[i] == 0 || g->now_ms < g->jwks_until_ms[i])
			out->key[out->n++] = g->jwks.key[i];
}
