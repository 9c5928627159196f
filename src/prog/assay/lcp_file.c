/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a launch control policy, RSA keys of its lists, and the host it is made from. */
#include "prog/assay/lcp.h"

#include "core/appraise/offline.h"
#include "core/base/limits.h"
#include "core/crypto/verify.h"
#include "prog/assay/evidence_dir.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_FILE_MAX = 16384, RSA_MAX = 512, EXPONENT = 65537 };

int ay_lcp_file_open(const char *path, struct ay_lcp_file *out)
{
	struct ay_bytes in;
	struct ay_err e = { 0 };
	enum ay_rc rc;
	int code;

	*out = (struct ay_lcp_file){ 0 };
	code = ay_cli_read_file(path, AY_LCP_FILE_MAX, &out->octets, &out->n);
	if (code != AY_EXIT_OK)
		return code;
	in = (struct ay_bytes){ out->octets, out->n };
	out->is_data = in.n >= AY_LCP_DATA_SIG_SIZE &&
		       memcmp(in.p, AY_LCP_DATA_SIG, AY_LCP_DATA_SIG_SIZE) == 0;
	rc = out->is_data ? ay_lcp_data_parse(in, &out->data, &e)
			  : ay_lcp_policy_parse(in, &out->policy, &e);
	if (rc == AY_OK)
		return AY_EXIT_OK;
	ay_lcp_file_fini(out);
	return ay_cli_fault(AY_EXIT_USAGE, path, &e);
}

void ay_lcp_file_fini(struct ay_lcp_file *f)
{
	free(f->octets);
	*f = (struct ay_lcp_file){ 0 };
}

static void reverse(const uint8_t *in, size_t n, uint8_t *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = in[n - 1 - i];
}

/* Lists of version 1 are signed over SHA-1, those of version 2 over SHA-256. */
static uint16_t hash_of_list(const struct ay_lcp_list *l)
{
	return l->version >> 8 == 1 ? AY_ALG_SHA1 : AY_ALG_SHA256;
}

bool ay_lcp_list_verify(const struct ay_lcp_list *l)
{
	uint8_t key_be[RSA_MAX], sig_be[RSA_MAX];
	struct ay_signature s = { .scheme = AY_ALG_RSASSA, .hash = hash_of_list(l) };
	struct ay_pubkey *key;
	bool good;

	if (!l->is_signed || l->key.n > RSA_MAX)
		return false;
	reverse(l->key.p, l->key.n, key_be);
	reverse(l->sig.p, l->sig.n, sig_be);
	s.rsa = (struct ay_bytes){ sig_be, l->sig.n };
	if (ay_pubkey_new_rsa((struct ay_bytes){ key_be, l->key.n }, EXPONENT, &key, NULL) != AY_OK)
		return false;
	good = ay_verify(key, &s, ay_hash_bit(s.hash), l->signed_octets) == AY_SIG_GOOD;
	ay_pubkey_free(key);
	return good;
}

/* ---- keys ---- */

int ay_lcp_key_open(const char *path, struct evp_pkey_st **out, uint8_t key_le[RSA_MAX], size_t *n)
{
	uint8_t *pem = NULL;
	size_t pem_n = 0;
	BIGNUM *m = NULL, *exp = NULL;
	BIO *b;
	int code = ay_cli_read_file(path, KEY_FILE_MAX, &pem, &pem_n);

	*out = NULL;
	*n = 0;
	if (code != AY_EXIT_OK)
		return code;
	b = BIO_new_mem_buf(pem, (int)pem_n);
	*out = b == NULL ? NULL : PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
	BIO_free(b);
	OPENSSL_cleanse(pem, pem_n);
	free(pem);
	if (*out != NULL && EVP_PKEY_is_a(*out, "RSA") &&
	    EVP_PKEY_get_bn_param(*out, OSSL_PKEY_PARAM_RSA_N, &m) == 1 &&
	    EVP_PKEY_get_bn_param(*out, OSSL_PKEY_PARAM_RSA_E, &exp) == 1 &&
	    BN_is_word(exp, EXPONENT) && (BN_num_bytes(m) == 256 || BN_num_bytes(m) == 384) &&
	    BN_bn2lebinpad(m, key_le, BN_num_bytes(m)) > 0)
		*n = (size_t)BN_num_bytes(m);
	BN_free(m);
	BN_free(exp);
	if (*n > 0)
		return AY_EXIT_OK;
	ay_lcp_key_close(*out);
	*out = NULL;
	return ay_cli_error(AY_EXIT_USAGE,
			    "%s: not an RSA private key of 2048 or 3072 bits (PEM, exponent 65537)",
			    path);
}

void ay_lcp_key_close(struct evp_pkey_st *k)
{
	EVP_PKEY_free(k);
}

int ay_lcp_sign(struct evp_pkey_st *k, uint16_t alg, struct ay_bytes msg, uint8_t sig_le[RSA_MAX],
		size_t *n)
{
	const EVP_MD *md = alg == AY_ALG_SHA1 ? EVP_sha1() : EVP_sha256();
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t sig[RSA_MAX];
	size_t len = sizeof(sig);
	bool ok = ctx != NULL && EVP_DigestSignInit(ctx, NULL, md, NULL, k) == 1 &&
		  EVP_DigestSign(ctx, sig, &len, msg.p, msg.n) == 1;

	EVP_MD_CTX_free(ctx);
	if (!ok)
		return ay_cli_error(AY_EXIT_IO, "the list could not be signed");
	reverse(sig, len, sig_le);
	*n = len;
	return AY_EXIT_OK;
}

/* ---- a golden host ---- */

int ay_lcp_golden(const char *dir, struct ay_pcrs *out)
{
	struct ay_evidence_dir d;
	struct ay_offline_out got;
	struct ay_report rep;
	struct ay_arena a;
	struct ay_err e = { 0 };
	int code = ay_evidence_dir_open(dir, &d);

	*out = (struct ay_pcrs){ 0 };
	if (code != AY_EXIT_OK)
		return code;
	ay_arena_init(&a, AY_MAX_ARENA_BYTES);
	ay_report_init(&rep, &a);
	if (!ay_evidence_dir_has_quote(&d))
		code = ay_cli_error(AY_EXIT_IO, "%s: no quote, signature or key in it", dir);
	else if (ay_appraise_offline(&d.in, &a, &got, &rep, &e) != AY_OK)
		code = ay_cli_fault(AY_EXIT_USAGE, dir, &e);
	else if (!got.quote.verified || !got.quote.pcrs_attested)
		code = ay_cli_error(AY_EXIT_FINDING,
				    "%s: the quote does not vouch for the PCR values", dir);
	else
		*out = got.quote.pcrs;
	ay_arena_fini(&a);
	ay_evidence_dir_close(&d);
	return code;
}
