/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/credential.h"

#include "core/crypto/kdf.h"
#include "core/tpm/encaps.h"

#include <openssl/evp.h>

/* Outer wrapping keys [TPM2-P1 24.4, 24.5]. */
struct wrap_keys {
	uint8_t sym[32];
	uint8_t mac[AY_DIGEST_MAX];
};

static void keys_wipe(struct wrap_keys *k)
{
	ay_wipe(k, sizeof(*k));
}

static void cipher_free(EVP_CIPHER_CTX **c)
{
	EVP_CIPHER_CTX_free(*c);
}

static bool derive(const struct ay_public *ek, const struct ay_secret *seed, struct ay_bytes name,
		   struct wrap_keys *k)
{
	const struct ay_bytes none = { NULL, 0 };
	unsigned mac_bits = (unsigned)ay_alg_digest_size(ek->name_alg) * 8;

	return ay_kdfa(ek->name_alg, ay_secret_view(seed), "STORAGE", name, none, ek->sym_key_bits,
		       k->sym) &&
	       ay_kdfa(ek->name_alg, ay_secret_view(seed), "INTEGRITY", none, none, mac_bits,
		       k->mac);
}

/* AES-CFB with a zero IV: the key serves once. */
static bool cfb(const struct ay_public *ek, const uint8_t *key, int encrypt, struct ay_bytes in,
		uint8_t *out)
{
	const EVP_CIPHER *cipher =
		ek->sym_key_bits == 128 ? EVP_aes_128_cfb128() : EVP_aes_256_cfb128();
	AY_CLEANUP(cipher_free) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	static const uint8_t iv[16];
	int n = 0;

	return c != NULL && EVP_CipherInit_ex2(c, cipher, key, iv, encrypt, NULL) == 1 &&
	       EVP_CipherUpdate(c, out, &n, in.p, (int)in.n) == 1 && (size_t)n == in.n;
}

static bool mac_of(const struct ay_public *ek, const struct wrap_keys *k, struct ay_bytes sealed,
		   struct ay_bytes name, uint8_t out[AY_DIGEST_MAX])
{
	const struct ay_bytes parts[] = { sealed, name };

	return ay_hmac(ek->name_alg, (struct ay_bytes){ k->mac, ay_alg_digest_size(ek->name_alg) },
		       parts, AY_COUNT(parts), out);
}

/* The EK must protect with a cipher that we can do. */
static enum ay_rc check_ek(const struct ay_public *ek, struct ay_err *e)
{
	if (ek->sym_alg != AY_ALG_AES || ek->sym_mode != AY_ALG_CFB ||
	    (ek->sym_key_bits != 128 && ek->sym_key_bits != 256))
		return ay_fail(e, AY_E_INPUT, "ek.symmetric", 0, "not AES-128 or AES-256 in CFB");
	return AY_OK;
}

static enum ay_rc seal(const struct ay_public *ek, const struct ay_secret *seed,
		       struct ay_bytes name, struct ay_bytes value, struct ay_credential *out,
		       struct ay_err *e)
{
	AY_CLEANUP(keys_wipe) struct wrap_keys k = { 0 };
	uint8_t identity[2 + AY_SECRET_MAX] = { 0, (uint8_t)value.n };
	uint8_t sealed[sizeof(identity)], mac[AY_DIGEST_MAX];
	struct ay_bytes view = { sealed, 2 + value.n };
	struct ay_writer w;
	bool ok;

	memcpy(identity + 2, value.p, value.n);
	ok = derive(ek, seed, name, &k) &&
	     cfb(ek, k.sym, 1, (struct ay_bytes){ identity, 2 + value.n }, sealed) &&
	     mac_of(ek, &k, view, name, mac);
	ay_wipe(identity, sizeof(identity));
	if (!ok)
		return ay_fail(e, AY_E_BUG, "credential", 0, "cannot seal");
	ay_wr_init(&w, out->id_object, sizeof(out->id_object));
	ay_wr_vec16(&w, (struct ay_bytes){ mac, ay_alg_digest_size(ek->name_alg) });
	ay_wr_bytes(&w, view);
	out->id_object_n = w.n;
	return ay_wr_end(&w, "credential", &view, e);
}

enum ay_rc ay_credential_make(const struct ay_public *ek, struct ay_bytes name,
			      struct ay_bytes value, const uint8_t random[AY_CREDENTIAL_RANDOM],
			      struct ay_credential *out, struct ay_err *e)
{
	AY_CLEANUP(ay_secret_wipe) struct ay_secret seed = { 0 };
	struct ay_credential made = { 0 };
	enum ay_rc rc;

	*out = made;
	if (value.n == 0 || value.n > ay_alg_digest_size(ek->name_alg))
		return ay_fail(e, AY_E_INPUT, "credential.value", 0, "%zu octets", value.n);
	rc = check_ek(ek, e);
	if (rc == AY_OK)
		rc = ay_encapsulate(ek, "IDENTITY", random, &seed, made.secret, &made.secret_n, e);
	if (rc == AY_OK)
		rc = seal(ek, &seed, name, value, &made, e);
	if (rc == AY_OK)
		*out = made;
	return rc;
}

static enum ay_rc unseal(const struct ay_public *ek, const struct ay_secret *seed,
			 struct ay_bytes name, struct ay_bytes mac, struct ay_bytes sealed,
			 struct ay_secret *out, struct ay_err *e)
{
	AY_CLEANUP(keys_wipe) struct wrap_keys k = { 0 };
	uint8_t want[AY_DIGEST_MAX], plain[2 + AY_SECRET_MAX];
	size_t n;

	if (sealed.n < 2 || sealed.n > sizeof(plain) || !derive(ek, seed, name, &k) ||
	    !mac_of(ek, &k, sealed, name, want) ||
	    !ay_bytes_eq_secret(mac, (struct ay_bytes){ want, ay_alg_digest_size(ek->name_alg) }) ||
	    !cfb(ek, k.sym, 0, sealed, plain))
		return ay_fail(e, AY_E_CRYPTO, "credential", 0,
			       "was not made for this key and this Name");
	n = (size_t)(plain[0] << 8 | plain[1]);
	if (n != sealed.n - 2 || !ay_secret_set(out, (struct ay_bytes){ plain + 2, n }))
		return ay_fail(e, AY_E_CRYPTO, "credential", 0, "has a wrong size inside");
	ay_wipe(plain, sizeof(plain));
	return AY_OK;
}

enum ay_rc ay_credential_open(struct evp_pkey_st *ek_private, const struct ay_public *ek,
			      struct ay_bytes name, struct ay_bytes id_object,
			      struct ay_bytes secret, struct ay_secret *out, struct ay_err *e)
{
	AY_CLEANUP(ay_secret_wipe) struct ay_secret seed = { 0 };
	struct ay_bytes mac, sealed;
	struct ay_reader r;
	enum ay_rc rc;

	*out = (struct ay_secret){ 0 };
	ay_rd_init(&r, id_object);
	mac = ay_rd_vec16(&r, "credential.integrityHMAC", AY_DIGEST_MAX);
	sealed = ay_rd_rest(&r, "credential.encIdentity");
	rc = ay_rd_end(&r, "credential", e);
	if (rc == AY_OK)
		rc = check_ek(ek, e);
	if (rc == AY_OK)
		rc = ay_decapsulate(ek_private, ek, "IDENTITY", secret, &seed, e);
	if (rc == AY_OK)
		rc = unseal(ek, &seed, name, mac, sealed, out, e);
	return rc;
}
