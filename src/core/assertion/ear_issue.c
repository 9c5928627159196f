/* SPDX-License-Identifier: Apache-2.0 */
#include "core/assertion/ear.h"

#include "core/base/base64.h"
#include "core/base/hex.h"
#include "core/crypto/ticket.h"

#include <stdio.h>

/* Tiers by their first value [draft-ietf-rats-ar4si 2.3.2]. */
enum { AFFIRMING = 2, WARNING = 32, CONTRAINDICATED = 96 };

/* Values of claims [draft-ietf-rats-ar4si 2.3.4]. */
enum { BOOT_ONLY = 3, UNRECOGNIZED_FILES = 33 };

struct vector {
	int identity, configuration, executables, hardware;
};

/* A component that fails and is not required of the host is a warning. */
static int claim(const struct ay_saml_claims *c, enum ay_component k, int warning)
{
	if (c->component[k] == AY_TRUSTED)
		return AFFIRMING;
	if (c->component[k] != AY_UNTRUSTED)
		return 0;
	return c->verdict == AY_TRUSTED ? warning : CONTRAINDICATED;
}

static int executables(const struct ay_saml_claims *c)
{
	int os = claim(c, AY_COMP_OS, UNRECOGNIZED_FILES);
	int runtime = claim(c, AY_COMP_RUNTIME, UNRECOGNIZED_FILES);

	if (os == AFFIRMING && runtime == 0)
		return BOOT_ONLY;
	if (os == 0 && runtime == AFFIRMING)
		return 0; /* nothing is known of what it was booted with */
	return os > runtime ? os : runtime;
}

static struct vector vector_of(const struct ay_saml_claims *c)
{
	return (struct vector){ .identity = claim(c, AY_COMP_IDENTITY, WARNING),
				.configuration = claim(c, AY_COMP_COMPLIANCE, WARNING),
				.executables = executables(c),
				.hardware = claim(c, AY_COMP_PLATFORM, WARNING) };
}

/* Affirming only for a host whose verdict is trusted, and never better than the worst claim. */
static const char *status_of(const struct ay_saml_claims *c, const struct vector *v)
{
	int worst = v->identity;

	worst = v->configuration > worst ? v->configuration : worst;
	worst = v->executables > worst ? v->executables : worst;
	worst = v->hardware > worst ? v->hardware : worst;
	if (c->verdict == AY_UNTRUSTED || worst >= CONTRAINDICATED)
		return "contraindicated";
	if (worst >= WARNING)
		return "warning";
	return AY_CHECKED("EAR_AFFIRMING", c->verdict != AY_TRUSTED) ? "none" : "affirming";
}

static json_t *components_json(const struct ay_saml_claims *c)
{
	json_t *o = json_object();

	for (unsigned k = AY_COMP_IDENTITY; k < AY_COMPONENTS; k++) {
		const char *grade =
			c->grade[k] == AY_GRADE_NONE ? NULL : ay_grade_name(c->grade[k]);

		json_object_set_new(o, ay_component_name((enum ay_component)k),
				    json_pack("{s:s,s:s?}", "verdict",
					      ay_verdict_name(c->component[k]), "grade", grade));
	}
	return o;
}

static void set_text(json_t *o, const char *key, const char *value)
{
	if (value != NULL)
		json_object_set_new(o, key, json_string(value));
}

static void set_hash(json_t *o, const char *key, bool has, const uint8_t hash[32])
{
	char hex[65];

	if (!has)
		return;
	ay_hex_encode((struct ay_bytes){ hash, 32 }, hex);
	set_text(o, key, hex);
}

/* urn:sha256:HEX of the policy that it was judged by; without one it was judged by none. */
static void set_policy(json_t *o, const struct ay_saml_claims *c)
{
	char hex[65], text[96];

	if (!c->has_policy)
		return;
	ay_hex_encode(AY_BYTES(c->policy_sha256), hex);
	snprintf(text, sizeof(text), "urn:sha256:%s", hex);
	set_text(o, "ear.appraisal-policy-id", text);
	set_text(o, "assay.policy", c->policy_name);
	json_object_set_new(o, "assay.policy-version", json_integer(c->policy_version));
}

static json_t *submod(const struct ay_saml_claims *c)
{
	struct vector v = vector_of(c);
	json_t *o = json_pack("{s:s,s:{s:i,s:i,s:i,s:i}}", "ear.status", status_of(c, &v),
			      "ear.trustworthiness-vector", "instance-identity", v.identity,
			      "configuration", v.configuration, "executables", v.executables,
			      "hardware", v.hardware);

	if (o == NULL)
		return NULL;
	set_policy(o, c);
	set_text(o, "assay.verdict", ay_verdict_name(c->verdict));
	json_object_set_new(o, "assay.components", components_json(c));
	set_text(o, "assay.host", c->host_id);
	set_text(o, "assay.name", c->host_name);
	set_text(o, "assay.identity-grade", c->identity_grade);
	set_text(o, "assay.ak-name", c->ak_name);
	set_text(o, "assay.report", c->report_id);
	set_text(o, "assay.references", c->references);
	set_hash(o, "assay.evidence-sha256", c->has_evidence, c->evidence_sha256);
	if (c->quote_ms != 0)
		json_object_set_new(o, "assay.quoted-at", json_integer(c->quote_ms / 1000));
	return o;
}

static json_t *claims_json(const struct ay_saml_claims *c, const uint8_t jti[16], int64_t now_ms)
{
	char id[33];
	json_t *o;

	ay_hex_encode((struct ay_bytes){ jti, 16 }, id);
	o = json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:{s:s,s:s},s:{s:o}}", "eat_profile",
		      AY_EAR_PROFILE, "iss", c->issuer, "sub", c->host_id, "jti", id, "iat",
		      (json_int_t)(now_ms / 1000), "exp", (json_int_t)(c->lease_ms / 1000),
		      "ear.verifier-id", "developer", "Assay", "build",
		      c->engine ? c->engine : "assay", "submods", "host", submod(c));
	if (o == NULL)
		return NULL;
	set_text(o, "aud", c->audience);
	set_text(o, "eat_nonce", c->nonce);
	return o;
}

static enum ay_rc check_claims(const struct ay_saml_claims *c, int64_t now_ms, struct ay_err *e)
{
	size_t nonce = c->nonce ? strlen(c->nonce) : AY_EAT_NONCE_MIN;

	if (c->issuer == NULL || c->host_id == NULL)
		return ay_fail(e, AY_E_INPUT, "ear", 0, "no issuer or no host id");
	if (nonce < AY_EAT_NONCE_MIN || nonce > AY_EAT_NONCE_MAX)
		return ay_fail_code(e, AY_E_INPUT, "NONCE", "ear.nonce",
				    "a nonce in an EAT has %d to %d characters", AY_EAT_NONCE_MIN,
				    AY_EAT_NONCE_MAX);
	if (c->lease_ms / 1000 <= now_ms / 1000)
		return ay_fail_code(e, AY_E_EXISTS, "VERDICT_UNKNOWN", "ear.lease",
				    "the lease has ended");
	return AY_OK;
}

static enum ay_rc header_of(const struct ay_privkey *key, char *out, size_t max, struct ay_err *e)
{
	uint8_t spki[AY_SPKI_P256];
	struct ay_jwk k;
	enum ay_rc rc = ay_privkey_spki(key, spki, e);

	if (rc == AY_OK)
		rc = ay_jwk_of_spki(AY_BYTES(spki), &k, e);
	if (rc == AY_OK)
		snprintf(out, max, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"eat+jwt\"}", k.kid);
	return rc;
}

enum ay_rc ay_ear_issue(const struct ay_saml_claims *c, const struct ay_privkey *key,
			const uint8_t jti[16], int64_t now_ms, struct ay_arena *arena,
			struct ay_bytes *out, struct ay_err *e)
{
	char header[128];
	struct ay_bytes payload = { 0 };
	size_t room;
	char *text;
	json_t *claims;
	enum ay_rc rc = check_claims(c, now_ms, e);

	*out = (struct ay_bytes){ 0 };
	if (rc == AY_OK)
		rc = header_of(key, header, sizeof(header), e);
	if (rc != AY_OK)
		return rc;
	claims = claims_json(c, jti, now_ms);
	if (claims != NULL)
		payload = ay_json_canonical(claims, arena);
	json_decref(claims);
	if (payload.p == NULL)
		return ay_fail(e, AY_E_INPUT, "ear", 0, "a string is not text");
	room = AY_BASE64_ROOM(payload.n) + 512;
	text = ay_arena_alloc(arena, room);
	if (text == NULL)
		return ay_fail(e, AY_E_NOMEM, "ear", 0, "no memory");
	rc = ay_jws_sign(ay_bytes_of(header), payload, key, text, room, e);
	if (rc == AY_OK)
		*out = ay_bytes_of(text);
	return rc;
}
