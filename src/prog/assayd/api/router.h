/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_ROUTER_H
#define AY_ASSAYD_API_ROUTER_H

/* From method and path to the row of routes.def, and whether this caller may. Pure. */
#include "prog/assayd/api/call.h"

/* In which dialect a listener speaks of what is in no set. */
enum ay_dialect ay_listener_dialect(enum ay_listener l);

struct ay_route_found {
	bool path_known;	  /* the path exists there, maybe with another method */
	enum ay_dialect dialect;  /* of the set it is in; else of the listener */
	struct ay_bytes param[4]; /* what stands for {..} */
	struct ay_bytes suffix;	  /* of the last segment, in sets of the family: "json" */
};
/*
 * The row for this request by that listener; NULL = none. Routes of the API
 * are on its own listener alone. On the Mt. Wilson listener /mtwilson/v1 may
 * stand before the paths of v1.
 */
const struct ay_route *ay_route_find(enum ay_listener l, enum ay_http_method method,
				     const struct ay_target *t, struct ay_route_found *out);
/*
 * Every row that any listener serves, for tests and documents: {"listener",
 * "dialect","method","path","permission","host":bool,"scoped":bool,"handler"}.
 */
json_t *ay_routes_json(void);
/* The methods of a path there, for Allow. */
void ay_route_allow(enum ay_listener l, const struct ay_target *t, char out[64]);
/* AY_E_INPUT for a parameter that the row does not name. */
AY_MUST_USE enum ay_rc ay_route_query(const struct ay_route *r, const struct ay_target *t,
				      struct ay_err *e);
/* AY_E_DENIED with AUTH_REQUIRED (401) or NOT_PERMITTED (403). */
AY_MUST_USE enum ay_rc ay_route_permit(const struct ay_route *r, const struct ay_principal *who,
				       struct ay_err *e);
/* scope.c: AY_E_DENIED OUT_OF_SCOPE when the caller has the permission for some hosts only and the
 * route cannot keep to that. */
AY_MUST_USE enum ay_rc ay_route_scope(const struct ay_route *r, const struct ay_principal *who,
				      struct ay_err *e);
/* Which of the path's parameters is a host; false: none. */
bool ay_route_host(const struct ay_route *r, size_t *at);

#endif
