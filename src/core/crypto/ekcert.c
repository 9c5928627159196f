/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/ekcert.h"

#include "core/crypto/der.h"
#include "core/crypto/oids.h"

/* TPM 1.2 NV form [PCCLIENT 7.3.2]: tag, type (0: full certificate), length, inner tag. */
enum { NV_TAG = 0x1001, NV_FULL = 0, NV_INNER = 0x1002 };

/*
 * Between the octets of NV and the DER: an optional header before it, an
 * optional run of one repeated octet after it. Nothing else.
 */
static struct ay_bytes unwrap(struct ay_reader *r, struct ay_bytes nv, uint32_t *flags)
{
	struct ay_reader in;
	struct ay_bytes der, rest;
	size_t n;

	if (nv.n > 1 && nv.p[0] == NV_TAG >> 8 && nv.p[1] == (NV_TAG & 0xff)) {
		ay_rd_be16(r, "nv.tag");
		if (ay_rd_u8(r, "nv.type") != NV_FULL)
			ay_rd_reject(r, "nv.type", "not a full certificate");
		n = ay_rd_be16(r, "nv.length");
		if (ay_rd_be16(r, "nv.innerTag") != NV_INNER || n < 2)
			ay_rd_reject(r, "nv.innerTag", "not a full certificate");
		ay_rd_window(r, "nv.certificate", ay_rd_ok(r) ? n - 2 : 0, &in);
		der = ay_der_whole(&in, "certificate.sequence");
		ay_rd_window_end(&in, "nv.certificate");
		*flags |= AY_CERT_NV_HEADER;
	} else {
		der = ay_der_whole(r, "certificate.sequence");
	}
	rest = ay_rd_rest(r, "nv.padding");
	for (size_t i = 1; i < rest.n; i++)
		if (rest.p[i] != rest.p[0])
			ay_rd_reject(r, "nv.padding", "more than one repeated octet");
	*flags |= rest.n > 0 ? AY_CERT_NV_PADDING : 0;
	return der;
}

/* Text of any string type: printable ASCII, everything else '?'; quotes too, it goes into JSON. */
static void copy_text(struct ay_bytes b, char out[AY_EK_TEXT_MAX])
{
	size_t n = b.n < AY_EK_TEXT_MAX - 1 ? b.n : AY_EK_TEXT_MAX - 1;

	for (size_t i = 0; i < n; i++) {
		uint8_t c = b.p[i];

		out[i] = (char)(c < 0x20 || c > 0x7e || c == '"' || c == '\\' ? '?' : c);
	}
	out[n] = '\0';
}

static void read_attribute(struct ay_reader *set, struct ay_ekcert *c)
{
	struct ay_reader seq;
	struct ay_bytes oid, value;
	uint8_t tag;

	ay_der_enter(set, "san.attribute", AY_DER_SEQUENCE, &seq);
	oid = ay_der_get(&seq, "san.attribute.type", AY_DER_OID);
	tag = ay_der_peek(&seq);
	value = ay_der_get(&seq, "san.attribute.value", tag);
	ay_rd_window_end(&seq, "san.attribute");
	if (!ay_rd_ok(set))
		return;
	if (ay_bytes_eq(oid, AY_OID(AY_OID_TPM_MANUFACTURER)))
		copy_text(value, c->manufacturer);
	else if (ay_bytes_eq(oid, AY_OID(AY_OID_TPM_MODEL)))
		copy_text(value, c->model);
	else if (ay_bytes_eq(oid, AY_OID(AY_OID_TPM_VERSION)))
		copy_text(value, c->version);
}

/* GeneralNames; only a directoryName [4] tells about the TPM [TCG-EK 3.2.9]. */
static enum ay_rc read_san(struct ay_bytes san, struct ay_ekcert *c, struct ay_err *e)
{
	struct ay_reader r, names, dir, rdns, set;

	ay_rd_init(&r, san);
	ay_der_enter(&r, "san", AY_DER_SEQUENCE, &names);
	while (ay_rd_left(&names) > 0) {
		if (!ay_der_enter_if(&names, "san.directoryName", AY_DER_CONTEXT_CONS | 4, &dir)) {
			ay_der_whole(&names, "san.name");
			continue;
		}
		ay_der_enter(&dir, "san.directoryName", AY_DER_SEQUENCE, &rdns);
		while (ay_rd_left(&rdns) > 0) {
			ay_der_enter(&rdns, "san.rdn", AY_DER_SET, &set);
			while (ay_rd_left(&set) > 0)
				read_attribute(&set, c);
		}
		ay_rd_window_end(&dir, "san.directoryName");
	}
	return ay_rd_end(&r, "san", e);
}

static void note_key_type(struct ay_ekcert *c)
{
	struct ay_reader r, spki, alg;

	ay_rd_init(&r, c->cert.spki);
	ay_der_enter(&r, "spki", AY_DER_SEQUENCE, &spki);
	ay_der_enter(&spki, "spki.algorithm", AY_DER_SEQUENCE, &alg);
	if (ay_bytes_eq(ay_der_get(&alg, "spki.algorithm", AY_DER_OID), AY_OID(AY_OID_RSAES_OAEP)))
		c->cert.flags |= AY_CERT_RSAES_OAEP;
}

enum ay_rc ay_ekcert_parse(struct ay_bytes nv, struct ay_ekcert *out, struct ay_err *e)
{
	struct ay_reader r;
	struct ay_ekcert c = { 0 };
	struct ay_bytes der, san;
	uint32_t flags = 0;
	enum ay_rc rc;

	*out = (struct ay_ekcert){ 0 };
	if (nv.n > AY_MAX_CERT_BYTES)
		return ay_fail_code(e, AY_E_LIMIT, "CERT_LIMIT", "nv", "%zu bytes, the limit is %d",
				    nv.n, AY_MAX_CERT_BYTES);
	ay_rd_init(&r, nv);
	der = unwrap(&r, nv, &flags);
	if (ay_rd_end(&r, "nv", e) != AY_OK)
		return ay_err_coded(e, AY_E_INPUT, "CERT_MALFORMED");
	rc = ay_cert_parse(der, &c.cert, e);
	if (rc != AY_OK)
		return rc;
	san = ay_cert_extension(&c.cert, AY_OID(AY_OID_SUBJECT_ALT_NAME), NULL);
	if (san.n > 0 && read_san(san, &c, e) != AY_OK)
		return ay_err_coded(e, AY_E_INPUT, "CERT_MALFORMED");
	c.has_eku = ay_cert_extension(&c.cert, AY_OID(AY_OID_EXT_KEY_USAGE), NULL).n > 0;
	c.eku_ek = ay_cert_has_eku(&c.cert, AY_OID(AY_OID_KP_EK), NULL);
	c.cert.flags |= flags;
	note_key_type(&c);
	*out = c;
	return AY_OK;
}

enum ay_rc ay_ekcert_check(const struct ay_ekcert *c, const struct ay_pubkey *ek, struct ay_err *e)
{
	struct ay_pubkey *key = NULL;
	enum ay_rc rc = ay_cert_key(&c->cert, &key, e);
	bool same;

	if (rc != AY_OK)
		return rc;
	same = ay_pubkey_eq(key, ek);
	ay_pubkey_free(key);
	if (AY_CHECKED("EK_MISMATCH", !same))
		return ay_fail_code(e, AY_E_CRYPTO, "EK_MISMATCH", "ekCertificate.key",
				    "the certificate is of another key than the EK");
	if (c->cert.is_ca)
		return ay_fail_code(e, AY_E_CRYPTO, "EK_CHAIN", "ekCertificate.basicConstraints",
				    "the certificate is of a CA");
	if (AY_CHECKED("EK_EKU", c->has_eku && !c->eku_ek))
		return ay_fail_code(e, AY_E_CRYPTO, "EK_CHAIN", "ekCertificate.extendedKeyUsage",
				    "the certificate is not for an endorsement key");
	return AY_OK;
}
