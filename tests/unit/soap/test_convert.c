/* SPDX-License-Identifier: Apache-2.0 */
/* XML to JSON and back by rows of a schema; what does not fit the rows is refused. */
#include "support/t.h"

#include "core/soap/convert.h"
#include "core/soap/envelope.h"

#include <libxml/parser.h>
#include <stdlib.h>

enum { NONE, INNER, OUTER, PAGE, ROWS };

static const struct ay_member inner[] = {
	{ "verdict", AY_T_TEXT, 0, AY_NEED_REQ, 16, "" },
	{ "grade", AY_T_TEXT, 0, AY_NEED_NUL, 16, "" },
	{ NULL, AY_T_ANY, 0, AY_NEED_OPT, 0, NULL },
};
static const struct ay_member outer[] = {
	{ "name", AY_T_NAME, 0, AY_NEED_REQ, 16, "" },
	{ "on", AY_T_BOOL, 0, AY_NEED_OPT, 0, "" },
	{ "size", AY_T_UINT, 0, AY_NEED_OPT, 0, "" },
	{ "at", AY_T_TIME, 0, AY_NEED_OPT, 0, "" },
	{ "hash", AY_T_HEX, 0, AY_NEED_OPT, 4, "" },
	{ "parts", AY_T_TEXTS, 0, AY_NEED_OPT, 8, "" },
	{ "labels", AY_T_MAP, 0, AY_NEED_OPT, 99, "" },
	{ "one", AY_T_REF, INNER, AY_NEED_OPT, 0, "" },
	{ "many", AY_T_REFS, INNER, AY_NEED_OPT, 0, "" },
	{ "by", AY_T_MAPOF, INNER, AY_NEED_OPT, 0, "" },
	{ "document", AY_T_ANY, 0, AY_NEED_OPT, 0, "" },
	{ NULL, AY_T_ANY, 0, AY_NEED_OPT, 0, NULL },
};
static const struct ay_schema rows[ROWS] = {
	[INNER] = { "Inner", AY_SCHEMA_OBJECT, "", "application/json", 0, inner },
	[OUTER] = { "Outer", AY_SCHEMA_OBJECT, "", "application/json", 0, outer },
	[PAGE] = { "Page", AY_SCHEMA_LIST, "", "application/json", INNER, NULL },
};
static const struct ay_schemas all = { rows, ROWS };

#define X(inside) "<o xmlns='urn:assay:soap:1'>" inside "</o>"

static const struct {
	const char *name, *xml;
	const char *json; /* NULL: refused */
	const char *code; /* of the refusal; "" none, then where */
	const char *where;
} in[] = {
	{ "nothing", X(""), "{}", NULL, NULL },
	{ "one text", X("<name>a</name>"), "{\"name\":\"a\"}", NULL, NULL },
	{ "entities, CDATA", X("<name>&lt;&#65;<![CDATA[<b>&]]></name>"), "{\"name\":\"<A<b>&\"}",
	  NULL, NULL },
	{ "blanks between", X("\n <name>a</name>\n\t<on> true </on> "),
	  "{\"name\":\"a\",\"on\":true}", NULL, NULL },
	{ "truths", X("<on>0</on><size> 18 </size>"), "{\"on\":false,\"size\":18}", NULL, NULL },
	{ "instant", X("<at>2026-11-21T22:05:01Z</at>"), "{\"at\":\"2026-11-21T22:05:01Z\"}", NULL,
	  NULL },
	{ "instant with an offset of none", X("<at>2026-11-21T22:05:01+00:00</at>"),
	  "{\"at\":\"2026-11-21T22:05:01Z\"}", NULL, NULL },
	{ "instant with microseconds", X("<at>2026-11-21T22:05:01.123456Z</at>"),
	  "{\"at\":\"2026-11-21T22:05:01.123Z\"}", NULL, NULL },
	{ "instant with tenths", X("<at>2026-11-21T22:05:01.5Z</at>"),
	  "{\"at\":\"2026-11-21T22:05:01.500Z\"}", NULL, NULL },
	{ "instant elsewhere stays, to be refused", X("<at>2026-11-21T22:05:01+02:00</at>"),
	  "{\"at\":\"2026-11-21T22:05:01+02:00\"}", NULL, NULL },
	{ "no instant stays, to be refused", X("<at>2026</at>"), "{\"at\":\"2026\"}", NULL, NULL },
	{ "hex", X("<hash> 0aFF </hash>"), "{\"hash\":\"0aFF\"}", NULL, NULL },
	{ "texts", X("<parts>a</parts><parts>b</parts>"), "{\"parts\":[\"a\",\"b\"]}", NULL, NULL },
	{ "map",
	  X("<labels><entry><key>k</key><value>v</value></entry>"
	    "<entry><key>l</key><value/></entry></labels>"),
	  "{\"labels\":{\"k\":\"v\",\"l\":\"\"}}", NULL, NULL },
	{ "empty map", X("<labels/>"), "{\"labels\":{}}", NULL, NULL },
	{ "object", X("<one><verdict>t</verdict></one>"), "{\"one\":{\"verdict\":\"t\"}}", NULL,
	  NULL },
	{ "objects", X("<many><verdict>t</verdict></many><many/>"),
	  "{\"many\":[{\"verdict\":\"t\"},{}]}", NULL, NULL },
	{ "JSON in text", X("<document>{\"a\":[1,null]}</document>"),
	  "{\"document\":{\"a\":[1,null]}}", NULL, NULL },
	/* refused */
	{ "unknown", X("<what/>"), NULL, "SOAP_ELEMENT", "soap.body" },
	{ "no namespace", "<p:o xmlns:p='urn:assay:soap:1'><name>a</name></p:o>", NULL,
	  "SOAP_NAMESPACE", "soap.body" },
	{ "right name, wrong namespace", X("<name xmlns='urn:x'>a</name>"), NULL, "SOAP_NAMESPACE",
	  "soap.body" },
	{ "twice", X("<name>a</name><name>b</name>"), NULL, "SOAP_DUPLICATE", "soap.body" },
	{ "twice, apart", X("<name>a</name><on>1</on><name>b</name>"), NULL, "SOAP_ORDER",
	  "soap.body" },
	{ "not in order", X("<on>1</on><name>a</name>"), NULL, "SOAP_ORDER", "soap.body" },
	{ "texts apart", X("<parts>a</parts><labels/><parts>b</parts>"), NULL, "SOAP_ORDER",
	  "soap.body" },
	{ "text between", X("x<name>a</name>"), NULL, "SOAP_TEXT", "soap.body" },
	{ "element in a text", X("<name>a<b/></name>"), NULL, "SOAP_ELEMENT", "soap.body" },
	{ "attribute", X("<name a='b'>c</name>"), NULL, "SOAP_ATTRIBUTE", "soap.body" },
	{ "nil", X("<name xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'/>"),
	  NULL, "SOAP_ATTRIBUTE", "soap.body" },
	{ "type of the client's",
	  X("<name xmlns:i='http://www.w3.org/2001/XMLSchema-instance' "
	    "i:type='x'>a</name>"),
	  NULL, "SOAP_ATTRIBUTE", "soap.body" },
	{ "no truth", X("<on>yes</on>"), NULL, "", "on" },
	{ "no number", X("<size>-1</size>"), NULL, "", "size" },
	{ "number too long", X("<size>1234567890123456789</size>"), NULL, "", "size" },
	{ "number in hex", X("<size>0x10</size>"), NULL, "", "size" },
	{ "empty number", X("<size/>"), NULL, "", "size" },
	{ "no JSON", X("<document>{</document>"), NULL, "", "document" },
	{ "JSON twice the same", X("<document>{\"a\":1,\"a\":2}</document>"), NULL, "",
	  "document" },
	{ "key twice",
	  X("<labels><entry><key>k</key><value>v</value></entry>"
	    "<entry><key>k</key><value>w</value></entry></labels>"),
	  NULL, "SOAP_DUPLICATE", "soap.body" },
	{ "entry without value", X("<labels><entry><key>k</key></entry></labels>"), NULL,
	  "SOAP_ELEMENT", "soap.body" },
	{ "entry in no namespace", X("<labels><entry xmlns=''><key>k</key></entry></labels>"), NULL,
	  "SOAP_ELEMENT", "soap.body" },
	{ "something else in a map", X("<labels><k>v</k></labels>"), NULL, "SOAP_ELEMENT",
	  "soap.body" },
	{ "text in a map", X("<labels>x</labels>"), NULL, "SOAP_TEXT", "soap.body" },
	{ "unknown in an object", X("<one><x/></one>"), NULL, "SOAP_ELEMENT", "soap.body" },
	{ "what only goes out", X("<by/>"), NULL, "", "by" },
};

static void from_clients(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(in); i++) {
		xmlDocPtr doc = xmlReadMemory(in[i].xml, (int)strlen(in[i].xml), NULL, NULL,
					      XML_PARSE_NOCDATA);
		json_t *got = NULL,
		       *want = in[i].json == NULL ? NULL : json_loads(in[i].json, 0, NULL);
		struct ay_err e = { 0 };
		enum ay_rc rc;

		print_message("in: %s\n", in[i].name);
		rc = ay_soap_to_json(xmlDocGetRootElement(doc), outer, &all, &got, &e);
		if (in[i].json != NULL) {
			assert_int_equal(rc, AY_OK);
			assert_true(json_equal(got, want));
		} else {
			assert_int_equal(rc, AY_E_INPUT);
			assert_null(got);
			assert_string_equal(e.code, in[i].code);
			assert_string_equal(e.where, in[i].where);
		}
		json_decref(got);
		json_decref(want);
		xmlFreeDoc(doc);
	}
}

static const struct {
	const char *name;
	unsigned schema;
	const char *keep, *json, *xml;
} out[] = {
	{ "members in the order of the rows", OUTER, "", "{\"on\":true,\"name\":\"a\",\"x\":1}",
	  "<name>a</name><on>true</on>" },
	{ "null is nothing", INNER, "", "{\"verdict\":\"t\",\"grade\":null}",
	  "<verdict>t</verdict>" },
	{ "some of them", OUTER, "on,size", "{\"name\":\"a\",\"on\":false,\"size\":7}",
	  "<on>false</on><size>7</size>" },
	{ "markup is text", OUTER, "", "{\"name\":\"</name><on>&\\\"\\r\"}",
	  "<name>&lt;/name&gt;&lt;on&gt;&amp;&quot;&#13;</name>" },
	{ "what XML cannot hold", OUTER, "", "{\"name\":\"a\\u0001\\u001f\\uffffb\\t\"}",
	  "<name>a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
	  "b\t</name>" },
	{ "a map", OUTER, "", "{\"labels\":{\"<k>\":\"v\"}}",
	  "<labels><entry><key>&lt;k&gt;</key><value>v</value></entry></labels>" },
	{ "objects by name", OUTER, "", "{\"by\":{\"os\":{\"verdict\":\"t\"}}}",
	  "<by><entry><key>os</key><value><verdict>t</verdict></value></entry></by>" },
	{ "lists", OUTER, "",
	  "{\"parts\":[\"a\",\"b\"],\"one\":{\"verdict\":\"t\"},\"many\":[{\"verdict\":\"u\"},{}]}",
	  "<parts>a</parts><parts>b</parts><one><verdict>t</verdict></one>"
	  "<many><verdict>u</verdict></many><many></many>" },
	{ "JSON as text", OUTER, "", "{\"document\":{\"a\":\"<\"}}",
	  "<document>{&quot;a&quot;:&quot;&lt;&quot;}</document>" },
	{ "a page", PAGE, "", "{\"items\":[{\"verdict\":\"t\"}],\"next\":\"7\"}",
	  "<items><verdict>t</verdict></items><next>7</next>" },
	{ "the last page", PAGE, "", "{\"items\":[],\"next\":null}", "" },
};

static void to_clients(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(out); i++) {
		json_t *v = json_loads(out[i].json, 0, NULL);
		struct ay_xml_text t;
		struct ay_bytes got;

		print_message("out: %s\n", out[i].name);
		assert_non_null(v);
		ay_xt_init(&t);
		ay_soap_from_json(&t, v, &rows[out[i].schema], &all, out[i].keep);
		assert_int_equal(ay_xt_end(&t, &got, NULL), AY_OK);
		assert_int_equal(got.n, strlen(out[i].xml));
		assert_memory_equal(got.n == 0 ? "" : (const char *)got.p, out[i].xml, got.n);
		ay_xt_fini(&t);
		json_decref(v);
	}
}

/* What was written is read as the same. */
static void there_and_back(void **state)
{
	static const char text[] =
		"{\"name\":\"\\r\\n<&>\",\"on\":true,\"size\":12,\"at\":\"2026-11-21T22:05:01."
		"120Z\","
		"\"hash\":\"00ff\",\"parts\":[\"a\",\"\"],\"labels\":{\"k\":\"v\"},"
		"\"one\":{\"verdict\":\"t\"},\"many\":[{\"verdict\":\"u\"}],"
		"\"document\":{\"a\":[1,\"\\u0001\"]}}";
	json_t *v = json_loads(text, 0, NULL), *again = NULL;
	struct ay_xml_text t;
	struct ay_bytes got;
	xmlDocPtr doc;

	(void)state;
	ay_xt_init(&t);
	ay_xt_put(&t, "<o xmlns='" AY_NS_ASSAY "'>");
	ay_soap_from_json(&t, v, &rows[OUTER], &all, NULL);
	ay_xt_close(&t, "o");
	assert_int_equal(ay_xt_end(&t, &got, NULL), AY_OK);
	doc = xmlReadMemory((const char *)got.p, (int)got.n, NULL, NULL, 0);
	assert_non_null(doc);
	assert_int_equal(ay_soap_to_json(xmlDocGetRootElement(doc), outer, &all, &again, NULL),
			 AY_OK);
	assert_true(json_equal(v, again));
	xmlFreeDoc(doc);
	ay_xt_fini(&t);
	json_decref(v);
	json_decref(again);
}

static void names_in_a_list(void **state)
{
	(void)state;
	assert_true(ay_soap_named("a,bc,d", "bc"));
	assert_true(ay_soap_named("bc", "bc"));
	assert_false(ay_soap_named("abc,bcd", "bc"));
	assert_true(ay_soap_named("abc,bcd,bc", "bc"));
	assert_false(ay_soap_named("", "bc"));
	assert_false(ay_soap_named(NULL, "bc"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(from_clients),
		cmocka_unit_test(to_clients),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(names_in_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
