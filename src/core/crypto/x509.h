/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_CRYPTO_X509_H
#define AY_CRYPTO_X509_H

/*
 * X.509 certificates and CRLs [RFC5280], read by our own strict DER reader,
 * and their chain to a named trust set. Only keys and signatures count: an
 * issuer's name merely tells which key to try.
 *
 * Every refusal carries a code: CERT_MALFORMED (not DER, a field missing or
 * twice), CERT_TRAILING, CERT_LIMIT, CERT_VERSION, CERT_ALGORITHM, CERT_KEY; a chain that fails:
 * EK_CHAIN, or whatever code the caller names.
 */
#include "core/base/limits.h"
#include "core/crypto/key.h"

/* Deviations from DER that TPM makers ship and we accept, and notes. One flag each. */
enum ay_cert_flag {
	AY_CERT_NV_HEADER = 1u << 0,	 /* 0x1001/0x1002 header before the DER (TPM 1.2 NV form) */
	AY_CERT_NV_PADDING = 1u << 1,	 /* one repeated octet after the DER */
	AY_CERT_SET_ORDER = 1u << 2,	 /* a SET OF in a name out of DER order */
	AY_CERT_SERIAL_PADDED = 1u << 3, /* serial number not in its shortest form */
	AY_CERT_RSAES_OAEP = 1u << 4,	 /* key type id-RSAES-OAEP, read by hand */
	AY_CERT_SHA1 = 1u << 5,		 /* signed with SHA-1 */
	AY_CERT_ECDSA_NULL = 1u << 6, /* NULL parameters of an ECDSA signature (Intel OnDie CA) */
};

enum ay_cert_usage { /* bits of KeyUsage as a mask, bit 0 first [RFC5280 4.2.1.3] */
		     AY_KU_DIGITAL_SIGNATURE = 1u << 0,
		     AY_KU_KEY_ENCIPHERMENT = 1u << 2,
		     AY_KU_KEY_AGREEMENT = 1u << 4,
		     AY_KU_CERT_SIGN = 1u << 5,
		     AY_KU_CRL_SIGN = 1u << 6,
};

enum ay_cert_sig {
	AY_CERTSIG_NONE = 0,
	AY_CERTSIG_RSA_SHA1,
	AY_CERTSIG_RSA_SHA256,
	AY_CERTSIG_RSA_SHA384,
	AY_CERTSIG_RSA_SHA512,
	AY_CERTSIG_ECDSA_SHA256,
	AY_CERTSIG_ECDSA_SHA384,
	AY_CERTSIG_ECDSA_SHA512,
};

/* All views borrow from the bytes that were parsed. */
struct ay_cert {
	struct ay_bytes der;	/* the whole certificate */
	struct ay_bytes tbs;	/* what is signed */
	struct ay_bytes serial; /* contents of the INTEGER as it stands */
	struct ay_bytes issuer; /* Name, with its tag */
	struct ay_bytes subject;
	bool subject_empty;
	struct ay_bytes spki; /* SubjectPublicKeyInfo, with its tag */
	struct ay_bytes extensions;
	struct ay_bytes signature;
	enum ay_cert_sig sig_alg;
	int64_t not_before_ms;
	int64_t not_after_ms;
	unsigned version; /* 1 or 3 */
	uint32_t flags;	  /* enum ay_cert_flag */
	bool has_key_usage;
	uint32_t key_usage; /* enum ay_cert_usage */
	bool has_basic;
	bool is_ca;
	int path_len;	       /* -1: no limit */
	bool unknown_critical; /* an extension that we do not know and may not ignore */
};

/*
 * Parse one certificate. Nothing is verified.
 *
 *   der  the certificate and nothing after it, at most AY_MAX_CERT_BYTES
 *   out  zeroed on failure; borrows from der
 */
AY_MUST_USE enum ay_rc ay_cert_parse(struct ay_bytes der, struct ay_cert *out, struct ay_err *e);

/* The value of an extension (contents of its OCTET STRING) or {NULL, 0}. oid: contents of an OID.
 */
struct ay_bytes ay_cert_extension(const struct ay_cert *c, struct ay_bytes oid, bool *critical);
/* True if the extendedKeyUsage extension lists this OID. */
bool ay_cert_has_eku(const struct ay_cert *c, struct ay_bytes oid, bool *critical);
/* The public key; rsaesOaep keys too. CERT_KEY. */
AY_MUST_USE enum ay_rc ay_cert_key(const struct ay_cert *c, struct ay_pubkey **out,
				   struct ay_err *e);
/* SHA-256 of the SubjectPublicKeyInfo: what pins are made of. */
void ay_cert_spki_hash(const struct ay_cert *c, uint8_t out[32]);
/* SHA-256 of the SubjectPublicKeyInfo of the certificate in DER; AY_E_INPUT if it does not parse.
 */
AY_MUST_USE enum ay_rc ay_cert_spki_hash_of(struct ay_bytes der, uint8_t out[32], struct ay_err *e);

/* In date at now_ms. */
bool ay_cert_in_date(const struct ay_cert *c, int64_t now_ms);

/* AY_OK if c's signature was made by the holder of key; AY_E_CRYPTO if not. */
AY_MUST_USE enum ay_rc ay_cert_verify(const struct ay_cert *c, const struct ay_pubkey *key,
				      struct ay_err *e);

/* A list of revoked serial numbers; borrows. */
struct ay_crl {
	struct ay_bytes der, tbs, issuer, signature;
	struct ay_bytes revoked; /* contents of revokedCertificates */
	enum ay_cert_sig sig_alg;
	int64_t this_update_ms;
	int64_t next_update_ms; /* 0: none given */
	bool is_partial;	/* a critical extension says that it is not the whole list */
};

AY_MUST_USE enum ay_rc ay_crl_parse(struct ay_bytes der, struct ay_crl *out, struct ay_err *e);
bool ay_crl_lists(const struct ay_crl *crl, struct ay_bytes serial);
AY_MUST_USE enum ay_rc ay_crl_verify(const struct ay_crl *crl, const struct ay_pubkey *key,
				     struct ay_err *e);

/*
 * Certificates that are trusted because an operator put them there, in memory.
 * The caller keeps the bytes; parsed entries borrow from them.
 */
struct ay_trust_set {
	const char *name;
	const struct ay_cert *anchors;
	size_t n_anchors;
	const struct ay_crl *crls;
	size_t n_crls;
};

enum ay_crl_policy { AY_CRL_REQUIRE = 0, AY_CRL_IF_PRESENT, AY_CRL_IGNORE };

struct ay_chain_policy {
	int64_t now_ms;
	bool ignore_dates;
	bool allow_sha1; /* TPM 1.2 only */
	enum ay_crl_policy crl;
	const char *code; /* of a failure; NULL: "EK_CHAIN" */
};

/*
 * AY_OK if leaf chains over the given intermediates (untrusted; each must be a
 * CA that may sign certificates) to an anchor of the set, by signature at every
 * step, with at most AY_MAX_CERT_CHAIN certificates. AY_E_CRYPTO with the
 * policy's code and a reason if not.
 */
AY_MUST_USE enum ay_rc ay_chain_check(const struct ay_cert *leaf, const struct ay_cert *inter,
				      size_t n_inter, const struct ay_trust_set *set,
				      const struct ay_chain_policy *policy, struct ay_err *e);

#endif
