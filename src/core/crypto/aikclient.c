/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/aikclient.h"

#include "core/crypto/aikwire.h"
#include "core/crypto/envelope.h"
#include "core/crypto/secret.h"

/* An identity request with its certificates, and some room. */
enum { PLAIN_MAX = 48 * 1024 };

static enum ay_rc check_ca(const struct ay_ca_certs *ca, const uint8_t pin[32], uint32_t usage,
			   int64_t now_ms, struct ay_err *e)
{
	struct ay_cert c[AY_MAX_CERT_CHAIN];
	struct ay_trust_set set = { .name = "ca", .n_anchors = 1 };
	struct ay_chain_policy policy = { .now_ms = now_ms,
					  .crl = AY_CRL_IGNORE,
					  .code = "CA_PIN" };
	uint8_t hash[32];

	if (ca->n < 2 || ca->n > AY_MAX_CERT_CHAIN)
		return ay_fail(e, AY_E_INPUT, "ca", 0, "%zu certificates", ca->n);
	for (size_t i = 0; i < ca->n; i++)
		if (ay_cert_parse(ca->der[i], &c[i], e) != AY_OK)
			return AY_E_INPUT;
	ay_cert_spki_hash(&c[ca->n - 1], hash);
	if (AY_CHECKED("CA_PIN", memcmp(hash, pin, 32) != 0))
		return ay_fail(e, AY_E_CRYPTO, "ca", 0, "the root is not the pinned one");
	if (!c[0].has_key_usage || !(c[0].key_usage & usage))
		return ay_fail(e, AY_E_CRYPTO, "ca", 0,
			       "the first certificate is not for encryption");
	set.anchors = &c[ca->n - 1];
	return ay_chain_check(&c[0], &c[1], ca->n - 2, &set, &policy, e);
}

static bool is_for_tpm12(struct ay_bytes der)
{
	struct ay_cert c;

	return ay_cert_parse(der, &c, NULL) == AY_OK && c.has_key_usage &&
	       (c.key_usage & AY_KU_KEY_ENCIPHERMENT) != 0;
}

enum ay_rc ay_aikclient_rsa(const struct ay_ca_certs *ca, const uint8_t pin[32], int64_t now_ms,
			    struct ay_pubkey **out, struct ay_err *e)
{
	struct ay_bytes der[AY_MAX_CERT_CHAIN];
	struct ay_ca_certs from = { der, 0 };
	struct ay_cert c;
	size_t at = 0;
	enum ay_rc rc;

	*out = NULL;
	while (at < ca->n && !is_for_tpm12(ca->der[at]))
		at++;
	if (at == ca->n || ca->n > AY_MAX_CERT_CHAIN)
		return ay_fail_code(e, AY_E_NOENT, "CA_NO_TPM12", "ca",
				    "this Privacy CA has no key for TPM 1.2");
	for (size_t i = at; i < ca->n; i++)
		der[from.n++] = ca->der[i];
	rc = check_ca(&from, pin, AY_KU_KEY_ENCIPHERMENT, now_ms, e);
	if (rc != AY_OK && e != NULL)
		e->code[0] = '\0';
	if (rc == AY_OK)
		rc = ay_cert_parse(der[0], &c, e);
	if (rc == AY_OK)
		rc = ay_cert_key(&c, out, e);
	return ay_err_coded(e, rc, "CA_PIN");
}

enum ay_rc ay_aikclient_check_ca(const struct ay_ca_certs *ca, const uint8_t pin[32],
				 int64_t now_ms, struct ay_err *e)
{
	enum ay_rc rc = check_ca(ca, pin, AY_KU_KEY_AGREEMENT, now_ms, e);

	if (rc != AY_OK && e != NULL)
		e->code[0] = '\0';
	return ay_err_coded(e, rc, "CA_PIN");
}

enum ay_rc ay_aikclient_check_ticket(struct ay_bytes ticket, const uint8_t my_spki[32],
				     const struct ay_uuid *host, const uint8_t pin[32],
				     int64_t now_ms, struct ay_ticket *out, struct ay_err *e)
{
	struct ay_ticket t;
	enum ay_rc rc = ay_ticket_parse(ticket, &t, e);

	*out = (struct ay_ticket){ 0 };
	if (rc != AY_OK)
		return rc;
	if (AY_CHECKED("TICKET_KEY", memcmp(t.spki, my_spki, 32) != 0))
		return ay_fail_code(e, AY_E_CRYPTO, "TICKET", "ticket.spki", "names another key");
	if (memcmp(t.host.b, host->b, sizeof(host->b)) != 0)
		return ay_fail_code(e, AY_E_CRYPTO, "TICKET", "ticket.host", "names another host");
	if (memcmp(t.ca, pin, 32) != 0)
		return ay_fail_code(e, AY_E_CRYPTO, "TICKET", "ticket.ca",
				    "for another Privacy CA");
	if (t.exp_s * 1000 <= now_ms)
		return ay_fail_code(e, AY_E_CRYPTO, "TICKET", "ticket.exp", "expired");
	*out = t;
	return AY_OK;
}

enum ay_rc ay_aikclient_request(const struct ay_identity_request *q, const struct ay_ca_certs *ca,
				uint8_t *out, size_t max, size_t *n, struct ay_err *e)
{
	uint8_t plain[PLAIN_MAX];
	struct ay_writer w;
	struct ay_bytes b;
	enum ay_rc rc;

	*n = 0;
	ay_wr_init(&w, plain, sizeof(plain));
	ay_identity_request_write(&w, q);
	rc = ay_wr_end(&w, "identity", &b, e);
	return rc == AY_OK && ca->n > 0 ? ay_envelope_seal(ca->der[0], b, out, max, n, e) : rc;
}

enum ay_rc ay_aikclient_answer(const char *jti, struct ay_bytes secret,
			       const struct ay_ca_certs *ca, uint8_t *out, size_t max, size_t *n,
			       struct ay_err *e)
{
	struct ay_ca_answer a = { 0 };
	uint8_t plain[128];
	struct ay_writer w;
	struct ay_bytes b;
	enum ay_rc rc;

	*n = 0;
	if (secret.n != AY_CA_SECRET_BYTES || strlen(jti) != AY_JTI_TEXT - 1 || ca->n == 0)
		return ay_fail_code(e, AY_E_INPUT, "ACTIVATION", "answer", "not of 32 octets");
	memcpy(a.jti, jti, AY_JTI_TEXT);
	memcpy(a.secret, secret.p, secret.n);
	ay_wr_init(&w, plain, sizeof(plain));
	ay_ca_answer_write(&w, &a);
	rc = ay_wr_end(&w, "answer", &b, e);
	if (rc == AY_OK)
		rc = ay_envelope_seal(ca->der[0], b, out, max, n, e);
	ay_wipe(plain, sizeof(plain));
	ay_wipe(&a, sizeof(a));
	return rc;
}

static enum ay_rc check_own(const struct ay_aikcert *a, const struct ay_pubkey *ak,
			    struct ay_bytes ak_name, struct ay_err *e)
{
	struct ay_pubkey *key = NULL;
	enum ay_rc rc = ay_cert_key(&a->cert, &key, e);
	bool same;

	if (rc != AY_OK)
		return rc;
	same = ay_pubkey_eq(key, ak);
	ay_pubkey_free(key);
	if (AY_CHECKED("AIK_CERT_OWN", !same))
		return ay_fail(e, AY_E_CRYPTO, "aik", 0, "certifies another key");
	if (!ay_bytes_eq((struct ay_bytes){ a->facts.ak_name, a->facts.ak_name_n }, ak_name))
		return ay_fail(e, AY_E_CRYPTO, "aik.ak_name", 0, "certifies another Name");
	return AY_OK;
}

enum ay_rc ay_aikclient_check_cert(struct ay_bytes der, const struct ay_ca_certs *ca,
				   const uint8_t pin[32], const struct ay_ticket *ticket,
				   const struct ay_pubkey *ak, struct ay_bytes ak_name,
				   int64_t now_ms, struct ay_aikcert *out, struct ay_err *e)
{
	struct ay_aikcert_want want = { .chain = ca->der,
					.n_chain = ca->n,
					.pin = pin,
					.host = &ticket->host,
					.ticket = ticket->jti,
					.now_ms = now_ms };
	struct ay_aikcert a;
	enum ay_rc rc = ay_aikcert_check(der, &want, &a, e);

	*out = (struct ay_aikcert){ 0 };
	if (rc != AY_OK)
		return rc;
	rc = check_own(&a, ak, ak_name, e);
	if (rc == AY_OK)
		*out = a;
	if (rc != AY_OK && e != NULL)
		e->code[0] = '\0';
	return ay_err_coded(e, rc, "AIK_CERT");
}
