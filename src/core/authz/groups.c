/* SPDX-License-Identifier: Apache-2.0 */
#include "core/authz/groups.h"

#include <stdio.h>
#include <strings.h>

static struct ay_bytes trimmed(const char *p, const char *end)
{
	while (p < end && *p == ' ')
		p++;
	while (end > p && end[-1] == ' ')
		end--;
	return (struct ay_bytes){ (const uint8_t *)p, (size_t)(end - p) };
}

static enum ay_rc read_row(const char *p, const char *end, const char *where,
			   struct ay_group_map *m, struct ay_err *e)
{
	const char *equals = end;
	struct ay_bytes group, role;

	while (equals > p && *equals != '=')
		equals--;
	group = trimmed(p, equals);
	role = trimmed(equals + 1 < end ? equals + 1 : end, end);
	if (group.n == 0 || role.n == 0 || group.n >= AY_GROUP_TEXT || role.n > AY_MAX_NAME_BYTES)
		return ay_fail(e, AY_E_INPUT, where, 0, "give GROUP=ROLE, with ';' between rows");
	if (m->n == AY_GROUP_ROWS)
		return ay_fail(e, AY_E_LIMIT, where, 0, "more than %d rows", AY_GROUP_ROWS);
	memcpy(m->row[m->n].group, group.p, group.n);
	memcpy(m->row[m->n].role, role.p, role.n);
	m->n++;
	return AY_OK;
}

enum ay_rc ay_group_map_parse(const char *text, const char *where, struct ay_group_map *out,
			      struct ay_err *e)
{
	struct ay_group_map m = { 0 };
	enum ay_rc rc = AY_OK;

	memset(out, 0, sizeof(*out));
	for (const char *p = text; rc == AY_OK && *p != '\0';) {
		const char *end = p + strcspn(p, ";");

		if (trimmed(p, end).n > 0)
			rc = read_row(p, end, where, &m, e);
		p = end + (*end == ';');
	}
	if (rc == AY_OK)
		*out = m;
	return rc;
}

static bool is_in(const char *group, const char (*have)[AY_GROUP_TEXT], size_t n, bool any_case)
{
	for (size_t i = 0; i < n; i++)
		if ((any_case ? strcasecmp(group, have[i]) : strcmp(group, have[i])) == 0)
			return true;
	return false;
}

size_t ay_group_roles(const struct ay_group_map *m, const char (*group)[AY_GROUP_TEXT], size_t n,
		      bool any_case, const char **role, size_t max)
{
	size_t found = 0;

	for (size_t i = 0; i < m->n && found < max; i++) {
		bool twice = false;

		for (size_t k = 0; k < found; k++)
			twice = twice || strcmp(role[k], m->row[i].role) == 0;
		if (!twice &&
		    !AY_CHECKED("GROUP_OTHER", !is_in(m->row[i].group, group, n, any_case)))
			role[found++] = m->row[i].role;
	}
	return found;
}
