/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/api/router.h"

static const struct ay_route routes[] = {
#define X(m, p, perm_, h, q, req_, res_, d)                                                        \
	{ .method = AY_HTTP_##m,                                                                   \
	  .path = (p),                                                                             \
	  .perm = AY_PERM_##perm_,                                                                 \
	  .perm_name = #perm_,                                                                     \
	  .handler = ay_api_##h,                                                                   \
	  .handler_name = #h,                                                                      \
	  .query = (q),                                                                            \
	  .request = AY_SCHEMA_##req_,                                                             \
	  .response = AY_SCHEMA_##res_,                                                            \
	  .doc = (d) },
#include "prog/assayd/api/routes.def"
#undef X
};

const struct ay_route *ay_routes(size_t *n)
{
	*n = AY_COUNT(routes);
	return routes;
}

/* The next segment of a pattern, which moves on. */
static struct ay_bytes next_segment(const char **pattern)
{
	const char *at = *pattern + 1, *end = strchr(at, '/');
	size_t n = end == NULL ? strlen(at) : (size_t)(end - at);

	*pattern = at + n;
	return (struct ay_bytes){ (const uint8_t *)at, n };
}

static bool match(const struct ay_route *r, const struct ay_target *t, struct ay_bytes param[4])
{
	const char *pattern = r->path;
	size_t n_params = 0;

	for (size_t i = 0; i < t->n_segments; i++) {
		struct ay_bytes want;

		if (*pattern != '/')
			return false;
		want = next_segment(&pattern);
		if (want.p[0] == '{')
			param[n_params++] = t->segment[i];
		else if (!ay_bytes_eq(want, t->segment[i]))
			return false;
	}
	return *pattern == '\0';
}

/* A row without {..} wins over one with: /reference-sets/learn is no set. */
static bool is_plain(const struct ay_route *r)
{
	return strchr(r->path, '{') == NULL;
}

const struct ay_route *ay_route_find(enum ay_http_method method, const struct ay_target *t,
				     struct ay_bytes param[4], bool *path_known)
{
	enum ay_http_method asked = method == AY_HTTP_HEAD ? AY_HTTP_GET : method;
	const struct ay_route *found = NULL;
	struct ay_bytes got[4] = { { NULL, 0 } };

	*path_known = false;
	for (size_t i = 0; i < AY_COUNT(routes); i++) {
		if (!match(&routes[i], t, got))
			continue;
		*path_known = true;
		if (routes[i].method != asked || (found != NULL && !is_plain(&routes[i])))
			continue;
		found = &routes[i];
		memcpy(param, got, sizeof(got));
	}
	return found;
}

void ay_route_allow(const struct ay_target *t, char out[64])
{
	struct ay_bytes got[4] = { { NULL, 0 } };
	size_t n;

	out[0] = '\0';
	for (size_t i = 0; i < AY_COUNT(routes); i++) {
		const char *name = ay_http_method_name(routes[i].method);

		if (!match(&routes[i], t, got) || strstr(out, name) != NULL)
			continue;
		n = strlen(out);
		snprintf(out + n, 64 - n, "%s%s", n > 0 ? ", " : "", name);
	}
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
