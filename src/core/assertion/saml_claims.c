/* SPDX-License-Identifier: Apache-2.0 */
#include "core/assertion/saml.h"

#define CLAIMS_VERSION 2
/* An AIK certificate in PEM or a tag certificate in base64 is the longest. */
#define STRING_MAX 65000

static void write_string(struct ay_writer *w, const char *s)
{
	ay_wr_u8(w, s != NULL);
	if (s != NULL)
		ay_wr_vec16(w, ay_bytes_of(s));
}

static void write_one(struct ay_writer *w, const struct ay_saml_claims *c)
{
	ay_wr_u8(w, (uint8_t)c->profile);
	ay_wr_u8(w, c->rsa);
	ay_wr_be64(w, (uint64_t)c->quote_ms);
	ay_wr_be64(w, (uint64_t)c->lease_ms);
	ay_wr_u8(w, (uint8_t)c->verdict);
	ay_wr_u8(w, AY_COMPONENTS);
	for (size_t i = 0; i < AY_COMPONENTS; i++) {
		ay_wr_u8(w, (uint8_t)c->component[i]);
		ay_wr_u8(w, (uint8_t)c->grade[i]);
	}
	ay_wr_u8(w, c->has_evidence);
	ay_wr_bytes(w, AY_BYTES(c->evidence_sha256));
	ay_wr_u8(w, c->has_policy);
	ay_wr_bytes(w, AY_BYTES(c->policy_sha256));
	ay_wr_be32(w, c->policy_version);
#define X(field, attribute, when, type) write_string(w, c->field);
#include "core/assertion/saml_claims.def"
#undef X
	ay_wr_be16(w, (uint16_t)c->n_tags);
	for (size_t i = 0; i < c->n_tags; i++) {
		write_string(w, c->tag[i].name);
		write_string(w, c->tag[i].value);
	}
}

void ay_saml_claims_write(struct ay_writer *w, const struct ay_saml_claims *c, size_t n)
{
	ay_wr_u8(w, CLAIMS_VERSION);
	ay_wr_be16(w, (uint16_t)n);
	for (size_t i = 0; i < n; i++)
		write_one(w, &c[i]);
}

static uint8_t read_below(struct ay_reader *r, const char *field, unsigned end)
{
	uint8_t v = ay_rd_u8(r, field);

	if (v >= end)
		ay_rd_reject(r, field, "is %u, not below %u", v, end);
	return v < end ? v : 0;
}

static const char *read_string(struct ay_reader *r, const char *field, struct ay_arena *arena)
{
	struct ay_bytes b;
	const char *s;

	if (read_below(r, field, 2) == 0)
		return NULL;
	b = ay_rd_vec16(r, field, STRING_MAX);
	if (!ay_rd_ok(r))
		return NULL;
	if (b.n > 0 && memchr(b.p, 0, b.n) != NULL)
		ay_rd_reject(r, field, "holds a zero octet");
	s = ay_arena_str(arena, b);
	if (s == NULL)
		ay_rd_reject(r, field, "no memory");
	return s;
}

static void read_verdicts(struct ay_reader *r, struct ay_saml_claims *c)
{
	uint8_t n;

	c->verdict = (enum ay_verdict)read_below(r, "claims.verdict", AY_TRUSTED + 1);
	n = ay_rd_u8(r, "claims.components");
	if (n != AY_COMPONENTS)
		ay_rd_reject(r, "claims.components", "%u, not %u", n, AY_COMPONENTS);
	for (size_t i = 0; i < AY_COMPONENTS && ay_rd_ok(r); i++) {
		c->component[i] =
			(enum ay_verdict)read_below(r, "claims.component", AY_TRUSTED + 1);
		c->grade[i] = (enum ay_grade)read_below(r, "claims.grade", AY_GRADE_TPM_SIGNED + 1);
	}
}

static void read_tags(struct ay_reader *r, struct ay_arena *arena, struct ay_saml_claims *c)
{
	uint16_t n = ay_rd_be16(r, "claims.tags");

	if (n > AY_MAX_LABELS)
		ay_rd_limit(r, "claims.tags", n, AY_MAX_LABELS);
	while (n-- > 0 && ay_rd_ok(r)) {
		c->tag[c->n_tags].name = read_string(r, "claims.tagName", arena);
		c->tag[c->n_tags].value = read_string(r, "claims.tagValue", arena);
		if (c->tag[c->n_tags].name == NULL || c->tag[c->n_tags].value == NULL)
			ay_rd_reject(r, "claims.tag", "has no name or no value");
		c->n_tags++;
	}
}

static void read_one(struct ay_reader *r, struct ay_arena *arena, struct ay_saml_claims *c)
{
	c->profile = (enum ay_saml_profile)read_below(r, "claims.profile", AY_SAML_SECL + 1);
	c->rsa = read_below(r, "claims.rsa", 2) == 1;
	c->quote_ms = (int64_t)ay_rd_be64(r, "claims.quoteTime");
	c->lease_ms = (int64_t)ay_rd_be64(r, "claims.lease");
	read_verdicts(r, c);
	c->has_evidence = read_below(r, "claims.hasEvidence", 2) == 1;
	ay_rd_copy(r, "claims.evidence", c->evidence_sha256, sizeof(c->evidence_sha256));
	c->has_policy = read_below(r, "claims.hasPolicy", 2) == 1;
	ay_rd_copy(r, "claims.policy", c->policy_sha256, sizeof(c->policy_sha256));
	c->policy_version = ay_rd_be32(r, "claims.policyVersion");
#define X(field, attribute, when, type) c->field = read_string(r, "claims." #field, arena);
#include "core/assertion/saml_claims.def"
#undef X
	read_tags(r, arena, c);
}

enum ay_rc ay_saml_claims_parse(struct ay_bytes in, struct ay_arena *arena,
				struct ay_saml_claims **out, size_t *n, struct ay_err *e)
{
	struct ay_saml_claims *c = NULL;
	struct ay_reader r;
	uint8_t version;
	uint16_t hosts;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	version = ay_rd_u8(&r, "claims.version");
	if (version != CLAIMS_VERSION)
		ay_rd_reject(&r, "claims.version", "is %u, not %d", version, CLAIMS_VERSION);
	hosts = ay_rd_be16(&r, "claims.hosts");
	if (hosts > AY_MAX_ASSERTION_HOSTS)
		ay_rd_limit(&r, "claims.hosts", hosts, AY_MAX_ASSERTION_HOSTS);
	if (ay_rd_ok(&r) && hosts == 0)
		ay_rd_reject(&r, "claims.hosts", "is 0");
	if (ay_rd_ok(&r) && !(c = ay_arena_array(arena, hosts, sizeof(*c))))
		ay_rd_reject(&r, "claims.hosts", "no memory");
	for (uint16_t i = 0; i < hosts && ay_rd_ok(&r); i++)
		read_one(&r, arena, &c[i]);
	rc = ay_rd_end(&r, "claims", e);
	*out = rc == AY_OK ? c : NULL;
	*n = rc == AY_OK ? hosts : 0;
	return rc;
}
