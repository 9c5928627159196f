/* SPDX-License-Identifier: Apache-2.0 */
/* Issuing, and every refusal of the verifier (facts/tamper-matrix.md 6). */
#include "support/t.h"

#include "core/assertion/saml.h"
#include "core/assertion/xml_init.h"
#include "core/base/timefmt.h"

#include <dirent.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW 1795298701250 /* 2026-11-21T22:05:01.250Z */
#define LEASE (NOW + 600000)

/* Two keys with self-signed certificates, and a CA above a third; made once. */
static struct party {
	EVP_PKEY *key;
	X509 *cert;
	struct ay_bytes der;
	struct ay_saml_key *signer;
} ec, rsa, other, ca, below, tls;

static X509 *make_cert(const char *name, EVP_PKEY *key, const struct party *issuer,
		       const char *kind)
{
	X509 *c = X509_new();
	X509V3_CTX ctx;

	X509_set_version(c, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c), 7);
	X509_time_adj_ex(X509_getm_notBefore(c), 0, 0, &(time_t){ NOW / 1000 - 3600 });
	X509_time_adj_ex(X509_getm_notAfter(c), 365, 0, &(time_t){ NOW / 1000 });
	X509_NAME_add_entry_by_txt(X509_get_subject_name(c), "CN", MBSTRING_ASC,
				   (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(c, X509_get_subject_name(issuer ? issuer->cert : c));
	X509_set_pubkey(c, key);
	X509V3_set_ctx(&ctx, issuer ? issuer->cert : c, c, NULL, NULL, 0);
	X509_add_ext(c,
		     X509V3_EXT_conf_nid(NULL, &ctx, NID_basic_constraints,
					 strcmp(kind, "ca") == 0 ? "critical,CA:TRUE"
								 : "critical,CA:FALSE"),
		     -1);
	X509_add_ext(c,
		     X509V3_EXT_conf_nid(NULL, &ctx, NID_key_usage,
					 strcmp(kind, "ca") == 0 ? "critical,keyCertSign"
								 : "critical,digitalSignature"),
		     -1);
	if (strcmp(kind, "tls") == 0)
		X509_add_ext(c, X509V3_EXT_conf_nid(NULL, &ctx, NID_ext_key_usage, "serverAuth"),
			     -1);
	assert_true(X509_sign(c, issuer ? issuer->key : key, EVP_sha256()) > 0);
	return c;
}

static void make_party(struct party *p, const char *name, EVP_PKEY *key, const struct party *issuer,
		       const char *kind)
{
	unsigned char *der = NULL;
	int n;

	assert_non_null(key);
	p->key = key;
	p->cert = make_cert(name, key, issuer, kind);
	n = i2d_X509(p->cert, &der);
	assert_true(n > 0);
	p->der = (struct ay_bytes){ der, (size_t)n };
	assert_int_equal(ay_saml_key_new(key, &p->der, 1, &p->signer, NULL), AY_OK);
}

static int make_parties(void **state)
{
	(void)state;
	assert_int_equal(ay_xml_init(NULL), AY_OK);
	make_party(&ec, "assertions", EVP_EC_gen("P-256"), NULL, "leaf");
	make_party(&rsa, "assertions rsa", EVP_RSA_gen(2048), NULL, "leaf");
	make_party(&other, "somebody else", EVP_EC_gen("P-256"), NULL, "leaf");
	make_party(&ca, "root", EVP_EC_gen("P-256"), NULL, "ca");
	make_party(&below, "assertions below", EVP_EC_gen("P-256"), &ca, "leaf");
	make_party(&tls, "web server", EVP_EC_gen("P-256"), &ca, "tls");
	return 0;
}

static struct ay_saml_claims good_claims(void)
{
	struct ay_saml_claims c = {
		.profile = AY_SAML_ASSAY,
		.quote_ms = NOW - 2000,
		.lease_ms = LEASE,
		.verdict = AY_TRUSTED,
		.has_evidence = true,
		.has_policy = true,
		.policy_version = 3,
		.issuer = "https://assay.example",
		.host_id = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
		.host_name = "compute-17",
		.audience = "https://cloud.example",
		.nonce = "n-0S6_WzA2Mj",
		.bios_name = "Vendor & Sons <1>",
		.vmm_name = "KVM",
		.policy_name = "default",
		.n_tags = 1,
		.tag = { { "geo", "caf\xc3\xa9" } },
	};

	for (size_t i = 0; i < AY_COMPONENTS; i++) {
		c.component[i] = AY_TRUSTED;
		c.grade[i] = AY_GRADE_TPM_SIGNED;
	}
	return c;
}

static struct ay_bytes issue(const struct ay_saml_claims *c, const struct party *by,
			     struct ay_arena *arena)
{
	uint8_t random[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	char id[AY_SAML_ID_TEXT];
	struct ay_bytes out;
	struct ay_err e = { 0 };

	ay_saml_id(random, id);
	if (ay_saml_issue(c, 1, by->signer, id, NOW, arena, &out, &e) != AY_OK)
		fail_msg("%s: %s", e.code, e.text);
	return out;
}

static struct ay_saml_expect expect(const struct party *by)
{
	return (struct ay_saml_expect){ .cert = by->der, .now_ms = NOW + 5000 };
}

static void write_file(const char *path, struct ay_bytes b)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(b.p, 1, b.n, f), b.n);
	fclose(f);
}

/* xmlsec1 is another program over the same library; its verdict is on our bytes alone. */
static void others_verify(struct ay_bytes xml, const struct party *by)
{
	char dir[] = "/tmp/assay-saml-XXXXXX", path[64], cert[64], command[512];
	FILE *f;

	if (system("command -v xmlsec1 >/dev/null") != 0) {
		print_message("SKIP assertion/saml: xmlsec1 is not installed\n");
		return;
	}
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a.xml", dir);
	snprintf(cert, sizeof(cert), "%s/c.pem", dir);
	write_file(path, xml);
	f = fopen(cert, "w");
	assert_non_null(f);
	PEM_write_PUBKEY(f, by->key);
	fclose(f);
	snprintf(command, sizeof(command),
		 "xmlsec1 --verify --id-attr:ID urn:oasis:names:tc:SAML:2.0:assertion:Assertion "
		 "--pubkey-pem %s %s >/dev/null 2>&1",
		 cert, path);
	assert_int_equal(system(command), 0);
	unlink(path);
	unlink(cert);
	rmdir(dir);
}

static void valid_by_schema(struct ay_bytes xml)
{
	char path[] = "/tmp/assay-saml-XXXXXX", command[4096];
	const char *corpus = t_corpus("assertion/saml");
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	write_file(path, xml);
	snprintf(command, sizeof(command),
		 "xmllint --nonet --noout --schema %s/schemas/saml-schema-assertion-2.0.xsd %s "
		 ">/dev/null 2>&1",
		 corpus, path);
	if (system("command -v xmllint >/dev/null") == 0)
		assert_int_equal(system(command), 0);
	unlink(path);
}

static void issue_and_verify(void **state)
{
	const struct party *parties[] = { &ec, &rsa };
	struct ay_arena arena;

	(void)state;
	ay_arena_init(&arena, 4u << 20);
	for (size_t i = 0; i < 4; i++) {
		const struct party *by = parties[i % 2];
		struct ay_saml_claims c = good_claims();
		struct ay_saml_expect want = expect(by);
		struct ay_saml_facts f;
		struct ay_bytes xml;
		struct ay_err e = { 0 };

		c.profile = i < 2 ? AY_SAML_ASSAY : AY_SAML_CIT;
		want.audience = "https://cloud.example";
		want.issuer = "https://assay.example";
		want.nonce = "n-0S6_WzA2Mj";
		xml = issue(&c, by, &arena);
		if (ay_saml_verify(xml, &want, &arena, &f, &e) != AY_OK)
			fail_msg("%s: %s", e.code, e.text);
		assert_string_equal(f.subject, i < 2 ? c.host_id : c.host_name);
		assert_true(f.not_on_or_after_ms == LEASE);
		assert_string_equal(ay_saml_fact(&f, "Trusted"), "true");
		assert_string_equal(ay_saml_fact(&f, "Trusted_BIOS"), "true");
		assert_string_equal(ay_saml_fact(&f, "BIOS_Name"), "Vendor & Sons <1>");
		assert_string_equal(ay_saml_fact(&f, "TAG[geo]"), "caf\xc3\xa9");
		assert_string_equal(ay_saml_fact(&f, "Policy_Version"), "3");
		others_verify(xml, by);
	}
	ay_arena_fini(&arena);
}

static void schema(void **state)
{
	struct ay_saml_claims c = good_claims();
	struct ay_arena arena;

	(void)state;
	ay_arena_init(&arena, 4u << 20);
	valid_by_schema(issue(&c, &ec, &arena));
	c.profile = AY_SAML_CIT;
	valid_by_schema(issue(&c, &rsa, &arena));
	ay_arena_fini(&arena);
}

/* Unknown is never true: refused in one profile, false in the other; a part that is not trusted
 * shows nothing. */
static void verdicts(void **state)
{
	struct ay_saml_claims c = good_claims();
	struct ay_saml_expect want = expect(&ec);
	struct ay_saml_facts f;
	struct ay_arena arena;
	struct ay_bytes out;
	struct ay_err e = { 0 };

	(void)state;
	ay_arena_init(&arena, 4u << 20);
	c.verdict = c.component[AY_COMP_PLATFORM] = AY_UNKNOWN;
	assert_int_equal(ay_saml_issue(&c, 1, ec.signer, "_00000000000000000000000000000001", NOW,
				       &arena, &out, &e),
			 AY_E_EXISTS);
	assert_string_equal(e.code, "VERDICT_UNKNOWN");
	c.profile = AY_SAML_CIT;
	assert_int_equal(ay_saml_verify(issue(&c, &ec, &arena), &want, &arena, &f, &e), AY_OK);
	assert_string_equal(ay_saml_fact(&f, "Trusted"), "false");
	assert_string_equal(ay_saml_fact(&f, "Trusted_BIOS"), "false");
	assert_string_equal(ay_saml_fact(&f, "Trusted_VMM"), "true");
	assert_null(ay_saml_fact(&f, "BIOS_Name"));
	c.profile = AY_SAML_ASSAY;
	c.verdict = AY_UNTRUSTED;
	assert_int_equal(ay_saml_verify(issue(&c, &ec, &arena), &want, &arena, &f, &e), AY_OK);
	assert_string_equal(ay_saml_fact(&f, "Trusted"), "false");
	c.lease_ms = NOW;
	assert_int_equal(ay_saml_issue(&c, 1, ec.signer, "_0", NOW, &arena, &out, &e), AY_E_EXISTS);
	c.lease_ms = LEASE;
	c.host_name = "bad \xff utf-8";
	assert_int_equal(ay_saml_issue(&c, 1, ec.signer, "_0", NOW, &arena, &out, &e), AY_E_INPUT);
	ay_arena_fini(&arena);
}

static void claims_round_trip(void **state)
{
	struct ay_saml_claims c = good_claims(), *back;
	size_t n;
	static uint8_t buf[65536], again[65536];
	struct ay_writer w, w2;
	struct ay_bytes b, b2;
	struct ay_arena arena;

	(void)state;
	ay_arena_init(&arena, 16u << 20);
	ay_wr_init(&w, buf, sizeof(buf));
	ay_saml_claims_write(&w, &c, 1);
	assert_int_equal(ay_wr_end(&w, "claims", &b, NULL), AY_OK);
	assert_int_equal(ay_saml_claims_parse(b, &arena, &back, &n, NULL), AY_OK);
	assert_int_equal(n, 1);
	assert_string_equal(back->host_name, c.host_name);
	assert_null(back->aik_sha1);
	ay_wr_init(&w2, again, sizeof(again));
	ay_saml_claims_write(&w2, back, n);
	assert_int_equal(ay_wr_end(&w2, "claims", &b2, NULL), AY_OK);
	assert_true(ay_bytes_eq(b, b2));
	for (size_t i = 0; i < b.n; i++)
		assert_int_not_equal(
			ay_saml_claims_parse((struct ay_bytes){ b.p, i }, &arena, &back, &n, NULL),
			AY_OK);
	ay_arena_fini(&arena);
}

static void refused(struct ay_bytes xml, const struct ay_saml_expect *want, const char *code,
		    struct ay_arena *arena);

/* The octets that consumers of the family look for (facts: CIT's own assertions). */
static bool says(struct ay_bytes xml, const char *text)
{
	return memmem(xml.p, xml.n, text, strlen(text)) != NULL;
}

#define XSI                                                                                        \
	" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""                                 \
	" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" xsi:type="

static void cit_values(void **state)
{
	struct ay_saml_claims c = good_claims();
	struct ay_arena arena;
	struct ay_bytes xml;

	(void)state;
	ay_arena_init(&arena, 4u << 20);
	c.profile = AY_SAML_CIT;
	c.tag_certificate = "MIIB";
	xml = issue(&c, &rsa, &arena);
	assert_true(says(xml, "Name=\"Trusted\"><saml2:AttributeValue" XSI "\"xs:anyType\">true<"));
	assert_true(
		says(xml, "Name=\"Trusted_VMM\"><saml2:AttributeValue" XSI "\"xs:anyType\">true<"));
	assert_true(says(xml, "Name=\"Host_Name\"><saml2:AttributeValue" XSI
			      "\"xs:string\">compute-17<"));
	assert_true(says(xml, "Name=\"TagCertificate\"><saml2:AttributeValue" XSI
			      "\"xs:base64Binary\">MIIB<"));
	assert_true(says(xml, "2001/04/xmldsig-more#rsa-sha256"));
	assert_false(says(xml, "xmldsig#rsa-sha1"));
	assert_false(says(xml, "ID=\"HostTrustAssertion\""));
	/* platform alone is not enough for what the whole verdict says */
	c.verdict = AY_UNTRUSTED;
	c.component[AY_COMP_RUNTIME] = AY_UNTRUSTED;
	xml = issue(&c, &rsa, &arena);
	assert_true(
		says(xml, "Name=\"Trusted\"><saml2:AttributeValue" XSI "\"xs:anyType\">false<"));
	assert_true(says(xml,
			 "Name=\"Trusted_BIOS\"><saml2:AttributeValue" XSI "\"xs:anyType\">true<"));
	ay_arena_fini(&arena);
}

static void secl_values(void **state)
{
	struct ay_saml_claims c = good_claims();
	struct ay_saml_expect want = expect(&rsa);
	struct ay_saml_facts f;
	struct ay_arena arena;
	struct ay_bytes xml;

	(void)state;
	ay_arena_init(&arena, 4u << 20);
	c.profile = AY_SAML_SECL;
	c.component[AY_COMP_RUNTIME] = AY_UNKNOWN;
	c.grade[AY_COMP_RUNTIME] = AY_GRADE_NONE;
	c.aik_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\nBB==\n-----END CERTIFICATE-----\n";
	xml = issue(&c, &rsa, &arena);
	assert_int_equal(ay_saml_verify(xml, &want, &arena, &f, NULL), AY_OK);
	assert_string_equal(ay_saml_fact(&f, "TRUST_OVERALL"), "true");
	assert_string_equal(ay_saml_fact(&f, "TRUST_PLATFORM"), "true");
	assert_string_equal(ay_saml_fact(&f, "TRUST_IMA"), "NA");
	assert_string_equal(ay_saml_fact(&f, "HostName"), "compute-17");
	assert_string_equal(ay_saml_fact(&f, "AIK_Certificate"), "AAAABB==");
	assert_string_equal(ay_saml_fact(&f, "TAG_geo"), "caf\xc3\xa9");
	assert_true(says(xml, "xsi:type=\"xsd:string\""));
	others_verify(xml, &rsa);
	c.verdict = c.component[AY_COMP_OS] = AY_UNKNOWN;
	assert_int_equal(ay_saml_verify(issue(&c, &rsa, &arena), &want, &arena, &f, NULL), AY_OK);
	assert_string_equal(ay_saml_fact(&f, "TRUST_OVERALL"), "false");
	assert_string_equal(ay_saml_fact(&f, "TRUST_OS"), "false");
	ay_arena_fini(&arena);
}

/* One statement for each host, none of them the subject; it ends with the earliest lease. */
static void several_hosts(void **state)
{
	struct ay_saml_claims c[3] = { good_claims(), good_claims(), good_claims() };
	struct ay_saml_expect want = expect(&rsa);
	struct ay_saml_facts f;
	struct ay_arena arena;
	struct ay_bytes xml;
	struct ay_err e = { 0 };
	size_t names = 0, truths = 0;

	(void)state;
	ay_arena_init(&arena, 4u << 20);
	for (size_t i = 0; i < 3; i++)
		c[i].profile = AY_SAML_CIT;
	c[1].host_name = "compute-18";
	c[1].lease_ms = LEASE - 1000;
	c[2] = (struct ay_saml_claims){ .profile = AY_SAML_CIT,
					.verdict = AY_UNKNOWN,
					.lease_ms = LEASE,
					.host_name = "nobody" };
	assert_int_equal(ay_saml_issue(c, 3, rsa.signer, "_00000000000000000000000000000001", NOW,
				       &arena, &xml, &e),
			 AY_OK);
	others_verify(xml, &rsa);
	valid_by_schema(xml);
	assert_int_equal(ay_saml_verify(xml, &want, &arena, &f, &e), AY_OK);
	assert_null(f.subject);
	assert_null(ay_saml_fact(&f, "Trusted")); /* whose? */
	assert_string_equal(ay_saml_fact_of(&f, 1, "Host_Name"), "compute-18");
	assert_string_equal(ay_saml_fact_of(&f, 2, "Trusted"), "false");
	want.nonce = c[0].nonce;
	refused(xml, &want, "SAML_CONDITIONS", &arena); /* one does not answer it */
	want.nonce = NULL;
	assert_int_equal(ay_saml_verify(xml, &want, &arena, &f, &e), AY_OK);
	assert_true(f.not_on_or_after_ms == LEASE - 1000);
	for (size_t i = 0; i < f.n_attributes; i++) {
		names += strcmp(f.attribute[i].name, "Host_Name") == 0;
		truths += strcmp(f.attribute[i].name, "Trusted") == 0 &&
			  strcmp(f.attribute[i].value, "true") == 0;
	}
	assert_int_equal(names, 3);
	assert_int_equal(truths, 2);
	c[0].profile = AY_SAML_ASSAY;
	assert_int_equal(ay_saml_issue(c, 3, ec.signer, "_0", NOW, &arena, &xml, &e), AY_E_INPUT);
	ay_arena_fini(&arena);
}

/* A CA pinned instead of the signer: certificates below it sign, but not those for TLS. */
static void pinned_ca(void **state)
{
	struct ay_saml_claims c = good_claims();
	struct ay_saml_expect want = expect(&ca);
	struct ay_saml_facts f;
	struct ay_arena arena;
	struct ay_err e = { 0 };

	(void)state;
	ay_arena_init(&arena, 4u << 20);
	assert_int_equal(ay_saml_verify(issue(&c, &below, &arena), &want, &arena, &f, &e), AY_OK);
	assert_int_equal(ay_saml_verify(issue(&c, &tls, &arena), &want, &arena, &f, &e),
			 AY_E_CRYPTO);
	assert_string_equal(e.code, "SAML_KEY");
	assert_int_equal(ay_saml_verify(issue(&c, &other, &arena), &want, &arena, &f, &e),
			 AY_E_CRYPTO);
	assert_string_equal(e.code, "SAML_KEY");
	ay_arena_fini(&arena);
}

/* One change of text in a good assertion: the first occurrence of `from` becomes `to`. */
static struct ay_bytes change(struct ay_bytes xml, const char *from, const char *to,
			      struct ay_arena *arena)
{
	const uint8_t *at = memmem(xml.p, xml.n, from, strlen(from));
	size_t before, n = xml.n - strlen(from) + strlen(to);
	uint8_t *out = ay_arena_alloc(arena, n);

	if (at == NULL)
		fail_msg("no \"%s\" in the assertion", from);
	assert_non_null(out);
	before = (size_t)(at - xml.p);
	memcpy(out, xml.p, before);
	memcpy(out + before, to, strlen(to));
	memcpy(out + before + strlen(to), at + strlen(from), xml.n - before - strlen(from));
	return (struct ay_bytes){ out, n };
}

#define EXC "http://www.w3.org/2001/10/xml-exc-c14n#"
#define DS "http://www.w3.org/2000/09/xmldsig#"
#define MORE "http://www.w3.org/2001/04/xmldsig-more#"

static const struct {
	const char *name, *from, *to, *code;
} changes[] = {
	{ "attribute value", ">true<", ">false<", "SAML_SIGNATURE" },
	{ "issue instant", "22:05:01.250Z\" Version", "22:05:02.250Z\" Version", "SAML_SIGNATURE" },
	{ "signature value", "<ds:SignatureValue>", "<ds:SignatureValue>AAAA", "SAML_SIGNATURE" },
	{ "comment in an attribute", ">true<", ">tr<!-- x -->ue<", "SAML_COMMENT" },
	{ "comment in NameID", "f81d4fae", "f81d<!---->4fae", "SAML_COMMENT" },
	{ "comment before the root", "?>\n<saml2:Assertion", "?><!-- x --><saml2:Assertion",
	  "SAML_COMMENT" },
	{ "processing instruction", ">true<", ">true<?x y?><", "SAML_COMMENT" },
	{ "DOCTYPE", "?>\n<saml2:Assertion", "?><!DOCTYPE x><saml2:Assertion", "XML_DOCTYPE" },
	{ "DOCTYPE with entities", "?>\n<saml2:Assertion",
	  "?><!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><saml2:Assertion",
	  "XML_DOCTYPE" },
	{ "other encoding", "UTF-8", "UTF-7", "XML_LIMIT" },
	{ "undeclared entity", ">true<", ">&e;<", "XML_MALFORMED" },
	{ "XInclude", "<saml2:Subject>",
	  "<xi:include xmlns:xi=\"http://www.w3.org/2001/XInclude\" href=\"x\"/><saml2:Subject>",
	  "XML_DOCTYPE" },
	{ "external schema", "<saml2:Subject>",
	  "<saml2:Subject xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
	  "xsi:schemaLocation=\"a http://b/c.xsd\">",
	  "XML_DOCTYPE" },
	{ "invalid UTF-8", "compute-17", "comp\xc3(e-17", "XML_LIMIT" },
	{ "namespace redefined", "<saml2:Subject>", "<saml2:Subject xmlns:saml2=\"urn:x\">",
	  "XML_LIMIT" },
	{ "duplicate ID", "<saml2:Subject>",
	  "<saml2:Subject ID=\"_0102030405060708090a0b0c0d0e0f10\">", "SAML_DUPLICATE_ID" },
	{ "duplicate Id of another case", "<saml2:Subject>",
	  "<saml2:Subject Id=\"_0102030405060708090a0b0c0d0e0f10\">", "SAML_DUPLICATE_ID" },
	{ "reference to nothing", "URI=\"#_0102030405060708090a0b0c0d0e0f10\"", "URI=\"#_x\"",
	  "SAML_REFERENCE" },
	{ "reference to the document", "URI=\"#_0102030405060708090a0b0c0d0e0f10\"", "URI=\"\"",
	  "SAML_REFERENCE" },
	{ "reference to a file", "URI=\"#_0102030405060708090a0b0c0d0e0f10\"",
	  "URI=\"file:///etc/passwd\"", "SAML_REFERENCE" },
	{ "reference by XPointer", "URI=\"#_0102030405060708090a0b0c0d0e0f10\"",
	  "URI=\"#xpointer(/)\"", "SAML_REFERENCE" },
	{ "XSLT transform", "<ds:Transform Algorithm=\"" EXC "\"",
	  "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"",
	  "SAML_REFERENCE" },
	{ "XPath transform", "<ds:Transform Algorithm=\"" EXC "\"",
	  "<ds:Transform Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\"",
	  "SAML_REFERENCE" },
	{ "no enveloped transform", "<ds:Transform Algorithm=\"" DS "enveloped-signature\"/>", "",
	  "SAML_REFERENCE" },
	{ "two references", "</ds:SignedInfo>", "<ds:Reference URI=\"#x\"/></ds:SignedInfo>",
	  "SAML_REFERENCE" },
	{ "object in the signature", "</ds:Signature>", "<ds:Object>x</ds:Object></ds:Signature>",
	  "SAML_REFERENCE" },
	{ "HMAC", MORE "ecdsa-sha256", DS "hmac-sha1", "SAML_ALGORITHM" },
	{ "HMAC output length", "<ds:SignatureMethod Algorithm=\"" MORE "ecdsa-sha256\"/>",
	  "<ds:SignatureMethod Algorithm=\"" MORE "ecdsa-sha256\"><ds:HMACOutputLength>8"
	  "</ds:HMACOutputLength></ds:SignatureMethod>",
	  "SAML_ALGORITHM" },
	{ "RSA with MD5", MORE "ecdsa-sha256", MORE "rsa-md5", "SAML_ALGORITHM" },
	{ "digest MD5", "http://www.w3.org/2001/04/xmlenc#sha256", MORE "md5", "SAML_ALGORITHM" },
	{ "digest SHA-1", "http://www.w3.org/2001/04/xmlenc#sha256", DS "sha1", "SAML_SIGNATURE" },
	{ "unknown canonicalisation", "CanonicalizationMethod Algorithm=\"" EXC,
	  "CanonicalizationMethod Algorithm=\"urn:x", "SAML_ALGORITHM" },
	{ "key value in KeyInfo", "<ds:KeyInfo>", "<ds:KeyInfo><ds:KeyName>x</ds:KeyName>",
	  "SAML_KEY" },
	{ "broken certificate", "<ds:X509Certificate>", "<ds:X509Certificate>AAAA", "SAML_KEY" },
	{ "version", "Version=\"2.0\"", "Version=\"1.1\"", "SAML_SHAPE" },
	{ "statement of another type", "</saml2:AttributeStatement>",
	  "</saml2:AttributeStatement><saml2:AuthzDecisionStatement/>", "SAML_SHAPE" },
	{ "encrypted attribute", "</saml2:AttributeStatement>",
	  "<saml2:EncryptedAttribute/></saml2:AttributeStatement>", "SAML_SHAPE" },
	{ "cut off", "</saml2:Assertion>", "", "XML_MALFORMED" },
};

static void refused(struct ay_bytes xml, const struct ay_saml_expect *want, const char *code,
		    struct ay_arena *arena)
{
	struct ay_saml_facts f;
	struct ay_err e = { 0 };

	assert_int_not_equal(ay_saml_verify(xml, want, arena, &f, &e), AY_OK);
	if (strcmp(e.code, code) != 0)
		fail_msg("%s (%s), expected %s", e.code, e.text, code);
	assert_null(f.id);
}

static void single_changes(void **state)
{
	struct ay_saml_claims c = good_claims();
	struct ay_saml_expect want = expect(&ec);
	struct ay_arena arena;

	(void)state;
	ay_arena_init(&arena, 64u << 20);
	for (size_t i = 0; i < AY_COUNT(changes); i++) {
		struct ay_bytes xml = issue(&c, &ec, &arena);

		print_message("change: %s\n", changes[i].name);
		refused(change(xml, changes[i].from, changes[i].to, &arena), &want, changes[i].code,
			&arena);
	}
	ay_arena_fini(&arena);
}

/* The part of xml from `from` up to the end of `to`. */
static char *part(struct ay_bytes xml, const char *from, const char *to, struct ay_arena *arena)
{
	const uint8_t *a = memmem(xml.p, xml.n, from, strlen(from)), *b;

	assert_non_null(a);
	b = memmem(a, xml.n - (size_t)(a - xml.p), to, strlen(to));
	assert_non_null(b);
	return ay_arena_str(arena, (struct ay_bytes){ a, (size_t)(b - a) + strlen(to) });
}

/* A forged assertion is what one would read; the signed one stands somewhere else. */
static void wrapping(void **state)
{
	static const struct {
		const char *name, *before, *after;
		bool sig; /* the forged one carries the signature of the other */
	} rows[] = {
		{ "in Advice", "<saml2:Advice>", "</saml2:Advice></saml2:Assertion>", false },
		{ "in Extensions", "<x:Extensions xmlns:x=\"urn:x\">",
		  "</x:Extensions></saml2:Assertion>", false },
		{ "in Object of the signature", "<ds:Object>",
		  "</ds:Object></ds:Signature></saml2:Assertion>", true },
	};
	struct ay_saml_claims c = good_claims();
	struct ay_saml_expect want = expect(&ec);
	struct ay_arena arena;
	struct ay_bytes xml;
	char *whole, *sig, *forged;

	(void)state;
	ay_arena_init(&arena, 64u << 20);
	xml = issue(&c, &ec, &arena);
	whole = part(xml, "<saml2:Assertion", "</saml2:Assertion>", &arena);
	sig = part(xml, "<ds:Signature", "</ds:KeyInfo>", &arena);
	forged = ay_arena_printf(
		&arena, "<saml2:Assertion xmlns:saml2=\"urn:oasis:names:tc:SAML:2.0:assertion\" "
			"ID=\"_forged\" Version=\"2.0\"><saml2:Issuer>i</saml2:Issuer>");
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		print_message("wrapped: %s\n", rows[i].name);
		refused(ay_bytes_of(ay_arena_printf(&arena, "%s%s%s%s%s", forged,
						    rows[i].sig ? sig : "", rows[i].before, whole,
						    rows[i].after)),
			&want, "SAML_WRAPPING", &arena);
	}
	print_message("wrapped: as a sibling\n");
	refused(ay_bytes_of(
			ay_arena_printf(&arena, "<r>%s</saml2:Assertion>%s</r>", forged, whole)),
		&want, "SAML_WRAPPING", &arena);
	print_message("two signed assertions\n");
	refused(ay_bytes_of(ay_arena_printf(&arena, "<r>%s%s</r>", whole, whole)), &want,
		"SAML_SHAPE", &arena);
	print_message("encrypted assertion\n");
	refused(ay_bytes_of("<saml2:EncryptedAssertion "
			    "xmlns:saml2=\"urn:oasis:names:tc:SAML:2.0:assertion\"/>"),
		&want, "SAML_SHAPE", &arena);
	print_message("signature removed\n");
	refused(change(xml, part(xml, "<ds:Signature", "</ds:Signature>", &arena), "", &arena),
		&want, "SAML_UNSIGNED", &arena);
	ay_arena_fini(&arena);
}

static void conditions(void **state)
{
	struct ay_saml_claims c = good_claims();
	struct ay_saml_expect want;
	struct ay_arena arena;
	struct ay_bytes xml;
	struct ay_saml_facts f;

	(void)state;
	ay_arena_init(&arena, 16u << 20);
	xml = issue(&c, &ec, &arena);
	want = expect(&ec);
	want.now_ms = LEASE;
	refused(xml, &want, "SAML_CONDITIONS", &arena);
	want.now_ms = LEASE - 1;
	assert_int_equal(ay_saml_verify(xml, &want, &arena, &f, NULL), AY_OK);
	want.now_ms = NOW - 2000;
	refused(xml, &want, "SAML_CONDITIONS", &arena);
	want = expect(&ec);
	want.audience = "https://elsewhere.example";
	refused(xml, &want, "SAML_CONDITIONS", &arena);
	want = expect(&ec);
	want.issuer = "https://evil.example";
	refused(xml, &want, "SAML_CONDITIONS", &arena);
	want = expect(&ec);
	want.nonce = "another";
	refused(xml, &want, "SAML_CONDITIONS", &arena);
	want = expect(&ec);
	c.audience = NULL;
	want.audience = "https://cloud.example";
	refused(issue(&c, &ec, &arena), &want, "SAML_CONDITIONS", &arena);
	refused(xml, &(struct ay_saml_expect){ .cert = other.der, .now_ms = NOW }, "SAML_KEY",
		&arena);
	refused(change(xml, " ID=\"_0102030405060708090a0b0c0d0e0f10\"", " ID=\"\"", &arena),
		&(struct ay_saml_expect){ .cert = ec.der, .now_ms = NOW }, "SAML_CONDITIONS",
		&arena);
	ay_arena_fini(&arena);
}

/* Signed by us and yet refused: an ID that every assertion has, and no Conditions at all. */
static void constant_id(void **state)
{
	struct ay_saml_claims c = good_claims();
	struct ay_saml_expect want = expect(&ec);
	struct ay_arena arena;
	struct ay_bytes xml;

	(void)state;
	ay_arena_init(&arena, 4u << 20);
	assert_int_equal(
		ay_saml_issue(&c, 1, ec.signer, "HostTrustAssertion", NOW, &arena, &xml, NULL),
		AY_OK);
	refused(xml, &want, "SAML_CONDITIONS", &arena);
	ay_arena_fini(&arena);
}

static struct ay_bytes nested(size_t depth, struct ay_arena *arena)
{
	char *p = ay_arena_alloc(arena, depth * 7 + 1);

	assert_non_null(p);
	for (size_t i = 0; i < depth; i++) {
		memcpy(p + 3 * i, "<a>", 3);
		memcpy(p + 3 * depth + 4 * i, "</a>", 4);
	}
	return (struct ay_bytes){ (const uint8_t *)p, depth * 7 };
}

static void limits(void **state)
{
	struct ay_saml_expect want = expect(&ec);
	struct ay_arena arena;
	size_t n = 2u << 20;
	char *p;

	(void)state;
	ay_arena_init(&arena, 64u << 20);
	refused(nested(10000, &arena), &want, "XML_LIMIT", &arena);
	refused(nested(65, &arena), &want, "XML_LIMIT", &arena);
	refused(nested(64, &arena), &want, "SAML_SHAPE", &arena);
	p = ay_arena_alloc(&arena, n);
	assert_non_null(p);
	memset(p, 'x', n);
	memcpy(p, "<a>", 3);
	memcpy(p + n - 4, "</a>", 4);
	refused((struct ay_bytes){ (const uint8_t *)p, n }, &want, "XML_LIMIT", &arena);
	memcpy(p, "<a", 2);
	for (n = 2; n < 1000000; n += 12)
		snprintf(p + n, 13, " b%06zu='' ", n % 1000000);
	memcpy(p + n, "/>", 2);
	refused((struct ay_bytes){ (const uint8_t *)p, n + 2 }, &want, "XML_LIMIT", &arena);
	refused((struct ay_bytes){ (const uint8_t *)"<\0a\0/\0>\0", 8 }, &want, "XML_LIMIT",
		&arena);
	refused(ay_bytes_of(""), &want, "XML_MALFORMED", &arena);
	ay_arena_fini(&arena);
}

/* Files of other projects, with the code each deserves. */
static void corpus(void **state)
{
	static const struct {
		const char *file, *code;
	} rows[] = {
		{ "saml/cit/saml.xml", "SAML_ALGORITHM" },
		{ "saml/cit/saml2.xml", "SAML_KEY" },
		{ "saml/cit/host-149.saml_xxe.xml", "XML_DOCTYPE" },
		{ "saml/ruby/attackxee.xml", "XML_DOCTYPE" },
		{ "saml/ruby/response_assertion_wrapped.xml", "SAML_WRAPPING" },
		{ "saml/ruby/invalids-response_with_concealed_signed_assertion.xml",
		  "SAML_WRAPPING" },
		{ "saml/ruby/invalids-response_with_doubled_signed_assertion.xml",
		  "SAML_WRAPPING" },
		{ "saml/ruby/invalids-signature_wrapping_attack.xml", "SAML_WRAPPING" },
		{ "saml/ruby/response_node_text_attack2.xml", "SAML_COMMENT" },
		{ "saml/ruby/response_node_text_attack.xml", "SAML_COMMENT" },
		{ "saml/ruby/invalids-no_signature.xml", "SAML_UNSIGNED" },
		{ "saml/ruby/invalids-encrypted_new_attack.xml", "SAML_SHAPE" },
		{ "xmldsig/merlin/signature-enveloping-hmac-sha1-40.xml", "SAML_ALGORITHM" },
		{ "xmldsig/merlin/signature.xml", "XML_DOCTYPE" },
		{ "xmldsig/merlin/signature-enveloping-rsa.xml", "SAML_SHAPE" },
	};
	struct ay_bytes pem = t_corpus_file("assertion/saml", "saml/cit/saml.crt.pem");
	BIO *bio = BIO_new_mem_buf(pem.p, (int)pem.n);
	X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);
	struct ay_saml_expect want = { .cert = { der, (size_t)n }, .now_ms = NOW };
	struct ay_saml_facts f;
	struct ay_arena arena;
	struct ay_err e = { 0 };

	(void)state;
	ay_arena_init(&arena, 64u << 20);
	for (size_t i = 0; i < AY_COUNT(rows); i++) {
		print_message("corpus: %s\n", rows[i].file);
		refused(t_corpus_file("assertion/saml", rows[i].file), &want, rows[i].code, &arena);
	}
	want.allow_legacy = true;
	assert_int_equal(ay_saml_verify(t_corpus_file("assertion/saml", "saml/cit/saml.xml"), &want,
					&arena, &f, &e),
			 AY_OK);
	assert_string_equal(ay_saml_fact_of(&f, 0, "Host_Name"), "10.1.71.175");
	refused(change(t_corpus_file("assertion/saml", "saml/cit/saml.xml"), ">true<", ">false<",
		       &arena),
		&want, "SAML_SIGNATURE", &arena);
	want.allow_legacy = false;
	refused(change(t_corpus_file("assertion/saml", "saml/cit/saml.xml"), ">true<", ">false<",
		       &arena),
		&want, "SAML_SIGNATURE", &arena);
	X509_free(cert);
	BIO_free(bio);
	ay_arena_fini(&arena);
}

/* Whatever the world signed for others is nothing to somebody who pinned our key. */
static void all_of_the_corpus(void **state)
{
	static const char *const folders[] = { "saml/ruby", "saml/cit", "saml/secl" };
	struct ay_saml_expect want = expect(&ec);
	struct ay_saml_facts f;
	struct ay_arena arena;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < AY_COUNT(folders); i++) {
		char dir[1024], file[512];
		DIR *d;
		struct dirent *entry;

		snprintf(dir, sizeof(dir), "%s/%s", t_corpus("assertion/saml"), folders[i]);
		d = opendir(dir);
		assert_non_null(d);
		while ((entry = readdir(d)) != NULL) {
			struct ay_err e = { 0 };
			size_t len = strlen(entry->d_name);

			if (len < 5 || strcmp(entry->d_name + len - 4, ".xml") != 0)
				continue;
			snprintf(file, sizeof(file), "%s/%s", folders[i], entry->d_name);
			ay_arena_init(&arena, 16u << 20);
			if (ay_saml_verify(t_corpus_file("assertion/saml", file), &want, &arena, &f,
					   &e) == AY_OK ||
			    e.code[0] == '\0')
				fail_msg("%s was accepted, or refused without a code", file);
			ay_arena_fini(&arena);
			n++;
		}
		closedir(d);
	}
	assert_true(n >= 90);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(issue_and_verify),
		cmocka_unit_test(schema),
		cmocka_unit_test(verdicts),
		cmocka_unit_test(claims_round_trip),
		cmocka_unit_test(pinned_ca),
		cmocka_unit_test(single_changes),
		cmocka_unit_test(wrapping),
		cmocka_unit_test(conditions),
		cmocka_unit_test(constant_id),
		cmocka_unit_test(limits),
		cmocka_unit_test(corpus),
		cmocka_unit_test(cit_values),
		cmocka_unit_test(secl_values),
		cmocka_unit_test(several_hosts),
		cmocka_unit_test(all_of_the_corpus),
	};

	return cmocka_run_group_tests_name("assertion/saml", tests, make_parties, NULL);
}
