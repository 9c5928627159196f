/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of a vCenter: what is read of them, and what is refused. */
#include "support/t.h"

#include "core/base/hex.h"
#include "core/evlog/replay.h"
#include "core/evlog/reported.h"
#include "core/vim/evidence.h"
#include "core/vim/report.h"
#include "core/vim/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENVELOPE(body)                                                                             \
	"<?xml version=\"1.0\"?><s:Envelope "                                                      \
	"xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "                                   \
	"xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><s:Body>" body                    \
	"</s:Body></s:Envelope>"
#define VIM(operation, inner)                                                                      \
	ENVELOPE("<" operation "Response xmlns=\"urn:vim25\">" inner "</" operation "Response>")
#define FAULT(kind)                                                                                \
	ENVELOPE("<s:Fault><faultcode>x</faultcode><faultstring>no</faultstring><detail><" kind    \
		 "Fault xmlns=\"urn:vim25\" xsi:type=\"" kind "\"/></detail></s:Fault>")

/* ---- envelopes ---- */

static const struct {
	const char *name, *text, *code; /* code NULL: it is a LoginResponse */
} answers[] = {
	{ "login", VIM("Login", "<returnval/>"), NULL },
	{ "another operation", VIM("Logout", ""), "MANAGER_ANSWER" },
	{ "right name, no namespace", ENVELOPE("<LoginResponse/>"), "MANAGER_ANSWER" },
	{ "right name in another namespace", ENVELOPE("<LoginResponse xmlns=\"urn:other\"/>"),
	  "MANAGER_ANSWER" },
	{ "empty body", ENVELOPE(""), "MANAGER_ANSWER" },
	{ "no SOAP", "<html/>", "MANAGER_ANSWER" },
	{ "not logged in", FAULT("NotAuthenticated"), "MANAGER_SESSION" },
	{ "wrong password", FAULT("InvalidLogin"), "MANAGER_LOGIN" },
	{ "gone", FAULT("ManagedObjectNotFound"), "MANAGER_GONE" },
	{ "other fault", FAULT("NoPermission"), "MANAGER_FAULT" },
	{ "DOCTYPE", "<!DOCTYPE x [<!ENTITY a \"b\">]>" VIM("Login", ""), "XML_MALFORMED" },
};

static void envelopes_are_judged(void **state)
{
	struct ay_err e;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(answers); i++) {
		enum ay_rc rc;

		memset(&e, 0, sizeof(e));
		rc = ay_vim_login_parse(ay_bytes_of(answers[i].text), &e);
		print_message("%s: %s\n", answers[i].name, e.code);
		assert_int_equal(rc == AY_OK, answers[i].code == NULL);
		if (answers[i].code != NULL && strncmp(answers[i].code, "XML", 3) != 0)
			assert_string_equal(e.code, answers[i].code);
	}
}

/* ---- facts of a host ---- */

#define PROPERTY(path, value) "<propSet><name>" path "</name>" value "</propSet>"
#define UUID PROPERTY("hardware.systemInfo.uuid", "<val>80DD7987-8806-E411-906E-0017A4403562</val>")
#define HOST(properties)                                                                           \
	VIM("RetrievePropertiesEx",                                                                \
	    "<returnval><objects><obj type=\"HostSystem\">host-9</obj>" properties                 \
	    "</objects></returnval>")

static void facts_are_read(void **state)
{
	static const char text[] =
		HOST(UUID PROPERTY("runtime.bootTime", "<val>2026-01-02T03:04:05.500123Z</val>")
			     PROPERTY("runtime.connectionState", "<val>connected</val>")
				     PROPERTY("summary.tpmAttestation",
					      "<val><time>2026-01-02T03:05:00Z</time>"
					      "<status>notAccepted</status><message><key>k</key>"
					      "<message>secure boot</message></message></val>"));
	struct ay_vim_host h;
	char id[AY_UUID_TEXT];

	(void)state;
	assert_int_equal(ay_vim_host_parse(ay_bytes_of(text), &h, NULL), AY_OK);
	ay_uuid_format(&h.facts.id, id);
	assert_string_equal(id, "80dd7987-8806-e411-906e-0017a4403562");
	assert_true(h.facts.boot_ms == INT64_C(1767323045500));
	assert_int_equal(h.facts.status, AY_MANAGED_REFUSED);
	assert_true(ay_bytes_eq(h.facts.message, ay_bytes_of("secure boot")));
	assert_true(h.connected);
}

static void odd_facts(void **state)
{
	struct ay_vim_host h;

	(void)state;
	assert_int_equal(ay_vim_host_parse(ay_bytes_of(HOST("")), &h, NULL), AY_E_INPUT);
	assert_int_equal(ay_vim_host_parse(ay_bytes_of(VIM("RetrievePropertiesEx", "")), &h, NULL),
			 AY_E_INPUT);
	/* nothing else said: no boot, no acceptance, not connected */
	assert_int_equal(ay_vim_host_parse(ay_bytes_of(HOST(UUID)), &h, NULL), AY_OK);
	assert_true(h.facts.boot_ms == 0);
	assert_int_equal(h.facts.status, AY_MANAGED_UNSAID);
	assert_false(h.connected);
	/* a word that nobody knows is no acceptance */
	assert_int_equal(ay_vim_host_parse(ay_bytes_of(HOST(UUID PROPERTY(
						   "summary.tpmAttestation",
						   "<val><status>fine</status></val>"))),
					   &h, NULL),
			 AY_OK);
	assert_int_equal(h.facts.status, AY_MANAGED_REFUSED);
}

/* ---- the report ---- */

/* n octets of -1 and so on, as vCenter writes them. */
static void put(char **at, const char *name, int octet, int n)
{
	for (int i = 0; i < n; i++)
		*at += sprintf(*at, "<%s>%d</%s>", name, octet, name);
}

/* One PCR with n octets, one event with m; words stands in the event. */
static const char *report(const char *bank, int pcr, int octet, int n, const char *method, int m,
			  const char *words)
{
	static char text[32768];
	char *at = text;

	at += sprintf(at, "%s",
		      "<?xml version=\"1.0\"?><s:Envelope "
		      "xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
		      "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><s:Body>"
		      "<QueryTpmAttestationReportResponse xmlns=\"urn:vim25\"><returnval>");
	at += sprintf(at, "<tpmPcrValues><digestMethod>%s</digestMethod>", bank);
	put(&at, "digestValue", octet, n);
	at += sprintf(at,
		      "<pcrNumber>%d</pcrNumber></tpmPcrValues><tpmEvents><pcrIndex>19"
		      "</pcrIndex><eventDetails %s",
		      pcr, words);
	put(&at, "dataHash", -2, m);
	sprintf(at,
		"%s</eventDetails></tpmEvents><tpmLogReliable>true</tpmLogReliable>"
		"</returnval></QueryTpmAttestationReportResponse></s:Body></s:Envelope>",
		method);
	return text;
}

#define MODULE                                                                                     \
	"xsi:type=\"HostTpmSoftwareComponentEventDetails\"><componentName>net.v00</componentName>" \
	"<vibName>net</vibName>"
#define SHA256 "<dataHashMethod>SHA256</dataHashMethod>"

static const struct {
	const char *name, *bank;
	int pcr, octet, n;
	const char *method;
	int m;
	enum ay_rc rc;
} reports[] = {
	{ "whole", "SHA256", 19, -1, 32, SHA256, 32, AY_OK },
	{ "TPM 1.2: SHA-1 has no method", "SHA1", 19, -1, 20, "", 20, AY_OK },
	{ "zeros in a length of their own", "SHA1", 19, 0, 40, SHA256, 32, AY_OK },
	{ "a value cut short", "SHA256", 19, -1, 31, SHA256, 32, AY_E_INPUT },
	{ "a value that is too long", "SHA256", 19, -1, 33, SHA256, 32, AY_E_INPUT },
	{ "no octet", "SHA256", 19, -129, 32, SHA256, 32, AY_E_INPUT },
	{ "unsigned octets", "SHA256", 19, 255, 32, SHA256, 32, AY_E_INPUT },
	{ "no such PCR", "SHA256", 24, -1, 32, SHA256, 32, AY_E_INPUT },
	{ "no such bank", "MD5", 19, -1, 16, SHA256, 32, AY_E_INPUT },
	{ "an event cut short", "SHA256", 19, -1, 32, SHA256, 20, AY_E_INPUT },
	{ "no values at all", "SHA256", 16, -1, 32, SHA256, 32, AY_E_INPUT },
};

static void reports_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < AY_COUNT(reports); i++) {
		const char *text = report(reports[i].bank, reports[i].pcr, reports[i].octet,
					  reports[i].n, reports[i].method, reports[i].m, MODULE);
		struct ay_vim_report r;
		struct ay_arena a;

		print_message("%s\n", reports[i].name);
		ay_arena_init(&a, 1 << 20);
		assert_int_equal(ay_vim_report_parse(ay_bytes_of(text), &a, &r, NULL),
				 reports[i].rc);
		assert_int_equal(r.n_events, reports[i].rc == AY_OK ? 1 : 0);
		assert_int_equal(r.log_reliable, reports[i].rc == AY_OK);
		ay_arena_fini(&a);
	}
}

/* The log that is made of it is one that our reader takes, with the module's name. */
static void the_log_is_read_again(void **state)
{
	const char *text = report("SHA256", 19, -1, 32, SHA256, 32, MODULE);
	struct ay_vim_report r;
	struct ay_evlog log;
	struct ay_arena a;

	(void)state;
	ay_arena_init(&a, 1 << 20);
	assert_int_equal(ay_vim_report_parse(ay_bytes_of(text), &a, &r, NULL), AY_OK);
	assert_int_equal(ay_evlog_parse(r.log, &a, &log, NULL), AY_OK);
	assert_int_equal(log.format, AY_EVLOG_REPORTED);
	assert_int_equal(log.n_events, 2);
	assert_int_equal(log.event[1].pcr, 19);
	assert_int_equal(log.event[1].type, AY_EV_REPORTED_SOFTWARE);
	assert_true(ay_bytes_eq(log.event[1].data, ay_bytes_of("module net.v00 net")));
	for (size_t n = 1; n < r.log.n; n++)
		assert_true(ay_evlog_parse((struct ay_bytes){ r.log.p, n }, &a, &log, NULL) !=
				    AY_OK ||
			    n < AY_REPORTED_LOG_HEAD || log.n_events < 2);
	ay_arena_fini(&a);
}

static void no_report_is_no_good_one(void **state)
{
	struct ay_vim_report r;
	struct ay_err e = { 0 };
	struct ay_arena a;

	(void)state;
	ay_arena_init(&a, 1 << 20);
	assert_int_equal(
		ay_vim_report_parse(ay_bytes_of(VIM("QueryTpmAttestationReport", "")), &a, &r, &e),
		AY_E_NOENT);
	assert_string_equal(e.code, "MANAGER_NO_TPM");
	ay_arena_fini(&a);
}

/* ---- facts as they are stored ---- */

static void stored_facts(void **state)
{
	static const struct ay_managed_facts f = { .id = { { 1, 2, 3 } },
						   .boot_ms = 1000,
						   .attested_ms = 2000,
						   .status = AY_MANAGED_ACCEPTED,
						   .message = { (const uint8_t *)"ok", 2 },
						   .log_reliable = true };
	uint8_t room[AY_VIM_FACTS_MAX];
	struct ay_managed_facts got;
	struct ay_writer w;
	struct ay_bytes b;

	(void)state;
	ay_wr_init(&w, room, sizeof(room));
	ay_vim_facts_write(&w, &f);
	assert_int_equal(ay_wr_end(&w, "facts", &b, NULL), AY_OK);
	assert_int_equal(ay_vim_facts_parse(b, &got, NULL), AY_OK);
	assert_memory_equal(got.id.b, f.id.b, 16);
	assert_true(got.boot_ms == 1000 && got.attested_ms == 2000 && got.log_reliable);
	assert_true(ay_bytes_eq(got.message, f.message));
	for (size_t n = 0; n < b.n; n++)
		assert_int_not_equal(ay_vim_facts_parse((struct ay_bytes){ b.p, n }, &got, NULL),
				     AY_OK);
}

/* ---- what a real host gave (TPM 2.0) ---- */

static void a_real_report(void **state)
{
	static const char *const want0 =
		"1009d6bc1d92739e4e8e3c6819364f9149ee652804565b83bf731bdb6352b2a6";
	struct ay_bytes text =
		t_corpus_file("vim/report", "manifests/sample_vmware_tpm_attestation_report.xml");
	struct ay_vim_report r;
	struct ay_pcrs replayed;
	struct ay_evlog log;
	struct ay_arena a;
	xmlDocPtr doc;
	char hex[2 * AY_DIGEST_MAX + 1];

	(void)state;
	ay_arena_init(&a, 8 << 20);
	assert_int_equal(ay_xml_load(text, &doc, NULL), AY_OK);
	assert_int_equal(ay_vim_report_read(ay_vim_child(xmlDocGetRootElement(doc), "returnval"),
					    &a, &r, NULL),
			 AY_OK);
	assert_true(r.log_reliable);
	assert_int_equal(r.n_events, 40);
	ay_hex_encode(ay_pcrs_value(&r.pcrs, AY_ALG_SHA256, 0), hex);
	assert_string_equal(hex, want0);
	assert_int_equal(ay_evlog_parse(r.log, &a, &log, NULL), AY_OK);
	assert_int_equal(ay_evlog_replay(&log, &replayed, NULL), AY_OK);
	/* the sample lists the events of 20 in part: an independent replay says the same */
	for (unsigned pcr = 17; pcr <= 21; pcr++) {
		assert_int_equal(ay_bytes_eq(ay_pcrs_value(&replayed, AY_ALG_SHA256, pcr),
					     ay_pcrs_value(&r.pcrs, AY_ALG_SHA256, pcr)),
				 pcr != 20);
	}
	xmlFreeDoc(doc);
	ay_arena_fini(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(envelopes_are_judged),
		cmocka_unit_test(facts_are_read),
		cmocka_unit_test(odd_facts),
		cmocka_unit_test(reports_are_read),
		cmocka_unit_test(the_log_is_read_again),
		cmocka_unit_test(no_report_is_no_good_one),
		cmocka_unit_test(stored_facts),
		cmocka_unit_test(a_real_report),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
