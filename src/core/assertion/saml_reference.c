/* SPDX-License-Identifier: Apache-2.0 */
#include "core/assertion/saml_names.h"
#include "core/assertion/saml_parts.h"

#define C14N "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"

/* Canonicalisations: comments are refused before, so both kinds come to the same. */
static const char *const c14ns[] = { AY_NS_EXC_C14N, AY_NS_EXC_C14N "WithComments", C14N,
				     C14N "#WithComments", NULL };
static const char *const signatures[] = { "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
					  "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
					  "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
					  "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
					  "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
					  NULL };
static const char *const digests[] = { "http://www.w3.org/2001/04/xmlenc#sha256",
				       "http://www.w3.org/2001/04/xmldsig-more#sha384",
				       "http://www.w3.org/2001/04/xmlenc#sha512", NULL };
/* Accepted only for CIT's own assertions, and reported after the signature was checked. */
static const char *const weak_signatures[] = { AY_NS_DSIG "rsa-sha1", NULL };
static const char *const weak_digests[] = { AY_NS_DSIG "sha1", NULL };

static bool is_one_of(const xmlChar *uri, const char *const list[])
{
	for (size_t i = 0; uri != NULL && list[i] != NULL; i++)
		if (xmlStrEqual(uri, ay_x(list[i])))
			return true;
	return false;
}

static enum ay_rc reference_fail(struct ay_err *e, const char *text)
{
	return ay_saml_refuse(e, AY_E_CRYPTO, "SAML_REFERENCE", "saml.Reference", text);
}

static enum ay_rc algorithm_fail(struct ay_err *e, const char *where, const char *text)
{
	return ay_saml_refuse(e, AY_E_CRYPTO, "SAML_ALGORITHM", where, text);
}

/* The enveloped-signature transform once, a canonicalisation at most once, nothing else. */
static enum ay_rc check_transforms(const xmlNode *ref, struct ay_err *e)
{
	xmlNodePtr list = ay_saml_child(ref, AY_NS_DSIG, "Transforms");
	size_t n_enveloped = 0, n_c14n = 0, n = 0;

	for (xmlNodePtr t = list == NULL ? NULL : ay_saml_next(list->children); t != NULL;
	     t = ay_saml_next(t->next)) {
		const xmlChar *alg = ay_saml_attr(t, "Algorithm");

		n++;
		n_enveloped += xmlStrEqual(alg, ay_x(AY_NS_DSIG "enveloped-signature"));
		n_c14n += is_one_of(alg, c14ns);
	}
	if (AY_CHECKED("SAML_REFERENCE",
		       n_enveloped != 1 || n_c14n > 1 || n != n_enveloped + n_c14n))
		return reference_fail(
			e, "transforms other than enveloped signature and canonicalisation");
	return AY_OK;
}

static enum ay_rc check_digest(struct ay_saml_doc *d, const xmlNode *ref, struct ay_err *e)
{
	const xmlChar *alg =
		ay_saml_attr(ay_saml_child(ref, AY_NS_DSIG, "DigestMethod"), "Algorithm");

	if (is_one_of(alg, weak_digests))
		d->is_weak = true;
	else if (AY_CHECKED("SAML_ALGORITHM", !is_one_of(alg, digests)))
		return algorithm_fail(e, "saml.DigestMethod", "digest is not SHA-2");
	return AY_OK;
}

static size_t count_children(const xmlNode *parent, const char *name)
{
	size_t n = 0;

	for (xmlNodePtr c = ay_saml_next(parent->children); c != NULL; c = ay_saml_next(c->next))
		n += ay_saml_is(c, AY_NS_DSIG, name);
	return n;
}

static enum ay_rc check_methods(struct ay_saml_doc *d, const xmlNode *info, struct ay_err *e)
{
	xmlNodePtr method = ay_saml_child(info, AY_NS_DSIG, "SignatureMethod");
	const xmlChar *c14n = ay_saml_attr(
		ay_saml_child(info, AY_NS_DSIG, "CanonicalizationMethod"), "Algorithm");
	const xmlChar *alg = ay_saml_attr(method, "Algorithm");

	if (!is_one_of(c14n, c14ns))
		return algorithm_fail(e, "saml.CanonicalizationMethod", "unknown canonicalisation");
	if (is_one_of(alg, weak_signatures))
		d->is_weak = true;
	else if (AY_CHECKED("SAML_ALGORITHM", !is_one_of(alg, signatures)))
		return algorithm_fail(e, "saml.SignatureMethod",
				      "signature is not ECDSA or RSA with SHA-2");
	/* HMACOutputLength and other parameters. */
	if (AY_CHECKED("SAML_ALGORITHM", ay_saml_next(method->children) != NULL))
		return algorithm_fail(e, "saml.SignatureMethod", "signature method has parameters");
	return AY_OK;
}

enum ay_rc ay_saml_check_reference(struct ay_saml_doc *d, struct ay_err *e)
{
	xmlNodePtr info = ay_saml_child(d->signature, AY_NS_DSIG, "SignedInfo"), ref;
	const xmlChar *uri;
	enum ay_rc rc;

	if (info == NULL || count_children(d->signature, "SignedInfo") != 1)
		return reference_fail(e, "not exactly one SignedInfo");
	if (AY_CHECKED("SAML_REFERENCE", count_children(info, "Reference") != 1))
		return reference_fail(e, "not exactly one Reference");
	ref = ay_saml_child(info, AY_NS_DSIG, "Reference");
	uri = ay_saml_attr(ref, "URI");
	if (AY_CHECKED("SAML_REFERENCE",
		       uri == NULL || uri[0] != '#' || !xmlStrEqual(uri + 1, d->id)))
		return reference_fail(e, "does not refer to the assertion");
	if (AY_CHECKED("SAML_REFERENCE", count_children(d->signature, "Object") != 0))
		return reference_fail(e, "the signature holds an Object");
	rc = check_transforms(ref, e);
	if (rc != AY_OK)
		return rc;
	rc = check_methods(d, info, e);
	if (rc != AY_OK)
		return rc;
	return check_digest(d, ref, e);
}
