/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assay-ca/cakeys.h"

#include "core/base/hex.h"
#include "core/crypto/certgen.h"
#include "core/crypto/oids.h"
#include "core/crypto/pem.h"
#include "io/sys/clock.h"
#include "io/sys/file.h"
#include "io/sys/rng.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

enum { PATH_ROOM = 4096, FILE_MAX = 64 * 1024, KEY_ROOM = 1024, RSA_ROOM = 2048, CERT_ROOM = 2048 };

#define DAY_MS (24LL * 3600 * 1000)
#define ROOT_LIFE_MS (20 * 365 * DAY_MS)
#define CA_LIFE_MS (10 * 365 * DAY_MS)

static enum ay_rc path_of(const char *dir, const char *name, char out[PATH_ROOM], struct ay_err *e)
{
	int n = snprintf(out, PATH_ROOM, "%s/%s", dir, name);

	if (n < 0 || n >= PATH_ROOM)
		return ay_fail(e, AY_E_INPUT, "state_dir", 0, "path too long");
	return AY_OK;
}

static enum ay_rc put(const char *dir, const char *name, mode_t mode, const char *text,
		      struct ay_err *e)
{
	char path[PATH_ROOM];
	enum ay_rc rc = path_of(dir, name, path, e);

	return rc == AY_OK ? ay_file_create(path, mode, ay_bytes_of(text), e) : rc;
}

static enum ay_rc new_key(const char *dir, const char *name, struct ay_privkey **out,
			  struct ay_err *e)
{
	char pem[KEY_ROOM];
	enum ay_rc rc = ay_privkey_generate(out, e);

	if (rc == AY_OK)
		rc = ay_privkey_pem(*out, pem, sizeof(pem), e);
	if (rc == AY_OK)
		rc = put(dir, name, 0600, pem, e);
	OPENSSL_cleanse(pem, sizeof(pem));
	return rc;
}

struct made {
	uint8_t der[CERT_ROOM];
	size_t n;
};

static enum ay_rc new_cert(const char *dir, const char *name, struct ay_cert_spec *spec,
			   const struct ay_privkey *signer, struct made *out, struct ay_err *e)
{
	char pem[AY_PEM_ROOM(CERT_ROOM)];
	enum ay_rc rc;

	ay_rng_bytes(spec->serial, sizeof(spec->serial));
	rc = ay_certgen(spec, signer, out->der, sizeof(out->der), &out->n, e);
	if (rc != AY_OK)
		return rc;
	ay_pem_write("CERTIFICATE", (struct ay_bytes){ out->der, out->n }, pem);
	return put(dir, name, 0644, pem, e);
}

/* For the stand-alone program's own port: serverAuth only. */
static enum ay_rc make_tls_cert(const char *dir, struct ay_bytes root,
				struct ay_privkey *const k[4], int64_t now, struct ay_err *e)
{
	static const uint8_t server_auth[] = { 0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06,
					       0x01, 0x05, 0x05, 0x07, 0x03, 0x01 };
	const struct ay_cert_ext eku = { AY_OID(AY_OID_EXT_KEY_USAGE), false,
					 AY_BYTES(server_auth) };
	struct ay_cert_spec t = { .common_name = "Assay Privacy CA TLS",
				  .issuer_cert = root,
				  .key = ay_privkey_evp(k[3]),
				  .not_before_ms = now,
				  .not_after_ms = now + CA_LIFE_MS,
				  .path_len = -1,
				  .key_usage = AY_KU_DIGITAL_SIGNATURE,
				  .ext = &eku,
				  .n_ext = 1 };
	struct made made;

	return new_cert(dir, "tls.pem", &t, k[0], &made, e);
}

static struct ay_cert_spec issuer_spec(int64_t now)
{
	return (struct ay_cert_spec){ .common_name = "Assay Privacy CA",
				      .not_before_ms = now,
				      .not_after_ms = now + CA_LIFE_MS,
				      .is_ca = true,
				      .path_len = 0,
				      .key_usage = AY_KU_CERT_SIGN | AY_KU_CRL_SIGN };
}

static struct ay_cert_spec encryption_spec(int64_t now)
{
	return (struct ay_cert_spec){ .common_name = "Assay Privacy CA encryption",
				      .not_before_ms = now,
				      .not_after_ms = now + CA_LIFE_MS,
				      .path_len = -1,
				      .key_usage = AY_KU_KEY_AGREEMENT };
}

/* The RSA key for requests of TPM 1.2, which knows no other encryption. */
static enum ay_rc make_identity(const char *dir, const struct ay_privkey *root,
				struct ay_bytes root_cert, struct ay_err *e)
{
	int64_t now = ay_clock_wall_ms() - 3600 * 1000;
	struct ay_cert_spec c = { .common_name = "Assay Privacy CA identity requests",
				  .issuer_cert = root_cert,
				  .not_before_ms = now,
				  .not_after_ms = now + CA_LIFE_MS,
				  .path_len = -1,
				  .key_usage = AY_KU_KEY_ENCIPHERMENT };
	struct ay_rsakey *k = NULL;
	char pem[RSA_ROOM];
	struct made made;
	enum ay_rc rc = ay_rsakey_generate(&k, e);

	if (rc == AY_OK)
		rc = ay_rsakey_pem(k, pem, sizeof(pem), e);
	if (rc == AY_OK)
		rc = put(dir, "identity.key", 0600, pem, e);
	OPENSSL_cleanse(pem, sizeof(pem));
	if (rc == AY_OK) {
		c.key = ay_pubkey_pkey(ay_rsakey_public(k));
		rc = new_cert(dir, "identity.pem", &c, root, &made, e);
	}
	ay_rsakey_free(k);
	return rc;
}

static enum ay_rc make_certs(const char *dir, struct ay_privkey *const k[4], struct ay_err *e)
{
	int64_t now = ay_clock_wall_ms() - 3600 * 1000;
	struct made root, issuer, encryption;
	struct ay_cert_spec r = { .common_name = "Assay Privacy CA root",
				  .key = ay_privkey_evp(k[0]),
				  .not_before_ms = now,
				  .not_after_ms = now + ROOT_LIFE_MS,
				  .is_ca = true,
				  .path_len = 1,
				  .key_usage = AY_KU_CERT_SIGN | AY_KU_CRL_SIGN };
	struct ay_cert_spec i = issuer_spec(now), c = encryption_spec(now);
	enum ay_rc rc = new_cert(dir, "root.pem", &r, k[0], &root, e);

	if (rc != AY_OK)
		return rc;
	i.key = ay_privkey_evp(k[1]);
	c.key = ay_privkey_evp(k[2]);
	i.issuer_cert = c.issuer_cert = (struct ay_bytes){ root.der, root.n };
	rc = new_cert(dir, "issuer.pem", &i, k[0], &issuer, e);
	if (rc == AY_OK)
		rc = new_cert(dir, "encryption.pem", &c, k[0], &encryption, e);
	if (rc == AY_OK)
		rc = make_identity(dir, k[0], c.issuer_cert, e);
	return rc == AY_OK ? make_tls_cert(dir, c.issuer_cert, k, now, e) : rc;
}

static enum ay_rc make_pseudonym_key(const char *dir, struct ay_err *e)
{
	uint8_t key[32];
	char hex[65];
	enum ay_rc rc;

	ay_rng_bytes(key, sizeof(key));
	ay_hex_encode(AY_BYTES(key), hex);
	rc = put(dir, "pseudonym.key", 0600, hex, e);
	OPENSSL_cleanse(key, sizeof(key));
	OPENSSL_cleanse(hex, sizeof(hex));
	return rc;
}

enum ay_rc ay_ca_init(const char *dir, struct ay_err *e)
{
	static const char *const names[4] = { "root.key", "issuer.key", "encryption.key",
					      "tls.key" };
	struct ay_privkey *k[4] = { NULL };
	enum ay_rc rc = ay_dir_make(dir, 0700, e);

	for (size_t i = 0; i < AY_COUNT(k) && rc == AY_OK; i++)
		rc = new_key(dir, names[i], &k[i], e);
	if (rc == AY_OK)
		rc = make_pseudonym_key(dir, e);
	if (rc == AY_OK)
		rc = make_certs(dir, k, e);
	for (size_t i = 0; i < AY_COUNT(k); i++)
		ay_privkey_free(k[i]);
	return rc;
}

static enum ay_rc load_key(const char *dir, const char *name, struct ay_privkey **out,
			   struct ay_err *e)
{
	char path[PATH_ROOM];
	struct ay_bytes pem = { 0 };
	enum ay_rc rc = path_of(dir, name, path, e);

	if (rc == AY_OK)
		rc = ay_file_read(path, FILE_MAX, &pem, e);
	if (rc == AY_OK)
		rc = ay_privkey_new_pem(pem, out, e);
	ay_file_free(&pem);
	return rc;
}

static enum ay_rc load_block(const char *path, const char *label, struct ay_arena *a,
			     struct ay_bytes *der, struct ay_err *e)
{
	struct ay_bytes file = { 0 }, text;
	enum ay_rc rc = ay_file_read(path, FILE_MAX, &file, e);

	if (rc != AY_OK)
		return rc;
	text = file;
	rc = ay_pem_next(&text, label, a, der, e);
	ay_file_free(&file);
	return rc;
}

static enum ay_rc load_cert(const char *dir, const char *name, struct ay_arena *a,
			    struct ay_bytes *der, struct ay_err *e)
{
	char path[PATH_ROOM];
	enum ay_rc rc = path_of(dir, name, path, e);

	return rc == AY_OK ? load_block(path, "CERTIFICATE", a, der, e) : rc;
}

static enum ay_rc renew(const struct ay_privkey *root, struct ay_bytes root_cert,
			enum ay_ca_key what, const struct ay_privkey *k, struct ay_bytes *key,
			struct ay_bytes *cert, struct ay_err *e)
{
	int64_t now = ay_clock_wall_ms() - 3600 * 1000;
	struct ay_cert_spec spec = what == AY_CA_ISSUER ? issuer_spec(now) : encryption_spec(now);
	char pem[AY_PEM_ROOM(CERT_ROOM)], key_pem[KEY_ROOM];
	struct made made;
	enum ay_rc rc;

	spec.key = ay_privkey_evp(k);
	spec.issuer_cert = root_cert;
	ay_rng_bytes(spec.serial, sizeof(spec.serial));
	rc = ay_certgen(&spec, root, made.der, sizeof(made.der), &made.n, e);
	if (rc == AY_OK)
		rc = ay_privkey_pem(k, key_pem, sizeof(key_pem), e);
	if (rc != AY_OK)
		return rc;
	ay_pem_write("CERTIFICATE", (struct ay_bytes){ made.der, made.n }, pem);
	*key = (struct ay_bytes){ (uint8_t *)strdup(key_pem), strlen(key_pem) };
	*cert = (struct ay_bytes){ (uint8_t *)strdup(pem), strlen(pem) };
	OPENSSL_cleanse(key_pem, sizeof(key_pem));
	return key->p != NULL && cert->p != NULL ? AY_OK
						 : ay_fail(e, AY_E_NOMEM, "ca", 0, "no memory");
}

enum ay_rc ay_ca_renew(const char *dir, enum ay_ca_key what, struct ay_bytes *key,
		       struct ay_bytes *cert, struct ay_err *e)
{
	struct ay_privkey *root = NULL, *k = NULL;
	struct ay_bytes root_cert = { 0 };
	struct ay_arena a;
	enum ay_rc rc;

	ay_arena_init(&a, 256 * 1024);
	rc = load_key(dir, "root.key", &root, e);
	if (rc == AY_OK)
		rc = load_cert(dir, "root.pem", &a, &root_cert, e);
	if (rc == AY_OK)
		rc = ay_privkey_generate(&k, e);
	if (rc == AY_OK)
		rc = renew(root, root_cert, what, k, key, cert, e);
	ay_privkey_free(root);
	ay_privkey_free(k);
	ay_arena_fini(&a);
	return rc;
}

static enum ay_rc load_pseudonym(const char *dir, uint8_t key[32], struct ay_err *e)
{
	char path[PATH_ROOM];
	struct ay_bytes hex = { 0 };
	enum ay_rc rc = path_of(dir, "pseudonym.key", path, e);

	if (rc == AY_OK)
		rc = ay_file_read(path, FILE_MAX, &hex, e);
	if (rc == AY_OK)
		rc = ay_hex_decode(hex, "pseudonym.key", key, 32, e);
	ay_file_free(&hex);
	return rc;
}

static enum ay_rc load_ticket_keys(const char *path, struct ay_ca_files *f, struct ay_err *e)
{
	struct ay_bytes file = { 0 }, text, der;
	enum ay_rc rc = ay_file_read(path, FILE_MAX, &file, e);

	text = file;
	if (rc == AY_OK)
		rc = ay_pem_next(&text, "PUBLIC KEY", &f->arena, &der, e);
	if (rc == AY_OK)
		rc = ay_pubkey_new_spki(der, &f->ticket, e);
	if (rc == AY_OK && ay_pem_next(&text, "PUBLIC KEY", &f->arena, &der, NULL) == AY_OK)
		rc = ay_pubkey_new_spki(der, &f->ticket_old, e);
	ay_file_free(&file);
	return rc;
}

static bool has_file(const char *dir, const char *name)
{
	char path[PATH_ROOM];

	return path_of(dir, name, path, NULL) == AY_OK && ay_file_exists(path);
}

/* A folder made before TPM 1.2 was served gets its key once, while root.key is there. */
static enum ay_rc add_identity(const char *dir, struct ay_arena *a, struct ay_err *e)
{
	struct ay_privkey *root = NULL;
	struct ay_bytes cert;
	enum ay_rc rc = load_key(dir, "root.key", &root, e);

	if (rc == AY_OK)
		rc = load_cert(dir, "root.pem", a, &cert, e);
	if (rc == AY_OK)
		rc = make_identity(dir, root, cert, e);
	ay_privkey_free(root);
	return rc;
}

static enum ay_rc load_identity(const char *dir, struct ay_ca_files *f, struct ay_err *e)
{
	char path[PATH_ROOM];
	struct ay_bytes pem = { 0 };
	enum ay_rc rc;

	/* where it cannot be made, TPM 2.0 is served all the same */
	if (!has_file(dir, "identity.key") && has_file(dir, "root.key"))
		(void)!add_identity(dir, &f->arena, NULL);
	if (!has_file(dir, "identity.key") || !has_file(dir, "identity.pem"))
		return AY_OK;
	rc = path_of(dir, "identity.key", path, e);
	if (rc == AY_OK)
		rc = ay_file_read(path, FILE_MAX, &pem, e);
	if (rc == AY_OK)
		rc = ay_rsakey_new_pem(pem, &f->identity, e);
	ay_file_free(&pem);
	return rc;
}

/* The certificate goes to those that PROVISION carries, if its file is there or must be. */
static enum ay_rc add_cert(const char *dir, const char *name, bool needed, struct ay_ca_files *f,
			   struct ay_err *e)
{
	char path[PATH_ROOM];
	enum ay_rc rc = path_of(dir, name, path, e);

	if (rc != AY_OK || (!needed && !ay_file_exists(path)))
		return rc;
	return load_cert(dir, name, &f->arena, &f->certs[f->n_certs++], e);
}

/*
 * As PROVISION carries them. The issuer before stays in the chain: certificates
 * that it issued are good until they are renewed, and old evidence stays provable.
 */
static enum ay_rc load_certs(const char *dir, struct ay_ca_files *f, struct ay_err *e)
{
	enum ay_rc rc = add_cert(dir, "encryption.pem", true, f, e);

	if (rc == AY_OK && f->identity != NULL)
		rc = add_cert(dir, "identity.pem", true, f, e);
	if (rc == AY_OK)
		rc = add_cert(dir, "issuer.pem", true, f, e);
	f->keys.issuer_cert = f->n_certs > 0 ? f->certs[f->n_certs - 1] : (struct ay_bytes){ 0 };
	if (rc == AY_OK)
		rc = add_cert(dir, "issuer.pem.old", false, f, e);
	if (rc == AY_OK)
		rc = add_cert(dir, "root.pem", true, f, e);
	return rc;
}

static enum ay_rc load(const char *dir, const char *ticket_key, struct ay_ca_files *f,
		       struct ay_err *e)
{
	enum ay_rc rc = load_key(dir, "issuer.key", &f->issuer, e);

	if (rc == AY_OK)
		rc = load_key(dir, "encryption.key", &f->encryption, e);
	if (rc == AY_OK)
		rc = load_pseudonym(dir, f->keys.pseudonym, e);
	if (rc == AY_OK)
		rc = load_identity(dir, f, e);
	if (rc == AY_OK)
		rc = load_certs(dir, f, e);
	if (rc == AY_OK)
		rc = load_ticket_keys(ticket_key, f, e);
	if (rc != AY_OK)
		return rc;
	rc = ay_cert_spki_hash_of(f->certs[f->n_certs - 1], f->keys.root_pin, e);
	f->keys.identity = f->identity;
	f->keys.issuer = f->issuer;
	f->keys.encryption = f->encryption;
	f->keys.ticket = f->ticket;
	f->keys.ticket_old = f->ticket_old;
	f->keys.encryption_cert = f->certs[0];
	return rc;
}

enum ay_rc ay_ca_files_load(const char *dir, const char *ticket_key, struct ay_ca_files *out,
			    struct ay_err *e)
{
	enum ay_rc rc;

	memset(out, 0, sizeof(*out));
	ay_arena_init(&out->arena, 1024 * 1024);
	rc = load(dir, ticket_key, out, e);
	if (rc != AY_OK)
		ay_ca_files_fini(out);
	return rc;
}

void ay_ca_files_fini(struct ay_ca_files *f)
{
	ay_privkey_free(f->issuer);
	ay_privkey_free(f->encryption);
	ay_rsakey_free(f->identity);
	ay_pubkey_free(f->ticket);
	ay_pubkey_free(f->ticket_old);
	ay_arena_fini(&f->arena);
	OPENSSL_cleanse(f, sizeof(*f));
}

enum ay_rc ay_ca_pin(const char *dir, uint8_t pin[32], struct ay_err *e)
{
	struct ay_arena a;
	struct ay_bytes der;
	enum ay_rc rc;

	ay_arena_init(&a, 256 * 1024);
	rc = load_cert(dir, "root.pem", &a, &der, e);
	if (rc == AY_OK)
		rc = ay_cert_spki_hash_of(der, pin, e);
	ay_arena_fini(&a);
	return rc;
}
