/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/envelope.h"

#include "core/crypto/der.h"
#include "core/crypto/oids.h"
#include "core/crypto/x509.h"

#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

enum { WRAPPED_KEY = 40, GCM_IV = 12, GCM_TAG = 16, POINT_P256 = 65 };

static void expect_oid(struct ay_reader *r, const char *field, struct ay_bytes oid)
{
	struct ay_bytes got = ay_der_get(r, field, AY_DER_OID);

	if (ay_rd_ok(r) && !ay_bytes_eq(got, oid))
		ay_rd_reject(r, field, "another algorithm or type");
}

/* originator: the sender's ephemeral key, and nothing that could name another one. */
static void read_originator(struct ay_reader *kari)
{
	struct ay_reader outer, key, alg;
	struct ay_bytes point;

	ay_der_enter(kari, "originator", AY_DER_CONTEXT_CONS | 0, &outer);
	ay_der_enter(&outer, "originatorKey", AY_DER_CONTEXT_CONS | 1, &key);
	ay_der_enter(&key, "originatorKey.algorithm", AY_DER_SEQUENCE, &alg);
	expect_oid(&alg, "originatorKey.algorithm", AY_OID(AY_OID_EC_KEY));
	/* parameters: absent, NULL, or the curve, as [RFC5753 3.1.1] allows */
	if (ay_der_peek(&alg) == AY_DER_OID)
		expect_oid(&alg, "originatorKey.curve", AY_OID(AY_OID_P256));
	else if (ay_der_peek(&alg) == AY_DER_NULL &&
		 ay_der_get(&alg, "originatorKey.parameters", AY_DER_NULL).n != 0)
		ay_rd_reject(&alg, "originatorKey.parameters", "not empty");
	ay_rd_window_end(&alg, "originatorKey.algorithm");
	point = ay_der_bits(&key, "originatorKey.publicKey");
	if (ay_rd_ok(&key) && point.n != POINT_P256)
		ay_rd_reject(&key, "originatorKey.publicKey", "not an uncompressed P-256 point");
	ay_rd_window_end(&key, "originatorKey");
	ay_rd_window_end(&outer, "originator");
}

static void read_recipient(struct ay_reader *set, struct ay_bytes *rid)
{
	struct ay_reader kari, alg, wrap, keys, one;
	struct ay_bytes wrapped;

	ay_der_enter(set, "keyAgreeRecipientInfo", AY_DER_CONTEXT_CONS | 1, &kari);
	if (ay_der_u31(&kari, "keyAgreeRecipientInfo.version") != 3)
		ay_rd_reject(&kari, "keyAgreeRecipientInfo.version", "want 3");
	read_originator(&kari);
	ay_der_enter(&kari, "keyEncryptionAlgorithm", AY_DER_SEQUENCE, &alg);
	expect_oid(&alg, "keyEncryptionAlgorithm", AY_OID(AY_OID_STDDH_SHA256));
	ay_der_enter(&alg, "keyWrapAlgorithm", AY_DER_SEQUENCE, &wrap);
	expect_oid(&wrap, "keyWrapAlgorithm", AY_OID(AY_OID_AES256_WRAP));
	ay_rd_window_end(&wrap, "keyWrapAlgorithm");
	ay_rd_window_end(&alg, "keyEncryptionAlgorithm");
	ay_der_enter(&kari, "recipientEncryptedKeys", AY_DER_SEQUENCE, &keys);
	ay_der_enter(&keys, "recipientEncryptedKey", AY_DER_SEQUENCE, &one);
	*rid = ay_der_whole(&one, "recipientEncryptedKey.rid");
	wrapped = ay_der_get(&one, "encryptedKey", AY_DER_OCTET_STRING);
	if (ay_rd_ok(&one) && wrapped.n != WRAPPED_KEY)
		ay_rd_reject(&one, "encryptedKey", "not a wrapped AES-256 key");
	ay_rd_window_end(&one, "recipientEncryptedKey");
	ay_rd_window_end(&keys, "recipientEncryptedKeys");
	ay_rd_window_end(&kari, "keyAgreeRecipientInfo");
	ay_rd_window_end(set, "recipientInfos");
}

static void read_content(struct ay_reader *body)
{
	struct ay_reader info, alg, gcm;

	ay_der_enter(body, "encryptedContentInfo", AY_DER_SEQUENCE, &info);
	expect_oid(&info, "contentType", AY_OID(AY_OID_CMS_DATA));
	ay_der_enter(&info, "contentEncryptionAlgorithm", AY_DER_SEQUENCE, &alg);
	expect_oid(&alg, "contentEncryptionAlgorithm", AY_OID(AY_OID_AES256_GCM));
	ay_der_enter(&alg, "gcmParameters", AY_DER_SEQUENCE, &gcm);
	if (ay_der_get(&gcm, "gcm.nonce", AY_DER_OCTET_STRING).n != GCM_IV)
		ay_rd_reject(&gcm, "gcm.nonce", "not of 12 octets");
	if (ay_der_u31(&gcm, "gcm.icvLen") != GCM_TAG)
		ay_rd_reject(&gcm, "gcm.icvLen", "not 16");
	ay_rd_window_end(&gcm, "gcmParameters");
	ay_rd_window_end(&alg, "contentEncryptionAlgorithm");
	ay_der_get(&info, "encryptedContent", AY_DER_CONTEXT | 0);
	ay_rd_window_end(&info, "encryptedContentInfo");
	if (ay_der_get(body, "mac", AY_DER_OCTET_STRING).n != GCM_TAG)
		ay_rd_reject(body, "mac", "not of 16 octets");
}

static enum ay_rc parse(struct ay_bytes der, struct ay_bytes *rid, struct ay_err *e)
{
	struct ay_reader r, info, tagged, body, set;

	ay_rd_init(&r, der);
	ay_der_enter(&r, "contentInfo", AY_DER_SEQUENCE, &info);
	expect_oid(&info, "contentInfo.type", AY_OID(AY_OID_AUTH_ENVELOPED));
	ay_der_enter(&info, "contentInfo.content", AY_DER_CONTEXT_CONS | 0, &tagged);
	ay_der_enter(&tagged, "authEnvelopedData", AY_DER_SEQUENCE, &body);
	if (ay_der_u31(&body, "authEnvelopedData.version") != 0)
		ay_rd_reject(&body, "authEnvelopedData.version", "want 0");
	ay_der_enter(&body, "recipientInfos", AY_DER_SET, &set);
	read_recipient(&set, rid);
	read_content(&body);
	ay_rd_window_end(&body, "authEnvelopedData");
	ay_rd_window_end(&tagged, "contentInfo.content");
	ay_rd_window_end(&info, "contentInfo");
	return ay_err_coded(e, ay_rd_end(&r, "envelope", e), "CA_ENVELOPE");
}

enum ay_rc ay_envelope_parse(struct ay_bytes der, struct ay_err *e)
{
	struct ay_bytes rid;

	return parse(der, &rid, e);
}

/* Issuer and serial number octet for octet: libcrypto would fold the case of names. */
static bool names_cert(struct ay_bytes rid, struct ay_bytes cert)
{
	struct ay_reader r, seq;
	struct ay_bytes issuer, serial;
	struct ay_cert c;

	if (ay_cert_parse(cert, &c, NULL) != AY_OK)
		return false;
	ay_rd_init(&r, rid);
	ay_der_enter(&r, "rid", AY_DER_SEQUENCE, &seq);
	issuer = ay_der_whole(&seq, "rid.issuer");
	serial = ay_der_get(&seq, "rid.serialNumber", AY_DER_INTEGER);
	ay_rd_window_end(&seq, "rid");
	return ay_rd_end(&r, "rid", NULL) == AY_OK && ay_bytes_eq(issuer, c.issuer) &&
	       ay_bytes_eq(serial, c.serial);
}

/* libcrypto's default KDF hash is SHA-1; ours is set before the first use of the key. */
static bool add_recipient(CMS_ContentInfo *cms, X509 *cert)
{
	CMS_RecipientInfo *ri = CMS_add1_recipient(cms, cert, NULL, NULL, CMS_KEY_PARAM);
	EVP_PKEY_CTX *ctx = ri != NULL ? CMS_RecipientInfo_get0_pkey_ctx(ri) : NULL;

	return ctx != NULL && EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, EVP_sha256()) > 0;
}

static enum ay_rc seal(X509 *cert, BIO *plain, unsigned char **der, int *n)
{
	CMS_ContentInfo *cms = CMS_AuthEnvelopedData_create(EVP_aes_256_gcm());
	enum ay_rc rc = AY_E_CRYPTO;

	if (cms != NULL && CMS_set_detached(cms, 0) == 1 && add_recipient(cms, cert) &&
	    CMS_final(cms, plain, NULL, CMS_BINARY) == 1) {
		*n = i2d_CMS_ContentInfo(cms, der);
		rc = *n > 0 ? AY_OK : AY_E_CRYPTO;
	}
	CMS_ContentInfo_free(cms);
	return rc;
}

enum ay_rc ay_envelope_seal(struct ay_bytes recipient_cert, struct ay_bytes plain, uint8_t *out,
			    size_t max, size_t *n, struct ay_err *e)
{
	const unsigned char *p = recipient_cert.p;
	X509 *cert = d2i_X509(NULL, &p, (long)recipient_cert.n);
	BIO *in = BIO_new_mem_buf(plain.p, (int)plain.n);
	unsigned char *der = NULL;
	int len = 0;
	enum ay_rc rc = AY_E_INPUT;

	*n = 0;
	if (cert != NULL && in != NULL)
		rc = seal(cert, in, &der, &len);
	if (rc == AY_OK && (size_t)len > max)
		rc = AY_E_LIMIT;
	if (rc == AY_OK) {
		memcpy(out, der, (size_t)len);
		*n = (size_t)len;
	}
	OPENSSL_free(der);
	BIO_free(in);
	X509_free(cert);
	return rc == AY_OK ? rc
			   : ay_fail_code(e, rc, "CA_ENVELOPE", "envelope", "cannot be sealed");
}

/* The plain text is copied out only after the tag was found right. */
static enum ay_rc decrypt(CMS_ContentInfo *cms, const struct ay_privkey *key, X509 *cert,
			  uint8_t *out, size_t max, size_t *n)
{
	BIO *plain = BIO_new(BIO_s_mem());
	enum ay_rc rc = AY_E_CRYPTO;
	char *text = NULL;
	long len = 0;

	if (plain == NULL)
		return AY_E_NOMEM;
	if (CMS_decrypt_set1_pkey(cms, ay_privkey_evp(key), cert) == 1 &&
	    CMS_decrypt(cms, NULL, NULL, NULL, plain, CMS_BINARY) == 1) {
		len = BIO_get_mem_data(plain, &text);
		rc = len < 0 ? AY_E_CRYPTO : (size_t)len > max ? AY_E_LIMIT : AY_OK;
	}
	if (rc == AY_OK && len > 0)
		memcpy(out, text, (size_t)len);
	*n = rc == AY_OK ? (size_t)len : 0;
	if (text != NULL && len > 0)
		OPENSSL_cleanse(text, (size_t)len);
	BIO_free(plain);
	return rc;
}

enum ay_rc ay_envelope_open(struct ay_bytes der, const struct ay_privkey *key, struct ay_bytes cert,
			    uint8_t *out, size_t max, size_t *n, struct ay_err *e)
{
	const unsigned char *p = der.p, *q = cert.p;
	struct ay_bytes rid = { 0 };
	CMS_ContentInfo *cms;
	X509 *x;
	enum ay_rc rc;

	*n = 0;
	rc = parse(der, &rid, e);
	if (AY_CHECKED("CA_ENVELOPE", rc != AY_OK))
		return rc;
	if (AY_CHECKED("CA_ENVELOPE", !names_cert(rid, cert)))
		return ay_fail_code(e, AY_E_CRYPTO, "CA_ENVELOPE", "envelope.rid",
				    "for another recipient");
	rc = AY_E_CRYPTO;
	cms = d2i_CMS_ContentInfo(NULL, &p, (long)der.n);
	x = d2i_X509(NULL, &q, (long)cert.n);
	if (cms != NULL && x != NULL)
		rc = decrypt(cms, key, x, out, max, n);
	CMS_ContentInfo_free(cms);
	X509_free(x);
	if (rc != AY_OK)
		return ay_fail_code(e, rc, "CA_ENVELOPE", "envelope",
				    "not for this key, or altered on the way");
	return AY_OK;
}
