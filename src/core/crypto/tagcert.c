/* SPDX-License-Identifier: Apache-2.0 */
#include "core/crypto/tagcert.h"

#include <string.h>

#include "core/base/json.h"
#include "core/crypto/der_write.h"
#include "core/crypto/oids.h"
#include "core/crypto/verify.h"

enum {
	NAME_MAX_BYTES = 64,
	VALUE_MAX_BYTES = 256,
	PAIR_MAX = NAME_MAX_BYTES + 1 + VALUE_MAX_BYTES
};

#define OID_UUID "\x69"			      /* 2.25: the RDN that holds a UUID */
#define OID_NAME_VALUE "\x55\x04\x86\x15\x01" /* 2.5.4.789.1: "name=value" */
#define DIRECTORY_NAME (AY_DER_CONTEXT_CONS | 4)

/* ---- names and values ---- */

/* Without control characters and, for names, '='; that it is UTF-8 is the caller's to see to. */
static bool is_text(struct ay_bytes b, size_t most, bool equals)
{
	for (size_t i = 0; i < b.n; i++)
		if (b.p[i] < 0x20 || b.p[i] == 0x7f || (b.p[i] == '=' && !equals))
			return false;
	return b.n <= most && ay_json_is_utf8(b);
}

static bool is_attr(const struct ay_tag_attr *a)
{
	return a->name.n > 0 && is_text(a->name, NAME_MAX_BYTES, false) &&
	       is_text(a->value, VALUE_MAX_BYTES, true);
}

/* ---- writing ---- */

static void put_holder(struct ay_writer *w, const struct ay_uuid *host)
{
	size_t holder = ay_der_open(w, AY_DER_SEQUENCE),
	       names = ay_der_open(w, AY_DER_CONTEXT_CONS | 1),
	       directory = ay_der_open(w, DIRECTORY_NAME), rdns = ay_der_open(w, AY_DER_SEQUENCE),
	       rdn = ay_der_open(w, AY_DER_SET), pair = ay_der_open(w, AY_DER_SEQUENCE);

	ay_der_put(w, AY_DER_OID, AY_OID(OID_UUID));
	ay_der_put(w, AY_DER_OCTET_STRING, AY_BYTES(host->b));
	ay_der_close(w, pair);
	ay_der_close(w, rdn);
	ay_der_close(w, rdns);
	ay_der_close(w, directory);
	ay_der_close(w, names);
	ay_der_close(w, holder);
}

static void put_issuer(struct ay_writer *w, struct ay_bytes name)
{
	size_t form = ay_der_open(w, AY_DER_CONTEXT_CONS | 0),
	       names = ay_der_open(w, AY_DER_SEQUENCE), directory = ay_der_open(w, DIRECTORY_NAME);

	ay_wr_bytes(w, name);
	ay_der_close(w, directory);
	ay_der_close(w, names);
	ay_der_close(w, form);
}

static void put_algorithm(struct ay_writer *w)
{
	size_t at = ay_der_open(w, AY_DER_SEQUENCE);

	ay_der_put(w, AY_DER_OID, AY_OID(AY_OID_ECDSA_SHA256));
	ay_der_close(w, at);
}

static void put_attr(struct ay_writer *w, const struct ay_tag_attr *a)
{
	size_t attr = ay_der_open(w, AY_DER_SEQUENCE), set, text;

	ay_der_put(w, AY_DER_OID, AY_OID(OID_NAME_VALUE));
	set = ay_der_open(w, AY_DER_SET);
	text = ay_der_open(w, AY_DER_UTF8);
	ay_wr_bytes(w, a->name);
	ay_wr_u8(w, '=');
	ay_wr_bytes(w, a->value);
	ay_der_close(w, text);
	ay_der_close(w, set);
	ay_der_close(w, attr);
}

static void put_acinfo(struct ay_writer *w, const struct ay_tag_cert *c)
{
	static const uint8_t v2[] = { 1 };
	size_t acinfo = ay_der_open(w, AY_DER_SEQUENCE), validity, attrs;

	ay_der_put(w, AY_DER_INTEGER, AY_BYTES(v2));
	put_holder(w, &c->host);
	put_issuer(w, c->issuer_name);
	put_algorithm(w);
	ay_der_put_integer(w, c->serial);
	validity = ay_der_open(w, AY_DER_SEQUENCE);
	ay_der_put_time(w, c->not_before_ms);
	ay_der_put_time(w, c->not_after_ms);
	ay_der_close(w, validity);
	attrs = ay_der_open(w, AY_DER_SEQUENCE);
	for (size_t i = 0; i < c->n_attrs; i++)
		put_attr(w, &c->attr[i]);
	ay_der_close(w, attrs);
	ay_der_close(w, acinfo);
}

static void put_signature(struct ay_writer *w, const uint8_t rs[64])
{
	static const uint8_t no_unused_bits = 0;
	size_t bits = ay_der_open(w, AY_DER_BIT_STRING), pair;

	ay_wr_bytes(w, (struct ay_bytes){ &no_unused_bits, 1 });
	pair = ay_der_open(w, AY_DER_SEQUENCE);
	ay_der_put_integer(w, (struct ay_bytes){ rs, 32 });
	ay_der_put_integer(w, (struct ay_bytes){ rs + 32, 32 });
	ay_der_close(w, pair);
	ay_der_close(w, bits);
}

static enum ay_rc may_issue(const struct ay_tag_cert *c, struct ay_err *e)
{
	if (c->n_attrs == 0 || c->n_attrs > AY_MAX_TAG_ATTRS)
		return ay_fail(e, AY_E_INPUT, "tag.attributes", 0, "1 to %d attributes",
			       AY_MAX_TAG_ATTRS);
	for (size_t i = 0; i < c->n_attrs; i++)
		if (!is_attr(&c->attr[i]))
			return ay_fail(e, AY_E_INPUT, "tag.attributes", i,
				       "a name has 1 to 64 octets without '=', a value at most "
				       "256, both printable UTF-8");
	if (c->not_after_ms <= c->not_before_ms)
		return ay_fail(e, AY_E_INPUT, "tag.validity", 0, "ends before it begins");
	return AY_OK;
}

enum ay_rc ay_tag_cert_issue(const struct ay_tag_cert *c, const struct ay_privkey *ca,
			     uint8_t out[AY_TAG_CERT_MAX], size_t *n, struct ay_err *e)
{
	uint8_t rs[64];
	struct ay_writer w;
	struct ay_bytes der;
	size_t whole, begin;
	enum ay_rc rc = may_issue(c, e);

	*n = 0;
	if (rc != AY_OK)
		return rc;
	ay_wr_init(&w, out, AY_TAG_CERT_MAX);
	whole = ay_der_open(&w, AY_DER_SEQUENCE);
	begin = w.n;
	put_acinfo(&w, c);
	if (w.fail.rc == AY_OK)
		rc = ay_privkey_sign(ca, (struct ay_bytes){ w.p + begin, w.n - begin }, rs, e);
	if (rc != AY_OK)
		return rc;
	put_algorithm(&w);
	put_signature(&w, rs);
	ay_der_close(&w, whole);
	rc = ay_wr_end(&w, "tag", &der, e);
	if (rc == AY_OK)
		*n = der.n;
	return rc;
}

/* ---- reading ---- */

static void expect_oid(struct ay_reader *r, const char *field, struct ay_bytes want)
{
	struct ay_bytes got = ay_der_get(r, field, AY_DER_OID);

	if (ay_rd_ok(r) && !ay_bytes_eq(got, want))
		ay_rd_reject(r, field, "another object identifier");
}

static void read_holder(struct ay_reader *r, struct ay_uuid *host)
{
	struct ay_reader holder, names, directory, rdns, rdn, pair;
	struct ay_bytes uuid;

	ay_der_enter(r, "tag.holder", AY_DER_SEQUENCE, &holder);
	ay_der_enter(&holder, "tag.holder.entityName", AY_DER_CONTEXT_CONS | 1, &names);
	ay_der_enter(&names, "tag.holder.directoryName", DIRECTORY_NAME, &directory);
	ay_der_enter(&directory, "tag.holder.name", AY_DER_SEQUENCE, &rdns);
	ay_der_enter(&rdns, "tag.holder.rdn", AY_DER_SET, &rdn);
	ay_der_enter(&rdn, "tag.holder.attribute", AY_DER_SEQUENCE, &pair);
	expect_oid(&pair, "tag.holder.type", AY_OID(OID_UUID));
	uuid = ay_der_get(&pair, "tag.holder.uuid", AY_DER_OCTET_STRING);
	if (ay_rd_ok(r) && uuid.n != sizeof(host->b))
		ay_rd_reject(r, "tag.holder.uuid", "%zu octets are no UUID", uuid.n);
	else if (ay_rd_ok(r))
		memcpy(host->b, uuid.p, sizeof(host->b));
	ay_rd_window_end(&pair, "tag.holder.attribute");
	ay_rd_window_end(&rdn, "tag.holder.rdn");
	ay_rd_window_end(&rdns, "tag.holder.name");
	ay_rd_window_end(&directory, "tag.holder.directoryName");
	ay_rd_window_end(&names, "tag.holder.entityName");
	ay_rd_window_end(&holder, "tag.holder");
}

static void read_issuer(struct ay_reader *r, struct ay_bytes *name)
{
	struct ay_reader form, names, directory;

	ay_der_enter(r, "tag.issuer", AY_DER_CONTEXT_CONS | 0, &form);
	ay_der_enter(&form, "tag.issuer.names", AY_DER_SEQUENCE, &names);
	ay_der_enter(&names, "tag.issuer.directoryName", DIRECTORY_NAME, &directory);
	*name = ay_der_whole(&directory, "tag.issuer.name");
	ay_rd_window_end(&directory, "tag.issuer.directoryName");
	ay_rd_window_end(&names, "tag.issuer.names");
	ay_rd_window_end(&form, "tag.issuer");
}

static void read_algorithm(struct ay_reader *r, const char *field)
{
	struct ay_reader sub;

	ay_der_enter(r, field, AY_DER_SEQUENCE, &sub);
	expect_oid(&sub, field, AY_OID(AY_OID_ECDSA_SHA256));
	ay_rd_window_end(&sub, field);
}

static void read_attr(struct ay_reader *r, struct ay_tag_attr *a)
{
	struct ay_reader attr, set;
	struct ay_bytes text;
	const uint8_t *equals;

	ay_der_enter(r, "tag.attribute", AY_DER_SEQUENCE, &attr);
	expect_oid(&attr, "tag.attribute.type", AY_OID(OID_NAME_VALUE));
	ay_der_enter(&attr, "tag.attribute.values", AY_DER_SET, &set);
	text = ay_der_get(&set, "tag.attribute.value", AY_DER_UTF8);
	ay_rd_window_end(&set, "tag.attribute.values");
	ay_rd_window_end(&attr, "tag.attribute");
	if (!ay_rd_ok(r))
		return;
	equals = text.n > 0 && text.n <= PAIR_MAX ? memchr(text.p, '=', text.n) : NULL;
	if (equals != NULL) {
		a->name = (struct ay_bytes){ text.p, (size_t)(equals - text.p) };
		a->value = (struct ay_bytes){ equals + 1, text.n - a->name.n - 1 };
	}
	if (equals == NULL || !is_attr(a))
		ay_rd_reject(r, "tag.attribute.value", "not name=value");
}

static void read_attrs(struct ay_reader *r, struct ay_tag_cert *c)
{
	struct ay_reader attrs;

	ay_der_enter(r, "tag.attributes", AY_DER_SEQUENCE, &attrs);
	while (ay_rd_ok(&attrs) && ay_rd_left(&attrs) > 0) {
		if (c->n_attrs == AY_MAX_TAG_ATTRS) {
			ay_rd_limit(&attrs, "tag.attributes", c->n_attrs + 1, AY_MAX_TAG_ATTRS);
			return;
		}
		read_attr(&attrs, &c->attr[c->n_attrs++]);
	}
	if (ay_rd_ok(r) && c->n_attrs == 0)
		ay_rd_reject(r, "tag.attributes", "there is none");
	ay_rd_window_end(&attrs, "tag.attributes");
}

static void read_acinfo(struct ay_reader *r, struct ay_tag_cert *c)
{
	struct ay_reader acinfo, validity;

	ay_der_enter(r, "tag.acinfo", AY_DER_SEQUENCE, &acinfo);
	if (ay_der_u31(&acinfo, "tag.version") != 1 && ay_rd_ok(&acinfo))
		ay_rd_reject(&acinfo, "tag.version", "not version 2");
	read_holder(&acinfo, &c->host);
	read_issuer(&acinfo, &c->issuer_name);
	read_algorithm(&acinfo, "tag.signature");
	c->serial = ay_der_get(&acinfo, "tag.serialNumber", AY_DER_INTEGER);
	if (ay_rd_ok(&acinfo) && (c->serial.n == 0 || c->serial.n > 20 || c->serial.p[0] & 0x80))
		ay_rd_reject(&acinfo, "tag.serialNumber", "not a serial number");
	ay_der_enter(&acinfo, "tag.validity", AY_DER_SEQUENCE, &validity);
	c->not_before_ms = ay_der_time(&validity, "tag.notBefore");
	c->not_after_ms = ay_der_time(&validity, "tag.notAfter");
	ay_rd_window_end(&validity, "tag.validity");
	read_attrs(&acinfo, c);
	ay_rd_window_end(&acinfo, "tag.acinfo");
}

enum ay_rc ay_tag_cert_parse(struct ay_bytes der, struct ay_tag_cert *out, struct ay_err *e)
{
	struct ay_reader r, whole;
	struct ay_tag_cert c = { 0 };
	size_t begin;
	enum ay_rc rc;

	ay_rd_init(&r, der);
	if (der.n > AY_TAG_CERT_MAX)
		ay_rd_limit(&r, "tag", der.n, AY_TAG_CERT_MAX);
	ay_der_enter(&r, "tag", AY_DER_SEQUENCE, &whole);
	begin = ay_rd_offset(&whole);
	read_acinfo(&whole, &c);
	c.signed_octets = ay_rd_since(&whole, begin);
	read_algorithm(&whole, "tag.signatureAlgorithm");
	c.signature = ay_der_bits(&whole, "tag.signatureValue");
	ay_rd_window_end(&whole, "tag");
	rc = ay_err_coded(e, ay_rd_end(&r, "tag", e), "TAG_CERT");
	*out = rc == AY_OK ? c : (struct ay_tag_cert){ 0 };
	return rc;
}

/* ---- judging ---- */

/* A positive INTEGER as a magnitude: the octet that keeps its sign goes. */
static struct ay_bytes magnitude(struct ay_bytes integer)
{
	if (integer.n > 1 && integer.p[0] == 0 && integer.p[1] & 0x80)
		return (struct ay_bytes){ integer.p + 1, integer.n - 1 };
	return integer;
}

static bool is_signed_by(const struct ay_tag_cert *c, const struct ay_pubkey *ca)
{
	struct ay_signature s = { .scheme = AY_ALG_ECDSA, .hash = AY_ALG_SHA256 };
	struct ay_reader r, pair;

	ay_rd_init(&r, c->signature);
	ay_der_enter(&r, "tag.signatureValue", AY_DER_SEQUENCE, &pair);
	s.r = magnitude(ay_der_get(&pair, "tag.signatureValue.r", AY_DER_INTEGER));
	s.s = magnitude(ay_der_get(&pair, "tag.signatureValue.s", AY_DER_INTEGER));
	ay_rd_window_end(&pair, "tag.signatureValue");
	return ay_rd_end(&r, "tag.signatureValue", NULL) == AY_OK &&
	       ay_verify(ca, &s, AY_HASH_BIT_SHA256, c->signed_octets) == AY_SIG_GOOD;
}

enum ay_rc ay_tag_cert_check(const struct ay_tag_cert *c, const struct ay_pubkey *ca,
			     const struct ay_uuid *host, int64_t now_ms, struct ay_err *e)
{
	if (AY_CHECKED("TAG_CERT_SIGNATURE", !is_signed_by(c, ca)))
		return ay_fail_code(e, AY_E_CRYPTO, "TAG_CERT_SIGNATURE", "tag",
				    "not signed by the tag CA");
	if (AY_CHECKED("TAG_CERT_HOST", memcmp(c->host.b, host->b, sizeof(host->b)) != 0))
		return ay_fail_code(e, AY_E_DENIED, "TAG_CERT_HOST", "tag",
				    "the certificate is another host's");
	if (AY_CHECKED("TAG_CERT_EARLY", now_ms < c->not_before_ms))
		return ay_fail_code(e, AY_E_DENIED, "TAG_CERT_EARLY", "tag",
				    "the certificate is not in force yet");
	if (AY_CHECKED("TAG_CERT_EXPIRED", now_ms >= c->not_after_ms))
		return ay_fail_code(e, AY_E_DENIED, "TAG_CERT_EXPIRED", "tag",
				    "the certificate has ended");
	return AY_OK;
}
