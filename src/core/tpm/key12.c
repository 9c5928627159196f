/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/key12.h"

#include "core/crypto/hash.h"

enum {
	ALG_RSA = 1,
	MODULUS_MAX = 512,
	EXPONENT = 65537,
	TAG_KEY12 = 0x0028,
	AUTH_ALWAYS = 1,
	PCR_INFO_MAX = 256,
	PRIVATE_MAX = 1024,
};

/* Big-endian number of at most 4 octets; an empty one is the default. */
static uint32_t exponent_of(struct ay_bytes b)
{
	uint32_t v = 0;

	for (size_t i = 0; i < b.n; i++)
		v = v << 8 | b.p[i];
	return b.n == 0 ? EXPONENT : v;
}

/* TPM_KEY_PARMS with TPM_RSA_KEY_PARMS [TPM12-P2 10.1, 10.1.1] */
static void read_parms(struct ay_reader *r, struct ay_public12 *k)
{
	struct ay_reader parms;
	struct ay_bytes exponent;

	ay_rd_expect32(r, "pubkey.algorithmID", ALG_RSA);
	k->enc_scheme = ay_rd_be16(r, "pubkey.encScheme");
	k->sig_scheme = ay_rd_be16(r, "pubkey.sigScheme");
	ay_rd_window(r, "pubkey.parms", ay_rd_be32(r, "pubkey.parmSize"), &parms);
	k->bits = ay_rd_be32(&parms, "pubkey.keyLength");
	k->primes = ay_rd_be32(&parms, "pubkey.numPrimes");
	exponent = ay_rd_vec32(&parms, "pubkey.exponent", 4);
	ay_rd_window_end(&parms, "pubkey.parms");
	k->exponent = exponent_of(exponent);
	k->has_exponent = exponent.n > 0;
}

static void write_parms(struct ay_writer *w, const struct ay_public12 *k)
{
	const uint8_t be[4] = { (uint8_t)(k->exponent >> 24), (uint8_t)(k->exponent >> 16),
				(uint8_t)(k->exponent >> 8), (uint8_t)k->exponent };
	size_t at;

	ay_wr_be32(w, ALG_RSA);
	ay_wr_be16(w, k->enc_scheme);
	ay_wr_be16(w, k->sig_scheme);
	at = ay_wr_open32(w);
	ay_wr_be32(w, k->bits);
	ay_wr_be32(w, k->primes);
	ay_wr_vec32(w, k->has_exponent ? AY_BYTES(be) : (struct ay_bytes){ 0 });
	ay_wr_close32(w, at);
}

bool ay_public12_looks_like(struct ay_bytes in)
{
	return in.n > 4 && in.p[0] == 0 && in.p[1] == 0;
}

void ay_public12_read(struct ay_reader *r, struct ay_public12 *out)
{
	*out = (struct ay_public12){ 0 };
	read_parms(r, out);
	out->modulus = ay_rd_vec32(r, "pubkey.pubKey", MODULUS_MAX);
}

enum ay_rc ay_public12_parse(struct ay_bytes in, struct ay_public12 *out, struct ay_err *e)
{
	struct ay_public12 k;
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	ay_public12_read(&r, &k);
	k.raw = in;
	rc = ay_rd_end(&r, "pubkey", e);
	*out = rc == AY_OK ? k : (struct ay_public12){ 0 };
	return rc;
}

void ay_public12_write(struct ay_writer *w, const struct ay_public12 *k)
{
	write_parms(w, k);
	ay_wr_vec32(w, k->modulus);
}

enum ay_rc ay_public12_key(const struct ay_public12 *k, struct ay_pubkey **out, struct ay_err *e)
{
	return ay_pubkey_new_rsa(k->modulus, k->exponent, out, e);
}

void ay_public12_name(const struct ay_public12 *k, struct ay_name *out)
{
	*out = (struct ay_name){ .n = 2 + 32, .b = { 0, AY_ALG_SHA256 } };
	ay_sha256(k->raw, out->b + 2);
}

bool ay_public12_digest(const struct ay_public12 *k, uint8_t out[20])
{
	return ay_hash_of(AY_ALG_SHA1, k->raw, out);
}

/* What both kinds have in common. */
static const char *form_fault(const struct ay_public12 *k)
{
	if (k->bits != AY_KEY12_BITS || k->modulus.n != AY_KEY12_BITS / 8 || k->modulus.p[0] < 0x80)
		return "not of 2048 bits";
	if (k->primes != 2 || k->has_exponent)
		return "not of two primes with the default exponent";
	return NULL;
}

const char *ay_ek12_fault(const struct ay_public12 *k)
{
	if (k->enc_scheme != AY_ES12_RSAES_OAEP || k->sig_scheme != AY_SS12_NONE)
		return "not an encryption key with OAEP";
	return form_fault(k);
}

const char *ay_ak12_fault(const struct ay_public12 *k)
{
	if (AY_CHECKED("AK12_SCHEME",
		       k->enc_scheme != AY_ES12_NONE || k->sig_scheme != AY_SS12_RSASSA_SHA1))
		return "not a signing key with PKCS #1 and SHA-1 that decrypts nothing";
	return form_fault(k);
}

/* ---- TPM_KEY12 ---- */

void ay_key12_template_write(struct ay_writer *w, uint16_t usage)
{
	struct ay_public12 k = { .bits = AY_KEY12_BITS, .primes = 2 };
	bool identity = usage == AY_USAGE12_IDENTITY;

	k.enc_scheme = identity ? AY_ES12_NONE : AY_ES12_RSAES_OAEP;
	k.sig_scheme = identity ? AY_SS12_RSASSA_SHA1 : AY_SS12_NONE;
	ay_wr_be16(w, TAG_KEY12);
	ay_wr_be16(w, 0); /* fill */
	ay_wr_be16(w, usage);
	ay_wr_be32(w, 0); /* flags: not migratable, not volatile */
	ay_wr_u8(w, AUTH_ALWAYS);
	write_parms(w, &k);
	ay_wr_be32(w, 0); /* PCRInfo */
	ay_wr_be32(w, 0); /* pubKey: the TPM's to make */
	ay_wr_be32(w, 0); /* encData */
}

void ay_key12_read(struct ay_reader *r, struct ay_public12 *pub)
{
	*pub = (struct ay_public12){ 0 };
	read_parms(r, pub);
	(void)ay_rd_vec32(r, "key.PCRInfo", PCR_INFO_MAX);
	pub->modulus = ay_rd_vec32(r, "key.pubKey", MODULUS_MAX);
	(void)ay_rd_vec32(r, "key.encData", PRIVATE_MAX);
}

enum ay_rc ay_key12_parse(struct ay_bytes in, struct ay_public12 *pub, uint16_t *usage,
			  struct ay_err *e)
{
	struct ay_public12 k = { 0 };
	struct ay_reader r;
	uint16_t use;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	(void)ay_rd_be32(&r, "key.tag"); /* or version 1.1.0.0 of a TPM_KEY: as long */
	use = ay_rd_be16(&r, "key.keyUsage");
	(void)ay_rd_be32(&r, "key.keyFlags");
	(void)ay_rd_u8(&r, "key.authDataUsage");
	ay_key12_read(&r, &k);
	rc = ay_rd_end(&r, "key", e);
	*pub = rc == AY_OK ? k : (struct ay_public12){ 0 };
	*usage = rc == AY_OK ? use : 0;
	return rc;
}

/* ---- either family ---- */

struct either {
	bool is_tpm12;
	struct ay_public12 k12;
	struct ay_public k;
};

static enum ay_rc read_either(struct ay_bytes in, struct either *k, struct ay_name *name,
			      struct ay_err *e)
{
	enum ay_rc rc;

	*name = (struct ay_name){ 0 };
	k->is_tpm12 = ay_public12_looks_like(in);
	if (k->is_tpm12) {
		rc = ay_public12_parse(in, &k->k12, e);
		if (rc == AY_OK)
			ay_public12_name(&k->k12, name);
		return rc;
	}
	rc = ay_public_parse(in, &k->k, e);
	if (rc == AY_OK && !ay_public_name(&k->k, name))
		rc = ay_fail(e, AY_E_INPUT, "public.nameAlg", 0, "the Name cannot be computed");
	return rc;
}

enum ay_rc ay_any_name(struct ay_bytes in, struct ay_name *name, struct ay_err *e)
{
	struct either k;

	return read_either(in, &k, name, e);
}

enum ay_rc ay_any_public(struct ay_bytes in, struct ay_pubkey **key, struct ay_name *name,
			 struct ay_err *e)
{
	struct either k;
	enum ay_rc rc = read_either(in, &k, name, e);

	*key = NULL;
	if (rc == AY_OK)
		rc = k.is_tpm12 ? ay_public12_key(&k.k12, key, e) : ay_public_key(&k.k, key, e);
	if (rc != AY_OK)
		*name = (struct ay_name){ 0 };
	return rc;
}
