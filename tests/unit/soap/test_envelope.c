/* SPDX-License-Identifier: Apache-2.0 */
/* Messages nobody should be able to make us read in two ways: each with the code it is refused by.
 */
#include "support/t.h"

#include "core/soap/envelope.h"

#include <stdlib.h>

#define S11 "http://schemas.xmlsoap.org/soap/envelope/"
#define S12 "http://www.w3.org/2003/05/soap-envelope"
#define OP "<GetTrust xmlns='urn:assay:soap:1'><host>h</host></GetTrust>"
#define E11(inside) "<s:Envelope xmlns:s='" S11 "'>" inside "</s:Envelope>"
#define E12(inside) "<s:Envelope xmlns:s='" S12 "'>" inside "</s:Envelope>"
#define BODY(inside) "<s:Body>" inside "</s:Body>"
#define HEAD(inside) "<s:Header>" inside "</s:Header>"

static const struct {
	const char *name;
	enum ay_soap_version version;
	const char *text;
	const char *code; /* NULL: accepted */
} messages[] = {
	{ "1.1", AY_SOAP_11, E11(BODY(OP)), NULL },
	{ "1.2", AY_SOAP_12, E12(BODY(OP)), NULL },
	{ "declaration and blanks", AY_SOAP_11,
	  "<?xml version='1.0' encoding='utf-8'?>\n" E11("\n " BODY("\n" OP "\n") "\n") "\n",
	  NULL },
	{ "a header for us that need not be understood", AY_SOAP_11,
	  E11(HEAD("<x xmlns='urn:x' s:mustUnderstand='0'/>") BODY(OP)), NULL },
	{ "a header for somebody else", AY_SOAP_11,
	  E11(HEAD("<x xmlns='urn:x' s:mustUnderstand='1' s:actor='urn:other'/>") BODY(OP)), NULL },
	{ "a header for somebody else, 1.2", AY_SOAP_12,
	  E12(HEAD("<x xmlns='urn:x' s:mustUnderstand='true' s:role='" S12 "/role/none'/>")
		      BODY(OP)),
	  NULL },
	{ "mustUnderstand of the other version means nothing", AY_SOAP_12,
	  E12(HEAD("<x xmlns='urn:x' xmlns:o='" S11 "' o:mustUnderstand='1'/>") BODY(OP)), NULL },
	{ "the same prefix declared again, the same", AY_SOAP_11,
	  E11("<s:Body xmlns:s='" S11 "'>" OP "</s:Body>"), NULL },
	/* before any tree */
	{ "DOCTYPE", AY_SOAP_11, "<!DOCTYPE x>" E11(BODY(OP)), "XML_DOCTYPE" },
	{ "external entity", AY_SOAP_11,
	  "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" E11(
		  BODY("<GetTrust xmlns='urn:assay:soap:1'><host>&e;</host></GetTrust>")),
	  "XML_DOCTYPE" },
	{ "parameter entity", AY_SOAP_11,
	  "<!DOCTYPE x [<!ENTITY % e SYSTEM 'http://127.0.0.1/x'> %e;]>" E11(BODY(OP)),
	  "XML_DOCTYPE" },
	{ "entity without declaration", AY_SOAP_11,
	  E11(BODY("<GetTrust xmlns='urn:assay:soap:1'><host>&e;</host></GetTrust>")),
	  "XML_MALFORMED" },
	{ "processing instruction", AY_SOAP_11, E11("<?x y?>" BODY(OP)), "XML_COMMENT" },
	{ "style sheet", AY_SOAP_11, "<?xml-stylesheet href='u'?>" E11(BODY(OP)), "XML_COMMENT" },
	{ "comment", AY_SOAP_11, E11(BODY("<!-- -->" OP)), "XML_COMMENT" },
	{ "comment that cuts a value", AY_SOAP_11,
	  E11(BODY("<GetTrust xmlns='urn:assay:soap:1'><host>a<!-- -->b</host></GetTrust>")),
	  "XML_COMMENT" },
	{ "XInclude", AY_SOAP_11,
	  E11(BODY("<GetTrust xmlns='urn:assay:soap:1'><i:include "
		   "xmlns:i='http://www.w3.org/2001/XInclude' href='u'/></GetTrust>")),
	  "XML_DOCTYPE" },
	{ "schema location", AY_SOAP_11,
	  "<s:Envelope xmlns:s='" S11 "' xmlns:i='http://www.w3.org/2001/XMLSchema-instance' "
	  "i:schemaLocation='a b'>" BODY(OP) "</s:Envelope>",
	  "XML_DOCTYPE" },
	{ "UTF-16 declared", AY_SOAP_11, "<?xml version='1.0' encoding='UTF-16'?>" E11(BODY(OP)),
	  "XML_LIMIT" },
	{ "UTF-7 declared", AY_SOAP_11,
	  "<?xml version='1.0' encoding='utf-7'?>+ADw-x+AD4-" E11(BODY(OP)), "XML_LIMIT" },
	{ "EBCDIC declared", AY_SOAP_11, "<?xml version='1.0' encoding='IBM037'?>" E11(BODY(OP)),
	  "XML_LIMIT" },
	{ "octets that are no UTF-8", AY_SOAP_11,
	  E11(BODY("<GetTrust xmlns='urn:assay:soap:1'><host>\xff</host></GetTrust>")),
	  "XML_LIMIT" },
	{ "overlong UTF-8", AY_SOAP_11,
	  E11(BODY("<GetTrust xmlns='urn:assay:soap:1'><host>\xc0\xaf</host></GetTrust>")),
	  "XML_MALFORMED" },
	{ "a prefix that changes its meaning", AY_SOAP_11,
	  E11("<s:Body>" OP "<s:x xmlns:s='urn:x'/></s:Body>"), "XML_LIMIT" },
	{ "cut short", AY_SOAP_11, "<s:Envelope xmlns:s='" S11 "'><s:Body>", "XML_MALFORMED" },
	{ "two documents", AY_SOAP_11, E11(BODY(OP)) E11(BODY(OP)), "XML_MALFORMED" },
	/* the envelope */
	{ "no envelope", AY_SOAP_11, OP, "SOAP_ENVELOPE" },
	{ "envelope in no namespace", AY_SOAP_11, "<Envelope><Body/></Envelope>", "SOAP_ENVELOPE" },
	{ "1.2 said, 1.1 sent", AY_SOAP_12, E11(BODY(OP)), "SOAP_VERSION" },
	{ "1.1 said, 1.2 sent", AY_SOAP_11, E12(BODY(OP)), "SOAP_VERSION" },
	{ "an envelope of nobody", AY_SOAP_12,
	  "<s:Envelope xmlns:s='urn:x'>" BODY(OP) "</s:Envelope>", "SOAP_VERSION" },
	{ "no body", AY_SOAP_11, E11(""), "SOAP_ENVELOPE" },
	{ "header alone", AY_SOAP_11, E11(HEAD("")), "SOAP_ENVELOPE" },
	{ "two headers", AY_SOAP_11, E11(HEAD("") HEAD("") BODY(OP)), "SOAP_ENVELOPE" },
	{ "header behind the body", AY_SOAP_11, E11(BODY(OP) HEAD("")), "SOAP_ENVELOPE" },
	{ "two bodies", AY_SOAP_11, E11(BODY(OP) BODY(OP)), "SOAP_ENVELOPE" },
	{ "element behind the body", AY_SOAP_11, E11(BODY(OP) "<x xmlns='urn:x'/>"),
	  "SOAP_ENVELOPE" },
	{ "body of the other version", AY_SOAP_11, E11("<b:Body xmlns:b='" S12 "'>" OP "</b:Body>"),
	  "SOAP_NAMESPACE" },
	{ "body in no namespace", AY_SOAP_11, E11("<Body>" OP "</Body>"), "SOAP_NAMESPACE" },
	{ "text in the envelope", AY_SOAP_11, E11("x" BODY(OP)), "SOAP_TEXT" },
	{ "text in the body", AY_SOAP_11, E11(BODY(OP "x")), "SOAP_TEXT" },
	{ "CDATA in the body", AY_SOAP_11, E11(BODY(OP "<![CDATA[x]]>")), "SOAP_TEXT" },
	{ "text in the header", AY_SOAP_11, E11(HEAD("x") BODY(OP)), "SOAP_TEXT" },
	{ "encodingStyle", AY_SOAP_11,
	  E11("<s:Body s:encodingStyle='http://schemas.xmlsoap.org/soap/encoding/'>" OP
	      "</s:Body>"),
	  "SOAP_ATTRIBUTE" },
	{ "attribute of the envelope", AY_SOAP_11,
	  "<s:Envelope xmlns:s='" S11 "' a='b'>" BODY(OP) "</s:Envelope>", "SOAP_ATTRIBUTE" },
	{ "attribute of the header", AY_SOAP_11, E11("<s:Header a='b'/>" BODY(OP)),
	  "SOAP_ATTRIBUTE" },
	/* headers */
	{ "must understand, absent role", AY_SOAP_11,
	  E11(HEAD("<x xmlns='urn:x' s:mustUnderstand='1'/>") BODY(OP)), "SOAP_MUST_UNDERSTAND" },
	{ "must understand, next", AY_SOAP_11,
	  E11(HEAD("<x xmlns='urn:x' s:mustUnderstand='1' "
		   "s:actor='http://schemas.xmlsoap.org/soap/actor/next'/>") BODY(OP)),
	  "SOAP_MUST_UNDERSTAND" },
	{ "must understand, next, 1.2", AY_SOAP_12,
	  E12(HEAD("<x xmlns='urn:x' s:mustUnderstand='true' s:role='" S12 "/role/next'/>")
		      BODY(OP)),
	  "SOAP_MUST_UNDERSTAND" },
	{ "must understand, ultimate receiver", AY_SOAP_12,
	  E12(HEAD("<x xmlns='urn:x' s:mustUnderstand='1' s:role='" S12 "/role/ultimateReceiver'/>")
		      BODY(OP)),
	  "SOAP_MUST_UNDERSTAND" },
	{ "WS-Security that must be understood", AY_SOAP_11,
	  E11(HEAD("<w:Security xmlns:w='http://docs.oasis-open.org/wss/2004/01/"
		   "oasis-200401-wss-wssecurity-secext-1.0.xsd' s:mustUnderstand='1'/>") BODY(OP)),
	  "SOAP_MUST_UNDERSTAND" },
	{ "the second of two", AY_SOAP_11,
	  E11(HEAD("<x xmlns='urn:x'/><y xmlns='urn:x' s:mustUnderstand='1'/>") BODY(OP)),
	  "SOAP_MUST_UNDERSTAND" },
	{ "neither true nor false", AY_SOAP_11,
	  E11(HEAD("<x xmlns='urn:x' s:mustUnderstand='yes'/>") BODY(OP)), "SOAP_HEADER" },
	{ "a block in no namespace", AY_SOAP_11, E11(HEAD("<x/>") BODY(OP)), "SOAP_HEADER" },
	/* the operation */
	{ "none", AY_SOAP_11, E11(BODY("")), "SOAP_ENVELOPE" },
	{ "two", AY_SOAP_11, E11(BODY(OP OP)), "SOAP_ENVELOPE" },
	{ "in no namespace", AY_SOAP_11, E11(BODY("<GetTrust><host>h</host></GetTrust>")),
	  "SOAP_NAMESPACE" },
	{ "in another one", AY_SOAP_11,
	  E11(BODY("<GetTrust xmlns='urn:assay:soap:2'><host>h</host></GetTrust>")),
	  "SOAP_NAMESPACE" },
	{ "a fault", AY_SOAP_11, E11(BODY("<s:Fault/>")), "SOAP_NAMESPACE" },
	{ "with an attribute", AY_SOAP_11,
	  E11(BODY("<GetTrust xmlns='urn:assay:soap:1' Id='x'><host>h</host></GetTrust>")),
	  "SOAP_ATTRIBUTE" },
};

static void messages_of_all_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(messages); i++) {
		struct ay_soap_envelope m;
		struct ay_err e = { 0 };
		enum ay_rc rc;

		print_message("message: %s\n", messages[i].name);
		rc = ay_soap_envelope_load(ay_bytes_of(messages[i].text), messages[i].version, &m,
					   &e);
		if (messages[i].code == NULL) {
			assert_int_equal(rc, AY_OK);
			assert_string_equal((const char *)m.operation->name, "GetTrust");
		} else {
			assert_int_not_equal(rc, AY_OK);
			assert_string_equal(e.code, messages[i].code);
			assert_null(m.doc);
			assert_null(m.operation);
		}
		ay_soap_envelope_free(&m);
	}
}

static void encodings_that_hide_markup(void **state)
{
	/* "<a/>" in UTF-16, with and without mark; in UTF-32 */
	static const char *const hex[] = { "fffe3c0061002f003e00", "feff003c0061002f003e",
					   "3c0061002f003e00", "0000003c000000610000002f0000003e" };
	struct ay_soap_envelope m;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(hex); i++) {
		struct ay_err e = { 0 };

		assert_int_equal(ay_soap_envelope_load(t_hex(hex[i]), AY_SOAP_11, &m, &e),
				 AY_E_INPUT);
		assert_string_equal(e.code, "XML_LIMIT");
	}
}

/* Nested, crowded, long: refused while it is read. */
static void too_much_of_it(void **state)
{
	static const struct {
		const char *open, *close;
		size_t n;
	} much[] = {
		{ "<a>", "</a>", 100000 },	   { "<a/>", "", 100000 },
		{ "<a b='1' c='2'/>", "", 60000 }, { "x", "", 2000000 },
		{ "<s:a>", "</s:a>", 1000 },
	};

	(void)state;
	for (size_t i = 0; i < AY_COUNT(much); i++) {
		static const char head[] = "<s:Envelope xmlns:s='" S11 "'><s:Body>";
		static const char tail[] = "</s:Body></s:Envelope>";
		size_t one = strlen(much[i].open) + strlen(much[i].close);
		char *text = malloc(sizeof(head) + sizeof(tail) + one * much[i].n), *at;
		struct ay_soap_envelope m;
		struct ay_err e = { 0 };

		assert_non_null(text);
		at = stpcpy(text, head);
		for (size_t k = 0; k < much[i].n; k++)
			at = stpcpy(at, much[i].open);
		for (size_t k = 0; k < much[i].n; k++)
			at = stpcpy(at, much[i].close);
		strcpy(at, tail);
		assert_int_equal(ay_soap_envelope_load(ay_bytes_of(text), AY_SOAP_11, &m, &e),
				 AY_E_LIMIT);
		assert_string_equal(e.code, "XML_LIMIT");
		free(text);
	}
}

static void every_prefix_is_refused(void **state)
{
	struct ay_bytes t = ay_bytes_of(E12(HEAD("<x xmlns='urn:x'>y</x>") BODY(OP)));
	struct ay_soap_envelope m;

	(void)state;
	for (size_t n = 0; n < t.n; n++)
		assert_int_not_equal(
			ay_soap_envelope_load((struct ay_bytes){ t.p, n }, AY_SOAP_12, &m, NULL),
			AY_OK);
}

static const struct {
	const char *type, *action;    /* action: SOAPAction */
	enum ay_soap_version version; /* NONE: refused */
	const char *said;	      /* the action that was said */
} media[] = {
	{ "text/xml", "", AY_SOAP_11, "" },
	{ "text/xml; charset=utf-8", "\"urn:assay:soap:1#GetTrust\"", AY_SOAP_11,
	  "urn:assay:soap:1#GetTrust" },
	{ "Text/XML ;charset=\"UTF-8\"", "\"\"", AY_SOAP_11, "" },
	{ "text/xml", "urn:x", AY_SOAP_11, "urn:x" },
	{ "text/xml;", "", AY_SOAP_11, "" },
	{ "application/soap+xml", "", AY_SOAP_12, "" },
	{ "application/soap+xml", "\"urn:x\"", AY_SOAP_12, "" }, /* 1.2 says it elsewhere */
	{ "application/soap+xml; charset=utf-8; action=\"urn:assay:soap:1#Attest\"", "", AY_SOAP_12,
	  "urn:assay:soap:1#Attest" },
	{ "application/soap+xml;action=\"urn:x;y\"", "", AY_SOAP_12, "urn:x;y" },
	{ "", "", AY_SOAP_NONE, NULL },
	{ "application/json", "", AY_SOAP_NONE, NULL },
	{ "application/xml", "", AY_SOAP_NONE, NULL },
	{ "text/xml-external", "", AY_SOAP_NONE, NULL },
	{ "multipart/related; type=\"text/xml\"", "", AY_SOAP_NONE, NULL },
	{ "application/xop+xml", "", AY_SOAP_NONE, NULL },
	{ "text/xml; charset=utf-16", "", AY_SOAP_NONE, NULL },
	{ "text/xml; charset=utf-7", "", AY_SOAP_NONE, NULL },
	{ "text/xml; charset=utf-8; charset=utf-7", "", AY_SOAP_NONE, NULL },
	{ "application/soap+xml; action=\"a\"; action=\"b\"", "", AY_SOAP_NONE, NULL },
	{ "text/xml; charset", "", AY_SOAP_NONE, NULL },
	{ "text/xml; charset=\"utf-8", "", AY_SOAP_NONE, NULL },
	{ "text/xml", "\"urn:x", AY_SOAP_NONE, NULL },
	{ "text/xml", "\"a\"b\"", AY_SOAP_NONE, NULL },
};

static void media_types(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(media); i++) {
		struct ay_soap_media m;
		struct ay_err e = { 0 };
		enum ay_rc rc = ay_soap_media_parse(ay_bytes_of(media[i].type),
						    ay_bytes_of(media[i].action), &m, &e);

		print_message("media: %s %s\n", media[i].type, media[i].action);
		assert_int_equal(m.version, media[i].version);
		assert_int_equal(rc == AY_OK, m.version != AY_SOAP_NONE);
		if (rc == AY_OK)
			assert_true(ay_bytes_eq(m.action, ay_bytes_of(media[i].said)));
		else
			assert_string_equal(e.code, "SOAP_MEDIA");
	}
}

static void an_action_of_another_operation(void **state)
{
	static const char *const wrong[] = { "urn:assay:soap:1#RemoveHost",
					     "urn:assay:soap:1#GetTrustX",
					     "urn:assay:soap:1#GetTrus",
					     "urn:assay:soap:1#",
					     "urn:assay:soap:2#GetTrust",
					     "GetTrust",
					     "x" };
	struct ay_err e = { 0 };

	(void)state;
	assert_int_equal(ay_soap_action_check(ay_bytes_of(""), "GetTrust", &e), AY_OK);
	assert_int_equal(
		ay_soap_action_check(ay_bytes_of("urn:assay:soap:1#GetTrust"), "GetTrust", &e),
		AY_OK);
	for (size_t i = 0; i < AY_COUNT(wrong); i++) {
		assert_int_equal(ay_soap_action_check(ay_bytes_of(wrong[i]), "GetTrust", &e),
				 AY_E_INPUT);
		assert_string_equal(e.code, "SOAP_ACTION");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_of_all_kinds),
		cmocka_unit_test(encodings_that_hide_markup),
		cmocka_unit_test(too_much_of_it),
		cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(media_types),
		cmocka_unit_test(an_action_of_another_operation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
