/* SPDX-License-Identifier: Apache-2.0 */
/* Where somebody may do what he may: the one place that compares hosts with scopes. */
#include "prog/assayd/api/auth.h"
#include "prog/assayd/api/router.h"
#include "prog/assayd/family/family.h"

bool ay_principal_grant(struct ay_principal *p, uint64_t perms, const struct ay_scope *scope)
{
	if (p->n_grants == AY_COUNT(p->grant))
		return false;
	perms |= UINT64_C(1) << AY_PERM_ANY; /* what any credential may, a role need not name */
	p->grant[p->n_grants++] = (struct ay_grant){ perms, *scope };
	p->perms |= perms;
	if (scope->n == 0)
		p->everywhere |= perms;
	return true;
}

/* Hosts that are in both. */
static bool add_scope(struct ay_scope *to, const struct ay_scope *more)
{
	if (more->n > AY_COUNT(to->label) - to->n)
		return false;
	for (size_t i = 0; i < more->n; i++)
		to->label[to->n++] = more->label[i];
	return true;
}

bool ay_principal_narrow(struct ay_principal *p, uint64_t mask, const struct ay_scope *scope)
{
	p->perms = p->everywhere = 0;
	mask |= UINT64_C(1) << AY_PERM_ANY;
	for (size_t i = 0; i < p->n_grants; i++) {
		struct ay_grant *g = &p->grant[i];

		g->perms &= mask;
		if (!add_scope(&g->scope, scope))
			return false;
		p->perms |= g->perms;
		if (g->scope.n == 0)
			p->everywhere |= g->perms;
	}
	return true;
}

static bool has_label(const struct ay_label *labels, size_t n, const char *key, const char *value)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(labels[i].key, key) == 0)
			return strcmp(labels[i].value, value) == 0;
	return false;
}

static bool scope_holds(const struct ay_scope *s, const struct ay_label *labels, size_t n)
{
	for (size_t i = 0; i < s->n; i++)
		if (!has_label(labels, n, s->label[i].key, s->label[i].value))
			return false;
	return true;
}

bool ay_scope_has(const struct ay_scope *s, const struct ay_host *h)
{
	return scope_holds(s, h->labels, h->n_labels);
}

static bool may_labels(const struct ay_principal *p, enum ay_perm perm,
		       const struct ay_label *labels, size_t n)
{
	for (size_t i = 0; i < p->n_grants; i++)
		if (((p->grant[i].perms >> perm) & 1) != 0 &&
		    !AY_CHECKED("SCOPE_LABELS", !scope_holds(&p->grant[i].scope, labels, n)))
			return true;
	return false;
}

bool ay_may_host(const struct ay_principal *p, enum ay_perm perm, const struct ay_host *h)
{
	return may_labels(p, perm, h->labels, h->n_labels);
}

const struct ay_host *ay_api_host_find(struct ay_api_call *c, struct ay_bytes id_or_name)
{
	const struct ay_host *h = ay_engine_host_find(c->api->engine, id_or_name);

	return h != NULL && ay_may_host(&c->who, c->route->perm, h) ? h : NULL;
}

const struct ay_host *ay_api_host_next(struct ay_api_call *c, size_t *at)
{
	const struct ay_host *h;

	while ((h = ay_engine_host_next(c->api->engine, at)) != NULL)
		if (ay_may_host(&c->who, c->route->perm, h))
			return h;
	return NULL;
}

bool ay_labels_in_scope(const struct ay_principal *who, enum ay_perm perm,
			const struct ay_label *labels, size_t n)
{
	return may_labels(who, perm, labels, n);
}

bool ay_api_labels_allowed(struct ay_api_call *c, const struct ay_label *labels, size_t n)
{
	struct ay_err e;

	if (may_labels(&c->who, c->route->perm, labels, n))
		return true;
	ay_err_set(&e, AY_E_DENIED, "labels", 0,
		   "your role is limited to hosts with other labels than these");
	ay_err_code(&e, "OUT_OF_SCOPE");
	ay_api_denied(c, 403, &e);
	ay_api_problem(c, &e);
	return false;
}

/* ---- routes ---- */

static ay_api_handler *const scoped[] = {
#define X(handler, doc) ay_api_##handler,
#include "prog/assayd/api/scoped.def"
#undef X
	/* of the family: each finds hosts by ay_api_host_find() and ay_api_host_next() */
	ay_oat_poll,	     ay_oat_host_list,	     ay_oat_location_show, ay_mtw_trust,
	ay_mtw_saml,	     ay_mtw_bulk_saml,	     ay_mtw_bulk_trust,	   ay_mtw_aik_trust,
	ay_mtw_report_trust, ay_mtw_report_manifest, ay_mtw_report_raw,	   ay_mtw_report_log,
	ay_cit_hosts_search, ay_cit_attest,	     ay_cit_attestations,  ay_cit_attestation,
	ay_hvs_hosts,	     ay_hvs_host_status,     ay_hvs_report_create, ay_hvs_reports,
	ay_hvs_report,
};

bool ay_route_host(const struct ay_route *r, size_t *at)
{
	const char *host = strstr(r->path, "{host}");

	*at = 0;
	for (const char *p = r->path; host != NULL && p < host; p++)
		*at += *p == '{';
	return host != NULL;
}

static bool honours_scope(const struct ay_route *r)
{
	size_t at;

	if (ay_route_host(r, &at))
		return true;
	for (size_t i = 0; i < AY_COUNT(scoped); i++)
		if (scoped[i] == r->handler)
			return true;
	return false;
}

enum ay_rc ay_route_scope(const struct ay_route *r, const struct ay_principal *who,
			  struct ay_err *e)
{
	if (r->perm == AY_PERM_PUBLIC || ay_may(who, r->perm) ||
	    !AY_CHECKED("API_SCOPE", !honours_scope(r)))
		return AY_OK;
	return ay_fail_code(e, AY_E_DENIED, "OUT_OF_SCOPE", "authorization",
			    "your role is limited to some hosts; %.80s is about more", r->path);
}
