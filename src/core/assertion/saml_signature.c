/* SPDX-License-Identifier: Apache-2.0 */
#include "core/assertion/saml_key.h"
#include "core/assertion/saml_names.h"
#include "core/assertion/saml_parts.h"
#include "core/base/base64.h"

#include <openssl/x509v3.h>
#include <xmlsec/crypto.h>
#include <xmlsec/xmldsig.h>

/* Certificates of KeyInfo, in their order. */
struct embedded {
	size_t n;
	X509 *cert[AY_SAML_CERTS];
};

static enum ay_rc key_fail(struct ay_err *e, const char *text)
{
	return ay_saml_refuse(e, AY_E_CRYPTO, "SAML_KEY", "saml.KeyInfo", text);
}

static void embedded_fini(struct embedded *s)
{
	for (size_t i = 0; i < s->n; i++)
		X509_free(s->cert[i]);
}

/* Base64 with blanks and line ends, as certificates are written in XML. */
static X509 *read_cert(const xmlNode *n)
{
	char text[2 * AY_MAX_CERT_BYTES];
	uint8_t der[AY_MAX_CERT_BYTES];
	const uint8_t *p = der;
	const xmlChar *s = n->children == NULL ? NULL : n->children->content;
	size_t at = 0, n_der;

	for (; s != NULL && *s != '\0' && at < sizeof(text); s++)
		if (*s != '\n' && *s != '\r' && *s != ' ' && *s != '\t')
			text[at++] = (char)*s;
	if (at == 0 || at == sizeof(text) ||
	    ay_base64_decode(AY_BASE64_STD, (struct ay_bytes){ (const uint8_t *)text, at }, "cert",
			     der, sizeof(der), &n_der, NULL) != AY_OK)
		return NULL;
	return d2i_X509(NULL, &p, (long)n_der);
}

static enum ay_rc read_embedded(const xmlNode *data, struct embedded *out, struct ay_err *e)
{
	for (xmlNodePtr n = ay_saml_next(data->children); n != NULL; n = ay_saml_next(n->next)) {
		if (!ay_saml_is(n, AY_NS_DSIG, "X509Certificate"))
			continue; /* names of a certificate count for nothing */
		if (out->n == AY_SAML_CERTS)
			return key_fail(e, "too many certificates");
		out->cert[out->n] = read_cert(n);
		if (out->cert[out->n] == NULL)
			return key_fail(e, "a certificate cannot be read");
		out->n++;
	}
	return AY_OK;
}

static enum ay_rc read_key_info(const xmlNode *signature, struct embedded *out, struct ay_err *e)
{
	xmlNodePtr info = ay_saml_child(signature, AY_NS_DSIG, "KeyInfo");
	enum ay_rc rc = AY_OK;

	for (xmlNodePtr n = info == NULL ? NULL : ay_saml_next(info->children);
	     n != NULL && rc == AY_OK; n = ay_saml_next(n->next)) {
		if (AY_CHECKED("SAML_KEY", !ay_saml_is(n, AY_NS_DSIG, "X509Data")))
			return key_fail(e, "KeyInfo holds more than certificates");
		if (ay_saml_is(n, AY_NS_DSIG, "X509Data"))
			rc = read_embedded(n, out, e);
	}
	return rc;
}

/* A certificate for TLS, or for an AK, may not sign assertions, though the same root stands above.
 */
static bool may_sign_assertions(X509 *cert)
{
	uint32_t flags = X509_get_extension_flags(cert);

	if ((flags & EXFLAG_CA) != 0)
		return false;
	if ((flags & EXFLAG_XKUSAGE) != 0 && (X509_get_extended_key_usage(cert) & XKU_ANYEKU) == 0)
		return false;
	return (X509_get_key_usage(cert) & X509v3_KU_DIGITAL_SIGNATURE) != 0;
}

static bool chains_to(X509 *pinned, const struct embedded *s, int64_t now_ms)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *others = sk_X509_new_null();
	bool ok = false;

	for (size_t i = 1; others != NULL && i < s->n; i++)
		(void)sk_X509_push(others, s->cert[i]);
	if (store != NULL && ctx != NULL && others != NULL &&
	    X509_STORE_add_cert(store, pinned) == 1 &&
	    X509_STORE_CTX_init(ctx, store, s->cert[0], others) == 1) {
		X509_STORE_CTX_set_time(ctx, 0, (time_t)(now_ms / 1000));
		X509_VERIFY_PARAM_set_purpose(X509_STORE_CTX_get0_param(ctx), X509_PURPOSE_ANY);
		ok = X509_verify_cert(ctx) == 1;
	}
	sk_X509_free(others);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return ok;
}

/* The certificate whose key must have signed: borrowed from pinned or s. */
static enum ay_rc choose(X509 *pinned, const struct embedded *s, int64_t now_ms, X509 **out,
			 struct ay_err *e)
{
	*out = pinned;
	if (s->n == 0 || X509_cmp(s->cert[0], pinned) == 0)
		return AY_OK;
	if (X509_check_ca(pinned) >= 1 && may_sign_assertions(s->cert[0]) &&
	    chains_to(pinned, s, now_ms)) {
		*out = s->cert[0];
		return AY_OK;
	}
	if (AY_CHECKED("SAML_KEY", true))
		return key_fail(e, "the embedded certificate is not the pinned one");
	return AY_OK;
}

static bool verify_with(const struct ay_saml_doc *d, xmlSecKeyPtr key)
{
	xmlSecDSigCtxPtr ctx = xmlSecDSigCtxCreate(NULL);
	bool ok = false;

	if (ctx == NULL) {
		xmlSecKeyDestroy(key);
		return false;
	}
	ctx->signKey = key; /* KeyInfo is not looked at when the key is given; freed with ctx */
	ctx->enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
	ctx->flags |= XMLSEC_DSIG_FLAGS_IGNORE_MANIFESTS;
	if (xmlSecDSigCtxVerify(ctx, d->signature) == 0 && ctx->status == xmlSecDSigStatusSucceeded)
		ok = xmlSecPtrListGetSize(&ctx->signedInfoReferences) == 1;
	xmlSecDSigCtxDestroy(ctx);
	return ok;
}

static enum ay_rc verify_by(const struct ay_saml_doc *d, X509 *cert, struct ay_err *e)
{
	EVP_PKEY *pub = X509_get0_pubkey(cert);
	xmlSecKeyPtr key = pub == NULL ? NULL : ay_saml_xmlsec_key(pub);
	xmlAttrPtr id = xmlHasNsProp(d->root, ay_x("ID"), NULL);
	bool ok;

	if (key == NULL)
		return key_fail(e, "the pinned key is of a kind or size that we do not accept");
	if (xmlGetID(d->root->doc, d->id) == NULL &&
	    xmlAddID(NULL, d->root->doc, d->id, id) == NULL) {
		xmlSecKeyDestroy(key);
		return ay_fail(e, AY_E_NOMEM, "saml", 0, "out of memory");
	}
	ok = verify_with(d, key);
	if (AY_CHECKED("SAML_SIGNATURE", !ok))
		return ay_saml_refuse(e, AY_E_CRYPTO, "SAML_SIGNATURE", "saml.Signature",
				      "is not valid under the pinned certificate");
	return AY_OK;
}

enum ay_rc ay_saml_check_signature(const struct ay_saml_doc *d, const struct ay_saml_expect *want,
				   struct ay_err *e)
{
	const uint8_t *p = want->cert.p;
	X509 *pinned = d2i_X509(NULL, &p, (long)want->cert.n), *signer;
	struct embedded s = { 0 };
	enum ay_rc rc;

	if (pinned == NULL)
		return ay_fail(e, AY_E_INPUT, "certificate", 0, "is no certificate");
	rc = read_key_info(d->signature, &s, e);
	if (rc == AY_OK)
		rc = choose(pinned, &s, want->now_ms, &signer, e);
	if (rc == AY_OK)
		rc = verify_by(d, signer, e);
	embedded_fini(&s);
	X509_free(pinned);
	return rc;
}
