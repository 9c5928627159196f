/* SPDX-License-Identifier: Apache-2.0 */
#include "core/authz/signed_request.h"

#include "core/authz/signed_text.h"
#include "core/base/base64.h"
#include "core/base/reader.h"
#include "core/base/timetext.h"
#include "core/crypto/hash.h"
#include "core/crypto/kdf.h"
#include "core/crypto/verify.h"

#include <openssl/crypto.h>
#include <strings.h>

enum { RSA_BITS = 2048, SIGNATURE_MAX = 1024, USER_MAX = AY_MAX_NAME_BYTES };

static bool is_scheme(struct ay_bytes text, const char *scheme)
{
	size_t n = strlen(scheme);

	return text.n > n && strncasecmp((const char *)text.p, scheme, n) == 0 && text.p[n] == ' ';
}

bool ay_sr_is_x509(struct ay_bytes authorization)
{
	return is_scheme(authorization, "X509");
}

bool ay_sr_is_hmac(struct ay_bytes authorization)
{
	return is_scheme(authorization, "MtWilson");
}

/* ---- what stands in the header ---- */

static enum ay_rc malformed(struct ay_err *e, const char *field, const char *why)
{
	return ay_fail_code(e, AY_E_DENIED, "AUTH_MALFORMED", field, "%s", why);
}

static enum ay_rc bad_algorithm(struct ay_err *e, const char *why)
{
	return ay_fail_code(e, AY_E_DENIED, "AUTH_ALGORITHM", "authorization.algorithm", "%s", why);
}

/* A value of base 64 to octets of the arena. */
static enum ay_rc octets(struct ay_bytes text, const char *field, size_t max, struct ay_arena *a,
			 struct ay_bytes *out, struct ay_err *e)
{
	uint8_t *to = ay_arena_alloc(a, max);
	size_t n = 0;

	*out = (struct ay_bytes){ NULL, 0 };
	if (to == NULL)
		return ay_fail(e, AY_E_NOMEM, field, 0, "out of memory");
	if (ay_base64_decode(AY_BASE64_STD, text, field, to, max, &n, NULL) != AY_OK || n == 0)
		return malformed(e, field, "not base 64 of the right length");
	*out = (struct ay_bytes){ to, n };
	return AY_OK;
}

static bool is_one_of(struct ay_bytes text, const char *a, const char *b)
{
	return ay_bytes_eq(text, ay_bytes_of(a)) || ay_bytes_eq(text, ay_bytes_of(b));
}

static enum ay_rc x509_values(struct ay_sr_x509 *s, struct ay_bytes list, struct ay_bytes signature,
			      struct ay_arena *a, struct ay_err *e)
{
	struct ay_bytes print;
	enum ay_rc rc = octets(s->fingerprint_text, "authorization.fingerprint",
			       sizeof(s->fingerprint), a, &print, e);

	if (rc != AY_OK)
		return rc;
	if (print.n != sizeof(s->fingerprint))
		return malformed(e, "authorization.fingerprint", "not a SHA-256 in base 64");
	memcpy(s->fingerprint, print.p, sizeof(s->fingerprint));
	if (AY_CHECKED("SIGNED_ALGORITHM", !is_one_of(s->algorithm, "SHA256withRSA", "RSA-SHA256")))
		return bad_algorithm(e, "sign with SHA256withRSA");
	s->n_headers = ay_st_names(list, s->header, AY_SR_HEADERS);
	if (s->n_headers == 0)
		return malformed(e, "authorization.headers", "not a list of names of headers");
	return octets(signature, "authorization.signature", SIGNATURE_MAX, a, &s->signature, e);
}

enum ay_rc ay_sr_x509_parse(struct ay_bytes text, struct ay_arena *a, struct ay_sr_x509 *out,
			    struct ay_err *e)
{
	struct ay_sr_x509 s = { 0 };
	struct ay_bytes list = { 0 }, signature = { 0 };
	const struct ay_st_param want[] = {
		{ "realm", &s.realm },	     { "fingerprint", &s.fingerprint_text },
		{ "headers", &list },	     { "algorithm", &s.algorithm },
		{ "signature", &signature },
	};
	enum ay_rc rc = ay_st_params(text, "X509", want, AY_COUNT(want), e);

	if (rc == AY_OK)
		rc = x509_values(&s, list, signature, a, e);
	*out = rc == AY_OK ? s : (struct ay_sr_x509){ 0 };
	return rc;
}

static enum ay_rc hmac_values(struct ay_sr_hmac *s, struct ay_bytes signature, struct ay_arena *a,
			      struct ay_err *e)
{
	struct ay_bytes mac;
	enum ay_rc rc = octets(s->user_text, "authorization.username", USER_MAX, a, &s->user, e);

	if (rc == AY_OK)
		rc = octets(signature, "authorization.signature", sizeof(s->signature), a, &mac, e);
	if (rc != AY_OK)
		return rc;
	if (AY_CHECKED("SIGNED_ALGORITHM", !is_one_of(s->algorithm, "HMAC-SHA256", "HmacSHA256")))
		return bad_algorithm(e, "sign with HMAC-SHA256");
	if (mac.n != sizeof(s->signature))
		return malformed(e, "authorization.signature", "not an HMAC-SHA256 in base 64");
	memcpy(s->signature, mac.p, sizeof(s->signature));
	return AY_OK;
}

enum ay_rc ay_sr_hmac_parse(struct ay_bytes text, struct ay_arena *a, struct ay_sr_hmac *out,
			    struct ay_err *e)
{
	struct ay_sr_hmac s = { 0 };
	struct ay_bytes signature = { 0 };
	const struct ay_st_param want[] = {
		{ "http_method", &s.method },  { "uri", &s.uri },
		{ "username", &s.user_text },  { "nonce", &s.nonce },
		{ "timestamp", &s.timestamp }, { "signature_method", &s.algorithm },
		{ "signature", &signature },
	};
	enum ay_rc rc = ay_st_params(text, "MtWilson", want, AY_COUNT(want), e);

	if (rc == AY_OK)
		rc = hmac_values(&s, signature, a, e);
	*out = rc == AY_OK ? s : (struct ay_sr_hmac){ 0 };
	return rc;
}

/* ---- what is true of both ---- */

static enum ay_rc in_window(int64_t date_ms, int64_t now_ms, struct ay_err *e)
{
	bool old = date_ms < now_ms - AY_MAX_SIGNED_AGE_S * INT64_C(1000);
	bool ahead = date_ms > now_ms + AY_MAX_SIGNED_AHEAD_S * INT64_C(1000);
	char now[AY_TIME_ROOM];

	ay_time_format(now_ms, now);
	if (AY_CHECKED("SIGNED_DATE_OLD", old) || AY_CHECKED("SIGNED_DATE_AHEAD", ahead))
		return ay_fail_code(e, AY_E_DENIED, "AUTH_DATE", "authorization.date",
				    "signed too long ago, or ahead of time; it is %s here", now);
	return AY_OK;
}

/* A request that was made for another server is not taken here, whoever sends it on. */
static enum ay_rc for_us(const struct ay_sr_asked *q, struct ay_err *e)
{
	struct ay_bytes name = ay_st_host_name(q->authority);
	bool own = false;

	for (size_t i = 0; i < q->n_own_names && name.n > 0; i++)
		own = own || (q->own_name[i].n == name.n &&
			      strncasecmp((const char *)q->own_name[i].p, (const char *)name.p,
					  name.n) == 0);
	if (AY_CHECKED("SIGNED_HOST", !own))
		return ay_fail_code(e, AY_E_DENIED, "AUTH_HOST", "host",
				    "ask by a name that is in the server's certificate");
	return AY_OK;
}

static enum ay_rc wrong(struct ay_err *e)
{
	return ay_fail_code(e, AY_E_DENIED, "AUTH_FAILED", "authorization",
			    "not signed by a known key over this request");
}

/* ---- X509 ---- */

static const struct ay_sr_field *sent(const struct ay_sr_asked *q, struct ay_bytes name)
{
	for (size_t i = 0; i < q->n_headers; i++)
		if (q->header[i].name.n == name.n && strncasecmp((const char *)q->header[i].name.p,
								 (const char *)name.p, name.n) == 0)
			return &q->header[i];
	return NULL;
}

/* The headers that are signed, with their values; Date must be among them. */
static enum ay_rc signed_fields(const struct ay_sr_x509 *s, const struct ay_sr_asked *q,
				struct ay_sr_field out[AY_SR_HEADERS], int64_t *date_ms,
				struct ay_err *e)
{
	bool dated = false;

	for (size_t i = 0; i < s->n_headers; i++) {
		const struct ay_sr_field *f = sent(q, s->header[i]);

		if (f == NULL)
			return ay_fail_code(e, AY_E_DENIED, "AUTH_HEADERS", "authorization.headers",
					    "a header that is said to be signed did not arrive");
		out[i] = (struct ay_sr_field){ s->header[i], f->value };
		if (!ay_bytes_eq(f->name, ay_bytes_of("date")))
			continue;
		dated = true;
		if (ay_time_parse_rfc822(f->value, "date", date_ms, NULL) != AY_OK)
			return ay_fail_code(e, AY_E_DENIED, "AUTH_DATE", "date",
					    "not a date of RFC 822");
	}
	if (AY_CHECKED("SIGNED_DATE", !dated))
		return ay_fail_code(e, AY_E_DENIED, "AUTH_HEADERS", "authorization.headers",
				    "sign the header Date");
	return AY_OK;
}

static bool is_signed(const struct ay_sr_x509 *s, const struct ay_sr_asked *q,
		      const struct ay_sr_field *field, const struct ay_pubkey *key,
		      struct ay_arena *a)
{
	struct ay_signature sig = { .scheme = AY_ALG_RSASSA,
				    .hash = AY_ALG_SHA256,
				    .rsa = s->signature };

	struct ay_bytes last = { NULL, 0 };

	for (unsigned form = 0; form < AY_ST_FORMS; form++) {
		struct ay_bytes text = ay_st_x509_text(s, q, field, form, a);

		if (text.p == NULL || ay_bytes_eq(text, last))
			return false;
		if (ay_verify(key, &sig, AY_HASH_BIT_SHA256, text) == AY_SIG_GOOD)
			return true;
		last = text;
	}
	return false;
}

static enum ay_rc by_key(const struct ay_sr_x509 *s, const struct ay_sr_asked *q,
			 const struct ay_sr_field *field, const struct ay_cert *client,
			 struct ay_arena *a, struct ay_err *e)
{
	struct ay_pubkey *key = NULL;
	enum ay_rc rc = ay_cert_key(client, &key, e);
	bool good;

	if (rc != AY_OK)
		return rc;
	if (ay_pubkey_kind(key) != AY_KEY_RSA ||
	    AY_CHECKED("SIGNED_KEY_SIZE", ay_pubkey_bits(key) < RSA_BITS)) {
		ay_pubkey_free(key);
		return bad_algorithm(e, "the certificate's key is not RSA of 2048 bits or more");
	}
	good = is_signed(s, q, field, key, a);
	ay_pubkey_free(key);
	return AY_CHECKED("SIGNED_SIGNATURE", !good) ? wrong(e) : AY_OK;
}

enum ay_rc ay_sr_x509_check(const struct ay_sr_x509 *s, const struct ay_sr_asked *q,
			    const struct ay_cert *client, struct ay_arena *a, int64_t *date_ms,
			    struct ay_err *e)
{
	struct ay_sr_field field[AY_SR_HEADERS] = { 0 };
	uint8_t print[32];
	int64_t at = 0;
	enum ay_rc rc;

	*date_ms = 0;
	ay_sha256(client->der, print);
	if (AY_CHECKED("SIGNED_FINGERPRINT", memcmp(print, s->fingerprint, sizeof(print)) != 0))
		return wrong(e);
	rc = signed_fields(s, q, field, &at, e);
	if (rc == AY_OK)
		rc = for_us(q, e);
	if (rc == AY_OK)
		rc = in_window(at, q->now_ms, e);
	if (rc == AY_OK && AY_CHECKED("SIGNED_CERT_DATES", !ay_cert_in_date(client, q->now_ms)))
		rc = ay_fail_code(e, AY_E_DENIED, "AUTH_EXPIRED", "authorization.fingerprint",
				  "the certificate is out of date");
	if (rc == AY_OK)
		rc = by_key(s, q, field, client, a, e);
	if (rc == AY_OK)
		*date_ms = at;
	return rc;
}

/* ---- MtWilson ---- */

static enum ay_rc same_url(const struct ay_sr_hmac *s, const struct ay_sr_asked *q,
			   struct ay_arena *a, struct ay_err *e)
{
	bool same = false;

	for (unsigned form = 0; form < AY_ST_FORMS; form++)
		same = same || ay_bytes_eq(ay_st_url(q, form, a), s->uri);
	if (AY_CHECKED("SIGNED_URL", !same) ||
	    AY_CHECKED("SIGNED_METHOD", !ay_bytes_eq(s->method, ay_bytes_of(q->method))))
		return ay_fail_code(e, AY_E_DENIED, "AUTH_URL", "authorization.uri",
				    "signed for another method or URL than this");
	return AY_OK;
}

enum ay_rc ay_sr_hmac_check(const struct ay_sr_hmac *s, const struct ay_sr_asked *q,
			    struct ay_bytes key, struct ay_arena *a, int64_t *date_ms,
			    struct ay_err *e)
{
	struct ay_bytes text = ay_st_hmac_text(s, q, a);
	uint8_t mac[32];
	int64_t at = 0;
	bool good;
	enum ay_rc rc;

	*date_ms = 0;
	if (text.p == NULL)
		return ay_fail(e, AY_E_NOMEM, "authorization", 0, "out of memory");
	ay_hmac_sha256(key, text, mac);
	good = CRYPTO_memcmp(mac, s->signature, sizeof(mac)) == 0 && key.n > 0;
	OPENSSL_cleanse(mac, sizeof(mac));
	if (AY_CHECKED("SIGNED_HMAC", !good))
		return wrong(e);
	if (ay_time_parse_iso(s->timestamp, "timestamp", &at, NULL) != AY_OK)
		return ay_fail_code(e, AY_E_DENIED, "AUTH_DATE", "authorization.timestamp",
				    "not a date of ISO 8601");
	rc = for_us(q, e);
	if (rc == AY_OK)
		rc = same_url(s, q, a, e);
	if (rc == AY_OK)
		rc = in_window(at, q->now_ms, e);
	if (rc == AY_OK)
		*date_ms = at;
	return rc;
}
