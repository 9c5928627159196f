/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/router.h"

#include "prog/assayd/family/family.h"

#define ROW(m, p, perm_, fn, name, q, req_, res_, d)                                               \
	{ .method = AY_HTTP_##m,                                                                   \
	  .path = (p),                                                                             \
	  .perm = AY_PERM_##perm_,                                                                 \
	  .perm_name = #perm_,                                                                     \
	  .handler = (fn),                                                                         \
	  .handler_name = (name),                                                                  \
	  .query = (q),                                                                            \
	  .request = AY_SCHEMA_##req_,                                                             \
	  .response = AY_SCHEMA_##res_,                                                            \
	  .doc = (d) },

static const struct ay_route api_rows[] = {
#define X(m, p, perm, h, q, req, res, d) ROW(m, p, perm, ay_api_##h, #h, q, req, res, d)
#include "prog/assayd/api/routes.def"
#undef X
};
static const struct ay_route oat_rows[] = {
#define X(m, p, perm, h, q, req, res, d) ROW(m, p, perm, ay_oat_##h, "oat_" #h, q, req, res, d)
#include "prog/assayd/family/oat_routes.def"
#undef X
};
static const struct ay_route mtw_rows[] = {
#define X(m, p, perm, h, q, req, res, d) ROW(m, p, perm, ay_mtw_##h, "mtw_" #h, q, req, res, d)
#include "prog/assayd/family/mtw_routes.def"
#undef X
};
static const struct ay_route cit_rows[] = {
#define X(m, p, perm, h, q, req, res, d) ROW(m, p, perm, ay_cit_##h, "cit_" #h, q, req, res, d)
#include "prog/assayd/family/cit_routes.def"
#undef X
};
static const struct ay_route hvs_rows[] = {
#define X(m, p, perm, h, q, req, res, d) ROW(m, p, perm, ay_hvs_##h, "hvs_" #h, q, req, res, d)
#include "prog/assayd/family/hvs_routes.def"
#undef X
};

static const struct {
	const struct ay_route *row;
	size_t n;
} sets[AY_ROUTE_SETS] = {
	[AY_ROUTES_API] = { api_rows, AY_COUNT(api_rows) },
	[AY_ROUTES_OAT] = { oat_rows, AY_COUNT(oat_rows) },
	[AY_ROUTES_MTW] = { mtw_rows, AY_COUNT(mtw_rows) },
	[AY_ROUTES_CIT] = { cit_rows, AY_COUNT(cit_rows) },
	[AY_ROUTES_HVS] = { hvs_rows, AY_COUNT(hvs_rows) },
};

/* What is served where, and how it is spoken; the first row of a listener is its own dialect. */
static const struct {
	enum ay_listener listener;
	enum ay_route_set set;
	enum ay_dialect dialect;
} served[] = {
	{ AY_LISTENER_API, AY_ROUTES_API, AY_DIALECT_NATIVE },
	{ AY_LISTENER_OAT1, AY_ROUTES_OAT, AY_DIALECT_OAT1 },
	{ AY_LISTENER_OAT2, AY_ROUTES_OAT, AY_DIALECT_OAT2 },
	{ AY_LISTENER_OAT2, AY_ROUTES_MTW, AY_DIALECT_MTW },
	{ AY_LISTENER_MTWILSON, AY_ROUTES_MTW, AY_DIALECT_MTW },
	{ AY_LISTENER_MTWILSON, AY_ROUTES_OAT, AY_DIALECT_OAT2 },
	{ AY_LISTENER_MTWILSON, AY_ROUTES_CIT, AY_DIALECT_CIT },
	{ AY_LISTENER_SECL, AY_ROUTES_HVS, AY_DIALECT_HVS },
};

const struct ay_route *ay_routes_of(enum ay_route_set s, size_t *n)
{
	*n = sets[s].n;
	return sets[s].row;
}

const struct ay_route *ay_routes(size_t *n)
{
	return ay_routes_of(AY_ROUTES_API, n);
}

const char *ay_dialect_name(enum ay_dialect d)
{
	static const char *const names[AY_DIALECTS] = { "native", "oat1", "oat2",
							"mtw",	  "cit",  "hvs" };

	return (size_t)d < AY_COUNT(names) ? names[d] : "";
}

/* The next segment of a pattern, which moves on. */
static struct ay_bytes next_segment(const char **pattern)
{
	const char *at = *pattern + 1, *end = strchr(at, '/');
	size_t n = end == NULL ? strlen(at) : (size_t)(end - at);

	*pattern = at + n;
	return (struct ay_bytes){ (const uint8_t *)at, n };
}

/* The last segment without .json and the like, which goes to suffix. */
static struct ay_bytes without_suffix(struct ay_bytes seg, struct ay_bytes *suffix)
{
	static const char *const known[] = { "json", "xml", "yaml", "saml", "txt",
					     "pem",  "crt", "der",  "x509" };

	for (size_t i = 0; i < AY_COUNT(known); i++) {
		size_t n = strlen(known[i]);

		if (seg.n <= n + 1 || seg.p[seg.n - n - 1] != '.' ||
		    memcmp(seg.p + seg.n - n, known[i], n) != 0)
			continue;
		*suffix = (struct ay_bytes){ seg.p + seg.n - n, n };
		return (struct ay_bytes){ seg.p, seg.n - n - 1 };
	}
	return seg;
}

/* A segment as a route of the family may mean it. */
static bool match_family(struct ay_bytes want, struct ay_bytes seg, struct ay_route_found *f)
{
	struct ay_bytes bare = without_suffix(seg, &f->suffix);

	if (!ay_bytes_eq(want, seg))
		return ay_bytes_eq(want, bare);
	f->suffix = (struct ay_bytes){ NULL, 0 };
	return true;
}

static bool match(const struct ay_route *r, const struct ay_target *t, size_t from,
		  enum ay_dialect d, struct ay_route_found *f)
{
	const char *pattern = r->path;
	size_t n_params = 0;

	*f = (struct ay_route_found){ .path_known = true, .dialect = d };
	for (size_t i = from; i < t->n_segments; i++) {
		bool last = d != AY_DIALECT_NATIVE && i + 1 == t->n_segments;
		struct ay_bytes want;

		if (*pattern != '/')
			return false;
		want = next_segment(&pattern);
		if (want.p[0] == '{')
			f->param[n_params++] =
				last ? without_suffix(t->segment[i], &f->suffix) : t->segment[i];
		else if (last ? !match_family(want, t->segment[i], f)
			      : !ay_bytes_eq(want, t->segment[i]))
			return false;
	}
	return *pattern == '\0';
}

/* A row without {..} wins over one with: /reference-sets/learn is no set. */
static bool is_plain(const struct ay_route *r)
{
	return strchr(r->path, '{') == NULL;
}

/* /mtwilson/v1/AttestationService/... is /AttestationService/... */
static size_t skipped(enum ay_listener l, const struct ay_target *t)
{
	bool is_v1 = l == AY_LISTENER_MTWILSON && t->n_segments > 2 &&
		     ay_bytes_eq(t->segment[0], ay_bytes_of("mtwilson")) &&
		     ay_bytes_eq(t->segment[1], ay_bytes_of("v1"));

	return is_v1 ? 2 : 0;
}

static const struct ay_route *find_in(size_t at, enum ay_http_method method,
				      const struct ay_target *t, size_t from,
				      struct ay_route_found *out)
{
	enum ay_route_set s = served[at].set;
	const struct ay_route *found = NULL;
	struct ay_route_found f;

	for (size_t i = 0; i < sets[s].n; i++) {
		const struct ay_route *r = &sets[s].row[i];

		if (!match(r, t, from, served[at].dialect, &f))
			continue;
		if (!out->path_known)
			*out = (struct ay_route_found){ .path_known = true, .dialect = f.dialect };
		if (r->method != method || (found != NULL && !is_plain(r)))
			continue;
		found = r;
		*out = f;
	}
	return found;
}

const struct ay_route *ay_route_find(enum ay_listener l, enum ay_http_method method,
				     const struct ay_target *t, struct ay_route_found *out)
{
	enum ay_http_method asked = method == AY_HTTP_HEAD ? AY_HTTP_GET : method;
	const struct ay_route *found = NULL;

	*out = (struct ay_route_found){ .dialect = ay_listener_dialect(l) };
	for (size_t i = 0; found == NULL && i < AY_COUNT(served); i++) {
		if (AY_CHECKED("LISTENER_DIALECT", served[i].listener != l))
			continue;
		found = find_in(i, asked, t, skipped(l, t), out);
	}
	return found;
}

enum ay_dialect ay_listener_dialect(enum ay_listener l)
{
	for (size_t i = 0; i < AY_COUNT(served); i++)
		if (served[i].listener == l)
			return served[i].dialect;
	return AY_DIALECT_NATIVE;
}

static void add_method(char out[64], const char *name)
{
	size_t n = strlen(out);

	if (strstr(out, name) == NULL)
		snprintf(out + n, 64 - n, "%s%s", n > 0 ? ", " : "", name);
}

/* Where GET is, HEAD is. */
static void add_allowed(char out[64], enum ay_http_method m)
{
	add_method(out, ay_http_method_name(m));
	if (m == AY_HTTP_GET)
		add_method(out, "HEAD");
}

void ay_route_allow(enum ay_listener l, const struct ay_target *t, char out[64])
{
	struct ay_route_found f;

	out[0] = '\0';
	for (size_t s = 0; s < AY_COUNT(served); s++)
		for (size_t i = 0; served[s].listener == l && i < sets[served[s].set].n; i++) {
			const struct ay_route *r = &sets[served[s].set].row[i];

			if (match(r, t, skipped(l, t), served[s].dialect, &f))
				add_allowed(out, r->method);
		}
	if (out[0] != '\0')
		add_method(out, "OPTIONS");
}

static bool named(const char *names, struct ay_bytes one)
{
	for (const char *at = names; *at != '\0';) {
		const char *end = strchr(at, ',');
		size_t n = end == NULL ? strlen(at) : (size_t)(end - at);

		if (ay_bytes_eq((struct ay_bytes){ (const uint8_t *)at, n }, one))
			return true;
		at += n + (end != NULL);
	}
	return false;
}

enum ay_rc ay_route_query(const struct ay_route *r, const struct ay_target *t, struct ay_err *e)
{
	for (size_t i = 0; i < t->n_params; i++)
		if (!named(r->query, t->param[i].name))
			return ay_fail(e, AY_E_INPUT, "query", t->param[i].offset,
				       "unknown parameter %.60s", (const char *)t->param[i].name.p);
	return AY_OK;
}

enum ay_rc ay_route_permit(const struct ay_route *r, const struct ay_principal *who,
			   struct ay_err *e)
{
	if (r->perm == AY_PERM_PUBLIC)
		return AY_OK;
	if (AY_CHECKED("API_CREDENTIAL", !who->known))
		return ay_fail_code(e, AY_E_DENIED, "AUTH_REQUIRED", "authorization",
				    "give a token: Authorization: Bearer TOKEN");
	if (AY_CHECKED("API_PERMISSION", ((who->perms >> r->perm) & 1) == 0))
		return ay_fail_code(e, AY_E_DENIED, "NOT_PERMITTED", "authorization",
				    "%s needs the permission %s", r->path, r->perm_name);
	return AY_OK;
}

static json_t *row_json(enum ay_listener l, enum ay_dialect d, const struct ay_route *r)
{
	struct ay_principal nobody = { 0 };
	struct ay_err e;
	size_t at;

	return json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:s}", "listener", ay_listener_name(l),
		"dialect", ay_dialect_name(d), "method", ay_http_method_name(r->method), "path",
		r->path, "permission", r->perm_name, "host", (int)ay_route_host(r, &at), "scoped",
		(int)(ay_route_scope(r, &nobody, &e) == AY_OK), "handler", r->handler_name);
}

json_t *ay_routes_json(void)
{
	json_t *all = json_array();

	for (size_t i = 0; i < AY_COUNT(served); i++)
		for (size_t k = 0; k < sets[served[i].set].n; k++)
			json_array_append_new(all, row_json(served[i].listener, served[i].dialect,
							    &sets[served[i].set].row[k]));
	return all;
}
