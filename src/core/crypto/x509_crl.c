/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/x509_impl.h"

#include "core/crypto/der.h"

/* Each entry must have the form; what its extensions say does not matter: listed is revoked. */
static struct ay_bytes read_entry(struct ay_reader *list)
{
	struct ay_reader seq;
	struct ay_bytes serial;
	uint32_t flags = 0;

	ay_der_enter(list, "crl.entry", AY_DER_SEQUENCE, &seq);
	serial = ay_cert_read_serial(&seq, &flags);
	ay_der_time(&seq, "crl.revocationDate");
	ay_rd_rest(&seq, "crl.entryExtensions");
	return serial;
}

static void read_entries(struct ay_reader *tbs, struct ay_crl *c)
{
	struct ay_reader seq;

	if (!ay_der_enter_if(tbs, "crl.revoked", AY_DER_SEQUENCE, &seq))
		return;
	c->revoked = ay_rd_rest(&seq, "crl.revoked");
	ay_rd_init(&seq, c->revoked);
	while (ay_rd_left(&seq) > 0)
		read_entry(&seq);
	if (!ay_rd_ok(&seq))
		ay_rd_reject(tbs, "crl.revoked", "not a list of serial numbers");
}

/* Critical ones (delta list, issuing distribution point) say that much is not in this list. */
static void read_extensions(struct ay_reader *tbs, struct ay_crl *c)
{
	struct ay_reader tagged, list, one;

	if (!ay_der_enter_if(tbs, "crl.extensions", AY_DER_CONTEXT_CONS | 0, &tagged))
		return;
	ay_der_enter(&tagged, "crl.extensions", AY_DER_SEQUENCE, &list);
	while (ay_rd_left(&list) > 0) {
		ay_der_enter(&list, "crl.extension", AY_DER_SEQUENCE, &one);
		ay_der_get(&one, "crl.extension.id", AY_DER_OID);
		if (ay_der_peek(&one) == AY_DER_BOOLEAN)
			c->is_partial |= ay_der_bool(&one, "crl.extension.critical");
		ay_der_get(&one, "crl.extension.value", AY_DER_OCTET_STRING);
		ay_rd_window_end(&one, "crl.extension");
	}
	ay_rd_window_end(&tagged, "crl.extensions");
}

static void read_tbs(struct ay_reader *tbs, struct ay_crl *c, struct ay_bytes *algorithm)
{
	uint32_t flags = 0;
	bool unused;

	if (ay_der_peek(tbs) == AY_DER_INTEGER && ay_der_u31(tbs, "crl.version") != 1)
		ay_rd_reject(tbs, "crl.version", "want version 2");
	*algorithm = ay_der_whole(tbs, "crl.signature");
	c->issuer = ay_cert_read_name(tbs, "crl.issuer", &flags, &unused);
	c->this_update_ms = ay_der_time(tbs, "crl.thisUpdate");
	if (ay_der_peek(tbs) == AY_DER_UTC_TIME || ay_der_peek(tbs) == AY_DER_GENERALIZED_TIME)
		c->next_update_ms = ay_der_time(tbs, "crl.nextUpdate");
	read_entries(tbs, c);
	read_extensions(tbs, c);
	ay_rd_window_end(tbs, "tbsCertList");
}

enum ay_rc ay_crl_parse(struct ay_bytes der, struct ay_crl *out, struct ay_err *e)
{
	struct ay_reader r, whole, tbs;
	struct ay_crl c = { .der = der };
	struct ay_bytes inner, outer;
	size_t at;
	enum ay_rc rc;

	*out = (struct ay_crl){ 0 };
	if (der.n > AY_MAX_CRL_BYTES)
		return ay_fail_code(e, AY_E_LIMIT, "CERT_LIMIT", "crl",
				    "%zu bytes, the limit is %d", der.n, AY_MAX_CRL_BYTES);
	ay_rd_init(&r, der);
	ay_der_enter(&r, "crl", AY_DER_SEQUENCE, &whole);
	at = ay_rd_offset(&whole);
	ay_der_enter(&whole, "tbsCertList", AY_DER_SEQUENCE, &tbs);
	read_tbs(&tbs, &c, &inner);
	c.tbs = ay_rd_since(&whole, at);
	outer = ay_der_whole(&whole, "crl.signatureAlgorithm");
	c.signature = ay_der_bits(&whole, "crl.signatureValue");
	ay_rd_window_end(&whole, "crl");
	rc = ay_rd_end(&r, "crl", e);
	c.sig_alg = ay_cert_sig_of(outer);
	if (rc == AY_OK && (!ay_bytes_eq(inner, outer) || c.sig_alg == AY_CERTSIG_NONE))
		rc = ay_fail_code(e, AY_E_INPUT, "CERT_ALGORITHM", "crl.signature",
				  "signature algorithm not known");
	if (rc == AY_OK)
		*out = c;
	return ay_err_coded(e, rc, "CERT_MALFORMED");
}

/* The same number: leading zeros do not hide a serial from the list. */
static struct ay_bytes number(struct ay_bytes b)
{
	while (b.n > 1 && b.p[0] == 0)
		b = (struct ay_bytes){ b.p + 1, b.n - 1 };
	return b;
}

bool ay_crl_lists(const struct ay_crl *crl, struct ay_bytes serial)
{
	struct ay_reader list;

	ay_rd_init(&list, crl->revoked);
	while (ay_rd_left(&list) > 0)
		if (ay_bytes_eq(number(read_entry(&list)), number(serial)))
			return true;
	return false;
}

enum ay_rc ay_crl_verify(const struct ay_crl *crl, const struct ay_pubkey *key, struct ay_err *e)
{
	return ay_cert_sig_check(crl->sig_alg, crl->tbs, crl->signature, key, e);
}
