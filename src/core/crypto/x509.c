/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/x509.h"

#include "core/crypto/der.h"
#include "core/crypto/hash.h"
#include "core/crypto/oids.h"
#include "core/crypto/x509_impl.h"

enum { SERIAL_MAX = 40, EXTENSIONS_MAX = 40 };

/* Whole AlgorithmIdentifiers: RSA with NULL or nothing, ECDSA with nothing [RFC4055 5],
 * [RFC5758 3.2]. */
#define RSA_ALG(oid) "\x30\x0d\x06\x09" oid "\x05\x00"
#define RSA_BARE(oid) "\x30\x0b\x06\x09" oid
#define EC_ALG(oid) "\x30\x0a\x06\x08" oid
#define EC_NULL(oid) "\x30\x0c\x06\x08" oid "\x05\x00" /* Intel's OnDie CA: a flag says so */

static const struct {
	struct ay_bytes der;
	enum ay_cert_sig alg;
} sig_algs[] = {
	{ AY_OID_INIT(RSA_ALG(AY_OID_RSA_SHA1)), AY_CERTSIG_RSA_SHA1 },
	{ AY_OID_INIT(RSA_BARE(AY_OID_RSA_SHA1)), AY_CERTSIG_RSA_SHA1 },
	{ AY_OID_INIT(RSA_ALG(AY_OID_RSA_SHA256)), AY_CERTSIG_RSA_SHA256 },
	{ AY_OID_INIT(RSA_BARE(AY_OID_RSA_SHA256)), AY_CERTSIG_RSA_SHA256 },
	{ AY_OID_INIT(RSA_ALG(AY_OID_RSA_SHA384)), AY_CERTSIG_RSA_SHA384 },
	{ AY_OID_INIT(RSA_BARE(AY_OID_RSA_SHA384)), AY_CERTSIG_RSA_SHA384 },
	{ AY_OID_INIT(RSA_ALG(AY_OID_RSA_SHA512)), AY_CERTSIG_RSA_SHA512 },
	{ AY_OID_INIT(RSA_BARE(AY_OID_RSA_SHA512)), AY_CERTSIG_RSA_SHA512 },
	{ AY_OID_INIT(EC_ALG(AY_OID_ECDSA_SHA256)), AY_CERTSIG_ECDSA_SHA256 },
	{ AY_OID_INIT(EC_NULL(AY_OID_ECDSA_SHA256)), AY_CERTSIG_ECDSA_SHA256 },
	{ AY_OID_INIT(EC_ALG(AY_OID_ECDSA_SHA384)), AY_CERTSIG_ECDSA_SHA384 },
	{ AY_OID_INIT(EC_NULL(AY_OID_ECDSA_SHA384)), AY_CERTSIG_ECDSA_SHA384 },
	{ AY_OID_INIT(EC_ALG(AY_OID_ECDSA_SHA512)), AY_CERTSIG_ECDSA_SHA512 },
	{ AY_OID_INIT(EC_NULL(AY_OID_ECDSA_SHA512)), AY_CERTSIG_ECDSA_SHA512 },
};

enum ay_cert_sig ay_cert_sig_of(struct ay_bytes algorithm)
{
	for (size_t i = 0; i < AY_COUNT(sig_algs); i++)
		if (ay_bytes_eq(algorithm, sig_algs[i].der))
			return sig_algs[i].alg;
	return AY_CERTSIG_NONE;
}

struct ay_bytes ay_cert_read_serial(struct ay_reader *r, uint32_t *flags)
{
	struct ay_bytes b = ay_der_get(r, "certificate.serialNumber", AY_DER_INTEGER);

	if (!ay_rd_ok(r))
		return b;
	if (b.n == 0 || b.p[0] > 0x7f)
		ay_rd_reject(r, "certificate.serialNumber", "empty or negative");
	else if (b.n > SERIAL_MAX)
		ay_rd_limit(r, "certificate.serialNumber", b.n, SERIAL_MAX);
	else if (b.n > 1 && b.p[0] == 0 && b.p[1] < 0x80)
		*flags |= AY_CERT_SERIAL_PADDED;
	return b;
}

/* DER order of a SET OF: as octet strings, the shorter padded with zeros [X690 11.6]. */
static bool in_order(struct ay_bytes a, struct ay_bytes b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n > 0 ? memcmp(a.p, b.p, n) : 0;

	return c < 0 || (c == 0 && a.n <= b.n);
}

static void read_rdn(struct ay_reader *set, uint32_t *flags)
{
	struct ay_bytes last = { 0 };

	if (ay_rd_left(set) == 0)
		ay_rd_reject(set, "name.rdn", "empty");
	while (ay_rd_left(set) > 0) {
		size_t at = ay_rd_offset(set);
		struct ay_reader seq;
		struct ay_bytes whole;

		ay_der_enter(set, "name.attribute", AY_DER_SEQUENCE, &seq);
		ay_der_get(&seq, "name.attribute.type", AY_DER_OID);
		ay_der_whole(&seq, "name.attribute.value");
		ay_rd_window_end(&seq, "name.attribute");
		whole = ay_rd_since(set, at);
		if (last.n > 0 && !in_order(last, whole))
			*flags |= AY_CERT_SET_ORDER;
		last = whole;
	}
}

struct ay_bytes ay_cert_read_name(struct ay_reader *r, const char *field, uint32_t *flags,
				  bool *is_empty)
{
	size_t at = ay_rd_offset(r);
	struct ay_reader seq, set;

	ay_der_enter(r, field, AY_DER_SEQUENCE, &seq);
	*is_empty = ay_rd_left(&seq) == 0;
	while (ay_rd_left(&seq) > 0) {
		ay_der_enter(&seq, field, AY_DER_SET, &set);
		read_rdn(&set, flags);
	}
	return ay_rd_since(r, at);
}

static void read_version(struct ay_reader *tbs, struct ay_cert *c)
{
	struct ay_reader v;
	uint32_t n = 0;

	c->version = 1;
	if (!ay_der_enter_if(tbs, "certificate.version", AY_DER_CONTEXT_CONS | 0, &v))
		return;
	n = ay_der_u31(&v, "certificate.version");
	ay_rd_window_end(&v, "certificate.version");
	if (n != 2)
		ay_rd_reject(tbs, "certificate.version", "version %u, want 3", n + 1);
	c->version = 3;
}

static void read_basic(struct ay_bytes value, struct ay_reader *r, struct ay_cert *c)
{
	struct ay_reader in, seq;

	ay_rd_init(&in, value);
	c->has_basic = true;
	ay_der_enter(&in, "basicConstraints", AY_DER_SEQUENCE, &seq);
	if (ay_der_peek(&seq) == AY_DER_BOOLEAN)
		c->is_ca = ay_der_bool(&seq, "basicConstraints.cA");
	if (ay_der_peek(&seq) == AY_DER_INTEGER)
		c->path_len = (int)ay_der_u31(&seq, "basicConstraints.pathLen");
	ay_rd_window_end(&seq, "basicConstraints");
	if (ay_rd_end(&in, "basicConstraints", NULL) != AY_OK)
		ay_rd_reject(r, "basicConstraints", "not DER");
}

/* Named bits, at most nine; unused bits must be zero but need not be trimmed. */
static void read_usage(struct ay_bytes value, struct ay_reader *r, struct ay_cert *c)
{
	struct ay_reader in;
	struct ay_bytes b;

	ay_rd_init(&in, value);
	b = ay_der_get(&in, "keyUsage", AY_DER_BIT_STRING);
	if (ay_rd_end(&in, "keyUsage", NULL) != AY_OK || b.n < 1 || b.n > 3 || b.p[0] > 7) {
		ay_rd_reject(r, "keyUsage", "not a small bit string");
		return;
	}
	c->has_key_usage = true;
	for (size_t i = 0; i < 8 * (b.n - 1); i++)
		if (b.p[1 + i / 8] & 0x80 >> i % 8)
			c->key_usage |= 1u << i;
}

static bool may_be_critical(struct ay_bytes oid)
{
	static const struct ay_bytes known[] = {
		AY_OID_INIT(AY_OID_DIRECTORY_ATTRIBUTES),
		AY_OID_INIT(AY_OID_SUBJECT_KEY_ID),
		AY_OID_INIT(AY_OID_KEY_USAGE),
		AY_OID_INIT(AY_OID_SUBJECT_ALT_NAME),
		AY_OID_INIT(AY_OID_BASIC_CONSTRAINTS),
		AY_OID_INIT(AY_OID_CRL_POINTS),
		AY_OID_INIT(AY_OID_POLICIES),
		AY_OID_INIT(AY_OID_AUTHORITY_KEY_ID),
		AY_OID_INIT(AY_OID_EXT_KEY_USAGE),
		AY_OID_INIT(AY_OID_AUTHORITY_INFO),
	};

	for (size_t i = 0; i < AY_COUNT(known); i++)
		if (ay_bytes_eq(oid, known[i]))
			return true;
	return false;
}

/* One Extension: its OID, whether critical, its value. */
static struct ay_bytes read_extension(struct ay_reader *list, struct ay_bytes *oid, bool *critical)
{
	struct ay_reader seq;
	struct ay_bytes value;

	ay_der_enter(list, "extension", AY_DER_SEQUENCE, &seq);
	*oid = ay_der_get(&seq, "extension.id", AY_DER_OID);
	*critical = ay_der_peek(&seq) == AY_DER_BOOLEAN && ay_der_bool(&seq, "extension.critical");
	value = ay_der_get(&seq, "extension.value", AY_DER_OCTET_STRING);
	ay_rd_window_end(&seq, "extension");
	return value;
}

static void judge_extensions(struct ay_reader *r, struct ay_cert *c)
{
	struct ay_bytes seen[EXTENSIONS_MAX];
	struct ay_reader list;
	size_t n = 0;

	ay_rd_init(&list, c->extensions);
	while (ay_rd_left(&list) > 0) {
		struct ay_bytes oid, value;
		bool critical;

		value = read_extension(&list, &oid, &critical);
		for (size_t i = 0; i < n; i++)
			if (ay_bytes_eq(seen[i], oid))
				ay_rd_reject(r, "extension", "the same one twice");
		if (n == EXTENSIONS_MAX) {
			ay_rd_limit(r, "extensions", n + 1, EXTENSIONS_MAX);
			return;
		}
		seen[n++] = oid;
		if (ay_bytes_eq(oid, AY_OID(AY_OID_BASIC_CONSTRAINTS)))
			read_basic(value, r, c);
		else if (ay_bytes_eq(oid, AY_OID(AY_OID_KEY_USAGE)))
			read_usage(value, r, c);
		c->unknown_critical |= critical && !may_be_critical(oid);
	}
	if (ay_rd_end(&list, "extensions", NULL) != AY_OK)
		ay_rd_reject(r, "extensions", "not DER");
}

static void read_extensions(struct ay_reader *tbs, struct ay_cert *c)
{
	struct ay_reader tagged, seq;

	c->path_len = -1;
	/* issuerUniqueID, subjectUniqueID: nobody uses them, and we would not know what for */
	if (c->version != 3 ||
	    !ay_der_enter_if(tbs, "certificate.extensions", AY_DER_CONTEXT_CONS | 3, &tagged))
		return;
	ay_der_enter(&tagged, "certificate.extensions", AY_DER_SEQUENCE, &seq);
	c->extensions = ay_rd_rest(&seq, "certificate.extensions");
	ay_rd_window_end(&tagged, "certificate.extensions");
	judge_extensions(tbs, c);
}

static void read_tbs(struct ay_reader *tbs, struct ay_cert *c, struct ay_bytes *algorithm)
{
	struct ay_reader validity;
	bool unused;

	read_version(tbs, c);
	c->serial = ay_cert_read_serial(tbs, &c->flags);
	*algorithm = ay_der_whole(tbs, "certificate.signature");
	c->issuer = ay_cert_read_name(tbs, "certificate.issuer", &c->flags, &unused);
	ay_der_enter(tbs, "certificate.validity", AY_DER_SEQUENCE, &validity);
	c->not_before_ms = ay_der_time(&validity, "certificate.notBefore");
	c->not_after_ms = ay_der_time(&validity, "certificate.notAfter");
	ay_rd_window_end(&validity, "certificate.validity");
	c->subject = ay_cert_read_name(tbs, "certificate.subject", &c->flags, &c->subject_empty);
	c->spki = ay_der_whole(tbs, "certificate.subjectPublicKeyInfo");
	read_extensions(tbs, c);
	ay_rd_window_end(tbs, "tbsCertificate");
}

static const char *code_of(const struct ay_err *e)
{
	if (e->rc == AY_E_LIMIT)
		return "CERT_LIMIT";
	if (strcmp(e->where, "certificate.version") == 0)
		return "CERT_VERSION";
	return strcmp(e->where, "certificate") == 0 ? "CERT_TRAILING" : "CERT_MALFORMED";
}

static enum ay_rc finish(struct ay_reader *r, struct ay_bytes inner, struct ay_bytes outer,
			 struct ay_cert *c, struct ay_err *e)
{
	struct ay_err why;
	enum ay_rc rc = ay_rd_end(r, "certificate", &why);

	if (rc != AY_OK) {
		rc = ay_err_coded(&why, rc, code_of(&why));
		if (e != NULL)
			*e = why;
		return rc;
	}
	c->sig_alg = ay_cert_sig_of(outer);
	if (!ay_bytes_eq(inner, outer) || c->sig_alg == AY_CERTSIG_NONE)
		return ay_fail_code(
			e, AY_E_INPUT, "CERT_ALGORITHM", "certificate.signature",
			"signature algorithm not known, or not the same inside and out");
	c->flags |= c->sig_alg == AY_CERTSIG_RSA_SHA1 ? AY_CERT_SHA1 : 0;
	if (c->sig_alg >= AY_CERTSIG_ECDSA_SHA256 && outer.n == sizeof(EC_NULL("8 octets")) - 1)
		c->flags |= AY_CERT_ECDSA_NULL;
	return AY_OK;
}

enum ay_rc ay_cert_parse(struct ay_bytes der, struct ay_cert *out, struct ay_err *e)
{
	struct ay_reader r, whole, tbs;
	struct ay_cert c = { .der = der };
	struct ay_bytes inner, outer;
	size_t at;
	enum ay_rc rc;

	*out = (struct ay_cert){ 0 };
	if (der.n > AY_MAX_CERT_BYTES)
		return ay_fail_code(e, AY_E_LIMIT, "CERT_LIMIT", "certificate",
				    "%zu bytes, the limit is %d", der.n, AY_MAX_CERT_BYTES);
	ay_rd_init(&r, der);
	ay_der_enter(&r, "certificate.sequence", AY_DER_SEQUENCE, &whole);
	at = ay_rd_offset(&whole);
	ay_der_enter(&whole, "tbsCertificate", AY_DER_SEQUENCE, &tbs);
	read_tbs(&tbs, &c, &inner);
	c.tbs = ay_rd_since(&whole, at);
	outer = ay_der_whole(&whole, "certificate.signatureAlgorithm");
	c.signature = ay_der_bits(&whole, "certificate.signatureValue");
	ay_rd_window_end(&whole, "certificate.sequence");
	rc = finish(&r, inner, outer, &c, e);
	if (rc == AY_OK)
		*out = c;
	return rc;
}

struct ay_bytes ay_cert_extension(const struct ay_cert *c, struct ay_bytes oid, bool *critical)
{
	struct ay_reader list;
	struct ay_bytes value, got;
	bool is_critical;

	ay_rd_init(&list, c->extensions);
	while (ay_rd_left(&list) > 0) {
		value = read_extension(&list, &got, &is_critical);
		if (!ay_rd_ok(&list) || !ay_bytes_eq(got, oid))
			continue;
		if (critical != NULL)
			*critical = is_critical;
		return value;
	}
	return (struct ay_bytes){ 0 };
}

bool ay_cert_has_eku(const struct ay_cert *c, struct ay_bytes oid, bool *critical)
{
	struct ay_reader r, seq;
	bool found = false;

	ay_rd_init(&r, ay_cert_extension(c, AY_OID(AY_OID_EXT_KEY_USAGE), critical));
	ay_der_enter(&r, "extendedKeyUsage", AY_DER_SEQUENCE, &seq);
	while (ay_rd_left(&seq) > 0)
		found |= ay_bytes_eq(ay_der_get(&seq, "extendedKeyUsage", AY_DER_OID), oid);
	return ay_rd_end(&r, "extendedKeyUsage", NULL) == AY_OK && found;
}

bool ay_cert_in_date(const struct ay_cert *c, int64_t now_ms)
{
	return c->not_before_ms <= now_ms && now_ms <= c->not_after_ms;
}

void ay_cert_spki_hash(const struct ay_cert *c, uint8_t out[32])
{
	ay_sha256(c->spki, out);
}

enum ay_rc ay_cert_spki_hash_of(struct ay_bytes der, uint8_t out[32], struct ay_err *e)
{
	struct ay_cert c;
	enum ay_rc rc = ay_cert_parse(der, &c, e);

	memset(out, 0, 32);
	if (rc == AY_OK)
		ay_cert_spki_hash(&c, out);
	return rc;
}
