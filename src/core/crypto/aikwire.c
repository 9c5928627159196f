/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/aikwire.h"

#include "core/base/reader.h"
#include "core/crypto/aead.h"
#include "core/crypto/kdf.h"
#include "core/crypto/secret.h"

#define SEAL_INFO "assay-aikcert-1"

enum ay_rc ay_identity_request_parse(struct ay_bytes in, struct ay_identity_request *out,
				     struct ay_err *e)
{
	struct ay_identity_request q = { 0 };
	struct ay_reader r;
	uint16_t version;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	version = ay_rd_be16(&r, "identity.version");
	if (ay_rd_ok(&r) && version != AY_CA_VERSION && version != AY_CA_VERSION_TPM12)
		ay_rd_reject(&r, "identity.version", "version %u, want %d or %d", version,
			     AY_CA_VERSION, AY_CA_VERSION_TPM12);
	q.is_tpm12 = version == AY_CA_VERSION_TPM12;
	q.ticket = ay_rd_vec16(&r, "identity.ticket", AY_TICKET_TEXT_MAX - 1);
	q.ak = ay_rd_vec16(&r, "identity.ak",
			   q.is_tpm12 ? AY_MAX_IDENTITY12_BYTES : AY_MAX_PUBLIC_BYTES);
	q.ek = ay_rd_vec16(&r, "identity.ek", AY_MAX_PUBLIC_BYTES);
	q.ek_cert = ay_rd_vec16(&r, "identity.ekCert", AY_MAX_CERT_BYTES);
	q.n_certs = ay_rd_u8(&r, "identity.certs");
	if (q.n_certs > AY_MAX_CERT_CHAIN)
		ay_rd_limit(&r, "identity.certs", q.n_certs, AY_MAX_CERT_CHAIN);
	for (size_t i = 0; i < q.n_certs && ay_rd_ok(&r); i++)
		q.certs[i] = ay_rd_vec16(&r, "identity.cert", AY_MAX_CERT_BYTES);
	rc = ay_rd_end(&r, "identity", e);
	*out = rc == AY_OK ? q : (struct ay_identity_request){ 0 };
	return ay_err_coded(e, rc, "CA_MALFORMED");
}

void ay_identity_request_write(struct ay_writer *w, const struct ay_identity_request *q)
{
	ay_wr_be16(w, q->is_tpm12 ? AY_CA_VERSION_TPM12 : AY_CA_VERSION);
	ay_wr_vec16(w, q->ticket);
	ay_wr_vec16(w, q->ak);
	ay_wr_vec16(w, q->ek);
	ay_wr_vec16(w, q->ek_cert);
	ay_wr_u8(w, (uint8_t)q->n_certs);
	for (size_t i = 0; i < q->n_certs; i++)
		ay_wr_vec16(w, q->certs[i]);
}

enum ay_rc ay_ca_answer_parse(struct ay_bytes in, struct ay_ca_answer *out, struct ay_err *e)
{
	struct ay_ca_answer a = { 0 };
	struct ay_reader r;
	struct ay_bytes jti, secret;
	uint16_t version;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	version = ay_rd_be16(&r, "answer.version");
	if (ay_rd_ok(&r) && version != AY_CA_VERSION)
		ay_rd_reject(&r, "answer.version", "version %u, want %d", version, AY_CA_VERSION);
	jti = ay_rd_vec16(&r, "answer.ticket", AY_JTI_TEXT - 1);
	if (ay_rd_ok(&r) && jti.n != AY_JTI_TEXT - 1)
		ay_rd_reject(&r, "answer.ticket", "not a ticket id");
	secret = ay_rd_vec16(&r, "answer.secret", AY_CA_SECRET_BYTES);
	if (ay_rd_ok(&r) && secret.n != AY_CA_SECRET_BYTES)
		ay_rd_reject(&r, "answer.secret", "%zu octets", secret.n);
	rc = ay_rd_end(&r, "answer", e);
	if (rc == AY_OK) {
		memcpy(a.jti, jti.p, jti.n);
		memcpy(a.secret, secret.p, secret.n);
	}
	*out = a;
	ay_wipe(a.secret, sizeof(a.secret));
	return ay_err_coded(e, rc, "CA_MALFORMED");
}

void ay_ca_answer_write(struct ay_writer *w, const struct ay_ca_answer *a)
{
	ay_wr_be16(w, AY_CA_VERSION);
	ay_wr_vec16(w, ay_bytes_of(a->jti));
	ay_wr_vec16(w, AY_BYTES(a->secret));
}

static enum ay_rc seal_key(struct ay_bytes k0, uint8_t key[32], struct ay_err *e)
{
	if (k0.n != AY_CA_SECRET_BYTES ||
	    !ay_hkdf_sha256(k0, (struct ay_bytes){ 0 }, ay_bytes_of(SEAL_INFO), key, 32))
		return ay_fail_code(e, AY_E_CRYPTO, "ACTIVATION", "k0",
				    "not a secret of 32 octets");
	return AY_OK;
}

enum ay_rc ay_aik_seal(struct ay_bytes k0, const uint8_t iv[12], struct ay_bytes cert,
		       struct ay_bytes ak_name, uint8_t *out, size_t max, size_t *n,
		       struct ay_err *e)
{
	uint8_t key[32];
	enum ay_rc rc = seal_key(k0, key, e);

	*n = 0;
	if (rc == AY_OK && cert.n + AY_GCM_TAG > max)
		rc = ay_fail(e, AY_E_LIMIT, "certificate", 0, "no room");
	if (rc == AY_OK)
		rc = ay_gcm_seal(key, iv, ak_name, cert, out, e);
	if (rc == AY_OK)
		*n = cert.n + AY_GCM_TAG;
	ay_wipe(key, sizeof(key));
	return rc;
}

enum ay_rc ay_aikclient_open(struct ay_bytes k0, struct ay_bytes iv, struct ay_bytes sealed,
			     struct ay_bytes ak_name, uint8_t *out, size_t max, size_t *n,
			     struct ay_err *e)
{
	uint8_t key[32];
	enum ay_rc rc;

	*n = 0;
	if (iv.n != AY_GCM_IV || sealed.n < AY_GCM_TAG || sealed.n - AY_GCM_TAG > max)
		return ay_fail_code(e, AY_E_INPUT, "AIK_CERT", "sealedCertificate", "wrong size");
	rc = seal_key(k0, key, e);
	if (rc == AY_OK)
		rc = ay_gcm_open(key, iv.p, ak_name, sealed, out, e);
	if (rc == AY_OK)
		*n = sealed.n - AY_GCM_TAG;
	ay_wipe(key, sizeof(key));
	return ay_err_coded(e, rc, "AIK_CERT");
}
