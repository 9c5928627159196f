/* SPDX-License-Identifier: Apache-2.0 */
#include "core/assertion/saml.h"

#include "core/assertion/saml_key.h"
#include "core/assertion/saml_names.h"
#include "core/base/hex.h"
#include "core/base/timefmt.h"

#include <stdio.h>
#include <xmlsec/crypto.h>
#include <xmlsec/templates.h>
#include <xmlsec/xmldsig.h>

/* Clocks of relying parties may be behind ours by this much. */
#define BACKDATE_MS 1000

/* The document being made; the first failure sticks. */
struct build {
	xmlDocPtr doc;
	xmlNsPtr saml;
	xmlNodePtr root, statement, signature;
	const struct ay_saml_claims *c;
	const char *id;
	int64_t now_ms;
	bool failed;
};

void ay_saml_id(const uint8_t random[16], char out[AY_SAML_ID_TEXT])
{
	out[0] = '_';
	ay_hex_encode((struct ay_bytes){ random, 16 }, out + 1);
}

static xmlNodePtr add(struct build *b, xmlNodePtr parent, const char *name, const char *text)
{
	xmlNodePtr n;

	if (b->failed || parent == NULL)
		return NULL;
	/* xmlNewTextChild escapes; xmlNewChild would take entities out of the text. */
	n = xmlNewTextChild(parent, b->saml, ay_x(name), ay_x(text));
	if (n == NULL || (text != NULL && xmlCheckUTF8(ay_x(text)) == 0))
		b->failed = true;
	return n;
}

static void set(struct build *b, xmlNodePtr n, const char *name, const char *value)
{
	if (!b->failed && (n == NULL || xmlNewProp(n, ay_x(name), ay_x(value)) == NULL))
		b->failed = true;
}

static void set_time(struct build *b, xmlNodePtr n, const char *name, int64_t at_ms)
{
	char text[AY_TIME_ROOM];

	ay_time_format(at_ms, text);
	set(b, n, name, text);
}

/* Consumers of CIT read typed values; the type's prefix is then canonicalised with the rest. */
static void add_value(struct build *b, xmlNodePtr attribute, const char *value)
{
	xmlNodePtr v = add(b, attribute, "AttributeValue", value);
	xmlNsPtr xsi;

	if (v == NULL || b->c->profile != AY_SAML_CIT)
		return;
	xsi = xmlNewNs(v, ay_x(AY_NS_XSI), ay_x("xsi"));
	if (xsi == NULL || xmlNewNs(v, ay_x(AY_NS_XS), ay_x("xs")) == NULL ||
	    xmlNewNsProp(v, xsi, ay_x("type"), ay_x("xs:string")) == NULL)
		b->failed = true;
}

static void add_attribute(struct build *b, const char *name, const char *value)
{
	xmlNodePtr a;

	if (value == NULL || name == NULL)
		return;
	a = add(b, b->statement, "Attribute", NULL);
	set(b, a, "Name", name);
	set(b, a, "NameFormat", AY_ATTR_BASIC);
	add_value(b, a, value);
}

static const char *truth(bool v)
{
	return v ? "true" : "false";
}

static bool is_trusted(const struct ay_saml_claims *c, enum ay_component k)
{
	return c->component[k] == AY_TRUSTED;
}

static void add_subject(struct build *b)
{
	bool cit = b->c->profile == AY_SAML_CIT;
	const char *name = cit && b->c->host_name != NULL ? b->c->host_name : b->c->host_id;
	xmlNodePtr subject = add(b, b->root, "Subject", NULL), n;

	n = add(b, subject, "NameID", name);
	set(b, n, "Format", cit ? AY_NAMEID_UNSPECIFIED : AY_NAMEID_PERSISTENT);
	n = add(b, subject, "SubjectConfirmation", NULL);
	set(b, n, "Method", AY_CM_SENDER_VOUCHES);
	if (b->c->service != NULL)
		(void)add(b, n, "NameID", b->c->service);
	n = add(b, n, "SubjectConfirmationData", NULL);
	set_time(b, n, "NotBefore", b->now_ms - BACKDATE_MS);
	set_time(b, n, "NotOnOrAfter", b->c->lease_ms);
}

static void add_conditions(struct build *b)
{
	xmlNodePtr n = add(b, b->root, "Conditions", NULL);

	set_time(b, n, "NotBefore", b->now_ms - BACKDATE_MS);
	set_time(b, n, "NotOnOrAfter", b->c->lease_ms);
	if (b->c->audience == NULL)
		return;
	n = add(b, n, "AudienceRestriction", NULL);
	(void)add(b, n, "Audience", b->c->audience);
}

/* Trusted, Trusted_BIOS and Trusted_VMM as Mt. Wilson names them; unknown is false. */
static void add_verdicts(struct build *b)
{
	const struct ay_saml_claims *c = b->c;

	add_attribute(b, "Trusted", truth(c->verdict == AY_TRUSTED));
	add_attribute(b, "Trusted_BIOS", truth(is_trusted(c, AY_COMP_PLATFORM)));
	add_attribute(b, "Trusted_VMM", truth(is_trusted(c, AY_COMP_OS)));
	add_attribute(b, "Asset_Tag", truth(is_trusted(c, AY_COMP_ASSET_TAG)));
	add_attribute(b, "Verdict", ay_verdict_name(c->verdict));
	for (unsigned k = AY_COMP_IDENTITY; k < AY_COMPONENTS; k++) {
		char name[64];

		snprintf(name, sizeof(name), "Verdict[%s]",
			 ay_component_name((enum ay_component)k));
		add_attribute(b, name, ay_verdict_name(c->component[k]));
		if (c->grade[k] == AY_GRADE_NONE)
			continue;
		snprintf(name, sizeof(name), "Grade[%s]", ay_component_name((enum ay_component)k));
		add_attribute(b, name, ay_grade_name(c->grade[k]));
	}
}

static void add_strings(struct build *b)
{
	const struct ay_saml_claims *c = b->c;
	const bool ALWAYS = true, IF_PLATFORM = is_trusted(c, AY_COMP_PLATFORM),
		   IF_OS = is_trusted(c, AY_COMP_OS), IF_TAG = is_trusted(c, AY_COMP_ASSET_TAG);

#define X(field, attribute, when)                                                                  \
	if (when)                                                                                  \
		add_attribute(b, attribute, c->field);
#include "core/assertion/saml_claims.def"
#undef X
	for (size_t i = 0; IF_TAG && i < c->n_tags; i++) {
		char name[AY_MAX_NAME_BYTES + 8];

		snprintf(name, sizeof(name), "TAG[%s]", c->tag[i].name);
		add_attribute(b, name, c->tag[i].value);
	}
}

static void add_provenance(struct build *b)
{
	const struct ay_saml_claims *c = b->c;
	char text[65];

	if (c->quote_ms != 0) {
		ay_time_format(c->quote_ms, text);
		add_attribute(b, "Quote_Time", text);
	}
	if (c->has_evidence) {
		ay_hex_encode(AY_BYTES(c->evidence_sha256), text);
		add_attribute(b, "Evidence_SHA256", text);
	}
	if (c->has_policy) {
		ay_hex_encode(AY_BYTES(c->policy_sha256), text);
		add_attribute(b, "Policy_SHA256", text);
		snprintf(text, sizeof(text), "%u", c->policy_version);
		add_attribute(b, "Policy_Version", text);
	}
}

/* Enveloped signature over the assertion; digests are filled when it is signed. */
static void add_signature(struct build *b, const struct ay_saml_key *key)
{
	xmlNodePtr ref, exc;
	char uri[AY_SAML_ID_TEXT + 1];

	if (b->failed)
		return;
	snprintf(uri, sizeof(uri), "#%s", b->id);
	b->signature = xmlSecTmplSignatureCreateNsPref(b->doc, xmlSecTransformExclC14NId,
						       key->is_ec ? xmlSecTransformEcdsaSha256Id
								  : xmlSecTransformRsaSha256Id,
						       NULL, ay_x("ds"));
	if (b->signature == NULL || xmlAddChild(b->root, b->signature) == NULL) {
		b->failed = true;
		return;
	}
	ref = xmlSecTmplSignatureAddReference(b->signature, xmlSecTransformSha256Id, NULL,
					      ay_x(uri), NULL);
	exc = ref == NULL || xmlSecTmplReferenceAddTransform(ref, xmlSecTransformEnvelopedId) ==
				      NULL
		      ? NULL
		      : xmlSecTmplReferenceAddTransform(ref, xmlSecTransformExclC14NId);
	if (exc == NULL || (b->c->profile == AY_SAML_CIT &&
			    xmlSecTmplTransformAddC14NInclNamespaces(exc, ay_x("xs")) < 0))
		b->failed = true;
}

static void build_root(struct build *b)
{
	b->doc = xmlNewDoc(ay_x("1.0"));
	b->root = b->doc == NULL ? NULL : xmlNewNode(NULL, ay_x("Assertion"));
	if (b->root == NULL) {
		b->failed = true;
		return;
	}
	xmlDocSetRootElement(b->doc, b->root);
	b->saml = xmlNewNs(b->root, ay_x(AY_NS_SAML), ay_x("saml2"));
	xmlSetNs(b->root, b->saml);
	set(b, b->root, "ID", b->id);
	set_time(b, b->root, "IssueInstant", b->now_ms);
	set(b, b->root, "Version", "2.0");
	if (!b->failed &&
	    xmlAddID(NULL, b->doc, ay_x(b->id), xmlHasProp(b->root, ay_x("ID"))) == NULL)
		b->failed = true;
}

static void build_assertion(struct build *b, const struct ay_saml_key *key)
{
	build_root(b);
	(void)add(b, b->root, "Issuer", b->c->issuer);
	add_signature(b, key);
	add_subject(b);
	add_conditions(b);
	b->statement = add(b, b->root, "AttributeStatement", NULL);
	add_verdicts(b);
	add_strings(b);
	add_provenance(b);
}

static void sign(struct build *b, const struct ay_saml_key *key)
{
	xmlSecDSigCtxPtr ctx;

	if (b->failed)
		return;
	b->failed = true;
	ctx = xmlSecDSigCtxCreate(NULL);
	if (ctx == NULL)
		return;
	ctx->signKey = xmlSecKeyDuplicate(key->key);
	if (ctx->signKey != NULL && xmlSecDSigCtxSign(ctx, b->signature) == 0)
		b->failed = false;
	xmlSecDSigCtxDestroy(ctx);
}

/* After signing: KeyInfo stands in the signature, which the signature does not cover. */
static void add_key_info(struct build *b, const struct ay_saml_key *key)
{
	xmlNodePtr info, data;

	if (b->failed)
		return;
	info = xmlNewChild(b->signature, b->signature->ns, ay_x("KeyInfo"), NULL);
	data = info == NULL ? NULL : xmlNewChild(info, info->ns, ay_x("X509Data"), NULL);
	for (size_t i = 0; i < key->n_certs; i++)
		if (data == NULL || xmlNewChild(data, data->ns, ay_x("X509Certificate"),
						ay_x(key->cert[i])) == NULL)
			b->failed = true;
}

static enum ay_rc dump(struct build *b, struct ay_arena *arena, struct ay_bytes *out,
		       struct ay_err *e)
{
	xmlChar *text = NULL;
	int n = 0;

	xmlDocDumpMemoryEnc(b->doc, &text, &n, "UTF-8");
	if (text != NULL && n > 0)
		*out = ay_arena_dup(arena, (struct ay_bytes){ text, (size_t)n });
	xmlFree(text);
	return out->p != NULL ? AY_OK
			      : ay_fail(e, AY_E_NOMEM, "saml", 0, "no memory for the document");
}

static enum ay_rc check_claims(const struct ay_saml_claims *c, int64_t now_ms, struct ay_err *e)
{
	if (c->issuer == NULL || c->host_id == NULL)
		return ay_fail(e, AY_E_INPUT, "saml.claims", 0, "no issuer or no host id");
	if (c->lease_ms <= now_ms)
		return ay_fail_code(e, AY_E_EXISTS, "VERDICT_UNKNOWN", "saml.lease",
				    "the lease has ended");
	if (c->profile == AY_SAML_ASSAY && c->verdict == AY_UNKNOWN)
		return ay_fail_code(e, AY_E_EXISTS, "VERDICT_UNKNOWN", "saml.verdict",
				    "the host's verdict is unknown");
	return AY_OK;
}

enum ay_rc ay_saml_issue(const struct ay_saml_claims *c, const struct ay_saml_key *key,
			 const char *id, int64_t now_ms, struct ay_arena *arena,
			 struct ay_bytes *out, struct ay_err *e)
{
	struct build b = { .c = c, .id = id, .now_ms = now_ms };
	enum ay_rc rc = check_claims(c, now_ms, e);

	*out = (struct ay_bytes){ 0 };
	if (rc != AY_OK)
		return rc;
	build_assertion(&b, key);
	sign(&b, key);
	add_key_info(&b, key);
	rc = b.failed ? ay_fail(e, AY_E_INPUT, "saml", 0, "a string is not text, or signing failed")
		      : dump(&b, arena, out, e);
	if (b.doc != NULL)
		xmlFreeDoc(b.doc);
	return rc;
}
