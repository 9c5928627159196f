/* SPDX-License-Identifier: Apache-2.0 */
#include "core/authz/caflow.h"

#include "core/authz/caflow12.h"
#include "core/crypto/envelope.h"
#include "core/crypto/hash.h"
#include "core/crypto/kdf.h"
#include "core/tpm/ek_template.h"

#define YEAR_MS (365LL * 24 * 3600 * 1000)
#define BACKDATE_MS (5LL * 60 * 1000) /* clocks of agents may be behind */

enum { ANSWER_MAX = 256 };

enum ay_rc ay_ca_open_request(const struct ay_ca_keys *k, struct ay_bytes sealed, uint8_t *buf,
			      size_t max, struct ay_identity_request *out, struct ay_err *e)
{
	size_t n;
	enum ay_rc rc;

	*out = (struct ay_identity_request){ 0 };
	rc = ay_envelope_open(sealed, k->encryption, k->encryption_cert, buf, max, &n, e);
	return rc == AY_OK ? ay_identity_request_parse((struct ay_bytes){ buf, n }, out, e) : rc;
}

enum ay_rc ay_ca_open_answer(const struct ay_ca_keys *k, struct ay_bytes sealed,
			     struct ay_ca_answer *out, struct ay_err *e)
{
	uint8_t buf[ANSWER_MAX];
	size_t n;
	enum ay_rc rc;

	*out = (struct ay_ca_answer){ 0 };
	rc = ay_envelope_open(sealed, k->encryption, k->encryption_cert, buf, sizeof(buf), &n, e);
	if (rc == AY_OK)
		rc = ay_ca_answer_parse((struct ay_bytes){ buf, n }, out, e);
	ay_wipe(buf, sizeof(buf));
	return rc;
}

static enum ay_rc read_public(struct ay_bytes in, const char *where, bool is_tpm12,
			      struct ay_name *name, uint8_t *copy, size_t *n, struct ay_err *e)
{
	enum ay_rc rc = AY_E_INPUT;

	if (ay_public12_looks_like(in) == is_tpm12 && in.n <= AY_MAX_PUBLIC_BYTES)
		rc = ay_any_name(in, name, e);
	if (rc != AY_OK)
		return ay_fail_code(e, rc, "CA_MALFORMED", where, "not a public area we can read");
	memcpy(copy, in.p, in.n);
	*n = in.n;
	return AY_OK;
}

static enum ay_rc identify(const struct ay_ca_keys *k, const struct ay_identity_request *q,
			   int64_t now_ms, struct ay_ca_applicant *who, struct ay_err *e)
{
	uint8_t plain[AY_MAX_IDENTITY12_BYTES];
	struct ay_bytes ak = q->ak;
	enum ay_rc rc = ay_ticket_check(q->ticket, k->ticket, k->root_pin, now_ms, &who->ticket, e);

	if (rc != AY_OK && k->ticket_old != NULL)
		rc = ay_ticket_check(q->ticket, k->ticket_old, k->root_pin, now_ms, &who->ticket,
				     e);
	if (rc != AY_OK)
		return rc;
	who->is_tpm12 = q->is_tpm12;
	if (q->is_tpm12)
		rc = ay_ca12_open(k, q->ak, who->ticket.jti, plain, sizeof(plain), &ak, e);
	if (rc == AY_OK)
		rc = read_public(ak, "identity.ak", q->is_tpm12, &who->ak_name, who->ak, &who->ak_n,
				 e);
	if (rc == AY_OK)
		rc = read_public(q->ek, "identity.ek", q->is_tpm12, &who->ek_name, who->ek,
				 &who->ek_n, e);
	if (rc != AY_OK)
		return rc;
	ay_sha256(q->ek, who->ek_hash);
	return AY_OK;
}

enum ay_rc ay_ca_identify(const struct ay_ca_keys *k, const struct ay_identity_request *q,
			  int64_t now_ms, struct ay_ca_applicant *out, struct ay_err *e)
{
	enum ay_rc rc;

	memset(out, 0, sizeof(*out));
	rc = identify(k, q, now_ms, out, e);
	if (rc != AY_OK)
		memset(out, 0, sizeof(*out));
	return rc;
}

static bool is_strong_hash(uint16_t alg)
{
	return alg == AY_ALG_SHA256 || alg == AY_ALG_SHA384 || alg == AY_ALG_SHA512;
}

static const char *ak_fault(const struct ay_public *ak)
{
	const uint32_t must = AY_OA_RESTRICTED | AY_OA_SIGN | AY_OA_FIXED_TPM | AY_OA_FIXED_PARENT |
			      AY_OA_SENSITIVE_DATA_ORIGIN;
	const uint32_t not = AY_OA_DECRYPT | AY_OA_ST_CLEAR | AY_OA_ENCRYPTED_DUPLICATION;

	if (AY_CHECKED("AK_ATTRIBUTES", (ak->attributes & must) != must))
		return "not a restricted signing key that was made in, and cannot leave, its TPM";
	if (AY_CHECKED("AK_ATTRIBUTES_CLEAR", (ak->attributes & not ) != 0))
		return "decrypts, ends with a restart, or may be duplicated";
	if (!is_strong_hash(ak->name_alg) || !is_strong_hash(ak->scheme_hash))
		return "uses a hash weaker than SHA-256";
	if (ak->sym_alg != AY_ALG_NULL)
		return "has a symmetric cipher";
	if (ak->type == AY_ALG_RSA) {
		if (ak->scheme != AY_ALG_RSASSA && ak->scheme != AY_ALG_RSAPSS)
			return "has no signing scheme";
		if (ak->key_bits < 2048 || (ak->exponent != 0 && ak->exponent != 65537))
			return "RSA of less than 2048 bits, or an exponent other than 65537";
		return NULL;
	}
	return ak->type == AY_ALG_ECC && ak->scheme == AY_ALG_ECDSA ? NULL
								    : "has no signing scheme";
}

enum ay_rc ay_ak_check(const struct ay_public *ak, struct ay_err *e)
{
	const char *why = ak_fault(ak);
	struct ay_pubkey *key = NULL;

	if (why == NULL && ay_public_key(ak, &key, NULL) != AY_OK)
		why = "its numbers are no key";
	ay_pubkey_free(key);
	if (why != NULL)
		return ay_fail_code(e, AY_E_DENIED, "AK_ATTRIBUTES", "identity.ak", "AK %s", why);
	return AY_OK;
}

enum ay_rc ay_ak_check_name(const struct ay_public *ak, struct ay_bytes name, struct ay_err *e)
{
	struct ay_name own;

	if (AY_CHECKED("AK_NAME",
		       !ay_public_name(ak, &own) || !ay_bytes_eq(ay_name_view(&own), name)))
		return ay_fail_code(e, AY_E_CRYPTO, "AK_NAME", "ak",
				    "not the Name of this public area");
	return AY_OK;
}

/* The certificates that came with the request; what does not parse is left out: it cannot help. */
static size_t load_inter(const struct ay_identity_request *q, struct ay_cert out[AY_MAX_CERT_CHAIN])
{
	struct ay_ekcert c;
	size_t n = 0;

	for (size_t i = 0; i < q->n_certs; i++)
		if (ay_ekcert_parse(q->certs[i], &c, NULL) == AY_OK)
			out[n++] = c.cert;
	return n;
}

static enum ay_rc chain_of(const struct ay_ca_policy *p, const struct ay_identity_request *q,
			   const struct ay_ekcert *cert, int64_t now_ms, enum ay_ek_grade *grade,
			   struct ay_err *e)
{
	struct ay_cert inter[AY_MAX_CERT_CHAIN];
	size_t n = load_inter(q, inter);
	struct ay_chain_policy policy = { .now_ms = now_ms,
					  .ignore_dates = p->ignore_dates,
					  .allow_sha1 = q->is_tpm12, /* makers of its time had no other */
					  .crl = p->crl };
	enum ay_rc rc =
		ay_fail_code(e, AY_E_CRYPTO, "EK_CHAIN", "chain", "no EK trust set is known");

	for (size_t i = 0; i < p->n_sets && rc != AY_OK; i++) {
		rc = ay_chain_check(&cert->cert, inter, n, &p->sets[i], &policy, e);
		if (rc == AY_OK)
			*grade = strncmp(p->sets[i].name, "vtpm", 4) == 0 ? AY_GRADE_EK_VTPM
									  : AY_GRADE_EK_CERTIFIED;
	}
	return rc;
}

static enum ay_rc judge_cert(const struct ay_ca_policy *p, const struct ay_identity_request *q,
			     const struct ay_pubkey *ek, int64_t now_ms,
			     struct ay_ca_applicant *who, struct ay_err *e)
{
	struct ay_ekcert cert;
	enum ay_rc rc;

	if (q->ek_cert.n == 0)
		return ay_fail_code(e, AY_E_DENIED, "EK_CHAIN", "identity.ekCert",
				    "the TPM has no EK certificate");
	rc = ay_ekcert_parse(q->ek_cert, &cert, e);
	if (rc == AY_OK)
		rc = ay_ekcert_check(&cert, ek, e);
	if (rc == AY_OK)
		rc = chain_of(p, q, &cert, now_ms, &who->grade, e);
	if (AY_CHECKED("EK_CHAIN", rc != AY_OK))
		return rc;
	memcpy(who->manufacturer, cert.manufacturer, sizeof(who->manufacturer));
	memcpy(who->model, cert.model, sizeof(who->model));
	memcpy(who->firmware, cert.version, sizeof(who->firmware));
	return AY_OK;
}

static enum ay_rc ek_key(struct ay_bytes in, struct ay_pubkey **key, struct ay_err *e)
{
	struct ay_public ek;
	enum ay_rc rc = ay_public_parse(in, &ek, e);

	if (rc != AY_OK)
		return ay_fail_code(e, rc, "CA_MALFORMED", "identity.ek", "not a public area");
	if (AY_CHECKED("EK_TEMPLATE", ay_ek_template_match(&ek) == NULL) ||
	    ay_public_key(&ek, key, NULL) != AY_OK)
		return ay_fail_code(e, AY_E_DENIED, "EK_TEMPLATE", "identity.ek",
				    "not made from a default template of endorsement keys");
	return AY_OK;
}

/* A certificate of another key is never talked away by an approval: somebody put it there. */
static enum ay_rc judge_ek(const struct ay_ca_policy *p, const struct ay_identity_request *q,
			   const struct ay_ca_known *known, int64_t now_ms,
			   struct ay_ca_applicant *who, struct ay_err *e)
{
	struct ay_pubkey *key = NULL;
	struct ay_err why = { 0 };
	enum ay_rc rc = q->is_tpm12 ? ay_ca12_ek(q->ek, &key, e) : ek_key(q->ek, &key, e);

	if (rc != AY_OK)
		return rc;
	rc = judge_cert(p, q, key, now_ms, who, &why);
	ay_pubkey_free(key);
	if (rc != AY_OK && strcmp(why.code, "EK_MISMATCH") != 0) {
		if (known->ek_approved)
			who->grade = AY_GRADE_EK_APPROVED;
		else if (p->tofu && q->ek_cert.n == 0)
			who->grade = AY_GRADE_EK_TOFU;
		rc = who->grade != AY_EK_GRADE_NONE ? AY_OK : rc;
	}
	if (rc != AY_OK && e != NULL)
		*e = why;
	return rc;
}

/* An enrolment token may be for certain TPMs; its ticket says which. */
static bool is_listed(const struct ay_ticket *t, const uint8_t ek_hash[32])
{
	for (size_t i = 0; i < t->n_eks; i++)
		if (memcmp(t->ek[i], ek_hash, 32) == 0)
			return true;
	return t->n_eks == 0;
}

enum ay_rc ay_ca_judge(const struct ay_ca_policy *p, const struct ay_identity_request *q,
		       const struct ay_ca_known *known, int64_t now_ms, struct ay_ca_applicant *who,
		       struct ay_err *e)
{
	struct ay_public ak;
	enum ay_rc rc;

	who->grade = AY_EK_GRADE_NONE;
	if (AY_CHECKED("EK_OTHER", known->has_ek && memcmp(known->ek_hash, who->ek_hash, 32) != 0))
		return ay_fail_code(e, AY_E_DENIED, "EK_OTHER", "identity.ek",
				    "this host is known with another endorsement key");
	if (AY_CHECKED("EK_NOT_LISTED", !is_listed(&who->ticket, who->ek_hash)))
		return ay_fail_code(e, AY_E_DENIED, "EK_NOT_LISTED", "identity.ek",
				    "the enrolment token is for other endorsement keys");
	rc = judge_ek(p, q, known, now_ms, who, e);
	if (rc != AY_OK)
		return rc;
	if (who->is_tpm12)
		return ay_ca12_ak((struct ay_bytes){ who->ak, who->ak_n }, e);
	rc = ay_public_parse(q->ak, &ak, e);
	return rc == AY_OK ? ay_ak_check(&ak, e) : rc;
}

static enum ay_rc credential(const struct ay_ca_applicant *who, struct ay_bytes value,
			     const uint8_t random[AY_CREDENTIAL_RANDOM], struct ay_writer *w,
			     struct ay_err *e)
{
	struct ay_credential c;
	struct ay_public ek;
	enum ay_rc rc;

	if (who->is_tpm12)
		return ay_ca12_credential(who, value, random, w, e);
	rc = ay_public_parse((struct ay_bytes){ who->ek, who->ek_n }, &ek, e);
	if (rc == AY_OK)
		rc = ay_credential_make(&ek, ay_name_view(&who->ak_name), value, random, &c, e);
	if (rc != AY_OK)
		return rc;
	ay_wr_vec16(w, (struct ay_bytes){ c.id_object, c.id_object_n });
	ay_wr_vec16(w, (struct ay_bytes){ c.secret, c.secret_n });
	return AY_OK;
}

enum ay_rc ay_ca_challenge(const struct ay_ca_applicant *who,
			   const uint8_t secret[AY_CA_SECRET_BYTES],
			   const uint8_t random[AY_CREDENTIAL_RANDOM], struct ay_writer *w,
			   struct ay_err *e)
{
	return credential(who, (struct ay_bytes){ secret, AY_CA_SECRET_BYTES }, random, w, e);
}

static bool fill_facts(const struct ay_ca_keys *k, const struct ay_ca_policy *p,
		       const struct ay_ca_applicant *who, struct ay_aik_facts *f)
{
	struct ay_name qualified;

	f->host = who->ticket.host;
	f->ak_name_n = who->ak_name.n;
	memcpy(f->ak_name, who->ak_name.b, who->ak_name.n);
	if (!ay_name_of_ak(ay_name_view(&who->ek_name), ay_name_view(&who->ak_name), &qualified))
		return false;
	f->ak_qualified_name_n = qualified.n;
	memcpy(f->ak_qualified_name, qualified.b, qualified.n);
	ay_hmac_sha256(AY_BYTES(k->pseudonym), ay_name_view(&who->ek_name), f->ek_pseudonym);
	f->grade = who->grade;
	memcpy(f->manufacturer, who->manufacturer, sizeof(f->manufacturer));
	memcpy(f->model, who->model, sizeof(f->model));
	memcpy(f->firmware, who->firmware, sizeof(f->firmware));
	memcpy(f->ticket, who->ticket.jti, sizeof(f->ticket));
	f->has_ek = p->reveal_ek;
	memcpy(f->ek_hash, who->ek_hash, sizeof(f->ek_hash));
	return true;
}

static enum ay_rc make_cert(const struct ay_ca_keys *k, const struct ay_ca_policy *p,
			    const struct ay_ca_applicant *who, const uint8_t serial[16],
			    int64_t now_ms, uint8_t *cert, size_t max, size_t *n, struct ay_err *e)
{
	struct ay_aik_issuer by = { .key = k->issuer, .cert = k->issuer_cert };
	int64_t life = p->aik_life_ms < YEAR_MS ? p->aik_life_ms : YEAR_MS;
	/* Clocks differ; a short life is not eaten up by it. */
	int64_t from = now_ms - (life / 10 < BACKDATE_MS ? life / 10 : BACKDATE_MS);
	struct ay_aik_facts facts = { 0 };
	struct ay_pubkey *key = NULL;
	struct ay_name name;
	enum ay_rc rc = ay_any_public((struct ay_bytes){ who->ak, who->ak_n }, &key, &name, e);

	*n = 0;
	if (rc == AY_OK && (who->grade == AY_EK_GRADE_NONE || !fill_facts(k, p, who, &facts)))
		rc = ay_fail(e, AY_E_BUG, "issue", 0, "the applicant was not judged");
	if (rc == AY_OK)
		rc = ay_aikcert_issue(&by, key, &facts, serial, from, from + life, cert, max, n, e);
	ay_pubkey_free(key);
	return rc;
}

enum ay_rc ay_ca_issue(const struct ay_ca_keys *k, const struct ay_ca_policy *p,
		       const struct ay_ca_applicant *who, const struct ay_ca_random *random,
		       int64_t now_ms, struct ay_writer *w, uint8_t *cert, size_t max, size_t *n,
		       struct ay_err *e)
{
	uint8_t sealed[AY_MAX_CERT_BYTES];
	size_t sealed_n;
	enum ay_rc rc = make_cert(k, p, who, random->serial, now_ms, cert, max, n, e);

	if (rc == AY_OK)
		rc = ay_aik_seal(AY_BYTES(random->k0), random->iv, (struct ay_bytes){ cert, *n },
				 ay_name_view(&who->ak_name), sealed, sizeof(sealed), &sealed_n, e);
	if (rc == AY_OK)
		rc = credential(who, AY_BYTES(random->k0), random->credential, w, e);
	if (rc != AY_OK)
		return rc;
	ay_wr_bytes(w, AY_BYTES(random->iv));
	ay_wr_vec16(w, (struct ay_bytes){ sealed, sealed_n });
	return AY_OK;
}
