/* SPDX-License-Identifier: Apache-2.0 */
/* The server's own certificates, for clients that pin or check by them. */
#include "prog/assayd/family/hostview.h"

#include "core/base/base64.h"
#include "core/crypto/pem.h"
#include "io/sys/config.h"
#include "io/sys/file.h"
#include "prog/assayd/processes.h"

#include <limits.h>
#include <stdlib.h>

enum { PEM_MAX = 256 * 1024 };

static const struct {
	const char *name, *other, *file;
} certs[] = {
	{ "root", "rootca", AY_FILE_ROOT_CERT },
	{ "tls", "ssl", AY_FILE_API_CERT },
	{ "saml", "saml", AY_FILE_ASSERTION_RSA_CERT },
	{ "privacy", "privacyca", AY_DIR_CA "/root.pem" },
	{ "aik", "privacy-issuer", AY_DIR_CA "/issuer.pem" },
};

static enum ay_rc read_pem(struct ay_api_call *c, const char *file, struct ay_bytes *out,
			   struct ay_err *e)
{
	const struct ay_config *config = ay_engine_config_of(c->api->engine);
	char path[PATH_MAX];

	if (config == NULL || !ay_config_state_path(config, file, path, sizeof(path)))
		return ay_fail(e, AY_E_NOENT, "certificate", 0, "there is no such certificate");
	return ay_file_read(path, PEM_MAX, out, e);
}

static void answer(struct ay_api_call *c, struct ay_bytes pem)
{
	enum ay_media m = ay_family_media(
		c, AY_MEDIA_BIT(AY_MEDIA_PEM) | AY_MEDIA_BIT(AY_MEDIA_DER), AY_MEDIA_PEM);
	struct ay_bytes rest = pem, der;
	struct ay_err e = { 0 };

	if (m != AY_MEDIA_DER) {
		ay_api_answer(c, 200, ay_media_type(AY_MEDIA_PEM), pem, NULL, NULL);
		return;
	}
	if (ay_api_refused(c, ay_pem_next(&rest, "CERTIFICATE", &c->arena, &der, &e), &e))
		return;
	ay_api_answer(c, 200, "application/pkix-cert", der, NULL, NULL);
}

void ay_family_certificate(struct ay_api_call *c, struct ay_bytes name)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes pem = { NULL, 0 };
	struct ay_err e = { 0 };
	enum ay_rc rc = AY_E_NOENT;

	for (size_t i = 0; i < AY_COUNT(certs) && rc == AY_E_NOENT; i++)
		if (ay_bytes_eq(name, ay_bytes_of(certs[i].name)) ||
		    ay_bytes_eq(name, ay_bytes_of(certs[i].other)))
			rc = read_pem(c, certs[i].file, &pem, &e);
	if (rc == AY_OK) {
		answer(c, pem);
		return;
	}
	/* the embedded CA's are not there when the CA is elsewhere */
	ay_err_set(&e, AY_E_NOENT, "certificate", 0, "there is no certificate of this name here");
	ay_api_problem(c, &e);
}

json_t *ay_family_certificates(struct ay_api_call *c)
{
	struct ay_bytes only = ay_api_param(c, "domain");
	json_t *all = json_array();

	for (size_t i = 0; i < AY_COUNT(certs); i++) {
		AY_CLEANUP(ay_file_free) struct ay_bytes pem = { NULL, 0 };
		struct ay_bytes rest, der;
		char *text;

		if (only.n > 0 && !ay_bytes_eq(only, ay_bytes_of(certs[i].name)) &&
		    !ay_bytes_eq(only, ay_bytes_of(certs[i].other)))
			continue;
		if (read_pem(c, certs[i].file, &pem, NULL) != AY_OK)
			continue;
		rest = pem;
		if (ay_pem_next(&rest, "CERTIFICATE", &c->arena, &der, NULL) != AY_OK)
			continue;
		text = ay_arena_alloc(&c->arena, AY_BASE64_ROOM(der.n));
		if (text == NULL)
			continue;
		ay_base64_encode(AY_BASE64_STD, der, text);
		json_array_append_new(all, json_pack("{s:s, s:s, s:s}", "id", certs[i].name, "name",
						     certs[i].name, "certificate", text));
	}
	return all;
}

/* ---- certificates that clients send ---- */

enum ay_rc ay_family_der(struct ay_api_call *c, struct ay_bytes text, struct ay_bytes *out,
			 struct ay_err *e)
{
	char *clean = ay_arena_alloc(&c->arena, text.n + 1);
	uint8_t *der = ay_arena_alloc(&c->arena, text.n + 1);
	bool in_line = false;
	size_t n = 0;
	enum ay_rc rc;

	*out = (struct ay_bytes){ NULL, 0 };
	if (text.n == 0 || text.n > 2 * (size_t)AY_MAX_CERT_BYTES)
		return ay_fail_code(e, AY_E_INPUT, "MISSING_INPUT", "certificate",
				    "give a certificate in base 64");
	if (clean == NULL || der == NULL)
		return ay_fail(e, AY_E_NOMEM, "certificate", 0, "out of memory");
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '-')
			in_line = true;
		if (text.p[i] == '\n')
			in_line = false;
		if (!in_line && text.p[i] > ' ')
			clean[n++] = (char)text.p[i];
	}
	rc = ay_base64_decode(AY_BASE64_STD, (struct ay_bytes){ (uint8_t *)clean, n },
			      "certificate", der, text.n, &n, e);
	if (rc == AY_OK)
		*out = (struct ay_bytes){ der, n };
	return rc;
}
