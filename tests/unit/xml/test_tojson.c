/* SPDX-License-Identifier: Apache-2.0 */
#include "core/xml/tojson.h"
#include "support/t.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *xml, *json; /* json NULL: refused */
} rows[] = {
	{ "<host><name>a</name><description>b &lt; c</description></host>",
	  "{\"name\":\"a\",\"description\":\"b < c\"}" },
	{ "<?xml version=\"1.0\"?>\n<h:host xmlns:h=\"urn:x\" id=\"1\">\n "
	  "<h:name>a</h:name>\n</h:host>",
	  "{\"name\":\"a\"}" },
	{ "<m><r>1</r><r>2</r><r><x>3</x></r></m>", "{\"r\":[\"1\",\"2\",{\"x\":\"3\"}]}" },
	{ "<m><e/><f></f><g><![CDATA[<z/>]]></g></m>", "{\"e\":\"\",\"f\":\"\",\"g\":\"<z/>\"}" },
	{ "<m>alone</m>", "{}" },
	{ "<m><a>1</a></m><m/>", NULL },
	{ "<m><a>1</b></m>", NULL },
	{ "", NULL },
	{ "<!DOCTYPE m [<!ENTITY a \"b\">]><m><x>&a;</x></m>", NULL },
	{ "<!DOCTYPE m SYSTEM \"file:///etc/passwd\"><m/>", NULL },
	{ "<m xmlns:xi=\"http://www.w3.org/2001/XInclude\"><xi:include "
	  "href=\"file:///etc/passwd\"/></m>",
	  NULL },
};

static void elements_are_members(void **state)
{
	struct ay_err e;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		json_t *got, *want;
		enum ay_rc rc = ay_xml_to_json(ay_bytes_of(rows[i].xml), &got, &e);

		print_message("xml: %s\n", rows[i].xml);
		assert_int_equal(rc == AY_OK, rows[i].json != NULL);
		if (rows[i].json == NULL) {
			assert_null(got);
			continue;
		}
		want = json_loads(rows[i].json, 0, NULL);
		assert_true(json_equal(got, want));
		json_decref(got);
		json_decref(want);
	}
}

static void depth_has_a_limit(void **state)
{
	char text[4000] = "";
	json_t *got;
	struct ay_err e;

	(void)state;
	for (unsigned i = 0; i < 500; i++)
		memcpy(text + 3 * (size_t)i, "<a>", 3);
	assert_int_not_equal(ay_xml_to_json(ay_bytes_of(text), &got, &e), AY_OK);
	assert_null(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_are_members),
		cmocka_unit_test(depth_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
