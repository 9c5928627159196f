/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tpm/any_key.h"

#include "core/tpm/public.h"
#include "core/tpm/tpm12.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

/* The key of a certificate, whoever signed it: an offline check trusts the file it was given. */
static enum ay_rc from_certificate(struct ay_bytes der, struct ay_pubkey **out, struct ay_err *e)
{
	const uint8_t *p = der.p;
	X509 *x = d2i_X509(NULL, &p, (long)der.n);
	uint8_t *spki = NULL;
	enum ay_rc rc;
	int n;

	if (x == NULL)
		return ay_fail(e, AY_E_INPUT, "key", 0, "neither public key nor certificate");
	n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki);
	rc = n > 0 ? ay_pubkey_new_spki((struct ay_bytes){ spki, (size_t)n }, out, e)
		   : ay_fail(e, AY_E_INPUT, "key", 0, "certificate without a key");
	OPENSSL_free(spki);
	X509_free(x);
	return rc;
}

static enum ay_rc from_der(struct ay_bytes der, struct ay_pubkey **out, struct ay_err *e)
{
	enum ay_rc rc = ay_pubkey_new_spki(der, out, e);

	return rc == AY_OK ? rc : from_certificate(der, out, e);
}

static enum ay_rc from_pem(struct ay_bytes text, struct ay_pubkey **out, struct ay_err *e)
{
	BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
	char *name = NULL, *header = NULL;
	uint8_t *der = NULL;
	enum ay_rc rc;
	long n = 0;

	if (bio != NULL && PEM_read_bio(bio, &name, &header, &der, &n) == 1)
		rc = from_der((struct ay_bytes){ der, (size_t)n }, out, e);
	else
		rc = ay_fail(e, AY_E_INPUT, "key", 0, "PEM that cannot be read");
	OPENSSL_free(name);
	OPENSSL_free(header);
	OPENSSL_free(der);
	BIO_free(bio);
	return rc;
}

static enum ay_rc from_tpm(struct ay_bytes in, struct ay_pubkey **out, struct ay_err *e)
{
	struct ay_public pub;
	struct ay_err ignored;

	if (ay_public_parse_2b(in, &pub, &ignored) == AY_OK ||
	    ay_public_parse(in, &pub, &ignored) == AY_OK)
		return ay_public_key(&pub, out, e);
	return ay_pubkey12_parse(in, out, e);
}

enum ay_rc ay_key_from_any(struct ay_bytes in, struct ay_pubkey **out, struct ay_err *e)
{
	enum ay_rc rc;

	*out = NULL;
	if (in.n > 11 && memmem(in.p, in.n, "-----BEGIN ", 11) != NULL)
		rc = from_pem(in, out, e);
	else if (in.n > 0 && in.p[0] == 0x30)
		rc = from_der(in, out, e);
	else
		rc = from_tpm(in, out, e);
	ERR_clear_error();
	return rc;
}
