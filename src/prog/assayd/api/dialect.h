/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSAYD_API_DIALECT_H
#define AY_ASSAYD_API_DIALECT_H

/*
 * Whose way of speaking a request is answered in. Each set of routes is one
 * .def table of the same shape and under the same permissions; which sets a
 * listener serves, and in which dialect, says one table in router.c.
 */

enum ay_dialect {
	AY_DIALECT_NATIVE = 0, /* /api/v1 and what stands beside it on the API's address */
	AY_DIALECT_OAT1,       /* OpenAttestation 1.x: `True`, errors with `detail` */
	AY_DIALECT_OAT2,       /* OpenAttestation 2.x and the same paths of CIT: `true` */
	AY_DIALECT_MTW,	       /* Mt. Wilson v1 */
	AY_DIALECT_CIT,	       /* /mtwilson/v2 */
	AY_DIALECT_HVS,	       /* SecL /hvs/v2 */
	AY_DIALECTS
};

enum ay_route_set {
	AY_ROUTES_API = 0, /* api/routes.def */
	AY_ROUTES_OAT,	   /* family/oat_routes.def, and so on */
	AY_ROUTES_MTW,
	AY_ROUTES_CIT,
	AY_ROUTES_HVS,
	AY_ROUTE_SETS
};

const char *ay_dialect_name(enum ay_dialect d);

#endif
