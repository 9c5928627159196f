/* SPDX-License-Identifier: Apache-2.0 */
/* Which groups give which roles; the groups of somebody stand behind the first line. */
#include "fuzz/smoke.h"

#include "core/authz/groups.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static char group[4][AY_GROUP_TEXT];
	const char *role[8], *line;
	struct ay_group_map map;
	struct ay_err e;
	char text[4096];
	size_t n_groups = 0, found;

	if (n >= sizeof(text))
		return 0;
	if (n > 0)
		memcpy(text, p, n);
	text[n] = '\0';
	line = strchr(text, '\n');
	while (line != NULL && n_groups < 4) {
		size_t len = strcspn(line + 1, "\n");

		len = len < AY_GROUP_TEXT - 1 ? len : AY_GROUP_TEXT - 1;
		memcpy(group[n_groups], line + 1, len);
		group[n_groups++][len] = '\0';
		line = strchr(line + 1, '\n');
	}
	text[strcspn(text, "\n")] = '\0';
	if (ay_group_map_parse(text, "t", &map, &e) != AY_OK)
		return 0;
	found = ay_group_roles(&map, (const char(*)[AY_GROUP_TEXT])group, n_groups, n % 2 == 0,
			       role, 8);
	assert(map.n <= AY_GROUP_ROWS && found <= 8 && found <= map.n);
	AY_FUZZ_ACCEPT();
	return 0;
}
