/* SPDX-License-Identifier: Apache-2.0 */
#include "core/assertion/saml.h"

#include "core/assertion/saml_build.h"
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

void ay_saml_id(const uint8_t random[16], char out[AY_SAML_ID_TEXT])
{
	out[0] = '_';
	ay_hex_encode((struct ay_bytes){ random, 16 }, out + 1);
}

xmlNodePtr ay_saml_add(struct ay_saml_build *b, xmlNodePtr parent, const char *name,
		       const char *text)
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

void ay_saml_set(struct ay_saml_build *b, xmlNodePtr n, const char *name, const char *value)
{
	if (!b->failed && (n == NULL || xmlNewProp(n, ay_x(name), ay_x(value)) == NULL))
		b->failed = true;
}

static void set_time(struct ay_saml_build *b, xmlNodePtr n, const char *name, int64_t at_ms)
{
	char text[AY_TIME_ROOM];

	ay_time_format(at_ms, text);
	ay_saml_set(b, n, name, text);
}

static void add_subject(struct ay_saml_build *b)
{
	bool others = b->c->profile != AY_SAML_ASSAY;
	const char *name = others && b->c->host_name != NULL ? b->c->host_name : b->c->host_id;
	xmlNodePtr subject = ay_saml_add(b, b->root, "Subject", NULL), n;

	n = ay_saml_add(b, subject, "NameID", name);
	ay_saml_set(b, n, "Format", others ? AY_NAMEID_UNSPECIFIED : AY_NAMEID_PERSISTENT);
	n = ay_saml_add(b, subject, "SubjectConfirmation", NULL);
	ay_saml_set(b, n, "Method", AY_CM_SENDER_VOUCHES);
	if (b->c->service != NULL)
		ay_saml_set(b, ay_saml_add(b, n, "NameID", b->c->service), "Format",
			    AY_NAMEID_UNSPECIFIED);
	n = ay_saml_add(b, n, "SubjectConfirmationData", NULL);
	set_time(b, n, "NotBefore", b->now_ms - BACKDATE_MS);
	set_time(b, n, "NotOnOrAfter", b->until_ms);
}

static void add_conditions(struct ay_saml_build *b)
{
	xmlNodePtr n = ay_saml_add(b, b->root, "Conditions", NULL);

	set_time(b, n, "NotBefore", b->now_ms - BACKDATE_MS);
	set_time(b, n, "NotOnOrAfter", b->until_ms);
	if (b->c->audience == NULL)
		return;
	n = ay_saml_add(b, n, "AudienceRestriction", NULL);
	(void)ay_saml_add(b, n, "Audience", b->c->audience);
}

/* Enveloped signature over the assertion; digests are filled when it is signed. */
static void add_signature(struct ay_saml_build *b, const struct ay_saml_key *key)
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
	if (exc == NULL ||
	    (b->xs != NULL && xmlSecTmplTransformAddC14NInclNamespaces(exc, ay_x(b->xs)) < 0))
		b->failed = true;
}

static void build_root(struct ay_saml_build *b)
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
	ay_saml_set(b, b->root, "ID", b->id);
	set_time(b, b->root, "IssueInstant", b->now_ms);
	ay_saml_set(b, b->root, "Version", "2.0");
	if (!b->failed &&
	    xmlAddID(NULL, b->doc, ay_x(b->id), xmlHasProp(b->root, ay_x("ID"))) == NULL)
		b->failed = true;
}

/* CIT says nothing of a subject when there are several. */
static void build_assertion(struct ay_saml_build *b, const struct ay_saml_key *key)
{
	build_root(b);
	(void)ay_saml_add(b, b->root, "Issuer", b->c->issuer);
	add_signature(b, key);
	if (b->n == 1)
		add_subject(b);
	add_conditions(b);
	for (size_t i = 0; i < b->n; i++)
		ay_saml_add_statement(b, &b->c[i]);
}

static void sign(struct ay_saml_build *b, const struct ay_saml_key *key)
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
static void add_key_info(struct ay_saml_build *b, const struct ay_saml_key *key)
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

static enum ay_rc dump(struct ay_saml_build *b, struct ay_arena *arena, struct ay_bytes *out,
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

static enum ay_rc check_host(const struct ay_saml_claims *c, int64_t now_ms, struct ay_err *e)
{
	if (c->host_id == NULL && (c->profile != AY_SAML_CIT || c->host_name == NULL))
		return ay_fail(e, AY_E_INPUT, "saml.claims", 0, "no host id");
	if (c->lease_ms <= now_ms)
		return ay_fail_code(e, AY_E_EXISTS, "VERDICT_UNKNOWN", "saml.lease",
				    "the lease has ended");
	if (c->profile == AY_SAML_ASSAY && c->verdict == AY_UNKNOWN)
		return ay_fail_code(e, AY_E_EXISTS, "VERDICT_UNKNOWN", "saml.verdict",
				    "the host's verdict is unknown");
	return AY_OK;
}

static enum ay_rc check_claims(struct ay_saml_build *b, struct ay_err *e)
{
	enum ay_rc rc = AY_OK;

	if (b->n == 0 || b->c->issuer == NULL)
		return ay_fail(e, AY_E_INPUT, "saml.claims", 0, "no host or no issuer");
	if (b->n > 1 && b->c->profile != AY_SAML_CIT)
		return ay_fail(e, AY_E_INPUT, "saml.claims", 0, "this profile tells of one host");
	b->until_ms = b->c->lease_ms;
	for (size_t i = 0; rc == AY_OK && i < b->n; i++) {
		rc = check_host(&b->c[i], b->now_ms, e);
		if (b->c[i].lease_ms < b->until_ms)
			b->until_ms = b->c[i].lease_ms;
	}
	return rc;
}

enum ay_rc ay_saml_issue(const struct ay_saml_claims *c, size_t n, const struct ay_saml_key *key,
			 const char *id, int64_t now_ms, struct ay_arena *arena,
			 struct ay_bytes *out, struct ay_err *e)
{
	static const char *const xs[] = { [AY_SAML_CIT] = "xs", [AY_SAML_SECL] = "xsd" };
	struct ay_saml_build b = { .c = c, .n = n, .id = id, .now_ms = now_ms };
	enum ay_rc rc = check_claims(&b, e);

	*out = (struct ay_bytes){ 0 };
	if (rc != AY_OK)
		return rc;
	b.xs = xs[c->profile];
	build_assertion(&b, key);
	sign(&b, key);
	add_key_info(&b, key);
	rc = b.failed ? ay_fail(e, AY_E_INPUT, "saml", 0, "a string is not text, or signing failed")
		      : dump(&b, arena, out, e);
	if (b.doc != NULL)
		xmlFreeDoc(b.doc);
	return rc;
}
