/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/aikcert.h"

#include "core/base/hex.h"
#include "core/crypto/der.h"
#include "core/crypto/oids.h"
#include "core/crypto/text.h"
#include "core/tpm/public.h"

static const char *const grade_names[] = {
	[AY_EK_GRADE_NONE] = "",
	[AY_GRADE_EK_TOFU] = "ek_tofu",
	[AY_GRADE_EK_VTPM] = "ek_vtpm",
	[AY_GRADE_EK_APPROVED] = "ek_approved",
	[AY_GRADE_EK_CERTIFIED] = "ek_certified",
};

const char *ay_ek_grade_name(enum ay_ek_grade g)
{
	return (size_t)g < AY_COUNT(grade_names) ? grade_names[g] : "";
}

enum ay_ek_grade ay_ek_grade_from_name(struct ay_bytes name)
{
	for (size_t i = 1; i < AY_COUNT(grade_names); i++)
		if (ay_bytes_eq(name, ay_bytes_of(grade_names[i])))
			return (enum ay_ek_grade)i;
	return AY_EK_GRADE_NONE;
}

/* A Name in hex: algorithm and a digest of its size. */
static void read_name(struct ay_reader *r, const char *field, uint8_t out[AY_NAME_MAX], size_t *n)
{
	struct ay_bytes hex = ay_text_quoted(r, field, 2 * AY_NAME_MAX);

	if (!ay_rd_ok(r))
		return;
	*n = hex.n / 2;
	if (hex.n % 2 != 0 || ay_hex_decode(hex, field, out, *n, NULL) != AY_OK ||
	    !ay_name_is_valid((struct ay_bytes){ out, *n }))
		ay_rd_reject(r, field, "not a Name");
}

static enum ay_rc read_facts(struct ay_bytes json, struct ay_aik_facts *f, struct ay_err *e)
{
	struct ay_reader r;
	uint8_t jti[16];

	ay_rd_init(&r, json);
	ay_text_expect(&r, "aik.ak_name", "{\"ak_name\":\"");
	read_name(&r, "aik.ak_name", f->ak_name, &f->ak_name_n);
	ay_text_expect(&r, "aik.ak_qualified_name", ",\"ak_qualified_name\":\"");
	read_name(&r, "aik.ak_qualified_name", f->ak_qualified_name, &f->ak_qualified_name_n);
	ay_text_expect(&r, "aik.ek_pseudonym", ",\"ek_pseudonym\":\"");
	ay_text_hex(&r, "aik.ek_pseudonym", f->ek_pseudonym, 32);
	ay_text_expect(&r, "aik.grade", ",\"grade\":\"");
	f->grade = ay_ek_grade_from_name(ay_text_quoted(&r, "aik.grade", 16));
	if (f->grade == AY_EK_GRADE_NONE)
		ay_rd_reject(&r, "aik.grade", "not a grade");
	ay_text_expect(&r, "aik.manufacturer", ",\"manufacturer\":\"");
	ay_text_copy(&r, "aik.manufacturer", f->manufacturer, sizeof(f->manufacturer));
	ay_text_expect(&r, "aik.model", ",\"model\":\"");
	ay_text_copy(&r, "aik.model", f->model, sizeof(f->model));
	ay_text_expect(&r, "aik.firmware", ",\"firmware\":\"");
	ay_text_copy(&r, "aik.firmware", f->firmware, sizeof(f->firmware));
	ay_text_expect(&r, "aik.ticket", ",\"ticket\":\"");
	ay_text_hex(&r, "aik.ticket", jti, sizeof(jti));
	ay_hex_encode(AY_BYTES(jti), f->ticket);
	f->has_ek = ay_text_expect_if(&r, "aik.ek", ",\"ek\":\"");
	if (f->has_ek)
		ay_text_hex(&r, "aik.ek", f->ek_hash, 32);
	ay_text_expect(&r, "aik", "}");
	return ay_rd_end(&r, "aik", e);
}

/* SAN: exactly one URI, urn:uuid: and the host id in lower case; critical, as the subject is empty.
 */
static enum ay_rc read_host(const struct ay_cert *c, struct ay_uuid *out, struct ay_err *e)
{
	struct ay_reader r, names, uri;
	struct ay_bytes text;
	bool critical = false;

	ay_rd_init(&r, ay_cert_extension(c, AY_OID(AY_OID_SUBJECT_ALT_NAME), &critical));
	ay_der_enter(&r, "san", AY_DER_SEQUENCE, &names);
	ay_der_enter(&names, "san.uri", AY_DER_CONTEXT | 6, &uri);
	ay_text_expect(&uri, "san.uri", "urn:uuid:");
	text = ay_rd_rest(&uri, "san.uri");
	ay_rd_window_end(&names, "san");
	if (ay_rd_end(&r, "san", e) != AY_OK)
		return AY_E_INPUT;
	if (!critical || !c->subject_empty)
		return ay_fail(e, AY_E_INPUT, "san", 0,
			       "not critical, or the subject is not empty");
	return ay_uuid_parse(text, "san.uri", out, e);
}

static enum ay_rc parse(struct ay_bytes der, struct ay_aikcert *a, struct ay_err *e)
{
	struct ay_reader r;
	struct ay_bytes text;
	bool critical = false;
	enum ay_rc rc = ay_cert_parse(der, &a->cert, e);

	if (rc != AY_OK)
		return rc;
	if (!ay_cert_has_eku(&a->cert, AY_OID(AY_OID_KP_AIK), &critical) || !critical)
		return ay_fail(e, AY_E_INPUT, "extendedKeyUsage", 0, "not for an AIK");
	rc = read_host(&a->cert, &a->facts.host, e);
	if (rc != AY_OK)
		return rc;
	ay_rd_init(&r, ay_cert_extension(&a->cert, AY_OID(AY_OID_AIK_FACTS), NULL));
	text = ay_der_get(&r, "aik", AY_DER_UTF8);
	rc = ay_rd_end(&r, "aik", e);
	return rc == AY_OK ? read_facts(text, &a->facts, e) : rc;
}

enum ay_rc ay_aikcert_parse(struct ay_bytes der, struct ay_aikcert *out, struct ay_err *e)
{
	struct ay_aikcert a = { 0 };
	enum ay_rc rc = parse(der, &a, e);

	*out = rc == AY_OK ? a : (struct ay_aikcert){ 0 };
	if (rc != AY_OK && e != NULL)
		e->code[0] = '\0';
	return ay_err_coded(e, rc, "AIK_CERT");
}

/* The certificates of the CA, root first found by its pin; others are intermediates. */
struct ca_set {
	struct ay_cert cert[AY_MAX_CERT_CHAIN];
	size_t n;
	struct ay_cert root;
	bool has_root;
};

static enum ay_rc load_ca(const struct ay_aikcert_want *w, struct ca_set *s, struct ay_err *e)
{
	uint8_t hash[32];

	if (w->n_chain > AY_MAX_CERT_CHAIN)
		return ay_fail(e, AY_E_LIMIT, "chain", 0, "%zu certificates", w->n_chain);
	for (size_t i = 0; i < w->n_chain; i++) {
		enum ay_rc rc = ay_cert_parse(w->chain[i], &s->cert[s->n], e);

		if (rc != AY_OK)
			return rc;
		ay_cert_spki_hash(&s->cert[s->n], hash);
		if (memcmp(hash, w->pin, 32) == 0) {
			s->root = s->cert[s->n];
			s->has_root = true;
		} else {
			s->n++;
		}
	}
	if (!s->has_root)
		return ay_fail(e, AY_E_CRYPTO, "chain", 0, "no certificate with the pinned key");
	return AY_OK;
}

static enum ay_rc check_chain(const struct ay_aikcert_want *w, const struct ay_cert *leaf,
			      struct ay_err *e)
{
	struct ca_set s = { 0 };
	struct ay_crl crl;
	struct ay_trust_set set = { .name = "ca", .anchors = &s.root, .n_anchors = 1 };
	struct ay_chain_policy policy = { .now_ms = w->now_ms,
					  .code = "AIK_CERT",
					  .crl = AY_CRL_IF_PRESENT };
	enum ay_rc rc = load_ca(w, &s, e);

	if (rc == AY_OK && w->crl.n > 0) {
		rc = ay_crl_parse(w->crl, &crl, e);
		set.crls = &crl;
		set.n_crls = 1;
	}
	return rc == AY_OK ? ay_chain_check(leaf, s.cert, s.n, &set, &policy, e) : rc;
}

static enum ay_rc check(const struct ay_aikcert_want *w, const struct ay_aikcert *a,
			struct ay_err *e)
{
	enum ay_rc rc = check_chain(w, &a->cert, e);

	if (AY_CHECKED("AIK_CERT_CHAIN", rc != AY_OK))
		return rc;
	if (a->cert.is_ca)
		return ay_fail(e, AY_E_CRYPTO, "aik.basicConstraints", 0, "is a CA");
	if (AY_CHECKED("AIK_CERT_HOST",
		       w->host != NULL && memcmp(w->host->b, a->facts.host.b, 16) != 0))
		return ay_fail(e, AY_E_CRYPTO, "aik.host", 0, "of another host");
	if (AY_CHECKED("AIK_CERT_TICKET",
		       w->ticket != NULL && strcmp(w->ticket, a->facts.ticket) != 0))
		return ay_fail(e, AY_E_CRYPTO, "aik.ticket", 0, "made for another ticket");
	return AY_OK;
}

enum ay_rc ay_aikcert_check(struct ay_bytes der, const struct ay_aikcert_want *want,
			    struct ay_aikcert *out, struct ay_err *e)
{
	struct ay_aikcert a;
	enum ay_rc rc = ay_aikcert_parse(der, &a, e);

	*out = (struct ay_aikcert){ 0 };
	if (rc == AY_OK)
		rc = check(want, &a, e);
	if (rc == AY_OK) {
		*out = a;
		return AY_OK;
	}
	if (e != NULL)
		e->code[0] = '\0';
	return ay_err_coded(e, rc, "AIK_CERT");
}
