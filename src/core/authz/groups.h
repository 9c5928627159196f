/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_AUTHZ_GROUPS_H
#define AY_AUTHZ_GROUPS_H

/*
 * Which role a group of another source gives here: a text of rows
 * GROUP=ROLE with ';' between. Blanks around them do not count; a group may hold
 * anything but ';', the role stands after the last '='.
 */
#include "core/base/bytes.h"
#include "core/base/err.h"
#include "core/base/limits.h"

enum { AY_GROUP_ROWS = 64, AY_GROUP_TEXT = 256 };

struct ay_group_map {
	size_t n;
	struct {
		char group[AY_GROUP_TEXT];
		char role[AY_MAX_NAME_BYTES + 1];
	} row[AY_GROUP_ROWS];
};
/* AY_E_INPUT, AY_E_LIMIT: where is its key in the configuration. */
AY_MUST_USE enum ay_rc ay_group_map_parse(const char *text, const char *where,
					  struct ay_group_map *out, struct ay_err *e);
/*
 * Roles of somebody in these groups, each once and in the order of the map, at
 * most max; their number. Groups are compared octet for octet, or without
 * regard to the case of letters (names of a directory).
 */
size_t ay_group_roles(const struct ay_group_map *m, const char (*group)[AY_GROUP_TEXT], size_t n,
		      bool any_case, const char **role, size_t max);

#endif
