/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-sim/ekca.h"

#include "core/crypto/certgen.h"
#include "core/crypto/secret.h"
#include "core/crypto/x509.h"
#include "io/net/cert.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "io/sys/rng.h"

#include <openssl/pem.h>
#include <stdlib.h>

enum { FILE_MAX = 16 * 1024 };
static const int64_t day_ms = 86400000, ca_days = 3650, ek_days = 3650;

static enum ay_rc make_cert(const struct ay_privkey *key, uint8_t *der, size_t max, size_t *n,
			    struct ay_err *e)
{
	struct ay_cert_spec spec = { .common_name = "assay-sim EK CA",
				     .key = ay_privkey_evp(key),
				     .not_before_ms = ay_clock_wall_ms() - day_ms,
				     .not_after_ms = ay_clock_wall_ms() + ca_days * day_ms,
				     .is_ca = true,
				     .path_len = 0,
				     .key_usage = AY_KU_CERT_SIGN | AY_KU_CRL_SIGN };

	ay_rng_bytes(spec.serial, sizeof(spec.serial));
	return ay_certgen(&spec, key, der, max, n, e);
}

static enum ay_rc write_pem(const char *path, const uint8_t *der, size_t n, struct ay_err *e)
{
	BIO *bio = BIO_new(BIO_s_mem());
	enum ay_rc rc = ay_fail(e, AY_E_NOMEM, "sim.ekca", 0, "out of memory");
	char *text;
	long len;

	if (bio != NULL && PEM_write_bio(bio, "CERTIFICATE", "", der, (long)n) > 0) {
		len = BIO_get_mem_data(bio, &text);
		rc = ay_file_write(path, 0644, (struct ay_bytes){ (uint8_t *)text, (size_t)len },
				   e);
	}
	BIO_free(bio);
	return rc;
}

static void path_of(const char *dir, const char *name, char out[1024])
{
	snprintf(out, 1024, "%s/%s", dir, name);
}

static enum ay_rc write_key(const char *dir, const struct ay_privkey *key, struct ay_err *e)
{
	char path[1024], pem[512];
	enum ay_rc rc = ay_privkey_pem(key, pem, sizeof(pem), e);

	path_of(dir, "vtpm-sim.key", path);
	if (rc == AY_OK)
		rc = ay_file_write(path, 0600, ay_bytes_of(pem), e);
	ay_wipe(pem, sizeof(pem));
	return rc;
}

enum ay_rc sim_ekca_make(const char *dir, struct ay_err *e)
{
	struct ay_privkey *key = NULL;
	uint8_t der[2048];
	char path[1024];
	size_t n = 0;
	enum ay_rc rc;

	path_of(dir, "vtpm-sim/ca.pem", path);
	if (ay_file_exists(path))
		return AY_OK; /* the same CA serves every later run */
	path_of(dir, "vtpm-sim", path);
	rc = ay_dir_make(path, 0755, e);
	if (rc == AY_OK)
		rc = ay_privkey_generate(&key, e);
	if (rc == AY_OK)
		rc = make_cert(key, der, sizeof(der), &n, e);
	if (rc == AY_OK)
		rc = write_key(dir, key, e);
	path_of(dir, "vtpm-sim/ca.pem", path);
	if (rc == AY_OK)
		rc = write_pem(path, der, n, e);
	ay_privkey_free(key);
	return rc;
}

enum ay_rc sim_ekca_load(struct sim *s, struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes cert = { 0 };
	AY_CLEANUP(ay_file_free) struct ay_bytes key = { 0 };
	char path[1024];
	enum ay_rc rc;

	path_of(s->conf.ek_ca_dir, "vtpm-sim/ca.pem", path);
	rc = ay_file_read(path, FILE_MAX, &cert, e);
	path_of(s->conf.ek_ca_dir, "vtpm-sim.key", path);
	if (rc == AY_OK)
		rc = ay_file_read(path, FILE_MAX, &key, e);
	if (rc == AY_OK)
		rc = ay_privkey_new_pem(key, &s->ca_key, e);
	if (rc == AY_OK)
		rc = ay_cert_der(cert, &s->ca_cert, e);
	return rc;
}

void sim_ekca_free(struct sim *s)
{
	ay_privkey_free(s->ca_key);
	ay_file_free(&s->ca_cert);
}

enum ay_rc sim_ekca_issue(const struct sim *s, const struct sim_host *h, uint8_t *out, size_t max,
			  size_t *n, struct ay_err *e)
{
	/* extendedKeyUsage: tcg-kp-EKCertificate, 2.23.133.8.1 */
	static const uint8_t eku_oid[] = { 0x55, 0x1d, 0x25 };
	static const uint8_t eku[] = { 0x30, 0x07, 0x06, 0x05, 0x67, 0x81, 0x05, 0x08, 0x01 };
	struct ay_cert_ext ext = { AY_BYTES(eku_oid), false, AY_BYTES(eku) };
	struct ay_cert_spec spec = { .issuer_cert = s->ca_cert,
				     .common_name = "assay-sim EK",
				     .key = h->ek,
				     .not_before_ms = ay_clock_wall_ms() - day_ms,
				     .not_after_ms = ay_clock_wall_ms() + (ek_days - 1) * day_ms,
				     .path_len = -1,
				     .key_usage = AY_KU_KEY_AGREEMENT,
				     .ext = &ext,
				     .n_ext = 1 };

	ay_rng_bytes(spec.serial, sizeof(spec.serial));
	return ay_certgen(&spec, s->ca_key, out, max, n, e);
}
