/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/identity12.h"

#include "core/base/limits.h"
#include "core/crypto/cbc.h"
#include "core/crypto/hash.h"
#include "core/crypto/kdf.h"
#include "core/crypto/verify.h"

enum {
	ALG_AES128 = 6,
	ES_CBC_PKCS5 = 0xff,
	SS_NONE = 1,
	ORD_MAKE_IDENTITY = 0x79,
	SIGNATURE_MAX = 512,
	CERT_MAX = 16 * 1024,
	CREDENTIAL_MAX = 8 * 1024, /* platform and conformance credentials, passed over */
	PARMS_MAX = 64,
	PROOF_MAX = 8 * 1024,
	KEY = 16,
};

static const uint8_t version_1_1[4] = { 1, 1, 0, 0 };

/* ---- what the new key signs ---- */

bool ay_chosen12(struct ay_bytes label, const struct ay_pubkey *ca, uint16_t enc_scheme,
		 uint8_t out[20])
{
	struct ay_public12 k = { .enc_scheme = enc_scheme,
				 .sig_scheme = AY_SS12_NONE,
				 .bits = ay_pubkey_bits(ca),
				 .primes = 2,
				 .modulus = ay_pubkey_numbers(ca) };
	uint8_t buf[AY_LABEL12_MAX + 64 + AY_RSA_BYTES_MAX];
	struct ay_writer w;
	struct ay_bytes b;

	ay_wr_init(&w, buf, sizeof(buf));
	ay_wr_bytes(&w, label);
	ay_public12_write(&w, &k);
	return ay_pubkey_kind(ca) == AY_KEY_RSA && ay_wr_end(&w, "chosen", &b, NULL) == AY_OK &&
	       ay_hash_of(AY_ALG_SHA1, b, out);
}

void ay_contents12_write(struct ay_writer *w, const uint8_t chosen[20], struct ay_bytes ak)
{
	ay_wr_bytes(w, AY_BYTES(version_1_1));
	ay_wr_be32(w, ORD_MAKE_IDENTITY);
	ay_wr_bytes(w, (struct ay_bytes){ chosen, 20 });
	ay_wr_bytes(w, ak);
}

static bool is_bound(const struct ay_proof12 *p, const struct ay_pubkey *ak,
		     const struct ay_pubkey *ca, uint16_t enc_scheme)
{
	struct ay_signature s = { .scheme = AY_ALG_RSASSA, .hash = AY_ALG_SHA1, .rsa = p->binding };
	uint8_t chosen[20], buf[64 + AY_MAX_PUBLIC_BYTES];
	struct ay_writer w;
	struct ay_bytes contents;

	if (!ay_chosen12(p->label, ca, enc_scheme, chosen))
		return false;
	ay_wr_init(&w, buf, sizeof(buf));
	ay_contents12_write(&w, chosen, p->ak);
	return ay_wr_end(&w, "contents", &contents, NULL) == AY_OK &&
	       ay_verify(ak, &s, AY_HASHES_TPM12, contents) == AY_SIG_GOOD;
}

enum ay_rc ay_proof12_check(const struct ay_proof12 *p, const struct ay_pubkey *ak,
			    const struct ay_pubkey *ca, struct ay_err *e)
{
	/* which of the two schemes a client believes our key to have is its own affair */
	bool ok =
		is_bound(p, ak, ca, AY_ES12_RSAES_OAEP) || is_bound(p, ak, ca, AY_ES12_RSAES_PKCS1);

	if (AY_CHECKED("AK12_BINDING", !ok))
		return ay_fail(e, AY_E_CRYPTO, "proof.identityBinding", 0,
			       "the key did not sign that it was made for this label and this CA");
	return AY_OK;
}

/* ---- TPM_IDENTITY_PROOF ---- */

enum ay_rc ay_proof12_parse(struct ay_bytes in, struct ay_proof12 *out, struct ay_err *e)
{
	struct ay_proof12 p = { 0 };
	uint32_t label, binding, ek, platform, conformance;
	struct ay_public12 key;
	struct ay_reader r;
	size_t at;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	(void)ay_rd_be32(&r, "proof.ver");
	label = ay_rd_be32(&r, "proof.labelSize");
	binding = ay_rd_be32(&r, "proof.identityBindingSize");
	ek = ay_rd_be32(&r, "proof.endorsementSize");
	platform = ay_rd_be32(&r, "proof.platformSize");
	conformance = ay_rd_be32(&r, "proof.conformanceSize");
	if (ay_rd_ok(&r) && (label > AY_LABEL12_MAX || binding > SIGNATURE_MAX || ek > CERT_MAX ||
			     platform > CREDENTIAL_MAX || conformance > CREDENTIAL_MAX))
		ay_rd_reject(&r, "proof.sizes", "one of them is too large");
	at = ay_rd_offset(&r);
	ay_public12_read(&r, &key);
	p.ak = ay_rd_since(&r, at);
	p.label = ay_rd_bytes(&r, "proof.label", label);
	p.binding = ay_rd_bytes(&r, "proof.identityBinding", binding);
	p.ek_cert = ay_rd_bytes(&r, "proof.endorsementCredential", ek);
	(void)ay_rd_bytes(&r, "proof.platformCredential", platform);
	(void)ay_rd_bytes(&r, "proof.conformanceCredential", conformance);
	rc = ay_rd_end(&r, "proof", e);
	*out = rc == AY_OK ? p : (struct ay_proof12){ 0 };
	return rc;
}

void ay_proof12_write(struct ay_writer *w, const struct ay_proof12 *p)
{
	ay_wr_bytes(w, AY_BYTES(version_1_1));
	ay_wr_be32(w, (uint32_t)p->label.n);
	ay_wr_be32(w, (uint32_t)p->binding.n);
	ay_wr_be32(w, (uint32_t)p->ek_cert.n);
	ay_wr_be32(w, 0);
	ay_wr_be32(w, 0);
	ay_wr_bytes(w, p->ak);
	ay_wr_bytes(w, p->label);
	ay_wr_bytes(w, p->binding);
	ay_wr_bytes(w, p->ek_cert);
}

/* ---- TPM_SYMMETRIC_KEY and its parameters ---- */

static void write_symmetric(struct ay_writer *w, const uint8_t key[KEY])
{
	ay_wr_be32(w, ALG_AES128);
	ay_wr_be16(w, ES_CBC_PKCS5);
	ay_wr_be16(w, KEY);
	ay_wr_bytes(w, (struct ay_bytes){ key, KEY });
}

static bool read_symmetric(struct ay_bytes in, uint8_t key[KEY])
{
	struct ay_reader r;
	uint32_t alg;
	uint16_t n;

	ay_rd_init(&r, in);
	alg = ay_rd_be32(&r, "symmetric.algId");
	(void)ay_rd_be16(&r, "symmetric.encScheme"); /* CBC whatever it says */
	n = ay_rd_be16(&r, "symmetric.size");
	if (ay_rd_ok(&r) && (alg != ALG_AES128 || n != KEY))
		ay_rd_reject(&r, "symmetric.algId", "not AES-128");
	ay_rd_copy(&r, "symmetric.data", key, KEY);
	return ay_rd_end(&r, "symmetric", NULL) == AY_OK;
}

/* TPM_KEY_PARMS with TPM_SYMMETRIC_KEY_PARMS [TPM12-P2 10.1.2] */
static void write_symmetric_parms(struct ay_writer *w, const uint8_t iv[AY_CBC_BLOCK])
{
	size_t at;

	ay_wr_be32(w, ALG_AES128);
	ay_wr_be16(w, ES_CBC_PKCS5);
	ay_wr_be16(w, SS_NONE);
	at = ay_wr_open32(w);
	ay_wr_be32(w, 8 * KEY);
	ay_wr_be32(w, 8 * AY_CBC_BLOCK);
	ay_wr_vec32(w, (struct ay_bytes){ iv, AY_CBC_BLOCK });
	ay_wr_close32(w, at);
}

/* Any TPM_KEY_PARMS; iv is the one of a symmetric cipher, empty if there is none. */
static void skip_parms(struct ay_reader *r, struct ay_bytes *iv)
{
	struct ay_reader parms;
	struct ay_bytes all;

	*iv = (struct ay_bytes){ 0 };
	(void)ay_rd_bytes(r, "parms.algorithm", 4 + 2 + 2);
	all = ay_rd_vec32(r, "parms.parms", PARMS_MAX);
	ay_rd_init(&parms, all);
	(void)ay_rd_bytes(&parms, "parms.lengths", 4 + 4);
	*iv = ay_rd_vec32(&parms, "parms.IV", AY_CBC_BLOCK);
	if (ay_rd_end(&parms, "parms", NULL) != AY_OK || iv->n != AY_CBC_BLOCK)
		*iv = (struct ay_bytes){ 0 };
}

/* ---- TPM_IDENTITY_REQ ---- */

static void write_rsa_parms(struct ay_writer *w, const struct ay_pubkey *ca)
{
	ay_wr_be32(w, 1);
	ay_wr_be16(w, AY_ES12_RSAES_OAEP);
	ay_wr_be16(w, SS_NONE);
	ay_wr_be32(w, 12);
	ay_wr_be32(w, ay_pubkey_bits(ca));
	ay_wr_be32(w, 2);
	ay_wr_be32(w, 0);
}

static enum ay_rc seal_key(const struct ay_pubkey *ca, const struct ay_idreq12_random *random,
			   uint8_t out[AY_RSA_BYTES_MAX], size_t *n, struct ay_err *e)
{
	uint8_t key[4 + 2 + 2 + KEY];
	struct ay_writer w;
	struct ay_bytes b;
	enum ay_rc rc;

	ay_wr_init(&w, key, sizeof(key));
	write_symmetric(&w, random->key);
	rc = ay_wr_end(&w, "symmetric", &b, e);
	if (rc == AY_OK)
		rc = ay_oaep_seal(ca, AY_ALG_SHA1, ay_bytes_of(AY_OAEP_TCPA), b, random->salt, out,
				  n, e);
	ay_wipe(key, sizeof(key));
	return rc;
}

enum ay_rc ay_idreq12_seal(const struct ay_proof12 *p, const struct ay_pubkey *ca,
			   const struct ay_idreq12_random *random, struct ay_writer *w,
			   struct ay_err *e)
{
	uint8_t plain[PROOF_MAX], sealed[PROOF_MAX + AY_CBC_BLOCK], asym[AY_RSA_BYTES_MAX];
	size_t asym_n = 0, sealed_n = 0;
	struct ay_writer pw;
	struct ay_bytes b;
	enum ay_rc rc;

	ay_wr_init(&pw, plain, sizeof(plain));
	ay_proof12_write(&pw, p);
	rc = ay_wr_end(&pw, "proof", &b, e);
	if (rc == AY_OK)
		rc = ay_cbc_seal(random->key, random->iv, b, sealed, &sealed_n, e);
	if (rc == AY_OK)
		rc = seal_key(ca, random, asym, &asym_n, e);
	if (rc != AY_OK)
		return rc;
	ay_wr_be32(w, (uint32_t)asym_n);
	ay_wr_be32(w, (uint32_t)(AY_CBC_BLOCK + sealed_n));
	write_rsa_parms(w, ca);
	write_symmetric_parms(w, random->iv);
	ay_wr_bytes(w, (struct ay_bytes){ asym, asym_n });
	ay_wr_bytes(w, AY_BYTES(random->iv));
	ay_wr_bytes(w, (struct ay_bytes){ sealed, sealed_n });
	return AY_OK;
}

struct request {
	struct ay_bytes asym, sym, iv;
};

static enum ay_rc read_request(struct ay_bytes in, struct request *q, struct ay_err *e)
{
	uint32_t asym, sym;
	struct ay_bytes none;
	struct ay_reader r;

	ay_rd_init(&r, in);
	asym = ay_rd_be32(&r, "identityReq.asymSize");
	sym = ay_rd_be32(&r, "identityReq.symSize");
	if (ay_rd_ok(&r) && (asym > AY_RSA_BYTES_MAX || sym > PROOF_MAX + 2 * AY_CBC_BLOCK))
		ay_rd_reject(&r, "identityReq.sizes", "one of them is too large");
	skip_parms(&r, &none);
	skip_parms(&r, &q->iv);
	q->asym = ay_rd_bytes(&r, "identityReq.asymBlob", asym);
	q->sym = ay_rd_bytes(&r, "identityReq.symBlob", sym);
	return ay_rd_end(&r, "identityReq", e);
}

/* The session key, or one that only we could know: there is always one. */
static void open_key(const struct ay_rsakey *ca, struct ay_bytes asym, struct ay_bytes secret,
		     uint8_t key[KEY])
{
	static const enum ay_rsaes ways[] = { AY_RSAES_OAEP_TCPA, AY_RSAES_OAEP, AY_RSAES_PKCS1 };
	uint8_t plain[AY_RSA_BYTES_MAX], mac[32];
	size_t n;

	ay_hmac_sha256(secret, asym, mac);
	memcpy(key, mac, KEY);
	for (size_t i = 0; i < AY_COUNT(ways); i++) {
		uint8_t found[KEY];

		if (ay_rsakey_decrypt(ca, ways[i], asym, plain, &n, NULL) == AY_OK &&
		    read_symmetric((struct ay_bytes){ plain, n }, found))
			memcpy(key, found, KEY);
	}
	ay_wipe(plain, sizeof(plain));
}

static bool open_proof(const uint8_t key[KEY], const uint8_t *iv, struct ay_bytes sealed,
		       uint8_t *buf, size_t max, struct ay_proof12 *out)
{
	size_t n;

	return sealed.n <= max && ay_cbc_open(key, iv, sealed, buf, &n, NULL) == AY_OK &&
	       ay_proof12_parse((struct ay_bytes){ buf, n }, out, NULL) == AY_OK;
}

enum ay_rc ay_idreq12_open(struct ay_bytes in, const struct ay_rsakey *ca, struct ay_bytes secret,
			   uint8_t *buf, size_t max, struct ay_proof12 *out, struct ay_err *e)
{
	struct request q = { 0 };
	uint8_t key[KEY];
	bool ok;
	enum ay_rc rc = read_request(in, &q, e);

	*out = (struct ay_proof12){ 0 };
	if (rc != AY_OK)
		return rc;
	open_key(ca, q.asym, secret, key);
	ok = q.sym.n > AY_CBC_BLOCK &&
	     open_proof(key, q.sym.p,
			(struct ay_bytes){ q.sym.p + AY_CBC_BLOCK, q.sym.n - AY_CBC_BLOCK }, buf,
			max, out);
	if (!ok && q.iv.n == AY_CBC_BLOCK)
		ok = open_proof(key, q.iv.p, q.sym, buf, max, out);
	ay_wipe(key, sizeof(key));
	return ok ? AY_OK
		  : ay_fail(e, AY_E_CRYPTO, "identityReq", 0, "does not open with this CA's key");
}

/* ---- TPM_ASYM_CA_CONTENTS, TPM_SYM_CA_ATTESTATION ---- */

static enum ay_rc make_asym(const struct ay_pubkey *ek, const uint8_t ak_digest[20],
			    const struct ay_credential12_random *random, struct ay_credential12 *c,
			    struct ay_err *e)
{
	uint8_t contents[4 + 2 + 2 + KEY + 20];
	struct ay_writer w;
	struct ay_bytes b;
	enum ay_rc rc;

	ay_wr_init(&w, contents, sizeof(contents));
	write_symmetric(&w, random->key);
	ay_wr_bytes(&w, (struct ay_bytes){ ak_digest, 20 });
	rc = ay_wr_end(&w, "asym", &b, e);
	if (rc == AY_OK)
		rc = ay_oaep_seal(ek, AY_ALG_SHA1, ay_bytes_of(AY_OAEP_TCPA), b, random->salt,
				  c->asym, &c->asym_n, e);
	ay_wipe(contents, sizeof(contents));
	return rc;
}

/*
 * TrouSerS takes the IV from before the cipher text and ignores the one in the
 * parameters; others read it there. Both find it.
 */
enum ay_rc ay_credential12_make(const struct ay_pubkey *ek, const uint8_t ak_digest[20],
				struct ay_bytes value, const struct ay_credential12_random *random,
				struct ay_credential12 *out, struct ay_err *e)
{
	struct ay_credential12 c = { 0 };
	uint8_t sealed[AY_SECRET12_MAX + AY_CBC_BLOCK];
	struct ay_writer w;
	struct ay_bytes b;
	size_t n = 0;
	enum ay_rc rc;

	*out = c;
	if (value.n == 0 || value.n > AY_SECRET12_MAX)
		return ay_fail(e, AY_E_INPUT, "credential.value", 0, "%zu octets", value.n);
	rc = ay_cbc_seal(random->key, random->iv, value, sealed, &n, e);
	if (rc == AY_OK)
		rc = make_asym(ek, ak_digest, random, &c, e);
	if (rc != AY_OK)
		return rc;
	ay_wr_init(&w, c.sym, sizeof(c.sym));
	ay_wr_be32(&w, (uint32_t)(AY_CBC_BLOCK + n));
	write_symmetric_parms(&w, random->iv);
	ay_wr_bytes(&w, AY_BYTES(random->iv));
	ay_wr_bytes(&w, (struct ay_bytes){ sealed, n });
	rc = ay_wr_end(&w, "sym", &b, e);
	c.sym_n = b.n;
	if (rc == AY_OK)
		*out = c;
	return rc;
}

enum ay_rc ay_credential12_open(struct ay_bytes sym, struct ay_bytes symmetric_key,
				struct ay_secret *out, struct ay_err *e)
{
	uint8_t key[KEY], plain[AY_SYM12_MAX];
	struct ay_bytes iv, sealed;
	struct ay_reader r;
	uint32_t size;
	size_t n;
	bool ok;
	enum ay_rc rc;

	*out = (struct ay_secret){ 0 };
	ay_rd_init(&r, sym);
	size = ay_rd_be32(&r, "symAttestation.credSize");
	skip_parms(&r, &iv);
	if (ay_rd_ok(&r) && (size != ay_rd_left(&r) || size > sizeof(plain)))
		ay_rd_reject(&r, "symAttestation.credSize", "is %u", size);
	iv = ay_rd_bytes(&r, "symAttestation.iv", AY_CBC_BLOCK);
	sealed = ay_rd_rest(&r, "symAttestation.credential");
	rc = ay_rd_end(&r, "symAttestation", e);
	if (rc != AY_OK)
		return rc;
	ok = read_symmetric(symmetric_key, key) &&
	     ay_cbc_open(key, iv.p, sealed, plain, &n, NULL) == AY_OK &&
	     ay_secret_set(out, (struct ay_bytes){ plain, n });
	ay_wipe(key, sizeof(key));
	ay_wipe(plain, sizeof(plain));
	return ok ? AY_OK
		  : ay_fail(e, AY_E_CRYPTO, "symAttestation", 0, "does not open with this key");
}
