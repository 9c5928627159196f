/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_ASSERTION_SAML_H
#define AY_ASSERTION_SAML_H

/*
 * Trust assertions in SAML 2.0: what a host's verdict is, until when, and on
 * what it rests, signed so that others can check it. The attribute names are
 * those of Mt. Wilson and CIT; ours stand beside them.
 *
 * The programs call ay_xml_init() once (xml_init.h) before anything here.
 */
#include "core/appraise/verdict.h"
#include "core/base/arena.h"
#include "core/base/limits.h"
#include "core/base/reader.h"
#include "core/base/writer.h"

#include <openssl/evp.h>

enum ay_saml_profile {
	AY_SAML_ASSAY = 0, /* subject is the host's id; refuses a host whose verdict is unknown */
	AY_SAML_CIT,	   /* for consumers of CIT: subject is the host's name, typed values */
	AY_SAML_SECL,	   /* for consumers of SecL: their attribute names */
};

struct ay_saml_tag {
	const char *name, *value;
};

/*
 * What an assertion says. Strings are borrowed, NULL where there is none.
 * Zeroed claims say that nothing is trusted.
 */
struct ay_saml_claims {
	enum ay_saml_profile profile;
	bool rsa;	  /* sign with the RSA key, for consumers that know no other */
	int64_t quote_ms; /* when the TPM quoted; 0: unknown */
	int64_t lease_ms; /* the assertion ends here at the latest */
	enum ay_verdict verdict;
	enum ay_verdict component[AY_COMPONENTS];
	enum ay_grade grade[AY_COMPONENTS];
	bool has_evidence, has_policy;
	uint8_t evidence_sha256[32];
	uint8_t policy_sha256[32];
	uint32_t policy_version;
#define X(field, attribute, when, type) const char *field;
#include "core/assertion/saml_claims.def"
#undef X
	size_t n_tags; /* shown only if the component asset_tag is trusted */
	struct ay_saml_tag tag[AY_MAX_LABELS];
};

/* The signing key with its certificate and intermediates, made ready once. */
struct ay_saml_key;

/*
 * key: P-256 (ecdsa-sha256) or RSA of 2048 bits and more (rsa-sha256); its
 * reference count is raised. certs: DER, signing certificate first; copied.
 * AY_E_CRYPTO for another kind of key.
 */
AY_MUST_USE enum ay_rc ay_saml_key_new(EVP_PKEY *key, const struct ay_bytes *certs, size_t n_certs,
				       struct ay_saml_key **out, struct ay_err *e);
void ay_saml_key_free(struct ay_saml_key *k);

/* Room for an assertion's ID: '_' and 32 hex digits. */
#define AY_SAML_ID_TEXT 34
/* The ID made of 16 random octets, which must never repeat. */
void ay_saml_id(const uint8_t random[16], char out[AY_SAML_ID_TEXT]);

/*
 * Make and sign an assertion about n hosts.
 *
 *   c       one for each host; what is said of the whole (profile, issuer,
 *           audience) is of the first, and it ends with the earliest lease.
 *           Only AY_SAML_CIT tells of several
 *   id      of ay_saml_id()
 *   now_ms  IssueInstant and NotBefore
 *   out     the document, in the arena
 *
 * AY_E_EXISTS with e->code VERDICT_UNKNOWN: profile assay says nothing about
 * a host whose verdict is unknown (HTTP 409). AY_E_INPUT: the lease has ended,
 * issuer or host id is missing, or a string is not UTF-8 that XML can hold.
 * Spec [SAML-CORE 2.3.3], [XMLDSIG 3.1]
 */
AY_MUST_USE enum ay_rc ay_saml_issue(const struct ay_saml_claims *c, size_t n,
				     const struct ay_saml_key *key, const char *id, int64_t now_ms,
				     struct ay_arena *arena, struct ay_bytes *out,
				     struct ay_err *e);

/*
 * The claims of n hosts (1..AY_MAX_ASSERTION_HOSTS) as octets, for the process
 * that signs; a parse is in the arena.
 */
void ay_saml_claims_write(struct ay_writer *w, const struct ay_saml_claims *c, size_t n);
AY_MUST_USE enum ay_rc ay_saml_claims_parse(struct ay_bytes in, struct ay_arena *arena,
					    struct ay_saml_claims **out, size_t *n,
					    struct ay_err *e);

/* What the verifier asks of an assertion. Views are borrowed. */
struct ay_saml_expect {
	struct ay_bytes cert; /* DER: the signing certificate itself, or a CA above it */
	int64_t now_ms;
	int64_t skew_ms;      /* clocks may differ so much */
	const char *audience; /* must be named; NULL: any, also none */
	const char *issuer;   /* must be it; NULL: any */
	const char *nonce;    /* must be it; NULL: any */
	bool allow_legacy;    /* CIT's own: SHA-1, no Conditions, constant ID */
};

struct ay_saml_attribute {
	const char *name, *value; /* several values of one attribute: several entries */
	size_t statement;	  /* which it stands in, from 0 */
};

/* What a verified assertion says; strings are in the arena. */
struct ay_saml_facts {
	const char *id, *issuer, *subject; /* subject NULL: it tells of several hosts */
	size_t n_statements;
	int64_t issued_ms, not_before_ms, not_on_or_after_ms; /* 0: none (legacy) */
	size_t n_attributes;
	struct ay_saml_attribute *attribute;
};

/*
 * Verify an assertion against a pinned certificate; keys in the document
 * count for nothing by themselves.
 *
 * AY_OK and the facts only when all is well. Refused: AY_E_INPUT, AY_E_LIMIT
 * or AY_E_CRYPTO with e->code one of XML_DOCTYPE XML_LIMIT XML_MALFORMED
 * SAML_COMMENT SAML_SHAPE SAML_WRAPPING SAML_DUPLICATE_ID SAML_UNSIGNED
 * SAML_REFERENCE SAML_ALGORITHM SAML_KEY SAML_SIGNATURE SAML_CONDITIONS.
 */
AY_MUST_USE enum ay_rc ay_saml_verify(struct ay_bytes xml, const struct ay_saml_expect *want,
				      struct ay_arena *arena, struct ay_saml_facts *out,
				      struct ay_err *e);

/* First value of an attribute in one statement; NULL = none. */
const char *ay_saml_fact_of(const struct ay_saml_facts *f, size_t statement, const char *name);
/* The same where there is one statement; always NULL where there are several, so that nobody takes
 * one host's for another's. */
const char *ay_saml_fact(const struct ay_saml_facts *f, const char *name);

#endif
