/* SPDX-License-Identifier: Apache-2.0 */
#include "core/authz/caflow12.h"

enum ay_rc ay_ca12_ak(struct ay_bytes pub, struct ay_err *e)
{
	struct ay_public12 k;
	enum ay_rc rc = ay_public12_parse(pub, &k, e);
	const char *why;

	if (rc != AY_OK)
		return ay_fail_code(e, rc, "CA_MALFORMED", "identity.ak", "not a TPM_PUBKEY");
	why = ay_ak12_fault(&k);
	if (AY_CHECKED("AK12_ATTRIBUTES", why != NULL))
		return ay_fail_code(e, AY_E_DENIED, "AK_ATTRIBUTES", "identity.ak", "AK is %s",
				    why);
	return AY_OK;
}

static enum ay_rc check_proof(const struct ay_ca_keys *k, const struct ay_proof12 *p,
			      const char *jti, struct ay_err *e)
{
	struct ay_pubkey *ak = NULL;
	struct ay_name name;
	enum ay_rc rc = ay_ca12_ak(p->ak, e);

	if (rc != AY_OK)
		return rc;
	if (AY_CHECKED("AK12_LABEL", !ay_bytes_eq(p->label, ay_bytes_of(jti))))
		return ay_fail_code(e, AY_E_DENIED, "AK_BINDING", "identity.ak",
				    "the key was made for another ticket");
	rc = ay_any_public(p->ak, &ak, &name, e);
	if (rc != AY_OK)
		return ay_fail_code(e, rc, "AK_ATTRIBUTES", "identity.ak",
				    "its numbers are no key");
	rc = ay_proof12_check(p, ak, ay_rsakey_public(k->identity), e);
	ay_pubkey_free(ak);
	return ay_err_coded(e, rc, "AK_BINDING");
}

enum ay_rc ay_ca12_open(const struct ay_ca_keys *k, struct ay_bytes request, const char *jti,
			uint8_t *buf, size_t max, struct ay_bytes *ak, struct ay_err *e)
{
	struct ay_proof12 p;
	enum ay_rc rc;

	*ak = (struct ay_bytes){ 0 };
	if (k->identity == NULL)
		return ay_fail_code(e, AY_E_UNAVAIL, "CA_NO_TPM12", "identity",
				    "this Privacy CA has no key for TPM 1.2");
	rc = ay_idreq12_open(request, k->identity, AY_BYTES(k->pseudonym), buf, max, &p, e);
	if (rc != AY_OK)
		return ay_err_coded(e, rc, "CA_MALFORMED");
	rc = check_proof(k, &p, jti, e);
	if (rc == AY_OK)
		*ak = p.ak;
	return rc;
}

enum ay_rc ay_ca12_ek(struct ay_bytes pub, struct ay_pubkey **key, struct ay_err *e)
{
	struct ay_public12 k;
	enum ay_rc rc = ay_public12_parse(pub, &k, e);

	*key = NULL;
	if (rc != AY_OK)
		return ay_fail_code(e, rc, "CA_MALFORMED", "identity.ek", "not a TPM_PUBKEY");
	if (AY_CHECKED("EK12_TEMPLATE", ay_ek12_fault(&k) != NULL) ||
	    ay_public12_key(&k, key, NULL) != AY_OK)
		return ay_fail_code(e, AY_E_DENIED, "EK_TEMPLATE", "identity.ek",
				    "not an endorsement key of a TPM 1.2");
	return AY_OK;
}

enum ay_rc ay_ca12_credential(const struct ay_ca_applicant *who, struct ay_bytes value,
			      const uint8_t random[AY_CREDENTIAL_RANDOM], struct ay_writer *w,
			      struct ay_err *e)
{
	struct ay_credential12_random r;
	struct ay_credential12 c;
	struct ay_public12 ak;
	struct ay_pubkey *ek = NULL;
	uint8_t digest[20];
	enum ay_rc rc = ay_ca12_ek((struct ay_bytes){ who->ek, who->ek_n }, &ek, e);

	_Static_assert(sizeof(r) <= AY_CREDENTIAL_RANDOM, "enough of it");
	memcpy(&r, random, sizeof(r));
	if (rc == AY_OK)
		rc = ay_public12_parse((struct ay_bytes){ who->ak, who->ak_n }, &ak, e);
	if (rc == AY_OK && !ay_public12_digest(&ak, digest))
		rc = ay_fail(e, AY_E_BUG, "credential", 0, "no SHA-1");
	if (rc == AY_OK)
		rc = ay_credential12_make(ek, digest, value, &r, &c, e);
	ay_pubkey_free(ek);
	ay_wipe(&r, sizeof(r));
	if (rc != AY_OK)
		return rc;
	ay_wr_vec16(w, (struct ay_bytes){ c.sym, c.sym_n });
	ay_wr_vec16(w, (struct ay_bytes){ c.asym, c.asym_n });
	return AY_OK;
}
