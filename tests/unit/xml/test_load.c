/* SPDX-License-Identifier: Apache-2.0 */
/* The loader of outside XML: what it lets through and which word it refuses the rest with. */
#include "support/t.h"

#include "core/base/limits.h"
#include "core/xml/load.h"

#include <stdlib.h>

static const struct {
	const char *name;
	const char *text;
	const char *code; /* NULL: accepted */
} documents[] = {
	{ "one element", "<a/>", NULL },
	{ "declaration", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a b='c'>d</a>", NULL },
	{ "namespaces", "<a xmlns='urn:x' xmlns:p='urn:p'><p:b/></a>", NULL },
	{ "CDATA", "<a><![CDATA[<b x='1'>]]></a>", NULL },
	{ "the five entities", "<a>&lt;&gt;&amp;&quot;&apos;&#65;</a>", NULL },
	{ "nothing", "", "XML_MALFORMED" },
	{ "text only", "a", "XML_MALFORMED" },
	{ "not closed", "<a>", "XML_MALFORMED" },
	{ "two roots", "<a/><b/>", "XML_MALFORMED" },
	{ "same attribute twice", "<a b='1' b='2'/>", "XML_MALFORMED" },
	{ "DOCTYPE", "<!DOCTYPE a><a/>", "XML_DOCTYPE" },
	{ "external entity", "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
	  "XML_DOCTYPE" },
	{ "billion laughs", "<!DOCTYPE a [<!ENTITY x 'ha'><!ENTITY y '&x;&x;'>]><a>&y;</a>",
	  "XML_DOCTYPE" },
	{ "entity without declaration", "<a>&x;</a>", "XML_MALFORMED" },
	{ "XInclude", "<a xmlns:i='http://www.w3.org/2001/XInclude'/>", "XML_DOCTYPE" },
	{ "schema location",
	  "<a xmlns:s='http://www.w3.org/2001/XMLSchema-instance' s:schemaLocation='u v'/>",
	  "XML_DOCTYPE" },
	{ "comment in text (CVE-2018-0489)", "<a>adm<!-- x -->in</a>", "SAML_COMMENT" },
	{ "processing instruction", "<a><?b c?></a>", "SAML_COMMENT" },
	{ "prefix with two meanings", "<p:a xmlns:p='urn:1'><p:b xmlns:p='urn:2'/></p:a>",
	  "XML_LIMIT" },
	{ "other encoding", "<?xml version='1.0' encoding='UTF-7'?><a/>", "XML_LIMIT" },
	{ "not UTF-8", "<a>\xff</a>", "XML_LIMIT" },
};

static void documents_of_all_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(documents); i++) {
		struct ay_err e = { 0 };
		xmlDocPtr doc = NULL;
		enum ay_rc rc;

		print_message("document: %s\n", documents[i].name);
		rc = ay_xml_load(ay_bytes_of(documents[i].text), &doc, &e);
		assert_int_equal(rc == AY_OK, documents[i].code == NULL);
		assert_int_equal(doc != NULL, rc == AY_OK);
		if (rc != AY_OK)
			assert_string_equal(e.code, documents[i].code);
		xmlFreeDoc(doc);
	}
}

static void every_prefix_is_refused(void **state)
{
	struct ay_bytes t = ay_bytes_of("<?xml version=\"1.0\"?><a xmlns='urn:x'><b c=\"d\">e</b>"
					"<![CDATA[f]]></a>");
	xmlDocPtr doc;

	(void)state;
	for (size_t n = 0; n < t.n; n++) {
		assert_int_not_equal(ay_xml_load((struct ay_bytes){ t.p, n }, &doc, NULL), AY_OK);
		assert_null(doc);
	}
	assert_int_equal(ay_xml_load(t, &doc, NULL), AY_OK);
	xmlFreeDoc(doc);
}

static void nul_and_length(void **state)
{
	uint8_t *big = malloc(AY_MAX_XML_BYTES + 1);
	struct ay_err e = { 0 };
	xmlDocPtr doc;

	(void)state;
	assert_non_null(big);
	assert_int_equal(ay_xml_load(t_hex("3c612f3e00"), &doc, &e), AY_E_INPUT);
	assert_string_equal(e.code, "XML_LIMIT");
	memset(big, ' ', AY_MAX_XML_BYTES + 1);
	memcpy(big, "<a/>", 4);
	assert_int_equal(ay_xml_load((struct ay_bytes){ big, AY_MAX_XML_BYTES }, &doc, &e), AY_OK);
	xmlFreeDoc(doc);
	assert_int_equal(ay_xml_load((struct ay_bytes){ big, AY_MAX_XML_BYTES + 1 }, &doc, &e),
			 AY_E_LIMIT);
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_of_all_kinds),
		cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(nul_and_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
