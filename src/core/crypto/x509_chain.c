/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/x509.h"

/* Signatures verified for one chain: a heap of same-named issuers must not cost more. */
enum { VERIFIES_MAX = 64 };

struct walk {
	const struct ay_cert *inter;
	size_t n_inter;
	const struct ay_trust_set *set;
	const struct ay_chain_policy *policy;
	const struct ay_cert *path[AY_MAX_CERT_CHAIN]; /* leaf first */
	size_t depth;
	unsigned verifies;
	const char *why; /* the last reason, for the error text */
};

static bool no(struct walk *w, const char *why)
{
	w->why = why;
	return false;
}

static bool is_usable(struct walk *w, const struct ay_cert *c)
{
	if (c->unknown_critical)
		return no(w, "a critical extension is not known");
	if (!w->policy->ignore_dates && !ay_cert_in_date(c, w->policy->now_ms))
		return no(w, "a certificate is out of date");
	if (!w->policy->allow_sha1 && c->sig_alg == AY_CERTSIG_RSA_SHA1)
		return no(w, "a certificate is signed with SHA-1");
	return true;
}

/* May c sign a certificate that has below certificates of CAs between it and the leaf? */
static bool may_sign(struct walk *w, const struct ay_cert *c, size_t below)
{
	if (c->version == 3 && !c->is_ca)
		return no(w, "an issuer is no CA");
	if (c->has_key_usage && !(c->key_usage & AY_KU_CERT_SIGN))
		return no(w, "an issuer may not sign certificates");
	if (c->path_len >= 0 && (size_t)c->path_len < below)
		return no(w, "the path is longer than an issuer allows");
	return true;
}

/* Whether a list is whole and still says how things are. */
static bool is_current(const struct ay_chain_policy *p, const struct ay_crl *crl)
{
	return !crl->is_partial &&
	       (p->ignore_dates || (crl->next_update_ms != 0 && p->now_ms <= crl->next_update_ms));
}

/* All lists of the issuer count: an older one does not hide what a newer one says. */
static bool is_revoked(struct walk *w, const struct ay_cert *c, const struct ay_pubkey *issuer)
{
	bool is_covered = false;

	if (w->policy->crl == AY_CRL_IGNORE)
		return false;
	for (size_t i = 0; i < w->set->n_crls; i++) {
		const struct ay_crl *crl = &w->set->crls[i];

		if (!ay_bytes_eq(crl->issuer, c->issuer))
			continue;
		if (w->verifies++ >= VERIFIES_MAX)
			return !no(w, "too many lists and certificates of one name");
		if (ay_crl_verify(crl, issuer, NULL) != AY_OK)
			continue;
		if (ay_crl_lists(crl, c->serial))
			return !no(w, "a certificate is revoked");
		is_covered |= is_current(w->policy, crl);
	}
	return w->policy->crl == AY_CRL_REQUIRE && !is_covered &&
	       !no(w, "no current revocation list of an issuer");
}

static bool signed_by(struct walk *w, const struct ay_cert *c, const struct ay_cert *issuer)
{
	struct ay_pubkey *key = NULL;
	bool good = false;

	if (!ay_bytes_eq(c->issuer, issuer->subject))
		return false;
	if (w->verifies++ >= VERIFIES_MAX)
		return no(w, "too many certificates with the issuer's name");
	if (ay_cert_key(issuer, &key, NULL) != AY_OK)
		return no(w, "the key of an issuer cannot be read");
	if (AY_CHECKED("EK_CHAIN_SIGNATURE", ay_cert_verify(c, key, NULL) != AY_OK))
		no(w, "signature not made by the issuer's key");
	else
		good = !is_revoked(w, c, key);
	ay_pubkey_free(key);
	return good;
}

static bool on_path(const struct walk *w, const struct ay_cert *c)
{
	for (size_t i = 0; i < w->depth; i++)
		if (ay_bytes_eq(w->path[i]->der, c->der))
			return true;
	return false;
}

static bool reaches_anchor(struct walk *w, const struct ay_cert *c)
{
	const struct ay_trust_set *s = w->set;

	for (size_t i = 0; i < s->n_anchors; i++)
		if (ay_bytes_eq(s->anchors[i].der, c->der))
			return true;
	for (size_t i = 0; i < s->n_anchors; i++) {
		const struct ay_cert *a = &s->anchors[i];

		if (signed_by(w, c, a) && may_sign(w, a, w->depth - 1) &&
		    (w->policy->ignore_dates || ay_cert_in_date(a, w->policy->now_ms) ||
		     no(w, "the trusted certificate is out of date")))
			return true;
	}
	return false;
}

/* Depth first; as deep as a chain may be long, and no certificate twice on a path. */
static bool climb(struct walk *w, const struct ay_cert *c)
{
	bool done;

	if (w->depth == AY_MAX_CERT_CHAIN)
		return no(w, "the chain is too long");
	if (!is_usable(w, c))
		return false;
	w->path[w->depth++] = c;
	done = reaches_anchor(w, c);
	for (size_t i = 0; !done && i < w->n_inter; i++)
		done = ay_bytes_eq(c->issuer, w->inter[i].subject) && !on_path(w, &w->inter[i]) &&
		       may_sign(w, &w->inter[i], w->depth - 1) && signed_by(w, c, &w->inter[i]) &&
		       climb(w, &w->inter[i]);
	w->depth--;
	return done;
}

enum ay_rc ay_chain_check(const struct ay_cert *leaf, const struct ay_cert *inter, size_t n_inter,
			  const struct ay_trust_set *set, const struct ay_chain_policy *policy,
			  struct ay_err *e)
{
	struct walk w = { .inter = inter,
			  .n_inter = n_inter,
			  .set = set,
			  .policy = policy,
			  .why = "no trusted certificate is its issuer" };

	if (!climb(&w, leaf))
		return ay_fail_code(e, AY_E_CRYPTO, policy->code ? policy->code : "EK_CHAIN",
				    "chain", "%s", w.why);
	return AY_OK;
}
