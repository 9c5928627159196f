/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/x509_impl.h"

#include "core/crypto/der.h"
#include "core/crypto/oids.h"
#include "core/tpm/alg.h"

#include <openssl/evp.h>

static enum ay_rc rsa_key(struct ay_bytes bits, struct ay_pubkey **out, struct ay_err *e)
{
	struct ay_reader r, seq;
	struct ay_bytes n;
	uint32_t exponent;

	ay_rd_init(&r, bits);
	ay_der_enter(&r, "rsaPublicKey", AY_DER_SEQUENCE, &seq);
	n = ay_der_get(&seq, "rsaPublicKey.modulus", AY_DER_INTEGER);
	exponent = ay_der_u31(&seq, "rsaPublicKey.exponent");
	ay_rd_window_end(&seq, "rsaPublicKey");
	if (ay_rd_end(&r, "rsaPublicKey", e) != AY_OK)
		return AY_E_INPUT;
	if (n.n < 2 || n.p[0] > 0x7f || (n.p[0] == 0 && n.p[1] < 0x80))
		return ay_fail(e, AY_E_INPUT, "rsaPublicKey.modulus", 0, "not a positive number");
	if (n.p[0] == 0)
		n = (struct ay_bytes){ n.p + 1, n.n - 1 };
	return ay_pubkey_new_rsa(n, exponent, out, e);
}

static enum ay_rc ec_key(struct ay_bytes oid, struct ay_bytes bits, struct ay_pubkey **out,
			 struct ay_err *e)
{
	static const struct {
		struct ay_bytes oid;
		uint16_t curve;
		size_t n;
	} curves[] = {
		{ AY_OID_INIT(AY_OID_P256), AY_CURVE_P256, 32 },
		{ AY_OID_INIT(AY_OID_P384), AY_CURVE_P384, 48 },
		{ AY_OID_INIT(AY_OID_P521), AY_CURVE_P521, 66 },
	};

	for (size_t i = 0; i < AY_COUNT(curves); i++) {
		size_t n = curves[i].n;

		if (!ay_bytes_eq(oid, curves[i].oid))
			continue;
		if (bits.n != 1 + 2 * n || bits.p[0] != 4)
			return ay_fail(e, AY_E_INPUT, "ecPoint", 0, "not an uncompressed point");
		return ay_pubkey_new_ec(curves[i].curve, (struct ay_bytes){ bits.p + 1, n },
					(struct ay_bytes){ bits.p + 1 + n, n }, out, e);
	}
	return ay_fail(e, AY_E_INPUT, "ecParameters", 0, "not a curve we know");
}

/*
 * id-RSAES-OAEP keys of TPM 1.2 EK certificates are RSA keys with another name
 * and parameters we do not need; OpenSSL does not load them.
 */
static enum ay_rc read_key(const struct ay_cert *c, struct ay_pubkey **out, struct ay_err *e)
{
	struct ay_reader r, spki, alg;
	struct ay_bytes oid, curve = { 0 }, bits;
	bool is_ec;

	ay_rd_init(&r, c->spki);
	ay_der_enter(&r, "spki", AY_DER_SEQUENCE, &spki);
	ay_der_enter(&spki, "spki.algorithm", AY_DER_SEQUENCE, &alg);
	oid = ay_der_get(&alg, "spki.algorithm", AY_DER_OID);
	is_ec = ay_bytes_eq(oid, AY_OID(AY_OID_EC_KEY));
	if (is_ec)
		curve = ay_der_get(&alg, "spki.parameters", AY_DER_OID);
	else
		ay_rd_rest(&alg, "spki.parameters");
	ay_rd_window_end(&alg, "spki.algorithm");
	bits = ay_der_bits(&spki, "spki.key");
	ay_rd_window_end(&spki, "spki");
	if (ay_rd_end(&r, "spki", e) != AY_OK)
		return AY_E_INPUT;
	if (is_ec)
		return ec_key(curve, bits, out, e);
	if (ay_bytes_eq(oid, AY_OID(AY_OID_RSA)) || ay_bytes_eq(oid, AY_OID(AY_OID_RSAES_OAEP)))
		return rsa_key(bits, out, e);
	return ay_fail(e, AY_E_INPUT, "spki.algorithm", 0, "not a kind of key we know");
}

enum ay_rc ay_cert_key(const struct ay_cert *c, struct ay_pubkey **out, struct ay_err *e)
{
	*out = NULL;
	return ay_err_coded(e, read_key(c, out, e), "CERT_KEY");
}

static const struct {
	enum ay_key_kind kind;
	const EVP_MD *(*md)(void);
} kinds[] = {
	[AY_CERTSIG_RSA_SHA1] = { AY_KEY_RSA, EVP_sha1 },
	[AY_CERTSIG_RSA_SHA256] = { AY_KEY_RSA, EVP_sha256 },
	[AY_CERTSIG_RSA_SHA384] = { AY_KEY_RSA, EVP_sha384 },
	[AY_CERTSIG_RSA_SHA512] = { AY_KEY_RSA, EVP_sha512 },
	[AY_CERTSIG_ECDSA_SHA256] = { AY_KEY_EC, EVP_sha256 },
	[AY_CERTSIG_ECDSA_SHA384] = { AY_KEY_EC, EVP_sha384 },
	[AY_CERTSIG_ECDSA_SHA512] = { AY_KEY_EC, EVP_sha512 },
};

enum ay_rc ay_cert_sig_check(enum ay_cert_sig alg, struct ay_bytes tbs, struct ay_bytes sig,
			     const struct ay_pubkey *key, struct ay_err *e)
{
	EVP_MD_CTX *ctx;
	bool good = false;

	if (alg == AY_CERTSIG_NONE || (size_t)alg >= AY_COUNT(kinds) ||
	    kinds[alg].kind != ay_pubkey_kind(key))
		return ay_fail(e, AY_E_CRYPTO, "certificate.signature", 0,
			       "made by another kind of key");
	ctx = EVP_MD_CTX_new();
	if (ctx == NULL)
		return ay_fail(e, AY_E_NOMEM, "certificate.signature", 0, "out of memory");
	if (EVP_DigestVerifyInit(ctx, NULL, kinds[alg].md(), NULL, ay_pubkey_pkey(key)) == 1 &&
	    EVP_DigestVerify(ctx, sig.p, sig.n, tbs.p, tbs.n) == 1)
		good = true;
	EVP_MD_CTX_free(ctx);
	if (!good)
		return ay_fail(e, AY_E_CRYPTO, "certificate.signature", 0, "does not verify");
	return AY_OK;
}

enum ay_rc ay_cert_verify(const struct ay_cert *c, const struct ay_pubkey *key, struct ay_err *e)
{
	return ay_cert_sig_check(c->sig_alg, c->tbs, c->signature, key, e);
}
