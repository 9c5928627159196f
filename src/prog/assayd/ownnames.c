/* SPDX-License-Identifier: Apache-2.0 */
#include "prog/assayd/ownnames.h"

#include "core/crypto/der.h"
#include "core/crypto/oids.h"
#include "core/crypto/pem.h"
#include "core/crypto/x509.h"
#include "io/sys/file.h"
#include "io/sys/listeners.h"
#include "prog/assayd/processes.h"

#include <arpa/inet.h>
#include <limits.h>
#include <stdio.h>

enum { PEM_MAX = 256 * 1024, TAG_DNS = AY_DER_CONTEXT | 2, TAG_IP = AY_DER_CONTEXT | 7 };

static void add(struct ay_own_names *o, uint8_t tag, struct ay_bytes value)
{
	char *to = o->text[o->n < AY_OWN_NAMES ? o->n : 0];

	if (o->n == AY_OWN_NAMES)
		return;
	if (tag == TAG_DNS && value.n > 0 && value.n < AY_OWN_NAME_TEXT)
		snprintf(to, AY_OWN_NAME_TEXT, "%.*s", (int)value.n, (const char *)value.p);
	else if (tag != TAG_IP || (value.n != 4 && value.n != 16) ||
		 inet_ntop(value.n == 4 ? AF_INET : AF_INET6, value.p, to, AY_OWN_NAME_TEXT) ==
			 NULL)
		return;
	o->name[o->n++] = ay_bytes_of(to);
}

enum ay_rc ay_own_names_add(struct ay_own_names *o, struct ay_bytes pem, struct ay_err *e)
{
	struct ay_arena a;
	struct ay_bytes der = { NULL, 0 };
	struct ay_cert cert;
	struct ay_reader r, names;
	enum ay_rc rc;

	ay_arena_init(&a, PEM_MAX);
	rc = ay_pem_next(&pem, "CERTIFICATE", &a, &der, e);
	if (rc == AY_OK)
		rc = ay_cert_parse(der, &cert, e);
	if (rc == AY_OK) {
		ay_rd_init(&r, ay_cert_extension(&cert, AY_OID(AY_OID_SUBJECT_ALT_NAME), NULL));
		ay_der_enter(&r, "names", AY_DER_SEQUENCE, &names);
		while (ay_rd_left(&names) > 0) {
			uint8_t tag = ay_der_peek(&names);

			add(o, tag, ay_der_get(&names, "names", tag));
		}
	}
	ay_arena_fini(&a);
	return rc;
}

static enum ay_rc add_file(struct ay_own_names *o, const char *path, struct ay_err *e)
{
	AY_CLEANUP(ay_file_free) struct ay_bytes pem = { NULL, 0 };
	enum ay_rc rc = ay_file_read(path, PEM_MAX, &pem, e);

	return rc != AY_OK ? rc : ay_own_names_add(o, pem, e);
}

enum ay_rc ay_own_names_load(const struct ay_config *c, struct ay_own_names *out, struct ay_err *e)
{
	char path[PATH_MAX];
	enum ay_rc rc;

	*out = (struct ay_own_names){ 0 };
	if (!ay_config_state_path(c, AY_FILE_API_CERT, path, sizeof(path)))
		return ay_fail(e, AY_E_LIMIT, "state_dir", 0, "path is too long");
	rc = add_file(out, path, e);
	for (int l = AY_LISTENER_API + 1; rc == AY_OK && l < AY_LISTENERS; l++) {
		struct ay_listener_set s;

		rc = ay_listener_read(c, (enum ay_listener)l, &s, e);
		if (rc == AY_OK && s.listen[0] != '\0' && s.cert[0] != '\0')
			rc = add_file(out, s.cert, e);
	}
	return rc;
}
