/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/smoke.h"

#include "core/xml/tojson.h"

#include <stdlib.h>

/* Only text, objects and arrays of two or more come of it. */
static void look(const json_t *v)
{
	const char *key;
	json_t *m;
	size_t i;

	if (!json_is_string(v) && !json_is_object(v) && json_array_size(v) < 2)
		abort();
	json_array_foreach ((json_t *)(uintptr_t)v, i, m)
		look(m);
	json_object_foreach ((json_t *)(uintptr_t)v, key, m)
		look(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	json_t *v;
	struct ay_err e;

	if (ay_xml_to_json((struct ay_bytes){ p, n }, &v, &e) != AY_OK)
		return 0;
	look(v);
	json_decref(v);
	AY_FUZZ_ACCEPT();
	return 0;
}
