/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-sim/keys.h"

#include "core/tpm/ek_template.h"
#include "io/sys/file.h"
#include "io/sys/rng.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <stdlib.h>

enum { RSA_POOL = 16, RSA_DER_MAX = 2048, CERT_DAYS = 3650 };

static enum ay_rc no_memory(struct ay_err *e)
{
	return ay_fail(e, AY_E_NOMEM, "sim.keys", 0, "libcrypto refused");
}

enum ay_rc sim_keys_certify(struct sim_host *h, struct ay_err *e)
{
	X509 *x = X509_new();
	X509_NAME *name = x == NULL ? NULL : X509_get_subject_name(x);
	bool ok = name != NULL && X509_set_version(x, X509_VERSION_3) == 1 &&
		  ASN1_INTEGER_set(X509_get_serialNumber(x), 1) == 1 &&
		  X509_gmtime_adj(X509_getm_notBefore(x), -86400) != NULL &&
		  X509_gmtime_adj(X509_getm_notAfter(x), CERT_DAYS * 86400L) != NULL &&
		  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"assay-sim",
					     -1, -1, 0) == 1 &&
		  X509_set_issuer_name(x, name) == 1 && X509_set_pubkey(x, h->tls_key) == 1 &&
		  X509_sign(x, h->tls_key, EVP_sha256()) > 0;

	if (!ok) {
		X509_free(x);
		return no_memory(e);
	}
	h->tls_cert = x;
	return AY_OK;
}

/* x and y, each padded to 32 octets. */
static bool point_of(EVP_PKEY *key, uint8_t x[32], uint8_t y[32])
{
	BIGNUM *bx = NULL, *by = NULL;
	bool ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &bx) == 1 &&
		  EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &by) == 1 &&
		  BN_bn2binpad(bx, x, 32) == 32 && BN_bn2binpad(by, y, 32) == 32;

	BN_free(bx);
	BN_free(by);
	return ok;
}

enum ay_rc sim_keys_ek_public(const struct sim_host *h, uint8_t *buf, size_t max,
			      struct ay_public *out, struct ay_err *e)
{
	struct ay_public p = ay_ek_template_find("L-2")->public;
	uint8_t x[32], y[32];
	struct ay_writer w;
	struct ay_bytes raw;
	enum ay_rc rc;

	if (!point_of(h->ek, x, y))
		return no_memory(e);
	p.x = AY_BYTES(x);
	p.y = AY_BYTES(y);
	ay_wr_init(&w, buf, max);
	ay_public_write(&w, &p);
	rc = ay_wr_end(&w, "sim.ek", &raw, e);
	return rc == AY_OK ? ay_public_parse(raw, out, e) : rc;
}

static bool fill_ak(struct sim_host *h, struct ay_public *p, uint8_t *numbers)
{
	BIGNUM *n = NULL;
	bool ok;

	if (h->ak_kind == SIM_AK_P256) {
		p->type = AY_ALG_ECC;
		p->scheme = AY_ALG_ECDSA;
		p->curve = AY_CURVE_P256;
		p->kdf = AY_ALG_NULL;
		p->x = (struct ay_bytes){ numbers, 32 };
		p->y = (struct ay_bytes){ numbers + 32, 32 };
		return point_of(h->ak, numbers, numbers + 32);
	}
	p->type = AY_ALG_RSA;
	p->scheme = AY_ALG_RSASSA;
	p->key_bits = 2048;
	p->modulus = (struct ay_bytes){ numbers, 256 };
	ok = EVP_PKEY_get_bn_param(h->ak, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
	     BN_bn2binpad(n, numbers, 256) == 256;
	BN_free(n);
	return ok;
}

/* The public area of a restricted signing key, unique also when the RSA key is shared. */
static enum ay_rc write_ak(struct sim_host *h, struct ay_err *e)
{
	struct ay_public p = { .name_alg = AY_ALG_SHA256,
			       .attributes = AY_OA_FIXED_TPM | AY_OA_FIXED_PARENT |
					     AY_OA_SENSITIVE_DATA_ORIGIN | AY_OA_USER_WITH_AUTH |
					     AY_OA_RESTRICTED | AY_OA_SIGN,
			       .sym_alg = AY_ALG_NULL,
			       .scheme_hash = AY_ALG_SHA256 };
	uint8_t numbers[256], policy[32];
	struct ay_writer w;
	struct ay_bytes raw;
	enum ay_rc rc;

	if (!fill_ak(h, &p, numbers))
		return no_memory(e);
	ay_rng_bytes(policy, sizeof(policy));
	if (h->ak_kind == SIM_AK_RSA2048)
		p.auth_policy = AY_BYTES(policy);
	ay_wr_init(&w, h->ak_pub, sizeof(h->ak_pub));
	ay_public_write(&w, &p);
	rc = ay_wr_end(&w, "sim.ak", &raw, e);
	h->ak_pub_n = (uint16_t)raw.n;
	return rc;
}

enum ay_rc sim_keys_ak_name(struct sim_host *h, struct ay_err *e)
{
	uint8_t buf[512];
	struct ay_public ak, ek;
	struct ay_name ek_name;
	enum ay_rc rc = ay_public_parse((struct ay_bytes){ h->ak_pub, h->ak_pub_n }, &ak, e);

	if (rc == AY_OK)
		rc = sim_keys_ek_public(h, buf, sizeof(buf), &ek, e);
	if (rc != AY_OK)
		return rc;
	if (!ay_public_name(&ak, &h->ak_name) || !ay_public_name(&ek, &ek_name) ||
	    !ay_name_of_ak(ay_name_view(&ek_name), ay_name_view(&h->ak_name), &h->qualified))
		return ay_fail(e, AY_E_BUG, "sim.ak", 0, "no Name");
	return AY_OK;
}

enum ay_rc sim_keys_make(struct sim *s, struct sim_host *h, struct ay_err *e)
{
	enum ay_rc rc;

	h->tls_key = EVP_EC_gen("P-256");
	h->ek = EVP_EC_gen("P-256");
	h->ak_kind = (uint8_t)s->conf.ak;
	if (s->conf.ak == SIM_AK_P256)
		h->ak = EVP_EC_gen("P-256");
	else if (EVP_PKEY_up_ref(s->rsa_pool[h->index % s->n_rsa]) == 1)
		h->ak = s->rsa_pool[h->index % s->n_rsa];
	if (h->tls_key == NULL || h->ek == NULL || h->ak == NULL)
		return no_memory(e);
	rc = sim_keys_certify(h, e);
	if (rc == AY_OK)
		rc = write_ak(h, e);
	return rc == AY_OK ? sim_keys_ak_name(h, e) : rc;
}

void sim_keys_free(struct sim_host *h)
{
	EVP_PKEY_free(h->tls_key);
	EVP_PKEY_free(h->ek);
	EVP_PKEY_free(h->ak);
	X509_free(h->tls_cert);
}

static unsigned load_pool(struct sim *s, struct ay_bytes file)
{
	struct ay_reader r;
	unsigned n = 0;

	ay_rd_init(&r, file);
	while (n < RSA_POOL && ay_rd_left(&r) > 0) {
		struct ay_bytes der = ay_rd_vec16(&r, "pool", RSA_DER_MAX);
		const uint8_t *p = der.p;
		EVP_PKEY *k = der.n == 0 ? NULL : d2i_AutoPrivateKey(NULL, &p, (long)der.n);

		if (k == NULL)
			return n;
		s->rsa_pool[n++] = k;
	}
	return n;
}

static enum ay_rc save_pool(const struct sim *s, const char *path, struct ay_err *e)
{
	uint8_t *buf = malloc(RSA_POOL * RSA_DER_MAX);
	struct ay_writer w;
	struct ay_bytes all;
	enum ay_rc rc;

	if (buf == NULL)
		return no_memory(e);
	ay_wr_init(&w, buf, RSA_POOL * RSA_DER_MAX);
	for (unsigned i = 0; i < s->n_rsa; i++) {
		uint8_t *der = NULL;
		int n = i2d_PrivateKey(s->rsa_pool[i], &der);

		if (n > 0)
			ay_wr_vec16(&w, (struct ay_bytes){ der, (size_t)n });
		OPENSSL_free(der);
	}
	rc = ay_wr_end(&w, "pool", &all, e);
	if (rc == AY_OK)
		rc = ay_file_write(path, 0600, all, e);
	free(buf);
	return rc;
}

enum ay_rc sim_rsa_pool(struct sim *s, struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes file = { 0 };
	char path[1024] = "";

	s->rsa_pool = calloc(RSA_POOL, sizeof(EVP_PKEY *));
	if (s->rsa_pool == NULL)
		return no_memory(e);
	if (s->conf.state_dir != NULL)
		snprintf(path, sizeof(path), "%s/rsa2048.pool", s->conf.state_dir);
	if (path[0] != '\0' && ay_file_read(path, RSA_POOL * RSA_DER_MAX, &file, NULL) == AY_OK)
		s->n_rsa = load_pool(s, file);
	if (s->n_rsa == RSA_POOL)
		return AY_OK;
	while (s->n_rsa < RSA_POOL) {
		s->rsa_pool[s->n_rsa] = EVP_RSA_gen(2048);
		if (s->rsa_pool[s->n_rsa] == NULL)
			return no_memory(e);
		s->n_rsa++;
	}
	return path[0] != '\0' ? save_pool(s, path, e) : AY_OK;
}

void sim_rsa_pool_free(struct sim *s)
{
	for (unsigned i = 0; i < s->n_rsa; i++)
		EVP_PKEY_free(s->rsa_pool[i]);
	free(s->rsa_pool);
}
