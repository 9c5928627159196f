/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/public.h"

#include "core/base/limits.h"
#include "core/crypto/hash.h"

enum {
	ATTRIBUTES_KNOWN = AY_OA_FIXED_TPM | AY_OA_ST_CLEAR | AY_OA_FIXED_PARENT |
			   AY_OA_SENSITIVE_DATA_ORIGIN | AY_OA_USER_WITH_AUTH |
			   AY_OA_ADMIN_WITH_POLICY | AY_OA_NO_DA | AY_OA_ENCRYPTED_DUPLICATION |
			   AY_OA_RESTRICTED | AY_OA_DECRYPT | AY_OA_SIGN | 1 << 19 /* x509sign */,
	RSA_MAX = 512,
	ECC_MAX = 66,
	ALG_ECDAA = 0x001a,
};

/* TPMT_SYM_DEF_OBJECT [TPM2-P2 11.1.7] */
static void read_symmetric(struct ay_reader *r, struct ay_public *p)
{
	p->sym_alg = ay_rd_be16(r, "public.symmetric.algorithm");
	if (p->sym_alg == AY_ALG_NULL)
		return;
	p->sym_key_bits = ay_rd_be16(r, "public.symmetric.keyBits");
	p->sym_mode = ay_rd_be16(r, "public.symmetric.mode");
}

/* A scheme followed by its hash, unless it has none [TPM2-P2 11.2]. */
static void read_scheme(struct ay_reader *r, struct ay_public *p)
{
	p->scheme = ay_rd_be16(r, "public.scheme.scheme");
	if (p->scheme == AY_ALG_NULL || p->scheme == AY_ALG_RSAES)
		return;
	p->scheme_hash = ay_rd_be16(r, "public.scheme.hashAlg");
	if (p->scheme == ALG_ECDAA)
		ay_rd_reject(r, "public.scheme.scheme", "ECDAA is not supported");
}

static void read_rsa(struct ay_reader *r, struct ay_public *p)
{
	read_symmetric(r, p);
	read_scheme(r, p);
	p->key_bits = ay_rd_be16(r, "public.keyBits");
	p->exponent = ay_rd_be32(r, "public.exponent");
	p->modulus = ay_rd_vec16(r, "public.unique.rsa", RSA_MAX);
}

static void read_ecc(struct ay_reader *r, struct ay_public *p)
{
	read_symmetric(r, p);
	read_scheme(r, p);
	p->curve = ay_rd_be16(r, "public.curveID");
	p->kdf = ay_rd_be16(r, "public.kdf.scheme");
	if (p->kdf != AY_ALG_NULL)
		p->kdf_hash = ay_rd_be16(r, "public.kdf.hashAlg");
	p->x = ay_rd_vec16(r, "public.unique.x", ECC_MAX);
	p->y = ay_rd_vec16(r, "public.unique.y", ECC_MAX);
}

static void read_head(struct ay_reader *r, struct ay_public *p)
{
	p->type = ay_rd_be16(r, "public.type");
	if (ay_rd_ok(r) && p->type != AY_ALG_RSA && p->type != AY_ALG_ECC)
		ay_rd_reject(r, "public.type", "0x%04x is no asymmetric key", p->type);
	p->name_alg = ay_rd_be16(r, "public.nameAlg");
	if (ay_rd_ok(r) && ay_alg_digest_size(p->name_alg) == 0)
		ay_rd_reject(r, "public.nameAlg", "unknown hash 0x%04x", p->name_alg);
	p->attributes = ay_rd_be32(r, "public.objectAttributes");
	if ((p->attributes & ~(uint32_t)ATTRIBUTES_KNOWN) != 0)
		ay_rd_reject(r, "public.objectAttributes", "reserved bits in 0x%08x",
			     p->attributes);
	p->auth_policy = ay_rd_vec16(r, "public.authPolicy", AY_DIGEST_MAX);
	if (p->auth_policy.n != 0 && p->auth_policy.n != ay_alg_digest_size(p->name_alg))
		ay_rd_reject(r, "public.authPolicy", "%zu octets do not fit nameAlg",
			     p->auth_policy.n);
}

enum ay_rc ay_public_parse(struct ay_bytes in, struct ay_public *out, struct ay_err *e)
{
	struct ay_public p = { .raw = in };
	struct ay_reader r;
	enum ay_rc rc;

	ay_rd_init(&r, in);
	if (in.n > AY_MAX_PUBLIC_BYTES)
		ay_rd_limit(&r, "public", in.n, AY_MAX_PUBLIC_BYTES);
	read_head(&r, &p);
	if (p.type == AY_ALG_RSA)
		read_rsa(&r, &p);
	else
		read_ecc(&r, &p);

	rc = ay_rd_end(&r, "public", e);
	*out = rc == AY_OK ? p : (struct ay_public){ 0 };
	return rc;
}

enum ay_rc ay_public_parse_2b(struct ay_bytes in, struct ay_public *out, struct ay_err *e)
{
	struct ay_reader r;
	struct ay_bytes area;
	enum ay_rc rc;

	*out = (struct ay_public){ 0 };
	ay_rd_init(&r, in);
	area = ay_rd_vec16(&r, "public.size", AY_MAX_PUBLIC_BYTES);
	rc = ay_rd_end(&r, "public", e);
	if (rc != AY_OK)
		return rc;
	return ay_public_parse(area, out, e);
}

static void write_parameters(struct ay_writer *w, const struct ay_public *p)
{
	ay_wr_be16(w, p->sym_alg);
	if (p->sym_alg != AY_ALG_NULL) {
		ay_wr_be16(w, p->sym_key_bits);
		ay_wr_be16(w, p->sym_mode);
	}
	ay_wr_be16(w, p->scheme);
	if (p->scheme != AY_ALG_NULL && p->scheme != AY_ALG_RSAES)
		ay_wr_be16(w, p->scheme_hash);
}

void ay_public_write(struct ay_writer *w, const struct ay_public *p)
{
	ay_wr_be16(w, p->type);
	ay_wr_be16(w, p->name_alg);
	ay_wr_be32(w, p->attributes);
	ay_wr_vec16(w, p->auth_policy);
	write_parameters(w, p);
	if (p->type == AY_ALG_RSA) {
		ay_wr_be16(w, p->key_bits);
		ay_wr_be32(w, p->exponent);
		ay_wr_vec16(w, p->modulus);
		return;
	}
	ay_wr_be16(w, p->curve);
	ay_wr_be16(w, p->kdf);
	if (p->kdf != AY_ALG_NULL)
		ay_wr_be16(w, p->kdf_hash);
	ay_wr_vec16(w, p->x);
	ay_wr_vec16(w, p->y);
}

static void set_alg(struct ay_name *n, uint16_t alg)
{
	n->b[0] = (uint8_t)(alg >> 8);
	n->b[1] = (uint8_t)alg;
	n->n = 2 + ay_alg_digest_size(alg);
}

bool ay_public_name(const struct ay_public *p, struct ay_name *out)
{
	*out = (struct ay_name){ 0 };
	if (!ay_hash_of(p->name_alg, p->raw, out->b + 2))
		return false;
	set_alg(out, p->name_alg);
	return true;
}

void ay_public_hash(const struct ay_public *p, uint8_t out[32])
{
	ay_sha256(p->raw, out);
}

struct ay_bytes ay_name_view(const struct ay_name *n)
{
	return (struct ay_bytes){ n->b, n->n };
}

static uint16_t name_alg_of(struct ay_bytes name)
{
	return name.n < 2 ? 0 : (uint16_t)(name.p[0] << 8 | name.p[1]);
}

bool ay_name_is_valid(struct ay_bytes b)
{
	size_t size = ay_alg_digest_size(name_alg_of(b));

	return size != 0 && b.n == 2 + size;
}

bool ay_name_qualify(struct ay_bytes parent, struct ay_bytes name, struct ay_name *out)
{
	uint16_t alg = name_alg_of(name);
	struct ay_hash h;

	*out = (struct ay_name){ 0 };
	if (!ay_name_is_valid(name) || !ay_hash_init(&h, alg))
		return false;
	ay_hash_update(&h, parent);
	ay_hash_update(&h, name);
	ay_hash_final(&h, out->b + 2);
	set_alg(out, alg);
	return true;
}

bool ay_name_of_ak(struct ay_bytes ek_name, struct ay_bytes ak_name, struct ay_name *out)
{
	static const uint8_t endorsement[] = { AY_TPM_RH_ENDORSEMENT >> 24, 0, 0,
					       AY_TPM_RH_ENDORSEMENT & 0xff };
	struct ay_name ek;

	*out = (struct ay_name){ 0 };
	return ay_name_qualify(AY_BYTES(endorsement), ek_name, &ek) &&
	       ay_name_qualify(ay_name_view(&ek), ak_name, out);
}

enum ay_rc ay_public_key(const struct ay_public *p, struct ay_pubkey **out, struct ay_err *e)
{
	*out = NULL;
	if (p->type == AY_ALG_ECC)
		return ay_pubkey_new_ec(p->curve, p->x, p->y, out, e);
	if (p->type != AY_ALG_RSA)
		return ay_fail(e, AY_E_INPUT, "public.type", 0, "no asymmetric key");
	if (p->modulus.n * 8 != p->key_bits)
		return ay_fail(e, AY_E_INPUT, "public.unique.rsa", 0,
			       "%zu octets, but keyBits is %u", p->modulus.n, p->key_bits);
	return ay_pubkey_new_rsa(p->modulus, p->exponent == 0 ? 65537 : p->exponent, out, e);
}
