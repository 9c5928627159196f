/* SPDX-License-Identifier: Apache-2.0 */
/* Which status, which class, which code a refusal has in both versions [SOAP11 6.2]
 * [SOAP12-2 7.5.2.2]. */
#include "support/t.h"

#include "core/soap/fault.h"

#include <libxml/parser.h>

static const struct {
	const char *code;
	int rest, http11, http12;
	const char *class11, *class12;
} faults[] = {
	{ "INPUT", 400, 500, 400, "Client", "Sender" },
	{ "AUTH_REQUIRED", 401, 401, 401, "Client", "Sender" },
	{ "NOT_PERMITTED", 403, 500, 400, "Client", "Sender" },
	{ "NOENT", 404, 500, 400, "Client", "Sender" },
	{ "NAME_TAKEN", 409, 500, 400, "Client", "Sender" },
	{ "XML_LIMIT", 413, 413, 413, "Client", "Sender" },
	{ "SOAP_MEDIA", 415, 415, 415, "Client", "Sender" },
	{ "AUTH_RATE", 429, 429, 429, "Client", "Sender" },
	{ "SOAP_VERSION", 400, 500, 500, "VersionMismatch", "VersionMismatch" },
	{ "SOAP_MUST_UNDERSTAND", 400, 500, 500, "MustUnderstand", "MustUnderstand" },
	{ "UNAVAIL", 503, 500, 500, "Server", "Receiver" },
	{ "BUG", 500, 500, 500, "Server", "Receiver" },
};

static void render(enum ay_soap_version v, size_t i, char out[4096])
{
	struct ay_soap_error e = { .code = faults[i].code,
				   .field = "a<b",
				   .has_offset = true,
				   .offset = 7,
				   .text = "it is \"wrong\" & <so>" };
	struct ay_xml_text t;
	struct ay_bytes text;
	xmlDocPtr doc;

	ay_xt_init(&t);
	ay_soap_fault(&t, v, faults[i].rest, &e);
	assert_int_equal(ay_xt_end(&t, &text, NULL), AY_OK);
	doc = xmlReadMemory((const char *)text.p, (int)text.n, NULL, NULL, 0);
	assert_non_null(doc);
	xmlFreeDoc(doc);
	assert_true(text.n < 4096);
	memcpy(out, text.p, text.n);
	out[text.n] = '\0';
	ay_xt_fini(&t);
}

static void of_both_versions(void **state)
{
	char text[4096], want[128];

	(void)state;
	for (size_t i = 0; i < AY_COUNT(faults); i++) {
		print_message("fault: %s\n", faults[i].code);
		assert_int_equal(ay_soap_status(AY_SOAP_11, faults[i].rest, faults[i].code),
				 faults[i].http11);
		assert_int_equal(ay_soap_status(AY_SOAP_12, faults[i].rest, faults[i].code),
				 faults[i].http12);
		render(AY_SOAP_11, i, text);
		snprintf(want, sizeof(want), "<faultcode>soap:%s</faultcode>", faults[i].class11);
		assert_non_null(strstr(text, want));
		snprintf(want, sizeof(want), "<code>%s</code><field>a&lt;b</field><offset>7<",
			 faults[i].code);
		assert_non_null(strstr(text, want));
		assert_null(strstr(text, "Upgrade"));
		render(AY_SOAP_12, i, text);
		snprintf(want, sizeof(want), "<soap:Value>soap:%s</soap:Value>", faults[i].class12);
		assert_non_null(strstr(text, want));
		snprintf(want, sizeof(want), ">a:%s</soap:Value>", faults[i].code);
		assert_non_null(strstr(text, want));
		assert_int_equal(strstr(text, "Upgrade") != NULL,
				 strcmp(faults[i].code, "SOAP_VERSION") == 0);
	}
	assert_int_equal(ay_soap_status(AY_SOAP_11, 201, ""), 200);
	assert_int_equal(ay_soap_status(AY_SOAP_12, 202, ""), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(of_both_versions) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
